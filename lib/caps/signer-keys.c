/* SPDX-License-Identifier: MIT
 *
 * The directory of the signer's keys.
 */
#include "caps/signer-private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* "<directory>/<name><suffix>"; owned, NULL when out of memory. */
static char *path_of(const char *directory, const char *name, const char *suffix)
{
	BASE_AUTO_BUF base_buf path = {0};

	base_buf_format(&path, "%s/%s%s", directory, name, suffix);
	return base_buf_take(&path);
}

/* 1 or 0, or why that cannot be said: a disk that fails must not look like a directory without
 * keys. */
static int is_there(hn_os *os, const char *path, hn_error **err)
{
	struct stat status;
	int rc = os->ops->stat(os, path, &status);

	if (rc == -ENOENT)
		return 0;
	return rc < 0 ? base_error_errno(err, SIGNER_ROOM, rc, "cannot look for %s", path) : 1;
}

static char *record_path(const char *directory, uint32_t generation)
{
	char name[32];

	snprintf(name, sizeof(name), "record-%u", generation);
	return path_of(directory, name, ".key");
}

static crypto_wrapping by_kek(const crypto_secret *kek)
{
	return (crypto_wrapping){.wrap = CRYPTO_WRAP_KEK,
		.secret = {crypto_secret_view(kek), crypto_secret_size(kek)}};
}

static crypto_key_kind kind_of(crypto_role role)
{
	return role == CRYPTO_ROLE_RECORD ? CRYPTO_KEY_SYMMETRIC
	       : role == CRYPTO_ROLE_BOX  ? CRYPTO_KEY_X25519
					  : CRYPTO_KEY_ED25519;
}

int signer_directory_open(hn_os *os, const char *directory, hn_error **err)
{
	struct stat status;
	int rc = os->ops->stat(os, directory, &status);

	if (rc == -ENOENT) {
		rc = os_mkdirs(os, directory, 0700, err);
		if (rc < 0)
			return rc;
		rc = os->ops->stat(os, directory, &status);
	}
	if (rc < 0)
		return base_error_errno(err, SIGNER_ROOM, rc, "cannot look at %s", directory);
	if (!S_ISDIR(status.st_mode))
		return base_error(err, HN_EKEY, SIGNER_ROOM, NULL, "%s is no directory", directory);
	if ((status.st_uid != geteuid() && status.st_uid != 0) || (status.st_mode & 077) != 0)
		return base_error(err, HN_EKEY, SIGNER_ROOM,
			"keys belong into a directory of mode 0700 that nobody else has",
			"%s has mode %04o and belongs to user %u", directory,
			status.st_mode & 07777u, status.st_uid);
	return 0;
}

/* --- the names in the directory --- */

typedef struct listing {
	uint32_t files;      /* key files */
	uint32_t generation; /* the highest of the record key */
} listing;

static int look_at_name(void *arg, const char *name)
{
	static const char prefix[] = "record-";
	listing *found = arg;
	size_t size = strlen(name);
	char *end = NULL;
	unsigned long number;

	if (size < 5 || strcmp(name + size - 4, ".key") != 0)
		return 0;
	found->files++;
	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	number = strtoul(name + sizeof(prefix) - 1, &end, 10);
	if (strcmp(end, ".key") == 0 && number > found->generation && number <= SIGNER_KEYS)
		found->generation = (uint32_t)number;
	return 0;
}

static int list_keys(hn_os *os, const char *directory, listing *found, hn_error **err)
{
	int rc;

	*found = (listing){0};
	rc = os->ops->list(os, directory, look_at_name, found);
	if (rc < 0)
		return base_error_errno(err, SIGNER_ROOM, rc, "cannot list %s", directory);
	return base_limit_check(BASE_LIMIT_SIGNER_KEYS, found->files, err);
}

int signer_keys_count(hn_os *os, const char *directory, uint32_t *count, hn_error **err)
{
	listing found;
	int rc = list_keys(os, directory, &found, err);

	if (rc >= 0)
		*count = found.files;
	return rc;
}

int signer_kek_open(hn_os *os, const char *directory, crypto_secret **kek, hn_error **err)
{
	BASE_AUTO_FREE char *path = path_of(directory, "kek", "");
	BASE_AUTO_OF(crypto_secret) crypto_secret *made = NULL;
	listing found;
	int rc;

	if (path == NULL)
		return base_nomem(err);
	rc = is_there(os, path, err);
	if (rc > 0)
		return crypto_secret_read(os, path, CRYPTO_KEY, kek, err);
	if (rc >= 0)
		rc = list_keys(os, directory, &found, err);
	if (rc >= 0 && found.files > 0)
		rc = base_error(err, HN_EKEY, SIGNER_ROOM,
			"bring it back, or give the one that wrapped them",
			"%s is missing, while there are keys that it may wrap", path);
	if (rc >= 0)
		rc = crypto_secret_random(os, CRYPTO_KEY, &made, err);
	if (rc >= 0)
		rc = os_write_file(os, path, crypto_secret_view(made), CRYPTO_KEY, 0600, err);
	if (rc < 0)
		return rc;
	*kek = BASE_STEAL(made);
	return 0;
}

/* --- making --- */

static char *role_path(const char *directory, crypto_role role)
{
	return role == CRYPTO_ROLE_RECORD ? record_path(directory, 1)
					  : path_of(directory, crypto_role_name(role), ".key");
}

static int new_key(
	hn_os *os, const char *path, const crypto_secret *kek, crypto_key_kind kind, hn_error **err)
{
	BASE_AUTO_OF(crypto_key) crypto_key *key = NULL;
	crypto_wrapping wrapping = by_kek(kek);
	int rc = crypto_key_generate(os, kind, 0, &key, err);

	return rc < 0 ? rc : crypto_key_create(os, path, key, &wrapping, err);
}

static int make_key(hn_os *os, const char *directory, const crypto_secret *kek, crypto_role role,
	hn_error **err)
{
	BASE_AUTO_FREE char *path = role_path(directory, role);
	int rc;

	if (path == NULL)
		return base_nomem(err);
	rc = is_there(os, path, err);
	return rc != 0 ? rc : new_key(os, path, kek, kind_of(role), err);
}

int signer_keys_make(hn_os *os, const char *directory, const crypto_secret *kek, hn_error **err)
{
	int rc = 0;

	for (int role = 0; rc >= 0 && role < CRYPTO_ROLES; role++)
		rc = make_key(os, directory, kek, (crypto_role)role, err);
	return rc < 0 ? rc : 0;
}

/* --- reading --- */

void signer_keys_clear(signer_keys *keys)
{
	for (int role = 0; role < CRYPTO_ROLES; role++) {
		if (role != CRYPTO_ROLE_RECORD) /* a view of the last generation */
			crypto_key_free(keys->current[role]);
		crypto_key_free(keys->previous[role]);
	}
	for (size_t i = 0; i < SIGNER_KEYS; i++)
		crypto_key_free(keys->record[i]);
	*keys = (signer_keys){0};
}

/* Frees `given`. */
static int open_key(hn_os *os, char *given, const crypto_secret *kek, crypto_key_kind kind,
	crypto_key **key, hn_error **err)
{
	BASE_AUTO_OF(crypto_key) crypto_key *opened = NULL;
	BASE_AUTO_FREE char *path = given;
	crypto_wrapping wrapping = by_kek(kek);
	int rc;

	if (path == NULL)
		return base_nomem(err);
	rc = crypto_key_open(os, path, &wrapping, &opened, err);
	if (rc < 0)
		return rc;
	if (opened->facts.kind != kind)
		return base_error(err, HN_EKEY, SIGNER_ROOM, NULL,
			"%s holds a key of kind %d, not %d", path, (int)opened->facts.kind,
			(int)kind);
	*key = BASE_STEAL(opened);
	return 0;
}

static int open_role(hn_os *os, const char *directory, const crypto_secret *kek, crypto_role role,
	signer_keys *keys, hn_error **err)
{
	BASE_AUTO_FREE char *kept = path_of(directory, crypto_role_name(role), ".previous.key");
	int rc = open_key(os, path_of(directory, crypto_role_name(role), ".key"), kek,
		kind_of(role), &keys->current[role], err);

	if (rc < 0)
		return rc;
	if (kept == NULL)
		return base_nomem(err);
	rc = is_there(os, kept, err);
	if (rc <= 0)
		return rc;
	return open_key(os, BASE_STEAL(kept), kek, kind_of(role), &keys->previous[role], err);
}

static int open_records(hn_os *os, const char *directory, const crypto_secret *kek,
	uint32_t generations, signer_keys *keys, hn_error **err)
{
	int rc = 0;

	for (uint32_t i = 1; rc >= 0 && i <= generations; i++)
		rc = open_key(os, record_path(directory, i), kek, CRYPTO_KEY_SYMMETRIC,
			&keys->record[i - 1], err);
	if (rc < 0)
		return rc;
	if (generations == 0)
		return base_error(
			err, HN_EKEY, SIGNER_ROOM, NULL, "%s holds no record key", directory);
	keys->generation = generations;
	keys->current[CRYPTO_ROLE_RECORD] = keys->record[generations - 1];
	return 0;
}

int signer_keys_read(hn_os *os, const char *directory, const crypto_secret *kek, signer_keys *keys,
	hn_error **err)
{
	signer_keys read = {0};
	listing found;
	int rc = list_keys(os, directory, &found, err);

	for (int role = 0; rc >= 0 && role < CRYPTO_ROLE_RECORD; role++)
		rc = open_role(os, directory, kek, (crypto_role)role, &read, err);
	if (rc >= 0)
		rc = open_records(os, directory, kek, found.generation, &read, err);
	if (rc < 0) {
		signer_keys_clear(&read);
		return rc;
	}
	read.count = found.files;
	signer_keys_clear(keys);
	*keys = read;
	return 0;
}

/* --- replacing --- */

static int add_record(hn_os *os, const char *directory, const crypto_secret *kek,
	uint32_t generation, hn_error **err)
{
	BASE_AUTO_FREE char *path = record_path(directory, generation);

	return path == NULL ? base_nomem(err) : new_key(os, path, kek, CRYPTO_KEY_SYMMETRIC, err);
}

int signer_keys_rotate(hn_os *os, const char *directory, const crypto_secret *kek,
	const signer_keys *keys, crypto_role role, int64_t overlap, hn_error **err)
{
	BASE_AUTO_FREE char *path = path_of(directory, crypto_role_name(role), ".key");
	BASE_AUTO_FREE char *kept = path_of(directory, crypto_role_name(role), ".previous.key");
	BASE_AUTO_OF(crypto_key) crypto_key *next = NULL;
	bool adds = role == CRYPTO_ROLE_RECORD || keys->previous[role] == NULL;
	crypto_wrapping wrapping = by_kek(kek);
	int rc = base_limit_check(BASE_LIMIT_SIGNER_KEYS, keys->count + adds, err);

	if (rc < 0)
		return rc;
	if (role == CRYPTO_ROLE_RECORD)
		return add_record(os, directory, kek, keys->generation + 1, err);
	if (path == NULL || kept == NULL)
		return base_nomem(err);
	rc = crypto_key_generate(os, kind_of(role), 0, &next, err);
	if (rc < 0)
		return rc;
	return crypto_key_rotate(os, path, kept, keys->current[role],
		os_now(os) / OS_SECOND + overlap, next, &wrapping, err);
}
