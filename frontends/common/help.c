/* SPDX-License-Identifier: MIT
 *
 * --help, made from the table, and the commands that every program has.
 */
#include "cli.h"
#include <string.h>

static const size_t least_width = 40, most_width = 100;

static size_t page_width(void)
{
	size_t width = cli_terminal_width(stdout);

	if (width == 0 || width > most_width)
		return most_width;
	return width < least_width ? least_width : width;
}

/* Fills words into lines that begin at `indent`; the cursor stands there already. */
static void print_wrapped(const char *text, size_t indent)
{
	size_t width = page_width(), column = indent;

	for (const char *word = text; *word != '\0'; word += strspn(word, " ")) {
		size_t size = strcspn(word, " "), columns = cli_text_width(word, size);

		if (column > indent && column + 1 + columns > width) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		}
		column += columns + (column > indent);
		printf("%s%.*s", word == text || column == indent + columns ? "" : " ", (int)size,
			word);
		word += size;
	}
	putchar('\n');
}

static void print_heading(const cli_run *cli, const char *heading)
{
	printf("\n%s%s%s\n", cli_style_on(cli->color_out, CLI_BOLD), heading,
		cli_style_off(cli->color_out, CLI_BOLD));
}

static void print_option(const cli_option *option)
{
	enum { COLUMN = 26 };
	char letter[] = {',', ' ', '-', option->letter, '\0'};
	CLI_AUTO_FREE char *name = cli_format("--%s%s%s%s", option->name,
		option->letter == '\0' ? "" : letter, option->value == NULL ? "" : " ",
		option->value == NULL ? "" : option->value);
	CLI_AUTO_FREE char *text =
		cli_format("%s%s%s%s%s", option->help, option->many ? "; may be given again" : "",
			option->environment == NULL ? "" : " (environment: ",
			option->environment == NULL ? "" : option->environment,
			option->environment == NULL ? "" : ")");

	if (strlen(name) + 4 > COLUMN)
		printf("  %s\n%*s", name, COLUMN, "");
	else
		printf("  %-*s", COLUMN - 2, name);
	print_wrapped(text, COLUMN);
}

static void print_options(const cli_run *cli, const char *heading, const cli_option *options)
{
	if (options == NULL || options->name == NULL)
		return;
	if (heading != NULL)
		print_heading(cli, heading);
	for (; options->name != NULL; options++)
		print_option(options);
}

static void print_examples(const cli_run *cli, const char *examples)
{
	if (examples == NULL)
		return;
	print_heading(cli, "examples:");
	for (const char *line = examples; *line != '\0';) {
		size_t size = strcspn(line, "\n");

		printf("  %s %.*s\n", cli->program->name, (int)size, line);
		line += size + (line[size] == '\n');
	}
}

static void help_command(const cli_run *cli, const cli_command *command)
{
	printf("usage: %s %s%s%s%s\n\n", cli->program->name, command->name,
		command->operands == NULL ? "" : " ",
		command->operands == NULL ? "" : command->operands,
		command->options == NULL ? "" : " [OPTION...]");
	print_wrapped(command->summary, 0);
	if (command->details != NULL) {
		putchar('\n');
		print_wrapped(command->details, 0);
	}
	print_options(cli, "options:", command->options);
	print_options(cli, "options of every command:", cli->program->options);
	print_options(cli, NULL, cli_common_options);
	print_examples(cli, command->examples);
}

static void print_statuses(const cli_run *cli)
{
	enum { COLUMN = 6 };

	print_heading(cli, "exit status:");
	for (const char *line = cli->program->statuses; *line != '\0';) {
		size_t size = strcspn(line, "\t"), whole = strcspn(line, "\n");
		CLI_AUTO_FREE char *meaning = cli_strndup(line + size + 1, whole - size - 1);

		printf("  %-*.*s", COLUMN - 2, (int)size, line);
		print_wrapped(meaning, COLUMN);
		line += whole + 1;
	}
}

/* A program that does one thing: what a command's help says, about itself. */
static void help_single(const cli_run *cli)
{
	const cli_program *program = cli->program;

	printf("usage: %s [OPTION...]\n\n", program->name);
	print_wrapped(program->summary, 0);
	if (program->details != NULL) {
		putchar('\n');
		print_wrapped(program->details, 0);
	}
	print_options(cli, "options:", program->options);
	print_options(cli, NULL, cli_common_options);
	if (program->statuses != NULL)
		print_statuses(cli);
	print_examples(cli, program->examples);
	printf("\n%s completion bash|zsh|fish prints a completion script; %s(1) says more.\n",
		program->name, program->name);
}

/* Where summaries begin: behind the longest name. */
static int summary_column(const cli_program *program)
{
	const cli_command *command;
	size_t column = 20;

	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++) {
		if (command->group != NULL && strlen(command->name) + 4 > column)
			column = strlen(command->name) + 4;
	}
	return (int)column;
}

static void help_program(const cli_run *cli)
{
	const cli_command *command;
	int column = summary_column(cli->program);
	const char *group = "";

	printf("usage: %s COMMAND [OPERAND...] [OPTION...]\n\n", cli->program->name);
	print_wrapped(cli->program->summary, 0);
	for (size_t n = 0; (command = cli_command_at(cli->program, n)) != NULL; n++) {
		if (command->group == NULL)
			continue;
		if (strcmp(group, command->group) != 0) {
			CLI_AUTO_FREE char *heading = cli_format("%s:", command->group);

			print_heading(cli, heading);
			group = command->group;
		}
		printf("  %-*s", column - 2, command->name);
		print_wrapped(command->summary, (size_t)column);
	}
	print_options(cli, "options of every command:", cli->program->options);
	print_options(cli, NULL, cli_common_options);
	printf("\n%s COMMAND --help says more about one, with examples; %s(1) about all.\n",
		cli->program->name, cli->program->name);
}

void cli_help(const cli_run *cli)
{
	if (cli->command == NULL && cli->program->run != NULL)
		help_single(cli);
	else if (cli->command == NULL)
		help_program(cli);
	else
		help_command(cli, cli->command);
}

static int run_help(cli_run *cli)
{
	CLI_AUTO_FREE char *name =
		cli_format("%s%s%s", cli_operand(cli, 0) == NULL ? "" : cli_operand(cli, 0),
			cli_operand(cli, 1) == NULL ? "" : " ",
			cli_operand(cli, 1) == NULL ? "" : cli_operand(cli, 1));

	if (name[0] == '\0') {
		cli->command = NULL;
		cli_help(cli);
		return 0;
	}
	const cli_command *command = cli_command_find(cli->program, name);

	if (command == NULL) {
		cli->command = NULL;
		return cli_command_unknown(cli, name);
	}
	help_command(cli, command);
	return 0;
}

static int run_completion(cli_run *cli)
{
	const char *shell = cli_operand(cli, 0);

	if (strcmp(shell, "bash") == 0)
		cli_completion_bash(cli->program);
	else if (strcmp(shell, "zsh") == 0)
		cli_completion_zsh(cli->program);
	else if (strcmp(shell, "fish") == 0)
		cli_completion_fish(cli->program);
	else if (strcmp(shell, "man") == 0)
		cli_roff(cli->program);
	else
		return cli_refuse(cli, HN_EINVAL, "bash, zsh and fish are known",
			"there is no completion for '%s'", shell);
	return 0;
}

/* The kinds of words that every program has; the others are the program's own. */
static int run_complete(cli_run *cli)
{
	const char *kind = cli_operand(cli, 0);
	const cli_command *command;

	if (strcmp(kind, "SHELL") == 0) {
		puts("bash\nzsh\nfish");
	} else if (strcmp(kind, "COMMAND") == 0) {
		for (size_t n = 0; (command = cli_command_at(cli->program, n)) != NULL; n++) {
			if (command->group != NULL)
				puts(command->name);
		}
	} else if (cli->program->complete != NULL) {
		cli->program->complete(cli, kind);
	}
	return 0;
}

const cli_command cli_common_commands[] = {
	{"help", "help", "[COMMAND] [WORD]", "print what a command does and takes, with examples",
		NULL, NULL, "help apply\n", run_help, false},
	{"help", "completion", "SHELL", "print the completion script for bash, zsh or fish",
		"The word man in the place of a shell prints the parts of the man page that are made "
		"from the same table.",
		NULL, "completion bash > completion.bash\n", run_completion, false},
	{NULL, "complete", "KIND", "print the words that can stand for KIND; used by completion",
		NULL, NULL, NULL, run_complete, false},
	{.name = NULL},
};
