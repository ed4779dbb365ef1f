/* SPDX-License-Identifier: MIT
 *
 * Preloaded: the process dies by SIGKILL at its nth call that changes a file or sends a message,
 * HN_KILL_AT, before it, in the middle of what it writes, or after it, HN_KILL_HOW. What the kernel
 * was given by then stays, as it does when a real process is killed.
 *
 * Pages that are written through a mapping (the index of SQLite's write-ahead log) are not seen;
 * what is between two of the calls that are seen is as good as before the second.
 */
#undef _FILE_OFFSET_BITS /* both names of a call are wanted, each for itself */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum how { BEFORE, HALF, AFTER };

static long calls_left;
static enum how how;

__attribute__((constructor)) static void read_number(void)
{
	const char *number = getenv("HN_KILL_AT"), *text = getenv("HN_KILL_HOW");

	calls_left = number != NULL ? strtol(number, NULL, 10) : 0;
	how = text == NULL || strcmp(text, "before") == 0 ? BEFORE
	      : strcmp(text, "half") == 0                 ? HALF
							  : AFTER;
}

static void die(void)
{
	kill(getpid(), SIGKILL); /* in a sandbox that lets it signal nobody, of the attempt */
	for (;;)
		pause();
}

/* Is this the call? Dies where it is to die before it. */
static bool its_turn(void)
{
	bool now = calls_left > 0 && __atomic_sub_fetch(&calls_left, 1, __ATOMIC_SEQ_CST) == 0;

	if (now && how == BEFORE)
		die();
	return now;
}

static bool is_file(int fd)
{
	struct stat status;

	return calls_left > 0 && fd > STDERR_FILENO && fstat(fd, &status) == 0 &&
	       S_ISREG(status.st_mode);
}

#define REAL(name) (__extension__((__typeof__(&name))dlsym(RTLD_NEXT, #name)))
/* The nth call is made and then the end comes; its errno is not touched by another. */
#define SEEN(turn, call)                                                                           \
	do {                                                                                       \
		bool turn_ = (turn);                                                               \
		__typeof__(call) result_ = (call);                                                 \
		if (turn_)                                                                         \
			die();                                                                     \
		return result_;                                                                    \
	} while (0)

static bool writes(int fd)
{
	return is_file(fd) && its_turn();
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	bool turn = writes(fd);

	SEEN(turn, REAL(write)(fd, bytes, turn && how == HALF ? (size + 1) / 2 : size));
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
	bool turn = writes(fd);

	SEEN(turn, REAL(pwrite)(fd, bytes, turn && how == HALF ? (size + 1) / 2 : size, offset));
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
	bool turn = writes(fd);

	SEEN(turn, REAL(pwrite64)(fd, bytes, turn && how == HALF ? (size + 1) / 2 : size, offset));
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	SEEN(writes(fd), REAL(writev)(fd, parts, count));
}

int fsync(int fd)
{
	SEEN(writes(fd), REAL(fsync)(fd));
}

int fdatasync(int fd)
{
	SEEN(writes(fd), REAL(fdatasync)(fd));
}

int ftruncate(int fd, off_t size)
{
	SEEN(writes(fd), REAL(ftruncate)(fd, size));
}

int ftruncate64(int fd, off64_t size)
{
	SEEN(writes(fd), REAL(ftruncate64)(fd, size));
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
	SEEN(writes(fd), REAL(posix_fallocate)(fd, offset, size));
}

int rename(const char *from, const char *to)
{
	SEEN(its_turn(), REAL(rename)(from, to));
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	SEEN(its_turn(), REAL(renameat)(from_fd, from, to_fd, to));
}

int unlink(const char *path)
{
	SEEN(its_turn(), REAL(unlink)(path));
}

int unlinkat(int fd, const char *path, int flags)
{
	SEEN(its_turn(), REAL(unlinkat)(fd, path, flags));
}

int mkdir(const char *path, mode_t mode)
{
	SEEN(its_turn(), REAL(mkdir)(path, mode));
}

int link(const char *from, const char *to)
{
	SEEN(its_turn(), REAL(link)(from, to));
}

int chmod(const char *path, mode_t mode)
{
	SEEN(its_turn(), REAL(chmod)(path, mode));
}

int fchmod(int fd, mode_t mode)
{
	SEEN(its_turn(), REAL(fchmod)(fd, mode));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	SEEN(its_turn(), REAL(sendmsg)(fd, message, flags));
}

/* ---- opening counts where it can make a file ---- */

static mode_t mode_of(int flags, va_list arguments)
{
	return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

#define OPENS(name, flags, ...)                                                                    \
	do {                                                                                       \
		va_list arguments_;                                                                \
		mode_t mode_;                                                                      \
		va_start(arguments_, flags);                                                       \
		mode_ = mode_of(flags, arguments_);                                                \
		va_end(arguments_);                                                                \
		SEEN((flags & (O_CREAT | O_TRUNC)) != 0 && its_turn(),                             \
			REAL(name)(__VA_ARGS__, flags, mode_));                                    \
	} while (0)

int open(const char *path, int flags, ...)
{
	OPENS(open, flags, path);
}

int open64(const char *path, int flags, ...)
{
	OPENS(open64, flags, path);
}

int openat(int fd, const char *path, int flags, ...)
{
	OPENS(openat, flags, fd, path);
}

int openat64(int fd, const char *path, int flags, ...)
{
	OPENS(openat64, flags, fd, path);
}
