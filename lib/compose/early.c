/* SPDX-License-Identifier: MIT
 *
 * What of a tree is unpacked into memory when its root is a disk: no more than finds the disk and
 * goes on there.
 */
#include "compose/elf-file.h"
#include "compose/tree-build.h"

enum { HEAD = 256, LIST_BYTES = 1048576 };

typedef struct early {
	compose_store *store;
	const compose_tree *tree;
	bool *marked; /* of the tree's nodes */
} early;

static void mark(void *arg, const compose_node *node)
{
	const early *e = arg;

	e->marked[node - e->tree->nodes] = true;
}

/* With the links that lead there. NULL when it is not in the tree. */
static const compose_node *keep(const early *e, const char *path)
{
	const compose_node *node = NULL;
	early to = *e;

	return tree_walk_by(e->tree, path, &node, mark, &to) == TREE_FOUND ? node : NULL;
}

/* --- /init --- */

static int lacks_init(const char *what, hn_error **err)
{
	return base_error(err, HN_EMISSING, COMPOSE_ROOM,
		"the base of examples/components/busybox-base has one; or take \"root\": "
		"\"initramfs\"",
		"the image has no /init that could find its root on a disk: %s", what);
}

static int read_head(const early *e, const compose_node *node, char head[HEAD + 1], hn_error **err)
{
	elf_source source;
	elf_body body;
	int rc = elf_open_body(e->store, &node->entry.content, &body, &source, err);

	if (rc < 0)
		return rc;
	memset(head, 0, HEAD + 1);
	rc = source.read(source.arg, 0, head, source.size < HEAD ? (size_t)source.size : HEAD, err);
	elf_close_body(&body);
	return rc;
}

/* A program with a loader would want libraries; the shell of a first file system has none. */
static int check_alone(const early *e, const compose_node *node, hn_error **err)
{
	BASE_AUTO_OF(base_arena) base_arena *arena = base_arena_new();
	elf_file elf = {0};
	elf_source source;
	elf_body body;
	int rc = arena == NULL ? base_nomem(err)
			       : elf_open_body(e->store, &node->entry.content, &body, &source, err);

	if (rc < 0)
		return rc;
	rc = elf_read(&source, arena, &elf, err);
	elf_close_body(&body);
	if (rc < 0 || elf.interpreter == NULL)
		return rc;
	return base_error(err, HN_ENOSUP, COMPOSE_ROOM, "take a static one, such as busybox-static",
		"%s is not static, and without a disk there are no libraries", node->entry.path);
}

static int keep_program(const early *e, const char *path, int depth, hn_error **err)
{
	const compose_node *node = keep(e, path);
	char head[HEAD + 1], *name;
	int rc;

	if (node == NULL || node->entry.type == COMPOSE_ENTRY_DIRECTORY)
		return lacks_init(path, err);
	rc = node->entry.type == COMPOSE_ENTRY_FILE ? read_head(e, node, head, err) : 0;
	if (rc < 0 || node->entry.type != COMPOSE_ENTRY_FILE)
		return rc;
	if (elf_is((const uint8_t *)head, HEAD))
		return check_alone(e, node, err);
	if (head[0] != '#' || head[1] != '!' || depth > 0)
		return 0; /* whatever it is, the kernel says */
	name = head + 2 + strspn(head + 2, " \t");
	name[strcspn(name, " \t\r\n")] = '\0';
	return keep_program(e, name, depth + 1, err);
}

/* --- kernel modules --- */

static int add_name(base_map *names, const char *path, hn_error **err)
{
	char name[64];

	return tree_module_name(path, name) && base_map_put(names, name, strlen(name), names) != 0
		       ? base_nomem(err)
		       : 0;
}

static int keep_list(const early *e, char *list, base_map *names, hn_error **err)
{
	char *rest = NULL;
	int rc = 0;

	for (char *path = strtok_r(list, "\n", &rest); rc == 0 && path != NULL;
		path = strtok_r(NULL, "\n", &rest)) {
		keep(e, path); /* tree_modules has seen it there */
		rc = add_name(names, path, err);
	}
	return rc;
}

static int add_builtin(const early *e, base_map *names, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < e->tree->count; i++) {
		const compose_entry *entry = &e->tree->nodes[i].entry;

		if (entry->type == COMPOSE_ENTRY_FILE && tree_module_is_builtin_list(entry->path))
			rc = tree_module_builtin(e->store, entry, names, err);
	}
	return rc;
}

/* Said while it is built, for a guest could only say it to its console. */
static int check_names(const base_map *names, hn_error **err)
{
	static const char *const needed[] = {"virtio_blk", "squashfs", "overlay"};

	for (size_t i = 0; i < BASE_COUNT(needed); i++)
		if (!base_map_has(names, needed[i], strlen(needed[i])))
			return base_error(err, HN_EMISSING, COMPOSE_ROOM,
				"name it in kernel.modules of the component that has the kernel",
				"the kernel module %s, by which a root is read from a disk, is not "
				"among those that are loaded",
				needed[i]);
	return 0;
}

/* A tree without a list has a kernel that needs none: nobody asked for one. */
static int keep_modules(const early *e, hn_error **err)
{
	const compose_node *node = keep(e, TREE_HOME "/modules");
	BASE_AUTO_OF(base_map) base_map *names = NULL;
	BASE_AUTO_FREE char *list = NULL;
	size_t size = 0;
	int rc;

	if (node == NULL || node->entry.type != COMPOSE_ENTRY_FILE)
		return 0;
	names = base_map_new(NULL);
	if (names == NULL)
		return base_nomem(err);
	rc = compose_store_load(e->store, &node->entry.content, LIST_BYTES, &list, &size, err);
	if (rc == 0)
		rc = keep_list(e, list, names, err);
	if (rc == 0)
		rc = add_builtin(e, names, err);
	return rc < 0 ? rc : check_names(names, err);
}

/* --- the tree of these --- */

/* A name of a file with several: what the others are is not known there. */
static void stand_alone(const early *e, compose_node *node)
{
	const char *path = node->entry.path;

	for (size_t i = 0; node->group != 0 && i < e->tree->count; i++) {
		const compose_node *body = &e->tree->nodes[i];

		if (body->group != node->group || body->owner != node->owner ||
			body->entry.type != COMPOSE_ENTRY_FILE)
			continue;
		node->entry = body->entry;
		node->entry.path = path;
		node->group = 0;
	}
}

static int copy(const early *e, compose_tree **out, hn_error **err)
{
	base_arena *arena = base_arena_new();
	compose_tree *made;

	if (arena == NULL)
		return base_nomem(err);
	made = base_arena_alloc(arena, sizeof(*made));
	if (made != NULL) {
		*made = *e->tree;
		made->arena = arena;
		made->count = 0;
		made->nodes = base_arena_alloc(arena, e->tree->count * sizeof(*made->nodes));
	}
	if (made == NULL || made->nodes == NULL) {
		base_arena_free(arena);
		return base_nomem(err);
	}
	for (size_t i = 0; i < e->tree->count; i++)
		if (i == 0 || e->marked[i]) {
			made->nodes[made->count] = e->tree->nodes[i];
			stand_alone(e, &made->nodes[made->count++]);
		}
	*out = made;
	return 0;
}

int compose_tree_early(
	compose_store *store, const compose_tree *tree, compose_tree **out, hn_error **err)
{
	static const char *const also[] = {"/bin/busybox", "/dev", "/proc", "/sys", "/mnt"};
	BASE_AUTO_FREE bool *marked = base_calloc(tree->count, sizeof(*marked));
	early e = {store, tree, marked};
	int rc = marked == NULL ? base_nomem(err) : keep_program(&e, "/init", 0, err);

	for (size_t i = 0; rc == 0 && i < BASE_COUNT(also); i++)
		keep(&e, also[i]);
	if (rc == 0)
		rc = keep_modules(&e, err);
	return rc < 0 ? rc : copy(&e, out, err);
}
