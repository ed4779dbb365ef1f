/* SPDX-License-Identifier: MIT
 *
 * Contracts that a guest does not keep: the start that fails by it, the event of the unit, and what
 * the record of the boot says.
 */
#include "host/boot-record.h"
#include "host/restart.h"
#include "redact-lab.h"

#define FAILED "org.hypernix.compose.contract.failed.v1"
#define DECLARED "{\"hypernix\":1,\"units\":{\"web\":{\"overrides\":{\"autostart\":false}}}}"

static const machine_checked broken = {.contract = "service/http",
	.version = "1.2.0",
	.detail = "80: refused by 192.0.2.77",
	.took = INT64_C(10010000000)};
static const machine_checked kept = {
	.contract = "service/http", .version = "1.2.0", .detail = "ok", .took = 5, .ok = true};

static lab new_web(void)
{
	lab l = lab_new();

	lab_must_apply(&l, DECLARED);
	return l;
}

static int start(lab *l)
{
	hn_start_options options = HN_START_OPTIONS_INIT;

	options.wait = HN_WAIT_READY;
	return hn_unit_start(l->session, "web", &options, lab_err(l));
}

static hn_unit *web(lab *l)
{
	hn_unit *unit = NULL;

	cr_assert_eq(
		hn_unit_find(l->session, "web", false, &unit, lab_err(l)), 0, "%s", lab_why(l));
	return unit;
}

/* What the last boot says of its one check. */
static void expect_recorded(lab *l, hn_session *who, bool ok, const char *detail)
{
	hn_boot_check check = {.size = sizeof(check)};
	hn_boot *boot = NULL;

	cr_assert_eq(hn_unit_boot(who, "web", &boot, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(hn_boot_check_at(boot, 0, &check), 0);
	cr_expect_str_eq(check.contract, "service/http");
	cr_expect_str_eq(check.version, "1.2.0");
	cr_expect_eq(check.ok, ok);
	if (detail)
		cr_expect_str_eq(check.detail, detail);
	else
		cr_expect_null(check.detail);
	cr_expect_eq(hn_boot_check_at(boot, 1, &check), HN_ENOENT);
	(void)hn_boot_free(boot);
}

static int copy_data(void *arg, const hn_event *event)
{
	if (strcmp(event->type, FAILED) == 0)
		(void)snprintf(arg, 512, "%s %s", event->name, event->data);
	return 0;
}

/* "unit data" of the last event, as this session is told of it. */
static const char *told(lab *l, hn_session *who)
{
	static char text[512];
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;

	text[0] = '\0';
	cr_assert_geq(
		hn_events_read(who, &options, copy_data, text, lab_err(l)), 0, "%s", lab_why(l));
	return text;
}

Test(contract, a_start_without_it_fails_and_the_guest_runs_on)
{
	LAB l = new_web();
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	fake.check = &broken;
	cr_assert_eq(start(&l), HN_ECONTRACT);
	cr_expect_not_null(strstr(lab_why(&l), "service/http"), "%s", lab_why(&l));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	unit = web(&l);
	cr_expect_eq(unit->status, HN_UNIT_RUNNING);
	cr_expect_eq(unit->ready, 0);
	cr_expect_eq(unit->wanted, HOST_WANTED_RUNNING);
	cr_assert_eq(lab_events(&l, FAILED), 1);
	cr_expect_str_eq(told(&l, l.session),
		"web {\"contract\":\"service/http\",\"version\":\"1.2.0\",\"ms\":10010,"
		"\"detail\":\"80: refused by 192.0.2.77\"}");
	expect_recorded(&l, l.session, false, broken.detail);
}

Test(contract, a_start_that_keeps_it_tells_nothing)
{
	LAB l = new_web();

	fake.check = &kept;
	cr_assert_eq(start(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_events(&l, FAILED), 0);
	expect_recorded(&l, l.session, true, "ok");
}

/* Nobody waited: whoever steps the machine later writes it down, once. */
Test(contract, what_is_heard_later_goes_to_the_last_boot)
{
	LAB l = new_web();
	machine_event event = {.status = HN_UNIT_RUNNING, .detail = MACHINE_CHECKED};
	machine_boot boot = {.phase = {{"start", 1, 1}}, .count = 1};
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	cr_assert_eq(start(&l), 0, "%s", lab_why(&l));
	unit = web(&l);
	cr_assert_eq(host_boot_store(l.host, unit, &boot, 0, lab_err(&l)), 0, "%s", lab_why(&l));
	memcpy(event.uuid, unit->uuid, sizeof(event.uuid));
	fake.check = &broken;
	fake.heard = unit->uuid;
	cr_assert_eq(host_supervise_event(l.session, &event, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_events(&l, FAILED), 1);
	expect_recorded(&l, l.session, false, broken.detail);
	cr_assert_eq(host_supervise_event(l.session, &event, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_events(&l, FAILED), 1, "it was told already");
	expect_recorded(&l, l.session, false, broken.detail);
}

/* Also with another event, and when the guest is gone since: it said so. */
Test(contract, it_is_told_of_a_guest_that_ended)
{
	LAB l = new_web();
	machine_event event = {.status = HN_UNIT_RUNNING, .detail = "resumed"};
	BASE_AUTO_OF(hn_unit) hn_unit *unit = web(&l);

	memcpy(event.uuid, unit->uuid, sizeof(event.uuid));
	fake.check = &broken;
	fake.heard = unit->uuid;
	cr_assert_eq(host_supervise_event(l.session, &event, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_events(&l, FAILED), 1);
}

/* The guest's own words may name anything. */
Test(contract, its_words_are_left_out_where_texts_are)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *less = NULL, *usage = NULL;

	lab_must_apply(&l, DECLARED);
	fake.check = &broken;
	cr_assert_eq(start(&l), HN_ECONTRACT);
	less = opened_with(&l, ",\"redact\":[\"addresses\"]");
	usage = opened_with(&l, ",\"redact\":[\"usage\"]");
	cr_expect_null(strstr(told(&l, less), "192.0.2.77"), "%s", told(&l, less));
	cr_expect_not_null(strstr(told(&l, less), "service/http"), "%s", told(&l, less));
	cr_expect_not_null(strstr(told(&l, usage), "192.0.2.77"), "%s", told(&l, usage));
	expect_recorded(&l, less, false, NULL);
	expect_recorded(&l, usage, false, broken.detail);
}
