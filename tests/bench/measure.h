/* SPDX-License-Identifier: MIT
 *
 * What the programs of this folder share: CPU time of a call, medians, and the line that is
 * printed: "name TAB value TAB unit TAB target TAB peer TAB peer's value". A wrong answer is "FAIL
 * TAB what" and exit status 1. With the argument "profile" everything runs once and seldom, as is
 * fit for valgrind --tool=callgrind, and the figures mean nothing.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BENCH_RUNS = 15 };

typedef void (*bench_call)(void *arg);

static bool bench_profiled;

static inline void bench_begin(int argc, char **argv)
{
	bench_profiled = argc > 1 && strcmp(argv[1], "profile") == 0;
}

static inline void bench_check(bool held, const char *what)
{
	if (held)
		return;
	printf("FAIL\t%s\n", what);
	exit(1);
}

static inline double bench_cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static inline int bench_by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static inline double bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof(values[0]), bench_by_value);
	return values[count / 2];
}

/* Microseconds a call, of so many. */
static inline double bench_run(bench_call call, void *arg, int count)
{
	double began = bench_cpu_us();

	for (int i = 0; i < count; i++)
		call(arg);
	return (bench_cpu_us() - began) / count;
}

/* Two calls in turns, so that what else the machine does meets both; the medians. A peer that is
 * NULL is left out. */
static inline void bench_pair(bench_call ours, void *arg, bench_call peer, void *peer_arg,
	int count, double *our_time, double *peer_time)
{
	double mine[BENCH_RUNS], theirs[BENCH_RUNS];
	size_t runs = bench_profiled ? 1 : BENCH_RUNS;

	if (bench_profiled)
		count = count > 20 ? count / 20 : 1;
	for (size_t run = 0; run < runs; run++) {
		mine[run] = bench_run(ours, arg, count);
		theirs[run] = peer != NULL ? bench_run(peer, peer_arg, count) : 0;
	}
	*our_time = bench_median(mine, runs);
	*peer_time = bench_median(theirs, runs);
}

static inline double bench_time(bench_call call, void *arg, int count)
{
	double ours, none;

	bench_pair(call, arg, NULL, NULL, count, &ours, &none);
	return ours;
}

/* `peer` "": there is none. */
static inline void bench_put(const char *name, double ours, const char *unit, const char *target,
	const char *peer, double theirs)
{
	printf("%s\t%.4f\t%s\t%s\t%s\t%.4f\n", name, ours, unit, target, peer, theirs);
	fflush(stdout);
}

#endif
