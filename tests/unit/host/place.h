/* SPDX-License-Identifier: MIT
 *
 * A host on the real system in a directory of its own, for tests in which several threads have
 * handles on one database, as processes have.
 */
#ifndef PLACE_H
#define PLACE_H

#include "trust-lab.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* A lab on the real system, in a directory of its own. */
typedef struct place {
	char state[64];
	lab l;
	char *token;
} place;

static inline int open_host(const char *state, hn_host **host)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;

	options.state = state;
	options.calibration = "reference:64";
	options.program = "threads";
	return hn_host_open(&options, host, NULL);
}

static inline void trust_now(lab *l)
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

/* Trusts its own issuer; the token is by these terms. */
static inline place new_place(const char *terms)
{
	place p = {.state = "/tmp/hypernix-place-XXXXXX"};
	hn_session_options options = HN_SESSION_OPTIONS_INIT;

	fake_reset();
	cr_assert_not_null(mkdtemp(p.state));
	p.l.os = hn_os_real();
	options.reason = "test";
	cr_assert_eq(open_host(p.state, &p.l.host), 0);
	cr_assert_eq(hn_session_open_local(p.l.host, &options, &p.l.session, lab_err(&p.l)), 0);
	cr_assert_eq(lab_define(&p.l, "mine", "memory.size", "1Gi"), 0, "%s", lab_why(&p.l));
	trust_now(&p.l);
	p.token = issue(&p.l, terms);
	return p;
}

static inline void end_place(place *p)
{
	const char *argv[] = {"/bin/rm", "-rf", p->state, NULL};
	int status = 0;

	base_free(p->token);
	lab_close(&p->l);
	p->l.err = hn_error_unref(p->l.err);
	(void)os_run(hn_os_real(), argv, -1, &status, NULL, NULL);
}

/* On a slow machine somebody among many waits for longer than the store lets anybody wait, and is
 * told that it is busy. */
#define PATIENT(code, call)                                                                        \
	do {                                                                                       \
		(code) = (call);                                                                   \
	} while ((code) == HN_EBUSY)

#endif
