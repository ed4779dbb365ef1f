/* SPDX-License-Identifier: MIT
 *
 * Files that a recipe brings itself: those below the directory root beside it.
 */
#include "recipe.h"
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

enum { DEPTH = 64 };

void compose_files_end(compose_files *all)
{
	for (size_t i = 0; i < all->count; i++) {
		cli_free_pointer(&all->files[i].path);
		cli_free_pointer(&all->files[i].text);
	}
	free(all->files);
	*all = (compose_files){0};
}

static int add_file(
	cli_run *cli, const char *path, size_t root, bool executable, compose_files *all)
{
	COMPOSE_AUTO_BYTES cli_bytes bytes = {0};
	int status = cli_read_file(cli, path, COMPOSE_DOCUMENT_BYTES, &bytes);

	if (status != 0)
		return status;
	if (bytes.size > 0 && memchr(bytes.data, '\0', bytes.size) != NULL)
		return cli_refuse(cli, HN_ESCHEMA,
			"pack the directory with hv-compose pack: it is then a payload",
			"%s is no text", path);
	all->files = cli_realloc(all->files, all->count + 1, sizeof(*all->files));
	all->files[all->count++] =
		(hn_recipe_file){.path = cli_strndup(path + root, strlen(path + root)),
			.text = cli_strndup(bytes.size > 0 ? bytes.data : "", bytes.size),
			.executable = executable};
	return 0;
}

static int walk(cli_run *cli, const char *directory, size_t root, int depth, compose_files *all);

static int take(cli_run *cli, const char *path, size_t root, int depth, compose_files *all)
{
	struct stat facts;

	if (lstat(path, &facts) != 0)
		return cli_refuse_errno(cli, path, errno);
	if (S_ISDIR(facts.st_mode) && depth < DEPTH)
		return walk(cli, path, root, depth + 1, all);
	if (!S_ISREG(facts.st_mode))
		return cli_refuse(cli, HN_ESCHEMA, "write links under \"files\" of the manifest",
			"%s is no regular file, or too deep", path);
	return add_file(cli, path, root, (facts.st_mode & S_IXUSR) != 0, all);
}

static int walk(cli_run *cli, const char *directory, size_t root, int depth, compose_files *all)
{
	DIR *open = opendir(directory);
	const struct dirent *entry;
	int status = 0;

	if (open == NULL)
		return cli_refuse_errno(cli, directory, errno);
	while (status == 0 && (entry = readdir(open)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		CLI_AUTO_FREE char *path = cli_format("%s/%s", directory, entry->d_name);
		status = take(cli, path, root, depth, all);
	}
	closedir(open);
	return status;
}

/* By directory, then by name: whatever the file system gives first. */
static int by_place(const void *left, const void *right)
{
	const char *a = ((const hn_recipe_file *)left)->path;
	const char *b = ((const hn_recipe_file *)right)->path;
	size_t of_a = (size_t)(strrchr(a, '/') - a), of_b = (size_t)(strrchr(b, '/') - b);
	int order = memcmp(a, b, of_a < of_b ? of_a : of_b);

	if (order == 0 && of_a != of_b)
		order = of_a < of_b ? -1 : 1;
	return order != 0 ? order : strcmp(a + of_a, b + of_b);
}

int compose_files_read(cli_run *cli, const char *directory, compose_files *all)
{
	struct stat facts;
	int status;

	if (stat(directory, &facts) != 0 || !S_ISDIR(facts.st_mode))
		return 0;
	status = walk(cli, directory, strlen(directory), 0, all);
	if (status == 0 && all->count > 0)
		qsort(all->files, all->count, sizeof(*all->files), by_place);
	return status;
}
