/* SPDX-License-Identifier: MIT
 *
 * One tag or policy as declared: the library's description, printed for people.
 */
#include "compute.h"
#include <stdlib.h>
#include <string.h>

typedef struct description {
	char *kind, *select, *priority, *implies, *declared;
	char *key, *value, *of_value, *file, *line; /* of the row or place that is being read */
	cli_table *table;
	size_t rows;
} description;

static void set_text(char **text, const char *value)
{
	free(*text);
	*text = value == NULL ? NULL : cli_format("%s", value);
}

static void append(char **list, const char *divider, const char *text)
{
	char *longer = cli_format(
		"%s%s%s", *list == NULL ? "" : *list, *list == NULL ? "" : divider, text);

	free(*list);
	*list = longer;
}

/* The column ends a place, and the place a value. */
static void end_place(description *d, const char *place, const char *column)
{
	CLI_AUTO_FREE char *where =
		d->file == NULL ? cli_format("%s", "")
				: cli_format("%s:%s:%s", d->file, d->line == NULL ? "" : d->line,
					  column == NULL ? "" : column);

	if (strncmp(place, "/declared/", 10) == 0) {
		append(&d->declared, ", ", where);
		return;
	}
	cli_table_cell(d->table, d->key);
	cli_table_cell(d->table, d->value == NULL ? "null" : d->value);
	cli_table_cell(d->table, d->of_value);
	cli_table_cell(d->table, where);
	d->rows++;
}

static int take(void *arg, const char *place, const char *value)
{
	description *d = arg;
	const struct {
		const char *name;
		char **text;
	} heads[] = {{"/kind", &d->kind}, {"/select", &d->select}, {"/priority", &d->priority}},
	  leaves[] = {{"/key", &d->key}, {"/value", &d->value}, {"/priority", &d->of_value},
		  {"/file", &d->file}, {"/line", &d->line}};
	const char *leaf = strrchr(place, '/');

	if (leaf == NULL)
		return 0;
	for (size_t i = 0; leaf == place && i < CLI_COUNT(heads); i++)
		if (strcmp(place, heads[i].name) == 0)
			set_text(heads[i].text, value);
	for (size_t i = 0; leaf != place && i < CLI_COUNT(leaves); i++)
		if (strcmp(leaf, leaves[i].name) == 0)
			set_text(leaves[i].text, value);
	if (strncmp(place, "/implies/", 9) == 0 && value != NULL)
		append(&d->implies, " ", value);
	if (strcmp(leaf, "/column") == 0)
		end_place(d, place, value);
	return 0;
}

static void print_line(const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	printf("  %-9s", name);
	cli_text_print(stdout, text, false);
	putchar('\n');
}

static void print(const cli_run *cli, const char *what, const char *name, description *d)
{
	printf("%s%s%s  %s\n", cli_style_on(cli->color_out, CLI_BOLD), name,
		cli_style_off(cli->color_out, CLI_BOLD), what);
	print_line("kind", d->kind);
	print_line("priority", d->priority);
	print_line("select", d->select);
	print_line("implies", d->implies);
	print_line("declared", d->declared);
	if (d->rows > 0) {
		putchar('\n');
		cli_table_print(cli, d->table);
	} else {
		cli_table_free(d->table);
	}
}

int compute_describe(cli_run *cli, const char *what, const char *name, const char *json)
{
	static const cli_column columns[] = {{.title = "KEY"}, {.title = "VALUE", .shrink = true},
		{.title = "PRIORITY", .right = true}, {.title = "WHERE"}};
	description d = {.table = cli_table_new(columns, CLI_COUNT(columns), 2)};
	hn_error *error = NULL;
	int result = hn_json_walk(json, take, &d, &error);

	if (result == 0)
		print(cli, what, name, &d);
	else
		cli_table_free(d.table);
	char *texts[] = {d.kind, d.select, d.priority, d.implies, d.declared, d.key, d.value,
		d.of_value, d.file, d.line};

	for (size_t i = 0; i < CLI_COUNT(texts); i++)
		free(texts[i]);
	return result == 0 ? 0 : cli_fail(cli, error);
}
