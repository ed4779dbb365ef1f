/* SPDX-License-Identifier: MIT
 *
 * Packages of the solver: components, and contracts as (provider, version) pairs, with the order
 * in which they are tried.
 */
#include "compose/problem.h"

bool problem_set_has(const solver_set *set, uint32_t rank)
{
	return (set->word[rank / 64] >> (rank % 64) & 1) != 0;
}

static int add_package(compose_problem *problem, const problem_package *package,
	const uint32_t *order, hn_error **err)
{
	int number;

	if (base_grow(&problem->packages, &problem->package_capacity, problem->package_count + 1,
		    sizeof(*problem->packages)) < 0)
		return base_nomem(err);
	number = solver_package(problem->solver, package->count, order, problem->ties++);
	if (number < 0)
		return base_nomem(err);
	problem->packages[problem->package_count++] = *package;
	return number;
}

/* Locked, else newest. */
static int order_releases(
	compose_problem *problem, const problem_component *component, const uint32_t **order)
{
	uint32_t *ranks, count = 0;

	if (component->locked == 0)
		return 0;
	ranks = base_arena_alloc(problem->arena, component->count * sizeof(*ranks));
	if (ranks == NULL)
		return HN_ENOMEM;
	ranks[count++] = component->locked;
	for (uint32_t rank = component->count; rank > 0; rank--)
		if (rank != component->locked)
			ranks[count++] = rank;
	*order = ranks;
	return 0;
}

int problem_component_package(
	compose_problem *problem, problem_component *component, hn_error **err)
{
	problem_package package = {.component = component, .count = component->count};
	const uint32_t *order = NULL;
	int number;

	if (order_releases(problem, component, &order) < 0)
		return base_nomem(err);
	number = add_package(problem, &package, order, err);
	if (number < 0)
		return number;
	component->package = number;
	component->asked = solver_set_new(problem->solver, (uint32_t)number);
	return component->asked.word != NULL ? 0 : base_nomem(err);
}

/* --- contracts --- */

typedef struct ranked_pair {
	uint32_t rank;
	bool locked, preferred;
	const problem_provider *pair;
} ranked_pair;

/* Locked, then `prefer`, then the newest contract, then by name, then the newest provider. That
 * who is there already is before the preferred is up to the solver. */
static int by_order(const void *a, const void *b)
{
	const ranked_pair *one = a, *other = b;
	int order = 0;

	if (one->locked != other->locked)
		return one->locked ? -1 : 1;
	if (one->preferred != other->preferred)
		return one->preferred ? -1 : 1;
	if (one->pair->provision != NULL)
		order = compose_version_compare(
			&other->pair->provision->version, &one->pair->provision->version);
	if (order == 0)
		order = strcmp(one->pair->component->name, other->pair->component->name);
	if (order == 0)
		order = one->pair->rank > other->pair->rank ? -1 : 1;
	return order;
}

static bool is_preferred(
	const compose_problem *problem, const char *contract, const char *component)
{
	for (size_t i = 0; i < problem->blueprint->prefer_count; i++)
		if (strcmp(problem->blueprint->prefer[i].contract, contract) == 0 &&
			strcmp(problem->blueprint->prefer[i].component, component) == 0)
			return true;
	return false;
}

static bool is_bound(const compose_problem *problem, const char *contract, const char *component)
{
	const compose_lock *lock = problem->options->lock;

	for (size_t i = 0; lock != NULL && i < lock->binding_count; i++)
		if (strcmp(lock->bindings[i].contract, contract) == 0 &&
			strcmp(lock->bindings[i].provider, component) == 0)
			return true;
	return false;
}

static const uint32_t *order_pairs(
	compose_problem *problem, const problem_package *package, uint32_t *locked)
{
	BASE_AUTO_FREE ranked_pair *ranked = base_calloc(package->count, sizeof(*ranked));
	uint32_t *order = base_arena_alloc(problem->arena, package->count * sizeof(*order));
	const char *name = package->contract->name;

	if (ranked == NULL || order == NULL)
		return NULL;
	for (uint32_t i = 0; i < package->count; i++) {
		const problem_component *component = package->pairs[i]->component;

		ranked[i] = (ranked_pair){.rank = i + 1,
			.pair = package->pairs[i],
			.preferred = is_preferred(problem, name, component->name),
			.locked = component->locked == package->pairs[i]->rank &&
				  is_bound(problem, name, component->name)};
		*locked += ranked[i].locked;
	}
	if (package->count > 0)
		qsort(ranked, package->count, sizeof(*ranked), by_order);
	for (uint32_t i = 0; i < package->count; i++)
		order[i] = ranked[i].rank;
	return order;
}

/* Of a contract of which there is one each provider needs its own pair as well: so two of them
 * exclude each other. */
static int bind_alone(compose_problem *problem, uint32_t number, uint32_t rank)
{
	const problem_provider *pair = problem->packages[number].pairs[rank - 1];
	uint32_t component = (uint32_t)pair->component->package;
	solver_set from = solver_set_new(problem->solver, component);
	solver_set to = solver_set_new(problem->solver, number);
	problem_fact fact = {.kind = PROBLEM_ALONE,
		.package = component,
		.target = number,
		.first = pair->rank,
		.last = pair->rank,
		.place = pair->provision != NULL ? &pair->provision->place : NULL};
	int index = problem_fact_add(problem, &fact);

	if (from.word == NULL || to.word == NULL || index < 0)
		return HN_ENOMEM;
	solver_set_add(&from, pair->rank);
	solver_set_add(&to, rank);
	return solver_dependency(
		problem->solver, component, &from, number, &to, SOLVER_DEPENDENCY, (uint32_t)index);
}

/* Facts of what has many versions are large, and take long, before anything is solved. */
int problem_room(const compose_problem *problem, hn_error **err)
{
	uint64_t bytes = solver_problem_bytes(problem->solver) + base_arena_used(problem->arena) +
			 problem->fact_capacity * sizeof(*problem->facts) +
			 problem->package_capacity * sizeof(*problem->packages);

	if (hn_cancel_triggered(problem->options->cancel))
		return base_error(err, HN_ECANCELLED, COMPOSE_ROOM, NULL, "solving was cancelled");
	return base_limit_check(BASE_LIMIT_SOLVER_BYTES, bytes, err);
}

/* Each pair needs its provider. */
static int bind_pair(compose_problem *problem, uint32_t number, uint32_t rank, bool one)
{
	const problem_provider *pair = problem->packages[number].pairs[rank - 1];
	uint32_t component = (uint32_t)pair->component->package;
	solver_set from = solver_set_new(problem->solver, number);
	solver_set to = solver_set_new(problem->solver, component);
	problem_fact fact = {.kind = PROBLEM_PROVIDER,
		.package = number,
		.target = component,
		.first = rank,
		.last = rank,
		.place = pair->provision != NULL ? &pair->provision->place : NULL};
	int index = problem_fact_add(problem, &fact);

	if (from.word == NULL || to.word == NULL || index < 0)
		return HN_ENOMEM;
	solver_set_add(&from, rank);
	solver_set_add(&to, pair->rank);
	if (solver_dependency(problem->solver, number, &from, component, &to, SOLVER_PROVIDER,
		    (uint32_t)index) < 0)
		return HN_ENOMEM;
	return one ? bind_alone(problem, number, rank) : 0;
}

/* The included providers that are what `requirement` (NULL: any) asks for, and no room for others:
 * many requirements may each be answered by few of many. */
static int find_pairs(compose_problem *problem, const problem_contract *contract,
	const compose_requirement *requirement, problem_package *package, hn_error **err)
{
	BASE_AUTO_FREE const problem_provider **found =
		base_calloc(contract->count + 1, sizeof(*found));
	const problem_provider **pairs;
	size_t count = 0;

	if (found == NULL)
		return base_nomem(err);
	for (const problem_provider *at = contract->first; at != NULL; at = at->next)
		if (at->component->included &&
			(requirement == NULL ||
				problem_provides(problem, requirement, at->provision, NULL)))
			found[count++] = at;
	if (count > SOLVER_VERSIONS)
		return base_error(err, HN_ELIMIT, COMPOSE_ROOM, NULL,
			"%s: %zu releases provide it, and %d can", contract->name, count,
			SOLVER_VERSIONS);
	pairs = base_arena_alloc(problem->arena, (count + 1) * sizeof(*pairs));
	if (pairs == NULL)
		return base_nomem(err);
	if (count > 0)
		memcpy(pairs, found, count * sizeof(*pairs));
	package->pairs = pairs;
	package->count = (uint32_t)count;
	return 0;
}

/* The number of the new package, of the included providers that are what `requirement` (NULL: any)
 * asks for. */
static int add_contract(compose_problem *problem, const problem_contract *contract,
	const compose_requirement *requirement, hn_error **err)
{
	problem_package package = {.contract = contract, .requirement = requirement};
	uint32_t locked = 0;
	const uint32_t *order;
	int number = problem_room(problem, err);

	if (number == 0)
		number = find_pairs(problem, contract, requirement, &package, err);
	if (number < 0)
		return number;
	order = order_pairs(problem, &package, &locked);
	if (order == NULL)
		return base_nomem(err);
	number = add_package(problem, &package, order, err);
	for (uint32_t rank = 1; number >= 0 && rank <= package.count; rank++) {
		int rc = problem_room(problem, err);

		if (rc < 0)
			return rc;
		if (bind_pair(problem, (uint32_t)number, rank, requirement == NULL) < 0)
			return base_nomem(err);
	}
	if (number >= 0)
		solver_prefer_chosen(problem->solver, (uint32_t)number, locked);
	return number;
}

int problem_one_package(compose_problem *problem, problem_contract *contract, hn_error **err)
{
	int number;

	if (contract->package >= 0)
		return 0;
	number = add_contract(problem, contract, NULL, err);
	if (number < 0)
		return number;
	contract->package = number;
	return 0;
}

/* --- requirements --- */

bool problem_provides(const compose_problem *problem, const compose_requirement *requirement,
	const compose_provision *provision, base_buf *why)
{
	BASE_AUTO_BUF base_buf unread = {0};
	const compose_contract *schema;

	if (!compose_range_match(requirement->range, &provision->version))
		return false;
	if (requirement->demand_count == 0)
		return true;
	schema = compose_registry_contract(
		problem->registry, provision->contract, &provision->version);
	return schema != NULL &&
	       compose_contract_fits(schema, provision, requirement, why != NULL ? why : &unread);
}

static void write_key(const compose_requirement *requirement, base_buf *key)
{
	base_buf_format(key, "%s\n%s",
		requirement->contract != NULL ? requirement->contract : requirement->component,
		compose_range_text(requirement->range));
	for (size_t i = 0; i < requirement->demand_count; i++)
		base_buf_format(key, "\n%s %d %s", requirement->demands[i].field,
			(int)requirement->demands[i].relation, requirement->demands[i].value);
}

static int need_component(compose_problem *problem, problem_need *need, hn_error **err)
{
	problem_component *component = problem_component_of(problem, need->requirement->component);

	if (component == NULL)
		return base_nomem(err);
	need->package = (uint32_t)component->package;
	need->to = solver_set_new(problem->solver, need->package);
	if (need->to.word == NULL)
		return base_nomem(err);
	for (uint32_t rank = 1; rank <= component->count; rank++)
		if (compose_range_match(need->requirement->range,
			    &component->releases[rank - 1].manifest->version)) {
			solver_set_add(&need->to, rank);
			solver_set_add(&component->asked, rank);
			need->empty = false;
		}
	return 0;
}

static int need_contract(compose_problem *problem, problem_need *need, hn_error **err)
{
	problem_contract *contract = problem_contract_of(problem, need->requirement->contract);
	const problem_package *package;
	int rc;

	if (contract == NULL)
		return base_nomem(err);
	rc = contract->one ? problem_one_package(problem, contract, err)
			   : add_contract(problem, contract, need->requirement, err);
	if (rc < 0)
		return rc;
	need->package = (uint32_t)(contract->one ? contract->package : rc);
	need->to = solver_set_new(problem->solver, need->package);
	if (need->to.word == NULL)
		return base_nomem(err);
	package = &problem->packages[need->package];
	for (uint32_t rank = 1; rank <= package->count; rank++)
		if (!contract->one || problem_provides(problem, need->requirement,
					      package->pairs[rank - 1]->provision, NULL)) {
			solver_set_add(&need->to, rank);
			need->empty = false;
		}
	return 0;
}

int problem_need_of(compose_problem *problem, const compose_requirement *requirement,
	const problem_need **need, hn_error **err)
{
	BASE_AUTO_BUF base_buf key = {0};
	problem_need *made;
	int rc;

	write_key(requirement, &key);
	if (key.failed)
		return base_nomem(err);
	made = base_map_get(problem->needs, key.data, key.size);
	if (made == NULL) {
		made = base_arena_alloc(problem->arena, sizeof(*made));
		if (made == NULL)
			return base_nomem(err);
		made->requirement = requirement;
		made->empty = true;
		rc = requirement->contract != NULL ? need_contract(problem, made, err)
						   : need_component(problem, made, err);
		if (rc < 0)
			return rc;
		if (base_map_put(problem->needs, key.data, key.size, made) < 0)
			return base_nomem(err);
	}
	*need = made;
	return 0;
}
