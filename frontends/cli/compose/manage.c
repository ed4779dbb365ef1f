/* SPDX-License-Identifier: MIT
 *
 * add and remove: the host's own registry.
 */
#include "compose.h"

static int done(cli_run *cli, const char *word, bool changed)
{
	hn_json *json;

	if (!cli->json) {
		if (!cli->quiet)
			printf("%s%s\n", word, changed ? "" : " is there already");
		return 0;
	}
	json = cli_json_new();
	hn_json_object(json, NULL);
	hn_json_text(json, "done", word);
	hn_json_bool(json, "changed", changed);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

static int add_one(cli_run *cli, hn_session *session, const char *path)
{
	COMPOSE_AUTO_BYTES cli_bytes bytes = {0};
	CLI_AUTO_TEXT char *called = NULL;
	hn_error *error = NULL;
	int status = cli_read_file(cli, path, COMPOSE_DOCUMENT_BYTES, &bytes);
	int changed;

	if (status != 0)
		return status;
	changed = hn_compose_add(session, path, bytes.data, bytes.size, &called, &error);
	return changed < 0 ? cli_fail(cli, error) : done(cli, called, changed > 0);
}

int compose_add(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	int status = cli_act(cli, CLI_WRITE, cli_text(cli, "reason"), &session);

	for (size_t i = 0; status == 0 && i < cli->operand_count; i++)
		status = add_one(cli, session, cli->operands[i]);
	return status;
}

int compose_remove(cli_run *cli)
{
	const char *component = cli_operand(cli, 0), *version = cli_operand(cli, 1);
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_FREE char *word = cli_format("%s %s is gone", component, version);
	hn_error *error = NULL;
	int status = cli_act(cli, CLI_WRITE, cli_text(cli, "reason"), &session);

	if (status != 0)
		return status;
	if (hn_compose_remove(session, component, version, &error) < 0)
		return cli_fail(cli, error);
	return done(cli, word, true);
}
