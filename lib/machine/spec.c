/* SPDX-License-Identifier: MIT
 *
 * A resolved unit as one plain record: what the XML writer, the slots and the hot changes work on.
 */
#include "machine/driver.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMORY_STEP (UINT64_C(2) << 20)

/* NULL when the unit has no value for the key. */
static const char *text_of(const hn_view *view, const char *key)
{
	const char *text;

	return hn_view_get_text(view, key, &text, NULL) == 0 ? text : NULL;
}

static const char *named(
	const hn_view *view, const char *prefix, const char *name, const char *leaf)
{
	char key[160];

	snprintf(key, sizeof(key), "%s%s.%s", prefix, name, leaf);
	return text_of(view, key);
}

/* A word such as auto or none, or no value at all, gives `otherwise`. */
static int64_t number_of(const hn_view *view, const char *key, int64_t otherwise)
{
	int64_t number;

	return hn_view_get_int(view, key, &number, NULL) == 0 ? number : otherwise;
}

static bool is(const char *text, const char *word)
{
	return text != NULL && strcmp(text, word) == 0;
}

static char *keep(machine_spec *spec, const char *text)
{
	return base_arena_strndup(spec->arena, text, strlen(text));
}

static bool name_valid(const char *name)
{
	size_t size = strlen(name);

	if (size == 0 || size > base_limit(BASE_LIMIT_NAME_BYTES))
		return false;
	for (size_t i = 0; i < size; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
			    (c == '.' && i > 0)))
			return false;
	}
	return true;
}

int machine_uuid_check(const char *uuid, hn_error **err)
{
	size_t i;

	for (i = 0; uuid != NULL && i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		char c = uuid[i];

		if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			break;
	}
	if (uuid == NULL || i != 36 || uuid[36] != '\0')
		return base_error(err, HN_EINVAL, MACHINE_ROOM, NULL,
			"a unit's uuid is 36 lower-case characters, not '%.40s'",
			uuid == NULL ? "" : uuid);
	return 0;
}

/* Text that ends up in XML: printable UTF-8, no control bytes. */
static int text_check(const char *what, const char *text, hn_error **err)
{
	size_t size = strlen(text);

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			return base_error(err, HN_ESCHEMA, MACHINE_ROOM, NULL,
				"%s holds the control byte 0x%02x at position %zu", what, c, i);
	}
	if (!base_utf8_valid(text, size))
		return base_error(
			err, HN_ESCHEMA, MACHINE_ROOM, NULL, "%s is not valid UTF-8", what);
	return 0;
}

static int take_identity(machine_spec *spec, const machine_unit *unit, hn_error **err)
{
	int result = machine_uuid_check(unit->uuid, err);

	if (result < 0)
		return result;
	if (unit->name == NULL || !name_valid(unit->name))
		return base_error(err, HN_EINVAL, MACHINE_ROOM, NULL,
			"a unit's name is 1 to 63 of a-z, 0-9, '.', '_', '-', not '%.80s'",
			unit->name == NULL ? "" : unit->name);
	spec->name = keep(spec, unit->name);
	spec->uuid = keep(spec, unit->uuid);
	spec->digest = keep(spec, unit->digest == NULL ? "" : unit->digest);
	spec->generation = unit->generation;
	return spec->name == NULL || spec->uuid == NULL || spec->digest == NULL ? base_nomem(err)
										: 0;
}

static int take_compute(machine_spec *spec, const machine_unit *unit, hn_error **err)
{
	int64_t sn = unit->sn > 0 ? unit->sn : 1000000;
	int64_t units = number_of(unit->view, "compute.units", 100);
	int64_t vcpus = number_of(unit->view, "compute.vcpus", 0);
	int64_t most = number_of(unit->view, "compute.vcpus-max", 0);
	const char *topology = text_of(unit->view, "cpu.topology");

	if (vcpus == 0)
		vcpus = unit->frozen.vcpus;
	if (vcpus == 0) /* ceil(CU / (100 x sN)) */
		vcpus = (units * 10000 + sn - 1) / sn;
	if (vcpus > (int64_t)base_limit(BASE_LIMIT_VCPUS))
		vcpus = (int64_t)base_limit(BASE_LIMIT_VCPUS);
	if (most == 0)
		most = vcpus;
	if (most < vcpus)
		return base_error(err, HN_ESCHEMA, MACHINE_ROOM,
			"raise compute.vcpus-max or leave it at auto",
			"unit '%s': compute.vcpus %lld is above compute.vcpus-max %lld", spec->name,
			(long long)vcpus, (long long)most);
	spec->sn = sn;
	spec->units = (uint32_t)units;
	spec->limit = (uint32_t)number_of(unit->view, "compute.limit", 0);
	spec->vcpus = (uint32_t)vcpus;
	spec->vcpus_max = (uint32_t)most;
	if (topology == NULL || is(topology, "auto"))
		return 0;
	if (sscanf(topology, "%ux%ux%u", &spec->sockets, &spec->cores, &spec->threads) != 3 ||
		(uint64_t)spec->sockets * spec->cores * spec->threads != spec->vcpus_max)
		return base_error(err, HN_ESCHEMA, MACHINE_ROOM, NULL,
			"unit '%s': cpu.topology %s does not make %u vCPUs", spec->name, topology,
			spec->vcpus_max);
	return 0;
}

static int take_memory(machine_spec *spec, const machine_unit *unit, hn_error **err)
{
	spec->memory = (uint64_t)number_of(unit->view, "memory.size", INT64_C(512) << 20);
	spec->memory_max = (uint64_t)number_of(unit->view, "memory.max", (int64_t)spec->memory);
	spec->balloon = !is(text_of(unit->view, "memory.balloon"), "off") &&
			text_of(unit->view, "memory.balloon") != NULL;
	spec->share = number_of(unit->view, "memory.share", 1) != 0;
	if (spec->memory_max < spec->memory)
		return base_error(err, HN_ESCHEMA, MACHINE_ROOM,
			"raise memory.max or leave it at size",
			"unit '%s': memory.size %llu MiB is above memory.max %llu MiB", spec->name,
			(unsigned long long)(spec->memory >> 20),
			(unsigned long long)(spec->memory_max >> 20));
	/* Without a balloon the guest would get memory.max at once. */
	if (!spec->balloon)
		spec->memory_max = spec->memory;
	if (spec->memory % MEMORY_STEP != 0 || spec->memory_max % MEMORY_STEP != 0)
		return base_error(err, HN_ERANGE, MACHINE_ROOM, NULL,
			"unit '%s': memory is given in multiples of 2 MiB", spec->name);
	return 0;
}

/* Board, firmware and CPU from the profile, then what overrides them. */
static int take_board(
	machine_spec *spec, const machine_unit *unit, const char *profile, hn_error **err)
{
	const char *type = text_of(unit->view, "machine.type");
	const char *firmware = text_of(unit->view, "firmware");
	const char *cpu = text_of(unit->view, "cpu.model");
	static const char *const boards[] = {"q35", "pc", "microvm"};

	spec->board = is(profile, "fast") ? MACHINE_BOARD_MICROVM : MACHINE_BOARD_Q35;
	for (size_t i = 0; i < BASE_COUNT(boards); i++)
		if (is(type, boards[i]))
			spec->board = (machine_board)i;
	spec->machine = keep(spec, boards[spec->board]);
	/* The canonical type is kept only while it is of the board that is asked for. */
	if (unit->frozen.machine != NULL &&
		strstr(unit->frozen.machine, boards[spec->board]) != NULL)
		spec->machine = keep(spec, unit->frozen.machine);
	spec->uefi = is(firmware, "ovmf") || (is(profile, "uefi") && !is(firmware, "seabios"));
	if (spec->uefi && spec->board == MACHINE_BOARD_MICROVM)
		return base_error(err, HN_ESCHEMA, MACHINE_ROOM, NULL,
			"unit '%s': microvm has no UEFI firmware", spec->name);
	if (cpu != NULL && !is(cpu, "auto"))
		spec->cpu = keep(spec, cpu);
	else if (spec->accelerator == HN_ACCELERATOR_KVM)
		spec->cpu = NULL;
	else
		spec->cpu = is(profile, "fast") ? "qemu64" : "Nehalem";
	return spec->machine == NULL ? base_nomem(err) : 0;
}

static int path_check(const machine_spec *spec, const char *key, const char *path, hn_error **err)
{
	if (path[0] != '/')
		return base_error(err, HN_ESCHEMA, MACHINE_ROOM, NULL,
			"unit '%s': %s must be an absolute path, not '%.120s'", spec->name, key,
			path);
	return text_check(key, path, err);
}

static int take_kernel(
	machine_spec *spec, const machine_unit *unit, const char *profile, hn_error **err)
{
	const char *kernel = text_of(unit->view, "boot.kernel");
	const char *initrd = text_of(unit->view, "boot.initrd");
	const char *blueprint = text_of(unit->view, "image.blueprint");
	int result = 0;

	spec->composed = blueprint != NULL && !is(blueprint, "none");
	if (kernel == NULL || is(kernel, "image")) {
		if (is(profile, "direct") || is(profile, "fast"))
			return base_error(err, HN_ESCHEMA, MACHINE_ROOM,
				"give boot.kernel a path, or set boot.profile to standard",
				"unit '%s': boot.profile %s needs a kernel, and there is none "
				"without an image",
				spec->name, profile);
		return 0;
	}
	result = path_check(spec, "boot.kernel", kernel, err);
	if (result == 0 && initrd != NULL && !is(initrd, "image"))
		result = path_check(spec, "boot.initrd", initrd, err);
	if (result < 0)
		return result;
	spec->kernel = keep(spec, kernel);
	if (initrd != NULL && !is(initrd, "image")) {
		spec->initrd = keep(spec, initrd);
		if (spec->initrd == NULL)
			return base_nomem(err);
	}
	return spec->kernel == NULL ? base_nomem(err)
				    : machine_spec_cmdline(spec, unit, profile, err);
}

/* ROOT of ROOT/unit/UUID. */
static size_t root_size(const char *unit_dir)
{
	size_t size = strlen(unit_dir);

	for (int parts = 0; parts < 2 && size > 0; parts++)
		while (size > 0 && unit_dir[--size] != '/')
			;
	return size;
}

static int disk_path(machine_spec *spec, machine_disk *disk, const char *source, hn_error **err)
{
	BASE_AUTO_BUF base_buf path = {0};

	if (source == NULL) {
		disk->owned = true;
		base_buf_format(&path, "%s/%s.%s", spec->unit_dir, disk->name, disk->format);
	} else if (source[0] == '/') {
		base_buf_text(&path, source);
	} else if (strchr(source, '/') != NULL) {
		base_buf_add(&path, spec->unit_dir, root_size(spec->unit_dir));
		base_buf_format(&path, "/%s", source);
	} else {
		return base_error(err, HN_ENOSUP, MACHINE_ROOM, "give an absolute path",
			"unit '%s': disks.%s.source '%s' names a fabric volume, and there is no "
			"fabric yet",
			spec->name, disk->name, source);
	}
	if (path.failed)
		return base_nomem(err);
	disk->path = keep(spec, path.data);
	return disk->path == NULL ? base_nomem(err)
				  : text_check("a disk's source", disk->path, err);
}

static int take_disk(machine_spec *spec, const machine_unit *unit, const char *name, hn_error **err)
{
	machine_disk *disk = &spec->disks[spec->disk_count];
	const char *bus = named(unit->view, "disks.", name, "bus");
	const char *source = named(unit->view, "disks.", name, "source");
	const char *format = named(unit->view, "disks.", name, "format");
	const char *cache = named(unit->view, "disks.", name, "cache");
	char key[160];
	int result;

	snprintf(key, sizeof(key), "disks.%s.size", name);
	disk->name = keep(spec, name);
	disk->format = keep(spec, format == NULL ? "qcow2" : format);
	disk->cache = keep(spec, cache == NULL ? "none" : cache);
	disk->size = (uint64_t)number_of(unit->view, key, 0);
	disk->bus = is(bus, "scsi") ? MACHINE_BUS_SCSI : MACHINE_BUS_VIRTIO;
	disk->shared = is(name, MACHINE_ROOT_DISK);
	disk->readonly =
		disk->shared ||
		(is(name, "root") && number_of(unit->view, "security.readonly-root", 0) != 0);
	if (disk->name == NULL || disk->format == NULL || disk->cache == NULL)
		return base_nomem(err);
	if (disk->bus == MACHINE_BUS_SCSI && spec->board == MACHINE_BOARD_MICROVM)
		return base_error(err, HN_ESCHEMA, MACHINE_ROOM, NULL,
			"unit '%s': disks.%s.bus scsi needs PCI, which microvm has not", spec->name,
			name);
	if (source == NULL && disk->size == 0)
		return base_error(err, HN_ESCHEMA, MACHINE_ROOM, NULL,
			"unit '%s': disk '%s' has neither disks.%s.source nor disks.%s.size",
			spec->name, name, name, name);
	result = disk_path(spec, disk, source, err);
	if (result == 0)
		spec->disk_count++;
	return result;
}

static int take_disks(machine_spec *spec, const machine_unit *unit, hn_error **err)
{
	size_t count = 0;
	const char *name;

	while (hn_view_name_at(unit->view, "disks.", count, &name) == 0)
		count++;
	if (base_limit_check(BASE_LIMIT_DISKS, count, err) < 0)
		return HN_ELIMIT;
	spec->disks = base_arena_alloc(spec->arena, (count + 1) * sizeof(*spec->disks));
	if (spec->disks == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < count; i++) {
		int result;

		if (hn_view_name_at(unit->view, "disks.", i, &name) != 0)
			break;
		result = take_disk(spec, unit, name, err);
		if (result < 0)
			return result;
	}
	return 0;
}

/* The same unit and name give the same address for ever; locally administered, as QEMU's are. */
static char *derive_mac(machine_spec *spec, const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a, 64 bits */
	char mac[18];

	for (const char *p = spec->uuid; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	for (const char *p = name; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	hash ^= hash >> 32;
	snprintf(mac, sizeof(mac), "52:54:%02x:%02x:%02x:%02x", (unsigned)(hash >> 24 & 0xff),
		(unsigned)(hash >> 16 & 0xff), (unsigned)(hash >> 8 & 0xff),
		(unsigned)(hash & 0xff));
	return keep(spec, mac);
}

static int take_nic(machine_spec *spec, const machine_unit *unit, const char *name, hn_error **err)
{
	machine_nic *nic = &spec->nics[spec->nic_count];
	const char *kind = named(unit->view, "nics.", name, "kind");
	const char *bridge = named(unit->view, "nics.", name, "bridge");
	const char *mac = named(unit->view, "nics.", name, "mac");
	const char *filter = text_of(unit->view, "network.filter");
	char key[160];

	snprintf(key, sizeof(key), "nics.%s.mtu", name);
	nic->name = keep(spec, name);
	nic->kind = keep(spec, kind == NULL ? "user" : kind);
	nic->mac = mac == NULL || is(mac, "auto") ? derive_mac(spec, name) : keep(spec, mac);
	nic->mtu = (uint32_t)number_of(unit->view, key, 1500);
	if (nic->name == NULL || nic->kind == NULL || nic->mac == NULL)
		return base_nomem(err);
	if (is(kind, "bridge") && (bridge == NULL || is(bridge, "none")))
		return base_error(err, HN_ESCHEMA, MACHINE_ROOM, NULL,
			"unit '%s': nics.%s.kind is bridge, but nics.%s.bridge names none",
			spec->name, name, name);
	if (is(kind, "bridge")) {
		nic->bridge = keep(spec, bridge);
		if (nic->bridge == NULL)
			return base_nomem(err);
	}
	/* User networking reaches no other guest and lets nothing in: it is strict by itself. */
	if (!is(nic->kind, "user") && filter != NULL && !is(filter, "none"))
		return base_error(err, HN_ENOSUP, MACHINE_ROOM, "set nics.*.kind to user",
			"unit '%s': no driver can do network.filter %s for nic '%s' of kind %s",
			spec->name, filter, name, nic->kind);
	spec->nic_count++;
	return 0;
}

static int take_nics(machine_spec *spec, const machine_unit *unit, hn_error **err)
{
	size_t count = 0;
	const char *name;

	while (hn_view_name_at(unit->view, "nics.", count, &name) == 0)
		count++;
	if (base_limit_check(BASE_LIMIT_NICS, count, err) < 0)
		return HN_ELIMIT;
	spec->nics = base_arena_alloc(spec->arena, (count + 1) * sizeof(*spec->nics));
	if (spec->nics == NULL)
		return base_nomem(err);
	for (size_t i = 0; i < count; i++) {
		int result;

		if (hn_view_name_at(unit->view, "nics.", i, &name) != 0)
			break;
		result = take_nic(spec, unit, name, err);
		if (result < 0)
			return result;
	}
	return 0;
}

static int take_devices(machine_spec *spec, const machine_unit *unit, hn_error **err)
{
	const char *watchdog = text_of(unit->view, "watchdog");
	const char *secret = NULL;

	spec->secrets = hn_view_get_item(unit->view, "secrets", 0, &secret) == 0;
	spec->console = !is(text_of(unit->view, "console"), "none");
	spec->rng = !is(text_of(unit->view, "rng"), "off");
	spec->channel = number_of(unit->view, "agent.channel", 1) != 0;
	spec->iops = (uint64_t)number_of(unit->view, "storage.iops", 0);
	spec->disk_rate = (uint64_t)number_of(unit->view, "storage.bandwidth", 0);
	spec->net_rate = (uint64_t)number_of(unit->view, "network.bandwidth", 0);
	spec->spare = (uint32_t)number_of(unit->view, "machine.hotplug-slots", 8);
	if (watchdog == NULL || is(watchdog, "off"))
		return 0;
	if (spec->board == MACHINE_BOARD_MICROVM)
		return base_error(err, HN_ESCHEMA, MACHINE_ROOM, NULL,
			"unit '%s': watchdog needs PCI, which microvm has not", spec->name);
	spec->watchdog = keep(spec, watchdog);
	return spec->watchdog == NULL ? base_nomem(err) : 0;
}

static int profile_of(
	const machine_unit *unit, const char *driver, const char **profile, hn_error **err)
{
	const char *text = text_of(unit->view, "boot.profile");
	const char *kernel = text_of(unit->view, "boot.kernel");

	if (text == NULL || is(text, "auto"))
		text = kernel != NULL && !is(kernel, "image") ? "direct" : "standard";
	if (is(text, "template"))
		return base_error(err, HN_ENOSUP, MACHINE_ROOM, "use direct or fast",
			"unit '%s': driver %s cannot do boot.profile template", unit->name, driver);
	*profile = text;
	return 0;
}

static int fill(machine_spec *spec, const machine_unit *unit, const char *driver, hn_error **err)
{
	const char *profile = NULL;
	int result = take_identity(spec, unit, err);

	if (result == 0)
		result = machine_unsupported(unit->view, driver, err);
	if (result == 0)
		result = profile_of(unit, driver, &profile, err);
	if (result == 0)
		result = take_compute(spec, unit, err);
	if (result == 0)
		result = take_memory(spec, unit, err);
	if (result == 0)
		result = take_board(spec, unit, profile, err);
	if (result == 0)
		result = take_devices(spec, unit, err);
	if (result == 0)
		result = take_kernel(spec, unit, profile, err);
	if (result == 0)
		result = take_disks(spec, unit, err);
	if (result == 0)
		result = take_nics(spec, unit, err);
	if (result == 0)
		result = machine_spec_forwards(spec, unit->view, err);
	if (result == 0)
		result = machine_slots_assign(spec, unit->frozen.addresses, err);
	return result;
}

int machine_spec_new(const machine_unit *unit, const char *driver, hn_accelerator accelerator,
	const char *unit_dir, machine_spec **out, hn_error **err)
{
	base_arena *arena = base_arena_new();
	machine_spec *spec;
	int result;

	if (arena == NULL)
		return base_nomem(err);
	spec = base_arena_alloc(arena, sizeof(*spec));
	if (spec == NULL) {
		base_arena_free(arena);
		return base_nomem(err);
	}
	spec->arena = arena;
	spec->accelerator = accelerator;
	spec->unit_dir = keep(spec, unit_dir);
	result = spec->unit_dir == NULL ? base_nomem(err)
					: text_check("the unit's directory", unit_dir, err);
	if (result == 0)
		result = fill(spec, unit, driver, err);
	if (result < 0) {
		base_arena_free(arena);
		return result;
	}
	*out = spec;
	return 0;
}

void machine_spec_free(machine_spec *spec)
{
	if (spec != NULL)
		base_arena_free(spec->arena);
}

const machine_disk *machine_spec_disk(const machine_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->disk_count; i++)
		if (strcmp(spec->disks[i].name, name) == 0)
			return &spec->disks[i];
	return NULL;
}

const machine_nic *machine_spec_nic(const machine_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->nic_count; i++)
		if (strcmp(spec->nics[i].name, name) == 0)
			return &spec->nics[i];
	return NULL;
}
