/* SPDX-License-Identifier: MIT
 *
 * Group commit of the audit log: every thread gets its own number, and a failure reaches all.
 */
#include "audit.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 8, EACH = 50 };

typedef struct world {
	state_store *store;
	caps_audit *audit;
	caps_audit_group *group;
	char path[64], database[96];
	uint64_t number[THREADS][EACH];
	int failed;
} world;

typedef struct worker {
	world *w;
	int index;
} worker;

/* On the real system: a simulated one is for one thread at a time. */
static void begin(world *w)
{
	OK(crypto_open(err));
	(void)snprintf(w->path, sizeof(w->path), "/tmp/hn-audit-group-XXXXXX");
	cr_assert_not_null(mkdtemp(w->path));
	(void)snprintf(w->database, sizeof(w->database), "%s/hypernix.db", w->path);
	OK(state_open(hn_os_real(), w->database, true, false, &w->store, err));
	OK(state_schema_apply(w->store, "audit", caps_audit_schema, caps_audit_schema_count, err));
	OK(caps_audit_open(w->store, "node-1", &w->audit, err));
	OK(caps_audit_watch(w->audit, err));
	OK(caps_audit_group_new(w->audit, &w->group, err));
}

static void end(world *w)
{
	caps_audit_group_free(w->group);
	caps_audit_close(w->audit);
	state_close(w->store);
	OK(os_remove_tree(hn_os_real(), w->path, err));
}

static void *append_many(void *arg)
{
	const worker *self = arg;
	caps_audit_entry entry = {
		.kind = CAPS_AUDIT_ALLOW, .verb = HN_VERB_UNIT_START, .subject = "local/uid/0"};

	for (int i = 0; i < EACH; i++)
		if (caps_audit_group_append(
			    self->w->group, &entry, &self->w->number[self->index][i], NULL) < 0)
			__atomic_add_fetch(&self->w->failed, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void run_all(world *w)
{
	pthread_t threads[THREADS];
	worker workers[THREADS];

	for (int i = 0; i < THREADS; i++) {
		workers[i] = (worker){.w = w, .index = i};
		cr_assert_eq(pthread_create(&threads[i], NULL, append_many, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

Test(group, gives_each_record_its_own_number, .timeout = 60)
{
	static world w;
	static bool seen[THREADS * EACH + 1];

	begin(&w);
	run_all(&w);
	cr_expect_eq(w.failed, 0);
	for (int t = 0; t < THREADS; t++)
		for (int i = 0; i < EACH; i++) {
			uint64_t number = w.number[t][i];

			cr_assert(number >= 1 && number <= THREADS * EACH && !seen[number]);
			cr_assert(i == 0 || number > w.number[t][i - 1], "in its own order");
			seen[number] = true;
		}
	OK(caps_audit_verify(w.audit, NULL, err));
	cr_expect_lt(state_writes(w.store), THREADS * EACH / 2, "they share transactions");
	end(&w);
}

Test(group, of_one_thread_is_that_thread, .timeout = 60)
{
	static world w;
	worker alone = {.w = &w};

	begin(&w);
	(void)append_many(&alone);
	cr_expect_eq(w.failed, 0);
	cr_expect_eq(w.number[0][EACH - 1], EACH);
	end(&w);
}

Test(group, tells_all_of_a_failure, .timeout = 60)
{
	static world w;

	begin(&w);
	cr_assert_eq(unlink(w.database), 0);
	run_all(&w);
	cr_expect_eq(w.failed, THREADS * EACH);
	end(&w);
}
