/* SPDX-License-Identifier: MIT
 *
 * Paths and directories of the simulated disk. A change of entries is seen at once, and is on the
 * disk only when a directory that it touches was synced.
 */
#include "os/sim-private.h"
#include <errno.h>
#include <stdlib.h>

/* The next component; false at the end. "." is skipped; there are no symlinks, so ".." has no use
 * and no support. */
static bool next_component(const char **path, const char **part, size_t *size)
{
	do {
		*path += strspn(*path, "/");
		*part = *path;
		*size = strcspn(*path, "/");
		*path += *size;
	} while (*size == 1 && **part == '.');
	return *size > 0;
}

static int copy_name(char name[SIM_NAME_MAX + 1], const char *part, size_t size)
{
	if (size > SIM_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, part, size);
	name[size] = '\0';
	return strcmp(name, "..") == 0 ? -EINVAL : 0;
}

/* Walks to the last component: its directory, and its name ("" for the root itself). */
static int walk(sim *system, const char *path, sim_node **parent, char name[SIM_NAME_MAX + 1])
{
	sim_node *at = system->root;
	const char *part;
	size_t size;
	int code;

	if (path[0] != '/')
		return -EINVAL;
	name[0] = '\0';
	while (next_component(&path, &part, &size)) {
		if (name[0] != '\0') {
			at = sim_entries_find(&at->live_entries, name);
			if (at == NULL)
				return -ENOENT;
			if (!S_ISDIR(at->mode))
				return -ENOTDIR;
		}
		code = copy_name(name, part, size);
		if (code < 0)
			return code;
	}
	*parent = at;
	return 0;
}

int sim_find(sim *system, const char *path, sim_node **found)
{
	char name[SIM_NAME_MAX + 1];
	sim_node *parent;
	int code = walk(system, path, &parent, name);

	if (code < 0)
		return code;
	*found = name[0] == '\0' ? parent : sim_entries_find(&parent->live_entries, name);
	return *found == NULL ? -ENOENT : 0;
}

int sim_find_parent(sim *system, const char *path, sim_node **parent, char name[SIM_NAME_MAX + 1])
{
	int code = walk(system, path, parent, name);

	if (code < 0)
		return code;
	return name[0] == '\0' ? -EBUSY : 0;
}

static void change_free(sim *system, sim_change *change)
{
	sim_node_unref(system, change->directory);
	sim_node_unref(system, change->to_directory);
	sim_node_unref(system, change->target);
	free(change->name);
	free(change->to_name);
	free(change);
}

static sim_node *reference(sim_node *node)
{
	if (node != NULL)
		node->references++;
	return node;
}

static int change_add(sim *system, sim_change_kind kind, sim_node *directory, const char *name,
	sim_node *to_directory, const char *to_name, sim_node *target)
{
	sim_change *change = calloc(1, sizeof(*change));

	if (change == NULL)
		return -ENOMEM;
	change->kind = kind;
	change->name = strdup(name);
	change->to_name = to_name != NULL ? strdup(to_name) : NULL;
	if (change->name == NULL || (to_name != NULL && change->to_name == NULL)) {
		change_free(system, change);
		return -ENOMEM;
	}
	change->directory = reference(directory);
	change->to_directory = reference(to_directory);
	change->target = reference(target);
	change->previous = system->last_change;
	if (change->previous != NULL)
		change->previous->next = change;
	else
		system->changes = change;
	system->last_change = change;
	return 0;
}

void sim_change_apply(sim *system, const sim_change *change)
{
	sim_entries *entries = &change->directory->durable_entries;
	const sim_node *there = sim_entries_find(entries, change->name);

	switch (change->kind) {
	case SIM_LINK:
		sim_entries_set(system, entries, change->name, change->target, false);
		break;
	case SIM_UNLINK:
		/* After a shuffle another file may have the name: the one that was removed is not
		 * there then. */
		if (there == change->target)
			sim_entries_remove(system, entries, change->name, false);
		break;
	case SIM_RENAME:
		if (there == change->target)
			sim_entries_remove(system, entries, change->name, false);
		sim_entries_set(system, &change->to_directory->durable_entries, change->to_name,
			change->target, false);
		break;
	}
}

void sim_changes_clear(sim *system)
{
	sim_change *next;

	for (sim_change *one = system->changes; one != NULL; one = next) {
		next = one->next;
		change_free(system, one);
	}
	system->changes = NULL;
	system->last_change = NULL;
}

int sim_create(sim *system, sim_node *parent, const char *name, mode_t mode, sim_node **made)
{
	sim_node *node = sim_node_new(system, mode);
	int code = node == NULL ? -ENOMEM
				: sim_entries_set(system, &parent->live_entries, name, node, true);

	if (code == 0) {
		code = change_add(system, SIM_LINK, parent, name, NULL, NULL, node);
		if (code < 0)
			sim_entries_remove(system, &parent->live_entries, name, true);
	}
	sim_node_unref(system, node); /* the entry holds it now */
	if (code == 0 && made != NULL)
		*made = node;
	return code;
}

void sim_fill_status(const sim_node *node, struct stat *status)
{
	struct timespec changed = {
		.tv_sec = node->changed / OS_SECOND, .tv_nsec = node->changed % OS_SECOND};

	*status = (struct stat){0};
	status->st_dev = 1;
	status->st_ino = node->number;
	status->st_mode = node->mode;
	status->st_nlink = node->visible > 0;
	status->st_size = (off_t)node->live.size;
	status->st_blksize = 4096;
	status->st_blocks = (blkcnt_t)((node->live.size + SIM_SECTOR - 1) / SIM_SECTOR);
	status->st_mtim = changed;
	status->st_ctim = changed;
	status->st_atim = changed;
}

int sim_stat(hn_os *os, const char *path, struct stat *status)
{
	sim_node *node;
	int code = sim_enter(sim_of(os));

	if (code == 0)
		code = sim_find(sim_of(os), path, &node);
	if (code == 0)
		sim_fill_status(node, status);
	return code;
}

static int remove_entry(sim *system, const char *path, bool directory)
{
	char name[SIM_NAME_MAX + 1];
	sim_node *parent, *node;
	int code = sim_find_parent(system, path, &parent, name);

	if (code < 0)
		return code;
	node = sim_entries_find(&parent->live_entries, name);
	if (node == NULL)
		return -ENOENT;
	if (S_ISDIR(node->mode) != directory)
		return directory ? -ENOTDIR : -EISDIR;
	if (node->live_entries.count > 0)
		return -ENOTEMPTY;
	code = change_add(system, SIM_UNLINK, parent, name, NULL, NULL, node);
	if (code == 0)
		sim_entries_remove(system, &parent->live_entries, name, true);
	return code;
}

int sim_unlink(hn_os *os, const char *path)
{
	int code = sim_enter(sim_of(os));

	return code < 0 ? code : remove_entry(sim_of(os), path, false);
}

int sim_rmdir(hn_os *os, const char *path)
{
	int code = sim_enter(sim_of(os));

	return code < 0 ? code : remove_entry(sim_of(os), path, true);
}

int sim_mkdir(hn_os *os, const char *path, mode_t mode)
{
	char name[SIM_NAME_MAX + 1];
	sim_node *parent;
	int code = sim_enter(sim_of(os));

	if (code == 0)
		code = sim_find_parent(sim_of(os), path, &parent, name);
	if (code < 0)
		return code == -EBUSY ? -EEXIST : code;
	if (sim_entries_find(&parent->live_entries, name) != NULL)
		return -EEXIST;
	return sim_create(sim_of(os), parent, name, S_IFDIR | (mode & 07777), NULL);
}

static bool is_below(const sim_node *node, const sim_node *top)
{
	if (node == top)
		return true;
	for (size_t i = 0; i < top->live_entries.count; i++) {
		if (S_ISDIR(top->live_entries.items[i].node->mode) &&
			is_below(node, top->live_entries.items[i].node))
			return true;
	}
	return false;
}

static int check_rename(const sim_node *moved, const sim_node *to_parent, const sim_node *replaced)
{
	if (S_ISDIR(moved->mode) && is_below(to_parent, moved))
		return -EINVAL;
	if (replaced == NULL)
		return 0;
	if (S_ISDIR(replaced->mode) && !S_ISDIR(moved->mode))
		return -EISDIR;
	if (!S_ISDIR(replaced->mode) && S_ISDIR(moved->mode))
		return -ENOTDIR;
	return replaced->live_entries.count > 0 ? -ENOTEMPTY : 0;
}

int sim_rename(hn_os *os, const char *from, const char *to)
{
	char from_name[SIM_NAME_MAX + 1], to_name[SIM_NAME_MAX + 1];
	sim *system = sim_of(os);
	sim_node *from_parent, *to_parent, *moved, *replaced;
	int code = sim_enter(system);

	if (code == 0)
		code = sim_find_parent(system, from, &from_parent, from_name);
	if (code == 0)
		code = sim_find_parent(system, to, &to_parent, to_name);
	if (code < 0)
		return code;
	moved = sim_entries_find(&from_parent->live_entries, from_name);
	replaced = sim_entries_find(&to_parent->live_entries, to_name);
	if (moved == NULL)
		return -ENOENT;
	if (moved == replaced)
		return 0;
	code = check_rename(moved, to_parent, replaced);
	if (code < 0)
		return code;
	code = change_add(system, SIM_RENAME, from_parent, from_name, to_parent, to_name, moved);
	if (code < 0)
		return code;
	code = sim_entries_set(system, &to_parent->live_entries, to_name, moved, true);
	if (code == 0)
		sim_entries_remove(system, &from_parent->live_entries, from_name, true);
	return code;
}

int sim_list(hn_os *os, const char *path, int (*each)(void *arg, const char *name), void *arg)
{
	sim_node *node;
	char **names;
	size_t count;
	int code = sim_enter(sim_of(os));

	if (code == 0)
		code = sim_find(sim_of(os), path, &node);
	if (code < 0)
		return code;
	if (!S_ISDIR(node->mode))
		return -ENOTDIR;
	/* A copy, since `each` may remove what it is given. */
	count = node->live_entries.count;
	names = calloc(count + 1, sizeof(*names));
	if (names == NULL)
		return -ENOMEM;
	for (size_t i = 0; code == 0 && i < count; i++) {
		names[i] = strdup(node->live_entries.items[i].name);
		if (names[i] == NULL)
			code = -ENOMEM;
	}
	for (size_t i = 0; code == 0 && i < count; i++)
		code = each(arg, names[i]);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return code;
}

static bool touches_marked(const sim_change *change)
{
	return change->directory->marked ||
	       (change->to_directory != NULL && change->to_directory->marked);
}

/* Marks what must be durable together with `directory`: its changes, and for a rename out of or
 * into another directory also what happened to that one before it. */
static void mark_changes(sim *system, sim_node *directory)
{
	directory->marked = true;
	for (sim_change *one = system->last_change; one != NULL; one = one->previous) {
		one->marked = touches_marked(one);
		if (one->marked && one->to_directory != NULL) {
			one->directory->marked = true;
			one->to_directory->marked = true;
		}
	}
	for (sim_node *node = system->nodes; node != NULL; node = node->next)
		node->marked = false;
}

static void change_remove(sim *system, sim_change *change)
{
	if (change->previous != NULL)
		change->previous->next = change->next;
	else
		system->changes = change->next;
	if (change->next != NULL)
		change->next->previous = change->previous;
	else
		system->last_change = change->previous;
	change_free(system, change);
}

int sim_sync_directory(hn_os *os, const char *path)
{
	sim *system = sim_of(os);
	sim_change *next;
	sim_node *directory;
	int code = sim_enter(system);

	if (code == 0)
		code = sim_find(system, path, &directory);
	if (code < 0)
		return code;
	if (!S_ISDIR(directory->mode))
		return -ENOTDIR;
	mark_changes(system, directory);
	for (sim_change *one = system->changes; one != NULL; one = next) {
		next = one->next;
		if (!one->marked)
			continue;
		sim_change_apply(system, one);
		change_remove(system, one);
	}
	return 0;
}
