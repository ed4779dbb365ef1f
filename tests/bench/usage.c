/* SPDX-License-Identifier: MIT
 *
 * Runs a command and writes what it used to a file: CPU seconds, peak resident KiB, exit status. Of
 * its own it is a few pages: the kernel counts into a program's peak what its parent had resident
 * when it forked, so a large interpreter cannot measure a small program.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int count, char **arguments)
{
	struct rusage used;
	int status;
	pid_t child;
	FILE *file;

	if (count < 3)
		return 64;
	child = fork();
	if (child == 0) {
		execvp(arguments[2], arguments + 2);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &used) != child)
		return 71;
	file = fopen(arguments[1], "w");
	if (!file)
		return 73;
	fprintf(file, "%.6f %ld %d\n", seconds(used.ru_utime) + seconds(used.ru_stime),
		used.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
	return fclose(file) == 0 ? 0 : 74;
}
