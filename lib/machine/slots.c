/* SPDX-License-Identifier: MIT
 *
 * PCI addresses: what was given once is kept, other disks and nics take the lowest free slot.
 */
#include "machine/driver.h"

#include "codec/codec-private.h"
#include <stdio.h>

typedef struct slot_map {
	bool taken[MACHINE_SLOTS + 1];
	bool scsi[256];
} slot_map;

/* The slot that was given before; 0 when none was. */
static uint32_t kept(const codec_node *root, const char *kind, const char *name)
{
	char key[160];
	const codec_node *node;

	if (root == NULL)
		return 0;
	snprintf(key, sizeof(key), "%s%s%s", kind, name == NULL ? "" : ".",
		name == NULL ? "" : name);
	node = codec_member(root, key);
	return node != NULL && node->kind == CODEC_INTEGER && node->integer > 0 &&
			       node->integer < 256
		       ? (uint32_t)node->integer
		       : 0;
}

/* Takes the slot when it is there and free; 0 otherwise. */
static uint32_t take(slot_map *map, uint32_t slot)
{
	if (slot < 1 || slot > MACHINE_SLOTS || map->taken[slot])
		return 0;
	map->taken[slot] = true;
	return slot;
}

static uint32_t lowest(const slot_map *map)
{
	for (uint32_t slot = 1; slot <= MACHINE_SLOTS; slot++)
		if (!map->taken[slot])
			return slot;
	return 0;
}

static int no_slot(const machine_spec *spec, const char *kind, const char *name, hn_error **err)
{
	return base_error(err, HN_ELIMIT, MACHINE_ROOM,
		"a SCSI controller takes 63 disks (disks.*.bus)",
		"unit '%s': no slot is left for %s '%s', there are %d", spec->name, kind, name,
		MACHINE_SLOTS);
}

static int assign_scsi(
	machine_spec *spec, slot_map *map, machine_disk *disk, uint32_t wanted, hn_error **err)
{
	/* Numbers are kept from 1, so that 0 can say "none". */
	if (wanted != 0 && !map->scsi[wanted]) {
		disk->slot = wanted;
	} else {
		uint32_t unit = 1;

		while (unit < 64 && map->scsi[unit])
			unit++;
		if (unit == 64)
			return no_slot(spec, "disk", disk->name, err);
		disk->slot = unit;
	}
	map->scsi[disk->slot] = true;
	return 0;
}

/* What was given once is taken first: a new name that sorts earlier must not push an old one away.
 */
static int keep_given(machine_spec *spec, slot_map *map, const codec_node *root, hn_error **err)
{
	if (spec->channel)
		spec->serial_slot = take(map, kept(root, "serial", NULL));
	if (spec->rng)
		spec->rng_slot = take(map, kept(root, "rng", NULL));
	if (spec->secrets)
		spec->secrets_slot = take(map, kept(root, "secrets", NULL));
	for (size_t i = 0; i < spec->disk_count; i++) {
		machine_disk *disk = &spec->disks[i];
		uint32_t slot = kept(root, "disk", disk->name);

		if (disk->bus != MACHINE_BUS_SCSI)
			disk->slot = take(map, slot);
		else if (slot != 0 && assign_scsi(spec, map, disk, slot, err) < 0)
			return HN_ELIMIT;
	}
	for (size_t i = 0; i < spec->nic_count; i++)
		spec->nics[i].slot = take(map, kept(root, "nic", spec->nics[i].name));
	return 0;
}

static int give_rest(machine_spec *spec, slot_map *map, hn_error **err)
{
	for (size_t i = 0; i < spec->disk_count; i++) {
		machine_disk *disk = &spec->disks[i];

		if (disk->slot != 0)
			continue;
		if (disk->bus == MACHINE_BUS_SCSI) {
			if (assign_scsi(spec, map, disk, 0, err) < 0)
				return HN_ELIMIT;
			continue;
		}
		disk->slot = take(map, lowest(map));
		if (disk->slot == 0)
			return no_slot(spec, "disk", disk->name, err);
	}
	for (size_t i = 0; i < spec->nic_count; i++) {
		machine_nic *nic = &spec->nics[i];

		if (nic->slot == 0)
			nic->slot = take(map, lowest(map));
		if (nic->slot == 0)
			return no_slot(spec, "nic", nic->name, err);
	}
	/* After the disks: the guest must find those under the names they had without secrets. */
	if (spec->secrets && spec->secrets_slot == 0)
		spec->secrets_slot = take(map, lowest(map));
	return spec->secrets && spec->secrets_slot == 0
		       ? no_slot(spec, "the disk of", "secrets", err)
		       : 0;
}

/* As many as are taken and the spare ones, and never fewer than the highest that is taken. */
static void count_ports(machine_spec *spec, const slot_map *map)
{
	uint32_t used = 0, highest = 0;

	for (uint32_t slot = 1; slot <= MACHINE_SLOTS; slot++) {
		used += map->taken[slot] ? 1 : 0;
		highest = map->taken[slot] ? slot : highest;
	}
	spec->ports = used + spec->spare > highest ? used + spec->spare : highest;
	if (spec->ports > MACHINE_SLOTS)
		spec->ports = MACHINE_SLOTS;
	spec->free_slot = lowest(map);
}

int machine_slots_assign(machine_spec *spec, const char *addresses, hn_error **err)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;
	const codec_node *root = NULL;
	slot_map map = {0};
	int result = 0;

	if (addresses != NULL && addresses[0] != '\0')
		result = codec_json_parse(
			"frozen addresses", addresses, strlen(addresses), &doc, err);
	if (result < 0)
		return result;
	if (doc != NULL)
		root = codec_json_root(doc);
	if (root != NULL && root->kind != CODEC_OBJECT)
		return HN_CORRUPT(err, MACHINE_ROOM, "frozen addresses of unit '%s' are no object",
			spec->name);
	result = keep_given(spec, &map, root, err);
	if (result == 0)
		result = give_rest(spec, &map, err);
	if (result == 0)
		count_ports(spec, &map);
	return result;
}
