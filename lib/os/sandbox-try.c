/* SPDX-License-Identifier: MIT
 *
 * The self-test of the sandbox: each forbidden call is tried by a process of its own. The arguments
 * are such that the kernel, where nobody stops the call, answers with another error than "no".
 */
#include "os/sandbox-private.h"
#include <errno.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The one directory that the tries leave open; writing to this file would rename the process. */
static const char open_directory[] = "/proc";
static const char open_file[] = "/proc/self/comm";

/* --- the tries: 0 or more when it went through, else -1 with errno --- */

static long try_open_outside(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static long try_write_read_only(void)
{
	return open(open_file, O_WRONLY | O_CLOEXEC);
}

static long try_network(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static long try_raw_packets(void)
{
	return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static long try_exec(void)
{
	char shell[] = "/bin/sh", option[] = "-c", command[] = "exit 0";
	char *arguments[] = {shell, option, command, NULL};

	return execve(shell, arguments, arguments + 3);
}

static long try_fork(void)
{
	long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (child == 0)
		_exit(0);
	return child;
}

static long try_trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long try_mount(void)
{
	return mount(NULL, NULL, NULL, 0, NULL);
}

static long try_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static long try_process_in_namespace(void)
{
	long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (child == 0)
		_exit(0);
	return child;
}

static long try_bpf(void)
{
	return syscall(SYS_bpf, -1, NULL, 0);
}

static long try_perf(void)
{
	return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0);
}

static long try_module(void)
{
	return syscall(SYS_init_module, NULL, 0UL, "");
}

/* More segments than there may be: one that got through must not unload what is loaded. */
static long try_kexec(void)
{
	return syscall(SYS_kexec_load, 0UL, 1UL << 20, NULL, 0UL);
}

/* Without its magic numbers. */
static long try_reboot(void)
{
	return syscall(SYS_reboot, 0, 0, 0, NULL);
}

static long try_clock(void)
{
	return syscall(SYS_clock_settime, CLOCK_REALTIME, NULL);
}

static long try_io_uring(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL);
}

static long try_keyring(void)
{
	return syscall(SYS_keyctl, -1, 0, 0, 0, 0);
}

static long try_other_memory(void)
{
	return process_vm_readv(getppid(), NULL, 0, NULL, 0, 0);
}

static long try_signal(void)
{
	return kill(getppid(), SIGURG); /* ignored by who does not ask for it */
}

static long try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static long try_make_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? 0 : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long try_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long try_terminal(void)
{
	return ioctl(-1, TIOCSTI, "");
}

static long try_limit(void)
{
	return syscall(SYS_prlimit64, 0, 0, "", NULL);
}

static long try_allowed(void)
{
	char *memory =
		mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -1;
	memory[0] = 1;
	return munmap(memory, 65536);
}

static long try_read(void)
{
	return open(open_file, O_RDONLY | O_CLOEXEC);
}

/* --- which of them, for whom --- */

enum { ALL, NOT_PROGRAMS, READERS };

typedef struct attempt {
	const char *name;
	long (*act)(void);
	int whose;
	bool needed; /* must go through */
} attempt;

static const attempt attempts[] = {
	{"memory, as anything needs it", try_allowed, ALL, true},
	{"reading a file that was given", try_read, READERS, true},
	{"open of a directory that was not given", try_open_outside, ALL, false},
	{"writing a file that was given to read", try_write_read_only, ALL, false},
	{"socket to the network", try_network, NOT_PROGRAMS, false},
	{"socket for raw packets", try_raw_packets, ALL, false},
	{"exec of a program that was not given", try_exec, ALL, false},
	{"fork", try_fork, NOT_PROGRAMS, false},
	{"ptrace", try_trace, ALL, false},
	{"mount", try_mount, ALL, false},
	{"user namespace", try_namespace, ALL, false},
	{"process in a user namespace", try_process_in_namespace, ALL, false},
	{"bpf", try_bpf, ALL, false},
	{"perf", try_perf, ALL, false},
	{"kernel module", try_module, ALL, false},
	{"kexec", try_kexec, ALL, false},
	{"reboot", try_reboot, ALL, false},
	{"setting the clock", try_clock, ALL, false},
	{"io_uring", try_io_uring, ALL, false},
	{"kernel keyring", try_keyring, ALL, false},
	{"memory of another process", try_other_memory, ALL, false},
	{"signal to another process", try_signal, NOT_PROGRAMS, false},
	{"new memory with code", try_code, NOT_PROGRAMS, false},
	{"making memory code", try_make_code, NOT_PROGRAMS, false},
	{"becoming dumpable again", try_dumpable, NOT_PROGRAMS, false},
	{"typing into a terminal", try_terminal, NOT_PROGRAMS, false},
	{"setting limits", try_limit, NOT_PROGRAMS, false},
};

static bool concerns(const attempt *one, const sandbox_profile *profile)
{
	if (one->whose == READERS)
		return (profile->sets & 1u << SANDBOX_SET_READ) != 0;
	return one->whose == ALL || (profile->flags & SANDBOX_PROGRAMS) == 0;
}

/* --- one process a try --- */

/* What the process says of itself: first when it is inside, then when it is still there after. */
typedef struct message {
	int code;
	hn_sandbox_report report;
	char text[160];
} message;
typedef struct answer {
	long result;
	int error;
} answer;

static _Noreturn void be_tried(hn_sandbox_profile profile, const attempt *one, int out)
{
	const char *const paths[] = {open_directory};
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;
	hn_error *err = NULL;
	message said = {0};
	answer reached;

	options.read_only = paths;
	options.read_only_count = 1;
	options.keep = &out;
	options.keep_count = 1;
	said.code = sandbox_apply(profile, &options, true, &said.report, &err);
	if (err != NULL)
		snprintf(said.text, sizeof(said.text), "%s", hn_error_message(err));
	if (write(out, &said, sizeof(said)) != (ssize_t)sizeof(said) || said.code < 0)
		_exit(1);
	errno = 0;
	reached.result = one->act();
	reached.error = errno;
	_exit(write(out, &reached, sizeof(reached)) == (ssize_t)sizeof(reached) ? 0 : 1);
}

static bool is_no(int error)
{
	return error == EPERM || error == EACCES || error == ENOSYS;
}

static void judge(const attempt *one, const answer *reached, int status, hn_sandbox_try *row)
{
	if (reached != NULL && reached->result < 0 && is_no(reached->error)) {
		row->outcome = HN_SANDBOX_DENIED;
		row->error_number = reached->error;
	} else if (reached != NULL || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
		row->outcome = HN_SANDBOX_ALLOWED; /* exec that went through ends well as well */
	} else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
		row->outcome = HN_SANDBOX_KILLED;
	} else {
		row->outcome = HN_SANDBOX_UNKNOWN;
		row->error_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	}
	row->held = one->needed ? row->outcome == HN_SANDBOX_ALLOWED
				: row->outcome == HN_SANDBOX_DENIED ||
					  row->outcome == HN_SANDBOX_KILLED;
}

static int collect(const attempt *one, int in, pid_t child, hn_sandbox_report *report,
	hn_sandbox_try *row, hn_error **err)
{
	hn_os *os = hn_os_real();
	message said = {.code = HN_EIO, .text = "it ended before it was inside"};
	answer reached;
	int status = 0;
	bool inside = os->ops->read(os, in, &said, sizeof(said)) == (ssize_t)sizeof(said) &&
		      said.code == 0;
	bool there = inside &&
		     os->ops->read(os, in, &reached, sizeof(reached)) == (ssize_t)sizeof(reached);
	int code = os->ops->wait(os, child, -1, &status);

	if (code < 0)
		return base_error_errno(err, "os", code, "cannot wait for the process of a try");
	if (!inside)
		return base_error(err, HN_ESANDBOX, "os", NULL,
			"no sandbox for a try could be made: %s", said.text);
	judge(one, there ? &reached : NULL, status, row);
	*report = said.report;
	return 0;
}

static int run(hn_sandbox_profile profile, const attempt *one, hn_sandbox_report *report,
	hn_sandbox_try *row, hn_error **err)
{
	int ends[2];
	pid_t child;
	int code;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return base_error_errno(err, "os", -errno, "cannot make a pipe for a try");
	/* The one place for a plain fork: the same process, with all that it holds, is to be tried.
	 * It has one thread, and ends without looking back. */
	child = fork();
	if (child == 0)
		be_tried(profile, one, ends[1]);
	close(ends[1]);
	code = child < 0 ? base_error(err, HN_EIO, "os", NULL, "cannot start a process for a try")
			 : collect(one, ends[0], child, report, row, err);
	close(ends[0]);
	return code;
}

static int refuse(const char *name, size_t count, hn_error **err)
{
	return base_error(err, HN_ESANDBOX, "os", NULL,
		"the sandbox does not hold here: %zu tries went wrong, the first is '%s'", count,
		name);
}

int hn_sandbox_selftest(hn_sandbox_profile profile, hn_sandbox_report *report,
	hn_sandbox_try_fn each, void *arg, hn_error **err)
{
	const sandbox_profile *known = sandbox_profile_of(profile);
	hn_sandbox_report reached = {.size = sizeof(reached)};
	const char *first = NULL;
	size_t wrong = 0;
	int code;

	if (known == NULL)
		return base_error(
			err, HN_EINVAL, "os", NULL, "%d is no sandbox profile", (int)profile);
	code = sandbox_alone(err);
	for (size_t i = 0; code == 0 && i < BASE_COUNT(attempts); i++) {
		const attempt *one = &attempts[i];
		hn_sandbox_try row = {.size = sizeof(row), .name = one->name};

		if (!concerns(one, known))
			continue;
		code = run(profile, one, &reached, &row, err);
		if (code == 0 && !row.held && wrong++ == 0)
			first = one->name;
		if (code == 0 && each != NULL)
			code = each(arg, &row);
	}
	if (code == 0 && wrong > 0)
		code = refuse(first, wrong, err);
	if (code == 0 && report != NULL)
		*report = reached;
	return code;
}
