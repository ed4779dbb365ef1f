/* SPDX-License-Identifier: MIT
 *
 * Whether a tree has all that it needs to run: what an executable's loader, a script's first line,
 * a service and a kernel module name must be there. This is what makes leaving packages out safe.
 */
#include "compose/elf-file.h"
#include "compose/tree-build.h"

#include <elf.h>

enum { HEAD = 256, SHORTEST = 4, ANSWER = CRYPTO_DIGEST + 2 + TREE_PATH };

/* What the checks of all files share. */
typedef struct looks {
	uint64_t names; /* looked up for libraries, directory by directory */
	bool origin;    /* the file that is looked at asked for its own directory */
	base_map *good; /* bodies that were looked into: they are as good by their other names */
} looks;
typedef struct check {
	compose_store *store;
	const compose_tree *tree;
	const compose_part *parts;
	size_t part_count;
	const compose_node *node; /* that is looked at */
	hn_cancel *cancel;
	looks *looks;
} check;

static int is_live(const check *all, hn_error **err)
{
	return all->cancel != NULL && hn_cancel_triggered(all->cancel)
		       ? base_error(
				 err, HN_ECANCELLED, COMPOSE_ROOM, NULL, "the build was cancelled")
		       : 0;
}

static const compose_node *lookup(const check *all, const char *path)
{
	const compose_node *node = NULL;

	return tree_walk(all->tree, path, &node) == TREE_FOUND ? node : NULL;
}

static bool is_executable(const compose_node *node)
{
	return node != NULL && node->entry.type == COMPOSE_ENTRY_FILE &&
	       (node->entry.mode & TREE_EXEC) != 0;
}

/* "what": "the library x", as the file that is looked at needs it. */
static int missing(const check *all, const char *what, const char *needs, const char *where,
	const char *hint, hn_error **err)
{
	const char *component = all->tree->components[all->node->owner];
	char quoted[BASE_QUOTE_SIZE];

	base_quote(quoted, needs, strlen(needs));
	base_error(err, HN_EMISSING, COMPOSE_ROOM, hint,
		"%s of %s needs the %s %s, which is not %s", all->node->entry.path, component, what,
		quoted, where);
	base_error_fact(err, "path", all->node->entry.path);
	base_error_fact(err, "component", component);
	base_error_fact(err, "needs", quoted);
	return HN_EMISSING;
}

/* --- shared libraries: no ld.so.cache is made, so only what the loader finds without it --- */

static void count_look(void *arg, const compose_node *node)
{
	(void)node;
	++((looks *)arg)->names;
}

/* None is found any more when too many were looked up: who asks for libraries says so. */
static bool has_library(const check *all, const char *directory, size_t size, const char *name)
{
	char path[2 * TREE_PATH];
	int length = snprintf(path, sizeof(path), "%.*s/%s", (int)size, directory, name);
	const compose_node *node;

	if (length < 0 || (size_t)length >= sizeof(path) ||
		all->looks->names++ > base_limit(BASE_LIMIT_IMAGE_LOOKUPS))
		return false;
	return tree_walk_by(all->tree, path, &node, count_look, all->looks) == TREE_FOUND &&
	       node->entry.type == COMPOSE_ENTRY_FILE;
}

static bool in_default(const check *all, uint16_t machine, const char *name)
{
	static const char *const x86[] = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu"};
	static const char *const arm[] = {"/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu"};
	static const char *const any[] = {
		"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"};

	for (size_t i = 0; i < BASE_COUNT(x86); i++) {
		const char *own = machine == EM_AARCH64 ? arm[i] : x86[i];

		if (has_library(all, own, strlen(own), name))
			return true;
	}
	for (size_t i = 0; i < BASE_COUNT(any); i++)
		if (has_library(all, any[i], strlen(any[i]), name))
			return true;
	return false;
}

/* $ORIGIN, ${ORIGIN}: the directory of the file itself. */
static bool expand(const check *all, const char *from, size_t size, char out[TREE_PATH])
{
	static const char *const names[] = {"$ORIGIN", "${ORIGIN}"};
	const char *path = all->node->entry.path;
	int origin = (int)(strrchr(path, '/') - path);
	int length = -1;

	for (size_t i = 0; length < 0 && i < BASE_COUNT(names); i++) {
		size_t skip = strlen(names[i]);

		if (size < skip || memcmp(from, names[i], skip) != 0)
			continue;
		all->looks->origin = true;
		length = snprintf(
			out, TREE_PATH, "%.*s%.*s", origin, path, (int)(size - skip), from + skip);
	}
	if (length < 0)
		length = snprintf(out, TREE_PATH, "%.*s", (int)size, from);
	return length > 0 && length < TREE_PATH;
}

static bool in_runpath(const check *all, const char *runpath, const char *name)
{
	char directory[TREE_PATH];

	while (runpath != NULL && *runpath != '\0') {
		size_t size = strcspn(runpath, ":");

		if (size != 0 && expand(all, runpath, size, directory) &&
			has_library(all, directory, strlen(directory), name))
			return true;
		runpath += size + (runpath[size] == ':' ? 1 : 0);
	}
	return false;
}

static bool is_found(const check *all, const elf_file *elf, const char *name)
{
	if (strchr(name, '/') != NULL)
		return name[0] == '/' && lookup(all, name) != NULL;
	return in_runpath(all, elf->runpath, name) || in_default(all, elf->machine, name);
}

static int check_needs(const check *all, const elf_file *elf, hn_error **err)
{
	if (elf->interpreter != NULL && !is_executable(lookup(all, elf->interpreter)))
		return missing(all, "loader", elf->interpreter, "in the image",
			"add the component or payload that has it", err);
	for (size_t i = 0; i < elf->needed_count; i++) {
		bool found = is_found(all, elf, elf->needed[i]);
		int rc = base_limit_check(BASE_LIMIT_IMAGE_LOOKUPS, all->looks->names, err);

		if (rc == 0)
			rc = is_live(all, err);
		if (rc != 0)
			return rc;
		if (!found)
			return missing(all, "library", elf->needed[i],
				"in a library directory of the image",
				"add the component or payload that has it", err);
	}
	return 0;
}

static int check_elf(const check *all, const elf_source *source, hn_error **err)
{
	BASE_AUTO_OF(base_arena) base_arena *arena = base_arena_new();
	elf_file elf;
	int rc = arena == NULL ? base_nomem(err) : elf_read(source, arena, &elf, err);

	if (rc == HN_EENTRY)
		return base_error_wrap(err, HN_EENTRY, COMPOSE_ROOM, "%s of %s",
			all->node->entry.path, all->tree->components[all->node->owner]);
	return rc != 0 || elf.foreign ? rc : check_needs(all, &elf, err);
}

/* --- scripts --- */

static int check_script(const check *all, char *head, hn_error **err)
{
	char *name = head + 2 + strspn(head + 2, " \t");

	name[strcspn(name, " \t\r\n")] = '\0';
	if (name[0] == '/' && is_executable(lookup(all, name)))
		return 0;
	return missing(all, "interpreter", name, "in the image",
		"add the component that has it, or exclude the script", err);
}

static int check_body(const check *all, const elf_source *source, hn_error **err)
{
	char head[HEAD + 1] = {0};
	size_t size = source->size < HEAD ? (size_t)source->size : HEAD;
	int rc = source->read(source->arg, 0, head, size, err);

	if (rc != 0)
		return rc;
	if (elf_is((const uint8_t *)head, size))
		return check_elf(all, source, err);
	if (head[0] == '#' && head[1] == '!' && is_executable(all->node))
		return check_script(all, head, err);
	return 0;
}

static bool is_library(const char *path)
{
	const char *name = strrchr(path, '/'), *at = strstr(name, ".so");

	return at != NULL && (at[3] == '\0' || at[3] == '.');
}

/* What the answer depends on: the body, whether it is run, and where it is when it asks for that.
 */
static size_t name_answer(const compose_node *node, bool origin, uint8_t name[ANSWER])
{
	const compose_entry *entry = &node->entry;
	size_t size = origin ? (size_t)(strrchr(entry->path, '/') - entry->path) : 0;

	memcpy(name, entry->content.bytes, CRYPTO_DIGEST);
	name[CRYPTO_DIGEST] = is_executable(node) ? 1 : 0;
	name[CRYPTO_DIGEST + 1] = origin ? 1 : 0;
	memcpy(name + CRYPTO_DIGEST + 2, entry->path, size);
	return CRYPTO_DIGEST + 2 + size;
}

static bool is_answered(const check *all)
{
	uint8_t name[ANSWER];
	size_t size = name_answer(all->node, false, name);

	if (base_map_has(all->looks->good, name, size))
		return true;
	size = name_answer(all->node, true, name);
	return base_map_has(all->looks->good, name, size);
}

static int look_into(const check *all, hn_error **err)
{
	uint8_t name[ANSWER];
	elf_source source;
	elf_body body;
	size_t size;
	int rc = elf_open_body(all->store, &all->node->entry.content, &body, &source, err);

	if (rc != 0)
		return rc;
	all->looks->origin = false;
	rc = check_body(all, &source, err);
	elf_close_body(&body);
	if (rc != 0)
		return rc;
	size = name_answer(all->node, all->looks->origin, name);
	return base_map_put(all->looks->good, name, size, all->looks) != 0 ? base_nomem(err) : 0;
}

static int check_file(check *all, const compose_node *node, hn_error **err)
{
	int rc = is_live(all, err);

	all->node = node;
	if (rc != 0 || node->entry.type != COMPOSE_ENTRY_FILE || node->entry.size < SHORTEST ||
		!(is_executable(node) || is_library(node->entry.path)))
		return rc;
	return is_answered(all) ? 0 : look_into(all, err);
}

/* --- services --- */

static int lacks(const compose_place *place, const char *who, const char *what, const char *hint,
	hn_error **err)
{
	char quoted[BASE_QUOTE_SIZE];
	int rc;

	base_quote(quoted, what, strlen(what));
	rc = compose_fail(err, HN_EMISSING, place, hint,
		"%s needs %s, which is no executable file of the image", who, quoted);
	base_error_fact(err, "needs", quoted);
	return rc;
}

static int check_program(
	const check *all, const compose_service *service, const char *const *words, hn_error **err)
{
	char who[BASE_QUOTE_SIZE];

	snprintf(who, sizeof(who), "the service %s", service->name);
	if (words == NULL || (words[0][0] == '/' && is_executable(lookup(all, words[0]))))
		return 0;
	return lacks(&service->place, who, words[0], "name the program by its whole path", err);
}

static const compose_manifest *base_of(const check *all)
{
	for (size_t i = 0; i < all->part_count; i++)
		if (all->parts[i].manifest->kind == COMPOSE_BASE_OS)
			return all->parts[i].manifest;
	return NULL;
}

/* busybox's own setpriv cannot take a capability from root. */
static bool can_drop(const check *all)
{
	const compose_node *node = lookup(all, "/usr/bin/setpriv");

	return is_executable(node) && strcmp(strrchr(node->entry.path, '/'), "/busybox") != 0;
}

static int check_drop(const check *all, const compose_service *service, hn_error **err)
{
	if (service->user != NULL || can_drop(all))
		return 0; /* who is not root has none, and gets none back */
	for (size_t i = 0; i < all->part_count; i++) {
		const compose_manifest *manifest = all->parts[i].manifest;

		for (size_t j = 0; j < manifest->hardening_count; j++) {
			const compose_hardening *act = &manifest->hardening[j];

			if (act->act == COMPOSE_DROP_CAPS && strcmp(act->name, service->name) == 0)
				return lacks(&act->place, "drop-caps of a service of root",
					"/usr/bin/setpriv",
					"add util-linux, whose setpriv it is (busybox's cannot do "
					"it), or let the service run as a user",
					err);
		}
	}
	return 0;
}

static int check_services(
	const check *all, const compose_manifest *manifest, bool busybox, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < manifest->service_count; i++) {
		const compose_service *service = &manifest->services[i];

		rc = check_program(all, service, service->exec, err);
		if (rc == 0 && service->ready.within != 0 &&
			service->ready.kind == COMPOSE_CHECK_EXEC)
			rc = check_program(all, service, service->ready.argv, err);
		if (rc == 0 && busybox)
			rc = check_drop(all, service, err);
	}
	return rc;
}

/* What the rendered services call. */
static int check_init(const check *all, const compose_manifest *base, bool busybox, hn_error **err)
{
	static const char *const scripts[] = {TREE_HOME "/ready", TREE_HOME "/probe",
		TREE_HOME "/boot", TREE_HOME "/supervise", TREE_HOME "/shutdown", "/sbin/init"};
	char who[BASE_QUOTE_SIZE];

	snprintf(who, sizeof(who), "the init of %s", base->component);
	for (size_t i = 0; i < (busybox ? BASE_COUNT(scripts) : 2); i++)
		if (!is_executable(lookup(all, scripts[i])))
			return lacks(&base->place, who, scripts[i],
				"the base of examples/components/busybox-base has it", err);
	return 0;
}

static int check_running(const check *all, hn_error **err)
{
	const compose_manifest *base = base_of(all);
	bool busybox = base != NULL && base->init != NULL && strcmp(base->init, "busybox") == 0;
	int rc = base == NULL || base->init == NULL ? 0 : check_init(all, base, busybox, err);

	for (size_t i = 0; rc == 0 && i < all->part_count; i++)
		rc = check_services(all, all->parts[i].manifest, busybox, err);
	return rc;
}

/* --- kernel modules --- */

typedef struct modules {
	check *all;
	base_map *names;
} modules;

static int name_modules(const modules *of, hn_error **err)
{
	const compose_tree *tree = of->all->tree;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < tree->count; i++) {
		const compose_entry *entry = &tree->nodes[i].entry;
		char name[64];

		if (entry->type != COMPOSE_ENTRY_FILE)
			continue;
		if (tree_module_name(entry->path, name)) {
			if (base_map_put(of->names, name, strlen(name), of->all) != 0)
				rc = base_nomem(err);
		} else if (tree_module_is_builtin_list(entry->path)) {
			rc = tree_module_builtin(of->all->store, entry, of->names, err);
		}
	}
	return rc;
}

static int check_depend(void *arg, const char *name, hn_error **err)
{
	const modules *of = arg;

	if (base_map_has(of->names, name, strlen(name)))
		return 0;
	return missing(of->all, "kernel module", name, "in the image",
		"add it, or exclude the module that needs it", err);
}

static int check_modules(check *all, hn_error **err)
{
	modules of = {all, base_map_new(NULL)};
	int rc = of.names == NULL ? base_nomem(err) : name_modules(&of, err);

	for (size_t i = 0; rc == 0 && i < all->tree->count; i++) {
		const compose_node *node = &all->tree->nodes[i];
		char name[64];

		all->node = node;
		rc = is_live(all, err);
		if (rc == 0 && node->entry.type == COMPOSE_ENTRY_FILE &&
			tree_module_name(node->entry.path, name))
			rc = tree_module_depends(all->store, &node->entry, check_depend, &of, err);
	}
	base_map_free(of.names);
	return rc;
}

int compose_tree_check(compose_store *store, const compose_tree *tree, const compose_part *parts,
	size_t count, hn_cancel *cancel, hn_error **err)
{
	looks so_far = {.good = base_map_new(NULL)};
	check all = {.store = store,
		.tree = tree,
		.parts = parts,
		.part_count = count,
		.cancel = cancel,
		.looks = &so_far};
	int rc = so_far.good == NULL ? base_nomem(err) : 0;

	for (size_t i = 0; rc == 0 && i < tree->count; i++)
		rc = check_file(&all, &tree->nodes[i], err);
	if (rc == 0)
		rc = check_running(&all, err);
	if (rc == 0)
		rc = check_modules(&all, err);
	base_map_free(so_far.good);
	return rc;
}
