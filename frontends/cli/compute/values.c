/* SPDX-License-Identifier: MIT
 *
 * Resolved values with the place each one came from, and what differs between two views.
 */
#include "compute.h"
#include <string.h>

bool compute_winner(const hn_view *view, const char *key, hn_origin *origin)
{
	hn_origin found = {.size = sizeof(found)};

	for (size_t nth = 0; hn_view_explain(view, key, nth, &found) == 0; nth++) {
		if (found.mark == HN_MARK_WON || found.mark == HN_MARK_MERGED) {
			*origin = found;
			return true;
		}
		found.size = sizeof(found);
	}
	return false;
}

void compute_where(const char *file, uint32_t line, uint32_t column, char **where)
{
	if (file == NULL)
		*where = cli_format("%s", "");
	else if (column == 0)
		*where = cli_format("%s:%u", file, line);
	else
		*where = cli_format("%s:%u:%u", file, line, column);
}

void compute_json_origin(hn_json *json, const hn_origin *origin)
{
	hn_json_object(json, NULL);
	hn_json_text(json, "mark", hn_mark_name(origin->mark));
	hn_json_text(json, "layer", hn_layer_name(origin->layer));
	hn_json_int(json, "priority", origin->priority);
	hn_json_text(json, "source", origin->source);
	hn_json_text(json, "file", origin->file);
	hn_json_uint(json, "line", origin->line);
	hn_json_uint(json, "column", origin->column);
	hn_json_text(json, "value", origin->value);
	hn_json_text(json, "note", origin->note);
	hn_json_text(json, "who", origin->who);
	cli_json_time(json, "when", origin->when);
	hn_json_end(json);
}

void compute_json_tags(hn_json *json, const hn_view *view)
{
	const char *name, *how;

	hn_json_array(json, "tags");
	for (size_t i = 0; hn_view_tag_at(view, i, &name, &how) == 0; i++) {
		hn_json_object(json, NULL);
		hn_json_text(json, "name", name);
		hn_json_text(json, "how", how);
		hn_json_end(json);
	}
	hn_json_end(json);
	hn_json_array(json, "policies");
	for (size_t i = 0; hn_view_policy_at(view, i, &name, &how) == 0; i++) {
		hn_json_object(json, NULL);
		hn_json_text(json, "name", name);
		hn_json_text(json, "how", how);
		hn_json_end(json);
	}
	hn_json_end(json);
}

void compute_json_values(hn_json *json, const hn_view *view)
{
	const char *name, *value;
	const hn_key *key;

	hn_json_object(json, "values");
	for (size_t i = 0; hn_view_key_at(view, i, &name, &key) == 0; i++) {
		hn_origin origin = {.size = sizeof(origin)};

		if (hn_view_get_text(view, name, &value, NULL) < 0)
			continue;
		hn_json_object(json, name);
		hn_json_text(json, "value", value);
		if (compute_winner(view, name, &origin)) {
			CLI_AUTO_FREE char *where = NULL;

			compute_where(origin.file, origin.line, origin.column, &where);
			hn_json_text(json, "layer", hn_layer_name(origin.layer));
			hn_json_int(json, "priority", origin.priority);
			hn_json_text(json, "source", origin.source);
			hn_json_text(json, "where", where[0] == '\0' ? NULL : where);
		}
		hn_json_end(json);
	}
	hn_json_end(json);
}

void compute_values_print(const cli_run *cli, const hn_view *view)
{
	static const cli_column columns[] = {{.title = "KEY"}, {.title = "VALUE", .shrink = true},
		{.title = "FROM"}, {.title = "WHERE"}};
	cli_table *table = cli_table_new(columns, CLI_COUNT(columns), 0);
	const char *name, *value;
	const hn_key *key;

	for (size_t i = 0; hn_view_key_at(view, i, &name, &key) == 0; i++) {
		hn_origin origin = {.size = sizeof(origin)};
		CLI_AUTO_FREE char *where = NULL;

		if (hn_view_get_text(view, name, &value, NULL) < 0)
			continue;
		if (compute_winner(view, name, &origin))
			compute_where(origin.file, origin.line, origin.column, &where);
		cli_table_cell(table, name);
		cli_table_cell(table, value);
		cli_table_cell(table, origin.source);
		if (origin.layer == HN_LAYER_SCHEMA)
			cli_table_style(table, CLI_DIM);
		cli_table_cell(table, where);
	}
	cli_table_print(cli, table);
}

static const char *value_text(const char *text)
{
	return text == NULL ? "(none)" : text;
}

static int add_change(
	void *arg, const char *key, const hn_key *row, const char *old_text, const char *new_text)
{
	cli_table *table = arg;

	cli_table_cell(table, hn_class_name(row->class_));
	cli_table_cell(table, key);
	cli_table_cellf(table, "%s -> %s", value_text(old_text), value_text(new_text));
	return 0;
}

void compute_diff_print(const cli_run *cli, hn_view *before, hn_view *after)
{
	static const cli_column columns[] = {{.title = NULL}, {.title = NULL}, {.title = NULL}};
	cli_table *table = cli_table_new(columns, CLI_COUNT(columns), 2);
	int count = hn_view_diff(before, after, add_change, table, NULL);

	if (count <= 0)
		puts("no value changes");
	else
		printf("%d value%s would change:\n", count, count == 1 ? "" : "s");
	cli_table_print(cli, table);
}

static int write_change(
	void *arg, const char *key, const hn_key *row, const char *old_text, const char *new_text)
{
	hn_json *json = arg;

	hn_json_object(json, NULL);
	hn_json_text(json, "key", key);
	hn_json_text(json, "class", hn_class_name(row->class_));
	hn_json_text(json, "old", old_text);
	hn_json_text(json, "new", new_text);
	hn_json_end(json);
	return 0;
}

void compute_json_diff(hn_json *json, hn_view *before, hn_view *after)
{
	hn_json_array(json, "changes");
	(void)hn_view_diff(before, after, write_change, json, NULL);
	hn_json_end(json);
}
