/* SPDX-License-Identifier: MIT
 *
 * Edits of a fleet: what is resolved again after one is as if all were, and no more than it
 * touches.
 */
#include "tags.h"
#include <string.h>

static void ignore_problem(void *arg, const hn_error *problem)
{
	(void)arg;
	(void)problem;
}

/* What an edit must cause to be resolved again, when that can be said at all. Units that fail are
 * always tried again. */
typedef struct reach {
	bool units[UNITS];
	bool known;
} reach;

static void reach_failing(reach *r, const fleet *f)
{
	static answer a;

	for (int i = 0; i < UNITS; i++) {
		naive(f, i, &a);
		r->units[i] |= a.code != 0;
	}
}

static void reach_tag(reach *r, const fleet *f, int tag)
{
	static answer a;

	for (int i = 0; i < UNITS; i++) {
		naive(f, i, &a);
		r->units[i] |= a.full[tag];
	}
	r->known = true;
}

static void reach_policy(reach *r, const fleet *f, int policy)
{
	static answer a;

	for (int i = 0; i < UNITS; i++) {
		naive(f, i, &a);
		r->units[i] |= a.applied[policy];
	}
	r->known = true;
}

static void reach_unit(reach *r, int index)
{
	r->units[index] = r->known = true;
}

/* Other definitions than before: at least one, on a line of its own. */
static void replace_defs(fleet *f, def *defs, int low, int high)
{
	memset(defs, 0, DEFS * sizeof(*defs));
	random_defs(f, defs, 4, low, high);
	random_def(f, &defs[DEFS - 1], low, high);
	for (int i = 0; i < DEFS - 1; i++)
		defs[i].used &= defs[i].key != defs[DEFS - 1].key;
}

static void edit_select(fleet *f, int policy, reach *r)
{
	static text before, after;
	reach were = *r;

	reach_policy(&were, f, policy);
	before.size = after.size = 0;
	put_select(&before, &f->policies[policy]);
	random_select(&f->policies[policy]);
	put_select(&after, &f->policies[policy]);
	r->known = true;
	if (strcmp(before.at, after.at) == 0)
		return;
	*r = were;
	reach_policy(r, f, policy);
}

static void edit_unit(fleet *f, int index, int tag, reach *r)
{
	unit *u = &f->units[index];

	switch (chance(3)) {
	case 0:
		u->gone = !u->gone;
		break;
	case 1:
		if (u->gone)
			return;
		u->tags[tag] = !u->tags[tag];
		break;
	default:
		if (u->gone)
			return;
		replace_defs(f, u->defs, 50, 1500);
		break;
	}
	reach_unit(r, index);
}

static void edit_rest(fleet *f, int tag)
{
	body *t = &f->tags[tag];

	switch (chance(3)) {
	case 0:
		t->kind = chance(2) == 0 ? (int)chance(KINDS) : UNSET;
		break;
	case 1:
		if (tag + 1 < TAGS)
			t->implies[tag + 1] = !t->implies[tag + 1];
		break;
	default:
		memset(f->defaults.defs, 0, sizeof(f->defaults.defs));
		random_defs(f, f->defaults.defs, 4, 1100, 1400);
		f->exclusive[chance(KINDS)] = chance(3) == 0;
		break;
	}
}

static void edit(hn_resolver *resolver, fleet *f, reach *r)
{
	int tag = (int)chance(TAGS), policy = (int)chance(POLICIES), index = (int)chance(UNITS);

	*r = (reach){.known = false};
	reach_failing(r, f);
	switch (chance(9)) {
	case 0:
	case 1:
		tag = chance(2) == 0 ? f->retagged : tag;
		replace_defs(f, f->tags[tag].defs, 100, 900);
		reach_tag(r, f, tag);
		break;
	case 2:
		replace_defs(f, f->policies[policy].defs, 500, 800);
		reach_policy(r, f, policy);
		break;
	case 3:
		edit_select(f, policy, r);
		break;
	case 4:
	case 5:
		edit_unit(f, index, tag, r);
		break;
	case 6:
		f->units[index].added[tag] = !f->units[index].added[tag];
		f->retagged = tag;
		give_input(resolver, f, index);
		reach_unit(r, index);
		break;
	case 7:
		f->filler = !f->filler; /* all numbers move by one, and no unit is touched */
		r->known = true;
		break;
	default:
		edit_rest(f, tag);
		break;
	}
}

/* Few edits, with all views looked at after each; now and then many, with a look only sometimes, so
 * that views rest on catalogues of many ages. */
void check_edits(hn_resolver *resolver, fleet *f)
{
	hn_resolve_stats stats = HN_RESOLVE_STATS_INIT;
	hn_error *err = NULL;
	bool many = chance(20) == 0;

	must(hn_resolve_all(resolver, ignore_problem, NULL, &err), &err, "resolve all");
	for (int i = 0; i < (many ? 40 : 3); i++) {
		uint64_t wanted = 0;
		hn_catalog *catalog;
		hn_resolver *fresh;
		reach r;

		edit(resolver, f, &r);
		for (int j = 0; j < UNITS; j++)
			wanted += r.units[j] && is_there(f, j);
		catalog = make_catalog(f, false);
		fresh = make_resolver(f, catalog);
		must(hn_resolver_set_catalog(resolver, catalog, &err), &err, "set catalogue");
		must(hn_resolve_all(resolver, ignore_problem, NULL, &err), &err, "resolve all");
		hn_resolver_get_stats(resolver, &stats);
		if (r.known && stats.recomputed != wanted)
			wrong("edit %d: %llu units resolved again, not %llu", i,
				(unsigned long long)stats.recomputed, (unsigned long long)wanted);
		checks++;
		if (!many || chance(6) == 0)
			check_equal(resolver, fresh, "incremental against full");
		hn_resolver_free(fresh);
		hn_catalog_unref(catalog);
	}
}
