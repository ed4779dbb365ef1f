/* SPDX-License-Identifier: MIT
 *
 * What happens to a host in the middle of things: kills between effect and record, cancels,
 * refusals that come late, times that end, and what others declared meanwhile.
 */
#include "sim/lab.h"

#include <errno.h>

#define HOUR INT64_C(3600000000000)
#define UNIT(values) "{\"hypernix\":1,\"units\":{\"web\":{\"overrides\":{" values "}}}}"
#define RUNNING(values) UNIT("\"autostart\":true" values)
#define NOTHING "{\"hypernix\":1}"
#define TWO(a, b)                                                                                  \
	"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true" a "}},"              \
	"\"b\":{\"overrides\":{\"autostart\":true" b "}}}}"

static int apply_with(lab *l, const char *json, const char *on_remove, hn_on_error on_error)
{
	hn_plan_options options = lab_options();
	int rc;

	options.on_remove = on_remove;
	rc = lab_plan_with(l, json, options);
	return rc < 0 ? rc : lab_apply_plan(l, on_error);
}

/* --- killed --- */

static void stop_io(void *arg)
{
	hn_os_sim_fail(arg, 1, true, EIO);
}

static void die_at(lab *l, unsigned nth, bool after)
{
	fake.died = stop_io;
	fake.arg = l->os;
	fake.fault.die_at = fake.writes + nth;
	fake.fault.die_after = after;
}

static void rise_again(lab *l)
{
	lab_close(l);
	hn_os_sim_fail(l->os, 0, false, 0);
	cr_assert_eq(hn_os_sim_crash_now(l->os, HN_OS_SIM_CRASH_KEEP, 1, NULL), 0);
	fake.dead = false;
	fake.fault = (fake_fault){0};
	cr_assert_eq(lab_open(l), 0, "%s", lab_why(l));
}

Test(killed, a_stop_is_not_forgotten)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(",\"restart.policy\":\"always\""));
	die_at(&l, 1, true);
	cr_expect_lt(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0);
	rise_again(&l);
	lab_must_apply(&l, NULL);
	cr_expect_eq(fake_find("web")->status, HN_UNIT_STOPPED, "somebody wanted it down");
}

Test(killed, a_restart_comes_up_again)
{
	for (unsigned i = 0; i < 4; i++) {
		LAB l = lab_new();

		lab_must_apply(&l, RUNNING(""));
		die_at(&l, 1 + i / 2, i % 2 != 0);
		cr_expect_lt(hn_unit_restart(l.session, "web", NULL, lab_err(&l)), 0);
		rise_again(&l);
		lab_must_apply(&l, NULL);
		cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING, "case %u", i);
	}
}

Test(killed, a_stop_that_fails_keeps_the_wish)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;

	lab_must_apply(&l, RUNNING(""));
	fake.fault.fail_at = fake.writes + 1;
	cr_expect_lt(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0);
	cr_assert_eq(host_unit_load(l.host, "web", &unit, NULL), 0);
	cr_expect_eq(unit->wanted, HOST_WANTED_RUNNING);
	hn_unit_unref(unit);
}

/* --- cancelled --- */

typedef struct cancelling {
	hn_cancel *cancel;
	uint64_t after;
} cancelling;

static void cancel_after(
	void *arg, uint64_t done, uint64_t total, const char *unit, const char *phase)
{
	cancelling *c = arg;

	(void)total;
	(void)unit;
	(void)phase;
	if (done >= c->after)
		hn_cancel_trigger(c->cancel);
}

static int apply_cancelled(lab *l, const char *json, hn_on_error on_error)
{
	hn_apply_options options = HN_APPLY_OPTIONS_INIT;
	cancelling c = {.after = 1};
	int rc;

	cr_assert_eq(lab_plan(l, json), 0, "%s", lab_why(l));
	cr_assert_eq(hn_cancel_new(&c.cancel, NULL), 0);
	options.on_error = on_error;
	options.cancel = c.cancel;
	options.progress = cancel_after;
	options.progress_arg = &c;
	rc = hn_plan_apply(l->session, l->plan, &options, lab_err(l));
	hn_cancel_unref(c.cancel);
	return rc;
}

Test(cancelled, a_plan_that_is_to_be_undone_is_undone)
{
	LAB l = lab_new();
	uint64_t before;

	lab_must_apply(&l, TWO("", ""));
	before = lab_number(&l, "SELECT generation FROM host");
	cr_expect_eq(apply_cancelled(&l, TWO(",\"compute.units\":50", ",\"compute.units\":60"),
			     HN_ON_ERROR_UNDO),
		HN_EUNDO);
	cr_expect_str_eq(fake_live("a", "compute.units"), "100");
	cr_expect_str_eq(lab_applied(&l, "a", "compute.units"), "100");
	cr_expect_eq(lab_number(&l, "SELECT generation FROM host"), before);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit WHERE inconsistent = 1"), 0);
}

Test(cancelled, a_unit_in_the_middle_gives_its_live_changes_back)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_expect_eq(apply_cancelled(&l, RUNNING(",\"compute.units\":200,\"compute.limit\":300"),
			     HN_ON_ERROR_STOP),
		HN_ECANCELLED);
	cr_expect_str_eq(fake_live("web", "compute.units"), "100");
	cr_expect_str_eq(fake_live("web", "compute.limit"), "none");
	lab_must_apply(&l, NULL);
	cr_expect_str_eq(fake_live("web", "compute.units"), "200");
}

/* --- refused --- */

Test(refused, what_may_not_be_done_in_the_end_is_not_begun)
{
	LAB l = lab_new();
	uint64_t before, records;
	unsigned writes;

	lab_must_apply(&l, TWO("", ""));
	l.reason = NULL;
	lab_reopen(&l);
	writes = fake.writes;
	before = lab_number(&l, "SELECT generation FROM host");
	records = lab_number(&l, "SELECT count(*) FROM audit");
	cr_expect_eq(apply_with(&l, UNIT(""), "destroy", HN_ON_ERROR_UNDO), HN_EREASON);
	cr_expect_eq(fake.writes, writes);
	cr_expect_eq(lab_number(&l, "SELECT generation FROM host"), before);
	cr_expect_gt(lab_number(&l, "SELECT count(*) FROM audit"), records, "it is on record");
}

Test(refused, a_denied_force_is_on_record)
{
	LAB l = lab_new();
	uint64_t records;

	lab_must_apply(&l, RUNNING(""));
	l.reason = NULL;
	lab_reopen(&l);
	records = lab_number(&l, "SELECT count(*) FROM audit");
	cr_expect_eq(hn_unit_force(l.session, "web", "compute.units", "50", HOUR, lab_err(&l)),
		HN_EREASON);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit"), records + 1);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM definition WHERE layer = 1"), 0);
	cr_expect_eq(hn_state_verify(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(refused, a_disk_that_may_not_go_keeps_the_unit)
{
	static const char *const keys[] = {
		"disks.a.source", "disks.a.size", "disks.d.source", "disks.d.size"};
	static const char *const values[] = {"/state/disks/a", "1Gi", "/elsewhere/d", "1Gi"};
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	LAB l = lab_new();
	unsigned writes;

	definition.keys = keys;
	definition.values = values;
	definition.value_count = BASE_COUNT(keys);
	cr_assert_eq(hn_unit_define(l.session, "api", &definition, lab_err(&l)), 0);
	lab_must_apply(&l, NULL);
	cr_assert_eq(os_mkdirs(l.os, "/state/disks", 0700, NULL), 0);
	cr_assert_eq(os_write_file(l.os, "/state/disks/a", "x", 1, 0600, NULL), 0);
	writes = fake.writes;
	cr_expect_eq(hn_unit_remove(l.session, "api", HN_DISKS_DELETE, lab_err(&l)), HN_EDENIED);
	cr_expect_eq(fake.writes, writes);
	cr_expect(os_exists(l.os, "/state/disks/a"));
	cr_expect_not_null(fake_find("api"));
}

/* --- coming and going --- */

Test(returns, a_unit_that_is_declared_again_starts_again)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(apply_with(&l, NOTHING, NULL, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_assert_eq(fake_find("web")->status, HN_UNIT_STOPPED);
	lab_must_apply(&l, RUNNING(""));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
}

Test(returns, one_that_somebody_stopped_does_not)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0);
	cr_assert_eq(apply_with(&l, NOTHING, NULL, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	lab_must_apply(&l, RUNNING(""));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_STOPPED);
}

Test(undone, an_adopted_domain_stays)
{
	LAB l = lab_new();
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;

	fake_add_foreign("old", "11111111-2222-4333-8444-555555555555")->status = HN_UNIT_STOPPED;
	fake_set("old", "compute.units", NULL, "40");
	cr_assert_eq(hn_unit_adopt(l.session, "old", lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_plan_with(&l, UNIT(""), options), 0, "%s", lab_why(&l));
	fake.fault.fail_at = fake.writes + 2;
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_UNDO), HN_EUNDO, "%s", lab_why(&l));
	cr_expect_not_null(fake_find("old"));
	fake.fault = (fake_fault){0};
	lab_must_apply(&l, NULL);
	cr_expect_str_eq(lab_applied(&l, "old", "compute.units"), "40");
}

Test(undone, what_was_removed_is_not_said_to_be_back)
{
	LAB l = lab_new();

	lab_must_apply(&l, TWO("", ""));
	fake.fault.fail_at = fake.writes + 4; /* two stops, one removal, then this */
	cr_expect_eq(apply_with(&l, NOTHING, "destroy", HN_ON_ERROR_UNDO), HN_EDRIVER);
	cr_expect_eq(fake_count(), 1);
	fake.fault = (fake_fault){0};
	cr_assert_eq(apply_with(&l, NULL, "destroy", HN_ON_ERROR_UNDO), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_count(), 0);
}

/* --- times that end --- */

static void an_hour_later(lab *l)
{
	lab_close(l);
	l->os->ops->sleep(l->os, HOUR);
	cr_assert_eq(lab_open(l), 0, "%s", lab_why(l));
}

Test(expired, a_force_is_gone_at_the_next_session)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(",\"cpu.model\":\"qemu64\""));
	cr_assert_eq(hn_unit_force(l.session, "web", "cpu.model", "max", HOUR / 2, lab_err(&l)), 0);
	cr_assert_eq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0);
	an_hour_later(&l);
	cr_expect_str_eq(lab_desired(&l, "web", "cpu.model"), "qemu64");
	cr_assert_eq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_str_eq(fake_live("web", "cpu.model"), "qemu64");
}

Test(expired, a_long_session_does_not_start_with_it)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(",\"cpu.model\":\"qemu64\""));
	cr_assert_eq(hn_unit_force(l.session, "web", "cpu.model", "max", HOUR / 2, lab_err(&l)), 0);
	cr_assert_eq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0);
	l.os->ops->sleep(l.os, HOUR);
	cr_assert_eq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_str_eq(fake_live("web", "cpu.model"), "qemu64");
}

Test(expired, of_a_unit_that_is_no_longer_declared_stops_nothing)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(
		hn_unit_force(l.session, "web", "compute.units", "7", HOUR / 2, lab_err(&l)), 0);
	cr_assert_eq(apply_with(&l, NOTHING, NULL, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	an_hour_later(&l);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM definition WHERE expires > 0"), 0);
	cr_expect_eq(lab_plan(&l, NULL), 0, "%s", lab_why(&l));
}

Test(expired, a_force_for_ever_is_refused)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_expect_eq(hn_unit_force(l.session, "web", "compute.units", "7", INT64_MAX, lab_err(&l)),
		HN_ELIMIT);
}

/* --- others --- */

Test(others, what_nix_declared_meanwhile_stays_declared)
{
	hn_plan_options nix = lab_options();
	hn_apply_options options = HN_APPLY_OPTIONS_INIT;
	LAB l = lab_new();
	hn_plan *older;

	nix.owner = HN_OWNER_NIX;
	cr_assert_eq(lab_plan_with(&l, "{\"hypernix\":1,\"units\":{\"db\":{}}}", nix), 0);
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":55")), 0);
	older = l.plan;
	l.plan = NULL;
	cr_assert_eq(
		lab_plan_with(&l,
			"{\"hypernix\":1,\"units\":{\"db\":{\"overrides\":{\"compute.units\":20}}}}",
			nix),
		0);
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_plan_apply(l.session, older, &options, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_plan_unref(older);
	cr_assert_eq(lab_plan(&l, NULL), 0);
	cr_expect(hn_plan_empty(l.plan), "the document of Nix went back");
	cr_expect_str_eq(lab_desired(&l, "db", "compute.units"), "20");
	cr_expect_str_eq(lab_desired(&l, "web", "compute.units"), "55");
}

Test(others, a_name_comes_before_a_uuid)
{
	static const char name[] = "abcdef12-2222-4333-8444-555555555555";
	hn_unit *unit = NULL;
	LAB l = lab_new();

	cr_assert_eq(hn_unit_define(l.session, "first", NULL, lab_err(&l)), 0);
	cr_assert_eq(hn_unit_define(l.session, name, NULL, lab_err(&l)), 0);
	cr_assert_eq(state_exec(l.host->store,
			     "UPDATE unit SET uuid = 'abcdef12-2222-4333-8444-555555555555'"
			     " WHERE name = 'first'",
			     NULL),
		0);
	cr_assert_eq(hn_unit_find(l.session, name, false, &unit, lab_err(&l)), 0);
	cr_expect_str_eq(hn_unit_name(unit), name);
	hn_unit_unref(unit);
}
