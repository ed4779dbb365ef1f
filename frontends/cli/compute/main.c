/* SPDX-License-Identifier: MIT
 *
 * hv-compute: declared units, explained and run.
 */
#include "compute.h"
#include <string.h>

static void complete_keys(void)
{
	const hn_key *key;

	for (size_t i = 0; (key = hn_key_at(i)) != NULL; i++)
		puts(key->name);
}

static void complete_units(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(hn_units) hn_units *units = NULL;

	if (compute_open(cli, CLI_READ, &session) != 0 ||
		hn_units_list(session, NULL, false, &units, NULL) < 0)
		return;
	for (size_t i = 0; i < hn_units_count(units); i++)
		puts(hn_unit_name(hn_units_at(units, i)));
}

static void complete_declared(cli_run *cli, const char *prefix, size_t (*count)(const hn_catalog *),
	const char *(*at)(const hn_catalog *, size_t))
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(hn_catalog) hn_catalog *catalog = NULL;

	if (compute_open(cli, CLI_READ, &session) != 0 ||
		hn_host_get_catalog(session, &catalog, NULL) < 0)
		return;
	for (size_t i = 0; i < count(catalog); i++)
		printf("%s%s\n", prefix, at(catalog, i));
}

static void complete(cli_run *cli, const char *kind)
{
	if (strcmp(kind, "KEY") == 0)
		complete_keys();
	else if (strcmp(kind, "UNIT") == 0)
		complete_units(cli);
	else if (strcmp(kind, "TAG") == 0)
		complete_declared(cli, "", hn_catalog_tag_count, hn_catalog_tag_at);
	else if (strcmp(kind, "+TAG") == 0)
		complete_declared(cli, "+", hn_catalog_tag_count, hn_catalog_tag_at);
	else if (strcmp(kind, "POLICY") == 0)
		complete_declared(cli, "", hn_catalog_policy_count, hn_catalog_policy_at);
}

int main(int argc, char **argv)
{
	static const cli_program program = {
		.name = "hv-compute",
		.summary =
			"Declares virtual machines by tags and policies, explains every value, and makes "
			"the host run them as declared.",
		.options = compute_options,
		.commands = compute_commands,
		.complete = complete,
	};

	return cli_main(&program, argc, argv);
}
