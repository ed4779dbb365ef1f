/* SPDX-License-Identifier: MIT
 *
 * Directories become files that are payloads: the same bytes for the same content, and what no
 * image may have is refused.
 */
#include "compose/payload.h"

#include <criterion/criterion.h>
#include <hypernix/host-build.h>
#include <hypernix/os.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/hn-pack-XXXXXX";

static const char *path_in(const char *name)
{
	static char paths[16][200];
	static unsigned next;
	char *path = paths[next++ % 16];

	snprintf(path, 200, "%s/%s", directory, name);
	return path;
}

static void put(const char *name, const char *text, mode_t mode)
{
	cr_assert_eq(os_write_file(hn_os_real(), path_in(name), text, strlen(text), mode, NULL), 0);
	cr_assert_eq(chmod(path_in(name), mode), 0);
}

static void folder(const char *name)
{
	cr_assert_eq(mkdir(path_in(name), 0755), 0);
	cr_assert_eq(chmod(path_in(name), 0755), 0);
}

/* The same twice, made in another order and at another time. */
static void begin(void)
{
	cr_assert_geq(crypto_open(NULL), 0);
	cr_assert_not_null(mkdtemp(directory));
	folder("one");
	folder("one/etc");
	put("one/etc/motd", "hello\n", 0644);
	put("one/etc/issue", "welcome\n", 0600);
	cr_assert_eq(symlink("etc/motd", path_in("one/motd")), 0);
	folder("two");
	cr_assert_eq(symlink("etc/motd", path_in("two/motd")), 0);
	folder("two/etc");
	put("two/etc/issue", "welcome\n", 0600);
	put("two/etc/motd", "hello\n", 0644);
	cr_assert_eq(utimensat(AT_FDCWD, path_in("two/etc/motd"),
			     (const struct timespec[2]){{.tv_sec = 5}, {.tv_sec = 6}}, 0),
		0);
	if (geteuid() == 0)
		cr_assert_eq(lchown(path_in("two/etc/motd"), 1234, 4321), 0);
}

static void end(void)
{
	os_remove_tree(hn_os_real(), directory, NULL);
}

TestSuite(payload_pack, .init = begin, .fini = end, .timeout = 120);

static hn_payload_packing of(const char *name, const char *out)
{
	hn_payload_packing options = HN_PAYLOAD_PACKING_INIT;

	options.directory = path_in(name);
	options.out = path_in(out);
	options.parser = TEST_PARSER;
	return options;
}

static hn_payload_packed pack(hn_payload_packing options, int code, const char *part)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	hn_payload_packed made = HN_PAYLOAD_PACKED_INIT;
	int rc = hn_payload_pack(&options, &made, &err);

	cr_assert_eq(rc, code, "%d instead of %d: %s", rc, code, err ? hn_error_message(err) : "-");
	if (code < 0)
		cr_assert_not_null(strstr(hn_error_message(err), part), "'%s' is not in: %s", part,
			hn_error_message(err));
	return made;
}

static int count_name(void *arg, const char *name)
{
	(void)name;
	++*(size_t *)arg;
	return 0;
}

/* How much lies beside the two directories. */
static size_t left_over(void)
{
	size_t count = 0;

	cr_assert_eq(hn_os_real()->ops->list(hn_os_real(), directory, count_name, &count), 0);
	return count - 2;
}

Test(payload_pack, gives_equal_bytes_for_equal_content)
{
	hn_payload_packed one = pack(of("one", "one.tar.zst"), 0, NULL);
	hn_payload_packed two = pack(of("two", "two.tar.zst"), 0, NULL);

	cr_assert_eq(memcmp(&one, &two, sizeof(one)), 0, "%s and %s", one.sha256, two.sha256);
	cr_assert_eq(one.entries, 5, "%llu", (unsigned long long)one.entries);
	put("two/etc/motd", "hallo\n", 0644);
	two = pack(of("two", "two.tar.zst"), 0, NULL);
	cr_assert_str_neq(one.sha256, two.sha256);
}

Test(payload_pack, names_what_it_wrote)
{
	hn_payload_packed made = pack(of("one", "out"), 0, NULL);
	BASE_AUTO_FREE char *bytes = NULL;
	uint8_t sha256[CRYPTO_DIGEST];
	char hex[2 * CRYPTO_DIGEST + 1];
	char text[COMPOSE_DIGEST_TEXT];
	compose_digest digest;
	size_t size = 0;

	cr_assert_eq(os_read_file(hn_os_real(), path_in("out"), 1 << 20, &bytes, &size, NULL), 0);
	cr_assert_eq(size, made.bytes);
	cr_assert_eq(memcmp(bytes, "\x28\xb5\x2f\xfd", 4), 0, "it is no zstd");
	crypto_sha256(bytes, size, sha256);
	codec_hex(sha256, sizeof(sha256), hex);
	cr_assert_str_eq(hex, made.sha256);
	crypto_blake2b(bytes, size, digest.bytes);
	compose_digest_print(&digest, text);
	cr_assert_str_eq(text, made.b2);
	cr_assert_eq(left_over(), 1);
}

static compose_layer *read_layer(const char *name)
{
	const compose_payload payload = {.kind = COMPOSE_PAYLOAD_TAR};
	const compose_reading how = {.payload = &payload};
	compose_layer *layer = NULL;
	struct stat status;
	int fd = hn_os_real()->ops->open(hn_os_real(), path_in(name), O_RDONLY, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(fstat(fd, &status), 0);
	cr_assert_eq(compose_payload_run(hn_os_real(), TEST_PARSER, fd, (uint64_t)status.st_size,
			     NULL, &how, &layer, NULL),
		0);
	close(fd);
	return layer;
}

Test(payload_pack, is_read_as_it_was_and_is_roots)
{
	BASE_AUTO_OF(compose_layer) compose_layer *layer = NULL;

	pack(of("two", "out"), 0, NULL);
	layer = read_layer("out");
	cr_assert_eq(layer->count, 5);
	cr_assert_str_eq(layer->entries[2].path, "/etc/issue");
	cr_assert_eq(layer->entries[2].mode, 0600);
	cr_assert_str_eq(layer->entries[3].path, "/etc/motd");
	cr_assert_eq(layer->entries[3].uid + layer->entries[3].gid, 0);
	cr_assert_str_eq(layer->entries[4].target, "etc/motd");
}

Test(payload_pack, refuses_what_no_image_may_have)
{
	cr_assert_eq(mkfifo(path_in("one/pipe"), 0644), 0);
	pack(of("one", "out"), HN_EENTRY, "pipe");
	cr_assert_eq(left_over(), 0, "something is left");
}

Test(payload_pack, takes_setuid_files_only_when_told)
{
	hn_payload_packing options = of("one", "out");

	put("one/su", "x", 04755);
	pack(options, HN_EENTRY, "it is setuid");
	put("one/su", "x", 02755);
	pack(options, HN_EENTRY, "it is setgid");
	options.allow_setuid = true;
	pack(options, 0, NULL);
}

Test(payload_pack, replaces_only_by_what_is_whole)
{
	hn_payload_packing options = of("one", "out");
	BASE_AUTO_FREE char *bytes = NULL;
	size_t size = 0;

	put("out", "as it was", 0644);
	options.parser = "/bin/false"; /* who reads it says nothing */
	pack(options, HN_EENTRY, "");
	options.parser = "/nonexistent/hv-imgparse";
	pack(options, HN_ENOENT, "cannot start");
	options.parser = TEST_PARSER;
	options.dry_run = true;
	pack(options, 0, NULL);
	cr_assert_eq(os_read_file(hn_os_real(), path_in("out"), 100, &bytes, &size, NULL), 0);
	cr_assert_str_eq(bytes, "as it was");
	cr_assert_eq(left_over(), 1);
}

Test(payload_pack, refuses_options_that_are_none)
{
	hn_payload_packing options = of("one", "out");
	hn_payload_packed made = HN_PAYLOAD_PACKED_INIT;

	options.level = 20;
	pack(options, HN_ERANGE, "level 1 to 19, not 20");
	pack(of("nowhere", "out"), HN_ENOENT, "nowhere");
	pack(of("one", "nowhere/out"), HN_ENOENT, "cannot write");
	pack(of("one/etc/motd", "out"), HN_EINVAL, "no directory");
	options = of("one", "out");
	options.out = NULL;
	pack(options, HN_EINVAL, "a place for its payload");
	cr_assert_eq(hn_payload_pack(NULL, &made, NULL), HN_EINVAL);
	cr_assert_eq(hn_payload_pack(&options, NULL, NULL), HN_EINVAL);
	cr_assert_eq(left_over(), 0);
}

/* --- what is a file already --- */

static hn_payload_packed look(const char *name, const char *kind, int code, const char *part)
{
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	hn_payload_packed found = HN_PAYLOAD_PACKED_INIT;
	int rc = hn_payload_check(path_in(name), kind, TEST_PARSER, NULL, &found, &err);

	cr_assert_eq(rc, code, "%d instead of %d: %s", rc, code, err ? hn_error_message(err) : "-");
	if (code < 0)
		cr_assert_not_null(strstr(hn_error_message(err), part), "'%s' is not in: %s", part,
			hn_error_message(err));
	return found;
}

Test(payload_pack, is_found_to_be_what_was_packed)
{
	hn_payload_packed made = pack(of("one", "out"), 0, NULL);
	hn_payload_packed found = look("out", "tar", 0, NULL);

	cr_assert_eq(memcmp(&made, &found, sizeof(made)), 0);
	cr_assert_eq(found.remarks, 0);
}

Test(payload_pack, counts_what_an_image_does_not_get)
{
	hn_payload_packing options = of("one", "out");

	put("one/su", "x", 04755);
	options.allow_setuid = true;
	cr_assert_eq(pack(options, 0, NULL).remarks, 1);
	cr_assert_eq(look("out", "tar", 0, NULL).remarks, 1);
}

/* A package that is read whole is a test of its own: tests/e2e/compose-apt.sh. */
Test(payload_pack, is_refused_when_it_is_no_package)
{
	static const char zeros[] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	hn_package *package = NULL;

	put("text", "no package at all\n", 0644);
	cr_assert_eq(hn_package_read(path_in("text"), NULL, TEST_PARSER, NULL, &package, NULL),
		HN_EENTRY);
	cr_assert_eq(hn_package_read(path_in("text"), zeros, TEST_PARSER, NULL, &package, NULL),
		HN_EDIGEST);
	cr_assert_eq(hn_package_read(path_in("nowhere"), NULL, TEST_PARSER, NULL, &package, NULL),
		HN_ENOENT);
	cr_assert_eq(hn_package_read(NULL, NULL, NULL, NULL, &package, NULL), HN_EINVAL);
	cr_assert_eq(hn_package_read("x", NULL, NULL, NULL, NULL, NULL), HN_EINVAL);
	cr_assert_null(package);
}

Test(payload_pack, is_refused_when_it_is_no_payload)
{
	hn_cancel *cancel = NULL;
	hn_payload_packed found = HN_PAYLOAD_PACKED_INIT;

	put("text", "no archive at all\n", 0644);
	cr_assert_eq(mkfifo(path_in("pipe"), 0644), 0);
	look("text", "tar", HN_EENTRY, "");
	look("text", "deb", HN_EENTRY, "");
	look("text", "oci", HN_EINVAL, "no payload of kind 'oci'");
	look("one", "tar", HN_EINVAL, "is no regular file");
	look("pipe", "tar", HN_EINVAL, "is no regular file");
	look("nowhere", "tar", HN_ENOENT, "cannot read");
	cr_assert_eq(hn_payload_check(NULL, "tar", NULL, NULL, &found, NULL), HN_EINVAL);
	cr_assert_eq(hn_payload_check("x", NULL, NULL, NULL, &found, NULL), HN_EINVAL);
	cr_assert_eq(hn_payload_check("x", "tar", NULL, NULL, NULL, NULL), HN_EINVAL);
	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	hn_cancel_trigger(cancel);
	cr_assert_eq(hn_payload_check(path_in("text"), "tar", TEST_PARSER, cancel, &found, NULL),
		HN_ECANCELLED);
	hn_cancel_unref(cancel);
}
