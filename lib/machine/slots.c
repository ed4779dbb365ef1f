/* SPDX-License-Identifier: MIT
 *
 * PCI addresses of disks and nics: what was given once is kept, the rest takes the lowest free one.
 */
#include "machine/driver.h"

#include "codec/codec-private.h"
#include <stdio.h>

typedef struct slot_map {
	bool taken[MACHINE_SLOTS + 1];
	bool scsi[256];
	uint32_t last; /* highest root port there is */
} slot_map;

/* The slot that was given before; 0 when none was. */
static uint32_t kept(const codec_node *root, const char *kind, const char *name)
{
	char key[160];
	const codec_node *node;

	if (root == NULL)
		return 0;
	snprintf(key, sizeof(key), "%s.%s", kind, name);
	node = codec_member(root, key);
	return node != NULL && node->kind == CODEC_INTEGER && node->integer > 0 &&
			       node->integer < 256
		       ? (uint32_t)node->integer
		       : 0;
}

static bool usable(const slot_map *map, uint32_t slot)
{
	return slot >= 1 && slot <= map->last && slot != MACHINE_SLOT_SERIAL &&
	       slot != MACHINE_SLOT_RNG && !map->taken[slot];
}

/* The lowest free one of the kind's own ports, then of the spare ones; 0 when all are taken. */
static uint32_t lowest(const slot_map *map, uint32_t first, uint32_t end)
{
	for (uint32_t slot = first; slot < end; slot++)
		if (usable(map, slot))
			return slot;
	for (uint32_t slot = MACHINE_SLOT_SPARE; slot <= map->last; slot++)
		if (usable(map, slot))
			return slot;
	return 0;
}

static int no_slot(const machine_spec *spec, const char *kind, const char *name, hn_error **err)
{
	return base_error(err, HN_ELIMIT, MACHINE_ROOM, "raise machine.hotplug-slots (16 at most)",
		"unit '%s': no slot is left for %s '%s'", spec->name, kind, name);
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

/* Kept slots first: a new name that sorts earlier must not push an old one away. */
static int assign_pass(
	machine_spec *spec, slot_map *map, const codec_node *root, bool first, hn_error **err)
{
	for (size_t i = 0; i < spec->disk_count; i++) {
		machine_disk *disk = &spec->disks[i];
		uint32_t slot = kept(root, "disk", disk->name);

		if (disk->slot != 0)
			continue;
		if (disk->bus == MACHINE_BUS_SCSI) {
			if ((!first || slot != 0) && assign_scsi(spec, map, disk, slot, err) < 0)
				return HN_ELIMIT;
			continue;
		}
		if (first ? !usable(map, slot)
			  : (slot = lowest(map, MACHINE_SLOT_DISK, MACHINE_SLOT_NIC)) == 0) {
			if (first)
				continue;
			return no_slot(spec, "disk", disk->name, err);
		}
		disk->slot = slot;
		map->taken[slot] = true;
	}
	for (size_t i = 0; i < spec->nic_count; i++) {
		machine_nic *nic = &spec->nics[i];
		uint32_t slot = kept(root, "nic", nic->name);

		if (nic->slot != 0)
			continue;
		if (first ? !usable(map, slot)
			  : (slot = lowest(map, MACHINE_SLOT_NIC, MACHINE_SLOT_SERIAL)) == 0) {
			if (first)
				continue;
			return no_slot(spec, "nic", nic->name, err);
		}
		nic->slot = slot;
		map->taken[slot] = true;
	}
	return 0;
}

int machine_slots_assign(machine_spec *spec, const char *addresses, hn_error **err)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;
	const codec_node *root = NULL;
	slot_map map = {.last = MACHINE_SLOT_RNG + spec->spare};
	int result = 0;

	if (map.last > MACHINE_SLOTS || spec->board == MACHINE_BOARD_MICROVM)
		map.last = MACHINE_SLOTS;
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
	result = assign_pass(spec, &map, root, true, err);
	if (result == 0)
		result = assign_pass(spec, &map, root, false, err);
	return result;
}

int machine_slots_print(const machine_spec *spec, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *out = NULL;
	const char *text;
	char key[160];
	size_t size;
	int result = hn_json_new(false, &out, err);

	if (result < 0)
		return result;
	hn_json_object(out, NULL);
	for (size_t i = 0; i < spec->disk_count; i++) {
		snprintf(key, sizeof(key), "disk.%s", spec->disks[i].name);
		hn_json_uint(out, key, spec->disks[i].slot);
	}
	for (size_t i = 0; i < spec->nic_count; i++) {
		snprintf(key, sizeof(key), "nic.%s", spec->nics[i].name);
		hn_json_uint(out, key, spec->nics[i].slot);
	}
	hn_json_end(out);
	result = hn_json_finish(out, &text, &size, err);
	if (result < 0)
		return result;
	*json = base_strndup(text, size);
	return *json == NULL ? base_nomem(err) : 0;
}
