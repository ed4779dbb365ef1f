/* SPDX-License-Identifier: MIT
 *
 * Devices that come and go while the unit runs, on a driver made here: what is there is not plugged
 * in twice, and what the guest does not let go of is told.
 */
#include "fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DISK_AND_NIC "\"disks.root.size\": \"1Gi\", \"nics.lan.kind\": \"user\""

static struct {
	char root[40];
	machine *m;
	hn_machine_ops ops;
	hn_os_ops os_ops;
	hn_os os;
	char *live, *kept;  /* the two definitions */
	bool stubborn;      /* the guest lets nothing go */
	unsigned calls;     /* of change */
	unsigned redefined; /* calls of define */
	int64_t now;
} fake;

/* Each look at the clock takes five seconds. */
static int64_t fast_clock(hn_os *os, hn_os_clock which)
{
	(void)os;
	(void)which;
	return fake.now += 5 * MACHINE_SECOND;
}

static int fake_xml(machine *m, const char *uuid, bool live, char **xml, hn_error **err)
{
	(void)m;
	(void)uuid;
	*xml = base_strdup(live ? fake.live : fake.kept);
	return *xml == NULL ? base_nomem(err) : 0;
}

static int fake_state(machine *m, const char *uuid, machine_brief *brief, hn_error **err)
{
	(void)m;
	(void)err;
	*brief = (machine_brief){.status = HN_UNIT_RUNNING};
	snprintf(brief->uuid, sizeof(brief->uuid), "%s", uuid);
	return 0;
}

static int fake_define(machine *m, const char *xml, hn_error **err)
{
	(void)m;
	(void)err;
	base_free(fake.kept);
	fake.kept = base_strdup(xml);
	fake.redefined++;
	return 0;
}

static void put_in(char **whole, const char *device)
{
	const char *end = strstr(*whole, "  </devices>");
	size_t size = strlen(*whole) + strlen(device) + 1;
	char *out = base_alloc(size);

	cr_assert_not_null(end);
	snprintf(out, size, "%.*s%s%s", (int)(end - *whole), *whole, device, end);
	base_free(*whole);
	*whole = out;
}

/* Takes the element out whose alias is in `device`. */
static void take_out(char **whole, const char *device)
{
	const char *alias = strstr(device, "name=\"ua-") + 6, *first = *whole, *at;
	char wanted[80], end[16];

	snprintf(end, sizeof(end), "</%.*s>", (int)strcspn(device + 1, " >"), device + 1);
	snprintf(wanted, sizeof(wanted), "'%.*s'", (int)strcspn(alias, "\""), alias);
	at = strstr(*whole, wanted);
	if (at == NULL)
		return;
	for (const char *p = *whole; p != NULL && p < at; p = strstr(p + 1, "\n    <"))
		first = p;
	at = strstr(at, end) + strlen(end);
	memmove(*whole + (first - *whole), at, strlen(at) + 1);
}

static int fake_change(
	machine *m, const char *uuid, const machine_tuning *tuning, bool live, hn_error **err)
{
	(void)m;
	(void)uuid;
	(void)err;
	fake.calls++;
	if (tuning->kind == MACHINE_TUNE_ATTACH) {
		if (live)
			put_in(&fake.live, tuning->xml);
		put_in(&fake.kept, tuning->xml);
	} else if (tuning->kind == MACHINE_TUNE_DETACH) {
		if (live && !fake.stubborn)
			take_out(&fake.live, tuning->xml);
		take_out(&fake.kept, tuning->xml);
	}
	return 0;
}

static void open_machine(void)
{
	char uri[80];
	machine_options options = {.uri = uri, .root = fake.root, .program = "test"};
	int fd;

	strcpy(fake.root, "/tmp/hn-plug-XXXXXX");
	cr_assert_not_null(mkdtemp(fake.root));
	snprintf(uri, sizeof(uri), "test://%s/node.xml", fake.root);
	fd = open(uri + 7, O_WRONLY | O_CREAT, 0600);
	cr_assert_eq(write(fd, "<node/>", 7), 7);
	close(fd);
	cr_assert_eq(machine_open(hn_os_real(), &options, &fake.m, NULL), 0);
	fake.ops = *fake.m->ops;
	fake.ops.flags |= MACHINE_REAL;
	fake.ops.xml = fake_xml;
	fake.ops.state = fake_state;
	fake.ops.define = fake_define;
	fake.ops.change = fake_change;
	fake.m->ops = &fake.ops;
	fake.os_ops = *hn_os_real()->ops;
	fake.os_ops.clock = fast_clock;
	fake.os.ops = &fake.os_ops;
}

static void close_machine(void)
{
	fake.m->os = hn_os_real();
	machine_close(fake.m);
	base_free(fake.live);
	base_free(fake.kept);
	os_remove_tree(hn_os_real(), fake.root, NULL);
}

TestSuite(plug, .init = open_machine, .fini = close_machine, .timeout = 60);

/* Runs with this definition. */
static void running(const char *overrides)
{
	fake.live = xml_of(overrides);
	fake.kept = base_strdup(fake.live);
	fake.m->os = &fake.os;
}

static int change_to(const char *overrides, const char *key, const char *old_text,
	const char *new_text, hn_error **err)
{
	hn_view *view = view_of(overrides);
	machine_unit unit = unit_of(view);
	base_permit may = {.verb = HN_VERB_UNIT_UPDATE, .deadline = INT64_MAX};
	int result;

	snprintf(may.objects[0], sizeof(may.objects[0]), "unit/%s", UUID);
	result = machine_change(&may, fake.m, &unit, key, old_text, new_text, err);
	hn_view_unref(view);
	return result;
}

static int possible(
	const char *overrides, const char *key, const char *old_text, const char *new_text)
{
	hn_view *view = view_of(overrides);
	machine_unit unit = unit_of(view);
	char *why = NULL;
	int result = machine_hot_possible(fake.m, &unit, key, old_text, new_text, &why, NULL);

	base_free(why);
	hn_view_unref(view);
	return result;
}

Test(plug, rng_that_is_there_is_not_plugged_again)
{
	running("\"rng\": \"off\"");
	cr_expect_eq(change_to("", "rng", "off", "urandom", NULL), 0);
	cr_expect_eq(fake.calls, 1);
	cr_expect_eq(change_to("", "rng", "off", "urandom", NULL), 0);
	cr_expect_eq(fake.calls, 1);
}

Test(plug, rng_goes_to_a_slot_and_stays_there)
{
	hn_view *view = view_of(DISK_AND_NIC ", \"nics.late.kind\": \"user\"");
	machine_unit unit = unit_of(view);
	machine_spec *spec = NULL;

	running(DISK_AND_NIC ", \"rng\": \"off\"");
	cr_expect_eq(possible(DISK_AND_NIC, "rng", "off", "urandom"), 1);
	cr_expect_eq(change_to(DISK_AND_NIC, "rng", "off", "urandom", NULL), 0);
	cr_assert_eq(machine_spec_of(fake.m, &unit, &spec, NULL), 0);
	cr_expect_eq(spec->rng_slot, 3);
	cr_expect_eq(machine_spec_nic(spec, "late")->slot, 4);
	cr_expect_eq(possible(DISK_AND_NIC ", \"rng\": \"off\"", "rng", "urandom", "off"), 1);
	cr_expect_eq(
		change_to(DISK_AND_NIC ", \"rng\": \"off\"", "rng", "urandom", "off", NULL), 0);
	cr_expect_null(strstr(fake.live, "<rng"));
	cr_expect_eq(
		change_to(DISK_AND_NIC ", \"rng\": \"off\"", "rng", "urandom", "off", NULL), 0);
	cr_expect_eq(fake.calls, 2, "what is gone is not unplugged again");
	machine_spec_free(spec);
	hn_view_unref(view);
}

Test(plug, rng_on_bus_0_stays)
{
	running("");
	cr_expect_eq(possible("\"rng\": \"off\"", "rng", "urandom", "off"), 0);
}

Test(plug, declared_devices_can_be_unplugged)
{
	running(DISK_AND_NIC);
	cr_expect_eq(possible("", "nics.lan.kind", "user", NULL), 1);
	cr_expect_eq(possible("", "disks.root.size", "1Gi", NULL), 1);
	cr_expect_eq(
		change_to("\"disks.root.size\": \"1Gi\"", "nics.lan.kind", "user", NULL, NULL), 0);
	cr_expect_null(strstr(fake.live, "<interface"));
	cr_expect_null(strstr(fake.kept, "<interface"));
}

/* A guest that lost its root while it runs could do nothing any more. */
Test(plug, the_root_of_an_image_waits_for_a_restart)
{
	running("\"machine.hotplug-slots\": 4, \"disks.hnroot.source\": \"/i\"");
	cr_expect_eq(possible("\"disks.b.source\": \"/i\"", "disks.b.source", NULL, "/i"), 1);
	cr_expect_eq(possible("", "disks.hnroot.source", "/i", NULL), 0);
	running("\"machine.hotplug-slots\": 4");
	cr_expect_eq(
		possible("\"disks.hnroot.source\": \"/i\"", "disks.hnroot.source", NULL, "/i"), 0);
}

Test(plug, the_running_unit_has_the_ports_it_was_started_with)
{
	running("\"machine.hotplug-slots\": 1");
	cr_expect_eq(possible("\"nics.a.kind\": \"user\"", "nics.a.kind", NULL, "user"), 1);
	cr_expect_eq(change_to("\"nics.a.kind\": \"user\"", "nics.a.kind", NULL, "user", NULL), 0);
	cr_expect_eq(possible("\"nics.a.kind\": \"user\", \"nics.b.kind\": \"user\"", "nics.b.kind",
			     NULL, "user"),
		0);
}

Test(plug, what_the_guest_keeps_is_told_and_undone)
{
	hn_error *err = NULL;
	char *before;

	running(DISK_AND_NIC);
	before = base_strdup(fake.kept);
	fake.stubborn = true;
	cr_expect_eq(change_to("\"disks.root.size\": \"1Gi\"", "nics.lan.kind", "user", NULL, &err),
		HN_EGUEST);
	cr_assert_not_null(err);
	cr_expect_not_null(
		strstr(hn_error_message(err), "nics.lan.kind"), "%s", hn_error_message(err));
	cr_expect_eq(fake.redefined, 1);
	cr_expect_str_eq(fake.kept, before);
	hn_error_unref(err);
	base_free(before);
}
