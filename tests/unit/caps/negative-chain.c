/* SPDX-License-Identifier: MIT
 *
 * Negative tests, groups 1 to 22: signatures, the chain, its proof. Every one is refused with one
 * and the same text.
 */
#include "raw-token.h"

#include <sodium.h>

static void open_crypto(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(negative_chain, .init = open_crypto);

Test(negative_chain, g00_the_sound_token_is_accepted)
{
	for (size_t links = 2; links <= CAPS_LINKS; links++) {
		raw_token raw = raw_of(links);

		raw_accepted(&raw);
	}
}

Test(negative_chain, g00_the_builder_makes_the_golden_vector)
{
	raw_token raw = raw_of(2);
	caps_token *golden = golden_token();

	raw_make(&raw);
	cr_assert_eq(raw.made.size, golden->size);
	cr_assert_eq(memcmp(raw.made.data, golden->bytes, golden->size), 0);
	caps_token_free(golden);
	raw_free(&raw);
}

static void flip_each_bit(caps_cache *cache)
{
	caps_presented how = presented();
	raw_token raw = raw_of(5);
	const char *reason = NULL;
	size_t accepted = 0;
	trusting trust;

	trust_init(&trust);
	raw_make(&raw);
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, cache, &how, &reason), 0);
	for (size_t i = 0; i < raw.made.size * 8; i++) {
		char mask = (char)(1u << (i % 8));

		raw.made.data[i / 8] ^= mask;
		accepted += verdict(raw.made.data, raw.made.size, &trust.bundle, cache, &how,
				    &reason) == 0;
		raw.made.data[i / 8] ^= mask;
	}
	cr_assert_eq(accepted, 0u, "%zu of %zu", accepted, raw.made.size * 8);
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, cache, &how, &reason), 0);
	raw_free(&raw);
}

Test(negative_chain, g01_each_single_bit_flip)
{
	flip_each_bit(NULL);
}

/* The good token is in the cache, and so are its beginnings. */
Test(negative_chain, g01_each_single_bit_flip_beside_a_warm_cache)
{
	caps_cache *cache = NULL;

	cr_assert_eq(caps_cache_new(hn_os_real(), &cache, NULL), 0);
	flip_each_bit(cache);
	caps_cache_free(cache);
}

Test(negative_chain, g01_each_character_of_the_text)
{
	caps_token *token = chain_of(5, true), *again = NULL;
	caps_presented how = presented();
	const char *reason = NULL;
	char *text = NULL;
	trusting trust;

	trust_init(&trust);
	cr_assert_eq(caps_token_text(token, &text, NULL), 0);
	for (size_t i = 0; text[i] != 0; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			text[i] ^= (char)(1u << bit);
			if (caps_token_read_text(text, strlen(text), &again, &reason, NULL) == 0) {
				cr_assert_eq(caps_verify(again, &trust.bundle, NULL, &how, &reason,
						     NULL),
					HN_ETOKEN, "bit %u of character %zu", bit, i);
				caps_token_free(BASE_STEAL(again));
			}
			text[i] ^= (char)(1u << bit);
		}
	}
	base_free(text);
	caps_token_free(token);
}

Test(negative_chain, g02_each_truncation)
{
	caps_presented how = presented();
	raw_token raw = raw_of(5);
	const char *reason = NULL;
	trusting trust;

	trust_init(&trust);
	raw_make(&raw);
	for (size_t size = 0; size < raw.made.size; size++) {
		/* A block of its own, so that reading behind it is seen. */
		uint8_t *part = malloc(size + (size == 0));

		cr_assert_not_null(part);
		memcpy(part, raw.made.data, size);
		cr_assert_eq(verdict(part, size, &trust.bundle, NULL, &how, &reason), HN_ETOKEN,
			"%zu bytes", size);
		free(part);
	}
	raw_free(&raw);
}

Test(negative_chain, g03_trailing_byte)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		raw_token raw = raw_of(2);
		char hex[3];

		snprintf(hex, sizeof(hex), "%02x", byte);
		raw_set(&raw.tail, hex);
		raw_refused(&raw, "bytes follow");
	}
}

/* The links of a token in another order or number, as they were signed. */
static int rearranged(const caps_token *token, const size_t *order, size_t count,
	const uint8_t *seed, const char **reason)
{
	caps_presented how = presented();
	codec_cbor_out out = {0};
	trusting trust;

	trust_init(&trust);
	codec_cbor_put_array(&out, 2);
	codec_cbor_put_array(&out, count);
	for (size_t i = 0; i < count; i++)
		codec_cbor_put_bytes(&out, token->links[order[i]].whole.bytes,
			token->links[order[i]].whole.size);
	codec_cbor_put_array(&out, 2);
	codec_cbor_put_uint(&out, 0);
	codec_cbor_put_bytes(&out, seed, 32);
	int rc = verdict(out.buf.data, out.buf.size, &trust.bundle, NULL, &how, reason);
	base_buf_free(&out.buf);
	return rc;
}

#define ORDER(...)                                                                                 \
	(const size_t[]){__VA_ARGS__}, sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t)

Test(negative_chain, g04_links_swapped)
{
	caps_token *token = chain_of(5, true);
	const char *reason = NULL;

	cr_assert_eq(rearranged(token, ORDER(0, 1, 2, 3, 4), seed_at(5), &reason), 0);
	cr_assert_eq(rearranged(token, ORDER(0, 2, 1, 3, 4), seed_at(5), &reason), HN_ETOKEN);
	cr_assert_eq(rearranged(token, ORDER(0, 1, 2, 4, 3), seed_at(5), &reason), HN_ETOKEN);
	cr_assert_eq(rearranged(token, ORDER(1, 0, 2, 3, 4), seed_at(5), &reason), HN_ETOKEN);
	cr_assert_eq(rearranged(token, ORDER(0, 1, 2, 4, 3), seed_at(4), &reason), HN_ETOKEN);
	caps_token_free(token);
}

Test(negative_chain, g05_middle_link_removed)
{
	caps_token *token = chain_of(5, true);
	const char *reason = NULL;

	cr_assert_eq(rearranged(token, ORDER(0, 2, 3, 4), seed_at(5), &reason), HN_ETOKEN);
	cr_assert_eq(rearranged(token, ORDER(0, 1, 3, 4), seed_at(5), &reason), HN_ETOKEN);
	cr_assert_eq(rearranged(token, ORDER(0, 4), seed_at(5), &reason), HN_ETOKEN);
	caps_token_free(token);
}

/* Who was given five links has the fifth secret only, whatever he strips. */
Test(negative_chain, g06_last_attenuation_stripped_and_the_secret_reused)
{
	caps_token *token = chain_of(5, true);
	const char *reason = NULL;

	for (size_t left = 2; left < 5; left++)
		cr_assert_eq(
			rearranged(token, (const size_t[]){0, 1, 2, 3}, left, seed_at(5), &reason),
			HN_ETOKEN);
	cr_assert_not_null(strstr(reason, "seed"));
	caps_token_free(token);
}

Test(negative_chain, g07_link_grafted_from_another_token_of_that_key)
{
	caps_grant_terms grant;
	base_buf caveats = {0};
	caps_terms terms = golden_first(&grant, &caveats);
	terms.cti[0] ^= 1; /* another token, issued to the same key */
	caps_token *other = issue(&terms, NULL);
	base_buf verbs = {0};
	base_buf_add(&verbs, "\x82\x02\x41\x01", 4);
	other = narrow(other, true, &verbs);
	raw_token raw = raw_of(2);
	const char *reason = NULL;
	uint8_t parent[32];

	crypto_sha256(other->links[0].whole.bytes, other->links[0].whole.size, parent);
	base_buf_free(&raw.part[1].header);
	base_buf_add(&raw.part[1].header, other->links[1].protected_header.bytes,
		other->links[1].protected_header.size);
	cr_assert_eq(raw_verdict(&raw, &reason), HN_ETOKEN);
	cr_assert_not_null(strstr(reason, "does not follow"), "%s", reason);
	raw_free(&raw);
	caps_token_free(other);
	base_buf_free(&caveats);
	base_buf_free(&verbs);
}

Test(negative_chain, g08_link_0_as_link_1)
{
	caps_token *token = chain_of(2, true);
	const char *reason = NULL;

	cr_assert_eq(rearranged(token, ORDER(0, 0), seed_at(1), &reason), HN_ETOKEN);
	cr_assert_not_null(strstr(reason, "later link"), "%s", reason);
	caps_token_free(token);
}

Test(negative_chain, g08_link_1_as_link_0)
{
	caps_token *token = chain_of(3, true);
	const char *reason = NULL;

	cr_assert_eq(rearranged(token, ORDER(1, 2), seed_at(3), &reason), HN_ETOKEN);
	cr_assert_not_null(strstr(reason, "first link"), "%s", reason);
	caps_token_free(token);
}

Test(negative_chain, g09_wrong_root)
{
	raw_token raw = raw_of(2);

	raw.part[0].signer = 7; /* under the kid of the trusted one */
	raw_refused(&raw, "signature");
}

Test(negative_chain, g09_an_issuer_that_nobody_trusts)
{
	raw_token raw = raw_of(2);
	uint8_t key[32], kid[CAPS_KID];

	raw.part[0].signer = 7;
	crypto_ed25519_public(seed_at(7), key);
	caps_kid(key, 1, kid);
	memcpy(raw.part[0].header.data + 5, kid, sizeof(kid));
	raw_refused(&raw, "not trusted");
}

static void trust_refuses(const trusting *trust, const char *words)
{
	caps_presented how = presented();
	raw_token raw = raw_of(2);
	const char *reason = NULL;

	raw_make(&raw);
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust->bundle, NULL, &how, &reason),
		HN_ETOKEN);
	cr_assert_not_null(strstr(reason, words), "%s", reason);
	raw_free(&raw);
}

Test(negative_chain, g10_kid_of_a_retired_issuer)
{
	trusting trust;

	trust_init(&trust);
	trust.bundle.issuer_count = 0;
	trust_refuses(&trust, "not trusted");
	trust_init(&trust);
	trust.issuers[0].epoch = 2;
	caps_kid(trust.issuers[0].key, 2, trust.issuers[0].kid);
	trust_refuses(&trust, "epoch is over");
	trust_init(&trust);
	trust.issuers[0].sign_until = T0 - 1;
	trust_refuses(&trust, "out of use");
	trust_init(&trust);
	trust.issuers[0].not_before = T0 + 3600;
	trust_refuses(&trust, "not yet in use");
	trust_init(&trust);
	trust.issuers[0].not_before = T0 + 1;
	trust_refuses(&trust, "before its issuer key");
}

Test(negative_chain, g10_all_that_the_key_signed_is_over)
{
	caps_presented how = presented();
	raw_token raw = raw_of(2);
	const char *reason = NULL;
	trusting trust;

	trust_init(&trust);
	trust.issuers[0].sign_until = T0;
	trust.issuers[0].max_ttl = 3600;
	raw_make(&raw);
	how.earliest = how.latest = T0 + 3600;
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, NULL, &how, &reason), 0);
	how.latest++;
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, NULL, &how, &reason),
		HN_ETOKEN);
	raw_free(&raw);
}

Test(negative_chain, g11_kid_matching_two_issuers)
{
	trusting trust;

	trust_init(&trust);
	trust.issuers[1] = trust.issuers[0];
	trust.bundle.issuer_count = 2;
	trust_refuses(&trust, "two issuers");
}

/* RFC 8032 section 5.1.7: S must be below the order L of the group. */
static void add_order(uint8_t s[32])
{
	static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6,
		0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	unsigned carry = 0;

	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)s[i] + order[i];
		s[i] = (uint8_t)carry;
		carry >>= 8;
	}
	cr_assert_eq(carry, 0u);
}

Test(negative_chain, g12_s_plus_l)
{
	for (size_t link = 0; link < 2; link++) {
		caps_token *token = chain_of(2, true);
		raw_token raw = raw_of(2);
		uint8_t signature[64];

		memcpy(signature, token->links[link].signature.bytes, 64);
		add_order(signature + 32);
		base_buf_add(&raw.part[link].signature, signature, 64);
		raw_refused(&raw, "signature");
		caps_token_free(token);
	}
}

static void key_refused(const char *hex)
{
	raw_token raw = raw_of(2);
	uint8_t key[32];

	cr_assert(codec_hex_decode(hex, 64, key));
	raw_cnf(&raw.part[1].claims, key);
	raw_refused(&raw, "seed"); /* no seed has this key */
	raw = raw_of(2);
	raw_cnf(&raw.part[1].claims, key);
	raw_set(&raw.proof, "820140");
	raw_refused(&raw, "valid point");
	raw = raw_of(3); /* and in the middle, where it would have to verify a signature */
	raw_cnf(&raw.part[1].claims, key);
	base_buf_add(&raw.part[2].signature, (const uint8_t[64]){1}, 64);
	raw_refused(&raw, "valid point");
}

Test(negative_chain, g13_small_order_cnf)
{
	/* All points whose order divides 8, with the sign bit clear and set. */
	static const char *const keys[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};

	for (size_t i = 0; i < BASE_COUNT(keys); i++)
		key_refused(keys[i]);
}

Test(negative_chain, g14_non_canonical_point)
{
	/* y from p to 2^255 - 1, both signs; and -0. */
	for (unsigned low = 0xed; low <= 0xff; low++) {
		char hex[65];

		snprintf(hex, sizeof(hex),
			"%02xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", low);
		key_refused(hex);
		hex[62] = 'f';
		key_refused(hex);
	}
	key_refused("0100000000000000000000000000000000000000000000000000000000000080");
	key_refused("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
}

/* A point of the curve that is not in the subgroup: a good key plus a point of order 8. */
Test(negative_chain, g14_mixed_order_point)
{
	uint8_t key[32], small[32], mixed[32];
	char hex[65];

	crypto_ed25519_public(seed_at(2), key);
	codec_hex_decode(
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", 64, small);
	cr_assert_eq(crypto_core_ed25519_add(mixed, key, small), 0);
	codec_hex(mixed, sizeof(mixed), hex);
	key_refused(hex);
}

Test(negative_chain, g15_all_zero_signature)
{
	for (size_t link = 0; link < 2; link++) {
		raw_token raw = raw_of(2);

		base_buf_add(&raw.part[link].signature, (const uint8_t[64]){0}, 64);
		raw_refused(&raw, "signature");
	}
}

Test(negative_chain, g15_signature_of_another_length)
{
	static const uint8_t zeros[65];

	for (size_t size = 1; size <= 65; size += 62) {
		raw_token raw = raw_of(2);

		base_buf_add(&raw.part[1].signature, zeros, size);
		raw_refused(&raw, "COSE_Sign1");
	}
}

Test(negative_chain, g16_seed_not_matching_cnf)
{
	raw_token raw = raw_of(2);

	raw_bearer(&raw, seed_at(1));
	raw_refused(&raw, "seed");
	raw = raw_of(2);
	raw_set(&raw.proof, "8200581f");
	base_buf_add(&raw.proof, seed_at(2), 31);
	raw_refused(&raw, "32 bytes");
}

/* Adds the proof of a token of our making to the raw one of as many links. */
static void borrow_proof(raw_token *raw, const caps_token *from, unsigned kind)
{
	codec_cbor_out out = {0};

	codec_cbor_put_array(&out, 2);
	codec_cbor_put_uint(&out, kind);
	codec_cbor_put_bytes(&out, from->proof_bytes.bytes, from->proof_bytes.size);
	base_buf_free(&raw->proof);
	raw->proof = out.buf;
}

Test(negative_chain, g17_sealed_token_attenuated)
{
	caps_token *token = golden_token(), *sealed = NULL, *longer = NULL;
	BASE_AUTO_BUF base_buf claims = {0};
	caps_terms terms = {.expires = T0 + 600, .issued = T0};
	hn_error *err = NULL;

	cr_assert_eq(caps_token_seal(token, NULL, &sealed, NULL), 0);
	raw_token raw = raw_of(2);
	borrow_proof(&raw, sealed, 2);
	raw_accepted(&raw); /* the seal itself is good */
	raw = raw_of(3);    /* by who knows the key of the last link nevertheless */
	borrow_proof(&raw, sealed, 2);
	raw_refused(&raw, "another chain");
	raw = raw_of(1);
	borrow_proof(&raw, sealed, 2);
	raw_refused(&raw, "15 minutes");
	crypto_ed25519_public(seed_at(3), terms.cnf);
	cr_assert_eq(caps_claims_write(&terms, false, &claims, NULL), 0);
	cr_assert_eq(
		caps_token_append(sealed, seed_at(2), &claims, NULL, &longer, &err), HN_EINVAL);
	cr_assert_null(longer);
	hn_error_unref(err);
	caps_token_free(sealed);
	caps_token_free(token);
}

static caps_use use_of(void)
{
	caps_use use = {.issued = T0 + 50,
		.verb = HN_VERB_UNIT_START,
		.object = "unit/1",
		.channel_kind = CAPS_CHANNEL_UNIX,
		.binding = "abc",
		.binding_size = 3};

	memset(use.nonce, 7, sizeof(use.nonce));
	memset(use.request_hash, 9, sizeof(use.request_hash));
	return use;
}

/* A token with a proof over `made`, shown where `expected` is asked for. */
static int shown(const caps_use *made, const caps_use *expected, const char **reason)
{
	caps_token *token = chain_of(2, false), *proven = NULL;
	caps_presented how = presented();
	trusting trust;

	trust_init(&trust);
	how.expected = expected;
	cr_assert_eq(caps_token_prove(token, seed_at(2), made, &proven, NULL), 0);
	int rc = verdict(proven->bytes, proven->size, &trust.bundle, NULL, &how, reason);
	caps_token_free(proven);
	caps_token_free(token);
	return rc;
}

static void proof_refused(const caps_use *expected, const char *words)
{
	const char *reason = NULL;
	caps_use made = use_of();

	cr_assert_eq(shown(&made, &made, &reason), 0, "%s", reason);
	cr_assert_eq(shown(&made, expected, &reason), HN_ETOKEN);
	cr_assert_not_null(strstr(reason, words), "%s", reason);
}

Test(negative_chain, g18_proof_over_another_verb)
{
	caps_use use = use_of();

	use.verb = HN_VERB_UNIT_STOP;
	proof_refused(&use, "another verb");
	use = use_of();
	use.object = "unit/2";
	proof_refused(&use, "another object");
}

Test(negative_chain, g19_proof_over_another_body)
{
	caps_use use = use_of();

	use.request_hash[31] ^= 1;
	proof_refused(&use, "another request");
}

Test(negative_chain, g20_nonce_replay)
{
	caps_use use = use_of();

	use.nonce[0] ^= 1; /* the verifier's next nonce */
	proof_refused(&use, "another nonce");
}

Test(negative_chain, g20_stale_proof)
{
	caps_use use = use_of();
	const char *reason = NULL;

	use.issued = T0 + 60 - 30;
	cr_assert_eq(shown(&use, &use, &reason), 0);
	use.issued--;
	cr_assert_eq(shown(&use, &use, &reason), HN_ETOKEN);
	use.issued = T0 + 60 + 30;
	cr_assert_eq(shown(&use, &use, &reason), 0);
	use.issued++;
	cr_assert_eq(shown(&use, &use, &reason), HN_ETOKEN);
}

Test(negative_chain, g21_another_channel)
{
	caps_use use = use_of();

	use.channel_kind = CAPS_CHANNEL_TLS;
	proof_refused(&use, "another channel");
	use = use_of();
	use.binding[0] ^= 1;
	proof_refused(&use, "another channel");
	use = use_of();
	use.binding_size--;
	proof_refused(&use, "another channel");
}

Test(negative_chain, g21_a_proof_that_nobody_asked_for)
{
	caps_use use = use_of();
	const char *reason = NULL;

	cr_assert_eq(shown(&use, NULL, &reason), HN_ETOKEN);
}

Test(negative_chain, g21_a_proof_over_another_chain)
{
	caps_token *token = chain_of(3, false), *proven = NULL;
	caps_use use = use_of();
	raw_token raw = raw_of(2);

	cr_assert_eq(caps_token_prove(token, seed_at(3), &use, &proven, NULL), 0);
	borrow_proof(&raw, proven, 1);
	raw_refused(&raw, "another chain");
	caps_token_free(proven);
	caps_token_free(token);
}

Test(negative_chain, g21_stored_form_is_no_proof)
{
	raw_token raw = raw_of(2);

	raw_set(&raw.proof, "820140");
	raw_refused(&raw, "without a proof");
}

Test(negative_chain, g22_bearer_ttl_above_cap)
{
	/* exp of link 1 is 900 s after its iat: one more is too much. */
	claims_refused(1, "041a6955bc84", "041a6955bc85", "15 minutes");
	raw_token raw = raw_of(1); /* an hour */
	raw_refused(&raw, "15 minutes");
	/* What ends first counts: link 0 ends in time, link 1 says an hour. */
	raw = raw_of(2);
	raw_edit(&raw.part[0].claims, "041a6955c710", "041a6955bc84");
	raw_edit(&raw.part[1].claims, "041a6955bc84", "041a6955c710");
	raw_accepted(&raw);
}
