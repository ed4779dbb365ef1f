/* SPDX-License-Identifier: MIT
 *
 * What is left behind and must not grow or lie: files of lost domains, records of guests that are
 * gone, old generations, lines of history, bodies of views, plans without end.
 */
#include "host/plan.h"
#include "host/restart.h"
#include "sim/lab.h"

#define UNIT(values) "{\"hypernix\":1,\"units\":{\"web\":{\"overrides\":{" values "}}}}"
#define RUNNING(values) UNIT("\"autostart\":true" values)
#define NOTHING "{\"hypernix\":1}"

static const char *uuid_of(lab *l, const char *name)
{
	static char uuid[37];
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	cr_assert_eq(hn_unit_find(l->session, name, false, &unit, lab_err(l)), 0, "%s", lab_why(l));
	(void)snprintf(uuid, sizeof(uuid), "%s", hn_unit_uuid(unit));
	return uuid;
}

static hn_unit_status stored_status(lab *l, const char *name)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	cr_assert_eq(hn_unit_find(l->session, name, false, &unit, lab_err(l)), 0, "%s", lab_why(l));
	return hn_unit_get_status(unit);
}

/* --- swept when the machine is opened --- */

Test(sweep, comes_with_the_machine_and_spares_every_record)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_expect_eq(fake.sweeps, 1, "once a process");
	cr_expect_str_eq(fake.kept, "", "no unit had a record yet");
	lab_reopen(&l);
	cr_assert_eq(lab_plan(&l, NULL), 0, "%s", lab_why(&l));
	cr_expect_eq(fake.sweeps, 2);
	cr_expect_not_null(strstr(fake.kept, uuid_of(&l, "web")));
}

Test(sweep, that_fails_keeps_nobody_from_working)
{
	LAB l = lab_new();

	fake.no_sweep = true;
	lab_must_apply(&l, RUNNING(""));
	cr_expect_eq(fake.sweeps, 0);
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
}

Test(sweep, is_not_for_those_who_only_look)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	lab_close(&l);
	l.read_only = true;
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_plan(&l, NULL), 0, "%s", lab_why(&l));
	cr_expect_eq(fake.sweeps, 1);
}

Test(sweep, an_orphan_is_told_by_the_plan_and_goes_with_the_apply)
{
	LAB l = lab_new();
	fake_domain *orphan;
	hn_step step;

	lab_must_apply(&l, RUNNING(""));
	orphan = fake_add_foreign("lost", "00000000-0000-4000-8000-00000000dead");
	orphan->ours = true;
	lab_reopen(&l);
	cr_assert_eq(lab_plan(&l, NULL), 0, "%s", lab_why(&l));
	cr_expect(orphan->there, "opening the machine does nothing to it, nor does planning");
	cr_expect(lab_step(&l, "lost", HN_ACTION_ORPHAN, NULL, &step));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_null(fake_find("lost"));
	cr_expect_not_null(fake_find("web"));
}

/* Two states may share a daemon. */
Test(sweep, a_domain_of_another_root_is_no_orphan)
{
	LAB l = lab_new();
	fake_domain *other;

	lab_must_apply(&l, RUNNING(""));
	other = fake_add_foreign("theirs", "00000000-0000-4000-8000-00000000beef");
	other->ours = other->elsewhere = true;
	lab_reopen(&l);
	lab_must_apply(&l, RUNNING(",\"compute.units\":30"));
	cr_expect(other->there);
	cr_expect_eq(lab_plan(&l, "{\"hypernix\":1,\"units\":{\"theirs\":{}}}"), HN_EEXIST);
	cr_expect_not_null(strstr(lab_why(&l), "another root"));
}

Test(sweep, a_record_does_not_say_that_a_lost_guest_runs)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	fake_find("web")->there = false;
	lab_reopen(&l);
	cr_expect_eq(stored_status(&l, "web"), HN_UNIT_RUNNING, "nobody looked yet");
	cr_assert_eq(hn_machine_open(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(stored_status(&l, "web"), HN_UNIT_ABSENT);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM restart"), 0,
		"it did not end, it is gone: drift, which the plan shows");
}

/* --- limits --- */

Test(limits, one_step_too_many_names_the_limit)
{
	hn_plan plan = {.step_count = (size_t)base_limit(BASE_LIMIT_PLAN_STEPS)};
	hn_error *err = NULL;

	cr_assert_null(plan_add(&plan, HN_ACTION_CHANGE, PHASE_VALUE, PLAN_NO_UNIT));
	cr_expect_eq(plan_refuse(&plan, &err), HN_ELIMIT);
	cr_expect_not_null(strstr(hn_error_message(err), "steps of one plan"));
	err = hn_error_unref(err);
}

/* --- collected --- */

static void apply_label(lab *l, unsigned number)
{
	char json[256];

	(void)snprintf(json, sizeof(json), RUNNING(",\"labels.n\":\"%u\""), number);
	lab_must_apply(l, json);
	hn_os_sim_advance(l->os, OS_SECOND);
}

static uint64_t loose_views(lab *l)
{
	return lab_number(l,
		"SELECT count(*) FROM view WHERE id NOT IN (SELECT body FROM unit_view UNION SELECT"
		" ifnull(chains, 0) FROM unit_view UNION SELECT body FROM history)");
}

Test(collect, views_that_nothing_needs)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	apply_label(&l, 1);
	apply_label(&l, 2);
	cr_expect_eq(loose_views(&l), 0, "chains of the first two");
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM history"), 3);
}

Test(collect, looks_at_a_part_and_goes_on_from_there)
{
	LAB l = lab_new();
	uint64_t upto, views;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(
		state_exec(l.host->store,
			"WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i <"
			" 5000) INSERT INTO view(digest, body) SELECT randomblob(32), x'a0' FROM n",
			lab_err(&l)),
		0, "%s", lab_why(&l));
	views = lab_number(&l, "SELECT count(*) FROM view");
	apply_label(&l, 1);
	upto = lab_number(&l, "SELECT upto FROM collected");
	cr_expect_gt(upto, 0);
	cr_expect_gt(lab_number(&l, "SELECT count(*) FROM view"), views / 2, "only a part");
	for (unsigned i = 2; i < 8; i++)
		apply_label(&l, i);
	cr_expect_eq(loose_views(&l), 0);
}

Test(collect, keeps_a_bounded_number_of_generations)
{
	LAB l = lab_new();
	const unsigned most = (unsigned)base_limit(BASE_LIMIT_GENERATIONS);
	hn_plan_options back = lab_options();

	for (unsigned i = 0; i < most + 80; i++)
		apply_label(&l, i);
	cr_expect_leq(lab_number(&l, "SELECT count(*) FROM generation WHERE applied > 0"),
		most + 64, "and those that the stored plans go to");
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM generation WHERE number = 1"), 0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM document WHERE id NOT IN"
				    " (SELECT document FROM declaration)"),
		0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM declaration"),
		lab_number(&l, "SELECT count(*) FROM generation"));
	back.generation = 1;
	cr_expect_eq(lab_plan_with(&l, NULL, back), HN_ENOENT);
	back.generation = most + 79;
	cr_expect_eq(lab_plan_with(&l, NULL, back), 0, "%s", lab_why(&l));
}

Test(collect, keeps_the_current_generation_however_old_it_is)
{
	LAB l = lab_new();
	uint64_t old = 0;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(host_generation_current(l.host, &old, lab_err(&l)), 0);
	cr_assert_eq(
		state_exec(l.host->store,
			"WITH RECURSIVE n(i) AS (VALUES (100) UNION ALL SELECT i + 1 FROM n WHERE"
			" i < 600) INSERT INTO generation SELECT i, 1, 9e18, '', '', 0 FROM n",
			lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_assert_eq(state_exec(l.host->store, "DELETE FROM plan", lab_err(&l)), 0);
	cr_assert_eq(hn_unit_force(l.session, "web", "compute.units", "7", OS_SECOND, lab_err(&l)),
		0, "%s", lab_why(&l));
	lab_must_apply(&l, NULL);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM generation"),
		base_limit(BASE_LIMIT_GENERATIONS) + 1);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM generation WHERE number = 1"), old);
	cr_assert_eq(lab_plan(&l, NULL), 0, "%s", lab_why(&l));
}

Test(collect, keeps_what_a_stored_plan_goes_to)
{
	LAB l = lab_new();
	hn_plan_options back = lab_options();

	lab_must_apply(&l, RUNNING(""));
	apply_label(&l, 1);
	back.generation = 1;
	cr_assert_eq(state_exec(l.host->store, "DELETE FROM plan", lab_err(&l)), 0);
	cr_assert_eq(lab_plan_with(&l, NULL, back), 0, "%s", lab_why(&l));
	cr_assert_eq(
		state_exec(l.host->store,
			"WITH RECURSIVE n(i) AS (VALUES (100) UNION ALL SELECT i + 1 FROM n WHERE"
			" i < 600) INSERT INTO generation SELECT i, 1, 9e18, '', '', 0 FROM n",
			lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_assert_eq(hn_unit_force(l.session, "web", "compute.units", "7", OS_SECOND, lab_err(&l)),
		0, "%s", lab_why(&l));
	lab_must_apply(&l, NULL);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM generation WHERE number = 1"), 1);
}

Test(collect, keeps_a_bounded_number_of_documents_that_were_only_planned)
{
	LAB l = lab_new();
	char json[160];

	for (int i = 0; i < 80; i++) {
		(void)snprintf(json, sizeof(json), UNIT("\"labels.n\":\"%d\""), i);
		cr_assert_eq(lab_plan(&l, json), 0, "%s", lab_why(&l));
	}
	cr_expect_leq(lab_number(&l, "SELECT count(*) FROM document"), 65);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM declaration"),
		lab_number(&l, "SELECT count(*) FROM document"));
}

Test(collect, bounds_the_history_of_a_unit)
{
	LAB l = lab_new();
	const uint64_t most = base_limit(BASE_LIMIT_UNIT_HISTORY);

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(
		state_exec(l.host->store,
			"WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i <"
			" 1000) INSERT INTO history(unit, generation, at, who, why, body) SELECT 1,"
			" 1, i, 'w', '', (SELECT min(id) FROM view) FROM n",
			lab_err(&l)),
		0, "%s", lab_why(&l));
	apply_label(&l, 1);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM history"), most);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM history WHERE at > 100000"), 1,
		"the newest stay");
}

Test(collect, that_fails_does_not_fail_the_apply)
{
	LAB l = lab_new();

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(state_exec(l.host->store, "DROP TABLE collected", lab_err(&l)), 0);
	lab_must_apply(&l, RUNNING(",\"labels.n\":\"1\""));
	cr_expect_eq(lab_number(&l, "SELECT state FROM plan ORDER BY number DESC LIMIT 1"),
		PLAN_APPLIED);
}
