/* SPDX-License-Identifier: MIT
 *
 * Verification of the audit log: every record, leaf, tile, the tree and its head. What does not fit
 * is named by the number of the record.
 */
#include "caps/audit-log.h"

typedef struct verify_walk {
	caps_audit *audit;
	crypto_merkle_frontier tree;
	uint8_t tile[CRYPTO_TILE_WIDTH][CRYPTO_DIGEST]; /* leaves as they are computed here */
} verify_walk;

static int wrong_record(uint64_t number, const char *what, hn_error **err)
{
	int rc = HN_CORRUPT(
		err, CAPS_ROOM, "audit record %llu %s", (unsigned long long)number, what);

	base_error_fact_number(err, "record", (int64_t)number);
	return rc;
}

/* The number that the record itself says. */
static bool own_number(const void *record, size_t size, uint64_t *number)
{
	codec_cbor in;
	uint64_t count, key, version;

	codec_cbor_open(&in, record, size);
	return codec_cbor_map(&in, &count) && codec_cbor_uint(&in, &key) && key == 1 &&
	       codec_cbor_uint(&in, &version) && version == 1 && codec_cbor_uint(&in, &key) &&
	       key == 2 && codec_cbor_uint(&in, number);
}

static int check_record(verify_walk *walk, state_query *query, hn_error **err)
{
	uint64_t expected = walk->tree.size, said = 0;
	uint8_t leaf[CRYPTO_DIGEST];
	size_t record_size = 0, leaf_size = 0;
	const void *record = state_blob(query, 1, &record_size);
	const void *stored = state_blob(query, 2, &leaf_size);

	if ((uint64_t)state_int(query, 0) != expected)
		return wrong_record(expected, "is missing", err);
	crypto_leaf(record, record_size, leaf);
	if (leaf_size != CRYPTO_DIGEST || memcmp(stored, leaf, CRYPTO_DIGEST) != 0)
		return wrong_record(expected, "was changed", err);
	if (!own_number(record, record_size, &said))
		return wrong_record(expected, "is not one", err);
	if (said != expected) {
		int rc = HN_CORRUPT(err, CAPS_ROOM,
			"in the place of audit record %llu stands record %llu",
			(unsigned long long)expected, (unsigned long long)said);

		base_error_fact_number(err, "record", (int64_t)expected);
		return rc;
	}
	memcpy(walk->tile[expected % CRYPTO_TILE_WIDTH], leaf, CRYPTO_DIGEST);
	crypto_merkle_push(&walk->tree, leaf);
	return 0;
}

static int rebuild(verify_walk *walk, hn_error **err)
{
	uint64_t size = walk->audit->tree.size;
	state_query *query = NULL;
	int rc = state_find(
		walk->audit->store, "SELECT seq, rec, leaf FROM audit ORDER BY seq", &query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0)
		rc = check_record(walk, query, err);
	state_done(query);
	if (rc < 0 || walk->tree.size == size)
		return rc;
	return HN_CORRUPT(err, CAPS_ROOM, "the audit log has %llu records, its head says %llu",
		(unsigned long long)walk->tree.size, (unsigned long long)size);
}

int caps_audit_verify(caps_audit *audit, hn_error **err)
{
	verify_walk walk = {.audit = audit};
	int rc = audit_load(audit, err);

	if (rc >= 0)
		rc = rebuild(&walk, err);
	if (rc < 0)
		return rc;
	if (walk.tree.count != audit->tree.count ||
		memcmp(walk.tree.node, audit->tree.node, walk.tree.count * CRYPTO_DIGEST) != 0)
		return HN_CORRUPT(
			err, CAPS_ROOM, "the tree of the audit log does not fit its head");
	return 0;
}
