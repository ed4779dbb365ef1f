/* SPDX-License-Identifier: MIT
 *
 * Fuzz target: lines on the unit port, given whole and byte by byte. What is told must be clean
 * text of a bounded length, the same either way, and READY only for a guest that said so.
 */
#include "machine/driver.h"

#include <stdlib.h>

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

typedef struct told {
	uint64_t hash;
	size_t count;
} told;

/* What was taken of a check, written again, is the line, but for zeros before the number. */
static void look(const machine_port_line *line)
{
	const machine_checked *check = &line->check;
	size_t size = strlen(line->text), words = strlen(check->contract) + strlen(check->version);
	const char *end = line->text + size - strlen(check->detail);

	REQUIRE(words + strlen(check->detail) < size && check->took >= 0 && !check->told);
	REQUIRE(strncmp(line->text, check->contract, strlen(check->contract)) == 0);
	REQUIRE(strcmp(end, check->detail) == 0);
	REQUIRE(strlen(check->contract) <= 127 && strlen(check->version) <= 128);
	REQUIRE(strstr(line->text, check->ok ? " ok " : " fail ") != NULL);
}

static void note(void *arg, const machine_port_line *line)
{
	told *t = arg;
	size_t size = strlen(line->text);

	REQUIRE(size > 0 && size <= 256 && base_utf8_valid(line->text, size));
	for (size_t i = 0; i < size; i++)
		REQUIRE((unsigned char)line->text[i] >= 0x20 && line->text[i] != 0x7f);
	if (line->kind == MACHINE_PORT_CHECK)
		look(line);
	t->hash = t->hash * 31 + (uint64_t)line->kind + base_hash(line->text, size, 1);
	t->count++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	machine_port whole = {0}, bytes = {0};
	told one = {0}, two = {0};

	machine_port_feed(&whole, (const char *)data, size, 5, note, &one);
	for (size_t i = 0; i < size; i++)
		machine_port_feed(&bytes, (const char *)data + i, 1, 5, note, &two);
	REQUIRE(one.hash == two.hash && one.count == two.count);
	REQUIRE(whole.ready == bytes.ready && whole.ignored == bytes.ignored);
	REQUIRE(!whole.ready || memmem(data, size, "READY=1\n", 8) != NULL);
	return 0;
}
