/* SPDX-License-Identifier: MIT
 *
 * A small program's table, for the tests of what all programs share.
 */
#ifndef TABLE_OF_TESTS_H
#define TABLE_OF_TESTS_H

#include "cli.h"
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdlib.h>
#include <string.h>

static int test_nothing(cli_run *cli)
{
	(void)cli;
	return 0;
}

static const cli_option test_options[] = {
	CLI_ENVIRONMENT("state", "DIR", "TEST_STATE", "where"),
	CLI_END,
};
static const cli_option test_copy_options[] = {
	CLI_FLAG("force", "without asking"),
	CLI_VALUE("size", "N", "how much"),
	CLI_VALUE("wait", "DURATION", "how long"),
	CLI_VALUE("mode", "fast|slow", "how"),
	CLI_VALUES("if", "+TAG", "what if"),
	CLI_END,
};
static const cli_option test_tag_options[] = {CLI_FLAG("force", "without asking"), CLI_END};
static const cli_option test_make_options[] = {CLI_FLAG("quick", "at once"), CLI_END};
static const cli_command test_commands[] = {
	{"files", "copy", "FROM TO", "copy a file", "It is read first.", test_copy_options,
		"copy a b\n", test_nothing, false},
	{"files", "show", "UNIT...", "show 'units'", NULL, NULL, NULL, test_nothing, false},
	{"files", "tag", "UNIT +TAG|-TAG...", "tag", NULL, test_tag_options, NULL, test_nothing,
		true},
	{"files", "thing make", "NAME", "make one", NULL, test_make_options, NULL, test_nothing,
		false},
	{"files", "thing drop", "UNIT", "drop one", NULL, NULL, NULL, test_nothing, false},
	{.name = NULL},
};
static const cli_program test_program = {
	.name = "prog",
	.summary = "Does things.",
	.options = test_options,
	.commands = test_commands,
};

#endif
