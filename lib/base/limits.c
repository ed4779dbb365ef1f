/* SPDX-License-Identifier: MIT
 *
 * The limits of limits.def and the one error that says which was passed.
 */
#include "base/base-private.h"
#include <inttypes.h>

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

int base_limit_check(int limit, uint64_t given, hn_error **err)
{
	int code;

	if (given <= base_limit(limit))
		return 0;
	if (!HN_BELIEVE(limit >= 0 && limit < BASE_LIMIT_COUNT))
		return base_error(
			err, HN_EINTERNAL, "base", NULL, "there is no limit number %d", limit);
	code = base_error(err, HN_ELIMIT, "base", NULL,
		"%s has a limit of %" PRIu64 " %s, %" PRIu64 " were given", limits[limit].what,
		limits[limit].value, limits[limit].unit, given);
	base_error_fact_number(err, "limit", (int64_t)limits[limit].value);
	base_error_fact_number(err, "given", given > INT64_MAX ? INT64_MAX : (int64_t)given);
	return code;
}
