/* SPDX-License-Identifier: MIT
 *
 * Running a program of the system: never by a shell, with its answer in memory.
 */
#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { STEP = 4096, LOOK_EVERY = 200 /* ms: so long a cancel may wait */ };

typedef struct running {
	pid_t pid;
	int out[2], err[2];
	cli_ran *ran;
	uint64_t most;
	bool over;        /* it said more than that */
	const char *hint; /* when there is no such program; or NULL */
} running;

void cli_ran_free(cli_ran *ran)
{
	free(ran->out);
	free(ran->err);
	*ran = (cli_ran){0};
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_all(running *at)
{
	for (size_t i = 0; i < 2; i++) {
		close_end(&at->out[i]);
		close_end(&at->err[i]);
	}
}

/* Messages of programs are read: they are to be in one language. */
static char **environment(void)
{
	static char plain[] = "LC_ALL=C";
	size_t count = 0, kept = 0;
	char **made;

	while (environ[count] != NULL)
		count++;
	made = cli_alloc((count + 2) * sizeof(*made));
	for (size_t i = 0; i < count; i++)
		if (strncmp(environ[i], "LC_ALL=", 7) != 0 &&
			strncmp(environ[i], "LANGUAGE=", 9) != 0)
			made[kept++] = environ[i];
	made[kept++] = plain;
	made[kept] = NULL;
	return made;
}

static int start(running *at, const char *const *argv, const char *directory)
{
	CLI_AUTO_FREE char **envp = environment();
	posix_spawn_file_actions_t actions;
	int code = posix_spawn_file_actions_init(&actions);

	if (code != 0)
		return code;
	if (code == 0)
		code = posix_spawn_file_actions_addopen(
			&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (code == 0)
		code = posix_spawn_file_actions_adddup2(&actions, at->out[1], STDOUT_FILENO);
	if (code == 0)
		code = posix_spawn_file_actions_adddup2(&actions, at->err[1], STDERR_FILENO);
	if (code == 0 && directory != NULL)
		code = posix_spawn_file_actions_addchdir_np(&actions, directory);
	if (code == 0)
		code = posix_spawnp(
			&at->pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	return code;
}

/* What there is of one stream; it is closed at its end. */
static void take(running *at, int *fd, char **text, size_t *size)
{
	ssize_t got;

	*text = cli_realloc(*text, *size + STEP + 1, 1);
	got = read(*fd, *text + *size, STEP);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		close_end(fd);
		return;
	}
	if (*size + (uint64_t)got > at->most)
		at->over = true; /* it may go on: nothing of it is kept */
	else
		*size += (size_t)got;
	(*text)[*size] = '\0';
}

static bool follow(running *at, hn_cancel *cancel)
{
	while (at->out[0] >= 0 || at->err[0] >= 0) {
		struct pollfd both[] = {
			{.fd = at->out[0], .events = POLLIN}, {.fd = at->err[0], .events = POLLIN}};

		if (hn_cancel_triggered(cancel))
			return false;
		if (poll(both, 2, LOOK_EVERY) <= 0)
			continue;
		if (both[0].revents != 0)
			take(at, &at->out[0], &at->ran->out, &at->ran->size);
		if (both[1].revents != 0)
			take(at, &at->err[0], &at->ran->err, &at->ran->err_size);
	}
	return true;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(running *at, cli_run *cli, const char *const *argv, const char *directory)
{
	int code = start(at, argv, directory);
	bool whole;

	if (code == ENOENT)
		return cli_refuse(cli, HN_EMISSING, at->hint,
			"the program %s is not on this machine", argv[0]);
	if (code != 0)
		return cli_refuse(
			cli, HN_EIO, NULL, "%s cannot be started: %s", argv[0], strerror(code));
	close_end(&at->out[1]);
	close_end(&at->err[1]);
	whole = follow(at, cli->cancel);
	if (!whole)
		kill(at->pid, SIGTERM);
	at->ran->status = wait_for(at->pid);
	if (!whole)
		return cli_refuse(cli, HN_ECANCELLED, NULL, "%s was ended", argv[0]);
	if (at->over)
		return cli_refuse(cli, HN_ELIMIT, NULL, "%s says more than %llu bytes", argv[0],
			(unsigned long long)at->most);
	return 0;
}

int cli_program_run(cli_run *cli, const char *const *argv, const char *directory, uint64_t most,
	const char *hint, cli_ran *ran)
{
	running at = {.out = {-1, -1}, .err = {-1, -1}, .ran = ran, .most = most, .hint = hint};
	int status;

	*ran = (cli_ran){.out = cli_strndup("", 0), .err = cli_strndup("", 0)};
	if (pipe2(at.out, O_CLOEXEC) != 0 || pipe2(at.err, O_CLOEXEC) != 0)
		status = cli_refuse_errno(cli, argv[0], errno);
	else
		status = run(&at, cli, argv, directory);
	close_all(&at);
	return status;
}

char *cli_ran_last(const cli_ran *ran)
{
	const char *end = ran->err + ran->err_size, *begin;

	while (end > ran->err && (end[-1] == '\n' || end[-1] == ' '))
		end--;
	begin = end;
	while (begin > ran->err && begin[-1] != '\n')
		begin--;
	CLI_AUTO_FREE char *line = cli_strndup(begin, (size_t)(end - begin));
	return cli_text_clean(line);
}
