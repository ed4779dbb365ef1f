/* SPDX-License-Identifier: MIT
 *
 * Admission of a plan: the end state, and each state on the way there. What asks for less is taken
 * first, as it is done first, so the sum never rises above both ends.
 */
#include "host/plan.h"

typedef struct claim {
	uint64_t reserve;
	int64_t overcommit;
	uint64_t share;
} claim;

static int read_claim(const hn_view *view, claim *out, hn_error **err)
{
	int rc = 0;

	*out = (claim){.overcommit = HOST_MILLION};
	if (view)
		rc = host_admission_read(view, &out->reserve, &out->overcommit, err);
	if (rc >= 0)
		out->share = host_admission_share(out->reserve, out->overcommit);
	return rc;
}

/* What it holds now. */
static const hn_view *view_before(const plan_unit *unit)
{
	return unit->record && host_unit_holds(unit->record, plan_unit_runs(unit))
		       ? unit->record->applied
		       : NULL;
}

/* What it holds when the plan is done; what is not declared, only while it is left running. */
static const hn_view *view_after(const hn_plan *plan, const plan_unit *unit)
{
	if (unit->declared)
		return unit->skip ? view_before(unit) : unit->desired;
	if (!plan_unit_runs(unit) || (!unit->skip && plan->on_remove != 'k'))
		return NULL;
	return view_before(unit);
}

static int fill_before(const hn_plan *plan, host_admission *admission, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < plan->unit_count; i++) {
		const plan_unit *unit = &plan->units[i];
		claim held;

		if (!view_before(unit))
			continue;
		rc = read_claim(view_before(unit), &held, err);
		if (rc >= 0)
			rc = host_admission_set(
				admission, unit->name, held.reserve, held.overcommit, err);
	}
	return rc;
}

/* One pass over the units: those that ask for less (or nothing), or those that ask for more. */
static int take(const hn_plan *plan, host_admission *admission, bool less, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < plan->unit_count; i++) {
		const plan_unit *unit = &plan->units[i];
		const hn_view *after_view = view_after(plan, unit);
		claim before, after;

		rc = read_claim(view_before(unit), &before, err);
		if (rc >= 0)
			rc = read_claim(after_view, &after, err);
		if (rc < 0 || (after.share <= before.share) != less)
			continue;
		if (!after_view) {
			host_admission_remove(admission, unit->name);
			continue;
		}
		if (!less)
			rc = host_admission_check(
				admission, unit->name, after.reserve, after.overcommit, err);
		if (rc >= 0)
			rc = host_admission_set(
				admission, unit->name, after.reserve, after.overcommit, err);
	}
	return rc;
}

int plan_admit(hn_plan *plan, hn_error **err)
{
	BASE_AUTO_OF(host_admission) host_admission *admission = NULL;
	hn_calibration calibration = HN_CALIBRATION_INIT;
	int rc = host_calibration(plan->host, &calibration, err);

	if (rc >= 0)
		rc = host_admission_new(calibration.sn, calibration.threads, &admission, err);
	if (rc >= 0)
		rc = fill_before(plan, admission, err);
	if (rc >= 0)
		rc = take(plan, admission, true, err);
	if (rc >= 0)
		rc = take(plan, admission, false, err);
	if (rc < 0)
		return rc;
	plan->summary.reserved = host_admission_reserved(admission);
	plan->summary.capacity = host_admission_capacity(admission);
	return 0;
}
