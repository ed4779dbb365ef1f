/* SPDX-License-Identifier: MIT
 *
 * Between the files of the registry: what it keeps, and how a directory is added.
 */
#ifndef COMPOSE_REGISTRY_PRIVATE_H
#define COMPOSE_REGISTRY_PRIVATE_H

#include "compose/index.h"

typedef struct registry_component {
	const char *name;
	compose_release *releases; /* from the oldest to the newest, at all times */
	size_t count, capacity;
} registry_component;

struct hn_registry {
	atomic_int references;
	base_arena *arena;
	base_map *by_name;               /* to registry_component */
	registry_component **components; /* by name once it is sealed */
	size_t count, capacity;
	compose_contract **contracts; /* by name, then from the oldest to the newest */
	size_t contract_count, contract_capacity;
	compose_source *sources;
	size_t source_count, source_capacity;
	base_map *pins; /* component to the name of its source, in the arena */
	bool sealed;
};

/* Whether releases of this component may come from this source: 1, 0 when another is pinned, or
 * HN_EAMBIGUOUS. */
int registry_may_add(compose_registry *registry, const char *component, uint32_t source,
	const char *file, hn_error **err);
/* The first contract that is not before (name, version); without a version the first of name. */
size_t registry_contract_place(
	const compose_registry *registry, const char *name, const compose_version *version);

#endif
