/* SPDX-License-Identifier: MIT
 *
 * Torture of tags: parse, catalogue, resolve, explain and store with each allocation failing.
 */
#include "tags/tags-private.h"
#include "torture.h"

static const char fleet[] =
	"{\"hypernix\":1,\"kinds\":{\"env\":{\"exclusive\":true}},\"tags\":{\"a\":{\"kind\":\"env\",\"implies\":[\"b\"],"
	"\"set\":{\"memory.size\":\"1Gi\",\"secrets\":[\"x\"]}},\"b\":{\"set\":{\"secrets\":[\"y\"],\"tpm\":\"2.0\"}}},"
	"\"policies\":{\"p\":{\"select\":\"tag:a and not tag:b\",\"set\":{\"memory.size\":\"2Gi\"}}},"
	"\"units\":{\"u\":{\"tags\":[\"a\"],\"overrides\":{\"disks.r.size\":\"1Gi\",\"secrets\":[\"z\"]}}},"
	"\"files\":[\"f.nix\"],\"origins\":{\"/units/u\":[0,3,4]}}";

/* A tag and a policy before all others: the same fleet with all numbers moved. */
static const char more[] =
	"{\"hypernix\":1,\"tags\":{\"a-a\":{\"set\":{\"memory.floor\":\"64Mi\"}}},"
	"\"policies\":{\"o\":{\"select\":\"tag:a-a\",\"set\":{\"tpm\":\"1.2\"}}}}";

static int build(bool moved, hn_catalog **catalog, hn_error **err)
{
	hn_decl *decls[2] = {NULL, NULL};
	int rc = hn_decl_parse("t.json", fleet, sizeof(fleet) - 1, &decls[0], err);

	if (rc == 0)
		rc = hn_decl_parse("m.json", more, sizeof(more) - 1, &decls[1], err);
	if (rc == 0)
		rc = hn_catalog_new(decls, moved ? 2 : 1, catalog, err);
	hn_decl_unref(decls[0]);
	hn_decl_unref(decls[1]);
	return rc;
}

/* Catalogues come and go until views must move to newer ones; then one moves when asked for. */
static int take_many(hn_resolver *resolver, hn_catalog *a, hn_error **err)
{
	hn_resolve_stats stats = HN_RESOLVE_STATS_INIT;
	hn_catalog *b = NULL;
	hn_view *view = NULL;
	int rc = build(true, &b, err);

	for (int i = 0; rc == 0 && i < 18; i++)
		rc = hn_resolver_set_catalog(resolver, i % 2 == 0 ? b : a, err);
	if (rc == 0)
		rc = hn_resolver_set_catalog(resolver, b, err);
	if (rc == 0)
		rc = hn_resolve(resolver, "u", &view, err);
	if (rc == 0)
		hn_resolver_get_stats(resolver, &stats);
	if (rc == 0 && stats.recomputed != 0)
		rc = HN_EINTERNAL;
	hn_view_unref(view);
	hn_catalog_unref(b);
	return rc;
}

static int store(const hn_view *view, hn_error **err)
{
	uint8_t *values = NULL, *chains = NULL;
	size_t values_size = 0, chains_size = 0;
	hn_view *back = NULL;
	char *answer = NULL;
	int rc = hn_view_encode(view, &values, &values_size, err);

	if (rc == 0)
		rc = hn_view_encode_chains(view, &chains, &chains_size, err);
	if (rc == 0)
		rc = hn_view_decode("u", values, values_size, chains, chains_size, &back, err);
	if (rc == 0)
		rc = hn_view_why_not(view, "memory.size", "4Gi", &answer, err);
	hn_text_free(answer);
	hn_view_unref(back);
	hn_bytes_free(values);
	hn_bytes_free(chains);
	return rc;
}

static int run_all(torture *t, hn_error **err)
{
	hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL, *fork = NULL;
	hn_view *view = NULL;
	int rc = build(false, &catalog, err);

	(void)t;
	if (rc == 0)
		rc = hn_resolver_new(catalog, &resolver, err);
	if (rc == 0)
		rc = hn_resolve(resolver, "u", &view, err);
	if (rc == 0)
		rc = store(view, err);
	if (rc == 0)
		rc = hn_resolver_fork(resolver, &fork, err);
	if (rc == 0)
		rc = take_many(fork, catalog, err);
	hn_view_unref(view);
	hn_resolver_free(fork);
	hn_resolver_free(resolver);
	hn_catalog_unref(catalog);
	return rc;
}

/* Fragments of one name, every kind of value, priorities, orders and places. */
static const char documents[] =
	"{\"hypernix\":1,\"documents\":[{\"tags\":{\"a/b\":{\"implies\":[\"c\",\n\"d\"],\"set\":{"
	"\"autostart\":true,\"compute.units\":5,\"rng\":null,\"secrets\":[\"x\",\"y\"]}},"
	"\"c\":{},\"d\":{}}},{\"tags\":{\"a/b\":{\"set\":{\"boot.cmdline\":{\"$value\":[\"q\"],"
	"\"$order\":500}}}},\"defaults\":{\"tpm\":{\"$value\":\"2.0\",\"$priority\":1150}}}]}";

static int print_text(const char *document, hn_error **err)
{
	hn_decl *decl = NULL;
	char *text = NULL;
	int rc = hn_decl_parse("t.json", document, strlen(document), &decl, err);

	if (rc == 0)
		rc = hn_decl_print(decl, &text, err);
	hn_text_free(text);
	hn_decl_unref(decl);
	return rc;
}

static int run_print(torture *t, hn_error **err)
{
	int rc = print_text(fleet, err);

	(void)t;
	return rc < 0 ? rc : print_text(documents, err);
}

/* --- questions --- */

/* Asks one of them about four pairs of words. */
static int ask(const hn_view *view, const hn_catalog *catalog, const char *const asked[4][2],
	hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 4; i++) {
		char *answer = NULL;

		rc = view ? hn_view_why_not(view, asked[i][0], asked[i][1], &answer, err)
			  : hn_catalog_describe(catalog, asked[i][0], asked[i][1], &answer, err);
		hn_text_free(answer);
	}
	return rc;
}

static int ask_why(const hn_view *view, hn_error **err)
{
	static const char *const asked[4][2] = {{"memory.size", "4Gi"}, {"secrets", "q"},
		{"memory.floor", "128Mi"}, {"placement.affinity", "tag:a; tag:b"}};

	return ask(view, NULL, asked, err);
}

static int ask_catalog(const hn_catalog *catalog, hn_error **err)
{
	static const char *const asked[4][2] = {
		{"kind", "env"}, {"tag", "a"}, {"policy", "p"}, {"unit", "u"}};

	return ask(NULL, catalog, asked, err);
}

/* Each value as text and number, and the differences to a unit without any. */
static int ask_values(hn_resolver *resolver, const hn_view *view, hn_error **err)
{
	const hn_key *key = NULL;
	const char *name = NULL, *text = NULL;
	hn_view *other = NULL;
	int64_t number;
	int rc = 0;

	for (size_t i = 0; rc == 0; i++) {
		rc = hn_view_key_at(view, i, &name, &key);
		if (rc == 0)
			rc = hn_view_get_text(view, name, &text, err);
		if (rc == 0 && key->type <= HN_TYPE_ENUM)
			rc = hn_view_get_int(view, name, &number, NULL);
		if (rc == HN_ERANGE)
			rc = 0;
	}
	if (rc == HN_ENOMEM)
		return base_nomem(err);
	rc = rc == HN_ENOENT ? hn_resolve(resolver, "v", &other, err) : rc;
	if (rc == 0)
		rc = hn_view_diff(view, other, NULL, NULL, err);
	hn_view_unref(other);
	return rc < 0 ? rc : 0;
}

static int run_ask(torture *t, hn_error **err)
{
	hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;
	hn_view *view = NULL;
	int rc = build(true, &catalog, err);

	(void)t;
	if (rc == 0)
		rc = ask_catalog(catalog, err);
	if (rc == 0)
		rc = hn_resolver_new(catalog, &resolver, err);
	if (rc == 0)
		rc = hn_resolver_set_unit(
			resolver, "v", &(hn_unit_input){.size = sizeof(hn_unit_input)}, err);
	if (rc == 0)
		rc = hn_resolve(resolver, "u", &view, err);
	if (rc == 0)
		rc = ask_why(view, err);
	if (rc == 0)
		rc = ask_values(resolver, view, err);
	hn_view_unref(view);
	hn_resolver_free(resolver);
	hn_catalog_unref(catalog);
	return rc;
}

/* --- what is given at run time --- */

static int give(hn_resolver *resolver, hn_error **err)
{
	static const char *const tags[] = {"b"}, *const without[] = {"a"},
				 *const policies[] = {"p"};
	static const hn_definition definitions[] = {{.size = sizeof(hn_definition),
							    .layer = HN_LAYER_UNIT,
							    .key = "disks.s.size",
							    .value = "2Gi",
							    .note = "n",
							    .who = "w"},
		{.size = sizeof(hn_definition),
			.layer = HN_LAYER_FORCE,
			.key = "secrets",
			.value = "f g"}};
	hn_unit_input input = {.size = sizeof(input),
		.tags = tags,
		.tag_count = 1,
		.without = without,
		.without_count = 1,
		.policies = policies,
		.policy_count = 1,
		.definitions = definitions,
		.definition_count = BASE_COUNT(definitions)};

	return hn_resolver_set_unit(resolver, "u", &input, err);
}

static int run_give(torture *t, hn_error **err)
{
	static const char *const add[] = {"a"}, *const drop[] = {"b"};
	hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;
	hn_selector *selector = NULL;
	hn_view *view = NULL;
	int rc = build(false, &catalog, err);

	(void)t;
	if (rc == 0)
		rc = hn_resolver_new(catalog, &resolver, err);
	if (rc == 0)
		rc = give(resolver, err);
	if (rc == 0)
		rc = hn_resolver_retag(resolver, "u", add, 1, drop, 1, err);
	if (rc == 0)
		rc = hn_selector_compile("tag:a and not name:b*", &selector, err);
	if (rc == 0)
		rc = hn_resolver_select(resolver, selector, "u", err);
	rc = rc == 1 ? 0 : rc == 0 ? HN_EINTERNAL : rc;
	if (rc == 0)
		rc = hn_resolve_all(resolver, NULL, NULL, err);
	if (rc == 0)
		rc = hn_resolve(resolver, "u", &view, err);
	if (rc == 0)
		rc = store(view, err);
	hn_view_unref(view);
	hn_selector_free(selector);
	hn_resolver_free(resolver);
	hn_catalog_unref(catalog);
	return rc;
}

/* --- refusals: out of memory is never mistaken for another reason --- */

#define UNIT(settings) "{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{" settings "}}}}"
static const struct {
	const char *text;
	hn_code code;
} refused[] = {{"{\"hypernix\":1,\"unit\":{}}", HN_ESCHEMA},
	{UNIT("\"memory.sise\":\"1Gi\""), HN_ESCHEMA}, {UNIT("\"memory.size\":[]"), HN_ESCHEMA},
	{UNIT("\"memory.size\":\"1GB\""), HN_ESYNTAX}, {UNIT("\"tpm\":\"3\""), HN_ESCHEMA},
	{UNIT("\"memory\":null"), HN_ESCHEMA}, {UNIT("\"placement.affinity\":[\"x\"]"), HN_ESYNTAX},
	{"{\"hypernix\":1,\"policies\":{\"p\":{\"select\":\"x\"}}}", HN_ESYNTAX},
	{"{\"hypernix\":1,\"tags\":{\"a\":{\"implies\":[\"b\"]},\"b\":{\"implies\":[\"a\"]}}}",
		HN_ECYCLE},
	{"{\"hypernix\":1,\"units\":{\"u\":{\"tags\":[\"x\"]}}}", HN_ENOENT},
	{"{\"hypernix\":1,\"tags\":{\"a\":{\"set\":{\"rng\":\"off\"}},\"b\":{\"set\":{\"rng\":null}}},"
	 "\"units\":{\"u\":{\"tags\":[\"a\",\"b\"]}}}",
		HN_ECONFLICT},
	{"{\"hypernix\":1,\"kinds\":{\"k\":{\"exclusive\":true}},\"tags\":{\"a\":{\"kind\":\"k\"},"
	 "\"b\":{\"kind\":\"k\"}},\"units\":{\"u\":{\"tags\":[\"a\",\"b\"]}}}",
		HN_EEXCLUSIVE}};

static int refuse_one(const char *text, hn_error **err)
{
	hn_decl *decl = NULL;
	hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;
	int rc = hn_decl_parse("t.json", text, strlen(text), &decl, err);

	if (rc == 0)
		rc = hn_catalog_new(&decl, 1, &catalog, err);
	if (rc == 0)
		rc = hn_resolver_new(catalog, &resolver, err);
	if (rc == 0)
		rc = hn_resolve_all(resolver, NULL, NULL, err);
	hn_resolver_free(resolver);
	hn_catalog_unref(catalog);
	hn_decl_unref(decl);
	return rc;
}

static int run_refuse(torture *t, hn_error **err)
{
	(void)t;
	for (size_t i = 0; i < BASE_COUNT(refused); i++) {
		hn_error *refusal = NULL;
		int rc = refuse_one(refused[i].text, &refusal);

		hn_error_unref(refusal);
		if (rc == HN_ENOMEM)
			return base_nomem(err);
		if (rc != (int)refused[i].code)
			return base_error(err, HN_EINTERNAL, "tags", NULL, "gave %d: %s", rc,
				refused[i].text);
	}
	return 0;
}

static const torture_scenario scenarios[] = {{.name = "resolve", .run = run_all},
	{.name = "print", .run = run_print}, {.name = "ask", .run = run_ask},
	{.name = "give", .run = run_give}, {.name = "refuse", .run = run_refuse}};

int main(int argc, char **argv)
{
	return torture_main("tags", scenarios, BASE_COUNT(scenarios), argc, argv);
}
