/* SPDX-License-Identifier: MIT
 *
 * Choosing versions: seeded registries in layers, ours and libsolv in the same process, CPU time.
 * "From facts" is laying down what the registry says and solving it, as either has to before it
 * knows anything; "alone" is the search. Every solution of either is checked.
 */
#include "compose/solver.h"
#include "measure.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef HAVE_LIBSOLV
#include "libsolv-peer.h"
#endif

enum {
	VERSIONS = 20,
	NAMES = 2000,
	SLOTS = 5,
	ROOTS = 32,
	HARD_SECONDS = 10,
	ROUNDS = 1,
	SEED = 1
};

/* A version needs a rank from .. to of the package of each of its slots. */
typedef struct slot {
	uint32_t target, from[VERSIONS + 1], to[VERSIONS + 1];
} slot;
typedef struct registry {
	const char *name;
	uint32_t names, roots, root[ROOTS];
	uint32_t slots[NAMES];
	slot slot[NAMES][SLOTS];
	uint64_t seed;
	uint32_t chosen[NAMES];
} registry;

/* splitmix64 (Steele, Lea, Flood, 2014) */
static uint32_t below(registry *r, uint32_t bound)
{
	uint64_t z = r->seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) % bound);
}

typedef struct shape {
	uint32_t names, layer; /* names of a layer */
	uint32_t roots, slots; /* at most */
	uint32_t wide;         /* ranks of a range, at least and this many more at most */
	uint32_t runs;         /* neighbouring versions that ask for the same */
} shape;

static void fill_slot(registry *r, slot *s, const shape *how)
{
	uint32_t from = 1, to = VERSIONS;

	for (uint32_t rank = 1; rank <= VERSIONS; rank++) {
		if ((rank - 1) % how->runs == 0) {
			uint32_t width = how->wide + below(r, how->wide + 1);

			width = width > VERSIONS ? VERSIONS : width;
			from = 1 + below(r, VERSIONS - width + 1);
			to = from + width - 1;
		}
		s->from[rank] = from;
		s->to[rank] = to;
	}
}

/* Each package needs some of the next layer. */
static void fill(registry *r, const shape *how)
{
	r->names = how->names;
	r->roots = how->roots;
	for (uint32_t i = 0; i < r->roots; i++)
		r->root[i] = i * how->layer / r->roots;
	for (uint32_t i = 0; i < r->names; i++) {
		uint32_t next = (i / how->layer + 1) * how->layer;
		uint32_t wanted = next < r->names ? 1 + below(r, how->slots) : 0;

		r->slots[i] = 0;
		while (r->slots[i] < wanted) {
			slot *s = &r->slot[i][r->slots[i]];
			bool twice = false;

			s->target = next + below(r, how->layer);
			for (uint32_t j = 0; j < r->slots[i]; j++)
				twice = twice || r->slot[i][j].target == s->target;
			if (twice)
				continue;
			fill_slot(r, s, how);
			r->slots[i]++;
		}
	}
}

/* How many are picked; 0 when the solution breaks something. */
static uint32_t picked(const registry *r, const uint32_t *chosen)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < r->roots; i++)
		if (chosen[r->root[i]] == 0)
			return 0;
	for (uint32_t i = 0; i < r->names; i++) {
		count += chosen[i] != 0;
		for (uint32_t j = 0; chosen[i] != 0 && j < r->slots[i]; j++) {
			const slot *s = &r->slot[i][j];

			if (chosen[s->target] < s->from[chosen[i]] ||
				chosen[s->target] > s->to[chosen[i]])
				return 0;
		}
	}
	return count;
}

/* --- ours --- */

static solver_set ranks(solver_problem *problem, uint32_t package, uint32_t from, uint32_t to)
{
	solver_set set = solver_set_new(problem, package);

	for (uint32_t rank = from; set.word != NULL && rank <= to; rank++)
		solver_set_add(&set, rank);
	return set;
}

/* Neighbouring versions that ask for the same are one fact. */
static int lay_slot(solver_problem *problem, uint32_t package, const slot *s)
{
	int rc = 0;

	for (uint32_t first = 1, rank = 1; rc == 0 && rank <= VERSIONS; rank++) {
		solver_set from, to;

		if (rank < VERSIONS && s->from[rank + 1] == s->from[first] &&
			s->to[rank + 1] == s->to[first])
			continue;
		from = ranks(problem, package, first, rank);
		to = ranks(problem, s->target, s->from[first], s->to[first]);
		rc = solver_dependency(
			problem, package, &from, s->target, &to, SOLVER_DEPENDENCY, rank);
		first = rank + 1;
	}
	return rc;
}

static solver_problem *lay(const registry *r)
{
	solver_problem *problem = solver_problem_new();
	int rc = problem == NULL ? -1 : 0;

	for (uint32_t i = 0; rc >= 0 && i < r->names; i++)
		rc = solver_package(problem, VERSIONS, NULL, i);
	for (uint32_t i = 0; rc >= 0 && i < r->names; i++)
		for (uint32_t j = 0; rc >= 0 && j < r->slots[i]; j++)
			rc = lay_slot(problem, i, &r->slot[i][j]);
	for (uint32_t i = 0; rc >= 0 && i < r->roots; i++) {
		solver_set all = ranks(problem, r->root[i], 1, VERSIONS);

		rc = solver_root(problem, r->root[i], &all, i);
	}
	bench_check(rc >= 0, "out of memory");
	return problem;
}

static void take(registry *r, const solver_result *result, int rc)
{
	bench_check(rc == 0, "our solver finds nothing");
	memcpy(r->chosen, result->chosen, r->names * sizeof(*r->chosen));
}

static void whole(void *arg)
{
	registry *r = arg;
	solver_problem *problem = lay(r);
	solver_result result = {0};

	take(r, &result, solver_run(problem, NULL, &result, NULL));
	solver_problem_free(problem);
}

typedef struct laid {
	registry *registry;
	solver_problem *problem;
} laid;

static void alone(void *arg)
{
	laid *l = arg;
	solver_result result = {0};

	take(l->registry, &result, solver_run(l->problem, NULL, &result, NULL));
}

/* --- libsolv --- */

#ifdef HAVE_LIBSOLV
#define PEER "libsolv"

static uint32_t theirs[NAMES];

static peer *peer_lay(const registry *r)
{
	peer *p = peer_new();

	for (uint32_t i = 0; i < r->names; i++)
		(void)peer_package(p, VERSIONS);
	for (uint32_t i = 0; i < r->names; i++)
		for (uint32_t rank = 1; rank <= VERSIONS; rank++)
			for (uint32_t j = 0; j < r->slots[i]; j++) {
				const slot *s = &r->slot[i][j];

				peer_requires_range(
					p, i, rank, s->target, s->from[rank], s->to[rank]);
			}
	for (uint32_t i = 0; i < r->roots; i++)
		peer_install_range(p, r->root[i], 1, VERSIONS);
	peer_build(p);
	return p;
}

static void peer_whole(void *arg)
{
	peer *p = peer_lay(arg);

	bench_check(peer_solve(p, theirs), "libsolv finds nothing");
	peer_free(p);
}

static void peer_alone(void *arg)
{
	bench_check(peer_solve(arg, theirs), "libsolv finds nothing");
}

static void measure_pair(registry *r, const char *target, const char *whole_target)
{
	laid l = {.registry = r, .problem = lay(r)};
	peer *p = peer_lay(r);
	double ours, its;
	char name[128];

	bench_pair(alone, &l, peer_alone, p, ROUNDS, &ours, &its);
	bench_check(picked(r, r->chosen) > 0, "our solution breaks a dependency");
	bench_check(picked(r, theirs) > 0, "libsolv's solution breaks a dependency");
	(void)snprintf(name, sizeof(name), "%s, %u picked", r->name, picked(r, r->chosen));
	bench_put(name, ours / 1e3, "ms CPU", target, PEER, its / 1e3);
	bench_pair(whole, r, peer_whole, r, ROUNDS, &ours, &its);
	(void)snprintf(name, sizeof(name), "%s, from facts", r->name);
	bench_put(name, ours / 1e3, "ms CPU", whole_target, PEER, its / 1e3);
	peer_free(p);
	solver_problem_free(l.problem);
}

/* Seconds of CPU of a child, which is ended after HARD_SECONDS; false when it was. */
static bool peer_hard(peer *p, double *seconds)
{
	struct rlimit limit = {HARD_SECONDS, HARD_SECONDS + 1};
	struct rusage used;
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		(void)setrlimit(RLIMIT_CPU, &limit);
		_exit(peer_solve(p, theirs) ? 0 : 1);
	}
	bench_check(child > 0 && wait4(child, &status, 0, &used) == child, "no child");
	*seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		   (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	return WIFEXITED(status);
}

static void measure_hard_peer(registry *r, const char *said, double ours)
{
	peer *p = peer_lay(r);
	double its;
	char name[128];
	bool ended = peer_hard(p, &its);

	(void)snprintf(name, sizeof(name), "%s: %s", r->name, said);
	bench_put(name, ours, "s CPU", "<=2",
		ended ? PEER : PEER ", which did not end in that time", its);
	peer_free(p);
}
#else
static void measure_pair(registry *r, const char *target, const char *whole_target)
{
	laid l = {.registry = r, .problem = lay(r)};
	double ours = bench_time(alone, &l, ROUNDS);
	char name[128];

	(void)target;
	bench_check(picked(r, r->chosen) > 0, "our solution breaks a dependency");
	(void)snprintf(name, sizeof(name), "%s, %u picked", r->name, picked(r, r->chosen));
	bench_put(name, ours / 1e3, "ms CPU", "-", "", 0);
	(void)snprintf(name, sizeof(name), "%s, from facts", r->name);
	bench_put(name, bench_time(whole, r, ROUNDS) / 1e3, "ms CPU",
		strchr(whole_target, 'x') != NULL ? "-" : whole_target, "", 0);
	printf("SKIP\t%s against libsolv\tlibsolv is not installed (Debian: libsolv-dev)\n",
		r->name);
	solver_problem_free(l.problem);
}

static void measure_hard_peer(registry *r, const char *said, double ours)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "%s: %s", r->name, said);
	bench_put(name, ours, "s CPU", "<=2", "", 0);
}
#endif

/* Narrow ranges: an answer, or the word that there is none within the budget. */
static void measure_hard(registry *r, const shape *how)
{
	solver_problem *problem;
	solver_result result = {0};
	double began;
	int rc;

	fill(r, how);
	began = bench_cpu_us();
	problem = lay(r);
	rc = solver_run(problem, NULL, &result, NULL);
	began = bench_cpu_us() - began;
	bench_check(rc == 0 || rc == HN_EBUDGET || rc == HN_ENOSOLUTION, "no answer");
	bench_check(rc != 0 || picked(r, result.chosen) > 0, "our solution breaks a dependency");
	measure_hard_peer(r,
		rc == 0            ? "fits"
		: rc == HN_EBUDGET ? "HN_EBUDGET"
				   : "nothing fits",
		began / 1e6);
	solver_problem_free(problem);
}

int main(int argc, char **argv)
{
	static registry r;
	static const struct {
		const char *name, *alone, *whole;
		shape how;
	} rows[] = {
		{"2,000 x 20", "<=0.05x", "<=5", {2000, 200, 8, 2, 12, 4}},
		{"600 x 20", "<=0.05x", "<=0.05x", {600, 60, 20, 2, 10, 4}},
		{"12 components in 1,000 x 20", "<=0.05x", "<=5", {1000, 200, 12, 2, 10, 4}},
	};
	static const struct {
		const char *name;
		shape how;
	} hard[] = {
		{"hard: 1,000 x 20, 8 roots, narrow ranges", {1000, 100, 8, 3, 5, 2}},
		{"harder: 2,000 x 20, each version its own", {2000, 100, 8, 3, 5, 1}},
	};

	bench_begin(argc, argv);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r = (registry){.name = rows[i].name, .seed = SEED};
		fill(&r, &rows[i].how);
		measure_pair(&r, rows[i].alone, rows[i].whole);
	}
	for (size_t i = 0; i < sizeof(hard) / sizeof(hard[0]); i++) {
		r = (registry){.name = hard[i].name, .seed = SEED};
		measure_hard(&r, &hard[i].how);
	}
	return 0;
}
