/* SPDX-License-Identifier: MIT
 *
 * console of hv-compute: how often it looks at a unit whose line was closed. Each look counts
 * against the right that it is done by. The library is played here, and time passes when it waits.
 */
/* meson.build has the program call these by other names. */
#undef poll
#undef clock_gettime
#include "cli.h"
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct {
	int line[2];
	int looks;
	int seen_off;   /* at this look; 0: never */
	int refused;    /* this look is; 0: none */
	int64_t passed; /* ns */
} world;

int compute_console(cli_run *cli);
int played_poll(struct pollfd *files, nfds_t count, int timeout);
int played_clock_gettime(clockid_t clock, struct timespec *now);
int compute_open(cli_run *cli, cli_access access, hn_session **session);

/* --- what the program is made of --- */

bool cli_flag(const cli_run *cli, const char *name)
{
	(void)cli, (void)name;
	return false;
}

int64_t cli_duration(const cli_run *cli, const char *name, int64_t otherwise)
{
	(void)cli, (void)name;
	return otherwise;
}

const char *cli_operand(const cli_run *cli, size_t n)
{
	(void)cli, (void)n;
	return "box";
}

int cli_fail(const cli_run *cli, hn_error *error)
{
	(void)cli;
	hn_error_unref(error);
	return 1;
}

bool cli_reader_left(void)
{
	return false;
}

int compute_open(cli_run *cli, cli_access access, hn_session **session)
{
	(void)cli, (void)access;
	*session = (hn_session *)(void *)&world;
	return 0;
}

/* --- the library --- */

#define PLAY(type, name, ...)                                                                      \
	type __wrap_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__)

PLAY(int, hn_unit_console_open, hn_session *session, const char *unit, hn_console **console,
	hn_error **err)
{
	(void)session, (void)unit, (void)err;
	*console = (hn_console *)(void *)&world;
	return 0;
}

PLAY(int, hn_console_fd, const hn_console *console)
{
	(void)console;
	return world.line[0];
}

PLAY(hn_console *, hn_console_free, hn_console *console)
{
	(void)console;
	return NULL;
}

PLAY(int, hn_console_ended, const hn_console *console, hn_error **err)
{
	(void)console, (void)err;
	return 0;
}

PLAY(int, hn_session_wait, hn_session *session, int64_t timeout, hn_cancel *cancel, hn_error **err)
{
	(void)session, (void)timeout, (void)cancel, (void)err;
	return 0;
}

PLAY(hn_session *, hn_session_unref, hn_session *session)
{
	(void)session;
	return NULL;
}

PLAY(int, hn_unit_find, hn_session *session, const char *name, bool fresh, hn_unit **unit,
	hn_error **err)
{
	(void)session, (void)name, (void)fresh, (void)err;
	if (++world.looks == world.refused)
		return HN_ERATE;
	*unit = (hn_unit *)(void *)&world;
	return 0;
}

PLAY(hn_unit_status, hn_unit_get_status, const hn_unit *unit)
{
	(void)unit;
	return world.seen_off != 0 && world.looks >= world.seen_off ? HN_UNIT_STOPPED
								    : HN_UNIT_RUNNING;
}

PLAY(hn_unit *, hn_unit_unref, hn_unit *unit)
{
	(void)unit;
	return NULL;
}

/* --- time: what the program is compiled to call instead --- */

int played_poll(struct pollfd *files, nfds_t count, int timeout)
{
	if (count > 0)
		return poll(files, count, timeout);
	world.passed += timeout * INT64_C(1000000);
	return 0;
}

int played_clock_gettime(clockid_t clock, struct timespec *now)
{
	int rc = clock_gettime(clock, now);
	int64_t all = now->tv_nsec + world.passed;

	now->tv_sec += all / 1000000000;
	now->tv_nsec = all % 1000000000;
	return rc;
}

/* --- a line that the hypervisor has closed --- */

static void expect_answer(const char *words)
{
	cli_run cli = {.operand_count = 1};

	cr_redirect_stderr();
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, world.line), 0);
	(void)close(world.line[1]);
	cr_expect_eq(compute_console(&cli), 0);
	(void)fflush(stderr);
	cr_expect_stderr_eq_str(words);
	(void)close(world.line[0]);
}

Test(closed_line, of_a_unit_that_is_off)
{
	world.seen_off = 1;
	expect_answer("box has stopped: its console is closed\n");
	cr_expect_eq(world.looks, 1);
	cr_expect_lt(world.passed, 1000000000);
}

Test(closed_line, of_a_unit_that_is_seen_a_moment_longer)
{
	world.seen_off = 2;
	expect_answer("box has stopped: its console is closed\n");
	cr_expect_eq(world.looks, 2);
}

/* Of a unit that goes on: a few looks, over some seconds. */
Test(closed_line, takes_few_looks)
{
	expect_answer("the console of box was closed by its hypervisor\n");
	cr_expect_leq(world.looks, 3, "%d looks", world.looks);
	cr_expect_geq(world.passed, 2000000000);
}

Test(closed_line, ends_with_a_look_that_is_refused)
{
	world.refused = 2;
	expect_answer("the console of box was closed by its hypervisor\n");
	cr_expect_eq(world.looks, 2);
}
