/* SPDX-License-Identifier: MIT
 *
 * The steps of a build, for what asks about images without making one.
 */
#ifndef COMPOSE_BUILD_PRIVATE_H
#define COMPOSE_BUILD_PRIVATE_H

#include "compose/build.h"

typedef struct build {
	compose_store *store;
	const compose_registry *registry;
	const compose_lock *lock;
	const compose_build_options *options;
	base_arena *arena;
	const compose_manifest **manifests; /* in merge order */
	compose_part *parts;
	compose_layer **layers; /* all of them, one behind the other */
	size_t layer_count;
	compose_image_options image; /* as given, with the lock's epoch */
	compose_tree *tree;
	compose_tree written;       /* the nodes of it that are in the image */
	compose_digest digest, key; /* of the tree, of the artifact */
	compose_build_counts counts;
} build;

/* The first four fields are given. Finds the manifests in merge order, and the key of the image. */
int build_begin(build *job, hn_error **err);
/* Again, after options were changed. */
int build_key(build *job, hn_error **err);
/* Reads all payloads into layers, the parts of a merge. */
int build_layers(build *job, hn_error **err);
int build_live(const build *job, hn_error **err);     /* HN_ECANCELLED, or what ends the permit */
const compose_manifest *build_base(const build *job); /* NULL when there is none */
void build_end(build *job);                           /* also of one that has not begun */
#define BUILD_AUTO __attribute__((cleanup(build_end)))

#endif
