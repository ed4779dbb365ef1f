/* SPDX-License-Identifier: MIT
 *
 * The shared memory of SQLite's write-ahead log, on the heap: what the "unix" VFS does with a
 * mapped file, for stores on a simulated os. It dies with the last store that has it, as a crash
 * would have it.
 */
#include "state/state-private.h"

#include <pthread.h>
#include <sqlite3.h>

typedef struct shm_node {
	struct shm_node *next;
	hn_os *os;
	char *path;
	int users;
	void **regions;
	size_t region_count, region_capacity;
	int shared[SQLITE_SHM_NLOCK]; /* holders */
	bool exclusive[SQLITE_SHM_NLOCK];
} shm_node;

struct state_shm {
	shm_node *node;
	uint16_t shared, exclusive; /* what this file holds, a bit a lock */
};

static pthread_mutex_t nodes_mutex = PTHREAD_MUTEX_INITIALIZER;
static shm_node *nodes;

static void node_free(shm_node *node)
{
	for (size_t i = 0; i < node->region_count; i++)
		base_free(node->regions[i]);
	base_free(node->regions);
	base_free(node->path);
	base_free(node);
}

static shm_node *node_get(hn_os *os, const char *path)
{
	for (shm_node *node = nodes; node != NULL; node = node->next) {
		if (node->os == os && strcmp(node->path, path) == 0)
			return node;
	}
	shm_node *made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return NULL;
	made->os = os;
	made->path = base_strdup(path);
	if (made->path == NULL) {
		node_free(made);
		return NULL;
	}
	made->next = nodes;
	nodes = made;
	return made;
}

static void node_drop(shm_node *node)
{
	shm_node **at = &nodes;

	if (node->users > 0)
		return;
	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	node_free(node);
}

static state_shm *attach(hn_os *os, const char *path)
{
	shm_node *node = node_get(os, path);

	if (node == NULL)
		return NULL;
	state_shm *shm = base_calloc(1, sizeof(*shm));
	if (shm == NULL) {
		node_drop(node);
		return NULL;
	}
	shm->node = node;
	node->users++;
	return shm;
}

static int node_grow(shm_node *node, size_t count, size_t size)
{
	if (base_grow(&node->regions, &node->region_capacity, count, sizeof(*node->regions)) < 0)
		return SQLITE_IOERR_NOMEM;
	while (node->region_count < count) {
		void *region = base_calloc(1, size);

		if (region == NULL)
			return SQLITE_IOERR_NOMEM;
		node->regions[node->region_count++] = region;
	}
	return SQLITE_OK;
}

int state_shm_map(state_shm **shm, hn_os *os, const char *path, int region, int size, bool extend,
	void volatile **out)
{
	int rc = SQLITE_OK;

	*out = NULL;
	pthread_mutex_lock(&nodes_mutex);
	if (*shm == NULL)
		*shm = attach(os, path);
	if (*shm == NULL) {
		rc = SQLITE_IOERR_NOMEM;
	} else {
		shm_node *node = (*shm)->node;

		if ((size_t)region >= node->region_count && extend)
			rc = node_grow(node, (size_t)region + 1, (size_t)size);
		if (rc == SQLITE_OK && (size_t)region < node->region_count)
			*out = node->regions[region];
	}
	pthread_mutex_unlock(&nodes_mutex);
	return rc;
}

static bool lock_free(const state_shm *shm, int at, bool exclusive)
{
	const shm_node *node = shm->node;
	bool own_exclusive = (shm->exclusive >> at & 1) != 0;
	int others = node->shared[at] - (shm->shared >> at & 1);

	if (node->exclusive[at] && !own_exclusive)
		return false;
	return !exclusive || others == 0;
}

static void lock_drop(state_shm *shm, int at)
{
	uint16_t bit = (uint16_t)(1u << at);

	if (shm->exclusive & bit)
		shm->node->exclusive[at] = false;
	if (shm->shared & bit)
		shm->node->shared[at]--;
	shm->exclusive &= (uint16_t)~bit;
	shm->shared &= (uint16_t)~bit;
}

static void lock_take(state_shm *shm, int at, bool exclusive)
{
	uint16_t bit = (uint16_t)(1u << at);

	lock_drop(shm, at);
	if (exclusive) {
		shm->node->exclusive[at] = true;
		shm->exclusive |= bit;
	} else {
		shm->node->shared[at]++;
		shm->shared |= bit;
	}
}

int state_shm_lock(state_shm *shm, int offset, int count, int flags)
{
	bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0,
	     unlock = (flags & SQLITE_SHM_UNLOCK) != 0;
	int rc = SQLITE_OK;

	pthread_mutex_lock(&nodes_mutex);
	for (int at = offset; at < offset + count && !unlock; at++) {
		if (!lock_free(shm, at, exclusive))
			rc = SQLITE_BUSY;
	}
	for (int at = offset; at < offset + count && rc == SQLITE_OK; at++) {
		if (unlock)
			lock_drop(shm, at);
		else
			lock_take(shm, at, exclusive);
	}
	pthread_mutex_unlock(&nodes_mutex);
	return rc;
}

void state_shm_unmap(state_shm *shm)
{
	if (shm == NULL)
		return;
	pthread_mutex_lock(&nodes_mutex);
	for (int at = 0; at < SQLITE_SHM_NLOCK; at++)
		lock_drop(shm, at);
	shm->node->users--;
	node_drop(shm->node);
	pthread_mutex_unlock(&nodes_mutex);
	base_free(shm);
}
