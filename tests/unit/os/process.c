/* SPDX-License-Identifier: MIT
 *
 * Programs, sockets and pipes on the real system.
 */
#include "fixture.h"
#include "os/os-private.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

TestSuite(socket, .init = make_directory, .fini = remove_directory);

static int run(
	const char *const *argv, int64_t timeout, int *exit_status, char **output, hn_error **err)
{
	return os_run(hn_os_real(), argv, timeout, exit_status, output, err);
}

static char *output_of(const char *script)
{
	const char *argv[] = {"/bin/sh", "-c", script, NULL};
	char *output = NULL;
	int exit_status = -1;

	cr_assert_eq(run(argv, 20 * OS_SECOND, &exit_status, &output, NULL), 0);
	cr_assert_eq(exit_status, 0);
	return output;
}

Test(run, gives_output_of_both_streams_and_the_status)
{
	const char *argv[] = {"/bin/sh", "-c", "echo out; echo err >&2; exit 3", NULL};
	char *output = NULL;
	int exit_status = -1;

	cr_assert_eq(run(argv, -1, &exit_status, &output, NULL), 0);
	cr_assert_eq(exit_status, 3);
	cr_assert_str_eq(output, "out\nerr\n");
	base_free(output);
}

Test(run, output_may_be_ignored)
{
	const char *argv[] = {"/bin/echo", "x", NULL};
	int exit_status = -1;

	cr_assert_eq(run(argv, -1, &exit_status, NULL, NULL), 0);
	cr_assert_eq(exit_status, 0);
}

Test(run, finds_a_program_in_the_fixed_path)
{
	const char *argv[] = {"true", NULL};
	int exit_status = -1;

	cr_assert_eq(run(argv, -1, &exit_status, NULL, NULL), 0);
	cr_assert_eq(exit_status, 0);
}

Test(run, arguments_do_not_meet_a_shell)
{
	const char *argv[] = {"/bin/echo", "$HOME; `id` > x", NULL};
	char *output = NULL;
	int exit_status;

	cr_assert_eq(run(argv, -1, &exit_status, &output, NULL), 0);
	cr_assert_str_eq(output, "$HOME; `id` > x\n");
	base_free(output);
}

Test(run, a_program_that_is_not_there_is_not_found)
{
	const char *none[] = {"/no/such/program", NULL},
		   *name[] = {"no-such-program-anywhere", NULL};
	const char *relative[] = {"bin/echo", NULL};
	int exit_status = 77;
	char *output = (char *)1;

	cr_assert_eq(run(none, -1, &exit_status, &output, NULL), HN_ENOENT);
	cr_assert_eq(run(name, -1, &exit_status, &output, NULL), HN_ENOENT);
	cr_assert_lt(run(relative, -1, &exit_status, &output, NULL), 0);
	cr_assert_eq(exit_status, 77);
	cr_assert_eq(output, (char *)1);
}

Test(run, the_signal_that_ended_it_is_in_the_status)
{
	const char *argv[] = {"/bin/sh", "-c", "kill -9 $$", NULL};
	int exit_status = 0;

	cr_assert_eq(run(argv, -1, &exit_status, NULL, NULL), 0);
	cr_assert_eq(exit_status, 128 + SIGKILL);
}

Test(run, a_timeout_kills_it_and_what_it_started)
{
	const char *argv[] = {"/bin/sh", "-c", "sleep 1000 & echo $!; sleep 1000", NULL};
	int exit_status = 77;
	int64_t before = os_monotonic(hn_os_real());

	cr_assert_eq(run(argv, 200000000, &exit_status, NULL, NULL), HN_ETIMEOUT);
	cr_assert_eq(exit_status, 77);
	cr_assert_lt(os_monotonic(hn_os_real()) - before, 30 * OS_SECOND);
}

Test(run, a_daemon_left_behind_does_not_hold_it)
{
	const char *argv[] = {"/bin/sh", "-c", "sleep 15 & echo started", NULL};
	char *output = NULL;
	int exit_status;
	int64_t before = os_monotonic(hn_os_real());

	cr_assert_eq(run(argv, -1, &exit_status, &output, NULL), 0);
	cr_assert_str_eq(output, "started\n");
	cr_assert_lt(os_monotonic(hn_os_real()) - before, 10 * OS_SECOND);
	base_free(output);
}

Test(run, output_is_bounded_and_the_program_still_ends)
{
	const char *argv[] = {
		"/bin/sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; exit 5", NULL};
	char *output = NULL;
	int exit_status = 0;

	cr_assert_eq(run(argv, -1, &exit_status, &output, NULL), 0);
	cr_assert_eq(exit_status, 5);
	cr_assert_eq(strlen(output), base_limit(BASE_LIMIT_RUN_OUTPUT_BYTES));
	base_free(output);
}

Test(spawn, the_environment_is_clean)
{
	char *output;

	setenv("HYPERNIX_SECRET", "x", 1);
	output = output_of("env");
	cr_assert_null(strstr(output, "HYPERNIX_SECRET"));
	cr_assert_not_null(strstr(output, "PATH=/usr/local/sbin"));
	cr_assert_not_null(strstr(output, "LC_ALL=C"));
	base_free(output);
}

Test(spawn, no_other_descriptor_goes_along)
{
	int leaked = open("/dev/null", O_RDONLY);
	char *output;
	char script[128];

	cr_assert_geq(leaked, 3);
	snprintf(script, sizeof(script), "[ -e /proc/self/fd/%d ] && echo leaked || echo clean",
		leaked);
	output = output_of(script);
	cr_assert_str_eq(output, "clean\n");
	base_free(output);
	close(leaked);
}

Test(spawn, standard_input_is_empty)
{
	char *output = output_of("cat; echo end");

	cr_assert_str_eq(output, "end\n");
	base_free(output);
}

Test(spawn, it_is_in_a_group_of_its_own_with_default_signals)
{
	unsigned long long ignored = 0;
	const char *line;
	char *output;

	signal(SIGPIPE, SIG_IGN);
	output = output_of(
		"ps -o pgid= -p $$ | tr -d ' ' | grep -qx $$ && echo own; grep SigIgn /proc/self/status");
	cr_assert_not_null(strstr(output, "own"));
	line = strstr(output, "SigIgn:");
	cr_assert_not_null(line);
	cr_assert_eq(sscanf(line, "SigIgn: %llx", &ignored), 1);
	cr_assert_eq(ignored & (1ULL << (SIGPIPE - 1)), 0);
	base_free(output);
}

Test(spawn, given_descriptors_arrive_even_when_they_cross)
{
	hn_os *os = hn_os_real();
	const char *argv[] = {"/bin/sh", "-c", "read line; echo \"got $line\"", NULL};
	hn_os_spawn what = {.size = sizeof(what), .argv = argv, .err = -1};
	int in_pipe[2], out_pipe[2], status;
	char bytes[64] = "";
	pid_t pid;

	cr_assert_eq(os->ops->pipe(os, in_pipe), 0);
	cr_assert_eq(os->ops->pipe(os, out_pipe), 0);
	/* Standard input is where output is to go and the other way round. */
	cr_assert_eq(dup2(out_pipe[1], 0), 0);
	cr_assert_eq(dup2(in_pipe[0], 1), 1);
	what.in = 1;
	what.out = 0;
	cr_assert_eq(os->ops->spawn(os, &what, &pid), 0);
	cr_assert_eq(os->ops->write(os, in_pipe[1], "hello\n", 6), 6);
	cr_assert_eq(os->ops->wait(os, pid, 20 * OS_SECOND, &status), 0);
	cr_assert_gt(os->ops->read(os, out_pipe[0], bytes, sizeof(bytes) - 1), 0);
	cr_assert_str_eq(bytes, "got hello\n");
}

Test(spawn, works_in_a_program_that_closed_its_standard_descriptors)
{
	hn_os *os = hn_os_real();
	const char *argv[] = {"/bin/echo", "hello", NULL};
	hn_os_spawn what = {.size = sizeof(what), .argv = argv, .in = -1, .err = -1};
	char bytes[64] = "";
	int ends[2], status = -1;
	pid_t pid;

	cr_assert_eq(os->ops->pipe(os, ends), 0);
	what.out = ends[1];
	close(0);
	cr_assert_eq(os->ops->spawn(os, &what, &pid), 0);
	cr_assert_eq(os->ops->wait(os, pid, 20 * OS_SECOND, &status), 0);
	cr_assert_eq(os->ops->close(os, ends[1]), 0);
	cr_assert_eq(os->ops->read(os, ends[0], bytes, sizeof(bytes) - 1), 6);
	cr_assert_str_eq(bytes, "hello\n");
	cr_assert_eq(status, 0);
}

Test(wait, times_out_and_can_be_repeated)
{
	hn_os *os = hn_os_real();
	const char *argv[] = {"/bin/sleep", "1000", NULL};
	hn_os_spawn what = {.size = sizeof(what), .argv = argv, .in = -1, .out = -1, .err = -1};
	int status = 77;
	pid_t pid;

	cr_assert_eq(os->ops->spawn(os, &what, &pid), 0);
	cr_assert_eq(os->ops->wait(os, pid, 0, &status), -ETIMEDOUT);
	cr_assert_eq(os->ops->wait(os, pid, 1000000, &status), -ETIMEDOUT);
	cr_assert_eq(status, 77);
	cr_assert_eq(os->ops->kill(os, pid, SIGTERM), 0);
	cr_assert_eq(os->ops->wait(os, pid, -1, &status), 0);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	cr_assert_eq(os->ops->wait(os, pid, 0, &status), -ECHILD);
	cr_assert_eq(os->ops->kill(os, pid, 0), -ESRCH);
}

static int listener(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 4), 0);
	return fd;
}

Test(socket, connects_polls_reads_and_writes)
{
	hn_os *os = hn_os_real();
	int listening = listener(in("s")), ours = os->ops->connect_unix(os, in("s")), theirs;
	char bytes[8];

	cr_assert_geq(ours, 0);
	theirs = accept(listening, NULL, NULL);
	cr_assert_eq(os->ops->read(os, ours, bytes, sizeof(bytes)), -EAGAIN);
	cr_assert_eq(os->ops->poll(os, ours, POLLIN, 1000000), -ETIMEDOUT);
	cr_assert_eq(os->ops->poll(os, ours, POLLIN, 0), -ETIMEDOUT);
	cr_assert_eq(write(theirs, "abc", 3), 3);
	cr_assert_eq(os->ops->poll(os, ours, POLLIN, -1), POLLIN);
	cr_assert_eq(os->ops->read(os, ours, bytes, sizeof(bytes)), 3);
	cr_assert_eq(os->ops->write(os, ours, "x", 1), 1);
	close(theirs);
	/* An error and not a signal that ends the program. */
	while (os->ops->write(os, ours, "x", 1) == 1)
		;
	cr_assert_eq(os->ops->write(os, ours, "x", 1), -EPIPE);
	os->ops->close(os, ours);
	close(listening);
}

Test(pipe, writing_to_nobody_is_an_error_and_no_signal)
{
	hn_os *os = hn_os_real();
	sigset_t mask;
	int ends[2];

	cr_assert_eq(signal(SIGPIPE, SIG_DFL) == SIG_ERR, 0);
	cr_assert_eq(os->ops->pipe(os, ends), 0);
	cr_assert_eq(os->ops->write(os, ends[1], "x", 1), 1);
	cr_assert_eq(os->ops->close(os, ends[0]), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(os->ops->write(os, ends[1], "x", 1), -EPIPE);
	cr_assert_eq(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
	cr_assert_not(sigismember(&mask, SIGPIPE));
	cr_assert_eq(sigpending(&mask), 0);
	cr_assert_not(sigismember(&mask, SIGPIPE));
	cr_assert_eq(os->ops->close(os, ends[1]), 0);
}

Test(socket, errors)
{
	hn_os *os = hn_os_real();
	char path[300];

	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	cr_assert_eq(os->ops->connect_unix(os, path), -ENAMETOOLONG);
	cr_assert_eq(os->ops->connect_unix(os, in("none")), -ENOENT);
}
