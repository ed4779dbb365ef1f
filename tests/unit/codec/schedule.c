/* SPDX-License-Identifier: MIT
 *
 * Weekly schedules over daylight saving, midnight and the end of the week: when they are open, and
 * until when that holds.
 */
#include "codec/zones.h"

enum { MON = 1, SUN = 64, WORKDAYS = 31, ALL = 127 };

static codec_schedule one_window(const codec_window *window)
{
	return (codec_schedule){
		.zone = "UTC", .zone_size = 3, .windows = window, .window_count = 1};
}

static bool open_at(const codec_schedule *schedule, const codec_zone *zone, int64_t instant)
{
	int64_t edge = 0;
	bool open = false;

	codec_schedule_check(schedule, zone, instant, &open, &edge);
	cr_assert_gt(edge, instant);
	return open;
}

static int64_t edge_at(const codec_schedule *schedule, const codec_zone *zone, int64_t instant)
{
	int64_t edge = 0;
	bool open = false;

	codec_schedule_check(schedule, zone, instant, &open, &edge);
	return edge;
}

/* Minutes in [from, until) at which it is open. */
static int open_minutes(
	const codec_schedule *schedule, const codec_zone *zone, int64_t from, int64_t until)
{
	int minutes = 0;

	for (int64_t at = from; at < until; at += 60)
		minutes += open_at(schedule, zone, at);
	return minutes;
}

Test(schedule, office_hours)
{
	const codec_window window = {WORKDAYS, 540, 1050};
	codec_schedule schedule = one_window(&window);
	codec_zone *zone = zone_of(BERLIN);
	int64_t nine = utc(2026, 11, 23, 8, 0), half_past_five = utc(2026, 11, 23, 16, 30);

	cr_assert_not(open_at(&schedule, zone, nine - 1));
	cr_assert_eq(edge_at(&schedule, zone, nine - 1), nine);
	cr_assert(open_at(&schedule, zone, nine));
	cr_assert_eq(edge_at(&schedule, zone, nine), half_past_five);
	cr_assert(open_at(&schedule, zone, half_past_five - 1));
	cr_assert_not(open_at(&schedule, zone, half_past_five));
	cr_assert_eq(edge_at(&schedule, zone, half_past_five), nine + CODEC_DAY);
	/* Friday's end to Monday's begin */
	cr_assert_eq(edge_at(&schedule, zone, utc(2026, 11, 27, 16, 30)), utc(2026, 11, 30, 8, 0));
	cr_assert_not(open_at(&schedule, zone, utc(2026, 11, 28, 12, 0)));
	codec_zone_free(zone);
}

Test(schedule, each_day_bit_is_its_day)
{
	codec_zone *zone = zone_of("UTC0");

	for (int bit = 0; bit < 7; bit++) {
		const codec_window window = {(uint8_t)(1 << bit), 0, 1440};
		codec_schedule schedule = one_window(&window);

		/* 2026-11-23 is a Monday. */
		for (int day = 0; day < 7; day++)
			cr_expect_eq(open_at(&schedule, zone, utc(2026, 11, 23 + day, 12, 0)),
				day == bit);
	}
	codec_zone_free(zone);
}

Test(negative, g62_spring_gap)
{
	const codec_window window = {SUN, 120, 180};
	codec_schedule schedule = one_window(&window);
	codec_zone *zone = zone_of(BERLIN);
	int64_t from = utc(2026, 3, 28, 12, 0), until = utc(2026, 3, 29, 22, 0);
	int64_t opening = 0;

	cr_assert_eq(open_minutes(&schedule, zone, from, until), 0);
	/* An ordinary Sunday has its hour, and that is when it opens next. */
	cr_assert_eq(
		open_minutes(&schedule, zone, from + 7 * CODEC_DAY, until + 7 * CODEC_DAY), 60);
	cr_assert(codec_schedule_opens(&schedule, zone, from, &opening));
	cr_assert_eq(opening, utc(2026, 4, 5, 0, 0));
	codec_zone_free(zone);
}

Test(negative, g62_window_over_the_spring_gap_is_an_hour_shorter)
{
	const codec_window window = {SUN, 60, 240};
	codec_schedule schedule = one_window(&window);
	codec_zone *zone = zone_of(BERLIN);
	int64_t gap = utc(2026, 3, 29, 1, 0);

	cr_assert_eq(open_minutes(&schedule, zone, gap - CODEC_DAY, gap + CODEC_DAY), 120);
	cr_assert_eq(edge_at(&schedule, zone, gap - 1800), gap, "asked again at the transition");
	cr_assert_eq(edge_at(&schedule, zone, gap), utc(2026, 3, 29, 2, 0));
	codec_zone_free(zone);
}

Test(negative, g63_autumn_overlap_both_passes)
{
	const codec_window window = {SUN, 120, 180};
	codec_schedule schedule = one_window(&window);
	codec_zone *zone = zone_of(BERLIN);
	int64_t first = utc(2026, 10, 25, 0, 0), second = utc(2026, 10, 25, 1, 0);

	cr_assert_eq(
		open_minutes(&schedule, zone, first - CODEC_DAY / 2, first + CODEC_DAY / 2), 120);
	cr_assert(open_at(&schedule, zone, first));
	cr_assert_eq(edge_at(&schedule, zone, first), second);
	cr_assert(open_at(&schedule, zone, second));
	cr_assert_eq(edge_at(&schedule, zone, second), second + 3600);
	cr_assert_not(open_at(&schedule, zone, second + 3600));
	cr_assert_not(open_at(&schedule, zone, first - 1));
	codec_zone_free(zone);
}

Test(negative, g63_shut_between_the_passes)
{
	/* 02:00-02:30 is open twice, with half an hour between. */
	const codec_window window = {SUN, 120, 150};
	codec_schedule schedule = one_window(&window);
	codec_zone *zone = zone_of(BERLIN);
	int64_t first = utc(2026, 10, 25, 0, 0);

	cr_assert(open_at(&schedule, zone, first + 1799));
	cr_assert_not(open_at(&schedule, zone, first + 1800));
	cr_assert_eq(edge_at(&schedule, zone, first + 1800), first + 3600);
	cr_assert(open_at(&schedule, zone, first + 3600));
	cr_assert_not(open_at(&schedule, zone, first + 5400));
	codec_zone_free(zone);
}

Test(negative, g64_over_midnight_belongs_to_the_day_it_starts)
{
	const codec_window window = {SUN, 1320, 120};
	codec_schedule schedule = one_window(&window);
	codec_zone *zone = zone_of("UTC0");
	int64_t ten = utc(2026, 11, 22, 22, 0), two = utc(2026, 11, 23, 2, 0);

	cr_assert_not(open_at(&schedule, zone, ten - 1));
	cr_assert(open_at(&schedule, zone, ten));
	cr_assert_eq(edge_at(&schedule, zone, ten), two);
	cr_assert(open_at(&schedule, zone, two - 1), "Monday's first hours are Sunday's window");
	cr_assert_eq(edge_at(&schedule, zone, two - 3600), two);
	cr_assert_not(open_at(&schedule, zone, two));
	cr_assert_not(open_at(&schedule, zone, utc(2026, 11, 22, 1, 0)), "no window on Saturday");
	codec_zone_free(zone);
}

Test(negative, g64_sunday_to_monday_with_daylight_saving)
{
	const codec_window window = {SUN, 1320, 120};
	codec_schedule schedule = one_window(&window);
	/* Clocks go from 23:30 to 00:30, and from 00:30 back to 23:30, on Sundays. */
	codec_zone *zone = zone_of("XXX0YYY,M3.5.0/23:30,M10.5.1/0:30");

	/* Spring: 22:00 to 02:00 is 3 hours long. */
	cr_assert_eq(
		open_minutes(&schedule, zone, utc(2026, 3, 29, 12, 0), utc(2026, 3, 30, 12, 0)),
		180);
	cr_assert_eq(edge_at(&schedule, zone, utc(2026, 3, 29, 22, 0)), utc(2026, 3, 29, 23, 30));
	/* Autumn: local 26 October 00:30 is 25 October 23:30 UTC. */
	cr_assert_eq(
		open_minutes(&schedule, zone, utc(2026, 10, 25, 12, 0), utc(2026, 10, 26, 12, 0)),
		300);
	codec_zone_free(zone);
}

Test(negative, g65_kathmandu_and_lord_howe)
{
	const codec_window nine_to_ten = {ALL, 540, 600}, two_to_half_past = {SUN, 120, 150};
	codec_schedule schedule = one_window(&nine_to_ten);
	codec_zone *zone = zone_of(KATHMANDU);

	cr_assert_not(open_at(&schedule, zone, utc(2026, 6, 1, 3, 14)));
	cr_assert(open_at(&schedule, zone, utc(2026, 6, 1, 3, 15)));
	cr_assert_eq(edge_at(&schedule, zone, utc(2026, 6, 1, 3, 15)), utc(2026, 6, 1, 4, 15));
	codec_zone_free(zone);
	/* Half an hour of daylight saving: 02:00 becomes 02:30, then 02:00 becomes 01:30. */
	zone = zone_of(LORD_HOWE);
	schedule = one_window(&two_to_half_past);
	cr_assert_eq(
		open_minutes(&schedule, zone, utc(2026, 10, 3, 0, 0), utc(2026, 10, 4, 12, 0)), 0);
	schedule = one_window(&(codec_window){SUN, 90, 120});
	cr_assert_eq(
		open_minutes(&schedule, zone, utc(2026, 4, 4, 0, 0), utc(2026, 4, 5, 12, 0)), 60);
	codec_zone_free(zone);
}

Test(negative, g66_open_in_2100)
{
	const codec_window window = {WORKDAYS, 540, 1050};
	codec_schedule schedule = one_window(&window);
	codec_zone *zone = zone_of(BERLIN);

	/* 2100-07-05 is a Monday in summer, 2100-01-04 one in winter. */
	cr_assert(open_at(&schedule, zone, utc(2100, 7, 5, 7, 0)));
	cr_assert_not(open_at(&schedule, zone, utc(2100, 7, 5, 6, 59)));
	cr_assert(open_at(&schedule, zone, utc(2100, 1, 4, 8, 0)));
	cr_assert_not(open_at(&schedule, zone, utc(2100, 1, 4, 7, 59)));
	codec_zone_free(zone);
}

Test(schedule, excluded_days_start_no_window)
{
	const codec_window windows[] = {{ALL, 540, 600}, {ALL, 1320, 60}};
	const uint32_t excluded[] = {(uint32_t)codec_day_of(2026, 12, 24)};
	codec_schedule schedule = {.zone = "UTC",
		.zone_size = 3,
		.windows = windows,
		.window_count = 2,
		.excluded = excluded,
		.excluded_count = 1};
	codec_zone *zone = zone_of("UTC0");

	cr_assert(open_at(&schedule, zone, utc(2026, 12, 24, 0, 30)), "it started on the 23rd");
	cr_assert_not(open_at(&schedule, zone, utc(2026, 12, 24, 9, 30)));
	cr_assert_not(open_at(&schedule, zone, utc(2026, 12, 24, 23, 0)));
	cr_assert_not(open_at(&schedule, zone, utc(2026, 12, 25, 0, 30)));
	cr_assert(open_at(&schedule, zone, utc(2026, 12, 25, 9, 30)));
	cr_assert_eq(edge_at(&schedule, zone, utc(2026, 12, 24, 1, 0)), utc(2026, 12, 25, 9, 0));
	codec_zone_free(zone);
}

Test(schedule, the_longest_open_window_counts)
{
	const codec_window windows[] = {{ALL, 540, 600}, {ALL, 570, 660}, {ALL, 590, 610}};
	codec_schedule schedule = {
		.zone = "UTC", .zone_size = 3, .windows = windows, .window_count = 3};
	codec_zone *zone = zone_of("UTC0");

	cr_assert_eq(edge_at(&schedule, zone, utc(2026, 1, 1, 9, 0)), utc(2026, 1, 1, 10, 0));
	cr_assert_eq(edge_at(&schedule, zone, utc(2026, 1, 1, 9, 55)), utc(2026, 1, 1, 11, 0));
	cr_assert_eq(edge_at(&schedule, zone, utc(2026, 1, 1, 0, 0)), utc(2026, 1, 1, 9, 0));
	codec_zone_free(zone);
}

Test(schedule, the_next_opening_skips_excluded_weeks)
{
	const codec_window window = {MON, 540, 600};
	codec_schedule schedule = one_window(&window);
	uint32_t excluded[CODEC_EXCLUDED_DAYS];
	codec_zone *zone = zone_of(BERLIN);
	int64_t monday = codec_day_of(2026, 11, 23), opening = 0;

	for (uint32_t i = 0; i < CODEC_EXCLUDED_DAYS; i++)
		excluded[i] = (uint32_t)monday + 7 * i;
	schedule.excluded = excluded;
	schedule.excluded_count = CODEC_EXCLUDED_DAYS;
	cr_assert(codec_schedule_opens(&schedule, zone, monday * CODEC_DAY, &opening));
	/* seven years later, in winter */
	cr_assert_eq(opening, (monday + 7 * CODEC_EXCLUDED_DAYS) * CODEC_DAY + 8 * 3600);
	cr_assert_eq(codec_weekday(opening / CODEC_DAY), 0);
	codec_zone_free(zone);
}

Test(schedule, opens_now_when_it_is_open)
{
	const codec_window window = {ALL, 0, 1440};
	codec_schedule schedule = one_window(&window);
	codec_zone *zone = zone_of("UTC0");
	int64_t opening = 0;

	cr_assert(codec_schedule_opens(&schedule, zone, 12345, &opening));
	cr_assert_eq(opening, 12345);
	codec_zone_free(zone);
}

Test(schedule, all_but_the_spring_gap_excluded)
{
	/* The one Sunday left in seven years is that on which the hour does not exist. */
	const codec_window window = {SUN, 120, 180};
	codec_schedule schedule = one_window(&window);
	uint32_t excluded[CODEC_EXCLUDED_DAYS];
	codec_zone *zone = zone_of(BERLIN);
	int64_t gap = codec_day_of(2026, 3, 29), opening = 0;

	for (uint32_t i = 0; i < CODEC_EXCLUDED_DAYS; i++)
		excluded[i] = (uint32_t)gap + 7 * (i + 1);
	schedule.excluded = excluded;
	schedule.excluded_count = CODEC_EXCLUDED_DAYS;
	cr_assert_eq(
		open_minutes(&schedule, zone, (gap - 1) * CODEC_DAY, (gap + 30) * CODEC_DAY), 0);
	cr_assert(codec_schedule_opens(&schedule, zone, (gap - 1) * CODEC_DAY, &opening));
	cr_assert_gt(opening, utc(2033, 1, 1, 0, 0));
	codec_zone_free(zone);
}

/* The answer by definition: the local time of each second, without edges. */
static bool by_definition(const codec_schedule *schedule, const codec_zone *zone, int64_t instant)
{
	int64_t next = 0;
	int32_t offset = 0;

	codec_tzif_offset(zone, instant, &offset, &next);
	int64_t day = codec_floor_div(instant + offset, CODEC_DAY);
	int64_t minute = (instant + offset - day * CODEC_DAY) / 60;
	for (size_t i = 0; i < schedule->window_count; i++) {
		const codec_window *w = &schedule->windows[i];
		int64_t end = w->start < w->end ? w->end : w->end + CODEC_MINUTES;

		for (int back = 0; back < 2; back++) {
			int64_t since = minute + back * CODEC_MINUTES;
			bool excluded = false;

			for (size_t j = 0; j < schedule->excluded_count; j++)
				excluded = excluded || schedule->excluded[j] == day - back;
			if (!excluded && since >= w->start && since < end &&
				(w->days >> codec_weekday(day - back) & 1) != 0)
				return true;
		}
	}
	return false;
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static codec_schedule random_schedule(
	uint32_t *state, codec_window windows[4], uint32_t excluded[8], int64_t first_day)
{
	codec_schedule made = {.zone = "UTC",
		.zone_size = 3,
		.windows = windows,
		.window_count = 1 + next_random(state) % 4,
		.excluded = excluded,
		.excluded_count = next_random(state) % 8};

	for (size_t i = 0; i < made.window_count; i++) {
		windows[i].days = (uint8_t)(1 + next_random(state) % 127);
		windows[i].start = (uint16_t)(next_random(state) % 96 * 15);
		do
			windows[i].end = (uint16_t)(15 + next_random(state) % 96 * 15);
		while (windows[i].end == windows[i].start);
	}
	for (size_t i = 0; i < made.excluded_count; i++)
		excluded[i] = (uint32_t)(first_day + (int64_t)i * 3 + next_random(state) % 3);
	cr_assert_null(codec_schedule_wrong(&made));
	return made;
}

Test(schedule, answers_hold_until_their_edge)
{
	static const char *const footers[] = {BERLIN, LORD_HOWE, KATHMANDU,
		"XXX0YYY,M3.5.0/23:30,M10.5.1/0:30", "XXX0YYY-3,M3.5.0/-1,M10.5.0/25"};
	uint32_t state = 20261122;

	for (int round = 0; round < 200; round++) {
		codec_zone *zone = zone_of(footers[round % 5]);
		int64_t first_day = codec_day_of(2026, round % 2 == 0 ? 3 : 10, 20);
		uint32_t excluded[8];
		codec_window windows[4];
		codec_schedule schedule = random_schedule(&state, windows, excluded, first_day);
		int64_t at = first_day * CODEC_DAY, until = at + 20 * CODEC_DAY, edge = 0;

		while (at < until) {
			bool open = false;

			codec_schedule_check(&schedule, zone, at, &open, &edge);
			for (; at < edge && at < until; at += 300)
				cr_assert_eq(by_definition(&schedule, zone, at), open,
					"round %d at %ld", round, (long)at);
			at = edge;
		}
		codec_zone_free(zone);
	}
}

Test(schedule, what_is_wrong)
{
	static const struct {
		codec_window window;
		const char *words;
	} rows[] = {{{0, 540, 600}, "day"}, {{128, 540, 600}, "day"}, {{1, 1440, 600}, "starts at"},
		{{1, 540, 1441}, "ends at"}, {{1, 540, 0}, "ends at"},
		{{1, 540, 540}, "when it starts"}};
	const codec_window good = {1, 540, 600};
	const uint32_t twice[] = {5, 5}, falling[] = {6, 5}, late[] = {CODEC_LAST_DAY + 1};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		codec_schedule schedule = one_window(&rows[i].window);
		const char *said = codec_schedule_wrong(&schedule);

		cr_assert_not_null(said, "row %zu", i);
		cr_expect_not_null(strstr(said, rows[i].words), "%s", said);
	}
	codec_schedule schedule = one_window(&good);
	cr_assert_null(codec_schedule_wrong(&schedule));
	schedule.window_count = 0;
	cr_assert_not_null(codec_schedule_wrong(&schedule));
	schedule.window_count = 33;
	cr_assert_not_null(codec_schedule_wrong(&schedule));
	schedule = one_window(&good);
	schedule.excluded_count = 2;
	schedule.excluded = twice;
	cr_assert_not_null(codec_schedule_wrong(&schedule));
	schedule.excluded = falling;
	cr_assert_not_null(codec_schedule_wrong(&schedule));
	schedule.excluded = late;
	schedule.excluded_count = 1;
	cr_assert_not_null(codec_schedule_wrong(&schedule));
	schedule.excluded_count = 367;
	cr_assert_not_null(codec_schedule_wrong(&schedule));
	schedule = one_window(&good);
	schedule.zone = "../x", schedule.zone_size = 4;
	cr_assert_not_null(codec_schedule_wrong(&schedule));
}

Test(schedule, the_ends_of_time)
{
	const codec_window window = {ALL, 0, 1440};
	codec_schedule schedule = one_window(&window);
	codec_zone *zone = zone_of(BERLIN);
	int64_t edge = 0;
	bool open = false;

	codec_schedule_check(&schedule, zone, INT64_MAX, &open, &edge);
	cr_assert(open);
	codec_schedule_check(&schedule, zone, INT64_MIN, &open, &edge);
	cr_assert(open);
	codec_zone_free(zone);
}
