/* SPDX-License-Identifier: MIT
 *
 * The merge rules, and the base views made with them.
 */
#include "tags/tags-private.h"

/* --- rules --- */

static bool same_value(const tags_value *a, const tags_value *b)
{
	return a == b ||
	       (a != NULL && b != NULL && a->number == b->number && strcmp(a->text, b->text) == 0);
}

/* The smallest number wins; equal number and value agree; equal number and another value conflict.
 */
static tags_outcome merge_single(tags_term *terms, uint32_t count)
{
	tags_outcome outcome = {.flags = terms[0].value == NULL ? TAGS_CELL_NULL : 0};

	terms[0].mark = HN_MARK_WON;
	for (uint32_t i = 1; i < count; i++) {
		terms[i].mark = HN_MARK_LOST;
		if (terms[i].priority != terms[0].priority)
			continue;
		if (same_value(terms[i].value, terms[0].value))
			terms[i].mark = HN_MARK_SAME;
		else
			outcome.flags |= TAGS_CELL_CONFLICT;
	}
	return outcome;
}

int64_t tags_value_bound(const tags_value *value, bool smallest)
{
	/* No number reaches what stands for a word and for null. */
	const int64_t most = INT64_MAX - 2;
	int64_t bound;

	if (value == NULL || value->word)
		return value == NULL ? most + 2 : most + 1;
	bound = smallest ? value->number : ~value->number;
	return bound < most ? bound : most;
}

/* min, and: the smallest of all; max, or: the largest of all. Priority plays no part. */
static tags_outcome merge_extreme(tags_term *terms, uint32_t count, bool smallest)
{
	tags_outcome outcome = {.flags = TAGS_CELL_NULL};
	const tags_value *best;
	int64_t tightest = INT64_MAX;

	for (uint32_t i = 0; i < count; i++) {
		int64_t bound = tags_value_bound(terms[i].value, smallest);

		if (bound >= tightest)
			continue;
		tightest = bound;
		outcome = (tags_outcome){.winner = i};
	}
	best = terms[outcome.winner].value;
	for (uint32_t i = 0; i < count; i++) {
		const tags_value *value = terms[i].value;

		terms[i].mark = value == NULL             ? HN_MARK_IGNORED
				: i == outcome.winner     ? HN_MARK_WON
				: same_value(value, best) ? HN_MARK_SAME
							  : HN_MARK_LOST;
	}
	return outcome;
}

static tags_outcome merge_items(tags_term *terms, uint32_t count)
{
	tags_outcome outcome = {.flags = TAGS_CELL_NULL};
	uint32_t taken = 0;

	for (uint32_t i = 0; i < count; i++) {
		terms[i].mark = terms[i].value == NULL ? HN_MARK_IGNORED : HN_MARK_MERGED;
		if (terms[i].value == NULL)
			continue;
		outcome = (tags_outcome){.winner = i, .flags = taken++ > 0 ? TAGS_CELL_MERGED : 0};
	}
	if (taken == 1)
		terms[outcome.winner].mark = HN_MARK_WON;
	return outcome;
}

tags_outcome tags_merge(const hn_key *key, tags_term *terms, uint32_t count)
{
	switch (key->merge) {
	case HN_MERGE_MIN:
	case HN_MERGE_AND:
		return merge_extreme(terms, count, true);
	case HN_MERGE_MAX:
	case HN_MERGE_OR:
		return merge_extreme(terms, count, false);
	case HN_MERGE_SET_UNION:
	case HN_MERGE_ORDERED_LIST:
		return merge_items(terms, count);
	case HN_MERGE_SINGLE:
		break;
	}
	return merge_single(terms, count);
}

/* --- scratch memory --- */

static size_t words(size_t bits)
{
	return bits / 64 + 1;
}

int tags_scratch_init(tags_scratch *scratch, const hn_catalog *catalog, hn_error **err)
{
	size_t level = catalog->shared_count;
	bool failed = false;

	*scratch = (tags_scratch){0};
	for (size_t i = 0; i < BASE_COUNT(scratch->bits); i++) {
		level = words(level);
		scratch->bits[i] = base_calloc(level, sizeof(uint64_t));
		failed |= scratch->bits[i] == NULL;
	}
	scratch->tag_stamps = base_calloc(catalog->tag_count + 1u, sizeof(uint32_t));
	scratch->kind_tags = base_calloc(catalog->kind_count + 1u, sizeof(uint32_t));
	scratch->kind_stamps = base_calloc(catalog->kind_count + 1u, sizeof(uint32_t));
	scratch->visible = base_calloc(words(catalog->tag_count), sizeof(uint64_t));
	scratch->answers = base_calloc(catalog->probe_count + 1u, sizeof(bool));
	failed |= scratch->tag_stamps == NULL || scratch->kind_tags == NULL ||
		  scratch->kind_stamps == NULL || scratch->visible == NULL ||
		  scratch->answers == NULL;
	if (!failed)
		return 0;
	tags_scratch_free(scratch);
	return base_nomem(err);
}

void tags_scratch_free(tags_scratch *scratch)
{
	for (size_t i = 0; i < BASE_COUNT(scratch->bits); i++)
		base_free(scratch->bits[i]);
	base_free(scratch->tag_stamps);
	base_free(scratch->kind_tags);
	base_free(scratch->kind_stamps);
	base_free(scratch->visible);
	base_free(scratch->answers);
	base_free(scratch->cells);
	base_free(scratch->chains);
	base_free(scratch->items);
	base_free(scratch->merged);
	*scratch = (tags_scratch){0};
}

/* --- the definitions that take part, in chain order --- */

/* Numbers are set as bits and read back in order: a sort that costs what it holds, whatever the
 * catalogue's size. */
static void take_part(tags_scratch *scratch, const uint32_t *defs, uint32_t count)
{
	uint64_t *bits = scratch->bits[0], *words_used = scratch->bits[1];

	for (uint32_t i = 0; i < count; i++) {
		uint32_t id = defs[i];

		bits[id >> 6] |= UINT64_C(1) << (id & 63);
		words_used[id >> 12] |= UINT64_C(1) << (id >> 6 & 63);
	}
	scratch->chain_count += count;
}

static uint32_t next_bit(uint64_t *word)
{
	uint32_t bit = (uint32_t)__builtin_ctzll(*word);

	*word &= *word - 1;
	return bit;
}

/* Reads all numbers in order and leaves the bits clear. */
static uint32_t read_back(tags_scratch *scratch, size_t tops, uint32_t *out)
{
	uint64_t *bits = scratch->bits[0];
	uint32_t *at = out;

	for (size_t i = 0; i < tops; i++) {
		uint64_t top = scratch->bits[1][i];

		scratch->bits[1][i] = 0;
		while (top != 0) {
			uint32_t k = (uint32_t)i * 64 + next_bit(&top);
			uint64_t word = bits[k];

			bits[k] = 0;
			while (word != 0)
				*at++ = k * 64 + next_bit(&word);
		}
	}
	return (uint32_t)(at - out);
}

/* --- cells --- */

static int too_many(
	const hn_catalog *catalog, uint32_t slot, int limit, uint64_t given, hn_error **err)
{
	base_limit_check(limit, given, err);
	return base_error_wrap(
		err, HN_ELIMIT, TAGS_ROOM, "%s has too many", catalog->slots[slot].name);
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t left, right;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	return left == right ? 0 : left < right ? -1 : 1;
}

static void sort_numbers(uint32_t *numbers, uint32_t count)
{
	enum { FEW = 32 };

	if (count > FEW) {
		qsort(numbers, count, sizeof(*numbers), compare_numbers);
		return;
	}
	for (uint32_t i = 1; i < count; i++) {
		uint32_t number = numbers[i], j = i;

		for (; j > 0 && numbers[j - 1] > number; j--)
			numbers[j] = numbers[j - 1];
		numbers[j] = number;
	}
}

/* Puts the items of all terms behind each other; for a set, sorted and each once. */
static int merge_cell_items(const hn_catalog *catalog, tags_scratch *scratch, tags_cell *cell,
	const tags_term *terms, hn_error **err)
{
	uint32_t first = scratch->item_count, total = 0, kept = 0, *items;

	for (uint32_t i = 0; i < cell->count; i++)
		total += terms[i].value != NULL ? terms[i].value->item_count : 0;
	if (base_grow(&scratch->items, &scratch->item_capacity, first + total + 1, sizeof(*items)) <
			0 ||
		base_grow(&scratch->merged, &scratch->merged_capacity, scratch->merged_count + 1u,
			sizeof(*scratch->merged)) < 0)
		return base_nomem(err);
	items = scratch->items + first;
	for (uint32_t i = 0, at = 0; i < cell->count; i++) {
		const tags_value *value = terms[i].value;

		if (value == NULL || value->item_count == 0)
			continue;
		memcpy(items + at, value->item_ids, value->item_count * sizeof(*items));
		at += value->item_count;
	}
	if (catalog->slots[cell->slot].key->merge == HN_MERGE_SET_UNION) {
		sort_numbers(items, total);
		for (uint32_t i = 0; i < total; i++)
			if (i == 0 || items[i] != items[i - 1])
				items[kept++] = items[i];
	} else {
		kept = total;
	}
	if (kept > base_limit(BASE_LIMIT_LIST_ITEMS))
		return too_many(catalog, cell->slot, BASE_LIMIT_LIST_ITEMS, kept, err);
	cell->value = scratch->merged_count;
	scratch->merged[scratch->merged_count].first = first;
	scratch->merged[scratch->merged_count++].count = kept;
	scratch->item_count = first + kept;
	return 0;
}

/* As merge_single. In one catalogue, equal numbers mean equal values. */
static void merge_cell_single(const hn_catalog *catalog, tags_cell *cell, uint32_t *chain)
{
	const tags_def *first = &catalog->defs[chain[0]];

	cell->value = first->value;
	cell->flags = first->value == 0 ? TAGS_CELL_NULL : 0;
	chain[0] = tags_chain_entry(chain[0], HN_MARK_WON);
	for (uint32_t i = 1; i < cell->count; i++) {
		const tags_def *def = &catalog->defs[chain[i]];
		bool level = def->priority == first->priority;
		bool same = def->value == first->value;

		if (level && !same)
			cell->flags |= TAGS_CELL_CONFLICT;
		chain[i] = tags_chain_entry(chain[i], level && same ? HN_MARK_SAME : HN_MARK_LOST);
	}
}

/* As merge_extreme, over bounds that are at hand. */
static void merge_cell_extreme(const hn_catalog *catalog, tags_cell *cell, uint32_t *chain)
{
	int64_t tightest = catalog->bounds[chain[0]];
	uint32_t winner = 0;

	for (uint32_t i = 1; i < cell->count; i++) {
		int64_t bound = catalog->bounds[chain[i]];

		winner = bound < tightest ? i : winner;
		tightest = bound < tightest ? bound : tightest;
	}
	cell->value = catalog->defs[chain[winner]].value;
	cell->flags = cell->value == 0 ? TAGS_CELL_NULL : 0;
	for (uint32_t i = 0; i < cell->count; i++) {
		uint32_t value = catalog->defs[chain[i]].value;
		hn_mark mark = value == cell->value ? HN_MARK_SAME : HN_MARK_LOST;

		chain[i] = tags_chain_entry(chain[i], value == 0 ? HN_MARK_IGNORED : mark);
	}
	if (cell->value != 0)
		chain[winner] = tags_chain_entry(chain[winner], HN_MARK_WON);
}

static int merge_cell_many(const hn_catalog *catalog, tags_scratch *scratch, tags_cell *cell,
	uint32_t *chain, hn_error **err)
{
	tags_term terms[256]; /* KEY_DEFINITIONS */
	tags_outcome outcome;
	int rc = 0;

	for (uint32_t i = 0; i < cell->count; i++) {
		const tags_def *def = &catalog->defs[chain[i]];

		terms[i].value = def->value != 0 ? &catalog->values[def->value] : NULL;
		terms[i].priority = def->priority;
	}
	outcome = merge_items(terms, cell->count);
	cell->flags = outcome.flags;
	if ((outcome.flags & TAGS_CELL_MERGED) != 0)
		rc = merge_cell_items(catalog, scratch, cell, terms, err);
	else if ((outcome.flags & TAGS_CELL_NULL) == 0)
		cell->value = catalog->defs[chain[outcome.winner]].value;
	for (uint32_t i = 0; i < cell->count; i++)
		chain[i] = tags_chain_entry(chain[i], terms[i].mark);
	return rc;
}

static int merge_cell(
	const hn_catalog *catalog, tags_scratch *scratch, tags_cell *cell, hn_error **err)
{
	uint32_t *chain = scratch->chains + cell->chain;
	const hn_key *key = catalog->slots[cell->slot].key;

	if (key->merge == HN_MERGE_SINGLE)
		merge_cell_single(catalog, cell, chain);
	else if (tags_key_is_many(key))
		return merge_cell_many(catalog, scratch, cell, chain, err);
	else
		merge_cell_extreme(catalog, cell, chain);
	return 0;
}

/* Cuts the ordered numbers into one chain a slot, and merges each. */
static int merge_cells(const hn_catalog *catalog, tags_scratch *scratch, hn_error **err)
{
	uint32_t limit = (uint32_t)base_limit(BASE_LIMIT_KEY_DEFINITIONS), at = 0;

	if (base_grow(&scratch->cells, &scratch->cell_capacity, scratch->chain_count + 1u,
		    sizeof(*scratch->cells)) < 0)
		return base_nomem(err);
	while (at < scratch->chain_count) {
		tags_cell *cell = &scratch->cells[scratch->cell_count++];
		uint32_t slot = catalog->defs[scratch->chains[at]].slot, end = at + 1;
		uint32_t slot_end = catalog->slot_ends[slot];
		int rc;

		while (end < scratch->chain_count && scratch->chains[end] < slot_end)
			end++;
		if (end - at > limit)
			return too_many(catalog, slot, BASE_LIMIT_KEY_DEFINITIONS, end - at, err);
		*cell = (tags_cell){.slot = slot, .chain = at, .count = (uint16_t)(end - at)};
		rc = merge_cell(catalog, scratch, cell, err);
		if (rc < 0)
			return rc;
		at = end;
	}
	return 0;
}

/* --- the base --- */

static void *part(char **at, size_t bytes)
{
	void *memory = *at;

	*at += (bytes + 15) & ~(size_t)15;
	return memory;
}

static size_t padded(size_t count, size_t bytes)
{
	return (count * bytes + 15) & ~(size_t)15;
}

static void *copy_part(char **at, const void *from, size_t count, size_t bytes)
{
	void *memory = part(at, count * bytes);

	if (count > 0)
		memcpy(memory, from, count * bytes);
	return memory;
}

tags_base *tags_base_copy(const tags_base *from, hn_catalog *catalog)
{
	size_t size = padded(1, sizeof(tags_base)) +
		      padded(from->member_count, sizeof(tags_member)) +
		      padded(from->policy_count, sizeof(tags_applied)) +
		      padded(from->merged_count, sizeof(tags_merged)) +
		      padded(from->cell_count, sizeof(tags_cell)) +
		      padded(from->chain_count, sizeof(uint32_t)) +
		      padded(from->item_count, sizeof(uint32_t));
	char *at = base_alloc(size);
	tags_base *base;

	if (at == NULL)
		return NULL;
	base = part(&at, sizeof(*base));
	*base = *from;
	base->catalog = hn_catalog_ref(catalog);
	atomic_init(&base->refs, 1);
	base->members = copy_part(&at, from->members, from->member_count, sizeof(tags_member));
	base->policies = copy_part(&at, from->policies, from->policy_count, sizeof(tags_applied));
	base->merged = part(&at, from->merged_count * sizeof(tags_merged));
	for (uint32_t i = 0; i < from->merged_count; i++) {
		base->merged[i].first = from->merged[i].first;
		base->merged[i].count = from->merged[i].count;
		atomic_init(&base->merged[i].text, NULL);
	}
	base->cells = copy_part(&at, from->cells, from->cell_count, sizeof(tags_cell));
	base->chains = copy_part(&at, from->chains, from->chain_count, sizeof(uint32_t));
	base->items = copy_part(&at, from->items, from->item_count, sizeof(uint32_t));
	return base;
}

static tags_base *keep(
	hn_catalog *catalog, const tags_scratch *scratch, const tags_membership *membership)
{
	tags_base made = {.members = (tags_member *)(uintptr_t)(const void *)membership->members,
		.policies = (tags_applied *)(uintptr_t)(const void *)membership->policies,
		.cells = scratch->cells,
		.chains = scratch->chains,
		.items = scratch->items,
		.merged = scratch->merged,
		.member_count = membership->member_count,
		.policy_count = membership->policy_count,
		.cell_count = scratch->cell_count,
		.merged_count = scratch->merged_count,
		.chain_count = scratch->chain_count,
		.item_count = scratch->item_count};

	for (uint32_t i = 0; i < made.cell_count; i++) {
		made.conflict_count += (made.cells[i].flags & TAGS_CELL_CONFLICT) != 0;
		made.named_count += catalog->slots[made.cells[i].slot].part != NULL;
	}
	return tags_base_copy(&made, catalog);
}

int tags_base_build(hn_catalog *catalog, tags_scratch *scratch, const tags_membership *membership,
	tags_base **base, hn_error **err)
{
	size_t tops = words(words(catalog->shared_count));
	int rc;

	scratch->chain_count = 0;
	scratch->cell_count = scratch->item_count = scratch->merged_count = 0;
	take_part(scratch, catalog->platform, catalog->platform_count);
	for (uint32_t i = 0; i < membership->member_count; i++) {
		const tags_entity *tag = &catalog->tags[membership->members[i].tag];

		take_part(scratch, tag->defs, tag->def_count);
	}
	for (uint32_t i = 0; i < membership->policy_count; i++) {
		const tags_entity *policy = &catalog->policies[membership->policies[i].policy];

		take_part(scratch, policy->defs, policy->def_count);
	}
	rc = base_grow(&scratch->chains, &scratch->chain_capacity, scratch->chain_count + 1u,
		sizeof(*scratch->chains));
	if (rc < 0) {
		/* The bits must be clear for the next unit. */
		memset(scratch->bits[1], 0, tops * 8);
		memset(scratch->bits[0], 0, words(catalog->shared_count) * 8);
		return base_nomem(err);
	}
	scratch->chain_count = read_back(scratch, tops, scratch->chains);
	rc = merge_cells(catalog, scratch, err);
	if (rc < 0)
		return rc;
	*base = keep(catalog, scratch, membership);
	return *base != NULL ? 0 : base_nomem(err);
}

tags_base *tags_base_ref(tags_base *base)
{
	if (base != NULL)
		atomic_fetch_add_explicit(&base->refs, 1, memory_order_relaxed);
	return base;
}

tags_base *tags_base_unref(tags_base *base)
{
	if (base == NULL || atomic_fetch_sub_explicit(&base->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	for (uint32_t i = 0; i < base->merged_count; i++)
		base_free(atomic_load_explicit(&base->merged[i].text, memory_order_acquire));
	hn_catalog_unref(base->catalog);
	base_free(base);
	return NULL;
}
