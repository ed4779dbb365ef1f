/* SPDX-License-Identifier: MIT
 *
 * Weekly schedules: is a window open at an instant, and until when does that answer hold.
 */
#include "codec/codec-private.h"

const char *codec_schedule_wrong(const codec_schedule *schedule)
{
	if (!codec_zone_name_valid(schedule->zone, schedule->zone_size))
		return "that is no name of a zone";
	if (schedule->window_count == 0 || schedule->window_count > CODEC_WINDOWS)
		return "a schedule has 1 to 32 windows";
	if (schedule->excluded_count > CODEC_EXCLUDED_DAYS)
		return "a schedule has at most 366 excluded days";
	for (size_t i = 0; i < schedule->window_count; i++) {
		const codec_window *w = &schedule->windows[i];

		if (w->days == 0 || w->days > 127)
			return "a window has at least one day of seven";
		if (w->start >= CODEC_MINUTES || w->end == 0 || w->end > CODEC_MINUTES)
			return "a window starts at 00:00 to 23:59 and ends at 00:01 to 24:00";
		if (w->start == w->end)
			return "a window ends when it starts";
	}
	for (size_t i = 0; i < schedule->excluded_count; i++) {
		if (schedule->excluded[i] > CODEC_LAST_DAY)
			return "an excluded day is after 9999-12-31";
		if (i > 0 && schedule->excluded[i - 1] >= schedule->excluded[i])
			return "excluded days do not rise";
	}
	return NULL;
}

static bool is_excluded(const codec_schedule *schedule, int64_t day)
{
	size_t low = 0, high = schedule->excluded_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (schedule->excluded[middle] < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low < schedule->excluded_count && schedule->excluded[low] == day;
}

/* The local day, its weekday's bit and the second in it; which days start windows. */
typedef struct moment {
	int64_t day;
	int32_t second;
	uint8_t today, yesterday; /* 0 when excluded */
} moment;

static moment moment_of(const codec_schedule *schedule, int64_t local)
{
	moment m = {.day = codec_floor_div(local, CODEC_DAY)};
	int weekday = codec_weekday(m.day);

	m.second = (int32_t)(local - m.day * CODEC_DAY);
	m.today = (uint8_t)(1 << weekday);
	m.yesterday = (uint8_t)(1 << (weekday + 6) % 7);
	if (schedule->excluded_count > 0) {
		if (is_excluded(schedule, m.day))
			m.today = 0;
		if (is_excluded(schedule, m.day - 1))
			m.yesterday = 0;
	}
	return m;
}

/* The second of today (or after it) at which the window shuts, 0 when it is not open. */
static int32_t shuts(const codec_window *w, const moment *m)
{
	int32_t start = w->start * 60, end = w->end * 60;

	if (start < end)
		return (w->days & m->today) != 0 && m->second >= start && m->second < end ? end : 0;
	if ((w->days & m->today) != 0 && m->second >= start)
		return end + CODEC_DAY;
	return (w->days & m->yesterday) != 0 && m->second < end ? end : 0;
}

/* Seconds from today's midnight until the window opens next, at most eight days. */
static int32_t opens(const codec_schedule *schedule, const codec_window *w, const moment *m)
{
	int weekday = codec_weekday(m->day);
	int ahead = m->second < w->start * 60 ? 0 : 1;

	for (; ahead < 8; ahead++) {
		if ((w->days >> (weekday + ahead) % 7 & 1) != 0 &&
			(schedule->excluded_count == 0 || !is_excluded(schedule, m->day + ahead)))
			return ahead * CODEC_DAY + w->start * 60;
	}
	return 8 * CODEC_DAY;
}

void codec_schedule_check(const codec_schedule *schedule, const codec_zone *zone,
	int64_t utc_seconds, bool *open, int64_t *next_edge)
{
	static const int64_t far = INT64_C(1) << 60;
	int64_t utc = utc_seconds > far ? far : utc_seconds < -far ? -far : utc_seconds;
	int32_t offset = 0, until = 0;
	int64_t transition = 0;

	codec_tzif_offset(zone, utc, &offset, &transition);
	moment m = moment_of(schedule, utc + offset);
	for (size_t i = 0; i < schedule->window_count; i++) {
		int32_t end = shuts(&schedule->windows[i], &m);

		until = end > until ? end : until;
	}
	*open = until > 0;
	if (until == 0) {
		until = 8 * CODEC_DAY;
		for (size_t i = 0; i < schedule->window_count; i++) {
			int32_t begin = opens(schedule, &schedule->windows[i], &m);

			until = begin < until ? begin : until;
		}
	}
	int64_t edge = m.day * CODEC_DAY + until - offset;
	*next_edge = edge < transition ? edge : transition;
}

bool codec_schedule_opens(const codec_schedule *schedule, const codec_zone *zone,
	int64_t utc_seconds, int64_t *instant)
{
	/* 366 excluded days of one day a week are seven years; a window that only a spring gap
	 * holds never opens. */
	enum { STEPS = 1024 };
	int64_t at = utc_seconds;

	for (int i = 0; i < STEPS; i++) {
		int64_t edge = 0;
		bool open = false;

		codec_schedule_check(schedule, zone, at, &open, &edge);
		if (open) {
			*instant = at;
			return true;
		}
		at = edge;
	}
	return false;
}
