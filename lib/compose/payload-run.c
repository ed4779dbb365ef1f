/* SPDX-License-Identifier: MIT
 *
 * The parent's side: starts the child with the payload, and believes nothing of what comes back.
 */
#include "compose/payload.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

/* The child has a limit of CPU time of its own; this is for one that waits for ever. */
#define PATIENCE (INT64_C(1800) * OS_SECOND)

/* How long a cancel may wait. */
#define LOOK_EVERY (OS_SECOND / 10)

typedef struct child {
	hn_os *os;
	pid_t pid;
	int fd;
	int64_t due;
	hn_cancel *cancel;
} child;

static ssize_t read_records(void *arg, void *bytes, size_t size)
{
	const child *from = arg;
	int ready;

	do {
		if (hn_cancel_triggered(from->cancel))
			return -ECANCELED;
		if (os_monotonic(from->os) >= from->due)
			return -ETIMEDOUT;
		ready = from->os->ops->poll(from->os, from->fd, POLLIN, LOOK_EVERY);
	} while (ready == -ETIMEDOUT);
	return ready < 0 ? ready : from->os->ops->read(from->os, from->fd, bytes, size);
}

static int start(
	child *of, const char *parser, const compose_payload *payload, int fd, hn_error **err)
{
	const char *const argv[] = {parser, "--payload", compose_payload_kind_name(payload->kind),
		payload->platform != NULL ? "--platform" : NULL, payload->platform, NULL};
	hn_os_spawn what = {.size = sizeof(what), .argv = argv, .in = fd, .err = -1};
	int ends[2];
	int code = of->os->ops->pipe(of->os, ends);

	if (code < 0)
		return base_error_errno(
			err, COMPOSE_ROOM, code, "cannot make a pipe for %s", parser);
	what.out = ends[1];
	code = of->os->ops->spawn(of->os, &what, &of->pid);
	of->os->ops->close(of->os, ends[1]);
	if (code < 0) {
		of->os->ops->close(of->os, ends[0]);
		return base_error_errno(err, COMPOSE_ROOM, code, "cannot start %s", parser);
	}
	of->fd = ends[0];
	return 0;
}

/* What ended it is the reason of what it did not send. */
static int explain(int code, int status, hn_error **err)
{
	int by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (by == 0 || (code != HN_EENTRY && code != HN_ECBOR))
		return code;
	if (by == SIGXCPU || by == SIGKILL)
		return base_error_wrap(err, HN_ELIMIT, COMPOSE_ROOM,
			"the parser of payloads used up its time or memory: signal %d", by);
	return base_error_wrap(err, HN_EENTRY, COMPOSE_ROOM,
		by == SIGSYS ? "the parser of payloads did what it may not do: signal %d"
			     : "the parser of payloads crashed: signal %d",
		by);
}

int compose_payload_run(hn_os *os, const char *parser, int fd, uint64_t size, compose_store *store,
	const compose_reading *how, compose_layer **layer, hn_error **err)
{
	BASE_AUTO_OF(compose_layer) compose_layer *read = NULL;
	BASE_AUTO_OF(hn_error) hn_error *own = NULL;
	child of = {.os = os, .cancel = how->cancel};
	compose_record_source source = {.read = read_records, .arg = &of};
	int code, status = 0;

	code = start(&of, parser, how->payload, fd, err);
	if (code < 0)
		return code;
	of.due = os_monotonic(os) + PATIENCE;
	code = compose_records_read(&source, size, store, how, &read, &own);
	os->ops->close(os, of.fd);
	/* One that was believed has nothing left to do. */
	if (code < 0 && code != HN_EENTRY && code != HN_ECBOR)
		os->ops->kill(os, -of.pid, SIGKILL);
	if (os->ops->wait(os, of.pid, OS_SECOND, &status) < 0) {
		os->ops->kill(os, -of.pid, SIGKILL);
		status = 0;
		(void)os->ops->wait(os, of.pid, -1, NULL);
	}
	if (code == 0) {
		*layer = BASE_STEAL(read);
		return 0;
	}
	code = explain(code, status, &own);
	base_error_move(err, BASE_STEAL(own));
	return code;
}
