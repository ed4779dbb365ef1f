/* SPDX-License-Identifier: MIT
 *
 * What we say of versions and ranges, a line an answer: "semver" reads lines "VERSION VERSION
 * RANGE" and says the order of the two and whether each is in the range, "deb" reads "VERSION
 * VERSION".
 */
#include "compose/version.h"
#include <stdio.h>
#include <stdlib.h>

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

/* The words of a line; the last goes to its end. */
static size_t split(char *line, char *words[], size_t count)
{
	size_t found = 0;

	line[strcspn(line, "\n")] = '\0';
	for (char *at = line; found < count; at++) {
		words[found++] = at;
		if (found == count || (at = strchr(at, ' ')) == NULL)
			break;
		*at = '\0';
	}
	return found;
}

static void parsed(int rc, hn_error *err, const char *text)
{
	if (rc == 0)
		return;
	fprintf(stderr, "%s: %s\n", text, err != NULL ? hn_error_message(err) : "failed");
	exit(1);
}

static void answer_semver(char *words[3])
{
	base_arena *arena = base_arena_new();
	const compose_range *range = NULL;
	compose_version versions[2];
	hn_error *err = NULL;

	for (int i = 0; i < 2; i++)
		parsed(compose_version_parse(words[i], strlen(words[i]), &versions[i], &err), err,
			words[i]);
	parsed(compose_range_parse(arena, words[2], strlen(words[2]), &range, &err), err, words[2]);
	printf("%d %d %d\n", sign(compose_version_compare(&versions[0], &versions[1])),
		compose_range_match(range, &versions[0]), compose_range_match(range, &versions[1]));
	base_arena_free(arena);
}

int main(int argc, char *argv[])
{
	bool deb = argc == 2 && strcmp(argv[1], "deb") == 0;
	char line[4096], *words[3];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		size_t wanted = deb ? 2 : 3;

		if (split(line, words, wanted) != wanted) {
			fprintf(stderr, "a line without its words: %s\n", line);
			return 1;
		}
		if (deb)
			printf("%d\n", sign(compose_deb_compare(words[0], words[1])));
		else
			answer_semver(words);
	}
	return 0;
}
