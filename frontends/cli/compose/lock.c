/* SPDX-License-Identifier: MIT
 *
 * Locks: where they lie, how they are told, diff and sbom.
 */
#include "compose.h"
#include <unistd.h>

char *compose_lock_path(const cli_run *cli)
{
	const char *given = cli_text(cli, "lock"), *file = cli_operand(cli, 0);
	size_t size = strlen(file);

	if (given != NULL)
		return cli_format("%s", given);
	if (size > 5 && strcmp(file + size - 5, ".json") == 0)
		size -= 5;
	return cli_format("%.*s.lock.json", (int)size, file);
}

int compose_lock_find(cli_run *cli, const char *path, hn_lock **lock)
{
	if (access(path, F_OK) != 0)
		return 0;
	return compose_lock_read(cli, path, lock);
}

void compose_json_digest(hn_json *json, const char *key, const hn_manifest *manifest)
{
	char digest[HN_DIGEST_TEXT];

	hn_manifest_digest(manifest, digest);
	hn_json_text(json, key, digest);
}

static void write_bindings(hn_json *json, const hn_lock *lock)
{
	hn_binding binding = HN_BINDING_INIT;

	hn_json_array(json, "bindings");
	for (size_t i = 0; hn_lock_get_binding(lock, i, &binding, NULL) == 0; i++) {
		hn_json_object(json, NULL);
		hn_json_text(json, "contract", binding.contract);
		hn_json_text(json, "version", binding.version);
		hn_json_text(json, "provider", binding.provider);
		hn_json_text(json, "needed-by", binding.needed_by);
		hn_json_end(json);
	}
	hn_json_end(json);
}

void compose_json_lock(hn_json *json, const hn_lock *lock)
{
	hn_locked one = HN_LOCKED_INIT;
	char digest[HN_DIGEST_TEXT];

	hn_lock_digest(lock, digest);
	hn_json_text(json, "blueprint", hn_lock_blueprint(lock));
	hn_json_text(json, "platform", hn_lock_platform(lock));
	hn_json_uint(json, "epoch", hn_lock_epoch(lock));
	hn_json_text(json, "digest", digest);
	hn_json_array(json, "components");
	for (size_t i = 0; hn_lock_get_component(lock, i, &one, NULL) == 0; i++) {
		hn_json_object(json, NULL);
		hn_json_text(json, "component", one.component);
		hn_json_text(json, "version", one.version);
		hn_json_text(json, "manifest", one.manifest);
		hn_json_text(json, "registry", one.registry);
		hn_json_text(json, "why", one.why);
		hn_json_uint(json, "payloads", one.payload_count);
		hn_json_uint(json, "bytes", one.payload_bytes);
		hn_json_end(json);
	}
	hn_json_end(json);
	write_bindings(json, lock);
}

/* ---- what differs ---- */

static void write_change(void *arg, const hn_lock_change *change)
{
	hn_json *json = arg;

	hn_json_object(json, NULL);
	hn_json_text(json, "what", change->what);
	hn_json_text(json, "component", change->component[0] == '\0' ? NULL : change->component);
	hn_json_text(json, "name", change->name);
	hn_json_text(json, "before", change->before);
	hn_json_text(json, "after", change->after);
	hn_json_end(json);
}

int compose_json_changes(cli_run *cli, hn_json *json, const hn_lock *before, const hn_lock *after,
	const hn_registry *registry)
{
	hn_error *error = NULL;
	int changes;

	hn_json_array(json, "changes");
	changes = hn_lock_diff(before, after, registry, write_change, json, &error);
	hn_json_end(json);
	return changes < 0 ? cli_fail(cli, error) : 0;
}

static void print_change(void *arg, const hn_lock_change *change)
{
	cli_table *table = arg;

	cli_table_cell(table, change->what);
	cli_table_cell(table, change->component[0] == '\0' ? "-" : change->component);
	cli_table_cell(table, change->name);
	cli_table_cell(table, change->before == NULL ? "-" : change->before);
	cli_table_style(table, CLI_RED);
	cli_table_cell(table, change->after == NULL ? "-" : change->after);
	cli_table_style(table, CLI_GREEN);
}

int compose_print_changes(
	cli_run *cli, const hn_lock *before, const hn_lock *after, const hn_registry *registry)
{
	static const cli_column columns[] = {{.title = "WHAT"}, {.title = "COMPONENT"},
		{.title = "NAME"}, {.title = "BEFORE"}, {.title = "AFTER"}};
	cli_table *table = cli_table_new(columns, CLI_COUNT(columns), 0);
	hn_error *error = NULL;
	int changes = hn_lock_diff(before, after, registry, print_change, table, &error);

	if (changes > 0) {
		cli_table_print(cli, table);
		return 0;
	}
	cli_table_free(table);
	if (changes < 0)
		return cli_fail(cli, error);
	if (!cli->quiet)
		puts("nothing has changed");
	return 0;
}

int compose_diff(cli_run *cli)
{
	CLI_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	CLI_AUTO_OF(hn_lock) hn_lock *before = NULL;
	CLI_AUTO_OF(hn_lock) hn_lock *after = NULL;
	hn_json *json;
	int status = compose_lock_read(cli, cli_operand(cli, 0), &before);

	if (status == 0)
		status = compose_lock_read(cli, cli_operand(cli, 1), &after);
	if (status == 0 && cli_text(cli, "registry") != NULL)
		status = compose_registry(cli, &registry);
	if (status != 0)
		return status;
	if (!cli->json)
		return compose_print_changes(cli, before, after, registry);
	json = cli_json_new();
	hn_json_object(json, NULL);
	status = compose_json_changes(cli, json, before, after, registry);
	hn_json_end(json);
	if (status == 0)
		return cli_json_print(cli, json);
	hn_json_free(json);
	return status;
}

/* ---- bill of materials ---- */

int compose_sbom(cli_run *cli)
{
	const char *format = cli_text(cli, "format"), *out = cli_text(cli, "out");
	CLI_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	CLI_AUTO_OF(hn_lock) hn_lock *lock = NULL;
	CLI_AUTO_TEXT char *text = NULL;
	hn_error *error = NULL;
	int status = compose_lock_read(cli, cli_operand(cli, 0), &lock);

	if (status == 0)
		status = compose_registry(cli, &registry);
	if (status != 0)
		return status;
	if (hn_sbom_write(lock, registry, format == NULL ? "spdx-2.3" : format, &text, &error) < 0)
		return cli_fail(cli, error);
	if (out != NULL)
		return cli_write_output(cli, "out", 0644, text, strlen(text), CLI_AGAIN);
	fputs(text, stdout);
	return 0;
}
