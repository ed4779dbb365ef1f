/* SPDX-License-Identifier: MIT
 *
 * Blobs of the content store: written once, named by their digest, checked when they are read.
 */
#include "compose/store-private.h"
#include <errno.h>

struct compose_blob {
	compose_store *store;
	store_temporary temporary;
	uint64_t size;
	crypto_hasher hash;
};

void store_blob_place(
	const compose_digest *digest, char folder[sizeof("blobs/00")], char name[STORE_HEX])
{
	char digits[STORE_HEX];

	codec_hex(digest->bytes, sizeof(digest->bytes), digits);
	memcpy(folder, "blobs/", strlen("blobs/"));
	memcpy(folder + strlen("blobs/"), digits, 2);
	folder[sizeof("blobs/00") - 1] = '\0';
	memcpy(name, digits + 2, sizeof(digits) - 2);
}

char *compose_store_path(const compose_store *store, const compose_digest *digest)
{
	char folder[sizeof("blobs/00")], name[STORE_HEX];

	store_blob_place(digest, folder, name);
	return store_path(store, folder, name);
}

int compose_blob_begin(compose_store *store, compose_blob **blob, hn_error **err)
{
	BASE_AUTO_OF(compose_blob) compose_blob *made = base_calloc(1, sizeof(*made));
	int rc;

	if (made == NULL)
		return base_nomem(err);
	made->store = store;
	crypto_hash_begin(&made->hash);
	rc = store_temporary_open(store, &made->temporary, err);
	if (rc < 0)
		return rc;
	*blob = BASE_STEAL(made);
	return 0;
}

void compose_blob_free(compose_blob *blob)
{
	if (blob == NULL)
		return;
	store_temporary_drop(blob->store, &blob->temporary);
	base_free(blob);
}

int compose_blob_add(compose_blob *blob, const void *bytes, size_t size, hn_error **err)
{
	hn_os *os = blob->store->os;
	ssize_t put;

	if (size == 0)
		return 0;
	put = os->ops->pwrite(os, blob->temporary.fd, bytes, size, (off_t)blob->size);
	if (put < 0)
		return base_error_errno(err, COMPOSE_ROOM, (int)put,
			"cannot write into the store %s", blob->store->directory);
	crypto_hash_add(&blob->hash, bytes, size);
	blob->size += size;
	return 0;
}

/* 1: it is there, for good. Who found it may have come between the rename and the sync of who wrote
 * it. A blob that was changed behind our back: 0, it is written anew. */
static int find_durable(
	compose_store *store, const compose_digest *digest, uint64_t size, hn_error **err)
{
	char *path BASE_AUTO_FREE = compose_store_path(store, digest);
	struct stat status;
	int code;

	if (path == NULL)
		return base_nomem(err);
	code = store->os->ops->stat(store->os, path, &status);
	if (code < 0 || !S_ISREG(status.st_mode) || (uint64_t)status.st_size != size ||
		compose_store_verify(store, digest, NULL) < 0)
		return 0;
	*strrchr(path, '/') = '\0';
	code = store->os->ops->sync_directory(store->os, path);
	return code < 0 ? base_error_errno(err, COMPOSE_ROOM, code, "cannot make %s durable", path)
			: 1;
}

int compose_blob_finish(compose_blob *blob, compose_digest *digest, uint64_t *size, hn_error **err)
{
	char folder[sizeof("blobs/00")], name[STORE_HEX];
	crypto_hasher hash = blob->hash;
	compose_digest found;
	int rc;

	crypto_hash_end(&hash, found.bytes);
	rc = find_durable(blob->store, &found, blob->size, err);
	if (rc == 0) {
		store_blob_place(&found, folder, name);
		rc = store_temporary_place(blob->store, &blob->temporary, folder, name, err);
	}
	store_temporary_drop(blob->store, &blob->temporary);
	if (rc < 0)
		return rc;
	*digest = found;
	if (size != NULL)
		*size = blob->size;
	return 0;
}

/* What a writer left in the file, through the hash. */
static int hash_written(compose_blob *blob, hn_error **err)
{
	hn_os *os = blob->store->os;
	uint8_t *step BASE_AUTO_FREE = base_alloc(STORE_STEP);
	ssize_t got;

	if (step == NULL)
		return base_nomem(err);
	while ((got = os->ops->pread(os, blob->temporary.fd, step, STORE_STEP, (off_t)blob->size)) >
		0) {
		crypto_hash_add(&blob->hash, step, (size_t)got);
		blob->size += (uint64_t)got;
	}
	return got == 0 ? 0
			: base_error_errno(err, COMPOSE_ROOM, (int)got,
				  "cannot read what was written into the store %s",
				  blob->store->directory);
}

int compose_store_write(compose_store *store, int (*write)(void *arg, int fd, hn_error **err),
	void *arg, compose_digest *digest, uint64_t *size, hn_error **err)
{
	BASE_AUTO_OF(compose_blob) compose_blob *blob = NULL;
	int rc = compose_blob_begin(store, &blob, err);

	if (rc == 0)
		rc = write(arg, blob->temporary.fd, err);
	if (rc == 0)
		rc = hash_written(blob, err);
	return rc < 0 ? rc : compose_blob_finish(blob, digest, size, err);
}

int store_write(compose_store *store, const char *folder, const char *name, const void *bytes,
	size_t size, hn_error **err)
{
	store_temporary temporary = {.fd = -1};
	int rc = store_temporary_open(store, &temporary, err);
	ssize_t put;

	if (rc < 0)
		return rc;
	put = size > 0 ? store->os->ops->pwrite(store->os, temporary.fd, bytes, size, 0) : 0;
	if (put >= 0)
		return store_temporary_place(store, &temporary, folder, name, err);
	rc = base_error_errno(
		err, COMPOSE_ROOM, (int)put, "cannot write into the store %s", store->directory);
	store_temporary_drop(store, &temporary);
	return rc;
}

int compose_store_put(compose_store *store, const void *bytes, size_t size, compose_digest *digest,
	hn_error **err)
{
	char folder[sizeof("blobs/00")], name[STORE_HEX];
	compose_digest found;
	int rc;

	crypto_blake2b(bytes, size, found.bytes);
	rc = find_durable(store, &found, size, err);
	if (rc == 0) {
		store_blob_place(&found, folder, name);
		rc = store_write(store, folder, name, bytes, size, err);
	}
	if (rc < 0)
		return rc;
	*digest = found;
	return 0;
}

int compose_store_look(compose_store *store, const compose_digest *digest, hn_error **err)
{
	char *path BASE_AUTO_FREE = compose_store_path(store, digest);
	struct stat status;
	int code;

	if (path == NULL)
		return base_nomem(err);
	code = store->os->ops->stat(store->os, path, &status);
	if (code < 0 && code != -ENOENT)
		return base_error_errno(err, COMPOSE_ROOM, code, "cannot look at %s", path);
	return code == 0 && S_ISREG(status.st_mode);
}

bool compose_store_has(compose_store *store, const compose_digest *digest)
{
	return compose_store_look(store, digest, NULL) == 1;
}

static int refuse_open(
	const compose_store *store, const compose_digest *digest, int code, hn_error **err)
{
	char text[COMPOSE_DIGEST_TEXT];

	compose_digest_print(digest, text);
	if (code == -ENOENT)
		return base_error(err, HN_ENOENT, COMPOSE_ROOM, NULL, "the store %s has no %s",
			store->directory, text);
	return base_error_errno(
		err, COMPOSE_ROOM, code, "cannot read %s of the store %s", text, store->directory);
}

int compose_store_get(
	compose_store *store, const compose_digest *digest, int *fd, uint64_t *size, hn_error **err)
{
	char *path BASE_AUTO_FREE = compose_store_path(store, digest);
	struct stat status;
	int opened, code;

	if (path == NULL)
		return base_nomem(err);
	opened = store->os->ops->open(store->os, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (opened < 0)
		return refuse_open(store, digest, opened, err);
	code = store->os->ops->fstat(store->os, opened, &status);
	if (code == 0 && !S_ISREG(status.st_mode))
		code = -EISDIR;
	if (code < 0) {
		store->os->ops->close(store->os, opened);
		return refuse_open(store, digest, code, err);
	}
	*fd = opened;
	*size = (uint64_t)status.st_size;
	return 0;
}

static int refuse_digest(const compose_store *store, const compose_digest *digest, hn_error **err)
{
	char text[COMPOSE_DIGEST_TEXT];

	compose_digest_print(digest, text);
	return base_error(err, HN_EDIGEST, COMPOSE_ROOM,
		"the disk or somebody has changed it: remove the file, then get it again",
		"%s of the store %s has other bytes than its name says", text, store->directory);
}

/* To its end, which is no further than `size`; `content` may be NULL. */
static int read_checked(compose_store *store, const compose_digest *digest, int fd, uint64_t size,
	base_buf *content, hn_error **err)
{
	uint8_t *step BASE_AUTO_FREE = base_alloc(STORE_STEP);
	compose_digest found;
	crypto_hasher hash;
	off_t offset = 0;
	ssize_t got = 0;

	if (step == NULL)
		return base_nomem(err);
	crypto_hash_begin(&hash);
	while ((uint64_t)offset <= size &&
		(got = store->os->ops->pread(store->os, fd, step, STORE_STEP, offset)) > 0) {
		crypto_hash_add(&hash, step, (size_t)got);
		if (content != NULL)
			base_buf_add(content, step, (size_t)got);
		offset += got;
	}
	if (got < 0)
		return refuse_open(store, digest, (int)got, err);
	crypto_hash_end(&hash, found.bytes);
	return compose_digest_equal(&found, digest) ? 0 : refuse_digest(store, digest, err);
}

int compose_store_load(compose_store *store, const compose_digest *digest, uint64_t limit,
	char **bytes, size_t *size, hn_error **err)
{
	BASE_AUTO_BUF base_buf content = {0};
	char text[COMPOSE_DIGEST_TEXT], *taken;
	uint64_t found;
	int fd, rc = compose_store_get(store, digest, &fd, &found, err);

	if (rc < 0)
		return rc;
	compose_digest_print(digest, text);
	if (found > limit)
		rc = base_error(err, HN_ELIMIT, COMPOSE_ROOM, NULL,
			"%s of the store has %llu bytes, at most %llu are read", text,
			(unsigned long long)found, (unsigned long long)limit);
	else
		rc = read_checked(store, digest, fd, found, &content, err);
	store->os->ops->close(store->os, fd);
	if (rc < 0)
		return rc;
	found = content.size;
	taken = base_buf_take(&content);
	if (taken == NULL)
		return base_nomem(err);
	*bytes = taken;
	*size = (size_t)found;
	return 0;
}

int compose_store_verify(compose_store *store, const compose_digest *digest, hn_error **err)
{
	uint64_t size;
	int fd, rc = compose_store_get(store, digest, &fd, &size, err);

	if (rc < 0)
		return rc;
	rc = read_checked(store, digest, fd, size, NULL, err);
	store->os->ops->close(store->os, fd);
	return rc;
}
