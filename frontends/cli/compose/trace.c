/* SPDX-License-Identifier: MIT
 *
 * show --files: what a component brings.
 */
#include "compose.h"

#define DIGEST_SHOWN 19 /* of the table: "b2:" and 16 digits; --json has all */

/* Either of both. */
typedef struct listing {
	hn_json *json;
	cli_table *table;
} listing;

static void write_file(hn_json *json, const hn_component_file *file)
{
	CLI_AUTO_FREE char *mode = cli_format("%04o", file->mode);

	hn_json_object(json, NULL);
	hn_json_text(json, "path", file->path);
	hn_json_text(json, "type", file->type);
	hn_json_text(json, "mode", mode);
	hn_json_array(json, "owner");
	hn_json_uint(json, NULL, file->uid);
	hn_json_uint(json, NULL, file->gid);
	hn_json_end(json);
	hn_json_uint(json, "size", file->bytes);
	hn_json_text(json, "digest", file->digest[0] == '\0' ? NULL : file->digest);
	hn_json_text(json, "target", file->target[0] == '\0' ? NULL : file->target);
	hn_json_text(json, "payload", file->payload[0] == '\0' ? NULL : file->payload);
	hn_json_end(json);
}

static void print_file(cli_table *table, const hn_component_file *file)
{
	bool is_file = strcmp(file->type, "file") == 0;

	cli_table_cellf(table, "%04o", file->mode);
	cli_table_cellf(table, "%u:%u", file->uid, file->gid);
	if (is_file)
		cli_table_cellf(table, "%llu", (unsigned long long)file->bytes);
	else
		cli_table_cell(table, NULL);
	if (is_file)
		cli_table_cellf(table, "%.*s", DIGEST_SHOWN, file->digest);
	else
		cli_table_cell(table, file->type);
	cli_table_cell(table, file->payload[0] == '\0' ? "its manifest" : file->payload);
	if (file->target[0] != '\0')
		cli_table_cellf(table, "%s -> %s", file->path, file->target);
	else
		cli_table_cell(table, file->path);
}

static void each_file(void *arg, const hn_component_file *file)
{
	const listing *at = arg;

	if (at->json != NULL)
		write_file(at->json, file);
	else
		print_file(at->table, file);
}

static void begin_files(listing *at, const cli_run *cli, const hn_manifest *manifest)
{
	static const cli_column columns[] = {{.title = "MODE"}, {.title = "OWNER"},
		{.title = "SIZE", .right = true}, {.title = "DIGEST"},
		{.title = "PAYLOAD", .shrink = true}, {.title = "PATH"}};

	if (!cli->json) {
		at->table = cli_table_new(columns, CLI_COUNT(columns), 0);
		return;
	}
	at->json = cli_json_new();
	hn_json_object(at->json, NULL);
	hn_json_text(at->json, "component", hn_manifest_component(manifest));
	hn_json_text(at->json, "version", hn_manifest_version(manifest));
	compose_json_digest(at->json, "manifest", manifest);
	hn_json_array(at->json, "files");
}

static int end_files(listing *at, const cli_run *cli)
{
	if (at->json == NULL) {
		cli_table_print(cli, at->table);
		return 0;
	}
	hn_json_end(at->json);
	hn_json_end(at->json);
	return cli_json_print(cli, at->json);
}

int compose_show_files(cli_run *cli, const hn_manifest *manifest)
{
	hn_component_files_options options = HN_COMPONENT_FILES_OPTIONS_INIT;
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_error *error = NULL;
	listing at = {0};
	int status = cli_act(cli, CLI_LOOK, cli_text(cli, "reason"), &session);

	if (status != 0)
		return status;
	options.parser = cli_text(cli, "parser");
	options.cancel = cli->cancel;
	begin_files(&at, cli, manifest);
	if (hn_component_files(session, manifest, &options, each_file, &at, &error) >= 0)
		return end_files(&at, cli);
	hn_json_free(at.json);
	cli_table_free(at.table);
	return cli_fail(cli, error);
}
