/* SPDX-License-Identifier: MIT
 *
 * The definitions of a catalogue as tables: slots, values and items interned, definitions in chain
 * order.
 */
#include "tags/tags-private.h"
#include <stdlib.h>

/* A definition on its way into the table. */
typedef struct raw {
	const tags_decl_def *decl;
	tags_def def;
	uint32_t owner; /* number of its tag, policy or unit */
	uint32_t id;
} raw;

typedef struct definer {
	hn_catalog *catalog;
	raw *raws;
	uint32_t count, shared;
	base_map *slots, *values, *items; /* text to index + 1 */
	tags_sink *sink;
} definer;

static uint32_t number_of(const base_map *map, const void *key, size_t size)
{
	return (uint32_t)(uintptr_t)base_map_get(map, key, size);
}

/* --- interning --- */

static int intern_slot(definer *at, const tags_decl_def *decl, uint32_t *slot)
{
	size_t size = strlen(decl->name);
	uint32_t number = number_of(at->slots, decl->name, size);

	if (number == 0) {
		number = (uint32_t)base_map_count(at->slots) + 1;
		if (base_map_put(at->slots, decl->name, size, (void *)(uintptr_t)number) < 0)
			return base_nomem(at->sink->err);
		at->catalog->slots[number - 1] = (tags_slot){decl->key, decl->name, NULL};
		if (tags_key_is_pattern(decl->key)) {
			tags_part part;

			(void)tags_key_match(decl->name, size, &part);
			at->catalog->slots[number - 1].part =
				base_arena_strndup(at->catalog->arena, part.text, part.size);
			if (at->catalog->slots[number - 1].part == NULL)
				return base_nomem(at->sink->err);
		}
	}
	*slot = number - 1;
	return 0;
}

static int intern_items(definer *at, const tags_decl_def *decl)
{
	const char *item = decl->items;

	for (uint32_t i = 0; i < decl->item_count; i++, item += strlen(item) + 1) {
		size_t size = strlen(item);

		if (base_map_has(at->items, item, size))
			continue;
		/* The number is given when all items are known and sorted. */
		if (base_map_put(at->items, item, size, (void *)(uintptr_t)(const void *)item) < 0)
			return base_nomem(at->sink->err);
	}
	return 0;
}

static int intern_value(definer *at, const tags_decl_def *decl, uint32_t *value)
{
	BASE_AUTO_BUF base_buf key = {0};
	uint32_t number;

	*value = 0;
	if (decl->text == NULL)
		return 0;
	base_buf_add(&key, &decl->key->id, sizeof(decl->key->id));
	base_buf_text(&key, decl->text);
	if (key.failed)
		return base_nomem(at->sink->err);
	number = number_of(at->values, key.data, key.size);
	if (number == 0) {
		number = (uint32_t)base_map_count(at->values) + 1;
		if (base_map_put(at->values, key.data, key.size, (void *)(uintptr_t)number) < 0)
			return base_nomem(at->sink->err);
		at->catalog->values[number] = (tags_value){.text = decl->text,
			.items = decl->items,
			.item_count = decl->item_count,
			.number = decl->number,
			.word = decl->word};
		if (intern_items(at, decl) < 0)
			return HN_ENOMEM;
	}
	*value = number;
	return 0;
}

/* --- collecting --- */

static int add_raw(definer *at, const tags_decl_def *decl, uint32_t owner, uint32_t source,
	hn_layer layer, int16_t priority)
{
	raw *made = &at->raws[at->count];
	int rc;

	*made = (raw){.decl = decl, .owner = owner};
	made->def.source = source;
	made->def.layer = (uint8_t)layer;
	made->def.priority = decl->priority != 0 ? decl->priority : priority;
	made->def.own_priority = decl->priority != 0;
	made->def.order = decl->order;
	rc = intern_slot(at, decl, &made->def.slot);
	if (rc == 0)
		rc = intern_value(at, decl, &made->def.value);
	at->count += rc == 0;
	return rc;
}

static int add_fragments(definer *at, const tags_fragment *const *fragments, uint32_t count,
	uint32_t owner, uint32_t source, hn_layer layer, int16_t priority)
{
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t j = 0; j < fragments[i]->def_count; j++)
			if (add_raw(at, &fragments[i]->defs[j], owner, source, layer, priority) < 0)
				return HN_ENOMEM;
	return 0;
}

static int add_defaults(definer *at, uint32_t source)
{
	const hn_catalog *catalog = at->catalog;

	for (size_t i = 0; i < catalog->decl_count; i++) {
		const hn_decl *decl = catalog->decls[i];

		for (size_t j = 0; j < decl->fragment_count; j++) {
			const tags_fragment *fragment = &decl->fragments[j];

			if (fragment->entity == TAGS_DEFAULTS &&
				add_fragments(at, &fragment, 1, 0, source, HN_LAYER_PLATFORM,
					tags_entity_rule(TAGS_DEFAULTS)->usual) < 0)
				return HN_ENOMEM;
		}
	}
	return 0;
}

static int add_all(definer *at)
{
	hn_catalog *catalog = at->catalog;
	uint32_t source = 0;

	for (uint32_t i = 0; i < catalog->tag_count; i++) {
		const tags_entity *tag = &catalog->tags[i];

		catalog->sources[source] = tag->source;
		if (add_fragments(at, tag->fragments, tag->fragment_count, i, source++,
			    HN_LAYER_TAG, tag->priority) < 0)
			return HN_ENOMEM;
	}
	for (uint32_t i = 0; i < catalog->policy_count; i++) {
		const tags_entity *policy = &catalog->policies[i];

		catalog->sources[source] = policy->source;
		if (add_fragments(at, policy->fragments, policy->fragment_count, i, source++,
			    HN_LAYER_POLICY, policy->priority) < 0)
			return HN_ENOMEM;
	}
	catalog->sources[source] = "defaults";
	if (add_defaults(at, source++) < 0)
		return HN_ENOMEM;
	at->shared = at->count;
	for (uint32_t i = 0; i < catalog->unit_count; i++) {
		tags_unit *unit = &catalog->units[i];

		catalog->sources[source] = tags_arena_format(catalog->arena, "unit:%s", unit->name);
		if (catalog->sources[source] == NULL)
			return base_nomem(at->sink->err);
		unit->first_def = at->count;
		if (add_fragments(at, unit->fragments, unit->fragment_count, i, source++,
			    HN_LAYER_UNIT, tags_entity_rule(TAGS_UNIT)->usual) < 0)
			return HN_ENOMEM;
		unit->def_count = at->count - unit->first_def;
	}
	return 0;
}

/* --- order --- */

static int compare_slot(const void *left, const void *right)
{
	const tags_slot *a = left, *b = right;

	if (a->key != b->key)
		return a->key->id < b->key->id ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int compare_slots(const void *left, const void *right, void *arg)
{
	const hn_catalog *catalog = arg;
	uint32_t i, j;

	memcpy(&i, left, sizeof(i));
	memcpy(&j, right, sizeof(j));
	return compare_slot(&catalog->slots[i], &catalog->slots[j]);
}

/* Renumbers slots so that they are sorted by key id, then name. */
static int sort_slots(definer *at)
{
	hn_catalog *catalog = at->catalog;
	uint32_t count = catalog->slot_count;
	BASE_AUTO_FREE uint32_t *order = base_calloc(count + 1u, sizeof(*order));
	BASE_AUTO_FREE uint32_t *place = base_calloc(count + 1u, sizeof(*place));
	tags_slot *sorted = base_arena_alloc(catalog->arena, (count + 1) * sizeof(*sorted));

	if (order == NULL || place == NULL || sorted == NULL)
		return base_nomem(at->sink->err);
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(*order), compare_slots, catalog);
	for (uint32_t i = 0; i < count; i++) {
		place[order[i]] = i;
		sorted[i] = catalog->slots[order[i]];
	}
	catalog->slots = sorted;
	for (uint32_t i = 0; i < at->count; i++)
		at->raws[i].def.slot = place[at->raws[i].def.slot];
	return 0;
}

/* The order of a chain: by slot, then by strength (for a list: by order), then by layer and place.
 */
static int compare_raws(const void *a, const void *b, void *arg)
{
	const hn_catalog *catalog = arg;
	const raw *left = a, *right = b;
	int order;

	if (left->def.slot != right->def.slot)
		return left->def.slot < right->def.slot ? -1 : 1;
	if (left->decl->key->merge == HN_MERGE_ORDERED_LIST)
		order = left->def.order - right->def.order;
	else
		order = left->def.priority - right->def.priority;
	if (order == 0)
		order = left->def.layer - right->def.layer;
	if (order == 0)
		order = tags_place_compare(&left->decl->place, &right->decl->place);
	if (order == 0)
		order = strcmp(
			catalog->sources[left->def.source], catalog->sources[right->def.source]);
	if (order == 0 && left->decl->text != NULL && right->decl->text != NULL)
		order = strcmp(left->decl->text, right->decl->text);
	return order != 0 ? order : (left->decl->text != NULL) - (right->decl->text != NULL);
}

static void sort_raws(definer *at)
{
	hn_catalog *catalog = at->catalog;

	qsort_r(at->raws, at->shared, sizeof(raw), compare_raws, catalog);
	for (uint32_t i = 0; i < catalog->unit_count; i++)
		qsort_r(at->raws + catalog->units[i].first_def, catalog->units[i].def_count,
			sizeof(raw), compare_raws, catalog);
}

static int compare_texts(const void *a, const void *b)
{
	const char *left, *right;

	memcpy(&left, a, sizeof(left));
	memcpy(&right, b, sizeof(right));
	return strcmp(left, right);
}

/* Items sorted by text: the union of two sets is then a merge of numbers. */
static int number_items(definer *at)
{
	hn_catalog *catalog = at->catalog;
	size_t count = base_map_count(at->items);

	catalog->items = base_arena_alloc(catalog->arena, (count + 1) * sizeof(*catalog->items));
	if (catalog->items == NULL)
		return base_nomem(at->sink->err);
	for (size_t i = 0; i < base_map_slots(at->items); i++) {
		const char *key;
		size_t size;
		void *item;

		if (base_map_at(at->items, i, &key, &size, &item))
			catalog->items[catalog->item_count++] = item;
	}
	qsort(catalog->items, count, sizeof(*catalog->items), compare_texts);
	for (uint32_t i = 0; i < catalog->item_count; i++)
		if (base_map_put(at->items, catalog->items[i], strlen(catalog->items[i]),
			    (void *)(uintptr_t)(i + 1u)) < 0)
			return base_nomem(at->sink->err);
	for (uint32_t i = 1; i < catalog->value_count; i++) {
		tags_value *value = &catalog->values[i];
		const char *item = value->items;
		uint32_t *ids =
			base_arena_alloc(catalog->arena, (value->item_count + 1) * sizeof(*ids));

		if (ids == NULL)
			return base_nomem(at->sink->err);
		for (uint32_t j = 0; j < value->item_count; j++, item += strlen(item) + 1)
			ids[j] = number_of(at->items, item, strlen(item)) - 1;
		value->item_ids = ids;
	}
	return 0;
}

/* --- the tables --- */

/* Gives an owner its list of definitions: raws are in chain order, so each list is too. */
static int distribute(definer *at)
{
	hn_catalog *catalog = at->catalog;
	uint32_t *lists = base_arena_alloc(catalog->arena, (at->shared + 1) * sizeof(*lists));

	if (lists == NULL)
		return base_nomem(at->sink->err);
	for (int fill = 0; fill < 2; fill++) {
		for (uint32_t i = 0; i < at->shared; i++) {
			const raw *from = &at->raws[i];
			bool tag = from->def.layer == HN_LAYER_TAG;
			tags_entity *owner =
				tag ? &catalog->tags[from->owner] : &catalog->policies[from->owner];
			bool platform = from->def.layer == HN_LAYER_PLATFORM;
			uint32_t **list = platform ? &catalog->platform : &owner->defs;
			uint32_t *count = platform ? &catalog->platform_count : &owner->def_count;

			if (fill)
				(*list)[(*count)++] = i;
			else
				(*count)++;
		}
		if (fill)
			break;
		for (uint32_t i = 0; i < catalog->tag_count + catalog->policy_count; i++) {
			tags_entity *owner = i < catalog->tag_count
						     ? &catalog->tags[i]
						     : &catalog->policies[i - catalog->tag_count];

			owner->defs = lists;
			lists += owner->def_count;
			owner->def_count = 0;
		}
		catalog->platform = lists;
		catalog->platform_count = 0;
	}
	return 0;
}

static int fill_tables(definer *at)
{
	hn_catalog *catalog = at->catalog;
	size_t count = at->count + 1u;

	catalog->defs = base_arena_alloc(catalog->arena, count * sizeof(*catalog->defs));
	catalog->places = base_arena_alloc(catalog->arena, count * sizeof(*catalog->places));
	catalog->bounds =
		base_arena_alloc(catalog->arena, (at->shared + 1u) * sizeof(*catalog->bounds));
	catalog->slot_ends = base_arena_alloc(
		catalog->arena, (catalog->slot_count + 1u) * sizeof(*catalog->slot_ends));
	if (catalog->defs == NULL || catalog->places == NULL || catalog->bounds == NULL ||
		catalog->slot_ends == NULL)
		return base_nomem(at->sink->err);
	for (uint32_t i = 0; i < at->count; i++) {
		catalog->defs[i] = at->raws[i].def;
		catalog->places[i] = at->raws[i].decl->place;
	}
	for (uint32_t i = 0; i < at->shared; i++) {
		const tags_def *def = &catalog->defs[i];

		catalog->slot_ends[def->slot] = i + 1;
		catalog->bounds[i] =
			tags_value_bound(def->value != 0 ? &catalog->values[def->value] : NULL,
				tags_merges_smallest(catalog->slots[def->slot].key));
	}
	for (uint32_t i = 1; i < catalog->slot_count; i++)
		if (catalog->slot_ends[i] == 0)
			catalog->slot_ends[i] = catalog->slot_ends[i - 1];
	catalog->def_count = at->count;
	catalog->shared_count = at->shared;
	return distribute(at);
}

/* --- what contradicts itself --- */

static int report_conflict(definer *at, const raw *a, const raw *b)
{
	BASE_AUTO_OF(hn_error) hn_error *problem = NULL;
	const tags_place *first = &a->decl->place, *second = &b->decl->place;
	const char *source = at->catalog->sources[a->def.source];

	base_error(&problem, HN_ECONFLICT, TAGS_ROOM,
		tags_is_nix(second->file)
			? "keep one of the two, or give one of them another priority:"
			  " lib.mkOverride, in JSON $priority"
			: "keep one of the two, or give one of them a $priority",
		"%s:%u:%u: %s gives %s the value '%s' at priority %d, and '%s' at %s:%u:%u",
		second->file, second->line, second->column, source, b->decl->name,
		b->decl->text != NULL ? b->decl->text : "null", b->def.priority,
		a->decl->text != NULL ? a->decl->text : "null", first->file, first->line,
		first->column);
	base_error_fact(&problem, "key", b->decl->name);
	return tags_sink_take(at->sink, &problem);
}

/* Documents that say different things of the same tag at the same strength. Only definitions of one
 * owner are looked at together: a catalogue may have a hundred thousand of one key. Of one slot
 * they stand strongest first, and only the strongest can conflict: the others have lost to it
 * wherever their owner counts. */
static int check_list(definer *at, const uint32_t *list, uint32_t first, uint32_t count)
{
	int strongest = 0;

	for (uint32_t i = 0; i < count; i++) {
		const raw *a = &at->raws[list != NULL ? list[i] : first + i];
		const raw *before =
			i > 0 ? &at->raws[list != NULL ? list[i - 1] : first + i - 1] : NULL;

		if (before == NULL || before->def.slot != a->def.slot)
			strongest = a->def.priority;
		for (uint32_t j = i + 1; j < count; j++) {
			const raw *b = &at->raws[list != NULL ? list[j] : first + j];
			int rc = 0;

			if (b->def.slot != a->def.slot || b->def.priority != a->def.priority)
				break;
			rc = base_limit_check(
				BASE_LIMIT_KEY_DEFINITIONS, j - i + 1u, at->sink->err);
			if (rc == 0 && b->def.value != a->def.value &&
				a->def.priority == strongest &&
				a->decl->key->merge == HN_MERGE_SINGLE)
				rc = report_conflict(at, a, b);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int check_self(definer *at)
{
	const hn_catalog *catalog = at->catalog;
	int rc = check_list(at, catalog->platform, 0, catalog->platform_count);

	for (uint32_t i = 0; rc == 0 && i < catalog->tag_count; i++)
		rc = check_list(at, catalog->tags[i].defs, 0, catalog->tags[i].def_count);
	for (uint32_t i = 0; rc == 0 && i < catalog->policy_count; i++)
		rc = check_list(at, catalog->policies[i].defs, 0, catalog->policies[i].def_count);
	for (uint32_t i = 0; rc == 0 && i < catalog->unit_count; i++)
		rc = check_list(at, NULL, catalog->units[i].first_def, catalog->units[i].def_count);
	return rc;
}

/* --- all of it --- */

static size_t count_defs(const hn_catalog *catalog)
{
	size_t total = 0;

	for (size_t i = 0; i < catalog->decl_count; i++)
		for (size_t j = 0; j < catalog->decls[i]->fragment_count; j++)
			total += catalog->decls[i]->fragments[j].def_count;
	return total;
}

static int make_room(definer *at, size_t total)
{
	hn_catalog *catalog = at->catalog;
	size_t sources = (size_t)catalog->tag_count + catalog->policy_count + catalog->unit_count;

	at->raws = base_calloc(total + 1, sizeof(*at->raws));
	at->slots = base_map_new(NULL);
	at->values = base_map_new(NULL);
	at->items = base_map_new(NULL);
	catalog->slots = base_arena_alloc(catalog->arena, (total + 1) * sizeof(tags_slot));
	catalog->values = base_arena_alloc(catalog->arena, (total + 1) * sizeof(tags_value));
	catalog->sources = base_arena_alloc(catalog->arena, (sources + 1) * sizeof(char *));
	if (at->raws == NULL || at->slots == NULL || at->values == NULL || at->items == NULL ||
		catalog->slots == NULL || catalog->values == NULL || catalog->sources == NULL)
		return base_nomem(at->sink->err);
	return 0;
}

int tags_catalog_define(hn_catalog *catalog, tags_sink *sink)
{
	definer at = {.catalog = catalog, .sink = sink};
	size_t total = count_defs(catalog);
	int rc = make_room(&at, total);

	/* A chain entry keeps three bits for its mark and one for definitions made at run time. */
	if (rc == 0 && total >= TAGS_LOCAL)
		rc = base_error(sink->err, HN_ELIMIT, TAGS_ROOM, NULL, "too many definitions");
	if (rc == 0)
		rc = add_all(&at);
	if (rc == 0) {
		catalog->slot_count = (uint32_t)base_map_count(at.slots);
		catalog->value_count = (uint32_t)base_map_count(at.values) + 1;
		rc = sort_slots(&at);
	}
	if (rc == 0)
		rc = number_items(&at);
	if (rc == 0) {
		sort_raws(&at);
		rc = fill_tables(&at);
	}
	if (rc == 0)
		rc = check_self(&at);
	base_map_free(at.slots);
	base_map_free(at.values);
	base_map_free(at.items);
	base_free(at.raws);
	return rc;
}

uint32_t tags_catalog_slot(const hn_catalog *catalog, const hn_key *key, const char *name)
{
	const tags_slot wanted = {.key = key, .name = name};
	const tags_slot *found =
		bsearch(&wanted, catalog->slots, catalog->slot_count, sizeof(*found), compare_slot);

	return found == NULL ? TAGS_NONE : (uint32_t)(found - catalog->slots);
}
