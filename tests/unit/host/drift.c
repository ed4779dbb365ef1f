/* SPDX-License-Identifier: MIT
 *
 * Drift: what somebody changed behind our back is seen by meaning, shown by plan, mended by apply,
 * or adopted.
 */
#include "sim/lab.h"

#define UNIT(values) "{\"hypernix\":1,\"units\":{\"web\":{\"overrides\":{" values "}}}}"
#define RUNNING(values) UNIT("\"autostart\":true" values)
#define STOPPED(values) UNIT("\"autostart\":false" values)

typedef struct seen {
	unsigned same, differs, unobservable, unenforced;
	char key[96], applied[96], real[96], note[96];
	char unit[64];
} seen;

static int note(void *arg, const hn_drift *drift)
{
	seen *s = arg;

	s->same += drift->state == HN_DRIFT_SAME;
	s->unobservable += drift->state == HN_DRIFT_UNOBSERVABLE;
	s->unenforced += drift->state == HN_DRIFT_UNENFORCED;
	if (drift->state != HN_DRIFT_DIFFERS)
		return 0;
	s->differs++;
	(void)snprintf(s->unit, sizeof(s->unit), "%s", drift->unit);
	(void)snprintf(s->key, sizeof(s->key), "%s", drift->key ? drift->key : "-");
	(void)snprintf(s->applied, sizeof(s->applied), "%s", drift->applied ? drift->applied : "-");
	(void)snprintf(s->real, sizeof(s->real), "%s", drift->real ? drift->real : "-");
	(void)snprintf(s->note, sizeof(s->note), "%s", drift->note ? drift->note : "-");
	return 0;
}

static seen scan(lab *l)
{
	seen s = {0};
	int rc = hn_drift_scan(l->session, NULL, note, &s, lab_err(l));

	cr_assert_geq(rc, 0, "%s", lab_why(l));
	return s;
}

static void expect_mended(lab *l)
{
	unsigned writes;

	cr_expect_eq(scan(l).differs, 0);
	writes = fake.writes;
	lab_must_apply(l, NULL);
	cr_expect(hn_plan_empty(l->plan));
	cr_expect_eq(fake.writes, writes);
}

Test(drift, there_is_none_after_an_apply)
{
	LAB l = lab_new();
	seen s;

	lab_must_apply(&l, RUNNING(",\"nics.lan.kind\":\"user\""));
	s = scan(&l);
	cr_expect_eq(s.differs, 0);
	cr_expect_gt(s.same, 5);
	cr_expect_gt(s.unobservable, 5, "cpu.pinning and its like");
}

Test(drift, a_live_value_is_seen_shown_and_mended)
{
	LAB l = lab_new();
	hn_step step;
	seen s;

	lab_must_apply(&l, RUNNING(""));
	fake_set("web", "compute.units", "777", "100");
	s = scan(&l);
	cr_expect_eq(s.differs, 1);
	cr_expect_str_eq(s.key, "compute.units");
	cr_expect_str_eq(s.applied, "100");
	cr_expect_str_eq(s.real, "777");
	cr_assert_eq(lab_plan(&l, NULL), 0);
	cr_assert(lab_step(&l, "web", HN_ACTION_RESTORE, "compute.units", &step));
	cr_expect_str_eq(step.old_text, "777");
	cr_expect_str_eq(step.new_text, "100");
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_str_eq(fake_live("web", "compute.units"), "100");
	cr_expect_eq(lab_events(&l, "org.hypernix.unit.drift.v1"), 1);
	expect_mended(&l);
}

Test(drift, without_restore_it_is_only_listed)
{
	LAB l = lab_new();
	hn_plan_options options = lab_options();
	hn_plan_summary summary;
	hn_step step;

	lab_must_apply(&l, RUNNING(""));
	fake_set("web", "compute.units", "777", "100");
	options.restore = false;
	cr_assert_eq(lab_plan_with(&l, NULL, options), 0);
	cr_assert(lab_step(&l, "web", HN_ACTION_RESTORE, "compute.units", &step));
	cr_expect_eq(step.status, HN_STEP_PENDING);
	cr_expect(hn_plan_empty(l.plan));
	hn_plan_get_summary(l.plan, &summary);
	cr_expect_eq(summary.drift, 1);
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0);
	cr_expect_str_eq(fake_live("web", "compute.units"), "777");
}

Test(drift, a_persistent_value_is_mended_without_a_restart)
{
	LAB l = lab_new();
	seen s;

	lab_must_apply(&l, RUNNING(""));
	fake_set("web", "cpu.model", "auto", "qemu64");
	s = scan(&l);
	cr_expect_eq(s.differs, 1);
	cr_expect_str_eq(s.note, "in the persistent definition");
	lab_must_apply(&l, NULL);
	cr_expect_str_eq(fake_persistent("web", "cpu.model"), "auto");
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	expect_mended(&l);
}

Test(drift, a_live_value_that_needs_a_restart_waits_for_one)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, RUNNING(""));
	fake_set("web", "cpu.model", "qemu64", "qemu64");
	cr_assert_eq(lab_plan(&l, NULL), 0);
	cr_assert(lab_step(&l, "web", HN_ACTION_RESTORE, "cpu.model", &step));
	cr_expect_eq(step.class_, HN_CLASS_RESTART);
	cr_expect_eq(step.status, HN_STEP_PENDING);
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_str_eq(fake_persistent("web", "cpu.model"), "auto");
	cr_expect_str_eq(fake_live("web", "cpu.model"), "qemu64");
	cr_expect_str_eq(lab_applied(&l, "web", "cpu.model"), "auto");
}

Test(drift, a_destroyed_domain_is_started_again)
{
	LAB l = lab_new();
	seen s;

	lab_must_apply(&l, RUNNING(""));
	fake_find("web")->status = HN_UNIT_STOPPED;
	s = scan(&l);
	cr_expect_eq(s.differs, 1);
	cr_expect_str_eq(s.key, "-");
	cr_expect_str_eq(s.applied, "running");
	cr_expect_str_eq(s.real, "stopped");
	lab_must_apply(&l, NULL);
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	expect_mended(&l);
}

Test(drift, an_undefined_domain_is_made_again_and_started)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, RUNNING(",\"compute.units\":7"));
	fake_find("web")->there = false;
	cr_assert_eq(lab_plan(&l, NULL), 0, "%s", lab_why(&l));
	cr_assert(lab_step(&l, "web", HN_ACTION_RESTORE, NULL, &step));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_assert_not_null(fake_find("web"));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	cr_expect_str_eq(fake_live("web", "compute.units"), "7");
	expect_mended(&l);
}

Test(drift, an_undefined_stopped_domain_is_only_made_again)
{
	LAB l = lab_new();

	lab_must_apply(&l, STOPPED(""));
	fake_find("web")->there = false;
	lab_must_apply(&l, NULL);
	cr_assert_not_null(fake_find("web"));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_DEFINED);
	expect_mended(&l);
}

Test(drift, an_undefined_domain_comes_back_with_the_new_values)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	fake_find("web")->there = false;
	lab_must_apply(&l, RUNNING(",\"compute.units\":7,\"cpu.model\":\"qemu64\""));
	cr_expect_str_eq(fake_live("web", "compute.units"), "7");
	cr_expect_str_eq(fake_live("web", "cpu.model"), "qemu64");
	cr_expect_str_eq(lab_applied(&l, "web", "cpu.model"), "qemu64");
	expect_mended(&l);
}

Test(drift, a_disk_that_somebody_plugged_in_is_taken_out)
{
	LAB l = lab_new();
	seen s;

	lab_must_apply(&l, RUNNING(""));
	fake_set("web", "disks.spy.source", "/spy", "/spy");
	s = scan(&l);
	cr_expect_eq(s.differs, 1);
	cr_expect_str_eq(s.note, "nobody declared it");
	lab_must_apply(&l, NULL);
	cr_expect_null(fake_live("web", "disks.spy.source"));
	expect_mended(&l);
}

Test(drift, a_disk_that_somebody_took_out_is_plugged_in)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(",\"disks.data.source\":\"/d\",\"disks.data.size\":\"1Gi\""));
	fake_set("web", "disks.data.source", NULL, NULL);
	lab_must_apply(&l, NULL);
	cr_expect_str_eq(fake_live("web", "disks.data.source"), "/d");
	expect_mended(&l);
}

Test(drift, a_change_covers_the_drift_of_its_key)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, RUNNING(""));
	fake_set("web", "compute.units", "777", "777");
	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":5")), 0);
	cr_expect(lab_step(&l, "web", HN_ACTION_CHANGE, "compute.units", &step));
	cr_expect_not(lab_step(&l, "web", HN_ACTION_RESTORE, "compute.units", &step));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0);
	cr_expect_str_eq(fake_live("web", "compute.units"), "5");
}

Test(drift, a_pending_value_is_none)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	lab_must_apply(&l, RUNNING(",\"cpu.model\":\"qemu64\""));
	cr_expect_eq(scan(&l).differs, 0);
}

Test(drift, no_cgroup_is_unenforced_not_drift)
{
	LAB l = lab_new();
	seen s;

	lab_must_apply(&l, RUNNING(""));
	fake_find("web")->unenforced = true;
	s = scan(&l);
	cr_expect_eq(s.differs, 0);
	cr_expect_eq(s.unenforced, 2, "units and limit");
}

Test(drift, foreign_domains_are_told)
{
	LAB l = lab_new();
	seen s;

	fake_add_foreign("stranger", "11111111-2222-4333-8444-555555555555");
	s = scan(&l);
	cr_expect_str_eq(s.unit, "stranger");
	cr_expect_str_eq(s.note, "foreign");
}

Test(drift, of_one_unit)
{
	LAB l = lab_new();
	seen s = {0};

	lab_must_apply(&l, RUNNING(""));
	fake_set("web", "compute.units", "777", "777");
	cr_expect_eq(hn_drift_scan(l.session, "web", note, &s, lab_err(&l)), 1);
	cr_expect_eq(hn_drift_scan(l.session, "nobody", note, &s, lab_err(&l)), HN_ENOENT);
	cr_expect_eq(hn_drift_scan(l.session, "web", NULL, NULL, lab_err(&l)), 1);
}

Test(drift, mending_that_fails_says_so_and_can_be_repeated)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	fake_set("web", "compute.units", "777", "777");
	cr_assert_eq(lab_plan(&l, NULL), 0);
	fake.fault.fail_at = fake.writes + 1;
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EDRIVER);
	lab_must_apply(&l, NULL);
	cr_expect_str_eq(fake_live("web", "compute.units"), "100");
}

/* --- adopt --- */

Test(adopt, the_real_value_of_an_api_unit_becomes_its_own)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	cr_assert_eq(hn_unit_define(l.session, "a", &definition, NULL), 0);
	lab_must_apply(&l, NULL);
	fake_set("a", "compute.units", "777", "777");
	cr_assert_eq(
		hn_drift_adopt(l.session, "a", "compute.units", lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_desired(&l, "a", "compute.units"), "777");
	lab_must_apply(&l, NULL);
	cr_expect_str_eq(fake_live("a", "compute.units"), "777");
	expect_mended(&l);
}

Test(adopt, of_a_declared_unit_it_becomes_a_force)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	fake_set("web", "compute.units", "777", "777");
	cr_assert_eq(hn_drift_adopt(l.session, "web", "compute.units", lab_err(&l)), 0, "%s",
		lab_why(&l));
	lab_must_apply(&l, NULL);
	cr_expect_str_eq(fake_live("web", "compute.units"), "777");
	cr_expect_eq(hn_unit_unforce(l.session, "web", "compute.units", lab_err(&l)), 0);
	lab_must_apply(&l, NULL);
	cr_expect_str_eq(fake_live("web", "compute.units"), "100");
}

Test(adopt, what_has_not_drifted_is_not_found)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_expect_eq(hn_drift_adopt(l.session, "web", "compute.units", lab_err(&l)), HN_ENOENT);
	cr_expect_eq(hn_drift_adopt(l.session, "web", "no.key", lab_err(&l)), HN_ESCHEMA);
	cr_expect_eq(hn_drift_adopt(l.session, "nobody", "compute.units", lab_err(&l)), HN_ENOENT);
}

Test(drift, what_is_not_known_yet_is_unobservable)
{
	LAB l = lab_new();
	seen s;

	lab_must_apply(&l, RUNNING(""));
	fake_set("web", "memory.size", NULL, "512Mi"); /* a balloon that no guest drives yet */
	s = scan(&l);
	cr_expect_eq(s.differs, 0);
	cr_assert_eq(lab_plan(&l, NULL), 0);
	cr_expect(hn_plan_empty(l.plan));
}

Test(drift, a_disk_that_only_the_guest_lost_is_plugged_in_again)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(",\"disks.data.source\":\"/d\",\"disks.data.size\":\"1Gi\""));
	fake_set("web", "disks.data.source", NULL, "/d");
	lab_must_apply(&l, NULL);
	cr_expect_str_eq(fake_live("web", "disks.data.source"), "/d");
	expect_mended(&l);
}

Test(adopt, a_force_ends_like_any_other)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	fake_set("web", "compute.units", "777", "777");
	cr_assert_eq(hn_drift_adopt(l.session, "web", "compute.units", lab_err(&l)), 0);
	hn_os_sim_advance(l.os, INT64_C(604800000000000) + 1);
	cr_assert_eq(lab_plan(&l, NULL), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_desired(&l, "web", "compute.units"), "100");
}
