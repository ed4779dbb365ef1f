/* SPDX-License-Identifier: MIT
 *
 * How the nodes of a tree belong together: who is in which directory, which names are one inode.
 */
#include "compose/image-private.h"

/* --- directories --- */

static int refuse_parent(const compose_entry *entry, hn_error **err)
{
	return base_error(err, HN_EENTRY, COMPOSE_ROOM, NULL,
		"%s is in a directory that is not in the tree", entry->path);
}

/* A stored value is the index and 1, for 0 is "none". */
static int find_parents(image_job *job, hn_error **err)
{
	BASE_AUTO_OF(base_map) base_map *directories = base_map_new(NULL);

	job->parents = base_calloc(job->tree->count, sizeof(*job->parents));
	if (directories == NULL || job->parents == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < job->tree->count; i++) {
		const compose_entry *entry = &job->tree->nodes[i].entry;
		size_t up = i == 0 ? 0 : (size_t)(strrchr(entry->path, '/') - entry->path);
		size_t found = 1;

		if (up > 0)
			found = (uintptr_t)base_map_get(directories, entry->path, up);
		if (found == 0)
			return refuse_parent(entry, err);
		job->parents[i] = (uint32_t)(found - 1);
		if (entry->type == COMPOSE_ENTRY_DIRECTORY &&
			base_map_put(directories, entry->path, strlen(entry->path),
				(void *)(uintptr_t)(i + 1)) < 0)
			return base_nomem(err);
	}
	return 0;
}

/* --- files that are one inode --- */

typedef struct link_key { /* without padding: it is a key by its bytes */
	uint32_t owner, group;
} link_key;

/* As above, the index and 1. */
static uint32_t group_at(const base_map *map, const compose_node *node)
{
	link_key key = {node->owner, node->group};

	return (uint32_t)(uintptr_t)base_map_get(map, &key, sizeof(key));
}

static int group_put(base_map *map, const compose_node *node, size_t index)
{
	link_key key = {node->owner, node->group};

	if (node->group == 0 || group_at(map, node) != 0)
		return 0;
	return base_map_put(map, &key, sizeof(key), (void *)(uintptr_t)(index + 1));
}

static int find_groups(const compose_tree *tree, base_map *first, base_map *bodies, hn_error **err)
{
	for (size_t i = 0; i < tree->count; i++) {
		const compose_node *node = &tree->nodes[i];

		if (group_put(first, node, i) < 0 ||
			(node->entry.type == COMPOSE_ENTRY_FILE && group_put(bodies, node, i) < 0))
			return base_nomem(err);
	}
	return 0;
}

static int link_node(
	image_job *job, size_t index, const base_map *first, const base_map *bodies, hn_error **err)
{
	const compose_node *node = &job->tree->nodes[index];
	uint32_t at = (uint32_t)index, body = (uint32_t)index;

	if (node->group != 0) {
		at = group_at(first, node) - 1;
		body = group_at(bodies, node) - 1; /* none: UINT32_MAX */
	}
	if (body == UINT32_MAX || (node->group == 0 && node->entry.type == COMPOSE_ENTRY_HARDLINK))
		return base_error(err, HN_EENTRY, COMPOSE_ROOM, NULL,
			"%s is a link to a file that is not in the tree", node->entry.path);
	job->links.first[index] = at;
	job->links.count[at]++;
	job->links.body[index] = &job->tree->nodes[body].entry;
	return 0;
}

static int find_links(image_job *job, hn_error **err)
{
	BASE_AUTO_OF(base_map) base_map *first = base_map_new(NULL), *bodies = base_map_new(NULL);
	size_t count = job->tree->count;
	int rc;

	job->links.first = base_calloc(count, sizeof(*job->links.first));
	job->links.count = base_calloc(count, sizeof(*job->links.count));
	job->links.body = base_calloc(count, sizeof(*job->links.body));
	if (first == NULL || bodies == NULL || job->links.first == NULL ||
		job->links.count == NULL || job->links.body == NULL)
		return base_nomem(err);
	rc = find_groups(job->tree, first, bodies, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = link_node(job, i, first, bodies, err);
	return rc;
}

int image_relate(image_job *job, hn_error **err)
{
	int rc = find_parents(job, err);

	return rc < 0 ? rc : find_links(job, err);
}
