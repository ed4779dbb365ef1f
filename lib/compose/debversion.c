/* SPDX-License-Identifier: MIT
 *
 * Debian's order of versions: [epoch:]upstream[-revision], deb-version(7).
 */
#include "compose/version.h"

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* "~" is before the end, the end before letters, letters before all else. */
static int weight(const char *at, const char *end)
{
	if (at == end || is_digit(*at))
		return 0;
	if (*at == '~')
		return -1;
	if ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z'))
		return (unsigned char)*at;
	return (unsigned char)*at + 256;
}

static int compare_digits(const char **a, const char *a_end, const char **b, const char *b_end)
{
	int order = 0;

	while (*a < a_end && **a == '0')
		(*a)++;
	while (*b < b_end && **b == '0')
		(*b)++;
	for (; *a < a_end && is_digit(**a) && *b < b_end && is_digit(**b); (*a)++, (*b)++)
		if (order == 0)
			order = **a - **b;
	if (*a < a_end && is_digit(**a))
		return 1;
	if (*b < b_end && is_digit(**b))
		return -1;
	return order;
}

/* Turns of what is no number and of numbers, as the policy manual, 5.6.12, has it. */
static int compare_part(const char *a, const char *a_end, const char *b, const char *b_end)
{
	while (a < a_end || b < b_end) {
		int order;

		while ((a < a_end && !is_digit(*a)) || (b < b_end && !is_digit(*b))) {
			order = weight(a, a_end) - weight(b, b_end);
			if (order != 0)
				return order;
			a += a < a_end;
			b += b < b_end;
		}
		order = compare_digits(&a, a_end, &b, b_end);
		if (order != 0)
			return order;
	}
	return 0;
}

typedef struct deb_parts {
	const char *epoch, *epoch_end, *upstream, *upstream_end, *end;
} deb_parts;

static deb_parts split(const char *text)
{
	const char *colon = strchr(text, ':'), *dash = strrchr(text, '-');
	deb_parts parts = {
		.epoch = text, .epoch_end = text, .upstream = text, .end = text + strlen(text)};

	if (colon != NULL) {
		parts.epoch_end = colon;
		parts.upstream = colon + 1;
	}
	parts.upstream_end = dash != NULL && dash >= parts.upstream ? dash : parts.end;
	return parts;
}

int compose_deb_compare(const char *a, const char *b)
{
	deb_parts left = split(a), right = split(b);
	int order = compare_part(left.epoch, left.epoch_end, right.epoch, right.epoch_end);

	if (order == 0)
		order = compare_part(
			left.upstream, left.upstream_end, right.upstream, right.upstream_end);
	if (order == 0)
		order = compare_part(left.upstream_end + (left.upstream_end < left.end), left.end,
			right.upstream_end + (right.upstream_end < right.end), right.end);
	return (order > 0) - (order < 0);
}
