/* SPDX-License-Identifier: MIT
 *
 * verify: is all that a lock names still what it was?
 */
#include "compose.h"

/* What was told so far. */
typedef struct faults {
	hn_json *json; /* or a table */
	cli_table *table;
	int code; /* that the program ends with: what was changed is worse than what is missing */
} faults;

static void each_fault(void *arg, const hn_verify_fault *fault)
{
	faults *all = arg;
	const char *owner = fault->component[0] == '\0' ? NULL : fault->component;

	if (all->code != HN_EDIGEST)
		all->code = fault->code;
	if (all->json == NULL) {
		cli_table_cell(all->table, owner);
		cli_table_cell(all->table, fault->what);
		cli_table_cell(all->table, fault->entry);
		cli_table_cell(all->table, fault->message);
		return;
	}
	hn_json_object(all->json, NULL);
	hn_json_text(all->json, "code", hn_code_name((hn_code)fault->code));
	hn_json_text(all->json, "component", owner);
	hn_json_text(all->json, "what", fault->what);
	hn_json_text(all->json, "entry", fault->entry);
	hn_json_text(all->json, "message", fault->message);
	hn_json_end(all->json);
}

static void begin(faults *all, const cli_run *cli, const hn_lock *lock)
{
	static const cli_column columns[] = {{.title = "COMPONENT"}, {.title = "WHAT"},
		{.title = "ENTRY"}, {.title = "FAULT", .shrink = true}};

	if (!cli->json) {
		all->table = cli_table_new(columns, CLI_COUNT(columns), 0);
		return;
	}
	all->json = cli_json_new();
	hn_json_object(all->json, NULL);
	hn_json_text(all->json, "blueprint", hn_lock_blueprint(lock));
	hn_json_array(all->json, "faults");
}

static int tell_json(faults *all, const cli_run *cli, const hn_verified *verified)
{
	hn_json *json = all->json;
	int status;

	hn_json_end(json);
	hn_json_object(json, "verified");
	hn_json_uint(json, "bytes", verified->bytes);
	hn_json_uint(json, "components", verified->components);
	hn_json_uint(json, "payloads", verified->payloads);
	hn_json_uint(json, "layers", verified->layers);
	hn_json_uint(json, "files", verified->files);
	hn_json_uint(json, "images", verified->images);
	hn_json_uint(json, "rebuilt", verified->rebuilt);
	hn_json_end(json);
	hn_json_end(json);
	status = cli_json_print(cli, json);
	return status == 0 && all->code != 0 ? hn_code_exit_status((hn_code)all->code) : status;
}

static int tell(faults *all, cli_run *cli, const hn_verified *verified, int count)
{
	if (all->json != NULL)
		return tell_json(all, cli, verified);
	if (count > 0)
		cli_table_print(cli, all->table);
	else
		cli_table_free(all->table);
	if (!cli->quiet)
		printf("%llu components, %llu payloads, %llu files in them, %llu images, %llu of "
		       "them built again: %llu bytes read\n",
			(unsigned long long)verified->components,
			(unsigned long long)verified->payloads, (unsigned long long)verified->files,
			(unsigned long long)verified->images, (unsigned long long)verified->rebuilt,
			(unsigned long long)verified->bytes);
	if (count == 0)
		return 0;
	return cli_refuse(cli, (hn_code)all->code,
		"hv-compose put brings payloads again, hv-compose build --anew makes images again",
		"%d %s not as the lock says", count, count == 1 ? "thing is" : "things are");
}

static int look(cli_run *cli, hn_session *session, const hn_registry *registry, const hn_lock *lock)
{
	hn_verify_options options = HN_VERIFY_OPTIONS_INIT;
	hn_verified verified = HN_VERIFIED_INIT;
	cli_progress progress = {.cli = cli};
	hn_error *error = NULL;
	faults all = {0};
	int count;

	options.image = cli_flag(cli, "image");
	options.rebuild = cli_flag(cli, "rebuild");
	options.workers = (uint32_t)cli_number(cli, "workers", 0);
	options.parser = cli_text(cli, "parser");
	options.progress = cli_progress_step;
	options.progress_arg = &progress;
	options.cancel = cli->cancel;
	begin(&all, cli, lock);
	count = hn_compose_verify(
		session, registry, lock, &options, each_fault, &all, &verified, &error);
	cli_progress_end(&progress);
	if (count >= 0)
		return tell(&all, cli, &verified, count);
	hn_json_free(all.json);
	cli_table_free(all.table);
	return cli_fail(cli, error);
}

int compose_verify_lock(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(hn_registry) hn_registry *registry = NULL;
	CLI_AUTO_OF(hn_lock) hn_lock *lock = NULL;
	int status = compose_lock_read(cli, cli_operand(cli, 0), &lock);

	if (status == 0)
		status = cli_act(cli, cli_flag(cli, "rebuild") ? CLI_WRITE : CLI_LOOK,
			cli_text(cli, "reason"), &session);
	if (status == 0)
		status = compose_registry(cli, &registry);
	return status != 0 ? status : look(cli, session, registry, lock);
}
