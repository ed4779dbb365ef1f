/* SPDX-License-Identifier: MIT
 *
 * plan, apply, rollback, generations, pending: from what is declared to what runs.
 */
#include "compute.h"
#include <stdlib.h>
#include <string.h>

static hn_on_error on_error_of(const cli_run *cli)
{
	const char *text = cli_text(cli, "on-error");

	if (text == NULL || strcmp(text, "stop") == 0)
		return HN_ON_ERROR_STOP;
	return strcmp(text, "undo") == 0 ? HN_ON_ERROR_UNDO : HN_ON_ERROR_CONTINUE;
}

static bool has_option(const cli_run *cli, const char *name)
{
	return cli_option_find(cli, name, strlen(name)) != NULL;
}

static void print_outcome(const cli_run *cli, const hn_plan *plan)
{
	hn_step step = {.size = sizeof(step)};
	size_t done = 0, pending = 0;

	for (size_t i = 0; hn_plan_step_at(plan, i, &step) == 0; i++) {
		done += step.status == HN_STEP_DONE;
		pending += step.status == HN_STEP_PENDING && step.action == HN_ACTION_CHANGE;
		step.size = sizeof(step);
	}
	if (cli->quiet || hn_plan_empty(plan))
		return;
	printf("applied: %zu step%s", done, done == 1 ? "" : "s");
	if (pending > 0)
		printf(", %zu pending until a restart (pending lists them)", pending);
	putchar('\n');
}

/* Carries a plan out; what happened to its steps is printed also after a failure, and that what
 * was said of the unit `stored` (NULL: of none) stays. */
static int carry_out(cli_run *cli, hn_session *session, hn_plan *plan, const char *stored)
{
	hn_apply_options options = HN_APPLY_OPTIONS_INIT;
	cli_progress progress = {.cli = cli};
	hn_error *error = NULL;
	int result;

	if (has_option(cli, "on-error"))
		options.on_error = on_error_of(cli);
	if (has_option(cli, "wait"))
		options.wait = compute_wait_of(cli);
	if (has_option(cli, "timeout"))
		options.timeout = cli_duration(cli, "timeout", 0);
	options.progress = cli_progress_step;
	options.progress_arg = &progress;
	options.cancel = cli->cancel;
	result = hn_plan_apply(session, plan, &options, &error);
	cli_progress_end(&progress);
	if (cli->json) {
		hn_json *json = cli_json_new();

		hn_json_object(json, NULL);
		cli_json_plan(json, plan);
		hn_json_bool(json, "applied", result >= 0);
		hn_json_end(json);
		(void)cli_json_print(cli, json);
	} else if (result >= 0) {
		print_outcome(cli, plan);
	}
	return result < 0 ? cli_fail_stored(cli, error, stored) : 0;
}

static int print_plan(const cli_run *cli, const hn_session *session, const hn_plan *plan)
{
	hn_json *json;

	if (!cli->json) {
		compute_plan_print(cli, plan);
		cli_redacted_print(cli, hn_session_redacted(session));
		return 0;
	}
	json = cli_json_new();
	hn_json_object(json, NULL);
	cli_json_plan(json, plan);
	hn_json_bool(json, "applied", false);
	cli_json_redacted(json, hn_session_redacted(session));
	hn_json_end(json);
	return cli_json_print(cli, json);
}

/* Shows the plan, asks, applies. An empty one is carried out too: the library may have a new place
 * or generation to remember. */
static int offer(cli_run *cli, hn_session *session, hn_plan *plan)
{
	int status = 0;

	if (cli_flag(cli, "dry-run"))
		return print_plan(cli, session, plan);
	if (!cli->json && !cli->quiet)
		compute_plan_print(cli, plan);
	if (!hn_plan_empty(plan))
		status = cli_confirm(cli, "Apply this plan?");
	return status != 0 ? status : carry_out(cli, session, plan, NULL);
}

static int run_plan(
	cli_run *cli, hn_session *session, const hn_plan_options *options, const char *stored)
{
	CLI_AUTO_OF(hn_plan) hn_plan *plan = NULL;
	hn_error *error = NULL;

	if (hn_plan_make(session, options, &plan, &error) < 0)
		return cli_fail_stored(cli, error, stored);
	if (!cli->json && !cli->quiet)
		compute_plan_print(cli, plan);
	if (hn_plan_empty(plan))
		return cli->json ? print_plan(cli, session, plan) : 0;
	return carry_out(cli, session, plan, stored);
}

int compute_plan_run(cli_run *cli, hn_session *session, const hn_plan_options *options)
{
	return run_plan(cli, session, options, NULL);
}

int compute_settle(cli_run *cli, hn_session *session, const char *unit, bool start)
{
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;

	if (cli_flag(cli, "no-apply"))
		return 0;
	options.unit = unit;
	options.start = start;
	return run_plan(cli, session, &options, unit);
}

/* Reads the files that are named; none means: keep what is declared. */
static int plan_options(cli_run *cli, compute_decls *decls, hn_plan_options *options)
{
	int status = compute_decls_load(cli, cli->operands, cli->operand_count, decls);

	if (status != 0)
		return status;
	options->decls = decls->count == 0 ? NULL : decls->items;
	options->decl_count = decls->count;
	options->owner = HN_OWNER_FILE;
	options->restore = !cli_flag(cli, "no-restore");
	options->start = !cli_flag(cli, "no-start");
	options->on_remove = cli_text(cli, "on-remove");
	options->unit = cli_text(cli, "unit");
	return 0;
}

int compute_plan(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(hn_plan) hn_plan *plan = NULL;
	COMPUTE_AUTO_DECLS compute_decls decls = {0};
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;
	hn_error *error = NULL;
	int status = plan_options(cli, &decls, &options);

	if (status == 0)
		status = compute_open(cli, CLI_WRITE, &session);
	if (status != 0)
		return status;
	if (hn_plan_make(session, &options, &plan, &error) < 0)
		return cli_fail(cli, error);
	status = print_plan(cli, session, plan);
	if (!cli->json && !cli->quiet && hn_plan_number(plan) != 0)
		printf("plan %llu; apply it with: %s apply --plan %llu\n",
			(unsigned long long)hn_plan_number(plan), cli->program->name,
			(unsigned long long)hn_plan_number(plan));
	if (status == 0 && cli_flag(cli, "exit-code") && !hn_plan_empty(plan))
		return 10;
	return status;
}

int compute_apply(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(hn_plan) hn_plan *plan = NULL;
	COMPUTE_AUTO_DECLS compute_decls decls = {0};
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;
	uint64_t number = cli_number(cli, "plan", 0);
	hn_error *error = NULL;
	int status;

	if (number != 0 && cli->operand_count > 0)
		return cli_refuse(cli, HN_EINVAL, "a stored plan has its declaration with it",
			"--plan %llu and files at once", (unsigned long long)number);
	status = plan_options(cli, &decls, &options);
	if (status == 0)
		status = compute_open(cli, CLI_WRITE, &session);
	if (status != 0)
		return status;
	int result = number != 0 ? hn_plan_find(session, number, &plan, &error)
				 : hn_plan_make(session, &options, &plan, &error);

	return result < 0 ? cli_fail(cli, error) : offer(cli, session, plan);
}

int compute_rollback(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(hn_plan) hn_plan *plan = NULL;
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;
	const char *text = cli_operand(cli, 0);
	hn_error *error = NULL;
	char *end;
	int status;

	options.generation = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || options.generation == 0)
		return cli_refuse(cli, HN_EINVAL, "generations lists them",
			"rollback: '%s' is no generation", text);
	options.owner = HN_OWNER_FILE;
	options.start = true;
	status = compute_open(cli, CLI_WRITE, &session);
	if (status != 0)
		return status;
	if (hn_plan_make(session, &options, &plan, &error) < 0)
		return cli_fail(cli, error);
	return offer(cli, session, plan);
}

static int add_generation(void *arg, const hn_generation *generation)
{
	cli_table *table = arg;
	char when[CLI_TIME_TEXT];

	cli_time_print(generation->when, when);
	cli_table_cellf(table, "%s%llu", generation->current ? "* " : "  ",
		(unsigned long long)generation->number);
	cli_table_cell(table, when);
	cli_table_cellf(table, "%u", generation->units);
	cli_table_cell(table, generation->who);
	cli_table_cell(table, generation->why);
	return 0;
}

static int write_generation(void *arg, const hn_generation *generation)
{
	hn_json *json = arg;

	hn_json_object(json, NULL);
	hn_json_uint(json, "number", generation->number);
	hn_json_bool(json, "current", generation->current);
	cli_json_time(json, "when", generation->when);
	hn_json_uint(json, "units", generation->units);
	hn_json_text(json, "who", generation->who);
	hn_json_text(json, "why", generation->why);
	hn_json_end(json);
	return 0;
}

int compute_generations(cli_run *cli)
{
	static const cli_column columns[] = {{.title = "NUMBER", .right = true}, {.title = "WHEN"},
		{.title = "UNITS", .right = true}, {.title = "WHO"}, {.title = "WHY"}};
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_error *error = NULL;
	int status = compute_open(cli, CLI_READ, &session);

	if (status != 0)
		return status;
	if (!cli->json) {
		cli_table *table = cli_table_new(columns, CLI_COUNT(columns), 0);
		int result = hn_generations_list(session, add_generation, table, &error);

		cli_table_print(cli, table);
		if (result < 0)
			return cli_fail(cli, error);
		cli_redacted_print(cli, hn_session_redacted(session));
		return 0;
	}
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	hn_json_array(json, "generations");
	if (hn_generations_list(session, write_generation, json, &error) < 0) {
		hn_json_free(json);
		return cli_fail(cli, error);
	}
	hn_json_end(json);
	cli_json_redacted(json, hn_session_redacted(session));
	hn_json_end(json);
	return cli_json_print(cli, json);
}
