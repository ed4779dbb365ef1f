/* SPDX-License-Identifier: MIT
 *
 * The public JSON writer: a stack of open containers over one growing text.
 */
#include "codec/codec-private.h"

#include <inttypes.h>
#include <stdio.h>

enum { DEPTH_MAX = 64, CAUSES_MAX = 16 };

struct hn_json {
	base_buf buf;
	bool indented;
	bool finished;      /* the next call starts a new document */
	const char *misuse; /* the first thing that was done wrong; NULL while all is well */
	bool too_deep;
	int depth; /* open containers */
	bool array[DEPTH_MAX];
	bool filled[DEPTH_MAX + 1]; /* has a value; [0] is the top */
};

int hn_json_new(bool indented, hn_json **json, hn_error **err)
{
	if (json == NULL)
		return base_error(err, HN_EINVAL, "codec", NULL, "json is NULL");
	hn_json *made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	made->indented = indented;
	*json = made;
	return 0;
}

hn_json *hn_json_free(hn_json *json)
{
	if (json != NULL) {
		base_buf_free(&json->buf);
		base_free(json);
	}
	return NULL;
}

void codec_json_nomem(hn_json *json)
{
	json->buf.failed = true;
}

static void misuse(hn_json *json, const char *what)
{
	if (json->misuse == NULL)
		json->misuse = what;
}

static void new_line(hn_json *json)
{
	if (!json->indented)
		return;
	base_buf_add(&json->buf, "\n", 1);
	for (int i = 0; i < json->depth; i++)
		base_buf_add(&json->buf, "\t", 1);
}

static void quoted(hn_json *json, const char *text)
{
	static const char *const named[32] = {
		['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"};
	const char *plain = text;

	if (!base_utf8_valid(text, strlen(text))) {
		misuse(json, "a text is not valid UTF-8");
		return;
	}
	base_buf_add(&json->buf, "\"", 1);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		base_buf_add(&json->buf, plain, (size_t)(text - plain));
		plain = text + 1;
		if (c >= 0x20)
			base_buf_format(&json->buf, "\\%c", c);
		else if (named[c] != NULL)
			base_buf_text(&json->buf, named[c]);
		else
			base_buf_format(&json->buf, "\\u%04x", c);
	}
	base_buf_add(&json->buf, plain, (size_t)(text - plain));
	base_buf_add(&json->buf, "\"", 1);
}

/* Comma, new line and name before a value; false when no value may stand here. */
static bool begin_value(hn_json *json, const char *key)
{
	if (json->finished) {
		json->finished = false;
		json->filled[0] = false;
		json->buf.size = 0;
	}
	bool in_object = json->depth > 0 && !json->array[json->depth - 1];
	if (in_object && key == NULL)
		misuse(json, "a member of an object has no key");
	if (!in_object && key != NULL)
		misuse(json, "a key was given outside an object");
	if (json->depth == 0 && json->filled[0])
		misuse(json, "a second value at the top");
	if (json->misuse != NULL)
		return false;
	if (json->filled[json->depth])
		base_buf_add(&json->buf, ",", 1);
	json->filled[json->depth] = true;
	if (json->depth > 0)
		new_line(json);
	if (key != NULL) {
		quoted(json, key);
		base_buf_text(&json->buf, json->indented ? ": " : ":");
	}
	return json->misuse == NULL;
}

static void open_container(hn_json *json, const char *key, bool array)
{
	if (json->depth == DEPTH_MAX) {
		json->too_deep = true;
		misuse(json, "nested more than 64 levels deep");
	}
	if (!begin_value(json, key))
		return;
	base_buf_add(&json->buf, array ? "[" : "{", 1);
	json->array[json->depth++] = array;
	json->filled[json->depth] = false;
}

void hn_json_object(hn_json *json, const char *key)
{
	open_container(json, key, false);
}

void hn_json_array(hn_json *json, const char *key)
{
	open_container(json, key, true);
}

void hn_json_end(hn_json *json)
{
	if (json->depth == 0)
		misuse(json, "an end without an object or array that is open");
	if (json->misuse != NULL)
		return;
	bool filled = json->filled[json->depth--];
	if (filled)
		new_line(json);
	base_buf_add(&json->buf, json->array[json->depth] ? "]" : "}", 1);
}

void hn_json_text(hn_json *json, const char *key, const char *text)
{
	if (!begin_value(json, key))
		return;
	if (text == NULL)
		base_buf_text(&json->buf, "null");
	else
		quoted(json, text);
}

void hn_json_int(hn_json *json, const char *key, int64_t number)
{
	if (begin_value(json, key))
		base_buf_format(&json->buf, "%" PRId64, number);
}

void hn_json_uint(hn_json *json, const char *key, uint64_t number)
{
	if (begin_value(json, key))
		base_buf_format(&json->buf, "%" PRIu64, number);
}

void hn_json_bool(hn_json *json, const char *key, bool value)
{
	if (begin_value(json, key))
		base_buf_text(&json->buf, value ? "true" : "false");
}

void hn_json_null(hn_json *json, const char *key)
{
	if (begin_value(json, key))
		base_buf_text(&json->buf, "null");
}

static void copy_node(hn_json *json, const char *key, const codec_node *node)
{
	if (node->kind == CODEC_TEXT) {
		hn_json_text(json, key, node->text);
		return;
	}
	if (node->kind != CODEC_OBJECT && node->kind != CODEC_ARRAY) {
		if (begin_value(json, key))
			base_buf_add(&json->buf, node->raw, node->raw_size);
		return;
	}
	open_container(json, key, node->kind == CODEC_ARRAY);
	for (const codec_node *child = node->child; child != NULL; child = child->next)
		copy_node(json, child->key, child);
	hn_json_end(json);
}

void hn_json_raw(hn_json *json, const char *key, const char *text)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;

	if (text == NULL) {
		hn_json_null(json, key);
		return;
	}
	int rc = codec_json_parse("raw", text, strlen(text), &doc, NULL);
	if (rc == 0)
		copy_node(json, key, codec_json_root(doc));
	else if (rc == HN_ENOMEM)
		json->buf.failed = true;
	else
		misuse(json, "a raw value is not strict JSON");
}

/* A second fact of one name becomes NAME_2: an object has each member once. */
static void fact_name(const hn_error *error, size_t index, const char *name, char *out, size_t size)
{
	unsigned earlier = 0;

	for (size_t i = 0; i < index; i++) {
		hn_fact fact;

		if (hn_error_fact(error, i, &fact) == 0 && strcmp(fact.name, name) == 0)
			earlier++;
	}
	if (earlier == 0)
		snprintf(out, size, "%s", name);
	else
		snprintf(out, size, "%s_%u", name, earlier + 1);
}

static void error_facts(hn_json *json, const hn_error *error)
{
	size_t count = hn_error_fact_count(error);

	if (count == 0)
		return;
	hn_json_object(json, "facts");
	for (size_t i = 0; i < count; i++) {
		char name[128];
		hn_fact fact;

		if (hn_error_fact(error, i, &fact) < 0)
			continue;
		fact_name(error, i, fact.name, name, sizeof(name));
		if (fact.text != NULL)
			hn_json_text(json, name, fact.text);
		else
			hn_json_int(json, name, fact.number);
	}
	hn_json_end(json);
}

void hn_json_error(hn_json *json, const char *key, const hn_error *error)
{
	int opened = 0;

	if (error == NULL) {
		hn_json_null(json, key);
		return;
	}
	for (; error != NULL && opened < CAUSES_MAX; error = hn_error_cause(error)) {
		hn_json_object(json, opened == 0 ? key : "cause");
		opened++;
		hn_json_text(json, "code", hn_code_name(hn_error_code(error)));
		hn_json_text(json, "room", hn_error_room(error));
		hn_json_text(json, "message", hn_error_message(error));
		if (hn_error_hint(error) != NULL)
			hn_json_text(json, "hint", hn_error_hint(error));
		error_facts(json, error);
	}
	while (opened-- > 0)
		hn_json_end(json);
}

int hn_json_finish(hn_json *json, const char **text, size_t *size, hn_error **err)
{
	if (json->misuse == NULL && json->depth > 0)
		misuse(json, "an object or array is still open");
	if (json->misuse == NULL && !json->filled[0])
		misuse(json, "no value was written");
	if (json->misuse != NULL)
		return base_error(err, json->too_deep ? HN_ELIMIT : HN_EINVAL, "codec", NULL,
			"JSON writer: %s", json->misuse);
	if (json->buf.failed)
		return base_nomem(err);
	json->finished = true;
	*text = json->buf.data;
	if (size != NULL)
		*size = json->buf.size;
	return 0;
}

int codec_json_take(hn_json *json, char **text, hn_error **err)
{
	const char *written;
	size_t size;
	int rc = hn_json_finish(json, &written, &size, err);
	char *copy;

	if (rc < 0)
		return rc;
	copy = base_strndup(written, size);
	if (copy == NULL)
		return base_nomem(err);
	*text = copy;
	return 0;
}
