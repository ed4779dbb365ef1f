/* SPDX-License-Identifier: MIT
 *
 * The resolver's inside: shared by resolving and by the comparison of two catalogues.
 */
#ifndef RESOLVER_PRIVATE_H
#define RESOLVER_PRIVATE_H

#include "tags/tags-image.h"
#include "tags/tags-private.h"

/* A view rests on the catalogue it was resolved in until that many others were taken, then it is
 * moved to the newest. Most views are of one age, and so rest on few catalogues at any time. */
enum { TAGS_OLD_CATALOGS = 16 };

/* One unit, declared or not. */
typedef struct tags_unit_state {
	char *name;
	uint32_t unit;      /* in the catalogue, or TAGS_NONE */
	bool dirty;         /* must be resolved again */
	bool fresh;         /* while a new catalogue is taken: not yet of the resolver */
	uint32_t epoch;     /* of the catalogue that the view rests on */
	tags_input *input;  /* NULL: only as declared */
	tags_input *joined; /* that, and what the unit's image brings; NULL: it boots from none */
	hn_view *view;      /* NULL while dirty for the first time, or failed */
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
	uint32_t *key;  /* of the memo, being asked for */
	size_t key_capacity;
	uint32_t epoch; /* catalogues taken so far */
	/* From each of the last ones, the newest first, to the catalogue of now; NULL: none. */
	tags_renumbering *moves[TAGS_OLD_CATALOGS];
	tags_index index;
	tags_scratch scratch;
	tags_membership *membership;
	hn_resolve_stats stats;
	uint32_t redact;     /* classes that are left out of what it answers */
	tags_images *images; /* NULL: none */
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

/* How the numbers of this entry's view became those of now; NULL when they are. */
static inline const tags_renumbering *tags_resolver_move(
	const hn_resolver *resolver, const tags_unit_state *entry)
{
	uint32_t age = resolver->epoch - entry->epoch;

	return age > 0 && age <= TAGS_OLD_CATALOGS ? resolver->moves[age - 1] : NULL;
}
/* Moves the views that have come of age to the resolver's catalogue, before it takes another. */
int tags_resolver_renew(hn_resolver *resolver, hn_error **err);

void tags_unit_state_free(tags_unit_state *entry);
/* Sets what the entry has together with the image that a view of it without one names: 1, 0 when
 * it names none that is known, HN_ENOMEM. */
int tags_image_join(
	const tags_images *images, const hn_view *view, tags_unit_state *entry, hn_error **err);
/* HN_ECONFLICT when what an image brings has made the unit boot from another one. */
int tags_image_same(const hn_view *bare, const hn_view *whole, hn_error **err);
bool tags_resolver_find(const hn_resolver *resolver, const char *name, size_t *index);
tags_subject tags_resolver_subject(const hn_resolver *resolver, const tags_unit_state *entry);
/* The tags of a unit's image are known when the unit is resolved: does that where there are images.
 * What is wrong with the unit is for who resolves it. */
int tags_resolver_join(hn_resolver *resolver, tags_unit_state *entry, hn_error **err);
int tags_resolver_keeps_tags(hn_error **err); /* HN_EDENIED */
int tags_resolver_unknown(const hn_resolver *resolver, const char *unit, hn_error **err);

#endif
