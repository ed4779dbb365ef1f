/* SPDX-License-Identifier: MIT
 *
 * Hashes against the vectors of their standards.
 */
#include "crypto/crypto-private.h"
#include <criterion/criterion.h>
#include <stdio.h>

static void init(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(hash, .init = init);

static void expect(const uint8_t *digest, size_t size, const char *hex)
{
	char text[2 * 64 + 1] = "";

	for (size_t i = 0; i < size; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	cr_assert_str_eq(text, hex);
}

Test(hash, open_again)
{
	cr_assert_eq(crypto_open(NULL), 0);
	cr_assert_eq(crypto_open(NULL), 0);
}

/* FIPS 180-4, examples of NIST. */
Test(hash, sha256)
{
	uint8_t digest[CRYPTO_DIGEST];
	const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	crypto_sha256(NULL, 0, digest);
	expect(digest, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	crypto_sha256("abc", 3, digest);
	expect(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	crypto_sha256(two_blocks, strlen(two_blocks), digest);
	expect(digest, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/* BLAKE2b with 32 bytes of output; RFC 7693 appendix A has 64. */
Test(hash, blake2b)
{
	uint8_t digest[64];

	crypto_blake2b_keyed(NULL, 0, "abc", 3, digest, 64);
	expect(digest, 64,
		"ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
		"7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
	crypto_blake2b("abc", 3, digest);
	expect(digest, 32, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
	crypto_blake2b(NULL, 0, digest);
	expect(digest, 32, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

/* The first rows of the reference implementation's keyed test vectors: key 00 01 .. 3f. */
Test(hash, blake2b_keyed)
{
	uint8_t key[64], digest[64];

	for (uint8_t i = 0; i < 64; i++)
		key[i] = i;
	crypto_blake2b_keyed(key, 64, NULL, 0, digest, 64);
	expect(digest, 64,
		"10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
		"b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568");
	crypto_blake2b_keyed(key, 64, key, 1, digest, 64);
	expect(digest, 64,
		"961f6dd1e4dd30f63901690c512e78e4b45e4742ed197c3c5e45c549fd25f2e4"
		"187b0bc9fe30492b16b0d0bc4ef9b0f34c7003fac09a5ef1532e69430234cebd");
}

Test(hash, another_key_another_digest)
{
	uint8_t one[16], other[16];

	crypto_blake2b_keyed("0123456789abcdef", 16, "x", 1, one, 16);
	crypto_blake2b_keyed("0123456789abcdeg", 16, "x", 1, other, 16);
	cr_assert_neq(memcmp(one, other, 16), 0);
}

Test(hash, pieces_give_the_whole)
{
	uint8_t bytes[700], whole[CRYPTO_DIGEST], pieces[CRYPTO_DIGEST];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	crypto_blake2b(bytes, sizeof(bytes), whole);
	for (size_t step = 1; step <= sizeof(bytes); step += 13) {
		crypto_hasher hash;

		crypto_hash_begin(&hash);
		for (size_t at = 0; at < sizeof(bytes); at += step)
			crypto_hash_add(&hash, bytes + at,
				step < sizeof(bytes) - at ? step : sizeof(bytes) - at);
		crypto_hash_end(&hash, pieces);
		cr_assert_eq(memcmp(whole, pieces, sizeof(whole)), 0, "step %zu", step);
	}
}

Test(hash, nothing_is_left_of_a_finished_hash)
{
	uint8_t digest[CRYPTO_DIGEST];
	crypto_hasher hash;

	crypto_hash_begin(&hash);
	crypto_hash_add(&hash, "secret", 6);
	crypto_hash_end(&hash, digest);
	for (size_t i = 0; i < sizeof(hash.opaque); i++)
		cr_assert_eq(hash.opaque[i], 0);
}

/* RFC 6962 section 2.1: the leaf of an empty record, and a node by its definition over SHA-256. */
Test(hash, merkle_leaf)
{
	uint8_t digest[CRYPTO_DIGEST];

	crypto_leaf("", 0, digest);
	expect(digest, 32, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
	crypto_leaf("L123456", 7, digest);
	expect(digest, 32, "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
}

Test(hash, merkle_node)
{
	uint8_t digest[CRYPTO_DIGEST], by_hand[CRYPTO_DIGEST], text[65];

	/* The example of Certificate Transparency's own tests has shorter inputs; ours are always
	 * digests. */
	for (uint8_t i = 0; i < 64; i++)
		text[i + 1] = i;
	text[0] = 1;
	crypto_node(text + 1, text + 33, digest);
	crypto_sha256(text, sizeof(text), by_hand);
	cr_assert_eq(memcmp(digest, by_hand, sizeof(digest)), 0);
}

/* Leaves 00, 10, 20 21 of the Certificate Transparency test vectors: roots of the trees of 1, 2 and
 * 3 leaves. */
Test(hash, merkle_tree_of_the_ct_vectors)
{
	uint8_t empty[CRYPTO_DIGEST], zero[CRYPTO_DIGEST], ten[CRYPTO_DIGEST], root[CRYPTO_DIGEST];

	crypto_leaf("", 0, empty);
	crypto_leaf("\x00", 1, zero);
	crypto_leaf("\x10", 1, ten);
	crypto_node(empty, zero, root);
	expect(root, 32, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
	crypto_node(root, ten, root);
	expect(root, 32, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77");
}

Test(hash, a_leaf_is_never_a_node)
{
	uint8_t text[64] = {0}, leaf[CRYPTO_DIGEST], node[CRYPTO_DIGEST];

	crypto_leaf(text, sizeof(text), leaf);
	crypto_node(text, text + 32, node);
	cr_assert_neq(memcmp(leaf, node, sizeof(leaf)), 0);
}

/* libsodium's own sodium_init, and one that finds no entropy: the linker gives us both. */
int __real_sodium_init(void);
int __wrap_sodium_init(void);
static bool no_entropy;

int __wrap_sodium_init(void)
{
	return no_entropy ? -1 : __real_sodium_init();
}

Test(open, without_entropy)
{
	hn_error *err = NULL;

	no_entropy = true;
	cr_assert_eq(crypto_open(&err), HN_EINTERNAL);
	cr_assert_not_null(strstr(hn_error_hint(err), "/dev/urandom"));
	hn_error_unref(err);
	no_entropy = false;
	cr_assert_eq(crypto_open(NULL), 0);
}

Test(hash, sha256_over_pieces_is_the_same)
{
	uint8_t bytes[300], whole[CRYPTO_DIGEST], pieces[CRYPTO_DIGEST];
	crypto_hasher hash;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 5);
	crypto_sha256(bytes, sizeof(bytes), whole);
	crypto_sha256_begin(&hash);
	for (size_t i = 0; i < sizeof(bytes); i += 100)
		crypto_sha256_add(&hash, bytes + i, 100);
	crypto_sha256_end(&hash, pieces);
	cr_assert_arr_eq(whole, pieces, sizeof(whole));
}
