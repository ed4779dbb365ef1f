/* SPDX-License-Identifier: MIT
 *
 * A unit's view: its own definitions merged over the base it shares with others, and the conflicts
 * that remain.
 */
#include "tags/tags-private.h"
#include <stdio.h>

enum { ENTRIES = 256 }; /* KEY_DEFINITIONS; a unit test holds the two together */

/* The slot being merged: its entries in chain order and what they stand for. */
typedef struct maker {
	const tags_subject *subject;
	tags_base *base;
	hn_view *view;
	size_t cell_capacity, chain_capacity, merged_capacity;
	uint32_t chain_count, count;
	uint32_t *entries;
	tags_entry *terms;
	hn_error **err;
} maker;

void tags_view_entry(const hn_view *view, uint32_t entry, tags_entry *out)
{
	uint32_t id = tags_chain_def(entry);
	hn_origin *origin = &out->origin;

	*origin = (hn_origin){.size = sizeof(*origin), .mark = tags_chain_mark(entry)};
	if ((entry & TAGS_LOCAL) != 0) {
		const tags_local *local = &view->locals[id];

		origin->layer = local->layer;
		origin->priority = local->priority;
		origin->source = local->source;
		origin->file = local->file;
		origin->line = local->line;
		origin->column = local->column;
		origin->note = local->note;
		origin->who = local->who;
		origin->when = local->when;
		out->order = local->order;
		out->value = local->null ? NULL : &local->value;
	} else {
		const hn_catalog *catalog = view->base->catalog;
		const tags_def *def = &catalog->defs[id];

		origin->layer = (hn_layer)def->layer;
		origin->priority = def->priority;
		origin->source = catalog->sources[def->source];
		origin->file = catalog->places[id].file;
		origin->line = catalog->places[id].line;
		origin->column = catalog->places[id].column;
		out->order = def->order;
		out->value = def->value != 0 ? &catalog->values[def->value] : NULL;
	}
	origin->value = out->value != NULL ? out->value->text : "null";
}

/* --- one slot --- */

static int compare_optional(const char *a, const char *b)
{
	return a == b ? 0 : strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

/* The chain order of the catalogue, for entries of any kind. */
static int compare_entries(const hn_key *key, const tags_entry *a, const tags_entry *b)
{
	const hn_origin *left = &a->origin, *right = &b->origin;
	int order = key->merge == HN_MERGE_ORDERED_LIST ? a->order - b->order
							: left->priority - right->priority;

	if (order == 0)
		order = (int)left->layer - (int)right->layer;
	if (order == 0)
		order = compare_optional(left->file, right->file);
	if (order == 0)
		order = (left->line > right->line) - (left->line < right->line);
	if (order == 0)
		order = (left->column > right->column) - (left->column < right->column);
	if (order == 0)
		order = strcmp(left->source, right->source);
	if (order == 0)
		order = strcmp(left->value, right->value);
	return order;
}

static int add_entry(maker *at, const hn_key *key, const char *name, uint32_t entry)
{
	tags_entry added;
	uint32_t i;

	tags_view_entry(at->view, entry, &added);
	if (at->count == ENTRIES) {
		base_limit_check(BASE_LIMIT_KEY_DEFINITIONS, at->count + 1u, at->err);
		return base_error_wrap(at->err, HN_ELIMIT, TAGS_ROOM,
			"%s of unit '%s' has too many definitions", name, at->view->unit);
	}
	for (i = at->count++; i > 0 && compare_entries(key, &at->terms[i - 1], &added) > 0; i--) {
		at->terms[i] = at->terms[i - 1];
		at->entries[i] = at->entries[i - 1];
	}
	at->terms[i] = added;
	at->entries[i] = tags_chain_entry(entry, HN_MARK_WON);
	return 0;
}

/* The list or set that the entries make together. */
static int merge_own_items(maker *at, const hn_key *key, tags_own_cell *cell)
{
	BASE_AUTO_BUF base_buf packed = {0};
	uint32_t count = 0;
	tags_parsed *parsed;
	tags_value *value;

	for (uint32_t i = 0; i < at->count; i++) {
		const tags_value *from = at->terms[i].value;
		const char *item = from != NULL ? from->items : "";

		for (uint32_t j = 0; from != NULL && j < from->item_count; j++, count++) {
			base_buf_add(&packed, item, strlen(item) + 1);
			item += strlen(item) + 1;
		}
	}
	if (at->view->arena == NULL)
		at->view->arena = base_arena_new();
	if (at->view->arena == NULL ||
		base_grow(&at->view->merged, &at->merged_capacity, at->view->merged_count + 1u,
			sizeof(*at->view->merged)) < 0)
		return base_nomem(at->err);
	parsed = &at->view->merged[at->view->merged_count++];
	*parsed = (tags_parsed){0};
	if (tags_items_finish(key, &packed, count, parsed) < 0)
		return base_nomem(at->err);
	if (base_limit_check(BASE_LIMIT_LIST_ITEMS, parsed->item_count, at->err) < 0)
		return base_error_wrap(at->err, HN_ELIMIT, TAGS_ROOM,
			"%s of unit '%s' has too many items", cell->name, at->view->unit);
	value = base_arena_alloc(at->view->arena, sizeof(*value));
	if (value == NULL)
		return base_nomem(at->err);
	*value = (tags_value){.text = parsed->text.data,
		.items = parsed->items.data != NULL ? parsed->items.data : "",
		.item_count = parsed->item_count};
	cell->value = value;
	return 0;
}

static int finish_cell(maker *at, const hn_key *key, const char *name, const char *part)
{
	hn_view *view = at->view;
	tags_term terms[ENTRIES];
	tags_outcome outcome;
	tags_own_cell *cell;

	for (uint32_t i = 0; i < at->count; i++)
		terms[i] = (tags_term){.value = at->terms[i].value,
			.priority = (int16_t)at->terms[i].origin.priority};
	outcome = tags_merge(key, terms, at->count);
	if (base_grow(&view->cells, &at->cell_capacity, view->cell_count + 1u,
		    sizeof(*view->cells)) < 0 ||
		base_grow(&view->chains, &at->chain_capacity, at->chain_count + at->count,
			sizeof(*view->chains)) < 0)
		return base_nomem(at->err);
	cell = &view->cells[view->cell_count++];
	*cell = (tags_own_cell){.key = key,
		.name = name,
		.part = part,
		.chain = at->chain_count,
		.count = (uint16_t)at->count,
		.flags = outcome.flags};
	for (uint32_t i = 0; i < at->count; i++)
		view->chains[at->chain_count++] =
			tags_chain_entry(at->entries[i], (hn_mark)terms[i].mark);
	if ((outcome.flags & TAGS_CELL_MERGED) != 0)
		return merge_own_items(at, key, cell);
	if ((outcome.flags & TAGS_CELL_NULL) == 0)
		cell->value = terms[outcome.winner].value;
	return 0;
}

/* --- all slots with definitions of the unit's own --- */

static int compare_key(const hn_key *a, const char *a_name, const hn_key *b, const char *b_name)
{
	if (a != b)
		return a->id < b->id ? -1 : 1;
	return strcmp(a_name, b_name);
}

/* Begins a slot with what the base has for it. */
static int begin_cell(maker *at, const hn_key *key, const char *name)
{
	const uint32_t *chain = NULL;
	tags_found found;
	uint32_t count;
	int rc = 0;

	at->count = 0;
	tags_view_find(at->view, key, name, &found);
	count = tags_found_chain(at->view, &found, &chain);
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = add_entry(at, key, name, chain[i]);
	return rc;
}

/* Declared and runtime definitions of the unit are both sorted by slot: walk them side by side. */
static int make_cells(maker *at)
{
	const hn_catalog *catalog = at->subject->catalog;
	const tags_unit *unit = at->subject->unit;
	const tags_input *input = at->subject->input;
	uint32_t i = unit != NULL ? unit->first_def : 0, j = 0;
	uint32_t i_end = unit != NULL ? i + unit->def_count : 0;
	uint32_t j_end = input != NULL ? input->local_count : 0;

	while (i < i_end || j < j_end) {
		const tags_slot *slot = i < i_end ? &catalog->slots[catalog->defs[i].slot] : NULL;
		const tags_local *local = j < j_end ? &input->locals[j] : NULL;
		int order = slot == NULL ? 1
			    : local == NULL
				    ? -1
				    : compare_key(slot->key, slot->name, local->key, local->name);
		const hn_key *key = order <= 0 ? slot->key : local->key;
		const char *name = order <= 0 ? slot->name : local->name;
		const char *part = order <= 0 ? slot->part : local->part;
		int rc = begin_cell(at, key, name);

		for (; rc == 0 && i < i_end && &catalog->slots[catalog->defs[i].slot] == slot &&
			order <= 0;
			i++)
			rc = add_entry(at, key, name, i);
		for (; rc == 0 && j < j_end && order >= 0 && input->locals[j].key == key &&
			strcmp(input->locals[j].name, name) == 0;
			j++)
			rc = add_entry(at, key, name, j | TAGS_LOCAL);
		if (rc == 0)
			rc = finish_cell(at, key, name, part);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- conflicts --- */

static const char *number_word(uint32_t number, char text[12])
{
	static const char *const words[] = {"no", "one", "two", "three", "four", "five", "six"};

	if (number < BASE_COUNT(words))
		return words[number];
	snprintf(text, 12, "%u", number);
	return text;
}

static void print_own_priority(
	base_buf *out, const hn_origin *origin, const char *which, int priority)
{
	base_buf_format(out, "give one value a %s number (", which);
	if (tags_is_nix(origin->file))
		base_buf_format(out, "lib.mkOverride %d, in JSON ", priority);
	base_buf_format(out, "$priority = %d at %s:%u:%u) | ", priority, origin->file, origin->line,
		origin->column);
}

/* What can be done: `last` is the definition that is named last; `own`: it has a priority of its
 * own. */
static void print_ways_out(base_buf *out, const tags_entry *last, bool own, bool all_tags)
{
	const hn_origin *origin = &last->origin;
	bool tag = origin->layer == HN_LAYER_TAG, policy = origin->layer == HN_LAYER_POLICY;
	const tags_layer_rule *rule = tags_entity_rule(tag ? TAGS_TAG : TAGS_POLICY);
	bool smaller = origin->priority - 10 >= rule->low;
	int other = origin->priority + (smaller ? -10 : 10);

	base_buf_text(out, "ways out: ");
	if ((tag || policy) && own)
		print_own_priority(out, origin, smaller ? "smaller" : "larger", other);
	else if (tag || policy)
		base_buf_format(out, "give one %s a %s number (%s.%s.priority = %d) | ",
			tag ? "tag" : "policy", smaller ? "smaller" : "larger",
			tag ? "tags" : "policies", strchr(origin->source, ':') + 1, other);
	if (origin->layer == HN_LAYER_PLATFORM)
		base_buf_text(out, "keep one of the two defaults | ");
	if (origin->priority > 100)
		base_buf_text(out, "set it on the unit (wins at 100)");
	else if (origin->priority > 10)
		base_buf_text(
			out, "take one of the two away | pass both by break-glass (wins at 10)");
	else
		base_buf_text(out, "take one of the two away");
	if (all_tags)
		base_buf_text(out, " | make the tags exclusive (same kind)");
}

/* The definitions at the winning priority, one a line, in columns. */
static void print_rivals(base_buf *out, const tags_entry *rivals, uint32_t count)
{
	int value = 0, source = 0;

	for (uint32_t i = 0; i < count; i++) {
		int value_size = (int)strlen(rivals[i].origin.value);
		int source_size = (int)strlen(rivals[i].origin.source);

		value = value_size > value ? value_size : value;
		source = source_size > source ? source_size : source;
	}
	for (uint32_t i = 0; i < count; i++) {
		const hn_origin *origin = &rivals[i].origin;

		if (origin->file != NULL)
			base_buf_format(out, "\n  %-*s   %-*s   %s:%u:%u", value, origin->value,
				source, origin->source, origin->file, origin->line, origin->column);
		else
			base_buf_format(out, "\n  %-*s   %s", value, origin->value, origin->source);
	}
}

static uint32_t count_values(const tags_entry *rivals, uint32_t count)
{
	uint32_t values = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t j = 0;

		while (strcmp(rivals[j].origin.value, rivals[i].origin.value) != 0)
			j++;
		values += j == i;
	}
	return values;
}

static void add_facts(hn_error **err, const char *unit, const char *name, const tags_entry *rivals,
	uint32_t count)
{
	base_error_fact(err, "unit", unit);
	base_error_fact(err, "key", name);
	for (uint32_t i = 0; i < count; i++) {
		base_error_fact(err, "source", rivals[i].origin.source);
		base_error_fact(err, "value", rivals[i].origin.value);
		if (rivals[i].origin.file == NULL)
			continue;
		base_error_fact(err, "file", rivals[i].origin.file);
		base_error_fact_number(err, "line", rivals[i].origin.line);
	}
}

static int report_conflict(maker *at, const tags_found *found)
{
	BASE_AUTO_BUF base_buf text = {0}, ways = {0};
	const char *unit = at->view->unit;
	const uint32_t *chain = NULL;
	uint32_t count = tags_found_chain(at->view, found, &chain), rivals = 0;
	char number[12];
	bool all_tags = true, own;

	for (; rivals < count; rivals++) {
		tags_view_entry(at->view, chain[rivals], &at->terms[rivals]);
		if (at->terms[rivals].origin.priority != at->terms[0].origin.priority)
			break;
		all_tags &= at->terms[rivals].origin.layer == HN_LAYER_TAG;
	}
	print_rivals(&text, at->terms, rivals);
	own = (chain[rivals - 1] & TAGS_LOCAL) == 0 &&
	      at->base->catalog->defs[tags_chain_def(chain[rivals - 1])].own_priority;
	print_ways_out(&ways, &at->terms[rivals - 1], own, all_tags);
	if (text.failed || ways.failed)
		return base_nomem(at->err);
	base_error(at->err, HN_ECONFLICT, TAGS_ROOM, ways.data,
		"conflict in unit '%s': %s has %s values at priority %d%s", unit, found->name,
		number_word(count_values(at->terms, rivals), number), at->terms[0].origin.priority,
		text.data);
	add_facts(at->err, unit, found->name, at->terms, rivals);
	return HN_ECONFLICT;
}

/* The first slot, by key and name, where two values remain. */
static int check_conflicts(maker *at)
{
	const tags_base *base = at->base;
	tags_found first = {0};

	for (uint32_t i = 0; i < at->view->cell_count && first.key == NULL; i++) {
		const tags_own_cell *cell = &at->view->cells[i];

		if ((cell->flags & TAGS_CELL_CONFLICT) != 0)
			first = (tags_found){.key = cell->key, .name = cell->name, .own = cell};
	}
	for (uint32_t i = 0; base->conflict_count > 0 && i < base->cell_count; i++) {
		const tags_slot *slot = &base->catalog->slots[base->cells[i].slot];
		tags_found found;

		if ((base->cells[i].flags & TAGS_CELL_CONFLICT) == 0)
			continue;
		tags_view_find(at->view, slot->key, slot->name, &found);
		if (found.own != NULL)
			continue; /* merged again with the unit's own: looked at above */
		if (first.key == NULL ||
			compare_key(slot->key, slot->name, first.key, first.name) < 0)
			first = found;
		break;
	}
	return first.key != NULL ? report_conflict(at, &first) : 0;
}

/* --- limits --- */

static int check_names(maker *at)
{
	size_t limit = (size_t)base_limit(BASE_LIMIT_MAP_NAMES);
	const hn_key *row;

	if (at->base->named_count + at->view->cell_count <= limit)
		return 0;
	for (size_t i = 0; (row = hn_key_at(i)) != NULL; i++) {
		const char *after = NULL;
		size_t count = 0;

		if (!tags_key_is_pattern(row))
			continue;
		while ((after = tags_view_next_name(at->view, row, 0, after)) != NULL) {
			if (++count <= limit)
				continue;
			base_limit_check(BASE_LIMIT_MAP_NAMES, count, at->err);
			return base_error_wrap(at->err, HN_ELIMIT, TAGS_ROOM,
				"unit '%s' has too many names under %s", at->view->unit, row->name);
		}
	}
	return 0;
}

/* --- the view --- */

static void trim(maker *at)
{
	hn_view *view = at->view;
	void *smaller;

	smaller = base_realloc(view->cells, view->cell_count * sizeof(*view->cells));
	view->cells = smaller != NULL ? smaller : view->cells;
	smaller = base_realloc(view->chains, at->chain_count * sizeof(*view->chains));
	view->chains = smaller != NULL ? smaller : view->chains;
}

int tags_view_new(const tags_subject *subject, tags_base *base, hn_view **view, hn_error **err)
{
	size_t name_size = strlen(subject->name) + 1;
	BASE_AUTO_OF(hn_view) hn_view *made = base_calloc(1, sizeof(*made) + name_size);
	uint32_t entries[ENTRIES];
	tags_entry terms[ENTRIES];
	maker at = {.subject = subject,
		.base = base,
		.view = made,
		.entries = entries,
		.terms = terms,
		.err = err};
	int rc;

	if (made == NULL)
		return base_nomem(err);
	atomic_init(&made->refs, 1);
	made->base = tags_base_ref(base);
	made->unit = memcpy(made + 1, subject->name, name_size);
	if (subject->input != NULL) {
		made->input = tags_input_ref((tags_input *)(uintptr_t)(const void *)subject->input);
		made->locals = made->input->locals;
		made->local_count = made->input->local_count;
	}
	rc = make_cells(&at);
	if (rc == 0)
		rc = check_conflicts(&at);
	if (rc == 0)
		rc = check_names(&at);
	if (rc < 0)
		return rc;
	if (made->cell_count > 0)
		trim(&at);
	*view = BASE_STEAL(made);
	return 0;
}
