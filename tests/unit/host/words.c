/* SPDX-License-Identifier: MIT
 *
 * What people read: names instead of numbers, what really is the matter, and what helps.
 */
#include "host/plan.h"
#include "sim/lab.h"

#define UNIT(values) "{\"hypernix\":1,\"units\":{\"web\":{\"overrides\":{" values "}}}}"
#define RUNNING(values) UNIT("\"autostart\":true" values)
#define STOPPED(values) UNIT("\"autostart\":false" values)
#define NOTHING "{\"hypernix\":1}"

static bool says(const lab *l, const char *text)
{
	return l->err && strstr(hn_error_message(l->err), text) != NULL;
}

static bool hints(const lab *l, const char *text)
{
	return l->err && hn_error_hint(l->err) && strstr(hn_error_hint(l->err), text) != NULL;
}

/* --- names --- */

Test(words, a_missing_reason_names_the_unit)
{
	LAB l = lab_new();
	hn_fact fact;

	lab_must_apply(&l, RUNNING(""));
	lab_close(&l);
	l.reason = NULL;
	cr_assert_eq(lab_open(&l), 0);
	cr_expect_eq(hn_unit_force(l.session, "web", "compute.units", "7", OS_SECOND, lab_err(&l)),
		HN_EREASON);
	cr_expect_str_eq(lab_why(&l), "force.set on unit web needs a reason");
	cr_assert_eq(hn_error_fact(l.err, 0, &fact), 0);
	cr_expect_str_eq(fact.name, "object");
	cr_expect_eq(strncmp(fact.text, "unit/", 5), 0, "programs get the object itself");
}

Test(words, a_removal_without_a_reason_names_the_unit)
{
	LAB l = lab_new();
	hn_plan_options options = lab_options();

	lab_must_apply(&l, RUNNING(""));
	lab_close(&l);
	l.reason = NULL;
	cr_assert_eq(lab_open(&l), 0);
	options.on_remove = "destroy";
	cr_assert_eq(lab_plan_with(&l, NOTHING, options), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EREASON);
	cr_expect_str_eq(lab_why(&l), "unit.delete on unit web needs a reason");
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
}

static void note_phase(
	void *arg, uint64_t done, uint64_t total, const char *unit, const char *phase)
{
	(void)done;
	(void)total;
	(void)unit;
	(void)snprintf(arg, 64, "%s", phase);
}

Test(words, the_progress_of_a_start_names_the_unit)
{
	LAB l = lab_new();
	hn_start_options options = HN_START_OPTIONS_INIT;
	char phase[64] = "";

	lab_must_apply(&l, STOPPED(""));
	options.progress = note_phase;
	options.progress_arg = phase;
	cr_assert_eq(hn_unit_start(l.session, "web", &options, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_str_eq(phase, "web firmware");
}

/* --- refused at once, with what helps --- */

Test(words, nobody_waits_for_a_unit_that_is_off)
{
	LAB l = lab_new();

	lab_must_apply(&l, STOPPED(""));
	cr_expect_eq(hn_unit_wait(l.session, "web", HN_WAIT_READY, OS_SECOND, NULL, lab_err(&l)),
		HN_EBUSY);
	cr_expect_str_eq(lab_why(&l), "unit 'web' is defined");
	cr_expect(hints(&l, "start it"));
	cr_expect_eq(hn_unit_wait(l.session, "web", HN_WAIT_RUNNING, OS_SECOND, NULL, lab_err(&l)),
		HN_EBUSY);
	cr_expect_eq(
		hn_unit_wait(l.session, "web", HN_WAIT_STOPPED, OS_SECOND, NULL, lab_err(&l)), 0);
	cr_assert_eq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(
		hn_unit_wait(l.session, "web", HN_WAIT_READY, OS_SECOND, NULL, lab_err(&l)), 0);
}

Test(words, a_lost_domain_is_not_waited_for)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	fake_find("web")->there = false;
	cr_expect_eq(hn_unit_wait(l.session, "web", HN_WAIT_READY, OS_SECOND, NULL, lab_err(&l)),
		HN_EBUSY);
	cr_expect_str_eq(lab_why(&l), "unit 'web' is absent");
}

Test(words, a_lost_domain_has_the_name_of_its_unit)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	fake_find("web")->there = false;
	cr_expect_eq(hn_unit_pause(l.session, "web", lab_err(&l)), HN_ENOENT);
	cr_expect_str_eq(lab_why(&l), "unit 'web' has no domain");
}

Test(words, a_generation_that_was_only_planned_is_none)
{
	LAB l = lab_new();
	hn_plan_options back = lab_options();
	uint64_t planned;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":7")), 0, "%s", lab_why(&l));
	planned = lab_number(&l, "SELECT max(number) FROM generation");
	back.generation = planned;
	cr_expect_eq(lab_plan_with(&l, NULL, back), HN_ENOENT);
	cr_expect(says(&l, "was ever applied"));
	cr_expect(hints(&l, "generations"));
}

Test(words, a_stored_plan_still_goes_to_its_own_generation)
{
	LAB l = lab_new();
	uint64_t number;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":7")), 0, "%s", lab_why(&l));
	number = hn_plan_number(l.plan);
	lab_reopen(&l);
	cr_assert_eq(hn_plan_find(l.session, number, &l.plan, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_str_eq(fake_live("web", "compute.units"), "7");
}

Test(words, what_cannot_be_declared_cannot_be_adopted)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(",\"memory.size\":\"256Mi\""));
	fake_set("web", "memory.size", "204800000B", "256Mi");
	cr_expect_lt(hn_drift_adopt(l.session, "web", "memory.size", lab_err(&l)), 0);
	cr_expect(says(&l, "memory.size of web cannot be adopted"));
	cr_expect(hints(&l, "256Mi"));
	cr_expect_not_null(hn_error_cause(l.err));
}

Test(words, a_wrong_value_is_said_once)
{
	LAB l = lab_new();

	cr_expect_lt(lab_define(&l, "api", "memory.size", "1GB"), 0);
	cr_expect(says(&l, "memory.size: "));
	cr_expect_null(hn_error_cause(l.err));
}

Test(words, a_force_that_is_too_long_is_told_in_days)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_expect_eq(hn_unit_force(l.session, "web", "compute.units", "7",
			     10 * 24 * 3600 * OS_SECOND, lab_err(&l)),
		HN_ELIMIT);
	cr_expect(says(&l, "10d was given"));
}

Test(words, a_declared_unit_cannot_be_removed_by_hand)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_expect_eq(hn_unit_remove(l.session, "web", HN_DISKS_KEEP, lab_err(&l)), HN_EDENIED);
	cr_expect(hints(&l, "--on-remove destroy"));
}

Test(words, the_first_look_says_what_to_do)
{
	LAB l = lab_new();
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	hn_host *host = NULL;

	options.state = "/nowhere";
	options.os = l.os;
	options.read_only = true;
	cr_expect_eq(hn_host_open(&options, &host, lab_err(&l)), HN_ENOENT);
	cr_expect(hints(&l, "apply a declaration first"));
}

/* --- nothing to do --- */

Test(words, repair_of_a_sound_unit_has_nothing_to_do)
{
	LAB l = lab_new();
	unsigned writes;

	lab_must_apply(&l, RUNNING(""));
	writes = fake.writes;
	cr_expect_eq(hn_unit_repair(l.session, "web", lab_err(&l)), 1);
	cr_expect_eq(fake.writes, writes);
	fake_set("web", "compute.units", "777", "100");
	cr_expect_eq(hn_unit_repair(l.session, "web", lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_str_eq(fake_live("web", "compute.units"), "100");
}

/* --- status --- */

static hn_unit_status status_of(lab *l, bool observe)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	cr_assert_eq(
		hn_unit_find(l->session, "web", observe, &unit, lab_err(l)), 0, "%s", lab_why(l));
	return hn_unit_get_status(unit);
}

Test(words, stored_and_observed_status_use_one_word)
{
	LAB l = lab_new();

	lab_must_apply(&l, STOPPED(""));
	fake_find("web")->status = HN_UNIT_STOPPED; /* what a process table tells */
	cr_expect_eq(status_of(&l, false), HN_UNIT_DEFINED);
	cr_expect_eq(status_of(&l, true), HN_UNIT_DEFINED, "it never ran");
	cr_assert_eq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	fake_find("web")->status = HN_UNIT_DEFINED; /* what a hypervisor tells after its restart */
	cr_expect_eq(status_of(&l, false), HN_UNIT_STOPPED);
	cr_expect_eq(status_of(&l, true), HN_UNIT_STOPPED);
}

/* --- drift --- */

typedef struct told {
	const char *key;
	hn_drift_state state;
	unsigned differs;
} told;

static int tell_key(void *arg, const hn_drift *drift)
{
	told *t = arg;

	t->differs += drift->state == HN_DRIFT_DIFFERS;
	if (drift->key && strcmp(drift->key, t->key) == 0)
		t->state = drift->state;
	return 0;
}

static told scan_for(lab *l, const char *key)
{
	told t = {.key = key, .state = (hn_drift_state)99};

	cr_assert_geq(
		hn_drift_scan(l->session, "web", tell_key, &t, lab_err(l)), 0, "%s", lab_why(l));
	return t;
}

Test(words, what_only_we_read_cannot_drift)
{
	static const char *const keys[] = {"autostart", "restart.policy", "labels.team",
		"description", "backup.schedule", "update.window"};
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(",\"labels.team\":\"a\",\"description\":\"d\""));
	for (size_t i = 0; i < BASE_COUNT(keys); i++)
		cr_expect_eq(scan_for(&l, keys[i]).state, HN_DRIFT_SAME, "%s", keys[i]);
	cr_expect_eq(scan_for(&l, "cpu.pinning").state, HN_DRIFT_UNOBSERVABLE);
}

Test(words, a_limit_of_the_unit_is_no_drift_beside_a_stray_disk)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	fake_set("web", "network.bandwidth", "none", "none");
	fake_set("web", "disks.stray.source", "/x", "/x");
	cr_expect_eq(scan_for(&l, "network.bandwidth").differs, 1, "the disk alone");
	fake_set("web", "network.bandwidth", "1Mi/s", "1Mi/s");
	cr_expect_eq(scan_for(&l, "network.bandwidth").state, HN_DRIFT_DIFFERS);
}

/* --- windows --- */

Test(words, a_window_that_never_opens_is_told)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, RUNNING(",\"update.restart\":\"window\",\"update.window\":"
				   "\"Sun 03:00-05:00 Europe/Berlin\""));
	cr_assert_eq(lab_plan(&l, RUNNING(",\"update.restart\":\"window\",\"update.window\":"
					  "\"Sun 03:00-05:00 Europe/Berlin\",\"cpu.model\":"
					  "\"qemu64\"")),
		0, "%s", lab_why(&l));
	cr_assert(lab_step(&l, "web", HN_ACTION_CHANGE, "cpu.model", &step));
	cr_expect_not_null(strstr(step.note, "UTC only"));
	cr_expect_not(host_window_has_zone("Sun 03:00-05:00"));
	cr_expect_not(host_window_has_zone("Sun 03:00-05:00 UTC"));
	cr_expect_not(host_window_has_zone("none"));
}
