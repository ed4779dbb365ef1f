/* SPDX-License-Identifier: MIT
 *
 * The end of a merge: missing directories, owners, names that differ only in case, numbers of hard
 * links, order.
 */
#include "compose/tree-build.h"

#include <stdlib.h>

static int add_parent(tree_build *build, uint32_t owner, const char *path, hn_error **err)
{
	char text[TREE_PATH];
	size_t size = (size_t)(strrchr(path, '/') - path);
	compose_entry entry = {.type = COMPOSE_ENTRY_DIRECTORY, .mode = 0755, .path = text};

	if (size == 0)
		size = 1; /* "/" itself */
	memcpy(text, path, size);
	text[size] = '\0';
	return tree_at(build, text) != NULL ? 0 : tree_add(build, owner, &entry, 0, err);
}

/* What is added here is looked at too, so the walk goes up to the root. */
static int add_parents(tree_build *build, hn_error **err)
{
	int first = add_parent(build, build->base, "/", err);

	if (first != 0)
		return first;
	for (size_t i = 0; i < build->count; i++) {
		const compose_node *node = &build->nodes[i];
		int rc = tree_live(build, err);

		if (rc == 0 && node->entry.type != 0)
			rc = add_parent(build, node->owner, node->entry.path, err);

		if (rc != 0)
			return rc;
	}
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const compose_node *)a)->entry.path, ((const compose_node *)b)->entry.path);
}

static int sort_nodes(tree_build *build, compose_tree *tree, hn_error **err)
{
	size_t kept = 0;

	for (size_t i = 0; i < build->count; i++)
		if (build->nodes[i].entry.type != 0)
			build->nodes[kept++] = build->nodes[i];
	build->count = kept;
	if (kept != 0)
		qsort(build->nodes, kept, sizeof(*build->nodes), by_path);
	tree->nodes = base_arena_alloc(build->arena, kept * sizeof(*tree->nodes));
	if (tree->nodes == NULL)
		return base_nomem(err);
	if (kept != 0)
		memcpy(tree->nodes, build->nodes, kept * sizeof(*tree->nodes));
	tree->count = kept;
	return 0;
}

/* A file below a link of another component would go where nobody sees it. */
static int check_parents(const tree_build *build, const compose_tree *tree, hn_error **err)
{
	for (size_t i = 0; i < tree->count; i++) {
		const compose_node *node = &tree->nodes[i], *parent;
		const char *path = node->entry.path;
		size_t size = (size_t)(strrchr(path, '/') - path);
		char text[TREE_PATH];
		int rc = tree_live(build, err);

		if (rc != 0)
			return rc;
		memcpy(text, path, size);
		text[size] = '\0';
		parent = compose_tree_find(tree, size == 0 ? "/" : text);
		if (parent->entry.type == COMPOSE_ENTRY_DIRECTORY)
			continue;
		base_error(err, HN_ECONFLICT, COMPOSE_ROOM,
			"a link that packages write through is an alias of the base",
			"%s of %s is below %s, which is no directory in %s", path,
			tree_component(build, node->owner), text,
			tree_component(build, parent->owner));
		base_error_fact(err, "path", path);
		base_error_fact(err, "component", tree_component(build, node->owner));
		base_error_fact(err, "other", tree_component(build, parent->owner));
		return HN_ECONFLICT;
	}
	return 0;
}

/* Simple case folding (Unicode CaseFolding.txt, status C) of ASCII, Latin-1, Greek and Cyrillic
 * capitals; all of these stay two bytes long. */
static uint32_t fold_two(uint32_t point)
{
	if (point >= 0xc0 && point <= 0xde && point != 0xd7)
		return point + 32;
	if ((point >= 0x391 && point <= 0x3a9) || (point >= 0x410 && point <= 0x42f))
		return point + 32;
	if (point >= 0x400 && point <= 0x40f)
		return point + 80;
	return point;
}

static void fold(const char *path, char out[TREE_PATH])
{
	const unsigned char *in = (const unsigned char *)path;
	size_t size = 0;

	for (; *in != '\0'; in++) {
		if (*in >= 'A' && *in <= 'Z') {
			out[size++] = (char)(*in + ('a' - 'A'));
		} else if ((*in & 0xe0) == 0xc0 && (in[1] & 0xc0) == 0x80) {
			uint32_t point = fold_two((*in & 0x1fU) << 6 | (in[1] & 0x3fU));

			out[size++] = (char)(0xc0 | point >> 6);
			out[size++] = (char)(0x80 | (point & 0x3f));
			in++;
		} else {
			out[size++] = (char)*in;
		}
	}
	out[size] = '\0';
}

/* Two that only a foreign file system would take for one. Inside one component it is what its
 * author wants: linux-libc-dev has eight such pairs. */
static int check_case(const tree_build *build, compose_tree *tree, hn_error **err)
{
	BASE_AUTO_OF(base_map) base_map *folded = base_map_new(NULL);
	char text[TREE_PATH];

	for (size_t i = 0; folded != NULL && i < tree->count; i++) {
		compose_node *node = &tree->nodes[i];
		const compose_node *other;
		int rc = tree_live(build, err);

		if (rc != 0)
			return rc;
		fold(node->entry.path, text);
		other = base_map_get(folded, text, strlen(text));
		if (other != NULL && other->owner != node->owner) {
			base_error(err, HN_ECONFLICT, COMPOSE_ROOM,
				"exclude one of them from its payload",
				"%s of %s and %s of %s differ only in case", other->entry.path,
				tree_component(build, other->owner), node->entry.path,
				tree_component(build, node->owner));
			base_error_fact(err, "path", node->entry.path);
			return HN_ECONFLICT;
		}
		if (base_map_put(folded, text, strlen(text), node) != 0)
			return base_nomem(err);
	}
	return folded == NULL ? base_nomem(err) : 0;
}

typedef struct ids {
	base_map *uids, *gids;
} ids;

static bool fixed_id(uint32_t id, bool group)
{
	return tree_fixed_name(id, group) != NULL;
}

static int declare(const tree_build *build, const ids *known, hn_error **err)
{
	for (size_t i = 0; i < build->part_count; i++) {
		const compose_manifest *manifest = build->parts[i].manifest;

		for (size_t j = 0; j < manifest->user_count; j++) {
			const compose_user *user = &manifest->users[j];

			if (base_map_put(known->uids, &user->uid, sizeof(user->uid),
				    (void *)(uintptr_t)1) != 0 ||
				base_map_put(known->gids, &user->gid, sizeof(user->gid),
					(void *)(uintptr_t)1) != 0)
				return base_nomem(err);
		}
	}
	return 0;
}

static int check_owner(
	const tree_build *build, const compose_tree *tree, const ids *known, hn_error **err)
{
	for (size_t i = 0; i < tree->count; i++) {
		const compose_node *node = &tree->nodes[i];
		const compose_entry *entry = &node->entry;
		bool uid = fixed_id(entry->uid, false) ||
			   base_map_has(known->uids, &entry->uid, sizeof(entry->uid));
		bool gid = fixed_id(entry->gid, true) ||
			   base_map_has(known->gids, &entry->gid, sizeof(entry->gid));

		if (uid && gid)
			continue;
		base_error(err, HN_EENTRY, COMPOSE_ROOM, "declare who it is in \"users\"",
			"%s of %s belongs to %s %u, whom no component declares", entry->path,
			tree_component(build, node->owner), uid ? "group" : "user",
			uid ? entry->gid : entry->uid);
		base_error_fact(err, "path", entry->path);
		base_error_fact(err, "component", tree_component(build, node->owner));
		return HN_EENTRY;
	}
	return 0;
}

static int check_owners(const tree_build *build, const compose_tree *tree, hn_error **err)
{
	ids known = {base_map_new(NULL), base_map_new(NULL)};
	int rc = known.uids == NULL || known.gids == NULL ? base_nomem(err)
							  : declare(build, &known, err);

	if (rc == 0)
		rc = check_owner(build, tree, &known, err);
	base_map_free(known.uids);
	base_map_free(known.gids);
	return rc;
}

/* Groups are numbered by their first path; who is left alone is an ordinary file. */
static int number_groups(tree_build *build, compose_tree *tree, hn_error **err)
{
	size_t count = (size_t)build->groups + 1;
	BASE_AUTO_FREE uint32_t *members = base_calloc(count, sizeof(*members));
	BASE_AUTO_FREE uint32_t *numbers = base_calloc(count, sizeof(*numbers));
	uint32_t next = 0;

	if (members == NULL || numbers == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < tree->count; i++)
		members[tree->nodes[i].group]++;
	for (size_t i = 0; i < tree->count; i++) {
		compose_node *node = &tree->nodes[i];

		if (node->group == 0)
			continue;
		if (members[node->group] < 2) {
			node->group = 0;
			continue;
		}
		if (numbers[node->group] == 0)
			numbers[node->group] = ++next;
		node->group = numbers[node->group];
	}
	return 0;
}

/* What the guest mounts is not there yet. */
static bool at_boot(const char *target)
{
	static const char *const roots[] = {"/proc/", "/sys/", "/dev/", "/run/"};

	for (size_t i = 0; i < BASE_COUNT(roots); i++)
		if (strncmp(target, roots[i], strlen(roots[i])) == 0)
			return true;
	return false;
}

static int remark_links(tree_build *build, const compose_tree *tree, hn_error **err)
{
	static const char *const said[] = {[TREE_DANGLING] = "leads nowhere",
		[TREE_OUTSIDE] = "leaves the root",
		[TREE_LOOP] = "is followed by more than 40 links"};

	for (size_t i = 0; i < tree->count; i++) {
		const compose_node *node = &tree->nodes[i], *found;
		tree_step step;
		int rc;

		if (node->entry.type != COMPOSE_ENTRY_SYMLINK || at_boot(node->entry.target))
			continue;
		rc = tree_live(build, err);
		step = tree_walk(tree, node->entry.path, &found);
		if (rc == 0 && step != TREE_FOUND)
			rc = tree_remark(build, err, "%s: the link %s -> %s %s",
				tree_component(build, node->owner), node->entry.path,
				node->entry.target, said[step]);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static const char *const *copy_names(base_arena *arena, const base_names *names)
{
	const char **copy = base_arena_alloc(arena, (names->count + 1) * sizeof(*copy));

	for (size_t i = 0; copy != NULL && i < names->count; i++) {
		copy[i] = base_arena_strndup(arena, names->items[i], strlen(names->items[i]));
		if (copy[i] == NULL)
			return NULL;
	}
	return copy;
}

static const char *const *component_names(tree_build *build)
{
	const char **names =
		base_arena_alloc(build->arena, (build->part_count + 1) * sizeof(*names));

	for (uint32_t i = 0; names != NULL && i < build->part_count; i++) {
		const char *name = tree_component(build, i);

		names[i] = base_arena_strndup(build->arena, name, strlen(name));
		if (names[i] == NULL)
			return NULL;
	}
	return names;
}

static int copy_texts(tree_build *build, compose_tree *tree, hn_error **err)
{
	tree->remarks = copy_names(build->arena, &build->remarks);
	tree->remark_count = build->remarks.count;
	tree->cmdline = copy_names(build->arena, &build->cmdline);
	tree->cmdline_count = build->cmdline.count;
	tree->components = component_names(build);
	tree->component_count = build->part_count;
	return tree->remarks == NULL || tree->cmdline == NULL || tree->components == NULL
		       ? base_nomem(err)
		       : 0;
}

int tree_finish(tree_build *build, compose_tree **out, hn_error **err)
{
	compose_tree *tree = base_arena_alloc(build->arena, sizeof(*tree));
	int rc = tree == NULL ? base_nomem(err) : add_parents(build, err);

	if (rc == 0)
		rc = sort_nodes(build, tree, err);
	if (rc == 0)
		rc = check_parents(build, tree, err);
	if (rc == 0)
		rc = check_owners(build, tree, err);
	if (rc == 0)
		rc = check_case(build, tree, err);
	if (rc == 0)
		rc = number_groups(build, tree, err);
	if (rc == 0)
		rc = tree_kernel(build, tree, err);
	if (rc == 0)
		rc = remark_links(build, tree, err);
	if (rc == 0)
		rc = copy_texts(build, tree, err);
	if (rc != 0)
		return rc;
	tree->arena = BASE_STEAL(build->arena);
	*out = tree;
	return 0;
}
