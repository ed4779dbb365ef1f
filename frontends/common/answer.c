/* SPDX-License-Identifier: MIT
 *
 * How a program answers: errors with hint, facts and causes, JSON, and the question before
 * something that cannot be taken back.
 */
#include "cli.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_labelled(FILE *file, bool color, const char *label, const char *text)
{
	fprintf(file, "%s%s:%s ", cli_style_on(color, CLI_BOLD), label,
		cli_style_off(color, CLI_BOLD));
	cli_text_print(file, text, true);
	fputc('\n', file);
}

/* The word stands in the text by itself: "2" is not said by "rev23". */
static bool says(const char *text, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = text; text != NULL && (at = strstr(at, word)) != NULL; at++) {
		bool begins = at == text || !isalnum((unsigned char)at[-1]);

		if (begins && !isalnum((unsigned char)at[size]))
			return true;
		if (*at == '\0')
			break;
	}
	return false;
}

/* A fact is printed only when the words before it do not say it already. */
static bool is_said(const hn_error *error, const hn_fact *fact)
{
	CLI_AUTO_FREE char *text = fact->text != NULL ? cli_format("%s", fact->text)
						      : cli_format("%lld", (long long)fact->number);

	return says(hn_error_message(error), text) || says(hn_error_hint(error), text);
}

static void print_fact(FILE *file, const hn_fact *fact)
{
	char when[CLI_TIME_TEXT];

	cli_text_print(file, fact->name, false);
	fputs(" = ", file);
	if (fact->text != NULL) {
		cli_text_print(file, fact->text, false);
	} else if (strcmp(fact->name, "since") == 0) {
		cli_time_print(fact->number, when);
		fputs(when, file);
	} else {
		fprintf(file, "%lld", (long long)fact->number);
	}
}

static void print_facts(FILE *file, const hn_error *error)
{
	hn_fact fact;
	bool any = false;

	for (size_t i = 0; hn_error_fact(error, i, &fact) == 0; i++) {
		if (is_said(error, &fact))
			continue;
		fputs(any ? ", " : "  (", file);
		any = true;
		print_fact(file, &fact);
	}
	if (any)
		fputs(")\n", file);
}

/* A text of several lines has a shape of its own: it stands without the program's name. */
void cli_error_print(FILE *file, bool color, const char *prefix, const hn_error *error)
{
	const char *message = hn_error_message(error), *hint = hn_error_hint(error);

	if (prefix != NULL && strchr(message, '\n') == NULL)
		fprintf(file, "%s%s:%s ", cli_style_on(color, CLI_RED), prefix,
			cli_style_off(color, CLI_RED));
	cli_text_print(file, message, true);
	fputc('\n', file);
	print_facts(file, error);
	if (hint != NULL && strncmp(hint, "ways out", 8) == 0) {
		cli_text_print(file, hint, true);
		fputc('\n', file);
	} else if (hint != NULL) {
		print_labelled(file, color, "hint", hint);
	}
	for (const hn_error *cause = hn_error_cause(error); cause != NULL;
		cause = hn_error_cause(cause)) {
		print_labelled(file, color, "because", hn_error_message(cause));
		print_facts(file, cause);
		if (hn_error_hint(cause) != NULL && hint == NULL)
			print_labelled(file, color, "hint", hn_error_hint(cause));
	}
}

static void print_json(hn_json *json, FILE *file)
{
	const char *text;
	size_t size;

	if (hn_json_finish(json, &text, &size, NULL) == 0) {
		fwrite(text, 1, size, file);
		fputc('\n', file);
	}
	hn_json_free(json);
}

static int status_of(const cli_run *cli, hn_code code)
{
	return cli->program->refused != 0 ? cli->program->refused : hn_code_exit_status(code);
}

static void print_stored(FILE *file, bool color, const cli_run *cli, const char *unit)
{
	CLI_AUTO_FREE char *text = cli_format(
		"what was said of %s, and not yet real; to try again: %s apply --unit %s", unit,
		cli->program->name, unit);

	print_labelled(file, color, "stored", text);
}

static void print_error(const cli_run *cli, const hn_error *error, const char *stored)
{
	CLI_AUTO_FREE char *text = NULL;
	size_t size = 0;
	FILE *lines = cli->journal_err ? open_memstream(&text, &size) : NULL;
	FILE *file = lines != NULL ? lines : stderr;
	bool color = lines == NULL && cli->color_err;

	cli_error_print(file, color, cli->program->name, error);
	if (stored != NULL)
		print_stored(file, color, cli, stored);
	if (lines == NULL)
		return;
	fclose(lines);
	cli_lines(stderr, true, 3, text);
}

int cli_fail(const cli_run *cli, hn_error *error)
{
	return cli_fail_stored(cli, error, NULL);
}

int cli_fail_stored(const cli_run *cli, hn_error *error, const char *unit)
{
	int status = status_of(cli, hn_error_code(error));
	hn_json *json;

	if (error == NULL) /* a call that failed without a word must not pass for success */
		return cli_refuse(cli, HN_EINTERNAL, NULL, "%s", hn_code_text(HN_EINTERNAL));
	if (hn_error_code(error) == HN_EAPPROVAL && cli_only_asks(cli)) {
		hn_error_unref(error);
		return status;
	}
	fflush(stdout);
	if (cli->json && hn_json_new(false, &json, NULL) == 0) {
		hn_json_object(json, NULL);
		hn_json_error(json, "error", error);
		if (unit != NULL)
			hn_json_text(json, "stored", unit);
		hn_json_end(json);
		print_json(json, stderr);
	} else {
		print_error(cli, error, unit);
	}
	hn_error_unref(error);
	return status;
}

int cli_refuse(const cli_run *cli, hn_code code, const char *hint, const char *format, ...)
{
	CLI_AUTO_FREE char *message = NULL;
	va_list arguments;
	hn_json *json;

	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;
	va_end(arguments);
	fflush(stdout);
	if (cli->json && hn_json_new(false, &json, NULL) == 0) {
		hn_json_object(json, NULL);
		hn_json_object(json, "error");
		hn_json_text(json, "code", hn_code_name(code));
		hn_json_text(json, "room", cli->program->name);
		hn_json_text(json, "message", message);
		if (hint != NULL)
			hn_json_text(json, "hint", hint);
		hn_json_end(json);
		hn_json_end(json);
		print_json(json, stderr);
		return status_of(cli, code);
	}
	fprintf(stderr, "%s%s%s:%s ", cli->journal_err ? "<3>" : "",
		cli_style_on(cli->color_err, CLI_RED), cli->program->name,
		cli_style_off(cli->color_err, CLI_RED));
	cli_text_print(stderr, message == NULL ? hn_code_text(code) : message, true);
	fputs(cli->journal_err && hint != NULL ? "\n<3>" : "\n", stderr);
	if (hint != NULL)
		print_labelled(stderr, cli->color_err, "hint", hint);
	return status_of(cli, code);
}

hn_json *cli_json_new(void)
{
	hn_json *json = NULL;

	if (hn_json_new(true, &json, NULL) < 0)
		exit(hn_code_exit_status(HN_ENOMEM));
	return json;
}

int cli_json_print(const cli_run *cli, hn_json *json)
{
	hn_error *error = NULL;
	const char *text;
	size_t size;

	if (hn_json_finish(json, &text, &size, &error) < 0) {
		hn_json_free(json);
		return cli_fail(cli, error);
	}
	fwrite(text, 1, size, stdout);
	putchar('\n');
	hn_json_free(json);
	return 0;
}

void cli_json_redacted(hn_json *json, uint32_t classes)
{
	if (classes == 0)
		return;
	hn_json_array(json, "redacted");
	for (uint32_t bit = 1; bit != 0; bit <<= 1)
		if ((classes & bit) != 0)
			hn_json_text(json, NULL, hn_redact_word(bit));
	hn_json_end(json);
}

void cli_redacted_print(const cli_run *cli, uint32_t classes)
{
	const char *before = "left out for this token: ";

	if (classes == 0 || cli->quiet)
		return;
	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		if ((classes & bit) == 0)
			continue;
		printf("%s%s", before, hn_redact_word(bit));
		before = ", ";
	}
	putchar('\n');
}

void cli_json_time(hn_json *json, const char *key, int64_t wall)
{
	char text[CLI_TIME_TEXT];

	cli_time_print(wall, text);
	hn_json_text(json, key, wall == 0 ? NULL : text);
}

int cli_confirm(const cli_run *cli, const char *question)
{
	char answer[16];

	/* who only asks for approval does nothing */
	if (cli_flag(cli, "yes") || (cli_option_find(cli, "request-approval", 16) != NULL &&
					    cli_text(cli, "request-approval") != NULL))
		return 0;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return cli_refuse(cli, HN_EDENIED,
			cli_option_find(cli, "dry-run", 7) != NULL
				? "look at it with --dry-run, then give --yes"
				: "give --yes",
			"%s: not done: nobody can be asked here", cli->command->name);
	fflush(stdout);
	fprintf(stderr, "%s [y/N] ", question);
	if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
		return 0;
	return cli_refuse(cli, HN_ECANCELLED, NULL, "%s: not done", cli->command->name);
}
