/* SPDX-License-Identifier: MIT
 *
 * Whole-file helpers over the method table, and the epoll loop.
 */
#ifndef OS_PRIVATE_H
#define OS_PRIVATE_H

#include "base/base-private.h"
#include <fcntl.h>
#include <hypernix/os.h>
#include <hypernix/plugin/os.h>

#define OS_SECOND INT64_C(1000000000)

/* All of a file, NUL after the end; refuses more than `limit` bytes (HN_ELIMIT) before reading
 * them, directories, and devices. */
int os_read_file(
	hn_os *os, const char *path, uint64_t limit, char **bytes, size_t *size, hn_error **err);
/* Replaces a file so that after a crash the old or the new content is there: temporary, fsync,
 * rename, fsync directory. */
int os_write_file(
	hn_os *os, const char *path, const void *bytes, size_t size, mode_t mode, hn_error **err);
int os_mkdirs(hn_os *os, const char *path, mode_t mode, hn_error **err);
int os_remove_tree(hn_os *os, const char *path,
	hn_error **err); /* never follows a symlink; success when absent */
bool os_exists(hn_os *os, const char *path);
/* The same where it matters why it could not be told: 1, 0, or an error. */
int os_look(hn_os *os, const char *path, hn_error **err);
int64_t os_now(hn_os *os);       /* wall, ns */
int64_t os_monotonic(hn_os *os); /* ns */
int os_random(hn_os *os, void *bytes, size_t size, hn_error **err);
int os_uuid(hn_os *os, char out[37], hn_error **err); /* random, version 4, lower case */

/* --- the clock, as rules about time need it --- */

/* The true time is in [earliest, latest] as far as the kernel can tell. */
typedef struct os_interval {
	int64_t earliest, latest; /* ns since 1970 */
	int64_t wall;             /* ns since 1970: what the clock shows */
	int64_t boottime;         /* ns since the boot, runs in suspend */
	char boot_id[37];         /* "" where it cannot be told */
	bool synchronised;
} os_interval;
void os_clock_interval(hn_os *os, os_interval *interval);

/* The highest wall time seen so far, and when in which boot that was. All zero: none yet. */
typedef struct os_clock_mark {
	int64_t wall;
	int64_t boottime;
	char boot_id[37];
} os_clock_mark;
typedef enum os_clock_verdict {
	OS_CLOCK_OK,
	OS_CLOCK_BEHIND,  /* suspect: more than 5 s below the mark */
	OS_CLOCK_STEPPED, /* suspect: moved by more than 5 s against the time since the boot */
} os_clock_verdict;
/* Pure. `by`: how far in ns, negative = back; may be NULL; 0 for OS_CLOCK_OK. */
os_clock_verdict os_clock_judge(const os_clock_mark *mark, const os_interval *now, int64_t *by);
const char *os_clock_reason(os_clock_verdict verdict); /* static text */
/* Lets the mark rise to `now`; a suspect clock leaves it. */
void os_clock_advance(os_clock_mark *mark, const os_interval *now);

/* --- who is on the other side --- */

/* Of the process that connected a Unix socket, as it was then (SO_PEERCRED). */
typedef struct os_peer_ids {
	pid_t pid;
	uid_t uid;
	gid_t gid;
} os_peer_ids;
int os_peer(int fd, os_peer_ids *peer, hn_error **err);
#define OS_LOGIN_UNSET UINT32_MAX
/* The user who logged in, whatever sudo or su came after; OS_LOGIN_UNSET when nobody did or the
 * kernel does not say. pid 0: this process. */
uint32_t os_login_uid(hn_os *os, pid_t pid);

/* A file whose name is not trusted: `path` is relative, and neither it nor a symlink in it may
 * leave `directory` (which is trusted; it too is no symlink). Links are not followed at all.
 * O_NOFOLLOW, O_NONBLOCK and O_CLOEXEC are implied; only regular files and directories open. The
 * descriptor, or HN_EDENIED when the path would leave; else as os_read_file. */
int os_open_beneath(
	hn_os *os, const char *directory, const char *path, int flags, mode_t mode, hn_error **err);

/* What is there under such a name, a symlink itself included, and what a symlink says: its size;
 * without a NUL. 0 or -errno; -ENAMETOOLONG when it does not fit into less than `room` bytes. */
int os_look_beneath(hn_os *os, const char *directory, const char *path, struct stat *status);
int os_link_beneath(hn_os *os, const char *directory, const char *path, char *target, size_t room);

/* The absolute path that it leads to: without links as far as it is there, what is not there as it
 * is written, without "//" and "/./". The simulated system has no links. *resolved is the caller's
 * (base_free). HN_EINVAL when it is not absolute. */
int os_resolve(hn_os *os, const char *path, char **resolved, hn_error **err);

/* Memory that only a descriptor leads to: it is not mapped, so no core file has it. Real system
 * only; what is sealed cannot be changed by anybody. */
#define OS_MEMORY_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
int os_memory_new(int *fd, hn_error **err); /* the caller closes it */
int os_memory_write(int fd, const void *bytes, size_t size, hn_error **err); /* behind the last */
int os_memory_seal(int fd, hn_error **err);

/* An exclusive lock file with the text "pid boot-id program since-ns". Busy: HN_EBUSY with facts
 * pid, program, since. wait < 0: for ever; 0: at once; else ns. Retries with 50-500 ms back-off;
 * heeds cancel. */
typedef struct os_lock os_lock;
int os_lock_take(hn_os *os, const char *path, const char *program, int64_t wait, hn_cancel *cancel,
	os_lock **lock, hn_error **err);
void os_lock_release(os_lock *lock); /* NULL is fine; the file stays, unlocked */
BASE_AUTO(os_lock, os_lock_release)

/* Runs a program to its end; output (stdout and stderr together, may be NULL) up to the limit
 * RUN_OUTPUT_BYTES, the rest is dropped. exit_status: 0..255, or 128 + the signal that ended it.
 * timeout in ns, < 0: none; then HN_ETIMEOUT and it is killed. */
int os_run(hn_os *os, const char *const *argv, int64_t timeout, int *exit_status, char **output,
	hn_error **err);

/* epoll loop on the real system: one thread; callbacks on step. */
typedef struct os_loop os_loop;
typedef void (*os_loop_fn)(void *arg, uint32_t events);
int os_loop_new(os_loop **loop, hn_error **err);
void os_loop_free(os_loop *loop);
int os_loop_add(os_loop *loop, int fd, uint32_t events, os_loop_fn fn, void *arg, hn_error **err);
void os_loop_remove(os_loop *loop, int fd);
int os_loop_timer(os_loop *loop, int64_t due_monotonic, void (*fn)(void *arg), void *arg,
	uint64_t *id, hn_error **err);
void os_loop_timer_cancel(os_loop *loop, uint64_t id);
/* Waits up to timeout ns (< 0: for ever) and handles what is due; the number of callbacks. A signal
 * may end it early with 0. */
int os_loop_step(os_loop *loop, int64_t timeout, hn_error **err);
void os_loop_wake(os_loop *loop); /* ends a step that waits; any thread, async-signal-safe */
int os_loop_fd(const os_loop *loop);
BASE_AUTO(os_loop, os_loop_free)

/* Methods of the real system that are not in real.c; only its table uses them. */
int os_real_spawn(hn_os *os, const hn_os_spawn *what, pid_t *pid);
int os_real_wait(hn_os *os, pid_t pid, int64_t timeout, int *status);
int os_real_kill(hn_os *os, pid_t pid, int signal);
int os_real_pipe(hn_os *os, int ends[2]);
int os_real_connect_unix(hn_os *os, const char *path);
int os_real_poll(hn_os *os, int fd, short events, int64_t timeout);
ssize_t os_real_read(hn_os *os, int fd, void *bytes, size_t size);
ssize_t os_real_write(hn_os *os, int fd, const void *bytes, size_t size);
int os_real_clock_state(hn_os *os, hn_os_clock_state *state);
int os_real_open_beneath(
	hn_os *os, const char *directory, const char *path, int flags, mode_t mode);

#endif
