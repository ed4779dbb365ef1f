/* SPDX-License-Identifier: MIT
 *
 * Trust bundles: strict reading, thresholds of roots, versions, and asking them.
 */
#include "caps/trust-private.h"
#include "raw-token.h"
#include <hypernix/caps.h>

static void open_crypto(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(trust, .init = open_crypto);
TestSuite(renew, .init = open_crypto);

/* Seeds 10, 11 and 12 are its roots, two of which must sign; texts are static. */
typedef struct sample {
	caps_bundle bundle;
	caps_issuer issuers[2];
	caps_keyset keysets[1];
	caps_preset presets[1];
} sample;

static caps_view view(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

static void sample_init(sample *made)
{
	trusting trust;

	*made = (sample){0};
	trust_init(&trust);
	made->issuers[0] = made->issuers[1] = trust.issuers[0];
	made->issuers[1].epoch = 2;
	made->bundle = (caps_bundle){.version = 3,
		.cluster = view("lab"),
		.made = T0,
		.threshold = 2,
		.root_count = 3,
		.issuers = made->issuers,
		.issuer_count = 2,
		.keysets = made->keysets,
		.keyset_count = 1,
		.presets = made->presets,
		.preset_count = 1};
	for (size_t i = 0; i < 3; i++)
		crypto_ed25519_public(seed_at(10 + i), made->bundle.roots[i]);
	made->keysets[0].count = 3;
	made->keysets[0].entries[0].person = view("eve");
	made->keysets[0].entries[1].person = view("bo");
	made->keysets[0].entries[2].person = view("bo");
	for (size_t i = 0; i < 3; i++)
		crypto_ed25519_public(seed_at(20 + i), made->keysets[0].entries[i].key);
	cr_assert_eq(caps_keyset_finish(&made->keysets[0], NULL), 0);
	made->presets[0] = (caps_preset){.name = view("outage"),
		.threshold = 2,
		.mask = {{0xff}},
		.patterns = {view("unit/**")},
		.pattern_count = 1,
		.max_ttl = 3600};
	memcpy(made->presets[0].keyset, made->keysets[0].hash, 32);
}

static base_buf payload_of(const sample *made)
{
	base_buf payload = {0};
	hn_error *err = NULL;

	cr_assert_eq(
		caps_bundle_write(&made->bundle, &payload, &err), 0, "%s", hn_error_message(err));
	return payload;
}

/* Frees `from`. */
static base_buf sign(base_buf from, size_t seed)
{
	base_buf made = {0};
	hn_error *err = NULL;

	cr_assert_eq(caps_bundle_sign((uint8_t *)from.data, from.size, seed_at(seed), &made, &err),
		0, "%s", hn_error_message(err));
	base_buf_free(&from);
	return made;
}

static caps_bundle *accepted(const base_buf *bytes, const caps_bundle *before)
{
	caps_bundle *bundle = NULL;
	hn_error *err = NULL;

	cr_assert_eq(caps_bundle_read((uint8_t *)bytes->data, bytes->size, before, &bundle, &err),
		0, "%s", hn_error_message(err));
	return bundle;
}

static void refused(const base_buf *bytes, const caps_bundle *before, const char *words)
{
	caps_bundle *bundle = NULL;
	hn_error *err = NULL;

	cr_assert_eq(caps_bundle_read((uint8_t *)bytes->data, bytes->size, before, &bundle, &err),
		HN_EBUNDLE, "accepted; %s", words);
	cr_assert_null(bundle);
	cr_assert_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
	hn_error_unref(err);
}

static base_buf signed_sample(const sample *made)
{
	return sign(sign(payload_of(made), 11), 10);
}

Test(trust, what_is_written_is_read)
{
	sample made;
	sample_init(&made);
	base_buf bytes = signed_sample(&made);
	caps_bundle *bundle = accepted(&bytes, NULL);

	cr_assert_eq(bundle->version, 3u);
	cr_assert_eq(bundle->threshold, 2u);
	cr_assert_eq(bundle->root_count, 3u);
	cr_assert_eq(bundle->issuer_count, 2u);
	cr_assert_eq(bundle->issuers[1].epoch, 2u);
	cr_assert_eq(bundle->issuers[0].max_ttl, 86400);
	cr_assert_eq(bundle->keysets[0].count, 3u);
	cr_assert_eq(bundle->keysets[0].entries[2].person.size, 3u, "eve, who has the longer name");
	cr_assert_eq(bundle->presets[0].max_ttl, 3600);
	base_buf again = payload_of(&made), written = {0};
	cr_assert_eq(caps_bundle_write(bundle, &written, NULL), 0);
	cr_assert_eq(again.size, written.size);
	cr_assert_eq(memcmp(again.data, written.data, again.size), 0);
	base_buf_free(&again);
	base_buf_free(&written);
	caps_bundle_free(bundle);
	base_buf_free(&bytes);
}

Test(trust, it_is_asked_for_issuers_keysets_and_presets)
{
	sample made;
	sample_init(&made);
	base_buf bytes = signed_sample(&made);
	caps_bundle *bundle = accepted(&bytes, NULL);
	uint8_t kid[CAPS_KID], other[32] = {1};
	bool ambiguous = true;

	issuer_kid(kid);
	cr_assert_eq(caps_bundle_issuer(bundle, kid, &ambiguous), &bundle->issuers[0]);
	cr_assert_not(ambiguous);
	kid[11] = 2;
	cr_assert_eq(caps_bundle_issuer(bundle, kid, &ambiguous), &bundle->issuers[1]);
	kid[11] = 3;
	cr_assert_null(caps_bundle_issuer(bundle, kid, &ambiguous));
	cr_assert_not_null(caps_bundle_keyset(bundle, made.keysets[0].hash));
	cr_assert_null(caps_bundle_keyset(bundle, other));
	cr_assert_not_null(caps_bundle_preset(bundle, "outage"));
	cr_assert_null(caps_bundle_preset(bundle, "out"));
	caps_bundle_free(bundle);
	base_buf_free(&bytes);
}

Test(trust, too_few_roots)
{
	sample made;
	sample_init(&made);
	base_buf bytes = sign(payload_of(&made), 10);

	refused(&bytes, NULL, "1 good signatures of its own roots, 2 are needed");
	bytes = sign(bytes, 10); /* the same once more */
	refused(&bytes, NULL, "1 good");
	bytes = sign(bytes, 30); /* nobody */
	refused(&bytes, NULL, "1 good");
	bytes = sign(bytes, 12);
	caps_bundle_free(accepted(&bytes, NULL));
	base_buf_free(&bytes);
}

Test(trust, nobody_has_signed)
{
	sample made;
	sample_init(&made);
	base_buf payload = payload_of(&made);

	refused(&payload, NULL, "0 good");
	base_buf_free(&payload);
}

Test(trust, each_single_bit_flip)
{
	sample made;
	sample_init(&made);
	base_buf bytes = signed_sample(&made);

	for (size_t i = 0; i < bytes.size * 8; i++) {
		caps_bundle *bundle = NULL;

		bytes.data[i / 8] ^= (char)(1u << i % 8);
		cr_assert_eq(
			caps_bundle_read((uint8_t *)bytes.data, bytes.size, NULL, &bundle, NULL),
			HN_EBUNDLE, "bit %zu", i);
		bytes.data[i / 8] ^= (char)(1u << i % 8);
	}
	caps_bundle_free(accepted(&bytes, NULL));
	base_buf_free(&bytes);
}

Test(trust, each_truncation_and_a_byte_more)
{
	sample made;
	sample_init(&made);
	base_buf bytes = signed_sample(&made);

	for (size_t size = 0; size < bytes.size; size++) {
		base_buf part = {.data = bytes.data, .size = size};

		refused(&part, NULL, "");
	}
	base_buf_add(&bytes, "", 1);
	refused(&bytes, NULL, "");
	base_buf_free(&bytes);
}

Test(trust, versions_only_rise)
{
	sample made;
	sample_init(&made);
	base_buf first = signed_sample(&made);
	caps_bundle *before = accepted(&first, NULL);

	refused(&first, before, "version 3 does not follow version 3");
	made.bundle.version = 2;
	base_buf second = signed_sample(&made);
	refused(&second, before, "version 2 does not follow");
	base_buf_free(&second);
	made.bundle.version = 4;
	second = signed_sample(&made);
	caps_bundle_free(accepted(&second, before));
	caps_bundle_free(before);
	base_buf_free(&first);
	base_buf_free(&second);
}

/* Roots change when the roots before and the new ones both have signed. */
Test(trust, roots_are_handed_over)
{
	sample made;
	sample_init(&made);
	base_buf first = signed_sample(&made);
	caps_bundle *before = accepted(&first, NULL);

	made.bundle.version = 4;
	for (size_t i = 0; i < 3; i++)
		crypto_ed25519_public(seed_at(40 + i), made.bundle.roots[i]);
	base_buf second = sign(sign(payload_of(&made), 40), 41);
	refused(&second, before, "0 good signatures of the present roots");
	second = sign(second, 10);
	refused(&second, before, "1 good signatures of the present roots");
	second = sign(second, 12);
	caps_bundle_free(accepted(&second, before));
	caps_bundle_free(accepted(&second, NULL));
	base_buf_free(&second);
	second = sign(sign(payload_of(&made), 10), 11); /* the old ones alone */
	refused(&second, before, "0 good signatures of its own roots");
	base_buf_free(&second);
	base_buf_free(&first);
	caps_bundle_free(before);
}

Test(trust, another_cluster)
{
	sample made;
	sample_init(&made);
	base_buf first = signed_sample(&made);
	caps_bundle *before = accepted(&first, NULL);

	made.bundle.version = 4;
	made.bundle.cluster = view("bal");
	base_buf second = signed_sample(&made);
	refused(&second, before, "another cluster");
	base_buf_free(&first);
	base_buf_free(&second);
	caps_bundle_free(before);
}

static void not_written(const sample *made, const char *words)
{
	base_buf payload = {0};
	hn_error *err = NULL;

	cr_assert_eq(caps_bundle_write(&made->bundle, &payload, &err), HN_EINVAL, "%s", words);
	cr_assert_not_null(strstr(hn_error_message(hn_error_cause(err)), words), "%s",
		hn_error_message(hn_error_cause(err)));
	cr_assert_eq(payload.size, 0u);
	hn_error_unref(err);
}

Test(trust, what_would_not_be_read_is_not_written)
{
	sample made;

	sample_init(&made);
	made.bundle.threshold = 4;
	not_written(&made, "threshold");
	sample_init(&made);
	made.bundle.threshold = 0;
	not_written(&made, "threshold");
	sample_init(&made);
	memcpy(made.bundle.roots[1], made.bundle.roots[0], 32);
	not_written(&made, "root stands twice");
	sample_init(&made);
	memset(made.bundle.roots[1], 0, 32);
	not_written(&made, "root is not a valid");
	sample_init(&made);
	memset(made.issuers[1].key, 0, 32);
	not_written(&made, "issuer has not its form");
	sample_init(&made);
	made.issuers[0].sign_until = made.issuers[0].not_before + CAPS_SIGN_SECONDS + 1;
	not_written(&made, "issuer");
	sample_init(&made);
	made.issuers[0].sign_until = made.issuers[0].not_before - 1;
	not_written(&made, "issuer");
	sample_init(&made);
	made.issuers[0].max_ttl = 0;
	not_written(&made, "issuer");
	sample_init(&made);
	made.issuers[0].ceiling[0].pattern = view("unit//");
	not_written(&made, "issuer");
	sample_init(&made);
	made.bundle.cluster = view("l b");
	not_written(&made, "cluster");
	sample_init(&made);
	made.bundle.version = 0;
	not_written(&made, "version");
	sample_init(&made);
	made.presets[0].threshold = 3; /* eve and bo, who has two keys */
	not_written(&made, "more persons");
	sample_init(&made);
	made.presets[0].max_ttl = 3601;
	not_written(&made, "preset");
	sample_init(&made);
	made.presets[0].keyset[0] ^= 1;
	not_written(&made, "more persons than its keyset");
	sample_init(&made);
	made.bundle.witnesses_needed = 1;
	not_written(&made, "witnesses");
}

Test(trust, pairs_of_a_keyset_rise)
{
	sample made;

	sample_init(&made);
	made.keysets[0].entries[0] = made.keysets[0].entries[2];
	not_written(&made, "pairs do not rise");
	sample_init(&made);
	made.keysets[0].entries[1] = made.keysets[0].entries[0];
	not_written(&made, "pairs do not rise");
}

Test(trust, the_hash_of_a_keyset_does_not_depend_on_its_order)
{
	caps_keyset one = {.count = 3}, other = {.count = 3};
	static const char *const persons[] = {"eve", "bo", "alice"};

	for (size_t i = 0; i < 3; i++) {
		one.entries[i].person = view(persons[i]);
		crypto_ed25519_public(seed_at(20 + i), one.entries[i].key);
		other.entries[2 - i] = one.entries[i];
	}
	cr_assert_eq(caps_keyset_finish(&one, NULL), 0);
	cr_assert_eq(caps_keyset_finish(&other, NULL), 0);
	cr_assert_eq(memcmp(one.hash, other.hash, 32), 0);
	other.entries[0].key[0] ^= 1;
	cr_assert_eq(caps_keyset_finish(&other, NULL), 0);
	cr_assert_neq(memcmp(one.hash, other.hash, 32), 0);
}

static void header_refused(const char *old, const char *new)
{
	sample made;
	sample_init(&made);
	base_buf bytes = signed_sample(&made);

	raw_edit(&bytes, old, new);
	refused(&bytes, NULL, "");
	base_buf_free(&bytes);
}

Test(trust, other_headers)
{
	header_refused("d862", "d2"); /* COSE_Sign1 */
	header_refused("d862", "");   /* untagged */
	header_refused("10781a", "10781b");
	header_refused("a0", "a10127");         /* unprotected */
	header_refused("a2012704", "a2012604"); /* ES256 */
	header_refused("a2012704", "a2013a"
				   "04");
}

Test(trust, more_than_its_limit_of_bytes)
{
	base_buf big = {0};
	static const char zeros[4096];

	while (big.size <= base_limit(BASE_LIMIT_TRUST_BYTES))
		base_buf_add(&big, zeros, sizeof(zeros));
	big.data[0] = (char)0xa9;
	refused(&big, NULL, "too long");
	base_buf_free(&big);
}

Test(trust, looking_does_not_ask_for_signatures)
{
	sample made;
	sample_init(&made);
	base_buf payload = payload_of(&made);
	caps_bundle *bundle = NULL;
	size_t signatures = 9;

	cr_assert_eq(
		caps_bundle_look((uint8_t *)payload.data, payload.size, &bundle, &signatures, NULL),
		0);
	cr_assert_eq(signatures, 0u);
	caps_bundle_free(bundle);
	payload = sign(payload, 12);
	cr_assert_eq(
		caps_bundle_look((uint8_t *)payload.data, payload.size, &bundle, &signatures, NULL),
		0);
	cr_assert_eq(signatures, 1u);
	caps_bundle_free(bundle);
	base_buf_free(&payload);
}

Test(trust, what_an_issuer_may_sign)
{
	caps_token *token = golden_one();
	trusting trust;

	trust_init(&trust);
	cr_assert_null(caps_issuer_refuses(&trust.issuers[0], token));
	/* The union of two rows: read and start here, stop there. */
	caps_issuer issuer = trust.issuers[0];
	issuer.ceiling[0].mask = (caps_mask){{0x11}};
	cr_assert_not_null(caps_issuer_refuses(&issuer, token));
	issuer.ceiling[1] = (caps_grant){.mask = {{0x20}}, .pattern = view("unit/*")};
	issuer.ceiling_count = 2;
	cr_assert_null(caps_issuer_refuses(&issuer, token));
	issuer.ceiling[1].pattern = view("unit/a");
	cr_assert_not_null(caps_issuer_refuses(&issuer, token));
	caps_token_free(token);
}

/* --- renewing --- */

typedef struct renewed {
	base_buf payload;
	uint8_t *bytes;
	caps_bundle *bundle;
	hn_error *err;
} renewed;

static int renew(sample *made, const hn_trust_renewal *how, renewed *out)
{
	size_t size = 0;

	*out = (renewed){.payload = payload_of(made)};
	int rc = hn_trust_renew(
		out->payload.data, out->payload.size, how, &out->bytes, &size, &out->err);
	if (rc == 0)
		cr_assert_eq(caps_bundle_look(out->bytes, size, &out->bundle, NULL, NULL), 0);
	return rc;
}

static void renewed_free(renewed *out)
{
	base_buf_free(&out->payload);
	base_free(out->bytes);
	caps_bundle_free(out->bundle);
	hn_error_unref(out->err);
}

#define RENEWED __attribute__((cleanup(renewed_free))) renewed

Test(renew, a_row_of_the_next_epoch_and_all_else_as_it_was)
{
	sample made;
	RENEWED out;
	hn_trust_renewal how = HN_TRUST_RENEWAL_INIT;

	sample_init(&made);
	how.now = made.issuers[1].sign_until - 86400;
	cr_assert_eq(renew(&made, &how, &out), 0, "%s", hn_error_message(out.err));
	cr_assert_eq(out.bundle->version, 4);
	cr_assert_eq(out.bundle->made, how.now);
	cr_assert_eq(out.bundle->threshold, 2);
	cr_assert_eq(out.bundle->preset_count, 1);
	cr_assert_eq(out.bundle->issuer_count, 3);
	cr_expect_eq(memcmp(out.bundle->issuers[0].kid, out.bundle->issuers[1].kid, 8), 0);
	cr_expect_eq(out.bundle->issuers[1].sign_until, made.issuers[1].sign_until);
	cr_expect_eq(out.bundle->issuers[2].epoch, 3);
	cr_expect_eq(out.bundle->issuers[2].not_before, how.now);
	cr_expect_eq(out.bundle->issuers[2].sign_until, how.now + CAPS_SIGN_SECONDS);
	cr_expect_eq(out.bundle->issuers[2].max_ttl, made.issuers[1].max_ttl);
	cr_expect_eq(out.bundle->issuers[2].ceiling_count, made.issuers[1].ceiling_count);
	cr_expect_eq(caps_bundle_newest(out.bundle, made.issuers[0].key)->epoch, 3);
}

Test(renew, rows_go_when_nothing_of_theirs_can_be_good)
{
	sample made;
	RENEWED out;
	hn_trust_renewal how = HN_TRUST_RENEWAL_INIT;

	sample_init(&made);
	how.now = made.issuers[1].sign_until + made.issuers[1].max_ttl;
	made.issuers[0].sign_until--;
	cr_assert_eq(renew(&made, &how, &out), 0, "%s", hn_error_message(out.err));
	cr_assert_eq(out.bundle->issuer_count, 2);
	cr_expect_eq(out.bundle->issuers[0].epoch, 2);
	cr_expect_eq(out.bundle->issuers[1].epoch, 3);
}

Test(renew, a_new_key_takes_over)
{
	sample made;
	RENEWED out;
	hn_trust_renewal how = HN_TRUST_RENEWAL_INIT;
	uint8_t key[32];
	char hex[65];

	sample_init(&made);
	crypto_ed25519_public(seed_at(30), key);
	codec_hex(key, sizeof(key), hex);
	how.issuer = hex;
	how.now = made.issuers[1].sign_until - 86400;
	how.seconds = 3600;
	cr_assert_eq(renew(&made, &how, &out), 0, "%s", hn_error_message(out.err));
	cr_assert_eq(out.bundle->issuer_count, 3);
	cr_expect_eq(memcmp(out.bundle->issuers[2].key, key, 32), 0);
	cr_expect_eq(out.bundle->issuers[2].epoch, 1);
	cr_expect_eq(out.bundle->issuers[2].sign_until, how.now + 3600);
}

Test(renew, of_several_issuers_one_is_named)
{
	sample made;
	RENEWED out, named, taken;
	hn_trust_renewal how = HN_TRUST_RENEWAL_INIT;
	char hex[65], other[65];
	uint8_t key[32];

	sample_init(&made);
	crypto_ed25519_public(seed_at(30), made.issuers[1].key);
	how.now = made.issuers[0].sign_until;
	cr_expect_eq(renew(&made, &how, &out), HN_EINVAL);
	cr_expect_not_null(strstr(hn_error_message(out.err), "2 rows"));
	codec_hex(made.issuers[0].key, 32, hex);
	how.issuer = hex;
	cr_assert_eq(renew(&made, &how, &named), 0, "%s", hn_error_message(named.err));
	cr_expect_eq(named.bundle->issuer_count, 3);
	renewed_free(&named);
	/* and one that is new takes over from one that is named */
	crypto_ed25519_public(seed_at(31), key);
	codec_hex(key, 32, other);
	how.issuer = other;
	cr_expect_eq(renew(&made, &how, &named), HN_ENOENT);
	how.after = hex;
	cr_expect_eq(renew(&made, &how, &taken), 0, "%s", hn_error_message(taken.err));
}

Test(renew, what_it_refuses)
{
	sample made;
	hn_trust_renewal how = HN_TRUST_RENEWAL_INIT;
	static const struct {
		const char *issuer;
		int64_t now, seconds;
		int code;
	} wrong[] = {
		{"00", T0, 0, HN_EINVAL},
		{NULL, -1, 0, HN_ERANGE},
		{NULL, INT64_MAX, 0, HN_ERANGE},
		{NULL, T0, CAPS_SIGN_SECONDS + 1, HN_ERANGE},
		{NULL, T0, -1, HN_ERANGE},
	};

	sample_init(&made);
	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		RENEWED out;

		how.issuer = wrong[i].issuer;
		how.now = wrong[i].now;
		how.seconds = wrong[i].seconds;
		cr_expect_eq(renew(&made, &how, &out), wrong[i].code, "%zu", i);
		cr_expect_null(out.bytes);
	}
	cr_expect_eq(hn_trust_renew("x", 1, NULL, NULL, NULL, NULL), HN_EINVAL);
}

Test(renew, no_more_rows_than_a_bundle_has)
{
	caps_issuer rows[CAPS_ISSUERS];
	hn_trust_renewal how = HN_TRUST_RENEWAL_INIT;
	sample made;
	RENEWED out;

	sample_init(&made);
	for (uint32_t i = 0; i < CAPS_ISSUERS; i++) {
		rows[i] = made.issuers[0];
		rows[i].epoch = i;
	}
	made.bundle.issuers = rows;
	made.bundle.issuer_count = CAPS_ISSUERS;
	how.now = made.issuers[0].sign_until;
	cr_expect_eq(renew(&made, &how, &out), HN_ELIMIT);
}
