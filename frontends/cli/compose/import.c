/* SPDX-License-Identifier: MIT
 *
 * import: a component of what somebody else has made, with the manifest that it lacks: of an
 * archive here, of a recipe in recipe.c.
 */
#include "recipe.h"

typedef struct import {
	cli_run *cli;
	const char *file;
	hn_payload_packed payload;
	hn_json *json; /* the manifest */
	const char *text;
	size_t size;
	char *path; /* of the manifest, where a registry is given */
	bool changed;
} import;

static void end_import(import *at)
{
	hn_json_free(at->json);
	free(at->path);
}
#define AUTO_IMPORT __attribute__((cleanup(end_import)))

/* ---- the manifest ---- */

static void write_optional(import *at, const char *name)
{
	if (cli_text(at->cli, name) != NULL)
		hn_json_text(at->json, name, cli_text(at->cli, name));
}

static int write_manifest(import *at)
{
	CLI_AUTO_OF(hn_manifest) hn_manifest *manifest = NULL;
	hn_error *error = NULL;

	at->json = cli_json_new();
	hn_json_object(at->json, NULL);
	hn_json_uint(at->json, "hypernix", 1);
	hn_json_text(at->json, "component", cli_text(at->cli, "name"));
	hn_json_text(at->json, "version", cli_text(at->cli, "release"));
	hn_json_text(at->json, "kind", cli_text(at->cli, "kind"));
	write_optional(at, "summary");
	write_optional(at, "license");
	hn_json_array(at->json, "payloads");
	hn_json_object(at->json, NULL);
	hn_json_text(at->json, "kind", "tar");
	hn_json_text(at->json, "sha256", at->payload.sha256);
	hn_json_uint(at->json, "size", at->payload.bytes);
	hn_json_end(at->json);
	hn_json_end(at->json);
	hn_json_end(at->json);
	if (hn_json_finish(at->json, &at->text, &at->size, &error) < 0 ||
		hn_manifest_parse("the manifest", at->text, at->size, &manifest, &error) < 0)
		return cli_fail(at->cli, error);
	return 0;
}

/* ---- into a directory ---- */

/* One that is there already, the same, is no fault. */
static int write_there(import *at, const char *directory)
{
	const compose_place_options how = {.directory = directory};
	CLI_AUTO_OF(hn_manifest) hn_manifest *manifest = NULL;
	compose_placed placed = COMPOSE_THERE;
	hn_error *error = NULL;
	int status = compose_directory_lock(at->cli, directory);

	if (status != 0)
		return status;
	if (hn_manifest_parse("the manifest", at->text, at->size, &manifest, &error) < 0)
		return cli_fail(at->cli, error);
	status = compose_place_manifest(at->cli, &how, manifest, at->text, &placed, &at->path);
	at->changed = placed != COMPOSE_THERE;
	return status;
}

/* ---- into the host ---- */

static int put_there(import *at)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_TEXT char *sha256 = NULL;
	CLI_AUTO_TEXT char *called = NULL;
	hn_error *error = NULL;
	uint64_t bytes = 0;
	int added, status = cli_act(at->cli, CLI_WRITE, cli_text(at->cli, "reason"), &session);

	if (status != 0)
		return status;
	if (hn_payload_put(session, at->file, &sha256, &bytes, &error) < 0)
		return cli_fail(at->cli, error);
	if (strcmp(sha256, at->payload.sha256) != 0)
		return cli_refuse(at->cli, HN_ECHANGED, "try again when nobody writes to it",
			"%s changed while it was read", at->file);
	added = hn_compose_add(session, "the manifest", at->text, at->size, &called, &error);
	at->changed = added > 0;
	return added < 0 ? cli_fail(at->cli, error) : 0;
}

/* ---- the answer ---- */

static int print_json(import *at, bool dry)
{
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	hn_json_text(json, "file", at->path);
	hn_json_bool(json, "changed", at->changed && !dry);
	hn_json_uint(json, "entries", at->payload.entries);
	hn_json_uint(json, "remarks", at->payload.remarks);
	hn_json_raw(json, "manifest", at->text);
	hn_json_end(json);
	return cli_json_print(at->cli, json);
}

static int answer(import *at, bool dry)
{
	const cli_run *cli = at->cli;

	if (cli->json)
		return print_json(at, dry);
	if (dry)
		puts(at->text);
	if (cli->quiet)
		return 0;
	if (!dry)
		printf("%s %s%s\n", cli_text(cli, "name"), cli_text(cli, "release"),
			at->changed ? "" : " is there already");
	if (at->payload.remarks > 0)
		printf("%llu things of it no image gets, such as setuid bits that no manifest lists\n",
			(unsigned long long)at->payload.remarks);
	if (at->path != NULL)
		printf("next: hv-compose put %s\n", at->file);
	return 0;
}

static bool is_given(const cli_run *cli, const char *name)
{
	const cli_option *option = cli_option_find(cli, name, strlen(name));

	return option->value == NULL ? cli_flag(cli, name) : cli_text(cli, name) != NULL;
}

static int refuse_words(cli_run *cli, const char *const *names, size_t count, const char *why)
{
	for (size_t i = 0; i < count; i++)
		if (is_given(cli, names[i]))
			return cli_refuse(cli, HN_EINVAL, NULL, "--%s is %s", names[i], why);
	return 0;
}

static int check_recipe_options(cli_run *cli)
{
	static const char *const of_archives[] = {
		"tar", "kind", "name", "release", "summary", "license"};

	return refuse_words(cli, of_archives, CLI_COUNT(of_archives),
		"for an archive: a recipe says all of it");
}

static int check_options(cli_run *cli)
{
	static const char *const needed[] = {"tar", "kind", "name", "release"};
	static const char *const of_recipes[] = {"packages", "contracts", "offline", "replace"};

	if (cli_text_at(cli, "registry", 1) != NULL)
		return cli_refuse(cli, HN_EINVAL, "give one --registry DIR, or none",
			"a component goes into one registry");

	if (cli->operand_count > 0)
		return check_recipe_options(cli);
	for (size_t i = 0; i < CLI_COUNT(needed); i++)
		if (cli_text(cli, needed[i]) == NULL)
			return cli_refuse(cli, HN_EINVAL,
				"such as --tar FILE --kind base-os --name NAME "
				"--release 1.0.0; of recipes name their files",
				"--%s is missing", needed[i]);
	return refuse_words(cli, of_recipes, CLI_COUNT(of_recipes), "only for recipes");
}

int compose_import(cli_run *cli)
{
	AUTO_IMPORT import at = {
		.cli = cli, .file = cli_text(cli, "tar"), .payload = HN_PAYLOAD_PACKED_INIT};
	const char *directory = cli_text(cli, "registry");
	bool dry = cli_flag(cli, "dry-run");
	hn_error *error = NULL;
	int status = check_options(cli);

	if (status != 0)
		return status;
	if (cli->operand_count > 0)
		return compose_import_recipes(cli);
	if (hn_payload_check(
		    at.file, "tar", cli_text(cli, "parser"), cli->cancel, &at.payload, &error) < 0)
		return cli_fail(cli, error);
	status = write_manifest(&at);
	if (status == 0 && !dry)
		status = directory != NULL ? write_there(&at, directory) : put_there(&at);
	return status != 0 ? status : answer(&at, dry);
}
