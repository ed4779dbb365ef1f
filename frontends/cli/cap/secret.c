/* SPDX-License-Identifier: MIT
 *
 * secret: kept sealed for a unit. It comes in and goes out by files and descriptors, never by the
 * command line or a terminal.
 */
#include "cap.h"
#include <errno.h>
#include <unistd.h>

#define SECRET_BYTES 16384 /* the library has the same limit */

/* "db-1" and "unit:db-1" are the unit. */
typedef struct of_unit {
	hn_session *session; /* owned by who has this */
	const char *name;
} of_unit;

static void of_unit_auto(of_unit *one)
{
	hn_session_unref(one->session);
}
#define OF_UNIT __attribute__((cleanup(of_unit_auto))) of_unit

static int open_unit(cli_run *cli, cli_access access, of_unit *one)
{
	const char *word = cli_operand(cli, 0);

	one->name = strncmp(word, "unit:", 5) == 0 ? word + 5 : word;
	return cap_open(cli, access, &one->session);
}

int cap_secret_put(cli_run *cli)
{
	OF_UNIT one = {.session = NULL};
	const char *from = cli_text(cli, "from");
	CAP_AUTO_WIPED cli_bytes secret = {0};
	hn_error *error = NULL;
	int status = cli_read_private(cli, from == NULL ? "-" : from, SECRET_BYTES, &secret);

	if (status == 0 && secret.size == 0)
		return cli_refuse(cli, HN_EINVAL,
			"hv-cap secret put UNIT NAME <FILE, or --from FILE or fd:N",
			"the secret is empty");
	if (status == 0)
		status = open_unit(cli, CLI_WRITE, &one);
	if (status != 0)
		return status;
	if (hn_secret_put(one.session, one.name, cli_operand(cli, 1), secret.data, secret.size,
		    &error) < 0)
		return cli_fail(cli, error);
	return cap_done(
		cli, "%s: %zu bytes are kept for %s", cli_operand(cli, 1), secret.size, one.name);
}

int cap_secret_list(cli_run *cli)
{
	static const cli_column columns[] = {
		{.title = "NAME"}, {.title = "VERSION", .right = true}, {.title = "MADE"}};
	static const cli_member members[] = {
		{"name", CLI_MEMBER_TEXT}, {"version", CLI_MEMBER_TEXT}, {"made", CLI_MEMBER_TIME}};
	OF_UNIT one = {.session = NULL};
	CLI_AUTO_TEXT char *json = NULL;
	hn_error *error = NULL;
	int status = open_unit(cli, CLI_READ, &one);

	if (status != 0)
		return status;
	if (hn_secret_list(one.session, one.name, &json, &error) < 0)
		return cli_fail(cli, error);
	return cap_print_list(cli, json, columns, members, CLI_COUNT(columns));
}

int cap_secret_remove(cli_run *cli)
{
	OF_UNIT one = {.session = NULL};
	hn_error *error = NULL;
	int status = open_unit(cli, CLI_WRITE, &one);

	if (status != 0)
		return status;
	if (hn_secret_remove(one.session, one.name, cli_operand(cli, 1), &error) < 0)
		return cli_fail(cli, error);
	return cap_done(cli, "%s of %s is gone", cli_operand(cli, 1), one.name);
}

/* ---- attach ---- */

/* Not onto a terminal, whose lines are kept. */
static int find_place(cli_run *cli, int *place)
{
	const char *text = cli_text(cli, "to");

	*place = STDOUT_FILENO;
	if (text != NULL && !cli_descriptor(text, place))
		return cli_refuse(
			cli, HN_EINVAL, "such as --to fd:3", "--to: '%s' is no fd:N", text);
	if (isatty(*place))
		return cli_refuse(cli, HN_EINVAL,
			"lead it into a program, or into an open descriptor: --to fd:N",
			"a secret is not printed on a terminal");
	return 0;
}

static int pass_on(const cli_run *cli, int from, int to)
{
	char bytes[SECRET_BYTES];
	ssize_t size = read(from, bytes, sizeof(bytes)), at = 0, put = 0;

	for (; put >= 0 && at < size; at += put)
		put = write(to, bytes + at, (size_t)(size - at));
	explicit_bzero(bytes, sizeof(bytes));
	if (size >= 0 && put >= 0)
		return 0;
	return cli_refuse(
		cli, HN_EIO, NULL, "the secret could not be handed over: %s", strerror(errno));
}

int cap_secret_attach(cli_run *cli)
{
	OF_UNIT one = {.session = NULL};
	hn_error *error = NULL;
	int memory = -1, place, status = find_place(cli, &place);

	if (status == 0)
		status = open_unit(cli, CLI_WRITE, &one);
	if (status != 0)
		return status;
	if (hn_secret_attach(one.session, one.name, cli_operand(cli, 1), &memory, &error) < 0)
		return cli_fail(cli, error);
	status = pass_on(cli, memory, place);
	close(memory);
	return status;
}
