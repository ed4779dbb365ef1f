/* SPDX-License-Identifier: MIT
 *
 * Who is resolved again after a change: those that it reaches, and nobody else.
 */
#include "help.h"

#define UNITS                                                                                      \
	"\"units\":{\"a\":{\"tags\":[\"t\"]},\"b\":{\"tags\":[\"u\"]},"                            \
	"\"c\":{\"tags\":[\"t\",\"u\"]}}"
#define DECLARED(size)                                                                             \
	"{\"hypernix\":1,\"tags\":{\"t\":{\"set\":{\"memory.size\":\"" size                        \
	"\"}},\"u\":{\"priority\":300,\"set\":{\"memory.floor\":\"64Mi\"}}}," UNITS "}"

static void take(hn_resolver *resolver, const char *text)
{
	hn_catalog *catalog = NULL;
	hn_error *err = NULL;

	cr_assert_eq(catalogued(&text, 1, &catalog, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "-");
	cr_assert_eq(hn_resolver_set_catalog(resolver, catalog, &err), 0);
	hn_catalog_unref(catalog);
}

static uint64_t recomputed(hn_resolver *resolver)
{
	hn_resolve_stats stats = HN_RESOLVE_STATS_INIT;

	cr_assert_geq(hn_resolve_all(resolver, NULL, NULL, NULL), 0);
	hn_resolver_get_stats(resolver, &stats);
	return stats.recomputed;
}

Test(recompute, those_with_the_tag)
{
	hn_resolver *resolver = resolver_of(DECLARED("1Gi"));

	cr_expect_eq(recomputed(resolver), 3);
	cr_expect_eq(recomputed(resolver), 0);
	take(resolver, DECLARED("1Gi"));
	cr_expect_eq(recomputed(resolver), 0);
	take(resolver, DECLARED("2Gi"));
	cr_expect_eq(recomputed(resolver), 2);
	hn_resolver_free(resolver);
}

Test(recompute, not_those_that_lost_the_tag_at_run_time)
{
	hn_resolver *resolver = resolver_of(DECLARED("1Gi"));
	const char *tag = "t";

	cr_assert_eq(recomputed(resolver), 3);
	cr_assert_eq(hn_resolver_retag(resolver, "a", NULL, 0, &tag, 1, NULL), 0);
	cr_expect_eq(recomputed(resolver), 1);
	take(resolver, DECLARED("2Gi"));
	cr_expect_eq(recomputed(resolver), 1, "only c has the tag still");
	cr_assert_eq(hn_resolver_retag(resolver, "a", &tag, 1, NULL, 0, NULL), 0);
	cr_expect_eq(recomputed(resolver), 1);
	take(resolver, DECLARED("3Gi"));
	cr_expect_eq(recomputed(resolver), 2);
	hn_resolver_free(resolver);
}

/* A unit before all others moves their places; a tag before all others, the numbers. */
Test(recompute, after_places_and_numbers_moved)
{
	hn_resolver *resolver = resolver_of(DECLARED("1Gi"));
	static const char moved[] =
		"{\"hypernix\":1,\"tags\":{\"t\":{\"set\":{\"memory.size\":\"%s\"}},"
		"\"u\":{\"priority\":300,\"set\":{\"memory.floor\":\"64Mi\"}},\"s\":{}},"
		"\"units\":{\"a\":{\"tags\":[\"t\"]},\"a-a\":{\"tags\":[\"s\"]},"
		"\"b\":{\"tags\":[\"u\"]},\"c\":{\"tags\":[\"t\",\"u\"]}}}";
	char text[1024];

	cr_assert_eq(recomputed(resolver), 3);
	snprintf(text, sizeof(text), moved, "1Gi");
	take(resolver, text);
	cr_expect_eq(recomputed(resolver), 1, "the new unit");
	snprintf(text, sizeof(text), moved, "2Gi");
	take(resolver, text);
	cr_expect_eq(recomputed(resolver), 2, "a and c");
	take(resolver, DECLARED("2Gi"));
	cr_expect_eq(recomputed(resolver), 0, "one went");
	take(resolver, DECLARED("3Gi"));
	cr_expect_eq(recomputed(resolver), 2, "a and c");
	hn_resolver_free(resolver);
}

/* A fork has no index of its own: it is made out of views of the older catalogue. */
Test(recompute, in_a_fork)
{
	hn_resolver *resolver = resolver_of(DECLARED("1Gi")), *fork = NULL;

	cr_assert_eq(recomputed(resolver), 3);
	take(resolver,
		"{\"hypernix\":1,\"tags\":{\"t\":{\"set\":{\"memory.size\":\"1Gi\"}},"
		"\"u\":{\"priority\":300,\"set\":{\"memory.floor\":\"64Mi\"}},\"s\":{}}," UNITS
		"}");
	cr_assert_eq(recomputed(resolver), 0);
	cr_assert_eq(hn_resolver_fork(resolver, &fork, NULL), 0);
	take(fork, DECLARED("2Gi"));
	cr_expect_eq(recomputed(fork), 2);
	cr_expect_eq(recomputed(resolver), 0, "the base is as it was");
	hn_resolver_free(fork);
	hn_resolver_free(resolver);
}

/* Two units with the same tags and policies share what is merged only if they came by them alike.
 */
Test(recompute, named_and_selected_are_told_apart)
{
	hn_resolver *resolver = resolver_of(
		"{\"hypernix\":1,\"tags\":{\"t\":{}},\"policies\":{\"p\":{\"select\":\"tag:t\","
		"\"set\":{\"memory.size\":\"2Gi\"}}},\"units\":{\"a\":{\"tags\":[\"t\"],"
		"\"policies\":[\"p\"]},\"b\":{\"tags\":[\"t\"]}}}");
	hn_view *a = view_of(resolver, "a"), *b = view_of(resolver, "b");
	hn_origin origin = {.size = sizeof(origin)};

	cr_assert_eq(hn_view_explain(a, "memory.size", 0, &origin), 0);
	cr_expect_str_eq(origin.note, "named");
	cr_assert_eq(hn_view_explain(b, "memory.size", 0, &origin), 0);
	cr_expect_str_eq(origin.note, "selected: tag:t");
	hn_view_unref(a);
	hn_view_unref(b);
	hn_resolver_free(resolver);
}
