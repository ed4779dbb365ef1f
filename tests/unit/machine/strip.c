/* SPDX-License-Identifier: MIT
 *
 * Taking escape sequences out of console output, except colour.
 */
#include "fixture.h"

static void strips(const char *in, size_t size, const char *out)
{
	char bytes[256];
	int state = 0;
	size_t kept;

	memcpy(bytes, in, size);
	kept = hn_terminal_strip(bytes, size, &state);
	cr_expect_eq(kept, strlen(out), "%zu bytes kept", kept);
	cr_expect_eq(memcmp(bytes, out, kept < strlen(out) ? kept : strlen(out)), 0);
}
#define STRIPS(in, out) strips(in, sizeof(in) - 1, out)

Test(strip, plain_text)
{
	STRIPS("hello\r\n\tworld", "hello\r\n\tworld");
	STRIPS("", "");
}

Test(strip, utf8_stays)
{
	STRIPS("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
}

Test(strip, colour_stays)
{
	STRIPS("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m");
	STRIPS("\x1b[m", "\x1b[m");
}

Test(strip, cursor_and_screen_go)
{
	STRIPS("a\x1b[2J\x1b[10;20Hb\x1b[?25lc", "abc");
}

Test(strip, private_colour_like_sequences_go)
{
	STRIPS("a\x1b[>4;2mb", "ab");
	STRIPS("a\x1b[38:5:1mb", "ab");
}

Test(strip, titles_go)
{
	STRIPS("a\x1b]0;evil\x07"
	       "b",
		"ab");
	STRIPS("a\x1b]52;c;cGF5bG9hZA==\x1b\\b", "ab");
}

Test(strip, device_control_goes)
{
	STRIPS("a\x1bP1$r0m\x1b\\b", "ab");
	STRIPS("a\x1b_x\x1b\\b", "ab");
}

Test(strip, charset_goes)
{
	STRIPS("a\x1b(0b\x1b)Bc", "abc");
}

Test(strip, single_escapes_go)
{
	STRIPS("a\x1b"
	       "7b\x1b"
	       "c!",
		"ab!");
}

Test(strip, control_bytes_go)
{
	STRIPS("a\x07\x08\x0e\x0f\x7f"
	       "b",
		"ab");
}

Test(strip, nul_goes)
{
	strips("a\0b", 3, "ab");
}

Test(strip, eight_bit_controls_go)
{
	STRIPS("a\xc2\x9b"
	       "2Jb",
		"ab");
	STRIPS("a\xc2\x9d"
	       "0;evil\x07"
	       "b",
		"ab");
	STRIPS("a\xc2\x85"
	       "b\x9b"
	       "c\x80",
		"abc");
	STRIPS("20\xc2\xb0 \xc2\xa9", "20\xc2\xb0 \xc2\xa9");
	STRIPS("\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80");
	STRIPS("\xe2\x1b[2Jx", "\xe2x");
}

Test(strip, split_between_pieces)
{
	char one[] = "a\x1b]0;tit", two[] = "le\x07z";
	int state = 0;

	cr_expect_eq(hn_terminal_strip(one, strlen(one), &state), 1);
	cr_expect_eq(hn_terminal_strip(two, strlen(two), &state), 1);
	cr_expect_eq(two[0], 'z');
	cr_expect_eq(state, 0);
}

Test(strip, endless_sequence_keeps_nothing)
{
	char bytes[200];
	int state = 0;

	memset(bytes, '1', sizeof(bytes));
	bytes[0] = 0x1b;
	bytes[1] = '[';
	cr_expect_eq(hn_terminal_strip(bytes, sizeof(bytes), &state), 0);
}

Test(strip, never_longer_than_before)
{
	for (unsigned seed = 1; seed < 500; seed++) {
		char bytes[64];
		unsigned x = seed;
		int state = 0;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			x = x * 1103515245u + 12345u;
			bytes[i] = "\x1b[]m;1a\x07\\P("[x >> 16 & 7];
		}
		cr_assert_leq(hn_terminal_strip(bytes, sizeof(bytes), &state), sizeof(bytes));
	}
}
