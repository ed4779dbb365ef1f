/* SPDX-License-Identifier: MIT
 *
 * Zones for tests: TZif data put together here, so that no test leans on the machine's tzdata.
 */
#ifndef TEST_CODEC_ZONES_H
#define TEST_CODEC_ZONES_H

#include "codec/codec-private.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define LORD_HOWE "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"
#define KATHMANDU "<+0545>-5:45"

static inline void zone_put(base_buf *buf, uint64_t value, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		char byte = (char)(value >> (8 * i));

		base_buf_add(buf, &byte, 1);
	}
}

typedef struct zone_header {
	char version; /* 0, '2' ... */
	uint32_t utc, standard, leap, time, type, chars;
} zone_header;

static inline void zone_put_header(base_buf *buf, zone_header h)
{
	const uint32_t counts[] = {h.utc, h.standard, h.leap, h.time, h.type, h.chars};

	base_buf_text(buf, "TZif");
	base_buf_add(buf, &h.version, 1);
	for (int i = 0; i < 15; i++)
		base_buf_add(buf, "\0", 1);
	for (size_t i = 0; i < BASE_COUNT(counts); i++)
		zone_put(buf, counts[i], 4);
}

/* The least first block that a file of a later version has. */
static inline void zone_put_first(base_buf *buf, char version)
{
	zone_put_header(buf, (zone_header){.version = version, .type = 1, .chars = 1});
	base_buf_add(buf, "\0\0\0\0\0\0\0", 7);
}

/* Version 3: no transitions, one type of `offset`, the footer. */
static inline void zone_put_footer_only(
	base_buf *buf, char version, int32_t offset, const char *footer)
{
	zone_put_first(buf, version);
	zone_put_header(buf, (zone_header){.version = version, .type = 1, .chars = 4});
	zone_put(buf, (uint32_t)offset, 4);
	base_buf_add(buf, "\0\0LMT\0", 6);
	base_buf_format(buf, "\n%s\n", footer);
}

static inline codec_zone *zone_of(const char *footer)
{
	codec_zone *zone = NULL;
	base_buf buf = {0};
	hn_error *err = NULL;

	zone_put_footer_only(&buf, '3', 0, footer);
	int rc = codec_tzif_parse(buf.data, buf.size, &zone, &err);
	cr_assert_eq(rc, 0, "%s: %s", footer, rc == 0 ? "" : hn_error_message(err));
	base_buf_free(&buf);
	return zone;
}

/* Seconds since 1970 of a date and a time in UTC. */
static inline int64_t utc(int year, int month, int day, int hour, int minute)
{
	return codec_day_of(year, month, day) * CODEC_DAY + hour * 3600 + minute * 60;
}

/* The whole of a file, at most 64 KiB; 0 bytes when it cannot be read. */
static inline size_t zone_read(const char *path, uint8_t bytes[65537])
{
	FILE *file = fopen(path, "rb");
	size_t size = 0;

	if (file == NULL)
		return 0;
	size = fread(bytes, 1, 65537, file);
	fclose(file);
	return size;
}

#endif
