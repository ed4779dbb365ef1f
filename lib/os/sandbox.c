/* SPDX-License-Identifier: MIT
 *
 * The sandbox: all that can fail is made ready first, then the process gives up one thing after the
 * other.
 */
#include "os/sandbox-private.h"
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if SANDBOX_ASAN
#include <sanitizer/lsan_interface.h>
#endif

#define MIB ((int64_t)1 << 20)
enum { CAPABILITY_MOST = 63 };

static const sandbox_profile profiles[] = {
#define AS_IS (-1)
#define SET(name) (1u << SANDBOX_SET_##name)
#define CAP(name) (UINT64_C(1) << CAP_##name)
#define SANDBOX_PROFILE(                                                                           \
	name_, what, sets_, caps, cpu_, memory_, file_, files_, processes_, flags_)                \
	[HN_SANDBOX_##name_] = {.name = #name_,                                                    \
		.sets = (sets_),                                                                   \
		.capabilities = (caps),                                                            \
		.cpu = (cpu_),                                                                     \
		.memory = (memory_),                                                               \
		.file = (file_),                                                                   \
		.files = (files_),                                                                 \
		.processes = (processes_),                                                         \
		.flags = (flags_)},
#include "os/sandbox-profiles.def"
#undef AS_IS
#undef SET
#undef CAP
};

const sandbox_profile *sandbox_profile_of(hn_sandbox_profile profile)
{
	return (size_t)profile < BASE_COUNT(profiles) ? &profiles[profile] : NULL;
}

int sandbox_alone(hn_error **err)
{
	struct stat tasks;
	/* A directory has two links more than the directories in it. */
	nlink_t most = 3 + SANDBOX_TSAN;

	if (stat("/proc/self/task", &tasks) < 0)
		return base_error_errno(
			err, "os", -errno, "cannot count the threads of this process");
	if (tasks.st_nlink > most)
		return base_error(err, HN_EINVAL, "os",
			"apply the sandbox before the first thread is started",
			"this process has %lu threads: a sandbox would hold one of them only",
			(unsigned long)tasks.st_nlink - 2);
	return 0;
}

/* --- what is given up --- */

static int compare_numbers(const void *left, const void *right)
{
	int a = *(const int *)left, b = *(const int *)right;

	return (a > b) - (a < b);
}

/* Closes the gaps between those that stay. */
static int close_others(const hn_sandbox_options *options)
{
	int *keep BASE_AUTO_FREE = base_memdup(options->keep, options->keep_count * sizeof(int));
	unsigned next = STDERR_FILENO + 1;

	if (keep == NULL)
		return -ENOMEM;
	qsort(keep, options->keep_count, sizeof(int), compare_numbers);
	for (size_t i = 0; i < options->keep_count; i++) {
		if (keep[i] < (int)next)
			continue;
		if ((unsigned)keep[i] > next && close_range(next, (unsigned)keep[i] - 1, 0) < 0)
			return -errno;
		next = (unsigned)keep[i] + 1;
	}
	return close_range(next, UINT_MAX, 0) < 0 ? -errno : 0;
}

/* Never raises one. */
static int limit(int resource, int64_t most, int64_t unit)
{
	struct rlimit now;
	rlim_t wanted;

	if (most < 0)
		return 0;
	wanted = (rlim_t)(most * unit);
	if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
		return -errno;
	if (now.rlim_max < wanted)
		wanted = now.rlim_max;
	now = (struct rlimit){.rlim_cur = wanted, .rlim_max = wanted};
	return setrlimit((__rlimit_resource_t)resource, &now) < 0 ? -errno : 0;
}

static int set_limits(const sandbox_profile *profile)
{
	bool shadow = SANDBOX_ASAN || SANDBOX_TSAN; /* terabytes of addresses */
	int code = limit(RLIMIT_CORE, 0, 1);

	if (code == 0)
		code = limit(RLIMIT_CPU, profile->cpu, 1);
	if (code == 0 && !shadow)
		code = limit(RLIMIT_AS, profile->memory, MIB);
	if (code == 0)
		code = limit(RLIMIT_FSIZE, profile->file, MIB);
	if (code == 0)
		code = limit(RLIMIT_NOFILE, profile->files, 1);
	if (code == 0)
		code = limit(RLIMIT_NPROC, profile->processes, 1);
	return code;
}

static int drop_bounding(uint64_t keep)
{
	for (unsigned long one = 0; one <= CAPABILITY_MOST; one++) {
		if ((keep >> one & 1) != 0 || prctl(PR_CAPBSET_DROP, one, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			break; /* the last one that the kernel knows was before */
		/* Without CAP_SETPCAP the bounding set stays, but there is nothing either that
		 * could take from it: no new privileges. */
		if (errno != EPERM)
			return -errno;
	}
	return 0;
}

static int drop_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];
	int code = drop_bounding(keep);

	if (code < 0)
		return code;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_capget, &head, sets) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		sets[i].permitted &= (uint32_t)(keep >> (32 * i));
		sets[i].effective &= (uint32_t)(keep >> (32 * i));
		sets[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, sets) < 0 ? -errno : 0;
}

/* --- in order --- */

static int enter_privileges(sandbox_plan *plan, hn_sandbox_report *report)
{
	(void)plan;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	report->no_new_privileges = true;
	return 0;
}

static int enter_landlock(sandbox_plan *plan, hn_sandbox_report *report)
{
	int code = plan->landlock < 0 ? 0 : sandbox_landlock_enter(plan);

	if (code < 0 || plan->landlock < 0)
		return code;
	close(plan->landlock);
	plan->landlock = -1;
	report->landlock = plan->landlock_version;
	return 0;
}

static int enter_descriptors(sandbox_plan *plan, hn_sandbox_report *report)
{
	int code = plan->closes ? close_others(plan->options) : 0;

	report->descriptors = plan->closes && code == 0;
	return code;
}

static int enter_limits(sandbox_plan *plan, hn_sandbox_report *report)
{
	int code = set_limits(plan->profile);

	report->limits = code == 0;
	return code;
}

static int enter_capabilities(sandbox_plan *plan, hn_sandbox_report *report)
{
	int code = drop_capabilities(plan->profile->capabilities);

	report->capabilities = code == 0;
	return code;
}

static int enter_dumpable(sandbox_plan *plan, hn_sandbox_report *report)
{
	(void)plan;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	report->not_dumpable = true;
	return 0;
}

static int enter_filter(sandbox_plan *plan, hn_sandbox_report *report)
{
	int code = plan->filter == NULL ? 0 : sandbox_filter_enter(plan->filter);

	if (code == 0 && plan->filter != NULL)
		report->seccomp = sandbox_filter_size(plan->filter);
	return code;
}

/* Landlock and the filter want no new privileges first; a change of capabilities may make a process
 * dumpable again; after the filter nothing else can be given up. */
static const struct {
	const char *name;
	int (*enter)(sandbox_plan *plan, hn_sandbox_report *report);
} layers[] = {
	{"no new privileges", enter_privileges},
	{"Landlock", enter_landlock},
	{"closing descriptors", enter_descriptors},
	{"limits", enter_limits},
	{"capabilities", enter_capabilities},
	{"no core dumps", enter_dumpable},
	{"seccomp", enter_filter},
};

static int give_up(sandbox_plan *plan, hn_sandbox_report *report, hn_error **err)
{
	for (size_t i = 0; i < BASE_COUNT(layers); i++) {
		int code = layers[i].enter(plan, report);

		if (code == 0)
			continue;
		base_error_errno(err, "os", code, "%s", layers[i].name);
		code = base_error_wrap(err, HN_ESANDBOX, "os",
			"the sandbox failed half-way, at %s: this process should end",
			layers[i].name);
		base_error_fact(err, "partial", layers[i].name);
		return code;
	}
	return 0;
}

/* --- before anything is given up --- */

static int check_required(const sandbox_plan *plan, hn_error **err)
{
	const char *missing = plan->landlock < 0     ? "Landlock"
			      : plan->filter == NULL ? "seccomp"
			      : !plan->closes        ? "close_range"
						     : NULL;

	if (missing == NULL || !plan->options->require)
		return 0;
	return base_error(err, HN_ESANDBOX, "os",
		strcmp(missing, "seccomp") == 0
			? "build with libseccomp, on a kernel with CONFIG_SECCOMP_FILTER"
			: "a kernel since 5.13, with landlock in its lsm= list, has all layers",
		"this %s has no %s, which is required",
		strcmp(missing, "seccomp") == 0 ? "build or kernel" : "kernel", missing);
}

static int make_plan(sandbox_plan *plan, hn_error **err)
{
	int code = sandbox_landlock_plan(plan, err);

	plan->closes = close_range(UINT_MAX, UINT_MAX, 0) == 0;
	if (code == 0)
		code = sandbox_filter_plan(plan, err);
	return code < 0 ? code : check_required(plan, err);
}

static void plan_clear(sandbox_plan *plan)
{
	if (plan->landlock >= 0)
		close(plan->landlock);
	sandbox_filter_free(plan->filter);
}

/* What a process reads once and could not read any more. */
static void read_ahead(void)
{
	os_interval now;

	os_clock_interval(hn_os_real(), &now);
}

static const char *relax(bool ends_at_once)
{
#if SANDBOX_ASAN
	/* At the end it would start a thread that traces this one. */
	if (!ends_at_once)
		__lsan_do_leak_check();
	return "no limit of memory; leaks are looked for before and not at the end";
#else
	(void)ends_at_once;
	return SANDBOX_TSAN ? "no limit of memory; one thread more" : "";
#endif
}

int sandbox_apply(hn_sandbox_profile profile, const hn_sandbox_options *options, bool ends_at_once,
	hn_sandbox_report *report, hn_error **err)
{
	hn_sandbox_options given = HN_SANDBOX_OPTIONS_INIT;
	hn_sandbox_report reached = {.size = sizeof(reached)};
	sandbox_plan plan = {.options = &given, .landlock = -1};
	int code = 0;

	plan.profile = sandbox_profile_of(profile);
	if (plan.profile == NULL)
		return base_error(
			err, HN_EINVAL, "os", NULL, "%d is no sandbox profile", (int)profile);
	if (options != NULL)
		code = base_options(&given, sizeof(given), options, "os", err);
	if (code == 0)
		code = sandbox_alone(err);
	if (code == 0)
		code = make_plan(&plan, err);
	if (code == 0) {
		read_ahead();
		reached.relaxed = relax(ends_at_once);
		code = give_up(&plan, &reached, err);
	}
	plan_clear(&plan);
	if (code == 0 && report != NULL)
		*report = reached;
	return code;
}

int hn_sandbox_apply(hn_sandbox_profile profile, const hn_sandbox_options *options,
	hn_sandbox_report *report, hn_error **err)
{
	return sandbox_apply(profile, options, false, report, err);
}
