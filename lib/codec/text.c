/* SPDX-License-Identifier: MIT
 *
 * Bytes as text: hexadecimal.
 */
#include "codec/codec-private.h"

void codec_hex(const void *bytes, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *at = bytes;

	for (size_t i = 0; i < size; i++) {
		*out++ = digits[at[i] >> 4];
		*out++ = digits[at[i] & 15];
	}
	*out = '\0';
}

static int digit16(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool codec_hex_decode(const char *text, size_t size, uint8_t *bytes)
{
	if (size % 2 != 0)
		return false;
	for (size_t i = 0; i < size; i += 2) {
		int high = digit16(text[i]);
		int low = high < 0 ? -1 : digit16(text[i + 1]);

		if (low < 0)
			return false;
		bytes[i / 2] = (uint8_t)(high << 4 | low);
	}
	return true;
}
