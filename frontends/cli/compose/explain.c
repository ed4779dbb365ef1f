/* SPDX-License-Identifier: MIT
 *
 * explain and why: which version was chosen by whose wish, and what hangs on a component.
 */
#include "compose.h"

int compose_choose(cli_run *cli, hn_registry **registry, const hn_lock *before, hn_lock **chosen)
{
	CLI_AUTO_OF(hn_blueprint) hn_blueprint *blueprint = NULL;
	hn_solve_options options = HN_SOLVE_OPTIONS_INIT;
	hn_error *error = NULL;
	int status = compose_blueprint_read(cli, cli_operand(cli, 0), &blueprint);

	if (status == 0 && *registry == NULL)
		status = compose_registry(cli, registry);
	if (status != 0)
		return status;
	options.lock = before;
	options.cancel = cli->cancel;
	if (before != NULL)
		options.epoch = hn_lock_epoch(before);
	if (hn_solve(*registry, blueprint, &options, chosen, &error) < 0)
		return cli_fail(cli, error);
	return 0;
}

static int choose(cli_run *cli, hn_registry **registry, hn_lock **chosen)
{
	CLI_AUTO_OF(hn_lock) hn_lock *before = NULL;
	CLI_AUTO_FREE char *path = compose_lock_path(cli);
	int status = compose_lock_find(cli, path, &before);

	return status != 0 ? status : compose_choose(cli, registry, before, chosen);
}

static void write_explained(hn_json *json, const hn_locked *one, const hn_manifest *newest)
{
	hn_json_object(json, NULL);
	hn_json_text(json, "component", one->component);
	hn_json_text(json, "version", one->version);
	hn_json_text(json, "newest", newest == NULL ? NULL : hn_manifest_version(newest));
	hn_json_text(json, "kind", newest == NULL ? NULL : hn_manifest_kind(newest));
	hn_json_text(json, "why", one->why);
	hn_json_end(json);
}

static int explain_json(cli_run *cli, const hn_registry *registry, const hn_lock *chosen)
{
	hn_locked one = HN_LOCKED_INIT;
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	hn_json_text(json, "blueprint", hn_lock_blueprint(chosen));
	hn_json_array(json, "components");
	for (size_t i = 0; hn_lock_get_component(chosen, i, &one, NULL) == 0; i++)
		write_explained(json, &one, compose_newest(registry, one.component));
	hn_json_end(json);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

int compose_explain(cli_run *cli)
{
	static const cli_column columns[] = {{.title = "COMPONENT"}, {.title = "VERSION"},
		{.title = "NEWEST"}, {.title = "WHY", .shrink = true}};
	CLI_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	CLI_AUTO_OF(hn_lock) hn_lock *chosen = NULL;
	hn_locked one = HN_LOCKED_INIT;
	cli_table *table;
	int status = choose(cli, &registry, &chosen);

	if (status != 0)
		return status;
	if (cli->json)
		return explain_json(cli, registry, chosen);
	table = cli_table_new(columns, CLI_COUNT(columns), 0);
	for (size_t i = 0; hn_lock_get_component(chosen, i, &one, NULL) == 0; i++) {
		const hn_manifest *newest = compose_newest(registry, one.component);
		bool same = newest == NULL || strcmp(hn_manifest_version(newest), one.version) == 0;

		cli_table_cell(table, one.component);
		cli_table_cell(table, one.version);
		cli_table_cell(table, same ? "the same" : hn_manifest_version(newest));
		cli_table_style(table, same ? CLI_PLAIN : CLI_YELLOW);
		cli_table_cell(table, one.why);
	}
	cli_table_print(cli, table);
	return 0;
}

/* ---- why ---- */

static int find(cli_run *cli, const hn_lock *lock, hn_locked *one)
{
	const char *name = cli_operand(cli, 0);

	for (size_t i = 0; hn_lock_get_component(lock, i, one, NULL) == 0; i++)
		if (strcmp(one->component, name) == 0)
			return 0;
	return cli_refuse(
		cli, HN_ENOENT, NULL, "%s has no component \"%s\"", cli_operand(cli, 1), name);
}

static void why_json(hn_json *json, const hn_lock *lock, const char *name, bool gives)
{
	hn_binding binding = HN_BINDING_INIT;

	hn_json_array(json, gives ? "gives" : "takes");
	for (size_t i = 0; hn_lock_get_binding(lock, i, &binding, NULL) == 0; i++) {
		const char *self = gives ? binding.provider : binding.needed_by;

		if (strcmp(self, name) != 0)
			continue;
		hn_json_object(json, NULL);
		hn_json_text(json, "contract", binding.contract);
		hn_json_text(json, "version", binding.version);
		hn_json_text(
			json, gives ? "to" : "from", gives ? binding.needed_by : binding.provider);
		hn_json_end(json);
	}
	hn_json_end(json);
}

static void why_print(const hn_lock *lock, const char *name, bool gives)
{
	hn_binding binding = HN_BINDING_INIT;

	for (size_t i = 0; hn_lock_get_binding(lock, i, &binding, NULL) == 0; i++) {
		const char *self = gives ? binding.provider : binding.needed_by;

		if (strcmp(self, name) == 0)
			printf("  %s %s %s %s %s\n", gives ? "gives" : "takes", binding.contract,
				binding.version, gives ? "to" : "from",
				gives ? binding.needed_by : binding.provider);
	}
}

int compose_why(cli_run *cli)
{
	CLI_AUTO_OF(hn_lock) hn_lock *lock = NULL;
	hn_locked one = HN_LOCKED_INIT;
	hn_json *json;
	int status;

	if (cli_flag(cli, "file"))
		return compose_why_file(cli);
	status = compose_lock_read(cli, cli_operand(cli, 1), &lock);
	if (status == 0)
		status = find(cli, lock, &one);
	if (status != 0)
		return status;
	if (!cli->json) {
		printf("%s %s: %s\n", one.component, one.version, one.why);
		why_print(lock, one.component, true);
		why_print(lock, one.component, false);
		return 0;
	}
	json = cli_json_new();
	hn_json_object(json, NULL);
	hn_json_text(json, "component", one.component);
	hn_json_text(json, "version", one.version);
	hn_json_text(json, "why", one.why);
	why_json(json, lock, one.component, true);
	why_json(json, lock, one.component, false);
	hn_json_end(json);
	return cli_json_print(cli, json);
}
