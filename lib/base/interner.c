/* SPDX-License-Identifier: MIT
 *
 * Texts as small numbers: each different text gets the next id, from 1, for as long as the interner
 * lives.
 */
#include "base/base-private.h"

enum { FIRST_INDEX = 64 };

typedef struct text_entry {
	const char *text;
	size_t size;
	uint64_t hash;
} text_entry;

struct base_interner {
	base_arena *arena;
	text_entry *entries; /* id - 1 */
	size_t capacity;
	uint32_t count;
	uint32_t *index; /* ids; 0 is empty */
	size_t index_size;
	uint64_t hash_key;
};

base_interner *base_interner_new(void)
{
	base_interner *interner = base_calloc(1, sizeof(*interner));

	if (interner == NULL)
		return NULL;
	interner->arena = base_arena_new();
	interner->index = base_calloc(FIRST_INDEX, sizeof(*interner->index));
	if (interner->arena == NULL || interner->index == NULL) {
		base_interner_free(interner);
		return NULL;
	}
	interner->index_size = FIRST_INDEX;
	interner->hash_key = (uint64_t)(uintptr_t)interner ^ UINT64_C(0x8cb92ba72f3d8dd7);
	return interner;
}

void base_interner_free(base_interner *interner)
{
	if (interner == NULL)
		return;
	base_arena_free(interner->arena);
	base_free(interner->entries);
	base_free(interner->index);
	base_free(interner);
}

/* The cell that holds the text, or the empty one where it would go. */
static size_t interner_cell(
	const base_interner *interner, const char *text, size_t size, uint64_t hash)
{
	size_t at = hash & (interner->index_size - 1);

	while (interner->index[at] != 0) {
		const text_entry *entry = &interner->entries[interner->index[at] - 1];

		if (entry->hash == hash && entry->size == size &&
			(size == 0 || memcmp(entry->text, text, size) == 0))
			break;
		at = (at + 1) & (interner->index_size - 1);
	}
	return at;
}

static int interner_grow_index(base_interner *interner)
{
	size_t wanted = interner->index_size * 2;
	uint32_t *cells;

	if ((size_t)(interner->count + 1) * 2 <= interner->index_size)
		return 0;
	cells = base_calloc(wanted, sizeof(*cells));
	if (cells == NULL)
		return HN_ENOMEM;
	for (uint32_t id = 1; id <= interner->count; id++) {
		size_t at = interner->entries[id - 1].hash & (wanted - 1);

		while (cells[at] != 0)
			at = (at + 1) & (wanted - 1);
		cells[at] = id;
	}
	base_free(interner->index);
	interner->index = cells;
	interner->index_size = wanted;
	return 0;
}

uint32_t base_intern(base_interner *interner, const char *text, size_t size)
{
	uint64_t hash = base_hash(text, size, interner->hash_key);
	size_t cell = interner_cell(interner, text, size, hash);
	const char *copy;

	if (interner->index[cell] != 0)
		return interner->index[cell];
	if (interner->count >= UINT32_MAX / 2 || interner_grow_index(interner) < 0 ||
		base_grow(&interner->entries, &interner->capacity, (size_t)interner->count + 1,
			sizeof(*interner->entries)) < 0)
		return 0;
	copy = base_arena_strndup(interner->arena, text, size);
	if (copy == NULL)
		return 0;
	interner->entries[interner->count] = (text_entry){.text = copy, .size = size, .hash = hash};
	interner->count++;
	interner->index[interner_cell(interner, text, size, hash)] = interner->count;
	return interner->count;
}

uint32_t base_interned(const base_interner *interner, const char *text, size_t size)
{
	uint64_t hash = base_hash(text, size, interner->hash_key);

	return interner->index[interner_cell(interner, text, size, hash)];
}

const char *base_interner_text(const base_interner *interner, uint32_t id)
{
	return id == 0 || id > interner->count ? NULL : interner->entries[id - 1].text;
}

uint32_t base_interner_count(const base_interner *interner)
{
	return interner->count;
}
