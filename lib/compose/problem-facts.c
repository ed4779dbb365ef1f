/* SPDX-License-Identifier: MIT
 *
 * Facts of the solver: what the blueprint asks for, what versions need, and which cannot be used.
 */
#include "compose/problem.h"

int problem_fact_add(compose_problem *problem, const problem_fact *fact)
{
	if (base_grow(&problem->facts, &problem->fact_capacity, problem->fact_count + 1,
		    sizeof(*problem->facts)) < 0)
		return HN_ENOMEM;
	problem->facts[problem->fact_count] = *fact;
	return (int)problem->fact_count++;
}

static int put_root(compose_problem *problem, problem_fact *fact, const solver_set *allowed)
{
	int index = problem_fact_add(problem, fact);

	return index < 0 ? HN_ENOMEM
			 : solver_root(problem->solver, fact->target, allowed, (uint32_t)index);
}

/* A fact about the versions of a component that have something in common; none when none have. */
static int put_unavailable(compose_problem *problem, const problem_component *component,
	const solver_set *versions, problem_fact *fact)
{
	int index;
	uint64_t any = 0;

	for (uint32_t i = 0; i < versions->words; i++)
		any |= versions->word[i];
	if (any == 0)
		return 0;
	fact->package = fact->target = (uint32_t)component->package;
	index = problem_fact_add(problem, fact);
	return index < 0 ? HN_ENOMEM
			 : solver_unavailable(
				   problem->solver, fact->package, versions, (uint32_t)index);
}

/* --- the blueprint --- */

static int add_wish(compose_problem *problem, const compose_wish *wish)
{
	problem_component *component = problem_component_of(problem, wish->component);
	problem_fact fact = {.kind = PROBLEM_WISH,
		.target = (uint32_t)component->package,
		.wish = wish,
		.place = &wish->place,
		.empty = true};
	bool relaxed = problem->change.wish == wish;
	const compose_range *range = relaxed || wish->range == NULL ? problem->any : wish->range;
	solver_set allowed = solver_set_new(problem->solver, fact.target);

	if (relaxed && problem->change.whole)
		return 0;
	if (allowed.word == NULL)
		return HN_ENOMEM;
	for (uint32_t rank = 1; rank <= component->count; rank++)
		if (compose_range_match(range, &component->releases[rank - 1].manifest->version)) {
			solver_set_add(&allowed, rank);
			solver_set_add(&component->asked, rank);
			fact.empty = false;
		}
	return put_root(problem, &fact, &allowed);
}

static int add_asked(
	compose_problem *problem, const compose_requirement *requirement, hn_error **err)
{
	compose_requirement *loose;
	const problem_need *need;
	problem_fact fact = {
		.kind = PROBLEM_ASKED, .requirement = requirement, .place = &requirement->place};
	int rc;

	if (problem->change.requirement == requirement) {
		if (problem->change.whole)
			return 0;
		loose = base_arena_alloc(problem->arena, sizeof(*loose));
		if (loose == NULL)
			return base_nomem(err);
		*loose = *requirement;
		if (problem->change.range)
			loose->range = problem->any;
		if (problem->change.fields)
			loose->demand_count = 0;
		requirement = loose;
	}
	rc = problem_need_of(problem, requirement, &need, err);
	if (rc < 0)
		return rc;
	fact.target = need->package;
	fact.empty = need->empty;
	return put_root(problem, &fact, &need->to) < 0 ? base_nomem(err) : 0;
}

static bool is_all(const compose_range *range)
{
	return range == NULL || strcmp(compose_range_text(range), "*") == 0;
}

/* Who is not wanted at all is not wanted as a prerelease either. */
static bool is_hit(const compose_range *range, const compose_version *version)
{
	return is_all(range) || compose_range_match(range, version);
}

static int add_exclude(compose_problem *problem, const compose_wish *wish)
{
	problem_component *component =
		base_map_get(problem->components, wish->component, strlen(wish->component));
	problem_fact fact = {.kind = PROBLEM_EXCLUDED, .wish = wish, .place = &wish->place};
	solver_set versions;

	if (component == NULL || !component->included || problem->change.wish == wish)
		return 0;
	versions = solver_set_new(problem->solver, (uint32_t)component->package);
	if (versions.word == NULL)
		return HN_ENOMEM;
	for (uint32_t rank = 1; rank <= component->count; rank++)
		if (is_hit(wish->range, &component->releases[rank - 1].manifest->version))
			solver_set_add(&versions, rank);
	return put_unavailable(problem, component, &versions, &fact);
}

static int add_blueprint(compose_problem *problem, hn_error **err)
{
	const compose_blueprint *blueprint = problem->blueprint;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < blueprint->component_count; i++)
		rc = add_wish(problem, &blueprint->components[i]);
	for (size_t i = 0; rc == 0 && i < blueprint->exclude_count; i++)
		rc = add_exclude(problem, &blueprint->exclude[i]);
	if (rc < 0)
		return base_nomem(err);
	for (size_t i = 0; rc == 0 && i < blueprint->require_count; i++)
		rc = add_asked(problem, &blueprint->requires_[i], err);
	return rc;
}

/* --- what components need --- */

typedef struct need_run { /* neighbouring versions that need the same */
	const problem_need *need;
	uint32_t first, last;
	const compose_place *place; /* in the newest */
} need_run;
typedef struct need_runs {
	need_run *runs;
	size_t count, capacity;
} need_runs;

static int put_run(
	compose_problem *problem, const problem_component *component, const need_run *run)
{
	problem_fact fact = {.kind = PROBLEM_NEED,
		.package = (uint32_t)component->package,
		.target = run->need->package,
		.first = run->first,
		.last = run->last,
		.requirement = run->need->requirement,
		.place = run->place,
		.empty = run->need->empty};
	solver_set from = solver_set_new(problem->solver, fact.package);
	int index = problem_fact_add(problem, &fact);

	if (from.word == NULL || index < 0)
		return HN_ENOMEM;
	for (uint32_t rank = run->first; rank <= run->last; rank++)
		solver_set_add(&from, rank);
	return solver_dependency(problem->solver, fact.package, &from, fact.target, &run->need->to,
		SOLVER_DEPENDENCY, (uint32_t)index);
}

static int note_need(
	need_runs *runs, const problem_need *need, uint32_t rank, const compose_place *place)
{
	for (size_t i = 0; i < runs->count; i++) {
		need_run *run = &runs->runs[i];

		if (run->need == need && run->last + 1 >= rank) {
			run->last = rank;
			run->place = place;
			return 0;
		}
	}
	if (base_grow(&runs->runs, &runs->capacity, runs->count + 1, sizeof(*runs->runs)) < 0)
		return HN_ENOMEM;
	runs->runs[runs->count++] =
		(need_run){.need = need, .first = rank, .last = rank, .place = place};
	return 0;
}

/* Runs that did not go on with this version are over: they become facts. */
static int put_ended(compose_problem *problem, const problem_component *component, need_runs *runs,
	uint32_t rank)
{
	size_t kept = 0;

	for (size_t i = 0; i < runs->count; i++) {
		if (runs->runs[i].last >= rank) {
			runs->runs[kept++] = runs->runs[i];
			continue;
		}
		if (put_run(problem, component, &runs->runs[i]) < 0)
			return HN_ENOMEM;
	}
	runs->count = kept;
	return 0;
}

static int note_version(compose_problem *problem, const problem_component *component, uint32_t rank,
	need_runs *runs, hn_error **err)
{
	const compose_manifest *manifest = component->releases[rank - 1].manifest;
	const problem_need *need;
	int rc;

	for (size_t i = 0; i < manifest->require_count; i++) {
		const compose_requirement *requirement = &manifest->requires_[i];

		rc = problem_need_of(problem, requirement, &need, err);
		if (rc < 0)
			return rc;
		if (note_need(runs, need, rank, &requirement->place) < 0)
			return base_nomem(err);
	}
	return 0;
}

static int add_needs(compose_problem *problem, const problem_component *component, hn_error **err)
{
	need_runs runs = {0};
	int rc = 0;

	for (uint32_t rank = 1; rc == 0 && rank <= component->count; rank++) {
		rc = problem_room(problem, err);
		if (rc == 0)
			rc = note_version(problem, component, rank, &runs, err);
		if (rc == 0 && put_ended(problem, component, &runs, rank) < 0)
			rc = base_nomem(err);
	}
	if (rc == 0 && put_ended(problem, component, &runs, component->count + 1) < 0)
		rc = base_nomem(err);
	base_free(runs.runs);
	return rc;
}

/* --- conflicts, one fact for each line of a manifest --- */

static int add_conflict(compose_problem *problem, const problem_component *component, uint32_t rank,
	const compose_conflict *conflict)
{
	const problem_component *other =
		base_map_get(problem->components, conflict->component, strlen(conflict->component));
	problem_fact fact = {.kind = PROBLEM_CONFLICT,
		.package = (uint32_t)component->package,
		.first = rank,
		.last = rank,
		.conflict = conflict,
		.place = &conflict->place};
	solver_set from, to;
	int index;

	if (other == NULL || !other->included)
		return 0;
	fact.target = (uint32_t)other->package;
	from = solver_set_new(problem->solver, fact.package);
	to = solver_set_new(problem->solver, fact.target);
	index = problem_fact_add(problem, &fact);
	if (from.word == NULL || to.word == NULL || index < 0)
		return HN_ENOMEM;
	solver_set_add(&from, rank);
	for (uint32_t i = 1; i <= other->count; i++)
		if (is_hit(conflict->range, &other->releases[i - 1].manifest->version))
			solver_set_add(&to, i);
	return solver_conflict(
		problem->solver, fact.package, &from, fact.target, &to, (uint32_t)index);
}

static int add_conflicts(
	compose_problem *problem, const problem_component *component, hn_error **err)
{
	for (uint32_t rank = 1; rank <= component->count; rank++) {
		const compose_manifest *manifest = component->releases[rank - 1].manifest;
		int rc = problem_room(problem, err);

		if (rc < 0)
			return rc;

		for (size_t i = 0; i < manifest->conflict_count; i++)
			if (add_conflict(problem, component, rank, &manifest->conflicts[i]) < 0)
				return base_nomem(err);
	}
	return 0;
}

/* --- versions that cannot be used --- */

static bool is_for(const compose_manifest *manifest, const char *platform)
{
	for (size_t i = 0; i < manifest->platform_count; i++)
		if (strcmp(manifest->platforms[i], platform) == 0)
			return true;
	return manifest->platform_count == 0;
}

static int add_unavailable(compose_problem *problem, const problem_component *component)
{
	uint32_t number = (uint32_t)component->package;
	solver_set foreign = solver_set_new(problem->solver, number);
	solver_set early = solver_set_new(problem->solver, number);
	problem_fact platform = {.kind = PROBLEM_PLATFORM};
	problem_fact prerelease = {.kind = PROBLEM_PRERELEASE};

	if (foreign.word == NULL || early.word == NULL)
		return HN_ENOMEM;
	for (uint32_t rank = 1; rank <= component->count; rank++) {
		const compose_manifest *manifest = component->releases[rank - 1].manifest;

		if (!is_for(manifest, problem->blueprint->platform)) {
			solver_set_add(&foreign, rank);
			platform.place = &manifest->place;
		} else if (manifest->version.pre != NULL &&
			   !problem_set_has(&component->asked, rank)) {
			solver_set_add(&early, rank);
			prerelease.place = &manifest->place;
		}
	}
	if (put_unavailable(problem, component, &foreign, &platform) < 0)
		return HN_ENOMEM;
	return put_unavailable(problem, component, &early, &prerelease);
}

/* Two that provide what there is one of exclude each other, though nobody asks for it. */
static int add_ones(compose_problem *problem, hn_error **err)
{
	for (size_t slot = 0; slot < base_map_slots(problem->contracts); slot++) {
		const problem_component *before = NULL;
		bool several = false;
		const char *key;
		size_t size;
		void *value;
		problem_contract *contract;
		int rc;

		if (!base_map_at(problem->contracts, slot, &key, &size, &value))
			continue;
		contract = value;
		for (problem_provider *at = contract->first; contract->one && at != NULL;
			at = at->next) {
			if (!at->component->included)
				continue;
			several = several || (before != NULL && before != at->component);
			before = at->component;
		}
		if (!several)
			continue;
		rc = problem_one_package(problem, contract, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int problem_add_facts(compose_problem *problem, hn_error **err)
{
	int rc = add_ones(problem, err);

	if (rc == 0)
		rc = add_blueprint(problem, err);
	for (problem_component *at = problem->included; rc == 0 && at != NULL; at = at->next)
		rc = add_needs(problem, at, err);
	for (problem_component *at = problem->included; rc == 0 && at != NULL; at = at->next) {
		rc = add_conflicts(problem, at, err);
		if (rc == 0 && add_unavailable(problem, at) < 0)
			rc = base_nomem(err);
	}
	return rc;
}
