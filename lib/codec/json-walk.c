/* SPDX-License-Identifier: MIT
 *
 * Walking JSON that the library has made: each scalar with its place, for programs that print it in
 * their own way and have no parser.
 */
#include "codec/codec-private.h"

typedef struct walk {
	hn_json_walk_fn each;
	void *arg;
	base_buf place;
	hn_error **err;
} walk;

/* RFC 6901 section 3. */
static void add_token(base_buf *place, const char *token)
{
	base_buf_add(place, "/", 1);
	for (; *token != '\0'; token++) {
		if (*token == '~')
			base_buf_text(place, "~0");
		else if (*token == '/')
			base_buf_text(place, "~1");
		else
			base_buf_add(place, token, 1);
	}
}

static int tell(walk *w, const codec_node *node)
{
	BASE_AUTO_FREE char *raw = NULL;
	const char *value = node->text;

	if (node->kind == CODEC_INTEGER || node->kind == CODEC_REAL || node->kind == CODEC_TRUE ||
		node->kind == CODEC_FALSE) {
		value = raw = base_strndup(node->raw, node->raw_size);
		if (raw == NULL)
			return base_nomem(w->err);
	}
	base_buf_add(&w->place, "", 1);
	if (w->place.failed)
		return base_nomem(w->err);
	w->place.size--;
	return w->each(w->arg, w->place.data, node->kind == CODEC_NULL ? NULL : value);
}

/* Depth is at most JSON_DEPTH: the parser has seen to that. */
static int visit(walk *w, const codec_node *node)
{
	size_t size = w->place.size;
	uint32_t index = 0;
	int rc = 0;

	if (node->kind != CODEC_OBJECT && node->kind != CODEC_ARRAY)
		return tell(w, node);
	for (const codec_node *child = node->child; child != NULL && rc == 0; child = child->next) {
		if (child->key != NULL)
			add_token(&w->place, child->key);
		else
			base_buf_format(&w->place, "/%u", (unsigned)index++);
		rc = visit(w, child);
		w->place.size = size;
	}
	return rc;
}

int hn_json_walk(const char *text, hn_json_walk_fn each, void *arg, hn_error **err)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;
	walk w = {.each = each, .arg = arg, .err = err};
	int rc;

	if (text == NULL || each == NULL)
		return base_error(err, HN_EINVAL, "codec", NULL, "a text and a function to call");
	rc = codec_json_parse("json", text, strlen(text), &doc, err);
	if (rc == 0)
		rc = visit(&w, codec_json_root(doc));
	base_buf_free(&w.place);
	return rc;
}
