/* SPDX-License-Identifier: MIT
 *
 * add and remove: the host's own registry.
 */
#include "compose.h"

#include <string.h>

/* `json` NULL: in words. */
static void say_done(const cli_run *cli, hn_json *json, const char *word, bool changed)
{
	if (json == NULL) {
		if (!cli->quiet)
			printf("%s%s\n", word, changed ? "" : " is there already");
		return;
	}
	hn_json_object(json, NULL);
	hn_json_text(json, "done", word);
	hn_json_bool(json, "changed", changed);
	hn_json_end(json);
}

static int add_one(cli_run *cli, hn_session *session, const char *path, hn_json *json)
{
	COMPOSE_AUTO_BYTES cli_bytes bytes = {0};
	CLI_AUTO_TEXT char *called = NULL;
	hn_error *error = NULL;
	int status = cli_read_file(cli, path, COMPOSE_DOCUMENT_BYTES, &bytes);
	int changed;

	if (status != 0)
		return status;
	changed = hn_compose_add(session, path, bytes.data, bytes.size, &called, &error);
	if (changed < 0)
		return cli_fail(cli, error);
	say_done(cli, json, called, changed > 0);
	return 0;
}

int compose_add(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_json *json = NULL;
	int printed, status = cli_act(cli, CLI_WRITE, cli_text(cli, "reason"), &session);

	if (status != 0)
		return status;
	if (cli->json) {
		json = cli_json_new();
		hn_json_array(json, NULL);
	}
	for (size_t i = 0; status == 0 && i < cli->operand_count; i++)
		status = add_one(cli, session, cli->operands[i], json);
	if (json == NULL)
		return status;
	/* also when one of them failed: the others are there */
	hn_json_end(json);
	printed = cli_json_print(cli, json);
	return status != 0 ? status : printed;
}

/* NAME VERSION or NAME@VERSION; of a contract NAME alone. `version` NULL: none was given. */
static int read_name(const cli_run *cli, char **name, const char **version)
{
	const char *given = cli_operand(cli, 0), *second = cli_operand(cli, 1);
	const char *at = strchr(given, '@');

	*name = cli_format("%.*s", at == NULL ? (int)strlen(given) : (int)(at - given), given);
	*version = at == NULL ? second : at + 1;
	if (at != NULL && second != NULL)
		return cli_refuse(
			cli, HN_EINVAL, NULL, "%s names a version, and so does %s", given, second);
	if (*version == NULL && strchr(given, '/') == NULL)
		return cli_refuse(cli, HN_EINVAL, "hv-compose show names the newest",
			"which version of %s?", given);
	return 0;
}

int compose_remove(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_FREE char *name = NULL;
	CLI_AUTO_FREE char *word = NULL;
	const char *version = NULL;
	hn_error *error = NULL;
	hn_json *json = NULL;
	int status = read_name(cli, &name, &version);

	if (status == 0)
		status = cli_act(cli, CLI_WRITE, cli_text(cli, "reason"), &session);
	if (status != 0)
		return status;
	if (hn_compose_remove(session, name, version, &error) < 0)
		return cli_fail(cli, error);
	word = cli_format(
		"%s%s%s is gone", name, version == NULL ? "" : " ", version == NULL ? "" : version);
	if (cli->json)
		json = cli_json_new();
	say_done(cli, json, word, true);
	return json == NULL ? 0 : cli_json_print(cli, json);
}
