/* SPDX-License-Identifier: MIT
 *
 * Real guests through the machine room itself: machine SCENARIO ROOT GUEST prints `ok NAME` and
 * `not ok NAME why`. tests/e2e/machine-*.sh run the scenarios.
 */
#include "machine-world.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The number in a file of the unit's cgroup, past all our code. */
static long long kernel_number(const char *v1, const char *v2)
{
	char path[512];
	long long number = -1;
	FILE *file;

	snprintf(path, sizeof(path), "%s/hypernix/%s/%s", m->cgroup.cpu, UUID,
		m->cgroup.version == 2 ? v2 : v1);
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	if (fscanf(file, "%lld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

static mode_t mode_of(const char *name)
{
	char path[512];
	struct stat status;

	snprintf(path, sizeof(path), "%s/unit/%s/%s", root, UUID, name);
	return stat(path, &status) == 0 ? status.st_mode & 0777 : 0;
}

static bool unit_dir_exists(void)
{
	char path[256];

	machine_unit_dir(root, UUID, path);
	return access(path, F_OK) == 0;
}

/* Until the descriptor's bytes hold `word`. */
static bool hears(int fd, const char *word, int ms)
{
	static char seen[1 << 16];
	size_t size = 0;
	int64_t end = os_monotonic(hn_os_real()) + (int64_t)ms * 1000000;

	while (os_monotonic(hn_os_real()) < end && size < sizeof(seen) - 1) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		ssize_t got;

		if (poll(&wait, 1, (int)((end - os_monotonic(hn_os_real())) / 1000000) + 1) <= 0)
			return false;
		got = read(fd, seen + size, sizeof(seen) - 1 - size);
		if (got <= 0)
			return false;
		size += (size_t)got;
		seen[size] = '\0';
		if (strstr(seen, word) != NULL)
			return true;
	}
	return false;
}

static void check_boot(const machine_boot *boot)
{
	int64_t cpu = 0;
	bool ordered = boot->count >= 3;

	for (size_t i = 0; i < boot->count; i++)
		cpu += boot->phase[i].cpu;
	ordered = ordered && strcmp(boot->phase[0].name, "define") == 0 &&
		  strcmp(boot->phase[boot->count - 1].name, "userspace") == 0;
	report(boot->ready && ordered, "boot-phases-in-order", "");
	report(cpu > MACHINE_SECOND / 10, "boot-cpu-is-measured", "");
}

static void check_weight(void)
{
	hn_view *view = view_of("", ", \"compute.units\": 400, \"compute.limit\": 150");
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_UPDATE);
	hn_error *err = NULL;

	if (m->cgroup.version == 0) {
		printf("skip weight-in-the-kernel %s\n", m->cgroup.why_not);
		hn_view_unref(view);
		return;
	}
	report(kernel_number("cpu.shares", "cpu.weight") == (m->cgroup.version == 2 ? 60 : 614),
		"weight-at-start-is-in-the-kernel", "");
	gave("units-hot", machine_change(&may, m, &unit, "compute.units", "60", "400", &err), 0,
		err);
	report(kernel_number("cpu.shares", "cpu.weight") == (m->cgroup.version == 2 ? 400 : 4096),
		"weight-hot-is-in-the-kernel", "");
	err = NULL;
	gave("limit-hot", machine_change(&may, m, &unit, "compute.limit", "none", "150", &err), 0,
		err);
	report(kernel_number("cpu.cfs_quota_us", "cpu.max") == 150000, "limit-hot-is-in-the-kernel",
		"");
	see_weight("400", "150");
	hn_view_unref(view);
}

static int open_console(const machine_options *options, int *fd, os_lock **held, hn_error **err)
{
	base_permit may = permit(HN_VERB_UNIT_CONSOLE);

	return machine_console_open(&may, hn_os_real(), options, "e2e", UUID, fd, held, err);
}

static void check_console(void)
{
	char log[65536];
	machine_options options = {.root = root, .program = "e2e"};
	os_lock *held = NULL;
	int first = -1, second = -1;
	int64_t got;
	hn_error *err = NULL;

	if (!gave("console-opens", open_console(&options, &first, &held, &err), 0, err))
		return;
	report(hears(first, "HB ", 120000), "console-is-heard", "");
	report(write(first, "hello\n", 6) == 6 && hears(first, "HN-ECHO hello", 120000),
		"console-answers", "");
	err = NULL;
	gave("console-second-client-is-told", open_console(&options, &second, &held, &err),
		HN_EBUSY, err);
	close(first);
	os_lock_release(held);
	err = NULL;
	gave("console-second-client-connects", open_console(&options, &second, &held, &err), 0,
		err);
	report(hears(second, "HB ", 120000), "console-second-client-is-next", "");
	close(second);
	os_lock_release(held);
	got = machine_log_read(hn_os_real(), root, UUID, 0, log, sizeof(log) - 1, NULL);
	log[got > 0 ? got : 0] = '\0';
	report(strstr(log, "HN-INIT") != NULL, "console-log-has-it-all", "");
}

/* Start, READY, weight, console, stop over the port, nothing left. */
/* What a file of the process has after a word; "" when that is not there. */
static void after_word(pid_t pid, const char *name, const char *word, char text[64])
{
	char path[64], *bytes = NULL, *found;
	size_t size = 0, skip = strlen(word) + 1; /* and what parts it from the value */

	text[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if (os_read_file(hn_os_real(), path, 1 << 20, &bytes, &size, NULL) < 0)
		return;
	found = memmem(bytes, size, word, skip - 1);
	if (found != NULL && found + skip < bytes + size) /* bytes end with a NUL of their own */
		snprintf(text, 64, "%s", found + skip);
	base_free(bytes);
}

/* The fact says how QEMU was started, and then the kernel filters its calls: 2. */
static void check_fence(pid_t pid)
{
	const char *fact = "none";
	char given[64], mode[64];
	bool on;
	hn_fact each;

	for (size_t i = 0; machine_fact_at(m, i, &each) == 0; i++)
		if (strcmp(each.name, "seccomp") == 0)
			fact = each.text;
	on = strcmp(fact, "on") == 0;
	after_word(pid, "cmdline", "-sandbox", given);
	after_word(pid, "status", "Seccomp:", mode);
	report(on ? strncmp(given, "on,", 3) == 0 && mode[0] == '2'
		  : strcmp(fact, "off") == 0 && strncmp(given, "on", 2) != 0,
		"filter-is-as-the-fact-says", fact);
}

static void life(void)
{
	hn_view *view = view_of("", ", \"compute.units\": 60");
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_CREATE);
	hn_stop_result stopped = {0};
	machine_boot boot;
	machine_real *real;
	hn_error *err = NULL;
	char *type = NULL;

	must_open();
	gave("check", machine_check(m, &unit, &err), 0, err);
	err = NULL;
	gave("define", machine_define(&may, m, &unit, &type, &err), 0, err);
	report(type != NULL && strncmp(type, "pc-q35-", 7) == 0, "machine-type-is-canonical",
		type == NULL ? "" : type);
	base_free(type);
	err = NULL;
	if (!gave("start-to-ready", start_unit(view, HN_WAIT_READY, 0, &boot, &err), 0, err))
		return;
	check_boot(&boot);
	err = NULL;
	gave("start-again-is-success", start_unit(view, HN_WAIT_READY, 0, &boot, &err), 1, err);
	real = look();
	report(real->status == HN_UNIT_RUNNING && real->ready == 1 && real->pid > 1,
		"observed-running", "");
	check_fence(real->pid);
	machine_real_free(real);
	report(mode_of("console.sock") == 0600 && mode_of("unit.sock") == 0600 &&
			mode_of("console.log") == 0600,
		"files-are-private", "");
	check_weight();
	check_console();
	err = NULL;
	gave("stop", stop_unit(PATIENCE, false, &stopped, &err), 0, err);
	report(stopped.was_running && !stopped.forced && strcmp(stopped.detail, "shutdown") == 0,
		"stop-was-graceful", "");
	report(m->cgroup.version == 0 || kernel_number("cpu.shares", "cpu.weight") == -1,
		"cgroup-is-gone", "");
	err = NULL;
	gave("undefine", undefine_unit(&err), 0, err);
	report(!unit_dir_exists(), "unit-directory-is-gone", "");
	gave("nothing-to-sweep", machine_sweep(m, NULL, 0, true, NULL), 0, NULL);
	hn_view_unref(view);
	close_machine();
}

/* In a process of its own: starts the unit and leaves without closing anything. */
static void starter(void)
{
	hn_view *view = view_of("", "");

	must_open();
	must_start(view);
	_exit(0);
}

static int run_self(const char *scenario)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		execl(self, self, scenario, root, guest, (char *)NULL);
		_exit(127);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void leaver(void)
{
	must_open();
	_exit(0);
}

static void destroyer(void)
{
	must_open();
	_exit(stop_unit(0, true, NULL, NULL) == 0 ? 0 : 1);
}

static bool alive(pid_t pid)
{
	return pid > 1 && machine_process_check(hn_os_real(), pid, UUID) != 0;
}

/* As a starter that was killed between create and resume leaves it. */
static void halfway(void)
{
	hn_view *view = view_of("", ", \"compute.units\": 60");
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_CREATE);
	char dir[256];
	hn_error *err = NULL;

	must_open();
	machine_unit_dir(root, UUID, dir);
	if (machine_define(&may, m, &unit, NULL, &err) < 0 ||
		m->ops->start(m, UUID, true, &err) < 0)
		die("halfway", err);
	_exit(0);
}

static void half(void)
{
	hn_view *view = view_of("", ", \"compute.units\": 60");
	hn_error *err = NULL;
	machine_real *real;

	report(run_self("halfway") == 0, "starter-killed-before-resume", "");
	must_open();
	/* The open has ended what never ran. */
	gave("next-start-starts-it", start_unit(view, HN_WAIT_READY, 0, NULL, &err), 0, err);
	real = look();
	report(real->ready == 1 && (m->cgroup.version == 0 || !real->unenforced) &&
			(m->cgroup.version == 0 ||
				strcmp(live_value(real, "compute.units"), "60") == 0),
		"and-its-weight-is-in-force", live_value(real, "compute.units"));
	machine_real_free(real);
	away();
	gave("nothing-stays", machine_sweep(m, NULL, 0, true, NULL), 0, NULL);
	hn_view_unref(view);
}

/* What the run file says, without opening anything. */
static pid_t pid_of_run(void)
{
	machine_run run = {0};

	return machine_run_load(hn_os_real(), root, UUID, &run) == 0 ? run.pid : 0;
}

static void see_ready(void)
{
	machine_real *real;

	must_open();
	real = look();
	_exit(real->status == HN_UNIT_RUNNING && real->ready == 1 && real->pid == pid_of_run() ? 0
											       : 1);
}

static void reopen(void)
{
	int rounds = getenv("HYPERNIX_LONG") != NULL ? 20 : 3, well = 0;
	pid_t pid;

	report(run_self("starter") == 0, "starter-left-without-closing", "");
	pid = pid_of_run();
	report(alive(pid), "guest-outlives-its-starter", "");
	report(run_self("see-ready") == 0, "same-guest-is-found-ready", "");
	for (int i = 0; i < rounds; i++)
		well += run_self("leaver") == 0 && alive(pid);
	report(well == rounds, "leaving-at-once-after-open-keeps-the-guest", "");
	well = 0;
	for (int i = 0; i < rounds; i++) {
		if (i > 0 && run_self("starter") != 0)
			break;
		well += run_self("destroyer") == 0;
	}
	report(well == rounds, "destroying-at-once-after-open-works", "");
	report(!alive(pid), "the-first-guest-is-gone", "");
	report(run_self("see-clean") == 0, "nothing-stays", "");
}

static void deaf(void)
{
	hn_view *view = view_of(", \"hn.deaf\"", "");
	hn_stop_result stopped = {0};
	hn_error *err = NULL;

	must_open();
	must_start(view);
	gave("stop-of-a-deaf-guest", stop_unit(MACHINE_SECOND, false, &stopped, &err), 0, err);
	report(stopped.forced && strcmp(stopped.detail, "destroyed") == 0, "stop-was-forced",
		stopped.detail);
	undefine_unit(NULL);
	hn_view_unref(view);
	close_machine();
}

/* Nobody listens yet when it is asked to stop. */
static void booting(void)
{
	hn_view *view = view_of("", "");
	hn_stop_result stopped = {0};
	hn_error *err = NULL;
	int64_t begun;

	must_open();
	if (!gave("start-without-waiting", start_unit(view, HN_WAIT_NONE, 0, NULL, &err), 0, err))
		return;
	begun = os_monotonic(hn_os_real());
	gave("stop-of-a-booting-guest", stop_unit(2 * PATIENCE, false, &stopped, &err), 0, err);
	report(!stopped.forced && strcmp(stopped.detail, "shutdown") == 0,
		"it-stopped-when-it-listened", stopped.detail);
	report(os_monotonic(hn_os_real()) - begun < PATIENCE, "long-before-its-grace-was-over", "");
	away();
	hn_view_unref(view);
	close_machine();
}

/* A handle after another in one process, and the guest of the first one. */
static void twice(void)
{
	hn_view *view = view_of("", "");
	hn_error *err = NULL;
	machine_real *real;

	must_open();
	must_start(view);
	close_machine();
	if (!gave("second-handle-of-one-process", open_machine(&err), 0, err))
		return;
	real = look();
	report(real->status == HN_UNIT_RUNNING && real->ready == 1, "finds-the-guest", "");
	machine_real_free(real);
	err = NULL;
	gave("and-stops-it", stop_unit(PATIENCE, false, NULL, &err), 0, err);
	away();
	close_machine();
	err = NULL;
	if (gave("and-a-third", open_machine(&err), 0, err))
		close_machine();
	hn_view_unref(view);
}

/* A disk outlives its unit, and is private; what its image names is not followed. */
static void disk(void)
{
	hn_view *view = view_of("", ", \"disks.data.size\": \"64Mi\"");
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_CREATE), remove = permit(HN_VERB_UNIT_DELETE);
	hn_error *err = NULL;

	must_open();
	gave("define-with-a-disk", machine_define(&may, m, &unit, NULL, &err), 0, err);
	report(mode_of("data.qcow2") == 0600, "disk-is-private", "");
	name_backing(80);
	gave("image-with-a-backing-file-beforehand", machine_check(m, &unit, NULL), HN_ENOSUP,
		NULL);
	gave("image-with-a-backing-file", start_unit(view, HN_WAIT_READY, 0, NULL, NULL), HN_ENOSUP,
		NULL);
	name_backing(0);
	err = NULL;
	gave("image-that-stands-alone", start_unit(view, HN_WAIT_READY, 0, NULL, &err), 0, err);
	gave("stop", stop_unit(0, true, NULL, NULL), 0, NULL);
	gave("undefine", undefine_unit(NULL), 0, NULL);
	report(mode_of("data.qcow2") == 0600, "undefine-keeps-the-disk", "");
	gave("sweep-keeps-it-too", machine_sweep(m, NULL, 0, false, NULL), 0, NULL);
	report(mode_of("data.qcow2") == 0600, "and-it-is-there", "");
	err = NULL;
	gave("disks-remove", machine_disks_remove(&remove, m, UUID, &err), 0, err);
	report(!unit_dir_exists(), "then-it-is-gone", "");
	hn_view_unref(view);
	close_machine();
}

static void note_crash(void *arg, const machine_event *event)
{
	if (event->status == HN_UNIT_CRASHED)
		*(bool *)arg = true;
}

static void crash(void)
{
	hn_view *view = view_of("", "");
	machine_real *real;
	bool seen = false;
	int64_t begun;

	must_open();
	must_start(view);
	while (machine_step(m, 0, NULL, NULL, NULL) > 0)
		;
	real = look();
	kill(real->pid, SIGKILL);
	machine_real_free(real);
	begun = os_monotonic(hn_os_real());
	while (!seen && os_monotonic(hn_os_real()) - begun < PATIENCE)
		machine_step(m, MACHINE_SECOND, note_crash, &seen, NULL);
	report(seen, "killed-qemu-is-a-crash-event", "");
	real = look();
	report(real->status == HN_UNIT_CRASHED && real->pid == 0, "killed-qemu-is-observed",
		hn_unit_status_name(real->status));
	machine_real_free(real);
	must_start(view);
	report(true, "started-again-after-the-crash", "");
	away();
	hn_view_unref(view);
	close_machine();
}

static int run_virsh(const char *command)
{
	char line[600];

	snprintf(line, sizeof(line), "%s %s %s >/dev/null 2>&1", getenv("HYPERNIX_VIRSH"), root,
		command);
	return system(line);
}

/* Does what is there differ from what should be, in this key? */
static bool drifted(const hn_view *view, const char *key)
{
	machine_unit unit = unit_of(view);
	machine_real *expected = NULL, *real = look();
	bool differs = false;

	if (machine_expect(m, &unit, &expected, NULL) < 0)
		die("expect", NULL);
	for (size_t i = 0; i < expected->count; i++)
		for (size_t j = 0; j < real->count; j++)
			if (strcmp(expected->values[i].key, real->values[j].key) == 0 &&
				(key == NULL || strcmp(key, real->values[j].key) == 0))
				differs = differs || real->values[j].persistent == NULL ||
					  strcmp(expected->values[i].persistent,
						  real->values[j].persistent) != 0 ||
					  (real->values[j].live != NULL &&
						  strcmp(expected->values[i].persistent,
							  real->values[j].live) != 0);
	machine_real_free(real);
	machine_real_free(expected);
	return differs;
}

#define SPARE_VCPU ", \"compute.vcpus-max\": 2"

/* libvirt keeps the root for itself until the process ends, so every look is one of its own. */
static void see_start(void)
{
	hn_view *view = view_of("", SPARE_VCPU);

	must_open();
	must_start(view);
	_exit(drifted(view, NULL) ? 2 : 0);
}

static void see_edit(void)
{
	must_open();
	_exit(drifted(view_of("", SPARE_VCPU), "compute.vcpus") ? 0 : 1);
}

static void see_destroyed(void)
{
	machine_real *real;

	must_open();
	real = look();
	_exit(machine_is_active(real->status) ? 1 : 0);
}

static void see_undefined(void)
{
	machine_real *real = NULL;

	must_open();
	_exit(machine_observe(m, UUID, &real, NULL) == HN_ENOENT ? 0 : 1);
}

static void see_clean(void)
{
	must_open();
	away();
	_exit(machine_sweep(m, NULL, 0, true, NULL) == 0 ? 0 : 1);
}

static void behind(void)
{
	report(run_self("see-start") == 0, "nothing-drifted-at-first", "");
	report(run_virsh("setvcpus web-1 2 --config") == 0, "virsh-edits", "");
	report(run_self("see-edit") == 0, "edit-behind-us-is-seen", "");
	report(run_virsh("destroy web-1") == 0, "virsh-destroys", "");
	report(run_self("see-destroyed") == 0, "destroy-behind-us-is-seen", "");
	report(run_virsh("undefine web-1") == 0, "virsh-undefines", "");
	report(run_self("see-undefined") == 0, "undefine-behind-us-is-seen", "");
	report(run_self("see-start") == 0, "mended-by-a-start", "");
	report(run_self("see-clean") == 0, "nothing-stays", "");
}

static void expect_start(const char *name, const char *words, int64_t timeout, int wanted,
	const char *fact_name, const char *text)
{
	hn_view *view = view_of(words, "");
	hn_error *err = NULL;
	hn_fact fact;
	bool found = fact_name == NULL;
	int result = start_unit(view, HN_WAIT_READY, timeout, NULL, &err);

	for (size_t i = 0; err != NULL && hn_error_fact(err, i, &fact) == 0; i++)
		found = found || (strcmp(fact.name, fact_name) == 0 && fact.text != NULL &&
					 strstr(fact.text, text) != NULL);
	report(result == wanted && found, name, err == NULL ? "" : hn_error_message(err));
	hn_error_unref(err);
	away();
	hn_view_unref(view);
}

static void guests(void)
{
	must_open();
	/* For that one all of the time is waited: only what it needs to come to its userspace. */
	expect_start("guest-that-is-never-ready", ", \"hn.mute\"", 40 * MACHINE_SECOND, HN_ETIMEOUT,
		"phase", "userspace");
	expect_start("guest-that-powers-off-at-once", ", \"hn.off\"", PATIENCE, HN_EGUEST, "detail",
		"shutdown");
	expect_start("guest-that-floods-the-port", ", \"hn.flood\"", PATIENCE, 0, NULL, NULL);
	expect_start("guest-that-floods-the-console", ", \"hn.noise\"", PATIENCE, 0, NULL, NULL);
	close_machine();
}

static void expect_artefact(const char *name, const char *initrd, int wanted)
{
	char more[300];
	hn_view *view;
	machine_unit unit;
	machine_real *real = NULL;
	hn_error *err = NULL;
	int result;

	/* Given twice in the same document would be refused; this unit has its own. */
	snprintf(more, sizeof(more), "%s", initrd);
	guest = more;
	view = view_of("", "");
	unit = unit_of(view);
	result = machine_check(m, &unit, &err);
	gave(name, result, wanted, err);
	result = start_unit(view, HN_WAIT_NONE, 0, NULL, NULL);
	report(result == wanted && (machine_observe(m, UUID, &real, NULL) == HN_ENOENT ||
					   !machine_is_active(real->status)),
		"and-nothing-was-started", "");
	machine_real_free(real);
	away();
	hn_view_unref(view);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (file == NULL || fputs(text, file) < 0)
		die(path, NULL);
	fclose(file);
}

/* Owner in a process of its own, until it is killed. */
static void owner(void)
{
	must_open();
	printf("open\n");
	fflush(stdout);
	for (;;)
		pause();
}

static void locks(void)
{
	int ends[2], result;
	machine_options options = {.root = root, .program = "second"};
	hn_error *err = NULL;
	char byte;
	pid_t child;

	if (pipe(ends) < 0)
		die("pipe", NULL);
	child = fork();
	if (child == 0) {
		dup2(ends[1], 1);
		execl(self, self, "owner", root, guest, (char *)NULL);
		_exit(127);
	}
	if (read(ends[0], &byte, 1) != 1)
		die("owner", NULL);
	result = machine_open(hn_os_real(), &options, &m, &err);
	report(result == HN_EBUSY && strstr(hn_error_message(err), "e2e") != NULL,
		"busy-root-names-its-owner", err == NULL ? "" : hn_error_message(err));
	hn_error_unref(err);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	err = NULL;
	if (gave("lock-of-a-killed-owner-is-free", machine_open(hn_os_real(), &options, &m, &err),
		    0, err))
		close_machine();
}

static void artefacts(void)
{
	char path[300], edited[300];
	machine_options long_root = {
		.program = "e2e", .root = "/tmp/hn.long/01234567890123456789012345678901234567"};
	hn_fact fact;
	bool told = false;

	must_open();
	snprintf(path, sizeof(path), "%s/missing", root);
	expect_artefact("kernel-missing", path, HN_ENOENT);
	snprintf(path, sizeof(path), "%s/dirs", root);
	snprintf(edited, sizeof(edited), "%s/dirs/vmlinux", root);
	mkdir(path, 0700);
	mkdir(edited, 0700);
	expect_artefact("kernel-is-a-directory", path, HN_EINVAL);
	snprintf(path, sizeof(path), "%s/empty", root);
	mkdir(path, 0700);
	snprintf(edited, sizeof(edited), "%s/empty/vmlinux", root);
	write_file(edited, "x");
	snprintf(edited, sizeof(edited), "%s/empty/initrd", root);
	write_file(edited, "");
	expect_artefact("initrd-is-empty", path, HN_EINVAL);
	close_machine();
	gave("root-of-51-bytes", machine_open(hn_os_real(), &long_root, &m, NULL), HN_EPATHLEN,
		NULL);
	snprintf(edited, sizeof(edited), "%s/etc/qemu.conf", root);
	write_file(edited, "user = \"nobody\"\n");
	must_open();
	for (size_t i = 0; machine_fact_at(m, i, &fact) == 0; i++)
		told = told || strcmp(fact.name, "qemu.conf") == 0;
	report(told, "edited-qemu.conf-is-mended-and-told", "");
	close_machine();
}

static void plug_in(const char *name, const char *after, const char *key, const char *old_text,
	const char *new_text)
{
	hn_view *view = view_of("", after);
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_UPDATE);
	char *why = NULL;
	hn_error *err = NULL;

	if (machine_hot_possible(m, &unit, key, old_text, new_text, &why, &err) != 1)
		report(false, name, why == NULL ? "not possible" : why);
	else if (gave(name, machine_change(&may, m, &unit, key, old_text, new_text, &err), 0, err))
		report(!drifted(view, key), "and-it-is-observed", key);
	base_free(why);
	hn_view_unref(view);
}

#define DISK ", \"disks.data.size\": \"64Mi\""
#define BIGGER ", \"disks.data.size\": \"128Mi\""
#define NIC ", \"nics.lan.kind\": \"user\""
#define MORE_RAM ", \"memory.balloon\": \"manual\", \"memory.max\": \"256Mi\""

static void plug_in_backed(void)
{
	hn_view *view = view_of("", SPARE_VCPU MORE_RAM NIC DISK);
	machine_unit unit = unit_of(view);
	base_permit may = permit(HN_VERB_UNIT_UPDATE);
	char path[512];

	name_backing(80);
	gave("disk-with-a-backing-file",
		machine_change(&may, m, &unit, "disks.data.size", NULL, "64Mi", NULL), HN_ENOSUP,
		NULL);
	snprintf(path, sizeof(path), "%s/unit/%s/data.qcow2", root, UUID);
	unlink(path);
	hn_view_unref(view);
}

static void hot(void)
{
	hn_view *view = view_of("", SPARE_VCPU MORE_RAM);

	must_open();
	must_start(view);
	plug_in("nic-plugged", SPARE_VCPU MORE_RAM NIC, "nics.lan.kind", NULL, "user");
	plug_in_backed();
	plug_in("disk-plugged", SPARE_VCPU MORE_RAM NIC DISK, "disks.data.size", NULL, "64Mi");
	plug_in("disk-grown", SPARE_VCPU MORE_RAM NIC BIGGER, "disks.data.size", "64Mi", "128Mi");
	plug_in("disk-limited", SPARE_VCPU MORE_RAM NIC BIGGER ", \"storage.iops\": 300",
		"storage.iops", "none", "300");
	plug_in("nic-unplugged", SPARE_VCPU MORE_RAM BIGGER ", \"storage.iops\": 300",
		"nics.lan.kind", "user", NULL);
	away();
	hn_view_unref(view);
	close_machine();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} scenarios[] = {{"life", life}, {"starter", starter}, {"leaver", leaver},
		{"see-ready", see_ready}, {"destroyer", destroyer}, {"reopen", reopen},
		{"halfway", halfway}, {"half", half}, {"deaf", deaf}, {"crash", crash},
		{"behind", behind}, {"see-start", see_start}, {"see-edit", see_edit},
		{"see-destroyed", see_destroyed}, {"see-undefined", see_undefined},
		{"see-clean", see_clean}, {"guests", guests}, {"locks", locks}, {"owner", owner},
		{"artefacts", artefacts}, {"hot", hot}, {"booting", booting}, {"twice", twice},
		{"threads", world_threads}, {"vanish", world_vanish}, {"no-qemu", world_no_qemu},
		{"daemon", world_daemon}, {"disk", disk}};

	if (argc != 4) {
		fprintf(stderr, "usage: machine SCENARIO ROOT GUEST\n");
		return 64;
	}
	world_begin(argv);
	for (size_t i = 0; i < BASE_COUNT(scenarios); i++) {
		if (strcmp(argv[1], scenarios[i].name) != 0)
			continue;
		scenarios[i].run();
		return failed;
	}
	return 64;
}
