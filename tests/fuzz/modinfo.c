/* SPDX-License-Identifier: MIT
 *
 * Fuzz target: .modinfo of kernel modules. Fields are bounded texts that stand in the file.
 */
#include "compose/elf-file.h"

#include <stdlib.h>

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

typedef struct module {
	elf_memory memory;
	size_t size, fields;
} module;

static int read_guarded(void *arg, uint64_t offset, void *bytes, size_t size, hn_error **err)
{
	module *file = arg;

	REQUIRE(offset <= file->size && size <= file->size - offset);
	return elf_read_memory(&file->memory, offset, bytes, size, err);
}

static int take(void *arg, const char *field, hn_error **err)
{
	module *file = arg;

	(void)err;
	REQUIRE(field[0] != '\0' && strlen(field) <= file->size);
	REQUIRE(memmem(file->memory.bytes, file->size, field, strlen(field)) != NULL);
	file->fields++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	module file = {{data}, size, 0};
	elf_source source = {read_guarded, &file, size};
	hn_error *err = NULL;
	int rc = elf_modinfo(&source, take, &file, &err);

	REQUIRE(rc == 0 ? err == NULL : rc == HN_EENTRY && hn_error_code(err) == HN_EENTRY);
	REQUIRE(file.fields <= size);
	hn_error_unref(err);
	return 0;
}
