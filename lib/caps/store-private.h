/* SPDX-License-Identifier: MIT
 *
 * Between the files that keep capabilities: store.c, revoke.c, counter.c, sessions.c.
 */
#ifndef CAPS_STORE_PRIVATE_H
#define CAPS_STORE_PRIVATE_H

#include "caps/store.h"

struct caps_store {
	state_store *state;
	int64_t version; /* SQLite's number for what others have committed */
	bool stale;      /* changed by ourselves */
	base_map *revoked, *cut, *epochs;
	int64_t newest_revoked; /* number of the record of the last one that was read */
	caps_bundle *bundle;
};
/* Runs a change of what is kept in memory too. */
int caps_run(caps_store *store, state_query *query, hn_error **err);

#endif
