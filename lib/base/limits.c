/* SPDX-License-Identifier: MIT
 *
 * The limits of limits.def and the one error that says which was passed.
 */
#include "base/base-private.h"
#include <inttypes.h>
#include <stdio.h>

static const struct {
	uint64_t value;
	const char *unit;
	const char *what;
} limits[] = {
#define HN_LIMIT(name, value, unit, what) {UINT64_C(value), (unit), (what)},
#include "base/limits.def"
#undef HN_LIMIT
};

uint64_t base_limit(int limit)
{
	return limit >= 0 && limit < BASE_LIMIT_COUNT ? limits[limit].value : 0;
}

/* "64", or "1w" where seconds are counted. */
static const char *amount(uint64_t number, const char *unit, char text[HN_QUANTITY_TEXT])
{
	const uint64_t second = 1000000000;

	if (strcmp(unit, "seconds") == 0 && number <= INT64_MAX / second)
		hn_duration_print((int64_t)(number * second), text);
	else
		snprintf(text, HN_QUANTITY_TEXT, "%" PRIu64, number);
	return text;
}

int base_limit_check(int limit, uint64_t given, hn_error **err)
{
	char most[HN_QUANTITY_TEXT], asked[HN_QUANTITY_TEXT];
	bool timed;
	int code;

	if (given <= base_limit(limit))
		return 0;
	if (!HN_BELIEVE(limit >= 0 && limit < BASE_LIMIT_COUNT))
		return base_error(
			err, HN_EINTERNAL, "base", NULL, "there is no limit number %d", limit);
	timed = strcmp(limits[limit].unit, "seconds") == 0;
	code = base_error(err, HN_ELIMIT, "base", NULL, "%s has a limit of %s%s%s, %s %s given",
		limits[limit].what, amount(limits[limit].value, limits[limit].unit, most),
		timed ? "" : " ", timed ? "" : limits[limit].unit,
		amount(given, limits[limit].unit, asked), timed ? "was" : "were");
	base_error_fact_number(err, "limit", (int64_t)limits[limit].value);
	base_error_fact_number(err, "given", given > INT64_MAX ? INT64_MAX : (int64_t)given);
	return code;
}
