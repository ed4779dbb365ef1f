/* SPDX-License-Identifier: MIT
 *
 * Where components come from, and files that the command line names.
 */
#include "compose.h"

static size_t count_values(const cli_run *cli, const char *name)
{
	size_t count = 0;

	while (cli_text_at(cli, name, count) != NULL)
		count++;
	return count;
}

const char **compose_values(const cli_run *cli, const char *name, size_t *count)
{
	const char **texts;

	*count = count_values(cli, name);
	texts = cli_alloc((*count + 1) * sizeof(*texts));
	for (size_t i = 0; i <= *count; i++)
		texts[i] = cli_text_at(cli, name, i);
	return texts;
}

static int of_host(cli_run *cli, hn_registry **registry)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_error *error = NULL;
	int status;

	if (cli_text(cli, "pin") != NULL)
		return cli_refuse(cli, HN_EINVAL, "give the registries with --registry",
			"--pin chooses between several registries, and the host has one");
	status = cli_act(cli, CLI_LOOK, cli_text(cli, "reason"), &session);
	if (status == 0 && hn_compose_registry(session, registry, &error) < 0)
		status = cli_fail(cli, error);
	return status;
}

int compose_registry(cli_run *cli, hn_registry **registry)
{
	hn_registry_options options = HN_REGISTRY_OPTIONS_INIT;
	CLI_AUTO_FREE const char **directories = NULL;
	CLI_AUTO_FREE const char **pins = NULL;
	size_t count;
	hn_error *error = NULL;

	if (cli_text(cli, "registry") == NULL)
		return of_host(cli, registry);
	directories = compose_values(cli, "registry", &count);
	pins = compose_values(cli, "pin", &options.pin_count);
	options.pins = pins;
	if (hn_registry_open(directories, count, &options, registry, &error) < 0)
		return cli_fail(cli, error);
	return 0;
}

bool compose_is_file(const char *word)
{
	size_t size = strlen(word);

	return strcmp(word, "-") == 0 || strchr(word, '/') != NULL ||
	       (size > 5 && strcmp(word + size - 5, ".json") == 0);
}

int compose_manifest_read(cli_run *cli, const char *path, hn_manifest **manifest)
{
	COMPOSE_AUTO_BYTES cli_bytes bytes = {0};
	hn_error *error = NULL;
	int status = cli_read_file(cli, path, COMPOSE_DOCUMENT_BYTES, &bytes);

	if (status == 0 && hn_manifest_parse(path, bytes.data, bytes.size, manifest, &error) < 0)
		status = cli_fail(cli, error);
	return status;
}

int compose_blueprint_read(cli_run *cli, const char *path, hn_blueprint **blueprint)
{
	COMPOSE_AUTO_BYTES cli_bytes bytes = {0};
	hn_error *error = NULL;
	int status = cli_read_file(cli, path, COMPOSE_DOCUMENT_BYTES, &bytes);

	if (status == 0 && hn_blueprint_parse(path, bytes.data, bytes.size, blueprint, &error) < 0)
		status = cli_fail(cli, error);
	return status;
}

int compose_lock_read(cli_run *cli, const char *path, hn_lock **lock)
{
	COMPOSE_AUTO_BYTES cli_bytes bytes = {0};
	hn_error *error = NULL;
	int status = cli_read_file(cli, path, COMPOSE_LOCK_BYTES, &bytes);

	if (status == 0 && hn_lock_parse(path, bytes.data, bytes.size, lock, &error) < 0)
		status = cli_fail(cli, error);
	return status;
}

const hn_manifest *compose_newest(const hn_registry *registry, const char *component)
{
	const hn_manifest *newest = NULL, *next;

	for (size_t i = 0; (next = hn_registry_release_at(registry, component, i)) != NULL; i++)
		newest = next;
	return newest;
}
