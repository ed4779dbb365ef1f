/* SPDX-License-Identifier: MIT
 *
 * The images that units boot from: of each lock that was taken into use, what its components say of
 * units, and which lock is a blueprint's present one.
 */
#ifndef HOST_IMAGES_H
#define HOST_IMAGES_H

#include "compose/build.h"
#include "host/host-private.h"
#include "tags/tags-image.h"

/* What is to be used: all of it of one lock. */
typedef struct host_image {
	const compose_registry *registry;
	const compose_blueprint *blueprint;
	const compose_lock *lock;
	const hn_image_info *built;
} host_image;

/* In the transaction that is open: units of the blueprint boot from it from now on. 1, or 0 when
 * they do already. HN_EDENIED when a component names a file of the host; HN_ESCHEMA, HN_ERANGE and
 * others when it sets what no unit takes. */
int host_image_use(
	hn_host *host, const hn_session *session, const host_image *image, hn_error **err);
/* All that are in use, by name of the blueprint and by digest of the lock; NULL: there is none. */
int host_images_load(hn_host *host, tags_images **images, hn_error **err);
/* Is the value of a file's key one that the unit's image brings? */
bool host_image_brings(const hn_view *view, const char *key);

#endif
