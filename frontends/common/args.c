/* SPDX-License-Identifier: MIT
 *
 * Takes the command line apart by the program's table and checks every value before anything is
 * done.
 */
#include "cli.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const cli_option cli_common_options[] = {
	CLI_FLAG("json", "answer in JSON; errors are one JSON object on standard error"),
	CLI_VALUE("color", "auto|always|never",
		"colour the answer; auto, the default, does on a terminal unless NO_COLOR is set"),
	CLI_FLAG("quiet", "print no progress and no remarks"),
	CLI_FLAG("help", "print what the command does and takes, with examples"),
	CLI_FLAG("version", "print the version"),
	CLI_END,
};

const cli_command *cli_command_at(const cli_program *program, size_t n)
{
	const cli_command *command = program->commands;

	for (; command->name != NULL; command++) {
		if (n-- == 0)
			return command;
	}
	for (command = cli_common_commands; command->name != NULL; command++) {
		if (n-- == 0)
			return command;
	}
	return NULL;
}

const cli_option *cli_option_at(const cli_program *program, const cli_command *command, size_t n)
{
	const cli_option *lists[] = {
		command == NULL ? NULL : command->options, program->options, cli_common_options};

	for (size_t i = 0; i < CLI_COUNT(lists); i++) {
		for (const cli_option *option = lists[i]; option != NULL && option->name != NULL;
			option++) {
			if (n-- == 0)
				return option;
		}
	}
	return NULL;
}

const cli_command *cli_command_find(const cli_program *program, const char *name)
{
	const cli_command *command;

	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++) {
		if (strcmp(command->name, name) == 0)
			return command;
	}
	return NULL;
}

const cli_option *cli_option_find(const cli_run *cli, const char *name, size_t size)
{
	const cli_option *option;

	for (size_t n = 0; (option = cli_option_at(cli->program, cli->command, n)) != NULL; n++) {
		if (strncmp(option->name, name, size) == 0 && option->name[size] == '\0')
			return option;
	}
	return NULL;
}

void cli_operand_bounds(const char *operands, size_t *least, size_t *most)
{
	*least = 0;
	*most = 0;
	for (const char *word = operands; word != NULL && *word != '\0';) {
		size_t size = strcspn(word, " ");
		bool optional = word[0] == '[';

		if (!optional)
			++*least;
		if (size > 3 && memmem(word, size, "...", 3) != NULL)
			*most = SIZE_MAX;
		else if (*most != SIZE_MAX)
			++*most;
		word += size;
		word += strspn(word, " ");
	}
}

bool cli_operand_kind(const char *operands, size_t n, char kind[CLI_KIND_TEXT])
{
	const char *word = operands == NULL ? "" : operands;
	size_t size = strcspn(word, " ");

	while (n > 0 && word[size] == ' ' && memmem(word, size, "...", 3) == NULL) {
		word += size + 1;
		size = strcspn(word, " ");
		n--;
	}
	kind[0] = '\0';
	if (n > 0 && memmem(word, size, "...", 3) == NULL)
		return false;
	word += strspn(word, "[");
	size = strcspn(word, ".]| ");
	if (size == 0 || size >= CLI_KIND_TEXT)
		return false;
	memcpy(kind, word, size);
	kind[size] = '\0';
	return true;
}

/* Optimal string alignment: insert, delete, replace, swap two neighbours. Long names are far from
 * all. */
size_t cli_distance(const char *left, const char *right)
{
	enum { LONGEST = 48 };
	size_t rows = strlen(left), columns = strlen(right);
	size_t cost[LONGEST + 1][LONGEST + 1];

	if (rows > LONGEST || columns > LONGEST)
		return SIZE_MAX;
	for (size_t i = 0; i <= rows; i++) {
		for (size_t j = 0; j <= columns; j++) {
			if (i == 0 || j == 0) {
				cost[i][j] = i + j;
				continue;
			}
			size_t best = cost[i - 1][j - 1] + (left[i - 1] != right[j - 1]);
			if (cost[i - 1][j] + 1 < best)
				best = cost[i - 1][j] + 1;
			if (cost[i][j - 1] + 1 < best)
				best = cost[i][j - 1] + 1;
			if (i > 1 && j > 1 && left[i - 1] == right[j - 2] &&
				left[i - 2] == right[j - 1] && cost[i - 2][j - 2] + 1 < best)
				best = cost[i - 2][j - 2] + 1;
			cost[i][j] = best;
		}
	}
	return cost[rows][columns];
}

const char *cli_nearest(
	const char *name, const char *(*each)(const void *arg, size_t n), const void *arg)
{
	size_t nearest = strlen(name) / 3 + 1; /* more edits than this is another word */
	const char *found = NULL, *word;

	for (size_t n = 0; (word = each(arg, n)) != NULL; n++) {
		size_t distance = cli_distance(name, word);

		if (distance < nearest || (distance == nearest && found == NULL)) {
			nearest = distance;
			found = word;
		}
	}
	return found;
}

static const char *command_name_at(const void *arg, size_t n)
{
	const cli_command *command = cli_command_at(((const cli_run *)arg)->program, n);

	return command == NULL ? NULL : command->name;
}

static const char *option_name_at(const void *arg, size_t n)
{
	const cli_run *cli = arg;
	const cli_option *option = cli_option_at(cli->program, cli->command, n);

	return option == NULL ? NULL : option->name;
}

static int usage_error(const cli_run *cli, const char *nearest, const char *dashes,
	const char *format, const char *word)
{
	CLI_AUTO_FREE char *message = cli_format("%s '%s'", format, word);
	CLI_AUTO_FREE char *see = cli_format("%s %s%s--help lists what there is",
		cli->program->name, cli->command == NULL ? "" : cli->command->name,
		cli->command == NULL ? "" : " ");
	CLI_AUTO_FREE char *hint =
		nearest == NULL ? cli_format("%s", see)
				: cli_format("did you mean %s%s? %s", dashes, nearest, see);

	return cli_refuse(cli, HN_EINVAL, hint, "%s", message);
}

static bool choice_has(const char *choices, const char *word)
{
	size_t size = strlen(word);

	for (const char *choice = choices; size > 0; choice++) {
		size_t length = strcspn(choice, "|");

		if (length == size && strncmp(choice, word, size) == 0)
			return true;
		choice += length;
		if (*choice == '\0')
			break;
	}
	return false;
}

static bool number_parse(const char *text, uint64_t *number)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*number = strtoumax(text, &end, 10);
	return errno == 0 && *end == '\0';
}

/* The library's own rule for a text in JSON. */
static bool is_utf8(const char *text)
{
	hn_json *json = NULL;
	const char *made;
	int rc = hn_json_new(false, &json, NULL);

	if (rc == 0) {
		hn_json_text(json, NULL, text);
		rc = hn_json_finish(json, &made, NULL, NULL);
	}
	hn_json_free(json);
	return rc != HN_EINVAL;
}

/* Names of files are bytes; what else is said goes into JSON and onto record. */
static bool is_text(const cli_option *option, const char *text)
{
	static const char *const bytes[] = {"FILE", "DIR", "SOCKET"};

	for (size_t i = 0; i < CLI_COUNT(bytes); i++) {
		if (strcmp(option->value, bytes[i]) == 0)
			return true;
	}
	return is_utf8(text);
}

static int value_check(const cli_run *cli, const cli_option *option, const char *text)
{
	hn_error *error = NULL;
	uint64_t number;
	int64_t duration = 0;

	if (!is_text(option, text))
		return cli_refuse(
			cli, HN_EINVAL, NULL, "--%s: '%s' is not UTF-8", option->name, text);
	if (strcmp(option->value, "N") == 0 && !number_parse(text, &number))
		return cli_refuse(cli, HN_EINVAL, "give a whole number, 0 or more",
			"--%s: '%s' is not a number", option->name, text);
	if (strcmp(option->value, "DURATION") == 0 &&
		hn_duration_parse(text, &duration, &error) < 0) {
		CLI_AUTO_FREE char *hint = hn_error_hint(error) == NULL
						   ? NULL
						   : cli_format("%s", hn_error_hint(error));
		CLI_AUTO_FREE char *message = cli_format("%s", hn_error_message(error));

		hn_error_unref(error);
		return cli_refuse(cli, HN_EINVAL, hint, "--%s: %s", option->name, message);
	}
	if (option->above_zero && duration < 1000000000)
		return cli_refuse(cli, HN_EINVAL, "such as 15min, 8h or 30d",
			"--%s: '%s' is less than a second", option->name, text);
	if (strchr(option->value, '|') != NULL && !choice_has(option->value, text))
		return cli_refuse(cli, HN_EINVAL, NULL, "--%s: '%s' is none of %s", option->name,
			text, option->value);
	return 0;
}

static size_t times_given(const cli_run *cli, const cli_option *option)
{
	size_t times = 0;

	for (size_t i = 0; i < cli->given_count; i++)
		times += cli->given[i].option == option;
	return times;
}

/* -h, -o FILE; NULL when it is another word. */
static const cli_option *option_by_letter(const cli_run *cli, const char *word)
{
	const cli_option *option;

	if (strcmp(word, "-h") == 0)
		return cli_option_find(cli, "help", 4);
	for (size_t n = 0; word[1] != '-' && word[2] == '\0' &&
			   (option = cli_option_at(cli->program, cli->command, n)) != NULL;
		n++) {
		if (option->letter == word[1])
			return option;
	}
	return NULL;
}

/* Takes the option at argv[*index], and its value when it is a word of its own. */
static int option_take(cli_run *cli, char **argv, int argc, int *index)
{
	const char *word = argv[*index], *text = NULL;
	const cli_option *option = option_by_letter(cli, word);
	const char *name = option != NULL ? option->name : word + 2;
	size_t size = strcspn(name, "=");
	int status;

	if (option == NULL && word[1] == '-')
		option = cli_option_find(cli, name, size);
	if (option == NULL) {
		CLI_AUTO_FREE char *bare = cli_strndup(name, size);

		return usage_error(
			cli, cli_nearest(bare, option_name_at, cli), "--", "unknown option", word);
	}
	if (option->value == NULL && name[size] == '=')
		return cli_refuse(cli, HN_EINVAL, NULL, "--%s takes no value", option->name);
	if (option->value != NULL) {
		if (name[size] == '=')
			text = name + size + 1;
		else if (*index + 1 < argc)
			text = argv[++*index];
		else
			return cli_refuse(cli, HN_EINVAL, NULL, "--%s needs a value: %s",
				option->name, option->value);
		status = value_check(cli, option, text);
		if (status != 0)
			return status;
		if (!option->many && times_given(cli, option) > 0)
			return cli_refuse(
				cli, HN_EINVAL, NULL, "--%s is given twice", option->name);
	}
	cli->given[cli->given_count++] = (cli_given){.option = option, .text = text};
	return 0;
}

/* "template create, template list": the commands of two words that begin with this one; NULL when
 * there are none. */
static char *commands_below(const cli_program *program, const char *word)
{
	size_t size = strlen(word);
	const cli_command *command;
	char *text = NULL;

	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++) {
		char *longer;

		if (strncmp(command->name, word, size) != 0 || command->name[size] != ' ')
			continue;
		longer = cli_format("%s%s%s", text == NULL ? "" : text, text == NULL ? "" : ", ",
			command->name);
		free(text);
		text = longer;
	}
	return text;
}

int cli_command_unknown(const cli_run *cli, const char *word)
{
	CLI_AUTO_FREE char *below = commands_below(cli->program, word);

	if (below != NULL)
		return cli_refuse(
			cli, HN_EINVAL, below, "'%s' is the first word of several commands", word);
	return usage_error(
		cli, cli_nearest(word, command_name_at, cli), "", "unknown command", word);
}

/* Names of commands may have two words: the longer one is tried first. */
static int command_take(cli_run *cli, char **argv, int argc, int *index)
{
	if (*index + 1 < argc) {
		CLI_AUTO_FREE char *pair = cli_format("%s %s", argv[*index], argv[*index + 1]);

		cli->command = cli_command_find(cli->program, pair);
		if (cli->command != NULL) {
			++*index;
			return 0;
		}
	}
	cli->command = cli_command_find(cli->program, argv[*index]);
	return cli->command == NULL ? cli_command_unknown(cli, argv[*index]) : 0;
}

static int operands_check(const cli_run *cli)
{
	size_t least, most;

	if (cli->command == NULL || cli_flag(cli, "help"))
		return 0;
	cli_operand_bounds(cli->command->operands, &least, &most);
	if (cli->operand_count >= least && cli->operand_count <= most)
		return 0;
	CLI_AUTO_FREE char *hint = cli_format("usage: %s %s %s", cli->program->name,
		cli->command->name, cli->command->operands == NULL ? "" : cli->command->operands);
	if (cli->operand_count < least)
		return cli_refuse(
			cli, HN_EINVAL, hint, "%s: something is missing", cli->command->name);
	return cli_refuse(cli, HN_EINVAL, hint, "%s: '%s' is one word too many", cli->command->name,
		cli->operands[most]);
}

int cli_parse(cli_run *cli, int argc, char **argv)
{
	bool only_operands = false;
	int status;

	cli->given = cli_alloc((size_t)argc * sizeof(*cli->given));
	cli->operands = cli_alloc((size_t)argc * sizeof(*cli->operands));
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		cli->json |= strcmp(argv[i], "--json") == 0;
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		bool dashed = word[0] == '-' && word[1] != '\0' && !only_operands;

		if (dashed && strcmp(word, "--") == 0) {
			only_operands = true;
			continue;
		}
		if (dashed && word[1] != '-' && cli->command != NULL &&
			cli->command->signed_operands)
			dashed = false;
		if (dashed)
			status = option_take(cli, argv, argc, &i);
		else if (cli->command == NULL)
			status = command_take(cli, argv, argc, &i);
		else {
			cli->operands[cli->operand_count++] = word;
			status = 0;
		}
		if (status != 0)
			return status;
	}
	return operands_check(cli);
}

void cli_parsed_free(cli_run *cli)
{
	cli_outputs_free(cli);
	free(cli->given);
	free(cli->operands);
	cli->session = hn_session_unref(cli->session);
	cli->host = hn_host_unref(cli->host);
	cli_secret_free(cli->token);
	cli_secret_free(cli->passphrase);
	cli->given = NULL;
	cli->operands = NULL;
	cli->token = cli->passphrase = NULL;
}
