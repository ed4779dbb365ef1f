/* SPDX-License-Identifier: MIT
 *
 * A directory that is a registry: manifests and contracts go into it.
 */
#include "recipe.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int compose_directory_lock(cli_run *cli, const char *directory)
{
	CLI_AUTO_FREE char *path = cli_format("%s/.lock", directory);
	int fd;

	if (mkdir(directory, 0755) != 0 && errno != EEXIST)
		return cli_refuse_errno(cli, directory, errno);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return cli_refuse_errno(cli, path, errno);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (!cli->quiet && !cli->json)
		fprintf(stderr, "waiting: another import changes %s\n", directory);
	while (flock(fd, LOCK_EX) != 0) {
		if (errno == EINTR && !hn_cancel_triggered(cli->cancel))
			continue;
		close(fd);
		return cli_refuse(
			cli, HN_EBUSY, NULL, "another import still changes %s", directory);
	}
	return 0;
}

/* ---- files ---- */

/* Names in a manifest and in a contract do not lead out of the directory. */
static int make_folders(cli_run *cli, const char *directory, const char *inside)
{
	const char *slash = strchr(inside, '/');

	for (; slash != NULL; slash = strchr(slash + 1, '/')) {
		CLI_AUTO_FREE char *folder =
			cli_format("%s/%.*s", directory, (int)(slash - inside), inside);

		if (mkdir(folder, 0755) != 0 && errno != EEXIST)
			return cli_refuse_errno(cli, folder, errno);
	}
	return 0;
}

static int write_there(cli_run *cli, const compose_place_options *how, const char *inside,
	const char *path, const char *text)
{
	size_t size = strlen(text);
	CLI_AUTO_FREE char *whole =
		cli_format("%s%s", text, size > 0 && text[size - 1] == '\n' ? "" : "\n");
	CLI_AUTO_OF(cli_output) cli_output *output = NULL;
	cli_output *given;
	int status = how->dry_run ? 0 : make_folders(cli, how->directory, inside);

	if (status != 0 || how->dry_run)
		return status;
	status = cli_output_open(cli, path, &output);
	if (status != 0)
		return status;
	given = output;
	output = NULL;
	return cli_output_write(cli, given, 0644, whole, strlen(whole), CLI_AGAIN);
}

/* *bytes stays empty where there is none. */
static int read_there(cli_run *cli, const char *path, cli_bytes *bytes)
{
	return access(path, F_OK) == 0 ? cli_read_file(cli, path, COMPOSE_DOCUMENT_BYTES, bytes)
				       : 0;
}

static int refuse_other(cli_run *cli, const char *path)
{
	return cli_refuse(cli, HN_EEXIST,
		"give it another version, such as a new revision +rN; of a recipe --replace puts it "
		"there, and locks of the one that was there hold no longer",
		"%s is there, and is another", path);
}

/* ---- manifests ---- */

/* The same, however it is spelled. */
static bool same_manifest(const char *path, const cli_bytes *bytes, const hn_manifest *manifest)
{
	CLI_AUTO_OF(hn_manifest) hn_manifest *there = NULL;
	char is[HN_DIGEST_TEXT], was[HN_DIGEST_TEXT];
	hn_error *error = NULL;

	if (hn_manifest_parse(path, bytes->data, bytes->size, &there, &error) < 0) {
		hn_error_unref(error);
		return false;
	}
	hn_manifest_digest(manifest, is);
	hn_manifest_digest(there, was);
	return strcmp(is, was) == 0;
}

int compose_place_manifest(cli_run *cli, const compose_place_options *how,
	const hn_manifest *manifest, const char *text, compose_placed *placed, char **path)
{
	CLI_AUTO_FREE char *inside = cli_format("manifests/%s/%s.json",
		hn_manifest_component(manifest), hn_manifest_version(manifest));
	COMPOSE_AUTO_BYTES cli_bytes bytes = {0};
	int status;

	*path = cli_format("%s/%s", how->directory, inside);
	status = read_there(cli, *path, &bytes);
	if (status != 0)
		return status;
	*placed = bytes.data == NULL ? COMPOSE_NEW : COMPOSE_REPLACED;
	if (bytes.data != NULL && same_manifest(*path, &bytes, manifest)) {
		*placed = COMPOSE_THERE;
		return 0;
	}
	if (bytes.data != NULL && !how->replace)
		return refuse_other(cli, *path);
	return write_there(cli, how, inside, *path, text);
}

/* ---- contracts ---- */

int compose_compare_contract(
	cli_run *cli, const hn_contract *there, const hn_contract *given, int *order, bool *differs)
{
	CLI_AUTO_TEXT char *is = NULL;
	CLI_AUTO_TEXT char *was = NULL;
	hn_error *error = NULL;

	if (hn_version_compare(
		    hn_contract_version(there), hn_contract_version(given), order, &error) < 0 ||
		hn_contract_json(there, &was, &error) < 0 ||
		hn_contract_json(given, &is, &error) < 0)
		return cli_fail(cli, error);
	*differs = *order == 0 && strcmp(is, was) != 0;
	return 0;
}

static int look_contract(cli_run *cli, const compose_place_options *how, const char *path,
	const hn_contract *contract, compose_placed *placed)
{
	CLI_AUTO_OF(hn_contract) hn_contract *there = NULL;
	COMPOSE_AUTO_BYTES cli_bytes bytes = {0};
	hn_error *error = NULL;
	bool differs = false;
	int order = -1, status = read_there(cli, path, &bytes);

	*placed = bytes.data == NULL ? COMPOSE_NEW : COMPOSE_REPLACED;
	if (status != 0 || bytes.data == NULL)
		return status;
	if (hn_contract_parse(path, bytes.data, bytes.size, &there, &error) < 0)
		return cli_fail(cli, error);
	status = compose_compare_contract(cli, there, contract, &order, &differs);
	if (status != 0)
		return status;
	if (differs && !how->replace)
		return refuse_other(cli, path);
	if (order >= 0 && !differs)
		*placed = COMPOSE_THERE;
	return 0;
}

int compose_place_contract(cli_run *cli, const compose_place_options *how,
	const hn_contract *contract, const char *text, compose_placed *placed)
{
	CLI_AUTO_FREE char *inside = cli_format("contracts/%s.json", hn_contract_name(contract));
	CLI_AUTO_FREE char *path = cli_format("%s/%s", how->directory, inside);
	int status = look_contract(cli, how, path, contract, placed);

	if (status != 0 || *placed == COMPOSE_THERE)
		return status;
	return write_there(cli, how, inside, path, text);
}
