/* SPDX-License-Identifier: MIT
 *
 * The catalogue: what all documents say together, merged by name and checked.
 */
#include "tags/tags-private.h"
#include <stdlib.h>

enum { OFFERS = 100 };

int tags_sink_take(tags_sink *sink, hn_error **problem)
{
	hn_code code = hn_error_code(*problem);

	if (sink->each == NULL || code == HN_ENOMEM) {
		if (sink->err != NULL) {
			hn_error_unref(*sink->err);
			*sink->err = BASE_STEAL(*problem);
		}
		*problem = hn_error_unref(*problem);
		return code;
	}
	sink->each(sink->arg, *problem);
	*problem = hn_error_unref(*problem);
	sink->count++;
	return 0;
}

char *tags_arena_format(base_arena *arena, const char *format, ...)
{
	BASE_AUTO_BUF base_buf text = {0};
	va_list arguments;

	va_start(arguments, format);
	base_buf_vformat(&text, format, arguments);
	va_end(arguments);
	return text.failed ? NULL : base_arena_strndup(arena, text.data, text.size);
}

bool tags_is_nix(const char *file)
{
	size_t size = strlen(file);

	return size >= 4 && strcmp(file + size - 4, ".nix") == 0;
}

int tags_place_compare(const tags_place *a, const tags_place *b)
{
	int files = a->file == b->file ? 0 : strcmp(a->file, b->file);

	if (files != 0)
		return files;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->column == b->column ? 0 : a->column < b->column ? -1 : 1;
}

/* --- fragments of one name --- */

static int compare_fragments(const void *a, const void *b)
{
	const tags_fragment *left, *right;
	int names;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	if (left->entity != right->entity)
		return left->entity < right->entity ? -1 : 1;
	names = strcmp(left->name, right->name);
	return names != 0 ? names : tags_place_compare(&left->place, &right->place);
}

typedef struct builder {
	hn_catalog *catalog;
	const tags_fragment **fragments; /* sorted by entity, name, place */
	size_t count;
	base_map *kind_names;
	tags_sink *sink;
} builder;

static int collect(builder *at, hn_decl *const *decls, size_t count)
{
	size_t total = 0, next = 0;

	for (size_t i = 0; i < count; i++)
		total += decls[i]->fragment_count;
	at->fragments = base_arena_alloc(at->catalog->arena, (total + 1) * sizeof(void *));
	at->catalog->decls = base_arena_alloc(at->catalog->arena, (count + 1) * sizeof(void *));
	if (at->fragments == NULL || at->catalog->decls == NULL)
		return base_nomem(at->sink->err);
	for (size_t i = 0; i < count; i++) {
		at->catalog->decls[at->catalog->decl_count++] = hn_decl_ref(decls[i]);
		for (size_t j = 0; j < decls[i]->fragment_count; j++)
			at->fragments[next++] = &decls[i]->fragments[j];
	}
	at->count = total;
	qsort(at->fragments, total, sizeof(*at->fragments), compare_fragments);
	return 0;
}

/* Fragments [first, end) of one entity; the number of names among them. */
static size_t section(const builder *at, tags_entity_kind entity, size_t *first, size_t *end)
{
	size_t names = 0;

	*first = 0;
	while (*first < at->count && at->fragments[*first]->entity < entity)
		(*first)++;
	for (*end = *first; *end < at->count && at->fragments[*end]->entity == entity; (*end)++)
		if (*end == *first ||
			strcmp(at->fragments[*end]->name, at->fragments[*end - 1]->name) != 0)
			names++;
	return names;
}

static size_t same_name(const builder *at, size_t first, size_t end)
{
	size_t next = first + 1;

	while (next < end && strcmp(at->fragments[next]->name, at->fragments[first]->name) == 0)
		next++;
	return next - first;
}

/* --- scalars that all fragments must agree on --- */

static int disagree(builder *at, const char *what, const char *name, const char *field,
	const tags_place *a, const tags_place *b)
{
	BASE_AUTO_OF(hn_error) hn_error *problem = NULL;

	base_error(&problem, HN_ECONFLICT, TAGS_ROOM, "keep one of the two, or make them equal",
		"%s:%u:%u: %s '%s' has another %s than at %s:%u:%u", b->file, b->line, b->column,
		what, name, field, a->file, a->line, a->column);
	return tags_sink_take(at->sink, &problem);
}

static int merge_kind(builder *at, tags_entity *entity, size_t index)
{
	const tags_fragment *first = NULL;
	(void)index;

	for (uint32_t i = 0; i < entity->fragment_count; i++) {
		const tags_fragment *fragment = entity->fragments[i];

		if (fragment->exclusive < 0)
			continue;
		if (first != NULL && first->exclusive != fragment->exclusive) {
			int rc = disagree(at, "kind", entity->name, "value of exclusive",
				&first->place, &fragment->place);

			if (rc < 0)
				return rc;
			continue;
		}
		first = fragment;
		entity->exclusive = fragment->exclusive > 0;
	}
	return 0;
}

static int merge_priority(builder *at, tags_entity *entity, const char *what)
{
	const tags_fragment *first = NULL;

	for (uint32_t i = 0; i < entity->fragment_count; i++) {
		const tags_fragment *fragment = entity->fragments[i];

		if (fragment->priority == 0)
			continue;
		if (first != NULL && first->priority != fragment->priority) {
			int rc = disagree(at, what, entity->name, "priority",
				&first->priority_place, &fragment->priority_place);

			if (rc < 0)
				return rc;
			continue;
		}
		first = fragment;
		entity->priority = fragment->priority;
	}
	if (entity->priority == 0)
		entity->priority = tags_entity_rule(entity->fragments[0]->entity)->usual;
	return 0;
}

/* The one text that all fragments agree on: the kind of a tag, the selector of a policy. */
static int merge_text(builder *at, tags_entity *entity, const char *what, const char *field,
	bool select, const tags_ref **result)
{
	*result = NULL;
	for (uint32_t i = 0; i < entity->fragment_count; i++) {
		const tags_ref *ref =
			select ? &entity->fragments[i]->select : &entity->fragments[i]->kind;

		if (ref->name == NULL)
			continue;
		if (*result != NULL && strcmp((*result)->name, ref->name) != 0) {
			int rc = disagree(
				at, what, entity->name, field, &(*result)->place, &ref->place);

			if (rc < 0)
				return rc;
			continue;
		}
		if (*result == NULL)
			*result = ref;
	}
	return 0;
}

static const char *entity_candidate(void *arg, size_t index)
{
	const tags_entity *entities = arg;

	return entities[index].name;
}

int tags_unknown_name(hn_error **err, const char *what, const tags_ref *ref,
	const tags_entity *entities, uint32_t count)
{
	int near = base_nearest(
		ref->name, count, entity_candidate, (void *)(uintptr_t)(const void *)entities);

	if (ref->place.file != NULL)
		base_error(err, HN_ENOENT, TAGS_ROOM, NULL, "%s:%u:%u: there is no %s '%s'",
			ref->place.file, ref->place.line, ref->place.column, what, ref->name);
	else
		base_error(err, HN_ENOENT, TAGS_ROOM, NULL, "there is no %s '%s'", what, ref->name);
	if (near >= 0)
		base_error_hint(err, "did you mean %s?", entities[near].name);
	else
		base_error_hint(err, "declare the %s, or take the name away", what);
	return HN_ENOENT;
}

/* A file may hold hundreds of thousands of unknown names, and the nearest of thousands is dear:
 * only the first problems offer it. */
static int unknown(builder *at, const char *what, const tags_ref *ref, const tags_entity *entities,
	uint32_t count)
{
	BASE_AUTO_OF(hn_error) hn_error *problem = NULL;

	tags_unknown_name(&problem, what, ref, entities, at->sink->count < OFFERS ? count : 0);
	return tags_sink_take(at->sink, &problem);
}

static uint32_t find_name(const base_map *names, const char *name)
{
	uintptr_t index = (uintptr_t)base_map_get(names, name, strlen(name));

	return index == 0 ? TAGS_NONE : (uint32_t)(index - 1);
}

static int merge_tag(builder *at, tags_entity *entity, size_t index)
{
	hn_catalog *catalog = at->catalog;
	const tags_ref *kind;
	int rc = merge_priority(at, entity, "tag");
	(void)index;

	if (rc == 0)
		rc = merge_text(at, entity, "tag", "kind", false, &kind);
	entity->kind = TAGS_NONE;
	if (rc < 0 || kind == NULL)
		return rc;
	entity->kind = find_name(at->kind_names, kind->name);
	return entity->kind == TAGS_NONE
		       ? unknown(at, "kind", kind, catalog->kinds, catalog->kind_count)
		       : 0;
}

static int merge_policy(builder *at, tags_entity *entity, size_t index)
{
	const tags_ref *select;
	int rc = merge_priority(at, entity, "policy");
	(void)index;

	if (rc == 0)
		rc = merge_text(at, entity, "policy", "selector", true, &select);
	if (rc == 0 && select != NULL)
		entity->select = select->name;
	return rc;
}

/* --- entities --- */

typedef int (*merge_fn)(builder *at, tags_entity *entity, size_t index);

static int add_name(builder *at, base_map *names, const char *name, uint32_t index)
{
	return base_map_put(names, name, strlen(name), (void *)(uintptr_t)(index + 1u)) < 0
		       ? base_nomem(at->sink->err)
		       : 0;
}

static int build_entities(builder *at, tags_entity_kind kind, const char *what, int limit,
	base_map *names, tags_entity **entities, uint32_t *count)
{
	base_arena *arena = at->catalog->arena;
	size_t first, end, total = section(at, kind, &first, &end);

	if (base_limit_check(limit, total, at->sink->err) < 0)
		return HN_ELIMIT;
	*entities = base_arena_alloc(arena, (total + 1) * sizeof(**entities));
	if (*entities == NULL)
		return base_nomem(at->sink->err);
	while (first < end) {
		tags_entity *entity = &(*entities)[*count];

		entity->name = at->fragments[first]->name;
		entity->fragments = &at->fragments[first];
		entity->fragment_count = (uint32_t)same_name(at, first, end);
		entity->source = tags_arena_format(arena, "%s:%s", what, entity->name);
		entity->implier = tags_arena_format(arena, "implied by %s:%s", what, entity->name);
		if (entity->source == NULL || entity->implier == NULL)
			return base_nomem(at->sink->err);
		if (add_name(at, names, entity->name, (*count)++) < 0)
			return HN_ENOMEM;
		first += entity->fragment_count;
	}
	return 0;
}

static int merge_entities(builder *at, tags_entity *entities, uint32_t count, merge_fn merge)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = merge(at, &entities[i], i);
	return rc;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t left, right;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	return left == right ? 0 : left < right ? -1 : 1;
}

/* The union of one list of names over all fragments, as sorted indices. */
static int unite_names(builder *at, const tags_fragment **fragments, uint32_t fragment_count,
	bool policies, uint32_t **result, uint32_t *count)
{
	const hn_catalog *catalog = at->catalog;
	size_t total = 0;

	for (uint32_t i = 0; i < fragment_count; i++)
		total += policies ? fragments[i]->policy_count : fragments[i]->tag_count;
	*result = base_arena_alloc(catalog->arena, (total + 1) * sizeof(**result));
	if (*result == NULL)
		return base_nomem(at->sink->err);
	for (uint32_t i = 0; i < fragment_count; i++) {
		const tags_ref *refs = policies ? fragments[i]->policies : fragments[i]->tags;
		uint32_t size = policies ? fragments[i]->policy_count : fragments[i]->tag_count;

		for (uint32_t j = 0; j < size; j++) {
			uint32_t index =
				find_name(policies ? catalog->policy_names : catalog->tag_names,
					refs[j].name);
			int rc = 0;

			if (index == TAGS_NONE)
				rc = policies ? unknown(at, "policy", &refs[j], catalog->policies,
							catalog->policy_count)
					      : unknown(at, "tag", &refs[j], catalog->tags,
							catalog->tag_count);
			else
				(*result)[(*count)++] = index;
			if (rc < 0)
				return rc;
		}
	}
	qsort(*result, *count, sizeof(**result), compare_numbers);
	total = 0;
	for (uint32_t i = 0; i < *count; i++)
		if (i == 0 || (*result)[i] != (*result)[i - 1])
			(*result)[total++] = (*result)[i];
	*count = (uint32_t)total;
	return 0;
}

static int merge_implies(builder *at, tags_entity *entity, size_t index)
{
	(void)index;
	return unite_names(at, entity->fragments, entity->fragment_count, false, &entity->implies,
		&entity->implies_count);
}

/* --- units --- */

static int check_tag_count(builder *at, const tags_unit *unit)
{
	BASE_AUTO_OF(hn_error) hn_error *problem = NULL;
	const tags_place *place = &unit->fragments[0]->place;

	if (base_limit_check(BASE_LIMIT_UNIT_TAGS, unit->tag_count, &problem) == 0)
		return 0;
	base_error_wrap(&problem, HN_ELIMIT, TAGS_ROOM, "%s:%u:%u: unit '%s' has %u tags",
		place->file, place->line, place->column, unit->name, unit->tag_count);
	return tags_sink_take(at->sink, &problem);
}

static int build_units(builder *at)
{
	hn_catalog *catalog = at->catalog;
	size_t first, end, total = section(at, TAGS_UNIT, &first, &end);
	int rc = base_limit_check(BASE_LIMIT_UNITS, total, at->sink->err);

	if (rc < 0)
		return rc;
	catalog->units = base_arena_alloc(catalog->arena, (total + 1) * sizeof(tags_unit));
	if (catalog->units == NULL)
		return base_nomem(at->sink->err);
	for (; rc == 0 && first < end; catalog->unit_count++) {
		tags_unit *unit = &catalog->units[catalog->unit_count];

		unit->name = at->fragments[first]->name;
		unit->fragments = &at->fragments[first];
		unit->fragment_count = (uint32_t)same_name(at, first, end);
		first += unit->fragment_count;
		rc = unite_names(at, unit->fragments, unit->fragment_count, false, &unit->tags,
			&unit->tag_count);
		if (rc == 0)
			rc = unite_names(at, unit->fragments, unit->fragment_count, true,
				&unit->policies, &unit->policy_count);
		if (rc == 0)
			rc = check_tag_count(at, unit);
	}
	return rc;
}

/* --- all of it --- */

static int build_parts(builder *at)
{
	hn_catalog *catalog = at->catalog;
	int rc = build_entities(at, TAGS_KIND, "kind", BASE_LIMIT_TAGS, at->kind_names,
		&catalog->kinds, &catalog->kind_count);

	if (rc == 0)
		rc = build_entities(at, TAGS_TAG, "tag", BASE_LIMIT_TAGS, catalog->tag_names,
			&catalog->tags, &catalog->tag_count);
	if (rc == 0)
		rc = build_entities(at, TAGS_POLICY, "policy", BASE_LIMIT_POLICIES,
			catalog->policy_names, &catalog->policies, &catalog->policy_count);
	if (rc == 0)
		rc = merge_entities(at, catalog->kinds, catalog->kind_count, merge_kind);
	if (rc == 0)
		rc = merge_entities(at, catalog->tags, catalog->tag_count, merge_tag);
	if (rc == 0)
		rc = merge_entities(at, catalog->policies, catalog->policy_count, merge_policy);
	if (rc == 0)
		rc = merge_entities(at, catalog->tags, catalog->tag_count, merge_implies);
	if (rc == 0)
		rc = merge_entities(at, catalog->policies, catalog->policy_count, merge_implies);
	if (rc == 0)
		rc = build_units(at);
	if (rc == 0)
		rc = tags_catalog_imply(catalog, at->sink);
	if (rc == 0)
		rc = tags_catalog_define(catalog, at->sink);
	return rc < 0 ? rc : tags_catalog_select(catalog, at->sink->err);
}

int tags_catalog_build(hn_decl *const *decls, size_t count, tags_sink *sink, hn_catalog **catalog)
{
	BASE_AUTO_OF(hn_catalog) hn_catalog *made = base_calloc(1, sizeof(*made));
	builder at = {.catalog = made, .sink = sink};
	int rc;

	if (made == NULL)
		return base_nomem(sink->err);
	atomic_init(&made->refs, 1);
	made->arena = base_arena_new();
	made->tag_names = base_map_new(NULL);
	made->policy_names = base_map_new(NULL);
	at.kind_names = base_map_new(NULL);
	if (made->arena == NULL || made->tag_names == NULL || made->policy_names == NULL ||
		at.kind_names == NULL)
		rc = base_nomem(sink->err);
	else
		rc = collect(&at, decls, count);
	if (rc == 0)
		rc = build_parts(&at);
	base_map_free(at.kind_names);
	if (rc == 0)
		*catalog = BASE_STEAL(made);
	return rc;
}

int hn_catalog_new(hn_decl *const *decls, size_t count, hn_catalog **catalog, hn_error **err)
{
	tags_sink sink = {.err = err};

	if (catalog == NULL || (decls == NULL && count > 0))
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL,
			"a catalogue needs declarations and a place for the result");
	return tags_catalog_build(decls, count, &sink, catalog);
}

hn_catalog *hn_catalog_ref(hn_catalog *catalog)
{
	if (catalog != NULL)
		atomic_fetch_add_explicit(&catalog->refs, 1, memory_order_relaxed);
	return catalog;
}

hn_catalog *hn_catalog_unref(hn_catalog *catalog)
{
	if (catalog == NULL ||
		atomic_fetch_sub_explicit(&catalog->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	for (uint32_t i = 0; i < catalog->policy_count; i++)
		hn_selector_free(catalog->policies[i].selector);
	for (size_t i = 0; i < catalog->decl_count; i++)
		hn_decl_unref(catalog->decls[i]);
	base_map_free(catalog->tag_names);
	base_map_free(catalog->policy_names);
	base_arena_free(catalog->arena);
	base_free(catalog);
	return NULL;
}

/* --- reading it --- */

uint32_t tags_catalog_tag(const hn_catalog *catalog, const char *name)
{
	return find_name(catalog->tag_names, name);
}

uint32_t tags_catalog_policy(const hn_catalog *catalog, const char *name)
{
	return find_name(catalog->policy_names, name);
}

static int compare_unit(const void *name, const void *unit)
{
	return strcmp(name, ((const tags_unit *)unit)->name);
}

uint32_t tags_catalog_unit(const hn_catalog *catalog, const char *name)
{
	const tags_unit *found =
		bsearch(name, catalog->units, catalog->unit_count, sizeof(*found), compare_unit);

	return found == NULL ? TAGS_NONE : (uint32_t)(found - catalog->units);
}

size_t hn_catalog_unit_count(const hn_catalog *catalog)
{
	return catalog->unit_count;
}

const char *hn_catalog_unit_at(const hn_catalog *catalog, size_t index)
{
	return index < catalog->unit_count ? catalog->units[index].name : NULL;
}

size_t hn_catalog_tag_count(const hn_catalog *catalog)
{
	return catalog->tag_count;
}

const char *hn_catalog_tag_at(const hn_catalog *catalog, size_t index)
{
	return index < catalog->tag_count ? catalog->tags[index].name : NULL;
}

size_t hn_catalog_policy_count(const hn_catalog *catalog)
{
	return catalog->policy_count;
}

const char *hn_catalog_policy_at(const hn_catalog *catalog, size_t index)
{
	return index < catalog->policy_count ? catalog->policies[index].name : NULL;
}
