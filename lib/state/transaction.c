/* SPDX-License-Identifier: MIT
 *
 * Transactions: the outermost is BEGIN IMMEDIATE, so that a lock is waited for before anything was
 * read; those within are savepoints.
 */
#include "state/state-private.h"

#include <sqlite3.h>
#include <stdio.h>

int state_exec(state_store *store, const char *sql, hn_error **err)
{
	int rc = state_usable(store, err);

	if (rc < 0)
		return rc;
	rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : state_fail(store, rc, sql, err);
}

/* "SAVEPOINT level_3" and its like; prepared once, since each record of the audit log has one. */
static int level_exec(state_store *store, const char *verb, int level, hn_error **err)
{
	state_query *query = NULL;
	char sql[64];
	int rc;

	snprintf(sql, sizeof(sql), "%s level_%d", verb, level);
	rc = state_find(store, sql, &query, err);
	return rc < 0 ? rc : state_run(query, err);
}

/* The way back needs no memory of ours. */
static int level_undo(state_store *store, const char *verb, int level)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "%s level_%d", verb, level);
	return state_exec(store, sql, NULL);
}

/* SQLite does it by itself after a failure that it cannot get over. */
static void undo_all(state_store *store)
{
	state_query *query = NULL;

	if (!sqlite3_get_autocommit(store->db) && state_find(store, "ROLLBACK", &query, NULL) == 0)
		(void)state_run(query, NULL);
}

/* The way back is prepared first and then needs no memory: a transaction that could not be ended
 * for want of it would stay open, and keep every other writer out. */
static int begin_outermost(state_store *store, const char *sql, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store, "ROLLBACK", &query, err);

	if (rc < 0)
		return rc;
	state_done(query);
	rc = state_exec(store, sql, err);
	if (rc < 0) {
		undo_all(store);
		return rc;
	}
	store->undone = HN_OK;
	store->epoch++;
	store->depth = 1;
	return 0;
}

int state_begin(state_store *store, hn_error **err)
{
	int rc;

	if (store->depth == 0)
		return begin_outermost(store, "BEGIN IMMEDIATE", err);
	rc = level_exec(store, "SAVEPOINT", store->depth, err);
	if (rc < 0)
		return rc;
	store->depth++;
	return 0;
}

/* What is read in it is of one moment; nobody waits for it. */
int state_begin_read(state_store *store, hn_error **err)
{
	return store->depth > 0 ? state_begin(store, err)
				: begin_outermost(store, "BEGIN DEFERRED", err);
}

int state_commit(state_store *store, hn_error **err)
{
	if (store->depth == 0)
		return base_error(err, HN_EINTERNAL, "state", NULL,
			"%s: commit without a transaction", store->path);
	int rc = store->depth == 1 ? state_exec(store, "COMMIT", err)
				   : level_exec(store, "RELEASE", store->depth - 1, err);
	if (rc < 0) {
		state_rollback(store);
		return rc;
	}
	store->depth--;
	return 0;
}

void state_rollback(state_store *store)
{
	if (store->depth == 0)
		return;
	store->depth--;
	store->epoch++;
	if (store->depth == 0 || sqlite3_get_autocommit(store->db)) {
		undo_all(store);
		return;
	}
	int rc = level_undo(store, "ROLLBACK TO", store->depth);
	if (rc == 0)
		rc = level_undo(store, "RELEASE", store->depth);
	if (rc == 0)
		return;
	/* The level cannot be given up alone: give all of them up, and let the outer ones know. */
	undo_all(store);
	if (store->undone == HN_OK)
		store->undone = (hn_code)rc;
}

bool state_in_transaction(const state_store *store)
{
	return store->depth > 0;
}

uint64_t state_epoch(const state_store *store)
{
	return store->epoch;
}

int64_t state_last_id(state_store *store)
{
	return sqlite3_last_insert_rowid(store->db);
}

int64_t state_changes(state_store *store)
{
	return sqlite3_changes64(store->db);
}
