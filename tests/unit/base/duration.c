/* SPDX-License-Identifier: MIT
 *
 * Durations, ratios and rates: the grammar, each trap with its hint, and canonical printing.
 */
#include "base/base-private.h"
#include <criterion/criterion.h>

static int64_t duration_of(const char *text)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	int64_t value = -1;

	cr_assert_eq(hn_duration_parse(text, &value, &error), 0, "%s: %s", text,
		hn_error_message(error));
	return value;
}

static void refuse_with(int (*parse)(const char *, int64_t *, hn_error **), const char *text,
	hn_code code, const char *hint)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	int64_t value = 77;

	cr_assert_eq(parse(text, &value, &error), (int)code, "%s", text);
	cr_assert_eq(hn_error_code(error), code);
	cr_assert_eq(value, 77);
	if (hint == NULL)
		return;
	cr_assert_not_null(hn_error_hint(error), "%s", text);
	cr_assert_not_null(
		strstr(hn_error_hint(error), hint), "%s: %s", text, hn_error_hint(error));
}

static const char *printed(int64_t value)
{
	static char out[HN_QUANTITY_TEXT];

	cr_assert_eq(hn_duration_print(value, out), strlen(out));
	return out;
}

static const char *printed_ratio(int64_t value)
{
	static char out[HN_QUANTITY_TEXT];

	cr_assert_eq(hn_ratio_print(value, out), strlen(out));
	return out;
}

Test(duration, every_unit)
{
	cr_assert_eq(duration_of("5ns"), 5);
	cr_assert_eq(duration_of("5us"), 5000);
	cr_assert_eq(duration_of("5ms"), 5000000);
	cr_assert_eq(duration_of("5s"), INT64_C(5000000000));
	cr_assert_eq(duration_of("5min"), INT64_C(300000000000));
	cr_assert_eq(duration_of("5h"), INT64_C(18000000000000));
	cr_assert_eq(duration_of("5d"), INT64_C(432000000000000));
	cr_assert_eq(duration_of("5w"), INT64_C(3024000000000000));
}

Test(duration, fractions_that_are_whole_nanoseconds)
{
	cr_assert_eq(duration_of("0.1ms"), 100000);
	cr_assert_eq(duration_of("1.5h"), INT64_C(5400000000000));
	cr_assert_eq(duration_of("0.000000001s"), 1);
	refuse_with(hn_duration_parse, "0.5ns", HN_ESYNTAX, "smaller unit");
	refuse_with(hn_duration_parse, "0.0000000001s", HN_ESYNTAX, NULL);
}

Test(duration, refuses_m)
{
	refuse_with(
		hn_duration_parse, "5m", HN_ESYNTAX, "write 5min (minutes) or 5ms (milliseconds)");
	refuse_with(hn_duration_parse, "5M", HN_ESYNTAX, "write 5min");
}

Test(duration, refuses_words_and_offers_the_unit)
{
	refuse_with(hn_duration_parse, "5sec", HN_ESYNTAX, "write 5s");
	refuse_with(hn_duration_parse, "5 seconds", HN_ESYNTAX, "write 5s");
	refuse_with(hn_duration_parse, "2hours", HN_ESYNTAX, "write 2h");
	refuse_with(hn_duration_parse, "3days", HN_ESYNTAX, "write 3d");
	refuse_with(hn_duration_parse, "10\xc2\xb5s", HN_ESYNTAX, "write 10us");
	refuse_with(hn_duration_parse, "10 s", HN_ESYNTAX, "write 10s");
	refuse_with(hn_duration_parse, "1y", HN_ESYNTAX, "ns us ms s min h d w");
}

Test(duration, refuses_signs_exponents_and_no_unit)
{
	refuse_with(hn_duration_parse, "-1s", HN_ESYNTAX, NULL);
	refuse_with(hn_duration_parse, "+1s", HN_ESYNTAX, NULL);
	refuse_with(hn_duration_parse, "1e3s", HN_ESYNTAX, NULL);
	refuse_with(hn_duration_parse, "10", HN_ESYNTAX, "30s");
	refuse_with(hn_duration_parse, "", HN_ESYNTAX, "30s");
	refuse_with(hn_duration_parse, "1h30min", HN_ESYNTAX, NULL);
}

Test(duration, the_largest_fits_and_one_more_does_not)
{
	cr_assert_eq(duration_of("9223372036854775807ns"), INT64_MAX);
	refuse_with(hn_duration_parse, "9223372036854775808ns", HN_ERANGE, NULL);
	refuse_with(hn_duration_parse, "15251w", HN_ERANGE, NULL);
	cr_assert_eq(duration_of("15250w"), INT64_C(15250) * 604800 * 1000000000);
}

Test(duration, prints_the_largest_unit_that_is_exact)
{
	cr_assert_str_eq(printed(0), "0s");
	cr_assert_str_eq(printed(1), "1ns");
	cr_assert_str_eq(printed(INT64_C(1000000000)), "1s");
	cr_assert_str_eq(printed(INT64_C(90000000000)), "90s");
	cr_assert_str_eq(printed(INT64_C(60000000000)), "1min");
	cr_assert_str_eq(printed(INT64_C(604800) * 1000000000), "1w");
	cr_assert_str_eq(printed(INT64_C(86400) * 1000000000), "1d");
	cr_assert_str_eq(printed(INT64_MAX), "9223372036854775807ns");
}

Test(duration, a_negative_one_prints_for_people)
{
	cr_assert_str_eq(printed(-1000), "-1us");
	cr_assert_str_eq(printed(INT64_MIN), "-9223372036854775808ns");
}

Test(duration, printing_and_parsing_agree)
{
	uint64_t state = 9;

	for (int i = 0; i < 20000; i++) {
		int64_t value;

		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		value = (int64_t)(state >> (1 + state % 62));
		cr_assert_eq(duration_of(printed(value)), value);
	}
}

Test(ratio, decimals_become_millionths)
{
	int64_t value;

	cr_assert_eq(hn_ratio_parse("0.9", &value, NULL), 0);
	cr_assert_eq(value, 900000);
	cr_assert_eq(hn_ratio_parse("4.0", &value, NULL), 0);
	cr_assert_eq(value, 4000000);
	cr_assert_eq(hn_ratio_parse("16", &value, NULL), 0);
	cr_assert_eq(value, 16000000);
	cr_assert_eq(hn_ratio_parse("0.000001", &value, NULL), 0);
	cr_assert_eq(value, 1);
	cr_assert_eq(hn_ratio_parse("9223372036854.775807", &value, NULL), 0);
	cr_assert_eq(value, INT64_MAX);
}

Test(ratio, refusals)
{
	refuse_with(hn_ratio_parse, "0.0000001", HN_ESYNTAX, NULL);
	refuse_with(hn_ratio_parse, "0.9000000", HN_ESYNTAX, NULL);
	refuse_with(hn_ratio_parse, "90%", HN_ESYNTAX, "0.9 for 90 %");
	refuse_with(hn_ratio_parse, "-0.5", HN_ESYNTAX, NULL);
	refuse_with(hn_ratio_parse, "1e-3", HN_ESYNTAX, NULL);
	refuse_with(hn_ratio_parse, "", HN_ESYNTAX, NULL);
	refuse_with(hn_ratio_parse, ".5", HN_ESYNTAX, NULL);
	refuse_with(hn_ratio_parse, "0.5 ", HN_ESYNTAX, NULL);
	refuse_with(hn_ratio_parse, "9223372036854.775808", HN_ERANGE, NULL);
	refuse_with(hn_ratio_parse, "99999999999999999999", HN_ERANGE, NULL);
	refuse_with(hn_ratio_parse, NULL, HN_EINVAL, NULL);
}

Test(ratio, prints_without_useless_zeros)
{
	cr_assert_str_eq(printed_ratio(0), "0");
	cr_assert_str_eq(printed_ratio(900000), "0.9");
	cr_assert_str_eq(printed_ratio(4000000), "4");
	cr_assert_str_eq(printed_ratio(10000000), "10");
	cr_assert_str_eq(printed_ratio(1), "0.000001");
	cr_assert_str_eq(printed_ratio(INT64_MAX), "9223372036854.775807");
	cr_assert_str_eq(printed_ratio(-1500000), "-1.5");
	cr_assert_str_eq(printed_ratio(INT64_MIN), "-9223372036854.775808");
}

Test(rate, is_a_size_and_per_second)
{
	uint64_t value;

	cr_assert_eq(hn_rate_parse("100Mi/s", &value, NULL), 0);
	cr_assert_eq(value, UINT64_C(104857600));
	cr_assert_eq(hn_rate_parse("1.5K/s", &value, NULL), 0);
	cr_assert_eq(value, 1500);
	cr_assert_eq(hn_rate_parse("0B/s", &value, NULL), 0);
	cr_assert_eq(value, 0);
}

static void refuse_rate(const char *text, hn_code code, const char *hint)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	uint64_t value = 77;

	cr_assert_eq(hn_rate_parse(text, &value, &error), (int)code, "%s", text);
	cr_assert_eq(value, 77);
	if (hint != NULL)
		cr_assert_not_null(
			strstr(hn_error_hint(error), hint), "%s: %s", text, hn_error_hint(error));
}

Test(rate, refusals)
{
	refuse_rate("100Mi", HN_ESYNTAX, "100Mi/s");
	refuse_rate("100Mbit/s", HN_ESYNTAX, NULL);
	refuse_rate("100MB/s", HN_ESYNTAX, "write 100M (powers of 1000) or 100Mi");
	refuse_rate("/s", HN_ESYNTAX, NULL);
	refuse_rate("s", HN_ESYNTAX, NULL);
	refuse_rate("", HN_ESYNTAX, NULL);
	refuse_rate("1Gi/min", HN_ESYNTAX, NULL);
	refuse_rate("16384Pi/s", HN_ERANGE, NULL);
	refuse_rate(NULL, HN_EINVAL, NULL);
}

Test(rate, prints_and_parses_back)
{
	char out[HN_QUANTITY_TEXT];
	uint64_t values[] = {0, 1, 1000, 1024, 104857600, UINT64_MAX}, value;

	for (size_t i = 0; i < BASE_COUNT(values); i++) {
		cr_assert_eq(hn_rate_print(values[i], out), strlen(out));
		cr_assert_eq(hn_rate_parse(out, &value, NULL), 0);
		cr_assert_eq(value, values[i]);
	}
	hn_rate_print(104857600, out);
	cr_assert_str_eq(out, "100Mi/s");
}
