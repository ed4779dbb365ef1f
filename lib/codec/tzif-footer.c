/* SPDX-License-Identifier: MIT
 *
 * The TZ string in the footer of TZif data, unrolled over one cycle of the calendar.
 */
#include "codec/codec-private.h"
#include <stdlib.h>

enum { YEARS = 400, HOUR = 3600 };

typedef struct cursor {
	const char *at, *end;
} cursor;

typedef enum rule_kind { RULE_JULIAN, RULE_DAY, RULE_WEEK } rule_kind;
typedef struct rule {
	rule_kind kind;
	int day;         /* 1 .. 365 without 29 February, 0 .. 365 with it, or 0 .. 6 from Sunday */
	int month, week; /* RULE_WEEK; week 5 is the last */
	int32_t time;    /* seconds after the midnight that begins the day; may be negative */
} rule;

typedef struct span {
	int64_t from, until;
} span;

static bool take(cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static bool is_digit(const cursor *c)
{
	return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

static bool number(cursor *c, int low, int high, int *value)
{
	int made = 0;

	if (!is_digit(c))
		return false;
	for (int digits = 0; is_digit(c); digits++) {
		if (digits == 3)
			return false;
		made = made * 10 + (*c->at++ - '0');
	}
	if (made < low || made > high)
		return false;
	*value = made;
	return true;
}

/* At least three letters, or anything of letters, digits and signs in < >. */
static bool name(cursor *c)
{
	bool quoted = take(c, '<');
	size_t length = 0;

	for (; c->at < c->end; c->at++, length++) {
		char ch = *c->at;
		bool letter = (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z');
		bool other = (ch >= '0' && ch <= '9') || ch == '+' || ch == '-';

		if (!letter && !(quoted && other))
			break;
	}
	return length >= 3 && (!quoted || take(c, '>'));
}

/* [+-]hh[:mm[:ss]] */
static bool clock_time(cursor *c, int hours, bool with_sign, int32_t *seconds)
{
	bool negative = with_sign && take(c, '-');
	int hour = 0, minute = 0, second = 0;

	if (with_sign && !negative)
		take(c, '+');
	if (!number(c, 0, hours, &hour))
		return false;
	if (take(c, ':') &&
		(!number(c, 0, 59, &minute) || (take(c, ':') && !number(c, 0, 59, &second))))
		return false;
	*seconds = (hour * HOUR + minute * 60 + second) * (negative ? -1 : 1);
	return true;
}

static bool read_rule(cursor *c, bool extended, rule *r)
{
	*r = (rule){.kind = RULE_DAY, .time = 2 * HOUR};
	if (!take(c, ','))
		return false;
	if (take(c, 'M')) {
		r->kind = RULE_WEEK;
		if (!number(c, 1, 12, &r->month) || !take(c, '.') || !number(c, 1, 5, &r->week) ||
			!take(c, '.') || !number(c, 0, 6, &r->day))
			return false;
	} else if (take(c, 'J')) {
		r->kind = RULE_JULIAN;
		if (!number(c, 1, 365, &r->day))
			return false;
	} else if (!number(c, 0, 365, &r->day)) {
		return false;
	}
	return !take(c, '/') || clock_time(c, extended ? 167 : 24, extended, &r->time);
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Seconds since 1970 of a rule in a year, as local clocks count. */
static int64_t local_time(const rule *r, int64_t year)
{
	int64_t day;

	if (r->kind != RULE_WEEK) {
		day = codec_day_of(year, 1, 1) + r->day;
		/* J60 is 1 March in every year. */
		if (r->kind == RULE_JULIAN && !(is_leap(year) && r->day >= 60))
			day--;
	} else {
		int64_t first = codec_day_of(year, r->month, 1);
		int64_t next = r->month == 12 ? codec_day_of(year + 1, 1, 1)
					      : codec_day_of(year, r->month + 1, 1);
		/* Rules count from Sunday. */
		int wait = (r->day + 6 - codec_weekday(first)) % 7;

		day = first + wait + (r->week - 1) * 7;
		while (day >= next)
			day -= 7;
	}
	return day * CODEC_DAY + r->time;
}

static int compare_spans(const void *a, const void *b)
{
	int64_t one = ((const span *)a)->from, other = ((const span *)b)->from;

	return (one > other) - (one < other);
}

/* Daylight saving in each year of the cycle and around it, joined where it goes on. A span that
 * begins in autumn ends in the next year, with times beyond 24 hours even in the one after. */
static size_t daylight_spans(
	const rule rules[2], int32_t standard, int32_t daylight, span spans[YEARS + 4])
{
	size_t count = 0, joined = 0;

	for (int64_t year = 2000 - 2; year <= 2000 + YEARS + 1; year++) {
		int64_t from = local_time(&rules[0], year) - standard, until, ends = year;

		do
			until = local_time(&rules[1], ends++) - daylight;
		while (until < from);
		spans[count++] = (span){from - CODEC_CYCLE_ORIGIN, until - CODEC_CYCLE_ORIGIN};
	}
	qsort(spans, count, sizeof(spans[0]), compare_spans);
	for (size_t i = 1; i < count; i++) {
		if (spans[i].from > spans[joined].until)
			spans[++joined] = spans[i];
		else if (spans[i].until > spans[joined].until)
			spans[joined].until = spans[i].until;
	}
	return joined + 1;
}

static void unroll(const rule rules[2], int32_t standard, int32_t daylight, codec_footer *footer)
{
	span spans[YEARS + 4];
	bool began = false;
	size_t count = daylight_spans(rules, standard, daylight, spans);

	footer->count = 0;
	for (size_t i = 0; i < count; i++) {
		const int64_t edges[] = {spans[i].from, spans[i].until};

		if (edges[0] == edges[1])
			continue;
		began = began || (edges[0] <= 0 && edges[1] > 0);
		for (int j = 0; j < 2; j++) {
			if (edges[j] > 0 && edges[j] <= CODEC_CYCLE)
				footer->at[footer->count++] = edges[j];
		}
	}
	footer->offset[0] = began ? daylight : standard;
	footer->offset[1] = began ? standard : daylight;
}

bool codec_footer_parse(const char *text, size_t size, bool extended, codec_footer *footer)
{
	cursor c = {text, text + size};
	int32_t standard = 0, daylight = 0;
	rule rules[2];

	/* POSIX counts offsets to the west. */
	if (!name(&c) || !clock_time(&c, 24, true, &standard))
		return false;
	standard = -standard;
	if (c.at == c.end) {
		footer->offset[0] = footer->offset[1] = standard;
		footer->count = 0;
		return true;
	}
	if (!name(&c))
		return false;
	daylight = standard + HOUR;
	if (c.at < c.end && *c.at != ',') {
		if (!clock_time(&c, 24, true, &daylight))
			return false;
		daylight = -daylight;
	}
	if (!read_rule(&c, extended, &rules[0]) || !read_rule(&c, extended, &rules[1]) ||
		c.at != c.end)
		return false;
	if (standard == daylight) {
		footer->offset[0] = footer->offset[1] = standard;
		footer->count = 0;
		return true;
	}
	unroll(rules, standard, daylight, footer);
	return true;
}
