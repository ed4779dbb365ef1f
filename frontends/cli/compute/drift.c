/* SPDX-License-Identifier: MIT
 *
 * drift, repair: what the hypervisor really has, against what was applied.
 */
#include "compute.h"

typedef struct drift_list {
	const cli_run *cli;
	cli_table *table;
	hn_json *json;
	size_t rows, hidden;
} drift_list;

static int on_drift(void *arg, const hn_drift *drift)
{
	drift_list *list = arg;

	if (drift->state == HN_DRIFT_SAME && !cli_flag(list->cli, "all"))
		return 0;
	/* For people, what differs must not drown in what nobody can see; programs get it all. */
	if (drift->state != HN_DRIFT_DIFFERS && list->json == NULL && !cli_flag(list->cli, "all")) {
		list->hidden++;
		return 0;
	}
	list->rows++;
	if (list->json != NULL) {
		hn_json_object(list->json, NULL);
		hn_json_text(list->json, "unit", drift->unit);
		hn_json_text(list->json, "key", drift->key);
		hn_json_text(list->json, "state", hn_drift_state_name(drift->state));
		hn_json_text(list->json, "applied", drift->applied);
		hn_json_text(list->json, "real", drift->real);
		hn_json_text(list->json, "note", drift->note);
		hn_json_end(list->json);
		return 0;
	}
	cli_table_cell(list->table, drift->unit);
	cli_table_cell(list->table, hn_drift_state_name(drift->state));
	if (drift->state == HN_DRIFT_DIFFERS)
		cli_table_style(list->table, CLI_RED);
	cli_table_cell(list->table, drift->key == NULL ? "(domain)" : drift->key);
	cli_table_cell(list->table, drift->applied);
	cli_table_cell(list->table, drift->real);
	cli_table_cell(list->table, drift->note);
	return 0;
}

static void print_drift(const cli_run *cli, drift_list *list, int differing)
{
	if (list->rows > 0)
		cli_table_print(cli, list->table);
	else
		cli_table_free(list->table);
	if (cli->quiet || differing < 0)
		return;
	if (differing == 0 && list->rows == 0)
		fputs("no drift", stdout);
	if (list->hidden > 0)
		printf("%s%zu values cannot be compared (--all shows them)",
			differing == 0 ? "; " : "", list->hidden);
	if (list->hidden > 0 || list->rows == 0)
		putchar('\n');
}

static int scan(cli_run *cli, hn_session *session)
{
	static const cli_column columns[] = {{.title = "UNIT"}, {.title = "STATE"},
		{.title = "KEY"}, {.title = "APPLIED"}, {.title = "REAL"}, {.title = "NOTE"}};
	drift_list list = {.cli = cli};
	hn_error *error = NULL;
	int differing, status = 0;

	if (cli->json) {
		list.json = cli_json_new();
		hn_json_object(list.json, NULL);
		hn_json_array(list.json, "drift");
	} else {
		list.table = cli_table_new(columns, CLI_COUNT(columns), 0);
	}
	differing = hn_drift_scan(session, cli_operand(cli, 0), on_drift, &list, &error);
	if (list.json == NULL) {
		print_drift(cli, &list, differing);
		if (differing >= 0)
			cli_redacted_print(cli, hn_session_redacted(session));
	} else if (differing >= 0) {
		hn_json_end(list.json);
		cli_json_redacted(list.json, hn_session_redacted(session));
		hn_json_end(list.json);
		status = cli_json_print(cli, list.json);
	} else {
		hn_json_free(list.json);
	}
	if (differing < 0)
		return cli_fail(cli, error);
	return status == 0 && differing > 0 ? hn_code_exit_status(HN_EDRIFT) : status;
}

static int adopt(cli_run *cli, hn_session *session)
{
	const char *unit = cli_operand(cli, 0), *key;
	hn_error *error = NULL;

	if (unit == NULL)
		return cli_refuse(cli, HN_EINVAL, NULL, "drift --adopt: of which unit?");
	for (size_t i = 0; (key = cli_text_at(cli, "adopt", i)) != NULL; i++) {
		if (hn_drift_adopt(session, unit, key, &error) < 0)
			return cli_fail(cli, error);
	}
	return 0;
}

int compute_drift(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	bool adopts = cli_text_at(cli, "adopt", 0) != NULL, restores = cli_flag(cli, "restore");
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;
	int status = compute_open(cli, CLI_WRITE, &session);

	if (status == 0 && adopts)
		status = adopt(cli, session);
	if (status != 0)
		return status;
	if (!restores)
		return scan(cli, session);
	options.restore = true;
	options.unit = cli_operand(cli, 0);
	return compute_plan_run(cli, session, &options);
}

static int act_repair(cli_run *cli, hn_session *session, const char *unit, hn_error **err)
{
	(void)cli;
	return hn_unit_repair(session, unit, err);
}

int compute_repair(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	int status = compute_open(cli, CLI_WRITE, &session);

	return status != 0 ? status
			   : compute_each(cli, session, act_repair, "repaired", COMPUTE_GO_ON);
}
