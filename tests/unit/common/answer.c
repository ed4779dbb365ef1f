/* SPDX-License-Identifier: MIT
 *
 * Answers: errors as text and JSON, help from the table, progress, the frame of a program.
 */
#include "base/base-private.h"
#include "table-of-tests.h"
#include <unistd.h>

static hn_error *sample(void)
{
	hn_error *error = NULL;

	(void)base_error(&error, HN_EBUSY, "os", NULL, "lock is held");
	base_error_fact_number(&error, "pid", 42);
	base_error_fact(&error, "program", "virsh\033[2J");
	(void)base_error_wrap(&error, HN_EBUSY, "host", "cannot open the host");
	base_error_hint(&error, "wait with --lock-wait %s", "30s");
	return error;
}

Test(answer, error_with_hint_cause_and_facts)
{
	cli_run cli = {.program = &test_program};

	cr_redirect_stderr();
	cr_assert_eq(cli_fail(&cli, sample()), hn_code_exit_status(HN_EBUSY));
	fflush(stderr);
	cr_assert_stderr_eq_str("prog: cannot open the host\n"
				"hint: wait with --lock-wait 30s\n"
				"because: lock is held\n"
				"  (pid = 42, program = virsh?[2J)\n");
}

/* Half of what was asked for was done, and stays. */
Test(answer, error_behind_something_that_is_stored)
{
	cli_run cli = {.program = &test_program};

	cr_redirect_stderr();
	cr_assert_eq(cli_fail_stored(&cli, sample(), "web-1"), hn_code_exit_status(HN_EBUSY));
	fflush(stderr);
	cr_assert_stderr_eq_str("prog: cannot open the host\n"
				"hint: wait with --lock-wait 30s\n"
				"because: lock is held\n"
				"  (pid = 42, program = virsh?[2J)\n"
				"stored: what was said of web-1, and not yet real; to try again: "
				"prog apply --unit web-1\n");
}

Test(answer, error_behind_something_that_is_stored_as_json)
{
	cli_run cli = {.program = &test_program, .json = true};
	char line[4096];

	cr_redirect_stderr();
	cr_assert_eq(cli_fail_stored(&cli, sample(), "web-1"), hn_code_exit_status(HN_EBUSY));
	fflush(stderr);
	cr_assert_not_null(fgets(line, sizeof(line), cr_get_redirected_stderr()));
	cr_assert_not_null(strstr(line, "{\"error\":{\"code\":\"HN_EBUSY\""));
	cr_assert_not_null(strstr(line, "}},\"stored\":\"web-1\"}\n"), "%s", line);
}

Test(answer, failure_without_an_error_is_no_success)
{
	cli_run cli = {.program = &test_program};

	cr_redirect_stderr();
	cr_assert_eq(cli_fail(&cli, NULL), hn_code_exit_status(HN_EINTERNAL));
	fflush(stderr);
	cr_assert_stderr_eq_str("prog: internal error\n");
}

Test(answer, error_as_json_is_one_line)
{
	cli_run cli = {.program = &test_program, .json = true};

	cr_redirect_stderr();
	cr_assert_eq(cli_fail(&cli, sample()), 7);
	fflush(stderr);
	FILE *file = cr_get_redirected_stderr();
	char line[4096];

	cr_assert_not_null(fgets(line, sizeof(line), file));
	cr_assert_not_null(strstr(line, "{\"error\":{\"code\":\"HN_EBUSY\""));
	cr_assert_not_null(strstr(line, "\"pid\""));
	cr_assert_not_null(strstr(line, "lock is held"));
	cr_assert_null(strchr(line, '\033'));
	cr_assert_null(fgets(line, sizeof(line), file));
}

Test(answer, error_of_several_lines_stands_alone)
{
	cli_run cli = {.program = &test_program};
	hn_error *error = NULL;

	(void)base_error(&error, HN_ECONFLICT, "tags", "ways out: one | two", "conflict\n  a\n  b");
	cr_redirect_stderr();
	cr_assert_eq(cli_fail(&cli, error), 5);
	fflush(stderr);
	cr_assert_stderr_eq_str("conflict\n  a\n  b\nways out: one | two\n");
}

Test(answer, facts_that_the_message_says_are_not_said_again)
{
	cli_run cli = {.program = &test_program};
	hn_error *error = NULL;

	(void)base_error(&error, HN_ESCHEMA, "tags", NULL, "web99x.json:3:7: unknown key");
	base_error_fact(&error, "file", "web99x.json");
	base_error_fact_number(&error, "line", 3);
	base_error_fact_number(&error, "size", 99);
	base_error_fact_number(&error, "since", INT64_C(1700000000000000000));
	cr_redirect_stderr();
	cr_assert_eq(cli_fail(&cli, error), 6);
	fflush(stderr);
	cr_assert_stderr_eq_str("prog: web99x.json:3:7: unknown key\n"
				"  (size = 99, since = 2023-11-14T22:13:20Z)\n");
}

Test(answer, colour_of_errors)
{
	cli_run cli = {.program = &test_program, .color_err = true};

	cr_redirect_stderr();
	cr_assert_eq(cli_refuse(&cli, HN_ENOENT, NULL, "no %s", "way"), 4);
	fflush(stderr);
	cr_assert_stderr_eq_str("\033[31mprog:\033[0m no way\n");
}

Test(answer, progress_without_a_terminal_is_a_line_a_phase)
{
	cli_run cli = {.program = &test_program};
	cli_progress progress = {.cli = &cli};

	cr_redirect_stderr();
	cli_progress_step(&progress, 0, 3, "steps", "define web");
	cli_progress_step(&progress, 1, 3, "steps", "define web");
	cli_progress_step(&progress, 2, 3, "steps", "start web");
	cli_progress_end(&progress);
	fflush(stderr);
	cr_assert_stderr_eq_str("0/3 steps: define web\n2/3 steps: start web\n");
}

Test(answer, progress_is_silent_when_quiet_or_json)
{
	cli_run quiet = {.program = &test_program, .quiet = true};
	cli_run json = {.program = &test_program, .json = true};
	cli_progress one = {.cli = &quiet}, two = {.cli = &json};

	cr_redirect_stderr();
	cli_progress_step(&one, 0, 3, "steps", "x");
	cli_progress_step(&two, 0, 3, "steps", "x");
	fflush(stderr);
	cr_assert_stderr_eq_str("");
}

/* Words up to NULL, after the program's own name. */
static int run_main(const char *first, const char *second)
{
	char words[3][16] = {"prog"}, *argv[4] = {words[0]};
	int argc = 1;

	for (const char *word = first; word != NULL && argc < 3; word = argc == 2 ? second : NULL) {
		snprintf(words[argc], sizeof(words[argc]), "%s", word);
		argv[argc] = words[argc];
		argc++;
	}
	return cli_main(&test_program, argc, argv);
}

static void main_prints(const char *word, int status, const char *expected)
{
	cr_redirect_stdout();
	cr_assert_eq(run_main(word, NULL), status);
	fflush(stdout);
	cr_assert_stdout_eq_str(expected);
}

Test(answer, version)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "prog %s\n", hn_version());
	main_prints("--version", 0, expected);
}

Test(answer, help_of_a_command_has_options_and_examples)
{
	cr_redirect_stdout();
	cr_assert_eq(run_main("copy", "--help"), 0);
	fflush(stdout);
	FILE *file = cr_get_redirected_stdout();
	char text[8192];
	size_t size = fread(text, 1, sizeof(text) - 1, file);

	text[size] = '\0';
	cr_assert_eq(strncmp(text, "usage: prog copy FROM TO [OPTION...]\n\ncopy a file\n", 50), 0,
		"%s", text);
	cr_assert_not_null(strstr(text, "It is read first."));
	cr_assert_not_null(strstr(text, "  --mode fast|slow        how\n"));
	cr_assert_not_null(strstr(text, "what if; may be given again"));
	cr_assert_not_null(strstr(text, "where (environment: TEST_STATE)"));
	cr_assert_not_null(strstr(text, "examples:\n  prog copy a b\n"));
}

Test(answer, no_command)
{
	cr_redirect_stderr();
	main_prints(NULL, 64, "");
	fflush(stderr);
	cr_assert_stderr_eq_str(
		"prog: a command is missing\nhint: prog --help lists the commands\n");
}

/* A full disk under the answer is no success. */
Test(answer, full_disk)
{
	cr_redirect_stderr();
	cr_assert_not_null(freopen("/dev/full", "w", stdout));
	cr_assert_eq(run_main("--help", NULL), hn_code_exit_status(HN_EIO));
}

Test(answer, nobody_to_ask)
{
	static const cli_option options[] = {CLI_FLAG("yes", "do not ask"), CLI_END};
	static const cli_command command = {.name = "rm", .options = options};
	cli_run cli = {.program = &test_program, .command = &command};

	cr_redirect_stderr();
	cr_assert_not_null(freopen("/dev/null", "r", stdin));
	cr_assert_eq(cli_confirm(&cli, "Sure?"), hn_code_exit_status(HN_EDENIED));
	cli_given given = {.option = &options[0]};

	cli.given = &given;
	cli.given_count = 1;
	cr_assert_eq(cli_confirm(&cli, "Sure?"), 0);
}
