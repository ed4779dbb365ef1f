/* SPDX-License-Identifier: MIT
 *
 * Weekly schedules as text: reading with errors that say the column and what would be right, and
 * the one text of a schedule.
 */
#include "codec/codec-private.h"
#include <inttypes.h>

enum { EVERY_DAY = 127 };
static const char day_names[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
static const char rule_names[7][3] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

typedef struct reader {
	const char *text;
	size_t size, at;
	hn_error **err;
	codec_schedule_store store;
	size_t windows, excluded;
} reader;

static int fail_at(const reader *in, size_t at, hn_code code, const char *hint, const char *what)
{
	char quoted[BASE_QUOTE_SIZE];
	size_t rest = in->size - at;
	int rc = base_error(in->err, code, "codec", hint, "schedule, column %zu: %s at '%s'",
		at + 1, what, base_quote(quoted, in->text + at, rest < 24 ? rest : 24));

	base_error_fact_number(in->err, "column", (int64_t)at + 1);
	return rc;
}

static int fail(const reader *in, const char *hint, const char *what)
{
	return fail_at(in, in->at, HN_ESYNTAX, hint, what);
}

static bool is_next(const reader *in, const char *word)
{
	size_t length = strlen(word);

	return in->size - in->at >= length && memcmp(in->text + in->at, word, length) == 0;
}

static bool take(reader *in, const char *word)
{
	if (!is_next(in, word))
		return false;
	in->at += strlen(word);
	return true;
}

static bool take_spaces(reader *in)
{
	size_t start = in->at;

	while (in->at < in->size && (in->text[in->at] == ' ' || in->text[in->at] == '\t'))
		in->at++;
	return in->at > start;
}

static bool at_digit(const reader *in)
{
	return in->at < in->size && in->text[in->at] >= '0' && in->text[in->at] <= '9';
}

/* Exactly `digits` digits. */
static bool take_number(reader *in, int digits, int *value)
{
	int made = 0;

	for (int i = 0; i < digits; i++) {
		if (!at_digit(in))
			return false;
		made = made * 10 + (in->text[in->at++] - '0');
	}
	*value = made;
	return true;
}

/* Returns 0 .. 6 or a negative code. */
static int read_day(reader *in)
{
	for (int i = 0; i < 7; i++) {
		if (take(in, day_names[i]))
			return i;
	}
	return fail(in, "days are Mon, Tue, Wed, Thu, Fri, Sat and Sun", "no day of the week");
}

static int add_day(reader *in, size_t at, int day, uint8_t *days)
{
	if ((*days >> day & 1) != 0)
		return fail_at(in, at, HN_ESYNTAX, "name each day once", "a day stands twice");
	*days |= (uint8_t)(1 << day);
	return 0;
}

static int read_days(reader *in, uint8_t *days)
{
	*days = 0;
	do {
		size_t start = in->at;
		int day = read_day(in), last = day;

		if (day >= 0 && take(in, ".."))
			last = read_day(in);
		if (day < 0 || last < 0)
			return day < 0 ? day : last;
		int rc = add_day(in, start, day, days);
		while (rc == 0 && day != last) {
			day = (day + 1) % 7;
			rc = add_day(in, start, day, days);
		}
		if (rc < 0)
			return rc;
	} while (take(in, ","));
	return 0;
}

static int read_rule_days(reader *in, uint8_t *days)
{
	do {
		size_t start = in->at;
		int day = 0;

		while (day < 7 && !take(in, rule_names[day]))
			day++;
		if (day == 7)
			return fail(in, "BYDAY=MO,TU,WE,TH,FR,SA,SU without numbers",
				"no day of the week");
		int rc = add_day(in, start, day, days);
		if (rc < 0)
			return rc;
	} while (take(in, ","));
	return 0;
}

/* The part of RFC 5545 section 3.3.10 that is a set of days. */
static int read_recurrence(reader *in, uint8_t *days)
{
	static const char hint[] = "FREQ=WEEKLY with BYDAY, INTERVAL=1 and WKST";
	size_t start = in->at;

	*days = 0;
	take(in, "RRULE:");
	if (!take(in, "FREQ=WEEKLY"))
		return fail_at(in, start, HN_ENOSUP, hint, "a rule that is not weekly");
	while (take(in, ";")) {
		int rc = 0;

		if (*days == 0 && take(in, "BYDAY=")) {
			rc = read_rule_days(in, days);
		} else if (take(in, "WKST=")) {
			uint8_t ignored = 0;

			rc = read_rule_days(in, &ignored);
		} else if (!take(in, "INTERVAL=1")) {
			rc = fail_at(in, in->at, HN_ENOSUP, hint, "a part that is not taken");
		}
		if (rc < 0)
			return rc;
	}
	if (*days == 0)
		return fail_at(
			in, start, HN_ENOSUP, "say which days: BYDAY=MO,TU", "a rule without days");
	return 0;
}

/* Minutes since midnight; 24:00 is 1440. */
static int read_time(reader *in, uint16_t *minutes)
{
	size_t start = in->at;
	int hour = 0, minute = 0;

	if (!take_number(in, 2, &hour) || !take(in, ":") || !take_number(in, 2, &minute) ||
		at_digit(in))
		return fail_at(in, start, HN_ESYNTAX, "write 09:00", "no time of day");
	if (minute > 59 || hour > 24 || (hour == 24 && minute > 0))
		return fail_at(in, start, HN_ESYNTAX, "times go from 00:00 to 24:00",
			"that time does not exist");
	*minutes = (uint16_t)(hour * 60 + minute);
	return 0;
}

static int read_hours(reader *in, codec_window *w)
{
	size_t start = in->at;

	int rc = read_time(in, &w->start);
	if (rc == 0 && !take(in, "-"))
		rc = fail(in, "write 09:00-17:30", "no end of the window");
	size_t end = in->at;
	if (rc == 0)
		rc = read_time(in, &w->end);
	if (rc < 0)
		return rc;
	if (w->start == CODEC_MINUTES)
		return fail_at(in, start, HN_ESYNTAX, "a day begins at 00:00",
			"a window cannot start at 24:00");
	if (w->end == 0)
		return fail_at(in, end, HN_ESYNTAX, "midnight at the end of a day is 24:00",
			"a window cannot end at 00:00");
	if (w->start == w->end)
		return fail_at(in, start, HN_ESYNTAX, "a whole day is 00:00-24:00",
			"the window ends when it starts");
	return 0;
}

static int read_days_or_rule(reader *in, uint8_t *days)
{
	if (is_next(in, "RRULE:") || is_next(in, "FREQ="))
		return read_recurrence(in, days);
	return read_days(in, days);
}

static int read_windows(reader *in)
{
	uint8_t days = EVERY_DAY;
	bool spaced;

	do {
		take_spaces(in);
		bool named = !at_digit(in);
		int rc = named ? read_days_or_rule(in, &days) : 0;
		codec_window w = {.days = days};
		if (rc == 0 && named && !take_spaces(in))
			rc = fail(in, "write Mon..Fri 09:00-17:30", "no space after the days");
		if (rc == 0)
			rc = read_hours(in, &w);
		if (rc < 0)
			return rc;
		if (in->windows == CODEC_WINDOWS)
			return fail(in, "split it into several schedules", "more than 32 windows");
		in->store.windows[in->windows++] = w;
		spaced = take_spaces(in);
	} while (take(in, ",") || take(in, ";"));
	return spaced ? 0 : fail(in, "end with a zone: Mon 09:00-17:30 Europe/Berlin", "no zone");
}

static int read_zone(reader *in, codec_schedule *schedule)
{
	size_t start = in->at;

	while (in->at < in->size && in->text[in->at] != ' ' && in->text[in->at] != '\t')
		in->at++;
	schedule->zone = in->text + start;
	schedule->zone_size = in->at - start;
	if (schedule->zone_size == 0)
		return fail_at(in, start, HN_ESYNTAX, "end with a zone: Europe/Berlin, UTC",
			"no time zone");
	if (!codec_zone_name_valid(schedule->zone, schedule->zone_size))
		return fail_at(in, start, HN_ESYNTAX, "a zone is written as Europe/Berlin or UTC",
			"that is no name of a zone");
	return 0;
}

static int read_date(reader *in, uint32_t *day)
{
	size_t start = in->at;
	int year = 0, month = 0, date = 0, back_month = 0, back_date = 0;
	int64_t back_year = 0;

	if (!take_number(in, 4, &year) || !take(in, "-") || !take_number(in, 2, &month) ||
		!take(in, "-") || !take_number(in, 2, &date) || at_digit(in))
		return fail_at(in, start, HN_ESYNTAX, "write 2026-12-24", "no date");
	if (year < 1970 || month < 1 || month > 12 || date < 1 || date > 31)
		return fail_at(in, start, HN_ESYNTAX, "dates go from 1970-01-01 to 9999-12-31",
			"that date does not exist");
	int64_t made = codec_day_of(year, month, date);
	codec_date_of(made, &back_year, &back_month, &back_date);
	if (back_month != month || back_date != date)
		return fail_at(
			in, start, HN_ESYNTAX, "that month is shorter", "that date does not exist");
	*day = (uint32_t)made;
	return 0;
}

/* Keeps the days in order. */
static int exclude(reader *in, size_t at, uint32_t day)
{
	uint32_t *days = in->store.excluded;
	size_t i = in->excluded;

	if (in->excluded == CODEC_EXCLUDED_DAYS)
		return fail_at(in, at, HN_ESYNTAX, "split it into several schedules",
			"more than 366 excluded days");
	while (i > 0 && days[i - 1] > day)
		i--;
	if (i > 0 && days[i - 1] == day)
		return fail_at(in, at, HN_ESYNTAX, "name each date once", "a date stands twice");
	memmove(days + i + 1, days + i, (in->excluded - i) * sizeof(days[0]));
	days[i] = day;
	in->excluded++;
	return 0;
}

static int read_excluded(reader *in)
{
	do {
		uint32_t first = 0, last = 0;

		take_spaces(in);
		size_t start = in->at;
		int rc = read_date(in, &first);
		last = first;
		if (rc == 0 && take(in, ".."))
			rc = read_date(in, &last);
		if (rc == 0 && last < first)
			rc = fail_at(in, start, HN_ESYNTAX, "put the earlier date first",
				"dates that go back");
		for (uint32_t day = first; rc == 0 && day <= last; day++)
			rc = exclude(in, start, day);
		if (rc < 0)
			return rc;
		take_spaces(in);
	} while (take(in, ","));
	return 0;
}

int codec_schedule_parse(const char *text, size_t size, codec_schedule_store *store,
	codec_schedule *schedule, hn_error **err)
{
	reader in = {.text = size > 0 ? text : "", .size = size, .err = err};
	codec_schedule made = {0};

	int rc = read_windows(&in);
	if (rc == 0)
		rc = read_zone(&in, &made);
	if (rc == 0 && take_spaces(&in) && take(&in, "except"))
		rc = read_excluded(&in);
	if (rc == 0 && in.at < in.size)
		rc = fail(&in, "after the zone comes nothing or: except 2026-12-24",
			"more than a schedule");
	if (rc < 0)
		return rc;
	*store = in.store;
	made.windows = store->windows;
	made.window_count = in.windows;
	made.excluded = store->excluded;
	made.excluded_count = in.excluded;
	*schedule = made;
	return 0;
}

static void print_days(uint8_t days, base_buf *buf)
{
	const char *separator = "";

	for (int day = 0; day < 7; day++) {
		int last = day;

		if ((days >> day & 1) == 0)
			continue;
		while (last < 6 && (days >> (last + 1) & 1) != 0)
			last++;
		base_buf_format(buf, "%s%s", separator, day_names[day]);
		if (last > day)
			base_buf_format(buf, "%s%s", last == day + 1 ? "," : "..", day_names[last]);
		separator = ",";
		day = last;
	}
}

static void print_date(uint32_t day, base_buf *buf)
{
	int month = 0, date = 0;
	int64_t year = 0;

	codec_date_of(day, &year, &month, &date);
	base_buf_format(buf, "%04" PRId64 "-%02d-%02d", year, month, date);
}

void codec_schedule_print(const codec_schedule *schedule, base_buf *buf)
{
	for (size_t i = 0; i < schedule->window_count; i++) {
		const codec_window *w = &schedule->windows[i];

		print_days(w->days, buf);
		base_buf_format(buf, " %02d:%02d-%02d:%02d%s", w->start / 60, w->start % 60,
			w->end / 60, w->end % 60, i + 1 < schedule->window_count ? "; " : " ");
	}
	base_buf_add(buf, schedule->zone, schedule->zone_size);
	for (size_t i = 0; i < schedule->excluded_count; i++) {
		size_t first = i;

		while (i + 1 < schedule->excluded_count &&
			schedule->excluded[i + 1] == schedule->excluded[i] + 1)
			i++;
		base_buf_text(buf, first == 0 ? " except " : ",");
		print_date(schedule->excluded[first], buf);
		if (i > first) {
			base_buf_text(buf, "..");
			print_date(schedule->excluded[i], buf);
		}
	}
}
