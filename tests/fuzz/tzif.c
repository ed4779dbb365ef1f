/* SPDX-License-Identifier: MIT
 *
 * Fuzzes TZif data and TZ strings: transitions rise, each changes the offset, and between two of
 * them the offset stays.
 */
#include "codec/codec-private.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

static void walk(const codec_zone *zone, int64_t at)
{
	for (int steps = 0; steps < 64; steps++) {
		int32_t offset = 0, last = 0, after = 0;
		int64_t next = 0, same = 0;

		codec_tzif_offset(zone, at, &offset, &next);
		require(next > at && offset > -100000 && offset < 100000);
		if (next == INT64_MAX)
			return;
		codec_tzif_offset(zone, next - 1, &last, &same);
		require(last == offset && same == next);
		codec_tzif_offset(zone, next, &after, &same);
		require(after != offset);
		at = next;
	}
}

static void footer(const uint8_t *data, size_t size)
{
	static codec_footer read;

	if (!codec_footer_parse((const char *)data, size, true, &read))
		return;
	require(read.count % 2 == 0 && read.count <= CODEC_CYCLE_TRANSITIONS);
	for (size_t i = 0; i < read.count; i++)
		require(read.at[i] > (i > 0 ? read.at[i - 1] : 0) && read.at[i] <= CODEC_CYCLE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t starts[] = {INT64_MIN, -(INT64_C(1) << 40), -5000000000, 0, 1774746000,
		4000000000, INT64_C(1) << 40, INT64_MAX - 1};
	codec_zone *zone = NULL;
	hn_error *err = NULL;

	footer(data, size);
	int rc = codec_tzif_parse(data, size, &zone, &err);
	if (rc < 0) {
		require(zone == NULL && (int)hn_error_code(err) == rc);
		hn_error_unref(err);
		return 0;
	}
	for (size_t i = 0; i < BASE_COUNT(starts); i++)
		walk(zone, starts[i]);
	codec_zone_free(zone);
	return 0;
}
