/* SPDX-License-Identifier: MIT
 *
 * keys: those of persons, in files, and those of this node, which its signer holds.
 */
#include "cap.h"

int cap_keys_list(cli_run *cli)
{
	static const cli_column columns[] = {
		{.title = "ROLE"}, {.title = "PUBLIC KEY"}, {.title = "MADE"}, {.title = "UNTIL"}};
	static const cli_member members[] = {{"role", CLI_MEMBER_TEXT}, {"public", CLI_MEMBER_TEXT},
		{"made", CLI_MEMBER_TIME}, {"until", CLI_MEMBER_TIME}};
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(cli_document) cli_document *document = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	const char *here;
	hn_error *error = NULL;
	int status = cap_open(cli, CAP_WRITE, &session);

	if (status != 0)
		return status;
	if (hn_node_key_list(session, &json, &error) < 0)
		return cli_fail(cli, error);
	status = cli_json_given(cli, json);
	if (status != 1)
		return status;
	document = cli_document_new(json);
	if (document == NULL)
		return 0;
	cli_document_table(cli, document, "/keys", columns, members, CLI_COUNT(columns));
	here = cli_document_text(document, "/inProcess");
	if (here != NULL && strcmp(here, "true") == 0)
		cap_say(cli, "every program of root reads these keys: no hv-signer holds them");
	return 0;
}

/* "alice.key" -> "alice.pub". */
static char *public_path(const char *path)
{
	size_t size = strlen(path);

	if (size > 4 && strcmp(path + size - 4, ".key") == 0)
		size -= 4;
	return cli_format("%.*s.pub", (int)size, path);
}

int cap_keys_new(cli_run *cli)
{
	const char *name = cli_operand(cli, 0), *out = cli_text(cli, "out"), *passphrase = NULL;
	CLI_AUTO_FREE char *path = out != NULL ? cli_format("%s", out) : cli_format("%s.key", name);
	CLI_AUTO_FREE char *beside = public_path(path);
	CLI_AUTO_TEXT char *key = NULL;
	CLI_AUTO_FREE char *line = NULL;
	hn_error *error = NULL;
	hn_json *json;
	int status = cli_passphrase(cli, &passphrase);

	if (status != 0)
		return status;
	if (hn_cap_key_new(path, passphrase, &key, &error) < 0)
		return cli_fail(cli, error);
	line = cli_format("%s\n", key);
	status = cli_write_file(cli, beside, CAP_PUBLIC_MODE, line, strlen(line));
	if (status != 0)
		return status;
	if (cli->json) {
		json = cli_json_new();
		hn_json_object(json, NULL);
		hn_json_text(json, "name", name);
		hn_json_text(json, "key", path);
		hn_json_text(json, "publicFile", beside);
		hn_json_text(json, "public", key);
		hn_json_end(json);
		return cli_json_print(cli, json);
	}
	cap_say(cli, "the key of %s is in %s, wrapped by %s; its public half, also in %s, is", name,
		path, passphrase != NULL ? "the passphrase" : "the file kek beside it", beside);
	fputs(line, stdout);
	return 0;
}

int cap_keys_public(cli_run *cli)
{
	CLI_AUTO_TEXT char *key = NULL;
	hn_error *error = NULL;

	if (hn_cap_key_public(cli_operand(cli, 0), &key, &error) < 0)
		return cli_fail(cli, error);
	return cap_give(cli, key, CAP_PUBLIC_MODE, "the public key");
}

int cap_keys_rotate(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	const char *role = cli_operand(cli, 0);
	CLI_AUTO_TEXT char *key = NULL;
	CLI_AUTO_FREE char *node = NULL;
	hn_error *error = NULL;
	int status = cap_open(cli, CAP_WRITE, &session);

	if (status != 0)
		return status;
	node = cap_node(session);
	status = cap_prove(cli, session, "key.rotate", node);
	if (status != 0)
		return status;
	if (hn_node_key_rotate(session, role, cli_duration(cli, "overlap", 24 * 3600 * CAP_NS),
		    &key, &error) < 0)
		return cli_fail(cli, error);
	if (cli->json || cli->quiet)
		return cap_give(cli, key, CAP_PUBLIC_MODE, "the public key");
	printf("the new %s key is\n%s\n", role, key);
	if (strcmp(role, "issuer") == 0)
		puts("the roots put it into the next trust bundle; until then the old one signs");
	return 0;
}
