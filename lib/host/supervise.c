/* SPDX-License-Identifier: MIT
 *
 * What the owner of a machine does with hypervisor events and with time: records, events, restarts.
 */
#include "host/boot-record.h"
#include "host/plan.h"
#include "host/restart.h"

#define EVENT(name) "org.hypernix.unit." name ".v1"
#define LOOK_AGAIN (5 * OS_SECOND)

static int64_t boot_clock(const hn_host *host)
{
	return host->os->ops->clock(host->os, HN_OS_CLOCK_BOOT);
}

static bool is_up(hn_unit_status status)
{
	return status == HN_UNIT_STARTING || status == HN_UNIT_RUNNING ||
	       status == HN_UNIT_PAUSED || status == HN_UNIT_STOPPING;
}

/* As far as is known: a unit out of reach that is found ended has ended meanwhile. */
static bool may_run(hn_unit_status status)
{
	return is_up(status) || status == HN_UNIT_UNREACHABLE;
}

/* Ended: there, but not running. A domain that is gone is drift, one out of reach may well run. */
static bool is_down(hn_unit_status status)
{
	return status == HN_UNIT_STOPPED || status == HN_UNIT_CRASHED || status == HN_UNIT_DEFINED;
}

/* --- one event, in one transaction --- */

typedef struct happening {
	hn_session *session;
	const hn_unit *unit;
	hn_unit_status status;
	const char *detail;
} happening;

static int send_state(const happening *what, const char *type, hn_unit_status to, hn_error **err)
{
	char data[160];

	/* all four are our own words: nothing to escape */
	(void)snprintf(data, sizeof(data), "{\"from\":\"%s\",\"to\":\"%s\",\"detail\":\"%s\"}",
		hn_unit_status_name(what->unit->status), hn_unit_status_name(to), what->detail);
	return host_event(what->session->host, what->session, type, what->unit->uuid,
		what->unit->name, data, err);
}

static host_restart_event event_of(const happening *what)
{
	if (what->status == HN_UNIT_CRASHED || strcmp(what->detail, "crashed") == 0 ||
		strcmp(what->detail, "failed") == 0)
		return HOST_RESTART_FAILED;
	return HOST_RESTART_SHUT_DOWN;
}

/* Plans the restart, or gives up. */
static int take_end(const happening *what, host_restart_event event, hn_error **err)
{
	hn_host *host = what->session->host;
	const hn_unit *unit = what->unit;
	const hn_view *view = unit->applied ? unit->applied : unit->desired;
	host_restart_action action;
	host_restart_rules rules;
	host_restart state;
	int rc;

	if (unit->wanted != HOST_WANTED_RUNNING || !view)
		return 0;
	rc = host_restart_read_rules(view, &rules, err);
	if (rc == 0)
		rc = host_restart_load(host, unit->id, &state, err);
	if (rc < 0)
		return rc;
	action = host_restart_step(&state, &rules, event, boot_clock(host));
	rc = host_restart_save(host, unit->id, &state, err);
	if (rc < 0 || action != HOST_RESTART_GIVE_UP)
		return rc;
	rc = host_unit_set_status(host, unit, HN_UNIT_CRASHED, 0, err);
	if (rc < 0)
		return rc;
	return send_state(what, EVENT("crashed"), HN_UNIT_CRASHED, err);
}

static int take_ready(const happening *what, hn_error **err)
{
	hn_host *host = what->session->host;
	machine_boot boot;
	int rc = host_unit_set_status(host, what->unit, what->status, 1, err);

	if (rc == 0 && machine_boot_of(host->machine, what->unit->uuid, &boot) == 0)
		rc = host_boot_complete(host, what->unit, &boot, err);
	if (rc < 0)
		return rc;
	return host_event(
		host, what->session, EVENT("ready"), what->unit->uuid, what->unit->name, NULL, err);
}

static int take_status(void *arg, hn_error **err)
{
	const happening *what = arg;
	hn_host *host = what->session->host;
	hn_unit_status was = what->unit->status;
	int rc;

	if (strcmp(what->detail, "ready") == 0)
		return take_ready(what, err);
	if (what->status == was || (is_down(what->status) && !may_run(was)))
		return 0;
	rc = host_unit_set_status(
		host, what->unit, what->status, may_run(what->status) ? what->unit->ready : 0, err);
	if (rc == 0)
		rc = send_state(what, EVENT("state.changed"), what->status, err);
	if (rc == 0 && is_down(what->status))
		rc = take_end(what, event_of(what), err);
	return rc;
}

/* Events are told late: one that the machine no longer bears out is followed by another. Where the
 * machine cannot look, nothing is known but that: a domain is gone only when it says so. */
static int is_stale(machine *m, const machine_event *event, hn_error **err)
{
	BASE_AUTO_OF(machine_real) machine_real *real = NULL;
	int rc = machine_observe(m, event->uuid, &real, NULL);

	if (rc == HN_ENOMEM) /* no other event would follow */
		return base_nomem(err);
	if (rc < 0)
		return event->status != (rc == HN_ENOENT ? HN_UNIT_ABSENT : HN_UNIT_UNREACHABLE);
	return real->status != event->status && !(is_down(real->status) && is_down(event->status));
}

static bool is_word(const char *text)
{
	return text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

int host_supervise_event(hn_session *session, const machine_event *event, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	happening what = {.session = session, .status = event->status};
	machine *m = NULL;
	int rc = host_unit_load_uuid(session->host, event->uuid, &unit, NULL);

	if (rc == HN_ENOENT)
		return 0; /* a domain of somebody else */
	if (rc < 0)
		return base_error(err, (hn_code)rc, HOST_ROOM, NULL,
			"unit %s, of which the hypervisor told, cannot be read", event->uuid);
	rc = host_machine(session->host, &m, err);
	/* What the guest said it did say, whatever became of it since. */
	if (rc >= 0)
		rc = host_boot_take_checks(session->host, unit, err);
	if (rc < 0 || (event->detail && strcmp(event->detail, MACHINE_CHECKED) == 0))
		return rc;
	rc = is_stale(m, event, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	what.unit = unit;
	what.detail = is_word(event->detail) ? event->detail : "";
	if (what.status == HN_UNIT_DEFINED)
		what.status = HN_UNIT_STOPPED;
	return host_transaction(session->host, take_status, &what, err);
}

/* Nobody tells an event again: one that fails keeps no other from being taken. The first failure is
 * reported, also that of what came before (rc < 0). */
static int take_events(
	hn_session *session, const machine_event *events, size_t count, int rc, hn_error **err)
{
	for (size_t i = 0; i < count; i++) {
		int taken = host_supervise_event(session, &events[i], rc < 0 ? NULL : err);

		rc = rc < 0 ? rc : taken;
	}
	return rc;
}

/* Events are copied first: what follows from them asks the machine again. */
typedef struct event_list {
	machine_event *events;
	size_t count, capacity;
	bool lost;
} event_list;

static void keep_event(void *arg, const machine_event *event)
{
	event_list *list = arg;

	if (base_grow(&list->events, &list->capacity, list->count + 1, sizeof(*event)) < 0)
		list->lost = true;
	else
		list->events[list->count++] = *event;
}

int host_supervise_drain(hn_session *session, int64_t timeout, hn_error **err)
{
	event_list list = {0};
	machine *m = NULL;
	int rc = host_machine(session->host, &m, err);

	if (rc >= 0)
		rc = machine_step(m, timeout, keep_event, &list, err);
	rc = take_events(session, list.events, list.count, rc, err);
	if (list.lost) {
		int looked = host_supervise_all(session, rc < 0 ? NULL : err);

		rc = rc < 0 ? rc : looked;
	}
	base_free(list.events);
	return rc < 0 ? rc : (int)list.count;
}

/* --- restarts that are due --- */

typedef struct restarting {
	hn_session *session;
	const hn_unit *unit;
	host_restart state;
} restarting;

static int record_restart(void *arg, hn_error **err)
{
	const restarting *done = arg;
	hn_host *host = done->session->host;
	char data[64];
	int rc = host_restart_save(host, done->unit->id, &done->state, err);

	if (rc < 0)
		return rc;
	(void)snprintf(data, sizeof(data), "{\"restarts\":%u,\"by\":\"policy\"}",
		(unsigned)done->state.count);
	return host_event(host, done->session, EVENT("restarted"), done->unit->uuid,
		done->unit->name, data, err);
}

static int start_again(hn_session *session, const hn_unit *unit, hn_error **err)
{
	hn_start_options options = HN_START_OPTIONS_INIT;
	host_permit permit;
	int rc;

	host_has_already(session, true); /* who held it goes on */
	rc = host_admit_unit(session, HN_VERB_UNIT_START, unit->uuid, &permit, err);
	host_has_already(session, false);
	if (rc < 0)
		return rc;
	rc = host_act_start(session->host, &permit, unit, &options, err);
	return host_settle(&permit, rc, err);
}

typedef struct failing {
	happening what;
	host_restart state;
} failing;

/* A restart that does not come up counts as another end. */
static int record_failure(void *arg, hn_error **err)
{
	failing *failed = arg;
	int rc = host_restart_save(
		failed->what.session->host, failed->what.unit->id, &failed->state, err);

	return rc < 0 ? rc : take_end(&failed->what, HOST_RESTART_FAILED, err);
}

/* What the host lacks for a while, or what this unit is refused. Others may well start meanwhile.
 */
static bool comes_back(int rc)
{
	return rc == HN_ESIGNER || rc == HN_ENOSPC || (apply_is_refusal(rc) && rc != HN_ESESSION);
}

/* Neither the unit's doing nor its end: it must not use up the unit's restarts. */
static bool is_not_the_units(int rc)
{
	return comes_back(rc) || rc == HN_ESESSION || rc == HN_EAUDIT || rc == HN_EAUDITFORK ||
	       rc == HN_ENOMEM;
}

static int restart_now(
	hn_session *session, const hn_unit *unit, const host_restart *state, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	restarting done = {session, unit, *state};
	failing failed = {{session, unit, HN_UNIT_STOPPED, "failed"}, *state};
	int rc = start_again(session, unit, &why);

	if (rc >= 0)
		return host_transaction(session->host, record_restart, &done, err);
	base_log(HN_LOG_WARNING, HOST_ROOM, "unit %s could not be restarted: %s", unit->name,
		hn_error_message(why));
	if (is_not_the_units(rc)) {
		base_error_move(err, BASE_STEAL(why));
		return rc;
	}
	return host_transaction(session->host, record_failure, &failed, err);
}

/* While the hypervisor is away no unit can start: that is no end of the unit's, and must not use
 * up its restarts. */
static bool is_out_of_sight(hn_host *host, const hn_unit *unit)
{
	BASE_AUTO_OF(machine_real) machine_real *real = NULL;
	machine *m = NULL;
	int rc = host_machine(host, &m, NULL);

	if (rc >= 0)
		rc = machine_observe(m, unit->uuid, &real, NULL);
	return rc == HN_EDRIVER;
}

/* A start begins by forgetting what was due: it stays due. */
static int put_off(
	hn_host *host, int64_t unit, host_restart *was, int64_t now, int rc, hn_error **err)
{
	if (comes_back(rc))
		was->due = now + LOOK_AGAIN;
	if (host_restart_save(host, unit, was, NULL) < 0 || !comes_back(rc))
		return rc;
	return base_error_forgive(err, rc, rc);
}

/* 1 when a restart was tried. */
static int restart_one(hn_session *session, int64_t id, int64_t now, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	hn_host *host = session->host;
	host_restart_action action;
	const hn_view *view;
	host_restart_rules rules;
	host_restart state, was;
	int rc = host_unit_load_id(host, id, &unit, err);

	if (rc < 0)
		return rc;
	view = unit->applied ? unit->applied : unit->desired;
	if (unit->wanted != HOST_WANTED_RUNNING || !view || is_up(unit->status))
		return host_restart_forget(host, id, err);
	rc = host_restart_read_rules(view, &rules, err);
	if (rc == 0)
		rc = host_restart_load(host, id, &state, err);
	if (rc < 0)
		return rc;
	if (is_out_of_sight(host, unit)) {
		state.due = now + LOOK_AGAIN;
		return host_restart_save(host, id, &state, err);
	}
	was = state;
	action = host_restart_step(&state, &rules, HOST_RESTART_TICK, now);
	if (action != HOST_RESTART_START)
		return host_restart_save(host, id, &state, err);
	rc = restart_now(session, unit, &state, err);
	return rc < 0 ? put_off(host, id, &was, now, rc, err) : 1;
}

int host_supervise_due(hn_session *session, int64_t now, hn_error **err)
{
	int64_t unit = 0, due = 0;
	int tried = 0, rc;

	while ((rc = host_restart_next(session->host, &unit, &due, err)) > 0 && due <= now) {
		rc = restart_one(session, unit, now, err);
		if (rc < 0)
			return rc;
		tried += rc;
	}
	return rc < 0 ? rc : tried;
}

/* --- what happened while nobody looked --- */

typedef struct observed {
	base_map *status; /* uuid -> hn_unit_status + 1 */
	hn_error **err;   /* a walk gives its callback none */
} observed;

static int note_status(void *arg, const machine_real *real)
{
	observed *seen = arg;

	if (base_map_put(seen->status, real->uuid, strlen(real->uuid),
		    (void *)((uintptr_t)real->status + 1)) < 0) /* NULL is not there */
		return base_nomem(seen->err);
	return 0;
}

typedef struct missed {
	const observed *seen;
	machine_event *events;
	size_t count, capacity;
} missed;

/* A unit whose domain is gone is drift, which the plan shows; it is no end that a policy restarts,
 * but the record must not say that it runs. */
static int compare_unit(void *arg, hn_unit *given)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = given;
	missed *list = arg;
	void *value = base_map_get(list->seen->status, unit->uuid, strlen(unit->uuid));
	hn_unit_status status = value ? (hn_unit_status)((uintptr_t)value - 1) : HN_UNIT_ABSENT;
	machine_event *event;

	if (status == unit->status || ((!value || is_down(status)) && !may_run(unit->status)))
		return 0;
	if (base_grow(&list->events, &list->capacity, list->count + 1, sizeof(*event)) < 0)
		return base_nomem(list->seen->err);
	event = &list->events[list->count++];
	*event = (machine_event){
		.status = status, .detail = status == HN_UNIT_CRASHED ? "crashed" : "noticed"};
	memcpy(event->uuid, unit->uuid, sizeof(event->uuid));
	return 0;
}

int host_supervise_all(hn_session *session, hn_error **err)
{
	BASE_AUTO_OF(base_map) base_map *status = base_map_new(NULL);
	observed seen = {status, err};
	missed list = {.seen = &seen};
	machine *m = NULL;
	int rc = status ? host_machine(session->host, &m, err) : base_nomem(err);

	if (rc >= 0)
		rc = machine_list(m, note_status, &seen, err);
	if (rc >= 0)
		rc = host_units_each(session->host, compare_unit, &list, err);
	if (rc >= 0)
		rc = take_events(session, list.events, list.count, rc, err);
	base_free(list.events);
	return rc < 0 ? rc : (int)list.count;
}
