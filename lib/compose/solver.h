/* SPDX-License-Identifier: MIT
 *
 * Version solving by PubGrub (Natalie Weizenbaum, 2018) over packages and ranks: it knows nothing
 * of manifests. What a problem is made of comes from problem.c; what it proves is told by
 * derivation.c.
 */
#ifndef COMPOSE_SOLVER_H
#define COMPOSE_SOLVER_H

#include "base/base-private.h"

/* A set of ranks of one package: bit 0 = absent, bit r = the version of rank r (1 .. versions). */
typedef struct solver_set {
	uint32_t words;
	uint64_t *word; /* in the problem's arena; `words` as the package needs */
} solver_set;

typedef enum solver_origin {
	SOLVER_ROOT,        /* the blueprint asks for it */
	SOLVER_DEPENDENCY,  /* versions `from` of `package` need `to` of `target` */
	SOLVER_UNAVAILABLE, /* these versions cannot be used, for one reason */
	SOLVER_CONFLICT,    /* these versions of two packages never meet */
	SOLVER_PROVIDER /* a (provider, version) pair of a contract needs that provider version */
} solver_origin;

typedef struct solver_problem solver_problem;
solver_problem *solver_problem_new(void); /* NULL when out of memory */
void solver_problem_free(solver_problem *problem);
BASE_AUTO(solver_problem, solver_problem_free)
uint64_t solver_problem_bytes(const solver_problem *problem); /* that its facts take */
/* More than REGISTRY_VERSIONS: a contract has one for each (provider, version) pair. */
enum { SOLVER_VERSIONS = 1 << 18 };
/* A package with versions ranked 1 .. count (SOLVER_VERSIONS at most); its number, or HN_ENOMEM.
 * `order` (may be NULL) lists all ranks in the order in which to try them; copied. Else from the
 * highest down. `tie` decides between packages that have as few versions left: lower first. */
int solver_package(solver_problem *problem, uint32_t count, const uint32_t *order, uint64_t tie);
/* Of a contract: after the first `keep` ranks of its order (those that are locked), ranks whose
 * provider is needed anyway are tried before the others. The providers are what its facts of
 * SOLVER_PROVIDER name. */
void solver_prefer_chosen(solver_problem *problem, uint32_t package, uint32_t keep);
/* An empty set for this package; failed allocation leaves word NULL. */
solver_set solver_set_new(solver_problem *problem, uint32_t package);
static inline void solver_set_add(solver_set *set, uint32_t rank)
{
	set->word[rank / 64] |= UINT64_C(1) << (rank % 64);
}
/* Facts. `fact` is the caller's number, given back by the derivation. Sets are copied. `from`,
 * `versions` and `others` are about versions: bit 0 of them is not looked at; in `allowed` and `to`
 * it means that the package may be absent too. An empty `to` or `allowed` is right: nothing would
 * do. A fact that forbids nothing is left out. 0 or HN_ENOMEM. */
int solver_root(
	solver_problem *problem, uint32_t package, const solver_set *allowed, uint32_t fact);
int solver_dependency(solver_problem *problem, uint32_t package, const solver_set *from,
	uint32_t target, const solver_set *to, solver_origin origin, uint32_t fact);
int solver_unavailable(
	solver_problem *problem, uint32_t package, const solver_set *versions, uint32_t fact);
int solver_conflict(solver_problem *problem, uint32_t package, const solver_set *versions,
	uint32_t other, const solver_set *others, uint32_t fact);

typedef struct solver_limits {
	/* 0: 200,000. A budget of work too, a thousand looks at facts for each: with large
	 * registries that ends sooner. It is counted, never timed. */
	uint64_t conflicts;
	uint64_t memory;   /* bytes; 0: 256 MiB */
	hn_cancel *cancel; /* borrowed; may be NULL */
} solver_limits;
typedef struct solver_stats {
	uint64_t conflicts, decisions, propagations;
	uint32_t hardest[3]; /* packages with the most conflicts, UINT32_MAX for none */
} solver_stats;
/* One incompatibility of a derivation: terms that cannot all hold. */
typedef struct solver_term {
	uint32_t package;
	solver_set set; /* the term holds when the chosen rank (0 = absent) is in it */
} solver_term;
typedef struct solver_step {
	const solver_term *terms;
	size_t term_count;
	uint32_t cause[2]; /* steps that it was made from; UINT32_MAX, UINT32_MAX for a fact */
	uint32_t fact;     /* of a fact */
	solver_origin origin;
} solver_step;
typedef struct solver_result {
	uint32_t *chosen; /* a rank for each package, 0 = absent; when it fits */
	/* When nothing fits: in an order where causes come first; the last is the contradiction:
	 * it has no terms, or is a fact whose only term always holds. None when the derivation is
	 * too large for the limit of memory. A step that is made of two is what always follows when
	 * both terms of one package are joined, those of any other intersected. */
	const solver_step *steps;
	size_t step_count;
	solver_stats stats;
} solver_result;
/* 0: fits; HN_ENOSOLUTION; HN_EBUDGET, of conflicts or of memory; HN_ECANCELLED; HN_ENOMEM. The
 * result lives as long as the problem. `err` is not set for HN_ENOSOLUTION and HN_EBUDGET: the
 * caller words them, and finds result->stats filled. Can be run again, with more facts too. */
int solver_run(solver_problem *problem, const solver_limits *limits, solver_result *result,
	hn_error **err);

#endif
