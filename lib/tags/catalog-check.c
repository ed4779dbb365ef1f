/* SPDX-License-Identifier: MIT
 *
 * All problems of a set of declarations, remarks on what is allowed and odd, and what the catalogue
 * says of one tag, policy, kind or unit.
 */
#include "tags/tags-private.h"

/* --- check --- */

int hn_decl_check(
	hn_decl *const *decls, size_t count, hn_problem_fn each, void *arg, hn_error **err)
{
	tags_sink sink = {.each = each, .arg = arg, .err = err};
	BASE_AUTO_OF(hn_catalog) hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;
	int rc;

	if (each == NULL || (decls == NULL && count > 0))
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL,
			"a check needs declarations and somewhere to tell the problems");
	rc = tags_catalog_build(decls, count, &sink, &catalog);
	/* Units are only looked at in a catalogue that holds together: else they fail for its
	 * reasons. */
	if (rc < 0 || sink.count > 0)
		return rc < 0 ? rc : sink.count;
	rc = hn_resolver_new(catalog, &resolver, err);
	if (rc == 0)
		rc = hn_resolve_all(resolver, each, arg, err);
	hn_resolver_free(resolver);
	return rc;
}

/* --- remarks --- */

/* The nearest of thousands is dear: so many names are compared in all. */
enum { OFFERED_NAMES = 400000 };

typedef struct remarker {
	const hn_catalog *catalog;
	tags_sink sink;
	size_t offers; /* names compared so far */
} remarker;

static const char *tag_candidate(void *arg, size_t index)
{
	return ((const hn_catalog *)arg)->tags[index].name;
}

static const char *kind_candidate(void *arg, size_t index)
{
	return ((const hn_catalog *)arg)->kinds[index].name;
}

static const char *unit_candidate(void *arg, size_t index)
{
	return ((const hn_catalog *)arg)->units[index].name;
}

static bool has_kind(const hn_catalog *catalog, const char *name)
{
	for (uint32_t i = 0; i < catalog->kind_count; i++)
		if (strcmp(catalog->kinds[i].name, name) == 0)
			return true;
	return false;
}

static const tags_ref *select_ref(const tags_entity *policy)
{
	uint32_t i = 0;

	while (policy->fragments[i]->select.name == NULL)
		i++;
	return &policy->fragments[i]->select;
}

static int remark(remarker *at, const tags_entity *policy, tags_field field, const char *name)
{
	static const char *const whats[] = {"tag", "kind", "unit"};
	const char *(*const candidates[])(void *, size_t) = {
		tag_candidate, kind_candidate, unit_candidate};
	const hn_catalog *catalog = at->catalog;
	const size_t counts[] = {catalog->tag_count, catalog->kind_count, catalog->unit_count};
	void *arg = (void *)(uintptr_t)(const void *)catalog;
	const tags_place *place = &select_ref(policy)->place;
	BASE_AUTO_OF(hn_error) hn_error *problem = NULL;
	int near = -1;

	at->offers += counts[field];
	if (at->offers <= OFFERED_NAMES)
		near = base_nearest(name, counts[field], candidates[field], arg);
	base_error(&problem, HN_ENOENT, TAGS_ROOM, NULL,
		"%s:%u:%u: the selector of policy '%s' asks for the %s '%s', which nothing "
		"declares",
		place->file, place->line, place->column, policy->name, whats[field], name);
	if (near >= 0)
		base_error_hint(&problem, "did you mean %s?", candidates[field](arg, (size_t)near));
	else
		base_error_hint(&problem, "declare the %s, or take the test away", whats[field]);
	return tags_sink_take(&at->sink, &problem);
}

static int remark_test(remarker *at, const tags_entity *policy, const tags_probe *probe)
{
	const hn_catalog *catalog = at->catalog;
	char name[1024]; /* SELECTOR_BYTES */
	bool known;

	if (probe->star)
		return 0;
	memcpy(name, probe->pattern, probe->size);
	name[probe->size] = '\0';
	known = probe->field == TAGS_FIELD_TAG    ? probe->tag != TAGS_NONE
		: probe->field == TAGS_FIELD_KIND ? has_kind(catalog, name)
						  : tags_catalog_unit(catalog, name) != TAGS_NONE;
	return known ? 0 : remark(at, policy, probe->field, name);
}

int hn_catalog_remarks(const hn_catalog *catalog, hn_problem_fn each, void *arg, hn_error **err)
{
	remarker at = {.catalog = catalog, .sink = {.each = each, .arg = arg, .err = err}};
	int rc = 0;

	if (catalog == NULL || each == NULL)
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL,
			"remarks need a catalogue and somewhere to tell them");
	for (uint32_t i = 0; rc == 0 && i < catalog->policy_count; i++) {
		const tags_entity *policy = &catalog->policies[i];
		uint32_t tests = policy->selector != NULL ? policy->selector->test_count : 0;

		for (uint32_t j = 0; rc == 0 && j < tests; j++)
			rc = remark_test(&at, policy, &catalog->probes[policy->tests[j]]);
	}
	return rc < 0 ? rc : at.sink.count;
}

/* --- describe --- */

static void put_place(hn_json *json, const char *key, const tags_place *place)
{
	hn_json_object(json, key);
	hn_json_text(json, "file", place->file);
	hn_json_uint(json, "line", place->line);
	hn_json_uint(json, "column", place->column);
	hn_json_end(json);
}

static void put_places(hn_json *json, const tags_fragment *const *fragments, uint32_t count)
{
	hn_json_array(json, "declared");
	for (uint32_t i = 0; i < count; i++)
		put_place(json, NULL, &fragments[i]->place);
	hn_json_end(json);
}

static void put_def(hn_json *json, const hn_catalog *catalog, uint32_t id)
{
	const tags_def *def = &catalog->defs[id];

	hn_json_object(json, NULL);
	hn_json_text(json, "key", catalog->slots[def->slot].name);
	hn_json_text(json, "value", def->value != 0 ? catalog->values[def->value].text : NULL);
	hn_json_int(json, "priority", def->priority);
	put_place(json, "origin", &catalog->places[id]);
	hn_json_end(json);
}

static void put_entity(hn_json *json, const hn_catalog *catalog, const tags_entity *entity)
{
	tags_entity_kind kind = entity->fragments[0]->entity;

	hn_json_text(json, "name", entity->name);
	if (kind == TAGS_KIND) {
		hn_json_bool(json, "exclusive", entity->exclusive);
		return;
	}
	if (kind == TAGS_TAG)
		hn_json_text(json, "kind",
			entity->kind != TAGS_NONE ? catalog->kinds[entity->kind].name : NULL);
	else
		hn_json_text(json, "select", entity->select);
	hn_json_int(json, "priority", entity->priority);
	hn_json_array(json, "implies");
	for (uint32_t i = 0; i < entity->implies_count; i++)
		hn_json_text(json, NULL, catalog->tags[entity->implies[i]].name);
	hn_json_end(json);
	hn_json_array(json, "set");
	for (uint32_t i = 0; i < entity->def_count; i++)
		put_def(json, catalog, entity->defs[i]);
	hn_json_end(json);
}

static void put_unit(hn_json *json, const hn_catalog *catalog, const tags_unit *unit)
{
	hn_json_text(json, "name", unit->name);
	hn_json_array(json, "tags");
	for (uint32_t i = 0; i < unit->tag_count; i++)
		hn_json_text(json, NULL, catalog->tags[unit->tags[i]].name);
	hn_json_end(json);
	hn_json_array(json, "policies");
	for (uint32_t i = 0; i < unit->policy_count; i++)
		hn_json_text(json, NULL, catalog->policies[unit->policies[i]].name);
	hn_json_end(json);
	hn_json_array(json, "set");
	for (uint32_t i = 0; i < unit->def_count; i++)
		put_def(json, catalog, unit->first_def + i);
	hn_json_end(json);
}

static const tags_entity *find_entity(const hn_catalog *catalog, const char *what, const char *name)
{
	uint32_t index = TAGS_NONE;

	if (strcmp(what, "tag") == 0) {
		index = tags_catalog_tag(catalog, name);
		return index != TAGS_NONE ? &catalog->tags[index] : NULL;
	}
	if (strcmp(what, "policy") == 0) {
		index = tags_catalog_policy(catalog, name);
		return index != TAGS_NONE ? &catalog->policies[index] : NULL;
	}
	for (uint32_t i = 0; strcmp(what, "kind") == 0 && i < catalog->kind_count; i++)
		if (strcmp(catalog->kinds[i].name, name) == 0)
			return &catalog->kinds[i];
	return NULL;
}

static int unknown(const hn_catalog *catalog, const char *what, const char *name, hn_error **err)
{
	tags_ref ref = {.name = name};

	if (strcmp(what, "tag") == 0)
		return tags_unknown_name(err, what, &ref, catalog->tags, catalog->tag_count);
	if (strcmp(what, "policy") == 0)
		return tags_unknown_name(err, what, &ref, catalog->policies, catalog->policy_count);
	if (strcmp(what, "kind") == 0)
		return tags_unknown_name(err, what, &ref, catalog->kinds, catalog->kind_count);
	if (strcmp(what, "unit") == 0)
		return base_error(
			err, HN_ENOENT, TAGS_ROOM, NULL, "there is no unit '%.80s'", name);
	return base_error(err, HN_EINVAL, TAGS_ROOM, "ask for a tag, policy, kind or unit",
		"'%.80s' cannot be described", what);
}

int hn_catalog_describe(
	const hn_catalog *catalog, const char *what, const char *name, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *out = NULL;
	const tags_entity *entity;
	uint32_t unit;
	int rc;

	if (what == NULL || name == NULL)
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL, "a kind of thing and its name");
	entity = find_entity(catalog, what, name);
	unit = strcmp(what, "unit") == 0 ? tags_catalog_unit(catalog, name) : TAGS_NONE;
	if (entity == NULL && unit == TAGS_NONE)
		return unknown(catalog, what, name, err);
	rc = hn_json_new(true, &out, err);
	if (rc < 0)
		return rc;
	hn_json_object(out, NULL);
	if (entity != NULL) {
		put_entity(out, catalog, entity);
		put_places(out, entity->fragments, entity->fragment_count);
	} else {
		put_unit(out, catalog, &catalog->units[unit]);
		put_places(
			out, catalog->units[unit].fragments, catalog->units[unit].fragment_count);
	}
	hn_json_end(out);
	return codec_json_take(out, json, err);
}
