/* SPDX-License-Identifier: MIT
 *
 * Offsets of every zone of this machine, and of TZ strings, against the C library's.
 */
#include "codec/zones.h"
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define ZONES "/usr/share/zoneinfo"
enum { INSTANTS = 2000, DEEPEST = 8 };

static struct {
	size_t zones, compared;
} seen;

static void compare(const codec_zone *zone, const char *name, int64_t instant)
{
	time_t when = (time_t)instant;
	int32_t offset = 0;
	int64_t next = 0;
	struct tm parts;

	codec_tzif_offset(zone, instant, &offset, &next);
	cr_assert_not_null(localtime_r(&when, &parts));
	cr_assert_eq(parts.tm_gmtoff, offset, "%s at %ld: %ld, not %d", name, (long)instant,
		parts.tm_gmtoff, offset);
	seen.compared++;
}

/* Over five centuries in steps, and on both sides of each transition. */
static void compare_all(const codec_zone *zone, const char *name)
{
	int64_t from = utc(1850, 1, 1, 0, 0), until = utc(2350, 1, 1, 0, 0), next = from;
	int32_t offset = 0;

	for (int64_t i = 0; i < INSTANTS; i++)
		compare(zone, name, from + i * ((until - from) / INSTANTS) + i * 61);
	while (next < until) {
		codec_tzif_offset(zone, next, &offset, &next);
		if (next >= until)
			break;
		compare(zone, name, next - 1);
		compare(zone, name, next);
	}
}

static int visit(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	static uint8_t bytes[65537];
	codec_zone *zone = NULL;
	(void)status, (void)walk;

	/* Zones that count leap seconds, and copies. */
	if (type != FTW_F || strstr(path, "/right/") != NULL || strstr(path, "/posix/") != NULL)
		return 0;
	size_t size = zone_read(path, bytes);
	if (size < 4 || memcmp(bytes, "TZif", 4) != 0)
		return 0;
	const char *name = path + strlen(ZONES) + 1;
	cr_assert(codec_zone_name_valid(name, strlen(name)), "%s", name);
	cr_assert_eq(codec_tzif_parse(bytes, size, &zone, NULL), 0, "%s", name);
	setenv("TZ", path, 1);
	tzset();
	compare_all(zone, name);
	seen.zones++;
	codec_zone_free(zone);
	return 0;
}

Test(tzif_system, every_zone_of_this_machine)
{
	if (nftw(ZONES, visit, DEEPEST, FTW_PHYS) != 0)
		cr_skip_test("no " ZONES " (tzdata is not installed)");
	cr_assert_geq(seen.zones, 300u);
	cr_assert_geq(seen.compared, seen.zones * INSTANTS);
}

Test(tzif_system, strings)
{
	static const char *const strings[] = {BERLIN, LORD_HOWE, KATHMANDU, "UTC0",
		"EST5EDT,M3.2.0,M11.1.0", "IST-1GMT0,M10.5.0,M3.5.0/1",
		"IST-2IDT,M3.4.4/26,M10.5.0", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
		"NZST-12NZDT,M9.5.0,M4.1.0/3", "<-04>4<-03>,M9.1.6/24,M4.1.6/24",
		"XXX0YYY,J60/0,J300/0", "XXX0YYY,59/0,299/0",
		"XXX-3:30:15YYY-4:45:30,M2.5.3/1:02:03,M8.2.1/4:05:06"};

	for (size_t i = 0; i < BASE_COUNT(strings); i++) {
		codec_zone *zone = zone_of(strings[i]);

		setenv("TZ", strings[i], 1);
		tzset();
		/* The C library reckons years before 1970 by no rule. */
		for (int64_t at = utc(1971, 1, 1, 0, 0); at < utc(2900, 1, 1, 0, 0); at += 999983)
			compare(zone, strings[i], at);
		codec_zone_free(zone);
	}
}

Test(tzif_system, leap_second_zones_are_refused)
{
	static uint8_t bytes[65537];
	size_t size = zone_read(ZONES "/right/Europe/Berlin", bytes);
	codec_zone *zone = NULL;

	if (size == 0)
		cr_skip_test("no zones with leap seconds here");
	cr_assert_eq(codec_tzif_parse(bytes, size, &zone, NULL), HN_ENOSUP);
}
