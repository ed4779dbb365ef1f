/* SPDX-License-Identifier: MIT
 *
 * Bounds on what a request sets, as people write them: an object from key to limits, or a list that
 * keeps their order.
 */
#include "caps/terms-private.h"

static int put_number_or_name(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	if (node->kind == CODEC_INTEGER) {
		codec_cbor_put_int(out, node->integer);
		return 0;
	}
	int rc = node->kind == CODEC_TEXT
			 ? caps_reader_name(in, node)
			 : caps_reader_kind(in, node, CODEC_INTEGER, "an integer, or a text");
	if (rc == 0)
		codec_cbor_put_text(out, node->text, node->text_size);
	return rc;
}

/* What is compared is the number that a text stands for: bytes, nanoseconds, millionths. */
static int put_quantity(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	static const char hint[] = "an integer, a size such as 8Gi, a duration such as 10s, or a "
				   "ratio such as 0.5";
	uint64_t size = 0;
	int64_t number = 0;

	if (node->kind == CODEC_INTEGER) {
		codec_cbor_put_int(out, node->integer);
		return 0;
	}
	int rc = caps_reader_kind(in, node, CODEC_TEXT, hint);
	if (rc < 0)
		return rc;
	if (hn_size_parse(node->text, &size, NULL) == 0 && size <= INT64_MAX)
		number = (int64_t)size;
	else if (hn_duration_parse(node->text, &number, NULL) < 0 &&
		 hn_ratio_parse(node->text, &number, NULL) < 0)
		return caps_reader_fail(
			in, HN_ESYNTAX, node, hint, "\"%.80s\" is no quantity", node->text);
	codec_cbor_put_int(out, number);
	return 0;
}

/* One limit of one key. */
static int put_bound(const caps_reader *in, const char *key, size_t key_size,
	const codec_node *limit, uint64_t how, codec_cbor_out *out)
{
	codec_cbor_put_array(out, 3);
	codec_cbor_put_text(out, key, key_size);
	codec_cbor_put_uint(out, how);
	if (how < 2)
		return put_quantity(in, limit, out);
	if (how == 2)
		return put_number_or_name(in, limit, out);
	int rc = caps_reader_array(in, limit, 1, 16);
	if (rc == 0)
		codec_cbor_put_array(out, limit->count);
	for (const codec_node *item = limit->child; rc == 0 && item != NULL; item = item->next)
		rc = put_number_or_name(in, item, out);
	return rc;
}

/* Each member of the object but "key" is a limit. */
static int put_limits(const caps_reader *in, const codec_node *object, const char *key,
	size_t key_size, uint64_t *count, codec_cbor_out *out)
{
	size_t words = BASE_COUNT(caps_bound_words);
	int rc = 0;

	for (const codec_node *at = object->child; rc == 0 && at != NULL; at = at->next) {
		uint64_t how = 0;

		if (object->key == NULL && strcmp(at->key, "key") == 0)
			continue;
		while (how < words && strcmp(at->key, caps_bound_words[how]) != 0)
			how++;
		if (how == words)
			return caps_reader_fail_word(
				in, at, caps_bound_words, words, "the bounds of a key");
		rc = put_bound(in, key, key_size, at, how, out);
		(*count)++;
	}
	return rc;
}

static int put_keyed(
	const caps_reader *in, const codec_node *entry, uint64_t *count, codec_cbor_out *out)
{
	int rc = caps_reader_kind(in, entry, CODEC_OBJECT, NULL);
	const codec_node *key = codec_member(entry, "key");

	if (rc == 0 && key == NULL)
		rc = caps_reader_fail(in, HN_ESCHEMA, entry, NULL, "\"key\" is missing");
	if (rc == 0)
		rc = caps_reader_name(in, key);
	return rc < 0 ? rc : put_limits(in, entry, key->text, key->text_size, count, out);
}

static int put_member(
	const caps_reader *in, const codec_node *entry, uint64_t *count, codec_cbor_out *out)
{
	codec_node name = *entry;

	name.kind = CODEC_TEXT;
	name.text = entry->key;
	name.text_size = entry->key_size;
	int rc = caps_reader_name(in, &name);
	if (rc == 0)
		rc = caps_reader_kind(in, entry, CODEC_OBJECT, "like {\"max\": \"8Gi\"}");
	return rc < 0 ? rc : put_limits(in, entry, entry->key, entry->key_size, count, out);
}

int caps_read_bounds(const caps_reader *in, const codec_node *node, codec_cbor_out *out)
{
	codec_cbor_out limits = {0};
	uint64_t count = 0;
	int rc = 0;

	if (node->kind != CODEC_ARRAY)
		rc = caps_reader_kind(
			in, node, CODEC_OBJECT, "like {\"memory.size\": {\"max\": \"8Gi\"}}");
	for (const codec_node *at = node->child; rc == 0 && at != NULL; at = at->next)
		rc = node->kind == CODEC_ARRAY ? put_keyed(in, at, &count, &limits)
					       : put_member(in, at, &count, &limits);
	if (rc == 0 && (count < 1 || count > 16))
		rc = caps_reader_fail(in, HN_ERANGE, node, NULL, "bounds have 1 to 16 limits");
	codec_cbor_put_array(out, 2);
	codec_cbor_put_uint(out, CAPS_BOUNDS);
	codec_cbor_put_array(out, count);
	base_buf_add(&out->buf, limits.buf.data, limits.buf.size);
	out->buf.failed |= limits.buf.failed;
	base_buf_free(&limits.buf);
	return rc;
}
