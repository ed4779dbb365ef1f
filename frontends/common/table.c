/* SPDX-License-Identifier: MIT
 *
 * Tables: columns as wide as their widest cell, cut to the terminal only on a terminal.
 */
#include "cli.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct table_cell {
	char *text; /* clean */
	cli_style style;
} table_cell;

struct cli_table {
	const cli_column *columns;
	size_t column_count, indent;
	table_cell *cells;
	size_t count, capacity;
	size_t *widths;
};

cli_table *cli_table_new(const cli_column *columns, size_t count, size_t indent)
{
	cli_table *table = cli_alloc(sizeof(*table));

	table->columns = columns;
	table->column_count = count;
	table->indent = indent;
	table->widths = cli_alloc(count * sizeof(*table->widths));
	if (columns[0].title == NULL)
		return table;
	for (size_t i = 0; i < count; i++) {
		cli_table_cell(table, columns[i].title);
		cli_table_style(table, CLI_BOLD);
	}
	return table;
}

void cli_table_cell(cli_table *table, const char *text)
{
	if (table->count == table->capacity) {
		table->capacity = table->capacity * 2 + 32;
		table->cells = cli_realloc(table->cells, table->capacity, sizeof(*table->cells));
	}
	size_t column = table->count % table->column_count;
	char *clean = cli_text_clean(text == NULL ? "" : text);
	size_t width = cli_text_width(clean, strlen(clean));

	if (width > table->widths[column])
		table->widths[column] = width;
	table->cells[table->count++] = (table_cell){clean, CLI_PLAIN};
}

void cli_table_cellf(cli_table *table, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	cli_table_cell(table, text);
	free(text);
}

void cli_table_style(cli_table *table, cli_style style)
{
	if (table->count > 0)
		table->cells[table->count - 1].style = style;
}

static size_t gap_before(const cli_table *table, size_t column)
{
	if (column == 0)
		return table->indent;
	return table->columns[column].gap == 0 ? 2 : table->columns[column].gap;
}

/* Takes what is too much from the columns that may be cut, the widest first; none below 8. */
static void fit(cli_table *table, size_t room)
{
	enum { NARROWEST = 8 };

	for (;;) {
		size_t total = 0, widest = SIZE_MAX;

		for (size_t i = 0; i < table->column_count; i++) {
			total += gap_before(table, i) + table->widths[i];
			if (table->columns[i].shrink && table->widths[i] > NARROWEST &&
				(widest == SIZE_MAX || table->widths[i] > table->widths[widest]))
				widest = i;
		}
		if (total <= room || widest == SIZE_MAX)
			return;
		table->widths[widest]--;
	}
}

/* Bytes of text that fit into width columns. */
static size_t bytes_within(const char *text, size_t width)
{
	size_t size = strlen(text), at = 0;

	while (at < size) {
		size_t next = at + 1;

		while (next < size && ((unsigned char)text[next] & 0xc0) == 0x80)
			next++;
		if (cli_text_width(text, next) > width)
			break;
		at = next;
	}
	return at;
}

static void spaces(size_t count)
{
	for (; count > 0; count--)
		putchar(' ');
}

static void print_row(const cli_run *cli, const cli_table *table, const table_cell *row)
{
	size_t last = table->column_count, owed = 0; /* spaces are printed only before a text */

	while (last > 0 && row[last - 1].text[0] == '\0')
		last--;
	for (size_t i = 0; i < last; i++) {
		const char *text = row[i].text;
		size_t size = strlen(text), width = cli_text_width(text, size),
		       room = table->widths[i];
		bool cut = width > room;

		if (cut) {
			size = bytes_within(text, room - 1);
			width = cli_text_width(text, size) + 1;
		}
		owed += gap_before(table, i) + (table->columns[i].right ? room - width : 0);
		if (size > 0 || cut) {
			spaces(owed);
			owed = 0;
			printf("%s%.*s%s%s", cli_style_on(cli->color_out, row[i].style), (int)size,
				text, cut ? "…" : "", cli_style_off(cli->color_out, row[i].style));
		}
		owed += table->columns[i].right ? 0 : room - width;
	}
	putchar('\n');
}

void cli_table_free(cli_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table->widths);
	free(table);
}

void cli_table_print(const cli_run *cli, cli_table *table)
{
	size_t terminal = cli_terminal_width(stdout);

	while (table->count % table->column_count != 0)
		cli_table_cell(table, NULL);
	if (terminal > 0)
		fit(table, terminal);
	for (size_t i = 0; i < table->count; i += table->column_count)
		print_row(cli, table, &table->cells[i]);
	cli_table_free(table);
}
