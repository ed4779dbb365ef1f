/* SPDX-License-Identifier: MIT
 *
 * Random instances: against brute force, in other orders, twice.
 */
#include "solver-lab.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 6000, LARGER_ROUNDS = 1500, LAYERED_ROUNDS = 120 };

static uint64_t first_seed(void)
{
	const char *given = getenv("HYPERNIX_SEED");
	uint64_t seed = given == NULL ? 7 : strtoull(given, NULL, 0);

	fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	return seed << 32;
}

/* Solves; what it says is checked as far as it can be without another's answer. */
static bool fits(const lab *l, const uint32_t *permutation, uint64_t seed, uint32_t *chosen)
{
	BASE_AUTO_OF(solver_problem) solver_problem *problem = lab_lay(l, permutation);
	solver_result result = {0};
	hn_error *err = NULL;
	int rc = solver_run(problem, NULL, &result, &err);
	const char *wrong;

	cr_assert_null(err);
	cr_assert(
		rc == 0 || rc == HN_ENOSOLUTION, "instance %llx: %d", (unsigned long long)seed, rc);
	if (rc == 0) {
		memcpy(chosen, result.chosen, l->packages * sizeof(*chosen));
		cr_assert(lab_holds(l, chosen), "instance %llx: the solution breaks a fact",
			(unsigned long long)seed);
		cr_assert(lab_supported(l, chosen),
			"instance %llx: the solution has what nobody asks for",
			(unsigned long long)seed);
		return true;
	}
	wrong = lab_wrong_derivation(l, &result);
	cr_assert_null(wrong, "instance %llx: %s", (unsigned long long)seed, wrong);
	return false;
}

Test(solver_random, agrees_with_brute_force)
{
	lab *l = base_alloc(sizeof(*l));
	uint32_t chosen[LAB_PACKAGES], other[LAB_PACKAGES];
	uint64_t seed = first_seed();
	int fitting = 0;

	for (int round = 0; round < ROUNDS; round++) {
		bool brute, ours;

		lab_random(l, seed + (uint64_t)round, 6, 4);
		brute = lab_brute_force(l, other);
		ours = fits(l, NULL, l->seed, chosen);
		cr_assert_eq(ours, brute, "instance %llx + %d: brute force says %d",
			(unsigned long long)seed, round, brute);
		fitting += ours;
	}
	fprintf(stderr, "%d of %d fit\n", fitting, ROUNDS);
	cr_assert(fitting > ROUNDS / 5 && fitting < ROUNDS * 4 / 5);
	base_free(l);
}

static void permute(lab *l, uint32_t *permutation)
{
	for (uint32_t i = 0; i < l->count; i++)
		permutation[i] = i;
	for (uint32_t i = l->count; i > 1; i--) {
		uint32_t j = lab_below(l, i), moved = permutation[i - 1];

		permutation[i - 1] = permutation[j];
		permutation[j] = moved;
	}
}

/* Larger ones, which brute force does not reach: the derivation itself is the proof. */
Test(solver_random, answers_the_same_in_any_order_of_facts)
{
	lab *l = base_alloc(sizeof(*l));
	uint32_t *permutation = base_alloc(LAB_FACTS * sizeof(*permutation));
	uint32_t chosen[LAB_PACKAGES], again[LAB_PACKAGES];
	uint64_t seed = first_seed();
	int fitting = 0;

	for (int round = 0; round < LARGER_ROUNDS; round++) {
		bool ours;

		lab_random(l, seed + (uint64_t)round, 40, 12);
		ours = fits(l, NULL, l->seed, chosen);
		for (int i = 0; i < 2; i++) {
			permute(l, permutation);
			cr_assert_eq(fits(l, permutation, l->seed, again), ours);
		}
		fitting += ours;
	}
	fprintf(stderr, "%d of %d fit\n", fitting, LARGER_ROUNDS);
	base_free(permutation);
	base_free(l);
}

/* Conflicts by the hundred, so that what was learned is learned from again. */
Test(solver_random, proves_or_fits_layers_of_narrow_ranges)
{
	lab *l = base_alloc(sizeof(*l));
	uint32_t chosen[LAB_PACKAGES];
	uint64_t seed = first_seed();
	int fitting = 0;

	for (int round = 0; round < LAYERED_ROUNDS; round++) {
		lab_layers(l, seed + (uint64_t)round, 20, 3 + (uint32_t)round % 4);
		fitting += fits(l, NULL, l->seed, chosen);
	}
	fprintf(stderr, "%d of %d fit\n", fitting, LAYERED_ROUNDS);
	cr_assert(fitting > 0 && fitting < LAYERED_ROUNDS);
	base_free(l);
}
