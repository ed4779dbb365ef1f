/* SPDX-License-Identifier: MIT
 *
 * A blueprint and registries as packages and facts of the solver, and the way back.
 */
#ifndef COMPOSE_PROBLEM_H
#define COMPOSE_PROBLEM_H

#include "compose/lock.h"
#include "compose/solver.h"

/* Exactly like a contract of which there is one: what each base provides. */
#define PROBLEM_BASE "base-os"

typedef struct problem_component {
	const char *name;
	const compose_release *releases; /* rank r is releases[r - 1] */
	uint32_t count;
	bool included;    /* the blueprint can reach it */
	int package;      /* when it is included */
	uint32_t locked;  /* rank; 0 = none */
	solver_set asked; /* ranks that a range in the problem holds: prereleases among them are
			     wanted */
	struct problem_component *next; /* of those that are included */
} problem_component;

typedef struct problem_provider { /* one (provider, version) pair */
	problem_component *component;
	uint32_t rank;
	const compose_provision *provision; /* NULL of a base */
	struct problem_provider *next;
} problem_provider;
typedef struct problem_contract {
	const char *name;
	bool one;     /* only one provider in an image */
	bool visited; /* its providers are included */
	int package;  /* of one; -1 = not made */
	problem_provider *first, *last;
	size_t count;
} problem_contract;

/* What the solver knows by a number. A contract of which there is one is one package; of which
 * there may be many, one for each different requirement: each chooses a provider for itself. */
typedef struct problem_package {
	const problem_component *component; /* or */
	const problem_contract *contract;
	const problem_provider *const *pairs; /* of a contract: rank r is pairs[r - 1] */
	uint32_t count;
	const compose_requirement *requirement; /* of one of many */
} problem_package;

typedef enum problem_fact_kind {
	PROBLEM_WISH,     /* the blueprint names a component */
	PROBLEM_ASKED,    /* it requires a contract or a component */
	PROBLEM_NEED,     /* versions of a component do */
	PROBLEM_PROVIDER, /* a pair needs its provider */
	PROBLEM_ALONE,    /* who provides what there is one of is the one */
	PROBLEM_PLATFORM, /* these versions are not for the platform */
	PROBLEM_EXCLUDED,
	PROBLEM_PRERELEASE, /* that nobody asks for */
	PROBLEM_CONFLICT
} problem_fact_kind;
typedef struct problem_fact {
	problem_fact_kind kind;
	uint32_t package, target;
	uint32_t first, last; /* ranks of `package`, where they are neighbours; else 0 */
	const compose_requirement *requirement;
	const compose_wish *wish;
	const compose_conflict *conflict;
	const compose_place *place; /* NULL = none */
	bool empty;                 /* nothing in the registries would do */
} problem_fact;

/* What a requirement comes to. */
typedef struct problem_need {
	uint32_t package;
	solver_set to;
	bool empty;
	const compose_requirement *requirement;
} problem_need;

/* One thing of the blueprint that is left out, or only a part of it, to see whether that helps. */
typedef struct problem_change {
	const compose_wish *wish; /* of components, or of exclude */
	const compose_requirement *requirement;
	bool range, fields; /* of a requirement: the part that is left out; of a wish the range */
	bool whole;         /* all of it */
} problem_change;

typedef struct compose_problem {
	const compose_registry *registry;
	const compose_blueprint *blueprint;
	const compose_solve_options *options;
	problem_change change;
	base_arena *arena;
	solver_problem *solver;
	const compose_range *any;
	base_map *components, *contracts, *needs; /* by name; by text */
	problem_component *included, **included_end;
	size_t included_count;
	problem_package *packages;
	size_t package_count, package_capacity;
	problem_fact *facts;
	size_t fact_count, fact_capacity;
	uint64_t ties;
} compose_problem;

/* HN_EMISSING when the blueprint names a component that no registry has. */
int compose_problem_new(const compose_registry *registry, const compose_blueprint *blueprint,
	const compose_solve_options *options, const problem_change *change,
	compose_problem **problem, hn_error **err);
void compose_problem_free(compose_problem *problem);
BASE_AUTO(compose_problem, compose_problem_free)
int compose_problem_run(
	compose_problem *problem, uint64_t conflicts, solver_result *result, hn_error **err);

/* Parts. */
problem_component *problem_component_of(compose_problem *problem, const char *name);
problem_contract *problem_contract_of(compose_problem *problem, const char *name);
/* Fills components and contracts, and includes what the blueprint can reach. */
int problem_gather(compose_problem *problem, hn_error **err);
int problem_component_package(
	compose_problem *problem, problem_component *component, hn_error **err);
int problem_one_package(compose_problem *problem, problem_contract *contract, hn_error **err);
int problem_need_of(compose_problem *problem, const compose_requirement *requirement,
	const problem_need **need, hn_error **err);
int problem_add_facts(compose_problem *problem, hn_error **err);
/* The number of a fact, or HN_ENOMEM. */
int problem_fact_add(compose_problem *problem, const problem_fact *fact);
/* Whether a provision is what a requirement asks for; `why` says what is wrong with its fields. */
bool problem_provides(const compose_problem *problem, const compose_requirement *requirement,
	const compose_provision *provision, base_buf *why);
bool problem_set_has(const solver_set *set, uint32_t rank);

/* The lock of what was chosen. */
int compose_solution_lock(
	compose_problem *problem, const solver_result *result, compose_lock **lock, hn_error **err);
/* HN_ELIMIT when the facts alone are too large; HN_ECANCELLED. */
int problem_room(const compose_problem *problem, hn_error **err);

#endif
