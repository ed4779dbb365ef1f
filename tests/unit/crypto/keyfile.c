/* SPDX-License-Identifier: MIT
 *
 * Key files: their layout, what is refused, and whose they may be.
 */
#include "crypto/crypto-private.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const uint8_t kek[CRYPTO_KEY] = {1, 2, 3};
static const crypto_wrapping by_kek = {.wrap = CRYPTO_WRAP_KEK, .secret = {kek, sizeof(kek)}};
static const crypto_wrapping by_word = {
	.wrap = CRYPTO_WRAP_PASSPHRASE, .secret = {"open sesame", 11}, .cost = {1, 65536}};
static char directory[] = "/tmp/hn-keyfile-XXXXXX";
static char path[64], other[64];

static void init(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/a.key", directory);
	snprintf(other, sizeof(other), "%s/b.key", directory);
}

static void fini(void)
{
	os_remove_tree(hn_os_real(), directory, NULL);
}

TestSuite(keyfile, .init = init, .fini = fini, .timeout = 120);

static crypto_key *fresh(crypto_key_kind kind)
{
	crypto_key *key = NULL;

	cr_assert_eq(crypto_key_generate(hn_os_real(), kind, 2000000000, &key, NULL), 0);
	return key;
}

static void wrap(const crypto_key *key, const crypto_wrapping *wrapping, uint8_t *file)
{
	cr_assert_eq(crypto_key_wrap_bytes(hn_os_real(), key, wrapping, file, NULL), 0);
}

static int unwrap(const uint8_t *file, size_t size, const crypto_wrapping *wrapping)
{
	crypto_key *key = NULL;
	hn_error *err = NULL;
	int rc = crypto_key_unwrap_bytes(file, size, wrapping, &key, &err);

	cr_assert_eq(rc, rc < 0 ? (int)hn_error_code(err) : 0);
	cr_assert_eq(rc < 0, key == NULL);
	hn_error_unref(err);
	crypto_key_free(key);
	return rc;
}

static void round_trip(crypto_key_kind kind, const crypto_wrapping *wrapping)
{
	crypto_key *key = fresh(kind), *back = NULL;
	uint8_t file[CRYPTO_KEY_FILE];

	wrap(key, wrapping, file);
	cr_assert_eq(crypto_key_unwrap_bytes(file, sizeof(file), wrapping, &back, NULL), 0);
	cr_assert_eq(back->facts.kind, kind);
	cr_assert_eq(back->facts.wrap, wrapping->wrap);
	cr_assert_eq(back->facts.made, key->facts.made);
	cr_assert_eq(back->facts.not_after, 2000000000);
	cr_assert_arr_eq(back->facts.public_key, key->facts.public_key, CRYPTO_PUBLIC);
	cr_assert_eq(crypto_secret_size(back->secret), crypto_secret_size(key->secret));
	cr_assert_arr_eq(crypto_secret_view(back->secret), crypto_secret_view(key->secret),
		crypto_secret_size(key->secret));
	crypto_key_free(key);
	crypto_key_free(back);
}

Test(keyfile, ed25519_by_kek)
{
	round_trip(CRYPTO_KEY_ED25519, &by_kek);
}

Test(keyfile, x25519_by_kek)
{
	round_trip(CRYPTO_KEY_X25519, &by_kek);
}

Test(keyfile, symmetric_by_kek)
{
	round_trip(CRYPTO_KEY_SYMMETRIC, &by_kek);
}

Test(keyfile, ed25519_by_passphrase)
{
	round_trip(CRYPTO_KEY_ED25519, &by_word);
}

static uint64_t number_at(const uint8_t *file, size_t at, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | file[at + i];
	return number;
}

Test(keyfile, layout)
{
	crypto_key *key = fresh(CRYPTO_KEY_ED25519);
	uint8_t file[CRYPTO_KEY_FILE];

	wrap(key, &by_word, file);
	cr_assert_arr_eq(file, "HNKEY\0\1\0", 8);
	cr_assert_eq(file[8], 1);
	cr_assert_eq(file[9], 2);
	cr_assert_eq(number_at(file, 10, 2), 0);
	cr_assert_eq(number_at(file, 12, 4), 1);
	cr_assert_eq(number_at(file, 16, 8), 65536);
	cr_assert_arr_eq(file + 64, key->facts.public_key, 32);
	cr_assert_eq(number_at(file, 96, 8), (uint64_t)key->facts.made);
	cr_assert_eq(number_at(file, 104, 8), 2000000000);
	wrap(key, &by_kek, file);
	cr_assert_eq(file[9], 1);
	cr_assert_eq(number_at(file, 12, 4), 0);
	cr_assert_eq(number_at(file, 16, 8), 0);
	crypto_key_free(key);
}

Test(keyfile, the_secret_is_not_in_it)
{
	crypto_key *key = fresh(CRYPTO_KEY_ED25519);
	uint8_t first[CRYPTO_KEY_FILE], second[CRYPTO_KEY_FILE];

	wrap(key, &by_kek, first);
	wrap(key, &by_kek, second);
	cr_assert_null(memmem(first, sizeof(first), crypto_secret_view(key->secret), 16));
	cr_assert_arr_neq(first + 24, second + 24, 40, "salt and nonce are new each time");
	cr_assert_arr_neq(first + 112, second + 112, 48);
	crypto_key_free(key);
}

static void each_flip_refused(crypto_key_kind kind, const crypto_wrapping *wrapping)
{
	crypto_key *key = fresh(kind);
	uint8_t file[CRYPTO_KEY_FILE];

	wrap(key, wrapping, file);
	for (size_t bit = 0; bit < 8 * sizeof(file); bit++) {
		int rc;

		file[bit / 8] ^= (uint8_t)(1 << bit % 8);
		rc = unwrap(file, sizeof(file), wrapping);
		cr_assert(rc == HN_EKEY || rc == HN_ECRYPT || rc == HN_ENEWER, "bit %zu: %d", bit,
			rc);
		file[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	cr_assert_eq(unwrap(file, sizeof(file), wrapping), 0);
	crypto_key_free(key);
}

Test(keyfile, each_flipped_bit_is_refused_ed25519)
{
	each_flip_refused(CRYPTO_KEY_ED25519, &by_kek);
}

Test(keyfile, each_flipped_bit_is_refused_x25519)
{
	each_flip_refused(CRYPTO_KEY_X25519, &by_kek);
}

Test(keyfile, each_flipped_bit_is_refused_symmetric)
{
	each_flip_refused(CRYPTO_KEY_SYMMETRIC, &by_kek);
}

Test(keyfile, each_flipped_bit_is_refused_passphrase)
{
	each_flip_refused(CRYPTO_KEY_ED25519, &by_word);
}

Test(keyfile, each_other_size_is_refused)
{
	crypto_key *key = fresh(CRYPTO_KEY_ED25519);
	uint8_t file[CRYPTO_KEY_FILE + 1] = {0};

	wrap(key, &by_kek, file);
	for (size_t size = 0; size <= sizeof(file); size++)
		cr_assert_eq(unwrap(file, size, &by_kek), size == CRYPTO_KEY_FILE ? 0 : HN_EKEY);
	crypto_key_free(key);
}

Test(keyfile, a_wrong_passphrase_does_not_open)
{
	crypto_wrapping wrong = by_word;
	crypto_key *key = fresh(CRYPTO_KEY_ED25519);
	uint8_t file[CRYPTO_KEY_FILE];

	wrap(key, &by_word, file);
	wrong.secret.size--;
	cr_assert_eq(unwrap(file, sizeof(file), &wrong), HN_ECRYPT);
	cr_assert_eq(unwrap(file, sizeof(file), &by_kek), HN_ECRYPT, "wrapped in another way");
	crypto_key_free(key);
}

Test(keyfile, a_wrong_kek_does_not_open)
{
	static const uint8_t wrong_kek[CRYPTO_KEY] = {1, 2, 4};
	crypto_wrapping wrong = {.wrap = CRYPTO_WRAP_KEK, .secret = {wrong_kek, CRYPTO_KEY}};
	crypto_key *key = fresh(CRYPTO_KEY_ED25519);
	uint8_t file[CRYPTO_KEY_FILE];

	wrap(key, &by_kek, file);
	cr_assert_eq(unwrap(file, sizeof(file), &wrong), HN_ECRYPT);
	cr_assert_eq(unwrap(file, sizeof(file), &by_word), HN_ECRYPT, "wrapped in another way");
	wrong.secret.size = 16;
	cr_assert_eq(unwrap(file, sizeof(file), &wrong), HN_EKEY, "no KEK has 16 bytes");
	cr_assert_eq(crypto_key_wrap_bytes(hn_os_real(), key, &wrong, file, NULL), HN_EKEY);
	crypto_key_free(key);
}

Test(keyfile, facts_need_no_secret)
{
	crypto_key *key = fresh(CRYPTO_KEY_X25519);
	crypto_key_facts facts;
	uint8_t file[CRYPTO_KEY_FILE];

	wrap(key, &by_word, file);
	cr_assert_eq(crypto_key_facts_read(file, sizeof(file), &facts, NULL), 0);
	cr_assert_eq(facts.kind, CRYPTO_KEY_X25519);
	cr_assert_eq(facts.wrap, CRYPTO_WRAP_PASSPHRASE);
	cr_assert_eq(facts.cost.memory, 65536);
	cr_assert_arr_eq(facts.public_key, key->facts.public_key, CRYPTO_PUBLIC);
	crypto_key_free(key);
}

Test(keyfile, a_seed_gives_its_key)
{
	static const uint8_t seed[32] = {0x9d, 0x61};
	uint8_t public_key[CRYPTO_PUBLIC];
	crypto_key *key = NULL;

	crypto_ed25519_public(seed, public_key);
	cr_assert_eq(crypto_key_from(CRYPTO_KEY_ED25519, seed, &key, NULL), 0);
	cr_assert_arr_eq(key->facts.public_key, public_key, CRYPTO_PUBLIC);
	crypto_key_free(key);
}

/* --- on disk --- */

static void create(const char *where)
{
	crypto_key *key = fresh(CRYPTO_KEY_ED25519);

	cr_assert_eq(crypto_key_create(hn_os_real(), where, key, &by_kek, NULL), 0);
	crypto_key_free(key);
}

static int open_code(const char *where)
{
	crypto_key *key = NULL;
	int rc = crypto_key_open(hn_os_real(), where, &by_kek, &key, NULL);

	crypto_key_free(key);
	return rc;
}

Test(keyfile, a_file_is_for_its_owner_alone)
{
	struct stat status;

	create(path);
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 07777u, 0600u);
	cr_assert_eq(status.st_size, CRYPTO_KEY_FILE);
	cr_assert_eq(open_code(path), 0);
}

Test(keyfile, a_file_that_others_may_read_is_refused)
{
	static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0660, 0644, 0777};

	create(path);
	for (size_t i = 0; i < BASE_COUNT(modes); i++) {
		crypto_key_facts facts;

		cr_assert_eq(chmod(path, modes[i]), 0);
		cr_assert_eq(open_code(path), HN_EKEY, "%o", modes[i]);
		cr_assert_eq(crypto_key_look(hn_os_real(), path, &facts, NULL), HN_EKEY);
	}
	cr_assert_eq(chmod(path, 0400), 0);
	cr_assert_eq(open_code(path), 0);
}

Test(keyfile, a_file_of_another_user_is_refused)
{
	create(path);
	if (chown(path, 12345, (gid_t)-1) != 0)
		cr_skip_test("only root can give a file away");
	cr_assert_eq(open_code(path), HN_EKEY);
}

Test(keyfile, a_symbolic_link_is_refused)
{
	create(other);
	cr_assert_eq(symlink(other, path), 0);
	cr_assert_eq(open_code(path), HN_EKEY);
}

Test(keyfile, what_is_no_file_is_refused)
{
	cr_assert_eq(open_code(path), HN_ENOENT);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(open_code(path), HN_EKEY);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_eq(open_code(path), HN_EKEY);
}

Test(keyfile, a_file_of_another_size_is_refused)
{
	create(path);
	cr_assert_eq(truncate(path, CRYPTO_KEY_FILE - 1), 0);
	cr_assert_eq(open_code(path), HN_EKEY);
	cr_assert_eq(truncate(path, CRYPTO_KEY_FILE + 1), 0);
	cr_assert_eq(open_code(path), HN_EKEY);
}

Test(keyfile, a_key_is_not_overwritten)
{
	crypto_key *key = fresh(CRYPTO_KEY_ED25519);
	crypto_key_facts before, after;

	create(path);
	cr_assert_eq(crypto_key_look(hn_os_real(), path, &before, NULL), 0);
	cr_assert_eq(crypto_key_create(hn_os_real(), path, key, &by_kek, NULL), HN_EEXIST);
	cr_assert_eq(crypto_key_look(hn_os_real(), path, &after, NULL), 0);
	cr_assert_arr_eq(before.public_key, after.public_key, CRYPTO_PUBLIC);
	crypto_key_free(key);
}

Test(keyfile, rotating_keeps_the_old_key_for_a_while)
{
	crypto_key *key = fresh(CRYPTO_KEY_ED25519), *next = fresh(CRYPTO_KEY_ED25519);
	crypto_key_facts facts;

	cr_assert_eq(crypto_key_create(hn_os_real(), path, key, &by_kek, NULL), 0);
	cr_assert_eq(
		crypto_key_rotate(hn_os_real(), path, other, key, 1900000000, next, &by_kek, NULL),
		0);
	cr_assert_eq(crypto_key_look(hn_os_real(), path, &facts, NULL), 0);
	cr_assert_arr_eq(facts.public_key, next->facts.public_key, CRYPTO_PUBLIC);
	cr_assert_eq(crypto_key_look(hn_os_real(), other, &facts, NULL), 0);
	cr_assert_arr_eq(facts.public_key, key->facts.public_key, CRYPTO_PUBLIC);
	cr_assert_eq(facts.not_after, 1900000000);
	cr_assert_eq(open_code(other), 0);
	crypto_key_free(key);
	crypto_key_free(next);
}

/* What ends earlier by itself is not made good for longer. */
Test(keyfile, rotating_gives_no_key_a_longer_life)
{
	crypto_key *key = fresh(CRYPTO_KEY_ED25519), *next = fresh(CRYPTO_KEY_ED25519);
	crypto_key_facts facts;

	key->facts.not_after = 1800000000;
	cr_assert_eq(crypto_key_create(hn_os_real(), path, key, &by_kek, NULL), 0);
	cr_assert_eq(
		crypto_key_rotate(hn_os_real(), path, other, key, 1900000000, next, &by_kek, NULL),
		0);
	cr_assert_eq(crypto_key_look(hn_os_real(), other, &facts, NULL), 0);
	cr_expect_eq(facts.not_after, 1800000000);
	key->facts.not_after = 2000000000;
	cr_assert_eq(
		crypto_key_rotate(hn_os_real(), path, other, key, 1900000000, next, &by_kek, NULL),
		0);
	cr_assert_eq(crypto_key_look(hn_os_real(), other, &facts, NULL), 0);
	cr_expect_eq(facts.not_after, 1900000000);
	crypto_key_free(key);
	crypto_key_free(next);
}

Test(keyfile, one_of_a_newer_version_is_named)
{
	crypto_key_facts facts;
	hn_error *err = NULL;
	uint8_t file[CRYPTO_KEY_FILE];
	FILE *at;

	create(path);
	at = fopen(path, "r+");
	cr_assert_not_null(at);
	cr_assert_eq(fread(file, 1, sizeof(file), at), sizeof(file));
	file[11]++; /* the flags */
	rewind(at);
	cr_assert_eq(fwrite(file, 1, sizeof(file), at), sizeof(file));
	cr_assert_eq(fclose(at), 0);
	cr_expect_eq(crypto_key_look(hn_os_real(), path, &facts, &err), HN_ENEWER);
	cr_expect_not_null(strstr(hn_error_message(err), path), "%s", hn_error_message(err));
	hn_error_unref(err);
}

Test(keyfile, a_secret_file_follows_the_same_rules)
{
	crypto_secret *secret = NULL;

	cr_assert_eq(os_write_file(hn_os_real(), path, kek, sizeof(kek), 0600, NULL), 0);
	cr_assert_eq(crypto_secret_read(hn_os_real(), path, CRYPTO_KEY, &secret, NULL), 0);
	cr_assert_arr_eq(crypto_secret_view(secret), kek, CRYPTO_KEY);
	crypto_secret_free(secret);
	secret = NULL;
	cr_assert_eq(crypto_secret_read(hn_os_real(), path, 16, &secret, NULL), HN_EKEY);
	cr_assert_eq(chmod(path, 0644), 0);
	cr_assert_eq(crypto_secret_read(hn_os_real(), path, CRYPTO_KEY, &secret, NULL), HN_EKEY);
	cr_assert_null(secret);
}
