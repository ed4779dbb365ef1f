/* SPDX-License-Identifier: MIT
 *
 * Tables: alignment, gaps, and what is left out at the end of a line.
 */
#include "table-of-tests.h"
#include <fcntl.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void utf8(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
}

TestSuite(table, .init = utf8);

static void printed_is(cli_table *table, const char *expected)
{
	cli_run cli = {.program = &test_program};

	cr_redirect_stdout();
	cli_table_print(&cli, table);
	fflush(stdout);
	cr_assert_stdout_eq_str(expected);
}

Test(table, columns_are_as_wide_as_the_widest_cell)
{
	static const cli_column columns[] = {
		{.title = "NAME"}, {.title = "CU", .right = true}, {.title = "TAGS"}};
	cli_table *table = cli_table_new(columns, 3, 0);
	const char *cells[] = {"web-server", "5", "a b", "db", "400", NULL};

	for (size_t i = 0; i < CLI_COUNT(cells); i++)
		cli_table_cell(table, cells[i]);
	printed_is(table, "NAME         CU  TAGS\n"
			  "web-server    5  a b\n"
			  "db          400\n");
}

Test(table, gaps_and_indent)
{
	static const cli_column columns[] = {{.title = NULL}, {.gap = 1}, {.gap = 3}};
	cli_table *table = cli_table_new(columns, 3, 2);

	cli_table_cell(table, "a");
	cli_table_cell(table, "b");
	cli_table_cell(table, "c");
	printed_is(table, "  a b   c\n");
}

Test(table, wide_characters_count_their_columns)
{
	static const cli_column columns[] = {{.title = NULL}, {.gap = 1}};
	cli_table *table = cli_table_new(columns, 2, 0);

	cli_table_cell(table, "日本");
	cli_table_cell(table, "x");
	cli_table_cell(table, "ab");
	cli_table_cell(table, "y");
	printed_is(table, "日本 x\nab   y\n");
}

Test(table, cells_cannot_break_out)
{
	static const cli_column columns[] = {{.title = NULL}, {.gap = 1}};
	cli_table *table = cli_table_new(columns, 2, 0);

	cli_table_cell(table, "a\nb");
	cli_table_cell(table, "\033[2J");
	printed_is(table, "a\\x0ab \\x1b[2J\n");
}

Test(table, row_that_was_not_finished)
{
	static const cli_column columns[] = {{.title = NULL}, {.gap = 1}, {.gap = 1}};
	cli_table *table = cli_table_new(columns, 3, 0);

	cli_table_cell(table, "a");
	printed_is(table, "a\n");
}

Test(table, empty_table_prints_nothing)
{
	static const cli_column columns[] = {{.title = NULL}, {.gap = 1}};

	printed_is(cli_table_new(columns, 2, 0), "");
}

Test(table, no_columns_are_cut_without_a_terminal)
{
	static const cli_column columns[] = {{.title = NULL, .shrink = true}};
	cli_table *table = cli_table_new(columns, 1, 0);
	char text[401];

	memset(text, 'x', 400);
	text[400] = '\0';
	cli_table_cell(table, text);
	memcpy(text + 399, "x\n", 2);
	char expected[402];

	memset(expected, 'x', 400);
	strcpy(expected + 400, "\n");
	printed_is(table, expected);
}

/* On a terminal of 30 columns only the column that may shrink does. */
Test(table, cut_to_the_terminal)
{
	static const cli_column columns[] = {{.title = NULL}, {.shrink = true}, {.gap = 2}};
	cli_run cli = {.program = &test_program};
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave, saved = dup(STDOUT_FILENO);
	struct winsize size = {.ws_row = 24, .ws_col = 30};
	char text[256];
	cli_table *table = cli_table_new(columns, 3, 0);

	cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	cr_assert(slave >= 0 && ioctl(slave, TIOCSWINSZ, &size) == 0);
	cli_table_cell(table, "a-name-of-17-byte");
	cli_table_cell(table, "a long text that is cut");
	cli_table_cell(table, "z");
	fflush(stdout);
	dup2(slave, STDOUT_FILENO);
	cli_table_print(&cli, table);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	ssize_t got = read(master, text, sizeof(text) - 1);

	cr_assert(got > 0);
	text[got] = '\0';
	cr_assert_str_eq(text, "a-name-of-17-byte  a long …  z\r\n");
	close(slave);
	close(master);
	close(saved);
}
