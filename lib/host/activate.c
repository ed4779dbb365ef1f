/* SPDX-License-Identifier: MIT
 *
 * What an activation needs beyond an ordinary plan: starting at boot what was declared last, before
 * anything new is looked at; stopping all of it when the host goes down; and dropping the tags of
 * run time.
 */
#include "host/plan.h"

/* --- boot and shutdown --- */

bool plan_keeps_declared(const hn_plan *plan)
{
	return plan->boot || plan->shutdown;
}

static bool starts_at_boot(const plan_unit *unit)
{
	const hn_unit *record = unit->record;
	int64_t autostart = 0;

	return record->applied && record->desired && !record->undeclared && !record->inconsistent &&
	       record->wanted != HOST_WANTED_STOPPED && !plan_unit_runs(unit) &&
	       hn_view_get_int(record->desired, "autostart", &autostart, NULL) >= 0 &&
	       autostart != 0;
}

typedef struct guest_walk {
	hn_plan *plan;
	hn_error **err;
} guest_walk;

static int add_unit(void *arg, hn_unit *record)
{
	const guest_walk *walk = arg;
	plan_unit *unit = plan_add_unit(walk->plan, record->name);

	if (!unit) {
		hn_unit_unref(record);
		return base_nomem(walk->err);
	}
	unit->record = record;
	unit->owner = record->owner;
	unit->declared = !record->undeclared;
	unit->desired = hn_view_ref(record->desired);
	memcpy(unit->uuid, record->uuid, sizeof(unit->uuid));
	memcpy(unit->digest, record->desired_digest, sizeof(unit->digest));
	if (record->desired)
		(void)hn_view_get_int(record->desired, "start.order", &unit->order, NULL);
	if (walk->plan->shutdown) /* what others stand on goes last */
		unit->order = -unit->order;
	return 0;
}

static int add_guest_step(hn_plan *plan, size_t index, hn_error **err)
{
	const plan_unit *unit = &plan->units[index];
	plan_step *step;

	/* One that is inconsistent or no longer declared too: it would be killed a moment later. */
	if (unit->skip || !(plan->shutdown ? plan_unit_runs(unit) : starts_at_boot(unit)))
		return 0;
	step = plan->shutdown ? plan_add(plan, HN_ACTION_STOP, PHASE_STOP, index)
			      : plan_add(plan, HN_ACTION_START, PHASE_START, index);
	if (!step || !plan_text(&step->note, plan->shutdown ? "shutdown" : "autostart"))
		return plan_refuse(plan, err);
	return 0;
}

/* Stored views only: nothing that is declared now, or that has become wrong since, can keep a unit
 * from starting or from an orderly end. */
int plan_fill_guests(hn_plan *plan, hn_error **err)
{
	guest_walk walk = {.plan = plan, .err = err};
	int rc = host_units_each(plan->host, add_unit, &walk, err);

	for (size_t i = 0; rc >= 0 && i < plan->unit_count; i++) {
		rc = plan_observe(plan, &plan->units[i], err);
		if (rc >= 0)
			rc = add_guest_step(plan, i, err);
	}
	if (rc < 0)
		return rc;
	plan_sort(plan);
	plan_count(plan);
	return 0;
}

/* What is not for the values to mend: what they had last would fare no better, or starts the guest
 * without what it was given since. */
static bool is_not_the_values(int rc)
{
	return rc == HN_ECANCELLED || rc == HN_ENOMEM || rc == HN_ESIGNER || apply_is_refusal(rc);
}

/* What is declared may have been stored by an activation that never came to try it. Then the values
 * that the guest had last are better than no guest. */
int apply_boot_start(hn_host *host, const host_permit *permit, const hn_unit *unit,
	const hn_start_options *options, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *now = NULL;
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	int rc = host_act_start(host, permit, unit, options, &why);

	if (rc >= 0)
		return rc;
	if (is_not_the_values(rc) || !unit->applied ||
		memcmp(unit->applied_digest, unit->desired_digest, CRYPTO_DIGEST) == 0) {
		base_error_move(err, BASE_STEAL(why));
		return rc;
	}
	base_log(HN_LOG_WARNING, HOST_ROOM,
		"%s does not start with what is declared, so it starts with what it had last: %s",
		unit->name, hn_error_message(why));
	rc = host_unit_load_id(host, unit->id, &now, err); /* another definition by now */
	return rc < 0 ? rc : host_act_start_with(host, permit, now, now->applied, options, err);
}

/* --- tags of run time --- */

static int add_untag(
	hn_plan *plan, size_t unit, const char *old_tag, const char *new_tag, hn_error **err)
{
	plan_step *step = plan_add(plan, HN_ACTION_UNTAG, PHASE_NOTHING, unit);

	if (!step || !plan_text(&step->note, "tag %s at run time is dropped",
			     old_tag ? "put" : "taken away"))
		return plan_refuse(plan, err);
	step->old_text = old_tag ? base_strdup(old_tag) : NULL;
	step->new_text = new_tag ? base_strdup(new_tag) : NULL;
	return step->old_text || step->new_text ? 0 : base_nomem(err);
}

bool plan_keeps_tags(const hn_plan *plan, const plan_unit *unit)
{
	return !plan->drop_tags || unit->skip || !unit->record ||
	       unit->record->owner == HN_OWNER_API;
}

static int untag_unit(hn_plan *plan, size_t index, const host_inputs *inputs, hn_error **err)
{
	const plan_unit *unit = &plan->units[index];
	const hn_unit_input *input =
		plan_keeps_tags(plan, unit) ? NULL : host_inputs_get(inputs, unit->record->id);
	hn_unit_input left;
	int rc = 0;

	if (!input || input->tag_count + input->without_count == 0)
		return 0;
	for (size_t i = 0; rc >= 0 && i < input->tag_count; i++)
		rc = add_untag(plan, index, input->tags[i], NULL, err);
	for (size_t i = 0; rc >= 0 && i < input->without_count; i++)
		rc = add_untag(plan, index, NULL, input->without[i], err);
	if (rc < 0 || !unit->declared)
		return rc;
	left = *input;
	left.tag_count = left.without_count = 0;
	return hn_resolver_set_unit(plan->resolver, unit->name, &left, err);
}

int plan_untag(hn_plan *plan, hn_error **err)
{
	BASE_AUTO_OF(host_inputs) host_inputs *inputs = NULL;
	int rc = plan->drop_tags ? host_inputs_load(plan->host, 0, &inputs, NULL, err) : 0;

	for (size_t i = 0; rc >= 0 && inputs && i < plan->unit_count; i++)
		rc = untag_unit(plan, i, inputs, err);
	return rc;
}

static int run_for_unit(hn_host *host, const char *sql, int64_t unit, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit);
	return state_run(query, err);
}

static int drop_tags(apply_run *run, plan_unit *unit, hn_error **err)
{
	int rc = run_for_unit(run->host,
		"INSERT INTO temp.dropped_tag SELECT * FROM unit_tag WHERE unit = ?1",
		unit->record->id, err);

	if (rc >= 0)
		rc = run_for_unit(
			run->host, "DELETE FROM unit_tag WHERE unit = ?1", unit->record->id, err);
	unit->untagged = true;
	return rc < 0 ? rc
		      : host_event(run->host, run->session, "org.hypernix.unit.tags.changed.v1",
				unit->uuid, unit->name, NULL, err);
}

static int admit_untag(apply_run *run, const plan_step *step, hn_error **err)
{
	char tag[BASE_OBJECT_SIZE], unit[BASE_OBJECT_SIZE];
	host_permit permit = {0};
	int rc = host_admit(run->session, HN_VERB_TAG_APPLY,
		host_object_tag(tag, step->old_text ? step->old_text : step->new_text),
		host_object_unit(unit, step->uuid), &permit, err);

	return rc < 0 ? rc : host_settle(&permit, 0, err);
}

int apply_untag(apply_run *run, hn_error **err)
{
	const hn_plan *plan = run->plan;
	size_t last = PLAN_NO_UNIT;
	int rc = plan->drop_tags ? state_exec(run->host->store,
					   "CREATE TEMP TABLE IF NOT EXISTS dropped_tag AS SELECT *"
					   " FROM unit_tag WHERE 0; DELETE FROM temp.dropped_tag",
					   err)
				 : 0;

	for (size_t i = 0; rc >= 0 && i < plan->step_count; i++) {
		const plan_step *step = &plan->steps[i];

		if (step->action != HN_ACTION_UNTAG)
			continue;
		rc = admit_untag(run, step, err);
		if (rc >= 0 && step->unit != last) /* sorted: those of one unit are together */
			rc = drop_tags(run, &plan->units[step->unit], err);
		last = step->unit;
	}
	return rc;
}

int apply_retag(apply_run *run, hn_error **err)
{
	if (!run->plan->drop_tags)
		return 0;
	/* A unit that was forgotten has none to be put back. */
	return state_exec(run->host->store,
		"INSERT OR IGNORE INTO unit_tag SELECT * FROM temp.dropped_tag"
		" WHERE unit IN (SELECT id FROM unit)",
		err);
}
