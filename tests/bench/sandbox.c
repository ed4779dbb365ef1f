/* SPDX-License-Identifier: MIT
 *
 * What a sandbox costs: a process that does nothing, one that goes into a sandbox first, and a
 * system call under its filter. Prints "name TAB value TAB unit TAB target", medians.
 */
#include "os/sandbox-private.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNS = 301, CALLS = 200000 };

static double *per_call; /* ns; written by a child */

static double now(void)
{
	hn_os *os = hn_os_real();

	return (double)os->ops->clock(os, HN_OS_CLOCK_CPU);
}

static void plain(void)
{
}

static void filter_only(void)
{
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;
	sandbox_plan plan = {.profile = sandbox_profile_of(HN_SANDBOX_PARSER),
		.options = &options,
		.landlock = -1};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || sandbox_filter_plan(&plan, NULL) < 0 ||
		plan.filter == NULL || sandbox_filter_enter(plan.filter) < 0)
		_exit(1);
}

static void enter(hn_sandbox_profile profile, const hn_sandbox_options *options)
{
	if (hn_sandbox_apply(profile, options, NULL, NULL) < 0)
		_exit(1);
}

static void parser(void)
{
	enter(HN_SANDBOX_PARSER, NULL);
}

static void signer(void)
{
	static const char *const paths[] = {"/tmp"};
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;

	options.read_write = paths;
	options.read_write_count = 1;
	enter(HN_SANDBOX_SIGNER, &options);
}

static void core(void)
{
	static const char *const paths[] = {"/usr", "/etc", "/bin", "/lib"};
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;

	options.execute = paths;
	options.execute_count = BASE_COUNT(paths);
	enter(HN_SANDBOX_CORE, &options);
}

static void call_often(void)
{
	double began = now();

	for (int i = 0; i < CALLS; i++)
		(void)syscall(SYS_getppid);
	*per_call = (now() - began) / CALLS;
}

static void call_inside_core(void)
{
	core();
	call_often();
}

static void call_inside_parser(void)
{
	parser();
	call_often();
}

static double nanoseconds(struct timeval time)
{
	return (double)time.tv_sec * 1e9 + (double)time.tv_usec * 1e3;
}

/* CPU time of a child's whole life and of starting it, in ns; ends the program when it did not go
 * as it should. */
static double once(void (*act)(void), const char *name)
{
	double began = now();
	pid_t child = fork();
	struct rusage used;
	int status = 0;

	if (child == 0) {
		act();
		_exit(0);
	}
	if (child < 0 || wait4(child, &status, 0, &used) != child || status != 0) {
		printf("FAIL\t%s: status %d\n", name, status);
		exit(1);
	}
	return now() - began + nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime);
}

static int by_size(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static void measure(const char *name, void (*act)(void), const char *target)
{
	static double took[RUNS];

	for (size_t i = 0; i < RUNS; i++)
		took[i] = once(act, name);
	qsort(took, RUNS, sizeof(took[0]), by_size);
	printf("%s\t%.1f\tus CPU\t%s\n", name, took[RUNS / 2] / 1000, target);
}

static void measure_calls(const char *name, void (*act)(void))
{
	static double took[9];

	for (size_t i = 0; i < BASE_COUNT(took); i++) {
		once(act, name);
		took[i] = *per_call;
	}
	qsort(took, BASE_COUNT(took), sizeof(took[0]), by_size);
	printf("%s\t%.1f\tns CPU\t-\n", name, took[BASE_COUNT(took) / 2]);
}

int main(void)
{
	per_call = mmap(
		NULL, sizeof(*per_call), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (per_call == MAP_FAILED)
		return 1;
	setvbuf(stdout, NULL, _IONBF, 0);
	measure("a process: fork, exit, wait", plain, "-");
	measure("the same with a filter of system calls (PARSER)", filter_only, "<=495");
	measure("the same with the whole sandbox: PARSER", parser, "<=695");
	measure("the same with the whole sandbox: SIGNER, one path", signer, "-");
	measure("the same with the whole sandbox: CORE, four paths", core, "-");
	measure_calls("a system call", call_often);
	measure_calls("a system call inside PARSER", call_inside_parser);
	measure_calls("a system call inside CORE", call_inside_core);
	return 0;
}
