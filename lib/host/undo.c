/* SPDX-License-Identifier: MIT
 *
 * Undo: what a failed plan has done is taken back in reverse order, through the same journal. A
 * failed undo makes a unit inconsistent: no further automatic step until somebody repairs it.
 */
#include "host/plan.h"

static bool is_live_change(const plan_step *step)
{
	return step->phase >= PHASE_DECREASE && step->phase <= PHASE_DETACH &&
	       step->action == HN_ACTION_CHANGE;
}

typedef struct mark_call {
	apply_run *run;
	const plan_unit *unit;
} mark_call;

static int mark(void *arg, hn_error **err)
{
	mark_call *call = arg;
	int rc = host_unit_set_inconsistent(call->run->host, call->unit->record, true, err);

	if (rc >= 0)
		rc = host_touch(call->run->host, err);
	return rc < 0 ? rc
		      : host_event(call->run->host, call->run->session,
				"org.hypernix.unit.inconsistent.v1", call->unit->uuid,
				call->unit->name, NULL, err);
}

static void mark_inconsistent(apply_run *run, size_t unit)
{
	mark_call call = {.run = run, .unit = &run->plan->units[unit]};

	run->inconsistent = true;
	run->failed[unit] = true;
	if (call.unit->record && host_transaction(run->host, mark, &call, NULL) < 0)
		run->journal_failed = true;
}

static const hn_view *view_before(const plan_unit *unit)
{
	return unit->before ? unit->before->applied : NULL;
}

/* --- the opposite of each act --- */

static int undo_change(apply_run *run, size_t first, size_t last, host_permit *permits)
{
	static const hn_verb verb = HN_VERB_UNIT_UPDATE;
	const plan_step *step = &run->plan->steps[last - 1];
	plan_unit *unit = &run->plan->units[step->unit];
	machine_unit what;
	char hex[65];
	int rc = apply_begin(run, first, last, &verb, 1, view_before(unit), permits, NULL);

	if (rc < 0)
		return rc;
	rc = host_machine_unit(run->host, unit->record, view_before(unit), hex, &what, NULL);
	return rc < 0 ? rc
		      : machine_change(&permits[0].base, run->machine, &what, step->key,
				step->new_text, step->old_text, NULL);
}

static int undo_define(apply_run *run, size_t first, size_t last, host_permit *permits)
{
	static const hn_verb verb = HN_VERB_UNIT_UPDATE;
	plan_unit *unit = &run->plan->units[run->plan->steps[first].unit];
	int rc = apply_begin(run, first, last, &verb, 1, NULL, permits, NULL);

	return rc < 0 ? rc
		      : host_act_define(
				run->host, &permits[0], unit->record, view_before(unit), NULL);
}

static int undo_create(apply_run *run, size_t first, size_t last, host_permit *permits)
{
	static const hn_verb verb = HN_VERB_UNIT_CREATE;
	plan_unit *unit = &run->plan->units[run->plan->steps[first].unit];
	int rc = apply_begin(run, first, last, &verb, 1, NULL, permits, NULL);

	if (rc < 0 || unit->real) /* adopted: the domain was there before, and stays */
		return rc;
	rc = machine_undefine(&permits[0].base, run->machine, unit->uuid, NULL);
	/* The disks of a unit that this plan introduced are its own work too. */
	return rc < 0 || !unit->fresh
		       ? rc
		       : machine_disks_remove(&permits[0].base, run->machine, unit->uuid, NULL);
}

static int undo_start(apply_run *run, size_t first, size_t last, host_permit *permits)
{
	static const hn_verb verb = HN_VERB_UNIT_STOP;
	static const hn_stop_options force = {.size = sizeof(force), .force = true};
	plan_unit *unit = &run->plan->units[run->plan->steps[first].unit];
	int rc = apply_begin(run, first, last, &verb, 1, NULL, permits, NULL);

	if (rc >= 0)
		rc = host_act_stop(run->host, &permits[0], unit->record, &force, NULL, NULL);
	return rc < 0 || !unit->before
		       ? rc
		       : host_unit_set_wanted(run->host, unit->record, unit->before->wanted, NULL);
}

static int undo_stop(apply_run *run, size_t first, size_t last, host_permit *permits)
{
	static const hn_verb verb = HN_VERB_UNIT_START;
	plan_unit *unit = &run->plan->units[run->plan->steps[first].unit];
	int rc = apply_begin(run, first, last, &verb, 1, NULL, permits, NULL);

	return rc < 0 ? rc : host_act_start(run->host, &permits[0], unit->record, NULL, NULL);
}

static int undo_restart(apply_run *run, size_t first, size_t last, host_permit *permits)
{
	static const hn_verb verbs[] = {HN_VERB_UNIT_STOP, HN_VERB_UNIT_START};
	plan_unit *unit = &run->plan->units[run->plan->steps[first].unit];
	int rc = apply_begin(run, first, last, verbs, 2, view_before(unit), permits, NULL);

	return rc < 0 ? rc : apply_restart(run, unit, view_before(unit), permits, NULL);
}

/* Mended drift stays mended, and what was removed stays removed. */
static bool can_undo(const plan_step *step)
{
	return step->phase != PHASE_NOTHING && step->phase != PHASE_REMOVE &&
	       step->unit != PLAN_NO_UNIT && step->action != HN_ACTION_RESTORE &&
	       step->action != HN_ACTION_FORGET;
}

static int act_back(apply_run *run, size_t first, size_t last, host_permit *permits)
{
	switch (run->plan->steps[last - 1].phase) {
	case PHASE_STOP:
		return undo_stop(run, first, last, permits);
	case PHASE_DEFINE:
	case PHASE_PENDING:
		return undo_define(run, first, last, permits);
	case PHASE_CREATE:
		return undo_create(run, first, last, permits);
	case PHASE_START:
		return undo_start(run, first, last, permits);
	case PHASE_RESTART:
		return undo_restart(run, first, last, permits);
	default:
		return undo_change(run, first, last, permits);
	}
}

static void undo_group(apply_run *run, size_t first, size_t last)
{
	const plan_step *step = &run->plan->steps[last - 1];
	plan_unit *unit = &run->plan->units[step->unit];
	apply_end_of how = {.status = HN_STEP_UNDONE, .view = view_before(unit)};
	host_permit permits[2] = {0};
	int rc = act_back(run, first, last, permits);

	if (run->journal_failed)
		return;
	if (rc < 0)
		how = (apply_end_of){.status = HN_STEP_FAILED, .code = rc};
	else if (step->phase == PHASE_CREATE)
		how = (apply_end_of){.status = HN_STEP_UNDONE, .unapply = true};
	else if (step->phase == PHASE_PENDING || step->phase == PHASE_START ||
		 step->phase == PHASE_STOP)
		how.view = NULL;
	if (apply_end(run, first, last, permits, step->phase == PHASE_RESTART ? 2 : 1, &how, NULL) <
		0)
		return;
	apply_tell(run, first, last);
	if (rc < 0)
		mark_inconsistent(run, step->unit);
}

void apply_undo_restart(apply_run *run, size_t first, size_t last)
{
	size_t unit = run->plan->steps[first].unit;
	apply_end_of how = {.status = HN_STEP_UNDONE};
	host_permit permits[2] = {0};
	int rc = undo_restart(run, first, last, permits);

	if (run->journal_failed)
		return;
	if (rc < 0)
		how = (apply_end_of){.status = HN_STEP_FAILED, .code = rc};
	if (apply_end(run, first, last, permits, 2, &how, NULL) >= 0 && rc < 0)
		mark_inconsistent(run, unit);
}

/* The beginning of the group that ends at `last`. */
static size_t group_start(const hn_plan *plan, size_t last)
{
	size_t first = last - 1;

	while (first > 0 && apply_group(plan, first - 1) == last)
		first--;
	return first;
}

static bool was_done(const plan_step *step)
{
	return step->status == HN_STEP_DONE ||
	       (step->status == HN_STEP_PENDING && step->phase == PHASE_PENDING);
}

void apply_undo_unit(apply_run *run, size_t unit)
{
	hn_plan *plan = run->plan;

	for (size_t last = plan->step_count; last > 0 && !run->journal_failed;) {
		size_t first = group_start(plan, last);
		const plan_step *step = &plan->steps[last - 1];

		if (step->unit == unit && step->status == HN_STEP_DONE && is_live_change(step))
			undo_group(run, first, last);
		last = first;
	}
}

/* The declaration first: what is then undone step by step is what a plan towards the old one would
 * do, so that a kill in the middle leaves a state from which the next apply gets there. */
void apply_undo_all(apply_run *run)
{
	hn_plan *plan = run->plan;
	int rc = apply_revoke(run, NULL);

	/* Whoever may not go back either stops where he is: the next apply goes on from there. */
	if (apply_is_refusal(rc))
		run->options.on_error = HN_ON_ERROR_STOP;
	else if (rc < 0)
		run->journal_failed = true;
	if (rc < 0)
		return;
	for (size_t i = 0; i < plan->unit_count; i++)
		if (plan->units[i].record && apply_reload(run, &plan->units[i], NULL) < 0)
			plan->units[i].record = hn_unit_unref(plan->units[i].record);
	for (size_t last = plan->step_count; last > 0 && !run->journal_failed;) {
		size_t first = group_start(plan, last);
		const plan_step *step = &plan->steps[last - 1];

		if (can_undo(step) && was_done(step) && plan->units[step->unit].record)
			undo_group(run, first, last);
		last = first;
	}
	/* Units that this plan made are gone now; so go their records. */
	if (!run->journal_failed)
		(void)apply_revoke(run, NULL);
}
