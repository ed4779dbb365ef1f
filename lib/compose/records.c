/* SPDX-License-Identifier: MIT
 *
 * Small files of the content store: the SHA-256 of payloads, and records by key. Each begins with
 * the digest of the rest, so that a changed one is found.
 */
#include "compose/store-private.h"

const char *const store_folders[] = {"blocks", "images", "layers", "segments"};
const size_t store_folder_count = BASE_COUNT(store_folders);

static int write_record(compose_store *store, const char *folder, const uint8_t key[CRYPTO_DIGEST],
	const void *bytes, size_t size, hn_error **err)
{
	char name[STORE_HEX];
	uint8_t *record BASE_AUTO_FREE = base_alloc(CRYPTO_DIGEST + size);

	if (record == NULL)
		return base_nomem(err);
	crypto_blake2b(bytes, size, record);
	if (size > 0)
		memcpy(record + CRYPTO_DIGEST, bytes, size);
	codec_hex(key, CRYPTO_DIGEST, name);
	return store_write(store, folder, name, record, CRYPTO_DIGEST + size, err);
}

/* *content is the digest and the rest; the caller's. HN_ENOENT, HN_EDIGEST. */
static int read_record(compose_store *store, const char *folder, const uint8_t key[CRYPTO_DIGEST],
	uint64_t limit, char **content, size_t *size, hn_error **err)
{
	char name[STORE_HEX];
	char *path BASE_AUTO_FREE = NULL;
	char *bytes BASE_AUTO_FREE = NULL;
	compose_digest found;
	size_t read;
	int rc;

	codec_hex(key, CRYPTO_DIGEST, name);
	path = store_path(store, folder, name);
	if (path == NULL)
		return base_nomem(err);
	rc = os_read_file(store->os, path, CRYPTO_DIGEST + limit, &bytes, &read, err);
	if (rc < 0)
		return rc;
	if (read >= CRYPTO_DIGEST)
		crypto_blake2b(bytes + CRYPTO_DIGEST, read - CRYPTO_DIGEST, found.bytes);
	if (read < CRYPTO_DIGEST || memcmp(found.bytes, bytes, CRYPTO_DIGEST) != 0)
		return base_error(err, HN_EDIGEST, COMPOSE_ROOM, "remove the file",
			"%s was changed: it has other bytes than were written", path);
	*content = BASE_STEAL(bytes);
	*size = read;
	return 0;
}

int compose_store_name(compose_store *store, const compose_sha256 *sha256,
	const compose_digest *digest, hn_error **err)
{
	return write_record(
		store, "sha256", sha256->bytes, digest->bytes, sizeof(digest->bytes), err);
}

int compose_store_find(
	compose_store *store, const compose_sha256 *sha256, compose_digest *digest, hn_error **err)
{
	char *bytes BASE_AUTO_FREE = NULL;
	char text[STORE_HEX];
	size_t size;
	int rc = read_record(
		store, "sha256", sha256->bytes, sizeof(digest->bytes), &bytes, &size, err);

	codec_hex(sha256->bytes, sizeof(sha256->bytes), text);
	if (rc == HN_ENOENT)
		return base_error(err, HN_EMISSING, COMPOSE_ROOM,
			"hv-compose put FILE brings it there",
			"the store %s has no payload with SHA-256 %s", store->directory, text);
	if (rc == 0 && size != CRYPTO_DIGEST + sizeof(digest->bytes))
		rc = base_error(err, HN_EDIGEST, COMPOSE_ROOM, "remove the file",
			"sha256/%s of the store %s names nothing", text, store->directory);
	if (rc < 0)
		return rc;
	memcpy(digest->bytes, bytes + CRYPTO_DIGEST, sizeof(digest->bytes));
	return 0;
}

static int check_folder(const char *folder, hn_error **err)
{
	for (size_t i = 0; i < store_folder_count; i++)
		if (strcmp(folder, store_folders[i]) == 0)
			return 0;
	return base_error(err, HN_EINVAL, COMPOSE_ROOM, "layers, images, segments or blocks",
		"a store has no records of %s", folder);
}

int compose_store_record(compose_store *store, const char *folder, const compose_digest *key,
	const void *bytes, size_t size, hn_error **err)
{
	int rc = check_folder(folder, err);

	return rc < 0 ? rc : write_record(store, folder, key->bytes, bytes, size, err);
}

int compose_store_recall(compose_store *store, const char *folder, const compose_digest *key,
	uint64_t limit, char **bytes, size_t *size, hn_error **err)
{
	char *content BASE_AUTO_FREE = NULL;
	size_t read;
	int rc = check_folder(folder, err);

	if (rc == 0)
		rc = read_record(store, folder, key->bytes, limit, &content, &read, err);
	if (rc < 0)
		return rc;
	memmove(content, content + CRYPTO_DIGEST, read - CRYPTO_DIGEST + 1);
	*bytes = BASE_STEAL(content);
	*size = read - CRYPTO_DIGEST;
	return 0;
}
