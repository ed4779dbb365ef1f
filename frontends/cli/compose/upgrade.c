/* SPDX-License-Identifier: MIT
 *
 * upgrade: a new choice of components, brought to the units of a blueprint one after the other.
 */
#include "choice.h"

/* What is told of units, while it happens or at the end. */
typedef struct telling {
	cli_run *cli;
	cli_progress progress;
	hn_json *json; /* NULL: lines */
	size_t count;
} telling;

static void print_unit(const hn_rollout_unit *unit, bool dry)
{
	const char *state = hn_rollout_state_name(unit->state);

	if (dry && unit->state == HN_ROLLOUT_DONE)
		state = "as it is";
	printf("%-20s %s", unit->unit, state);
	if (unit->contract != NULL)
		printf(": contract %s", unit->contract);
	if (unit->component != NULL)
		printf(" of component %s", unit->component);
	putchar('\n');
}

static void tell_unit(void *arg, const hn_rollout_unit *unit)
{
	telling *to = arg;
	hn_json *json = to->json;

	to->count++;
	if (json == NULL) {
		cli_progress_end(&to->progress);
		if (!to->cli->quiet)
			print_unit(unit, cli_flag(to->cli, "dry-run"));
		return;
	}
	hn_json_object(json, NULL);
	hn_json_text(json, "unit", unit->unit);
	hn_json_text(json, "state", hn_rollout_state_name(unit->state));
	hn_json_text(json, "contract", unit->contract);
	hn_json_text(json, "component", unit->component);
	hn_json_text(json, "problem", unit->problem);
	hn_json_end(json);
}

/* Everything up to the units, which follow. */
static int tell_choice(
	cli_run *cli, const compose_choice *one, const hn_image *image, hn_json *json)
{
	hn_image_info info = HN_IMAGE_INFO_INIT;
	hn_error *error = NULL;
	int status = 0;

	if (json == NULL)
		return one->before == NULL || cli->quiet
			       ? 0
			       : compose_print_changes(cli, one->before, one->after, one->registry);
	if (image != NULL && hn_image_get(image, &info, &error) < 0)
		return cli_fail(cli, error);
	hn_json_text(json, "blueprint", hn_blueprint_name(one->blueprint));
	hn_json_text(json, "lock", one->path);
	if (one->before != NULL)
		status = compose_json_changes(cli, json, one->before, one->after, one->registry);
	if (image != NULL)
		compose_json_image(json, &info);
	return status;
}

static int roll(cli_run *cli, const compose_choice *one, hn_session *session, const hn_image *image,
	telling *to, hn_error **error)
{
	hn_upgrade_options options = HN_UPGRADE_OPTIONS_INIT;
	int result;

	options.max_unavailable = (uint32_t)cli_number(cli, "max-unavailable", 1);
	options.timeout = cli_duration(cli, "timeout", 0);
	options.dry_run = cli_flag(cli, "dry-run");
	options.each = tell_unit;
	options.each_arg = to;
	options.progress = cli_progress_step;
	options.progress_arg = &to->progress;
	options.cancel = cli->cancel;
	result = hn_compose_upgrade(
		session, one->registry, one->blueprint, one->after, image, &options, error);
	cli_progress_end(&to->progress);
	return result;
}

static int say_end(cli_run *cli, const compose_choice *one, const telling *to, int result)
{
	const char *name = hn_blueprint_name(one->blueprint);

	if (cli->json || cli->quiet || cli_flag(cli, "dry-run"))
		return 0;
	if (to->count == 0)
		printf("no unit boots from blueprint %s\n", name);
	else
		printf(result > 0 ? "all units of %s boot from it already\n"
				  : "all units of %s have taken it\n",
			name);
	return 0;
}

/* The lock that is on the disk is one that units are known to boot from. */
static int finish(cli_run *cli, compose_choice *one, const telling *to, int result, hn_error *error)
{
	bool dry = cli_flag(cli, "dry-run");
	int status = 0;

	if (result >= 0 && !dry)
		status = compose_choice_write(cli, one);
	if (to->json != NULL) {
		int printed;

		hn_json_end(to->json); /* of the units */
		hn_json_bool(to->json, "dry-run", dry);
		hn_json_bool(to->json, "changed", !dry && result == 0);
		hn_json_end(to->json);
		printed = cli_json_print(cli, to->json);
		status = status != 0 ? status : printed;
	}
	if (result < 0)
		return cli_fail(cli, error);
	return status != 0 ? status : say_end(cli, one, to, result);
}

static int bring(cli_run *cli, compose_choice *one, hn_session *session)
{
	CLI_AUTO_OF(hn_image) hn_image *image = NULL;
	telling to = {.cli = cli, .progress = {.cli = cli}};
	hn_error *error = NULL;
	int result, status = cli_flag(cli, "dry-run")
				     ? 0
				     : compose_image_make(cli, session, one->registry, one->after,
					       one->blueprint, &image);

	if (status != 0)
		return status;
	if (cli->json) {
		to.json = cli_json_new();
		hn_json_object(to.json, NULL);
	}
	status = tell_choice(cli, one, image, to.json);
	if (status != 0) {
		hn_json_free(to.json);
		return status;
	}
	if (to.json != NULL)
		hn_json_array(to.json, "units");
	result = roll(cli, one, session, image, &to, &error);
	return finish(cli, one, &to, result, error);
}

int compose_upgrade(cli_run *cli)
{
	CLI_AUTO_FREE const char **names = cli_alloc((cli->given_count + 1) * sizeof(const char *));
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	AUTO_CHOICE compose_choice one = {0};
	/* before the registry, which opens the host only to look */
	int status = cli_act(cli, cli_flag(cli, "dry-run") ? CLI_LOOK : CLI_WRITE,
		cli_text(cli, "reason"), &session);

	if (status == 0)
		status = compose_choice_read(cli, &one);
	if (status == 0)
		status = compose_choice_read_lock(cli, &one);
	if (status != 0)
		return status;
	compose_choice_updates(cli, &one, names);
	status = compose_choice_solve(cli, &one);
	if (status == 0 && !cli_flag(cli, "dry-run"))
		status = compose_choice_open(cli, &one);
	return status != 0 ? status : bring(cli, &one, session);
}
