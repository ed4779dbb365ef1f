/* SPDX-License-Identifier: MIT
 *
 * Lines for the journal, and a program of one purpose: its refusals, its help.
 */
#include "base/base-private.h"
#include "table-of-tests.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int run_nothing(cli_run *cli)
{
	return cli_flag(cli, "deep") ? 7 : 0;
}

static const cli_option single_options[] = {
	CLI_FLAG("deep", "look deeper"), CLI_VALUE("config", "FILE", "what to read"), CLI_END};
static const cli_command no_commands[] = {{.name = NULL}};
static const cli_program single = {
	.name = "single",
	.summary = "Does one thing.",
	.options = single_options,
	.commands = no_commands,
	.run = run_nothing,
	.details = "More about it.",
	.examples = "--deep\n",
	.statuses = "0\twell\n3\tnot well\n",
	.refused = 3,
};

/* JOURNAL_STREAM as systemd writes it for this descriptor, plus what is to be wrong. */
static void name_stream(int fd, unsigned device, unsigned inode)
{
	struct stat status;
	char text[64];

	cr_assert_eq(fstat(fd, &status), 0);
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)status.st_dev + device,
		(unsigned long long)status.st_ino + inode);
	setenv("JOURNAL_STREAM", text, 1);
}

Test(journal, the_stream_that_systemd_names)
{
	int ends[2], other[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(pipe(other), 0);
	name_stream(ends[1], 0, 0);
	cr_expect(cli_is_journal(ends[1]));
	cr_expect_not(cli_is_journal(other[1]));
	cr_expect_not(cli_is_journal(-1));
}

Test(journal, device_and_inode_must_both_be_its)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	name_stream(ends[1], 1, 0);
	cr_expect_not(cli_is_journal(ends[1]));
	name_stream(ends[1], 0, 1);
	cr_expect_not(cli_is_journal(ends[1]));
}

Test(journal, without_a_name_there_is_none)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	unsetenv("JOURNAL_STREAM");
	cr_expect_not(cli_is_journal(ends[1]));
	setenv("JOURNAL_STREAM", "", 1);
	cr_expect_not(cli_is_journal(ends[1]));
	setenv("JOURNAL_STREAM", "1:2:3", 1);
	cr_expect_not(cli_is_journal(ends[1]));
}

Test(journal, each_line_has_its_priority)
{
	cr_redirect_stdout();
	cli_lines(stdout, true, 4, "one\ntwo\n");
	cli_lines(stdout, false, 4, "three");
	cli_lines(stdout, true, 6, "");
	cr_assert_stdout_eq_str("<4>one\n<4>two\nthree\n");
}

Test(journal, an_error_is_error_in_every_line)
{
	cli_run cli = {.program = &test_program, .journal_err = true};
	hn_error *error = NULL;

	(void)base_error(&error, HN_EBUSY, "os", "wait", "lock is held\nby somebody");
	cr_redirect_stderr();
	cr_assert_eq(cli_fail(&cli, error), hn_code_exit_status(HN_EBUSY));
	fflush(stderr);
	cr_assert_stderr_eq_str("<3>lock is held\n<3>by somebody\n<3>hint: wait\n");
}

Test(journal, a_refusal_too)
{
	cli_run cli = {.program = &test_program, .journal_err = true};

	cr_redirect_stderr();
	(void)cli_refuse(&cli, HN_EINVAL, "give one", "no file");
	fflush(stderr);
	cr_assert_stderr_eq_str("<3>prog: no file\n<3>hint: give one\n");
}

static int run_single(const char *one, const char *two)
{
	char name[] = "single", first[32] = "", second[32] = "";
	char *arguments[] = {name, first, second, NULL};

	snprintf(first, sizeof(first), "%s", one != NULL ? one : "");
	snprintf(second, sizeof(second), "%s", two != NULL ? two : "");
	return cli_main(&single, two != NULL ? 3 : one != NULL ? 2 : 1, arguments);
}

Test(single, runs_without_a_command)
{
	cr_expect_eq(run_single(NULL, NULL), 0);
	cr_expect_eq(run_single("--deep", NULL), 7);
}

Test(single, every_refusal_has_its_status)
{
	cr_redirect_stderr();
	cr_expect_eq(run_single("--deeep", NULL), 3);
	cr_expect_eq(run_single("word", NULL), 3);
	cr_expect_eq(run_single("--config", NULL), 3);
	cr_expect_eq(run_single("--config=a", "--config=b"), 3);
	fflush(stderr);
}

Test(single, help_says_what_a_command_would)
{
	cr_redirect_stdout();
	cr_expect_eq(run_single("--help", NULL), 0);
	fflush(stdout);
	FILE *file = cr_get_redirected_stdout();
	char text[4096];
	size_t size = fread(text, 1, sizeof(text) - 1, file);

	text[size] = '\0';
	cr_expect_not_null(strstr(text, "usage: single [OPTION...]\n"));
	cr_expect_not_null(strstr(text, "More about it."));
	cr_expect_not_null(strstr(text, "--config FILE"));
	cr_expect_not_null(strstr(text, "  3   not well\n"));
	cr_expect_not_null(strstr(text, "  single --deep\n"));
	cr_expect_null(strstr(text, "COMMAND"));
}

/* What was done counts more than that nobody could read of it. */
Test(single, an_answer_that_cannot_be_written_changes_no_status)
{
	int full = open("/dev/full", O_WRONLY);

	if (full < 0)
		cr_skip("no /dev/full here");
	cr_redirect_stderr();
	fflush(stdout);
	cr_assert_geq(dup2(full, STDOUT_FILENO), 0);
	cr_expect_eq(run_single("--version", NULL), 0);
	clearerr(stdout);
	fflush(stderr);
	cr_assert_stderr_eq_str(
		"single: the answer could not be written: No space left on device\n");
}
