/* SPDX-License-Identifier: MIT
 *
 * keys: those of persons, in files, and those of this node, which its signer holds.
 */
#include "cap.h"
#include <unistd.h>

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
	int status = cap_open(cli, CLI_WRITE, &session);

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
	CLI_AUTO_OF(cli_output) cli_output *output = NULL;
	CLI_AUTO_TEXT char *key = NULL;
	CLI_AUTO_FREE char *line = NULL;
	hn_error *error = NULL;
	hn_json *json;
	int status = cli_passphrase(cli, &passphrase);

	if (status == 0)
		status = cli_output_open(cli, beside, &output);
	if (status != 0)
		return status;
	if (hn_cap_key_new(path, passphrase, &key, &error) < 0)
		return cli_fail(cli, error);
	line = cli_format("%s\n", key);
	status = cli_output_write(cli, output, CAP_PUBLIC_MODE, line, strlen(line), CLI_AGAIN);
	output = NULL;
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

char *cap_node_key_in(const cli_document *keys, const char *role)
{
	for (size_t n = 0; keys != NULL && cli_document_has(keys, "/keys/%zu", n); n++) {
		const char *name = cli_document_text(keys, "/keys/%zu/role", n);
		const char *found = cli_document_text(keys, "/keys/%zu/public", n);

		if (name != NULL && strcmp(name, role) == 0 && found != NULL)
			return cli_format("%s", found);
	}
	return NULL;
}

int cap_node_key_find(cli_run *cli, hn_session *session, const char *role, char **key)
{
	CLI_AUTO_OF(cli_document) cli_document *keys = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	char *found;
	hn_error *error = NULL;

	if (hn_node_key_list(session, &json, &error) < 0)
		return cli_fail(cli, error);
	keys = cli_document_new(json);
	found = cap_node_key_in(keys, role);
	if (found != NULL)
		*key = found;
	return 0;
}

int cap_node_key(cli_run *cli, hn_session *session, const char *role, char **key)
{
	int status = cap_node_key_find(cli, session, role, key);

	if (status != 0 || *key != NULL)
		return status;
	return cli_refuse(
		cli, HN_EKEY, "see: hv-cap keys list", "this node has no public %s key", role);
}

static bool is_role(const char *word)
{
	static const char *const roles[] = {"issuer", "audit", "witness", "node", "box", "record"};

	for (size_t i = 0; i < CLI_COUNT(roles); i++) {
		if (strcmp(word, roles[i]) == 0)
			return true;
	}
	return false;
}

static int public_of_node(cli_run *cli, const char *role)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_FREE char *key = NULL;
	int status = cap_open(cli, CLI_WRITE, &session);

	if (status == 0)
		status = cap_node_key(cli, session, role, &key);
	return status == 0 ? cap_give(cli, key, CAP_PUBLIC_MODE, "the public key") : status;
}

int cap_keys_public(cli_run *cli)
{
	const char *word = cli_operand(cli, 0);
	CLI_AUTO_TEXT char *key = NULL;
	hn_error *error = NULL;

	if (is_role(word) && access(word, F_OK) != 0)
		return public_of_node(cli, word);
	if (hn_cap_key_public(word, &key, &error) < 0)
		return cli_fail(cli, error);
	return cap_give(cli, key, CAP_PUBLIC_MODE, "the public key");
}

int cap_keys_rotate(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	const char *role = cli_operand(cli, 0);
	CLI_AUTO_TEXT char *key = NULL;
	hn_error *error = NULL;
	int status = cap_open(cli, CLI_WRITE, &session);

	if (status != 0)
		return status;
	if (hn_node_key_rotate(session, role, cli_duration(cli, "overlap", 24 * 3600 * CAP_NS),
		    &key, &error) < 0)
		return cli_fail(cli, error);
	if (cli->json || cli->quiet || cli_text(cli, "out") != NULL)
		return cap_give(cli, key, CAP_PUBLIC_MODE, "the public key");
	printf("the new %s key is\n%s\n", role, key);
	if (strcmp(role, "issuer") == 0)
		puts("the old one signs until hv-cap trust renew has put it into the trust bundle");
	return 0;
}
