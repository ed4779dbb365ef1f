/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the JSON reader: what it takes, jansson must take, and both must have read the same.
 */
#include "codec/codec-private.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

/* Our tree against jansson's, value by value. */
static void same(const codec_node *node, const json_t *value)
{
	size_t index = 0;

	switch (node->kind) {
	case CODEC_OBJECT:
		require(json_is_object(value) && json_object_size(value) == node->count);
		for (const codec_node *member = node->child; member != NULL;
			member = member->next) {
			require(codec_member(node, member->key) == member);
			require(json_object_get(value, member->key) != NULL);
			same(member, json_object_get(value, member->key));
		}
		break;
	case CODEC_ARRAY:
		require(json_is_array(value) && json_array_size(value) == node->count);
		for (const codec_node *item = node->child; item != NULL; item = item->next)
			same(item, json_array_get(value, index++));
		break;
	case CODEC_TEXT:
		require(json_is_string(value) && json_string_length(value) == node->text_size);
		require(memcmp(json_string_value(value), node->text, node->text_size + 1) == 0);
		break;
	case CODEC_INTEGER:
		require(json_is_integer(value) && json_integer_value(value) == node->integer);
		break;
	case CODEC_REAL:
		require(json_is_real(value) && json_real_value(value) == strtod(node->raw, NULL));
		break;
	case CODEC_TRUE:
		require(json_is_true(value));
		break;
	case CODEC_FALSE:
		require(json_is_false(value));
		break;
	case CODEC_NULL:
		require(json_is_null(value));
		break;
	}
}

/* The raw bytes of a value must stand where its line and column say. */
static void placed(const codec_node *node, const char *bytes)
{
	const char *at = bytes;

	for (uint32_t line = 1; line < node->line; line++)
		at = strchr(at, '\n') + 1;
	require(memcmp(at + node->column - 1, node->raw, node->raw_size) == 0);
	for (const codec_node *child = node->child; child != NULL; child = child->next)
		placed(child, bytes);
}

/* Written again and read again, it is the same value. */
static void rewritten(const json_t *value, const char *bytes)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;
	const char *text = NULL;
	size_t size = 0;

	require(hn_json_new(true, &json, NULL) == 0);
	hn_json_raw(json, NULL, bytes);
	require(hn_json_finish(json, &text, &size, NULL) == 0);
	require(codec_json_parse("again", text, size, &doc, NULL) == 0);
	same(codec_json_root(doc), value);
}

/* The scanner must not lean on jansson: alone it refuses the same bytes, so that its message is the
 * one given. */
static void scanner_refuses(const char *data, size_t size)
{
	BASE_AUTO_FREE char *bytes = base_strndup(data, size);
	BASE_AUTO_FREE char *pool = base_alloc(size + 1);
	BASE_AUTO_OF(base_arena) base_arena *arena = base_arena_new();
	codec_node *root = NULL;

	if (!base_utf8_valid(data, size))
		return;
	require(codec_json_scan("fuzz", bytes, size, pool, arena, &root, NULL) < 0 && root == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	int rc = codec_json_parse("fuzz", (const char *)data, size, &doc, &err);

	require((rc == 0) == (doc != NULL) && (rc == 0) == (err == NULL));
	if (rc < 0) {
		require(hn_error_code(err) == (hn_code)rc);
		require(strncmp(hn_error_message(err), "fuzz:", 5) == 0);
		if (rc != HN_ELIMIT)
			scanner_refuses((const char *)data, size);
		return 0;
	}
	BASE_AUTO_FREE char *bytes = base_strndup((const char *)data, size);
	json_t *value = json_loadb(bytes, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	require(bytes != NULL && value != NULL);
	same(codec_json_root(doc), value);
	placed(codec_json_root(doc), bytes);
	rewritten(value, bytes);
	json_decref(value);
	return 0;
}
