/* SPDX-License-Identifier: MIT
 *
 * The torture harness: runs a scenario again and again, each time with another allocation or I/O
 * call failing, or with the power going at another I/O call, and looks at what is left.
 *
 * A program is one file tests/torture/<room>.c with a table of scenarios and
 *     int main(int argc, char **argv) { return torture_main("<room>", scenarios,
 * BASE_COUNT(scenarios), argc, argv); } Run it with a scenario's name to run that one alone, and
 * with -v to see each fault.
 */
#ifndef TORTURE_H
#define TORTURE_H

#include "base/base-private.h"
#include <hypernix/os.h>

/* What `output` is before a run; after a run that failed it must still be this. */
#define TORTURE_UNTOUCHED ((void *)(uintptr_t)0x7075)

/* One run of a scenario. A new one is made for each fault. */
typedef struct torture {
	hn_os *os;    /* simulated; a new one for each run */
	void *state;  /* the scenario's own */
	void *output; /* what run gives back; TORTURE_UNTOUCHED when it gave nothing */
	int code;     /* of run: what check has to reckon with */
	bool once;    /* the fault comes once: what run cleans up after it must be gone */
	bool crashed; /* the power went: nothing that was open is open any more */
	uint64_t seed;
} torture;

typedef struct torture_scenario {
	const char *name;
	/* Without faults. Each returns 0, or what was wrong is said through torture_fail. Each but
	 * run may be NULL. */
	int (*prepare)(torture *t);
	/* With faults: what is tortured. 0 or positive is success. */
	int (*run)(torture *t, hn_error **err);
	/* Without faults, after run or after the crash: is what is left whole? */
	int (*check)(torture *t);
	/* Releases state, and output when it is not TORTURE_UNTOUCHED. */
	void (*clean)(torture *t);
	bool io;    /* fail the nth I/O call too */
	bool crash; /* lose power at the nth I/O call too; what prepare leaves must be synced */
	const hn_code *also; /* codes that run may fail with besides those of the fault, ended by
				HN_OK; NULL = none */
	unsigned stride; /* for long scenarios: after the first 200 faults only each stride-th; 0
			    and 1 = each */
	unsigned first;  /* how many come before the stride, where 200 are too many; 0 = 200 */
} torture_scenario;

/* Says why a check failed and returns -1. */
int torture_fail(const char *format, ...) BASE_PRINTF(1, 2);
#define TORTURE_CHECK(condition)                                                                   \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return torture_fail("%s:%d: %s", __FILE__, __LINE__, #condition);          \
	} while (0)

/* 0 when every fault of the scenario was survived. */
int torture_run(const torture_scenario *scenario);
int torture_main(
	const char *room, const torture_scenario *scenarios, size_t count, int argc, char **argv);

#endif
