/* SPDX-License-Identifier: MIT
 *
 * The archive of secrets as tar and busybox read it: the same names, modes, times and bytes.
 * Arguments: how many archives, and the seed of what is in them.
 */
#include "host/unit-secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 64
#define MOST 16384

typedef struct wanted {
	char name[64];
	uint8_t *bytes;
	size_t size;
	int64_t made;
} wanted;

static uint64_t state;

static uint64_t next(void) /* splitmix64 */
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int fail(const char *tool, const char *name, const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", tool, name, what);
	return 1;
}

/* Sizes about the borders of blocks come up often, and so do names of the greatest length. */
static void choose(wanted *file, size_t index)
{
	static const size_t sizes[] = {0, 1, 511, 512, 513, 1024, MOST - 1, MOST};
	size_t length = next() % 4 == 0 ? 63 : 4 + next() % 20;

	file->size = next() % 2 ? sizes[next() % BASE_COUNT(sizes)] : next() % 2000;
	file->made = 1 + (int64_t)(next() % 1767225600); /* tar complains of the future */
	for (size_t i = 0; i < file->size; i++)
		file->bytes[i] = (uint8_t)next();
	(void)snprintf(file->name, sizeof(file->name), "n%02zu", index);
	for (size_t i = 3; i < length; i++)
		file->name[i] = "abcdefghijklmnopqrstuvwxyz0123456789-"[next() % 37];
	file->name[length] = '\0';
}

static int make(wanted *files, size_t count, int *fd)
{
	HOST_MEMORY_AUTO archive = {.fd = -1};
	hn_error *err = NULL;
	int rc = host_memory_new(&archive, &err);

	for (size_t i = 0; rc >= 0 && i < count; i++) {
		choose(&files[i], i);
		rc = host_archive_add(&archive, files[i].name, files[i].made, files[i].bytes,
			files[i].size, &err);
	}
	if (rc >= 0)
		rc = host_archive_end(&archive, &err);
	if (rc >= 0 && archive.size % 4096 != 0)
		return fail("archive", "size", "no whole pages");
	return rc < 0 ? rc : host_memory_seal(&archive, fd, &err);
}

static int compare(const char *tool, const char *directory, const wanted *file)
{
	static uint8_t bytes[MOST + 1];
	struct stat status;
	char path[256];
	size_t size;
	FILE *in;

	(void)snprintf(path, sizeof(path), "%.180s/%.63s", directory, file->name);
	if (stat(path, &status) < 0)
		return fail(tool, file->name, "it is not there");
	if ((status.st_mode & 07777) != 0400)
		return fail(tool, file->name, "its mode is another");
	if (status.st_mtime != file->made)
		return fail(tool, file->name, "its time is another");
	in = fopen(path, "r");
	if (!in)
		return fail(tool, file->name, "it cannot be read");
	size = fread(bytes, 1, sizeof(bytes), in);
	fclose(in);
	if (size != file->size || memcmp(bytes, file->bytes, size) != 0)
		return fail(tool, file->name, "its bytes are others");
	return 0;
}

/* Nothing but these files comes out. */
static int count_files(const char *directory, size_t *count)
{
	char command[300];
	FILE *list;
	int ended;

	(void)snprintf(command, sizeof(command), "ls -A '%s' | wc -l", directory);
	list = popen(command, "r");
	if (!list)
		return 1;
	ended = fscanf(list, "%zu", count) == 1 ? 0 : 1;
	return pclose(list) != 0 || ended;
}

static int read_by(const char *tool, int fd, const wanted *files, size_t count)
{
	char directory[] = "/tmp/hn-tar-XXXXXX", command[300];
	size_t seen = 0;
	int failed = 0;

	if (!mkdtemp(directory) || dup2(fd, 9) < 0)
		return 1;
	/* by standard input, as a guest reads its disk; what it complains of is a difference */
	(void)snprintf(command, sizeof(command),
		"said=$(%s -x -C '%s' </proc/self/fd/9 2>&1) && [ -z \"$said\" ]", tool, directory);
	if (lseek(fd, 0, SEEK_SET) < 0 || system(command) != 0)
		failed = fail(tool, "archive", "it is not taken, or not without a word");
	for (size_t i = 0; !failed && i < count; i++)
		failed = compare(tool, directory, &files[i]);
	if (!failed && (count_files(directory, &seen) != 0 || seen != count))
		failed = fail(tool, "archive", "there are more or fewer files in it");
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	if (system(command) != 0)
		failed = 1;
	(void)close(9);
	return failed;
}

int main(int argc, char **argv)
{
	static const char *const tools[] = {"tar", "busybox tar"};
	static wanted files[FILES];
	unsigned long archives = argc > 1 ? strtoul(argv[1], NULL, 10) : 20;

	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	for (size_t i = 0; i < FILES; i++)
		if (!(files[i].bytes = malloc(MOST)))
			return 1;
	for (unsigned long i = 0; i < archives; i++) {
		size_t count = i == 0 ? FILES : 1 + next() % 12;
		int fd = -1;

		if (make(files, count, &fd) != 0)
			return 1;
		for (size_t k = 0; k < BASE_COUNT(tools); k++) {
			char command[64];

			(void)snprintf(
				command, sizeof(command), "command -v %.8s >/dev/null", tools[k]);
			if (system(command) == 0 && read_by(tools[k], fd, files, count) != 0)
				return 1;
		}
		(void)close(fd);
	}
	for (size_t i = 0; i < FILES; i++)
		free(files[i].bytes);
	printf("checks: %lu\n", archives);
	return 0;
}
