/* SPDX-License-Identifier: MIT
 *
 * CRC32C and hexadecimal.
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
