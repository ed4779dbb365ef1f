/* SPDX-License-Identifier: MIT
 *
 * What a record of the audit log costs beside a plain SQLite row, how many durable records threads
 * get in groups, and how fast the log is verified.
 *
 *   bench-audit [RECORDS]
 *
 * Prints "name TAB value TAB unit TAB target" a line.
 */
#include "caps/audit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { BATCH = 64, THREADS = 64, EACH = 200, RUNS = 5 };

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

static state_store *open_store(const char *directory, const char *name)
{
	hn_error *err = NULL;
	state_store *store = NULL;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (state_open(hn_os_real(), path, true, false, &store, &err) < 0 ||
		state_schema_apply(
			store, "audit", caps_audit_schema, caps_audit_schema_count, &err) < 0 ||
		state_exec(store,
			"CREATE TABLE plain(seq INTEGER NOT NULL PRIMARY KEY, rec BLOB NOT NULL,"
			" leaf BLOB NOT NULL) STRICT",
			&err) < 0)
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

static double records(caps_audit *audit, unsigned count)
{
	caps_audit_entry entries[BATCH];
	hn_error *err = NULL;
	double begin = cpu_us();

	for (unsigned i = 0; i < BATCH; i++)
		entries[i] = allow;
	for (unsigned i = 0; i < count; i += BATCH)
		if (caps_audit_append_all(audit, entries, BATCH, NULL, &err) < 0)
			fail("records", err);
	return (cpu_us() - begin) / count;
}

static void *append_many(void *arg)
{
	hn_error *err = NULL;

	for (int i = 0; i < EACH; i++)
		if (caps_audit_group_append(arg, &allow, NULL, &err) < 0)
			fail("grouped records", err);
	return NULL;
}

static double grouped(caps_audit *audit)
{
	caps_audit_group *group = NULL;
	pthread_t threads[THREADS];
	double begin = wall_us();

	if (caps_audit_group_new(audit, &group, NULL) < 0)
		fail("group", NULL);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, append_many, group) != 0)
			fail("threads", NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	caps_audit_group_free(group);
	return THREADS * EACH / (wall_us() - begin) * 1e6;
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

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 12800;
	char directory[] = "/var/tmp/hn-bench-audit-XXXXXX";
	double row = 0, record = 0, durable = 0, checked = 0;
	state_store *store;
	caps_audit *audit = NULL;

	if (crypto_open(NULL) < 0 || !mkdtemp(directory))
		fail("start", NULL);
	store = open_store(directory, "bench.db");
	if (caps_audit_open(store, "bench", &audit, NULL) < 0 || caps_audit_watch(audit, NULL) < 0)
		fail("open", NULL);
	for (int i = 0; i < RUNS; i++) {
		best(&row, plain(store, count), false);
		best(&record, records(audit, count), false);
		best(&durable, grouped(audit), true);
	}
	for (int i = 0; i < RUNS; i++)
		best(&checked, verified(audit), true);
	printf("plain SQLite row, 64 a transaction (CPU)\t%.2f\tus\t\n", row);
	printf("audit record, 64 a transaction (CPU)\t%.2f\tus\t%.2f\n", record, row + 4);
	printf("durable records, 64 threads\t%.0f\t/s\t20000\n", durable);
	printf("verified records a second of CPU\t%.0f\t/s\t100000\n", checked);
	caps_audit_close(audit);
	state_close(store);
	return os_remove_tree(hn_os_real(), directory, NULL) < 0;
}
