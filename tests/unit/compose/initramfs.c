/* SPDX-License-Identifier: MIT */
#define ZSTD_STATIC_LINKING_ONLY
#include "compose/image-private.h"
#include "tree-lab.h"
#include <errno.h>
#include <zstd.h>

#define IMAGE "/image"
#define WRITER (&compose_writer_initramfs)

typedef struct archive { /* of one segment, unpacked */
	char *bytes;
	size_t size;
} archive;

/* Takes the next frame of an image; false at its end. */
static bool next_segment(const char *image, size_t size, size_t *offset, archive *out)
{
	size_t frame;

	if (*offset == size)
		return false;
	cr_assert_eq(*offset % 4, 0);
	frame = ZSTD_findFrameCompressedSize(image + *offset, size - *offset);
	cr_assert_not(ZSTD_isError(frame), "at %zu: %s", *offset, ZSTD_getErrorName(frame));
	out->size = (size_t)ZSTD_getFrameContentSize(image + *offset, frame);
	out->bytes = malloc(out->size + 1);
	cr_assert_eq(ZSTD_decompress(out->bytes, out->size, image + *offset, frame), out->size);
	for (*offset += frame; *offset % 4 != 0; ++*offset)
		cr_assert_eq(image[*offset], 0);
	return true;
}

static archive only_segment(lab *l)
{
	archive out = {0}, more;
	size_t size, offset = 0;
	char *image = lab_build(l, WRITER, IMAGE, &size);

	cr_assert(next_segment(image, size, &offset, &out));
	cr_assert_not(next_segment(image, size, &offset, &more));
	base_free(image);
	return out;
}

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

static bool has(const archive *a, const char *text, size_t size)
{
	return memmem(a->bytes, a->size, text, size) != NULL;
}

#define HEAD(ino, mode, uid, gid, nlink, size, name_size)                                          \
	"070701" ino mode uid gid nlink "6553F100" size "00000000"                                 \
	"00000000"                                                                                 \
	"00000000"                                                                                 \
	"00000000" name_size "00000000"
#define ZERO "00000000"

Test(newc, is_written_byte_by_byte)
{
	static const char expected[] = HEAD("00000001", "000041ED", ZERO, ZERO, "00000002", ZERO,
		"00000002") ".\0" HEAD("00000002", "000041ED", ZERO, ZERO, "00000002", ZERO,
		"00000004") "etc\0\0\0" HEAD("00000003", "000081A4", "00000021", "00000022",
		"00000001", "00000005",
		"0000000A") "etc/hello\0"
			    "hello\0\0\0" HEAD("00000004", "0000A1FF", ZERO, ZERO, "00000001",
				    "00000009", "00000007") "etc/hi\0\0\0\0"
							    "etc/hello\0\0\0"
							    "070701" ZERO ZERO ZERO ZERO
							    "00000001" ZERO ZERO ZERO ZERO ZERO ZERO
							    "0000000B" ZERO "TRAILER!!!\0\0\0\0";
	lab *l = open_lab();
	compose_node *file;
	archive found;

	lab_directory(l, "/etc", 0);
	file = lab_file(l, "/etc/hello", "hello", 0);
	file->entry.uid = 0x21;
	file->entry.gid = 0x22;
	lab_symlink(l, "/etc/hi", "etc/hello", 0);
	lab_seal(l);
	found = only_segment(l);
	for (size_t i = 0; i < found.size && i < sizeof(expected) - 1; i++)
		cr_assert_eq(found.bytes[i], expected[i], "byte %zu: %.40s", i, found.bytes + i);
	cr_assert_eq(found.size, sizeof(expected) - 1);
	free(found.bytes);
	leave(l);
}

Test(newc, pads_name_and_data_to_four_for_each_length)
{
	for (size_t length = 1; length <= 8; length++) {
		char name[16] = "abcdefgh", bytes[NEWC_HEAD];
		newc_entry entry = {.name = name, .mode = S_IFREG};
		size_t size;

		name[length] = '\0';
		size = newc_head(&entry, bytes);
		cr_assert_eq(size % 4, 0);
		cr_assert_geq(size, NEWC_HEADER + length + 1);
		cr_assert_lt(size, NEWC_HEADER + length + 1 + 4);
		for (size_t i = NEWC_HEADER + length; i < size; i++)
			cr_assert_eq(bytes[i], 0);
	}
}

Test(newc, one_inode_has_its_body_once_with_the_first_name)
{
	lab *l = open_lab();
	compose_node *a = lab_file(l, "/a", "the body", 0), *b = lab_file(l, "/b", "the body", 0);
	compose_node *c = lab_file(l, "/c", "the body", 0);
	archive found;

	(void)c;
	a->group = b->group = 7;
	lab_seal(l);
	found = only_segment(l);
	cr_assert(has(&found,
		HEAD("00000002", "000081A4", ZERO, ZERO, "00000002", "00000008",
			"00000002") "a\0the body",
		110 + 2 + 8));
	cr_assert(has(&found,
		HEAD("00000002", "000081A4", ZERO, ZERO, "00000002", ZERO, "00000002") "b\0"
										       "070701",
		110 + 2 + 6));
	cr_assert(has(&found,
		HEAD("00000003", "000081A4", ZERO, ZERO, "00000001", "00000008",
			"00000002") "c\0the body",
		110 + 2 + 8));
	free(found.bytes);
	leave(l);
}

Test(newc, a_link_before_its_file_takes_what_the_file_has)
{
	lab *l = open_lab();
	compose_node *link = lab_add(l, COMPOSE_ENTRY_HARDLINK, "/a", 0, 0);
	compose_node *file = lab_file(l, "/b", "the body", 0);
	archive found;

	link->group = file->group = 3;
	lab_seal(l);
	found = only_segment(l);
	cr_assert(has(&found,
		HEAD("00000002", "000081A4", ZERO, ZERO, "00000002", "00000008",
			"00000002") "a\0the body",
		110 + 2 + 8));
	free(found.bytes);
	leave(l);
}

Test(initramfs, a_link_without_its_file_is_refused)
{
	lab *l = open_lab();
	compose_node *link = lab_add(l, COMPOSE_ENTRY_HARDLINK, "/a", 0, 0);
	char *bytes;
	size_t size;

	lab_seal(l);
	FAILS(HN_EENTRY, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	link = &l->nodes[1];
	link->group = 3;
	FAILS(HN_EENTRY, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	leave(l);
}

Test(initramfs, a_file_that_would_end_the_archive_is_refused)
{
	lab *l = open_lab();
	char *bytes;
	size_t size;

	lab_file(l, "/TRAILER!!!", "x", 0);
	lab_seal(l);
	FAILS(HN_EENTRY, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	leave(l);
	l = open_lab();
	lab_directory(l, "/d", 0);
	lab_file(l, "/d/TRAILER!!!", "x", 0);
	lab_seal(l);
	free(lab_build(l, WRITER, IMAGE, &size));
	leave(l);
}

/* Three components: 0 has /etc, 1 and 2 have files below it. */
static lab *three(void)
{
	lab *l = open_lab();
	char *one = lab_noise(700000, 1), *two = lab_noise(300000, 2);

	lab_directory(l, "/etc", 0);
	lab_file(l, "/etc/passwd", "root", 0);
	lab_bytes(l, "/etc/one", one, 700000, 1);
	lab_directory(l, "/etc/two.d", 2);
	lab_bytes(l, "/etc/two.d/two", two, 300000, 2);
	lab_seal(l);
	free(one);
	free(two);
	return l;
}

Test(initramfs, has_a_segment_for_each_component_with_the_directories_above)
{
	lab *l = three();
	size_t size, offset = 0, count = 0;
	char *image = lab_build(l, WRITER, IMAGE, &size);
	archive part;

	while (next_segment(image, size, &offset, &part)) {
		cr_assert(has(&part, "\0\0\0etc\0", 5) || has(&part, "etc\0", 4));
		cr_assert_eq(has(&part, "etc/passwd", 10), count == 0);
		cr_assert_eq(has(&part, "etc/one", 7), count == 1);
		cr_assert_eq(has(&part, "etc/two.d/two", 13), count == 2);
		cr_assert(has(&part, "TRAILER!!!", 10));
		free(part.bytes);
		count++;
	}
	cr_assert_eq(count, 3);
	cr_assert_eq(l->counts.segments_made, 3);
	base_free(image);
	leave(l);
}

Test(initramfs, a_second_build_does_no_work)
{
	lab *l = three();
	size_t size, again_size;
	char *image = lab_build(l, WRITER, IMAGE, &size);
	char *again = lab_build(l, WRITER, "/again", &again_size);

	cr_assert_eq(l->counts.segments_made, 0);
	cr_assert_eq(l->counts.segments_reused, 3);
	cr_assert_eq(size, again_size);
	cr_assert_eq(memcmp(image, again, size), 0);
	base_free(image);
	base_free(again);
	leave(l);
}

Test(initramfs, a_changed_file_costs_its_own_segment)
{
	lab *l = three();
	size_t size;
	char *image = lab_build(l, WRITER, IMAGE, &size);

	base_free(image);
	for (size_t i = 0; i < l->tree.count; i++) {
		if (l->nodes[i].owner != 1)
			continue;
		OK(compose_store_put(l->store, "other", 5, &l->nodes[i].entry.content, err));
		l->nodes[i].entry.size = 5;
	}
	image = lab_build(l, WRITER, IMAGE, &size);
	cr_assert_eq(l->counts.segments_made, 1);
	cr_assert_eq(l->counts.segments_reused, 2);
	base_free(image);
	leave(l);
}

/* What decides the bytes is in the key: each of these makes the segment anew. */
Test(initramfs, every_difference_makes_another_segment)
{
	lab *l = open_lab();
	compose_node *node;
	size_t size;

	lab_file(l, "/a", "x", 0);
	lab_file(l, "/b", "x", 0);
	lab_symlink(l, "/c", "a", 0);
	lab_seal(l);
	base_free(lab_build(l, WRITER, IMAGE, &size));
	node = &l->nodes[1];
#define ANEW(change)                                                                               \
	do {                                                                                       \
		change;                                                                            \
		base_free(lab_build(l, WRITER, IMAGE, &size));                                     \
		cr_assert_eq(l->counts.segments_made, 1, "%s", #change);                           \
	} while (0)
	ANEW(node->entry.mode = 0755);
	ANEW(node->entry.uid = 5);
	ANEW(node->entry.gid = 5);
	ANEW(node->entry.path = "/aa");
	ANEW(l->nodes[3].entry.target = "b");
	ANEW(node->group = l->nodes[2].group = 1);
	ANEW(l->options.level = 4);
	ANEW(l->options.epoch++);
	l->options.workers = 2;
	base_free(lab_build(l, WRITER, IMAGE, &size));
	cr_assert_eq(l->counts.segments_made, 0);
	leave(l);
}

Test(initramfs, workers_and_stores_do_not_change_the_bytes)
{
	lab *l = three(), *other = three();
	size_t size, other_size;
	char *image, *again;

	image = lab_build(l, WRITER, IMAGE, &size);
	other->options.workers = 2;
	again = lab_build(other, WRITER, "/elsewhere", &other_size);
	cr_assert_eq(other->counts.segments_made, 3);
	cr_assert_eq(size, other_size);
	cr_assert_eq(memcmp(image, again, size), 0);
	base_free(image);
	base_free(again);
	leave(l);
	leave(other);
}

Test(initramfs, the_kernel_can_unpack_its_window)
{
	for (int level = 1; level <= IMAGE_LEVEL; level += 9) {
		lab *l = open_lab();
		char *large = calloc(1, 12u << 20), *image;
		ZSTD_frameHeader header;
		size_t size;

		l->options.level = level;
		lab_bytes(l, "/large", large, 12u << 20, 0);
		lab_seal(l);
		image = lab_build(l, WRITER, IMAGE, &size);
		cr_assert_eq(ZSTD_getFrameHeader(&header, image, size), 0);
		cr_assert_leq(header.windowSize, 1u << 23);
		free(large);
		base_free(image);
		leave(l);
	}
}

static void remove_digest(lab *l, const char *folder, const compose_digest *digest)
{
	BASE_AUTO_BUF base_buf path = {0};
	char text[COMPOSE_DIGEST_TEXT];

	compose_digest_print(digest, text);
	if (strcmp(folder, "blobs") == 0)
		base_buf_format(&path, "/store/blobs/%.2s/%s", text + 3, text + 5);
	else
		base_buf_format(&path, "/store/%s/%s", folder, text + 3);
	cr_assert_eq(l->os->ops->unlink(l->os, path.data), 0);
	OK(hn_os_sim_put(l->os, path.data, "changed", 7, err));
}

static int first_name(void *arg, const char *name)
{
	memcpy(arg, name, 65);
	return 1;
}

Test(initramfs, a_cache_that_was_changed_is_made_anew)
{
	lab *l = open_lab();
	char name[65], *image, *again, *record;
	compose_digest key, blob;
	size_t size, again_size, record_size;

	lab_file(l, "/a", "hello", 0);
	lab_seal(l);
	image = lab_build(l, WRITER, IMAGE, &size);
	cr_assert_eq(l->os->ops->list(l->os, "/store/segments", first_name, name), 1);
	cr_assert(codec_hex_decode(name, 64, key.bytes));
	OK(compose_store_recall(l->store, "segments", &key, 99, &record, &record_size, err));
	memcpy(blob.bytes, record, sizeof(blob.bytes));
	base_free(record);
	remove_digest(l, "blobs", &blob);
	again = lab_build(l, WRITER, IMAGE, &again_size);
	cr_assert_eq(l->counts.segments_made, 1);
	cr_assert_eq(size, again_size);
	cr_assert_eq(memcmp(image, again, size), 0);
	base_free(again);
	remove_digest(l, "segments", &key);
	again = lab_build(l, WRITER, IMAGE, &again_size);
	cr_assert_eq(l->counts.segments_made, 1);
	cr_assert_eq(memcmp(image, again, size), 0);
	base_free(again);
	OK(compose_store_record(l->store, "segments", &key, "short", 5, err));
	again = lab_build(l, WRITER, IMAGE, &again_size);
	cr_assert_eq(l->counts.segments_made, 1);
	base_free(again);
	OK(compose_store_record(l->store, "segments", &key, image, size, err));
	again = lab_build(l, WRITER, IMAGE, &again_size);
	cr_assert_eq(l->counts.segments_made, 1);
	base_free(again);
	base_free(image);
	leave(l);
}

Test(initramfs, a_changed_or_missing_body_is_no_image)
{
	lab *l = open_lab();
	compose_digest content;
	char *bytes;
	size_t size;

	content = lab_file(l, "/a", "hello", 0)->entry.content;
	lab_seal(l);
	remove_digest(l, "blobs", &content);
	FAILS(HN_EDIGEST, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	OK(os_read_file(l->os, IMAGE, 9, &bytes, &size, err));
	cr_assert_eq(size, 0);
	base_free(bytes);
	l->nodes[1].entry.content.bytes[0] ^= 1;
	FAILS(HN_ENOENT, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	leave(l);
}

Test(initramfs, a_full_disk_leaves_nothing)
{
	lab *l = lab_open(sim_new(3000000), "/store");
	char *large = lab_noise(2000000, 3), *bytes;
	struct stat status;
	size_t size;

	lab_bytes(l, "/large", large, 2000000, 0);
	lab_seal(l);
	FAILS(HN_ENOSPC, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	cr_assert_eq(l->os->ops->stat(l->os, IMAGE, &status), 0);
	cr_assert_eq(status.st_size, 0);
	free(large);
	leave(l);
}

Test(initramfs, can_be_cancelled)
{
	lab *l = three();
	hn_cancel *cancel;
	char *bytes;
	size_t size;

	OK(hn_cancel_new(&cancel, err));
	hn_cancel_trigger(cancel);
	l->options.cancel = cancel;
	FAILS(HN_ECANCELLED, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	OK(os_read_file(l->os, IMAGE, 9, &bytes, &size, err));
	cr_assert_eq(size, 0);
	base_free(bytes);
	hn_cancel_unref(cancel);
	leave(l);
}

static void see_progress(
	void *arg, uint64_t done, uint64_t total, const char *unit, const char *phase)
{
	uint64_t *seen = arg;

	cr_assert_leq(done, total);
	cr_assert_geq(done, *seen);
	cr_assert_str_eq(unit, "components");
	cr_assert_str_eq(phase, "image");
	*seen = done;
}

Test(initramfs, tells_its_progress)
{
	lab *l = three();
	uint64_t seen = 0;
	size_t size;

	l->options.progress = see_progress;
	l->options.progress_arg = &seen;
	base_free(lab_build(l, WRITER, IMAGE, &size));
	cr_assert_eq(seen, l->tree.component_count);
	leave(l);
}

/* --- what an image cannot hold --- */

static void refused(lab *l, hn_code code)
{
	char *bytes;
	size_t size;

	lab_seal(l);
	FAILS(code, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	leave(l);
}

Test(initramfs, refuses_a_file_of_four_gibibytes)
{
	lab *l = open_lab();

	lab_file(l, "/a", "x", 0)->entry.size = UINT64_C(1) << 32;
	refused(l, HN_ELIMIT);
}

Test(initramfs, refuses_a_long_name)
{
	lab *l = open_lab();
	char path[300];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[257] = '\0';
	lab_file(l, path, "x", 0);
	refused(l, HN_ELIMIT);
}

Test(initramfs, takes_the_longest_names_and_no_longer_path)
{
	lab *l = open_lab();
	static char paths[5][1100];
	archive found;
	size_t at = 0;

	for (int i = 0; i < 4; i++) {
		if (i > 0)
			memcpy(paths[i], paths[i - 1], at);
		paths[i][at++] = '/';
		memset(paths[i] + at, 'a', i < 3 ? 255 : 254);
		at += i < 3 ? 255 : 254;
		if (i < 3)
			lab_directory(l, paths[i], 0);
	}
	cr_assert_eq(strlen(paths[3]), 1023);
	lab_file(l, paths[3], "x", 0);
	lab_seal(l);
	found = only_segment(l);
	cr_assert(has(&found, paths[3] + 1, 1023));
	free(found.bytes);
	memcpy(paths[4], paths[3], 1023);
	paths[4][1023] = 'b';
	l->nodes[l->tree.count - 1].entry.path = paths[4];
	refused(l, HN_ELIMIT);
}

Test(initramfs, refuses_a_long_link_target)
{
	lab *l = open_lab();
	char target[1025];

	memset(target, 'a', sizeof(target));
	target[1024] = '\0';
	lab_symlink(l, "/a", target, 0);
	refused(l, HN_ELIMIT);
}

Test(initramfs, refuses_what_newc_cannot_hold)
{
	lab *l = open_lab();
	const compose_xattr one = {.name = "user.a", .value = (const uint8_t *)"b", .size = 1};
	compose_node *node = lab_file(l, "/a", "x", 0);

	node->entry.xattrs = &one;
	node->entry.xattr_count = 1;
	refused(l, HN_ENOSUP);
}

Test(initramfs, refuses_levels_and_times_out_of_range)
{
	lab *l = open_lab();
	char *bytes;
	size_t size;

	lab_seal(l);
	l->options.level = 0;
	FAILS(HN_ERANGE, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	l->options.level = 20;
	FAILS(HN_ERANGE, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	l->options.level = 1;
	l->options.epoch = UINT64_C(1) << 32;
	FAILS(HN_ERANGE, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	leave(l);
}

Test(initramfs, refuses_a_tree_that_is_none)
{
	lab *l = open_lab();
	char *bytes;
	size_t size;

	lab_file(l, "/a", "x", 0);
	lab_file(l, "/b", "x", 0);
	lab_seal(l);
	l->nodes[2].entry.path = "/a";
	FAILS(HN_EINVAL, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	l->nodes[2].entry.path = "b";
	FAILS(HN_EINVAL, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	l->nodes[2].entry.path = "/b/c";
	FAILS(HN_EENTRY, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	l->nodes[2].entry.path = "/a/c";
	FAILS(HN_EENTRY, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	l->nodes[2].entry.path = "/b";
	l->nodes[2].owner = 99;
	FAILS(HN_EINVAL, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	l->tree.count = 0;
	FAILS(HN_EINVAL, lab_try(l, WRITER, IMAGE, &bytes, &size, err));
	leave(l);
}

Test(initramfs, is_in_the_table_and_says_who_made_it)
{
	const compose_image_options options = {.level = 15};
	BASE_AUTO_BUF base_buf text = {0};

	cr_assert_eq(compose_writer_find("initramfs"), WRITER);
	cr_assert_eq(compose_writer_at(0), WRITER);
	cr_assert_null(compose_writer_find("tape"));
	cr_assert_null(compose_writer_at(99));
	WRITER->fingerprint(&options, &text);
	cr_assert_not_null(strstr(text.data, "libzstd " ZSTD_VERSION_STRING " level 15"));
}
