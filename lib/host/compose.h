/* SPDX-License-Identifier: MIT
 *
 * Composition inside the host room: its store and registry, and what of the store is needed.
 */
#ifndef HOST_COMPOSE_PRIVATE_H
#define HOST_COMPOSE_PRIVATE_H

#include "compose/build.h"
#include "host/host-private.h"

/* Without `create` HN_ENOENT when nothing was ever put there. */
int host_compose_store(hn_host *host, bool create, compose_store **store, hn_error **err);
/* As it is on the disk, and sound. */
int host_compose_registry(hn_host *host, compose_registry **registry, hn_error **err);

/* What is given (NULL: the defaults), checked. HN_EINVAL, HN_ENEWER. */
typedef struct hn_build_options hn_build_options;
int host_build_options(const hn_build_options *given, compose_build_options *to, hn_error **err);

typedef struct host_compose_wish {
	const compose_lock *const *locks; /* to be kept, beside what the host needs */
	size_t lock_count;
	bool unused;   /* images that nobody has taken into use are not needed */
	int64_t grace; /* ns: payloads that were put since so long ago are; 0: none for that */
} host_compose_wish;
/* What a collection of garbage keeps: files that units name, as they are to be and as they run;
 * images that were taken into use; payloads of the host's registry and of the locks; built images.
 * *images is how many of those. */
int host_compose_roots(hn_host *host, compose_store *store, const host_compose_wish *wish,
	compose_roots *roots, uint64_t *images, hn_error **err);

#endif
