/* SPDX-License-Identifier: MIT
 *
 * TZif data and TZ strings: what they say, and what is refused.
 */
#include "codec/zones.h"

static int32_t offset_at(const codec_zone *zone, int64_t instant)
{
	int64_t next = 0;
	int32_t offset = 0;

	codec_tzif_offset(zone, instant, &offset, &next);
	cr_assert_gt(next, instant);
	return offset;
}

static int64_t next_after(const codec_zone *zone, int64_t instant)
{
	int64_t next = 0;
	int32_t offset = 0;

	codec_tzif_offset(zone, instant, &offset, &next);
	return next;
}

static void refused(base_buf *buf, int code, const char *words)
{
	codec_zone *zone = (codec_zone *)buf;
	hn_error *err = NULL;

	cr_assert_eq(codec_tzif_parse(buf->data, buf->size, &zone, &err), code, "%s", words);
	cr_assert_eq(zone, (codec_zone *)buf, "the output was touched");
	cr_assert_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
	hn_error_unref(err);
	base_buf_free(buf);
	*buf = (base_buf){0};
}

Test(calendar, days_and_dates)
{
	cr_assert_eq(codec_day_of(1970, 1, 1), 0);
	cr_assert_eq(codec_day_of(1969, 12, 31), -1);
	cr_assert_eq(codec_day_of(2000, 2, 29), 11016);
	cr_assert_eq(codec_day_of(2000, 1, 1) * CODEC_DAY, CODEC_CYCLE_ORIGIN);
	cr_assert_eq(codec_day_of(9999, 12, 31), CODEC_LAST_DAY);
	cr_assert_eq(codec_weekday(0), 3);
	cr_assert_eq(codec_weekday(-4), 6);
	cr_assert_eq(codec_weekday(codec_day_of(2026, 11, 22)), 6);
}

Test(calendar, dates_of_days_come_back)
{
	for (int64_t day = -1000000; day < 3000000; day += 97) {
		int month = 0, date = 0;
		int64_t year = 0;

		codec_date_of(day, &year, &month, &date);
		cr_assert_eq(codec_day_of(year, month, date), day);
	}
}

Test(zone_name, names)
{
	static const char *const good[] = {"UTC", "Europe/Berlin", "America/Argentina/Ushuaia",
		"Etc/GMT+12", "America/Port-au-Prince", "GB", "EST5EDT", "Asia/Ust-Nera"};
	for (size_t i = 0; i < BASE_COUNT(good); i++)
		cr_expect(codec_zone_name_valid(good[i], strlen(good[i])), "%s", good[i]);
}

Test(negative, g65_names_that_are_paths)
{
	static const char *const bad[] = {"", "/", "../../etc/passwd", "/etc/passwd", "Europe/",
		"/Europe", "Europe//Berlin", "Europe/../UTC", "a/b/c/d", "Europe/Berlin.tab",
		"Europe Berlin", "Europe/Berl\xc3\xadn", "Europe\\Berlin", "~root", ".", "a:b",
		"%2e"};
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		cr_expect_not(codec_zone_name_valid(bad[i], strlen(bad[i])), "%s", bad[i]);
	cr_expect_not(codec_zone_name_valid("a\0b", 3));
}

Test(zone_name, at_most_64_bytes)
{
	char name[66];

	memset(name, 'a', sizeof(name));
	cr_assert(codec_zone_name_valid(name, 64));
	cr_assert_not(codec_zone_name_valid(name, 65));
}

Test(tzif, version_1)
{
	codec_zone *zone = NULL;
	base_buf buf = {0};

	zone_put_header(&buf, (zone_header){.time = 2, .type = 2, .chars = 8});
	zone_put(&buf, (uint32_t)-100, 4);
	zone_put(&buf, 200, 4);
	base_buf_add(&buf, "\1\0", 2);
	zone_put(&buf, 0, 4);
	base_buf_add(&buf, "\0\0", 2);
	zone_put(&buf, 3600, 4);
	base_buf_add(&buf, "\1\4", 2);
	base_buf_add(&buf, "UTC\0BST", 8);
	cr_assert_eq(codec_tzif_parse(buf.data, buf.size, &zone, NULL), 0);
	cr_assert_eq(offset_at(zone, -101), 0);
	cr_assert_eq(next_after(zone, -101), -100);
	cr_assert_eq(offset_at(zone, -100), 3600);
	cr_assert_eq(next_after(zone, -100), 200);
	cr_assert_eq(offset_at(zone, 199), 3600);
	cr_assert_eq(offset_at(zone, 200), 0);
	cr_assert_eq(next_after(zone, 200), INT64_MAX);
	codec_zone_free(zone);
	base_buf_add(&buf, "", 1);
	refused(&buf, HN_ECORRUPT, "bytes follow");
}

Test(tzif, versions_2_3_and_4)
{
	static const char versions[] = {'2', '3', '4'};

	for (size_t i = 0; i < BASE_COUNT(versions); i++) {
		codec_zone *zone = NULL;
		base_buf buf = {0};

		zone_put_footer_only(&buf, versions[i], 0, BERLIN);
		cr_assert_eq(codec_tzif_parse(buf.data, buf.size, &zone, NULL), 0);
		cr_assert_eq(offset_at(zone, utc(2026, 7, 1, 0, 0)), 7200);
		codec_zone_free(zone);
		base_buf_free(&buf);
	}
}

Test(tzif, an_empty_footer_leaves_the_last_type)
{
	codec_zone *zone = NULL;
	base_buf buf = {0};

	zone_put_footer_only(&buf, '2', -1234, "");
	cr_assert_eq(codec_tzif_parse(buf.data, buf.size, &zone, NULL), 0);
	cr_assert_eq(offset_at(zone, INT64_MAX - 1), -1234);
	cr_assert_eq(next_after(zone, 0), INT64_MAX);
	codec_zone_free(zone);
	base_buf_free(&buf);
}

/* One transition at 2026-03-29 01:00 UTC to +2:00, then Berlin's rule. */
static void put_with_transition(base_buf *buf, int64_t at, int32_t offset, const char *footer)
{
	zone_put_first(buf, '2');
	zone_put_header(buf, (zone_header){.version = '2', .time = 1, .type = 2, .chars = 4});
	zone_put(buf, (uint64_t)at, 8);
	base_buf_add(buf, "\1", 1);
	zone_put(buf, 3600, 4);
	base_buf_add(buf, "\0\0", 2);
	zone_put(buf, (uint32_t)offset, 4);
	base_buf_add(buf, "\1\0", 2);
	base_buf_add(buf, "CET", 4);
	base_buf_format(buf, "\n%s\n", footer);
}

Test(tzif, the_footer_goes_on_where_transitions_end)
{
	int64_t spring = utc(2026, 3, 29, 1, 0), autumn = utc(2026, 10, 25, 1, 0);
	codec_zone *zone = NULL;
	base_buf buf = {0};

	put_with_transition(&buf, spring, 7200, BERLIN);
	cr_assert_eq(codec_tzif_parse(buf.data, buf.size, &zone, NULL), 0);
	cr_assert_eq(offset_at(zone, spring - 1), 3600);
	cr_assert_eq(next_after(zone, spring - 1), spring);
	cr_assert_eq(offset_at(zone, spring), 7200);
	cr_assert_eq(next_after(zone, spring), autumn);
	cr_assert_eq(offset_at(zone, autumn), 3600);
	/* Before its transitions the file knows no daylight saving. */
	cr_assert_eq(offset_at(zone, utc(2025, 7, 1, 0, 0)), 3600);
	codec_zone_free(zone);
	base_buf_free(&buf);
}

Test(tzif, a_footer_that_contradicts)
{
	base_buf buf = {0};

	put_with_transition(&buf, utc(2026, 3, 29, 1, 0), 3601, BERLIN);
	refused(&buf, HN_ECORRUPT, "contradicts");
	put_with_transition(&buf, utc(2026, 3, 29, 0, 59), 7200, BERLIN);
	refused(&buf, HN_ECORRUPT, "contradicts");
}

Test(tzif, a_transition_that_changes_no_offset_is_none)
{
	int64_t winter = utc(2026, 1, 1, 0, 0);
	codec_zone *zone = NULL;
	base_buf buf = {0};

	put_with_transition(&buf, winter, 3600, BERLIN);
	cr_assert_eq(codec_tzif_parse(buf.data, buf.size, &zone, NULL), 0);
	cr_assert_eq(next_after(zone, winter - 1), utc(2026, 3, 29, 1, 0));
	cr_assert_eq(next_after(zone, winter), utc(2026, 3, 29, 1, 0));
	codec_zone_free(zone);
	base_buf_free(&buf);
}

Test(tzif, headers)
{
	base_buf buf = {0};

	refused(&buf, HN_ECORRUPT, "header is missing");
	base_buf_text(&buf, "TZif");
	refused(&buf, HN_ECORRUPT, "header is missing");
	zone_put_footer_only(&buf, '5', 0, BERLIN);
	refused(&buf, HN_ENEWER, "after 4");
	zone_put_footer_only(&buf, '1', 0, BERLIN);
	refused(&buf, HN_ECORRUPT, "version");
	zone_put_footer_only(&buf, '2', 0, BERLIN);
	buf.data[0] = 't';
	refused(&buf, HN_ECORRUPT, "header is missing");
	zone_put_footer_only(&buf, '2', 0, BERLIN);
	buf.data[51 + 4] = '3';
	refused(&buf, HN_ECORRUPT, "differ");
}

Test(tzif, counts_beyond_the_bytes)
{
	/* Each count in turn says 2^32 - 1. */
	for (int field = 0; field < 6; field++) {
		base_buf buf = {0};

		zone_put_footer_only(&buf, '2', 0, BERLIN);
		memset(buf.data + 51 + 20 + 4 * field, 0xff, 4);
		refused(&buf, HN_ECORRUPT, "more than it has bytes");
		zone_put_footer_only(&buf, '2', 0, BERLIN);
		memset(buf.data + 20 + 4 * field, 0xff, 4);
		refused(&buf, HN_ECORRUPT, "more than it has bytes");
	}
}

Test(tzif, every_truncation_is_refused)
{
	base_buf buf = {0};

	put_with_transition(&buf, utc(2026, 3, 29, 1, 0), 7200, BERLIN);
	for (size_t size = 0; size < buf.size; size++) {
		codec_zone *zone = NULL;

		cr_assert_lt(codec_tzif_parse(buf.data, size, &zone, NULL), 0, "%zu", size);
	}
	base_buf_free(&buf);
}

Test(tzif, more_than_64_kib)
{
	char *bytes = base_calloc(1, 65537);
	codec_zone *zone = NULL;

	cr_assert_eq(codec_tzif_parse(bytes, 65537, &zone, NULL), HN_ELIMIT);
	cr_assert_eq(codec_tzif_parse(bytes, 65536, &zone, NULL), HN_ECORRUPT);
	base_free(bytes);
}

/* One type; then `spoil` changes one byte of the data block. */
static void refused_when(size_t offset, char value, const char *words)
{
	base_buf buf = {0};

	put_with_transition(&buf, utc(2026, 3, 29, 1, 0), 7200, BERLIN);
	buf.data[51 + 44 + offset] = value;
	refused(&buf, HN_ECORRUPT, words);
}

Test(tzif, types)
{
	/* time 0..7, index 8, type 0: 9..14, type 1: 15..20, names 21..24 */
	refused_when(8, 2, "no type");
	refused_when(9, 1, "26 hours");
	refused_when(13, 2, "daylight flag");
	refused_when(14, 4, "no name");
	refused_when(24, 'x', "no name");
}

Test(tzif, no_types)
{
	base_buf buf = {0};

	zone_put_first(&buf, '2');
	zone_put_header(&buf, (zone_header){.version = '2', .chars = 1});
	base_buf_add(&buf, "\0\nUTC0\n", 7);
	refused(&buf, HN_ECORRUPT, "no types");
}

Test(tzif, transitions_that_do_not_rise)
{
	base_buf buf = {0};

	zone_put_first(&buf, '2');
	zone_put_header(&buf, (zone_header){.version = '2', .time = 2, .type = 1, .chars = 1});
	zone_put(&buf, 5, 8);
	zone_put(&buf, 5, 8);
	base_buf_add(&buf, "\0\0\0\0\0\0\0\0\0\nUTC0\n", 15);
	refused(&buf, HN_ECORRUPT, "do not rise");
}

Test(tzif, indicators)
{
	static const struct {
		uint32_t utc, standard;
		const char *bytes, *words;
	} rows[] = {{1, 1, "\1\1", NULL}, {0, 1, "\1", NULL}, {1, 1, "\0\1", "UT indicator"},
		{1, 0, "\1", "UT indicator"}, {0, 1, "\2", "standard indicator"},
		{1, 1, "\0\2", "UT indicator"}, {2, 0, "\0\0", "some types"},
		{0, 2, "\0\0", "some types"}};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		codec_zone *zone = NULL;
		base_buf buf = {0};

		zone_put_first(&buf, '2');
		zone_put_header(&buf, (zone_header){.version = '2',
					      .utc = rows[i].utc,
					      .standard = rows[i].standard,
					      .type = 1,
					      .chars = 1});
		base_buf_add(&buf, "\0\0\0\0\0\0\0", 7);
		base_buf_add(&buf, rows[i].bytes, rows[i].utc + rows[i].standard);
		base_buf_text(&buf, "\nUTC0\n");
		if (rows[i].words != NULL) {
			refused(&buf, HN_ECORRUPT, rows[i].words);
			continue;
		}
		cr_assert_eq(codec_tzif_parse(buf.data, buf.size, &zone, NULL), 0, "row %zu", i);
		codec_zone_free(zone);
		base_buf_free(&buf);
	}
}

Test(tzif, leap_seconds_are_not_taken)
{
	base_buf buf = {0};

	zone_put_first(&buf, '2');
	zone_put_header(&buf, (zone_header){.version = '2', .leap = 1, .type = 1, .chars = 1});
	base_buf_add(&buf, "\0\0\0\0\0\0\0", 7);
	zone_put(&buf, 78796800, 8);
	zone_put(&buf, 1, 4);
	base_buf_text(&buf, "\nUTC0\n");
	refused(&buf, HN_ENOSUP, "leap seconds");
}

Test(footer, strings_that_are_none)
{
	static const char *const bad[] = {"CET", "C-1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-25",
		"CET-1CEST,M3.5.0,M10.5.0/3,", "CET-1CEST,M13.5.0,M10.5.0",
		"CET-1CEST,M0.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.0.0,M10.5.0",
		"CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,M10.5.0", "CET-1CEST,J366,M10.5.0",
		"CET-1CEST,366,M10.5.0", "CET-1CEST,M3.5.0/168,M10.5.0",
		"CET-1CEST,M3.5.0/-168,M10.5.0", "CET-1:60", "CET-1:0:60",
		"CET-1CEST,M3.5.0/2:60,M10.5.0", "<CET-1", "<>-1", "<A+>-1", "CET-", " CET-1",
		"CET-1 ", "CET-1CEST M3.5.0,M10.5.0", "CET-0001", "C1T-1", "CET--1"};
	codec_footer footer;

	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		cr_expect_not(
			codec_footer_parse(bad[i], strlen(bad[i]), true, &footer), "%s", bad[i]);
}

Test(footer, long_and_negative_times_only_since_version_3)
{
	static const char *const texts[] = {"XXX0YYY,M3.5.0/-1,M10.5.0",
		"XXX0YYY,M3.5.0/25,M10.5.0", "XXX0YYY,M3.5.0/+1,M10.5.0"};
	codec_footer footer;

	for (size_t i = 0; i < BASE_COUNT(texts); i++) {
		cr_expect(codec_footer_parse(texts[i], strlen(texts[i]), true, &footer));
		cr_expect_not(codec_footer_parse(texts[i], strlen(texts[i]), false, &footer));
	}
}

/* Where a year's transitions lie, in UTC. */
static void expect_transitions(
	const char *footer, int year, int64_t first, int64_t second, int32_t first_offset)
{
	codec_zone *zone = zone_of(footer);
	int64_t begin = utc(year, 1, 1, 0, 0);

	cr_expect_eq(next_after(zone, begin), first, "%s: %ld", footer,
		(long)(next_after(zone, begin) - first));
	cr_expect_eq(next_after(zone, first), second, "%s: %ld", footer,
		(long)(next_after(zone, first) - second));
	cr_expect_eq(offset_at(zone, first), first_offset, "%s", footer);
	codec_zone_free(zone);
}

Test(footer, weeks)
{
	expect_transitions(BERLIN, 2026, utc(2026, 3, 29, 1, 0), utc(2026, 10, 25, 1, 0), 7200);
	expect_transitions("EST5EDT,M3.2.0,M11.1.0", 2026, utc(2026, 3, 8, 7, 0),
		utc(2026, 11, 1, 6, 0), -4 * 3600);
	/* the south: daylight saving ends in autumn */
	expect_transitions(
		LORD_HOWE, 2026, utc(2026, 4, 4, 15, 0), utc(2026, 10, 3, 15, 30), 37800);
}

Test(footer, negative_daylight_saving)
{
	/* Ireland's winter is the exception there. */
	expect_transitions("IST-1GMT0,M10.5.0,M3.5.0/1", 2026, utc(2026, 3, 29, 1, 0),
		utc(2026, 10, 25, 1, 0), 3600);
}

Test(footer, days_with_and_without_29_february)
{
	expect_transitions("XXX0YYY,J60/0,J300/0", 2024, utc(2024, 3, 1, 0, 0),
		utc(2024, 10, 26, 23, 0), 3600);
	expect_transitions("XXX0YYY,J60/0,J300/0", 2026, utc(2026, 3, 1, 0, 0),
		utc(2026, 10, 26, 23, 0), 3600);
	expect_transitions("XXX0YYY,J59/0,J300/0", 2024, utc(2024, 2, 28, 0, 0),
		utc(2024, 10, 26, 23, 0), 3600);
	expect_transitions(
		"XXX0YYY,59/0,299/0", 2024, utc(2024, 2, 29, 0, 0), utc(2024, 10, 25, 23, 0), 3600);
	expect_transitions(
		"XXX0YYY,59/0,299/0", 2026, utc(2026, 3, 1, 0, 0), utc(2026, 10, 26, 23, 0), 3600);
}

Test(footer, times_before_and_after_their_day)
{
	/* Greenland since 2023; a Thursday by way of Saturday. */
	expect_transitions("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2026, utc(2026, 3, 29, 1, 0),
		utc(2026, 10, 25, 1, 0), -3600);
	expect_transitions("IST-2IDT,M3.4.4/26,M10.5.0", 2026, utc(2026, 3, 27, 0, 0),
		utc(2026, 10, 24, 23, 0), 3 * 3600);
	expect_transitions("XXX0YYY,M3.1.0/167,M10.5.0/0", 2026, utc(2026, 3, 7, 23, 0),
		utc(2026, 10, 24, 23, 0), 3600);
}

Test(footer, daylight_saving_all_year)
{
	/* The example of RFC 9636 section 3.3.1. */
	codec_zone *zone = zone_of("XXX3EDT4,0/0,J365/23");

	for (int year = 1900; year < 2500; year += 7) {
		cr_expect_eq(offset_at(zone, utc(year, 1, 1, 3, 0)), -4 * 3600);
		cr_expect_eq(offset_at(zone, utc(year, 7, 1, 3, 0)), -4 * 3600);
	}
	cr_assert_eq(next_after(zone, 0), INT64_MAX);
	codec_zone_free(zone);
}

Test(footer, transitions_on_both_sides_of_new_year)
{
	codec_zone *zone = zone_of("XXX0YYY,J365/25,J1/12");

	/* From 1 January 01:00 UTC to 11:00 UTC. */
	for (int year = 1990; year < 2410; year++) {
		cr_assert_eq(offset_at(zone, utc(year, 1, 1, 0, 59)), 0, "%d", year);
		cr_assert_eq(offset_at(zone, utc(year, 1, 1, 1, 0)), 3600, "%d", year);
		cr_assert_eq(offset_at(zone, utc(year, 1, 1, 10, 59)), 3600, "%d", year);
		cr_assert_eq(offset_at(zone, utc(year, 1, 1, 11, 0)), 0, "%d", year);
	}
	codec_zone_free(zone);
}

Test(footer, a_start_that_slips_behind_the_end_of_the_next_year)
{
	/* Starts on 2 January 17:00, ends on 1 January 11:00. */
	codec_zone *zone = zone_of("XXX0YYY,J365/65,J1/12");

	for (int year = 1990; year < 2410; year++) {
		cr_assert_eq(offset_at(zone, utc(year, 1, 1, 10, 59)), 3600, "%d", year);
		cr_assert_eq(offset_at(zone, utc(year, 1, 1, 11, 0)), 0, "%d", year);
		cr_assert_eq(offset_at(zone, utc(year, 1, 2, 16, 59)), 0, "%d", year);
		cr_assert_eq(offset_at(zone, utc(year, 1, 2, 17, 0)), 3600, "%d", year);
	}
	codec_zone_free(zone);
}

Test(footer, daylight_saving_that_ends_when_it_begins)
{
	codec_zone *zone = zone_of("XXX0YYY,M3.5.0/2,M3.5.0/3");

	cr_assert_eq(offset_at(zone, utc(2026, 3, 29, 2, 0)), 0);
	cr_assert_eq(offset_at(zone, utc(2026, 7, 1, 0, 0)), 0);
	cr_assert_eq(next_after(zone, 0), INT64_MAX);
	codec_zone_free(zone);
}

Test(footer, one_offset_under_two_names)
{
	codec_zone *zone = zone_of("XXX-1YYY-1,M3.5.0,M10.5.0");

	cr_assert_eq(offset_at(zone, 0), 3600);
	cr_assert_eq(next_after(zone, 0), INT64_MAX);
	codec_zone_free(zone);
}

Test(negative, g66_2038_and_later_by_footer)
{
	codec_zone *zone = zone_of(BERLIN);

	for (int year = 2038; year < 5000; year += 31) {
		int64_t january = utc(year, 1, 15, 12, 0), july = utc(year, 7, 15, 12, 0);

		cr_assert_eq(offset_at(zone, january), 3600, "%d", year);
		cr_assert_eq(offset_at(zone, july), 7200, "%d", year);
		cr_assert_lt(next_after(zone, january), july);
		cr_assert_gt(next_after(zone, january), january);
	}
	codec_zone_free(zone);
}

Test(tzif, the_ends_of_time)
{
	static const int64_t instants[] = {INT64_MIN, INT64_MIN + 1, -(INT64_C(1) << 60) - 1,
		-(INT64_C(1) << 60), INT64_C(1) << 60, (INT64_C(1) << 60) + 1, INT64_MAX - 1};
	codec_zone *zone = zone_of(BERLIN);

	for (size_t i = 0; i < BASE_COUNT(instants); i++) {
		int32_t offset = offset_at(zone, instants[i]);

		cr_assert(offset == 3600 || offset == 7200);
	}
	codec_zone_free(zone);
}

Test(tzif, each_transition_changes_the_offset)
{
	static const char *const footers[] = {BERLIN, LORD_HOWE, "EST5EDT,M3.2.0,M11.1.0",
		"IST-1GMT0,M10.5.0,M3.5.0/1", "XXX0YYY,J365/25,J1/12"};

	for (size_t i = 0; i < BASE_COUNT(footers); i++) {
		codec_zone *zone = zone_of(footers[i]);
		int64_t at = utc(1801, 1, 5, 0, 0);

		for (int steps = 0; steps < 2000; steps++) {
			int64_t next = next_after(zone, at);

			cr_assert_eq(offset_at(zone, at), offset_at(zone, next - 1));
			cr_assert_neq(offset_at(zone, next - 1), offset_at(zone, next));
			at = next;
		}
		cr_assert_geq(at, utc(2800, 1, 1, 0, 0));
		codec_zone_free(zone);
	}
}
