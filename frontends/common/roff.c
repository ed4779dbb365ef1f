/* SPDX-License-Identifier: MIT
 *
 * The parts of a man page that the table knows best: commands, options, exit statuses.
 */
#include "cli.h"
#include <string.h>

static void roff_text(const char *text, size_t size)
{
	for (size_t i = 0; i < size && text[i] != '\0'; i++) {
		if (text[i] == '\\')
			fputs("\\e", stdout);
		else if (text[i] == '-')
			fputs("\\-", stdout);
		else if (i == 0 && (text[i] == '.' || text[i] == '\''))
			printf("\\&%c", text[i]);
		else
			putchar(text[i]);
	}
}

/* One sentence a line: that is how a change of a page stays readable. */
static void roff_sentences(const char *text)
{
	while (*text != '\0') {
		const char *end = strstr(text, ". ");
		size_t size = end == NULL ? strlen(text) : (size_t)(end - text) + 1;

		roff_text(text, size);
		putchar('\n');
		text += size;
		text += strspn(text, " ");
	}
}

static void roff_options(const cli_option *options)
{
	for (; options != NULL && options->name != NULL; options++) {
		fputs(".TP\n\\fB\\-\\-", stdout);
		roff_text(options->name, SIZE_MAX);
		fputs("\\fR", stdout);
		if (options->letter != '\0')
			printf(", \\fB\\-%c\\fR", options->letter);
		if (options->value != NULL) {
			fputs(" \\fI", stdout);
			roff_text(options->value, SIZE_MAX);
			fputs("\\fR", stdout);
		}
		putchar('\n');
		roff_text(options->help, SIZE_MAX);
		fputs(options->many ? "; may be given again.\n" : ".\n", stdout);
		if (options->environment != NULL)
			printf("Environment: \\fB%s\\fR.\n", options->environment);
	}
}

static void roff_examples(const cli_program *program, const char *examples)
{
	if (examples == NULL)
		return;
	fputs(".nf\n", stdout);
	for (const char *line = examples; *line != '\0';) {
		size_t size = strcspn(line, "\n");

		fputs("    ", stdout);
		roff_text(program->name, SIZE_MAX);
		putchar(' ');
		roff_text(line, size);
		putchar('\n');
		line += size + (line[size] == '\n');
	}
	fputs(".fi\n", stdout);
}

static void roff_command(const cli_program *program, const cli_command *command)
{
	fputs(".SS \"", stdout);
	roff_text(command->name, SIZE_MAX);
	if (command->operands != NULL) {
		fputs(" \\fI", stdout);
		roff_text(command->operands, SIZE_MAX);
		fputs("\\fR", stdout);
	}
	fputs("\"\n", stdout);
	CLI_AUTO_FREE char *first = cli_format("%c%s.",
		command->summary[0] >= 'a' ? command->summary[0] - 'a' + 'A' : command->summary[0],
		command->summary + 1);
	roff_sentences(first);
	if (command->details != NULL)
		roff_sentences(command->details);
	roff_options(command->options);
	if (command->examples != NULL)
		fputs(".PP\n", stdout);
	roff_examples(program, command->examples);
}

static bool tells_of_changes(const cli_program *program)
{
	const cli_command *command;

	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++) {
		for (const cli_option *at = command->options; at != NULL && at->name != NULL;
			at++) {
			if (strcmp(at->name, "exit-code") == 0)
				return true;
		}
	}
	return false;
}

static void roff_exit_statuses(const cli_program *program)
{
	fputs(".SH EXIT STATUS\nThe number says what to do next; the code is in the JSON error.\n"
	      ".TP\n0\nDone, or there was nothing to do.\n",
		stdout);
	for (int status = 1; status < 128; status++) {
		bool any = false;

		for (size_t i = 0; hn_code_at(i) != HN_OK; i++) {
			if (hn_code_exit_status(hn_code_at(i)) != status)
				continue;
			if (!any)
				printf(".TP\n%d\n", status);
			printf("%s%s (%s)", any ? ",\n" : "", hn_code_text(hn_code_at(i)),
				hn_code_name(hn_code_at(i)));
			any = true;
		}
		if (any)
			fputs(".\n", stdout);
		else if (status == 10 && tells_of_changes(program))
			fputs(".TP\n10\nThere are changes (plan \\-\\-exit\\-code).\n", stdout);
	}
}

static void roff_own_statuses(const cli_program *program)
{
	fputs(".SH EXIT STATUS\n", stdout);
	for (const char *line = program->statuses; *line != '\0';) {
		size_t size = strcspn(line, "\t"), whole = strcspn(line, "\n");

		printf(".TP\n%.*s\n", (int)size, line);
		roff_text(line + size + 1, whole - size - 1);
		fputs(".\n", stdout);
		line += whole + 1;
	}
}

static void roff_single(const cli_program *program)
{
	fputs(".SH OPTIONS\n", stdout);
	roff_options(program->options);
	roff_options(cli_common_options);
	roff_own_statuses(program);
	fputs(".SH EXAMPLES\n", stdout);
	roff_examples(program, program->examples);
}

void cli_roff(const cli_program *program)
{
	const cli_command *command;
	const char *group = "";

	if (program->run != NULL) {
		roff_single(program);
		return;
	}
	fputs(".SH COMMANDS\n", stdout);
	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++) {
		if (command->group == NULL)
			continue;
		if (strcmp(group, command->group) != 0)
			printf(".\\\" %s\n", command->group);
		group = command->group;
		roff_command(program, command);
	}
	fputs(".SH OPTIONS\nEvery command takes these.\n", stdout);
	roff_options(program->options);
	roff_options(cli_common_options);
	roff_exit_statuses(program);
}
