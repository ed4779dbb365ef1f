/* SPDX-License-Identifier: MIT
 *
 * keys, tags, policies, check: what can be declared, what was, and whether a declaration is well.
 */
#include "compute.h"
#include <stdlib.h>
#include <string.h>

static void write_key(hn_json *json, const hn_key *key)
{
	hn_json_object(json, NULL);
	hn_json_uint(json, "id", key->id);
	hn_json_text(json, "name", key->name);
	hn_json_text(json, "type", hn_type_name(key->type));
	hn_json_text(json, "merge", hn_merge_name(key->merge));
	hn_json_text(json, "class", hn_class_name(key->class_));
	hn_json_text(json, "default", key->default_text);
	hn_json_text(json, "range", key->range);
	hn_json_text(json, "special", key->special);
	hn_json_text(json, "condition", key->condition);
	hn_json_text(json, "doc", key->doc);
	hn_json_text(json, "since", key->since);
	hn_json_end(json);
}

static void print_key(const cli_run *cli, const hn_key *key)
{
	printf("%s%s%s\n  %s\n", cli_style_on(cli->color_out, CLI_BOLD), key->name,
		cli_style_off(cli->color_out, CLI_BOLD), key->doc);
	printf("  type     %s", hn_type_name(key->type));
	if (key->range[0] != '\0')
		printf("  %s", key->range);
	if (key->special[0] != '\0')
		printf("  or: %s", key->special);
	printf("\n  merge    %s\n  class    %s", hn_merge_name(key->merge),
		hn_class_name(key->class_));
	if (key->condition[0] != '\0')
		printf(": %s", key->condition);
	if (key->default_text == NULL)
		fputs("\n  default  none\n", stdout);
	else
		printf("\n  default  %s\n",
			key->default_text[0] == '\0' ? "(empty)" : key->default_text);
	printf("  since    %s\n", key->since);
}

static bool key_wanted(const cli_run *cli, const hn_key *key)
{
	const char *wanted = cli_operand(cli, 0);

	if (wanted == NULL)
		return true;
	return hn_key_find(wanted) == key || (strncmp(key->name, wanted, strlen(wanted)) == 0 &&
						     key->name[strlen(wanted)] == '.');
}

/* What the library says of a key that it does not know, before anything is opened. */
int compute_no_key(cli_run *cli, const char *name)
{
	const char *near = hn_key_nearest(name);
	CLI_AUTO_FREE char *hint = near == NULL
					   ? cli_format("%s keys lists them", cli->program->name)
					   : cli_format("did you mean %s?", near);

	return cli_refuse(cli, HN_ESCHEMA, hint, "there is no key '%s'", name);
}

static int keys_json(cli_run *cli)
{
	hn_json *json = cli_json_new();
	const hn_key *key;

	hn_json_object(json, NULL);
	hn_json_array(json, "keys");
	for (size_t i = 0; (key = hn_key_at(i)) != NULL; i++) {
		if (key_wanted(cli, key))
			write_key(json, key);
	}
	hn_json_end(json);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

int compute_keys(cli_run *cli)
{
	static const cli_column columns[] = {{.title = "KEY"}, {.title = "TYPE"},
		{.title = "MERGE"}, {.title = "CLASS"}, {.title = "DEFAULT"},
		{.title = "RANGE", .shrink = true}};
	const hn_key *key, *only = NULL;
	size_t count = 0;

	for (size_t i = 0; (key = hn_key_at(i)) != NULL; i++) {
		if (!key_wanted(cli, key))
			continue;
		only = key;
		count++;
	}
	if (count == 0)
		return compute_no_key(cli, cli_operand(cli, 0));
	if (cli->json)
		return keys_json(cli);
	if (count == 1) {
		print_key(cli, only);
		return 0;
	}
	cli_table *table = cli_table_new(columns, CLI_COUNT(columns), 0);

	for (size_t i = 0; (key = hn_key_at(i)) != NULL; i++) {
		if (!key_wanted(cli, key))
			continue;
		cli_table_cell(table, key->name);
		cli_table_cell(table, hn_type_name(key->type));
		cli_table_cell(table, hn_merge_name(key->merge));
		cli_table_cell(table, hn_class_name(key->class_));
		cli_table_cell(table, key->default_text == NULL ? "-" : key->default_text);
		cli_table_cellf(table, "%s%s%s", key->range,
			key->range[0] != '\0' && key->special[0] != '\0' ? " or " : "",
			key->special);
	}
	cli_table_print(cli, table);
	return 0;
}

typedef const char *(*name_at)(const hn_catalog *catalog, size_t index);

static int describe(cli_run *cli, const hn_catalog *catalog, const char *what, const char *name)
{
	CLI_AUTO_TEXT char *text = NULL;
	hn_error *error = NULL;

	if (hn_catalog_describe(catalog, what, name, &text, &error) < 0)
		return cli_fail(cli, error);
	if (!cli->json)
		return compute_describe(cli, what, name, text);
	puts(text);
	return 0;
}

static int list_names(cli_run *cli, const char *what, const char *plural, name_at at)
{
	CLI_AUTO_OF(hn_catalog) hn_catalog *catalog = NULL;
	hn_error *error = NULL;
	hn_json *json;
	int status = compute_catalog(cli, &catalog);

	if (status != 0)
		return status;
	if (cli_operand(cli, 0) != NULL)
		return describe(cli, catalog, what, cli_operand(cli, 0));
	size_t count = strcmp(what, "tag") == 0 ? hn_catalog_tag_count(catalog)
						: hn_catalog_policy_count(catalog);
	if (!cli->json) {
		for (size_t i = 0; i < count; i++)
			puts(at(catalog, i));
		return 0;
	}
	json = cli_json_new();
	hn_json_object(json, NULL);
	hn_json_array(json, plural);
	for (size_t i = 0; i < count; i++) {
		CLI_AUTO_TEXT char *text = NULL;

		if (hn_catalog_describe(catalog, what, at(catalog, i), &text, &error) < 0) {
			hn_json_free(json);
			return cli_fail(cli, error);
		}
		hn_json_raw(json, NULL, text);
	}
	hn_json_end(json);
	hn_json_end(json);
	return cli_json_print(cli, json);
}

int compute_tags(cli_run *cli)
{
	return list_names(cli, "tag", "tags", hn_catalog_tag_at);
}

int compute_policies(cli_run *cli)
{
	return list_names(cli, "policy", "policies", hn_catalog_policy_at);
}
