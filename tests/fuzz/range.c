/* SPDX-License-Identifier: MIT
 *
 * Fuzzes versions and ranges: the first line is a version, the second another, the rest a range. An
 * order has a mirror, a canonical range is read again as it is and holds the same.
 */
#include "compose/version.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *line_end(const char *text, const char *end)
{
	const char *found = text < end ? memchr(text, '\n', (size_t)(end - text)) : NULL;

	return found != NULL ? found : end;
}

/* The versions, as many as there are, from the first lines of *text, which is left behind them. */
static size_t read_versions(const char **text, const char *end, compose_version versions[2])
{
	size_t count = 0;

	for (int i = 0; i < 2; i++) {
		const char *stop = line_end(*text, end);

		if (compose_version_parse(*text, (size_t)(stop - *text), &versions[count], NULL) ==
			0)
			count++;
		*text = stop < end ? stop + 1 : end;
	}
	return count;
}

static void check_range(const compose_range *range, base_arena *arena,
	const compose_version *versions, size_t count)
{
	const char *text = compose_range_text(range);
	const compose_range *again = NULL;

	if (compose_range_parse(arena, text, strlen(text), &again, NULL) != 0 &&
		strlen(text) <= base_limit(BASE_LIMIT_RANGE_BYTES))
		abort();
	if (again == NULL)
		return;
	if (strcmp(compose_range_text(again), text) != 0)
		abort();
	for (size_t i = 0; i < count; i++)
		if (compose_range_match(range, &versions[i]) !=
			compose_range_match(again, &versions[i]))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = text + size;
	compose_version versions[2];
	const compose_range *range;
	base_arena *arena = base_arena_new();
	size_t count = read_versions(&text, end, versions);

	if (count == 2 && (compose_version_compare(&versions[0], &versions[1]) < 0) !=
				  (compose_version_compare(&versions[1], &versions[0]) > 0))
		abort();
	if (arena != NULL &&
		compose_range_parse(arena, text, (size_t)(end - text), &range, NULL) == 0)
		check_range(range, arena, versions, count);
	base_arena_free(arena);
	return 0;
}
