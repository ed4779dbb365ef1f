/* SPDX-License-Identifier: MIT
 *
 * Views as deterministic CBOR (RFC 8949 section 4.2.1): the values, whose bytes are the view's
 * identity, and the chains that explain them.
 */
#include "tags/redact.h"
#include "tags/tags-private.h"

/* Map keys: the row's id, or [id, name] under a pattern. */
static void put_key(codec_cbor_out *out, const tags_walk *walk)
{
	if (walk->part == NULL) {
		codec_cbor_put_uint(out, walk->found.key->id);
		return;
	}
	codec_cbor_put_array(out, 2);
	codec_cbor_put_uint(out, walk->found.key->id);
	codec_cbor_put_text(out, walk->part, strlen(walk->part));
}

static void put_optional(codec_cbor_out *out, const char *text)
{
	if (text == NULL)
		codec_cbor_put_null(out);
	else
		codec_cbor_put_text(out, text, strlen(text));
}

static void put_items(codec_cbor_out *out, const hn_view *view, const char *name)
{
	const char *item;
	size_t count = 0;

	while (hn_view_get_item(view, name, count, &item) == 0)
		count++;
	codec_cbor_put_array(out, count);
	for (size_t i = 0; hn_view_get_item(view, name, i, &item) == 0; i++)
		codec_cbor_put_text(out, item, strlen(item));
}

static int put_value(
	codec_cbor_out *out, const hn_view *view, const tags_walk *walk, hn_error **err)
{
	const tags_found *found = &walk->found;
	const char *text;
	int64_t number;
	bool failed;
	int rc;

	if (tags_key_is_many(found->key)) {
		put_items(out, view, found->name);
		return 0;
	}
	if (found->key->type < HN_TYPE_ENUM) {
		rc = tags_found_number(view, found, &number);
		if (rc == HN_ENOMEM)
			return base_nomem(err);
		if (rc == 0 && found->key->type == HN_TYPE_BOOL)
			codec_cbor_put_bool(out, number != 0);
		else if (rc == 0)
			codec_cbor_put_int(out, number);
		if (rc == 0)
			return 0;
	}
	text = tags_found_text(view, found, &failed);
	if (text == NULL)
		return base_nomem(err);
	codec_cbor_put_text(out, text, strlen(text));
	return 0;
}

static int take(codec_cbor_out *out, uint8_t **bytes, size_t *size, hn_error **err)
{
	size_t written = out->buf.size;
	char *taken = base_buf_take(&out->buf);

	if (taken == NULL)
		return base_nomem(err);
	*bytes = (uint8_t *)taken;
	*size = written;
	return 0;
}

static int encode_values(
	const hn_view *view, uint32_t redact, uint8_t **bytes, size_t *size, hn_error **err)
{
	codec_cbor_out out = {0};
	tags_walk walk = {.by_size = true, .redact = redact};
	uint64_t count = 0;
	int rc = 0;

	while (tags_view_walk(view, &walk))
		count++;
	codec_cbor_put_map(&out, count);
	walk = (tags_walk){.by_size = true, .redact = redact};
	while (rc == 0 && tags_view_walk(view, &walk)) {
		put_key(&out, &walk);
		rc = put_value(&out, view, &walk, err);
	}
	if (rc == 0)
		rc = take(&out, bytes, size, err);
	base_buf_free(&out.buf);
	return rc;
}

int hn_view_encode(const hn_view *view, uint8_t **bytes, size_t *size, hn_error **err)
{
	return encode_values(view, 0, bytes, size, err);
}

/* --- chains --- */

enum { CHAINS_VERSION = 1, ENTRY_FIELDS = 12 };

static void put_entry(codec_cbor_out *out, const tags_entry *entry)
{
	const hn_origin *origin = &entry->origin;

	codec_cbor_put_array(out, ENTRY_FIELDS);
	codec_cbor_put_uint(out, (uint64_t)origin->layer);
	codec_cbor_put_uint(out, (uint64_t)origin->mark);
	codec_cbor_put_int(out, origin->priority);
	codec_cbor_put_int(out, entry->order);
	codec_cbor_put_text(out, origin->source, strlen(origin->source));
	put_optional(out, origin->file);
	codec_cbor_put_uint(out, origin->line);
	codec_cbor_put_uint(out, origin->column);
	put_optional(out,
		entry->value == NULL && origin->layer != HN_LAYER_SCHEMA ? NULL : origin->value);
	put_optional(out, origin->note);
	put_optional(out, origin->who);
	codec_cbor_put_int(out, origin->when);
}

/* A default that nobody touched needs no line: the value says it. */
static uint64_t count_lines(const hn_view *view, const tags_walk *walk)
{
	tags_entry entry;
	uint64_t count = 0;

	while (tags_view_explain(view, walk->found.key, walk->found.name, count, &entry) == 0)
		count++;
	if (count == 1 &&
		tags_view_explain(view, walk->found.key, walk->found.name, 0, &entry) == 0 &&
		entry.origin.layer == HN_LAYER_SCHEMA)
		return 0;
	return count;
}

/* The name of a tag or policy is gone from a line, its layer stays; so is what selected it, and the
 * file and person behind it. */
static void redact_line(hn_origin *origin, uint32_t redact)
{
	if ((redact & HN_REDACT_TAGS) != 0 &&
		(origin->layer == HN_LAYER_TAG || origin->layer == HN_LAYER_POLICY))
		origin->source = hn_layer_name(origin->layer);
	if ((redact & HN_REDACT_PATHS) != 0) {
		origin->file = NULL;
		origin->line = origin->column = 0;
	}
	if ((redact & HN_REDACT_PERSONS) != 0)
		origin->who = NULL;
	if ((redact & BASE_REDACT_TEXTS) != 0)
		origin->note = NULL;
}

static void put_chains(codec_cbor_out *out, const hn_view *view, uint32_t redact)
{
	tags_walk walk = {.by_size = true, .all = true, .redact = redact};
	uint64_t count = 0;

	while (tags_view_walk(view, &walk))
		count += count_lines(view, &walk) > 0;
	codec_cbor_put_map(out, count);
	walk = (tags_walk){.by_size = true, .all = true, .redact = redact};
	while (tags_view_walk(view, &walk)) {
		uint64_t lines = count_lines(view, &walk);
		tags_entry entry;

		if (lines == 0)
			continue;
		put_key(out, &walk);
		codec_cbor_put_array(out, lines);
		for (size_t i = 0; i < lines; i++)
			if (tags_view_explain(view, walk.found.key, walk.found.name, i, &entry) ==
				0) {
				redact_line(&entry.origin, redact);
				put_entry(out, &entry);
			}
	}
}

typedef int (*pair_fn)(const hn_view *view, size_t index, const char **name, const char **how);

static void put_pairs(codec_cbor_out *out, const hn_view *view, pair_fn at)
{
	const char *name, *how;
	size_t count = 0;

	while (at && at(view, count, &name, &how) == 0)
		count++;
	codec_cbor_put_array(out, count);
	for (size_t i = 0; i < count && at(view, i, &name, &how) == 0; i++) {
		codec_cbor_put_array(out, 2);
		codec_cbor_put_text(out, name, strlen(name));
		codec_cbor_put_text(out, how, strlen(how));
	}
}

static int encode_chains(
	const hn_view *view, uint32_t redact, uint8_t **bytes, size_t *size, hn_error **err)
{
	bool tags = (redact & HN_REDACT_TAGS) == 0;
	codec_cbor_out out = {0};
	int rc;

	codec_cbor_put_array(&out, 4);
	codec_cbor_put_uint(&out, CHAINS_VERSION);
	put_pairs(&out, view, tags ? hn_view_tag_at : NULL);
	put_pairs(&out, view, tags ? hn_view_policy_at : NULL);
	put_chains(&out, view, redact);
	rc = take(&out, bytes, size, err);
	base_buf_free(&out.buf);
	return rc;
}

int hn_view_encode_chains(const hn_view *view, uint8_t **bytes, size_t *size, hn_error **err)
{
	return encode_chains(view, 0, bytes, size, err);
}

int tags_view_redact(hn_view *view, uint32_t classes, hn_view **redacted, hn_error **err)
{
	BASE_AUTO_FREE uint8_t *values = NULL;
	BASE_AUTO_FREE uint8_t *chains = NULL;
	size_t values_size = 0, chains_size = 0;
	int rc;

	if (!view || (classes & ~view->redact) == 0) {
		*redacted = hn_view_ref(view);
		return 0;
	}
	rc = encode_values(view, classes, &values, &values_size, err);
	if (rc == 0 && (view->base || view->explained))
		rc = encode_chains(view, classes, &chains, &chains_size, err);
	if (rc == 0)
		rc = hn_view_decode(
			view->unit, values, values_size, chains, chains_size, redacted, err);
	if (rc == 0)
		(*redacted)->redact = classes | view->redact;
	return rc;
}

/* --- differences --- */

static int compare_found(const tags_found *a, const tags_found *b)
{
	if (a->key != b->key)
		return a->key->id < b->key->id ? -1 : 1;
	return strcmp(a->name, b->name);
}

int hn_view_diff(const hn_view *old_view, const hn_view *new_view, hn_diff_fn each, void *arg,
	hn_error **err)
{
	uint32_t redact = old_view->redact | new_view->redact;
	tags_walk old = {.redact = redact}, new = {.redact = redact};
	bool has_old = tags_view_walk(old_view, &old), has_new = tags_view_walk(new_view, &new);
	int count = 0, rc = 0;

	while (rc >= 0 && (has_old || has_new)) {
		int order = !has_old ? 1 : !has_new ? -1 : compare_found(&old.found, &new.found);
		const char *before = NULL, *after = NULL;
		bool failed = false, failed_too = false;

		if (order <= 0)
			before = tags_found_text(old_view, &old.found, &failed);
		if (order >= 0)
			after = tags_found_text(new_view, &new.found, &failed_too);
		if (failed || failed_too)
			return base_nomem(err);
		if (before == NULL || after == NULL || strcmp(before, after) != 0) {
			const tags_found *found = order <= 0 ? &old.found : &new.found;

			count++;
			if (each != NULL)
				rc = each(arg, found->name, found->key, before, after);
		}
		if (order <= 0)
			has_old = tags_view_walk(old_view, &old);
		if (order >= 0)
			has_new = tags_view_walk(new_view, &new);
	}
	return rc < 0 ? rc : count;
}
