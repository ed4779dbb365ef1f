/* SPDX-License-Identifier: MIT
 *
 * Walks caveats whose form was checked, and decodes them once.
 */
#include "caps/decide-private.h"

/* The head whose argument is in bytes of its own; *at is behind its first byte. */
bool caps_walk_long(const caps_walk *walk, const uint8_t **at, unsigned low, uint64_t *argument)
{
	size_t width = (size_t)1 << (low & 3);

	if (low > 27 || (size_t)(walk->end - *at) < width)
		return false;
	*argument = 0;
	for (size_t i = 0; i < width; i++)
		*argument = *argument << 8 | (*at)[i];
	*at += width;
	return true;
}

bool caps_walk_skip(caps_walk *walk)
{
	uint64_t left = 1;
	caps_item item;

	while (left > 0) {
		if (!caps_walk_next(walk, &item) || item.major > CAPS_ARRAY)
			return false;
		left--;
		/* Each item has a byte at least: a count beyond that has no end to come to. */
		if (item.major == CAPS_ARRAY) {
			if (item.argument > (uint64_t)(walk->end - walk->at))
				return false;
			left += item.argument;
		}
	}
	return true;
}

bool caps_walk_caveat(const caps_caveat *caveat, caps_walk *walk, uint64_t *left)
{
	uint64_t id;

	walk->at = caveat->raw.bytes;
	walk->end = caveat->raw.bytes + caveat->raw.size;
	if (!caps_walk_array(walk, left) || *left == 0 || !caps_walk_number(walk, &id))
		return false;
	(*left)--;
	return true;
}

static bool walk_windows(caps_walk *walk, codec_schedule_store *store, codec_schedule *schedule)
{
	uint64_t count, three, days, start, end;

	if (!caps_walk_array(walk, &count) || count > CODEC_WINDOWS)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!caps_walk_array(walk, &three) || three != 3 ||
			!caps_walk_number(walk, &days) || !caps_walk_number(walk, &start) ||
			!caps_walk_number(walk, &end) || days > UINT8_MAX || start > UINT16_MAX ||
			end > UINT16_MAX)
			return false;
		store->windows[i].days = (uint8_t)days;
		store->windows[i].start = (uint16_t)start;
		store->windows[i].end = (uint16_t)end;
	}
	schedule->windows = store->windows;
	schedule->window_count = (size_t)count;
	return true;
}

static bool walk_excluded(caps_walk *walk, codec_schedule_store *store, codec_schedule *schedule)
{
	uint64_t count, day;

	if (!caps_walk_array(walk, &count) || count > CODEC_EXCLUDED_DAYS)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!caps_walk_number(walk, &day) || day > CODEC_LAST_DAY)
			return false;
		store->excluded[i] = (uint32_t)day;
	}
	schedule->excluded = store->excluded;
	schedule->excluded_count = (size_t)count;
	return true;
}

bool caps_walk_schedule(
	const caps_caveat *caveat, codec_schedule_store *store, codec_schedule *schedule)
{
	codec_schedule made = {0};
	caps_walk walk;
	uint64_t left;
	caps_item zone;

	if (!caps_walk_caveat(caveat, &walk, &left) || left < 2 || left > 3 ||
		!caps_walk_want(&walk, CAPS_TEXT, &zone))
		return false;
	made.zone = (const char *)zone.bytes;
	made.zone_size = (size_t)zone.argument;
	if (!walk_windows(&walk, store, &made) ||
		(left == 3 && !walk_excluded(&walk, store, &made)) ||
		codec_schedule_wrong(&made) != NULL)
		return false;
	*schedule = made;
	return true;
}
