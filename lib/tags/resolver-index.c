/* SPDX-License-Identifier: MIT
 *
 * Which units a tag or a policy reaches: a set of bits for each, so that an edit is looked for
 * where it is felt and nowhere else.
 */
#include "tags/resolver-private.h"

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

/* `move` NULL: the base is of the resolver's own catalogue. */
static int put_base(
	tags_index *index, const tags_base *base, const tags_renumbering *move, size_t unit)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < base->member_count; i++) {
		uint32_t tag = base->members[i].tag;

		tag = move != NULL ? move->to[TAGS_TABLE_TAGS][tag] : tag;
		rc = tag != TAGS_NONE ? put(index, tag, unit) : 0;
	}
	for (uint32_t i = 0; rc == 0 && i < base->policy_count; i++) {
		uint32_t policy = base->policies[i].policy;

		policy = move != NULL ? move->to[TAGS_TABLE_POLICIES][policy] : policy;
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

int tags_index_build(hn_resolver *resolver)
{
	tags_index *index = &resolver->index;
	int rc;

	if (index->sets != NULL)
		return 0;
	rc = tags_index_begin(index, resolver->catalog, resolver->count);
	for (size_t i = 0; rc == 0 && i < resolver->count; i++) {
		const tags_unit_state *entry = &resolver->entries[i];

		if (entry->dirty)
			continue;
		rc = entry->view == NULL ? put(index, tags_index_failed(index), i)
					 : put_base(index, entry->view->base,
						   tags_resolver_move(resolver, entry), i);
	}
	if (rc < 0)
		tags_index_drop(index);
	return rc;
}
