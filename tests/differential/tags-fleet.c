/* SPDX-License-Identifier: MIT
 *
 * Random small fleets, kept as plain arrays and written as JSON.
 */
#include "tags.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t chance_state;

uint32_t chance(uint32_t below)
{
	uint64_t z = chance_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((z ^ z >> 31) % below);
}

const key keys[KEYS] = {
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

void random_def(fleet *f, def *d, int low, int high)
{
	*d = (def){.used = true, .key = (int)chance(KEYS), .order = 1000, .line = ++f->next_line};
	d->value = chance(10) == 0 ? UNSET : (int)chance(4);
	if (chance(4) == 0)
		d->priority = low + 50 * (int)chance((uint32_t)(high - low) / 50 + 1);
	if (keys[d->key].rule == LIST && chance(2) == 0)
		d->order = 500 + 500 * (int)chance(3);
}

void random_defs(fleet *f, def *defs, uint32_t most, int low, int high)
{
	uint32_t count = chance(most + 1);

	for (uint32_t i = 0; i < count; i++) {
		random_def(f, &defs[i], low, high);
		for (uint32_t j = 0; j < i; j++)
			if (defs[j].key == defs[i].key)
				defs[i].used = false; /* a key stands once in an object */
	}
}

void random_select(body *p)
{
	for (int i = 0; i < 3; i++)
		p->select[i] = chance(3) == 0 ? UNSET : (int)chance(TAGS + KINDS + UNITS + 2);
	p->glue = (int)chance(2);
	p->inverted = (int)chance(4);
}

static void random_bodies(fleet *f)
{
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
}

static void random_unit(fleet *f, unit *u)
{
	u->doc = (int)chance(DOCS);
	u->gone = chance(12) == 0;
	for (int j = 0; j < TAGS; j++) {
		u->tags[j] = chance(3) == 0;
		u->added[j] = chance(12) == 0;
		u->without[j] = chance(12) == 0;
	}
	for (int j = 0; j < POLICIES; j++)
		u->policies[j] = chance(6) == 0;
	random_defs(f, u->defs, 4, 50, 1500);
	if (chance(3) == 0) {
		memset(u->added, 0, sizeof(u->added));
		memset(u->without, 0, sizeof(u->without));
		return;
	}
	for (int j = 0; j < 3; j++) {
		if (chance(5) != 0)
			continue;
		random_def(f, &u->forces[j], 0, 0);
		u->forces[j].priority = 0;
		u->forces[j].order = 1000;
		u->force_layer[j] = (int)chance(3);
	}
}

bool has_input(const unit *u)
{
	for (int i = 0; i < TAGS; i++)
		if (u->added[i] || u->without[i])
			return true;
	return u->forces[0].used || u->forces[1].used || u->forces[2].used;
}

bool is_there(const fleet *f, int index)
{
	return !f->units[index].gone || has_input(&f->units[index]);
}

void random_fleet(fleet *f)
{
	memset(f, 0, sizeof(*f));
	for (int i = 0; i < KINDS; i++)
		f->exclusive[i] = chance(4) == 0;
	random_bodies(f);
	random_defs(f, f->defaults.defs, 4, 1100, 1400);
	for (int i = 0; i < UNITS; i++)
		random_unit(f, &f->units[i]);
	if (chance(2) == 0)
		return;
	/* Units in a document of their own, which edits of tags leave as it is. */
	for (int i = 0; i < UNITS; i++)
		f->units[i].doc = DOCS - 1;
	for (int i = 0; i < TAGS; i++)
		f->tags[i].doc %= DOCS - 1;
	for (int i = 0; i < POLICIES; i++)
		f->policies[i].doc %= DOCS - 1;
}

/* --- writing it down --- */

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

bool has_select(const body *p)
{
	return p->select[0] != UNSET || p->select[1] != UNSET || p->select[2] != UNSET;
}

void put_select(text *to, const body *p)
{
	const char *glue = "";
	char test[24];

	to->at[to->size] = '\0';
	if (!has_select(p))
		return;
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
	if (f->filler && doc == 0) {
		put(to, "\"%s\":{}", policies ? "o0" : "s0");
		comma = ",";
	}
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
		if (policies)
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

void write_doc(const fleet *f, int doc, text *to)
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

		if (u->doc != doc || u->gone)
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
