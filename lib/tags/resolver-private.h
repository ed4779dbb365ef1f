/* SPDX-License-Identifier: MIT
 *
 * The resolver's inside: shared by resolving and by the comparison of two catalogues.
 */
#ifndef RESOLVER_PRIVATE_H
#define RESOLVER_PRIVATE_H

#include "tags/tags-private.h"

/* One unit, declared or not. */
typedef struct tags_unit_state {
	char *name;
	uint32_t unit;     /* in the catalogue, or TAGS_NONE */
	bool dirty;        /* must be resolved again */
	bool stale;        /* rests on a catalogue so old that it should go */
	bool fresh;        /* while a new catalogue is taken: not yet of the resolver */
	uint32_t epoch;    /* of the resolver when the view was made */
	tags_input *input; /* NULL: only as declared */
	hn_view *view;     /* NULL while dirty for the first time, or failed */
	hn_error *error;
} tags_unit_state;

struct hn_resolver {
	hn_catalog *catalog;
	tags_unit_state *entries; /* sorted by name */
	size_t count, capacity;
	base_map *memo; /* tags and policies, as bytes, to tags_base of this catalogue */
	base_buf key;
	uint32_t epoch; /* catalogues taken so far */
	tags_scratch scratch;
	tags_membership *membership;
	hn_resolve_stats stats;
};
BASE_AUTO(hn_resolver, hn_resolver_free)

void tags_unit_state_free(tags_unit_state *entry);
bool tags_resolver_find(const hn_resolver *resolver, const char *name, size_t *index);
tags_subject tags_resolver_subject(const hn_resolver *resolver, const tags_unit_state *entry);
int tags_resolver_unknown(const hn_resolver *resolver, const char *unit, hn_error **err);

#endif
