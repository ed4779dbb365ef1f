/* SPDX-License-Identifier: MIT
 *
 * The deterministic CBOR writer (RFC 8949 section 4.2.1): shortest heads, definite lengths. The
 * order of the keys of a map is the caller's part.
 */
#include "codec/codec-private.h"

static void put_head(codec_cbor_out *out, unsigned major, uint64_t argument)
{
	uint8_t head[9] = {(uint8_t)(major << 5)};
	int bytes = 0;

	if (argument < 24) {
		head[0] |= (uint8_t)argument;
	} else if (argument <= UINT8_MAX) {
		head[0] |= 24;
		bytes = 1;
	} else if (argument <= UINT16_MAX) {
		head[0] |= 25;
		bytes = 2;
	} else if (argument <= UINT32_MAX) {
		head[0] |= 26;
		bytes = 4;
	} else {
		head[0] |= 27;
		bytes = 8;
	}
	for (int i = 0; i < bytes; i++)
		head[1 + i] = (uint8_t)(argument >> (8 * (bytes - 1 - i)));
	base_buf_add(&out->buf, head, (size_t)bytes + 1);
}

void codec_cbor_put_uint(codec_cbor_out *out, uint64_t value)
{
	put_head(out, 0, value);
}

void codec_cbor_put_int(codec_cbor_out *out, int64_t value)
{
	if (value >= 0)
		put_head(out, 0, (uint64_t)value);
	else
		put_head(out, 1, ~(uint64_t)value); /* -1 - value, which cannot overflow this way */
}

void codec_cbor_put_bytes(codec_cbor_out *out, const void *bytes, size_t size)
{
	put_head(out, 2, size);
	base_buf_add(&out->buf, bytes, size);
}

void codec_cbor_put_text(codec_cbor_out *out, const char *text, size_t size)
{
	put_head(out, 3, size);
	base_buf_add(&out->buf, text, size);
}

void codec_cbor_put_array(codec_cbor_out *out, uint64_t count)
{
	put_head(out, 4, count);
}

void codec_cbor_put_map(codec_cbor_out *out, uint64_t count)
{
	put_head(out, 5, count);
}

void codec_cbor_put_tag(codec_cbor_out *out, uint64_t tag)
{
	put_head(out, 6, tag);
}

void codec_cbor_put_bool(codec_cbor_out *out, bool value)
{
	put_head(out, 7, value ? 21 : 20);
}

void codec_cbor_put_null(codec_cbor_out *out)
{
	put_head(out, 7, 22);
}
