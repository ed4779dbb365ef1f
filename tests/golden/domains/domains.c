/* SPDX-License-Identifier: MIT
 *
 * The domain XML of typical units, byte by byte. HYPERNIX_BLESS=1 writes the files anew; every one
 * of them is also given to libvirt's own schema (validate.sh).
 */
#include "../../unit/machine/fixture.h"

#include <stdlib.h>

#define KERNEL "\"boot.kernel\": \"/k/vmlinux\", \"boot.initrd\": \"/k/initrd\""
#define ROOT_DISK "\"disks.root.source\": \"/srv/root.qcow2\""

static void compare(const char *name, const char *xml)
{
	char path[512], wanted[65536];
	size_t size;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.xml", DOMAINS, name);
	if (getenv("HYPERNIX_BLESS") != NULL) {
		file = fopen(path, "w");
		cr_assert_not_null(file, "%s", path);
		cr_assert_eq(fwrite(xml, 1, strlen(xml), file), strlen(xml));
		fclose(file);
		return;
	}
	file = fopen(path, "r");
	cr_assert_not_null(file, "%s is missing: run with HYPERNIX_BLESS=1", path);
	size = fread(wanted, 1, sizeof(wanted) - 1, file);
	fclose(file);
	wanted[size] = '\0';
	cr_expect_str_eq(xml, wanted, "%s differs; HYPERNIX_BLESS=1 rewrites it", path);
}

static void domain_with(const char *name, const char *overrides, hn_accelerator accelerator)
{
	hn_view *view = view_of(overrides);
	hn_frozen frozen = HN_FROZEN_INIT;
	hn_error *err = NULL;
	char *xml = NULL;

	frozen.uuid = UUID;
	frozen.machine = "pc-q35-7.2";
	cr_assert_eq(hn_domain_xml_write(view, &frozen, accelerator, UNIT_DIR, &xml, &err), 0, "%s",
		err == NULL ? "" : hn_error_message(err));
	compare(name, xml);
	base_free(xml);
	hn_view_unref(view);
}

#define DOMAIN(name, overrides)                                                                    \
	Test(domains, name)                                                                        \
	{                                                                                          \
		domain_with(#name, overrides, HN_ACCELERATOR_TCG);                                 \
	}                                                                                          \
	Test(domains, name##_kvm)                                                                  \
	{                                                                                          \
		domain_with(#name "-kvm", overrides, HN_ACCELERATOR_KVM);                          \
	}

DOMAIN(minimal, "")
DOMAIN(direct, KERNEL)
DOMAIN(direct_words, KERNEL ", \"boot.cmdline\": [\"quiet\", \"a='b'\", \"c=]]>&<\"]")
DOMAIN(standard, ROOT_DISK)
DOMAIN(uefi, "\"boot.profile\": \"uefi\", " ROOT_DISK)
DOMAIN(fast, "\"boot.profile\": \"fast\", " KERNEL)
DOMAIN(fast_devices,
	"\"boot.profile\": \"fast\", " KERNEL ", " ROOT_DISK ", \"nics.lan.kind\": \"user\", "
	"\"memory.balloon\": \"manual\"")
DOMAIN(pc, "\"machine.type\": \"pc\", " ROOT_DISK
	   ", \"nics.lan.kind\": \"user\", \"watchdog\": \"reset\"")
DOMAIN(balloon, "\"memory.size\": \"192Mi\", \"memory.max\": \"1Gi\", \"memory.balloon\": \"auto\"")
DOMAIN(unshared, "\"memory.share\": false")
DOMAIN(vcpus, "\"compute.units\": 250, \"compute.vcpus-max\": 8, \"compute.limit\": 400")
DOMAIN(topology, "\"compute.vcpus\": 8, \"cpu.topology\": \"2x2x2\", \"cpu.model\": \"Westmere\"")
DOMAIN(disks, "\"disks.a.size\": \"1Gi\", \"disks.b.size\": \"2Gi\", \"disks.c.size\": \"3Gi\", "
	      "\"disks.d.size\": \"4Gi\", \"disks.e.size\": \"5Gi\", " ROOT_DISK)
DOMAIN(scsi, "\"disks.a.size\": \"1Gi\", \"disks.a.bus\": \"scsi\", \"disks.b.size\": \"1Gi\", "
	     "\"disks.b.bus\": \"scsi\"")
DOMAIN(raw_writeback,
	"\"disks.a.source\": \"/srv/a&b.raw\", \"disks.a.format\": \"raw\", \"disks.a.cache\": \"writeback\"")
DOMAIN(readonly_root, "\"security.readonly-root\": true, " ROOT_DISK)
DOMAIN(image_root,
	KERNEL ", \"disks.hnroot.source\": \"/srv/root.squashfs\", \"disks.hnroot.format\": "
	       "\"raw\", \"disks.hnroot.cache\": \"writeback\"")
DOMAIN(disk_limits, "\"storage.iops\": 500, \"storage.bandwidth\": \"10Mi/s\", " ROOT_DISK)
DOMAIN(nic_user, "\"nics.lan.kind\": \"user\", \"network.filter\": \"strict\"")
DOMAIN(nic_bridge,
	"\"nics.lan.kind\": \"bridge\", \"nics.lan.bridge\": \"br0\", \"nics.lan.mac\": \"52:54:00:01:02:03\", "
	"\"network.bandwidth\": \"10Mi/s\"")
DOMAIN(nic_tap, "\"nics.lan.kind\": \"tap\", \"nics.lan.mtu\": 9000, \"nics.wan.kind\": \"tap\"")
DOMAIN(bare,
	"\"console\": \"none\", \"agent.channel\": false, \"rng\": \"off\", \"machine.hotplug-slots\": 0")
DOMAIN(watchdog, "\"watchdog\": \"pause\"")
DOMAIN(secrets,
	ROOT_DISK ", \"nics.lan.kind\": \"user\", \"secrets\": [\"db-password\", \"tls-key\"]")
DOMAIN(secrets_pc, "\"machine.type\": \"pc\", " ROOT_DISK ", \"secrets\": [\"db-password\"]")
DOMAIN(secrets_fast,
	"\"boot.profile\": \"fast\", " KERNEL ", " ROOT_DISK ", \"secrets\": [\"db-password\"]")
DOMAIN(slots, "\"machine.hotplug-slots\": 16")
DOMAIN(everything, KERNEL
	", " ROOT_DISK
	", \"disks.s.size\": \"1Gi\", \"disks.s.bus\": \"scsi\", \"nics.a.kind\": \"user\", "
	"\"nics.b.kind\": \"tap\", \"watchdog\": \"poweroff\", \"memory.balloon\": \"manual\", "
	"\"memory.max\": \"2Gi\", \"compute.vcpus\": 2, \"compute.vcpus-max\": 4")
