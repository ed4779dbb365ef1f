/* SPDX-License-Identifier: MIT
 *
 * The solver on instances that can be told: what it chooses, what it proves, where it gives up.
 */
#include "solver-lab.h"

#include <criterion/criterion.h>

enum { A, B, C, D, E, F };

/* Ranks from .. to. */
static uint64_t from_to(unsigned from, unsigned to)
{
	uint64_t set = 0;

	for (unsigned rank = from; rank <= to; rank++)
		set |= UINT64_C(1) << rank;
	return set;
}

static lab *make(uint32_t packages, const uint32_t *versions)
{
	lab *l = base_calloc(1, sizeof(*l));

	cr_assert_not_null(l);
	l->packages = packages;
	memcpy(l->versions, versions, packages * sizeof(*versions));
	return l;
}
#define MAKE(...)                                                                                  \
	make(sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), (uint32_t[]){__VA_ARGS__})

static void root(lab *l, uint32_t package, uint64_t allowed)
{
	lab_add(l, SOLVER_ROOT, package, 0, package, allowed);
}

static void needs(lab *l, uint32_t package, uint64_t from, uint32_t target, uint64_t to)
{
	lab_add(l, SOLVER_DEPENDENCY, package, from, target, to);
}

static void expect(const lab *l, const solver_problem *problem, const solver_result *result, int rc,
	const uint32_t *chosen)
{
	(void)problem;
	if (chosen == NULL) {
		const char *wrong = lab_wrong_derivation(l, result);

		cr_assert_eq(rc, HN_ENOSOLUTION);
		cr_assert_null(wrong, "%s", wrong);
		cr_assert_null(result->chosen);
		return;
	}
	cr_assert_eq(rc, 0);
	cr_assert_eq(result->step_count, 0);
	for (uint32_t i = 0; i < l->packages; i++)
		cr_assert_eq(result->chosen[i], chosen[i], "package %u is %u, not %u", i,
			result->chosen[i], chosen[i]);
}

/* NULL: nothing fits, and the derivation proves it. Gives what the instance took away. */
static solver_stats solved(lab *l, const uint32_t *chosen)
{
	BASE_AUTO_OF(solver_problem) solver_problem *problem = lab_lay(l, NULL);
	solver_result result = {0};
	int rc = solver_run(problem, NULL, &result, NULL);

	expect(l, problem, &result, rc, chosen);
	base_free(l);
	return result.stats;
}
#define SOLVED(l, ...) solved(l, (uint32_t[]){__VA_ARGS__})

/* --- pub's doc/solver.md, "Examples" and "Error reporting" --- */

Test(solver, chooses_without_conflicts)
{
	lab *l = MAKE(1, 2); /* foo 1; bar 1, 2 */

	root(l, A, from_to(1, 1));
	needs(l, A, from_to(1, 1), B, from_to(1, 1));
	cr_assert_eq(SOLVED(l, 1, 1).conflicts, 0);
}

Test(solver, avoids_a_conflict_of_the_newest)
{
	lab *l = MAKE(2, 3); /* foo 1.0 1.1; bar 1.0 1.1 2.0 */

	root(l, A, from_to(1, 2));
	root(l, B, from_to(1, 2));
	needs(l, A, from_to(2, 2), B, from_to(3, 3));
	SOLVED(l, 1, 2);
}

Test(solver, resolves_a_conflict)
{
	lab *l = MAKE(2, 1); /* foo 1 2; bar 1 */

	root(l, A, from_to(1, 2));
	needs(l, A, from_to(2, 2), B, from_to(1, 1));
	needs(l, B, from_to(1, 1), A, from_to(1, 1));
	SOLVED(l, 1, 0);
}

Test(solver, resolves_with_a_partial_satisfier)
{
	lab *l = MAKE(2, 1, 1, 2, 2); /* foo left right shared target */

	root(l, A, from_to(1, 2));
	root(l, E, from_to(2, 2));
	needs(l, A, from_to(2, 2), B, from_to(1, 1));
	needs(l, A, from_to(2, 2), C, from_to(1, 1));
	needs(l, B, from_to(1, 1), D, from_to(1, 2));
	needs(l, C, from_to(1, 1), D, from_to(1, 1));
	needs(l, D, from_to(1, 1), E, from_to(1, 1));
	SOLVED(l, 1, 0, 0, 0, 2);
}

Test(solver, proves_a_linear_contradiction)
{
	lab *l = MAKE(1, 2, 3); /* foo bar baz */

	root(l, A, from_to(1, 1));
	root(l, C, from_to(1, 1));
	needs(l, A, from_to(1, 1), B, from_to(2, 2));
	needs(l, B, from_to(2, 2), C, from_to(3, 3));
	solved(l, NULL);
}

Test(solver, proves_a_contradiction_with_branches)
{
	lab *l = MAKE(2, 1, 2, 1, 2); /* foo a b x y */

	root(l, A, from_to(1, 2));
	needs(l, A, from_to(1, 1), B, from_to(1, 1));
	needs(l, A, from_to(1, 1), C, from_to(1, 1));
	needs(l, A, from_to(2, 2), D, from_to(1, 1));
	needs(l, A, from_to(2, 2), E, from_to(1, 1));
	needs(l, B, from_to(1, 1), C, from_to(2, 2));
	needs(l, D, from_to(1, 1), E, from_to(2, 2));
	solved(l, NULL);
}

/* --- shapes --- */

Test(solver, takes_nothing_when_nothing_is_asked_for)
{
	lab *l = MAKE(3, 3);

	needs(l, A, from_to(1, 3), B, from_to(1, 1));
	SOLVED(l, 0, 0);
	solved(base_calloc(1, sizeof(*l)), (uint32_t[]){0}); /* not even a package */
}

Test(solver, takes_cycles)
{
	lab *l = MAKE(2, 2, 2);

	root(l, A, from_to(1, 2));
	needs(l, A, from_to(1, 2), B, from_to(1, 2));
	needs(l, B, from_to(1, 2), C, from_to(1, 1));
	needs(l, C, from_to(1, 2), A, from_to(1, 1));
	SOLVED(l, 1, 2, 1);
}

Test(solver, takes_a_package_that_needs_itself)
{
	lab *l = MAKE(3);

	root(l, A, from_to(1, 3));
	needs(l, A, from_to(3, 3), A, from_to(1, 2)); /* 3 can never be */
	needs(l, A, from_to(2, 2), A, from_to(1, 2));
	SOLVED(l, 2);
}

Test(solver, keeps_conflicts)
{
	lab *l = MAKE(2, 2);

	root(l, A, from_to(1, 2));
	root(l, B, from_to(1, 2));
	lab_add(l, SOLVER_CONFLICT, A, from_to(2, 2), B, from_to(1, 2));
	SOLVED(l, 1, 2);
	l = MAKE(2);
	root(l, A, from_to(1, 2));
	lab_add(l, SOLVER_CONFLICT, A, from_to(1, 2), A, from_to(2, 2)); /* with itself */
	SOLVED(l, 1);
}

Test(solver, keeps_away_what_cannot_be_used)
{
	lab *l = MAKE(3);

	root(l, A, from_to(1, 3));
	lab_add(l, SOLVER_UNAVAILABLE, A, from_to(2, 3), 0, 0);
	SOLVED(l, 1);
	l = MAKE(3);
	root(l, A, from_to(1, 3));
	lab_add(l, SOLVER_UNAVAILABLE, A, from_to(0, 3), 0, 0);
	solved(l, NULL);
}

Test(solver, knows_that_a_package_may_be_absent)
{
	lab *l = MAKE(3, 3);

	root(l, A, from_to(0, 1)); /* absent, or 1 */
	SOLVED(l, 0, 0);
	l = MAKE(3, 3);
	root(l, A, from_to(0, 2));
	root(l, B, from_to(1, 3));
	needs(l, B, from_to(3, 3), A, from_to(3, 3));
	needs(l, B, from_to(2, 2), A, from_to(0, 1)); /* if it is there */
	SOLVED(l, 0, 2);
}

Test(solver, proves_what_no_version_answers)
{
	lab *l = MAKE(2, 2);

	root(l, A, 0);
	solved(l, NULL);
	l = MAKE(2, 2);
	root(l, A, from_to(1, 2));
	needs(l, A, from_to(2, 2), B, 0);
	SOLVED(l, 1, 0);
	l = MAKE(2, 2);
	root(l, A, from_to(1, 2));
	needs(l, A, from_to(1, 2), B, 0);
	solved(l, NULL);
	l = MAKE(2, 0); /* a name without versions */
	root(l, A, from_to(1, 2));
	needs(l, A, from_to(1, 2), B, 0);
	solved(l, NULL);
}

Test(solver, leaves_out_facts_that_forbid_nothing)
{
	lab *l = MAKE(2, 2);
	solver_problem *problem;

	root(l, A, from_to(0, 2));
	needs(l, A, 0, B, from_to(1, 1));
	needs(l, A, from_to(1, 2), B, from_to(0, 2));
	needs(l, A, from_to(1, 1), A, from_to(1, 1));
	lab_add(l, SOLVER_UNAVAILABLE, A, from_to(0, 0), 0, 0);
	lab_add(l, SOLVER_CONFLICT, A, from_to(1, 1), A, from_to(2, 2));
	lab_add(l, SOLVER_CONFLICT, A, from_to(1, 1), B, from_to(0, 0));
	problem = lab_lay(l, NULL);
	for (int i = 0; i < 2; i++) {
		solver_set only = lab_set(problem, A, from_to(1, 2));
		solver_result result = {0};

		cr_assert_eq(solver_run(problem, NULL, &result, NULL), 0);
		cr_assert_eq(result.chosen[A], i == 0 ? 0 : 2);
		cr_assert_eq(result.stats.conflicts, 0);
		for (size_t j = 0; j < BASE_COUNT(result.stats.hardest); j++)
			cr_assert_eq(result.stats.hardest[j], UINT32_MAX);
		/* Again, with one fact more. */
		cr_assert_eq(solver_root(problem, A, &only, 0), 0);
	}
	solver_problem_free(problem);
	base_free(l);
}

/* What is known before a package is needed is not found out by a conflict. */
Test(solver, looks_at_what_is_known_once_a_package_is_needed)
{
	lab *l = MAKE(2, 2, 3, 1, 1);

	root(l, A, from_to(1, 1));
	root(l, B, from_to(1, 2));
	needs(l, B, from_to(2, 2), C, from_to(1, 3));
	needs(l, C, from_to(3, 3), A, from_to(2, 2));
	cr_assert_eq(SOLVED(l, 1, 2, 2, 0, 0).conflicts, 0);
	/* The same after B had to go back to its first version, which needs C too. */
	l = MAKE(2, 2, 3, 1, 1);
	root(l, A, from_to(1, 1));
	root(l, B, from_to(1, 2));
	needs(l, B, from_to(1, 1), C, from_to(1, 3));
	needs(l, B, from_to(2, 2), C, from_to(1, 3));
	needs(l, B, from_to(2, 2), D, from_to(1, 1));
	needs(l, B, from_to(2, 2), E, from_to(1, 1));
	lab_add(l, SOLVER_CONFLICT, D, from_to(1, 1), E, from_to(1, 1));
	needs(l, C, from_to(3, 3), A, from_to(2, 2));
	cr_assert_eq(SOLVED(l, 1, 1, 2, 0, 0).conflicts, 1);
}

Test(solver, leaves_alone_what_is_not_needed)
{
	lab *l = base_calloc(1, sizeof(*l));
	uint32_t chosen[LAB_PACKAGES] = {1};
	solver_stats stats;

	l->packages = LAB_PACKAGES;
	for (uint32_t i = 0; i < l->packages; i++) {
		l->versions[i] = 2;
		if (i > 0)
			needs(l, i, from_to(1, 2), A, from_to(2, 2));
	}
	root(l, A, from_to(1, 1));
	stats = solved(l, chosen);
	cr_assert(stats.propagations == 1 && stats.decisions == 0);
}

/* --- order --- */

Test(solver, tries_versions_in_the_order_that_is_given)
{
	static const uint32_t order[] = {2, 3, 1};
	BASE_AUTO_OF(solver_problem) solver_problem *problem = solver_problem_new();
	solver_result result = {0};
	solver_set all, not_two;

	cr_assert_eq(solver_package(problem, 3, order, 0), 0);
	all = lab_set(problem, 0, from_to(1, 3));
	not_two = lab_set(problem, 0, from_to(1, 3) & ~from_to(2, 2));
	cr_assert_eq(solver_root(problem, 0, &all, 0), 0);
	cr_assert_eq(solver_run(problem, NULL, &result, NULL), 0);
	cr_assert_eq(result.chosen[0], 2);
	cr_assert_eq(solver_root(problem, 0, &not_two, 1), 0);
	cr_assert_eq(solver_run(problem, NULL, &result, NULL), 0);
	cr_assert_eq(result.chosen[0], 3);
}

/* Two that exclude each other's newest: who is decided first keeps it. */
static void first_is(const uint32_t counts[2], const uint64_t ties[2], uint32_t expected)
{
	BASE_AUTO_OF(solver_problem) solver_problem *problem = solver_problem_new();
	solver_result result = {0};
	solver_set newest[2];

	for (uint32_t i = 0; i < 2; i++)
		cr_assert_eq(solver_package(problem, counts[i], NULL, ties[i]), (int)i);
	for (uint32_t i = 0; i < 2; i++) {
		solver_set all = lab_set(problem, i, from_to(1, counts[i]));

		newest[i] = lab_set(problem, i, from_to(counts[i], counts[i]));
		cr_assert_eq(solver_root(problem, i, &all, i), 0);
	}
	cr_assert_eq(solver_conflict(problem, 0, &newest[0], 1, &newest[1], 2), 0);
	cr_assert_eq(solver_run(problem, NULL, &result, NULL), 0);
	cr_assert_eq(result.chosen[expected], counts[expected]);
	cr_assert_eq(result.chosen[!expected], counts[!expected] - 1);
}

Test(solver, decides_what_has_fewest_versions_then_by_tie_then_by_number)
{
	first_is((uint32_t[]){4, 3}, (uint64_t[]){1, 2}, 1);
	first_is((uint32_t[]){3, 4}, (uint64_t[]){2, 1}, 0);
	first_is((uint32_t[]){3, 3}, (uint64_t[]){2, 1}, 1);
	first_is((uint32_t[]){3, 3}, (uint64_t[]){1, 2}, 0);
	first_is((uint32_t[]){3, 3}, (uint64_t[]){1, 1}, 0);
	/* The same, both of many words. */
	first_is((uint32_t[]){63, 62}, (uint64_t[]){1, 2}, 1);
}

/* A contract (0) with one pair of each of two providers (1, 2), which have a version. */
static solver_problem *contract(uint32_t keep, bool second_is_needed)
{
	solver_problem *problem = solver_problem_new();
	solver_set pairs;

	cr_assert_eq(solver_package(problem, 2, (uint32_t[]){1, 2}, 0), 0);
	solver_prefer_chosen(problem, 0, keep);
	pairs = lab_set(problem, 0, from_to(1, 2));
	cr_assert_eq(solver_root(problem, 0, &pairs, 0), 0);
	for (uint32_t i = 1; i <= 2; i++) {
		solver_set all, pair = lab_set(problem, 0, from_to(i, i));

		cr_assert_eq(solver_package(problem, 2, NULL, i), (int)i);
		all = lab_set(problem, i, from_to(2, 2));
		cr_assert_eq(solver_dependency(problem, 0, &pair, i, &all, SOLVER_PROVIDER, i), 0);
		all = lab_set(problem, i, from_to(1, 2));
		if (i == 2 && second_is_needed)
			cr_assert_eq(solver_root(problem, i, &all, i), 0);
	}
	return problem;
}

static void provider_is(uint32_t keep, bool second_is_needed, bool second_is_old, uint32_t expected)
{
	BASE_AUTO_OF(solver_problem) solver_problem *problem = contract(keep, second_is_needed);
	solver_set old = lab_set(problem, 2, from_to(1, 1)),
		   odd = lab_set(problem, 0, from_to(1, 2));
	solver_result result = {0};

	if (second_is_old)
		cr_assert_eq(solver_root(problem, 2, &old, 9), 0);
	/* What is no provider, or is the contract itself, is not asked. */
	cr_assert_eq(solver_dependency(problem, 0, &odd, 2, &(solver_set){1, (uint64_t[]){7}},
			     SOLVER_DEPENDENCY, 3),
		0);
	cr_assert_eq(solver_run(problem, NULL, &result, NULL), 0);
	cr_assert_eq(result.chosen[0], expected);
}

Test(solver, prefers_providers_that_are_chosen_already)
{
	provider_is(0, false, false, 1);
	provider_is(0, true, false, 2);
	provider_is(1, true, false, 1); /* the first is locked */
	provider_is(2, true, false, 1);
	provider_is(0, true, true, 1); /* needed, but in a version that does not provide it */
}

/* --- many versions --- */

/* The ranks of an instance, spread over 37 times as many. */
enum { SPREAD = 37 };

static solver_set spread(const lab *l, solver_problem *problem, uint32_t package, uint64_t bits)
{
	solver_set set = solver_set_new(problem, package);

	if ((bits & 1) != 0)
		solver_set_add(&set, 0);
	for (uint32_t rank = 1; rank <= l->versions[package]; rank++)
		if ((bits >> rank & 1) != 0)
			solver_set_add(&set, rank * SPREAD);
	return set;
}

static int lay_spread(const lab *l, solver_problem *problem, uint32_t index)
{
	const lab_fact *f = &l->facts[index];
	solver_set set = spread(l, problem, f->package, f->set),
		   others = spread(l, problem, f->other, f->others);

	switch (f->origin) {
	case SOLVER_ROOT:
		return solver_root(problem, f->package, &others, index);
	case SOLVER_UNAVAILABLE:
		return solver_unavailable(problem, f->package, &set, index);
	case SOLVER_CONFLICT:
		return solver_conflict(problem, f->package, &set, f->other, &others, index);
	default:
		return solver_dependency(
			problem, f->package, &set, f->other, &others, f->origin, index);
	}
}

static int run_spread(const lab *l, uint32_t *chosen)
{
	BASE_AUTO_OF(solver_problem) solver_problem *problem = solver_problem_new();
	solver_result result = {0};
	int rc;

	for (uint32_t i = 0; i < l->packages; i++) {
		solver_set others;

		cr_assert_eq(solver_package(problem, l->versions[i] * SPREAD, NULL, i), (int)i);
		others = solver_set_new(problem, i);
		for (uint32_t rank = 1; rank <= l->versions[i] * SPREAD; rank++)
			if (rank % SPREAD != 0)
				solver_set_add(&others, rank);
		cr_assert_eq(solver_unavailable(problem, i, &others, LAB_FACTS + i), 0);
	}
	for (uint32_t i = 0; i < l->count; i++)
		cr_assert_eq(lay_spread(l, problem, i), 0);
	rc = solver_run(problem, NULL, &result, NULL);
	for (uint32_t i = 0; rc == 0 && i < l->packages; i++) {
		cr_assert_eq(result.chosen[i] % SPREAD, 0);
		chosen[i] = result.chosen[i] / SPREAD;
	}
	if (rc == HN_ENOSOLUTION)
		cr_assert_gt(result.step_count, 0);
	return rc;
}

Test(solver, answers_the_same_about_packages_of_many_versions)
{
	lab *l = base_alloc(sizeof(*l));
	uint32_t chosen[LAB_PACKAGES];
	int fitting = 0;

	for (uint64_t seed = 0; seed < 600; seed++) {
		BASE_AUTO_OF(solver_problem) solver_problem *problem = NULL;
		solver_result result = {0};
		int rc;

		lab_random(l, seed << 24, 20, 9);
		problem = lab_lay(l, NULL);
		rc = solver_run(problem, NULL, &result, NULL);
		cr_assert_eq(run_spread(l, chosen), rc, "seed %llu", (unsigned long long)seed);
		if (rc == 0) {
			cr_assert(lab_holds(l, chosen));
			cr_assert(lab_supported(l, chosen));
			fitting++;
		}
	}
	cr_assert(fitting > 50 && fitting < 550, "%d", fitting);
	base_free(l);
}

/* So many decisions about so many versions that the way back goes over more than one block of
 * words: the newest of the first leaves three packages two places, which shows at the very end. */
Test(solver, goes_back_over_all_decisions)
{
	enum { FILLING = 600, HOLE = 600, LATE = 3 };
	BASE_AUTO_OF(solver_problem) solver_problem *problem = solver_problem_new();
	solver_result result = {0};
	solver_set newest, holes[LATE][2];

	for (uint32_t i = 0; i < 1 + FILLING + LATE; i++) {
		uint32_t count = i == 0 ? 900 : i <= FILLING ? 1000 : HOLE * 2 + 5;
		solver_set all;

		cr_assert_eq(solver_package(problem, count, NULL, i), (int)i);
		all = solver_set_new(problem, i);
		for (uint32_t rank = 1; rank <= count; rank++)
			solver_set_add(&all, rank);
		cr_assert_eq(solver_root(problem, i, &all, i), 0);
	}
	newest = solver_set_new(problem, 0);
	solver_set_add(&newest, 900);
	for (uint32_t i = 0; i < LATE; i++) {
		solver_set both = solver_set_new(problem, 1 + FILLING + i);

		for (uint32_t hole = 0; hole < 2; hole++) {
			holes[i][hole] = solver_set_new(problem, 1 + FILLING + i);
			for (uint32_t rank = 1 + hole * HOLE; rank <= (hole + 1) * HOLE; rank++) {
				solver_set_add(&holes[i][hole], rank);
				solver_set_add(&both, rank);
			}
			for (uint32_t j = 0; j < i; j++)
				cr_assert_eq(
					solver_conflict(problem, 1 + FILLING + j, &holes[j][hole],
						1 + FILLING + i, &holes[i][hole], 0),
					0);
		}
		cr_assert_eq(solver_dependency(problem, 0, &newest, 1 + FILLING + i, &both,
				     SOLVER_DEPENDENCY, 0),
			0);
	}
	cr_assert_eq(solver_run(problem, NULL, &result, NULL), 0);
	cr_assert_eq(result.chosen[0], 899);
	cr_assert_gt(result.stats.conflicts, 0);
	cr_assert_gt(result.stats.decisions, FILLING * 2);
	for (uint32_t i = 1; i <= FILLING; i++)
		cr_assert_eq(result.chosen[i], 1000);
}

/* --- where it gives up --- */

/* More packages than there are ranks, no two of the same: nothing fits, and no short proof is. */
static lab *pigeons(uint32_t packages, uint32_t ranks)
{
	lab *l = base_calloc(1, sizeof(*l));

	l->packages = packages;
	for (uint32_t i = 0; i < packages; i++) {
		l->versions[i] = ranks;
		root(l, i, from_to(1, ranks));
		for (uint32_t j = 0; j < i; j++)
			for (uint32_t rank = 1; rank <= ranks; rank++)
				lab_add(l, SOLVER_CONFLICT, j, from_to(rank, rank), i,
					from_to(rank, rank));
	}
	return l;
}

Test(solver, ends_with_its_budget_of_conflicts)
{
	lab *l = pigeons(14, 13);
	BASE_AUTO_OF(solver_problem) solver_problem *problem = lab_lay(l, NULL);

	for (uint64_t budget = 1; budget <= 3000; budget = budget * 3 + 1) {
		solver_limits limits = {.conflicts = budget};
		solver_result result = {0};
		hn_error *err = NULL;

		cr_assert_eq(solver_run(problem, &limits, &result, &err), HN_EBUDGET);
		cr_assert_null(err);
		cr_assert_eq(result.stats.conflicts, budget);
		cr_assert_null(result.chosen);
		cr_assert_lt(result.stats.hardest[0], 14);
		cr_assert_lt(result.stats.hardest[1], 14);
	}
	base_free(l);
}

/* Each of many decisions makes it look at a great many facts again, and there is no conflict. */
Test(solver, ends_with_its_budget_of_work)
{
	enum { DECISIONS = 150, FILLING = 200000, NEEDED = DECISIONS + 10 };
	BASE_AUTO_OF(solver_problem) solver_problem *problem = solver_problem_new();
	solver_limits few = {.conflicts = 1};
	solver_result result = {0};
	solver_set all, last;

	cr_assert_eq(solver_package(problem, NEEDED, NULL, UINT64_MAX), 0);
	all = solver_set_new(problem, 0);
	last = solver_set_new(problem, 0);
	memset(all.word, 0xff, all.words * sizeof(*all.word));
	all.word[0] &= ~UINT64_C(1);
	solver_set_add(&last, NEEDED);
	cr_assert_eq(solver_root(problem, 0, &all, 0), 0);
	for (uint32_t i = 1; i <= DECISIONS; i++) {
		solver_set both, newer;

		cr_assert_eq(solver_package(problem, 2, NULL, i), (int)i);
		both = lab_set(problem, i, from_to(1, 2));
		newer = lab_set(problem, i, from_to(2, 2));
		cr_assert_eq(solver_root(problem, i, &both, i), 0);
		all.word[i / 64] &= ~(UINT64_C(1) << (i % 64));
		cr_assert_eq(
			solver_dependency(problem, i, &newer, 0, &all, SOLVER_DEPENDENCY, i), 0);
		all.word[i / 64] |= UINT64_C(1) << (i % 64);
	}
	for (uint32_t i = 0; i < FILLING; i++) {
		solver_set newer = lab_set(problem, 1, from_to(1, 1));

		cr_assert_eq(solver_conflict(problem, 0, &last, 1, &newer, i), 0);
	}
	cr_assert_eq(solver_run(problem, &few, &result, NULL), HN_EBUDGET);
	cr_assert_eq(result.stats.conflicts, 0);
	cr_assert_eq(solver_run(problem, NULL, &result, NULL), 0);
}

Test(solver, proves_six_pigeons_in_five_holes)
{
	solver_stats stats = solved(pigeons(6, 5), NULL);

	/* Each permutation would be a conflict of its own for who learns nothing. */
	cr_assert(stats.conflicts > 5 && stats.conflicts <= 60, "%d", (int)stats.conflicts);
	cr_assert_leq(solved(pigeons(7, 6), NULL).conflicts, 200);
	cr_assert_neq(stats.hardest[0], stats.hardest[1]);
	solved(pigeons(1, 0), NULL);
}

Test(solver, ends_with_its_limit_of_memory)
{
	lab *l = pigeons(7, 6);
	bool without_steps = false, with_steps = false;

	for (uint64_t memory = 1; memory < 64 << 20 && !with_steps; memory += memory / 32 + 1) {
		BASE_AUTO_OF(solver_problem) solver_problem *problem = lab_lay(l, NULL);
		solver_limits limits = {.memory = memory};
		solver_result result = {0};
		int rc = solver_run(problem, &limits, &result, NULL);

		cr_assert(rc == HN_EBUDGET || rc == HN_ENOSOLUTION);
		cr_assert(memory > 1 || rc == HN_EBUDGET);
		cr_assert_not(rc == HN_EBUDGET && without_steps, "more memory, less answer");
		without_steps = without_steps || (rc == HN_ENOSOLUTION && result.step_count == 0);
		with_steps = rc == HN_ENOSOLUTION && result.step_count > 0;
	}
	cr_assert(without_steps);
	cr_assert(with_steps);
	base_free(l);
}

Test(solver, is_cancelled)
{
	lab *l = pigeons(14, 13);
	BASE_AUTO_OF(solver_problem) solver_problem *problem = lab_lay(l, NULL);
	BASE_AUTO_OF(hn_cancel) hn_cancel *cancel = NULL;
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	solver_result result = {.step_count = 77};
	solver_limits limits = {0};

	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	hn_cancel_trigger(cancel);
	limits.cancel = cancel;
	cr_assert_eq(solver_run(problem, &limits, &result, &err), HN_ECANCELLED);
	cr_assert_str_eq(hn_error_message(err), "solving was cancelled");
	cr_assert_eq(result.step_count, 77);
	base_free(l);
}

/* --- the same twice --- */

static void same_steps(const solver_result *a, const solver_result *b)
{
	cr_assert_eq(a->step_count, b->step_count);
	for (size_t i = 0; i < a->step_count; i++) {
		const solver_step *x = &a->steps[i], *y = &b->steps[i];

		cr_assert_eq(x->term_count, y->term_count);
		cr_assert_arr_eq(x->cause, y->cause, sizeof(x->cause));
		cr_assert(x->fact == y->fact && x->origin == y->origin);
		for (size_t j = 0; j < x->term_count; j++) {
			cr_assert_eq(x->terms[j].package, y->terms[j].package);
			cr_assert_arr_eq(x->terms[j].set.word, y->terms[j].set.word,
				x->terms[j].set.words * sizeof(uint64_t));
		}
	}
}

Test(solver, says_the_same_twice)
{
	lab *l = base_alloc(sizeof(*l));

	for (uint64_t seed = 0; seed < 300; seed++) {
		BASE_AUTO_OF(solver_problem) solver_problem *one = NULL, *two = NULL;
		solver_result a = {0}, b = {0};
		int rc;

		lab_random(l, seed << 24, 30, 12);
		one = lab_lay(l, NULL);
		two = lab_lay(l, NULL);
		rc = solver_run(one, NULL, &a, NULL);
		cr_assert_eq(solver_run(two, NULL, &b, NULL), rc);
		cr_assert_arr_eq(&a.stats, &b.stats, sizeof(a.stats));
		same_steps(&a, &b);
		if (rc == 0)
			cr_assert_arr_eq(a.chosen, b.chosen, l->packages * sizeof(*a.chosen));
		/* and a run leaves nothing behind */
		cr_assert_eq(solver_run(one, NULL, &a, NULL), rc);
		same_steps(&a, &b);
	}
	base_free(l);
}

Test(solver, frees_nothing)
{
	solver_problem_free(NULL);
}
