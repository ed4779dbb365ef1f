/* SPDX-License-Identifier: MIT
 *
 * Completion scripts made from the table. Words that only the host knows (units, keys, tags) are
 * asked from the program when the tab key is pressed: `PROGRAM complete KIND`.
 */
#include "cli.h"
#include <string.h>

/* A name for a shell function. */
static void identifier(const char *name)
{
	for (; *name != '\0'; name++)
		putchar(*name == '-' || *name == ' ' ? '_' : *name);
}

/* Text inside single quotes: what would end the quotes is left out. */
static void quoted(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text != '\'' && *text != '\n')
			putchar(*text);
	}
}

static void bash_words(const cli_option *options)
{
	for (; options != NULL && options->name != NULL; options++)
		printf(" --%s", options->name);
}

static void bash_values(const char *command, const cli_option *options)
{
	for (; options != NULL && options->name != NULL; options++) {
		if (options->value != NULL)
			printf("\t'%s --%s') kind='%s' ;;\n", command, options->name,
				options->value);
	}
}

static void bash_table(const cli_program *program)
{
	const cli_command *command;

	fputs("\tcase \"$command $previous\" in\n", stdout);
	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++)
		bash_values(command->name, command->options);
	fputs("\tesac\n\tcase \"$previous\" in\n", stdout);
	for (const cli_option *option = program->options; option->name != NULL; option++) {
		if (option->value != NULL)
			printf("\t--%s) kind='%s' ;;\n", option->name, option->value);
	}
	for (const cli_option *option = cli_common_options; option->name != NULL; option++) {
		if (option->value != NULL)
			printf("\t--%s) kind='%s' ;;\n", option->name, option->value);
	}
	fputs("\tesac\n\tcase \"$command\" in\n", stdout);
	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++) {
		if (command->group == NULL)
			continue;
		printf("\t'%s') operands='%s' options='", command->name,
			command->operands == NULL ? "" : command->operands);
		bash_words(command->options);
		fputs("' ;;\n", stdout);
	}
	fputs("\tesac\n\toptions+='", stdout);
	bash_words(program->options);
	bash_words(cli_common_options);
	fputs("'\n", stdout);
}

static void bash_valued(const cli_option *options)
{
	for (; options != NULL && options->name != NULL; options++) {
		if (options->value != NULL)
			printf("--%s|", options->name);
	}
}

static void bash_commands(const cli_program *program)
{
	const cli_command *command;

	fputs("\tvalued='", stdout);
	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++)
		bash_valued(command->options);
	bash_valued(program->options);
	bash_valued(cli_common_options);
	fputs("'\n", stdout);
	fputs("\tcommands='", stdout);
	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++) {
		if (command->group != NULL)
			printf("%s%s", n == 0 ? "" : "|", command->name);
	}
	fputs("'\n", stdout);
}

/* The part that does not depend on the table: which command, which word of it, and the answer. Bash
 * takes --name=value for three words. */
static const char bash_find[] =
	"\tlocal word last='' count=0 line=()\n"
	"\tfor word in \"${COMP_WORDS[@]:0:COMP_CWORD}\"; do\n"
	"\t\tif [[ $word != = ]]; then line+=(\"$word\"); fi\n"
	"\tdone\n"
	"\tif [[ $current == = ]]; then current=''; fi\n"
	"\tprevious=${line[-1]}\n"
	"\tfor word in \"${line[@]:1}\"; do\n"
	"\t\tif [[ $word == --* || -n $last && \"|$valued\" == *\"|$last|\"* ]]; then last=$word; continue; fi\n"
	"\t\tlast=$word\n"
	"\t\tif [[ -z $first ]]; then first=$word command=$word\n"
	"\t\telif ((count == 0)) && [[ \"|$commands|\" == *\"|$first $word|\"* ]]; then command=\"$first $word\"\n"
	"\t\telse count=$((count + 1)); fi\n"
	"\tdone\n";
static const char bash_answer[] =
	"\tif [[ -z $kind && $current != -* && -n $first ]]; then\n"
	"\t\tread -ra words <<<\"$operands\"\n"
	"\t\tif ((count >= ${#words[@]} && ${#words[@]} > 0)); then\n"
	"\t\t\tif [[ ${words[-1]} == *...* ]]; then count=$((${#words[@]} - 1)); fi\n"
	"\t\tfi\n"
	"\t\tkind=${words[count]}\n"
	"\t\tkind=${kind#[}; kind=${kind%]}; kind=${kind%...}; kind=${kind%%|-*}\n"
	"\tfi\n"
	"\tif [[ -z $kind && -z $first && $current != -* ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(sed 's/ [^|]*//g; s/|/ /g' <<<\"$commands\")\" -- \"$current\")\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tif [[ -z $kind && -n $first && $first == \"$command\" && $count == 0 && $commands == *\"|$first \"* ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(tr '|' '\\n' <<<\"$commands\" | sed -n \"s/^$first //p\")\" -- \"$current\")\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tcase \"$kind\" in\n"
	"\t'') mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\") ;;\n"
	"\tFILE) mapfile -t COMPREPLY < <(compgen -f -- \"$current\") ;;\n"
	"\tDIR) mapfile -t COMPREPLY < <(compgen -d -- \"$current\") ;;\n"
	"\t*\\|*) mapfile -t COMPREPLY < <(compgen -W \"${kind//|/ }\" -- \"$current\") ;;\n"
	"\t*) mapfile -t COMPREPLY < <(compgen -W \"$(\"${COMP_WORDS[0]}\" complete \"$kind\" 2>/dev/null)\" -- \"$current\") ;;\n"
	"\tesac\n";

void cli_completion_bash(const cli_program *program)
{
	printf("# bash completion for %s; made by: %s completion bash\n_", program->name,
		program->name);
	identifier(program->name);
	fputs("()\n{\n"
	      "\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=''\n"
	      "\tlocal first='' command='' kind='' operands='' options='' commands valued words\n",
		stdout);
	bash_commands(program);
	fputs(bash_find, stdout);
	bash_table(program);
	fputs(bash_answer, stdout);
	fputs("}\ncomplete -o filenames -F _", stdout);
	identifier(program->name);
	printf(" %s\n", program->name);
}

static void zsh_kind(const cli_program *program, const char *kind)
{
	if (strcmp(kind, "FILE") == 0)
		fputs("_files", stdout);
	else if (strcmp(kind, "DIR") == 0)
		fputs("_files -/", stdout);
	else if (strchr(kind, '|') != NULL) {
		putchar('(');
		for (const char *at = kind; *at != '\0'; at++)
			putchar(*at == '|' ? ' ' : *at);
		putchar(')');
	} else {
		printf("{compadd -- ${(f)\"$(%s complete %s 2>/dev/null)\"}}", program->name, kind);
	}
}

static void zsh_options(const cli_program *program, const cli_option *options)
{
	for (; options != NULL && options->name != NULL; options++) {
		printf(" \\\n\t\t'%s--%s[", options->many ? "*" : "", options->name);
		for (const char *at = options->help; *at != '\0'; at++) {
			if (*at == '[' || *at == ']' || *at == ':')
				putchar('\\');
			if (*at != '\'')
				putchar(*at);
		}
		putchar(']');
		if (options->value != NULL) {
			fputs(":value:", stdout);
			zsh_kind(program, options->value);
		}
		putchar('\'');
	}
}

static void zsh_operands(const cli_program *program, const char *operands)
{
	size_t least, most;
	char kind[CLI_KIND_TEXT];

	cli_operand_bounds(operands, &least, &most);
	for (size_t n = 0; n < 8 && cli_operand_kind(operands, n, kind); n++) {
		bool last = most == SIZE_MAX && (n >= least || n + 1 == least);

		if (last)
			printf(" \\\n\t\t'*:%s:", kind);
		else
			printf(" \\\n\t\t'%zu:%s:", n + 1, kind);
		zsh_kind(program, kind);
		putchar('\'');
		if (last)
			return;
	}
}

/* "template create", "template list" ...: the n-th command is the first of its first word. */
static bool begins_pair(const cli_program *program, size_t n)
{
	const cli_command *command = cli_command_at(program, n);
	size_t size = strcspn(command->name, " ");

	if (command->name[size] == '\0')
		return false;
	return n == 0 ||
	       strncmp(cli_command_at(program, n - 1)->name, command->name, size + 1) != 0;
}

static void second_words(const cli_program *program, const char *pair)
{
	const cli_command *command;
	size_t size = strcspn(pair, " ") + 1;

	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++) {
		if (strncmp(command->name, pair, size) == 0)
			printf("%s%s", command->name == pair ? "" : " ", command->name + size);
	}
}

static void zsh_commands(const cli_program *program)
{
	const cli_command *command;

	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++) {
		size_t size = strcspn(command->name, " ");

		if (command->group == NULL ||
			(command->name[size] == ' ' && !begins_pair(program, n)))
			continue;
		printf("\n\t\t'%.*s:", (int)size, command->name);
		if (command->name[size] == ' ')
			second_words(program, command->name);
		else
			quoted(command->summary);
		putchar('\'');
	}
}

/* The cases of commands of two words see the words behind them: zsh has shifted the first away. */
static void zsh_pairs(const cli_program *program)
{
	const cli_command *command;

	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++) {
		if (strchr(command->name, ' ') != NULL && command->group != NULL)
			printf("\t\tif (( CURRENT > 2 )) && [[ \"$words[1] $words[2]\" == '%s' ]]; then\n"
			       "\t\t\tcommand='%s'; shift words; (( CURRENT-- ))\n\t\tfi\n",
				command->name, command->name);
	}
}

static void zsh_cases(const cli_program *program)
{
	const cli_command *command;

	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++) {
		size_t size = strcspn(command->name, " ");

		if (command->group == NULL)
			continue;
		if (begins_pair(program, n)) {
			printf("\t\t%.*s) _arguments $common '1:command:(", (int)size,
				command->name);
			second_words(program, command->name);
			fputs(")' ;;\n", stdout);
		}
		printf("\t\t'%s') _arguments $common", command->name);
		zsh_options(program, command->options);
		zsh_operands(program, command->operands);
		fputs(" ;;\n", stdout);
	}
}

void cli_completion_zsh(const cli_program *program)
{
	printf("#compdef %s\n# made by: %s completion zsh\n_", program->name, program->name);
	identifier(program->name);
	fputs("()\n{\n\tlocal state line curcontext=$curcontext\n\tlocal -A opt_args\n\tlocal -a commands=(",
		stdout);
	zsh_commands(program);
	fputs(")\n\tlocal -a common=(", stdout);
	zsh_options(program, program->options);
	zsh_options(program, cli_common_options);
	fputs(")\n\t_arguments -C $common \\\n\t\t'1:command:->command' '*::operand:->operands'\n"
	      "\tif [[ $state == command ]]; then\n\t\t_describe command commands\n"
	      "\telif [[ $state == operands ]]; then\n\t\tlocal command=$words[1]\n",
		stdout);
	zsh_pairs(program);
	fputs("\t\tcase $command in\n", stdout);
	zsh_cases(program);
	fputs("\t\tesac\n\tfi\n}\n_", stdout);
	identifier(program->name);
	fputs(" \"$@\"\n", stdout);
}

static void fish_value(const cli_program *program, const char *kind)
{
	if (strcmp(kind, "FILE") == 0)
		fputs(" -r -F", stdout);
	else if (strcmp(kind, "DIR") == 0)
		fputs(" -x -a '(__fish_complete_directories)'", stdout);
	else if (strchr(kind, '|') != NULL) {
		fputs(" -x -a '", stdout);
		for (const char *at = kind; *at != '\0'; at++)
			putchar(*at == '|' ? ' ' : *at);
		putchar('\'');
	} else {
		printf(" -x -a '(%s complete %s 2>/dev/null)'", program->name, kind);
	}
}

static void fish_options(
	const cli_program *program, const char *condition, const cli_option *options)
{
	for (; options != NULL && options->name != NULL; options++) {
		printf("complete -c %s%s -l %s -d '", program->name, condition, options->name);
		quoted(options->help);
		putchar('\'');
		if (options->value != NULL)
			fish_value(program, options->value);
		putchar('\n');
	}
}

static void fish_command(const cli_program *program, const cli_command *command, bool begins)
{
	size_t size = strcspn(command->name, " ");
	CLI_AUTO_FREE char *condition =
		cli_format(" -n '__fish_seen_subcommand_from %.*s'", (int)size, command->name);
	char kind[CLI_KIND_TEXT];

	if (command->name[size] == '\0' || begins) {
		printf("complete -c %s -n __fish_use_subcommand -a %.*s -d '", program->name,
			(int)size, command->name);
		if (begins)
			second_words(program, command->name);
		else
			quoted(command->summary);
		fputs("'\n", stdout);
	}
	fish_options(program, condition, command->options);
	if (command->name[size] == ' ') {
		printf("complete -c %s%s -a %s -d '", program->name, condition,
			command->name + size + 1);
		quoted(command->summary);
		fputs("'\n", stdout);
		return;
	}
	for (size_t i = 0; i < 4 && cli_operand_kind(command->operands, i, kind); i++) {
		printf("complete -c %s%s", program->name, condition);
		fish_value(program, kind);
		putchar('\n');
	}
}

void cli_completion_fish(const cli_program *program)
{
	const cli_command *command;

	printf("# fish completion for %s; made by: %s completion fish\ncomplete -c %s -f\n",
		program->name, program->name, program->name);
	fish_options(program, "", program->options);
	fish_options(program, "", cli_common_options);
	for (size_t n = 0; (command = cli_command_at(program, n)) != NULL; n++) {
		if (command->group != NULL)
			fish_command(program, command, begins_pair(program, n));
	}
}
