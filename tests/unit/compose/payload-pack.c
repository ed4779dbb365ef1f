/* SPDX-License-Identifier: MIT
 *
 * Directories that become payloads, with somebody at work in them; and what such a payload is read
 * into, by the real program in its sandbox.
 */
#include "layouts.h"
#include "payload-place.h"
#include <errno.h>

static void make_tree(const place *at)
{
	cr_assert_eq(os_mkdirs(at->os, path_in(at, "tree/usr/bin"), 0755, NULL), 0);
	write_file(at, "tree/usr/bin/x", "x\n", 0755);
	write_file(at, "tree/empty", "", 0600);
	cr_assert_eq(symlink("bin/x", path_in(at, "tree/usr/y")), 0);
}

static int add_packed(void *arg, const void *data, size_t size, hn_error **err)
{
	(void)err;
	add_bytes(arg, data, size);
	return 0;
}

static int pack_tree(const place *at, hn_os *os, bytes *tar, hn_error **err)
{
	char directory[512];
	compose_packing how = {.kind = COMPOSE_PAYLOAD_TREE, .directory = directory};
	compose_tar to = {.write = add_packed, .arg = tar};
	int code;

	snprintf(directory, sizeof(directory), "%s", path_in(at, "tree"));
	code = compose_pack(os, &how, &to, err);
	cr_assert_eq(tar->size, to.size);
	return code;
}

#ifdef HN_HAVE_ARCHIVE
Test(pack, a_directory_becomes_a_payload)
{
	place at = open_place();
	compose_layer *layer = NULL;
	compose_payload payload;
	hn_error *err = NULL;
	bytes tar = {0};
	bool cached;

	make_tree(&at);
	cr_assert_eq(chmod(path_in(&at, "tree/usr/bin/x"), 04755), 0);
	cr_assert_eq(pack_tree(&at, at.os, &tar, &err), 0, "%s", hn_error_message(err));
	payload = put(&at, COMPOSE_PAYLOAD_TREE, tar.data, tar.size);
	cr_assert_eq(layer_by(&at, TEST_PARSER, &payload, &layer, &cached, &err), 0, "%s",
		hn_error_message(err));
	cr_assert_eq(layer->count, 6);
	cr_assert_eq(entry_of(layer, "/usr/bin/x")->mode, 0755);
	cr_assert_str_eq(layer->remarks[0], "dropped setuid of /usr/bin/x");
	cr_assert_eq(entry_of(layer, "/usr/bin/x")->uid, 0);
	cr_assert_eq(entry_of(layer, "/empty")->mode, 0600);
	cr_assert_str_eq(entry_of(layer, "/usr/y")->target, "bin/x");
	cr_assert(compose_store_has(at.store, &entry_of(layer, "/usr/bin/x")->content));
	compose_layer_free(layer);
	free(tar.data);
	leave(&at);
}

/* Names that have no room in the head of a tar, or are not ASCII. */
Test(pack, a_directory_with_long_names)
{
	place at = open_place();
	char name[201] = "", path[256], target[301] = "";
	compose_layer *layer = NULL;
	compose_payload payload;
	bytes tar = {0};
	bool cached;

	make_tree(&at);
	memset(name, 'n', sizeof(name) - 1);
	memset(target, 't', sizeof(target) - 1);
	snprintf(path, sizeof(path), "tree/%s", name);
	write_file(&at, path, "long\n", 0644);
	write_file(&at, "tree/gr\xc3\xbc\xc3\x9f", "short\n", 0644);
	cr_assert_eq(symlink(target, path_in(&at, "tree/link")), 0);
	cr_assert_eq(pack_tree(&at, at.os, &tar, NULL), 0);
	payload = put(&at, COMPOSE_PAYLOAD_TREE, tar.data, tar.size);
	cr_assert_eq(layer_by(&at, TEST_PARSER, &payload, &layer, &cached, NULL), 0);
	snprintf(path, sizeof(path), "/%s", name);
	cr_assert_eq(entry_of(layer, path)->size, 5);
	cr_assert_eq(entry_of(layer, "/gr\xc3\xbc\xc3\x9f")->size, 6);
	cr_assert_str_eq(entry_of(layer, "/link")->target, target);
	compose_layer_free(layer);
	free(tar.data);
	leave(&at);
}
#endif

/* Neither the time nor the order in which names were made. */
Test(pack, equal_directories_give_equal_bytes)
{
	place at = open_place(), other = open_place();
	bytes one = {0}, two = {0};

	make_tree(&at);
	write_file(&at, "tree/a", "a", 0644);
	cr_assert_eq(os_mkdirs(other.os, path_in(&other, "tree"), 0755, NULL), 0);
	write_file(&other, "tree/a", "a", 0644);
	make_tree(&other);
	cr_assert_eq(pack_tree(&at, at.os, &one, NULL), 0);
	cr_assert_eq(pack_tree(&other, other.os, &two, NULL), 0);
	cr_assert_eq(one.size, two.size);
	cr_assert_eq(memcmp(one.data, two.data, one.size), 0);
	cr_assert_eq(one.size % 512, 0);
	free(one.data);
	free(two.data);
	leave(&other);
	leave(&at);
}

static void refused_tree(const place *at, hn_os *os, hn_code wanted, const char *why)
{
	hn_error *err = NULL;
	bytes tar = {0};
	int code = pack_tree(at, os, &tar, &err);

	cr_assert_eq(code, (int)wanted, "%d instead of %d: %s", code, (int)wanted,
		err != NULL ? hn_error_message(err) : "");
	cr_assert_not_null(
		strstr(hn_error_message(err), why), "'%s' has no '%s'", hn_error_message(err), why);
	hn_error_unref(err);
	free(tar.data);
}

Test(pack, a_directory_with_what_no_image_has)
{
	place at = open_place();

	make_tree(&at);
	cr_assert_eq(mkfifo(path_in(&at, "tree/fifo"), 0644), 0);
	refused_tree(&at, at.os, HN_EENTRY, "entry 'fifo' is refused: it is a fifo");
	unlink(path_in(&at, "tree/fifo"));
	write_file(&at, "tree/.wh.x", "", 0644);
	refused_tree(&at, at.os, HN_EENTRY, "entry '.wh.x' is refused: a name that begins with");
	unlink(path_in(&at, "tree/.wh.x"));
	write_file(&at, "tree/a\nb", "", 0644);
	refused_tree(&at, at.os, HN_EENTRY, "control character");
	leave(&at);
}

Test(pack, a_directory_that_is_none)
{
	place at = open_place();

	refused_tree(&at, at.os, HN_ENOENT, "cannot read");
	write_file(&at, "tree", "", 0644);
	refused_tree(&at, at.os, HN_EINVAL, "is no directory");
	leave(&at);
}

/* Our system, with somebody at work beside us. */
static struct {
	hn_os os;
	hn_os_ops ops;
	const place *at;
	void (*once)(const place *at);
} beside;

static ssize_t pread_beside(hn_os *os, int fd, void *to, size_t size, off_t offset)
{
	void (*act)(const place *at) = beside.once;
	ssize_t got = hn_os_real()->ops->pread(os, fd, to, size, offset);

	beside.once = NULL;
	if (act != NULL)
		act(beside.at);
	return got;
}

static int list_beside(
	hn_os *os, const char *path, int (*each)(void *arg, const char *name), void *arg)
{
	int code = hn_os_real()->ops->list(os, path, each, arg);
	void (*act)(const place *at) = beside.once;

	beside.once = NULL;
	if (act != NULL)
		act(beside.at);
	return code;
}

static hn_os *with(const place *at, bool at_list, void (*act)(const place *at))
{
	beside.ops = *hn_os_real()->ops;
	if (at_list)
		beside.ops.list = list_beside;
	else
		beside.ops.pread = pread_beside;
	beside.os.ops = &beside.ops;
	beside.at = at;
	beside.once = act;
	return &beside.os;
}

static void grow(const place *at)
{
	FILE *file = fopen(path_in(at, "tree/usr/bin/x"), "a");

	cr_assert_not_null(file);
	fputs("more", file);
	fclose(file);
}

static void replace(const place *at)
{
	cr_assert_eq(unlink(path_in(at, "tree/usr/bin/x")), 0);
	write_file(at, "tree/usr/bin/x", "z\n", 0755);
}

static void vanish(const place *at)
{
	cr_assert_eq(unlink(path_in(at, "tree/empty")), 0);
}

static void lead_away(const place *at)
{
	cr_assert_eq(unlink(path_in(at, "tree/empty")), 0);
	cr_assert_eq(symlink("/etc/passwd", path_in(at, "tree/empty")), 0);
}

static void shrink(const place *at)
{
	cr_assert_eq(truncate(path_in(at, "tree/usr/bin/x"), 0), 0);
}

Test(pack, a_file_that_changes_while_it_is_read)
{
	void (*const acts[])(const place *) = {grow, replace, shrink};

	for (size_t i = 0; i < BASE_COUNT(acts); i++) {
		place at = open_place();

		make_tree(&at);
		refused_tree(&at, with(&at, false, acts[i]), HN_ECHANGED, "usr/bin/x changed");
		leave(&at);
	}
}

Test(pack, a_name_that_vanishes_while_it_is_read)
{
	place at = open_place();

	make_tree(&at);
	refused_tree(&at, with(&at, true, vanish), HN_ECHANGED, "empty changed");
	leave(&at);
}

/* Never what it leads to, were it only for a moment. */
Test(pack, a_name_that_becomes_a_symlink)
{
	place at = open_place();

	make_tree(&at);
	refused_tree(&at, with(&at, true, lead_away), HN_ECHANGED, "tree changed while");
	leave(&at);
}

static void add_one(const place *at)
{
	write_file(at, "tree/usr/new", "", 0644);
}

Test(pack, a_directory_that_changes_while_it_is_read)
{
	place at = open_place();

	make_tree(&at);
	refused_tree(&at, with(&at, false, add_one), HN_ECHANGED, "tree/usr changed while");
	leave(&at);
}

static int open_elsewhere(
	hn_os *os, const char *directory, const char *path, int flags, mode_t mode)
{
	return strcmp(path, "usr/bin") == 0
		       ? -EXDEV
		       : hn_os_real()->ops->open_beneath(os, directory, path, flags, mode);
}

Test(pack, a_directory_where_another_is_mounted)
{
	place at = open_place();

	make_tree(&at);
	beside.ops = *hn_os_real()->ops;
	beside.ops.open_beneath = open_elsewhere;
	beside.os.ops = &beside.ops;
	refused_tree(&at, &beside.os, HN_EENTRY, "'usr/bin' is refused: another file system");
	leave(&at);
}

Test(pack, reading_a_directory_is_cancelled)
{
	place at = open_place();
	hn_cancel *cancel = NULL;
	char directory[512];
	compose_packing how = {.directory = directory};
	bytes tar = {0};
	compose_tar to = {.write = add_packed, .arg = &tar};

	make_tree(&at);
	snprintf(directory, sizeof(directory), "%s", path_in(&at, "tree"));
	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	hn_cancel_trigger(cancel);
	how.cancel = cancel;
	cr_assert_eq(compose_pack(at.os, &how, &to, NULL), HN_ECANCELLED);
	hn_cancel_unref(cancel);
	free(tar.data);
	leave(&at);
}

/* Whoever may read a tar reads ours: names, modes and bodies are where POSIX has them. */
Test(pack, a_directory_of_the_simulated_system)
{
	compose_packing how = {.kind = COMPOSE_PAYLOAD_TREE, .directory = "/tree"};
	bytes tar = {0}, wanted = {0};
	compose_tar to = {.write = add_packed, .arg = &tar};
	hn_error *err = NULL;
	hn_os *os = NULL;
	struct stat status;
	unsigned modes[3];
	static const char *const names[] = {"/tree", "/tree/a", "/tree/a/b"};

	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, "/tree/a/b", "x", 1, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		cr_assert_eq(os->ops->stat(os, names[i], &status), 0);
		modes[i] = status.st_mode & 07777;
	}
	cr_assert_eq(compose_pack(os, &how, &to, &err), 0, "%s", hn_error_message(err));
	tar_add(&wanted, (member){.name = "./", .type = '5', .mode = modes[0]});
	tar_add(&wanted, (member){.name = "a/", .type = '5', .mode = modes[1]});
	tar_add(&wanted, (member){.name = "a/b", .type = '0', .mode = modes[2], .body = "x"});
	tar_end(&wanted);
	cr_assert_eq(tar.size, wanted.size);
	cr_assert_eq(memcmp(tar.data, wanted.data, tar.size), 0);
	free(tar.data);
	free(wanted.data);
	hn_os_sim_free(os);
}

/* --- image layouts --- */

#ifdef HN_HAVE_ARCHIVE
/* The files of a tar, as they are. */
static void lay_out(const place *at, const bytes *tar)
{
	char path[256];

	cr_assert_eq(os_mkdirs(at->os, path_in(at, "tree/blobs/sha256"), 0700, NULL), 0);
	for (size_t here = 0; tar->data[here] != '\0';) {
		size_t size = strtoul(tar->data + here + 124, NULL, 8);

		snprintf(path, sizeof(path), "tree/%.100s", tar->data + here);
		cr_assert_eq(os_write_file(at->os, path_in(at, path), tar->data + here + 512, size,
				     0600, NULL),
			0);
		here += 512 + (size + 511) / 512 * 512;
	}
}

static bytes an_image(void)
{
	bytes tars[2] = {{0}, {0}}, layout;

	tar_add(&tars[0], (member){.name = "etc/", .type = '5'});
	tar_add(&tars[0], (member){.name = "etc/motd", .type = '0', .body = "hello\n"});
	tar_end(&tars[0]);
	tar_add(&tars[1], (member){.name = "etc/.wh.motd", .type = '0', .body = ""});
	tar_add(&tars[1], (member){.name = "etc/issue", .type = '0', .body = "there\n"});
	tar_end(&tars[1]);
	layout = oci_layout(tars, 2, "gzip", NULL);
	free(tars[0].data);
	free(tars[1].data);
	return layout;
}

static int pack_layout(const place *at, bytes *tar, hn_error **err)
{
	char directory[512];
	compose_packing how = {.kind = COMPOSE_PAYLOAD_OCI, .directory = directory};
	compose_tar to = {.write = add_packed, .arg = tar};

	snprintf(directory, sizeof(directory), "%s", path_in(at, "tree"));
	return compose_pack(at->os, &how, &to, err);
}

/* By the real program, in its sandbox. */
Test(pack, an_image_layout_becomes_a_payload)
{
	place at = open_place();
	bytes layout = an_image(), tar = {0}, other = {0};
	compose_layer *layer = NULL;
	compose_payload payload;
	hn_error *err = NULL;
	bool cached;

	lay_out(&at, &layout);
	cr_assert_eq(pack_layout(&at, &tar, &err), 0, "%s", hn_error_message(err));
	payload = put(&at, COMPOSE_PAYLOAD_OCI, tar.data, tar.size);
	payload.platform = "x86_64-linux";
	cr_assert_eq(layer_by(&at, TEST_PARSER, &payload, &layer, &cached, &err), 0, "%s",
		hn_error_message(err));
	cr_assert_eq(layer->count, 2);
	cr_assert_eq(entry_of(layer, "/etc/issue")->size, 6);
	compose_layer_free(layer);
	layer = NULL;
	payload.platform = "aarch64-linux";
	cr_assert_eq(layer_by(&at, TEST_PARSER, &payload, &layer, &cached, &err), HN_EENTRY);
	cr_assert_not_null(strstr(hn_error_message(err), "no image for aarch64-linux"));
	hn_error_unref(err);
	/* how its files are kept is nothing of the image's */
	cr_assert_eq(chmod(path_in(&at, "tree/index.json"), 0640), 0);
	cr_assert_eq(pack_layout(&at, &other, NULL), 0);
	cr_assert_eq(tar.size, other.size);
	cr_assert_eq(memcmp(tar.data, other.data, tar.size), 0);
	free(tar.data);
	free(other.data);
	free(layout.data);
	leave(&at);
}

Test(pack, a_directory_that_is_no_image_layout)
{
	place at = open_place();
	hn_error *err = NULL;
	bytes tar = {0};

	make_tree(&at);
	cr_assert_eq(pack_layout(&at, &tar, &err), HN_EINVAL);
	cr_assert_not_null(strstr(
		hn_error_message(err), "tree is no image layout: it has no file 'oci-layout'"));
	hn_error_unref(err);
	free(tar.data);
	leave(&at);
}
#endif
