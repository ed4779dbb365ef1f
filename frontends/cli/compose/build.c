/* SPDX-License-Identifier: MIT
 *
 * put and build: payloads in the host's store, and images made of them.
 */
#include "compose.h"
#include <locale.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- payloads ---- */

#define LIST_BYTES (16 << 20)

static bool is_list(const cli_run *cli)
{
	const char *kind = cli_text(cli, "kind");

	return kind != NULL && strcmp(kind, "nix") == 0;
}

/* What is a file already is put as it is. */
static int put(cli_run *cli, hn_session *session, const char *path, const cli_bytes *list,
	char **sha256, uint64_t *bytes, hn_error **error)
{
	hn_payload_directory directory = HN_PAYLOAD_DIRECTORY_INIT;
	struct stat status;

	directory.kind = cli_text(cli, "kind");
	if (is_list(cli)) {
		directory.path = cli_text(cli, "nix-store");
		directory.list = list->data;
		directory.list_size = list->size;
		return hn_payload_put_directory(session, &directory, sha256, bytes, error);
	}
	directory.path = path;
	if (directory.kind == NULL || stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
		return hn_payload_put(session, path, sha256, bytes, error);
	return hn_payload_put_directory(session, &directory, sha256, bytes, error);
}

static int put_one(cli_run *cli, hn_session *session, const char *path, hn_json *json)
{
	CLI_AUTO_TEXT char *sha256 = NULL;
	hn_error *error = NULL;
	COMPOSE_AUTO_BYTES cli_bytes list = {0};
	uint64_t bytes = 0;
	int status = is_list(cli) ? cli_read_file(cli, path, LIST_BYTES, &list) : 0;

	if (status != 0)
		return status;
	if (put(cli, session, path, &list, &sha256, &bytes, &error) < 0)
		return cli_fail(cli, error);
	if (json == NULL) {
		if (!cli->quiet)
			printf("%s %llu %s\n", sha256, (unsigned long long)bytes, path);
		return 0;
	}
	hn_json_object(json, NULL);
	hn_json_text(json, "file", path);
	hn_json_text(json, "sha256", sha256);
	hn_json_uint(json, "size", bytes);
	hn_json_end(json);
	return 0;
}

int compose_put(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_json *json = NULL;
	int status = cli_act(cli, CLI_WRITE, cli_text(cli, "reason"), &session);

	if (status == 0 && cli->json) {
		json = cli_json_new();
		hn_json_array(json, NULL);
	}
	for (size_t i = 0; status == 0 && i < cli->operand_count; i++)
		status = put_one(cli, session, cli->operands[i], json);
	if (json == NULL)
		return status;
	hn_json_end(json);
	if (status == 0)
		return cli_json_print(cli, json);
	hn_json_free(json);
	return status;
}

/* ---- images ---- */

void compose_json_image(hn_json *json, const hn_image_info *info)
{
	hn_json_text(json, "image", info->image);
	hn_json_text(json, "tree", info->tree);
	hn_json_text(json, "writer", info->writer);
	hn_json_text(json, "builder", info->builder);
	hn_json_text(json, "path", info->path);
	hn_json_uint(json, "bytes", info->image_bytes);
	hn_json_text(json, "kernel", info->kernel[0] == '\0' ? NULL : info->kernel);
	hn_json_uint(json, "kernel-bytes", info->kernel_bytes);
	hn_json_text(json, "initrd", info->initrd);
	hn_json_uint(json, "initrd-bytes", info->initrd_bytes);
	hn_json_text(json, "cmdline", info->cmdline);
	hn_json_object(json, "work");
	hn_json_bool(json, "reused", info->reused);
	hn_json_uint(json, "payloads-read", info->payloads_read);
	hn_json_uint(json, "payloads-cached", info->payloads_cached);
	hn_json_uint(json, "parts-made", info->parts_made);
	hn_json_uint(json, "parts-reused", info->parts_reused);
	hn_json_end(json);
}

static int print_json(const cli_run *cli, const hn_image_info *info)
{
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	compose_json_image(json, info);
	if (cli_flag(cli, "check"))
		hn_json_bool(json, "same-twice", true);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

static int print_text(const cli_run *cli, const hn_image_info *info)
{
	printf("image    %s\ntree     %s\n", info->image, info->tree);
	printf("%-8s %s (%llu bytes)\n", info->writer, info->path,
		(unsigned long long)info->image_bytes);
	if (info->kernel[0] != '\0')
		printf("kernel   %s\n", info->kernel);
	printf("cmdline  %s\n", info->cmdline);
	if (info->reused)
		printf("nothing to do: it was there\n");
	else
		printf("payloads %llu read, %llu cached; parts %llu made, %llu reused\n",
			(unsigned long long)info->payloads_read,
			(unsigned long long)info->payloads_cached,
			(unsigned long long)info->parts_made,
			(unsigned long long)info->parts_reused);
	if (cli_flag(cli, "check"))
		puts("built twice: the same bytes");
	return 0;
}

/* --- the second of two builds --- */

/* All that surrounds the process, and is no part of the lock, is changed. */
static void go_elsewhere(void)
{
	(void)setenv("TZ", "Pacific/Chatham", 1);
	(void)setenv("LC_ALL", "tr_TR.UTF-8", 1);
	(void)setenv("SOURCE_DATE_EPOCH", "86400", 1);
	tzset();
	(void)setlocale(LC_ALL, "");
	(void)umask(0);
	if (chdir("/") < 0)
		fputs("hv-compose: the second build is in the same directory\n", stderr);
}

static int build_twice(hn_session *session, const hn_registry *registry, const hn_lock *lock,
	hn_build_options *options, hn_error **error)
{
	CLI_AUTO_OF(hn_image) hn_image *again = NULL;
	CLI_AUTO_FREE char *parser =
		options->parser != NULL ? realpath(options->parser, NULL) : NULL;

	if (parser != NULL)
		options->parser = parser;
	options->check = true;
	options->anew = false;
	options->workers = options->workers == 1 ? 3 : 1;
	go_elsewhere();
	return hn_build(session, registry, lock, options, &again, error);
}

static int make_image(cli_run *cli, hn_session *session, const hn_registry *registry,
	const hn_lock *lock, const hn_blueprint *blueprint, bool twice, hn_image **image)
{
	hn_build_options options = HN_BUILD_OPTIONS_INIT;
	cli_progress progress = {.cli = cli};
	hn_error *error = NULL;
	int result, level = options.level;

	if (blueprint != NULL)
		options.root = hn_blueprint_image(blueprint, &level);
	if (cli_text(cli, "image") != NULL)
		options.root = cli_text(cli, "image");
	options.parser = cli_text(cli, "parser");
	options.level = (int)cli_number(cli, "level", (uint64_t)level);
	options.workers = (uint32_t)cli_number(cli, "workers", 0);
	options.anew = cli_flag(cli, "anew");
	options.allow_setuid = cli_flag(cli, "allow-setuid");
	options.progress = cli_progress_step;
	options.progress_arg = &progress;
	options.cancel = cli->cancel;
	result = hn_build(session, registry, lock, &options, image, &error);
	if (result >= 0 && twice)
		result = build_twice(session, registry, lock, &options, &error);
	cli_progress_end(&progress);
	return result < 0 ? cli_fail(cli, error) : 0;
}

int compose_image_make(cli_run *cli, hn_session *session, const hn_registry *registry,
	const hn_lock *lock, const hn_blueprint *blueprint, hn_image **image)
{
	return make_image(cli, session, registry, lock, blueprint, false, image);
}

int compose_build_image(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	CLI_AUTO_OF(hn_lock) hn_lock *lock = NULL;
	CLI_AUTO_OF(hn_image) hn_image *image = NULL;
	hn_image_info info = HN_IMAGE_INFO_INIT;
	hn_error *error = NULL;
	int status = compose_lock_read(cli, cli_operand(cli, 0), &lock);

	/* before the registry, which opens the host only to look where nobody has opened it to
	 * write */
	if (status == 0)
		status = cli_act(cli, CLI_WRITE, cli_text(cli, "reason"), &session);
	if (status == 0)
		status = compose_registry(cli, &registry);
	if (status == 0)
		status = make_image(
			cli, session, registry, lock, NULL, cli_flag(cli, "check"), &image);
	if (status != 0)
		return status;
	if (hn_image_get(image, &info, &error) < 0)
		return cli_fail(cli, error);
	return cli->json ? print_json(cli, &info) : print_text(cli, &info);
}
