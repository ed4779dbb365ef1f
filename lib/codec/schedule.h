/* SPDX-License-Identifier: MIT
 *
 * Weekly schedules in the local time of a zone. Pure: the caller brings the zone and the instant.
 */
#ifndef CODEC_SCHEDULE_H
#define CODEC_SCHEDULE_H

#include "codec/tzif.h"

enum {
	CODEC_WINDOWS = 32,
	CODEC_EXCLUDED_DAYS = 366,
	CODEC_LAST_DAY = 2932896, /* 9999-12-31, in days since 1970-01-01 */
	CODEC_MINUTES = 1440
};

/* Open from `start` until just before `end`, minutes since local midnight. start > end goes over
 * midnight and belongs to the day on which it starts; start = end is refused. */
typedef struct codec_window {
	uint8_t days;        /* bit 0 is Monday, 1 .. 127 */
	uint16_t start, end; /* 0 .. 1439, 1 .. 1440 */
} codec_window;

/* A view: who made it owns the arrays. */
typedef struct codec_schedule {
	const char *zone; /* zone_size bytes, not terminated */
	size_t zone_size;
	const codec_window *windows;
	size_t window_count; /* 1 .. CODEC_WINDOWS */
	/* Local days since 1970-01-01 on which no window starts; rising. */
	const uint32_t *excluded;
	size_t excluded_count; /* 0 .. CODEC_EXCLUDED_DAYS */
} codec_schedule;

/* What is wrong with it, or NULL. The functions below take only what passed. */
const char *codec_schedule_wrong(const codec_schedule *schedule);
/* Whether a window is open at an instant, and until when that answer holds: when open, the end of
 * the window at this offset or the next transition of the zone; when shut, at the latest the next
 * opening, and at most eight days. Ask again then. Instants beyond 2^60 seconds count as 2^60. */
void codec_schedule_check(const codec_schedule *schedule, const codec_zone *zone,
	int64_t utc_seconds, bool *open, int64_t *next_edge);
/* The first instant, from this one on, at which it is open; false when there is none for years. */
bool codec_schedule_opens(const codec_schedule *schedule, const codec_zone *zone,
	int64_t utc_seconds, int64_t *instant);

/* The arrays of a schedule that was read from text. */
typedef struct codec_schedule_store {
	codec_window windows[CODEC_WINDOWS];
	uint32_t excluded[CODEC_EXCLUDED_DAYS];
} codec_schedule_store;
/* "Mon..Fri 09:00-17:30, Sat 10:00-12:00 Europe/Berlin except 2026-12-24..2026-12-26,2027-01-01".
 *
 *   schedule = window *( ( "," / ";" ) window ) zone [ "except" date *( "," date ) ]
 *   window   = [ days ] HH:MM "-" HH:MM      ; without days: those of the window before, or all
 *   days     = day *( "," day ) / [ "RRULE:" ] "FREQ=WEEKLY" *( ";" ... )
 *   day      = Mon / ... / Sun [ ".." Mon / ... / Sun ]
 *   date     = YYYY-MM-DD [ ".." YYYY-MM-DD ]
 *
 * Of a recurrence rule (RFC 5545) only FREQ=WEEKLY with BYDAY, INTERVAL=1 and WKST is taken.
 * HN_ESYNTAX with the column and what would be right; HN_ENOSUP for other rules. The zone's name is
 * a view into `text`; whether there is such a zone is not known here. */
int codec_schedule_parse(const char *text, size_t size, codec_schedule_store *store,
	codec_schedule *schedule, hn_error **err);
/* The one text of a schedule: parsing it gives the same again. */
void codec_schedule_print(const codec_schedule *schedule, base_buf *buf);

#endif
