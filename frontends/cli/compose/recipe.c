/* SPDX-License-Identifier: MIT
 *
 * import of recipes: components of what a distribution's archive offers. All of them are made
 * before anything is written.
 */
#include "recipe.h"
#include <sys/stat.h>
#include <unistd.h>

typedef struct release {
	hn_recipe *recipe;
	hn_manifest *manifest;
	char *text; /* of the library */
	char *path; /* in the registry */
	compose_placed placed;
} release;

typedef struct schema {
	hn_contract *contract;
	char *text;
	compose_placed placed;
} schema;

typedef struct import {
	cli_run *cli;
	compose_source source;
	compose_place_options how; /* .directory NULL: into the host */
	hn_session *session;       /* NULL: nothing goes into the host */
	release *releases;
	size_t release_count, package_count, had;
	schema *schemas;
	size_t schema_count;
	struct stat *folders; /* of contracts, that were read */
	size_t folder_count;
	char *packages; /* the directory of them, when it is the registry's */
	size_t put;
} import;

static void end_import(import *at)
{
	compose_source_end(&at->source);
	for (size_t i = 0; i < at->release_count; i++) {
		hn_recipe_unref(at->releases[i].recipe);
		hn_manifest_unref(at->releases[i].manifest);
		hn_text_free(at->releases[i].text);
		free(at->releases[i].path);
	}
	for (size_t i = 0; i < at->schema_count; i++) {
		hn_contract_unref(at->schemas[i].contract);
		free(at->schemas[i].text);
	}
	hn_session_unref(at->session);
	free(at->releases);
	free(at->schemas);
	free(at->folders);
	free(at->packages);
}
#define AUTO_IMPORT __attribute__((cleanup(end_import)))

/* ---- recipes ---- */

static int read_recipe(import *at, const char *path)
{
	COMPOSE_AUTO_BYTES cli_bytes bytes = {0};
	hn_recipe_package package = HN_RECIPE_PACKAGE_INIT;
	hn_error *error = NULL;
	release *one;
	int status = cli_read_file(at->cli, path, COMPOSE_DOCUMENT_BYTES, &bytes);

	if (status != 0)
		return status;
	at->releases = cli_realloc(at->releases, at->release_count + 1, sizeof(*at->releases));
	one = &at->releases[at->release_count++];
	*one = (release){.recipe = NULL};
	if (hn_recipe_parse(path, bytes.data, bytes.size, &one->recipe, &error) < 0)
		return cli_fail(at->cli, error);
	for (size_t i = 0; hn_recipe_get_package(one->recipe, i, &package, NULL) == 0; i++)
		at->package_count++;
	return 0;
}

/* Its directory, with `inside` in it. */
static char *beside(const char *recipe, const char *inside)
{
	const char *slash = strrchr(recipe, '/');

	return slash == NULL ? cli_format("./%s", inside)
			     : cli_format("%.*s/%s", (int)(slash - recipe), recipe, inside);
}

static int gather(import *at, const release *one, const hn_package ***packages, size_t *count)
{
	hn_recipe_package wanted = HN_RECIPE_PACKAGE_INIT;
	size_t *places = NULL;
	int status = 0;

	for (*count = 0; status == 0; (*count)++) {
		if (hn_recipe_get_package(one->recipe, *count, &wanted, NULL) < 0)
			break;
		places = cli_realloc(places, *count + 1, sizeof(*places));
		cli_progress_step(&at->source.progress, at->had++, at->package_count, "packages",
			wanted.package);
		status = compose_source_get(&at->source, &wanted, &places[*count]);
	}
	*packages = cli_alloc((*count + 1) * sizeof(**packages));
	for (size_t i = 0; status == 0 && i < *count; i++)
		(*packages)[i] = at->source.debs[places[i]].package;
	free(places);
	return status;
}

static int make_release(import *at, release *one, const char *path)
{
	CLI_AUTO_FREE char *root = beside(path, "root");
	CLI_AUTO_FREE const hn_package **packages = NULL;
	COMPOSE_AUTO_FILES compose_files own = {0};
	hn_error *error = NULL;
	size_t count = 0;
	int status = gather(at, one, &packages, &count);

	if (status == 0)
		status = compose_files_read(at->cli, root, &own);
	if (status != 0)
		return status;
	if (hn_recipe_manifest(
		    one->recipe, packages, count, own.files, own.count, &one->text, &error) < 0 ||
		hn_manifest_parse(path, one->text, strlen(one->text), &one->manifest, &error) < 0)
		return cli_fail(at->cli, error);
	return 0;
}

/* ---- contracts ---- */

static bool is_json(const char *path)
{
	size_t size = strlen(path);

	return size > 5 && strcmp(path + size - 5, ".json") == 0;
}

static int read_schema(import *at, const char *directory, const hn_recipe_file *file)
{
	CLI_AUTO_FREE char *path = cli_format("%s%s", directory, file->path);
	hn_error *error = NULL;
	schema *one;

	at->schemas = cli_realloc(at->schemas, at->schema_count + 1, sizeof(*at->schemas));
	one = &at->schemas[at->schema_count++];
	*one = (schema){.text = cli_strndup(file->text, strlen(file->text))};
	if (hn_contract_parse(path, one->text, strlen(one->text), &one->contract, &error) < 0)
		return cli_fail(at->cli, error);
	return 0;
}

/* Recipes beside each other have one directory of contracts. */
static bool is_read(import *at, const char *directory)
{
	struct stat facts;

	if (stat(directory, &facts) != 0)
		return false;
	for (size_t i = 0; i < at->folder_count; i++)
		if (at->folders[i].st_dev == facts.st_dev && at->folders[i].st_ino == facts.st_ino)
			return true;
	at->folders = cli_realloc(at->folders, at->folder_count + 1, sizeof(*at->folders));
	at->folders[at->folder_count++] = facts;
	return false;
}

static int read_schemas(import *at, const char *directory)
{
	COMPOSE_AUTO_FILES compose_files files = {0};
	int status = is_read(at, directory) ? 0 : compose_files_read(at->cli, directory, &files);

	for (size_t i = 0; status == 0 && i < files.count; i++)
		if (is_json(files.files[i].path))
			status = read_schema(at, directory, &files.files[i]);
	return status;
}

static int find_schemas(import *at)
{
	const char *given = cli_text(at->cli, "contracts");
	struct stat facts;
	int status = 0;

	if (given != NULL && (stat(given, &facts) != 0 || !S_ISDIR(facts.st_mode)))
		return cli_refuse(at->cli, HN_ENOENT, NULL, "%s is no directory", given);
	for (size_t i = 0; status == 0 && i < at->cli->operand_count; i++) {
		CLI_AUTO_FREE char *near = beside(at->cli->operands[i], "../contracts");
		status = read_schemas(at, given != NULL ? given : near);
	}
	return status;
}

/* ---- beside what is there ---- */

static int check_order(import *at, const hn_registry *registry)
{
	hn_error *error = NULL;

	for (size_t i = 0; i < at->release_count; i++)
		if (hn_recipe_check(registry, at->releases[i].manifest, at->how.replace, &error) <
			0)
			return cli_fail(at->cli, error);
	return 0;
}

/* ---- into a directory ---- */

/* All that is new, beside what is there, is tried before any of it is put anywhere: NULL is
 * nothing. */
static int try_all(import *at, const hn_registry *registry)
{
	CLI_AUTO_OF(hn_registry) hn_registry *then = NULL;
	CLI_AUTO_FREE hn_manifest **manifests =
		cli_alloc((at->release_count + 1) * sizeof(hn_manifest *));
	CLI_AUTO_FREE hn_contract **contracts =
		cli_alloc((at->schema_count + 1) * sizeof(hn_contract *));
	size_t manifest_count = 0, contract_count = 0;
	hn_error *error = NULL;

	for (size_t i = 0; i < at->release_count; i++)
		if (at->releases[i].placed != COMPOSE_THERE)
			manifests[manifest_count++] = at->releases[i].manifest;
	for (size_t i = 0; i < at->schema_count; i++)
		if (at->schemas[i].placed != COMPOSE_THERE)
			contracts[contract_count++] = at->schemas[i].contract;
	if (hn_registry_with(registry, manifests, manifest_count, contracts, contract_count, &then,
		    &error) < 0)
		return cli_fail(at->cli, error);
	return 0;
}

static int place_all(import *at)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < at->schema_count; i++)
		status = compose_place_contract(at->cli, &at->how, at->schemas[i].contract,
			at->schemas[i].text, &at->schemas[i].placed);
	for (size_t i = 0; status == 0 && i < at->release_count; i++)
		status = compose_place_manifest(at->cli, &at->how, at->releases[i].manifest,
			at->releases[i].text, &at->releases[i].placed, &at->releases[i].path);
	return status;
}

/* What is there is a registry, or nothing. */
static int look_into_directory(import *at)
{
	CLI_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	hn_error *error = NULL;
	int status = 0;

	if (access(at->how.directory, F_OK) == 0 &&
		hn_registry_open(&at->how.directory, 1, NULL, &registry, &error) < 0)
		return cli_fail(at->cli, error);
	if (registry != NULL)
		status = check_order(at, registry);
	return status != 0 ? status : try_all(at, registry);
}

/* Nothing is written when one of them could not be, or the whole would be no registry. */
static int into_directory(import *at)
{
	bool dry = at->how.dry_run;
	int status;

	at->how.dry_run = true;
	status = place_all(at);
	at->how.dry_run = dry;
	if (status == 0)
		status = look_into_directory(at);
	if (status != 0 || dry)
		return status;
	for (size_t i = 0; i < at->release_count; i++) {
		free(at->releases[i].path);
		at->releases[i].path = NULL;
	}
	return place_all(at);
}

/* ---- into the host ---- */

static int add_schema(import *at, schema *one)
{
	CLI_AUTO_TEXT char *called = NULL;
	hn_error *error = NULL;
	int added = hn_compose_add(at->session, hn_contract_name(one->contract), one->text,
		strlen(one->text), &called, &error);

	/* A newer one is there, which is as good. */
	if (added == HN_EEXIST) {
		hn_error_unref(error);
		added = 0;
	}
	one->placed = added > 0 ? COMPOSE_NEW : COMPOSE_THERE;
	return added < 0 ? cli_fail(at->cli, error) : 0;
}

static int add_release(import *at, release *one)
{
	const char *component = hn_manifest_component(one->manifest);
	CLI_AUTO_TEXT char *called = NULL;
	hn_error *error = NULL;
	size_t size = strlen(one->text);
	int added = hn_compose_add(at->session, component, one->text, size, &called, &error);

	one->placed = added > 0 ? COMPOSE_NEW : COMPOSE_THERE;
	if (added == HN_EDUPLICATE && at->how.replace) {
		hn_error_unref(error);
		error = NULL;
		one->placed = COMPOSE_REPLACED;
		added = hn_compose_replace(
			at->session, component, one->text, size, &called, &error);
	}
	return added < 0 ? cli_fail(at->cli, error) : 0;
}

/* What into_host would do with it. */
static int look_release(import *at, const hn_registry *registry, release *one)
{
	const char *component = hn_manifest_component(one->manifest);
	const char *version = hn_manifest_version(one->manifest);
	char is[HN_DIGEST_TEXT], was[HN_DIGEST_TEXT];
	const hn_manifest *there = NULL, *next;

	for (size_t i = 0; (next = hn_registry_release_at(registry, component, i)) != NULL; i++)
		if (strcmp(hn_manifest_version(next), version) == 0)
			there = next;
	one->placed = COMPOSE_NEW;
	if (there == NULL)
		return 0;
	hn_manifest_digest(one->manifest, is);
	hn_manifest_digest(there, was);
	one->placed = strcmp(is, was) == 0 ? COMPOSE_THERE : COMPOSE_REPLACED;
	if (one->placed == COMPOSE_THERE || at->how.replace)
		return 0;
	return cli_refuse(at->cli, HN_EDUPLICATE, "--replace puts this one in its place",
		"another %s %s is in the registry", component, version);
}

/* A newer one that is there is as good. */
static int look_schema(import *at, const hn_registry *registry, schema *one)
{
	const hn_contract *there = NULL, *next;
	bool differs = false;
	int order = -1, status = 0;

	for (size_t i = 0; (next = hn_registry_contract_at(registry, i)) != NULL; i++)
		if (strcmp(hn_contract_name(next), hn_contract_name(one->contract)) == 0)
			there = next;
	if (there != NULL)
		status = compose_compare_contract(at->cli, there, one->contract, &order, &differs);
	if (status == 0 && differs)
		status = cli_refuse(at->cli, HN_EDUPLICATE, "give it a newer version",
			"another %s %s is in the registry", hn_contract_name(one->contract),
			hn_contract_version(one->contract));
	one->placed = there == NULL ? COMPOSE_NEW : order < 0 ? COMPOSE_REPLACED : COMPOSE_THERE;
	return status;
}

static int look_into_host(import *at)
{
	CLI_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	int status = compose_registry(at->cli, &registry);

	if (status == 0)
		status = check_order(at, registry);
	for (size_t i = 0; status == 0 && i < at->release_count; i++)
		status = look_release(at, registry, &at->releases[i]);
	for (size_t i = 0; status == 0 && i < at->schema_count; i++)
		status = look_schema(at, registry, &at->schemas[i]);
	return status != 0 ? status : try_all(at, registry);
}

static int into_host(import *at)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < at->schema_count; i++)
		status = add_schema(at, &at->schemas[i]);
	for (size_t i = 0; status == 0 && i < at->release_count; i++)
		status = add_release(at, &at->releases[i]);
	return status;
}

static int put_deb(import *at, const compose_deb *deb)
{
	hn_package_info info = HN_PACKAGE_INFO_INIT;
	CLI_AUTO_TEXT char *sha256 = NULL;
	hn_error *error = NULL;
	uint64_t bytes = 0;

	if (hn_package_get(deb->package, &info, &error) < 0 ||
		hn_payload_put(at->session, deb->path, &sha256, &bytes, &error) < 0)
		return cli_fail(at->cli, error);
	if (strcmp(sha256, info.sha256) != 0)
		return cli_refuse(at->cli, HN_ECHANGED, "try again when nobody writes to it",
			"%s changed while it was read", deb->path);
	at->put++;
	return 0;
}

static int put_packages(import *at)
{
	int status = 0;

	for (size_t i = 0; status == 0 && at->session != NULL && i < at->source.count; i++)
		if (at->source.debs[i].wanted)
			status = put_deb(at, &at->source.debs[i]);
	return status;
}

/* ---- the answer ---- */

static void print_packages(const import *at, hn_json *json)
{
	hn_json_array(json, "packages");
	for (size_t i = 0; i < at->source.count; i++) {
		const compose_deb *deb = &at->source.debs[i];
		hn_package_info info = HN_PACKAGE_INFO_INIT;

		if (!deb->wanted || hn_package_get(deb->package, &info, NULL) < 0)
			continue;
		hn_json_object(json, NULL);
		hn_json_text(json, "package", info.name);
		hn_json_text(json, "version", info.version);
		hn_json_text(json, "sha256", info.sha256);
		hn_json_uint(json, "size", info.bytes);
		hn_json_bool(json, "downloaded", deb->downloaded);
		hn_json_bool(json, "put", at->session != NULL);
		hn_json_end(json);
	}
	hn_json_end(json);
}

static void print_schemas(const import *at, hn_json *json)
{
	hn_json_array(json, "contracts");
	for (size_t i = 0; i < at->schema_count; i++) {
		const schema *one = &at->schemas[i];

		hn_json_object(json, NULL);
		hn_json_text(json, "contract", hn_contract_name(one->contract));
		hn_json_text(json, "version", hn_contract_version(one->contract));
		hn_json_bool(json, "changed", one->placed != COMPOSE_THERE && !at->how.dry_run);
		hn_json_end(json);
	}
	hn_json_end(json);
}

static int print_json(const import *at)
{
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	hn_json_array(json, "components");
	for (size_t i = 0; i < at->release_count; i++) {
		const release *one = &at->releases[i];

		hn_json_object(json, NULL);
		hn_json_text(json, "component", hn_manifest_component(one->manifest));
		hn_json_text(json, "version", hn_manifest_version(one->manifest));
		hn_json_text(json, "file", one->path);
		hn_json_bool(json, "changed", one->placed != COMPOSE_THERE && !at->how.dry_run);
		hn_json_bool(json, "replaced", one->placed == COMPOSE_REPLACED);
		hn_json_raw(json, "manifest", one->text);
		hn_json_end(json);
	}
	hn_json_end(json);
	print_schemas(at, json);
	print_packages(at, json);
	hn_json_end(json);
	return cli_json_print(at->cli, json);
}

static const char *word_of(const import *at, compose_placed placed)
{
	static const char *const words[] = {[COMPOSE_THERE] = " is there already",
		[COMPOSE_NEW] = "",
		[COMPOSE_REPLACED] = " takes the place of another"};

	return at->how.dry_run && placed == COMPOSE_NEW        ? " would be new"
	       : at->how.dry_run && placed == COMPOSE_REPLACED ? " would take the place of another"
							       : words[placed];
}

static int answer(const import *at)
{
	if (at->cli->json)
		return print_json(at);
	if (at->cli->quiet)
		return 0;
	for (size_t i = 0; i < at->release_count; i++)
		printf("%s %s%s\n", hn_manifest_component(at->releases[i].manifest),
			hn_manifest_version(at->releases[i].manifest),
			word_of(at, at->releases[i].placed));
	if (at->how.dry_run)
		printf("nothing is written\n");
	else if (at->session == NULL && at->source.directory != NULL && at->package_count > 0)
		printf("next: hv-compose put %s/*.deb\n", at->source.directory);
	return 0;
}

/* ---- the whole ---- */

static int make_all(import *at)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < at->cli->operand_count; i++)
		status = read_recipe(at, at->cli->operands[i]);
	if (status == 0)
		status = find_schemas(at);
	for (size_t i = 0; status == 0 && i < at->release_count; i++)
		status = make_release(at, &at->releases[i], at->cli->operands[i]);
	cli_progress_end(&at->source.progress);
	return status;
}

static int write_all(import *at)
{
	cli_run *cli = at->cli;
	int status = 0;

	/* A host that is named gets the packages even where the manifests go elsewhere. */
	if (!at->how.dry_run && (at->how.directory == NULL || cli_text(cli, "state") != NULL))
		status = cli_act(cli, CLI_WRITE, cli_text(cli, "reason"), &at->session);
	if (status == 0 && at->how.directory == NULL)
		status = look_into_host(at);
	if (status == 0)
		status = put_packages(at);
	if (status != 0)
		return status;
	if (at->how.directory != NULL)
		return into_directory(at);
	return at->how.dry_run ? 0 : into_host(at);
}

int compose_import_recipes(cli_run *cli)
{
	AUTO_IMPORT import at = {.cli = cli, .source = {.cli = cli}};
	int status = 0;

	at.how = (compose_place_options){.directory = cli_text(cli, "registry"),
		.replace = cli_flag(cli, "replace"),
		.dry_run = cli_flag(cli, "dry-run")};
	at.source.directory = cli_text(cli, "packages");
	at.source.keep = !at.how.dry_run;
	at.source.progress.cli = cli;
	if (at.source.directory == NULL && at.how.directory != NULL) {
		at.packages = cli_format("%s/packages", at.how.directory);
		at.source.directory = at.packages;
		at.source.fresh = true;
	}
	if (at.how.directory != NULL && !at.how.dry_run)
		status = compose_directory_lock(cli, at.how.directory);
	if (status == 0)
		status = make_all(&at);
	if (status == 0)
		status = write_all(&at);
	return status != 0 ? status : answer(&at);
}
