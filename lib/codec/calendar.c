/* SPDX-License-Identifier: MIT
 *
 * Days of the proleptic Gregorian calendar, counted from 1970-01-01.
 */
#include "codec/codec-private.h"

enum {
	DAYS_TO_1970 = 719468
}; /* from 0000-03-01: years begin in March, so a leap day is the last */

int64_t codec_day_of(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = codec_floor_div(y, 400);
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - DAYS_TO_1970;
}

void codec_date_of(int64_t day, int64_t *year, int *month, int *day_of_month)
{
	int64_t shifted = day + DAYS_TO_1970;
	int64_t era = codec_floor_div(shifted, 146097);
	int64_t d = shifted - era * 146097;
	int64_t year_of_era = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int day_of_year = (int)(d - (365 * year_of_era + year_of_era / 4 - year_of_era / 100));
	int m = (5 * day_of_year + 2) / 153;

	*day_of_month = day_of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = era * 400 + year_of_era + (*month <= 2);
}
