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

int tree_live(const tree_build *build, hn_error **err)
{
	return build->cancel != NULL && hn_cancel_triggered(build->cancel)
		       ? base_error(
				 err, HN_ECANCELLED, COMPOSE_ROOM, NULL, "the build was cancelled")
		       : 0;
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

/* "path" of anybody, and "path NUL component". */
static int add_replacement(tree_build *build, base_map *to, const compose_replacement *one,
	const char *written, hn_error **err)
{
	BASE_AUTO_BUF base_buf key = {0};
	const char *path = NULL;
	int rc = tree_alias(build, written, &path, err);

	if (rc != 0)
		return rc;
	base_buf_add(&key, path, strlen(path) + 1);
	base_buf_text(&key, one->component);
	if (key.failed || base_map_put(to, path, strlen(path), to) != 0 ||
		base_map_put(to, key.data, key.size, to) != 0)
		return base_nomem(err);
	return 0;
}

/* What a part replaces, by path: many files may be replaced, each by a search through all. */
static int replaced_by(tree_build *build, uint32_t owner, const base_map **found, hn_error **err)
{
	const compose_manifest *manifest = build->parts[owner].manifest;
	int rc = 0;

	if (build->replaces == NULL)
		build->replaces = base_calloc(build->part_count, sizeof(*build->replaces));
	if (build->replaces == NULL)
		return base_nomem(err);
	if (build->replaces[owner] == NULL) {
		build->replaces[owner] = base_map_new(NULL);
		if (build->replaces[owner] == NULL)
			return base_nomem(err);
		for (size_t i = 0; rc == 0 && i < manifest->replace_count; i++)
			for (size_t j = 0; rc == 0 && j < manifest->replaces[i].path_count; j++)
				rc = add_replacement(build, build->replaces[owner],
					&manifest->replaces[i], manifest->replaces[i].paths[j],
					err);
	}
	*found = build->replaces[owner];
	return rc;
}

void tree_replaces_free(tree_build *build)
{
	for (size_t i = 0; build->replaces != NULL && i < build->part_count; i++)
		base_map_free(build->replaces[i]);
	base_free(build->replaces);
}

static int find_replacement(tree_build *build, uint32_t owner, const compose_node *old,
	replacing *found, hn_error **err)
{
	BASE_AUTO_BUF base_buf key = {0};
	const base_map *all = NULL;
	int rc = replaced_by(build, owner, &all, err);

	if (rc != 0)
		return rc;
	base_buf_add(&key, old->entry.path, strlen(old->entry.path) + 1);
	base_buf_text(&key, tree_component(build, old->owner));
	if (key.failed)
		return base_nomem(err);
	if (base_map_has(all, key.data, key.size))
		*found = REPLACES;
	else if (base_map_has(all, old->entry.path, strlen(old->entry.path)))
		*found = REPLACES_OTHER;
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
	build->name_bytes += strlen(entry->path);
	rc = base_limit_check(BASE_LIMIT_IMAGE_ENTRIES, build->count + 1, err);
	if (rc == 0)
		rc = base_limit_check(BASE_LIMIT_IMAGE_NAME_BYTES, build->name_bytes, err);
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
