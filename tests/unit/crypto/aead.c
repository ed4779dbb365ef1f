/* SPDX-License-Identifier: MIT
 *
 * XChaCha20-Poly1305 and Argon2id against their standards' vectors, and their refusals.
 */
#include "crypto/crypto-private.h"
#include "hex.h"

static void init(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(aead, .init = init);

static const char sunscreen[] =
	"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
	"future, sunscreen would be it.";
enum { SUNSCREEN = sizeof(sunscreen) - 1 };

typedef struct message {
	uint8_t key[CRYPTO_KEY], nonce[CRYPTO_NONCE], associated[12];
	uint8_t sealed[SUNSCREEN + CRYPTO_TAG];
} message;

/* draft-irtf-cfrg-xchacha-03 appendix A.3.1. */
static void seal_vector(message *m)
{
	from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", m->key);
	from_hex("404142434445464748494a4b4c4d4e4f5051525354555657", m->nonce);
	from_hex("50515253c0c1c2c3c4c5c6c7", m->associated);
	crypto_xchacha_seal(m->key, m->nonce, (crypto_bytes){m->associated, 12},
		(crypto_bytes){sunscreen, SUNSCREEN}, m->sealed);
}

static bool opens(const message *m, size_t size)
{
	uint8_t plain[SUNSCREEN];

	return crypto_xchacha_open(m->key, m->nonce, (crypto_bytes){m->associated, 12},
		       (crypto_bytes){m->sealed, size}, plain) &&
	       memcmp(plain, sunscreen, SUNSCREEN) == 0;
}

Test(aead, vector_of_the_draft)
{
	message m;
	uint8_t expected[SUNSCREEN + CRYPTO_TAG];

	from_hex("bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa644"
		 "0bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e"
		 "3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e"
		 "c0875924c1c7987947deafd8780acf49",
		expected);
	seal_vector(&m);
	cr_assert_arr_eq(m.sealed, expected, sizeof(expected));
	cr_assert(opens(&m, sizeof(m.sealed)));
}

static void flips_fail(message *m, uint8_t *bytes, size_t size)
{
	for (size_t bit = 0; bit < 8 * size; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_not(opens(m, sizeof(m->sealed)));
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	cr_assert(opens(m, sizeof(m->sealed)));
}

Test(aead, each_flipped_bit_fails)
{
	message m;

	seal_vector(&m);
	flips_fail(&m, m.key, sizeof(m.key));
	flips_fail(&m, m.nonce, sizeof(m.nonce));
	flips_fail(&m, m.associated, sizeof(m.associated));
	flips_fail(&m, m.sealed, sizeof(m.sealed));
}

Test(aead, each_truncation_fails)
{
	message m;

	seal_vector(&m);
	for (size_t size = 0; size < sizeof(m.sealed); size++)
		cr_assert_not(opens(&m, size));
}

Test(aead, argon2id_depends_on_all_that_goes_in)
{
	uint8_t salt[CRYPTO_SALT] = "0123456789abcde", first[32], second[32];
	crypto_cost cost = {1, 65536};
	crypto_bytes passphrase = {"correct horse", 13};

	cr_assert_eq(crypto_argon2id(passphrase, salt, cost, first, NULL), 0);
	cr_assert_eq(crypto_argon2id(passphrase, salt, cost, second, NULL), 0);
	cr_assert_arr_eq(first, second, 32);
	passphrase.size--;
	cr_assert_eq(crypto_argon2id(passphrase, salt, cost, second, NULL), 0);
	cr_assert_arr_neq(first, second, 32);
	passphrase.size++;
	salt[0] ^= 1;
	cr_assert_eq(crypto_argon2id(passphrase, salt, cost, second, NULL), 0);
	cr_assert_arr_neq(first, second, 32);
	salt[0] ^= 1;
	cost.operations++;
	cr_assert_eq(crypto_argon2id(passphrase, salt, cost, second, NULL), 0);
	cr_assert_arr_neq(first, second, 32);
	cost = (crypto_cost){1, 2 * 65536};
	cr_assert_eq(crypto_argon2id(passphrase, salt, cost, second, NULL), 0);
	cr_assert_arr_neq(first, second, 32);
}

Test(aead, argon2id_of_the_reference_program)
{
	uint8_t key[32], expected[32];

	/* echo -n password | argon2 somesaltsomesalt -id -t 2 -k 256 -p 1 -l 32 -r */
	from_hex("cab746b4621993fdc91ec50787980b414a90a692f0bc68dfe19f9c25b3cba9ec", expected);
	cr_assert_eq(
		crypto_argon2id((crypto_bytes){"password", 8}, (const uint8_t *)"somesaltsomesalt",
			(crypto_cost){2, 262144}, key, NULL),
		0);
	cr_assert_arr_eq(key, expected, 32);
}

static void refused(uint32_t operations, uint64_t memory)
{
	uint8_t key[32] = {42};
	hn_error *err = NULL;

	cr_assert_eq(crypto_argon2id((crypto_bytes){"x", 1}, (const uint8_t *)"0123456789abcdef",
			     (crypto_cost){operations, memory}, key, &err),
		HN_ERANGE);
	cr_assert_eq(hn_error_code(err), HN_ERANGE);
	cr_assert_eq(key[0], 42);
	hn_error_unref(err);
}

Test(aead, a_cost_outside_its_bounds_is_refused)
{
	refused(0, 65536);
	refused(CRYPTO_COST_OPERATIONS + 1, 65536);
	refused(1, CRYPTO_COST_MEMORY_LEAST - 1);
	refused(1, CRYPTO_COST_MEMORY_MOST + 1);
	refused(1, UINT64_MAX);
}
