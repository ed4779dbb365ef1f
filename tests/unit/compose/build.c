/* SPDX-License-Identifier: MIT
 *
 * Building: from a lock to an image in the store, and how little of it is done again.
 */
#include "compose/build.h"
#include "sample.h"
#include <errno.h>
#include <zstd.h>

static const char kernel_bytes[] = "a kernel";
static const char app_bytes[] = "#!/bin/sh\necho app\n";
static const char other_bytes[] = "#!/bin/sh\necho another app\n";

static const char base_text[] =
	"{ \"hypernix\": 1, \"component\": \"base\", \"version\": \"1.0.0\", \"kind\": \"base-os\",\n"
	"  \"files\": [ { \"path\": \"/bin/sh\", \"mode\": \"0755\", \"text\": \"a shell\" },\n"
	"    { \"path\": \"/init\", \"mode\": \"0755\", \"text\": \"#!/bin/sh\\n\" } ],\n"
	"  \"kernel\": { \"cmdline\": [\"quiet\", \"panic=-1\"] },\n"
	"  \"payloads\": [ { \"kind\": \"blob\", \"path\": \"/boot/vmlinuz\", \"role\": \"kernel\",\n"
	"    \"size\": %zu, \"sha256\": \"%s\" } ] }\n";
static const char app_text[] =
	"{ \"hypernix\": 1, \"component\": \"app\", \"version\": \"%s\", \"kind\": \"service\",\n"
	"  \"payloads\": [ { \"kind\": \"blob\", \"path\": \"/usr/bin/app\", \"mode\": \"0755\",\n"
	"    \"size\": %zu, \"sha256\": \"%s\" } ] }\n";

typedef struct bench {
	hn_os *os;
	compose_store *store;
	compose_registry *registry;
	compose_build_options options;
} bench;

static void say(const hn_error *err)
{
	cr_log_info("%s", err != NULL ? hn_error_message(err) : "-");
}

static void put_payload(bench *b, const char *bytes, char hex[2 * CRYPTO_DIGEST + 1])
{
	compose_sha256 sha256;
	compose_digest digest;

	crypto_sha256(bytes, strlen(bytes), sha256.bytes);
	codec_hex(sha256.bytes, sizeof(sha256.bytes), hex);
	if (b->store == NULL)
		return;
	cr_assert_eq(compose_store_put(b->store, bytes, strlen(bytes), &digest, NULL), 0);
	cr_assert_eq(compose_store_name(b->store, &sha256, &digest, NULL), 0);
}

static void put_manifest(bench *b, const char *path, const char *bytes, const char *version)
{
	char hex[2 * CRYPTO_DIGEST + 1], text[2048];

	put_payload(b, bytes, hex);
	if (version == NULL)
		snprintf(text, sizeof(text), base_text, strlen(bytes), hex);
	else
		snprintf(text, sizeof(text), app_text, version, strlen(bytes), hex);
	sample_put(b->os, path, text);
}

static bench open_bench(const char *directory)
{
	bench b = {.options = {.root = "auto",
			   .parser = "/nowhere/hv-imgparse",
			   .image = {.level = 3, .workers = 1}}};

	cr_assert_geq(crypto_open(NULL), 0);
	cr_assert_eq(hn_os_sim_new(NULL, &b.os, NULL), 0);
	cr_assert_eq(compose_store_open(b.os, directory, true, &b.store, NULL), 0);
	put_manifest(&b, "/main/manifests/base/1.0.0.json", kernel_bytes, NULL);
	put_manifest(&b, "/main/manifests/app/1.0.0.json", app_bytes, "1.0.0");
	put_manifest(&b, "/main/manifests/app/1.1.0.json", other_bytes, "1.1.0");
	b.registry = sample_registry(b.os);
	return b;
}

static void close_bench(bench *b)
{
	compose_store_free(b->store);
	compose_registry_unref(b->registry);
	hn_os_sim_free(b->os);
}

static compose_lock *lock_of(const bench *b, const char *app)
{
	compose_lock *lock = compose_lock_new();
	compose_locked *components = base_arena_alloc(lock->arena, 2 * sizeof(*components));
	compose_source *source = base_arena_alloc(lock->arena, sizeof(*source));

	sample_locked(b->registry, lock, &components[0], "app", app);
	sample_locked(b->registry, lock, &components[1], "base", "1.0.0");
	*source = *compose_registry_source(b->registry, 0);
	lock->blueprint = "small";
	lock->blueprint_digest = (compose_digest){{9}};
	lock->platform = "x86_64-linux";
	lock->epoch = 1;
	lock->solver = "hypernix 0.1.0";
	lock->sources = source;
	lock->source_count = 1;
	lock->components = components;
	lock->count = 2;
	cr_assert_eq(compose_lock_seal(lock, NULL), 0);
	return lock;
}

static compose_artifact *build_of(bench *b, const char *app, compose_build_counts *counts)
{
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lock_of(b, app);
	compose_artifact *artifact = NULL;
	hn_error *err = NULL;
	int rc = compose_build(b->store, b->registry, lock, &b->options, &artifact, counts, &err);

	say(err);
	cr_assert_eq(rc, 0);
	return artifact;
}

static int count_name(void *arg, const char *name)
{
	(void)name;
	++*(size_t *)arg;
	return 0;
}

/* How many names are in a folder of the store. */
static size_t names_in(const bench *b, const char *folder)
{
	char path[128];
	size_t count = 0;
	int code;

	snprintf(path, sizeof(path), "%s/%s", compose_store_directory(b->store), folder);
	code = b->os->ops->list(b->os, path, count_name, &count);
	cr_assert(code == 0 || code == -ENOENT, "%s: %d", path, code);
	return count;
}

/* Refused with these words, and no image is there that was not there before. */
static void refuse(bench *b, compose_lock *lock, int code, const char *part)
{
	size_t images = names_in(b, "images");
	compose_artifact *artifact = NULL;
	hn_error *err = NULL;
	int rc = compose_build(b->store, b->registry, lock, &b->options, &artifact, NULL, &err);

	say(err);
	cr_assert_eq(names_in(b, "images"), images);
	cr_assert_eq(names_in(b, "tmp"), 0);
	cr_assert_eq(rc, code, "%d", rc);
	cr_assert_null(artifact);
	cr_assert_not_null(strstr(hn_error_message(err), part), "'%s' is not in: %s", part,
		hn_error_message(err));
	hn_error_unref(err);
}

Test(build, makes_an_image_with_its_kernel_and_words)
{
	bench b = open_bench("/store");
	compose_build_counts counts = {0};
	BASE_AUTO_OF(compose_artifact) compose_artifact *artifact = build_of(&b, "1.0.0", &counts);
	compose_digest kernel;

	crypto_blake2b(kernel_bytes, strlen(kernel_bytes), kernel.bytes);
	cr_assert(artifact->has_kernel);
	cr_assert(compose_digest_equal(&artifact->kernel, &kernel));
	cr_assert_eq(artifact->kernel_size, strlen(kernel_bytes));
	cr_assert_str_eq(artifact->writer, "initramfs");
	cr_assert(compose_digest_equal(&artifact->initrd, &artifact->image));
	cr_assert_eq(artifact->initrd_size, artifact->image_size);
	cr_assert_not_null(strstr(artifact->builder, "libzstd"));
	cr_assert_eq(artifact->cmdline_count, 2);
	cr_assert_str_eq(artifact->cmdline[1], "panic=-1");
	cr_assert(compose_store_has(b.store, &artifact->image));
	cr_assert_eq(compose_store_verify(b.store, &artifact->image, NULL), 0);
	cr_assert_eq(counts.image.bytes, artifact->image_size);
	cr_assert_eq(counts.layers_read, 2);
	cr_assert_eq(counts.image.segments_made, 2);
	cr_assert_not(counts.reused);
	close_bench(&b);
}

/* Of the archives that the image is made of. */
static bool image_names(const bench *b, const compose_artifact *artifact, const char *name)
{
	BASE_AUTO_FREE char *image = NULL;
	bool found = false;
	size_t all;

	cr_assert_eq(
		compose_store_load(b->store, &artifact->image, 1 << 20, &image, &all, NULL), 0);
	for (size_t at = 0, frame; at < all; at = (at + frame + 3) & ~(size_t)3) {
		char unpacked[1 << 16];
		size_t size;

		frame = ZSTD_findFrameCompressedSize(image + at, all - at);
		cr_assert_not(ZSTD_isError(frame));
		size = ZSTD_decompress(unpacked, sizeof(unpacked), image + at, frame);
		cr_assert_not(ZSTD_isError(size));
		found |= memmem(unpacked, size, name, strlen(name)) != NULL;
	}
	return found;
}

Test(build, leaves_the_kernel_out_of_the_image)
{
	bench b = open_bench("/store");
	BASE_AUTO_OF(compose_artifact) compose_artifact *artifact = build_of(&b, "1.0.0", NULL);

	cr_expect(image_names(&b, artifact, "bin/sh"));
	cr_expect(image_names(&b, artifact, "boot"));
	cr_expect_not(image_names(&b, artifact, "boot/vmlinuz"));
	cr_expect_not(image_names(&b, artifact, kernel_bytes));
	cr_expect(compose_store_has(b.store, &artifact->kernel));
	close_bench(&b);
}

Test(build, of_an_unchanged_lock_does_nothing)
{
	bench b = open_bench("/store");
	compose_build_counts counts = {0};
	BASE_AUTO_OF(compose_artifact) compose_artifact *first = build_of(&b, "1.0.0", &counts);
	BASE_AUTO_OF(compose_artifact) compose_artifact *second = build_of(&b, "1.0.0", &counts);

	cr_assert(counts.reused);
	cr_assert_eq(counts.layers_read + counts.layers_cached, 0);
	cr_assert_eq(counts.image.segments_made + counts.image.segments_reused, 0);
	cr_assert(compose_digest_equal(&first->image, &second->image));
	cr_assert(compose_digest_equal(&first->tree, &second->tree));
	cr_assert_str_eq(first->builder, second->builder);
	cr_assert_eq(second->cmdline_count, 2);
	close_bench(&b);
}

Test(build, that_is_made_anew_takes_what_is_cached)
{
	bench b = open_bench("/store");
	compose_build_counts counts = {0};
	BASE_AUTO_OF(compose_artifact) compose_artifact *first = build_of(&b, "1.0.0", &counts);

	b.options.anew = true;
	BASE_AUTO_OF(compose_artifact) compose_artifact *second = build_of(&b, "1.0.0", &counts);
	cr_assert_not(counts.reused);
	cr_assert_eq(counts.layers_cached, 2);
	cr_assert_eq(counts.layers_read, 0);
	cr_assert_eq(counts.image.segments_reused, 2);
	cr_assert_eq(counts.image.segments_made, 0);
	cr_assert(compose_digest_equal(&first->image, &second->image));
	close_bench(&b);
}

/* All payloads of a component, and all of an image, are held at one time. */
static void is_too_much(compose_load *load, const compose_manifest *manifest,
	const compose_layer *layer, const char *part)
{
	hn_error *err = NULL;

	cr_assert_eq(compose_load_add(load, manifest, layer, &err), HN_ELIMIT);
	cr_assert_not_null(
		strstr(hn_error_message(err), "the payloads of "), "%s", hn_error_message(err));
	cr_assert_not_null(strstr(hn_error_message(hn_error_cause(err)), part), "%s",
		hn_error_message(hn_error_cause(err)));
	hn_error_unref(err);
}

Test(load, has_limits_of_components_and_images)
{
	enum { MOST = 200000 };
	static compose_entry entries[MOST];
	const compose_manifest manifests[6] = {{.component = "a"}, {.component = "b"},
		{.component = "c"}, {.component = "d"}, {.component = "e"}, {.component = "f"}};
	const compose_layer all = {.entries = entries, .count = MOST};
	const compose_layer one = {.entries = entries, .count = 1};
	compose_load load = {0};

	for (int i = 0; i < MOST; i++)
		entries[i] = (compose_entry){.type = COMPOSE_ENTRY_DIRECTORY, .path = "/"};
	for (int i = 0; i < 5; i++)
		cr_assert_eq(compose_load_add(&load, &manifests[i], &all, NULL), 0);
	is_too_much(&load, &manifests[5], &one, "1000001 were given");
	load = (compose_load){0};
	cr_assert_eq(compose_load_add(&load, &manifests[0], &all, NULL), 0);
	is_too_much(&load, &manifests[0], &one, "200001 were given");
}

Test(load, has_limits_of_bytes)
{
	const uint64_t most = (uint64_t)4 << 30;
	const compose_manifest manifest = {.component = "a"};
	const compose_xattr large = {.name = "user.a", .value = NULL, .size = 256 << 20};
	compose_entry entry = {.type = COMPOSE_ENTRY_FILE, .path = "/a", .size = most};
	const compose_layer layer = {.entries = &entry, .count = 1};
	compose_load load = {0};

	for (int i = 0; i < 16; i++)
		cr_assert_eq(compose_load_add(&load, &manifest, &layer, NULL), 0);
	is_too_much(&load, &manifest, &layer, "files of all payloads of one image");
	load = (compose_load){0};
	entry.size = 0;
	entry.xattrs = &large;
	entry.xattr_count = 1;
	is_too_much(&load, &manifest, &layer, "extended attributes of all payloads");
	entry.xattr_count = 0;
	entry.target = "0123456789";
	load = (compose_load){.names = (256 << 20) - 11};
	is_too_much(&load, &manifest, &layer, "268435457 were given");
}

static int last_name(void *arg, const char *name)
{
	snprintf(arg, 65, "%.64s", name);
	return 0;
}

/* Each of 17 files may be as large as this one. */
Test(build, refuses_payloads_that_are_too_much_together)
{
	bench b = open_bench("/store");
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lock_of(&b, "1.0.0");
	compose_entry entries[17];
	const compose_layer layer = {.entries = entries, .count = BASE_COUNT(entries)};
	BASE_AUTO_BUF base_buf bytes = {0};
	char name[65] = "", names[17][8];
	compose_digest key;

	compose_artifact_free(build_of(&b, "1.0.0", NULL));
	for (size_t i = 0; i < BASE_COUNT(entries); i++) {
		snprintf(names[i], sizeof(names[i]), "/%02zu", i);
		entries[i] = (compose_entry){
			.type = COMPOSE_ENTRY_FILE, .path = names[i], .size = UINT32_MAX};
		crypto_blake2b(app_bytes, strlen(app_bytes), entries[i].content.bytes);
	}
	cr_assert_eq(compose_layer_write(&layer, &bytes, NULL), 0);
	cr_assert_eq(b.os->ops->list(b.os, "/store/layers", last_name, name), 0);
	cr_assert(codec_hex_decode(name, 64, key.bytes));
	cr_assert_eq(
		compose_store_record(b.store, "layers", &key, bytes.data, bytes.size, NULL), 0);
	b.options.anew = true;
	refuse(&b, lock, HN_ELIMIT, "the payloads of app are too much");
	close_bench(&b);
}

Test(build, makes_only_what_depends_on_a_changed_component)
{
	bench b = open_bench("/store");
	compose_build_counts counts = {0};
	BASE_AUTO_OF(compose_artifact) compose_artifact *first = build_of(&b, "1.0.0", &counts);
	BASE_AUTO_OF(compose_artifact) compose_artifact *second = build_of(&b, "1.1.0", &counts);

	cr_assert_eq(counts.layers_cached, 1);
	cr_assert_eq(counts.layers_read, 1);
	cr_assert_eq(counts.image.segments_reused, 1);
	cr_assert_eq(counts.image.segments_made, 1);
	cr_assert_not(compose_digest_equal(&first->image, &second->image));
	cr_assert_not(compose_digest_equal(&first->tree, &second->tree));
	cr_assert(compose_digest_equal(&first->kernel, &second->kernel));
	close_bench(&b);
}

Test(build, gives_the_same_bytes_in_another_store)
{
	bench a = open_bench("/store"), b = open_bench("/another/place");

	b.options.image.workers = 2;
	BASE_AUTO_OF(compose_artifact) compose_artifact *first = build_of(&a, "1.0.0", NULL);
	BASE_AUTO_OF(compose_artifact) compose_artifact *second = build_of(&b, "1.0.0", NULL);
	cr_assert(compose_digest_equal(&first->image, &second->image));
	cr_assert(compose_digest_equal(&first->key, &second->key));
	close_bench(&a);
	close_bench(&b);
}

Test(build, makes_an_image_that_is_gone_again)
{
	bench b = open_bench("/store");
	compose_build_counts counts = {0};
	BASE_AUTO_OF(compose_artifact) compose_artifact *first = build_of(&b, "1.0.0", &counts);
	char text[COMPOSE_DIGEST_TEXT], path[128];

	compose_digest_print(&first->image, text);
	snprintf(path, sizeof(path), "/store/blobs/%.2s/%s", text + 3, text + 5);
	cr_assert_eq(b.os->ops->unlink(b.os, path), 0);
	BASE_AUTO_OF(compose_artifact) compose_artifact *second = build_of(&b, "1.0.0", &counts);
	cr_assert_not(counts.reused);
	cr_assert(compose_store_has(b.store, &second->image));
	close_bench(&b);
}

Test(build, makes_an_image_that_was_changed_again)
{
	bench b = open_bench("/store");
	compose_build_counts counts = {0};
	BASE_AUTO_OF(compose_artifact) compose_artifact *first = build_of(&b, "1.0.0", &counts);
	BASE_AUTO_FREE char *path = compose_store_path(b.store, &first->image);
	BASE_AUTO_FREE char *other = base_calloc(1, first->image_size);

	cr_assert_eq(hn_os_sim_put(b.os, path, other, first->image_size, NULL), 0);
	BASE_AUTO_OF(compose_artifact) compose_artifact *second = build_of(&b, "1.0.0", &counts);
	cr_assert_not(counts.reused);
	cr_assert(compose_digest_equal(&first->image, &second->image));
	cr_assert_eq(compose_store_verify(b.store, &second->image, NULL), 0);
	close_bench(&b);
}

Test(build, takes_nothing_that_another_parser_read)
{
	bench b = open_bench("/store");
	compose_build_counts counts = {0};

	b.options.parser_key = "/my/parser";
	BASE_AUTO_OF(compose_artifact) compose_artifact *first = build_of(&b, "1.0.0", &counts);
	b.options.parser_key = NULL;
	BASE_AUTO_OF(compose_artifact) compose_artifact *second = build_of(&b, "1.0.0", &counts);
	cr_assert_not(counts.reused);
	cr_assert_eq(counts.layers_read, 2);
	cr_assert_not(compose_digest_equal(&first->key, &second->key));
	close_bench(&b);
}

Test(build, holds_the_tree_to_what_the_lock_says)
{
	bench b = open_bench("/store");
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lock_of(&b, "1.0.0");
	BASE_AUTO_OF(compose_artifact) compose_artifact *artifact = NULL;

	lock->tree = (compose_digest){{1}};
	refuse(&b, lock, HN_EDIGEST, "the tree of small is b2:");
	lock->tree = (compose_digest){{0}};
	cr_assert_eq(
		compose_build(b.store, b.registry, lock, &b.options, &artifact, NULL, NULL), 0);
	lock->tree = (compose_digest){{1}};
	refuse(&b, lock, HN_EDIGEST, "the tree of small is b2:");
	lock->tree = artifact->tree;
	compose_artifact_free(artifact);
	b.options.anew = true;
	cr_assert_eq(
		compose_build(b.store, b.registry, lock, &b.options, &artifact, NULL, NULL), 0);
	close_bench(&b);
}

Test(build, names_the_component_whose_payload_is_missing)
{
	bench b = open_bench("/store");
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lock_of(&b, "1.0.0");

	compose_store_free(b.store);
	cr_assert_eq(compose_store_open(b.os, "/empty", true, &b.store, NULL), 0);
	refuse(&b, lock, HN_EMISSING, "of base");
	close_bench(&b);
}

Test(build, knows_its_writers_only)
{
	bench b = open_bench("/store");
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lock_of(&b, "1.0.0");

	b.options.root = "erofs";
	refuse(&b, lock, HN_ENOSUP, "no images of kind erofs");
	close_bench(&b);
}

Test(build, that_is_cancelled_leaves_no_image)
{
	bench b = open_bench("/store");
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lock_of(&b, "1.0.0");
	compose_build_counts counts = {0};

	cr_assert_eq(hn_cancel_new(&b.options.image.cancel, NULL), 0);
	hn_cancel_trigger(b.options.image.cancel);
	refuse(&b, lock, HN_ECANCELLED, "cancelled");
	b.options.image.cancel = hn_cancel_unref(b.options.image.cancel);
	BASE_AUTO_OF(compose_artifact) compose_artifact *artifact = build_of(&b, "1.0.0", &counts);
	cr_assert_not_null(artifact);
	cr_assert_not(counts.reused);
	close_bench(&b);
}

Test(build, refuses_a_lock_that_no_longer_holds)
{
	bench b = open_bench("/store");
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lock_of(&b, "1.0.0");

	((compose_locked *)lock->components)[0].manifest.bytes[0] ^= 1;
	refuse(&b, lock, HN_ELOCK, "differs");
	close_bench(&b);
}

/* As many bytes, under the name of those that were locked. */
static void swap_blob(bench *b, const char *bytes, char into)
{
	BASE_AUTO_FREE char *other = base_strdup(bytes);
	compose_digest digest;

	crypto_blake2b(bytes, strlen(bytes), digest.bytes);
	BASE_AUTO_FREE char *path = compose_store_path(b->store, &digest);
	other[0] = into;
	sample_put(b->os, path, other);
}

Test(build, refuses_a_payload_that_was_swapped_after_the_lock)
{
	bench b = open_bench("/store");
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lock_of(&b, "1.0.0");

	swap_blob(&b, app_bytes, '%');
	refuse(&b, lock, HN_EDIGEST, "cannot read payload /usr/bin/app of app");
	swap_blob(&b, app_bytes, app_bytes[0]);
	BASE_AUTO_OF(compose_artifact) compose_artifact *artifact = build_of(&b, "1.0.0", NULL);
	/* What was made of the right bytes is still there: it is taken, and not those of now. */
	swap_blob(&b, app_bytes, '%');
	b.options.anew = true;
	BASE_AUTO_OF(compose_artifact) compose_artifact *again = build_of(&b, "1.0.0", NULL);
	cr_assert(compose_digest_equal(&artifact->image, &again->image));
	cr_assert_eq(compose_store_verify(b.store, &again->image, NULL), 0);
	/* Nothing is left that was made of them: what is read is the wrong ones. */
	b.options.image.level = 4;
	refuse(&b, lock, HN_EDIGEST, "the body of /usr/bin/app is not what its component says");
	close_bench(&b);
}

/* A disk with so much room left. */
static const hn_os_ops *plain_ops;
static size_t room;

static bool fits(size_t size)
{
	if (size > room)
		return false;
	room -= size;
	return true;
}

static ssize_t write_within(hn_os *os, int fd, const void *bytes, size_t size)
{
	return fits(size) ? plain_ops->write(os, fd, bytes, size) : -ENOSPC;
}

static ssize_t pwrite_within(hn_os *os, int fd, const void *bytes, size_t size, off_t at)
{
	return fits(size) ? plain_ops->pwrite(os, fd, bytes, size, at) : -ENOSPC;
}

static int build_within(size_t bytes)
{
	bench b = open_bench("/store");
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lock_of(&b, "1.0.0");
	BASE_AUTO_OF(compose_artifact) compose_artifact *artifact = NULL;
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	hn_os_ops ops = *b.os->ops;
	int rc;

	plain_ops = b.os->ops;
	room = bytes;
	ops.write = write_within;
	ops.pwrite = pwrite_within;
	b.os->ops = &ops;
	rc = compose_build(b.store, b.registry, lock, &b.options, &artifact, NULL, &err);
	b.os->ops = plain_ops;
	cr_assert(rc == 0 || rc == HN_ENOSPC, "%zu bytes: %d", bytes, rc);
	cr_assert_eq(names_in(&b, "tmp"), 0, "%zu bytes", bytes);
	cr_assert_eq(names_in(&b, "images"), rc == 0, "%zu bytes", bytes);
	close_bench(&b);
	return rc;
}

Test(build, on_a_full_disk_leaves_no_image)
{
	size_t bytes = 0;

	while (build_within(bytes) < 0)
		bytes += 61;
	cr_assert_gt(bytes, 500, "nothing was written");
}

/* --- a root on a disk --- */

#ifdef HN_HAVE_SQUASHFS
Test(build, of_a_disk_has_an_initrd_that_finds_it)
{
	bench b = open_bench("/store");
	compose_build_counts counts = {0};

	b.options.root = "squashfs";
	BASE_AUTO_OF(compose_artifact) compose_artifact *first = build_of(&b, "1.0.0", &counts);
	cr_assert_str_eq(first->writer, "squashfs");
	cr_assert_not(compose_digest_equal(&first->initrd, &first->image));
	cr_assert_eq(compose_store_verify(b.store, &first->initrd, NULL), 0);
	cr_assert_eq(counts.image.segments_made, 1, "that of the base");
	cr_assert_eq(counts.image.bytes, first->image_size + first->initrd_size);
	BASE_AUTO_OF(compose_artifact) compose_artifact *second = build_of(&b, "1.1.0", &counts);
	cr_assert(compose_digest_equal(&first->initrd, &second->initrd));
	cr_assert_not(compose_digest_equal(&first->image, &second->image));
	close_bench(&b);
}

Test(build, makes_an_initrd_that_is_gone_again)
{
	bench b = open_bench("/store");
	compose_build_counts counts = {0};

	b.options.root = "squashfs";
	BASE_AUTO_OF(compose_artifact) compose_artifact *first = build_of(&b, "1.0.0", &counts);
	BASE_AUTO_FREE char *path = compose_store_path(b.store, &first->initrd);
	cr_assert_eq(b.os->ops->unlink(b.os, path), 0);
	BASE_AUTO_OF(compose_artifact) compose_artifact *second = build_of(&b, "1.0.0", &counts);
	cr_assert_not(counts.reused);
	cr_assert_eq(compose_store_verify(b.store, &second->initrd, NULL), 0);
	close_bench(&b);
}
#endif

/* --- the record --- */

/* What the version before this one wrote, of an image that is an initramfs. */
Test(artifact, of_the_first_schema_is_its_own_initrd)
{
	bench b = open_bench("/store");
	BASE_AUTO_OF(compose_artifact) compose_artifact *made = build_of(&b, "1.0.0", NULL);
	BASE_AUTO_BUF base_buf bytes = {0}, old = {0}, body = {0};
	compose_artifact *read = NULL;
	codec_cbor_out out = {0};
	const char *second;

	cr_assert_eq(compose_artifact_write(made, &bytes, NULL), 0);
	codec_cbor_put_array(&out, 2);
	codec_cbor_put_bytes(&out, made->image.bytes, sizeof(made->image.bytes));
	codec_cbor_put_uint(&out, made->image_size);
	body = out.buf;
	second = memmem(bytes.data, bytes.size, body.data, body.size);
	cr_assert_not_null(second);
	second += body.size;
	cr_assert_eq(memcmp(second, body.data, body.size), 0, "it stands there twice");
	base_buf_add(&old, bytes.data, (size_t)(second - bytes.data));
	second += body.size;
	base_buf_add(&old, second, (size_t)(bytes.data + bytes.size - second));
	old.data[0] = (char)0x88;
	old.data[1] = 1;
	cr_assert_eq(compose_artifact_read(old.data, old.size, &read, NULL), 0);
	cr_assert(compose_digest_equal(&read->initrd, &read->image));
	cr_assert_eq(read->initrd_size, made->image_size);
	cr_assert(compose_digest_equal(&read->kernel, &made->kernel));
	compose_artifact_free(read);
	read = NULL;
	old.data[0] = (char)0x89;
	cr_assert_lt(compose_artifact_read(old.data, old.size, &read, NULL), 0);
	close_bench(&b);
}

Test(artifact, is_refused_at_each_length_and_in_another_schema)
{
	bench b = open_bench("/store");
	BASE_AUTO_OF(compose_artifact) compose_artifact *made = build_of(&b, "1.0.0", NULL);
	BASE_AUTO_BUF base_buf bytes = {0};
	compose_artifact *read = NULL;

	cr_assert_eq(compose_artifact_write(made, &bytes, NULL), 0);
	for (size_t size = 0; size < bytes.size; size++)
		cr_assert_lt(compose_artifact_read(bytes.data, size, &read, NULL), 0, "%zu", size);
	cr_assert_eq(compose_artifact_read(bytes.data, bytes.size, &read, NULL), 0);
	compose_artifact_free(read);
	read = NULL;
	bytes.data[1] = 3;
	cr_assert_eq(compose_artifact_read(bytes.data, bytes.size, &read, NULL), HN_ENEWER);
	cr_assert_null(read);
	close_bench(&b);
}

/* --- built twice --- */

static int again(bench *b, const compose_artifact *artifact, hn_error **err)
{
	BASE_AUTO_OF(compose_lock) compose_lock *lock = lock_of(b, "1.0.0");
	int rc = compose_build_again(b->store, b->registry, lock, &b->options, artifact, err);

	say(*err);
	cr_expect_eq(names_in(b, "tmp"), 0, "the scratch store is gone");
	return rc;
}

Test(build, a_second_time_gives_the_same)
{
	bench b = open_bench("/store");
	BASE_AUTO_OF(compose_artifact) compose_artifact *artifact = build_of(&b, "1.0.0", NULL);
	hn_error *err = NULL;

	b.options.image.workers = 3;
	cr_expect_eq(again(&b, artifact, &err), 0);
	hn_error_unref(err);
	close_bench(&b);
}

Test(build, what_comes_out_otherwise_is_told_with_its_first_byte)
{
	bench b = open_bench("/store");
	BASE_AUTO_OF(compose_artifact) compose_artifact *artifact = build_of(&b, "1.0.0", NULL);
	hn_error *err = NULL;

	cr_assert_eq(compose_store_put(b.store, "another image", 13, &artifact->image, NULL), 0);
	cr_expect_eq(again(&b, artifact, &err), HN_EDIGEST);
	cr_expect_not_null(strstr(hn_error_message(err), "differs from byte 0 on"), "%s",
		hn_error_message(err));
	hn_error_unref(BASE_STEAL(err));
	artifact->tree.bytes[0] ^= 1;
	cr_expect_eq(again(&b, artifact, &err), HN_EDIGEST);
	cr_expect_not_null(
		strstr(hn_error_message(err), "built again the tree"), "%s", hn_error_message(err));
	hn_error_unref(err);
	close_bench(&b);
}
