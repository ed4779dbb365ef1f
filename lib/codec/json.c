/* SPDX-License-Identifier: MIT
 *
 * JSON documents: what is checked before any parser sees the bytes, jansson's verdict, and walking
 * the tree.
 */
#include "codec/codec-private.h"

#include <inttypes.h>

struct codec_json {
	char *file;
	char *bytes; /* the document, NUL behind the last byte */
	char *pool;  /* decoded texts */
	base_arena *arena;
	codec_node *root;
};

/* --- errors with a place --- */

int codec_json_fail(hn_error **err, hn_code code, const codec_json_place *place, const char *hint,
	const char *message)
{
	base_error(err, code, "codec", hint, "%s:%" PRIu32 ":%" PRIu32 ": %s", place->file,
		place->line, place->column, message);
	base_error_fact(err, "file", place->file);
	base_error_fact_number(err, "line", place->line);
	base_error_fact_number(err, "column", place->column);
	return (int)code;
}

static codec_json_place place_of(const char *file, const char *bytes, size_t offset)
{
	codec_json_place place = {.file = file, .line = 1, .column = 1};

	for (size_t i = 0; i < offset; i++) {
		place.column++;
		if (bytes[i] == '\n') {
			place.line++;
			place.column = 1;
		}
	}
	return place;
}

/* --- checks before any parser --- */

static size_t utf8_length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xe0)
		return 2;
	return lead < 0xf0 ? 3 : 4;
}

static int refuse_bytes(const char *file, const char *bytes, size_t size, hn_error **err)
{
	size_t offset = 0;
	char message[96];

	while (offset < size) {
		size_t length = utf8_length((unsigned char)bytes[offset]);
		if (length > size - offset || !base_utf8_valid(bytes + offset, length))
			break;
		offset += length;
	}
	codec_json_place place = place_of(file, bytes, offset);
	if (offset < size && bytes[offset] == '\0')
		return codec_json_fail(err, HN_ESYNTAX, &place, "is this a text file?",
			"NUL byte in the document");
	snprintf(message, sizeof(message), "byte 0x%02x is not valid UTF-8 here",
		offset < size ? (unsigned char)bytes[offset] : 0u);
	return codec_json_fail(err, HN_ESYNTAX, &place, "save the file as UTF-8", message);
}

static int check_bytes(const char *file, const char *bytes, size_t size, hn_error **err)
{
	codec_json_place start = {.file = file, .line = 1, .column = 1};

	if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		return codec_json_fail(err, HN_ESYNTAX, &start,
			"save the file as UTF-8 without a byte order mark",
			"the document begins with a byte order mark");
	if (!base_utf8_valid(bytes, size))
		return refuse_bytes(file, bytes, size, err);
	return 0;
}

/* Brackets outside strings, before any recursive reader sees them. */
static int check_depth(const char *file, const char *bytes, size_t size, hn_error **err)
{
	uint64_t limit = base_limit(BASE_LIMIT_JSON_DEPTH), depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < size; i++) {
		char c = bytes[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > limit) {
				codec_json_place place = place_of(file, bytes, i);
				char message[96];

				snprintf(message, sizeof(message),
					"nested more than %" PRIu64 " levels deep", limit);
				return codec_json_fail(err, HN_ELIMIT, &place, NULL, message);
			}
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return 0;
}

static int check_size(const char *file, size_t size, hn_error **err)
{
	uint64_t limit = base_limit(BASE_LIMIT_DOCUMENT_BYTES);

	if (limit > UINT32_MAX) /* positions are 32 bits wide, whatever the limit says */
		limit = UINT32_MAX;
	if (size <= limit)
		return 0;
	return base_error(err, HN_ELIMIT, "codec", "split it into several documents",
		"%s: %zu bytes; a declaration document may have at most %" PRIu64, file, size,
		limit);
}

/* --- the document --- */

/* jansson has the first word on what is JSON; its text is used only when our own scan has no better
 * one. Its values come from its own allocator, which is one for the process and the embedding
 * program's: replacing it would release that program's values by the wrong function. */
static int refused_by_jansson(
	const codec_json *doc, size_t size, const json_error_t *why, hn_error **err)
{
	BASE_AUTO_OF(base_arena) base_arena *arena = base_arena_new();
	codec_node *root = NULL;

	if (arena == NULL || json_error_code(why) == json_error_out_of_memory)
		return base_nomem(err);
	int rc = codec_json_scan(doc->file, doc->bytes, size, doc->pool, arena, &root, err);
	if (rc < 0)
		return rc;
	size_t offset = why->position > 0 ? (size_t)why->position : 0;
	codec_json_place place = place_of(doc->file, doc->bytes, offset < size ? offset : size);
	return codec_json_fail(err, HN_ESYNTAX, &place, NULL, why->text);
}

static int document_read(codec_json *doc, size_t size, hn_error **err)
{
	json_error_t why;
	json_t *value =
		json_loadb(doc->bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);

	if (value == NULL)
		return refused_by_jansson(doc, size, &why, err);
	json_decref(value);
	return codec_json_scan(doc->file, doc->bytes, size, doc->pool, doc->arena, &doc->root, err);
}

int codec_json_parse(
	const char *file, const char *bytes, size_t size, codec_json **doc, hn_error **err)
{
	int rc = check_size(file, size, err);

	if (rc == 0)
		rc = check_bytes(file, bytes, size, err);
	if (rc == 0)
		rc = check_depth(file, bytes, size, err);
	if (rc < 0)
		return rc;

	BASE_AUTO_OF(codec_json) codec_json *made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	made->file = base_strdup(file);
	made->bytes = base_strndup(bytes, size);
	/* Each text is shorter than what it was made of by the two quotes, so its NUL has room too.
	 */
	made->pool = base_alloc(size + 1);
	made->arena = base_arena_new();
	if (made->file == NULL || made->bytes == NULL || made->pool == NULL || made->arena == NULL)
		return base_nomem(err);
	rc = document_read(made, size, err);
	if (rc < 0)
		return rc;
	*doc = BASE_STEAL(made);
	return 0;
}

void codec_json_free(codec_json *doc)
{
	if (doc == NULL)
		return;
	base_arena_free(doc->arena);
	base_free(doc->pool);
	base_free(doc->bytes);
	base_free(doc->file);
	base_free(doc);
}

const codec_node *codec_json_root(const codec_json *doc)
{
	return doc->root;
}

const char *codec_kind_name(codec_kind kind)
{
	static const char *const names[] = {
		[CODEC_OBJECT] = "an object",
		[CODEC_ARRAY] = "an array",
		[CODEC_TEXT] = "a string",
		[CODEC_INTEGER] = "an integer",
		[CODEC_REAL] = "a number with a fraction",
		[CODEC_TRUE] = "true",
		[CODEC_FALSE] = "false",
		[CODEC_NULL] = "null",
	};

	return (size_t)kind < BASE_COUNT(names) ? names[kind] : "a value";
}
