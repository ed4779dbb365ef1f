/* SPDX-License-Identifier: MIT
 *
 * Sizes: the grammar, each trap with its hint, and canonical printing.
 */
#include "base/base-private.h"
#include <criterion/criterion.h>

static uint64_t size_of(const char *text)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	uint64_t bytes = 0;

	cr_assert_eq(
		hn_size_parse(text, &bytes, &error), 0, "%s: %s", text, hn_error_message(error));
	return bytes;
}

/* Refused with this code; the output is untouched; the hint holds `hint` (NULL: any or none). */
static void refuse(const char *text, hn_code code, const char *hint)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	uint64_t bytes = 77;

	cr_assert_eq(hn_size_parse(text, &bytes, &error), (int)code, "%s", text);
	cr_assert_eq(hn_error_code(error), code);
	cr_assert_eq(bytes, 77);
	if (hint == NULL)
		return;
	cr_assert_not_null(hn_error_hint(error), "%s", text);
	cr_assert_not_null(
		strstr(hn_error_hint(error), hint), "%s: %s", text, hn_error_hint(error));
}

static const char *printed(uint64_t bytes)
{
	static char out[HN_QUANTITY_TEXT];

	cr_assert_eq(hn_size_print(bytes, out), strlen(out));
	return out;
}

Test(size, binary_units)
{
	cr_assert_eq(size_of("7B"), 7);
	cr_assert_eq(size_of("1Ki"), 1024);
	cr_assert_eq(size_of("512Mi"), UINT64_C(536870912));
	cr_assert_eq(size_of("32Gi"), UINT64_C(34359738368));
	cr_assert_eq(size_of("3Ti"), UINT64_C(3) << 40);
	cr_assert_eq(size_of("1Pi"), UINT64_C(1) << 50);
}

Test(size, decimal_units)
{
	cr_assert_eq(size_of("1K"), 1000);
	cr_assert_eq(size_of("2M"), 2000000);
	cr_assert_eq(size_of("32G"), UINT64_C(32000000000));
	cr_assert_eq(size_of("1T"), UINT64_C(1000000000000));
	cr_assert_eq(size_of("5P"), UINT64_C(5000000000000000));
}

Test(size, fractions_that_are_whole_bytes)
{
	cr_assert_eq(size_of("1.5Gi"), UINT64_C(1610612736));
	cr_assert_eq(size_of("0.5Ki"), 512);
	cr_assert_eq(size_of("0.001K"), 1);
	cr_assert_eq(size_of("2.0B"), 2);
	cr_assert_eq(size_of("0.0009765625Ki"), 1);
	cr_assert_eq(size_of("0.25000000000000000000000000000000Ki"), 256);
	/* One byte of a Pi has 50 decimals, and is exact. */
	cr_assert_eq(size_of("0.00000000000000088817841970012523233890533447265625Pi"), 1);
}

Test(size, zero_and_leading_zeros)
{
	cr_assert_eq(size_of("0B"), 0);
	cr_assert_eq(size_of("0.0Pi"), 0);
	cr_assert_eq(size_of("007Ki"), 7168);
}

Test(size, the_largest_fits)
{
	cr_assert_eq(size_of("18446744073709551615B"), UINT64_MAX);
	cr_assert_eq(size_of("16383Pi"), UINT64_C(16383) << 50);
	cr_assert_eq(size_of("18446744073709551.615K"), UINT64_MAX);
}

Test(size, refuses_overflow)
{
	refuse("18446744073709551616B", HN_ERANGE, NULL);
	refuse("16384Pi", HN_ERANGE, NULL);
	refuse("18446744073709551.616K", HN_ERANGE, NULL);
	refuse("16383.99999999999999999Pi", HN_ESYNTAX, NULL);
	refuse("99999999999999999999999999999999Ki", HN_ERANGE, NULL);
	refuse("18014398509481984Ki", HN_ERANGE, NULL);
}

Test(size, refuses_what_is_not_whole_bytes)
{
	refuse("0.3Ki", HN_ESYNTAX, "smaller unit");
	refuse("1.5B", HN_ESYNTAX, "smaller unit");
	refuse("0.0001K", HN_ESYNTAX, NULL);
}

Test(size, refuses_gb_and_offers_both_meanings)
{
	refuse("32GB", HN_ESYNTAX, "write 32G (powers of 1000) or 32Gi");
	refuse("32gb", HN_ESYNTAX, "write 32G (powers of 1000) or 32Gi");
	refuse("1.5TB", HN_ESYNTAX, "write 1.5T (powers of 1000) or 1.5Ti");
}

Test(size, refuses_gib_and_offers_gi)
{
	refuse("32GiB", HN_ESYNTAX, "write 32Gi (powers of 1024)");
	refuse("32gi", HN_ESYNTAX, "write 32Gi");
	refuse("32KIB", HN_ESYNTAX, "write 32Ki");
}

Test(size, refuses_small_letters)
{
	refuse("512m", HN_ESYNTAX, "write 512M (powers of 1000) or 512Mi");
	refuse("1g", HN_ESYNTAX, "write 1G");
	refuse("1k", HN_ESYNTAX, "write 1K");
	refuse("5b", HN_ESYNTAX, "write 5B");
}

Test(size, refuses_a_number_without_a_unit)
{
	refuse("1024", HN_ESYNTAX, "32Gi");
	refuse("1.5", HN_ESYNTAX, "32Gi");
}

Test(size, refuses_spaces)
{
	refuse("32 G", HN_ESYNTAX, "write 32G");
	refuse(" 32G", HN_ESYNTAX, NULL);
	refuse("32G ", HN_ESYNTAX, NULL);
	refuse("32G\n", HN_ESYNTAX, NULL);
	refuse("32\tGB", HN_ESYNTAX, "write 32G (powers of 1000) or 32Gi");
}

Test(size, refuses_signs)
{
	refuse("-1Gi", HN_ESYNTAX, "32Gi");
	refuse("+1Gi", HN_ESYNTAX, NULL);
}

Test(size, refuses_exponents)
{
	refuse("1e3B", HN_ESYNTAX, NULL);
	refuse("1E+3B", HN_ESYNTAX, NULL);
}

Test(size, refuses_other_numbers)
{
	refuse("", HN_ESYNTAX, "32Gi");
	refuse("Gi", HN_ESYNTAX, NULL);
	refuse(".5Gi", HN_ESYNTAX, NULL);
	refuse("1.Gi", HN_ESYNTAX, NULL);
	refuse("1..5Gi", HN_ESYNTAX, NULL);
	refuse("1.5.5Gi", HN_ESYNTAX, NULL);
	refuse("1,5Gi", HN_ESYNTAX, NULL);
	refuse("1_000Ki", HN_ESYNTAX, NULL);
	refuse("0x10B", HN_ESYNTAX, NULL);
	refuse("infGi", HN_ESYNTAX, NULL);
	refuse("\xd9\xa1Gi", HN_ESYNTAX, NULL);
}

Test(size, refuses_unknown_units_and_names_the_known)
{
	refuse("5Zi", HN_ESYNTAX, "Ki Mi Gi Ti Pi");
	refuse("5Bi", HN_ESYNTAX, "Ki Mi Gi Ti Pi");
	refuse("5GiGi", HN_ESYNTAX, NULL);
	refuse("5Gib/s", HN_ESYNTAX, NULL);
}

Test(size, refuses_null)
{
	uint64_t bytes;

	cr_assert_eq(hn_size_parse(NULL, &bytes, NULL), HN_EINVAL);
	cr_assert_eq(hn_size_parse("1B", NULL, NULL), HN_EINVAL);
}

Test(size, the_message_shows_the_text_without_control_signs)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	uint64_t bytes;

	hn_size_parse("5\x1b[2J", &bytes, &error);
	cr_assert_null(strchr(hn_error_message(error), '\x1b'));
	cr_assert_not_null(strstr(hn_error_message(error), "\\x1b"));
}

Test(size, a_very_long_text_gives_a_short_message)
{
	static char text[1000000];
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	uint64_t bytes;

	memset(text, '1', sizeof(text) - 1);
	hn_size_parse(text, &bytes, &error);
	cr_assert_lt(strlen(hn_error_message(error)), 200);
}

Test(size, prints_the_largest_unit_that_is_exact)
{
	cr_assert_str_eq(printed(0), "0B");
	cr_assert_str_eq(printed(1), "1B");
	cr_assert_str_eq(printed(1000), "1K");
	cr_assert_str_eq(printed(1024), "1Ki");
	cr_assert_str_eq(printed(1025), "1025B");
	cr_assert_str_eq(printed(1024000), "1000Ki");
	cr_assert_str_eq(printed(UINT64_C(1610612736)), "1536Mi");
	cr_assert_str_eq(printed(UINT64_C(34359738368)), "32Gi");
	cr_assert_str_eq(printed(UINT64_C(32000000000)), "32G");
	cr_assert_str_eq(printed(UINT64_MAX), "18446744073709551615B");
}

Test(size, printing_and_parsing_agree)
{
	uint64_t state = 1;

	for (int i = 0; i < 20000; i++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		cr_assert_eq(size_of(printed(state >> (state % 60))), state >> (state % 60));
		cr_assert_eq(size_of(printed(UINT64_C(1) << (i % 64))), UINT64_C(1) << (i % 64));
	}
}
