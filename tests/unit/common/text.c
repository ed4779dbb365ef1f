/* SPDX-License-Identifier: MIT
 *
 * Text on a terminal: widths, and untrusted bytes made harmless.
 */
#include "table-of-tests.h"
#include <locale.h>

static void utf8(void)
{
	cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8"));
}

TestSuite(text, .init = utf8);

static void clean_is(const char *text, const char *expected)
{
	char *clean = cli_text_clean(text);

	cr_assert_str_eq(clean, expected);
	free(clean);
}

static size_t width(const char *text)
{
	return cli_text_width(text, strlen(text));
}

Test(text, widths)
{
	cr_assert_eq(width(""), 0);
	cr_assert_eq(width("web-1"), 5);
	cr_assert_eq(width("größe"), 5);
	cr_assert_eq(width("日本"), 4);
	cr_assert_eq(width("e\xcc\x81"), 1); /* a combining accent */
}

Test(text, plain_text_stays)
{
	clean_is("größe 日本 é", "größe 日本 é");
}

Test(text, control_characters_are_shown)
{
	clean_is("a\033[31mb\a", "a\\x1b[31mb\\x07");
	clean_is("a\nb\tc\r", "a\\x0ab\\x09c\\x0d");
	clean_is("\x7f", "\\x7f");
}

Test(text, c1_controls_are_shown)
{
	clean_is("a\xc2\x9b"
		 "31m",
		"a\\xc2\\x9b"
		"31m");
}

Test(text, direction_marks_are_shown)
{
	clean_is("a\xe2\x80\xae"
		 "b",
		"a\\xe2\\x80\\xae"
		"b");
	clean_is("a\xe2\x81\xa6"
		 "b",
		"a\\xe2\\x81\\xa6"
		"b");
}

Test(text, invalid_utf8_is_shown)
{
	clean_is("a\xff"
		 "b",
		"a\\xff"
		"b");
	clean_is("a\xc3", "a\\xc3");
	clean_is("\xc0\xaf", "\\xc0\\xaf");
	clean_is("\xed\xa0\x80", "\\xed\\xa0\\x80");
}

Test(text, width_is_that_of_what_is_printed)
{
	cr_assert_eq(width("a\033b"), 6);
	cr_assert_eq(width("\xff"), 4);
}

Test(text, lines_are_kept_when_asked)
{
	cr_redirect_stdout();
	cli_text_print(stdout, "a\nb\033\n", true);
	fflush(stdout);
	cr_assert_stdout_eq_str("a\nb\\x1b\n");
}

Test(text, styles_only_with_colour)
{
	cr_assert_str_eq(cli_style_on(false, CLI_RED), "");
	cr_assert_str_eq(cli_style_off(false, CLI_RED), "");
	cr_assert_str_eq(cli_style_on(true, CLI_RED), "\033[31m");
	cr_assert_str_eq(cli_style_off(true, CLI_RED), "\033[0m");
	cr_assert_str_eq(cli_style_off(true, CLI_PLAIN), "");
}

Test(text, times_are_utc)
{
	char text[CLI_TIME_TEXT];

	cli_time_print(INT64_C(1700000000999999999), text);
	cr_assert_str_eq(text, "2023-11-14T22:13:20Z");
	cli_time_print(0, text);
	cr_assert_str_eq(text, "-");
}
