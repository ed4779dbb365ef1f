/* SPDX-License-Identifier: MIT
 *
 * Garbage collection of the content store. What names something goes before what it names, and the
 * one is durable before the other begins: an interrupted collection leaves waste, never a name of
 * nothing.
 */
#include "compose/store-private.h"
#include <errno.h>
#include <stdlib.h>

typedef struct gc {
	compose_store *store;
	compose_digest *live; /* sorted */
	size_t count;
	bool dry_run;
	compose_gc_counts counts;
} gc;

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(compose_digest));
}

static bool is_live(const gc *g, const compose_digest *digest)
{
	return g->count > 0 &&
	       bsearch(digest, g->live, g->count, sizeof(*g->live), compare) != NULL;
}

static int collect_name(void *arg, const char *name)
{
	return base_names_add(arg, name) < 0 ? -ENOMEM : 0;
}

int store_list(compose_store *store, const char *folder, base_names *names, hn_error **err)
{
	char *path BASE_AUTO_FREE = store_path(store, folder, "");
	hn_os *os = store->os;
	int code;

	if (path == NULL)
		return base_nomem(err);
	code = os->ops->list(os, path, collect_name, names);
	if (code == 0 || code == -ENOENT)
		return 0;
	return base_error_errno(err, COMPOSE_ROOM, code, "cannot list %s", path);
}

/* Whatever was removed here: a collection before this one may have ended before it came so far. */
static int sync_folder(gc *g, const char *folder, hn_error **err)
{
	char *path BASE_AUTO_FREE = store_path(g->store, folder, "");
	hn_os *os = g->store->os;
	int code;

	if (g->dry_run)
		return 0;
	if (path == NULL)
		return base_nomem(err);
	code = os->ops->sync_directory(os, path);
	return code < 0 && code != -ENOENT
		       ? base_error_errno(err, COMPOSE_ROOM, code, "cannot clean %s", path)
		       : 0;
}

static int remove_object(
	gc *g, const char *folder, const char *name, uint64_t *bytes, hn_error **err)
{
	char *path BASE_AUTO_FREE = store_path(g->store, folder, name);
	hn_os *os = g->store->os;
	struct stat status;
	int code;

	if (path == NULL)
		return base_nomem(err);
	code = os->ops->stat(os, path, &status);
	if (code == 0 && !g->dry_run)
		code = os->ops->unlink(os, path);
	if (code < 0)
		return base_error_errno(err, COMPOSE_ROOM, code, "cannot remove %s", path);
	*bytes += (uint64_t)status.st_size;
	return 0;
}

bool store_name_read(const char *first, const char *rest, compose_digest *digest)
{
	char text[STORE_HEX];
	size_t head = strlen(first), tail = strlen(rest);

	if (head + tail != STORE_HEX - 1)
		return false;
	memcpy(text, first, head);
	memcpy(text + head, rest, tail + 1);
	return codec_hex_decode(text, STORE_HEX - 1, digest->bytes);
}

static int sweep_records(gc *g, const char *folder, hn_error **err)
{
	BASE_AUTO_NAMES base_names names = {0};
	compose_digest key;
	int rc = store_list(g->store, folder, &names, err);

	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		if (!store_name_read("", names.items[i], &key) || is_live(g, &key))
			continue;
		rc = remove_object(g, folder, names.items[i], &g->counts.bytes, err);
		g->counts.records += rc == 0;
	}
	return rc < 0 ? rc : sync_folder(g, folder, err);
}

/* 0 or 1. A name that was changed names nothing. */
static int names_live(gc *g, const char *name, hn_error **err)
{
	compose_digest digest;
	compose_sha256 sha256;
	int rc;

	if (!codec_hex_decode(name, STORE_HEX - 1, sha256.bytes))
		return 1;
	rc = compose_store_find(g->store, &sha256, &digest, err);
	if (rc < 0)
		return base_error_forgive(err, rc, HN_EDIGEST);
	return is_live(g, &digest);
}

static int sweep_names(gc *g, hn_error **err)
{
	BASE_AUTO_NAMES base_names names = {0};
	compose_digest name;
	uint64_t bytes = 0;
	int rc = store_list(g->store, "sha256", &names, err);

	for (size_t i = 0; rc >= 0 && i < names.count; i++) {
		if (!store_name_read("", names.items[i], &name))
			continue;
		rc = names_live(g, names.items[i], err);
		if (rc != 0)
			continue;
		rc = remove_object(g, "sha256", names.items[i], &bytes, err);
		g->counts.names += rc == 0;
	}
	return rc < 0 ? rc : sync_folder(g, "sha256", err);
}

static int sweep_blobs_of(gc *g, const char *head, hn_error **err)
{
	BASE_AUTO_NAMES base_names names = {0};
	char folder[sizeof("blobs/00")] = "blobs/";
	compose_digest digest;
	int rc;

	if (strlen(head) != 2)
		return 0;
	memcpy(folder + strlen("blobs/"), head, 3);
	rc = store_list(g->store, folder, &names, err);
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		if (!store_name_read(head, names.items[i], &digest))
			continue;
		if (is_live(g, &digest)) {
			g->counts.kept++;
			continue;
		}
		rc = remove_object(g, folder, names.items[i], &g->counts.bytes, err);
		g->counts.blobs += rc == 0;
	}
	return rc;
}

static int sweep(gc *g, hn_error **err)
{
	BASE_AUTO_NAMES base_names heads = {0};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < store_folder_count; i++)
		rc = sweep_records(g, store_folders[i], err);
	if (rc == 0)
		rc = sweep_names(g, err);
	if (rc == 0)
		rc = store_list(g->store, "blobs", &heads, err);
	for (size_t i = 0; rc == 0 && i < heads.count; i++)
		rc = sweep_blobs_of(g, heads.items[i], err);
	return rc;
}

/* Alone: who builds now has blobs that nothing names yet. */
int compose_store_claim(compose_store *store, hn_error **err)
{
	int code = store->os->ops->lock(store->os, store->lock, F_WRLCK, 0, 1);

	if (code == -EAGAIN)
		return base_error(err, HN_EBUSY, COMPOSE_ROOM, "try again when it is done",
			"another program has the store %s open", store->directory);
	if (code < 0)
		return base_error_errno(
			err, COMPOSE_ROOM, code, "cannot lock the store %s", store->directory);
	code = store_remove_leftovers(store, err);
	if (code < 0)
		(void)store_lock_shared(store, NULL);
	return code;
}

int compose_store_gc(compose_store *store, const compose_digest *live, size_t count, bool dry_run,
	compose_gc_counts *counts, hn_error **err)
{
	compose_digest *sorted BASE_AUTO_FREE = base_alloc(count * sizeof(*live));
	gc g = {.store = store, .live = sorted, .count = count, .dry_run = dry_run};
	int rc, shared;

	if (sorted == NULL)
		return base_nomem(err);
	if (count > 0)
		memcpy(sorted, live, count * sizeof(*live));
	qsort(sorted, count, sizeof(*sorted), compare);
	rc = dry_run ? 0 : compose_store_claim(store, err);
	if (rc < 0)
		return rc;
	rc = sweep(&g, err);
	shared = dry_run ? 0 : store_lock_shared(store, rc < 0 ? NULL : err);
	if (rc == 0)
		rc = shared;
	if (rc < 0)
		return rc;
	*counts = g.counts;
	return 0;
}
