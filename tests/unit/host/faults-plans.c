/* SPDX-License-Identifier: MIT
 *
 * Applies of every kind with the disk, the memory or the hypervisor failing under them at every
 * place: whatever failed, and whether it was then undone or not, the next apply gets there.
 */
#include "faults.h"

static const char before[] =
	"{\"hypernix\":1,\"tags\":{\"night\":{\"set\":{\"compute.units\":40}}},\"units\":{"
	"\"a\":{\"overrides\":{\"autostart\":true}},"
	"\"b\":{\"overrides\":{\"autostart\":true,\"update.restart\":\"now\"}},"
	"\"gone\":{\"overrides\":{\"autostart\":true}}}}";
/* Of one change of each class: hot, at a restart that is made, at one that is waited for; one unit
 * comes and one goes. */
static const char after_all[] =
	"{\"hypernix\":1,\"tags\":{\"night\":{\"set\":{\"compute.units\":40}}},\"units\":{"
	"\"a\":{\"overrides\":{\"autostart\":true,\"compute.units\":7,\"cpu.model\":\"qemu64\"}},"
	"\"b\":{\"overrides\":{\"autostart\":true,\"update.restart\":\"now\",\"cpu.model\":\"qemu64\"}},"
	"\"new\":{\"overrides\":{\"autostart\":true}}}}";

/* Units that could not be taken back wait for a repair. */
static void mend(lab *l)
{
	BASE_AUTO_OF(hn_units) hn_units *units = NULL;

	cr_assert_eq(
		hn_units_list(l->session, NULL, false, &units, lab_err(l)), 0, "%s", lab_why(l));
	for (size_t i = 0; i < hn_units_count(units); i++)
		if (hn_unit_inconsistent(hn_units_at(units, i)))
			cr_assert_eq(hn_unit_repair(l->session, hn_unit_name(hn_units_at(units, i)),
					     lab_err(l)),
				0, "%s", lab_why(l));
}

static void go_back(lab *l)
{
	fake.dead = false;
	mend(l);
	lab_must_apply(l, before);
	lab_must_apply(l, NULL);
}

static bool is_empty_plan(lab *l, const char *json)
{
	return lab_plan(l, json) == 0 && hn_plan_empty(l->plan);
}

static bool shows(const char *unit, const char *key, const char *value)
{
	const char *live = fake_live(unit, key);

	return live && strcmp(live, value) == 0;
}

static bool is_there(lab *l)
{
	const fake_domain *made = fake_find("new"), *left = fake_find("gone");

	return shows("a", "compute.units", "7") && shows("b", "cpu.model", "qemu64") && made &&
	       made->status == HN_UNIT_RUNNING && (!left || left->status == HN_UNIT_STOPPED) &&
	       is_empty_plan(l, after_all);
}

static int apply_with(lab *l, const char *on_remove, hn_on_error on_error)
{
	hn_plan_options options = lab_options();
	int rc;

	options.on_remove = on_remove;
	rc = lab_plan_with(l, after_all, options);
	return rc < 0 ? rc : lab_apply_plan(l, on_error);
}

static int apply_stop(lab *l, const char *unit)
{
	(void)unit;
	return apply_with(l, "stop", HN_ON_ERROR_STOP);
}

static int apply_undo(lab *l, const char *unit)
{
	(void)unit;
	return apply_with(l, "stop", HN_ON_ERROR_UNDO);
}

static int apply_destroy(lab *l, const char *unit)
{
	(void)unit;
	return apply_with(l, "destroy", HN_ON_ERROR_UNDO);
}

static int apply_continue(lab *l, const char *unit)
{
	(void)unit;
	return apply_with(l, "destroy", HN_ON_ERROR_CONTINUE);
}

/* Planned by one process, applied by another. */
static int apply_stored(lab *l, const char *unit)
{
	uint64_t number;
	int rc = lab_plan(l, after_all);

	(void)unit;
	if (rc < 0)
		return rc;
	number = hn_plan_number(l->plan);
	if (number == 0) /* there is nothing to do any more */
		return 0;
	l->plan = hn_plan_unref(l->plan);
	rc = hn_plan_find(l->session, number, &l->plan, lab_err(l));
	return rc < 0 ? rc : lab_apply_plan(l, HN_ON_ERROR_UNDO);
}

static int roll_back(lab *l, const char *unit)
{
	hn_plan_options options = lab_options();
	int rc;

	(void)unit;
	options.generation = 1;
	rc = lab_plan_with(l, NULL, options);
	return rc < 0 ? rc : lab_apply_plan(l, HN_ON_ERROR_UNDO);
}

static void go_on(lab *l)
{
	lab_must_apply(l, after_all);
}

static bool is_back(lab *l)
{
	return shows("a", "compute.units", "100") && fake_find("gone") &&
	       fake_find("gone")->status == HN_UNIT_RUNNING && is_empty_plan(l, before);
}

static void tag_a(lab *l)
{
	const char *tag = "night";

	lab_must_apply(l, before);
	cr_assert_eq(
		hn_unit_tag(l->session, "a", &tag, 1, NULL, 0, lab_err(l)), 0, "%s", lab_why(l));
	lab_must_apply(l, NULL);
	cr_assert(shows("a", "compute.units", "40"));
}

static int drop_tags(lab *l, const char *unit)
{
	hn_plan_options options = lab_options();
	int rc;

	(void)unit;
	options.drop_tags = true;
	rc = lab_plan_with(l, before, options);
	return rc < 0 ? rc : lab_apply_plan(l, HN_ON_ERROR_UNDO);
}

/* One unit wants what its next start will bring; the machine was off. */
static void power_off(lab *l)
{
	go_back(l);
	for (size_t i = 0; i < FAKE_DOMAINS; i++)
		fake.domains[i].status = HN_UNIT_STOPPED;
}

static int boot(lab *l, const char *unit)
{
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;
	int rc;

	(void)unit;
	options.boot = true;
	rc = lab_plan_with(l, NULL, options);
	return rc < 0 ? rc : lab_apply_plan(l, HN_ON_ERROR_CONTINUE);
}

static bool all_run(lab *l)
{
	(void)l;
	return fake_find("a")->status == HN_UNIT_RUNNING &&
	       fake_find("b")->status == HN_UNIT_RUNNING &&
	       fake_find("gone")->status == HN_UNIT_RUNNING;
}

static void drift(lab *l)
{
	lab_must_apply(l, before);
	fake_set("a", "compute.units", "777", "777");
	fake_find("b")->there = false;
}

static int restore(lab *l, const char *unit)
{
	int rc = lab_plan(l, NULL);

	(void)unit;
	return rc < 0 ? rc : lab_apply_plan(l, HN_ON_ERROR_UNDO);
}

static bool is_restored(lab *l)
{
	return shows("a", "compute.units", "100") && fake_find("b") &&
	       fake_find("b")->status == HN_UNIT_RUNNING && is_empty_plan(l, NULL);
}

static void stop_io(void *arg)
{
	hn_os_sim_fail(arg, 1, true, EIO);
}

/* A process that died in the middle of an apply, after what it did. */
static void die_half_way(lab *l)
{
	go_back(l);
	cr_assert_eq(lab_plan(l, after_all), 0, "%s", lab_why(l));
	fake.died = stop_io;
	fake.arg = l->os;
	fake.fault.die_at = fake.writes + 3;
	fake.fault.die_after = true;
	cr_assert_lt(lab_apply_plan(l, HN_ON_ERROR_STOP), 0);
	fake.died = NULL;
	fake.dead = false;
	fake.fault = (fake_fault){0};
	hn_os_sim_fail(l->os, 0, false, 0);
	lab_reopen(l);
}

static const fault_call calls[] = {
	{"apply", go_back, apply_stop, is_there, NULL, false, true, mend},
	{"apply or undo", go_back, apply_undo, is_there, NULL, false, true, mend},
	{"apply and destroy", go_back, apply_destroy, is_there, NULL, false, true, mend},
	{"apply what can be", go_back, apply_continue, is_there, NULL, false, true, mend},
	{"apply a stored plan", go_back, apply_stored, is_there, NULL, false, true, mend},
	{"roll back", go_on, roll_back, is_back, NULL, false, true, mend},
	{"drop tags", tag_a, drop_tags, is_back, NULL, false, true, mend},
	{"restore", drift, restore, is_restored, NULL, false, true, mend},
	{"boot", power_off, boot, all_run, NULL, false, true, mend},
	{"recover", die_half_way, apply_stop, is_there, NULL, false, true, mend},
};

Test(hypervisor, that_fails_in_an_apply_is_got_over, .timeout = 1200)
{
	fault_survive(FAULT_HYPERVISOR, before, calls, 0, BASE_COUNT(calls));
}

Test(disk, that_fails_in_an_apply_is_got_over, .timeout = 1200)
{
	fault_survive(FAULT_DISK, before, calls, 0, 5);
}

Test(disk, that_fails_in_another_apply_is_got_over, .timeout = 1200)
{
	fault_survive(FAULT_DISK, before, calls, 5, BASE_COUNT(calls));
}

Test(memory, that_ends_in_an_apply_is_got_over, .timeout = 1200)
{
	fault_survive_memory(before, calls, 0, 5);
}

Test(memory, that_ends_in_another_apply_is_got_over, .timeout = 1200)
{
	fault_survive_memory(before, calls, 5, BASE_COUNT(calls));
}
