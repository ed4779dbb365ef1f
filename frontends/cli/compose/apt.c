/* SPDX-License-Identifier: MIT
 *
 * Packages by apt's own client: which versions it offers, and their files. It checks what it
 * downloads against its signed lists, and so does whoever calls this.
 */
#include "recipe.h"
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_BYTES UINT64_C(16777216)

#define HINT_ELSEWHERE                                                                             \
	"apt is Debian's: elsewhere bring the packages and name their directory with --packages"

/* ---- what it offers ---- */

/* The next line, without its end; NULL behind the last. */
static char *next_line(char **at)
{
	char *line = *at, *end;

	if (line == NULL || *line == '\0')
		return NULL;
	end = strchr(line, '\n');
	if (end != NULL)
		*end = '\0';
	*at = end != NULL ? end + 1 : NULL;
	return line;
}

static bool take_field(const char *line, const char *name, char *out, size_t room)
{
	size_t size = strlen(name);

	if (strncmp(line, name, size) != 0 || strlen(line + size) >= room)
		return false;
	snprintf(out, room, "%s", line + size);
	return true;
}

/* One that is only installed here has no SHA-256. */
static bool fits(const compose_offer *one, const char *begins, bool exact)
{
	if (one->version[0] == '\0' || strlen(one->sha256) != sizeof(one->sha256) - 1)
		return false;
	return exact ? strcmp(one->version, begins) == 0
		     : strncmp(one->version, begins, strlen(begins)) == 0;
}

static bool find_offer(char *text, const char *begins, bool exact, compose_offer *offer)
{
	compose_offer one = {.version = ""};
	char *line;

	do {
		line = next_line(&text);
		if (line != NULL && line[0] != '\0') {
			if (!take_field(line, "Version: ", one.version, sizeof(one.version)))
				(void)take_field(line, "SHA256: ", one.sha256, sizeof(one.sha256));
			continue;
		}
		if (fits(&one, begins, exact)) {
			*offer = one;
			return true;
		}
		one = (compose_offer){.version = ""};
	} while (line != NULL);
	return false;
}

static int refuse_offer(cli_run *cli, const char *name, const char *begins, bool exact)
{
	if (exact)
		return cli_refuse(cli, HN_EMISSING,
			"a security update removes the old file from the archive: import the recipe "
			"again, and lock anew with hv-compose resolve --update",
			"apt does not offer %s %s any more", name, begins);
	return cli_refuse(cli, HN_EMISSING,
		"the archive of another release has it, or the lists are old: apt-get update",
		"apt offers no %s%s%s that it can download", name,
		begins[0] == '\0' ? "" : " whose version begins with ", begins);
}

int compose_apt_offer(
	cli_run *cli, const char *name, const char *begins, bool exact, compose_offer *offer)
{
	const char *const argv[] = {"apt-cache", "show", name, NULL};
	CLI_AUTO_RAN cli_ran ran = {0};
	int status = cli_program_run(cli, argv, NULL, LIST_BYTES, HINT_ELSEWHERE, &ran);

	if (status != 0)
		return status;
	if (ran.status != 0 || ran.size == 0)
		return cli_refuse(cli, HN_EMISSING, "as root: apt-get update",
			"apt knows no package %s", name);
	return find_offer(ran.out, begins, exact, offer) ? 0
							 : refuse_offer(cli, name, begins, exact);
}

/* ---- downloading ---- */

int compose_scratch_make(cli_run *cli, char **directory)
{
	CLI_AUTO_FREE char *path = cli_format("/tmp/hn-import.XXXXXX");
	const struct passwd *apt = geteuid() == 0 ? getpwnam("_apt") : NULL;

	if (mkdtemp(path) == NULL)
		return cli_refuse_errno(cli, path, errno);
	/* apt gives up its rights where it can: into a directory that it may enter. */
	if (chmod(path, 0755) != 0 || (apt != NULL && chown(path, apt->pw_uid, (gid_t)-1) != 0)) {
		int number = errno;

		rmdir(path);
		return cli_refuse_errno(cli, path, number);
	}
	*directory = path;
	path = NULL;
	return 0;
}

void compose_scratch_remove(const char *directory)
{
	DIR *open = directory != NULL ? opendir(directory) : NULL;
	const struct dirent *entry;

	while (open != NULL && (entry = readdir(open)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			(void)unlinkat(dirfd(open), entry->d_name, 0);
	if (open != NULL)
		closedir(open);
	if (directory != NULL)
		rmdir(directory);
}

/* apt's name of the file has version and architecture behind it. */
static char *find_file(const char *directory, const char *name)
{
	DIR *open = opendir(directory);
	size_t size = strlen(name);
	const struct dirent *entry;
	char *found = NULL;

	while (open != NULL && found == NULL && (entry = readdir(open)) != NULL)
		if (strncmp(entry->d_name, name, size) == 0 && entry->d_name[size] == '_' &&
			strlen(entry->d_name) > 4 &&
			strcmp(entry->d_name + strlen(entry->d_name) - 4, ".deb") == 0)
			found = cli_format("%s/%s", directory, entry->d_name);
	if (open != NULL)
		closedir(open);
	return found;
}

int compose_apt_download(cli_run *cli, const char *name, const compose_offer *offer,
	const char *directory, char **path)
{
	CLI_AUTO_FREE char *wanted = cli_format("%s=%s", name, offer->version);
	CLI_AUTO_FREE char *found = NULL;
	CLI_AUTO_FREE char *last = NULL;
	const char *const argv[] = {"apt-get", "download", "-qq", wanted, NULL};
	CLI_AUTO_RAN cli_ran ran = {0};
	int status = cli_program_run(cli, argv, directory, LIST_BYTES, HINT_ELSEWHERE, &ran);

	if (status != 0)
		return status;
	found = find_file(directory, name);
	last = cli_ran_last(&ran);
	if (ran.status != 0 || found == NULL)
		return cli_refuse(cli, HN_EIO, "apt-get update, when its lists are old",
			"apt cannot download %s: %s", wanted, last);
	*path = found;
	found = NULL;
	return 0;
}
