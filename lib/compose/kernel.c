/* SPDX-License-Identifier: MIT
 *
 * Which file of a tree is the kernel: the payload that says so, else the one of Debian's package.
 */
#include "compose/tree-build.h"

static int take(
	const tree_build *build, compose_tree *tree, const compose_node *node, hn_error **err)
{
	if (node->entry.type != COMPOSE_ENTRY_FILE)
		return base_error(err, HN_EENTRY, COMPOSE_ROOM, "the kernel is a file of its own",
			"%s of %s is to be the kernel and is no file", node->entry.path,
			tree_component(build, node->owner));
	if (tree->kernel == NULL || tree->kernel == node) {
		tree->kernel = node;
		return 0;
	}
	return base_error(err, HN_ECONFLICT, COMPOSE_ROOM, "take one of them",
		"%s and %s both bring a kernel: %s and %s",
		tree_component(build, tree->kernel->owner), tree_component(build, node->owner),
		tree->kernel->entry.path, node->entry.path);
}

static int declared(
	tree_build *build, compose_tree *tree, const compose_payload *payload, hn_error **err)
{
	const compose_node *node;
	const char *path = NULL;
	int rc;

	if (payload->kind != COMPOSE_PAYLOAD_BLOB || payload->role == NULL ||
		strcmp(payload->role, "kernel") != 0)
		return 0;
	rc = tree_alias(build, payload->path, &path, err);
	if (rc != 0)
		return rc;
	node = compose_tree_find(tree, path);
	return node == NULL ? 0 : take(build, tree, node, err);
}

int tree_kernel(tree_build *build, compose_tree *tree, hn_error **err)
{
	static const char boot[] = "/boot/vmlinuz-";
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < build->part_count; i++) {
		const compose_manifest *manifest = build->parts[i].manifest;

		for (size_t j = 0; rc == 0 && j < manifest->payload_count; j++)
			rc = declared(build, tree, &manifest->payloads[j], err);
	}
	if (tree->kernel != NULL)
		return rc;
	for (size_t i = 0; rc == 0 && i < tree->count; i++)
		if (tree->nodes[i].entry.type == COMPOSE_ENTRY_FILE &&
			strncmp(tree->nodes[i].entry.path, boot, sizeof(boot) - 1) == 0)
			rc = take(build, tree, &tree->nodes[i], err);
	return rc;
}
