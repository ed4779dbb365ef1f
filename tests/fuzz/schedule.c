/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the text of schedules: what is taken is a valid schedule, its text gives the same schedule
 * again, and its edges go forward.
 */
#include "codec/codec-private.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

static bool same(const codec_schedule *a, const codec_schedule *b)
{
	if (a->window_count != b->window_count || a->excluded_count != b->excluded_count ||
		a->zone_size != b->zone_size || memcmp(a->zone, b->zone, a->zone_size) != 0)
		return false;
	for (size_t i = 0; i < a->window_count; i++) {
		const codec_window *one = &a->windows[i], *other = &b->windows[i];

		if (one->days != other->days || one->start != other->start ||
			one->end != other->end)
			return false;
	}
	return memcmp(a->excluded, b->excluded, a->excluded_count * sizeof(a->excluded[0])) == 0;
}

/* "XXX0YYY,M3.5.0,M10.5.0", as a file without transitions. */
static codec_zone *make_zone(void)
{
	static const char file[] =
		"TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1"
		"\0\0\0\0\0\0\0"
		"TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\1"
		"\0\0\0\0\0\0\0\nXXX0YYY,M3.5.0,M10.5.0\n";
	codec_zone *zone = NULL;

	require(codec_tzif_parse(file, sizeof(file) - 1, &zone, NULL) == 0);
	return zone;
}

static void walk(const codec_schedule *schedule)
{
	codec_zone *zone = make_zone();
	int64_t at = 1790000000;

	for (int steps = 0; steps < 32; steps++) {
		int64_t edge = 0, opening = 0;
		bool open = false;

		codec_schedule_check(schedule, zone, at, &open, &edge);
		require(edge > at && edge <= at + 9 * CODEC_DAY);
		if (open)
			require(codec_schedule_opens(schedule, zone, at, &opening) &&
				opening == at);
		at = edge;
	}
	codec_zone_free(zone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static codec_schedule_store store, again;
	codec_schedule schedule = {.window_count = 77}, back;
	hn_error *err = NULL;
	base_buf buf = {0};

	if (codec_schedule_parse((const char *)data, size, &store, &schedule, &err) < 0) {
		require(hn_error_code(err) == HN_ESYNTAX || hn_error_code(err) == HN_ENOSUP);
		require(schedule.window_count == 77 && hn_error_hint(err) != NULL);
		hn_error_unref(err);
		return 0;
	}
	require(codec_schedule_wrong(&schedule) == NULL);
	codec_schedule_print(&schedule, &buf);
	require(codec_schedule_parse(buf.data, buf.size, &again, &back, NULL) == 0);
	require(same(&schedule, &back));
	walk(&schedule);
	base_buf_free(&buf);
	return 0;
}
