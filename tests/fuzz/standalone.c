/* SPDX-License-Identifier: MIT
 *
 * Runs a fuzz target without libFuzzer: each file of the corpus as it is, and 200 fixed mutations
 * of each, so that the same inputs are tried on every machine. Directories and files are given as
 * arguments.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MUTATIONS = 200, GROWTH = 256, INPUT_MOST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long inputs;

/* splitmix64. */
static uint64_t chance(uint64_t *state)
{
	uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

/* In memory of exactly its size, so that a sanitizer sees a read past the end. */
static void run_exact(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);

	if (exact == NULL)
		abort();
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	inputs++;
}

static size_t at_random(uint64_t *state, size_t below)
{
	return below > 0 ? (size_t)(chance(state) % below) : 0;
}

/* One small change: a bit, a byte, a piece cut, doubled or inserted, an end cut off. The new size.
 */
static size_t mutate(uint8_t *data, size_t size, size_t room, uint64_t *state)
{
	static const char *const pieces[] = {"0", "9", ".", "-", "\"", "[", "]", "{", "}", ",", ":",
		"\\", "\n", "\xff", "\xc0\x80", "9999999999999999999", "/", "*", "1e9", " "};
	size_t at = at_random(state, size);
	size_t length;

	switch (size > 0 ? chance(state) % 6 : 4) {
	case 0:
		data[at] ^= (uint8_t)(1u << at_random(state, 8));
		return size;
	case 1:
		data[at] = (uint8_t)chance(state);
		return size;
	case 2:
		length = 1 + at_random(state, size - at);
		memmove(data + at, data + at + length, size - at - length);
		return size - length;
	case 3:
		length = 1 + at_random(state, size - at);
		if (length > room - size)
			return size;
		memmove(data + at + length, data + at, size - at);
		return size + length;
	case 4: {
		const char *piece = pieces[at_random(state, sizeof(pieces) / sizeof(pieces[0]))];

		length = strlen(piece);
		if (length > room - size)
			return size;
		memmove(data + at + length, data + at, size - at);
		memcpy(data + at, piece, length);
		return size + length;
	}
	default:
		return at;
	}
}

static void run_mutations(const uint8_t *data, size_t size)
{
	uint64_t state = size;
	uint8_t *changed = malloc(size + GROWTH);

	if (changed == NULL)
		abort();
	for (size_t i = 0; i < size; i++)
		state = state * 31 + data[i];
	for (int i = 0; i < MUTATIONS; i++) {
		size_t now = size;

		memcpy(changed, data, size);
		for (uint64_t steps = 1 + chance(&state) % 4; steps > 0; steps--)
			now = mutate(changed, now, size + GROWTH, &state);
		run_exact(changed, now);
	}
	free(changed);
}

static int run_file(const char *path)
{
	uint8_t *data = malloc(INPUT_MOST);
	FILE *file = fopen(path, "rb");
	size_t size;

	if (data == NULL || file == NULL) {
		fprintf(stderr, "cannot read %s\n", path);
		free(data);
		if (file != NULL)
			fclose(file);
		return -1;
	}
	size = fread(data, 1, INPUT_MOST, file);
	fclose(file);
	run_exact(data, size);
	run_mutations(data, size);
	free(data);
	return 0;
}

static int run_directory(const char *path, DIR *directory)
{
	const struct dirent *found;
	char name[4096];
	int failed = 0;

	while ((found = readdir(directory)) != NULL) {
		if (found->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, found->d_name);
		failed |= run_file(name);
	}
	closedir(directory);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++) {
		DIR *directory = opendir(argv[i]);

		failed |= directory != NULL ? run_directory(argv[i], directory) : run_file(argv[i]);
	}
	printf("%lu inputs\n", inputs);
	/* A corpus that is not there must not look like one that was survived. */
	return failed != 0 || inputs == 0;
}
