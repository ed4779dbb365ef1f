/* SPDX-License-Identifier: MIT
 *
 * The resolver against a naive one. Random small fleets are kept as plain arrays, written as JSON
 * for the library, and resolved here by the words of the design: walk everything, sort, take the
 * first. Nothing is shared with lib/tags but the public header. Options: --count N, --seed N,
 * --long (100,000 fleets); HYPERNIX_LONG=1 is --long.
 */
#include <hypernix/tags.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAGS = 7, POLICIES = 4, UNITS = 5, KINDS = 3, DOCS = 3, DEFS = 8, LINES = 96, UNSET = -1 };

/* --- a source of chance that replays --- */

static uint64_t state;

static uint32_t chance(uint32_t below)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ z >> 31) % below);
}

/* --- the keys of the game: values in ascending order, the last may be a word that means no bound
 * --- */

typedef enum rule { SINGLE, LEAST, MOST, UNION, LIST } rule;
typedef struct key {
	const char *name, *fallback, *values[4];
	rule rule;
	int words; /* how many of the values, from the end, mean no bound */
	const char *group;
} key;
static const key keys[] = {
	{"memory.size", "512Mi", {"1Gi", "2Gi", "4Gi", "8Gi"}, SINGLE, 0, NULL},
	{"compute.limit", "none", {"100", "200", "400", "none"}, LEAST, 1, NULL},
	{"memory.floor", "0B", {"64Mi", "128Mi", "256Mi", "1Gi"}, MOST, 0, NULL},
	{"memory.share", "true", {"false", "true", "true", "true"}, LEAST, 0, NULL},
	{"compute.enforce", "false", {"false", "true", "true", "true"}, MOST, 0, NULL},
	{"placement.spread", "none", {"none", "host", "rack", "site"}, MOST, 0, NULL},
	{"storage.tier.minimum", "none", {"ultra", "fast", "standard", "none"}, LEAST, 1, NULL},
	{"restart.policy", "on-failure", {"no", "on-failure", "always", "always"}, SINGLE, 0, NULL},
	{"secrets", "", {"a", "b", "c", "d"}, UNION, 0, NULL},
	{"boot.cmdline", "", {"quiet", "ro", "debug", "nosmp"}, LIST, 0, NULL},
	{"labels.owner", NULL, {"ann", "bob", "cid", "dan"}, SINGLE, 0, "labels.owner"},
	{"disks.root.size", NULL, {"1Gi", "2Gi", "4Gi", "8Gi"}, SINGLE, 0, "disks.root"},
	{"disks.root.cache", "none", {"none", "writeback", "none", "none"}, SINGLE, 0,
		"disks.root"},
	{"nics.lan.mtu", "1500", {"1000", "1400", "1500", "9000"}, LEAST, 0, "nics.lan"},
	{"nics.lan.kind", "user", {"user", "bridge", "tap", "tap"}, SINGLE, 0, "nics.lan"},
};
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

/* --- the model --- */

typedef struct def {
	int key, value, priority, order, line;
	bool used;
} def;
typedef struct body {
	bool here;
	int kind, priority, doc;
	bool implies[TAGS];
	def defs[DEFS];
	int select[3], glue, inverted; /* of a policy: up to three tests, joined by one operator */
} body;
typedef struct unit {
	bool tags[TAGS], policies[POLICIES], added[TAGS], without[TAGS];
	int doc;
	def defs[DEFS], forces[3];
	int force_layer[3];
} unit;
typedef struct fleet {
	bool exclusive[KINDS];
	body tags[TAGS], policies[POLICIES], defaults;
	unit units[UNITS];
	int next_line;
} fleet;

static void random_def(fleet *f, def *d, int low, int high)
{
	*d = (def){.used = true, .key = (int)chance(KEYS), .order = 1000, .line = ++f->next_line};
	d->value = chance(10) == 0 ? UNSET : (int)chance(4);
	if (chance(4) == 0)
		d->priority = low + 50 * (int)chance((uint32_t)(high - low) / 50 + 1);
	if (keys[d->key].rule == LIST && chance(2) == 0)
		d->order = 500 + 500 * (int)chance(3);
}

static void random_defs(fleet *f, def *defs, uint32_t most, int low, int high)
{
	uint32_t count = chance(most + 1);

	for (uint32_t i = 0; i < count; i++) {
		random_def(f, &defs[i], low, high);
		for (uint32_t j = 0; j < i; j++)
			if (defs[j].key == defs[i].key)
				defs[i].used = false; /* a key stands once in an object */
	}
}

static void random_select(body *p)
{
	for (int i = 0; i < 3; i++)
		p->select[i] = chance(3) == 0 ? UNSET : (int)chance(TAGS + KINDS + UNITS + 2);
	p->glue = (int)chance(2);
	p->inverted = (int)chance(4);
}

static void random_fleet(fleet *f)
{
	memset(f, 0, sizeof(*f));
	for (int i = 0; i < KINDS; i++)
		f->exclusive[i] = chance(4) == 0;
	for (int i = 0; i < TAGS; i++) {
		f->tags[i].here = true;
		f->tags[i].doc = (int)chance(DOCS);
		f->tags[i].kind = chance(2) == 0 ? (int)chance(KINDS) : UNSET;
		f->tags[i].priority = chance(3) == 0 ? 0 : 300 + 50 * (int)chance(10);
		for (int j = i + 1; j < TAGS; j++)
			f->tags[i].implies[j] = chance(8) == 0;
		random_defs(f, f->tags[i].defs, DEFS, 100, 900);
	}
	for (int i = 0; i < POLICIES; i++) {
		f->policies[i].here = true;
		f->policies[i].doc = (int)chance(DOCS);
		f->policies[i].priority = chance(3) == 0 ? 0 : 500 + 50 * (int)chance(7);
		for (int j = 0; j < TAGS; j++)
			f->policies[i].implies[j] = chance(8) == 0;
		random_select(&f->policies[i]);
		random_defs(f, f->policies[i].defs, DEFS, 500, 800);
	}
	random_defs(f, f->defaults.defs, 4, 1100, 1400);
	for (int i = 0; i < UNITS; i++) {
		unit *u = &f->units[i];

		u->doc = (int)chance(DOCS);
		for (int j = 0; j < TAGS; j++) {
			u->tags[j] = chance(3) == 0;
			u->added[j] = chance(12) == 0;
			u->without[j] = chance(12) == 0;
		}
		for (int j = 0; j < POLICIES; j++)
			u->policies[j] = chance(6) == 0;
		random_defs(f, u->defs, 4, 50, 1500);
		for (int j = 0; j < 3; j++) {
			if (chance(5) != 0)
				continue;
			random_def(f, &u->forces[j], 0, 0);
			u->forces[j].priority = 0;
			u->forces[j].order = 1000;
			u->force_layer[j] = (int)chance(3);
		}
	}
}

/* --- writing it down --- */

typedef struct text {
	char at[65536];
	size_t size;
} text;

__attribute__((format(printf, 2, 3))) static void put(text *to, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	to->size +=
		(size_t)vsnprintf(to->at + to->size, sizeof(to->at) - to->size, format, arguments);
	va_end(arguments);
	if (to->size >= sizeof(to->at))
		abort();
}

static void put_defs(text *to, text *origins, const char *pointer, const def *defs)
{
	const char *comma = "";

	for (int i = 0; i < DEFS; i++) {
		const def *d = &defs[i];
		const key *k = &keys[d->key];
		bool many = k->rule == UNION || k->rule == LIST,
		     wrapped = d->priority != 0 || d->order != 1000;

		if (!d->used)
			continue;
		put(to, "%s\"%s\":%s", comma, k->name, wrapped ? "{\"$value\":" : "");
		if (d->value == UNSET)
			put(to, "null");
		else
			put(to, many ? "[\"%s\"]" : "\"%s\"", k->values[d->value]);
		if (d->priority != 0)
			put(to, ",\"$priority\":%d", d->priority);
		if (d->order != 1000)
			put(to, ",\"$order\":%d", d->order);
		put(to, wrapped ? "}" : "");
		put(origins, "%s\"%s/%s\":[0,%d,1]", origins->size > 0 ? "," : "", pointer, k->name,
			d->line);
		comma = ",";
	}
}

static void put_names(text *to, const char *field, char letter, const bool *names, int count)
{
	const char *comma = "";

	put(to, "\"%s\":[", field);
	for (int i = 0; i < count; i++)
		if (names[i]) {
			put(to, "%s\"%c%d\"", comma, letter, i);
			comma = ",";
		}
	put(to, "]");
}

static void test_text(char out[24], int test)
{
	if (test < TAGS)
		snprintf(out, 24, "tag:t%d", test);
	else if (test < TAGS + KINDS)
		snprintf(out, 24, "kind:k%d", test - TAGS);
	else if (test < TAGS + KINDS + UNITS)
		snprintf(out, 24, "name:u%d", test - TAGS - KINDS);
	else
		snprintf(out, 24, test == TAGS + KINDS + UNITS ? "all" : "none");
}

static bool has_select(const body *p)
{
	return p->select[0] != UNSET || p->select[1] != UNSET || p->select[2] != UNSET;
}

static void put_select(text *to, const body *p)
{
	const char *glue = "";
	char test[24];

	put(to, "\"select\":\"%s", p->inverted == 0 ? "not (" : "");
	for (int i = 0; i < 3; i++) {
		if (p->select[i] == UNSET)
			continue;
		test_text(test, p->select[i]);
		put(to, "%s%s%s", glue, i == 2 ? "not " : "", test);
		glue = p->glue == 0 ? " and " : " or ";
	}
	put(to, "%s\",", p->inverted == 0 ? ")" : "");
}

static void put_bodies(text *to, text *origins, const fleet *f, bool policies, int doc)
{
	const body *bodies = policies ? f->policies : f->tags;
	const char *comma = "", *section = policies ? "policies" : "tags";
	char pointer[64];

	put(to, ",\"%s\":{", section);
	for (int i = 0; i < (policies ? POLICIES : TAGS); i++) {
		const body *b = &bodies[i];

		if (b->doc != doc)
			continue;
		put(to, "%s\"%c%d\":{", comma, policies ? 'p' : 't', i);
		comma = ",";
		if (!policies && b->kind != UNSET)
			put(to, "\"kind\":\"k%d\",", b->kind);
		if (b->priority != 0)
			put(to, "\"priority\":%d,", b->priority);
		if (policies && has_select(b))
			put_select(to, b);
		put_names(to, "implies", 't', b->implies, TAGS);
		put(to, ",\"set\":{");
		snprintf(
			pointer, sizeof(pointer), "/%s/%c%d/set", section, policies ? 'p' : 't', i);
		put_defs(to, origins, pointer, b->defs);
		put(to, "}}");
	}
	put(to, "}");
}

static void write_doc(const fleet *f, int doc, text *to)
{
	static text origins;
	const char *comma = "";
	char pointer[64];

	to->size = origins.size = 0;
	put(to, "{\"hypernix\":1");
	if (doc == 0) {
		put(to, ",\"kinds\":{");
		for (int i = 0; i < KINDS; i++)
			put(to, "%s\"k%d\":{\"exclusive\":%s}", i > 0 ? "," : "", i,
				f->exclusive[i] ? "true" : "false");
		put(to, "},\"defaults\":{");
		put_defs(to, &origins, "/defaults", f->defaults.defs);
		put(to, "}");
	}
	put_bodies(to, &origins, f, false, doc);
	put_bodies(to, &origins, f, true, doc);
	put(to, ",\"units\":{");
	for (int i = 0; i < UNITS; i++) {
		const unit *u = &f->units[i];

		if (u->doc != doc)
			continue;
		put(to, "%s\"u%d\":{", comma, i);
		comma = ",";
		put_names(to, "tags", 't', u->tags, TAGS);
		put(to, ",");
		put_names(to, "policies", 'p', u->policies, POLICIES);
		put(to, ",\"overrides\":{");
		snprintf(pointer, sizeof(pointer), "/units/u%d/overrides", i);
		put_defs(to, &origins, pointer, u->defs);
		put(to, "}}");
	}
	put(to, "},\"files\":[\"fleet.nix\"],\"origins\":{%.*s}}", (int)origins.size, origins.at);
}

/* --- the naive resolver --- */

typedef struct line {
	const def *def;
	int layer, priority, order, mark;
	char source[24];
} line;
typedef struct answer {
	int code; /* 0, HN_EEXCLUSIVE, HN_ECONFLICT */
	bool full[TAGS], applied[POLICIES];
	bool has[KEYS];
	char value[KEYS][256];
	line lines[KEYS][LINES];
	int count[KEYS];
} answer;

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

static const char *value_of(const line *l)
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
static bool name_used(const answer *a, const char *group)
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

static void naive(const fleet *f, int index, answer *a)
{
	const unit *u = &f->units[index];
	bool seen[TAGS];
	char source[24];

	memset(a, 0, sizeof(*a));
	for (int i = 0; i < TAGS; i++)
		a->full[i] = (u->tags[i] && !u->without[i]) || u->added[i];
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

		add_lines(a, &u->forces[i], 1, layers[u->force_layer[i]], usual[u->force_layer[i]],
			names[u->force_layer[i]]);
	}
	for (int i = 0; i < KEYS; i++)
		merge(a, i);
}

/* --- comparing --- */

static uint64_t seed, checks;

__attribute__((format(printf, 1, 2), noreturn)) static void wrong(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "not ok: --count 1 --seed %llu: ", (unsigned long long)seed);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static void must(int rc, hn_error **err, const char *what)
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

static void compare(const hn_view *view, const fleet *f, const answer *a, bool stored)
{
	for (int i = 0; i < KEYS; i++) {
		const char *got = NULL, *expected = a->has[i] ? a->value[i] : keys[i].fallback;
		hn_error *err = NULL;

		if (keys[i].group != NULL && !name_used(a, keys[i].group))
			expected = NULL;
		if (hn_view_get_text(view, keys[i].name, &got, &err) < 0)
			got = NULL;
		hn_error_unref(err);
		if ((got == NULL) != (expected == NULL) ||
			(got != NULL && strcmp(got, expected) != 0))
			wrong("%s of %s is %s, not %s", keys[i].name, hn_view_unit(view),
				got != NULL ? got : "-", expected != NULL ? expected : "-");
		compare_lines(view, f, a, i, expected, stored);
		checks++;
	}
}

/* --- the library's side --- */

static hn_catalog *make_catalog(const fleet *f, bool backwards)
{
	static text docs[DOCS];
	hn_decl *decls[DOCS];
	hn_catalog *catalog = NULL;
	hn_error *err = NULL;
	char file[16];

	for (int i = 0; i < DOCS; i++) {
		int doc = backwards ? DOCS - 1 - i : i;

		write_doc(f, doc, &docs[doc]);
		snprintf(file, sizeof(file), "doc%d.json", doc);
		must(hn_decl_parse(file, docs[doc].at, docs[doc].size, &decls[i], &err), &err,
			"parse");
	}
	must(hn_catalog_new(decls, DOCS, &catalog, &err), &err, "catalogue");
	for (int i = 0; i < DOCS; i++)
		hn_decl_unref(decls[i]);
	return catalog;
}

static void give_input(hn_resolver *resolver, const fleet *f, int index)
{
	static const hn_layer layers[] = {HN_LAYER_EMERGENCY, HN_LAYER_FORCE, HN_LAYER_FROZEN};
	const unit *u = &f->units[index];
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	const char *added[TAGS], *without[TAGS];
	char names[TAGS][16], unit_name[16];
	hn_definition definitions[3];
	hn_error *err = NULL;

	for (int i = 0; i < TAGS; i++) {
		snprintf(names[i], sizeof(names[i]), "t%d", i);
		if (u->added[i])
			added[input.tag_count++] = names[i];
		if (u->without[i])
			without[input.without_count++] = names[i];
	}
	for (int i = 2; i >= 0; i--)
		if (u->forces[i].used)
			definitions[input.definition_count++] =
				(hn_definition){.size = sizeof(hn_definition),
					.layer = layers[u->force_layer[i]],
					.key = keys[u->forces[i].key].name,
					.value = u->forces[i].value == UNSET
							 ? NULL
							 : keys[u->forces[i].key]
								   .values[u->forces[i].value]};
	input.tags = added;
	input.without = without;
	input.definitions = definitions;
	snprintf(unit_name, sizeof(unit_name), "u%d", index);
	must(hn_resolver_set_unit(resolver, unit_name, &input, &err), &err, "set unit");
}

static hn_resolver *make_resolver(const fleet *f, hn_catalog *catalog)
{
	hn_resolver *resolver = NULL;
	hn_error *err = NULL;

	must(hn_resolver_new(catalog, &resolver, &err), &err, "resolver");
	for (int i = 0; i < UNITS; i++)
		give_input(resolver, f, i);
	return resolver;
}

static void ignore_problem(void *arg, const hn_error *problem)
{
	(void)arg;
	(void)problem;
}

/* Values and chains as bytes, or the code of the failure in their place. */
typedef struct snapshot {
	int code;
	uint8_t *values, *chains;
	size_t values_size, chains_size;
	char message[1024];
} snapshot;

static void take(hn_resolver *resolver, int index, snapshot *s)
{
	hn_view *view = NULL;
	hn_error *err = NULL;
	char name[16];

	snprintf(name, sizeof(name), "u%d", index);
	*s = (snapshot){.code = hn_resolve(resolver, name, &view, &err)};
	if (s->code < 0) {
		snprintf(s->message, sizeof(s->message), "%s", hn_error_message(err));
		hn_error_unref(err);
		return;
	}
	must(hn_view_encode(view, &s->values, &s->values_size, &err), &err, "encode");
	must(hn_view_encode_chains(view, &s->chains, &s->chains_size, &err), &err, "encode chains");
	hn_view_unref(view);
}

static void release(snapshot *s)
{
	hn_bytes_free(s->values);
	hn_bytes_free(s->chains);
}

static void same(const snapshot *a, const snapshot *b, int index, const char *what)
{
	if (a->code != b->code || a->values_size != b->values_size ||
		a->chains_size != b->chains_size || strcmp(a->message, b->message) != 0 ||
		(a->code == 0 && (memcmp(a->values, b->values, a->values_size) != 0 ||
					 memcmp(a->chains, b->chains, a->chains_size) != 0)))
		wrong("u%d differs: %s (%d, %d)", index, what, a->code, b->code);
	checks++;
}

static void check_stored(const snapshot *s, const fleet *f, const answer *a, int index)
{
	hn_view *view = NULL;
	hn_error *err = NULL;
	snapshot again = {0};
	char name[16];

	snprintf(name, sizeof(name), "u%d", index);
	must(hn_view_decode(
		     name, s->values, s->values_size, s->chains, s->chains_size, &view, &err),
		&err, "decode");
	compare(view, f, a, true);
	must(hn_view_encode(view, &again.values, &again.values_size, &err), &err, "encode again");
	must(hn_view_encode_chains(view, &again.chains, &again.chains_size, &err), &err,
		"encode again");
	same(s, &again, index, "read back and written again");
	release(&again);
	hn_view_unref(view);
}

static void check_against_naive(hn_resolver *resolver, const fleet *f, bool stored)
{
	static answer a;

	for (int i = 0; i < UNITS; i++) {
		hn_view *view = NULL;
		hn_error *err = NULL;
		snapshot s;
		char name[16];
		int rc;

		naive(f, i, &a);
		snprintf(name, sizeof(name), "u%d", i);
		rc = hn_resolve(resolver, name, &view, &err);
		if (rc != a.code)
			wrong("u%d gives %d (%s), not %d", i, rc,
				err != NULL ? hn_error_message(err) : "-", a.code);
		hn_error_unref(err);
		checks++;
		if (rc < 0)
			continue;
		compare(view, f, &a, false);
		if (stored) {
			take(resolver, i, &s);
			check_stored(&s, f, &a, i);
			release(&s);
		}
		hn_view_unref(view);
	}
}

static void check_equal(hn_resolver *left, hn_resolver *right, const char *what)
{
	for (int i = 0; i < UNITS; i++) {
		snapshot a, b;

		take(left, i, &a);
		take(right, i, &b);
		same(&a, &b, i, what);
		release(&a);
		release(&b);
	}
}

/* --- edits --- */

/* How many units an edit of this tag's settings touches: those that have it. Units that fail are
 * always tried again. */
static uint64_t touched_by(const fleet *f, int tag)
{
	static answer a;
	uint64_t count = 0;

	for (int i = 0; i < UNITS; i++) {
		naive(f, i, &a);
		count += a.full[tag] || a.code != 0;
	}
	return count;
}

static uint64_t edit(fleet *f)
{
	uint32_t tag = chance(TAGS), what = chance(8);
	body *t = &f->tags[tag], *p = &f->policies[chance(POLICIES)];
	unit *u = &f->units[chance(UNITS)];

	switch (what) {
	case 0:
	case 1:
		memset(t->defs, 0, sizeof(t->defs));
		random_defs(f, t->defs, DEFS, 100, 900);
		random_def(f, &t->defs[DEFS - 1], 100, 900);
		for (int i = 0; i < DEFS - 1; i++)
			t->defs[i].used &= t->defs[i].key != t->defs[DEFS - 1].key;
		return touched_by(f, (int)tag);
	case 2:
		memset(p->defs, 0, sizeof(p->defs));
		random_defs(f, p->defs, DEFS, 500, 800);
		break;
	case 3:
		random_select(p);
		break;
	case 4:
		u->tags[tag] = !u->tags[tag];
		break;
	case 5:
		memset(u->defs, 0, sizeof(u->defs));
		random_defs(f, u->defs, 4, 50, 1500);
		break;
	case 6:
		t->kind = chance(2) == 0 ? (int)chance(KINDS) : UNSET;
		if (tag + 1 < TAGS)
			t->implies[tag + 1] = !t->implies[tag + 1];
		break;
	default:
		memset(f->defaults.defs, 0, sizeof(f->defaults.defs));
		random_defs(f, f->defaults.defs, 4, 1100, 1400);
		f->exclusive[chance(KINDS)] = chance(3) == 0;
		break;
	}
	return UINT64_MAX;
}

static void check_edits(hn_resolver *resolver, fleet *f)
{
	hn_resolve_stats stats = HN_RESOLVE_STATS_INIT;
	hn_error *err = NULL;

	must(hn_resolve_all(resolver, ignore_problem, NULL, &err), &err, "resolve all");
	for (int i = 0; i < 3; i++) {
		uint64_t touched = edit(f);
		hn_catalog *catalog = make_catalog(f, false);
		hn_resolver *fresh = make_resolver(f, catalog);

		must(hn_resolver_set_catalog(resolver, catalog, &err), &err, "set catalogue");
		must(hn_resolve_all(resolver, ignore_problem, NULL, &err), &err, "resolve all");
		hn_resolver_get_stats(resolver, &stats);
		if (touched != UINT64_MAX && stats.recomputed != touched)
			wrong("%llu units recomputed, %llu have the tag",
				(unsigned long long)stats.recomputed, (unsigned long long)touched);
		checks++;
		check_equal(resolver, fresh, "incremental against full");
		hn_resolver_free(fresh);
		hn_catalog_unref(catalog);
	}
}

/* A floor that is added never loosens one. */
static void check_floor(const fleet *f, hn_resolver *before)
{
	static fleet raised;
	hn_catalog *catalog;
	hn_resolver *after;

	raised = *f;
	memset(&raised.tags[0].defs[0], 0, sizeof(def));
	for (int i = 0; i < DEFS; i++)
		if (raised.tags[0].defs[i].used && raised.tags[0].defs[i].key == 2)
			return;
	raised.tags[0].defs[0] =
		(def){.used = true, .key = 2, .value = (int)chance(4), .order = 1000, .line = 9999};
	if (f->tags[0].defs[0].used && f->tags[0].defs[0].key == 2)
		return;
	catalog = make_catalog(&raised, false);
	after = make_resolver(&raised, catalog);
	for (int i = 0; i < UNITS; i++) {
		hn_view *old = NULL, *new = NULL;
		int64_t low, high;
		char name[16];

		snprintf(name, sizeof(name), "u%d", i);
		if (hn_resolve(before, name, &old, NULL) == 0 &&
			hn_resolve(after, name, &new, NULL) == 0) {
			must(hn_view_get_int(old, "memory.floor", &low, NULL), NULL, "floor");
			must(hn_view_get_int(new, "memory.floor", &high, NULL), NULL, "floor");
			if (high < low)
				wrong("a floor added to t0 loosens that of u%d", i);
			checks++;
		}
		hn_view_unref(old);
		hn_view_unref(new);
	}
	hn_resolver_free(after);
	hn_catalog_unref(catalog);
}

static void check_fork(hn_resolver *resolver, const fleet *f)
{
	snapshot before[UNITS], after;
	hn_resolver *fork = NULL;
	hn_error *err = NULL;
	fleet other = *f;

	for (int i = 0; i < UNITS; i++)
		take(resolver, i, &before[i]);
	must(hn_resolver_fork(resolver, &fork, &err), &err, "fork");
	for (int i = 0; i < UNITS; i++) {
		for (int j = 0; j < TAGS; j++)
			other.units[i].added[j] = chance(3) == 0;
		give_input(fork, &other, i);
	}
	check_against_naive(fork, &other, false);
	hn_resolver_free(fork);
	for (int i = 0; i < UNITS; i++) {
		take(resolver, i, &after);
		same(&before[i], &after, i, "a fork was dropped");
		release(&after);
		release(&before[i]);
	}
}

/* The naive resolver looks at every fleet; what compares the library with itself looks at each
 * eighth in depth. */
static void run_one(void)
{
	static fleet f;
	hn_catalog *catalog;
	hn_resolver *resolver;

	state = seed;
	random_fleet(&f);
	catalog = make_catalog(&f, false);
	resolver = make_resolver(&f, catalog);
	check_against_naive(resolver, &f, seed % 8 == 0);
	if (seed % 8 == 0) {
		hn_catalog *backwards = make_catalog(&f, true);
		hn_resolver *other = make_resolver(&f, backwards);

		check_equal(resolver, other, "documents in another order");
		hn_resolver_free(other);
		hn_catalog_unref(backwards);
		check_fork(resolver, &f);
	}
	if (seed % 8 == 1)
		check_floor(&f, resolver);
	if (seed % 8 <= 1)
		check_edits(resolver, &f);
	hn_resolver_free(resolver);
	hn_catalog_unref(catalog);
}

int main(int argc, char **argv)
{
	const char *asked = getenv("HYPERNIX_LONG");
	unsigned long long count = asked != NULL && strcmp(asked, "1") == 0 ? 100000 : 20000,
			   first = 1;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--long") == 0)
			count = 100000;
		else if (strcmp(argv[i], "--count") == 0 && i + 1 < argc)
			count = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			first = strtoull(argv[++i], NULL, 10);
		else
			return 64;
	}
	for (seed = first; seed < first + count; seed++)
		run_one();
	printf("%llu fleets agree, %llu comparisons\nchecks: %llu\n", count,
		(unsigned long long)checks, count);
	return 0;
}
