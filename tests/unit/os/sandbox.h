/* SPDX-License-Identifier: MIT
 *
 * Tests of the sandbox are inside processes of their own, each with the one thread that a sandbox
 * wants, and hear of them through memory that both see.
 */
#ifndef OS_TEST_SANDBOX_H
#define OS_TEST_SANDBOX_H

#include "fixture.h"
#include "os/sandbox-private.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { TRIES = 64, REFUSED = 100 };

/* What the processes of a test tell it. */
typedef struct board {
	int code;
	bool partial;
	char message[256];
	hn_sandbox_report report;
	size_t count;
	hn_sandbox_try tries[TRIES];
} board;

static board *shared;

static __attribute__((unused)) void make(void)
{
	make_directory();
	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(shared, MAP_FAILED);
}

static __attribute__((unused)) void destroy(void)
{
	munmap(shared, sizeof(*shared));
	remove_directory();
}

static int ended(pid_t child)
{
	int status = 0;

	cr_assert_gt(child, 0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool has_fact(const hn_error *err, const char *name)
{
	hn_fact fact;

	for (size_t i = 0; hn_error_fact(err, i, &fact) == 0; i++) {
		if (strcmp(fact.name, name) == 0)
			return true;
	}
	return false;
}

static int enter(hn_sandbox_profile profile, const hn_sandbox_options *options)
{
	hn_error *err = NULL;

	shared->code = sandbox_apply(profile, options, true, &shared->report, &err);
	if (err != NULL) {
		snprintf(shared->message, sizeof(shared->message), "%s", hn_error_message(err));
		shared->partial = has_fact(err, "partial");
	}
	hn_error_unref(err);
	return shared->code;
}

/* The exit status of `act` in a sandbox, or -SIGNAL. */
static __attribute__((unused)) int inside(
	hn_sandbox_profile profile, const hn_sandbox_options *options, int (*act)(void))
{
	pid_t child = fork();

	if (child == 0)
		_exit(enter(profile, options) < 0 ? REFUSED : act());
	return ended(child);
}

static __attribute__((unused)) int in_a_process(int (*act)(void))
{
	pid_t child = fork();

	if (child == 0)
		_exit(act());
	return ended(child);
}

#endif
