/* SPDX-License-Identifier: MIT
 *
 * Values and chains of a view against the naive answer.
 */
#include "tags.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t seed, checks;

__attribute__((format(printf, 1, 2), noreturn)) void wrong(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "not ok: --count 1 --seed %llu: ", (unsigned long long)seed);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

void must(int rc, hn_error **err, const char *what)
{
	if (rc < 0)
		wrong("%s: %s: %s", what, hn_code_name((hn_code)rc),
			err != NULL ? hn_error_message(*err) : "-");
}

static void compare_lines(const hn_view *view, const fleet *f, const answer *a, int index,
	const char *expected, bool stored)
{
	const key *k = &keys[index];
	hn_origin got = {.size = sizeof(got)};
	size_t nth = 0;

	for (int i = 0; i < a->count[index]; i++, nth++) {
		const line *l = &a->lines[index][i];
		bool placed = l->layer >= HN_LAYER_UNIT && l->layer != HN_LAYER_FROZEN;

		if (hn_view_explain(view, k->name, nth, &got) < 0)
			wrong("%s of %s: line %zu is missing", k->name, hn_view_unit(view), nth);
		if ((int)got.layer != l->layer || (int)got.mark != l->mark ||
			got.priority != l->priority || strcmp(got.source, l->source) != 0 ||
			strcmp(got.value, value_of(l)) != 0 ||
			(placed && got.line != (uint32_t)l->def->line))
			wrong("%s of %s: line %zu is %s %d %s %s :%u, not %s %d %s %s :%d", k->name,
				hn_view_unit(view), nth, hn_mark_name(got.mark), got.priority,
				got.source, got.value, got.line, hn_mark_name((hn_mark)l->mark),
				l->priority, l->source, value_of(l), l->def->line);
	}
	if (k->fallback != NULL && expected != NULL) {
		if (hn_view_explain(view, k->name, nth++, &got) < 0 ||
			got.layer != HN_LAYER_SCHEMA ||
			got.mark != (a->has[index] ? HN_MARK_LOST : HN_MARK_WON))
			wrong("%s of %s: the schema's line is missing%s", k->name,
				hn_view_unit(view), stored ? " from what is stored" : "");
	}
	/* What is stored of a name that the unit does not use at all is nothing. */
	for (int i = 0; i < POLICIES && !(stored && a->count[index] == 0 && expected == NULL); i++)
		for (int j = 0; !a->applied[i] && j < DEFS; j++) {
			const def *d = &f->policies[i].defs[j];

			if (!d->used || d->key != index)
				continue;
			if (hn_view_explain(view, k->name, nth++, &got) < 0 ||
				got.mark != HN_MARK_IGNORED || got.line != (uint32_t)d->line)
				wrong("%s of %s: p%d is not shown as ignored", k->name,
					hn_view_unit(view), i);
		}
	if (hn_view_explain(view, k->name, nth, &got) != HN_ENOENT)
		wrong("%s of %s: a line too many: %s %s", k->name, hn_view_unit(view), got.source,
			got.value);
	checks += nth + 1;
}

void compare(const hn_view *view, const fleet *f, const answer *a, bool stored)
{
	for (int i = 0; i < KEYS; i++) {
		const char *got = NULL, *expected = a->has[i] ? a->value[i] : keys[i].fallback;

		if (keys[i].group != NULL && !name_used(a, keys[i].group))
			expected = NULL;
		if (hn_view_get_text(view, keys[i].name, &got, NULL) < 0)
			got = NULL;
		if ((got == NULL) != (expected == NULL) ||
			(got != NULL && strcmp(got, expected) != 0))
			wrong("%s of %s is %s, not %s", keys[i].name, hn_view_unit(view),
				got != NULL ? got : "-", expected != NULL ? expected : "-");
		compare_lines(view, f, a, i, expected, stored);
		checks++;
	}
}
