/* SPDX-License-Identifier: MIT
 *
 * console: the serial console of a unit, its log or the live line.
 */
#include "compute.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { LEAVE = 0x1d /* ^] */, CHUNK = 16384, FOLLOW_MS = 200 };

typedef struct console {
	cli_run *cli;
	int state;        /* of the escape sequence filter */
	bool raw;         /* bytes pass unchanged */
	int64_t deadline; /* monotonic ns; 0: none */
} console;

static int64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * COMPUTE_NS + now.tv_nsec;
}

static bool over(const console *line)
{
	return hn_cancel_triggered(line->cli->cancel) || ferror(stdout) || cli_reader_left() ||
	       (line->deadline != 0 && monotonic() >= line->deadline);
}

static void show(console *line, char *bytes, size_t size)
{
	if (!line->raw)
		size = hn_terminal_strip(bytes, size, &line->state);
	fwrite(bytes, 1, size, stdout);
	fflush(stdout);
}

static int show_log(console *line, hn_session *session)
{
	const char *unit = cli_operand(line->cli, 0);
	bool follow = cli_flag(line->cli, "follow");
	char bytes[CHUNK];
	uint64_t offset = 0;
	hn_error *error = NULL;

	while (!over(line)) {
		int64_t got = hn_unit_log_read(session, unit, offset, bytes, sizeof(bytes), &error);

		if (got < 0)
			return cli_fail(line->cli, error);
		if (got == 0 && !follow)
			break;
		if (got == 0) {
			poll(NULL, 0, FOLLOW_MS);
			continue;
		}
		offset += (uint64_t)got;
		show(line, bytes, (size_t)got);
	}
	return 0;
}

static bool send_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t sent = write(fd, bytes, size);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		bytes += sent;
		size -= (size_t)sent;
	}
	return true;
}

/* What was typed goes to the guest up to the key that leaves. false: leave. */
static bool type_in(struct pollfd *keyboard, int fd)
{
	char bytes[256];
	ssize_t got = read(keyboard->fd, bytes, sizeof(bytes));
	char *leave;

	if (got < 0 && errno == EINTR)
		return true;
	if (got <= 0) {
		keyboard->fd = -1; /* the input has ended: go on listening */
		return true;
	}
	leave = memchr(bytes, LEAVE, (size_t)got);
	if (leave != NULL)
		got = leave - bytes;
	return send_all(fd, bytes, (size_t)got) && leave == NULL;
}

/* Carries bytes both ways until somebody leaves; asks four times a second whether the session that
 * holds the line is still open. 1: the line was closed under us. */
static int talk(console *line, hn_session *session, int fd, hn_error **err)
{
	struct pollfd ends[] = {
		{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	char bytes[CHUNK];

	while (!over(line)) {
		if (poll(ends, CLI_COUNT(ends), FOLLOW_MS) < 0 && errno != EINTR)
			break;
		int result = hn_session_wait(session, 0, NULL, err);

		if (result < 0)
			return result;
		if (ends[1].revents != 0) {
			ssize_t got = read(fd, bytes, sizeof(bytes));

			if (got == 0 || (got < 0 && errno != EINTR))
				return 1;
			if (got > 0)
				show(line, bytes, (size_t)got);
		}
		if (ends[0].revents != 0 && !type_in(&ends[0], fd))
			break;
	}
	return 0;
}

static bool is_off(hn_unit_status status)
{
	return status == HN_UNIT_STOPPED || status == HN_UNIT_DEFINED ||
	       status == HN_UNIT_CRASHED || status == HN_UNIT_ABSENT;
}

/* false: whoever listens wants to leave before it is over. */
static bool rest(const console *line, int64_t span)
{
	int64_t until = monotonic() + span;

	while (!over(line) && monotonic() < until)
		poll(NULL, 0, FOLLOW_MS);
	return !over(line);
}

/* A hypervisor that ends closes its sockets first: it may be seen a moment longer. The looks are
 * few, since each counts against the rates and quotas of the right. */
static bool has_stopped(const console *line, hn_session *session)
{
	static const int64_t before[] = {0, COMPUTE_NS, 5 * COMPUTE_NS};

	for (size_t i = 0; i < CLI_COUNT(before) && rest(line, before[i]); i++) {
		CLI_AUTO_OF(hn_unit) hn_unit *found = NULL;

		if (hn_unit_find(session, cli_operand(line->cli, 0), false, &found, NULL) < 0)
			return false; /* may not be looked at */
		if (is_off(hn_unit_get_status(found)))
			return true;
	}
	return false;
}

/* Why the line was closed: a right that is over, or the guest. */
static int closed(const console *line, hn_session *session, const hn_console *connection)
{
	const char *unit = cli_operand(line->cli, 0);
	hn_error *error = NULL;

	if (hn_session_wait(session, 0, NULL, &error) < 0)
		return cli_fail(line->cli, error);
	if (hn_console_ended(connection, &error) < 0) {
		/* the unit may have no name for whom it is out of reach */
		if (!line->cli->quiet && !line->cli->json)
			fprintf(stderr, "the right to the console of %s is over\n", unit);
		return cli_fail(line->cli, error);
	}
	if (line->cli->quiet)
		return 0;
	if (has_stopped(line, session))
		fprintf(stderr, "%s has stopped: its console is closed\n", unit);
	else
		fprintf(stderr, "the console of %s was closed by its hypervisor\n", unit);
	return 0;
}

static int interactive(console *line, hn_session *session)
{
	struct termios before, raw;
	bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
	CLI_AUTO_OF(hn_console) hn_console *connection = NULL;
	hn_error *error = NULL;
	int result;

	if (hn_unit_console_open(session, cli_operand(line->cli, 0), &connection, &error) < 0)
		return cli_fail(line->cli, error);
	if (terminal) {
		if (!line->cli->quiet)
			fprintf(stderr, "connected to %s; ^] leaves\r\n",
				cli_operand(line->cli, 0));
		raw = before;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	}
	result = talk(line, session, hn_console_fd(connection), &error);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
		fputc('\n', stderr);
	}
	if (result < 0)
		return cli_fail(line->cli, error);
	return result > 0 ? closed(line, session, connection) : 0;
}

int compute_console(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	bool log = cli_flag(cli, "log") || cli_flag(cli, "follow");
	console line = {.cli = cli, .raw = cli_flag(cli, "raw")};
	int64_t span = cli_duration(cli, "for", 0);
	int status = compute_open(cli, log ? CLI_READ : CLI_WRITE, &session);

	if (status != 0)
		return status;
	if (span > 0)
		line.deadline = monotonic() + span;
	return log ? show_log(&line, session) : interactive(&line, session);
}
