/* SPDX-License-Identifier: MIT
 *
 * Gate of images in use: which image the units of a blueprint boot from.
 */
#include "host/call.h"
#include "host/compose.h"
#include "host/images.h"

#include <hypernix/host-build.h>

typedef struct use {
	hn_host *host;
	hn_session *session;
	const host_image *image;
} use;

int host_image_check(const host_image *image, const hn_image *built, hn_error **err)
{
	const char *name = image->lock->blueprint;

	if (built && !compose_digest_equal(compose_image_lock(built), &image->lock->digest))
		return base_error(err, HN_EINVAL, HOST_ROOM, "build the lock",
			"that image was built of another lock than this one of %s", name);
	/* the right is asked for by the lock's name, and units are found by the blueprint's */
	if (strcmp(name, image->blueprint->name) != 0)
		return base_error(err, HN_ELOCK, HOST_ROOM, "resolve the blueprint again",
			"the lock is of blueprint %s, not of %s", name, image->blueprint->name);
	if (!compose_digest_equal(&image->lock->blueprint_digest, &image->blueprint->digest))
		return base_error(err, HN_ELOCK, HOST_ROOM, "resolve the blueprint again",
			"the lock is not of this blueprint %s", image->blueprint->name);
	if (!built)
		return 0;
	if (image->built->kernel[0] == '\0')
		return base_error(err, HN_EMISSING, HOST_ROOM,
			"add a component that brings one, such as linux-cloud",
			"the image of %s has no kernel: nothing can boot from it", name);
	if (strcmp(image->built->writer, "initramfs") != 0 &&
		strcmp(image->built->writer, "squashfs") != 0)
		return base_error(err, HN_ENOSUP, HOST_ROOM,
			"\"image\": { \"root\": \"initramfs\" } in the blueprint",
			"units cannot boot from an image of kind %s yet", image->built->writer);
	return 0;
}

static int record(void *arg, hn_error **err)
{
	const use *at = arg;

	return host_image_use(at->host, at->session, at->image, err);
}

static int check_file(compose_store *store, const host_image *image, const char *what,
	const char *path, const compose_digest *digest, hn_error **err)
{
	int rc = compose_store_look(store, digest, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	return base_error(err, HN_EMISSING, HOST_ROOM,
		"build it again: a collection of garbage has taken it",
		"the %s of %s is not in the store any more: %s", what, image->lock->blueprint,
		path);
}

/* An image lives in the store of the host that built it; what nobody has taken into use may have
 * been collected since. */
static int check_files(compose_store *store, const host_image *image, hn_error **err)
{
	int rc = check_file(store, image, "image", image->built->path, &image->files->image, err);

	if (rc >= 0)
		rc = check_file(store, image, "first file system", image->built->initrd,
			&image->files->initrd, err);
	return rc < 0 ? rc
		      : check_file(store, image, "kernel", image->built->kernel,
				&image->files->kernel, err);
}

/* While the store is open nothing is collected, and after it the image is needed. */
int host_image_record(hn_host *host, const host_image *image,
	int (*body)(void *arg, hn_error **err), void *arg, hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	int rc = host_compose_store(host, true, &store, err);

	if (rc >= 0)
		rc = check_files(store, image, err);
	return rc < 0 ? rc : host_transaction(host, body, arg, err);
}

static int begin(hn_session *session, const host_image *image, host_call *call, hn_host **host,
	host_permit *permit, hn_error **err)
{
	char object[BASE_OBJECT_SIZE], digest[COMPOSE_DIGEST_TEXT];

	(void)snprintf(object, sizeof(object), "blueprint/%.200s", image->lock->blueprint);
	compose_digest_print(&image->lock->digest, digest);
	caps_call_text(&call->what, "use", image->built->image);
	caps_call_text(&call->what, "lock", digest);
	return host_call_enter(session, HN_VERB_BLUEPRINT_BUILD, object, call, host, permit, err);
}

static int use_it(use *at, hn_error **err)
{
	BASE_AUTO_OF(os_lock) os_lock *lock = NULL;
	int rc = host_image_hold(at->host, at->image->blueprint->name, &lock, err);

	return rc < 0 ? rc : host_image_record(at->host, at->image, record, at, err);
}

int hn_image_use(hn_session *session, const hn_registry *registry, const hn_blueprint *blueprint,
	const hn_lock *lock, const hn_image *image, hn_error **err)
{
	hn_image_info built = HN_IMAGE_INFO_INIT;
	host_image wanted = {
		.registry = registry, .blueprint = blueprint, .lock = lock, .built = &built};
	use at = {.session = session, .image = &wanted};
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit;
	int rc = registry && blueprint && lock && image
			 ? hn_image_get(image, &built, err)
			 : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
				   "a registry, a blueprint, its lock and its image are needed");

	if (rc >= 0)
		rc = host_image_check(&wanted, image, err);
	if (rc >= 0)
		rc = begin(session, &wanted, &call, &at.host, &permit, err);
	if (rc < 0)
		return rc;
	wanted.files = compose_image_artifact(image);
	return host_settle(&permit, use_it(&at, err), err);
}
