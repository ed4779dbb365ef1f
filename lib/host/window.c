/* SPDX-License-Identifier: MIT
 *
 * Is a weekly window open? Reads the canonical text that the tags room made: "Sat..Sun,Wed
 * 02:00-04:00 UTC". Zones other than UTC need the time zone files, which no room reads yet: such a
 * window stays shut, as one of a zone that this host lacks does.
 */
#include "host/host-private.h"

#define NS_A_MINUTE INT64_C(60000000000)
#define MINUTES_A_DAY 1440

static int day_number(const char *text)
{
	static const char names[] = "MonTueWedThuFriSatSun";

	for (int i = 0; i < 7; i++)
		if (strncmp(names + 3 * (size_t)i, text, 3) == 0)
			return i;
	return -1;
}

/* Bits from Monday; 0 when the text is none. `*end` is the blank after the days. */
static unsigned read_days(const char *text, const char **end)
{
	unsigned mask = 0;

	if (strncmp(text, "daily ", 6) == 0) {
		*end = text + 5;
		return 0x7f;
	}
	for (;;) {
		int first = day_number(text), last = first;

		if (first < 0)
			return 0;
		text += 3;
		if (strncmp(text, "..", 2) == 0) {
			last = day_number(text + 2);
			if (last < first)
				return 0;
			text += 5;
		}
		for (int day = first; day <= last; day++)
			mask |= 1u << day;
		if (*text != ',')
			break;
		text++;
	}
	*end = text;
	return *text == ' ' ? mask : 0;
}

static bool known_zone(const char *zone)
{
	return *zone == '\0' || strcmp(zone, " UTC") == 0 || strcmp(zone, " Etc/UTC") == 0;
}

bool host_window_has_zone(const char *window)
{
	const char *time = strchr(window, ' '), *zone = time ? strchr(time + 1, ' ') : NULL;

	return zone && !known_zone(zone);
}

static bool day_has(unsigned mask, int64_t day)
{
	return (mask >> (unsigned)(day % 7) & 1) != 0;
}

bool host_window_open(const char *window, int64_t now)
{
	unsigned from_hour, from_minute, to_hour, to_minute, mask;
	int64_t minutes = now / NS_A_MINUTE, day, minute, from, to;
	const char *rest = NULL;
	int used = 0;

	mask = read_days(window, &rest);
	if (mask == 0 ||
		sscanf(rest, " %2u:%2u-%2u:%2u%n", &from_hour, &from_minute, &to_hour, &to_minute,
			&used) != 4 ||
		!known_zone(rest + used))
		return false;
	from = from_hour * 60 + from_minute;
	to = to_hour * 60 + to_minute;
	day = minutes / MINUTES_A_DAY + 3; /* 1970-01-01 was a Thursday */
	minute = minutes % MINUTES_A_DAY;
	if (from < to)
		return day_has(mask, day) && minute >= from && minute < to;
	/* It crosses midnight and belongs to the day it starts on. */
	return (day_has(mask, day) && minute >= from) || (day_has(mask, day + 6) && minute < to);
}
