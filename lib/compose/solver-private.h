/* SPDX-License-Identifier: MIT
 *
 * What the files of the solver share: sets of ranks, facts, the trail of what was derived, and what
 * was learned from conflicts. Each package is a variable whose value is a rank, 0 = absent; an
 * incompatibility is a list of terms (package, set) that never all hold.
 */
#ifndef COMPOSE_SOLVER_PRIVATE_H
#define COMPOSE_SOLVER_PRIVATE_H

#include "compose/solver.h"

#define SOLVER_NONE UINT32_MAX

/* Up to 63 versions are one word, held in place; more are words elsewhere, never changed once they
 * are shared. */
typedef union solver_bits {
	uint64_t one;
	const uint64_t *many;
} solver_bits;

bool solver_many_within(uint32_t words, const uint64_t *a, const uint64_t *b);
/* a within "b or c" */
bool solver_many_covered(uint32_t words, const uint64_t *a, const uint64_t *b, const uint64_t *c);
bool solver_many_meets(uint32_t words, const uint64_t *a, const uint64_t *b);
uint32_t solver_many_count(uint32_t words, const uint64_t *a);
/* a \ b, a and b, a or b; `out` may be one of them. */
void solver_many_without(uint32_t words, const uint64_t *a, const uint64_t *b, uint64_t *out);
void solver_many_both(uint32_t words, const uint64_t *a, const uint64_t *b, uint64_t *out);
void solver_many_either(uint32_t words, const uint64_t *a, const uint64_t *b, uint64_t *out);
/* All of 0 .. versions. */
void solver_many_full(uint32_t versions, uint64_t *out);

static inline uint32_t solver_words(uint32_t versions)
{
	return versions / 64 + 1;
}

static inline bool solver_within(uint32_t words, solver_bits a, solver_bits b)
{
	if (__builtin_expect(words == 1, 1))
		return (a.one & ~b.one) == 0;
	return solver_many_within(words, a.many, b.many);
}

static inline bool solver_covered(uint32_t words, solver_bits a, solver_bits b, solver_bits c)
{
	if (__builtin_expect(words == 1, 1))
		return (a.one & ~(b.one | c.one)) == 0;
	return solver_many_covered(words, a.many, b.many, c.many);
}

static inline bool solver_meets(uint32_t words, solver_bits a, solver_bits b)
{
	if (__builtin_expect(words == 1, 1))
		return (a.one & b.one) != 0;
	return solver_many_meets(words, a.many, b.many);
}

static inline uint32_t solver_count(uint32_t words, solver_bits a)
{
	if (__builtin_expect(words == 1, 1))
		return (uint32_t)__builtin_popcountll(a.one);
	return solver_many_count(words, a.many);
}

static inline const uint64_t *solver_word(uint32_t words, const solver_bits *a)
{
	return words == 1 ? &a->one : a->many;
}

static inline bool solver_has(uint32_t words, solver_bits a, uint32_t rank)
{
	return (solver_word(words, &a)[rank / 64] >> (rank % 64) & 1) != 0;
}

/* --- the problem --- */

/* One or two terms; [1] is SOLVER_NONE where there is one. */
typedef struct solver_fact {
	uint32_t package[2];
	solver_bits set[2];
	uint32_t next[2]; /* the next use of package[i]: fact * 2 + side */
	uint32_t number;  /* the caller's */
	solver_origin origin;
} solver_fact;

typedef struct solver_package_row {
	uint32_t versions, words;
	solver_bits full;
	const uint32_t *order; /* NULL: from the highest down */
	uint64_t tie;
	uint32_t first, last; /* its uses, a list through the facts in the order they came in */
	uint32_t keep;        /* of order, before providers that are chosen already */
	bool providers;
} solver_package_row;

struct solver_problem {
	base_arena *arena;
	solver_package_row *packages;
	size_t package_count, package_capacity;
	solver_fact *facts;
	size_t fact_count, fact_capacity;
	uint32_t *roots; /* facts that make a package needed */
	size_t root_count, root_capacity;
};

/* --- a run --- */

typedef struct solver_inner_term {
	solver_bits set;
	uint32_t package;
} solver_inner_term;

/* What a conflict taught. Its terms are where the solver looks; the first two are watched. How it
 * was made is kept as the incompatibilities that were resolved, the steps between are made again
 * when somebody asks. */
typedef struct solver_learned {
	solver_inner_term *terms;
	uint32_t term_count;
	uint32_t link_count;
	struct solver_link {
		uint32_t cause;   /* an incompatibility: fact, or fact_count + index of learned */
		uint32_t package; /* that it was resolved by; SOLVER_NONE of the first */
	} * links;
} solver_learned;
typedef struct solver_link solver_link;

/* What a package can still be. */
typedef struct solver_domain {
	solver_bits bits;
	uint32_t words;
	uint32_t last; /* entry of the trail that made it so */
} solver_domain;

typedef struct solver_entry {
	solver_bits after;
	uint32_t package;
	uint32_t previous; /* entry of the same package */
	uint32_t level;    /* decisions before it and with it */
	uint32_t cause;    /* incompatibility; SOLVER_NONE of a decision */
} solver_entry;

/* A fact as one of its packages sees it. */
typedef struct solver_use {
	solver_bits own, others;
	uint32_t other; /* SOLVER_NONE: nothing else has to hold */
	uint32_t fact;
} solver_use;

typedef struct solver_watch {
	solver_bits set;
	uint32_t learned;
} solver_watch;

/* What is kept of a package beside its domain. */
typedef struct solver_state {
	solver_use *uses; /* NULL before the package changes for the first time */
	uint32_t use_count;
	uint32_t place;  /* in the queue; SOLVER_NONE */
	uint32_t synced; /* entry at which it was needed and looked at others; SOLVER_NONE */
	solver_watch *watches;
	size_t watch_count, watch_capacity;
	/* while a conflict is resolved */
	uint64_t *scratch; /* of many words */
	solver_bits term;
	uint32_t satisfier; /* entry from which on the term holds */
	bool active, listed;
	uint64_t conflicts;
} solver_state;

enum { SOLVER_BLOCK_WORDS = 8192 };
/* A package that is to be decided. */
typedef struct solver_waiting {
	uint64_t tie;
	uint32_t left; /* versions */
	uint32_t package;
} solver_waiting;

/* Words of sets on the trail: a stack in blocks that do not move. */
typedef struct solver_words_stack {
	uint64_t **blocks;
	size_t block_count, block_capacity;
	size_t top; /* block in use */
	size_t used;
} solver_words_stack;

typedef struct solver_run_state {
	solver_problem *problem;
	base_arena *arena;
	solver_domain *domains;
	solver_state *states;
	solver_entry *trail;
	size_t trail_count, trail_capacity;
	size_t head; /* entries before it are propagated */
	solver_words_stack words;
	uint32_t level;
	solver_waiting *queue; /* a heap */
	uint32_t queue_count;
	solver_learned *learned;
	size_t learned_count, learned_capacity;
	uint32_t *listed; /* packages of the terms that are being resolved */
	size_t listed_count;
	solver_link *links; /* of what is being resolved */
	size_t link_count, link_capacity;
	uint32_t open; /* active terms that hold since the level of the conflict */
	size_t watch_bytes;
	uint64_t looks;    /* at facts and at what was learned */
	uint32_t conflict; /* incompatibility that holds */
	solver_limits limits;
	solver_stats stats;
} solver_run_state;

/* Looks that a conflict may cost on the average, so that a budget of conflicts is one of time too;
 * and as many as so many conflicts for what has none. */
enum { SOLVER_LOOKS = 1000, SOLVER_FREE = 20000 };
/* Found while propagating: not an error. */
enum { SOLVER_CONFLICTED = 1 };

static inline bool solver_needed(const solver_domain *domain)
{
	return !solver_has(domain->words, domain->bits, 0);
}

/* solver-propagate.c */
/* The package is none of `set` from here on, because of `cause`: 0, HN_ENOMEM, or SOLVER_CONFLICTED
 * when nothing would be left. */
int solver_narrow(solver_run_state *run, uint32_t package, solver_bits set, uint32_t cause);
int solver_decide(solver_run_state *run, uint32_t package, uint32_t rank);
int solver_propagate(solver_run_state *run);
void solver_backtrack(solver_run_state *run, uint32_t level);
int solver_watch_learned(solver_run_state *run, uint32_t learned);
void solver_words_free(solver_words_stack *stack);
/* What the package could be before this entry. */
solver_bits solver_before(const solver_run_state *run, const solver_entry *entry);

/* solver-queue.c */
/* The domain of this package changed. */
void solver_queue_update(solver_run_state *run, uint32_t package);

/* solver-resolve.c */
/* From run->conflict: backtracks and derives what follows. 0, HN_ENOMEM, or HN_ENOSOLUTION when
 * nothing is left to resolve: the last of what was learned is the contradiction. */
int solver_resolve(solver_run_state *run);

/* solver-steps.c */
int solver_derive(solver_run_state *run, solver_result *result);

/* solver.c */
uint64_t solver_bytes(const solver_run_state *run);

#endif
