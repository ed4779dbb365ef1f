/* SPDX-License-Identifier: MIT
 *
 * The real operating system: files, clocks and chance as the kernel gives them, and the method
 * table.
 */
#include "os/os-private.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static int result(int returned)
{
	return returned < 0 ? -errno : returned;
}

static int real_open(hn_os *os, const char *path, int flags, mode_t mode)
{
	int fd;

	(void)os;
	do
		fd = open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
	while (fd < 0 && errno == EINTR);
	return result(fd);
}

static int real_close(hn_os *os, int fd)
{
	(void)os;
	/* Linux has released the descriptor also when it says EINTR. */
	return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

static ssize_t real_pread(hn_os *os, int fd, void *bytes, size_t size, off_t offset)
{
	size_t done = 0;

	(void)os;
	while (done < size) {
		ssize_t got = pread(fd, (char *)bytes + done, size - done, offset + (off_t)done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static ssize_t real_pwrite(hn_os *os, int fd, const void *bytes, size_t size, off_t offset)
{
	size_t done = 0;

	(void)os;
	while (done < size) {
		ssize_t put =
			pwrite(fd, (const char *)bytes + done, size - done, offset + (off_t)done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		if (put == 0)
			return -EIO;
		done += (size_t)put;
	}
	return (ssize_t)done;
}

static int real_fsync(hn_os *os, int fd)
{
	(void)os;
	/* Not retried: after a failed fsync the kernel may have dropped the dirty pages, and a
	 * second one would lie. */
	return result(fsync(fd));
}

static int real_truncate(hn_os *os, int fd, off_t size)
{
	int returned;

	(void)os;
	do
		returned = ftruncate(fd, size);
	while (returned < 0 && errno == EINTR);
	return result(returned);
}

static int real_fstat(hn_os *os, int fd, struct stat *status)
{
	(void)os;
	return result(fstat(fd, status));
}

static int real_stat(hn_os *os, const char *path, struct stat *status)
{
	(void)os;
	return result(lstat(path, status));
}

static int real_unlink(hn_os *os, const char *path)
{
	(void)os;
	return result(unlink(path));
}

static int real_rename(hn_os *os, const char *from, const char *to)
{
	(void)os;
	return result(rename(from, to));
}

static int real_mkdir(hn_os *os, const char *path, mode_t mode)
{
	(void)os;
	return result(mkdir(path, mode));
}

static int real_rmdir(hn_os *os, const char *path)
{
	(void)os;
	return result(rmdir(path));
}

static int real_list(
	hn_os *os, const char *path, int (*each)(void *arg, const char *name), void *arg)
{
	int fd = real_open(os, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	const struct dirent *found;
	DIR *directory;
	int code = 0;

	if (fd < 0)
		return fd;
	directory = fdopendir(fd);
	if (directory == NULL) {
		code = -errno;
		close(fd);
		return code;
	}
	while (code == 0) {
		errno = 0;
		found = readdir(directory);
		if (found == NULL) {
			code = -errno;
			break;
		}
		if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
			code = each(arg, found->d_name);
	}
	closedir(directory);
	return code;
}

static int real_sync_directory(hn_os *os, const char *path)
{
	int fd = real_open(os, path, O_RDONLY | O_DIRECTORY, 0);
	int code;

	if (fd < 0)
		return fd;
	code = real_fsync(os, fd);
	close(fd);
	return code;
}

static int real_lock(hn_os *os, int fd, short type, off_t start, off_t size)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = size};
	int returned;

	(void)os;
	do
		returned = fcntl(fd, F_OFD_SETLK, &lock);
	while (returned < 0 && errno == EINTR);
	if (returned < 0 && errno == EACCES)
		return -EAGAIN;
	return result(returned);
}

static int64_t real_clock(hn_os *os, hn_os_clock which)
{
	static const clockid_t ids[] = {
		[HN_OS_CLOCK_WALL] = CLOCK_REALTIME,
		[HN_OS_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
		[HN_OS_CLOCK_BOOT] = CLOCK_BOOTTIME,
		[HN_OS_CLOCK_CPU] = CLOCK_THREAD_CPUTIME_ID,
	};
	struct timespec now = {0};

	(void)os;
	clock_gettime(ids[which], &now);
	return (int64_t)now.tv_sec * OS_SECOND + now.tv_nsec;
}

static void real_sleep(hn_os *os, int64_t nanoseconds)
{
	struct timespec until;
	int64_t due;

	if (nanoseconds <= 0)
		return;
	if (__builtin_add_overflow(real_clock(os, HN_OS_CLOCK_MONOTONIC), nanoseconds, &due))
		due = INT64_MAX;
	until = (struct timespec){
		.tv_sec = (time_t)(due / OS_SECOND), .tv_nsec = (long)(due % OS_SECOND)};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static int real_random(hn_os *os, void *bytes, size_t size)
{
	size_t done = 0;

	(void)os;
	while (done < size) {
		ssize_t got = getrandom((char *)bytes + done, size - done, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		done += (size_t)got;
	}
	return 0;
}

static const hn_os_ops real_ops = {
	.size = sizeof(hn_os_ops),
	.open = real_open,
	.close = real_close,
	.pread = real_pread,
	.pwrite = real_pwrite,
	.fsync = real_fsync,
	.truncate = real_truncate,
	.fstat = real_fstat,
	.stat = real_stat,
	.unlink = real_unlink,
	.rename = real_rename,
	.mkdir = real_mkdir,
	.rmdir = real_rmdir,
	.list = real_list,
	.sync_directory = real_sync_directory,
	.lock = real_lock,
	.clock = real_clock,
	.sleep = real_sleep,
	.random = real_random,
	.spawn = os_real_spawn,
	.wait = os_real_wait,
	.kill = os_real_kill,
	.connect_unix = os_real_connect_unix,
	.poll = os_real_poll,
	.read = os_real_read,
	.write = os_real_write,
	.pipe = os_real_pipe,
	.clock_state = os_real_clock_state,
	.open_beneath = os_real_open_beneath,
};

hn_os *hn_os_real(void)
{
	static hn_os real = {.ops = &real_ops};

	return &real;
}
