/* SPDX-License-Identifier: MIT
 *
 * Torture of the content store and of the writers of images: what was answered is there, after a
 * crash too; what failed has left nothing behind; no image is half there.
 */
#include "compose/image.h"
#include "torture.h"

#define STORE "/store"
#define IMAGE "/images/image"

static const char body[] = "a body that is put into the store";
static const compose_digest key = {{3}}, dead_key = {{4}};
static const compose_sha256 name = {{5}}, dead_name = {{6}};

static int count_one(void *arg, const char *entry)
{
	(void)entry;
	++*(int *)arg;
	return 0;
}

static int open_store(torture *t, compose_store **store, hn_error **err)
{
	return compose_store_open(t->os, STORE, true, store, err);
}

static int prepare(torture *t)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;

	TORTURE_CHECK(crypto_open(NULL) == 0);
	TORTURE_CHECK(open_store(t, &store, NULL) == 0);
	TORTURE_CHECK(os_mkdirs(t->os, "/images", 0755, NULL) == 0);
	return 0;
}

/* Opens it anew, which removes what a crash has left. */
static int check_tmp(torture *t, compose_store **store)
{
	int files = 0;

	TORTURE_CHECK(open_store(t, store, NULL) == 0);
	TORTURE_CHECK(t->os->ops->list(t->os, STORE "/tmp", count_one, &files) == 0);
	TORTURE_CHECK(files == 0);
	return 0;
}

static int whole_or_absent(compose_store *store, const compose_digest *digest, bool answered)
{
	int rc = compose_store_verify(store, digest, NULL);

	TORTURE_CHECK(rc == 0 || (rc == HN_ENOENT && !answered));
	return 0;
}

static int first_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;

	return open_store(t, &store, err);
}

static int first_check(torture *t)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;

	return check_tmp(t, &store);
}

/* --- put, in one piece and in several, with a name and a record --- */

static int put_pieces(compose_store *store, compose_digest *digest, hn_error **err)
{
	BASE_AUTO_OF(compose_blob) compose_blob *blob = NULL;
	int rc = compose_blob_begin(store, &blob, err);

	for (size_t i = 0; rc == 0 && i < sizeof(body); i += 8)
		rc = compose_blob_add(
			blob, body + i, sizeof(body) - i < 8 ? sizeof(body) - i : 8, err);
	return rc < 0 ? rc : compose_blob_finish(blob, digest, NULL, err);
}

static int put_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	compose_digest digest, other;
	int rc = open_store(t, &store, err);

	if (rc == 0)
		rc = put_pieces(store, &digest, err);
	if (rc == 0)
		rc = compose_store_put(store, "other", 5, &other, err);
	if (rc == 0)
		rc = compose_store_put(store, "other", 5, &other, err);
	if (rc == 0)
		rc = compose_store_name(store, &name, &digest, err);
	return rc < 0 ? rc : compose_store_record(store, "layers", &key, "record", 6, err);
}

static int put_check(torture *t)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	char *record BASE_AUTO_FREE = NULL;
	compose_digest digest, other, named;
	size_t size;
	int rc;

	if (check_tmp(t, &store) < 0)
		return -1;
	crypto_blake2b(body, sizeof(body), digest.bytes);
	crypto_blake2b("other", 5, other.bytes);
	if (whole_or_absent(store, &digest, t->code >= 0) < 0 ||
		whole_or_absent(store, &other, t->code >= 0) < 0)
		return -1;
	rc = compose_store_find(store, &name, &named, NULL);
	TORTURE_CHECK(rc == 0 || (rc == HN_EMISSING && t->code < 0));
	if (rc == 0) {
		TORTURE_CHECK(compose_digest_equal(&named, &digest));
		TORTURE_CHECK(compose_store_verify(store, &digest, NULL) == 0);
	}
	rc = compose_store_recall(store, "layers", &key, 99, &record, &size, NULL);
	TORTURE_CHECK(rc == 0 || (rc == HN_ENOENT && t->code < 0));
	TORTURE_CHECK(rc < 0 || (size == 6 && memcmp(record, "record", 6) == 0));
	t->crashed = false;
	TORTURE_CHECK(put_run(t, NULL) == 0);
	return 0;
}

/* --- garbage --- */

static int gc_prepare(torture *t)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	compose_digest digest, other;

	if (prepare(t) < 0)
		return -1;
	TORTURE_CHECK(open_store(t, &store, NULL) == 0);
	TORTURE_CHECK(compose_store_put(store, body, sizeof(body), &digest, NULL) == 0);
	TORTURE_CHECK(compose_store_put(store, "other", 5, &other, NULL) == 0);
	TORTURE_CHECK(compose_store_name(store, &name, &digest, NULL) == 0);
	TORTURE_CHECK(compose_store_name(store, &dead_name, &other, NULL) == 0);
	TORTURE_CHECK(compose_store_record(store, "layers", &key, "record", 6, NULL) == 0);
	TORTURE_CHECK(compose_store_record(store, "layers", &dead_key, "other", 5, NULL) == 0);
	return 0;
}

static int gc_run(torture *t, hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	compose_digest live[2] = {key};
	compose_gc_counts counts;
	int rc = open_store(t, &store, err);

	crypto_blake2b(body, sizeof(body), live[1].bytes);
	return rc < 0 ? rc : compose_store_gc(store, live, 2, false, &counts, err);
}

static int gc_check(torture *t)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	char *record BASE_AUTO_FREE = NULL;
	compose_digest found;
	size_t size;

	if (check_tmp(t, &store) < 0)
		return -1;
	TORTURE_CHECK(compose_store_find(store, &name, &found, NULL) == 0);
	TORTURE_CHECK(compose_store_verify(store, &found, NULL) == 0);
	TORTURE_CHECK(compose_store_recall(store, "layers", &key, 99, &record, &size, NULL) == 0);
	/* A name never outlives what it names. */
	if (compose_store_find(store, &dead_name, &found, NULL) == 0)
		TORTURE_CHECK(compose_store_verify(store, &found, NULL) == 0 && t->code < 0);
	compose_store_free(BASE_STEAL(store));
	TORTURE_CHECK(gc_run(t, NULL) == 0);
	TORTURE_CHECK(open_store(t, &store, NULL) == 0);
	crypto_blake2b("other", 5, found.bytes);
	TORTURE_CHECK(!compose_store_has(store, &found));
	TORTURE_CHECK(compose_store_find(store, &dead_name, &found, NULL) == HN_EMISSING);
	return 0;
}

/* --- images --- */

static const char *const components[] = {"one", "two"};

static int build(torture *t, const char *writer, const char *path, hn_error **err)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	compose_node nodes[] = {
		{.entry = {.type = COMPOSE_ENTRY_DIRECTORY, .path = "/", .mode = 0755}},
		{.entry = {.type = COMPOSE_ENTRY_FILE, .path = "/a", .size = sizeof(body)}},
		{.entry = {.type = COMPOSE_ENTRY_SYMLINK, .path = "/b", .target = "a"}, .owner = 1},
	};
	const compose_tree tree = {.nodes = nodes,
		.count = BASE_COUNT(nodes),
		.components = components,
		.component_count = BASE_COUNT(components)};
	const compose_image_options options = {.level = 1, .workers = 1};
	compose_image_counts counts;
	int fd, rc = open_store(t, &store, err);

	if (rc < 0)
		return rc;
	fd = t->os->ops->open(t->os, path, O_RDWR | O_CREAT, 0644);
	if (fd < 0)
		return base_error_errno(err, "torture", fd, "cannot open %s", path);
	crypto_blake2b(body, sizeof(body), nodes[1].entry.content.bytes);
	rc = compose_writer_find(writer)->write(store, &tree, &options, fd, &counts, err);
	t->os->ops->close(t->os, fd);
	return rc;
}

static int image_prepare(torture *t)
{
	BASE_AUTO_OF(compose_store) compose_store *store = NULL;
	compose_digest digest;

	if (prepare(t) < 0)
		return -1;
	TORTURE_CHECK(open_store(t, &store, NULL) == 0);
	TORTURE_CHECK(compose_store_put(store, body, sizeof(body), &digest, NULL) == 0);
	return 0;
}

/* Nothing half is in the file, unless even emptying it failed; and then it is built as if nothing
 * had happened. */
static int image_check(torture *t, const char *writer)
{
	char *one BASE_AUTO_FREE = NULL, *other BASE_AUTO_FREE = NULL;
	size_t size, other_size;
	struct stat status;

	if (t->once && t->code < 0 && !t->crashed && t->os->ops->stat(t->os, IMAGE, &status) == 0)
		TORTURE_CHECK(status.st_size == 0);
	TORTURE_CHECK(build(t, writer, IMAGE, NULL) == 0);
	TORTURE_CHECK(build(t, writer, "/images/other", NULL) == 0);
	TORTURE_CHECK(os_read_file(t->os, IMAGE, 1 << 20, &one, &size, NULL) == 0);
	TORTURE_CHECK(
		os_read_file(t->os, "/images/other", 1 << 20, &other, &other_size, NULL) == 0);
	TORTURE_CHECK(size == other_size && memcmp(one, other, size) == 0);
	return 0;
}

#define WRITER(writer)                                                                             \
	static int writer##_run(torture *t, hn_error **err)                                        \
	{                                                                                          \
		return build(t, #writer, IMAGE, err);                                              \
	}                                                                                          \
	static int writer##_check(torture *t)                                                      \
	{                                                                                          \
		return image_check(t, #writer);                                                    \
	}
WRITER(initramfs)
#ifdef HN_HAVE_SQUASHFS
WRITER(squashfs)
#endif

#define ROW(scenario, preparing)                                                                   \
	{                                                                                          \
		.name = #scenario, .prepare = preparing, .run = scenario##_run,                    \
		.check = scenario##_check, .io = true, .crash = true                               \
	}
static const torture_scenario scenarios[] = {
	ROW(first, NULL),
	ROW(put, prepare),
	ROW(gc, gc_prepare),
	ROW(initramfs, image_prepare),
#ifdef HN_HAVE_SQUASHFS
	ROW(squashfs, image_prepare),
#endif
};

int main(int argc, char **argv)
{
	return torture_main("compose-store", scenarios, BASE_COUNT(scenarios), argc, argv);
}
