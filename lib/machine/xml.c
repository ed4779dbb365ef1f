/* SPDX-License-Identifier: MIT
 *
 * Domain XML of a unit's record: same input, same bytes. Elements stand in the order libvirt itself
 * prints them; every text is escaped here, and was checked for control bytes before.
 */
#include "machine/driver.h"

#include <stdio.h>

/* Where the devices that have no slot sit on bus 0 (free on q35 and on pc), then where the slots
 * begin. */
enum {
	PLACE_BALLOON = 3,
	PLACE_WATCHDOG = 4,
	PLACE_SCSI = 5,
	PLACE_SERIAL = 6,
	PLACE_RNG = 7,
	PLACE_PORTS = 0x10,
	PLACE_PC = 7, /* of slot 0, which there is not */
};

static void text(base_buf *out, const char *value)
{
	for (const char *p = value; *p != '\0'; p++) {
		switch (*p) {
		case '&':
			base_buf_text(out, "&amp;");
			break;
		case '<':
			base_buf_text(out, "&lt;");
			break;
		case '>':
			base_buf_text(out, "&gt;");
			break;
		case '"':
			base_buf_text(out, "&quot;");
			break;
		case '\'':
			base_buf_text(out, "&apos;");
			break;
		default:
			base_buf_add(out, p, 1);
		}
	}
}

/* `before` value `after`, with the value escaped. */
static void line(base_buf *out, const char *before, const char *value, const char *after)
{
	base_buf_text(out, before);
	text(out, value);
	base_buf_text(out, after);
}

static void place(base_buf *out, unsigned bus, unsigned slot, unsigned function, bool more)
{
	base_buf_format(out,
		"      <address type='pci' domain='0x0000' bus='0x%02x' slot='0x%02x' function='0x%x'%s/>\n",
		bus, slot, function, more ? " multifunction='on'" : "");
}

/* The address of what sits on root port `slot`. */
static void slot_address(base_buf *out, const machine_spec *spec, uint32_t slot)
{
	if (spec->board == MACHINE_BOARD_MICROVM)
		base_buf_text(out, "      <address type='virtio-mmio'/>\n");
	else if (spec->board == MACHINE_BOARD_PC)
		place(out, 0, PLACE_PC + slot, 0, false);
	else
		place(out, slot, 0, 0, false);
}

static void fixed_address(base_buf *out, const machine_spec *spec, unsigned slot)
{
	if (spec->board == MACHINE_BOARD_MICROVM)
		base_buf_text(out, "      <address type='virtio-mmio'/>\n");
	else
		place(out, 0, slot, 0, false);
}

/* On its slot, or on bus 0 when it has none. */
static void either_address(base_buf *out, const machine_spec *spec, uint32_t slot, unsigned fixed)
{
	if (slot != 0)
		slot_address(out, spec, slot);
	else
		fixed_address(out, spec, fixed);
}

static void metadata(base_buf *out, const machine_spec *spec, const char *prefix)
{
	base_buf_format(out, "<%sunit", prefix);
	if (prefix[0] != '\0')
		base_buf_text(out, " xmlns:hn='" MACHINE_URN "'");
	line(out, " uuid='", spec->uuid, "'");
	if (spec->digest[0] != '\0') {
		line(out, " digest='", spec->digest, "'");
		base_buf_format(out, " generation='%llu'", (unsigned long long)spec->generation);
	}
	base_buf_format(out, " units='%u'", spec->units);
	if (spec->limit != 0)
		base_buf_format(out, " limit='%u' sn='%lld'", spec->limit, (long long)spec->sn);
	base_buf_text(out, "/>");
}

static void head(base_buf *out, const machine_spec *spec)
{
	base_buf_format(out, "<domain type='%s'>\n",
		spec->accelerator == HN_ACCELERATOR_KVM ? "kvm" : "qemu");
	line(out, "  <name>", spec->name, "</name>\n");
	line(out, "  <uuid>", spec->uuid, "</uuid>\n");
	base_buf_text(out, "  <metadata>\n    ");
	metadata(out, spec, "hn:");
	base_buf_text(out, "\n  </metadata>\n");
	base_buf_format(out, "  <memory unit='KiB'>%llu</memory>\n",
		(unsigned long long)(spec->memory_max >> 10));
	base_buf_format(out, "  <currentMemory unit='KiB'>%llu</currentMemory>\n",
		(unsigned long long)(spec->memory >> 10));
	if (!spec->share)
		base_buf_text(out, "  <memoryBacking>\n    <nosharepages/>\n  </memoryBacking>\n");
	base_buf_text(out, "  <vcpu placement='static'");
	if (spec->vcpus != spec->vcpus_max)
		base_buf_format(out, " current='%u'", spec->vcpus);
	base_buf_format(out, ">%u</vcpu>\n", spec->vcpus_max);
}

static void boot(base_buf *out, const machine_spec *spec)
{
	base_buf_text(out, spec->uefi ? "  <os firmware='efi'>\n" : "  <os>\n");
	line(out, "    <type arch='x86_64' machine='", spec->machine, "'>hvm</type>\n");
	if (spec->kernel != NULL)
		line(out, "    <kernel>", spec->kernel, "</kernel>\n");
	if (spec->initrd != NULL)
		line(out, "    <initrd>", spec->initrd, "</initrd>\n");
	if (spec->cmdline != NULL)
		line(out, "    <cmdline>", spec->cmdline, "</cmdline>\n");
	base_buf_text(out, "  </os>\n");
	base_buf_text(out, spec->board == MACHINE_BOARD_MICROVM
				   ? "  <features>\n    <acpi/>\n  </features>\n"
				   : "  <features>\n    <acpi/>\n    <apic/>\n  </features>\n");
	if (spec->cpu == NULL) {
		base_buf_text(out, "  <cpu mode='host-model' check='partial'>\n");
	} else {
		base_buf_text(out, "  <cpu mode='custom' match='exact' check='none'>\n");
		line(out, "    <model fallback='forbid'>", spec->cpu, "</model>\n");
	}
	if (spec->sockets != 0)
		base_buf_format(out,
			"    <topology sockets='%u' dies='1' cores='%u' threads='%u'/>\n",
			spec->sockets, spec->cores, spec->threads);
	base_buf_text(out, "  </cpu>\n"
			   "  <clock offset='utc'/>\n"
			   "  <on_poweroff>destroy</on_poweroff>\n"
			   "  <on_reboot>restart</on_reboot>\n"
			   "  <on_crash>destroy</on_crash>\n");
}

/* vda for the first; SCSI names go on after sdz with sdaa. */
void machine_target(machine_bus bus, uint32_t slot, char name[8])
{
	const char *prefix = bus == MACHINE_BUS_SCSI ? "sd" : "vd";
	unsigned index = (slot - 1) % 702; /* 26 + 26 * 26 names of one or two letters */

	if (index < 26)
		snprintf(name, 8, "%s%c", prefix, (char)('a' + index));
	else
		snprintf(name, 8, "%s%c%c", prefix, (char)('a' + index / 26 - 1),
			(char)('a' + index % 26));
}

static void iotune(base_buf *out, const machine_spec *spec)
{
	if (spec->iops == 0 && spec->disk_rate == 0)
		return;
	base_buf_text(out, "      <iotune>\n");
	if (spec->disk_rate != 0)
		base_buf_format(out, "        <total_bytes_sec>%llu</total_bytes_sec>\n",
			(unsigned long long)spec->disk_rate);
	if (spec->iops != 0)
		base_buf_format(out, "        <total_iops_sec>%llu</total_iops_sec>\n",
			(unsigned long long)spec->iops);
	/* One group: the limit is over all disks of the unit. */
	base_buf_text(out, "        <group_name>unit</group_name>\n      </iotune>\n");
}

static void disk_xml(base_buf *out, const machine_spec *spec, const machine_disk *disk, bool boots)
{
	char target[8];

	machine_target(disk->bus, disk->slot, target);
	base_buf_text(out, "    <disk type='file' device='disk'>\n");
	line(out, "      <driver name='qemu' type='", disk->format, "'");
	line(out, " cache='", disk->cache, "' io='threads' discard='unmap'/>\n");
	line(out, "      <source file='", disk->path, "'/>\n");
	/* It ends there: what a guest may have written into the image names no other file. */
	base_buf_text(out, "      <backingStore/>\n");
	base_buf_format(out, "      <target dev='%s' bus='%s'/>\n", target,
		disk->bus == MACHINE_BUS_SCSI ? "scsi" : "virtio");
	iotune(out, spec);
	if (disk->readonly)
		base_buf_text(out, "      <readonly/>\n");
	if (disk->shared)
		base_buf_text(out, "      <shareable/>\n");
	base_buf_format(out, "      <serial>%.20s</serial>\n", disk->name);
	if (boots)
		base_buf_text(out, "      <boot order='1'/>\n");
	line(out, "      <alias name='ua-disk-", disk->name, "'/>\n");
	if (disk->bus == MACHINE_BUS_SCSI)
		base_buf_format(out,
			"      <address type='drive' controller='0' bus='0' target='0' unit='%u'/>\n",
			disk->slot);
	else
		slot_address(out, spec, disk->slot);
	base_buf_text(out, "    </disk>\n");
}

/* The source is a descriptor that is given at each start: there is nothing at the path. Read-only
 * twice over, since the memory behind it is sealed. */
static void secrets_xml(base_buf *out, const machine_spec *spec)
{
	char target[8];

	machine_target(MACHINE_BUS_VIRTIO, spec->secrets_slot, target);
	base_buf_text(out,
		"    <disk type='file' device='disk'>\n"
		"      <driver name='qemu' type='raw' cache='writeback' io='threads'/>\n");
	line(out, "      <source file='", spec->unit_dir,
		"/secrets' fdgroup='" MACHINE_SECRETS "'/>\n");
	base_buf_format(out, "      <target dev='%s' bus='virtio'/>\n", target);
	base_buf_text(out, "      <readonly/>\n      <serial>" MACHINE_SECRETS "</serial>\n"
			   "      <alias name='ua-secrets'/>\n");
	slot_address(out, spec, spec->secrets_slot);
	base_buf_text(out, "    </disk>\n");
}

/* An interface name of at most 15 bytes that two nics hardly ever share. */
static void tap_name(const machine_spec *spec, const machine_nic *nic, char name[16])
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *p = spec->uuid; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	for (const char *p = nic->name; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	snprintf(name, 16, "hn%.4s%08x", spec->uuid, hash);
}

static void nic_xml(base_buf *out, const machine_spec *spec, const machine_nic *nic)
{
	bool user = strcmp(nic->kind, "user") == 0;

	base_buf_format(out, "    <interface type='%s'>\n",
		user                  ? "user"
		: nic->bridge != NULL ? "bridge"
				      : "ethernet");
	line(out, "      <mac address='", nic->mac, "'/>\n");
	if (nic->bridge != NULL)
		line(out, "      <source bridge='", nic->bridge, "'/>\n");
	if (!user && spec->net_rate != 0) {
		unsigned long long rate = (spec->net_rate + 1023) / 1024; /* libvirt counts KiB/s */

		base_buf_format(out,
			"      <bandwidth>\n        <inbound average='%llu'/>\n"
			"        <outbound average='%llu'/>\n      </bandwidth>\n",
			rate, rate);
	}
	if (!user) {
		char name[16];

		tap_name(spec, nic, name);
		base_buf_format(out, "      <target dev='%s'/>\n", name);
	}
	base_buf_text(out, "      <model type='virtio'/>\n");
	if (!user && nic->mtu != 1500)
		base_buf_format(out, "      <mtu size='%u'/>\n", nic->mtu);
	line(out, "      <alias name='ua-nic-", nic->name, "'/>\n");
	slot_address(out, spec, nic->slot);
	base_buf_text(out, "    </interface>\n");
}

static void rng_xml(base_buf *out, const machine_spec *spec)
{
	base_buf_text(out, "    <rng model='virtio'>\n"
			   "      <backend model='random'>/dev/urandom</backend>\n"
			   "      <alias name='ua-rng'/>\n");
	either_address(out, spec, spec->rng_slot, PLACE_RNG);
	base_buf_text(out, "    </rng>\n");
}

static void controllers(base_buf *out, const machine_spec *spec)
{
	bool scsi = false;

	base_buf_text(out, "    <controller type='usb' model='none'/>\n");
	for (size_t i = 0; i < spec->disk_count; i++)
		scsi = scsi || spec->disks[i].bus == MACHINE_BUS_SCSI;
	if (scsi) {
		base_buf_text(out, "    <controller type='scsi' index='0' model='virtio-scsi'>\n");
		fixed_address(out, spec, PLACE_SCSI);
		base_buf_text(out, "    </controller>\n");
	}
	if (spec->board == MACHINE_BOARD_Q35) {
		base_buf_text(out, "    <controller type='pci' index='0' model='pcie-root'/>\n");
		for (uint32_t k = 1; k <= spec->ports; k++) {
			unsigned slot = PLACE_PORTS + (k - 1) / 8, function = (k - 1) % 8;

			base_buf_format(out,
				"    <controller type='pci' index='%u' model='pcie-root-port'>\n"
				"      <target chassis='%u' port='0x%x'/>\n",
				k, k, slot << 3 | function);
			place(out, 0, slot, function, function == 0);
			base_buf_text(out, "    </controller>\n");
		}
	}
	if (spec->channel) {
		base_buf_text(out, "    <controller type='virtio-serial' index='0'>\n");
		either_address(out, spec, spec->serial_slot, PLACE_SERIAL);
		base_buf_text(out, "    </controller>\n");
	}
}

static void characters(base_buf *out, const machine_spec *spec)
{
	if (spec->console) {
		base_buf_text(out, "    <serial type='unix'>\n");
		line(out, "      <source mode='bind' path='", spec->unit_dir, "/console.sock'/>\n");
		line(out, "      <log file='", spec->unit_dir, "/console.log' append='on'/>\n");
		base_buf_text(out, "      <target port='0'/>\n    </serial>\n");
	}
	if (spec->channel) {
		base_buf_text(out, "    <channel type='unix'>\n");
		line(out, "      <source mode='bind' path='", spec->unit_dir, "/unit.sock'/>\n");
		base_buf_text(out, "      <target type='virtio' name='" MACHINE_PORT "'/>\n"
				   "    </channel>\n");
	}
}

static void devices(base_buf *out, const machine_spec *spec)
{
	size_t first = 0;

	for (size_t i = 0; i < spec->disk_count; i++)
		if (strcmp(spec->disks[i].name, "root") == 0)
			first = i;
	base_buf_text(out, "  <devices>\n");
	for (size_t i = 0; i < spec->disk_count; i++)
		disk_xml(out, spec, &spec->disks[i], spec->kernel == NULL && i == first);
	if (spec->secrets)
		secrets_xml(out, spec);
	controllers(out, spec);
	for (size_t i = 0; i < spec->nic_count; i++)
		nic_xml(out, spec, &spec->nics[i]);
	characters(out, spec);
	if (spec->watchdog != NULL) {
		line(out, "    <watchdog model='i6300esb' action='", spec->watchdog, "'>\n");
		fixed_address(out, spec, PLACE_WATCHDOG);
		base_buf_text(out, "    </watchdog>\n");
	}
	if (spec->balloon) {
		base_buf_text(out, "    <memballoon model='virtio'>\n");
		fixed_address(out, spec, PLACE_BALLOON);
		base_buf_text(out, "    </memballoon>\n");
	} else {
		base_buf_text(out, "    <memballoon model='none'/>\n");
	}
	if (spec->rng)
		rng_xml(out, spec);
	base_buf_text(out, "  </devices>\n");
}

static int finish(base_buf *out, char **xml, hn_error **err)
{
	char *bytes;

	if (!out->failed && base_limit_check(BASE_LIMIT_XML_BYTES, out->size, err) < 0)
		return HN_ELIMIT;
	bytes = base_buf_take(out);
	if (bytes == NULL)
		return base_nomem(err);
	*xml = bytes;
	return 0;
}

int machine_xml_write(const machine_spec *spec, char **xml, hn_error **err)
{
	BASE_AUTO_BUF base_buf out = {0};

	head(&out, spec);
	boot(&out, spec);
	devices(&out, spec);
	base_buf_text(&out, "</domain>\n");
	return finish(&out, xml, err);
}

int machine_xml_disk(const machine_spec *spec, const machine_disk *disk, char **xml, hn_error **err)
{
	BASE_AUTO_BUF base_buf out = {0};

	disk_xml(&out, spec, disk, false);
	return finish(&out, xml, err);
}

int machine_xml_nic(const machine_spec *spec, const machine_nic *nic, char **xml, hn_error **err)
{
	BASE_AUTO_BUF base_buf out = {0};

	nic_xml(&out, spec, nic);
	return finish(&out, xml, err);
}

int machine_xml_rng(const machine_spec *spec, char **xml, hn_error **err)
{
	BASE_AUTO_BUF base_buf out = {0};

	rng_xml(&out, spec);
	return finish(&out, xml, err);
}

int machine_xml_metadata(const machine_spec *spec, char **xml, hn_error **err)
{
	BASE_AUTO_BUF base_buf out = {0};

	metadata(&out, spec, "");
	return finish(&out, xml, err);
}

int hn_domain_xml_write(const hn_view *view, const hn_frozen *frozen, hn_accelerator accelerator,
	const char *unit_dir, char **xml, hn_error **err)
{
	BASE_AUTO_OF(machine_spec) machine_spec *spec = NULL;
	machine_unit unit = {.view = view, .sn = 1000000};
	int result;

	if (view == NULL || frozen == NULL || frozen->size < sizeof(*frozen) || unit_dir == NULL ||
		xml == NULL)
		return base_error(err, HN_EINVAL, MACHINE_ROOM, NULL,
			"hn_domain_xml_write needs a view, frozen hardware, a unit directory and a "
			"place for the answer");
	unit.name = hn_view_unit(view);
	unit.uuid = frozen->uuid;
	unit.frozen = *frozen;
	result = machine_spec_new(&unit, "embed", accelerator, unit_dir, &spec, err);
	if (result == 0)
		result = machine_xml_write(spec, xml, err);
	return result;
}
