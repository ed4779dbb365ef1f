/* SPDX-License-Identifier: MIT
 *
 * status: who may act on this host and until when, what is kept of it, and what wants attention.
 */
#include "cap.h"
#include <stdarg.h>
#include <time.h>

#define ATTENTIONS 8

typedef struct state {
	cli_run *cli;
	hn_session *session;
	cap_trust trust;
	cap_token back;
	bool local, signer_away;
	hn_audit_facts log;
	hn_error *log_wrong; /* NULL: it is the one that was sealed */
	cli_document *clock, *keys, *requests, *glasses;
	char *attention[ATTENTIONS];
	size_t attentions;
} state;

static void state_auto(state *now)
{
	cap_trust_auto(&now->trust);
	hn_error_unref(now->log_wrong);
	cli_document_free(now->clock);
	cli_document_free(now->keys);
	cli_document_free(now->requests);
	cli_document_free(now->glasses);
	for (size_t i = 0; i < now->attentions; i++)
		free(now->attention[i]);
}

static void CLI_PRINTF(2, 3) attend(state *now, const char *format, ...)
{
	va_list arguments;

	if (now->attentions == ATTENTIONS)
		return;
	va_start(arguments, format);
	if (vasprintf(&now->attention[now->attentions], format, arguments) >= 0)
		now->attentions++;
	va_end(arguments);
}

/* ---- asking ---- */

static int ask_document(state *now, cap_lister ask, cli_document **document)
{
	CLI_AUTO_TEXT char *json = NULL;
	hn_error *error = NULL;

	if (ask(now->session, &json, &error) < 0)
		return cli_fail(now->cli, error);
	*document = cli_document_new(json);
	return *document != NULL ? 0
				 : cli_refuse(now->cli, HN_EINTERNAL, NULL, "an answer is no JSON");
}

/* One that does not answer is what is to be told, with all the rest. */
static int ask_signer(state *now)
{
	CLI_AUTO_TEXT char *json = NULL;
	hn_error *error = NULL;
	int result = hn_node_key_list(now->session, &json, &error);

	now->signer_away = result == HN_ESIGNER;
	if (result < 0 && !now->signer_away)
		return cli_fail(now->cli, error);
	hn_error_unref(error);
	now->keys = cli_document_new(now->signer_away ? "{\"inProcess\":false}" : json);
	now->trust.issuer = cap_node_key_in(now->keys, "issuer");
	return 0;
}

static int ask_documents(state *now)
{
	int status = ask_document(now, hn_clock_status, &now->clock);

	if (status == 0)
		status = ask_document(now, hn_approval_list, &now->requests);
	return status == 0 ? ask_document(now, hn_breakglass_list, &now->glasses) : status;
}

static int ask(state *now)
{
	hn_error *error = NULL;
	int status = ask_signer(now);

	if (status == 0)
		status = cap_trust_find(now->cli, now->session, &now->trust);
	if (status == 0)
		status = cap_way_back(now->cli, now->session, &now->back);
	if (status == 0)
		status = ask_documents(now);
	if (status != 0)
		return status;
	now->log = (hn_audit_facts)HN_AUDIT_FACTS_INIT;
	if (hn_audit_get_facts(now->session, &now->log, &error) < 0 ||
		hn_session_local_allowed(now->session, &now->local, &error) < 0)
		return cli_fail(now->cli, error);
	(void)hn_audit_compare_signer(now->session, &now->log_wrong);
	return 0;
}

/* ---- judging ---- */

static size_t count_of(const cli_document *list)
{
	size_t count = 0;

	while (cli_document_has(list, "/%zu", count))
		count++;
	return count;
}

static bool log_replaced(const state *now)
{
	return now->log_wrong != NULL && hn_error_code(now->log_wrong) == HN_EAUDITFORK;
}

static void judge_log(state *now)
{
	const char *hint;

	if (now->log_wrong == NULL)
		return;
	hint = hn_error_hint(now->log_wrong);
	attend(now, "%s%s%s%s", hn_error_message(now->log_wrong),
		now->signer_away ? "" : ": hv-cap audit verify", hint == NULL ? "" : "; ",
		hint == NULL ? "" : hint);
}

/* In a new database there is no bundle either; a first one could not be put there. */
static void judge_issuer(state *now)
{
	char until[CLI_TIME_TEXT];

	cli_time_print(now->trust.until * CAP_NS, until);
	if (!now->trust.found && log_replaced(now))
		attend(now, "no trust bundle: no token is taken here");
	else if (!now->trust.found)
		attend(now, "no trust bundle: no token is taken here; hv-cap init makes the first");
	else if (now->signer_away)
		return;
	else if (!now->trust.issues)
		attend(now,
			"this node's key is no issuer of the trust bundle: hv-cap trust renew --key FILE");
	else if (now->trust.until < time(NULL))
		attend(now, "this node can issue no more since %s: hv-cap trust renew --key FILE",
			until);
	else if (now->trust.until < time(NULL) + CAP_SOON)
		attend(now, "this node can issue until %s: hv-cap trust renew --key FILE", until);
}

static void judge_way_back(state *now)
{
	char ends[CLI_TIME_TEXT];

	if (now->local)
		return;
	cli_time_print(now->back.ends * CAP_NS, ends);
	if (!now->back.found)
		attend(now,
			"local operators are off, and no token that was issued here can turn them on");
	else if (now->back.ends < time(NULL) + CAP_SOON)
		attend(now,
			"local operators are off, and the last token that can turn them on, of %s, "
			"ends at %s",
			now->back.subject, ends);
	if (!cap_is_true(now->clock, "/breakGlass"))
		attend(now,
			"local operators are off, and no break-glass gives clock.accept on this node: "
			"after a step of the clock nobody could act again");
}

static void judge_glasses(state *now)
{
	size_t open = 0;

	for (size_t n = 0; cli_document_has(now->glasses, "/%zu", n); n++) {
		const char *active = cli_document_text(now->glasses, "/%zu/active", n);

		if (active != NULL && strcmp(active, "true") == 0)
			attend(now, "break-glass %s is active",
				cli_document_text(now->glasses, "/%zu/number", n));
		else if (cli_document_text(now->glasses, "/%zu/reviewer", n) == NULL)
			open++;
	}
	if (open > 0)
		attend(now, "%zu break-glass without a review: hv-cap break-glass review NUMBER",
			open);
}

static void judge(state *now)
{
	judge_log(now);
	judge_issuer(now);
	judge_way_back(now);
	judge_glasses(now);
	if (!cap_is_true(now->clock, "/tokens"))
		attend(now, "no token is taken because of the clock: hv-cap clock status");
	if (cap_is_true(now->clock, "/unforgotten"))
		attend(now,
			"tokens that ended long ago, and what is kept of them, are not forgotten: %s",
			cap_is_true(now->clock, "/suspect")
				? "the clock is suspect; hv-cap clock accept says that it is right"
				: "no time server sets the clock; run a client of one, such as chronyd");
	if (now->log.records > 0 && cap_is_true(now->keys, "/firstMacHere"))
		attend(now, "the first MAC key is on this host still: hv-cap audit first-mac");
}

/* ---- telling ---- */

static void tell_rights(const state *now)
{
	char until[CLI_TIME_TEXT];
	bool issues = now->trust.issues && now->trust.until >= time(NULL);

	printf("node             %s\n", hn_session_node(now->session));
	if (now->trust.found)
		printf("trust            cluster %s, bundle %llu\n", now->trust.cluster,
			(unsigned long long)now->trust.version);
	else
		puts("trust            no trust bundle");
	cli_time_print(now->trust.until * CAP_NS, until);
	printf("issues tokens    %s%s\n", issues ? "until " : "no", issues ? until : "");
	printf("local operators  %s\n", now->local ? "act without a token" : "need a token");
	cli_time_print(now->back.ends * CAP_NS, until);
	if (now->back.found)
		printf("lets others in   %s, until %s\n", now->back.subject, until);
}

static int tell_words(const state *now)
{
	tell_rights(now);
	printf("keys             %s\n",
		!cap_is_true(now->keys, "/inProcess") ? "held by hv-signer"
		: cli_document_text(now->keys, "/keys/0/public") == NULL
			? "none yet"
			: "in the state directory: every program of root reads them");
	printf("clock            %s\n",
		cap_is_true(now->clock, "/suspect") ? "suspect" : "not suspect");
	printf("audit log        %s\n", now->log.origin[0] != '\0' ? now->log.origin
					: now->log_wrong == NULL   ? "not sealed yet"
								   : "not the one that was sealed");
	printf("                 %llu records, %llu of them sealed\n",
		(unsigned long long)now->log.records, (unsigned long long)now->log.sealed);
	printf("requests         %zu waiting for approval\n", count_of(now->requests));
	for (size_t i = 0; i < now->attentions; i++)
		printf("%sattention:%s %s\n", cli_style_on(now->cli->color_out, CLI_YELLOW),
			cli_style_off(now->cli->color_out, CLI_YELLOW), now->attention[i]);
	return 0;
}

static void put_trust(hn_json *json, const cap_trust *trust)
{
	hn_json_text(json, "cluster", trust->cluster);
	hn_json_uint(json, "bundle", trust->version);
	hn_json_text(json, "issuer", trust->issuer);
	cli_json_time(json, "issuesUntil", trust->until * CAP_NS);
}

static void put_log(hn_json *json, const hn_audit_facts *log, bool fits)
{
	hn_json_object(json, "audit");
	hn_json_text(json, "log", log->origin[0] == '\0' ? NULL : log->origin);
	hn_json_uint(json, "records", log->records);
	hn_json_uint(json, "first", log->first);
	hn_json_uint(json, "sealed", log->sealed);
	hn_json_bool(json, "asSealed", fits);
	hn_json_end(json);
}

static int tell_json(const state *now)
{
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	hn_json_text(json, "node", hn_session_node(now->session));
	put_trust(json, &now->trust);
	hn_json_bool(json, "localOperators", now->local);
	hn_json_text(json, "letsIn", now->back.found ? now->back.subject : NULL);
	cli_json_time(json, "letsInUntil", now->back.found ? now->back.ends * CAP_NS : 0);
	hn_json_bool(json, "keysInProcess", cap_is_true(now->keys, "/inProcess"));
	hn_json_bool(json, "clockSuspect", cap_is_true(now->clock, "/suspect"));
	hn_json_bool(json, "tokensTaken", now->trust.found && cap_is_true(now->clock, "/tokens"));
	put_log(json, &now->log, now->log_wrong == NULL);
	hn_json_uint(json, "requests", count_of(now->requests));
	hn_json_array(json, "attention");
	for (size_t i = 0; i < now->attentions; i++)
		hn_json_text(json, NULL, now->attention[i]);
	hn_json_end(json);
	hn_json_end(json);
	return cli_json_print(now->cli, json);
}

int cap_status(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	__attribute__((cleanup(state_auto))) state now = {.cli = cli};
	/* the use of a token may be counted */
	int status = cap_open(cli, cli_text(cli, "cap") != NULL ? CLI_WRITE : CLI_LOOK, &session);

	now.session = session;
	if (status == 0)
		status = ask(&now);
	if (status != 0)
		return status;
	judge(&now);
	return cli->json ? tell_json(&now) : tell_words(&now);
}
