/* SPDX-License-Identifier: MIT
 *
 * Gates that run units: start, stop, restart, kill, pause, resume, reset, wait.
 */
#include "host/boot-record.h"
#include "host/call.h"
#include "host/capacity.h"
#include "host/images.h"
#include "host/restart.h"
#include "host/unit-secrets.h"

#define LOOK_EVERY (OS_SECOND / 4)
#define WAIT_DEFAULT (120 * OS_SECOND)

/* A call on one unit: who asks, on which host, which unit, with what permit. */
typedef struct call {
	hn_host *host;
	hn_unit *unit;
	host_permit permit;
	host_call asked;
} call;

static void end_call(call *c)
{
	(void)hn_unit_unref(c->unit);
	host_call_end(&c->asked);
}
#define AUTO_CALL __attribute__((cleanup(end_call)))

/* Resolves the name and asks for the permit. */
static int begin_call(hn_session *session, const char *unit, hn_verb verb, call *c, hn_error **err)
{
	int rc = host_session_use(session, &c->host, err);

	/* A long session must not start a guest with values whose time is over. */
	if (rc == 0 && verb == HN_VERB_UNIT_START)
		rc = host_expire(session, err);
	return rc < 0 ? host_conceal(session, rc, err)
		      : host_call_unit(session, unit, verb, &c->asked, &c->host, &c->unit,
				&c->permit, err);
}

/* What others have made of it meanwhile counts. */
static int reload(call *c, hn_error **err)
{
	hn_unit *unit = NULL;
	int rc = host_unit_load_id(c->host, c->unit->id, &unit, err);

	if (rc < 0)
		return rc;
	hn_unit_unref(c->unit);
	c->unit = unit;
	return 0;
}

static int copy_start(const hn_start_options *options, hn_start_options *known, hn_error **err)
{
	int rc = host_options_check(options, sizeof(*known), "hn_start_options", err);

	if (rc < 0)
		return rc;
	host_options_copy(known, options, sizeof(*known));
	known->size = sizeof(*known);
	if (known->timeout < 0)
		return base_error(err, HN_EINVAL, HOST_ROOM, "nanoseconds; 0 means 120 s",
			"a time-out is not negative");
	return 0;
}

/* What the unit holds now is what was applied; more than that must fit. */
static int hold_applied(host_admission *admission, const hn_unit *unit, hn_error **err)
{
	uint64_t reserve = 0;
	int64_t overcommit = 0;
	int rc;

	host_admission_remove(admission, unit->name);
	if (!unit->applied || !host_unit_holds(unit, host_status_runs(unit->status)))
		return 0;
	rc = host_admission_read(unit->applied, &reserve, &overcommit, err);
	if (rc < 0)
		return rc;
	return host_admission_set(admission, unit->name, reserve, overcommit, err);
}

/* The plan that admitted the applied values has not seen those that wait for this start. */
static int admit_pending(hn_host *host, const hn_unit *unit, hn_error **err)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = NULL;
	uint64_t reserve = 0;
	int64_t overcommit = 0;
	int rc;

	/* One that is no longer declared has given up what it held. */
	if (!unit->desired ||
		(host_unit_holds(unit, host_status_runs(unit->status)) &&
			memcmp(unit->desired_digest, unit->applied_digest, CRYPTO_DIGEST) == 0))
		return 0;
	rc = host_admission_load(host, &admission, err);
	if (rc == 0)
		rc = hold_applied(admission, unit, err);
	if (rc == 0)
		rc = host_admission_read(unit->desired, &reserve, &overcommit, err);
	if (rc < 0)
		return rc;
	return host_admission_check(admission, unit->name, reserve, overcommit, err);
}

/* An error of contracts names who promised them. A guest says each once: what another process has
 * heard is on record. */
static int name_promises(const call *c, machine *m, int rc, hn_error **err)
{
	BASE_AUTO_FREE hn_boot *boot = NULL;

	if (rc != HN_ECONTRACT && rc != HN_ETIMEOUT)
		return rc;
	boot = base_calloc(1, sizeof(*boot));
	if (!boot)
		return rc;
	(void)machine_checks_of(m, c->unit->uuid, &boot->phases);
	if (boot->phases.check_count == 0)
		(void)host_boots_read(c->host, c->unit->id, boot, 1, NULL);
	return host_promises_blame(c->host, c->unit->applied, &boot->phases, rc, err);
}

/* Waits no longer than the right to: a session may end meanwhile. */
static int wait_for(call *c, hn_wait condition, int64_t timeout, hn_cancel *cancel, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	int64_t begin = os_monotonic(c->host->os), whole = timeout > 0 ? timeout : WAIT_DEFAULT;
	machine *m = NULL;
	int rc = host_machine(c->host, &m, err);

	while (rc >= 0) {
		int64_t rest = whole - (os_monotonic(c->host->os) - begin);
		bool last = rest <= LOOK_EVERY;

		why = hn_error_unref(why);
		rc = machine_wait(m, c->unit->uuid, condition,
			!last      ? LOOK_EVERY
			: rest > 0 ? rest
				   : 1,
			cancel, &why);
		if (rc != HN_ETIMEOUT || last) {
			base_error_move(err, BASE_STEAL(why));
			return name_promises(c, m, rc, err);
		}
		rc = base_permit_live(&c->permit.base, err);
	}
	return rc;
}

static int start_unit(call *c, const hn_start_options *options, hn_error **err)
{
	int rc = admit_pending(c->host, c->unit, err);

	c->permit.base.cancel = options->cancel;
	if (rc == 0)
		rc = host_act_start(c->host, &c->permit, c->unit, options, err);
	if (rc != 1 || options->wait == HN_WAIT_NONE)
		return rc;
	/* it ran already: what the caller waits for may still be to come */
	rc = wait_for(c, options->wait, options->timeout, options->cancel, err);
	return rc < 0 ? rc : 1;
}

/* What the call made happen is recorded at once. That cannot undo what was done, so it does not
 * fail it. */
static int settle_drained(call *c, hn_session *session, int rc, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;

	if ((rc >= 0 || rc == HN_ECONTRACT) && c->host->machine &&
		host_supervise_drain(session, 0, &why) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "events of unit %s are not recorded yet: %s",
			c->unit->name, hn_error_message(why));
	return host_settle(&c->permit, rc, err);
}

int hn_unit_start(
	hn_session *session, const char *unit, const hn_start_options *options, hn_error **err)
{
	AUTO_CALL call c = {0};
	hn_start_options known;
	int rc = copy_start(options, &known, err);

	if (rc == 0)
		rc = begin_call(session, unit, HN_VERB_UNIT_START, &c, err);
	if (rc < 0)
		return rc;
	rc = reload(&c, err);
	return settle_drained(&c, session, rc < 0 ? rc : start_unit(&c, &known, err), err);
}

/* A unit without a domain does not run: to stop it is to say that it shall not. */
static int stop_absent(const call *c, hn_stop_result *done, int rc, hn_error **err)
{
	if (rc != HN_ENOENT)
		return rc;
	base_error_move(err, NULL);
	done->detail = "shutdown";
	return host_unit_set_wanted(c->host, c->unit, HOST_WANTED_STOPPED, err);
}

static int stop_unit(
	call *c, const hn_stop_options *options, hn_stop_result *result, hn_error **err)
{
	hn_stop_result done = {.size = sizeof(done)};
	uint32_t theirs = result ? result->size : 0;
	int rc;

	c->permit.base.cancel = options->cancel;
	rc = host_act_stop(c->host, &c->permit, c->unit, options, &done, err);
	rc = stop_absent(c, &done, rc, err);
	if (rc >= 0 && result) {
		memcpy(result, &done, theirs < sizeof(done) ? theirs : sizeof(done));
		result->size = theirs;
	}
	return rc;
}

/* How long a guest has to end by itself is a part of what is done to it. */
static void ask_stop(call *c, const hn_stop_options *options)
{
	if (options->force)
		caps_call_bool(&c->asked.what, "force", true);
	if (options->grace > 0)
		caps_call_int(&c->asked.what, "grace", options->grace);
}

int hn_unit_stop(hn_session *session, const char *unit, const hn_stop_options *options,
	hn_stop_result *result, hn_error **err)
{
	AUTO_CALL call c = {0};
	hn_stop_options known;
	int rc = host_options_check(options, sizeof(known), "hn_stop_options", err);

	if (rc == 0)
		rc = host_options_check(result, sizeof(*result), "hn_stop_result", err);
	if (rc < 0)
		return rc;
	host_options_copy(&known, options, sizeof(known));
	known.size = sizeof(known);
	if (known.grace < 0)
		return base_error(err, HN_EINVAL, HOST_ROOM, "nanoseconds; 0 means stop.grace",
			"a grace is not negative");
	ask_stop(&c, &known);
	rc = begin_call(session, unit, HN_VERB_UNIT_STOP, &c, err);
	return rc < 0 ? rc : host_settle(&c.permit, stop_unit(&c, &known, result, err), err);
}

int hn_unit_kill(hn_session *session, const char *unit, hn_error **err)
{
	hn_stop_options options = {.size = sizeof(options), .force = true};
	AUTO_CALL call c = {0};
	int rc;

	ask_stop(&c, &options);
	rc = begin_call(session, unit, HN_VERB_UNIT_STOP, &c, err);
	return rc < 0 ? rc : host_settle(&c.permit, stop_unit(&c, &options, NULL, err), err);
}

static int send_restarted(hn_session *session, const hn_unit *unit, hn_error **err)
{
	return host_event(session->host, session, "org.hypernix.unit.restarted.v1", unit->uuid,
		unit->name, "{\"by\":\"session\"}", err);
}

/* What the next start hands over must be there, and so must the right to it. */
static int check_secrets(hn_session *session, const call *c, const char *object, hn_error **err)
{
	const hn_view *view = c->unit->desired ? c->unit->desired : c->unit->applied;
	int rc;

	if (!host_secrets_named(view))
		return 0;
	rc = host_prove_handover(session, object, err);
	return rc < 0 ? rc : host_secrets_check(c->host, c->unit->name, c->unit->uuid, view, err);
}

/* A restart: the call has the permit of its start. */
typedef struct restarting {
	hn_session *session;
	call *c;
	host_permit stop;
} restarting;

static int admit_both(void *arg, hn_error **err)
{
	restarting *r = arg;
	int rc = host_admit_unit(r->session, HN_VERB_UNIT_STOP, r->c->unit->uuid, &r->stop, err);

	return rc < 0 ? rc
		      : host_admit_unit(r->session, HN_VERB_UNIT_START, r->c->unit->uuid,
				&r->c->permit, err);
}

/* Both rights before either half: a unit that may be stopped but not started, or for whose start a
 * quota is too small, must not stay down. */
static int begin_restart(restarting *r, const char *unit, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];
	int rc = host_session_use(r->session, &r->c->host, err);

	if (rc == 0)
		rc = host_expire(r->session, err);
	if (rc >= 0)
		rc = host_find_unit(r->session, unit, &r->c->unit, err);
	if (rc < 0)
		return rc;
	caps_call_bool(&r->c->asked.what, "restart", true);
	rc = host_call_begin(&r->c->asked, r->session, HN_VERB_UNIT_START,
		host_object_unit(object, r->c->unit->uuid), err);
	if (rc >= 0)
		rc = check_secrets(r->session, r->c, object, err);
	if (rc >= 0)
		rc = admit_pending(r->c->host, r->c->unit, err);
	return rc < 0 ? rc : host_transaction(r->c->host, admit_both, r, err);
}

/* A guest that runs is not taken down for one that cannot come up. */
static int check_restart(const call *c, hn_error **err)
{
	const hn_view *view = c->unit->desired ? c->unit->desired : c->unit->applied;
	machine *m = NULL;
	int rc = host_machine(c->host, &m, err);

	if (rc >= 0)
		rc = host_files_check(c->host, c->unit, view, err);
	return rc < 0 || !view ? rc : host_act_check(c->host, m, c->unit, view, err);
}

static int stop_for_restart(restarting *r, hn_cancel *cancel, hn_error **err)
{
	hn_stop_options options = {.size = sizeof(options), .cancel = cancel};
	int rc = check_restart(r->c, err);

	r->stop.base.cancel = cancel;
	/* Killed on the way, it is a unit that should run. */
	if (rc >= 0)
		rc = host_act_stop_to(
			r->c->host, &r->stop, r->c->unit, &options, HOST_WANTED_RUNNING, err);
	rc = host_settle(&r->stop, base_error_forgive(err, rc, HN_ENOENT), err);
	return rc < 0 ? rc : reload(r->c, err);
}

int hn_unit_restart(
	hn_session *session, const char *unit, const hn_start_options *options, hn_error **err)
{
	AUTO_CALL call c = {0};
	restarting r = {.session = session, .c = &c};
	hn_start_options known;
	int rc = copy_start(options, &known, err);

	if (rc == 0)
		rc = begin_restart(&r, unit, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	rc = stop_for_restart(&r, known.cancel, err);
	if (rc >= 0)
		rc = start_unit(&c, &known, err);
	if (rc >= 0)
		rc = send_restarted(session, c.unit, err);
	return settle_drained(&c, session, rc, err);
}

/* --- one call of the machine room, then the status that it leads to --- */

typedef int (*machine_verb)(
	const base_permit *permit, machine *m, const char *uuid, hn_error **err);

typedef struct noting {
	hn_session *session;
	const hn_unit *unit;
	hn_unit_status status;
} noting;

static int note_status(void *arg, hn_error **err)
{
	const noting *note = arg;
	hn_host *host = note->session->host;
	char data[96];
	int rc = host_unit_set_status(host, note->unit, note->status, note->unit->ready, err);

	if (rc < 0 || note->status == note->unit->status)
		return rc;
	(void)snprintf(data, sizeof(data), "{\"from\":\"%s\",\"to\":\"%s\",\"detail\":\"asked\"}",
		hn_unit_status_name(note->unit->status), hn_unit_status_name(note->status));
	return host_event(host, note->session, "org.hypernix.unit.state.changed.v1",
		note->unit->uuid, note->unit->name, data, err);
}

/* The machine room calls a unit by its name, which is not for who may not read it, or by its uuid.
 * `called`: by whoever asks. */
static int in_his_words(
	const hn_session *session, const call *c, const char *called, int rc, hn_error **err)
{
	char object[BASE_OBJECT_SIZE], name[BASE_OBJECT_SIZE];

	if (rc == HN_ENOENT)
		return base_error(err, HN_ENOENT, HOST_ROOM, "apply makes it again",
			"unit '%s' has no domain", called);
	if (rc != HN_EBUSY || !host_session_limited(session))
		return rc;
	(void)host_object_unit(object, c->unit->uuid);
	if (strcmp(host_object_called(session, object, name), object) != 0)
		return rc;
	return base_error(err, HN_EBUSY, HOST_ROOM, NULL, "unit '%s' is in another state", called);
}

static int act(hn_session *session, const char *unit, hn_verb verb, const char *how,
	machine_verb run, hn_unit_status leads_to, hn_error **err)
{
	AUTO_CALL call c = {0};
	machine *m = NULL;
	noting note = {.session = session, .status = leads_to};
	int rc;

	if (how)
		caps_call_bool(&c.asked.what, how, true);
	rc = begin_call(session, unit, verb, &c, err);
	if (rc < 0)
		return rc;
	note.unit = c.unit;
	rc = host_machine(c.host, &m, err);
	if (rc >= 0)
		rc = in_his_words(
			session, &c, unit, run(&c.permit.base, m, c.unit->uuid, err), err);
	if (rc >= 0) {
		int noted = host_transaction(c.host, note_status, &note, err);

		rc = noted < 0 ? noted : rc;
	}
	return host_settle(&c.permit, rc, err);
}

int hn_unit_pause(hn_session *session, const char *unit, hn_error **err)
{
	return act(session, unit, HN_VERB_UNIT_STOP, "pause", machine_pause, HN_UNIT_PAUSED, err);
}

int hn_unit_resume(hn_session *session, const char *unit, hn_error **err)
{
	int rc;

	host_has_already(session, true);
	rc = act(session, unit, HN_VERB_UNIT_START, "resume", machine_resume, HN_UNIT_RUNNING, err);
	host_has_already(session, false);
	return rc;
}

int hn_unit_reset(hn_session *session, const char *unit, hn_error **err)
{
	return act(session, unit, HN_VERB_UNIT_RESET, NULL, machine_reset, HN_UNIT_RUNNING, err);
}

/* Nobody else can start a unit while this process owns the machine: it would be waited for in vain.
 * Of a guest that this process started the machine room knows how it ended. */
static int check_awaited(machine *m, const hn_unit *unit, hn_wait condition, hn_error **err)
{
	BASE_AUTO_OF(machine_real) machine_real *real = NULL;
	hn_unit_status status = HN_UNIT_ABSENT;
	machine_boot boot;
	int rc;

	if (condition != HN_WAIT_RUNNING && condition != HN_WAIT_READY)
		return 0;
	rc = base_error_forgive(err, machine_observe(m, unit->uuid, &real, err), HN_ENOENT);
	if (rc < 0)
		return rc;
	if (real)
		status = real->status;
	if (host_status_runs(status) || status == HN_UNIT_UNREACHABLE ||
		machine_boot_of(m, unit->uuid, &boot) == 0)
		return 0;
	return base_error(err, HN_EBUSY, HOST_ROOM, "start it", "unit '%s' is %s", unit->name,
		hn_unit_status_name(host_status_known(unit, status)));
}

int hn_unit_wait(hn_session *session, const char *unit, hn_wait condition, int64_t timeout,
	hn_cancel *cancel, hn_error **err)
{
	AUTO_CALL call c = {0};
	machine *m = NULL;
	int rc;

	if (timeout < 0)
		return base_error(err, HN_EINVAL, HOST_ROOM, "nanoseconds; 0 means 120 s",
			"a time-out is not negative");
	rc = begin_call(session, unit, HN_VERB_UNIT_READ, &c, err);
	if (rc < 0)
		return rc;
	rc = host_answers(&c.permit, 0, err);
	if (rc >= 0 && condition != HN_WAIT_NONE)
		rc = host_machine(c.host, &m, err);
	if (rc >= 0 && m)
		rc = check_awaited(m, c.unit, condition, err);
	if (rc >= 0 && m)
		rc = wait_for(&c, condition, timeout, cancel, err);
	return settle_drained(&c, session, rc < 0 ? rc : 0, err);
}
