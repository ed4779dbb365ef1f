/* SPDX-License-Identifier: MIT
 *
 * Runs the mix on one pinned thread, then on all at once, and says how far the result can be
 * trusted.
 */
#include "host/calibrate.h"
#include "os/os-private.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM "host"
#define MILLION INT64_C(1000000)
#define ROUNDS 7
#define ROUNDS_QUICK 3
#define STEAL_MOST (MILLION * 5 / 100)
#define SPREAD_MOST (MILLION * 15 / 100)
#define THREADS_MAX 4096

static int compare_int64(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return a < b ? -1 : a > b;
}

int64_t host_median(int64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_int64);
	if (count % 2 == 1)
		return values[count / 2];
	return values[count / 2 - 1] + (values[count / 2] - values[count / 2 - 1]) / 2;
}

int64_t host_spread(const int64_t *values, size_t count, int64_t median)
{
	int64_t least = values[0], most = values[0];

	for (size_t i = 1; i < count; i++) {
		least = values[i] < least ? values[i] : least;
		most = values[i] > most ? values[i] : most;
	}
	return median > 0 ? (most - least) * MILLION / median : 0;
}

bool host_is_provisional(int64_t steal, int64_t spread)
{
	return steal > STEAL_MOST || spread > SPREAD_MOST;
}

/* Ticks of the "cpu" line of /proc/stat: user nice system idle iowait irq softirq steal. */
typedef struct cpu_ticks {
	int64_t busy, steal;
} cpu_ticks;

static cpu_ticks read_ticks(hn_os *os)
{
	BASE_AUTO_FREE char *text = NULL;
	long long field[8] = {0};
	cpu_ticks ticks = {0};
	size_t size;

	if (os_read_file(os, "/proc/stat", 1 << 20, &text, &size, NULL) < 0)
		return ticks; /* a system without it steals nothing that we could see */
	if (sscanf(text, "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &field[0], &field[1],
		    &field[2], &field[3], &field[4], &field[5], &field[6], &field[7]) != 8)
		return ticks;
	ticks.steal = field[7];
	ticks.busy = field[0] + field[1] + field[2] + field[5] + field[6] + field[7];
	return ticks;
}

static int64_t steal_share(cpu_ticks before, cpu_ticks after)
{
	int64_t busy = after.busy - before.busy;

	return busy > 0 ? (after.steal - before.steal) * MILLION / busy : 0;
}

/* Holds the threads back until all are there, or sends them home when one could not be started. */
typedef struct start_gate {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	enum { GATE_SHUT, GATE_OPEN, GATE_CALLED_OFF } state;
} start_gate;

typedef struct runner {
	pthread_t thread;
	start_gate *gate;
	host_mix_worker *worker;
	hn_cancel *cancel;
	int cpu;
	int64_t score;
	int rc;
	hn_error *error;
} runner;

static bool wait_at(start_gate *gate)
{
	bool open;

	(void)pthread_mutex_lock(&gate->mutex);
	while (gate->state == GATE_SHUT)
		(void)pthread_cond_wait(&gate->changed, &gate->mutex);
	open = gate->state == GATE_OPEN;
	(void)pthread_mutex_unlock(&gate->mutex);
	return open;
}

static void set_gate(start_gate *gate, bool open)
{
	(void)pthread_mutex_lock(&gate->mutex);
	gate->state = open ? GATE_OPEN : GATE_CALLED_OFF;
	(void)pthread_cond_broadcast(&gate->changed);
	(void)pthread_mutex_unlock(&gate->mutex);
}

static void *run_once(void *arg)
{
	runner *one = arg;
	int64_t cpu[HOST_MIX_PARTS];
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)one->cpu, &set);
	/* Unpinned is less exact, not wrong: a sandbox may forbid it, and the spread shows it. */
	(void)pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	if (!wait_at(one->gate))
		return NULL;
	one->rc = host_mix_round(one->worker, one->cancel, cpu, &one->error);
	one->score = one->rc < 0 ? 0 : host_mix_score(cpu);
	return NULL;
}

/* One round on so many threads at once; the mean of their scores. */
static int run_round(runner *runners, size_t count, int64_t *score, hn_error **err)
{
	start_gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, GATE_SHUT};
	int64_t sum = 0;
	size_t started = 0;
	int rc = 0, errnum = 0;

	for (; started < count && errnum == 0; started += errnum == 0) {
		runners[started].gate = &gate;
		runners[started].rc = 0;
		errnum =
			pthread_create(&runners[started].thread, NULL, run_once, &runners[started]);
	}
	set_gate(&gate, errnum == 0);
	for (size_t i = 0; i < started; i++) {
		(void)pthread_join(runners[i].thread, NULL);
		sum += runners[i].score;
		if (runners[i].rc < 0 && rc == 0) {
			rc = runners[i].rc;
			base_error_move(err, BASE_STEAL(runners[i].error));
		}
		runners[i].error = hn_error_unref(runners[i].error);
	}
	if (errnum != 0)
		return base_error_errno(
			err, ROOM, errnum, "starting calibration thread %zu", started);
	if (rc == 0)
		*score = sum / (int64_t)count;
	return rc;
}

/* The series of one level of load: a warm-up, then the rounds that count. */
typedef struct load_series {
	const host_measure_options *options;
	const char *phase;
	size_t done, total;
} load_series;

static int run_series(load_series *series, runner *runners, size_t count, int64_t *median,
	int64_t *spread, hn_error **err)
{
	size_t rounds = series->options->quick ? ROUNDS_QUICK : ROUNDS;
	int64_t scores[ROUNDS] = {0}, warm_up;
	int rc = 0;

	for (size_t i = 0; i <= rounds; i++) {
		if (hn_cancel_triggered(series->options->cancel))
			return base_error(
				err, HN_ECANCELLED, ROOM, NULL, "calibration was cancelled");
		if (series->options->progress)
			series->options->progress(series->options->progress_arg, series->done,
				series->total, "rounds", series->phase);
		rc = run_round(runners, count, i == 0 ? &warm_up : &scores[i - 1], err);
		if (rc < 0)
			return rc;
		series->done++;
	}
	*median = host_median(scores, rounds);
	*spread = host_spread(scores, rounds, *median);
	return 0;
}

static void free_runners(runner *runners, size_t count)
{
	for (size_t i = 0; runners && i < count; i++)
		host_mix_worker_free(runners[i].worker);
	base_free(runners);
}

/* A runner for each of the first `count` CPUs that this process may use. */
static int make_runners(
	const host_mix *mix, const host_measure_options *options, runner **out, hn_error **err)
{
	runner *runners = base_calloc(options->threads, sizeof(*runners));
	size_t made = 0;
	cpu_set_t set;
	int rc = 0;

	if (!runners)
		return base_nomem(err);
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		CPU_ZERO(&set);
	for (int cpu = 0; cpu < CPU_SETSIZE && made < options->threads; cpu++)
		if (CPU_ISSET((size_t)cpu, &set))
			runners[made++].cpu = cpu;
	for (; made < options->threads; made++)
		runners[made].cpu = (int)(made % CPU_SETSIZE);
	for (size_t i = 0; i < made && rc == 0; i++) {
		runners[i].cancel = options->cancel;
		rc = host_mix_worker_new(mix, &runners[i].worker, err);
	}
	if (rc < 0) {
		free_runners(runners, made);
		return rc;
	}
	*out = runners;
	return 0;
}

int host_measure(const host_measure_options *options, host_measured *measured, hn_error **err)
{
	BASE_AUTO_OF(host_mix) host_mix *mix = NULL;
	load_series series = {.options = options, .phase = "one thread alone"};
	host_measured result = {0};
	runner *runners = NULL;
	int64_t spread = 0;
	cpu_ticks before;
	int rc;

	if (options->threads == 0 || options->threads > THREADS_MAX)
		return base_error(err, HN_EINVAL, ROOM, NULL, "cannot calibrate %u threads",
			(unsigned)options->threads);
	rc = host_mix_new(&mix, err);
	if (rc == 0)
		rc = make_runners(mix, options, &runners, err);
	if (rc < 0)
		return rc;
	series.total = 2 * ((options->quick ? ROUNDS_QUICK : ROUNDS) + 1);
	before = read_ticks(options->os);
	rc = run_series(&series, runners, 1, &result.s1, &result.spread, err);
	series.phase = "all threads loaded";
	if (rc == 0)
		rc = run_series(&series, runners, options->threads, &result.sn, &spread, err);
	free_runners(runners, options->threads);
	if (rc < 0)
		return rc;
	result.spread = spread > result.spread ? spread : result.spread;
	result.steal = steal_share(before, read_ticks(options->os));
	result.provisional = host_is_provisional(result.steal, result.spread);
	if (result.s1 <= 0 || result.sn <= 0)
		return base_error(err, HN_EINTERNAL, ROOM, "does the CPU-time clock run?",
			"calibration measured no CPU time");
	*measured = result;
	return 0;
}
