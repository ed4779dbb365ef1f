/* SPDX-License-Identifier: MIT
 *
 * The lock file: who holds it, waiting, giving up.
 */
#include "fixture.h"
#include "os/os-private.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>

TestSuite(lock, .init = make_directory, .fini = remove_directory);

static int take(int64_t wait, hn_cancel *cancel, os_lock **lock, hn_error **err)
{
	return os_lock_take(hn_os_real(), in("lock"), "hv-compute apply", wait, cancel, lock, err);
}

Test(lock, says_who_holds_it)
{
	BASE_AUTO_OF(os_lock) os_lock *first = NULL;
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	os_lock *second = NULL;
	bool pid = false, program = false, since = false;
	hn_fact fact;

	cr_assert_eq(
		os_lock_take(hn_os_real(), in("lock"), "hv-compute", 0, NULL, &first, NULL), 0);
	cr_assert_eq(os_lock_take(hn_os_real(), in("lock"), "other", 0, NULL, &second, &error),
		HN_EBUSY);
	cr_assert_null(second);
	for (size_t i = 0; hn_error_fact(error, i, &fact) == 0; i++) {
		pid |= strcmp(fact.name, "pid") == 0 && fact.number == getpid();
		program |=
			strcmp(fact.name, "program") == 0 && strcmp(fact.text, "hv-compute") == 0;
		since |= strcmp(fact.name, "since") == 0 &&
			 fact.number > INT64_C(1600000000) * OS_SECOND;
	}
	cr_assert(pid && program && since);
}

Test(lock, a_program_name_with_a_space_is_still_read_back)
{
	BASE_AUTO_OF(os_lock) os_lock *first = NULL;
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	os_lock *second = NULL;
	hn_fact fact;

	cr_assert_eq(take(0, NULL, &first, NULL), 0);
	cr_assert_eq(take(0, NULL, &second, &error), HN_EBUSY);
	cr_assert_eq(hn_error_fact(error, 1, &fact), 0);
	cr_assert_str_eq(fact.text, "hv-compute apply");
}

/* on a full disk it is held all the same; only nobody is told by whom */
Test(lock, needs_no_room)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	os_lock *first = NULL, *second = NULL;
	hn_os *full;

	options.capacity = 3;
	cr_assert_eq(hn_os_sim_new(&options, &full, NULL), 0);
	cr_assert_eq(os_write_file(full, "/f", "xxx", 3, 0600, NULL), 0);
	cr_assert_eq(os_lock_take(full, "/lock", "first", 0, NULL, &first, NULL), 0);
	cr_expect_eq(os_lock_take(full, "/lock", "second", 0, NULL, &second, &error), HN_EBUSY);
	os_lock_release(first);
	cr_expect_eq(os_lock_take(full, "/lock", "second", 0, NULL, &second, NULL), 0);
	os_lock_release(second);
	hn_os_sim_free(full);
}

Test(lock, released_it_can_be_taken_again_and_the_file_stays)
{
	os_lock *lock;

	for (int i = 0; i < 3; i++) {
		cr_assert_eq(take(0, NULL, &lock, NULL), 0);
		os_lock_release(lock);
	}
	cr_assert(os_exists(hn_os_real(), in("lock")));
	os_lock_release(NULL);
}

static void *release_after_a_while(void *lock)
{
	hn_os_real()->ops->sleep(hn_os_real(), 80000000);
	os_lock_release(lock);
	return NULL;
}

Test(lock, waits_for_the_holder)
{
	os_lock *first, *second = NULL;
	pthread_t thread;

	cr_assert_eq(take(0, NULL, &first, NULL), 0);
	cr_assert_eq(pthread_create(&thread, NULL, release_after_a_while, first), 0);
	cr_assert_eq(take(-1, NULL, &second, NULL), 0);
	pthread_join(thread, NULL);
	os_lock_release(second);
}

Test(lock, gives_up_when_the_time_is_over)
{
	BASE_AUTO_OF(os_lock) os_lock *first = NULL;
	os_lock *second = NULL;
	int64_t before = os_monotonic(hn_os_real());

	cr_assert_eq(take(0, NULL, &first, NULL), 0);
	cr_assert_eq(take(120000000, NULL, &second, NULL), HN_EBUSY);
	cr_assert_geq(os_monotonic(hn_os_real()) - before, 120000000);
}

Test(lock, heeds_cancel)
{
	BASE_AUTO_OF(os_lock) os_lock *first = NULL;
	BASE_AUTO_OF(hn_cancel) hn_cancel *cancel = NULL;
	os_lock *second = NULL;

	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	cr_assert_eq(take(0, NULL, &first, NULL), 0);
	hn_cancel_trigger(cancel);
	cr_assert_eq(take(-1, cancel, &second, NULL), HN_ECANCELLED);
	cr_assert_null(second);
}

Test(lock, a_dead_holder_holds_nothing)
{
	os_lock *lock = NULL;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(take(0, NULL, &lock, NULL) == 0 ? 0 : 1);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	cr_assert_eq(take(0, NULL, &lock, NULL), 0);
	os_lock_release(lock);
}

Test(lock, a_symlink_is_not_followed)
{
	os_lock *lock = NULL;

	put("victim", "kept");
	cr_assert_eq(symlink(in("victim"), in("lock")), 0);
	cr_assert_eq(take(0, NULL, &lock, NULL), HN_EIO);
	cr_assert_null(lock);
}

static int replaced;

/* Another process replaces the file between our open and our lock, once. */
static int lock_after_a_replacement(hn_os *os, int fd, short type, off_t start, off_t size)
{
	if (replaced++ == 0) {
		cr_assert_eq(unlink(in("lock")), 0);
		put("lock", "");
	}
	return hn_os_real()->ops->lock(os, fd, type, start, size);
}

Test(lock, a_file_replaced_between_open_and_lock_is_not_the_lock)
{
	hn_os_ops ops = *hn_os_real()->ops;
	hn_os racing = {.ops = &ops};
	BASE_AUTO_OF(os_lock) os_lock *lock = NULL;
	os_lock *second = NULL;

	ops.lock = lock_after_a_replacement;
	cr_assert_eq(os_lock_take(&racing, in("lock"), "a", OS_SECOND, NULL, &lock, NULL), 0);
	cr_assert_geq(replaced, 2);
	cr_assert_eq(take(0, NULL, &second, NULL), HN_EBUSY);
}

Test(lock, a_file_that_was_replaced_is_taken_anew)
{
	BASE_AUTO_OF(os_lock) os_lock *first = NULL;
	BASE_AUTO_OF(os_lock) os_lock *second = NULL;
	os_lock *third = NULL;

	cr_assert_eq(take(0, NULL, &first, NULL), 0);
	cr_assert_eq(unlink(in("lock")), 0);
	/* The first lock is on a file without a name; the new one is what counts from now on. */
	cr_assert_eq(take(0, NULL, &second, NULL), 0);
	cr_assert_eq(take(0, NULL, &third, NULL), HN_EBUSY);
}

/* Into the file that is there: put() would replace it. */
static void write_into_lock(const char *text)
{
	FILE *file = fopen(in("lock"), "we");

	cr_assert_not_null(file);
	cr_assert_geq(fputs(text, file), 0);
	cr_assert_eq(fclose(file), 0);
}

/* The holder writes who it is while the other one waits a moment. */
static void sleep_while_it_writes(hn_os *os, int64_t time)
{
	(void)os;
	(void)time;
	write_into_lock("4711 - slow 1700000000000000000\n");
}

Test(lock, a_holder_that_has_not_written_yet_is_named_all_the_same)
{
	hn_os_ops ops = *hn_os_real()->ops;
	hn_os watching = {.ops = &ops};
	BASE_AUTO_OF(os_lock) os_lock *holder = NULL;
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	os_lock *second = NULL;

	ops.sleep = sleep_while_it_writes;
	cr_assert_eq(take(0, NULL, &holder, NULL), 0);
	write_into_lock("");
	cr_assert_eq(os_lock_take(&watching, in("lock"), "b", 0, NULL, &second, &error), HN_EBUSY,
		"%s", hn_error_message(error));
	cr_assert_not_null(strstr(hn_error_message(error), "slow, process 4711"));
}

static void no_sleep(hn_os *os, int64_t time)
{
	(void)os;
	(void)time;
}

/* Holds the lock and has not written: what is there is another's. */
static void expect_unnamed(const char *text)
{
	hn_os_ops ops = *hn_os_real()->ops;
	hn_os hasty = {.ops = &ops};
	BASE_AUTO_OF(os_lock) os_lock *holder = NULL;
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	os_lock *second = NULL;
	hn_fact fact;

	ops.sleep = no_sleep;
	cr_assert_eq(take(0, NULL, &holder, NULL), 0);
	write_into_lock(text);
	cr_assert_eq(os_lock_take(&hasty, in("lock"), "b", 0, NULL, &second, &error), HN_EBUSY);
	cr_expect_not_null(
		strstr(hn_error_message(error), "another process"), "%s", hn_error_message(error));
	cr_expect_eq(hn_error_fact(error, 0, &fact), HN_ENOENT);
}

Test(lock, a_dead_holder_is_not_named)
{
	BASE_AUTO_FREE char *boot = NULL;
	char text[128];
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	cr_assert_eq(os_read_file(hn_os_real(), "/proc/sys/kernel/random/boot_id", 64, &boot, NULL,
			     NULL),
		0);
	snprintf(text, sizeof(text), "%ld %.36s old 1700000000000000000\n", (long)pid, boot);
	expect_unnamed(text);
}

Test(lock, a_holder_before_the_last_boot_is_not_named)
{
	char text[128];

	snprintf(text, sizeof(text),
		"%ld 00000000-0000-0000-0000-000000000000 old 1700000000000000000\n",
		(long)getpid());
	expect_unnamed(text);
}

Test(lock, released_it_names_nobody)
{
	BASE_AUTO_FREE char *text = NULL;
	os_lock *lock;
	size_t size = 1;

	cr_assert_eq(take(0, NULL, &lock, NULL), 0);
	os_lock_release(lock);
	cr_assert_eq(os_read_file(hn_os_real(), in("lock"), 64, &text, &size, NULL), 0);
	cr_expect_eq(size, 0);
}
