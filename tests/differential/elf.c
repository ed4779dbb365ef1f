/* SPDX-License-Identifier: MIT
 *
 * What our reader finds in ELF files: a line "file PATH", then "needed NAME", "runpath TEXT",
 * "interpreter PATH" as they are; "refused" or "foreign". elf.py compares that with readelf.
 */
#include "compose/elf-file.h"

#include <stdio.h>

static int tell(const char *path)
{
	BASE_AUTO_OF(base_arena) base_arena *arena = base_arena_new();
	BASE_AUTO_FREE char *bytes = NULL;
	size_t size = 0;
	elf_memory memory;
	elf_source source;
	elf_file elf = {0};

	if (os_read_file(hn_os_real(), path, UINT64_C(1) << 30, &bytes, &size, NULL) != 0)
		return 1;
	memory = (elf_memory){(const uint8_t *)bytes};
	source = (elf_source){elf_read_memory, &memory, size};
	printf("file %s\n", path);
	if (elf_read(&source, arena, &elf, NULL) != 0) {
		printf("refused\n");
		return 0;
	}
	if (elf.foreign)
		printf("foreign\n");
	for (size_t i = 0; i < elf.needed_count; i++)
		printf("needed %s\n", elf.needed[i]);
	if (elf.runpath != NULL)
		printf("runpath %s\n", elf.runpath);
	if (elf.interpreter != NULL)
		printf("interpreter %s\n", elf.interpreter);
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (tell(argv[i]) != 0)
			return 1;
	return 0;
}
