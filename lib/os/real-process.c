/* SPDX-License-Identifier: MIT
 *
 * Processes and sockets of the real operating system. A program starts without a shell, with a
 * clean environment, no file descriptors but 0, 1 and 2, default signals, and a process group of
 * its own.
 */
#include "os/os-private.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const search_path[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
	"/usr/bin", "/sbin", "/bin", "/run/current-system/sw/bin"};
static const char path_variable[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin";

static int find_program(const char *name, char out[PATH_MAX])
{
	if (strchr(name, '/') != NULL) {
		if (name[0] != '/')
			return -EINVAL;
		return snprintf(out, PATH_MAX, "%s", name) < PATH_MAX ? 0 : -ENAMETOOLONG;
	}
	for (size_t i = 0; i < BASE_COUNT(search_path); i++) {
		int size = snprintf(out, PATH_MAX, "%s/%s", search_path[i], name);

		if (size < PATH_MAX && access(out, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

/* Descriptors below 3 are moved up first, so that no dup2 overwrites one that a later dup2 needs.
 */
static int move_up(const int given[3], int moved[3])
{
	for (size_t i = 0; i < 3; i++)
		moved[i] = -1;
	for (size_t i = 0; i < 3; i++) {
		if (given[i] < 0)
			continue;
		moved[i] = fcntl(given[i], F_DUPFD_CLOEXEC, 3);
		if (moved[i] < 0)
			return -errno;
	}
	return 0;
}

static int add_actions(posix_spawn_file_actions_t *actions, const int fds[3])
{
	int failed = 0;

	for (int i = 0; i < 3 && failed == 0; i++) {
		if (fds[i] < 0)
			failed = posix_spawn_file_actions_addopen(
				actions, i, "/dev/null", i == 0 ? O_RDONLY : O_WRONLY, 0);
		else
			failed = posix_spawn_file_actions_adddup2(actions, fds[i], i);
	}
	if (failed == 0)
		failed = posix_spawn_file_actions_addclosefrom_np(actions, 3);
	return -failed;
}

static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int failed;

	sigemptyset(&none);
	sigfillset(&all);
	failed = posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	if (failed == 0)
		failed = posix_spawnattr_setsigmask(attributes, &none);
	if (failed == 0)
		failed = posix_spawnattr_setsigdefault(attributes, &all);
	if (failed == 0)
		failed = posix_spawnattr_setpgroup(attributes, 0);
	return -failed;
}

static int spawn_prepared(
	const char *program, const hn_os_spawn *what, const int fds[3], pid_t *pid)
{
	static const char *const clean[] = {path_variable, "LC_ALL=C.UTF-8", NULL};
	const char *const *environment = what->environment != NULL ? what->environment : clean;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t started;
	int code;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	code = add_actions(&actions, fds);
	if (code == 0)
		code = set_attributes(&attributes);
	/* The casts drop const only because posix_spawn's prototype has none; it does not write. */
	if (code == 0)
		code = -posix_spawn(&started, program, &actions, &attributes,
			(char *const *)(uintptr_t)what->argv,
			(char *const *)(uintptr_t)environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (code == 0)
		*pid = started;
	return code;
}

int os_real_spawn(hn_os *os, const hn_os_spawn *what, pid_t *pid)
{
	char program[PATH_MAX];
	int given[3] = {what->in, what->out, what->err};
	int moved[3];
	int code;

	(void)os;
	if (what->argv == NULL || what->argv[0] == NULL)
		return -EINVAL;
	code = find_program(what->argv[0], program);
	if (code < 0)
		return code;
	code = move_up(given, moved);
	if (code == 0)
		code = spawn_prepared(program, what, moved, pid);
	for (size_t i = 0; i < 3; i++) {
		if (moved[i] >= 0)
			close(moved[i]);
	}
	return code;
}

int os_real_wait(hn_os *os, pid_t pid, int64_t timeout, int *status)
{
	int found_status = 0;
	pid_t found;

	if (timeout >= 0) {
		int fd = pidfd_open(pid, 0);
		int code;

		if (fd < 0)
			return errno == ESRCH ? -ECHILD : -errno;
		code = os_real_poll(os, fd, POLLIN, timeout);
		close(fd);
		if (code < 0)
			return code;
	}
	do
		found = waitpid(pid, &found_status, 0);
	while (found < 0 && errno == EINTR);
	if (found < 0)
		return -errno;
	if (status != NULL)
		*status = found_status;
	return 0;
}

int os_real_kill(hn_os *os, pid_t pid, int signal)
{
	(void)os;
	return kill(pid, signal) < 0 ? -errno : 0;
}

int os_real_pipe(hn_os *os, int ends[2])
{
	(void)os;
	return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
}

int os_real_connect_unix(hn_os *os, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t size = strlen(path);
	int fd, code;

	(void)os;
	if (size >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, size + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		code = -errno;
		close(fd);
		return code;
	}
	return fd;
}

int os_real_poll(hn_os *os, int fd, short events, int64_t timeout)
{
	struct pollfd one = {.fd = fd, .events = events};
	int64_t due = 0;

	if (timeout > 0 &&
		__builtin_add_overflow(os->ops->clock(os, HN_OS_CLOCK_MONOTONIC), timeout, &due))
		timeout = -1;
	for (;;) {
		struct timespec left = {.tv_sec = (time_t)(timeout / OS_SECOND),
			.tv_nsec = (long)(timeout % OS_SECOND)};
		int ready = ppoll(&one, 1, timeout < 0 ? NULL : &left, NULL);

		if (ready > 0)
			return one.revents;
		if (ready == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
		if (timeout > 0) {
			timeout = due - os->ops->clock(os, HN_OS_CLOCK_MONOTONIC);
			if (timeout < 0)
				timeout = 0;
		}
	}
}

ssize_t os_real_read(hn_os *os, int fd, void *bytes, size_t size)
{
	ssize_t got;

	(void)os;
	do
		got = read(fd, bytes, size);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* Pipes have no MSG_NOSIGNAL: the signal is blocked for this thread, and taken if the write raised
 * it. A SIGPIPE that was pending before is somebody else's and stays. */
static ssize_t write_without_signal(int fd, const void *bytes, size_t size)
{
	static const struct timespec now = {0};
	sigset_t pipe_signal, pending, before;
	ssize_t put;
	int error;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
	put = write(fd, bytes, size);
	error = errno;
	if (put < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE)) {
		while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR)
			;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return put;
}

ssize_t os_real_write(hn_os *os, int fd, const void *bytes, size_t size)
{
	ssize_t put;

	(void)os;
	do {
		/* A peer that went away must be an error, not SIGPIPE for the program that embeds
		 * the library. */
		put = send(fd, bytes, size, MSG_NOSIGNAL);
		if (put < 0 && errno == ENOTSOCK)
			put = write_without_signal(fd, bytes, size);
	} while (put < 0 && errno == EINTR);
	return put < 0 ? -errno : put;
}
