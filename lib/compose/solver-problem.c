/* SPDX-License-Identifier: MIT
 *
 * What the solver is asked: packages and facts, as the caller lays them down.
 */
#include "compose/solver-private.h"

#include <assert.h>

solver_problem *solver_problem_new(void)
{
	solver_problem *problem = base_calloc(1, sizeof(*problem));

	if (problem == NULL)
		return NULL;
	problem->arena = base_arena_new();
	if (problem->arena == NULL) {
		base_free(problem);
		return NULL;
	}
	return problem;
}

void solver_problem_free(solver_problem *problem)
{
	if (problem == NULL)
		return;
	base_free(problem->packages);
	base_free(problem->facts);
	base_free(problem->roots);
	base_arena_free(problem->arena);
	base_free(problem);
}

static int fill_row(
	solver_problem *problem, solver_package_row *row, uint32_t count, const uint32_t *order)
{
	row->words = solver_words(count);
	if (row->words == 1) {
		solver_many_full(count, &row->full.one);
	} else {
		uint64_t *full = base_arena_alloc(problem->arena, row->words * sizeof(*full));

		if (full == NULL)
			return HN_ENOMEM;
		solver_many_full(count, full);
		row->full.many = full;
	}
	if (order != NULL && count > 0) {
		uint32_t *copy = base_arena_alloc(problem->arena, count * sizeof(*copy));

		if (copy == NULL)
			return HN_ENOMEM;
		memcpy(copy, order, count * sizeof(*copy));
		row->order = copy;
	}
	return 0;
}

int solver_package(solver_problem *problem, uint32_t count, const uint32_t *order, uint64_t tie)
{
	solver_package_row row = {
		.versions = count, .tie = tie, .first = SOLVER_NONE, .last = SOLVER_NONE};

	assert(count <= SOLVER_VERSIONS && problem->package_count < INT32_MAX);
	if (fill_row(problem, &row, count, order) < 0 ||
		base_grow(&problem->packages, &problem->package_capacity,
			problem->package_count + 1, sizeof(*problem->packages)) < 0)
		return HN_ENOMEM;
	problem->packages[problem->package_count] = row;
	return (int)problem->package_count++;
}

void solver_prefer_chosen(solver_problem *problem, uint32_t package, uint32_t keep)
{
	assert(package < problem->package_count);
	problem->packages[package].providers = true;
	problem->packages[package].keep = keep;
}

solver_set solver_set_new(solver_problem *problem, uint32_t package)
{
	solver_set set = {0};

	assert(package < problem->package_count);
	set.words = problem->packages[package].words;
	set.word = base_arena_alloc(problem->arena, set.words * sizeof(*set.word));
	return set;
}

/* --- facts --- */

typedef enum sense {
	PRESENT, /* the versions of the set: to be absent is never one of them */
	OUTSIDE  /* all that is not in the set */
} sense;

/* `set` of the package as a term. False in *some when it is empty: the fact says nothing then. */
static int take(solver_problem *problem, uint32_t package, const solver_set *set, sense how,
	solver_bits *bits, bool *some)
{
	const solver_package_row *row = &problem->packages[package];
	const uint64_t *full = solver_word(row->words, &row->full);
	uint64_t one, *out = &one, any = 0;

	if (set->word == NULL)
		return HN_ENOMEM;
	assert(set->words == row->words);
	if (row->words > 1)
		out = base_arena_alloc(problem->arena, row->words * sizeof(*out));
	if (out == NULL)
		return HN_ENOMEM;
	for (uint32_t i = 0; i < row->words; i++) {
		out[i] = full[i] & (how == OUTSIDE ? ~set->word[i] : set->word[i]);
		if (i == 0 && how == PRESENT)
			out[i] &= ~UINT64_C(1);
		any |= out[i];
	}
	if (row->words > 1)
		bits->many = out;
	else
		bits->one = one;
	*some = any != 0;
	return 0;
}

static bool is_full(const solver_problem *problem, uint32_t package, solver_bits set)
{
	const solver_package_row *row = &problem->packages[package];

	return solver_within(row->words, row->full, set);
}

/* Puts a fact, which is the next, behind the others that this package has to look at. */
static void chain(solver_problem *problem, uint32_t side)
{
	uint32_t use = (uint32_t)problem->fact_count * 2 + side;
	solver_fact *fact = &problem->facts[problem->fact_count];
	solver_package_row *row = &problem->packages[fact->package[side]];

	fact->next[side] = SOLVER_NONE;
	if (row->last == SOLVER_NONE)
		row->first = use;
	else
		problem->facts[row->last / 2].next[row->last % 2] = use;
	row->last = use;
}

/* `fact` has its terms, origin and number. */
static int put(solver_problem *problem, solver_fact fact)
{
	bool needs = fact.package[1] == SOLVER_NONE &&
		     solver_has(problem->packages[fact.package[0]].words, fact.set[0], 0);

	if (problem->fact_count >= INT32_MAX / 2 ||
		base_grow(&problem->facts, &problem->fact_capacity, problem->fact_count + 1,
			sizeof(*problem->facts)) < 0)
		return HN_ENOMEM;
	if (needs && base_grow(&problem->roots, &problem->root_capacity, problem->root_count + 1,
			     sizeof(*problem->roots)) < 0)
		return HN_ENOMEM;
	problem->facts[problem->fact_count] = fact;
	if (needs)
		problem->roots[problem->root_count++] = (uint32_t)problem->fact_count;
	else
		chain(problem, 0);
	/* A term that always holds is never looked at, only told. */
	if (fact.package[1] != SOLVER_NONE && !is_full(problem, fact.package[1], fact.set[1]))
		chain(problem, 1);
	problem->fact_count++;
	return 0;
}

static int put_one(solver_problem *problem, uint32_t package, const solver_set *set, sense how,
	solver_origin origin, uint32_t number)
{
	solver_fact fact = {.package = {package, SOLVER_NONE}, .number = number, .origin = origin};
	bool some;
	int rc = take(problem, package, set, how, &fact.set[0], &some);

	return rc < 0 || !some ? rc : put(problem, fact);
}

/* Both terms are of one package: one term, where both hold. */
static int put_both(solver_problem *problem, solver_fact fact)
{
	uint32_t words = problem->packages[fact.package[0]].words;

	if (!solver_meets(words, fact.set[0], fact.set[1]))
		return 0;
	if (words == 1) {
		fact.set[0].one &= fact.set[1].one;
	} else {
		uint64_t *both = base_arena_alloc(problem->arena, words * sizeof(*both));

		if (both == NULL)
			return HN_ENOMEM;
		solver_many_both(words, fact.set[0].many, fact.set[1].many, both);
		fact.set[0].many = both;
	}
	fact.package[1] = SOLVER_NONE;
	return put(problem, fact);
}

static int put_two(solver_problem *problem, solver_fact fact, const solver_set *set,
	const solver_set *other, sense how)
{
	bool some, others;
	int rc = take(problem, fact.package[0], set, PRESENT, &fact.set[0], &some);

	if (rc == 0)
		rc = take(problem, fact.package[1], other, how, &fact.set[1], &others);
	if (rc < 0 || !some || !others)
		return rc;
	if (fact.package[0] == fact.package[1])
		return put_both(problem, fact);
	return put(problem, fact);
}

int solver_root(solver_problem *problem, uint32_t package, const solver_set *allowed, uint32_t fact)
{
	return put_one(problem, package, allowed, OUTSIDE, SOLVER_ROOT, fact);
}

int solver_unavailable(
	solver_problem *problem, uint32_t package, const solver_set *versions, uint32_t fact)
{
	return put_one(problem, package, versions, PRESENT, SOLVER_UNAVAILABLE, fact);
}

int solver_dependency(solver_problem *problem, uint32_t package, const solver_set *from,
	uint32_t target, const solver_set *to, solver_origin origin, uint32_t fact)
{
	solver_fact made = {.package = {package, target}, .number = fact, .origin = origin};

	return put_two(problem, made, from, to, OUTSIDE);
}

int solver_conflict(solver_problem *problem, uint32_t package, const solver_set *versions,
	uint32_t other, const solver_set *others, uint32_t fact)
{
	solver_fact made = {.package = {package, other}, .number = fact, .origin = SOLVER_CONFLICT};

	return put_two(problem, made, versions, others, PRESENT);
}
