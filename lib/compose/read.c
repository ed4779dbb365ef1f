/* SPDX-License-Identifier: MIT
 *
 * Opening a document, reading objects by a table, and saying what is wrong and where.
 */
#include "compose/read.h"

#include <inttypes.h>
#include <stdio.h>

enum { SCHEMA = 1 };

/* --- places and messages --- */

compose_place compose_read_place(const compose_reader *in, const codec_node *node)
{
	return (compose_place){.file = in->file, .line = node->line, .column = node->column};
}

int compose_read_fail(compose_reader *in, hn_code code, const codec_node *node, const char *hint,
	const char *format, ...)
{
	BASE_AUTO_BUF base_buf message = {0};
	compose_place place = compose_read_place(in, node);
	va_list arguments;

	va_start(arguments, format);
	base_buf_vformat(&message, format, arguments);
	va_end(arguments);
	if (message.failed)
		return base_nomem(in->err);
	return compose_fail(in->err, code, &place, hint, "%s", message.data);
}

int compose_read_refuse(compose_reader *in, const codec_node *node, hn_error *cause)
{
	BASE_AUTO_OF(hn_error) hn_error *owned = cause;
	hn_code code = hn_error_code(owned);

	if (code == HN_ENOMEM)
		return base_nomem(in->err);
	return compose_read_fail(
		in, code, node, hn_error_hint(owned), "%s", hn_error_message(owned));
}

const char *compose_read_what(const codec_node *node, char out[BASE_QUOTE_SIZE])
{
	char name[BASE_QUOTE_SIZE];

	if (node->key != NULL)
		return base_quote(out, node->key, node->key_size);
	if (node->parent == NULL || node->parent->key == NULL)
		return "the value";
	base_quote(name, node->parent->key, node->parent->key_size);
	snprintf(out, BASE_QUOTE_SIZE, "an item of %.80s", name);
	return out;
}

int compose_read_expect(
	compose_reader *in, const codec_node *node, codec_kind kind, const char *wanted)
{
	char what[BASE_QUOTE_SIZE];

	if (node->kind == kind)
		return 0;
	return compose_read_fail(in, HN_ESCHEMA, node, NULL, "%s must be %s, not %s",
		compose_read_what(node, what), wanted, codec_kind_name(node->kind));
}

/* --- the document --- */

static int open_root(compose_reader *in, const void *bytes, size_t size, int limit)
{
	static const codec_node start = {.line = 1, .column = 1};
	hn_error *cause = NULL;
	int rc;

	if (base_limit_check(limit, size, &cause) < 0)
		return compose_read_refuse(in, &start, cause);
	rc = codec_json_parse(in->file, bytes, size, &in->document, in->err);
	if (rc < 0)
		return rc;
	const codec_node *root = codec_json_root(in->document);
	if (root->kind == CODEC_OBJECT)
		return 0;
	rc = compose_read_fail(in, HN_ESCHEMA, root, "begin with { \"hypernix\": 1",
		"a document is an object, not %s", codec_kind_name(root->kind));
	codec_json_free(BASE_STEAL(in->document));
	return rc;
}

int compose_read_open(compose_reader *in, const char *file, const void *bytes, size_t size,
	int limit, hn_error **err)
{
	int rc;

	*in = (compose_reader){.arena = base_arena_new(), .err = err};
	if (in->arena != NULL)
		in->file = base_arena_strndup(in->arena, file, strlen(file));
	rc = in->file != NULL ? open_root(in, bytes, size, limit) : base_nomem(err);
	if (rc == 0)
		return 0;
	base_arena_free(in->arena);
	in->arena = NULL;
	return rc;
}

int compose_read_schema(compose_reader *in, const codec_node *node, void *unused)
{
	(void)unused;
	if (node->kind != CODEC_INTEGER || node->integer < 1)
		return compose_read_fail(in, HN_ESCHEMA, node, "write \"hypernix\": 1",
			"the schema must be the number 1");
	if (node->integer > SCHEMA)
		return compose_read_fail(in, HN_ENEWER, node, "use a newer hypernix",
			"schema %" PRId64 " is newer than this library, which reads schema 1",
			node->integer);
	return 0;
}

/* --- lists --- */

/* What an item must not share with another: the text or number of one member, or of itself. */
static const codec_node *unique_value(const codec_node *item, const char *member)
{
	return member[0] == '\0' ? item : codec_member(item, member);
}

static int refuse_twice(
	compose_reader *in, const codec_node *node, const codec_node *first, const char *member)
{
	char what[BASE_QUOTE_SIZE], text[BASE_QUOTE_SIZE];

	if (node->kind == CODEC_TEXT)
		base_quote(text, node->text, node->text_size);
	else
		base_quote(text, node->raw, node->raw_size);
	return compose_read_fail(in, HN_EDUPLICATE, node, "keep one of the two",
		"%s %s is given twice; the first time in line %" PRIu32,
		member[0] != '\0' ? member : compose_read_what(node->parent, what), text,
		first->line);
}

static int check_unique(compose_reader *in, const codec_node *list, const char *member)
{
	BASE_AUTO_OF(base_map) base_map *seen = base_map_new(NULL);

	if (seen == NULL)
		return base_nomem(in->err);
	for (const codec_node *item = list->child; item != NULL; item = item->next) {
		const codec_node *value = unique_value(item, member), *first;

		if (value == NULL || value->raw_size == 0)
			continue;
		/* The bytes in the file would tell "a" and "\u0061" apart. */
		const char *text = value->kind == CODEC_TEXT ? value->text : value->raw;
		size_t size = value->kind == CODEC_TEXT ? value->text_size : value->raw_size;
		first = base_map_get(seen, text, size);
		if (first != NULL)
			return refuse_twice(in, value, first, member);
		/* The map holds what it is given; the node is only read back. */
		if (base_map_put(seen, text, size, (void *)(uintptr_t)(const void *)value) < 0)
			return base_nomem(in->err);
	}
	return 0;
}

int compose_read_count(compose_reader *in, const codec_node *node, int limit)
{
	hn_error *cause = NULL;

	if (base_limit_check(limit, node->count, &cause) < 0)
		return compose_read_refuse(in, node, cause);
	return 0;
}

static int check_list(compose_reader *in, const codec_node *node, const compose_row *row)
{
	bool object = (row->flags & COMPOSE_ROW_OBJECT) != 0;
	int limit = row->limit != 0 ? row->limit : BASE_LIMIT_MANIFEST_ITEMS;
	char what[BASE_QUOTE_SIZE];
	int rc = compose_read_expect(
		in, node, object ? CODEC_OBJECT : CODEC_ARRAY, object ? "an object" : "an array");

	if (rc < 0)
		return rc;
	if (node->count == 0 && (row->flags & COMPOSE_ROW_NOT_EMPTY) != 0)
		return compose_read_fail(in, HN_ESCHEMA, node, NULL, "%s must not be empty",
			compose_read_what(node, what));
	return compose_read_count(in, node, limit);
}

static int read_list(compose_reader *in, const codec_node *node, const compose_row *row, void *out)
{
	size_t count = 0;
	char *items;
	int rc = check_list(in, node, row);

	if (rc < 0)
		return rc;
	/* One more: a list of texts may be read up to its NULL. */
	items = base_arena_alloc(in->arena, ((size_t)node->count + 1) * row->item);
	if (items == NULL)
		return base_nomem(in->err);
	for (const codec_node *item = node->child; rc == 0 && item != NULL; item = item->next)
		rc = row->read(in, item, items + row->item * count++);
	for (size_t i = 0; rc == 0 && i < BASE_COUNT(row->unique) && row->unique[i] != NULL; i++)
		rc = check_unique(in, node, row->unique[i]);
	if (rc < 0)
		return rc;
	memcpy((char *)out + row->offset, &items, sizeof(items));
	memcpy((char *)out + row->count, &count, sizeof(count));
	return 0;
}

/* --- objects --- */

static const char *row_candidate(void *arg, size_t index)
{
	const compose_row *rows = arg;

	return rows[index].name;
}

static int unknown_member(
	compose_reader *in, const codec_node *member, const char *what, const compose_row *rows)
{
	BASE_AUTO_BUF base_buf hint = {0};
	char quoted[BASE_QUOTE_SIZE];
	size_t count = 0;
	int near;

	while (rows[count].name != NULL)
		count++;
	near = base_nearest(
		member->key, count, row_candidate, (void *)(uintptr_t)(const void *)rows);
	if (near >= 0) {
		base_buf_format(&hint, "did you mean %s?", rows[near].name);
	} else {
		base_buf_format(&hint, "%s has", what);
		for (size_t i = 0; i < count; i++)
			base_buf_format(&hint, "%s %s", i > 0 ? "," : "", rows[i].name);
	}
	if (hint.failed)
		return base_nomem(in->err);
	return compose_read_fail(in, HN_ESCHEMA, member, hint.data, "%s has no field '%s'", what,
		base_quote(quoted, member->key, member->key_size));
}

static int read_member(compose_reader *in, const codec_node *member, const char *what,
	const compose_row *rows, void *out)
{
	for (const compose_row *row = rows; row->name != NULL; row++) {
		if (strcmp(row->name, member->key) != 0)
			continue;
		if (row->item > 0)
			return read_list(in, member, row, out);
		return row->read(in, member, (char *)out + row->offset);
	}
	return unknown_member(in, member, what, rows);
}

/* The schema first: of a newer document nothing else can be said. */
static int read_version_first(
	compose_reader *in, const codec_node *node, const compose_row *rows, void *out)
{
	const codec_node *schema = codec_member(node, "hypernix");

	if (rows->read != compose_read_schema || schema == NULL)
		return 0;
	return rows->read(in, schema, out);
}

int compose_read_object(compose_reader *in, const codec_node *node, const char *what,
	const compose_row *rows, void *out)
{
	int rc;

	if (node->kind != CODEC_OBJECT)
		return compose_read_fail(in, HN_ESCHEMA, node, NULL, "%s must be an object, not %s",
			what, codec_kind_name(node->kind));
	rc = read_version_first(in, node, rows, out);
	for (const codec_node *member = node->child; rc == 0 && member != NULL;
		member = member->next)
		rc = read_member(in, member, what, rows, out);
	for (const compose_row *row = rows; rc == 0 && row->name != NULL; row++) {
		if ((row->flags & COMPOSE_ROW_REQUIRED) != 0 &&
			codec_member(node, row->name) == NULL)
			rc = compose_read_fail(
				in, HN_ESCHEMA, node, NULL, "%s needs '%s'", what, row->name);
	}
	return rc;
}
