/* SPDX-License-Identifier: MIT
 *
 * Which units a tag or a policy reaches: a set of bits for each, so that an edit is looked for
 * where it is felt and nowhere else.
 */
#include "tags/resolver-private.h"

/* Numbers of an older catalogue as those of the resolver's. */
typedef struct renumbering {
	const hn_catalog *catalog;
	uint32_t *tags, *policies;
} renumbering;

typedef struct builder {
	hn_resolver *resolver;
	renumbering *known;
	size_t count, capacity;
} builder;

void tags_index_drop(tags_index *index)
{
	for (size_t i = 0; index->sets != NULL && i < tags_index_size(index); i++)
		base_free(index->sets[i]);
	base_free(index->sets);
	*index = (tags_index){0};
}

int tags_index_begin(tags_index *index, const hn_catalog *catalog, size_t units)
{
	tags_index_drop(index);
	index->tag_count = catalog->tag_count;
	index->policy_count = catalog->policy_count;
	index->words = units / 64 + 1;
	index->sets = base_calloc(tags_index_size(index), sizeof(*index->sets));
	return index->sets != NULL ? 0 : HN_ENOMEM;
}

static int put(tags_index *index, size_t set, size_t unit)
{
	if (index->sets[set] == NULL)
		index->sets[set] = base_calloc(index->words, sizeof(uint64_t));
	if (index->sets[set] == NULL)
		return HN_ENOMEM;
	index->sets[set][unit / 64] |= UINT64_C(1) << (unit % 64);
	return 0;
}

/* `map` NULL: the base was made from the resolver's own catalogue. */
static int put_base(tags_index *index, const tags_base *base, const renumbering *map, size_t unit)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < base->member_count; i++) {
		uint32_t tag = base->members[i].tag;

		tag = map != NULL ? map->tags[tag] : tag;
		rc = tag != TAGS_NONE ? put(index, tag, unit) : 0;
	}
	for (uint32_t i = 0; rc == 0 && i < base->policy_count; i++) {
		uint32_t policy = base->policies[i].policy;

		policy = map != NULL ? map->policies[policy] : policy;
		rc = policy != TAGS_NONE ? put(index, index->tag_count + policy, unit) : 0;
	}
	return rc;
}

void tags_index_add(hn_resolver *resolver, const tags_unit_state *entry)
{
	tags_index *index = &resolver->index;
	size_t unit = (size_t)(entry - resolver->entries);
	int rc;

	if (index->sets == NULL)
		return;
	rc = entry->view != NULL ? put_base(index, entry->view->base, NULL, unit)
				 : put(index, tags_index_failed(index), unit);
	/* Without memory there is no index; the next catalogue asks for one again. */
	if (rc < 0)
		tags_index_drop(index);
}

void tags_index_remove(tags_index *index, size_t unit)
{
	for (size_t i = 0; index->sets != NULL && i < tags_index_size(index); i++)
		if (index->sets[i] != NULL)
			index->sets[i][unit / 64] &= ~(UINT64_C(1) << (unit % 64));
}

/* --- out of views --- */

static const renumbering *find_map(builder *at, const hn_catalog *catalog)
{
	const hn_catalog *to = at->resolver->catalog;
	renumbering *made;

	for (size_t i = at->count; i-- > 0;)
		if (at->known[i].catalog == catalog)
			return &at->known[i];
	if (base_grow(&at->known, &at->capacity, at->count + 1, sizeof(*at->known)) < 0)
		return NULL;
	made = &at->known[at->count];
	made->catalog = catalog;
	made->tags = base_alloc(
		((size_t)catalog->tag_count + catalog->policy_count + 1) * sizeof(uint32_t));
	if (made->tags == NULL)
		return NULL;
	at->count++;
	made->policies = made->tags + catalog->tag_count;
	for (uint32_t i = 0; i < catalog->tag_count; i++)
		made->tags[i] = tags_catalog_tag(to, catalog->tags[i].name);
	for (uint32_t i = 0; i < catalog->policy_count; i++)
		made->policies[i] = tags_catalog_policy(to, catalog->policies[i].name);
	return made;
}

static int put_all(builder *at)
{
	hn_resolver *resolver = at->resolver;

	for (size_t i = 0; i < resolver->count; i++) {
		const tags_unit_state *entry = &resolver->entries[i];
		const renumbering *map = NULL;
		int rc;

		if (entry->dirty)
			continue;
		if (entry->view == NULL) {
			rc = put(&resolver->index, tags_index_failed(&resolver->index), i);
		} else {
			map = find_map(at, entry->view->base->catalog);
			rc = map != NULL ? put_base(&resolver->index, entry->view->base, map, i)
					 : HN_ENOMEM;
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

int tags_index_build(hn_resolver *resolver)
{
	builder at = {.resolver = resolver};
	int rc;

	if (resolver->index.sets != NULL)
		return 0;
	rc = tags_index_begin(&resolver->index, resolver->catalog, resolver->count);
	if (rc == 0)
		rc = put_all(&at);
	for (size_t i = 0; i < at.count; i++)
		base_free(at.known[i].tags);
	base_free(at.known);
	if (rc < 0)
		tags_index_drop(&resolver->index);
	return rc;
}
