/* SPDX-License-Identifier: MIT
 *
 * Base64 (RFC 4648): section 5 without padding for tokens, section 4 with padding for notes. Every
 * value has one text: whitespace, missing or superfluous padding and spare bits that are not zero
 * are refused.
 */
#ifndef CODEC_BASE64_H
#define CODEC_BASE64_H

#include "base/base-private.h"

/* Characters for `size` bytes, without the NUL. */
static inline size_t codec_base64url_size(size_t size)
{
	return size / 3 * 4 + (size % 3 > 0 ? size % 3 + 1 : 0);
}
static inline size_t codec_base64_size(size_t size)
{
	return (size + 2) / 3 * 4;
}
/* `out` holds the characters and a NUL. */
void codec_base64url(const void *bytes, size_t size, char *out);
void codec_base64(const void *bytes, size_t size, char *out);
/* False when `text` is not the one text of some bytes, or when those are more than `capacity`. Then
 * *written is untouched, while `out` may hold a part. With `out` NULL the text is checked only. */
bool codec_base64url_decode(
	const char *text, size_t size, void *out, size_t capacity, size_t *written);
bool codec_base64_decode(
	const char *text, size_t size, void *out, size_t capacity, size_t *written);

#endif
