/* SPDX-License-Identifier: MIT
 *
 * The SQLite store: one file, schema steps, transactions, prepared statements kept by text.
 *
 * I/O: on hn_os_real() SQLite's own "unix" VFS does it. Its locks and its shared memory are right
 * for many processes and cannot be built on the method table, which has no mmap. On any other hn_os
 * (simulated, or a test's own table) all of it goes through the table, by a VFS named after the
 * store, so that faults and crash images reach it; shared memory is then on the heap, for all
 * stores of that hn_os and path in this process.
 */
#ifndef STATE_PRIVATE_H
#define STATE_PRIVATE_H

#include "base/base-private.h"
#include "os/os-private.h"
#include <hypernix/state.h>

typedef struct state_store state_store;
typedef struct state_query state_query;

/* One change of a room's tables. Numbers rise from 1; `min_reader` is the oldest step whose library
 * may still read the file. */
typedef struct state_schema {
	uint32_t number;
	uint32_t min_reader;
	const char *sql;
} state_schema;

/* 0600, WAL, synchronous FULL, foreign keys, DEFENSIVE, trusted_schema off, no ATTACH, busy wait 10
 * s. create = false: HN_ENOENT when there is no file. read_only: takes no lock that stops a writer.
 */
int state_open(hn_os *os, const char *path, bool create, bool read_only, state_store **store,
	hn_error **err);
/* An empty one that no file belongs to and that nobody else sees. */
int state_open_memory(hn_os *os, state_store **store, hn_error **err);
void state_close(state_store *store);
BASE_AUTO(state_store, state_close)
/* Brings the tables of `room` to the last step; a file with a newer min_reader gives HN_ENEWER and
 * is not touched. */
int state_schema_apply(state_store *store, const char *room, const state_schema *steps,
	size_t count, hn_error **err);
int state_check(state_store *store,
	hn_error **err); /* integrity_check and foreign_key_check; HN_ECORRUPT */
uint64_t state_writes(const state_store *store); /* committed write transactions since open */

int state_begin(
	state_store *store, hn_error **err); /* BEGIN IMMEDIATE; nested calls are savepoints */
/* The same to read only, as of its first query: it ends with state_rollback. */
int state_begin_read(state_store *store, hn_error **err);
int state_commit(
	state_store *store, hn_error **err); /* on failure the level is rolled back already */
void state_rollback(
	state_store *store); /* the innermost level; no error: it cannot fail usefully */
bool state_in_transaction(const state_store *store);
/* Another number after each outermost begin and each rollback: what was read in a transaction, or
 * written by it, stands as long as it is the same. */
uint64_t state_epoch(const state_store *store);
const char *state_file(const state_store *store);
int state_exec(state_store *store, const char *sql, hn_error **err);

/* A statement, prepared once per store and text. Bind with 1-based positions; binds are copied.
 * Usage: state_find(store, SQL, &q, err); state_bind_*(q, 1, ...); while ((rc = state_row(q, err))
 * > 0) ...; state_done(q). A failed bind sticks and is reported by state_row. */
int state_find(state_store *store, const char *sql, state_query **query, hn_error **err);
void state_bind_int(state_query *query, int position, int64_t value);
void state_bind_text(state_query *query, int position, const char *text); /* NULL: null */
void state_bind_blob(state_query *query, int position, const void *bytes, size_t size);
void state_bind_null(state_query *query, int position);
int state_row(state_query *query,
	hn_error **err); /* 1 a row, 0 done (reset already), < 0 failed (reset already) */
int state_run(state_query *query,
	hn_error **err); /* for statements without rows: row and reset; 0 or error */
void state_done(
	state_query *query); /* resets; NULL is fine; every path must come here or to row == 0 */
BASE_AUTO(state_query, state_done)
int64_t state_int(state_query *query, int column); /* 0-based */
const char *state_text(
	state_query *query, int column); /* borrowed until the next row; NULL for null */
const void *state_blob(state_query *query, int column, size_t *size);
bool state_is_null(state_query *query, int column);
int64_t state_last_id(state_store *store);
int64_t state_changes(state_store *store);
hn_os *state_os(const state_store *store);

/* --- between the files of this room --- */
struct sqlite3;
struct sqlite3_vfs;
struct sqlite3_stmt;

struct state_store {
	hn_os *os;
	char *path;
	struct sqlite3 *db;
	struct sqlite3_vfs *vfs; /* NULL on the real os */
	base_map *queries;       /* SQL text to the first state_query of that text */
	uint64_t writes;
	uint64_t epoch; /* state_epoch() */
	int depth;      /* open transaction levels */
	hn_code undone; /* why SQLite rolled all levels back behind our back; HN_OK when it did not
			 */
	bool read_only, in_memory;
};

/* The error of a failed SQLite call as a code, with path and hint; `doing` may be NULL. */
int state_fail(state_store *store, int sqlite_code, const char *doing, hn_error **err);
/* HN_OK, or the code of the failure that has ended the transaction that the caller believes to be
 * in. */
int state_usable(state_store *store, hn_error **err);
void state_queries_free(state_store *store);
void state_memory_setup(void); /* once, before SQLite is first used */

/* A VFS on the method table: registered; NULL when out of memory. */
struct sqlite3_vfs *state_vfs_new(hn_os *os);
void state_vfs_free(struct sqlite3_vfs *vfs);

/* Shared memory of WAL on the heap. One `state_shm` an open file. Results are SQLite codes. */
typedef struct state_shm state_shm;
int state_shm_map(state_shm **shm, hn_os *os, const char *path, int region, int size, bool extend,
	void volatile **out);
int state_shm_lock(state_shm *shm, int offset, int count, int flags);
void state_shm_unmap(state_shm *shm); /* NULL is fine */

#endif
