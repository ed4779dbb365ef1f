/* SPDX-License-Identifier: MIT
 *
 * The torture harness; see torture.h.
 */
#include "torture.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_EACH = 200, FAULTS_MOST = 200000, SHUFFLES = 3 };

/* --- an allocator that counts, and fails the nth --- */

static struct {
	_Atomic long live;
	_Atomic unsigned long calls;
	unsigned long fail_at; /* 0 = never */
	bool for_ever;
	bool hit;
} heap;

static bool heap_fails(void)
{
	unsigned long call = ++heap.calls;

	if (heap.fail_at == 0 || call < heap.fail_at || (call > heap.fail_at && !heap.for_ever))
		return false;
	heap.hit = true;
	return true;
}

static void *heap_allocate(void *arg, size_t bytes)
{
	void *memory;

	(void)arg;
	if (heap_fails())
		return NULL;
	memory = malloc(bytes);
	if (memory != NULL) {
		/* What is not written first is seen: zero would hide it. */
		memset(memory, 0xa5, bytes);
		heap.live++;
	}
	return memory;
}

static void *heap_reallocate(void *arg, void *memory, size_t bytes)
{
	void *moved;

	(void)arg;
	if (heap_fails())
		return NULL;
	moved = realloc(memory, bytes);
	if (moved != NULL && memory == NULL)
		heap.live++;
	return moved;
}

static void heap_release(void *arg, void *memory)
{
	(void)arg;
	heap.live--;
	free(memory);
}

static void heap_arm(unsigned long nth, bool for_ever)
{
	heap.fail_at = nth == 0 ? 0 : heap.calls + nth;
	heap.for_ever = for_ever;
	heap.hit = false;
}

/* --- faults --- */

typedef enum fault_kind { FAULT_NONE, FAULT_MEMORY, FAULT_IO, FAULT_POWER } fault_kind;

typedef struct fault {
	fault_kind kind;
	unsigned long nth;
	bool for_ever;
	int error_number;
	hn_os_sim_crash how;
	uint64_t seed;
} fault;

static char why[512];
static bool verbose;

int torture_fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	return -1;
}

static const char *fault_text(const fault *given, char out[128])
{
	static const char *const crashes[] = {"drop", "keep", "shuffle"};

	if (given->kind == FAULT_MEMORY)
		snprintf(out, 128, "allocation %lu fails %s", given->nth,
			given->for_ever ? "for ever" : "once");
	else if (given->kind == FAULT_IO)
		snprintf(out, 128, "I/O call %lu fails %s with errno %d", given->nth,
			given->for_ever ? "for ever" : "once", given->error_number);
	else if (given->kind == FAULT_POWER)
		snprintf(out, 128, "power lost at I/O call %lu, unsynced writes: %s, seed %llu",
			given->nth, crashes[given->how], (unsigned long long)given->seed);
	else
		snprintf(out, 128, "no fault");
	return out;
}

static bool code_allowed(const torture_scenario *scenario, const fault *given, int code)
{
	if (given->kind == FAULT_MEMORY && code == HN_ENOMEM)
		return true;
	if (given->kind == FAULT_IO && code == (given->error_number == ENOSPC ? HN_ENOSPC : HN_EIO))
		return true;
	if (given->kind == FAULT_POWER && code == HN_EIO)
		return true;
	for (const hn_code *one = scenario->also; one != NULL && *one != HN_OK; one++) {
		if (code == (int)*one)
			return true;
	}
	return false;
}

static int check_result(const torture_scenario *scenario, const torture *t, const fault *given,
	bool hit, const hn_error *error)
{
	if (t->code >= 0)
		return error == NULL
			       ? 0
			       : torture_fail("success, and an error: %s", hn_error_message(error));
	if (!hit)
		return torture_fail("failed without the fault: %s: %s",
			hn_code_name((hn_code)t->code), hn_error_message(error));
	if (!code_allowed(scenario, given, t->code))
		return torture_fail("the fault became %s: %s", hn_code_name((hn_code)t->code),
			hn_error_message(error));
	if (error == NULL)
		return torture_fail("%s without an error object", hn_code_name((hn_code)t->code));
	if ((int)hn_error_code(error) != t->code)
		return torture_fail("returned %s, the error object says %s",
			hn_code_name((hn_code)t->code), hn_code_name(hn_error_code(error)));
	if (t->output != TORTURE_UNTOUCHED)
		return torture_fail(
			"failed with %s, and touched its output", hn_code_name((hn_code)t->code));
	return 0;
}

static void arm(torture *t, const fault *given)
{
	if (given->kind == FAULT_MEMORY)
		heap_arm(given->nth, given->for_ever);
	else if (given->kind == FAULT_IO)
		hn_os_sim_fail(t->os, given->nth, given->for_ever, given->error_number);
	else if (given->kind == FAULT_POWER)
		hn_os_sim_fail(t->os, given->nth, true, EIO);
}

/* Ends the faults; true when one was hit. `calls` is the I/O count before the run. */
static bool disarm(torture *t, const fault *given, uint64_t calls)
{
	bool hit =
		given->kind == FAULT_MEMORY
			? heap.hit
			: given->kind != FAULT_NONE && hn_os_sim_calls(t->os) - calls >= given->nth;

	heap_arm(0, false);
	hn_os_sim_fail(t->os, 0, false, 0);
	return hit;
}

static int run_faulted(const torture_scenario *scenario, torture *t, const fault *given, bool *hit)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	uint64_t calls = hn_os_sim_calls(t->os);

	arm(t, given);
	t->code = scenario->run(t, &error);
	*hit = disarm(t, given, calls);
	if (check_result(scenario, t, given, *hit, error) < 0)
		return -1;
	if (given->kind == FAULT_POWER) {
		t->crashed = true;
		t->once = false;
		if (hn_os_sim_crash_now(t->os, given->how, given->seed, NULL) < 0)
			return torture_fail("the crash could not be simulated");
	}
	return scenario->check != NULL ? scenario->check(t) : 0;
}

/* One run with one fault: 0, or -1 and `why`. */
static int run_once(const torture_scenario *scenario, const fault *given, bool *hit)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	torture t = {.output = TORTURE_UNTOUCHED, .seed = given->seed, .once = !given->for_ever};
	long before = heap.live;
	int code;

	options.seed = given->nth * 7919 + given->seed;
	options.wall = INT64_C(1700000000) * 1000000000;
	if (hn_os_sim_new(&options, &t.os, NULL) < 0)
		return torture_fail("no simulated system");
	code = scenario->prepare != NULL ? scenario->prepare(&t) : 0;
	if (code == 0)
		code = run_faulted(scenario, &t, given, hit);
	if (scenario->clean != NULL)
		scenario->clean(&t);
	hn_os_sim_free(t.os);
	if (code == 0 && heap.live != before)
		code = torture_fail("%ld allocations were left behind", heap.live - before);
	return code;
}

/* In a long run each scenario is a short one: no fault is left out. */
static bool is_long(const torture_scenario *scenario)
{
	return scenario->stride > 1 && getenv("HYPERNIX_LONG") == NULL;
}

static unsigned long next_fault(const torture_scenario *scenario, unsigned long nth)
{
	unsigned long first = scenario->first > 0 ? scenario->first : FIRST_EACH;

	return nth < first || !is_long(scenario) ? nth + 1 : nth + scenario->stride;
}

/* n = 1, 2, 3 ... until a run ends without hitting the fault. The number of faults, or -1. */
static long run_series(const torture_scenario *scenario, fault given)
{
	long count = 0;
	bool hit = true;

	for (given.nth = 1; hit; given.nth = next_fault(scenario, given.nth)) {
		char text[128];

		if (given.nth > FAULTS_MOST)
			return torture_fail("still failing after %d faults", FAULTS_MOST);
		if (verbose)
			printf("  %s: %s\n", scenario->name, fault_text(&given, text));
		hit = false;
		if (run_once(scenario, &given, &hit) < 0) {
			printf("%s: %s: %s\n", scenario->name, fault_text(&given, text), why);
			return -1;
		}
		count += hit;
	}
	return count;
}

static long run_all(const torture_scenario *scenario, const fault *faults, size_t count)
{
	long total = 0;

	for (size_t i = 0; i < count; i++) {
		long one = run_series(scenario, faults[i]);

		if (one < 0)
			return -1;
		total += one;
	}
	return total;
}

int torture_run(const torture_scenario *scenario)
{
	static const fault memory[] = {
		{.kind = FAULT_MEMORY}, {.kind = FAULT_MEMORY, .for_ever = true}};
	static const fault io[] = {{.kind = FAULT_IO, .error_number = EIO},
		{.kind = FAULT_IO, .error_number = EIO, .for_ever = true},
		{.kind = FAULT_IO, .error_number = ENOSPC},
		{.kind = FAULT_IO, .error_number = ENOSPC, .for_ever = true}};
	fault power[2 + SHUFFLES] = {{.kind = FAULT_POWER, .how = HN_OS_SIM_CRASH_DROP},
		{.kind = FAULT_POWER, .how = HN_OS_SIM_CRASH_KEEP}};
	fault none = {.kind = FAULT_NONE};
	long allocations, calls = 0, crashes = 0;
	bool hit = false;

	for (uint64_t i = 0; i < SHUFFLES; i++)
		power[2 + i] = (fault){
			.kind = FAULT_POWER, .how = HN_OS_SIM_CRASH_SHUFFLE, .seed = 17 + i};
	if (run_once(scenario, &none, &hit) < 0) {
		printf("%s: without a fault: %s\n", scenario->name, why);
		return -1;
	}
	/* Where there is time, any piece of an arena may be the one that there is no memory for. */
	base_arena_split(!is_long(scenario));
	allocations = run_all(scenario, memory, BASE_COUNT(memory));
	base_arena_split(false);
	if (allocations >= 0 && scenario->io)
		calls = run_all(scenario, io, BASE_COUNT(io));
	if (allocations >= 0 && calls >= 0 && scenario->crash)
		crashes = run_all(scenario, power, BASE_COUNT(power));
	if (allocations < 0 || calls < 0 || crashes < 0)
		return -1;
	printf("%s: survived %ld allocation faults, %ld I/O faults, %ld power failures\n",
		scenario->name, allocations, calls, crashes);
	return 0;
}

int torture_main(
	const char *room, const torture_scenario *scenarios, size_t count, int argc, char **argv)
{
	hn_allocator allocator = HN_ALLOCATOR_INIT;
	const char *only = NULL;
	size_t run = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0)
			verbose = true;
		else
			only = argv[i];
	}
	allocator.allocate = heap_allocate;
	allocator.reallocate = heap_reallocate;
	allocator.release = heap_release;
	if (hn_set_allocator(&allocator, NULL) < 0)
		return 1;
	for (size_t i = 0; i < count; i++) {
		if (only != NULL && strcmp(only, scenarios[i].name) != 0)
			continue;
		run++;
		failed += torture_run(&scenarios[i]) < 0;
	}
	printf("torture %s: %zu scenarios, %zu failed\n", room, run, failed);
	printf("checks: %zu\n", run - failed);
	return failed > 0 || run == 0;
}
