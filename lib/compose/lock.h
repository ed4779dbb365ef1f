/* SPDX-License-Identifier: MIT
 *
 * What was chosen for a blueprint, and why nothing was: solutions, their explanation, lock files.
 */
#ifndef COMPOSE_LOCK_H
#define COMPOSE_LOCK_H

#include "compose/model.h"
#include "compose/registry.h"

typedef struct compose_binding { /* who gives a contract to whom */
	const char *contract, *version;
	const char *provider;
	const char *needed_by; /* a component, or the blueprint's name */
} compose_binding;
typedef struct compose_locked_payload {
	compose_sha256 sha256;
	compose_digest b2; /* zero until it is in the store */
	uint64_t size;
} compose_locked_payload;
typedef struct compose_locked {
	const char *component, *version;
	compose_digest manifest;
	const compose_locked_payload *payloads;
	size_t payload_count;
	const char *registry;
	const char *why; /* "web-app.json:5" or "nginx-optimized needs base/glibc" */
} compose_locked;
typedef struct hn_lock compose_lock;
struct hn_lock {
	base_arena *arena;
	atomic_int references;
	const char *file; /* where it was read from; "" when it was made */
	const char *blueprint;
	compose_digest blueprint_digest;
	const char *platform;
	uint64_t epoch;
	const char *solver; /* "hypernix 0.1.0" */
	const compose_source *sources;
	size_t source_count;
	const compose_locked *components; /* sorted by name */
	size_t count;
	const compose_binding *bindings; /* sorted */
	size_t binding_count;
	compose_digest tree; /* zero until it was built */
	compose_digest digest;
};
/* Empty, with its arena and one reference; NULL when out of memory. */
compose_lock *compose_lock_new(void);
/* Sorts registries and components by name, and bindings; checks what must hold; computes `digest`
 * over all but itself. After a later change it is sealed again. HN_ELOCK. */
int compose_lock_seal(compose_lock *lock, hn_error **err);
int compose_lock_parse(
	const char *file, const void *bytes, size_t size, compose_lock **lock, hn_error **err);
int compose_lock_write(const compose_lock *lock, char **text, hn_error **err); /* canonical */
compose_lock *compose_lock_ref(compose_lock *lock);
compose_lock *compose_lock_unref(compose_lock *lock);
BASE_AUTO(compose_lock, compose_lock_unref)
const compose_locked *compose_lock_find(const compose_lock *lock, const char *component);

typedef struct compose_solve_options {
	const compose_lock *lock;  /* tried first; NULL = none */
	const char *const *update; /* components that are freed from the lock */
	size_t update_count;
	bool update_all;
	uint64_t epoch;     /* of the lock that is made */
	uint64_t conflicts; /* 0: 200,000 */
	hn_cancel *cancel;
} compose_solve_options;
/* Solves, and makes the lock of what was chosen. HN_ENOSOLUTION, whose message is the first line of
 * the explanation: the whole of it, at most 20 lines, is in *failure (owned by the caller,
 * base_free) when it is not NULL. HN_EBUDGET names the hardest three. */
int compose_solve(const compose_registry *registry, const compose_blueprint *blueprint,
	const compose_solve_options *options, compose_lock **lock, char **failure, hn_error **err);
/* HN_ELOCK names the entry that is gone or differs. Without a blueprint (NULL) only the registries
 * are asked. */
int compose_lock_check(const compose_lock *lock, const compose_registry *registry,
	const compose_blueprint *blueprint, hn_error **err);
/* The manifest of each component, in the lock's order: `manifests` has lock->count places, which
 * the registry's references keep. HN_ELOCK. */
int compose_lock_manifests(const compose_lock *lock, const compose_registry *registry,
	const compose_manifest **manifests, hn_error **err);
/* Of one of its components. HN_ELOCK. */
int compose_lock_manifest(const compose_lock *lock, const compose_registry *registry,
	const compose_locked *one, const compose_manifest **manifest, hn_error **err);
/* Merge order of a lock: topological by bindings, ties by rank, then name; a cycle falls back to
 * rank and name. `order` has lock->count places for releases. HN_ELOCK. */
int compose_merge_order(const compose_lock *lock, const compose_registry *registry,
	const compose_manifest **order, hn_error **err);

#endif
