/* SPDX-License-Identifier: MIT
 *
 * Entries of payloads: what a reader finds, checked, before it becomes part of a tree. Nothing is
 * ever unpacked: bodies go to the store, names and modes are records.
 */
#ifndef COMPOSE_ENTRY_H
#define COMPOSE_ENTRY_H

#include "compose/compose-private.h"

typedef enum compose_entry_type {
	COMPOSE_ENTRY_FILE = 1,
	COMPOSE_ENTRY_DIRECTORY,
	COMPOSE_ENTRY_SYMLINK,
	COMPOSE_ENTRY_HARDLINK /* `target`: an earlier regular file of the same payload */
} compose_entry_type;
typedef struct compose_xattr { /* user.*, and security.capability where the manifest lists it */
	const char *name;
	const uint8_t *value;
	size_t size;
} compose_xattr;
typedef struct compose_entry {
	compose_entry_type type;
	const char *path;   /* "/usr/bin/nginx": canonical, absolute, not "/" but for the root */
	const char *target; /* of links */
	uint32_t mode;      /* permission bits with setuid, setgid, sticky: 07777 */
	uint32_t uid, gid;
	uint64_t size;          /* of a file */
	compose_digest content; /* of a file */
	const compose_xattr *xattrs;
	size_t xattr_count;
} compose_entry;

/* What a payload was read into: its entries in order of path, directories too. Immutable. Cached in
 * the store by compose_layer_key. */
typedef struct compose_layer {
	base_arena *arena;
	compose_entry *entries;
	size_t count;
	compose_digest digest;      /* of its deterministic CBOR */
	const char *const *remarks; /* dropped setuid bits and the like, one line each */
	size_t remark_count;
} compose_layer;
void compose_layer_free(compose_layer *layer);
BASE_AUTO(compose_layer, compose_layer_free)
/* NULL when it has no such entry. */
const compose_entry *compose_layer_find(const compose_layer *layer, const char *path);
int compose_layer_write(const compose_layer *layer, base_buf *out, hn_error **err);
int compose_layer_read(const void *bytes, size_t size, compose_layer **layer, hn_error **err);

#endif
