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

/* Where an image is that is no initramfs. */
#define HOST_IMAGE_ROOT "disks." MACHINE_ROOT_DISK ".source"

/* What is to be used: all of it of one lock. */
typedef struct host_image {
	const compose_registry *registry;
	const compose_blueprint *blueprint;
	const compose_lock *lock;
	const hn_image_info *built;
	const compose_artifact *files; /* of it in the store; NULL where only its names matter */
} host_image;

/* In the transaction that is open: units of the blueprint boot from it from now on. 1, or 0 when
 * they do already. HN_EDENIED when a component opens something of the host, or brings or loses
 * a tag that the session may not apply; HN_ESCHEMA, HN_ERANGE and others when it sets what no unit
 * takes. */
int host_image_use(hn_host *host, hn_session *session, const host_image *image, hn_error **err);
/* Nothing more than that the rows are there: units can be pinned to it. 1, or 0 when they were.
 * HN_EEXIST when they are of another image of the same lock. Errors as above. */
int host_image_keep(hn_host *host, hn_session *session, const host_image *image, hn_error **err);
/* May the session give the unit the tags of the image that it is to boot from by `after`, and take
 * away those of the one that it boots from as it is desired now? HN_EDENIED. */
int host_image_may_change(hn_host *host, hn_session *session, const hn_unit *unit,
	const hn_view *after, hn_error **err);
/* None is the blueprint's present one any more; the one that was is now the newest of the others.
 */
int host_image_retire(hn_host *host, const char *blueprint, hn_error **err);
/* Can units boot from it, and is it of this lock and blueprint? `built` NULL: only the latter. */
int host_image_check(const host_image *image, const hn_image *built, hn_error **err);
/* The transaction that makes it needed, while its files are known to be there. HN_EMISSING. */
int host_image_record(hn_host *host, const host_image *image,
	int (*body)(void *arg, hn_error **err), void *arg, hn_error **err);
/* All that are in use, by name of the blueprint and by digest of the lock; NULL: there is none. */
int host_images_load(hn_host *host, tags_images **images, hn_error **err);
/* --- image-pin.c: units that boot from another image than their blueprint's present one --- */
/* In the transaction that is open, as is every change here: from now on the unit boots from the
 * image of that lock, and `before` (NULL: none) is the one to go back to. */
int host_image_pin(hn_host *host, const hn_unit *unit, const char *blueprint, const char *lock,
	const char *before, hn_error **err);
int host_image_unpin(hn_host *host, const hn_unit *unit, hn_error **err);
/* All units of a blueprint boot from the same image again. How many did not. */
int host_image_unpin_all(hn_host *host, const char *blueprint, hn_error **err);
/* One at a time changes what units of a blueprint boot from, from the first of them to the last.
 * HN_EBUSY names who does. */
int host_image_hold(hn_host *host, const char *blueprint, os_lock **lock, hn_error **err);
/* The image of that lock, which was kept, is the blueprint's present one, and of all its units. */
int host_image_settle(hn_host *host, const char *blueprint, const char *lock, hn_error **err);
/* To which a unit goes back that is to boot from the image of `lock`: 1 and its lock, or 0. */
int host_image_before(hn_host *host, const hn_unit *unit, const char *blueprint, const char *lock,
	char before[COMPOSE_DIGEST_TEXT], hn_error **err);
/* Is it the present one of the blueprint? */
int host_image_present(hn_host *host, const char *blueprint, const char *lock, hn_error **err);
/* Does a unit of it boot from another? */
int host_image_pinned(hn_host *host, const char *blueprint, hn_error **err);
/* The file that tells the image of these values from others, and the key that names it; or NULL. */
const char *host_image_of(const hn_view *view, const char **key);
int host_image_pins_load(hn_host *host, tags_images *images, hn_error **err);

/* --- image-old.c --- */
/* Do these values boot from the image of that lock? */
int host_image_boots(hn_host *host, const hn_view *view, const char *lock, hn_error **err);
/* In the transaction that made another image the present one: forgets those of the blueprint that
 * no unit boots from or can go back to, but for the newest of them. */
int host_images_drop(hn_host *host, const char *blueprint, hn_error **err);

/* --- image-promise.c: which component provides which contract --- */
/* In the transaction that records the image. */
int host_image_promises(hn_host *host, const char *lock, const host_image *image, hn_error **err);
/* Of a guest with these values: the component that provides it, and the blueprint, of each check
 * that has none yet. What is not known is left empty. */
int host_promises_name(hn_host *host, const hn_view *view, machine_boot *boot, hn_error **err);
/* Of a start or a wait that fails with `rc`, which is returned: an error of contracts names who
 * promised the one that is not kept, or that was not heard of in time. */
int host_promises_blame(
	hn_host *host, const hn_view *view, machine_boot *boot, int rc, hn_error **err);

/* Is the value of a file's key one that the unit's image brings? */
bool host_image_brings(const hn_view *view, const char *key);

#endif
