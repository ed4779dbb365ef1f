/* SPDX-License-Identifier: MIT
 *
 * Runs a program to its end and keeps what it said.
 */
#include "os/os-private.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

/* How long a reader waits before it looks whether the program has ended: one that left a daemon
 * behind never gives an end of file. */
#define LOOK_EVERY INT64_C(100000000)

enum { STEP = 4096 };

typedef struct run {
	hn_os *os;
	int fd;
	pid_t pid;
	int64_t due; /* monotonic ns; INT64_MAX = none */
	base_buf output;
} run;

/* Takes what can be read now. 1 more may come, 0 end of file, -ETIMEDOUT nothing within `wait`, or
 * -errno. */
static int take_output(run *of, int64_t wait)
{
	char step[STEP];
	size_t room = (size_t)base_limit(BASE_LIMIT_RUN_OUTPUT_BYTES) - of->output.size;
	int ready = of->os->ops->poll(of->os, of->fd, POLLIN, wait);
	ssize_t got;

	if (ready < 0)
		return ready;
	got = of->os->ops->read(of->os, of->fd, step, sizeof(step));
	if (got <= 0)
		return (int)got;
	/* What is over the limit is read and dropped, so that the program does not block. */
	base_buf_add(&of->output, step, (size_t)got < room ? (size_t)got : room);
	return of->output.failed ? -ENOMEM : 1;
}

static int64_t time_left(const run *of)
{
	int64_t left;

	if (of->due == INT64_MAX)
		return INT64_MAX;
	left = of->due - os_monotonic(of->os);
	return left > 0 ? left : 0;
}

/* Reads until the end of the program and gives its wait status; 0 or -errno. */
static int follow(run *of, int *status)
{
	bool open = true;

	for (;;) {
		int64_t left = time_left(of);
		int code = open ? take_output(of, left < LOOK_EVERY ? left : LOOK_EVERY) : 0;

		if (code == 1)
			continue;
		if (code < 0 && code != -ETIMEDOUT)
			return code;
		open = code == -ETIMEDOUT;
		code = of->os->ops->wait(of->os, of->pid, open ? 0 : time_left(of), status);
		if (code == 0)
			break;
		if (code != -ETIMEDOUT || time_left(of) == 0)
			return code;
	}
	while (open && take_output(of, 0) == 1)
		;
	return of->output.failed ? -ENOMEM : 0;
}

static int start(run *of, const char *const *argv, hn_error **err)
{
	hn_os *os = of->os;
	hn_os_spawn what = {.size = sizeof(what), .argv = argv, .in = -1};
	int ends[2];
	int code;

	if (os->ops->size <= offsetof(hn_os_ops, pipe) || os->ops->pipe == NULL)
		return base_error(
			err, HN_ENOSUP, "os", NULL, "this system table cannot capture output");
	code = os->ops->pipe(os, ends);
	if (code < 0)
		return base_error_errno(err, "os", code, "cannot make a pipe for %s", argv[0]);
	what.out = ends[1];
	what.err = ends[1];
	code = os->ops->spawn(os, &what, &of->pid);
	os->ops->close(os, ends[1]);
	if (code < 0) {
		os->ops->close(os, ends[0]);
		return base_error_errno(err, "os", code, "cannot start %s", argv[0]);
	}
	of->fd = ends[0];
	return 0;
}

int os_run(hn_os *os, const char *const *argv, int64_t timeout, int *exit_status, char **output,
	hn_error **err)
{
	run of = {.os = os, .due = INT64_MAX};
	int status = 0;
	char *text;
	int code;

	if (timeout >= 0 && __builtin_add_overflow(os_monotonic(os), timeout, &of.due))
		of.due = INT64_MAX;
	code = start(&of, argv, err);
	if (code < 0)
		return code;
	code = follow(&of, &status);
	if (code < 0) {
		/* The whole group: what the program started must not outlive it. */
		os->ops->kill(os, -of.pid, SIGKILL);
		os->ops->wait(os, of.pid, -1, NULL);
	}
	os->ops->close(os, of.fd);
	if (code < 0) {
		base_buf_free(&of.output);
		return base_error_errno(err, "os", code, "%s did not end", argv[0]);
	}
	text = base_buf_take(&of.output);
	if (text == NULL)
		return base_nomem(err);
	*exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (output != NULL)
		*output = BASE_STEAL(text);
	base_free(text);
	return 0;
}
