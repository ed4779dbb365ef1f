/* SPDX-License-Identifier: MIT
 *
 * Completion scripts: the shells accept them and answer from them; every command and option is in
 * each. A shell that is not here is skipped.
 */
#include "table-of-tests.h"
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], script[96];

static void make(void)
{
	strcpy(folder, "/tmp/hn-completion-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	(void)snprintf(script, sizeof(script), "%s/_prog", folder);
}

static void unmake(void)
{
	CLI_AUTO_FREE char *program = cli_format("%s/prog", folder);

	unlink(program);
	unlink(script);
	rmdir(folder);
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

/* A program beside the script that gives the words for a kind, as the real one does. */
static void make_program(void)
{
	CLI_AUTO_FREE char *path = cli_format("%s/prog", folder);
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	fputs("#!/bin/sh\n"
	      "[ \"$1 $2\" = 'complete UNIT' ] && echo web-1 && echo db-1\n"
	      "[ \"$1 $2\" = 'complete +TAG' ] && echo +quiet && echo +loud\n",
		file);
	fclose(file);
	cr_assert_eq(chmod(path, 0755), 0);
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

static void need(const char *shell)
{
	CLI_AUTO_FREE char *command = cli_format("command -v %s >/dev/null", shell);

	if (system(command) != 0)
		cr_skip_test("no %s here", shell);
}

/* The words that a shell command prints, sorted, in one line. */
static void says(const char *command, const char *line, const char *expected)
{
	CLI_AUTO_FREE char *sorted =
		cli_format("cd %s && PATH=%s:$PATH %s | LC_ALL=C sort -u | paste -sd' '", folder,
			folder, command);
	char answer[1024] = "";
	FILE *pipe = popen(sorted, "r");

	cr_assert_not_null(pipe);
	cr_assert_not_null(fgets(answer, sizeof(answer), pipe));
	cr_assert_eq(pclose(pipe), 0);
	answer[strcspn(answer, "\n")] = '\0';
	cr_assert_str_eq(answer, expected, "%s: %s", line, answer);
}

/* Asks the function that the script registered, as bash does when the tab key is pressed. The line
 * is written as words of a shell; the last is the one under the cursor. */
static void bash_says(const char *line, const char *expected)
{
	CLI_AUTO_FREE char *command = cli_format(
		"bash --norc -c 'source ./_prog; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); "
		"fn=$(complete -p prog); fn=${fn##*-F }; ${fn%%%% *}; printf \"%%s\\n\" \"${COMPREPLY[@]}\"'",
		line);

	need("bash");
	made(cli_completion_bash);
	make_program();
	says(command, line, expected);
}

static void fish_says(const char *line, const char *expected)
{
	CLI_AUTO_FREE char *command = cli_format(
		"HOME=%s fish --no-config -c 'source ./_prog; complete -C \"%s\"' | cut -f1",
		folder, line);

	need("fish");
	made(cli_completion_fish);
	make_program();
	says(command, line, expected);
}

static void zsh_says(const char *line, const char *expected)
{
	CLI_AUTO_FREE char *command = cli_format(
		"HOME=%s timeout 60 zsh -f " ZSH_COMPLETE " %s \"%s\"", folder, folder, line);

	need("zsh");
	made(cli_completion_zsh);
	make_program();
	says(command, line, expected);
}

Test(completion, bash_script_is_accepted)
{
	CLI_AUTO_FREE char *command = cli_format("bash -n %s", script);

	need("bash");
	has_everything(made(cli_completion_bash), "--");
	cr_assert_eq(system(command), 0);
}

Test(completion, bash_gives_commands)
{
	bash_says("prog \"\"", "completion copy help show tag thing");
	bash_says("prog co", "completion copy");
}

Test(completion, bash_gives_options)
{
	bash_says("prog copy --s", "--size --state");
}

Test(completion, bash_gives_choices)
{
	bash_says("prog copy a b --mode \"\"", "fast slow");
}

Test(completion, bash_gives_values_before_the_command)
{
	bash_says("prog --color \"\"", "always auto never");
}

Test(completion, bash_gives_choices_behind_an_equals_sign)
{
	bash_says("prog copy --mode =", "fast slow");
	bash_says("prog copy --mode = f", "fast");
}

Test(completion, bash_gives_second_words)
{
	bash_says("prog thing \"\"", "drop make");
}

Test(completion, bash_does_not_take_a_value_for_an_operand)
{
	bash_says("prog --state /s thing \"\"", "drop make");
	bash_says("prog --state = /s thing \"\"", "drop make");
	bash_says("prog --state show thing \"\"", "drop make");
}

Test(completion, bash_asks_the_program)
{
	bash_says("prog show \"\"", "db-1 web-1");
	bash_says("prog show web-1 d", "db-1");
	bash_says("prog tag web-1 \"\"", "+loud +quiet");
	bash_says("prog copy --if +q", "+quiet");
}

Test(completion, fish_gives_commands)
{
	fish_says("prog co", "completion copy");
}

Test(completion, fish_gives_choices)
{
	fish_says("prog copy a b --mode ", "fast slow");
	fish_says("prog copy --mode=f", "--mode=fast");
}

Test(completion, fish_gives_second_words)
{
	fish_says("prog thing m", "make");
}

Test(completion, fish_asks_the_program)
{
	fish_says("prog show w", "web-1");
}

Test(completion, fish_script_is_accepted)
{
	CLI_AUTO_FREE char *command = cli_format("HOME=%s fish -n %s", folder, script);

	need("fish");
	has_everything(made(cli_completion_fish), "-l ");
	cr_assert_eq(system(command), 0);
}

Test(completion, zsh_script_is_accepted)
{
	CLI_AUTO_FREE char *command = cli_format("zsh -n %s", script);

	need("zsh");
	has_everything(made(cli_completion_zsh), "--");
	cr_assert_eq(system(command), 0);
}

Test(completion, zsh_gives_commands)
{
	zsh_says("prog ", "completion copy help show tag thing");
}

Test(completion, zsh_gives_options)
{
	zsh_says("prog copy --s", "--size --state");
	zsh_says("prog thing make web --q", "--quick --quiet");
}

Test(completion, zsh_gives_choices)
{
	zsh_says("prog copy a b --mode ", "fast slow");
}

Test(completion, zsh_gives_second_words)
{
	zsh_says("prog thing ", "drop make");
}

Test(completion, zsh_asks_the_program)
{
	zsh_says("prog show w", "web-1");
	zsh_says("prog thing drop ", "db-1 web-1");
}

Test(completion, page_has_every_command_and_option)
{
	has_everything(made(cli_roff), "\\-\\-");
}
