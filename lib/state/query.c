/* SPDX-License-Identifier: MIT
 *
 * Prepared statements, kept by their text. A text that is asked for while it is still being walked
 * gets a second statement, which is kept too.
 */
#include "state/state-private.h"

#include <sqlite3.h>

struct state_query {
	state_query *next; /* another statement of the same text */
	state_store *store;
	sqlite3_stmt *statement;
	int bind_rc; /* the first bind that failed, SQLITE_OK when none did */
	bool busy;
};

static void query_free(void *first)
{
	state_query *next;

	for (state_query *query = first; query != NULL; query = next) {
		next = query->next;
		sqlite3_finalize(query->statement);
		base_free(query);
	}
}

static int query_new(state_store *store, const char *sql, state_query **query, hn_error **err)
{
	state_query *made = base_calloc(1, sizeof(*made));

	if (made == NULL)
		return base_nomem(err);
	int rc = sqlite3_prepare_v3(
		store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &made->statement, NULL);
	if (rc == SQLITE_OK && made->statement != NULL) {
		made->store = store;
		*query = made;
		return 0;
	}
	base_free(made);
	return rc == SQLITE_OK ? base_error(err, HN_EINVAL, "state", NULL, "empty SQL text")
			       : state_fail(store, rc, sql, err);
}

/* Keeps a new statement behind the first one of its text, or as the first. */
static int query_keep(state_store *store, const char *sql, state_query *made, hn_error **err)
{
	state_query *first = base_map_get(store->queries, sql, strlen(sql));

	if (first != NULL) {
		made->next = first->next;
		first->next = made;
		return 0;
	}
	if (base_map_put(store->queries, sql, strlen(sql), made) == 0)
		return 0;
	query_free(made);
	return base_nomem(err);
}

int state_find(state_store *store, const char *sql, state_query **query, hn_error **err)
{
	if (store->queries == NULL) {
		store->queries = base_map_new(query_free);
		if (store->queries == NULL)
			return base_nomem(err);
	}
	state_query *found = base_map_get(store->queries, sql, strlen(sql));
	while (found != NULL && found->busy)
		found = found->next;
	if (found == NULL) {
		int rc = query_new(store, sql, &found, err);
		if (rc == 0)
			rc = query_keep(store, sql, found, err);
		if (rc < 0)
			return rc;
	}
	found->busy = true;
	*query = found;
	return 0;
}

void state_queries_free(state_store *store)
{
	base_map_free(store->queries);
	store->queries = NULL;
}

static void note_bind(state_query *query, int rc)
{
	if (query->bind_rc == SQLITE_OK)
		query->bind_rc = rc;
}

void state_bind_int(state_query *query, int position, int64_t value)
{
	note_bind(query, sqlite3_bind_int64(query->statement, position, value));
}

void state_bind_text(state_query *query, int position, const char *text)
{
	note_bind(query, sqlite3_bind_text(query->statement, position, text, -1, SQLITE_TRANSIENT));
}

void state_bind_blob(state_query *query, int position, const void *bytes, size_t size)
{
	/* A NULL pointer would bind null, not no bytes. */
	note_bind(query, sqlite3_bind_blob64(query->statement, position, size == 0 ? "" : bytes,
				 size, SQLITE_TRANSIENT));
}

void state_bind_null(state_query *query, int position)
{
	note_bind(query, sqlite3_bind_null(query->statement, position));
}

int state_row(state_query *query, hn_error **err)
{
	int rc = state_usable(query->store, err);

	if (rc < 0) {
		state_done(query);
		return rc;
	}
	int step = query->bind_rc == SQLITE_OK ? sqlite3_step(query->statement) : query->bind_rc;
	if (step == SQLITE_ROW)
		return 1;
	if (step != SQLITE_DONE)
		rc = state_fail(query->store, step, sqlite3_sql(query->statement), err);
	state_done(query);
	return rc;
}

int state_run(state_query *query, hn_error **err)
{
	int rc = state_row(query, err);

	state_done(query);
	return rc < 0 ? rc : 0;
}

void state_done(state_query *query)
{
	if (query == NULL)
		return;
	sqlite3_reset(query->statement);
	sqlite3_clear_bindings(query->statement);
	query->bind_rc = SQLITE_OK;
	query->busy = false;
}

int64_t state_int(state_query *query, int column)
{
	return sqlite3_column_int64(query->statement, column);
}

const char *state_text(state_query *query, int column)
{
	return (const char *)sqlite3_column_text(query->statement, column);
}

const void *state_blob(state_query *query, int column, size_t *size)
{
	const void *bytes = sqlite3_column_blob(query->statement, column);

	*size = (size_t)sqlite3_column_bytes(query->statement, column);
	return bytes;
}

bool state_is_null(state_query *query, int column)
{
	return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}
