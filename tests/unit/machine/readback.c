/* SPDX-License-Identifier: MIT
 *
 * Reading domain XML back: our own round trip, what drivers add, and what nobody should send.
 */
#include "fixture.h"

static machine_domain *parse(const char *xml, int expected)
{
	machine_domain *domain = NULL;

	cr_assert_eq(machine_domain_parse(xml, strlen(xml), &domain, NULL), expected);
	return domain;
}

static void expect_value(const char *overrides, const char *key, const char *value)
{
	char *xml = xml_of(overrides);
	machine_domain *domain = parse(xml, 0);
	const char *found = machine_domain_value(domain, key);

	if (value == NULL)
		cr_expect_null(found);
	else
		cr_expect(found != NULL && strcmp(found, value) == 0, "%s is %s", key, found);
	machine_domain_free(domain);
	base_free(xml);
}

#define KERNEL "\"boot.kernel\": \"/k/vmlinux\", \"boot.initrd\": \"/k/initrd\""

Test(readback, identity)
{
	char *xml = xml_of("");
	machine_domain *domain = parse(xml, 0);

	cr_expect_str_eq(domain->name, "web-1");
	cr_expect_str_eq(domain->uuid, UUID);
	cr_expect(domain->ours);
	cr_expect_str_eq(domain->meta_uuid, UUID);
	cr_expect_str_eq(domain->digest, "00ff");
	cr_expect_eq(domain->generation, 3);
	machine_domain_free(domain);
	base_free(xml);
}

Test(readback, compute)
{
	expect_value("\"compute.units\": 250", "compute.units", "250");
	expect_value("\"compute.limit\": 90", "compute.limit", "90");
	expect_value("", "compute.limit", "none");
	expect_value("\"compute.vcpus\": 2, \"compute.vcpus-max\": 4", "compute.vcpus", "2");
	expect_value("\"compute.vcpus\": 2, \"compute.vcpus-max\": 4", "compute.vcpus-max", "4");
	expect_value("\"compute.vcpus\": 4, \"cpu.topology\": \"2x2x1\"", "cpu.topology", "2x2x1");
}

Test(readback, memory)
{
	const char *unit =
		"\"memory.size\": \"192Mi\", \"memory.max\": \"1Gi\", \"memory.balloon\": \"manual\"";

	expect_value(unit, "memory.size", "192Mi");
	expect_value(unit, "memory.max", "1Gi");
	expect_value(unit, "memory.balloon", "manual");
	expect_value("\"memory.max\": \"2Gi\"", "memory.max", NULL);
	expect_value("\"memory.share\": false", "memory.share", "false");
}

Test(readback, boot)
{
	expect_value(KERNEL, "boot.kernel", "/k/vmlinux");
	expect_value("", "boot.kernel", "image");
	expect_value(KERNEL, "boot.initrd", "/k/initrd");
	expect_value("\"firmware\": \"ovmf\"", "firmware", "ovmf");
	expect_value("", "machine.type", "q35");
	expect_value("\"machine.type\": \"pc\"", "machine.type", "pc");
	expect_value("\"boot.profile\": \"fast\", " KERNEL, "machine.type", "microvm");
}

Test(readback, cmdline_without_our_words)
{
	hn_view *view = view_of(KERNEL ", \"boot.cmdline\": [\"quiet\", \"a='<&]]>\"]");
	const char *declared;

	cr_assert_eq(hn_view_get_text(view, "boot.cmdline", &declared, NULL), 0);
	expect_value(
		KERNEL ", \"boot.cmdline\": [\"quiet\", \"a='<&]]>\"]", "boot.cmdline", declared);
	hn_view_unref(view);
}

Test(readback, disks)
{
	const char *unit =
		"\"disks.d.source\": \"/srv/a&b.raw\", \"disks.d.format\": \"raw\", "
		"\"disks.d.bus\": \"scsi\", \"disks.d.cache\": \"writeback\", \"storage.iops\": 9";

	expect_value(unit, "disks.d.source", "/srv/a&b.raw");
	expect_value(unit, "disks.d.format", "raw");
	expect_value(unit, "disks.d.bus", "scsi");
	expect_value(unit, "disks.d.cache", "writeback");
	expect_value(unit, "storage.iops", "9");
	expect_value(unit, "storage.bandwidth", "none");
}

Test(readback, nics)
{
	const char *unit =
		"\"nics.n.kind\": \"bridge\", \"nics.n.bridge\": \"br0\", \"nics.n.mtu\": 9000, "
		"\"nics.n.mac\": \"52:54:00:01:02:03\", \"network.bandwidth\": \"1Mi/s\"";

	expect_value(unit, "nics.n.kind", "bridge");
	expect_value(unit, "nics.n.bridge", "br0");
	expect_value(unit, "nics.n.mtu", "9000");
	expect_value(unit, "nics.n.mac", "52:54:00:01:02:03");
	expect_value(unit, "network.bandwidth", "1Mi/s");
	expect_value("\"nics.n.kind\": \"tap\"", "nics.n.kind", "tap");
}

Test(readback, devices)
{
	expect_value("\"watchdog\": \"pause\"", "watchdog", "pause");
	expect_value("", "watchdog", "off");
	expect_value("\"rng\": \"off\"", "rng", "off");
	expect_value("\"console\": \"none\"", "console", "none");
	expect_value("\"agent.channel\": false", "agent.channel", "false");
}

/* The addresses read back are those that keep every device where it is. */
static void expect_addresses_kept(const char *overrides)
{
	char *xml = xml_of(overrides), *again = NULL;
	machine_domain *domain = parse(xml, 0);
	hn_view *view = view_of(overrides);
	machine_unit unit = unit_of(view);
	machine_spec *spec = NULL;

	unit.frozen.addresses = domain->addresses;
	cr_assert_eq(
		machine_spec_new(&unit, "embed", HN_ACCELERATOR_TCG, UNIT_DIR, &spec, NULL), 0);
	cr_assert_eq(machine_xml_write(spec, &again, NULL), 0);
	cr_expect_str_eq(xml, again);
	machine_spec_free(spec);
	hn_view_unref(view);
	machine_domain_free(domain);
	base_free(xml);
	base_free(again);
}

Test(readback, addresses)
{
	expect_addresses_kept(
		"\"disks.a.size\": \"1Gi\", \"disks.b.size\": \"1Gi\", \"nics.x.kind\": \"user\"");
	expect_addresses_kept(
		"\"machine.type\": \"pc\", \"disks.a.size\": \"1Gi\", \"nics.x.kind\": \"user\"");
	expect_addresses_kept("\"disks.a.size\": \"1Gi\", \"disks.a.bus\": \"scsi\"");
}

Test(readback, foreign_domain)
{
	machine_domain *domain =
		parse("<domain><name>old</name><uuid>" UUID "</uuid>"
		      "<metadata><unit xmlns='urn:other' uuid='x'/></metadata></domain>",
			0);

	cr_expect_not(domain->ours);
	cr_expect_str_eq(domain->digest, "");
	machine_domain_free(domain);
}

Test(readback, metadata_of_another_unit)
{
	machine_domain *domain =
		parse("<domain><name>web-1</name><uuid>" UUID "</uuid><metadata>"
		      "<u:unit xmlns:u='urn:hypernix:unit:1' uuid='other'/></metadata></domain>",
			0);

	cr_expect(domain->ours);
	cr_expect_str_eq(domain->meta_uuid, "other");
	machine_domain_free(domain);
}

Test(readback, numbers_out_of_range_are_left_out)
{
	machine_domain *domain = parse(
		"<domain><name>w</name><metadata><u:unit xmlns:u='urn:hypernix:unit:1' units='99999999999999999999' "
		"generation='-1'/></metadata><memory>x</memory><vcpu current='y'>z</vcpu></domain>",
		0);

	cr_expect_eq(domain->units, 0);
	cr_expect_eq(domain->generation, 0);
	cr_expect_null(machine_domain_value(domain, "memory.size"));
	cr_expect_null(machine_domain_value(domain, "compute.vcpus"));
	machine_domain_free(domain);
}

Test(readback, not_xml)
{
	parse("", HN_ECORRUPT);
	parse("<domain>", HN_ECORRUPT);
	parse("hello", HN_ECORRUPT);
	parse("<network/>", HN_ECORRUPT);
}

Test(readback, entities_are_refused)
{
	parse("<!DOCTYPE d [<!ENTITY a 'b'>]><domain><name>&a;</name></domain>", HN_ECORRUPT);
	parse("<!DOCTYPE d SYSTEM 'file:///etc/passwd'><domain/>", HN_ECORRUPT);
}

Test(readback, too_much)
{
	char *xml = calloc(1, 300000);
	machine_domain *domain = NULL;

	memset(xml, ' ', 299999);
	cr_expect_eq(machine_domain_parse(xml, 299999, &domain, NULL), HN_ELIMIT);
	free(xml);
}

Test(readback, deep_nesting)
{
	size_t deep = 20000;
	char *xml = calloc(1, deep * 3 + 20);
	machine_domain *domain = NULL;

	strcpy(xml, "<domain>");
	for (size_t i = 0; i < deep; i++)
		memcpy(xml + 8 + i * 3, "<a>", 3);
	cr_expect_eq(machine_domain_parse(xml, strlen(xml), &domain, NULL), HN_ECORRUPT);
	free(xml);
}

Test(readback, holds_finds_what_was_dropped)
{
	const char *written =
		"<domain><name>a</name><devices><rng model='virtio'/></devices></domain>";
	hn_error *err = NULL;
	hn_fact fact;

	cr_expect_eq(
		machine_domain_holds(written,
			"<domain><name>a</name><devices><x/><rng model='virtio'><b/></rng></devices></domain>",
			NULL),
		0);
	cr_expect_eq(
		machine_domain_holds(written, "<domain><name>a</name><devices/></domain>", &err),
		HN_EXML);
	cr_assert_eq(hn_error_fact(err, 0, &fact), 0);
	cr_expect_str_eq(fact.text, "rng");
	hn_error_unref(err);
	cr_expect_eq(
		machine_domain_holds(written,
			"<domain><name>b</name><devices><rng model='virtio'/></devices></domain>",
			NULL),
		HN_EXML);
	cr_expect_eq(
		machine_domain_holds(written,
			"<domain><name>a</name><devices><rng model='other'/></devices></domain>",
			NULL),
		HN_EXML);
}

Test(readback, secrets_are_seen_as_given_and_no_disk_of_the_unit)
{
	char *xml = xml_of("\"disks.a.size\": \"1Gi\", \"secrets\": [\"db-password\"]");
	machine_domain *domain = parse(xml, 0);
	char *device = NULL;

	cr_expect_str_eq(machine_domain_value(domain, "secrets"), "hn-secrets");
	cr_expect_str_eq(domain->addresses, "{\"secrets\":2,\"disk.a\":1}");
	cr_expect_null(strstr(xml, "db-password"), "no name of one is in it");
	cr_expect_eq(machine_domain_device(xml, "disk", "hn-secrets", &device, NULL), HN_ENOENT);
	machine_domain_free(domain);
	base_free(xml);
	xml = xml_of("\"disks.a.size\": \"1Gi\"");
	domain = parse(xml, 0);
	cr_expect_null(machine_domain_value(domain, "secrets"));
	machine_domain_free(domain);
	base_free(xml);
}

Test(readback, device_by_name)
{
	char *xml = xml_of(
		"\"disks.a.size\": \"1Gi\", \"disks.b.size\": \"1Gi\", \"nics.b.kind\": \"user\"");
	char *device = NULL;

	cr_assert_eq(machine_domain_device(xml, "disk", "b", &device, NULL), 0);
	cr_expect_eq(strncmp(device, "<disk", 5), 0);
	cr_expect_not_null(strstr(device, "/b.qcow2"));
	base_free(device);
	cr_assert_eq(machine_domain_device(xml, "interface", "b", &device, NULL), 0);
	cr_expect_eq(strncmp(device, "<interface", 10), 0);
	base_free(device);
	cr_expect_eq(machine_domain_device(xml, "disk", "c", &device, NULL), HN_ENOENT);
	base_free(xml);
}
