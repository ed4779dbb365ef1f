/* SPDX-License-Identifier: MIT
 *
 * Time zones: TZif data (RFC 9636) of versions 1 to 4 with its footer. Offsets only: names and the
 * daylight flag are checked and dropped. A zone is read-only after it was made: any thread may ask.
 */
#ifndef CODEC_TZIF_H
#define CODEC_TZIF_H

#include "base/base-private.h"

#define CODEC_ZONE_NAME_BYTES 64

typedef struct codec_zone codec_zone;

/* "Europe/Berlin": at most three parts of [A-Za-z0-9_+-] and 64 bytes; so no path goes anywhere. */
bool codec_zone_name_valid(const char *name, size_t size);
/* HN_ECORRUPT when the bytes are not strict TZif; HN_ELIMIT above ZONE_BYTES; HN_ENOSUP when its
 * times count leap seconds; HN_ENEWER for a later version; HN_ENOMEM. */
int codec_tzif_parse(const void *bytes, size_t size, codec_zone **zone, hn_error **err);
/* Another holder of the same zone: each lets it go by codec_zone_free. NULL-safe. Any thread. */
codec_zone *codec_zone_ref(const codec_zone *zone);
void codec_zone_free(codec_zone *zone);
BASE_AUTO(codec_zone, codec_zone_free)
/* The offset from UTC in seconds at an instant, and the next instant at which it changes (INT64_MAX
 * when it never does). */
void codec_tzif_offset(const codec_zone *zone, int64_t utc_seconds, int32_t *offset_seconds,
	int64_t *next_transition);

/* --- between the files of this room --- */
enum { CODEC_DAY = 86400 };
/* Seconds of 400 years of the Gregorian calendar: then days of the week repeat too. */
#define CODEC_CYCLE (INT64_C(146097) * CODEC_DAY)
#define CODEC_CYCLE_ORIGIN INT64_C(946684800) /* 2000-01-01 */
enum { CODEC_CYCLE_TRANSITIONS = 808 };

/* Days since 1970-01-01 of a day of the proleptic Gregorian calendar, and back. */
int64_t codec_day_of(int64_t year, int month, int day);
void codec_date_of(int64_t day, int64_t *year, int *month, int *day_of_month);
static inline int64_t codec_floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}
/* A day of the week from Monday = 0. 1970-01-01 was a Thursday. */
static inline int codec_weekday(int64_t day)
{
	return (int)(day + 3 - codec_floor_div(day + 3, 7) * 7);
}

/* What a footer says, for ever: either offset[0] always, or the two in turn. */
typedef struct codec_footer {
	int32_t offset[2];                   /* at the beginning of a cycle, and after at[0] */
	size_t count;                        /* even */
	int64_t at[CODEC_CYCLE_TRANSITIONS]; /* seconds since the beginning of the cycle, rising */
} codec_footer;
/* The TZ string of POSIX (IEEE 1003.1 section 8.3); with `extended`, times from -167 to 167 hours
 * (RFC 9636 section 3.3.1). False when it is not one. */
bool codec_footer_parse(const char *text, size_t size, bool extended, codec_footer *footer);

#endif
