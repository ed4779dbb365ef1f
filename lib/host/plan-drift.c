/* SPDX-License-Identifier: MIT
 *
 * Drift in a plan: listed always, mended only when the plan was asked to.
 */
#include "host/plan.h"

typedef struct drift_walk {
	hn_plan *plan;
	size_t unit, first; /* first: steps of this unit so far */
	hn_error **err;
} drift_walk;

/* A device that comes or goes takes all its keys with it, also those that only the hypervisor shows
 * (the file of a disk of the unit's own). */
static bool already_changing(const drift_walk *walk, const char *key)
{
	const plan_step seen = {.key = (char *)key};

	for (size_t i = walk->first; i < walk->plan->step_count; i++) {
		const plan_step *step = &walk->plan->steps[i];

		if (step->unit != walk->unit || !step->key || step->action != HN_ACTION_CHANGE)
			continue;
		if (strcmp(step->key, key) == 0)
			return true;
		if ((!step->old_text || !step->new_text) && plan_same_entry(step, &seen))
			return true;
	}
	return false;
}

static bool set_text(char **to, const char *text)
{
	*to = text ? base_strdup(text) : NULL;
	return !text || *to;
}

/* The phase in which a drifted value is put back. */
static int set_phase(drift_walk *walk, plan_step *step, const hn_drift *drift, const hn_key *row)
{
	plan_unit *unit = &walk->plan->units[walk->unit];
	int rc;

	if (!drift->key) {
		step->phase = strcmp(drift->note, "gone") == 0 ? PHASE_DEFINE : PHASE_START;
		return 0;
	}
	if (drift->note && strcmp(drift->note, "in the persistent definition") == 0) {
		step->class_ = row->class_;
		step->phase = PHASE_DEFINE;
		return 0;
	}
	rc = plan_classify(walk->plan, unit, step, row, walk->err);
	return rc;
}

static int add_restore(void *arg, const hn_drift *drift, const hn_key *row)
{
	drift_walk *walk = arg;
	plan_step *step;
	int rc;

	if (drift->state != HN_DRIFT_DIFFERS || (drift->key && already_changing(walk, drift->key)))
		return 0;
	step = plan_add(walk->plan, HN_ACTION_RESTORE, PHASE_NOTHING, walk->unit);
	if (!step || !set_text(&step->key, drift->key) || !set_text(&step->old_text, drift->real) ||
		!set_text(&step->new_text, drift->applied) ||
		!plan_text(&step->note, "drift%s%s", drift->note && *drift->note ? ": " : "",
			drift->note ? drift->note : ""))
		return plan_refuse(walk->plan, walk->err);
	if (drift->key && !row)
		return 0;
	rc = set_phase(walk, step, drift, row);
	if (rc < 0)
		return rc;
	if (!walk->plan->restore) {
		step->phase = PHASE_NOTHING;
		step->status = HN_STEP_PENDING;
	}
	return 0;
}

int plan_drift_steps(hn_plan *plan, size_t index, hn_error **err)
{
	drift_walk walk = {.plan = plan, .unit = index, .err = err};
	plan_unit *unit = &plan->units[index];

	walk.first = plan->step_count;
	while (walk.first > 0 && plan->steps[walk.first - 1].unit == index)
		walk.first--;
	if (!unit->record->applied)
		return 0;
	return host_drift_compare(
		plan->host, plan->machine, unit->record, unit->real, add_restore, &walk, err);
}
