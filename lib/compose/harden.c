/* SPDX-License-Identifier: MIT
 *
 * What manifests ask for to make an image harder to abuse. An act whose goal holds already is a
 * remark; one that cannot be done is refused.
 */
#include "compose/tree-build.h"

#include <stdlib.h>

typedef int (*act_fn)(
	tree_build *build, uint32_t owner, const compose_hardening *act, void *arg, hn_error **err);

static int each(tree_build *build, compose_act act, act_fn fn, void *arg, hn_error **err)
{
	for (uint32_t i = 0; i < build->part_count; i++) {
		const compose_manifest *manifest = build->parts[i].manifest;

		for (size_t j = 0; j < manifest->hardening_count; j++) {
			build->doing.by = i;
			int rc = tree_live(build, err);

			if (rc == 0 && manifest->hardening[j].act == act)
				rc = fn(build, i, &manifest->hardening[j], arg, err);
			if (rc != 0)
				return rc;
		}
	}
	return 0;
}

bool tree_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool is_word(const char *text)
{
	return text != NULL && text[0] != '\0' && tree_plain(text) && strchr(text, ' ') == NULL;
}

static int not_plain(const compose_hardening *act, hn_error **err)
{
	return compose_fail(err, HN_ESCHEMA, &act->place,
		"words without spaces and control characters", "this cannot be written");
}

/* --- the kernel's command line --- */

static bool single(const char *word, size_t *size)
{
	static const char *const words[] = {"root=", "init=", "rdinit="};

	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		*size = strlen(words[i]);
		if (strncmp(word, words[i], *size) == 0)
			return true;
	}
	return false;
}

static int add_word(tree_build *build, uint32_t owner, const compose_place *place, const char *word,
	hn_error **err)
{
	uint64_t bytes = word == NULL ? 0 : strlen(word);
	size_t size;
	int rc;

	if (!is_word(word))
		return compose_fail(err, HN_ESCHEMA, place, "one word, without spaces",
			"this is no word of a kernel's command line");
	for (size_t i = 0; i < build->cmdline.count; i++) {
		const char *other = build->cmdline.items[i];

		bytes += strlen(other) + 1;
		if (single(word, &size) && strncmp(word, other, size) == 0 &&
			strcmp(word, other) != 0)
			return compose_fail(err, HN_ECONFLICT, place, "leave one of them out",
				"%s asks for %s on the kernel's command line, which has %s already",
				tree_component(build, owner), word, other);
	}
	rc = base_limit_check(BASE_LIMIT_CMDLINE_BYTES, bytes, err);
	if (rc == 0 && base_names_add(&build->cmdline, word) != 0)
		rc = base_nomem(err);
	return rc;
}

int tree_cmdline(tree_build *build, uint32_t owner, hn_error **err)
{
	const compose_manifest *manifest = build->parts[owner].manifest;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < manifest->cmdline_count; i++)
		rc = add_word(build, owner, &manifest->place, manifest->cmdline[i], err);
	for (size_t i = 0; rc == 0 && i < manifest->hardening_count; i++)
		if (manifest->hardening[i].act == COMPOSE_CMDLINE)
			rc = add_word(build, owner, &manifest->hardening[i].place,
				manifest->hardening[i].value, err);
	return rc;
}

/* Name and value, borrowed or in the arena. */
typedef struct rows {
	struct row {
		const char *name, *value;
		uint32_t owner;
	} * items;
	size_t count, capacity;
} rows;

static struct row *find_row(const rows *all, const char *name)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->items[i].name, name) == 0)
			return &all->items[i];
	return NULL;
}

static int add_row(rows *all, uint32_t owner, const char *name, const char *value, hn_error **err)
{
	if (base_grow(&all->items, &all->capacity, all->count + 1, sizeof(*all->items)) != 0)
		return base_nomem(err);
	all->items[all->count++] = (struct row){name, value, owner};
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

static void sort_rows(rows *all)
{
	if (all->count != 0)
		qsort(all->items, all->count, sizeof(*all->items), by_name);
}

/* --- acts on what is in the tree --- */

static int absent(tree_build *build, uint32_t owner, const char *path, hn_error **err)
{
	return tree_remark(build, err, "%s: nothing to do at %s: it is not in the image",
		tree_component(build, owner), path);
}

/* What is removed: a value when it was found. */
typedef struct removal {
	rows paths;
	base_map *index; /* path -> number of its first row + 1 */
} removal;

static int add_removal(
	tree_build *build, uint32_t owner, const compose_hardening *act, void *arg, hn_error **err)
{
	removal *all = arg;
	const char *path = NULL;
	int rc = tree_alias_entry(build, COMPOSE_ENTRY_SYMLINK, act->path, &path, err);

	if (rc == 0)
		rc = add_row(&all->paths, owner, path, NULL, err);
	if (rc != 0 || base_map_has(all->index, path, strlen(path)))
		return rc;
	return base_map_put(all->index, path, strlen(path), (void *)(uintptr_t)all->paths.count) !=
			       0
		       ? base_nomem(err)
		       : 0;
}

/* The first that removes it, or a directory that it is below. */
static struct row *remover(const removal *all, const char *path)
{
	uintptr_t first = 0;

	for (const char *end = path; *end != '\0';) {
		uintptr_t number;

		end += 1 + strcspn(end + 1, "/");
		number = (uintptr_t)base_map_get(all->index, path, (size_t)(end - path));
		if (number != 0 && (first == 0 || number < first))
			first = number;
	}
	return first == 0 ? NULL : &all->paths.items[first - 1];
}

static int remove_paths(tree_build *build, const removal *all, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < build->count; i++) {
		compose_node *node = &build->nodes[i];
		struct row *by = node->entry.type == 0 ? NULL : remover(all, node->entry.path);

		if (by != NULL) {
			by->value = by->name;
			build->doing.by = by->owner;
			tree_drop(build, node);
		}
		rc = tree_live(build, err);
	}
	for (size_t i = 0; rc == 0 && i < all->paths.count; i++)
		if (all->paths.items[i].value == NULL)
			rc = absent(
				build, all->paths.items[i].owner, all->paths.items[i].name, err);
	return rc;
}

int tree_harden_remove(tree_build *build, hn_error **err)
{
	removal all = {.index = base_map_new(NULL)};
	int rc = all.index == NULL ? base_nomem(err)
				   : each(build, COMPOSE_REMOVE, add_removal, &all, err);

	if (rc == 0 && all.paths.count != 0)
		rc = remove_paths(build, &all, err);
	base_free(all.paths.items);
	base_map_free(all.index);
	return rc;
}

static void change(tree_build *build, compose_node *node, uint32_t mode)
{
	if (node->entry.mode == mode)
		return;
	node->entry.mode = mode;
	tree_note(build, "changes", build->doing.by, node->owner, &node->entry);
}

/* Of each node the next name of its inode; the last one has the first. */
static uint32_t *link_names(const tree_build *build)
{
	BASE_AUTO_FREE uint32_t *first = base_calloc((size_t)build->groups + 1, sizeof(*first));
	uint32_t *names = base_calloc(build->count + 1, sizeof(*names));

	for (uint32_t i = 0; first != NULL && names != NULL && i < build->count; i++) {
		uint32_t *head = &first[build->nodes[i].group]; /* and 1: 0 is none */

		names[i] = i;
		if (build->nodes[i].group == 0)
			continue;
		if (*head != 0) {
			names[i] = names[*head - 1];
			names[*head - 1] = i;
		}
		*head = i + 1;
	}
	if (first == NULL)
		base_free(BASE_STEAL(names));
	return names;
}

/* All names of an inode have one mode. */
static void set_mode(tree_build *build, const uint32_t *names, compose_node *node, uint32_t mode)
{
	uint32_t self = (uint32_t)(node - build->nodes);

	if (node->entry.mode == mode)
		return;
	change(build, node, mode);
	for (uint32_t i = names[self]; i != self; i = names[i])
		change(build, &build->nodes[i], mode);
}

static void strip_all(tree_build *build)
{
	for (size_t i = 0; i < build->count; i++)
		if (build->nodes[i].entry.type != 0)
			change(build, &build->nodes[i],
				build->nodes[i].entry.mode & ~(uint32_t)TREE_SETID);
}

static int strip(
	tree_build *build, uint32_t owner, const compose_hardening *act, void *arg, hn_error **err)
{
	const char *path = NULL;
	compose_node *node;
	int rc;

	if (act->path == NULL) {
		strip_all(build);
		return 0;
	}
	rc = tree_alias(build, act->path, &path, err);
	if (rc != 0)
		return rc;
	node = tree_at(build, path);
	if (node == NULL)
		return absent(build, owner, path, err);
	set_mode(build, arg, node, node->entry.mode & ~(uint32_t)TREE_SETID);
	return 0;
}

static int change_mode(
	tree_build *build, uint32_t owner, const compose_hardening *act, void *arg, hn_error **err)
{
	const char *path = NULL;
	compose_node *node;
	int rc = tree_alias(build, act->path, &path, err);

	if (rc != 0)
		return rc;
	node = tree_at(build, path);
	if (node == NULL)
		return compose_fail(err, HN_EMISSING, &act->place,
			"correct the path, or leave the act out",
			"%s sets the mode of %s, which is not in the image",
			tree_component(build, owner), path);
	if (node->entry.type == COMPOSE_ENTRY_SYMLINK)
		return compose_fail(err, HN_EENTRY, &act->place, "name what the link leads to",
			"%s is a link and has no mode", path);
	if ((act->mode & TREE_SETID) != 0 && !build->allow_setuid)
		return compose_fail(err, HN_EENTRY, &act->place, "set security.setuid",
			"%s may not get a setuid or setgid bit", path);
	set_mode(build, arg, node, act->mode);
	return 0;
}

int tree_harden_modes(tree_build *build, hn_error **err)
{
	BASE_AUTO_FREE uint32_t *names = link_names(build);
	int rc = names == NULL ? base_nomem(err)
			       : each(build, COMPOSE_MODE, change_mode, names, err);

	return rc != 0 ? rc : each(build, COMPOSE_STRIP_SETUID, strip, names, err);
}

/* --- acts that the guest does: lists for its init --- */

static int add_sysctl(
	tree_build *build, uint32_t owner, const compose_hardening *act, void *arg, hn_error **err)
{
	struct row *other;

	if (!is_word(act->name) || act->value == NULL || !tree_plain(act->value))
		return not_plain(act, err);
	other = find_row(arg, act->name);
	if (other == NULL)
		return add_row(arg, owner, act->name, act->value, err);
	if (strcmp(other->value, act->value) == 0)
		return 0;
	return compose_fail(err, HN_ECONFLICT, &act->place, "let both say the same",
		"%s sets %s to %s, %s to %s", tree_component(build, owner), act->name, act->value,
		tree_component(build, other->owner), other->value);
}

static int write_sysctls(tree_build *build, rows *all, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};
	int rc = each(build, COMPOSE_SYSCTL, add_sysctl, all, err);

	if (rc != 0 || all->count == 0)
		return rc;
	sort_rows(all);
	for (size_t i = 0; i < all->count; i++)
		base_buf_format(&text, "%s = %s\n", all->items[i].name, all->items[i].value);
	return tree_make_buf(
		build, build->base, "/etc/sysctl.d/60-hypernix.conf", 0644, &text, err);
}

/* "nodev" is in "nosuid,nodev". */
static bool has_option(const base_buf *options, const char *word)
{
	size_t size = strlen(word);
	const char *at = options->data;

	while (at != NULL && *at != '\0') {
		size_t one = strcspn(at, ",");

		if (one == size && memcmp(at, word, size) == 0)
			return true;
		at += one + (at[one] == ',' ? 1 : 0);
	}
	return false;
}

/* Two that mount one path: all options of both. */
static int add_mount(
	tree_build *build, uint32_t owner, const compose_hardening *act, void *arg, hn_error **err)
{
	BASE_AUTO_BUF base_buf options = {0};
	const char *path = NULL, *text;
	struct row *row;
	int rc =
		is_word(act->path) ? tree_alias(build, act->path, &path, err) : not_plain(act, err);

	if (rc != 0)
		return rc;
	row = find_row(arg, path);
	if (row != NULL)
		base_buf_text(&options, row->value);
	for (size_t i = 0; i < act->word_count; i++) {
		if (!is_word(act->words[i]) || strchr(act->words[i], ',') != NULL)
			return not_plain(act, err);
		if (!has_option(&options, act->words[i]))
			base_buf_format(
				&options, "%s%s", options.size == 0 ? "" : ",", act->words[i]);
	}
	if (options.size == 0)
		return options.failed ? base_nomem(err) : not_plain(act, err);
	text = base_arena_strndup(build->arena, options.data, options.size);
	if (text == NULL || options.failed)
		return base_nomem(err);
	if (row == NULL)
		return add_row(arg, owner, path, text, err);
	row->value = text;
	return 0;
}

static int write_mounts(tree_build *build, rows *all, hn_error **err)
{
	const tree_init_ops *init = tree_init(build);
	BASE_AUTO_BUF base_buf text = {0};
	int rc = each(build, COMPOSE_MOUNT, add_mount, all, err);

	if (rc != 0 || all->count == 0)
		return rc;
	sort_rows(all);
	for (size_t i = 0; rc == 0 && i < all->count; i++) {
		const struct row *row = &all->items[i];

		base_buf_format(&text, "%s %s\n", row->name, row->value);
		if (init != NULL && init->mount != NULL)
			rc = init->mount(build, row->owner, row->name, row->value, err);
	}
	if (rc != 0 || (init != NULL && init->mount != NULL))
		return rc;
	return tree_make_buf(build, build->base, TREE_HOME "/mounts", 0644, &text, err);
}

static int note_readonly(
	tree_build *build, uint32_t owner, const compose_hardening *act, void *arg, hn_error **err)
{
	(void)build;
	(void)owner;
	(void)act;
	(void)err;
	*(bool *)arg = true;
	return 0;
}

typedef struct wanted {
	const char *name;
	bool found;
} wanted;

static int match_lock(
	tree_build *build, uint32_t owner, const compose_hardening *act, void *arg, hn_error **err)
{
	wanted *account = arg;

	(void)build;
	(void)owner;
	(void)err;
	account->found = account->found || strcmp(act->name, account->name) == 0;
	return 0;
}

bool tree_account_locked(tree_build *build, const char *name)
{
	wanted account = {.name = name};

	each(build, COMPOSE_LOCK_ACCOUNT, match_lock, &account, NULL);
	return account.found;
}

static int remark_lock(
	tree_build *build, uint32_t owner, const compose_hardening *act, void *arg, hn_error **err)
{
	(void)arg;
	if (tree_user_known(build->parts, build->part_count, act->name))
		return 0;
	return tree_remark(build, err, "%s: there is no account %s to lock",
		tree_component(build, owner), act->name);
}

int tree_harden_make(tree_build *build, hn_error **err)
{
	rows sysctls = {0}, mounts = {0};
	bool readonly = false;
	int rc = write_sysctls(build, &sysctls, err);

	if (rc == 0)
		rc = write_mounts(build, &mounts, err);
	base_free(sysctls.items);
	base_free(mounts.items);
	if (rc == 0)
		rc = each(build, COMPOSE_READONLY_ROOT, note_readonly, &readonly, err);
	if (rc == 0 && readonly)
		rc = tree_make_file(
			build, build->base, TREE_HOME "/readonly-root", 0644, "", 0, err);
	return rc != 0 ? rc : each(build, COMPOSE_LOCK_ACCOUNT, remark_lock, NULL, err);
}
