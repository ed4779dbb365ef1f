/* SPDX-License-Identifier: MIT
 *
 * What units have beside their declaration: runtime tags, policies and values of api units, forces,
 * frozen values. Read in one pass over each table, given to a resolver, and kept in step with the
 * cached one.
 */
#include "host/host-private.h"
#include "host/images.h"

BASE_AUTO(tags_images, tags_images_unref)

/* One unit's input while it is collected; the public struct points into the lists. */
typedef struct collected {
	hn_unit_input input;
	const char **tags, **without, **policies;
	hn_definition *definitions;
	size_t tag_room, without_room, policy_room, definition_room;
} collected;

struct host_inputs {
	base_arena *texts;
	base_map *units; /* row id -> collected */
};

static void free_collected(void *value)
{
	collected *unit = value;

	base_free(unit->tags);
	base_free(unit->without);
	base_free(unit->policies);
	base_free(unit->definitions);
	base_free(unit);
}

void host_inputs_free(host_inputs *inputs)
{
	if (!inputs)
		return;
	base_map_free(inputs->units);
	base_arena_free(inputs->texts);
	base_free(inputs);
}

static int new_inputs(host_inputs **inputs, hn_error **err)
{
	host_inputs *made = base_calloc(1, sizeof(*made));

	if (!made)
		return base_nomem(err);
	made->texts = base_arena_new();
	made->units = base_map_new(free_collected);
	if (!made->texts || !made->units) {
		host_inputs_free(made);
		return base_nomem(err);
	}
	*inputs = made;
	return 0;
}

static collected *unit_of(host_inputs *inputs, int64_t id)
{
	collected *unit = base_map_get(inputs->units, &id, sizeof(id));

	if (unit)
		return unit;
	unit = base_calloc(1, sizeof(*unit));
	if (!unit)
		return NULL;
	unit->input.size = sizeof(unit->input);
	if (base_map_put(inputs->units, &id, sizeof(id), unit) < 0) {
		free_collected(unit);
		return NULL;
	}
	return unit;
}

static const char *keep(host_inputs *inputs, const char *text)
{
	return text ? base_arena_strndup(inputs->texts, text, strlen(text)) : NULL;
}

static int add_text(host_inputs *inputs, const char ***list, size_t *count, size_t *capacity,
	const char *text, hn_error **err)
{
	if (base_grow(list, capacity, *count + 1, sizeof(**list)) < 0)
		return base_nomem(err);
	(*list)[*count] = keep(inputs, text);
	if (!(*list)[*count])
		return base_nomem(err);
	(*count)++;
	return 0;
}

static int add_tag(host_inputs *inputs, state_query *query, hn_error **err)
{
	collected *unit = unit_of(inputs, state_int(query, 0));
	const char *tag = state_text(query, 1);
	int rc;

	if (!unit)
		return base_nomem(err);
	if (state_int(query, 2) != 0)
		rc = add_text(
			inputs, &unit->tags, &unit->input.tag_count, &unit->tag_room, tag, err);
	else
		rc = add_text(inputs, &unit->without, &unit->input.without_count,
			&unit->without_room, tag, err);
	unit->input.tags = unit->tags;
	unit->input.without = unit->without;
	return rc;
}

static int add_policy(host_inputs *inputs, state_query *query, hn_error **err)
{
	collected *unit = unit_of(inputs, state_int(query, 0));
	int rc = unit ? add_text(inputs, &unit->policies, &unit->input.policy_count,
				&unit->policy_room, state_text(query, 1), err)
		      : base_nomem(err);

	if (rc >= 0)
		unit->input.policies = unit->policies;
	return rc;
}

static int add_definition(host_inputs *inputs, state_query *query, hn_error **err)
{
	collected *unit = unit_of(inputs, state_int(query, 0));
	const char *value = state_text(query, 3), *note = state_text(query, 4);
	hn_definition *made;

	if (!unit || base_grow(&unit->definitions, &unit->definition_room,
			     unit->input.definition_count + 1, sizeof(*unit->definitions)) < 0)
		return base_nomem(err);
	made = &unit->definitions[unit->input.definition_count];
	*made = (hn_definition){
		.size = sizeof(*made),
		.layer = (hn_layer)state_int(query, 1),
		.key = keep(inputs, state_text(query, 2)),
		.value = keep(inputs, value),
		.note = keep(inputs, note),
		.who = keep(inputs, state_text(query, 5)),
		.when = state_int(query, 6),
	};
	if (!made->key || !made->who || (value && !made->value) || (note && !made->note))
		return base_nomem(err);
	unit->input.definition_count++;
	unit->input.definitions = unit->definitions;
	return 0;
}

typedef int (*add_fn)(host_inputs *inputs, state_query *query, hn_error **err);

/* Rows of one table: of all units, or of one. The expiry is in column `expires`, -1 = the table has
 * none. */
static int read_table(hn_host *host, const char *sql, int64_t unit, int64_t now, int expires,
	host_inputs *inputs, add_fn add, int64_t *next, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, sql, &query, err);

	if (rc < 0)
		return rc;
	if (unit != 0)
		state_bind_int(query, 1, unit);
	while ((rc = state_row(query, err)) > 0) {
		if (expires >= 0 && !state_is_null(query, expires)) {
			int64_t at = state_int(query, expires);

			if (at <= now)
				continue;
			if (at < *next)
				*next = at;
		}
		rc = add(inputs, query, err);
		if (rc < 0)
			break;
	}
	state_done(query);
	return rc;
}

#define TAGS_SQL "SELECT unit, tag, added, expires FROM unit_tag"
#define POLICIES_SQL "SELECT unit, policy FROM unit_policy"
#define DEFINITIONS_SQL "SELECT unit, layer, key, value, note, who, at, expires FROM definition"
#define ONE " WHERE unit = ?1"

int host_inputs_load(
	hn_host *host, int64_t unit, host_inputs **inputs, int64_t *expires, hn_error **err)
{
	BASE_AUTO_OF(host_inputs) host_inputs *made = NULL;
	int64_t now = os_now(host->os), next = INT64_MAX;
	int rc = new_inputs(&made, err);

	if (rc >= 0)
		rc = read_table(host, unit != 0 ? TAGS_SQL ONE : TAGS_SQL, unit, now, 3, made,
			add_tag, &next, err);
	if (rc >= 0)
		rc = read_table(host, unit != 0 ? POLICIES_SQL ONE : POLICIES_SQL, unit, now, -1,
			made, add_policy, &next, err);
	if (rc >= 0)
		rc = read_table(host, unit != 0 ? DEFINITIONS_SQL ONE : DEFINITIONS_SQL, unit, now,
			7, made, add_definition, &next, err);
	if (rc < 0)
		return rc;
	if (expires)
		*expires = next;
	*inputs = BASE_STEAL(made);
	return 0;
}

const hn_unit_input *host_inputs_get(const host_inputs *inputs, int64_t unit)
{
	const collected *found = base_map_get(inputs->units, &unit, sizeof(unit));

	return found ? &found->input : NULL;
}

/* --- definitions --- */

int host_define(hn_host *host, const hn_session *session, const hn_unit *unit,
	const hn_definition *definition, int64_t expires, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"INSERT INTO definition(unit, layer, key, value, note, who, at, expires)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(unit, layer, key)"
		" DO UPDATE SET value = ?4, note = ?5, who = ?6, at = ?7, expires = ?8",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	state_bind_int(query, 2, definition->layer);
	state_bind_text(query, 3, definition->key);
	state_bind_text(query, 4, definition->value);
	state_bind_text(query, 5, definition->note);
	state_bind_text(query, 6, session->subject);
	state_bind_int(query, 7, os_now(host->os));
	if (expires != 0)
		state_bind_int(query, 8, expires);
	else
		state_bind_null(query, 8);
	return state_run(query, err);
}

int host_undefine(
	hn_host *host, const hn_unit *unit, hn_layer layer, const char *key, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"DELETE FROM definition WHERE unit = ?1 AND layer = ?2 AND key = ?3", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	state_bind_int(query, 2, layer);
	state_bind_text(query, 3, key);
	rc = state_run(query, err);
	if (rc < 0)
		return rc;
	return state_changes(host->store) > 0
		       ? 0
		       : base_error(err, HN_ENOENT, HOST_ROOM, NULL, "%s of %s has no such value",
				 key, unit->name);
}

/* --- the resolver --- */

/* Names are sorted in a catalogue. */
static bool catalog_has(const hn_catalog *catalog, const char *unit)
{
	size_t low = 0, high = hn_catalog_unit_count(catalog);

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(hn_catalog_unit_at(catalog, middle), unit);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

int host_resolver_images(hn_host *host, hn_resolver *resolver, hn_error **err)
{
	BASE_AUTO_OF(tags_images) tags_images *images = NULL;
	int rc = host_images_load(host, &images, err);

	if (rc >= 0 && images)
		tags_resolver_images(resolver, images);
	return rc;
}

int host_resolver_fill(hn_host *host, const hn_catalog *catalog, hn_resolver *resolver,
	int64_t *expires, hn_error **err)
{
	static const hn_unit_input empty = HN_UNIT_INPUT_INIT;
	BASE_AUTO_OF(host_inputs) host_inputs *inputs = NULL;
	state_query *query = NULL;
	int rc = host_inputs_load(host, 0, &inputs, expires, err);

	if (rc >= 0)
		rc = state_find(
			host->store, "SELECT id, name, owner FROM unit ORDER BY name", &query, err);
	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		const hn_unit_input *input = host_inputs_get(inputs, state_int(query, 0));
		bool api = state_int(query, 2) == HN_OWNER_API;

		if (!input && api)
			input = &empty;
		/* What this catalogue does not declare keeps its input for the day it is declared
		 * again. */
		if (input && (api || catalog_has(catalog, state_text(query, 1))))
			rc = hn_resolver_set_unit(resolver, state_text(query, 1), input, err);
	}
	state_done(query);
	return rc < 0 ? rc : host_resolver_images(host, resolver, err);
}

void host_resolver_forget(hn_host *host)
{
	host->resolver = hn_resolver_free(host->resolver);
	host->catalog = hn_catalog_unref(host->catalog);
}

int host_catalog(hn_host *host, hn_catalog **catalog, hn_error **err)
{
	uint64_t current = 0;
	int rc = host_generation_current(host, &current, err);

	if (rc < 0)
		return rc;
	if (!host->catalog || host->catalog_generation != current) {
		hn_catalog *made = NULL;

		rc = host_generation_load(host, current, &made, err);
		if (rc < 0)
			return rc;
		host_resolver_forget(host);
		host->catalog = made;
		host->catalog_generation = current;
	}
	*catalog = host->catalog;
	return 0;
}

int host_resolver(hn_host *host, hn_resolver **resolver, hn_error **err)
{
	BASE_AUTO_OF(hn_resolver) hn_resolver *made = NULL;
	hn_catalog *catalog = NULL;
	uint64_t revision = 0;
	int64_t expires = INT64_MAX;
	int rc = host_catalog(host, &catalog, err);

	if (rc >= 0)
		rc = host_revision(host, &revision, err);
	if (rc < 0)
		return rc;
	if (host->resolver && host->resolver_revision == revision &&
		os_now(host->os) < host->resolver_expires) {
		*resolver = host->resolver;
		return 0;
	}
	rc = hn_resolver_new(catalog, &made, err);
	if (rc >= 0)
		rc = host_resolver_fill(host, catalog, made, &expires, err);
	if (rc < 0)
		return rc;
	hn_resolver_free(host->resolver);
	host->resolver = BASE_STEAL(made);
	host->resolver_revision = revision;
	host->resolver_expires = expires;
	*resolver = host->resolver;
	return 0;
}

int host_resolver_refresh(hn_host *host, const hn_unit *unit, hn_error **err)
{
	static const hn_unit_input empty = HN_UNIT_INPUT_INIT;
	BASE_AUTO_OF(host_inputs) host_inputs *inputs = NULL;
	const hn_unit_input *input;
	int64_t expires = INT64_MAX;
	int rc = host_touch(host, err);

	if (rc >= 0)
		rc = host_inputs_load(host, unit->id, &inputs, &expires, err);
	if (rc < 0)
		return rc;
	input = host_inputs_get(inputs, unit->id);
	if (!input && unit->owner == HN_OWNER_API)
		input = &empty;
	rc = hn_resolver_set_unit(host->resolver, unit->name, input, err);
	if (rc < 0)
		return rc;
	if (expires < host->resolver_expires)
		host->resolver_expires = expires;
	return host_revision(host, &host->resolver_revision, err);
}
