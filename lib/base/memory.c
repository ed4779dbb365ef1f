/* SPDX-License-Identifier: MIT
 *
 * Allocation through replaceable hooks. Without hooks each call is one test and the C library's
 * function.
 */
#include "base/base-private.h"
#include <stdlib.h>

static hn_allocator hooks;

void *base_alloc(size_t bytes)
{
	if (bytes == 0)
		bytes = 1;
	if (__builtin_expect(hooks.allocate != NULL, 0))
		return hooks.allocate(hooks.arg, bytes);
	return malloc(bytes);
}

void *base_calloc(size_t count, size_t bytes)
{
	size_t total;
	void *memory;

	if (__builtin_mul_overflow(count, bytes, &total))
		return NULL;
	if (total == 0)
		total = 1;
	if (__builtin_expect(hooks.allocate == NULL, 1))
		return calloc(1, total);
	memory = hooks.allocate(hooks.arg, total);
	if (memory != NULL)
		memset(memory, 0, total);
	return memory;
}

void *base_realloc(void *memory, size_t bytes)
{
	if (bytes == 0)
		bytes = 1;
	if (__builtin_expect(hooks.reallocate != NULL, 0))
		return hooks.reallocate(hooks.arg, memory, bytes);
	return realloc(memory, bytes);
}

void base_free(void *memory)
{
	if (memory == NULL)
		return;
	if (__builtin_expect(hooks.release != NULL, 0))
		hooks.release(hooks.arg, memory);
	else
		free(memory);
}

char *base_strndup(const char *text, size_t size)
{
	char *copy;

	if (size == SIZE_MAX)
		return NULL;
	copy = base_alloc(size + 1);
	if (copy == NULL)
		return NULL;
	if (size > 0)
		memcpy(copy, text, size);
	copy[size] = '\0';
	return copy;
}

char *base_strdup(const char *text)
{
	return base_strndup(text, strlen(text));
}

void *base_memdup(const void *bytes, size_t size)
{
	void *copy = base_alloc(size);

	if (copy != NULL && size > 0)
		memcpy(copy, bytes, size);
	return copy;
}

int base_grow(void *items, size_t *capacity, size_t need, size_t item_size)
{
	size_t wanted = *capacity > 0 ? *capacity : 4;
	size_t total;
	void *memory;

	if (need <= *capacity)
		return 0;
	while (wanted < need) {
		if (__builtin_mul_overflow(wanted, (size_t)2, &wanted))
			return HN_ENOMEM;
	}
	if (__builtin_mul_overflow(wanted, item_size, &total))
		return HN_ENOMEM;
	/* `items` is the address of some pointer type: copied, not cast, so that no aliasing rule
	 * is broken. */
	memcpy(&memory, items, sizeof(memory));
	memory = base_realloc(memory, total);
	if (memory == NULL)
		return HN_ENOMEM;
	memcpy(items, &memory, sizeof(memory));
	*capacity = wanted;
	return 0;
}

int base_options(
	void *known, size_t known_size, const void *given, const char *room, hn_error **err)
{
	uint32_t size;
	const unsigned char *bytes = given;

	if (given == NULL)
		return base_error(err, HN_EINVAL, room, NULL, "no options were given");
	memcpy(&size, given, sizeof(size));
	if (size < sizeof(size))
		return base_error(err, HN_EINVAL, room,
			"initialise the struct with its _INIT macro",
			"the size field of an options struct is %u", size);
	for (size_t i = known_size; i < size; i++) {
		if (bytes[i] != 0)
			return base_error(err, HN_ENEWER, room,
				"use the library the program was built for",
				"byte %zu of an options struct is set, this library knows %zu bytes",
				i, known_size);
	}
	memset(known, 0, known_size);
	memcpy(known, given, size < known_size ? size : known_size);
	return 0;
}

bool base_allocator_set(void)
{
	return hooks.allocate != NULL;
}

int hn_set_allocator(const hn_allocator *allocator, hn_error **err)
{
	hn_allocator given;
	int set;
	int code;

	if (allocator == NULL) {
		hooks = (hn_allocator){0};
		return 0;
	}
	code = base_options(&given, sizeof(given), allocator, "base", err);
	if (code < 0)
		return code;
	set = (given.allocate != NULL) + (given.reallocate != NULL) + (given.release != NULL);
	if (set != 0 && set != 3)
		return base_error(err, HN_EINVAL, "base",
			"set allocate, reallocate and release, or none",
			"only %d of the three allocator hooks are set", set);
	hooks = given;
	return 0;
}

void hn_text_free(char *text)
{
	base_free(text);
}

void hn_bytes_free(uint8_t *bytes)
{
	base_free(bytes);
}
