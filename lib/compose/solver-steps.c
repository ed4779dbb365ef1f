/* SPDX-License-Identifier: MIT
 *
 * The derivation of a contradiction: what was learned keeps only what it was resolved from, so the
 * steps between are made again here, and only those that the contradiction rests on.
 */
#include "compose/solver-private.h"

typedef struct derivation {
	solver_run_state *run;
	base_arena *arena; /* of the problem */
	uint32_t *step_of; /* of each incompatibility; SOLVER_NONE */
	solver_step *steps;
	size_t count, capacity;
	solver_term *terms; /* of the step that is being made; states[].satisfier says where */
	size_t term_count;
	bool *reached; /* of what was learned */
} derivation;

static int add_step(derivation *d, const solver_step *step, uint32_t *index)
{
	if (base_grow(&d->steps, &d->capacity, d->count + 1, sizeof(*d->steps)) < 0)
		return HN_ENOMEM;
	*index = (uint32_t)d->count;
	d->steps[d->count++] = *step;
	return 0;
}

static int add_fact(derivation *d, uint32_t index)
{
	const solver_fact *fact = &d->run->problem->facts[index];
	size_t count = fact->package[1] == SOLVER_NONE ? 1 : 2;
	solver_term *terms = base_arena_alloc(d->arena, count * sizeof(*terms));
	solver_step step = {.terms = terms,
		.term_count = count,
		.cause = {SOLVER_NONE, SOLVER_NONE},
		.fact = fact->number,
		.origin = fact->origin};

	if (terms == NULL)
		return HN_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		uint32_t words = d->run->domains[fact->package[i]].words;
		uint64_t *word = base_arena_alloc(d->arena, words * sizeof(*word));

		if (word == NULL)
			return HN_ENOMEM;
		memcpy(word, solver_word(words, &fact->set[i]), words * sizeof(*word));
		terms[i] = (solver_term){
			.package = fact->package[i], .set = {.words = words, .word = word}};
	}
	return add_step(d, &step, &d->step_of[index]);
}

/* --- one resolution --- */

static bool always(const derivation *d, const solver_term *term)
{
	const solver_package_row *row = &d->run->problem->packages[term->package];

	return solver_many_within(row->words, solver_word(row->words, &row->full), term->set.word);
}

static void append(derivation *d, const solver_term *term)
{
	solver_state *state = &d->run->states[term->package];

	if (always(d, term))
		return;
	state->listed = true;
	state->satisfier = (uint32_t)d->term_count;
	d->terms[d->term_count++] = *term;
}

/* A term of the other cause joins the one that is there. */
static int join(derivation *d, const solver_term *term, uint32_t pivot)
{
	solver_term *mine = &d->terms[d->run->states[term->package].satisfier];
	uint32_t words = mine->set.words;
	uint64_t *word = base_arena_alloc(d->arena, words * sizeof(*word));

	if (word == NULL)
		return HN_ENOMEM;
	if (term->package == pivot)
		solver_many_either(words, mine->set.word, term->set.word, word);
	else
		solver_many_both(words, mine->set.word, term->set.word, word);
	mine->set.word = word;
	return 0;
}

static int resolve_terms(derivation *d, const solver_step *a, const solver_step *b, uint32_t pivot)
{
	int rc = 0;

	d->term_count = 0;
	for (size_t i = 0; i < a->term_count; i++)
		append(d, &a->terms[i]);
	for (size_t i = 0; rc == 0 && i < b->term_count; i++) {
		if (d->run->states[b->terms[i].package].listed)
			rc = join(d, &b->terms[i], pivot);
		else
			append(d, &b->terms[i]);
	}
	for (size_t i = 0; i < d->term_count; i++)
		d->run->states[d->terms[i].package].listed = false;
	return rc;
}

static int add_resolvent(derivation *d, uint32_t *current, uint32_t other, uint32_t pivot)
{
	solver_step step = {.cause = {*current, other}};
	solver_term *terms;
	int rc = resolve_terms(d, &d->steps[*current], &d->steps[other], pivot);

	if (rc < 0)
		return rc;
	terms = base_arena_alloc(d->arena, d->term_count * sizeof(*terms));
	if (terms == NULL)
		return HN_ENOMEM;
	for (size_t i = 0; i < d->term_count; i++)
		if (d->terms[i].package != pivot || !always(d, &d->terms[i]))
			terms[step.term_count++] = d->terms[i];
	step.terms = terms;
	return add_step(d, &step, current);
}

/* --- all of it --- */

static int step_of_cause(derivation *d, uint32_t cause)
{
	if (d->step_of[cause] != SOLVER_NONE)
		return 0;
	return add_fact(d, cause);
}

static int add_learned(derivation *d, uint32_t index)
{
	const solver_learned *learned = &d->run->learned[index];
	uint32_t current;
	int rc = step_of_cause(d, learned->links[0].cause);

	if (rc < 0)
		return rc;
	current = d->step_of[learned->links[0].cause];
	for (uint32_t i = 1; rc == 0 && i < learned->link_count; i++) {
		const solver_link *link = &learned->links[i];

		rc = step_of_cause(d, link->cause);
		if (rc == 0)
			rc = add_resolvent(d, &current, d->step_of[link->cause], link->package);
	}
	d->step_of[d->run->problem->fact_count + index] = current;
	return rc;
}

/* What the contradiction rests on; causes are older than what was made of them. */
static void reach(derivation *d)
{
	size_t facts = d->run->problem->fact_count;

	d->reached[d->run->learned_count - 1] = true;
	for (size_t i = d->run->learned_count; i > 0; i--) {
		const solver_learned *learned = &d->run->learned[i - 1];

		for (uint32_t j = 0; d->reached[i - 1] && j < learned->link_count; j++)
			if (learned->links[j].cause >= facts)
				d->reached[learned->links[j].cause - facts] = true;
	}
}

static bool too_large(const derivation *d)
{
	return solver_bytes(d->run) + d->capacity * sizeof(*d->steps) > d->run->limits.memory;
}

static int derive(derivation *d, solver_result *result)
{
	solver_step *steps;
	int rc = 0;

	reach(d);
	for (size_t i = 0; rc == 0 && i < d->run->learned_count; i++) {
		if (d->reached[i])
			rc = add_learned(d, (uint32_t)i);
		if (too_large(d))
			return 0;
	}
	if (rc < 0)
		return rc;
	steps = base_arena_alloc(d->arena, d->count * sizeof(*steps));
	if (steps == NULL)
		return HN_ENOMEM;
	memcpy(steps, d->steps, d->count * sizeof(*steps));
	result->steps = steps;
	result->step_count = d->count;
	return 0;
}

int solver_derive(solver_run_state *run, solver_result *result)
{
	derivation d = {.run = run, .arena = run->problem->arena};
	size_t count = run->problem->fact_count + run->learned_count;
	int rc = HN_ENOMEM;

	d.step_of = base_alloc(count * sizeof(*d.step_of));
	d.reached = base_calloc(run->learned_count, sizeof(*d.reached));
	d.terms = base_alloc(run->problem->package_count * sizeof(*d.terms));
	if (d.step_of != NULL && d.reached != NULL && d.terms != NULL) {
		memset(d.step_of, 0xff, count * sizeof(*d.step_of));
		rc = derive(&d, result);
	}
	base_free(d.step_of);
	base_free(d.reached);
	base_free(d.terms);
	base_free(d.steps);
	return rc;
}
