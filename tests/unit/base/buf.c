/* SPDX-License-Identifier: MIT
 *
 * Text buffers and arenas.
 */
#include "base/base-private.h"
#include <criterion/criterion.h>
#include <stdlib.h>

static void *no_allocate(void *arg, size_t bytes)
{
	(void)arg;
	(void)bytes;
	return NULL;
}

static void *no_reallocate(void *arg, void *memory, size_t bytes)
{
	(void)arg;
	(void)memory;
	(void)bytes;
	return NULL;
}

static void release(void *arg, void *memory)
{
	(void)arg;
	free(memory);
}

static void end_memory(void)
{
	hn_allocator allocator = HN_ALLOCATOR_INIT;

	allocator.allocate = no_allocate;
	allocator.reallocate = no_reallocate;
	allocator.release = release;
	cr_assert_eq(hn_set_allocator(&allocator, NULL), 0);
}

Test(buf, adds_text_bytes_and_formats)
{
	base_buf buf = {0};
	char *text;

	base_buf_text(&buf, "a");
	base_buf_add(&buf, "\0b", 2);
	base_buf_format(&buf, "%d", 42);
	cr_assert_eq(buf.size, 5);
	cr_assert_eq(buf.data[buf.size], '\0');
	text = base_buf_take(&buf);
	cr_assert_eq(memcmp(text, "a\0b42", 6), 0);
	base_free(text);
}

Test(buf, an_empty_one_gives_empty_text)
{
	base_buf buf = {0};
	char *text = base_buf_take(&buf);

	cr_assert_str_eq(text, "");
	base_free(text);
}

Test(buf, take_resets)
{
	base_buf buf = {0};
	char *text;

	base_buf_text(&buf, "first");
	base_free(base_buf_take(&buf));
	cr_assert_eq(buf.size, 0);
	base_buf_text(&buf, "second");
	text = base_buf_take(&buf);
	cr_assert_str_eq(text, "second");
	base_free(text);
}

Test(buf, a_long_format_is_whole)
{
	static char long_text[10000];
	base_buf buf = {0};

	memset(long_text, 'x', sizeof(long_text) - 1);
	base_buf_format(&buf, "<%s>", long_text);
	cr_assert_eq(buf.size, sizeof(long_text) + 1);
	cr_assert_eq(buf.data[0], '<');
	cr_assert_eq(buf.data[buf.size - 1], '>');
	base_buf_free(&buf);
}

Test(buf, a_format_that_just_fits_or_just_not)
{
	for (int length = 0; length < 300; length++) {
		base_buf buf = {0};

		base_buf_format(&buf, "%*s", length, "");
		cr_assert_eq(buf.size, (size_t)length);
		cr_assert_eq(strlen(buf.data), (size_t)length);
		base_buf_free(&buf);
	}
}

Test(buf, a_failed_allocation_sticks)
{
	base_buf buf = {0};

	end_memory();
	base_buf_text(&buf, "a");
	cr_assert(buf.failed);
	hn_set_allocator(NULL, NULL);
	base_buf_text(&buf, "b");
	cr_assert_eq(buf.size, 0);
	cr_assert_null(base_buf_take(&buf));
	cr_assert_not(buf.failed);
}

Test(buf, a_size_that_overflows_fails)
{
	base_buf buf = {0};

	base_buf_text(&buf, "abc");
	base_buf_add(&buf, "x", SIZE_MAX - 1);
	cr_assert(buf.failed);
	base_buf_free(&buf);
}

Test(arena, pieces_are_zeroed_aligned_and_apart)
{
	base_arena *arena = base_arena_new();
	unsigned char *before = NULL;

	for (size_t i = 0; i < 5000; i++) {
		size_t size = i % 97;
		unsigned char *piece = base_arena_alloc(arena, size);

		cr_assert_eq((uintptr_t)piece % 16, 0);
		for (size_t j = 0; j < size; j++)
			cr_assert_eq(piece[j], 0);
		memset(piece, 0xff, size);
		cr_assert_neq(piece, before);
		before = piece;
	}
	base_arena_free(arena);
}

Test(arena, a_large_piece_does_not_waste_the_block_in_use)
{
	base_arena *arena = base_arena_new();
	char *first = base_arena_alloc(arena, 16);
	char *large = base_arena_alloc(arena, 1000000);
	char *second = base_arena_alloc(arena, 16);

	large[999999] = 1;
	cr_assert_eq(second, first + 16);
	base_arena_free(arena);
}

Test(arena, used_counts_what_was_given)
{
	base_arena *arena = base_arena_new();

	cr_assert_eq(base_arena_used(arena), 0);
	base_arena_alloc(arena, 1);
	base_arena_alloc(arena, 17);
	cr_assert_eq(base_arena_used(arena), 48);
	base_arena_free(arena);
	base_arena_free(NULL);
}

Test(arena, text_is_copied_and_ended)
{
	base_arena *arena = base_arena_new();
	char source[] = "abcdef";
	char *copy = base_arena_strndup(arena, source, 3);

	source[0] = 'x';
	cr_assert_str_eq(copy, "abc");
	cr_assert_null(base_arena_strndup(arena, source, SIZE_MAX));
	base_arena_free(arena);
}

Test(arena, sizes_that_overflow_give_nothing)
{
	base_arena *arena = base_arena_new();

	cr_assert_null(base_arena_alloc(arena, SIZE_MAX));
	cr_assert_null(base_arena_alloc(arena, SIZE_MAX - 20));
	cr_assert_not_null(base_arena_alloc(arena, 1));
	base_arena_free(arena);
}

Test(arena, out_of_memory_gives_nothing)
{
	end_memory();
	cr_assert_null(base_arena_new());
}
