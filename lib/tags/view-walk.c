/* SPDX-License-Identifier: MIT
 *
 * Walks over a view: the names under a pattern such as disks.*, and all keys that have a value.
 */
#include "tags/tags-private.h"

enum { NAME_SIZE = 192 };

static size_t prefix_size(const hn_key *row)
{
	return (size_t)(strchr(row->name, '*') - row->name);
}

static bool same_group(const hn_key *a, const hn_key *b)
{
	size_t size = prefix_size(a);

	return prefix_size(b) == size && memcmp(a->name, b->name, size) == 0;
}

/* "disks." + "root" + ".size" */
static void concrete_name(const hn_key *row, const char *part, char out[NAME_SIZE])
{
	size_t before = prefix_size(row), size = strlen(part);

	memcpy(out, row->name, before);
	memcpy(out + before, part, size);
	memcpy(out + before + size, row->name + before + 1, strlen(row->name) - before);
}

bool tags_view_has_name(const hn_view *view, const hn_key *row, const char *part)
{
	bool unset = false, bounded = false;
	const uint32_t *chain;
	char name[NAME_SIZE];
	const hn_key *key;

	for (size_t i = 0; (key = hn_key_at(i)) != NULL; i++) {
		tags_found found;

		if (!tags_key_is_pattern(key) || !same_group(row, key))
			continue;
		concrete_name(key, part, name);
		tags_view_find(view, key, name, &found);
		if (tags_found_given(&found)) {
			if (key->merge == HN_MERGE_SINGLE)
				return true;
			bounded = true;
		} else if (key->merge == HN_MERGE_SINGLE) {
			unset |= tags_found_chain(view, &found, &chain) > 0;
		}
	}
	return bounded && !unset;
}

static int compare_parts(const char *a, const char *b, bool by_size)
{
	size_t a_size = strlen(a), b_size = strlen(b);

	if (by_size && a_size != b_size)
		return a_size < b_size ? -1 : 1;
	return strcmp(a, b);
}

/* Takes the name of this cell when it lies between `after` and the best so far. */
static void consider(const hn_key *row, const hn_key *key, const char *part, bool by_size,
	const char *after, const char **best)
{
	if (part == NULL || !same_group(row, key))
		return;
	if (after != NULL && compare_parts(part, after, by_size) <= 0)
		return;
	if (*best == NULL || compare_parts(part, *best, by_size) < 0)
		*best = part;
}

const char *tags_view_next_name(
	const hn_view *view, const hn_key *row, unsigned flags, const char *after)
{
	bool by_size = (flags & TAGS_BY_SIZE) != 0;
	const tags_base *base = view->base;
	const char *best;

	do {
		best = NULL;
		for (uint32_t i = 0; i < view->cell_count; i++)
			consider(row, view->cells[i].key, view->cells[i].part, by_size, after,
				&best);
		for (uint32_t i = 0; base != NULL && i < base->cell_count; i++) {
			const tags_slot *slot = &base->catalog->slots[base->cells[i].slot];

			consider(row, slot->key, slot->part, by_size, after, &best);
		}
		after = best;
	} while (best != NULL && (flags & TAGS_ALL_NAMES) == 0 &&
		 !tags_view_has_name(view, row, best));
	return best;
}

int hn_view_name_at(const hn_view *view, const char *prefix, size_t index, const char **name)
{
	size_t size = prefix != NULL ? strlen(prefix) : 0;
	const char *part = NULL;
	const hn_key *row;

	for (size_t i = 0; (row = hn_key_at(i)) != NULL; i++)
		if (tags_key_is_pattern(row) && prefix_size(row) == size &&
			memcmp(row->name, prefix, size) == 0)
			break;
	if (row == NULL)
		return HN_ENOENT;
	do
		part = tags_view_next_name(view, row, 0, part);
	while (part != NULL && index-- > 0);
	if (part == NULL)
		return HN_ENOENT;
	*name = part;
	return 0;
}

/* --- all keys --- */

static bool is_wanted(const hn_view *view, const tags_walk *walk)
{
	const uint32_t *chain;
	bool failed;

	if (walk->all && tags_found_chain(view, &walk->found, &chain) > 0)
		return true;
	return tags_found_given(&walk->found) ||
	       tags_found_text(view, &walk->found, &failed) != NULL;
}

/* The next concrete name of a pattern row that has a value under this row. */
static bool walk_names(const hn_view *view, tags_walk *walk, const hn_key *row)
{
	unsigned flags = (walk->by_size ? TAGS_BY_SIZE : 0) | (walk->all ? TAGS_ALL_NAMES : 0);
	const char *after = walk->inside ? walk->part : NULL;

	walk->inside = false;
	while (!walk->inside &&
		(walk->part = tags_view_next_name(view, row, flags, after)) != NULL) {
		after = walk->part;
		concrete_name(row, walk->part, walk->name);
		tags_view_find(view, row, walk->name, &walk->found);
		walk->inside = is_wanted(view, walk);
	}
	return walk->inside;
}

/* Each plain row once: `inside` says that the one at hand was given already. */
static bool walk_plain(const hn_view *view, tags_walk *walk, const hn_key *row)
{
	walk->part = NULL;
	if (walk->inside) {
		walk->inside = false;
		return false;
	}
	tags_view_find(view, row, row->name, &walk->found);
	walk->inside = is_wanted(view, walk);
	return walk->inside;
}

bool tags_view_walk(const hn_view *view, tags_walk *walk)
{
	for (; walk->pass < (walk->by_size ? 2 : 1); walk->pass++, walk->index = 0) {
		const hn_key *row;

		for (; (row = hn_key_at(walk->index)) != NULL; walk->index++) {
			bool pattern = tags_key_is_pattern(row);

			if (((walk->redact | view->redact) & row->redact) != 0)
				continue;
			if (walk->by_size && pattern != (walk->pass == 1))
				continue;
			if (pattern ? walk_names(view, walk, row) : walk_plain(view, walk, row))
				return true;
		}
	}
	return false;
}

static tags_listing *make_listing(const hn_view *view)
{
	size_t count = 0, texts = 0, bytes;
	tags_walk walk = {0};
	tags_listing *made;
	char *at;

	while (tags_view_walk(view, &walk)) {
		count++;
		texts += walk.part != NULL ? strlen(walk.found.name) + 1 : 0;
	}
	bytes = sizeof(*made) + count * sizeof(made->rows[0]);
	made = base_alloc(bytes + texts);
	if (made == NULL)
		return NULL;
	made->count = 0;
	at = (char *)made + bytes;
	walk = (tags_walk){0};
	while (tags_view_walk(view, &walk)) {
		made->rows[made->count].key = walk.found.key;
		made->rows[made->count].name = walk.found.key->name;
		if (walk.part != NULL) {
			size_t size = strlen(walk.found.name) + 1;

			made->rows[made->count].name = memcpy(at, walk.found.name, size);
			at += size;
		}
		made->count++;
	}
	return made;
}

int hn_view_key_at(const hn_view *view, size_t index, const char **name, const hn_key **key)
{
	/* The listing is a cache: a view stays the same to everyone who reads it. */
	_Atomic(tags_listing *) *place = &((hn_view *)(uintptr_t)(const void *)view)->listing;
	tags_listing *listing = atomic_load_explicit(place, memory_order_acquire), *made;

	if (listing == NULL) {
		made = make_listing(view);
		if (made == NULL)
			return HN_ENOMEM;
		if (atomic_compare_exchange_strong_explicit(
			    place, &listing, made, memory_order_acq_rel, memory_order_acquire))
			listing = made;
		else
			base_free(made);
	}
	if (index >= listing->count)
		return HN_ENOENT;
	*name = listing->rows[index].name;
	*key = listing->rows[index].key;
	return 0;
}
