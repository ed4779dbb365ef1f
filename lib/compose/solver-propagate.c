/* SPDX-License-Identifier: MIT
 *
 * The trail: what follows from what was decided, and the way back. A fact about a package that may
 * still be absent waits until the package is needed, so that the rest of a registry costs nothing.
 */
#include "compose/solver-private.h"

/* --- words of the trail --- */

static uint64_t *words_push(solver_words_stack *stack, uint32_t words)
{
	uint64_t *taken;

	if (stack->block_count > 0 && stack->used + words > SOLVER_BLOCK_WORDS) {
		stack->top++;
		stack->used = 0;
	}
	if (stack->top >= stack->block_count) {
		uint64_t *block;

		if (base_grow(&stack->blocks, &stack->block_capacity, stack->block_count + 1,
			    sizeof(uint64_t *)) < 0)
			return NULL;
		block = base_alloc(SOLVER_BLOCK_WORDS * sizeof(*block));
		if (block == NULL)
			return NULL;
		stack->blocks[stack->block_count++] = block;
	}
	taken = stack->blocks[stack->top] + stack->used;
	stack->used += words;
	return taken;
}

/* Gives back what was pushed last. */
static void words_pop(solver_words_stack *stack, const uint64_t *taken)
{
	if (stack->used == 0)
		stack->top--;
	stack->used = (size_t)(taken - stack->blocks[stack->top]);
}

void solver_words_free(solver_words_stack *stack)
{
	for (size_t i = 0; i < stack->block_count; i++)
		base_free(stack->blocks[i]);
	base_free(stack->blocks);
}

/* --- the trail --- */

solver_bits solver_before(const solver_run_state *run, const solver_entry *entry)
{
	if (entry->previous == SOLVER_NONE)
		return run->problem->packages[entry->package].full;
	return run->trail[entry->previous].after;
}

static int push(solver_run_state *run, uint32_t package, solver_bits after, uint32_t cause)
{
	solver_domain *domain = &run->domains[package];
	uint32_t index = (uint32_t)run->trail_count;

	if (base_grow(&run->trail, &run->trail_capacity, run->trail_count + 1,
		    sizeof(*run->trail)) < 0)
		return HN_ENOMEM;
	run->trail[run->trail_count++] = (solver_entry){.after = after,
		.package = package,
		.previous = domain->last,
		.level = run->level,
		.cause = cause};
	domain->bits = after;
	domain->last = index;
	solver_queue_update(run, package);
	return 0;
}

int solver_narrow(solver_run_state *run, uint32_t package, solver_bits set, uint32_t cause)
{
	solver_domain *domain = &run->domains[package];
	solver_bits after;

	if (solver_within(domain->words, domain->bits, set)) {
		run->conflict = cause;
		return SOLVER_CONFLICTED;
	}
	if (domain->words == 1) {
		after.one = domain->bits.one & ~set.one;
	} else {
		uint64_t *out = words_push(&run->words, domain->words);

		if (out == NULL)
			return HN_ENOMEM;
		solver_many_without(domain->words, domain->bits.many, set.many, out);
		after.many = out;
	}
	run->stats.propagations++;
	return push(run, package, after, cause);
}

int solver_decide(solver_run_state *run, uint32_t package, uint32_t rank)
{
	solver_domain *domain = &run->domains[package];
	solver_bits after = {.one = UINT64_C(1) << (rank % 64)};

	if (domain->words > 1) {
		uint64_t *out = words_push(&run->words, domain->words);

		if (out == NULL)
			return HN_ENOMEM;
		memset(out, 0, domain->words * sizeof(*out));
		out[rank / 64] = after.one;
		after.many = out;
	}
	run->level++;
	run->stats.decisions++;
	return push(run, package, after, SOLVER_NONE);
}

void solver_backtrack(solver_run_state *run, uint32_t level)
{
	while (run->trail_count > 0 && run->trail[run->trail_count - 1].level > level) {
		solver_entry *entry = &run->trail[--run->trail_count];
		solver_domain *domain = &run->domains[entry->package];

		domain->bits = solver_before(run, entry);
		domain->last = entry->previous;
		solver_queue_update(run, entry->package);
		if (run->states[entry->package].synced == run->trail_count)
			run->states[entry->package].synced = SOLVER_NONE;
		if (domain->words > 1)
			words_pop(&run->words, entry->after.many);
	}
	run->level = level;
	run->head = run->trail_count;
}

/* --- facts --- */

/* Gathers the facts about a package in one row when it is looked at for the first time: most of a
 * registry never is. */
static int gather(solver_run_state *run, uint32_t package)
{
	const solver_problem *problem = run->problem;
	const solver_package_row *row = &problem->packages[package];
	solver_state *state = &run->states[package];
	uint32_t count = 0, use;

	for (use = row->first; use != SOLVER_NONE; use = problem->facts[use / 2].next[use % 2])
		count++;
	state->uses = base_arena_alloc(run->arena, count * sizeof(*state->uses));
	if (state->uses == NULL)
		return HN_ENOMEM;
	for (use = row->first; use != SOLVER_NONE; use = problem->facts[use / 2].next[use % 2]) {
		const solver_fact *fact = &problem->facts[use / 2];
		uint32_t side = use % 2, other = fact->package[!side];
		bool always = other != SOLVER_NONE &&
			      solver_within(problem->packages[other].words,
				      problem->packages[other].full, fact->set[!side]);

		state->uses[state->use_count++] = (solver_use){.own = fact->set[side],
			.others = fact->set[!side],
			.other = always ? SOLVER_NONE : other,
			.fact = use / 2};
	}
	return 0;
}

/* The term of this package holds: the other must not. */
static int other_must_not(solver_run_state *run, const solver_use *use)
{
	const solver_domain *other;

	if (use->other == SOLVER_NONE) {
		run->conflict = use->fact;
		return SOLVER_CONFLICTED;
	}
	other = &run->domains[use->other];
	if (!solver_meets(other->words, other->bits, use->others))
		return 0;
	if (!solver_needed(other) && !solver_has(other->words, use->others, 0))
		return 0; /* waits: it is absent so far */
	return solver_narrow(run, use->other, use->others, use->fact);
}

static int scan_facts(solver_run_state *run, uint32_t package)
{
	const solver_domain *domain = &run->domains[package];
	solver_state *state = &run->states[package];
	bool sync = state->synced == SOLVER_NONE && solver_needed(domain);
	int rc = 0;

	if (state->uses == NULL && gather(run, package) < 0)
		return HN_ENOMEM;
	if (sync)
		state->synced = domain->last;
	run->looks += state->use_count;
	for (uint32_t i = 0; rc == 0 && i < state->use_count; i++) {
		const solver_use *use = &state->uses[i];

		if (solver_within(domain->words, domain->bits, use->own)) {
			rc = other_must_not(run, use);
		} else if (sync && solver_meets(domain->words, domain->bits, use->own)) {
			const solver_domain *other =
				use->other == SOLVER_NONE ? NULL : &run->domains[use->other];

			if (other == NULL || solver_within(other->words, other->bits, use->others))
				rc = solver_narrow(run, package, use->own, use->fact);
		}
	}
	return rc;
}

/* --- what was learned: two terms that do not hold are watched --- */

static bool holds(const solver_run_state *run, const solver_inner_term *term)
{
	const solver_domain *domain = &run->domains[term->package];

	return solver_within(domain->words, domain->bits, term->set);
}

static int watch(solver_run_state *run, const solver_inner_term *term, uint32_t learned)
{
	solver_state *state = &run->states[term->package];
	size_t before = state->watch_capacity;

	if (base_grow(&state->watches, &state->watch_capacity, state->watch_count + 1,
		    sizeof(*state->watches)) < 0)
		return HN_ENOMEM;
	run->watch_bytes += (state->watch_capacity - before) * sizeof(*state->watches);
	state->watches[state->watch_count++] = (solver_watch){.set = term->set, .learned = learned};
	return 0;
}

int solver_watch_learned(solver_run_state *run, uint32_t learned)
{
	const solver_learned *what = &run->learned[learned];

	if (what->term_count < 2)
		return 0;
	if (watch(run, &what->terms[0], learned) < 0)
		return HN_ENOMEM;
	return watch(run, &what->terms[1], learned);
}

/* The watched term of this package holds now: watches another that does not, or derives what
 * follows. *kept is false when the watch went elsewhere. */
static int look(solver_run_state *run, uint32_t package, uint32_t learned, bool *kept)
{
	const solver_learned *what = &run->learned[learned];
	solver_inner_term *terms = what->terms, moved;
	const solver_domain *other;

	if (terms[0].package == package) {
		moved = terms[0];
		terms[0] = terms[1];
		terms[1] = moved;
	}
	other = &run->domains[terms[0].package];
	*kept = true;
	if (!solver_meets(other->words, other->bits, terms[0].set))
		return 0;
	for (uint32_t i = 2; i < what->term_count; i++) {
		if (holds(run, &terms[i]))
			continue;
		if (watch(run, &terms[i], learned) < 0)
			return HN_ENOMEM;
		moved = terms[1];
		terms[1] = terms[i];
		terms[i] = moved;
		*kept = false;
		return 0;
	}
	return solver_narrow(
		run, terms[0].package, terms[0].set, (uint32_t)run->problem->fact_count + learned);
}

static int scan_learned(solver_run_state *run, uint32_t package)
{
	const solver_domain *domain = &run->domains[package];
	solver_state *state = &run->states[package];
	size_t kept_count = 0;
	int rc = 0;

	run->looks += state->watch_count;
	for (size_t i = 0; i < state->watch_count; i++) {
		solver_watch one = state->watches[i];
		bool kept = true;

		if (rc == 0 && solver_within(domain->words, domain->bits, one.set))
			rc = look(run, package, one.learned, &kept);
		if (kept)
			state->watches[kept_count++] = one;
	}
	state->watch_count = kept_count;
	return rc;
}

int solver_propagate(solver_run_state *run)
{
	int rc = 0;

	while (rc == 0 && run->head < run->trail_count) {
		uint32_t index = (uint32_t)run->head++;
		uint32_t package = run->trail[index].package;

		/* A later entry of the same package will do for both. */
		if (run->domains[package].last != index)
			continue;
		rc = scan_facts(run, package);
		if (rc == 0 && run->states[package].watch_count > 0)
			rc = scan_learned(run, package);
	}
	return rc;
}
