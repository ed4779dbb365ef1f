/* SPDX-License-Identifier: MIT
 *
 * issue, attenuate, seal, inspect, verify, explain: tokens.
 */
#include "cap.h"

#define SEALED_SECONDS 900

/* Whose key the new token needs: --to, or --bearer. */
static int holder_of(cli_run *cli, char **holder)
{
	const char *to = cli_text(cli, "to");
	bool bearer = cli_flag(cli, "bearer");

	if (to != NULL && bearer)
		return cli_refuse(cli, HN_EEXCLUSIVE, "leave one of them out",
			"--to binds the token to a key, which --bearer does not");
	if (to == NULL && !bearer)
		return cli_refuse(cli, HN_EINVAL,
			"give --to KEY, or --bearer for at most 15 minutes",
			"it is not said who can use the token");
	return bearer ? 0 : cap_public_key(cli, to, holder);
}

/* A file of terms has places of its own. */
static int fail_terms(cli_run *cli, const char *terms, hn_error *error)
{
	return cli_text(cli, "terms") != NULL ? cli_fail(cli, error)
					      : cap_fail_option(cli, terms, error);
}

int cap_issue(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_FREE char *holder = NULL;
	CLI_AUTO_FREE char *terms = NULL;
	char *token = NULL;
	hn_error *error = NULL;
	int status = holder_of(cli, &holder);

	if (status == 0)
		status = cap_open(cli, CLI_WRITE, &session);
	if (status == 0)
		status = cap_terms(cli, true, &session, &terms);
	if (status != 0)
		return status;
	if (hn_cap_issue(session, terms, holder, &token, &error) < 0)
		return fail_terms(cli, terms, error);
	status = cap_give(cli, token, CAP_TOKEN_MODE, "the token");
	cap_warn_issuer(cli, session);
	explicit_bzero(token, strlen(token));
	hn_text_free(token);
	return status;
}

/* Another machine may have the zone, so it is no reason to refuse; a slip would deny for ever. */
static void remark_zones(const cli_run *cli, const char *token)
{
	static const char any[] = "{\"verb\": \"node.read\", \"object\": \"node/any\"}";
	CLI_AUTO_OF(cli_document) cli_document *said = NULL;
	CLI_AUTO_TEXT char *json = NULL;

	if (cli->json || cli->quiet || hn_cap_explain(token, NULL, 0, any, &json, NULL) < 0)
		return;
	said = cli_document_new(json);
	for (size_t n = 0; said != NULL && cli_document_has(said, "/checks/%zu", n); n++) {
		const char *code = cli_document_text(said, "/checks/%zu/code", n);

		if (code == NULL || strcmp(code, "HN_EZONE") != 0)
			continue;
		fprintf(stderr, "%s: ", cli->program->name);
		cli_text_print(stderr, cli_document_text(said, "/checks/%zu/text", n), false);
		fputs(", so the token allows nothing here, nor on any host that lacks it\n"
		      "hint: zones are called as in /usr/share/zoneinfo, like Europe/Berlin\n",
			stderr);
	}
}

int cap_attenuate(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CAP_AUTO_SECRET char *token = NULL;
	CLI_AUTO_FREE char *holder = NULL;
	CLI_AUTO_FREE char *terms = NULL;
	hn_cap_options options;
	char *narrower = NULL;
	hn_error *error = NULL;
	int status = cap_read_token(cli, cli_operand(cli, 0), &token);

	if (status == 0)
		status = holder_of(cli, &holder);
	if (status == 0)
		status = cap_key_options(cli, &options);
	if (status == 0)
		status = cap_terms(cli, false, &session, &terms);
	if (status != 0)
		return status;
	if (hn_cap_attenuate(token, terms, holder, &options, &narrower, &error) < 0)
		return fail_terms(cli, terms, error);
	status = cap_give(cli, narrower, CAP_TOKEN_MODE, "the narrower token");
	remark_zones(cli, narrower);
	explicit_bzero(narrower, strlen(narrower));
	hn_text_free(narrower);
	return status;
}

/* From the issue of the last link to its end, as hosts count it. */
static int check_life(const cli_run *cli, const char *token)
{
	CLI_AUTO_OF(cli_document) cli_document *said = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	int64_t issued = 0, expires = 0;
	size_t last = 0;

	if (hn_cap_inspect(token, &json, NULL) < 0 || (said = cli_document_new(json)) == NULL)
		return 0; /* what is no token is refused by who takes it */
	while (cli_document_has(said, "/links/%zu", last + 1))
		last++;
	if (!cap_time_of(cli_document_text(said, "/links/%zu/terms/issued", last), &issued) ||
		!cap_time_of(cli_document_text(said, "/links/%zu/terms/expires", last), &expires) ||
		expires - issued <= SEALED_SECONDS)
		return 0;
	return cli_refuse(cli, HN_ERANGE,
		"hv-cap attenuate FILE --ttl 15min --to FILE makes one that can be sealed",
		"a sealed token lives at most 15 minutes, as whoever has it can use it, and this one "
		"lives longer");
}

int cap_seal(cli_run *cli)
{
	CAP_AUTO_SECRET char *token = NULL;
	hn_cap_options options;
	char *sealed = NULL;
	hn_error *error = NULL;
	int status = cap_read_token(cli, cli_operand(cli, 0), &token);

	if (status == 0)
		status = check_life(cli, token);
	if (status == 0)
		status = cap_key_options(cli, &options);
	if (status != 0)
		return status;
	if (hn_cap_seal(token, &options, &sealed, &error) < 0)
		return cli_fail(cli, error);
	status = cap_give(cli, sealed, CAP_TOKEN_MODE, "the sealed token");
	explicit_bzero(sealed, strlen(sealed));
	hn_text_free(sealed);
	return status;
}

int cap_inspect(cli_run *cli)
{
	CAP_AUTO_SECRET char *text = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	hn_error *error = NULL;
	int result, status = cap_read_token(cli, cli_operand(cli, 0), &text);

	if (status != 0)
		return status;
	result = strncmp(text, "hvr1.", 5) == 0 || strncmp(text, "hva1.", 5) == 0
			 ? hn_approval_inspect(text, &json, &error)
			 : hn_cap_inspect(text, &json, &error);
	return result < 0 ? cli_fail(cli, error) : cap_print_document(cli, json);
}

static int print_verified(const cli_run *cli, const char *json)
{
	int status = cli_json_given(cli, json);
	CLI_AUTO_OF(cli_document) cli_document *said = NULL;
	char until[CLI_TIME_TEXT];
	const char *expires;

	if (status != 1)
		return status;
	said = cli_document_new(json);
	expires = said == NULL ? NULL : cli_document_text(said, "/expires");
	cli_time_print(expires == NULL ? 0 : strtoll(expires, NULL, 10) * CAP_NS, until);
	printf("good: of issuer %s by trust bundle %s, until %s\n",
		cli_document_text(said, "/issuer"), cli_document_text(said, "/bundle"), until);
	return 0;
}

int cap_verify(cli_run *cli)
{
	CAP_AUTO_SECRET char *token = NULL;
	CAP_AUTO_BYTES cli_bytes bundle = {0};
	CLI_AUTO_TEXT char *json = NULL;
	hn_cap_options options = HN_CAP_OPTIONS_INIT;
	hn_error *error = NULL;
	int status = cap_read_token(cli, cli_operand(cli, 0), &token);

	if (status == 0 && cli_text(cli, "trust") == NULL)
		return cli_refuse(cli, HN_EINVAL,
			"give --trust FILE; hv-cap trust show -o makes it",
			"a token is verified against a trust bundle, and none is named");
	if (status == 0)
		status = cap_read_bundle(cli, cli_text(cli, "trust"), &bundle);
	if (status != 0)
		return status;
	options.audience = cli_text(cli, "cluster");
	if (hn_cap_verify(token, bundle.data, bundle.size, &options, &json, &error) < 0)
		return cli_fail(cli, error);
	return print_verified(cli, json);
}

/* ---- explain ---- */

static void print_check(const cli_run *cli, const cli_document *said, size_t n)
{
	const char *text = cli_document_text(said, "/checks/%zu/text", n);
	const char *name = cli_document_text(said, "/checks/%zu/check", n);
	const char *why = cli_document_text(said, "/checks/%zu/why", n);
	const char *link = cli_document_text(said, "/checks/%zu/link", n);
	const char *holds = cli_document_text(said, "/checks/%zu/holds", n);
	bool yes = holds != NULL && strcmp(holds, "true") == 0;

	printf("  %s%s%s  ", cli_style_on(cli->color_out, yes ? CLI_GREEN : CLI_RED),
		yes ? "yes" : "no ", cli_style_off(cli->color_out, CLI_GREEN));
	if (link != NULL)
		printf("link %s: ", link);
	cli_text_print(stdout, text != NULL ? text : name != NULL ? name : "", false);
	if (text == NULL && why != NULL) {
		fputs(": ", stdout);
		cli_text_print(stdout, why, false);
	}
	putchar('\n');
}

static void print_line(const char *name, const char *text)
{
	if (text == NULL)
		return;
	printf("%s: ", name);
	cli_text_print(stdout, text, false);
	putchar('\n');
}

/* "ended by: subject, since 2026-11-22T11:40:00Z, record 17 of the audit log" */
static void print_ended(const cli_document *said)
{
	const char *by = cli_document_text(said, "/ended/by");
	const char *link = cli_document_text(said, "/ended/link");
	const char *cti = cli_document_text(said, "/ended/cti");
	const char *since = cli_document_text(said, "/ended/since");
	const char *record = cli_document_text(said, "/ended/record");

	if (by == NULL)
		return;
	printf("ended by: %s", by);
	if (link != NULL && cti != NULL)
		printf(", link %s, %s", link, cti);
	printf(", since %s", since != NULL ? since : "a time that is not known");
	if (record != NULL)
		printf(", record %s of the audit log", record);
	putchar('\n');
	print_line("reason", cli_document_text(said, "/ended/reason"));
}

static int print_explanation(const cli_run *cli, const char *json)
{
	int status = cli_json_given(cli, json);
	CLI_AUTO_OF(cli_document) cli_document *said = NULL;
	const char *allowed, *rule;
	bool yes;

	if (status != 1)
		return status;
	said = cli_document_new(json);
	allowed = said == NULL ? NULL : cli_document_text(said, "/allowed");
	if (allowed == NULL)
		return cli_refuse(cli, HN_EINTERNAL, NULL, "the answer has no verdict");
	yes = strcmp(allowed, "true") == 0;
	rule = cli_document_text(said, "/rule/text");
	printf("%s%s%s: %s on %s\n", cli_style_on(cli->color_out, yes ? CLI_GREEN : CLI_RED),
		yes ? "allowed" : "denied", cli_style_off(cli->color_out, CLI_RED),
		cli_document_text(said, "/verb"), cli_document_text(said, "/object"));
	print_line("because", rule != NULL ? rule : cli_document_text(said, "/why"));
	print_line("until", cli_document_text(said, "/validUntil"));
	print_line("allowed again from", cli_document_text(said, "/allowAgain"));
	print_ended(said);
	for (size_t n = 0; cli_document_has(said, "/checks/%zu", n); n++)
		print_check(cli, said, n);
	return 0;
}

/* What is known of the world goes into the request. */
static int offline_request(cli_run *cli, const char *verb, const char *object, char **request)
{
	hn_json *json = cli_json_new();
	hn_error *error = NULL;
	const char *text, *tag;
	int status = 0;

	hn_json_object(json, NULL);
	hn_json_text(json, "verb", verb);
	hn_json_text(json, "object", object);
	if (cli_text(cli, "at") != NULL)
		hn_json_text(json, "at", cli_text(cli, "at"));
	if (cli_text(cli, "reason") != NULL)
		hn_json_text(json, "reason", cli_text(cli, "reason"));
	if (cli_text_at(cli, "tag", 0) != NULL) {
		hn_json_array(json, "tags");
		for (size_t n = 0; (tag = cli_text_at(cli, "tag", n)) != NULL; n++)
			hn_json_text(json, NULL, tag);
		hn_json_end(json);
	}
	hn_json_end(json);
	if (hn_json_finish(json, &text, NULL, &error) < 0)
		status = cli_fail(cli, error);
	else
		*request = cli_format("%s", text);
	hn_json_free(json);
	return status;
}

static int explain_offline(cli_run *cli, const char *token, const char *verb, const char *object)
{
	CAP_AUTO_BYTES cli_bytes bundle = {0};
	CLI_AUTO_FREE char *request = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	const char *trust = cli_text(cli, "trust");
	hn_error *error = NULL;
	int status = trust == NULL ? 0 : cap_read_bundle(cli, trust, &bundle);

	if (status == 0)
		status = offline_request(cli, verb, object, &request);
	if (status != 0)
		return status;
	if (hn_cap_explain(token, bundle.data, bundle.size, request, &json, &error) < 0)
		return cap_fail_option(cli, request, error);
	status = print_explanation(cli, json);
	if (status == 0 && !cli->json)
		print_line("not known here",
			trust == NULL
				? "whether the signatures are good, and what was revoked; the token is believed"
				: "what was revoked");
	return status;
}

/* As its holder: the token's own session is asked. */
static int explain_to_holder(cli_run *cli, const char *token, const char *verb, const char *object,
	hn_session_options *who, char **json, hn_error **error)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	int rc = hn_session_open(cli->host, token, who, &session, error);

	return rc < 0 ? rc : hn_session_explain(session, verb, object, json, error);
}

/* The host knows revocations, tags and the time. With the key it is the holder who asks; else it is
 * the operator, or by --cap somebody who may read what was issued, where there is one. What nobody
 * accepts any more is explained to those alone. */
static int explain_on_host(
	cli_run *cli, const char *token, const char *verb, const char *object, hn_session **asker)
{
	CLI_AUTO_TEXT char *json = NULL;
	hn_session_options who = HN_SESSION_OPTIONS_INIT;
	hn_error *error = NULL;
	bool holds = cli_text(cli, "key") != NULL;
	int result = HN_ETOKEN;
	int status = cli->host == NULL ? cli_host_open(cli, CLI_READ, &cli->host) : 0;

	who.reason = cli_text(cli, "reason");
	who.program = cli->program->name;
	if (status == 0 && *asker == NULL && cli_text(cli, "cap") != NULL)
		status = cap_open(cli, CLI_READ, asker);
	else if (status == 0 && *asker == NULL)
		(void)hn_session_open_local(cli->host, &who, asker, NULL);
	if (status == 0)
		status = cli_passphrase(cli, &who.passphrase);
	if (status != 0)
		return status;
	who.key = cli_text(cli, "key");
	if (holds || *asker == NULL)
		result = explain_to_holder(cli, token, verb, object, &who, &json, &error);
	if (result == HN_ETOKEN && *asker != NULL) {
		hn_error_unref(error);
		error = NULL;
		result = hn_session_explain_token(*asker, token, verb, object, &json, &error);
	}
	return result < 0 ? cli_fail(cli, error) : print_explanation(cli, json);
}

int cap_explain(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CAP_AUTO_SECRET char *token = NULL;
	CLI_AUTO_FREE char *object = NULL;
	CLI_AUTO_FREE char *verb = NULL;
	bool offline = cli_text(cli, "trust") != NULL || cli_text(cli, "at") != NULL ||
		       cli_flag(cli, "offline");
	int status = cap_read_token(cli, cli_operand(cli, 0), &token);

	if (status == 0)
		status = cap_object(cli, cli_operand(cli, 2), &session, &object);
	if (status == 0)
		status = cap_verb(cli, cli_operand(cli, 1), object, &verb);
	if (status != 0)
		return status;
	return offline ? explain_offline(cli, token, verb, object)
		       : explain_on_host(cli, token, verb, object, &session);
}
