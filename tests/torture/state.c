/* SPDX-License-Identifier: MIT
 *
 * Torture of state: whatever fails and whenever the power goes, what was committed is there, what
 * was not is not, and each transaction is whole.
 */
#include "state/state-private.h"
#include "torture.h"

#define PATH "/state/hypernix.db"
enum { ROWS_EACH = 3 }; /* rows of one transaction; all have its number */

static const state_schema steps[] = {
	{1, 1, "CREATE TABLE t (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL, data BLOB NOT NULL) STRICT"},
	{2, 1, "CREATE INDEX t_batch ON t (batch)"},
	{3, 1, "ALTER TABLE t ADD COLUMN note TEXT; CREATE TABLE u (id INTEGER PRIMARY KEY) STRICT"},
};

/* How many transactions were acknowledged. The scenarios run one after another, never at once. */
static int64_t acknowledged;

static int add_row(state_store *store, int64_t batch, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		store, "INSERT INTO t (batch, data) VALUES (?, randomblob(3000))", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, batch);
	return state_run(query, err);
}

static int add_batch(state_store *store, hn_error **err)
{
	int rc = state_begin(store, err);

	if (rc < 0)
		return rc;
	for (int i = 0; rc == 0 && i < ROWS_EACH; i++)
		rc = add_row(store, acknowledged + 1, err);
	if (rc < 0) {
		state_rollback(store);
		return rc;
	}
	rc = state_commit(store, err);
	acknowledged += rc == 0;
	return rc;
}

static int open_store(torture *t, state_store **store, size_t step_count, hn_error **err)
{
	int rc = state_open(t->os, PATH, true, false, store, err);

	return rc < 0 ? rc : state_schema_apply(*store, "demo", steps, step_count, err);
}

static int ask(state_store *store, const char *sql, int64_t *value)
{
	state_query *query = NULL;
	int rc = state_find(store, sql, &query, NULL);

	if (rc == 0)
		rc = state_row(query, NULL);
	if (rc > 0)
		*value = state_int(query, 0);
	state_done(query);
	return rc;
}

static int prepare_directory(torture *t)
{
	acknowledged = 0;
	TORTURE_CHECK(os_mkdirs(t->os, "/state", 0700, NULL) == 0);
	return 0;
}

static int prepare_store(torture *t)
{
	BASE_AUTO_OF(state_store) state_store *store = NULL;

	if (prepare_directory(t) < 0)
		return -1;
	TORTURE_CHECK(open_store(t, &store, 1, NULL) == 0);
	TORTURE_CHECK(add_batch(store, NULL) == 0);
	return 0;
}

/* Leaves a log that the next opener must recover. */
static int prepare_crashed(torture *t)
{
	BASE_AUTO_OF(state_store) state_store *store = NULL;

	if (prepare_directory(t) < 0)
		return -1;
	TORTURE_CHECK(open_store(t, &store, 1, NULL) == 0);
	TORTURE_CHECK(add_batch(store, NULL) == 0);
	TORTURE_CHECK(add_batch(store, NULL) == 0);
	TORTURE_CHECK(state_begin(store, NULL) == 0);
	TORTURE_CHECK(add_row(store, 99, NULL) == 0);
	TORTURE_CHECK(hn_os_sim_crash_now(t->os, HN_OS_SIM_CRASH_DROP, 3, NULL) == 0);
	return 0;
}

/* From nothing to committed rows. */
static int first_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(state_store) state_store *store = NULL;
	int rc = open_store(t, &store, 1, err);

	for (int i = 0; rc == 0 && i < 2; i++)
		rc = add_batch(store, err);
	return rc;
}

/* The same on a handle that stays open. */
static int prepare_open(torture *t)
{
	state_store *store = NULL;

	if (prepare_store(t) < 0)
		return -1;
	TORTURE_CHECK(open_store(t, &store, 1, NULL) == 0);
	t->state = store;
	return 0;
}

static int open_run(torture *t, hn_error **err)
{
	int rc = add_batch(t->state, err);

	return rc < 0 ? rc : add_batch(t->state, err);
}

static void open_clean(torture *t)
{
	state_close(t->state);
}

/* Writing, folding the log into the file, writing again. */
static int checkpoint_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(state_store) state_store *store = NULL;
	int rc = open_store(t, &store, 1, err);

	if (rc == 0)
		rc = add_batch(store, err);
	if (rc == 0)
		rc = state_exec(store, "PRAGMA wal_checkpoint(TRUNCATE)", err);
	if (rc == 0)
		rc = add_batch(store, err);
	return rc;
}

/* An inner level that is given up, within one that is kept. */
static int nested_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(state_store) state_store *store = NULL;
	int rc = open_store(t, &store, 1, err);

	if (rc == 0)
		rc = state_begin(store, err);
	if (rc < 0)
		return rc;
	rc = state_begin(store, err);
	if (rc == 0) {
		rc = add_row(store, 99, err);
		state_rollback(store);
	}
	if (rc == 0)
		rc = add_batch(store, err); /* its own level, counted when it commits */
	if (rc < 0) {
		state_rollback(store);
		return rc;
	}
	rc = state_commit(store, err);
	acknowledged -= rc < 0;
	return rc;
}

static int schema_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(state_store) state_store *store = NULL;

	return open_store(t, &store, BASE_COUNT(steps), err);
}

static int check_batches(state_store *store)
{
	int64_t broken = -1, batches = -1, unknown = -1;

	TORTURE_CHECK(ask(store,
			      "SELECT count(*) FROM (SELECT batch FROM t GROUP BY batch "
			      "HAVING count(*) <> 3)",
			      &broken) > 0);
	TORTURE_CHECK(ask(store, "SELECT count(DISTINCT batch) FROM t", &batches) > 0);
	TORTURE_CHECK(ask(store, "SELECT count(*) FROM t WHERE batch = 99", &unknown) > 0);
	TORTURE_CHECK(broken == 0);
	TORTURE_CHECK(unknown == 0);
	/* A commit that has failed may yet turn out durable; one that succeeded may not be lost. */
	if (batches < acknowledged || batches > acknowledged + 1)
		return torture_fail("%lld transactions are there, %lld were acknowledged",
			(long long)batches, (long long)acknowledged);
	return 0;
}

static int check_whole(torture *t)
{
	BASE_AUTO_OF(state_store) state_store *store = NULL;
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	if (open_store(t, &store, 1, &err) < 0 || state_check(store, &err) < 0)
		return torture_fail("not whole: %s", hn_error_message(err));
	if (check_batches(store) < 0)
		return -1;
	/* And it goes on working. */
	TORTURE_CHECK(add_batch(store, NULL) == 0);
	return 0;
}

/* Nothing was left open: a transaction that nobody ends would keep every writer out. */
static int check_open(torture *t)
{
	TORTURE_CHECK(!state_in_transaction(t->state));
	TORTURE_CHECK(t->crashed || add_batch(t->state, NULL) == 0);
	open_clean(t);
	t->state = NULL;
	return check_whole(t);
}

static int check_schema(torture *t)
{
	BASE_AUTO_OF(state_store) state_store *store = NULL;
	int64_t step = -1, objects = -1;

	TORTURE_CHECK(state_open(t->os, PATH, true, false, &store, NULL) == 0);
	TORTURE_CHECK(ask(store, "SELECT max(number) FROM schema_step", &step) > 0);
	TORTURE_CHECK(
		ask(store, "SELECT count(*) FROM sqlite_schema WHERE name IN ('t_batch', 'u')",
			&objects) > 0);
	TORTURE_CHECK((step == 1 && objects == 0) || (step == 3 && objects == 2));
	TORTURE_CHECK(t->code < 0 || step == 3);
	state_close(BASE_STEAL(store));
	return check_whole(t);
}

static const torture_scenario scenarios[] = {
	{.name = "first",
		.prepare = prepare_directory,
		.run = first_run,
		.check = check_whole,
		.io = true,
		.crash = true},
	{.name = "again",
		.prepare = prepare_store,
		.run = first_run,
		.check = check_whole,
		.io = true,
		.crash = true},
	{.name = "open",
		.prepare = prepare_open,
		.run = open_run,
		.check = check_open,
		.clean = open_clean,
		.io = true,
		.crash = true},
	{.name = "recover",
		.prepare = prepare_crashed,
		.run = first_run,
		.check = check_whole,
		.io = true,
		.crash = true},
	{.name = "checkpoint",
		.prepare = prepare_store,
		.run = checkpoint_run,
		.check = check_whole,
		.io = true,
		.crash = true},
	{.name = "nested",
		.prepare = prepare_store,
		.run = nested_run,
		.check = check_whole,
		.io = true,
		.crash = true},
	{.name = "schema",
		.prepare = prepare_store,
		.run = schema_run,
		.check = check_schema,
		.io = true,
		.crash = true},
};

int main(int argc, char **argv)
{
	return torture_main("state", scenarios, BASE_COUNT(scenarios), argc, argv);
}
