/* SPDX-License-Identifier: MIT
 *
 * pending: the values that are wanted and not yet real, and what they wait for.
 */
#include "compute.h"

typedef struct pending {
	const hn_unit *unit;
	cli_table *table;
	hn_json *json;
	size_t count;
} pending;

static int on_value(
	void *arg, const char *key, const hn_key *row, const char *old_text, const char *new_text)
{
	pending *list = arg;
	const char *unit = hn_unit_name(list->unit);
	hn_origin origin = {.size = sizeof(origin)};
	CLI_AUTO_FREE char *where = NULL;

	list->count++;
	if (compute_winner(hn_unit_desired(list->unit), key, &origin))
		compute_where(origin.file, origin.line, origin.column, &where);
	if (list->json != NULL) {
		hn_json_object(list->json, NULL);
		hn_json_text(list->json, "unit", unit);
		hn_json_text(list->json, "key", key);
		hn_json_text(list->json, "class", hn_class_name(row->class_));
		hn_json_text(list->json, "old", old_text);
		hn_json_text(list->json, "new", new_text);
		hn_json_text(list->json, "where", where == NULL || where[0] == '\0' ? NULL : where);
		hn_json_end(list->json);
		return 0;
	}
	cli_table_cell(list->table, unit);
	cli_table_cell(list->table, hn_class_name(row->class_));
	cli_table_cell(list->table, key);
	if (old_text == new_text)
		cli_table_cellf(list->table, "%s: changed since the start", new_text);
	else
		cli_table_cellf(list->table, "%s -> %s", old_text == NULL ? "(none)" : old_text,
			new_text == NULL ? "(none)" : new_text);
	cli_table_cell(list->table, where);
	return 0;
}

/* Secrets whose names are the same, but not what they are. */
static void on_secrets(pending *list, const hn_view *applied, const hn_view *desired)
{
	const char *before = NULL, *after = NULL;

	if (!hn_unit_secrets_changed(list->unit) ||
		hn_view_get_text(applied, "secrets", &before, NULL) < 0 ||
		hn_view_get_text(desired, "secrets", &after, NULL) < 0 ||
		strcmp(before, after) != 0)
		return;
	(void)on_value(list, "secrets", hn_key_find("secrets"), after, after);
}

static int walk(hn_session *session, pending *list, hn_error **error)
{
	CLI_AUTO_OF(hn_units) hn_units *units = NULL;

	if (hn_units_list(session, NULL, false, &units, error) < 0)
		return -1;
	for (size_t i = 0; i < hn_units_count(units); i++) {
		hn_view *desired, *applied;

		list->unit = hn_units_at(units, i);
		desired = hn_unit_desired(list->unit);
		applied = hn_unit_applied(list->unit);
		if (!hn_unit_pending(list->unit) || desired == NULL || applied == NULL)
			continue;
		if (hn_view_diff(applied, desired, on_value, list, error) < 0)
			return -1;
		on_secrets(list, applied, desired);
	}
	return 0;
}

int compute_pending(cli_run *cli)
{
	static const cli_column columns[] = {
		{.title = NULL}, {.gap = 2}, {.gap = 2}, {.gap = 2}, {.gap = 3}};
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	pending list = {0};
	hn_error *error = NULL;
	int status = compute_open(cli, CLI_READ, &session);

	if (status != 0)
		return status;
	if (!cli->json) {
		list.table = cli_table_new(columns, CLI_COUNT(columns), 0);
		int result = walk(session, &list, &error);

		cli_table_print(cli, list.table);
		if (result == 0 && list.count == 0 && !cli->quiet)
			puts("nothing is pending");
		if (result < 0)
			return cli_fail(cli, error);
		cli_redacted_print(cli, hn_session_redacted(session));
		return 0;
	}
	list.json = cli_json_new();
	hn_json_object(list.json, NULL);
	hn_json_array(list.json, "pending");
	if (walk(session, &list, &error) < 0) {
		hn_json_free(list.json);
		return cli_fail(cli, error);
	}
	hn_json_end(list.json);
	cli_json_redacted(list.json, hn_session_redacted(session));
	hn_json_end(list.json);
	return cli_json_print(cli, list.json);
}
