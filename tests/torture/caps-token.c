/* SPDX-License-Identifier: MIT
 *
 * Torture of tokens and trust bundles: each is made, narrowed, verified and shown while memory
 * fails. Then nothing was given, nothing is lost, and no token is called bad for want of memory.
 */
#include "caps/token-private.h"
#include "caps/trust.h"
#include "torture.h"

#include <hypernix/caps-approve.h>
#include <hypernix/caps.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define START INT64_C(1767225600)

static const uint8_t issuer_seed[32] = {1}, holder_seed[32] = {2}, root_seed[32] = {3};

typedef struct world {
	char *token; /* a bearer token of one link */
	base_buf bundle;
	char *terms; /* of the bundle */
	char directory[40], path[48],
		fresh[48]; /* of key files: the holder's, and one to be made */
	char *held;        /* a token that is bound to the holder's key */
} world;

static int make_terms(world *made)
{
	uint8_t issuer[32], root[32];
	char issuer_hex[65], root_hex[65];
	base_buf text = {0};

	crypto_ed25519_public(issuer_seed, issuer);
	crypto_ed25519_public(root_seed, root);
	codec_hex(issuer, 32, issuer_hex);
	codec_hex(root, 32, root_hex);
	base_buf_format(&text,
		"{\"version\":1,\"cluster\":\"lab\",\"threshold\":1,\"roots\":[\"%s\"],"
		"\"made\":\"2026-01-01T00:00:00Z\",\"issuers\":[{\"key\":\"%s\",\"epoch\":1,"
		"\"from\":\"2025-12-31T00:00:00Z\",\"until\":\"2026-01-20T00:00:00Z\",\"ttl\":\"1d\","
		"\"grants\":[{\"verbs\":[\"unit.*\"],\"on\":\"unit/**\"}]}],"
		"\"keysets\":[{\"members\":[{\"person\":\"bo\",\"key\":\"%s\"}]}],"
		"\"presets\":[{\"name\":\"outage\",\"keyset\":0,\"threshold\":1,"
		"\"verbs\":[\"unit.*\"],\"on\":[\"unit/**\"],\"ttl\":\"1h\"}]}",
		root_hex, issuer_hex, root_hex);
	made->terms = base_buf_take(&text);
	return made->terms != NULL ? 0 : -1;
}

static int make_bundle(world *made)
{
	uint8_t *payload = NULL;
	size_t size = 0;
	int rc = hn_trust_make(made->terms, &payload, &size, NULL);

	if (rc == 0)
		rc = caps_bundle_sign(payload, size, root_seed, &made->bundle, NULL);
	hn_bytes_free(payload);
	return rc;
}

static int make_token(world *made)
{
	caps_grant_terms grant = {.mask = {{0x31}}, .pattern = "unit/*"};
	caps_terms terms = {.subject = "alice",
		.audience = "lab",
		.issued = START,
		.expires = START + 900,
		.grants = &grant,
		.grant_count = 1};
	BASE_AUTO_OF(caps_token) caps_token *token = NULL;
	BASE_AUTO_BUF base_buf claims = {0}, tbs = {0};
	uint8_t kid[CAPS_KID], key[32], signature[64];

	crypto_ed25519_public(issuer_seed, key);
	caps_kid(key, 1, kid);
	crypto_ed25519_public(holder_seed, terms.cnf);
	int rc = caps_claims_write(&terms, true, &claims, NULL);
	if (rc == 0)
		rc = caps_link_tbs(NULL, kid, &claims, &tbs, NULL);
	if (rc < 0)
		return rc;
	crypto_ed25519_sign_once(issuer_seed, tbs.data, tbs.size, signature);
	rc = caps_token_begin(kid, &claims, signature, holder_seed, &token, NULL);
	return rc < 0 ? rc : caps_token_text(token, &made->token, NULL);
}

static int prepare(torture *t)
{
	world *made = calloc(1, sizeof(*made));

	t->state = made;
	TORTURE_CHECK(made != NULL && crypto_open(NULL) == 0);
	TORTURE_CHECK(make_terms(made) == 0);
	TORTURE_CHECK(make_bundle(made) == 0);
	TORTURE_CHECK(make_token(made) == 0);
	return 0;
}

static void remove_keys(const world *made)
{
	char kek[48];

	if (*made->directory == '\0')
		return;
	(void)snprintf(kek, sizeof(kek), "%s/kek", made->directory);
	(void)unlink(made->path);
	(void)unlink(made->fresh);
	(void)unlink(kek);
	(void)rmdir(made->directory);
}

static void clean(torture *t)
{
	world *made = t->state;

	if (t->output != TORTURE_UNTOUCHED)
		hn_text_free(t->output);
	base_free(made->token);
	base_free(made->terms);
	base_buf_free(&made->bundle);
	hn_text_free(made->held);
	remove_keys(made);
	free(made);
}

static int narrow_run(torture *t, hn_error **err)
{
	static const char terms[] =
		"{\"verbs\":[\"unit.read\"],\"resources\":[\"unit/a\"],\"quota\":{\"uses\":5}}";
	const world *made = t->state;
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	char *out = t->output;

	options.now = START + 1;
	int rc = hn_cap_attenuate(made->token, terms, NULL, &options, &out, err);
	t->output = out;
	return rc;
}

static int seal_run(torture *t, hn_error **err)
{
	const world *made = t->state;
	char *out = t->output;
	int rc = hn_cap_seal(made->token, NULL, &out, err);

	t->output = out;
	return rc;
}

static int text_check(torture *t)
{
	if (t->code < 0)
		return 0;
	TORTURE_CHECK(strncmp(t->output, "hvc1.", 5) == 0);
	return 0;
}

static int verify_run(torture *t, hn_error **err)
{
	const world *made = t->state;
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	char *out = t->output;

	options.now = START + 1;
	int rc = hn_cap_verify(
		made->token, made->bundle.data, made->bundle.size, &options, &out, err);
	t->output = out;
	return rc;
}

static int show_run(torture *t, hn_error **err)
{
	const world *made = t->state;
	char *out = t->output;
	int rc = hn_trust_show(made->bundle.data, made->bundle.size, &out, err);

	t->output = out;
	return rc;
}

static int json_check(torture *t)
{
	if (t->code < 0)
		return 0;
	TORTURE_CHECK(strstr(t->output, "866eefbd") == NULL && strstr(t->output, "lab") != NULL);
	return 0;
}

static int trust_run(torture *t, hn_error **err)
{
	const world *made = t->state;
	uint8_t *out = t->output;
	size_t size = 0;
	int rc = hn_trust_make(made->terms, &out, &size, err);

	t->output = out;
	return rc;
}

static int renew_run(torture *t, hn_error **err)
{
	const world *made = t->state;
	hn_trust_renewal how = HN_TRUST_RENEWAL_INIT;
	uint8_t *out = t->output;
	size_t size = 0;

	how.now = START + 1;
	int rc = hn_trust_renew(made->bundle.data, made->bundle.size, &how, &out, &size, err);

	t->output = out;
	return rc;
}

/* --- every condition that there is --- */

#define KEYSET "0000000000000000000000000000000000000000000000000000000000000001"
#define CONDITIONS                                                                                        \
	"\"when\":\"Mon..Fri 09:00-17:30 Europe/Berlin\",\"net\":[\"10.0.0.0/8\",\"2001:db8::/32\"],"     \
	"\"via\":[\"unix\",\"tls:edge\"],\"peer\":[\"p\"],\"tags\":{\"all\":[\"web\"],\"none\":[\"c\"]}," \
	"\"bounds\":{\"memory.size\":{\"max\":\"8Gi\",\"min\":1},\"cpu.model\":{\"in\":[\"x\",\"y\"]}},"  \
	"\"reason\":7,\"staleness\":\"5s\",\"depth\":2,\"redact\":[\"paths\",\"usage\"],"                 \
	"\"approval\":{\"count\":2,\"within\":\"1min\",\"of\":\"" KEYSET "\"},"                           \
	"\"mfa\":{\"of\":\"" KEYSET "\",\"within\":\"2s\"},\"quota\":{\"uses\":5},"                       \
	"\"window\":{\"from\":\"2026-01-01T00:00:00Z\",\"until\":\"2026-03-01T00:00:00Z\"},"              \
	"\"rate\":{\"count\":5,\"per\":\"1min\",\"burst\":2}"

/* The token with all of them, of which the scenarios below read. */
static int prepare_narrow(torture *t)
{
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	world *made;

	if (prepare(t) < 0)
		return -1;
	made = t->state;
	options.now = START + 1;
	TORTURE_CHECK(hn_cap_attenuate(made->token, "{" CONDITIONS "}", NULL, &options, &made->held,
			      NULL) == 0);
	return 0;
}

static int narrow_all_run(torture *t, hn_error **err)
{
	const world *made = t->state;
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	char *out = t->output;

	options.now = START + 1;
	int rc = hn_cap_attenuate(made->token, "{" CONDITIONS "}", NULL, &options, &out, err);
	t->output = out;
	return rc;
}

static int inspect_run(torture *t, hn_error **err)
{
	const world *made = t->state;
	char *out = t->output;
	int rc = hn_cap_inspect(made->held, &out, err);

	t->output = out;
	return rc;
}

static int inspect_check(torture *t)
{
	if (t->code < 0)
		return 0;
	TORTURE_CHECK(strstr(t->output, "\"Mon..Fri 09:00-17:30 Europe/Berlin\""));
	TORTURE_CHECK(strstr(t->output, "\"tls:edge\"") && strstr(t->output, "\"2001:db8::/32\""));
	TORTURE_CHECK(strstr(t->output, "8589934592") || strstr(t->output, "8Gi"));
	return 0;
}

static int explain_offline_run(torture *t, hn_error **err)
{
	static const char request[] =
		"{\"verb\":\"unit.start\",\"object\":\"unit/a\",\"at\":\"2026-01-01T09:10+01:00\","
		"\"address\":\"10.1.2.3\",\"via\":\"tls:edge\",\"peer\":\"p\",\"tags\":[\"web\"],"
		"\"parameters\":{\"memory.size\":5,\"cpu.model\":\"x\"},\"reason\":\"why not\","
		"\"approvals\":{\"" KEYSET "\":2},\"mfa\":[\"" KEYSET "\"],"
		"\"revocationAge\":\"5s\",\"revoked\":[],\"subjectEpoch\":0}";
	const world *made = t->state;
	char *out = t->output;
	int rc = hn_cap_explain(
		made->held, made->bundle.data, made->bundle.size, request, &out, err);

	t->output = out;
	return rc;
}

/* Whatever memory failed for, what is answered is the whole of it. */
static int explain_offline_check(torture *t)
{
	static const char *const words[] = {"\"unit.start\"", "schedule", "10.0.0.0/8",
		"\"checks\"", "memory.size", "\"verified\""};

	for (size_t i = 0; t->code >= 0 && i < BASE_COUNT(words); i++)
		if (!strstr(t->output, words[i]))
			return torture_fail("no %s in %s", words[i], (const char *)t->output);
	return 0;
}

static int fill_run(torture *t, hn_error **err)
{
	static const char document[] =
		"{\"hypernixCapabilities\":1,\"cluster\":\"lab\",\"templates\":{\"a\":{\"ttl\":\"8h\","
		"\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"}]," CONDITIONS "}}}";
	char *out = t->output;
	int rc = hn_cap_fill(document, "a", "alice", "1h", &out, err);

	t->output = out;
	return rc;
}

static int fill_check(torture *t)
{
	TORTURE_CHECK(t->code < 0 ||
		      (strstr(t->output, "\"alice\"") && strstr(t->output, "\"1h\"") &&
			      strstr(t->output, "\"unit/*\"") && strstr(t->output, "\"burst\":2")));
	return 0;
}

/* --- with keys in files --- */

static int prepare_keys(torture *t)
{
	static const char terms[] = "{\"verbs\":[\"unit.read\"]}";
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	char *key = NULL;
	world *made;
	int rc;

	if (prepare(t) < 0)
		return -1;
	made = t->state;
	(void)snprintf(made->directory, sizeof(made->directory), "/tmp/hypernix-torture-XXXXXX");
	TORTURE_CHECK(mkdtemp(made->directory));
	(void)snprintf(made->path, sizeof(made->path), "%s/a.key", made->directory);
	(void)snprintf(made->fresh, sizeof(made->fresh), "%s/b.key", made->directory);
	TORTURE_CHECK(hn_cap_key_new(made->path, NULL, &key, NULL) == 0);
	options.now = START + 1;
	rc = hn_cap_attenuate(made->token, terms, key, &options, &made->held, NULL);
	hn_text_free(key);
	TORTURE_CHECK(rc == 0);
	return 0;
}

static hn_cap_options with_key(const world *made)
{
	hn_cap_options options = HN_CAP_OPTIONS_INIT;

	options.key = made->path;
	options.now = START + 2;
	return options;
}

static int prove_run(torture *t, hn_error **err)
{
	const world *made = t->state;
	hn_cap_options options = with_key(made);
	hn_cap_use use = HN_CAP_USE_INIT;
	char *out = t->output;

	use.nonce = "000102030405060708090a0b0c0d0e0f";
	use.verb = "cap.issue";
	use.object = "node/a";
	use.channel = "unix";
	use.binding = "00ff";
	int rc = hn_cap_prove(made->held, &use, &options, &out, err);

	t->output = out;
	return rc;
}

static int key_run(torture *t, hn_error **err)
{
	const world *made = t->state;
	char *out = t->output;
	int rc = hn_cap_key_new(made->fresh, NULL, &out, err);

	t->output = out;
	return rc;
}

/* It is there when it was said so, and then it is the one. */
static int key_check(torture *t)
{
	const world *made = t->state;
	char *again = NULL;
	int same, rc;

	TORTURE_CHECK(t->code >= 0 || access(made->fresh, F_OK) < 0 ||
		      hn_cap_key_public(made->fresh, &again, NULL) == 0);
	hn_text_free(again);
	if (t->code < 0)
		return 0;
	rc = hn_cap_key_public(made->fresh, &again, NULL);
	same = rc == 0 && strcmp(again, t->output) == 0;
	hn_text_free(again);
	TORTURE_CHECK(same);
	return 0;
}

static int public_run(torture *t, hn_error **err)
{
	const world *made = t->state;
	char *out = t->output;
	int rc = hn_cap_key_public(made->path, &out, err);

	t->output = out;
	return rc;
}

static int assert_run(torture *t, hn_error **err)
{
	const world *made = t->state;
	hn_cap_options options = with_key(made);
	char *out = t->output;
	int rc = hn_approval_assert("000102030405060708090a0b0c0d0e0f", &options, &out, err);

	t->output = out;
	return rc;
}

static int sign_run(torture *t, hn_error **err)
{
	const world *made = t->state;
	hn_cap_options options = with_key(made);
	uint8_t *out = t->output;
	size_t size = 0;
	int rc = hn_trust_sign(made->bundle.data, made->bundle.size, &options, &out, &size, err);

	t->output = out;
	return rc;
}

static const torture_scenario scenarios[] = {
	{.name = "narrow",
		.prepare = prepare,
		.run = narrow_run,
		.check = text_check,
		.clean = clean},
	{.name = "seal", .prepare = prepare, .run = seal_run, .check = text_check, .clean = clean},
	{.name = "verify",
		.prepare = prepare,
		.run = verify_run,
		.check = json_check,
		.clean = clean},
	{.name = "show", .prepare = prepare, .run = show_run, .check = json_check, .clean = clean},
	{.name = "make", .prepare = prepare, .run = trust_run, .clean = clean},
	{.name = "renew", .prepare = prepare, .run = renew_run, .clean = clean},
	{.name = "narrow all",
		.prepare = prepare,
		.run = narrow_all_run,
		.check = text_check,
		.clean = clean},
	{.name = "inspect",
		.prepare = prepare_narrow,
		.run = inspect_run,
		.check = inspect_check,
		.clean = clean},
	{.name = "explain",
		.prepare = prepare_narrow,
		.run = explain_offline_run,
		.check = explain_offline_check,
		.clean = clean},
	{.name = "fill", .prepare = prepare, .run = fill_run, .check = fill_check, .clean = clean},
	{.name = "prove",
		.prepare = prepare_keys,
		.run = prove_run,
		.check = text_check,
		.clean = clean},
	{.name = "key",
		.prepare = prepare_keys,
		.run = key_run,
		.check = key_check,
		.clean = clean},
	{.name = "public", .prepare = prepare_keys, .run = public_run, .clean = clean},
	{.name = "assert", .prepare = prepare_keys, .run = assert_run, .clean = clean},
	{.name = "sign", .prepare = prepare_keys, .run = sign_run, .clean = clean},
};

int main(int argc, char **argv)
{
	return torture_main("caps-token", scenarios, BASE_COUNT(scenarios), argc, argv);
}
