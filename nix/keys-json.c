/* SPDX-License-Identifier: MIT
 *
 * Writes nix/keys.json from lib/tags/keys.def: a flake evaluates before anything is built, so what
 * the module knows of the keys is committed, and tests/nix compares it with this program's output.
 */
#include <stdio.h>

struct row {
	const char *name, *type, *merge, *class_, *reach, *initial, *range, *special, *condition,
		*doc, *since;
};

static const struct row rows[] = {
#define HN_KEY(id, name, type, merge, class_, redact, reach, initial, range, special, condition,   \
	doc, since)                                                                                \
	{name, #type, #merge, #class_, #reach, initial, range, special, condition, doc, since},
#include "tags/keys.def"
#undef HN_KEY
};

static void put_text(const char *name, const char *text, const char *end)
{
	printf("    \"%s\": ", name);
	if (text == NULL) {
		printf("null%s\n", end);
		return;
	}
	putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	printf("\"%s\n", end);
}

/* SET_UNION of the table is set-union to people. */
static void put_word(const char *name, const char *word)
{
	printf("    \"%s\": \"", name);
	for (; *word != '\0'; word++) {
		if (*word == '_')
			putchar('-');
		else
			putchar(*word >= 'A' && *word <= 'Z' ? *word - 'A' + 'a' : *word);
	}
	puts("\",");
}

int main(void)
{
	size_t count = sizeof(rows) / sizeof(rows[0]);

	puts("{");
	for (size_t i = 0; i < count; i++) {
		printf("  \"%s\": {\n", rows[i].name);
		put_word("type", rows[i].type);
		put_word("merge", rows[i].merge);
		put_word("class", rows[i].class_);
		put_word("reach", rows[i].reach);
		put_text("default", rows[i].initial, ",");
		put_text("range", rows[i].range, ",");
		put_text("special", rows[i].special, ",");
		put_text("condition", rows[i].condition, ",");
		put_text("doc", rows[i].doc, ",");
		put_text("since", rows[i].since, "");
		puts(i + 1 < count ? "  }," : "  }");
	}
	puts("}");
	return ferror(stdout) || fflush(stdout) != 0;
}
