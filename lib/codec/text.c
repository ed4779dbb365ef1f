/* SPDX-License-Identifier: MIT
 *
 * Bytes as text: base64url without padding (RFC 4648 section 5) and hexadecimal.
 */
#include "codec/codec-private.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *codec_base64url(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	if (size > SIZE_MAX / 4 * 3 - 4)
		return NULL;
	char *text = base_alloc((size * 4 + 2) / 3 + 1);
	char *to = text;
	if (text == NULL)
		return NULL;
	for (; size >= 3; size -= 3, at += 3) {
		uint32_t bits = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];

		*to++ = alphabet[bits >> 18];
		*to++ = alphabet[bits >> 12 & 63];
		*to++ = alphabet[bits >> 6 & 63];
		*to++ = alphabet[bits & 63];
	}
	if (size > 0) {
		uint32_t bits = (uint32_t)at[0] << 16 | (size == 2 ? (uint32_t)at[1] << 8 : 0);

		*to++ = alphabet[bits >> 18];
		*to++ = alphabet[bits >> 12 & 63];
		if (size == 2)
			*to++ = alphabet[bits >> 6 & 63];
	}
	*to = '\0';
	return text;
}

static int digit64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

static int refuse(hn_error **err, size_t offset, const char *what)
{
	base_error(err, HN_ESYNTAX, "codec", "base64url without padding: A-Z a-z 0-9 - _",
		"base64url: %s at character %zu", what, offset + 1);
	base_error_fact_number(err, "offset", (int64_t)offset);
	return HN_ESYNTAX;
}

int codec_base64url_decode(
	const char *text, size_t size, uint8_t **bytes, size_t *out_size, hn_error **err)
{
	uint32_t bits = 0;
	int filled = 0;

	if (size % 4 == 1)
		return refuse(err, size - 1, "one character too many");
	BASE_AUTO_FREE uint8_t *out = base_alloc(size / 4 * 3 + 3);
	uint8_t *to = out;
	if (out == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < size; i++) {
		int digit = digit64(text[i]);

		if (digit < 0)
			return refuse(err, i, "character that does not belong");
		bits = bits << 6 | (uint32_t)digit;
		filled += 6;
		if (filled >= 8) {
			filled -= 8;
			*to++ = (uint8_t)(bits >> filled);
		}
	}
	/* Else several texts would stand for the same bytes. */
	if ((bits & ((1u << filled) - 1)) != 0)
		return refuse(err, size - 1, "spare bits are not zero");
	*out_size = (size_t)(to - out);
	*bytes = BASE_STEAL(out);
	return 0;
}

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
