/* SPDX-License-Identifier: MIT
 *
 * request, approve, collect, break-glass: what takes more than one person.
 */
#include "cap.h"

static int read_text(cli_run *cli, const char *path, char **text)
{
	return cli_read_secret(cli, path, text);
}

/* ---- one use of a verb ---- */

/* Nobody signs what he has not seen: beside an answer that goes to a file or another program. */
static int show_request(const cli_run *cli, const char *text)
{
	const char *path = cli_text(cli, "out");
	CLI_AUTO_OF(cli_document) cli_document *document = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	hn_error *error = NULL;

	if (hn_approval_inspect(text, &json, &error) < 0)
		return cli_fail(cli, error);
	document = cli_document_new(json);
	if (document == NULL || cli->quiet)
		return 0;
	cli_document_print(
		cli->json || path == NULL || strcmp(path, "-") == 0 ? stderr : stdout, document);
	return 0;
}

int cap_request(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_FREE char *object = NULL;
	CLI_AUTO_FREE char *verb = NULL;
	CLI_AUTO_TEXT char *request = NULL;
	hn_error *error = NULL;
	int status = cap_open(cli, CLI_WRITE, &session);

	if (status == 0)
		status = cap_object(cli, cli_operand(cli, 1), &session, &object);
	if (status == 0)
		status = cap_verb(cli, cli_operand(cli, 0), object, &verb);
	if (status != 0)
		return status;
	if (hn_approval_request(
		    session, verb, object, NULL, cap_seconds(cli, "ttl", 0), &request, &error) < 0)
		return cli_fail(cli, error);
	status = show_request(cli, request);
	return status != 0 ? status
			   : cap_give(cli, request, CAP_PUBLIC_MODE,
				     "the request, for those who approve,");
}

int cap_approve(cli_run *cli)
{
	CLI_AUTO_FREE char *request = NULL;
	CLI_AUTO_TEXT char *approval = NULL;
	hn_cap_options options;
	hn_error *error = NULL;
	int status = read_text(cli, cli_operand(cli, 0), &request);

	if (status == 0)
		status = cap_key_options(cli, &options);
	if (status == 0)
		status = show_request(cli, request);
	if (status != 0)
		return status;
	if (hn_approval_sign(request, &options, &approval, &error) < 0)
		return cli_fail(cli, error);
	return cap_give(cli, approval, CAP_PUBLIC_MODE, "the approval");
}

int cap_collect(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_error *error = NULL;
	int status = cap_open(cli, CLI_WRITE, &session);

	for (size_t i = 0; status == 0 && i < cli->operand_count; i++) {
		CLI_AUTO_FREE char *approval = NULL;

		status = read_text(cli, cli->operands[i], &approval);
		if (status == 0 && hn_approval_collect(session, approval, &error) < 0)
			status = cli_fail(cli, error);
	}
	return status == 0 ? cap_done(cli, "taken in: %zu approval%s", cli->operand_count,
				     cli->operand_count == 1 ? "" : "s")
			   : status;
}

int cap_requests(cli_run *cli)
{
	static const cli_column columns[] = {{.title = "KIND"}, {.title = "VERBS", .shrink = true},
		{.title = "ON", .shrink = true}, {.title = "APPROVALS", .right = true},
		{.title = "UNTIL"}, {.title = "REASON", .shrink = true}};
	static const cli_member members[] = {{"kind", CLI_MEMBER_TEXT}, {"verbs", CLI_MEMBER_LIST},
		{"on", CLI_MEMBER_LIST}, {"approvals", CLI_MEMBER_TEXT}, {"until", CLI_MEMBER_TEXT},
		{"reason", CLI_MEMBER_TEXT}};

	return cap_list_of(cli, hn_approval_list, columns, members, CLI_COUNT(columns));
}

/* ---- break-glass ---- */

/* Words given again, with spaces between them; NULL without any. */
static char *words_of(const cli_run *cli, const char *option)
{
	char *words = NULL;
	const char *text;

	for (size_t n = 0; (text = cli_text_at(cli, option, n)) != NULL; n++) {
		char *longer = cli_format(
			"%s%s%s", words == NULL ? "" : words, words == NULL ? "" : " ", text);

		free(words);
		words = longer;
	}
	for (char *at = words; at != NULL && *at != '\0'; at++)
		*at = *at == ',' ? ' ' : *at;
	return words;
}

int cap_breakglass_request(cli_run *cli)
{
	hn_breakglass_options options = HN_BREAKGLASS_OPTIONS_INIT;
	CLI_AUTO_OF(hn_host) hn_host *host = NULL;
	CLI_AUTO_FREE char *verbs = words_of(cli, "verbs");
	CLI_AUTO_FREE char *on = words_of(cli, "on");
	CLI_AUTO_TEXT char *request = NULL;
	hn_error *error = NULL;
	int status = cli_host_open(cli, CLI_WRITE, &host);

	if (status != 0)
		return status;
	options.reason = cli_text(cli, "reason");
	options.verbs = verbs;
	options.on = on;
	options.ttl = cap_seconds(cli, "ttl", 0);
	options.drill = cli_flag(cli, "drill");
	if (hn_breakglass_request(host, cli_operand(cli, 0), &options, &request, &error) < 0)
		return cli_fail(cli, error);
	return cap_give(cli, request, CAP_PUBLIC_MODE, "the request, for those who approve,");
}

static int read_approvals(cli_run *cli, char **approvals)
{
	char *all = cli_format("%s", "");
	int status = 0;

	for (size_t i = 1; status == 0 && i < cli->operand_count; i++) {
		CLI_AUTO_FREE char *one = NULL;
		char *longer;

		status = read_text(cli, cli->operands[i], &one);
		longer = cli_format("%s%s\n", all, one == NULL ? "" : one);
		free(all);
		all = longer;
	}
	*approvals = all;
	return status;
}

static int tell_active(cli_run *cli, const char *request)
{
	CLI_AUTO_OF(cli_document) cli_document *document = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	const char *ttl;

	if (hn_approval_inspect(request, &json, NULL) == 0)
		document = cli_document_new(json);
	ttl = document == NULL ? NULL : cli_document_text(document, "/ttl");
	return cap_done(cli,
		"break-glass is active for %s: programs act on it with --by-break-glass",
		ttl == NULL ? "as long as was approved" : ttl);
}

int cap_breakglass_activate(cli_run *cli)
{
	hn_session_options who = HN_SESSION_OPTIONS_INIT;
	CLI_AUTO_OF(hn_host) hn_host *host = NULL;
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_FREE char *request = NULL;
	CLI_AUTO_FREE char *approvals = NULL;
	hn_error *error = NULL;
	int status = read_text(cli, cli_operand(cli, 0), &request);

	if (status == 0)
		status = read_approvals(cli, &approvals);
	if (status == 0)
		status = cli_host_open(cli, CLI_WRITE, &host);
	if (status != 0)
		return status;
	who.program = cli->program->name;
	if (hn_breakglass_activate(host, request, approvals, &who, &session, &error) < 0)
		return cli_fail(cli, error);
	return tell_active(cli, request);
}

int cap_breakglass_list(cli_run *cli)
{
	static const cli_column columns[] = {{.title = "NUMBER", .right = true}, {.title = ""},
		{.title = "FROM"}, {.title = "UNTIL"}, {.title = "APPROVED BY", .shrink = true},
		{.title = "REVIEWED BY"}, {.title = "REASON", .shrink = true}};
	static const cli_member members[] = {{"number", CLI_MEMBER_TEXT},
		{"active", CLI_MEMBER_TEXT}, {"from", CLI_MEMBER_TIME}, {"until", CLI_MEMBER_TIME},
		{"approvedBy", CLI_MEMBER_TEXT}, {"reviewer", CLI_MEMBER_TEXT},
		{"request/reason", CLI_MEMBER_TEXT}};

	return cap_list_of(cli, hn_breakglass_list, columns, members, CLI_COUNT(columns));
}
