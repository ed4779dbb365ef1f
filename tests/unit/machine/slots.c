/* SPDX-License-Identifier: MIT
 *
 * Slots: lowest free first, kept once given, none left is said.
 */
#include "fixture.h"

static machine_spec *spec_of(const char *overrides, const char *addresses, int expected)
{
	hn_view *view = view_of(overrides);
	machine_unit unit = unit_of(view);
	machine_spec *spec = NULL;

	unit.frozen.addresses = addresses;
	cr_assert_eq(machine_spec_new(&unit, "embed", HN_ACCELERATOR_TCG, UNIT_DIR, &spec, NULL),
		expected);
	hn_view_unref(view);
	return spec;
}

#define DISK(name) "\"disks." name ".size\": \"1Gi\""
#define NIC(name) "\"nics." name ".kind\": \"user\""

Test(slots, disks_come_before_nics)
{
	machine_spec *spec = spec_of(DISK("a") ", " DISK("b") ", " NIC("x"), NULL, 0);

	cr_expect_eq(machine_spec_disk(spec, "a")->slot, 1);
	cr_expect_eq(machine_spec_disk(spec, "b")->slot, 2);
	cr_expect_eq(machine_spec_nic(spec, "x")->slot, 3);
	cr_expect_eq(spec->free_slot, 4);
	machine_spec_free(spec);
}

Test(slots, as_many_ports_as_devices_and_spare_ones)
{
	machine_spec *spec = spec_of(DISK("a") ", " NIC("x"), NULL, 0);

	cr_expect_eq(spec->ports, 10);
	machine_spec_free(spec);
	spec = spec_of("\"machine.hotplug-slots\": 0", NULL, 0);
	cr_expect_eq(spec->ports, 0);
	machine_spec_free(spec);
}

Test(slots, a_port_for_the_highest_that_was_given)
{
	machine_spec *spec = spec_of(
		"\"machine.hotplug-slots\": 0, " DISK("a") ", " DISK("b"), "{\"disk.a\":14}", 0);

	cr_expect_eq(machine_spec_disk(spec, "a")->slot, 14);
	cr_expect_eq(machine_spec_disk(spec, "b")->slot, 1);
	cr_expect_eq(spec->ports, 14);
	machine_spec_free(spec);
}

Test(slots, kept_when_a_name_comes_before)
{
	machine_spec *spec = spec_of(DISK("a") ", " DISK("b"), "{\"disk.b\":1}", 0);

	cr_expect_eq(machine_spec_disk(spec, "b")->slot, 1);
	cr_expect_eq(machine_spec_disk(spec, "a")->slot, 2);
	machine_spec_free(spec);
}

Test(slots, port_and_rng_have_none_unless_they_had_one)
{
	machine_spec *spec = spec_of(DISK("a"), NULL, 0);

	cr_expect_eq(spec->serial_slot, 0);
	cr_expect_eq(spec->rng_slot, 0);
	machine_spec_free(spec);
	spec = spec_of(DISK("a") ", " DISK("b"), "{\"serial\":1,\"rng\":2,\"disk.a\":1}", 0);
	cr_expect_eq(spec->serial_slot, 1);
	cr_expect_eq(spec->rng_slot, 2);
	cr_expect_eq(machine_spec_disk(spec, "a")->slot, 3);
	cr_expect_eq(machine_spec_disk(spec, "b")->slot, 4);
	machine_spec_free(spec);
}

/* A guest must find its disks under the names that they had without secrets. */
Test(slots, secrets_come_after_all_that_was_there)
{
	machine_spec *spec =
		spec_of(DISK("a") ", " NIC("x") ", \"secrets\": [\"s\", \"t\"]", NULL, 0);

	cr_expect_eq(machine_spec_disk(spec, "a")->slot, 1);
	cr_expect_eq(spec->secrets_slot, 3, "one disk for all");
	cr_expect_eq(spec->ports, 11);
	machine_spec_free(spec);
	spec = spec_of(DISK("a") ", " DISK("b") ", \"secrets\": [\"s\"]",
		"{\"disk.b\":1,\"secrets\":2}", 0);
	cr_expect_eq(machine_spec_disk(spec, "a")->slot, 3);
	cr_expect_eq(spec->secrets_slot, 2);
	machine_spec_free(spec);
	spec = spec_of(DISK("a"), "{\"secrets\":2}", 0);
	cr_expect_not(spec->secrets);
	cr_expect_eq(spec->free_slot, 2, "without secrets it is free again");
	machine_spec_free(spec);
}

Test(slots, one_kept_slot_for_two_goes_to_the_first)
{
	machine_spec *spec = spec_of(DISK("a") ", " DISK("b"), "{\"disk.a\":3,\"disk.b\":3}", 0);

	cr_expect_eq(machine_spec_disk(spec, "a")->slot, 3);
	cr_expect_neq(machine_spec_disk(spec, "b")->slot, 3);
	machine_spec_free(spec);
}

Test(slots, none_left)
{
	char all[1024] = "";

	for (int i = 0; i < 25; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all),
			"%s\"disks.d%d.size\": \"1Gi\"", i == 0 ? "" : ", ", i);
	spec_of(all, NULL, HN_ELIMIT);
}

Test(slots, frozen_text_that_is_no_object)
{
	spec_of(DISK("a"), "[1]", HN_ECORRUPT);
}

Test(slots, written_and_kept_again)
{
	machine_spec *spec = spec_of(
			     DISK("a") ", " DISK("b") ", " NIC("x"), "{\"disk.b\":4,\"rng\":2}", 0),
		     *again;
	machine_domain *domain = NULL;
	char *xml = NULL;

	cr_assert_eq(machine_xml_write(spec, &xml, NULL), 0);
	cr_assert_eq(machine_domain_parse(xml, strlen(xml), &domain, NULL), 0);
	cr_expect_eq(domain->ports, spec->ports);
	again = spec_of(DISK("b") ", " NIC("x") ", " DISK("a"), domain->addresses, 0);
	cr_expect_eq(machine_spec_disk(again, "a")->slot, machine_spec_disk(spec, "a")->slot);
	cr_expect_eq(machine_spec_nic(again, "x")->slot, machine_spec_nic(spec, "x")->slot);
	cr_expect_eq(machine_spec_disk(again, "b")->slot, 4);
	cr_expect_eq(again->rng_slot, 2);
	base_free(xml);
	machine_domain_free(domain);
	machine_spec_free(spec);
	machine_spec_free(again);
}

#define PORT(bus) "<address type='pci' domain='0x0000' bus='" bus "' slot='0x00'/>"

/* Devices of a kind that somebody attached beside ours take no part in what is ours. */
Test(slots, of_foreign_devices_are_not_ours)
{
	static const char xml[] =
		"<domain type='qemu'><name>a</name><uuid>" UUID "</uuid>"
		"<os><type machine='pc-q35-7.2'>hvm</type></os><devices>"
		"<rng model='virtio'>" PORT(
			"0x03") "</rng>"
				"<rng model='virtio'><alias name='ua-rng'/>" PORT(
					"0x02") "</rng>"
						"<controller type='virtio-serial' index='0'>" PORT(
							"0x04") "</controller>"
								"<controller type='virtio-serial' index='1'>" PORT(
									"0x05") "</controller>"
										"</devices></domain>";
	machine_domain *domain = NULL;
	machine_spec *spec;

	cr_assert_eq(machine_domain_parse(xml, strlen(xml), &domain, NULL), 0);
	cr_expect_eq(domain->rng_slot, 2);
	cr_expect_str_eq(domain->addresses, "{\"rng\":2,\"serial\":4}");
	spec = spec_of("", domain->addresses, 0);
	cr_expect_eq(spec->rng_slot, 2);
	machine_spec_free(spec);
	machine_domain_free(domain);
}

Test(slots, scsi_units_are_apart_from_ports)
{
	machine_spec *spec =
		spec_of(DISK("a") ", " DISK("b") ", \"disks.b.bus\": \"scsi\"", NULL, 0);

	cr_expect_eq(machine_spec_disk(spec, "a")->slot, 1);
	cr_expect_eq(machine_spec_disk(spec, "b")->slot, 1);
	machine_spec_free(spec);
}
