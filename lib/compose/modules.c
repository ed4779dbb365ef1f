/* SPDX-License-Identifier: MIT
 *
 * Kernel modules: what was asked for, with all that it needs, in the order in which to load it.
 * Debian's package has no modules.dep (its maintainer script makes it), so the modules say it
 * themselves. What nobody needs is left out of the image.
 */
#include "compose/elf-file.h"
#include "compose/tree-build.h"

enum { DEPTH = 64, NAME = 64, BUILTIN_BYTES = 1048576 };

/* "-" and "_" are one letter in names of modules. */
static bool normal(const char *text, size_t size, char name[NAME])
{
	if (size == 0 || size >= NAME)
		return false;
	for (size_t i = 0; i < size; i++)
		name[i] = text[i] == '-' ? '_' : text[i];
	name[size] = '\0';
	return true;
}

static bool in_modules(const char *path)
{
	return strncmp(path, "/lib/modules/", 13) == 0 ||
	       strncmp(path, "/usr/lib/modules/", 17) == 0;
}

bool tree_module_is_builtin_list(const char *path)
{
	return in_modules(path) && strcmp(strrchr(path, '/'), "/modules.builtin") == 0;
}

bool tree_module_name(const char *path, char name[NAME])
{
	const char *base = strrchr(path, '/') + 1;
	size_t size = strlen(base);

	if (!in_modules(path) || size < 4 || strcmp(base + size - 3, ".ko") != 0)
		return false;
	return normal(base, size - 3, name);
}

typedef struct field {
	int (*each)(void *arg, const char *name, hn_error **err);
	void *arg;
} field;

static int take_field(void *arg, const char *text, hn_error **err)
{
	const field *to = arg;
	char name[NAME];
	int rc = 0;

	if (strncmp(text, "depends=", 8) != 0)
		return 0;
	for (text += 8; rc == 0 && *text != '\0'; text += *text == ',' ? 1 : 0) {
		size_t size = strcspn(text, ",");

		if (!normal(text, size, name))
			return base_error(err, HN_EENTRY, COMPOSE_ROOM, NULL,
				"not a kernel module: a name in depends= of %zu bytes", size);
		rc = to->each(to->arg, name, err);
		text += size;
	}
	return rc;
}

int tree_module_depends(compose_store *store, const compose_entry *entry,
	int (*each)(void *arg, const char *name, hn_error **err), void *arg, hn_error **err)
{
	field to = {each, arg};
	elf_source source;
	elf_body body;
	int rc = elf_open_body(store, &entry->content, &body, &source, err);

	if (rc != 0)
		return rc;
	rc = elf_modinfo(&source, take_field, &to, err);
	elf_close_body(&body);
	return rc;
}

int tree_module_builtin(
	compose_store *store, const compose_entry *entry, base_map *set, hn_error **err)
{
	BASE_AUTO_FREE char *text = NULL;
	size_t size = 0;
	int rc = compose_store_load(store, &entry->content, BUILTIN_BYTES, &text, &size, err);

	for (size_t at = 0; rc == 0 && at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t line = end == NULL ? size - at : (size_t)(end - text) - at;
		const char *slash = memrchr(text + at, '/', line);
		size_t start = slash == NULL ? at : (size_t)(slash - text) + 1;
		size_t length = at + line - start;
		char name[NAME];

		if (length > 3 && normal(text + start, length - 3, name) &&
			base_map_put(set, name, strlen(name), set) != 0)
			rc = base_nomem(err);
		at += line + 1;
	}
	return rc;
}

/* --- the closure --- */

typedef enum state { UNSEEN, OPEN, DONE } state;
typedef struct module {
	size_t node;
	state state;
	bool twice; /* two files have this name */
} module;
typedef struct closure {
	tree_build *build;
	base_map *modules; /* name -> module, in the arena */
	base_map *builtin;
	base_buf list;
	int depth;
	const char *needs; /* who needs what is looked for */
} closure;

static int index_module(closure *all, size_t index, const char *name, hn_error **err)
{
	module *old = base_map_get(all->modules, name, strlen(name)), *one;

	if (old != NULL) {
		old->twice = true;
		return 0;
	}
	one = base_arena_alloc(all->build->arena, sizeof(*one));
	if (one == NULL)
		return base_nomem(err);
	one->node = index;
	return base_map_put(all->modules, name, strlen(name), one) != 0 ? base_nomem(err) : 0;
}

static int index_modules(closure *all, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < all->build->count; i++) {
		const compose_entry *entry = &all->build->nodes[i].entry;
		char name[NAME];

		if (entry->type != COMPOSE_ENTRY_FILE)
			continue;
		if (tree_module_name(entry->path, name))
			rc = index_module(all, i, name, err);
		else if (tree_module_is_builtin_list(entry->path))
			rc = tree_module_builtin(all->build->store, entry, all->builtin, err);
	}
	return rc;
}

static int load(void *arg, const char *name, hn_error **err);

static int load_file(closure *all, module *one, hn_error **err)
{
	const compose_entry *entry = &all->build->nodes[one->node].entry;
	const char *needs = all->needs;
	int rc = tree_live(all->build, err);

	one->state = OPEN;
	all->needs = entry->path;
	all->depth++;
	if (rc == 0)
		rc = tree_module_depends(all->build->store, entry, load, all, err);
	all->depth--;
	all->needs = needs;
	one->state = DONE;
	if (rc == 0)
		base_buf_format(&all->list, "%s\n", entry->path);
	else
		base_error_fact(err, "path", entry->path);
	return rc;
}

static int load(void *arg, const char *name, hn_error **err)
{
	closure *all = arg;
	module *one = base_map_get(all->modules, name, strlen(name));
	char quoted[BASE_QUOTE_SIZE];

	base_quote(quoted, name, strlen(name));
	if (one == NULL && base_map_has(all->builtin, name, strlen(name)))
		return 0;
	if (one == NULL)
		return base_error(err, HN_EMISSING, COMPOSE_ROOM,
			"modules are read uncompressed, from lib/modules of a kernel's package",
			"%s needs the kernel module %s, which is not in the image", all->needs,
			quoted);
	if (one->twice)
		return base_error(err, HN_ECONFLICT, COMPOSE_ROOM, "take one kernel only",
			"two kernel modules of the image are named %s", quoted);
	if (one->state == DONE)
		return 0;
	if (one->state == OPEN || all->depth == DEPTH)
		return base_error(err, HN_EENTRY, COMPOSE_ROOM, NULL, "the kernel module %s %s",
			quoted,
			one->state == OPEN ? "needs, by others, itself"
					   : "is needed by a chain of 64 others");
	return load_file(all, one, err);
}

static int load_wanted(closure *all, const compose_manifest *manifest, hn_error **err)
{
	int rc = 0;

	all->needs = manifest->component;
	for (size_t i = 0; rc == 0 && i < manifest->module_count; i++) {
		char name[NAME];

		if (!normal(manifest->modules[i], strlen(manifest->modules[i]), name))
			return compose_fail(err, HN_ESCHEMA, &manifest->place, "at most 63 bytes",
				"this is no name of a kernel module");
		rc = load(all, name, err);
	}
	return rc;
}

/* What the image does not load it does not carry. */
static int prune(closure *all, hn_error **err)
{
	size_t dropped = 0, size;
	const char *key;
	void *value;

	for (size_t i = 0; i < base_map_slots(all->modules); i++) {
		const module *one;

		if (!base_map_at(all->modules, i, &key, &size, &value))
			continue;
		one = value;
		if (one->state == DONE || one->twice)
			continue;
		all->build->doing.by = all->build->base;
		tree_drop(all->build, &all->build->nodes[one->node]);
		dropped++;
	}
	return dropped == 0
		       ? 0
		       : tree_remark(all->build, err,
				 "%zu kernel modules that nobody needs were left out", dropped);
}

static int close_over(closure *all, hn_error **err)
{
	const tree_build *build = all->build;
	int rc = index_modules(all, err);

	for (size_t i = 0; rc == 0 && i < build->part_count; i++)
		rc = load_wanted(all, build->parts[i].manifest, err);
	if (rc == 0)
		rc = prune(all, err);
	return rc != 0 ? rc
		       : tree_make_buf(all->build, build->base, TREE_HOME "/modules", 0644,
				 &all->list, err);
}

static bool any_wanted(const tree_build *build)
{
	for (size_t i = 0; i < build->part_count; i++)
		if (build->parts[i].manifest->module_count != 0)
			return true;
	return false;
}

int tree_modules(tree_build *build, hn_error **err)
{
	closure all = {.build = build};
	int rc;

	if (!any_wanted(build))
		return 0;
	all.modules = base_map_new(NULL);
	all.builtin = base_map_new(NULL);
	rc = all.modules == NULL || all.builtin == NULL ? base_nomem(err) : close_over(&all, err);
	base_map_free(all.modules);
	base_map_free(all.builtin);
	base_buf_free(&all.list);
	return rc;
}
