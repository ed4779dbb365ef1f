/* SPDX-License-Identifier: MIT
 *
 * CRC32C, base64url and hexadecimal.
 */
#include "codec/codec-private.h"
#include <criterion/criterion.h>

Test(crc32c, check_value)
{
	cr_assert_eq(codec_crc32c(0, "123456789", 9), 0xe3069283u);
	cr_assert_eq(codec_crc32c_portable(0, "123456789", 9), 0xe3069283u);
}

/* RFC 3720 appendix B.4. */
Test(crc32c, iscsi_vectors)
{
	uint8_t bytes[32] = {0};

	cr_assert_eq(codec_crc32c(0, bytes, 32), 0x8a9136aau);
	memset(bytes, 0xff, 32);
	cr_assert_eq(codec_crc32c(0, bytes, 32), 0x62a8ab43u);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = i;
	cr_assert_eq(codec_crc32c(0, bytes, 32), 0x46dd794eu);
	for (uint8_t i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(31 - i);
	cr_assert_eq(codec_crc32c(0, bytes, 32), 0x113fdb5cu);
}

Test(crc32c, both_ways_agree_on_every_length_and_alignment)
{
	uint8_t bytes[300];
	uint32_t seed = 1;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		seed = seed * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(seed >> 24);
	}
	for (size_t from = 0; from < 9; from++) {
		for (size_t size = 0; size < 256; size++)
			cr_assert_eq(codec_crc32c(seed, bytes + from, size),
				codec_crc32c_portable(seed, bytes + from, size), "%zu+%zu", from,
				size);
	}
}

Test(crc32c, pieces_give_the_whole)
{
	const char text[] = "the quick brown fox jumps over the lazy dog";
	uint32_t whole = codec_crc32c(0, text, sizeof(text));

	for (size_t cut = 0; cut <= sizeof(text); cut++)
		cr_assert_eq(
			codec_crc32c(codec_crc32c(0, text, cut), text + cut, sizeof(text) - cut),
			whole);
	cr_assert_eq(codec_crc32c(0, NULL, 0), 0u);
}

static void both_ways(const char *plain, size_t size, const char *expected)
{
	BASE_AUTO_FREE char *text = codec_base64url(plain, size);
	BASE_AUTO_FREE uint8_t *bytes = NULL;
	size_t out_size = 0;

	cr_assert_str_eq(text, expected);
	cr_assert_eq(codec_base64url_decode(text, strlen(text), &bytes, &out_size, NULL), 0);
	cr_assert_eq(out_size, size);
	cr_assert_eq(memcmp(bytes, plain, size), 0);
}

/* RFC 4648 section 10, without the padding. */
Test(base64url, vectors_of_the_rfc)
{
	both_ways("", 0, "");
	both_ways("f", 1, "Zg");
	both_ways("fo", 2, "Zm8");
	both_ways("foo", 3, "Zm9v");
	both_ways("foob", 4, "Zm9vYg");
	both_ways("fooba", 5, "Zm9vYmE");
	both_ways("foobar", 6, "Zm9vYmFy");
}

Test(base64url, the_two_letters_of_its_own)
{
	both_ways("\xfb\xff\xbf", 3, "-_-_");
}

Test(base64url, every_length)
{
	uint8_t bytes[64];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (size_t size = 0; size <= sizeof(bytes); size++) {
		BASE_AUTO_FREE char *text = codec_base64url(bytes, size);
		BASE_AUTO_FREE uint8_t *back = NULL;
		size_t back_size;

		cr_assert_eq(strlen(text), (size * 4 + 2) / 3);
		cr_assert_eq(
			codec_base64url_decode(text, strlen(text), &back, &back_size, NULL), 0);
		cr_assert_eq(back_size, size);
		cr_assert_eq(memcmp(back, bytes, size), 0);
	}
}

static char untouched; /* what an out parameter points at before a call that fails */

static void refused(const char *text, size_t character)
{
	uint8_t *bytes = (uint8_t *)&untouched;
	size_t size = 77;
	hn_error *err = NULL;
	hn_fact fact;

	cr_assert_eq(codec_base64url_decode(text, strlen(text), &bytes, &size, &err), HN_ESYNTAX,
		"%s", text);
	cr_assert_eq((void *)bytes, (void *)&untouched);
	cr_assert_eq(size, 77u);
	cr_assert_eq(hn_error_fact(err, 0, &fact), 0);
	cr_assert_eq(fact.number, (int64_t)character, "%s at %ld", text, (long)fact.number);
	hn_error_unref(err);
}

Test(base64url, refuses_padding)
{
	refused("Zg==", 2);
	refused("Zm8=", 3);
}

Test(base64url, refuses_the_other_alphabet)
{
	refused("+/+/", 0);
	refused("Zm/v", 2);
}

Test(base64url, refuses_white_space)
{
	refused("Zm9v\nYg", 4);
	refused(" Zm9", 0);
}

Test(base64url, refuses_spare_bits)
{
	refused("Zh", 1);
	refused("Zm9", 2);
}

Test(base64url, refuses_a_lone_character)
{
	refused("Z", 0);
	refused("Zm9vY", 4);
}

Test(hex, both_ways)
{
	uint8_t bytes[4] = {0x00, 0x7f, 0xab, 0xff}, back[4];
	char text[9];

	codec_hex(bytes, 4, text);
	cr_assert_str_eq(text, "007fabff");
	cr_assert(codec_hex_decode(text, 8, back));
	cr_assert_eq(memcmp(bytes, back, 4), 0);
	cr_assert(codec_hex_decode("ABff", 4, back));
	cr_assert_eq(back[0], 0xab);
}

Test(hex, nothing)
{
	char text[1] = {'x'};

	codec_hex(NULL, 0, text);
	cr_assert_str_eq(text, "");
	cr_assert(codec_hex_decode("", 0, NULL));
}

Test(hex, refuses)
{
	uint8_t back[4];

	cr_assert_not(codec_hex_decode("abc", 3, back));
	cr_assert_not(codec_hex_decode("0g", 2, back));
	cr_assert_not(codec_hex_decode("g0", 2, back));
	cr_assert_not(codec_hex_decode("0 ", 2, back));
}
