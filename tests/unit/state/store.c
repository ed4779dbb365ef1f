/* SPDX-License-Identifier: MIT
 *
 * Opening a store: what it makes, what it refuses, and how it is set.
 */
#include "helper.h"
#include <errno.h>
#include <sqlite3.h>
#include <sys/wait.h>

Test(store, is_made_and_found_again)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);

	OK(state_exec(store, "CREATE TABLE t (v INTEGER) STRICT; INSERT INTO t VALUES (42)", err));
	state_close(store);
	OK(state_open(os, PATH, false, false, &store, err));
	cr_assert_eq(ask(store, "SELECT v FROM t"), 42);
	OK(state_check(store, err));
	cr_assert_eq(state_os(store), os);
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, is_not_made_when_not_asked)
{
	hn_os *os = sim_new(0);
	state_store *store = NULL;

	FAILS(HN_ENOENT, state_open(os, PATH, false, false, &store, err));
	FAILS(HN_ENOENT, state_open(os, PATH, true, true, &store, err));
	cr_assert_null(store);
	cr_assert_not(os_exists(os, PATH));
	hn_os_sim_free(os);
}

Test(store, in_memory_leaves_no_file)
{
	hn_os *os = sim_new(0);
	state_store *store = NULL, *other = NULL;
	uint64_t calls = hn_os_sim_calls(os);

	OK(state_open_memory(os, &store, err));
	OK(state_open_memory(os, &other, err));
	OK(state_begin(store, err));
	OK(state_exec(store, "CREATE TABLE t (v INTEGER) STRICT; INSERT INTO t VALUES (42)", err));
	OK(state_commit(store, err));
	cr_assert_eq(ask(store, "SELECT v FROM t"), 42);
	cr_assert_eq(ask(other, "SELECT count(*) FROM sqlite_schema"), 0);
	OK(state_check(store, err));
	state_close(store);
	state_close(other);
	cr_assert_eq(hn_os_sim_calls(os), calls);
	hn_os_sim_free(os);
}

Test(store, directory_that_is_missing)
{
	hn_os *os = sim_new(0);
	state_store *store = NULL;

	FAILS(HN_ENOENT, state_open(os, "/nowhere/x.db", true, false, &store, err));
	hn_os_sim_free(os);
}

Test(store, relative_path)
{
	hn_os *os = sim_new(0);
	state_store *store = NULL;

	FAILS(HN_EINVAL, state_open(os, "x.db", true, false, &store, err));
	FAILS(HN_EINVAL, state_open(os, NULL, true, false, &store, err));
	hn_os_sim_free(os);
}

Test(store, a_directory_is_no_store)
{
	hn_os *os = sim_new(0);
	state_store *store = NULL;

	FAILS(HN_EDENIED, state_open(os, "/state", true, false, &store, err));
	hn_os_sim_free(os);
}

Test(store, only_the_owner_reads_it)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);
	struct stat status;

	OK(state_exec(store, "CREATE TABLE t (v INTEGER) STRICT", err));
	cr_assert_eq(os->ops->stat(os, PATH, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600u);
	cr_assert_eq(os->ops->stat(os, PATH "-wal", &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600u);
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, settings)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);

	cr_assert_eq(ask(store, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	cr_assert_eq(ask(store, "PRAGMA synchronous"), 2);
	cr_assert_eq(ask(store, "PRAGMA foreign_keys"), 1);
	cr_assert_eq(ask(store, "PRAGMA trusted_schema"), 0);
	cr_assert_eq(ask(store, "PRAGMA busy_timeout"), 10000);
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, nothing_can_be_attached)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);

	FAILS(HN_EINTERNAL, state_exec(store, "ATTACH '/state/other.db' AS other", err));
	cr_assert_not(os_exists(os, "/state/other.db"));
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, defensive)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);

	OK(state_exec(store, "CREATE TABLE t (v INTEGER) STRICT", err));
	OK(state_exec(store, "PRAGMA writable_schema = ON", err));
	FAILS(HN_EINTERNAL, state_exec(store, "DELETE FROM sqlite_schema", err));
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, garbage_is_corrupt)
{
	hn_os *os = sim_new(0);
	state_store *store = NULL;
	char garbage[8192];

	memset(garbage, 'g', sizeof(garbage));
	OK(hn_os_sim_put(os, PATH, garbage, sizeof(garbage), err));
	FAILS(HN_ECORRUPT, state_open(os, PATH, true, false, &store, err));
	FAILS(HN_ECORRUPT, state_open(os, PATH, false, true, &store, err));
	cr_assert_null(store);
	hn_os_sim_free(os);
}

Test(store, damaged_page_is_found_by_check)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);
	char zeros[512] = {0};

	OK(state_exec(store,
		"CREATE TABLE t (v INTEGER PRIMARY KEY, text TEXT) STRICT; "
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "
		"INSERT INTO t SELECT i, hex(randomblob(40)) FROM n",
		err));
	state_close(store);
	int fd = os->ops->open(os, PATH, O_RDWR, 0);
	cr_assert_geq(fd, 0);
	cr_assert_eq(os->ops->pwrite(os, fd, zeros, sizeof(zeros), 3 * 4096), 512);
	os->ops->close(os, fd);
	OK(state_open(os, PATH, false, false, &store, err));
	FAILS(HN_ECORRUPT, state_check(store, err));
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, broken_reference_is_found_by_check)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);

	OK(state_exec(store,
		"PRAGMA foreign_keys = OFF; CREATE TABLE p (i INTEGER PRIMARY KEY) STRICT; "
		"CREATE TABLE c (p INTEGER REFERENCES p) STRICT; INSERT INTO c VALUES (5)",
		err));
	FAILS(HN_ECORRUPT, state_check(store, err));
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, database_of_another_program_is_left_alone)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);

	OK(state_exec(store, "PRAGMA application_id = 77; CREATE TABLE t (v INTEGER) STRICT", err));
	state_close(store);
	store = NULL;
	FAILS(HN_ECORRUPT, state_open(os, PATH, true, false, &store, err));
	cr_assert_null(store);
	hn_os_sim_free(os);
}

Test(store, error_names_the_path)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);
	hn_error *err = NULL;
	hn_fact fact;

	cr_assert_eq(state_exec(store, "SELECT nonsense FROM nowhere", &err), HN_EINTERNAL);
	cr_assert_not_null(strstr(hn_error_message(err), PATH));
	cr_assert_not_null(strstr(hn_error_message(err), "nowhere"));
	cr_assert_eq(hn_error_fact(err, 0, &fact), 0);
	cr_assert_str_eq(fact.text, PATH);
	hn_error_unref(err);
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, full_disk)
{
	hn_os *os = sim_new(1 << 18);
	state_store *store = open_at(os, PATH);
	hn_error *why = NULL;
	int rc = 0;

	OK(state_exec(store, "CREATE TABLE t (i INTEGER PRIMARY KEY, v BLOB) STRICT", err));
	int64_t rows = 0;
	while (rc == 0 && rows < 1000) {
		rc = state_exec(store, "INSERT INTO t (v) VALUES (randomblob(3000))", &why);
		rows += rc == 0;
	}
	cr_assert_eq(rc, HN_ENOSPC, "%d", rc);
	cr_assert_not_null(hn_error_hint(why));
	hn_error_unref(why);
	cr_assert_eq(ask(store, "SELECT count(*) FROM t"), rows);
	state_close(store);
	OK(state_open(os, PATH, false, false, &store, err));
	cr_assert_eq(ask(store, "SELECT count(*) FROM t"), rows);
	OK(state_check(store, err));
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, disk_error)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);

	OK(state_exec(store, "CREATE TABLE t (v INTEGER) STRICT", err));
	hn_os_sim_fail(os, 1, true, EIO);
	FAILS(HN_EIO, state_exec(store, "INSERT INTO t VALUES (1)", err));
	hn_os_sim_fail(os, 0, false, 0);
	OK(state_exec(store, "INSERT INTO t VALUES (2)", err));
	cr_assert_eq(ask(store, "SELECT sum(v) FROM t"), 2);
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, reader_beside_a_writer)
{
	hn_os *os = sim_new(0);
	state_store *writer = open_at(os, PATH), *reader = NULL;

	OK(state_exec(writer, "CREATE TABLE t (v INTEGER) STRICT", err));
	OK(state_open(os, PATH, false, true, &reader, err));
	OK(state_begin(writer, err));
	OK(state_exec(writer, "INSERT INTO t VALUES (1)", err));
	cr_assert_eq(ask(reader, "SELECT count(*) FROM t"), 0);
	OK(state_commit(writer, err));
	cr_assert_eq(ask(reader, "SELECT count(*) FROM t"), 1);
	FAILS(HN_EDENIED, state_exec(reader, "INSERT INTO t VALUES (2)", err));
	state_close(reader);
	state_close(writer);
	hn_os_sim_free(os);
}

Test(store, second_writer_waits_and_then_is_told)
{
	hn_os *os = sim_new(0);
	state_store *first = open_at(os, PATH), *second = open_at(os, PATH);
	int64_t before = os_monotonic(os);

	OK(state_begin(first, err));
	FAILS(HN_EBUSY, state_begin(second, err));
	cr_assert_geq(os_monotonic(os) - before, 9000000000, "it did not wait");
	OK(state_commit(first, err));
	OK(state_begin(second, err));
	OK(state_commit(second, err));
	state_close(second);
	state_close(first);
	hn_os_sim_free(os);
}

Test(store, sql_sees_the_clock_of_the_os)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);

	cr_assert_eq(ask(store, "SELECT strftime('%s', 'now')"), 1767225600);
	hn_os_sim_advance(os, 3000000000);
	cr_assert_eq(ask(store, "SELECT strftime('%s', 'now')"), 1767225603);
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, stray_journal_does_no_harm)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);

	OK(state_exec(store, "CREATE TABLE t (v INTEGER) STRICT; INSERT INTO t VALUES (5)", err));
	OK(state_exec(store, "PRAGMA journal_mode = DELETE", err));
	OK(state_exec(store, "INSERT INTO t VALUES (6)", err));
	state_close(store);
	OK(hn_os_sim_put(os, PATH "-journal", "not a journal at all", 20, err));
	store = open_at(os, PATH);
	cr_assert_eq(ask(store, "SELECT sum(v) FROM t"), 11);
	cr_assert_eq(ask(store, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	OK(state_check(store, err));
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, value_that_is_too_large)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);

	FAILS(HN_ELIMIT, state_exec(store, "SELECT zeroblob(2000000000)", err));
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, power_failure_keeps_what_was_committed)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);

	OK(state_exec(store, "CREATE TABLE t (v INTEGER) STRICT; INSERT INTO t VALUES (1)", err));
	OK(state_begin(store, err));
	OK(state_exec(store, "INSERT INTO t VALUES (2)", err));
	OK(hn_os_sim_crash_now(os, HN_OS_SIM_CRASH_DROP, 1, err));
	state_close(store);
	OK(state_open(os, PATH, false, false, &store, err));
	cr_assert_eq(ask(store, "SELECT sum(v) FROM t"), 1);
	OK(state_check(store, err));
	state_close(store);
	hn_os_sim_free(os);
}

Test(store, log_is_folded_into_the_file)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);
	struct stat status;

	OK(state_exec(store, "CREATE TABLE t (v BLOB) STRICT", err));
	for (int i = 0; i < 2500; i++)
		OK(state_exec(store, "INSERT INTO t VALUES (randomblob(3000))", err));
	cr_assert_eq(os->ops->stat(os, PATH "-wal", &status), 0);
	cr_assert_lt(status.st_size, 1500 * 4120, "the log grew to %ld", (long)status.st_size);
	state_close(store);
	cr_assert_not(os_exists(os, PATH "-wal"));
	hn_os_sim_free(os);
}

/* --- on the real system --- */

static void real_directory(char path[64])
{
	strcpy(path, "/tmp/hypernix-state-XXXXXX");
	cr_assert_not_null(mkdtemp(path));
}

static void real_clean(const char *directory)
{
	OK(os_remove_tree(hn_os_real(), directory, err));
}

Test(real_store, only_the_owner_reads_it)
{
	char directory[64], path[96];
	struct stat status;

	real_directory(directory);
	snprintf(path, sizeof(path), "%s/s.db", directory);
	state_store *store = open_at(hn_os_real(), path);
	OK(state_exec(store, "CREATE TABLE t (v INTEGER) STRICT", err));
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600u);
	strcat(path, "-wal");
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600u);
	state_close(store);
	real_clean(directory);
}

Test(real_store, a_link_is_refused)
{
	char directory[64], path[96], link[96];
	state_store *store = NULL;

	real_directory(directory);
	snprintf(path, sizeof(path), "%s/s.db", directory);
	snprintf(link, sizeof(link), "%s/link.db", directory);
	state_close(open_at(hn_os_real(), path));
	cr_assert_eq(symlink(path, link), 0);
	FAILS(HN_EDENIED, state_open(hn_os_real(), link, false, false, &store, err));
	real_clean(directory);
}

enum { WRITERS = 4, ROWS_EACH = 50 };

static int write_rows(const char *path)
{
	state_store *store = NULL;
	int failures = state_open(hn_os_real(), path, true, false, &store, NULL) < 0;

	for (int i = 0; i < ROWS_EACH && failures == 0; i++) {
		if (state_begin(store, NULL) < 0) {
			failures++;
			continue;
		}
		failures += state_exec(store, "UPDATE t SET v = v + 1", NULL) < 0;
		failures += state_commit(store, NULL) < 0;
	}
	state_close(store);
	return failures;
}

/* Processes that open, write and close at once: no write is lost and none is told BUSY. */
Test(real_store, processes_at_once)
{
	char directory[64], path[96];
	pid_t children[WRITERS];

	real_directory(directory);
	snprintf(path, sizeof(path), "%s/s.db", directory);
	state_store *store = open_at(hn_os_real(), path);
	OK(state_exec(store, "CREATE TABLE t (v INTEGER) STRICT; INSERT INTO t VALUES (0)", err));
	state_close(store);
	for (int i = 0; i < WRITERS; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(write_rows(path));
	}
	for (int i = 0; i < WRITERS; i++) {
		int status = -1;

		cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
		cr_assert_eq(status, 0, "a writer failed: %x", (unsigned)status);
	}
	store = open_at(hn_os_real(), path);
	cr_assert_eq(ask(store, "SELECT v FROM t"), WRITERS * ROWS_EACH);
	OK(state_check(store, err));
	state_close(store);
	real_clean(directory);
}

/* The first opening of one path by many processes: the race for journal mode and first tables. */
Test(real_store, first_opening_by_processes_at_once)
{
	static const state_schema steps[] = {{1, 1, "CREATE TABLE t (v INTEGER) STRICT"}};
	char directory[64], path[96];
	pid_t children[WRITERS];

	real_directory(directory);
	snprintf(path, sizeof(path), "%s/s.db", directory);
	for (int i = 0; i < WRITERS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			state_store *store = NULL;
			int rc = state_open(hn_os_real(), path, true, false, &store, NULL);

			if (rc == 0)
				rc = state_schema_apply(store, "demo", steps, 1, NULL);
			if (rc == 0)
				rc = state_exec(store, "INSERT INTO t VALUES (1)", NULL);
			state_close(store);
			_exit(-rc);
		}
	}
	for (int i = 0; i < WRITERS; i++) {
		int status = -1;

		cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
		cr_assert_eq(status, 0, "code -%d", WEXITSTATUS(status));
	}
	state_store *store = open_at(hn_os_real(), path);
	cr_assert_eq(ask(store, "SELECT count(*) FROM t"), WRITERS);
	state_close(store);
	real_clean(directory);
}

/* Opens, reads, closes, again and again until the value has come to its end. Exit status: the first
 * failure. */
static int read_until_done(const char *path)
{
	for (;;) {
		BASE_AUTO_OF(state_store) state_store *store = NULL;
		BASE_AUTO_OF(state_query) state_query *query = NULL;
		int rc = state_open(hn_os_real(), path, false, true, &store, NULL);

		if (rc == 0)
			rc = state_find(store, "SELECT v FROM t", &query, NULL);
		if (rc == 0)
			rc = state_row(query, NULL);
		if (rc < 0)
			return -rc;
		int64_t value = state_int(query, 0);
		state_done(BASE_STEAL(query));
		if (value == ROWS_EACH)
			return 0;
	}
}

/* list and watch run while apply writes: they must never be told BUSY. */
Test(real_store, readers_while_a_writer_works)
{
	char directory[64], path[96];
	pid_t children[3];

	real_directory(directory);
	snprintf(path, sizeof(path), "%s/s.db", directory);
	state_store *store = open_at(hn_os_real(), path);
	OK(state_exec(store, "CREATE TABLE t (v INTEGER) STRICT; INSERT INTO t VALUES (0)", err));
	state_close(store); /* SQLite's connections do not survive a fork */
	for (int i = 0; i < 3; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			alarm(60); /* one that never sees the end must not hang the suite */
			_exit(read_until_done(path));
		}
	}
	store = open_at(hn_os_real(), path);
	for (int i = 0; i < ROWS_EACH; i++) {
		if (i % 10 == 0) { /* closing folds the log in and may remove it */
			state_close(store);
			store = open_at(hn_os_real(), path);
		}
		OK(state_begin(store, err));
		OK(state_exec(store, "UPDATE t SET v = v + 1", err));
		OK(state_commit(store, err));
	}
	for (int i = 0; i < 3; i++) {
		int status = -1;

		cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
		cr_assert_eq(status, 0, "a reader got -%d", WEXITSTATUS(status));
	}
	state_close(store);
	real_clean(directory);
}

Test(real_store, killed_writer_leaves_what_it_committed)
{
	char directory[64], path[96];
	int status, ready[2];
	char byte;

	real_directory(directory);
	snprintf(path, sizeof(path), "%s/s.db", directory);
	cr_assert_eq(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		state_store *store = NULL;

		state_open(hn_os_real(), path, true, false, &store, NULL);
		state_exec(
			store, "CREATE TABLE t (v INTEGER) STRICT; INSERT INTO t VALUES (1)", NULL);
		state_begin(store, NULL);
		state_exec(store, "INSERT INTO t VALUES (2)", NULL);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	kill(child, SIGKILL);
	cr_assert_eq(waitpid(child, &status, 0), child);
	state_store *store = NULL;
	OK(state_open(hn_os_real(), path, false, false, &store, err));
	cr_assert_eq(ask(store, "SELECT sum(v) FROM t"), 1);
	OK(state_check(store, err));
	state_close(store);
	real_clean(directory);
}

/* The functions that SQLite takes memory with, before or after its use. */
static void *(*sqlite_allocate(void))(int)
{
	sqlite3_mem_methods methods;

	cr_assert_eq(sqlite3_shutdown(), SQLITE_OK);
	cr_assert_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &methods), SQLITE_OK);
	return methods.xMalloc;
}

static void use_store(void)
{
	hn_os *os = sim_new(0);
	state_store *store = open_at(os, PATH);

	state_close(store);
	hn_os_sim_free(os);
}

/* A program that embeds us may use SQLite too, and configures it as it likes. */
Test(store, leaves_the_memory_of_sqlite_alone)
{
	void *(*before)(int) = sqlite_allocate();

	use_store();
	cr_assert(sqlite_allocate() == before);
}

static void *hook_allocate(void *arg, size_t bytes)
{
	(void)arg;
	return malloc(bytes);
}

static void *hook_reallocate(void *arg, void *memory, size_t bytes)
{
	(void)arg;
	return realloc(memory, bytes);
}

static void hook_release(void *arg, void *memory)
{
	(void)arg;
	free(memory);
}

Test(store, gives_sqlite_the_allocator_that_was_set)
{
	void *(*before)(int) = sqlite_allocate();
	hn_allocator allocator = HN_ALLOCATOR_INIT;

	allocator.allocate = hook_allocate;
	allocator.reallocate = hook_reallocate;
	allocator.release = hook_release;
	cr_assert_eq(hn_set_allocator(&allocator, NULL), 0);
	use_store();
	cr_assert(sqlite_allocate() != before);
}
