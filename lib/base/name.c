/* SPDX-License-Identifier: MIT
 *
 * Names and patterns: UTF-8, valid names, the nearest of several names, '*' patterns, and text made
 * safe to show.
 */
#include "base/base-private.h"
#include <stdio.h>

enum { NAME_MAX_BYTES = 63, NEAREST_MAX_BYTES = 127 };

/* Length of the sequence that begins with `lead`, and the range of its second byte (RFC 3629,
 * section 4). */
static size_t utf8_sequence(unsigned char lead, unsigned char *low, unsigned char *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef) {
		if (lead == 0xe0)
			*low = 0xa0; /* overlong */
		else if (lead == 0xed)
			*high = 0x9f; /* surrogates */
		return 3;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		if (lead == 0xf0)
			*low = 0x90; /* overlong */
		else if (lead == 0xf4)
			*high = 0x8f; /* above U+10FFFF */
		return 4;
	}
	return 0;
}

bool base_utf8_valid(const char *bytes, size_t size)
{
	const unsigned char *at = (const unsigned char *)bytes;

	for (size_t i = 0; i < size;) {
		unsigned char low, high;
		size_t length;

		if (at[i] == 0)
			return false;
		if (at[i] < 0x80) {
			i++;
			continue;
		}
		length = utf8_sequence(at[i], &low, &high);
		if (length == 0 || length > size - i || at[i + 1] < low || at[i + 1] > high)
			return false;
		for (size_t j = 2; j < length; j++) {
			if ((at[i + j] & 0xc0) != 0x80)
				return false;
		}
		i += length;
	}
	return true;
}

bool base_name_valid(const char *name, size_t size)
{
	if (size == 0 || size > NAME_MAX_BYTES || name[0] < 'a' || name[0] > 'z')
		return false;
	for (size_t i = 1; i < size; i++) {
		if ((name[i] < 'a' || name[i] > 'z') && (name[i] < '0' || name[i] > '9') &&
			name[i] != '-')
			return false;
	}
	return true;
}

static unsigned least(unsigned first, unsigned second)
{
	return first < second ? first : second;
}

/* Optimal string alignment: insert, delete, replace, or swap two neighbours (Damerau, 1964;
 * Levenshtein, 1966). */
static unsigned edit_distance(
	const char *first, size_t first_size, const char *second, size_t second_size)
{
	unsigned rows[3][NEAREST_MAX_BYTES + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= second_size; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= first_size; i++) {
		unsigned *oldest = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= second_size; j++) {
			unsigned replaced = above[j - 1] + (first[i - 1] != second[j - 1]);

			row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && first[i - 1] == second[j - 2] &&
				first[i - 2] == second[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = oldest;
	}
	return above[second_size];
}

int base_nearest(const char *name, size_t count, const char *(*candidate)(void *arg, size_t index),
	void *arg)
{
	size_t size = strlen(name);
	unsigned best_distance = NEAREST_MAX_BYTES;
	int best = -1;

	if (size > NEAREST_MAX_BYTES || count > INT32_MAX)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const char *text = candidate(arg, i);
		size_t text_size = text == NULL ? 0 : strlen(text);
		unsigned distance;

		if (text_size == 0 || text_size > NEAREST_MAX_BYTES)
			continue;
		distance = edit_distance(name, size, text, text_size);
		if (distance < best_distance && distance * 3 <= text_size) {
			best_distance = distance;
			best = (int)i;
		}
	}
	return best;
}

/* Each part between stars is taken where it first fits; that leaves most for the parts after it. */
bool base_glob(const char *pattern, const char *text)
{
	const char *star = strchr(pattern, '*');
	const char *end = text + strlen(text);

	if (star == NULL)
		return strcmp(pattern, text) == 0;
	if (strncmp(pattern, text, (size_t)(star - pattern)) != 0)
		return false;
	text += star - pattern;
	for (;;) {
		const char *part = star + 1;
		size_t size;
		const char *found;

		star = strchr(part, '*');
		size = star != NULL ? (size_t)(star - part) : strlen(part);
		if (star == NULL)
			return (size_t)(end - text) >= size && memcmp(end - size, part, size) == 0;
		found = memmem(text, (size_t)(end - text), part, size);
		if (found == NULL)
			return false;
		text = found + size;
	}
}

const char *base_quote(char out[BASE_QUOTE_SIZE], const char *text, size_t size)
{
	size_t used = 0;
	size_t i;

	for (i = 0; i < size && used + 4 < BASE_QUOTE_SIZE - 4; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte >= 0x20 && byte < 0x7f && byte != '\\' && byte != '"')
			out[used++] = (char)byte;
		else
			used += (size_t)snprintf(
				out + used, BASE_QUOTE_SIZE - used, "\\x%02x", byte);
	}
	memcpy(out + used, i < size ? "..." : "", i < size ? 4 : 1);
	return out;
}
