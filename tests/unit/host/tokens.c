/* SPDX-License-Identifier: MIT
 *
 * Sessions of token holders on a host: issued here, opened, decided, counted, revoked, cut, and
 * ended by time; what a holder may not see looks missing.
 */
#include "host/rights.h"
#include "sim/lab.h"

#define T0 INT64_C(1767225600)
#define FLEET                                                                                      \
	"{\"hypernix\":1,\"tags\":{\"web\":{},\"db\":{}},\"units\":{"                              \
	"\"web-1\":{\"tags\":[\"web\"]},\"web-2\":{\"tags\":[\"web\"]},"                           \
	"\"db-1\":{\"tags\":[\"db\"]}}}"

static const uint8_t root_seed[32] = {1}, holder_seed[32] = {2};

static void holder_public(char hex[65])
{
	uint8_t key[32];

	crypto_ed25519_public(holder_seed, key);
	codec_hex(key, sizeof(key), hex);
}

/* A bundle of one root and this host's own issuer key; the ceiling is all units. */
static void trust(lab *l, uint64_t version)
{
	static const char *const all = "**";
	BASE_AUTO_BUF base_buf payload = {0}, bytes = {0};
	caps_issuer issuer = {.epoch = 1,
		.not_before = T0 - 60,
		.sign_until = T0 + 20 * 86400,
		.max_ttl = 30 * 86400,
		.ceiling_count = 1};
	caps_bundle bundle = {.version = version,
		.cluster = {(const uint8_t *)"lab", 3},
		.made = T0,
		.threshold = 1,
		.root_count = 1,
		.issuers = &issuer,
		.issuer_count = 1};
	crypto_signer *signer = NULL;
	crypto_signer_status status;

	cr_assert_eq(host_signer(l->host, &signer, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(signer->ops->status(signer, &status, lab_err(l)), 0, "%s", lab_why(l));
	memcpy(issuer.key, status.key[CRYPTO_ROLE_ISSUER].public_key, sizeof(issuer.key));
	issuer.ceiling[0].pattern = (caps_view){(const uint8_t *)all, strlen(all)};
	memset(issuer.ceiling[0].mask.bytes, 0xff, 8);
	issuer.ceiling[0].mask.bytes[7] = 0x3f;
	crypto_ed25519_public(root_seed, bundle.roots[0]);
	cr_assert_eq(caps_bundle_write(&bundle, &payload, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(caps_bundle_sign((const uint8_t *)payload.data, payload.size, root_seed,
			     &bytes, lab_err(l)),
		0, "%s", lab_why(l));
	cr_assert_eq(hn_trust_update(l->session, bytes.data, bytes.size, lab_err(l)), 0, "%s",
		lab_why(l));
}

static lab new_lab(void)
{
	lab l = lab_new();

	cr_assert_eq(lab_apply(&l, FLEET), 0, "%s", lab_why(&l));
	trust(&l, 1);
	return l;
}

/* The token of `terms` for the holder's key, as the holder keeps it. */
static char *issue(lab *l, const char *terms)
{
	char hex[65], *token = NULL;

	holder_public(hex);
	cr_assert_eq(hn_cap_issue(l->session, terms, hex, &token, lab_err(l)), 0, "%s: %s", terms,
		lab_why(l));
	return token;
}

/* What the holder's program does: asks for a challenge, and proves that it has the key. */
static int open_as(lab *l, const char *token, const char *reason, hn_session **session)
{
	BASE_AUTO_OF(caps_token) caps_token *read = NULL, *proven = NULL;
	BASE_AUTO_FREE char *nonce = NULL, *text = NULL;
	hn_session_options options = HN_SESSION_OPTIONS_INIT;
	caps_use use = {.verb = 65535, .object = "-"};

	options.reason = reason;
	cr_assert_eq(caps_token_read_text(token, strlen(token), &read, NULL, lab_err(l)), 0);
	cr_assert_eq(hn_session_challenge(l->host, &nonce, lab_err(l)), 0);
	cr_assert(codec_hex_decode(nonce, 32, use.nonce));
	use.issued = os_now(l->os) / OS_SECOND;
	cr_assert_eq(caps_token_prove(read, holder_seed, &use, &proven, lab_err(l)), 0);
	cr_assert_eq(caps_token_text(proven, &text, lab_err(l)), 0);
	return hn_session_open(l->host, text, &options, session, lab_err(l));
}

static hn_session *opened(lab *l, const char *terms)
{
	BASE_AUTO_FREE char *token = issue(l, terms);
	hn_session *session = NULL;

	cr_assert_eq(open_as(l, token, NULL, &session), 0, "%s", lab_why(l));
	return session;
}

static int check(lab *l, hn_session *session, const char *verb, const char *unit)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	char object[BASE_OBJECT_SIZE];

	cr_assert_eq(hn_unit_find(l->session, unit, false, &found, lab_err(l)), 0);
	return hn_session_check(
		session, verb, host_object_unit(object, hn_unit_uuid(found)), lab_err(l));
}

#define READ_WEB                                                                                   \
	"{\"for\":\"alice\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.start\"]," \
	"\"on\":\"unit/*\"}],\"tags\":{\"all\":[\"web\"]}}"

Test(token, opens_and_is_held_to_its_tags)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ_WEB);

	cr_expect_eq(check(&l, session, "unit.read", "web-1"), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.start", "web-2"), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.stop", "web-1"), HN_EDENIED);
	cr_expect_eq(check(&l, session, "unit.read", "db-1"), HN_EDENIED);
}

Test(token, a_list_leaves_out_what_is_not_allowed)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ_WEB);
	BASE_AUTO_OF(hn_units) hn_units *units = NULL;
	hn_unit *found = NULL;

	cr_assert_eq(
		hn_units_list(session, NULL, false, &units, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_units_count(units), 2);
	cr_expect_str_eq(hn_unit_name(hn_units_at(units, 0)), "web-1");
	cr_expect_eq(hn_unit_find(session, "db-1", false, &found, lab_err(&l)), HN_ENOENT);
	cr_expect_str_eq(lab_why(&l), "there is no unit \"db-1\"");
	cr_expect_null(hn_error_hint(l.err));
	cr_expect_eq(hn_unit_find(session, "db-9", false, &found, lab_err(&l)), HN_ENOENT);
	cr_expect_null(hn_error_hint(l.err));
}

Test(negative, g20_a_nonce_is_good_once)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB), *nonce = NULL, *text = NULL;
	BASE_AUTO_OF(caps_token) caps_token *read = NULL, *proven = NULL;
	caps_use use = {.verb = 65535, .object = "-", .issued = os_now(l.os) / OS_SECOND};
	hn_session *session = NULL, *again = NULL;

	cr_assert_eq(caps_token_read_text(token, strlen(token), &read, NULL, NULL), 0);
	cr_assert_eq(hn_session_challenge(l.host, &nonce, NULL), 0);
	cr_assert(codec_hex_decode(nonce, 32, use.nonce));
	cr_assert_eq(caps_token_prove(read, holder_seed, &use, &proven, NULL), 0);
	cr_assert_eq(caps_token_text(proven, &text, NULL), 0);
	cr_assert_eq(
		hn_session_open(l.host, text, NULL, &session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_session_open(l.host, text, NULL, &again, lab_err(&l)), HN_ETOKEN);
	hn_session_unref(session);
}

/* More of them than the host keeps in mind: no place is lost to one whose proof does not hold. */
Test(negative, g20_a_stranger_uses_up_no_nonces)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB);
	BASE_AUTO_OF(caps_token) caps_token *read = NULL;
	BASE_AUTO_OF(hn_session) hn_session *good = NULL;

	cr_assert_eq(caps_token_read_text(token, strlen(token), &read, NULL, NULL), 0);
	for (int i = 0; i < HOST_NONCES + 44; i++) {
		BASE_AUTO_FREE char *nonce = NULL, *text = NULL;
		BASE_AUTO_OF(caps_token) caps_token *proven = NULL;
		caps_use use = {.verb = 65535, .object = "-", .issued = os_now(l.os) / OS_SECOND};
		hn_session *session = NULL;
		char *last;

		cr_assert_eq(hn_session_challenge(l.host, &nonce, NULL), 0);
		cr_assert(codec_hex_decode(nonce, 32, use.nonce));
		cr_assert_eq(caps_token_prove(read, holder_seed, &use, &proven, NULL), 0);
		cr_assert_eq(caps_token_text(proven, &text, NULL), 0);
		last = text + strlen(text) - 20; /* in the signature of the proof */
		*last = *last == 'A' ? 'B' : 'A';
		cr_assert_eq(hn_session_open(l.host, text, NULL, &session, lab_err(&l)), HN_ETOKEN);
	}
	cr_expect_eq(open_as(&l, token, NULL, &good), 0, "%s", lab_why(&l));
}

Test(negative, g20_a_nonce_ends_after_half_a_minute)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB), *nonce = NULL, *text = NULL;
	BASE_AUTO_OF(caps_token) caps_token *read = NULL, *proven = NULL;
	caps_use use = {.verb = 65535, .object = "-", .issued = os_now(l.os) / OS_SECOND};
	hn_session *session = NULL;

	cr_assert_eq(caps_token_read_text(token, strlen(token), &read, NULL, NULL), 0);
	cr_assert_eq(hn_session_challenge(l.host, &nonce, NULL), 0);
	cr_assert(codec_hex_decode(nonce, 32, use.nonce));
	cr_assert_eq(caps_token_prove(read, holder_seed, &use, &proven, NULL), 0);
	cr_assert_eq(caps_token_text(proven, &text, NULL), 0);
	hn_os_sim_advance(l.os, 31 * OS_SECOND);
	cr_expect_eq(hn_session_open(l.host, text, NULL, &session, lab_err(&l)), HN_ETOKEN);
}

Test(negative, a_token_without_proof_opens_nothing)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB);
	hn_session *session = NULL;

	cr_expect_eq(hn_session_open(l.host, token, NULL, &session, lab_err(&l)), HN_ETOKEN);
	cr_expect_str_eq(hn_error_message(l.err), "the capability token is not accepted");
	cr_expect_eq(hn_session_open(l.host, "hvc1.", NULL, &session, lab_err(&l)), HN_ETOKEN);
	cr_expect_str_eq(hn_error_message(l.err), "the capability token is not accepted");
}

static void note_loss(void *arg, const char *why)
{
	(void)snprintf(arg, 32, "%s", why);
}

Test(negative, g69_a_revoked_link_ends_the_session_within_a_second)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ_WEB);
	char cti[33], why[32] = "";

	codec_hex(session->holder->token->links[0].cti.bytes, 16, cti);
	cr_assert_eq(hn_session_on_loss(session, note_loss, why, NULL), 0);
	cr_assert_eq(hn_session_live(session, lab_err(&l)), 0);
	cr_assert_eq(hn_cap_revoke(l.session, "cti", cti, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, OS_SECOND / 4);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
	cr_expect_str_eq(why, "revoked");
	cr_expect_eq(check(&l, session, "unit.read", "web-1"), HN_ESESSION);
}

Test(revocation, of_a_subject_or_an_issuer_too)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *one = opened(&l, READ_WEB), *other = NULL;
	char kid[17];

	cr_assert_eq(hn_cap_revoke(l.session, "subject", "alice", lab_err(&l)), 0);
	hn_os_sim_advance(l.os, OS_SECOND);
	cr_expect_eq(hn_session_live(one, NULL), HN_ESESSION);
	/* a new token of that name is of the new epoch */
	other = opened(&l, READ_WEB);
	cr_expect_eq(hn_session_live(other, lab_err(&l)), 0, "%s", lab_why(&l));
	codec_hex(other->holder->token->kid, 8, kid);
	cr_assert_eq(hn_cap_revoke(l.session, "issuer", kid, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, OS_SECOND);
	cr_expect_eq(hn_session_live(other, NULL), HN_ESESSION);
}

Test(revocation, is_known_after_a_restart)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB);
	BASE_AUTO_OF(caps_token) caps_token *read = NULL;
	hn_session *session = NULL;
	char cti[33];

	cr_assert_eq(caps_token_read_text(token, strlen(token), &read, NULL, NULL), 0);
	codec_hex(read->links[0].cti.bytes, 16, cti);
	cr_assert_eq(hn_cap_revoke(l.session, "cti", cti, lab_err(&l)), 0);
	lab_reopen(&l);
	cr_assert_eq(open_as(&l, token, NULL, &session), 0, "a revoked token is well-formed");
	cr_expect_eq(hn_session_live(session, NULL), HN_ESESSION);
	hn_session_unref(session);
}

Test(token, ends_with_its_time)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ_WEB);
	char why[32] = "";

	cr_assert_eq(hn_session_on_loss(session, note_loss, why, NULL), 0);
	hn_os_sim_advance(l.os, 3598 * OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 2 * OS_SECOND);
	cr_expect_eq(hn_session_live(session, NULL), HN_ESESSION);
	cr_expect_str_eq(why, "expired");
}

Test(session, is_listed_and_can_be_cut)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ_WEB);
	BASE_AUTO_FREE char *list = NULL, *after = NULL;
	char id[17];

	codec_hex(session->id, 8, id);
	cr_assert_eq(hn_session_list(l.session, &list, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_not_null(strstr(list, id), "%s", list);
	cr_expect_not_null(strstr(list, "\"cap/alice\""), "%s", list);
	cr_assert_eq(hn_session_cut(l.session, id, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, OS_SECOND / 4);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
	cr_expect_not_null(strstr(lab_why(&l), "cut"));
	cr_assert_eq(hn_session_list(l.session, &after, lab_err(&l)), 0);
	cr_expect_str_eq(after, "[]");
	cr_expect_eq(hn_session_cut(l.session, id, lab_err(&l)), HN_ENOENT);
	cr_expect_eq(hn_session_cut(l.session, "nonsense", lab_err(&l)), HN_EINVAL);
}

Test(token, a_quota_is_counted_with_the_effect)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.start\",\"unit.stop\"],"
		"\"on\":\"unit/*\"}],\"quota\":{\"uses\":2}}");

	cr_assert_geq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_geq(
		hn_unit_stop(session, "web-1", NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(
		hn_unit_start(session, "web-2", NULL, lab_err(&l)), HN_EQUOTA, "%s", lab_why(&l));
	cr_expect_eq(check(&l, l.session, "unit.start", "web-2"), 0);
}

Test(token, a_rate_lets_through_again_later)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.start\"],\"on\":\"unit/*\"}],"
		"\"rate\":{\"count\":1,\"per\":\"10s\",\"burst\":0}}");

	cr_assert_geq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_start(session, "web-2", NULL, lab_err(&l)), HN_ERATE);
	hn_os_sim_advance(l.os, 10 * OS_SECOND);
	cr_expect_geq(hn_unit_start(session, "web-2", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(token, what_a_start_holds_is_given_back_by_the_stop)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.*\"],\"on\":\"unit/*\"}],"
		"\"quota\":{\"vcpus\":1}}");

	cr_assert_geq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_start(session, "web-2", NULL, lab_err(&l)), HN_EQUOTA);
	cr_assert_geq(
		hn_unit_stop(l.session, "web-1", NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_geq(hn_unit_start(session, "web-2", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(token, bounds_are_on_the_value_that_comes_out)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.*\"],\"on\":\"unit/*\"}],"
		"\"bounds\":{\"memory.size\":{\"max\":\"2Gi\"}}}");

	cr_assert_eq(hn_unit_define(l.session, "api-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_set(session, "api-1", "memory.size", "1Gi", lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_expect_eq(hn_unit_set(session, "api-1", "memory.size", "3Gi", lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_unit_set(l.session, "api-1", "memory.size", "3Gi", lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.start", "api-1"), HN_EDENIED);
}

static int count_event(void *arg, const hn_event *event)
{
	(void)event;
	++*(int *)arg;
	return 0;
}

Test(token, events_of_others_are_not_told)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\","
		"\"tags\":{\"all\":[\"db\"]}},{\"verbs\":[\"event.read\"],\"on\":\"node/*\"}]}");
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	int all = 0, seen = 0;

	options.subject = "unit/*";
	cr_assert_geq(hn_events_read(l.session, &options, count_event, &all, lab_err(&l)), 0);
	cr_assert_geq(hn_events_read(session, &options, count_event, &seen, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_expect_gt(seen, 0);
	cr_expect_eq(seen * 3, all, "%d of %d", seen, all);
}

Test(negative, g56_a_unit_made_anew_under_its_name)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_unit) hn_unit *before = NULL;
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	char terms[256];

	cr_assert_eq(hn_unit_find(l.session, "db-1", false, &before, lab_err(&l)), 0);
	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],"
		"\"on\":\"unit/%s\"}]}",
		hn_unit_uuid(before));
	session = opened(&l, terms);
	cr_assert_eq(check(&l, session, "unit.read", "db-1"), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_apply(&l, "{\"hypernix\":1,\"units\":{}}"), 0, "%s", lab_why(&l));
	cr_assert_geq(hn_unit_remove(l.session, "db-1", HN_DISKS_KEEP, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_assert_eq(lab_apply(&l, FLEET), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.read", "db-1"), HN_EDENIED);
}

Test(negative, g57_a_tag_that_the_holder_sets_to_reach_further)
{
	static const char *const add[] = {"web"};
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"eve\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.*\"],\"on\":\"unit/*\","
		"\"tags\":{\"all\":[\"web\"]}},{\"verbs\":[\"tag.apply\"],\"on\":\"tag/default/db\"}]}");

	cr_expect_eq(check(&l, session, "unit.start", "db-1"), HN_EDENIED);
	cr_expect_lt(hn_unit_tag(session, "db-1", add, 1, NULL, 0, lab_err(&l)), 0);
	cr_expect_eq(check(&l, session, "unit.start", "db-1"), HN_EDENIED);
}

Test(negative, g67_a_clock_that_was_set_back)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ_WEB);
	BASE_AUTO_FREE char *token = issue(&l, READ_WEB);
	hn_session *other = NULL;

	hn_os_sim_step(l.os, -86400 * OS_SECOND);
	hn_os_sim_advance(l.os, OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
	cr_expect_not_null(strstr(lab_why(&l), "clock"));
	cr_expect_eq(open_as(&l, token, NULL, &other), HN_ECLOCK);
	/* an operator goes on */
	cr_expect_eq(check(&l, l.session, "unit.start", "web-1"), 0);
	/* and a clock that went right again stays suspect until somebody accepts it */
	hn_os_sim_step(l.os, 86400 * OS_SECOND);
	hn_os_sim_advance(l.os, OS_SECOND);
	cr_expect_eq(open_as(&l, token, NULL, &other), HN_ECLOCK);
}

Test(operator, can_be_turned_off_where_somebody_else_can_act)
{
	LAB l = lab_new();
	hn_session *again = NULL;
	bool allowed = false;

	cr_expect_eq(hn_session_local_allow(l.session, false, lab_err(&l)), HN_EBUNDLE);
	trust(&l, 1);
	cr_assert_eq(hn_session_local_allowed(l.session, &allowed, lab_err(&l)), 0);
	cr_expect(allowed);
	cr_expect_eq(hn_session_local_allowed(l.session, NULL, lab_err(&l)), HN_EINVAL);
	cr_assert_eq(hn_session_local_allow(l.session, false, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_session_open_local(l.host, NULL, &again, lab_err(&l)), HN_EDENIED);
	cr_expect_not_null(strstr(lab_why(&l), "turned off"));
}

Test(trust, only_rises_and_needs_the_roots)
{
	LAB l = new_lab();
	BASE_AUTO_FREE uint8_t *bytes = NULL;
	size_t size = 0;

	cr_assert_eq(hn_trust_current(l.session, &bytes, &size, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_trust_update(l.session, bytes, size, lab_err(&l)), HN_EBUNDLE);
	bytes[size / 2] ^= 1;
	cr_expect_eq(hn_trust_update(l.session, bytes, size, lab_err(&l)), HN_EBUNDLE);
	cr_expect_eq(hn_trust_update(l.session, "x", 1, lab_err(&l)), HN_EBUNDLE);
	trust(&l, 2);
}

Test(issue, stays_below_the_ceiling_and_says_what_is_wrong)
{
	LAB l = new_lab();
	char hex[65], *token = NULL;

	holder_public(hex);
	cr_expect_eq(hn_cap_issue(l.session, "{\"for\":1}", hex, &token, lab_err(&l)), HN_ESCHEMA);
	cr_expect_eq(hn_cap_issue(l.session, "{", hex, &token, lab_err(&l)), HN_ESYNTAX);
	cr_expect_eq(hn_cap_issue(l.session, READ_WEB, "00", &token, lab_err(&l)), HN_EKEY);
	cr_expect_lt(
		hn_cap_issue(l.session,
			"{\"for\":\"a\",\"ttl\":\"31d\",\"grants\":[{\"verbs\":[\"unit.read\"],"
			"\"on\":\"unit/*\"}]}",
			hex, &token, lab_err(&l)),
		0);
	cr_expect_null(token);
}

Test(explain, tells_rule_and_time)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ_WEB);
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	BASE_AUTO_FREE char *json = NULL, *local = NULL;
	char object[BASE_OBJECT_SIZE];

	cr_assert_eq(hn_unit_find(l.session, "db-1", false, &unit, NULL), 0);
	(void)host_object_unit(object, hn_unit_uuid(unit));
	cr_assert_eq(hn_session_explain(session, "unit.read", object, &json, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_expect_not_null(strstr(json, "\"allowed\":false"), "%s", json);
	cr_expect_not_null(strstr(json, "tags"), "%s", json);
	cr_assert_eq(hn_session_explain(l.session, "unit.read", object, &local, lab_err(&l)), 0);
	cr_expect_not_null(strstr(local, "\"allowed\":true"), "%s", local);
}

/* A plan looks at all units: who may read only some of them cannot make one. */
Test(token, a_whole_fleet_needs_a_grant_that_covers_it)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *one = opened(&l, READ_WEB);
	BASE_AUTO_OF(hn_session)
	hn_session *all = opened(&l,
		"{\"for\":\"al\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/**\"}]}");
	hn_plan_options options = lab_options();
	hn_plan *plan = NULL;

	cr_expect_eq(hn_plan_make(one, &options, &plan, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(hn_plan_make(all, &options, &plan, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_plan_unref(plan);
}

/* unit.update, and tag.apply on two objects: two verbs, so two uses. */
Test(token, one_verb_is_one_use_also_on_two_objects)
{
	static const char *const add[] = {"db"};
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.update\"],\"on\":\"unit/*\"},"
		"{\"verbs\":[\"tag.apply\"],\"on\":\"tag/**\"}],\"quota\":{\"uses\":2}}");

	cr_expect_eq(
		hn_unit_tag(session, "web-1", add, 1, NULL, 0, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_tag(session, "web-2", add, 1, NULL, 0, lab_err(&l)), HN_EQUOTA);
}

/* --- what a hostile reader found --- */

Test(review, a_tag_that_was_taken_away_counts_no_more)
{
	static const char *const web[] = {"web"};
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ_WEB);

	cr_assert_eq(check(&l, session, "unit.start", "web-1"), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_unit_tag(l.session, "web-1", NULL, 0, web, 1, lab_err(&l)), 0, "%s",
		lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.start", "web-1"), HN_EDENIED);
	cr_assert_eq(
		hn_unit_tag(l.session, "db-1", web, 1, NULL, 0, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(check(&l, session, "unit.start", "db-1"), 0, "%s", lab_why(&l));
}

#define MAKER                                                                                      \
	"{\"for\":\"eve\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.create\","   \
	"\"unit.update\"],\"on\":\"unit/**\"}]}"

Test(review, g57_a_tag_by_way_of_a_definition)
{
	static const char *const web[] = {"web"};
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, MAKER);
	hn_unit_definition definition = {.size = sizeof(definition), .tags = web, .tag_count = 1};

	cr_expect_eq(hn_unit_define(session, "api-1", &definition, lab_err(&l)), HN_EDENIED);
	definition.tag_count = 0;
	cr_expect_eq(
		hn_unit_define(session, "api-1", &definition, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(review, g57_a_tag_by_way_of_a_declaration)
{
	LAB l = new_lab();
	hn_session *local = l.session;

	l.session = opened(&l, MAKER);
	cr_expect_eq(lab_apply(&l, "{\"hypernix\":1,\"tags\":{\"web\":{},\"db\":{}},\"units\":{"
				   "\"db-1\":{\"tags\":[\"web\"]}}}"),
		HN_EDENIED);
	l.plan = hn_plan_unref(l.plan);
	hn_session_unref(l.session);
	l.session = local;
}

Test(review, a_name_that_is_the_uuid_of_another)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_unit) hn_unit *victim = NULL;
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ_WEB);
	char name[16], fleet[256];

	/* some uuid of sixteen begins with a letter, and is the name of a unit then */
	for (int i = 0; i < 64; i++) {
		(void)snprintf(name, sizeof(name), "api-%d", i);
		cr_assert_eq(
			hn_unit_define(l.session, name, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
		victim = hn_unit_unref(victim);
		cr_assert_eq(hn_unit_find(l.session, name, false, &victim, lab_err(&l)), 0);
		if (hn_unit_uuid(victim)[0] >= 'a')
			break;
	}
	cr_assert_geq(hn_unit_uuid(victim)[0], 'a');
	(void)snprintf(fleet, sizeof(fleet),
		"{\"hypernix\":1,\"tags\":{\"web\":{}},\"units\":{\"%s\":{\"tags\":[\"web\"]}}}",
		hn_unit_uuid(victim));
	cr_assert_eq(lab_apply(&l, fleet), 0, "%s", lab_why(&l));
	cr_expect_eq(
		check(&l, session, "unit.start", name), HN_EDENIED, "%s %s", name, lab_why(&l));
}

Test(review, a_bound_holds_for_the_verb_that_carries_it)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.update\"],"
		"\"on\":\"unit/*\"},{\"verbs\":[\"force.set\",\"unit.create\"],\"on\":\"unit/*\","
		"\"bounds\":{\"memory.size\":{\"max\":\"2Gi\"}}}]}");
	BASE_AUTO_FREE char *token = NULL;
	hn_session *why = NULL;

	cr_expect_eq(hn_unit_define(session, "api-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	token = issue(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"force.set\"],"
		"\"on\":\"unit/*\",\"bounds\":{\"memory.size\":{\"max\":\"2Gi\"}}}]}");
	cr_assert_eq(open_as(&l, token, "INC-1", &why), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_force(why, "web-1", "memory.size", "1Gi", 60 * OS_SECOND, lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_expect_eq(hn_unit_force(why, "web-1", "memory.size", "8Gi", 60 * OS_SECOND, lab_err(&l)),
		HN_EDENIED);
	hn_session_unref(why);
}

Test(review, a_quorum_is_asked_of_tokens_too)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session)
	hn_session *session = opened(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"audit.*\"],\"on\":\"**\"}]}");

	cr_expect_lt(hn_session_check(session, "audit.prune", "node/lab", lab_err(&l)), 0);
}

Test(review, a_trust_bundle_that_nobody_put_on_record)
{
	LAB l = new_lab();
	host_rights *rights = NULL;

	cr_assert_eq(state_exec(l.host->store,
			     "INSERT INTO trust_bundle(version, body, audit) SELECT 99,"
			     " CAST(body || x'00' AS BLOB), audit FROM trust_bundle",
			     lab_err(&l)),
		0, "%s", lab_why(&l));
	lab_reopen(&l);
	cr_expect_eq(host_rights_get(l.host, &rights, lab_err(&l)), HN_ECORRUPT);
	cr_expect_not_null(strstr(lab_why(&l), "audit log"));
}
