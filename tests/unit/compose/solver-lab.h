/* SPDX-License-Identifier: MIT
 *
 * Small instances of the solver that tests make: as data that can be laid down in any order,
 * checked, and tried by brute force. Sets are one word, bit 0 = absent.
 */
#ifndef SOLVER_LAB_H
#define SOLVER_LAB_H

#include "compose/solver.h"

enum { LAB_PACKAGES = 64, LAB_FACTS = 4096 };

typedef struct lab_fact {
	solver_origin origin;
	uint32_t package, other;
	uint64_t set, others; /* of a root: `others` is what is allowed of `package` */
} lab_fact;
typedef struct lab {
	uint32_t packages, versions[LAB_PACKAGES];
	uint32_t count;
	lab_fact facts[LAB_FACTS];
	uint64_t seed;
} lab;

/* splitmix64 (Steele, Lea, Flood, 2014) */
static inline uint32_t lab_below(lab *l, uint32_t bound)
{
	uint64_t z = l->seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) % bound);
}

static inline void lab_add(lab *l, solver_origin origin, uint32_t package, uint64_t set,
	uint32_t other, uint64_t others)
{
	if (l->count < LAB_FACTS)
		l->facts[l->count++] = (lab_fact){.origin = origin,
			.package = package,
			.other = other,
			.set = set,
			.others = others};
}

static inline uint64_t lab_versions(const lab *l, uint32_t package)
{
	return ((UINT64_C(1) << l->versions[package]) - 1) << 1;
}

/* A run of neighbouring versions; sometimes empty, seldom with holes. */
static inline uint64_t lab_range(lab *l, uint32_t package)
{
	uint32_t count = l->versions[package], from = 1 + lab_below(l, count),
		 to = from + lab_below(l, count - from + 1);
	uint64_t set = ((UINT64_C(1) << (to - from + 1)) - 1) << from;

	if (lab_below(l, 40) == 0)
		return 0;
	if (lab_below(l, 10) == 0)
		set &= ~(UINT64_C(1) << (1 + lab_below(l, count)));
	return set;
}

static inline void lab_random_fact(lab *l)
{
	uint32_t p = lab_below(l, l->packages), q = lab_below(l, l->packages);
	uint32_t kind = lab_below(l, 20);

	if (kind < 15)
		lab_add(l, SOLVER_DEPENDENCY, p, lab_range(l, p), q,
			lab_range(l, q) | (lab_below(l, 25) == 0));
	else if (kind < 17)
		lab_add(l, SOLVER_CONFLICT, p, lab_range(l, p), q, lab_range(l, q));
	else if (kind < 18)
		lab_add(l, SOLVER_UNAVAILABLE, p, lab_range(l, p), 0, 0);
	else
		lab_add(l, SOLVER_ROOT, p, 0, p, lab_range(l, p) | (lab_below(l, 5) == 0));
}

static inline void lab_random(lab *l, uint64_t seed, uint32_t packages, uint32_t versions)
{
	uint32_t facts;

	*l = (lab){.seed = seed};
	l->packages = 1 + lab_below(l, packages);
	for (uint32_t i = 0; i < l->packages; i++)
		l->versions[i] = 1 + lab_below(l, versions);
	lab_add(l, SOLVER_ROOT, 0, 0, 0, lab_versions(l, 0));
	facts = lab_below(l, l->packages * 6 + 1);
	for (uint32_t i = 0; i < facts; i++)
		lab_random_fact(l);
}

/* Layers of ten, where each version needs few versions of some of the next: many conflicts. */
static inline void lab_layers(lab *l, uint64_t seed, uint32_t versions, uint32_t width)
{
	*l = (lab){.seed = seed, .packages = 60};
	for (uint32_t i = 0; i < l->packages; i++) {
		l->versions[i] = versions;
		if (i < 4)
			lab_add(l, SOLVER_ROOT, i, 0, i, lab_versions(l, i));
	}
	for (uint32_t i = 0; i < l->packages - 10; i++)
		for (uint32_t slot = lab_below(l, 3); slot < 3; slot++) {
			uint32_t target = (i / 10 + 1) * 10 + lab_below(l, 10);

			for (uint32_t rank = 1; rank <= versions; rank++) {
				uint32_t from = 1 + lab_below(l, versions - width + 1);

				lab_add(l, SOLVER_DEPENDENCY, i, UINT64_C(1) << rank, target,
					((UINT64_C(1) << width) - 1) << from);
			}
		}
}

static inline solver_set lab_set(solver_problem *problem, uint32_t package, uint64_t bits)
{
	solver_set set = solver_set_new(problem, package);

	if (set.word != NULL)
		set.word[0] = bits;
	return set;
}

static inline int lab_lay_fact(const lab *l, solver_problem *problem, uint32_t index)
{
	const lab_fact *f = &l->facts[index];
	solver_set set = lab_set(problem, f->package, f->set),
		   others = lab_set(problem, f->other, f->others);

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

/* Facts in the order of `permutation`, or as they are; NULL when out of memory. */
static inline solver_problem *lab_lay(const lab *l, const uint32_t *permutation)
{
	solver_problem *problem = solver_problem_new();
	int rc = problem == NULL ? HN_ENOMEM : 0;

	for (uint32_t i = 0; rc >= 0 && i < l->packages; i++)
		rc = solver_package(problem, l->versions[i], NULL, i);
	for (uint32_t i = 0; rc >= 0 && i < l->count; i++)
		rc = lab_lay_fact(l, problem, permutation != NULL ? permutation[i] : i);
	if (rc >= 0)
		return problem;
	solver_problem_free(problem);
	return NULL;
}

/* Whether the chosen ranks keep all facts. */
static inline bool lab_holds(const lab *l, const uint32_t *chosen)
{
	for (uint32_t i = 0; i < l->count; i++) {
		const lab_fact *f = &l->facts[i];
		bool in = (f->set >> chosen[f->package] & 1) != 0 && chosen[f->package] != 0;
		bool other = (f->others >> chosen[f->other] & 1) != 0;

		if (f->origin == SOLVER_ROOT              ? !other
			: f->origin == SOLVER_UNAVAILABLE ? in
			: f->origin == SOLVER_CONFLICT    ? in && other && chosen[f->other] != 0
							  : in && !other)
			return false;
	}
	return true;
}

/* Whether all that is chosen is there because a root or another that is chosen asks for it. */
static inline bool lab_supported(const lab *l, const uint32_t *chosen)
{
	bool wanted[LAB_PACKAGES] = {false}, more = true;

	while (more) {
		more = false;
		for (uint32_t i = 0; i < l->count; i++) {
			const lab_fact *f = &l->facts[i];
			uint32_t p = f->origin == SOLVER_ROOT ? f->package : f->other;
			bool asks =
				f->origin == SOLVER_ROOT ||
				((f->origin == SOLVER_DEPENDENCY || f->origin == SOLVER_PROVIDER) &&
					wanted[f->package] && chosen[f->package] != 0 &&
					(f->set >> chosen[f->package] & 1) != 0);

			if (asks && (f->others & 1) == 0 && !wanted[p])
				wanted[p] = more = true;
		}
	}
	for (uint32_t i = 0; i < l->packages; i++)
		if (chosen[i] != 0 && !wanted[i])
			return false;
	return true;
}

/* Tries all there is. */
static inline bool lab_brute_force(const lab *l, uint32_t *chosen)
{
	memset(chosen, 0, l->packages * sizeof(*chosen));
	for (;;) {
		uint32_t i = 0;

		if (lab_holds(l, chosen))
			return true;
		while (i < l->packages && chosen[i] == l->versions[i])
			chosen[i++] = 0;
		if (i == l->packages)
			return false;
		chosen[i]++;
	}
}

/* --- derivations --- */

static inline uint64_t lab_term(const lab *l, const solver_step *step, uint32_t package)
{
	for (size_t i = 0; i < step->term_count; i++)
		if (step->terms[i].package == package)
			return step->terms[i].set.word[0];
	return lab_versions(l, package) | 1; /* says nothing of it */
}

/* Whether whoever keeps both causes keeps this step: a package exists by which they are joined. */
static inline bool lab_implied(const lab *l, const solver_step *steps, const solver_step *step)
{
	const solver_step *a = &steps[step->cause[0]], *b = &steps[step->cause[1]];
	uint32_t joined = 0;

	for (uint32_t p = 0; p < l->packages; p++) {
		uint64_t set = lab_term(l, step, p), x = lab_term(l, a, p), y = lab_term(l, b, p);

		if ((set & ~(x & y)) == 0)
			continue;
		if ((set & ~(x | y)) != 0)
			return false;
		joined++;
	}
	return joined <= 1;
}

/* Whether a step that has no causes is what the instance says: no value of its packages breaks the
 * fact and not the step, or the reverse. */
static inline bool lab_is_fact(const lab *l, const solver_step *step)
{
	const lab_fact *f = &l->facts[step->fact];
	uint64_t full = lab_versions(l, f->package) | 1, versions = lab_versions(l, f->package);
	uint64_t other_versions = lab_versions(l, f->other), set, others;

	if (step->origin != f->origin)
		return false;
	set = f->origin == SOLVER_ROOT ? full & ~f->others : f->set & versions;
	if (f->origin == SOLVER_ROOT || f->origin == SOLVER_UNAVAILABLE)
		return step->term_count == 1 && lab_term(l, step, f->package) == set;
	others = f->origin == SOLVER_CONFLICT ? f->others & other_versions
					      : (other_versions | 1) & ~f->others;
	if (f->package == f->other)
		return step->term_count == 1 && lab_term(l, step, f->package) == (set & others);
	return step->term_count == 2 && lab_term(l, step, f->package) == set &&
	       lab_term(l, step, f->other) == others;
}

/* Whether the derivation proves that nothing fits; what is wrong else. */
static inline const char *lab_wrong_derivation(const lab *l, const solver_result *result)
{
	const solver_step *last;

	if (result->step_count == 0)
		return "no steps";
	last = &result->steps[result->step_count - 1];
	for (size_t i = 0; i < result->step_count; i++) {
		const solver_step *step = &result->steps[i];

		if (step->cause[0] == UINT32_MAX || step->cause[1] == UINT32_MAX) {
			if (step->cause[0] != step->cause[1] || !lab_is_fact(l, step))
				return "a fact that nobody gave";
			continue;
		}
		if (step->cause[0] >= i || step->cause[1] >= i)
			return "a cause after what it caused";
		if (!lab_implied(l, result->steps, step))
			return "a step that does not follow";
	}
	for (size_t i = 0; i < last->term_count; i++)
		if (lab_term(l, last, last->terms[i].package) !=
			(lab_versions(l, last->terms[i].package) | 1))
			return "the last is no contradiction";
	return NULL;
}

#endif
