/* SPDX-License-Identifier: MIT
 *
 * Finding nodes: by path, and by a path as the guest's kernel would walk it.
 */
#include "compose/tree-build.h"

void compose_tree_free(compose_tree *tree)
{
	if (tree != NULL)
		base_arena_free(tree->arena); /* the tree is in it */
}

const compose_node *compose_tree_find(const compose_tree *tree, const char *path)
{
	size_t low = 0, high = tree->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, tree->nodes[middle].entry.path);

		if (order == 0)
			return &tree->nodes[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

typedef struct walk {
	const compose_tree *tree;
	char at[TREE_PATH];       /* resolved so far, "" is the root */
	char rest[2 * TREE_PATH]; /* what is still to be walked */
	int hops;
	void (*by)(void *arg, const compose_node *node); /* or NULL */
	void *arg;
} walk;

static tree_step up(walk *w)
{
	char *slash = strrchr(w->at, '/');

	if (slash == NULL)
		return TREE_OUTSIDE;
	*slash = '\0';
	return TREE_FOUND;
}

/* The target of a link comes before the rest; an absolute one starts at the root again. */
static tree_step follow(walk *w, const char *target)
{
	char next[2 * TREE_PATH];
	int size = snprintf(next, sizeof(next), "%s/%s", target, w->rest);

	if (++w->hops > TREE_HOPS || size < 0 || (size_t)size >= sizeof(next))
		return TREE_LOOP;
	memcpy(w->rest, next, (size_t)size + 1);
	if (target[0] == '/') {
		w->at[0] = '\0';
		return TREE_FOUND;
	}
	return up(w);
}

static tree_step enter(walk *w, const char *name, size_t size)
{
	size_t length = strlen(w->at);
	const compose_node *node;

	if (length + 1 + size >= sizeof(w->at))
		return TREE_DANGLING;
	w->at[length] = '/';
	memcpy(w->at + length + 1, name, size);
	w->at[length + 1 + size] = '\0';
	node = compose_tree_find(w->tree, w->at);
	if (node == NULL)
		return TREE_DANGLING;
	if (w->by != NULL)
		w->by(w->arg, node);
	if (node->entry.type == COMPOSE_ENTRY_SYMLINK)
		return follow(w, node->entry.target);
	if (node->entry.type != COMPOSE_ENTRY_DIRECTORY && strspn(w->rest, "/") != strlen(w->rest))
		return TREE_DANGLING;
	return TREE_FOUND;
}

static tree_step take(walk *w)
{
	char name[2 * TREE_PATH];
	size_t skip = strspn(w->rest, "/"), size = strcspn(w->rest + skip, "/");

	memcpy(name, w->rest + skip, size);
	memmove(w->rest, w->rest + skip + size, strlen(w->rest + skip + size) + 1);
	if (size == 0 || (size == 1 && name[0] == '.'))
		return TREE_FOUND;
	if (size == 2 && name[0] == '.' && name[1] == '.')
		return up(w);
	return enter(w, name, size);
}

tree_step tree_walk(const compose_tree *tree, const char *path, const compose_node **node)
{
	return tree_walk_by(tree, path, node, NULL, NULL);
}

tree_step tree_walk_by(const compose_tree *tree, const char *path, const compose_node **node,
	void (*by)(void *arg, const compose_node *node), void *arg)
{
	walk w = {.tree = tree, .by = by, .arg = arg};
	const compose_node *found;

	if (strlen(path) >= sizeof(w.rest))
		return TREE_DANGLING;
	memcpy(w.rest, path, strlen(path) + 1);
	while (w.rest[0] != '\0') {
		tree_step step = take(&w);

		if (step != TREE_FOUND)
			return step;
	}
	found = compose_tree_find(tree, w.at[0] == '\0' ? "/" : w.at);
	if (found == NULL)
		return TREE_DANGLING;
	*node = found;
	return TREE_FOUND;
}
