/* SPDX-License-Identifier: MIT
 *
 * The order in which components are merged: who gives a contract before who needs it, else by rank,
 * then name. Components that need each other in a circle are ordered among themselves by rank and
 * name.
 */
#include "compose/lock-private.h"

typedef struct order {
	const compose_lock *lock;
	const compose_manifest **manifests;
	size_t words;     /* of a row */
	uint64_t *before; /* row i, bit j: component j comes before i, through whom ever */
	bool *placed;
} order;

static bool comes_before(const order *at, size_t first, size_t second)
{
	return at->before[second * at->words + first / 64] >> (first % 64) & 1;
}

/* Warshall's closure (1962), a row at a time. */
static void close_over(order *at)
{
	size_t count = at->lock->count;

	for (size_t k = 0; k < count; k++)
		for (size_t i = 0; i < count; i++) {
			if (!comes_before(at, k, i))
				continue;
			for (size_t w = 0; w < at->words; w++)
				at->before[i * at->words + w] |= at->before[k * at->words + w];
		}
}

static void add_bindings(order *at)
{
	for (size_t i = 0; i < at->lock->binding_count; i++) {
		const compose_binding *binding = &at->lock->bindings[i];
		const compose_locked *from = compose_lock_find(at->lock, binding->provider);
		const compose_locked *to = compose_lock_find(at->lock, binding->needed_by);

		if (from == NULL || to == NULL)
			continue; /* the blueprint itself needs it */
		size_t first = (size_t)(from - at->lock->components);
		size_t second = (size_t)(to - at->lock->components);
		at->before[second * at->words + first / 64] |= UINT64_C(1) << (first % 64);
	}
}

/* All that comes before it is placed, or comes after it too. */
static bool is_ready(const order *at, size_t index)
{
	for (size_t i = 0; i < at->lock->count; i++)
		if (!at->placed[i] && comes_before(at, i, index) && !comes_before(at, index, i))
			return false;
	return true;
}

/* Names are in order already, so the first of the lowest rank is the one. */
static size_t next_of(const order *at)
{
	size_t best = at->lock->count;

	for (size_t i = 0; i < at->lock->count; i++)
		if (!at->placed[i] &&
			(best == at->lock->count ||
				at->manifests[i]->kind < at->manifests[best]->kind) &&
			is_ready(at, i))
			best = i;
	return best;
}

int compose_merge_order(const compose_lock *lock, const compose_registry *registry,
	const compose_manifest **result, hn_error **err)
{
	size_t count = lock->count, words = (count + 63) / 64;
	BASE_AUTO_FREE const compose_manifest **manifests =
		base_calloc(count + 1, sizeof(*manifests));
	BASE_AUTO_FREE uint64_t *before = base_calloc(count * words + 1, sizeof(*before));
	BASE_AUTO_FREE bool *placed = base_calloc(count + 1, sizeof(*placed));
	order at = {lock, manifests, words, before, placed};
	int rc;

	if (manifests == NULL || before == NULL || placed == NULL)
		return base_nomem(err);
	rc = compose_lock_manifests(lock, registry, manifests, err);
	if (rc < 0)
		return rc;
	add_bindings(&at);
	close_over(&at);
	for (size_t i = 0; i < count; i++) {
		size_t next = next_of(&at);

		placed[next] = true;
		result[i] = manifests[next];
	}
	return 0;
}
