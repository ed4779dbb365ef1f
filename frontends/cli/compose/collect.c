/* SPDX-License-Identifier: MIT
 *
 * gc: what nobody needs goes from the host's store.
 */
#include "compose.h"

/* What was put for a manifest that is not written yet is no garbage. */
#define GRACE (INT64_C(86400) * 1000000000)

/* The locks of --keep; the caller's. */
typedef struct kept {
	hn_lock **locks;
	size_t count;
} kept;

static void kept_auto(kept *all)
{
	for (size_t i = 0; i < all->count; i++)
		hn_lock_unref(all->locks[i]);
	free(all->locks);
}
#define AUTO_KEPT __attribute__((cleanup(kept_auto)))

static int read_locks(cli_run *cli, kept *all)
{
	const char *path;
	int status = 0;

	while (status == 0 && (path = cli_text_at(cli, "keep", all->count)) != NULL) {
		all->locks = cli_realloc(all->locks, all->count + 1, sizeof(*all->locks));
		status = compose_lock_read(cli, path, &all->locks[all->count]);
		all->count += status == 0;
	}
	return status;
}

static int print_json(const cli_run *cli, const hn_compose_garbage *garbage, bool dry_run)
{
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	hn_json_bool(json, "dry-run", dry_run);
	hn_json_object(json, "gone");
	hn_json_uint(json, "bytes", garbage->bytes);
	hn_json_uint(json, "files", garbage->blobs);
	hn_json_uint(json, "records", garbage->records);
	hn_json_uint(json, "payload-names", garbage->payloads);
	hn_json_end(json);
	hn_json_object(json, "kept");
	hn_json_uint(json, "files", garbage->kept_blobs);
	hn_json_uint(json, "images", garbage->kept_images);
	hn_json_end(json);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

static int print_text(const hn_compose_garbage *garbage, bool dry_run)
{
	printf("%s %llu bytes: %llu files, %llu records, names of %llu payloads\n",
		dry_run ? "would free" : "freed", (unsigned long long)garbage->bytes,
		(unsigned long long)garbage->blobs, (unsigned long long)garbage->records,
		(unsigned long long)garbage->payloads);
	printf("%s %llu files, with them %llu images\n", dry_run ? "would keep" : "kept",
		(unsigned long long)garbage->kept_blobs, (unsigned long long)garbage->kept_images);
	return 0;
}

int compose_gc(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_compose_gc_options options = HN_COMPOSE_GC_OPTIONS_INIT;
	hn_compose_garbage garbage = HN_COMPOSE_GARBAGE_INIT;
	AUTO_KEPT kept keep = {0};
	hn_error *error = NULL;
	int status;

	options.dry_run = cli_flag(cli, "dry-run");
	status = cli_act(
		cli, options.dry_run ? CLI_LOOK : CLI_WRITE, cli_text(cli, "reason"), &session);
	if (status == 0)
		status = read_locks(cli, &keep);
	if (status != 0)
		return status;
	options.locks = (const hn_lock *const *)keep.locks;
	options.lock_count = keep.count;
	options.unused = cli_flag(cli, "unused");
	options.grace = cli_duration(cli, "grace", GRACE);
	if (hn_compose_gc(session, &options, &garbage, &error) < 0)
		return cli_fail(cli, error);
	if (cli->json)
		return print_json(cli, &garbage, options.dry_run);
	return cli->quiet ? 0 : print_text(&garbage, options.dry_run);
}
