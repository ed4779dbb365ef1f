/* SPDX-License-Identifier: MIT
 *
 * Writes hypernix-keys(7) from lib/tags/keys.def; runs while building.
 */
#include <stdio.h>
#include <string.h>

struct row {
	const char *name, *type, *merge, *class_, *redact, *reach, *initial, *range, *special,
		*condition, *doc, *since;
};

static const struct row rows[] = {
#define HN_KEY(id, name, type, merge, class_, redact, reach, initial, range, special, condition,   \
	doc, since)                                                                                \
	{name, #type, #merge, #class_, #redact, #reach, initial, range, special, condition, doc,   \
		since},
#include "tags/keys.def"
#undef HN_KEY
};

/* Text as roff wants it: hyphens that stay hyphens, no line that begins with a control character.
 */
static void put(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text; text++) {
		if (*text == '-')
			fputs("\\-", stdout);
		else if (*text == '\\')
			fputs("\\e", stdout);
		else
			putchar(*text);
	}
}

/* A word of an enumeration of the library: SET_UNION is set-union to people. */
static void put_word(const char *word)
{
	for (; *word; word++) {
		if (*word == '_')
			fputs("\\-", stdout);
		else
			putchar(*word >= 'A' && *word <= 'Z' ? *word - 'A' + 'a' : *word);
	}
}

static void put_field(const char *label, const char *text)
{
	if (!*text)
		return;
	printf("; %s ", label);
	put(text);
}

/* TEXTS: people write what they like, so each class that it might hold something of. */
static void put_redact(const char *class_)
{
	if (strcmp(class_, "NONE") == 0)
		return;
	fputs(" Left out for a token that redacts ", stdout);
	if (strcmp(class_, "TEXTS") == 0)
		fputs("addresses, paths, hardware, persons or tags", stdout);
	else
		put_word(class_);
	putchar('.');
}

static void put_row(const struct row *row)
{
	fputs(".TP\n.B ", stdout);
	put(row->name);
	fputs("\n.I ", stdout);
	put_word(row->type);
	fputs("\\fR", stdout);
	put_field("range", row->range);
	put_field("or the word", row->special);
	if (row->initial && *row->initial)
		put_field("default", row->initial);
	else
		fputs(row->initial ? "; default empty" : "; no default", stdout);
	fputs("; merge ", stdout);
	put_word(row->merge);
	fputs("; change ", stdout);
	put_word(row->class_);
	put_field("if", row->condition);
	fputs(".\n.br\n", stdout);
	put(row->doc);
	put_redact(row->redact);
	if (strcmp(row->reach, "HOST") == 0)
		fputs(" No component of an image can set it.", stdout);
	printf(" Since %s.\n", row->since);
}

/* Rows of one first word stand together: compute, memory, disks ... */
static size_t group_size(const char *name)
{
	return strcspn(name, ".");
}

static const char introduction[] =
	".SH DESCRIPTION\n"
	"A key is one setting of a unit. Every key has a type, a rule by which the definitions of several\n"
	"tags, policies and units become one value, and a change class that says what a new value costs a\n"
	"running unit. This page is made from the table that the library itself reads.\n"
	".SS Merge rules\n"
	".TP\n.B single\nThe definition with the smallest priority number wins. Two different values of the\n"
	"same number are a conflict.\n"
	".TP\n.BR min \", \" max \", \" and \", \" or\nAll definitions are combined, whatever their priority: floors and\n"
	"ceilings can be tightened, not overridden.\n"
	".TP\n.B set\\-union\nThe items of all definitions, each once.\n"
	".TP\n.B ordered\\-list\nThe items of all definitions, by order, layer and place.\n"
	".SS Change classes\n"
	".TP\n.B hot\nApplied to the running unit.\n"
	".TP\n.B hot\\-if\nApplied to the running unit when the condition holds, else like restart.\n"
	".TP\n.B next\nTaken at the next start; never asks for one.\n"
	".TP\n.B restart\nPending until the unit is restarted, see update.restart.\n"
	".TP\n.B move\nNeeds another host.\n"
	".TP\n.B fixed\nRefused once the unit exists; replace the unit.\n"
	".SS Names with a star\nEach name in the place of the star is a setting of its own: disks.root.size.\n";

int main(int argc, char **argv)
{
	const char *group = "";

	puts(".\\\" SPDX-License-Identifier: MIT\n.\\\" Made from lib/tags/keys.def; do not edit.");
	printf(".TH hypernix\\-keys 7 \"%s\" \"hypernix\" \"hypernix settings\"\n.SH NAME\n",
		argc > 1 ? argv[1] : "");
	puts("hypernix\\-keys \\- the settings of a unit");
	fputs(introduction, stdout);
	puts(".SH KEYS");
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		size_t size = group_size(rows[n].name);

		if (size != group_size(group) || memcmp(group, rows[n].name, size) != 0)
			printf(".SS %.*s\n", (int)size, rows[n].name);
		group = rows[n].name;
		put_row(&rows[n]);
	}
	puts(".SH SEE ALSO\n.BR hv\\-compute (1),\n.BR hypernix\\-declaration (5)");
	return ferror(stdout) || fflush(stdout) != 0;
}
