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
