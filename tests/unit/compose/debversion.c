/* SPDX-License-Identifier: MIT
 *
 * Debian's order of versions.
 */
#include "compose/version.h"

#include <criterion/criterion.h>

static void are_ordered(const char *a, const char *b, int wanted)
{
	cr_assert_eq(compose_deb_compare(a, b), wanted, "%s %s", a, b);
	cr_assert_eq(compose_deb_compare(b, a), -wanted, "%s %s", b, a);
}

Test(debversion, examples_of_the_manual)
{
	static const char *const rising[] = {"~~", "~~a", "~", "", "a"};

	for (size_t i = 0; i < BASE_COUNT(rising); i++)
		for (size_t j = 0; j < BASE_COUNT(rising); j++)
			cr_assert_eq(compose_deb_compare(rising[i], rising[j]), (i > j) - (i < j));
}

Test(debversion, numbers_go_by_value)
{
	are_ordered("1.9", "1.10", -1);
	are_ordered("1.0~a10", "1.0~a9", 1);
	are_ordered("1.007", "1.7", 0);
	are_ordered("18446744073709551617", "18446744073709551616", 1);
	are_ordered("1", "1.0", -1);
	are_ordered("1", "10", -1);
}

Test(debversion, letters_are_before_the_rest)
{
	are_ordered("1a", "1+", -1);
	are_ordered("1a", "1.", -1);
	are_ordered("1A", "1a", -1);
	are_ordered("1", "1a", -1);
	are_ordered("1~rc1", "1", -1);
	are_ordered("1~rc1", "1~rc1~", 1);
}

Test(debversion, an_epoch_is_above_all)
{
	are_ordered("1:0.1", "9.9", 1);
	are_ordered("0:1.0", "1.0", 0);
	are_ordered("2:1", "10:1", -1);
	are_ordered("1:1.0-1", "1:1.0-2", -1);
}

Test(debversion, the_revision_is_after_the_last_dash)
{
	are_ordered("1.22.1-9+deb12u11", "1.22.1-9+deb12u9", 1);
	are_ordered("1.0-1", "1.0", 1);
	are_ordered("1.0-0", "1.0", 0);
	are_ordered("1.0-1-1", "1.0-1", 1);
	are_ordered("1.0-1~bpo", "1.0-1", -1);
	are_ordered("2.36-9+deb12u10", "2.36-9+deb12u4", 1);
}
