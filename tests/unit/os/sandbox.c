/* SPDX-License-Identifier: MIT
 *
 * The sandbox: its self-test, what it refuses, and what becomes of a kernel that lacks a layer.
 */
#include "sandbox.h"
#include <errno.h>
#include <pthread.h>
#include <sys/prctl.h>
#ifdef HN_HAVE_SECCOMP
#include <seccomp.h>
#endif

TestSuite(sandbox, .init = make, .fini = destroy);

/* --- the self-test --- */

#ifdef HN_HAVE_SECCOMP
static int note(void *arg, const hn_sandbox_try *row)
{
	(void)arg;
	if (shared->count < TRIES)
		shared->tries[shared->count++] = *row;
	return 0;
}

static void self_test(hn_sandbox_profile profile)
{
	pid_t child = fork();

	if (child == 0) {
		hn_error *err = NULL;

		shared->code = hn_sandbox_selftest(profile, &shared->report, note, NULL, &err);
		if (err != NULL)
			snprintf(shared->message, sizeof(shared->message), "%s",
				hn_error_message(err));
		hn_error_unref(err);
		_exit(0);
	}
	cr_assert_eq(ended(child), 0);
	for (size_t i = 0; i < shared->count; i++)
		cr_expect(shared->tries[i].held, "%s: outcome %d, error %d", shared->tries[i].name,
			(int)shared->tries[i].outcome, shared->tries[i].error_number);
	cr_assert_eq(shared->code, 0, "%s", shared->message);
	cr_assert_gt(shared->count, 15);
}

static hn_sandbox_outcome outcome_of(const char *name)
{
	for (size_t i = 0; i < shared->count; i++) {
		if (strcmp(shared->tries[i].name, name) == 0)
			return shared->tries[i].outcome;
	}
	cr_assert_fail("no try '%s'", name);
	return HN_SANDBOX_UNKNOWN;
}

static void killed(const char *name)
{
	cr_expect_eq(outcome_of(name), HN_SANDBOX_KILLED, "%s", name);
}

static void denied(const char *name)
{
	cr_expect_eq(outcome_of(name), HN_SANDBOX_DENIED, "%s", name);
}

static void killed_everywhere(void)
{
	killed("ptrace");
	killed("mount");
	killed("kernel module");
	killed("kexec");
	killed("perf");
	killed("user namespace");
	killed("process in a user namespace");
	killed("memory of another process");
	killed("socket for raw packets");
}

static void killed_without_programs(void)
{
	killed_everywhere();
	killed("socket to the network");
	killed("exec of a program that was not given");
	killed("fork");
	killed("bpf");
	killed("signal to another process");
	killed("new memory with code");
	killed("making memory code");
	killed("becoming dumpable again");
}

/* Of group 72 these are the calls that are killed. Images with references to other files and what a
 * server of GraphQL must refuse belong to rooms that do not exist yet. */
Test(sandbox, g72_parser)
{
	self_test(HN_SANDBOX_PARSER);
	killed_without_programs();
	killed("open of a directory that was not given");
	killed("writing a file that was given to read");
}

Test(sandbox, g72_payload)
{
	self_test(HN_SANDBOX_PAYLOAD);
	killed_without_programs();
	killed("open of a directory that was not given");
	killed("writing a file that was given to read");
}

Test(sandbox, g72_signer)
{
	self_test(HN_SANDBOX_SIGNER);
	killed_without_programs();
	denied("open of a directory that was not given");
	denied("writing a file that was given to read");
}

Test(sandbox, g72_edge)
{
	self_test(HN_SANDBOX_EDGE);
	killed_without_programs();
	denied("open of a directory that was not given");
	killed("writing a file that was given to read");
}

Test(sandbox, g72_nbd)
{
	self_test(HN_SANDBOX_NBD);
	killed_without_programs();
	denied("open of a directory that was not given");
	denied("writing a file that was given to read");
}

Test(sandbox, g72_backup)
{
	self_test(HN_SANDBOX_BACKUP);
	killed_without_programs();
	denied("open of a directory that was not given");
	denied("writing a file that was given to read");
}

Test(sandbox, g72_core)
{
	self_test(HN_SANDBOX_CORE);
	killed_everywhere();
	denied("bpf");
	denied("exec of a program that was not given");
	denied("open of a directory that was not given");
	denied("writing a file that was given to read");
}
#else
static int require_all(void)
{
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;
	int tested = hn_sandbox_selftest(HN_SANDBOX_PARSER, NULL, NULL, NULL, NULL);

	options.require = true;
	return tested == HN_ESANDBOX && enter(HN_SANDBOX_PARSER, &options) == HN_ESANDBOX ? 0 : 1;
}

Test(sandbox, without_a_filter_nothing_is_claimed)
{
	cr_assert_eq(in_a_process(require_all), 0);
	cr_assert_neq(strstr(shared->message, "seccomp"), NULL);
	cr_assert_not(shared->partial);
}
#endif

static int enough(void *arg, const hn_sandbox_try *row)
{
	(void)row;
	return ++*(int *)arg == 3 ? 42 : 0;
}

static int stop_self_test(void)
{
	int seen = 0;

	return hn_sandbox_selftest(HN_SANDBOX_PARSER, NULL, enough, &seen, NULL) == 42 ? seen : 50;
}

static int no_profile(void)
{
	return hn_sandbox_selftest((hn_sandbox_profile)(HN_SANDBOX_PAYLOAD + 1), NULL, NULL, NULL,
		       NULL) == HN_EINVAL
		       ? 0
		       : 1;
}

Test(sandbox, selftest_stops_when_told)
{
	cr_assert_eq(in_a_process(stop_self_test), 3);
}

Test(sandbox, selftest_of_no_profile)
{
	cr_assert_eq(in_a_process(no_profile), 0);
}

/* --- refusals: nothing was given up --- */

static bool untouched(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 && prctl(PR_GET_DUMPABLE) == 1;
}

static int refused(const hn_sandbox_options *options, hn_sandbox_profile profile)
{
	pid_t child = fork();

	if (child == 0)
		_exit(enter(profile, options) < 0 && untouched() && !shared->partial ? 0 : 1);
	cr_assert_eq(ended(child), 0);
	return shared->code;
}

Test(sandbox, refuses_no_profile)
{
	cr_assert_eq(refused(NULL, (hn_sandbox_profile)(HN_SANDBOX_PAYLOAD + 1)), HN_EINVAL);
	cr_assert_eq(refused(NULL, (hn_sandbox_profile)-1), HN_EINVAL);
}

Test(sandbox, refuses_paths_that_are_relative_or_missing)
{
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;
	const char *path = "relative";

	options.read_only = &path;
	options.read_only_count = 1;
	cr_assert_eq(refused(&options, HN_SANDBOX_SIGNER), HN_EINVAL);
	path = in("none");
	cr_assert_eq(refused(&options, HN_SANDBOX_SIGNER), HN_ENOENT);
	cr_assert_neq(strstr(shared->message, "none"), NULL);
}

Test(sandbox, refuses_options_of_a_newer_library)
{
	struct {
		hn_sandbox_options known;
		uint64_t more;
	} options = {.known = {.size = sizeof(options)}, .more = 1};

	cr_assert_eq(refused(&options.known, HN_SANDBOX_SIGNER), HN_ENEWER);
	options.known.size = 0;
	cr_assert_eq(refused(&options.known, HN_SANDBOX_SIGNER), HN_EINVAL);
}

#if !SANDBOX_TSAN
static void *wait_for_end(void *arg)
{
	char byte;

	return read(*(int *)arg, &byte, 1) < 0 ? arg : NULL;
}

static int with_a_thread(void)
{
	pthread_t thread;
	int ends[2], code, tested;

	if (pipe2(ends, O_CLOEXEC) < 0 || pthread_create(&thread, NULL, wait_for_end, ends) != 0)
		return 1;
	code = enter(HN_SANDBOX_SIGNER, NULL);
	tested = hn_sandbox_selftest(HN_SANDBOX_SIGNER, NULL, NULL, NULL, NULL);
	close(ends[1]);
	pthread_join(thread, NULL);
	return code == HN_EINVAL && tested == HN_EINVAL && untouched() ? 0 : 2;
}

Test(sandbox, refuses_a_process_with_threads)
{
	cr_assert_eq(in_a_process(with_a_thread), 0);
	cr_assert_neq(strstr(shared->message, "2 threads"), NULL, "%s", shared->message);
}
#endif

/* --- kernels that lack a layer, played by a filter that lets everything else through --- */

#ifdef HN_HAVE_SECCOMP
static int lacking(int call, int error)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
	int code = seccomp_rule_add(context, SCMP_ACT_ERRNO((uint32_t)error), call, 0);

	if (code == 0)
		code = seccomp_load(context);
	seccomp_release(context);
	return code;
}

static int without(int call, int error, bool require)
{
	hn_sandbox_options options = HN_SANDBOX_OPTIONS_INIT;
	pid_t child = fork();

	options.require = require;
	if (child == 0)
		_exit(lacking(call, error) < 0 ? 1 : (enter(HN_SANDBOX_SIGNER, &options), 0));
	cr_assert_eq(ended(child), 0);
	return shared->code;
}

Test(sandbox, without_landlock)
{
	cr_assert_eq(without(SCMP_SYS(landlock_create_ruleset), ENOSYS, false), 0);
	cr_assert_eq(shared->report.landlock, 0);
	cr_assert_gt(shared->report.seccomp, 0);
	cr_assert_eq(without(SCMP_SYS(landlock_create_ruleset), ENOSYS, true), HN_ESANDBOX);
	cr_assert_not(shared->partial);
	cr_assert_neq(strstr(shared->message, "Landlock"), NULL);
}

Test(sandbox, without_close_range)
{
	cr_assert_eq(without(SCMP_SYS(close_range), ENOSYS, false), 0);
	cr_assert_not(shared->report.descriptors);
	cr_assert_eq(without(SCMP_SYS(close_range), ENOSYS, true), HN_ESANDBOX);
	cr_assert_not(shared->partial);
}

Test(sandbox, a_layer_that_fails_half_way_is_told_as_such)
{
	cr_assert_eq(without(SCMP_SYS(landlock_restrict_self), E2BIG, false), HN_ESANDBOX);
	cr_assert(shared->partial);
	cr_assert_neq(strstr(shared->message, "half-way"), NULL);
	cr_assert_eq(without(SCMP_SYS(seccomp), ENOMEM, false), HN_ESANDBOX);
	cr_assert(shared->partial);
	cr_assert_eq(without(SCMP_SYS(capset), EPERM, false), HN_ESANDBOX);
	cr_assert(shared->partial);
}

static int test_lacking(void)
{
	hn_error *err = NULL;
	int code;

	if (lacking(SCMP_SYS(landlock_create_ruleset), ENOSYS) < 0)
		return 1;
	code = hn_sandbox_selftest(HN_SANDBOX_SIGNER, NULL, note, NULL, &err);
	if (err != NULL)
		snprintf(shared->message, sizeof(shared->message), "%s", hn_error_message(err));
	hn_error_unref(err);
	return code == HN_ESANDBOX ? 0 : 2;
}

/* The self-test must be able to fail: without Landlock the file rules do not hold. */
Test(sandbox, selftest_finds_what_does_not_hold)
{
	cr_assert_eq(in_a_process(test_lacking), 0);
	/* What is not dumpable has no files of its own in /proc but as root. */
	if (geteuid() == 0)
		cr_assert_eq(
			outcome_of("writing a file that was given to read"), HN_SANDBOX_ALLOWED);
	cr_assert_eq(outcome_of("open of a directory that was not given"), HN_SANDBOX_ALLOWED);
	cr_assert_eq(outcome_of("ptrace"), HN_SANDBOX_KILLED);
	cr_assert_neq(strstr(shared->message, "does not hold"), NULL, "%s", shared->message);
}

static int cannot_enter(void)
{
	if (lacking(SCMP_SYS(capset), EPERM) < 0)
		return 1;
	return hn_sandbox_selftest(HN_SANDBOX_SIGNER, NULL, note, NULL, NULL) == HN_ESANDBOX ? 0
											     : 2;
}

Test(sandbox, selftest_fails_where_no_sandbox_can_be_made)
{
	cr_assert_eq(in_a_process(cannot_enter), 0);
	cr_assert_eq(shared->count, 0);
}
#endif
