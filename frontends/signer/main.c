/* SPDX-License-Identifier: MIT
 *
 * hv-signer: holds a node's keys and signs for the other programs over a Unix socket.
 */
#include "cli.h"

static const cli_option options[] = {
	CLI_VALUE(
		"socket", "PATH", "Unix socket that it serves; its directory says who reaches it"),
	CLI_VALUE(
		"keys", "DIR", "directory of the keys, mode 0700; made with new keys when missing"),
	CLI_VALUE("credential-fd", "N",
		"read the 32 bytes of the key that wraps the others from this descriptor; else they "
		"are in the file kek beside the keys"),
	CLI_VALUE("origin", "NAME",
		"name of the audit log that it seals: hypernix.org/audit/CLUSTER/NODE; needed once"),
	CLI_VALUE("trust", "FILE", "trust bundle; what it does not allow is not signed"),
	CLI_VALUE("client", "N", "user id that is served beside root and its own"),
	CLI_FLAG("unconfined", "run without the sandbox, for a kernel that lacks a part of it"),
	CLI_END,
};

static int serve(cli_run *cli)
{
	hn_signer_options what = HN_SIGNER_OPTIONS_INIT;
	hn_error *error = NULL;

	what.socket = cli_text(cli, "socket");
	what.keys = cli_text(cli, "keys");
	what.origin = cli_text(cli, "origin");
	what.trust = cli_text(cli, "trust");
	what.confine = !cli_flag(cli, "unconfined");
	if (cli_text(cli, "credential-fd") != NULL)
		what.credential = (int)cli_number(cli, "credential-fd", 0);
	if (cli_text(cli, "client") != NULL)
		what.client = (int64_t)cli_number(cli, "client", 0);
	if (what.socket == NULL || what.keys == NULL)
		return cli_refuse(cli, HN_EINVAL, "give --socket PATH and --keys DIR",
			"it is not said where the signer listens, or where its keys are");
	if (hn_signer_serve(&what, cli->cancel, &error) < 0)
		return cli_fail(cli, error);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const cli_command none[] = {{.name = NULL}};
	static const cli_program program = {
		.name = "hv-signer",
		.summary =
			"Holds a node's keys and signs for its other programs, which never see one.",
		.details =
			"It signs only what it read and understood: claims of tokens within the trust "
			"bundle, heads of the audit log that go on from the last one, checkpoints of "
			"other logs that do, votes of the node. It runs until it is ended by SIGTERM or "
			"SIGINT, and goes on after a kill where it was.",
		.options = options,
		.commands = none,
		.run = serve,
		.examples = "--socket /run/hypernix/signer --keys /var/lib/hypernix/keys\n"
			    "--socket /run/hypernix/signer --keys /var/lib/hypernix/keys "
			    "--credential-fd 3 3<$CREDENTIALS_DIRECTORY/kek\n",
		.statuses =
			"0\tended by a signal that asked for it\n"
			"6\ta key or the wrapping key is not good\n"
			"7\tanother signer has the socket, or holds the keys for seconds\n"
			"8\tthe system does not allow it\n"
			"13\tthe directory cannot be read or written, or its state is not that of "
			"this log\n"
			"14\tthe sandbox is not complete here\n"
			"64\tan option is wrong or missing\n",
	};

	return cli_main(&program, argc, argv);
}
