/* SPDX-License-Identifier: MIT
 *
 * Our JSON scanner against jansson's verdict and values, our CBOR writer and cursor against
 * libcbor, on random and on damaged input. The seed is fixed; HYPERNIX_SEED takes another one.
 */
#include "codec/codec-private.h"
#include <cbor.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 4000, DAMAGED = 8 };

static uint64_t state;

static void seed(void)
{
	const char *given = getenv("HYPERNIX_SEED");

	state = given == NULL ? 42 : strtoull(given, NULL, 0);
	fprintf(stderr, "seed %llu\n", (unsigned long long)state);
}

/* splitmix64 (Steele, Lea, Flood, 2014) */
static uint64_t draw(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned below(unsigned bound)
{
	return (unsigned)(draw() % bound);
}

/* --- JSON --- */

static void space(base_buf *out)
{
	static const char *const kinds[] = {"", "", " ", "\n", "\t", "\r\n  "};

	base_buf_text(out, kinds[below(BASE_COUNT(kinds))]);
}

static void random_string(base_buf *out, unsigned unique)
{
	static const char *const parts[] = {"a", "Z", " ", "\\n", "\\\"", "\\\\", "\\/", "\\u00e9",
		"\\uD83D\\uDE00", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "{", "]", "~",
		"\x7f"};

	base_buf_text(out, "\"");
	if (unique > 0)
		base_buf_format(out, "%u", unique);
	for (unsigned i = below(6); i > 0; i--)
		base_buf_text(out, parts[below(BASE_COUNT(parts))]);
	base_buf_text(out, "\"");
}

static void random_scalar(base_buf *out)
{
	static const char *const words[] = {"true", "false", "null", "0", "-0", "1e5", "-2.5E-3",
		"0.1", "9223372036854775807", "-9223372036854775808", "1.7976931348623157e308",
		"123456789.125"};

	switch (below(3)) {
	case 0:
		base_buf_text(out, words[below(BASE_COUNT(words))]);
		break;
	case 1:
		base_buf_format(out, "%lld", (long long)draw() >> below(63));
		break;
	default:
		random_string(out, 0);
		break;
	}
}

static void random_json(base_buf *out, int depth)
{
	unsigned kind = depth > 6 ? 9 : below(10), count = below(kind == 0 && depth < 2 ? 40 : 4);

	space(out);
	if (kind > 4) {
		random_scalar(out);
		space(out);
		return;
	}
	bool object = kind < 3;
	base_buf_text(out, object ? "{" : "[");
	space(out);
	for (unsigned i = 0; i < count; i++) {
		if (i > 0) {
			base_buf_text(out, ",");
			space(out);
		}
		if (object) {
			random_string(out,
				i + 1); /* names begin with their number: "1" and "12" may meet */
			space(out);
			base_buf_text(out, ":");
		}
		random_json(out, depth + 1);
	}
	base_buf_text(out, object ? "}" : "]");
	space(out);
}

static void same(const codec_node *node, const json_t *value)
{
	size_t index = 0;

	switch (node->kind) {
	case CODEC_OBJECT:
		cr_assert_eq(json_object_size(value), node->count);
		for (const codec_node *member = node->child; member != NULL; member = member->next)
			same(member, json_object_get(value, member->key));
		break;
	case CODEC_ARRAY:
		cr_assert_eq(json_array_size(value), node->count);
		for (const codec_node *item = node->child; item != NULL; item = item->next)
			same(item, json_array_get(value, index++));
		break;
	case CODEC_TEXT:
		cr_assert_str_eq(node->text, json_string_value(value));
		break;
	case CODEC_INTEGER:
		cr_assert_eq(node->integer, json_integer_value(value));
		break;
	case CODEC_REAL:
		cr_assert_eq(strtod(node->raw, NULL), json_real_value(value));
		break;
	default:
		cr_assert_eq(node->kind, json_is_true(value)    ? CODEC_TRUE
					 : json_is_false(value) ? CODEC_FALSE
								: CODEC_NULL);
		break;
	}
}

/* Our scanner alone, without jansson's word before it. True when it took the bytes. */
static bool scan_agrees(const char *bytes, size_t size)
{
	BASE_AUTO_OF(base_arena) base_arena *arena = base_arena_new();
	BASE_AUTO_FREE char *pool = base_alloc(size + 1);
	codec_node *root = NULL;
	json_t *value = json_loadb(bytes, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	int rc = codec_json_scan("f", bytes, size, pool, arena, &root, NULL);

	cr_assert_eq(rc == 0, value != NULL, "we say %d, jansson %s: %s", rc,
		value == NULL ? "no" : "yes", bytes);
	if (value != NULL)
		same(root, value);
	json_decref(value);
	return rc == 0;
}

static void damage(base_buf *text)
{
	static const char bytes[] = "{}[]\",:\\u0e.-+1a\n \x01";

	if (text->size == 0)
		return;
	size_t at = below((unsigned)text->size);
	switch (below(3)) {
	case 0:
		text->data[at] = bytes[below(sizeof(bytes) - 1)];
		break;
	case 1:
		memmove(text->data + at, text->data + at + 1, text->size - at);
		text->size--;
		break;
	default:
		text->data[at] = '\0';
		text->size = at;
		break;
	}
}

Test(differential, json_scanner_and_jansson)
{
	int taken = 0, refused = 0;

	seed();
	for (int round = 0; round < ROUNDS; round++) {
		BASE_AUTO_BUF base_buf text = {0};

		random_json(&text, 0);
		taken += scan_agrees(text.data, text.size);
		for (int i = 0; i < DAMAGED; i++) {
			damage(&text);
			/* The scanner is only given what is UTF-8. */
			if (text.size == 0 || !base_utf8_valid(text.data, text.size))
				break;
			refused += !scan_agrees(text.data, text.size);
		}
	}
	cr_assert_gt(taken, ROUNDS / 2);
	cr_assert_gt(refused, ROUNDS);
}

/* --- CBOR --- */

/* The keys of a map are unsigned, so that rising numbers are rising encodings. */
static void random_cbor(codec_cbor_out *out, int depth)
{
	static const char text[] = "h\xc3\xa9llo w\xc3\xb6rld, this is a longer text";
	uint8_t bytes[300];
	unsigned count = below(5), kind = below(depth > 6 ? 6 : 8);
	uint64_t number = draw() >> below(64), key = 0;

	switch (kind) {
	case 0:
		codec_cbor_put_uint(out, number);
		break;
	case 1:
		codec_cbor_put_int(out, (int64_t)number);
		break;
	case 2:
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)draw();
		codec_cbor_put_bytes(out, bytes, below(sizeof(bytes)));
		break;
	case 3:
		codec_cbor_put_text(out, text, below(2) == 1 ? 6 : strlen(text));
		break;
	case 4:
		codec_cbor_put_bool(out, below(2) == 1);
		break;
	case 5:
		codec_cbor_put_null(out);
		break;
	default:
		if (kind == 6)
			codec_cbor_put_array(out, count);
		else
			codec_cbor_put_map(out, count);
		for (unsigned i = 0; i < count; i++) {
			key += 1 + below(40000);
			if (kind == 7)
				codec_cbor_put_uint(out, key);
			random_cbor(out, depth + 1);
		}
		break;
	}
}

static bool cursor_takes(const void *bytes, size_t size)
{
	codec_cbor in;

	codec_cbor_open(&in, bytes, size);
	return codec_cbor_skip(&in) && codec_cbor_end(&in, NULL) == 0;
}

/* libcbor reads it all, and its own encoder gives the same bytes. */
static void libcbor_agrees(const void *bytes, size_t size)
{
	struct cbor_load_result result;
	cbor_item_t *item = cbor_load(bytes, size, &result);
	unsigned char *again = NULL;
	size_t capacity = 0;

	cr_assert_not_null(
		item, "libcbor: error %d at %zu", result.error.code, result.error.position);
	cr_assert_eq(result.read, size);
	size_t written = cbor_serialize_alloc(item, &again, &capacity);
	cr_assert_eq(written, size);
	cr_assert_eq(memcmp(again, bytes, size), 0);
	free(again);
	cbor_decref(&item);
}

Test(differential, cbor_writer_and_libcbor)
{
	seed();
	for (int round = 0; round < ROUNDS; round++) {
		codec_cbor_out out = {0};

		random_cbor(&out, 0);
		cr_assert(cursor_takes(out.buf.data, out.buf.size));
		libcbor_agrees(out.buf.data, out.buf.size);
		base_buf_free(&out.buf);
	}
}

/* What the cursor takes of damaged bytes, libcbor must take too; the other way round it need not
 * be. */
Test(differential, damaged_cbor_and_libcbor)
{
	int taken = 0, refused = 0;

	seed();
	for (int round = 0; round < ROUNDS; round++) {
		codec_cbor_out out = {0};

		random_cbor(&out, 0);
		for (int i = 0; i < DAMAGED; i++) {
			out.buf.data[below((unsigned)out.buf.size)] = (char)draw();
			if (!cursor_takes(out.buf.data, out.buf.size)) {
				refused++;
				continue;
			}
			taken++;
			libcbor_agrees(out.buf.data, out.buf.size);
		}
		base_buf_free(&out.buf);
	}
	cr_assert_gt(taken, 100);
	cr_assert_gt(refused, 100);
}

Test(differential, cbor_heads_and_libcbor)
{
	static const uint64_t edges[] = {0, 23, 24, 255, 256, 65535, 65536, UINT32_MAX,
		(uint64_t)UINT32_MAX + 1, INT64_MAX, UINT64_MAX};

	for (size_t i = 0; i < BASE_COUNT(edges); i++) {
		unsigned char theirs[16];
		codec_cbor_out out = {0};

		size_t size = cbor_encode_uint(edges[i], theirs, sizeof(theirs));
		codec_cbor_put_uint(&out, edges[i]);
		cr_assert_eq(out.buf.size, size);
		cr_assert_eq(memcmp(out.buf.data, theirs, size), 0);
		base_buf_free(&out.buf);
		out = (codec_cbor_out){0};
		size = cbor_encode_map_start(edges[i], theirs, sizeof(theirs));
		codec_cbor_put_map(&out, edges[i]);
		cr_assert_eq(out.buf.size, size);
		cr_assert_eq(memcmp(out.buf.data, theirs, size), 0);
		base_buf_free(&out.buf);
		if (edges[i] > INT64_MAX)
			continue;
		out = (codec_cbor_out){0};
		size = cbor_encode_negint(edges[i], theirs, sizeof(theirs));
		codec_cbor_put_int(&out, -1 - (int64_t)edges[i]);
		cr_assert_eq(out.buf.size, size);
		cr_assert_eq(memcmp(out.buf.data, theirs, size), 0);
		base_buf_free(&out.buf);
	}
}
