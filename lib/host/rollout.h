/* SPDX-License-Identifier: MIT
 *
 * A new image for the units of a blueprint, a few at a time: each boots from it and shows that it
 * keeps its contracts before the next one is touched.
 */
#ifndef HOST_ROLLOUT_H
#define HOST_ROLLOUT_H

#include "host/images.h"
#include <hypernix/host-build.h>

typedef struct rollout_unit {
	char uuid[37], name[64];
	bool runs;       /* or is to: it is restarted */
	bool is_on;      /* it boots from that image already */
	bool begun;      /* it was given the image by this call */
	bool gone;       /* there is no such unit of the blueprint any more */
	bool told;       /* the caller knows what became of it */
	hn_error *why;   /* it did not take the image */
	hn_error *stuck; /* nor could it go back */
	hn_rollout_state state;
} rollout_unit;

typedef struct host_rollout {
	hn_session *session;
	hn_host *host;
	const host_image *image;
	hn_upgrade_options options;
	char lock[COMPOSE_DIGEST_TEXT];
	rollout_unit *units; /* those that run first, then by name */
	size_t count, capacity, done;
	bool look; /* only what would be done, of units that the session may read */
} host_rollout;
void host_rollout_free(host_rollout *all);
#define HOST_AUTO_ROLLOUT __attribute__((cleanup(host_rollout_free)))

/* The units of the blueprint, and what they boot from. */
int host_rollout_gather(host_rollout *all, hn_error **err);
/* May the session do all of it? What may not be done in the end is not begun. */
int host_rollout_check(const host_rollout *all, hn_error **err);
/* 1: every unit boots from that image already, and so will new ones; or 0. */
int host_rollout_idle(const host_rollout *all, hn_error **err);
/* After it the image is the blueprint's present one; or a unit did not take it, went back, and
 * those after it were not touched. Called again, it goes on where it was ended or killed. */
int host_rollout_run(host_rollout *all, hn_error **err);
/* What became of the units that the caller was not told of. */
void host_rollout_tell_rest(host_rollout *all);

#endif
