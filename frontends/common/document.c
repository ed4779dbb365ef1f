/* SPDX-License-Identifier: MIT
 *
 * What the library gives as JSON, for people: single members, lines, and tables.
 */
#include "cli.h"
#include <stdarg.h>

enum { DEEPEST = 16 };

typedef struct scalar {
	char *place, *value; /* value: NULL for null */
} scalar;

struct cli_document {
	scalar *items;
	size_t count, capacity;
};

static int take(void *arg, const char *place, const char *value)
{
	cli_document *document = arg;

	if (document->count == document->capacity) {
		document->capacity = document->capacity * 2 + 64;
		document->items =
			cli_realloc(document->items, document->capacity, sizeof(*document->items));
	}
	document->items[document->count++] = (scalar){
		.place = cli_format("%s", place),
		.value = value == NULL ? NULL : cli_format("%s", value),
	};
	return 0;
}

cli_document *cli_document_new(const char *json)
{
	cli_document *document = cli_alloc(sizeof(*document));

	if (json != NULL && hn_json_walk(json, take, document, NULL) == 0)
		return document;
	cli_document_free(document);
	return NULL;
}

void cli_document_free(cli_document *document)
{
	for (size_t i = 0; document != NULL && i < document->count; i++) {
		free(document->items[i].place);
		free(document->items[i].value);
	}
	if (document != NULL)
		free(document->items);
	free(document);
}

static const char *text_at(const cli_document *document, const char *place)
{
	for (size_t i = 0; i < document->count; i++) {
		if (strcmp(document->items[i].place, place) == 0)
			return document->items[i].value;
	}
	return NULL;
}

CLI_PRINTF(1, 0) static char *place_of(const char *format, va_list arguments)
{
	char *place = NULL;

	if (vasprintf(&place, format, arguments) < 0)
		place = NULL;
	return place == NULL ? cli_format("%s", "") : place;
}

const char *cli_document_text(const cli_document *document, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	CLI_AUTO_FREE char *place = place_of(format, arguments);
	va_end(arguments);
	return text_at(document, place);
}

static bool has(const cli_document *document, const char *place)
{
	size_t size = strlen(place);

	for (size_t i = 0; i < document->count; i++) {
		const char *item = document->items[i].place;

		if (strncmp(item, place, size) == 0 && (item[size] == '/' || item[size] == '\0'))
			return true;
	}
	return false;
}

bool cli_document_has(const cli_document *document, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	CLI_AUTO_FREE char *place = place_of(format, arguments);
	va_end(arguments);
	return has(document, place);
}

static char *list_at(const cli_document *document, const char *array)
{
	char *list = cli_format("%s", "");

	for (size_t i = 0;; i++) {
		CLI_AUTO_FREE char *place = cli_format("%s/%zu", array, i);
		const char *value = text_at(document, place);
		char *longer;

		if (value == NULL)
			return list;
		longer = cli_format("%s%s%s", list, i == 0 ? "" : ", ", value);
		free(list);
		list = longer;
	}
}

char *cli_document_list(const cli_document *document, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	CLI_AUTO_FREE char *place = place_of(format, arguments);
	va_end(arguments);
	return list_at(document, place);
}

/* ---- lines ---- */

typedef struct words { /* of a pointer */
	const char *at[DEEPEST];
	size_t size[DEEPEST];
	size_t count;
} words;

static void split(const char *place, words *out)
{
	out->count = 0;
	while (*place == '/' && out->count < DEEPEST) {
		size_t size = strcspn(place + 1, "/");

		out->at[out->count] = place + 1;
		out->size[out->count++] = size;
		place += 1 + size;
	}
}

static bool is_index(const words *path, size_t n)
{
	return path->size[n] > 0 && strspn(path->at[n], "0123456789") >= path->size[n];
}

static size_t shared(const words *left, const words *right)
{
	size_t n = 0;

	while (n < left->count && n < right->count && left->size[n] == right->size[n] &&
		memcmp(left->at[n], right->at[n], left->size[n]) == 0)
		n++;
	return n;
}

/* Items of a list stand under its name, what they are made of behind the dash. */
static size_t indent_of(const words *path, size_t n)
{
	size_t indent = 0;

	for (size_t i = 0; i < n; i++)
		indent += is_index(path, i) || !is_index(path, i + 1) ? 2 : 0;
	return indent;
}

static void begin_line(FILE *file, const words *path, size_t n, bool *dash)
{
	size_t indent = indent_of(path, n);

	fprintf(file, "%*s", (int)(*dash ? indent - 2 : indent), "");
	if (*dash)
		fputs("- ", file);
	*dash = false;
	CLI_AUTO_FREE char *word = cli_strndup(path->at[n], path->size[n]);
	cli_text_print(file, word, false);
	fputc(':', file);
}

static void print_value(FILE *file, const char *value)
{
	fputc(' ', file);
	cli_text_print(file, value == NULL ? "-" : value, false);
}

/* A list of scalars is one line: how many items it took. */
static size_t print_line(
	FILE *file, const cli_document *document, size_t at, const words *path, size_t known)
{
	bool list = path->count > 1 && is_index(path, path->count - 1);
	size_t last = list ? path->count - 2 : path->count - 1, taken = 1;
	bool dash = false;
	words next;

	for (size_t n = known; n < last; n++) {
		if (is_index(path, n)) {
			dash = true;
			continue;
		}
		begin_line(file, path, n, &dash);
		fputc('\n', file);
	}
	begin_line(file, path, last, &dash);
	print_value(file, document->items[at].value);
	for (; list && at + taken < document->count; taken++) {
		split(document->items[at + taken].place, &next);
		if (next.count != path->count || shared(&next, path) != last + 1)
			break;
		fputc(',', file);
		print_value(file, document->items[at + taken].value);
	}
	fputc('\n', file);
	return taken;
}

void cli_document_print(FILE *file, const cli_document *document)
{
	words before = {.count = 0}, path;

	for (size_t i = 0; i < document->count;) {
		split(document->items[i].place, &path);
		if (path.count == 0) {
			cli_text_print(file, document->items[i].value, false);
			fputc('\n', file);
			return;
		}
		i += print_line(file, document, i, &path, shared(&before, &path));
		before = path;
	}
}

/* ---- tables ---- */

static void add_cell(
	cli_table *table, const cli_document *document, const char *row, const cli_member *member)
{
	CLI_AUTO_FREE char *place = cli_format("%s/%s", row, member->name);
	const char *value = text_at(document, place);
	char when[CLI_TIME_TEXT];

	if (member->kind == CLI_MEMBER_LIST) {
		CLI_AUTO_FREE char *list = list_at(document, place);

		cli_table_cell(table, list);
	} else if (member->kind == CLI_MEMBER_TIME && value != NULL) {
		cli_time_print(strtoll(value, NULL, 10) * 1000000000, when);
		cli_table_cell(table, when);
	} else if (value != NULL && strcmp(value, "true") == 0) {
		cli_table_cell(table, member->name);
	} else {
		cli_table_cell(table, value == NULL || strcmp(value, "false") == 0 ? NULL : value);
	}
}

void cli_document_table(const cli_run *cli, const cli_document *document, const char *array,
	const cli_column *columns, const cli_member *members, size_t count)
{
	cli_table *table = cli_table_new(columns, count, 0);

	for (size_t i = 0;; i++) {
		CLI_AUTO_FREE char *row = cli_format("%s/%zu", array, i);

		if (!has(document, row))
			break;
		for (size_t n = 0; n < count; n++)
			add_cell(table, document, row, &members[n]);
	}
	cli_table_print(cli, table);
}

int cli_json_given(const cli_run *cli, const char *text)
{
	hn_json *json;

	if (!cli->json)
		return 1;
	json = cli_json_new();
	hn_json_raw(json, NULL, text);
	return cli_json_print(cli, json);
}
