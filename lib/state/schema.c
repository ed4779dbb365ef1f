/* SPDX-License-Identifier: MIT
 *
 * Schema steps: each room's tables grow by numbered steps, and the file remembers which it has.
 */
#include "state/state-private.h"

#include <inttypes.h>

#define SCHEMA_TABLE                                                                               \
	"CREATE TABLE IF NOT EXISTS schema_step (room TEXT NOT NULL, number INTEGER NOT NULL, "    \
	"min_reader INTEGER NOT NULL, applied INTEGER NOT NULL, PRIMARY KEY (room, number)) STRICT"

typedef struct schema_mark {
	int64_t last;       /* the newest step in the file, 0 for none */
	int64_t min_reader; /* what a library must know to read the file */
} schema_mark;

static int table_there(state_store *store, bool *there, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(
		store, "SELECT 1 FROM sqlite_schema WHERE name = 'schema_step'", &query, err);

	if (rc == 0)
		rc = state_row(query, err);
	if (rc < 0)
		return rc;
	*there = rc > 0;
	return 0;
}

static int read_mark(state_store *store, const char *room, schema_mark *mark, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	bool there = false;
	int rc = table_there(store, &there, err);

	*mark = (schema_mark){0};
	if (rc < 0 || !there)
		return rc;
	rc = state_find(store,
		"SELECT ifnull(max(number), 0), ifnull(max(min_reader), 0) FROM schema_step WHERE room = ?",
		&query, err);
	if (rc < 0)
		return rc;
	state_bind_text(query, 1, room);
	rc = state_row(query, err);
	if (rc <= 0)
		return rc;
	mark->last = state_int(query, 0);
	mark->min_reader = state_int(query, 1);
	return 0;
}

static int record_step(
	state_store *store, const char *room, const state_schema *step, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(store,
		"INSERT INTO schema_step (room, number, min_reader, applied) VALUES (?, ?, ?, ?)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, room);
	state_bind_int(query, 2, step->number);
	state_bind_int(query, 3, step->min_reader);
	state_bind_int(query, 4, os_now(store->os));
	return state_run(query, err);
}

/* In a transaction: another process may have been here since the mark was read. */
static int apply_steps(state_store *store, const char *room, const state_schema *steps,
	size_t count, hn_error **err)
{
	schema_mark mark;
	int rc = state_exec(store, SCHEMA_TABLE, err);

	if (rc == 0)
		rc = read_mark(store, room, &mark, err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (steps[i].number <= mark.last)
			continue;
		rc = state_exec(store, steps[i].sql, err);
		if (rc == 0)
			rc = record_step(store, room, &steps[i], err);
		if (rc < 0)
			base_error_wrap(err, (hn_code)rc, "state",
				"%s: schema step %" PRIu32 " of %s", store->path, steps[i].number,
				room);
	}
	return rc;
}

int state_schema_apply(state_store *store, const char *room, const state_schema *steps,
	size_t count, hn_error **err)
{
	int64_t last = count == 0 ? 0 : steps[count - 1].number;
	schema_mark mark;
	int rc = read_mark(store, room, &mark, err);

	if (rc < 0)
		return rc;
	if (mark.min_reader > last) {
		base_error(err, HN_ENEWER, "state",
			"use the version of hypernix that wrote it, or a newer one",
			"%s: the tables of %s are at step %" PRId64
			" and need a reader of step %" PRId64 "; this library knows %" PRId64,
			store->path, room, mark.last, mark.min_reader, last);
		base_error_fact_number(err, "step", mark.last);
		return HN_ENEWER;
	}
	if (mark.last >= last)
		return 0;
	if (store->read_only)
		return base_error(err, HN_ENOSUP, "state", "open it once for writing",
			"%s: the tables of %s are at step %" PRId64 ", and step %" PRId64
			" cannot be made read-only",
			store->path, room, mark.last, last);
	rc = state_begin(store, err);
	if (rc < 0)
		return rc;
	rc = apply_steps(store, room, steps, count, err);
	if (rc < 0) {
		state_rollback(store);
		return rc;
	}
	return state_commit(store, err);
}
