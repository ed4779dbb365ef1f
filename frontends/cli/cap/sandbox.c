/* SPDX-License-Identifier: MIT
 *
 * sandbox selftest: shows that what the sandboxes forbid is forbidden on this machine.
 */
#include "cap.h"

static const struct {
	const char *name;
	hn_sandbox_profile profile;
} profiles[] = {
	{"parser", HN_SANDBOX_PARSER},
	{"signer", HN_SANDBOX_SIGNER},
	{"edge", HN_SANDBOX_EDGE},
	{"nbd", HN_SANDBOX_NBD},
	{"backup", HN_SANDBOX_BACKUP},
	{"core", HN_SANDBOX_CORE},
	{"payload", HN_SANDBOX_PAYLOAD},
};

typedef struct telling {
	const cli_run *cli;
	cli_table *table; /* NULL with --json */
	hn_json *json;
	const char *profile;
} telling;

static const char *outcome_text(hn_sandbox_outcome outcome)
{
	static const char *const names[] = {"killed", "denied", "allowed", "unknown"};

	return (size_t)outcome < CLI_COUNT(names) ? names[outcome] : "unknown";
}

static int tell(void *arg, const hn_sandbox_try *row)
{
	telling *to = arg;

	if (to->json != NULL) {
		hn_json_object(to->json, NULL);
		hn_json_text(to->json, "try", row->name);
		hn_json_text(to->json, "outcome", outcome_text(row->outcome));
		hn_json_bool(to->json, "held", row->held);
		hn_json_end(to->json);
		return 0;
	}
	cli_table_cell(to->table, to->profile);
	cli_table_cell(to->table, row->name);
	cli_table_cell(to->table, outcome_text(row->outcome));
	cli_table_cell(to->table, row->held ? "as it should be" : "NOT HELD");
	cli_table_style(to->table, row->held ? CLI_GREEN : CLI_RED);
	return 0;
}

static void tell_layers(hn_json *json, const hn_sandbox_report *report)
{
	hn_json_uint(json, "landlock", report->landlock);
	hn_json_uint(json, "seccomp", report->seccomp);
	hn_json_bool(json, "noNewPrivileges", report->no_new_privileges);
	hn_json_bool(json, "capabilities", report->capabilities);
	hn_json_bool(json, "descriptors", report->descriptors);
	hn_json_bool(json, "limits", report->limits);
	hn_json_bool(json, "notDumpable", report->not_dumpable);
}

static int try_profile(telling *to, size_t n, hn_error **err)
{
	hn_sandbox_report report = {.size = sizeof(report)};
	int result;

	to->profile = profiles[n].name;
	if (to->json == NULL)
		return hn_sandbox_selftest(profiles[n].profile, &report, tell, to, err);
	hn_json_object(to->json, NULL);
	hn_json_text(to->json, "profile", to->profile);
	hn_json_array(to->json, "tries");
	result = hn_sandbox_selftest(profiles[n].profile, &report, tell, to, err);
	hn_json_end(to->json);
	tell_layers(to->json, &report);
	hn_json_end(to->json);
	return result;
}

static int check_profile(const cli_run *cli, const char *name)
{
	for (size_t n = 0; n < CLI_COUNT(profiles); n++) {
		if (name == NULL || strcmp(name, profiles[n].name) == 0)
			return 0;
	}
	return cli_refuse(cli, HN_EINVAL,
		"profiles are parser, signer, edge, nbd, backup, core and payload",
		"there is no profile '%s'", name);
}

int cap_sandbox_selftest(cli_run *cli)
{
	static const cli_column columns[] = {
		{.title = "PROFILE"}, {.title = "TRY"}, {.title = "OUTCOME"}, {.title = ""}};
	telling to = {.cli = cli};
	const char *only = cli_operand(cli, 0);
	hn_error *error = NULL;
	int result = 0, status = check_profile(cli, only);

	if (status != 0)
		return status;
	if (cli->json) {
		to.json = cli_json_new();
		hn_json_array(to.json, NULL);
	} else {
		to.table = cli_table_new(columns, CLI_COUNT(columns), 0);
	}
	for (size_t n = 0; result >= 0 && n < CLI_COUNT(profiles); n++) {
		if (only == NULL || strcmp(only, profiles[n].name) == 0)
			result = try_profile(&to, n, &error);
	}
	if (to.json != NULL) {
		hn_json_end(to.json);
		status = cli_json_print(cli, to.json);
	} else {
		cli_table_print(cli, to.table);
	}
	return result < 0 ? cli_fail(cli, error) : status;
}
