/* SPDX-License-Identifier: MIT
 *
 * The gate to drift: scanning, taking the real value as the wanted one, and repairing an
 * inconsistent unit.
 */
#include "host/call.h"
#include "host/plan.h"

/* --- scan --- */

typedef struct scan_call {
	hn_host *host;
	machine *machine;
	hn_drift_fn each;
	void *arg;
	uint32_t redact;
	int differing;
	bool ended;
	hn_error **err;
} scan_call;

static int scan_key(void *arg, const hn_drift *drift, const hn_key *row)
{
	scan_call *call = arg;
	hn_drift told = *drift;
	int rc;

	if (row) {
		told.applied = host_told(call->redact, row->redact, drift->applied);
		told.real = host_told(call->redact, row->redact, drift->real);
	}
	call->differing += drift->state == HN_DRIFT_DIFFERS;
	rc = call->each ? call->each(call->arg, &told) : 0;
	call->ended = rc != 0;
	return rc;
}

static int observe(machine *m, const hn_unit *unit, machine_real **real, hn_error **err)
{
	return base_error_forgive(err, machine_observe(m, unit->uuid, real, err), HN_ENOENT);
}

static int scan_unit(void *arg, hn_unit *unit)
{
	BASE_AUTO_OF(machine_real) machine_real *real = NULL;
	scan_call *call = arg;
	int rc = observe(call->machine, unit, &real, call->err);

	if (rc >= 0)
		rc = host_drift_compare(
			call->host, call->machine, unit, real, scan_key, call, call->err);
	hn_unit_unref(unit);
	return rc;
}

static int scan_foreign(void *arg, const machine_real *real)
{
	scan_call *call = arg;
	hn_drift drift = {
		.size = sizeof(drift),
		.state = HN_DRIFT_DIFFERS,
		.unit = real->name,
		.real = hn_unit_status_name(real->status),
		.note = "foreign",
	};

	return real->ours || !call->each ? 0 : call->each(call->arg, &drift);
}

static int scan(scan_call *call, const char *name)
{
	hn_unit *unit = NULL;
	int rc;

	if (name) {
		rc = host_unit_load(call->host, name, &unit, call->err);
		rc = rc < 0 ? rc : scan_unit(call, unit);
	} else {
		rc = host_units_each(call->host, scan_unit, call, call->err);
		if (rc == 0)
			rc = machine_list(call->machine, scan_foreign, call, call->err);
	}
	return rc < 0 && !call->ended ? rc : call->differing;
}

static int count_drift(hn_host *host, int differing)
{
	return events_gauge_set(host->events, "hypernix_drift_keys", "", differing);
}

int hn_drift_scan(
	hn_session *session, const char *unit, hn_drift_fn each, void *arg, hn_error **err)
{
	scan_call call = {.each = each, .arg = arg, .err = err};
	host_permit permit;
	int rc = host_enter(session, HN_VERB_UNIT_READ, "unit/**", &call.host, &permit, err);

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = host_machine(call.host, &call.machine, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	call.redact = permit.redact;
	rc = scan(&call, unit);
	if (rc >= 0 && !unit)
		(void)count_drift(call.host, rc);
	return host_conceal(session, rc, err);
}

/* --- adopt a key --- */

typedef struct seek_call {
	const char *key;
	char *real;
	bool found;
} seek_call;

static int seek_key(void *arg, const hn_drift *drift, const hn_key *row)
{
	seek_call *call = arg;

	(void)row;
	if (!drift->key || strcmp(drift->key, call->key) != 0)
		return 0;
	call->found = drift->state == HN_DRIFT_DIFFERS;
	if (call->found && drift->real)
		call->real = base_strdup(drift->real);
	return 1;
}

static int find_real(const host_edit *edit, const char *key, char **value, hn_error **err)
{
	BASE_AUTO_OF(machine_real) machine_real *real = NULL;
	seek_call call = {.key = key};
	machine *m = NULL;
	int rc = host_machine(edit->host, &m, err);

	if (rc >= 0)
		rc = observe(m, edit->unit, &real, err);
	if (rc >= 0 && !real)
		rc = base_error(err, HN_ENOENT, HOST_ROOM, "apply makes it again",
			"%s has no domain", edit->unit->name);
	if (rc >= 0)
		rc = host_drift_compare(edit->host, m, edit->unit, real, seek_key, &call, err);
	if (rc < 0)
		return rc;
	if (!call.found)
		return base_error(err, HN_ENOENT, HOST_ROOM, "hv-compute drift shows what has",
			"%s of %s has not drifted", key, edit->unit->name);
	*value = call.real;
	return 0;
}

/* The hypervisor takes values that the key does not: such a one cannot be wanted. */
static int check_real(const host_edit *edit, const char *key, const char *value, hn_error **err)
{
	const char *applied = NULL;
	char *canonical = NULL;
	int rc = value ? hn_key_parse(hn_key_find(key), value, &canonical, err) : 0;

	hn_text_free(canonical);
	if (rc >= 0)
		return 0;
	(void)hn_view_get_text(edit->unit->applied, key, &applied, NULL);
	rc = base_error_wrap(err, (hn_code)rc, HOST_ROOM,
		"%s of %s cannot be adopted: what it really is cannot be declared", key,
		edit->unit->name);
	base_error_hint(err, "apply takes it back to %s", applied ? applied : "none");
	return rc;
}

/* The real value as a definition of the unit layer; of a declared unit it goes when the declaration
 * changes the key. */
static int adopt_key(const host_edit *edit, const char *key, host_call *call, hn_error **err)
{
	BASE_AUTO_FREE char *value = NULL;
	hn_definition definition = {
		.size = sizeof(definition),
		.layer = edit->unit->owner == HN_OWNER_API ? HN_LAYER_UNIT : HN_LAYER_FORCE,
		.key = key,
		.note = "adopted: it was found like this",
	};
	int64_t ends =
		os_now(edit->host->os) + (int64_t)base_limit(BASE_LIMIT_FORCE_SECONDS) * OS_SECOND;
	char object[BASE_OBJECT_SIZE];
	host_permit permit;
	int rc = host_would(edit->session, HN_VERB_UNIT_UPDATE,
		host_object_unit(object, edit->unit->uuid), NULL);

	if (rc < 0 && rc != HN_EAPPROVAL)
		return host_may(edit->session, HN_VERB_UNIT_UPDATE, object, err);
	/* an approval is of this value, not of whatever it may be by then */
	rc = find_real(edit, key, &value, err);
	if (rc >= 0) {
		caps_call_text(&call->what, "adopt", key);
		if (value && edit->session->redacts != 0)
			caps_call_digest(&call->what, "value", value, strlen(value));
		else
			caps_call_text(&call->what, "value", value);
		rc = host_call_admit(
			edit->session, HN_VERB_UNIT_UPDATE, edit->unit->uuid, call, &permit, err);
	}
	if (rc < 0)
		return rc;
	rc = check_real(edit, key, value, err);
	if (rc >= 0)
		rc = host_may_attach(edit->session, edit->unit->desired, key, value, err);
	if (rc < 0)
		return rc;
	definition.value = value;
	rc = host_define(edit->host, edit->session, edit->unit, &definition,
		definition.layer == HN_LAYER_FORCE ? ends : 0, err);
	return rc < 0 ? rc : host_settle(&permit, 0, err);
}

int hn_drift_adopt(hn_session *session, const char *unit, const char *key, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	host_edit edit = {0};
	const hn_key *row;
	hn_host *host = NULL;
	machine *m = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0)
		rc = host_key_find(key, &row, err);
	/* The machine before the transaction: opening it may take long. */
	if (rc >= 0)
		rc = host_machine(host, &m, err);
	if (rc >= 0)
		rc = host_edit_begin(session, unit, false, &edit, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	return host_edit_end(
		&edit, adopt_key(&edit, key, &call, err), "org.hypernix.unit.reconfigured.v1", err);
}

/* --- repair --- */

/* What is real becomes what was applied, so that the next plan starts from the truth. */
static int clear_mark(hn_host *host, const hn_unit *unit, hn_error **err)
{
	int rc = host_unit_set_inconsistent(host, unit, false, err);

	return rc < 0 ? rc : host_touch(host, err);
}

/* 1 when there was nothing to do. */
static int repair_plan(hn_session *session, const char *unit, hn_error **err)
{
	BASE_AUTO_OF(hn_plan) hn_plan *plan = NULL;
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;
	hn_apply_options how = HN_APPLY_OPTIONS_INIT;
	int rc;

	options.unit = unit;
	options.restore = true;
	how.on_error = HN_ON_ERROR_STOP;
	rc = plan_new(session->host, &options, &plan, err);
	if (rc >= 0)
		rc = plan_fill(session, plan, err);
	if (rc >= 0)
		rc = plan_store(session, plan, err);
	if (rc >= 0 && hn_plan_empty(plan))
		return 1;
	return rc < 0 ? rc : apply_plan(session, plan, &how, NULL, err);
}

static int repair(hn_session *session, const hn_unit *unit, hn_error **err)
{
	int rc = unit->inconsistent ? clear_mark(session->host, unit, err) : 0;

	if (rc >= 0)
		rc = repair_plan(session, unit->name, err);
	if (rc < 0 && unit->inconsistent)
		(void)host_unit_set_inconsistent(session->host, unit, true, NULL);
	return rc == 1 && unit->inconsistent ? 0 : rc;
}

int hn_unit_repair(hn_session *session, const char *unit, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit;
	hn_host *host = NULL;
	int rc;

	caps_call_bool(&call.what, "repair", true);
	rc = host_call_unit(session, unit, HN_VERB_UNIT_UPDATE, &call, &host, &found, &permit, err);
	return rc < 0 ? rc : host_settle(&permit, repair(session, found, err), err);
}
