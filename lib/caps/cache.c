/* SPDX-License-Identifier: MIT
 *
 * The cache of verified links: 4,096 sets of four digests. A lost entry costs a verification, so
 * the oldest of a set simply makes room.
 */
#include "caps/cache.h"

#include <pthread.h>

enum { SETS = 4096, WAYS = 4, STRIPES = 64 };

typedef struct cache_set {
	uint8_t digest[WAYS][CAPS_DIGEST];
	uint8_t used, next;
} cache_set;

struct caps_cache {
	uint8_t key[32]; /* of this process */
	pthread_mutex_t lock[STRIPES];
	cache_set set[SETS];
};

int caps_cache_new(hn_os *os, caps_cache **cache, hn_error **err)
{
	caps_cache *made = base_calloc(1, sizeof(*made));

	if (made == NULL)
		return base_nomem(err);
	int rc = os_random(os, made->key, sizeof(made->key), err);
	if (rc < 0) {
		base_free(made);
		return rc;
	}
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_init(&made->lock[i], NULL);
	*cache = made;
	return 0;
}

void caps_cache_free(caps_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < STRIPES; i++)
		pthread_mutex_destroy(&cache->lock[i]);
	crypto_wipe(cache->key, sizeof(cache->key));
	base_free(cache);
}

void caps_cache_drop(caps_cache *cache)
{
	for (size_t i = 0; i < SETS; i++) {
		pthread_mutex_t *lock = &cache->lock[i % STRIPES];

		pthread_mutex_lock(lock);
		memset(&cache->set[i], 0, sizeof(cache->set[i]));
		pthread_mutex_unlock(lock);
	}
}

void caps_cache_digest(const caps_cache *cache, const caps_bundle *bundle, const uint8_t *bytes,
	size_t size, uint8_t digest[CAPS_DIGEST])
{
	uint8_t key[64];

	memcpy(key, cache->key, 32);
	memcpy(key + 32, bundle->digest, 32);
	crypto_blake2b_keyed(key, sizeof(key), bytes, size, digest, CAPS_DIGEST);
}

static cache_set *find_set(
	caps_cache *cache, const uint8_t digest[CAPS_DIGEST], pthread_mutex_t **lock)
{
	size_t at = ((size_t)digest[0] | (size_t)digest[1] << 8) % SETS;

	*lock = &cache->lock[at % STRIPES];
	return &cache->set[at];
}

static bool holds(const cache_set *set, const uint8_t digest[CAPS_DIGEST])
{
	for (size_t i = 0; i < set->used; i++)
		if (memcmp(set->digest[i], digest, CAPS_DIGEST) == 0)
			return true;
	return false;
}

bool caps_cache_has(caps_cache *cache, const uint8_t digest[CAPS_DIGEST])
{
	pthread_mutex_t *lock;
	const cache_set *set = find_set(cache, digest, &lock);

	pthread_mutex_lock(lock);
	bool found = holds(set, digest);
	pthread_mutex_unlock(lock);
	return found;
}

void caps_cache_add(caps_cache *cache, const uint8_t digest[CAPS_DIGEST])
{
	pthread_mutex_t *lock;
	cache_set *set = find_set(cache, digest, &lock);

	pthread_mutex_lock(lock);
	if (!holds(set, digest)) {
		memcpy(set->digest[set->next], digest, CAPS_DIGEST);
		set->next = (uint8_t)((set->next + 1) % WAYS);
		if (set->used < WAYS)
			set->used++;
	}
	pthread_mutex_unlock(lock);
}
