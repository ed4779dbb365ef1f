/* SPDX-License-Identifier: MIT
 *
 * show --files and why --file: what a component brings, and why a path of an image is as it is.
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

/* ---- why a path is as it is ---- */

/* What is told after the last step. */
typedef struct story {
	hn_json *json; /* or text */
	bool there;
	char *path, *component, *payload; /* of who brought what is there */
} story;

static void end_story(story *at)
{
	free(at->path);
	free(at->component);
	free(at->payload);
}
#define AUTO_STORY __attribute__((cleanup(end_story)))

static void write_step(hn_json *json, const hn_path_step *step)
{
	CLI_AUTO_FREE char *mode = cli_format("%04o", step->mode);

	hn_json_object(json, NULL);
	hn_json_text(json, "decision", step->decision);
	hn_json_text(json, "component", step->component);
	hn_json_text(json, "other", step->other[0] == '\0' ? NULL : step->other);
	hn_json_text(json, "payload", step->payload[0] == '\0' ? NULL : step->payload);
	hn_json_text(json, "written", step->written);
	hn_json_text(json, "type", step->type);
	hn_json_text(json, "mode", mode);
	hn_json_array(json, "owner");
	hn_json_uint(json, NULL, step->uid);
	hn_json_uint(json, NULL, step->gid);
	hn_json_end(json);
	hn_json_uint(json, "size", step->bytes);
	hn_json_text(json, "digest", step->digest[0] == '\0' ? NULL : step->digest);
	hn_json_text(json, "target", step->target[0] == '\0' ? NULL : step->target);
	hn_json_end(json);
}

static void print_step(const hn_path_step *step)
{
	printf("  %s %s", step->component, step->decision);
	if (strcmp(step->decision, "agrees") == 0)
		printf(" with %s", step->other);
	else if (step->other[0] != '\0')
		printf(" that of %s", step->other);
	if (strcmp(step->written, step->path) != 0)
		printf(", as %s", step->written);
	if (step->payload[0] != '\0')
		printf(", in payload %s", step->payload);
	printf(": %s %04o %u:%u", step->type, step->mode, step->uid, step->gid);
	if (step->digest[0] != '\0')
		printf(", %llu bytes, %s", (unsigned long long)step->bytes, step->digest);
	if (step->target[0] != '\0')
		printf(" -> %s", step->target);
	printf("\n");
}

static void keep(char **text, const char *what)
{
	free(*text);
	*text = cli_format("%s", what);
}

static void each_step(void *arg, const hn_path_step *step)
{
	story *at = arg;
	bool removes = strcmp(step->decision, "removes") == 0;
	bool same = strcmp(step->decision, "agrees") == 0 || strcmp(step->decision, "changes") == 0;

	keep(&at->path, step->path);
	at->there = !removes;
	if (!removes && !same) {
		keep(&at->component, step->component);
		keep(&at->payload, step->payload);
	}
	if (at->json != NULL)
		write_step(at->json, step);
	else
		print_step(step);
}

/* What is no lock is a blueprint, whose lock is beside it or is chosen. */
static int lock_of(cli_run *cli, const char *file, hn_registry **registry, hn_lock **lock)
{
	COMPOSE_AUTO_BYTES cli_bytes bytes = {0};
	CLI_AUTO_FREE char *path = compose_lock_path(cli);
	hn_error *error = NULL;
	int status = cli_read_file(cli, file, COMPOSE_LOCK_BYTES, &bytes);
	size_t size = strlen(file);

	if (status != 0 || hn_lock_parse(file, bytes.data, bytes.size, lock, &error) == 0)
		return status;
	if (size > 10 && strcmp(file + size - 10, ".lock.json") == 0)
		return cli_fail(cli, error);
	hn_error_unref(error);
	status = compose_lock_find(cli, path, lock);
	return status != 0 || *lock != NULL ? status : compose_choose(cli, registry, NULL, lock);
}

static int tell_end(story *at, const cli_run *cli)
{
	if (at->json == NULL) {
		if (!at->there)
			printf("%s is not in the image\n", at->path);
		else
			printf("%s is from %s%s%s\n", at->path, at->component,
				at->payload[0] == '\0' ? "" : ", payload ", at->payload);
		return 0;
	}
	hn_json_end(at->json);
	hn_json_text(at->json, "path", at->path);
	hn_json_bool(at->json, "in-image", at->there);
	hn_json_text(at->json, "component", at->there ? at->component : NULL);
	hn_json_text(at->json, "payload", at->there && at->payload[0] != '\0' ? at->payload : NULL);
	hn_json_end(at->json);
	return cli_json_print(cli, at->json);
}

static int tell_why(cli_run *cli, hn_session *session, const hn_registry *registry,
	const hn_lock *lock, const char *path)
{
	hn_build_options options = HN_BUILD_OPTIONS_INIT;
	AUTO_STORY story at = {0};
	hn_error *error = NULL;

	options.parser = cli_text(cli, "parser");
	options.allow_setuid = cli_flag(cli, "allow-setuid");
	options.cancel = cli->cancel;
	if (cli->json) {
		at.json = cli_json_new();
		hn_json_object(at.json, NULL);
		hn_json_text(at.json, "blueprint", hn_lock_blueprint(lock));
		hn_json_array(at.json, "steps");
	}
	if (hn_path_why(session, registry, lock, path, &options, each_step, &at, &error) >= 0)
		return tell_end(&at, cli);
	hn_json_free(at.json);
	return cli_fail(cli, error);
}

/* Of a component what is asked about comes first: so may a path. */
static void put_file_first(cli_run *cli)
{
	const char *first = cli->operands[0], *second = cli->operands[1];

	if (*first != '/' || *second == '/')
		return;
	cli->operands[0] = second;
	cli->operands[1] = first;
}

int compose_why_file(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	CLI_AUTO_OF(hn_lock) hn_lock *lock = NULL;
	int status = cli_act(cli, CLI_WRITE, cli_text(cli, "reason"), &session);

	put_file_first(cli);
	if (status == 0)
		status = compose_registry(cli, &registry);
	if (status == 0)
		status = lock_of(cli, cli_operand(cli, 0), &registry, &lock);
	return status != 0 ? status : tell_why(cli, session, registry, lock, cli_operand(cli, 1));
}
