/* SPDX-License-Identifier: MIT
 *
 * Fuzzes names of objects, patterns and words of verbs. An input has three lines: a wide pattern, a
 * narrow one, an object. What is taken matches as a plain reading of its segments says, and what is
 * within a pattern matches nothing that the pattern does not.
 */
#include "caps/pattern.h"
#include <stdlib.h>

enum { SEGMENTS = BASE_OBJECT_SIZE };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct part {
	char *text; /* memory of exactly its size */
	size_t size;
} part;

static void require(bool held)
{
	if (!held)
		abort();
}

static part take(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *line = memchr(*at, '\n', (size_t)(end - *at));
	part one = {.size = (size_t)((line ? line : end) - *at)};

	one.text = malloc(one.size > 0 ? one.size : 1);
	require(one.text != NULL);
	memcpy(one.text, *at, one.size);
	*at = line ? line + 1 : end;
	return one;
}

/* Segments between slashes: where each begins, and behind the last where one would. */
static size_t split(part whole, size_t starts[SEGMENTS + 1])
{
	size_t count = 0;

	starts[count++] = 0;
	for (size_t i = 0; i < whole.size; i++)
		if (whole.text[i] == '/')
			starts[count++] = i + 1;
	starts[count] = whole.size + 1;
	return count;
}

static bool matches(part pattern, part object)
{
	size_t want[SEGMENTS + 1], have[SEGMENTS + 1];
	size_t wanted = split(pattern, want), had = split(object, have);

	for (size_t i = 0; i < wanted; i++) {
		const char *word = pattern.text + want[i];
		size_t length = want[i + 1] - want[i] - 1;

		if (length == 2 && memcmp(word, "**", 2) == 0)
			return true;
		if (i >= had)
			return false;
		if (length == 1 && word[0] == '*')
			continue;
		if (length != have[i + 1] - have[i] - 1 ||
			memcmp(word, object.text + have[i], length) != 0)
			return false;
	}
	return wanted == had;
}

/* Of one text: a name is a pattern that matches itself, and all is within "**" and itself. */
static void try_alone(part one)
{
	bool pattern = caps_pattern_valid(one.text, one.size);

	require(pattern || !caps_object_valid(one.text, one.size));
	if (!pattern)
		return;
	require(one.size < BASE_OBJECT_SIZE && memchr(one.text, '\0', one.size) == NULL);
	require(caps_pattern_within(one.text, one.size, one.text, one.size));
	require(caps_pattern_within(one.text, one.size, "**", 2));
	require(caps_object_valid(one.text, one.size) == (memchr(one.text, '*', one.size) == NULL));
	(void)caps_object_classes(one.text, one.size);
}

static void try_verbs(part one)
{
	char *text = base_strndup(one.text, one.size);
	caps_mask mask = {{0}}, all = {{0}};

	require(text != NULL && caps_mask_add_text(&all, "*", NULL) == 0);
	if (caps_mask_add_text(&mask, text, NULL) == 0)
		require(caps_mask_size(&mask) > 0 && caps_mask_within(&mask, &all));
	else
		require(caps_mask_size(&mask) == 0);
	base_free(text);
}

static void try_together(part wide, part narrow, part object)
{
	bool by_wide, by_narrow;

	if (!caps_pattern_valid(wide.text, wide.size) ||
		!caps_pattern_valid(narrow.text, narrow.size) ||
		!caps_object_valid(object.text, object.size))
		return;
	by_wide = caps_pattern_match(wide.text, wide.size, object.text, object.size);
	by_narrow = caps_pattern_match(narrow.text, narrow.size, object.text, object.size);
	require(by_wide == matches(wide, object) && by_narrow == matches(narrow, object));
	if (caps_pattern_within(narrow.text, narrow.size, wide.text, wide.size))
		require(by_wide || !by_narrow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data;
	part parts[3];

	for (int i = 0; i < 3; i++) {
		parts[i] = take(&at, data + size);
		try_alone(parts[i]);
		try_verbs(parts[i]);
	}
	try_together(parts[0], parts[1], parts[2]);
	for (int i = 0; i < 3; i++)
		free(parts[i].text);
	return 0;
}
