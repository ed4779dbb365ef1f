/* SPDX-License-Identifier: MIT
 *
 * Threads with sessions of their own on one database: rights that end while others ask for them,
 * records that many append, waits that another thread ends. For ThreadSanitizer too.
 */
#include "place.h"

#include <stdatomic.h>

enum { THREADS = 8, EACH = 6 };

#define MAY                                                                                        \
	"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.create\","    \
	"\"unit.update\"],\"on\":\"unit/*\"},{\"verbs\":[\"audit.read\"],\"on\":\"node/*\"}]}"

/* What all threads of a test share. */
typedef struct field {
	place p;
	pthread_barrier_t line; /* the threads and the test itself */
	char object[BASE_OBJECT_SIZE];
} field;

typedef struct worker {
	field *f;
	int number, code;
	int told; /* how often it was told that its session is over */
	char why[32];
	uint64_t done;
	lab own;
	hn_session *session;
} worker;

static void on_loss(void *arg, const char *why)
{
	worker *w = arg;

	w->told++;
	(void)snprintf(w->why, sizeof(w->why), "%s", why);
}

/* A host of its own on the one file, as processes have. */
static void begin(worker *w)
{
	w->own = (lab){.os = hn_os_real()};
	PATIENT(w->code, open_host(w->f->p.state, &w->own.host));
	if (w->code >= 0)
		PATIENT(w->code, open_as(&w->own, w->f->p.token, "threads", &w->session));
	if (w->code >= 0)
		w->code = hn_session_on_loss(w->session, on_loss, w, lab_err(&w->own));
	(void)pthread_barrier_wait(&w->f->line);
}

static void *end(worker *w)
{
	w->session = hn_session_unref(w->session);
	w->own.host = hn_host_unref(w->own.host);
	w->own.err = hn_error_unref(w->own.err);
	return NULL;
}

static void start(field *f, worker *workers, pthread_t *threads, void *(*run)(void *arg))
{
	f->p = new_place(MAY);
	object_of(&f->p.l, "mine", f->object);
	cr_assert_eq(pthread_barrier_init(&f->line, NULL, THREADS + 1), 0);
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (worker){.f = f, .number = i};
		cr_assert_eq(pthread_create(&threads[i], NULL, run, &workers[i]), 0);
	}
	(void)pthread_barrier_wait(&f->line); /* all have a session, or none to come */
}

static void join(pthread_t *threads)
{
	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
}

static void finish(field *f)
{
	cr_expect_eq(host_audit_verify(f->p.l.host, lab_err(&f->p.l)), 0, "%s", lab_why(&f->p.l));
	(void)pthread_barrier_destroy(&f->line);
	end_place(&f->p);
}

/* --- a right that ends while it is asked for --- */

/* Asks until its session is over, which begins after all were told yes once. A revocation that
 * comes between the look at the session and the decision is a denial; the next call tells the end.
 */
static void *ask(void *arg)
{
	worker *w = arg;

	begin(w);
	for (bool first = true; w->code >= 0 || w->code == HN_EDENIED || first; first = false) {
		if (w->session)
			PATIENT(w->code, hn_session_check(w->session, "unit.update", w->f->object,
						 lab_err(&w->own)));
		w->done += w->code >= 0;
		if (first)
			(void)pthread_barrier_wait(&w->f->line);
	}
	return end(w);
}

static void expect_lost(const worker *workers, const char *why)
{
	for (int i = 0; i < THREADS; i++) {
		cr_expect_eq(workers[i].code, HN_ESESSION, "thread %d: %s", i,
			hn_code_name((hn_code)workers[i].code));
		cr_expect_geq(workers[i].done, 1);
		cr_expect_eq(workers[i].told, 1, "thread %d was told %d times", i, workers[i].told);
		cr_expect_str_eq(workers[i].why, why, "thread %d", i);
	}
}

static void revoke_bo(field *f)
{
	int code;

	PATIENT(code, hn_cap_revoke(f->p.l.session, "subject", "bo", lab_err(&f->p.l)));
	cr_assert_eq(code, 0, "%s", lab_why(&f->p.l));
}

Test(session_threads, all_lose_what_one_revokes)
{
	worker workers[THREADS];
	pthread_t threads[THREADS];
	field f;

	start(&f, workers, threads, ask);
	(void)pthread_barrier_wait(&f.line);
	revoke_bo(&f);
	join(threads);
	expect_lost(workers, "revoked");
	finish(&f);
}

Test(session_threads, all_are_cut_one_by_one)
{
	worker workers[THREADS];
	pthread_t threads[THREADS];
	char id[2 * sizeof(workers[0].session->id) + 1];
	field f;

	start(&f, workers, threads, ask);
	for (int i = 0; i < THREADS; i++)
		cr_assert_not_null(workers[i].session);
	(void)pthread_barrier_wait(&f.line);
	for (int i = 0; i < THREADS; i++) {
		int code;

		codec_hex(workers[i].session->id, sizeof(workers[i].session->id), id);
		PATIENT(code, hn_session_cut(f.p.l.session, id, lab_err(&f.p.l)));
		cr_assert_eq(code, 0, "%s", lab_why(&f.p.l));
	}
	join(threads);
	expect_lost(workers, "cut");
	finish(&f);
}

/* --- records of many --- */

static void *change(void *arg)
{
	worker *w = arg;
	char unit[32], size[32];

	begin(w);
	if (w->session)
		w->own.session = hn_session_ref(w->session);
	(void)snprintf(unit, sizeof(unit), "of-%d", w->number);
	if (w->code >= 0)
		PATIENT(w->code, lab_define(&w->own, unit, "memory.size", "1Gi"));
	for (int i = 1; i <= EACH && w->code >= 0; i++) {
		(void)snprintf(size, sizeof(size), "%dMi", 1024 + 64 * i);
		PATIENT(w->code,
			hn_unit_set(w->session, unit, "memory.size", size, lab_err(&w->own)));
		w->done += w->code >= 0;
	}
	if (w->code < 0)
		(void)snprintf(w->why, sizeof(w->why), "%s", lab_why(&w->own));
	w->own.session = hn_session_unref(w->own.session);
	return end(w);
}

/* Kind 1 is an allow record: its verb is unit.update. */
static uint64_t updates(field *f)
{
	hn_audit_facts facts = HN_AUDIT_FACTS_INIT;
	uint64_t count = 0;
	char *json = NULL;

	cr_assert_eq(hn_audit_get_facts(f->p.l.session, &facts, lab_err(&f->p.l)), 0);
	cr_assert_eq(hn_audit_tail(f->p.l.session, 0, 4096, &json, lab_err(&f->p.l)), 0);
	for (const char *at = json;
		(at = strstr(at, "\"kind\":\"allow\",\"verb\":\"unit.update\"")) != NULL; at++)
		count++;
	hn_text_free(json);
	cr_assert_lt(facts.records, 4096);
	return count;
}

Test(session_threads, each_change_of_many_is_on_record)
{
	worker workers[THREADS];
	pthread_t threads[THREADS];
	field f;

	start(&f, workers, threads, change);
	join(threads);
	for (int i = 0; i < THREADS; i++) {
		cr_expect_geq(workers[i].code, 0, "thread %d: %s", i, workers[i].why);
		cr_expect_eq(workers[i].done, EACH);
	}
	cr_expect_eq(updates(&f), THREADS * EACH);
	finish(&f);
}

/* --- waits --- */

typedef struct waiter {
	worker w;
	hn_cancel *cancel;
	bool on_log;
	uint64_t from;
} waiter;

/* As in ask(), a revocation that comes while it is let in is a denial. */
static void wait_on_log(worker *w, const waiter *one)
{
	do {
		PATIENT(w->code,
			hn_audit_wait(w->session, one->from, -1, one->cancel, lab_err(&w->own)));
	} while (w->code == HN_EDENIED);
}

static void *wait_long(void *arg)
{
	waiter *one = arg;
	worker *w = &one->w;

	begin(w);
	if (w->code >= 0 && one->on_log)
		wait_on_log(w, one);
	else if (w->code >= 0)
		w->code = hn_session_wait(w->session, -1, one->cancel, lab_err(&w->own));
	return end(w);
}

/* Half of them wait for a record, half for the end of their session; `act` is what ends it. */
static void let_wait(waiter *waiters, void (*act)(field *f, waiter *waiters))
{
	pthread_t threads[THREADS];
	field f = {.p = new_place(MAY)};
	hn_audit_facts facts = HN_AUDIT_FACTS_INIT;

	cr_assert_eq(hn_audit_get_facts(f.p.l.session, &facts, lab_err(&f.p.l)), 0);
	cr_assert_eq(pthread_barrier_init(&f.line, NULL, THREADS + 1), 0);
	for (int i = 0; i < THREADS; i++) {
		waiters[i] = (waiter){.w = {.f = &f, .number = i},
			.on_log = i % 2 == 0,
			.from = facts.records + 999};
		cr_assert_eq(hn_cancel_new(&waiters[i].cancel, NULL), 0);
		cr_assert_eq(pthread_create(&threads[i], NULL, wait_long, &waiters[i]), 0);
	}
	(void)pthread_barrier_wait(&f.line);
	act(&f, waiters);
	join(threads);
	for (int i = 0; i < THREADS; i++)
		hn_cancel_unref(waiters[i].cancel);
	finish(&f);
}

static void cancel_all(field *f, waiter *waiters)
{
	(void)f;
	for (int i = 0; i < THREADS; i++)
		hn_cancel_trigger(waiters[i].cancel);
}

static void revoke_all(field *f, waiter *waiters)
{
	(void)waiters;
	revoke_bo(f);
}

Test(session_threads, another_thread_cancels_waits)
{
	waiter waiters[THREADS];

	let_wait(waiters, cancel_all);
	for (int i = 0; i < THREADS; i++)
		cr_expect_eq(waiters[i].w.code, HN_ECANCELLED, "thread %d: %s", i,
			hn_code_name((hn_code)waiters[i].w.code));
}

Test(session_threads, a_revocation_ends_waits)
{
	waiter waiters[THREADS];

	let_wait(waiters, revoke_all);
	for (int i = 0; i < THREADS; i++)
		cr_expect_eq(waiters[i].w.code, HN_ESESSION, "thread %d: %s", i,
			hn_code_name((hn_code)waiters[i].w.code));
}

/* --- references, which any thread may take and give back --- */

static atomic_int given_back;

static void *take_and_give(void *arg)
{
	hn_session *session = arg;

	for (int i = 0; i < 1000; i++)
		(void)hn_session_unref(hn_session_ref(session));
	(void)hn_session_unref(session);
	atomic_fetch_add(&given_back, 1);
	return NULL;
}

Test(session_threads, references_are_counted_by_all)
{
	place p = new_place(MAY);
	pthread_t threads[THREADS];
	hn_session *session = NULL;

	cr_assert_eq(open_as(&p.l, p.token, NULL, &session), 0, "%s", lab_why(&p.l));
	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(
			pthread_create(&threads[i], NULL, take_and_give, hn_session_ref(session)),
			0);
	join(threads);
	cr_expect_eq(atomic_load(&given_back), THREADS);
	cr_expect_eq(hn_session_live(session, lab_err(&p.l)), 0, "%s", lab_why(&p.l));
	(void)hn_session_unref(session);
	end_place(&p);
}
