/* SPDX-License-Identifier: MIT
 *
 * Running units through the public gates, on libvirt's test driver.
 */
#include "host/restart.h"
#include "runtime-help.h"

#define EVENT(name) "org.hypernix.unit." name ".v1"
#define SECOND INT64_C(1000000000)

static hn_unit *reload(world *w, const char *name)
{
	hn_unit *unit = NULL;

	cr_assert_eq(host_unit_load(w->host, name, &unit, &w->err), 0, "%s", why(w));
	return unit;
}

static hn_unit_status status_of(world *w, const char *name)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = reload(w, name);

	return unit->status;
}

static void define(world *w, const char *name)
{
	(void)hn_unit_unref(make_unit(w, name, NULL, NULL));
}

static void start(world *w, const char *name, int expected)
{
	cr_assert_eq(hn_unit_start(w->session, name, NULL, &w->err), expected, "%s", why(w));
}

/* Steps until `type` was sent `count` times, or a minute is over. */
static void step_until(world *w, const char *type, int count)
{
	int64_t deadline = os_monotonic(w->host->os) + 60 * SECOND;

	while (count_events(w, type) < count) {
		cr_assert_lt(os_monotonic(w->host->os), deadline, "%s did not come", type);
		cr_assert_geq(hn_machine_step(w->session, SECOND / 10, &w->err), 0, "%s", why(w));
	}
}

/* The hypervisor tells in its own time: drains until the state has changed `count` times. */
static void drain_until_changed(world *w, int count)
{
	int64_t deadline = os_monotonic(w->host->os) + 60 * SECOND;

	while (count_events(w, EVENT("state.changed")) < count) {
		cr_assert_lt(os_monotonic(w->host->os), deadline, "too few changes");
		cr_assert_geq(
			host_supervise_drain(w->session, SECOND / 10, &w->err), 0, "%s", why(w));
	}
}

/* --- start and stop --- */

Test(start, runs_a_unit)
{
	AUTO_WORLD world w = new_world(NULL);

	define(&w, "web");
	start(&w, "web", 0);
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_RUNNING);
	cr_assert_eq(count_events(&w, EVENT("state.changed")), 1);
}

Test(start, of_a_running_unit_is_one)
{
	AUTO_WORLD world w = new_world(NULL);

	define(&w, "web");
	start(&w, "web", 0);
	start(&w, "web", 1);
	cr_assert_eq(count_events(&w, EVENT("state.changed")), 1);
}

Test(start, can_wait_until_it_runs)
{
	AUTO_WORLD world w = new_world(NULL);
	hn_start_options options = HN_START_OPTIONS_INIT;

	options.wait = HN_WAIT_RUNNING;
	define(&w, "web");
	cr_assert_eq(hn_unit_start(w.session, "web", &options, &w.err), 0, "%s", why(&w));
	cr_assert_eq(hn_unit_start(w.session, "web", &options, &w.err), 1, "%s", why(&w));
}

/* How often the audit log has these words. */
static int recorded(world *w, const char *words)
{
	char *log = NULL;
	int count = 0;

	cr_assert_eq(hn_audit_tail(w->session, 0, 4096, &log, &w->err), 0, "%s", why(w));
	for (const char *at = log; (at = strstr(at, words)) != NULL; at++)
		count++;
	hn_text_free(log);
	return count;
}

/* Which key seals is on record too, when the first seal is due: that is not of the start. */
static int records_but_of_keys(world *w)
{
	return recorded(w, "\"kind\":") - recorded(w, "\"kind\":\"key\"");
}

Test(start, records_allow_and_outcome)
{
	AUTO_WORLD world w = new_world(NULL);
	int before;

	define(&w, "web");
	before = records_but_of_keys(&w);
	start(&w, "web", 0);
	cr_assert_eq(records_but_of_keys(&w), before + 2);
	cr_assert_eq(recorded(&w, "\"kind\":\"allow\",\"verb\":\"unit.start\""), 1);
	cr_assert_eq(recorded(&w, "\"kind\":\"outcome\",\"verb\":\"unit.start\""), 1);
	cr_assert_eq(host_audit_verify(w.host, &w.err), 0, "%s", why(&w));
}

Test(start, unknown_unit_offers_the_nearest)
{
	AUTO_WORLD world w = new_world(NULL);

	define(&w, "webserver");
	cr_assert_eq(hn_unit_start(w.session, "webservr", NULL, &w.err), HN_ENOENT);
	cr_assert_not_null(strstr(hn_error_hint(w.err), "webserver"));
}

Test(start, takes_pending_values)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	define(&w, "web");
	start(&w, "web", 0);
	cr_assert_geq(
		hn_unit_set(w.session, "web", "memory.size", "768Mi", &w.err), 0, "%s", why(&w));
	unit = reload(&w, "web");
	cr_assert_neq(memcmp(unit->desired_digest, unit->applied_digest, CRYPTO_DIGEST), 0);
	cr_assert_eq(hn_unit_restart(w.session, "web", NULL, &w.err), 0, "%s", why(&w));
	(void)hn_unit_unref(unit);
	unit = reload(&w, "web");
	cr_assert_eq(memcmp(unit->desired_digest, unit->applied_digest, CRYPTO_DIGEST), 0);
	cr_assert_eq(count_events(&w, EVENT("restarted")), 1);
}

Test(start, pending_values_must_fit)
{
	AUTO_WORLD world w = new_world("reference:2");

	define(&w, "web");
	start(&w, "web", 0);
	cr_assert_geq(
		hn_unit_set(w.session, "web", "compute.units", "1000", &w.err), 0, "%s", why(&w));
	cr_assert_eq(hn_unit_restart(w.session, "web", NULL, &w.err), HN_ECAPACITY);
	w.err = hn_error_unref(w.err);
	/* refused before it was stopped */
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_RUNNING);
	cr_assert_eq(hn_unit_stop(w.session, "web", NULL, NULL, &w.err), 0, "%s", why(&w));
	cr_assert_eq(hn_unit_start(w.session, "web", NULL, &w.err), HN_ECAPACITY);
	cr_assert_not_null(hn_error_hint(w.err));
}

Test(start, ready_cannot_be_waited_for_without_a_guest)
{
	AUTO_WORLD world w = new_world(NULL);
	hn_start_options options = HN_START_OPTIONS_INIT;

	options.wait = HN_WAIT_READY;
	define(&w, "web");
	cr_assert_eq(hn_unit_start(w.session, "web", &options, &w.err), HN_ENOSUP, "%s", why(&w));
}

Test(stop, says_what_it_did)
{
	AUTO_WORLD world w = new_world(NULL);
	hn_stop_result result = {.size = sizeof(result)};

	define(&w, "web");
	start(&w, "web", 0);
	cr_assert_eq(hn_unit_stop(w.session, "web", NULL, &result, &w.err), 0, "%s", why(&w));
	cr_assert(result.was_running);
	cr_assert_not(result.forced);
	cr_assert_not_null(result.detail);
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_STOPPED);
}

Test(stop, is_idempotent)
{
	AUTO_WORLD world w = new_world(NULL);
	hn_stop_result result = {.size = sizeof(result)};

	define(&w, "web");
	start(&w, "web", 0);
	cr_assert_eq(hn_unit_stop(w.session, "web", NULL, NULL, &w.err), 0, "%s", why(&w));
	cr_assert_eq(hn_unit_stop(w.session, "web", NULL, &result, &w.err), 0, "%s", why(&w));
	cr_assert_not(result.was_running);
}

Test(stop, of_a_unit_that_never_ran)
{
	AUTO_WORLD world w = new_world(NULL);
	hn_stop_result result = {.size = sizeof(result), .was_running = true};

	define(&w, "web");
	cr_assert_eq(hn_unit_stop(w.session, "web", NULL, &result, &w.err), 0, "%s", why(&w));
	cr_assert_not(result.was_running);
}

Test(stop, kill_is_forced)
{
	AUTO_WORLD world w = new_world(NULL);

	define(&w, "web");
	start(&w, "web", 0);
	cr_assert_eq(hn_unit_kill(w.session, "web", &w.err), 0, "%s", why(&w));
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_STOPPED);
	cr_assert_eq(hn_unit_kill(w.session, "web", &w.err), 0, "%s", why(&w));
}

Test(restart, of_a_stopped_unit_starts_it)
{
	AUTO_WORLD world w = new_world(NULL);

	define(&w, "web");
	cr_assert_eq(hn_unit_restart(w.session, "web", NULL, &w.err), 0, "%s", why(&w));
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_RUNNING);
}

/* --- pause, resume, reset --- */

Test(pause, and_resume)
{
	AUTO_WORLD world w = new_world(NULL);

	define(&w, "web");
	start(&w, "web", 0);
	cr_assert_eq(hn_unit_pause(w.session, "web", &w.err), 0, "%s", why(&w));
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_PAUSED);
	cr_assert_eq(hn_unit_pause(w.session, "web", &w.err), 1, "%s", why(&w));
	cr_assert_eq(hn_unit_resume(w.session, "web", &w.err), 0, "%s", why(&w));
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_RUNNING);
	cr_assert_eq(hn_unit_resume(w.session, "web", &w.err), 1, "%s", why(&w));
	cr_assert_eq(count_events(&w, EVENT("state.changed")), 3);
}

Test(pause, of_a_stopped_unit_is_refused)
{
	AUTO_WORLD world w = new_world(NULL);

	define(&w, "web");
	start(&w, "web", 0);
	cr_assert_eq(hn_unit_stop(w.session, "web", NULL, NULL, &w.err), 0);
	cr_assert_eq(hn_unit_pause(w.session, "web", &w.err), HN_EBUSY);
	w.err = hn_error_unref(w.err);
	cr_assert_eq(hn_unit_resume(w.session, "web", &w.err), HN_EBUSY);
	w.err = hn_error_unref(w.err);
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_STOPPED);
}

Test(pause, a_paused_unit_is_resumed_by_start)
{
	AUTO_WORLD world w = new_world(NULL);

	define(&w, "web");
	start(&w, "web", 0);
	cr_assert_eq(hn_unit_pause(w.session, "web", &w.err), 0);
	start(&w, "web", 1);
	cr_assert_eq(hn_unit_stop(w.session, "web", NULL, NULL, &w.err), 0, "%s", why(&w));
}

/* --- wait --- */

Test(wait, conditions)
{
	AUTO_WORLD world w = new_world(NULL);

	define(&w, "web");
	start(&w, "web", 0);
	cr_assert_eq(hn_unit_wait(w.session, "web", HN_WAIT_NONE, 0, NULL, &w.err), 0);
	cr_assert_eq(hn_unit_wait(w.session, "web", HN_WAIT_RUNNING, SECOND, NULL, &w.err), 0, "%s",
		why(&w));
	cr_assert_eq(hn_unit_wait(w.session, "web", HN_WAIT_STOPPED, 1, NULL, &w.err), HN_ETIMEOUT);
	w.err = hn_error_unref(w.err);
	cr_assert_eq(hn_unit_stop(w.session, "web", NULL, NULL, &w.err), 0);
	cr_assert_eq(hn_unit_wait(w.session, "web", HN_WAIT_STOPPED, SECOND, NULL, &w.err), 0, "%s",
		why(&w));
}

Test(wait, can_be_cancelled)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_cancel) hn_cancel *cancel = NULL;

	define(&w, "web");
	start(&w, "web", 0);
	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	hn_cancel_trigger(cancel);
	cr_assert_eq(
		hn_unit_wait(w.session, "web", HN_WAIT_STOPPED, 0, cancel, &w.err), HN_ECANCELLED);
}

/* --- arguments, rights --- */

Test(arguments, negative_times_are_refused)
{
	AUTO_WORLD world w = new_world(NULL);
	hn_start_options start_options = HN_START_OPTIONS_INIT;
	hn_stop_options stop_options = HN_STOP_OPTIONS_INIT;

	define(&w, "web");
	start_options.timeout = -1;
	stop_options.grace = -1;
	cr_assert_eq(hn_unit_start(w.session, "web", &start_options, NULL), HN_EINVAL);
	cr_assert_eq(hn_unit_stop(w.session, "web", &stop_options, NULL, NULL), HN_EINVAL);
	cr_assert_eq(hn_unit_wait(w.session, "web", HN_WAIT_RUNNING, -1, NULL, NULL), HN_EINVAL);
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_ABSENT);
}

Test(arguments, a_field_of_a_newer_library_is_refused)
{
	AUTO_WORLD world w = new_world(NULL);
	struct {
		hn_start_options known;
		uint64_t newer;
	} options = {.known = {.size = sizeof(options)}, .newer = 1};

	define(&w, "web");
	cr_assert_eq(hn_unit_start(w.session, "web", &options.known, NULL), HN_ENEWER);
	options.newer = 0;
	cr_assert_eq(hn_unit_start(w.session, "web", &options.known, &w.err), 0, "%s", why(&w));
}

Test(arguments, no_session)
{
	hn_fact fact;
	hn_boot *boot = NULL;
	char *xml = NULL;
	char byte;
	hn_console *console = NULL;

	cr_assert_eq(hn_machine_open(NULL, NULL), HN_ESESSION);
	cr_assert_eq(hn_machine_fact_at(NULL, 0, &fact, NULL), HN_ESESSION);
	cr_assert_eq(hn_machine_step(NULL, 0, NULL), HN_ESESSION);
	cr_assert_eq(hn_unit_start(NULL, "web", NULL, NULL), HN_ESESSION);
	cr_assert_eq(hn_unit_stop(NULL, "web", NULL, NULL, NULL), HN_ESESSION);
	cr_assert_eq(hn_unit_restart(NULL, "web", NULL, NULL), HN_ESESSION);
	cr_assert_eq(hn_unit_kill(NULL, "web", NULL), HN_ESESSION);
	cr_assert_eq(hn_unit_pause(NULL, "web", NULL), HN_ESESSION);
	cr_assert_eq(hn_unit_resume(NULL, "web", NULL), HN_ESESSION);
	cr_assert_eq(hn_unit_reset(NULL, "web", NULL), HN_ESESSION);
	cr_assert_eq(hn_unit_wait(NULL, "web", HN_WAIT_NONE, 0, NULL, NULL), HN_ESESSION);
	cr_assert_eq(hn_unit_xml(NULL, "web", &xml, NULL), HN_ESESSION);
	cr_assert_eq(hn_unit_boot(NULL, "web", &boot, NULL), HN_ESESSION);
	cr_assert_eq(hn_unit_console_open(NULL, "web", &console, NULL), HN_ESESSION);
	cr_assert_eq(hn_unit_log_read(NULL, "web", 0, &byte, 1, NULL), HN_ESESSION);
	cr_assert_eq(hn_host_calibrate(NULL, true, NULL, NULL, NULL, NULL, NULL), HN_ESESSION);
	cr_assert_eq(hn_host_capacity(NULL, NULL, NULL, NULL, NULL, NULL, NULL), HN_ESESSION);
}

static void reopen_read_only(world *w)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;

	close_world(w);
	options.state = w->directory;
	options.uri = w->uri;
	options.read_only = true;
	options.calibration = "reference:64";
	cr_assert_eq(hn_host_open(&options, &w->host, &w->err), 0, "%s", why(w));
	cr_assert_eq(hn_session_open_local(w->host, NULL, &w->session, &w->err), 0, "%s", why(w));
}

Test(read_only, nothing_is_run)
{
	AUTO_WORLD world w = new_world(NULL);

	define(&w, "web");
	reopen_read_only(&w);
	cr_assert_eq(hn_unit_start(w.session, "web", NULL, NULL), HN_EDENIED);
	cr_assert_eq(hn_unit_stop(w.session, "web", NULL, NULL, NULL), HN_EDENIED);
	cr_assert_eq(hn_unit_restart(w.session, "web", NULL, NULL), HN_EDENIED);
	cr_assert_eq(hn_unit_pause(w.session, "web", NULL), HN_EDENIED);
	cr_assert_eq(hn_unit_resume(w.session, "web", NULL), HN_EDENIED);
	cr_assert_eq(hn_unit_reset(w.session, "web", NULL), HN_EDENIED);
	cr_assert_eq(hn_unit_kill(w.session, "web", NULL), HN_EDENIED);
	cr_assert_eq(hn_machine_step(w.session, 0, NULL), HN_EDENIED);
	cr_assert_eq(hn_machine_open(w.session, NULL), HN_EDENIED);
	cr_assert_eq(hn_host_calibrate(w.session, true, NULL, NULL, NULL, NULL, NULL), HN_EDENIED);
}

Test(read_only, looking_works)
{
	AUTO_WORLD world w = new_world(NULL);
	hn_calibration calibration = HN_CALIBRATION_INIT;
	uint64_t capacity = 0;
	char *xml = NULL;

	define(&w, "web");
	reopen_read_only(&w);
	cr_assert_eq(hn_unit_xml(w.session, "web", &xml, &w.err), 0, "%s", why(&w));
	hn_text_free(xml);
	cr_assert_eq(hn_host_capacity(w.session, NULL, &capacity, NULL, NULL, NULL, &w.err), 0,
		"%s", why(&w));
	cr_assert_eq(capacity, 6400);
	cr_assert_eq(hn_host_get_calibration(w.session, &calibration, &w.err), 0, "%s", why(&w));
}

/* --- looking --- */

Test(look, xml_is_of_the_desired_values)
{
	AUTO_WORLD world w = new_world(NULL);
	char *xml = NULL, *again = NULL;

	(void)hn_unit_unref(make_unit(&w, "web", TEXTS("memory.size"), TEXTS("768Mi")));
	cr_assert_eq(hn_unit_xml(w.session, "web", &xml, &w.err), 0, "%s", why(&w));
	cr_assert_not_null(strstr(xml, "<name>web</name>"));
	cr_assert_not_null(strstr(xml, "786432</memory>"), "%s", xml);
	cr_assert_eq(hn_unit_xml(w.session, "web", &again, &w.err), 0);
	cr_assert_str_eq(xml, again);
	hn_text_free(xml);
	hn_text_free(again);
}

Test(look, missing_places_are_refused)
{
	AUTO_WORLD world w = new_world(NULL);

	define(&w, "web");
	cr_assert_eq(hn_unit_xml(w.session, "web", NULL, NULL), HN_EINVAL);
	cr_assert_eq(hn_unit_boot(w.session, "web", NULL, NULL), HN_EINVAL);
	cr_assert_eq(hn_unit_console_open(w.session, "web", NULL, NULL), HN_EINVAL);
	cr_assert_eq(hn_unit_log_read(w.session, "web", 0, NULL, 1, NULL), HN_EINVAL);
	cr_assert_eq(hn_machine_fact_at(w.session, 0, NULL, NULL), HN_EINVAL);
	cr_assert_eq(hn_host_get_calibration(w.session, NULL, NULL), HN_EINVAL);
}

Test(look, a_driver_without_console_says_so)
{
	AUTO_WORLD world w = new_world(NULL);
	hn_console *console = NULL;

	define(&w, "web");
	start(&w, "web", 0);
	cr_assert_eq(hn_unit_console_open(w.session, "web", &console, &w.err), HN_ENOSUP);
	cr_assert_null(console);
}

Test(look, facts_end)
{
	AUTO_WORLD world w = new_world(NULL);
	hn_fact fact;
	size_t count = 0;
	int rc;

	cr_assert_eq(hn_machine_open(w.session, &w.err), 0, "%s", why(&w));
	while ((rc = hn_machine_fact_at(w.session, count, &fact, &w.err)) == 0)
		count++;
	cr_assert_eq(rc, HN_ENOENT);
	cr_assert_gt(count, 2);
}

Test(look, a_second_owner_is_told_who_has_it)
{
	AUTO_WORLD world w = new_world(NULL);
	world second = {0};

	memcpy(second.directory, w.directory, sizeof(w.directory));
	memcpy(second.uri, w.uri, sizeof(w.uri));
	cr_assert_eq(hn_machine_open(w.session, &w.err), 0, "%s", why(&w));
	open_world(&second, "reference:64");
	cr_assert_eq(hn_machine_open(second.session, &second.err), HN_EBUSY);
	cr_assert_gt(hn_error_fact_count(second.err), 0);
	close_world(&second);
	(void)hn_error_unref(second.err);
}

/* --- restart policy through the step --- */

static void start_with_policy(world *w, const char *policy, const char *limit)
{
	(void)hn_unit_unref(
		make_unit(w, "web", TEXTS("restart.policy", "restart.limit", "restart.backoff"),
			TEXTS(policy, limit, "0s")));
	start(w, "web", 0);
}

Test(policy, always_restarts_and_counts)
{
	AUTO_WORLD world w = new_world(NULL);

	start_with_policy(&w, "always", "5");
	destroy_behind(&w, "web");
	step_until(&w, EVENT("restarted"), 1);
	cr_assert_not_null(strstr(w.last_data, "\"restarts\":1"), "%s", w.last_data);
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_RUNNING);
}

Test(policy, gives_up_at_the_limit)
{
	AUTO_WORLD world w = new_world(NULL);

	start_with_policy(&w, "always", "2");
	destroy_behind(&w, "web");
	step_until(&w, EVENT("restarted"), 1);
	destroy_behind(&w, "web");
	step_until(&w, EVENT("restarted"), 2);
	destroy_behind(&w, "web");
	step_until(&w, EVENT("crashed"), 1);
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_CRASHED);
	cr_assert_geq(hn_machine_step(w.session, SECOND / 2, &w.err), 0);
	cr_assert_eq(count_events(&w, EVENT("restarted")), 2);
}

Test(policy, a_start_by_hand_begins_anew)
{
	AUTO_WORLD world w = new_world(NULL);

	start_with_policy(&w, "always", "1");
	destroy_behind(&w, "web");
	step_until(&w, EVENT("restarted"), 1);
	destroy_behind(&w, "web");
	step_until(&w, EVENT("crashed"), 1);
	start(&w, "web", 0);
	destroy_behind(&w, "web");
	step_until(&w, EVENT("restarted"), 2);
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_RUNNING);
}

Test(policy, on_failure_leaves_an_orderly_end_alone)
{
	AUTO_WORLD world w = new_world(NULL);

	start_with_policy(&w, "on-failure", "5");
	destroy_behind(&w, "web");
	step_until(&w, EVENT("state.changed"), 2);
	cr_assert_geq(hn_machine_step(w.session, SECOND / 5, &w.err), 0, "%s", why(&w));
	cr_assert_eq(count_events(&w, EVENT("restarted")), 0);
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_STOPPED);
}

Test(policy, a_stop_that_was_asked_for_stays)
{
	AUTO_WORLD world w = new_world(NULL);

	start_with_policy(&w, "always", "5");
	cr_assert_eq(hn_unit_stop(w.session, "web", NULL, NULL, &w.err), 0, "%s", why(&w));
	for (int i = 0; i < 3; i++)
		cr_assert_geq(hn_machine_step(w.session, SECOND / 10, &w.err), 0, "%s", why(&w));
	cr_assert_eq(count_events(&w, EVENT("restarted")), 0);
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_STOPPED);
}

/* Two that are due at once are both restarted by one step. */
Test(policy, all_that_are_due_are_restarted)
{
	AUTO_WORLD world w = new_world(NULL);

	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "web" : "db";

		(void)hn_unit_unref(make_unit(&w, name, TEXTS("restart.policy", "restart.backoff"),
			TEXTS("always", "0s")));
		start(&w, name, 0);
		destroy_behind(&w, name);
	}
	drain_until_changed(&w, 4); /* two started, two ended */
	cr_assert_eq(host_supervise_due(w.session, INT64_MAX, &w.err), 2, "%s", why(&w));
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_RUNNING);
	cr_assert_eq(status_of(&w, "db"), HN_UNIT_RUNNING);
}

Test(policy, a_unit_that_shall_not_run_is_left_down)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	start_with_policy(&w, "always", "0"); /* would give up at once */
	unit = reload(&w, "web");
	cr_assert_eq(host_unit_set_wanted(w.host, unit, HOST_WANTED_STOPPED, &w.err), 0);
	destroy_behind(&w, "web");
	drain_until_changed(&w, 2);
	cr_assert_eq(host_supervise_due(w.session, INT64_MAX, &w.err), 0, "%s", why(&w));
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_STOPPED);
}

Test(policy, the_count_outlives_the_process)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	host_restart state;

	start_with_policy(&w, "always", "5");
	destroy_behind(&w, "web");
	step_until(&w, EVENT("restarted"), 1);
	close_world(&w);
	open_world(&w, "reference:64");
	unit = reload(&w, "web");
	cr_assert_eq(host_restart_load(w.host, unit->id, &state, &w.err), 0, "%s", why(&w));
	cr_assert_eq(state.count, 1);
	cr_assert_eq(state.due, 0);
	/* but not the kernel */
	cr_assert_eq(state_exec(w.host->store, "UPDATE restart SET boot = 'another'", &w.err), 0);
	cr_assert_eq(host_restart_load(w.host, unit->id, &state, &w.err), 0);
	cr_assert_eq(state.count, 0);
}

Test(policy, a_corrupt_record_is_told)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *unit = make_unit(&w, "web", NULL, NULL);
	host_restart state = {.count = 2, .times = {5, 6}}, again;

	cr_assert_eq(host_restart_save(w.host, unit->id, &state, &w.err), 0, "%s", why(&w));
	cr_assert_eq(host_restart_load(w.host, unit->id, &again, &w.err), 0, "%s", why(&w));
	cr_assert_eq(again.count, 2);
	cr_assert_eq(again.times[1], 6);
	cr_assert_eq(state_exec(w.host->store, "UPDATE restart SET times = x'8201'", &w.err), 0);
	cr_assert_eq(host_restart_load(w.host, unit->id, &again, &w.err), HN_ECORRUPT);
	cr_assert_eq(again.count, 2);
}

Test(policy, stale_events_change_nothing)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	machine_event event = {.status = HN_UNIT_STOPPED, .detail = "shutdown"};

	start_with_policy(&w, "always", "5");
	unit = reload(&w, "web");
	memcpy(event.uuid, unit->uuid, sizeof(event.uuid));
	cr_assert_eq(host_supervise_event(w.session, &event, &w.err), 0, "%s", why(&w));
	cr_assert_eq(status_of(&w, "web"), HN_UNIT_RUNNING);
	cr_assert_eq(count_events(&w, EVENT("state.changed")), 1);
}

Test(policy, events_of_foreign_domains_are_ignored)
{
	AUTO_WORLD world w = new_world(NULL);
	machine_event event = {.uuid = "11111111-2222-4333-8444-555555555555",
		.status = HN_UNIT_CRASHED,
		.detail = "crashed"};

	cr_assert_eq(host_supervise_event(w.session, &event, &w.err), 0, "%s", why(&w));
}

/* --- capacity and calibration through the gates --- */

typedef struct holders {
	char names[256];
	int count;
} holders;

static int list_holder(void *arg, const hn_capacity_entry *entry)
{
	holders *list = arg;
	size_t used = strlen(list->names);

	(void)snprintf(list->names + used, sizeof(list->names) - used, "%s=%llu/%lld ", entry->unit,
		(unsigned long long)entry->reserve, (long long)entry->overcommit);
	list->count++;
	return 0;
}

Test(capacity, lists_holders_largest_first)
{
	AUTO_WORLD world w = new_world("reference:4");
	uint64_t capacity = 0, reserved = 0;
	holders list = {0};

	(void)hn_unit_unref(make_unit(
		&w, "small", TEXTS("compute.units", "compute.overcommit"), TEXTS("40", "1.0")));
	(void)hn_unit_unref(make_unit(
		&w, "large", TEXTS("compute.units", "compute.overcommit"), TEXTS("400", "4.0")));
	cr_assert_eq(
		hn_host_capacity(w.session, NULL, &capacity, &reserved, list_holder, &list, &w.err),
		0, "%s", why(&w));
	cr_assert_eq(capacity, 400);
	cr_assert_eq(reserved, 140);
	cr_assert_str_eq(list.names, "large=400/4000000 small=40/1000000 ");
}

Test(capacity, reserve_of_its_own)
{
	AUTO_WORLD world w = new_world("reference:4");
	uint64_t reserved = 0;

	(void)hn_unit_unref(make_unit(&w, "web",
		TEXTS("compute.units", "compute.reserve", "compute.overcommit"),
		TEXTS("400", "50", "1.0")));
	cr_assert_eq(hn_host_capacity(w.session, NULL, NULL, &reserved, NULL, NULL, &w.err), 0,
		"%s", why(&w));
	cr_assert_eq(reserved, 50);
}

Test(capacity, what_if_changes_nothing)
{
	AUTO_WORLD world w = new_world("reference:4");
	uint64_t reserved = 0;

	(void)hn_unit_unref(make_unit(
		&w, "web", TEXTS("compute.units", "compute.overcommit"), TEXTS("100", "1.0")));
	cr_assert_eq(
		hn_host_capacity(w.session, "web=250 new=30", NULL, &reserved, NULL, NULL, &w.err),
		0, "%s", why(&w));
	cr_assert_eq(reserved, 280);
	cr_assert_eq(hn_host_capacity(w.session, NULL, NULL, &reserved, NULL, NULL, &w.err), 0);
	cr_assert_eq(reserved, 100);
	cr_assert_eq(hn_host_capacity(w.session, "web", NULL, &reserved, NULL, NULL, &w.err),
		HN_ESYNTAX);
	cr_assert_eq(reserved, 100);
}

Test(calibration, reference_is_100_units_a_thread)
{
	AUTO_WORLD world w = new_world("reference:3");
	hn_calibration calibration = HN_CALIBRATION_INIT;

	cr_assert_eq(hn_host_get_calibration(w.session, &calibration, &w.err), 0, "%s", why(&w));
	cr_assert_eq(calibration.threads, 3);
	cr_assert_eq(calibration.s1, 1000000);
	cr_assert_eq(calibration.sn, 1000000);
	cr_assert_eq(calibration.mix, 1);
	cr_assert_not(calibration.measured);
	cr_assert_not_null(calibration.cpu);
}

Test(calibration, nothing_stored_is_the_reference)
{
	AUTO_WORLD world w = new_world("");
	hn_calibration calibration = HN_CALIBRATION_INIT;

	cr_assert_eq(hn_host_get_calibration(w.session, &calibration, &w.err), 0, "%s", why(&w));
	cr_assert_not(calibration.measured);
	cr_assert_geq(calibration.threads, 1);
}

Test(calibration, an_unknown_option_is_refused)
{
	static const char *const options[] = {"fast", "reference:", "reference:0", "reference:x",
		"reference:1x", "reference:99999", "reference1"};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		AUTO_WORLD world w = new_world(options[i]);
		hn_calibration calibration = HN_CALIBRATION_INIT;

		cr_assert_eq(hn_host_get_calibration(w.session, &calibration, &w.err), HN_EINVAL,
			"%s", options[i]);
	}
}

Test(calibration, an_older_caller_has_a_shorter_struct)
{
	AUTO_WORLD world w = new_world("reference:3");
	hn_calibration calibration = {.size = offsetof(hn_calibration, s1), .s1 = 77};

	cr_assert_eq(hn_host_get_calibration(w.session, &calibration, &w.err), 0, "%s", why(&w));
	cr_assert_eq(calibration.threads, 3);
	cr_assert_eq(calibration.s1, 77);
	cr_assert_eq(calibration.size, offsetof(hn_calibration, s1));
}

/* One measurement serves several checks: it takes seconds. */
Test(calibration, measured_stored_and_stale, .timeout = 240)
{
	AUTO_WORLD world w = new_world("");
	hn_calibration measured = HN_CALIBRATION_INIT, stored = HN_CALIBRATION_INIT;
	uint64_t capacity = 0;

	cr_assert_eq(hn_host_calibrate(w.session, true, NULL, NULL, NULL, &measured, &w.err), 0,
		"%s", why(&w));
	cr_assert(measured.measured);
	cr_assert_gt(measured.s1, 10000);
	cr_assert_gt(measured.when, 0);
	cr_assert_eq(count_events(&w, "org.hypernix.host.calibrated.v1"), 1);
	cr_assert_not_null(strstr(w.last_data, "\"changed\":null"), "%s", w.last_data);
	close_world(&w);
	open_world(&w, NULL);
	cr_assert_eq(hn_host_get_calibration(w.session, &stored, &w.err), 0, "%s", why(&w));
	cr_assert_eq(stored.s1, measured.s1);
	cr_assert_eq(stored.sn, measured.sn);
	cr_assert_eq(stored.provisional, measured.provisional);
	cr_assert_eq(hn_host_capacity(w.session, NULL, &capacity, NULL, NULL, NULL, &w.err), 0,
		"%s", why(&w));
	cr_assert_eq(capacity, (uint64_t)measured.sn * 100 * measured.threads / 1000000);
	cr_assert_eq(state_exec(w.host->store,
			     "UPDATE calibration SET provisional = 0,"
			     " facts = replace(facts, '\"kernel\":\"', '\"kernel\":\"old-')",
			     &w.err),
		0);
	cr_assert_eq(hn_host_get_calibration(w.session, &stored, &w.err), 0, "%s", why(&w));
	cr_assert(stored.provisional, "measured with another kernel");
	cr_assert_eq(stored.s1, measured.s1);
}
