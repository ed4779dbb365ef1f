/* SPDX-License-Identifier: MIT
 *
 * Hot changes: live and persistent definition together, read back, put back when half of it failed.
 */
#include "machine/driver.h"

#include <stdio.h>
#include <stdlib.h>

#define BALLOON_WAIT (30 * MACHINE_SECOND)
#define UNPLUG_WAIT (30 * MACHINE_SECOND)
#define LOOK (MACHINE_SECOND / 4) /* in case the driver's event was lost */

typedef struct change {
	machine *m;
	const machine_unit *unit;
	machine_spec *spec; /* of the new view */
	const char *key, *old_text, *new_text;
	char part[72]; /* NAME of disks.NAME.size */
	machine_brief brief;
	bool live;
} change;

typedef struct change_row {
	const char *pattern;
	int (*apply)(change *c, hn_error **err);
} change_row;

static int tune(change *c, machine_tuning_kind kind, const char *target, const char *xml,
	uint64_t number, uint64_t second, hn_error **err)
{
	machine_tuning tuning = {kind, target, xml, number, second, c->spec->sn};

	return c->m->ops->change(c->m, c->brief.uuid, &tuning, c->live, err);
}

static int write_metadata(change *c, hn_error **err)
{
	BASE_AUTO_OF(machine_domain) machine_domain *domain = NULL;
	BASE_AUTO_FREE char *present = NULL;
	BASE_AUTO_FREE char *xml = NULL;
	int result = c->m->ops->xml(c->m, c->brief.uuid, false, &present, err);

	if (result == 0)
		result = machine_domain_parse(present, strlen(present), &domain, err);
	if (result < 0)
		return result;
	/* The digest stays that of the definition: a restart still takes what is pending. */
	c->spec->digest = domain->digest;
	c->spec->generation = domain->generation;
	result = machine_xml_metadata(c->spec, &xml, err);
	return result < 0 ? result : tune(c, MACHINE_TUNE_METADATA, NULL, xml, 0, 0, err);
}

/* The number in the file must be the one we meant. */
static int verify_weight(change *c, hn_error **err)
{
	uint64_t units, limit, quota, period;
	uint64_t weight = machine_cgroup_weight(c->m->cgroup.version, c->spec->units);
	int result = machine_cgroup_get(
		c->m->os, &c->m->cgroup, c->spec->uuid, c->spec->sn, &units, &limit, err);

	if (result < 0)
		return result;
	machine_cgroup_quota(c->spec->limit, c->spec->sn, &quota, &period);
	if (machine_cgroup_weight(c->m->cgroup.version, units) / 2 <= weight / 2 + 1 &&
		machine_cgroup_weight(c->m->cgroup.version, units) + weight / 50 + 6 >= weight &&
		(limit == 0) == (quota == 0))
		return 0;
	return base_error(err, HN_ECGROUP, MACHINE_ROOM, NULL,
		"unit '%s': the kernel kept a weight of %llu units, not %u", c->spec->name,
		(unsigned long long)units, c->spec->units);
}

static int enforce_weight(change *c, hn_error **err)
{
	machine *m = c->m;
	int64_t enforce = 0;
	pid_t pid = 0;
	int result;

	if ((m->ops->flags & MACHINE_WEIGHTS) != 0)
		return tune(
			c, MACHINE_TUNE_WEIGHT, NULL, NULL, c->spec->units, c->spec->limit, err);
	hn_view_get_int(c->unit->view, "compute.enforce", &enforce, NULL);
	if (m->cgroup.version == 0 && enforce == 0)
		return 0; /* recorded in the metadata; machine_observe says so */
	result = m->ops->pid == NULL ? machine_missing(m->ops, "process", err)
				     : m->ops->pid(m, &c->brief, &pid, err);
	/* Somebody may have taken it out of its group. */
	if (result == 0 && !machine_cgroup_has(m->os, &m->cgroup, c->spec->uuid, pid))
		result = machine_cgroup_enter(m->os, &m->cgroup, c->spec->uuid, pid, err);
	if (result == 0)
		result = machine_cgroup_set(m->os, &m->cgroup, c->spec->uuid, c->spec->units,
			c->spec->limit, c->spec->sn, err);
	return result == 0 ? verify_weight(c, err) : result;
}

static int change_weight(change *c, hn_error **err)
{
	uint64_t units = 0, limit = 0;
	bool known = c->live && c->m->cgroup.version != 0 &&
		     machine_cgroup_get(c->m->os, &c->m->cgroup, c->spec->uuid, c->spec->sn, &units,
			     &limit, NULL) == 0;
	int result = c->live ? enforce_weight(c, err) : 0;

	if (result == 0)
		result = write_metadata(c, err);
	if (result < 0 && known)
		machine_cgroup_set(
			c->m->os, &c->m->cgroup, c->spec->uuid, units, limit, c->spec->sn, NULL);
	return result;
}

static int change_vcpus(change *c, hn_error **err)
{
	return tune(c, MACHINE_TUNE_VCPUS, NULL, NULL, c->spec->vcpus, 0, err);
}

static int change_memory(change *c, hn_error **err)
{
	uint64_t before = 0;
	int result;

	if (c->old_text != NULL && hn_size_parse(c->old_text, &before, NULL) < 0)
		before = 0;
	result = tune(c, MACHINE_TUNE_MEMORY, NULL, NULL, c->spec->memory, 0, err);
	if (result < 0 || !c->live || (c->m->ops->flags & MACHINE_REAL) == 0)
		return result;
	result = machine_await_balloon(c->m, c->spec->uuid, c->spec->memory, BALLOON_WAIT, err);
	if (result != 0)
		return result < 0 ? result : 0; /* reached */
	if (before != 0)
		tune(c, MACHINE_TUNE_MEMORY, NULL, NULL, before, 0, NULL);
	return base_error(err, HN_EGUEST, MACHINE_ROOM, "is its balloon driver loaded?",
		"unit '%s': the guest did not move its balloon to %s in time", c->spec->name,
		c->new_text == NULL ? "?" : c->new_text);
}

/* A limit over all disks: every disk of the group gets it, or none. */
static int change_disk_rate(change *c, hn_error **err)
{
	for (size_t i = 0; i < c->spec->disk_count; i++) {
		char target[8];
		int result;

		machine_target(c->spec->disks[i].bus, c->spec->disks[i].slot, target);
		result = tune(c, MACHINE_TUNE_DISK_RATE, target, NULL, c->spec->iops,
			c->spec->disk_rate, err);
		if (result < 0)
			return result;
	}
	return 0;
}

static int change_net_rate(change *c, hn_error **err)
{
	for (size_t i = 0; i < c->spec->nic_count; i++) {
		const machine_nic *nic = &c->spec->nics[i];
		int result;

		if (strcmp(nic->kind, "user") == 0)
			return base_error(err, HN_ENOSUP, MACHINE_ROOM, NULL,
				"driver %s cannot do network.bandwidth for nic '%s' of kind user",
				c->m->ops->name, nic->name);
		result = tune(c, MACHINE_TUNE_NET_RATE, nic->mac, NULL, c->spec->net_rate, 0, err);
		if (result < 0)
			return result;
	}
	return 0;
}

/* What the live or the persistent definition says about the device; *xml stays NULL when it says
 * nothing. */
static int find_device(change *c, const char *kind, bool live, char **xml, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *absent = NULL;
	BASE_AUTO_FREE char *whole = NULL;
	int result = c->m->ops->xml(c->m, c->brief.uuid, live, &whole, err);

	if (result < 0)
		return result;
	result = machine_domain_device(whole, kind, c->part, xml, &absent);
	if (result >= 0 || result == HN_ENOENT)
		return 0;
	return base_error(err, result, MACHINE_ROOM, NULL, "%s", hn_error_message(absent));
}

static int plug(change *c, machine_tuning_kind how, const char *xml, bool live, hn_error **err)
{
	machine_tuning tuning = {.kind = how, .xml = xml};

	return c->m->ops->change(c->m, c->brief.uuid, &tuning, live, err);
}

/* A process that died after the effect left the device plugged in: only what lacks it gets it. The
 * driver changes the running unit first, so that is the one that may be ahead. */
static int attach(change *c, const char *kind, const char *xml, hn_error **err)
{
	BASE_AUTO_FREE char *running = NULL;
	BASE_AUTO_FREE char *kept = NULL;
	int result = c->live ? find_device(c, kind, true, &running, err) : 0;

	if (result == 0)
		result = find_device(c, kind, false, &kept, err);
	if (result < 0 || (kept != NULL && (running != NULL || !c->live)))
		return result;
	return plug(c, MACHINE_TUNE_ATTACH, xml, c->live && running == NULL, err);
}

/* The guest lets a device go when it likes; the driver's answer only says that it was asked. */
static int await_gone(change *c, const char *kind, hn_error **err)
{
	int64_t deadline = os_monotonic(c->m->os) + UNPLUG_WAIT;

	for (;;) {
		BASE_AUTO_FREE char *xml = NULL;
		int64_t left = deadline - os_monotonic(c->m->os);
		int result = find_device(c, kind, true, &xml, err);

		if (result < 0 || xml == NULL)
			return result;
		if (left <= 0)
			break;
		result = machine_pump(c->m, left < LOOK ? left : LOOK, err);
		if (result < 0)
			return result;
	}
	return base_error(err, HN_EGUEST, MACHINE_ROOM,
		"it stays plugged in; is the guest paused, or without PCI hot-plug?",
		"unit '%s': the guest did not let go of %s in time", c->spec->name, c->key);
}

/* The driver finds a device by what the definition says about it. */
static int detach(change *c, const char *kind, hn_error **err)
{
	BASE_AUTO_FREE char *running = NULL;
	BASE_AUTO_FREE char *kept = NULL;
	int result = c->live ? find_device(c, kind, true, &running, err) : 0;

	if (result == 0)
		result = find_device(c, kind, false, &kept, err);
	if (result < 0 || (running == NULL && kept == NULL))
		return result;
	result = plug(
		c, MACHINE_TUNE_DETACH, running == NULL ? kept : running, running != NULL, err);
	return result < 0 || running == NULL ? result : await_gone(c, kind, err);
}

static int change_disk_source(change *c, hn_error **err)
{
	const machine_disk *disk = machine_spec_disk(c->spec, c->part);
	BASE_AUTO_FREE char *xml = NULL;
	int result;

	if (c->new_text != NULL && c->old_text != NULL)
		return base_error(err, HN_ENOSUP, MACHINE_ROOM, "restart the unit",
			"unit '%s': disk '%s' cannot change its source while it runs",
			c->spec->name, c->part);
	if (c->new_text == NULL)
		return detach(c, "disk", err);
	if (disk == NULL)
		return base_error(err, HN_EINVAL, MACHINE_ROOM, NULL, "unit '%s' has no disk '%s'",
			c->spec->name, c->part);
	result = machine_artefacts(c->m, c->spec, err);
	if (result == 0)
		result = machine_make_disks(c->m, c->spec, err);
	if (result == 0)
		result = machine_image_check(c->m, disk, err);
	if (result == 0)
		result = machine_xml_disk(c->spec, disk, &xml, err);
	return result < 0 ? result : attach(c, "disk", xml, err);
}

static int grow_file(change *c, const machine_disk *disk, hn_error **err)
{
	char size[32];
	const char *argv[] = {
		"qemu-img", "resize", "-q", "-f", disk->format, disk->path, size, NULL};
	BASE_AUTO_FREE char *output = NULL;
	int status = 0, result;

	snprintf(size, sizeof(size), "%llu", (unsigned long long)disk->size);
	result = os_run(c->m->os, argv, 60 * MACHINE_SECOND, &status, &output, err);
	if (result == 0 && status != 0)
		result = base_error(err, HN_EIO, MACHINE_ROOM, NULL,
			"qemu-img cannot grow disk '%s': %.300s", disk->name,
			output == NULL ? "" : output);
	return result;
}

static int change_disk_size(change *c, hn_error **err)
{
	const machine_disk *disk = machine_spec_disk(c->spec, c->part);
	uint64_t before = 0, after = 0;
	char target[8];

	if (c->old_text == NULL || c->new_text == NULL)
		return change_disk_source(c, err); /* a disk of its own comes or goes */
	if (disk == NULL || hn_size_parse(c->old_text, &before, err) < 0 ||
		hn_size_parse(c->new_text, &after, err) < 0)
		return base_error(err, HN_EINVAL, MACHINE_ROOM, NULL,
			"unit '%s': no size for disk '%s'", c->spec->name, c->part);
	if (after < before)
		return base_error(err, HN_ESHRINK, MACHINE_ROOM, "make a smaller disk and copy",
			"unit '%s': disk '%s' has %s and cannot shrink to %s", c->spec->name,
			c->part, c->old_text, c->new_text);
	if ((c->m->ops->flags & MACHINE_REAL) == 0)
		return 0; /* there is no file */
	if (!c->live)
		return grow_file(c, disk, err);
	machine_target(disk->bus, disk->slot, target);
	return tune(c, MACHINE_TUNE_RESIZE, target, NULL, disk->size, 0, err);
}

static int change_nic(change *c, hn_error **err)
{
	const machine_nic *nic = machine_spec_nic(c->spec, c->part);
	BASE_AUTO_FREE char *xml = NULL;
	int result;

	if (c->new_text != NULL && c->old_text != NULL)
		return base_error(err, HN_ENOSUP, MACHINE_ROOM, "restart the unit",
			"unit '%s': nic '%s' cannot change its kind while it runs", c->spec->name,
			c->part);
	if (c->new_text == NULL)
		return detach(c, "interface", err);
	if (nic == NULL)
		return base_error(err, HN_EINVAL, MACHINE_ROOM, NULL, "unit '%s' has no nic '%s'",
			c->spec->name, c->part);
	result = machine_xml_nic(c->spec, nic, &xml, err);
	return result < 0 ? result : attach(c, "interface", xml, err);
}

/* Another bridge for a nic that stays: the definition alone; the cable moves with a live update. */
static int change_bridge(change *c, hn_error **err)
{
	if (c->old_text == NULL || c->new_text == NULL)
		return 0; /* comes and goes with the nic */
	return base_error(err, HN_ENOSUP, MACHINE_ROOM, "restart the unit",
		"driver %s cannot do %s while the unit runs", c->m->ops->name, c->key);
}

static int change_rng(change *c, hn_error **err)
{
	BASE_AUTO_FREE char *xml = NULL;
	int result;

	if (!c->spec->rng)
		return detach(c, "rng", err);
	/* Bus 0 takes nothing while the unit runs. */
	if (c->live && c->spec->rng_slot == 0)
		c->spec->rng_slot = c->spec->free_slot;
	result = machine_xml_rng(c->spec, &xml, err);
	return result < 0 ? result : attach(c, "rng", xml, err);
}

static int nothing(change *c, hn_error **err)
{
	(void)c;
	(void)err;
	return 0;
}

static const change_row rows[] = {
	{"compute.units", change_weight},
	{"compute.limit", change_weight},
	{"compute.vcpus", change_vcpus},
	{"memory.size", change_memory},
	{"storage.iops", change_disk_rate},
	{"storage.bandwidth", change_disk_rate},
	{"network.bandwidth", change_net_rate},
	{"disks.*.size", change_disk_size},
	{"disks.*.source", change_disk_source},
	{"disks.*.bus", nothing}, /* come and go with the disk */
	{"disks.*.cache", nothing},
	{"disks.*.format", nothing},
	{"nics.*.kind", change_nic},
	{"nics.*.bridge", change_bridge},
	{"nics.*.mac", nothing},
	{"nics.*.mtu", nothing},
	{"rng", change_rng},
};

static const change_row *find_row(const char *key)
{
	for (size_t i = 0; i < BASE_COUNT(rows); i++)
		if (base_glob(rows[i].pattern, key))
			return &rows[i];
	return NULL;
}

static void take_part(change *c)
{
	const char *first = strchr(c->key, '.'), *last = strrchr(c->key, '.');

	if (first != NULL && last > first)
		snprintf(c->part, sizeof(c->part), "%.*s",
			(int)(last - first - 1 < 64 ? last - first - 1 : 64), first + 1);
}

static int prepare(change *c, machine *m, const machine_unit *unit, const char *key, hn_error **err)
{
	int result;

	c->m = m;
	c->unit = unit;
	c->key = key;
	take_part(c);
	result = machine_spec_of(m, unit, &c->spec, err);
	if (result == 0)
		result = m->ops->state(m, unit->uuid, &c->brief, err);
	if (result == 0)
		c->live = machine_is_active(c->brief.status);
	return result;
}

/* A device that was attached to the running unit only, or detached only there, is brought back. */
static int apply(change *c, const change_row *row, hn_error **err)
{
	BASE_AUTO_FREE char *before = NULL;
	int result = c->m->ops->xml(c->m, c->brief.uuid, false, &before, err);

	if (result < 0)
		return result;
	result = row->apply(c, err);
	if (result < 0)
		c->m->ops->define(c->m, before, NULL);
	return result;
}

int machine_change(const base_permit *permit, machine *m, const machine_unit *unit, const char *key,
	const char *old_text, const char *new_text, hn_error **err)
{
	change c = {.old_text = old_text, .new_text = new_text};
	const change_row *row;
	const hn_key *key_row;
	int result =
		machine_permit(permit, unit->uuid, err, 2, HN_VERB_UNIT_UPDATE, HN_VERB_UNIT_START);

	if (result < 0)
		return result;
	row = find_row(key);
	key_row = hn_key_find(key);
	if (key_row == NULL)
		return base_error(err, HN_EINVAL, MACHINE_ROOM, NULL, "there is no key '%s'", key);
	if (row == NULL && key_row->class_ != HN_CLASS_HOT && strcmp(key, "backup.cdp") != 0 &&
		strcmp(key, "memory.balloon") != 0)
		return base_error(err, HN_ENOSUP, MACHINE_ROOM, "restart the unit",
			"driver %s cannot change %s while the unit runs", m->ops->name, key);
	result = prepare(&c, m, unit, key, err);
	if (result == 0 && row != NULL)
		result = apply(&c, row, err);
	machine_spec_free(c.spec);
	return result;
}

static int no(char **why, hn_error **err, const char *text)
{
	*why = base_strdup(text);
	return *why == NULL ? base_nomem(err) : 0;
}

static int memory_possible(const change *c, const machine_domain *now, char **why, hn_error **err)
{
	uint64_t most = 0;
	const char *balloon = machine_domain_value(now, "memory.balloon");
	const char *text = machine_domain_value(now, "memory.max");

	if (balloon == NULL || strcmp(balloon, "off") == 0)
		return no(why, err, "the balloon is off");
	if (text == NULL || hn_size_parse(text, &most, NULL) < 0)
		return no(why, err, "memory.max is not known");
	if (c->spec->memory > most) {
		BASE_AUTO_BUF base_buf said = {0};

		base_buf_format(&said, "above memory.max %s", text);
		return said.failed ? base_nomem(err) : no(why, err, said.data);
	}
	return 1;
}

static int vcpus_possible(const change *c, const machine_domain *now, char **why, hn_error **err)
{
	const char *current = machine_domain_value(now, "compute.vcpus");
	const char *most = machine_domain_value(now, "compute.vcpus-max");
	unsigned long have = current == NULL ? 0 : strtoul(current, NULL, 10);

	if (c->spec->vcpus < have)
		return no(why, err, "vCPUs cannot be unplugged");
	if (most == NULL || c->spec->vcpus > strtoul(most, NULL, 10))
		return no(why, err, "above compute.vcpus-max");
	return 1;
}

/* The slot that the device gets or has in the running unit; 0: none. SCSI disks need no port. */
static uint32_t slot_of(const change *c, const machine_domain *now)
{
	const machine_disk *disk = machine_spec_disk(c->spec, c->part);
	const machine_nic *nic = machine_spec_nic(c->spec, c->part);

	if (strcmp(c->key, "rng") == 0)
		return now->rng_slot != 0 ? now->rng_slot : c->spec->free_slot;
	if (strncmp(c->key, "nics.", 5) == 0)
		return nic == NULL ? 0 : nic->slot;
	return disk == NULL ? 0 : disk->bus == MACHINE_BUS_SCSI ? 1 : disk->slot;
}

static int device_possible(const change *c, const machine_domain *now, char **why, hn_error **err)
{
	bool rng = strcmp(c->key, "rng") == 0;
	bool goes = rng ? !c->spec->rng : c->new_text == NULL;
	uint32_t slot = slot_of(c, now);

	if (strcmp(c->key, "disks." MACHINE_ROOT_DISK ".source") == 0)
		return no(why, err, "the guest's root is on it");
	if (!rng && c->old_text != NULL && c->new_text != NULL)
		return no(why, err, "a device in use cannot be exchanged");
	if ((c->m->ops->flags & MACHINE_REAL) == 0)
		return no(why, err, "this driver cannot plug devices");
	if (c->spec->board == MACHINE_BOARD_MICROVM)
		return no(why, err, "microvm cannot plug devices");
	if (goes)
		return rng && now->rng_slot == 0 ? no(why, err, "bus 0 lets nothing go") : 1;
	/* The running unit has the ports it was started with. */
	if (slot == 0 || (c->spec->board == MACHINE_BOARD_Q35 && slot > now->ports))
		return no(why, err, "no slot is free");
	return 1;
}

static int possible(const change *c, const machine_domain *now, char **why, hn_error **err)
{
	if (strcmp(c->key, "memory.size") == 0)
		return memory_possible(c, now, why, err);
	if (strcmp(c->key, "compute.vcpus") == 0)
		return vcpus_possible(c, now, why, err);
	if (base_glob("disks.*.source", c->key) || base_glob("nics.*.kind", c->key) ||
		strcmp(c->key, "rng") == 0)
		return device_possible(c, now, why, err);
	if (strcmp(c->key, "memory.balloon") == 0) {
		bool off = c->old_text == NULL || c->new_text == NULL ||
			   strcmp(c->old_text, "off") == 0 || strcmp(c->new_text, "off") == 0;

		return off ? no(why, err, "the balloon device comes or goes") : 1;
	}
	if (base_glob("nics.*.bridge", c->key))
		return c->old_text == NULL || c->new_text == NULL
			       ? 1
			       : no(why, err, "this driver cannot move a plugged nic");
	if (strcmp(c->key, "backup.cdp") == 0) {
		for (size_t i = 0; i < c->spec->disk_count; i++)
			if (strcmp(c->spec->disks[i].format, "qcow2") != 0)
				return no(why, err, "not every disk is qcow2");
		return 1;
	}
	if (hn_key_find(c->key) != NULL && hn_key_find(c->key)->class_ == HN_CLASS_HOT)
		return 1; /* only our bookkeeping */
	return find_row(c->key) == NULL ? no(why, err, "this driver has no way to") : 1;
}

int machine_hot_possible(machine *m, const machine_unit *unit, const char *key,
	const char *old_text, const char *new_text, char **why, hn_error **err)
{
	BASE_AUTO_OF(machine_domain) machine_domain *now = NULL;
	BASE_AUTO_FREE char *xml = NULL;
	hn_error *problem = NULL;
	change c = {.old_text = old_text, .new_text = new_text};
	int result = prepare(&c, m, unit, key, &problem);

	if (result == HN_ELIMIT) { /* no slot is free */
		hn_error_unref(problem);
		return no(why, err, "no slot is free");
	}
	if (result < 0) {
		if (err != NULL)
			*err = problem;
		else
			hn_error_unref(problem);
		return result;
	}
	result = m->ops->xml(m, unit->uuid, c.live, &xml, err);
	if (result == 0)
		result = machine_domain_parse(xml, strlen(xml), &now, err);
	if (result == 0)
		result = possible(&c, now, why, err);
	machine_spec_free(c.spec);
	return result;
}
