/* SPDX-License-Identifier: MIT
 *
 * By what right a program acts: the token that --cap names, or that of the local operator. Tokens
 * and passphrases come from files and descriptors, never from the command line, which everybody on
 * the machine can read.
 */
#include "cli.h"

/* Whoever can read a bearer token, or a sealed one, can use it. */
static int check_private(const cli_run *cli, const char *path, const char *token)
{
	CLI_AUTO_TEXT char *json = NULL;
	CLI_AUTO_OF(cli_document) cli_document *document = NULL;
	const char *proof;

	if (!cli_others_read(path) || hn_cap_inspect(token, &json, NULL) < 0)
		return 0; /* what is no token is refused by who takes it */
	document = cli_document_new(json);
	proof = document == NULL ? NULL : cli_document_text(document, "/proof");
	if (proof == NULL || (strcmp(proof, "bearer") != 0 && strcmp(proof, "sealed") != 0))
		return 0;
	return cli_refuse(cli, HN_EKEY, "chmod 600, and revoke the token if somebody may have it",
		"%s: others can read this %s token, and use it", path, proof);
}

/* The token that --cap names, and with it the session's options for one; NULL without --cap. */
static int take_token(cli_run *cli, hn_session_options *who, const char **token)
{
	const char *path = cli_text(cli, "cap");
	int status;

	*token = NULL;
	if (path == NULL) {
		if (cli_text(cli, "cap-key") == NULL)
			return 0;
		return cli_refuse(cli, HN_EINVAL, "give --cap FILE",
			"--cap-key proves that a token is ours, and there is none");
	}
	if (strncmp(path, "hvc1.", 5) == 0)
		return cli_refuse(cli, HN_EINVAL,
			"put it into a file of mode 600, and revoke this one",
			"--cap takes a file: a token on the command line can be read by everybody");
	if (cli->token == NULL) {
		status = cli_read_secret(cli, path, &cli->token);
		if (status == 0)
			status = check_private(cli, path, cli->token);
		if (status != 0)
			return status;
	}
	*token = cli->token;
	who->key = cli_text(cli, "cap-key");
	return who->key == NULL ? 0 : cli_passphrase(cli, &who->passphrase);
}

int cli_passphrase(cli_run *cli, const char **passphrase)
{
	const char *path = cli_text(cli, "passphrase-file");
	int status = 0;

	if (path != NULL && cli->passphrase == NULL) {
		if (cli_others_read(path))
			return cli_refuse(cli, HN_EKEY, "chmod 600",
				"%s: others can read this passphrase", path);
		status = cli_read_secret(cli, path, &cli->passphrase);
	}
	*passphrase = cli->passphrase;
	return status;
}

int cli_session_named(cli_run *cli, hn_host *host, hn_session_options *who, hn_session **session)
{
	bool emergency = cli_flag(cli, "by-break-glass");
	const char *token = NULL;
	hn_error *error = NULL;
	int result = 0, status;

	if (emergency && cli_text(cli, "cap") != NULL)
		return cli_refuse(cli, HN_EEXCLUSIVE, "leave one of them out",
			"--cap and --by-break-glass both say by what right");
	status = take_token(cli, who, &token);
	if (status != 0)
		return status;
	if (emergency)
		result = hn_session_open_breakglass(host, who, session, &error);
	else if (token != NULL)
		result = hn_session_open(host, token, who, session, &error);
	return result < 0 ? cli_fail(cli, error) : 0;
}

int cli_session_open(
	cli_run *cli, const hn_host_options *where, hn_session_options *who, hn_session **session)
{
	hn_error *error = NULL;
	int status;

	if (cli->host == NULL && hn_host_open(where, &cli->host, &error) < 0)
		return cli_fail(cli, error);
	status = cli_session_named(cli, cli->host, who, session);
	if (status == 0 && *session == NULL &&
		hn_session_open_local(cli->host, who, session, &error) < 0)
		return cli_fail(cli, error);
	return status;
}
