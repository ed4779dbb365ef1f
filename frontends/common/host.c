/* SPDX-License-Identifier: MIT
 *
 * The host that the command line names, in the words that every program shares.
 */
#include "cli.h"

void cli_host_options(const cli_run *cli, hn_host_options *options)
{
	*options = (hn_host_options)HN_HOST_OPTIONS_INIT;
	options->state = cli_text(cli, "state");
	options->root = cli_text(cli, "root");
	options->uri = cli_text(cli, "uri");
	options->accelerator = cli_text(cli, "accelerator");
	options->signer = cli_text(cli, "signer");
	options->calibration = cli_text(cli, "calibration");
	options->program = cli->program->name;
	options->cancel = cli->cancel;
}

static void fill(const cli_run *cli, cli_access access, hn_host_options *options)
{
	cli_host_options(cli, options);
	options->lock_wait = cli_duration(cli, "lock-wait", 0);
	options->read_only = access == CLI_READ;
	options->dry = access == CLI_LOOK;
}

int cli_host_open(cli_run *cli, cli_access access, hn_host **host)
{
	hn_host_options options;
	hn_error *error = NULL;

	fill(cli, access, &options);
	return hn_host_open(&options, host, &error) < 0 ? cli_fail(cli, error) : 0;
}

int cli_act(cli_run *cli, cli_access access, const char *reason, hn_session **session)
{
	hn_session_options who = HN_SESSION_OPTIONS_INIT;
	hn_host_options options;

	fill(cli, access, &options);
	who.reason = reason;
	who.program = cli->program->name;
	return cli_session_open(cli, &options, &who, session);
}
