/* SPDX-License-Identifier: MIT
 *
 * Strict base64 in both alphabets: the vectors of RFC 4648 section 10, and that each value has one
 * text only.
 */
#include "codec/codec-private.h"
#include <criterion/criterion.h>

static const struct {
	const char *bytes, *padded, *bare;
} vectors[] = {{"", "", ""}, {"f", "Zg==", "Zg"}, {"fo", "Zm8=", "Zm8"}, {"foo", "Zm9v", "Zm9v"},
	{"foob", "Zm9vYg==", "Zm9vYg"}, {"fooba", "Zm9vYmE=", "Zm9vYmE"},
	{"foobar", "Zm9vYmFy", "Zm9vYmFy"}};

static bool takes(bool url, const char *text)
{
	uint8_t out[64];
	size_t written = 777;
	bool took = url ? codec_base64url_decode(text, strlen(text), out, sizeof(out), &written)
			: codec_base64_decode(text, strlen(text), out, sizeof(out), &written);

	cr_assert(took || written == 777, "the output was touched");
	return took;
}

Test(base64, vectors_of_the_rfc)
{
	for (size_t i = 0; i < BASE_COUNT(vectors); i++) {
		size_t size = strlen(vectors[i].bytes), written = 0;
		char text[16];
		uint8_t back[16];

		codec_base64(vectors[i].bytes, size, text);
		cr_expect_str_eq(text, vectors[i].padded);
		cr_expect_eq(codec_base64_size(size), strlen(text));
		cr_expect(codec_base64_decode(text, strlen(text), back, sizeof(back), &written));
		cr_expect_eq(written, size);
		cr_expect_eq(memcmp(back, vectors[i].bytes, size), 0);
		codec_base64url(vectors[i].bytes, size, text);
		cr_expect_str_eq(text, vectors[i].bare);
		cr_expect_eq(codec_base64url_size(size), strlen(text));
		cr_expect(codec_base64url_decode(text, strlen(text), back, sizeof(back), &written));
		cr_expect_eq(written, size);
		cr_expect_eq(memcmp(back, vectors[i].bytes, size), 0);
	}
}

Test(base64, each_alphabet_has_its_own_last_two)
{
	char text[8];

	codec_base64("\xfb\xff\xbf", 3, text);
	cr_assert_str_eq(text, "+/+/");
	codec_base64url("\xfb\xff\xbf", 3, text);
	cr_assert_str_eq(text, "-_-_");
}

Test(base64, g46_padding_in_a_token)
{
	cr_assert(takes(true, "Zg"));
	cr_assert_not(takes(true, "Zg=="));
	cr_assert_not(takes(true, "Zm8="));
	cr_assert_not(takes(true, "="));
}

Test(base64, g46_the_other_alphabet)
{
	cr_assert(takes(true, "-_-_"));
	cr_assert_not(takes(true, "+/+/"));
	cr_assert(takes(false, "+/+/"));
	cr_assert_not(takes(false, "-_-_"));
}

Test(base64, g46_whitespace)
{
	static const char *const texts[] = {
		"Zm9v\n", "\nZm9v", "Zm 9v", "Zm9v ", "Zm\r\n9v", "Zm\t9", "Zm9vYg==\n"};

	for (size_t i = 0; i < BASE_COUNT(texts); i++) {
		cr_expect_not(takes(true, texts[i]));
		cr_expect_not(takes(false, texts[i]));
	}
}

Test(base64, g46_spare_bits)
{
	/* 'g' is 32: its four low bits are zero. Each of the other fifteen is refused. */
	for (const char *c = "hijklmnopqrstuv"; *c != '\0'; c++) {
		char text[] = {'Z', *c, '\0'}, padded[] = {'Z', *c, '=', '=', '\0'};

		cr_expect_not(takes(true, text));
		cr_expect_not(takes(false, padded));
	}
	cr_assert(takes(true, "Zm8"));
	cr_assert_not(takes(true, "Zm9"));
	cr_assert_not(takes(true, "Zm-"));
	cr_assert_not(takes(false, "Zm9="));
}

Test(base64, lengths_that_no_bytes_have)
{
	cr_assert_not(takes(true, "Z"));
	cr_assert_not(takes(true, "Zm9vY"));
	cr_assert_not(takes(false, "Zg"));
	cr_assert_not(takes(false, "Zg="));
	cr_assert_not(takes(false, "Zm9vY==="));
	cr_assert_not(takes(false, "===="));
	cr_assert_not(takes(false, "Zg==Zg=="));
	cr_assert_not(takes(false, "Z=g="));
}

Test(base64, every_other_byte_is_refused)
{
	for (int c = 0; c < 256; c++) {
		char text[4] = {'A', (char)c, 'A', 'A'};
		uint8_t out[3];
		size_t written = 0;
		bool common =
			(c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		cr_expect_eq(codec_base64url_decode(text, 4, out, 3, &written),
			common || c == '-' || c == '_', "%d", c);
		cr_expect_eq(codec_base64_decode(text, 4, out, 3, &written),
			common || c == '+' || c == '/', "%d", c);
	}
}

Test(base64, nothing_is_written_beyond_the_capacity)
{
	uint8_t out[4] = {0, 0, 0, 0x55};
	size_t written = 777;

	cr_assert_not(codec_base64url_decode("Zm9vYg", 6, out, 3, &written));
	cr_assert_eq(written, 777u);
	cr_assert(codec_base64url_decode("Zm9v", 4, out, 3, &written));
	cr_assert_eq(written, 3u);
	cr_assert_eq(out[3], 0x55);
	cr_assert_not(codec_base64_decode("Zm9v", 4, out, 2, &written));
}

Test(base64, only_checked_without_an_output)
{
	size_t written = 0;

	cr_assert(codec_base64_decode("Zm9vYg==", 8, NULL, 0, &written));
	cr_assert_eq(written, 4u);
	cr_assert_not(codec_base64_decode("Zm9vYh==", 8, NULL, 0, &written));
}

Test(base64, round_trips_of_all_lengths)
{
	uint8_t bytes[80], back[80];
	char text[128];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 151 + 17);
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		size_t written = 0;

		codec_base64url(bytes, size, text);
		cr_expect_eq(strlen(text), codec_base64url_size(size));
		cr_expect(codec_base64url_decode(text, strlen(text), back, size, &written));
		cr_expect_eq(written, size);
		cr_expect_eq(memcmp(back, bytes, size), 0);
	}
}
