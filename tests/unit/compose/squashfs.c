/* SPDX-License-Identifier: MIT */
#include "compose/image-private.h"
#include "tree-lab.h"

#ifdef HN_HAVE_SQUASHFS

#define IMAGE "/image"
#define WRITER (&compose_writer_squashfs)
#define BLOCK 131072

static lab *open_lab(void)
{
	return lab_open(sim_new(0), "/store");
}

static void leave(lab *l)
{
	hn_os *os = l->os;

	lab_close(l);
	hn_os_sim_free(os);
}

static uint32_t word(const char *bytes, size_t at)
{
	uint32_t value;

	memcpy(&value, bytes + at, sizeof(value));
	return value;
}

/* A directory, a file of two blocks and a tail, small files, two names of one inode. */
static lab *filled(void)
{
	lab *l = open_lab();
	char *large = lab_noise(2 * BLOCK + 1000, 1);
	compose_node *a, *b;

	lab_directory(l, "/etc", 0);
	lab_bytes(l, "/large", large, 2 * BLOCK + 1000, 0);
	for (int i = 0; i < 20; i++) {
		static char paths[20][32];

		snprintf(paths[i], sizeof(paths[i]), "/etc/small-%02d", i);
		free(large);
		large = lab_noise(9000, (uint64_t)i + 50);
		lab_bytes(l, paths[i], large, 9000, 1);
	}
	lab_symlink(l, "/link", "etc/small-00", 1);
	lab_file(l, "/empty", "", 1);
	a = lab_file(l, "/one", "the body", 1);
	b = lab_file(l, "/two", "the body", 1);
	a->group = b->group = 1;
	lab_seal(l);
	free(large);
	return l;
}

Test(squashfs, has_the_head_that_was_asked_for)
{
	lab *l = filled();
	size_t size;
	char *image = lab_build(l, WRITER, IMAGE, &size);

	cr_assert_eq(memcmp(image, "hsqs", 4), 0);
	/* root, /etc, large, 20 small ones, link, empty, and one for two names */
	cr_assert_eq(word(image, 4), 26);
	cr_assert_eq(word(image, 8), LAB_EPOCH);
	cr_assert_eq(word(image, 12), BLOCK);
	cr_assert_eq(word(image, 20) & 0xffff, 6);
	cr_assert_eq(size % 4096, 0);
	base_free(image);
	leave(l);
}

Test(squashfs, a_second_build_does_no_work)
{
	lab *l = filled();
	size_t size, again_size;
	char *image = lab_build(l, WRITER, IMAGE, &size), *again;
	uint64_t made = l->counts.blocks_made;

	cr_assert_geq(made, 4);
	cr_assert_eq(l->counts.blocks_reused, 0);
	again = lab_build(l, WRITER, "/again", &again_size);
	cr_assert_eq(l->counts.blocks_made, 0);
	cr_assert_eq(l->counts.blocks_reused, made);
	cr_assert_eq(size, again_size);
	cr_assert_eq(memcmp(image, again, size), 0);
	base_free(image);
	base_free(again);
	leave(l);
}

static compose_node *node_of(lab *l, const char *path)
{
	for (size_t i = 0; i < l->tree.count; i++)
		if (strcmp(l->nodes[i].entry.path, path) == 0)
			return &l->nodes[i];
	cr_assert_fail("no %s", path);
	return NULL;
}

Test(squashfs, a_changed_file_costs_its_own_block)
{
	lab *l = filled();
	char *other = lab_noise(9000, 999);
	size_t size;

	base_free(lab_build(l, WRITER, IMAGE, &size));
	OK(compose_store_put(
		l->store, other, 9000, &node_of(l, "/etc/small-03")->entry.content, err));
	base_free(lab_build(l, WRITER, IMAGE, &size));
	cr_assert_geq(l->counts.blocks_made, 1);
	cr_assert_leq(l->counts.blocks_made, 2);
	cr_assert_geq(l->counts.blocks_reused, 3);
	free(other);
	leave(l);
}

/* Without ends that bodies choose, all tails after it would move into other blocks. */
Test(squashfs, a_file_that_grew_moves_its_neighbours_only)
{
	static char paths[200][32];
	lab *l = open_lab();
	char *body;
	size_t size;
	uint64_t all;

	for (int i = 0; i < 200; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/file-%03d", i);
		body = lab_noise(9000, (uint64_t)i + 50);
		lab_bytes(l, paths[i], body, 9000, 0);
		free(body);
	}
	lab_seal(l);
	base_free(lab_build(l, WRITER, IMAGE, &size));
	all = l->counts.blocks_made;
	cr_assert_geq(all, 14);
	body = lab_noise(9777, 999);
	OK(compose_store_put(l->store, body, 9777, &node_of(l, paths[3])->entry.content, err));
	node_of(l, paths[3])->entry.size = 9777;
	free(body);
	base_free(lab_build(l, WRITER, IMAGE, &size));
	cr_assert_leq(l->counts.blocks_made, all / 2);
	leave(l);
}

Test(squashfs, workers_and_stores_do_not_change_the_bytes)
{
	size_t size, other_size;
	lab *l = filled();
	char *image = lab_build(l, WRITER, IMAGE, &size);

	for (uint32_t workers = 2; workers <= 5; workers++) {
		lab *other = filled();
		char *again;

		other->options.workers = workers;
		again = lab_build(other, WRITER, "/elsewhere", &other_size);
		cr_assert_eq(other->counts.blocks_reused, 0);
		cr_assert_eq(size, other_size);
		cr_assert_eq(memcmp(image, again, size), 0);
		base_free(again);
		leave(other);
	}
	base_free(image);
	leave(l);
}

Test(squashfs, level_and_epoch_are_in_the_image)
{
	lab *l = filled();
	size_t size, other_size;
	char *image = lab_build(l, WRITER, IMAGE, &size), *other;

	l->options.epoch++;
	other = lab_build(l, WRITER, IMAGE, &other_size);
	cr_assert_eq(l->counts.blocks_made, 0);
	cr_assert_neq(memcmp(image, other, 4096), 0);
	base_free(other);
	l->options.level = 9;
	base_free(lab_build(l, WRITER, IMAGE, &other_size));
	cr_assert_eq(l->counts.blocks_reused, 0);
	base_free(image);
	leave(l);
}

Test(squashfs, equal_bodies_are_there_once)
{
	lab *l = open_lab();
	char *body = lab_noise(BLOCK + 5000, 1);
	size_t once, twice;

	lab_bytes(l, "/a", body, BLOCK + 5000, 0);
	lab_seal(l);
	base_free(lab_build(l, WRITER, IMAGE, &once));
	lab_bytes(l, "/b", body, BLOCK + 5000, 0);
	lab_seal(l);
	base_free(lab_build(l, WRITER, IMAGE, &twice));
	cr_assert_leq(twice, once + 4096);
	free(body);
	leave(l);
}

Test(squashfs, zeros_take_no_room)
{
	lab *l = open_lab();
	char *zeros = base_calloc(1, 20 * BLOCK);
	size_t size;

	lab_bytes(l, "/zeros", zeros, 20 * BLOCK, 0);
	lab_seal(l);
	base_free(lab_build(l, WRITER, IMAGE, &size));
	cr_assert_eq(size, 4096);
	cr_assert_eq(l->counts.blocks_made, 0);
	base_free(zeros);
	leave(l);
}

static int first_name(void *arg, const char *name)
{
	memcpy(arg, name, 65);
	return 1;
}

Test(squashfs, a_cache_that_was_changed_is_made_anew)
{
	lab *l = open_lab();
	char name[65], path[128], *image, *again, *large;
	size_t size, again_size;

	lab_file(l, "/a", "hello hello hello hello hello hello", 0);
	lab_seal(l);
	image = lab_build(l, WRITER, IMAGE, &size);
	cr_assert_eq(l->os->ops->list(l->os, "/store/blocks", first_name, name), 1);
	snprintf(path, sizeof(path), "/store/blocks/%s", name);
	l->os->ops->unlink(l->os, path);
	OK(hn_os_sim_put(l->os, path, "changed", 7, err));
	again = lab_build(l, WRITER, IMAGE, &again_size);
	cr_assert_eq(l->counts.blocks_made, 1);
	cr_assert_eq(size, again_size);
	cr_assert_eq(memcmp(image, again, size), 0);
	base_free(again);
	/* Nor is one taken that no block can be. */
	l->os->ops->unlink(l->os, path);
	large = calloc(1, 1 << 20);
	OK(hn_os_sim_put(l->os, path, large, 1 << 20, err));
	free(large);
	again = lab_build(l, WRITER, IMAGE, &again_size);
	cr_assert_eq(l->counts.blocks_made, 1);
	cr_assert_eq(memcmp(image, again, size), 0);
	base_free(image);
	base_free(again);
	leave(l);
}

Test(squashfs, a_missing_body_is_no_image)
{
	lab *l = filled();
	struct stat status;
	char *bytes;
	size_t size;

	node_of(l, "/large")->entry.content.bytes[0] ^= 1;
	FAILS(HN_ENOENT, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	cr_assert_eq(l->os->ops->stat(l->os, IMAGE, &status), 0);
	cr_assert_eq(status.st_size, 0);
	leave(l);
}

Test(squashfs, a_full_disk_leaves_nothing)
{
	/* From where nothing of the image fits to where its tables do not. */
	for (uint64_t room = 1340000; room < 1760000; room += 20000) {
		lab *l = lab_open(sim_new(room), "/store");
		char *large = lab_noise(1000000, 3), *bytes = NULL;
		struct stat status;
		size_t size;
		int rc;

		lab_bytes(l, "/large", large, 1000000, 0);
		lab_seal(l);
		rc = lab_try(l, WRITER, IMAGE, &bytes, &size, NULL);
		cr_assert(rc == HN_ENOSPC || rc == 0, "%d", rc);
		cr_assert_eq(l->os->ops->stat(l->os, IMAGE, &status), 0);
		cr_assert(rc == 0 || status.st_size == 0);
		base_free(bytes);
		free(large);
		leave(l);
	}
}

Test(squashfs, can_be_cancelled)
{
	lab *l = filled();
	hn_cancel *cancel;
	char *bytes;
	size_t size;

	OK(hn_cancel_new(&cancel, err));
	hn_cancel_trigger(cancel);
	l->options.cancel = cancel;
	FAILS(HN_ECANCELLED, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	hn_cancel_unref(cancel);
	leave(l);
}

Test(squashfs, refuses_a_file_of_four_gibibytes)
{
	lab *l = filled();
	char *bytes;
	size_t size;

	node_of(l, "/large")->entry.size = UINT64_C(1) << 32;
	FAILS(HN_ELIMIT, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	leave(l);
}

Test(squashfs, refuses_more_attributes_than_an_entry_may_have)
{
	lab *l = filled();
	const compose_xattr one = {.name = "user.a", .value = (const uint8_t *)"", .size = 65531};
	char *bytes;
	size_t size;

	node_of(l, "/one")->entry.xattrs = &one;
	node_of(l, "/one")->entry.xattr_count = 1;
	FAILS(HN_ELIMIT, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	leave(l);
}

Test(squashfs, is_in_the_table_and_says_who_made_it)
{
	const compose_image_options options = {.level = 15};
	BASE_AUTO_BUF base_buf text = {0};

	cr_assert_eq(compose_writer_find("squashfs"), WRITER);
	WRITER->fingerprint(&options, &text);
	cr_assert_not_null(strstr(text.data, "libsquashfs 1."));
	cr_assert_not_null(strstr(text.data, "level 15"));
}

#else

Test(squashfs, is_not_in_the_table_when_it_was_not_built)
{
	cr_assert_null(compose_writer_find("squashfs"));
}

#endif
