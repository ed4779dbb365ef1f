/* SPDX-License-Identifier: MIT
 *
 * Explanations on a host: of what the hour alone stands against, and of tokens that are revoked,
 * over or of an issuer that nobody trusts any more; to their holders and to operators.
 */
#include "trust-lab.h"

#define WEB                                                                                        \
	"\"grants\":[{\"verbs\":[\"unit.read\",\"unit.start\"],\"on\":\"unit/*\"}],"               \
	"\"tags\":{\"all\":[\"web\"]}"
#define READ_WEB "{\"for\":\"alice\",\"ttl\":\"1h\"," WEB "}"
/* The clock of a lab begins at T0. */
#define LATER "{\"for\":\"bo\",\"ttl\":\"8h\"," WEB ",\"from\":\"2026-01-01T01:00:00Z\"}"

static lab new_lab(void)
{
	lab l = lab_new();

	trusted_fleet(&l);
	return l;
}

static char *explained(lab *l, hn_session *session, const char *verb, const char *unit)
{
	char object[BASE_OBJECT_SIZE], *json = NULL;

	object_of(l, unit, object);
	cr_assert_eq(
		hn_session_explain(session, verb, object, &json, lab_err(l)), 0, "%s", lab_why(l));
	return json;
}

/* As the operator. */
static char *explained_token(lab *l, const char *token, const char *unit)
{
	char object[BASE_OBJECT_SIZE], *json = NULL;

	object_of(l, unit, object);
	cr_assert_eq(
		hn_session_explain_token(l->session, token, "unit.read", object, &json, lab_err(l)),
		0, "%s", lab_why(l));
	return json;
}

static void has(const char *json, const char *part)
{
	cr_expect_not_null(strstr(json, part), "not there: %s\nin: %s", part, json);
}

static void has_not(const char *json, const char *part)
{
	cr_expect_null(strstr(json, part), "there: %s\nin: %s", part, json);
}

static void cti_of(const char *token, char cti[33])
{
	BASE_AUTO_OF(caps_token) caps_token *read = NULL;

	cr_assert_eq(caps_token_read_text(token, strlen(token), &read, NULL, NULL), 0);
	codec_hex(read->links[0].cti.bytes, 16, cti);
}

/* By an operator who says why, so that it is on record. */
static void revoke(lab *l, const char *what, const char *value)
{
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_session_options options = HN_SESSION_OPTIONS_INIT;

	options.reason = "the laptop is lost";
	cr_assert_eq(hn_session_open_local(l->host, &options, &session, lab_err(l)), 0);
	cr_assert_eq(hn_cap_revoke(session, what, value, lab_err(l)), 0, "%s", lab_why(l));
	hn_os_sim_advance(l->os, OS_SECOND);
}

/* The simulated system has no zones. */
static void know_utc(lab *l)
{
	static const char path[] = "/usr/share/zoneinfo/UTC";
	BASE_AUTO_FREE char *bytes = NULL;
	size_t size = 0;

	cr_assert_eq(os_read_file(hn_os_real(), path, 4096, &bytes, &size, lab_err(l)), 0, "%s",
		lab_why(l));
	cr_assert_eq(hn_os_sim_put(l->os, path, bytes, size, lab_err(l)), 0, "%s", lab_why(l));
}

/* --- outside of the hours --- */

Test(hours, alone_are_the_cause_where_the_tag_is_there)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, LATER);
	BASE_AUTO_FREE char *json = explained(&l, session, "unit.start", "web-1");

	has(json, "\"allowed\":false");
	has(json, "\"caveat\":\"window\",\"text\":\"window from 2026-01-01T01:00:00Z");
	has(json, "\"allowAgain\":\"2026-01-01T01:00:00Z\"");
	has(json, "\"caveat\":\"tags\",\"holds\":true,\"text\":\"tags all web\"");
	has_not(json, "not known");
}

/* Its tag is not there, and would not be then: no more is said of it than of a missing unit. */
Test(hours, of_a_unit_without_the_tag_the_tag_is_the_cause)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, LATER);
	BASE_AUTO_FREE char *json = explained(&l, session, "unit.start", "db-1");

	has(json, "\"caveat\":\"tags\",\"text\":\"tags all web: the unit's tags are not known\"");
	has(json, "\"allowAgain\":null");
	has_not(json, "does not have");
}

/* A window that never opens again is no reason to tell what is hidden. */
Test(hours, that_are_over_hide_the_unit)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(
		&l, "{\"for\":\"bo\",\"ttl\":\"8h\"," WEB ",\"until\":\"2026-01-01T01:00:00Z\"}");
	BASE_AUTO_FREE char *json = NULL;

	hn_os_sim_advance(l.os, 3700 * OS_SECOND);
	json = explained(&l, session, "unit.start", "web-1");
	has(json, "the unit's tags are not known");
	has(json, "\"allowAgain\":null");
}

/* Of a token with the hours of both, which come while it lasts. */
static char *explained_with_two(lab *l, const char *one, const char *other)
{
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	BASE_AUTO_FREE char *token = NULL, *less = NULL;
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	char terms[300];

	know_utc(l);
	options.now = os_now(l->os) / OS_SECOND;
	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"bo\",\"ttl\":\"10min\",\"bearer\":true," WEB ",\"when\":\"%s\"}", one);
	cr_assert_eq(
		hn_cap_issue(l->session, terms, NULL, &token, lab_err(l)), 0, "%s", lab_why(l));
	(void)snprintf(terms, sizeof(terms), "{\"bearer\":true,\"when\":\"%s\"}", other);
	cr_assert_eq(hn_cap_attenuate(token, terms, NULL, &options, &less, lab_err(l)), 0, "%s",
		lab_why(l));
	cr_assert_eq(
		hn_session_open(l->host, less, NULL, &session, lab_err(l)), 0, "%s", lab_why(l));
	return explained(l, session, "unit.start", "web-1");
}

/* Every day has both, and no moment has. */
Test(hours, that_are_never_open_at_once_hide_the_unit)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *apart = explained_with_two(&l, "00:02-00:05 UTC", "00:06-00:09 UTC");
	BASE_AUTO_FREE char *both = explained_with_two(&l, "00:02-00:05 UTC", "00:04-00:09 UTC");

	has(apart, "the unit's tags are not known");
	has(apart, "\"allowAgain\":null");
	has(both, "\"caveat\":\"tags\",\"holds\":true");
	has(both, "\"allowAgain\":\"2026-01-01T00:04:00Z\"");
}

/* The token is over before its window begins, or before its hours come round. */
Test(hours, behind_the_end_of_the_token_hide_the_unit)
{
	static const char *const never[] = {"\"from\":\"2026-01-01T09:00:00Z\"",
		"\"when\":\"Fri 09:00-12:00 UTC\"", "\"when\":\"09:00-12:00 UTC\""};

	for (size_t i = 0; i < BASE_COUNT(never); i++) {
		LAB l = new_lab();
		BASE_AUTO_OF(hn_session) hn_session *session = NULL;
		BASE_AUTO_FREE char *json = NULL;
		char terms[300];

		know_utc(&l);
		(void)snprintf(terms, sizeof(terms), "{\"for\":\"bo\",\"ttl\":\"8h\"," WEB ",%s}",
			never[i]);
		session = opened(&l, terms);
		json = explained(&l, session, "unit.start", "web-1");
		has(json, "the unit's tags are not known");
		has(json, "\"allowAgain\":null");
	}
}

/* Masks stay: who may not see tags is not told of them when he waits either. */
Test(hours, a_mask_hides_tags_at_all_times)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session =
		opened(&l, "{\"for\":\"bo\",\"ttl\":\"8h\"," WEB
			   ",\"from\":\"2026-01-01T01:00:00Z\",\"redact\":[\"tags\"]}");
	BASE_AUTO_FREE char *json = explained(&l, session, "unit.start", "web-1");

	has_not(json, "\"caveat\":\"tags\",\"holds\":true");
	has(json, "\"allowed\":false");
}

Test(hours, an_operator_sees_which_tag_is_missing)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, LATER);
	BASE_AUTO_FREE char *web = explained_token(&l, token, "web-1");
	BASE_AUTO_FREE char *db = explained_token(&l, token, "db-1");

	has(web, "\"allowAgain\":\"2026-01-01T01:00:00Z\"");
	has(web, "\"caveat\":\"tags\",\"holds\":true,\"text\":\"tags all web\"");
	has(db, "\"caveat\":\"tags\",\"text\":\"tags all web: the unit does not have all of the tags\"");
	has(db, "\"allowAgain\":null");
}

/* --- what is over --- */

Test(ended, a_revoked_link_and_since_when)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB);
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	BASE_AUTO_FREE char *holder = NULL, *again = NULL, *operator= NULL;
	char cti[33], part[160];

	cti_of(token, cti);
	cr_assert_eq(open_as(&l, token, NULL, &session), 0);
	hn_os_sim_advance(l.os, 90 * OS_SECOND);
	revoke(&l, "cti", cti);
	holder = explained(&l, session, "unit.read", "web-1");
	has(holder, "\"allowed\":false,\"code\":\"HN_EDENIED\",\"why\":\"revoked\"");
	(void)snprintf(part, sizeof(part),
		"\"lost\":true,\"ended\":{\"by\":\"token\",\"link\":0,\"cti\":\"%s\","
		"\"since\":\"2026-01-01T00:01:30Z\"},",
		cti);
	has(holder, part);
	has(holder, "the unit's tags are not known"); /* it is hidden from him now */
	has_not(holder, "laptop");
	again = explained(&l, session, "unit.read", "web-1");
	cr_expect_str_eq(again, holder);
	operator= explained_token(&l, token, "web-1");
	has(operator, "\"by\":\"token\",\"link\":0");
	has(operator, "\"since\":\"2026-01-01T00:01:30Z\",\"record\":");
	has(operator, "\"reason\":\"the laptop is lost\"}");
}

/* It is void since the first time, whatever came after. */
Test(ended, a_revoked_subject)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB);
	BASE_AUTO_FREE char *json = NULL;

	hn_os_sim_advance(l.os, 60 * OS_SECOND);
	revoke(&l, "subject", "alice");
	hn_os_sim_advance(l.os, 60 * OS_SECOND);
	revoke(&l, "subject", "alice");
	json = explained_token(&l, token, "web-1");
	has(json, "\"why\":\"all that the subject was given until then is revoked\"");
	has(json, "\"ended\":{\"by\":\"subject\",\"since\":\"2026-01-01T00:01:00Z\",\"record\":");
	has(json, "\"reason\":\"the laptop is lost\"}");
}

Test(ended, a_revoked_issuer)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ_WEB);
	BASE_AUTO_FREE char *json = NULL;
	char kid[17];

	codec_hex(session->holder->token->kid, 8, kid);
	revoke(&l, "issuer", kid);
	json = explained(&l, session, "unit.read", "web-1");
	has(json, "\"ended\":{\"by\":\"issuer\",\"since\":\"2026-01-01T00:00:");
	has(json, "\"lost\":true");
}

Test(ended, by_its_time)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ_WEB);
	BASE_AUTO_FREE char *json = NULL;

	hn_os_sim_advance(l.os, 2 * 3600 * OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
	json = explained(&l, session, "unit.read", "web-1");
	has(json, "\"rule\":{\"link\":0,\"text\":\"link 0: expired\"}");
	has(json, "\"ended\":{\"by\":\"expiry\",\"link\":0,\"cti\":\"");
	has(json, "\"since\":\"2026-01-01T01:00:");
}

/* A bundle without the issuer that signed it: outside there is one text, for the operator why. */
Test(ended, with_its_trust_bundle)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB);
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	BASE_AUTO_FREE char *json = NULL, *other = NULL;

	trust_version(&l, 2, 1);
	json = explained_token(&l, token, "web-1");
	has(json, "\"allowed\":true");
	hn_os_sim_advance(l.os, 60 * OS_SECOND);
	trust_version(&l, 3, 2);
	hn_os_sim_advance(l.os, 60 * OS_SECOND);
	trust_version(&l, 4, 2);
	cr_expect_eq(open_as(&l, token, NULL, &session), HN_ETOKEN);
	other = explained_token(&l, token, "web-1");
	has(other, "\"allowed\":false,\"code\":\"HN_ETOKEN\"");
	has(other, "\"rule\":{\"text\":\"its issuer is not trusted, or its epoch is over\"}");
	has(other, "\"lost\":true,\"ended\":{\"by\":\"trust\",\"since\":\"2026-01-01T00:01:0");
	has(other, "\"checks\":[]");
}

Test(ended, a_lost_session_names_its_token)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB);
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_error *why = NULL;
	char cti[33], *json = NULL;

	cti_of(token, cti);
	cr_assert_eq(open_as(&l, token, NULL, &session), 0);
	revoke(&l, "cti", cti);
	cr_expect_eq(hn_session_live(session, &why), HN_ESESSION);
	has(hn_error_message(why), cti);
	has(hn_error_message(why), "revoked");
	has(hn_error_hint(why), "ask for a new token");
	hn_error_unref(why);
	/* one that was cut says nothing of its token */
	session = hn_session_unref(session);
	session = opened(&l, READ_WEB);
	char id[17];
	codec_hex(session->id, sizeof(session->id), id);
	cr_assert_eq(hn_session_cut(l.session, id, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, OS_SECOND);
	cr_expect_eq(hn_session_explain(session, "unit.read", "unit/*", &json, lab_err(&l)),
		HN_ESESSION);
	cr_expect_null(json);
}

/* --- who may ask about the token of somebody else --- */

Test(asking, needs_the_right_to_read_what_was_issued)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB);
	BASE_AUTO_OF(hn_session) hn_session *holder = opened(&l, READ_WEB);
	BASE_AUTO_OF(hn_session)
	hn_session *reader = opened(&l,
		"{\"for\":\"cy\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"cap.read\"],\"on\":\"node/*\"}]}");
	BASE_AUTO_FREE char *json = NULL;
	char object[BASE_OBJECT_SIZE], cti[33], *none = NULL;

	object_of(&l, "web-1", object);
	cti_of(token, cti);
	cr_expect_eq(hn_session_explain_token(holder, token, "unit.read", object, &none, NULL),
		HN_EDENIED);
	revoke(&l, "cti", cti);
	cr_assert_eq(
		hn_session_explain_token(reader, token, "unit.read", object, &json, lab_err(&l)), 0,
		"%s", lab_why(&l));
	has(json, "\"ended\":{\"by\":\"token\"");
	has_not(json, "laptop"); /* without audit.read */
	has_not(json, "\"record\"");
	has(json, "the unit's tags are not known"); /* nor does he see the unit */
	cr_expect_eq(hn_session_explain_token(
			     l.session, "hvc1.x", "unit.read", object, &none, lab_err(&l)),
		HN_ETOKEN);
	cr_expect_eq(
		hn_session_explain_token(l.session, token, "unit.fly", object, &none, lab_err(&l)),
		HN_EINVAL);
	cr_expect_eq(
		hn_session_explain_token(l.session, NULL, "unit.read", object, &none, lab_err(&l)),
		HN_EINVAL);
	cr_expect_null(none);
}

/* By a right with these grants and terms; the classes that the answer is said to lack. */
static char *explained_to(lab *l, const char *token, const char *terms, uint32_t *redacted)
{
	BASE_AUTO_OF(hn_session) hn_session *asker = opened(l, terms);
	char object[BASE_OBJECT_SIZE], *json = NULL;

	object_of(l, "web-1", object);
	cr_assert_eq(hn_session_explain_token(asker, token, "unit.read", object, &json, lab_err(l)),
		0, "%s", lab_why(l));
	*redacted = hn_session_redacted(asker);
	return json;
}

#define ASKS "{\"for\":\"cy\",\"ttl\":\"1h\",\"grants\":["
#define ASK "{\"verbs\":[\"cap.read\",\"audit.read\"],\"on\":\"node/*\"}"

/* What the asker's right leaves out counts, whatever of it: the answer is made of more than the
 * verb that it is asked by. */
Test(asking, leaves_out_what_the_right_of_the_asker_does)
{
	static const char sees[] = ASKS ASK ",{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}";
	static const char unit[] = ASKS ASK ",{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\","
					    "\"redact\":[\"tags\"]}]}";
	static const char all[] = ASKS ASK ",{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}],"
					   "\"redact\":[\"tags\",\"usage\"]}";
	static const struct {
		const char *terms;
		uint32_t classes;
	} cases[] = {{sees, 0}, {unit, HN_REDACT_TAGS}, {all, HN_REDACT_TAGS | HN_REDACT_USAGE}};
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB);

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		uint32_t redacted = 0;
		BASE_AUTO_FREE char *json = explained_to(&l, token, cases[i].terms, &redacted);
		bool shows = strstr(json, "\"caveat\":\"tags\",\"holds\":true") != NULL;

		cr_expect_eq(shows, cases[i].classes == 0, "case %zu: %s", i, json);
		cr_expect_eq(redacted, cases[i].classes, "case %zu: %u", i, redacted);
	}
}

/* Who may read the log but not the texts in it. */
Test(asking, leaves_out_the_reason_of_a_revocation)
{
	static const char sees[] = ASKS ASK "]}";
	static const char masked[] = ASKS ASK "],\"redact\":[\"persons\"]}";
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB), *told = NULL, *less = NULL;
	uint32_t redacted = 0;
	char cti[33];

	cti_of(token, cti);
	revoke(&l, "cti", cti);
	told = explained_to(&l, token, sees, &redacted);
	has(told, "laptop");
	cr_expect_eq(redacted, 0);
	less = explained_to(&l, token, masked, &redacted);
	has(less, "\"record\"");
	has_not(less, "laptop");
	cr_expect_eq(redacted, HN_REDACT_PERSONS);
}

/* What is over by now is ended in the name of who acts, not of who is asked about. */
Test(asking, ends_nothing_in_the_name_of_another)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB), *json = NULL;

	cr_assert_eq(
		hn_unit_force(l.session, "web-1", "memory.size", "256Mi", OS_SECOND, lab_err(&l)),
		0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 5 * OS_SECOND);
	json = explained_token(&l, token, "web-1");
	has(json, "\"allowed\":true");
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM history WHERE who LIKE 'cap/%'"), 0);
}

/* It is in no list, and leaves nothing behind. */
Test(asking, opens_no_session)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB);
	uint64_t records = lab_number(&l, "SELECT count(*) FROM audit");
	BASE_AUTO_FREE char *json = explained_token(&l, token, "web-1");

	has(json, "\"allowed\":true");
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_session"), 0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), records);
}
