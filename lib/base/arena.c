/* SPDX-License-Identifier: MIT
 *
 * An arena: many small zeroed pieces of memory, released together.
 */
#include "base/base-private.h"

enum { ALIGNMENT = 16, FIRST_BLOCK = 4096, LAST_BLOCK = 262144 };

typedef struct block {
	struct block *next;
	size_t size; /* bytes in data */
	size_t used;
	_Alignas(ALIGNMENT) unsigned char data[];
} block;

static bool split; /* no two pieces share a block */

struct base_arena {
	block *blocks; /* the newest first; only its rest is used for new pieces */
	size_t next_size;
	size_t used;
};

void base_arena_split(bool on)
{
	split = on;
}

base_arena *base_arena_new(void)
{
	base_arena *arena = base_calloc(1, sizeof(*arena));

	if (arena != NULL)
		arena->next_size = FIRST_BLOCK;
	return arena;
}

void base_arena_free(base_arena *arena)
{
	block *next;

	if (arena == NULL)
		return;
	for (block *one = arena->blocks; one != NULL; one = next) {
		next = one->next;
		base_free(one);
	}
	base_free(arena);
}

static block *arena_add_block(base_arena *arena, size_t bytes)
{
	size_t size = split || bytes > arena->next_size / 4 ? bytes : arena->next_size;
	size_t total;
	block *added;

	if (__builtin_add_overflow(size, sizeof(*added), &total))
		return NULL;
	added = base_calloc(1, total);
	if (added == NULL)
		return NULL;
	added->size = size;
	/* A piece with a block of its own must not hide the free rest of the block in use. */
	if (size == bytes && arena->blocks != NULL) {
		added->next = arena->blocks->next;
		arena->blocks->next = added;
		return added;
	}
	added->next = arena->blocks;
	arena->blocks = added;
	if (arena->next_size < LAST_BLOCK)
		arena->next_size *= 2;
	return added;
}

void *base_arena_alloc(base_arena *arena, size_t bytes)
{
	block *from = arena->blocks;
	size_t rounded;
	void *piece;

	if (__builtin_add_overflow(bytes > 0 ? bytes : 1, (size_t)ALIGNMENT - 1, &rounded))
		return NULL;
	rounded &= ~(size_t)(ALIGNMENT - 1);
	if (from == NULL || from->size - from->used < rounded)
		from = arena_add_block(arena, rounded);
	if (from == NULL)
		return NULL;
	piece = from->data + from->used;
	from->used += rounded;
	arena->used += rounded;
	return piece;
}

char *base_arena_strndup(base_arena *arena, const char *text, size_t size)
{
	char *copy;

	if (size == SIZE_MAX)
		return NULL;
	copy = base_arena_alloc(arena, size + 1);
	if (copy != NULL && size > 0)
		memcpy(copy, text, size);
	return copy;
}

size_t base_arena_used(const base_arena *arena)
{
	return arena->used;
}
