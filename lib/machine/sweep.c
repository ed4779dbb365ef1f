/* SPDX-License-Identifier: MIT
 *
 * Removing what belongs to no domain: cgroups, unit directories, sockets; and looking without
 * owning.
 */
#include "machine/driver.h"

#include <stdio.h>

typedef struct sweep {
	machine *m;
	const char *const *keep;
	size_t keep_count;
	base_map *domains, *found; /* sets of uuids */
	bool no_memory;
} sweep;

static void set_add(sweep *s, base_map *set, const char *uuid)
{
	if (base_map_put(set, uuid, strlen(uuid), s) < 0)
		s->no_memory = true;
}

static int add_domain(void *arg, const machine_brief *brief)
{
	sweep *s = arg;

	set_add(s, s->domains, brief->uuid);
	return 0;
}

static int add_found(void *arg, const char *name)
{
	sweep *s = arg;

	if (machine_uuid_check(name, NULL) == 0)
		set_add(s, s->found, name);
	return 0;
}

static bool kept(const sweep *s, const char *uuid)
{
	for (size_t i = 0; i < s->keep_count; i++)
		if (strcmp(s->keep[i], uuid) == 0)
			return true;
	return false;
}

/* Each uuid that was found and has no domain. */
static int each_stray(sweep *s, int (*remove)(sweep *s, const char *uuid, hn_error **err), bool dry,
	hn_error **err)
{
	int count = 0;

	for (size_t i = 0; i < base_map_slots(s->found); i++) {
		const char *uuid;
		size_t size;
		int result;

		if (!base_map_at(s->found, i, &uuid, &size, NULL) ||
			base_map_has(s->domains, uuid, size))
			continue;
		result = dry ? 1 : remove(s, uuid, err);
		if (result < 0)
			return result;
		count += result;
	}
	return count;
}

static int remove_cgroup(sweep *s, const char *uuid, hn_error **err)
{
	int result = machine_cgroup_remove(s->m->os, &s->m->cgroup, uuid, err);

	return result < 0 ? result : 1;
}

static int remove_dir(sweep *s, const char *uuid, hn_error **err)
{
	char dir[256];
	int result;

	if (kept(s, uuid))
		return 0;
	machine_unit_dir(s->m->root, uuid, dir);
	result = os_remove_tree(s->m->os, dir, err);
	return result < 0 ? result : 1;
}

static int sweep_all(sweep *s, bool dry, hn_error **err)
{
	char dir[256];
	int groups, dirs, result = s->m->ops->list(s->m, add_domain, s, err);

	if (result < 0)
		return result;
	machine_cgroup_list(s->m->os, &s->m->cgroup, add_found, s);
	groups = each_stray(s, remove_cgroup, dry, err);
	if (groups < 0)
		return groups;
	base_map_free(s->found);
	s->found = base_map_new(NULL);
	if (s->found == NULL)
		return base_nomem(err);
	snprintf(dir, sizeof(dir), "%s/unit", s->m->root);
	s->m->os->ops->list(s->m->os, dir, add_found, s);
	if (s->no_memory)
		return base_nomem(err);
	/* A directory that is to be kept is nothing to remove, dry or not. */
	for (size_t i = 0; i < s->keep_count; i++)
		base_map_remove(s->found, s->keep[i], strlen(s->keep[i]));
	dirs = each_stray(s, remove_dir, dry, err);
	return dirs < 0 ? dirs : groups + dirs;
}

int machine_sweep(machine *m, const char *const *keep, size_t count, bool dry, hn_error **err)
{
	sweep s = {.m = m, .keep = keep, .keep_count = count};
	int result;

	s.domains = base_map_new(NULL);
	s.found = base_map_new(NULL);
	result = s.domains == NULL || s.found == NULL ? base_nomem(err) : sweep_all(&s, dry, err);
	base_map_free(s.domains);
	base_map_free(s.found);
	return result;
}

int machine_peek(hn_os *os, const char *root, const char *name, const char *uuid,
	hn_unit_status *status, hn_error **err)
{
	machine_run run;
	int result = machine_uuid_check(uuid, err);

	(void)name;
	if (result == 0)
		result = machine_root_check(root, err);
	if (result < 0)
		return result;
	*status = HN_UNIT_STOPPED;
	if (machine_run_load(os, root, uuid, &run) == 0 && run.started != 0 &&
		machine_process_check(os, run.pid, uuid) == run.started)
		*status = HN_UNIT_RUNNING;
	return 0;
}
