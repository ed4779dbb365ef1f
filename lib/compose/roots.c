/* SPDX-License-Identifier: MIT
 *
 * What a collection of garbage keeps.
 */
#include "compose/build.h"
#include "compose/store-private.h"

void compose_roots_free(compose_roots *roots)
{
	base_free(roots->items);
	*roots = (compose_roots){0};
}

int compose_roots_add(compose_roots *roots, const compose_digest *digest, hn_error **err)
{
	if (base_grow(&roots->items, &roots->capacity, roots->count + 1, sizeof(*digest)) < 0)
		return base_nomem(err);
	roots->items[roots->count++] = *digest;
	return 0;
}

static bool has(const compose_roots *roots, const compose_digest *digest)
{
	for (size_t i = 0; i < roots->count; i++)
		if (compose_digest_equal(&roots->items[i], digest))
			return true;
	return false;
}

int compose_roots_payload(
	compose_store *store, const compose_sha256 *sha256, compose_roots *roots, hn_error **err)
{
	compose_digest digest;
	int rc = compose_store_find(store, sha256, &digest, err);

	if (rc == HN_EMISSING || rc == HN_EDIGEST)
		return base_error_forgive(err, rc, (hn_code)rc);
	return rc < 0 ? rc : compose_roots_add(roots, &digest, err);
}

/* 1: it was put into the store, or put again, since then. */
static int is_young(compose_store *store, const char *name, int64_t since, hn_error **err)
{
	char *path BASE_AUTO_FREE = store_path(store, "sha256", name);
	struct stat status;
	int code;

	if (path == NULL)
		return base_nomem(err);
	code = store->os->ops->stat(store->os, path, &status);
	if (code < 0)
		return base_error_errno(err, COMPOSE_ROOM, code, "cannot look at %s", path);
	return (int64_t)status.st_mtim.tv_sec * OS_SECOND + status.st_mtim.tv_nsec >= since;
}

int compose_roots_young(compose_store *store, int64_t since, compose_roots *roots, hn_error **err)
{
	BASE_AUTO_NAMES base_names names = {0};
	int rc = store_list(store, "sha256", &names, err);

	for (size_t i = 0; rc >= 0 && i < names.count; i++) {
		compose_sha256 sha256;

		if (!codec_hex_decode(names.items[i], STORE_HEX - 1, sha256.bytes))
			continue;
		rc = is_young(store, names.items[i], since, err);
		if (rc > 0)
			rc = compose_roots_payload(store, &sha256, roots, err);
	}
	return rc < 0 ? rc : 0;
}

int compose_roots_path(compose_roots *roots, const char *path, hn_error **err)
{
	/* "/blobs/ab/" and the rest of the digits */
	const size_t tail = strlen("/blobs/ab/") + STORE_HEX - 1 - 2;
	size_t size = strlen(path);
	compose_digest digest;
	char head[3] = {0};

	if (size < tail)
		return 0;
	path += size - tail;
	if (strncmp(path, "/blobs/", strlen("/blobs/")) != 0)
		return 0;
	path += strlen("/blobs/");
	memcpy(head, path, 2);
	if (path[2] != '/' || !store_name_read(head, path + 3, &digest))
		return 0;
	return compose_roots_add(roots, &digest, err);
}

/* --- images --- */

/* *artifact stays NULL when the record is none, or somebody has taken it away. */
static int read_record(compose_store *store, const compose_digest *key, compose_artifact **artifact,
	hn_error **err)
{
	int rc = compose_artifact_recall(store, key, artifact, err);

	if (rc == HN_ENOENT || rc == HN_EDIGEST || rc == HN_ECORRUPT || rc == HN_ECBOR ||
		rc == HN_ELIMIT)
		return base_error_forgive(err, rc, (hn_code)rc);
	return rc;
}

static int keep_image(const compose_artifact *artifact, const compose_digest *key,
	compose_roots *roots, hn_error **err)
{
	int rc = compose_roots_add(roots, key, err);

	if (rc == 0)
		rc = compose_roots_add(roots, &artifact->image, err);
	if (rc == 0)
		rc = compose_roots_add(roots, &artifact->initrd, err);
	if (rc == 0 && artifact->has_kernel)
		rc = compose_roots_add(roots, &artifact->kernel, err);
	return rc;
}

int compose_roots_images(
	compose_store *store, bool all, compose_roots *roots, uint64_t *kept, hn_error **err)
{
	BASE_AUTO_NAMES base_names names = {0};
	int rc = store_list(store, "images", &names, err);

	*kept = 0;
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		BASE_AUTO_OF(compose_artifact) compose_artifact *artifact = NULL;
		compose_digest key;

		if (!store_name_read("", names.items[i], &key))
			continue;
		rc = read_record(store, &key, &artifact, err);
		if (rc < 0 || artifact == NULL ||
			!(all || has(roots, &artifact->image) || has(roots, &artifact->tree)))
			continue;
		rc = keep_image(artifact, &key, roots, err);
		*kept += rc == 0;
	}
	return rc;
}
