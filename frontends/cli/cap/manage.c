/* SPDX-License-Identifier: MIT
 *
 * list, revoke, sessions, services, local off: what is out there, and taking it back.
 */
#include "cap.h"
#include <time.h>

#define HOUR 3600 /* seconds that a way back has to last at least */

/* ---- what was issued ---- */

static const cli_column token_columns[] = {{.title = "CTI"}, {.title = "FOR"},
	{.title = "TEMPLATE"}, {.title = "ISSUED"}, {.title = "EXPIRES"}, {.title = "REVOKED BY"},
	{.title = ""}};
static const cli_member token_members[] = {{"cti", CLI_MEMBER_TEXT}, {"subject", CLI_MEMBER_TEXT},
	{"template", CLI_MEMBER_TEXT}, {"issued", CLI_MEMBER_TIME}, {"expires", CLI_MEMBER_TIME},
	{"revokedBy", CLI_MEMBER_TEXT}, {"administers", CLI_MEMBER_TEXT}};

int cap_list(cli_run *cli)
{
	return cap_list_of(
		cli, hn_cap_list, token_columns, token_members, CLI_COUNT(token_columns));
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

/* ---- revoke ---- */

typedef struct revocation {
	const char *kind; /* also the option, and its member in the list of tokens */
	const char *several;
	const char *none; /* of a token that it is not about */
} revocation;

static int find_revocation(cli_run *cli, const revocation **found)
{
	static const revocation kinds[] = {{"cti", "tokens", "has this number"},
		{"subject", "subjects", "is for this subject"},
		{"issuer", "issuers", "is of this issuer"}};
	size_t count = 0;

	for (size_t i = 0; i < CLI_COUNT(kinds); i++) {
		if (cli_text(cli, kinds[i].kind) == NULL)
			continue;
		*found = &kinds[i];
		count++;
	}
	return count == 1 ? 0
			  : cli_refuse(cli, HN_EINVAL, "hv-cap list has the numbers",
				    "give one of --cti, --subject and --issuer");
}

static bool is_meant(const cli_run *cli, const revocation *what, const char *value)
{
	const char *given;

	for (size_t n = 0; (given = cli_text_at(cli, what->kind, n)) != NULL; n++) {
		if (strcmp(given, value) == 0)
			return true;
	}
	return false;
}

/* A token that is good still, and would not be. */
static bool would_end(
	const cli_run *cli, const revocation *what, const cli_document *tokens, size_t n)
{
	const char *value = cli_document_text(tokens, "/%zu/%s", n, what->kind);
	const char *expires = cli_document_text(tokens, "/%zu/expires", n);

	return value != NULL && is_meant(cli, what, value) &&
	       cli_document_text(tokens, "/%zu/revokedBy", n) == NULL && expires != NULL &&
	       strtoll(expires, NULL, 10) > time(NULL);
}

static void tell_ending(hn_json *json, const cli_document *tokens, size_t n)
{
	static const char *const texts[] = {"cti", "subject", "template"};
	static const char *const times[] = {"issued", "expires"};

	hn_json_object(json, NULL);
	for (size_t i = 0; i < CLI_COUNT(texts); i++)
		hn_json_text(json, texts[i], cli_document_text(tokens, "/%zu/%s", n, texts[i]));
	for (size_t i = 0; i < CLI_COUNT(times); i++)
		hn_json_int(json, times[i],
			strtoll(cli_document_text(tokens, "/%zu/%s", n, times[i]), NULL, 10));
	hn_json_end(json);
}

/* The list without those that would go on. */
static int show_ending(cli_run *cli, const revocation *what, const cli_document *tokens)
{
	hn_json *json = cli_json_new();
	CLI_AUTO_OF(cli_document) cli_document *ending = NULL;
	hn_error *error = NULL;
	const char *text;
	size_t count = 0;

	hn_json_array(json, NULL);
	for (size_t n = 0; cli_document_has(tokens, "/%zu", n); n++) {
		if (!would_end(cli, what, tokens, n))
			continue;
		tell_ending(json, tokens, n);
		count++;
	}
	hn_json_end(json);
	if (cli->json)
		return cli_json_print(cli, json);
	if (hn_json_finish(json, &text, NULL, &error) < 0) {
		hn_json_free(json);
		return cli_fail(cli, error);
	}
	ending = cli_document_new(text);
	hn_json_free(json);
	if (count > 0 && ending != NULL)
		cli_document_table(cli, ending, "", token_columns, token_members, 5);
	return cap_say(cli, "%zu token%s issued here would end", count, count == 1 ? "" : "s");
}

static int revoke_dry(cli_run *cli, const revocation *what)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(cli_document) cli_document *tokens = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	hn_error *error = NULL;
	int status = cap_open(cli, CLI_READ, &session);

	if (status != 0)
		return status;
	if (hn_cap_list(session, &json, &error) < 0)
		return cli_fail(cli, error);
	tokens = cli_document_new(json);
	return tokens == NULL ? 0 : show_ending(cli, what, tokens);
}

/* How many tokens that were issued here end, and how many it is about at all. Not known to who acts
 * by a token: it need not let him look, and what it lets him do may be counted. */
typedef struct ending {
	bool known;
	size_t ends, meant;
} ending;

static ending count_ending(cli_run *cli, hn_session *session, const revocation *what)
{
	CLI_AUTO_OF(cli_document) cli_document *tokens = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	ending count = {0};

	if (cli_only_asks(cli) || cli_text(cli, "cap") != NULL ||
		hn_cap_list(session, &json, NULL) < 0)
		return count;
	tokens = cli_document_new(json);
	count.known = tokens != NULL && hn_session_redacted(session) == 0;
	for (size_t n = 0; count.known && cli_document_has(tokens, "/%zu", n); n++) {
		const char *value = cli_document_text(tokens, "/%zu/%s", n, what->kind);

		count.meant += value != NULL && is_meant(cli, what, value);
		count.ends += would_end(cli, what, tokens, n);
	}
	return count;
}

static int tell_revoked(cli_run *cli, const revocation *what, size_t values, const ending *count)
{
	CLI_AUTO_FREE char *whom =
		values > 1 ? cli_format("%zu %s", values, what->several)
			   : cli_format("%s %s", what->kind, cli_text(cli, what->kind));
	CLI_AUTO_FREE char *done = cli_format("revoked: %s; what %s had open ends within a second",
		whom, values > 1 ? "they" : "it");
	hn_json *json;

	if (cli->json) {
		json = cli_json_new();
		hn_json_object(json, NULL);
		hn_json_text(json, "done", done);
		if (count->known)
			hn_json_uint(json, "tokens", count->ends);
		hn_json_end(json);
		return cli_json_print(cli, json);
	}
	cap_say(cli, "%s", done);
	if (!count->known)
		return 0;
	if (count->meant == 0)
		return cap_say(cli,
			"no token issued here %s; what holders made of one offline is not "
			"known here",
			what->none);
	if (count->ends == 0)
		return cap_say(cli, "the tokens issued here were over before, or revoked");
	return cap_say(cli, "%zu token%s issued here end%s by it", count->ends,
		count->ends == 1 ? "" : "s", count->ends == 1 ? "s" : "");
}

int cap_revoke(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	const revocation *what = NULL;
	const char *value;
	hn_error *error = NULL;
	ending tokens;
	size_t count = 0;
	int status = find_revocation(cli, &what);

	if (status == 0 && cli_flag(cli, "dry-run"))
		return revoke_dry(cli, what);
	if (status == 0)
		status = cap_open(cli, CLI_WRITE, &session);
	if (status != 0)
		return status;
	tokens = count_ending(cli, session, what);
	for (; (value = cli_text_at(cli, what->kind, count)) != NULL; count++) {
		if (hn_cap_revoke(session, what->kind, value, &error) < 0)
			return cli_fail(cli, error);
	}
	return tell_revoked(cli, what, count, &tokens);
}

/* ---- services ---- */

int cap_services_load(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CAP_AUTO_BYTES cli_bytes services = {0};
	CLI_AUTO_FREE char *text = NULL;
	hn_error *error = NULL;
	int status = cli_read_file(cli, cli_operand(cli, 0), CAP_BUNDLE_BYTES, &services);

	if (status != 0)
		return status;
	text = cli_strndup(services.data, services.size);
	status = cap_open(cli, CLI_WRITE, &session);
	if (status != 0)
		return status;
	if (hn_services_load(session, text, &error) < 0)
		return cli_fail(cli, error);
	return cap_done(cli, "services may do what %s says", cli_operand(cli, 0));
}

/* ---- local off ---- */

/* Of the tokens that let others in, the one that lasts longest. */
int cap_way_back(cli_run *cli, hn_session *session, cap_token *back)
{
	CLI_AUTO_OF(cli_document) cli_document *tokens = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	hn_error *error = NULL;

	*back = (cap_token){.ends = time(NULL)};
	if (hn_cap_list(session, &json, &error) < 0)
		return cli_fail(cli, error);
	tokens = cli_document_new(json);
	for (size_t n = 0; tokens != NULL && cli_document_has(tokens, "/%zu", n); n++) {
		const char *expires = cli_document_text(tokens, "/%zu/expires", n);
		const char *subject = cli_document_text(tokens, "/%zu/subject", n);
		const char *lets_in = cli_document_text(tokens, "/%zu/administers", n);
		int64_t ends = expires == NULL ? 0 : strtoll(expires, NULL, 10);

		if (strcmp(lets_in == NULL ? "" : lets_in, "true") != 0 || ends <= back->ends ||
			cli_document_text(tokens, "/%zu/revokedBy", n) != NULL)
			continue;
		(void)snprintf(
			back->subject, sizeof(back->subject), "%s", subject == NULL ? "" : subject);
		back->ends = ends;
		back->found = true;
	}
	return 0;
}

static int refuse_lockout(const cli_run *cli)
{
	return cli_refuse(cli, HN_ECONFLICT,
		"first: hv-cap issue --for NAME --verbs node.role,cap.issue --on 'node/*' --to NAME.pub; "
		"or give --yes",
		"nobody could turn local operators on again: no token that was issued here and lasts an "
		"hour still gives node.role or cap.issue on this node, and break-glass never does");
}

/* Who may not see the clock is not kept from it for that. */
static bool clock_shuts_out(hn_session *session)
{
	CLI_AUTO_OF(cli_document) cli_document *clock = NULL;
	CLI_AUTO_TEXT char *json = NULL;

	if (hn_clock_status(session, &json, NULL) < 0)
		return false;
	clock = cli_document_new(json);
	return clock != NULL && !cap_is_true(clock, "/breakGlass");
}

static int refuse_clock_lockout(const cli_run *cli)
{
	return cli_refuse(cli, HN_ECONFLICT,
		"first: a trust bundle with a preset of break-glass that gives it on node/*, as "
		"hv-cap init --break-glass makes one: hv-cap trust make; or give --yes",
		"nobody could act again after a step of the clock: no token is taken until somebody "
		"accepts it, and no break-glass gives clock.accept on this node");
}

static int check_lockout(cli_run *cli, hn_session *session, const cap_token *back)
{
	/* Without a reason or a bundle the host refuses it anyway, and says so. */
	if (cli_flag(cli, "yes") || cli_text(cli, "reason") == NULL || !cap_has_bundle(session))
		return 0;
	if (back->ends < time(NULL) + HOUR)
		return refuse_lockout(cli);
	return clock_shuts_out(session) ? refuse_clock_lockout(cli) : 0;
}

int cap_local_off(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	char ends[CLI_TIME_TEXT];
	cap_token back;
	hn_error *error = NULL;
	int status = cap_open(cli, CLI_WRITE, &session);

	if (status == 0)
		status = cap_way_back(cli, session, &back);
	if (status == 0)
		status = check_lockout(cli, session, &back);
	if (status != 0)
		return status;
	if (hn_session_local_allow(session, false, &error) < 0)
		return cli_fail(cli, error);
	if (!back.found)
		return cap_done(cli, "from now on only tokens, services and break-glass act");
	cli_time_print(back.ends * CAP_NS, ends);
	return cap_done(cli,
		"from now on only tokens, services and break-glass act; the way back is the token of "
		"%s, until %s: hv-cap local on --cap FILE --cap-key FILE",
		back.subject, ends);
}
