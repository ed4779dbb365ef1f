/* SPDX-License-Identifier: MIT
 *
 * Weekly schedules as text: what is read, what is printed, what the errors say.
 */
#include "codec/zones.h"

static codec_schedule_store store;

static codec_schedule read_text(const char *text)
{
	codec_schedule schedule;
	hn_error *err = NULL;
	int rc = codec_schedule_parse(text, strlen(text), &store, &schedule, &err);

	cr_assert_eq(rc, 0, "%s: %s", text, rc == 0 ? "" : hn_error_message(err));
	cr_assert_null(codec_schedule_wrong(&schedule), "%s", text);
	return schedule;
}

static void prints(const char *text, const char *expected)
{
	codec_schedule schedule = read_text(text);
	base_buf buf = {0};

	codec_schedule_print(&schedule, &buf);
	cr_assert_str_eq(buf.data, expected);
	base_buf_free(&buf);
}

static void refused_with(const char *text, int code, int64_t column, const char *words)
{
	codec_schedule schedule = {.window_count = 77};
	hn_error *err = NULL;
	hn_fact fact;

	cr_assert_eq(codec_schedule_parse(text, strlen(text), &store, &schedule, &err), code,
		"taken: %s", text);
	cr_expect_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
	cr_assert_eq(hn_error_fact(err, 0, &fact), 0);
	cr_expect_eq(fact.number, column, "%s: %s", text, hn_error_message(err));
	cr_expect_not_null(hn_error_hint(err), "%s says not what would be right", text);
	cr_assert_eq(schedule.window_count, 77u, "the output was touched");
	hn_error_unref(err);
}

static void refused(const char *text, int64_t column, const char *words)
{
	refused_with(text, HN_ESYNTAX, column, words);
}

Test(schedule_text, office_hours)
{
	codec_schedule schedule = read_text("Mon..Fri 09:00-17:30 Europe/Berlin");

	cr_assert_eq(schedule.window_count, 1u);
	cr_assert_eq(schedule.windows[0].days, 31);
	cr_assert_eq(schedule.windows[0].start, 540);
	cr_assert_eq(schedule.windows[0].end, 1050);
	cr_assert_eq(schedule.zone_size, strlen("Europe/Berlin"));
	cr_assert_eq(memcmp(schedule.zone, "Europe/Berlin", schedule.zone_size), 0);
	cr_assert_eq(schedule.excluded_count, 0u);
}

Test(schedule_text, days)
{
	cr_assert_eq(read_text("Mon 09:00-10:00 UTC").windows[0].days, 1);
	cr_assert_eq(read_text("Sun 09:00-10:00 UTC").windows[0].days, 64);
	cr_assert_eq(read_text("Mon,Wed,Fri..Sat 09:00-10:00 UTC").windows[0].days, 0x35);
	cr_assert_eq(read_text("Sat..Mon 09:00-10:00 UTC").windows[0].days, 0x61);
	cr_assert_eq(read_text("09:00-10:00 UTC").windows[0].days, 127);
	cr_assert_eq(read_text("Mon..Mon 09:00-10:00 UTC").windows[0].days, 1);
}

Test(schedule_text, several_windows)
{
	codec_schedule schedule = read_text(
		"Mon,Tue 09:00-12:00, 13:00-17:00; Sat 10:00-12:00 , Sun 22:00-02:00 UTC");

	cr_assert_eq(schedule.window_count, 4u);
	cr_assert_eq(schedule.windows[1].days, 3, "the days of the window before");
	cr_assert_eq(schedule.windows[1].start, 780);
	cr_assert_eq(schedule.windows[2].days, 32);
	cr_assert_eq(schedule.windows[3].start, 1320);
	cr_assert_eq(schedule.windows[3].end, 120);
}

Test(schedule_text, excluded_days_are_sorted)
{
	codec_schedule schedule =
		read_text("09:00-10:00 UTC except 2027-01-01, 2026-12-24..2026-12-26,1970-01-01");

	cr_assert_eq(schedule.excluded_count, 5u);
	cr_assert_eq(schedule.excluded[0], 0u);
	cr_assert_eq(schedule.excluded[1], (uint32_t)codec_day_of(2026, 12, 24));
	cr_assert_eq(schedule.excluded[4], (uint32_t)codec_day_of(2027, 1, 1));
}

Test(schedule_text, the_one_text)
{
	prints("Mon..Fri 09:00-17:30 Europe/Berlin", "Mon..Fri 09:00-17:30 Europe/Berlin");
	prints("  09:00-24:00   UTC  ", "Mon..Sun 09:00-24:00 UTC");
	prints("Sun,Sat,Mon 00:00-00:01 UTC", "Mon,Sat,Sun 00:00-00:01 UTC");
	prints("Fri..Mon 00:00-00:01 UTC", "Mon,Fri..Sun 00:00-00:01 UTC");
	prints("Mon 09:00-10:00,11:00-12:00 UTC", "Mon 09:00-10:00; Mon 11:00-12:00 UTC");
	prints("Mon 09:00-10:00 UTC except 2026-12-26,2026-12-24,2026-12-25,2027-01-01",
		"Mon 09:00-10:00 UTC except 2026-12-24..2026-12-26,2027-01-01");
	prints("Mon 09:00-10:00 UTC except 9999-12-31,2024-02-29",
		"Mon 09:00-10:00 UTC except 2024-02-29,9999-12-31");
}

Test(schedule_text, recurrence_rules)
{
	prints("FREQ=WEEKLY;BYDAY=MO,WE 09:00-10:00 UTC", "Mon,Wed 09:00-10:00 UTC");
	prints("RRULE:FREQ=WEEKLY;INTERVAL=1;WKST=SU;BYDAY=SA,SU 09:00-10:00 UTC",
		"Sat,Sun 09:00-10:00 UTC");
	refused_with("FREQ=SECONDLY;BYMONTH=2 09:00-10:00 UTC", HN_ENOSUP, 1, "not weekly");
	refused_with("RRULE:FREQ=DAILY 09:00-10:00 UTC", HN_ENOSUP, 1, "not weekly");
	refused_with("FREQ=WEEKLY 09:00-10:00 UTC", HN_ENOSUP, 1, "without days");
	refused_with("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO 09:00-10:00 UTC", HN_ENOSUP, 13, "not taken");
	refused_with("FREQ=WEEKLY;BYDAY=MO;COUNT=3 09:00-10:00 UTC", HN_ENOSUP, 22, "not taken");
	refused_with("FREQ=WEEKLY;BYDAY=MO;BYDAY=TU 09:00-10:00 UTC", HN_ENOSUP, 22, "not taken");
	refused("FREQ=WEEKLY;BYDAY=1MO 09:00-10:00 UTC", 19, "no day");
	refused("FREQ=WEEKLY;BYDAY=MO,MO 09:00-10:00 UTC", 22, "twice");
	refused("FREQ=WEEKLY;BYDAY=MO;INTERVAL=10 09:00-10:00 UTC", 32, "no space");
}

Test(schedule_text, bad_days)
{
	refused("", 1, "no day");
	refused("Monday 09:00-10:00 UTC", 4, "no space");
	refused("mon 09:00-10:00 UTC", 1, "no day");
	refused("Mon.Fri 09:00-10:00 UTC", 4, "no space");
	refused("Mon..  09:00-10:00 UTC", 6, "no day");
	refused("Mon, 09:00-10:00 UTC", 5, "no day");
	refused("Mon,Mon 09:00-10:00 UTC", 5, "twice");
	refused("Mon..Fri,Wed 09:00-10:00 UTC", 10, "twice");
	refused("Mon09:00-10:00 UTC", 4, "no space");
}

Test(schedule_text, bad_times)
{
	refused("Mon", 4, "no space");
	refused("Mon ", 5, "no time");
	refused("Mon 9:00-10:00 UTC", 5, "no time");
	refused("Mon 009:00-10:00 UTC", 5, "no time");
	refused("Mon 09:000-10:00 UTC", 5, "no time");
	refused("Mon 09.00-10:00 UTC", 5, "no time");
	refused("Mon 09:00 UTC", 10, "no end");
	refused("Mon 09:00-25:00 UTC", 11, "does not exist");
	refused("Mon 09:00-24:01 UTC", 11, "does not exist");
	refused("Mon 09:60-10:00 UTC", 5, "does not exist");
	refused("Mon 24:00-10:00 UTC", 5, "cannot start");
	refused("Mon 22:00-00:00 UTC", 11, "cannot end");
	refused("Mon 09:00-09:00 UTC", 5, "ends when it starts");
}

Test(schedule_text, bad_zones)
{
	refused("Mon 09:00-10:00", 16, "no zone");
	refused("Mon 09:00-10:00 ", 17, "no time zone");
	refused("Mon 09:00-10:00UTC", 16, "no zone");
	refused("Mon 09:00-10:00 ../../etc/passwd", 17, "no name of a zone");
	refused("Mon 09:00-10:00 Europe/Berlin/Mitte/x", 17, "no name of a zone");
	refused("Mon 09:00-10:00, UTC", 18, "no day");
	refused("Mon 09:00-10:00 UTC UTC", 21, "more than a schedule");
	refused("Mon 09:00-10:00 UTC\n", 17, "no name of a zone");
}

Test(schedule_text, bad_dates)
{
	refused("Mon 09:00-10:00 UTC except", 27, "no date");
	refused("Mon 09:00-10:00 UTC except 2026-1-1", 28, "no date");
	refused("Mon 09:00-10:00 UTC except 2026-02-29", 28, "does not exist");
	refused("Mon 09:00-10:00 UTC except 2026-13-01", 28, "does not exist");
	refused("Mon 09:00-10:00 UTC except 1969-12-31", 28, "does not exist");
	refused("Mon 09:00-10:00 UTC except 2026-12-00", 28, "does not exist");
	refused("Mon 09:00-10:00 UTC except 2026-12-24,2026-12-24", 39, "twice");
	refused("Mon 09:00-10:00 UTC except 2026-12-24..2026-12-23", 28, "go back");
	refused("Mon 09:00-10:00 UTC except 2026-12-24 2026-12-25", 39, "more than a schedule");
	refused("Mon 09:00-10:00 UTC except 2026-01-01..2027-01-02", 28, "366");
}

Test(schedule_text, dates_of_a_leap_year_fit)
{
	cr_assert_eq(read_text("Mon 09:00-10:00 UTC except 2024-01-01..2024-12-31").excluded_count,
		366u);
}

static int parse_windows(int count)
{
	base_buf buf = {0};
	codec_schedule schedule;

	for (int i = 0; i < count; i++)
		base_buf_format(&buf, "%s09:00-10:00", i == 0 ? "" : ",");
	base_buf_text(&buf, " UTC");
	int rc = codec_schedule_parse(buf.data, buf.size, &store, &schedule, NULL);
	base_buf_free(&buf);
	return rc;
}

Test(schedule_text, at_most_32_windows)
{
	cr_assert_eq(parse_windows(32), 0);
	cr_assert_eq(parse_windows(33), HN_ESYNTAX);
}

Test(schedule_text, nul_and_bytes_behind_the_size)
{
	codec_schedule schedule;

	cr_assert_eq(codec_schedule_parse(NULL, 0, &store, &schedule, NULL), HN_ESYNTAX);
	cr_assert_eq(codec_schedule_parse("09:00-10:00 UTC", 14, &store, &schedule, NULL), 0);
	cr_assert_eq(schedule.zone_size, 2u, "bytes behind the size were read");
	cr_assert_eq(
		codec_schedule_parse("09:00-10:00 UT\0", 15, &store, &schedule, NULL), HN_ESYNTAX);
}

Test(schedule_text, every_mask_comes_back)
{
	for (int mask = 1; mask < 128; mask++) {
		codec_window window = {(uint8_t)mask, 0, 1440};
		codec_schedule schedule = {
			.zone = "UTC", .zone_size = 3, .windows = &window, .window_count = 1};
		base_buf buf = {0};

		codec_schedule_print(&schedule, &buf);
		cr_expect_eq(read_text(buf.data).windows[0].days, mask, "%s", buf.data);
		base_buf_free(&buf);
	}
}
