/* SPDX-License-Identifier: MIT
 *
 * The first transaction of an apply: generation, units, frozen values and desired views become what
 * the plan says, all or nothing. And back again, for an apply that is undone.
 */
#include "host/plan.h"

static void swap_record(plan_unit *unit, hn_unit *record)
{
	if (unit->before || unit->fresh)
		hn_unit_unref(unit->record);
	else
		unit->before = unit->record;
	unit->record = record;
}

int apply_reload(apply_run *run, plan_unit *unit, hn_error **err)
{
	hn_unit *record = NULL;
	int rc = host_unit_load_id(run->host, unit->record->id, &record, err);

	if (rc >= 0)
		swap_record(unit, record);
	return rc;
}

static int send(const apply_run *run, const plan_unit *unit, const char *type, hn_error **err)
{
	char data[64];

	(void)snprintf(
		data, sizeof(data), "{\"plan\":%llu}", (unsigned long long)run->plan->number);
	return host_event(run->host, run->session, type, unit->uuid, unit->name, data, err);
}

static int freeze(apply_run *run, const plan_unit *unit, hn_error **err)
{
	hn_definition frozen = {
		.size = sizeof(frozen),
		.layer = HN_LAYER_FROZEN,
		.key = "compute.vcpus",
		.note = unit->vcpus_note,
	};
	char value[16];
	int rc;

	if (unit->vcpus == 0)
		return 0;
	(void)snprintf(value, sizeof(value), "%u", (unsigned)unit->vcpus);
	frozen.value = value;
	rc = host_unit_set_vcpus(run->host, unit->record, unit->vcpus, err);
	return rc < 0 ? rc : host_define(run->host, run->session, unit->record, &frozen, 0, err);
}

static int declare_unit(apply_run *run, plan_unit *unit, const host_owners *owners, hn_error **err)
{
	hn_owner owner = !unit->record || unit->record->owner != HN_OWNER_API
				 ? host_owner_of(owners, unit->name)
				 : HN_OWNER_API;
	int rc = 0;

	unit->fresh = !unit->record;
	if (unit->fresh)
		rc = host_unit_insert(run->host, unit->name, unit->uuid, owner, &unit->record, err);
	else if (unit->record->undeclared || unit->record->owner != owner)
		rc = host_unit_set_undeclared(run->host, unit->record, false, owner, err);
	if (rc >= 0)
		rc = freeze(run, unit, err);
	if (rc >= 0)
		rc = host_desire(run->host, run->session, unit->record, unit->desired, err);
	if (rc == HOST_DESIRED_TAGS && !unit->untagged)
		return send(run, unit, "org.hypernix.unit.tags.changed.v1", err);
	if (rc != HOST_DESIRED_VALUES)
		return rc;
	rc = host_hold_values(
		run->session, HN_VERB_UNIT_UPDATE, unit->record, unit->desired, NULL, err);
	if (rc < 0)
		return rc;
	return send(run, unit,
		unit->fresh ? "org.hypernix.unit.created.v1" : "org.hypernix.unit.reconfigured.v1",
		err);
}

static int undeclare_unit(apply_run *run, const plan_unit *unit, hn_error **err)
{
	if (!unit->record || unit->record->undeclared)
		return 0;
	return host_unit_set_undeclared(run->host, unit->record, true, unit->record->owner, err);
}

static int declare_units(apply_run *run, hn_error **err)
{
	host_owners owners = {0};
	hn_plan *plan = run->plan;
	uint64_t current = 0;
	int rc = host_generation_current(run->host, &current, err);

	if (rc >= 0)
		rc = host_owners_load(run->host, current, &owners, err);
	for (size_t i = 0; rc >= 0 && i < plan->unit_count; i++) {
		plan_unit *unit = &plan->units[i];

		rc = unit->declared ? declare_unit(run, unit, &owners, err)
				    : undeclare_unit(run, unit, err);
		if (rc >= 0 && unit->record)
			rc = apply_reload(run, unit, err);
	}
	host_owners_free(&owners);
	return rc;
}

/* A boot and a shutdown change nothing of what is declared. */
static int reload_units(apply_run *run, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < run->plan->unit_count; i++)
		rc = apply_reload(run, &run->plan->units[i], err);
	return rc;
}

/* Units that leave and stay as they are: that is done with the declaration itself. */
static int tell_left(apply_run *run, hn_step_status status, hn_error **err)
{
	hn_plan *plan = run->plan;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < plan->step_count; i++) {
		if (!plan_leaves(&plan->steps[i]))
			continue;
		plan->steps[i].status = status;
		rc = plan_step_store(run->host, plan, i, err);
	}
	return rc;
}

/* Tags and forces need no lock: one may have come since the plan was found to fit. */
static int check_revision(const apply_run *run, hn_error **err)
{
	uint64_t revision = 0;
	int rc = host_revision(run->host, &revision, err);

	if (rc < 0 || revision == run->plan->revision)
		return rc;
	return base_error(err, HN_EBUSY, HOST_ROOM, "apply again",
		"the state was changed while the plan was being checked");
}

/* A declaration says what tags and policies are, and who has them, and gives units files of the
 * host: a token's holder needs the right to all of that before he can put one in force. */
static int may_declare(const apply_run *run, hn_error **err)
{
	static const struct {
		hn_verb verb;
		const char *object;
	} needed[] = {
		{HN_VERB_TAG_DEFINE, "tag/**"},
		{HN_VERB_TAG_APPLY, "tag/**"},
		{HN_VERB_POLICY_DEFINE, "policy/**"},
	};
	int rc = 0;

	if (host_session_declares(run->session) || run->plan->generation == 0)
		return 0;
	for (size_t i = 0; rc >= 0 && i < BASE_COUNT(needed); i++)
		rc = host_may(run->session, needed[i].verb, needed[i].object, err);
	for (size_t i = 0; rc >= 0 && i < run->plan->unit_count; i++) {
		const plan_unit *unit = &run->plan->units[i];

		if (unit->declared)
			rc = host_may_attach_all(run->session,
				unit->record ? unit->record->desired : NULL, unit->desired, err);
	}
	return rc;
}

static int declare_all(void *arg, hn_error **err)
{
	apply_run *run = arg;
	hn_plan *plan = run->plan;
	host_permit permit = {0};
	int rc = check_revision(run, err);

	if (rc >= 0)
		rc = may_declare(run, err);
	if (rc >= 0)
		rc = host_admit(run->session, HN_VERB_UNIT_UPDATE, "unit/**", NULL, &permit, err);
	if (rc >= 0)
		rc = host_generation_current(run->host, &run->before, err);
	if (rc >= 0 && plan->generation != 0)
		rc = host_generation_flip(run->host, plan->generation,
			(uint32_t)hn_catalog_unit_count(plan->catalog), err);
	if (rc >= 0)
		rc = apply_untag(run, err);
	if (rc >= 0)
		rc = plan_keeps_declared(plan) ? reload_units(run, err) : declare_units(run, err);
	if (rc >= 0)
		rc = tell_left(run, HN_STEP_DONE, err);
	if (rc >= 0)
		rc = plan_state_store(run->host, plan->number, PLAN_APPLYING, err);
	if (rc >= 0)
		rc = host_touch(run->host, err);
	return rc < 0 ? rc : host_settle(&permit, 0, err);
}

int apply_declare(apply_run *run, hn_error **err)
{
	int rc = host_transaction(run->host, declare_all, run, err);

	host_resolver_forget(run->host);
	if (rc < 0) {
		for (size_t i = 0; i < run->plan->step_count; i++)
			if (plan_leaves(&run->plan->steps[i]))
				run->plan->steps[i].status = HN_STEP_PLANNED;
		return rc;
	}
	run->plan->begun = true;
	/* Whoever asks for the revision after this wants to know about others. */
	return host_revision(run->host, &run->plan->revision, err);
}

/* --- back --- */

/* A unit that this plan introduced and whose domain is gone again leaves no record. */
static int revoke_unit(apply_run *run, plan_unit *unit, hn_error **err)
{
	const hn_unit *before = unit->before;
	int rc = 0;

	if (unit->fresh && unit->record)
		return unit->record->applied ? 0 : host_unit_delete(run->host, unit->record, err);
	if (!unit->record || !before)
		return 0;

	if (unit->vcpus != 0) {
		rc = host_undefine(run->host, unit->record, HN_LAYER_FROZEN, "compute.vcpus", NULL);
		rc = rc == HN_ENOENT ? 0 : rc;
		if (rc >= 0)
			rc = host_unit_set_vcpus(run->host, unit->record, 0, err);
	}
	if (rc >= 0 && (before->undeclared != unit->record->undeclared ||
			       before->owner != unit->record->owner))
		rc = host_unit_set_undeclared(
			run->host, unit->record, before->undeclared, before->owner, err);
	if (rc >= 0 && before->desired)
		rc = host_desire(run->host, run->session, unit->record, before->desired, err);
	return rc;
}

static int revoke_all(void *arg, hn_error **err)
{
	apply_run *run = arg;
	host_permit permit = {0};
	int rc = host_admit(run->session, HN_VERB_UNIT_UPDATE, "unit/**", NULL, &permit, err);

	if (rc >= 0)
		rc = apply_retag(run, err);
	for (size_t i = 0; rc >= 0 && i < run->plan->unit_count; i++)
		rc = revoke_unit(run, &run->plan->units[i], err);
	if (rc >= 0 && run->plan->generation != 0) {
		state_query *query = NULL;

		rc = state_find(run->host->store, "UPDATE host SET generation = ?1", &query, err);
		if (rc >= 0) {
			state_bind_int(query, 1, (int64_t)run->before);
			rc = state_run(query, err);
		}
	}
	if (rc >= 0)
		rc = tell_left(run, HN_STEP_UNDONE, err);
	if (rc >= 0)
		rc = host_touch(run->host, err);
	return rc < 0 ? rc : host_settle(&permit, 0, err);
}

int apply_revoke(apply_run *run, hn_error **err)
{
	int rc = host_transaction(run->host, revoke_all, run, err);

	host_resolver_forget(run->host);
	return rc;
}
