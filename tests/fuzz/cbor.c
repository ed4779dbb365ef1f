/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the strict CBOR cursor: what it takes has one encoding only, so writing it again gives the
 * same bytes.
 */
#include "codec/codec-private.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

static bool copy_items(codec_cbor *in, codec_cbor_out *out, uint64_t count);

static bool copy_string(codec_cbor *in, codec_cbor_out *out, bool text)
{
	const uint8_t *bytes = NULL;
	const char *chars = NULL;
	size_t size = 0;

	if (text ? !codec_cbor_text(in, &chars, &size) : !codec_cbor_bytes(in, &bytes, &size))
		return false;
	if (text)
		codec_cbor_put_text(out, chars, size);
	else
		codec_cbor_put_bytes(out, bytes, size);
	return true;
}

static bool copy_container(codec_cbor *in, codec_cbor_out *out, bool map)
{
	size_t left = in->size - in->offset;
	uint64_t count = 0;

	if (map ? !codec_cbor_map(in, &count) : !codec_cbor_array(in, &count))
		return false;
	require(count <= left);
	if (map)
		codec_cbor_put_map(out, count);
	else
		codec_cbor_put_array(out, count);
	return copy_items(in, out, map ? 2 * count : count);
}

static bool copy_number(codec_cbor *in, codec_cbor_out *out, bool negative)
{
	uint64_t number = 0;
	int64_t integer = 0;

	if (negative ? !codec_cbor_int(in, &integer) : !codec_cbor_uint(in, &number))
		return false;
	if (negative)
		codec_cbor_put_int(out, integer);
	else
		codec_cbor_put_uint(out, number);
	return true;
}

static bool copy_item(codec_cbor *in, codec_cbor_out *out)
{
	uint64_t number = 0;
	bool truth = false;

	switch (codec_cbor_peek(in)) {
	case CODEC_CBOR_UINT:
	case CODEC_CBOR_NEGATIVE:
		return copy_number(in, out, codec_cbor_peek(in) == CODEC_CBOR_NEGATIVE);
	case CODEC_CBOR_BYTES:
	case CODEC_CBOR_TEXT:
		return copy_string(in, out, codec_cbor_peek(in) == CODEC_CBOR_TEXT);
	case CODEC_CBOR_ARRAY:
	case CODEC_CBOR_MAP:
		return copy_container(in, out, codec_cbor_peek(in) == CODEC_CBOR_MAP);
	case CODEC_CBOR_TAG:
		if (!codec_cbor_tag(in, &number))
			return false;
		codec_cbor_put_tag(out, number);
		return copy_item(in, out);
	case CODEC_CBOR_BOOL:
		if (!codec_cbor_bool(in, &truth))
			return false;
		codec_cbor_put_bool(out, truth);
		return true;
	case CODEC_CBOR_NULL:
		codec_cbor_put_null(out);
		return codec_cbor_null(in);
	case CODEC_CBOR_END:
	case CODEC_CBOR_ERROR:
		break;
	}
	return false;
}

static bool copy_items(codec_cbor *in, codec_cbor_out *out, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if (!copy_item(in, out))
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	codec_cbor_out out = {0};
	codec_cbor in, skipping;

	if (size > 4096) /* a chain of tags is as deep as it is long, and this reader recurses */
		return 0;
	codec_cbor_open(&skipping, data, size);
	bool skipped = codec_cbor_skip(&skipping) && codec_cbor_end(&skipping, NULL) == 0;
	codec_cbor_open(&in, data, size);
	bool copied = copy_item(&in, &out) && codec_cbor_end(&in, NULL) == 0;
	require(copied || !skipped); /* skipping takes no tags, else the same */
	if (copied)
		require(out.buf.size == size && memcmp(out.buf.data, data, size) == 0);
	else
		require(in.code == HN_ECBOR && in.error_offset <= size && in.error_text != NULL);
	base_buf_free(&out.buf);
	return 0;
}
