/* SPDX-License-Identifier: MIT
 *
 * TZif data (RFC 9636): read once into a table of instants and offsets, then looked up. The footer
 * is unrolled over the 400 years after which the calendar repeats, so that a lookup never does the
 * arithmetic of rules.
 */
#include "codec/codec-private.h"

#include <stdatomic.h>

enum { HEADER = 44, TYPE = 6, FARTHEST = 93599 /* 24:59:59 and an hour of daylight saving */ };

/* One data block: what its header counts, where its parts begin. */
typedef struct block {
	unsigned version; /* 1 .. 4 */
	uint32_t utc_count, standard_count, leap_count, time_count, type_count, char_count;
	size_t width; /* of a time */
	const uint8_t *times, *indices, *types, *chars, *standards, *utcs, *end;
} block;

struct codec_zone {
	atomic_uint references;
	size_t count;        /* transitions that change the offset */
	int64_t footer_from; /* from here the footer holds; INT64_MAX without one */
	size_t footer_count; /* transitions in one cycle */
	int32_t footer_offset[2];
	int64_t *footer_at;
	int64_t *at;
	int32_t *offset; /* offset[i] before at[i], offset[count] after all */
	int64_t store[]; /* footer_at, at, offset */
};

static int64_t big_endian(const uint8_t *at, size_t width)
{
	uint64_t value = at[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < width; i++)
		value = value << 8 | at[i];
	return (int64_t)value;
}

static int bad(hn_error **err, const char *text)
{
	return HN_CORRUPT(err, "codec", "not TZif data: %s", text);
}

bool codec_zone_name_valid(const char *name, size_t size)
{
	size_t parts = 1, length = 0;

	if (size > CODEC_ZONE_NAME_BYTES)
		return false;
	for (size_t i = 0; i < size; i++) {
		char c = name[i];

		if (c == '/') {
			if (length == 0 || ++parts > 3)
				return false;
			length = 0;
			continue;
		}
		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			    c == '_' || c == '+' || c == '-'))
			return false;
		length++;
	}
	return length > 0;
}

static int read_block(
	const uint8_t *at, size_t left, unsigned block_number, block *b, hn_error **err)
{
	if (left < HEADER || memcmp(at, "TZif", 4) != 0)
		return bad(err, "a header is missing");
	if (at[4] > '4')
		return base_error(err, HN_ENEWER, "codec", NULL, "TZif data of a version after 4");
	if (at[4] != 0 && at[4] < '2')
		return bad(err, "its version does not exist");
	*b = (block){.version = at[4] == 0 ? 1 : (unsigned)(at[4] - '0')};
	uint32_t *const counts[] = {&b->utc_count, &b->standard_count, &b->leap_count,
		&b->time_count, &b->type_count, &b->char_count};
	for (size_t i = 0; i < BASE_COUNT(counts); i++)
		*counts[i] = (uint32_t)big_endian(at + 20 + 4 * i, 4);
	b->width = block_number == 1 ? 4 : 8;
	/* 32-bit counts cannot make this overflow. */
	uint64_t size = (uint64_t)b->time_count * (b->width + 1) + (uint64_t)b->type_count * TYPE +
			b->char_count + (uint64_t)b->leap_count * (b->width + 4) +
			b->standard_count + b->utc_count;
	if (size > left - HEADER)
		return bad(err, "it counts more than it has bytes");
	b->times = at + HEADER;
	b->indices = b->times + b->time_count * b->width;
	b->types = b->indices + b->time_count;
	b->chars = b->types + (size_t)b->type_count * TYPE;
	b->standards = b->chars + b->char_count + b->leap_count * (b->width + 4);
	b->utcs = b->standards + b->standard_count;
	b->end = b->utcs + b->utc_count;
	return 0;
}

static int check_types(const block *b, hn_error **err)
{
	if (b->type_count == 0 || b->type_count > 256 || b->char_count == 0)
		return bad(err, "it has no types or too many");
	if ((b->utc_count != 0 && b->utc_count != b->type_count) ||
		(b->standard_count != 0 && b->standard_count != b->type_count))
		return bad(err, "it has indicators for some types only");
	for (size_t i = 0; i < b->type_count; i++) {
		const uint8_t *type = b->types + i * TYPE;
		int64_t offset = big_endian(type, 4);

		if (offset < -FARTHEST || offset > FARTHEST)
			return bad(err, "an offset is more than 26 hours");
		if (type[4] > 1)
			return bad(err, "a daylight flag is neither 0 nor 1");
		if (type[5] >= b->char_count ||
			memchr(b->chars + type[5], 0, b->char_count - type[5]) == NULL)
			return bad(err, "a type has no name");
	}
	for (size_t i = 0; i < b->utc_count; i++) {
		bool standard = i < b->standard_count && b->standards[i] == 1;

		if (b->utcs[i] > 1 || (b->utcs[i] == 1 && !standard))
			return bad(err, "a UT indicator is wrong");
	}
	for (size_t i = 0; i < b->standard_count; i++) {
		if (b->standards[i] > 1)
			return bad(err, "a standard indicator is wrong");
	}
	return 0;
}

static int64_t time_of(const block *b, size_t index)
{
	return big_endian(b->times + index * b->width, b->width);
}

static int32_t offset_of(const block *b, size_t index)
{
	return (int32_t)big_endian(b->types + (size_t)b->indices[index] * TYPE, 4);
}

static int check_times(const block *b, hn_error **err)
{
	for (size_t i = 0; i < b->time_count; i++) {
		if (b->indices[i] >= b->type_count)
			return bad(err, "a transition has no type");
		if (i > 0 && time_of(b, i - 1) >= time_of(b, i))
			return bad(err, "transitions do not rise");
	}
	return 0;
}

/* The table of one checked block. */
static codec_zone *make_zone(const block *b, const codec_footer *footer)
{
	size_t words = b->time_count + footer->count + (b->time_count + 2) / 2;
	codec_zone *made = base_alloc(sizeof(*made) + words * sizeof(made->store[0]));

	if (made == NULL)
		return NULL;
	atomic_init(&made->references, 1);
	made->footer_count = footer->count;
	memcpy(made->footer_offset, footer->offset, sizeof(made->footer_offset));
	made->footer_at = made->store;
	made->at = made->footer_at + footer->count;
	made->offset = (int32_t *)(made->at + b->time_count);
	if (footer->count > 0)
		memcpy(made->footer_at, footer->at, footer->count * sizeof(footer->at[0]));
	made->offset[0] = (int32_t)big_endian(b->types, 4);
	made->count = 0;
	for (size_t i = 0; i < b->time_count; i++) {
		int32_t offset = offset_of(b, i);

		if (offset == made->offset[made->count])
			continue;
		made->at[made->count++] = time_of(b, i);
		made->offset[made->count] = offset;
	}
	made->footer_from = INT64_MAX;
	return made;
}

/* What the footer says at an instant. Transitions lie nearly evenly in the cycle: the guess is off
 * by one or two at most. */
static void footer_offset(const codec_zone *zone, int64_t instant, int32_t *offset, int64_t *next)
{
	static const int64_t far = INT64_C(1) << 60; /* so that nothing below overflows */
	size_t count = zone->footer_count, i;

	if (count == 0 || instant > far) {
		*offset = zone->footer_offset[0];
		*next = INT64_MAX;
		return;
	}
	instant = instant < -far ? -far : instant;
	int64_t cycle = codec_floor_div(instant - CODEC_CYCLE_ORIGIN, CODEC_CYCLE);
	int64_t begin = CODEC_CYCLE_ORIGIN + cycle * CODEC_CYCLE, within = instant - begin;

	i = (size_t)(within * (int64_t)count / CODEC_CYCLE);
	while (i < count && zone->footer_at[i] <= within)
		i++;
	while (i > 0 && zone->footer_at[i - 1] > within)
		i--;
	*offset = zone->footer_offset[i & 1];
	*next = begin + (i < count ? zone->footer_at[i] : zone->footer_at[0] + CODEC_CYCLE);
}

/* Without a transition a footer holds always, else from the last one, with which it must agree
 * (RFC 9636 section 3.3). */
static int add_footer(codec_zone *zone, const block *b, hn_error **err)
{
	int64_t from = b->time_count > 0 ? time_of(b, b->time_count - 1) : INT64_MIN, next;
	int32_t offset;

	if (b->time_count > 0) {
		footer_offset(zone, from, &offset, &next);
		if (offset != zone->offset[zone->count])
			return bad(err, "its footer contradicts its last transition");
	}
	zone->footer_from = from;
	return 0;
}

static int read_footer(
	const block *b, const uint8_t *end, codec_footer *footer, bool *has, hn_error **err)
{
	const char *text = (const char *)b->end + 1;

	if (end - b->end < 2 || b->end[0] != '\n' || end[-1] != '\n')
		return bad(err, "its footer is missing");
	size_t size = (size_t)(end - b->end) - 2;
	*has = size > 0;
	if (*has && !codec_footer_parse(text, size, b->version >= 3, footer))
		return bad(err, "its footer is no TZ string");
	return 0;
}

int codec_tzif_parse(const void *bytes, size_t size, codec_zone **zone, hn_error **err)
{
	BASE_AUTO_OF(codec_zone) codec_zone *made = NULL;
	const uint8_t *at = size > 0 ? bytes : (const void *)"", *end = at + size;
	codec_footer footer = {.count = 0};
	bool has_footer = false;
	block b;

	int rc = base_limit_check(BASE_LIMIT_ZONE_BYTES, size, err);
	if (rc == 0)
		rc = read_block(at, size, 1, &b, err);
	if (rc == 0 && b.version > 1) {
		unsigned version = b.version;

		at = b.end; /* the first block is for readers of version 1 */
		rc = read_block(at, (size_t)(end - at), 2, &b, err);
		if (rc == 0 && b.version != version)
			rc = bad(err, "its headers differ in the version");
		if (rc == 0)
			rc = read_footer(&b, end, &footer, &has_footer, err);
	} else if (rc == 0 && b.end != end) {
		rc = bad(err, "bytes follow it");
	}
	if (rc == 0 && b.leap_count > 0)
		rc = base_error(err, HN_ENOSUP, "codec",
			"use the zone of the same name that does not stand below \"right\"",
			"TZif data whose times count leap seconds");
	if (rc == 0)
		rc = check_types(&b, err);
	if (rc == 0)
		rc = check_times(&b, err);
	if (rc < 0)
		return rc;
	made = make_zone(&b, &footer);
	if (made == NULL)
		return base_nomem(err);
	rc = has_footer ? add_footer(made, &b, err) : 0;
	if (rc < 0)
		return rc;
	*zone = BASE_STEAL(made);
	return 0;
}

codec_zone *codec_zone_ref(const codec_zone *zone)
{
	codec_zone *same =
		(codec_zone *)(uintptr_t)zone; /* only the count of its holders changes */

	if (same)
		atomic_fetch_add_explicit(&same->references, 1, memory_order_relaxed);
	return same;
}

void codec_zone_free(codec_zone *zone)
{
	if (zone && atomic_fetch_sub_explicit(&zone->references, 1, memory_order_acq_rel) == 1)
		base_free(zone);
}

void codec_tzif_offset(const codec_zone *zone, int64_t utc_seconds, int32_t *offset_seconds,
	int64_t *next_transition)
{
	size_t low = 0, size = zone->count;

	if (utc_seconds >= zone->footer_from) {
		footer_offset(zone, utc_seconds, offset_seconds, next_transition);
		return;
	}
	/* How many transitions are not after the instant; without a branch that depends on it. */
	while (size > 0) {
		size_t half = size / 2;
		bool after = zone->at[low + half] <= utc_seconds;

		low = after ? low + half + 1 : low;
		size = after ? size - half - 1 : half;
	}
	*offset_seconds = zone->offset[low];
	if (low < zone->count) {
		*next_transition = zone->at[low];
	} else if (zone->footer_from != INT64_MAX) {
		int32_t offset;

		footer_offset(zone, zone->footer_from, &offset, next_transition);
	} else {
		*next_transition = INT64_MAX;
	}
}
