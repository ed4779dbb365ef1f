/* SPDX-License-Identifier: MIT
 *
 * A declaration in canonical form: dotted, flat, sorted, with its origins. It reads back as the
 * same declaration.
 */
#include "tags/tags-private.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct origin {
	char *pointer;
	tags_place place;
} origin;

typedef struct printer {
	hn_json *json;
	const tags_fragment **fragments; /* sorted by entity, name, place */
	size_t count;
	size_t *repeats; /* which fragment of its name each is */
	size_t level;    /* of the document being written */
	origin *origins; /* of the document being written */
	size_t origin_count, origin_capacity;
	base_buf path;
	bool failed;
} printer;

static int compare_fragments(const void *a, const void *b)
{
	const tags_fragment *left, *right;
	int order;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	if (left->entity != right->entity)
		return left->entity < right->entity ? -1 : 1;
	order = strcmp(left->name, right->name);
	return order != 0 ? order : tags_place_compare(&left->place, &right->place);
}

/* --- origins --- */

static size_t push(printer *at, const char *name)
{
	size_t size = at->path.size;

	base_buf_add(&at->path, "/", 1);
	for (; *name != '\0'; name++) {
		/* No name holds a '~'. */
		if (*name == '/')
			base_buf_text(&at->path, "~1");
		else
			base_buf_add(&at->path, name, 1);
	}
	return size;
}

static void pop(printer *at, size_t size)
{
	if (at->path.failed)
		return;
	at->path.size = size;
	at->path.data[size] = '\0';
}

static void note_origin(printer *at, const tags_place *place)
{
	char *pointer = at->path.failed ? NULL : base_strdup(at->path.data);

	if (pointer == NULL || base_grow(&at->origins, &at->origin_capacity, at->origin_count + 1,
				       sizeof(*at->origins)) < 0) {
		base_free(pointer);
		at->failed = true;
		return;
	}
	at->origins[at->origin_count++] = (origin){pointer, *place};
}

static void note_member(printer *at, const char *name, const tags_place *place)
{
	size_t size = push(at, name);

	note_origin(at, place);
	pop(at, size);
}

static int compare_files(const void *a, const void *b)
{
	const char *left, *right;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	return strcmp(left, right);
}

static void free_origins(printer *at)
{
	while (at->origin_count > 0)
		base_free(at->origins[--at->origin_count].pointer);
}

static void write_origins(printer *at)
{
	BASE_AUTO_FREE const char **files = base_calloc(at->origin_count + 1, sizeof(*files));
	size_t count = 0;

	if (files == NULL) {
		at->failed = true;
		return;
	}
	for (size_t i = 0; i < at->origin_count; i++)
		files[i] = at->origins[i].place.file;
	qsort(files, at->origin_count, sizeof(*files), compare_files);
	hn_json_array(at->json, "files");
	for (size_t i = 0; i < at->origin_count; i++) {
		if (count > 0 && strcmp(files[count - 1], files[i]) == 0)
			continue;
		files[count++] = files[i];
		hn_json_text(at->json, NULL, files[i]);
	}
	hn_json_end(at->json);
	hn_json_object(at->json, "origins");
	for (size_t i = 0; i < at->origin_count; i++) {
		const origin *from = &at->origins[i];
		const char *const *file =
			bsearch(&from->place.file, files, count, sizeof(*files), compare_files);

		hn_json_array(at->json, from->pointer);
		hn_json_uint(at->json, NULL, (uint64_t)(file - files));
		hn_json_uint(at->json, NULL, from->place.line);
		hn_json_uint(at->json, NULL, from->place.column);
		hn_json_end(at->json);
	}
	hn_json_end(at->json);
}

/* --- definitions --- */

static void write_value(printer *at, const char *name, const tags_decl_def *def)
{
	const char *item = def->items;

	if (def->text == NULL) {
		hn_json_null(at->json, name);
	} else if (tags_key_is_many(def->key)) {
		hn_json_array(at->json, name);
		for (uint32_t i = 0; i < def->item_count; i++, item += strlen(item) + 1)
			hn_json_text(at->json, NULL, item);
		hn_json_end(at->json);
	} else if (def->key->type == HN_TYPE_BOOL && !def->word) {
		hn_json_bool(at->json, name, def->number != 0);
	} else if ((def->key->type == HN_TYPE_UINT || def->key->type == HN_TYPE_INT) &&
		   !def->word) {
		hn_json_int(at->json, name, def->number);
	} else {
		hn_json_text(at->json, name, def->text);
	}
}

static void write_def(printer *at, const char *name, const tags_decl_def *def)
{
	if (def->priority == 0 && def->order == 1000) {
		write_value(at, name, def);
		return;
	}
	hn_json_object(at->json, name);
	write_value(at, "$value", def);
	if (def->priority != 0)
		hn_json_int(at->json, "$priority", def->priority);
	if (def->order != 1000)
		hn_json_int(at->json, "$order", def->order);
	hn_json_end(at->json);
}

static int compare_defs(const void *a, const void *b)
{
	const tags_decl_def *left, *right;
	int order;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	order = strcmp(left->name, right->name);
	if (order == 0)
		order = left->priority - right->priority;
	if (order == 0)
		order = left->order - right->order;
	return order != 0 ? order : tags_place_compare(&left->place, &right->place);
}

/* Definitions of one key: alone, or those of $merge or of resources and overrides together. */
static void write_key(printer *at, const tags_decl_def **defs, size_t count)
{
	size_t size = push(at, defs[0]->name), inner;
	char index[24];

	if (count == 1) {
		note_origin(at, &defs[0]->place);
		write_def(at, defs[0]->name, defs[0]);
		pop(at, size);
		return;
	}
	hn_json_object(at->json, defs[0]->name);
	hn_json_array(at->json, "$merge");
	inner = push(at, "$merge");
	for (size_t i = 0; i < count; i++) {
		snprintf(index, sizeof(index), "%zu", i);
		note_member(at, index, &defs[i]->place);
		write_def(at, NULL, defs[i]);
	}
	pop(at, inner);
	hn_json_end(at->json);
	hn_json_end(at->json);
	pop(at, size);
}

static void write_keys(printer *at, const tags_fragment *fragment)
{
	BASE_AUTO_FREE const tags_decl_def **defs =
		base_calloc(fragment->def_count + 1u, sizeof(*defs));

	if (defs == NULL) {
		at->failed = true;
		return;
	}
	for (uint32_t i = 0; i < fragment->def_count; i++)
		defs[i] = &fragment->defs[i];
	qsort(defs, fragment->def_count, sizeof(*defs), compare_defs);
	for (size_t i = 0, end; i < fragment->def_count; i = end) {
		for (end = i + 1; end < fragment->def_count; end++)
			if (strcmp(defs[end]->name, defs[i]->name) != 0)
				break;
		write_key(at, defs + i, end - i);
	}
}

/* --- entities --- */

static int compare_refs(const void *a, const void *b)
{
	const tags_ref *left = a, *right = b;
	int order = strcmp(left->name, right->name);

	return order != 0 ? order : tags_place_compare(&left->place, &right->place);
}

/* The list has the place of its first name; a name on another line has its own. */
static void write_names(printer *at, const char *field, const tags_ref *refs, uint32_t count)
{
	BASE_AUTO_FREE tags_ref *sorted = base_memdup(refs, count * sizeof(*refs));
	size_t size = push(at, field);
	char index[24];

	if (sorted == NULL) {
		at->failed = true;
		return;
	}
	qsort(sorted, count, sizeof(*sorted), compare_refs);
	note_origin(at, &sorted[0].place);
	hn_json_array(at->json, field);
	for (uint32_t i = 0; i < count; i++) {
		hn_json_text(at->json, NULL, sorted[i].name);
		if (strcmp(sorted[i].place.file, sorted[0].place.file) == 0 &&
			sorted[i].place.line == sorted[0].place.line)
			continue;
		snprintf(index, sizeof(index), "%u", i);
		note_member(at, index, &sorted[i].place);
	}
	hn_json_end(at->json);
	pop(at, size);
}

static void write_fields(printer *at, const tags_fragment *fragment)
{
	bool unit = fragment->entity == TAGS_UNIT;

	if (fragment->exclusive >= 0)
		hn_json_bool(at->json, "exclusive", fragment->exclusive > 0);
	if (fragment->kind.name != NULL) {
		hn_json_text(at->json, "kind", fragment->kind.name);
		note_member(at, "kind", &fragment->kind.place);
	}
	if (fragment->priority != 0) {
		hn_json_int(at->json, "priority", fragment->priority);
		note_member(at, "priority", &fragment->priority_place);
	}
	if (fragment->select.name != NULL) {
		hn_json_text(at->json, "select", fragment->select.name);
		note_member(at, "select", &fragment->select.place);
	}
	if (fragment->tag_count > 0)
		write_names(at, unit ? "tags" : "implies", fragment->tags, fragment->tag_count);
	if (fragment->policy_count > 0)
		write_names(at, "policies", fragment->policies, fragment->policy_count);
}

static void write_fragment(printer *at, const tags_fragment *fragment)
{
	const char *field = fragment->entity == TAGS_UNIT ? "overrides" : "set";
	size_t size = push(at, fragment->name), inner;

	note_origin(at, &fragment->place);
	hn_json_object(at->json, fragment->name);
	write_fields(at, fragment);
	if (fragment->def_count > 0) {
		inner = push(at, field);
		hn_json_object(at->json, field);
		write_keys(at, fragment);
		hn_json_end(at->json);
		pop(at, inner);
	}
	hn_json_end(at->json);
	pop(at, size);
}

/* --- documents --- */

static void write_section(printer *at, tags_entity_kind entity)
{
	static const char *const names[] = {"kinds", "tags", "policies", "units", "defaults"};
	size_t size = push(at, names[entity]);
	bool open = false;

	for (size_t i = 0; i < at->count; i++) {
		const tags_fragment *fragment = at->fragments[i];

		if (fragment->entity != entity || at->repeats[i] != at->level)
			continue;
		if (!open)
			hn_json_object(at->json, names[entity]);
		open = true;
		if (entity == TAGS_DEFAULTS) {
			note_origin(at, &fragment->place);
			write_keys(at, fragment);
		} else {
			write_fragment(at, fragment);
		}
	}
	if (open)
		hn_json_end(at->json);
	pop(at, size);
}

static void write_document(printer *at)
{
	static const tags_entity_kind order[] = {
		TAGS_KIND, TAGS_TAG, TAGS_POLICY, TAGS_DEFAULTS, TAGS_UNIT};

	hn_json_int(at->json, "hypernix", 1);
	for (size_t i = 0; i < BASE_COUNT(order); i++)
		write_section(at, order[i]);
	write_origins(at);
	free_origins(at);
}

/* Fragments of one name go to documents of their own: the first of each to the first one. */
static size_t number_repeats(printer *at)
{
	size_t most = 0;

	for (size_t i = 1; i < at->count; i++) {
		const tags_fragment *left = at->fragments[i - 1], *right = at->fragments[i];

		if (left->entity == right->entity && strcmp(left->name, right->name) == 0)
			at->repeats[i] = at->repeats[i - 1] + 1;
		if (at->repeats[i] > most)
			most = at->repeats[i];
	}
	return most;
}

static void write_decl(printer *at)
{
	size_t most = number_repeats(at);

	hn_json_object(at->json, NULL);
	if (most == 0) {
		write_document(at);
	} else {
		hn_json_int(at->json, "hypernix", 1);
		hn_json_array(at->json, "documents");
		for (at->level = 0; at->level <= most; at->level++) {
			hn_json_object(at->json, NULL);
			write_document(at);
			hn_json_end(at->json);
		}
		hn_json_end(at->json);
	}
	hn_json_end(at->json);
}

int hn_decl_print(const hn_decl *decl, char **text, hn_error **err)
{
	printer at = {.count = decl->fragment_count};
	char *copy = NULL;
	int rc = hn_json_new(true, &at.json, err);

	if (rc < 0)
		return rc;
	at.fragments = base_calloc(at.count + 1, sizeof(*at.fragments));
	at.repeats = base_calloc(at.count + 1, sizeof(*at.repeats));
	base_buf_text(&at.path, "");
	if (at.fragments != NULL && at.repeats != NULL) {
		for (size_t i = 0; i < at.count; i++)
			at.fragments[i] = &decl->fragments[i];
		qsort(at.fragments, at.count, sizeof(*at.fragments), compare_fragments);
		write_decl(&at);
		if (!at.failed && !at.path.failed)
			rc = codec_json_take(at.json, &copy, err);
	}
	if (rc == 0 && copy == NULL)
		rc = base_nomem(err);
	free_origins(&at);
	base_free(at.origins);
	base_free(at.fragments);
	base_free(at.repeats);
	base_buf_free(&at.path);
	hn_json_free(at.json);
	if (rc == 0)
		*text = copy;
	return rc;
}
