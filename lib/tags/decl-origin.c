/* SPDX-License-Identifier: MIT
 *
 * Places: `files` and `origins` of a document, and where an error is.
 */
#include "tags/tags-private.h"
#include <stdio.h>

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
	tags_reader *in, const codec_node *entry, const codec_node *files, tags_place *place)
{
	const codec_node *number = entry->child, *file = files != NULL ? files->child : NULL;
	int64_t values[3];

	if (entry->kind != CODEC_ARRAY || entry->count != 3)
		return tags_reader_fail(in, HN_ESCHEMA, entry, "write [0, 12, 7]",
			"an origin is an array of file index, line and column");
	for (size_t i = 0; i < 3; i++, number = number->next) {
		if (number->kind != CODEC_INTEGER || number->integer < 0 ||
			number->integer > INT32_MAX)
			return tags_reader_fail(in, HN_ESCHEMA, number, "write [0, 12, 7]",
				"an origin holds whole numbers that are not negative");
		values[i] = number->integer;
	}
	for (int64_t i = 0; file != NULL && i < values[0]; i++)
		file = file->next;
	if (file == NULL)
		return tags_reader_fail(in, HN_ERANGE, entry,
			"the first number counts the entries of \"files\" from 0",
			"there is no file %lld in \"files\"", (long long)values[0]);
	place->file = base_arena_strndup(in->decl->arena, file->text, file->text_size);
	place->line = (uint32_t)values[1];
	place->column = (uint32_t)values[2];
	return place->file != NULL ? 0 : base_nomem(in->err);
}

static int check_files(tags_reader *in, const codec_node *files)
{
	if (files == NULL)
		return 0;
	if (files->kind != CODEC_ARRAY || files->count > 4096)
		return tags_reader_fail(in, HN_ESCHEMA, files, NULL,
			"files must be an array of at most 4096 paths");
	for (const codec_node *file = files->child; file != NULL; file = file->next)
		if (file->kind != CODEC_TEXT || memchr(file->text, '\0', file->text_size) != NULL)
			return tags_reader_fail(in, HN_ESCHEMA, file, NULL, "files holds strings");
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

/* One walk over the document finds every pointer, so that origins cost no search each. */
static int bind_places(tags_reader *in, base_map *entries, base_buf *pointer,
	const codec_node *node, size_t *bound)
{
	const tags_place *place = base_map_get(entries, pointer->data, pointer->size);
	uint32_t index = 0;

	if (place != NULL) {
		if (base_map_put(in->origins, &node, sizeof(node),
			    (void *)(uintptr_t)(const void *)place) < 0)
			return base_nomem(in->err);
		(*bound)++;
	}
	for (const codec_node *child = node->child; child != NULL; child = child->next, index++) {
		size_t size = pointer->size;
		int rc;

		push_pointer(pointer, child, index);
		if (pointer->failed)
			return base_nomem(in->err);
		rc = bind_places(in, entries, pointer, child, bound);
		if (rc < 0)
			return rc;
		pointer->size = size;
		pointer->data[size] = '\0';
	}
	return 0;
}

static int missing_pointer(tags_reader *in, const codec_node *origins)
{
	const codec_node *entry = origins->child;

	while (entry != NULL && codec_pointer(in->root, entry->key) != NULL)
		entry = entry->next;
	return tags_reader_fail(in, HN_ENOENT, entry != NULL ? entry : origins,
		"an origin's name is an RFC 6901 pointer to a value of this document",
		"origins names '%.200s', which is not in the document",
		entry != NULL ? entry->key : "a pointer");
}

int tags_reader_origins(tags_reader *in, const codec_node *document)
{
	const codec_node *origins = codec_member(document, "origins");
	const codec_node *files = codec_member(document, "files");
	BASE_AUTO_OF(base_map) base_map *entries = NULL;
	BASE_AUTO_BUF base_buf pointer = {0};
	size_t bound = 0;
	int rc = check_files(in, files);

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
	for (const codec_node *entry = origins->child; entry != NULL; entry = entry->next) {
		tags_place *place = base_arena_alloc(in->decl->arena, sizeof(*place));

		if (place == NULL)
			return base_nomem(in->err);
		rc = read_entry(in, entry, files, place);
		if (rc < 0)
			return rc;
		if (base_map_put(entries, entry->key, entry->key_size, place) < 0)
			return base_nomem(in->err);
	}
	in->origins = base_map_new(NULL);
	base_buf_text(&pointer, "");
	if (in->origins == NULL || pointer.failed)
		return base_nomem(in->err);
	rc = bind_places(in, entries, &pointer, document, &bound);
	if (rc == 0 && bound != base_map_count(entries))
		rc = missing_pointer(in, origins);
	return rc;
}
