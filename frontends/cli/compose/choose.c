/* SPDX-License-Identifier: MIT
 *
 * blueprint check, resolve, lock: one set of components for a blueprint.
 */
#include "choice.h"

void compose_choice_free(compose_choice *one)
{
	hn_registry_unref(one->registry);
	hn_blueprint_unref(one->blueprint);
	free(one->path);
	hn_lock_unref(one->before);
	hn_lock_unref(one->after);
	cli_output_free(one->output);
}

int compose_choice_read(cli_run *cli, compose_choice *one)
{
	int status = compose_blueprint_read(cli, cli_operand(cli, 0), &one->blueprint);

	one->options = (hn_solve_options)HN_SOLVE_OPTIONS_INIT;
	one->options.cancel = cli->cancel;
	if (status == 0)
		status = compose_registry(cli, &one->registry);
	return status;
}

int compose_choice_read_lock(cli_run *cli, compose_choice *one)
{
	int status;

	if (strcmp(cli_operand(cli, 0), "-") == 0 && cli_text(cli, "lock") == NULL)
		return cli_refuse(cli, HN_EINVAL, "say where with --lock FILE",
			"the lock of what comes from standard input has no place");
	one->path = compose_lock_path(cli);
	status = compose_lock_find(cli, one->path, &one->before);
	one->options.lock = one->before;
	/* the environment is asked when something is locked first, and never again */
	if (one->before != NULL && cli_text_at(cli, "epoch", 0) == NULL)
		one->options.epoch = hn_lock_epoch(one->before);
	else
		one->options.epoch = cli_number(cli, "epoch", 1);
	return status;
}

int compose_choice_solve(cli_run *cli, compose_choice *one)
{
	hn_error *error = NULL;

	if (hn_solve(one->registry, one->blueprint, &one->options, &one->after, &error) < 0)
		return cli_fail(cli, error);
	return 0;
}

/* ---- check ---- */

static int count_components(const hn_lock *lock)
{
	hn_locked one = HN_LOCKED_INIT;
	int count = 0;

	while (hn_lock_get_component(lock, (size_t)count, &one, NULL) == 0)
		count++;
	return count;
}

int compose_check(cli_run *cli)
{
	AUTO_CHOICE compose_choice one = {0};
	hn_json *json;
	int status = compose_choice_read(cli, &one);

	if (status == 0)
		status = compose_choice_solve(cli, &one);
	if (status != 0)
		return status;
	if (cli->json) {
		json = cli_json_new();
		hn_json_object(json, NULL);
		compose_json_lock(json, one.after);
		hn_json_end(json);
		return cli_json_print(cli, json);
	}
	if (!cli->quiet)
		printf("%s %s: %d components fit\n", hn_blueprint_name(one.blueprint),
			hn_blueprint_version(one.blueprint), count_components(one.after));
	return 0;
}

/* ---- resolve ---- */

static void print_lock(cli_run *cli, const hn_lock *lock)
{
	static const cli_column columns[] = {{.title = "COMPONENT"}, {.title = "VERSION"},
		{.title = "REGISTRY"}, {.title = "SIZE", .right = true},
		{.title = "WHY", .shrink = true}};
	cli_table *table = cli_table_new(columns, CLI_COUNT(columns), 0);
	hn_locked one = HN_LOCKED_INIT;
	char size[HN_QUANTITY_TEXT];

	for (size_t i = 0; hn_lock_get_component(lock, i, &one, NULL) == 0; i++) {
		hn_size_print(one.payload_bytes, size);
		cli_table_cell(table, one.component);
		cli_table_cell(table, one.version);
		cli_table_cell(table, one.registry);
		cli_table_cell(table, one.payload_count == 0 ? "-" : size);
		cli_table_cell(table, one.why);
	}
	cli_table_print(cli, table);
}

int compose_choice_open(cli_run *cli, compose_choice *one)
{
	return one->output != NULL ? 0 : cli_output_open(cli, one->path, &one->output);
}

int compose_choice_write(cli_run *cli, compose_choice *one)
{
	CLI_AUTO_TEXT char *text = NULL;
	cli_output *output;
	hn_error *error = NULL;
	int status;

	if (hn_lock_write(one->after, &text, &error) < 0)
		return cli_fail(cli, error);
	status = compose_choice_open(cli, one);
	if (status != 0)
		return status;
	output = one->output;
	one->output = NULL;
	return cli_output_write(cli, output, 0644, text, strlen(text), CLI_AGAIN);
}

static int tell_json(cli_run *cli, const compose_choice *one, bool written)
{
	hn_json *json = cli_json_new();
	int status = 0;

	hn_json_object(json, NULL);
	hn_json_text(json, "lock", written ? one->path : NULL);
	compose_json_lock(json, one->after);
	if (one->before != NULL)
		status = compose_json_changes(cli, json, one->before, one->after, one->registry);
	hn_json_end(json);
	if (status == 0)
		return cli_json_print(cli, json);
	hn_json_free(json);
	return status;
}

/* What was chosen, or what of it is new. */
static int tell(cli_run *cli, const compose_choice *one, bool written)
{
	char digest[HN_DIGEST_TEXT];
	int status = 0;

	if (cli->json)
		return tell_json(cli, one, written);
	if (one->before != NULL)
		status = compose_print_changes(cli, one->before, one->after, one->registry);
	else
		print_lock(cli, one->after);
	hn_lock_digest(one->after, digest);
	if (status == 0 && written && !cli->quiet)
		printf("%s is locked in %s: %s\n", hn_lock_blueprint(one->after), one->path,
			digest);
	return status;
}

void compose_choice_updates(cli_run *cli, compose_choice *one, const char **names)
{
	size_t count = 0;

	for (; (names[count] = cli_text_at(cli, "update", count)) != NULL; count++)
		;
	one->options.update = names;
	one->options.update_count = count;
	one->options.update_all = cli_flag(cli, "update-all");
}

int compose_resolve(cli_run *cli)
{
	AUTO_CHOICE compose_choice one = {0};
	bool dry = cli_flag(cli, "dry-run");
	CLI_AUTO_FREE const char **names = cli_alloc((cli->given_count + 1) * sizeof(const char *));
	int status = compose_choice_read(cli, &one);

	if (status == 0)
		status = compose_choice_read_lock(cli, &one);
	if (status != 0)
		return status;
	compose_choice_updates(cli, &one, names);
	status = compose_choice_solve(cli, &one);
	if (status == 0 && !dry)
		status = compose_choice_write(cli, &one);
	return status != 0 ? status : tell(cli, &one, !dry);
}

/* ---- lock ---- */

static int say_holds(cli_run *cli, compose_choice *one)
{
	if (cli->json) {
		one->after = hn_lock_ref(one->before);
		return tell_json(cli, one, true);
	}
	if (!cli->quiet)
		printf("%s holds\n", one->path);
	return 0;
}

int compose_lock(cli_run *cli)
{
	AUTO_CHOICE compose_choice one = {0};
	hn_error *error = NULL;
	int status = compose_choice_read(cli, &one);

	if (status == 0)
		status = compose_choice_read_lock(cli, &one);
	if (status != 0)
		return status;
	if (one.before != NULL &&
		hn_lock_check(one.before, one.registry, one.blueprint, &error) < 0)
		return cli_fail(cli, error);
	if (one.before != NULL && one.options.epoch == hn_lock_epoch(one.before))
		return say_holds(cli, &one);
	status = compose_choice_solve(cli, &one);
	if (status == 0)
		status = compose_choice_write(cli, &one);
	return status != 0 ? status : tell(cli, &one, true);
}

/* ---- blueprint: all the way to an image that units boot from ---- */

static int lock_it(cli_run *cli, compose_choice *one, bool dry)
{
	hn_error *error = NULL;
	int status;

	if (one->before != NULL &&
		hn_lock_check(one->before, one->registry, one->blueprint, &error) < 0)
		return cli_fail(cli, error);
	if (one->before != NULL && one->options.epoch == hn_lock_epoch(one->before)) {
		one->after = hn_lock_ref(one->before);
		return 0;
	}
	status = compose_choice_solve(cli, one);
	return status != 0 || dry ? status : compose_choice_write(cli, one);
}

static int tell_use(cli_run *cli, const compose_choice *one, const hn_image *image, bool fresh)
{
	const char *name = hn_blueprint_name(one->blueprint);
	hn_image_info info = HN_IMAGE_INFO_INIT;
	hn_error *error = NULL;
	hn_json *json;

	if (hn_image_get(image, &info, &error) < 0)
		return cli_fail(cli, error);
	if (cli->json) {
		json = cli_json_new();
		hn_json_object(json, NULL);
		hn_json_text(json, "blueprint", name);
		hn_json_text(json, "lock", one->path);
		hn_json_bool(json, "new", fresh);
		compose_json_image(json, &info);
		hn_json_end(json);
		return cli_json_print(cli, json);
	}
	if (cli->quiet)
		return 0;
	printf("lock     %s: %d components\nimage    %s\n", one->path, count_components(one->after),
		info.image);
	printf(fresh ? "units of blueprint %s take it with the next hv-compute apply\n"
		     : "units of blueprint %s boot from it already\n",
		name);
	printf("next: hv-compute create UNIT --blueprint %s\n", name);
	return 0;
}

static int build_and_use(cli_run *cli, const compose_choice *one, hn_session *session)
{
	CLI_AUTO_OF(hn_image) hn_image *image = NULL;
	hn_error *error = NULL;
	int fresh, status = compose_image_make(
			   cli, session, one->registry, one->after, one->blueprint, &image);

	if (status != 0)
		return status;
	fresh = hn_image_use(session, one->registry, one->blueprint, one->after, image, &error);
	return fresh < 0 ? cli_fail(cli, error) : tell_use(cli, one, image, fresh > 0);
}

int compose_blueprint(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	AUTO_CHOICE compose_choice one = {0};
	bool dry = cli_flag(cli, "dry-run");
	/* before the registry, which opens the host only to look */
	int status = dry ? 0 : cli_act(cli, CLI_WRITE, cli_text(cli, "reason"), &session);

	if (status == 0)
		status = compose_choice_read(cli, &one);
	if (status == 0)
		status = compose_choice_read_lock(cli, &one);
	if (status == 0)
		status = lock_it(cli, &one, dry);
	if (status == 0 && dry)
		return tell(cli, &one, false);
	return status != 0 ? status : build_and_use(cli, &one, session);
}
