/* SPDX-License-Identifier: MIT
 *
 * The order of a merge: aliases, then each component's payloads and files, then what is made of
 * all manifests together.
 */
#include "compose/tree-build.h"

static const compose_entry *find_entry(const compose_layer *layer, const char *path)
{
	size_t low = 0, high = layer->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, layer->entries[middle].path);

		if (order == 0)
			return &layer->entries[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* `groups`: the path that links lead to -> the number of their inode. */
static int group_links(tree_build *build, uint32_t owner, const compose_layer *layer,
	base_map *groups, hn_error **err)
{
	for (size_t i = 0; i < layer->count; i++) {
		const compose_entry *entry = &layer->entries[i];
		const compose_entry *first;

		if (entry->type != COMPOSE_ENTRY_HARDLINK)
			continue;
		first = find_entry(layer, entry->target);
		if (first == NULL || first->type != COMPOSE_ENTRY_FILE)
			return base_error(err, HN_EENTRY, COMPOSE_ROOM,
				"a hard link leads to a regular file of the same payload",
				"%s of %s is a hard link to %s, which is no file of this payload",
				entry->path, tree_component(build, owner), entry->target);
		if (base_map_has(groups, entry->target, strlen(entry->target)))
			continue;
		build->groups++;
		if (base_map_put(groups, entry->target, strlen(entry->target),
			    (void *)(uintptr_t)build->groups) != 0)
			return base_nomem(err);
	}
	return 0;
}

static bool keeps_setuid(const tree_build *build, const compose_payload *payload, const char *path)
{
	for (size_t i = 0; build->allow_setuid && i < payload->setuid_count; i++)
		if (strcmp(payload->setuid[i], path) == 0)
			return true;
	return false;
}

/* `keep`: whether these bits are allowed here. */
static int drop_setuid(
	tree_build *build, uint32_t owner, compose_entry *entry, bool keep, hn_error **err)
{
	if ((entry->mode & TREE_SETID) == 0 || keep || entry->type == COMPOSE_ENTRY_SYMLINK)
		return 0;
	entry->mode &= ~(uint32_t)TREE_SETID;
	return tree_remark(build, err, "%s: setuid or setgid of %s was dropped",
		tree_component(build, owner), entry->path);
}

/* In order of name it comes before all user.*. */
static int drop_capability(
	tree_build *build, uint32_t owner, compose_entry *entry, bool keep, hn_error **err)
{
	if (keep || entry->xattr_count == 0 ||
		strcmp(entry->xattrs[0].name, "security.capability") != 0)
		return 0;
	entry->xattrs++;
	entry->xattr_count--;
	return tree_remark(build, err, "%s: the file capability of %s was dropped",
		tree_component(build, owner), entry->path);
}

static int add_entry(tree_build *build, uint32_t owner, const compose_payload *payload,
	const compose_layer *layer, const base_map *groups, const compose_entry *from,
	hn_error **err)
{
	const compose_entry *first = from;
	compose_entry entry;
	uint32_t group;
	bool keep;
	int rc;

	build->doing =
		(tree_doing){.decision = "brings", .payload = payload, .written = from->path};
	if (from->type == COMPOSE_ENTRY_HARDLINK)
		first = find_entry(layer, from->target);
	keep = keeps_setuid(build, payload, first->path);
	entry = *first;
	group = (uint32_t)(uintptr_t)base_map_get(groups, first->path, strlen(first->path));
	rc = tree_alias_entry(build, entry.type, from->path, &entry.path, err);
	if (rc == 0)
		rc = drop_setuid(build, owner, &entry, keep, err);
	if (rc == 0)
		rc = drop_capability(build, owner, &entry, keep, err);
	return rc != 0 ? rc : tree_add(build, owner, &entry, group, err);
}

static int add_layer(tree_build *build, uint32_t owner, const compose_payload *payload,
	const compose_layer *layer, hn_error **err)
{
	BASE_AUTO_OF(base_map) base_map *groups = base_map_new(NULL);
	int rc;

	if (groups == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < layer->remark_count; i++) {
		rc = tree_remark(
			build, err, "%s: %s", tree_component(build, owner), layer->remarks[i]);
		if (rc != 0)
			return rc;
	}
	rc = group_links(build, owner, layer, groups, err);
	for (size_t i = 0; rc == 0 && i < layer->count; i++) {
		rc = tree_live(build, err);
		if (rc == 0)
			rc = add_entry(
				build, owner, payload, layer, groups, &layer->entries[i], err);
	}
	return rc;
}

static int add_file(tree_build *build, uint32_t owner, const compose_file *file, hn_error **err)
{
	compose_entry entry = {.type = file->link != NULL ? COMPOSE_ENTRY_SYMLINK
				       : file->directory  ? COMPOSE_ENTRY_DIRECTORY
							  : COMPOSE_ENTRY_FILE,
		.target = file->link,
		.mode = file->mode,
		.uid = file->uid,
		.gid = file->gid};
	int rc = tree_alias_entry(build, entry.type, file->path, &entry.path, err);

	build->doing = (tree_doing){.decision = "brings", .written = file->path};
	if (rc == 0)
		rc = drop_setuid(build, owner, &entry, build->allow_setuid, err);
	if (rc == 0 && entry.type == COMPOSE_ENTRY_FILE) {
		entry.size = file->text_size;
		rc = compose_store_put(
			build->store, file->text, file->text_size, &entry.content, err);
	}
	return rc != 0 ? rc : tree_add(build, owner, &entry, 0, err);
}

/* Only what came before can be replaced: a name that is not there is a mistake, or a component
 * that another version of the base brings. */
static int check_replaces(const tree_build *build, uint32_t owner, hn_error **err)
{
	const compose_manifest *manifest = build->parts[owner].manifest;

	for (size_t i = 0; i < manifest->replace_count; i++) {
		const compose_replacement *one = &manifest->replaces[i];
		uint32_t earlier = 0;

		while (earlier < owner &&
			strcmp(tree_component(build, earlier), one->component) != 0)
			earlier++;
		if (earlier == owner)
			return compose_fail(err, HN_ECONFLICT, &one->place,
				"name a component that is merged before this one",
				"%s replaces files of %s, which is no earlier component of this "
				"image",
				manifest->component, one->component);
	}
	return 0;
}

static int add_part(tree_build *build, uint32_t owner, hn_error **err)
{
	const compose_part *part = &build->parts[owner];
	const compose_manifest *manifest = part->manifest;
	int rc = check_replaces(build, owner, err);

	for (size_t i = 0; rc == 0 && i < manifest->payload_count; i++)
		rc = add_layer(build, owner, &manifest->payloads[i], part->layers[i], err);
	for (size_t i = 0; rc == 0 && i < manifest->file_count; i++)
		rc = add_file(build, owner, &manifest->files[i], err);
	return rc != 0 ? rc : tree_cmdline(build, owner, err);
}

static int find_base(tree_build *build, hn_error **err)
{
	for (uint32_t i = 0; i < build->part_count; i++) {
		if (build->parts[i].manifest->kind != COMPOSE_BASE_OS)
			continue;
		if (build->has_base)
			return compose_fail(err, HN_ECONFLICT, &build->parts[i].manifest->place,
				"take one of them", "%s and %s are both of kind base-os",
				tree_component(build, build->base), tree_component(build, i));
		build->has_base = true;
		build->base = i;
	}
	return 0;
}

/* A link that is asked about is itself meant, so only the directories before it are followed. */
static int find_asked(tree_build *build, hn_error **err)
{
	compose_trace *trace = build->trace;

	return trace == NULL ? 0
			     : tree_alias_entry(build, COMPOSE_ENTRY_SYMLINK, trace->asked,
				       &trace->path, err);
}

static int merge_all(tree_build *build, hn_error **err)
{
	static int (*const steps[])(tree_build *, hn_error **) = {tree_harden_remove, tree_accounts,
		tree_services, tree_harden_make, tree_modules, tree_harden_modes};
	int rc = find_base(build, err);

	if (rc == 0)
		rc = find_asked(build, err);
	build->doing.decision = "aliases";
	if (rc == 0)
		rc = tree_alias_links(build, err);
	for (uint32_t i = 0; rc == 0 && i < build->part_count; i++)
		rc = add_part(build, i, err);
	build->doing = (tree_doing){.decision = "makes"};
	for (size_t i = 0; rc == 0 && i < BASE_COUNT(steps); i++) {
		rc = tree_live(build, err);
		if (rc == 0)
			rc = steps[i](build, err);
	}
	return rc;
}

int compose_tree_merge(compose_store *store, const compose_part *parts, size_t count,
	bool allow_setuid, hn_cancel *cancel, compose_tree **tree, hn_error **err)
{
	return compose_tree_trace(store, parts, count, allow_setuid, cancel, NULL, tree, err);
}

static bool is_on_files(compose_act act)
{
	return act == COMPOSE_REMOVE || act == COMPOSE_MODE || act == COMPOSE_STRIP_SETUID;
}

/* The others are held against each other one by one, or against all users or services. */
static int check_acts(const compose_part *parts, size_t count, hn_error **err)
{
	uint64_t acts = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < parts[i].manifest->hardening_count; k++)
			acts += !is_on_files(parts[i].manifest->hardening[k].act);
	return base_limit_check(BASE_LIMIT_IMAGE_ACTS, acts, err);
}

int compose_tree_trace(compose_store *store, const compose_part *parts, size_t count,
	bool allow_setuid, hn_cancel *cancel, compose_trace *trace, compose_tree **tree,
	hn_error **err)
{
	tree_build build = {.store = store,
		.trace = trace,
		.parts = parts,
		.part_count = count,
		.allow_setuid = allow_setuid,
		.cancel = cancel,
		.arena = base_arena_new(),
		.index = base_map_new(NULL)};
	int rc = base_limit_check(BASE_LIMIT_BLUEPRINT_COMPONENTS, count, err);

	if (rc == 0 && count == 0)
		rc = base_error(err, HN_EINVAL, COMPOSE_ROOM, NULL, "an image of no components");
	if (rc == 0)
		rc = check_acts(parts, count, err);
	if (rc == 0 && (build.arena == NULL || build.index == NULL))
		rc = base_nomem(err);
	if (rc == 0)
		rc = merge_all(&build, err);
	if (rc == 0)
		rc = tree_finish(&build, tree, err);
	tree_services_free(&build);
	tree_replaces_free(&build);
	base_names_free(&build.remarks);
	base_names_free(&build.cmdline);
	base_map_free(build.index);
	base_free(build.nodes);
	base_arena_free(build.arena);
	return rc;
}

static int make(
	tree_build *build, uint32_t owner, compose_entry *entry, const char *path, hn_error **err)
{
	const compose_node *there;
	int rc = tree_alias_entry(build, entry->type, path, &entry->path, err);

	if (rc != 0)
		return rc;
	there = tree_at(build, entry->path);
	if (there == NULL)
		return tree_add(build, owner, entry, 0, err);
	rc = base_error(err, HN_ECONFLICT, COMPOSE_ROOM,
		"exclude it from the payload, or leave it out of \"files\"",
		"%s brings %s, which is made from all manifests",
		tree_component(build, there->owner), entry->path);
	base_error_fact(err, "path", entry->path);
	base_error_fact(err, "component", tree_component(build, there->owner));
	return rc;
}

int tree_make_file(tree_build *build, uint32_t owner, const char *path, uint32_t mode,
	const char *text, size_t size, hn_error **err)
{
	compose_entry entry = {.type = COMPOSE_ENTRY_FILE, .mode = mode, .size = size};
	int rc = compose_store_put(build->store, text, size, &entry.content, err);

	return rc != 0 ? rc : make(build, owner, &entry, path, err);
}

int tree_make_buf(tree_build *build, uint32_t owner, const char *path, uint32_t mode,
	const base_buf *text, hn_error **err)
{
	if (text->failed)
		return base_nomem(err);
	return tree_make_file(
		build, owner, path, mode, text->data == NULL ? "" : text->data, text->size, err);
}

int tree_make_link(
	tree_build *build, uint32_t owner, const char *path, const char *target, hn_error **err)
{
	compose_entry entry = {.type = COMPOSE_ENTRY_SYMLINK, .mode = 0777, .target = target};

	return make(build, owner, &entry, path, err);
}
