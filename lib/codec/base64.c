/* SPDX-License-Identifier: MIT
 *
 * Strict base64 in both alphabets (RFC 4648 sections 4 and 5).
 */
#include "codec/codec-private.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char urlsafe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Returns the number of characters; no padding. */
static size_t encode(const char *alphabet, const void *bytes, size_t size, char *out)
{
	const uint8_t *at = bytes;
	char *begin = out;

	for (; size >= 3; at += 3, size -= 3) {
		*out++ = alphabet[at[0] >> 2];
		*out++ = alphabet[(at[0] & 3) << 4 | at[1] >> 4];
		*out++ = alphabet[(at[1] & 15) << 2 | at[2] >> 6];
		*out++ = alphabet[at[2] & 63];
	}
	if (size > 0) {
		uint8_t second = size == 2 ? at[1] : 0;

		*out++ = alphabet[at[0] >> 2];
		*out++ = alphabet[(at[0] & 3) << 4 | second >> 4];
		if (size == 2)
			*out++ = alphabet[(second & 15) << 2];
	}
	*out = '\0';
	return (size_t)(out - begin);
}

void codec_base64url(const void *bytes, size_t size, char *out)
{
	encode(urlsafe, bytes, size, out);
}

void codec_base64(const void *bytes, size_t size, char *out)
{
	size_t length = encode(standard, bytes, size, out);

	for (; length % 4 != 0; length++)
		out[length] = '=';
	out[length] = '\0';
}

/* 0 .. 63, or -1. `last` are the two characters for 62 and 63. */
static int digit64(char c, const char *last)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == last[0])
		return 62;
	return c == last[1] ? 63 : -1;
}

static bool decode(const char *last, const char *text, size_t size, void *out, size_t capacity,
	size_t *written)
{
	/* A rest of 2 characters is 1 byte and 4 spare bits, of 3 it is 2 bytes and 2 bits. */
	size_t rest = size % 4;
	size_t length = size / 4 * 3 + (rest > 0 ? rest - 1 : 0);
	uint8_t *to = out;
	unsigned bits = 0, held = 0;

	if (rest == 1 || (out != NULL && length > capacity))
		return false;
	for (size_t i = 0; i < size; i++) {
		int digit = digit64(text[i], last);

		if (digit < 0)
			return false;
		held = (held << 6 | (unsigned)digit) & 0xffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			if (to != NULL)
				*to++ = (uint8_t)(held >> bits);
		}
	}
	if ((held & ((1u << bits) - 1)) != 0)
		return false;
	*written = length;
	return true;
}

bool codec_base64url_decode(
	const char *text, size_t size, void *out, size_t capacity, size_t *written)
{
	return decode(urlsafe + 62, text, size, out, capacity, written);
}

bool codec_base64_decode(const char *text, size_t size, void *out, size_t capacity, size_t *written)
{
	if (size % 4 != 0)
		return false;
	if (size > 0 && text[size - 1] == '=')
		size -= text[size - 2] == '=' ? 2 : 1;
	return decode(standard + 62, text, size, out, capacity, written);
}
