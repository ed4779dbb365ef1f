/* SPDX-License-Identifier: MIT
 *
 * Rights at their edges: what needs two of them, and sessions that end by the last of their links.
 */
#include "trust-lab.h"

static lab new_lab(void)
{
	lab l = lab_new();

	trusted_fleet(&l);
	return l;
}

/* Whoever may hang the tag on something may not, for that, hang it on anything. */
Test(rights_edge, a_second_object_is_asked_for_too)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *tags = opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":["
				      "\"tag.apply\"],\"on\":\"tag/**\"}]}");
	BASE_AUTO_OF(hn_session)
	hn_session *both = opened(&l, "{\"for\":\"eve\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":["
				      "\"tag.apply\"],\"on\":\"tag/**\"},{\"verbs\":["
				      "\"unit.update\"],\"on\":\"unit/*\"}]}");
	host_permit permit = {0};
	char unit[BASE_OBJECT_SIZE];

	object_of(&l, "db-1", unit);
	cr_expect_eq(
		host_admit(tags, HN_VERB_TAG_APPLY, "tag/default/web", unit, &permit, lab_err(&l)),
		HN_EDENIED);
	cr_expect_eq(permit.base.audit, 0);
	cr_expect_eq(
		host_admit(both, HN_VERB_TAG_APPLY, "tag/default/web", unit, &permit, lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_expect_gt(permit.base.audit, 0);
	cr_expect_eq(host_settle(&permit, 0, lab_err(&l)), 0, "%s", lab_why(&l));
}

/* Before a verb with flag S is done, all that went before it is under a checkpoint: whoever takes
 * the host by it cannot take back how. */
Test(rights_edge, the_log_is_sealed_before_a_strong_verb)
{
	LAB l = new_lab();
	uint64_t before;

	cr_assert_eq(lab_define(&l, "late", "memory.size", "1Gi"), 0, "%s", lab_why(&l));
	before = lab_number(&l, "SELECT count(*) FROM audit");
	cr_assert_lt(lab_number(&l, "SELECT max(size) FROM audit_checkpoint"), before);
	cr_assert_eq(hn_cap_revoke(l.session, "subject", "bo", lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_geq(lab_number(&l, "SELECT max(size) FROM audit_checkpoint"), before);
}

/* --- what ends a session --- */

#define READ                                                                                       \
	"{\"for\":\"bo\",\"ttl\":\"%s\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}"

static hn_session *for_a_while(lab *l, const char *ttl)
{
	char terms[256];

	(void)snprintf(terms, sizeof(terms), READ, ttl);
	return opened(l, terms);
}

/* The second of its end is not a second of it: exp is not inclusive (RFC 8392 section 3.1.4). */
Test(rights_edge, a_session_ends_with_the_second_of_its_token)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = for_a_while(&l, "10min");
	int64_t end = caps_token_expires(session->holder->token);

	hn_os_sim_advance(l.os, (end - 1) * OS_SECOND - os_now(l.os));
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, end * OS_SECOND - os_now(l.os));
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
	cr_expect_not_null(strstr(lab_why(&l), "expired"), "%s", lab_why(&l));
}

/* One step of the subject's epoch is enough, and what is issued after it is good. */
Test(rights_edge, one_epoch_of_its_subject_ends_it)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *before = for_a_while(&l, "1h");
	BASE_AUTO_OF(hn_session) hn_session *after = NULL;

	cr_assert_eq(hn_cap_revoke(l.session, "subject", "bo", lab_err(&l)), 0);
	hn_os_sim_advance(l.os, OS_SECOND);
	after = for_a_while(&l, "1h");
	cr_expect_eq(hn_session_live(before, lab_err(&l)), HN_ESESSION);
	cr_expect_eq(hn_session_live(after, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_cap_revoke(l.session, "subject", "bo", lab_err(&l)), 0);
	hn_os_sim_advance(l.os, OS_SECOND);
	cr_expect_eq(hn_session_live(after, lab_err(&l)), HN_ESESSION);
}

static hn_session *opened_bearer(lab *l, const char *token)
{
	hn_session *session = NULL;

	cr_assert_eq(
		hn_session_open(l->host, token, NULL, &session, lab_err(l)), 0, "%s", lab_why(l));
	return session;
}

static void revoke_link(lab *l, const hn_session *session, size_t link)
{
	char cti[2 * CAPS_CTI + 1];

	codec_hex(session->holder->token->links[link].cti.bytes, CAPS_CTI, cti);
	cr_assert_eq(hn_cap_revoke(l->session, "cti", cti, lab_err(l)), 0, "%s", lab_why(l));
	hn_os_sim_advance(l->os, OS_SECOND / 2);
}

static void revoke_him(
	void *arg, uint64_t done, uint64_t total, const char *unit, const char *phase)
{
	lab *l = arg;

	(void)done, (void)total, (void)unit, (void)phase;
	cr_assert_eq(hn_cap_revoke(l->session, "subject", "bo", lab_err(l)), 0, "%s", lab_why(l));
	hn_os_sim_advance(l->os, OS_SECOND);
}

/* A long log is written for minutes: what is there when the right goes stays without a checkpoint.
 */
Test(rights_edge, g69_an_export_ends_with_the_right_to_it)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":["
					 "\"audit.export\"],\"on\":\"node/*\"}]}");
	hn_error *error = NULL;

	cr_assert_eq(hn_audit_export(session, "/state/whole", NULL, NULL, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_expect(os_exists(l.os, "/state/whole/checkpoint"));
	cr_expect_eq(hn_audit_export(session, "/state/part", revoke_him, &l, &error), HN_ESESSION,
		"%s", error ? hn_error_message(error) : "no error");
	cr_expect(os_exists(l.os, "/state/part/tile/0"));
	cr_expect_not(os_exists(l.os, "/state/part/tile/entries"));
	cr_expect_not(os_exists(l.os, "/state/part/checkpoint"));
	hn_error_unref(error);
}

/* A link that is revoked takes all below it along, and nothing above it. */
Test(rights_edge, g69_a_revoked_link_ends_what_was_made_from_it)
{
	static const char terms[] = "{\"for\":\"bo\",\"ttl\":\"10min\",\"bearer\":true,"
				    "\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}";
	static const char less[] = "{\"ttl\":\"5min\",\"bearer\":true}";
	LAB l = new_lab();
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	char *token[3] = {NULL};
	hn_session *session[3];

	options.now = os_now(l.os) / OS_SECOND;
	cr_assert_eq(
		hn_cap_issue(l.session, terms, NULL, &token[0], lab_err(&l)), 0, "%s", lab_why(&l));
	for (int i = 0; i < 2; i++)
		cr_assert_eq(hn_cap_attenuate(
				     token[i], less, NULL, &options, &token[i + 1], lab_err(&l)),
			0, "%s", lab_why(&l));
	for (int i = 0; i < 3; i++)
		session[i] = opened_bearer(&l, token[i]);
	for (size_t link = 3; link-- > 0;) {
		revoke_link(&l, session[2], link);
		for (size_t i = 0; i < 3; i++)
			cr_expect_eq(hn_session_live(session[i], lab_err(&l)),
				i >= link ? HN_ESESSION : 0, "link %zu, session %zu: %s", link, i,
				lab_why(&l));
	}
	for (int i = 0; i < 3; i++) {
		hn_session_unref(session[i]);
		hn_text_free(token[i]);
	}
}

/* --- what is counted --- */

#define STARTS "{\"verbs\":[\"unit.read\",\"unit.start\"],\"on\":\"unit/*\"}"

/* Of a bearer token of this life, each time a narrower one with a quota of its own. */
static hn_session *narrower(lab *l, const char *token, const char *terms)
{
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	BASE_AUTO_FREE char *made = NULL;

	options.now = os_now(l->os) / OS_SECOND;
	cr_assert_eq(hn_cap_attenuate(token, terms, NULL, &options, &made, lab_err(l)), 0, "%s",
		lab_why(l));
	return opened_bearer(l, made);
}

static uint64_t counters(lab *l)
{
	return lab_number(l, "SELECT count(*) FROM cap_counter");
}

static void forget_after(lab *l, int64_t days)
{
	int64_t then = os_now(l->os) / OS_SECOND + days * 86400;
	host_rights *rights = NULL;

	cr_assert_eq(host_rights_get(l->host, &rights, lab_err(l)), 0, "%s", lab_why(l));
	cr_expect_eq(caps_store_is_old(l->host->store, then, lab_err(l)), days > 30);
	cr_assert_geq(caps_store_forget(rights->store, then, lab_err(l)), 0, "%s", lab_why(l));
}

/* Nobody else knows of the links that a holder makes: their counts must not stay for ever. */
Test(rights_edge, counts_of_links_that_holders_made_are_forgotten)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = NULL;

	cr_assert_eq(hn_cap_issue(l.session,
			     "{\"for\":\"bo\",\"ttl\":\"10min\",\"bearer\":true,\"grants\":[" STARTS
			     "]}",
			     NULL, &token, lab_err(&l)),
		0, "%s", lab_why(&l));
	for (int i = 0; i < 3; i++) {
		BASE_AUTO_OF(hn_session)
		hn_session *session = narrower(
			&l, token, "{\"ttl\":\"5min\",\"bearer\":true,\"quota\":{\"uses\":1}}");

		cr_expect_geq(
			hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
		cr_expect_eq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), HN_EQUOTA);
	}
	cr_expect_eq(counters(&l), 3);
	/* as one that was issued elsewhere */
	cr_assert_eq(state_exec(l.host->store, "DELETE FROM cap_issued", lab_err(&l)), 0);
	forget_after(&l, 29);
	cr_expect_eq(counters(&l), 3);
	forget_after(&l, 31);
	cr_expect_eq(counters(&l), 0);
}

/* The number of a link is its maker's to choose: with that of the link above and an early end he
 * would have its counter forgotten while it is still good for something. */
Test(negative, a_link_of_the_same_number_does_not_end_a_counter)
{
	static const char terms[] =
		"{\"for\":\"bo\",\"ttl\":\"10min\",\"bearer\":true,\"quota\":{\"uses\":9},"
		"\"grants\":[" STARTS "]}";
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = NULL;
	BASE_AUTO_OF(hn_session) hn_session *first = NULL, *second = NULL;
	uint64_t end;

	cr_assert_eq(
		hn_cap_issue(l.session, terms, NULL, &token, lab_err(&l)), 0, "%s", lab_why(&l));
	first = opened_bearer(&l, token);
	cr_assert_geq(hn_unit_start(first, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	end = lab_number(&l, "SELECT exp FROM cap_counter");
	cr_expect_eq((int64_t)end, first->holder->token->links[0].expires);
	second = narrower(&l, token, "{\"ttl\":\"1min\",\"bearer\":true,\"quota\":{\"uses\":9}}");
	second->holder->token->links[1].cti = second->holder->token->links[0].cti;
	cr_assert_geq(hn_unit_start(second, "web-2", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(counters(&l), 1);
	cr_expect_eq(lab_number(&l, "SELECT exp FROM cap_counter"), end);
}
