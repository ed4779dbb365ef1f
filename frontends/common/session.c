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

/* A verb that asks for a fresh proof asks while its call goes on: we have the key, or a bearer
 * token, which has its own. */
static int prove(void *arg, const char *verb, const char *object, const char *request)
{
	cli_run *cli = arg;
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	hn_cap_use use = HN_CAP_USE_INIT;
	CLI_AUTO_TEXT char *nonce = NULL;
	CLI_AUTO_TEXT char *proven = NULL;
	int result = hn_session_challenge(cli->acting, &nonce, NULL);

	options.key = cli_text(cli, "cap-key");
	options.passphrase = cli->passphrase;
	use.verb = verb;
	use.object = object;
	use.request = request;
	use.nonce = nonce;
	if (result >= 0)
		result = hn_cap_prove(cli->token, &use, &options, &proven, NULL);
	return result < 0 ? result : hn_session_prove(cli->session, proven, NULL);
}

/* What a session by token needs of us later: its key, and to be asked what was refused. */
static int keep_session(cli_run *cli, hn_host *host, hn_session *session)
{
	hn_error *error = NULL;

	cli->acting = host;
	cli->session = hn_session_ref(session);
	if (hn_session_on_fresh(session, prove, cli, &error) < 0)
		return cli_fail(cli, error);
	return 0;
}

bool cli_only_asks(const cli_run *cli)
{
	return cli->session != NULL && cli_text(cli, "request-approval") != NULL;
}

/* Those who approve see the same. */
static void tell_request(const cli_run *cli, const char *request, const char *path)
{
	CLI_AUTO_TEXT char *json = NULL;
	CLI_AUTO_OF(cli_document) cli_document *document = NULL;

	if (cli->json || cli->quiet || strcmp(path, "-") == 0)
		return;
	if (hn_approval_inspect(request, &json, NULL) >= 0)
		document = cli_document_new(json);
	if (document != NULL)
		cli_document_print(stdout, document);
	printf("nothing was done: the request, for those who approve, is in %s\n", path);
}

int cli_session_ask(cli_run *cli, int status)
{
	const char *path;
	CLI_AUTO_TEXT char *request = NULL;
	CLI_AUTO_FREE char *line = NULL;
	hn_error *error = NULL;
	int result;

	if (!cli_only_asks(cli))
		return status;
	path = cli_text(cli, "request-approval");
	result = hn_approval_request(cli->session, NULL, NULL, NULL, 0, &request, &error);
	if (result == HN_ENOENT && status != 0) { /* it has said why */
		hn_error_unref(error);
		return status;
	}
	if (result < 0)
		return cli_fail(cli, error);
	line = cli_format("%s\n", request);
	status = cli_write_output(cli, "request-approval", 0644, line, strlen(line), CLI_AGAIN);
	if (status == 0)
		tell_request(cli, request, path);
	return status;
}

/* A token that is bound to a key is of no use without it, and the host does not say so to a
 * stranger. */
static bool lacks_key(const char *token, const hn_session_options *who)
{
	CLI_AUTO_TEXT char *json = NULL;
	CLI_AUTO_OF(cli_document) cli_document *document = NULL;
	const char *proof;

	if (who->key != NULL || hn_cap_inspect(token, &json, NULL) < 0)
		return false;
	document = cli_document_new(json);
	proof = document == NULL ? NULL : cli_document_text(document, "/proof");
	return proof != NULL && strcmp(proof, "stored") == 0;
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
	who->request_only = cli_text(cli, "request-approval") != NULL;
	if (who->request_only && token == NULL)
		return cli_refuse(cli, HN_EINVAL, "give --cap FILE",
			"--request-approval asks for what a token needs approvals for");
	if (emergency)
		result = hn_session_open_breakglass(host, who, session, &error);
	else if (token != NULL)
		result = hn_session_open(host, token, who, session, &error);
	if (result == HN_ETOKEN && token != NULL && lacks_key(token, who)) {
		CLI_AUTO_FREE char *message = cli_format("%s", hn_error_message(error));

		hn_error_unref(error);
		return cli_refuse(cli, HN_ETOKEN,
			"it is bound to a key: give --cap-key FILE with that of its holder", "%s",
			message);
	}
	if (result < 0)
		return cli_fail(cli, error);
	return token != NULL ? keep_session(cli, host, *session) : 0;
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
