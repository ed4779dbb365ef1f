/* SPDX-License-Identifier: MIT
 *
 * Recovery: steps that a killed apply left `doing` are observed and settled in the store. Real =
 * new: done. Real = old, or a definition that can simply be made again: undone, and the plan that
 * follows does it once more. Neither: drift, which that plan lists. Nothing is done to the
 * hypervisor here.
 */
#include "host/plan.h"

typedef struct loose_step {
	uint64_t plan;
	int64_t position;
	plan_phase phase;
	char *unit, *key, *old_text, *new_text;
} loose_step;

typedef struct loose_list {
	loose_step *steps;
	size_t count, capacity;
} loose_list;

static void free_list(loose_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		base_free(list->steps[i].unit);
		base_free(list->steps[i].key);
		base_free(list->steps[i].old_text);
		base_free(list->steps[i].new_text);
	}
	base_free(list->steps);
}

static bool copy_column(state_query *query, int column, char **to)
{
	const char *text = state_text(query, column);

	*to = text ? base_strdup(text) : NULL;
	return !text || *to;
}

static int take_loose(state_query *query, loose_list *list, hn_error **err)
{
	loose_step *step;

	if (base_grow(&list->steps, &list->capacity, list->count + 1, sizeof(*list->steps)) < 0)
		return base_nomem(err);
	step = &list->steps[list->count++];
	*step = (loose_step){
		.plan = (uint64_t)state_int(query, 0),
		.position = state_int(query, 1),
		.phase = (plan_phase)state_int(query, 2),
	};
	if (!copy_column(query, 3, &step->unit) || !copy_column(query, 4, &step->key) ||
		!copy_column(query, 5, &step->old_text) || !copy_column(query, 6, &step->new_text))
		return base_nomem(err);
	return 0;
}

static int find_loose(hn_host *host, loose_list *list, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT plan, position, phase, unit, key, old, new FROM step"
		" WHERE status = 1 ORDER BY plan, position",
		&query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		rc = take_loose(query, list, err);
		if (rc < 0)
			break;
	}
	state_done(query);
	return rc;
}

/* --- what is true --- */

static const char *live_value(const machine_real *real, const char *key)
{
	for (size_t i = 0; i < real->count; i++)
		if (strcmp(real->values[i].key, key) == 0)
			return host_status_runs(real->status) ? real->values[i].live
							      : real->values[i].persistent;
	return NULL;
}

static bool same_text(const char *left, const char *right)
{
	return left && right ? strcmp(left, right) == 0 : left == right;
}

static bool is_digest(const machine_real *real, const uint8_t digest[CRYPTO_DIGEST])
{
	char hex[2 * CRYPTO_DIGEST + 1];

	codec_hex(digest, CRYPTO_DIGEST, hex);
	return strcmp(real->digest, hex) == 0;
}

static bool has_new_value(const loose_step *step, const hn_unit *unit, const machine_real *real)
{
	const char *desired = NULL;

	if (!step->key || !unit->applied || !unit->desired)
		return false;
	(void)hn_view_get_text(unit->desired, step->key, &desired, NULL);
	/* Old and new may look the same where the hypervisor shows neither; then it is simply done
	 * again. */
	return same_text(desired, step->new_text) &&
	       same_text(live_value(real, step->key), step->new_text) &&
	       !same_text(step->old_text, step->new_text) && step->new_text;
}

static bool is_done(const loose_step *step, const hn_unit *unit, const machine_real *real)
{
	bool runs = real && host_status_runs(real->status);

	switch (step->phase) {
	case PHASE_START:
		return runs;
	case PHASE_STOP:
		return !runs;
	case PHASE_RESTART:
		return runs && is_digest(real, unit->desired_digest) &&
		       has_new_value(step, unit, real);
	case PHASE_DECREASE:
	case PHASE_INCREASE:
	case PHASE_ATTACH:
	case PHASE_VALUE:
	case PHASE_DETACH:
		return runs && has_new_value(step, unit, real);
	default:
		return false;
	}
}

/* --- writing it down --- */

typedef struct settle_call {
	hn_host *host;
	const loose_step *step;
	hn_unit *unit; /* NULL: gone, or never there */
	const machine_real *real;
} settle_call;

static int take_value(const settle_call *call, hn_error **err)
{
	BASE_AUTO_OF(hn_view) hn_view *mixed = NULL;
	const char *key = call->step->key;
	int rc;

	/* A start takes all that waited for it. */
	if (call->step->phase >= PHASE_START && call->unit->desired &&
		is_digest(call->real, call->unit->desired_digest))
		return host_view_store(
			call->host, call->unit, HOST_APPLIED, call->unit->desired, NULL, err);
	if (!key || !call->unit->applied || !call->unit->desired)
		return 0;
	rc = host_view_mix(call->unit->applied, call->unit->desired, &key, 1, &mixed, err);
	return rc < 0 ? rc
		      : host_view_store(call->host, call->unit, HOST_APPLIED, mixed, NULL, err);
}

/* A unit in the middle of a restart, or of a start, is one that should run. */
static int take_wish(const settle_call *call, hn_error **err)
{
	bool runs = call->real && host_status_runs(call->real->status);
	int rc = call->step->phase == PHASE_RESTART
			 ? host_unit_set_wanted(call->host, call->unit, HOST_WANTED_RUNNING, err)
			 : 0;

	if (rc >= 0)
		rc = host_unit_set_status(call->host, call->unit,
			call->real ? call->real->status : HN_UNIT_ABSENT,
			runs ? call->real->ready : -1, err);
	return rc < 0 ? rc : host_hold_settle(call->host, call->unit, err);
}

static int store_settled(const settle_call *call, hn_step_status status, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(call->host->store,
		"UPDATE step SET status = ?3 WHERE plan = ?1 AND position = ?2", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)call->step->plan);
	state_bind_int(query, 2, call->step->position);
	state_bind_int(query, 3, status);
	return state_run(query, err);
}

static int settle(void *arg, hn_error **err)
{
	settle_call *call = arg;
	bool done = call->unit && is_done(call->step, call->unit, call->real);
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_RECOVERY,
		.verb = -1,
		.code = done ? 0 : HN_ECANCELLED,
		.has_code = true,
	};
	char object[BASE_OBJECT_SIZE];
	int rc = store_settled(call, done ? HN_STEP_DONE : HN_STEP_UNDONE, err);

	if (call->unit)
		entry.object = host_object_unit(object, call->unit->uuid);
	if (rc >= 0 && done)
		rc = take_value(call, err);
	if (rc >= 0 && call->unit)
		rc = take_wish(call, err);
	if (rc >= 0)
		rc = host_audit_append(call->host, &entry, NULL, err);
	return rc < 0 ? rc : host_touch(call->host, err);
}

static int settle_step(hn_host *host, const loose_step *step, hn_error **err)
{
	BASE_AUTO_OF(machine_real) machine_real *real = NULL;
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	settle_call call = {.host = host, .step = step};
	int rc = host_unit_load(host, step->unit, &unit, err);

	if (rc >= 0)
		rc = machine_observe(host->machine, unit->uuid, &real, err);
	rc = base_error_forgive(err, rc, HN_ENOENT);
	if (rc < 0)
		return rc;
	call.unit = unit;
	call.real = real;
	return host_transaction(host, settle, &call, err);
}

int host_recover(hn_session *session, hn_error **err)
{
	__attribute__((cleanup(free_list))) loose_list list = {0};
	hn_host *host = session->host;
	int rc;

	if (!host->machine)
		return 0;
	rc = find_loose(host, &list, err);
	for (size_t i = 0; rc >= 0 && i < list.count; i++)
		rc = settle_step(host, &list.steps[i], err);
	return rc;
}
