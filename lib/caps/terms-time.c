/* SPDX-License-Identifier: MIT
 *
 * Instants as text: RFC 3339 with whole seconds.
 */
#include "caps/terms-private.h"

#include <inttypes.h>

void caps_time_text(int64_t seconds, char out[CAPS_TIME_TEXT])
{
	int64_t day = codec_floor_div(seconds, CODEC_DAY), year = 0;
	int left = (int)(seconds - day * CODEC_DAY), month = 0, date = 0;

	codec_date_of(day, &year, &month, &date);
	snprintf(out, CAPS_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year % 10000, month,
		date, left / 3600, left / 60 % 60, left % 60);
}

typedef struct text_reader {
	const char *at, *end;
} text_reader;

static bool take(text_reader *in, char c)
{
	if (in->at == in->end || *in->at != c)
		return false;
	in->at++;
	return true;
}

static bool take_number(text_reader *in, int digits, int least, int most, int *value)
{
	int made = 0;

	if (in->end - in->at < digits)
		return false;
	for (int i = 0; i < digits; i++, in->at++) {
		if (*in->at < '0' || *in->at > '9')
			return false;
		made = made * 10 + (*in->at - '0');
	}
	*value = made;
	return made >= least && made <= most;
}

/* "Z", "+01:00". */
static bool take_offset(text_reader *in, int *offset)
{
	int sign = 1, hours = 0, minutes = 0;

	*offset = 0;
	if (take(in, 'Z'))
		return true;
	if (take(in, '-'))
		sign = -1;
	else if (!take(in, '+'))
		return false;
	if (!take_number(in, 2, 0, 23, &hours) || !take(in, ':') ||
		!take_number(in, 2, 0, 59, &minutes))
		return false;
	*offset = sign * (hours * 3600 + minutes * 60);
	return true;
}

bool caps_time_parse(const char *text, size_t size, int64_t *seconds)
{
	text_reader in = {text, text + size};
	int year, month, date, hour, minute, second = 0, offset, back_month, back_date;
	int64_t back_year;

	if (!take_number(&in, 4, 1970, 9999, &year) || !take(&in, '-') ||
		!take_number(&in, 2, 1, 12, &month) || !take(&in, '-') ||
		!take_number(&in, 2, 1, 31, &date) || !take(&in, 'T') ||
		!take_number(&in, 2, 0, 23, &hour) || !take(&in, ':') ||
		!take_number(&in, 2, 0, 59, &minute) ||
		(take(&in, ':') && !take_number(&in, 2, 0, 59, &second)) ||
		!take_offset(&in, &offset) || in.at != in.end)
		return false;
	int64_t day = codec_day_of(year, month, date);
	codec_date_of(day, &back_year, &back_month, &back_date);
	int64_t made = day * CODEC_DAY + hour * 3600 + minute * 60 + second - offset;
	if (back_date != date || made < 1 || made > CAPS_TIME_MAX)
		return false;
	*seconds = made;
	return true;
}
