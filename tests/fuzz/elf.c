/* SPDX-License-Identifier: MIT
 *
 * Fuzz target: ELF files of payloads. What is told lies inside the file and is bounded; nothing
 * outside the file is asked for, and what is refused leaves nothing behind.
 */
#include "compose/elf-file.h"

#include <stdlib.h>

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

typedef struct guarded {
	elf_memory memory;
	size_t size;
} guarded;

static int read_guarded(void *arg, uint64_t offset, void *bytes, size_t size, hn_error **err)
{
	guarded *file = arg;

	REQUIRE(offset <= file->size && size <= file->size - offset);
	return elf_read_memory(&file->memory, offset, bytes, size, err);
}

static void is_text(const guarded *file, const char *text)
{
	if (text == NULL)
		return;
	REQUIRE(strlen(text) < 1024);
	REQUIRE(memmem(file->memory.bytes, file->size, text, strlen(text) + 1) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	guarded file = {{data}, size};
	elf_source source = {read_guarded, &file, size};
	base_arena *arena = base_arena_new();
	elf_file elf = {0};
	hn_error *err = NULL;
	int rc = elf_read(&source, arena, &elf, &err);

	REQUIRE(rc == 0 ? err == NULL : rc == HN_EENTRY && hn_error_code(err) == HN_EENTRY);
	REQUIRE(rc != 0 || elf_is(data, size));
	is_text(&file, elf.interpreter);
	is_text(&file, elf.runpath);
	REQUIRE(elf.needed_count <= 1024);
	for (size_t i = 0; i < elf.needed_count; i++)
		is_text(&file, elf.needed[i]);
	hn_error_unref(err);
	base_arena_free(arena);
	return 0;
}
