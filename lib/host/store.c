/* SPDX-License-Identifier: MIT
 *
 * The host's database: opening it, its revision, content-addressed bodies, and transactions.
 */
#include "caps/store.h"
#include "host/host-private.h"

#include <errno.h>

#define DATABASE "hypernix.db"

static int make_directory(hn_host *host, hn_error **err)
{
	struct stat status;
	int rc = os_mkdirs(host->os, host->state_dir, 0700, err);

	if (rc < 0)
		return base_error_wrap(err, (hn_code)rc, HOST_ROOM,
			"cannot make the state directory %s", host->state_dir);
	rc = host->os->ops->stat(host->os, host->state_dir, &status);
	if (rc < 0)
		return base_error_errno(err, HOST_ROOM, rc, "state directory %s", host->state_dir);
	if ((status.st_mode & 077) != 0)
		return base_error(err, HN_EDENIED, HOST_ROOM, "chmod 0700 it",
			"state directory %s is open to others (mode %04o)", host->state_dir,
			(unsigned)(status.st_mode & 07777));
	return 0;
}

static int apply_schemas(hn_host *host, hn_error **err)
{
	const struct {
		const char *room;
		const state_schema *steps;
		size_t count;
	} rooms[] = {
		{"host", host_schema, host_schema_count},
		{"audit", caps_audit_schema, caps_audit_schema_count},
		{"caps", caps_store_schema, caps_store_schema_count},
		{"runtime", host_runtime_schema, host_runtime_schema_count},
	};
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < BASE_COUNT(rooms); i++)
		rc = state_schema_apply(
			host->store, rooms[i].room, rooms[i].steps, rooms[i].count, err);
	return rc;
}

int host_store_open(hn_host *host, hn_error **err)
{
	base_buf path = {0};
	int rc = host->read_only ? 0 : make_directory(host, err);

	if (rc < 0)
		return rc;
	base_buf_format(&path, "%s/%s", host->state_dir, DATABASE);
	host->path = base_buf_take(&path);
	if (!host->path)
		return base_nomem(err);
	if (host->dry && !os_exists(host->os, host->path))
		rc = state_open_memory(host->os, &host->store, err);
	else
		rc = state_open(
			host->os, host->path, !host->read_only, host->read_only, &host->store, err);
	if (rc == HN_ENOENT && host->read_only)
		base_error_hint(err,
			"apply a declaration first, or hv-cap init; explain, get, select, tags and"
			" policies can also read one with --file");
	if (rc < 0)
		return rc;
	rc = apply_schemas(host, err);
	if (rc < 0)
		return rc;
	return events_open(host->store, &host->events, err);
}

int host_transaction(
	hn_host *host, int (*body)(void *arg, hn_error **err), void *arg, hn_error **err)
{
	int committed, rc = state_begin(host->store, err);

	if (rc < 0)
		return rc;
	rc = body(arg, err);
	if (rc < 0) {
		state_rollback(host->store);
		host_denial_settle(host);
		return rc;
	}
	committed = state_commit(host->store, err); /* one that fails has rolled back */
	host_denial_settle(host);
	host_audit_tick(host);
	return committed < 0 ? committed : rc;
}

int host_number(hn_host *host, const char *sql, uint64_t *number, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, sql, &query, err);

	if (rc < 0)
		return rc;
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	*number = rc > 0 ? (uint64_t)state_int(query, 0) : 0;
	state_done(query);
	return 0;
}

int host_revision(hn_host *host, uint64_t *revision, hn_error **err)
{
	return host_number(host, "SELECT revision FROM host", revision, err);
}

int host_touch(hn_host *host, hn_error **err)
{
	return state_exec(host->store, "UPDATE host SET revision = revision + 1", err);
}

/* Tables that keep bodies by digest have the same three columns. */
static int find_body(hn_host *host, const char *sql, const uint8_t digest[CRYPTO_DIGEST],
	int64_t *id, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, digest, CRYPTO_DIGEST);
	rc = state_row(query, err);
	if (rc > 0)
		*id = state_int(query, 0);
	if (rc >= 0)
		state_done(query);
	return rc;
}

int host_body_put(hn_host *host, host_bodies table, const void *bytes, size_t size,
	uint8_t digest[CRYPTO_DIGEST], int64_t *id, hn_error **err)
{
	static const char *const find[] = {"SELECT id FROM view WHERE digest = ?1",
		"SELECT id FROM document WHERE digest = ?1"};
	static const char *const insert[] = {"INSERT INTO view(digest, body) VALUES (?1, ?2)",
		"INSERT INTO document(digest, body) VALUES (?1, ?2)"};
	state_query *query = NULL;
	int rc;

	crypto_blake2b(bytes, size, digest);
	rc = find_body(host, find[table], digest, id, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = state_find(host->store, insert[table], &query, err);
	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, digest, CRYPTO_DIGEST);
	state_bind_blob(query, 2, bytes, size);
	rc = state_run(query, err);
	if (rc < 0)
		return rc;
	*id = state_last_id(host->store);
	return 0;
}

void host_bind_digest(state_query *query, int position, const uint8_t digest[CRYPTO_DIGEST])
{
	static const uint8_t none[CRYPTO_DIGEST];

	if (memcmp(digest, none, CRYPTO_DIGEST) == 0)
		state_bind_null(query, position);
	else
		state_bind_blob(query, position, digest, CRYPTO_DIGEST);
}

void host_read_digest(state_query *query, int column, uint8_t digest[CRYPTO_DIGEST])
{
	size_t size = 0;
	const void *bytes = state_blob(query, column, &size);

	memset(digest, 0, CRYPTO_DIGEST);
	if (bytes && size == CRYPTO_DIGEST)
		memcpy(digest, bytes, CRYPTO_DIGEST);
}
