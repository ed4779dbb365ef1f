/* SPDX-License-Identifier: MIT
 *
 * index: signing what a registry holds, and believing one by its signature.
 */
#include "compose.h"

#define SECOND INT64_C(1000000000)

static void print_facts(const cli_run *cli, const hn_index_info *info, bool written)
{
	char until[CLI_TIME_TEXT];

	if (cli->quiet)
		return;
	cli_time_print(info->not_after * SECOND, until);
	printf("registry %s, serial %llu: %llu releases, %llu contracts\n", info->name,
		(unsigned long long)info->serial, (unsigned long long)info->releases,
		(unsigned long long)info->contracts);
	printf("index    %s\nissuer   %s\nuntil    %s\n", info->digest, info->issuer, until);
	if (info->expired_for > 0)
		printf("its time is over since %lld days\n",
			(long long)(info->expired_for / 86400));
	if (!written)
		printf("nothing is written\n");
}

static int answer(cli_run *cli, const hn_index_info *info, const char *key, bool value)
{
	hn_json *json;

	if (!cli->json) {
		print_facts(cli, info, strcmp(key, "written") != 0 || value);
		return 0;
	}
	json = cli_json_new();
	hn_json_object(json, NULL);
	hn_json_text(json, "registry", info->name);
	hn_json_uint(json, "serial", info->serial);
	hn_json_text(json, "index", info->digest);
	hn_json_text(json, "issuer", info->issuer);
	cli_json_time(json, "until", info->not_after * SECOND);
	hn_json_uint(json, "releases", info->releases);
	hn_json_uint(json, "contracts", info->contracts);
	hn_json_bool(json, key, value);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

static int sign(cli_run *cli, const char *directory)
{
	hn_index_options options = HN_INDEX_OPTIONS_INIT;
	hn_index_info info = HN_INDEX_INFO_INIT;
	hn_error *error = NULL;
	int status = cli_passphrase(cli, &options.passphrase);

	options.key = cli_text(cli, "sign");
	options.name = cli_text(cli, "name");
	options.serial = cli_number(cli, "serial", 0);
	options.seconds = cli_duration(cli, "not-after", 0) / SECOND;
	options.dry_run = cli_flag(cli, "dry-run");
	if (status == 0 && cli_text(cli, "not-after") != NULL && options.seconds <= 0)
		status = cli_refuse(cli, HN_ERANGE, "such as --not-after 90d",
			"an index holds for a second at least");
	if (status != 0)
		return status;
	if (hn_index_sign(directory, &options, &info, &error) < 0)
		return cli_fail(cli, error);
	return answer(cli, &info, "written", !options.dry_run);
}

static int verify(cli_run *cli, const char *directory)
{
	hn_index_trust trust = HN_INDEX_TRUST_INIT;
	hn_index_info info = HN_INDEX_INFO_INIT;
	CLI_AUTO_FREE const char **issuers = compose_values(cli, "issuer", &trust.issuer_count);
	hn_error *error = NULL;

	trust.issuers = issuers;
	trust.serial = cli_number(cli, "serial", 0);
	trust.allow_expired = cli_flag(cli, "allow-expired");
	if (hn_index_verify(directory, &trust, &info, &error) < 0)
		return cli_fail(cli, error);
	return answer(cli, &info, "expired", info.expired_for > 0);
}

int compose_index(cli_run *cli)
{
	const char *directory = cli_text_at(cli, "registry", 0);
	bool signs = cli_text(cli, "sign") != NULL;

	if (directory == NULL || cli_text_at(cli, "registry", 1) != NULL)
		return cli_refuse(cli, HN_EINVAL, "give one --registry DIR",
			"an index is of one registry in a directory");
	if (signs == (cli_text(cli, "issuer") != NULL))
		return cli_refuse(cli, HN_EINVAL,
			"--sign FILE makes an index, --issuer KEY checks the one that is there",
			signs ? "an index is signed or checked, not both"
			      : "it is not said who signs, or who is believed");
	return signs ? sign(cli, directory) : verify(cli, directory);
}
