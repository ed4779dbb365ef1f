/* SPDX-License-Identifier: MIT
 *
 * Canonical CBOR and canonical JSON of a parsed JSON value.
 */
#include "compose/canonical.h"

#include <stdlib.h>

typedef int (*node_order)(const void *a, const void *b);

/* By name, as JSON is written. */
static int by_name(const void *a, const void *b)
{
	return strcmp((*(const codec_node *const *)a)->key, (*(const codec_node *const *)b)->key);
}

/* By encoded name: the head of a text holds its length, so the shorter one comes first. */
static int by_encoding(const void *a, const void *b)
{
	const codec_node *first = *(const codec_node *const *)a;
	const codec_node *second = *(const codec_node *const *)b;

	if (first->key_size != second->key_size)
		return first->key_size < second->key_size ? -1 : 1;
	return memcmp(first->key, second->key, first->key_size);
}

/* The children of a node in the order asked for; NULL when out of memory. The caller frees it. */
static const codec_node **sorted_children(const codec_node *node, node_order order)
{
	const codec_node **children = base_alloc(((size_t)node->count + 1) * sizeof(*children));
	size_t count = 0;

	if (children == NULL)
		return NULL;
	for (const codec_node *child = node->child; child != NULL; child = child->next)
		children[count++] = child;
	if (node->kind == CODEC_OBJECT)
		qsort(children, count, sizeof(*children), order);
	return children;
}

static int put_children(
	const char *file, const codec_node *node, codec_cbor_out *out, hn_error **err)
{
	BASE_AUTO_FREE const codec_node **children = sorted_children(node, by_encoding);
	int rc = 0;

	if (children == NULL)
		return base_nomem(err);
	if (node->kind == CODEC_OBJECT)
		codec_cbor_put_map(out, node->count);
	else
		codec_cbor_put_array(out, node->count);
	for (uint32_t i = 0; rc == 0 && i < node->count; i++) {
		if (node->kind == CODEC_OBJECT)
			codec_cbor_put_text(out, children[i]->key, children[i]->key_size);
		rc = compose_canonical_cbor(file, children[i], out, err);
	}
	return rc;
}

static int refuse_fraction(const char *file, const codec_node *node, hn_error **err)
{
	compose_place place = {.file = file, .line = node->line, .column = node->column};

	return compose_fail(err, HN_ESCHEMA, &place, "write it as a string, such as \"0.9\"",
		"a number of a component or blueprint has no fraction and no exponent");
}

int compose_canonical_cbor(
	const char *file, const codec_node *node, codec_cbor_out *out, hn_error **err)
{
	switch (node->kind) {
	case CODEC_OBJECT:
	case CODEC_ARRAY:
		return put_children(file, node, out, err);
	case CODEC_TEXT:
		codec_cbor_put_text(out, node->text, node->text_size);
		return 0;
	case CODEC_INTEGER:
		codec_cbor_put_int(out, node->integer);
		return 0;
	case CODEC_TRUE:
	case CODEC_FALSE:
		codec_cbor_put_bool(out, node->kind == CODEC_TRUE);
		return 0;
	case CODEC_NULL:
		codec_cbor_put_null(out);
		return 0;
	case CODEC_REAL:
		break;
	}
	return refuse_fraction(file, node, err);
}

int compose_canonical_digest(
	const char *file, const codec_node *node, compose_digest *digest, hn_error **err)
{
	codec_cbor_out out = {0};
	int rc = compose_canonical_cbor(file, node, &out, err);

	if (rc == 0 && out.buf.failed)
		rc = base_nomem(err);
	if (rc == 0)
		crypto_blake2b(out.buf.data, out.buf.size, digest->bytes);
	base_buf_free(&out.buf);
	return rc;
}

static void write_node(hn_json *json, const char *key, const codec_node *node);

static void write_children(hn_json *json, const codec_node *node)
{
	BASE_AUTO_FREE const codec_node **children = sorted_children(node, by_name);

	if (children == NULL) {
		codec_json_nomem(json);
		return;
	}
	for (uint32_t i = 0; i < node->count; i++)
		write_node(json, children[i]->key, children[i]);
}

/* A number with a fraction keeps its spelling: only what is no document has one. */
static void write_node(hn_json *json, const char *key, const codec_node *node)
{
	if (node->kind == CODEC_OBJECT || node->kind == CODEC_ARRAY) {
		if (node->kind == CODEC_OBJECT)
			hn_json_object(json, key);
		else
			hn_json_array(json, key);
		write_children(json, node);
		hn_json_end(json);
	} else if (node->kind == CODEC_TEXT) {
		hn_json_text(json, key, node->text);
	} else if (node->kind == CODEC_INTEGER) {
		hn_json_int(json, key, node->integer);
	} else if (node->kind == CODEC_TRUE || node->kind == CODEC_FALSE) {
		hn_json_bool(json, key, node->kind == CODEC_TRUE);
	} else if (node->kind == CODEC_NULL) {
		hn_json_null(json, key);
	} else {
		BASE_AUTO_FREE char *raw = base_strndup(node->raw, node->raw_size);

		if (raw == NULL)
			codec_json_nomem(json);
		else
			hn_json_raw(json, key, raw);
	}
}

int compose_canonical_json(const codec_node *node, char **text, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char *written;
	base_buf out = {0};
	char *made;
	int rc = hn_json_new(true, &json, err);

	if (rc < 0)
		return rc;
	write_node(json, NULL, node);
	rc = hn_json_finish(json, &written, NULL, err);
	if (rc < 0)
		return rc;
	base_buf_text(&out, written);
	base_buf_add(&out, "\n", 1);
	made = base_buf_take(&out);
	if (made == NULL)
		return base_nomem(err);
	*text = made;
	return 0;
}
