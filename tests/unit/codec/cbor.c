/* SPDX-License-Identifier: MIT
 *
 * The deterministic CBOR writer and the strict cursor, after the examples of RFC 8949 appendix A.
 */
#include "codec/codec-private.h"
#include <criterion/criterion.h>

typedef struct sample {
	const char *hex;
	size_t size;
	uint8_t bytes[256];
} sample;

static sample bytes_of(const char *hex)
{
	sample made = {.hex = hex, .size = strlen(hex) / 2};

	cr_assert(codec_hex_decode(hex, strlen(hex), made.bytes), "%s", hex);
	return made;
}

static void expect_written(codec_cbor_out *out, const char *hex)
{
	char text[512] = "";

	cr_assert_leq(out->buf.size, 255u);
	codec_hex(out->buf.data, out->buf.size, text);
	cr_assert_str_eq(text, hex);
	base_buf_free(&out->buf);
	*out = (codec_cbor_out){0};
}

/* Takes the whole sample by skipping. */
static void taken(const char *hex)
{
	sample s = bytes_of(hex);
	codec_cbor in;
	hn_error *err = NULL;

	codec_cbor_open(&in, s.bytes, s.size);
	cr_assert(codec_cbor_skip(&in), "%s: %s", hex, in.error_text);
	cr_assert_eq(codec_cbor_peek(&in), CODEC_CBOR_END);
	cr_assert_eq(codec_cbor_end(&in, &err), 0, "%s", hex);
	cr_assert_null(err);
}

static void refused(const char *hex, size_t offset, const char *words)
{
	sample s = bytes_of(hex);
	codec_cbor in;
	hn_error *err = NULL;

	codec_cbor_open(&in, s.bytes, s.size);
	codec_cbor_skip(&in);
	cr_assert_eq(codec_cbor_end(&in, &err), HN_ECBOR, "%s was taken", hex);
	cr_assert_not_null(
		strstr(hn_error_message(err), words), "%s: %s", hex, hn_error_message(err));
	cr_assert_eq(in.error_offset, offset, "%s: offset %zu", hex, in.error_offset);
	cr_assert_not(codec_cbor_skip(&in), "the error does not stick");
	cr_assert_eq(codec_cbor_peek(&in), CODEC_CBOR_ERROR);
	hn_error_unref(err);
}

Test(cbor_write, unsigned_integers)
{
	static const struct {
		uint64_t value;
		const char *hex;
	} rows[] = {{0, "00"}, {23, "17"}, {24, "1818"}, {255, "18ff"}, {256, "190100"},
		{65535, "19ffff"}, {65536, "1a00010000"}, {UINT32_MAX, "1affffffff"},
		{(uint64_t)UINT32_MAX + 1, "1b0000000100000000"},
		{UINT64_MAX, "1bffffffffffffffff"}};
	codec_cbor_out out = {0};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		codec_cbor_put_uint(&out, rows[i].value);
		expect_written(&out, rows[i].hex);
	}
}

Test(cbor_write, signed_integers)
{
	static const struct {
		int64_t value;
		const char *hex;
	} rows[] = {{0, "00"}, {-1, "20"}, {-24, "37"}, {-25, "3818"}, {-1000, "3903e7"},
		{INT64_MAX, "1b7fffffffffffffff"}, {INT64_MIN, "3b7fffffffffffffff"}};
	codec_cbor_out out = {0};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		codec_cbor_put_int(&out, rows[i].value);
		expect_written(&out, rows[i].hex);
	}
}

Test(cbor_write, strings)
{
	codec_cbor_out out = {0};

	codec_cbor_put_bytes(&out, "\x01\x02\x03\x04", 4);
	expect_written(&out, "4401020304");
	codec_cbor_put_bytes(&out, NULL, 0);
	expect_written(&out, "40");
	codec_cbor_put_text(&out, "IETF", 4);
	expect_written(&out, "6449455446");
	codec_cbor_put_text(&out, "\xe6\xb0\xb4", 3);
	expect_written(&out, "63e6b0b4");
}

Test(cbor_write, containers_and_simple_values)
{
	codec_cbor_out out = {0};

	codec_cbor_put_map(&out, 2);
	codec_cbor_put_text(&out, "a", 1);
	codec_cbor_put_uint(&out, 1);
	codec_cbor_put_text(&out, "b", 1);
	codec_cbor_put_array(&out, 3);
	codec_cbor_put_bool(&out, true);
	codec_cbor_put_bool(&out, false);
	codec_cbor_put_null(&out);
	expect_written(&out, "a26161016162"
			     "83f5f4f6");
	codec_cbor_put_tag(&out, 18);
	codec_cbor_put_tag(&out, 65535);
	expect_written(&out, "d2d9ffff");
}

Test(cbor_write, long_text_has_a_long_head)
{
	codec_cbor_out out = {0};
	char text[256];
	memset(text, 'x', sizeof(text));

	codec_cbor_put_text(&out, text, sizeof(text));
	cr_assert_eq(out.buf.size, 259u);
	cr_assert_eq(memcmp(out.buf.data, "\x79\x01\x00", 3), 0);
	base_buf_free(&out.buf);
}

Test(cbor_take, integers)
{
	taken("00");
	taken("17");
	taken("1818");
	taken("190100");
	taken("1bffffffffffffffff");
	taken("20");
	taken("3b7fffffffffffffff");
}

Test(cbor_take, strings)
{
	taken("40");
	taken("4401020304");
	taken("60");
	taken("62c3bc");
	taken("64f0908591");
}

Test(cbor_take, containers)
{
	taken("80");
	taken("83010203");
	taken("8301820203820405");
	taken("a0");
	taken("a201020304");
	taken("a26161016162820203");
	taken("826161a161626163");
	taken("a56161614161626142616361436164614461656145");
}

Test(cbor_take, simple_values)
{
	taken("f4");
	taken("f5");
	taken("f6");
}

Test(cbor_take, eight_levels)
{
	taken("8181818181818180");
	taken("a100a100a100a100a100a100a100a0");
}

Test(cbor_take, keys_of_several_kinds_rise)
{
	/* 10, 100, -1, h'00', "z", false, null */
	taken("a70a0018640020004100"
	      "00617a00f400f600");
}

Test(cbor_read, values_come_out)
{
	/* {1: -5, 2: h'0102', "k": ["t", true, null, 18446744073709551615]} */
	sample s = bytes_of("a3012402420102616b846174f5f61bffffffffffffffff");
	const uint8_t *bytes;
	const char *text;
	codec_cbor in;
	uint64_t number;
	int64_t integer;
	size_t size;
	bool truth;

	codec_cbor_open(&in, s.bytes, s.size);
	cr_assert_eq(codec_cbor_peek(&in), CODEC_CBOR_MAP);
	cr_assert(codec_cbor_map(&in, &number));
	cr_assert_eq(number, 3u);
	cr_assert(codec_cbor_uint(&in, &number));
	cr_assert_eq(number, 1u);
	cr_assert_eq(codec_cbor_peek(&in), CODEC_CBOR_NEGATIVE);
	cr_assert(codec_cbor_int(&in, &integer));
	cr_assert_eq(integer, -5);
	cr_assert(codec_cbor_int(&in, &integer));
	cr_assert_eq(integer, 2);
	cr_assert(codec_cbor_bytes(&in, &bytes, &size));
	cr_assert_eq(size, 2u);
	cr_assert_eq(bytes, s.bytes + 5, "the view is borrowed");
	cr_assert(codec_cbor_text(&in, &text, &size));
	cr_assert_eq(size, 1u);
	cr_assert_eq(text[0], 'k');
	cr_assert(codec_cbor_array(&in, &number));
	cr_assert_eq(number, 4u);
	cr_assert(codec_cbor_text(&in, &text, &size));
	cr_assert_eq(codec_cbor_peek(&in), CODEC_CBOR_BOOL);
	cr_assert(codec_cbor_bool(&in, &truth));
	cr_assert(truth);
	cr_assert_eq(codec_cbor_peek(&in), CODEC_CBOR_NULL);
	cr_assert(codec_cbor_null(&in));
	cr_assert(codec_cbor_uint(&in, &number));
	cr_assert_eq(number, UINT64_MAX);
	cr_assert_eq(codec_cbor_end(&in, NULL), 0);
}

Test(cbor_read, tag_where_it_is_asked_for)
{
	sample s = bytes_of("d28101");
	codec_cbor in;
	uint64_t number;

	codec_cbor_open(&in, s.bytes, s.size);
	cr_assert(codec_cbor_tag(&in, &number));
	cr_assert_eq(number, 18u);
	cr_assert(codec_cbor_array(&in, &number));
	cr_assert(codec_cbor_uint(&in, &number));
	cr_assert_eq(codec_cbor_end(&in, NULL), 0);
}

Test(cbor_read, tag_without_an_item)
{
	sample s = bytes_of("d2");
	codec_cbor in;
	uint64_t number;

	codec_cbor_open(&in, s.bytes, s.size);
	cr_assert(codec_cbor_tag(&in, &number));
	cr_assert_eq(codec_cbor_end(&in, NULL), HN_ECBOR);
}

Test(cbor_read, tag_on_a_key)
{
	sample s = bytes_of("a1c00000");
	codec_cbor in;
	uint64_t number = 0;

	codec_cbor_open(&in, s.bytes, s.size);
	cr_assert(codec_cbor_map(&in, &number));
	cr_assert_not(codec_cbor_tag(&in, &number));
	cr_assert_str_eq(in.error_text, "tag on a key");
}

Test(cbor_read, falling_keys_stop_every_reader)
{
	sample s = bytes_of("a220002000");
	codec_cbor in;
	uint64_t number = 0;
	int64_t integer = 0;

	codec_cbor_open(&in, s.bytes, s.size);
	cr_assert(codec_cbor_map(&in, &number));
	cr_assert(codec_cbor_int(&in, &integer));
	cr_assert(codec_cbor_skip(&in));
	cr_assert_not(codec_cbor_int(&in, &integer));
	cr_assert_not(codec_cbor_int(&in, &integer));
	cr_assert_eq(in.error_offset, 3u);
}

Test(cbor_read, skip_when_nothing_is_left)
{
	sample s = bytes_of("00");
	codec_cbor in;

	codec_cbor_open(&in, s.bytes, s.size);
	cr_assert(codec_cbor_skip(&in));
	cr_assert_not(codec_cbor_skip(&in));
	cr_assert_eq(codec_cbor_end(&in, NULL), HN_ECBOR);
}

Test(cbor_read, skip_inside_a_container)
{
	sample s = bytes_of("8301820203820405");
	codec_cbor in;
	uint64_t number;

	codec_cbor_open(&in, s.bytes, s.size);
	cr_assert(codec_cbor_array(&in, &number));
	cr_assert(codec_cbor_skip(&in));
	cr_assert(codec_cbor_skip(&in));
	cr_assert(codec_cbor_array(&in, &number));
	cr_assert(codec_cbor_uint(&in, &number));
	cr_assert_eq(number, 4u);
	cr_assert(codec_cbor_skip(&in));
	cr_assert_eq(codec_cbor_end(&in, NULL), 0);
}

Test(cbor_read, wrong_type_leaves_the_value_alone)
{
	sample s = bytes_of("6161");
	codec_cbor in;
	uint64_t number = 77;
	hn_error *err = NULL;

	codec_cbor_open(&in, s.bytes, s.size);
	cr_assert_not(codec_cbor_uint(&in, &number));
	cr_assert_eq(number, 77u);
	cr_assert_eq(codec_cbor_end(&in, &err), HN_ECBOR);
	cr_assert_not_null(strstr(hn_error_message(err), "not an unsigned integer"));
	hn_error_unref(err);
}

Test(cbor_read, each_reader_refuses_every_other_type)
{
	static const char *const items[] = {"00", "20", "40", "60", "80", "a0", "c000", "f4", "f6"};

	for (int reader = 0; reader < 9; reader++) {
		for (int item = 0; item < 9; item++) {
			sample s = bytes_of(items[item]);
			const uint8_t *bytes;
			const char *text;
			codec_cbor in;
			uint64_t number;
			int64_t integer;
			size_t size;
			bool truth;

			codec_cbor_open(&in, s.bytes, s.size);
			bool took = reader == 0   ? codec_cbor_uint(&in, &number)
				    : reader == 1 ? codec_cbor_int(&in, &integer)
				    : reader == 2 ? codec_cbor_bytes(&in, &bytes, &size)
				    : reader == 3 ? codec_cbor_text(&in, &text, &size)
				    : reader == 4 ? codec_cbor_array(&in, &number)
				    : reader == 5 ? codec_cbor_map(&in, &number)
				    : reader == 6 ? codec_cbor_tag(&in, &number)
				    : reader == 7 ? codec_cbor_bool(&in, &truth)
						  : codec_cbor_null(&in);
			bool right = reader == item || (reader == 1 && item == 0);
			cr_assert_eq(took, right, "reader %d, item %d", reader, item);
		}
	}
}

Test(cbor_read, not_read_to_its_end)
{
	sample s = bytes_of("820102");
	codec_cbor in;
	uint64_t number;

	codec_cbor_open(&in, s.bytes, s.size);
	cr_assert(codec_cbor_array(&in, &number));
	cr_assert(codec_cbor_uint(&in, &number));
	cr_assert_eq(codec_cbor_end(&in, NULL), HN_ECBOR);
}

Test(cbor_read, more_than_there_is)
{
	sample s = bytes_of("8101");
	codec_cbor in;
	uint64_t number;

	codec_cbor_open(&in, s.bytes, s.size);
	cr_assert(codec_cbor_array(&in, &number));
	cr_assert(codec_cbor_uint(&in, &number));
	cr_assert_not(codec_cbor_uint(&in, &number));
	cr_assert_eq(codec_cbor_end(&in, NULL), HN_ECBOR);
}

Test(cbor_refuse, heads_that_are_not_the_shortest)
{
	refused("1817", 0, "not the shortest");
	refused("1900ff", 0, "not the shortest");
	refused("1a0000ffff", 0, "not the shortest");
	refused("1b00000000ffffffff", 0, "not the shortest");
	refused("580161", 0, "not the shortest");
	refused("9801"
		"00",
		0, "not the shortest");
}

Test(cbor_refuse, indefinite_lengths)
{
	refused("5f4101ff", 0, "indefinite");
	refused("7f6161ff", 0, "indefinite");
	refused("9f01ff", 0, "indefinite");
	refused("bf0102ff", 0, "indefinite");
	refused("ff", 0, "break");
}

Test(cbor_refuse, floating_point)
{
	refused("f93c00", 0, "floating");
	refused("fa47c35000", 0, "floating");
	refused("fb3ff199999999999a", 0, "floating");
	refused("f97e00", 0, "floating");
}

Test(cbor_refuse, other_simple_values)
{
	refused("f7", 0, "simple");
	refused("e0", 0, "simple");
	refused("f820", 0, "simple");
	refused("fc", 0, "simple");
}

Test(cbor_refuse, reserved_heads)
{
	refused("1c", 0, "reserved");
	refused("5d", 0, "reserved");
	refused("de", 0, "reserved");
}

Test(cbor_refuse, tags_nobody_asked_for)
{
	refused("c249010000000000000000", 0, "tag");
	refused("81c000", 1, "tag");
}

Test(cbor_refuse, integers_below_64_bits)
{
	refused("3b8000000000000000", 0, "does not fit");
	refused("3bffffffffffffffff", 0, "does not fit");
}

Test(cbor_refuse, duplicate_keys)
{
	refused("a201000100", 3, "twice");
	refused("a2616100616100", 4, "twice");
}

Test(cbor_refuse, keys_that_fall)
{
	refused("a202000100", 3, "do not rise");
	/* Length first, as RFC 7049 had it: 100 before -1 is right by bytes only the other way
	 * round. */
	refused("a22000186400", 3, "do not rise");
	refused("a2617a0060"
		"00",
		4, "do not rise");
}

Test(cbor_refuse, maps_and_tags_as_keys)
{
	refused("a1a000", 1, "as a key");
	refused("a1c00000", 1, "tag");
}

Test(cbor_take, arrays_as_keys)
{
	/* {1: 0, []: 0, [1]: 0, [1, "a"]: 0, [1, "b"]: 0} */
	taken("a50100800081010082016161008201616200");
}

Test(cbor_refuse, arrays_as_keys_that_do_not_rise)
{
	refused("a282016162008201616100", 6, "do not rise");
	refused("a282016162008201616200", 6, "twice");
}

Test(cbor_refuse, bad_texts)
{
	refused("61ff", 0, "UTF-8");
	refused("62c0af", 0, "UTF-8");
	refused("63eda080", 0, "UTF-8");
	refused("63610062", 0, "NUL");
}

Test(cbor_refuse, bytes_after_the_item)
{
	refused("0000", 1, "follow");
	refused("8000", 1, "follow");
}

Test(cbor_refuse, cut_off)
{
	refused("", 0, "cut off");
	refused("18", 0, "cut off");
	refused("1b00000001000000", 0, "cut off");
	refused("4201", 0, "longer than");
	refused("8201", 0, "more items");
	refused("a101", 0, "more items");
	refused("81"
		"18",
		1, "cut off");
}

Test(cbor_refuse, nine_levels)
{
	refused("818181818181818180", 8, "too deep");
	refused("a100a100a100a100a100a100a100a100a0", 16, "too deep");
}

Test(cbor_refuse, counts_beyond_the_bytes)
{
	refused("9a10000000", 0, "more items");
	refused("9bffffffffffffffff", 0, "more items");
	refused("bbffffffffffffffff", 0, "more items");
	refused("bb8000000000000000"
		"0000",
		0, "more items");
	refused("5bffffffffffffffff", 0, "longer than");
	refused("7b7fffffffffffffff", 0, "longer than");
}

Test(cbor_refuse, every_truncation)
{
	sample s = bytes_of("a3012402420102616b846174f5f61bffffffffffffffff");

	for (size_t size = 0; size < s.size; size++) {
		codec_cbor in;

		codec_cbor_open(&in, s.bytes, size);
		cr_assert_not(codec_cbor_skip(&in), "%zu bytes", size);
	}
}

Test(cbor_refuse, error_names_the_offset)
{
	sample s = bytes_of("8301f700");
	codec_cbor in;
	hn_error *err = NULL;
	hn_fact fact;

	codec_cbor_open(&in, s.bytes, s.size);
	codec_cbor_skip(&in);
	cr_assert_eq(codec_cbor_end(&in, &err), HN_ECBOR);
	cr_assert_not_null(strstr(hn_error_message(err), "at byte 2"));
	cr_assert_eq(hn_error_fact(err, 0, &fact), 0);
	cr_assert_str_eq(fact.name, "offset");
	cr_assert_eq(fact.number, 2);
	hn_error_unref(err);
}
