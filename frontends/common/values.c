/* SPDX-License-Identifier: MIT
 *
 * What the command line gave, asked for by name.
 */
#include "cli.h"
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const cli_option *option_of(const cli_run *cli, const char *name)
{
	const cli_option *option = cli_option_find(cli, name, strlen(name));

	assert(option != NULL); /* a command asks only for what its row in the table names */
	return option;
}

static const cli_given *last_given(const cli_run *cli, const cli_option *option)
{
	for (size_t i = cli->given_count; i-- > 0;) {
		if (cli->given[i].option == option)
			return &cli->given[i];
	}
	return NULL;
}

bool cli_flag(const cli_run *cli, const char *name)
{
	return last_given(cli, option_of(cli, name)) != NULL;
}

const char *cli_text(const cli_run *cli, const char *name)
{
	const cli_option *option = option_of(cli, name);
	const cli_given *given = last_given(cli, option);
	const char *text;

	if (given != NULL)
		return given->text;
	if (option->environment == NULL)
		return NULL;
	text = getenv(option->environment);
	return text == NULL || text[0] == '\0' ? NULL : text;
}

const char *cli_text_at(const cli_run *cli, const char *name, size_t n)
{
	const cli_option *option = option_of(cli, name);

	for (size_t i = 0; i < cli->given_count; i++) {
		if (cli->given[i].option == option && n-- == 0)
			return cli->given[i].text;
	}
	return NULL;
}

uint64_t cli_number(const cli_run *cli, const char *name, uint64_t otherwise)
{
	const char *text = cli_text(cli, name);

	return text == NULL ? otherwise : strtoumax(text, NULL, 10); /* checked by cli_parse */
}

int64_t cli_duration(const cli_run *cli, const char *name, int64_t otherwise)
{
	const char *text = cli_text(cli, name);
	int64_t nanoseconds;

	if (text == NULL || hn_duration_parse(text, &nanoseconds, NULL) < 0)
		return otherwise;
	return nanoseconds;
}

const char *cli_operand(const cli_run *cli, size_t n)
{
	return n < cli->operand_count ? cli->operands[n] : NULL;
}
