/* SPDX-License-Identifier: MIT
 *
 * The naive resolver, by the words of the design: walk everything, sort, take the first. Nothing of
 * lib/tags is in it.
 */
#include "tags.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool test_holds(const fleet *f, int test, int u, const bool *seen)
{
	if (test < TAGS)
		return seen[test];
	if (test < TAGS + KINDS) {
		for (int i = 0; i < TAGS; i++)
			if (seen[i] && f->tags[i].kind == test - TAGS)
				return true;
		return false;
	}
	if (test < TAGS + KINDS + UNITS)
		return u == test - TAGS - KINDS;
	return test == TAGS + KINDS + UNITS;
}

static bool selects(const fleet *f, const body *p, int u, const bool *seen)
{
	bool value = p->glue == 0;

	for (int i = 0; i < 3; i++) {
		bool held;

		if (p->select[i] == UNSET)
			continue;
		held = test_holds(f, p->select[i], u, seen) != (i == 2);
		value = p->glue == 0 ? value && held : value || held;
	}
	return has_select(p) && value != (p->inverted == 0);
}

static void close_over(const fleet *f, bool *tags)
{
	for (int round = 0; round < TAGS; round++)
		for (int i = 0; i < TAGS; i++)
			for (int j = 0; tags[i] && j < TAGS; j++)
				tags[j] |= f->tags[i].implies[j];
}

static void add_lines(
	answer *a, const def *defs, int count, int layer, int usual, const char *source)
{
	for (int i = 0; i < count; i++) {
		line *l;

		if (!defs[i].used)
			continue;
		l = &a->lines[defs[i].key][a->count[defs[i].key]++];
		*l = (line){.def = &defs[i], .layer = layer, .order = defs[i].order};
		l->priority = defs[i].priority != 0 ? defs[i].priority : usual;
		snprintf(l->source, sizeof(l->source), "%s", source);
	}
}

static int in_order(const void *a, const void *b)
{
	const line *l = a, *r = b;
	int by = keys[l->def->key].rule == LIST ? l->order - r->order : l->priority - r->priority;

	by = by != 0 ? by : l->layer - r->layer;
	/* Forces have no place: they come before those that have one, by value. */
	if (by == 0 && l->layer != HN_LAYER_FORCE && l->layer != HN_LAYER_EMERGENCY &&
		l->layer != HN_LAYER_FROZEN)
		return l->def->line - r->def->line;
	if (by == 0)
		by = strcmp(
			l->def->value == UNSET ? "null" : keys[l->def->key].values[l->def->value],
			r->def->value == UNSET ? "null" : keys[r->def->key].values[r->def->value]);
	return by != 0 ? by : l->def->line - r->def->line;
}

const char *value_of(const line *l)
{
	return l->def->value == UNSET ? "null" : keys[l->def->key].values[l->def->value];
}

/* The place of a value in its order; words that mean no bound are beyond all others. */
static int rank(const key *k, const line *l)
{
	int value = l->def->value;

	for (int i = 0; i < value; i++)
		if (strcmp(k->values[i], k->values[value]) == 0)
			value = i;
	return value;
}

static void merge(answer *a, int index)
{
	const key *k = &keys[index];
	line *lines = a->lines[index];
	int count = a->count[index], best = -1, parts = 0;
	bool seen[4] = {false};

	if (count == 0)
		return;
	qsort(lines, (size_t)count, sizeof(*lines), in_order);
	for (int i = 0; i < count; i++) {
		bool null = lines[i].def->value == UNSET;

		lines[i].mark = null && k->rule != SINGLE ? HN_MARK_IGNORED : HN_MARK_LOST;
		if (null && k->rule != SINGLE)
			continue;
		if (k->rule == SINGLE)
			best = 0;
		else if (best < 0 ||
			 (k->rule == LEAST && rank(k, &lines[i]) < rank(k, &lines[best])) ||
			 (k->rule == MOST && rank(k, &lines[i]) > rank(k, &lines[best])))
			best = i;
		if (k->rule == UNION)
			seen[lines[i].def->value] = true;
		if (k->rule == LIST)
			snprintf(a->value[index] + strlen(a->value[index]),
				sizeof(a->value[index]) - strlen(a->value[index]), "%s%s",
				parts > 0 ? " " : "", value_of(&lines[i]));
		parts++;
	}
	a->has[index] = best >= 0 && lines[best].def->value != UNSET;
	if (best < 0)
		return;
	for (int i = 0; i < count; i++) {
		if (lines[i].mark == HN_MARK_IGNORED)
			continue;
		if (k->rule == UNION || k->rule == LIST)
			lines[i].mark = parts > 1 ? HN_MARK_MERGED : HN_MARK_WON;
		else if (i == best)
			lines[i].mark = HN_MARK_WON;
		else if (strcmp(value_of(&lines[i]), value_of(&lines[best])) == 0 &&
			 (k->rule != SINGLE || lines[i].priority == lines[best].priority))
			lines[i].mark = HN_MARK_SAME;
		else if (k->rule == SINGLE && lines[i].priority == lines[best].priority &&
			 a->code == 0)
			a->code = HN_ECONFLICT;
	}
	if (k->rule == UNION)
		for (int i = 0; i < 4; i++)
			snprintf(a->value[index] + strlen(a->value[index]), 8, "%s%s",
				seen[i] && a->value[index][0] != '\0' ? " " : "",
				seen[i] ? k->values[i] : "");
	else if (k->rule != LIST)
		snprintf(a->value[index], sizeof(a->value[index]), "%s", value_of(&lines[best]));
}

/* A name such as disks.root is there when one of its single-valued keys is, or when only others are
 * defined. */
bool name_used(const answer *a, const char *group)
{
	bool taken = false, bounded = false;

	for (int i = 0; i < KEYS; i++) {
		if (keys[i].group == NULL || strcmp(keys[i].group, group) != 0)
			continue;
		if (a->has[i] && keys[i].rule == SINGLE)
			return true;
		bounded |= a->has[i];
		taken |= !a->has[i] && keys[i].rule == SINGLE && a->count[i] > 0;
	}
	return bounded && !taken;
}

void naive(const fleet *f, int index, answer *a)
{
	static const unit undeclared;
	const unit *given = &f->units[index], *u = given->gone ? &undeclared : given;
	bool seen[TAGS];
	char source[24];

	memset(a, 0, sizeof(*a));
	if (!is_there(f, index)) {
		a->code = HN_ENOENT;
		return;
	}
	for (int i = 0; i < TAGS; i++)
		a->full[i] = (u->tags[i] && !given->without[i]) || given->added[i];
	close_over(f, a->full);
	memcpy(seen, a->full, sizeof(seen));
	for (int i = 0; i < POLICIES; i++)
		a->applied[i] = u->policies[i] || selects(f, &f->policies[i], index, seen);
	for (int i = 0; i < POLICIES; i++)
		for (int j = 0; a->applied[i] && j < TAGS; j++)
			a->full[j] |= f->policies[i].implies[j];
	close_over(f, a->full);
	for (int i = 0; i < TAGS; i++)
		for (int j = 0; j < i; j++)
			if (a->full[i] && a->full[j] && f->tags[i].kind != UNSET &&
				f->tags[i].kind == f->tags[j].kind && f->exclusive[f->tags[i].kind])
				a->code = HN_EEXCLUSIVE;
	if (a->code != 0)
		return;
	for (int i = 0; i < TAGS; i++) {
		snprintf(source, sizeof(source), "tag:t%d", i);
		if (a->full[i])
			add_lines(a, f->tags[i].defs, DEFS, HN_LAYER_TAG,
				f->tags[i].priority != 0 ? f->tags[i].priority : 400, source);
	}
	for (int i = 0; i < POLICIES; i++) {
		snprintf(source, sizeof(source), "policy:p%d", i);
		if (a->applied[i])
			add_lines(a, f->policies[i].defs, DEFS, HN_LAYER_POLICY,
				f->policies[i].priority != 0 ? f->policies[i].priority : 600,
				source);
	}
	add_lines(a, f->defaults.defs, DEFS, HN_LAYER_PLATFORM, 1200, "defaults");
	snprintf(source, sizeof(source), "unit:u%d", index);
	add_lines(a, u->defs, DEFS, HN_LAYER_UNIT, 100, source);
	for (int i = 0; i < 3; i++) {
		static const int layers[] = {HN_LAYER_EMERGENCY, HN_LAYER_FORCE, HN_LAYER_FROZEN};
		static const int usual[] = {10, 50, 1490};
		static const char *const names[] = {"emergency", "force", "frozen"};

		add_lines(a, &given->forces[i], 1, layers[given->force_layer[i]],
			usual[given->force_layer[i]], names[given->force_layer[i]]);
	}
	for (int i = 0; i < KEYS; i++)
		merge(a, i);
}
