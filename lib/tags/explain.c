/* SPDX-License-Identifier: MIT
 *
 * Why a unit has a value: the stored chain, the schema default, and what policies that do not apply
 * would give.
 */
#include "tags/tags-private.h"

/* --- notes --- */

/* How the tag or policy behind a definition came to the unit, when that says more than "declared".
 */
static const char *source_note(const tags_base *base, const tags_def *def)
{
	const hn_catalog *catalog = base->catalog;

	if (def->layer == HN_LAYER_TAG) {
		for (uint32_t i = 0; i < base->member_count; i++)
			if (base->members[i].tag == def->source)
				return base->members[i].how != TAGS_DECLARED
					       ? tags_member_how(catalog, &base->members[i])
					       : NULL;
	} else if (def->layer == HN_LAYER_POLICY) {
		for (uint32_t i = 0; i < base->policy_count; i++)
			if (base->policies[i].policy + catalog->tag_count == def->source)
				return tags_applied_how(catalog, &base->policies[i]);
	}
	return NULL;
}

/* --- ignored definitions --- */

/* What the selector is false at for this unit, by the names of the tags that selectors see. */
static const char *blame(const hn_view *view, const tags_entity *policy)
{
	const char *tags[64], *kinds[64];
	size_t count = 0;
	uint32_t node;

	if (policy->selector == NULL)
		return "no selector, and not named by the unit";
	for (uint32_t i = 0; i < view->base->member_count; i++) {
		const tags_member *member = &view->base->members[i];
		const tags_entity *tag = &view->base->catalog->tags[member->tag];

		if (!member->visible)
			continue;
		tags[count] = tag->name;
		kinds[count++] =
			tag->kind == TAGS_NONE ? NULL : view->base->catalog->kinds[tag->kind].name;
	}
	if (tags_selector_match(policy->selector, view->unit, tags, kinds, count, &node) != 0)
		return NULL; /* it would apply by now: the unit is about to be resolved again */
	return policy->blames[node];
}

/* The first of a policy's definitions that is not before `first`: they are sorted. */
static uint32_t lower_bound(const tags_entity *policy, uint32_t first)
{
	uint32_t low = 0, high = policy->def_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (policy->defs[middle] < first)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void ignored_entry(
	const hn_view *view, const tags_entity *policy, uint32_t id, tags_entry *entry)
{
	const hn_catalog *catalog = view->base->catalog;
	const tags_def *def = &catalog->defs[id];
	const tags_place *place = &catalog->places[id];

	entry->value = def->value != 0 ? &catalog->values[def->value] : NULL;
	entry->order = def->order;
	entry->origin = (hn_origin){.size = sizeof(hn_origin),
		.layer = HN_LAYER_POLICY,
		.mark = HN_MARK_IGNORED,
		.priority = def->priority,
		.source = policy->source,
		.file = place->file,
		.line = place->line,
		.column = place->column,
		.value = def->value != 0 ? entry->value->text : "null",
		.note = blame(view, policy)};
}

/* The nth definition of the key by policies that do not apply, in the order of policies. */
static bool find_ignored(
	const hn_view *view, const hn_key *key, const char *name, size_t nth, tags_entry *entry)
{
	const tags_base *base = view->base;
	const hn_catalog *catalog = base != NULL ? base->catalog : NULL;
	uint32_t slot = catalog != NULL ? tags_catalog_slot(catalog, key, name) : TAGS_NONE;
	uint32_t first, end, applied = 0;

	if (slot == TAGS_NONE)
		return false;
	first = slot > 0 ? catalog->slot_ends[slot - 1] : 0;
	end = catalog->slot_ends[slot];
	for (uint32_t i = 0; first < end && i < catalog->policy_count; i++) {
		const tags_entity *policy = &catalog->policies[i];

		if (applied < base->policy_count && base->policies[applied].policy == i) {
			applied++;
			continue;
		}
		for (uint32_t j = lower_bound(policy, first);
			j < policy->def_count && policy->defs[j] < end; j++) {
			if (nth-- > 0)
				continue;
			ignored_entry(view, policy, policy->defs[j], entry);
			return true;
		}
	}
	return false;
}

/* --- the walk --- */

static bool has_schema(const hn_view *view, const hn_key *key, const char *name)
{
	tags_part part;
	char copy[64];

	if (key->default_text == NULL)
		return false;
	if (!tags_key_is_pattern(key))
		return true;
	(void)tags_key_match(name, strlen(name), &part);
	memcpy(copy, part.text, part.size);
	copy[part.size] = '\0';
	return tags_view_has_name(view, key, copy);
}

/* The schema default as it was when the view was stored. */
static int explain_stored(const tags_own_cell *cell, size_t nth, tags_entry *entry)
{
	if (nth > 0 || cell->value == NULL)
		return HN_ENOENT;
	*entry = (tags_entry){.order = 1000,
		.origin = {.size = sizeof(hn_origin),
			.layer = HN_LAYER_SCHEMA,
			.mark = HN_MARK_WON,
			.priority = 1500,
			.source = "schema",
			.value = cell->value->text}};
	return 0;
}

int tags_view_explain(
	const hn_view *view, const hn_key *key, const char *name, size_t nth, tags_entry *entry)
{
	const uint32_t *chain = NULL;
	tags_found found;
	size_t count;

	tags_view_find(view, key, name, &found);
	count = tags_found_chain(view, &found, &chain);
	if (nth < count) {
		tags_view_entry(view, chain[nth], entry);
		if (view->base == NULL)
			entry->origin.mark = view->locals[tags_chain_def(chain[nth])].mark;
		else if ((chain[nth] & TAGS_LOCAL) == 0)
			entry->origin.note = source_note(
				view->base, &view->base->catalog->defs[tags_chain_def(chain[nth])]);
		if (entry->value == NULL && key->merge != HN_MERGE_SINGLE &&
			entry->origin.note == NULL)
			entry->origin.note = "null takes nothing away under this merge rule";
		return 0;
	}
	nth -= count;
	/* A view read back has these lines stored, but for a default that stands alone. */
	if (view->base == NULL && (count > 0 || !view->explained))
		return HN_ENOENT;
	if (view->base == NULL && found.own != NULL)
		return explain_stored(found.own, nth, entry);
	if (has_schema(view, key, name) && nth-- == 0) {
		*entry = (tags_entry){.order = 1000,
			.origin = {.size = sizeof(hn_origin),
				.layer = HN_LAYER_SCHEMA,
				.mark = tags_found_given(&found) ? HN_MARK_LOST : HN_MARK_WON,
				.priority = 1500,
				.source = "schema",
				.value = key->default_text}};
		return 0;
	}
	return find_ignored(view, key, name, nth, entry) ? 0 : HN_ENOENT;
}

int hn_view_explain(const hn_view *view, const char *key, size_t nth, hn_origin *origin)
{
	tags_part part;
	const hn_key *row = key != NULL ? tags_key_match(key, strlen(key), &part) : NULL;
	tags_entry entry;
	int rc;

	if (row == NULL)
		return HN_ESCHEMA;
	if (origin->size < sizeof(*origin))
		return HN_EINVAL;
	if (tags_view_tells(view, row, key, NULL) < 0)
		return HN_EDENIED;
	rc = tags_view_explain(view, row, key, nth, &entry);
	if (rc == 0)
		*origin = entry.origin;
	return rc;
}

/* --- why not --- */

static void print_origin(base_buf *out, const hn_origin *origin)
{
	base_buf_format(out, "%s", origin->source);
	if (origin->file != NULL)
		base_buf_format(out, " (%s:%u:%u)", origin->file, origin->line, origin->column);
}

/* Who else would have to give way under a rule of priority. */
static void why_not_single(
	const hn_view *view, const hn_key *key, const char *name, const char *wanted, base_buf *out)
{
	tags_entry winner = {0}, entry;
	bool offered = false;

	(void)tags_view_explain(view, key, name, 0, &winner);
	for (size_t i = 0; tags_view_explain(view, key, name, i, &entry) == 0; i++) {
		if (strcmp(entry.origin.value, wanted) != 0)
			continue;
		offered = true;
		print_origin(out, &entry.origin);
		if (entry.origin.mark == HN_MARK_IGNORED)
			base_buf_format(out, " gives %s, but it does not apply: %s\n", wanted,
				entry.origin.note != NULL ? entry.origin.note : "ignored");
		else
			base_buf_format(out, " gives %s at priority %d and loses\n", wanted,
				entry.origin.priority);
	}
	if (!offered)
		base_buf_format(out, "nothing gives %s the value %s\n", name, wanted);
	if (winner.origin.source == NULL) {
		base_buf_format(out, "to have it, set %s on the unit", name);
		return;
	}
	base_buf_format(out, "%s wins at priority %d with %s\n", winner.origin.source,
		winner.origin.priority, winner.origin.value);
	base_buf_text(out, "to have it, ");
	if (winner.origin.layer == HN_LAYER_SCHEMA) {
		base_buf_format(out, "set %s on the unit", name);
	} else if (winner.origin.priority <= 50) {
		base_buf_text(out, "take away what ");
		print_origin(out, &winner.origin);
		base_buf_text(out, " says");
	} else {
		base_buf_text(out, "change ");
		print_origin(out, &winner.origin);
		base_buf_format(
			out, ", or give %s at a priority below %d", wanted, winner.origin.priority);
	}
}

/* Under min, max, and, or: every definition that binds more stands in the way. */
static void why_not_extreme(const hn_view *view, const hn_key *key, const char *name,
	const tags_value *wanted, base_buf *out)
{
	bool smallest = tags_merges_smallest(key);
	bool reached = false, blocked = false;
	tags_entry entry;

	base_buf_format(out, "%s takes the %s of all definitions, whatever their priority\n", name,
		key->merge == HN_MERGE_MIN   ? "smallest"
		: key->merge == HN_MERGE_MAX ? "largest"
		: key->merge == HN_MERGE_AND ? "conjunction"
					     : "disjunction");
	for (size_t i = 0; tags_view_explain(view, key, name, i, &entry) == 0; i++) {
		if (entry.value == NULL || entry.origin.mark == HN_MARK_IGNORED ||
			entry.origin.layer == HN_LAYER_SCHEMA)
			continue;
		reached |= strcmp(entry.value->text, wanted->text) == 0;
		if (tags_value_bound(entry.value, smallest) >= tags_value_bound(wanted, smallest))
			continue;
		blocked = true;
		base_buf_text(out, "in the way: ");
		print_origin(out, &entry.origin);
		base_buf_format(out, " gives %s\n", entry.origin.value);
	}
	if (blocked)
		base_buf_text(out, "to have it, take these away or loosen them");
	if (!reached)
		base_buf_format(out,
			blocked ? ", and give %s somewhere" : "to have it, give %s somewhere",
			wanted->text);
}

static void why_not_items(const hn_view *view, const hn_key *key, const char *name, base_buf *out)
{
	tags_entry entry;

	base_buf_format(out, "%s joins what all definitions give\n", name);
	for (size_t i = 0; tags_view_explain(view, key, name, i, &entry) == 0; i++) {
		if (entry.origin.mark == HN_MARK_IGNORED || entry.origin.layer == HN_LAYER_SCHEMA)
			continue;
		print_origin(out, &entry.origin);
		base_buf_format(out, " gives %s\n", entry.origin.value);
	}
	base_buf_text(out, "to have it, add what is missing and change those that give too much");
}

int hn_view_why_not(
	const hn_view *view, const char *key, const char *value, char **answer, hn_error **err)
{
	TAGS_AUTO_PARSED tags_parsed parsed = {0};
	BASE_AUTO_BUF base_buf out = {0};
	const char *now = NULL;
	tags_part part;
	const hn_key *row = key != NULL ? tags_key_match(key, strlen(key), &part) : NULL;
	tags_value wanted;
	char *text;
	int rc;

	if (row == NULL || value == NULL)
		return hn_view_get_text(view, key, &now, err) < 0
			       ? HN_ESCHEMA
			       : base_error(err, HN_EINVAL, TAGS_ROOM, NULL, "a value is needed");
	rc = tags_view_tells(view, row, key, err);
	if (rc == 0)
		rc = tags_value_parse(row, value, strlen(value), &parsed, err);
	if (rc < 0)
		return rc;
	wanted = (tags_value){
		.text = parsed.text.data, .number = parsed.number, .word = parsed.word};
	rc = hn_view_get_text(view, key, &now, NULL);
	if (rc == HN_ENOMEM)
		return base_nomem(err);
	if (now != NULL && strcmp(now, wanted.text) == 0)
		base_buf_format(&out, "%s is %s", key, now);
	else if (row->merge == HN_MERGE_SINGLE)
		why_not_single(view, row, key, wanted.text, &out);
	else if (tags_key_is_many(row))
		why_not_items(view, row, key, &out);
	else
		why_not_extreme(view, row, key, &wanted, &out);
	text = base_buf_take(&out);
	if (text == NULL)
		return base_nomem(err);
	*answer = text;
	return 0;
}
