/* SPDX-License-Identifier: MIT
 *
 * Plans for the shutdown of the host: all that runs is stopped, and the next boot starts it again.
 */
#include "sim/lab.h"

#define UNIT(name, values) "\"" name "\":{\"overrides\":{\"autostart\":true" values "}}"
#define WEB(values) "{\"hypernix\":1,\"units\":{" UNIT("web", values) "}}"
#define PAIR(a, b) "{\"hypernix\":1,\"units\":{" UNIT("a", a) "," UNIT("b", b) "}}"

static int plan_guests(lab *l, bool boot)
{
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;

	options.boot = boot;
	options.shutdown = !boot;
	return lab_plan_with(l, NULL, options);
}

static int stop_all(lab *l)
{
	int rc = plan_guests(l, false);

	return rc < 0 ? rc : lab_apply_plan(l, HN_ON_ERROR_CONTINUE);
}

static int start_all(lab *l)
{
	int rc = plan_guests(l, true);

	return rc < 0 ? rc : lab_apply_plan(l, HN_ON_ERROR_CONTINUE);
}

Test(shutdown, stops_all_and_the_next_boot_starts_them)
{
	LAB l = lab_new();

	lab_must_apply(&l, PAIR("", ""));
	lab_as_service(&l, "shutdown");
	cr_assert_eq(stop_all(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("a")->status, HN_UNIT_STOPPED);
	cr_expect_eq(fake_find("b")->status, HN_UNIT_STOPPED);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM generation"), 1);
	cr_assert_eq(plan_guests(&l, false), 0, "%s", lab_why(&l));
	cr_expect(hn_plan_empty(l.plan));
	lab_reopen(&l);
	cr_assert_eq(start_all(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("a")->status, HN_UNIT_RUNNING);
	cr_expect_eq(fake_find("b")->status, HN_UNIT_RUNNING);
}

Test(shutdown, what_somebody_stopped_stays_so)
{
	LAB l = lab_new();

	lab_must_apply(&l, PAIR("", ""));
	cr_assert_eq(hn_unit_stop(l.session, "a", NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(stop_all(&l), 0, "%s", lab_why(&l));
	cr_assert_eq(start_all(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("a")->status, HN_UNIT_STOPPED);
	cr_expect_eq(fake_find("b")->status, HN_UNIT_RUNNING);
}

Test(shutdown, is_the_order_of_starts_from_its_end)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, PAIR(",\"start.order\":100", ",\"start.order\":900"));
	cr_assert_eq(plan_guests(&l, false), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_plan_step_at(l.plan, 0, &step), 0);
	cr_expect_str_eq(step.unit, "b");
	cr_expect_eq(step.action, HN_ACTION_STOP);
	cr_assert_eq(hn_plan_step_at(l.plan, 1, &step), 0);
	cr_expect_str_eq(step.unit, "a");
	cr_expect_eq(hn_plan_step_at(l.plan, 2, &step), HN_ENOENT);
}

/* Whatever is the matter with a unit: what runs is not to be killed. */
Test(shutdown, spares_no_unit_that_runs)
{
	LAB l = lab_new();
	hn_plan_options keep = lab_options();

	lab_must_apply(&l, PAIR("", ""));
	keep.on_remove = "keep";
	cr_assert_eq(lab_plan_with(&l, WEB(""), keep), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0, "%s", lab_why(&l));
	cr_assert_eq(state_exec(l.host->store, "UPDATE unit SET inconsistent = 1", NULL), 0);
	cr_assert_eq(stop_all(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("a")->status, HN_UNIT_STOPPED);
	cr_expect_eq(fake_find("b")->status, HN_UNIT_STOPPED);
	cr_expect_eq(fake_find("web")->status, HN_UNIT_STOPPED);
}

Test(shutdown, a_guest_that_cannot_be_stopped_keeps_no_other)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, PAIR("", ""));
	cr_assert_eq(plan_guests(&l, false), 0, "%s", lab_why(&l));
	fake.fault.fail_at = fake.writes + 1;
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), HN_EDRIVER);
	cr_assert(lab_step(&l, "a", HN_ACTION_STOP, NULL, &step));
	cr_expect_eq(step.status, HN_STEP_FAILED);
	cr_expect_eq(fake_find("a")->status, HN_UNIT_RUNNING);
	cr_expect_eq(fake_find("b")->status, HN_UNIT_STOPPED);
}

/* An ordinary activation after it finds guests that should run. */
Test(shutdown, an_activation_starts_them_too)
{
	LAB l = lab_new();

	lab_must_apply(&l, WEB(""));
	cr_assert_eq(stop_all(&l), 0, "%s", lab_why(&l));
	lab_must_apply(&l, WEB(""));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
}

/* The policy "always" does not take an orderly end of the host for one of the guest. */
Test(shutdown, no_policy_restarts_what_was_stopped)
{
	LAB l = lab_new();

	lab_must_apply(&l, WEB(",\"restart.policy\":\"always\""));
	cr_assert_eq(stop_all(&l), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, INT64_C(3600000000000));
	cr_expect_geq(hn_machine_step(l.session, 0, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_STOPPED);
}

Test(shutdown, is_a_plan_of_its_own)
{
	LAB l = lab_new();
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;

	options.shutdown = true;
	cr_expect_eq(lab_plan_with(&l, WEB(""), options), HN_EINVAL);
	options.boot = true;
	cr_expect_eq(lab_plan_with(&l, NULL, options), HN_EINVAL);
	options.boot = false;
	options.generation = 1;
	cr_expect_eq(lab_plan_with(&l, NULL, options), HN_EINVAL);
	options.generation = 0;
	options.drop_tags = true;
	cr_expect_eq(lab_plan_with(&l, NULL, options), HN_EINVAL);
}

Test(shutdown, a_stored_one_is_found_again)
{
	LAB l = lab_new();
	hn_plan *found = NULL;

	lab_must_apply(&l, WEB(""));
	cr_assert_eq(plan_guests(&l, false), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_plan_find(l.session, hn_plan_number(l.plan), &found, lab_err(&l)), 0);
	cr_expect_eq(hn_plan_apply(l.session, found, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_STOPPED);
	hn_plan_unref(found);
	cr_assert_eq(start_all(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
}
