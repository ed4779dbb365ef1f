/* SPDX-License-Identifier: MIT
 *
 * The resolver against a naive one. Random small fleets are kept as plain arrays, written as JSON
 * for the library, and resolved by the words of the design. Nothing is shared with lib/tags but the
 * public header. Options: --count N, --seed N, --long (100,000 fleets); HYPERNIX_LONG=1 is --long.
 */
#include "tags.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was parsed last, so that a document that an edit left alone stays the very same one. */
static text docs[DOCS];
static hn_decl *parsed[DOCS];

static hn_decl *parse(const fleet *f, int doc)
{
	static text fresh;
	hn_error *err = NULL;
	char file[16];

	write_doc(f, doc, &fresh);
	if (parsed[doc] != NULL && fresh.size == docs[doc].size &&
		memcmp(fresh.at, docs[doc].at, fresh.size) == 0)
		return parsed[doc];
	memcpy(docs[doc].at, fresh.at, fresh.size);
	docs[doc].size = fresh.size;
	parsed[doc] = hn_decl_unref(parsed[doc]);
	snprintf(file, sizeof(file), "doc%d.json", doc);
	must(hn_decl_parse(file, fresh.at, fresh.size, &parsed[doc], &err), &err, "parse");
	return parsed[doc];
}

hn_catalog *make_catalog(const fleet *f, bool backwards)
{
	hn_decl *decls[DOCS];
	hn_catalog *catalog = NULL;
	hn_error *err = NULL;

	for (int i = 0; i < DOCS; i++)
		decls[i] = parse(f, backwards ? DOCS - 1 - i : i);
	must(hn_catalog_new(decls, DOCS, &catalog, &err), &err, "catalogue");
	return catalog;
}

static void forget_documents(void)
{
	for (int i = 0; i < DOCS; i++)
		parsed[i] = hn_decl_unref(parsed[i]);
}

void give_input(hn_resolver *resolver, const fleet *f, int index)
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
	must(hn_resolver_set_unit(resolver, unit_name, has_input(u) ? &input : NULL, &err), &err,
		"set unit");
}

hn_resolver *make_resolver(const fleet *f, hn_catalog *catalog)
{
	hn_resolver *resolver = NULL;
	hn_error *err = NULL;

	must(hn_resolver_new(catalog, &resolver, &err), &err, "resolver");
	for (int i = 0; i < UNITS; i++)
		give_input(resolver, f, i);
	return resolver;
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

void check_equal(hn_resolver *left, hn_resolver *right, const char *what)
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

	chance_state = seed;
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
	forget_documents();
	printf("%llu fleets agree, %llu comparisons\nchecks: %llu\n", count,
		(unsigned long long)checks, count);
	return 0;
}
