/* SPDX-License-Identifier: MIT
 *
 * Views: a shared base with the unit's own definitions on top, and how values are read from it.
 */
#include "tags/tags-private.h"

hn_view *hn_view_ref(hn_view *view)
{
	if (view != NULL)
		atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
	return view;
}

static void free_parts(hn_view *view)
{
	for (uint32_t i = 0; i < view->merged_count; i++)
		tags_parsed_free(&view->merged[i]);
	base_free(view->merged);
	base_free(view->cells);
	base_free(view->chains);
	base_arena_free(view->arena);
	tags_input_unref(view->input);
	tags_base_unref(view->base);
}

hn_view *hn_view_unref(hn_view *view)
{
	if (view == NULL || atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) != 1)
		return NULL;
	base_free(atomic_load_explicit(&view->listing, memory_order_acquire));
	free_parts(view);
	base_free(view);
	return NULL;
}

const char *hn_view_unit(const hn_view *view)
{
	return view->unit;
}

/* --- finding --- */

static int compare_key(const hn_key *a, const char *a_name, const hn_key *b, const char *b_name)
{
	if (a != b)
		return a->id < b->id ? -1 : 1;
	return a_name == b_name ? 0 : strcmp(a_name, b_name);
}

static const tags_own_cell *find_own(const hn_view *view, const hn_key *key, const char *name)
{
	uint32_t low = 0, high = view->cell_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const tags_own_cell *cell = &view->cells[middle];
		int order = compare_key(cell->key, cell->name, key, name);

		if (order == 0)
			return cell;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const tags_cell *find_base(const tags_base *base, const hn_key *key, const char *name)
{
	uint32_t slot, low = 0, high;

	if (base == NULL)
		return NULL;
	slot = tags_catalog_slot(base->catalog, key, name);
	for (high = slot != TAGS_NONE ? base->cell_count : 0; low < high;) {
		uint32_t middle = low + (high - low) / 2;

		if (base->cells[middle].slot == slot)
			return &base->cells[middle];
		if (base->cells[middle].slot < slot)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

void tags_view_find(const hn_view *view, const hn_key *key, const char *name, tags_found *found)
{
	*found = (tags_found){.key = key, .name = name};
	found->own = find_own(view, key, name);
	if (found->own == NULL)
		found->cell = find_base(view->base, key, name);
}

bool tags_found_given(const tags_found *found)
{
	unsigned flags = found->own != NULL    ? found->own->flags
			 : found->cell != NULL ? found->cell->flags
					       : TAGS_CELL_NULL;

	return (flags & TAGS_CELL_NULL) == 0;
}

/* A view that was read back without its explanation has no chains at all. */
static uint32_t chain_of(
	const uint32_t *chains, uint32_t first, uint32_t count, const uint32_t **chain)
{
	*chain = count > 0 ? chains + first : NULL;
	return count;
}

uint32_t tags_found_chain(const hn_view *view, const tags_found *found, const uint32_t **chain)
{
	if (found->own != NULL)
		return chain_of(view->chains, found->own->chain, found->own->count, chain);
	if (found->cell != NULL)
		return chain_of(view->base->chains, found->cell->chain, found->cell->count, chain);
	return 0;
}

/* --- values --- */

/* Prints a merged list or set once; two threads that are first at the same time agree on one text.
 */
static const char *merged_text(const tags_base *base, const tags_cell *cell, bool *failed)
{
	tags_merged *merged = &base->merged[cell->value];
	char *text = atomic_load_explicit(&merged->text, memory_order_acquire), *expected = NULL;
	const hn_key *key = base->catalog->slots[cell->slot].key;
	BASE_AUTO_BUF base_buf out = {0};

	if (text != NULL)
		return text;
	base_buf_text(&out, "");
	for (uint32_t i = 0; i < merged->count; i++) {
		if (i > 0)
			base_buf_text(&out, tags_items_divider(key));
		base_buf_text(&out, base->catalog->items[base->items[merged->first + i]]);
	}
	text = base_buf_take(&out);
	*failed = text == NULL;
	if (text != NULL && !atomic_compare_exchange_strong_explicit(&merged->text, &expected, text,
				    memory_order_acq_rel, memory_order_acquire)) {
		base_free(text);
		text = expected;
	}
	return text;
}

static const tags_value *found_value(const hn_view *view, const tags_found *found)
{
	if (found->own != NULL)
		return found->own->value;
	if (found->cell == NULL || (found->cell->flags & (TAGS_CELL_NULL | TAGS_CELL_MERGED)) != 0)
		return NULL;
	return &view->base->catalog->values[found->cell->value];
}

static bool name_used(const hn_view *view, const tags_found *found)
{
	tags_part part;
	char name[64];

	if (tags_key_match(found->name, strlen(found->name), &part) == NULL)
		return false;
	memcpy(name, part.text, part.size);
	name[part.size] = '\0';
	return tags_view_has_name(view, found->key, name);
}

/* A pattern row's default counts only where its name is used at all. */
static bool has_default(const hn_view *view, const tags_found *found)
{
	if (found->key->default_text == NULL)
		return false;
	return !tags_key_is_pattern(found->key) || name_used(view, found);
}

/* An entry that a null took away has no values left, also none of those that null does not unset.
 */
static bool taken_away(const hn_view *view, const tags_found *found)
{
	return found->key->merge != HN_MERGE_SINGLE && tags_key_is_pattern(found->key) &&
	       !name_used(view, found);
}

const char *tags_found_text(const hn_view *view, const tags_found *found, bool *failed)
{
	const tags_value *value = found_value(view, found);

	*failed = false;
	if (taken_away(view, found))
		return NULL;
	if (value != NULL)
		return value->text;
	if (tags_found_given(found))
		return merged_text(view->base, found->cell, failed);
	return has_default(view, found) ? found->key->default_text : NULL;
}

uint32_t hn_view_redacted(const hn_view *view)
{
	return view->redact;
}

int tags_view_tells(const hn_view *view, const hn_key *key, const char *name, hn_error **err)
{
	char text[BASE_REDACT_SIZE];
	int rc;

	if ((view->redact & key->redact) == 0)
		return 0;
	rc = base_error(err, HN_EDENIED, TAGS_ROOM, NULL, "%s is left out for the token (%s)", name,
		base_redact_text(view->redact & key->redact, text));
	base_error_plain(err);
	return rc;
}

static int find_key(const hn_view *view, const char *name, tags_found *found, hn_error **err)
{
	tags_part part;
	const hn_key *key = name != NULL ? tags_key_match(name, strlen(name), &part) : NULL;
	const char *near;

	if (key != NULL) {
		tags_view_find(view, key, name, found);
		return tags_view_tells(view, key, name, err);
	}
	near = hn_key_nearest(name);
	base_error(err, HN_ESCHEMA, TAGS_ROOM, NULL, "there is no key '%.200s'",
		name != NULL ? name : "");
	if (near != NULL)
		base_error_hint(err, "did you mean %s?", near);
	return HN_ESCHEMA;
}

int hn_view_get_text(const hn_view *view, const char *key, const char **text, hn_error **err)
{
	tags_found found;
	const char *read;
	bool failed;
	int rc = find_key(view, key, &found, err);

	if (rc < 0)
		return rc;
	read = tags_found_text(view, &found, &failed);
	if (failed)
		return base_nomem(err);
	if (read == NULL)
		return base_error(err, HN_ENOENT, TAGS_ROOM, NULL, "unit '%s' has no value for %s",
			view->unit, key);
	*text = read;
	return 0;
}

int tags_found_number(const hn_view *view, const tags_found *found, int64_t *number)
{
	TAGS_AUTO_PARSED tags_parsed parsed = {0};
	const tags_value *value = found_value(view, found);
	const char *text;
	bool failed;
	int rc;

	if (value != NULL && !taken_away(view, found)) {
		*number = value->number;
		return value->word ? HN_ERANGE : 0;
	}
	text = tags_found_text(view, found, &failed);
	if (text == NULL)
		return failed ? HN_ENOMEM : HN_ENOENT;
	rc = tags_value_parse(found->key, text, strlen(text), &parsed, NULL);
	if (rc < 0)
		return rc;
	*number = parsed.number;
	return parsed.word ? HN_ERANGE : 0;
}

int hn_view_get_int(const hn_view *view, const char *key, int64_t *number, hn_error **err)
{
	tags_found found;
	const char *text;
	int64_t read;
	int rc = find_key(view, key, &found, err);

	if (rc < 0)
		return rc;
	if (found.key->type > HN_TYPE_ENUM)
		return base_error(err, HN_EINVAL, TAGS_ROOM, NULL,
			"%s is a %s, which has no number", key, hn_type_name(found.key->type));
	rc = tags_found_number(view, &found, &read);
	if (rc == HN_ENOMEM)
		return base_nomem(err);
	if (rc < 0) {
		int missing = hn_view_get_text(view, key, &text, err);

		return missing < 0 ? missing
				   : base_error(err, HN_ERANGE, TAGS_ROOM, NULL,
					     "%s is the word '%s'", key, text);
	}
	*number = read;
	return 0;
}

int hn_view_get_item(const hn_view *view, const char *key, size_t index, const char **text)
{
	const tags_value *value;
	const tags_merged *merged;
	const char *item;
	tags_found found;
	int rc = find_key(view, key, &found, NULL);

	if (rc < 0)
		return rc;
	if (!tags_key_is_many(found.key))
		return HN_EINVAL;
	if (!tags_found_given(&found))
		return HN_ENOENT;
	value = found_value(view, &found);
	if (value != NULL) {
		if (index >= value->item_count)
			return HN_ENOENT;
		for (item = value->items; index > 0; index--)
			item += strlen(item) + 1;
		*text = item;
		return 0;
	}
	merged = &view->base->merged[found.cell->value];
	if (index >= merged->count)
		return HN_ENOENT;
	*text = view->base->catalog->items[view->base->items[merged->first + index]];
	return 0;
}

/* --- tags and policies --- */

size_t hn_view_tag_count(const hn_view *view)
{
	return view->base != NULL ? view->base->member_count : view->tag_count;
}

int hn_view_tag_at(const hn_view *view, size_t index, const char **name, const char **how)
{
	if (index >= hn_view_tag_count(view))
		return HN_ENOENT;
	if (view->base == NULL) {
		*name = view->tag_names[index];
		*how = view->tag_hows[index];
		return 0;
	}
	*name = view->base->catalog->tags[view->base->members[index].tag].name;
	*how = tags_member_how(view->base->catalog, &view->base->members[index]);
	return 0;
}

static bool is_member(const tags_base *base, uint32_t tag)
{
	size_t from = 0, to = base->member_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (base->members[middle].tag < tag)
			from = middle + 1;
		else
			to = middle;
	}
	return from < base->member_count && base->members[from].tag == tag;
}

bool tags_view_has(const hn_view *view, const char *tag, size_t size)
{
	const tags_base *base = view->base;
	uintptr_t number;

	if (base == NULL) {
		for (size_t i = 0; i < view->tag_count; i++)
			if (strncmp(view->tag_names[i], tag, size) == 0 &&
				view->tag_names[i][size] == '\0')
				return true;
		return false;
	}
	number = (uintptr_t)base_map_get(base->catalog->tag_names, tag, size);
	return number != 0 && is_member(base, (uint32_t)(number - 1));
}

int hn_view_policy_at(const hn_view *view, size_t index, const char **name, const char **how)
{
	size_t count = view->base != NULL ? view->base->policy_count : view->policy_count;

	if (index >= count)
		return HN_ENOENT;
	if (view->base == NULL) {
		*name = view->policy_names[index];
		*how = view->policy_hows[index];
		return 0;
	}
	*name = view->base->catalog->policies[view->base->policies[index].policy].name;
	*how = tags_applied_how(view->base->catalog, &view->base->policies[index]);
	return 0;
}
