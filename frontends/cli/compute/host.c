/* SPDX-License-Identifier: MIT
 *
 * Opening the host the command line names, and acting on the units that it names.
 */
#include "compute.h"

int compute_open(cli_run *cli, cli_access access, hn_session **session)
{
	return cli_act(cli, access, cli_text(cli, "reason"), session);
}

int compute_open_as(cli_run *cli, const char *service, hn_session **session)
{
	hn_session_options who = HN_SESSION_OPTIONS_INIT;
	hn_error *error = NULL;
	int status = cli_host_open(cli, CLI_WRITE, &cli->host);

	if (status != 0)
		return status;
	who.reason = cli_text(cli, "reason");
	who.program = cli->program->name;
	status = cli_session_named(cli, cli->host, &who, session);
	if (status == 0 && *session == NULL &&
		hn_session_open_service(cli->host, service, &who, session, &error) < 0)
		return cli_fail(cli, error);
	return status;
}

static void report_json(hn_json *json, const char *unit, const char *done, const hn_error *error)
{
	hn_json_object(json, NULL);
	hn_json_text(json, "unit", unit);
	hn_json_bool(json, "ok", error == NULL);
	if (error == NULL)
		hn_json_text(json, "done", done);
	else
		hn_json_error(json, "error", error);
	hn_json_end(json);
}

int compute_each(
	cli_run *cli, hn_session *session, compute_act act, const char *done, compute_after failure)
{
	hn_json *json = cli->json ? cli_json_new() : NULL;
	int status = 0;

	if (cli_only_asks(cli) && cli->operand_count > 1) {
		(void)hn_json_free(json);
		return cli_refuse(cli, HN_EINVAL, "name one unit",
			"--request-approval asks for one call at a time");
	}
	if (json != NULL) {
		hn_json_object(json, NULL);
		hn_json_array(json, "units");
	}
	for (size_t i = 0; i < cli->operand_count && !hn_cancel_triggered(cli->cancel); i++) {
		const char *unit = cli->operands[i];
		hn_error *error = NULL;
		int result = act(cli, session, unit, &error);
		const char *what = result == 1 ? "nothing to do" : done;

		if (json != NULL)
			report_json(json, unit, what, error);
		else if (result >= 0 && !cli->quiet)
			printf("%s: %s\n", unit, what);
		if (result >= 0)
			continue;
		if (status == 0)
			status = hn_code_exit_status((hn_code)result);
		if (json == NULL)
			(void)cli_fail(cli, error);
		else
			hn_error_unref(error);
		if (failure == COMPUTE_STOP)
			break;
	}
	if (json == NULL)
		return status;
	hn_json_end(json);
	hn_json_end(json);
	int printed = cli_json_print(cli, json);

	return status != 0 ? status : printed;
}
