/* SPDX-License-Identifier: MIT
 *
 * Between the files that verify a lock: what is looked at, and how a fault is told.
 */
#ifndef COMPOSE_VERIFY_H
#define COMPOSE_VERIFY_H

#include "compose/build-private.h"

typedef struct verify {
	build job;
	compose_build_options options; /* of the job; changed from image to image */
	const compose_verify_options *how;
	hn_verify_fault_fn each;
	void *arg;
	compose_verified found;
	size_t strangers; /* components whose manifest is not the one that was locked */
} verify;

/* Where something is that is looked at. */
typedef struct verify_place {
	const char *component; /* "" of the whole */
	const char *what, *entry;
} verify_place;

/* rc of a check, whose error is `own` (taken). What is wrong with the store is told, and is 0; what
 * keeps us from looking is moved to `err`. */
int verify_told(verify *v, int rc, const verify_place *place, hn_error *own, hn_error **err);
/* Another digest than it should be. */
int verify_differs(
	const char *what, const compose_digest *is, const compose_digest *should, hn_error **err);

/* Every image that was built of the lock, whatever the options were. */
int verify_images(verify *v, hn_error **err);

#endif
