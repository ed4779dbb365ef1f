/* SPDX-License-Identifier: MIT
 *
 * Verbs that take a quorum, by token: two persons have approved the call, it is proved anew, and
 * each of both is good once. And what was approved goes on holding for what is under way.
 */
#include "trust-lab.h"

typedef struct scene {
	lab l;
	hn_session *session;
	char *token;
	int proofs;
} scene;

/* Asked for a proof over a call: gives one. */
static int prove(void *arg, const char *verb, const char *object, const char *request)
{
	scene *s = arg;
	BASE_AUTO_OF(caps_token) caps_token *read = NULL, *proven = NULL;
	BASE_AUTO_FREE char *nonce = NULL, *text = NULL;
	caps_use use = {.object = object};
	hn_verb found;

	s->proofs++;
	cr_assert_eq(host_verb_find(verb, &found, NULL), 0);
	use.verb = found;
	use.issued = os_now(s->l.os) / OS_SECOND;
	cr_assert_eq(caps_token_read_text(s->token, strlen(s->token), &read, NULL, NULL), 0);
	cr_assert_eq(hn_session_challenge(s->l.host, &nonce, NULL), 0);
	cr_assert(codec_hex_decode(nonce, 32, use.nonce));
	cr_assert(codec_hex_decode(request, 64, use.request_hash));
	cr_assert_eq(caps_token_prove(read, seed_of(HOLDER), &use, &proven, NULL), 0);
	cr_assert_eq(caps_token_text(proven, &text, NULL), 0);
	return hn_session_prove(s->session, text, lab_err(&s->l));
}

/* A token for these verbs after so many approvals; 0: none is asked for. */
static void open_scene(scene *s, const char *verbs, int persons)
{
	char terms[512], approval[160] = "", hex[65];
	caps_keyset keyset;

	s->l = lab_new();
	trusted_fleet(&s->l);
	fill_keyset(&keyset);
	codec_hex(keyset.hash, 32, hex);
	if (persons > 0)
		(void)snprintf(approval, sizeof(approval),
			",\"approval\":{\"of\":\"%s\",\"count\":%d,\"within\":\"15min\"}", hex,
			persons);
	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"unit.read\"],"
		"\"on\":\"**\"},{\"verbs\":[%s],\"on\":\"**\"%s}]}",
		verbs, approval);
	s->token = issue(&s->l, terms);
	cr_assert_eq(open_as(&s->l, s->token, "INC-7", &s->session), 0, "%s", lab_why(&s->l));
	cr_assert_eq(hn_session_on_fresh(s->session, prove, s, NULL), 0);
}

static void end_scene(scene *s)
{
	hn_session_unref(s->session);
	base_free(s->token);
	lab_free(&s->l);
}
#define SCENE __attribute__((cleanup(end_scene))) scene

/* So many persons approve the call that was refused last. */
static void get_approved(scene *s, int persons)
{
	static const int who[] = {ALICE, BO, EVE};
	BASE_AUTO_FREE char *request = NULL;

	cr_assert_eq(hn_approval_request(s->session, NULL, NULL, NULL, 0, &request, lab_err(&s->l)),
		0, "%s", lab_why(&s->l));
	for (int i = 0; i < persons; i++) {
		BASE_AUTO_FREE char *text = approve(&s->l, request, who[i]);

		cr_assert_eq(hn_approval_collect(s->session, text, lab_err(&s->l)), 0, "%s",
			lab_why(&s->l));
	}
}

static int erase(scene *s)
{
	uint64_t count = 0;

	return hn_audit_erase(s->session, "nobody", &count, lab_err(&s->l));
}

#define PRUNE "\"audit.prune\""
#define AUDIT "\"audit.*\"" /* has it too */

Test(quorum, two_persons_and_a_proof_are_one)
{
	SCENE s = {0};

	open_scene(&s, PRUNE, 2);
	cr_expect_eq(erase(&s), HN_EAPPROVAL, "%s", lab_why(&s.l));
	get_approved(&s, 2);
	cr_expect_eq(erase(&s), 0, "%s", lab_why(&s.l));
	cr_expect_geq(s.proofs, 1);
	cr_expect_eq(erase(&s), HN_EAPPROVAL, "once is once: %s", lab_why(&s.l));
}

Test(negative, one_person_is_no_quorum_whatever_the_token_asks)
{
	SCENE s = {0};

	open_scene(&s, AUDIT, 1);
	cr_expect_eq(erase(&s), HN_EAPPROVAL, "%s", lab_why(&s.l));
	get_approved(&s, 1);
	cr_expect_eq(erase(&s), HN_EAPPROVAL, "%s", lab_why(&s.l));
	cr_expect_not_null(strstr(lab_why(&s.l), "quorum"), "%s", lab_why(&s.l));
}

Test(negative, a_proof_is_no_quorum)
{
	SCENE s = {0};

	open_scene(&s, AUDIT, 0);
	cr_expect_eq(erase(&s), HN_EAPPROVAL, "%s", lab_why(&s.l));
	cr_expect_not_null(strstr(lab_why(&s.l), "quorum"), "%s", lab_why(&s.l));
	cr_expect_gt(s.proofs, 0);
}

/* Looked at while the unit comes up, the approval is used up already: for this. */
Test(quorum, what_was_approved_holds_while_it_is_done)
{
	SCENE s = {0};
	hn_start_options options = HN_START_OPTIONS_INIT;

	options.wait = HN_WAIT_READY;
	options.timeout = 10 * OS_SECOND;
	open_scene(&s, "\"unit.start\"", 2);
	cr_expect_eq(hn_unit_start(s.session, "web-1", &options, lab_err(&s.l)), HN_EAPPROVAL, "%s",
		lab_why(&s.l));
	get_approved(&s, 2);
	fake.never = s.l.os;
	cr_expect_eq(hn_unit_start(s.session, "web-1", &options, lab_err(&s.l)), HN_ETIMEOUT, "%s",
		lab_why(&s.l));
}

/* The weakest keyset there is, asked for by the holder himself. */
Test(negative, a_holder_does_not_choose_his_quorum)
{
	static const char wide[] = "{\"for\":\"carol\",\"ttl\":\"10min\",\"bearer\":true,"
				   "\"grants\":[{\"verbs\":[\"audit.*\"],\"on\":\"**\"}]}";
	SCENE s = {.l = lab_new()};
	BASE_AUTO_FREE char *bearer = NULL;
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	char own[192], hex[65], holder[65];
	uint8_t key[32];
	caps_keyset keyset;

	trusted_fleet(&s.l);
	fill_keyset(&keyset);
	codec_hex(keyset.hash, 32, hex);
	crypto_ed25519_public(seed_of(HOLDER), key);
	codec_hex(key, sizeof(key), holder);
	(void)snprintf(own, sizeof(own),
		"{\"ttl\":\"9min\",\"approval\":{\"of\":\"%s\",\"count\":2,\"within\":\"15min\"}}",
		hex);
	options.now = os_now(s.l.os) / OS_SECOND;
	cr_assert_eq(hn_cap_issue(s.l.session, wide, NULL, &bearer, lab_err(&s.l)), 0, "%s",
		lab_why(&s.l));
	cr_assert_eq(hn_cap_attenuate(bearer, own, holder, &options, &s.token, lab_err(&s.l)), 0,
		"%s", lab_why(&s.l));
	cr_assert_eq(open_as(&s.l, s.token, "INC-7", &s.session), 0, "%s", lab_why(&s.l));
	cr_assert_eq(hn_session_on_fresh(s.session, prove, &s, NULL), 0);
	cr_expect_eq(erase(&s), HN_EAPPROVAL, "%s", lab_why(&s.l));
	get_approved(&s, 2);
	cr_expect_eq(erase(&s), HN_EAPPROVAL, "%s", lab_why(&s.l));
	cr_expect_not_null(strstr(lab_why(&s.l), "quorum"), "%s", lab_why(&s.l));
}

/* Issued by name, it must be able to have its quorum; what comes along with "*" just waits. */
Test(negative, a_verb_of_a_quorum_is_not_issued_without_one)
{
	static const char *const refused[] = {"\"audit.prune\"", "\"audit.read\",\"audit.prune\"",
		"\"audit.*\",\"audit.prune\"", "56"};
	static const char *const taken[] = {"\"audit.*\"", "\"*\"", "\"trust.update\""};
	SCENE s = {0};
	char terms[256];

	open_scene(&s, PRUNE, 2);
	for (size_t i = 0; i < BASE_COUNT(refused) + BASE_COUNT(taken); i++) {
		BASE_AUTO_FREE char *token = NULL;
		bool bad = i < BASE_COUNT(refused);

		(void)snprintf(terms, sizeof(terms),
			"{\"for\":\"bo\",\"ttl\":\"10min\",\"bearer\":true,\"grants\":[{\"verbs\":[%s],"
			"\"on\":\"**\"}]}",
			bad ? refused[i] : taken[i - BASE_COUNT(refused)]);
		cr_expect_eq(hn_cap_issue(s.l.session, terms, NULL, &token, lab_err(&s.l)),
			bad ? HN_EINVAL : 0, "%s: %s", terms, lab_why(&s.l));
		cr_expect_eq(token == NULL, bad);
	}
}
