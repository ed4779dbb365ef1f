/* SPDX-License-Identifier: MIT
 *
 * The canonical request as it is read by who is to approve it: strict, then as JSON.
 */
#include "caps/call.h"
#include "caps/terms-private.h"

static bool take_verb(codec_cbor *in, hn_verb *verb)
{
	const char *text = NULL;
	size_t size = 0;

	if (!codec_cbor_text(in, &text, &size))
		return false;
	for (int i = 0; i < HN_VERB_COUNT; i++) {
		const char *known = base_verb_text((hn_verb)i);

		if (strlen(known) == size && memcmp(known, text, size) == 0) {
			*verb = (hn_verb)i;
			return true;
		}
	}
	return false;
}

static bool take_argument_name(codec_cbor *in)
{
	const char *text = NULL;
	size_t size = 0;

	if (!codec_cbor_text(in, &text, &size) || size == 0 || size > CAPS_CALL_NAME)
		return false;
	for (size_t i = 0; i < size; i++)
		if ((text[i] < 'a' || text[i] > 'z') && text[i] != '_')
			return false;
	return true;
}

static bool take_text(codec_cbor *in)
{
	const char *text = NULL;
	size_t size = 0;

	return codec_cbor_text(in, &text, &size);
}

static bool take_list(codec_cbor *in)
{
	uint64_t count = 0, size = 0;
	caps_view hash;

	if (!codec_cbor_array(in, &count))
		return false;
	if (count == 2 && codec_cbor_peek(in) == CODEC_CBOR_BYTES)
		return caps_take_bytes(in, 32, &hash) && codec_cbor_uint(in, &size);
	for (uint64_t i = 0; i < count; i++)
		if (!take_text(in))
			return false;
	return count > 0;
}

static bool take_pairs(codec_cbor *in)
{
	uint64_t count = 0;

	if (!codec_cbor_map(in, &count) || count == 0)
		return false;
	for (uint64_t i = 0; i < 2 * count; i++)
		if (!take_text(in))
			return false;
	return true;
}

static bool take_value(codec_cbor *in)
{
	int64_t number;
	caps_view keyed;
	bool yes;

	switch (codec_cbor_peek(in)) {
	case CODEC_CBOR_UINT:
	case CODEC_CBOR_NEGATIVE:
		return codec_cbor_int(in, &number);
	case CODEC_CBOR_BOOL:
		return codec_cbor_bool(in, &yes);
	case CODEC_CBOR_BYTES:
		return caps_take_bytes(in, CRYPTO_DIGEST, &keyed);
	case CODEC_CBOR_TEXT:
		return take_text(in);
	case CODEC_CBOR_ARRAY:
		return take_list(in);
	case CODEC_CBOR_MAP:
		return take_pairs(in);
	default:
		return false;
	}
}

bool caps_called_read(caps_view request, caps_called *called)
{
	caps_called read = {0};
	uint64_t items = 0;
	codec_cbor in;
	size_t start;

	if (request.size > base_limit(BASE_LIMIT_REQUEST_BYTES))
		return false;
	codec_cbor_open(&in, request.bytes, request.size);
	if (!codec_cbor_array(&in, &items) || items != 3 || !take_verb(&in, &read.verb) ||
		!caps_take_pattern(&in, &read.object))
		return false;
	start = in.offset;
	if (!codec_cbor_map(&in, &items) || items > CAPS_CALL_ARGUMENTS)
		return false;
	for (uint64_t i = 0; i < items; i++)
		if (!take_argument_name(&in) || !take_value(&in))
			return false;
	if (codec_cbor_end(&in, NULL) < 0)
		return false;
	read.arguments = (caps_view){request.bytes + start, request.size - start};
	*called = read;
	return true;
}

/* --- as JSON: of what was read before, so nothing here can be wrong --- */

static void put_json_text(codec_cbor *in, const char *key, hn_json *json)
{
	base_buf text = {0};
	const char *bytes = NULL;
	size_t size = 0;

	(void)codec_cbor_text(in, &bytes, &size);
	base_buf_add(&text, bytes, size);
	caps_print_buf(json, key, &text);
}

static void put_json_list(codec_cbor *in, const char *key, hn_json *json)
{
	uint64_t count = 0, size = 0;
	caps_view hash = {0};

	(void)codec_cbor_array(in, &count);
	if (codec_cbor_peek(in) == CODEC_CBOR_BYTES) {
		(void)caps_take_bytes(in, 32, &hash);
		(void)codec_cbor_uint(in, &size);
		hn_json_object(json, key);
		caps_print_hex(json, "sha256", hash.bytes, hash.size);
		hn_json_uint(json, "bytes", size);
		hn_json_end(json);
		return;
	}
	hn_json_array(json, key);
	for (uint64_t i = 0; i < count; i++)
		put_json_text(in, NULL, json);
	hn_json_end(json);
}

static void put_json_keyed(codec_cbor *in, const char *key, hn_json *json)
{
	caps_view keyed = {0};

	(void)caps_take_bytes(in, CRYPTO_DIGEST, &keyed);
	hn_json_object(json, key);
	caps_print_hex(json, "keyed", keyed.bytes, keyed.size);
	hn_json_end(json);
}

static char *take_key(codec_cbor *in)
{
	const char *bytes = NULL;
	size_t size = 0;

	(void)codec_cbor_text(in, &bytes, &size);
	return base_strndup(bytes, size);
}

static void put_json_value(codec_cbor *in, const char *key, hn_json *json);

static void put_json_pairs(codec_cbor *in, const char *key, hn_json *json)
{
	uint64_t count = 0;

	(void)codec_cbor_map(in, &count);
	hn_json_object(json, key);
	for (uint64_t i = 0; i < count; i++) {
		BASE_AUTO_FREE char *name = take_key(in);

		if (name == NULL) {
			codec_json_nomem(json);
			break;
		}
		put_json_value(in, name, json);
	}
	hn_json_end(json);
}

static void put_json_value(codec_cbor *in, const char *key, hn_json *json)
{
	int64_t number = 0;
	bool yes = false;

	switch (codec_cbor_peek(in)) {
	case CODEC_CBOR_BOOL:
		(void)codec_cbor_bool(in, &yes);
		hn_json_bool(json, key, yes);
		break;
	case CODEC_CBOR_BYTES:
		put_json_keyed(in, key, json);
		break;
	case CODEC_CBOR_TEXT:
		put_json_text(in, key, json);
		break;
	case CODEC_CBOR_ARRAY:
		put_json_list(in, key, json);
		break;
	case CODEC_CBOR_MAP:
		put_json_pairs(in, key, json);
		break;
	default:
		(void)codec_cbor_int(in, &number);
		hn_json_int(json, key, number);
		break;
	}
}

void caps_called_json(const caps_called *called, hn_json *json)
{
	codec_cbor in;

	codec_cbor_open(&in, called->arguments.bytes, called->arguments.size);
	put_json_pairs(&in, "arguments", json);
}
