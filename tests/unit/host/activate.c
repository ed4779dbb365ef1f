/* SPDX-License-Identifier: MIT
 *
 * What an activation stands on: dry hosts, plans for a boot, tags of run time
 * that are dropped, the check of a plan, the telling of steps, and the limit for all of them.
 */
#include "sim/lab.h"

#include <limits.h>

#define WEB(values)                                                                                \
	"{\"hypernix\":1,\"units\":{\"web\":{\"overrides\":{\"autostart\":true" values "}}}}"
#define TAGS                                                                                       \
	"\"tags\":{\"night\":{\"set\":{\"compute.units\":40}},\"day\":{\"set\":{\"memory.size\":"  \
	"\"1Gi\"}}}"
#define TAGGED                                                                                     \
	"{\"hypernix\":1," TAGS ",\"units\":{\"web\":{\"tags\":[\"day\"],\"overrides\":"           \
	"{\"autostart\":true}},\"db\":{\"overrides\":{\"autostart\":true}}}}"
#define PAIR(a, b)                                                                                 \
	"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true" a "}},"              \
	"\"b\":{\"overrides\":{\"autostart\":true" b "}}}}"

/* --- dry hosts --- */

/* Another process that only looks. */
static int open_dry(lab *l, hn_host **host, hn_session **session)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	int rc;

	options.state = "/state";
	options.os = l->os;
	options.calibration = "reference:64";
	options.dry = true;
	rc = hn_host_open(&options, host, lab_err(l));
	return rc < 0 ? rc
		      : hn_session_open_service(*host, "activation", NULL, session, lab_err(l));
}

/* The lab goes on as one that only looks; its machine is let go. */
static void go_dry(lab *l)
{
	(void)l->os->ops->mkdir(l->os, "/state/m", 0700);
	lab_close(l);
	cr_assert_eq(open_dry(l, &l->host, &l->session), 0, "%s", lab_why(l));
}

Test(dry, a_state_that_is_missing_counts_as_empty)
{
	hn_os_sim_options sim = HN_OS_SIM_OPTIONS_INIT;
	LAB l = {0};
	struct stat status;
	hn_step step;

	fake_reset();
	cr_assert_eq(hn_os_sim_new(&sim, &l.os, NULL), 0);
	cr_assert_eq(open_dry(&l, &l.host, &l.session), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_plan(&l, WEB("")), 0, "%s", lab_why(&l));
	cr_expect(lab_step(&l, "web", HN_ACTION_CREATE, NULL, &step));
	cr_expect(lab_step(&l, "web", HN_ACTION_START, NULL, &step));
	cr_expect_eq(hn_plan_number(l.plan), 0);
	cr_expect_eq(hn_plan_check(l.session, l.plan, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_lt(l.os->ops->stat(l.os, "/state", &status), 0);
	cr_expect_eq(fake.opens, 0);
}

Test(dry, says_what_an_apply_would_do)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, WEB(""));
	go_dry(&l);
	cr_assert_eq(lab_plan(&l, WEB(",\"compute.units\":200,\"memory.max\":\"2Gi\"")), 0, "%s",
		lab_why(&l));
	cr_assert(lab_step(&l, "web", HN_ACTION_CHANGE, "compute.units", &step));
	cr_expect_eq(step.class_, HN_CLASS_HOT);
	cr_assert(lab_step(&l, "web", HN_ACTION_CHANGE, "memory.max", &step));
	cr_expect_eq(step.status, HN_STEP_PENDING);
	cr_expect_eq(hn_plan_check(l.session, l.plan, lab_err(&l)), 1, "%s", lab_why(&l));
	cr_expect_eq(hn_plan_number(l.plan), 0);
}

Test(dry, stores_and_changes_nothing)
{
	LAB l = lab_new();
	unsigned writes;

	lab_must_apply(&l, WEB(""));
	writes = fake.writes;
	go_dry(&l);
	cr_assert_eq(lab_plan(&l, WEB(",\"compute.units\":200")), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EDENIED);
	cr_expect_eq(hn_unit_set(l.session, "web", "compute.units", "20", NULL), HN_EDENIED);
	lab_reopen(&l);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM plan"), 1);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM generation"), 1);
	cr_expect_eq(fake.writes, writes);
	cr_expect_eq(fake.sweeps, 1); /* by the host that was not dry */
}

Test(dry, looks_at_the_machine)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, WEB(""));
	fake_set("web", "compute.units", "7", "7");
	go_dry(&l);
	cr_assert_eq(lab_plan(&l, WEB("")), 0, "%s", lab_why(&l));
	cr_expect(lab_step(&l, "web", HN_ACTION_RESTORE, "compute.units", &step));
}

Test(dry, goes_by_the_record_when_another_holds_the_machine)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, WEB(""));
	go_dry(&l);
	fake.busy = true;
	cr_assert_eq(lab_plan(&l, WEB(",\"compute.units\":200")), 0, "%s", lab_why(&l));
	cr_expect(lab_step(&l, "web", HN_ACTION_CHANGE, "compute.units", &step));
	cr_expect_eq(hn_plan_check(l.session, l.plan, lab_err(&l)), 0, "%s", lab_why(&l));
	fake.busy = false;
}

Test(dry, leaves_what_a_killed_apply_was_doing)
{
	LAB l = lab_new();

	lab_must_apply(&l, WEB(""));
	fake.fault.die_at = fake.writes + 1;
	cr_expect_lt(lab_apply(&l, WEB(",\"compute.units\":200")), 0);
	fake.dead = false;
	fake.fault.die_at = 0;
	cr_assert_eq(
		state_exec(l.host->store, "UPDATE step SET status = 1 WHERE plan = 2", NULL), 0);
	go_dry(&l);
	cr_assert_eq(lab_plan(&l, WEB(",\"compute.units\":200")), 0, "%s", lab_why(&l));
	cr_expect_not(hn_plan_empty(l.plan));
	cr_expect_gt(lab_number(&l, "SELECT count(*) FROM step WHERE status = 1"), 0);
}

/* --- the check of a plan --- */

Test(check, finds_what_the_apply_would)
{
	LAB l = lab_new();
	uint64_t audit = lab_number(&l, "SELECT count(*) FROM audit");

	cr_assert_eq(lab_plan(&l, WEB("")), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_plan_check(l.session, l.plan, lab_err(&l)), 1, "%s", lab_why(&l));
	fake.no_check = true;
	cr_expect_eq(hn_plan_check(l.session, l.plan, lab_err(&l)), HN_EXML);
	cr_expect_not(hn_plan_begun(l.plan));
	cr_expect_eq(fake.writes, 0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), audit);
}

Test(check, takes_only_a_plan_made_here)
{
	LAB l = lab_new();
	hn_plan *found = NULL;

	cr_expect_eq(hn_plan_check(l.session, NULL, NULL), HN_EINVAL);
	cr_assert_eq(lab_plan(&l, WEB("")), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_plan_check(NULL, l.plan, NULL), HN_ESESSION);
	cr_assert_eq(hn_plan_find(l.session, hn_plan_number(l.plan), &found, lab_err(&l)), 0);
	cr_expect_eq(hn_plan_check(l.session, found, NULL), HN_EINVAL);
	hn_plan_unref(found);
}

/* --- boot --- */

/* The host was switched off: domains are defined, nothing runs, and nobody stopped it. */
static void switch_off(void)
{
	for (size_t i = 0; i < FAKE_DOMAINS; i++)
		if (fake.domains[i].there)
			fake.domains[i].status = HN_UNIT_STOPPED;
}

static int plan_boot(lab *l)
{
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;

	options.boot = true;
	return lab_plan_with(l, NULL, options);
}

static int boot(lab *l)
{
	int rc = plan_boot(l);

	return rc < 0 ? rc : lab_apply_plan(l, HN_ON_ERROR_CONTINUE);
}

Test(boot, starts_what_is_to_run)
{
	LAB l = lab_new();

	lab_must_apply(&l, "{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true}},"
			   "\"b\":{\"overrides\":{\"autostart\":false}}}}");
	lab_close(&l);
	switch_off();
	cr_assert_eq(lab_open(&l), 0);
	cr_assert_eq(boot(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("a")->status, HN_UNIT_RUNNING);
	cr_expect_eq(fake_find("b")->status, HN_UNIT_STOPPED);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM generation"), 1);
	cr_assert_eq(plan_boot(&l), 0);
	cr_expect(hn_plan_empty(l.plan));
}

Test(boot, leaves_what_was_stopped)
{
	LAB l = lab_new();

	lab_must_apply(&l, PAIR("", ""));
	cr_assert_eq(hn_unit_stop(l.session, "a", NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	switch_off();
	cr_assert_eq(boot(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("a")->status, HN_UNIT_STOPPED);
	cr_expect_eq(fake_find("b")->status, HN_UNIT_RUNNING);
}

Test(boot, leaves_what_is_no_longer_declared)
{
	LAB l = lab_new();

	lab_must_apply(&l, PAIR("", ""));
	lab_must_apply(
		&l, "{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true}}}}");
	switch_off();
	cr_assert_eq(boot(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("a")->status, HN_UNIT_RUNNING);
	cr_expect_eq(fake_find("b")->status, HN_UNIT_STOPPED);
}

Test(boot, leaves_what_is_inconsistent)
{
	LAB l = lab_new();

	lab_must_apply(&l, WEB(""));
	cr_assert_eq(state_exec(l.host->store, "UPDATE unit SET inconsistent = 1", NULL), 0);
	switch_off();
	cr_assert_eq(plan_boot(&l), 0, "%s", lab_why(&l));
	cr_expect(hn_plan_empty(l.plan));
}

Test(boot, follows_the_order_of_starts)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, PAIR(",\"start.order\":900", ",\"start.order\":100"));
	switch_off();
	cr_assert_eq(plan_boot(&l), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_plan_step_at(l.plan, 0, &step), 0);
	cr_expect_str_eq(step.unit, "b");
}

Test(boot, takes_what_waited_for_a_restart)
{
	LAB l = lab_new();

	lab_must_apply(&l, WEB(""));
	lab_must_apply(&l, WEB(",\"memory.max\":\"2Gi\""));
	cr_expect_str_eq(lab_applied(&l, "web", "memory.max"), "size");
	switch_off();
	cr_assert_eq(boot(&l), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_applied(&l, "web", "memory.max"), "2Gi");
}

Test(boot, falls_back_to_what_the_guest_had)
{
	LAB l = lab_new();

	lab_must_apply(&l, WEB(""));
	lab_must_apply(&l, WEB(",\"memory.max\":\"2Gi\""));
	switch_off();
	cr_assert_eq(plan_boot(&l), 0, "%s", lab_why(&l));
	fake.fault.fail_at = fake.writes + 1;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	cr_expect_str_eq(lab_applied(&l, "web", "memory.max"), "size");
	cr_expect_str_eq(lab_desired(&l, "web", "memory.max"), "2Gi");
	cr_expect_str_eq(fake_live("web", "memory.max"), "512Mi");
}

Test(boot, a_guest_that_cannot_start_stops_no_other)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, PAIR("", ""));
	switch_off();
	cr_assert_eq(plan_boot(&l), 0, "%s", lab_why(&l));
	fake.fault.fail_at = fake.writes + 1;
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), HN_EDRIVER);
	cr_expect_eq(fake_find("b")->status, HN_UNIT_RUNNING);
	cr_assert(lab_step(&l, "a", HN_ACTION_START, NULL, &step));
	cr_expect_eq(step.status, HN_STEP_FAILED);
	cr_expect_eq(step.code, HN_EDRIVER);
}

/* Fewer threads than were there when it was declared: not the day to refuse everything. */
Test(boot, does_not_ask_for_capacity)
{
	LAB l = lab_new();
	hn_host_options options = HN_HOST_OPTIONS_INIT;

	lab_must_apply(&l, WEB(",\"compute.units\":6000"));
	lab_close(&l);
	switch_off();
	options.state = "/state";
	options.os = l.os;
	options.calibration = "reference:1";
	cr_assert_eq(hn_host_open(&options, &l.host, NULL), 0);
	cr_assert_eq(hn_session_open_service(l.host, "activation", NULL, &l.session, NULL), 0);
	cr_assert_eq(boot(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	cr_expect_eq(lab_plan(&l, WEB(",\"compute.units\":6001")), HN_ECAPACITY);
}

Test(boot, is_a_plan_of_its_own)
{
	LAB l = lab_new();
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;

	options.boot = true;
	cr_expect_eq(lab_plan_with(&l, WEB(""), options), HN_EINVAL);
	options.generation = 1;
	cr_expect_eq(lab_plan_with(&l, NULL, options), HN_EINVAL);
	options.generation = 0;
	options.drop_tags = true;
	cr_expect_eq(lab_plan_with(&l, NULL, options), HN_EINVAL);
}

Test(boot, a_stored_one_is_found_again)
{
	LAB l = lab_new();
	hn_plan *found = NULL;

	lab_must_apply(&l, WEB(""));
	switch_off();
	cr_assert_eq(plan_boot(&l), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_plan_find(l.session, hn_plan_number(l.plan), &found, lab_err(&l)), 0);
	cr_expect_eq(hn_plan_apply(l.session, found, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	hn_plan_unref(found);
}

/* --- tags of run time --- */

static int plan_untagged(lab *l, const char *json)
{
	hn_plan_options options = lab_options();

	options.drop_tags = true;
	return lab_plan_with(l, json, options);
}

static void retag(lab *l, const char *unit, const char *add, const char *without)
{
	cr_assert_eq(hn_unit_tag(l->session, unit, &add, add != NULL, &without, without != NULL,
			     lab_err(l)),
		0, "%s", lab_why(l));
}

Test(untag, tags_stay_when_nobody_asks)
{
	LAB l = lab_new();

	lab_must_apply(&l, TAGGED);
	retag(&l, "web", "night", NULL);
	lab_must_apply(&l, TAGGED);
	cr_expect_str_eq(lab_applied(&l, "web", "compute.units"), "40");
}

Test(untag, a_tag_that_was_put_goes)
{
	LAB l = lab_new();
	hn_step step;
	int events;

	lab_must_apply(&l, TAGGED);
	retag(&l, "web", "night", NULL);
	lab_must_apply(&l, TAGGED);
	events = lab_events(&l, "org.hypernix.unit.tags.changed.v1");
	cr_assert_eq(plan_untagged(&l, TAGGED), 0, "%s", lab_why(&l));
	cr_assert(lab_step(&l, "web", HN_ACTION_UNTAG, NULL, &step));
	cr_expect_str_eq(step.old_text, "night");
	cr_expect_null(step.new_text);
	cr_assert(lab_step(&l, "web", HN_ACTION_CHANGE, "compute.units", &step));
	cr_expect_str_eq(step.new_text, "100");
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0, "%s", lab_why(&l));
	cr_assert(lab_step(&l, "web", HN_ACTION_UNTAG, NULL, &step));
	cr_expect_eq(step.status, HN_STEP_DONE);
	cr_expect_str_eq(lab_applied(&l, "web", "compute.units"), "100");
	cr_expect_str_eq(fake_live("web", "compute.units"), "100");
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit_tag"), 0);
	cr_expect_eq(lab_events(&l, "org.hypernix.unit.tags.changed.v1"), events + 1);
	cr_assert_eq(plan_untagged(&l, TAGGED), 0, "%s", lab_why(&l));
	cr_expect(hn_plan_empty(l.plan));
}

Test(untag, a_declared_tag_that_was_taken_away_comes_back)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, TAGGED);
	retag(&l, "web", NULL, "day");
	lab_must_apply(&l, TAGGED);
	cr_assert_eq(plan_untagged(&l, TAGGED), 0, "%s", lab_why(&l));
	cr_assert(lab_step(&l, "web", HN_ACTION_UNTAG, NULL, &step));
	cr_expect_null(step.old_text);
	cr_expect_str_eq(step.new_text, "day");
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0, "%s", lab_why(&l));
	cr_expect_str_eq(lab_desired(&l, "web", "memory.size"), "1Gi");
}

/* Also where no value changes: the plan is not empty. */
Test(untag, a_tag_without_effect_goes_too)
{
	LAB l = lab_new();

	lab_must_apply(&l, TAGGED);
	retag(&l, "db", "night", NULL);
	retag(&l, "db", "day", NULL);
	retag(&l, "db", NULL, "night");
	cr_assert_eq(plan_untagged(&l, TAGGED), 0, "%s", lab_why(&l));
	cr_expect_not(hn_plan_empty(l.plan));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit_tag"), 0);
}

Test(untag, units_made_by_hand_keep_theirs)
{
	LAB l = lab_new();
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	const char *tag = "night";

	lab_must_apply(&l, TAGGED);
	definition.tags = &tag;
	definition.tag_count = 1;
	cr_assert_eq(
		hn_unit_define(l.session, "hand", &definition, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(plan_untagged(&l, TAGGED), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit_tag"), 1);
	cr_expect_str_eq(lab_desired(&l, "hand", "compute.units"), "40");
}

Test(untag, another_unit_keeps_its_own)
{
	LAB l = lab_new();
	hn_plan_options options = lab_options();

	lab_must_apply(&l, TAGGED);
	retag(&l, "web", "night", NULL);
	retag(&l, "db", "night", NULL);
	options.drop_tags = true;
	options.unit = "web";
	cr_assert_eq(lab_plan_with(&l, NULL, options), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit_tag"), 1);
	cr_expect_str_eq(lab_desired(&l, "db", "compute.units"), "40");
	cr_expect_str_eq(lab_desired(&l, "web", "compute.units"), "100");
}

Test(untag, an_undone_plan_puts_them_back)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(&l, TAGGED);
	retag(&l, "web", "night", NULL);
	lab_must_apply(&l, TAGGED);
	cr_assert_eq(plan_untagged(&l, TAGGED), 0, "%s", lab_why(&l));
	fake.fault.fail_at = fake.writes + 1;
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_UNDO), HN_EUNDO);
	cr_assert(lab_step(&l, "web", HN_ACTION_UNTAG, NULL, &step));
	cr_expect_eq(step.status, HN_STEP_UNDONE);
	cr_expect_eq(
		lab_number(&l, "SELECT count(*) FROM unit_tag WHERE tag = 'night' AND added = 1"),
		1);
	cr_expect_str_eq(lab_desired(&l, "web", "compute.units"), "40");
	lab_must_apply(&l, TAGGED);
	cr_expect_str_eq(lab_applied(&l, "web", "compute.units"), "40");
}

/* A unit that was declared and never made leaves no record, and so nothing to put tags back to. */
Test(untag, an_undone_plan_knows_that_a_unit_was_forgotten)
{
	LAB l = lab_new();

	cr_assert_eq(lab_plan(&l, TAGGED), 0, "%s", lab_why(&l));
	fake.fault.fail_from = 1;
	fake.fault.fail_to = UINT_MAX;
	cr_assert_lt(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0);
	memset(&fake.fault, 0, sizeof(fake.fault));
	retag(&l, "web", "night", NULL);
	cr_assert_eq(plan_untagged(&l, "{\"hypernix\":1,\"units\":{\"other\":{}}}"), 0, "%s",
		lab_why(&l));
	fake.fault.fail_at = fake.writes + 1;
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_UNDO), HN_EUNDO, "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit WHERE name IN ('web', 'other')"), 0);
}

Test(untag, a_service_does_it_on_record)
{
	LAB l = lab_new();
	uint64_t audit;

	lab_must_apply(&l, TAGGED);
	retag(&l, "db", "night", NULL);
	retag(&l, "db", NULL, "night");
	retag(&l, "db", "day", NULL);
	lab_must_apply(&l, TAGGED);
	lab_as_service(&l, "test");
	cr_assert_eq(plan_untagged(&l, TAGGED), 0, "%s", lab_why(&l));
	audit = lab_number(&l,
		"SELECT count(*) FROM audit WHERE instr(rec, CAST('tag/default/day' AS BLOB)) > 0");
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0, "%s", lab_why(&l));
	cr_expect_gt(
		lab_number(&l,
			"SELECT count(*) FROM audit WHERE instr(rec, CAST('tag/default/day' AS BLOB)) > 0"),
		audit);
}

/* --- telling, and the limit for all steps --- */

typedef struct told {
	lab *l;
	int done, failed, undone, pending, planned, problems;
	int64_t each; /* ns that pass with each step */
	char last[64];
} told;

static void tell(void *arg, const hn_step *step)
{
	told *seen = arg;

	seen->done += step->status == HN_STEP_DONE;
	seen->failed += step->status == HN_STEP_FAILED;
	seen->undone += step->status == HN_STEP_UNDONE;
	seen->pending += step->status == HN_STEP_PENDING;
	seen->planned += step->status == HN_STEP_PLANNED;
	seen->problems += step->problem != NULL;
	(void)snprintf(seen->last, sizeof(seen->last), "%s", step->unit);
	if (seen->each > 0)
		hn_os_sim_advance(seen->l->os, seen->each);
}

static int apply_told(lab *l, const char *json, hn_on_error on_error, int64_t limit, told *seen)
{
	hn_apply_options options = HN_APPLY_OPTIONS_INIT;
	int rc = lab_plan(l, json);

	seen->l = l;
	options.on_error = on_error;
	options.limit = limit;
	options.step = tell;
	options.step_arg = seen;
	return rc < 0 ? rc : hn_plan_apply(l->session, l->plan, &options, lab_err(l));
}

Test(telling, each_step_once_when_it_ends)
{
	LAB l = lab_new();
	told seen = {0};

	cr_assert_eq(
		apply_told(&l, PAIR("", ""), HN_ON_ERROR_CONTINUE, 0, &seen), 0, "%s", lab_why(&l));
	cr_expect_eq(seen.done, 4);
	cr_expect_eq(seen.problems + seen.failed + seen.pending + seen.planned, 0);
	cr_expect(hn_plan_begun(l.plan));
}

Test(telling, what_waits_also_when_nothing_is_done)
{
	LAB l = lab_new();
	told first = {0}, second = {0};

	lab_must_apply(&l, WEB(""));
	cr_assert_eq(
		apply_told(&l, WEB(",\"memory.max\":\"2Gi\""), HN_ON_ERROR_CONTINUE, 0, &first), 0);
	cr_expect_eq(first.pending, 1);
	cr_assert_eq(
		apply_told(&l, WEB(",\"memory.max\":\"2Gi\""), HN_ON_ERROR_CONTINUE, 0, &second),
		0);
	cr_expect(hn_plan_empty(l.plan));
	cr_expect_eq(second.pending, 1);
	cr_expect_eq(second.done, 0);
}

Test(telling, why_a_step_failed)
{
	LAB l = lab_new();
	told seen = {0};
	hn_step step;

	cr_assert_eq(lab_plan(&l, PAIR("", "")), 0);
	fake.fault.fail_at = fake.writes + 1;
	cr_expect_eq(apply_told(&l, PAIR("", ""), HN_ON_ERROR_CONTINUE, 0, &seen), HN_EDRIVER);
	cr_assert(lab_step(&l, "a", HN_ACTION_CREATE, NULL, &step));
	cr_expect_eq(step.status, HN_STEP_FAILED);
	cr_expect_eq(step.code, HN_EDRIVER);
	cr_assert_not_null(step.problem);
	cr_expect_not_null(strstr(step.problem, "write 1 fails"), "%s", step.problem);
	cr_expect_eq(seen.failed, 1);
	cr_expect_eq(seen.problems, 1);
	cr_expect_eq(seen.planned, 1); /* its start */
	cr_expect_eq(seen.done, 2);    /* the other unit */
	cr_assert(lab_step(&l, "b", HN_ACTION_CREATE, NULL, &step));
	cr_expect_null(step.problem);
	cr_expect_eq(step.code, 0);
}

Test(telling, what_is_undone)
{
	LAB l = lab_new();
	told seen = {0};

	lab_must_apply(&l, PAIR("", ""));
	cr_assert_eq(lab_plan(&l, NULL), 0);
	fake.fault.fail_at = fake.writes + 2;
	cr_expect_eq(apply_told(&l, PAIR(",\"compute.units\":200", ",\"compute.units\":200"),
			     HN_ON_ERROR_UNDO, 0, &seen),
		HN_EUNDO);
	cr_expect_eq(seen.done, 1);
	cr_expect_eq(seen.failed, 1);
	cr_expect_eq(seen.undone, 1);
}

Test(limit, all_is_taken_back_when_the_time_is_over)
{
	LAB l = lab_new();
	told seen = {.each = 40 * OS_SECOND};

	lab_must_apply(&l, PAIR("", ""));
	cr_expect_eq(apply_told(&l,
			     PAIR(",\"compute.units\":200,\"compute.limit\":300",
				     ",\"compute.units\":200,\"compute.limit\":300"),
			     HN_ON_ERROR_CONTINUE, 60 * OS_SECOND, &seen),
		HN_EUNDO);
	cr_expect_not_null(hn_error_cause(l.err));
	cr_expect_eq(hn_error_code(hn_error_cause(l.err)), HN_ETIMEOUT);
	cr_expect_eq(seen.done, 2);
	cr_expect_eq(seen.undone, 2);
	cr_expect_str_eq(fake_live("a", "compute.units"), "100");
	cr_expect_str_eq(fake_live("b", "compute.units"), "100");
	cr_expect_str_eq(lab_desired(&l, "a", "compute.units"), "100");
	cr_expect_eq(lab_number(&l, "SELECT generation FROM host"), 1);
	cr_expect(hn_plan_begun(l.plan));
}

Test(limit, that_is_long_enough_changes_nothing)
{
	LAB l = lab_new();
	told seen = {.each = OS_SECOND};

	cr_expect_eq(apply_told(&l, PAIR("", ""), HN_ON_ERROR_CONTINUE, 60 * OS_SECOND, &seen), 0,
		"%s", lab_why(&l));
	cr_expect_eq(seen.done, 4);
}

Test(limit, over_with_the_last_step_is_in_time)
{
	LAB l = lab_new();
	told seen = {.each = 70 * OS_SECOND};

	lab_must_apply(&l, WEB(""));
	cr_expect_eq(apply_told(&l, WEB(",\"compute.units\":200"), HN_ON_ERROR_CONTINUE,
			     60 * OS_SECOND, &seen),
		0, "%s", lab_why(&l));
	cr_expect_eq(seen.done, 1);
}

Test(begun, not_by_what_was_refused)
{
	LAB l = lab_new();

	cr_assert_eq(lab_plan(&l, WEB("")), 0);
	cr_expect_not(hn_plan_begun(l.plan));
	fake.no_check = true;
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), HN_EXML);
	cr_expect_not(hn_plan_begun(l.plan));
	cr_expect_eq(lab_number(&l, "SELECT generation FROM host"), 0);
}
