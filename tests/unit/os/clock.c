/* SPDX-License-Identifier: MIT
 *
 * The wall clock as an interval, and when it is suspect: set back, set forward and repaired, an old
 * database under a newer clock, and a clock that nobody keeps.
 */
#include "os/os-private.h"
#include <criterion/criterion.h>
#include <sys/timex.h>
#include <time.h>

#define START (INT64_C(1767225600) * OS_SECOND)
#define DAY (86400 * OS_SECOND)

static hn_os *os;
static os_interval now;
static os_clock_mark mark;

static void make(void)
{
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;

	options.wall = START;
	cr_assert_eq(hn_os_sim_new(&options, &os, NULL), 0);
	mark = (os_clock_mark){0};
	os_clock_interval(os, &now);
	os_clock_advance(&mark, &now);
}

static void destroy(void)
{
	os = hn_os_sim_free(os);
}

TestSuite(clock, .init = make, .fini = destroy);

static os_clock_verdict judge(void)
{
	os_clock_interval(os, &now);
	return os_clock_judge(&mark, &now, NULL);
}

Test(clock, interval_is_the_wall_give_or_take_the_error)
{
	hn_os_sim_clock(os, 250, true);
	os_clock_interval(os, &now);
	cr_assert_eq(now.wall, START);
	cr_assert_eq(now.earliest, START - 250);
	cr_assert_eq(now.latest, START + 250);
	cr_assert(now.synchronised);
}

Test(clock, g68_unsynchronised_is_told)
{
	hn_os_sim_clock(os, 16 * OS_SECOND, false);
	os_clock_interval(os, &now);
	cr_assert_not(now.synchronised);
	cr_assert_eq(now.earliest, START - 16 * OS_SECOND);
	cr_assert_eq(now.latest, START + 16 * OS_SECOND);
}

Test(clock, g68_unsynchronised_alone_is_not_suspect)
{
	hn_os_sim_clock(os, 16 * OS_SECOND, false);
	hn_os_sim_advance(os, DAY);
	cr_assert_eq(judge(), OS_CLOCK_OK);
}

static int cannot_tell(hn_os *given, hn_os_clock_state *state)
{
	(void)given;
	(void)state;
	return -1;
}

Test(clock, g68_a_kernel_that_does_not_say_counts_as_unsynchronised)
{
	hn_os_ops ops = *os->ops;
	hn_os mute = *os;

	(void)mute;
	ops.clock_state = cannot_tell;
	os->ops = &ops;
	os_clock_interval(os, &now);
	os->ops = mute.ops;
	cr_assert_not(now.synchronised);
	cr_assert_eq(now.latest - now.wall, 16 * OS_SECOND);
	cr_assert_str_empty(now.boot_id);
}

Test(clock, interval_does_not_wrap)
{
	hn_os_sim_clock(os, INT64_MAX, false);
	hn_os_sim_step(os, INT64_MAX);
	os_clock_interval(os, &now);
	cr_assert_eq(now.latest, INT64_MAX);
	cr_assert_eq(now.earliest, 0);
	hn_os_sim_step(os, INT64_MIN);
	hn_os_sim_step(os, INT64_MIN);
	os_clock_interval(os, &now);
	cr_assert_eq(now.earliest, INT64_MIN);
}

Test(clock, running_on_is_fine)
{
	for (int i = 0; i < 50; i++) {
		hn_os_sim_advance(os, DAY);
		cr_assert_eq(judge(), OS_CLOCK_OK);
		os_clock_advance(&mark, &now);
		cr_assert_eq(mark.wall, now.wall);
	}
}

Test(clock, without_a_mark_all_is_fine)
{
	os_clock_mark none = {0};

	hn_os_sim_step(os, -10 * DAY);
	os_clock_interval(os, &now);
	cr_assert_eq(os_clock_judge(&none, &now, NULL), OS_CLOCK_OK);
}

Test(clock, g67_a_day_back_is_suspect)
{
	int64_t by = 0;

	hn_os_sim_step(os, -DAY);
	cr_assert_eq(judge(), OS_CLOCK_STEPPED);
	os_clock_judge(&mark, &now, &by);
	cr_assert_eq(by, -DAY);
}

Test(clock, g67_a_day_back_over_a_reboot_is_suspect)
{
	int64_t by = 0;

	cr_assert_eq(hn_os_sim_crash_now(os, HN_OS_SIM_CRASH_DROP, 0, NULL), 0);
	hn_os_sim_step(os, -DAY);
	cr_assert_eq(judge(), OS_CLOCK_BEHIND);
	os_clock_judge(&mark, &now, &by);
	cr_assert_eq(by, -DAY);
}

Test(clock, g67_forward_is_suspect_and_repaired_is_not)
{
	hn_os_sim_step(os, 30 * DAY);
	cr_assert_eq(judge(), OS_CLOCK_STEPPED);
	os_clock_advance(&mark, &now);
	cr_assert_eq(mark.wall, START, "a suspect time must not become the mark");
	hn_os_sim_advance(os, 60 * OS_SECOND);
	cr_assert_eq(judge(), OS_CLOCK_STEPPED, "waiting does not cure it");
	hn_os_sim_step(os, -30 * DAY);
	cr_assert_eq(judge(), OS_CLOCK_OK);
}

Test(clock, g67_forward_before_the_boot_then_repaired_is_suspect)
{
	cr_assert_eq(hn_os_sim_crash_now(os, HN_OS_SIM_CRASH_DROP, 0, NULL), 0);
	hn_os_sim_step(os, 30 * DAY); /* nothing in this boot can show it: it becomes the mark */
	cr_assert_eq(judge(), OS_CLOCK_OK);
	os_clock_advance(&mark, &now);
	hn_os_sim_step(os, -30 * DAY);
	cr_assert_eq(judge(), OS_CLOCK_STEPPED);
	cr_assert_eq(hn_os_sim_crash_now(os, HN_OS_SIM_CRASH_DROP, 0, NULL), 0);
	cr_assert_eq(judge(), OS_CLOCK_BEHIND);
}

Test(clock, g67_an_old_database_brings_an_old_mark)
{
	os_clock_mark old = mark;

	hn_os_sim_advance(os, 30 * DAY);
	os_clock_interval(os, &now);
	os_clock_advance(&mark, &now);
	/* In the same boot or another: the old mark alone does not tell, a mark kept elsewhere does
	 * as soon as the clock is turned back with the database. */
	cr_assert_eq(os_clock_judge(&old, &now, NULL), OS_CLOCK_OK);
	hn_os_sim_step(os, -30 * DAY);
	os_clock_interval(os, &now);
	cr_assert_eq(os_clock_judge(&old, &now, NULL), OS_CLOCK_STEPPED);
	cr_assert_eq(os_clock_judge(&mark, &now, NULL), OS_CLOCK_STEPPED);
}

Test(clock, g67_five_seconds_are_forgiven_and_no_more)
{
	hn_os_sim_step(os, -5 * OS_SECOND);
	cr_assert_eq(judge(), OS_CLOCK_OK);
	hn_os_sim_step(os, -1);
	cr_assert_eq(judge(), OS_CLOCK_STEPPED);
	hn_os_sim_step(os, 10 * OS_SECOND + 1);
	cr_assert_eq(judge(), OS_CLOCK_OK);
	hn_os_sim_step(os, 1);
	cr_assert_eq(judge(), OS_CLOCK_STEPPED);
}

Test(clock, g67_five_seconds_over_a_reboot)
{
	cr_assert_eq(hn_os_sim_crash_now(os, HN_OS_SIM_CRASH_DROP, 0, NULL), 0);
	hn_os_sim_step(os, -5 * OS_SECOND);
	cr_assert_eq(judge(), OS_CLOCK_OK);
	hn_os_sim_step(os, -1);
	cr_assert_eq(judge(), OS_CLOCK_BEHIND);
}

Test(clock, a_boot_that_cannot_be_told_is_not_the_same_boot)
{
	mark.boot_id[0] = '\0';
	os_clock_interval(os, &now);
	now.boot_id[0] = '\0';
	now.wall += 60 * OS_SECOND;
	cr_assert_eq(os_clock_judge(&mark, &now, NULL), OS_CLOCK_OK);
}

Test(clock, mark_never_falls)
{
	hn_os_sim_step(os, -3 * OS_SECOND);
	os_clock_interval(os, &now);
	os_clock_advance(&mark, &now);
	cr_assert_eq(mark.wall, START);
}

Test(clock, mark_waits_in_a_new_boot_until_the_clock_has_caught_up)
{
	os_clock_mark before = mark;

	cr_assert_eq(hn_os_sim_crash_now(os, HN_OS_SIM_CRASH_DROP, 0, NULL), 0);
	hn_os_sim_step(os, -3 * OS_SECOND);
	os_clock_interval(os, &now);
	os_clock_advance(&mark, &now);
	cr_assert_str_eq(mark.boot_id, before.boot_id);
	hn_os_sim_advance(os, 4 * OS_SECOND);
	os_clock_interval(os, &now);
	os_clock_advance(&mark, &now);
	cr_assert_str_neq(mark.boot_id, before.boot_id);
	cr_assert_eq(mark.wall, START + OS_SECOND);
}

Test(clock, extreme_marks_do_not_overflow)
{
	os_clock_mark high = {.wall = INT64_MAX, .boottime = INT64_MIN};
	os_clock_mark low = {.wall = INT64_MIN, .boottime = INT64_MAX};

	os_clock_interval(os, &now);
	memcpy(high.boot_id, now.boot_id, sizeof(high.boot_id));
	memcpy(low.boot_id, now.boot_id, sizeof(low.boot_id));
	cr_assert_neq(os_clock_judge(&high, &now, NULL), OS_CLOCK_OK);
	cr_assert_neq(os_clock_judge(&low, &now, NULL), OS_CLOCK_OK);
}

Test(clock, reasons)
{
	cr_assert_neq(strstr(os_clock_reason(OS_CLOCK_BEHIND), "behind"), NULL);
	cr_assert_neq(strstr(os_clock_reason(OS_CLOCK_STEPPED), "set"), NULL);
	cr_assert_not_null(os_clock_reason(OS_CLOCK_OK));
}

Test(clock, real_is_what_the_kernel_says)
{
	struct timex kernel = {0};
	int64_t before = os_now(hn_os_real());
	int state = adjtimex(&kernel);
	char *boot BASE_AUTO_FREE = NULL;

	os_clock_interval(hn_os_real(), &now);
	cr_assert_geq(now.wall, before);
	cr_assert_leq(now.wall, os_now(hn_os_real()));
	cr_assert_eq(now.latest - now.wall, now.wall - now.earliest);
	if (state >= 0) {
		/* The bound grows while nobody keeps the clock: at most 0.5 ms a second. */
		cr_assert_geq(now.latest - now.wall, kernel.maxerror * INT64_C(1000));
		cr_assert_leq(now.latest - now.wall, (kernel.maxerror + 10000) * INT64_C(1000));
		cr_assert_eq(now.synchronised, state != TIME_ERROR);
	}
	cr_assert_eq(os_read_file(hn_os_real(), "/proc/sys/kernel/random/boot_id", 64, &boot, NULL,
			     NULL),
		0);
	cr_assert_eq(strncmp(boot, now.boot_id, 36), 0);
	cr_assert_eq(now.boot_id[36], '\0');
}
