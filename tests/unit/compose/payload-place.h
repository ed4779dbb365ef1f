/* SPDX-License-Identifier: MIT
 *
 * A directory of the real system with a store in it, and payloads in that store.
 */
#ifndef TEST_PAYLOAD_PLACE_H
#define TEST_PAYLOAD_PLACE_H

#include "archives.h"

typedef struct place {
	char directory[64];
	hn_os *os;
	compose_store *store;
} place;

static inline place open_place(void)
{
	place made = {.directory = "/tmp/hypernix-payload-XXXXXX", .os = hn_os_real()};
	char path[96];

	cr_assert_not_null(mkdtemp(made.directory));
	snprintf(path, sizeof(path), "%s/store", made.directory);
	cr_assert_eq(compose_store_open(made.os, path, true, &made.store, NULL), 0);
	return made;
}

static inline void leave(place *at)
{
	compose_store_free(at->store);
	cr_assert_eq(os_remove_tree(at->os, at->directory, NULL), 0);
}

static inline const char *path_in(const place *at, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", at->directory, name);
	return path;
}

static inline void write_file(const place *at, const char *name, const char *text, mode_t mode)
{
	cr_assert_eq(os_write_file(at->os, path_in(at, name), text, strlen(text), mode, NULL), 0);
}

/* --- payloads in the store --- */

static inline compose_payload put(
	const place *at, compose_payload_kind kind, const void *data, size_t size)
{
	compose_payload payload = {
		.kind = kind, .size = size, .place = {.file = "m.json", .line = 3, .column = 5}};
	compose_digest digest;

	crypto_sha256(data, size, payload.sha256.bytes);
	cr_assert_eq(compose_store_put(at->store, data, size, &digest, NULL), 0);
	cr_assert_eq(compose_store_name(at->store, &payload.sha256, &digest, NULL), 0);
	return payload;
}

static inline int layer_by(const place *at, const char *parser, const compose_payload *payload,
	compose_layer **layer, bool *cached, hn_error **err)
{
	const compose_reading how = {.payload = payload};

	return compose_payload_layer(at->store, parser, &how, layer, cached, err);
}

#endif
