/* SPDX-License-Identifier: MIT
 *
 * Plans: classes, order, conditions, capacity, what is pending and what is refused. Nothing is done
 * to the machine here but what a first apply does.
 */
#include "sim/lab.h"

#define UNIT(values) "{\"hypernix\":1,\"units\":{\"web\":{\"overrides\":{" values "}}}}"
#define RUNNING(values) UNIT("\"autostart\":true" values)
#define STOPPED(values) UNIT("\"autostart\":false" values)

static hn_step must_step(lab *l, const char *unit, hn_action action, const char *key)
{
	hn_step step = {0};

	cr_assert(lab_step(l, unit, action, key, &step), "no step for %s", key ? key : "the unit");
	return step;
}

/* Applies the first, plans the second, and gives the step of a key. */
static hn_step change(lab *l, const char *first, const char *second, const char *key)
{
	lab_must_apply(l, first);
	cr_assert_eq(lab_plan(l, second), 0, "%s", lab_why(l));
	return must_step(l, "web", HN_ACTION_CHANGE, key);
}

Test(plan, an_empty_host_has_nothing_to_do)
{
	LAB l = lab_new();

	cr_assert_eq(lab_plan(&l, NULL), 0, "%s", lab_why(&l));
	cr_expect(hn_plan_empty(l.plan));
	cr_expect_eq(hn_plan_number(l.plan), 0, "and nothing is stored");
	cr_expect_eq(lab_steps(&l), 0);
}

Test(plan, a_new_unit_is_created_and_started)
{
	LAB l = lab_new();
	hn_plan_summary summary;

	cr_assert_eq(lab_plan(&l, RUNNING("")), 0, "%s", lab_why(&l));
	must_step(&l, "web", HN_ACTION_CREATE, NULL);
	must_step(&l, "web", HN_ACTION_START, NULL);
	hn_plan_get_summary(l.plan, &summary);
	cr_expect_eq(summary.create, 1);
	cr_expect_eq(summary.start, 1);
	cr_expect_not(hn_plan_empty(l.plan));
	cr_expect_gt(hn_plan_number(l.plan), 0);
}

Test(plan, without_start_nothing_is_started)
{
	LAB l = lab_new();
	hn_plan_options options = lab_options();
	hn_step step;

	options.start = false;
	cr_assert_eq(lab_plan_with(&l, RUNNING(""), options), 0);
	cr_expect_not(lab_step(&l, "web", HN_ACTION_START, NULL, &step));
}

Test(plan, a_unit_without_autostart_is_only_made)
{
	LAB l = lab_new();
	hn_step step;

	cr_assert_eq(lab_plan(&l, STOPPED("")), 0);
	must_step(&l, "web", HN_ACTION_CREATE, NULL);
	cr_expect_not(lab_step(&l, "web", HN_ACTION_START, NULL, &step));
}

Test(plan, changes_nothing_at_all)
{
	LAB l = lab_new();
	unsigned writes;

	lab_must_apply(&l, RUNNING(""));
	writes = fake.writes;
	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":200")), 0);
	cr_expect_eq(fake.writes, writes);
	cr_expect_str_eq(lab_desired(&l, "web", "compute.units"), "100");
	cr_expect_eq(lab_number(&l, "SELECT generation FROM host"), 1);
}

Test(plan, auto_vcpus_are_frozen_with_their_formula)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;
	hn_origin origin = {.size = sizeof(origin)};

	lab_must_apply(&l, RUNNING(",\"compute.units\":250"));
	cr_expect_str_eq(lab_desired(&l, "web", "compute.vcpus"), "3");
	cr_assert_eq(hn_unit_find(l.session, "web", false, &unit, NULL), 0);
	cr_assert_eq(hn_view_explain(hn_unit_desired(unit), "compute.vcpus", 0, &origin), 0);
	cr_expect_eq(origin.layer, HN_LAYER_FROZEN);
	cr_expect_eq(origin.priority, 1490);
	cr_expect_not_null(strstr(origin.note, "3 = ceil(250 / (100 x 1.00)) on host "));
	hn_unit_unref(unit);
	cr_expect_str_eq(fake_live("web", "compute.vcpus"), "3");
}

Test(plan, frozen_vcpus_stay_when_units_grow)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(",\"compute.units\":250"));
	lab_must_apply(&l, RUNNING(",\"compute.units\":900"));
	cr_expect_str_eq(lab_desired(&l, "web", "compute.vcpus"), "3");
	cr_expect_str_eq(fake_live("web", "compute.units"), "900");
}

Test(plan, auto_that_is_declared_is_frozen_beside_the_view)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(",\"compute.units\":250,\"compute.vcpus\":\"auto\""));
	cr_expect_str_eq(fake_live("web", "compute.vcpus"), "3");
	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":250,\"compute.vcpus\":\"auto\"")), 0);
	cr_expect(hn_plan_empty(l.plan));
}

Test(plan, given_vcpus_win_over_frozen_ones)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(",\"compute.vcpus\":2"));
	cr_expect_str_eq(fake_live("web", "compute.vcpus"), "2");
	cr_expect_str_eq(lab_desired(&l, "web", "compute.vcpus"), "2");
}

/* --- classes --- */

Test(class, hot_while_it_runs)
{
	LAB l = lab_new();
	hn_step step = change(&l, RUNNING(""), RUNNING(",\"compute.units\":200"), "compute.units");

	cr_expect_eq(step.class_, HN_CLASS_HOT);
	cr_expect_eq(step.status, HN_STEP_PLANNED);
	cr_expect_str_eq(step.old_text, "100");
	cr_expect_str_eq(step.new_text, "200");
	cr_expect_eq(strncmp(step.where, "test.json:1:", 12), 0, "%s", step.where);
}

Test(class, hot_if_when_the_condition_holds)
{
	LAB l = lab_new();
	hn_step step = change(&l, RUNNING(",\"memory.max\":\"2Gi\",\"memory.balloon\":\"manual\""),
		RUNNING(",\"memory.max\":\"2Gi\",\"memory.balloon\":\"manual\",\"memory.size\":\"1Gi\""),
		"memory.size");

	cr_expect_eq(step.class_, HN_CLASS_HOT);
	cr_expect_eq(step.status, HN_STEP_PLANNED);
}

Test(class, hot_if_becomes_restart_and_says_what_failed)
{
	LAB l = lab_new();
	hn_step step = change(&l, RUNNING(",\"memory.max\":\"2Gi\",\"memory.balloon\":\"manual\""),
		RUNNING(",\"memory.max\":\"2Gi\",\"memory.balloon\":\"manual\",\"memory.size\":\"3Gi\""),
		"memory.size");

	cr_expect_eq(step.class_, HN_CLASS_RESTART);
	cr_expect_eq(step.status, HN_STEP_PENDING);
	cr_expect_str_eq(step.note, "above memory.max; stays pending (update.restart manual)");
}

Test(class, restart_is_pending_unless_allowed)
{
	LAB l = lab_new();
	hn_step step = change(&l, RUNNING(""), RUNNING(",\"cpu.model\":\"qemu64\""), "cpu.model");
	hn_plan_summary summary;

	cr_expect_eq(step.class_, HN_CLASS_RESTART);
	cr_expect_eq(step.status, HN_STEP_PENDING);
	cr_expect_str_eq(step.note, "stays pending (update.restart manual)");
	hn_plan_get_summary(l.plan, &summary);
	cr_expect_eq(summary.restart, 1);
	cr_expect_eq(summary.pending, 1);
}

Test(class, restart_is_taken_where_update_restart_is_now)
{
	LAB l = lab_new();
	hn_step step = change(&l, RUNNING(",\"update.restart\":\"now\""),
		RUNNING(",\"update.restart\":\"now\",\"cpu.model\":\"qemu64\""), "cpu.model");

	cr_expect_eq(step.status, HN_STEP_PLANNED);
	cr_expect_str_eq(step.note, "");
}

Test(class, a_window_opens_and_shuts)
{
	/* 2026-01-01 00:00 UTC was a Thursday. */
	static const int64_t midnight = INT64_C(1767225600000000000);
	static const int64_t minute = INT64_C(60000000000);

	cr_expect(host_window_open("Thu 00:00-01:00", midnight));
	cr_expect(host_window_open("Thu 00:00-01:00 UTC", midnight + 59 * minute));
	cr_expect_not(host_window_open("Thu 00:00-01:00", midnight + 60 * minute));
	cr_expect_not(host_window_open("Fri 00:00-01:00", midnight));
	cr_expect(host_window_open("daily 00:00-01:00", midnight));
	cr_expect(host_window_open("Mon..Fri 00:00-24:00", midnight));
	cr_expect_not(host_window_open("Sat..Sun 00:00-24:00", midnight));
	cr_expect(host_window_open("Mon,Thu 00:00-00:01", midnight));
	cr_expect(host_window_open("Wed 23:00-02:00", midnight),
		"it belongs to the day it starts on");
	cr_expect_not(host_window_open("Thu 23:00-02:00", midnight));
	cr_expect(host_window_open("Thu 23:00-02:00", midnight - minute + 1440 * minute));
	cr_expect_not(host_window_open("daily 00:00-24:00 Europe/Berlin", midnight));
	cr_expect_not(host_window_open("none", midnight));
	cr_expect_not(host_window_open("", midnight));
}

Test(class, window_restarts_wait_for_their_window)
{
	LAB l = lab_new();
	hn_step step = change(&l,
		RUNNING(",\"update.restart\":\"window\",\"update.window\":\"Sun 03:00-05:00\""),
		RUNNING(",\"update.restart\":\"window\",\"update.window\":\"Sun 03:00-05:00\","
			"\"cpu.model\":\"qemu64\""),
		"cpu.model");

	cr_expect_str_eq(step.note, "stays pending (update.restart window)");
	hn_os_sim_advance(l.os, (3 * 24 + 4) * INT64_C(3600000000000));
	cr_assert_eq(lab_plan(&l, NULL), 0);
	cr_expect(hn_plan_empty(l.plan), "the plan with the change was not applied");
}

Test(class, next_asks_for_no_restart)
{
	LAB l = lab_new();
	hn_step step = change(&l, RUNNING(""), RUNNING(",\"start.order\":7"), "start.order");

	cr_expect_eq(step.class_, HN_CLASS_NEXT);
	cr_expect_eq(step.status, HN_STEP_PLANNED);
}

Test(class, restart_of_a_stopped_unit_is_only_a_definition)
{
	LAB l = lab_new();
	hn_step step = change(&l, STOPPED(""), STOPPED(",\"cpu.model\":\"qemu64\""), "cpu.model");

	cr_expect_eq(step.status, HN_STEP_PLANNED);
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0);
	cr_expect_str_eq(fake_persistent("web", "cpu.model"), "qemu64");
	cr_assert_eq(lab_plan(&l, NULL), 0);
	cr_expect(hn_plan_empty(l.plan));
}

Test(class, move_stays_pending_on_a_single_host)
{
	LAB l = lab_new();
	hn_step step = change(
		&l, RUNNING(""), RUNNING(",\"placement.spread\":\"rack\""), "placement.spread");

	cr_expect_eq(step.class_, HN_CLASS_MOVE);
	cr_expect_eq(step.status, HN_STEP_PENDING);
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_applied(&l, "web", "placement.spread"), "none");
	cr_assert_eq(lab_plan(&l, NULL), 0);
	cr_expect(hn_plan_empty(l.plan), "nothing that could be done");
	must_step(&l, "web", HN_ACTION_CHANGE, "placement.spread");
}

Test(class, fixed_is_refused_with_a_way_out)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(lab_plan(&l, RUNNING(",\"storage.encrypt\":true")), HN_EFIXED);
	cr_expect_not_null(strstr(hn_error_hint(l.err), "replace"));
	cr_expect_not_null(strstr(lab_why(&l), "test.json:1:"));
}

#define DISK(size, rest) ",\"disks.data.source\":\"/data\",\"disks.data.size\":\"" size "\"" rest

Test(class, a_disk_grows_hot)
{
	LAB l = lab_new();
	hn_step step =
		change(&l, RUNNING(DISK("1Gi", "")), RUNNING(DISK("2Gi", "")), "disks.data.size");

	cr_expect_eq(step.class_, HN_CLASS_HOT);
}

Test(class, a_disk_does_not_shrink)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(DISK("2Gi", "")));
	cr_expect_eq(lab_plan(&l, RUNNING(DISK("1Gi", ""))), HN_ESHRINK);
}

Test(class, the_format_of_a_disk_is_fixed)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(DISK("1Gi", ",\"disks.data.format\":\"raw\"")));
	cr_expect_eq(
		lab_plan(&l, RUNNING(DISK("1Gi", ",\"disks.data.format\":\"qcow2\""))), HN_EFIXED);
}

Test(class, a_disk_is_plugged_in_as_one_act)
{
	LAB l = lab_new();
	hn_step step = change(&l, RUNNING(""), RUNNING(DISK("1Gi", "")), "disks.data.source");
	unsigned writes = fake.writes;

	cr_expect_eq(step.class_, HN_CLASS_HOT);
	cr_expect_eq(must_step(&l, "web", HN_ACTION_CHANGE, "disks.data.bus").class_, HN_CLASS_HOT);
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_eq(fake.writes, writes + 1);
	cr_expect_str_eq(fake_live("web", "disks.data.source"), "/data");
	cr_assert_eq(lab_plan(&l, NULL), 0, "%s", lab_why(&l));
	cr_expect(hn_plan_empty(l.plan));
}

Test(class, a_disk_is_unplugged_as_one_act)
{
	LAB l = lab_new();
	unsigned writes;

	lab_must_apply(&l, RUNNING(DISK("1Gi", "")));
	writes = fake.writes;
	lab_must_apply(&l, RUNNING(""));
	cr_expect_eq(fake.writes, writes + 1);
	cr_expect_null(fake_live("web", "disks.data.source"));
	cr_assert_eq(lab_plan(&l, NULL), 0);
	cr_expect(hn_plan_empty(l.plan));
}

Test(class, without_a_free_slot_a_disk_waits_for_a_restart)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, RUNNING(""));
	fake.no_slots = true;
	cr_assert_eq(lab_plan(&l, RUNNING(DISK("1Gi", ""))), 0);
	step = must_step(&l, "web", HN_ACTION_CHANGE, "disks.data.source");
	cr_expect_eq(step.class_, HN_CLASS_RESTART);
	cr_expect_eq(strncmp(step.note, "no slot is free", 15), 0);
	cr_expect_eq(
		must_step(&l, "web", HN_ACTION_CHANGE, "disks.data.size").status, HN_STEP_PENDING);
}

Test(class, two_disks_are_two_acts)
{
	LAB l = lab_new();
	unsigned writes;

	lab_must_apply(&l, RUNNING(""));
	writes = fake.writes;
	lab_must_apply(
		&l, RUNNING(DISK("1Gi",
			    ",\"disks.more.source\":\"/more\",\"disks.more.size\":\"1Gi\"")));
	cr_expect_eq(fake.writes, writes + 2);
	cr_expect_str_eq(fake_live("web", "disks.more.source"), "/more");
	cr_expect_str_eq(fake_live("web", "disks.data.source"), "/data");
}

/* --- order --- */

#define TWO(a, b)                                                                                  \
	"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true," a "}},"             \
	"\"b\":{\"overrides\":{\"autostart\":true," b "}}}}"

Test(order, decreases_come_before_increases)
{
	LAB l = lab_new();
	hn_step first;

	lab_must_apply(&l, TWO("\"compute.units\":100", "\"compute.units\":200"));
	cr_assert_eq(lab_plan(&l, TWO("\"compute.units\":200", "\"compute.units\":100")), 0);
	cr_assert_eq(hn_plan_step_at(l.plan, 0, &first), 0);
	cr_expect_str_eq(first.unit, "b", "the smaller one frees what the other takes");
}

Test(order, starts_follow_start_order)
{
	LAB l = lab_new();
	hn_step last;

	cr_assert_eq(lab_plan(&l, TWO("\"start.order\":900", "\"start.order\":100")), 0);
	cr_assert_eq(hn_plan_step_at(l.plan, lab_steps(&l) - 1, &last), 0);
	cr_expect_eq(last.action, HN_ACTION_START);
	cr_expect_str_eq(last.unit, "a");
}

Test(order, creation_comes_before_start)
{
	LAB l = lab_new();
	hn_step step;

	cr_assert_eq(lab_plan(&l, TWO("\"compute.units\":100", "\"compute.units\":200")), 0);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(hn_plan_step_at(l.plan, i, &step), 0);
		cr_expect_eq(step.action, HN_ACTION_CREATE);
	}
	cr_expect_eq(hn_plan_step_at(l.plan, 4, &step), HN_ENOENT);
}

/* --- capacity: a reference host of 64 threads has 6400 CU --- */

Test(capacity, of_the_end_state_is_in_the_summary)
{
	LAB l = lab_new();
	hn_plan_summary summary;

	cr_assert_eq(lab_plan(&l, TWO("\"compute.units\":1000,\"compute.overcommit\":2",
					  "\"compute.units\":400,\"compute.overcommit\":1")),
		0, "%s", lab_why(&l));
	hn_plan_get_summary(l.plan, &summary);
	cr_expect_eq(summary.capacity, 6400);
	cr_expect_eq(summary.reserved, 900);
}

Test(capacity, too_much_is_refused_and_names_the_largest)
{
	LAB l = lab_new();

	cr_assert_eq(lab_plan(&l, TWO("\"compute.units\":6000,\"compute.overcommit\":1",
					  "\"compute.units\":401,\"compute.overcommit\":1")),
		HN_ECAPACITY);
	cr_expect_not_null(strstr(hn_error_hint(l.err), "a 6000 CU"));
	cr_expect_eq(fake_count(), 0);
}

Test(capacity, exchange_on_a_full_host_works)
{
	LAB l = lab_new();

	lab_must_apply(&l, TWO("\"compute.units\":6000,\"compute.overcommit\":1",
				   "\"compute.units\":400,\"compute.overcommit\":1"));
	cr_expect_eq(lab_apply(&l, TWO("\"compute.units\":400,\"compute.overcommit\":1",
					   "\"compute.units\":6000,\"compute.overcommit\":1")),
		0, "%s", lab_why(&l));
}

Test(capacity, a_unit_that_goes_makes_room)
{
	LAB l = lab_new();

	lab_must_apply(&l, UNIT("\"compute.units\":6400,\"compute.overcommit\":1"));
	cr_expect_eq(
		lab_plan(&l,
			"{\"hypernix\":1,\"units\":{\"other\":{\"overrides\":{\"compute.units\":6400,"
			"\"compute.overcommit\":1}}}}"),
		0, "%s", lab_why(&l));
}

Test(capacity, a_unit_that_is_kept_running_makes_none)
{
	LAB l = lab_new();
	hn_plan_options options = lab_options();

	lab_must_apply(&l, UNIT("\"compute.units\":6400,\"compute.overcommit\":1"));
	options.on_remove = "keep";
	cr_expect_eq(
		lab_plan_with(&l,
			"{\"hypernix\":1,\"units\":{\"other\":{\"overrides\":{\"compute.units\":6400,"
			"\"compute.overcommit\":1}}}}",
			options),
		HN_ECAPACITY);
}

/* --- scope and input --- */

Test(scope, only_one_unit)
{
	LAB l = lab_new();
	hn_plan_options options = lab_options();
	hn_step step;

	options.unit = "a";
	cr_assert_eq(lab_plan_with(&l, TWO("\"compute.units\":1", "\"compute.units\":1"), options),
		0, "%s", lab_why(&l));
	cr_expect(lab_step(&l, "a", HN_ACTION_CREATE, NULL, &step));
	cr_expect_not(lab_step(&l, "b", HN_ACTION_CREATE, NULL, &step));
	options.unit = "nobody";
	cr_expect_eq(lab_plan_with(&l, NULL, options), HN_ENOENT);
}

Test(scope, a_conflict_is_refused_and_nothing_is_stored)
{
	LAB l = lab_new();

	cr_assert_eq(
		lab_plan(&l, "{\"hypernix\":1,\"tags\":{\"x\":{\"set\":{\"memory.size\":\"1Gi\"}},"
			     "\"y\":{\"set\":{\"memory.size\":\"2Gi\"}}},"
			     "\"units\":{\"web\":{\"tags\":[\"x\",\"y\"]}}}"),
		HN_ECONFLICT);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM plan"), 0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit"), 0);
}

Test(scope, a_foreign_domain_keeps_its_name)
{
	LAB l = lab_new();

	fake_add_foreign("web", "11111111-2222-4333-8444-555555555555");
	cr_assert_eq(lab_plan(&l, RUNNING("")), HN_EEXIST);
	cr_expect_not_null(strstr(hn_error_hint(l.err), "adopt"));
	cr_expect_not(fake_find("web")->ours);
}

Test(scope, an_api_unit_keeps_its_name)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	cr_assert_eq(hn_unit_define(l.session, "web", &definition, NULL), 0);
	cr_expect_eq(lab_plan(&l, RUNNING("")), HN_EEXIST);
}

Test(scope, options_that_contradict_each_other)
{
	LAB l = lab_new();
	hn_plan_options options = lab_options();

	options.on_remove = "burn";
	cr_expect_eq(lab_plan_with(&l, NULL, options), HN_EINVAL);
	options.on_remove = NULL;
	options.generation = 1;
	cr_expect_eq(lab_plan_with(&l, RUNNING(""), options), HN_EINVAL);
	cr_expect_eq(lab_plan_with(&l, NULL, options), HN_ENOENT, "there is no generation 1");
	options.generation = 0;
	options.owner = HN_OWNER_API;
	cr_expect_eq(lab_plan_with(&l, RUNNING(""), options), HN_EINVAL);
}

Test(scope, a_read_only_host_plans_without_the_machine)
{
	LAB l = lab_new();
	unsigned opens;

	lab_must_apply(&l, RUNNING(""));
	lab_close(&l);
	opens = fake.opens;
	l.read_only = true;
	cr_assert_eq(lab_open(&l), 0);
	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":7")), 0, "%s", lab_why(&l));
	must_step(&l, "web", HN_ACTION_CHANGE, "compute.units");
	cr_expect_eq(hn_plan_number(l.plan), 0);
	cr_expect_eq(fake.opens, opens);
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EDENIED);
}

Test(scope, somebody_else_owns_the_machine)
{
	LAB l = lab_new();
	hn_fact fact;

	fake.busy = true;
	cr_assert_eq(lab_plan(&l, RUNNING("")), HN_EBUSY);
	cr_assert_eq(hn_error_fact(l.err, 0, &fact), 0);
	cr_expect_eq(fact.number, 4711);
}

/* --- plans in the store --- */

Test(stored, can_be_found_by_another_process_and_applied)
{
	LAB l = lab_new();
	uint64_t number;
	hn_step step;

	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":7")), 0);
	number = hn_plan_number(l.plan);
	lab_reopen(&l);
	cr_assert_eq(hn_plan_find(l.session, number, &l.plan, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect(lab_step(&l, "web", HN_ACTION_CREATE, NULL, &step));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_str_eq(fake_live("web", "compute.units"), "7");
	cr_expect_str_eq(lab_desired(&l, "web", "compute.units"), "7");
}

Test(stored, tells_the_capacity_that_it_was_made_for)
{
	LAB l = lab_new();
	hn_plan_summary made = HN_PLAN_SUMMARY_INIT, found = HN_PLAN_SUMMARY_INIT;

	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":7")), 0);
	hn_plan_get_summary(l.plan, &made);
	lab_reopen(&l);
	cr_assert_eq(hn_plan_find(l.session, 1, &l.plan, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_plan_get_summary(l.plan, &found);
	cr_expect_gt(made.reserved, 0);
	cr_expect_eq(found.reserved, made.reserved);
	cr_expect_eq(found.capacity, made.capacity);
}

Test(stored, an_unknown_number_is_not_found)
{
	LAB l = lab_new();

	cr_expect_eq(hn_plan_find(l.session, 41, &l.plan, lab_err(&l)), HN_ENOENT);
}

Test(stored, one_that_no_longer_fits_is_busy)
{
	LAB l = lab_new();
	hn_plan *old = NULL;

	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":7")), 0);
	old = l.plan;
	l.plan = NULL;
	lab_must_apply(&l, RUNNING(",\"compute.units\":9"));
	hn_plan_unref(l.plan);
	l.plan = old;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EBUSY);
	cr_expect_str_eq(hn_error_hint(l.err), "make it again");
	cr_expect_str_eq(fake_live("web", "compute.units"), "9");
}

Test(stored, one_that_somebody_applied_already_has_nothing_to_do)
{
	LAB l = lab_new();
	hn_plan *old = NULL;
	unsigned writes;

	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":7")), 0);
	old = l.plan;
	l.plan = NULL;
	lab_must_apply(&l, RUNNING(",\"compute.units\":7"));
	writes = fake.writes;
	hn_plan_unref(l.plan);
	l.plan = old;
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_eq(fake.writes, writes);
}

Test(stored, old_plans_are_dropped)
{
	LAB l = lab_new();
	char json[256];

	for (int i = 1; i < 140; i++) {
		(void)snprintf(json, sizeof(json), RUNNING(",\"compute.units\":%d"), i);
		cr_assert_eq(lab_plan(&l, json), 0);
	}
	cr_expect_leq(lab_number(&l, "SELECT count(*) FROM plan"), 65);
	cr_expect_leq(lab_number(&l, "SELECT count(*) FROM generation"), 66);
}

Test(class, of_a_unit_that_is_off_there_is_no_condition)
{
	LAB l = lab_new();
	hn_step step = change(&l, STOPPED(""), STOPPED(",\"memory.size\":\"1Gi\""), "memory.size");

	cr_expect_eq(step.class_, HN_CLASS_HOT);
	cr_expect_eq(step.status, HN_STEP_PLANNED);
}
