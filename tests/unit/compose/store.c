/* SPDX-License-Identifier: MIT */
#include "compose/blobs.h"
#include "store-helper.h"
#include <errno.h>

#define STORE "/store"
enum { LIMIT = 1 << 20 };

typedef struct fixture {
	hn_os *os;
	compose_store *store;
} fixture;

static fixture open_at(uint64_t capacity)
{
	fixture f = {.os = sim_new(capacity)};

	OK(compose_store_open(f.os, STORE, true, &f.store, err));
	return f;
}

static void leave(fixture *f)
{
	compose_store_free(f->store);
	hn_os_sim_free(f->os);
}

static compose_digest put(fixture *f, const char *text)
{
	compose_digest digest;

	OK(compose_store_put(f->store, text, strlen(text), &digest, err));
	return digest;
}

static void path_of(const compose_digest *digest, char path[128])
{
	char text[COMPOSE_DIGEST_TEXT];

	compose_digest_print(digest, text);
	snprintf(path, 128, STORE "/blobs/%.2s/%s", text + 3, text + 5);
}

static int count_one(void *arg, const char *name)
{
	(void)name;
	++*(int *)arg;
	return 0;
}

static int count_of(hn_os *os, const char *path)
{
	int count = 0, code = os->ops->list(os, path, count_one, &count);

	cr_assert(code == 0 || code == -ENOENT);
	return count;
}

static void change(hn_os *os, const char *path, const char *bytes)
{
	int fd;

	os->ops->unlink(os, path);
	fd = os->ops->open(os, path, O_WRONLY | O_CREAT, 0644);
	cr_assert_geq(fd, 0);
	cr_assert_geq(os->ops->pwrite(os, fd, bytes, strlen(bytes), 0), 0);
	os->ops->close(os, fd);
}

Test(store, gives_back_what_was_put)
{
	fixture f = open_at(0);
	compose_digest digest = put(&f, "hello"), expected;
	char *bytes;
	size_t size;

	crypto_blake2b("hello", 5, expected.bytes);
	cr_assert(compose_digest_equal(&digest, &expected));
	cr_assert(compose_store_has(f.store, &digest));
	OK(compose_store_load(f.store, &digest, LIMIT, &bytes, &size, err));
	cr_assert_eq(size, 5);
	cr_assert_str_eq(bytes, "hello");
	base_free(bytes);
	OK(compose_store_verify(f.store, &digest, err));
	leave(&f);
}

Test(store, puts_a_blob_where_the_design_says_readable_and_not_writable)
{
	fixture f = open_at(0);
	compose_digest digest = put(&f, "hello");
	struct stat status;
	char path[128];

	path_of(&digest, path);
	cr_assert_eq(strlen(path), strlen(STORE "/blobs/") + 2 + 1 + 62);
	cr_assert_eq(f.os->ops->stat(f.os, path, &status), 0);
	cr_assert_eq(status.st_mode & 07777, 0444);
	cr_assert_eq(count_of(f.os, STORE "/tmp"), 0);
	leave(&f);
}

Test(store, takes_a_body_in_pieces)
{
	fixture f = open_at(0);
	compose_blob *blob;
	compose_digest digest, expected;
	uint64_t size;

	OK(compose_blob_begin(f.store, &blob, err));
	OK(compose_blob_add(blob, "hel", 3, err));
	OK(compose_blob_add(blob, NULL, 0, err));
	OK(compose_blob_add(blob, "lo", 2, err));
	cr_assert_eq(count_of(f.os, STORE "/tmp"), 1);
	OK(compose_blob_finish(blob, &digest, &size, err));
	compose_blob_free(blob);
	crypto_blake2b("hello", 5, expected.bytes);
	cr_assert(compose_digest_equal(&digest, &expected));
	cr_assert_eq(size, 5);
	cr_assert_eq(count_of(f.os, STORE "/tmp"), 0);
	OK(compose_store_verify(f.store, &digest, err));
	leave(&f);
}

Test(store, keeps_an_empty_body)
{
	fixture f = open_at(0);
	compose_digest digest = put(&f, ""), again;
	compose_blob *blob;
	char *bytes;
	size_t size;

	OK(compose_blob_begin(f.store, &blob, err));
	OK(compose_blob_finish(blob, &again, NULL, err));
	compose_blob_free(blob);
	cr_assert(compose_digest_equal(&digest, &again));
	OK(compose_store_load(f.store, &digest, 0, &bytes, &size, err));
	cr_assert_eq(size, 0);
	base_free(bytes);
	leave(&f);
}

Test(store, does_not_write_again_what_is_there)
{
	fixture f = open_at(0);
	compose_digest digest = put(&f, "hello");
	struct stat before, after;
	char path[128];

	path_of(&digest, path);
	cr_assert_eq(f.os->ops->stat(f.os, path, &before), 0);
	put(&f, "hello");
	cr_assert_eq(f.os->ops->stat(f.os, path, &after), 0);
	cr_assert_eq(before.st_ino, after.st_ino);
	leave(&f);
}

Test(store, an_aborted_body_leaves_nothing)
{
	fixture f = open_at(0);
	compose_blob *blob;

	OK(compose_blob_begin(f.store, &blob, err));
	OK(compose_blob_add(blob, "hello", 5, err));
	compose_blob_free(blob);
	cr_assert_eq(count_of(f.os, STORE "/tmp"), 0);
	cr_assert_eq(count_of(f.os, STORE "/blobs"), 0);
	compose_blob_free(NULL);
	leave(&f);
}

Test(store, finds_a_changed_blob)
{
	fixture f = open_at(0);
	compose_digest digest = put(&f, "hello");
	char path[128], *bytes = NULL;
	size_t size;

	path_of(&digest, path);
	change(f.os, path, "hullo");
	FAILS(HN_EDIGEST, compose_store_verify(f.store, &digest, err));
	FAILS(HN_EDIGEST, compose_store_load(f.store, &digest, LIMIT, &bytes, &size, err));
	cr_assert_null(bytes);
	leave(&f);
}

Test(store, writes_anew_what_is_there_with_another_size)
{
	fixture f = open_at(0);
	compose_digest digest = put(&f, "hello");
	char path[128];

	path_of(&digest, path);
	change(f.os, path, "hel");
	put(&f, "hello");
	OK(compose_store_verify(f.store, &digest, err));
	leave(&f);
}

Test(store, knows_what_it_has_not)
{
	fixture f = open_at(0);
	compose_digest digest = {{1}};
	compose_sha256 sha256 = {{2}};
	char *bytes;
	size_t size;
	uint64_t length;
	int fd = 77;

	cr_assert_not(compose_store_has(f.store, &digest));
	FAILS(HN_ENOENT, compose_store_get(f.store, &digest, &fd, &length, err));
	cr_assert_eq(fd, 77);
	FAILS(HN_ENOENT, compose_store_verify(f.store, &digest, err));
	FAILS(HN_ENOENT, compose_store_load(f.store, &digest, LIMIT, &bytes, &size, err));
	FAILS(HN_ENOENT,
		compose_store_recall(f.store, "layers", &digest, LIMIT, &bytes, &size, err));
	FAILS(HN_EMISSING, compose_store_find(f.store, &sha256, &digest, err));
	leave(&f);
}

Test(store, a_directory_is_no_blob)
{
	fixture f = open_at(0);
	compose_digest digest = {{0xab, 1}};
	uint64_t size;
	char path[128];
	int fd;

	path_of(&digest, path);
	OK(os_mkdirs(f.os, path, 0755, err));
	cr_assert_not(compose_store_has(f.store, &digest));
	FAILS(HN_EIO, compose_store_get(f.store, &digest, &fd, &size, err));
	leave(&f);
}

Test(store, loads_no_more_than_was_allowed)
{
	fixture f = open_at(0);
	compose_digest digest = put(&f, "hello");
	char *bytes;
	size_t size;

	FAILS(HN_ELIMIT, compose_store_load(f.store, &digest, 4, &bytes, &size, err));
	OK(compose_store_load(f.store, &digest, 5, &bytes, &size, err));
	base_free(bytes);
	leave(&f);
}

Test(store, knows_payloads_by_their_sha256)
{
	fixture f = open_at(0);
	compose_digest digest = put(&f, "payload"), found;
	compose_sha256 sha256;

	crypto_sha256("payload", 7, sha256.bytes);
	OK(compose_store_name(f.store, &sha256, &digest, err));
	OK(compose_store_find(f.store, &sha256, &found, err));
	cr_assert(compose_digest_equal(&digest, &found));
	leave(&f);
}

Test(store, keeps_records_by_key_and_replaces_them)
{
	fixture f = open_at(0);
	compose_digest key = {{9}};
	char *bytes;
	size_t size;

	OK(compose_store_record(f.store, "layers", &key, "one", 3, err));
	OK(compose_store_record(f.store, "layers", &key, "other", 5, err));
	OK(compose_store_recall(f.store, "layers", &key, LIMIT, &bytes, &size, err));
	cr_assert_eq(size, 5);
	cr_assert_str_eq(bytes, "other");
	base_free(bytes);
	FAILS(HN_ENOENT, compose_store_recall(f.store, "images", &key, LIMIT, &bytes, &size, err));
	FAILS(HN_ELIMIT, compose_store_recall(f.store, "layers", &key, 4, &bytes, &size, err));
	OK(compose_store_record(f.store, "layers", &key, NULL, 0, err));
	OK(compose_store_recall(f.store, "layers", &key, 0, &bytes, &size, err));
	cr_assert_eq(size, 0);
	base_free(bytes);
	leave(&f);
}

Test(store, has_only_the_folders_it_knows)
{
	fixture f = open_at(0);
	compose_digest key = {{9}};
	char *bytes;
	size_t size;

	FAILS(HN_EINVAL, compose_store_record(f.store, "../etc", &key, "x", 1, err));
	FAILS(HN_EINVAL, compose_store_recall(f.store, "tmp", &key, 1, &bytes, &size, err));
	leave(&f);
}

Test(store, finds_changed_records_and_names)
{
	fixture f = open_at(0);
	compose_digest key = {{9}}, digest = put(&f, "payload");
	compose_sha256 sha256 = {{9}};
	char path[128], digits[65], *bytes;
	size_t size;

	codec_hex(key.bytes, sizeof(key.bytes), digits);
	OK(compose_store_record(f.store, "layers", &key, "one", 3, err));
	snprintf(path, sizeof(path), STORE "/layers/%s", digits);
	change(f.os, path, "0123456789012345678901234567890123");
	FAILS(HN_EDIGEST, compose_store_recall(f.store, "layers", &key, 9, &bytes, &size, err));
	change(f.os, path, "short");
	FAILS(HN_EDIGEST, compose_store_recall(f.store, "layers", &key, 9, &bytes, &size, err));
	OK(compose_store_name(f.store, &sha256, &digest, err));
	snprintf(path, sizeof(path), STORE "/sha256/%s", digits);
	change(f.os, path, "short");
	FAILS(HN_EDIGEST, compose_store_find(f.store, &sha256, &digest, err));
	leave(&f);
}

Test(store, a_name_of_nothing_is_none)
{
	fixture f = open_at(0);
	compose_digest digest;
	compose_sha256 sha256 = {{9}};
	char path[128], digits[65], content[CRYPTO_DIGEST + 1];

	codec_hex(sha256.bytes, sizeof(sha256.bytes), digits);
	snprintf(path, sizeof(path), STORE "/sha256/%s", digits);
	content[CRYPTO_DIGEST] = 'x';
	crypto_blake2b(content + CRYPTO_DIGEST, 1, (uint8_t *)content);
	OK(hn_os_sim_put(f.os, path, content, sizeof(content), err));
	FAILS(HN_EDIGEST, compose_store_find(f.store, &sha256, &digest, err));
	leave(&f);
}

Test(store, opens_only_what_is_there)
{
	hn_os *os = sim_new(0);
	compose_store *store = NULL;

	FAILS(HN_ENOENT, compose_store_open(os, STORE, false, &store, err));
	cr_assert_null(store);
	OK(compose_store_open(os, STORE, true, &store, err));
	cr_assert_str_eq(compose_store_directory(store), STORE);
	cr_assert_eq(compose_store_os(store), os);
	compose_store_free(store);
	OK(compose_store_open(os, STORE, false, &store, err));
	compose_store_free(store);
	compose_store_free(NULL);
	hn_os_sim_free(os);
}

Test(store, removes_what_a_crash_left)
{
	fixture f = open_at(0);

	compose_store_free(f.store);
	OK(hn_os_sim_put(f.os, STORE "/tmp/0123456789abcdef", "half", 4, err));
	OK(compose_store_open(f.os, STORE, false, &f.store, err));
	cr_assert_eq(count_of(f.os, STORE "/tmp"), 1, "who looks writes nothing");
	compose_store_free(f.store);
	OK(compose_store_open(f.os, STORE, true, &f.store, err));
	cr_assert_eq(count_of(f.os, STORE "/tmp"), 0);
	compose_store_free(f.store);
	OK(hn_os_sim_put(f.os, STORE "/tmp/0123456789abcdef", "half", 4, err));
	OK(compose_store_open(f.os, STORE, false, &f.store, err));
	OK(compose_store_claim(f.store, err));
	cr_assert_eq(count_of(f.os, STORE "/tmp"), 0, "who collects takes that, too");
	leave(&f);
}

Test(store, leaves_alone_what_another_is_writing)
{
	fixture f = open_at(0);
	compose_store *other;
	compose_digest digest;
	compose_blob *blob;

	OK(compose_blob_begin(f.store, &blob, err));
	OK(compose_blob_add(blob, "hello", 5, err));
	OK(compose_store_open(f.os, STORE, true, &other, err));
	cr_assert_eq(count_of(f.os, STORE "/tmp"), 1);
	OK(compose_blob_finish(blob, &digest, NULL, err));
	compose_blob_free(blob);
	OK(compose_store_verify(other, &digest, err));
	compose_store_free(other);
	leave(&f);
}

Test(store, waits_for_who_is_alone_in_it_and_gives_up)
{
	fixture f = open_at(0);
	compose_store *other;
	int fd;

	compose_store_free(f.store);
	fd = f.os->ops->open(f.os, STORE "/lock", O_RDWR, 0);
	cr_assert_eq(f.os->ops->lock(f.os, fd, F_WRLCK, 0, 1), 0);
	FAILS(HN_EBUSY, compose_store_open(f.os, STORE, true, &other, err));
	f.os->ops->close(f.os, fd);
	OK(compose_store_open(f.os, STORE, true, &f.store, err));
	leave(&f);
}

/* The directory of a blob cannot be synced, and another has found the blob by then. */
static const hn_os_ops *plain_ops;
static compose_store *finder;

static int sync_fails(hn_os *os, const char *path)
{
	compose_digest digest;

	if (finder == NULL || strncmp(path, STORE "/blobs/", strlen(STORE "/blobs/")) != 0)
		return plain_ops->sync_directory(os, path);
	os->ops = plain_ops;
	OK(compose_store_put(finder, "hello", 5, &digest, err));
	return -EIO;
}

Test(store, does_not_take_back_what_another_relies_on)
{
	fixture f = open_at(0);
	compose_digest digest;
	hn_os_ops ops;

	OK(compose_store_open(f.os, STORE, true, &finder, err));
	plain_ops = f.os->ops;
	ops = *plain_ops;
	ops.sync_directory = sync_fails;
	f.os->ops = &ops;
	FAILS(HN_EIO, compose_store_put(f.store, "hello", 5, &digest, err));
	cr_assert_eq(f.os->ops, plain_ops);
	crypto_blake2b("hello", 5, digest.bytes);
	OK(compose_store_verify(finder, &digest, err));
	compose_store_free(finder);
	leave(&f);
}

Test(store, a_full_disk_leaves_nothing)
{
	fixture f = open_at(4096);
	char *large = base_calloc(1, 8192);
	compose_digest digest, key = {{9}};
	compose_blob *blob;

	FAILS(HN_ENOSPC, compose_store_put(f.store, large, 8192, &digest, err));
	FAILS(HN_ENOSPC, compose_store_record(f.store, "layers", &key, large, 8192, err));
	OK(compose_blob_begin(f.store, &blob, err));
	FAILS(HN_ENOSPC, compose_blob_add(blob, large, 8192, err));
	compose_blob_free(blob);
	cr_assert_eq(count_of(f.os, STORE "/tmp"), 0);
	cr_assert_eq(count_of(f.os, STORE "/layers"), 0);
	put(&f, "small");
	base_free(large);
	leave(&f);
}

/* --- garbage --- */

Test(collect, keeps_what_lives_and_removes_the_rest)
{
	fixture f = open_at(0);
	compose_digest live[] = {put(&f, "kept"), {{7}}}, dead = put(&f, "gone!"), key = {{8}};
	compose_sha256 kept_name = {{1}}, dead_name = {{2}};
	compose_gc_counts counts;
	compose_digest found;
	char *bytes;
	size_t size;

	OK(compose_store_name(f.store, &kept_name, &live[0], err));
	OK(compose_store_name(f.store, &dead_name, &dead, err));
	OK(compose_store_record(f.store, "layers", &live[1], "a", 1, err));
	OK(compose_store_record(f.store, "images", &key, "bc", 2, err));
	OK(compose_store_gc(f.store, live, BASE_COUNT(live), false, &counts, err));
	cr_assert_eq(counts.blobs, 1);
	cr_assert_eq(counts.kept, 1);
	cr_assert_eq(counts.records, 1);
	cr_assert_eq(counts.names, 1);
	cr_assert_eq(counts.bytes, 5 + CRYPTO_DIGEST + 2);
	OK(compose_store_verify(f.store, &live[0], err));
	OK(compose_store_find(f.store, &kept_name, &found, err));
	OK(compose_store_recall(f.store, "layers", &live[1], LIMIT, &bytes, &size, err));
	base_free(bytes);
	cr_assert_not(compose_store_has(f.store, &dead));
	FAILS(HN_EMISSING, compose_store_find(f.store, &dead_name, &found, err));
	FAILS(HN_ENOENT, compose_store_recall(f.store, "images", &key, LIMIT, &bytes, &size, err));
	leave(&f);
}

Test(collect, a_dry_run_removes_nothing_and_counts_the_same)
{
	fixture f = open_at(0);
	compose_digest dead = put(&f, "gone"), key = {{8}};
	compose_sha256 name = {{2}};
	compose_gc_counts dry, counts;
	compose_store *other;

	OK(compose_store_name(f.store, &name, &dead, err));
	OK(compose_store_record(f.store, "blocks", &key, "bc", 2, err));
	OK(compose_store_open(f.os, STORE, true, &other, err));
	OK(compose_store_gc(f.store, NULL, 0, true, &dry, err));
	OK(compose_store_verify(f.store, &dead, err));
	compose_store_free(other);
	OK(compose_store_gc(f.store, NULL, 0, false, &counts, err));
	cr_assert_eq(memcmp(&dry, &counts, sizeof(dry)), 0);
	cr_assert_eq(counts.blobs, 1);
	leave(&f);
}

Test(collect, does_not_run_beside_another_user_of_the_store)
{
	fixture f = open_at(0);
	compose_digest dead = put(&f, "gone");
	compose_gc_counts counts = {.kept = 99};
	compose_store *other;

	OK(compose_store_open(f.os, STORE, true, &other, err));
	FAILS(HN_EBUSY, compose_store_gc(f.store, NULL, 0, false, &counts, err));
	cr_assert_eq(counts.kept, 99);
	cr_assert(compose_store_has(f.store, &dead));
	compose_store_free(other);
	OK(compose_store_gc(f.store, NULL, 0, false, &counts, err));
	OK(compose_store_open(f.os, STORE, true, &other, err));
	compose_store_free(other);
	leave(&f);
}

Test(collect, leaves_what_is_not_the_stores_own)
{
	fixture f = open_at(0);
	compose_gc_counts counts;

	OK(hn_os_sim_put(f.os, STORE "/layers/README", "x", 1, err));
	OK(hn_os_sim_put(f.os, STORE "/sha256/README", "x", 1, err));
	OK(hn_os_sim_put(f.os, STORE "/blobs/ab/README", "x", 1, err));
	OK(hn_os_sim_put(f.os, STORE "/blobs/README", "x", 1, err));
	OK(compose_store_gc(f.store, NULL, 0, false, &counts, err));
	cr_assert_eq(count_of(f.os, STORE "/layers"), 1);
	cr_assert_eq(count_of(f.os, STORE "/sha256"), 1);
	cr_assert_eq(count_of(f.os, STORE "/blobs/ab"), 1);
	cr_assert_eq(counts.blobs + counts.records + counts.names, 0);
	leave(&f);
}

Test(collect, removes_a_name_that_was_changed)
{
	fixture f = open_at(0);
	compose_digest live = put(&f, "kept");
	compose_sha256 name = {{2}};
	compose_gc_counts counts;
	char path[128], digits[65];

	codec_hex(name.bytes, sizeof(name.bytes), digits);
	snprintf(path, sizeof(path), STORE "/sha256/%s", digits);
	OK(hn_os_sim_put(f.os, path, "x", 1, err));
	OK(compose_store_gc(f.store, &live, 1, false, &counts, err));
	cr_assert_eq(counts.names, 1);
	cr_assert_eq(count_of(f.os, STORE "/sha256"), 0);
	leave(&f);
}

static int syncs_of_layers, syncs_of_names;
static const char *no_sync; /* of this one */

static int count_sync(hn_os *os, const char *path)
{
	if (no_sync != NULL && strcmp(path, no_sync) == 0)
		return -EIO;
	syncs_of_layers += strcmp(path, STORE "/layers") == 0;
	syncs_of_names += strcmp(path, STORE "/sha256") == 0;
	return plain_ops->sync_directory(os, path);
}

/* What it removed may come back with the power: the next one sees to it before it goes on. */
Test(collect, makes_durable_what_an_interrupted_one_removed)
{
	fixture f = open_at(0);
	compose_digest dead = put(&f, "gone"), key = {{8}};
	compose_sha256 name = {{2}};
	compose_gc_counts counts;
	hn_os_ops ops;

	OK(compose_store_name(f.store, &name, &dead, err));
	OK(compose_store_record(f.store, "layers", &key, "a", 1, err));
	plain_ops = f.os->ops;
	ops = *plain_ops;
	ops.sync_directory = count_sync;
	f.os->ops = &ops;
	no_sync = STORE "/layers";
	FAILS(HN_EIO, compose_store_gc(f.store, NULL, 0, false, &counts, err));
	cr_assert_eq(count_of(f.os, STORE "/layers"), 0);
	no_sync = STORE "/sha256";
	FAILS(HN_EIO, compose_store_gc(f.store, NULL, 0, false, &counts, err));
	cr_assert_eq(syncs_of_layers, 1);
	cr_assert_eq(count_of(f.os, STORE "/sha256"), 0);
	cr_assert(compose_store_has(f.store, &dead));
	no_sync = NULL;
	OK(compose_store_gc(f.store, NULL, 0, false, &counts, err));
	cr_assert_eq(syncs_of_names, 1);
	cr_assert_not(compose_store_has(f.store, &dead));
	OK(compose_store_gc(f.store, NULL, 0, true, &counts, err));
	cr_assert_eq(syncs_of_names, 1);
	f.os->ops = plain_ops;
	leave(&f);
}
