/* SPDX-License-Identifier: MIT
 *
 * Merkle trees as in RFC 6962: the frontier that grows, proofs, and their verification. Pure: who
 * keeps the hashes gives a function that reads them.
 */
#ifndef CRYPTO_MERKLE_H
#define CRYPTO_MERKLE_H

#include "base/base-private.h"

#define CRYPTO_DIGEST 32

/* leaf = SHA-256(00 || record), node = SHA-256(01 || left || right). */
void crypto_leaf(const void *record, size_t size, uint8_t digest[CRYPTO_DIGEST]);
void crypto_node(const uint8_t left[CRYPTO_DIGEST], const uint8_t right[CRYPTO_DIGEST],
	uint8_t digest[CRYPTO_DIGEST]);

/* The roots of the full subtrees of a tree, the largest first: all that is needed to add to it.
 * Zeroed, it is the empty tree. */
#define CRYPTO_MERKLE_LEVELS 62
#define CRYPTO_MERKLE_MOST (UINT64_C(1) << CRYPTO_MERKLE_LEVELS) /* leaves */
typedef struct crypto_merkle_frontier {
	uint64_t size; /* leaves */
	size_t count;  /* bits set in size */
	uint8_t node[64][CRYPTO_DIGEST];
} crypto_merkle_frontier;
void crypto_merkle_push(crypto_merkle_frontier *frontier, const uint8_t leaf[CRYPTO_DIGEST]);
/* From what was kept: count nodes one after the other. HN_ECORRUPT when they do not fit the size.
 */
int crypto_merkle_load(crypto_merkle_frontier *frontier, uint64_t size, const void *nodes,
	size_t bytes, hn_error **err);
/* Of an empty tree it is SHA-256 of nothing. */
void crypto_merkle_root(const crypto_merkle_frontier *frontier, uint8_t root[CRYPTO_DIGEST]);
/* The root over these leaf hashes (RFC 6962 section 2.1), without a frontier of one's own. */
void crypto_merkle_root_of(
	const uint8_t (*leaves)[CRYPTO_DIGEST], size_t count, uint8_t root[CRYPTO_DIGEST]);

/* Tiles of height 8 (C2SP tlog-tiles): tile N of level L holds up to 256 hashes, each the root of a
 * full subtree of 256^L leaves. Level 0 holds leaf hashes. */
enum { CRYPTO_TILE_HEIGHT = 8, CRYPTO_TILE_WIDTH = 256 };
static inline uint64_t crypto_tile_id(unsigned level, uint64_t tile)
{
	return (uint64_t)level << 48 | tile;
}
/* Reads hashes first .. first + count - 1 of tile level `level` (first counts all hashes of the
 * level: tile first / 256, there first % 256). count is 1 .. 256 and they lie in one tile; all are
 * roots of full subtrees of the tree that is asked for. 0 or a negative hn_code. */
typedef int (*crypto_merkle_read)(void *arg, unsigned level, uint64_t first, size_t count,
	uint8_t (*hashes)[CRYPTO_DIGEST], hn_error **err);
typedef struct crypto_merkle_source {
	crypto_merkle_read read;
	void *arg;
} crypto_merkle_source;

typedef struct crypto_merkle_proof {
	size_t count;
	uint8_t node[64][CRYPTO_DIGEST];
} crypto_merkle_proof;
/* That leaf `index` is in the tree of the first `size` leaves. HN_ERANGE unless index < size. */
int crypto_merkle_inclusion(const crypto_merkle_source *source, uint64_t size, uint64_t index,
	crypto_merkle_proof *proof, hn_error **err);
/* That the tree of the first `old` leaves is the beginning of that of `size`. HN_ERANGE unless old
 * <= size. Empty for old = 0 and old = size. */
int crypto_merkle_consistency(const crypto_merkle_source *source, uint64_t old, uint64_t size,
	crypto_merkle_proof *proof, hn_error **err);
/* The frontier or the root of the first `size` leaves, read anew. */
int crypto_merkle_frontier_at(const crypto_merkle_source *source, uint64_t size,
	crypto_merkle_frontier *frontier, hn_error **err);

bool crypto_merkle_verify_inclusion(uint64_t size, const uint8_t root[CRYPTO_DIGEST],
	uint64_t index, const uint8_t leaf[CRYPTO_DIGEST], const crypto_merkle_proof *proof);
bool crypto_merkle_verify_consistency(uint64_t old, const uint8_t old_root[CRYPTO_DIGEST],
	uint64_t size, const uint8_t root[CRYPTO_DIGEST], const crypto_merkle_proof *proof);

#endif
