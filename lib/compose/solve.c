/* SPDX-License-Identifier: MIT
 *
 * From a blueprint to a lock, or to the reason why there is none.
 */
#include "compose/explain.h"

static int fail_nothing(
	const compose_problem *problem, const solver_result *result, char **failure, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0}, head = {0};
	char *taken = NULL;
	int rc;

	explain_head(problem, &head);
	if (head.failed)
		return base_nomem(err);
	if (failure != NULL) {
		rc = compose_explain(problem, result, &text, err);
		if (rc < 0)
			return rc;
		taken = base_buf_take(&text);
		if (taken == NULL)
			return base_nomem(err);
		*failure = taken;
	}
	return base_error(err, HN_ENOSOLUTION, COMPOSE_ROOM,
		"hv-compose explain tells why and what can be changed", "%s", head.data);
}

static int fail_budget(const compose_problem *problem, const solver_result *result, hn_error **err)
{
	BASE_AUTO_BUF base_buf names = {0};

	for (size_t i = 0; i < BASE_COUNT(result->stats.hardest); i++) {
		const problem_package *package;

		if (result->stats.hardest[i] == UINT32_MAX)
			continue;
		package = &problem->packages[result->stats.hardest[i]];
		base_buf_format(&names, "%s%s", names.size > 0 ? ", " : "",
			package->component != NULL ? package->component->name
						   : package->contract->name);
	}
	if (names.failed)
		return base_nomem(err);
	return base_error(err, HN_EBUDGET, COMPOSE_ROOM,
		"give these narrower ranges, or start from a lock",
		"blueprint %s was given up after %" PRIu64 " conflicts; the hardest: %s",
		problem->blueprint->name, result->stats.conflicts,
		names.size > 0 ? names.data : "none");
}

int compose_solve(const compose_registry *registry, const compose_blueprint *blueprint,
	const compose_solve_options *options, compose_lock **lock, char **failure, hn_error **err)
{
	static const compose_solve_options none = {.epoch = 1};
	BASE_AUTO_OF(compose_problem) compose_problem *problem = NULL;
	solver_result result = {0};
	int rc;

	rc = compose_problem_new(
		registry, blueprint, options != NULL ? options : &none, NULL, &problem, err);
	if (rc < 0)
		return rc;
	rc = compose_problem_run(problem, problem->options->conflicts, &result, err);
	if (rc == HN_ENOSOLUTION)
		return fail_nothing(problem, &result, failure, err);
	if (rc == HN_EBUDGET)
		return fail_budget(problem, &result, err);
	return rc == 0 ? compose_solution_lock(problem, &result, lock, err) : rc;
}
