/* SPDX-License-Identifier: MIT
 *
 * A map from bytes to a pointer: entries in insertion order, found through an open-addressing index
 * of their places.
 */
#include "base/base-private.h"

enum { EMPTY = 0, FIRST_INDEX = 16 }; /* an index cell holds place + 1 */

typedef struct entry {
	char *key; /* NULL: removed */
	size_t size;
	uint64_t hash;
	void *value;
} entry;

struct base_map {
	void (*release)(void *value);
	entry *entries;
	size_t entry_capacity;
	size_t slots; /* entries used, removed ones included */
	size_t count;
	uint32_t *index;
	size_t index_size; /* a power of two, at least 2 * slots */
	uint64_t hash_key;
};

base_map *base_map_new(void (*release)(void *value))
{
	base_map *map = base_calloc(1, sizeof(*map));

	if (map == NULL)
		return NULL;
	map->release = release;
	map->hash_key = (uint64_t)(uintptr_t)map ^ UINT64_C(0xd1b54a32d192ed03);
	return map;
}

void base_map_free(base_map *map)
{
	if (map == NULL)
		return;
	for (size_t i = 0; i < map->slots; i++) {
		if (map->entries[i].key != NULL && map->release != NULL)
			map->release(map->entries[i].value);
		base_free(map->entries[i].key);
	}
	base_free(map->entries);
	base_free(map->index);
	base_free(map);
}

static entry *map_find(const base_map *map, const void *key, size_t size, uint64_t hash)
{
	if (map->index_size == 0)
		return NULL;
	for (size_t at = hash & (map->index_size - 1);; at = (at + 1) & (map->index_size - 1)) {
		entry *found;

		if (map->index[at] == EMPTY)
			return NULL;
		found = &map->entries[map->index[at] - 1];
		/* A removed entry keeps its cell, so that a probe goes on past it. */
		if (found->key != NULL && found->hash == hash && found->size == size &&
			(size == 0 || memcmp(found->key, key, size) == 0))
			return found;
	}
}

static void index_put(base_map *map, size_t place)
{
	size_t at = map->entries[place].hash & (map->index_size - 1);

	while (map->index[at] != EMPTY)
		at = (at + 1) & (map->index_size - 1);
	map->index[at] = (uint32_t)place + 1;
}

/* Drops removed entries, then indexes the rest anew in `cells`, which must be zeroed. */
static void map_rebuild(base_map *map, uint32_t *cells, size_t cell_count)
{
	size_t kept = 0;

	for (size_t i = 0; i < map->slots; i++) {
		if (map->entries[i].key != NULL)
			map->entries[kept++] = map->entries[i];
	}
	map->slots = kept;
	base_free(map->index);
	map->index = cells;
	map->index_size = cell_count;
	for (size_t i = 0; i < map->slots; i++)
		index_put(map, i);
}

/* Makes room for one more entry, in the list and in the index. */
static int map_reserve(base_map *map)
{
	size_t cell_count = FIRST_INDEX;
	uint32_t *cells;

	if (map->slots >= UINT32_MAX / 4)
		return HN_ENOMEM;
	if (base_grow(&map->entries, &map->entry_capacity, map->slots + 1, sizeof(*map->entries)) <
		0)
		return HN_ENOMEM;
	if ((map->slots + 1) * 2 <= map->index_size)
		return 0;
	while (cell_count < (map->count + 1) * 4)
		cell_count *= 2;
	cells = base_calloc(cell_count, sizeof(*cells));
	if (cells == NULL)
		return HN_ENOMEM;
	map_rebuild(map, cells, cell_count);
	return 0;
}

int base_map_put(base_map *map, const void *key, size_t size, void *value)
{
	uint64_t hash = base_hash(key, size, map->hash_key);
	entry *found = map_find(map, key, size, hash);
	char *copy;

	if (found != NULL) {
		if (map->release != NULL && found->value != value)
			map->release(found->value);
		found->value = value;
		return 0;
	}
	if (map_reserve(map) < 0)
		return HN_ENOMEM;
	copy = base_strndup(key, size);
	if (copy == NULL)
		return HN_ENOMEM;
	map->entries[map->slots] = (entry){.key = copy, .size = size, .hash = hash, .value = value};
	index_put(map, map->slots);
	map->slots++;
	map->count++;
	return 0;
}

void *base_map_get(const base_map *map, const void *key, size_t size)
{
	entry *found = map_find(map, key, size, base_hash(key, size, map->hash_key));

	return found == NULL ? NULL : found->value;
}

bool base_map_has(const base_map *map, const void *key, size_t size)
{
	return map_find(map, key, size, base_hash(key, size, map->hash_key)) != NULL;
}

bool base_map_remove(base_map *map, const void *key, size_t size)
{
	entry *found = map_find(map, key, size, base_hash(key, size, map->hash_key));

	if (found == NULL)
		return false;
	if (map->release != NULL)
		map->release(found->value);
	base_free(found->key);
	found->key = NULL;
	found->value = NULL;
	map->count--;
	return true;
}

size_t base_map_count(const base_map *map)
{
	return map->count;
}

size_t base_map_slots(const base_map *map)
{
	return map->slots;
}

bool base_map_at(const base_map *map, size_t slot, const char **key, size_t *size, void **value)
{
	if (slot >= map->slots || map->entries[slot].key == NULL)
		return false;
	if (key != NULL)
		*key = map->entries[slot].key;
	if (size != NULL)
		*size = map->entries[slot].size;
	if (value != NULL)
		*value = map->entries[slot].value;
	return true;
}
