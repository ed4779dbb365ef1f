/* SPDX-License-Identifier: MIT
 *
 * pack: a directory as a payload that a manifest can name.
 */
#include "compose.h"

static int print_json(
	cli_run *cli, const hn_payload_packing *options, const hn_payload_packed *made)
{
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	hn_json_text(json, "file", options->dry_run ? NULL : options->out);
	hn_json_uint(json, "entries", made->entries);
	hn_json_text(json, "b2", made->b2);
	hn_json_object(json, "payload");
	hn_json_text(json, "kind", "tar");
	hn_json_text(json, "sha256", made->sha256);
	hn_json_uint(json, "size", made->bytes);
	hn_json_end(json);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

int compose_pack(cli_run *cli)
{
	hn_payload_packing options = HN_PAYLOAD_PACKING_INIT;
	hn_payload_packed made = HN_PAYLOAD_PACKED_INIT;
	hn_error *error = NULL;

	options.directory = cli_operand(cli, 0);
	options.out = cli_text(cli, "out");
	options.parser = cli_text(cli, "parser");
	options.level = (int)cli_number(cli, "level", (uint64_t)options.level);
	options.allow_setuid = cli_flag(cli, "allow-setuid");
	options.dry_run = cli_flag(cli, "dry-run");
	options.cancel = cli->cancel;
	if (options.out == NULL)
		return cli_refuse(cli, HN_EINVAL, "give --out FILE, such as x.tar.zst",
			"it is not said where the payload goes");
	if (hn_payload_pack(&options, &made, &error) < 0)
		return cli_fail(cli, error);
	if (cli->json)
		return print_json(cli, &options, &made);
	printf("sha256   %s\nb2       %s\n", made.sha256, made.b2 + strlen("b2:"));
	printf("{ \"kind\": \"tar\", \"sha256\": \"%s\", \"size\": %llu }\n", made.sha256,
		(unsigned long long)made.bytes);
	if (options.dry_run && !cli->quiet)
		printf("nothing is written\n");
	return 0;
}
