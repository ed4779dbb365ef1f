/* SPDX-License-Identifier: MIT
 *
 * The content store: bodies by BLAKE2b-256, the digests of payloads by SHA-256, cached layers,
 * built images. What was written is there after a crash or is not there at all.
 */
#ifndef COMPOSE_BLOBS_H
#define COMPOSE_BLOBS_H

#include "compose/compose-private.h"

typedef struct compose_store compose_store;
/* Makes the directories when `create`; HN_ENOENT otherwise. */
int compose_store_open(
	hn_os *os, const char *directory, bool create, compose_store **store, hn_error **err);
void compose_store_free(compose_store *store);
BASE_AUTO(compose_store, compose_store_free)

/* A body that arrives in pieces. `finish` gives its digest; a body that is there already is not
 * written again. `abort` and free leave nothing. */
typedef struct compose_blob compose_blob;
int compose_blob_begin(compose_store *store, compose_blob **blob, hn_error **err);
int compose_blob_add(compose_blob *blob, const void *bytes, size_t size, hn_error **err);
int compose_blob_finish(compose_blob *blob, compose_digest *digest, uint64_t *size, hn_error **err);
void compose_blob_free(compose_blob *blob);
BASE_AUTO(compose_blob, compose_blob_free)
int compose_store_put(compose_store *store, const void *bytes, size_t size, compose_digest *digest,
	hn_error **err);
/* A body that `write` puts into a descriptor by itself, in whatever order. */
int compose_store_write(compose_store *store, int (*write)(void *arg, int fd, hn_error **err),
	void *arg, compose_digest *digest, uint64_t *size, hn_error **err);
/* Where a body is, whether it is there or not; the caller's (base_free). NULL: out of memory. */
char *compose_store_path(const compose_store *store, const compose_digest *digest);
bool compose_store_has(compose_store *store, const compose_digest *digest);
/* The same where it matters why it could not be told: 1, 0, or an error. */
int compose_store_look(compose_store *store, const compose_digest *digest, hn_error **err);
/* A descriptor to read, owned by the caller; *size is its length. HN_ENOENT. The bytes are checked
 * by whoever reads them to the end (compose_store_verify). */
int compose_store_get(compose_store *store, const compose_digest *digest, int *fd, uint64_t *size,
	hn_error **err);
/* All of it in memory, its digest checked: HN_EDIGEST when the disk lies. HN_ELIMIT above `limit`.
 */
int compose_store_load(compose_store *store, const compose_digest *digest, uint64_t limit,
	char **bytes, size_t *size, hn_error **err);
int compose_store_verify(compose_store *store, const compose_digest *digest, hn_error **err);
/* The SHA-256 of a payload, beside the digest of its bytes. */
int compose_store_name(compose_store *store, const compose_sha256 *sha256,
	const compose_digest *digest, hn_error **err);
int compose_store_find(compose_store *store, const compose_sha256 *sha256, compose_digest *digest,
	hn_error **err); /* HN_EMISSING */
/* Records by key: layers, artifacts ("layers", "images"). Written whole or not at all. */
int compose_store_record(compose_store *store, const char *folder, const compose_digest *key,
	const void *bytes, size_t size, hn_error **err);
int compose_store_recall(compose_store *store, const char *folder, const compose_digest *key,
	uint64_t limit, char **bytes, size_t *size, hn_error **err); /* HN_ENOENT */
const char *compose_store_directory(const compose_store *store);
hn_os *compose_store_os(const compose_store *store);

/* Alone until the collection ends, or the store is released: what lives is found out after it, so
 * that nobody adds to it meanwhile. HN_EBUSY while another has the store open. */
int compose_store_claim(compose_store *store, hn_error **err);
/* What is not named by a live digest goes: blobs, records by key, names of payloads that are gone.
 * Cached segments and blocks of images go too unless their key is named: the next build makes them
 * again. HN_EBUSY while another has the store open. Can be interrupted at any point: what is left
 * is whole, and the next collection does the rest. `counts` is what went, or would. */
typedef struct compose_gc_counts {
	uint64_t blobs, bytes; /* bytes of blobs and records */
	uint64_t records, names;
	uint64_t kept; /* blobs */
} compose_gc_counts;
int compose_store_gc(compose_store *store, const compose_digest *live, size_t count, bool dry_run,
	compose_gc_counts *counts, hn_error **err);

/* --- what lives (roots.c) --- */
typedef struct compose_roots {
	compose_digest *items;
	size_t count, capacity;
} compose_roots;
void compose_roots_free(compose_roots *roots); /* empty again */
#define COMPOSE_AUTO_ROOTS __attribute__((cleanup(compose_roots_free)))
int compose_roots_add(compose_roots *roots, const compose_digest *digest, hn_error **err);
/* A payload by its SHA-256; one that is not in the store keeps nothing. */
int compose_roots_payload(
	compose_store *store, const compose_sha256 *sha256, compose_roots *roots, hn_error **err);
/* Payloads whose names are not older: wall time, ns. */
int compose_roots_young(compose_store *store, int64_t since, compose_roots *roots, hn_error **err);
/* A path that somebody uses, when it ends as those of bodies in a store do: by which mount or name
 * it leads there does not count. */
int compose_roots_path(compose_roots *roots, const char *path, hn_error **err);
/* Images with their kernels and records: all, or those whose body or tree is a root already. *kept
 * is how many. A record that was changed keeps nothing; HN_ENEWER. */
int compose_roots_images(
	compose_store *store, bool all, compose_roots *roots, uint64_t *kept, hn_error **err);

#endif
