/* SPDX-License-Identifier: MIT
 *
 * The XML writer: every key alone, escaping, determinism, limits.
 */
#include "fixture.h"

#define KERNEL "\"boot.kernel\": \"/k/vmlinux\", \"boot.initrd\": \"/k/initrd\""

Test(xml, same_input_same_bytes)
{
	char *one = xml_of(KERNEL), *two = xml_of(KERNEL);

	cr_expect_str_eq(one, two);
	base_free(one);
	base_free(two);
}

Test(xml, name_and_uuid)
{
	expect_in("", "<name>web-1</name>\n  <uuid>" UUID "</uuid>");
}

Test(xml, metadata_carries_digest_generation_weight)
{
	expect_in("\"compute.units\": 250", "<hn:unit xmlns:hn='urn:hypernix:unit:1' uuid='" UUID
					    "' digest='00ff' generation='3' units='250'/>");
}

Test(xml, limit_is_recorded_with_its_calibration)
{
	expect_in("\"compute.limit\": 50", "limit='50' sn='1000000'");
}

Test(xml, weight_is_never_in_cputune)
{
	expect_not_in("\"compute.units\": 250, \"compute.limit\": 300", "<cputune");
}

Test(xml, tcg_is_type_qemu)
{
	expect_in("", "<domain type='qemu'>");
}

Test(xml, kvm_takes_the_hosts_cpu)
{
	hn_view *view = view_of("");
	hn_frozen frozen = HN_FROZEN_INIT;
	char *xml = NULL;

	frozen.uuid = UUID;
	cr_assert_eq(
		hn_domain_xml_write(view, &frozen, HN_ACCELERATOR_KVM, UNIT_DIR, &xml, NULL), 0);
	cr_expect_not_null(strstr(xml, "<domain type='kvm'>"));
	cr_expect_not_null(strstr(xml, "<cpu mode='host-model'"));
	base_free(xml);
	hn_view_unref(view);
}

Test(xml, public_writer_without_arguments)
{
	hn_error *err = NULL;
	char *xml = NULL;

	cr_expect_eq(
		hn_domain_xml_write(NULL, NULL, HN_ACCELERATOR_TCG, NULL, &xml, &err), HN_EINVAL);
	cr_expect_null(xml);
	hn_error_unref(err);
}

Test(xml, memory_without_balloon_is_all_there)
{
	expect_in("\"memory.size\": \"192Mi\", \"memory.max\": \"256Mi\"",
		"<memory unit='KiB'>196608</memory>\n  <currentMemory unit='KiB'>196608<");
	expect_in("\"memory.size\": \"192Mi\"", "<memballoon model='none'/>");
}

Test(xml, memory_with_balloon_can_grow)
{
	expect_in(
		"\"memory.size\": \"192Mi\", \"memory.max\": \"256Mi\", \"memory.balloon\": \"manual\"",
		"<memory unit='KiB'>262144</memory>\n  <currentMemory unit='KiB'>196608<");
	expect_in("\"memory.balloon\": \"auto\"", "<memballoon model='virtio'>");
}

Test(xml, memory_above_its_maximum)
{
	cr_expect_eq(
		refusal_of("\"memory.size\": \"512Mi\", \"memory.max\": \"256Mi\"", "memory.max"),
		HN_ESCHEMA);
}

Test(xml, memory_not_shared)
{
	expect_in("\"memory.share\": false", "<nosharepages/>");
	expect_not_in("", "<nosharepages/>");
}

Test(xml, vcpus_follow_units)
{
	expect_in("\"compute.units\": 250", "<vcpu placement='static'>3</vcpu>");
	expect_in("\"compute.units\": 100", "<vcpu placement='static'>1</vcpu>");
	expect_in("\"compute.units\": 101", "<vcpu placement='static'>2</vcpu>");
}

Test(xml, vcpus_follow_the_calibration)
{
	hn_view *view = view_of("\"compute.units\": 400");
	machine_unit unit = unit_of(view);
	machine_spec *spec = NULL;

	unit.sn = 1600000; /* the note's example: 400 CU, sN 1.6 = 3 vCPUs */
	cr_assert_eq(
		machine_spec_new(&unit, "embed", HN_ACCELERATOR_TCG, UNIT_DIR, &spec, NULL), 0);
	cr_expect_eq(spec->vcpus, 3);
	machine_spec_free(spec);
	hn_view_unref(view);
}

Test(xml, vcpus_frozen_win_over_auto)
{
	hn_view *view = view_of("\"compute.units\": 400");
	machine_unit unit = unit_of(view);
	machine_spec *spec = NULL;

	unit.frozen.vcpus = 2;
	cr_assert_eq(
		machine_spec_new(&unit, "embed", HN_ACCELERATOR_TCG, UNIT_DIR, &spec, NULL), 0);
	cr_expect_eq(spec->vcpus, 2);
	machine_spec_free(spec);
	hn_view_unref(view);
}

Test(xml, vcpus_below_their_maximum)
{
	expect_in("\"compute.vcpus\": 2, \"compute.vcpus-max\": 4",
		"<vcpu placement='static' current='2'>4</vcpu>");
}

Test(xml, vcpus_above_their_maximum)
{
	cr_expect_eq(
		refusal_of("\"compute.vcpus\": 4, \"compute.vcpus-max\": 2", "compute.vcpus-max"),
		HN_ESCHEMA);
}

Test(xml, topology)
{
	expect_in("\"compute.vcpus\": 4, \"cpu.topology\": \"1x2x2\"",
		"<topology sockets='1' dies='1' cores='2' threads='2'/>");
}

Test(xml, topology_that_does_not_fit)
{
	cr_expect_eq(
		refusal_of("\"compute.vcpus\": 3, \"cpu.topology\": \"1x2x2\"", "cpu.topology"),
		HN_ESCHEMA);
}

Test(xml, cpu_model)
{
	expect_in("", "<model fallback='forbid'>Nehalem</model>");
	expect_in("\"cpu.model\": \"qemu64\"", "<model fallback='forbid'>qemu64</model>");
}

Test(xml, q35_has_root_ports)
{
	expect_not_in("\"machine.hotplug-slots\": 0", "pcie-root-port");
	expect_in("", "<controller type='pci' index='8' model='pcie-root-port'>");
	expect_not_in("", "index='9' model='pcie-root-port'");
	expect_in("\"nics.a.kind\": \"user\"", "index='9' model='pcie-root-port'");
	expect_in("\"machine.hotplug-slots\": 16", "index='16' model='pcie-root-port'");
}

Test(xml, what_never_goes_is_on_bus_0)
{
	expect_in("", "<controller type='virtio-serial' index='0'>\n"
		      "      <address type='pci' domain='0x0000' bus='0x00' slot='0x06'");
	expect_in("", "<alias name='ua-rng'/>\n"
		      "      <address type='pci' domain='0x0000' bus='0x00' slot='0x07'");
}

Test(xml, pc_has_none)
{
	expect_in("\"machine.type\": \"pc\"", "machine='pc'");
	expect_not_in("\"machine.type\": \"pc\"", "pcie-root");
}

Test(xml, microvm_is_virtio_mmio)
{
	const char *unit = "\"boot.profile\": \"fast\", " KERNEL ", \"disks.root.size\": \"1Gi\"";

	expect_in(unit, "machine='microvm'");
	expect_in(unit, "<address type='virtio-mmio'/>");
	expect_not_in(unit, "type='pci'");
	expect_not_in(unit, "<apic/>");
	expect_in(unit, "lpj=4000000 tsc_early_khz=2000000");
}

Test(xml, microvm_has_no_watchdog)
{
	cr_expect_eq(refusal_of("\"boot.profile\": \"fast\", " KERNEL ", \"watchdog\": \"reset\"",
			     "watchdog"),
		HN_ESCHEMA);
}

Test(xml, microvm_has_no_uefi)
{
	cr_expect_eq(refusal_of("\"boot.profile\": \"fast\", " KERNEL ", \"firmware\": \"ovmf\"",
			     "UEFI"),
		HN_ESCHEMA);
}

Test(xml, uefi)
{
	expect_in("\"boot.profile\": \"uefi\"", "<os firmware='efi'>");
	expect_in("\"firmware\": \"ovmf\"", "<os firmware='efi'>");
	expect_not_in("", "firmware=");
}

Test(xml, template_is_not_there_yet)
{
	cr_expect_eq(refusal_of("\"boot.profile\": \"template\", " KERNEL, "template"), HN_ENOSUP);
}

Test(xml, direct_needs_a_kernel)
{
	cr_expect_eq(refusal_of("\"boot.profile\": \"direct\"", "kernel"), HN_ESCHEMA);
}

Test(xml, kernel_and_initrd)
{
	expect_in(KERNEL, "<kernel>/k/vmlinux</kernel>\n    <initrd>/k/initrd</initrd>");
	expect_not_in("", "<kernel>");
}

Test(xml, kernel_without_initrd)
{
	expect_not_in("\"boot.kernel\": \"/k/vmlinux\"", "<initrd>");
}

Test(xml, cmdline_ends_with_our_words)
{
	expect_in(KERNEL ", \"boot.cmdline\": [\"quiet\", \"hn.off\"]",
		"<cmdline>quiet hn.off hn.tuned console=ttyS0 panic=-1 ");
}

Test(xml, cmdline_of_the_unit_wins)
{
	const char *unit = KERNEL
		", \"boot.cmdline\": [\"console=ttyS1\", \"panic=30\", \"mitigations=auto\"]";

	expect_not_in(unit, "console=ttyS0");
	expect_not_in(unit, "panic=-1");
	expect_not_in(unit, "mitigations=off");
}

Test(xml, cmdline_is_escaped)
{
	expect_in(KERNEL ", \"boot.cmdline\": [\"a='b'\", \"c=]]>&<\"]",
		"<cmdline>a=&apos;b&apos; c=]]&gt;&amp;&lt; hn.tuned");
}

Test(xml, cmdline_mark_is_reserved)
{
	cr_expect_eq(
		refusal_of(KERNEL ", \"boot.cmdline\": [\"hn.tuned\"]", "reserved"), HN_ESCHEMA);
}

Test(xml, cmdline_of_direct_under_tcg_is_tuned)
{
	expect_in(KERNEL, "mitigations=off");
	expect_not_in(KERNEL ", \"boot.profile\": \"standard\"", "mitigations=off");
}

Test(xml, disk_of_its_own)
{
	expect_in("\"disks.data.size\": \"1Gi\"", "<source file='" UNIT_DIR "/data.qcow2'/>");
	expect_in("\"disks.data.size\": \"1Gi\", \"disks.data.format\": \"raw\"",
		"<driver name='qemu' type='raw' cache='none' io='threads' discard='unmap'/>\n"
		"      <source file='" UNIT_DIR "/data.raw'/>");
}

Test(xml, disk_by_path)
{
	expect_in("\"disks.data.source\": \"/srv/a.qcow2\"", "<source file='/srv/a.qcow2'/>");
}

Test(xml, disk_path_is_escaped)
{
	expect_in("\"disks.data.source\": \"/srv/a'b&c<d>.qcow2\"",
		"<source file='/srv/a&apos;b&amp;c&lt;d&gt;.qcow2'/>");
}

Test(xml, disk_of_the_fabric_is_not_there_yet)
{
	cr_expect_eq(refusal_of("\"disks.data.source\": \"volume-1\"", "fabric"), HN_ENOSUP);
}

Test(xml, disk_without_anything)
{
	cr_expect_eq(refusal_of("\"disks.data.bus\": \"scsi\"", "disks.data.size"), HN_ESCHEMA);
}

Test(xml, disk_cache)
{
	expect_in(
		"\"disks.d.size\": \"1Gi\", \"disks.d.cache\": \"writeback\"", "cache='writeback'");
}

Test(xml, disk_scsi_has_a_controller)
{
	const char *unit = "\"disks.d.size\": \"1Gi\", \"disks.d.bus\": \"scsi\"";

	expect_in(unit, "<controller type='scsi' index='0' model='virtio-scsi'>");
	expect_in(unit, "<target dev='sda' bus='scsi'/>");
	expect_in(unit, "<address type='drive' controller='0' bus='0' target='0' unit='1'/>");
}

Test(xml, disk_nvme_is_not_there_yet)
{
	cr_expect_eq(
		refusal_of("\"disks.d.size\": \"1Gi\", \"disks.d.bus\": \"nvme\"", "disks.d.bus"),
		HN_ENOSUP);
}

Test(xml, disk_named_root_boots)
{
	char *xml = xml_of("\"disks.a.size\": \"1Gi\", \"disks.root.size\": \"1Gi\"");
	const char *root = strstr(xml, "<serial>root</serial>"),
		   *order = strstr(xml, "<boot order='1'/>");

	cr_assert(root != NULL && order != NULL);
	cr_expect_gt(order, root);
	cr_expect_null(strstr(order + 1, "<boot order"));
	base_free(xml);
}

Test(xml, disk_root_read_only)
{
	expect_in("\"disks.root.size\": \"1Gi\", \"security.readonly-root\": true", "<readonly/>");
	expect_not_in(
		"\"disks.data.size\": \"1Gi\", \"security.readonly-root\": true", "<readonly/>");
}

Test(xml, disk_of_an_image_is_read_by_all_and_written_by_none)
{
	char *xml = xml_of("\"disks.hnroot.source\": \"/i\", \"disks.data.size\": \"1Gi\"");
	const char *serial = strstr(xml, "<serial>hnroot</serial>"),
		   *shared = strstr(xml, "<readonly/>\n      <shareable/>\n");

	cr_assert(serial != NULL && shared != NULL, "%s", xml);
	cr_expect_lt(shared, serial);
	cr_expect_null(strstr(serial, "<readonly/>"));
	cr_expect_null(strstr(serial, "<shareable/>"));
	base_free(xml);
}

Test(xml, disk_limits_are_one_group)
{
	expect_in(
		"\"disks.d.size\": \"1Gi\", \"storage.iops\": 500, \"storage.bandwidth\": \"1Mi/s\"",
		"<total_bytes_sec>1048576</total_bytes_sec>\n        <total_iops_sec>500</total_iops_sec>\n"
		"        <group_name>unit</group_name>");
}

Test(xml, nic_user)
{
	expect_in("\"nics.lan.kind\": \"user\"", "<interface type='user'>");
	expect_not_in("\"nics.lan.kind\": \"user\"", "network='default'");
}

Test(xml, nic_bridge)
{
	expect_in("\"nics.lan.kind\": \"bridge\", \"nics.lan.bridge\": \"br0\"",
		"<source bridge='br0'/>");
}

Test(xml, nic_bridge_without_bridge)
{
	cr_expect_eq(refusal_of("\"nics.lan.kind\": \"bridge\"", "nics.lan.bridge"), HN_ESCHEMA);
}

Test(xml, nic_tap_has_a_name_that_fits)
{
	char *xml = xml_of("\"nics.lan.kind\": \"tap\"");
	const char *target = strstr(xml, "<target dev='hn");

	cr_assert_not_null(target);
	cr_expect_leq(strcspn(target + strlen("<target dev='"), "'"), 15);
	base_free(xml);
}

Test(xml, nic_mac)
{
	expect_in("\"nics.lan.mac\": \"52:54:00:aa:bb:cc\"", "<mac address='52:54:00:aa:bb:cc'/>");
}

Test(xml, nic_mac_auto_is_stable_and_its_own)
{
	char *one = xml_of("\"nics.a.kind\": \"user\"");
	char *two = xml_of("\"nics.a.kind\": \"user\", \"nics.b.kind\": \"user\"");
	const char *first = strstr(one, "<mac address='"), *again = strstr(two, "<mac address='");
	const char *other = strstr(again + 1, "<mac address='");

	cr_expect_eq(strncmp(first, again, 32), 0);
	cr_expect_neq(strncmp(again, other, 32), 0);
	base_free(one);
	base_free(two);
}

Test(xml, nic_mtu)
{
	expect_in("\"nics.lan.kind\": \"tap\", \"nics.lan.mtu\": 9000", "<mtu size='9000'/>");
}

Test(xml, nic_filter_needs_user_networking)
{
	cr_expect_eq(refusal_of("\"nics.lan.kind\": \"tap\", \"network.filter\": \"strict\"",
			     "network.filter"),
		HN_ENOSUP);
	expect_in("\"nics.lan.kind\": \"user\", \"network.filter\": \"strict\"",
		"<interface type='user'>");
}

Test(xml, console)
{
	expect_in("", "<log file='" UNIT_DIR "/console.log' append='on'/>");
	expect_not_in("\"console\": \"none\"", "<serial type=");
}

Test(xml, unit_port)
{
	expect_in("", "<target type='virtio' name='org.hypernix.unit.0'/>");
	expect_not_in("\"agent.channel\": false", "org.hypernix.unit.0");
	expect_not_in("\"agent.channel\": false", "virtio-serial");
}

Test(xml, rng)
{
	expect_in("", "<backend model='random'>/dev/urandom</backend>");
	expect_not_in("\"rng\": \"off\"", "<rng");
}

Test(xml, watchdog)
{
	expect_in("\"watchdog\": \"poweroff\"", "<watchdog model='i6300esb' action='poweroff'>");
	expect_not_in("", "<watchdog");
}

Test(xml, always_there)
{
	expect_in("", "<on_poweroff>destroy</on_poweroff>\n  <on_reboot>restart</on_reboot>\n"
		      "  <on_crash>destroy</on_crash>");
	expect_in("", "<controller type='usb' model='none'/>");
}

Test(xml, frozen_machine_type_is_kept)
{
	hn_view *view = view_of("");
	hn_frozen frozen = HN_FROZEN_INIT;
	char *xml = NULL;

	frozen.uuid = UUID;
	frozen.machine = "pc-q35-7.2";
	cr_assert_eq(
		hn_domain_xml_write(view, &frozen, HN_ACCELERATOR_TCG, UNIT_DIR, &xml, NULL), 0);
	cr_expect_not_null(strstr(xml, "machine='pc-q35-7.2'"));
	base_free(xml);
	hn_view_unref(view);
}

Test(xml, frozen_machine_type_of_another_board_is_not)
{
	hn_view *view = view_of("\"machine.type\": \"microvm\", " KERNEL);
	hn_frozen frozen = HN_FROZEN_INIT;
	char *xml = NULL;

	frozen.uuid = UUID;
	frozen.machine = "pc-q35-7.2";
	cr_assert_eq(
		hn_domain_xml_write(view, &frozen, HN_ACCELERATOR_TCG, UNIT_DIR, &xml, NULL), 0);
	cr_expect_not_null(strstr(xml, "machine='microvm'"));
	base_free(xml);
	hn_view_unref(view);
}

static int with_name(const char *name)
{
	hn_view *view = view_of("");
	machine_unit unit = unit_of(view);
	machine_spec *spec = NULL;
	int code;

	unit.name = name;
	code = machine_spec_new(&unit, "embed", HN_ACCELERATOR_TCG, UNIT_DIR, &spec, NULL);
	machine_spec_free(spec);
	hn_view_unref(view);
	return code;
}

static int with_values(const char *values, size_t *forwards)
{
	hn_view *view = view_of(values);
	machine_unit unit = unit_of(view);
	machine_spec *spec = NULL;
	int code = machine_spec_new(&unit, "embed", HN_ACCELERATOR_TCG, UNIT_DIR, &spec, NULL);

	*forwards = spec != NULL ? spec->forward_count : 0;
	machine_spec_free(spec);
	hn_view_unref(view);
	return code;
}

Test(xml, ports_are_forwarded_to_a_network_of_qemu)
{
	size_t count;

	cr_expect_eq(with_values("\"nics.lan.kind\": \"user\", \"network.forward\": "
				 "[\"tcp:127.0.0.1:8080:80\", \"udp:127.0.0.1:53:53\"]",
			     &count),
		0);
	cr_expect_eq(count, 2u);
	cr_expect_eq(with_values("\"network.forward\": [\"tcp:127.0.0.1:8080:80\"]", &count),
		HN_ESCHEMA);
	cr_expect_eq(with_values("\"nics.lan.kind\": \"user\", \"network.forward\": "
				 "[\"tcp:[::1]:8080:80\"]",
			     &count),
		HN_ENOSUP);
}

Test(xml, names_that_are_refused)
{
	static const char *const names[] = {"", "a/b", "..", "a'b", "a<b", "a b", "A", "a\nb",
		".hidden", "0123456789012345678901234567890123456789012345678901234567890123"};

	for (size_t i = 0; i < BASE_COUNT(names); i++)
		cr_expect_eq(with_name(names[i]), HN_EINVAL, "name '%s'", names[i]);
	cr_expect_eq(with_name("a.b_c-9"), 0);
}

Test(xml, uuids_that_are_refused)
{
	static const char *const uuids[] = {"", "../../etc/passwd",
		"11111111-2222-4333-8444-55555555555", "11111111-2222-4333-8444-5555555555555",
		"1111111122224333844455555555555555555", "AAAAAAAA-2222-4333-8444-555555555555"};

	for (size_t i = 0; i < BASE_COUNT(uuids); i++)
		cr_expect_eq(machine_uuid_check(uuids[i], NULL), HN_EINVAL, "uuid '%s'", uuids[i]);
	cr_expect_eq(machine_uuid_check(NULL, NULL), HN_EINVAL);
	cr_expect_eq(machine_uuid_check(UUID, NULL), 0);
}

Test(xml, keys_no_driver_can_do_name_driver_and_key)
{
	static const char *const units[][2] = {
		{"\"cpu.pinning\": \"spread\"", "cpu.pinning"},
		{"\"numa.policy\": \"strict\"", "numa.policy"},
		{"\"tpm\": \"2.0\"", "tpm"},
		{"\"memory.hugepages\": \"2Mi\"", "memory.hugepages"},
		{"\"memory.lock\": true", "memory.lock"},
		{"\"cpu.nested\": true", "cpu.nested"},
		{"\"security.secure-boot\": true", "security.secure-boot"},
		{"\"security.passthrough\": true", "security.passthrough"},
		{"\"security.confinement\": \"mac\"", "security.confinement"},
		{"\"security.confinement\": \"dac\"", "security.confinement"},
		{"\"storage.encrypt\": true", "storage.encrypt"},
	};

	for (size_t i = 0; i < BASE_COUNT(units); i++) {
		cr_expect_eq(refusal_of(units[i][0], units[i][1]), HN_ENOSUP);
		cr_expect_eq(refusal_of(units[i][0], "embed"), HN_ENOSUP);
	}
}
