/* SPDX-License-Identifier: MIT
 *
 * Version solving: propagate, resolve conflicts, decide, until all that is needed has a version.
 */
#include "compose/solver-private.h"

static void free_run(solver_run_state *run)
{
	for (size_t i = 0; run->states != NULL && i < run->problem->package_count; i++)
		base_free(run->states[i].watches);
	base_free(run->domains);
	base_free(run->states);
	base_free(run->trail);
	base_free(run->queue);
	base_free(run->listed);
	base_free(run->learned);
	base_free(run->links);
	solver_words_free(&run->words);
	base_arena_free(run->arena);
}

static int prepare(solver_run_state *run, solver_problem *problem, const solver_limits *limits)
{
	size_t count = problem->package_count;

	*run = (solver_run_state){.problem = problem, .arena = base_arena_new()};
	if (limits != NULL)
		run->limits = *limits;
	if (run->limits.conflicts == 0)
		run->limits.conflicts = base_limit(BASE_LIMIT_SOLVER_CONFLICTS);
	if (run->limits.memory == 0)
		run->limits.memory = base_limit(BASE_LIMIT_SOLVER_BYTES);
	run->domains = base_alloc(count * sizeof(*run->domains));
	run->states = base_calloc(count, sizeof(*run->states));
	run->queue = base_alloc(count * sizeof(*run->queue));
	run->listed = base_alloc(count * sizeof(*run->listed));
	if (run->arena == NULL || run->domains == NULL || run->states == NULL ||
		run->queue == NULL || run->listed == NULL)
		return HN_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const solver_package_row *row = &problem->packages[i];

		run->domains[i] = (solver_domain){
			.bits = row->full, .words = row->words, .last = SOLVER_NONE};
		run->states[i].synced = SOLVER_NONE;
		run->states[i].place = SOLVER_NONE;
	}
	return 0;
}

uint64_t solver_problem_bytes(const solver_problem *problem)
{
	return base_arena_used(problem->arena) + problem->fact_capacity * sizeof(*problem->facts);
}

uint64_t solver_bytes(const solver_run_state *run)
{
	const solver_problem *problem = run->problem;

	return solver_problem_bytes(problem) + base_arena_used(run->arena) + run->watch_bytes +
	       problem->package_count *
		       (sizeof(*problem->packages) + sizeof(*run->domains) + sizeof(*run->states) +
			       sizeof(*run->queue) + sizeof(*run->listed)) +
	       run->trail_capacity * sizeof(*run->trail) +
	       run->learned_capacity * sizeof(*run->learned) +
	       run->words.block_count * SOLVER_BLOCK_WORDS * sizeof(uint64_t);
}

/* --- decisions --- */

static uint32_t rank_at(const solver_package_row *row, uint32_t index)
{
	return row->order != NULL ? row->order[index] : row->versions - index;
}

/* Whether the provider of this rank is needed already and can still be what the rank asks for. */
static bool provider_chosen(const solver_run_state *run, uint32_t package, uint32_t rank)
{
	const solver_problem *problem = run->problem;
	uint32_t words = problem->packages[package].words, use = problem->packages[package].first;

	for (; use != SOLVER_NONE; use = problem->facts[use / 2].next[use % 2]) {
		const solver_fact *fact = &problem->facts[use / 2];
		const solver_domain *other;

		if (fact->origin != SOLVER_PROVIDER || use % 2 != 0 ||
			fact->package[1] == SOLVER_NONE || !solver_has(words, fact->set[0], rank))
			continue;
		other = &run->domains[fact->package[1]];
		if (solver_needed(other) && !solver_within(other->words, other->bits, fact->set[1]))
			return true;
	}
	return false;
}

static uint32_t next_rank(const solver_run_state *run, uint32_t package)
{
	const solver_package_row *row = &run->problem->packages[package];
	const solver_domain *domain = &run->domains[package];
	uint32_t found = SOLVER_NONE;

	for (uint32_t i = 0; i < row->versions; i++) {
		uint32_t rank = rank_at(row, i);

		if (!solver_has(domain->words, domain->bits, rank))
			continue;
		if (!row->providers || i < row->keep || provider_chosen(run, package, rank))
			return rank;
		if (found == SOLVER_NONE)
			found = rank;
	}
	return found;
}

/* --- the loop --- */

/* 0: goes on; else how it ends. */
static int within_limits(const solver_run_state *run, hn_error **err)
{
	if (hn_cancel_triggered(run->limits.cancel))
		return base_error(err, HN_ECANCELLED, "compose", NULL, "solving was cancelled");
	if (run->looks / SOLVER_LOOKS > run->limits.conflicts + SOLVER_FREE)
		return HN_EBUDGET;
	return solver_bytes(run) > run->limits.memory ? HN_EBUDGET : 0;
}

static int conflicted(solver_run_state *run, hn_error **err)
{
	int rc = within_limits(run, err);

	if (rc == 0 && run->stats.conflicts == run->limits.conflicts)
		rc = HN_EBUDGET;
	if (rc < 0)
		return rc;
	run->stats.conflicts++;
	return solver_resolve(run);
}

static int ask_roots(solver_run_state *run)
{
	const solver_problem *problem = run->problem;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < problem->root_count; i++) {
		const solver_fact *fact = &problem->facts[problem->roots[i]];
		const solver_domain *domain = &run->domains[fact->package[0]];

		if (solver_meets(domain->words, domain->bits, fact->set[0]))
			rc = solver_narrow(run, fact->package[0], fact->set[0], problem->roots[i]);
	}
	return rc;
}

/* 0 when all that is needed has a version. */
static int search(solver_run_state *run, hn_error **err)
{
	int rc = within_limits(run, err);

	if (rc == 0)
		rc = ask_roots(run);
	while (rc >= 0) {
		uint32_t package;

		if (rc == 0)
			rc = solver_propagate(run);
		if (rc == SOLVER_CONFLICTED) {
			rc = conflicted(run, err);
			continue;
		}
		if (rc < 0)
			break;
		if (run->queue_count == 0)
			return 0;
		package = run->queue[0].package;
		rc = within_limits(run, err);
		if (rc == 0)
			rc = solver_decide(run, package, next_rank(run, package));
	}
	return rc;
}

/* --- what comes of it --- */

static void hardest(solver_run_state *run)
{
	for (size_t place = 0; place < BASE_COUNT(run->stats.hardest); place++) {
		uint32_t best = SOLVER_NONE;

		for (uint32_t i = 0; i < run->problem->package_count; i++) {
			bool taken = false;

			for (size_t j = 0; j < place; j++)
				taken = taken || run->stats.hardest[j] == i;
			if (!taken && run->states[i].conflicts > 0 &&
				(best == SOLVER_NONE ||
					run->states[i].conflicts > run->states[best].conflicts))
				best = i;
		}
		run->stats.hardest[place] = best;
	}
}

static uint32_t only_rank(const solver_domain *domain)
{
	const uint64_t *word = solver_word(domain->words, &domain->bits);

	if (!solver_needed(domain))
		return 0;
	for (uint32_t i = 0;; i++)
		if (word[i] != 0)
			return i * 64 + (uint32_t)__builtin_ctzll(word[i]);
}

static int choose(solver_run_state *run, solver_result *result)
{
	size_t count = run->problem->package_count;
	uint32_t *chosen = base_arena_alloc(run->problem->arena, count * sizeof(*chosen));

	if (chosen == NULL)
		return HN_ENOMEM;
	for (size_t i = 0; i < count; i++)
		chosen[i] = only_rank(&run->domains[i]);
	result->chosen = chosen;
	return 0;
}

int solver_run(
	solver_problem *problem, const solver_limits *limits, solver_result *result, hn_error **err)
{
	solver_run_state run;
	solver_result found = {0};
	int rc = prepare(&run, problem, limits);

	if (rc == 0)
		rc = search(&run, err);
	if (rc == 0)
		rc = choose(&run, &found);
	else if (rc == HN_ENOSOLUTION && solver_derive(&run, &found) < 0)
		rc = HN_ENOMEM;
	if (rc == 0 || rc == HN_ENOSOLUTION || rc == HN_EBUDGET) {
		hardest(&run);
		found.stats = run.stats;
		*result = found;
	}
	free_run(&run);
	return rc == HN_ENOMEM ? base_nomem(err) : rc;
}
