/* SPDX-License-Identifier: MIT
 *
 * What the strict cursor refuses, by the groups of negative tests for tokens (30 to 43), and the
 * raw bytes of an item.
 */
#include "codec/codec-private.h"
#include <criterion/criterion.h>
#include <malloc.h>
#include <time.h>

static bool takes(const char *hex)
{
	uint8_t bytes[128];
	codec_cbor in;

	cr_assert_leq(strlen(hex), 2 * sizeof(bytes));
	cr_assert(codec_hex_decode(hex, strlen(hex), bytes), "%s", hex);
	codec_cbor_open(&in, bytes, strlen(hex) / 2);
	return codec_cbor_skip(&in) && codec_cbor_end(&in, NULL) == 0;
}

static void none_is_taken(const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cr_expect_not(takes(list[i]), "%s was taken", list[i]);
}
#define NONE_IS_TAKEN(...)                                                                         \
	none_is_taken((const char *const[]){__VA_ARGS__},                                          \
		BASE_COUNT(((const char *const[]){__VA_ARGS__})))

Test(negative, g30_g31_duplicate_keys)
{
	NONE_IS_TAKEN("a201270127", "a201000101", "a220002000", "a2616100616100", "a241004100",
		"a101a201000100", "a280018002");
}

Test(negative, g32_true_beside_1)
{
	uint8_t bytes[] = {0xa2, 0x01, 0x00, 0xf5, 0x00};
	uint64_t count = 0;
	int64_t key = 0;
	codec_cbor in;

	/* They are two keys, and who asks for an integer never gets the other. */
	cr_assert(takes("a20100f500"));
	codec_cbor_open(&in, bytes, sizeof(bytes));
	cr_assert(codec_cbor_map(&in, &count));
	cr_assert(codec_cbor_int(&in, &key));
	cr_assert(codec_cbor_skip(&in));
	cr_assert_not(codec_cbor_int(&in, &key));
}

Test(negative, g33_unsorted_keys)
{
	NONE_IS_TAKEN("a202000100", "a220000100", "a2616200616100", "a2f4000100");
}

Test(negative, g34_length_first)
{
	/* RFC 7049 put the shorter key first: -1 before 100, "z" before "aa" is right in both. */
	NONE_IS_TAKEN("a22000186400", "a301002000186400", "a241ff0019010000");
	cr_assert(takes("a2617a0062616100"));
}

Test(negative, g35_g36_not_the_shortest)
{
	NONE_IS_TAKEN("1800", "1817", "190000", "1900ff", "1a00000000", "1a0000ffff",
		"1b0000000000000000", "1b00000000ffffffff", "3800", "3817", "3900ff", "5800",
		"580161", "59000161", "5a0000000161", "5b000000000000000161", "7800", "780161",
		"9800", "980100", "b800", "b8010000", "9a0000000100");
}

Test(negative, g37_indefinite)
{
	NONE_IS_TAKEN("5fff", "5f4101ff", "7fff", "7f6161ff", "9fff", "9f01ff", "bfff", "bf0102ff",
		"819fff", "a1019fff", "ff", "81ff");
}

Test(negative, g38_numbers_that_are_no_times)
{
	uint8_t bytes[] = {0x20}, big[] = {0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0};
	uint64_t number = 77;
	int64_t integer = 77;
	codec_cbor in;

	/* 1.5, NaN, infinities, bignums */
	NONE_IS_TAKEN("f93e00", "f97e00", "f97c00", "f9fc00", "fa7fc00000", "fb3ff8000000000000",
		"fb7ff8000000000000", "c24101", "c34101", "c249010000000000000000");
	codec_cbor_open(&in, bytes, sizeof(bytes));
	cr_assert_not(codec_cbor_uint(&in, &number), "-1 as an unsigned integer");
	codec_cbor_open(&in, big, sizeof(big));
	cr_assert_not(codec_cbor_int(&in, &integer), "2^63 as a signed integer");
	cr_assert_eq(number, 77u);
	cr_assert_eq(integer, 77);
}

static bool takes_nested(size_t levels, uint8_t head)
{
	uint8_t *bytes = base_alloc(levels);
	codec_cbor in;

	memset(bytes, head, levels);
	bytes[levels - 1] = 0x80;
	codec_cbor_open(&in, bytes, levels);
	bool took = codec_cbor_skip(&in) && codec_cbor_end(&in, NULL) == 0;
	base_free(bytes);
	return took;
}

Test(negative, g40_nesting)
{
	cr_assert(takes_nested(8, 0x81));
	cr_assert_not(takes_nested(9, 0x81));
	cr_assert_not(takes_nested(100000, 0x81));
	cr_assert_not(takes_nested(100000, 0xa1));
	cr_assert_not(takes_nested(100000, 0xc0));
}

Test(negative, g41_many_items_declared)
{
	static const uint8_t heads[][5] = {{0x9a, 0x10, 0, 0, 0}, {0xba, 0x10, 0, 0, 0},
		{0x5a, 0x10, 0, 0, 0}, {0x7a, 0x10, 0, 0, 0}, {0x9a, 0xff, 0xff, 0xff, 0xff}};
	struct timespec begin, end;
	size_t held = mallinfo2().uordblks;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (int round = 0; round < 1000; round++) {
		for (size_t i = 0; i < BASE_COUNT(heads); i++) {
			codec_cbor in;

			codec_cbor_open(&in, heads[i], sizeof(heads[i]));
			cr_assert_not(codec_cbor_skip(&in));
		}
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	/* 5,000 of them in the time that one may take, a millisecond each at the very most. */
	cr_assert_lt(end.tv_sec - begin.tv_sec, 5);
	cr_assert_eq(mallinfo2().uordblks, held, "something was allocated");
}

Test(negative, g42_bad_utf8)
{
	NONE_IS_TAKEN("61ff", "6180", "62c3", "62c328", "62c080", "63e08080", "63eda080",
		"64f4908080", "64f8888080", "63efbf");
}

Test(negative, g53_nul_in_text)
{
	NONE_IS_TAKEN("6100", "63610062", "a1610000");
}

Test(negative, g03_trailing_bytes)
{
	NONE_IS_TAKEN("0000", "a000", "8080", "f6f6", "40ff");
}

Test(negative, g39_tags_where_none_belongs)
{
	NONE_IS_TAKEN("d280", "d2d280", "81d280", "a1d20000", "a100d280");
}

Test(cbor_raw, one_item_with_its_head)
{
	/* [1, {2: [3]}, h'04'] */
	const uint8_t bytes[] = {0x83, 0x01, 0xa1, 0x02, 0x81, 0x03, 0x41, 0x04};
	const uint8_t *item = NULL;
	uint64_t count = 0;
	size_t size = 0;
	codec_cbor in;

	codec_cbor_open(&in, bytes, sizeof(bytes));
	cr_assert(codec_cbor_array(&in, &count));
	cr_assert(codec_cbor_raw(&in, &item, &size));
	cr_assert_eq(item, bytes + 1);
	cr_assert_eq(size, 1u);
	cr_assert(codec_cbor_raw(&in, &item, &size));
	cr_assert_eq(item, bytes + 2);
	cr_assert_eq(size, 4u);
	cr_assert(codec_cbor_raw(&in, &item, &size));
	cr_assert_eq(size, 2u);
	cr_assert_eq(codec_cbor_end(&in, NULL), 0);
}

Test(cbor_raw, the_whole_of_it)
{
	const uint8_t bytes[] = {0x82, 0x80, 0xa0};
	const uint8_t *item = NULL;
	size_t size = 0;
	codec_cbor in;

	codec_cbor_open(&in, bytes, sizeof(bytes));
	cr_assert(codec_cbor_raw(&in, &item, &size));
	cr_assert_eq(item, bytes);
	cr_assert_eq(size, 3u);
	cr_assert_eq(codec_cbor_end(&in, NULL), 0);
}

Test(cbor_raw, is_checked_and_leaves_the_views_alone)
{
	const uint8_t bytes[] = {0x82, 0x01, 0x18, 0x01};
	const uint8_t *item = NULL;
	size_t size = 77;
	codec_cbor in;

	codec_cbor_open(&in, bytes, sizeof(bytes));
	cr_assert_not(codec_cbor_raw(&in, &item, &size));
	cr_assert_null(item);
	cr_assert_eq(size, 77u);
	cr_assert_eq(in.error_offset, 2u);
}

Test(cbor_raw, keys_of_a_map_are_checked_too)
{
	const uint8_t bytes[] = {0xa2, 0x02, 0x00, 0x01, 0x00};
	const uint8_t *item = NULL;
	uint64_t count = 0;
	size_t size = 0;
	codec_cbor in;

	codec_cbor_open(&in, bytes, sizeof(bytes));
	cr_assert(codec_cbor_map(&in, &count));
	cr_assert(codec_cbor_raw(&in, &item, &size));
	cr_assert(codec_cbor_raw(&in, &item, &size));
	cr_assert_not(codec_cbor_raw(&in, &item, &size), "keys that fall");
}
