/* SPDX-License-Identifier: MIT
 *
 * A host of its own for the benchmarks of sessions: with keys, a trust bundle and a holder.
 */
#ifndef BENCH_CAPS_LAB_H
#define BENCH_CAPS_LAB_H

#include "measure.h"

#include <hypernix/host-caps.h>
#include <hypernix/host-keys.h>
#include <hypernix/host.h>

/* `why` as it is after the call. */
static inline void bench_must(int rc, hn_error *const *why)
{
	bench_check(rc >= 0, hn_error_message(*why));
}

typedef struct bench_lab {
	char directory[32];
	char *state, *alice; /* her key file */
	char *alice_key;
	hn_host *host;
	hn_session *operator_session;
} bench_lab;

/* False, and a line that says so, where this program may not issue tokens. */
bool bench_lab_open(bench_lab *lab);
void bench_lab_close(bench_lab *lab);
/* A token for alice by these terms, narrowed by each of the others; hn_text_free. */
char *bench_lab_token(const bench_lab *lab, const char *terms, const char *const *narrower);
hn_session *bench_lab_session(const bench_lab *lab, hn_host *host, const char *token);

#endif
