/* SPDX-License-Identifier: MIT
 *
 * What a blueprint can reach in the registries: nothing else becomes part of the problem.
 */
#include "compose/problem.h"

problem_component *problem_component_of(compose_problem *problem, const char *name)
{
	size_t size = strlen(name);
	problem_component *found = base_map_get(problem->components, name, size);

	if (found != NULL)
		return found;
	found = base_arena_alloc(problem->arena, sizeof(*found));
	if (found == NULL || base_map_put(problem->components, name, size, found) < 0)
		return NULL;
	found->name = name;
	found->count =
		(uint32_t)compose_registry_releases(problem->registry, name, &found->releases);
	return found;
}

problem_contract *problem_contract_of(compose_problem *problem, const char *name)
{
	size_t size = strlen(name);
	problem_contract *found = base_map_get(problem->contracts, name, size);

	if (found != NULL)
		return found;
	found = base_arena_alloc(problem->arena, sizeof(*found));
	if (found == NULL || base_map_put(problem->contracts, name, size, found) < 0)
		return NULL;
	found->name = name;
	found->package = -1;
	return found;
}

/* --- who provides what --- */

static int add_provider(compose_problem *problem, const char *contract_name,
	problem_component *component, uint32_t rank, const compose_provision *provision)
{
	problem_contract *contract = problem_contract_of(problem, contract_name);
	problem_provider *provider = base_arena_alloc(problem->arena, sizeof(*provider));

	if (contract == NULL || provider == NULL)
		return HN_ENOMEM;
	*provider =
		(problem_provider){.component = component, .rank = rank, .provision = provision};
	if (contract->last != NULL)
		contract->last->next = provider;
	else
		contract->first = provider;
	contract->last = provider;
	contract->count++;
	return 0;
}

static int add_release(compose_problem *problem, problem_component *component, uint32_t rank)
{
	const compose_manifest *manifest = component->releases[rank - 1].manifest;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < manifest->provide_count; i++)
		rc = add_provider(problem, manifest->provides[i].contract, component, rank,
			&manifest->provides[i]);
	if (rc == 0 && manifest->kind == COMPOSE_BASE_OS)
		rc = add_provider(problem, PROBLEM_BASE, component, rank, NULL);
	return rc;
}

static int index_registry(compose_problem *problem)
{
	problem_contract *base = problem_contract_of(problem, PROBLEM_BASE);

	if (base == NULL)
		return HN_ENOMEM;
	base->one = true;
	for (size_t i = 0; i < compose_registry_contracts(problem->registry); i++) {
		const compose_contract *schema = compose_registry_contract_at(problem->registry, i);
		problem_contract *contract = problem_contract_of(problem, schema->name);

		if (contract == NULL)
			return HN_ENOMEM;
		contract->one = contract->one || schema->one;
	}
	for (size_t i = 0; i < compose_registry_components(problem->registry); i++) {
		problem_component *component = problem_component_of(
			problem, compose_registry_component(problem->registry, i));

		if (component == NULL)
			return HN_ENOMEM;
		for (uint32_t rank = 1; rank <= component->count; rank++)
			if (add_release(problem, component, rank) < 0)
				return HN_ENOMEM;
	}
	return 0;
}

/* --- what can be reached --- */

static void include(compose_problem *problem, problem_component *component)
{
	if (component->included)
		return;
	component->included = true;
	*problem->included_end = component;
	problem->included_end = &component->next;
	problem->included_count++;
}

static int reach(compose_problem *problem, const compose_requirement *requirement)
{
	problem_component *component;
	problem_contract *contract;

	if (requirement->component != NULL) {
		component = problem_component_of(problem, requirement->component);
		if (component == NULL)
			return HN_ENOMEM;
		include(problem, component);
		return 0;
	}
	contract = problem_contract_of(problem, requirement->contract);
	if (contract == NULL)
		return HN_ENOMEM;
	if (contract->visited)
		return 0;
	contract->visited = true;
	for (problem_provider *at = contract->first; at != NULL; at = at->next)
		include(problem, at->component);
	return 0;
}

/* The list grows at its end while it is walked. */
static int reach_all(compose_problem *problem)
{
	for (problem_component *at = problem->included; at != NULL; at = at->next)
		for (uint32_t i = 0; i < at->count; i++) {
			const compose_manifest *manifest = at->releases[i].manifest;

			for (size_t j = 0; j < manifest->require_count; j++)
				if (reach(problem, &manifest->requires_[j]) < 0)
					return HN_ENOMEM;
		}
	return 0;
}

static int fail_unknown(const compose_problem *problem, const compose_wish *wish, hn_error **err)
{
	const char *nearest = compose_registry_nearest(problem->registry, wish->component);
	int rc = compose_fail(err, HN_EMISSING, &wish->place, NULL,
		"no registry has a component \"%s\"", wish->component);

	if (nearest != NULL)
		base_error_hint(err, "did you mean \"%s\"?", nearest);
	else
		base_error_hint(err, "add its manifest: manifests/%s/VERSION.json of a registry",
			wish->component);
	return rc;
}

static int reach_blueprint(compose_problem *problem, hn_error **err)
{
	const compose_blueprint *blueprint = problem->blueprint;

	for (size_t i = 0; i < blueprint->component_count; i++) {
		problem_component *component =
			problem_component_of(problem, blueprint->components[i].component);

		if (component == NULL)
			return base_nomem(err);
		if (component->count == 0)
			return fail_unknown(problem, &blueprint->components[i], err);
		include(problem, component);
	}
	for (size_t i = 0; i < blueprint->require_count; i++)
		if (reach(problem, &blueprint->requires_[i]) < 0)
			return base_nomem(err);
	return 0;
}

/* --- what was locked before --- */

static bool is_freed(const compose_solve_options *options, const char *component)
{
	for (size_t i = 0; i < options->update_count; i++)
		if (strcmp(options->update[i], component) == 0)
			return true;
	return options->update_all;
}

static void note_locked(compose_problem *problem)
{
	const compose_lock *lock = problem->options->lock;

	for (size_t i = 0; lock != NULL && i < lock->count; i++) {
		const compose_locked *entry = &lock->components[i];
		problem_component *component = base_map_get(
			problem->components, entry->component, strlen(entry->component));

		if (component == NULL || is_freed(problem->options, entry->component))
			continue;
		for (uint32_t rank = 1; rank <= component->count; rank++)
			if (compose_digest_equal(&component->releases[rank - 1].manifest->digest,
				    &entry->manifest))
				component->locked = rank;
	}
}

int problem_gather(compose_problem *problem, hn_error **err)
{
	int rc;

	problem->included_end = &problem->included;
	if (index_registry(problem) < 0)
		return base_nomem(err);
	note_locked(problem);
	rc = reach_blueprint(problem, err);
	if (rc < 0)
		return rc;
	return reach_all(problem) < 0 ? base_nomem(err) : 0;
}

/* --- the whole --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(
		(*(problem_component *const *)a)->name, (*(problem_component *const *)b)->name);
}

static int make_components(compose_problem *problem, hn_error **err)
{
	problem_component **sorted =
		base_arena_alloc(problem->arena, problem->included_count * sizeof(*sorted));
	size_t count = 0;
	int rc = 0;

	if (sorted == NULL)
		return base_nomem(err);
	for (problem_component *at = problem->included; at != NULL; at = at->next)
		sorted[count++] = at;
	if (count > 0)
		qsort(sorted, count, sizeof(*sorted), by_name);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = problem_room(problem, err);
		if (rc == 0)
			rc = problem_component_package(problem, sorted[i], err);
	}
	return rc;
}

static int build(compose_problem *problem, hn_error **err)
{
	int rc;

	problem->arena = base_arena_new();
	problem->solver = solver_problem_new();
	problem->components = base_map_new(NULL);
	problem->contracts = base_map_new(NULL);
	problem->needs = base_map_new(NULL);
	if (problem->arena == NULL || problem->solver == NULL || problem->components == NULL ||
		problem->contracts == NULL || problem->needs == NULL)
		return base_nomem(err);
	rc = compose_range_parse(problem->arena, "*", 1, &problem->any, err);
	if (rc == 0)
		rc = problem_gather(problem, err);
	if (rc == 0)
		rc = make_components(problem, err);
	return rc == 0 ? problem_add_facts(problem, err) : rc;
}

int compose_problem_new(const compose_registry *registry, const compose_blueprint *blueprint,
	const compose_solve_options *options, const problem_change *change,
	compose_problem **problem, hn_error **err)
{
	BASE_AUTO_OF(compose_problem) compose_problem *made = base_calloc(1, sizeof(*made));
	int rc;

	if (made == NULL)
		return base_nomem(err);
	made->registry = registry;
	made->blueprint = blueprint;
	made->options = options;
	if (change != NULL)
		made->change = *change;
	rc = build(made, err);
	if (rc == 0)
		*problem = BASE_STEAL(made);
	return rc;
}

void compose_problem_free(compose_problem *problem)
{
	if (problem == NULL)
		return;
	base_free(problem->packages);
	base_free(problem->facts);
	base_map_free(problem->needs);
	base_map_free(problem->contracts);
	base_map_free(problem->components);
	solver_problem_free(problem->solver);
	base_arena_free(problem->arena);
	base_free(problem);
}

int compose_problem_run(
	compose_problem *problem, uint64_t conflicts, solver_result *result, hn_error **err)
{
	solver_limits limits = {.conflicts = conflicts, .cancel = problem->options->cancel};

	return solver_run(problem->solver, &limits, result, err);
}
