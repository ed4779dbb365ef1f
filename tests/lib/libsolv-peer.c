/* SPDX-License-Identifier: MIT */
#include "libsolv-peer.h"

#include <stdio.h>
#include <stdlib.h>

#include <solv/pool.h>
#include <solv/queue.h>
#include <solv/repo.h>
#include <solv/solver.h>

struct peer {
	Pool *pool;
	Repo *repo;
	Queue jobs;
	uint32_t packages;
	Id *first; /* solvable of rank 1 of each package */
	uint32_t *versions;
};

peer *peer_new(void)
{
	peer *p = calloc(1, sizeof(*p));

	if (p == NULL)
		abort();
	p->pool = pool_create();
	p->repo = repo_create(p->pool, "registry");
	queue_init(&p->jobs);
	return p;
}

void peer_free(peer *p)
{
	queue_free(&p->jobs);
	pool_free(p->pool);
	free(p->first);
	free(p->versions);
	free(p);
}

static Id id_of(peer *p, char kind, uint32_t number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%c%u", kind, number);
	return pool_str2id(p->pool, text, 1);
}

static Id version_of(peer *p, uint32_t rank)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", rank);
	return pool_str2id(p->pool, text, 1);
}

static Id add_version(peer *p, Id name, uint32_t rank)
{
	Id id = repo_add_solvable(p->repo);
	Solvable *s = pool_id2solvable(p->pool, id);

	s->name = name;
	s->evr = version_of(p, rank);
	s->arch = ARCH_NOARCH;
	s->provides = repo_addid_dep(
		p->repo, s->provides, pool_rel2id(p->pool, s->name, s->evr, REL_EQ, 1), 0);
	return id;
}

uint32_t peer_package(peer *p, uint32_t versions)
{
	uint32_t number = p->packages++;

	p->first = realloc(p->first, p->packages * sizeof(*p->first));
	p->versions = realloc(p->versions, p->packages * sizeof(*p->versions));
	if (p->first == NULL || p->versions == NULL)
		abort();
	p->versions[number] = versions;
	for (uint32_t rank = 1; rank <= versions; rank++) {
		Id id = add_version(p, id_of(p, 'p', number), rank);

		if (rank == 1)
			p->first[number] = id;
	}
	return number;
}

static Solvable *solvable(peer *p, uint32_t package, uint32_t rank)
{
	return pool_id2solvable(p->pool, p->first[package] + (Id)rank - 1);
}

static Id range_of(peer *p, uint32_t package, uint32_t from, uint32_t to)
{
	Id name = id_of(p, 'p', package);
	Id low = pool_rel2id(p->pool, name, version_of(p, from), REL_EQ | REL_GT, 1);
	Id high = pool_rel2id(p->pool, name, version_of(p, to), REL_EQ | REL_LT, 1);

	if (from == to)
		return pool_rel2id(p->pool, name, version_of(p, from), REL_EQ, 1);
	if (to >= p->versions[package])
		return from <= 1 ? name : low;
	return from <= 1 ? high : pool_rel2id(p->pool, low, high, REL_AND, 1);
}

static void require(peer *p, uint32_t package, uint32_t rank, Id what)
{
	Solvable *s = solvable(p, package, rank);

	s->requires = repo_addid_dep(p->repo, s->requires, what, 0);
}

void peer_requires(peer *p, uint32_t package, uint32_t rank, uint32_t label)
{
	require(p, package, rank, id_of(p, 'l', label));
}

void peer_requires_range(
	peer *p, uint32_t package, uint32_t rank, uint32_t target, uint32_t from, uint32_t to)
{
	require(p, package, rank, range_of(p, target, from, to));
}

void peer_conflicts(peer *p, uint32_t package, uint32_t rank, uint32_t label)
{
	Solvable *s = solvable(p, package, rank);

	s->conflicts = repo_addid_dep(p->repo, s->conflicts, id_of(p, 'l', label), 0);
}

void peer_label(peer *p, uint32_t package, uint32_t rank, uint32_t label)
{
	Solvable *s = solvable(p, package, rank);

	s->provides = repo_addid_dep(p->repo, s->provides, id_of(p, 'l', label), 0);
}

static void install(peer *p, Id what)
{
	queue_push2(&p->jobs, SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES, what);
}

void peer_install(peer *p, uint32_t label)
{
	install(p, id_of(p, 'l', label));
}

void peer_install_range(peer *p, uint32_t package, uint32_t from, uint32_t to)
{
	install(p, range_of(p, package, from, to));
}

void peer_build(peer *p)
{
	pool_addfileprovides(p->pool);
	pool_createwhatprovides(p->pool);
}

bool peer_solve(peer *p, uint32_t *chosen)
{
	Solver *solver = solver_create(p->pool);
	bool fits = solver_solve(solver, &p->jobs) == 0;

	for (uint32_t i = 0; fits && i < p->packages; i++) {
		chosen[i] = 0;
		for (uint32_t rank = 1; rank <= p->versions[i]; rank++)
			if (solver_get_decisionlevel(solver, p->first[i] + (Id)rank - 1) > 0)
				chosen[i] = rank;
	}
	solver_free(solver);
	return fits;
}
