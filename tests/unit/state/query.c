/* SPDX-License-Identifier: MIT
 *
 * Statements, transactions and schema steps.
 */
#include "helper.h"
#include <errno.h>

static hn_os *os;
static state_store *store;

static void setup(void)
{
	os = sim_new(0);
	store = open_at(os, PATH);
	OK(state_exec(store, "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT UNIQUE, b BLOB) STRICT",
		err));
}

static void teardown(void)
{
	state_close(store);
	hn_os_sim_free(os);
}

TestSuite(query, .init = setup, .fini = teardown);
TestSuite(transaction, .init = setup, .fini = teardown);
TestSuite(schema, .init = setup, .fini = teardown);

static void add(int64_t key, const char *text)
{
	state_query *query = NULL;

	OK(state_find(store, "INSERT INTO t (k, v) VALUES (?, ?)", &query, err));
	state_bind_int(query, 1, key);
	state_bind_text(query, 2, text);
	OK(state_run(query, err));
}

Test(query, values_of_every_kind)
{
	state_query *query = NULL;
	size_t size;

	OK(state_find(store, "INSERT INTO t VALUES (?, ?, ?)", &query, err));
	state_bind_int(query, 1, INT64_MIN);
	state_bind_text(query, 2, "text");
	state_bind_blob(query, 3, "a\0b", 3);
	OK(state_run(query, err));
	cr_assert_eq(state_last_id(store), INT64_MIN);
	cr_assert_eq(state_changes(store), 1);
	OK(state_find(store, "SELECT k, v, b FROM t", &query, err));
	OK(state_row(query, err));
	cr_assert_eq(state_int(query, 0), INT64_MIN);
	cr_assert_str_eq(state_text(query, 1), "text");
	cr_assert_eq(memcmp(state_blob(query, 2, &size), "a\0b", 3), 0);
	cr_assert_eq(size, 3u);
	cr_assert_eq(state_row(query, NULL), 0);
}

Test(query, nulls_and_empty_values)
{
	state_query *query = NULL;
	size_t size = 9;

	OK(state_find(store, "SELECT ?, ?, ?, ?", &query, err));
	state_bind_text(query, 1, NULL);
	state_bind_null(query, 2);
	state_bind_text(query, 3, "");
	state_bind_blob(query, 4, NULL, 0);
	OK(state_row(query, err));
	cr_assert(state_is_null(query, 0));
	cr_assert_null(state_text(query, 0));
	cr_assert(state_is_null(query, 1));
	cr_assert_not(state_is_null(query, 2));
	cr_assert_str_eq(state_text(query, 2), "");
	cr_assert_not(state_is_null(query, 3));
	state_blob(query, 3, &size);
	cr_assert_eq(size, 0u);
	state_done(query);
}

Test(query, binds_are_copied)
{
	state_query *query = NULL;
	char text[] = "before";

	OK(state_find(store, "SELECT ?", &query, err));
	state_bind_text(query, 1, text);
	strcpy(text, "after!");
	OK(state_row(query, err));
	cr_assert_str_eq(state_text(query, 0), "before");
	state_done(query);
}

Test(query, statement_is_kept)
{
	state_query *first = NULL, *second = NULL;

	OK(state_find(store, "SELECT 1", &first, err));
	state_done(first);
	OK(state_find(store, "SELECT 1", &second, err));
	cr_assert_eq(first, second);
	state_done(second);
}

Test(query, statement_in_use_is_not_shared)
{
	state_query *outer = NULL, *inner = NULL;
	int rows = 0;

	add(1, "a");
	add(2, "b");
	OK(state_find(store, "SELECT k FROM t ORDER BY k", &outer, err));
	while (state_row(outer, NULL) > 0) {
		OK(state_find(store, "SELECT k FROM t ORDER BY k", &inner, err));
		cr_assert_neq(inner, outer);
		while (state_row(inner, NULL) > 0)
			rows++;
	}
	cr_assert_eq(rows, 4);
}

Test(query, binds_do_not_outlive_a_use)
{
	state_query *query = NULL;

	OK(state_find(store, "SELECT ?", &query, err));
	state_bind_int(query, 1, 7);
	OK(state_row(query, err));
	state_done(query);
	OK(state_find(store, "SELECT ?", &query, err));
	OK(state_row(query, err));
	cr_assert(state_is_null(query, 0));
	state_done(query);
}

Test(query, failed_bind_is_reported_by_row)
{
	state_query *query = NULL;

	OK(state_find(store, "SELECT ?", &query, err));
	state_bind_int(query, 2, 7);
	FAILS(HN_EINTERNAL, state_row(query, err));
	OK(state_find(store, "SELECT ?", &query, err));
	OK(state_row(query, err));
	state_done(query);
}

Test(query, done_takes_null_and_twice)
{
	state_query *query = NULL;

	state_done(NULL);
	OK(state_find(store, "SELECT 1", &query, err));
	state_done(query);
	state_done(query);
}

Test(query, wrong_sql)
{
	state_query *query = NULL;

	FAILS(HN_EINTERNAL, state_find(store, "SELEC 1", &query, err));
	FAILS(HN_EINVAL, state_find(store, "  ", &query, err));
	cr_assert_null(query);
}

Test(query, text_in_double_quotes_is_no_text)
{
	state_query *query = NULL;

	FAILS(HN_EINTERNAL, state_find(store, "SELECT \"not a column\"", &query, err));
}

Test(query, unique_is_exists)
{
	state_query *query = NULL;

	add(1, "a");
	OK(state_find(store, "INSERT INTO t (k, v) VALUES (?, ?)", &query, err));
	state_bind_int(query, 1, 2);
	state_bind_text(query, 2, "a");
	FAILS(HN_EEXIST, state_run(query, err));
	FAILS(HN_EEXIST, state_exec(store, "INSERT INTO t (k) VALUES (1)", err));
}

Test(query, other_constraints_conflict)
{
	OK(state_exec(store,
		"CREATE TABLE c (k INTEGER NOT NULL CHECK (k > 0) REFERENCES t) STRICT", err));
	FAILS(HN_ECONFLICT, state_exec(store, "INSERT INTO c VALUES (NULL)", err));
	FAILS(HN_ECONFLICT, state_exec(store, "INSERT INTO c VALUES (-1)", err));
	FAILS(HN_ECONFLICT, state_exec(store, "INSERT INTO c VALUES (99)", err));
	FAILS(HN_ECONFLICT, state_exec(store, "INSERT INTO c VALUES ('text')", err));
}

/* --- transactions --- */

Test(transaction, commit_and_rollback)
{
	cr_assert_not(state_in_transaction(store));
	OK(state_begin(store, err));
	cr_assert(state_in_transaction(store));
	add(1, "a");
	OK(state_commit(store, err));
	OK(state_begin(store, err));
	add(2, "b");
	state_rollback(store);
	cr_assert_not(state_in_transaction(store));
	cr_assert_eq(ask(store, "SELECT count(*) FROM t"), 1);
}

Test(transaction, inner_rollback_keeps_the_outer)
{
	OK(state_begin(store, err));
	add(1, "a");
	OK(state_begin(store, err));
	add(2, "b");
	OK(state_begin(store, err));
	add(3, "c");
	OK(state_commit(store, err));
	state_rollback(store);
	cr_assert(state_in_transaction(store));
	add(4, "d");
	OK(state_commit(store, err));
	cr_assert_eq(ask(store, "SELECT sum(k) FROM t"), 5);
}

Test(transaction, outer_rollback_takes_the_inner)
{
	OK(state_begin(store, err));
	OK(state_begin(store, err));
	add(1, "a");
	OK(state_commit(store, err));
	state_rollback(store);
	cr_assert_eq(ask(store, "SELECT count(*) FROM t"), 0);
}

Test(transaction, commit_without_begin)
{
	FAILS(HN_EINTERNAL, state_commit(store, err));
	state_rollback(store);
}

Test(transaction, failed_statement_does_not_end_it)
{
	OK(state_begin(store, err));
	add(1, "a");
	FAILS(HN_EEXIST, state_exec(store, "INSERT INTO t (k) VALUES (1)", err));
	add(2, "b");
	OK(state_commit(store, err));
	cr_assert_eq(ask(store, "SELECT count(*) FROM t"), 2);
}

Test(transaction, disk_failure_inside_undoes_all_of_it)
{
	OK(state_begin(store, err));
	add(1, "a");
	/* So much that it does not fit SQLite's cache and must be written before the commit. */
	OK(state_exec(store, "PRAGMA cache_size = 5", err));
	hn_os_sim_fail(os, 1, true, EIO);
	FAILS(HN_EIO,
		state_exec(store,
			"WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 900) "
			"INSERT INTO t (k, b) SELECT i, randomblob(3000) FROM n",
			err));
	hn_os_sim_fail(os, 0, false, 0);
	/* The rest of the transaction must not be committed row by row. */
	FAILS(HN_EIO, state_exec(store, "INSERT INTO t (k) VALUES (2)", err));
	FAILS(HN_EIO, state_begin(store, err));
	FAILS(HN_EIO, state_commit(store, err));
	cr_assert_not(state_in_transaction(store));
	cr_assert_eq(ask(store, "SELECT count(*) FROM t"), 0);
	add(3, "c");
	OK(state_check(store, err));
}

Test(transaction, failed_commit_leaves_nothing)
{
	OK(state_begin(store, err));
	add(1, "a");
	hn_os_sim_fail(os, 1, true, ENOSPC);
	FAILS(HN_ENOSPC, state_commit(store, err));
	hn_os_sim_fail(os, 0, false, 0);
	cr_assert_not(state_in_transaction(store));
	state_rollback(store); /* one too many is harmless */
	cr_assert_eq(ask(store, "SELECT count(*) FROM t"), 0);
}

Test(transaction, writes_are_counted_once_a_commit)
{
	uint64_t before = state_writes(store);

	OK(state_begin(store, err));
	add(1, "a");
	add(2, "b");
	OK(state_begin(store, err));
	add(3, "c");
	OK(state_commit(store, err));
	OK(state_commit(store, err));
	cr_assert_eq(state_writes(store), before + 1);
	ask(store, "SELECT count(*) FROM t");
	OK(state_begin(store, err));
	OK(state_commit(store, err));
	OK(state_begin(store, err));
	add(4, "d");
	state_rollback(store);
	cr_assert_eq(state_writes(store), before + 1, "nothing was written");
}

/* --- schema steps --- */

static const state_schema three[] = {
	{1, 1, "CREATE TABLE demo (a INTEGER) STRICT"},
	{2, 1, "ALTER TABLE demo ADD COLUMN b INTEGER; INSERT INTO demo VALUES (1, 2)"},
	{3, 3, "ALTER TABLE demo DROP COLUMN a"},
};

Test(schema, steps_are_applied_once)
{
	OK(state_schema_apply(store, "demo", three, 2, err));
	uint64_t writes = state_writes(store);
	OK(state_schema_apply(store, "demo", three, 2, err));
	cr_assert_eq(state_writes(store), writes, "the second time writes nothing");
	cr_assert_eq(ask(store, "SELECT count(*) FROM demo"), 1);
	OK(state_schema_apply(store, "demo", three, 3, err));
	cr_assert_eq(ask(store, "SELECT b FROM demo"), 2);
	cr_assert_eq(ask(store, "SELECT count(*) FROM schema_step WHERE room = 'demo'"), 3);
}

Test(schema, rooms_count_for_themselves)
{
	static const state_schema other[] = {{1, 1, "CREATE TABLE other (a INTEGER) STRICT"}};

	OK(state_schema_apply(store, "demo", three, 3, err));
	OK(state_schema_apply(store, "other", other, 1, err));
	cr_assert_eq(ask(store, "SELECT max(number) FROM schema_step WHERE room = 'other'"), 1);
}

Test(schema, newer_file_that_may_still_be_read)
{
	OK(state_schema_apply(store, "demo", three, 2, err));
	OK(state_schema_apply(store, "demo", three, 1, err));
}

Test(schema, newer_file_is_not_touched)
{
	OK(state_schema_apply(store, "demo", three, 3, err));
	uint64_t writes = state_writes(store);
	FAILS(HN_ENEWER, state_schema_apply(store, "demo", three, 2, err));
	cr_assert_eq(state_writes(store), writes);
}

Test(schema, failed_step_leaves_nothing)
{
	static const state_schema wrong[] = {
		{1, 1, "CREATE TABLE good (a INTEGER) STRICT"}, {2, 1, "CREATE NONSENSE"}};

	FAILS(HN_EINTERNAL, state_schema_apply(store, "wrong", wrong, 2, err));
	cr_assert_not(state_in_transaction(store));
	cr_assert_eq(ask(store, "SELECT count(*) FROM sqlite_schema WHERE name = 'good'"), 0);
}

Test(schema, read_only_store_needs_them_already)
{
	state_store *reader = NULL;

	OK(state_open(os, PATH, false, true, &reader, err));
	FAILS(HN_ENOSUP, state_schema_apply(reader, "demo", three, 3, err));
	OK(state_schema_apply(store, "demo", three, 3, err));
	OK(state_schema_apply(reader, "demo", three, 3, err));
	state_close(reader);
}

Test(schema, inside_a_transaction_of_the_caller)
{
	OK(state_begin(store, err));
	OK(state_schema_apply(store, "demo", three, 3, err));
	state_rollback(store);
	cr_assert_eq(ask(store, "SELECT count(*) FROM sqlite_schema WHERE name = 'demo'"), 0);
	OK(state_schema_apply(store, "demo", three, 3, err));
}
