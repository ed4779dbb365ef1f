/* SPDX-License-Identifier: MIT
 *
 * The solver against libsolv on random instances, whose versions are their ranks: whether anything
 * fits must agree, each solution of either is checked, each "nothing fits" of ours is proved by its
 * derivation. A third are small enough for brute force, which must agree with both. Options:
 * --count N, --seed N; HYPERNIX_LONG=1 does 2,000 more.
 */
#include "libsolv-peer.h"
#include "solver-lab.h"

#include <stdio.h>
#include <stdlib.h>

static int bad(const lab *l, const char *what)
{
	printf("FAIL seed %llu: %s\n", (unsigned long long)l->seed, what);
	return -1;
}

static bool in(uint64_t set, uint32_t rank)
{
	return (set >> rank & 1) != 0;
}

/* What must hold of another package, or never: laid on those ranks under the fact's number. */
static void label(peer *p, const lab *l, uint32_t package, uint64_t set, uint32_t number)
{
	for (uint32_t rank = 1; rank <= l->versions[package]; rank++)
		if (in(set, rank))
			peer_label(p, package, rank, number);
}

/* These versions cannot be: they need a label that nobody has. */
static void forbid(peer *p, const lab *l, uint32_t package, uint64_t set)
{
	for (uint32_t rank = 1; rank <= l->versions[package]; rank++)
		if (in(set, rank))
			peer_requires(p, package, rank, LAB_FACTS);
}

static void tell_two(peer *p, const lab *l, const lab_fact *f, uint32_t number)
{
	bool conflict = f->origin == SOLVER_CONFLICT;
	/* Needed, or absent: then the others are never met. */
	bool never = conflict || (f->others & 1) != 0;
	uint64_t others = conflict || !never ? f->others : ~f->others;

	if (f->package == f->other) {
		forbid(p, l, f->package, conflict ? f->set & f->others : f->set & ~f->others);
		return;
	}
	label(p, l, f->other, others, number);
	for (uint32_t rank = 1; rank <= l->versions[f->package]; rank++) {
		if (!in(f->set, rank))
			continue;
		if (never)
			peer_conflicts(p, f->package, rank, number);
		else
			peer_requires(p, f->package, rank, number);
	}
}

static void tell(peer *p, const lab *l, uint32_t number)
{
	const lab_fact *f = &l->facts[number];

	switch (f->origin) {
	case SOLVER_ROOT:
		if ((f->others & 1) != 0) {
			forbid(p, l, f->package, ~f->others);
			break;
		}
		label(p, l, f->package, f->others, number);
		peer_install(p, number);
		break;
	case SOLVER_UNAVAILABLE:
		forbid(p, l, f->package, f->set);
		break;
	default:
		tell_two(p, l, f, number);
		break;
	}
}

static bool ask_peer(const lab *l, uint32_t *chosen)
{
	peer *p = peer_new();
	bool fits;

	for (uint32_t i = 0; i < l->packages; i++)
		(void)peer_package(p, l->versions[i]);
	for (uint32_t i = 0; i < l->count; i++)
		tell(p, l, i);
	peer_build(p);
	fits = peer_solve(p, chosen);
	peer_free(p);
	return fits;
}

/* Of so many names all choices are tried. */
enum { SMALL_NAMES = 6, SMALL_VERSIONS = 4 };

/* 1 fits, 0 does not, negative when something is wrong. */
static int compare(const lab *l)
{
	BASE_AUTO_OF(solver_problem) solver_problem *problem = lab_lay(l, NULL);
	uint32_t theirs[LAB_PACKAGES], any[LAB_PACKAGES];
	solver_result result = {0};
	int rc = problem == NULL ? HN_ENOMEM : solver_run(problem, NULL, &result, NULL);
	bool fits = ask_peer(l, theirs);

	if (rc != 0 && rc != HN_ENOSOLUTION)
		return bad(l, "no answer");
	if (fits != (rc == 0))
		return bad(l, fits ? "fits libsolv, not us" : "fits us, not libsolv");
	if (l->packages <= SMALL_NAMES && lab_brute_force(l, any) != fits)
		return bad(l, fits ? "brute force finds nothing that fits"
				   : "brute force finds what fits");
	if (fits && !lab_holds(l, theirs))
		return bad(l, "libsolv's solution breaks a fact: it was told something else");
	if (fits && (!lab_holds(l, result.chosen) || !lab_supported(l, result.chosen)))
		return bad(l, "our solution breaks a fact, or has what nobody asks for");
	if (!fits && lab_wrong_derivation(l, &result) != NULL)
		return bad(l, lab_wrong_derivation(l, &result));
	return fits;
}

/* Layers; a few names, some, or many. */
static void make(lab *l, unsigned long long number)
{
	uint64_t seed = number << 20;

	if (number % 50 == 0)
		lab_layers(l, seed, 12, 3 + (uint32_t)(number / 50 % 3));
	else if (number % 3 == 0)
		lab_random(l, seed, SMALL_NAMES, SMALL_VERSIONS);
	else if (number % 3 == 1)
		lab_random(l, seed, 8, 6);
	else
		lab_random(l, seed, 40, 12);
	l->seed = number;
}

int main(int argc, char **argv)
{
	static lab l;
	const char *asked = getenv("HYPERNIX_LONG");
	unsigned long long count = asked != NULL && strcmp(asked, "1") == 0 ? 8000 : 6000,
			   first = 1, fitting = 0, small = 0, small_fitting = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--count") == 0 && i + 1 < argc)
			count = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			first = strtoull(argv[++i], NULL, 10);
		else
			return 64;
	}
	for (unsigned long long i = first; i < first + count; i++) {
		int rc;

		make(&l, i);
		rc = compare(&l);
		if (rc < 0)
			return 1;
		fitting += (unsigned)rc;
		small += l.packages <= SMALL_NAMES;
		small_fitting += l.packages <= SMALL_NAMES ? (unsigned)rc : 0;
	}
	printf("%llu instances agree with libsolv: %llu fit, %llu do not\n", count, fitting,
		count - fitting);
	printf("%llu of them agree with brute force: %llu fit, %llu do not\nchecks: %llu\n", small,
		small_fitting, small - small_fitting, count);
	/* all of one kind would show little */
	return count >= 1000 && (fitting < count / 10 || count - fitting < count / 10 ||
					small_fitting == small)
		       ? 1
		       : 0;
}
