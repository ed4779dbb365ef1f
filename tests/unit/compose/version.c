/* SPDX-License-Identifier: MIT
 *
 * Versions: what is one, what is said of what is none, and their order.
 */
#include "compose/version.h"

#include <criterion/criterion.h>

static compose_version version_of(const char *text)
{
	compose_version version;
	hn_error *err = NULL;

	cr_assert_eq(compose_version_parse(text, strlen(text), &version, &err), 0, "%s: %s", text,
		err != NULL ? hn_error_message(err) : "");
	return version;
}

static void refuses(const char *text, size_t size, hn_code code, const char *words)
{
	compose_version version = {.major = 77};
	hn_error *err = NULL;

	cr_assert_eq(compose_version_parse(text, size, &version, &err), code, "%s", text);
	cr_assert_eq(version.major, 77, "untouched");
	cr_assert_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
	hn_error_unref(err);
	cr_assert_eq(compose_version_parse(text, size, &version, NULL), code);
}

Test(version, has_three_numbers)
{
	compose_version version = version_of("1.22.333");

	cr_assert_eq(version.major, 1);
	cr_assert_eq(version.minor, 22);
	cr_assert_eq(version.patch, 333);
	cr_assert_null(version.pre);
	cr_assert_eq(version.revision, 0);
	cr_assert_eq(version.text_size, 8);
}

Test(version, has_a_prerelease_and_a_revision)
{
	compose_version version = version_of("0.0.0-rc.1-x.0a+r12");

	cr_assert_eq(version.pre_size, 9);
	cr_assert_eq(memcmp(version.pre, "rc.1-x.0a", 9), 0);
	cr_assert_eq(version.revision, 12);
	version = version_of("1.0.0+r1");
	cr_assert_null(version.pre);
	cr_assert_eq(version.revision, 1);
}

Test(version, takes_the_largest_numbers)
{
	compose_version version =
		version_of("9223372036854775807.0.9223372036854775807+r9223372036854775807");

	cr_assert_eq(version.major, INT64_MAX);
	cr_assert_eq(version.patch, INT64_MAX);
	cr_assert_eq(version.revision, INT64_MAX);
	refuses("9223372036854775808.0.0", 23, HN_ESYNTAX, "column 1: the number is too large");
	refuses("1.0.18446744073709551616", 24, HN_ESYNTAX, "column 5: the number is too large");
	refuses("1.0.0+r9223372036854775808", 26, HN_ESYNTAX, "too large");
}

Test(version, is_a_view_of_what_was_read)
{
	const char text[] = "1.2.3-rc.1 and more";
	compose_version version;

	cr_assert_eq(compose_version_parse(text, 10, &version, NULL), 0);
	cr_assert_eq(version.text, text);
	cr_assert_eq(version.text_size, 10);
	cr_assert_eq(version.pre, text + 6);
	cr_assert_eq(version.pre_size, 4);
}

Test(version, refuses_what_is_none)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "column 1: a number is missing"},
		{"1", "column 2: \".\" and a number are missing"},
		{"1.0", "column 4: \".\" and a number are missing"},
		{"1.", "column 3: a number is missing"},
		{"1.0.", "column 5: a number is missing"},
		{"1.0.0.0", "column 6: nothing can follow here"},
		{"01.0.0", "column 1: a number begins with 0"},
		{"1.00.0", "column 3: a number begins with 0"},
		{"v1.0.0", "column 1: a version has no v"},
		{"V1.0.0", "column 1: a version has no v"},
		{"v", "column 1: a digit is expected"},
		{"=1.0.0", "column 1: a digit is expected"},
		{" 1.0.0", "column 1: a digit is expected"},
		{"1.0.0 ", "column 6: nothing can follow here"},
		{"-1.0.0", "column 1: a digit is expected"},
		{"1.x.0", "column 3: a digit is expected"},
		{"1.0.*", "column 5: a digit is expected"},
		{"1.0.0-", "column 7: a part of the prerelease is missing"},
		{"1.0.0-a..b", "column 9: a part of the prerelease is missing"},
		{"1.0.0-a.", "column 9: a part of the prerelease is missing"},
		{"1.0.0-01", "column 7: a number begins with 0"},
		{"1.0.0-a.00", "column 9: a number begins with 0"},
		{"1.0.0-a_b", "column 8: nothing can follow here"},
		{"1.0.0+meta", "column 6: build metadata other than a revision"},
		{"1.0.0+", "column 6: build metadata other than a revision"},
		{"1.0.0+R1", "column 6: build metadata other than a revision"},
		{"1.0.0+r", "column 8: a number is missing"},
		{"1.0.0+r01", "column 8: a number begins with 0"},
		{"1.0.0+r0", "column 6: revisions begin with 1"},
		{"1.0.0+r1.2", "column 9: nothing can follow here"},
		{"1.0.0+r1+r2", "column 9: nothing can follow here"},
		{"1.0.0+r1-rc", "column 9: nothing can follow here"},
		{"\xd9\xa1.0.0", "column 1: a digit is expected"},
		{"1.\xef\xbc\x91.0", "column 3: a digit is expected"},
		{"1.0.0-\xc3\xa4", "column 7: a part of the prerelease is missing"},
	};

	for (size_t i = 0; i < BASE_COUNT(cases); i++)
		refuses(cases[i].text, strlen(cases[i].text), HN_ESYNTAX, cases[i].words);
	refuses("1.0.0\0", 6, HN_ESYNTAX, "column 6: nothing can follow here");
}

Test(version, has_at_most_128_bytes)
{
	char text[COMPOSE_VERSION_BYTES + 2] = "1.0.0-";
	compose_version version;

	memset(text + 6, 'a', sizeof(text) - 7);
	cr_assert_eq(compose_version_parse(text, COMPOSE_VERSION_BYTES, &version, NULL), 0);
	refuses(text, COMPOSE_VERSION_BYTES + 1, HN_ELIMIT, "128");
}

Test(version, order_is_that_of_semver_and_then_the_revision)
{
	static const char *const rising[] = {"0.0.0-0", "0.0.0", "0.0.1", "0.1.0", "1.0.0-0",
		"1.0.0-1", "1.0.0-9", "1.0.0-10", "1.0.0-10.0", "1.0.0-18446744073709551615",
		"1.0.0-18446744073709551616", "1.0.0--", "1.0.0--1", "1.0.0-0a", "1.0.0-A",
		"1.0.0-a10", "1.0.0-a9", "1.0.0-alpha", "1.0.0-alpha+r1", "1.0.0-alpha.1",
		"1.0.0-alpha.beta", "1.0.0-alpha0", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
		"1.0.0-rc.1", "1.0.0", "1.0.0+r1", "1.0.0+r2", "1.0.0+r9", "1.0.0+r10", "1.0.1-0",
		"1.0.2", "1.0.10", "1.2.0", "1.10.0", "2.0.0", "10.0.0", "9223372036854775807.0.0"};

	for (size_t i = 0; i < BASE_COUNT(rising); i++) {
		for (size_t j = 0; j < BASE_COUNT(rising); j++) {
			compose_version a = version_of(rising[i]), b = version_of(rising[j]);
			int order = compose_version_compare(&a, &b);

			cr_assert_eq((order > 0) - (order < 0), (i > j) - (i < j), "%s %s %d",
				rising[i], rising[j], order);
		}
	}
}
