/* SPDX-License-Identifier: MIT
 *
 * Merkle trees of RFC 6962 that grow, and the making of proofs. Verification is in merkle-verify.c.
 */
#include "crypto/merkle.h"

#include <assert.h>
#include <sodium.h>

static_assert(CRYPTO_DIGEST == crypto_hash_sha256_BYTES, "SHA-256 fills a digest");

/* The first byte keeps a leaf from passing as a node, and the other way round (RFC 6962
 * section 2.1). */
static void tree_hash(uint8_t kind, const void *first, size_t first_size, const void *second,
	size_t second_size, uint8_t digest[CRYPTO_DIGEST])
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, &kind, 1);
	crypto_hash_sha256_update(&state, first, first_size);
	crypto_hash_sha256_update(&state, second, second_size);
	crypto_hash_sha256_final(&state, digest);
}

void crypto_leaf(const void *record, size_t size, uint8_t digest[CRYPTO_DIGEST])
{
	tree_hash(0x00, record, size, NULL, 0, digest);
}

void crypto_node(const uint8_t left[CRYPTO_DIGEST], const uint8_t right[CRYPTO_DIGEST],
	uint8_t digest[CRYPTO_DIGEST])
{
	tree_hash(0x01, left, CRYPTO_DIGEST, right, CRYPTO_DIGEST, digest);
}

/* --- the frontier --- */

/* Each trailing one bit of the size is a full subtree that the new leaf completes. */
void crypto_merkle_push(crypto_merkle_frontier *frontier, const uint8_t leaf[CRYPTO_DIGEST])
{
	assert(frontier->size < CRYPTO_MERKLE_MOST);
	memcpy(frontier->node[frontier->count++], leaf, CRYPTO_DIGEST);
	for (uint64_t size = frontier->size; (size & 1) != 0; size >>= 1) {
		uint8_t *left = frontier->node[frontier->count - 2];

		crypto_node(left, frontier->node[frontier->count - 1], left);
		frontier->count--;
	}
	frontier->size++;
}

int crypto_merkle_load(crypto_merkle_frontier *frontier, uint64_t size, const void *nodes,
	size_t bytes, hn_error **err)
{
	size_t count = (size_t)__builtin_popcountll(size);

	if (size > CRYPTO_MERKLE_MOST || bytes != count * CRYPTO_DIGEST)
		return HN_CORRUPT(err, "crypto", "a frontier of %zu bytes does not fit %llu leaves",
			bytes, (unsigned long long)size);
	frontier->size = size;
	frontier->count = count;
	if (bytes > 0)
		memcpy(frontier->node, nodes, bytes);
	return 0;
}

void crypto_merkle_root(const crypto_merkle_frontier *frontier, uint8_t root[CRYPTO_DIGEST])
{
	uint8_t right[CRYPTO_DIGEST];

	if (frontier->count == 0) {
		crypto_hash_sha256(root, NULL, 0);
		return;
	}
	memcpy(right, frontier->node[frontier->count - 1], CRYPTO_DIGEST);
	for (size_t i = frontier->count - 1; i > 0; i--)
		crypto_node(frontier->node[i - 1], right, right);
	memcpy(root, right, CRYPTO_DIGEST);
}

void crypto_merkle_root_of(
	const uint8_t (*leaves)[CRYPTO_DIGEST], size_t count, uint8_t root[CRYPTO_DIGEST])
{
	crypto_merkle_frontier frontier = {0};

	for (size_t i = 0; i < count; i++)
		crypto_merkle_push(&frontier, leaves[i]);
	crypto_merkle_root(&frontier, root);
}

/* --- reading nodes --- */

/* The root of the full subtree of 2^height leaves that begins at leaf index << height. */
static int read_node(const crypto_merkle_source *source, unsigned height, uint64_t index,
	uint8_t node[CRYPTO_DIGEST], hn_error **err)
{
	uint8_t hashes[CRYPTO_TILE_WIDTH][CRYPTO_DIGEST];
	unsigned inside = height % CRYPTO_TILE_HEIGHT;
	size_t count = (size_t)1 << inside;
	int rc = source->read(
		source->arg, height / CRYPTO_TILE_HEIGHT, index << inside, count, hashes, err);

	if (rc < 0)
		return rc;
	crypto_merkle_root_of((const uint8_t(*)[CRYPTO_DIGEST])hashes, count, node);
	return 0;
}

/* A range of leaves that is a subtree of RFC 6962 is full subtrees of falling size; they are its
 * frontier, whose root is the range's. */
static int read_range(const crypto_merkle_source *source, uint64_t first, uint64_t size,
	crypto_merkle_frontier *frontier, hn_error **err)
{
	uint64_t at = first;

	frontier->count = 0;
	for (unsigned height = CRYPTO_MERKLE_LEVELS + 1; height-- > 0;) {
		int rc;

		if ((size >> height & 1) == 0)
			continue;
		rc = read_node(
			source, height, at >> height, frontier->node[frontier->count++], err);
		if (rc < 0)
			return rc;
		at += UINT64_C(1) << height;
	}
	frontier->size = size;
	return 0;
}

static int range_root(const crypto_merkle_source *source, uint64_t first, uint64_t size,
	uint8_t root[CRYPTO_DIGEST], hn_error **err)
{
	crypto_merkle_frontier frontier;
	int rc = read_range(source, first, size, &frontier, err);

	if (rc >= 0)
		crypto_merkle_root(&frontier, root);
	return rc;
}

static int check_size(uint64_t size, hn_error **err)
{
	if (size <= CRYPTO_MERKLE_MOST)
		return 0;
	return base_error(err, HN_ERANGE, "crypto", NULL,
		"a tree has at most 2^%d leaves, not %llu", CRYPTO_MERKLE_LEVELS,
		(unsigned long long)size);
}

int crypto_merkle_frontier_at(const crypto_merkle_source *source, uint64_t size,
	crypto_merkle_frontier *frontier, hn_error **err)
{
	crypto_merkle_frontier made;
	int rc = check_size(size, err);

	if (rc >= 0)
		rc = read_range(source, 0, size, &made, err);
	if (rc >= 0)
		*frontier = made;
	return rc;
}

/* --- proofs --- */

/* The largest power of two below size (size > 1): where a tree divides. */
static uint64_t split_of(uint64_t size)
{
	return UINT64_C(1) << (63 - __builtin_clzll(size - 1));
}

static void turn_round(crypto_merkle_proof *proof)
{
	for (size_t low = 0, high = proof->count; low + 1 < high; low++) {
		uint8_t kept[CRYPTO_DIGEST];

		high--;
		memcpy(kept, proof->node[low], CRYPTO_DIGEST);
		memcpy(proof->node[low], proof->node[high], CRYPTO_DIGEST);
		memcpy(proof->node[high], kept, CRYPTO_DIGEST);
	}
}

/* PATH(m, D[n]) of RFC 6962 section 2.1.1, from the root downward and then turned round. */
int crypto_merkle_inclusion(const crypto_merkle_source *source, uint64_t size, uint64_t index,
	crypto_merkle_proof *proof, hn_error **err)
{
	crypto_merkle_proof made = {0};
	uint64_t first = 0, left = size;
	int rc = check_size(size, err);

	if (rc >= 0 && index >= size)
		rc = base_error(err, HN_ERANGE, "crypto", NULL,
			"leaf %llu is not in a tree of %llu leaves", (unsigned long long)index,
			(unsigned long long)size);
	while (rc >= 0 && left > 1) {
		uint64_t split = split_of(left);
		bool right = index - first >= split;

		rc = right ? range_root(source, first, split, made.node[made.count++], err)
			   : range_root(source, first + split, left - split,
				     made.node[made.count++], err);
		first += right ? split : 0;
		left = right ? left - split : split;
	}
	if (rc < 0)
		return rc;
	turn_round(&made);
	*proof = made;
	return 0;
}

/* SUBPROOF(m, D[n], b) of RFC 6962 section 2.1.2, in the same way. */
static int consistency_path(const crypto_merkle_source *source, uint64_t old, uint64_t size,
	crypto_merkle_proof *made, hn_error **err)
{
	uint64_t first = 0, left = size;
	int rc = 0;

	while (rc >= 0 && first + left != old) {
		uint64_t split = split_of(left);
		bool right = old - first > split;

		rc = right ? range_root(source, first, split, made->node[made->count++], err)
			   : range_root(source, first + split, left - split,
				     made->node[made->count++], err);
		first += right ? split : 0;
		left = right ? left - split : split;
	}
	/* The verifier knows this subtree already when it is the whole of the old tree. */
	if (rc >= 0 && first > 0)
		rc = range_root(source, first, left, made->node[made->count++], err);
	return rc;
}

int crypto_merkle_consistency(const crypto_merkle_source *source, uint64_t old, uint64_t size,
	crypto_merkle_proof *proof, hn_error **err)
{
	crypto_merkle_proof made = {0};
	int rc = check_size(size, err);

	if (rc >= 0 && old > size)
		rc = base_error(err, HN_ERANGE, "crypto", NULL,
			"a tree of %llu leaves does not begin with %llu", (unsigned long long)size,
			(unsigned long long)old);
	if (rc >= 0 && old > 0 && old < size)
		rc = consistency_path(source, old, size, &made, err);
	if (rc < 0)
		return rc;
	turn_round(&made);
	*proof = made;
	return 0;
}
