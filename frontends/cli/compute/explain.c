/* SPDX-License-Identifier: MIT
 *
 * explain: which definition won, what every other one became, and what-if.
 */
#include "compute.h"
#include <stdlib.h>
#include <string.h>

/* "up to memory.max and ..." with the value after each key that is named. */
static char *condition_text(const hn_view *view, const char *condition)
{
	char *text = cli_format("%s", strncmp(condition, "up to", 5) == 0 ? "" : "if ");

	for (const char *word = condition; *word != '\0';) {
		size_t size = strcspn(word, " ");
		CLI_AUTO_FREE char *bare = cli_strndup(word, size);
		const char *value = NULL;
		char *longer;

		if (strchr(bare, '.') != NULL && hn_key_find(bare) != NULL)
			(void)hn_view_get_text(view, bare, &value, NULL);
		if (value != NULL && (value[0] < '0' || value[0] > '9'))
			value = NULL; /* a word such as "size" says nothing here */
		longer = cli_format("%s%s%s%s%s", text, bare, value == NULL ? "" : " ",
			value == NULL ? "" : value, word[size] == '\0' ? "" : " ");
		free(text);
		text = longer;
		word += size + (word[size] == ' ');
	}
	return text;
}

static void print_head(const cli_run *cli, const hn_view *view, const char *name, const hn_key *key)
{
	const char *value;

	printf("%s", cli_style_on(cli->color_out, CLI_BOLD));
	cli_text_print(stdout, name, false);
	if (hn_view_get_text(view, name, &value, NULL) == 0) {
		fputs(" = ", stdout);
		cli_text_print(stdout, value, false);
	} else {
		fputs(" has no value", stdout);
	}
	printf("%s    %s; ", cli_style_off(cli->color_out, CLI_BOLD), hn_merge_name(key->merge));
	if (key->class_ == HN_CLASS_HOT_IF) {
		CLI_AUTO_FREE char *condition = condition_text(view, key->condition);

		printf("hot %s\n", condition);
	} else {
		puts(hn_class_name(key->class_));
	}
}

static bool is_number(hn_type type)
{
	return type == HN_TYPE_UINT || type == HN_TYPE_INT || type == HN_TYPE_SIZE ||
	       type == HN_TYPE_DURATION || type == HN_TYPE_RATIO || type == HN_TYPE_RATE;
}

static cli_style mark_style(hn_mark mark)
{
	if (mark == HN_MARK_WON || mark == HN_MARK_MERGED)
		return CLI_GREEN;
	return mark == HN_MARK_SAME ? CLI_PLAIN : CLI_DIM;
}

static void print_origins(
	const cli_run *cli, const hn_view *view, const char *name, const hn_key *key)
{
	bool number = is_number(key->type);
	const cli_column columns[] = {{.title = NULL}, {.gap = 2}, {.gap = 2},
		{.right = number, .gap = number ? 1 : 2}, {.gap = 3}};
	cli_table *table = cli_table_new(columns, CLI_COUNT(columns), 2);
	hn_origin origin = {.size = sizeof(origin)};

	for (size_t nth = 0; hn_view_explain(view, name, nth, &origin) == 0; nth++) {
		CLI_AUTO_FREE char *where = NULL;

		compute_where(origin.file, origin.line, origin.column, &where);
		if (origin.mark == HN_MARK_IGNORED)
			cli_table_cellf(table, "%-11s", hn_mark_name(origin.mark));
		else
			cli_table_cellf(
				table, "%-7s%4d", hn_mark_name(origin.mark), origin.priority);
		cli_table_style(table, mark_style(origin.mark));
		cli_table_cell(table, origin.source);
		cli_table_cell(table, where);
		cli_table_cell(table, origin.value);
		if (origin.who != NULL && origin.note != NULL)
			cli_table_cellf(table, "%s (%s)", origin.note, origin.who);
		else
			cli_table_cell(table, origin.note == NULL ? origin.who : origin.note);
		origin.size = sizeof(origin);
	}
	cli_table_print(cli, table);
}

static void write_key(hn_json *json, const hn_view *view, const char *name, const hn_key *key,
	const char *why_not)
{
	hn_origin origin = {.size = sizeof(origin)};
	const char *value = NULL;

	(void)hn_view_get_text(view, name, &value, NULL);
	hn_json_text(json, "key", name);
	hn_json_text(json, "value", value);
	hn_json_text(json, "type", hn_type_name(key->type));
	hn_json_text(json, "merge", hn_merge_name(key->merge));
	hn_json_text(json, "class", hn_class_name(key->class_));
	hn_json_text(json, "condition", key->condition[0] == '\0' ? NULL : key->condition);
	hn_json_array(json, "origins");
	for (size_t nth = 0; hn_view_explain(view, name, nth, &origin) == 0; nth++) {
		compute_json_origin(json, &origin);
		origin.size = sizeof(origin);
	}
	hn_json_end(json);
	if (why_not != NULL)
		hn_json_text(json, "why_not", why_not);
}

static int what_if(cli_run *cli, hn_resolver *resolver, const char *unit, hn_view **view)
{
	CLI_AUTO_FREE const char **words = NULL;
	size_t count = 0;
	const char *text;

	while ((text = cli_text_at(cli, "if", count)) != NULL) {
		words = cli_realloc(words, count + 1, sizeof(*words));
		words[count++] = text;
	}
	return compute_what_if(cli, resolver, unit, words, count, view);
}

static int explain_json(cli_run *cli, hn_view *before, hn_view *after, const char *name,
	const hn_key *key, const char *why_not)
{
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	hn_json_text(json, "unit", cli_operand(cli, 0));
	if (cli_text_at(cli, "if", 0) != NULL) {
		const char *text;

		hn_json_array(json, "if");
		for (size_t i = 0; (text = cli_text_at(cli, "if", i)) != NULL; i++)
			hn_json_text(json, NULL, text);
		hn_json_end(json);
		compute_json_diff(json, before, after);
	}
	if (name != NULL)
		write_key(json, after, name, key, why_not);
	if (cli_flag(cli, "all"))
		compute_json_values(json, after);
	cli_json_redacted(json, hn_view_redacted(after));
	hn_json_end(json);
	return cli_json_print(cli, json);
}

static void explain_text(cli_run *cli, hn_view *before, hn_view *after, const char *name,
	const hn_key *key, const char *why_not)
{
	if (cli_text_at(cli, "if", 0) != NULL)
		compute_diff_print(cli, before, after);
	if (cli_flag(cli, "all"))
		compute_values_print(cli, after);
	if (name == NULL)
		return;
	print_head(cli, after, name, key);
	print_origins(cli, after, name, key);
	if (why_not != NULL) {
		cli_text_print(stdout, why_not, true);
		if (why_not[0] != '\0' && why_not[strlen(why_not) - 1] != '\n')
			putchar('\n');
	}
}

static int key_of(cli_run *cli, const char *name, const hn_key **key)
{
	*key = name == NULL ? NULL : hn_key_find(name);
	if (*key != NULL)
		return 0;
	if (name == NULL) {
		if (cli_flag(cli, "all") || cli_text_at(cli, "if", 0) != NULL)
			return 0;
		return cli_refuse(
			cli, HN_EINVAL, "name a key, or give --all", "explain: which key?");
	}
	return compute_no_key(cli, name);
}

int compute_explain(cli_run *cli)
{
	CLI_AUTO_OF(hn_resolver) hn_resolver *resolver = NULL;
	CLI_AUTO_OF(hn_view) hn_view *before = NULL;
	CLI_AUTO_OF(hn_view) hn_view *wished = NULL;
	CLI_AUTO_TEXT char *why_not = NULL;
	const char *unit = cli_operand(cli, 0), *name = cli_operand(cli, 1);
	const char *value = cli_text(cli, "why-not");
	const hn_key *key;
	hn_error *error = NULL;
	int status = key_of(cli, name, &key);

	if (status == 0 && value != NULL && name == NULL)
		status = cli_refuse(cli, HN_EINVAL, "name a key", "--why-not: of which key?");
	if (status == 0)
		status = compute_resolver(cli, &resolver);
	if (status != 0)
		return status;
	if (hn_resolve(resolver, unit, &before, &error) < 0)
		return cli_fail(cli, error);
	if (cli_text_at(cli, "if", 0) != NULL) {
		status = what_if(cli, resolver, unit, &wished);
		if (status != 0)
			return status;
	}
	hn_view *after = wished == NULL ? before : wished;
	const char *text;

	/* a key that is left out has a value, or has none: that is not told either */
	if (name != NULL && hn_view_get_text(after, name, &text, &error) == HN_EDENIED)
		return cli_fail(cli, error);
	error = hn_error_unref(error);
	if (value != NULL && hn_view_why_not(after, name, value, &why_not, &error) < 0)
		return cli_fail(cli, error);
	if (cli->json)
		return explain_json(cli, before, after, name, key, why_not);
	explain_text(cli, before, after, name, key, why_not);
	cli_redacted_print(cli, hn_view_redacted(after));
	return 0;
}
