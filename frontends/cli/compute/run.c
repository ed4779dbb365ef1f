/* SPDX-License-Identifier: MIT
 *
 * start, stop, restart, kill, pause, resume, reset, wait, move: the life of units.
 */
#include "compute.h"
#include <stdlib.h>
#include <string.h>

hn_wait compute_wait_of(const cli_run *cli)
{
	static const char *const names[] = {
		[HN_WAIT_NONE] = "none",
		[HN_WAIT_RUNNING] = "running",
		[HN_WAIT_READY] = "ready",
		[HN_WAIT_STOPPED] = "stopped",
	};
	const char *text = cli_text(cli, "wait");

	for (size_t i = 0; text != NULL && i < CLI_COUNT(names); i++) {
		if (strcmp(text, names[i]) == 0)
			return (hn_wait)i;
	}
	return HN_WAIT_RUNNING;
}

typedef int (*start_call)(
	hn_session *session, const char *unit, const hn_start_options *options, hn_error **err);

static int start_with(cli_run *cli, hn_session *session, const char *unit, start_call call,
	hn_wait wait, hn_error **err)
{
	hn_start_options options = HN_START_OPTIONS_INIT;
	cli_progress progress = {.cli = cli};
	int result;

	options.wait = wait;
	options.timeout = cli_duration(cli, "timeout", 0);
	options.progress = cli_progress_step;
	options.progress_arg = &progress;
	options.cancel = cli->cancel;
	result = call(session, unit, &options, err);
	cli_progress_end(&progress);
	return result;
}

static int act_start(cli_run *cli, hn_session *session, const char *unit, hn_error **err)
{
	return start_with(cli, session, unit, hn_unit_start, compute_wait_of(cli), err);
}

static int act_restart(cli_run *cli, hn_session *session, const char *unit, hn_error **err)
{
	hn_wait wait = cli_flag(cli, "rolling") ? HN_WAIT_READY : compute_wait_of(cli);

	return start_with(cli, session, unit, hn_unit_restart, wait, err);
}

static int act_stop(cli_run *cli, hn_session *session, const char *unit, hn_error **err)
{
	hn_stop_options options = HN_STOP_OPTIONS_INIT;
	hn_stop_result result = {.size = sizeof(result)};
	int status;

	options.grace = cli_duration(cli, "grace", 0);
	options.force = cli_flag(cli, "force");
	options.cancel = cli->cancel;
	status = hn_unit_stop(session, unit, &options, &result, err);
	if (status >= 0 && result.forced && !options.force && !cli->quiet && !cli->json)
		fprintf(stderr, "%s: did not answer in time; it was switched off\n", unit);
	return status < 0 ? status : !result.was_running;
}

static int act_kill(cli_run *cli, hn_session *session, const char *unit, hn_error **err)
{
	(void)cli;
	return hn_unit_kill(session, unit, err);
}

static int act_pause(cli_run *cli, hn_session *session, const char *unit, hn_error **err)
{
	(void)cli;
	return hn_unit_pause(session, unit, err);
}

static int act_resume(cli_run *cli, hn_session *session, const char *unit, hn_error **err)
{
	(void)cli;
	return hn_unit_resume(session, unit, err);
}

static int act_reset(cli_run *cli, hn_session *session, const char *unit, hn_error **err)
{
	(void)cli;
	return hn_unit_reset(session, unit, err);
}

static int act_wait(cli_run *cli, hn_session *session, const char *unit, hn_error **err)
{
	return hn_unit_wait(session, unit, compute_wait_of(cli),
		cli_duration(cli, "timeout", 120 * COMPUTE_NS), cli->cancel, err);
}

static int act_move(cli_run *cli, hn_session *session, const char *unit, hn_error **err)
{
	return hn_unit_move(session, unit, cli_text(cli, "to"), err);
}

static int act_on_units(cli_run *cli, cli_access access, compute_act act, const char *done)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	int status = compute_open(cli, access, &session);

	return status != 0 ? status : compute_each(cli, session, act, done, COMPUTE_GO_ON);
}

int compute_start(cli_run *cli)
{
	return act_on_units(cli, CLI_WRITE, act_start, "started");
}

int compute_stop(cli_run *cli)
{
	return act_on_units(cli, CLI_WRITE, act_stop, "stopped");
}

int compute_kill(cli_run *cli)
{
	return act_on_units(cli, CLI_WRITE, act_kill, "killed");
}

int compute_pause(cli_run *cli)
{
	return act_on_units(cli, CLI_WRITE, act_pause, "paused");
}

int compute_resume(cli_run *cli)
{
	return act_on_units(cli, CLI_WRITE, act_resume, "resumed");
}

int compute_reset(cli_run *cli)
{
	return act_on_units(cli, CLI_WRITE, act_reset, "reset");
}

int compute_wait(cli_run *cli)
{
	return act_on_units(cli, CLI_WRITE, act_wait, "reached");
}

int compute_move(cli_run *cli)
{
	if (cli_text(cli, "to") == NULL)
		return cli_refuse(
			cli, HN_EINVAL, "move web-1 --to host-b", "move: --to is missing");
	return act_on_units(cli, CLI_WRITE, act_move, "moved");
}

/* The units with pending values stand in for operands. */
static int restart_pending(cli_run *cli, hn_session *session, compute_after failure)
{
	CLI_AUTO_OF(hn_units) hn_units *units = NULL;
	CLI_AUTO_FREE const char **names = NULL;
	const char **given = cli->operands;
	size_t count = 0;
	hn_error *error = NULL;
	int status;

	if (hn_units_list(session, NULL, false, &units, &error) < 0)
		return cli_fail(cli, error);
	names = cli_alloc(hn_units_count(units) * sizeof(*names));
	for (size_t i = 0; i < hn_units_count(units); i++) {
		if (hn_unit_pending(hn_units_at(units, i)))
			names[count++] = hn_unit_name(hn_units_at(units, i));
	}
	cli->operands = names;
	cli->operand_count = count;
	status = compute_each(cli, session, act_restart, "restarted", failure);
	cli->operands = given;
	cli->operand_count = 0;
	if (count == 0 && !cli->json && !cli->quiet)
		puts("nothing is pending");
	return status;
}

int compute_restart(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	compute_after failure = cli_flag(cli, "rolling") ? COMPUTE_STOP : COMPUTE_GO_ON;
	bool pending = cli_flag(cli, "pending");
	int status;

	if (pending == (cli->operand_count > 0))
		return cli_refuse(cli, HN_EINVAL,
			"name units, or give --pending for all that wait for one", "restart: %s",
			pending ? "--pending and units at once" : "which units?");
	status = compute_open(cli, CLI_WRITE, &session);
	if (status != 0)
		return status;
	return pending ? restart_pending(cli, session, failure)
		       : compute_each(cli, session, act_restart, "restarted", failure);
}

int compute_unsupported(cli_run *cli)
{
	return cli_refuse(cli, HN_ENOSUP, "units can be made with create or from a declaration",
		"%s: not supported yet: this version has no template store", cli->command->name);
}
