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

Test(slots, disks_begin_at_one_nics_at_five)
{
	machine_spec *spec = spec_of(DISK("a") ", " DISK("b") ", " NIC("x"), NULL, 0);

	cr_expect_eq(machine_spec_disk(spec, "a")->slot, 1);
	cr_expect_eq(machine_spec_disk(spec, "b")->slot, 2);
	cr_expect_eq(machine_spec_nic(spec, "x")->slot, 5);
	machine_spec_free(spec);
}

Test(slots, fifth_disk_takes_a_spare)
{
	machine_spec *spec = spec_of(
		DISK("a") ", " DISK("b") ", " DISK("c") ", " DISK("d") ", " DISK("e"), NULL, 0);

	cr_expect_eq(machine_spec_disk(spec, "e")->slot, 9);
	machine_spec_free(spec);
}

Test(slots, kept_when_a_name_comes_before)
{
	machine_spec *spec = spec_of(DISK("a") ", " DISK("b"), "{\"disk.b\":1}", 0);

	cr_expect_eq(machine_spec_disk(spec, "b")->slot, 1);
	cr_expect_eq(machine_spec_disk(spec, "a")->slot, 2);
	machine_spec_free(spec);
}

Test(slots, serial_and_rng_are_never_given)
{
	machine_spec *spec = spec_of(DISK("a"), "{\"disk.a\":7}", 0);

	cr_expect_eq(machine_spec_disk(spec, "a")->slot, 1);
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
	spec_of("\"machine.hotplug-slots\": 0, " NIC("a") ", " NIC("b") ", " NIC("c"), NULL,
		HN_ELIMIT);
}

Test(slots, frozen_text_that_is_no_object)
{
	spec_of(DISK("a"), "[1]", HN_ECORRUPT);
}

Test(slots, printed_and_kept_again)
{
	machine_spec *spec = spec_of(DISK("a") ", " DISK("b") ", " NIC("x"), "{\"disk.b\":4}", 0),
		     *again;
	char *json = NULL;

	cr_assert_eq(machine_slots_print(spec, &json, NULL), 0);
	again = spec_of(DISK("b") ", " NIC("x") ", " DISK("a"), json, 0);
	cr_expect_eq(machine_spec_disk(again, "a")->slot, machine_spec_disk(spec, "a")->slot);
	cr_expect_eq(machine_spec_disk(again, "b")->slot, 4);
	base_free(json);
	machine_spec_free(spec);
	machine_spec_free(again);
}

Test(slots, scsi_units_are_apart_from_ports)
{
	machine_spec *spec =
		spec_of(DISK("a") ", " DISK("b") ", \"disks.b.bus\": \"scsi\"", NULL, 0);

	cr_expect_eq(machine_spec_disk(spec, "a")->slot, 1);
	cr_expect_eq(machine_spec_disk(spec, "b")->slot, 1);
	machine_spec_free(spec);
}
