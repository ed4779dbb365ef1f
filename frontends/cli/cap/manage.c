/* SPDX-License-Identifier: MIT
 *
 * revoke, list, sessions, local: what is out there, and taking it back.
 */
#include "cap.h"

int cap_revoke(cli_run *cli)
{
	static const char *const kinds[] = {"cti", "subject", "issuer"};
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	const char *kind = NULL, *value = NULL;
	hn_error *error = NULL;
	size_t count = 0;
	int status;

	for (size_t i = 0; i < CLI_COUNT(kinds); i++) {
		if (cli_text(cli, kinds[i]) == NULL)
			continue;
		kind = kinds[i];
		value = cli_text(cli, kind);
		count++;
	}
	if (count != 1)
		return cli_refuse(cli, HN_EINVAL, "hv-cap list has the numbers",
			"give one of --cti, --subject and --issuer");
	status = cap_open(cli, CAP_WRITE, &session);
	if (status != 0)
		return status;
	if (hn_cap_revoke(session, kind, value, &error) < 0)
		return cli_fail(cli, error);
	return cap_done(cli, "revoked: %s %s; what it had open ends within a second", kind, value);
}

int cap_list(cli_run *cli)
{
	static const cli_column columns[] = {{.title = "CTI"}, {.title = "FOR"},
		{.title = "TEMPLATE"}, {.title = "ISSUED"}, {.title = "EXPIRES"}, {.title = ""}};
	static const cli_member members[] = {{"cti", CLI_MEMBER_TEXT}, {"subject", CLI_MEMBER_TEXT},
		{"template", CLI_MEMBER_TEXT}, {"issued", CLI_MEMBER_TIME},
		{"expires", CLI_MEMBER_TIME}, {"revoked", CLI_MEMBER_TEXT}};

	return cap_list_of(cli, hn_cap_list, columns, members, CLI_COUNT(columns));
}

int cap_sessions_list(cli_run *cli)
{
	static const cli_column columns[] = {{.title = "ID"}, {.title = "SUBJECT"},
		{.title = "PROGRAM"}, {.title = "PID", .right = true}, {.title = "OPENED"},
		{.title = ""}};
	static const cli_member members[] = {{"id", CLI_MEMBER_TEXT}, {"subject", CLI_MEMBER_TEXT},
		{"program", CLI_MEMBER_TEXT}, {"pid", CLI_MEMBER_TEXT}, {"opened", CLI_MEMBER_TIME},
		{"cut", CLI_MEMBER_TEXT}};

	return cap_list_of(cli, hn_session_list, columns, members, CLI_COUNT(columns));
}

int cap_sessions_cut(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	const char *id = cli_operand(cli, 0);
	hn_error *error = NULL;
	int status = cap_open(cli, CAP_WRITE, &session);

	if (status != 0)
		return status;
	if (hn_session_cut(session, id, &error) < 0)
		return cli_fail(cli, error);
	return cap_done(cli, "cut: session %s ends within a second", id);
}

static int set_local(cli_run *cli, bool allowed)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_error *error = NULL;
	int status = cap_open(cli, CAP_WRITE, &session);

	if (status != 0)
		return status;
	if (hn_session_local_allow(session, allowed, &error) < 0)
		return cli_fail(cli, error);
	return cap_done(cli, allowed ? "local operators act without a token"
				     : "from now on only tokens, services and break-glass act");
}

int cap_local_on(cli_run *cli)
{
	return set_local(cli, true);
}

int cap_local_off(cli_run *cli)
{
	return set_local(cli, false);
}
