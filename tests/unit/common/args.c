/* SPDX-License-Identifier: MIT
 *
 * The command line: what is taken apart, what is refused, and with which words.
 */
#include "table-of-tests.h"

static int parse(cli_run *cli, const char *line)
{
	static char words[32][128];
	static char *argv[32];
	int argc = 1, used;

	strcpy(words[0], "prog");
	argv[0] = words[0];
	while (argc < 32 && sscanf(line, "%127s%n", words[argc], &used) == 1) {
		argv[argc] = words[argc];
		line += used;
		argc++;
	}
	*cli = (cli_run){.program = &test_program};
	return cli_parse(cli, argc, argv);
}

static void refused(const char *line, const char *message)
{
	cli_run cli;

	cr_redirect_stderr();
	cr_assert_eq(parse(&cli, line), hn_code_exit_status(HN_EINVAL), "%s", line);
	cli_parsed_free(&cli);
	fflush(stderr);
	cr_assert_stderr_eq_str(message);
}

Test(args, command_operands_options_in_any_order)
{
	cli_run cli;

	cr_assert_eq(parse(&cli, "--state /s copy a --force b --size=7"), 0);
	cr_assert_str_eq(cli.command->name, "copy");
	cr_assert_eq(cli.operand_count, 2);
	cr_assert_str_eq(cli_operand(&cli, 0), "a");
	cr_assert_str_eq(cli_operand(&cli, 1), "b");
	cr_assert_null(cli_operand(&cli, 2));
	cr_assert(cli_flag(&cli, "force"));
	cr_assert_not(cli_flag(&cli, "json"));
	cr_assert_eq(cli_number(&cli, "size", 1), 7);
	cr_assert_str_eq(cli_text(&cli, "state"), "/s");
	cli_parsed_free(&cli);
}

Test(args, what_is_not_given_has_its_default)
{
	cli_run cli;

	unsetenv("TEST_STATE");
	cr_assert_eq(parse(&cli, "copy a b"), 0);
	cr_assert_eq(cli_number(&cli, "size", 42), 42);
	cr_assert_eq(cli_duration(&cli, "wait", -1), -1);
	cr_assert_null(cli_text(&cli, "state"));
	cr_assert_null(cli_text_at(&cli, "if", 0));
	cli_parsed_free(&cli);
}

Test(args, environment_stands_in)
{
	cli_run cli;

	setenv("TEST_STATE", "/from/environment", 1);
	cr_assert_eq(parse(&cli, "copy a b"), 0);
	cr_assert_str_eq(cli_text(&cli, "state"), "/from/environment");
	cli_parsed_free(&cli);
	cr_assert_eq(parse(&cli, "copy a b --state /given"), 0);
	cr_assert_str_eq(cli_text(&cli, "state"), "/given");
	cli_parsed_free(&cli);
	setenv("TEST_STATE", "", 1);
	cr_assert_eq(parse(&cli, "copy a b"), 0);
	cr_assert_null(cli_text(&cli, "state"));
	cli_parsed_free(&cli);
}

Test(args, option_given_again)
{
	cli_run cli;

	cr_assert_eq(parse(&cli, "copy a b --if +x --if -y --if +z"), 0);
	cr_assert_str_eq(cli_text_at(&cli, "if", 0), "+x");
	cr_assert_str_eq(cli_text_at(&cli, "if", 1), "-y");
	cr_assert_str_eq(cli_text_at(&cli, "if", 2), "+z");
	cr_assert_null(cli_text_at(&cli, "if", 3));
	cli_parsed_free(&cli);
	refused("copy a b --size 1 --size 2", "prog: --size is given twice\n");
}

Test(args, durations_and_choices_are_checked)
{
	cli_run cli;

	cr_assert_eq(parse(&cli, "copy a b --wait 1500ms --mode slow"), 0);
	cr_assert_eq(cli_duration(&cli, "wait", 0), INT64_C(1500000000));
	cr_assert_str_eq(cli_text(&cli, "mode"), "slow");
	cli_parsed_free(&cli);
	refused("copy a b --mode slo", "prog: --mode: 'slo' is none of fast|slow\n");
}

Test(args, part_of_a_choice_is_no_choice)
{
	refused("copy a b --mode fast|slow", "prog: --mode: 'fast|slow' is none of fast|slow\n");
}

Test(args, number_that_is_none)
{
	refused("copy a b --size -1",
		"prog: --size: '-1' is not a number\nhint: give a whole number, 0 or more\n");
}

Test(args, number_with_a_tail)
{
	refused("copy a b --size 1x",
		"prog: --size: '1x' is not a number\nhint: give a whole number, 0 or more\n");
}

Test(args, number_too_large)
{
	refused("copy a b --size 99999999999999999999",
		"prog: --size: '99999999999999999999' is not a number\n"
		"hint: give a whole number, 0 or more\n");
}

Test(args, duration_without_unit)
{
	cli_run cli;

	cr_redirect_stderr();
	cr_assert_eq(parse(&cli, "copy a b --wait 5"), 64);
	cli_parsed_free(&cli);
	cr_assert_eq(parse(&cli, "copy a b --wait 5m"), 64);
	cli_parsed_free(&cli);
}

Test(args, value_is_missing)
{
	refused("copy a b --size", "prog: --size needs a value: N\n");
}

Test(args, flag_with_a_value)
{
	refused("copy a b --force=yes", "prog: --force takes no value\n");
}

Test(args, unknown_command_names_the_nearest)
{
	refused("cpoy a b",
		"prog: unknown command 'cpoy'\nhint: did you mean copy? prog --help lists what there is\n");
}

Test(args, unknown_command_far_from_all)
{
	refused("xyzzyxyzzy",
		"prog: unknown command 'xyzzyxyzzy'\nhint: prog --help lists what there is\n");
}

Test(args, unknown_option_names_the_nearest)
{
	refused("copy a b --froce",
		"prog: unknown option '--froce'\n"
		"hint: did you mean --force? prog copy --help lists what there is\n");
}

Test(args, option_of_another_command)
{
	refused("show a --mode fast", "prog: unknown option '--mode'\n"
				      "hint: prog show --help lists what there is\n");
}

Test(args, short_options_are_not_guessed)
{
	cli_run cli;

	cr_redirect_stderr();
	cr_assert_eq(parse(&cli, "copy a b -f"), 64);
	cli_parsed_free(&cli);
	cr_assert_eq(parse(&cli, "copy -h"), 0);
	cr_assert(cli_flag(&cli, "help"));
	cli_parsed_free(&cli);
}

Test(args, operands_too_few)
{
	refused("copy a", "prog: copy: something is missing\nhint: usage: prog copy FROM TO\n");
}

Test(args, operands_too_many)
{
	refused("copy a b c",
		"prog: copy: 'c' is one word too many\nhint: usage: prog copy FROM TO\n");
}

Test(args, help_needs_no_operands)
{
	cli_run cli;

	cr_assert_eq(parse(&cli, "copy --help"), 0);
	cr_assert(cli_flag(&cli, "help"));
	cli_parsed_free(&cli);
}

Test(args, signed_words_are_operands_where_the_table_says_so)
{
	cli_run cli;

	cr_assert_eq(parse(&cli, "tag web +a -b --force"), 0);
	cr_assert_eq(cli.operand_count, 3);
	cr_assert_str_eq(cli_operand(&cli, 2), "-b");
	cr_assert(cli_flag(&cli, "force"));
	cli_parsed_free(&cli);
}

Test(args, two_dashes_end_the_options)
{
	cli_run cli;

	cr_assert_eq(parse(&cli, "copy -- --force --json"), 0);
	cr_assert_eq(cli.operand_count, 2);
	cr_assert_str_eq(cli_operand(&cli, 0), "--force");
	cr_assert_not(cli.json);
	cr_assert_not(cli_flag(&cli, "json"));
	cli_parsed_free(&cli);
}

Test(args, single_dash_is_an_operand)
{
	cli_run cli;

	cr_assert_eq(parse(&cli, "copy - b"), 0);
	cr_assert_str_eq(cli_operand(&cli, 0), "-");
	cli_parsed_free(&cli);
}

Test(args, command_of_two_words)
{
	cli_run cli;

	cr_assert_eq(parse(&cli, "thing make x"), 0);
	cr_assert_str_eq(cli.command->name, "thing make");
	cr_assert_str_eq(cli_operand(&cli, 0), "x");
	cli_parsed_free(&cli);
}

Test(args, json_is_known_before_the_first_error)
{
	cli_run cli;

	cr_redirect_stderr();
	cr_assert_eq(parse(&cli, "cpoy --json"), 64);
	cli_parsed_free(&cli);
	fflush(stderr);
	cr_assert_stderr_eq_str(
		"{\"error\":{\"code\":\"HN_EINVAL\",\"room\":\"prog\",\"message\":\"unknown command 'cpoy'\","
		"\"hint\":\"did you mean copy? prog --help lists what there is\"}}\n");
}

Test(args, bounds_of_operands)
{
	size_t least, most;

	cli_operand_bounds(NULL, &least, &most);
	cr_assert(least == 0 && most == 0);
	cli_operand_bounds("UNIT KEY", &least, &most);
	cr_assert(least == 2 && most == 2);
	cli_operand_bounds("UNIT [KEY]", &least, &most);
	cr_assert(least == 1 && most == 2);
	cli_operand_bounds("[FILE...]", &least, &most);
	cr_assert(least == 0 && most == SIZE_MAX);
	cli_operand_bounds("UNIT +TAG|-TAG...", &least, &most);
	cr_assert(least == 2 && most == SIZE_MAX);
}

Test(args, kinds_of_operands)
{
	char kind[CLI_KIND_TEXT];

	cr_assert(cli_operand_kind("UNIT [KEY]", 0, kind));
	cr_assert_str_eq(kind, "UNIT");
	cr_assert(cli_operand_kind("UNIT [KEY]", 1, kind));
	cr_assert_str_eq(kind, "KEY");
	cr_assert_not(cli_operand_kind("UNIT [KEY]", 2, kind));
	cr_assert(cli_operand_kind("[FILE...]", 5, kind));
	cr_assert_str_eq(kind, "FILE");
	cr_assert(cli_operand_kind("UNIT +TAG|-TAG...", 3, kind));
	cr_assert_str_eq(kind, "+TAG");
	cr_assert_not(cli_operand_kind(NULL, 0, kind));
}

Test(args, distance_counts_edits)
{
	cr_assert_eq(cli_distance("", ""), 0);
	cr_assert_eq(cli_distance("abc", ""), 3);
	cr_assert_eq(cli_distance("abc", "abd"), 1);
	cr_assert_eq(cli_distance("abc", "acb"), 1);
	cr_assert_eq(cli_distance("kitten", "sitting"), 3);
	cr_assert_eq(
		cli_distance("0123456789012345678901234567890123456789012345678", "x"), SIZE_MAX);
}
