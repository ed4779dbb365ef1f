/* SPDX-License-Identifier: MIT
 *
 * Many at once on one store: a quota that lets one use through lets one through (caps.md section
 * 14, group 58).
 */
#include "place.h"

#define THREADS 64
#define ONCE                                                                                       \
	"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.update\"],"   \
	"\"on\":\"unit/*\"}],\"quota\":{\"uses\":%d}}"

typedef struct runner {
	const place *where;
	pthread_barrier_t *line;
	int number, code;
} runner;

/* Each thread has a host of its own on the one file, as processes have. */
static void *run(void *arg)
{
	runner *r = arg;
	lab own = {.os = hn_os_real()};
	hn_session *session = NULL;
	char size[16];

	PATIENT(r->code, open_host(r->where->state, &own.host));
	if (r->code >= 0)
		PATIENT(r->code, open_as(&own, r->where->token, NULL, &session));
	(void)pthread_barrier_wait(r->line);
	(void)snprintf(size, sizeof(size), "%dMi", 1024 + 64 * r->number);
	if (r->code >= 0)
		PATIENT(r->code, hn_unit_set(session, "mine", "memory.size", size, lab_err(&own)));
	hn_session_unref(session);
	hn_host_unref(own.host);
	hn_error_unref(own.err);
	return NULL;
}

static int let_through(int uses)
{
	char terms[256];
	runner runners[THREADS];
	pthread_t threads[THREADS];
	pthread_barrier_t line;
	int through = 0;

	(void)snprintf(terms, sizeof(terms), ONCE, uses);
	place p = new_place(terms);
	cr_assert_eq(pthread_barrier_init(&line, NULL, THREADS), 0);
	for (int i = 0; i < THREADS; i++) {
		runners[i] = (runner){.where = &p, .line = &line, .number = i};
		cr_assert_eq(pthread_create(&threads[i], NULL, run, &runners[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
		through += runners[i].code >= 0;
		cr_expect(runners[i].code >= 0 || runners[i].code == HN_EQUOTA, "thread %d: %s", i,
			hn_code_name((hn_code)runners[i].code));
	}
	(void)pthread_barrier_destroy(&line);
	cr_expect_eq(lab_number(&p.l, "SELECT used FROM cap_counter"), (uint64_t)uses);
	cr_expect_eq(host_audit_verify(p.l.host, lab_err(&p.l)), 0, "%s", lab_why(&p.l));
	end_place(&p);
	return through;
}

Test(negative, g58_64_threads_and_one_quota_unit)
{
	cr_expect_eq(let_through(1), 1);
}

Test(negative, g58_64_threads_and_five_quota_units)
{
	cr_expect_eq(let_through(5), 5);
}
