/* SPDX-License-Identifier: MIT
 *
 * Names of objects, patterns over them, sets of verbs.
 */
#include "caps/caps-private.h"

#include <criterion/criterion.h>

static bool object(const char *text)
{
	return caps_object_valid(text, strlen(text));
}

static bool match(const char *pattern, const char *name)
{
	cr_assert(caps_pattern_valid(pattern, strlen(pattern)), "%s", pattern);
	return caps_pattern_match(pattern, strlen(pattern), name, strlen(name));
}

static bool within(const char *narrow, const char *wide)
{
	return caps_pattern_within(narrow, strlen(narrow), wide, strlen(wide));
}

Test(negative, g52_objects_that_are_none)
{
	static const char *const wrong[] = {"", "/", "unit/", "/unit", "unit//a", "vm/prod/../dev",
		"unit/.", "unit/%2f", "unit/*", "unit/a b", "unit/a\n"};

	for (size_t i = 0; i < BASE_COUNT(wrong); i++)
		cr_expect_not(object(wrong[i]), "%s", wrong[i]);
	cr_expect(object("unit/5b1c-22/disk/vda"));
	cr_expect(object("audit"));
	cr_expect_not(caps_object_valid("unit/a\0b", 8));
}

Test(negative, g54_letters_that_look_alike)
{
	static const char *const wrong[] = {"unit/\xd0\xb0", "unit/\xef\xbd\x81", "unit/e\xcc\x81",
		"unit/\342\200\256a", "unit/WEB"};

	for (size_t i = 0; i < BASE_COUNT(wrong); i++)
		cr_expect_not(object(wrong[i]), "%s", wrong[i]);
}

Test(negative, g55_a_star_does_not_cross_a_slash)
{
	cr_expect(match("unit/*", "unit/a"));
	cr_expect_not(match("unit/*", "unit/a/disk"));
	cr_expect_not(match("unit/*", "unit"));
	cr_expect(match("unit/**", "unit"));
	cr_expect(match("unit/**", "unit/a/disk/vda"));
	cr_expect(match("unit/*/disk/**", "unit/a/disk/vda"));
	cr_expect_not(match("unit/*/disk/**", "unit/a/nic/0"));
	cr_expect(match("**", "tag/default/web"));
}

Test(pattern, what_is_none)
{
	static const char *const wrong[] = {"", "*/", "**/a", "unit/a*", "unit/***"};

	for (size_t i = 0; i < BASE_COUNT(wrong); i++)
		cr_expect_not(caps_pattern_valid(wrong[i], strlen(wrong[i])), "%s", wrong[i]);
}

Test(pattern, within)
{
	cr_expect(within("unit/a", "unit/*"));
	cr_expect(within("unit/*", "unit/**"));
	cr_expect(within("unit/**", "unit/**"));
	cr_expect(within("unit/*", "**"));
	cr_expect_not(within("unit/**", "unit/*"));
	cr_expect_not(within("*/a", "unit/a"));
	cr_expect_not(within("**", "unit/**"));
}

Test(mask, verbs_by_text)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	caps_mask units = {0}, all = {0}, one = {0};

	cr_assert_eq(caps_mask_add_text(&units, "unit.*", NULL), 0);
	cr_assert_eq(caps_mask_add_text(&all, "*", NULL), 0);
	cr_assert_eq(caps_mask_add_text(&one, "unit.start", NULL), 0);
	cr_expect(caps_mask_has(&units, HN_VERB_UNIT_SECRET));
	cr_expect_not(caps_mask_has(&units, HN_VERB_TAG_READ));
	cr_expect(caps_mask_within(&one, &units));
	cr_expect(caps_mask_within(&units, &all));
	cr_expect_not(caps_mask_within(&all, &units));
	cr_expect_eq(caps_mask_size(&one), 1);
	cr_expect_eq(one.bytes[0], 1u << HN_VERB_UNIT_START);
	cr_expect_eq(caps_mask_add_text(&one, "unit", &err), HN_EINVAL);
	cr_expect_not_null(strstr(hn_error_message(err), "\"unit\""));
	cr_expect_not(caps_mask_has(&all, (hn_verb)1000));
}
