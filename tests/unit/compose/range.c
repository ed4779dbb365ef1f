/* SPDX-License-Identifier: MIT
 *
 * Ranges: what they hold, and what is said of what is none.
 */
#include "compose/version.h"

#include <criterion/criterion.h>

static const compose_range *range_of(base_arena *arena, const char *text)
{
	const compose_range *range = NULL;
	hn_error *err = NULL;

	cr_assert_eq(compose_range_parse(arena, text, strlen(text), &range, &err), 0, "%s: %s",
		text, err != NULL ? hn_error_message(err) : "");
	return range;
}

static bool holds(const char *text, const char *version_text)
{
	base_arena *arena = base_arena_new();
	compose_version version;
	bool found;

	cr_assert_eq(compose_version_parse(version_text, strlen(version_text), &version, NULL), 0);
	found = compose_range_match(range_of(arena, text), &version);
	base_arena_free(arena);
	return found;
}

/* Versions that are in, NULL, versions that are not, NULL. */
static void splits(const char *range, const char *const *versions)
{
	for (; *versions != NULL; versions++)
		cr_assert(holds(range, *versions), "%s has %s", range, *versions);
	for (versions++; *versions != NULL; versions++)
		cr_assert_not(holds(range, *versions), "%s has not %s", range, *versions);
}
#define SPLITS(range, ...) splits(range, (const char *const[]){__VA_ARGS__, NULL})

Test(range, star_is_any_but_prereleases)
{
	SPLITS("*", "0.0.0", "1.2.3", "99.0.0+r1", NULL, "1.0.0-rc.1");
	SPLITS("^*", "1.2.3", NULL, "1.0.0-a");
	SPLITS("~*", "1.2.3", NULL, "1.0.0-a");
	SPLITS("=*", "1.2.3", NULL, "1.0.0-a");
	SPLITS(">=*", "1.2.3", NULL, "1.0.0-a");
	SPLITS("<=*", "1.2.3", NULL, "1.0.0-a");
}

Test(range, above_and_below_all_is_nothing)
{
	SPLITS(">*", NULL, "0.0.0", "1.2.3", "0.0.0-0");
	SPLITS("<*", NULL, "0.0.0", "1.2.3", "0.0.0-0");
}

Test(range, whole_versions)
{
	SPLITS("1.2.3", "1.2.3", "1.2.3+r7", NULL, "1.2.4", "1.2.3-a");
	SPLITS("=1.2.3", "1.2.3", NULL, "1.2.2");
	SPLITS(">1.2.3", "1.2.4", "2.0.0", NULL, "1.2.3", "1.2.3+r1", "1.2.4-a");
	SPLITS(">=1.2.3", "1.2.3", "2.0.0", NULL, "1.2.2", "1.2.3-a");
	SPLITS("<1.2.3", "1.2.2", "0.0.0", NULL, "1.2.3", "1.2.3+r1", "1.2.3-a");
	SPLITS("<=1.2.3", "1.2.3", "0.0.0", NULL, "1.2.4");
}

Test(range, parts_of_versions)
{
	SPLITS("1", "1.0.0", "1.9.9", NULL, "0.9.9", "2.0.0", "2.0.0-0", "1.0.0-a");
	SPLITS("1.2", "1.2.0", "1.2.9", NULL, "1.1.9", "1.3.0");
	SPLITS("=1.2", "1.2.0", NULL, "1.3.0");
	SPLITS(">1", "2.0.0", NULL, "1.9.9", "2.0.0-a");
	SPLITS(">1.2", "1.3.0", NULL, "1.2.9");
	SPLITS(">=1.2", "1.2.0", "2.0.0", NULL, "1.1.9");
	SPLITS("<1.2", "1.1.9", NULL, "1.2.0", "1.2.0-0");
	SPLITS("<=1.2", "1.2.9", NULL, "1.3.0", "1.3.0-0");
	SPLITS("<=1", "1.9.9", NULL, "2.0.0");
	SPLITS("<0", NULL, "0.0.0", "0.0.0-0");
}

Test(range, caret_keeps_the_first_number_that_is_not_zero)
{
	SPLITS("^1.2.3", "1.2.3", "1.9.0", NULL, "1.2.2", "2.0.0", "2.0.0-0");
	SPLITS("^0.2.3", "0.2.3", "0.2.9", NULL, "0.3.0", "0.3.0-0");
	SPLITS("^0.0.3", "0.0.3", NULL, "0.0.4", "0.0.2", "0.0.4-0");
	SPLITS("^0.0.0", "0.0.0", NULL, "0.0.1");
	SPLITS("^0.0", "0.0.0", "0.0.9", NULL, "0.1.0");
	SPLITS("^0", "0.0.0", "0.9.0", NULL, "1.0.0");
	SPLITS("^1", "1.0.0", "1.9.0", NULL, "2.0.0", "0.9.0");
	SPLITS("^1.2", "1.2.0", "1.9.0", NULL, "2.0.0", "1.1.9");
	SPLITS("^1.2.3-b.2", "1.2.3-b.2", "1.2.3-b.4", "1.2.3", "1.3.0", NULL, "1.2.3-b.1",
		"1.2.4-b.3", "2.0.0");
	SPLITS("^0.0.3-b", "0.0.3-b", "0.0.3-c", "0.0.3", NULL, "0.0.3-a", "0.0.4");
}

Test(range, tilde_keeps_the_minor)
{
	SPLITS("~1.2.3", "1.2.3", "1.2.9", NULL, "1.3.0", "1.2.2", "1.3.0-0");
	SPLITS("~1.2", "1.2.0", "1.2.9", NULL, "1.3.0");
	SPLITS("~1", "1.0.0", "1.9.0", NULL, "2.0.0");
	SPLITS("~0", "0.9.0", NULL, "1.0.0");
	SPLITS("~0.0.1", "0.0.9", NULL, "0.1.0", "0.0.0");
	SPLITS("~1.2.3-b", "1.2.3-c", "1.2.3", "1.2.4", NULL, "1.2.4-c", "1.2.3-a");
}

Test(range, all_of_an_alternative_hold_together)
{
	SPLITS(">=1.2 <3", "1.2.0", "2.9.9", NULL, "1.1.0", "3.0.0");
	SPLITS(">=1 <1", NULL, "0.9.9", "1.0.0", "1.0.1");
	SPLITS("* ^2", "2.1.0", NULL, "1.0.0");
	SPLITS("2 ^2.1 <2.5", "2.1.0", NULL, "2.0.0", "2.5.0");
}

Test(range, one_alternative_is_enough)
{
	SPLITS("1.2 || ^3", "1.2.5", "3.4.0", NULL, "1.3.0", "4.0.0");
	SPLITS("<* || 1", "1.0.0", NULL, "2.0.0");
	SPLITS("<1||>2||1.5.0", "0.5.0", "1.5.0", "3.0.0", NULL, "1.0.0", "2.0.0");
}

Test(range, a_prerelease_is_for_who_asks_in_the_same_alternative)
{
	SPLITS(">=1.0.0-rc.2", "1.0.0-rc.2", "1.0.0", "1.1.0", NULL, "1.0.0-rc.1", "1.1.0-rc.3");
	SPLITS(">=1.0.0 || 2.0.0-rc.1", "2.0.0-rc.1", "1.0.0", NULL, "2.0.0-rc.2");
	SPLITS(">0.9.0 <1.0.0-rc.3", "1.0.0-rc.2", NULL, "1.0.0-rc.3", "1.0.0", "0.9.0");
	SPLITS("* || >=1.0.0-rc.2", "1.0.0-rc.2", NULL, "1.0.0-rc.1");
	SPLITS("<2.0.0-0", "1.0.0", NULL, "2.0.0-0");
	SPLITS("0.0 >=0.0.0-rc", "0.0.0-rc", "0.0.1", NULL, "0.0.0-b", "0.1.0");
	SPLITS(">=0.0.0", "0.0.0", "5.0.0", NULL, "0.0.0-b");
}

Test(range, a_revision_counts_only_with_equality)
{
	SPLITS("1.2.3+r4", "1.2.3+r4", NULL, "1.2.3", "1.2.3+r3", "1.2.3+r5");
	SPLITS("=1.2.3-rc.1+r4", "1.2.3-rc.1+r4", NULL, "1.2.3-rc.1", "1.2.3+r4");
	SPLITS(">=1.2.3+r4", "1.2.3", "1.2.3+r1", "1.2.3+r4", NULL, "1.2.2+r9");
	SPLITS(">1.2.3+r4", "1.2.4", NULL, "1.2.3+r5");
}

Test(range, takes_the_largest_numbers)
{
	SPLITS("^9223372036854775807", "9223372036854775807.1.0", NULL, "1.0.0");
	SPLITS(">9223372036854775807", NULL, "9223372036854775807.1.0");
}

Test(range, text_is_canonical_and_of_its_own)
{
	base_arena *arena = base_arena_new();
	char text[] = "  >=1.2   <3||  ^4.0.0-rc.1  ||* ";
	const compose_range *range = range_of(arena, text);
	compose_version version;

	memset(text, 'x', sizeof(text));
	cr_assert_str_eq(compose_range_text(range), ">=1.2 <3 || ^4.0.0-rc.1 || *");
	cr_assert_eq(compose_version_parse("4.0.0-rc.2", 10, &version, NULL), 0);
	cr_assert(compose_range_match(range, &version));
	cr_assert_str_eq(compose_range_text(range_of(arena, "1||2")), "1 || 2");
	base_arena_free(arena);
}

static void refuses(const char *text, size_t size, hn_code code, const char *words)
{
	base_arena *arena = base_arena_new();
	const compose_range *range = (const void *)arena;
	hn_error *err = NULL;

	cr_assert_eq(compose_range_parse(arena, text, size, &range, &err), code, "%s", text);
	cr_assert_eq((const void *)range, (const void *)arena, "untouched");
	cr_assert_not_null(
		strstr(hn_error_message(err), words), "%s: %s", text, hn_error_message(err));
	cr_assert(code != HN_ESYNTAX || hn_error_hint(err) != NULL, "%s", text);
	hn_error_unref(err);
	base_arena_free(arena);
}

Test(range, refuses_what_is_none)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "column 1: a version is missing"},
		{"  ", "column 3: a version is missing"},
		{"||", "column 1: this is no part of a range"},
		{"1 ||", "column 5: a version is missing"},
		{"1 || || 2", "column 6: this is no part of a range"},
		{"|1", "column 1: this is no part of a range"},
		{"1 | 2", "column 4: one \"|\" joins nothing"},
		{"1 |", "column 4: one \"|\" joins nothing"},
		{"1,2", "column 2: \",\" joins nothing"},
		{">=1, <2", "column 4: \",\" joins nothing"},
		{"1.2 - 3", "column 5: there are no hyphen ranges"},
		{"1.x", "column 3: \"x\" is no number"},
		{"X", "column 1: \"x\" is no number"},
		{"1.2.x", "column 5: \"x\" is no number"},
		{"1.*", "column 3: this is no part of a range"},
		{"*.1", "column 2: this is no part of a range"},
		{"v1", "column 1: a version has no v"},
		{"^v1", "column 2: a version has no v"},
		{">= 1", "column 3: a version is missing"},
		{">=", "column 3: a version is missing"},
		{"==1", "column 2: this is no part of a range"},
		{"~>1", "column 2: this is no part of a range"},
		{"!=1", "column 1: this is no part of a range"},
		{"1.", "column 3: a version is missing"},
		{"1.2.3.4", "column 6: this is no part of a range"},
		{"01", "column 1: a number begins with 0"},
		{"1.2-rc", "column 4: only a whole version"},
		{"1.2+r1", "column 4: only a whole version"},
		{"*-rc", "column 2: only a whole version"},
		{"1.2.3-", "column 7: a part of the prerelease"},
		{"1.2.3+meta", "column 6: build metadata"},
		{"1.2.3+r01", "column 8: a number begins with 0"},
		{"1.2.3>1", "column 6: this is no part of a range"},
		{"9223372036854775808", "column 1: the number is too large"},
		{"1\t2", "column 2: this is no part of a range"},
		{"\xd9\xa1", "column 1: this is no part of a range"},
		{"latest", "column 1: this is no part of a range"},
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++)
		refuses(cases[i].text, strlen(cases[i].text), HN_ESYNTAX, cases[i].words);
	refuses("1\0", 2, HN_ESYNTAX, "column 2: this is no part of a range");
}

Test(range, has_at_most_1024_bytes)
{
	base_arena *arena = base_arena_new();
	const compose_range *range;
	char text[1026];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 == 0 ? '1' : ' ';
	cr_assert_eq(compose_range_parse(arena, text, 1024, &range, NULL), 0);
	refuses(text, 1025, HN_ELIMIT, "1024");
	base_arena_free(arena);
}
