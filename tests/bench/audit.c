/* SPDX-License-Identifier: MIT
 *
 * What a record of the audit log costs beside a plain SQLite row, how many are durable a second,
 * and how fast the log is verified. The best of several runs: what else the machine does only adds.
 *
 *   bench-audit [RECORDS]
 *
 * Prints "name TAB value TAB unit TAB target TAB peer TAB peer's value" a line.
 */
#include "caps/audit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { BATCH = 64, THREADS = 8, EACH = 200, RUNS = 5 };

static void fail(const char *what, const hn_error *err)
{
	printf("FAIL\t%s: %s\n", what, err ? hn_error_message(err) : "");
	exit(1);
}

static double cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static double wall_us(void)
{
	return (double)os_monotonic(hn_os_real()) / 1e3;
}

static state_store *open_store(const char *directory, const char *name, bool create)
{
	hn_error *err = NULL;
	state_store *store = NULL;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (state_open(hn_os_real(), path, create, false, &store, &err) < 0)
		fail(name, err);
	if (create &&
		(state_schema_apply(
			 store, "audit", caps_audit_schema, caps_audit_schema_count, &err) < 0 ||
			state_exec(store,
				"CREATE TABLE plain(seq INTEGER NOT NULL PRIMARY KEY, rec BLOB NOT NULL,"
				" leaf BLOB NOT NULL) STRICT",
				&err) < 0))
		fail(name, err);
	return store;
}

/* A row with as many bytes as a record has. */
static double plain(state_store *store, unsigned count)
{
	static const char record[150], leaf[32];
	double begin = cpu_us();

	for (unsigned i = 0; i < count; i += BATCH) {
		int rc = state_begin(store, NULL);

		for (unsigned j = 0; rc >= 0 && j < BATCH; j++) {
			state_query *query = NULL;

			rc = state_find(store, "INSERT INTO plain(rec, leaf) VALUES (?1, ?2)",
				&query, NULL);
			if (rc < 0)
				break;
			state_bind_blob(query, 1, record, sizeof(record));
			state_bind_blob(query, 2, leaf, sizeof(leaf));
			rc = state_run(query, NULL);
		}
		if (rc < 0 || state_commit(store, NULL) < 0)
			fail("plain rows", NULL);
	}
	return (cpu_us() - begin) / count;
}

static const uint8_t session[8] = {1};
static const caps_audit_entry allow = {
	.kind = CAPS_AUDIT_ALLOW,
	.verb = HN_VERB_UNIT_START,
	.object = "unit/01234567-89ab-cdef-0123-456789abcdef",
	.subject = "local/uid/0",
	.reason = "INC-7",
	.session = session,
};

/* As in the product, where the records of one act share its transaction with the effect. */
static double records(caps_audit *audit, state_store *store, unsigned count, double *wall)
{
	hn_error *err = NULL;
	double begin = cpu_us(), began = wall_us();

	for (unsigned i = 0; i < count; i += BATCH) {
		int rc = state_begin(store, &err);

		for (unsigned j = 0; rc >= 0 && j < BATCH; j++)
			rc = caps_audit_append(audit, &allow, NULL, &err);
		if (rc < 0 || state_commit(store, &err) < 0)
			fail("records", err);
	}
	*wall = count / (wall_us() - began) * 1e6;
	return (cpu_us() - begin) / count;
}

static void *append_many(void *arg)
{
	const char *directory = arg;
	state_store *store = open_store(directory, "bench.db", false);
	caps_audit *audit = NULL;
	hn_error *err = NULL;

	if (caps_audit_open(store, "bench", &audit, &err) < 0)
		fail("open", err);
	for (int i = 0; i < EACH; i++)
		if (caps_audit_append(audit, &allow, NULL, &err) < 0)
			fail("records of threads", err);
	caps_audit_close(audit);
	state_close(store);
	return NULL;
}

/* Each with a handle of its own, as threads of a server have them: each record is a transaction. */
static double alone(char *directory, int count)
{
	pthread_t threads[THREADS];
	double begin = wall_us();

	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, append_many, directory) != 0)
			fail("threads", NULL);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return count * EACH / (wall_us() - begin) * 1e6;
}

static double verified(caps_audit *audit)
{
	hn_error *err = NULL;
	uint64_t size = 0;
	double begin = cpu_us();

	if (caps_audit_verify(audit, NULL, &err) < 0 || caps_audit_size(audit, &size, &err) < 0)
		fail("verify", err);
	return (double)size / (cpu_us() - begin) * 1e6;
}

/* The best of several: what else the machine does only adds. */
static void best(double *kept, double now, bool more)
{
	if (*kept == 0 || (more ? now > *kept : now < *kept))
		*kept = now;
}

static void put(const char *name, double value, const char *unit, const char *target,
	const char *peer, double theirs)
{
	printf("%s\t%.2f\t%s\t%s\t%s\t%.2f\n", name, value, unit, target, peer, theirs);
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 12800;
	char directory[] = "/var/tmp/hn-bench-audit-XXXXXX";
	double row = 0, record = 0, durable = 0, checked = 0, one = 0, several = 0, wall;
	state_store *store;
	caps_audit *audit = NULL;

	if (crypto_open(NULL) < 0 || !mkdtemp(directory))
		fail("start", NULL);
	store = open_store(directory, "bench.db", true);
	if (caps_audit_open(store, "bench", &audit, NULL) < 0 || caps_audit_watch(audit, NULL) < 0)
		fail("open", NULL);
	for (int i = 0; i < RUNS; i++) {
		best(&row, plain(store, count), false);
		best(&record, records(audit, store, count, &wall), false);
		best(&durable, wall, true);
		best(&one, alone(directory, 1), true);
		best(&several, alone(directory, THREADS), true);
	}
	for (int i = 0; i < RUNS; i++)
		best(&checked, verified(audit), true);
	put("a record, 64 in one transaction", record, "us CPU", "-",
		"a plain SQLite row, 64 in one transaction", row);
	put("a record over a plain row", record - row, "us CPU", "<=4", "", 0);
	put("durable records, 64 in one transaction", durable, "/s wall", ">=20000", "", 0);
	put("durable records, each its own transaction", one, "/s wall", "-", "", 0);
	put("the same, 8 threads with handles of their own", several, "/s wall", "-", "", 0);
	put("verified records a second of CPU", checked, "/s", ">=100000", "", 0);
	caps_audit_close(audit);
	state_close(store);
	return os_remove_tree(hn_os_real(), directory, NULL) < 0;
}
