/* SPDX-License-Identifier: MIT
 *
 * By what right a command acts, and the objects that the command line names.
 */
#include "cap.h"

int cap_open(cli_run *cli, cli_access access, hn_session **session)
{
	return cli_act(cli, access, cli_text(cli, "reason"), session);
}

static int unit_object(cli_run *cli, const char *name, hn_session **session, char **object)
{
	CLI_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	size_t size = strcspn(name, "/");
	CLI_AUTO_FREE char *bare = cli_strndup(name, size);
	hn_error *error = NULL;
	int status = *session == NULL ? cap_open(cli, CLI_READ, session) : 0;

	if (status != 0)
		return status;
	if (hn_unit_find(*session, bare, false, &unit, &error) < 0)
		return cli_fail(cli, error);
	*object = cli_format("unit/%s%s", hn_unit_uuid(unit), name + size);
	return 0;
}

/* What no verb is about is a slip, and a right over it would be one over nothing. */
static int check_kind(const cli_run *cli, const char *word)
{
	size_t size = strcspn(word, ":/");
	const char *verb;

	for (size_t n = 0; (verb = hn_verb_name(n)) != NULL; n++) {
		if (strncmp(verb, word, size) == 0 && verb[size] == '.')
			return 0;
	}
	if (word[0] == '*')
		return 0;
	return cli_refuse(cli, HN_EINVAL,
		"objects begin with the first word of a verb, such as unit/*, unit:NAME or node/*",
		"'%s': there are no objects of the kind '%.*s'", word, (int)size, word);
}

int cap_object(cli_run *cli, const char *word, hn_session **session, char **object)
{
	const char *colon = strchr(word, ':');
	int status = check_kind(cli, word);

	if (status != 0)
		return status;

	if (strncmp(word, "unit:", 5) == 0)
		return unit_object(cli, word + 5, session, object);
	if (colon == NULL)
		*object = cli_format("%s", word);
	else
		*object = cli_format("%.*s/%s", (int)(colon - word), word, colon + 1);
	return 0;
}
