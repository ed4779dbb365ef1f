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

static int run_print(torture *t, hn_error **err)
{
	hn_decl *decl = NULL;
	char *text = NULL;
	int rc = hn_decl_parse("t.json", fleet, sizeof(fleet) - 1, &decl, err);

	(void)t;
	if (rc == 0)
		rc = hn_decl_print(decl, &text, err);
	hn_text_free(text);
	hn_decl_unref(decl);
	return rc;
}

static const torture_scenario scenarios[] = {{.name = "resolve", .run = run_all, .stride = 3},
	{.name = "print", .run = run_print, .stride = 3}};

int main(int argc, char **argv)
{
	return torture_main("tags", scenarios, BASE_COUNT(scenarios), argc, argv);
}
