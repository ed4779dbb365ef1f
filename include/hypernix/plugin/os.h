/* SPDX-License-Identifier: MIT
 *
 * The method table of the operating system. Weaker promise than the rest of the API: methods are
 * appended. Every method returns 0 or a count on success and -errno on failure. Paths are absolute.
 */
#ifndef HYPERNIX_PLUGIN_OS_H
#define HYPERNIX_PLUGIN_OS_H

#include <hypernix/base.h>
#include <sys/stat.h>
#include <sys/types.h>

/** The operating system as a table of methods. */
typedef struct hn_os hn_os;

/** Which clock is read. */
typedef enum hn_os_clock {
	HN_OS_CLOCK_WALL,      /* ns since 1970 */
	HN_OS_CLOCK_MONOTONIC, /* ns, stops in suspend */
	HN_OS_CLOCK_BOOT,      /* ns, runs in suspend */
	HN_OS_CLOCK_CPU,       /* ns of this thread's CPU time */
} hn_os_clock;

/** What the kernel says of its wall clock, read at one moment. */
typedef struct hn_os_clock_state {
	uint32_t size;
	bool synchronised;
	int64_t wall;     /* ns since 1970 */
	int64_t boot;     /* ns since the boot, runs in suspend */
	int64_t error;    /* ns: the true time is at most this far from `wall`, if synchronised */
	char boot_id[37]; /* another one after each boot; "" where it cannot be told */
} hn_os_clock_state;

/** A program to start: without a shell, and with no descriptors but these three. */
typedef struct hn_os_spawn {
	uint32_t size;
	/* argv[0] is an absolute path, or a name that is searched in a fixed PATH. */
	const char *const *argv;
	const char *const *environment; /* NULL: clean environment */
	int in, out, err;               /* -1: /dev/null */
} hn_os_spawn;

/** The methods; all are set. */
typedef struct hn_os_ops {
	uint32_t size;
	/* files */
	int (*open)(hn_os *os, const char *path, int flags, mode_t mode); /* O_CLOEXEC is implied */
	int (*close)(hn_os *os, int fd);
	/* pread: fewer bytes only at the end of the file. pwrite: all of them, or an error and an
	 * unknown part written. */
	ssize_t (*pread)(hn_os *os, int fd, void *bytes, size_t size, off_t offset);
	ssize_t (*pwrite)(hn_os *os, int fd, const void *bytes, size_t size, off_t offset);
	int (*fsync)(hn_os *os, int fd);
	int (*truncate)(hn_os *os, int fd, off_t size);
	int (*fstat)(hn_os *os, int fd, struct stat *status);
	/* Does not follow a last symlink. */
	int (*stat)(hn_os *os, const char *path, struct stat *status);
	int (*unlink)(hn_os *os, const char *path);
	int (*rename)(hn_os *os, const char *from, const char *to);
	int (*mkdir)(hn_os *os, const char *path, mode_t mode);
	int (*rmdir)(hn_os *os, const char *path);
	/* Without "." and ".."; a last symlink is not followed. A non-zero answer of `each` ends
	 * the walk and is returned. */
	int (*list)(
		hn_os *os, const char *path, int (*each)(void *arg, const char *name), void *arg);
	int (*sync_directory)(hn_os *os, const char *path);
	/* OFD record lock: type F_RDLCK, F_WRLCK, F_UNLCK; -EAGAIN when held elsewhere. */
	int (*lock)(hn_os *os, int fd, short type, off_t start, off_t size);
	/* time and chance */
	int64_t (*clock)(hn_os *os, hn_os_clock which);
	void (*sleep)(hn_os *os, int64_t nanoseconds);
	int (*random)(hn_os *os, void *bytes, size_t size);
	/* processes: each in a process group of its own, so that kill(-pid) reaches what it
	 * started; status as in waitpid(2) */
	int (*spawn)(hn_os *os, const hn_os_spawn *what, pid_t *pid);
	/* -ETIMEDOUT after timeout ns, -1 = for ever; status may be NULL. */
	int (*wait)(hn_os *os, pid_t pid, int64_t timeout, int *status);
	int (*kill)(hn_os *os, pid_t pid, int signal);
	/* sockets */
	int (*connect_unix)(hn_os *os, const char *path); /* stream, non-blocking */
	/* -ETIMEDOUT after timeout ns; events as in poll(2) */
	int (*poll)(hn_os *os, int fd, short events, int64_t timeout);
	ssize_t (*read)(hn_os *os, int fd, void *bytes, size_t size);
	/* Never raises SIGPIPE. */
	ssize_t (*write)(hn_os *os, int fd, const void *bytes, size_t size);
	int (*pipe)(hn_os *os, int ends[2]); /* read end, write end */
	/* time again, and files whose names are not trusted */
	int (*clock_state)(hn_os *os, hn_os_clock_state *state);
	/* Like open, of a relative path that must not leave the directory: no "..", no symlink in
	 * the path, the last one included, gets out or anywhere. -EXDEV, -ELOOP */
	int (*open_beneath)(
		hn_os *os, const char *directory, const char *path, int flags, mode_t mode);
} hn_os_ops;

/** What a method table works on: the table is first, the state of the implementation follows. */
struct hn_os {
	const hn_os_ops *ops;
};

#endif
