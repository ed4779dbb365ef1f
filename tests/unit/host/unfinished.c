/* SPDX-License-Identifier: MIT
 *
 * Processes that die between an allow record and its outcome: whoever comes next asks the machine
 * what has become of it, and puts that on record.
 */
#include "sim/lab.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ONE "{\"hypernix\":1,\"units\":{\"web\":{}}}"

/* The handle's rows look like those of a process that is gone. */
static void be_another(lab *l)
{
	(void)host_process(l->host);
	l->host->process.started = 1;
}

static uint64_t pending(lab *l)
{
	return lab_number(l, "SELECT count(*) FROM audit_pending");
}

/* Recovery records that refer to something and say this. */
static uint64_t recovered(lab *l, const char *note)
{
	char sql[200];

	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM audit WHERE instr(rec, x'070f08') AND instr(rec,"
		" CAST('%s' AS BLOB))",
		note);
	return lab_number(l, sql);
}

static void unit_object(lab *l, const char *name, char object[BASE_OBJECT_SIZE])
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	cr_assert_eq(hn_unit_find(l->session, name, false, &unit, lab_err(l)), 0);
	(void)host_object_unit(object, hn_unit_uuid(unit));
}

/* Admits, and is never heard of again. */
static void leave(lab *l, hn_verb verb)
{
	char object[BASE_OBJECT_SIZE];
	host_permit permit;

	unit_object(l, "web", object);
	be_another(l);
	cr_assert_eq(host_admit(l->session, verb, object, NULL, &permit, lab_err(l)), 0, "%s",
		lab_why(l));
	cr_assert_eq(pending(l), 1);
}

static void own_machine(lab *l)
{
	cr_assert_eq(hn_machine_open(l->session, lab_err(l)), 0, "%s", lab_why(l));
}

Test(unfinished, the_machine_says_what_became_of_a_start)
{
	LAB l = lab_new();

	lab_must_apply(&l, ONE);
	cr_assert_geq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0);
	leave(&l, HN_VERB_UNIT_START);
	lab_reopen(&l);
	cr_expect_eq(pending(&l), 1, "nobody has asked the machine yet");
	own_machine(&l);
	cr_expect_eq(pending(&l), 0);
	cr_expect_eq(recovered(&l, "not done"), 1);
	cr_assert_geq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	leave(&l, HN_VERB_UNIT_START);
	lab_reopen(&l);
	own_machine(&l);
	cr_expect_eq(recovered(&l, "done"), 2, "one of them not done");
	cr_expect_eq(recovered(&l, "not done"), 1);
	cr_expect_eq(pending(&l), 0);
}

Test(unfinished, of_a_stop_and_a_delete_too)
{
	LAB l = lab_new();

	lab_must_apply(&l, ONE);
	cr_assert_geq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	leave(&l, HN_VERB_UNIT_STOP);
	lab_reopen(&l);
	own_machine(&l);
	cr_expect_eq(recovered(&l, "not done"), 1);
	cr_assert_geq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0);
	leave(&l, HN_VERB_UNIT_DELETE);
	lab_reopen(&l);
	own_machine(&l);
	cr_expect_eq(recovered(&l, "not done"), 2);
	leave(&l, HN_VERB_UNIT_STOP);
	lab_reopen(&l);
	own_machine(&l);
	cr_expect_eq(recovered(&l, "done"), 3);
}

/* What runs may be the work of who came after. */
Test(unfinished, a_later_call_leaves_it_unknown)
{
	LAB l = lab_new();

	lab_must_apply(&l, ONE);
	cr_assert_geq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0);
	leave(&l, HN_VERB_UNIT_START);
	cr_assert_geq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	lab_reopen(&l);
	own_machine(&l);
	cr_expect_eq(pending(&l), 0);
	cr_expect_eq(recovered(&l, "unknown"), 1);
	cr_expect_eq(recovered(&l, "done"), 0);
}

static void settle_too(void *arg)
{
	lab *other = arg;

	fake.asked = NULL;
	cr_expect_eq(state_exec(other->host->store, "DELETE FROM audit_pending", lab_err(other)), 0,
		"%s", lab_why(other));
}

/* Nothing is locked while the machine is asked, and what it was asked about is settled once. */
Test(unfinished, two_processes_find_the_same)
{
	LAB l = lab_new();
	LAB other = {.os = l.os, .reason = "test"};

	lab_must_apply(&l, ONE);
	leave(&l, HN_VERB_UNIT_STOP);
	lab_reopen(&l);
	cr_assert_eq(lab_open(&other), 0, "%s", lab_why(&other));
	fake.asked = settle_too;
	fake.arg = &other;
	own_machine(&l);
	cr_expect_null(fake.asked, "it was asked");
	cr_expect_eq(pending(&l), 0);
	cr_expect_eq(recovered(&l, "done"), 0, "that is for the other to say");
	lab_close(&other);
	other.err = hn_error_unref(other.err);
	other.os = NULL;
}

Test(unfinished, what_nobody_can_know_is_unknown_at_the_next_open)
{
	LAB l = lab_new();

	lab_must_apply(&l, ONE);
	leave(&l, HN_VERB_UNIT_SECRET);
	lab_reopen(&l);
	cr_expect_eq(pending(&l), 0);
	cr_expect_eq(recovered(&l, "unknown"), 1);
	lab_reopen(&l);
	cr_expect_eq(recovered(&l, "unknown"), 1, "once");
}

Test(unfinished, it_names_the_record_that_it_is_about)
{
	LAB l = lab_new();
	char *json = NULL, wanted[64];
	uint64_t number;

	lab_must_apply(&l, ONE);
	leave(&l, HN_VERB_UNIT_SECRET);
	number = lab_number(&l, "SELECT seq FROM audit_pending");
	lab_reopen(&l);
	cr_assert_eq(
		hn_audit_tail(l.session, number, 1000, &json, lab_err(&l)), 0, "%s", lab_why(&l));
	(void)snprintf(wanted, sizeof(wanted), "\"refers\":%llu", (unsigned long long)number);
	cr_expect_not_null(strstr(json, wanted), "%s in %s", wanted, json);
	hn_text_free(json);
}

Test(unfinished, a_call_that_goes_on_is_left_alone)
{
	LAB l = lab_new();
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	BASE_AUTO_OF(hn_host) hn_host *other = NULL;
	char object[BASE_OBJECT_SIZE];
	host_permit permit;

	lab_must_apply(&l, ONE);
	unit_object(&l, "web", object);
	cr_assert_eq(host_admit(l.session, HN_VERB_UNIT_SECRET, object, NULL, &permit, lab_err(&l)),
		0, "%s", lab_why(&l));
	options.state = "/state";
	options.os = l.os;
	cr_assert_eq(hn_host_open(&options, &other, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(pending(&l), 1);
	cr_expect_eq(host_settle(&permit, 0, lab_err(&l)), 0);
	cr_expect_eq(pending(&l), 0);
	cr_expect_eq(recovered(&l, "unknown"), 0);
}

/* What is done in the transaction of its allow record stands or falls with it. */
Test(unfinished, a_change_of_the_database_needs_none)
{
	LAB l = lab_new();
	char object[BASE_OBJECT_SIZE];
	host_permit permit;

	lab_must_apply(&l, ONE);
	unit_object(&l, "web", object);
	cr_assert_eq(state_begin(l.host->store, lab_err(&l)), 0);
	cr_assert_eq(host_admit(l.session, HN_VERB_UNIT_UPDATE, object, NULL, &permit, lab_err(&l)),
		0, "%s", lab_why(&l));
	cr_assert_eq(state_commit(l.host->store, lab_err(&l)), 0);
	cr_expect_eq(pending(&l), 0);
}

Test(unfinished, what_ends_well_leaves_nothing)
{
	LAB l = lab_new();

	lab_must_apply(&l, ONE);
	cr_assert_geq(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_geq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0);
	cr_expect_eq(pending(&l), 0);
}

/* --- crash images: what was not synced is kept or lost --- */

static void stop_io(void *arg)
{
	hn_os_sim_fail(arg, 1, true, EIO);
}

static void die_in_start(bool after, hn_os_sim_crash how)
{
	LAB l = lab_new();

	lab_must_apply(&l, ONE);
	cr_assert_geq(hn_unit_stop(l.session, "web", NULL, NULL, lab_err(&l)), 0);
	be_another(&l);
	fake.died = stop_io;
	fake.arg = l.os;
	fake.fault.die_at = fake.writes + 1;
	fake.fault.die_after = after;
	cr_assert_lt(hn_unit_start(l.session, "web", NULL, lab_err(&l)), 0);
	lab_close(&l);
	hn_os_sim_fail(l.os, 0, false, 0);
	cr_assert_eq(hn_os_sim_crash_now(l.os, how, 7, NULL), 0);
	fake.dead = false;
	fake.fault = (fake_fault){0};
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	cr_expect_eq(pending(&l), 1, "the allow record was durable before the effect");
	own_machine(&l);
	cr_expect_eq(pending(&l), 0);
	cr_expect_eq(recovered(&l, after ? "done" : "not done"), 1);
	cr_expect_eq(recovered(&l, "not done"), after ? 0 : 1);
	cr_expect_eq(hn_state_verify(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(unfinished, a_process_that_dies_before_its_effect)
{
	die_in_start(false, HN_OS_SIM_CRASH_KEEP);
	die_in_start(false, HN_OS_SIM_CRASH_DROP);
}

Test(unfinished, a_process_that_dies_after_its_effect)
{
	die_in_start(true, HN_OS_SIM_CRASH_KEEP);
	die_in_start(true, HN_OS_SIM_CRASH_DROP);
}

/* Each call of the disk fails once while it is settled: in the end it is there, and once. */
Test(unfinished, settling_survives_every_failing_call)
{
	for (uint64_t nth = 1;; nth++) {
		LAB l = lab_new();
		uint64_t before;
		bool reached;

		lab_must_apply(&l, ONE);
		leave(&l, HN_VERB_UNIT_SECRET);
		lab_close(&l);
		before = hn_os_sim_calls(l.os);
		hn_os_sim_fail(l.os, nth, false, EIO);
		(void)lab_open(&l);
		lab_close(&l);
		reached = hn_os_sim_calls(l.os) - before >= nth;
		hn_os_sim_fail(l.os, 0, false, 0);
		cr_assert_eq(
			lab_open(&l), 0, "call %llu: %s", (unsigned long long)nth, lab_why(&l));
		cr_expect_eq(recovered(&l, "unknown"), 1, "call %llu", (unsigned long long)nth);
		cr_expect_eq(pending(&l), 0);
		cr_expect_eq(hn_state_verify(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
		if (!reached)
			return;
	}
}

/* --- a real kill --- */

static void end_of_process(void *arg)
{
	(void)arg;
	(void)kill(getpid(), SIGKILL);
}

static lab on_disk(const char *state)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	lab l = {.reason = "test"};

	options.state = state;
	options.calibration = "reference:64";
	cr_assert_eq(hn_host_open(&options, &l.host, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_session_open_local(l.host, NULL, &l.session, lab_err(&l)), 0);
	return l;
}

Test(unfinished, a_killed_process_is_found_out)
{
	char state[] = "/tmp/hn-unfinished-XXXXXX";
	int status = 0;
	pid_t child;
	lab l;

	fake_reset();
	cr_assert_not_null(mkdtemp(state));
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		l = on_disk(state);
		if (lab_apply(&l, ONE) < 0 || hn_unit_stop(l.session, "web", NULL, NULL, NULL) < 0)
			_exit(1);
		fake.died = end_of_process;
		fake.fault.die_at = fake.writes + 1;
		(void)hn_unit_start(l.session, "web", NULL, NULL);
		_exit(2);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status), "it ended with %d", WEXITSTATUS(status));
	l = on_disk(state);
	cr_expect_eq(pending(&l), 1);
	own_machine(&l);
	cr_expect_eq(pending(&l), 0);
	/* its machine, in its own memory, is gone with it */
	cr_expect_eq(recovered(&l, "not done"), 1);
	lab_close(&l);
	cr_expect_eq(os_remove_tree(hn_os_real(), state, NULL), 0);
	l.err = hn_error_unref(l.err);
}
