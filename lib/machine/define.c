/* SPDX-License-Identifier: MIT
 *
 * Checking, defining and undefining units: artefacts, disks of their own, the persistent
 * definition.
 */
#include "machine/driver.h"

#include <errno.h>
#include <stdio.h>

static int is_missing_file(
	machine *m, const char *unit, const char *key, const char *path, hn_error **err)
{
	struct stat status;
	int fd, result = 0;

	fd = m->os->ops->open(m->os, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0) {
		base_error_errno(err, MACHINE_ROOM, -fd, "unit '%s': %s %s", unit, key, path);
		return fd == -ENOENT ? HN_ENOENT : fd == -EACCES ? HN_EDENIED : HN_EIO;
	}
	if (m->os->ops->fstat(m->os, fd, &status) < 0 || !S_ISREG(status.st_mode))
		result = base_error(err, HN_EINVAL, MACHINE_ROOM, NULL,
			"unit '%s': %s %s is not a file", unit, key, path);
	else if (status.st_size == 0)
		result = base_error(err, HN_EINVAL, MACHINE_ROOM, NULL, "unit '%s': %s %s is empty",
			unit, key, path);
	m->os->ops->close(m->os, fd);
	return result;
}

/* Kernel, initrd and foreign disks are there. */
int machine_artefacts(machine *m, const machine_spec *spec, hn_error **err)
{
	int result = 0;

	if (spec->kernel != NULL)
		result = is_missing_file(m, spec->name, "boot.kernel", spec->kernel, err);
	if (result == 0 && spec->initrd != NULL)
		result = is_missing_file(m, spec->name, "boot.initrd", spec->initrd, err);
	for (size_t i = 0; i < spec->disk_count && result == 0; i++) {
		const machine_disk *disk = &spec->disks[i];
		char key[96];

		if (disk->owned)
			continue;
		snprintf(key, sizeof(key), "disks.%s.source", disk->name);
		result = is_missing_file(m, spec->name, key, disk->path, err);
	}
	return result;
}

/* The present definition; *domain stays NULL when there is none. */
static int present_definition(machine *m, const char *uuid, machine_domain **domain, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *problem = NULL;
	BASE_AUTO_FREE char *xml = NULL;
	int result = m->ops->xml(m, uuid, false, &xml, &problem);

	if (result == HN_ENOENT)
		return 0;
	if (result < 0) {
		if (err != NULL)
			*err = BASE_STEAL(problem);
		return result;
	}
	return machine_domain_parse(xml, strlen(xml), domain, err);
}

/* The unit as a record, with the addresses that its present definition has when none are frozen. */
int machine_spec_of(machine *m, const machine_unit *unit, machine_spec **spec, hn_error **err)
{
	BASE_AUTO_OF(machine_domain) machine_domain *domain = NULL;
	machine_unit copy = *unit;
	char dir[256];
	int result = machine_uuid_check(unit->uuid, err);

	if (result == 0)
		result = present_definition(m, unit->uuid, &domain, err);
	if (result < 0)
		return result;
	machine_unit_dir(m->root, unit->uuid, dir);
	if (domain != NULL && domain->ours) {
		if (copy.frozen.addresses == NULL)
			copy.frozen.addresses = domain->addresses;
		if (copy.frozen.machine == NULL)
			copy.frozen.machine = domain->machine;
	}
	return machine_spec_new(&copy, m->ops->name, m->accelerator, dir, spec, err);
}

int machine_secrets_check(const machine *m, const machine_spec *spec, hn_error **err)
{
	return spec->secrets && m->ops->give == NULL ? machine_missing(m->ops, "secrets", err) : 0;
}

int machine_check(machine *m, const machine_unit *unit, hn_error **err)
{
	BASE_AUTO_OF(machine_spec) machine_spec *spec = NULL;
	BASE_AUTO_FREE char *xml = NULL;
	const char *why_not = "";
	int64_t enforce = 0;
	int result = machine_spec_of(m, unit, &spec, err);

	if (result == 0)
		result = machine_secrets_check(m, spec, err);
	if (result == 0 && (m->ops->flags & MACHINE_REAL) != 0)
		result = machine_artefacts(m, spec, err);
	if (result == 0 && (m->ops->flags & MACHINE_REAL) != 0)
		result = machine_images_check(m, spec, err);
	if (result == 0)
		result = machine_emulator_check(m, err);
	if (result == 0)
		result = machine_xml_write(spec, &xml, err);
	if (result == 0 && hn_view_get_int(unit->view, "compute.enforce", &enforce, NULL) == 0 &&
		enforce != 0 && !machine_enforces_weight(m, &why_not))
		result = base_error(err, HN_ECGROUP, MACHINE_ROOM, "set compute.enforce to false",
			"unit '%s': its weight cannot be enforced: %s", unit->name, why_not);
	return result;
}

static int room_for_another(machine *m, const char *uuid, uint64_t domains, hn_error **err)
{
	machine_brief brief;

	if (base_limit_check(BASE_LIMIT_DOMAINS, domains + 1, NULL) == 0 ||
		m->ops->state(m, uuid, &brief, NULL) == 0)
		return 0;
	return base_limit_check(BASE_LIMIT_DOMAINS, domains + 1, err);
}

/* A domain of this name that is somebody else's is never touched. */
static int name_free(machine *m, const machine_spec *spec, hn_error **err)
{
	char other[37];
	uint64_t domains = 0;
	int result = m->ops->find(m, spec->name, other, &domains, err);

	if (result == 0)
		return room_for_another(m, spec->uuid, domains, err);
	if (result < 0 || strcmp(other, spec->uuid) == 0)
		return result < 0 ? result : 0;
	base_error(err, HN_EEXIST, MACHINE_ROOM, "rename one of them, or adopt the domain",
		"there is another domain '%s' (%s)", spec->name, other);
	base_error_fact(err, "uuid", other);
	return HN_EEXIST;
}

/* What the driver made of it must hold all that we wrote. */
static int read_back(machine *m, const machine_spec *spec, const char *written, char **machine_type,
	hn_error **err)
{
	BASE_AUTO_OF(machine_domain) machine_domain *domain = NULL;
	BASE_AUTO_FREE char *xml = NULL;
	int result = m->ops->xml(m, spec->uuid, false, &xml, err);

	if (result == 0)
		result = machine_domain_holds(written, xml, err);
	if (result == 0)
		result = machine_domain_parse(xml, strlen(xml), &domain, err);
	if (result < 0 || machine_type == NULL)
		return result;
	*machine_type = base_strdup(domain->machine);
	return *machine_type == NULL ? base_nomem(err) : 0;
}

int machine_define_spec(machine *m, const machine_spec *spec, char **machine_type, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *absent = NULL;
	BASE_AUTO_FREE char *before = NULL;
	BASE_AUTO_FREE char *xml = NULL;
	int result = machine_emulator_check(m, err);

	if (result == 0)
		result = machine_xml_write(spec, &xml, err);
	if (result == 0 && (m->ops->flags & MACHINE_REAL) != 0)
		result = machine_make_disks(m, spec, err);
	if (result < 0)
		return result;
	/* Without the old definition at hand nothing could be put back. */
	result = m->ops->xml(m, spec->uuid, false, &before, &absent);
	if (result < 0 && result != HN_ENOENT)
		return base_error(err, result, MACHINE_ROOM, NULL, "%s", hn_error_message(absent));
	result = m->ops->define(m, xml, err);
	if (result < 0)
		return result;
	result = read_back(m, spec, xml, machine_type, err);
	if (result < 0) { /* back to what was */
		if (before != NULL)
			m->ops->define(m, before, NULL);
		else
			m->ops->undefine(m, spec->uuid, NULL);
	}
	return result;
}

int machine_define(const base_permit *permit, machine *m, const machine_unit *unit,
	char **machine_type, hn_error **err)
{
	BASE_AUTO_OF(machine_spec) machine_spec *spec = NULL;
	int result = machine_permit(permit, unit->uuid, err, 3, HN_VERB_UNIT_CREATE,
		HN_VERB_UNIT_UPDATE, HN_VERB_UNIT_START);

	if (result == 0)
		result = machine_spec_of(m, unit, &spec, err);
	if (result == 0)
		result = name_free(m, spec, err);
	return result < 0 ? result : machine_define_spec(m, spec, machine_type, err);
}

int machine_define_if_new(machine *m, const machine_spec *spec, hn_error **err)
{
	BASE_AUTO_OF(machine_domain) machine_domain *domain = NULL;
	int result = present_definition(m, spec->uuid, &domain, err);

	if (result < 0)
		return result;
	if (domain != NULL && domain->ours && strcmp(domain->digest, spec->digest) == 0 &&
		domain->generation == spec->generation)
		return 0;
	result = name_free(m, spec, err);
	return result < 0 ? result : machine_define_spec(m, spec, NULL, err);
}

/* Only what carries our metadata, for this unit. */
int machine_is_ours(machine *m, const char *uuid, hn_error **err)
{
	BASE_AUTO_OF(machine_domain) machine_domain *domain = NULL;
	BASE_AUTO_FREE char *xml = NULL;
	int result = m->ops->xml(m, uuid, false, &xml, err);

	if (result == 0)
		result = machine_domain_parse(xml, strlen(xml), &domain, err);
	if (result < 0)
		return result;
	if (domain->ours && strcmp(domain->meta_uuid, uuid) == 0)
		return 0;
	return base_error(err, HN_EDENIED, MACHINE_ROOM, "adopt it first",
		"domain '%s' (%s) was not made by hypernix", domain->name, uuid);
}

int machine_undefine(const base_permit *permit, machine *m, const char *uuid, hn_error **err)
{
	machine_brief brief;
	hn_error *problem = NULL;
	int result = machine_permit(permit, uuid, err, 3, HN_VERB_UNIT_DELETE, HN_VERB_UNIT_UPDATE,
		HN_VERB_UNIT_CREATE);

	if (result == 0)
		result = machine_uuid_check(uuid, err);
	if (result < 0)
		return result;
	result = m->ops->state(m, uuid, &brief, &problem);
	if (result < 0 && result != HN_ENOENT) {
		if (err != NULL)
			*err = problem;
		else
			hn_error_unref(problem);
		return result;
	}
	hn_error_unref(problem);
	if (result == 0 && machine_is_active(brief.status))
		return base_error(err, HN_EBUSY, MACHINE_ROOM, "stop it first",
			"unit '%s' is %s and cannot be removed", brief.name,
			hn_unit_status_name(brief.status));
	if (result == 0) {
		result = machine_is_ours(m, uuid, err);
		if (result == 0)
			result = m->ops->undefine(m, uuid, err);
		if (result < 0)
			return result;
	}
	machine_live_close(m, uuid);
	result = machine_cgroup_remove(m->os, &m->cgroup, uuid, err);
	if (result == 0)
		result = machine_unit_dir_clear(m, uuid, err);
	return result < 0 ? result : 0;
}
