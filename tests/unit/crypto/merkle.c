/* SPDX-License-Identifier: MIT
 *
 * Merkle trees against the definition of RFC 6962 section 2.1, written down naively here, and
 * against the vectors of its reference implementation.
 */
#include "crypto/crypto-private.h"
#include <criterion/criterion.h>
#include <stdio.h>

enum { MOST = 300 };

typedef uint8_t hash[CRYPTO_DIGEST];

static hash leaves[MOST];

static void init(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
	for (size_t i = 0; i < MOST; i++) {
		uint8_t record[2] = {(uint8_t)i, (uint8_t)(i >> 8)};

		crypto_leaf(record, sizeof(record), leaves[i]);
	}
}

TestSuite(merkle, .init = init, .timeout = 120);

/* MTH(D[n]) */
static void naive_root(size_t first, size_t size, hash root)
{
	hash left, right;
	size_t split = 1;

	if (size == 0) {
		crypto_sha256(NULL, 0, root);
		return;
	}
	if (size == 1) {
		memcpy(root, leaves[first], CRYPTO_DIGEST);
		return;
	}
	while (2 * split < size)
		split *= 2;
	naive_root(first, split, left);
	naive_root(first + split, size - split, right);
	crypto_node(left, right, root);
}

/* Hashes of tiles, each computed anew from its leaves. */
static int read_tile(void *arg, unsigned level, uint64_t first, size_t count,
	uint8_t (*hashes)[CRYPTO_DIGEST], hn_error **err)
{
	size_t *reads = arg;
	size_t width = (size_t)1 << (CRYPTO_TILE_HEIGHT * level);

	cr_assert_geq(count, 1);
	cr_assert_eq(first / CRYPTO_TILE_WIDTH, (first + count - 1) / CRYPTO_TILE_WIDTH,
		"within one tile");
	if (reads != NULL && (*reads)-- == 0)
		return base_error(err, HN_EIO, "test", NULL, "no more reads");
	for (size_t i = 0; i < count; i++) {
		cr_assert_leq((first + i + 1) * width, MOST, "only full subtrees");
		naive_root((size_t)(first + i) * width, width, hashes[i]);
	}
	return 0;
}

static const crypto_merkle_source source = {read_tile, NULL};

static void root_hex(const char *expected, size_t count)
{
	static const uint8_t inputs[8][16] = {{0}, {0x00}, {0x10}, {0x20, 0x21}, {0x30, 0x31},
		{0x40, 0x41, 0x42, 0x43}, {0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57},
		{0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
			0x6e, 0x6f}};
	static const size_t sizes[8] = {0, 1, 1, 2, 2, 4, 8, 16};
	crypto_merkle_frontier frontier = {0};
	char text[2 * CRYPTO_DIGEST + 1];
	hash root, leaf;

	for (size_t i = 0; i < count; i++) {
		crypto_leaf(inputs[i], sizes[i], leaf);
		crypto_merkle_push(&frontier, leaf);
	}
	crypto_merkle_root(&frontier, root);
	for (size_t i = 0; i < CRYPTO_DIGEST; i++)
		snprintf(text + 2 * i, 3, "%02x", root[i]);
	cr_assert_str_eq(text, expected);
}

/* The eight roots of the certificate-transparency test tree. */
Test(merkle, roots_of_the_reference_tree)
{
	root_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 0);
	root_hex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", 1);
	root_hex("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125", 2);
	root_hex("aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77", 3);
	root_hex("d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7", 4);
	root_hex("4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4", 5);
	root_hex("76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef", 6);
	root_hex("ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c", 7);
	root_hex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328", 8);
}

Test(merkle, frontier_is_the_definition_up_to_300)
{
	crypto_merkle_frontier frontier = {0};
	hash expected, root;

	for (size_t size = 0; size <= MOST; size++) {
		naive_root(0, size, expected);
		crypto_merkle_root(&frontier, root);
		cr_assert_arr_eq(root, expected, CRYPTO_DIGEST, "%zu leaves", size);
		crypto_merkle_root_of((const hash *)leaves, size, root);
		cr_assert_arr_eq(root, expected, CRYPTO_DIGEST);
		cr_assert_eq(frontier.count, (size_t)__builtin_popcountll(size));
		if (size < MOST)
			crypto_merkle_push(&frontier, leaves[size]);
	}
}

Test(merkle, frontier_loads_what_was_kept)
{
	crypto_merkle_frontier kept = {0}, loaded = {.size = 9};
	hash first, second;

	for (size_t i = 0; i < 77; i++)
		crypto_merkle_push(&kept, leaves[i]);
	cr_assert_eq(
		crypto_merkle_load(&loaded, kept.size, kept.node, kept.count * CRYPTO_DIGEST, NULL),
		0);
	for (size_t i = 77; i < 200; i++) {
		crypto_merkle_push(&kept, leaves[i]);
		crypto_merkle_push(&loaded, leaves[i]);
	}
	crypto_merkle_root(&kept, first);
	crypto_merkle_root(&loaded, second);
	cr_assert_arr_eq(first, second, CRYPTO_DIGEST);
}

Test(merkle, frontier_that_does_not_fit_is_corrupt)
{
	crypto_merkle_frontier loaded = {.size = 9};

	cr_assert_eq(crypto_merkle_load(&loaded, 3, leaves, CRYPTO_DIGEST, NULL), HN_ECORRUPT);
	cr_assert_eq(crypto_merkle_load(&loaded, 2, leaves, CRYPTO_DIGEST - 1, NULL), HN_ECORRUPT);
	cr_assert_eq(crypto_merkle_load(
			     &loaded, CRYPTO_MERKLE_MOST + 1, leaves, 2 * CRYPTO_DIGEST, NULL),
		HN_ECORRUPT);
	cr_assert_eq(loaded.size, 9, "untouched");
}

Test(merkle, frontier_is_read_from_tiles)
{
	crypto_merkle_frontier pushed = {0}, read;

	for (size_t size = 0; size <= MOST; size++) {
		cr_assert_eq(crypto_merkle_frontier_at(&source, size, &read, NULL), 0);
		cr_assert_eq(read.size, size);
		cr_assert_eq(read.count, pushed.count);
		cr_assert_arr_eq(read.node, pushed.node, pushed.count * CRYPTO_DIGEST);
		if (size < MOST)
			crypto_merkle_push(&pushed, leaves[size]);
	}
}

Test(merkle, each_inclusion_is_proven)
{
	crypto_merkle_proof proof;
	hash root;

	for (size_t size = 1; size <= MOST; size += size < 70 ? 1 : 23) {
		naive_root(0, size, root);
		for (size_t index = 0; index < size; index++) {
			cr_assert_eq(
				crypto_merkle_inclusion(&source, size, index, &proof, NULL), 0);
			cr_assert(crypto_merkle_verify_inclusion(
					  size, root, index, leaves[index], &proof),
				"%zu of %zu", index, size);
			cr_assert_not(crypto_merkle_verify_inclusion(
					      size, root, index ^ 1, leaves[index], &proof) &&
				      size > 1);
		}
	}
}

Test(merkle, each_consistency_is_proven)
{
	crypto_merkle_proof proof;
	hash old_root, root;

	for (size_t size = 0; size <= MOST; size += size < 70 ? 1 : 23) {
		naive_root(0, size, root);
		for (size_t old = 0; old <= size; old++) {
			naive_root(0, old, old_root);
			cr_assert_eq(
				crypto_merkle_consistency(&source, old, size, &proof, NULL), 0);
			cr_assert(
				crypto_merkle_verify_consistency(old, old_root, size, root, &proof),
				"%zu in %zu", old, size);
		}
	}
}

/* RFC 6962 section 2.1.3: the proofs of the tree of seven leaves. */
Test(merkle, proofs_have_the_nodes_of_the_standard)
{
	crypto_merkle_proof proof;
	hash b, h, l, k;

	naive_root(1, 1, b);
	naive_root(2, 2, h);
	naive_root(4, 3, l);
	naive_root(0, 4, k);
	cr_assert_eq(crypto_merkle_inclusion(&source, 7, 0, &proof, NULL), 0);
	cr_assert_eq(proof.count, 3);
	cr_assert_arr_eq(proof.node[0], b, CRYPTO_DIGEST);
	cr_assert_arr_eq(proof.node[1], h, CRYPTO_DIGEST);
	cr_assert_arr_eq(proof.node[2], l, CRYPTO_DIGEST);
	cr_assert_eq(crypto_merkle_consistency(&source, 4, 7, &proof, NULL), 0);
	cr_assert_eq(proof.count, 1);
	cr_assert_arr_eq(proof.node[0], l, CRYPTO_DIGEST);
	cr_assert_eq(crypto_merkle_inclusion(&source, 7, 6, &proof, NULL), 0);
	cr_assert_eq(proof.count, 2);
	cr_assert_arr_eq(proof.node[1], k, CRYPTO_DIGEST);
}

static bool inclusion_holds(size_t size, const hash root, size_t index, const hash leaf,
	const crypto_merkle_proof *proof)
{
	return crypto_merkle_verify_inclusion(size, root, index, leaf, proof);
}

Test(merkle, each_flipped_bit_of_an_inclusion_fails)
{
	static const size_t sizes[] = {1, 2, 7, 8, 100, 257};
	crypto_merkle_proof proof;
	hash root, leaf;

	for (size_t s = 0; s < BASE_COUNT(sizes); s++) {
		size_t size = sizes[s], index = size * 2 / 3;

		naive_root(0, size, root);
		memcpy(leaf, leaves[index], CRYPTO_DIGEST);
		cr_assert_eq(crypto_merkle_inclusion(&source, size, index, &proof, NULL), 0);
		for (size_t bit = 0; bit < 8 * CRYPTO_DIGEST; bit++) {
			uint8_t flip = (uint8_t)(1 << bit % 8);

			root[bit / 8] ^= flip;
			cr_assert_not(inclusion_holds(size, root, index, leaf, &proof));
			root[bit / 8] ^= flip;
			leaf[bit / 8] ^= flip;
			cr_assert_not(inclusion_holds(size, root, index, leaf, &proof));
			leaf[bit / 8] ^= flip;
			for (size_t i = 0; i < proof.count; i++) {
				proof.node[i][bit / 8] ^= flip;
				cr_assert_not(inclusion_holds(size, root, index, leaf, &proof));
				proof.node[i][bit / 8] ^= flip;
			}
		}
		cr_assert(inclusion_holds(size, root, index, leaf, &proof));
	}
}

static void flip_consistency(size_t old, size_t size)
{
	crypto_merkle_proof proof;
	hash old_root, root;

	naive_root(0, old, old_root);
	naive_root(0, size, root);
	cr_assert_eq(crypto_merkle_consistency(&source, old, size, &proof, NULL), 0);
	for (size_t bit = 0; bit < 8 * CRYPTO_DIGEST; bit++) {
		uint8_t flip = (uint8_t)(1 << bit % 8);

		old_root[bit / 8] ^= flip;
		cr_assert_not(crypto_merkle_verify_consistency(old, old_root, size, root, &proof));
		old_root[bit / 8] ^= flip;
		root[bit / 8] ^= flip;
		cr_assert_not(crypto_merkle_verify_consistency(old, old_root, size, root, &proof));
		root[bit / 8] ^= flip;
		for (size_t i = 0; i < proof.count; i++) {
			proof.node[i][bit / 8] ^= flip;
			cr_assert_not(crypto_merkle_verify_consistency(
				old, old_root, size, root, &proof));
			proof.node[i][bit / 8] ^= flip;
		}
	}
}

Test(merkle, each_flipped_bit_of_a_consistency_fails)
{
	flip_consistency(1, 2);
	flip_consistency(3, 7);
	flip_consistency(4, 7);
	flip_consistency(64, 100);
	flip_consistency(99, 100);
	flip_consistency(256, 257);
	flip_consistency(100, 300);
}

Test(merkle, proofs_of_another_length_fail)
{
	crypto_merkle_proof proof;
	hash root, old_root;

	naive_root(0, 100, root);
	naive_root(0, 33, old_root);
	cr_assert_eq(crypto_merkle_inclusion(&source, 100, 33, &proof, NULL), 0);
	proof.count--;
	cr_assert_not(crypto_merkle_verify_inclusion(100, root, 33, leaves[33], &proof));
	proof.count += 2;
	cr_assert_not(crypto_merkle_verify_inclusion(100, root, 33, leaves[33], &proof));
	proof.count = 1000;
	cr_assert_not(crypto_merkle_verify_inclusion(100, root, 33, leaves[33], &proof));
	cr_assert_eq(crypto_merkle_consistency(&source, 33, 100, &proof, NULL), 0);
	proof.count--;
	cr_assert_not(crypto_merkle_verify_consistency(33, old_root, 100, root, &proof));
	proof.count = 0;
	cr_assert_not(crypto_merkle_verify_consistency(33, old_root, 100, root, &proof));
}

Test(merkle, an_empty_tree_begins_every_tree)
{
	crypto_merkle_proof none = {0}, some = {.count = 1};
	hash empty, root;

	naive_root(0, 0, empty);
	naive_root(0, 5, root);
	cr_assert(crypto_merkle_verify_consistency(0, empty, 5, root, &none));
	cr_assert_not(crypto_merkle_verify_consistency(0, root, 5, root, &none));
	cr_assert_not(crypto_merkle_verify_consistency(0, empty, 5, root, &some));
}

Test(merkle, equal_trees_need_no_proof)
{
	crypto_merkle_proof none = {0}, some = {.count = 1};
	hash root, other;

	naive_root(0, 5, root);
	naive_root(0, 6, other);
	cr_assert(crypto_merkle_verify_consistency(5, root, 5, root, &none));
	cr_assert_not(crypto_merkle_verify_consistency(5, root, 5, other, &none));
	cr_assert_not(crypto_merkle_verify_consistency(5, root, 5, root, &some));
}

Test(merkle, a_tree_does_not_shrink)
{
	crypto_merkle_proof proof = {.count = 7};
	hash root, other;

	naive_root(0, 5, root);
	naive_root(0, 6, other);
	cr_assert_eq(crypto_merkle_consistency(&source, 6, 5, &proof, NULL), HN_ERANGE);
	cr_assert_eq(proof.count, 7, "untouched");
	proof.count = 0;
	cr_assert_not(crypto_merkle_verify_consistency(6, other, 5, root, &proof));
}

/* Sizes and counts that no tree has are refused before anything is read by them. */
Test(merkle, a_proof_beyond_every_tree_is_none)
{
	crypto_merkle_proof none = {0}, long_one = {.count = BASE_COUNT(none.node) + 1};
	const uint64_t most = CRYPTO_MERKLE_MOST;
	hash root;

	naive_root(0, 5, root);
	cr_expect_not(crypto_merkle_verify_inclusion(most + 1, root, 0, leaves[0], &none));
	cr_expect_not(crypto_merkle_verify_inclusion(5, root, 5, leaves[0], &none));
	cr_expect_not(crypto_merkle_verify_inclusion(5, root, 0, leaves[0], &long_one));
	cr_expect_not(crypto_merkle_verify_consistency(most + 1, root, most + 1, root, &none));
	cr_expect_not(crypto_merkle_verify_consistency(5, root, 5, root, &long_one));
	cr_expect(crypto_merkle_verify_consistency(5, root, 5, root, &none));
	none.count = BASE_COUNT(none.node);
	cr_expect_not(crypto_merkle_verify_consistency(2, root, 5, root, &none), "too long");
}

Test(merkle, a_leaf_outside_is_out_of_range)
{
	crypto_merkle_proof proof = {.count = 7};

	cr_assert_eq(crypto_merkle_inclusion(&source, 5, 5, &proof, NULL), HN_ERANGE);
	cr_assert_eq(crypto_merkle_inclusion(&source, 0, 0, &proof, NULL), HN_ERANGE);
	cr_assert_eq(crypto_merkle_inclusion(&source, CRYPTO_MERKLE_MOST + 1, 0, &proof, NULL),
		HN_ERANGE);
	cr_assert_eq(proof.count, 7, "untouched");
	proof.count = 0;
	cr_assert_not(crypto_merkle_verify_inclusion(0, leaves[0], 0, leaves[0], &proof));
}

Test(merkle, a_failed_read_ends_the_proof)
{
	for (size_t reads = 0; reads < 3; reads++) {
		size_t left = reads;
		crypto_merkle_source failing = {read_tile, &left};
		crypto_merkle_proof proof = {.count = 7};
		crypto_merkle_frontier frontier = {.size = 9};

		cr_assert_eq(crypto_merkle_inclusion(&failing, 100, 50, &proof, NULL), HN_EIO);
		left = reads;
		cr_assert_eq(crypto_merkle_consistency(&failing, 33, 100, &proof, NULL), HN_EIO);
		cr_assert_eq(proof.count, 7, "untouched");
		left = reads;
		cr_assert_eq(crypto_merkle_frontier_at(&failing, 111, &frontier, NULL), HN_EIO);
		cr_assert_eq(frontier.size, 9, "untouched");
	}
}

Test(merkle, tiles_are_named_by_level_and_number)
{
	cr_assert_eq(crypto_tile_id(0, 7), 7);
	cr_assert_eq(crypto_tile_id(2, 1), (UINT64_C(2) << 48) + 1);
}
