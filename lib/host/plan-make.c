/* SPDX-License-Identifier: MIT
 *
 * Making a plan: what is declared, resolved and frozen, beside what is applied and observed; no
 * effect but the journal of a killed apply being settled first.
 */
#include "host/plan.h"

/* --- where the values come from --- */

static int fill_resolver(hn_plan *plan, hn_error **err)
{
	int rc = hn_resolver_new(plan->catalog, &plan->resolver, err);

	return rc < 0 ? rc
		      : host_resolver_fill(plan->host, plan->catalog, plan->resolver, NULL, err);
}

static int find_target(hn_plan *plan, hn_error **err)
{
	hn_resolver *current = NULL;
	hn_catalog *catalog = NULL;
	int rc;

	if (plan->has_decls) {
		rc = host_catalog_with(plan->host, plan->decls, plan->decl_count, plan->owner,
			&plan->catalog, err);
		return rc < 0 ? rc : fill_resolver(plan, err);
	}
	if (plan->rollback != 0) {
		/* A plan from the store may go to one that nothing was applied of yet. */
		rc = host_generation_find(plan->host, plan->rollback, false, err);
		if (rc >= 0)
			rc = host_generation_load(plan->host, plan->rollback, &plan->catalog, err);
		return rc < 0 ? rc : fill_resolver(plan, err);
	}
	rc = host_resolver(plan->host, &current, err);
	if (rc >= 0)
		rc = host_catalog(plan->host, &catalog, err);
	if (rc < 0)
		return rc;
	plan->catalog = hn_catalog_ref(catalog);
	return hn_resolver_fork(current, &plan->resolver, err);
}

/* --- which units there are --- */

plan_unit *plan_add_unit(hn_plan *plan, const char *name)
{
	plan_unit *unit;

	if (base_grow(&plan->units, &plan->unit_capacity, plan->unit_count + 1,
		    sizeof(*plan->units)) < 0)
		return NULL;
	unit = &plan->units[plan->unit_count];
	*unit = (plan_unit){.name = base_strdup(name)};
	if (!unit->name)
		return NULL;
	unit->skip = plan->only && strcmp(plan->only, name) != 0;
	plan->unit_count++;
	return unit;
}

typedef struct gather {
	hn_plan *plan;
	size_t next; /* unit of the catalogue */
	hn_error **err;
} gather;

static int add_new(gather *walk, const char *name)
{
	plan_unit *unit = plan_add_unit(walk->plan, name);

	if (!unit)
		return base_nomem(walk->err);
	unit->declared = true;
	return os_uuid(walk->plan->host->os, unit->uuid, walk->err);
}

/* Names of the catalogue that come before `name`: units without a record. */
static int add_new_before(gather *walk, const char *name)
{
	const hn_catalog *catalog = walk->plan->catalog;

	while (walk->next < hn_catalog_unit_count(catalog)) {
		const char *candidate = hn_catalog_unit_at(catalog, walk->next);
		int rc;

		if (name && strcmp(candidate, name) >= 0)
			break;
		rc = add_new(walk, candidate);
		if (rc < 0)
			return rc;
		walk->next++;
	}
	return 0;
}

static int add_record(void *arg, hn_unit *record)
{
	gather *walk = arg;
	hn_plan *plan = walk->plan;
	int rc = add_new_before(walk, record->name);
	bool named = rc >= 0 && walk->next < hn_catalog_unit_count(plan->catalog) &&
		     strcmp(hn_catalog_unit_at(plan->catalog, walk->next), record->name) == 0;
	plan_unit *unit = rc >= 0 ? plan_add_unit(plan, record->name) : NULL;

	if (!unit) {
		hn_unit_unref(record);
		return rc < 0 ? rc : base_nomem(walk->err);
	}
	unit->record = record;
	memcpy(unit->uuid, record->uuid, sizeof(unit->uuid));
	walk->next += named;
	if (named && record->owner == HN_OWNER_API && !record->undeclared)
		return base_error(walk->err, HN_EEXIST, HOST_ROOM,
			"remove the one made by hand, or give the declared one another name",
			"\"%s\" is declared, and there is a unit of that name made by hand",
			record->name);
	unit->declared = named || (record->owner == HN_OWNER_API && !record->undeclared);
	unit->owner = record->owner;
	return 0;
}

static int gather_units(hn_plan *plan, hn_error **err)
{
	gather walk = {.plan = plan, .err = err};
	int rc = host_units_each_light(plan->host, add_record, &walk, err);

	if (rc >= 0)
		rc = add_new_before(&walk, NULL);
	if (rc < 0)
		return rc;
	rc = base_limit_check(BASE_LIMIT_UNITS, plan->unit_count, err);
	if (rc < 0 || !plan->only)
		return rc;
	for (size_t i = 0; i < plan->unit_count; i++)
		if (!plan->units[i].skip)
			return 0;
	return base_error(
		err, HN_ENOENT, HOST_ROOM, NULL, "there is no unit \"%.80s\"", plan->only);
}

/* --- resolving and freezing --- */

static bool is_auto(const hn_view *view)
{
	const char *text = NULL;

	return hn_view_get_text(view, "compute.vcpus", &text, NULL) >= 0 &&
	       strcmp(text, "auto") == 0;
}

/* How many vCPUs `auto` means here: from compute units, at most vcpus-max where that is a number.
 */
static uint32_t auto_vcpus(const hn_view *view, const hn_calibration *calibration, int64_t *units)
{
	uint32_t vcpus;
	int64_t most = 0;

	if (hn_view_get_int(view, "compute.units", units, NULL) < 0)
		*units = 100;
	vcpus = host_auto_vcpus((uint64_t)*units, calibration->sn, calibration->threads);
	if (hn_view_get_int(view, "compute.vcpus-max", &most, NULL) >= 0 && most < vcpus)
		vcpus = (uint32_t)most;
	return vcpus;
}

/* The unit's input with the frozen count added. */
static int set_frozen(hn_plan *plan, plan_unit *unit, hn_error **err)
{
	BASE_AUTO_OF(host_inputs) host_inputs *inputs = NULL;
	BASE_AUTO_FREE hn_definition *definitions = NULL;
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	char value[16];
	int rc;

	if (unit->record) {
		const hn_unit_input *before;

		rc = host_inputs_load(plan->host, unit->record->id, &inputs, NULL, err);
		if (rc < 0)
			return rc;
		before = host_inputs_get(inputs, unit->record->id);
		if (before)
			input = *before;
		if (!plan_keeps_tags(plan, unit))
			input.tag_count = input.without_count = 0;
	}
	definitions = base_calloc(input.definition_count + 1, sizeof(*definitions));
	if (!definitions)
		return base_nomem(err);
	if (input.definition_count > 0)
		memcpy(definitions, input.definitions,
			input.definition_count * sizeof(*definitions));
	(void)snprintf(value, sizeof(value), "%u", (unsigned)unit->vcpus);
	definitions[input.definition_count++] = (hn_definition){
		.size = sizeof(*definitions),
		.layer = HN_LAYER_FROZEN,
		.key = "compute.vcpus",
		.value = value,
		.note = unit->vcpus_note,
		.who = "host",
		.when = os_now(plan->host->os),
	};
	input.definitions = definitions;
	return hn_resolver_set_unit(plan->resolver, unit->name, &input, err);
}

/* `auto` is frozen before anything is compared, else a default that is filled in later would look
 * like a change. */
static int freeze_unit(
	hn_plan *plan, plan_unit *unit, const hn_calibration *calibration, hn_error **err)
{
	BASE_AUTO_FREE char *formula = NULL;
	int64_t units = 0;
	int rc;

	if (!is_auto(unit->desired) || (unit->record && unit->record->vcpus != 0))
		return 0;
	unit->vcpus = auto_vcpus(unit->desired, calibration, &units);
	formula = host_auto_vcpus_note((uint64_t)units, calibration->sn, calibration->threads);
	if (!formula || !plan_text(&unit->vcpus_note, "%s on host %s", formula, plan->host->node))
		return base_nomem(err);
	rc = set_frozen(plan, unit, err);
	if (rc < 0)
		return rc;
	unit->desired = hn_view_unref(unit->desired);
	return hn_resolve(plan->resolver, unit->name, &unit->desired, err);
}

/* Stored views are decoded only where they say something else than what was just resolved. */
static int take_views(hn_plan *plan, plan_unit *unit, hn_error **err)
{
	hn_unit *record = unit->record;

	if (!record)
		return 0;
	if (unit->desired && memcmp(unit->digest, record->desired_digest, CRYPTO_DIGEST) == 0)
		return host_unit_share(plan->host, record, unit->desired, err);
	return host_unit_views(plan->host, record, err);
}

static int resolve_unit(
	hn_plan *plan, plan_unit *unit, const hn_calibration *calibration, hn_error **err)
{
	int rc = hn_resolve(plan->resolver, unit->name, &unit->desired, err);

	if (rc >= 0)
		rc = freeze_unit(plan, unit, calibration, err);
	if (rc >= 0)
		rc = host_view_digest(unit->desired, unit->digest, err);
	if (rc >= 0 && hn_view_get_int(unit->desired, "start.order", &unit->order, NULL) < 0)
		unit->order = 0;
	return rc;
}

static int resolve_units(hn_plan *plan, hn_error **err)
{
	hn_calibration calibration = HN_CALIBRATION_INIT;
	int rc = host_calibration(plan->host, &calibration, err);

	for (size_t i = 0; rc >= 0 && i < plan->unit_count; i++) {
		if (plan->units[i].declared)
			rc = resolve_unit(plan, &plan->units[i], &calibration, err);
		if (rc >= 0)
			rc = take_views(plan, &plan->units[i], err);
	}
	return rc;
}

/* --- observing --- */

int plan_observe(hn_plan *plan, plan_unit *unit, hn_error **err)
{
	int rc;

	if (!plan->machine || unit->skip || !unit->record)
		return 0;
	rc = machine_observe(plan->machine, unit->uuid, &unit->real, err);
	rc = base_error_forgive(err, rc, HN_ENOENT);
	unit->observed = rc >= 0;
	return rc;
}

static const plan_unit *unit_by(const hn_plan *plan, const char *uuid, const char *name)
{
	for (size_t i = 0; i < plan->unit_count; i++)
		if (uuid ? strcmp(plan->units[i].uuid, uuid) == 0
			 : strcmp(plan->units[i].name, name) == 0)
			return &plan->units[i];
	return NULL;
}

typedef struct orphan_walk {
	hn_plan *plan;
	base_map *uuids;
	hn_error **err;
} orphan_walk;

static int add_orphan(orphan_walk *walk, const machine_real *real)
{
	plan_step *step = plan_add(walk->plan, HN_ACTION_ORPHAN, PHASE_STOP, PLAN_NO_UNIT);

	if (!step)
		return plan_refuse(walk->plan, walk->err);
	base_free(step->name);
	base_free(step->uuid);
	step->name = base_strdup(real->name);
	step->uuid = base_strdup(real->uuid);
	if (!step->name || !step->uuid ||
		!plan_text(&step->note, "a domain of ours (%s) that no unit belongs to",
			hn_unit_status_name(real->status)))
		return base_nomem(walk->err);
	return 0;
}

/* A domain that is not ours must not lose its name to a unit that is about to be made. */
static int check_foreign(orphan_walk *walk, const machine_real *real)
{
	const plan_unit *unit = unit_by(walk->plan, NULL, real->name);

	if (!unit || !unit->declared || unit->skip || (unit->record && unit->record->applied))
		return 0;
	return base_error(walk->err, HN_EEXIST, HOST_ROOM,
		"adopt the domain, or give the unit another name",
		real->elsewhere ? "another root of hypernix has a domain \"%s\" here"
				: "there is a domain \"%s\" that hypernix did not make",
		real->name);
}

static int look_at_domain(void *arg, const machine_real *real)
{
	orphan_walk *walk = arg;

	if (base_map_has(walk->uuids, real->uuid, strlen(real->uuid)))
		return 0;
	/* One of another root is no orphan: whoever has that root knows its unit. */
	if (!real->ours || real->elsewhere)
		return check_foreign(walk, real);
	return walk->plan->only ? 0 : add_orphan(walk, real);
}

static int find_orphans(hn_plan *plan, hn_error **err)
{
	BASE_AUTO_OF(base_map) base_map *uuids = base_map_new(NULL);
	orphan_walk walk = {.plan = plan, .uuids = uuids, .err = err};

	if (!uuids)
		return base_nomem(err);
	for (size_t i = 0; i < plan->unit_count; i++)
		if (base_map_put(uuids, plan->units[i].uuid, strlen(plan->units[i].uuid), NULL) < 0)
			return base_nomem(err);
	return machine_list(plan->machine, look_at_domain, &walk, err);
}

/* --- all of it --- */

/* A dry plan is better with a machine, but it needs none: that of a system that is only about to
 * be made may not be there yet. */
static int look(hn_host *host, machine **m, hn_error **err)
{
	return base_error_forgive(err, host_machine_try(host, m, err), HN_EDRIVER);
}

static int open_parts(hn_session *session, hn_plan *plan, hn_error **err)
{
	hn_host *host = plan->host;
	int rc;

	if (host->read_only) {
		rc = look(host, &plan->machine, err);
		return rc < 0 ? rc : host_revision(host, &plan->revision, err);
	}
	rc = host_machine(host, &plan->machine, err);
	if (rc >= 0)
		rc = host_expire(session, err);
	if (rc >= 0)
		rc = host_recover(session, err);
	return rc < 0 ? rc : host_revision(host, &plan->revision, err);
}

int plan_fill(hn_session *session, hn_plan *plan, hn_error **err)
{
	int rc = open_parts(session, plan, err);

	if (rc >= 0 && plan_keeps_declared(plan))
		return plan_fill_guests(plan, err);
	if (rc >= 0)
		rc = find_target(plan, err);
	if (rc >= 0)
		rc = gather_units(plan, err);
	if (rc >= 0)
		rc = plan_untag(plan, err);
	if (rc >= 0)
		rc = resolve_units(plan, err);
	for (size_t i = 0; rc >= 0 && i < plan->unit_count; i++)
		rc = plan_observe(plan, &plan->units[i], err);
	if (rc >= 0 && plan->machine)
		rc = find_orphans(plan, err);
	for (size_t i = 0; rc >= 0 && i < plan->unit_count; i++)
		if (!plan->units[i].skip)
			rc = plan_unit_steps(plan, i, err);
	if (rc < 0)
		return rc;
	plan_sort(plan);
	rc = plan_admit(plan, err);
	plan_count(plan);
	return rc;
}
