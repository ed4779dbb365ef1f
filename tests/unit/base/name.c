/* SPDX-License-Identifier: MIT
 *
 * UTF-8, names, nearest names, patterns, and quoting of untrusted text.
 */
#include "base/base-private.h"
#include <criterion/criterion.h>
#include <stdio.h>

static bool valid(const char *text)
{
	return base_utf8_valid(text, strlen(text));
}

Test(utf8, takes_what_rfc_3629_allows)
{
	cr_assert(valid(""));
	cr_assert(valid("plain"));
	cr_assert(valid("\x7f"));
	cr_assert(valid("\xc2\x80"));
	cr_assert(valid("\xdf\xbf"));
	cr_assert(valid("\xe0\xa0\x80"));
	cr_assert(valid("\xed\x9f\xbf"));
	cr_assert(valid("\xee\x80\x80"));
	cr_assert(valid("\xef\xbf\xbf"));
	cr_assert(valid("\xf0\x90\x80\x80"));
	cr_assert(valid("\xf4\x8f\xbf\xbf"));
}

Test(utf8, refuses_overlong_forms)
{
	cr_assert_not(valid("\xc0\x80"));
	cr_assert_not(valid("\xc1\xbf"));
	cr_assert_not(valid("\xe0\x9f\xbf"));
	cr_assert_not(valid("\xf0\x8f\xbf\xbf"));
}

Test(utf8, refuses_surrogates_and_what_is_above_the_end)
{
	cr_assert_not(valid("\xed\xa0\x80"));
	cr_assert_not(valid("\xed\xbf\xbf"));
	cr_assert_not(valid("\xf4\x90\x80\x80"));
	cr_assert_not(valid("\xf5\x80\x80\x80"));
	cr_assert_not(valid("\xff"));
}

Test(utf8, refuses_pieces)
{
	cr_assert_not(valid("\x80"));
	cr_assert_not(valid("\xc2"));
	cr_assert_not(valid("\xc2g"));
	cr_assert_not(valid("\xe2\x82"));
	cr_assert_not(valid("\xe2\x82g"));
	cr_assert_not(valid("\xf0\x9f\x98"));
	cr_assert_not(valid("\xf0\x9f\x98g"));
}

Test(utf8, refuses_nul)
{
	cr_assert_not(base_utf8_valid("a\0b", 3));
}

Test(name, is_a_letter_then_letters_digits_and_hyphens)
{
	cr_assert(base_name_valid("a", 1));
	cr_assert(base_name_valid("web-1", 5));
	cr_assert(base_name_valid("a--", 3));
	cr_assert_not(base_name_valid("", 0));
	cr_assert_not(base_name_valid("1a", 2));
	cr_assert_not(base_name_valid("-a", 2));
	cr_assert_not(base_name_valid("Web", 3));
	cr_assert_not(base_name_valid("a_b", 3));
	cr_assert_not(base_name_valid("a/b", 3));
	cr_assert_not(base_name_valid("..", 2));
	cr_assert_not(base_name_valid("a\0b", 3));
	cr_assert_not(base_name_valid("a\n", 2));
	cr_assert_not(base_name_valid("\xc3\xa4", 2));
}

Test(name, has_at_most_63_bytes)
{
	char name[65];

	memset(name, 'a', sizeof(name));
	cr_assert(base_name_valid(name, 63));
	cr_assert_not(base_name_valid(name, 64));
}

static const char *const keys[] = {
	"memory.size", "memory.max", "compute.units", "tpm", "rng", "boot.goal"};

static const char *key_at(void *arg, size_t index)
{
	(void)arg;
	return keys[index];
}

static int nearest(const char *name)
{
	return base_nearest(name, BASE_COUNT(keys), key_at, NULL);
}

Test(nearest, finds_a_typing_mistake)
{
	cr_assert_eq(nearest("memory.siez"), 0);
	cr_assert_eq(nearest("memroy.max"), 1);
	cr_assert_eq(nearest("compute.unit"), 2);
	cr_assert_eq(nearest("tmp"), 3);
	cr_assert_eq(nearest("boot.goall"), 5);
}

Test(nearest, the_same_is_nearest)
{
	cr_assert_eq(nearest("rng"), 4);
}

Test(nearest, a_swap_counts_as_one_change)
{
	/* Two changes would be too far for three letters. */
	cr_assert_eq(nearest("tmp"), 3);
	cr_assert_eq(nearest("tqq"), -1);
}

Test(nearest, offers_nothing_that_is_far)
{
	cr_assert_eq(nearest("volume.colour"), -1);
	/* Four changes of eleven letters are more than a third. */
	cr_assert_eq(nearest("memory.wxyz"), -1);
	cr_assert_eq(nearest("memory.wxyzw"), -1);
	cr_assert_eq(nearest(""), -1);
	cr_assert_eq(base_nearest("memory.size", 0, key_at, NULL), -1);
}

Test(nearest, a_name_of_any_length_is_safe)
{
	static char name[100000];

	memset(name, 'm', sizeof(name) - 1);
	cr_assert_eq(nearest(name), -1);
}

Test(glob, without_a_star_is_equality)
{
	cr_assert(base_glob("abc", "abc"));
	cr_assert_not(base_glob("abc", "abcd"));
	cr_assert_not(base_glob("abc", "ab"));
	cr_assert(base_glob("", ""));
	cr_assert_not(base_glob("", "a"));
}

Test(glob, a_star_is_any_text)
{
	cr_assert(base_glob("*", ""));
	cr_assert(base_glob("*", "abc"));
	cr_assert(base_glob("unit.*", "unit.ready"));
	cr_assert_not(base_glob("unit.*", "units.ready"));
	cr_assert(base_glob("*.ready", "unit.ready"));
	cr_assert(base_glob("a*c", "ac"));
	cr_assert(base_glob("a*c", "abbc"));
	cr_assert_not(base_glob("a*c", "abcd"));
	cr_assert(base_glob("a**c", "abc"));
}

Test(glob, parts_do_not_overlap)
{
	cr_assert_not(base_glob("ab*ba", "aba"));
	cr_assert(base_glob("ab*ba", "abba"));
	cr_assert_not(base_glob("*aa*aa", "aaa"));
	cr_assert(base_glob("*aa*aa", "aaaa"));
	cr_assert(base_glob("*ab*cd*", "xxabyycdzz"));
	cr_assert_not(base_glob("*cd*ab*", "xxabyycdzz"));
}

Test(glob, other_signs_mean_themselves)
{
	cr_assert(base_glob("a?[b]\\", "a?[b]\\"));
	cr_assert_not(base_glob("a?c", "abc"));
}

Test(glob, a_bad_pattern_takes_no_time)
{
	static char text[200001], pattern[2001];

	memset(text, 'a', sizeof(text) - 1);
	for (size_t i = 0; i + 1 < sizeof(pattern); i++)
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	pattern[sizeof(pattern) - 2] = 'b';
	cr_assert_not(base_glob(pattern, text));
}

Test(quote, control_signs_cannot_reach_a_terminal)
{
	char out[BASE_QUOTE_SIZE];

	cr_assert_str_eq(
		base_quote(out, "a\x1b[31m\"\n\\\xff", 10), "a\\x1b[31m\\x22\\x0a\\x5c\\xff");
	cr_assert_str_eq(base_quote(out, "", 0), "");
	cr_assert_str_eq(base_quote(out, "a\0b", 3), "a\\x00b");
}

Test(quote, long_text_is_cut)
{
	char out[BASE_QUOTE_SIZE];
	char text[1000];

	for (size_t size = 0; size < 200; size++) {
		memset(text, size % 2 == 0 ? 'x' : '\n', sizeof(text));
		base_quote(out, text, size);
		cr_assert_lt(strlen(out), BASE_QUOTE_SIZE);
	}
	cr_assert_str_eq(out + strlen(out) - 3, "...");
}

Test(names, are_copied_in_order)
{
	base_names names = {0};
	char name[8];

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		cr_assert_eq(base_names_add(&names, name), 0);
	}
	cr_assert_eq(names.count, 100);
	cr_assert_str_eq(names.items[0], "n0");
	cr_assert_str_eq(names.items[99], "n99");
	base_names_free(&names);
	cr_assert_eq(names.count, 0);
	cr_assert_eq(base_names_add(&names, "again"), 0);
	cr_assert_str_eq(names.items[0], "again");
	base_names_free(&names);
}
