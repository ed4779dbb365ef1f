/* SPDX-License-Identifier: MIT
 *
 * clock: what the host thinks of its clock, on which every token stands.
 */
#include "cap.h"

int cap_clock_status(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_TEXT char *json = NULL;
	hn_error *error = NULL;
	int status = cap_open(cli, CAP_READ, &session);

	if (status != 0)
		return status;
	if (hn_clock_status(session, &json, &error) < 0)
		return cli_fail(cli, error);
	return cap_print_document(cli, json);
}

int cap_clock_accept(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_error *error = NULL;
	int status = cap_open(cli, CAP_WRITE, &session);

	if (status != 0)
		return status;
	if (hn_clock_accept(session, &error) < 0)
		return cli_fail(cli, error);
	return cap_done(cli, "the clock is right as it stands: tokens are taken");
}

int cap_clock_unsynchronised(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	const char *word = cli_operand(cli, 0);
	bool allowed = strcmp(word, "allow") == 0;
	hn_error *error = NULL;
	int status;

	if (!allowed && strcmp(word, "deny") != 0)
		return cli_refuse(cli, HN_EINVAL, "allow or deny", "'%s' is neither", word);
	status = cap_open(cli, CAP_WRITE, &session);
	if (status != 0)
		return status;
	if (hn_clock_unsynchronised(session, allowed, &error) < 0)
		return cli_fail(cli, error);
	return cap_done(cli, allowed ? "tokens are taken also while the clock is not synchronised"
				     : "tokens are taken only while the clock is synchronised");
}
