/* SPDX-License-Identifier: MIT
 *
 * Torture of tokens and trust bundles: each is made, narrowed, verified and shown while memory
 * fails. Then nothing was given, nothing is lost, and no token is called bad for want of memory.
 */
#include "caps/token-private.h"
#include "caps/trust.h"
#include "torture.h"

#include <hypernix/caps.h>
#include <stdlib.h>

#define START INT64_C(1767225600)

static const uint8_t issuer_seed[32] = {1}, holder_seed[32] = {2}, root_seed[32] = {3};

typedef struct world {
	char *token; /* a bearer token of one link */
	base_buf bundle;
	char *terms; /* of the bundle */
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

static void clean(torture *t)
{
	world *made = t->state;

	if (t->output != TORTURE_UNTOUCHED)
		hn_text_free(t->output);
	base_free(made->token);
	base_free(made->terms);
	base_buf_free(&made->bundle);
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
};

int main(int argc, char **argv)
{
	return torture_main("caps-token", scenarios, BASE_COUNT(scenarios), argc, argv);
}
