/* SPDX-License-Identifier: MIT
 *
 * Moves what is resolved to a later catalogue: where nothing of a base has changed only its numbers
 * have, and writing them anew costs less than resolving.
 */
#include "tags/tags-private.h"

static tags_renumbering *allocate(const uint32_t counts[TAGS_TABLES])
{
	size_t total = 0;
	tags_renumbering *made;
	uint32_t *at;

	for (int i = 0; i < TAGS_TABLES; i++)
		total += counts[i];
	made = base_alloc(sizeof(*made) + total * sizeof(*at));
	if (made == NULL)
		return NULL;
	at = (uint32_t *)(void *)(made + 1);
	for (int i = 0; i < TAGS_TABLES; i++) {
		made->counts[i] = counts[i];
		made->to[i] = at;
		at += counts[i];
	}
	return made;
}

tags_renumbering *tags_renumbering_new(const hn_catalog *catalog)
{
	const uint32_t counts[TAGS_TABLES] = {
		[TAGS_TABLE_TAGS] = catalog->tag_count,
		[TAGS_TABLE_POLICIES] = catalog->policy_count,
		[TAGS_TABLE_SLOTS] = catalog->slot_count,
		[TAGS_TABLE_VALUES] = catalog->value_count,
		[TAGS_TABLE_ITEMS] = catalog->item_count,
		[TAGS_TABLE_DEFS] = catalog->shared_count,
	};
	tags_renumbering *made = allocate(counts);

	for (int i = 0; made != NULL && i < TAGS_TABLES; i++)
		for (uint32_t j = 0; j < counts[i]; j++)
			made->to[i][j] = TAGS_NONE;
	if (made != NULL)
		made->to[TAGS_TABLE_VALUES][0] = 0; /* null */
	return made;
}

tags_renumbering *tags_renumbering_copy(const tags_renumbering *from)
{
	tags_renumbering *made = allocate(from->counts);

	for (int i = 0; made != NULL && i < TAGS_TABLES; i++)
		if (from->counts[i] > 0)
			memcpy(made->to[i], from->to[i], from->counts[i] * sizeof(uint32_t));
	return made;
}

void tags_renumbering_follow(tags_renumbering *first, const tags_renumbering *then)
{
	for (int i = 0; i < TAGS_TABLES; i++)
		for (uint32_t j = 0; j < first->counts[i]; j++)
			if (first->to[i][j] != TAGS_NONE)
				first->to[i][j] = then->to[i][first->to[i][j]];
}

void tags_renumbering_pair(tags_renumbering *map, const hn_catalog *old, const uint32_t *left,
	const hn_catalog *new, const uint32_t *right, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const tags_def *from = &old->defs[left[i]], *to = &new->defs[right[i]];
		const tags_value *value = &old->values[from->value];

		map->to[TAGS_TABLE_DEFS][left[i]] = right[i];
		map->to[TAGS_TABLE_SLOTS][from->slot] = to->slot;
		map->to[TAGS_TABLE_VALUES][from->value] = to->value;
		for (uint32_t j = 0; j < value->item_count; j++)
			map->to[TAGS_TABLE_ITEMS][value->item_ids[j]] =
				new->values[to->value].item_ids[j];
	}
}

/* What implied a tag, by its new number; TAGS_NONE when it is gone. */
static uint32_t renumber_how(
	const hn_catalog *old, const tags_renumbering *map, const hn_catalog *new, uint32_t how)
{
	uint32_t from = how - TAGS_IMPLIED, to;

	if (how < TAGS_IMPLIED)
		return how;
	if (from < old->tag_count) {
		to = map->to[TAGS_TABLE_TAGS][from];
		return to == TAGS_NONE ? to : TAGS_IMPLIED + to;
	}
	to = map->to[TAGS_TABLE_POLICIES][from - old->tag_count];
	return to == TAGS_NONE ? to : TAGS_IMPLIED + new->tag_count + to;
}

bool tags_membership_renumber(const tags_base *base, const tags_renumbering *map,
	const hn_catalog *catalog, tags_membership *membership)
{
	bool whole = true;

	membership->member_count = base->member_count;
	membership->policy_count = base->policy_count;
	for (uint32_t i = 0; i < base->member_count; i++) {
		tags_member *to = &membership->members[i];

		*to = base->members[i];
		to->tag = map->to[TAGS_TABLE_TAGS][to->tag];
		to->how = renumber_how(base->catalog, map, catalog, to->how);
		whole &= to->tag != TAGS_NONE && to->how != TAGS_NONE;
	}
	for (uint32_t i = 0; i < base->policy_count; i++) {
		tags_applied *to = &membership->policies[i];

		*to = base->policies[i];
		to->policy = map->to[TAGS_TABLE_POLICIES][to->policy];
		whole &= to->policy != TAGS_NONE;
	}
	return whole;
}

void tags_base_renumber(tags_base *base, const tags_renumbering *map, hn_catalog *catalog,
	const tags_membership *membership)
{
	const uint32_t *slots = map->to[TAGS_TABLE_SLOTS], *values = map->to[TAGS_TABLE_VALUES];
	const uint32_t *defs = map->to[TAGS_TABLE_DEFS], *items = map->to[TAGS_TABLE_ITEMS];

	for (uint32_t i = 0; i < base->member_count; i++)
		base->members[i] = membership->members[i];
	for (uint32_t i = 0; i < base->policy_count; i++)
		base->policies[i] = membership->policies[i];
	for (uint32_t i = 0; i < base->cell_count; i++) {
		tags_cell *cell = &base->cells[i];

		cell->slot = slots[cell->slot];
		if ((cell->flags & TAGS_CELL_MERGED) == 0)
			cell->value = values[cell->value];
	}
	for (uint32_t i = 0; i < base->chain_count; i++)
		base->chains[i] = tags_chain_entry(
			defs[tags_chain_def(base->chains[i])], tags_chain_mark(base->chains[i]));
	for (uint32_t i = 0; i < base->item_count; i++)
		base->items[i] = items[base->items[i]];
	hn_catalog_ref(catalog);
	hn_catalog_unref(base->catalog);
	base->catalog = catalog;
}
