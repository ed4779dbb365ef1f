/* SPDX-License-Identifier: MIT
 *
 * Each call of a session, with the disk, the memory or the hypervisor failing under it at every
 * place: it says so in words, leaves no half of a change, and the same call goes through
 * afterwards. And each call without a session, and with a unit that is not there.
 */
#include "faults.h"

#include "host/boot-record.h"
#include "host/restart.h"
#include <unistd.h>

#define HOUR INT64_C(3600000000000)
#define STRANGER "11111111-2222-4333-8444-555555555555"

static const char declared[] =
	"{\"hypernix\":1,\"kinds\":{\"time\":{}},\"tags\":{\"night\":{\"kind\":\"time\",\"set\":{\"compute.units\":40}}},"
	"\"policies\":{\"strict\":{\"select\":\"none\",\"set\":{\"network.filter\":\"strict\"}}},"
	"\"units\":{\"web\":{\"tags\":[\"night\"],\"overrides\":{\"autostart\":true,\"restart.policy\":\"always\"}}}}";

/* --- the calls --- */

static bool exists(lab *l, const char *name)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	return hn_unit_find(l->session, name, false, &unit, NULL) >= 0;
}

static int define(lab *l, const char *unit)
{
	static const char *const keys[] = {"memory.size", "disks.d.source", "disks.d.size"};
	static const char *const values[] = {"256Mi", "/state/disks/d", "1Gi"};
	static const char *const tags[] = {"night"}, *const policies[] = {"strict"};
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	definition.keys = keys;
	definition.values = values;
	definition.value_count = BASE_COUNT(keys);
	definition.tags = tags;
	definition.policies = policies;
	definition.tag_count = definition.policy_count = 1;
	return hn_unit_define(l->session, unit, &definition, lab_err(l));
}

static void no_unit(lab *l)
{
	if (exists(l, "api"))
		cr_assert_eq(hn_unit_remove(l->session, "api", HN_DISKS_KEEP, lab_err(l)), 0, "%s",
			lab_why(l));
}

static bool is_defined(lab *l)
{
	return strcmp(lab_desired(l, "api", "memory.size"), "256Mi") == 0 &&
	       strcmp(lab_desired(l, "api", "network.filter"), "strict") == 0;
}

static void make_unit(lab *l)
{
	if (exists(l, "api") && fake_find("api"))
		return;
	cr_assert_eq(define(l, "api"), 0, "%s", lab_why(l));
	lab_must_apply(l, NULL);
	cr_assert_eq(os_mkdirs(l->os, "/state/disks", 0700, NULL), 0);
	cr_assert_eq(os_write_file(l->os, "/state/disks/d", "x", 1, 0600, NULL), 0);
}

static int remove_all(lab *l, const char *unit)
{
	return hn_unit_remove(l->session, unit, HN_DISKS_DELETE, lab_err(l));
}

static bool is_removed(lab *l)
{
	return !exists(l, "api") && !fake_find("api") && !os_exists(l->os, "/state/disks/d");
}

static int replace(lab *l, const char *unit)
{
	return hn_unit_replace(l->session, unit, lab_err(l));
}

static bool is_replaced(lab *l)
{
	return !fake_find("api") && !*lab_applied(l, "api", "memory.size");
}

static int set(lab *l, const char *unit)
{
	return hn_unit_set(l->session, unit, "compute.units", "77", lab_err(l));
}

static void unset(lab *l)
{
	make_unit(l);
	cr_assert_geq(hn_unit_set(l->session, "api", "compute.units", NULL, NULL), HN_ENOENT);
}

static bool is_set(lab *l)
{
	return strcmp(lab_desired(l, "api", "compute.units"), "77") == 0;
}

static int force(lab *l, const char *unit)
{
	return hn_unit_force(l->session, unit, "compute.limit", "2", HOUR, lab_err(l));
}

static int unforce(lab *l, const char *unit)
{
	return hn_unit_unforce(l->session, unit, "compute.limit", lab_err(l));
}

static bool is_forced(lab *l)
{
	return strcmp(lab_desired(l, "web", "compute.limit"), "none") != 0;
}

static bool is_unforced(lab *l)
{
	return !is_forced(l);
}

static void let_go(lab *l)
{
	if (is_forced(l))
		cr_assert_eq(unforce(l, "web"), 0, "%s", lab_why(l));
}

static void hold(lab *l)
{
	cr_assert_eq(force(l, "web"), 0, "%s", lab_why(l));
}

static int untag(lab *l, const char *unit)
{
	const char *tag = "night";

	return hn_unit_tag(l->session, unit, NULL, 0, &tag, 1, lab_err(l));
}

static int tag(lab *l, const char *unit)
{
	const char *tag = "night";

	return hn_unit_tag(l->session, unit, &tag, 1, NULL, 0, lab_err(l));
}

static bool is_tagged(lab *l)
{
	return strcmp(lab_desired(l, "web", "compute.units"), "40") == 0;
}

static bool is_untagged(lab *l)
{
	return !is_tagged(l);
}

static void give_tag(lab *l)
{
	cr_assert_eq(tag(l, "web"), 0, "%s", lab_why(l));
}

static void take_tag(lab *l)
{
	cr_assert_eq(untag(l, "web"), 0, "%s", lab_why(l));
}

static void add_stranger(lab *l)
{
	if (exists(l, "stranger"))
		cr_assert_eq(hn_unit_remove(l->session, "stranger", HN_DISKS_KEEP, lab_err(l)), 0,
			"%s", lab_why(l));
	fake_add_foreign("stranger", STRANGER)->status = HN_UNIT_RUNNING;
	fake_set("stranger", "memory.size", "768Mi", "768Mi");
}

static int adopt(lab *l, const char *unit)
{
	return hn_unit_adopt(l->session, unit, lab_err(l));
}

static bool is_adopted(lab *l)
{
	return strcmp(lab_desired(l, "stranger", "memory.size"), "768Mi") == 0;
}

static void drift(lab *l)
{
	lab_must_apply(l, NULL);
	fake_set("web", "memory.size", "768Mi", "768Mi");
	if (strcmp(lab_desired(l, "web", "memory.size"), "768Mi") == 0)
		cr_assert_eq(hn_unit_unforce(l->session, "web", "memory.size", lab_err(l)), 0, "%s",
			lab_why(l));
}

static int adopt_drift(lab *l, const char *unit)
{
	return hn_drift_adopt(l->session, unit, "memory.size", lab_err(l));
}

static bool is_drift_adopted(lab *l)
{
	return strcmp(lab_desired(l, "web", "memory.size"), "768Mi") == 0;
}

static void mark(lab *l)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	cr_assert_eq(host_unit_load(l->host, "web", &unit, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(host_unit_set_inconsistent(l->host, unit, true, lab_err(l)), 0);
	fake_set("web", "compute.units", "777", "777");
}

static int repair(lab *l, const char *unit)
{
	return hn_unit_repair(l->session, unit, lab_err(l));
}

static bool is_repaired(lab *l)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	const char *live = fake_live("web", "compute.units");

	return hn_unit_find(l->session, "web", false, &unit, NULL) >= 0 &&
	       !hn_unit_inconsistent(unit) && live && strcmp(live, "40") == 0;
}

static int start(lab *l, const char *unit)
{
	return hn_unit_start(l->session, unit, NULL, lab_err(l));
}

static int stop(lab *l, const char *unit)
{
	return hn_unit_stop(l->session, unit, NULL, NULL, lab_err(l));
}

static int restart(lab *l, const char *unit)
{
	return hn_unit_restart(l->session, unit, NULL, lab_err(l));
}

static int pause_unit(lab *l, const char *unit)
{
	return hn_unit_pause(l->session, unit, lab_err(l));
}

static int resume(lab *l, const char *unit)
{
	return hn_unit_resume(l->session, unit, lab_err(l));
}

static bool has_status(lab *l, hn_unit_status status)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	return hn_unit_find(l->session, "web", false, &unit, NULL) >= 0 &&
	       hn_unit_get_status(unit) == status && fake_find("web")->status == status;
}

static bool is_running(lab *l)
{
	return has_status(l, HN_UNIT_RUNNING);
}

static bool is_stopped(lab *l)
{
	return has_status(l, HN_UNIT_STOPPED);
}

static bool is_paused(lab *l)
{
	return has_status(l, HN_UNIT_PAUSED);
}

static void run_unit(lab *l)
{
	cr_assert_geq(start(l, "web"), 0, "%s", lab_why(l));
}

static void stop_unit(lab *l)
{
	cr_assert_geq(stop(l, "web"), 0, "%s", lab_why(l));
}

static void hold_unit(lab *l)
{
	run_unit(l);
	cr_assert_eq(pause_unit(l, "web"), 0, "%s", lab_why(l));
}

/* The guest ends by itself; nobody has told yet. */
static void end_guest(lab *l)
{
	run_unit(l);
	fake_find("web")->status = HN_UNIT_CRASHED;
}

static int notice(lab *l, const char *unit)
{
	int rc;

	(void)unit;
	rc = host_session_use(l->session, &(hn_host *){NULL}, lab_err(l));
	return rc < 0 ? rc : host_supervise_all(l->session, lab_err(l));
}

static bool is_noticed(lab *l)
{
	int64_t unit, due;

	return has_status(l, HN_UNIT_CRASHED) && host_restart_next(l->host, &unit, &due, NULL) == 1;
}

static void end_and_notice(lab *l)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	end_guest(l);
	cr_assert_geq(notice(l, NULL), 0, "%s", lab_why(l));
	cr_assert_eq(host_unit_load(l->host, "web", &unit, lab_err(l)), 0);
	/* The limit is another matter: each round begins with the first restart. */
	cr_assert_eq(
		host_restart_save(l->host, unit->id, &(host_restart){.due = 1}, lab_err(l)), 0);
}

static int restart_due(lab *l, const char *unit)
{
	(void)unit;
	return host_supervise_due(l->session, INT64_MAX, lab_err(l));
}

static int roll_back(lab *l, const char *unit)
{
	hn_plan_options options = lab_options();

	(void)unit;
	options.generation = 1;
	return lab_plan_with(l, NULL, options);
}

static int find_plan(lab *l, const char *unit)
{
	(void)unit;
	l->plan = hn_plan_unref(l->plan);
	return hn_plan_find(l->session, 1, &l->plan, lab_err(l));
}

static int plan_one(lab *l, const char *unit)
{
	hn_plan_options options = lab_options();

	options.unit = unit;
	return lab_plan_with(l, NULL, options);
}

static int list_all(lab *l, const char *unit)
{
	BASE_AUTO_OF(hn_units) hn_units *units = NULL;

	(void)unit;
	return hn_units_list(l->session, NULL, true, &units, lab_err(l));
}

static int list_some(lab *l, const char *unit)
{
	BASE_AUTO_OF(hn_units) hn_units *units = NULL;

	(void)unit;
	return hn_units_list(l->session, "kind:time", false, &units, lab_err(l));
}

static int find(lab *l, const char *unit)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;

	return hn_unit_find(l->session, unit, true, &found, lab_err(l));
}

static int tell_entry(void *arg, const hn_history_entry *entry)
{
	(void)arg;
	cr_expect_not_null(entry->value);
	return 0;
}

static int history(lab *l, const char *unit)
{
	return hn_unit_history(l->session, unit, "compute.units", tell_entry, NULL, lab_err(l));
}

static int fork_resolver(lab *l, const char *unit)
{
	BASE_AUTO_OF(hn_resolver) hn_resolver *resolver = NULL;

	(void)unit;
	return hn_host_fork_resolver(l->session, &resolver, lab_err(l));
}

static int get_catalog(lab *l, const char *unit)
{
	BASE_AUTO_OF(hn_catalog) hn_catalog *catalog = NULL;

	(void)unit;
	return hn_host_get_catalog(l->session, &catalog, lab_err(l));
}

static int tell_generation(void *arg, const hn_generation *generation)
{
	(void)arg;
	cr_expect_gt(generation->number, 0);
	return 0;
}

static int list_generations(lab *l, const char *unit)
{
	(void)unit;
	return hn_generations_list(l->session, tell_generation, NULL, lab_err(l));
}

static int scan(lab *l, const char *unit)
{
	return hn_drift_scan(l->session, unit, NULL, NULL, lab_err(l));
}

static int tell_holder(void *arg, const hn_capacity_entry *entry)
{
	(void)arg;
	cr_expect_gt(entry->reserve, 0);
	return 0;
}

static int capacity(lab *l, const char *unit)
{
	uint64_t units = 0, reserved = 0;

	(void)unit;
	return hn_host_capacity(
		l->session, "web=80", &units, &reserved, tell_holder, NULL, lab_err(l));
}

static int calibration(lab *l, const char *unit)
{
	hn_calibration result = HN_CALIBRATION_INIT;

	(void)unit;
	return hn_host_get_calibration(l->session, &result, lab_err(l));
}

static void keep_boot(lab *l)
{
	static const machine_boot phases = {
		.phase = {{"firmware", 2000000000, 1}, {"kernel", 9000000000, 1}}, .count = 2};
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	cr_assert_eq(host_unit_load(l->host, "web", &unit, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(host_boot_store(l->host, unit, &phases, 1000000000, lab_err(l)), 0, "%s",
		lab_why(l));
}

static int boot(lab *l, const char *unit)
{
	hn_boot *made = NULL;
	int rc = hn_unit_boot(l->session, unit, &made, lab_err(l));

	hn_boot_free(made);
	return rc;
}

static int read_log(lab *l, const char *unit)
{
	char bytes[64];

	return (int)hn_unit_log_read(l->session, unit, 0, bytes, sizeof(bytes), lab_err(l));
}

static int step(lab *l, const char *unit)
{
	(void)unit;
	return hn_machine_step(l->session, 0, lab_err(l));
}

static int own(lab *l, const char *unit)
{
	(void)unit;
	return hn_machine_open(l->session, lab_err(l));
}

static int fact(lab *l, const char *unit)
{
	hn_fact given;

	(void)unit;
	return hn_machine_fact_at(l->session, 0, &given, lab_err(l));
}

static int last_event(lab *l, const char *unit)
{
	uint64_t sequence = 0;

	(void)unit;
	return hn_events_last(l->session, &sequence, lab_err(l));
}

static int prune(lab *l, const char *unit)
{
	(void)unit;
	return hn_events_prune(l->session, 1, lab_err(l));
}

static int metrics(lab *l, const char *unit)
{
	char *text = NULL;
	int rc;

	(void)unit;
	rc = hn_metrics_text(l->session, &text, lab_err(l));
	hn_text_free(text);
	return rc;
}

static int state_facts(lab *l, const char *unit)
{
	hn_state_facts facts = {.size = sizeof(facts)};

	(void)unit;
	return hn_state_get_facts(l->session, &facts, lab_err(l));
}

static int reset(lab *l, const char *unit)
{
	return hn_unit_reset(l->session, unit, lab_err(l));
}

static int kill_unit(lab *l, const char *unit)
{
	return hn_unit_kill(l->session, unit, lab_err(l));
}

/* An operator's first console puts his session into the list too. */
static void enter_anew(lab *l)
{
	l->session = hn_session_unref(l->session);
	cr_assert_eq(
		hn_session_open_local(l->host, NULL, &l->session, lab_err(l)), 0, "%s", lab_why(l));
	while (fake.client_count > 0)
		(void)close(fake.clients[--fake.client_count]);
	fake.console = true;
}

static int console(lab *l, const char *unit)
{
	hn_console *opened = NULL;
	int rc = hn_unit_console_open(l->session, unit, &opened, lab_err(l));

	cr_expect_eq(fake_console_client() >= 0, rc >= 0, "a connection was left behind");
	(void)hn_console_free(opened);
	return rc;
}

static const fault_call calls[] = {
	{"define", no_unit, define, is_defined, NULL, true, false, NULL},
	{"set", unset, set, is_set, "api", true, false, NULL},
	{"force", let_go, force, is_forced, "web", true, false, NULL},
	{"unforce", hold, unforce, is_unforced, "web", true, false, NULL},
	{"untag", give_tag, untag, is_untagged, "web", true, false, NULL},
	{"tag", take_tag, tag, is_tagged, "web", true, false, NULL},
	{"remove", make_unit, remove_all, is_removed, "api", false, false, NULL},
	{"replace", make_unit, replace, is_replaced, "api", false, false, NULL},
	{"adopt", add_stranger, adopt, is_adopted, "stranger", true, false, NULL},
	{"adopt drift", drift, adopt_drift, is_drift_adopted, "web", true, false, NULL},
	{"repair", mark, repair, is_repaired, "web", false, false, NULL},
	{"start", stop_unit, start, is_running, "web", false, false, NULL},
	{"stop", run_unit, stop, is_stopped, "web", false, false, NULL},
	{"restart", run_unit, restart, is_running, "web", false, false, NULL},
	{"pause", run_unit, pause_unit, is_paused, "web", false, false, NULL},
	{"resume", hold_unit, resume, is_running, "web", false, false, NULL},
	{"notice", end_guest, notice, is_noticed, NULL, false, false, NULL},
	{"restart what is due", end_and_notice, restart_due, is_running, NULL, false, false, NULL},
	{"reset", run_unit, reset, NULL, "web", false, false, NULL},
	{"kill", run_unit, kill_unit, is_stopped, "web", false, false, NULL},
	{"roll back", NULL, roll_back, NULL, NULL, false, false, NULL},
	{"find a plan", NULL, find_plan, NULL, NULL, false, false, NULL},
	{"plan one", NULL, plan_one, NULL, "web", false, false, NULL},
	{"list", NULL, list_all, NULL, NULL, false, false, NULL},
	{"list some", NULL, list_some, NULL, NULL, false, false, NULL},
	{"find", NULL, find, NULL, "web", false, false, NULL},
	{"history", NULL, history, NULL, "web", false, false, NULL},
	{"fork", NULL, fork_resolver, NULL, NULL, false, false, NULL},
	{"catalog", NULL, get_catalog, NULL, NULL, false, false, NULL},
	{"generations", NULL, list_generations, NULL, NULL, false, false, NULL},
	{"scan", NULL, scan, NULL, "web", false, false, NULL},
	{"capacity", NULL, capacity, NULL, NULL, false, false, NULL},
	{"calibration", NULL, calibration, NULL, NULL, false, false, NULL},
	{"boot", keep_boot, boot, NULL, "web", false, false, NULL},
	{"log", NULL, read_log, NULL, "web", false, false, NULL},
	{"step", NULL, step, NULL, NULL, false, false, NULL},
	{"own", NULL, own, NULL, NULL, false, false, NULL},
	{"fact", NULL, fact, NULL, NULL, false, false, NULL},
	{"last event", NULL, last_event, NULL, NULL, false, false, NULL},
	{"prune", NULL, prune, NULL, NULL, false, false, NULL},
	{"metrics", NULL, metrics, NULL, NULL, false, false, NULL},
	{"state", NULL, state_facts, NULL, NULL, false, false, NULL},
	{"console", enter_anew, console, NULL, "web", false, false, NULL},
};

/* --- the contracts --- */

/* Those without a permit of their own begin with the session that the caller already used. */
static bool is_inner(const fault_call *c)
{
	return c->run == restart_due;
}

Test(calls, without_a_session_do_nothing)
{
	LAB l = fault_begin(declared);
	hn_session *session = l.session;
	unsigned writes = fake.writes;

	for (size_t i = 0; i < BASE_COUNT(calls); i++) {
		l.session = NULL;
		if (!is_inner(&calls[i]))
			cr_expect_eq(calls[i].run(&l, "web"), HN_ESESSION, "%s", calls[i].name);
		l.session = session;
	}
	cr_expect_eq(fake.writes, writes);
}

Test(calls, of_a_unit_that_is_not_there_name_it)
{
	LAB l = fault_begin(declared);
	unsigned writes = fake.writes;

	for (size_t i = 0; i < BASE_COUNT(calls); i++) {
		if (!calls[i].unit)
			continue;
		cr_expect_eq(calls[i].run(&l, "nobody"), HN_ENOENT, "%s", calls[i].name);
		cr_expect_not_null(
			strstr(lab_why(&l), "nobody"), "%s: %s", calls[i].name, lab_why(&l));
	}
	cr_expect_eq(fake.writes, writes);
}

/* Without the changes that begin with a look at who may: those are denied before anything. */
Test(calls, that_change_something_are_denied_on_a_host_that_only_reads)
{
	LAB l = fault_begin(declared);
	unsigned writes;

	make_unit(&l);
	add_stranger(&l);
	writes = fake.writes;
	lab_close(&l);
	l.read_only = true;
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	for (size_t i = 0; i < BASE_COUNT(calls); i++) {
		int rc;

		if (!calls[i].done || is_inner(&calls[i]))
			continue;
		rc = calls[i].run(&l, calls[i].unit ? calls[i].unit : "new");
		cr_expect_eq(rc, HN_EDENIED, "%s: %s", calls[i].name, lab_why(&l));
	}
	cr_expect_eq(fake.writes, writes);
}

Test(disk, that_fails_leaves_no_half_of_an_edit, .timeout = 120)
{
	fault_survive(FAULT_DISK, declared, calls, 0, 10);
}

Test(disk, that_fails_leaves_no_half_of_an_act, .timeout = 120)
{
	fault_survive(FAULT_DISK, declared, calls, 10, 20);
}

Test(disk, that_fails_is_told_by_those_who_look, .timeout = 120)
{
	fault_survive(FAULT_DISK, declared, calls, 20, BASE_COUNT(calls));
}

Test(hypervisor, that_fails_can_be_asked_again, .timeout = 120)
{
	fault_survive(FAULT_HYPERVISOR, declared, calls, 0, 20);
}

Test(memory, that_ends_leaves_no_half_of_an_edit, .timeout = 120)
{
	fault_survive_memory(declared, calls, 0, 10);
}

Test(memory, that_ends_leaves_no_half_of_an_act, .timeout = 120)
{
	fault_survive_memory(declared, calls, 10, 20);
}

Test(memory, that_ends_is_told_by_those_who_look, .timeout = 120)
{
	fault_survive_memory(declared, calls, 20, BASE_COUNT(calls));
}

/* An applied view is mixed after the guest has changed: it must not be taken for a damaged one. */
Test(memory, that_ends_while_views_are_mixed_is_told)
{
	static const char *const keys[] = {"memory.size", "disks.d.size"};
	BASE_AUTO_OF(hn_unit) hn_unit *web = NULL, *api = NULL;
	unsigned long nth = 0;
	bool hit = true;

	heap_take();
	LAB l = fault_begin(declared);
	cr_assert_eq(define(&l, "api"), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_unit_find(l.session, "web", false, &web, lab_err(&l)), 0);
	cr_assert_eq(hn_unit_find(l.session, "api", false, &api, lab_err(&l)), 0);
	while (hit) {
		hn_view *mixed = NULL;
		int rc;

		(void)lab_err(&l);
		arm(&l, FAULT_MEMORY, ++nth);
		rc = host_view_mix(hn_unit_desired(web), hn_unit_desired(api), keys,
			BASE_COUNT(keys), &mixed, &l.err);
		hit = disarm(&l, FAULT_MEMORY, 0, nth);
		cr_expect_eq(rc, hit ? HN_ENOMEM : 0, "%lu: %s: %s", nth, hn_code_name((hn_code)rc),
			lab_why(&l));
		cr_expect_eq(mixed != NULL, rc == 0, "%lu", nth);
		hn_view_unref(mixed);
	}
	cr_expect_gt(nth, 5, "few allocations: %lu", nth);
}

/* --- what somebody wrote into the store --- */

typedef struct damage {
	const char *sql;
	int (*run)(lab *l, const char *unit);
	int code;
	const char *says;
} damage;

static const damage damages[] = {
	{"UPDATE boot SET missed = 9", boot, HN_ECORRUPT, "phase"},
	{"UPDATE boot SET missed = -2", boot, HN_ECORRUPT, "phase"},
	{"UPDATE boot SET phases = x'00'", boot, HN_ECORRUPT, "phases"},
	{"UPDATE view SET body = x'00'", find, HN_ECBOR, "not a map"},
	{"UPDATE view SET body = x'00'", history, HN_ECBOR, "not a map"},
	{"UPDATE view SET body = x'00'", start, HN_ECBOR, "not a map"},
	{"UPDATE plan SET options = '{'", find_plan, HN_ESYNTAX, "stored plan"},
	{"UPDATE restart SET times = x'8201'", restart_due, HN_ECORRUPT, "restart"},
};

Test(store, that_was_damaged_is_told_and_nothing_is_done)
{
	for (size_t i = 0; i < BASE_COUNT(damages); i++) {
		LAB l = fault_begin(declared);
		unsigned writes;
		int rc;

		keep_boot(&l);
		end_and_notice(&l);
		writes = fake.writes;
		cr_assert_geq(state_exec(l.host->store, damages[i].sql, lab_err(&l)), 0, "%s: %s",
			damages[i].sql, lab_why(&l));
		rc = damages[i].run(&l, "web");
		cr_expect_eq(
			rc, damages[i].code, "%zu: %s: %d: %s", i, damages[i].sql, rc, lab_why(&l));
		cr_expect_not_null(strstr(lab_why(&l), damages[i].says), "%zu: %s", i, lab_why(&l));
		cr_expect_eq(fake.writes, writes, "%s", damages[i].sql);
	}
}
