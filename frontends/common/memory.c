/* SPDX-License-Identifier: MIT
 *
 * Memory of a frontend: when there is none left, it says so and ends with the documented status.
 */
#include "cli.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
	if (memory != NULL)
		return memory;
	fputs("out of memory\n", stderr);
	exit(hn_code_exit_status(HN_ENOMEM));
}

void *cli_alloc(size_t bytes)
{
	return checked(calloc(1, bytes == 0 ? 1 : bytes));
}

void *cli_realloc(void *memory, size_t count, size_t bytes)
{
	return checked(reallocarray(memory, count == 0 ? 1 : count, bytes));
}

char *cli_strndup(const char *text, size_t size)
{
	return checked(strndup(text, size));
}

char *cli_format(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vasprintf(&text, format, arguments);
	va_end(arguments);
	return checked(size < 0 ? NULL : text);
}
