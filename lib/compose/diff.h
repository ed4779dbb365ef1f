/* SPDX-License-Identifier: MIT
 *
 * What differs between two locks, in what a person asks about: versions, ports, setuid bits. Only
 * manifests are looked at; how trees differ is for who has built them.
 */
#ifndef COMPOSE_DIFF_H
#define COMPOSE_DIFF_H

#include "compose/lock.h"

typedef enum compose_diff_kind {
	COMPOSE_DIFF_LOCK,      /* "platform", "epoch", "solver", "blueprint", "tree" */
	COMPOSE_DIFF_COMPONENT, /* its version; and manifest, when only that differs */
	COMPOSE_DIFF_BINDING,   /* "service/http for web-app": who provides it */
	COMPOSE_DIFF_FIELD,     /* "service/http port": ports and other fields of contracts */
	COMPOSE_DIFF_SERVICE,   /* "nginx exec", "nginx ready", "nginx user", "nginx restart" */
	COMPOSE_DIFF_SETTING,
	COMPOSE_DIFF_TAG,
	COMPOSE_DIFF_CMDLINE,
	COMPOSE_DIFF_SETUID, /* a path that keeps these bits */
	COMPOSE_DIFF_PAYLOAD
} compose_diff_kind;
const char *compose_diff_kind_text(compose_diff_kind kind); /* "component" */
typedef struct compose_difference {
	compose_diff_kind kind;
	const char *component; /* "" for COMPOSE_DIFF_LOCK and _BINDING */
	const char *name;
	const char *before, *after; /* NULL: was not there, is not there */
} compose_difference;
typedef struct compose_diff {
	base_arena *arena;
	const compose_difference *items; /* by kind, component, name */
	size_t count;
	uint64_t size_before, size_after; /* of all payloads, bytes */
} compose_diff;
typedef struct compose_side {
	const compose_lock *lock;
	const compose_manifest *const *manifests; /* of compose_lock_manifests; one that is NULL
						     is not at hand, and nothing is said of what
						     it has */
} compose_side;
/* The result keeps nothing of the two sides. */
int compose_lock_diff(
	const compose_side *before, const compose_side *after, compose_diff **diff, hn_error **err);
void compose_diff_free(compose_diff *diff);
BASE_AUTO(compose_diff, compose_diff_free)

#endif
