/* SPDX-License-Identifier: MIT
 *
 * hv-imgparse: takes one foreign archive apart, in a sandbox, for the program that started it.
 */
#include "cli.h"
#include <hypernix/compose-payload.h>
#include <unistd.h>

static const cli_option options[] = {
	CLI_VALUE(
		"payload", "tar|deb|tree|nix|oci", "kind of the payload on standard input; needed"),
	CLI_VALUE("platform", "NAME",
		"of an image layout for several, which one, as in x86_64-linux"),
	CLI_FLAG("unconfined", "run without the sandbox, to look for a fault"),
	CLI_END,
};

static int parse(cli_run *cli)
{
	const char *kind = cli_text(cli, "payload"), *platform = cli_text(cli, "platform");
	CLI_AUTO_FREE char *whole =
		kind != NULL && platform != NULL ? cli_format("%s:%s", kind, platform) : NULL;
	hn_error *error = NULL;

	if (kind == NULL)
		return cli_refuse(cli, HN_EINVAL, "give --payload tar, deb, tree, nix or oci",
			"it is not said what standard input is");
	if (isatty(STDOUT_FILENO))
		return cli_refuse(cli, HN_EINVAL, "send them into a file or a pipe",
			"records are not written to a terminal");
	if (hn_payload_parse(whole != NULL ? whole : kind, STDIN_FILENO, STDOUT_FILENO,
		    !cli_flag(cli, "unconfined"), &error) < 0)
		return cli_fail(cli, error);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const cli_command none[] = {{.name = NULL}};
	static const cli_program program = {
		.name = "hv-imgparse",
		.summary = "Parses one foreign archive in a sandbox.",
		.details =
			"It reads the archive from standard input and writes records to standard "
			"output, and can do nothing else: a system call that this does not need "
			"ends it. It is started by the programs that compose images, which check "
			"each record again.",
		.options = options,
		.commands = none,
		.run = parse,
		.examples = "--payload deb <nginx_1.22.1-9_amd64.deb | xxd | head\n",
		.statuses = "0\tall of it was read\n"
			    "6\tthe archive is refused; the last record says why, too\n"
			    "13\tinput or output failed, or a blob is not what its digest says\n"
			    "14\tthere is no sandbox here, or no libarchive in this build\n"
			    "15\tout of memory\n"
			    "64\tan option is wrong or missing\n",
	};
	int status;

	status = cli_main(&program, argc, argv);
	/* What libraries do at exit may be what the sandbox forbids. */
	(void)fflush(NULL);
	_exit(status);
}
