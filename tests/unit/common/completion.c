/* SPDX-License-Identifier: MIT
 *
 * Completion scripts: bash must accept its own and answer from it; every command and option is in
 * each.
 */
#include "table-of-tests.h"
#include <sys/wait.h>
#include <unistd.h>

static char script[64];

static void make(void)
{
	strcpy(script, "/tmp/hn-completion-XXXXXX");
	close(mkstemp(script));
}

static void unmake(void)
{
	unlink(script);
}

TestSuite(completion, .init = make, .fini = unmake);

static char *made(void (*print)(const cli_program *program))
{
	static char text[65536];
	int saved = dup(STDOUT_FILENO);
	FILE *file;

	fflush(stdout);
	cr_assert_not_null(freopen(script, "w", stdout));
	print(&test_program);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	file = fopen(script, "r");
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void has_everything(const char *text, const char *dashes)
{
	for (const cli_command *command = test_commands; command->name != NULL; command++) {
		CLI_AUTO_FREE char *first = cli_strndup(command->name, strcspn(command->name, " "));

		cr_assert_not_null(strstr(text, first), "%s", first);
		for (const cli_option *option = command->options;
			option != NULL && option->name != NULL; option++) {
			CLI_AUTO_FREE char *name = cli_format("%s%s", dashes, option->name);

			cr_assert_not_null(strstr(text, name), "%s", name);
		}
	}
}

static void bash_says(const char *line, const char *expected)
{
	CLI_AUTO_FREE char *command = cli_format(
		"bash -c 'source %s; words=(%s); COMP_WORDS=(\"${words[@]}\" \"$0\"); COMP_CWORD=${#words[@]}; "
		"_prog; echo \"${COMPREPLY[@]}\"' '%s'",
		script, line, "");
	char answer[1024] = "";
	FILE *pipe = popen(command, "r");

	cr_assert_not_null(pipe);
	cr_assert_not_null(fgets(answer, sizeof(answer), pipe));
	cr_assert_eq(pclose(pipe), 0);
	answer[strcspn(answer, "\n")] = '\0';
	cr_assert_str_eq(answer, expected, "%s: %s", line, answer);
}

Test(completion, bash_script_is_accepted)
{
	CLI_AUTO_FREE char *command = cli_format("bash -n %s", script);

	has_everything(made(cli_completion_bash), "--");
	cr_assert_eq(system(command), 0);
}

Test(completion, bash_gives_commands)
{
	made(cli_completion_bash);
	bash_says("prog", "copy show tag thing help completion");
}

Test(completion, bash_gives_choices)
{
	made(cli_completion_bash);
	bash_says("prog copy a b --mode", "fast slow");
}

Test(completion, bash_gives_second_words)
{
	made(cli_completion_bash);
	bash_says("prog thing", "make");
}

Test(completion, bash_does_not_take_a_value_for_an_operand)
{
	made(cli_completion_bash);
	bash_says("prog --state /s thing", "make");
}

Test(completion, zsh_has_every_command_and_option)
{
	has_everything(made(cli_completion_zsh), "--");
}

Test(completion, fish_has_every_command_and_option)
{
	has_everything(made(cli_completion_fish), "-l ");
}

Test(completion, page_has_every_command_and_option)
{
	has_everything(made(cli_roff), "\\-\\-");
}
