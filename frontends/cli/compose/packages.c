/* SPDX-License-Identifier: MIT
 *
 * Packages for recipes and locks: from a directory, else by apt.
 */
#include "recipe.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP = 65536 };

void compose_source_end(compose_source *source)
{
	cli_progress_end(&source->progress);
	for (size_t i = 0; i < source->count; i++) {
		free(source->debs[i].name);
		free(source->debs[i].begins);
		free(source->debs[i].path);
		hn_package_unref(source->debs[i].package);
	}
	free(source->debs);
	compose_scratch_remove(source->scratch);
	free(source->scratch);
}

/* ---- what is there ---- */

/* NAME.deb, as an import keeps it, or the only NAME_VERSION_ARCHITECTURE.deb. */
static int find_there(const compose_source *source, const char *name, char **path)
{
	CLI_AUTO_FREE char *plain =
		source->directory != NULL ? cli_format("%s/%s.deb", source->directory, name) : NULL;
	CLI_AUTO_FREE char *found = NULL;
	DIR *open = plain != NULL && access(plain, F_OK) != 0 ? opendir(source->directory) : NULL;
	size_t size = strlen(name), count = 0;
	const struct dirent *entry;

	if (plain != NULL && access(plain, F_OK) == 0) {
		*path = plain;
		plain = NULL;
		return 0;
	}
	while (open != NULL && (entry = readdir(open)) != NULL) {
		size_t length = strlen(entry->d_name);

		if (strncmp(entry->d_name, name, size) != 0 || entry->d_name[size] != '_' ||
			length < 5 || strcmp(entry->d_name + length - 4, ".deb") != 0)
			continue;
		free(found);
		found = cli_format("%s/%s", source->directory, entry->d_name);
		count++;
	}
	if (open != NULL)
		closedir(open);
	if (count > 1)
		return cli_refuse(source->cli, HN_EAMBIGUOUS, "leave one of them there",
			"%s has several files of the package %s", source->directory, name);
	*path = found;
	found = NULL;
	return 0;
}

static int read_package(
	compose_source *source, const char *path, const char *sha256, hn_package **package)
{
	hn_error *error = NULL;

	if (hn_package_read(path, sha256, cli_text(source->cli, "parser"), source->cli->cancel,
		    package, &error) < 0)
		return cli_fail(source->cli, error);
	return 0;
}

/* Is the file that is there the one of this SHA-256? It may be damaged, too: then it is not. */
static bool is_same(
	compose_source *source, const char *path, const char *sha256, hn_package **package)
{
	hn_error *error = NULL;
	int code = hn_package_read(path, sha256, cli_text(source->cli, "parser"),
		source->cli->cancel, package, &error);

	hn_error_unref(error);
	return code == 0;
}

/* ---- what is not ---- */

static int copy_bytes(cli_run *cli, int from, int to, const char *path)
{
	CLI_AUTO_FREE char *piece = cli_alloc(STEP);
	ssize_t got;

	while ((got = read(from, piece, STEP)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		for (ssize_t done = 0, put; got > 0 && done < got; done += put) {
			put = write(to, piece + done, (size_t)(got - done));
			if (put < 0)
				return cli_refuse_errno(cli, path, errno);
		}
		if (got < 0)
			return cli_refuse_errno(cli, path, errno);
	}
	return fsync(to) == 0 ? 0 : cli_refuse_errno(cli, path, errno);
}

/* It may be another file system. */
static int copy_file(cli_run *cli, const char *from, const char *to)
{
	CLI_AUTO_FREE char *fresh = cli_format("%s.new", to);
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int out = in < 0 ? -1
			 : open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	int status = in < 0    ? cli_refuse_errno(cli, from, errno)
		     : out < 0 ? cli_refuse_errno(cli, fresh, errno)
			       : copy_bytes(cli, in, out, fresh);

	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	if (status == 0 && rename(fresh, to) != 0)
		status = cli_refuse_errno(cli, to, errno);
	if (status != 0 && out >= 0)
		unlink(fresh);
	return status;
}

static int keep(compose_source *source, const char *name, char **path)
{
	CLI_AUTO_FREE char *to = cli_format("%s/%s.deb", source->directory, name);
	int status;

	if (mkdir(source->directory, 0755) != 0 && errno != EEXIST)
		return cli_refuse_errno(source->cli, source->directory, errno);
	status = copy_file(source->cli, *path, to);
	if (status != 0)
		return status;
	unlink(*path);
	free(*path);
	*path = to;
	to = NULL;
	return 0;
}

/* What apt brought is what its signed lists name, and only then is it kept. */
static int download(compose_source *source, const char *name, const compose_offer *offer,
	char **path, hn_package **package)
{
	CLI_AUTO_FREE char *brought = NULL;
	int status = 0;

	if (cli_flag(source->cli, "offline"))
		return cli_refuse(source->cli, HN_EMISSING, "without --offline apt downloads it",
			"the package %s is not in %s", name,
			source->directory != NULL ? source->directory
						  : "a directory of --packages");
	if (source->scratch == NULL)
		status = compose_scratch_make(source->cli, &source->scratch);
	if (status == 0)
		status = compose_apt_download(source->cli, name, offer, source->scratch, &brought);
	if (status == 0)
		status = read_package(source, brought, offer->sha256, package);
	if (status == 0 && source->directory != NULL && source->keep)
		status = keep(source, name, &brought);
	if (status != 0)
		return status;
	*path = brought;
	brought = NULL;
	return 0;
}

/* ---- for recipes ---- */

static int obtain(compose_source *source, compose_deb *deb)
{
	bool offline = cli_flag(source->cli, "offline");
	compose_offer offer = {.version = ""};
	CLI_AUTO_FREE char *there = NULL;
	int status = find_there(source, deb->name, &there);

	if (status != 0)
		return status;
	if (there != NULL && (!source->fresh || offline)) {
		status = read_package(source, there, NULL, &deb->package);
	} else {
		if (!offline)
			status = compose_apt_offer(
				source->cli, deb->name, deb->begins, false, &offer);
		if (status == 0 &&
			(there == NULL || !is_same(source, there, offer.sha256, &deb->package))) {
			deb->downloaded = true;
			return download(source, deb->name, &offer, &deb->path, &deb->package);
		}
	}
	if (status != 0)
		return status;
	deb->path = there;
	there = NULL;
	return 0;
}

/* A file may be called as another package is. */
static int check_name(const compose_source *source, const compose_deb *deb)
{
	hn_package_info info = HN_PACKAGE_INFO_INIT;
	hn_error *error = NULL;

	if (hn_package_get(deb->package, &info, &error) < 0)
		return cli_fail(source->cli, error);
	return strcmp(info.name, deb->name) == 0 ? 0
						 : cli_refuse(source->cli, HN_EINVAL, NULL,
							   "%s is of the package %s, not of %s",
							   deb->path, info.name, deb->name);
}

static int get(compose_source *source, const char *name, const char *begins, size_t *index)
{
	compose_deb *deb;
	int status;

	for (size_t i = 0; i < source->count; i++)
		if (strcmp(source->debs[i].name, name) == 0 &&
			strcmp(source->debs[i].begins, begins) == 0) {
			*index = i;
			return 0;
		}
	source->debs = cli_realloc(source->debs, source->count + 1, sizeof(*source->debs));
	deb = &source->debs[source->count];
	*deb = (compose_deb){.name = cli_strndup(name, strlen(name)),
		.begins = cli_strndup(begins, strlen(begins))};
	*index = source->count++;
	status = obtain(source, deb);
	return status != 0 ? status : check_name(source, deb);
}

int compose_source_get(compose_source *source, const hn_recipe_package *wanted, size_t *index)
{
	hn_package_info info = HN_PACKAGE_INFO_INIT;
	hn_error *error = NULL;
	int status = get(source, wanted->package, wanted->dependency ? "" : wanted->version, index);

	if (status != 0)
		return status;
	if (wanted->dependency) {
		if (hn_package_get(source->debs[*index].package, &info, &error) < 0)
			return cli_fail(source->cli, error);
		if (info.dependency == NULL)
			return cli_refuse(source->cli, HN_EMISSING, NULL,
				"%s depends on nothing, and its first dependency is wanted",
				wanted->package);
		status = get(source, info.dependency, wanted->version, index);
	}
	if (status == 0)
		source->debs[*index].wanted = true;
	return status;
}

/* ---- for locks ---- */

static bool is_package_file(const char *file, const char *name)
{
	size_t size = strlen(name), length = strlen(file);

	return strncmp(file, name, size) == 0 && (file[size] == '_' || file[size] == '.') &&
	       length >= size + 4 && strcmp(file + length - 4, ".deb") == 0;
}

/* Whichever of the files of that package it is; the caller's, NULL when it is not there. */
static char *find_same(compose_source *source, const char *name, const char *sha256)
{
	DIR *open = source->directory != NULL ? opendir(source->directory) : NULL;
	const struct dirent *entry;
	char *found = NULL;

	while (open != NULL && found == NULL && (entry = readdir(open)) != NULL) {
		CLI_AUTO_OF(hn_package) hn_package *package = NULL;
		CLI_AUTO_FREE char *path = cli_format("%s/%s", source->directory, entry->d_name);

		if (is_package_file(entry->d_name, name) &&
			is_same(source, path, sha256, &package)) {
			found = path;
			path = NULL;
		}
	}
	if (open != NULL)
		closedir(open);
	return found;
}

int compose_source_fetch(compose_source *source, const char *name, const char *version,
	const char *sha256, char **path)
{
	CLI_AUTO_OF(hn_package) hn_package *package = NULL;
	compose_offer offer = {.version = ""};
	int status = 0;

	*path = find_same(source, name, sha256);
	if (*path != NULL)
		return 0;
	if (!cli_flag(source->cli, "offline"))
		status = compose_apt_offer(source->cli, name, version, true, &offer);
	if (status == 0 && offer.version[0] != '\0' && strcmp(offer.sha256, sha256) != 0)
		return cli_refuse(source->cli, HN_EDIGEST,
			"it is of another archive: bring the file that was locked, with hv-compose put",
			"apt's %s %s has the SHA-256 %s, and the lock names %s", name, version,
			offer.sha256, sha256);
	return status != 0 ? status : download(source, name, &offer, path, &package);
}
