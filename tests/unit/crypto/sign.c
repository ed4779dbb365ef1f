/* SPDX-License-Identifier: MIT
 *
 * Signatures against the vectors of RFC 8032, and what a strict verifier refuses; sealed boxes.
 */
#include "crypto/crypto-private.h"
#include "hex.h"
#include <sodium.h>

static void init(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(sign, .init = init);

static void vector(const char *seed_hex, const char *public_hex, const char *message_hex,
	const char *signature_hex)
{
	uint8_t seed[32], expected_public[32], message[8] = {0}, expected[64], public_key[32],
					       signature[64];
	size_t size = strlen(message_hex) / 2;
	crypto_secret *key = NULL;

	from_hex(seed_hex, seed);
	from_hex(public_hex, expected_public);
	from_hex(message_hex, message);
	from_hex(signature_hex, expected);
	crypto_ed25519_public(seed, public_key);
	cr_assert_arr_eq(public_key, expected_public, 32);
	memset(public_key, 0, 32);
	cr_assert_eq(crypto_ed25519_key(seed, public_key, &key, NULL), 0);
	cr_assert_arr_eq(public_key, expected_public, 32);
	crypto_ed25519_sign(key, message, size, signature);
	cr_assert_arr_eq(signature, expected, 64);
	memset(signature, 0, 64);
	crypto_ed25519_sign_once(seed, message, size, signature);
	cr_assert_arr_eq(signature, expected, 64);
	cr_assert(crypto_ed25519_point_valid(public_key));
	cr_assert(crypto_ed25519_verify(public_key, message, size, signature));
	cr_assert(crypto_ed25519_verify_known(public_key, message, size, signature));
	crypto_secret_free(key);
}

/* RFC 8032 section 7.1. */
Test(sign, test_1)
{
	vector("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
		"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc6"
		"1e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
}

Test(sign, test_2)
{
	vector("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e45"
		"8f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

Test(sign, test_3)
{
	vector("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
		"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
		"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae"
		"67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
}

static void signed_message(uint8_t public_key[32], uint8_t signature[64])
{
	uint8_t seed[32] = {7};

	crypto_ed25519_public(seed, public_key);
	crypto_ed25519_sign_once(seed, "message", 7, signature);
}

Test(sign, each_flipped_bit_fails)
{
	uint8_t public_key[32], signature[64], message[7];

	signed_message(public_key, signature);
	memcpy(message, "message", 7);
	for (size_t bit = 0; bit < 8 * sizeof(signature); bit++) {
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_not(crypto_ed25519_verify(public_key, message, 7, signature));
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < 8 * sizeof(public_key); bit++) {
		public_key[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_not(crypto_ed25519_verify(public_key, message, 7, signature));
		public_key[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t bit = 0; bit < 8 * sizeof(message); bit++) {
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_not(crypto_ed25519_verify(public_key, message, 7, signature));
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	cr_assert(crypto_ed25519_verify(public_key, message, 7, signature));
}

/* S + L is the same number modulo the group's order, and must not be taken (RFC 8032 section
 * 5.1.7). */
Test(sign, s_plus_the_order_fails)
{
	uint8_t order[32], public_key[32], signature[64];
	unsigned carry = 0;

	from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", order);
	signed_message(public_key, signature);
	for (size_t i = 0; i < 32; i++) {
		carry += (unsigned)signature[32 + i] + order[i];
		signature[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	cr_assert_eq(carry, 0);
	cr_assert_not(crypto_ed25519_verify(public_key, "message", 7, signature));
	cr_assert_not(crypto_ed25519_verify_known(public_key, "message", 7, signature));
}

/* The points whose order divides eight, the non-canonical encodings too (Cremers and Jackson,
 * "Prime, Order Please!", table 1). */
static const char *const small_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

Test(sign, small_order_keys_are_not_valid)
{
	for (size_t i = 0; i < BASE_COUNT(small_order); i++) {
		uint8_t point[32];

		from_hex(small_order[i], point);
		cr_assert_not(crypto_ed25519_point_valid(point), "%s", small_order[i]);
	}
}

/* With such a key R = the identity and S = 0 verify anything in a lax verifier. */
Test(sign, small_order_keys_sign_nothing)
{
	for (size_t i = 0; i < BASE_COUNT(small_order); i++) {
		for (size_t j = 0; j < BASE_COUNT(small_order); j++) {
			uint8_t public_key[32], signature[64] = {0};

			from_hex(small_order[i], public_key);
			from_hex(small_order[j], signature);
			cr_assert_not(crypto_ed25519_verify(public_key, "message", 7, signature));
			cr_assert_not(
				crypto_ed25519_verify_known(public_key, "message", 7, signature));
		}
	}
}

/* y = p + 3 and the like: a second encoding of a point that has one below p. */
Test(sign, non_canonical_points_are_not_valid)
{
	for (unsigned low = 0xed; low <= 0xff; low++) {
		uint8_t point[32];

		memset(point, 0xff, sizeof(point));
		point[0] = (uint8_t)low;
		cr_assert_not(crypto_ed25519_point_valid(point));
		point[31] = 0x7f;
		cr_assert_not(crypto_ed25519_point_valid(point));
	}
}

/* A key plus a point of order eight is on the curve and of no small order, but outside the
 * subgroup: half of all y with a point are. */
Test(sign, points_outside_the_subgroup_are_not_valid)
{
	unsigned valid = 0;

	for (unsigned i = 0; i < 256; i++) {
		uint8_t point[32] = {0};

		point[0] = (uint8_t)i;
		point[7] = 9;
		valid += crypto_ed25519_point_valid(point);
	}
	/* Of 256 values of y half are on the curve, and an eighth of these in the subgroup. */
	cr_assert_gt(valid, 2);
	cr_assert_lt(valid, 64);
}

/* A signature over a message whose hash is a multiple of eight: a point of small order in the key
 * vanishes from the equation, and a verifier that does not look at the key takes it. `a` is the
 * logarithm of what else is in the key. */
static void sign_past_torsion(
	const uint8_t public_key[32], const uint8_t a[32], uint8_t *number, uint8_t signature[64])
{
	uint8_t wide[64] = {3, 9}, r[32], h[32], product[32], input[65];

	crypto_core_ed25519_scalar_reduce(r, wide);
	cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(signature, r), 0);
	memcpy(input, signature, 32);
	memcpy(input + 32, public_key, 32);
	for (input[64] = 0; input[64] < 255; input[64]++) {
		crypto_hash_sha512(wide, input, sizeof(input));
		crypto_core_ed25519_scalar_reduce(h, wide);
		if ((h[0] & 7) == 0)
			break;
	}
	*number = input[64];
	crypto_core_ed25519_scalar_mul(product, h, a);
	crypto_core_ed25519_scalar_add(signature + 32, product, r);
}

Test(sign, keys_outside_the_subgroup_sign_nothing)
{
	uint8_t torsion[32], public_key[32], a[32] = {3}, signature[64], message = 0;

	from_hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", torsion);
	cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(public_key, a), 0);
	cr_assert_eq(crypto_core_ed25519_add(public_key, public_key, torsion), 0);
	sign_past_torsion(public_key, a, &message, signature);
	cr_assert(crypto_ed25519_verify_known(public_key, &message, 1, signature),
		"the equation holds: without a look at the key it passes");
	cr_assert_not(crypto_ed25519_point_valid(public_key));
	cr_assert_not(crypto_ed25519_verify(public_key, &message, 1, signature));
}

/* Nor where all but the key is right: what tokens rely on for the keys in the middle of a chain. */
Test(sign, small_order_keys_sign_nothing_where_the_equation_holds)
{
	for (size_t i = 0; i < BASE_COUNT(small_order); i++) {
		uint8_t public_key[32], none[32] = {0}, signature[64], message = 0;

		from_hex(small_order[i], public_key);
		sign_past_torsion(public_key, none, &message, signature);
		cr_assert_not(crypto_ed25519_verify_known(public_key, &message, 1, signature), "%s",
			small_order[i]);
	}
}

Test(sign, an_all_zero_signature_fails)
{
	uint8_t public_key[32], signature[64] = {0};
	uint8_t seed[32] = {7};

	crypto_ed25519_public(seed, public_key);
	cr_assert_not(crypto_ed25519_verify(public_key, "message", 7, signature));
}

/* --- sealed boxes --- */

Test(sign, a_box_opens_for_its_key)
{
	uint8_t secret[32] = {1, 2, 3}, public_key[32], box[5 + CRYPTO_BOX_OVERHEAD];
	crypto_secret *plain = NULL;

	crypto_x25519_public(secret, public_key);
	cr_assert_eq(crypto_x25519_seal(public_key, "hello", 5, box, NULL), 0);
	cr_assert_eq(crypto_x25519_open(secret, box, sizeof(box), &plain, NULL), 0);
	cr_assert_eq(crypto_secret_size(plain), 5);
	cr_assert_arr_eq(crypto_secret_view(plain), "hello", 5);
	crypto_secret_free(plain);
}

Test(sign, a_box_opens_for_no_other_key)
{
	uint8_t secret[32] = {8}, other[32] = {16}, public_key[32], box[5 + CRYPTO_BOX_OVERHEAD];
	crypto_secret *plain = NULL;
	hn_error *err = NULL;

	crypto_x25519_public(secret, public_key);
	cr_assert_eq(crypto_x25519_seal(public_key, "hello", 5, box, NULL), 0);
	cr_assert_eq(crypto_x25519_open(other, box, sizeof(box), &plain, &err), HN_ECRYPT);
	cr_assert_eq(hn_error_code(err), HN_ECRYPT);
	hn_error_unref(err);
	cr_assert_null(plain);
}

Test(sign, a_changed_box_does_not_open)
{
	uint8_t secret[32] = {1}, public_key[32], box[5 + CRYPTO_BOX_OVERHEAD];
	crypto_secret *plain = NULL;

	crypto_x25519_public(secret, public_key);
	cr_assert_eq(crypto_x25519_seal(public_key, "hello", 5, box, NULL), 0);
	for (size_t i = 0; i < sizeof(box); i++) {
		box[i] ^= 1;
		cr_assert_eq(crypto_x25519_open(secret, box, sizeof(box), &plain, NULL), HN_ECRYPT);
		box[i] ^= 1;
	}
	for (size_t size = 0; size < sizeof(box); size++)
		cr_assert_eq(crypto_x25519_open(secret, box, size, &plain, NULL), HN_ECRYPT);
	cr_assert_null(plain);
}

Test(sign, nothing_is_sealed_to_a_small_order_key)
{
	uint8_t public_key[32] = {0}, box[5 + CRYPTO_BOX_OVERHEAD];

	cr_assert_eq(crypto_x25519_seal(public_key, "hello", 5, box, NULL), HN_EKEY);
}
