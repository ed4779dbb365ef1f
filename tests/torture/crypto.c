/* SPDX-License-Identifier: MIT
 *
 * Torture of crypto: key files are made, opened and replaced while memory and disk fail and the
 * power goes. There is always one whole key, and never one that others could read.
 */
#include "crypto/crypto-private.h"
#include "torture.h"

static const uint8_t kek[CRYPTO_KEY] = {1, 2, 3};
static const crypto_wrapping by_kek = {.wrap = CRYPTO_WRAP_KEK, .secret = {kek, sizeof(kek)}};
static const uint8_t old_seed[CRYPTO_SEED] = {7}, new_seed[CRYPTO_SEED] = {8};
#define KEY "/keys/a.key"
#define KEPT "/keys/a.previous.key"

static int count_name(void *arg, const char *name)
{
	(void)name;
	++*(int *)arg;
	return 0;
}

/* The key in a file: 1 the old one, 2 the new one, 0 no file. */
static int which(torture *t, const char *path, int *found)
{
	uint8_t old_public[CRYPTO_PUBLIC], new_public[CRYPTO_PUBLIC];
	BASE_AUTO_OF(crypto_key) crypto_key *key = NULL;
	struct stat status;
	int rc = crypto_key_open(t->os, path, &by_kek, &key, NULL);

	*found = 0;
	if (rc == HN_ENOENT)
		return 0;
	TORTURE_CHECK(rc == 0);
	TORTURE_CHECK(t->os->ops->stat(t->os, path, &status) == 0);
	TORTURE_CHECK((status.st_mode & 07777) == 0600);
	crypto_ed25519_public(old_seed, old_public);
	crypto_ed25519_public(new_seed, new_public);
	if (memcmp(key->facts.public_key, old_public, CRYPTO_PUBLIC) == 0)
		*found = 1;
	else if (memcmp(key->facts.public_key, new_public, CRYPTO_PUBLIC) == 0)
		*found = 2;
	TORTURE_CHECK(*found != 0);
	return 0;
}

static int create_prepare(torture *t)
{
	TORTURE_CHECK(crypto_open(NULL) == 0);
	TORTURE_CHECK(os_mkdirs(t->os, "/keys", 0700, NULL) == 0);
	return 0;
}

static int create_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(crypto_key) crypto_key *key = NULL;
	int rc = crypto_key_from(CRYPTO_KEY_ED25519, old_seed, &key, err);

	return rc < 0 ? rc : crypto_key_create(t->os, KEY, key, &by_kek, err);
}

static int create_check(torture *t)
{
	int found, files = 0;

	if (which(t, KEY, &found) < 0)
		return -1;
	TORTURE_CHECK(found == 1 || (found == 0 && t->code < 0));
	TORTURE_CHECK(t->os->ops->list(t->os, "/keys", count_name, &files) == 0);
	TORTURE_CHECK(files == (found == 1) || !t->once);
	return 0;
}

static int with_key_prepare(torture *t)
{
	if (create_prepare(t) < 0)
		return -1;
	TORTURE_CHECK(create_run(t, NULL) == 0);
	return 0;
}

static int open_run(torture *t, hn_error **err)
{
	crypto_key *key = t->output;
	int rc = crypto_key_open(t->os, KEY, &by_kek, &key, err);

	t->output = key;
	return rc;
}

static void open_clean(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		crypto_key_free(t->output);
}

static int rotate_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(crypto_key) crypto_key *key = NULL, *next = NULL;
	int rc = crypto_key_open(t->os, KEY, &by_kek, &key, err);

	if (rc >= 0)
		rc = crypto_key_from(CRYPTO_KEY_ED25519, new_seed, &next, err);
	if (rc >= 0)
		rc = crypto_key_rotate(t->os, KEY, KEPT, key, 1900000000, next, &by_kek, err);
	return rc;
}

/* At its place is the old key or the new one; when it is the new one, the old one is kept. */
static int rotate_check(torture *t)
{
	int current, kept;

	if (which(t, KEY, &current) < 0 || which(t, KEPT, &kept) < 0)
		return -1;
	TORTURE_CHECK(current == 1 || current == 2);
	TORTURE_CHECK(kept == 1 || (kept == 0 && current == 1));
	TORTURE_CHECK(t->code < 0 || current == 2);
	return 0;
}

static int box_run(torture *t, hn_error **err)
{
	uint8_t public_key[CRYPTO_PUBLIC], box[5 + CRYPTO_BOX_OVERHEAD];
	crypto_secret *plain = t->output;
	int rc;

	crypto_x25519_public(old_seed, public_key);
	rc = crypto_x25519_seal(public_key, "hello", 5, box, err);
	if (rc >= 0)
		rc = crypto_x25519_open(old_seed, box, sizeof(box), &plain, err);
	t->output = plain;
	return rc;
}

static void box_clean(torture *t)
{
	if (t->output != TORTURE_UNTOUCHED)
		crypto_secret_free(t->output);
}

static const torture_scenario scenarios[] = {
	{.name = "create",
		.prepare = create_prepare,
		.run = create_run,
		.check = create_check,
		.io = true,
		.crash = true},
	{.name = "open",
		.prepare = with_key_prepare,
		.run = open_run,
		.clean = open_clean,
		.io = true},
	{.name = "rotate",
		.prepare = with_key_prepare,
		.run = rotate_run,
		.check = rotate_check,
		.io = true,
		.crash = true},
	{.name = "box", .prepare = create_prepare, .run = box_run, .clean = box_clean},
};

int main(int argc, char **argv)
{
	return torture_main("crypto", scenarios, BASE_COUNT(scenarios), argc, argv);
}
