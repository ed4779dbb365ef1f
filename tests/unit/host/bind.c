/* SPDX-License-Identifier: MIT
 *
 * What was approved or proved is one call with its arguments: the same verb on the same object with
 * other arguments is another.
 */
#include "trust-lab.h"

typedef struct scene {
	lab l;
	hn_session *session;
	char *token;
	bool mute; /* asked for a fresh proof it gives none */
	int proofs;
} scene;

/* All may be read; the rest needs two persons. */
static const char *approved_terms(void)
{
	static char terms[512];
	char hex[65];
	caps_keyset keyset;

	fill_keyset(&keyset);
	codec_hex(keyset.hash, 32, hex);
	(void)snprintf(terms, sizeof(terms),
		"{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"unit.read\","
		"\"cap.read\"],\"on\":\"**\"},{\"verbs\":[\"*\"],\"on\":\"**\","
		"\"approval\":{\"of\":\"%s\",\"count\":2,\"within\":\"15min\"}}]}",
		hex);
	return terms;
}

static int give_proof(scene *s, const char *verb, const char *object, const char *request)
{
	BASE_AUTO_OF(caps_token) caps_token *read = NULL, *proven = NULL;
	BASE_AUTO_FREE char *nonce = NULL, *text = NULL;
	caps_use use = {.object = object};
	hn_verb found;

	cr_assert_eq(host_verb_find(verb, &found, NULL), 0);
	use.verb = found;
	cr_assert_eq(caps_token_read_text(s->token, strlen(s->token), &read, NULL, NULL), 0);
	cr_assert_eq(hn_session_challenge(s->l.host, &nonce, NULL), 0);
	cr_assert(codec_hex_decode(nonce, 32, use.nonce));
	if (request)
		cr_assert(codec_hex_decode(request, 64, use.request_hash));
	use.issued = os_now(s->l.os) / OS_SECOND;
	cr_assert_eq(caps_token_prove(read, seed_of(HOLDER), &use, &proven, NULL), 0);
	cr_assert_eq(caps_token_text(proven, &text, NULL), 0);
	return hn_session_prove(s->session, text, lab_err(&s->l));
}

static int prove(void *arg, const char *verb, const char *object, const char *request)
{
	scene *s = arg;

	s->proofs++;
	return s->mute ? HN_EKEY : give_proof(s, verb, object, request);
}

static void open_scene(scene *s, const char *terms)
{
	s->l = lab_new();
	trusted_fleet(&s->l);
	cr_assert_eq(lab_define(&s->l, "api-1", "memory.size", "512Mi"), 0, "%s", lab_why(&s->l));
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

/* The request for the call that was refused last, signed by two. */
static void get_approved(scene *s)
{
	BASE_AUTO_FREE char *request = NULL, *alice = NULL, *bo = NULL;

	cr_assert_eq(hn_approval_request(s->session, NULL, NULL, NULL, 0, &request, lab_err(&s->l)),
		0, "%s", lab_why(&s->l));
	alice = approve(&s->l, request, ALICE);
	bo = approve(&s->l, request, BO);
	cr_assert_eq(
		hn_approval_collect(s->session, alice, lab_err(&s->l)), 0, "%s", lab_why(&s->l));
	cr_assert_eq(hn_approval_collect(s->session, bo, lab_err(&s->l)), 0, "%s", lab_why(&s->l));
}

/* Variant 0 is approved; the others are what it must not be taken for. */
typedef int (*doing)(scene *s, int variant);

static void bound(doing act, int others)
{
	SCENE s = {0};

	open_scene(&s, approved_terms());
	cr_assert_eq(act(&s, 0), HN_EAPPROVAL, "%s", lab_why(&s.l));
	get_approved(&s);
	for (int variant = 1; variant <= others; variant++)
		cr_expect_eq(
			act(&s, variant), HN_EAPPROVAL, "variant %d: %s", variant, lab_why(&s.l));
	cr_expect_geq(act(&s, 0), 0, "%s", lab_why(&s.l));
	cr_expect_eq(act(&s, 0), HN_EAPPROVAL, "once is once");
}

/* --- values --- */

static int set(scene *s, int variant)
{
	static const char *const keys[] = {
		"memory.size", "memory.size", "compute.vcpus", "memory.size"};
	static const char *const values[] = {"256Mi", "2Gi", "2", NULL};

	return hn_unit_set(s->session, "api-1", keys[variant], values[variant], lab_err(&s->l));
}

Test(bound, set)
{
	bound(set, 3);
}

static int force(scene *s, int variant)
{
	static const char *const values[] = {"256Mi", "512Mi", "256Mi"};
	static const int64_t seconds[] = {60, 60, 3600};

	return hn_unit_force(s->session, "web-1", "memory.size", values[variant],
		seconds[variant] * OS_SECOND, lab_err(&s->l));
}

Test(bound, force)
{
	bound(force, 2);
}

static int define(scene *s, int variant)
{
	static const char *const key[] = {"memory.size"};
	static const char *const values[][1] = {{"256Mi"}, {"512Mi"}, {"256Mi"}, {"256Mi"}};
	static const char *const tag[] = {"web"};
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	definition.keys = key;
	definition.values = values[variant];
	definition.value_count = 1;
	definition.tags = tag;
	definition.tag_count = variant == 2;
	return hn_unit_define(
		s->session, variant == 3 ? "api-3" : "api-2", &definition, lab_err(&s->l));
}

Test(bound, define_of_a_new_unit)
{
	SCENE s = {0};

	open_scene(&s, approved_terms());
	cr_assert_eq(define(&s, 0), HN_EAPPROVAL, "%s", lab_why(&s.l));
	get_approved(&s);
	for (int variant = 1; variant <= 3; variant++)
		cr_expect_eq(define(&s, variant), HN_EAPPROVAL, "%d: %s", variant, lab_why(&s.l));
	cr_expect_eq(define(&s, 0), 0, "%s", lab_why(&s.l));
}

static int define_again(scene *s, int variant)
{
	static const char *const key[] = {"memory.size"};
	static const char *const values[][1] = {{"256Mi"}, {"2Gi"}};
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	definition.keys = key;
	definition.values = values[variant];
	definition.value_count = 1;
	return hn_unit_define(s->session, "api-1", &definition, lab_err(&s->l));
}

Test(bound, define_of_one_that_is_there)
{
	bound(define_again, 1);
}

static int tag(scene *s, int variant)
{
	static const char *const web[] = {"web"}, *const db[] = {"db"};

	return hn_unit_tag(s->session, "api-1", variant == 1 ? db : web, variant != 2, web,
		variant == 2, lab_err(&s->l));
}

Test(bound, tags)
{
	bound(tag, 2);
}

static int remove_unit(scene *s, int variant)
{
	return hn_unit_remove(s->session, "api-1", variant == 0 ? HN_DISKS_KEEP : HN_DISKS_DELETE,
		lab_err(&s->l));
}

Test(bound, remove)
{
	SCENE s = {0};

	open_scene(&s, approved_terms());
	cr_assert_eq(remove_unit(&s, 0), HN_EAPPROVAL, "%s", lab_why(&s.l));
	get_approved(&s);
	cr_expect_eq(remove_unit(&s, 1), HN_EAPPROVAL, "%s", lab_why(&s.l));
	cr_expect_eq(hn_unit_replace(s.session, "api-1", lab_err(&s.l)), HN_EAPPROVAL);
	cr_expect_eq(remove_unit(&s, 0), 0, "%s", lab_why(&s.l));
}

/* --- break-glass --- */

static hn_session *broken_glass(lab *l)
{
	BASE_AUTO_FREE char *request = NULL, *alice = NULL, *bo = NULL;
	BASE_AUTO_BUF base_buf both = {0};
	hn_breakglass_options options = HN_BREAKGLASS_OPTIONS_INIT;
	hn_session *glass = NULL;

	options.reason = "all is down";
	cr_assert_eq(hn_breakglass_request(l->host, "outage", &options, &request, lab_err(l)), 0,
		"%s", lab_why(l));
	alice = approve(l, request, ALICE);
	bo = approve(l, request, BO);
	base_buf_format(&both, "%s\n%s\n", alice, bo);
	cr_assert_eq(hn_breakglass_activate(l->host, request, both.data, NULL, &glass, lab_err(l)),
		0, "%s", lab_why(l));
	return glass;
}

Test(bound, the_end_of_one_break_glass)
{
	SCENE s = {0};
	BASE_AUTO_OF(hn_session) hn_session *first = NULL, *second = NULL;

	open_scene(&s, approved_terms());
	first = broken_glass(&s.l);
	cr_assert_eq(
		hn_breakglass_end(s.session, lab_err(&s.l)), HN_EAPPROVAL, "%s", lab_why(&s.l));
	get_approved(&s);
	cr_assert_eq(hn_breakglass_end(first, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
	second = broken_glass(&s.l);
	cr_expect_eq(hn_breakglass_end(s.session, lab_err(&s.l)), HN_EAPPROVAL, "of another");
	cr_expect_eq(hn_session_live(second, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
	get_approved(&s);
	cr_expect_eq(hn_breakglass_end(s.session, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
}

/* --- guests --- */

static int stop(scene *s, int variant)
{
	hn_stop_options options = HN_STOP_OPTIONS_INIT;

	if (variant == 1)
		return hn_unit_kill(s->session, "web-1", lab_err(&s->l));
	if (variant == 2)
		return hn_unit_pause(s->session, "web-1", lab_err(&s->l));
	options.grace = variant == 3 ? OS_SECOND : 0;
	return hn_unit_stop(s->session, "web-1", &options, NULL, lab_err(&s->l));
}

Test(bound, stop)
{
	bound(stop, 3);
}

static int restart(scene *s, int variant)
{
	return variant == 0 ? hn_unit_restart(s->session, "web-1", NULL, lab_err(&s->l))
			    : hn_unit_start(s->session, "web-1", NULL, lab_err(&s->l));
}

/* A restart is one call of two rights, and one approval. */
Test(bound, restart)
{
	bound(restart, 1);
}

/* --- plans --- */

#define OTHER_FLEET                                                                                \
	"{\"hypernix\":1,\"tags\":{\"web\":{},\"db\":{}},\"units\":{"                              \
	"\"web-1\":{\"tags\":[\"web\"],\"overrides\":{\"memory.size\":\"%s\"}},"                   \
	"\"web-2\":{\"tags\":[\"web\"]},\"db-1\":{\"tags\":[\"db\"]}%s}}"

static int apply(scene *s, int variant)
{
	static const char *const sizes[] = {"768Mi", "896Mi", "768Mi"};
	static const char *const more[] = {"", "", ",\"web-9\":{\"tags\":[\"web\"]}"};
	hn_apply_options how = HN_APPLY_OPTIONS_INIT;
	hn_plan_options options = lab_options();
	char json[512];
	int rc;

	(void)snprintf(json, sizeof(json), OTHER_FLEET, sizes[variant % 3], more[variant % 3]);
	how.on_error = variant == 3 ? HN_ON_ERROR_UNDO : HN_ON_ERROR_STOP;
	rc = lab_plan_with(&s->l, json, options);
	cr_assert_eq(rc, 0, "%s", lab_why(&s->l));
	return hn_plan_apply(s->session, s->l.plan, &how, lab_err(&s->l));
}

/* All of it is one call, made again as often as it likes. */
Test(bound, plan)
{
	SCENE s = {0};

	open_scene(&s, approved_terms());
	cr_assert_eq(apply(&s, 0), HN_EAPPROVAL, "%s", lab_why(&s.l));
	get_approved(&s);
	for (int variant = 1; variant <= 3; variant++)
		cr_expect_eq(apply(&s, variant), HN_EAPPROVAL, "%d: %s", variant, lab_why(&s.l));
	cr_expect_eq(apply(&s, 0), 0, "%s", lab_why(&s.l));
	cr_expect_eq(apply(&s, 1), HN_EAPPROVAL, "%s", lab_why(&s.l));
}

/* --- keys, tokens, the log --- */

static int issue_token(scene *s, int variant)
{
	static const char *const terms[] = {
		"{\"for\":\"dan\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]}",
		"{\"for\":\"dan\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.*\"],\"on\":\"unit/*\"}]}"};
	BASE_AUTO_FREE char *token = NULL;
	uint8_t key[32];
	char hex[65];

	crypto_ed25519_public(seed_of(variant == 2 ? STRANGER : HOLDER), key);
	codec_hex(key, sizeof(key), hex);
	return hn_cap_issue(s->session, terms[variant == 1], hex, &token, lab_err(&s->l));
}

Test(bound, issue)
{
	bound(issue_token, 2);
}

static int revoke(scene *s, int variant)
{
	static const char *const what[] = {"subject", "subject", "cti"};
	static const char *const value[] = {"dan", "bo", "000102030405060708090a0b0c0d0e0f"};

	return hn_cap_revoke(s->session, what[variant], value[variant], lab_err(&s->l));
}

Test(bound, revoke)
{
	bound(revoke, 2);
}

static int rotate(scene *s, int variant)
{
	BASE_AUTO_FREE char *key = NULL;

	return hn_node_key_rotate(s->session, variant == 1 ? "issuer" : "node",
		variant == 2 ? OS_SECOND * 86400 : 0, &key, lab_err(&s->l));
}

Test(bound, rotate)
{
	bound(rotate, 2);
}

static int erase(scene *s, int variant)
{
	uint64_t count = 0;

	if (variant == 2)
		return hn_audit_prune(s->session, 86400, &count, lab_err(&s->l));
	return hn_audit_erase(
		s->session, variant == 0 ? "cap/dan" : "local/uid/0", &count, lab_err(&s->l));
}

Test(bound, erase)
{
	bound(erase, 2);
}

static int prune(scene *s, int variant)
{
	uint64_t first = 0;

	return hn_audit_prune(s->session, variant == 0 ? 86400 : 2 * 86400, &first, lab_err(&s->l));
}

Test(bound, prune)
{
	bound(prune, 1);
}

static int secret(scene *s, int variant)
{
	if (variant == 2)
		return hn_secret_remove(s->session, "web-1", "db", lab_err(&s->l));
	return hn_secret_put(
		s->session, "web-1", variant == 0 ? "db" : "api", "x", 1, lab_err(&s->l));
}

Test(bound, secret)
{
	bound(secret, 2);
}

static int bytes(scene *s, int variant)
{
	static const char *const all[] = {"hunter2", "hunter3", "hunter", "hunter2\n", ""};

	return hn_secret_put(
		s->session, "web-1", "db", all[variant], strlen(all[variant]), lab_err(&s->l));
}

Test(bound, bytes_of_a_secret)
{
	bound(bytes, 4);
}

/* The key is that of the host, not of a process. */
Test(bound, bytes_of_a_secret_by_another_handle)
{
	SCENE s = {0};

	open_scene(&s, approved_terms());
	cr_assert_eq(bytes(&s, 0), HN_EAPPROVAL, "%s", lab_why(&s.l));
	get_approved(&s);
	s.session = hn_session_unref(s.session);
	lab_reopen(&s.l);
	cr_assert_eq(open_as(&s.l, s.token, "INC-7", &s.session), 0, "%s", lab_why(&s.l));
	cr_assert_eq(hn_session_on_fresh(s.session, prove, &s, NULL), 0);
	cr_expect_eq(bytes(&s, 1), HN_EAPPROVAL);
	cr_expect_eq(bytes(&s, 0), 0, "%s", lab_why(&s.l));
}

static int role(scene *s, int variant)
{
	if (variant == 2)
		return hn_session_local_allow(s->session, true, lab_err(&s->l));
	return hn_clock_unsynchronised(s->session, variant == 0, lab_err(&s->l));
}

Test(bound, settings_of_the_node)
{
	bound(role, 2);
}

static int cut(scene *s, int variant)
{
	return hn_session_cut(
		s->session, variant == 0 ? "0000000000000001" : "0000000000000002", lab_err(&s->l));
}

Test(bound, cut)
{
	SCENE s = {0};

	open_scene(&s, approved_terms());
	cr_assert_eq(cut(&s, 0), HN_EAPPROVAL);
	get_approved(&s);
	cr_expect_eq(cut(&s, 1), HN_EAPPROVAL);
	cr_expect_eq(cut(&s, 0), HN_ENOENT, "allowed: there is none. %s", lab_why(&s.l));
}

/* --- asking --- */

Test(asking, without_doing)
{
	SCENE s = {0};
	uint64_t records;

	open_scene(&s, approved_terms());
	s.session->request_only = true;
	records = lab_number(&s.l, "SELECT count(*) FROM audit");
	cr_assert_eq(set(&s, 0), HN_EAPPROVAL);
	cr_expect_eq(lab_number(&s.l, "SELECT count(*) FROM audit"), records, "no denial");
	get_approved(&s);
	cr_expect_eq(set(&s, 0), HN_EAPPROVAL, "approved, and still not done");
	s.session->request_only = false;
	cr_expect_eq(set(&s, 0), 0, "%s", lab_why(&s.l));
}

Test(asking, by_a_token_that_needs_none)
{
	SCENE s = {0};
	char *request = NULL;

	open_scene(&s, "{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"unit.*\"],"
		       "\"on\":\"unit/*\"}]}");
	s.session->request_only = true;
	cr_expect_eq(set(&s, 0), HN_EINVAL);
	cr_expect_eq(hn_approval_request(s.session, NULL, NULL, NULL, 0, &request, lab_err(&s.l)),
		HN_ENOENT);
	s.session->request_only = false;
	cr_expect_eq(set(&s, 0), 0, "%s", lab_why(&s.l));
}

Test(asking, is_for_what_is_shown)
{
	SCENE s = {0};
	BASE_AUTO_FREE char *json = NULL, *request = NULL, *shown = NULL;

	open_scene(&s, approved_terms());
	cr_expect_eq(hn_session_refused(s.session, &json, lab_err(&s.l)), HN_ENOENT);
	cr_assert_eq(force(&s, 0), HN_EAPPROVAL);
	cr_assert_eq(hn_session_refused(s.session, &json, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
	cr_expect_not_null(strstr(json, "\"force.set\""), "%s", json);
	cr_expect_not_null(strstr(json, "\"arguments\":{\"ns\":60000000000,"
					"\"force\":{\"memory.size\":\"256Mi\"}}"),
		"%s", json);
	cr_assert_eq(
		hn_approval_request(s.session, NULL, NULL, NULL, 0, &request, lab_err(&s.l)), 0);
	cr_assert_eq(hn_approval_inspect(request, &shown, lab_err(&s.l)), 0);
	cr_expect_not_null(strstr(shown, "256Mi"), "%s", shown);
	cr_expect_not_null(strstr(shown, "60000000000"), "%s", shown);
}

Test(asking, of_a_plan_shows_its_steps)
{
	SCENE s = {0};
	BASE_AUTO_FREE char *json = NULL;

	open_scene(&s, approved_terms());
	cr_assert_eq(apply(&s, 2), HN_EAPPROVAL, "%s", lab_why(&s.l));
	cr_assert_eq(hn_session_refused(s.session, &json, lab_err(&s.l)), 0);
	cr_expect_not_null(strstr(json, "memory.size"), "%s", json);
	cr_expect_not_null(strstr(json, "768Mi"), "%s", json);
	cr_expect_not_null(strstr(json, "create web-9"), "%s", json);
	cr_expect_not_null(strstr(json, "\"plan\":{\"sha256\""), "%s", json);
}

/* What stands for the bytes of a secret in the call that waits. */
static void keyed_of(
	lab *l, hn_session *session, const char *unit, const char *text, char keyed[65])
{
	static const char before[] = "\"arguments\":{\"put\":\"db\",\"bytes\":{\"keyed\":\"";
	static const char after[] = "\"},\"version\":0}";
	BASE_AUTO_FREE char *json = NULL;
	const char *at;

	cr_assert_eq(hn_secret_put(session, unit, "db", text, strlen(text), lab_err(l)),
		HN_EAPPROVAL, "%s", lab_why(l));
	cr_assert_eq(hn_session_refused(session, &json, lab_err(l)), 0, "%s", lab_why(l));
	at = strstr(json, before);
	cr_assert_not_null(at, "%s", json);
	at += strlen(before);
	cr_assert_eq(strncmp(at + 64, after, strlen(after)), 0, "nothing else, no size: %s", json);
	(void)snprintf(keyed, 65, "%.64s", at);
}

static void nowhere(lab *l, const uint8_t *bytes, size_t size)
{
	char hex[2 * CRYPTO_DIGEST + 1], sql[512];

	codec_hex(bytes, size, hex);
	(void)snprintf(sql, sizeof(sql),
		"SELECT (SELECT count(*) FROM audit WHERE instr(rec, x'%s') > 0)"
		" + (SELECT count(*) FROM cap_request WHERE instr(body, x'%s') > 0)",
		hex, hex);
	cr_expect_eq(lab_number(l, sql), 0, "%s", hex);
}

/* A hash of what is short could be guessed, with a signature too. */
Test(asking, never_tells_a_secret)
{
	SCENE s = {0};
	BASE_AUTO_FREE char *request = NULL, *shown = NULL;
	uint8_t hash[CRYPTO_DIGEST];
	char keyed[65], hex[65];

	open_scene(&s, approved_terms());
	keyed_of(&s.l, s.session, "web-1", "hunter2", keyed);
	cr_assert_eq(
		hn_approval_request(s.session, NULL, NULL, NULL, 0, &request, lab_err(&s.l)), 0);
	cr_assert_eq(hn_approval_inspect(request, &shown, lab_err(&s.l)), 0);
	cr_expect_not_null(strstr(shown, keyed), "%s", shown);
	crypto_sha256("hunter2", 7, hash);
	codec_hex(hash, sizeof(hash), hex);
	cr_expect_null(strstr(shown, hex), "%s", shown);
	cr_expect_null(strstr(shown, "hunter2"), "%s", shown);
	nowhere(&s.l, hash, sizeof(hash));
	nowhere(&s.l, (const uint8_t *)"hunter2", 7);
}

/* Equal bytes do not show, and nobody can try guesses by a token of his own. */
Test(asking, tells_of_bytes_to_no_other)
{
	SCENE s = {0};
	BASE_AUTO_OF(hn_session) hn_session *other = NULL;
	char one[65], again[65], of_other[65], of_unit[65], of_bytes[65];

	open_scene(&s, approved_terms());
	other = opened(&s.l, approved_terms());
	keyed_of(&s.l, s.session, "web-1", "hunter2", one);
	keyed_of(&s.l, s.session, "web-1", "hunter2", again);
	keyed_of(&s.l, other, "web-1", "hunter2", of_other);
	keyed_of(&s.l, s.session, "web-2", "hunter2", of_unit);
	keyed_of(&s.l, s.session, "web-1", "hunter3", of_bytes);
	cr_expect_str_eq(one, again);
	cr_expect_str_neq(one, of_other);
	cr_expect_str_neq(one, of_unit);
	cr_expect_str_neq(one, of_bytes);
}

/* On record of whoever may not even ask is nothing that depends on the bytes. */
Test(asking, tells_of_bytes_to_nobody_without_a_right)
{
	SCENE s = {0};
	uint64_t records;

	open_scene(&s, "{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"unit.read\"],"
		       "\"on\":\"unit/*\"}]}");
	records = lab_number(&s.l, "SELECT count(*) FROM audit");
	cr_expect_eq(bytes(&s, 0), HN_EDENIED);
	cr_expect_eq(bytes(&s, 0), HN_EDENIED);
	cr_assert_eq(lab_number(&s.l, "SELECT count(*) FROM audit"), records + 2);
	cr_expect_eq(
		lab_number(&s.l, "SELECT count(DISTINCT substr(rec, instr(rec, x'115820') + 3, 32))"
				 " FROM (SELECT rec FROM audit ORDER BY seq DESC LIMIT 2)"),
		2);
}

Test(asking, is_refused_once_the_version_is_another)
{
	SCENE s = {0};

	open_scene(&s, approved_terms());
	cr_assert_eq(secret(&s, 0), HN_EAPPROVAL);
	get_approved(&s);
	cr_assert_eq(hn_secret_put(s.l.session, "web-1", "db", "y", 1, lab_err(&s.l)), 0);
	cr_expect_eq(secret(&s, 0), HN_EAPPROVAL, "another is there by now");
}

/* --- on record --- */

static bool on_record(lab *l, const uint8_t hash[32], const char *kind)
{
	char sql[256], hex[65];

	codec_hex(hash, 32, hex);
	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM audit WHERE instr(rec, x'115820%s') > 0"
		" AND instr(rec, x'%s') > 0",
		hex, kind);
	return lab_number(l, sql) == 1;
}

/* Key 17 of an allowance and of a denial: 0x11, 32 bytes. */
Test(record, has_the_hash_of_the_request)
{
	SCENE s = {0};
	CAPS_AUTO_CALL caps_call call = {0};
	char object[BASE_OBJECT_SIZE];
	const char *key = "memory.size", *value = "256Mi";

	open_scene(&s, approved_terms());
	object_of(&s.l, "api-1", object);
	caps_call_pairs(&call, "set", &key, &value, 1);
	cr_assert_eq(caps_call_finish(&call, HN_VERB_UNIT_UPDATE, object, NULL), 0);
	cr_assert_eq(set(&s, 0), HN_EAPPROVAL);
	cr_expect(on_record(&s.l, call.hash, "0702"), "a denial");
	cr_assert_eq(hn_unit_set(s.l.session, "api-1", "memory.size", "256Mi", lab_err(&s.l)), 0);
	cr_expect(on_record(&s.l, call.hash, "0701"), "an allowance of an operator");
	cr_expect_eq(host_audit_verify(s.l.host, lab_err(&s.l)), 0, "%s", lab_why(&s.l));
}

/* --- fresh proofs --- */

#define ISSUER "{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"*\"],\"on\":\"**\"}]}"

Test(fresh, is_asked_for_within_the_call)
{
	SCENE s = {0};

	open_scene(&s, ISSUER);
	cr_expect_eq(issue_token(&s, 0), 0, "%s", lab_why(&s.l));
	cr_expect_eq(s.proofs, 1);
	cr_expect_eq(issue_token(&s, 0), 0, "%s", lab_why(&s.l));
	cr_expect_eq(s.proofs, 2, "each call has its own");
	cr_expect_eq(set(&s, 0), 0, "%s", lab_why(&s.l));
	cr_expect_eq(s.proofs, 2, "only where one is needed");
	s.mute = true;
	cr_expect_eq(issue_token(&s, 0), HN_EDENIED);
}

static void refused_hash(scene *s, char hash[65])
{
	BASE_AUTO_FREE char *json = NULL;
	const char *at;

	cr_assert_eq(
		hn_session_refused(s->session, &json, lab_err(&s->l)), 0, "%s", lab_why(&s->l));
	at = strstr(json, "\"request\":\"");
	cr_assert_not_null(at, "%s", json);
	(void)snprintf(hash, 65, "%.64s", at + 11);
}

/* As a caller from afar does: refused, challenged, proved. */
static void proves_only(doing act, int others, const char *verb)
{
	SCENE s = {0};
	char node[BASE_OBJECT_SIZE], object[BASE_OBJECT_SIZE], hash[65];

	open_scene(&s, ISSUER);
	cr_assert_eq(hn_session_on_fresh(s.session, NULL, NULL, NULL), 0);
	host_object_node(node, s.l.host);
	object_of(&s.l, "web-1", object);
	cr_assert_eq(act(&s, 0), HN_EDENIED, "%s", lab_why(&s.l));
	refused_hash(&s, hash);
	for (int variant = 1; variant <= others; variant++) {
		cr_assert_eq(
			give_proof(&s, verb, strncmp(verb, "unit.", 5) == 0 ? object : node, hash),
			0, "%s", lab_why(&s.l));
		cr_expect_eq(act(&s, variant), HN_EDENIED, "variant %d", variant);
	}
	cr_expect_geq(act(&s, 0), 0, "%s", lab_why(&s.l));
	cr_expect_eq(act(&s, 0), HN_EDENIED, "a proof is good for one call");
}

Test(fresh, issue)
{
	proves_only(issue_token, 2, "cap.issue");
}

Test(fresh, rotate)
{
	proves_only(rotate, 2, "key.rotate");
}

Test(fresh, secret)
{
	proves_only(secret, 2, "unit.secret");
}

Test(fresh, bytes_of_a_secret)
{
	proves_only(bytes, 4, "unit.secret");
}

Test(fresh, without_the_request_is_none)
{
	SCENE s = {0};
	char node[BASE_OBJECT_SIZE];

	open_scene(&s, ISSUER);
	cr_assert_eq(hn_session_on_fresh(s.session, NULL, NULL, NULL), 0);
	cr_assert_eq(give_proof(&s, "cap.issue", host_object_node(node, s.l.host), NULL), 0);
	cr_expect_eq(issue_token(&s, 0), HN_EDENIED);
}

/* Persons and proof are two things: both are needed. */
Test(fresh, and_approved)
{
	SCENE s = {0};

	open_scene(&s, approved_terms());
	cr_assert_eq(issue_token(&s, 0), HN_EAPPROVAL);
	cr_expect_eq(s.proofs, 0, "nobody is asked for what is not allowed anyway");
	get_approved(&s);
	s.mute = true;
	cr_expect_eq(issue_token(&s, 0), HN_EDENIED);
	s.mute = false;
	cr_expect_eq(issue_token(&s, 0), 0, "%s", lab_why(&s.l));
}
