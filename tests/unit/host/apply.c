/* SPDX-License-Identifier: MIT
 *
 * Applying plans: idempotence, pending restarts, removal, failures and undo, rollback, locks.
 */
#include "sim/lab.h"

#define UNIT(values) "{\"hypernix\":1,\"units\":{\"web\":{\"overrides\":{" values "}}}}"
#define RUNNING(values) UNIT("\"autostart\":true" values)
#define STOPPED(values) UNIT("\"autostart\":false" values)
#define NOTHING "{\"hypernix\":1}"
#define TWO(a, b)                                                                                  \
	"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true" a "}},"              \
	"\"b\":{\"overrides\":{\"autostart\":true" b "}}}}"
#define THREE(a, b, c)                                                                             \
	"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true" a "}},"              \
	"\"b\":{\"overrides\":{\"autostart\":true" b                                               \
	"}},\"c\":{\"overrides\":{\"autostart\":true" c "}}}}"

/* The second apply of the same has an empty plan and no write. */
static void expect_settled(lab *l, const char *json)
{
	unsigned writes = fake.writes;

	cr_assert_eq(lab_plan(l, json), 0, "%s", lab_why(l));
	cr_expect(
		hn_plan_empty(l->plan), "%zu steps are left of %s", lab_steps(l), json ? json : "");
	cr_assert_eq(lab_apply_plan(l, HN_ON_ERROR_STOP), 0, "%s", lab_why(l));
	cr_expect_eq(fake.writes, writes, "%s", json ? json : "");
}

Test(apply, makes_and_starts)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_assert_not_null(fake_find("web"));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	cr_expect_str_eq(lab_applied(&l, "web", "compute.units"), "100");
	expect_settled(&l, RUNNING(""));
}

Test(apply, the_record_says_what_became_true)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(hn_unit_find(l.session, "web", false, &unit, NULL), 0);
	cr_expect_eq(hn_unit_get_status(unit), HN_UNIT_RUNNING);
	cr_expect_eq(hn_unit_ready(unit), 1);
	cr_expect_not(hn_unit_pending(unit));
	cr_expect_str_eq(unit->machine, "pc-fake-1.0");
	cr_expect_str_eq(unit->uuid, fake_find("web")->uuid);
	hn_unit_unref(unit);
	cr_expect_eq(lab_events(&l, "org.hypernix.unit.created.v1"), 1);
	cr_expect_eq(lab_events(&l, "org.hypernix.unit.state.changed.v1"), 1);
}

Test(apply, every_key_default_twice)
{
	LAB l = lab_new();
	const hn_key *key;

	/* A plan after an apply must be empty for a unit that has every key at its default, said
	 * out loud. */
	for (size_t i = 0; (key = hn_key_at(i)); i++) {
		BASE_AUTO_BUF base_buf json = {0};
		bool list = key->type == HN_TYPE_LIST || key->type == HN_TYPE_SET;

		if (!key->default_text || strchr(key->name, '*'))
			continue;
		base_buf_format(&json,
			"{\"hypernix\":1,\"units\":{\"web\":{\"overrides\":{\"autostart\":true,\"%s\":%s%s%s}}}}",
			key->name, list ? "[" : "\"", list ? "" : key->default_text,
			list ? "]" : "\"");
		if (strcmp(key->name, "autostart") == 0)
			continue;
		cr_assert_eq(lab_apply(&l, json.data), 0, "%s: %s", key->name, lab_why(&l));
		expect_settled(&l, json.data);
	}
}

Test(apply, a_set_of_fleets_twice)
{
	static const char *const fleets[] = {
		RUNNING(""),
		STOPPED(""),
		RUNNING(",\"compute.units\":7,\"compute.limit\":20"),
		RUNNING(",\"compute.vcpus\":\"auto\",\"memory.max\":\"size\""),
		RUNNING(",\"disks.root.source\":\"/r\",\"disks.root.size\":\"1Gi\",\"nics.lan.kind\":\"user\""),
		RUNNING(",\"labels.a\":\"b\",\"description\":\"x\""),
		TWO("", ",\"memory.size\":\"1Gi\""),
		THREE(",\"start.order\":3", ",\"start.order\":2", ",\"start.order\":1"),
		NOTHING,
	};
	LAB l = lab_new();

	for (size_t i = 0; i < BASE_COUNT(fleets); i++) {
		lab_must_apply(&l, fleets[i]);
		expect_settled(&l, fleets[i]);
		lab_reopen(&l);
		expect_settled(&l, fleets[i]);
		expect_settled(&l, NULL);
	}
}

Test(apply, a_hot_change_is_live_and_persistent)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	lab_must_apply(&l, RUNNING(",\"compute.units\":300"));
	cr_expect_str_eq(fake_live("web", "compute.units"), "300");
	cr_expect_str_eq(fake_persistent("web", "compute.units"), "300");
	cr_expect_str_eq(lab_applied(&l, "web", "compute.units"), "300");
	expect_settled(&l, NULL);
}

Test(apply, bookkeeping_writes_nothing_to_the_hypervisor)
{
	LAB l = lab_new();
	unsigned writes;

	lab_must_apply(&l, RUNNING(""));
	writes = fake.writes;
	lab_must_apply(&l, RUNNING(",\"labels.team\":\"x\",\"backup.schedule\":\"daily 02:00\""));
	cr_expect_eq(fake.writes, writes);
	cr_expect_str_eq(lab_applied(&l, "web", "labels.team"), "x");
	expect_settled(&l, NULL);
}

Test(apply, a_retag_of_a_running_unit_is_made_real_by_the_next_apply)
{
	static const char json[] =
		"{\"hypernix\":1,\"tags\":{\"quiet\":{\"set\":{\"compute.units\":20}}},"
		"\"units\":{\"web\":{\"overrides\":{\"autostart\":true}}}}";
	const char *add = "quiet";
	LAB l = lab_new();

	lab_must_apply(&l, json);
	cr_assert_eq(hn_unit_tag(l.session, "web", &add, 1, NULL, 0, lab_err(&l)), 0);
	cr_expect_str_eq(fake_live("web", "compute.units"), "100");
	lab_must_apply(&l, NULL);
	cr_expect_str_eq(fake_live("web", "compute.units"), "20");
	expect_settled(&l, json);
}

/* --- pending --- */

Test(pending, only_the_persistent_definition_changes)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;

	lab_must_apply(&l, RUNNING(""));
	lab_must_apply(&l, RUNNING(",\"cpu.model\":\"qemu64\""));
	cr_expect_str_eq(fake_live("web", "cpu.model"), "auto");
	cr_expect_str_eq(fake_persistent("web", "cpu.model"), "qemu64");
	cr_assert_eq(hn_unit_find(l.session, "web", false, &unit, NULL), 0);
	cr_expect(hn_unit_pending(unit));
	hn_unit_unref(unit);
	cr_expect_str_eq(lab_applied(&l, "web", "cpu.model"), "auto");
	cr_expect_eq(lab_events(&l, "org.hypernix.unit.pending.v1"), 1);
	expect_settled(&l, RUNNING(",\"cpu.model\":\"qemu64\""));
}

Test(pending, hot_changes_do_not_wait_for_it)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	lab_must_apply(&l, RUNNING(",\"cpu.model\":\"qemu64\",\"compute.units\":50"));
	cr_expect_str_eq(fake_live("web", "compute.units"), "50");
	cr_expect_str_eq(lab_applied(&l, "web", "compute.units"), "50");
	cr_expect_str_eq(lab_applied(&l, "web", "cpu.model"), "auto");
	expect_settled(&l, NULL);
}

Test(pending, is_dropped_when_the_value_returns)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;
	hn_step step;

	lab_must_apply(&l, RUNNING(""));
	lab_must_apply(&l, RUNNING(",\"cpu.model\":\"qemu64\""));
	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(lab_plan(&l, NULL), 0);
	cr_expect_not(lab_step(&l, "web", HN_ACTION_CHANGE, "cpu.model", &step));
	cr_assert_eq(hn_unit_find(l.session, "web", false, &unit, NULL), 0);
	cr_expect_not(hn_unit_pending(unit));
	hn_unit_unref(unit);
	cr_expect_str_eq(fake_persistent("web", "cpu.model"), "auto");
	expect_settled(&l, RUNNING(""));
}

Test(pending, a_start_takes_it)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	lab_must_apply(&l, RUNNING(",\"cpu.model\":\"qemu64\""));
	cr_assert_eq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_str_eq(fake_live("web", "cpu.model"), "qemu64");
	cr_expect_str_eq(lab_applied(&l, "web", "cpu.model"), "qemu64");
	expect_settled(&l, NULL);
}

Test(pending, a_restart_that_is_allowed_is_done)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(",\"update.restart\":\"now\""));
	lab_must_apply(&l, RUNNING(",\"update.restart\":\"now\",\"cpu.model\":\"qemu64\""));
	cr_expect_str_eq(fake_live("web", "cpu.model"), "qemu64");
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	expect_settled(&l, NULL);
}

Test(pending, a_stopped_unit_is_not_restarted)
{
	LAB l = lab_new();

	lab_must_apply(&l, STOPPED(",\"update.restart\":\"now\""));
	lab_must_apply(&l, STOPPED(",\"update.restart\":\"now\",\"cpu.model\":\"qemu64\""));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_DEFINED);
	expect_settled(&l, NULL);
}

Test(pending, a_move_key_survives_a_start)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	lab_must_apply(&l, RUNNING(",\"placement.spread\":\"rack\",\"cpu.model\":\"qemu64\""));
	cr_assert_eq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0);
	cr_assert_eq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0);
	cr_expect_str_eq(lab_applied(&l, "web", "cpu.model"), "qemu64");
	cr_expect_str_eq(lab_applied(&l, "web", "placement.spread"), "none");
}

/* --- starting and stopping --- */

Test(wanted, a_unit_that_was_stopped_by_hand_stays_stopped)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0);
	expect_settled(&l, RUNNING(""));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_STOPPED);
}

Test(wanted, a_unit_that_was_started_by_hand_stays_running)
{
	LAB l = lab_new();

	lab_must_apply(&l, STOPPED(""));
	cr_assert_eq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0);
	expect_settled(&l, STOPPED(""));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
}

/* --- no longer declared --- */

static int remove_with(lab *l, const char *on_remove)
{
	hn_plan_options options = lab_options();
	int rc;

	options.on_remove = on_remove;
	rc = lab_plan_with(l, NOTHING, options);
	return rc < 0 ? rc : lab_apply_plan(l, HN_ON_ERROR_STOP);
}

Test(on_remove, stop_is_the_default_and_keeps_the_domain)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(remove_with(&l, NULL), 0, "%s", lab_why(&l));
	cr_assert_not_null(fake_find("web"));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_STOPPED);
	expect_settled(&l, NOTHING);
}

Test(on_remove, keep_leaves_it_running)
{
	LAB l = lab_new();
	unsigned writes;

	lab_must_apply(&l, RUNNING(""));
	writes = fake.writes;
	cr_assert_eq(remove_with(&l, "keep"), 0, "%s", lab_why(&l));
	cr_expect_eq(fake.writes, writes);
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
}

/* The plan shows that web leaves, its step is done by the declaration, and then all is said. */
static void expect_left(lab *l, const char *on_remove, const char *note)
{
	hn_plan_options options = lab_options();
	unsigned writes = fake.writes;
	hn_plan_summary summary;
	hn_step step;

	options.on_remove = on_remove;
	cr_assert_eq(lab_plan_with(l, NOTHING, options), 0, "%s", lab_why(l));
	cr_expect_not(hn_plan_empty(l->plan));
	cr_assert(lab_step(l, "web", HN_ACTION_FORGET, NULL, &step), "web is in no step");
	cr_expect_eq(step.status, HN_STEP_PLANNED);
	cr_expect_str_eq(step.note, note);
	hn_plan_get_summary(l->plan, &summary);
	cr_expect_eq(summary.remove, 0, "its domain stays");
	cr_assert_eq(lab_apply_plan(l, HN_ON_ERROR_STOP), 0, "%s", lab_why(l));
	cr_assert(lab_step(l, "web", HN_ACTION_FORGET, NULL, &step));
	cr_expect_eq(step.status, HN_STEP_DONE);
	cr_expect_eq(lab_number(l, "SELECT count(*) FROM step WHERE action = 7 AND status = 2"), 1,
		"and that is stored");
	cr_expect_eq(fake.writes, writes);
	cr_assert_eq(lab_plan_with(l, NOTHING, options), 0, "%s", lab_why(l));
	cr_expect(hn_plan_empty(l->plan));
	cr_expect_eq(lab_steps(l), 0);
}

Test(on_remove, a_unit_that_is_off_leaves_in_a_step)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;

	lab_must_apply(&l, STOPPED(""));
	expect_left(&l, "stop", "no longer declared (on-remove stop); stays stopped");
	cr_assert_not_null(fake_find("web"), "the domain stays");
	cr_assert_eq(hn_unit_find(l.session, "web", false, &unit, NULL), 0);
	cr_expect(hn_unit_undeclared(unit));
	hn_unit_unref(unit);
}

Test(on_remove, a_unit_that_is_off_and_kept_leaves_in_a_step)
{
	LAB l = lab_new();

	lab_must_apply(&l, STOPPED(""));
	expect_left(&l, "keep", "no longer declared (on-remove keep); stays stopped");
}

Test(on_remove, a_unit_that_is_kept_running_leaves_in_a_step)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	expect_left(&l, "keep", "no longer declared (on-remove keep); keeps running");
}

Test(on_remove, a_unit_that_comes_back_is_declared)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;

	lab_must_apply(&l, STOPPED(""));
	cr_assert_eq(hn_unit_find(l.session, "web", false, &unit, NULL), 0);
	cr_expect_not(hn_unit_undeclared(unit));
	unit = hn_unit_unref(unit);
	cr_assert_eq(remove_with(&l, NULL), 0, "%s", lab_why(&l));
	lab_must_apply(&l, STOPPED(""));
	cr_assert_eq(hn_unit_find(l.session, "web", false, &unit, NULL), 0);
	cr_expect_not(hn_unit_undeclared(unit));
	hn_unit_unref(unit);
	expect_settled(&l, STOPPED(""));
}

/* What the plan said is what the host then says. */
static uint64_t reserved_now(lab *l)
{
	uint64_t reserved = 0;

	cr_assert_eq(hn_host_capacity(l->session, NULL, NULL, &reserved, NULL, NULL, lab_err(l)), 0,
		"%s", lab_why(l));
	return reserved;
}

Test(on_remove, plan_and_host_count_the_same_capacity)
{
	static const char *const ways[] = {"stop", "keep"};

	for (size_t i = 0; i < 4; i++) {
		LAB l = lab_new();
		hn_plan_options options = lab_options();
		hn_plan_summary summary;

		lab_must_apply(&l, i < 2 ? RUNNING("") : STOPPED(""));
		cr_assert_gt(reserved_now(&l), 0);
		options.on_remove = ways[i % 2];
		cr_assert_eq(lab_plan_with(&l, NOTHING, options), 0, "%s", lab_why(&l));
		hn_plan_get_summary(l.plan, &summary);
		cr_expect_eq(summary.reserved > 0, i == 1, "only one that keeps running holds any");
		cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
		cr_expect_eq(reserved_now(&l), summary.reserved);
		cr_assert_eq(lab_plan_with(&l, NOTHING, options), 0, "%s", lab_why(&l));
		hn_plan_get_summary(l.plan, &summary);
		cr_expect_eq(reserved_now(&l), summary.reserved);
	}
}

Test(on_remove, what_has_left_starts_only_where_there_is_room)
{
	LAB l = lab_new();

	lab_must_apply(&l, STOPPED(",\"compute.units\":4000,\"compute.overcommit\":1"));
	lab_must_apply(&l, "{\"hypernix\":1,\"units\":{\"other\":{\"overrides\":{"
			   "\"compute.units\":4000,\"compute.overcommit\":1}}}}");
	cr_expect_eq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), HN_ECAPACITY);
	cr_expect_neq(fake_find("web")->status, HN_UNIT_RUNNING);
	lab_must_apply(&l, NOTHING);
	cr_expect_eq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(reserved_now(&l), 4000);
}

Test(on_remove, destroy_leaves_nothing)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(remove_with(&l, "destroy"), 0, "%s", lab_why(&l));
	cr_expect_null(fake_find("web"));
	cr_expect_eq(hn_unit_find(l.session, "web", false, &unit, NULL), HN_ENOENT);
	expect_settled(&l, NOTHING);
}

Test(on_remove, a_unit_that_comes_back_is_the_same_unit)
{
	LAB l = lab_new();
	char uuid[37];

	lab_must_apply(&l, RUNNING(""));
	memcpy(uuid, fake_find("web")->uuid, sizeof(uuid));
	cr_assert_eq(remove_with(&l, NULL), 0);
	lab_must_apply(&l, RUNNING(",\"compute.units\":7"));
	cr_expect_str_eq(fake_find("web")->uuid, uuid);
	cr_expect_str_eq(fake_persistent("web", "compute.units"), "7");
}

Test(on_remove, what_is_no_longer_declared_can_be_removed_by_hand)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(remove_with(&l, NULL), 0);
	cr_expect_eq(
		hn_unit_remove(l.session, "web", HN_DISKS_KEEP, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_null(fake_find("web"));
}

Test(on_remove, units_of_the_other_owner_stay)
{
	LAB l = lab_new();
	hn_plan_options options = lab_options();
	hn_unit *unit = NULL;

	lab_must_apply(&l, RUNNING(""));
	options.owner = HN_OWNER_NIX;
	cr_assert_eq(lab_plan_with(&l, "{\"hypernix\":1,\"units\":{\"db\":{}}}", options), 0);
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	cr_assert_eq(hn_unit_find(l.session, "db", false, &unit, NULL), 0);
	cr_expect_eq(hn_unit_owner(unit), HN_OWNER_NIX);
	hn_unit_unref(unit);
	cr_assert_eq(hn_unit_find(l.session, "web", false, &unit, NULL), 0);
	cr_expect_eq(hn_unit_owner(unit), HN_OWNER_FILE);
	hn_unit_unref(unit);
}

Test(orphan, a_domain_of_ours_without_record_is_listed_and_removed)
{
	LAB l = lab_new();
	fake_domain *domain = fake_add_foreign("left-over", "11111111-2222-4333-8444-555555555555");
	hn_step step;

	domain->ours = true;
	domain->status = HN_UNIT_RUNNING;
	cr_assert_eq(lab_plan(&l, NULL), 0, "%s", lab_why(&l));
	cr_assert(lab_step(&l, "left-over", HN_ACTION_ORPHAN, NULL, &step));
	cr_expect_not_null(fake_find("left-over"), "never silently");
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_null(fake_find("left-over"));
	expect_settled(&l, NULL);
}

Test(orphan, a_foreign_domain_is_never_touched)
{
	LAB l = lab_new();

	fake_add_foreign("stranger", "11111111-2222-4333-8444-555555555555")->status =
		HN_UNIT_RUNNING;
	lab_must_apply(&l, RUNNING(""));
	lab_must_apply(&l, NOTHING);
	cr_expect_eq(fake_find("stranger")->status, HN_UNIT_RUNNING);
}

/* --- failures --- */

Test(failure, before_any_effect_changes_nothing)
{
	LAB l = lab_new();

	fake.no_check = true;
	cr_expect_eq(lab_apply(&l, RUNNING("")), HN_EXML);
	cr_expect_eq(fake.writes, 0);
	cr_expect_eq(lab_number(&l, "SELECT generation FROM host"), 0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM unit"), 0);
}

Test(failure, of_a_unit_takes_its_live_changes_back)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":200,\"compute.limit\":300")), 0);
	fake.fault.fail_at = fake.writes + 2;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EDRIVER);
	cr_expect_str_eq(fake_live("web", "compute.units"), "100");
	cr_expect_str_eq(fake_live("web", "compute.limit"), "none");
	cr_expect_str_eq(lab_applied(&l, "web", "compute.units"), "100");
	lab_must_apply(&l, NULL);
	cr_expect_str_eq(fake_live("web", "compute.units"), "200");
	cr_expect_str_eq(fake_live("web", "compute.limit"), "300");
	expect_settled(&l, NULL);
}

Test(failure, names_the_unit_and_the_key)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":200")), 0);
	fake.fault.fail_at = fake.writes + 1;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EDRIVER);
	cr_expect_str_eq(lab_why(&l), "web: compute.units");
	cr_expect_not_null(hn_error_cause(l.err));
}

Test(failure, stop_leaves_the_other_units_for_later)
{
	LAB l = lab_new();

	lab_must_apply(&l, TWO("", ""));
	cr_assert_eq(lab_plan(&l, TWO(",\"compute.units\":200", ",\"compute.units\":300")), 0);
	fake.fault.fail_at = fake.writes + 1;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EDRIVER);
	cr_expect_str_eq(fake_live("b", "compute.units"), "100");
	lab_must_apply(&l, NULL);
	cr_expect_str_eq(fake_live("a", "compute.units"), "200");
	cr_expect_str_eq(fake_live("b", "compute.units"), "300");
}

Test(failure, continue_goes_on_with_the_others)
{
	LAB l = lab_new();

	lab_must_apply(&l, TWO("", ""));
	cr_assert_eq(lab_plan(&l, TWO(",\"compute.units\":200", ",\"compute.units\":300")), 0);
	fake.fault.fail_at = fake.writes + 1;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), HN_EDRIVER);
	cr_expect_str_eq(fake_live("a", "compute.units"), "100");
	cr_expect_str_eq(fake_live("b", "compute.units"), "300");
}

Test(failure, undo_takes_the_whole_plan_back)
{
	LAB l = lab_new();

	lab_must_apply(&l, TWO("", ""));
	cr_assert_eq(lab_plan(&l, TWO(",\"compute.units\":200", ",\"compute.units\":300")), 0);
	fake.fault.fail_at = fake.writes + 2;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_UNDO), HN_EUNDO, "%s", lab_why(&l));
	cr_expect_str_eq(fake_live("a", "compute.units"), "100");
	cr_expect_str_eq(fake_live("b", "compute.units"), "100");
	cr_expect_str_eq(lab_desired(&l, "a", "compute.units"), "100");
	cr_expect_eq(lab_number(&l, "SELECT generation FROM host"), 1);
	expect_settled(&l, NULL);
	expect_settled(&l, TWO("", ""));
}

Test(failure, undo_removes_what_was_made)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(
		lab_plan(&l,
			"{\"hypernix\":1,\"units\":{\"web\":{\"overrides\":{\"autostart\":true}},"
			"\"fresh\":{},\"other\":{}}}"),
		0);
	fake.fault.fail_at = fake.writes + 4; /* two made, one started */
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_UNDO), HN_EUNDO, "%s", lab_why(&l));
	cr_expect_null(fake_find("fresh"));
	cr_expect_null(fake_find("other"));
	cr_expect_eq(hn_unit_find(l.session, "fresh", false, &unit, NULL), HN_ENOENT);
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	expect_settled(&l, NULL);
}

Test(failure, undo_brings_back_what_was_stopped)
{
	LAB l = lab_new();
	hn_plan_options options = lab_options();

	lab_must_apply(&l, RUNNING(""));
	options.on_remove = "stop";
	cr_assert_eq(lab_plan_with(&l, "{\"hypernix\":1,\"units\":{\"fresh\":{}}}", options), 0);
	fake.fault.fail_at = fake.writes + 2;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_UNDO), HN_EUNDO, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	cr_expect_null(fake_find("fresh"));
	expect_settled(&l, NULL);
}

Test(failure, a_failed_undo_makes_the_unit_inconsistent)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;
	hn_step step;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":200,\"compute.limit\":300")), 0);
	fake.fault.fail_from = fake.writes + 2;
	fake.fault.fail_to = fake.writes + 3;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EINCONSISTENT);
	cr_assert_eq(hn_unit_find(l.session, "web", false, &unit, NULL), 0);
	cr_expect(hn_unit_inconsistent(unit));
	hn_unit_unref(unit);
	cr_expect_eq(lab_events(&l, "org.hypernix.unit.inconsistent.v1"), 1);
	/* No further automatic step. */
	cr_assert_eq(lab_plan(&l, NULL), 0);
	cr_expect(hn_plan_empty(l.plan));
	cr_assert(lab_step(&l, "web", HN_ACTION_CHANGE, NULL, &step));
	cr_expect_not_null(strstr(step.note, "hv-compute repair web"));
}

Test(failure, repair_settles_an_inconsistent_unit)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":200,\"compute.limit\":300")), 0);
	fake.fault.fail_from = fake.writes + 2;
	fake.fault.fail_to = fake.writes + 3;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EINCONSISTENT);
	cr_assert_eq(hn_unit_repair(l.session, "web", lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_unit_find(l.session, "web", false, &unit, NULL), 0);
	cr_expect_not(hn_unit_inconsistent(unit));
	hn_unit_unref(unit);
	cr_expect_str_eq(fake_live("web", "compute.units"), "200");
	cr_expect_str_eq(fake_live("web", "compute.limit"), "300");
	expect_settled(&l, NULL);
}

Test(failure, a_repair_that_fails_leaves_the_mark)
{
	LAB l = lab_new();
	hn_unit *unit = NULL;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":200,\"compute.limit\":300")), 0);
	fake.fault.fail_from = fake.writes + 2;
	fake.fault.fail_to = fake.writes + 100;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EINCONSISTENT);
	cr_expect_lt(hn_unit_repair(l.session, "web", lab_err(&l)), 0);
	cr_assert_eq(hn_unit_find(l.session, "web", false, &unit, NULL), 0);
	cr_expect(hn_unit_inconsistent(unit));
	hn_unit_unref(unit);
}

Test(failure, a_failed_restart_brings_the_old_guest_back)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(",\"update.restart\":\"now\""));
	cr_assert_eq(
		lab_plan(&l, RUNNING(",\"update.restart\":\"now\",\"cpu.model\":\"qemu64\"")), 0);
	fake.fault.fail_at = fake.writes + 3; /* stop, define, start */
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EDRIVER);
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	cr_expect_str_eq(fake_live("web", "cpu.model"), "auto");
	cr_expect_str_eq(lab_applied(&l, "web", "cpu.model"), "auto");
	lab_must_apply(&l, NULL);
	cr_expect_str_eq(fake_live("web", "cpu.model"), "qemu64");
	expect_settled(&l, NULL);
}

Test(failure, a_failed_start_is_tried_again)
{
	LAB l = lab_new();

	cr_assert_eq(lab_plan(&l, RUNNING("")), 0);
	fake.fault.fail_at = fake.writes + 2;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EDRIVER);
	cr_expect_eq(fake_find("web")->status, HN_UNIT_DEFINED);
	lab_must_apply(&l, NULL);
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
}

/* A unit ends old, new, or reported inconsistent, whichever write fails. */
static void fail_each(hn_on_error on_error, unsigned width)
{
	static const char from[] = TWO(",\"update.restart\":\"now\"", ",\"compute.units\":300");
	static const char to[] =
		TWO(",\"update.restart\":\"now\",\"cpu.model\":\"qemu64\",\"compute.units\":7,"
		    "\"disks.data.source\":\"/d\",\"disks.data.size\":\"1Gi\"",
			",\"compute.units\":50,\"compute.limit\":60");
	bool failed = true;

	for (unsigned nth = 1; failed; nth++) {
		LAB l = lab_new();
		hn_unit *unit = NULL;
		int rc;

		cr_assert_lt(nth, 40);
		lab_must_apply(&l, from);
		cr_assert_eq(lab_plan(&l, to), 0, "%s", lab_why(&l));
		fake.fault.fail_from = fake.writes + nth;
		fake.fault.fail_to = fake.writes + nth + width - 1;
		rc = lab_apply_plan(&l, on_error);
		failed = rc < 0;
		for (int i = 0; i < 2; i++) {
			const char *name = i == 0 ? "a" : "b",
				   *units = fake_live(name, "compute.units");
			const char *was = i == 0 ? "100" : "300", *is = i == 0 ? "7" : "50";
			const char *applied = lab_applied(&l, name, "compute.units");

			cr_assert_eq(hn_unit_find(l.session, name, false, &unit, NULL), 0);
			if (hn_unit_inconsistent(unit)) {
				cr_expect_eq(rc, HN_EINCONSISTENT);
			} else if (units) {
				cr_expect(strcmp(units, was) == 0 || strcmp(units, is) == 0);
				cr_expect_str_eq(applied, units,
					"write %u: what is applied is what is real", nth);
			}
			hn_unit_unref(unit);
		}
		fake.fault = (fake_fault){0};
		if (rc != HN_EINCONSISTENT) {
			lab_must_apply(&l, to);
			cr_expect_str_eq(fake_live("a", "compute.units"), "7");
			cr_expect_str_eq(fake_live("a", "cpu.model"), "qemu64");
			cr_expect_str_eq(fake_live("a", "disks.data.source"), "/d");
			cr_expect_str_eq(fake_live("b", "compute.limit"), "60");
			expect_settled(&l, to);
		}
	}
}

Test(each_write_fails, and_stops)
{
	fail_each(HN_ON_ERROR_STOP, 1);
}

Test(each_write_fails, and_continues)
{
	fail_each(HN_ON_ERROR_CONTINUE, 1);
}

Test(each_write_fails, and_undoes)
{
	fail_each(HN_ON_ERROR_UNDO, 1);
}

Test(each_write_fails, and_so_does_the_first_undo)
{
	fail_each(HN_ON_ERROR_STOP, 2);
}

Test(each_write_fails, and_so_does_everything_after)
{
	fail_each(HN_ON_ERROR_UNDO, 1000);
}
