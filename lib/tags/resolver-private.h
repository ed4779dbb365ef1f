/* SPDX-License-Identifier: MIT
 *
 * The resolver's inside: shared by resolving and by the comparison of two catalogues.
 */
#ifndef RESOLVER_PRIVATE_H
#define RESOLVER_PRIVATE_H

#include "tags/tags-private.h"

/* Views may rest on that many older catalogues before they are made anew, so that edits do not pile
 * up memory. */
enum { TAGS_OLD_CATALOGS = 16 };

/* One unit, declared or not. */
typedef struct tags_unit_state {
	char *name;
	uint32_t unit;     /* in the catalogue, or TAGS_NONE */
	bool dirty;        /* must be resolved again */
	bool fresh;        /* while a new catalogue is taken: not yet of the resolver */
	uint32_t epoch;    /* of the resolver when the view was made */
	tags_input *input; /* NULL: only as declared */
	hn_view *view;     /* NULL while dirty for the first time, or failed */
	hn_error *error;
} tags_unit_state;

/* The units that each tag, then each policy of the resolver's catalogue reaches, then those that
 * could not be resolved. Bits are places among the entries; those of dirty entries are clear. */
typedef struct tags_index {
	uint64_t **sets; /* NULL: there is no index now; one set NULL: empty */
	uint32_t tag_count, policy_count;
	size_t words; /* of a set */
} tags_index;

struct hn_resolver {
	hn_catalog *catalog;
	tags_unit_state *entries; /* sorted by name */
	size_t count, capacity;
	base_map *memo; /* tags and policies, as bytes, to tags_base of this catalogue */
	uint64_t *key;  /* of the memo, being asked for */
	size_t key_capacity;
	uint32_t epoch; /* catalogues taken so far */
	tags_index index;
	tags_scratch scratch;
	tags_membership *membership;
	hn_resolve_stats stats;
};
BASE_AUTO(hn_resolver, hn_resolver_free)

static inline size_t tags_index_failed(const tags_index *index)
{
	return (size_t)index->tag_count + index->policy_count;
}
static inline size_t tags_index_size(const tags_index *index)
{
	return tags_index_failed(index) + 1;
}
int tags_index_begin(tags_index *index, const hn_catalog *catalog, size_t units);
/* Makes the index out of the views when there is none. */
int tags_index_build(hn_resolver *resolver);
void tags_index_drop(tags_index *index);
/* An entry that was resolved just now. */
void tags_index_add(hn_resolver *resolver, const tags_unit_state *entry);
void tags_index_remove(tags_index *index, size_t unit);

void tags_unit_state_free(tags_unit_state *entry);
bool tags_resolver_find(const hn_resolver *resolver, const char *name, size_t *index);
tags_subject tags_resolver_subject(const hn_resolver *resolver, const tags_unit_state *entry);
int tags_resolver_unknown(const hn_resolver *resolver, const char *unit, hn_error **err);

#endif
