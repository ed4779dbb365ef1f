/* SPDX-License-Identifier: MIT
 *
 * SQLite's memory through base when hn_set_allocator was called, so that one allocator sees all of
 * it and a test can fail the nth allocation. SQLite has one allocator a process, to be set before
 * it is first used: a program that embeds us and did not ask for one of its own keeps SQLite as it
 * is, and so does one that has used SQLite already.
 */
#include "state/state-private.h"

#include <sqlite3.h>

/* SQLite asks how large a piece is; the answer stands before it. 16 bytes keep the alignment. */
enum { HEADER = 16 };

static void *piece_of(void *memory, int bytes)
{
	if (memory == NULL)
		return NULL;
	*(int *)memory = bytes;
	return (char *)memory + HEADER;
}

static void *memory_of(void *piece)
{
	return (char *)piece - HEADER;
}

static void *allocate(int bytes)
{
	return piece_of(base_alloc((size_t)bytes + HEADER), bytes);
}

static void release(void *piece)
{
	if (piece != NULL)
		base_free(memory_of(piece));
}

static void *reallocate(void *piece, int bytes)
{
	return piece_of(base_realloc(memory_of(piece), (size_t)bytes + HEADER), bytes);
}

static int size_of(void *piece)
{
	return piece == NULL ? 0 : *(int *)memory_of(piece);
}

static int round_up(int bytes)
{
	return (bytes + 7) & ~7;
}

static int begin(void *arg)
{
	(void)arg;
	return SQLITE_OK;
}

static void end(void *arg)
{
	(void)arg;
}

void state_memory_setup(void)
{
	static const sqlite3_mem_methods methods = {
		allocate, release, reallocate, size_of, round_up, begin, end, NULL};

	if (!base_allocator_set())
		return;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK)
		base_log(HN_LOG_DEBUG, "state",
			"SQLite is in use already and keeps its own allocator");
}
