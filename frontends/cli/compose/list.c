/* SPDX-License-Identifier: MIT
 *
 * list, show, contracts, search: what the registries have.
 */
#include "compose.h"

/* ---- components ---- */

static void write_versions(hn_json *json, const hn_registry *registry, const char *component)
{
	const hn_manifest *release;

	hn_json_array(json, "versions");
	for (size_t i = 0; (release = hn_registry_release_at(registry, component, i)) != NULL; i++)
		hn_json_text(json, NULL, hn_manifest_version(release));
	hn_json_end(json);
}

static void write_component(hn_json *json, const hn_registry *registry, const hn_manifest *newest)
{
	hn_json_object(json, NULL);
	hn_json_text(json, "component", hn_manifest_component(newest));
	hn_json_text(json, "version", hn_manifest_version(newest));
	hn_json_text(json, "kind", hn_manifest_kind(newest));
	hn_json_text(json, "summary", hn_manifest_summary(newest));
	compose_json_digest(json, "manifest", newest);
	write_versions(json, registry, hn_manifest_component(newest));
	hn_json_end(json);
}

static void print_component(
	cli_table *table, const hn_registry *registry, const hn_manifest *newest)
{
	size_t count = 0;

	while (hn_registry_release_at(registry, hn_manifest_component(newest), count) != NULL)
		count++;
	cli_table_cell(table, hn_manifest_component(newest));
	cli_table_cell(table, hn_manifest_version(newest));
	cli_table_cellf(table, "%zu", count);
	cli_table_cell(table, hn_manifest_kind(newest));
	cli_table_cell(table, hn_manifest_summary(newest));
}

/* Is it asked for? */
typedef bool (*wanted_fn)(
	const cli_run *cli, const hn_registry *registry, const hn_manifest *newest);

static int list_wanted(cli_run *cli, wanted_fn wanted)
{
	static const cli_column columns[] = {{.title = "COMPONENT"}, {.title = "NEWEST"},
		{.title = "VERSIONS", .right = true}, {.title = "KIND"},
		{.title = "SUMMARY", .shrink = true}};
	CLI_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	hn_json *json = NULL;
	cli_table *table = NULL;
	int status = compose_registry(cli, &registry);
	const char *name;

	if (status != 0)
		return status;
	if (cli->json)
		json = cli_json_new();
	else
		table = cli_table_new(columns, CLI_COUNT(columns), 0);
	if (json != NULL) {
		hn_json_object(json, NULL);
		hn_json_array(json, "components");
	}
	for (size_t i = 0; (name = hn_registry_component_at(registry, i)) != NULL; i++) {
		const hn_manifest *newest = compose_newest(registry, name);

		if (newest == NULL || !wanted(cli, registry, newest))
			continue;
		if (json != NULL)
			write_component(json, registry, newest);
		else
			print_component(table, registry, newest);
	}
	if (json == NULL) {
		cli_table_print(cli, table);
		return 0;
	}
	hn_json_end(json);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

static bool of_kind(const cli_run *cli, const hn_registry *registry, const hn_manifest *newest)
{
	const char *kind = cli_text(cli, "kind");

	(void)registry;
	return kind == NULL || strcmp(kind, hn_manifest_kind(newest)) == 0;
}

int compose_list(cli_run *cli)
{
	return list_wanted(cli, of_kind);
}

static bool says(const cli_run *cli, const hn_registry *registry, const hn_manifest *newest)
{
	const char *word = cli_operand(cli, 0), *summary = hn_manifest_summary(newest);
	const hn_contract *contract;

	if (strcasestr(hn_manifest_component(newest), word) != NULL ||
		(summary != NULL && strcasestr(summary, word) != NULL))
		return true;
	for (size_t i = 0; (contract = hn_registry_contract_at(registry, i)) != NULL; i++) {
		const char *name = hn_contract_name(contract);

		if (strcasestr(name, word) != NULL && hn_manifest_provides(newest, name) != NULL)
			return true;
	}
	return false;
}

int compose_search(cli_run *cli)
{
	return list_wanted(cli, says);
}

/* ---- one component ---- */

static int find(cli_run *cli, hn_manifest **manifest)
{
	const char *word = cli_operand(cli, 0), *version = cli_operand(cli, 1);
	CLI_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	hn_error *error = NULL;
	int status;

	if (compose_is_file(word) && version != NULL)
		return cli_refuse(
			cli, HN_EINVAL, "leave the version out", "a file has one version only");
	if (compose_is_file(word))
		return compose_manifest_read(cli, word, manifest);
	status = compose_registry(cli, &registry);
	if (status == 0 && hn_registry_find(registry, word, version, manifest, &error) < 0)
		status = cli_fail(cli, error);
	return status;
}

int compose_show(cli_run *cli)
{
	CLI_AUTO_OF(hn_manifest) hn_manifest *manifest = NULL;
	CLI_AUTO_OF(cli_document) cli_document *document = NULL;
	CLI_AUTO_TEXT char *text = NULL;
	char digest[HN_DIGEST_TEXT];
	hn_error *error = NULL;
	int status = find(cli, &manifest);

	if (status != 0)
		return status;
	if (cli_flag(cli, "files"))
		return compose_show_files(cli, manifest);
	if (hn_manifest_json(manifest, &text, &error) < 0)
		return cli_fail(cli, error);
	status = cli_json_given(cli, text);
	if (status != 1)
		return status;
	document = cli_document_new(text);
	if (document != NULL)
		cli_document_print(stdout, document);
	hn_manifest_digest(manifest, digest);
	printf("digest: %s\n", digest);
	return 0;
}

/* ---- contracts ---- */

/* Calls `one` for each version of a component that provides it. */
typedef void (*provider_fn)(void *arg, const hn_manifest *provider, const char *version);
static void each_provider(
	const hn_registry *registry, const char *contract, provider_fn one, void *arg)
{
	const hn_manifest *release;
	const char *name, *version;

	for (size_t i = 0; (name = hn_registry_component_at(registry, i)) != NULL; i++) {
		for (size_t k = 0; (release = hn_registry_release_at(registry, name, k)) != NULL;
			k++) {
			version = hn_manifest_provides(release, contract);
			if (version != NULL)
				one(arg, release, version);
		}
	}
}

static void write_provider(void *arg, const hn_manifest *provider, const char *version)
{
	hn_json *json = arg;

	hn_json_object(json, NULL);
	hn_json_text(json, "component", hn_manifest_component(provider));
	hn_json_text(json, "version", hn_manifest_version(provider));
	hn_json_text(json, "provides", version);
	hn_json_end(json);
}

static int write_contract(
	cli_run *cli, hn_json *json, const hn_registry *registry, const hn_contract *contract)
{
	CLI_AUTO_TEXT char *schema = NULL;
	hn_error *error = NULL;

	if (hn_contract_json(contract, &schema, &error) < 0)
		return cli_fail(cli, error);
	hn_json_object(json, NULL);
	hn_json_text(json, "contract", hn_contract_name(contract));
	hn_json_text(json, "version", hn_contract_version(contract));
	hn_json_raw(json, "schema", schema);
	hn_json_array(json, "providers");
	each_provider(registry, hn_contract_name(contract), write_provider, json);
	hn_json_end(json);
	hn_json_end(json);
	return 0;
}

static void print_provider(void *arg, const hn_manifest *provider, const char *version)
{
	cli_table *table = arg;

	cli_table_cell(table, NULL);
	cli_table_cell(table, NULL);
	cli_table_cellf(
		table, "%s %s", hn_manifest_component(provider), hn_manifest_version(provider));
	cli_table_cell(table, version);
}

static void print_contract(
	cli_table *table, const hn_registry *registry, const hn_contract *contract)
{
	cli_table_cell(table, hn_contract_name(contract));
	cli_table_cell(table, hn_contract_version(contract));
	cli_table_cell(table, NULL);
	cli_table_cell(table, NULL);
	each_provider(registry, hn_contract_name(contract), print_provider, table);
}

static int walk_contracts(
	cli_run *cli, const hn_registry *registry, hn_json *json, cli_table *table)
{
	const char *wanted = cli_operand(cli, 0);
	const hn_contract *contract;
	bool any = wanted == NULL;
	int status = 0;

	for (size_t i = 0; status == 0 && (contract = hn_registry_contract_at(registry, i)) != NULL;
		i++) {
		if (wanted != NULL && strcmp(wanted, hn_contract_name(contract)) != 0)
			continue;
		any = true;
		if (json != NULL)
			status = write_contract(cli, json, registry, contract);
		else
			print_contract(table, registry, contract);
	}
	if (status == 0 && !any)
		status = cli_refuse(cli, HN_ENOENT, "hv-compose contracts lists them",
			"there is no contract \"%s\"", wanted);
	return status;
}

static int contracts_json(cli_run *cli, const hn_registry *registry)
{
	hn_json *json = cli_json_new();
	int status;

	hn_json_object(json, NULL);
	hn_json_array(json, "contracts");
	status = walk_contracts(cli, registry, json, NULL);
	hn_json_end(json);
	hn_json_end(json);
	if (status == 0)
		return cli_json_print(cli, json);
	hn_json_free(json);
	return status;
}

int compose_contracts(cli_run *cli)
{
	static const cli_column columns[] = {{.title = "CONTRACT"}, {.title = "VERSION"},
		{.title = "PROVIDED BY"}, {.title = "AS"}};
	CLI_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	cli_table *table;
	int status = compose_registry(cli, &registry);

	if (status != 0)
		return status;
	if (cli->json)
		return contracts_json(cli, registry);
	table = cli_table_new(columns, CLI_COUNT(columns), 0);
	status = walk_contracts(cli, registry, NULL, table);
	if (status == 0)
		cli_table_print(cli, table);
	else
		cli_table_free(table);
	return status;
}
