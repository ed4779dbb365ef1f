/* SPDX-License-Identifier: MIT
 *
 * Torture of the version solver: problems of one word and of many, that fit and that do not, with
 * each allocation failing.
 */
#include "compose/solver.h"
#include "torture.h"

enum { PIGEONS = 5, FEW = 1, MANY = 400 };

static solver_set ranks(solver_problem *problem, uint32_t package, uint32_t from, uint32_t to)
{
	solver_set set = solver_set_new(problem, package);

	for (uint32_t rank = from; set.word != NULL && rank <= to; rank++)
		solver_set_add(&set, rank);
	return set;
}

/* No two of the same of `holes` parts of the ranks, each `width` wide. */
static int lay_pair(solver_problem *problem, uint32_t a, uint32_t b, uint32_t holes, uint32_t width)
{
	int rc = 0;

	for (uint32_t hole = 0; rc == 0 && hole < holes; hole++) {
		solver_set one = ranks(problem, a, hole * width + 1, (hole + 1) * width);
		solver_set other = ranks(problem, b, hole * width + 1, (hole + 1) * width);

		rc = solver_conflict(problem, a, &one, b, &other, hole);
	}
	return rc;
}

static int lay_one(solver_problem *problem, uint32_t package, uint32_t holes, uint32_t width)
{
	solver_set all = ranks(problem, package, 1, holes * width);
	solver_set last = ranks(problem, package, holes * width, holes * width);
	uint32_t after = (package + 1) % PIGEONS;
	solver_set next = ranks(problem, after, 1, holes * width);
	int rc = 0;

	if (package == 0)
		rc = solver_root(problem, package, &all, 0);
	if (rc == 0)
		rc = solver_dependency(
			problem, package, &all, after, &next, SOLVER_PROVIDER, package);
	if (rc == 0 && width > 1)
		rc = solver_unavailable(problem, package, &last, package);
	/* Itself: of two terms one is made. */
	if (rc == 0 && width > 1)
		rc = solver_conflict(problem, package, &last, package, &all, package);
	for (uint32_t other = 0; rc == 0 && other < package; other++)
		rc = lay_pair(problem, other, package, holes, width);
	return rc;
}

static int solve(uint32_t holes, uint32_t width, int expected, hn_error **err)
{
	BASE_AUTO_OF(solver_problem) solver_problem *problem = solver_problem_new();
	solver_result result = {0};
	int rc = problem == NULL ? HN_ENOMEM : 0;

	for (uint32_t i = 0; rc >= 0 && i < PIGEONS; i++) {
		uint32_t order[PIGEONS * MANY];

		for (uint32_t rank = 0; rank < holes * width; rank++)
			order[rank] = rank + 1;
		rc = solver_package(problem, holes * width, i % 2 == 0 ? order : NULL, i);
		if (rc >= 0 && i == 2)
			solver_prefer_chosen(problem, i, 0);
	}
	for (uint32_t i = 0; rc >= 0 && i < PIGEONS; i++)
		rc = lay_one(problem, i, holes, width);
	if (rc == HN_ENOMEM)
		return base_nomem(err);
	rc = solver_run(problem, NULL, &result, err);
	return rc == expected ? 0 : rc;
}

static int run_fitting(torture *t, hn_error **err)
{
	int rc = solve(PIGEONS, FEW, 0, err);

	(void)t;
	return rc < 0 ? rc : solve(PIGEONS, MANY, 0, err);
}

static int run_proving(torture *t, hn_error **err)
{
	int rc = solve(PIGEONS - 1, FEW, HN_ENOSOLUTION, err);

	(void)t;
	return rc < 0 ? rc : solve(PIGEONS - 1, MANY, HN_ENOSOLUTION, err);
}

static const torture_scenario scenarios[] = {
	{.name = "fitting", .run = run_fitting},
	{.name = "proving", .run = run_proving},
};

int main(int argc, char **argv)
{
	return torture_main("compose-solver", scenarios, BASE_COUNT(scenarios), argc, argv);
}
