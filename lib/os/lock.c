/* SPDX-License-Identifier: MIT
 *
 * An exclusive lock on a file that says who holds it. The lock belongs to the open file (OFD), so
 * the kernel drops it when the holder dies, however it dies.
 */
#include "os/os-private.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_SIZE = 256, READ_TRIES = 5 };
#define BACK_OFF_FIRST INT64_C(50000000)
#define BACK_OFF_LAST INT64_C(500000000)
#define READ_AGAIN INT64_C(10000000)

struct os_lock {
	hn_os *os;
	int fd;
};

/* "-" where there is none, as on a simulated system. */
static void boot_id(hn_os *os, char out[40])
{
	char *text BASE_AUTO_FREE = NULL;

	snprintf(out, 40, "-");
	if (os_read_file(os, "/proc/sys/kernel/random/boot_id", 64, &text, NULL, NULL) == 0)
		snprintf(out, 40, "%.*s", (int)strcspn(text, "\n"), text);
}

static int write_holder(hn_os *os, int fd, const char *path, const char *program, hn_error **err)
{
	char text[TEXT_SIZE];
	char boot[40];
	ssize_t put;
	int code;

	boot_id(os, boot);
	snprintf(text, sizeof(text), "%ld %s %.63s %lld\n", (long)getpid(), boot, program,
		(long long)os_now(os));
	code = os->ops->truncate(os, fd, 0);
	if (code < 0)
		return base_error_errno(err, "os", code, "cannot write the lock file %s", path);
	put = os->ops->pwrite(os, fd, text, strlen(text), 0);
	/* On a full disk it is locked all the same; only nobody is told by whom. */
	if (put < 0 && put != -ENOSPC && put != -EDQUOT)
		return base_error_errno(err, "os", (int)put, "cannot write the lock file %s", path);
	return 0;
}

/* "pid boot-id program since"; the program's name may hold spaces. The text is cut up in place. */
static bool parse_holder(char *text, long *pid, char boot[40], char **program, long long *since)
{
	int start = 0;
	char *last;

	if (sscanf(text, "%ld %39s %n", pid, boot, &start) != 2 || start == 0)
		return false;
	*program = text + start;
	last = strrchr(*program, ' ');
	if (last == NULL || sscanf(last, "%lld", since) != 1)
		return false;
	*last = '\0';
	return true;
}

/* A text that a holder which died left behind: whoever has the lock now has not written yet. */
static bool is_left_behind(hn_os *os, long pid, const char *boot)
{
	char now[40];

	if (strcmp(boot, "-") == 0)
		return false; /* nothing can be told */
	boot_id(os, now);
	return strcmp(boot, now) != 0 || pid < 1 || os->ops->kill(os, (pid_t)pid, 0) == -ESRCH;
}

/* The holder locks first and then writes who it is: a text that is not there yet soon is. */
static bool read_holder(
	hn_os *os, int fd, char text[TEXT_SIZE], long *pid, char **program, long long *since)
{
	char boot[40];

	for (int tries = 0; tries < READ_TRIES; tries++) {
		ssize_t got = os->ops->pread(os, fd, text, TEXT_SIZE - 1, 0);

		text[got > 0 ? got : 0] = '\0';
		if (parse_holder(text, pid, boot, program, since) &&
			!is_left_behind(os, *pid, boot))
			return true;
		if (got < 0)
			break;
		os->ops->sleep(os, READ_AGAIN);
	}
	return false;
}

/* The text is only a help for people: what cannot be read is left out. */
static int busy(hn_os *os, int fd, const char *path, hn_error **err)
{
	char text[TEXT_SIZE], quoted[BASE_QUOTE_SIZE];
	char *program;
	long long since;
	long pid;
	int code;

	if (!read_holder(os, fd, text, &pid, &program, &since))
		return base_error(err, HN_EBUSY, "os", "try again, or wait",
			"%s is locked by another process", path);
	base_quote(quoted, program, strlen(program));
	code = base_error(err, HN_EBUSY, "os", "wait for it to end",
		"%s is locked by %s, process %ld", path, quoted, pid);
	base_error_fact_number(err, "pid", pid);
	base_error_fact(err, "program", quoted);
	base_error_fact_number(err, "since", since);
	return code;
}

/* 1 locked, 0 held elsewhere or the file was replaced under us, < 0 failed. */
static int try_lock(hn_os *os, int fd, const char *path, hn_error **err)
{
	struct stat opened, named;
	int code = os->ops->lock(os, fd, F_WRLCK, 0, 0);

	if (code == -EAGAIN)
		return 0;
	if (code < 0)
		return base_error_errno(err, "os", code, "cannot lock %s", path);
	code = os->ops->fstat(os, fd, &opened);
	if (code < 0)
		return base_error_errno(err, "os", code, "cannot look at %s", path);
	code = os->ops->stat(os, path, &named);
	if (code < 0 && code != -ENOENT)
		return base_error_errno(err, "os", code, "cannot look at %s", path);
	/* A lock on a file that lost its name keeps nobody out. */
	return code == 0 && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/* Opens and tries once: the descriptor when locked; -1 and 0 in *code when it is to be tried again.
 */
static int open_and_try(
	hn_os *os, const char *path, const char *program, bool last, int *code, hn_error **err)
{
	int fd = os->ops->open(os, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);

	if (fd < 0) {
		*code = base_error_errno(err, "os", fd, "cannot open the lock file %s", path);
		return -1;
	}
	*code = try_lock(os, fd, path, err);
	if (*code == 1) {
		*code = write_holder(os, fd, path, program, err);
		if (*code == 0)
			return fd;
	} else if (*code == 0 && last) {
		*code = busy(os, fd, path, err);
	}
	os->ops->close(os, fd);
	return -1;
}

int os_lock_take(hn_os *os, const char *path, const char *program, int64_t wait, hn_cancel *cancel,
	os_lock **lock, hn_error **err)
{
	int64_t start = os_monotonic(os);
	int64_t back_off = BACK_OFF_FIRST;
	os_lock *made BASE_AUTO_FREE = base_calloc(1, sizeof(*made));

	if (made == NULL)
		return base_nomem(err);
	for (;;) {
		int64_t left = wait < 0 ? INT64_MAX : wait - (os_monotonic(os) - start);
		int code;

		if (hn_cancel_triggered(cancel))
			return base_error(err, HN_ECANCELLED, "os", NULL,
				"cancelled while waiting for %s", path);
		made->fd = open_and_try(os, path, program, left <= 0, &code, err);
		if (made->fd >= 0) {
			made->os = os;
			*lock = BASE_STEAL(made);
			return 0;
		}
		if (code < 0)
			return code;
		os->ops->sleep(os, back_off < left ? back_off : left);
		back_off = back_off * 2 < BACK_OFF_LAST ? back_off * 2 : BACK_OFF_LAST;
	}
}

void os_lock_release(os_lock *lock)
{
	if (lock == NULL)
		return;
	/* The next holder must not be taken for this one until it has written. */
	(void)lock->os->ops->truncate(lock->os, lock->fd, 0);
	lock->os->ops->close(lock->os, lock->fd);
	base_free(lock);
}
