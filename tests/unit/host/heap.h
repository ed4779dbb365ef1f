/* SPDX-License-Identifier: MIT
 *
 * A heap of which one allocation fails: the one that `fail_at` says, counted from the first.
 */
#ifndef HEAP_H
#define HEAP_H

#include <criterion/criterion.h>
#include <hypernix/base.h>
#include <stdlib.h>

static struct {
	unsigned long calls, fail_at; /* 0 = never */
	bool hit;
} heap;

static bool heap_fails(void)
{
	if (++heap.calls != heap.fail_at)
		return false;
	heap.hit = true;
	return true;
}

static void *heap_allocate(void *arg, size_t bytes)
{
	(void)arg;
	return heap_fails() ? NULL : malloc(bytes);
}

static void *heap_reallocate(void *arg, void *memory, size_t bytes)
{
	(void)arg;
	return heap_fails() ? NULL : realloc(memory, bytes);
}

static void heap_release(void *arg, void *memory)
{
	(void)arg;
	free(memory);
}

/* Before the first handle. */
static void heap_take(void)
{
	hn_allocator allocator = HN_ALLOCATOR_INIT;

	allocator.allocate = heap_allocate;
	allocator.reallocate = heap_reallocate;
	allocator.release = heap_release;
	cr_assert_eq(hn_set_allocator(&allocator, NULL), 0);
}

#endif
