/* SPDX-License-Identifier: MIT
 *
 * The tiles of the audit log: 256 hashes side by side, stored when they are full, so that proofs
 * and exports read a few rows however long the log is.
 */
#include "caps/audit-log.h"

#define WIDTH CRYPTO_TILE_WIDTH

typedef uint8_t digest[CRYPTO_DIGEST];

/* Reads `count` hashes in rising rows from a query whose one column they are. */
static int read_rows(state_query *query, size_t count, digest *hashes, hn_error **err)
{
	size_t size = 0, have = 0;
	int rc;

	while ((rc = state_row(query, err)) > 0 && have < count) {
		const void *bytes = state_blob(query, 0, &size);

		if (size != CRYPTO_DIGEST)
			break;
		memcpy(hashes[have++], bytes, CRYPTO_DIGEST);
	}
	if (rc > 0)
		state_done(query);
	if (rc < 0)
		return rc;
	return have == count ? 0
			     : HN_CORRUPT(err, CAPS_ROOM,
				       "hashes of the audit log are missing, or too long");
}

static int read_range(caps_audit *audit, const char *sql, int64_t first, size_t count,
	digest *hashes, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(audit->store, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, first);
	state_bind_int(query, 2, first + (int64_t)count);
	return read_rows(query, count, hashes, err);
}

static int read_leaves(
	caps_audit *audit, uint64_t first, size_t count, digest *hashes, hn_error **err)
{
	return read_range(audit, "SELECT leaf FROM audit WHERE seq >= ?1 AND seq < ?2 ORDER BY seq",
		(int64_t)first, count, hashes, err);
}

/* The roots of full tiles are the hashes of the level above. */
static int read_roots(caps_audit *audit, unsigned level, uint64_t first, size_t count,
	digest *hashes, hn_error **err)
{
	return read_range(audit,
		"SELECT root FROM audit_tile WHERE id >= ?1 AND id < ?2 ORDER BY id",
		(int64_t)crypto_tile_id(level - 1, first), count, hashes, err);
}

int audit_tile_read(caps_audit *audit, unsigned level, uint64_t tile, digest *hashes, digest root,
	hn_error **err)
{
	state_query *query = NULL;
	size_t size = 0, root_size = 0;
	const void *bytes, *root_bytes;
	int rc = state_find(
		audit->store, "SELECT data, root FROM audit_tile WHERE id = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)crypto_tile_id(level, tile));
	rc = state_row(query, err);
	if (rc <= 0)
		return rc;
	bytes = state_blob(query, 0, &size);
	root_bytes = state_blob(query, 1, &root_size);
	if (size == sizeof(digest) * WIDTH && root_size == CRYPTO_DIGEST) {
		memcpy(hashes, bytes, size);
		memcpy(root, root_bytes, CRYPTO_DIGEST);
	} else {
		rc = HN_CORRUPT(err, CAPS_ROOM,
			"tile %llu of level %u of the audit log has %zu bytes",
			(unsigned long long)tile, level, size);
	}
	state_done(query);
	return rc;
}

static int read_hashes(
	void *arg, unsigned level, uint64_t first, size_t count, digest *hashes, hn_error **err)
{
	caps_audit *audit = arg;
	digest whole[WIDTH], root;
	int rc = audit_tile_read(audit, level, first / WIDTH, whole, root, err);

	if (rc < 0)
		return rc;
	if (rc > 0) {
		memcpy(hashes, whole[first % WIDTH], count * sizeof(digest));
		return 0;
	}
	return level == 0 ? read_leaves(audit, first, count, hashes, err)
			  : read_roots(audit, level, first, count, hashes, err);
}

crypto_merkle_source audit_source(caps_audit *audit)
{
	return (crypto_merkle_source){.read = read_hashes, .arg = audit};
}

static int insert_tile(
	caps_audit *audit, unsigned level, uint64_t tile, const digest *hashes, hn_error **err)
{
	state_query *query = NULL;
	digest root;
	int rc = state_find(audit->store,
		"INSERT INTO audit_tile(id, root, data) VALUES (?1, ?2, ?3)", &query, err);

	if (rc < 0)
		return rc;
	crypto_merkle_root_of(hashes, WIDTH, root);
	state_bind_int(query, 1, (int64_t)crypto_tile_id(level, tile));
	state_bind_blob(query, 2, root, sizeof(root));
	state_bind_blob(query, 3, hashes, sizeof(digest) * WIDTH);
	return state_run(query, err);
}

/* The leaves of the tile that is full now: those that this process did not add come from the
 * store. */
static int gather_leaves(caps_audit *audit, hn_error **err)
{
	uint64_t first = audit->tree.size - WIDTH;
	int rc;

	if (audit->held_from <= first)
		return 0;
	rc = read_leaves(audit, first, (size_t)(audit->held_from - first), audit->held, err);
	if (rc >= 0)
		audit->held_from = first;
	return rc;
}

int audit_tiles_store(caps_audit *audit, hn_error **err)
{
	uint64_t tile = audit->tree.size / WIDTH;
	digest roots[WIDTH];
	int rc;

	if (audit->tree.size % WIDTH != 0)
		return 0;
	rc = gather_leaves(audit, err);
	if (rc >= 0)
		rc = insert_tile(audit, 0, tile - 1, (const digest *)audit->held, err);
	for (unsigned level = 1; rc >= 0 && tile % WIDTH == 0; level++, tile /= WIDTH) {
		rc = read_roots(audit, level, tile - WIDTH, WIDTH, roots, err);
		if (rc >= 0)
			rc = insert_tile(
				audit, level, tile / WIDTH - 1, (const digest *)roots, err);
	}
	return rc;
}
