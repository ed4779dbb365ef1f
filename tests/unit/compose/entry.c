/* SPDX-License-Identifier: MIT
 *
 * What an entry may be by itself, and beside the others of its payload. Group 15 of the design of
 * composition lists what must be refused.
 */
#include "entry-helper.h"
#include <stdlib.h>

/* Where the fact "entry" is, or -1. */
static int fact_entry(const hn_error *err)
{
	hn_fact fact;

	for (size_t i = 0; hn_error_fact(err, i, &fact) == 0; i++) {
		if (strcmp(fact.name, "entry") == 0)
			return (int)i;
	}
	return -1;
}

static void refused_raw(const compose_raw *raw, hn_code wanted, const char *why)
{
	char path[COMPOSE_PATH_ROOM] = "untouched", target[COMPOSE_PATH_ROOM] = "untouched";
	hn_error *err = NULL;
	int code = compose_raw_check(raw, path, target, &err);

	cr_assert_eq(code, (int)wanted, "%d instead of %d (%s)", code, (int)wanted, why);
	cr_assert_not_null(
		strstr(hn_error_message(err), why), "'%s' has no '%s'", hn_error_message(err), why);
	cr_assert_not_null(strstr(hn_error_message(err), "entry '"));
	cr_assert_geq(fact_entry(err), 0);
	cr_assert_str_eq(path, "untouched");
	cr_assert_str_eq(target, "untouched");
	hn_error_unref(err);
}

static void refused_name(const char *name, size_t size, hn_code wanted, const char *why)
{
	compose_raw raw = {.type = COMPOSE_RAW_FILE, .path = name, .path_size = size};

	refused_raw(&raw, wanted, why);
}

static void canonical(const char *name, compose_raw_type type, const char *wanted)
{
	char path[COMPOSE_PATH_ROOM], target[COMPOSE_PATH_ROOM];
	compose_raw raw = raw_of(type, name, NULL);
	hn_error *err = NULL;

	cr_assert_eq(compose_raw_check(&raw, path, target, &err), 0, "%s: %s", name,
		err != NULL ? hn_error_message(err) : "");
	cr_assert_str_eq(path, wanted);
	cr_assert_str_eq(target, "");
}

/* --- names --- */

Test(entry, names_become_canonical)
{
	canonical("usr/bin/nginx", COMPOSE_RAW_FILE, "/usr/bin/nginx");
	canonical("./usr/bin/", COMPOSE_RAW_DIRECTORY, "/usr/bin");
	canonical("././a//b/./c", COMPOSE_RAW_FILE, "/a/b/c");
	canonical("./", COMPOSE_RAW_DIRECTORY, "/");
	canonical(".", COMPOSE_RAW_DIRECTORY, "/");
	canonical("...", COMPOSE_RAW_FILE, "/...");
	canonical(".hidden/..x/.w", COMPOSE_RAW_FILE, "/.hidden/..x/.w");
	canonical("caf\xc3\xa9", COMPOSE_RAW_FILE, "/caf\xc3\xa9");
}

Test(entry, refuses_names_that_lead_elsewhere)
{
	refused_name("../x", 4, HN_EENTRY, "'..' leads out");
	refused_name("usr/../../x", 11, HN_EENTRY, "'..' leads out");
	refused_name("usr/..", 6, HN_EENTRY, "'..' leads out");
	refused_name("/etc/passwd", 11, HN_EENTRY, "absolute");
	refused_name("//x", 3, HN_EENTRY, "absolute");
}

Test(entry, refuses_bytes_that_no_name_has)
{
	refused_name("", 0, HN_EENTRY, "empty");
	refused_name("a\0b", 3, HN_EENTRY, "NUL");
	refused_name("a\nb", 3, HN_EENTRY, "control character");
	refused_name("a\033[2Jb", 6, HN_EENTRY, "control character");
	refused_name("a\x7f", 2, HN_EENTRY, "control character");
	refused_name("a\x1f", 2, HN_EENTRY, "control character");
	refused_name("a\xff", 2, HN_EENTRY, "not UTF-8");
	refused_name("\xc0\xaf", 2, HN_EENTRY, "not UTF-8");
	refused_name("\xed\xa0\x80", 3, HN_EENTRY, "not UTF-8");
}

Test(entry, refuses_a_root_that_is_no_directory)
{
	compose_raw link = raw_of(COMPOSE_RAW_SYMLINK, ".", "/etc");
	compose_raw slashes = raw_of(COMPOSE_RAW_SYMLINK, ".///.", "x");

	refused_raw(&link, HN_EENTRY, "the root can only be a directory");
	refused_raw(&slashes, HN_EENTRY, "the root can only be a directory");
	refused_name("./", 2, HN_EENTRY, "the root can only be a directory");
}

Test(entry, refuses_whiteouts)
{
	refused_name("usr/.wh.bin", 11, HN_EENTRY, "whiteout");
	refused_name(".wh..wh..opq", 12, HN_EENTRY, "whiteout");
	refused_name(".wh.a/b", 7, HN_EENTRY, "whiteout");
	canonical(".wh", COMPOSE_RAW_FILE, "/.wh");
	canonical("a.wh.b", COMPOSE_RAW_FILE, "/a.wh.b");
}

/* `parts` names of `size` letters. */
static char *long_path(size_t parts, size_t size)
{
	char *path = malloc(parts * (size + 1) + 1), *at = path;

	for (size_t i = 0; i < parts; i++) {
		if (i > 0)
			*at++ = '/';
		memset(at, 'n', size);
		at += size;
	}
	*at = '\0';
	return path;
}

static void refused_long(size_t parts, size_t size, const char *why)
{
	char *path = long_path(parts, size);

	refused_name(path, strlen(path), HN_ELIMIT, why);
	free(path);
}

static void taken_long(size_t parts, size_t size)
{
	char *path = long_path(parts, size), found[COMPOSE_PATH_ROOM], target[COMPOSE_PATH_ROOM];
	compose_raw raw = raw_of(COMPOSE_RAW_FILE, path, NULL);

	cr_assert_eq(compose_raw_check(&raw, found, target, NULL), 0);
	cr_assert_str_eq(found + 1, path);
	free(path);
}

Test(entry, limits_of_names)
{
	taken_long(1, 255);
	refused_long(1, 256, "256 were given");
	taken_long(11, 92); /* 1 + 11 * 92 + 10 = 1,023 */
	refused_long(8, 127, "1024 were given");
	refused_long(100, 200, "a path in an image has a limit of 1023");
	taken_long(64, 1);
	refused_long(65, 1, "65 were given");
}

/* --- types --- */

Test(entry, refuses_devices)
{
	compose_raw raw = raw_of(COMPOSE_RAW_CHARACTER, "dev/null", NULL);

	refused_raw(&raw, HN_EENTRY, "character device");
	raw.type = COMPOSE_RAW_BLOCK;
	refused_raw(&raw, HN_EENTRY, "block device");
	raw.type = COMPOSE_RAW_FIFO;
	refused_raw(&raw, HN_EENTRY, "fifo");
	raw.type = COMPOSE_RAW_SOCKET;
	refused_raw(&raw, HN_EENTRY, "socket");
	raw.type = COMPOSE_RAW_OTHER;
	refused_raw(&raw, HN_EENTRY, "no type");
	raw.type = (compose_raw_type)0;
	refused_raw(&raw, HN_EENTRY, "no type");
	raw.type = (compose_raw_type)77;
	refused_raw(&raw, HN_EENTRY, "no type");
}

Test(entry, only_files_have_bodies_and_only_links_targets)
{
	compose_raw directory = raw_of(COMPOSE_RAW_DIRECTORY, "a", NULL);
	compose_raw file = raw_of(COMPOSE_RAW_FILE, "a", "b");
	compose_raw link = raw_of(COMPOSE_RAW_SYMLINK, "a", "");
	compose_raw hard = raw_of(COMPOSE_RAW_HARDLINK, "a", "b");

	directory.size = 1;
	refused_raw(&directory, HN_EENTRY, "only a regular file has a body");
	refused_raw(&file, HN_EENTRY, "only a link has a target");
	refused_raw(&link, HN_EENTRY, "its target: it is empty");
	hard.size = 5;
	refused_raw(&hard, HN_EENTRY, "only a regular file has a body");
}

Test(entry, a_file_of_4_gib_is_too_large)
{
	compose_raw raw = raw_of(COMPOSE_RAW_FILE, "a", NULL);

	raw.size = UINT64_C(1) << 50;
	refused_raw(&raw, HN_ELIMIT, "a file of an image");
	raw.size = UINT64_C(1) << 32;
	refused_raw(&raw, HN_ELIMIT, "a file of an image");
}

Test(entry, targets_of_symlinks_are_text)
{
	static const char *const targets[] = {
		"/etc/shadow", "../../../../x", "a\xc3\xa9", ".", "..", "//"};
	char path[COMPOSE_PATH_ROOM], target[COMPOSE_PATH_ROOM];

	for (size_t i = 0; i < BASE_COUNT(targets); i++) {
		compose_raw raw = raw_of(COMPOSE_RAW_SYMLINK, "l", targets[i]);

		cr_assert_eq(compose_raw_check(&raw, path, target, NULL), 0);
		cr_assert_str_eq(target, targets[i]);
	}
}

Test(entry, limits_of_targets)
{
	char *text = long_path(1, 1024);
	compose_raw raw = raw_of(COMPOSE_RAW_SYMLINK, "l", text);
	char path[COMPOSE_PATH_ROOM], target[COMPOSE_PATH_ROOM];

	refused_raw(&raw, HN_ELIMIT, "1024 were given");
	raw.target_size = 1023;
	cr_assert_eq(compose_raw_check(&raw, path, target, NULL), 0);
	cr_assert_eq(strlen(target), 1023);
	raw.target = "a\nb";
	raw.target_size = 3;
	refused_raw(&raw, HN_EENTRY, "its target: there is a control character");
	free(text);
}

Test(entry, targets_of_hard_links_are_names)
{
	compose_raw up = raw_of(COMPOSE_RAW_HARDLINK, "a", "../etc/shadow");
	compose_raw absolute = raw_of(COMPOSE_RAW_HARDLINK, "a", "/etc/shadow");
	compose_raw good = raw_of(COMPOSE_RAW_HARDLINK, "a", "./b//c");
	char path[COMPOSE_PATH_ROOM], target[COMPOSE_PATH_ROOM];

	refused_raw(&up, HN_EENTRY, "entry 'a' is refused: its target: '..' leads out");
	refused_raw(&absolute, HN_EENTRY, "entry 'a' is refused: its target is absolute");
	cr_assert_eq(compose_raw_check(&good, path, target, NULL), 0);
	cr_assert_str_eq(target, "/b/c");
}

/* --- attributes --- */

static compose_raw_xattr xattr_of(const char *name, const char *value)
{
	return (compose_raw_xattr){.name = name,
		.name_size = strlen(name),
		.value = (const uint8_t *)value,
		.size = strlen(value)};
}

Test(entry, only_xattrs_of_users)
{
	static const char *const names[] = {"trusted.overlay.opaque", "system.posix_acl_access",
		"security.selinux", "user.", "users.x", "", "security.capability2", "user.\n"};

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		compose_raw_xattr xattr = xattr_of(names[i], "y");
		compose_raw raw = raw_of(COMPOSE_RAW_FILE, "a", NULL);

		raw.xattrs = &xattr;
		raw.xattr_count = 1;
		refused_raw(&raw, HN_EENTRY, "extended attribute");
	}
}

Test(entry, limits_of_xattrs)
{
	compose_raw_xattr xattr = xattr_of("user.x", "");
	compose_raw raw = raw_of(COMPOSE_RAW_FILE, "a", NULL);
	char path[COMPOSE_PATH_ROOM], target[COMPOSE_PATH_ROOM];

	raw.xattrs = &xattr;
	raw.xattr_count = 1;
	xattr.size = 65530;
	cr_assert_eq(compose_raw_check(&raw, path, target, NULL), 0);
	xattr.size = 65531;
	refused_raw(&raw, HN_ELIMIT, "65537 were given");
}

Test(entry, numbers_are_modes_and_owners)
{
	compose_raw raw = raw_of(COMPOSE_RAW_FILE, "a", NULL);

	raw.mode = 010000;
	refused_raw(&raw, HN_EENTRY, "mode");
	raw.mode = 07777;
	raw.uid = UINT32_MAX;
	refused_raw(&raw, HN_EENTRY, "user or group id");
	raw.uid = 0;
	raw.gid = UINT64_MAX;
	refused_raw(&raw, HN_EENTRY, "user or group id");
}

Test(entry, ids_of_base_passwd)
{
	cr_assert(compose_uid_fixed(0) && compose_uid_fixed(33) && compose_uid_fixed(65534));
	cr_assert(compose_gid_fixed(42) && compose_gid_fixed(100) && compose_gid_fixed(65534));
	cr_assert_not(compose_uid_fixed(100));
	cr_assert_not(compose_uid_fixed(1000));
	cr_assert_not(compose_gid_fixed(101));
	cr_assert_not(compose_uid_fixed(256 + 33));
}

/* --- paths and globs of manifests --- */

Test(entry, paths_of_manifests)
{
	static const char *const wrong[] = {"usr", "", "//usr", "/usr/", "/a//b", "/a/./b",
		"/a/../b", "/.wh.x", "/a\nb", "/./"};

	cr_assert_eq(compose_path_check("/", NULL), 0);
	cr_assert_eq(compose_path_check("/usr/bin/x", NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(wrong); i++)
		cr_assert_eq(compose_path_check(wrong[i], NULL), HN_EENTRY, "%s", wrong[i]);
}

static const struct {
	const char *glob, *path;
	bool match;
} globs[] = {
	{"/usr/share/doc/**", "/usr/share/doc/nginx/copyright", true},
	{"/usr/share/doc/**", "/usr/share/doc", false},
	{"/usr/share/doc", "/usr/share/doc", true},
	{"/usr/share/doc", "/usr/share/doc/nginx", true},
	{"/usr/share/doc", "/usr/share/docs", false},
	{"/usr/share/doc", "/usr/share/do", false},
	{"/usr/*/doc", "/usr/share/doc", true},
	{"/usr/*/doc", "/usr/share/x/doc", false},
	{"/usr/**/doc", "/usr/share/x/doc", true},
	{"/usr/*", "/usr/a/b", true}, /* below what it means */
	{"/*.so", "/a.so", true},
	{"/*.so", "/b/a.so", false},
	{"**/*.so", "/b/a.so", true},
	{"**/*.so.?", "/b/a.so.1", false},
	{"**/a*b", "/x/acb", true},
	{"**/a*b", "/x/ac/b", false},
	{"**/a*b", "/x/ac/ab", true},
	{"**/a**b", "/x/ac/b", true},
	{"", "/x", true},
	{"/x", "/", false},
};

Test(entry, globs)
{
	/* The empty glob means the root; schemas refuse it. */
	for (size_t i = 0; i < BASE_COUNT(globs); i++)
		cr_assert_eq(compose_glob_match(globs[i].glob, globs[i].path), globs[i].match,
			"'%s' of '%s'", globs[i].glob, globs[i].path);
}

/* --- beside each other --- */

/* Adds until one is refused: that is to be the last one. */
static void refused_last(const compose_reading *how, const compose_raw *raws, size_t count,
	hn_code wanted, const char *why)
{
	compose_collector *collector = NULL;
	hn_error *err = NULL;
	int code = 0;

	cr_assert_eq(compose_collector_new(how, 0, &collector, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		code = add_to(collector, raws[i], &err);
		cr_assert_eq(code, i + 1 < count ? 0 : (int)wanted, "entry %zu gave %d: %s", i,
			code, err != NULL ? hn_error_message(err) : "");
	}
	cr_assert_not_null(strstr(hn_error_message(err), why), "'%s'", hn_error_message(err));
	cr_assert_geq(fact_entry(err), 0);
	hn_error_unref(err);
	compose_collector_free(collector);
}

static compose_layer *layer_of(const compose_reading *how, const compose_raw *raws, size_t count)
{
	compose_collector *collector = NULL;
	compose_layer *layer = NULL;
	hn_error *err = NULL;

	cr_assert_eq(compose_collector_new(how, 0, &collector, NULL), 0);
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(add_to(collector, raws[i], &err), 0, "%s", hn_error_message(err));
	cr_assert_eq(compose_collector_finish(collector, &layer, NULL), 0);
	compose_collector_free(collector);
	return layer;
}

Test(entry, entries_are_sorted_by_bytes_and_parents_are_not_invented)
{
	const compose_raw raws[] = {raw_of(COMPOSE_RAW_FILE, "b/c", NULL),
		raw_of(COMPOSE_RAW_FILE, "b-", NULL), raw_of(COMPOSE_RAW_DIRECTORY, "./", NULL)};
	compose_layer *layer = layer_of(&plain_reading, raws, 3);

	cr_assert_eq(layer->count, 3);
	cr_assert_str_eq(layer->entries[0].path, "/");
	cr_assert_str_eq(layer->entries[1].path, "/b-");
	cr_assert_str_eq(layer->entries[2].path, "/b/c");
	cr_assert_eq(layer->entries[2].content.bytes[0], 7);
	compose_layer_free(layer);
}

Test(entry, symlink_then_write_below_it)
{
	const compose_raw raws[] = {raw_of(COMPOSE_RAW_SYMLINK, "x", "/etc"),
		raw_of(COMPOSE_RAW_FILE, "x/passwd", NULL)};
	const compose_raw deep[] = {raw_of(COMPOSE_RAW_SYMLINK, "a/x", "/etc"),
		raw_of(COMPOSE_RAW_FILE, "a/x/b/c", NULL)};
	const compose_raw after[] = {raw_of(COMPOSE_RAW_FILE, "x/passwd", NULL),
		raw_of(COMPOSE_RAW_SYMLINK, "x", "/etc")};

	refused_last(&plain_reading, raws, 2, HN_EENTRY, "/x above it is a symbolic link");
	refused_last(&plain_reading, deep, 2, HN_EENTRY, "/a/x above it is a symbolic link");
	refused_last(&plain_reading, after, 2, HN_EENTRY, "other entries of the same payload");
}

Test(entry, below_an_alias_of_the_base)
{
	const compose_alias aliases[] = {{"/lib", "usr/lib"}};
	const compose_reading how = {.payload = &plain, .aliases = aliases, .alias_count = 1};
	const compose_raw raws[] = {raw_of(COMPOSE_RAW_SYMLINK, "lib", "usr/lib"),
		raw_of(COMPOSE_RAW_FILE, "lib/a", NULL)};
	const compose_raw turned[] = {raw_of(COMPOSE_RAW_FILE, "lib/a", NULL),
		raw_of(COMPOSE_RAW_SYMLINK, "lib", "usr/lib")};
	const compose_raw other[] = {raw_of(COMPOSE_RAW_SYMLINK, "lib", "usr/lib64"),
		raw_of(COMPOSE_RAW_FILE, "lib/a", NULL)};
	const compose_raw longer[] = {raw_of(COMPOSE_RAW_SYMLINK, "lib2", "usr/lib"),
		raw_of(COMPOSE_RAW_FILE, "lib2/a", NULL)};
	compose_layer *layer = layer_of(&how, raws, 2);

	cr_assert_eq(layer->count, 2);
	compose_layer_free(layer);
	layer = layer_of(&how, turned, 2);
	cr_assert_eq(layer->count, 2);
	compose_layer_free(layer);
	refused_last(&how, other, 2, HN_EENTRY, "symbolic link");
	refused_last(&how, longer, 2, HN_EENTRY, "symbolic link");
}

Test(entry, below_a_file)
{
	const compose_raw raws[] = {
		raw_of(COMPOSE_RAW_FILE, "a", NULL), raw_of(COMPOSE_RAW_FILE, "a/b", NULL)};
	const compose_raw turned[] = {
		raw_of(COMPOSE_RAW_FILE, "a/b", NULL), raw_of(COMPOSE_RAW_FILE, "a", NULL)};

	refused_last(&plain_reading, raws, 2, HN_EENTRY, "/a above it is no directory");
	refused_last(&plain_reading, turned, 2, HN_EENTRY, "other entries");
}

Test(entry, the_same_path_twice)
{
	const compose_raw raws[] = {
		raw_of(COMPOSE_RAW_FILE, "a", NULL), raw_of(COMPOSE_RAW_FILE, "./a", NULL)};
	const compose_raw types[] = {
		raw_of(COMPOSE_RAW_DIRECTORY, "a", NULL), raw_of(COMPOSE_RAW_SYMLINK, "a", "b")};
	compose_raw directories[] = {raw_of(COMPOSE_RAW_DIRECTORY, "a", NULL),
		raw_of(COMPOSE_RAW_DIRECTORY, "a/", NULL)};
	compose_layer *layer;

	refused_last(&plain_reading, raws, 2, HN_EDUPLICATE, "there twice");
	refused_last(&plain_reading, types, 2, HN_EDUPLICATE, "there twice");
	layer = layer_of(&plain_reading, directories, 2);
	cr_assert_eq(layer->count, 1);
	compose_layer_free(layer);
	directories[1].mode = 0700;
	refused_last(&plain_reading, directories, 2, HN_EDUPLICATE, "another mode or owner");
}

Test(entry, hard_links)
{
	const compose_raw later[] = {
		raw_of(COMPOSE_RAW_HARDLINK, "b", "a"), raw_of(COMPOSE_RAW_FILE, "a", NULL)};
	const compose_raw symlink[] = {
		raw_of(COMPOSE_RAW_SYMLINK, "a", "x"), raw_of(COMPOSE_RAW_HARDLINK, "b", "a")};
	const compose_raw directory[] = {
		raw_of(COMPOSE_RAW_DIRECTORY, "a", NULL), raw_of(COMPOSE_RAW_HARDLINK, "b", "a")};
	const compose_raw implied[] = {
		raw_of(COMPOSE_RAW_FILE, "a/x", NULL), raw_of(COMPOSE_RAW_HARDLINK, "b", "a")};
	const compose_raw chain[] = {raw_of(COMPOSE_RAW_FILE, "a", NULL),
		raw_of(COMPOSE_RAW_HARDLINK, "b", "a"), raw_of(COMPOSE_RAW_HARDLINK, "c", "b")};
	const compose_raw self[] = {raw_of(COMPOSE_RAW_HARDLINK, "a", "a")};

	refused_last(&plain_reading, later, 1, HN_EENTRY, "no earlier entry");
	refused_last(&plain_reading, symlink, 2, HN_EENTRY, "no regular file");
	refused_last(&plain_reading, directory, 2, HN_EENTRY, "no regular file");
	refused_last(&plain_reading, implied, 2, HN_EENTRY, "no earlier entry");
	refused_last(&plain_reading, chain, 3, HN_EENTRY, "no regular file");
	refused_last(&plain_reading, self, 1, HN_EENTRY, "no earlier entry");
}

/* Hard links across payloads: each payload has a collector of its own. */
Test(entry, hard_link_to_another_payload)
{
	const compose_raw first[] = {raw_of(COMPOSE_RAW_FILE, "a", NULL)};
	const compose_raw second[] = {raw_of(COMPOSE_RAW_HARDLINK, "b", "a")};
	compose_layer *layer = layer_of(&plain_reading, first, 1);

	refused_last(&plain_reading, second, 1, HN_EENTRY, "same payload");
	compose_layer_free(layer);
}

Test(entry, a_hard_link_has_the_mode_and_owner_of_its_file)
{
	compose_raw raws[] = {
		raw_of(COMPOSE_RAW_FILE, "a", NULL), raw_of(COMPOSE_RAW_HARDLINK, "b", "a")};
	compose_layer *layer;

	raws[0].mode = 0600;
	raws[0].uid = 33;
	raws[0].gid = 42;
	raws[1].mode = 06755;
	layer = layer_of(&plain_reading, raws, 2);
	cr_assert_eq(layer->entries[1].mode, 0600);
	cr_assert_eq(layer->entries[1].uid, 33);
	cr_assert_eq(layer->entries[1].gid, 42);
	cr_assert_str_eq(layer->entries[1].target, "/a");
	cr_assert_eq(layer->remark_count, 0);
	compose_layer_free(layer);
}

/* --- owners, privileges, exclude --- */

Test(entry, owners_must_be_declared)
{
	const compose_user users[] = {{.name = "app", .uid = 900, .gid = 901}};
	const compose_reading how = {.payload = &plain, .users = users, .user_count = 1};
	compose_raw raw = raw_of(COMPOSE_RAW_FILE, "a", NULL);

	raw.uid = 900;
	refused_last(&plain_reading, &raw, 1, HN_EENTRY, "user 900");
	raw.gid = 901;
	compose_layer_free(layer_of(&how, &raw, 1));
	raw.gid = 902;
	refused_last(&how, &raw, 1, HN_EENTRY, "group 902");
	raw.uid = 901; /* a group is no user */
	refused_last(&how, &raw, 1, HN_EENTRY, "user 901");
}

Test(entry, setuid_is_dropped_and_told)
{
	static const char *const allowed[] = {"/bin/su"};
	const compose_payload listing = {
		.kind = COMPOSE_PAYLOAD_TAR, .setuid = allowed, .setuid_count = 1};
	const compose_reading how = {.payload = &listing};
	compose_raw raws[] = {raw_of(COMPOSE_RAW_FILE, "bin/su", NULL),
		raw_of(COMPOSE_RAW_DIRECTORY, "mail", NULL)};
	compose_layer *layer;

	raws[0].mode = 06755;
	raws[1].mode = 03775;
	layer = layer_of(&how, raws, 2);
	cr_assert_eq(layer->entries[0].mode, 06755);
	cr_assert_eq(layer->entries[1].mode, 01775);
	cr_assert_eq(layer->remark_count, 1);
	cr_assert_str_eq(layer->remarks[0], "dropped setgid of /mail");
	compose_layer_free(layer);
	layer = layer_of(&plain_reading, raws, 1);
	cr_assert_eq(layer->entries[0].mode, 0755);
	cr_assert_eq(layer->remark_count, 2);
	cr_assert_str_eq(layer->remarks[0], "dropped setuid of /bin/su");
	cr_assert_str_eq(layer->remarks[1], "dropped setgid of /bin/su");
	compose_layer_free(layer);
}

Test(entry, file_capabilities_are_dropped_and_told)
{
	static const char *const allowed[] = {"/bin/ping"};
	const compose_payload listing = {
		.kind = COMPOSE_PAYLOAD_TAR, .setuid = allowed, .setuid_count = 1};
	const compose_reading how = {.payload = &listing};
	const compose_raw_xattr xattrs[] = {xattr_of("user.z", "1"),
		xattr_of("security.capability", "cap"), xattr_of("user.a", "")};
	compose_raw raw = raw_of(COMPOSE_RAW_FILE, "bin/ping", NULL);
	compose_layer *layer;

	raw.xattrs = xattrs;
	raw.xattr_count = 3;
	layer = layer_of(&plain_reading, &raw, 1);
	cr_assert_eq(layer->entries[0].xattr_count, 2);
	cr_assert_str_eq(layer->entries[0].xattrs[0].name, "user.a");
	cr_assert_eq(layer->entries[0].xattrs[0].size, 0);
	cr_assert_str_eq(layer->entries[0].xattrs[1].name, "user.z");
	cr_assert_str_eq(layer->remarks[0], "dropped the file capability of /bin/ping");
	compose_layer_free(layer);
	layer = layer_of(&how, &raw, 1);
	cr_assert_eq(layer->entries[0].xattr_count, 3);
	cr_assert_str_eq(layer->entries[0].xattrs[0].name, "security.capability");
	cr_assert_eq(layer->remark_count, 0);
	compose_layer_free(layer);
	raw.xattrs = xattrs + 1;
	raw.xattr_count = 1;
	layer = layer_of(&plain_reading, &raw, 1);
	cr_assert_null(layer->entries[0].xattrs);
	compose_layer_free(layer);
}

Test(entry, xattrs_twice_or_of_a_hard_link)
{
	const compose_raw_xattr xattrs[] = {xattr_of("user.z", "1"), xattr_of("user.z", "2")};
	const compose_raw_xattr capabilities[] = {
		xattr_of("security.capability", "1"), xattr_of("security.capability", "2")};
	compose_raw raws[] = {
		raw_of(COMPOSE_RAW_FILE, "a", NULL), raw_of(COMPOSE_RAW_HARDLINK, "b", "a")};

	raws[1].xattrs = xattrs;
	raws[1].xattr_count = 1;
	refused_last(&plain_reading, raws, 2, HN_EENTRY, "no extended attributes of its own");
	raws[0].xattrs = xattrs;
	raws[0].xattr_count = 2;
	refused_last(&plain_reading, raws, 1, HN_EDUPLICATE, "user.z is there twice");
	raws[0].xattrs = capabilities;
	refused_last(&plain_reading, raws, 1, HN_EDUPLICATE, "security.capability is there twice");
}

Test(entry, the_order_of_attributes_is_none_of_the_layer)
{
	const compose_raw_xattr one[] = {xattr_of("user.a", "1"), xattr_of("user.b", "2"),
		xattr_of("security.capability", "3")};
	const compose_raw_xattr other[] = {one[2], one[1], one[0]};
	static const char *const listed[] = {"/x"};
	const compose_payload payload = {
		.kind = COMPOSE_PAYLOAD_TAR, .setuid = listed, .setuid_count = 1};
	const compose_reading how = {.payload = &payload};
	compose_raw raw = raw_of(COMPOSE_RAW_FILE, "x", NULL);
	compose_layer *first, *second;

	raw.xattrs = one;
	raw.xattr_count = 3;
	first = layer_of(&how, &raw, 1);
	raw.xattrs = other;
	second = layer_of(&how, &raw, 1);
	cr_assert_eq(first->entries[0].xattr_count, 3);
	cr_assert(compose_digest_equal(&first->digest, &second->digest));
	compose_layer_free(first);
	compose_layer_free(second);
}

Test(entry, exclude_leaves_out)
{
	static const char *const globs_of[] = {"/usr/share/doc/**", "**/*.mo"};
	const compose_payload payload = {
		.kind = COMPOSE_PAYLOAD_TAR, .exclude = globs_of, .exclude_count = 2};
	const compose_reading how = {.payload = &payload};
	compose_raw raws[] = {raw_of(COMPOSE_RAW_FILE, "usr/share/doc/a", NULL),
		raw_of(COMPOSE_RAW_FILE, "x/de.mo", NULL), raw_of(COMPOSE_RAW_FILE, "b", NULL)};
	const compose_raw link[] = {raw_of(COMPOSE_RAW_FILE, "x/de.mo", NULL),
		raw_of(COMPOSE_RAW_HARDLINK, "y", "x/de.mo")};
	const compose_raw both[] = {raw_of(COMPOSE_RAW_FILE, "x/de.mo", NULL),
		raw_of(COMPOSE_RAW_HARDLINK, "y/de.mo", "x/de.mo")};
	compose_layer *layer;

	raws[0].mode = 04755; /* nobody need hear of it */
	raws[0].uid = 12345;
	layer = layer_of(&how, raws, 3);
	cr_assert_eq(layer->count, 1);
	cr_assert_str_eq(layer->entries[0].path, "/b");
	cr_assert_eq(layer->remark_count, 0);
	compose_layer_free(layer);
	refused_last(&how, link, 2, HN_EENTRY, "exclude leaves out its target");
	layer = layer_of(&how, both, 2);
	cr_assert_eq(layer->count, 0);
	compose_layer_free(layer);
	/* What is left out is still there to be met twice. */
	raws[1] = raws[0];
	refused_last(&how, raws, 2, HN_EDUPLICATE, "twice");
}
