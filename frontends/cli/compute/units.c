/* SPDX-License-Identifier: MIT
 *
 * list, show, get, select, history: what the host knows of its units.
 */
#include "compute.h"
#include <stdlib.h>
#include <string.h>

static const char *ready_text(int ready)
{
	return ready > 0 ? "yes" : ready == 0 ? "no" : "-";
}

static cli_style status_style(hn_unit_status status)
{
	switch (status) {
	case HN_UNIT_RUNNING:
		return CLI_GREEN;
	case HN_UNIT_CRASHED:
	case HN_UNIT_UNREACHABLE:
		return CLI_RED;
	case HN_UNIT_STARTING:
	case HN_UNIT_STOPPING:
	case HN_UNIT_PAUSED:
		return CLI_YELLOW;
	default:
		return CLI_PLAIN;
	}
}

static const char *remark(const hn_unit *unit)
{
	hn_broken broken = HN_BROKEN_INIT;

	if (hn_unit_foreign(unit))
		return "foreign";
	if (hn_unit_inconsistent(unit))
		return "inconsistent";
	if (hn_unit_undeclared(unit))
		return "undeclared";
	if (hn_unit_get_broken(unit, &broken) == 0)
		return "broken";
	return hn_unit_pending(unit) ? "pending" : "";
}

static char *tags_text(const hn_view *view)
{
	char *text = cli_format("%s", "");
	const char *name, *how;

	for (size_t i = 0; view != NULL && hn_view_tag_at(view, i, &name, &how) == 0; i++) {
		char *longer = cli_format("%s%s%s", text, text[0] == '\0' ? "" : " ", name);

		free(text);
		text = longer;
	}
	return text;
}

static void json_broken(hn_json *json, const hn_unit *unit)
{
	hn_broken broken = HN_BROKEN_INIT;

	if (hn_unit_get_broken(unit, &broken) < 0) {
		hn_json_null(json, "broken");
		return;
	}
	hn_json_object(json, "broken");
	hn_json_text(json, "contract", broken.contract);
	hn_json_text(json, "version", broken.version);
	hn_json_text(json, "component", broken.component);
	hn_json_text(json, "blueprint", broken.blueprint);
	hn_json_end(json);
}

static void json_unit(hn_json *json, const hn_unit *unit, bool values)
{
	const hn_view *view = hn_unit_desired(unit);
	int ready = hn_unit_ready(unit);

	hn_json_text(json, "name", hn_unit_name(unit));
	hn_json_text(json, "uuid", hn_unit_uuid(unit));
	hn_json_text(
		json, "owner", hn_unit_foreign(unit) ? NULL : hn_owner_name(hn_unit_owner(unit)));
	hn_json_text(json, "status", hn_unit_status_name(hn_unit_get_status(unit)));
	if (ready < 0)
		hn_json_null(json, "ready");
	else
		hn_json_bool(json, "ready", ready > 0);
	json_broken(json, unit);
	hn_json_bool(json, "pending", hn_unit_pending(unit));
	hn_json_bool(json, "inconsistent", hn_unit_inconsistent(unit));
	hn_json_bool(json, "undeclared", hn_unit_undeclared(unit));
	hn_json_bool(json, "foreign", hn_unit_foreign(unit));
	if (view == NULL)
		return;
	compute_json_tags(json, view);
	if (values)
		compute_json_values(json, view);
}

static void print_units(const cli_run *cli, const hn_units *units)
{
	static const cli_column columns[] = {{.title = "NAME"}, {.title = "STATUS"},
		{.title = "READY"}, {.title = "CU", .right = true},
		{.title = "MEMORY", .right = true}, {.title = "OWNER"}, {.title = "REMARK"},
		{.title = "TAGS", .shrink = true}};
	cli_table *table = cli_table_new(columns, CLI_COUNT(columns), 0);

	for (size_t i = 0; i < hn_units_count(units); i++) {
		const hn_unit *unit = hn_units_at(units, i);
		const hn_view *view = hn_unit_desired(unit);
		CLI_AUTO_FREE char *tags = tags_text(view);
		const char *units_text = NULL, *memory = NULL;

		if (view != NULL) {
			(void)hn_view_get_text(view, "compute.units", &units_text, NULL);
			(void)hn_view_get_text(view, "memory.size", &memory, NULL);
		}
		cli_table_cell(table, hn_unit_name(unit));
		cli_table_cell(table, hn_unit_status_name(hn_unit_get_status(unit)));
		cli_table_style(table, status_style(hn_unit_get_status(unit)));
		cli_table_cell(table, ready_text(hn_unit_ready(unit)));
		cli_table_cell(table, units_text);
		cli_table_cell(table, memory);
		cli_table_cell(
			table, hn_unit_foreign(unit) ? NULL : hn_owner_name(hn_unit_owner(unit)));
		cli_table_cell(table, remark(unit));
		cli_table_style(table, hn_unit_inconsistent(unit) ? CLI_RED : CLI_YELLOW);
		cli_table_cell(table, tags);
	}
	cli_table_print(cli, table);
}

int compute_list(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(hn_units) hn_units *units = NULL;
	hn_error *error = NULL;
	int status = compute_open(cli, CLI_READ, &session);

	if (status != 0)
		return status;
	if (hn_units_list(
		    session, cli_text(cli, "select"), !cli_flag(cli, "stored"), &units, &error) < 0)
		return cli_fail(cli, error);
	if (!cli->json) {
		print_units(cli, units);
		cli_redacted_print(cli, hn_session_redacted(session));
		return 0;
	}
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	hn_json_array(json, "units");
	for (size_t i = 0; i < hn_units_count(units); i++) {
		hn_json_object(json, NULL);
		json_unit(json, hn_units_at(units, i), cli_flag(cli, "values"));
		hn_json_end(json);
	}
	hn_json_end(json);
	cli_json_redacted(json, hn_session_redacted(session));
	hn_json_end(json);
	return cli_json_print(cli, json);
}

static void print_reasons(const char *title, const hn_view *view,
	int (*at)(const hn_view *, size_t, const char **, const char **))
{
	const char *name, *how;

	for (size_t i = 0; at(view, i, &name, &how) == 0; i++) {
		printf("%-9s", i == 0 ? title : "");
		cli_text_print(stdout, name, false);
		fputs(" (", stdout);
		cli_text_print(stdout, how, false);
		fputs(")\n", stdout);
	}
}

static void print_broken(const hn_unit *unit)
{
	hn_broken broken = HN_BROKEN_INIT;

	if (hn_unit_get_broken(unit, &broken) < 0)
		return;
	printf("broken   contract %s %s", broken.contract, broken.version);
	if (broken.component != NULL)
		printf(" of component %s of blueprint %s", broken.component, broken.blueprint);
	putchar('\n');
}

static void print_unit(const cli_run *cli, const hn_unit *unit)
{
	const hn_view *view = hn_unit_desired(unit);

	printf("%s%s%s  %s", cli_style_on(cli->color_out, CLI_BOLD), hn_unit_name(unit),
		cli_style_off(cli->color_out, CLI_BOLD),
		hn_unit_status_name(hn_unit_get_status(unit)));
	if (remark(unit)[0] != '\0')
		printf("  %s", remark(unit));
	printf("\nuuid     %s\n", hn_unit_uuid(unit));
	if (view == NULL)
		return;
	printf("owner    %s\nready    %s\n", hn_owner_name(hn_unit_owner(unit)),
		ready_text(hn_unit_ready(unit)));
	print_broken(unit);
	print_reasons("tags", view, hn_view_tag_at);
	print_reasons("policies", view, hn_view_policy_at);
	putchar('\n');
	compute_values_print(cli, view);
	cli_redacted_print(cli, hn_view_redacted(view));
}

static int find_unit(cli_run *cli, bool observe, hn_unit **unit)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_error *error = NULL;
	int status = compute_open(cli, CLI_READ, &session);

	if (status == 0 && hn_unit_find(session, cli_operand(cli, 0), observe, unit, &error) < 0)
		return cli_fail(cli, error);
	return status;
}

int compute_show(cli_run *cli)
{
	CLI_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	int status = find_unit(cli, true, &unit);

	if (status != 0)
		return status;
	if (!cli->json) {
		print_unit(cli, unit);
		return 0;
	}
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	json_unit(json, unit, true);
	if (hn_unit_desired(unit) != NULL)
		cli_json_redacted(json, hn_view_redacted(hn_unit_desired(unit)));
	hn_json_end(json);
	return cli_json_print(cli, json);
}

int compute_get(cli_run *cli)
{
	CLI_AUTO_OF(hn_resolver) hn_resolver *resolver = NULL;
	CLI_AUTO_OF(hn_view) hn_view *view = NULL;
	hn_json *json = NULL;
	hn_error *error = NULL;
	int status = compute_resolver(cli, &resolver);

	if (status != 0)
		return status;
	if (hn_resolve(resolver, cli_operand(cli, 0), &view, &error) < 0)
		return cli_fail(cli, error);
	if (cli->json) {
		json = cli_json_new();
		hn_json_object(json, NULL);
	}
	for (size_t i = 1; i < cli->operand_count; i++) {
		const char *text;

		if (hn_view_get_text(view, cli->operands[i], &text, &error) < 0) {
			hn_json_free(json);
			return cli_fail(cli, error);
		}
		if (json != NULL) {
			hn_json_text(json, cli->operands[i], text);
			continue;
		}
		cli_text_print(stdout, text, true);
		putchar('\n');
	}
	if (json == NULL)
		return 0;
	cli_json_redacted(json, hn_view_redacted(view));
	hn_json_end(json);
	return cli_json_print(cli, json);
}

static int print_names(cli_run *cli, const char *const *names, size_t count)
{
	hn_json *json;

	if (!cli->json) {
		for (size_t i = 0; i < count; i++) {
			cli_text_print(stdout, names[i], false);
			putchar('\n');
		}
		return 0;
	}
	json = cli_json_new();
	hn_json_object(json, NULL);
	hn_json_array(json, "units");
	for (size_t i = 0; i < count; i++)
		hn_json_text(json, NULL, names[i]);
	hn_json_end(json);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

static int select_in_files(cli_run *cli)
{
	CLI_AUTO_OF(hn_catalog) hn_catalog *catalog = NULL;
	CLI_AUTO_OF(hn_resolver) hn_resolver *resolver = NULL;
	CLI_AUTO_OF(hn_selector) hn_selector *selector = NULL;
	CLI_AUTO_FREE const char **names = NULL;
	size_t count = 0;
	hn_error *error = NULL;
	int status = compute_catalog(cli, &catalog);

	if (status != 0)
		return status;
	if (hn_selector_compile(cli_operand(cli, 0), &selector, &error) < 0 ||
		hn_resolver_new(catalog, &resolver, &error) < 0)
		return cli_fail(cli, error);
	names = cli_alloc(hn_catalog_unit_count(catalog) * sizeof(*names));
	for (size_t i = 0; i < hn_catalog_unit_count(catalog); i++) {
		const char *unit = hn_catalog_unit_at(catalog, i);
		int matches = hn_resolver_select(resolver, selector, unit, &error);

		if (matches < 0)
			return cli_fail(cli, error);
		if (matches > 0)
			names[count++] = unit;
	}
	return print_names(cli, names, count);
}

int compute_select(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	CLI_AUTO_OF(hn_units) hn_units *units = NULL;
	CLI_AUTO_FREE const char **names = NULL;
	hn_error *error = NULL;
	int status;

	if (cli_text_at(cli, "file", 0) != NULL)
		return select_in_files(cli);
	status = compute_open(cli, CLI_READ, &session);
	if (status != 0)
		return status;
	if (hn_units_list(session, cli_operand(cli, 0), false, &units, &error) < 0)
		return cli_fail(cli, error);
	names = cli_alloc(hn_units_count(units) * sizeof(*names));
	for (size_t i = 0; i < hn_units_count(units); i++)
		names[i] = hn_unit_name(hn_units_at(units, i));
	return print_names(cli, names, hn_units_count(units));
}

static int add_history(void *arg, const hn_history_entry *entry)
{
	cli_table *table = arg;
	char when[CLI_TIME_TEXT];

	cli_time_print(entry->when, when);
	cli_table_cellf(table, "%llu", (unsigned long long)entry->generation);
	cli_table_cell(table, when);
	cli_table_cell(table, entry->value == NULL ? "(none)" : entry->value);
	cli_table_cell(table, entry->who);
	cli_table_cell(table, entry->why);
	return 0;
}

static int write_history(void *arg, const hn_history_entry *entry)
{
	hn_json *json = arg;

	hn_json_object(json, NULL);
	hn_json_uint(json, "generation", entry->generation);
	cli_json_time(json, "when", entry->when);
	hn_json_text(json, "value", entry->value);
	hn_json_text(json, "who", entry->who);
	hn_json_text(json, "why", entry->why);
	hn_json_end(json);
	return 0;
}

int compute_history(cli_run *cli)
{
	static const cli_column columns[] = {{.title = "GENERATION", .right = true},
		{.title = "WHEN"}, {.title = "VALUE", .shrink = true}, {.title = "WHO"},
		{.title = "WHY"}};
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	const char *unit = cli_operand(cli, 0), *key = cli_operand(cli, 1);
	hn_json *json = cli->json ? cli_json_new() : NULL;
	hn_error *error = NULL;
	int status = compute_open(cli, CLI_READ, &session);

	if (status != 0) {
		hn_json_free(json);
		return status;
	}
	if (json == NULL) {
		cli_table *table = cli_table_new(columns, CLI_COUNT(columns), 0);
		int result = hn_unit_history(session, unit, key, add_history, table, &error);

		if (result >= 0)
			cli_table_print(cli, table);
		else
			cli_table_free(table);
		if (result < 0)
			return cli_fail(cli, error);
		cli_redacted_print(cli, hn_session_redacted(session));
		return 0;
	}
	hn_json_object(json, NULL);
	hn_json_text(json, "unit", unit);
	hn_json_text(json, "key", key);
	hn_json_array(json, "history");
	if (hn_unit_history(session, unit, key, write_history, json, &error) < 0) {
		hn_json_free(json);
		return cli_fail(cli, error);
	}
	hn_json_end(json);
	cli_json_redacted(json, hn_session_redacted(session));
	hn_json_end(json);
	return cli_json_print(cli, json);
}
