/* SPDX-License-Identifier: MIT
 *
 * Verification of Merkle proofs, after the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2.
 */
#include "crypto/merkle.h"

#include "crypto/secret.h"

/* Where a proof has come to: the numbers of the last node of the proven and of the whole tree in
 * their level. */
typedef struct walk {
	uint64_t at, last;
} walk;

/* Up while the node is a left one (all sets it on a level where it is not). */
static void skip_left_edge(walk *here)
{
	while ((here->at & 1) == 0 && here->at != 0) {
		here->at >>= 1;
		here->last >>= 1;
	}
}

bool crypto_merkle_verify_inclusion(uint64_t size, const uint8_t root[CRYPTO_DIGEST],
	uint64_t index, const uint8_t leaf[CRYPTO_DIGEST], const crypto_merkle_proof *proof)
{
	walk here = {index, size - 1};
	uint8_t hash[CRYPTO_DIGEST];

	if (index >= size || size > CRYPTO_MERKLE_MOST || proof->count > BASE_COUNT(proof->node))
		return false;
	memcpy(hash, leaf, CRYPTO_DIGEST);
	for (size_t i = 0; i < proof->count; i++) {
		if (here.last == 0)
			return false;
		if ((here.at & 1) != 0 || here.at == here.last) {
			crypto_node(proof->node[i], hash, hash);
			skip_left_edge(&here);
		} else {
			crypto_node(hash, proof->node[i], hash);
		}
		here.at >>= 1;
		here.last >>= 1;
	}
	return here.last == 0 && crypto_equal(hash, root, CRYPTO_DIGEST);
}

/* Both roots from one proof: the old one of what lies to the left, the new one of all. */
static bool follow(walk here, const uint8_t seed[CRYPTO_DIGEST],
	const uint8_t (*node)[CRYPTO_DIGEST], size_t count, uint8_t old_hash[CRYPTO_DIGEST],
	uint8_t hash[CRYPTO_DIGEST])
{
	memcpy(old_hash, seed, CRYPTO_DIGEST);
	memcpy(hash, seed, CRYPTO_DIGEST);
	for (size_t i = 0; i < count; i++) {
		if (here.last == 0)
			return false;
		if ((here.at & 1) != 0 || here.at == here.last) {
			crypto_node(node[i], old_hash, old_hash);
			crypto_node(node[i], hash, hash);
			skip_left_edge(&here);
		} else {
			crypto_node(hash, node[i], hash);
		}
		here.at >>= 1;
		here.last >>= 1;
	}
	return here.last == 0;
}

bool crypto_merkle_verify_consistency(uint64_t old, const uint8_t old_root[CRYPTO_DIGEST],
	uint64_t size, const uint8_t root[CRYPTO_DIGEST], const crypto_merkle_proof *proof)
{
	static const crypto_merkle_frontier nothing;
	uint8_t old_hash[CRYPTO_DIGEST], hash[CRYPTO_DIGEST];
	const uint8_t *seed = old_root;
	walk here = {old - 1, size - 1};
	size_t used = 0;

	if (old > size || size > CRYPTO_MERKLE_MOST || proof->count > BASE_COUNT(proof->node))
		return false;
	if (old == 0) {
		crypto_merkle_root(&nothing, hash);
		return proof->count == 0 && crypto_equal(hash, old_root, CRYPTO_DIGEST);
	}
	if (old == size)
		return proof->count == 0 && crypto_equal(old_root, root, CRYPTO_DIGEST);
	/* A proof leaves out the old root when it is itself a node of the new tree. */
	if ((old & (old - 1)) != 0) {
		if (proof->count == 0)
			return false;
		seed = proof->node[used++];
	}
	while ((here.at & 1) != 0) {
		here.at >>= 1;
		here.last >>= 1;
	}
	return follow(here, seed, &proof->node[used], proof->count - used, old_hash, hash) &&
	       crypto_equal(old_hash, old_root, CRYPTO_DIGEST) &&
	       crypto_equal(hash, root, CRYPTO_DIGEST);
}
