/* SPDX-License-Identifier: MIT
 *
 * /etc/passwd, group and shadow from what all manifests declare. Nobody can log in by password:
 * every account is locked.
 */
#include "compose/tree-build.h"

#include <stdlib.h>

#define NO_SHELL "/usr/sbin/nologin"

/* Debian's base-passwd (passwd.master, group.master): ids that packages rely on. */
typedef struct fixed {
	uint32_t id;
	const char *name;
	uint32_t gid;     /* of a user */
	const char *home; /* of a user */
} fixed;
static const fixed users[] = {{0, "root", 0, "/root"}, {1, "daemon", 1, "/usr/sbin"},
	{2, "bin", 2, "/bin"}, {3, "sys", 3, "/dev"}, {4, "sync", 65534, "/bin"},
	{5, "games", 60, "/usr/games"}, {6, "man", 12, "/var/cache/man"},
	{7, "lp", 7, "/var/spool/lpd"}, {8, "mail", 8, "/var/mail"},
	{9, "news", 9, "/var/spool/news"}, {10, "uucp", 10, "/var/spool/uucp"},
	{13, "proxy", 13, "/bin"}, {33, "www-data", 33, "/var/www"},
	{34, "backup", 34, "/var/backups"}, {38, "list", 38, "/var/list"},
	{39, "irc", 39, "/run/ircd"}, {42, "_apt", 65534, "/nonexistent"},
	{65534, "nobody", 65534, "/nonexistent"}};
static const fixed groups[] = {{0, "root", 0, NULL}, {1, "daemon", 0, NULL}, {2, "bin", 0, NULL},
	{3, "sys", 0, NULL}, {4, "adm", 0, NULL}, {5, "tty", 0, NULL}, {6, "disk", 0, NULL},
	{7, "lp", 0, NULL}, {8, "mail", 0, NULL}, {9, "news", 0, NULL}, {10, "uucp", 0, NULL},
	{12, "man", 0, NULL}, {13, "proxy", 0, NULL}, {15, "kmem", 0, NULL},
	{20, "dialout", 0, NULL}, {21, "fax", 0, NULL}, {22, "voice", 0, NULL},
	{24, "cdrom", 0, NULL}, {25, "floppy", 0, NULL}, {26, "tape", 0, NULL},
	{27, "sudo", 0, NULL}, {29, "audio", 0, NULL}, {30, "dip", 0, NULL},
	{33, "www-data", 0, NULL}, {34, "backup", 0, NULL}, {37, "operator", 0, NULL},
	{38, "list", 0, NULL}, {39, "irc", 0, NULL}, {40, "src", 0, NULL}, {42, "shadow", 0, NULL},
	{43, "utmp", 0, NULL}, {44, "video", 0, NULL}, {45, "sasl", 0, NULL},
	{46, "plugdev", 0, NULL}, {50, "staff", 0, NULL}, {60, "games", 0, NULL},
	{100, "users", 0, NULL}, {65534, "nogroup", 0, NULL}};

static const fixed *find_fixed(uint32_t id, bool group)
{
	const fixed *rows = group ? groups : users;
	size_t count = group ? BASE_COUNT(groups) : BASE_COUNT(users);

	for (size_t i = 0; i < count; i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

const char *tree_fixed_name(uint32_t id, bool group)
{
	const fixed *row = find_fixed(id, group);

	return row == NULL ? NULL : row->name;
}

bool tree_user_known(const compose_part *parts, size_t count, const char *name)
{
	for (size_t i = 0; i < BASE_COUNT(users); i++)
		if (strcmp(users[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < parts[i].manifest->user_count; j++)
			if (strcmp(parts[i].manifest->users[j].name, name) == 0)
				return true;
	return false;
}

typedef struct account {
	uint32_t id, gid;
	const char *name, *home, *shell;
	const char *component;      /* NULL: of base-passwd */
	const compose_place *place; /* NULL: of base-passwd */
} account;
typedef struct accounts {
	account *items;
	size_t count, capacity;
} accounts;

static account *by_name(const accounts *all, const char *name)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->items[i].name, name) == 0)
			return &all->items[i];
	return NULL;
}

static account *by_id(const accounts *all, uint32_t id)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].id == id)
			return &all->items[i];
	return NULL;
}

static int put(accounts *all, const account *one, hn_error **err)
{
	if (base_grow(&all->items, &all->capacity, all->count + 1, sizeof(*one)) != 0)
		return base_nomem(err);
	all->items[all->count++] = *one;
	return 0;
}

static bool same(const account *a, const account *b)
{
	return a->id == b->id && a->gid == b->gid && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->home, b->home) == 0 && strcmp(a->shell, b->shell) == 0;
}

static int declare(accounts *all, const account *one, hn_error **err)
{
	const account *other = by_name(all, one->name);
	int rc;

	if (other == NULL)
		other = by_id(all, one->id);
	if (other == NULL) {
		rc = base_limit_check(BASE_LIMIT_IMAGE_USERS, all->count + 1, err);
		return rc != 0 ? rc : put(all, one, err);
	}
	if (same(one, other))
		return 0;
	compose_fail(err, HN_ECONFLICT, one->place,
		"a name has one id, and an id one name, in all components",
		"%s declares the user %s with the id %u, %s declares %s with %u%s", one->component,
		one->name, one->id, other->component, other->name, other->id,
		one->id == other->id && strcmp(one->name, other->name) == 0
			? ", but not with the same group, home and shell"
			: "");
	base_error_fact(err, "component", one->component);
	base_error_fact(err, "other", other->component);
	return HN_ECONFLICT;
}

/* These texts become fields of lines. */
static bool field(const char *text)
{
	return tree_plain(text) && strchr(text, ':') == NULL;
}

static int declare_user(
	accounts *all, const compose_manifest *manifest, const compose_user *user, hn_error **err)
{
	account one = {.id = user->uid,
		.gid = user->gid,
		.name = user->name,
		.home = user->home == NULL ? "/nonexistent" : user->home,
		.shell = user->shell,
		.component = manifest->component,
		.place = &user->place};

	if (one.shell == NULL || strcmp(one.shell, "none") == 0)
		one.shell = NO_SHELL;
	if (!field(one.name) || !field(one.home) || !field(one.shell))
		return compose_fail(err, HN_ESCHEMA, &user->place,
			"no colon and no control character", "a user's fields cannot be written");
	return declare(all, &one, err);
}

/* Rows of base-passwd that nobody declares otherwise. */
static int add_fixed(accounts *all, const fixed *row, hn_error **err)
{
	account one = {.id = row->id,
		.gid = row->gid,
		.name = row->name,
		.home = row->home,
		.shell = row->id == 0 ? "/bin/sh" : NO_SHELL};

	if (by_name(all, row->name) != NULL || by_id(all, row->id) != NULL)
		return 0;
	return put(all, &one, err);
}

static bool service_user(const tree_build *build, const char *name)
{
	for (size_t i = 0; i < build->part_count; i++) {
		const compose_manifest *manifest = build->parts[i].manifest;

		for (size_t j = 0; j < manifest->service_count; j++)
			if (manifest->services[j].user != NULL &&
				strcmp(manifest->services[j].user, name) == 0)
				return true;
	}
	return false;
}

static int gather_users(const tree_build *build, accounts *all, hn_error **err)
{
	uint32_t last = 0; /* root is there anyway; neighbours have mostly one owner */
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < build->part_count; i++)
		for (size_t j = 0; rc == 0 && j < build->parts[i].manifest->user_count; j++)
			rc = declare_user(all, build->parts[i].manifest,
				&build->parts[i].manifest->users[j], err);
	for (size_t i = 0; rc == 0 && i < build->count; i++) {
		const compose_entry *entry = &build->nodes[i].entry;
		const fixed *row;

		if (entry->type == 0 || entry->uid == last)
			continue;
		last = entry->uid;
		row = find_fixed(last, false);
		if (row != NULL)
			rc = add_fixed(all, row, err);
	}
	for (size_t i = 0; rc == 0 && i < BASE_COUNT(users); i++)
		if (users[i].id == 0 || users[i].id == 65534 || service_user(build, users[i].name))
			rc = add_fixed(all, &users[i], err);
	return rc;
}

/* A group has the name of the declared user whose own it is, or that which base-passwd gives it. */
static const char *group_name(const accounts *all, uint32_t gid)
{
	const account *own = by_id(all, gid);
	const fixed *row = find_fixed(gid, true);

	if (own != NULL && own->gid == gid && own->component != NULL)
		return own->name;
	if (row != NULL)
		return row->name;
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].gid == gid)
			return all->items[i].name;
	return NULL; /* an owner whom nobody declares: refused at the end */
}

static int add_group(const accounts *all, uint32_t gid, accounts *out, hn_error **err)
{
	account one = {.id = gid, .name = group_name(all, gid)};

	if (one.name == NULL || by_id(out, gid) != NULL)
		return 0;
	if (by_name(out, one.name) != NULL)
		return base_error(err, HN_ECONFLICT, COMPOSE_ROOM,
			"give the users of one group the same name or another id",
			"the groups %u and %u would both be named %s", by_name(out, one.name)->id,
			gid, one.name);
	return put(out, &one, err);
}

static int gather_groups(
	const tree_build *build, const accounts *all, accounts *out, hn_error **err)
{
	uint32_t last = 0;
	int rc = add_group(all, 0, out, err);

	for (size_t i = 0; rc == 0 && i < all->count; i++)
		rc = add_group(all, all->items[i].gid, out, err);
	for (size_t i = 0; rc == 0 && i < build->count; i++) {
		const compose_entry *entry = &build->nodes[i].entry;

		if (entry->type == 0 || entry->gid == last)
			continue;
		last = entry->gid;
		rc = add_group(all, last, out, err);
	}
	return rc;
}

static int in_order(const void *a, const void *b)
{
	uint32_t one = ((const account *)a)->id, two = ((const account *)b)->id;

	return (one > two) - (one < two);
}

static void sort(accounts *all)
{
	if (all->count != 0)
		qsort(all->items, all->count, sizeof(*all->items), in_order);
}

static int write_users(tree_build *build, accounts *all, hn_error **err)
{
	BASE_AUTO_BUF base_buf passwd = {0}, shadow = {0};
	int rc;

	sort(all);
	for (size_t i = 0; i < all->count; i++) {
		const account *one = &all->items[i];

		base_buf_format(&passwd, "%s:x:%u:%u::%s:%s\n", one->name, one->id, one->gid,
			one->home, tree_account_locked(build, one->name) ? NO_SHELL : one->shell);
		base_buf_format(&shadow, "%s:!*:::::::\n", one->name);
	}
	rc = tree_make_buf(build, build->base, "/etc/passwd", 0644, &passwd, err);
	return rc != 0 ? rc : tree_make_buf(build, build->base, "/etc/shadow", 0600, &shadow, err);
}

static int write_groups(tree_build *build, accounts *all, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};

	sort(all);
	for (size_t i = 0; i < all->count; i++)
		base_buf_format(&text, "%s:x:%u:\n", all->items[i].name, all->items[i].id);
	return tree_make_buf(build, build->base, "/etc/group", 0644, &text, err);
}

int tree_accounts(tree_build *build, hn_error **err)
{
	accounts people = {0}, teams = {0};
	int rc = gather_users(build, &people, err);

	if (rc == 0)
		rc = gather_groups(build, &people, &teams, err);
	if (rc == 0)
		rc = write_users(build, &people, err);
	if (rc == 0)
		rc = write_groups(build, &teams, err);
	base_free(people.items);
	base_free(teams.items);
	return rc;
}
