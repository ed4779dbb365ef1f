/* SPDX-License-Identifier: MIT
 *
 * Packages that are needed and not decided, in a heap: the one with the fewest versions left is
 * first, ties go by the caller's number.
 */
#include "compose/solver-private.h"

static bool before(const solver_waiting *a, const solver_waiting *b)
{
	if (a->left != b->left)
		return a->left < b->left;
	if (a->tie != b->tie)
		return a->tie < b->tie;
	return a->package < b->package;
}

static void put(solver_run_state *run, uint32_t place, const solver_waiting *waiting)
{
	run->queue[place] = *waiting;
	run->states[waiting->package].place = place;
}

static void up(solver_run_state *run, uint32_t place)
{
	solver_waiting moved = run->queue[place];

	while (place > 0 && before(&moved, &run->queue[(place - 1) / 2])) {
		put(run, place, &run->queue[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	put(run, place, &moved);
}

static void down(solver_run_state *run, uint32_t place)
{
	solver_waiting moved = run->queue[place];

	for (;;) {
		uint32_t child = 2 * place + 1;

		if (child >= run->queue_count)
			break;
		if (child + 1 < run->queue_count &&
			before(&run->queue[child + 1], &run->queue[child]))
			child++;
		if (!before(&run->queue[child], &moved))
			break;
		put(run, place, &run->queue[child]);
		place = child;
	}
	put(run, place, &moved);
}

static void take_out(solver_run_state *run, uint32_t package)
{
	uint32_t place = run->states[package].place;
	solver_waiting last = run->queue[--run->queue_count];

	run->states[package].place = SOLVER_NONE;
	if (last.package == package)
		return;
	put(run, place, &last);
	up(run, place);
	down(run, run->states[last.package].place);
}

void solver_queue_update(solver_run_state *run, uint32_t package)
{
	const solver_domain *domain = &run->domains[package];
	uint32_t left = solver_count(domain->words, domain->bits);
	solver_state *state = &run->states[package];

	if (left < 2 || !solver_needed(domain)) {
		if (state->place != SOLVER_NONE)
			take_out(run, package);
		return;
	}
	if (state->place == SOLVER_NONE) {
		solver_waiting added = {.left = left,
			.package = package,
			.tie = run->problem->packages[package].tie};

		put(run, run->queue_count++, &added);
	}
	run->queue[state->place].left = left;
	up(run, state->place);
	down(run, state->place);
}
