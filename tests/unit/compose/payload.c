/* SPDX-License-Identifier: MIT
 *
 * Archives that the test makes, from their bytes to a layer: both sides, in this process.
 */
#include "tars.h"

#ifdef HN_HAVE_ARCHIVE

static const compose_payload a_tar = {.kind = COMPOSE_PAYLOAD_TAR};
static const compose_reading tar_reading = {.payload = &a_tar};

static void refused(bytes payload, hn_code wanted, const char *why)
{
	refused_by(&tar_reading, payload, wanted, why);
}

/* --- tar --- */

Test(payload, tar_is_read_plain_and_compressed)
{
	static const char *const filters[] = {"gzip", "xz", "zstd"};
	bytes tar = small_tar();
	compose_layer *layer = read_well(&tar_reading, &tar), *other;

	check_small(layer);
	for (size_t i = 0; i < BASE_COUNT(filters); i++) {
		bytes packed = pack(filters[i], &tar);

		other = read_well(&tar_reading, &packed);
		cr_assert(compose_digest_equal(&layer->digest, &other->digest), "%s", filters[i]);
		compose_layer_free(other);
		free(packed.data);
	}
	compose_layer_free(layer);
	free(tar.data);
}

Test(payload, the_order_of_entries_is_no_part_of_the_layer)
{
	bytes one = {0}, two = {0};
	compose_layer *first, *second;

	tar_add(&one, (member){.name = "a", .type = '0', .body = "1"});
	tar_add(&one, (member){.name = "b", .type = '0', .body = "2"});
	tar_end(&one);
	tar_add(&two, (member){.name = "./b", .type = '0', .body = "2"});
	tar_add(&two, (member){.name = "a", .type = '0', .body = "1"});
	tar_end(&two);
	first = read_well(&tar_reading, &one);
	second = read_well(&tar_reading, &two);
	cr_assert(compose_digest_equal(&first->digest, &second->digest));
	compose_layer_free(first);
	compose_layer_free(second);
	free(one.data);
	free(two.data);
}

static bytes tar_of(member of)
{
	bytes tar = {0};

	tar_add(&tar, of);
	tar_end(&tar);
	return tar;
}

Test(payload, tar_with_names_that_lead_elsewhere)
{
	refused(tar_of((member){.name = "../x", .type = '0'}), HN_EENTRY, "'..'");
	refused(tar_of((member){.name = "a/../../x", .type = '0'}), HN_EENTRY, "'..'");
	refused(tar_of((member){.name = "/etc/passwd", .type = '0'}), HN_EENTRY, "absolute");
	refused(tar_of((member){.name = ".", .type = '2', .target = "/"}), HN_EENTRY, "root");
	refused(tar_of((member){.name = "a\nb", .type = '0'}), HN_EENTRY, "control character");
	refused(tar_of((member){.name = "a\033b", .type = '0'}), HN_EENTRY, "control character");
	refused(tar_of((member){.name = "a\xff", .type = '0'}), HN_EENTRY, "UTF-8");
	refused(tar_of((member){.name = "a", .type = '2', .target = "\xff"}), HN_EENTRY, "UTF-8");
	refused(tar_of((member){.name = "x/.wh.y", .type = '0'}), HN_EENTRY, "whiteout");
}

Test(payload, tar_with_a_hard_link_elsewhere)
{
	bytes below = {0};

	refused(tar_of((member){.name = "a", .type = '1', .target = "../etc/shadow"}), HN_EENTRY,
		"'..'");
	refused(tar_of((member){.name = "a", .type = '1', .target = "/etc/shadow"}), HN_EENTRY,
		"absolute");
	refused(tar_of((member){.name = "a", .type = '1', .target = "b"}), HN_EENTRY,
		"no earlier entry");
	tar_add(&below, (member){.name = "x", .type = '2', .target = "/etc"});
	tar_add(&below, (member){.name = "x/passwd", .type = '0', .body = "root::0:0:::"});
	tar_end(&below);
	refused(below, HN_EENTRY, "symbolic link of the same payload");
}

Test(payload, tar_with_devices)
{
	refused(tar_of((member){.name = "a", .type = '3', .device = "5 1"}), HN_EENTRY,
		"entry 'a' is refused: it is a character device");
	refused(tar_of((member){.name = "a", .type = '4'}), HN_EENTRY,
		"entry 'a' is refused: it is a block device");
	refused(tar_of((member){.name = "a", .type = '6'}), HN_EENTRY,
		"entry 'a' is refused: it is a fifo");
	/* Which an overlay would take for a whiteout. */
	refused(tar_of((member){.name = "bin/sh", .type = '3', .device = "0 0"}), HN_EENTRY,
		"entry 'bin/sh' is refused: it is a character device");
}

Test(payload, tar_with_setuid)
{
	bytes tar = tar_of((member){.name = "su", .type = '0', .mode = 04755});
	compose_layer *layer = read_well(&tar_reading, &tar);

	cr_assert_eq(entry_of(layer, "/su")->mode, 0755);
	cr_assert_eq(layer->remark_count, 1);
	cr_assert_str_eq(layer->remarks[0], "dropped setuid of /su");
	compose_layer_free(layer);
	free(tar.data);
}

static bytes tar_with_pax(const char *key, const char *value, size_t size)
{
	bytes tar = {0};

	tar_pax(&tar, key, value, size);
	tar_add(&tar, (member){.name = "a", .type = '0', .body = "x"});
	tar_end(&tar);
	return tar;
}

/* What is behind it no reader of tar has ever looked at: it is the rest that is judged. */
Test(payload, a_name_in_a_tar_ends_at_its_nul)
{
	bytes tar = tar_with_pax("path", "a\0b", 3);
	compose_layer *layer = read_well(&tar_reading, &tar);

	cr_assert_eq(layer->count, 1);
	cr_assert_not_null(entry_of(layer, "/a"));
	compose_layer_free(layer);
	free(tar.data);
	refused(tar_with_pax("path", "../a\0b", 6), HN_EENTRY, "entry '../a' is refused: '..'");
}

Test(payload, tar_with_extended_attributes)
{
	bytes tar = tar_with_pax("SCHILY.xattr.user.color", "red", 3);
	compose_layer *layer = read_well(&tar_reading, &tar);

	cr_assert_eq(entry_of(layer, "/a")->xattr_count, 1);
	cr_assert_str_eq(entry_of(layer, "/a")->xattrs[0].name, "user.color");
	cr_assert_arr_eq(entry_of(layer, "/a")->xattrs[0].value, "red", 3);
	compose_layer_free(layer);
	free(tar.data);
	tar = tar_with_pax("SCHILY.xattr.security.capability", "\1\0\0\2\0\4\0\0", 8);
	layer = read_well(&tar_reading, &tar);
	cr_assert_eq(entry_of(layer, "/a")->xattr_count, 0);
	cr_assert_str_eq(layer->remarks[0], "dropped the file capability of /a");
	compose_layer_free(layer);
	free(tar.data);
	refused(tar_with_pax("SCHILY.xattr.trusted.overlay.opaque", "y", 1), HN_EENTRY,
		"trusted.overlay.opaque");
	refused(tar_with_pax("SCHILY.acl.access",
			"user::rwx,group::r-x,other::r-x,user:x:rwx:7,mask::rwx", 50),
		HN_EENTRY, "posix_acl_access");
}

Test(payload, tar_with_too_many_extended_attributes)
{
	bytes tar = {0};
	char key[64];

	for (int i = 0; i < COMPOSE_XATTR_COUNT; i++) {
		snprintf(key, sizeof(key), "SCHILY.xattr.user.n%d", i);
		tar_pax(&tar, key, "x", 1);
	}
	/* Only the last header before an entry counts for some readers: one with all. */
	tar_add(&tar, (member){.name = "a", .type = '0'});
	tar_end(&tar);
	free(tar.data);
	tar = (bytes){0};
	{
		bytes body = {0};
		member of = {.name = "pax", .type = 'x', .mode = 0644};

		for (int i = 100; i < 100 + COMPOSE_XATTR_COUNT; i++) {
			snprintf(key, sizeof(key), "28 SCHILY.xattr.user.n%d=x\n", i);
			key[0] = (char)('0' + strlen(key) / 10);
			key[1] = (char)('0' + strlen(key) % 10);
			add_bytes(&body, key, strlen(key));
		}
		tar_head(&tar, &of, body.size);
		add_bytes(&tar, body.data, body.size);
		fill_up(&tar, 512);
		free(body.data);
	}
	tar_add(&tar, (member){.name = "a", .type = '0'});
	tar_end(&tar);
	refused(tar, HN_ELIMIT, "more than 127 extended attributes");
}

Test(payload, names_of_pax_headers_have_the_same_rules)
{
	static char name[300];

	memset(name, 'n', 256);
	refused(tar_with_pax("path", name, 256), HN_ELIMIT, "256 were given");
	memset(name, 'n', 250);
	refused(tar_with_pax("path", "../../z", 7), HN_EENTRY, "'..'");
	refused(tar_with_pax("path", "/z", 2), HN_EENTRY, "absolute");
	refused(tar_with_pax("path", "a\nb", 3), HN_EENTRY, "control character");
	refused(tar_with_pax("path", "a\xff", 2), HN_EENTRY, "");
	refused(tar_with_pax("GNU.sparse.name", "../../z", 7), HN_EENTRY, "'..'");
	refused(tar_with_pax("uid", "4294967296", 10), HN_EENTRY, "user or group id");
	refused(tar_with_pax("uid", "-1", 2), HN_EENTRY, "user or group id");
	refused(tar_with_pax("uid", "1000", 4), HN_EENTRY, "user 1000, which nobody declares");
}

Test(payload, a_claimed_size_of_2_to_the_50)
{
	refused(tar_of((member){.name = "a", .type = '0', .size = UINT64_C(1) << 50}), HN_ELIMIT,
		"a file of an image");
	refused(tar_of((member){.name = "a", .type = '0', .size = UINT64_C(1) << 63}), HN_EENTRY,
		"");
}

/* A hole of 8 GiB in a few blocks, and one of 1 GiB at the end of a file. */
Test(payload, sparse_files_count_whole)
{
	bytes tar = {0};

	tar_pax(&tar, "GNU.sparse.size", "8589934592", 10);
	tar_add(&tar, (member){.name = "a", .type = '0', .body = "x"});
	tar_end(&tar);
	refused(tar, HN_ELIMIT, "a file of an image");
	tar = (bytes){0};
	tar_pax(&tar, "GNU.sparse.size", "1073741824", 10);
	tar_add(&tar, (member){.name = "a", .type = '0', .body = "x"});
	tar_end(&tar);
	refused(tar, HN_ELIMIT, "200 to 1");
}

Test(payload, a_hole_at_the_end_is_zeros)
{
	static const char map[] = "1\n0\n1\n";
	bytes tar = {0}, zeros = {0};
	member of = {.name = "GNUSparseFile.0/a", .type = '0', .mode = 0644};
	compose_layer *layer;
	compose_digest wanted;
	bytes pax = {0};

	add_bytes(&pax, "22 GNU.sparse.major=1\n", 22);
	add_bytes(&pax, "22 GNU.sparse.minor=0\n", 22);
	add_bytes(&pax, "21 GNU.sparse.name=a\n", 21);
	add_bytes(&pax, "31 GNU.sparse.realsize=0100000\n", 31);
	{
		member head = {.name = "pax", .type = 'x', .mode = 0644};

		tar_head(&tar, &head, pax.size);
		add_bytes(&tar, pax.data, pax.size);
		fill_up(&tar, 512);
	}
	tar_head(&tar, &of, 513);
	add_bytes(&tar, map, strlen(map));
	fill_up(&tar, 512);
	add_bytes(&tar, "Z", 1);
	fill_up(&tar, 512);
	tar_end(&tar);
	layer = read_well(&tar_reading, &tar);
	cr_assert_eq(entry_of(layer, "/a")->size, 100000);
	add_bytes(&zeros, "Z", 1);
	add_zeros(&zeros, 99999);
	crypto_blake2b(zeros.data, zeros.size, wanted.bytes);
	cr_assert(compose_digest_equal(&entry_of(layer, "/a")->content, &wanted));
	compose_layer_free(layer);
	free(tar.data);
	free(zeros.data);
	free(pax.data);
}

/* --- ends --- */

Test(payload, tar_truncated_at_each_512_bytes)
{
	bytes tar = small_tar();

	for (size_t size = 0; size < tar.size; size += 512) {
		bytes cut = {.data = malloc(size + 1), .size = size};

		memcpy(cut.data, tar.data, size);
		refused(cut, HN_EENTRY, size == 0 ? "empty" : "the payload");
	}
	free(tar.data);
}

Test(payload, tar_truncated_in_a_body_of_zeros)
{
	bytes tar = {0};
	member of = {.name = "zeros", .type = '0', .mode = 0644};

	tar_head(&tar, &of, 4096);
	add_zeros(&tar, 4096);
	/* The last blocks are zeros, and are not the end. */
	refused(tar, HN_EENTRY, "cut off");
}

Test(payload, compressed_tar_truncated)
{
	static const char *const filters[] = {"gzip", "xz", "zstd"};
	bytes tar = small_tar();

	for (size_t i = 0; i < BASE_COUNT(filters); i++) {
		bytes packed = pack(filters[i], &tar);

		for (size_t size = 1; size < packed.size; size += size < 20 ? 1 : 7) {
			bytes cut = {.data = malloc(size), .size = size};

			memcpy(cut.data, packed.data, size);
			refused(cut, HN_EENTRY, "the payload");
		}
		free(packed.data);
	}
	free(tar.data);
}

Test(payload, trailing_garbage)
{
	static const char *const filters[] = {"gzip", "xz", "zstd"};
	bytes tar = small_tar(), more = small_tar();

	add_bytes(&more, "x", 1);
	refused(more, HN_EENTRY, "behind its end");
	more = small_tar();
	add_zeros(&more, 10240);
	compose_layer_free(read_well(&tar_reading, &more));
	add_bytes(&more, tar.data, tar.size); /* a second archive */
	refused(more, HN_EENTRY, "behind its end");
	for (size_t i = 0; i < BASE_COUNT(filters); i++) {
		more = pack(filters[i], &tar);
		add_bytes(&more, "garbage", 7);
		refused(more, HN_EENTRY, "the payload");
	}
	free(tar.data);
}

Test(payload, what_is_no_archive)
{
	bytes text = {0}, nothing = {0}, zeros = {0};

	add_bytes(&text, "this is no archive at all", 25);
	refused(text, HN_EENTRY, "the payload");
	add_bytes(&nothing, "", 0);
	refused(nothing, HN_EENTRY, "the payload is empty");
	add_zeros(&zeros, 1024);
	compose_layer_free(read_well(&tar_reading, &zeros)); /* a tar of nothing */
	free(zeros.data);
}

Test(payload, a_damaged_checksum)
{
	bytes tar = small_tar();

	tar.data[512 + 3] ^= 1;
	refused(tar, HN_EENTRY, "cannot be read");
}

Test(payload, other_compressions_are_not_read)
{
	static const char *const filters[] = {"bzip2", "lzma", "compress"};
	bytes tar = small_tar();

	for (size_t i = 0; i < BASE_COUNT(filters); i++)
		refused(pack(filters[i], &tar), HN_EENTRY, "the payload");
	free(tar.data);
}

/* --- bombs --- */

Test(payload, bombs_are_bounded, .timeout = 120)
{
	static const char *const filters[] = {"gzip", "xz", "zstd"};
	bytes tar = zeros_in_tar((size_t)20 << 20), small = zeros_in_tar((size_t)15 << 20), packed;
	compose_layer *layer;

	for (size_t i = 0; i < BASE_COUNT(filters); i++)
		refused(pack(filters[i], &tar), HN_ELIMIT, "200 to 1");
	/* The first 16 MiB are free. */
	packed = pack("zstd", &small);
	layer = read_well(&tar_reading, &packed);
	cr_assert_eq(entry_of(layer, "/zeros")->size, 15 << 20);
	compose_layer_free(layer);
	free(packed.data);
	free(tar.data);
	free(small.data);
}

/* Behind the end of the archive nobody would look. */
Test(payload, a_bomb_behind_the_end)
{
	bytes tar = {0};

	tar_end(&tar);
	add_zeros(&tar, (size_t)20 << 20);
	refused(pack("gzip", &tar), HN_ELIMIT, "200 to 1");
	free(tar.data);
}

Test(payload, compressed_twice)
{
	bytes tar = small_tar(), once = pack("gzip", &tar);

	refused(pack("xz", &once), HN_EENTRY, "more than once");
	refused(pack("gzip", &once), HN_EENTRY, "more than once");
	free(tar.data);
	free(once.data);
}

/* 20 MiB in some hundred bytes: it is not even begun. */
Test(payload, a_bomb_in_a_bomb)
{
	static const char *const filters[] = {"gzip", "xz", "zstd"};
	bytes tar = zeros_in_tar((size_t)20 << 20);

	for (size_t i = 0; i < BASE_COUNT(filters); i++) {
		bytes once = pack(filters[i], &tar);

		refused(pack(filters[(i + 1) % 3], &once), HN_EENTRY,
			"the payload is compressed more than once");
		free(once.data);
	}
	free(tar.data);
}

/* --- who calls --- */

Test(payload, kinds_that_are_no_archives)
{
	bytes tar = small_tar(), records = {0};
	hn_error *err = NULL;

	cr_assert_eq(parse_bytes(COMPOSE_PAYLOAD_BLOB, &tar, &records, &err), HN_ENOSUP);
	hn_error_unref(err);
	free(tar.data);
	free(records.data);
}

Test(payload, what_cannot_be_read_or_written)
{
	bytes tar = small_tar();
	hn_error *err = NULL;
	int in = memfd_create("in", MFD_CLOEXEC);

	cr_assert_eq(write(in, tar.data, tar.size), (ssize_t)tar.size);
	cr_assert_eq(lseek(in, 0, SEEK_SET), 0);
	cr_assert_eq(
		compose_payload_parse(hn_os_real(), COMPOSE_PAYLOAD_TAR, NULL, in, -1, false, &err),
		HN_EIO);
	hn_error_unref(err);
	err = NULL;
	cr_assert_eq(
		compose_payload_parse(hn_os_real(), COMPOSE_PAYLOAD_TAR, NULL, -1, in, false, &err),
		HN_EIO);
	hn_error_unref(err);
	close(in);
	free(tar.data);
}

#else

Test(payload, without_libarchive)
{
	bytes none = {0}, records = {0};
	hn_error *err = NULL;

	cr_assert_eq(parse_bytes(COMPOSE_PAYLOAD_TAR, &none, &records, &err), HN_ENOSUP);
	hn_error_unref(err);
	free(records.data);
}

#endif
