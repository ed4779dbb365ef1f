/* SPDX-License-Identifier: MIT
 *
 * Verification of the audit log: every record, leaf, tile, checkpoint and text, the tree and its
 * head. What does not fit is named by the number of the record.
 */
#include "caps/audit-verify.h"

#define WIDTH CRYPTO_TILE_WIDTH

int audit_wrong_record(uint64_t number, const char *what, hn_error **err)
{
	int rc = HN_CORRUPT(
		err, CAPS_ROOM, "audit record %llu %s", (unsigned long long)number, what);

	base_error_fact_number(err, "record", (int64_t)number);
	return rc;
}

/* --- tiles --- */

static int wrong_tile(unsigned level, uint64_t tile, const char *what, hn_error **err)
{
	return HN_CORRUPT(err, CAPS_ROOM, "tile %llu of level %u of the audit log %s",
		(unsigned long long)tile, level, what);
}

/* What was computed against what is kept. In level 0 a hash is that of a record. */
static int check_tile(
	audit_walk *walk, unsigned level, uint64_t tile, const uint8_t *root, hn_error **err)
{
	audit_digest kept[WIDTH], kept_root;
	int rc = audit_tile_read(walk->audit, level, tile, kept, kept_root, err);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return wrong_tile(level, tile, "is missing", err);
	for (size_t i = 0; i < WIDTH; i++)
		if (memcmp(kept[i], walk->tile[level][i], CRYPTO_DIGEST) != 0)
			return level == 0 ? audit_wrong_record(tile * WIDTH + i,
						    "is not the one in its tile", err)
					  : wrong_tile(level, tile, "was changed", err);
	return memcmp(kept_root, root, CRYPTO_DIGEST) == 0
		       ? 0
		       : wrong_tile(level, tile, "has another root", err);
}

/* The hash with this number in its level is known: a tile that it completes is checked, and its
 * root goes into the level above. */
static int add_hash(audit_walk *walk, uint64_t number, const uint8_t *hash, hn_error **err)
{
	audit_digest root;
	int rc = 0;

	memcpy(root, hash, CRYPTO_DIGEST);
	for (unsigned level = 0; level < AUDIT_LEVELS; level++, number /= WIDTH) {
		memcpy(walk->tile[level][number % WIDTH], root, CRYPTO_DIGEST);
		if (number % WIDTH != WIDTH - 1)
			return 0;
		crypto_merkle_root_of((const audit_digest *)walk->tile[level], WIDTH, root);
		rc = check_tile(walk, level, number / WIDTH, root, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int add_leaf(audit_walk *walk, const uint8_t *leaf, hn_error **err)
{
	int rc = add_hash(walk, walk->tree.size, leaf, err);

	if (rc < 0)
		return rc;
	crypto_merkle_push(&walk->tree, leaf);
	return audit_checkpoints_check(walk, err);
}

/* Of pruned records the leaves are in the tiles. */
static int take_pruned(audit_walk *walk, hn_error **err)
{
	audit_digest kept[WIDTH], root;
	int rc = 0;

	while (rc >= 0 && walk->tree.size < walk->audit->min_index) {
		uint64_t tile = walk->tree.size / WIDTH;

		rc = audit_tile_read(walk->audit, 0, tile, kept, root, err);
		if (rc == 0)
			return wrong_tile(0, tile, "is missing", err);
		for (size_t i = 0; rc >= 0 && i < WIDTH; i++)
			rc = add_leaf(walk, kept[i], err);
	}
	return rc;
}

/* --- records --- */

static int wrong_place(uint64_t expected, uint64_t said, hn_error **err)
{
	int rc = HN_CORRUPT(err, CAPS_ROOM, "in the place of audit record %llu stands record %llu",
		(unsigned long long)expected, (unsigned long long)said);

	base_error_fact_number(err, "record", (int64_t)expected);
	return rc;
}

static int check_record(audit_walk *walk, state_query *query, hn_error **err)
{
	uint64_t expected = walk->tree.size;
	audit_digest leaf;
	audit_record record;
	size_t size = 0, leaf_size = 0;
	const void *bytes = state_blob(query, 1, &size);
	const void *stored = state_blob(query, 2, &leaf_size);
	int rc;

	if ((uint64_t)state_int(query, 0) != expected)
		return audit_wrong_record(expected, "is missing", err);
	if (expected >= walk->audit->tree.size)
		return audit_wrong_record(expected, "is beyond the end of the log", err);
	crypto_leaf(bytes, size, leaf);
	if (leaf_size != CRYPTO_DIGEST || memcmp(stored, leaf, CRYPTO_DIGEST) != 0)
		return audit_wrong_record(expected, "was changed", err);
	if (!audit_record_read(bytes, size, &record))
		return audit_wrong_record(expected, "is not one", err);
	if (record.number != expected)
		return wrong_place(expected, record.number, err);
	rc = audit_texts_check(walk, &record, err);
	if (rc >= 0)
		rc = audit_revoked_check(walk, &record, err);
	return rc < 0 ? rc : add_leaf(walk, leaf, err);
}

static int check_records(audit_walk *walk, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		walk->audit->store, "SELECT seq, rec, leaf FROM audit ORDER BY seq", &query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0)
		rc = check_record(walk, query, err);
	state_done(query);
	if (rc >= 0 && walk->tree.size < walk->audit->tree.size)
		rc = audit_wrong_record(walk->tree.size, "is missing", err);
	return rc;
}

/* --- the whole --- */

static int check_head(const audit_walk *walk, hn_error **err)
{
	const crypto_merkle_frontier *head = &walk->audit->tree;

	if (walk->tree.count == head->count &&
		memcmp(walk->tree.node, head->node, head->count * CRYPTO_DIGEST) == 0)
		return 0;
	return HN_CORRUPT(err, CAPS_ROOM, "the tree of the audit log does not fit its head");
}

/* What was pruned is as much as the last record of it says. */
static int check_pruned(const audit_walk *walk, hn_error **err)
{
	uint64_t first = walk->audit->min_index;

	return first == walk->pruned
		       ? 0
		       : HN_CORRUPT(err, CAPS_ROOM,
				 "the audit records before %llu are gone, and the last prune on"
				 " record kept those from %llu on",
				 (unsigned long long)first, (unsigned long long)walk->pruned);
}

static int check_all(audit_walk *walk, hn_error **err)
{
	int rc = audit_load(walk->audit, err);

	if (rc >= 0)
		rc = audit_checkpoints_begin(walk, err);
	if (rc >= 0)
		rc = take_pruned(walk, err);
	if (rc >= 0)
		rc = check_records(walk, err);
	if (rc >= 0)
		rc = audit_checkpoints_end(walk, err);
	if (rc >= 0)
		rc = check_head(walk, err);
	if (rc >= 0)
		rc = check_pruned(walk, err);
	if (rc >= 0)
		rc = audit_texts_end(walk, err);
	if (rc >= 0)
		rc = audit_revoked_end(walk, err);
	return rc < 0 ? rc : audit_checkpoints_compare(walk, err);
}

/* The signer is asked before the log is read, so what it knows is here; and the log is read as it
 * is at one moment. */
int caps_audit_verify(caps_audit *audit, const caps_audit_check_options *options, hn_error **err)
{
	audit_walk *walk = base_calloc(1, sizeof(*walk));
	crypto_signer *signer;
	int rc = 0;

	if (!walk)
		return base_nomem(err);
	walk->audit = audit;
	if (options)
		walk->options = *options;
	signer = walk->options.signer;
	if (signer)
		rc = signer->ops->status(signer, &walk->signer, err);
	if (rc >= 0)
		rc = state_begin_read(audit->store, err);
	if (rc >= 0) {
		rc = check_all(walk, err);
		state_done(walk->checkpoints);
		state_rollback(audit->store);
	}
	base_map_free(walk->epochs);
	base_free(walk->keys);
	base_free(walk);
	return rc < 0 ? rc : 0;
}
