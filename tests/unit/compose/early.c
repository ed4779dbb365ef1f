/* SPDX-License-Identifier: MIT
 *
 * The part of a tree that is in memory when its root is a disk.
 */
#include "tree-helper.h"

#define DRIVERS "/usr/lib/modules/6.1.0/kernel/drivers/"
#define SHORT "/lib/modules/6.1.0/kernel/drivers/"

static const char *const wanted[] = {"virtio_blk", "squashfs", "overlay"};

static const compose_alias aliases[] = {
	{"/bin", "usr/bin"}, {"/lib", "usr/lib"}, {"/sbin", "usr/sbin"}};

/* A base whose first program is a script, with a static shell. */
static world *base(const char *const *modules, size_t count)
{
	world *w = world_new();
	compose_manifest *manifest = component(w, "base", COMPOSE_BASE_OS);
	made_elf busybox;

	manifest->aliases = aliases;
	manifest->alias_count = BASE_COUNT(aliases);
	manifest->modules = modules;
	manifest->module_count = count;
	make_elf(&busybox, NULL, NULL, 0, NULL);
	body(w, "/usr/bin/busybox", 0755, busybox.bytes, busybox.size);
	symlink_to(w, "/usr/bin/sh", "busybox");
	symlink_to(w, "/usr/sbin/init", "../bin/busybox");
	file(w, "/init", 0755, "#! /bin/sh -e\nexec /sbin/init\n");
	directory(w, "/dev", 0755);
	directory(w, "/proc", 0555);
	directory(w, "/sys", 0555);
	directory(w, "/var", 0755);
	return w;
}

static void drivers(world *w)
{
	module(w, SHORT "virtio.ko", "");
	module(w, SHORT "virtio_blk.ko", "virtio");
	module(w, SHORT "squashfs.ko", "");
	module(w, SHORT "overlay.ko", "");
}

static int early(world *w, compose_tree **made)
{
	merges(w);
	hn_error_unref(w->err);
	w->err = NULL;
	return compose_tree_early(w->store, w->tree, made, &w->err);
}

static compose_tree *early_of(world *w)
{
	compose_tree *made = NULL;
	int rc = early(w, &made);

	cr_assert_eq(rc, 0, "%s", w->err == NULL ? "" : hn_error_message(w->err));
	return made;
}

static void has_no_way(world *w, hn_code code, const char *text)
{
	compose_tree *made = NULL;
	int rc = early(w, &made);

	cr_assert_eq(rc, (int)code, "%d", rc);
	cr_assert_null(made);
	SAYS(w, text);
}

static const compose_node *in(const compose_tree *tree, const char *path)
{
	const compose_node *node = compose_tree_find(tree, path);

	cr_assert_not_null(node, "%s", path);
	return node;
}

Test(early, has_what_finds_the_root_and_nothing_else)
{
	static const char *const paths[] = {"/", "/bin", "/dev", "/init", "/lib", "/proc", "/sys",
		"/usr", "/usr/bin", "/usr/bin/busybox", "/usr/bin/sh", "/usr/lib",
		"/usr/lib/hypernix", "/usr/lib/hypernix/modules", "/usr/lib/modules",
		"/usr/lib/modules/6.1.0", "/usr/lib/modules/6.1.0/kernel",
		"/usr/lib/modules/6.1.0/kernel/drivers", DRIVERS "overlay.ko",
		DRIVERS "squashfs.ko", DRIVERS "virtio.ko", DRIVERS "virtio_blk.ko"};
	world *w = base(wanted, 3);
	compose_tree *made;

	drivers(w);
	made = early_of(w);
	for (size_t i = 0; i < BASE_COUNT(paths) && i < made->count; i++)
		cr_assert_str_eq(made->nodes[i].entry.path, paths[i]);
	cr_assert_eq(made->count, BASE_COUNT(paths));
	compose_tree_free(made);
	world_free(w);
}

/* That is how /init knows that it is not the whole image. */
Test(early, has_no_init_of_the_root)
{
	world *w = base(NULL, 0);
	compose_tree *made = early_of(w);

	at(w, "/usr/sbin/init");
	cr_assert_null(compose_tree_find(made, "/usr/sbin/init"));
	compose_tree_free(made);
	world_free(w);
}

Test(early, takes_one_name_of_a_file_with_several)
{
	world *w = base(NULL, 0);
	compose_tree *made;
	const compose_node *node;

	file(w, "/opt/a", 0755, "#!/bin/sh\n");
	hardlink(w, "/opt/b", "/opt/a");
	w->entries[0][0].path = "/opt/c"; /* busybox has other names, too */
	hardlink(w, "/usr/bin/busybox", "/opt/c");
	made = early_of(w);
	node = in(made, "/usr/bin/busybox");
	cr_assert_eq(node->entry.type, COMPOSE_ENTRY_FILE);
	cr_assert_eq(node->group, 0);
	cr_assert(compose_digest_equal(&node->entry.content, &at(w, "/opt/c")->entry.content));
	cr_assert_null(compose_tree_find(made, "/opt"));
	compose_tree_free(made);
	world_free(w);
}

Test(early, needs_a_first_program)
{
	world *w = base(NULL, 0);

	w->entries[0][3].path = "/other";
	has_no_way(w, HN_EMISSING, "no /init that could find its root on a disk: /init");
	world_free(w);
}

Test(early, needs_the_interpreter_of_it)
{
	world *w = base(NULL, 0);

	w->entries[0][1].path = "/usr/bin/zsh";
	has_no_way(w, HN_EMISSING, "on a disk: /bin/sh");
	world_free(w);
}

Test(early, has_no_libraries)
{
	world *w = base(NULL, 0);
	made_elf shell;

	make_elf(&shell, "/lib64/ld.so", NULL, 0, NULL);
	w->entries[0][0].path = "/usr/bin/other";
	body(w, "/usr/bin/busybox", 0755, shell.bytes, shell.size);
	has_no_way(w, HN_ENOSUP, "/usr/bin/busybox is not static");
	world_free(w);
}

Test(early, needs_the_modules_of_a_disk)
{
	static const char *const without[] = {"virtio_blk", "squashfs"};
	world *w = base(without, 2);

	drivers(w);
	has_no_way(w, HN_EMISSING, "the kernel module overlay");
	world_free(w);
}

Test(early, takes_what_is_built_in_as_there)
{
	static const char *const without[] = {"virtio_blk", "squashfs"};
	world *w = base(without, 2);

	drivers(w);
	file(w, "/lib/modules/6.1.0/modules.builtin", 0644, "kernel/fs/overlayfs/overlay.ko\n");
	compose_tree_free(early_of(w));
	world_free(w);
}
