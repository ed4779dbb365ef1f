/* SPDX-License-Identifier: MIT
 *
 * Negative tests, groups 13 and 14 again, with signatures by such keys that hold in every other
 * way: a verifier that does not look at the key takes them. In the middle of a chain nothing but
 * the verification of the next link looks at it.
 */
#include "raw-token.h"

static void open_crypto(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(negative_keys, .init = open_crypto);

/* All encodings of the points whose order divides eight (Cremers and Jackson, "Prime, Order
 * Please!", table 1); the first eight are canonical. */
static const char *const small_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static raw_odd_key of_small_order(size_t which)
{
	raw_odd_key odd = {.scalar = {0}};

	cr_assert(codec_hex_decode(small_order[which], 64, odd.key));
	return odd;
}

/* y from p to 2^255 - 1: the second encoding of a point, or of none. */
static raw_odd_key not_canonical(size_t which)
{
	raw_odd_key odd = {.scalar = {0}};

	memset(odd.key, 0xff, sizeof(odd.key));
	odd.key[0] = (uint8_t)(0xed + which % 19);
	odd.key[31] = which % 2 == 0 ? 0xff : 0x7f;
	return odd;
}

/* A sound key and one of the points of small order but the first, which is neutral. */
static raw_odd_key outside_of_the_subgroup(size_t which)
{
	static const size_t canonical[] = {0, 1, 3, 4, 5, 6, 7};
	raw_odd_key odd = {.scalar = {(uint8_t)(3 + which), 9}};
	uint8_t sound[32], small[32];

	cr_assert(codec_hex_decode(small_order[canonical[which % 7]], 64, small));
	cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(sound, odd.scalar), 0);
	cr_assert_eq(crypto_core_ed25519_add(odd.key, sound, small), 0);
	cr_assert_not(crypto_ed25519_point_valid(odd.key));
	return odd;
}

static raw_odd_key sound_key(size_t which)
{
	raw_odd_key odd = {.scalar = {(uint8_t)(3 + which), 9}};

	cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(odd.key, odd.scalar), 0);
	cr_assert(crypto_ed25519_point_valid(odd.key));
	return odd;
}

/* The key of one link, and what it has signed then. */
static raw_token with_key(size_t links, size_t at, const raw_odd_key *odd)
{
	raw_token raw = raw_of(links);

	raw_cnf(&raw.part[at].claims, odd->key);
	if (at + 1 < links)
		raw.part[at + 1].odd = odd;
	return raw;
}

static void stored(raw_token *raw)
{
	raw_set(&raw->proof, "820140");
}

/* Sealed by the key. */
static void sealed(raw_token *raw, const raw_odd_key *odd)
{
	uint8_t header[CAPS_HEADER_BYTES], hash[32], signature[64];
	size_t header_size = caps_header_proof(CAPS_PROOF_SEALED, header);
	codec_cbor_out message = {0}, proof = {0};
	base_buf tbs = {0};

	raw_make(raw);
	crypto_sha256(raw->made.data + 1, raw->made.size - 1 - raw->proof.size, hash);
	caps_tbs(&tbs, (caps_view){header, header_size}, (caps_view){hash, sizeof(hash)});
	raw_odd_sign(odd, tbs.data, tbs.size, signature);
	codec_cbor_put_tag(&message, CODEC_COSE_TAG_SIGN1);
	codec_cbor_put_array(&message, 4);
	codec_cbor_put_bytes(&message, header, header_size);
	codec_cbor_put_map(&message, 0);
	codec_cbor_put_bytes(&message, hash, sizeof(hash));
	codec_cbor_put_bytes(&message, signature, sizeof(signature));
	codec_cbor_put_array(&proof, 2);
	codec_cbor_put_uint(&proof, 2);
	codec_cbor_put_bytes(&proof, message.buf.data, message.buf.size);
	base_buf_free(&raw->proof);
	raw->proof = proof.buf;
	base_buf_free(&message.buf);
	base_buf_free(&tbs);
}

/* With the cache and without: the same. A stored token is taken, as from its holder's file. */
static int shown(raw_token *raw, caps_cache *cache, const char **reason)
{
	caps_presented how = presented();
	trusting trust;

	how.stored = true;
	trust_init(&trust);
	raw_make(raw);
	int rc = verdict(raw->made.data, raw->made.size, &trust.bundle, NULL, &how, reason);
	for (int again = 0; cache != NULL && again < 2; again++) {
		const char *why = NULL;

		cr_assert_eq(
			verdict(raw->made.data, raw->made.size, &trust.bundle, cache, &how, &why),
			rc, "with a cache: %s; without: %s", why, *reason);
	}
	raw_free(raw);
	return rc;
}

static void refused_as_a_key(raw_token raw)
{
	const char *reason = NULL;

	cr_assert_eq(shown(&raw, NULL, &reason), HN_ETOKEN);
	cr_assert_not_null(strstr(reason, "valid point"), "%s", reason);
}

/* What the others rest on: the builder's signatures hold, where the key is sound. */
Test(negative_keys, g00_a_sound_key_signs_this_way)
{
	for (size_t i = 0; i < 8; i++) {
		raw_odd_key odd = sound_key(i);

		for (size_t at = 0; at + 1 < 4; at++) {
			raw_token raw = with_key(4, at, &odd);

			raw_accepted(&raw);
		}
		raw_token raw = with_key(2, 1, &odd);
		sealed(&raw, &odd);
		raw_accepted(&raw);
	}
}

Test(negative_keys, g13_small_order_key_that_has_signed_the_next_link)
{
	for (size_t i = 0; i < BASE_COUNT(small_order); i++) {
		raw_odd_key odd = of_small_order(i);

		for (size_t at = 0; at + 1 < 4; at++)
			refused_as_a_key(with_key(4, at, &odd));
	}
}

Test(negative_keys, g13_small_order_key_that_has_sealed)
{
	for (size_t i = 0; i < BASE_COUNT(small_order); i++) {
		raw_odd_key odd = of_small_order(i);
		raw_token raw = with_key(2, 1, &odd);

		sealed(&raw, &odd);
		refused_as_a_key(raw);
	}
}

Test(negative_keys, g14_non_canonical_key_in_the_middle)
{
	for (size_t i = 0; i < 38; i++) {
		raw_odd_key odd = not_canonical(i);

		refused_as_a_key(with_key(3, 1, &odd));
	}
}

/* It could sign once in eight times what a sound one signs each time: in the middle that is all
 * there is to it. Who speaks has a sound one. */
Test(negative_keys, g14_key_outside_of_the_subgroup_never_speaks)
{
	caps_cache *cache = NULL;
	const char *reason = NULL;

	cr_assert_eq(caps_cache_new(hn_os_real(), &cache, NULL), 0);
	for (size_t i = 0; i < 7; i++) {
		raw_odd_key odd = outside_of_the_subgroup(i);
		raw_token raw = with_key(3, 1, &odd);

		cr_assert_eq(shown(&raw, cache, &reason), 0, "%s", reason);
		raw = with_key(2, 1, &odd); /* its link is in the cache now */
		stored(&raw);
		cr_assert_eq(shown(&raw, cache, &reason), HN_ETOKEN);
		cr_assert_not_null(strstr(reason, "valid point"), "%s", reason);
		raw = with_key(2, 1, &odd);
		sealed(&raw, &odd);
		cr_assert_eq(shown(&raw, cache, &reason), HN_ETOKEN);
		cr_assert_not_null(strstr(reason, "valid point"), "%s", reason);
	}
	caps_cache_free(cache);
}

/* --- any key, at any place, shown in any way --- */

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

Test(negative_keys, property_only_sound_keys_pass, .timeout = 300)
{
	static raw_odd_key (*const makers[])(size_t which) = {
		sound_key, outside_of_the_subgroup, of_small_order, not_canonical};
	uint64_t state = 0x2545f4914f6cdd1d;
	size_t good = 0, bad = 0;
	caps_cache *cache = NULL;

	cr_assert_eq(caps_cache_new(hn_os_real(), &cache, NULL), 0);
	for (int round = 0; round < 400; round++) {
		size_t kind = next(&state) % BASE_COUNT(makers), links = 2 + next(&state) % 4;
		size_t at = next(&state) % links;
		raw_odd_key odd = makers[kind](next(&state) % 14);
		raw_token raw = with_key(links, at, &odd);
		bool last = at + 1 == links, passes = kind == 0 || (kind == 1 && !last);
		const char *reason = NULL;

		if (next(&state) % 2 == 0)
			stored(&raw);
		else if (last)
			sealed(&raw, &odd);
		int rc = shown(&raw, cache, &reason);
		cr_assert_eq(
			rc == 0, passes, "kind %zu, link %zu of %zu: %s", kind, at, links, reason);
		good += passes;
		bad += !passes;
	}
	cr_assert_gt(good, 100u);
	cr_assert_gt(bad, 100u);
	caps_cache_free(cache);
}
