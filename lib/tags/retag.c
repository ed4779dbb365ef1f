/* SPDX-License-Identifier: MIT
 *
 * Questions and changes of a unit's tags that leave the rest of what it has at run time alone.
 */
#include "tags/redact.h"
#include "tags/resolver-private.h"
#include "tags/tags-ask.h"

/* Names with room for more; texts are borrowed. */
typedef struct names {
	const char **at;
	size_t count;
} names;

static bool holds(const names *from, const char *name)
{
	for (size_t i = 0; i < from->count; i++)
		if (strcmp(from->at[i], name) == 0)
			return true;
	return false;
}

static void put(names *to, const char *name)
{
	if (!holds(to, name))
		to->at[to->count++] = name;
}

static void drop(names *from, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < from->count; i++)
		if (strcmp(from->at[i], name) != 0)
			from->at[kept++] = from->at[i];
	from->count = kept;
}

static bool is_declared(const hn_resolver *resolver, const tags_unit_state *entry, const char *name)
{
	const hn_catalog *catalog = resolver->catalog;
	const tags_unit *unit = entry->unit != TAGS_NONE ? &catalog->units[entry->unit] : NULL;

	for (uint32_t i = 0; unit != NULL && i < unit->tag_count; i++)
		if (strcmp(catalog->tags[unit->tags[i]].name, name) == 0)
			return true;
	return false;
}

bool tags_resolver_declares(const hn_resolver *resolver, const char *unit, const char *tag)
{
	size_t index;

	return tags_resolver_find(resolver, unit, &index) &&
	       is_declared(resolver, &resolver->entries[index], tag);
}

static void copy_definitions(const tags_input *from, hn_definition *definitions)
{
	for (uint32_t i = 0; i < from->local_count; i++) {
		const tags_local *local = &from->locals[i];

		definitions[i] = (hn_definition){.size = sizeof(hn_definition),
			.layer = local->layer,
			.priority = local->priority,
			.key = local->name,
			.value = local->null ? NULL : local->value.text,
			.note = local->note,
			.who = local->who,
			.when = local->when};
	}
}

/* What is asked for, by the unit it is asked of. */
typedef struct retag {
	const char *const *add, *const *remove;
	size_t add_count, remove_count;
} retag;

static void apply(const hn_resolver *resolver, const tags_unit_state *entry, const retag *ask,
	names *tags, names *without)
{
	const tags_input *old = entry->input;

	for (uint32_t i = 0; old != NULL && i < old->tag_count; i++)
		put(tags, old->tags[i]);
	for (uint32_t i = 0; old != NULL && i < old->without_count; i++)
		put(without, old->without[i]);
	for (size_t i = 0; i < ask->remove_count; i++) {
		drop(tags, ask->remove[i]);
		if (is_declared(resolver, entry, ask->remove[i]))
			put(without, ask->remove[i]);
	}
	for (size_t i = 0; i < ask->add_count; i++) {
		drop(without, ask->add[i]);
		if (!is_declared(resolver, entry, ask->add[i]))
			put(tags, ask->add[i]);
	}
}

static int set_tags(
	hn_resolver *resolver, const tags_unit_state *entry, const retag *ask, hn_error **err)
{
	const tags_input *old = entry->input;
	size_t old_tags = old != NULL ? old->tag_count + old->without_count : 0;
	size_t room = old_tags + ask->add_count + ask->remove_count + 1;
	uint32_t locals = old != NULL ? old->local_count : 0;
	BASE_AUTO_FREE hn_definition *definitions = base_calloc(locals + 1u, sizeof(*definitions));
	names tags = {base_calloc(room, sizeof(char *)), 0};
	names without = {base_calloc(room, sizeof(char *)), 0};
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	int rc = HN_ENOMEM;

	if (definitions == NULL || tags.at == NULL || without.at == NULL) {
		base_nomem(err);
	} else {
		apply(resolver, entry, ask, &tags, &without);
		if (old != NULL) {
			copy_definitions(old, definitions);
			input.policies = old->policies;
			input.policy_count = old->policy_count;
		}
		input.tags = tags.at;
		input.tag_count = tags.count;
		input.without = without.at;
		input.without_count = without.count;
		input.definitions = definitions;
		input.definition_count = locals;
		rc = hn_resolver_set_unit(resolver, entry->name, &input, err);
	}
	base_free(tags.at);
	base_free(without.at);
	return rc;
}

static int check_names(
	const hn_catalog *catalog, const char *const *tags, size_t count, hn_error **err)
{
	for (size_t i = 0; i < count; i++) {
		tags_ref ref = {.name = tags[i]};

		if (tags[i] == NULL)
			return base_error(err, HN_EINVAL, TAGS_ROOM, NULL, "a tag has no name");
		if (!tags_name_valid(TAGS_TAG, tags[i], strlen(tags[i])))
			return base_error(err, HN_ESCHEMA, TAGS_ROOM, NULL,
				"'%.80s' is not the name of a tag", tags[i]);
		if (tags_catalog_tag(catalog, tags[i]) == TAGS_NONE)
			return tags_unknown_name(
				err, "tag", &ref, catalog->tags, catalog->tag_count);
	}
	return 0;
}

int hn_resolver_retag(hn_resolver *resolver, const char *unit, const char *const *add,
	size_t add_count, const char *const *remove, size_t remove_count, hn_error **err)
{
	retag ask = {add, remove, add_count, remove_count};
	size_t index;
	int rc;

	if (resolver == NULL || unit == NULL || (add == NULL && add_count > 0) ||
		(remove == NULL && remove_count > 0))
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL, "a unit's name is needed");
	if ((resolver->redact & HN_REDACT_TAGS) != 0)
		return tags_resolver_keeps_tags(err);
	if (!tags_resolver_find(resolver, unit, &index))
		return tags_resolver_unknown(resolver, unit, err);
	rc = check_names(resolver->catalog, add, add_count, err);
	if (rc == 0)
		rc = check_names(resolver->catalog, remove, remove_count, err);
	return rc < 0 ? rc : set_tags(resolver, &resolver->entries[index], &ask, err);
}

int hn_resolver_select(
	hn_resolver *resolver, const hn_selector *selector, const char *unit, hn_error **err)
{
	const char *tags[64], *kinds[64];
	const hn_catalog *catalog;
	tags_membership *found;
	tags_subject subject;
	size_t index, count = 0;
	int rc;

	if (resolver == NULL || selector == NULL || unit == NULL)
		return base_error(
			err, HN_EINVAL, TAGS_ROOM, NULL, "a selector and a unit are needed");
	if ((resolver->redact & HN_REDACT_TAGS) != 0 && tags_selector_asks_tags(selector))
		return tags_resolver_keeps_tags(err);
	if (!tags_resolver_find(resolver, unit, &index))
		return tags_resolver_unknown(resolver, unit, err);
	rc = tags_resolver_join(resolver, &resolver->entries[index], err);
	if (rc < 0)
		return rc;
	catalog = resolver->catalog;
	found = resolver->membership;
	subject = tags_resolver_subject(resolver, &resolver->entries[index]);
	rc = tags_membership_find(&subject, &resolver->scratch, found, err);
	if (rc < 0)
		return base_error_redact(err, rc, resolver->redact);
	for (uint32_t i = 0; i < found->member_count; i++) {
		const tags_entity *tag = &catalog->tags[found->members[i].tag];

		if (!found->members[i].visible)
			continue;
		tags[count] = tag->name;
		kinds[count++] = tag->kind != TAGS_NONE ? catalog->kinds[tag->kind].name : NULL;
	}
	return hn_selector_match(selector, unit, tags, kinds, count);
}
