/* SPDX-License-Identifier: MIT
 *
 * Places: `files` and `origins` of a document, and where an error is.
 */
#include "tags/tags-private.h"
#include <stdio.h>

/* The longest pointer to anything that has an origin is less than half of this. */
enum { POINTER_BYTES = 1024, MOST_FILES = 4096 };

/* An entry of `origins`; `bound` when the document has what its pointer names. */
typedef struct entry {
	tags_place place;
	bool bound;
} entry;

/* `files`, copied once: any number of entries name them. */
typedef struct files {
	const char **names;
	size_t count;
} files;

tags_place tags_reader_place(const tags_reader *in, const codec_node *node)
{
	for (const codec_node *at = node; in->origins != NULL && at != NULL; at = at->parent) {
		const tags_place *place = base_map_get(in->origins, &at, sizeof(at));

		if (place != NULL)
			return *place;
		if (at == in->root)
			break;
	}
	return (tags_place){.file = in->decl->file, .line = node->line, .column = node->column};
}

int tags_reader_fail(tags_reader *in, hn_code code, const codec_node *node, const char *hint,
	const char *format, ...)
{
	BASE_AUTO_BUF base_buf message = {0};
	tags_place place = tags_reader_place(in, node);
	va_list arguments;

	va_start(arguments, format);
	base_buf_vformat(&message, format, arguments);
	va_end(arguments);
	if (message.failed)
		return base_nomem(in->err);
	base_error(in->err, code, TAGS_ROOM, hint, "%s:%u:%u: %s", place.file, place.line,
		place.column, message.data);
	base_error_fact(in->err, "file", place.file);
	base_error_fact_number(in->err, "line", place.line);
	base_error_fact_number(in->err, "column", place.column);
	return code;
}

static int read_entry(
	tags_reader *in, const codec_node *node, const files *known, tags_place *place)
{
	const codec_node *number = node->child;
	int64_t values[3];

	if (node->kind != CODEC_ARRAY || node->count != 3)
		return tags_reader_fail(in, HN_ESCHEMA, node, "write [0, 12, 7]",
			"an origin is an array of file index, line and column");
	for (size_t i = 0; i < 3; i++, number = number->next) {
		if (number->kind != CODEC_INTEGER || number->integer < 0 ||
			number->integer > INT32_MAX)
			return tags_reader_fail(in, HN_ESCHEMA, number, "write [0, 12, 7]",
				"an origin holds whole numbers that are not negative");
		values[i] = number->integer;
	}
	if ((uint64_t)values[0] >= known->count)
		return tags_reader_fail(in, HN_ERANGE, node,
			"the first number counts the entries of \"files\" from 0",
			"there is no file %lld in \"files\"", (long long)values[0]);
	*place = (tags_place){known->names[values[0]], (uint32_t)values[1], (uint32_t)values[2]};
	return 0;
}

static int read_files(tags_reader *in, const codec_node *node, files *known)
{
	if (node == NULL)
		return 0;
	if (node->kind != CODEC_ARRAY || node->count > MOST_FILES)
		return tags_reader_fail(in, HN_ESCHEMA, node, NULL,
			"files must be an array of at most %d paths", MOST_FILES);
	known->names =
		base_arena_alloc(in->decl->arena, (node->count + 1u) * sizeof(*known->names));
	if (known->names == NULL)
		return base_nomem(in->err);
	for (const codec_node *file = node->child; file != NULL; file = file->next) {
		if (file->kind != CODEC_TEXT)
			return tags_reader_fail(in, HN_ESCHEMA, file, NULL, "files holds strings");
		known->names[known->count] =
			base_arena_strndup(in->decl->arena, file->text, file->text_size);
		if (known->names[known->count++] == NULL)
			return base_nomem(in->err);
	}
	return 0;
}

/* Puts "/key" or "/index" behind the pointer, with ~0 and ~1 as RFC 6901 section 3 has them. */
static void push_pointer(base_buf *pointer, const codec_node *node, uint32_t index)
{
	base_buf_add(pointer, "/", 1);
	if (node->key == NULL) {
		base_buf_format(pointer, "%u", index);
		return;
	}
	for (uint32_t i = 0; i < node->key_size; i++) {
		char c = node->key[i];

		if (c == '~' || c == '/')
			base_buf_text(pointer, c == '~' ? "~0" : "~1");
		else
			base_buf_add(pointer, &c, 1);
	}
}

/* One walk over the document finds every pointer, so that origins cost no search each. It does not
 * go below a pointer that is longer than any of them can be. */
static int bind_places(
	tags_reader *in, base_map *entries, base_buf *pointer, const codec_node *node)
{
	entry *found = base_map_get(entries, pointer->data, pointer->size);
	uint32_t index = 0;

	if (found != NULL) {
		if (base_map_put(in->origins, &node, sizeof(node), &found->place) < 0)
			return base_nomem(in->err);
		found->bound = true;
	}
	for (const codec_node *child = node->child; child != NULL; child = child->next, index++) {
		size_t size = pointer->size;
		int rc = 0;

		push_pointer(pointer, child, index);
		if (pointer->failed)
			return base_nomem(in->err);
		if (pointer->size <= POINTER_BYTES)
			rc = bind_places(in, entries, pointer, child);
		if (rc < 0)
			return rc;
		pointer->size = size;
		pointer->data[size] = '\0';
	}
	return 0;
}

static int check_bound(tags_reader *in, const codec_node *origins, const base_map *entries)
{
	char quoted[BASE_QUOTE_SIZE];

	for (const codec_node *node = origins->child; node != NULL; node = node->next) {
		const entry *found = base_map_get(entries, node->key, node->key_size);

		if (!found->bound)
			return tags_reader_fail(in, HN_ENOENT, node,
				"an origin's name is an RFC 6901 pointer to a value of this document",
				"origins names '%s', which is not in the document",
				base_quote(quoted, node->key, node->key_size));
	}
	return 0;
}

static int read_entries(
	tags_reader *in, const codec_node *origins, const files *known, base_map *entries)
{
	for (const codec_node *node = origins->child; node != NULL; node = node->next) {
		entry *made = base_arena_alloc(in->decl->arena, sizeof(*made));
		int rc;

		if (made == NULL)
			return base_nomem(in->err);
		rc = read_entry(in, node, known, &made->place);
		if (rc < 0)
			return rc;
		if (base_map_put(entries, node->key, node->key_size, made) < 0)
			return base_nomem(in->err);
	}
	return 0;
}

int tags_reader_origins(tags_reader *in, const codec_node *document)
{
	const codec_node *origins = codec_member(document, "origins");
	BASE_AUTO_OF(base_map) base_map *entries = NULL;
	BASE_AUTO_BUF base_buf pointer = {0};
	files known = {0};
	int rc = read_files(in, codec_member(document, "files"), &known);

	base_map_free(in->origins);
	in->origins = NULL;
	if (rc < 0 || origins == NULL)
		return rc;
	if (origins->kind != CODEC_OBJECT)
		return tags_reader_fail(in, HN_ESCHEMA, origins, NULL,
			"origins must be an object, not %s", codec_kind_name(origins->kind));
	entries = base_map_new(NULL);
	if (entries == NULL)
		return base_nomem(in->err);
	rc = read_entries(in, origins, &known, entries);
	if (rc < 0)
		return rc;
	in->origins = base_map_new(NULL);
	base_buf_text(&pointer, "");
	if (in->origins == NULL || pointer.failed)
		return base_nomem(in->err);
	rc = bind_places(in, entries, &pointer, document);
	return rc < 0 ? rc : check_bound(in, origins, entries);
}
