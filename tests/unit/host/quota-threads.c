/* SPDX-License-Identifier: MIT
 *
 * Many at once on one store: a quota that lets one use through lets one through (caps.md section
 * 14, group 58).
 */
#include "trust-lab.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 64
#define ONCE                                                                                       \
	"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.update\"],"   \
	"\"on\":\"unit/*\"}],\"quota\":{\"uses\":%d}}"

/* A lab on the real system, in a directory of its own. */
typedef struct place {
	char state[64];
	lab l;
	char *token;
} place;

static int open_host(const char *state, hn_host **host)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;

	options.state = state;
	options.calibration = "reference:64";
	options.program = "threads";
	return hn_host_open(&options, host, NULL);
}

static void trust_now(lab *l)
{
	BASE_AUTO_BUF base_buf payload = {0}, bytes = {0};
	int64_t now = os_now(hn_os_real()) / OS_SECOND;
	caps_issuer issuer = {
		.epoch = 1, .not_before = now - 60, .sign_until = now + 86400, .max_ttl = 86400};
	caps_bundle bundle = {.version = 1,
		.cluster = view_of("lab"),
		.made = now,
		.threshold = 1,
		.root_count = 1,
		.issuers = &issuer,
		.issuer_count = 1};

	fill_issuer(l, &issuer);
	crypto_ed25519_public(seed_of(ROOT), bundle.roots[0]);
	cr_assert_eq(caps_bundle_write(&bundle, &payload, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(caps_bundle_sign((const uint8_t *)payload.data, payload.size, seed_of(ROOT),
			     &bytes, lab_err(l)),
		0);
	cr_assert_eq(hn_trust_update(l->session, bytes.data, bytes.size, lab_err(l)), 0, "%s",
		lab_why(l));
}

static place new_place(int uses)
{
	place p = {.state = "/tmp/hypernix-quota-XXXXXX"};
	hn_session_options options = HN_SESSION_OPTIONS_INIT;
	char terms[256];

	fake_reset();
	cr_assert_not_null(mkdtemp(p.state));
	p.l.os = hn_os_real();
	options.reason = "test";
	cr_assert_eq(open_host(p.state, &p.l.host), 0);
	cr_assert_eq(hn_session_open_local(p.l.host, &options, &p.l.session, lab_err(&p.l)), 0);
	cr_assert_eq(lab_define(&p.l, "mine", "memory.size", "1Gi"), 0, "%s", lab_why(&p.l));
	trust_now(&p.l);
	(void)snprintf(terms, sizeof(terms), ONCE, uses);
	p.token = issue(&p.l, terms);
	return p;
}

static void end_place(place *p)
{
	const char *argv[] = {"/bin/rm", "-rf", p->state, NULL};
	int status = 0;

	base_free(p->token);
	lab_close(&p->l);
	p->l.err = hn_error_unref(p->l.err);
	(void)os_run(hn_os_real(), argv, -1, &status, NULL, NULL);
}

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

	r->code = open_host(r->where->state, &own.host);
	if (r->code >= 0)
		r->code = open_as(&own, r->where->token, NULL, &session);
	(void)pthread_barrier_wait(r->line);
	(void)snprintf(size, sizeof(size), "%dMi", 1024 + 64 * r->number);
	if (r->code >= 0)
		r->code = hn_unit_set(session, "mine", "memory.size", size, lab_err(&own));
	hn_session_unref(session);
	hn_host_unref(own.host);
	hn_error_unref(own.err);
	return NULL;
}

static int let_through(int uses)
{
	place p = new_place(uses);
	runner runners[THREADS];
	pthread_t threads[THREADS];
	pthread_barrier_t line;
	int through = 0;

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
