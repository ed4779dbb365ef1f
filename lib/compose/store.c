/* SPDX-License-Identifier: MIT
 *
 * The content store as a directory: opening it, and how a file comes to its place.
 */
#include "compose/store-private.h"
#include <errno.h>

enum { WAIT_STEPS = 100 };
#define WAIT_STEP INT64_C(50000000) /* ns */

char *store_path(const compose_store *store, const char *folder, const char *name)
{
	BASE_AUTO_BUF base_buf path = {0};

	base_buf_format(
		&path, "%s/%s%s%s", store->directory, folder, *name == '\0' ? "" : "/", name);
	return base_buf_take(&path);
}

static int make_folder(compose_store *store, const char *folder, hn_error **err)
{
	char *path BASE_AUTO_FREE = store_path(store, folder, "");

	return path == NULL ? base_nomem(err) : os_mkdirs(store->os, path, 0755, err);
}

/* A file that is still there when nobody else has the store open belongs to who died. */
int store_remove_leftovers(compose_store *store, hn_error **err)
{
	char *path BASE_AUTO_FREE = store_path(store, "tmp", "");
	int rc;

	if (path == NULL)
		return base_nomem(err);
	rc = os_remove_tree(store->os, path, err);
	return rc < 0 ? rc : make_folder(store, "tmp", err);
}

static int refuse_lock(const compose_store *store, int code, hn_error **err)
{
	return base_error_errno(
		err, COMPOSE_ROOM, code, "cannot lock the store %s", store->directory);
}

int store_lock_shared(compose_store *store, hn_error **err)
{
	int code = 0;

	for (int i = 0; i < WAIT_STEPS; i++) {
		code = store->os->ops->lock(store->os, store->lock, F_RDLCK, 0, 1);
		if (code == 0)
			return 0;
		if (code != -EAGAIN)
			return refuse_lock(store, code, err);
		store->os->ops->sleep(store->os, WAIT_STEP);
	}
	return base_error(err, HN_EBUSY, COMPOSE_ROOM, "try again when it is done",
		"garbage of the store %s is being collected", store->directory);
}

/* Who may only read the store cannot lock it alone (EBADF), and leaves it as it is, as does who
 * only looks. */
static int settle(compose_store *store, bool create, hn_error **err)
{
	int code = -EAGAIN, rc = 0;

	if (create)
		code = store->os->ops->lock(store->os, store->lock, F_WRLCK, 0, 1);
	if (code == 0)
		rc = store_remove_leftovers(store, err);
	else if (code != -EAGAIN && code != -EBADF)
		rc = refuse_lock(store, code, err);
	return rc < 0 ? rc : store_lock_shared(store, err);
}

static int open_lock(compose_store *store, bool create, hn_error **err)
{
	char *path BASE_AUTO_FREE = store_path(store, "lock", "");
	hn_os *os = store->os;

	if (path == NULL)
		return base_nomem(err);
	store->lock = os->ops->open(os, path, O_RDWR | (create ? O_CREAT : 0), 0644);
	if (store->lock == -EACCES || store->lock == -EROFS)
		store->lock = os->ops->open(os, path, O_RDONLY, 0);
	if (store->lock >= 0)
		return 0;
	if (store->lock == -ENOENT)
		return base_error(err, HN_ENOENT, COMPOSE_ROOM, NULL,
			"%s is no store of components", store->directory);
	return base_error_errno(
		err, COMPOSE_ROOM, store->lock, "cannot open the store %s", store->directory);
}

static int make_folders(compose_store *store, hn_error **err)
{
	int rc = make_folder(store, "blobs", err);

	if (rc == 0)
		rc = make_folder(store, "sha256", err);
	return rc < 0 ? rc : make_folder(store, "tmp", err);
}

int compose_store_open(
	hn_os *os, const char *directory, bool create, compose_store **store, hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *made = base_calloc(1, sizeof(*made));
	int rc;

	if (made == NULL)
		return base_nomem(err);
	made->os = os;
	made->lock = -1;
	made->directory = base_strdup(directory);
	if (made->directory == NULL)
		return base_nomem(err);
	rc = crypto_open(err);
	if (rc == 0 && create)
		rc = make_folders(made, err);
	if (rc == 0)
		rc = open_lock(made, create, err);
	if (rc == 0)
		rc = settle(made, create, err);
	if (rc < 0)
		return rc;
	*store = BASE_STEAL(made);
	return 0;
}

void compose_store_free(compose_store *store)
{
	if (store == NULL)
		return;
	if (store->lock >= 0)
		store->os->ops->close(store->os, store->lock);
	base_free(store->directory);
	base_free(store);
}

const char *compose_store_directory(const compose_store *store)
{
	return store->directory;
}

hn_os *compose_store_os(const compose_store *store)
{
	return store->os;
}

int store_temporary_open(compose_store *store, store_temporary *temporary, hn_error **err)
{
	char name[2 * sizeof(uint64_t) + 1];
	uint64_t chance;
	int rc = os_random(store->os, &chance, sizeof(chance), err);

	temporary->fd = -1;
	if (rc < 0)
		return rc;
	codec_hex(&chance, sizeof(chance), name);
	temporary->path = store_path(store, "tmp", name);
	if (temporary->path == NULL)
		return base_nomem(err);
	/* Nobody may write what has its digest for a name, not even its owner. */
	temporary->fd = store->os->ops->open(
		store->os, temporary->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0444);
	if (temporary->fd >= 0)
		return 0;
	rc = temporary->fd;
	base_free(BASE_STEAL(temporary->path));
	return base_error_errno(
		err, COMPOSE_ROOM, rc, "cannot write into the store %s", store->directory);
}

void store_temporary_drop(compose_store *store, store_temporary *temporary)
{
	if (temporary->fd >= 0)
		store->os->ops->close(store->os, temporary->fd);
	temporary->fd = -1;
	if (temporary->path != NULL)
		store->os->ops->unlink(store->os, temporary->path);
	base_free(BASE_STEAL(temporary->path));
}

/* A name that may not outlive the power stays: another may have found it by now and rely on it. Who
 * finds a blob syncs its directory first (find_durable). */
static int rename_durably(compose_store *store, store_temporary *temporary, const char *parent,
	const char *path, hn_error **err)
{
	hn_os *os = store->os;
	int code = os->ops->rename(os, temporary->path, path);

	if (code == 0) {
		base_free(BASE_STEAL(temporary->path));
		code = os->ops->sync_directory(os, parent);
	}
	return code < 0 ? base_error_errno(err, COMPOSE_ROOM, code, "cannot keep %s", path) : 0;
}

static int finish_file(compose_store *store, store_temporary *temporary, hn_error **err)
{
	hn_os *os = store->os;
	int code = os->ops->fsync(os, temporary->fd);
	int closed = os->ops->close(os, temporary->fd);

	temporary->fd = -1;
	if (code == 0)
		code = closed;
	return code < 0 ? base_error_errno(
				  err, COMPOSE_ROOM, code, "cannot write %s", temporary->path)
			: 0;
}

/* A folder that may not outlive the power is taken back: who finds it would trust it. */
static int make_parent(compose_store *store, const char *folder, const char *path, hn_error **err)
{
	int rc = os_exists(store->os, path) ? 0 : make_folder(store, folder, err);

	if (rc < 0)
		store->os->ops->rmdir(store->os, path);
	return rc;
}

int store_temporary_place(compose_store *store, store_temporary *temporary, const char *folder,
	const char *name, hn_error **err)
{
	char *parent BASE_AUTO_FREE = store_path(store, folder, "");
	char *path BASE_AUTO_FREE = store_path(store, folder, name);
	int rc = parent == NULL || path == NULL ? base_nomem(err) : 0;

	if (rc == 0)
		rc = finish_file(store, temporary, err);
	if (rc == 0)
		rc = make_parent(store, folder, parent, err);
	if (rc == 0)
		rc = rename_durably(store, temporary, parent, path, err);
	store_temporary_drop(store, temporary);
	return rc;
}
