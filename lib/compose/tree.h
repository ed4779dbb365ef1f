/* SPDX-License-Identifier: MIT
 *
 * The virtual tree of an image: layers of components merged in order, made files added, checked as
 * a whole. There is no file system under it.
 */
#ifndef COMPOSE_TREE_H
#define COMPOSE_TREE_H

#include "compose/blobs.h"
#include "compose/entry.h"
#include "compose/model.h"

typedef struct compose_node {
	compose_entry entry; /* hard links keep their group instead of a target */
	uint32_t owner;      /* index of the component in merge order */
	uint32_t group;      /* of files that are one inode; 0 = alone */
} compose_node;
typedef struct compose_tree {
	base_arena *arena;
	compose_node *nodes; /* in byte order of path, "/" first */
	size_t count;
	const char *const *components; /* names, in merge order */
	size_t component_count;
	const char *const *remarks; /* dangling links and the like */
	size_t remark_count;
	const char *const *cmdline; /* words of components, in merge order */
	size_t cmdline_count;
	const compose_node *kernel; /* NULL when no payload is one */
} compose_tree;
void compose_tree_free(compose_tree *tree);
BASE_AUTO(compose_tree, compose_tree_free)

/* One component of a lock with what its payloads were read into. */
typedef struct compose_part {
	const compose_manifest *manifest;
	const compose_layer *const *layers; /* one a payload */
	/* One a provision, the schema that holds for it: whose checks the guest runs. NULL: no
	 * checks, of this provision or (the array itself) of any. */
	const compose_contract *const *contracts;
} compose_part;
/* Parts in merge order (topological, ties by rank, then name: compose_merge_order). Bodies of made
 * files (accounts, services, hardening) go to `store`. HN_ECONFLICT, HN_EENTRY, HN_ELIMIT,
 * HN_EMISSING name the component and the path. `cancel` may be NULL. */
int compose_tree_merge(compose_store *store, const compose_part *parts, size_t count,
	bool allow_setuid, hn_cancel *cancel, compose_tree **tree, hn_error **err);
/* What is done at one path, in order. Texts live as long as the tree, the manifests and the layers.
 */
typedef struct compose_step {
	const char *decision;           /* of hn_path_step */
	uint32_t owner, other;          /* `other` is the owner when nothing was there */
	const compose_payload *payload; /* NULL: in none */
	const char *written;
	compose_entry entry; /* as it is then */
} compose_step;
typedef struct compose_trace {
	const char *asked; /* canonical; borrowed */
	const char *path;  /* by the aliases of the base; set by the merge */
	compose_step *steps;
	size_t count, capacity;
	bool failed; /* out of memory */
} compose_trace;
void compose_trace_free(compose_trace *trace);
#define COMPOSE_AUTO_TRACE __attribute__((cleanup(compose_trace_free)))
/* compose_tree_merge, which says what it does at trace->asked. */
int compose_tree_trace(compose_store *store, const compose_part *parts, size_t count,
	bool allow_setuid, hn_cancel *cancel, compose_trace *trace, compose_tree **tree,
	hn_error **err);
/* Interpreters, shared libraries, modules, executables of services: HN_EMISSING names what and who.
 */
int compose_tree_check(compose_store *store, const compose_tree *tree, const compose_part *parts,
	size_t count, hn_cancel *cancel, hn_error **err);
/* BLAKE2b-256 over deterministic CBOR of all entries: independent of every tool. */
int compose_tree_digest(
	const compose_tree *tree, uint64_t epoch, compose_digest *digest, hn_error **err);
/* The part of a tree that is unpacked into memory when the root is a disk: /init with its
 * interpreter, busybox, kernel modules, and where file systems are mounted first. It borrows from
 * the tree, which must outlive it. HN_EMISSING when the image could not come to its disk. */
int compose_tree_early(
	compose_store *store, const compose_tree *tree, compose_tree **early, hn_error **err);
const compose_node *compose_tree_find(const compose_tree *tree, const char *path);

#endif
