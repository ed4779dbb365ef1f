/* SPDX-License-Identifier: MIT
 *
 * Conflict resolution (Weizenbaum 2018, "Conflict Resolution"; pub's doc/solver.md): the cause of
 * what satisfied the conflict last is resolved with it, until the last satisfier stands alone on
 * its level. What is left is learned.
 */
#include "compose/solver-private.h"

/* The entry from which on "in a or in b", which holds at `entry`, holds. */
static uint32_t satisfier(
	const solver_run_state *run, uint32_t entry, uint32_t words, solver_bits a, solver_bits b)
{
	while (run->trail[entry].previous != SOLVER_NONE &&
		solver_covered(words, run->trail[run->trail[entry].previous].after, a, b))
		entry = run->trail[entry].previous;
	return entry;
}

static uint64_t *scratch(solver_run_state *run, uint32_t package)
{
	solver_state *state = &run->states[package];

	if (state->scratch == NULL)
		state->scratch = base_arena_alloc(
			run->arena, run->domains[package].words * sizeof(*state->scratch));
	return state->scratch;
}

/* Sets when the term holds, and counts it when that is on the level of the conflict. */
static void place_term(solver_run_state *run, uint32_t package, uint32_t entry)
{
	solver_state *state = &run->states[package];

	if (state->active && run->trail[state->satisfier].level == run->level)
		run->open--;
	state->active = true;
	state->satisfier =
		satisfier(run, entry, run->domains[package].words, state->term, state->term);
	if (run->trail[state->satisfier].level == run->level)
		run->open++;
}

/* A term of a cause: where there is one of this package already, both have to hold. */
static int add_term(solver_run_state *run, uint32_t package, solver_bits set)
{
	solver_state *state = &run->states[package];
	uint32_t words = run->domains[package].words;

	if (solver_within(words, run->problem->packages[package].full, set))
		return 0;
	if (words > 1 && scratch(run, package) == NULL)
		return HN_ENOMEM;
	if (words == 1) {
		state->term.one = state->active ? state->term.one & set.one : set.one;
	} else {
		if (state->active)
			solver_many_both(words, state->scratch, set.many, state->scratch);
		else
			memcpy(state->scratch, set.many, words * sizeof(*state->scratch));
		state->term.many = state->scratch;
	}
	if (!state->listed)
		run->listed[run->listed_count++] = package;
	state->listed = true;
	place_term(run, package, run->domains[package].last);
	return 0;
}

static void drop_term(solver_run_state *run, uint32_t package)
{
	solver_state *state = &run->states[package];

	if (run->trail[state->satisfier].level == run->level)
		run->open--;
	state->active = false;
}

static int link_cause(solver_run_state *run, uint32_t cause, uint32_t package)
{
	if (base_grow(&run->links, &run->link_capacity, run->link_count + 1, sizeof(*run->links)) <
		0)
		return HN_ENOMEM;
	run->links[run->link_count++] = (solver_link){.cause = cause, .package = package};
	return 0;
}

/* Terms of an incompatibility but the one of `pivot`. */
static int add_cause(solver_run_state *run, uint32_t cause, uint32_t pivot)
{
	size_t facts = run->problem->fact_count;
	int rc = link_cause(run, cause, pivot);

	if (cause < facts) {
		const solver_fact *fact = &run->problem->facts[cause];

		for (int i = 0; rc == 0 && i < 2 && fact->package[i] != SOLVER_NONE; i++)
			if (fact->package[i] != pivot)
				rc = add_term(run, fact->package[i], fact->set[i]);
		return rc;
	}
	const solver_learned *learned = &run->learned[cause - facts];

	for (uint32_t i = 0; rc == 0 && i < learned->term_count; i++)
		if (learned->terms[i].package != pivot)
			rc = add_term(run, learned->terms[i].package, learned->terms[i].set);
	return rc;
}

/* The term of an incompatibility that derived something of this package. Of what was learned it is
 * mostly the first; not where a conflict with it led back without anything new to learn. */
static solver_bits set_of(const solver_run_state *run, uint32_t cause, uint32_t package)
{
	size_t facts = run->problem->fact_count;
	const solver_inner_term *term;

	if (cause < facts) {
		const solver_fact *fact = &run->problem->facts[cause];

		return fact->set[fact->package[0] != package];
	}
	for (term = run->learned[cause - facts].terms; term->package != package;)
		term++;
	return term->set;
}

/* Replaces what holds since `entry` by what led to it: the term of its package becomes "in the
 * conflict's set or in the cause's". */
static int resolve_with(solver_run_state *run, uint32_t entry)
{
	const solver_entry *what = &run->trail[entry];
	solver_state *state = &run->states[what->package];
	solver_bits rest = set_of(run, what->cause, what->package);
	uint32_t words = run->domains[what->package].words;

	if (words == 1)
		state->term.one |= rest.one;
	else
		solver_many_either(words, state->scratch, rest.many, state->scratch);
	if (solver_within(words, run->problem->packages[what->package].full, state->term))
		drop_term(run, what->package);
	else
		place_term(run, what->package, what->previous);
	return add_cause(run, what->cause, what->package);
}

/* The level of the previous satisfier: at which all holds but what `entry` itself brought. */
static uint32_t previous_level(const solver_run_state *run, uint32_t entry)
{
	const solver_entry *what = &run->trail[entry];
	const solver_state *own = &run->states[what->package];
	uint32_t words = run->domains[what->package].words, level = 0;

	if (run->open > 1)
		return run->level;
	if (what->cause != SOLVER_NONE) {
		solver_bits rest = set_of(run, what->cause, what->package);

		if (!solver_covered(
			    words, run->problem->packages[what->package].full, own->term, rest))
			level = run->trail[satisfier(run, what->previous, words, own->term, rest)]
					.level;
	}
	for (size_t i = 0; i < run->listed_count; i++) {
		const solver_state *state = &run->states[run->listed[i]];

		if (state->active && state != own && run->trail[state->satisfier].level > level)
			level = run->trail[state->satisfier].level;
	}
	return level;
}

/* --- learning --- */

static void by_satisfier(const solver_run_state *run, solver_inner_term *terms, uint32_t count)
{
	/* The watched ones: what was satisfied last, then what was satisfied before it. */
	for (uint32_t to = 0; to < 2 && to < count; to++) {
		uint32_t best = to;
		solver_inner_term moved;

		for (uint32_t i = to + 1; i < count; i++)
			if (run->states[terms[i].package].satisfier >
				run->states[terms[best].package].satisfier)
				best = i;
		moved = terms[to];
		terms[to] = terms[best];
		terms[best] = moved;
	}
}

static int copy_term(solver_run_state *run, uint32_t package, solver_inner_term *term)
{
	const solver_state *state = &run->states[package];
	uint32_t words = run->domains[package].words;

	*term = (solver_inner_term){.set = state->term, .package = package};
	if (words > 1) {
		uint64_t *copy = base_arena_alloc(run->arena, words * sizeof(*copy));

		if (copy == NULL)
			return HN_ENOMEM;
		memcpy(copy, state->term.many, words * sizeof(*copy));
		term->set.many = copy;
	}
	return 0;
}

static int learn(solver_run_state *run)
{
	solver_learned learned = {.link_count = (uint32_t)run->link_count};
	uint32_t count = 0;

	if (base_grow(&run->learned, &run->learned_capacity, run->learned_count + 1,
		    sizeof(*run->learned)) < 0)
		return HN_ENOMEM;
	for (size_t i = 0; i < run->listed_count; i++)
		count += run->states[run->listed[i]].active;
	learned.terms = base_arena_alloc(run->arena, count * sizeof(*learned.terms));
	learned.links = base_arena_alloc(run->arena, learned.link_count * sizeof(*learned.links));
	if (learned.terms == NULL || learned.links == NULL)
		return HN_ENOMEM;
	memcpy(learned.links, run->links, learned.link_count * sizeof(*learned.links));
	for (size_t i = 0; i < run->listed_count; i++)
		if (run->states[run->listed[i]].active &&
			copy_term(run, run->listed[i], &learned.terms[learned.term_count++]) < 0)
			return HN_ENOMEM;
	by_satisfier(run, learned.terms, learned.term_count);
	run->learned[run->learned_count++] = learned;
	return solver_watch_learned(run, (uint32_t)run->learned_count - 1);
}

static void forget(solver_run_state *run)
{
	for (size_t i = 0; i < run->listed_count; i++) {
		run->states[run->listed[i]].active = false;
		run->states[run->listed[i]].listed = false;
	}
	run->listed_count = 0;
	run->link_count = 0;
	run->open = 0;
}

/* --- the whole of it --- */

/* The last entry, before `entry`, that satisfied a term. */
static uint32_t last_satisfier(const solver_run_state *run, uint32_t entry)
{
	const solver_state *state;

	do {
		entry--;
		state = &run->states[run->trail[entry].package];
	} while (!state->active || state->satisfier != entry);
	return entry;
}

/* `entry` is alone on its level: what is left is learned, and forbids it on an earlier one. */
static int go_back(solver_run_state *run, uint32_t entry, uint32_t level)
{
	uint32_t package = run->trail[entry].package, cause = run->conflict;

	if (run->link_count > 1) {
		if (learn(run) < 0)
			return HN_ENOMEM;
		cause = (uint32_t)(run->problem->fact_count + run->learned_count - 1);
	}
	solver_backtrack(run, level);
	return solver_narrow(run, package, run->states[package].term, cause);
}

static int resolve(solver_run_state *run)
{
	uint32_t entry = (uint32_t)run->trail_count;
	int rc = add_cause(run, run->conflict, SOLVER_NONE);

	for (size_t i = 0; i < run->listed_count; i++)
		run->states[run->listed[i]].conflicts++;
	while (rc == 0) {
		uint32_t level;

		if (run->open == 0)
			return learn(run) < 0 ? HN_ENOMEM : HN_ENOSOLUTION;
		entry = last_satisfier(run, entry);
		level = run->level > 0 ? previous_level(run, entry) : 0;
		if (level < run->level)
			return go_back(run, entry, level);
		rc = resolve_with(run, entry);
	}
	return rc;
}

int solver_resolve(solver_run_state *run)
{
	int rc = resolve(run);

	forget(run);
	return rc;
}
