/* SPDX-License-Identifier: MIT
 *
 * Layers of components into one tree. What is equal is fine, directories that agree are fine, all
 * else is a conflict that names both, unless the later says that it replaces this path of the
 * earlier.
 */
#include "compose/tree-build.h"

const char *tree_component(const tree_build *build, uint32_t owner)
{
	return build->parts[owner].manifest->component;
}

int tree_remark(tree_build *build, hn_error **err, const char *format, ...)
{
	BASE_AUTO_BUF base_buf text = {0};
	va_list arguments;

	va_start(arguments, format);
	base_buf_vformat(&text, format, arguments);
	va_end(arguments);
	if (text.failed || base_names_add(&build->remarks, text.data) != 0)
		return base_nomem(err);
	return 0;
}

compose_node *tree_at(const tree_build *build, const char *path)
{
	uintptr_t number = (uintptr_t)base_map_get(build->index, path, strlen(path));

	return number == 0 ? NULL : &build->nodes[number - 1];
}

void tree_note(tree_build *build, const char *decision, uint32_t owner, uint32_t other,
	const compose_entry *entry)
{
	const tree_doing *doing = &build->doing;
	compose_trace *trace = build->trace;

	if (trace == NULL || trace->path == NULL || entry->type == 0 ||
		strcmp(trace->path, entry->path) != 0)
		return;
	if (base_grow(&trace->steps, &trace->capacity, trace->count + 1, sizeof(*trace->steps)) <
		0) {
		trace->failed = true;
		return;
	}
	trace->steps[trace->count++] = (compose_step){.decision = decision,
		.owner = owner,
		.other = other,
		.payload = doing->payload,
		.written = doing->written != NULL ? doing->written : entry->path,
		.entry = *entry};
}

void compose_trace_free(compose_trace *trace)
{
	base_free(trace->steps);
	*trace = (compose_trace){0};
}

void tree_drop(tree_build *build, compose_node *node)
{
	tree_note(build, "removes", build->doing.by, node->owner, &node->entry);
	base_map_remove(build->index, node->entry.path, strlen(node->entry.path));
	node->entry.type = 0;
}

/* What two entries of one path differ in; NULL when they are equal. */
static const char *difference(const compose_entry *a, const compose_entry *b)
{
	if (a->type != b->type)
		return "they are not of one type";
	if (a->type == COMPOSE_ENTRY_SYMLINK)
		return strcmp(a->target, b->target) == 0 ? NULL : "they lead to other places";
	if (a->mode != b->mode)
		return "their modes differ";
	if (a->uid != b->uid || a->gid != b->gid)
		return "their owners differ";
	if (a->type == COMPOSE_ENTRY_DIRECTORY)
		return NULL;
	if (!compose_digest_equal(&a->content, &b->content))
		return "their contents differ";
	if (a->xattr_count != b->xattr_count)
		return "their extended attributes differ";
	for (size_t i = 0; i < a->xattr_count; i++)
		if (strcmp(a->xattrs[i].name, b->xattrs[i].name) != 0 ||
			a->xattrs[i].size != b->xattrs[i].size ||
			memcmp(a->xattrs[i].value, b->xattrs[i].value, a->xattrs[i].size) != 0)
			return "their extended attributes differ";
	return NULL;
}

static int copy_xattrs(tree_build *build, const compose_entry *from, compose_entry *entry)
{
	compose_xattr *copy;

	if (from->xattr_count == 0)
		return 0;
	copy = base_arena_alloc(build->arena, from->xattr_count * sizeof(*copy));
	if (copy == NULL)
		return HN_ENOMEM;
	for (size_t i = 0; i < from->xattr_count; i++) {
		const compose_xattr *one = &from->xattrs[i];
		uint8_t *value = base_arena_alloc(build->arena, one->size);

		copy[i].name = base_arena_strndup(build->arena, one->name, strlen(one->name));
		if (copy[i].name == NULL || value == NULL)
			return HN_ENOMEM;
		if (one->size != 0)
			memcpy(value, one->value, one->size);
		copy[i].value = value;
		copy[i].size = one->size;
	}
	entry->xattrs = copy;
	return 0;
}

/* Links have no mode of their own: that of a link is what Linux shows for all. */
static int copy_entry(tree_build *build, const compose_entry *from, compose_entry *out)
{
	compose_entry entry = *from;

	entry.path = base_arena_strndup(build->arena, from->path, strlen(from->path));
	entry.target = NULL;
	if (from->type == COMPOSE_ENTRY_SYMLINK) {
		entry.mode = 0777;
		entry.target = base_arena_strndup(build->arena, from->target, strlen(from->target));
		if (entry.target == NULL)
			return HN_ENOMEM;
	}
	if (entry.path == NULL || copy_xattrs(build, from, &entry) != 0)
		return HN_ENOMEM;
	*out = entry;
	return 0;
}

typedef enum replacing {
	REPLACES_NOT,
	REPLACES,
	REPLACES_OTHER /* the path, but of another component */
} replacing;

static int find_replacement(tree_build *build, uint32_t owner, const compose_node *old,
	replacing *found, hn_error **err)
{
	const compose_manifest *manifest = build->parts[owner].manifest;

	for (size_t i = 0; i < manifest->replace_count; i++) {
		const compose_replacement *one = &manifest->replaces[i];
		bool named = strcmp(one->component, tree_component(build, old->owner)) == 0;

		for (size_t j = 0; j < one->path_count; j++) {
			const char *path = NULL;
			int rc = tree_alias(build, one->paths[j], &path, err);

			if (rc != 0)
				return rc;
			if (strcmp(path, old->entry.path) != 0)
				continue;
			*found = named ? REPLACES : REPLACES_OTHER;
			if (named)
				return 0;
		}
	}
	return 0;
}

static int conflict(const tree_build *build, uint32_t owner, const compose_node *old,
	const char *what, replacing found, hn_error **err)
{
	const char *later = tree_component(build, owner), *path = old->entry.path;
	const char *earlier = tree_component(build, old->owner);
	int rc;

	if (owner == old->owner)
		rc = base_error(err, HN_ECONFLICT, COMPOSE_ROOM,
			"exclude it from one of its payloads", "%s has %s twice, and %s", later,
			path, what);
	else
		rc = base_error(err, HN_ECONFLICT, COMPOSE_ROOM, NULL,
			"%s and %s both have %s, and %s%s", earlier, later, path, what,
			found == REPLACES_OTHER ? "; its \"replaces\" names another component"
						: "");
	if (owner != old->owner)
		base_error_hint(err,
			"exclude it from a payload, or let %s replace it: \"replaces\": "
			"[ { \"component\": \"%s\", \"paths\": [\"%s\"] } ]",
			later, earlier, path);
	base_error_fact(err, "path", path);
	base_error_fact(err, "component", later);
	base_error_fact(err, "other", earlier);
	return rc;
}

static int meet(tree_build *build, uint32_t owner, const compose_entry *entry, uint32_t group,
	compose_node *old, hn_error **err)
{
	const char *what = difference(&old->entry, entry);
	replacing found = REPLACES_NOT;
	uint32_t earlier = old->owner;
	int rc;

	if (what == NULL) {
		tree_note(build, "agrees", owner, earlier, &old->entry);
		return 0;
	}
	rc = find_replacement(build, owner, old, &found, err);
	if (rc != 0)
		return rc;
	if (found != REPLACES)
		return conflict(build, owner, old, what, found, err);
	if (copy_entry(build, entry, &old->entry) != 0)
		return base_nomem(err);
	old->owner = owner;
	old->group = group;
	tree_note(build, "replaces", owner, earlier, &old->entry);
	return 0;
}

int tree_add(tree_build *build, uint32_t owner, const compose_entry *entry, uint32_t group,
	hn_error **err)
{
	compose_node *old = tree_at(build, entry->path), *node;
	int rc;

	if (entry->path[0] != '/')
		return base_error(err, HN_EENTRY, COMPOSE_ROOM, "a path begins with \"/\"",
			"%s of %s is not absolute", entry->path, tree_component(build, owner));
	if (old != NULL)
		return meet(build, owner, entry, group, old, err);
	rc = base_limit_check(BASE_LIMIT_IMAGE_ENTRIES, build->count + 1, err);
	if (rc != 0)
		return rc;
	if (base_grow(&build->nodes, &build->capacity, build->count + 1, sizeof(*node)) != 0)
		return base_nomem(err);
	node = &build->nodes[build->count];
	*node = (compose_node){.owner = owner, .group = group};
	if (copy_entry(build, entry, &node->entry) != 0 ||
		base_map_put(build->index, node->entry.path, strlen(node->entry.path),
			(void *)(uintptr_t)(build->count + 1)) != 0)
		return base_nomem(err);
	build->count++;
	tree_note(build, build->doing.decision, owner, owner, &node->entry);
	return 0;
}
