/* SPDX-License-Identifier: MIT
 *
 * Acting on one unit: what plans and the start and stop of a session share. Each act first writes
 * down what is wanted, then acts, then writes down what is true; a process that dies between finds
 * the wish again and finishes.
 */
#include "host/boot-record.h"
#include "host/images.h"
#include "host/restart.h"
#include "host/unit-secrets.h"

#define STATE_CHANGED "org.hypernix.unit.state.changed.v1"
#define GRACE_DEFAULT INT64_C(30000000000)

bool host_status_runs(hn_unit_status status)
{
	return status == HN_UNIT_RUNNING || status == HN_UNIT_PAUSED ||
	       status == HN_UNIT_STARTING || status == HN_UNIT_STOPPING;
}

static int send_state(const hn_host *host, const hn_session *session, const hn_unit *unit,
	hn_unit_status status, const char *detail, hn_error **err)
{
	char data[160];

	(void)snprintf(data, sizeof(data), "{\"status\":\"%s\",\"detail\":\"%s\"}",
		hn_unit_status_name(status), detail);
	return host_event(
		(hn_host *)host, session, STATE_CHANGED, unit->uuid, unit->name, data, err);
}

/* --- define --- */

int host_act_define(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const hn_view *view, hn_error **err)
{
	BASE_AUTO_FREE char *machine_type = NULL;
	uint8_t digest[CRYPTO_DIGEST];
	machine *m = NULL;
	machine_unit what;
	char hex[65];
	int rc = host_machine(host, &m, err);

	if (rc >= 0)
		rc = host_files_check(host, unit, view, err);
	if (rc >= 0)
		rc = host_machine_unit(host, unit, view, hex, &what, err);
	if (rc >= 0)
		rc = host_view_digest(view, digest, err);
	if (rc >= 0)
		rc = machine_define(&permit->base, m, &what, &machine_type, err);
	if (rc < 0)
		return rc;
	return host_unit_set_defined(host, unit, machine_type, digest, err);
}

/* --- start --- */

typedef struct outcome {
	hn_host *host;
	const hn_session *session;
	const hn_unit *unit;
	const hn_view *view;
	const machine_boot *boot;
	hn_unit_status status;
	int ready;
	host_wanted wanted;
	const char *detail;
	host_handover *handover;
} outcome;

static int64_t boot_goal(const hn_view *view)
{
	int64_t goal = 0;

	return hn_view_get_int(view, "boot.goal", &goal, NULL) < 0 ? 0 : goal;
}

static int write_started(void *arg, hn_error **err)
{
	const outcome *what = arg;
	int rc = host_unit_set_status(what->host, what->unit, what->status, what->ready, err);

	if (rc >= 0)
		rc = host_unit_set_wanted(what->host, what->unit, what->wanted, err);
	if (rc >= 0)
		rc = host_view_store(what->host, what->unit, HOST_APPLIED, what->view, NULL, err);
	if (rc >= 0)
		rc = host_hold_settle(what->host, what->unit, err);
	if (rc >= 0)
		rc = host_boot_store(
			what->host, what->unit, what->boot, boot_goal(what->view), err);
	if (rc >= 0)
		rc = host_handover_write(what->host, what->handover, err);
	if (rc >= 0)
		rc = host_touch(what->host, err);
	return rc < 0 ? rc
		      : send_state(what->host, what->session, what->unit, what->status,
				what->detail, err);
}

/* While the hypervisor is away nothing tells that a domain is gone. */
static hn_unit_status observed_status(machine *m, const hn_unit *unit)
{
	BASE_AUTO_OF(machine_real) machine_real *real = NULL;
	int rc = machine_observe(m, unit->uuid, &real, NULL);

	if (rc < 0)
		return rc == HN_ENOENT ? HN_UNIT_ABSENT : HN_UNIT_UNREACHABLE;
	return real->status;
}

/* A start that failed may have left the guest running (it was only not ready in time): what is true
 * is kept. */
static void keep_truth(hn_host *host, machine *m, const hn_unit *unit, host_wanted before)
{
	hn_unit_status status = observed_status(m, unit);

	/* One that did not run is not out of reach because nobody can look. */
	if (status != HN_UNIT_UNREACHABLE || host_status_runs(unit->status))
		(void)host_unit_set_status(
			host, unit, status, host_status_runs(status) ? 0 : -1, NULL);
	if (!host_status_runs(status))
		(void)host_unit_set_wanted(host, unit, before, NULL);
}

static int define_for_start(hn_host *host, const host_permit *permit, machine *m,
	const hn_unit *unit, const hn_view *view, hn_error **err)
{
	uint8_t digest[CRYPTO_DIGEST];
	int rc = host_view_digest(view, digest, err);

	if (rc < 0)
		return rc;
	/* as it is defined already; where its files lie may be another matter by now */
	if (memcmp(digest, unit->defined_digest, CRYPTO_DIGEST) == 0 &&
		observed_status(m, unit) != HN_UNIT_ABSENT)
		return host_files_check(host, unit, view, err);
	return host_act_define(host, permit, unit, view, err);
}

typedef struct key_list {
	const char **keys;
	size_t count, capacity;
	hn_error **err;
} key_list;

static int add_move(
	void *arg, const char *key, const hn_key *row, const char *old_text, const char *new_text)
{
	key_list *list = arg;

	(void)old_text;
	(void)new_text;
	if (row->class_ != HN_CLASS_MOVE)
		return 0;
	if (base_grow(&list->keys, &list->capacity, list->count + 1, sizeof(*list->keys)) < 0)
		return base_nomem(list->err);
	list->keys[list->count++] = key;
	return 0;
}

/* What a start takes of the desired values: all but those that need another host. */
static int without_moves(const hn_unit *unit, const hn_view *view, hn_view **taken, hn_error **err)
{
	key_list list = {.err = err};
	int rc = unit->applied ? hn_view_diff(unit->applied, view, add_move, &list, err) : 0;

	if (rc >= 0 && list.count > 0)
		rc = host_view_mix(view, unit->applied, list.keys, list.count, taken, err);
	else if (rc >= 0)
		*taken = hn_view_ref((hn_view *)view);
	base_free(list.keys);
	return rc;
}

/* Whoever starts several units must be able to tell whose phase it is. */
typedef struct named_progress {
	hn_progress_fn each;
	void *arg;
	const char *unit;
} named_progress;

static void report_named(
	void *arg, uint64_t done, uint64_t total, const char *unit, const char *phase)
{
	const named_progress *to = arg;
	char text[128];

	(void)snprintf(text, sizeof(text), "%s %s", to->unit, phase);
	to->each(to->arg, done, total, unit, text);
}

/* rc: of the start. Not ready in time, or without what its contracts promise, it may run all the
 * same, and with the new values. */
static int record_start(outcome *done, machine *m, int rc, hn_error **err)
{
	bool unready = rc == HN_ETIMEOUT || rc == HN_ECANCELLED || rc == HN_ECONTRACT;
	int recorded;

	if (rc >= 0)
		recorded = host_transaction(done->host, write_started, done, err);
	else if (unready && host_status_runs(observed_status(m, done->unit)))
		recorded = host_transaction(done->host, write_started, done, NULL);
	else
		recorded = host_boot_tell_checks(done->host, done->unit, done->boot, NULL);
	if (recorded >= 0)
		machine_checks_told(m, done->unit->uuid);
	return rc < 0 ? rc : recorded;
}

static int start_unit(hn_host *host, const host_permit *permit, machine *m, const hn_unit *given,
	const hn_view *view, host_handover *handover, const hn_start_options *options,
	hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	BASE_AUTO_OF(hn_view) hn_view *taken = NULL;
	machine_boot boot = {0};
	machine_unit what;
	outcome done;
	char hex[65];
	int rc = define_for_start(host, permit, m, given, view, err);

	if (rc >= 0) /* the define may have frozen the machine type */
		rc = host_unit_load_id(host, given->id, &unit, err);
	if (rc >= 0)
		rc = host_machine_unit(host, unit, view, hex, &what, err);
	if (rc >= 0)
		rc = without_moves(unit, view, &taken, err);
	if (rc < 0)
		return rc;
	done = (outcome){
		.host = host,
		.session = permit->session,
		.unit = unit,
		.view = taken,
		.boot = &boot,
		.status = HN_UNIT_RUNNING,
		.wanted = HOST_WANTED_RUNNING,
		.detail = "started",
		.handover = handover,
	};
	if (handover->fd >= 0)
		what.secrets = &handover->fd;
	rc = machine_start(&permit->base, m, &what, options, &boot, err);
	if (host_promises_name(host, taken, &boot, NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM,
			"who promised the contracts of unit %s could not be found out", unit->name);
	rc = host_promises_blame(host, taken, &boot, rc, err);
	done.ready = boot.ready ? 1 : rc < 0 ? 0 : -1;
	return record_start(&done, m, rc, err);
}

int host_act_start_with(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const hn_view *view, const hn_start_options *options, hn_error **err)
{
	hn_start_options known;
	host_handover handover;
	named_progress named = {.unit = unit->name};
	machine *m = NULL;
	int rc = host_machine(host, &m, err);

	host_options_copy(&known, options, sizeof(known));
	known.size = sizeof(known);
	if (known.progress) {
		named.each = known.progress;
		named.arg = known.progress_arg;
		known.progress = report_named;
		known.progress_arg = &named;
	}
	if (rc >= 0)
		rc = host_restart_forget(host, unit->id, err);
	if (rc >= 0)
		rc = host_unit_set_wanted(host, unit, HOST_WANTED_RUNNING, err);
	if (rc < 0)
		return rc;
	if (host_status_runs(observed_status(m, unit)))
		return 1;
	rc = host_handover_begin(permit->session, unit, view, &handover, err);
	if (rc >= 0) {
		rc = start_unit(host, permit, m, unit, view, &handover, &known, err);
		rc = host_handover_end(&handover, rc, err);
	}
	if (rc < 0)
		keep_truth(host, m, unit, unit->wanted);
	return rc < 0 ? rc : 0;
}

int host_act_start(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const hn_start_options *options, hn_error **err)
{
	const hn_view *view = unit->desired ? unit->desired : unit->applied;

	if (!view)
		return base_error(err, HN_ENOENT, HOST_ROOM, "define the unit first",
			"%s has no values to start from", unit->name);
	return host_act_start_with(host, permit, unit, view, options, err);
}

int host_act_check(
	hn_host *host, machine *m, const hn_unit *unit, const hn_view *view, hn_error **err)
{
	machine_unit what;
	char hex[65];
	int rc = host_machine_unit(host, unit, view, hex, &what, err);

	return rc < 0 ? rc : machine_check(m, &what, err);
}

/* --- stop --- */

static int write_stopped(void *arg, hn_error **err)
{
	const outcome *what = arg;
	int rc = host_unit_set_status(what->host, what->unit, what->status, -1, err);

	if (rc >= 0)
		rc = host_unit_set_wanted(what->host, what->unit, what->wanted, err);
	return rc < 0 ? rc
		      : send_state(what->host, what->session, what->unit, what->status,
				what->detail, err);
}

static int64_t stop_grace(const hn_unit *unit)
{
	const hn_view *view = unit->applied ? unit->applied : unit->desired;
	int64_t grace = GRACE_DEFAULT;

	if (view)
		(void)hn_view_get_int(view, "stop.grace", &grace, NULL);
	return grace;
}

/* A guest that did not stop goes on as before. */
static void keep_running(hn_host *host, machine *m, const hn_unit *unit)
{
	hn_unit_status status = observed_status(m, unit);

	if (host_status_runs(status) || status == HN_UNIT_UNREACHABLE)
		(void)host_unit_set_wanted(host, unit, unit->wanted, NULL);
}

static int stop_unit(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const hn_stop_options *options, host_wanted wanted, hn_stop_result *result, hn_error **err)
{
	hn_stop_result told = {.size = sizeof(told), .detail = "shutdown"};
	hn_stop_options known;
	outcome done = {
		.host = host,
		.session = permit->session,
		.unit = unit,
		.status = HN_UNIT_STOPPED,
		.wanted = wanted,
	};
	machine *m = NULL;
	int rc = host_machine(host, &m, err);

	host_options_copy(&known, options, sizeof(known));
	if (rc >= 0)
		rc = host_restart_forget(host, unit->id, err);
	if (rc >= 0)
		rc = host_unit_set_wanted(host, unit, wanted, err);
	if (rc < 0)
		return rc;
	rc = machine_stop(&permit->base, m, unit->uuid,
		known.grace > 0 ? known.grace : stop_grace(unit), known.force, &told, err);
	if (rc < 0) {
		keep_running(host, m, unit);
		return rc;
	}
	done.detail = told.detail ? told.detail : "shutdown";
	rc = host_transaction(host, write_stopped, &done, err);
	if (rc >= 0 && result)
		*result = told;
	return rc;
}

int host_act_stop(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const hn_stop_options *options, hn_stop_result *result, hn_error **err)
{
	return stop_unit(host, permit, unit, options, HOST_WANTED_STOPPED, result, err);
}

int host_act_stop_to(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const hn_stop_options *options, host_wanted wanted, hn_error **err)
{
	return stop_unit(host, permit, unit, options, wanted, NULL, err);
}

int host_act_undefine(hn_host *host, const host_permit *stop, const host_permit *undefine,
	const char *uuid, hn_error **err)
{
	hn_stop_result told = {.size = sizeof(told)};
	machine *m = NULL;
	int rc = host_machine(host, &m, err);

	if (rc < 0)
		return rc;
	rc = machine_stop(&stop->base, m, uuid, 0, true, &told, err);
	rc = base_error_forgive(err, rc, HN_ENOENT);
	return rc < 0 ? rc : machine_undefine(&undefine->base, m, uuid, err);
}
