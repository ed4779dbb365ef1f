/* SPDX-License-Identifier: MIT
 *
 * Archives that the test makes, from their bytes to a layer: both sides, in this process.
 */
#include "archives.h"

#ifdef HN_HAVE_ARCHIVE

static const compose_payload a_tar = {.kind = COMPOSE_PAYLOAD_TAR};
static const compose_payload a_deb = {
	.kind = COMPOSE_PAYLOAD_DEB, .place = {.file = "m.json", .line = 1, .column = 1}};
static const compose_reading tar_reading = {.payload = &a_tar};
static const compose_reading deb_reading = {.payload = &a_deb};

static void refused_by(const compose_reading *how, bytes payload, hn_code wanted, const char *why)
{
	compose_layer *layer = NULL;
	hn_error *err = NULL;
	int code = read_payload(how, &payload, &layer, &err);

	cr_assert_eq(code, (int)wanted, "%d instead of %d (%s): %s", code, (int)wanted, why,
		err != NULL ? hn_error_message(err) : "");
	cr_assert_not_null(
		strstr(hn_error_message(err), why), "'%s' has no '%s'", hn_error_message(err), why);
	cr_assert_null(layer);
	hn_error_unref(err);
	free(payload.data);
}

static void refused(bytes payload, hn_code wanted, const char *why)
{
	refused_by(&tar_reading, payload, wanted, why);
}

static compose_layer *read_well(const compose_reading *how, const bytes *payload)
{
	compose_layer *layer = NULL;
	hn_error *err = NULL;
	int code = read_payload(how, payload, &layer, &err);

	cr_assert_eq(code, 0, "%d: %s", code, err != NULL ? hn_error_message(err) : "");
	return layer;
}

static bytes small_tar(void)
{
	bytes tar = {0};

	tar_add(&tar, (member){.name = "./", .type = '5'});
	tar_add(&tar, (member){.name = "./usr/", .type = '5'});
	tar_add(&tar,
		(member){.name = "./usr/hello", .type = '0', .body = "hello\n", .mode = 0755});
	tar_add(&tar, (member){.name = "./usr/link", .type = '2', .target = "/usr/hello"});
	tar_add(&tar, (member){.name = "./usr/hard", .type = '1', .target = "./usr/hello"});
	tar_add(&tar, (member){.name = "./usr/none", .type = '0', .uid = 33, .gid = 42});
	tar_end(&tar);
	return tar;
}

static void check_small(const compose_layer *layer)
{
	compose_digest hello;

	crypto_blake2b("hello\n", 6, hello.bytes);
	cr_assert_eq(layer->count, 6);
	cr_assert_eq(entry_of(layer, "/")->type, COMPOSE_ENTRY_DIRECTORY);
	cr_assert_eq(entry_of(layer, "/usr")->mode, 0755);
	cr_assert_eq(entry_of(layer, "/usr/hello")->size, 6);
	cr_assert_eq(entry_of(layer, "/usr/hello")->mode, 0755);
	cr_assert(compose_digest_equal(&entry_of(layer, "/usr/hello")->content, &hello));
	cr_assert_str_eq(entry_of(layer, "/usr/link")->target, "/usr/hello");
	cr_assert_eq(entry_of(layer, "/usr/hard")->type, COMPOSE_ENTRY_HARDLINK);
	cr_assert_str_eq(entry_of(layer, "/usr/hard")->target, "/usr/hello");
	cr_assert_eq(entry_of(layer, "/usr/none")->uid, 33);
	cr_assert_eq(entry_of(layer, "/usr/none")->gid, 42);
	cr_assert_eq(entry_of(layer, "/usr/none")->size, 0);
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
	refused(tar_of((member){.name = "a", .type = '3'}), HN_EENTRY, "character device");
	refused(tar_of((member){.name = "a", .type = '4'}), HN_EENTRY, "block device");
	refused(tar_of((member){.name = "a", .type = '6'}), HN_EENTRY, "fifo");
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

static bytes zeros_in_tar(size_t size)
{
	bytes tar = {0};
	member of = {.name = "zeros", .type = '0', .mode = 0644};

	tar_head(&tar, &of, size);
	add_zeros(&tar, size);
	tar_end(&tar);
	return tar;
}

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

/* --- deb --- */

typedef struct control_file {
	const char *name, *body;
} control_file;

static bytes control_tar(const control_file *files, size_t count)
{
	bytes tar = {0};

	tar_add(&tar, (member){.name = "./", .type = '5'});
	tar_add(&tar, (member){.name = "./control", .type = '0', .body = "Package: x\n"});
	for (size_t i = 0; i < count; i++)
		tar_add(&tar, (member){.name = files[i].name, .type = '0', .body = files[i].body});
	tar_end(&tar);
	return tar;
}

static bytes deb_of(const control_file *files, size_t count)
{
	bytes control = control_tar(files, count), data = small_tar(), deb = {0};
	bytes packed = pack("xz", &data), little = pack("gzip", &control);

	ar_begin(&deb);
	ar_add(&deb, "debian-binary", "2.0\n", 4);
	ar_add(&deb, "control.tar.gz", little.data, little.size);
	ar_add(&deb, "data.tar.xz", packed.data, packed.size);
	free(control.data);
	free(data.data);
	free(packed.data);
	free(little.data);
	return deb;
}

Test(payload, deb_is_read)
{
	bytes deb = deb_of(NULL, 0);
	compose_layer *layer = read_well(&deb_reading, &deb);

	check_small(layer);
	cr_assert_eq(layer->remark_count, 0);
	compose_layer_free(layer);
	free(deb.data);
}

typedef struct piece {
	const char *name;
	int what; /* of the array in deb_pieces */
} piece;

/* A deb of any members: 0 version, 1 control, 2 data, 3 version "3.0", 4 text. */
static bytes deb_pieces(const piece *pieces, size_t count)
{
	bytes control = control_tar(NULL, 0), data = small_tar(), deb = {0};
	const bytes all[] = {{(char *)(uintptr_t) "2.0\n", 4}, control, data,
		{(char *)(uintptr_t) "3.0\n", 4}, {(char *)(uintptr_t) "text\n", 5}};

	ar_begin(&deb);
	for (size_t i = 0; i < count; i++)
		ar_add(&deb, pieces[i].name, all[pieces[i].what].data, all[pieces[i].what].size);
	free(control.data);
	free(data.data);
	return deb;
}

#define DEB(...)                                                                                   \
	deb_pieces((const piece[]){__VA_ARGS__},                                                   \
		sizeof((const piece[]){__VA_ARGS__}) / sizeof(piece))

static void refused_deb(bytes deb, const char *why)
{
	refused_by(&deb_reading, deb, HN_EENTRY, why);
}

Test(payload, deb_with_plain_members)
{
	bytes deb = DEB({"debian-binary", 0}, {"control.tar", 1}, {"data.tar/", 2});
	compose_layer *layer = read_well(&deb_reading, &deb);

	check_small(layer);
	compose_layer_free(layer);
	free(deb.data);
}

Test(payload, deb_members_swapped_twice_or_extra)
{
	refused_deb(DEB({"debian-binary", 0}, {"data.tar", 2}, {"control.tar", 1}),
		"'data.tar' where control.tar should be");
	refused_deb(DEB({"control.tar", 1}, {"debian-binary", 0}, {"data.tar", 2}),
		"'control.tar' where debian-binary should be");
	refused_deb(
		DEB({"debian-binary", 0}, {"control.tar", 1}, {"control.tar", 1}, {"data.tar", 2}),
		"'control.tar' where data.tar should be");
	refused_deb(DEB({"debian-binary", 0}, {"control.tar", 1}, {"data.tar", 2}, {"data.tar", 2}),
		"something behind data.tar");
	refused_deb(
		DEB({"debian-binary", 0}, {"_gpgbuilder", 4}, {"control.tar", 1}, {"data.tar", 2}),
		"'_gpgbuilder' where control.tar should be");
	refused_deb(DEB({"debian-binary", 0}, {"control.tar", 1}), "no data.tar is there");
	refused_deb(DEB({"debian-binary", 0}), "no control.tar is there");
}

Test(payload, deb_of_another_version)
{
	refused_deb(DEB({"debian-binary", 3}, {"control.tar", 1}, {"data.tar", 2}), "than 2.0");
	refused_deb(DEB({"debian-binary", 4}, {"control.tar", 1}, {"data.tar", 2}), "than 2.0");
	refused_deb(DEB({"debian-binary2", 0}, {"control.tar", 1}, {"data.tar", 2}),
		"does not begin with debian-binary");
}

Test(payload, deb_with_another_compression)
{
	refused_deb(DEB({"debian-binary", 0}, {"control.tar", 1}, {"data.tar.bz2", 2}),
		"'data.tar.bz2': only plain, gz, xz and zst");
	refused_deb(
		DEB({"debian-binary", 0}, {"control.tar.lzma", 1}, {"data.tar", 2}), "only plain");
	refused_deb(DEB({"debian-binary", 0}, {"control.tarx", 1}, {"data.tar", 2}), "only plain");
}

Test(payload, deb_that_is_none)
{
	bytes text = {0}, damaged = deb_of(NULL, 0), size = deb_of(NULL, 0), padding;

	add_bytes(&text, "!<arch>?debian", 14);
	refused_deb(text, "does not begin as one");
	damaged.data[8 + 58] = 'x';
	refused_deb(damaged, "no head of ar");
	memcpy(size.data + 8 + 48, "4x        ", 10);
	refused_deb(size, "no head of ar");
	size = deb_of(NULL, 0);
	memcpy(size.data + 8 + 48, "          ", 10);
	refused_deb(size, "no head of ar");
	padding = deb_of(NULL, 0);
	if (padding.data[padding.size - 1] != '\n') /* an even last member has none */
		add_bytes(&padding, "x", 1);
	else
		padding.data[padding.size - 1] = 'x';
	refused_deb(padding, "");
}

Test(payload, deb_truncated_at_each_512_bytes)
{
	bytes deb = DEB({"debian-binary", 0}, {"control.tar", 1}, {"data.tar", 2});

	for (size_t size = 0; size < deb.size; size += 512) {
		bytes cut = {.data = malloc(size + 1), .size = size};

		memcpy(cut.data, deb.data, size);
		refused_deb(cut, "");
	}
	free(deb.data);
}

/* A member that ends before its tar does, so that the next head would be read as tar. */
Test(payload, deb_with_a_member_of_the_wrong_size)
{
	bytes deb = DEB({"debian-binary", 0}, {"control.tar", 1}, {"data.tar", 2});

	memcpy(deb.data + 8 + 60 + 4 + 48, "1024      ", 10);
	refused_deb(deb, "control.tar");
}

/* --- maintainer scripts --- */

static const control_file scripts[] = {{"./postinst", "#!/bin/sh\n"}, {"./md5sums", "x"}};

static compose_digest digest_of(const char *text)
{
	compose_digest digest;

	crypto_blake2b(text, strlen(text), digest.bytes);
	return digest;
}

static int read_scripts(const compose_script *decided, size_t count, bool undecided,
	const control_file *files, size_t file_count, compose_layer **layer, hn_error **err)
{
	const compose_payload payload = {.kind = COMPOSE_PAYLOAD_DEB,
		.scripts = decided,
		.script_count = count,
		.place = {.file = "m.json", .line = 4, .column = 2}};
	const compose_reading how = {.payload = &payload, .undecided = undecided};
	bytes deb = deb_of(files, file_count);
	int code = read_payload(&how, &deb, layer, err);

	free(deb.data);
	return code;
}

Test(payload, deb_with_a_script_that_nobody_decided)
{
	compose_digest digest = digest_of("#!/bin/sh\n");
	char text[COMPOSE_DIGEST_TEXT];
	compose_layer *layer = NULL;
	hn_error *err = NULL;

	compose_digest_print(&digest, text);
	cr_assert_eq(read_scripts(NULL, 0, false, scripts, 2, &layer, &err), HN_EENTRY);
	cr_assert_not_null(
		strstr(hn_error_message(err), "m.json:4:2: nobody decided about postinst"));
	cr_assert_not_null(strstr(hn_error_message(err), text));
	cr_assert_null(layer);
	hn_error_unref(err);
}

Test(payload, deb_whose_scripts_are_only_asked_for)
{
	compose_layer *layer = NULL;

	cr_assert_eq(read_scripts(NULL, 0, true, scripts, 2, &layer, NULL), 0);
	cr_assert_eq(layer->remark_count, 1);
	cr_assert_eq(strncmp(layer->remarks[0], "undecided postinst b2:", 22), 0);
	compose_layer_free(layer);
}

Test(payload, deb_with_a_script_that_was_decided)
{
	const compose_script decided[] = {
		{.name = "postinst", .digest = digest_of("#!/bin/sh\n"), .decision = "ignored"}};
	compose_layer *layer = NULL;

	cr_assert_eq(read_scripts(decided, 1, false, scripts, 2, &layer, NULL), 0);
	cr_assert_eq(layer->remark_count, 0);
	compose_layer_free(layer);
}

Test(payload, deb_with_a_script_that_changed)
{
	const compose_script decided[] = {{.name = "postinst",
		.digest = digest_of("#!/bin/sh\nold\n"),
		.decision = "ignored",
		.place = {.file = "m.json", .line = 9, .column = 1}}};
	compose_layer *layer = NULL;
	hn_error *err = NULL;

	cr_assert_eq(read_scripts(decided, 1, false, scripts, 2, &layer, &err), HN_ECONTRACT);
	cr_assert_not_null(strstr(hn_error_message(err), "m.json:9:1: postinst"));
	hn_error_unref(err);
}

Test(payload, deb_without_a_script_that_was_decided)
{
	const compose_script decided[] = {{.name = "prerm",
		.decision = "ignored",
		.place = {.file = "m.json", .line = 9, .column = 1}}};
	compose_layer *layer = NULL;
	hn_error *err = NULL;

	cr_assert_eq(read_scripts(decided, 1, false, NULL, 0, &layer, &err), HN_ECONTRACT);
	cr_assert_not_null(strstr(hn_error_message(err), "no prerm"));
	hn_error_unref(err);
}

Test(payload, deb_with_triggers_conffiles_and_what_nobody_knows)
{
	static const char *const names[] = {"./triggers", "./conffiles", "./config", "./novel"};

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		const control_file files[] = {{names[i], "x"}};
		compose_layer *layer = NULL;
		hn_error *err = NULL;

		cr_assert_eq(read_scripts(NULL, 0, false, files, 1, &layer, &err), HN_EENTRY);
		cr_assert_not_null(strstr(hn_error_message(err), names[i] + 2));
		hn_error_unref(err);
	}
}

Test(payload, deb_with_a_control_part_of_more_than_files)
{
	const control_file deep[] = {{"./a/postinst", "x"}};
	const control_file twice[] = {{"./postinst", "x"}, {"./postinst", "x"}};
	const control_file up[] = {{"../postinst", "x"}};
	bytes deb = deb_of(deep, 1);

	refused_deb(deb, "only files are in it");
	refused_deb(deb_of(twice, 2), "postinst");
	refused_deb(deb_of(up, 1), "'..'");
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
