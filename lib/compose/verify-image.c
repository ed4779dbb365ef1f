/* SPDX-License-Identifier: MIT
 *
 * The images that were built of a lock: are they still what their records say, and does building
 * them again give the same bytes?
 */
#include "compose/store-private.h"
#include "compose/verify.h"

enum { LEVEL_MOST = 19 };

/* --- the files of an image --- */

static int look_body(
	verify *v, const compose_digest *digest, uint64_t should, const char *what, hn_error **err)
{
	hn_os *os = compose_store_os(v->job.store);
	uint64_t size = 0;
	int fd, rc = compose_store_get(v->job.store, digest, &fd, &size, err);

	if (rc < 0)
		return rc;
	os->ops->close(os, fd);
	v->found.bytes += size;
	if (size != should)
		return base_error(err, HN_EDIGEST, COMPOSE_ROOM, NULL,
			"the %s has %llu bytes, its record says %llu", what,
			(unsigned long long)size, (unsigned long long)should);
	return compose_store_verify(v->job.store, digest, err);
}

static int check_body(
	verify *v, const char *what, const compose_digest *digest, uint64_t size, hn_error **err)
{
	char text[COMPOSE_DIGEST_TEXT];
	const verify_place place = {"", what, text};
	hn_error *own = NULL;
	int rc;

	compose_digest_print(digest, text);
	rc = look_body(v, digest, size, what, &own);
	return verify_told(v, rc, &place, own, err);
}

static int check_tree(verify *v, const compose_digest *tree, hn_error **err)
{
	static const compose_digest none;
	const compose_digest *locked = &v->job.lock->tree;
	const verify_place place = {"", "tree", v->job.lock->blueprint};
	hn_error *own = NULL;
	int rc;

	if (compose_digest_equal(locked, &none) || compose_digest_equal(locked, tree))
		return 0;
	rc = verify_differs("the tree that the image was made of", tree, locked, &own);
	return verify_told(v, rc, &place, own, err);
}

static int check_image(verify *v, const compose_artifact *artifact, hn_error **err)
{
	int rc = check_tree(v, &artifact->tree, err);

	if (rc == 0)
		rc = check_body(v, "image", &artifact->image, artifact->image_size, err);
	if (rc == 0 && !compose_digest_equal(&artifact->initrd, &artifact->image))
		rc = check_body(v, "initrd", &artifact->initrd, artifact->initrd_size, err);
	if (rc == 0 && artifact->has_kernel)
		rc = check_body(v, "kernel", &artifact->kernel, artifact->kernel_size, err);
	return rc;
}

/* --- building it again --- */

static int copy_bytes(hn_os *os, int fd, compose_blob *blob, hn_error **err)
{
	BASE_AUTO_FREE uint8_t *piece = base_alloc(COMPOSE_PIECE);
	uint64_t done = 0;
	ssize_t got = 0;
	int rc = piece == NULL ? base_nomem(err) : 0;

	while (rc == 0 && (got = os->ops->pread(os, fd, piece, COMPOSE_PIECE, (off_t)done)) > 0) {
		rc = compose_blob_add(blob, piece, (size_t)got, err);
		done += (uint64_t)got;
	}
	return rc == 0 && got < 0
		       ? base_error_errno(err, COMPOSE_ROOM, (int)got, "cannot read a payload")
		       : rc;
}

static int copy_payload(
	verify *v, compose_store *scratch, const compose_sha256 *sha256, hn_error **err)
{
	BASE_AUTO_OF(compose_blob) compose_blob *blob = NULL;
	hn_os *os = compose_store_os(v->job.store);
	compose_digest digest;
	uint64_t size;
	int fd, rc = compose_store_find(v->job.store, sha256, &digest, err);

	if (rc == 0)
		rc = compose_blob_begin(scratch, &blob, err);
	if (rc == 0)
		rc = compose_store_get(v->job.store, &digest, &fd, &size, err);
	if (rc < 0)
		return rc;
	rc = copy_bytes(os, fd, blob, err);
	os->ops->close(os, fd);
	if (rc == 0)
		rc = compose_blob_finish(blob, &digest, &size, err);
	return rc < 0 ? rc : compose_store_name(scratch, sha256, &digest, err);
}

static int copy_payloads(verify *v, compose_store *scratch, hn_error **err)
{
	const compose_lock *lock = v->job.lock;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < lock->count; i++)
		for (size_t j = 0; rc == 0 && j < lock->components[i].payload_count; j++) {
			rc = build_live(&v->job, err);
			if (rc == 0)
				rc = copy_payload(
					v, scratch, &lock->components[i].payloads[j].sha256, err);
		}
	return rc;
}

/* The first byte that differs, or where one of them ends; UINT64_MAX when they are equal. */
static int first_difference(hn_os *os, int one, int other, uint64_t *at, hn_error **err)
{
	BASE_AUTO_FREE uint8_t *a = base_alloc(COMPOSE_PIECE);
	BASE_AUTO_FREE uint8_t *b = base_alloc(COMPOSE_PIECE);
	uint64_t done = 0;

	if (a == NULL || b == NULL)
		return base_nomem(err);
	for (;;) {
		ssize_t of_a = os->ops->pread(os, one, a, COMPOSE_PIECE, (off_t)done);
		ssize_t of_b = os->ops->pread(os, other, b, COMPOSE_PIECE, (off_t)done);
		size_t same = 0, both = (size_t)(of_a < of_b ? of_a : of_b);

		if (of_a < 0 || of_b < 0)
			return base_error_errno(err, COMPOSE_ROOM, (int)(of_a < 0 ? of_a : of_b),
				"cannot read an image");
		while (same < both && a[same] == b[same])
			same++;
		done += same;
		if (same < both || both == 0) {
			*at = same < both || of_a != of_b ? done : UINT64_MAX;
			return 0;
		}
	}
}

static int compare_bodies(verify *v, compose_store *scratch, const char *what,
	const compose_digest *was, const compose_digest *is, hn_error **err)
{
	hn_os *os = compose_store_os(scratch);
	uint64_t size, at = UINT64_MAX;
	int one, other, rc = compose_store_get(v->job.store, was, &one, &size, err);

	if (rc < 0)
		return rc;
	rc = compose_store_get(scratch, is, &other, &size, err);
	if (rc == 0) {
		rc = first_difference(os, one, other, &at, err);
		os->ops->close(os, other);
	}
	os->ops->close(os, one);
	if (rc < 0 || at == UINT64_MAX)
		return rc;
	return base_error(err, HN_EDIGEST, COMPOSE_ROOM, NULL,
		"built again the %s is another one: it differs from byte %llu on", what,
		(unsigned long long)at);
}

static int compare(verify *v, compose_store *scratch, const compose_artifact *was,
	const compose_artifact *is, hn_error **err)
{
	int rc;

	if (!compose_digest_equal(&was->tree, &is->tree))
		return verify_differs("built again the tree", &is->tree, &was->tree, err);
	rc = compare_bodies(v, scratch, "image", &was->image, &is->image, err);
	if (rc == 0 && !compose_digest_equal(&was->initrd, &was->image))
		rc = compare_bodies(v, scratch, "initrd", &was->initrd, &is->initrd, err);
	if (rc == 0 && was->has_kernel && is->has_kernel)
		rc = compare_bodies(v, scratch, "kernel", &was->kernel, &is->kernel, err);
	return rc;
}

static int build_there(
	verify *v, const char *directory, const compose_artifact *was, hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *scratch = NULL;
	BASE_AUTO_OF(compose_artifact) compose_artifact *is = NULL;
	int rc = compose_store_open(compose_store_os(v->job.store), directory, true, &scratch, err);

	if (rc == 0)
		rc = copy_payloads(v, scratch, err);
	if (rc == 0)
		rc = compose_build(
			scratch, v->job.registry, v->job.lock, &v->options, &is, NULL, err);
	return rc < 0 ? rc : compare(v, scratch, was, is, err);
}

/* In a store of its own below tmp: what a killed one leaves goes with the other leftovers. */
static int build_again(verify *v, const compose_artifact *was, hn_error **err)
{
	hn_os *os = compose_store_os(v->job.store);
	char name[2 * sizeof(uint64_t) + 1];
	BASE_AUTO_FREE char *directory = NULL;
	uint64_t chance;
	int rc = os_random(os, &chance, sizeof(chance), err), removed;

	if (rc < 0)
		return rc;
	codec_hex(&chance, sizeof(chance), name);
	directory = store_path(v->job.store, "tmp", name);
	if (directory == NULL)
		return base_nomem(err);
	rc = build_there(v, directory, was, err);
	removed = os_remove_tree(os, directory, rc < 0 ? NULL : err);
	return rc < 0 ? rc : removed;
}

int compose_build_again(compose_store *store, const compose_registry *registry,
	const compose_lock *lock, const compose_build_options *options,
	const compose_artifact *built, hn_error **err)
{
	verify v = {
		.job = {.store = store, .registry = registry, .lock = lock}, .options = *options};

	v.job.options = &v.options;
	v.job.image = v.options.image;
	return build_again(&v, built, err);
}

static int check_rebuilt(verify *v, const compose_artifact *was, hn_error **err)
{
	char text[COMPOSE_DIGEST_TEXT];
	const verify_place place = {"", "rebuild", text};
	hn_error *own = NULL;
	int rc;

	compose_digest_print(&was->image, text);
	rc = build_again(v, was, &own);
	v->found.rebuilt++;
	return verify_told(v, rc, &place, own, err);
}

/* --- all images --- */

/* The image of these options, when there is one. */
static int look_for(verify *v, hn_error **err)
{
	BASE_AUTO_OF(compose_artifact) compose_artifact *artifact = NULL;
	char text[COMPOSE_DIGEST_TEXT];
	const verify_place place = {"", "record", text};
	hn_error *own = NULL;
	int rc = build_key(&v->job, err);

	if (rc < 0)
		return rc;
	compose_digest_print(&v->job.key, text);
	rc = compose_artifact_recall(v->job.store, &v->job.key, &artifact, &own);
	if (rc == HN_ENOENT) {
		hn_error_unref(own);
		return 0;
	}
	v->found.images++;
	if (rc < 0)
		return verify_told(v, rc, &place, own, err);
	if (v->how->image)
		rc = check_image(v, artifact, err);
	if (rc == 0 && v->how->rebuild)
		rc = check_rebuilt(v, artifact, err);
	return rc;
}

static int look_at_levels(verify *v, const char *root, bool allow_setuid, hn_error **err)
{
	int rc = 0;

	v->options.root = root;
	v->options.allow_setuid = allow_setuid;
	for (int level = 1; rc == 0 && level <= LEVEL_MOST; level++) {
		v->options.image.level = level;
		v->job.image.level = level;
		rc = build_live(&v->job, err);
		if (rc == 0)
			rc = look_for(v, err);
	}
	return rc;
}

static int look_at_root(verify *v, const char *root, hn_error **err)
{
	int rc = look_at_levels(v, root, false, err);

	return rc < 0 ? rc : look_at_levels(v, root, true, err);
}

/* Records do not say what the options were; their keys come of them, and there are few. */
int verify_images(verify *v, hn_error **err)
{
	const verify_place place = {"", "image", v->job.lock->blueprint};
	hn_error *own = NULL;
	int rc = look_at_root(v, "auto", err);

	for (size_t i = 0; rc == 0 && compose_writer_at(i) != NULL; i++)
		rc = look_at_root(v, compose_writer_at(i)->name, err);
	if (rc < 0 || v->found.images > 0)
		return rc;
	rc = base_error(&own, HN_EMISSING, COMPOSE_ROOM, NULL,
		"no image of this lock is in the store: nobody has built it, or it was collected");
	return verify_told(v, rc, &place, own, err);
}
