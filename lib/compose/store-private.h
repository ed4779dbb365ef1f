/* SPDX-License-Identifier: MIT
 *
 * What blobs, records and garbage collection of the content store share: its directories, and how
 * a file comes to its place.
 */
#ifndef COMPOSE_STORE_PRIVATE_H
#define COMPOSE_STORE_PRIVATE_H

#include "compose/blobs.h"

struct compose_store {
	hn_os *os;
	char *directory;
	int lock; /* shared while it is open; alone while leftovers are removed */
};

enum { STORE_STEP = 65536, STORE_HEX = 2 * CRYPTO_DIGEST + 1 };

/* Folders of records. */
extern const char *const store_folders[];
extern const size_t store_folder_count;

/* Removed at the next open when we do not come to its end. */
typedef struct store_temporary {
	int fd; /* -1: none is open */
	char *path;
} store_temporary;
int store_temporary_open(compose_store *store, store_temporary *temporary, hn_error **err);
/* Synced, moved to `folder` and `name`, the folder synced: it is there for good. The temporary is
 * gone after it, whatever comes of it. */
int store_temporary_place(compose_store *store, store_temporary *temporary, const char *folder,
	const char *name, hn_error **err);
void store_temporary_drop(compose_store *store, store_temporary *temporary);

/* The path of an object of the store; the caller's (base_free). NULL when out of memory. */
char *store_path(const compose_store *store, const char *folder, const char *name);
/* "blobs/ab" and the rest of the digits. */
void store_blob_place(
	const compose_digest *digest, char folder[sizeof("blobs/00")], char name[STORE_HEX]);
/* A digest and what follows it in one file. */
int store_write(compose_store *store, const char *folder, const char *name, const void *bytes,
	size_t size, hn_error **err);
/* The names in a folder; none when there is no such folder. */
int store_list(compose_store *store, const char *folder, base_names *names, hn_error **err);
/* Whether two parts of a name are one that records have: 64 digits. What else may lie in a folder
 * is not the store's. */
bool store_name_read(const char *first, const char *rest, compose_digest *digest);
/* What those who died have left, while nobody else has the store open. */
int store_remove_leftovers(compose_store *store, hn_error **err);
/* Waits for who is alone in the store, 5 seconds at most; HN_EBUSY. */
int store_lock_shared(compose_store *store, hn_error **err);

#endif
