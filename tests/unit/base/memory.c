/* SPDX-License-Identifier: MIT
 *
 * Memory: the hooks, checked sizes, and options structs.
 */
#include "base/base-private.h"
#include <criterion/criterion.h>
#include <stdlib.h>

static struct {
	size_t allocated, reallocated, released;
	bool fail;
	void *arg;
} seen;

static void *hook_allocate(void *arg, size_t bytes)
{
	seen.arg = arg;
	seen.allocated++;
	return seen.fail ? NULL : malloc(bytes);
}

static void *hook_reallocate(void *arg, void *memory, size_t bytes)
{
	seen.arg = arg;
	seen.reallocated++;
	return seen.fail ? NULL : realloc(memory, bytes);
}

static void hook_release(void *arg, void *memory)
{
	seen.arg = arg;
	seen.released++;
	free(memory);
}

static void set_hooks(void *arg)
{
	hn_allocator allocator = HN_ALLOCATOR_INIT;

	allocator.allocate = hook_allocate;
	allocator.reallocate = hook_reallocate;
	allocator.release = hook_release;
	allocator.arg = arg;
	cr_assert_eq(hn_set_allocator(&allocator, NULL), 0);
}

Test(memory, no_bytes_is_a_valid_pointer)
{
	void *none = base_alloc(0);
	void *cleared = base_calloc(0, 8);

	cr_assert_not_null(none);
	cr_assert_not_null(cleared);
	none = base_realloc(none, 0);
	cr_assert_not_null(none);
	base_free(none);
	base_free(cleared);
	base_free(NULL);
}

Test(memory, calloc_checks_the_product_and_clears)
{
	unsigned char *bytes = base_calloc(10, 100);

	cr_assert_null(base_calloc(SIZE_MAX / 2, 3));
	for (size_t i = 0; i < 1000; i++)
		cr_assert_eq(bytes[i], 0);
	base_free(bytes);
}

Test(memory, hooks_get_every_call_and_their_argument)
{
	int argument;
	void *memory;

	set_hooks(&argument);
	memory = base_alloc(10);
	memory = base_realloc(memory, 20);
	base_free(memory);
	cr_assert_eq(seen.allocated, 1);
	cr_assert_eq(seen.reallocated, 1);
	cr_assert_eq(seen.released, 1);
	cr_assert_eq(seen.arg, &argument);
}

Test(memory, calloc_through_hooks_is_cleared)
{
	unsigned char *bytes;

	set_hooks(NULL);
	bytes = base_calloc(1, 64);
	for (size_t i = 0; i < 64; i++)
		cr_assert_eq(bytes[i], 0);
	base_free(bytes);
	cr_assert_eq(seen.released, 1);
}

Test(memory, release_of_null_does_not_reach_the_hook)
{
	set_hooks(NULL);
	base_free(NULL);
	cr_assert_eq(seen.released, 0);
}

Test(memory, null_brings_back_the_default)
{
	void *memory;

	set_hooks(NULL);
	cr_assert_eq(hn_set_allocator(NULL, NULL), 0);
	memory = base_alloc(1);
	base_free(memory);
	cr_assert_eq(seen.allocated, 0);
}

Test(memory, some_of_the_hooks_are_refused)
{
	hn_allocator allocator = HN_ALLOCATOR_INIT;
	hn_error *error = NULL;

	allocator.allocate = hook_allocate;
	cr_assert_eq(hn_set_allocator(&allocator, &error), HN_EINVAL);
	cr_assert_not_null(hn_error_hint(error));
	hn_error_unref(error);
	base_free(base_alloc(1));
	cr_assert_eq(seen.allocated, 0);
}

Test(memory, copies)
{
	char *text = base_strdup("text"), *part = base_strndup("text", 2),
	     *none = base_strndup(NULL, 0);
	unsigned char *bytes = base_memdup("\0\1", 2);

	cr_assert_str_eq(text, "text");
	cr_assert_str_eq(part, "te");
	cr_assert_str_eq(none, "");
	cr_assert_eq(memcmp(bytes, "\0\1", 2), 0);
	base_free(text);
	base_free(part);
	base_free(none);
	base_free(bytes);
}

Test(memory, grow_keeps_content_and_raises_capacity)
{
	uint32_t *items = NULL;
	size_t capacity = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		cr_assert_eq(base_grow(&items, &capacity, i + 1, sizeof(*items)), 0);
		cr_assert_geq(capacity, i + 1);
		items[i] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		cr_assert_eq(items[i], i);
	base_free(items);
}

Test(memory, grow_refuses_what_overflows_and_leaves_all_as_it_was)
{
	uint32_t *items = NULL;
	size_t capacity = 0;

	cr_assert_eq(base_grow(&items, &capacity, SIZE_MAX / 2, sizeof(*items)), HN_ENOMEM);
	cr_assert_eq(base_grow(&items, &capacity, SIZE_MAX, 1), HN_ENOMEM);
	cr_assert_null(items);
	cr_assert_eq(capacity, 0);
}

Test(memory, grow_that_fails_keeps_the_old_memory)
{
	char *items = NULL;
	size_t capacity = 0;

	set_hooks(NULL);
	cr_assert_eq(base_grow(&items, &capacity, 4, 1), 0);
	memcpy(items, "abc", 4);
	seen.fail = true;
	cr_assert_eq(base_grow(&items, &capacity, 400, 1), HN_ENOMEM);
	cr_assert_str_eq(items, "abc");
	cr_assert_eq(capacity, 4);
	base_free(items);
}

typedef struct known_options {
	uint32_t size;
	int32_t first;
	uint64_t second;
} known_options;

Test(options, a_shorter_struct_of_an_older_program_is_filled_with_zero)
{
	known_options given = {.size = 8, .first = 5, .second = 99}, known = {.second = 77};

	cr_assert_eq(base_options(&known, sizeof(known), &given, "room", NULL), 0);
	cr_assert_eq(known.first, 5);
	cr_assert_eq(known.second, 0);
}

Test(options, a_longer_struct_is_fine_while_its_tail_is_zero)
{
	struct {
		known_options options;
		uint64_t more;
	} given = {.options = {.size = sizeof(given), .first = 5}};
	known_options known;

	cr_assert_eq(base_options(&known, sizeof(known), &given, "room", NULL), 0);
	given.more = 1;
	cr_assert_eq(base_options(&known, sizeof(known), &given, "room", NULL), HN_ENEWER);
}

Test(options, none_and_no_size_are_refused)
{
	known_options given = {0}, known = {.first = 9};

	cr_assert_eq(base_options(&known, sizeof(known), NULL, "room", NULL), HN_EINVAL);
	cr_assert_eq(base_options(&known, sizeof(known), &given, "room", NULL), HN_EINVAL);
	cr_assert_eq(known.first, 9);
}
