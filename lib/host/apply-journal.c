/* SPDX-License-Identifier: MIT
 *
 * The journal of an apply: `doing` is durable before an effect, `done` after it, each in one
 * transaction with the audit record, the applied view and the event that belong to it.
 */
#include "host/plan.h"

typedef struct journal_call {
	apply_run *run;
	size_t first, last, count;
	const hn_verb *verbs;
	host_permit *permits;
	const hn_view *view; /* that the unit is to have; NULL: what is desired of it */
	const apply_end_of *how;
	hn_step_status status;
} journal_call;

static const char *step_uuid(const plan_step *step, const hn_plan *plan)
{
	return step->unit == PLAN_NO_UNIT ? step->uuid : plan->units[step->unit].uuid;
}

static int store_status(journal_call *call, hn_error **err)
{
	int rc = 0;

	for (size_t i = call->first; rc >= 0 && i < call->last; i++) {
		hn_step_status before = call->run->plan->steps[i].status;

		call->run->plan->steps[i].status = call->status;
		rc = plan_step_store(call->run->host, call->run->plan, i, err);
		if (rc < 0)
			call->run->plan->steps[i].status = before;
	}
	return rc;
}

/* Values that take more of a quota: those of a start, and live ones. */
static int take_hold(const journal_call *call, const plan_step *step, hn_error **err)
{
	hn_verb verb = call->verbs[call->count - 1];
	const hn_unit *record =
		step->unit == PLAN_NO_UNIT ? NULL : call->run->plan->units[step->unit].record;
	const hn_view *view = call->view ? call->view : record ? record->desired : NULL;

	if (!record || !view)
		return 0;
	if (verb == HN_VERB_UNIT_START)
		return host_hold_values(call->run->session, verb, record, view, NULL, err);
	if (verb != HN_VERB_UNIT_UPDATE || !step->key || !call->view)
		return 0;
	return host_hold_values(call->run->session, verb, record, view, step->key, err);
}

static int begin_all(void *arg, hn_error **err)
{
	journal_call *call = arg;
	const plan_step *step = &call->run->plan->steps[call->first];
	char object[BASE_OBJECT_SIZE];
	int rc = 0;

	host_object_unit(object, step_uuid(step, call->run->plan));
	for (size_t i = 0; rc >= 0 && i < call->count; i++) {
		rc = host_admit(
			call->run->session, call->verbs[i], object, NULL, &call->permits[i], err);
		call->permits[i].base.cancel = call->run->options.cancel;
	}
	if (rc >= 0)
		rc = take_hold(call, step, err);
	return rc < 0 ? rc : store_status(call, err);
}

bool apply_is_refusal(int rc)
{
	switch (rc) {
	case HN_EDENIED:
	case HN_EREASON:
	case HN_ESESSION:
	case HN_EQUOTA:
	case HN_ERATE:
	case HN_EAPPROVAL:
	case HN_EMFA:
	case HN_ESTALE:
	case HN_ECLOCK:
		return true;
	default:
		return false;
	}
}

int apply_begin(apply_run *run, size_t first, size_t last, const hn_verb *verbs, size_t count,
	const hn_view *view, host_permit *permits, hn_error **err)
{
	journal_call call = {
		.run = run,
		.first = first,
		.last = last,
		.verbs = verbs,
		.count = count,
		.view = view,
		.permits = permits,
		.status = HN_STEP_DOING,
	};
	int rc;

	rc = host_transaction(run->host, begin_all, &call, err);
	for (size_t i = first; rc < 0 && i < last; i++)
		run->plan->steps[i].status = HN_STEP_PLANNED;
	for (size_t i = 0; rc < 0 && i < count; i++) /* what was on record is so no longer */
		permits[i].recorded = permits[i].wished = permits[i].pending = false;
	if (rc < 0 && !apply_is_refusal(rc))
		run->journal_failed = true;
	return rc;
}

/* --- the end --- */

static int count_steps(const journal_call *call)
{
	const char *result = call->status == HN_STEP_DONE      ? "done"
			     : call->status == HN_STEP_PENDING ? "pending"
			     : call->status == HN_STEP_UNDONE  ? "undone"
							       : "failed";
	char labels[96];
	int rc = 0;

	for (size_t i = call->first; rc >= 0 && i < call->last; i++) {
		(void)snprintf(labels, sizeof(labels), "class=\"%s\",result=\"%s\"",
			hn_class_name(call->run->plan->steps[i].class_), result);
		rc = events_counter_add(
			call->run->host->events, "hypernix_plan_steps_total", labels, 1);
	}
	return rc;
}

static bool matches(const hn_unit *record, const uint8_t digest[CRYPTO_DIGEST])
{
	return record->desired && memcmp(digest, record->desired_digest, CRYPTO_DIGEST) == 0;
}

/* The applied view with the values of this act: exact after every step, so that a kill between two
 * steps loses none. */
static int store_applied(const journal_call *call, plan_unit *unit, hn_error **err)
{
	BASE_AUTO_OF(hn_view) hn_view *mixed = NULL;
	const apply_end_of *how = call->how;
	uint8_t digest[CRYPTO_DIGEST];
	const char **keys;
	size_t count = 0;
	int rc;

	if (how->unapply)
		return host_view_store(
			call->run->host, unit->record, HOST_APPLIED, NULL, NULL, err);
	if (!how->view)
		return 0;
	if (how->whole || !unit->record->applied)
		return host_view_store(
			call->run->host, unit->record, HOST_APPLIED, how->view, NULL, err);
	keys = base_calloc(call->last - call->first + 1, sizeof(*keys));
	if (!keys)
		return base_nomem(err);
	for (size_t i = call->first; i < call->last; i++)
		if (call->run->plan->steps[i].key)
			keys[count++] = call->run->plan->steps[i].key;
	rc = host_view_mix(unit->record->applied, how->view, keys, count, &mixed, err);
	base_free(keys);
	if (rc >= 0)
		rc = host_view_digest(mixed, digest, err);
	if (rc < 0)
		return rc;
	/* Once all is applied, the chains of the desired view are true of it too. */
	return host_view_store(call->run->host, unit->record, HOST_APPLIED,
		matches(unit->record, digest) ? unit->record->desired : mixed, NULL, err);
}

static int end_all(void *arg, hn_error **err)
{
	journal_call *call = arg;
	const plan_step *step = &call->run->plan->steps[call->first];
	plan_unit *unit = step->unit == PLAN_NO_UNIT ? NULL : &call->run->plan->units[step->unit];
	const apply_end_of *how = call->how;
	int rc = store_status(call, err);

	if (rc >= 0 && unit && !how->forget)
		rc = store_applied(call, unit, err);
	if (rc >= 0 && unit && unit->record && !how->forget)
		rc = host_hold_settle(call->run->host, unit->record, err);
	if (rc >= 0 && unit && how->forget)
		rc = host_unit_delete(call->run->host, unit->record, err);
	if (rc >= 0 && how->event)
		rc = host_event(call->run->host, call->run->session, how->event,
			step_uuid(step, call->run->plan), step->name, how->data, err);
	/* The outcome is the act's own; a failed act must not fail its journal. */
	for (size_t i = call->count; rc >= 0 && i > 0; i--)
		rc = host_settle_outcome(&call->permits[i - 1], how->code, err);
	if (rc >= 0)
		rc = count_steps(call);
	return rc < 0 ? rc : host_touch(call->run->host, err);
}

int apply_end(apply_run *run, size_t first, size_t last, host_permit *permits, size_t count,
	const apply_end_of *how, hn_error **err)
{
	journal_call call = {
		.run = run,
		.first = first,
		.last = last,
		.count = count,
		.permits = permits,
		.how = how,
		.status = how->status,
	};
	size_t unit = run->plan->steps[first].unit;
	int rc = host_transaction(run->host, end_all, &call, err);

	if (rc < 0) {
		run->journal_failed = true;
		return rc;
	}
	if (unit == PLAN_NO_UNIT || !run->plan->units[unit].record)
		return 0;
	if (how->forget) {
		run->plan->units[unit].record = hn_unit_unref(run->plan->units[unit].record);
		return 0;
	}
	return apply_reload(run, &run->plan->units[unit], err);
}
