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
	base_map *domains; /* uuid -> whether it is active */
	base_map *found;   /* uuids with a unit directory */
	bool no_memory, dry;
} sweep;

static char active, inactive;

static int add_domain(void *arg, const machine_brief *brief)
{
	sweep *s = arg;
	char *mark = machine_is_active(brief->status) ? &active : &inactive;

	if (base_map_put(s->domains, brief->uuid, strlen(brief->uuid), mark) < 0)
		s->no_memory = true;
	return 0;
}

static int add_found(void *arg, const char *name)
{
	sweep *s = arg;

	if (machine_uuid_check(name, NULL) == 0 &&
		base_map_put(s->found, name, strlen(name), &active) < 0)
		s->no_memory = true;
	return 0;
}

static bool is_kept(const sweep *s, const char *uuid)
{
	for (size_t i = 0; i < s->keep_count; i++)
		if (strcmp(s->keep[i], uuid) == 0)
			return true;
	return false;
}

/* What belongs to a unit that has a directory here. Other roots of this host have their groups in
 * the same place, so a group alone says nothing about whose it is. */
static int sweep_unit(sweep *s, const char *uuid, const void *domain, hn_error **err)
{
	int count = 0, result;

	if (domain != &active && machine_cgroup_exists(s->m->os, &s->m->cgroup, uuid)) {
		result = s->dry ? 0 : machine_cgroup_remove(s->m->os, &s->m->cgroup, uuid, err);
		if (result < 0)
			return result;
		count++;
	}
	if (domain != NULL || is_kept(s, uuid))
		return count;
	result = machine_unit_dir_holds_disks(s->m, uuid, err);
	if (result != 0)
		return result < 0 ? result : count;
	result = s->dry ? 1 : machine_unit_dir_clear(s->m, uuid, err);
	return result < 0 ? result : count + result;
}

static int sweep_all(sweep *s, hn_error **err)
{
	char dir[256];
	int count = 0, result = s->m->ops->list(s->m, add_domain, s, err);

	if (result < 0)
		return result;
	snprintf(dir, sizeof(dir), "%s/unit", s->m->root);
	/* No directory yet: nothing was made. */
	s->m->os->ops->list(s->m->os, dir, add_found, s);
	if (s->no_memory)
		return base_nomem(err);
	for (size_t i = 0; i < base_map_slots(s->found); i++) {
		const char *uuid;
		size_t size;

		if (!base_map_at(s->found, i, &uuid, &size, NULL))
			continue;
		result = sweep_unit(s, uuid, base_map_get(s->domains, uuid, size), err);
		if (result < 0)
			return result;
		count += result;
	}
	return count;
}

int machine_sweep(machine *m, const char *const *keep, size_t count, bool dry, hn_error **err)
{
	sweep s = {.m = m, .keep = keep, .keep_count = count, .dry = dry};
	int result;

	s.domains = base_map_new(NULL);
	s.found = base_map_new(NULL);
	result = s.domains == NULL || s.found == NULL ? base_nomem(err) : sweep_all(&s, err);
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
