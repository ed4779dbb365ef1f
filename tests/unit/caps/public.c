/* SPDX-License-Identifier: MIT
 *
 * The calls that need no host: inspect, attenuate, seal, prove, verify, keys, and trust bundles
 * from JSON to signed bytes.
 */
#include "raw-token.h"

#include <hypernix/caps-approve.h>
#include <hypernix/caps.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/hypernix-caps-XXXXXX";
static char paths[4][64];

static void begin(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
	cr_assert_not_null(mkdtemp(directory));
	for (size_t i = 0; i < BASE_COUNT(paths); i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%zu.key", directory, i);
}

static void end(void)
{
	char kek[64];

	for (size_t i = 0; i < BASE_COUNT(paths); i++)
		(void)unlink(paths[i]);
	snprintf(kek, sizeof(kek), "%s/kek", directory);
	(void)unlink(kek);
	cr_assert_eq(rmdir(directory), 0);
}

TestSuite(public, .init = begin, .fini = end);

static char *text_of(caps_token *token)
{
	char *text = NULL;

	cr_assert_eq(caps_token_text(token, &text, NULL), 0);
	caps_token_free(token);
	return text;
}

static hn_cap_options at(int64_t now)
{
	hn_cap_options options = HN_CAP_OPTIONS_INIT;

	options.now = now;
	return options;
}

/* A key file with a known seed, wrapped by the file kek. */
static void write_key(size_t index, const uint8_t seed[32])
{
	char kek_path[64];
	uint8_t kek[32];
	crypto_key *key = NULL;
	crypto_wrapping wrapping = {.wrap = CRYPTO_WRAP_KEK, .secret = {kek, sizeof(kek)}};

	memset(kek, 5, sizeof(kek));
	snprintf(kek_path, sizeof(kek_path), "%s/kek", directory);
	cr_assert_eq(os_write_file(hn_os_real(), kek_path, kek, sizeof(kek), 0600, NULL), 0);
	cr_assert_eq(crypto_key_from(CRYPTO_KEY_ED25519, seed, &key, NULL), 0);
	cr_assert_eq(crypto_key_create(hn_os_real(), paths[index], key, &wrapping, NULL), 0);
	crypto_key_free(key);
}

static void expect(int rc, int code, hn_error **err, const char *words)
{
	const char *message = hn_error_message(*err);

	cr_assert_eq(rc, code, "%d: %s", rc, message);
	if (code < 0)
		cr_assert_not_null(strstr(message, words), "%s", message);
	*err = hn_error_unref(*err);
}

Test(public, inspect_shows_links_and_no_secret)
{
	char *text = text_of(golden_token()), *json = NULL, seed[65];
	hn_error *err = NULL;

	expect(hn_cap_inspect(text, &json, &err), 0, &err, "");
	cr_assert_not_null(strstr(json, "alice"), "%s", json);
	cr_assert_not_null(strstr(json, "Europe/Berlin"));
	codec_hex(seeds[2], 32, seed);
	cr_assert_null(strstr(json, seed));
	hn_text_free(json);
	base_free(text);
}

static const char *reason_of(const hn_error *err)
{
	hn_fact fact;

	for (size_t i = 0; hn_error_fact(err, i, &fact) == 0; i++)
		if (strcmp(fact.name, "reason") == 0)
			return fact.text;
	return "";
}

Test(public, what_is_no_token_is_refused_with_the_one_text_and_a_reason)
{
	char *json = NULL;
	hn_error *err = NULL;

	cr_assert_eq(hn_cap_inspect("hvc1.AAAA", &json, &err), HN_ETOKEN);
	cr_assert_str_eq(hn_error_message(err), REFUSAL);
	cr_assert_not_null(strstr(reason_of(err), "chain"), "%s", reason_of(err));
	err = hn_error_unref(err);
	expect(hn_cap_inspect(NULL, &json, &err), HN_EINVAL, &err, "needs a token");
}

Test(public, a_bearer_token_is_narrowed_without_a_key)
{
	char *text = text_of(golden_token()), *made = NULL;
	hn_cap_options options = at(T0 + 10);
	caps_token *token = NULL;
	hn_error *err = NULL;

	expect(hn_cap_attenuate(text, "{\"verbs\":[\"unit.read\"],\"resources\":[\"unit/web\"]}",
		       NULL, &options, &made, &err),
		0, &err, "");
	cr_assert_eq(caps_token_read_text(made, strlen(made), &token, NULL, NULL), 0);
	cr_assert_eq(token->link_count, 3u);
	cr_assert_eq(token->proof, CAPS_PROOF_BEARER);
	cr_assert_eq(token->links[2].expires, T0 + 900, "no later than its parent");
	cr_assert_eq(token->links[2].issued, T0 + 10);
	cr_assert_eq(token->links[2].caveat_count, 2);
	caps_token_free(token);
	hn_text_free(made);
	base_free(text);
}

Test(public, a_token_of_possession_is_narrowed_with_its_key)
{
	char *text = text_of(golden_one()), *made = NULL, holder[65];
	hn_cap_options options = at(T0);
	caps_token *token = NULL;
	uint8_t public_key[32];
	hn_error *err = NULL;

	crypto_ed25519_public(seed_at(9), public_key);
	codec_hex(public_key, 32, holder);
	expect(hn_cap_attenuate(text, "{}", holder, &options, &made, &err), HN_EINVAL, &err,
		"no bearer token");
	write_key(0, seeds[1]);
	options.key = paths[0];
	expect(hn_cap_attenuate(text, "{\"ttl\":\"30min\"}", holder, &options, &made, &err), 0,
		&err, "");
	cr_assert_eq(caps_token_read_text(made, strlen(made), &token, NULL, NULL), 0);
	cr_assert_eq(token->proof, CAPS_PROOF_STORED);
	cr_assert_eq(token->links[1].expires, T0 + 1800);
	cr_assert_eq(memcmp(token->links[1].cnf, public_key, 32), 0);
	caps_token_free(token);
	hn_text_free(made);
	write_key(1, seeds[0]);
	options.key = paths[1];
	expect(hn_cap_attenuate(text, "{}", holder, &options, &made, &err), HN_EINVAL, &err,
		"not that of the capability's last holder");
	base_free(text);
}

static void widens(const char *terms, const char *words)
{
	char *text = text_of(golden_token()), *made = NULL;
	hn_cap_options options = at(T0);
	hn_error *err = NULL;

	expect(hn_cap_attenuate(text, terms, NULL, &options, &made, &err), HN_EWIDEN, &err, words);
	cr_assert_null(made);
	base_free(text);
}

/* The golden token: read, start, stop on units, of which its second link has left reading. */
Test(public, wider_terms_are_refused_with_the_difference)
{
	widens("{\"verbs\":[\"unit.read\",\"unit.start\",\"unit.delete\"]}",
		"unit.delete, unit.start");
	widens("{\"verbs\":[\"volume.read\"]}", "volume.read");
	widens("{\"resources\":[\"unit/a/disk/b\"]}", "unit/a/disk/b");
	widens("{\"resources\":[\"unit/a\",\"volume/a\"]}", "volume/a");
	widens("{\"resources\":[\"unit/**\"]}", "unit/**");
	widens("{\"expires\":\"2026-01-01T00:16:00Z\",\"issued\":\"2026-01-01T00:02:00Z\"}",
		"the token ends at 2026-01-01T00:15:00Z");
}

Test(public, a_bearer_token_lives_15_minutes)
{
	char *text = text_of(golden_one()), *made = NULL;
	hn_cap_options options = at(T0);
	hn_error *err = NULL;

	write_key(0, seeds[1]);
	options.key = paths[0];
	expect(hn_cap_attenuate(text, "{\"ttl\":\"901s\"}", NULL, &options, &made, &err), HN_ERANGE,
		&err, "15 minutes");
	expect(hn_cap_attenuate(text, "{\"ttl\":\"900s\"}", NULL, &options, &made, &err), 0, &err,
		"");
	hn_text_free(made);
	base_free(text);
}

Test(public, terms_are_refused_with_their_place)
{
	char *text = text_of(golden_token()), *made = NULL;
	hn_error *err = NULL;

	expect(hn_cap_attenuate(text, "{\"verb\":[]}", NULL, NULL, &made, &err), HN_ESCHEMA, &err,
		"terms:1:2");
	expect(hn_cap_attenuate(text, "{\"grants\":[]}", NULL, NULL, &made, &err), HN_ESCHEMA, &err,
		"terms:1:11");
	base_free(text);
}

Test(public, holder_must_be_a_public_key)
{
	char *text = text_of(golden_token()), *made = NULL;
	hn_cap_options options = at(T0);
	hn_error *err = NULL;

	expect(hn_cap_attenuate(text, "{}", "abc", &options, &made, &err), HN_EINVAL, &err,
		"holder is no public key");
	expect(hn_cap_attenuate(text, "{}",
		       "0000000000000000000000000000000000000000000000000000000000000000", &options,
		       &made, &err),
		HN_EINVAL, &err, "holder is no public key");
	base_free(text);
}

Test(public, a_sealed_token_cannot_be_narrowed)
{
	char *text = text_of(golden_token()), *sealed = NULL, *made = NULL;
	hn_cap_options options = at(T0);
	hn_error *err = NULL;

	expect(hn_cap_seal(text, NULL, &sealed, &err), 0, &err, "");
	expect(hn_cap_attenuate(sealed, "{}", NULL, &options, &made, &err), HN_EINVAL, &err,
		"sealed");
	expect(hn_cap_seal(sealed, NULL, &made, &err), HN_EINVAL, &err, "sealed");
	hn_text_free(sealed);
	base_free(text);
}

Test(public, a_token_that_is_over_cannot_be_narrowed)
{
	char *text = text_of(golden_token()), *made = NULL;
	hn_cap_options options = at(T0 + 900);
	hn_error *err = NULL;

	expect(hn_cap_attenuate(text, "{}", NULL, &options, &made, &err), HN_EINVAL, &err,
		"ended at 2026-01-01T00:15:00Z");
	base_free(text);
}

Test(public, a_proof_is_over_its_use)
{
	char *text = text_of(chain_of(2, false)), *made = NULL;
	hn_cap_options options = at(T0 + 5);
	hn_cap_use use = HN_CAP_USE_INIT;
	caps_token *token = NULL;
	caps_proof proof;
	hn_error *err = NULL;

	write_key(0, seeds[2]);
	options.key = paths[0];
	use.nonce = "000102030405060708090a0b0c0d0e0f";
	use.verb = "cap.issue";
	use.object = "node/a";
	use.channel = "unix";
	use.binding = "abcd";
	expect(hn_cap_prove(text, &use, &options, &made, &err), 0, &err, "");
	cr_assert_eq(caps_token_read_text(made, strlen(made), &token, NULL, NULL), 0);
	cr_assert_eq(token->proof, CAPS_PROOF_POSSESSION);
	cr_assert(caps_proof_read(token->proof, token->proof_bytes, &proof));
	cr_assert_eq(proof.verb, (uint64_t)HN_VERB_CAP_ISSUE);
	cr_assert_eq(proof.issued, T0 + 5);
	cr_assert_eq(proof.channel_kind, (uint64_t)CAPS_CHANNEL_UNIX);
	cr_assert_eq(proof.binding.size, 2u);
	cr_assert_eq(proof.nonce.bytes[15], 15);
	caps_token_free(token);
	hn_text_free(made);
	base_free(text);
}

Test(public, a_use_that_is_not_as_it_should_be)
{
	char *text = text_of(golden_token()), *made = NULL;
	hn_cap_use sound = HN_CAP_USE_INIT;
	hn_error *err = NULL;

	sound.nonce = "000102030405060708090a0b0c0d0e0f";
	hn_cap_use use = sound;
	use.nonce = "00";
	expect(hn_cap_prove(text, &use, NULL, &made, &err), HN_EINVAL, &err, "nonce");
	use.nonce = NULL;
	expect(hn_cap_prove(text, &use, NULL, &made, &err), HN_EINVAL, &err, "nonce");
	use = sound;
	use.verb = "unit.fly";
	expect(hn_cap_prove(text, &use, NULL, &made, &err), HN_EINVAL, &err, "unit.fly");
	use = sound;
	use.object = "unit//a";
	expect(hn_cap_prove(text, &use, NULL, &made, &err), HN_EINVAL, &err, "object");
	use = sound;
	use.channel = "pigeon";
	expect(hn_cap_prove(text, &use, NULL, &made, &err), HN_EINVAL, &err, "pigeon");
	use = sound;
	use.binding = "abc";
	expect(hn_cap_prove(text, &use, NULL, &made, &err), HN_EINVAL, &err, "binding");
	use = sound;
	use.request = "zz";
	expect(hn_cap_prove(text, &use, NULL, &made, &err), HN_EINVAL, &err, "request");
	base_free(text);
}

/* --- trust --- */

static void key_hex(size_t seed, char hex[65])
{
	uint8_t key[32];

	crypto_ed25519_public(seed_at(seed), key);
	codec_hex(key, 32, hex);
}

/* Roots are of seeds 10, 11, 12, two of which must sign; the issuer is of seed 0. */
static char *trust_terms(void)
{
	static char text[4096];
	char root[3][65], issuer[65], bo[65];

	for (size_t i = 0; i < 3; i++)
		key_hex(10 + i, root[i]);
	key_hex(0, issuer);
	key_hex(20, bo);
	snprintf(text, sizeof(text),
		"{\"version\":1,\"cluster\":\"lab\",\"made\":\"2026-01-01T00:00:00Z\","
		"\"threshold\":2,\"roots\":[\"%s\",\"%s\",\"%s\"],"
		"\"issuers\":[{\"key\":\"%s\",\"epoch\":1,\"from\":\"2025-12-31T00:00:00Z\","
		"\"until\":\"2026-01-20T00:00:00Z\",\"ttl\":\"1d\",\"grants\":[{\"verbs\":[\"unit.*\"],"
		"\"on\":\"unit/**\"}]}],"
		"\"keysets\":[{\"members\":[{\"person\":\"bo\",\"key\":\"%s\"},{\"person\":\"al\",\"key\":"
		"\"%s\"}]}],"
		"\"presets\":[{\"name\":\"outage\",\"keyset\":0,\"threshold\":2,\"verbs\":[\"unit.*\"],"
		"\"on\":[\"unit/**\"],\"ttl\":\"1h\"}]}",
		root[0], root[1], root[2], issuer, bo, root[0]);
	return text;
}

typedef struct bytes {
	uint8_t *data;
	size_t size;
} bytes;

/* Signed with the key of this seed. */
static bytes signed_by(bytes bundle, size_t seed)
{
	bytes made = {NULL, 0};
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	hn_error *err = NULL;

	(void)unlink(paths[3]);
	write_key(3, seed_at(seed));
	options.key = paths[3];
	expect(hn_trust_sign(bundle.data, bundle.size, &options, &made.data, &made.size, &err), 0,
		&err, "");
	hn_bytes_free(bundle.data);
	return made;
}

static bytes trusted(void)
{
	bytes made = {NULL, 0};
	hn_error *err = NULL;

	expect(hn_trust_make(trust_terms(), &made.data, &made.size, &err), 0, &err, "");
	return signed_by(signed_by(made, 12), 10);
}

Test(public, a_bundle_is_made_signed_and_shown)
{
	bytes made = {NULL, 0};
	hn_error *err = NULL;
	char *json = NULL;

	expect(hn_trust_make(trust_terms(), &made.data, &made.size, &err), 0, &err, "");
	expect(hn_trust_show(made.data, made.size, &json, &err), 0, &err, "");
	cr_assert_not_null(strstr(json, "\"signatures\": 0"), "%s", json);
	cr_assert_not_null(strstr(json, "\"signed\": false"));
	hn_text_free(json);
	made = signed_by(made, 12);
	made = signed_by(made, 12); /* again: in its place */
	made = signed_by(made, 30); /* no root: counts for nothing */
	expect(hn_trust_show(made.data, made.size, &json, &err), 0, &err, "");
	cr_assert_not_null(strstr(json, "\"signatures\": 1"), "%s", json);
	hn_text_free(json);
	made = signed_by(made, 11);
	expect(hn_trust_show(made.data, made.size, &json, &err), 0, &err, "");
	cr_assert_not_null(strstr(json, "\"signed\": true"), "%s", json);
	cr_assert_not_null(strstr(json, "866eefbd6718c88400000001"), "%s", json);
	hn_text_free(json);
	hn_bytes_free(made.data);
}

static int verified(
	const char *text, bytes bundle, int64_t now, const char *audience, hn_error **err)
{
	hn_cap_options options = at(now);
	char *json = NULL;

	options.audience = audience;
	int rc = hn_cap_verify(text, bundle.data, bundle.size, &options, &json, err);
	if (rc == 0)
		cr_assert_not_null(strstr(json, "\"good\": true"));
	hn_text_free(json);
	return rc;
}

Test(public, a_token_is_verified_under_a_bundle)
{
	char *text = text_of(golden_token()), *stored = text_of(golden_one());
	bytes bundle = trusted();
	hn_error *err = NULL;

	expect(verified(text, bundle, T0 + 10, NULL, &err), 0, &err, "");
	expect(verified(stored, bundle, T0 + 10, "lab", &err), 0, &err, "");
	expect(verified(text, bundle, T0 + 899, NULL, &err), 0, &err, "");
	cr_assert_eq(verified(text, bundle, T0 + 900, NULL, &err), HN_ETOKEN);
	cr_assert_str_eq(reason_of(err), "it is over");
	hn_error_unref(err);
	err = NULL;
	cr_assert_eq(verified(text, bundle, T0 - 31, NULL, &err), HN_ETOKEN);
	cr_assert_str_eq(reason_of(err), "its time has not begun");
	hn_error_unref(err);
	err = NULL;
	cr_assert_eq(verified(text, bundle, T0 + 10, "other", &err), HN_ETOKEN);
	hn_error_unref(err);
	err = NULL;
	bundle.data[bundle.size / 2] ^= 1;
	cr_assert_eq(verified(text, bundle, T0 + 10, NULL, &err), HN_EBUNDLE);
	hn_error_unref(err);
	hn_bytes_free(bundle.data);
	base_free(text);
	base_free(stored);
}

static void terms_refused(const char *old, const char *new, int code, const char *words)
{
	char terms[4096];
	char *text = trust_terms(), *found = strstr(text, old);
	bytes made = {NULL, 0};
	hn_error *err = NULL;

	cr_assert_not_null(found, "%s", old);
	snprintf(terms, sizeof(terms), "%.*s%s%s", (int)(found - text), text, new,
		found + strlen(old));
	expect(hn_trust_make(terms, &made.data, &made.size, &err), code, &err, words);
}

Test(public, trust_terms_are_refused_with_their_place)
{
	terms_refused("\"version\":1,", "", HN_ESCHEMA, "\"version\" is missing");
	terms_refused("\"version\":1", "\"version\":0", HN_ERANGE, "trust terms:1:12");
	terms_refused("\"version\":1", "\"versoin\":1", HN_ESCHEMA, "versoin");
	terms_refused(
		"\"threshold\":2,\"roots\"", "\"threshold\":4,\"roots\"", HN_ERANGE, "4 is not");
	terms_refused("\"until\":\"2026-01-20", "\"until\":\"2026-02-20", HN_ERANGE, "30 days");
	terms_refused("\"ttl\":\"1h\"", "\"ttl\":\"61min\"", HN_ERANGE, "61min");
	terms_refused("\"keyset\":0", "\"keyset\":1", HN_ERANGE, "1 is not");
	terms_refused("\"threshold\":2,\"verbs\"", "\"threshold\":3,\"verbs\"", HN_EINVAL,
		"would not be accepted");
	terms_refused("\"on\":\"unit/**\"", "\"on\":\"unit//\"", HN_ESYNTAX, "pattern");
	terms_refused("unit.*", "unit.fly", HN_EINVAL, "unit.fly");
	terms_refused("{", "[", HN_ESYNTAX, "");
}

/* --- key files --- */

Test(public, a_new_key_opens_by_the_kek_beside_it)
{
	char *made = NULL, *again = NULL, *text = NULL;
	hn_cap_options options = at(T0);
	struct stat status;
	hn_error *err = NULL;

	expect(hn_cap_key_new(paths[0], NULL, &made, &err), 0, &err, "");
	cr_assert_eq(strlen(made), 64u);
	expect(hn_cap_key_public(paths[0], &again, &err), 0, &err, "");
	cr_assert_str_eq(made, again);
	cr_assert_eq(stat(paths[0], &status), 0);
	cr_assert_eq(status.st_mode & 07777, 0600u);
	expect(hn_cap_key_new(paths[0], NULL, &made, &err), HN_EEXIST, &err, "there already");
	text = text_of(golden_token());
	char *handed = NULL, *narrower = NULL;
	expect(hn_cap_attenuate(text, "{}", again, &options, &handed, &err), 0, &err, "");
	options.key = paths[0];
	expect(hn_cap_attenuate(handed, "{}", NULL, &options, &narrower, &err), 0, &err, "");
	hn_text_free(narrower);
	hn_text_free(handed);
	hn_text_free(again);
	hn_text_free(made);
	base_free(text);
}

Test(public, a_key_with_a_passphrase, .timeout = 60)
{
	char *made = NULL, *text = text_of(golden_token()), *out = NULL;
	hn_cap_options options = at(T0);
	hn_error *err = NULL;

	expect(hn_cap_key_new(paths[0], "correct horse", &made, &err), 0, &err, "");
	options.key = paths[0];
	options.passphrase = "wrong";
	expect(hn_cap_seal(text, &options, &out, &err), HN_ECRYPT, &err, "");
	options.passphrase = "correct horse";
	expect(hn_cap_seal(text, &options, &out, &err), HN_EINVAL, &err, "last holder");
	hn_text_free(made);
	base_free(text);
}

Test(public, key_files_that_are_not_there)
{
	char *out = NULL;
	hn_error *err = NULL;

	expect(hn_cap_key_public(paths[0], &out, &err), HN_ENOENT, &err, "");
	expect(hn_cap_key_public(NULL, &out, &err), HN_EINVAL, &err, "");
	expect(hn_cap_key_new(NULL, NULL, &out, &err), HN_EINVAL, &err, "");
}

/* --- what is left out --- */

Test(public, nothing_is_done_without_what_it_needs)
{
	const hn_cap_use use = HN_CAP_USE_INIT;
	char *text = NULL, *token = text_of(golden_token());
	uint8_t *made = NULL;
	size_t size = 0;

	cr_expect_eq(hn_cap_inspect(NULL, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_inspect(token, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_attenuate(NULL, "{}", NULL, NULL, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_attenuate(token, NULL, NULL, NULL, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_attenuate(token, "{}", NULL, NULL, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_seal(NULL, NULL, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_seal(token, NULL, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_prove(NULL, &use, NULL, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_prove(token, NULL, NULL, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_prove(token, &use, NULL, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_verify(NULL, "x", 1, NULL, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_verify(token, NULL, 0, NULL, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_verify(token, "x", 1, NULL, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_explain(NULL, NULL, 0, "{}", &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_explain(token, NULL, 0, NULL, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_explain(token, NULL, 0, "{}", NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_key_new(NULL, NULL, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_key_new(paths[0], NULL, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_key_public(NULL, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_cap_key_public(paths[0], NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_trust_make(NULL, &made, &size, NULL), HN_EINVAL);
	cr_expect_eq(hn_trust_make("{}", NULL, &size, NULL), HN_EINVAL);
	cr_expect_eq(hn_trust_make("{}", &made, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_trust_show(NULL, 0, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_trust_show("x", 1, NULL, NULL), HN_EINVAL);
	cr_expect_null(text);
	cr_expect_null(made);
	cr_expect_eq(access(paths[0], F_OK), -1, "no key was made");
	base_free(token);
}

Test(public, signing_needs_a_key_and_a_place)
{
	hn_cap_options keyless = at(T0), with = at(T0);
	uint8_t *made = NULL;
	char *text = NULL;
	size_t size = 0;
	const char *nonce = "000102030405060708090a0b0c0d0e0f";

	with.key = paths[0];
	cr_expect_eq(hn_trust_sign(NULL, 0, &with, &made, &size, NULL), HN_EINVAL);
	cr_expect_eq(hn_trust_sign("x", 1, &keyless, &made, &size, NULL), HN_EINVAL);
	cr_expect_eq(hn_trust_sign("x", 1, &with, NULL, &size, NULL), HN_EINVAL);
	cr_expect_eq(hn_trust_sign("x", 1, &with, &made, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_sign(NULL, &with, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_sign("x", &with, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_sign("x", &keyless, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_assert(NULL, &with, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_assert(nonce, &with, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_assert(nonce, &keyless, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_assert(nonce + 1, &with, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_assert("g00102030405060708090a0b0c0d0e0f", &with, &text, NULL),
		HN_EINVAL);
	cr_expect_eq(hn_approval_assert(nonce, &with, &text, NULL), HN_ENOENT, "no such key");
	cr_expect_eq(hn_approval_inspect(NULL, &text, NULL), HN_EINVAL);
	cr_expect_eq(hn_approval_inspect("x", NULL, NULL), HN_EINVAL);
	with.now = -1;
	cr_expect_eq(hn_approval_sign("x", &with, &text, NULL), HN_EINVAL, "before 1970");
	cr_expect_null(text);
	cr_expect_null(made);
}
