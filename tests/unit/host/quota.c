/* SPDX-License-Identifier: MIT
 *
 * Quotas that are held: what they count follows what a unit in use takes, through starts, changes,
 * restarts and crashes, and is charged to who asked for it.
 */
#include "host/restart.h"
#include "trust-lab.h"

#include <errno.h>
#include <jansson.h>

#define MI INT64_C(1048576)
#define RIGHTS                                                                                     \
	"\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.*\",\"tag.*\",\"policy.*\","                \
	"\"force.set\"],\"on\":\"**\"}]"
#define MAY(who, memory) "{\"for\":\"" who "\"," RIGHTS ",\"quota\":{\"memory\":\"" memory "\"}}"
#define GUESTS(size, more)                                                                         \
	"{\"hypernix\":1,\"tags\":{\"big\":{\"set\":{\"memory.size\":\"2Gi\"}}},\"units\":{"       \
	"\"web\":{\"overrides\":{\"autostart\":false,\"memory.size\":\"" size                      \
	"\",\"memory.max\":\"4Gi\","                                                               \
	"\"memory.balloon\":\"manual\",\"update.restart\":\"now\"" more "}}}}"

static int64_t held(lab *l)
{
	int64_t sum = (int64_t)lab_number(l, "SELECT coalesce(sum(amount), 0) FROM cap_hold");

	cr_expect_eq((int64_t)lab_number(l, "SELECT coalesce(sum(used), 0) FROM cap_counter"), sum,
		"counters and what is held differ");
	return sum;
}

/* Of the token that was issued last but `before`. */
static int64_t held_by(lab *l, int before)
{
	char sql[256];

	(void)snprintf(sql, sizeof(sql),
		"SELECT coalesce(sum(amount), 0) FROM cap_hold WHERE cti IN"
		" (SELECT cti FROM cap_issued ORDER BY iat DESC LIMIT 1 OFFSET %d)",
		before);
	return (int64_t)lab_number(l, sql);
}

/* A token a second: they are told apart by when they were issued. */
static hn_session *holder(lab *l, const char *terms)
{
	hn_os_sim_advance(l->os, OS_SECOND);
	return opened(l, terms);
}

static void fleet(lab *l)
{
	lab_must_apply(l, GUESTS("512Mi", ""));
	trust(l);
	cr_assert_eq(lab_define(l, "api", "autostart", "false"), 0, "%s", lab_why(l));
}

static int apply_as(lab *l, hn_session *session, const char *json)
{
	hn_session *lead = l->session;
	int rc;

	l->session = session;
	rc = lab_apply(l, json);
	l->session = lead;
	return rc;
}

#define MUST(call) cr_assert_geq(call, 0, "%s", lab_why(&l))
#define REFUSED(call)                                                                              \
	do {                                                                                       \
		cr_expect_eq(call, HN_EQUOTA, "%s", lab_why(&l));                                  \
	} while (0)

/* --- changes of what is desired --- */

Test(quota, a_set_counts_the_difference)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL;

	fleet(&l);
	bo = holder(&l, MAY("bo", "600Mi"));
	MUST(hn_unit_start(bo, "api", NULL, lab_err(&l)));
	cr_expect_eq(held(&l), 512 * MI);
	REFUSED(hn_unit_set(bo, "api", "memory.size", "2Gi", lab_err(&l)));
	cr_expect_str_eq(lab_desired(&l, "api", "memory.size"), "512Mi");
	cr_expect_eq(held(&l), 512 * MI);
	MUST(hn_unit_set(bo, "api", "memory.size", "600Mi", lab_err(&l)));
	cr_expect_eq(held(&l), 600 * MI);
	MUST(hn_unit_set(bo, "api", "memory.size", "400Mi", lab_err(&l)));
	cr_expect_eq(held(&l), 512 * MI, "it still has what it was started with");
	MUST(hn_unit_stop(l.session, "api", NULL, NULL, lab_err(&l)));
	cr_expect_eq(held(&l), 0);
	MUST(hn_unit_set(bo, "api", "memory.size", "2Gi", lab_err(&l)));
	cr_expect_eq(held(&l), 0, "nothing of a unit that is not in use");
}

Test(quota, forces_tags_and_definitions_count_too)
{
	static const char *const big = "big", *const key = "memory.size", *const value = "2Gi";
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL;
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	fleet(&l);
	bo = holder(&l, MAY("bo", "600Mi"));
	MUST(hn_unit_start(bo, "api", NULL, lab_err(&l)));
	REFUSED(hn_unit_force(bo, "api", key, "2Gi", 60 * OS_SECOND, lab_err(&l)));
	REFUSED(hn_unit_tag(bo, "api", &big, 1, NULL, 0, lab_err(&l)));
	definition.keys = &key;
	definition.values = &value;
	definition.value_count = 1;
	REFUSED(hn_unit_define(bo, "api", &definition, lab_err(&l)));
	cr_expect_str_eq(lab_desired(&l, "api", "memory.size"), "512Mi");
	cr_expect_eq(held(&l), 512 * MI);
	cr_expect_gt(lab_number(&l, "SELECT count(*) FROM audit"), 0);
}

/* Two such quotas of one token: both are charged, or none. */
Test(quota, each_quota_of_a_token_is_charged_with_the_same)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL;

	fleet(&l);
	bo = holder(&l,
		"{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":[\"unit.*\"],\"on\":\"unit/*\","
		"\"quota\":{\"memory\":\"1Gi\"}}],\"quota\":{\"memory\":\"600Mi\"}}");
	MUST(hn_unit_start(bo, "api", NULL, lab_err(&l)));
	cr_expect_eq(held(&l), 2 * 512 * MI);
	REFUSED(hn_unit_set(bo, "api", "memory.size", "640Mi", lab_err(&l)));
	cr_expect_eq(held(&l), 2 * 512 * MI);
	MUST(hn_unit_set(bo, "api", "memory.size", "600Mi", lab_err(&l)));
	cr_expect_eq(held(&l), 2 * 600 * MI);
	MUST(hn_unit_restart(bo, "api", NULL, lab_err(&l)));
	cr_expect_eq(held(&l), 2 * 600 * MI);
	MUST(hn_unit_stop(bo, "api", NULL, NULL, lab_err(&l)));
	cr_expect_eq(held(&l), 0);
}

/* --- live changes by a plan --- */

Test(quota, a_live_growth_is_refused_before_anything_is_done)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL;

	fleet(&l);
	bo = holder(&l, MAY("bo", "600Mi"));
	MUST(hn_unit_start(bo, "web", NULL, lab_err(&l)));
	REFUSED(apply_as(&l, bo, GUESTS("2Gi", "")));
	cr_expect_str_eq(lab_desired(&l, "web", "memory.size"), "512Mi");
	cr_expect_str_eq(lab_applied(&l, "web", "memory.size"), "512Mi");
	cr_expect_str_eq(fake_live("web", "memory.size"), "512Mi");
	cr_expect_eq(held(&l), 512 * MI);
}

Test(quota, a_live_change_is_held_and_given_back)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL;

	fleet(&l);
	bo = holder(&l, MAY("bo", "3Gi"));
	MUST(hn_unit_start(bo, "web", NULL, lab_err(&l)));
	MUST(apply_as(&l, bo, GUESTS("2Gi", "")));
	cr_expect_str_eq(fake_live("web", "memory.size"), "2Gi");
	cr_expect_eq(held(&l), 2048 * MI);
	MUST(lab_apply(&l, GUESTS("1Gi", "")));
	cr_expect_str_eq(fake_live("web", "memory.size"), "1Gi");
	cr_expect_eq(held(&l), 1024 * MI);
}

Test(quota, who_makes_the_wish_of_an_operator_real_holds_it)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL, *eve = NULL;

	fleet(&l);
	MUST(hn_unit_set(l.session, "api", "memory.max", "4Gi", lab_err(&l)));
	MUST(hn_unit_set(l.session, "api", "memory.balloon", "manual", lab_err(&l)));
	lab_must_apply(
		&l, NULL); /* what is desired is frozen: the next plan changes nothing of it */
	bo = holder(&l, MAY("bo", "600Mi"));
	MUST(hn_unit_start(bo, "api", NULL, lab_err(&l)));
	MUST(hn_unit_set(l.session, "api", "memory.size", "1Gi", lab_err(&l)));
	cr_expect_eq(held(&l), 512 * MI);
	REFUSED(apply_as(&l, bo, NULL));
	cr_expect_str_eq(fake_live("api", "memory.size"), "512Mi");
	eve = holder(&l, MAY("eve", "512Mi"));
	MUST(apply_as(&l, eve, NULL));
	cr_expect_str_eq(fake_live("api", "memory.size"), "1Gi");
	cr_expect_eq(held_by(&l, 0), 512 * MI);
	cr_expect_eq(held_by(&l, 1), 512 * MI);
}

Test(quota, what_is_taken_away_comes_off_the_top)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL, *eve = NULL;

	fleet(&l);
	bo = holder(&l, MAY("bo", "512Mi"));
	MUST(hn_unit_start(bo, "web", NULL, lab_err(&l)));
	eve = holder(&l, MAY("eve", "1Gi"));
	MUST(apply_as(&l, eve, GUESTS("1Gi", "")));
	cr_expect_eq(held_by(&l, 0), 512 * MI);
	cr_expect_eq(held_by(&l, 1), 512 * MI);
	MUST(lab_apply(&l, GUESTS("768Mi", "")));
	cr_expect_eq(held_by(&l, 0), 256 * MI);
	cr_expect_eq(held_by(&l, 1), 512 * MI);
	MUST(lab_apply(&l, GUESTS("256Mi", "")));
	cr_expect_eq(held_by(&l, 0), 0);
	cr_expect_eq(held_by(&l, 1), 256 * MI);
	MUST(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)));
	cr_expect_eq(held(&l), 0);
}

/* --- restarts --- */

Test(quota, a_restart_that_is_refused_stops_nothing)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL;

	fleet(&l);
	bo = holder(&l, MAY("bo", "600Mi"));
	MUST(hn_unit_start(bo, "api", NULL, lab_err(&l)));
	MUST(hn_unit_set(l.session, "api", "memory.size", "1Gi", lab_err(&l)));
	REFUSED(hn_unit_restart(bo, "api", NULL, lab_err(&l)));
	cr_expect_eq(fake_find("api")->status, HN_UNIT_RUNNING);
	cr_expect_eq(held(&l), 512 * MI);
}

Test(quota, a_restart_is_held_by_who_asks)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL, *eve = NULL;

	fleet(&l);
	bo = holder(&l, MAY("bo", "512Mi"));
	MUST(hn_unit_start(bo, "api", NULL, lab_err(&l)));
	MUST(hn_unit_restart(bo, "api", NULL, lab_err(&l)));
	cr_expect_eq(held(&l), 512 * MI, "the same again");
	MUST(hn_unit_set(l.session, "api", "memory.size", "1Gi", lab_err(&l)));
	eve = holder(&l, MAY("eve", "1Gi"));
	MUST(hn_unit_restart(eve, "api", NULL, lab_err(&l)));
	cr_expect_eq(held_by(&l, 0), 1024 * MI);
	cr_expect_eq(held_by(&l, 1), 0);
	MUST(hn_unit_restart(l.session, "api", NULL, lab_err(&l)));
	cr_expect_eq(held_by(&l, 0), 1024 * MI, "an operator has no quota: it stays where it is");
	MUST(hn_unit_stop(bo, "api", NULL, NULL, lab_err(&l)));
	cr_expect_eq(held(&l), 0);
}

Test(quota, a_restart_by_a_plan_goes_on_holding)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL;
	hn_step step;

	fleet(&l);
	bo = holder(&l, MAY("bo", "1Gi"));
	MUST(hn_unit_start(bo, "web", NULL, lab_err(&l)));
	MUST(apply_as(&l, bo, GUESTS("640Mi", ",\"cpu.model\":\"qemu64\"")));
	cr_expect(lab_step(&l, "web", HN_ACTION_CHANGE, "cpu.model", &step));
	cr_expect_str_eq(fake_live("web", "cpu.model"), "qemu64");
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	cr_expect_eq(held(&l), 640 * MI);
	MUST(hn_unit_stop(bo, "web", NULL, NULL, lab_err(&l)));
	cr_expect_eq(held(&l), 0);
}

static void die(void *arg)
{
	hn_os_sim_fail(arg, 1, true, EIO);
}

static void die_at(lab *l, unsigned nth, bool after)
{
	fake.died = die;
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

/* Killed before and after the stop and the start, by hand and by a plan. */
Test(quota, a_restart_that_was_killed_holds_what_it_comes_back_with)
{
	for (unsigned i = 0; i < 8; i++) {
		LAB l = lab_new();
		hn_session *bo;

		fleet(&l);
		bo = holder(&l, MAY("bo", "1Gi"));
		MUST(hn_unit_start(bo, "web", NULL, lab_err(&l)));
		die_at(&l, 1 + i % 4 / 2, i % 2 != 0);
		cr_expect_lt(i < 4 ? hn_unit_restart(bo, "web", NULL, lab_err(&l))
				   : apply_as(&l, bo, GUESTS("512Mi", ",\"cpu.model\":\"qemu64\"")),
			0);
		hn_session_unref(bo);
		rise_again(&l);
		lab_must_apply(&l, NULL);
		cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING, "case %u", i);
		cr_expect_eq(held(&l), 512 * MI, "case %u", i);
		MUST(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)));
		cr_expect_eq(held(&l), 0, "case %u", i);
	}
}

Test(quota, a_start_that_was_killed_is_held_only_while_it_is_to_run)
{
	for (unsigned i = 0; i < 4; i++) {
		LAB l = lab_new();
		hn_session *bo;

		fleet(&l);
		bo = holder(&l, MAY("bo", "512Mi"));
		die_at(&l, 1 + i / 2, i % 2 != 0);
		(void)hn_unit_start(bo, "web", NULL, lab_err(&l));
		hn_session_unref(bo);
		rise_again(&l);
		lab_must_apply(&l, NULL);
		cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING, "case %u", i);
		cr_expect_eq(held(&l), 512 * MI, "case %u", i);
		MUST(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)));
		cr_expect_eq(held(&l), 0, "case %u", i);
	}
}

Test(quota, a_restart_by_its_policy_goes_on_holding)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL;

	fleet(&l);
	lab_must_apply(&l, GUESTS("512Mi", ",\"restart.policy\":\"always\""));
	bo = holder(&l, MAY("bo", "600Mi"));
	MUST(hn_unit_start(bo, "web", NULL, lab_err(&l)));
	fake_find("web")->status = HN_UNIT_CRASHED;
	MUST(host_supervise_all(l.session, lab_err(&l)));
	cr_expect_eq(held(&l), 512 * MI, "it is to run again");
	REFUSED(apply_as(&l, bo, GUESTS("2Gi", ",\"restart.policy\":\"always\"")));
	cr_expect_eq(host_supervise_due(l.session, INT64_MAX, lab_err(&l)), 1, "%s", lab_why(&l));
	cr_expect_eq(fake_find("web")->status, HN_UNIT_RUNNING);
	cr_expect_eq(held(&l), 512 * MI);
	MUST(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)));
	cr_expect_eq(held(&l), 0);
}

/* Whoever steps the machine for others is not charged with what he restarts. */
Test(quota, a_restart_by_its_policy_is_not_of_who_steps_the_machine)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL, *eve = NULL;

	fleet(&l);
	lab_must_apply(&l, GUESTS("512Mi", ",\"restart.policy\":\"always\""));
	bo = holder(&l, MAY("bo", "512Mi"));
	MUST(hn_unit_start(bo, "web", NULL, lab_err(&l)));
	fake_find("web")->status = HN_UNIT_CRASHED;
	MUST(host_supervise_all(l.session, lab_err(&l)));
	eve = holder(&l, MAY("eve", "64Mi"));
	cr_expect_eq(host_supervise_due(eve, INT64_MAX, lab_err(&l)), 1, "%s", lab_why(&l));
	cr_expect_eq(held_by(&l, 0), 0);
	cr_expect_eq(held_by(&l, 1), 512 * MI);
}

static const char *word(const json_t *record, const char *name)
{
	const char *text = json_string_value(json_object_get(record, name));

	return text ? text : "";
}

/* Each outcome is that of an earlier record, which allowed just that; how many denials there are.
 */
static size_t check_outcomes(lab *l, unsigned uses)
{
	BASE_AUTO_FREE char *text = NULL;
	size_t denials = 0, i;
	json_t *log, *record;

	cr_assert_eq(hn_audit_tail(l->session, 0, 1000, &text, lab_err(l)), 0, "%s", lab_why(l));
	log = json_loads(text, 0, NULL);
	cr_assert_gt(json_array_size(log), 0, "%s", text);
	json_array_foreach(log, i, record)
	{
		size_t of = (size_t)json_integer_value(json_object_get(record, "refers"));
		const json_t *allow = json_array_get(log, of);

		denials += strcmp(word(record, "kind"), "deny") == 0;
		if (strcmp(word(record, "kind"), "outcome") != 0 || of == 0)
			continue;
		cr_expect_lt(of, i, "uses %u: %zu refers to %zu", uses, i, of);
		cr_expect_str_eq(word(allow, "kind"), "allow", "uses %u: %zu", uses, i);
		cr_expect_str_eq(
			word(allow, "verb"), word(record, "verb"), "uses %u: %zu", uses, i);
	}
	json_decref(log);
	return denials;
}

/* The way back of a restart that failed is refused where its stop is counted, and its start is one
 * too many: then neither is on record, nor has it an outcome. */
Test(quota, what_was_taken_back_has_no_outcome)
{
	size_t denials = 0;

	for (unsigned uses = 2; uses < 16; uses++) {
		LAB l = lab_new();
		BASE_AUTO_OF(hn_session) hn_session *bo = NULL;
		char terms[256];

		fleet(&l);
		MUST(hn_unit_start(l.session, "web", NULL, lab_err(&l)));
		(void)snprintf(terms, sizeof(terms),
			"{\"for\":\"bo\"," RIGHTS ",\"quota\":{\"uses\":%u}}", uses);
		bo = holder(&l, terms);
		fake.fault.fail_at = fake.writes + 3; /* after the stop and the new definition */
		cr_expect_lt(apply_as(&l, bo, GUESTS("512Mi", ",\"cpu.model\":\"qemu64\"")), 0);
		fake.fault = (fake_fault){0};
		denials += check_outcomes(&l, uses);
	}
	cr_expect_gt(denials, 1);
}

/* --- starts --- */

Test(quota, a_start_that_failed_gives_it_back)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL;
	hn_unit *unit = NULL;

	fleet(&l);
	bo = holder(&l, MAY("bo", "600Mi"));
	fake.fault.fail_from = 1;
	fake.fault.fail_to = UINT32_MAX;
	cr_expect_lt(hn_unit_start(bo, "web", NULL, lab_err(&l)), 0);
	cr_expect_eq(held(&l), 0);
	fake.fault = (fake_fault){0};
	/* more than the host has: refused after the admission, before the machine is asked */
	MUST(hn_unit_set(l.session, "api", "compute.units", "100000", lab_err(&l)));
	cr_expect_lt(hn_unit_start(bo, "api", NULL, lab_err(&l)), 0);
	cr_expect_eq(held(&l), 0, "%s", lab_why(&l));
	cr_assert_eq(host_unit_load(l.host, "api", &unit, NULL), 0);
	cr_expect_eq(unit->wanted, HOST_WANTED_UNSET);
	hn_unit_unref(unit);
}

Test(quota, a_resume_takes_no_more)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL;

	fleet(&l);
	MUST(hn_unit_start(l.session, "web", NULL, lab_err(&l)));
	bo = holder(&l, MAY("bo", "64Mi"));
	MUST(hn_unit_pause(bo, "web", lab_err(&l)));
	MUST(hn_unit_resume(bo, "web", lab_err(&l)));
	cr_expect_eq(held(&l), 0);
	REFUSED(hn_unit_start(bo, "web", NULL, lab_err(&l)));
}

Test(quota, vcpus_are_those_that_the_guest_gets)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL;

	fleet(&l);
	bo = holder(&l, "{\"for\":\"bo\"," RIGHTS ",\"quota\":{\"vcpus\":2}}");
	MUST(hn_unit_set(l.session, "api", "compute.vcpus", "3", lab_err(&l)));
	REFUSED(hn_unit_start(bo, "api", NULL, lab_err(&l)));
	MUST(hn_unit_set(l.session, "api", "compute.vcpus", "2", lab_err(&l)));
	MUST(hn_unit_start(bo, "api", NULL, lab_err(&l)));
	cr_expect_eq(held(&l), 2);
	REFUSED(hn_unit_set(bo, "api", "compute.vcpus", "3", lab_err(&l)));
	MUST(hn_unit_stop(bo, "api", NULL, NULL, lab_err(&l)));
	/* what is left to the host counts as the host makes it, frozen by a plan or not */
	MUST(hn_unit_set(l.session, "api", "compute.vcpus", "auto", lab_err(&l)));
	MUST(hn_unit_set(l.session, "api", "compute.units", "1000", lab_err(&l)));
	REFUSED(hn_unit_start(bo, "api", NULL, lab_err(&l)));
}

Test(quota, a_unit_that_is_removed_gives_it_back)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_session) hn_session *bo = NULL;

	fleet(&l);
	bo = holder(&l, MAY("bo", "600Mi"));
	MUST(hn_unit_start(bo, "api", NULL, lab_err(&l)));
	MUST(hn_unit_remove(l.session, "api", HN_DISKS_KEEP, lab_err(&l)));
	cr_expect_eq(held(&l), 0);
}
