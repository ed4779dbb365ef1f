/* SPDX-License-Identifier: MIT
 *
 * The frame of a command that is one call of the library: what the command line must say, the
 * session, the call, and the answer. A row a command.
 */
#include "cap.h"

typedef struct act {
	const char *command;
	cli_access access;
	int (*ready)(cli_run *cli); /* refuses a command line before the host is opened; or NULL */
	/* Of what kind it is: a change, which is then told in words (% is the first operand); a
	 * text for --out, and what it is called; or a document. */
	int (*change)(cli_run *cli, hn_session *session, hn_error **err);
	const char *done;
	cap_lister text;
	const char *called;
	unsigned mode;
	bool once; /* it is not given again */
	cap_lister document;
	void (*tell)(const cli_document *document); /* in words; NULL: line by line */
} act;

/* ---- what the rows call ---- */

static int cut(cli_run *cli, hn_session *session, hn_error **err)
{
	return hn_session_cut(session, cli_operand(cli, 0), err);
}

static int let_local(cli_run *cli, hn_session *session, hn_error **err)
{
	(void)cli;
	return hn_session_local_allow(session, true, err);
}

static int is_number(cli_run *cli)
{
	const char *text = cli_operand(cli, 0);

	if (text[0] != '\0' && strspn(text, "0123456789") == strlen(text) && strlen(text) < 20)
		return 0;
	return cli_refuse(cli, HN_EINVAL, "hv-cap break-glass list has the numbers",
		"'%s' is not a number", text);
}

static int review(cli_run *cli, hn_session *session, hn_error **err)
{
	return hn_breakglass_review(session, strtoull(cli_operand(cli, 0), NULL, 10), err);
}

static int cancel_glass(cli_run *cli, hn_session *session, hn_error **err)
{
	return hn_breakglass_cancel(session, cli_operand(cli, 0), err);
}

static int end_glass(cli_run *cli, hn_session *session, hn_error **err)
{
	(void)cli;
	return hn_breakglass_end(session, err);
}

static int accept_clock(cli_run *cli, hn_session *session, hn_error **err)
{
	(void)cli;
	return hn_clock_accept(session, err);
}

static void put_time(const char *label, const cli_document *clock, const char *member)
{
	const char *seconds = cli_document_text(clock, "%s", member);
	char time[CLI_TIME_TEXT];

	cli_time_print(seconds == NULL ? 0 : strtoll(seconds, NULL, 10) * CAP_NS, time);
	printf("%s%s", label, time);
}

static void tell_clock(const cli_document *clock)
{
	const char *why = cli_document_text(clock, "/why");

	put_time("now           ", clock, "/wall");
	put_time(", between ", clock, "/earliest");
	put_time(" and ", clock, "/latest");
	printf("\nsynchronised  %s; while it is not, tokens: %s\n",
		cap_is_true(clock, "/synchronised") ? "yes" : "no",
		cli_document_text(clock, "/unsynchronised"));
	printf("suspect       %s%s%s\n", cap_is_true(clock, "/suspect") ? "yes" : "no",
		why == NULL ? "" : ": ", why == NULL ? "" : why);
	put_time("last seen at  ", clock, "/mark/wall");
	printf("\ntokens        %s\n",
		cap_is_true(clock, "/tokens") ? "are taken" : "are not taken: hv-cap clock accept");
}

static int is_one_of(cli_run *cli, const char *one, const char *other)
{
	const char *word = cli_operand(cli, 0);
	char hint[32];

	if (strcmp(word, one) == 0 || strcmp(word, other) == 0)
		return 0;
	(void)snprintf(hint, sizeof(hint), "%s or %s", one, other);
	return cli_refuse(cli, HN_EINVAL, hint, "'%s' is neither", word);
}

static int is_rule(cli_run *cli)
{
	return is_one_of(cli, "allow", "deny");
}

static int set_rule(cli_run *cli, hn_session *session, hn_error **err)
{
	return hn_clock_unsynchronised(session, strcmp(cli_operand(cli, 0), "allow") == 0, err);
}

static int is_switch(cli_run *cli)
{
	return is_one_of(cli, "on", "off");
}

static int require_witness(cli_run *cli, hn_session *session, hn_error **err)
{
	return hn_audit_require_witness(session, strcmp(cli_operand(cli, 0), "on") == 0, err);
}

static int has_place(cli_run *cli)
{
	const char *path = cli_text(cli, "out");

	if (path != NULL && strcmp(path, "-") != 0)
		return 0;
	return cli_refuse(cli, HN_EINVAL, "give --out FILE, then take the file off this host",
		"the first MAC key is given once: it is not to be lost on a terminal or in a pipe");
}

static const act acts[] = {
	{"sessions cut", CLI_WRITE, .change = cut, .done = "cut: session % ends within a second"},
	{"local on", CLI_WRITE, .change = let_local, .done = "local operators act without a token"},
	{"services list", CLI_READ, .document = hn_services_list},
	{"break-glass cancel", CLI_WRITE, .change = cancel_glass,
		.done = "cancelled: request % opens nothing any more"},
	{"break-glass end", CLI_WRITE, .change = end_glass,
		.done = "break-glass has ended; it waits for its review"},
	{"break-glass review", CLI_WRITE, .ready = is_number, .change = review,
		.done = "break-glass % is reviewed"},
	{"clock status", CLI_READ, .document = hn_clock_status, .tell = tell_clock},
	{"clock accept", CLI_WRITE, .change = accept_clock,
		.done = "the clock is right as it stands: tokens are taken"},
	{"clock unsynchronised", CLI_WRITE, .ready = is_rule, .change = set_rule,
		.done = "tokens while nothing keeps the clock in step: %"},
	{"audit require-witness", CLI_WRITE, .ready = is_switch, .change = require_witness,
		.done = "sealed calls wait for witnesses: %"},
	{"audit checkpoint", CLI_WRITE, .text = hn_audit_checkpoint, .called = "the checkpoint",
		.mode = CAP_PUBLIC_MODE},
	{"audit key", CLI_WRITE, .text = hn_audit_key, .called = "the key of the log",
		.mode = CAP_PUBLIC_MODE},
	{"audit first-mac", CLI_WRITE, .ready = has_place, .text = hn_audit_first_mac,
		.called = "the first MAC key", .mode = CAP_TOKEN_MODE, .once = true},
};

/* ---- the frame ---- */

static const act *act_of(const cli_run *cli)
{
	const act *row = acts;

	while (strcmp(row->command, cli->command->name) != 0)
		row++; /* each command with this frame has its row */
	return row;
}

static int tell_done(cli_run *cli, const char *words)
{
	const char *place = strchr(words, '%');

	if (place == NULL)
		return cap_done(cli, "%s", words);
	return cap_done(
		cli, "%.*s%s%s", (int)(place - words), words, cli_operand(cli, 0), place + 1);
}

static int give_text(cli_run *cli, hn_session *session, const act *row)
{
	char *text = NULL;
	hn_error *error = NULL;
	int status;

	if (row->text(session, &text, &error) < 0)
		return cli_fail(cli, error);
	status = (row->once ? cap_give_once : cap_give)(cli, text, row->mode, row->called);
	explicit_bzero(text, strlen(text));
	hn_text_free(text);
	return status;
}

static int print_document(cli_run *cli, hn_session *session, const act *row)
{
	CLI_AUTO_OF(cli_document) cli_document *document = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	hn_error *error = NULL;

	if (row->document(session, &json, &error) < 0)
		return cli_fail(cli, error);
	document = cli->json ? NULL : cli_document_new(json);
	if (document == NULL || row->tell == NULL)
		return cap_print_document(cli, json);
	row->tell(document);
	return 0;
}

static int act_with(cli_run *cli, hn_session *session, const act *row)
{
	hn_error *error = NULL;

	if (row->text != NULL)
		return give_text(cli, session, row);
	if (row->document != NULL)
		return print_document(cli, session, row);
	if (row->change(cli, session, &error) < 0)
		return cli_fail(cli, error);
	return tell_done(cli, row->done);
}

int cap_act(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	const act *row = act_of(cli);
	int status = row->ready != NULL ? row->ready(cli) : 0;

	if (status == 0)
		status = cap_open(cli, row->access, &session);
	return status == 0 ? act_with(cli, session, row) : status;
}
