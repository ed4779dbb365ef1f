/* SPDX-License-Identifier: MIT
 *
 * What a unit is given at run time: what is refused and leaves all as it was, what a new catalogue
 * makes of it, and what a unit that nothing declares has.
 */
#include "tags/help.h"

#define FLEET                                                                                        \
	"{\"hypernix\":1,\"kinds\":{\"k\":{}},\"tags\":{\"a\":{\"kind\":\"k\",\"implies\":[\"b\"]}," \
	"\"b\":{\"set\":{\"tpm\":\"2.0\"}},\"c\":{}},\"policies\":{\"p\":{\"implies\":[\"c\"],"      \
	"\"set\":{\"memory.size\":\"2Gi\"}}},\"units\":{\"u\":{\"tags\":[\"a\"]},\"web\":{}}}"

static hn_definition definition(hn_layer layer, const char *key, const char *value)
{
	return (hn_definition){
		.size = sizeof(hn_definition), .layer = layer, .key = key, .value = value};
}

static void refuse_input(const hn_unit_input *input, int code, const char *words, const char *hint)
{
	hn_resolver *resolver = resolver_of(FLEET);
	hn_resolve_stats stats = HN_RESOLVE_STATS_INIT;
	hn_error *err = NULL;
	int rc;

	cr_assert_eq(hn_resolve_all(resolver, NULL, NULL, NULL), 0);
	rc = hn_resolver_set_unit(resolver, "u", input, &err);
	expect_error(err, rc, code, words, hint);
	cr_assert_eq(hn_resolve_all(resolver, NULL, NULL, NULL), 0);
	hn_resolver_get_stats(resolver, &stats);
	cr_assert_eq(stats.recomputed, 0u, "a refused input was kept");
	hn_resolver_free(resolver);
}

/* --- names --- */

static void refuse_names(const char *const *names, size_t count, bool policies, int code,
	const char *words, const char *hint)
{
	hn_unit_input input = HN_UNIT_INPUT_INIT;

	if (policies) {
		input.policies = names;
		input.policy_count = count;
	} else {
		input.tags = names;
		input.tag_count = count;
	}
	refuse_input(&input, code, words, hint);
}

Test(given, names)
{
	static const char *const unknown[] = {"a", "cc"}, *const bad[] = {"A"},
				 *const none[] = {NULL};
	static const char *const policy[] = {"pp"}, *const slash[] = {"a/b"};
	hn_unit_input input = HN_UNIT_INPUT_INIT;

	refuse_names(unknown, 2, false, HN_ENOENT, "there is no tag 'cc'", "declare the tag");
	refuse_names(bad, 1, false, HN_ESCHEMA, "'A' is not a name", NULL);
	refuse_names(none, 1, false, HN_ESCHEMA, "'' is not a name", NULL);
	refuse_names(NULL, 1, false, HN_EINVAL, "at most 64 names at run time, not 1", NULL);
	refuse_names(bad, 65, false, HN_ELIMIT, "at most 64 names at run time, not 65", NULL);
	refuse_names(policy, 1, true, HN_ENOENT, "there is no policy 'pp'", "declare the policy");
	refuse_names(slash, 1, true, HN_ESCHEMA, "'a/b' is not a name", NULL);
	refuse_names(NULL, 1025, true, HN_ELIMIT, "at most 1024 names at run time", NULL);
	input.without = bad;
	input.without_count = 1;
	refuse_input(&input, HN_ESCHEMA, "'A' is not a name", NULL);
}

/* --- definitions --- */

static void refuse_definition(
	const hn_definition *given, int code, const char *words, const char *hint)
{
	hn_unit_input input = HN_UNIT_INPUT_INIT;

	input.definitions = given;
	input.definition_count = 1;
	refuse_input(&input, code, words, hint);
}

Test(given, definitions)
{
	hn_definition given = definition(HN_LAYER_FORCE, "memory.sise", "1Gi");

	refuse_definition(
		&given, HN_ESCHEMA, "there is no key 'memory.sise'", "did you mean memory.size?");
	given.key = NULL;
	refuse_definition(&given, HN_ESCHEMA, "there is no key ''", NULL);
	given.key = "zzzzzzzzzzzzzzz";
	refuse_definition(&given, HN_ESCHEMA, "there is no key 'zzz", NULL);
	given.key = "memory.size";
	given.value = "1GB";
	refuse_definition(&given, HN_ESYNTAX, "memory.size: ", NULL);
	given.value = "1Gi";
	given.size--;
	refuse_definition(&given, HN_EINVAL, "a definition's size is not set", NULL);
	refuse_definition(NULL, HN_EINVAL, "definitions are missing", NULL);
}

Test(given, layers_and_priorities)
{
	static const struct {
		hn_layer layer;
		int priority, code;
		const char *words;
	} rows[] = {{HN_LAYER_TAG, 0, HN_EINVAL, "are declared, not made at run time"},
		{HN_LAYER_SCHEMA, 0, HN_EINVAL, "are declared, not made at run time"},
		{(hn_layer)99, 0, HN_EINVAL, "definitions of layer 99"},
		{HN_LAYER_FORCE, 49, HN_ERANGE, "priority 49 is out of range; here it may be 50"},
		{HN_LAYER_FORCE, 51, HN_ERANGE, "priority 51 is out of range; here it may be 50"},
		{HN_LAYER_UNIT, 49, HN_ERANGE, "here it may be 50 to 1500"},
		{HN_LAYER_UNIT, 1501, HN_ERANGE, "here it may be 50 to 1500"},
		{HN_LAYER_FROZEN, 100, HN_ERANGE, "here it may be 1490 to 1490"}};

	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		hn_definition given = definition(rows[i].layer, "memory.size", "1Gi");

		given.priority = rows[i].priority;
		refuse_definition(&given, rows[i].code, rows[i].words, NULL);
	}
}

Test(given, too_many_definitions)
{
	size_t count = 257 * tags_key_count();
	hn_definition *given = calloc(count, sizeof(*given));
	hn_unit_input input = HN_UNIT_INPUT_INIT;

	input.definitions = given;
	input.definition_count = count;
	refuse_input(&input, HN_ELIMIT, "definitions of one key", NULL);
	free(given);
}

Test(given, arguments)
{
	hn_resolver *resolver = resolver_of(FLEET), *fork = NULL;
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	hn_view *view = NULL;
	hn_error *err = NULL;
	int rc = hn_resolver_set_unit(resolver, "U", &input, &err);

	expect_error(err, rc, HN_EINVAL, "'U' is not the name of a unit", "begins with a-z");
	cr_expect_eq(hn_resolver_set_unit(resolver, NULL, &input, NULL), HN_EINVAL);
	cr_expect_eq(hn_resolver_set_unit(NULL, "u", &input, NULL), HN_EINVAL);
	input.size--;
	err = NULL;
	rc = hn_resolver_set_unit(resolver, "u", &input, &err);
	expect_error(err, rc, HN_EINVAL, "the input's size is not set", NULL);
	cr_expect_eq(hn_resolver_new(NULL, &fork, NULL), HN_EINVAL);
	cr_expect_eq(hn_resolver_fork(NULL, &fork, NULL), HN_EINVAL);
	cr_expect_eq(hn_resolver_fork(resolver, NULL, NULL), HN_EINVAL);
	cr_expect_null(fork);
	cr_expect_eq(hn_resolver_set_catalog(resolver, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_resolver_set_catalog(NULL, NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_resolve(NULL, "u", &view, NULL), HN_EINVAL);
	cr_expect_eq(hn_resolve(resolver, NULL, &view, NULL), HN_EINVAL);
	cr_expect_eq(hn_resolve(resolver, "u", NULL, NULL), HN_EINVAL);
	cr_expect_eq(hn_resolve_all(NULL, NULL, NULL, NULL), HN_EINVAL);
	err = NULL;
	rc = hn_resolve(resolver, "wb", &view, &err);
	expect_error(err, rc, HN_ENOENT, "there is no unit 'wb'", "did you mean web?");
	cr_expect_null(view);
	hn_resolver_free(resolver);
}

Test(given, statistics_of_an_older_caller)
{
	hn_resolver *resolver = resolver_of(FLEET);
	hn_resolve_stats stats = {.size = 4, .cells = 77};

	cr_assert_eq(hn_resolve_all(resolver, NULL, NULL, NULL), 0);
	hn_resolver_get_stats(resolver, &stats);
	cr_expect_eq(stats.cells, 77u);
	hn_resolver_free(resolver);
}

/* --- units that nothing declares --- */

Test(given, a_unit_of_its_own)
{
	static const char *const tags[] = {"a"}, *const policies[] = {"p"};
	hn_resolver *resolver = resolver_of(FLEET);
	hn_definition given = definition(HN_LAYER_UNIT, "memory.floor", "64Mi");
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	hn_origin origin = {.size = sizeof(origin)};
	hn_view *view;

	input.tags = tags;
	input.policies = policies;
	input.definitions = &given;
	input.tag_count = input.policy_count = input.definition_count = 1;
	cr_assert_eq(hn_resolver_set_unit(resolver, "extra", NULL, NULL), 0);
	cr_assert_eq(hn_resolve(resolver, "extra", &view, NULL), HN_ENOENT);
	cr_assert_eq(hn_resolver_set_unit(resolver, "extra", &input, NULL), 0);
	view = view_of(resolver, "extra");
	has_value(view, "tpm", "2.0");
	has_value(view, "memory.size", "2Gi");
	cr_assert_eq(hn_view_explain(view, "memory.floor", 0, &origin), 0);
	cr_expect_str_eq(origin.source, "unit:extra");
	hn_view_unref(view);
	view = NULL;
	cr_assert_eq(hn_resolver_set_unit(resolver, "extra", NULL, NULL), 0);
	cr_assert_eq(hn_resolve(resolver, "extra", &view, NULL), HN_ENOENT);
	cr_assert_null(view);
	hn_resolver_free(resolver);
}

/* The order in which definitions are given never shows. */
static void chain_of(const hn_definition *given, size_t count, base_buf *out)
{
	hn_resolver *resolver = resolver_of(FLEET);
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	hn_origin origin = {.size = sizeof(origin)};
	hn_view *view;

	input.definitions = given;
	input.definition_count = count;
	cr_assert_eq(hn_resolver_set_unit(resolver, "u", &input, NULL), 0);
	view = view_of(resolver, "u");
	for (size_t i = 0; hn_view_explain(view, "secrets", i, &origin) == 0; i++)
		base_buf_format(out, "%s %d %s %s %s %lld\n", origin.source, origin.priority,
			origin.value, origin.who != NULL ? origin.who : "-",
			origin.note != NULL ? origin.note : "-", (long long)origin.when);
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

Test(given, order_does_not_show)
{
	BASE_AUTO_BUF base_buf there = {0}, back = {0};
	hn_definition given[7];

	for (size_t i = 0; i < BASE_COUNT(given); i++)
		given[i] = definition(HN_LAYER_UNIT, "secrets", "b");
	given[0].value = "a";
	given[1].value = NULL;
	given[2].who = "x";
	given[3].note = "n";
	given[4].when = 5;
	given[5].priority = 50;
	given[6].layer = HN_LAYER_FORCE;
	chain_of(given, BASE_COUNT(given), &there);
	for (size_t i = 0; i < BASE_COUNT(given) / 2; i++) {
		hn_definition kept = given[i];

		given[i] = given[BASE_COUNT(given) - 1 - i];
		given[BASE_COUNT(given) - 1 - i] = kept;
	}
	chain_of(given, BASE_COUNT(given), &back);
	cr_assert_str_eq(there.data, back.data, "%s%s", there.data, back.data);
	cr_expect_str_eq(there.data,
		"force 50 b - - 0\nunit:u 50 b - - 0\nunit:u 100 a - - 0\n"
		"unit:u 100 b - - 5\nunit:u 100 b - n 0\nunit:u 100 b x - 0\n"
		"unit:u 100 null - null takes nothing away under this merge rule 0\nschema 1500  - - 0\n",
		"%s", there.data);
}

/* --- what a new catalogue no longer knows --- */

static void refuse_after(const char *after, const char *words)
{
	static const char *const tags[] = {"c"}, *const policies[] = {"p"};
	hn_resolver *resolver = resolver_of(FLEET);
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	hn_catalog *catalog = NULL;
	hn_view *view = NULL;
	hn_error *err = NULL;
	int rc;

	input.tags = tags;
	input.policies = policies;
	input.tag_count = input.policy_count = 1;
	cr_assert_eq(hn_resolver_set_unit(resolver, "u", &input, NULL), 0);
	cr_assert_eq(hn_resolve_all(resolver, NULL, NULL, NULL), 0);
	cr_assert_eq(catalogued(&after, 1, &catalog, NULL), 0);
	cr_assert_eq(hn_resolver_set_catalog(resolver, catalog, NULL), 0);
	hn_catalog_unref(catalog);
	rc = hn_resolve(resolver, "u", &view, &err);
	cr_assert_not_null(hn_error_cause(err));
	cr_assert_not_null(strstr(hn_error_message(hn_error_cause(err)), words));
	expect_error(err, rc, HN_ENOENT, "unit 'u'", NULL);
	cr_assert_eq(hn_resolve_all(resolver, NULL, NULL, NULL), HN_ENOENT);
	err = NULL;
	rc = hn_resolve_all(resolver, NULL, NULL, &err);
	expect_error(err, rc, HN_ENOENT, "unit 'u'", NULL);
	/* Without what it was given it holds again. */
	cr_assert_eq(hn_resolver_set_unit(resolver, "u", NULL, NULL), 0);
	view = view_of(resolver, "u");
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

Test(given, a_tag_that_is_gone)
{
	refuse_after("{\"hypernix\":1,\"tags\":{\"a\":{}},\"policies\":{\"p\":{}},"
		     "\"units\":{\"u\":{\"tags\":[\"a\"]}}}",
		"there is no tag 'c'");
}

Test(given, a_policy_that_is_gone)
{
	refuse_after("{\"hypernix\":1,\"tags\":{\"a\":{},\"c\":{}},"
		     "\"units\":{\"u\":{\"tags\":[\"a\"]}}}",
		"there is no policy 'p'");
}

/* A unit that nothing declares stays, and those that a catalogue adds stand around it. */
Test(given, a_unit_of_its_own_stays)
{
	static const char *const documents[] = {"{\"hypernix\":1,\"units\":{\"a\":{},\"z\":{}}}",
		"{\"hypernix\":1,\"units\":{\"n\":{\"overrides\":{\"rng\":\"off\"}}}}",
		"{\"hypernix\":1}"};
	hn_resolver *resolver = resolver_of(FLEET);
	hn_definition given = definition(HN_LAYER_UNIT, "memory.size", "1Gi");
	hn_unit_input input = HN_UNIT_INPUT_INIT;

	input.definitions = &given;
	input.definition_count = 1;
	cr_assert_eq(hn_resolver_set_unit(resolver, "n", &input, NULL), 0);
	cr_assert_eq(hn_resolver_set_unit(resolver, "zz", &input, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(documents); i++) {
		hn_catalog *catalog = NULL;
		hn_view *view = NULL;

		cr_assert_eq(catalogued(&documents[i], 1, &catalog, NULL), 0);
		cr_assert_eq(hn_resolver_set_catalog(resolver, catalog, NULL), 0);
		hn_catalog_unref(catalog);
		view = view_of(resolver, "n");
		has_value(view, "memory.size", "1Gi");
		has_value(view, "rng", i == 1 ? "off" : "urandom");
		hn_view_unref(view);
		view = view_of(resolver, "zz");
		hn_view_unref(view);
		cr_assert_eq(hn_resolve(resolver, "u", &view, NULL), HN_ENOENT);
	}
	hn_resolver_free(resolver);
}

/* --- retag --- */

static void refuse_retag(const char *unit, const char *const *add, const char *const *drop,
	int code, const char *words, const char *hint)
{
	hn_resolver *resolver = resolver_of(FLEET);
	hn_error *err = NULL;
	int rc = hn_resolver_retag(resolver, unit, add, add != NULL, drop, drop != NULL, &err);

	expect_error(err, rc, code, words, hint);
	hn_resolver_free(resolver);
}

Test(retag, refused)
{
	static const char *const none[] = {NULL}, *const bad[] = {"A"}, *const unknown[] = {"cc"};
	hn_resolver *resolver = resolver_of(FLEET);

	refuse_retag("u", none, NULL, HN_EINVAL, "a tag has no name", NULL);
	refuse_retag("u", NULL, bad, HN_ESCHEMA, "'A' is not the name of a tag", NULL);
	refuse_retag("u", unknown, NULL, HN_ENOENT, "there is no tag 'cc'", "declare the tag");
	refuse_retag("x-y-z", NULL, NULL, HN_ENOENT, "there is no unit 'x-y-z'", NULL);
	refuse_retag(NULL, NULL, NULL, HN_EINVAL, "a unit's name is needed", NULL);
	cr_expect_eq(hn_resolver_retag(NULL, "u", bad, 1, NULL, 0, NULL), HN_EINVAL);
	cr_expect_eq(hn_resolver_retag(resolver, "u", NULL, 1, NULL, 0, NULL), HN_EINVAL);
	cr_expect_eq(hn_resolver_retag(resolver, "u", NULL, 0, NULL, 1, NULL), HN_EINVAL);
	hn_resolver_free(resolver);
}

static void has_tags(hn_resolver *resolver, const char *unit, const char *wanted)
{
	hn_view *view = view_of(resolver, unit);
	BASE_AUTO_BUF base_buf all = {0};
	const char *name, *how;

	base_buf_text(&all, "");
	for (size_t i = 0; hn_view_tag_at(view, i, &name, &how) == 0; i++)
		base_buf_format(&all, "%s %s\n", name, how);
	cr_assert_str_eq(all.data, wanted, "%s", all.data);
	hn_view_unref(view);
}

/* Adding twice is adding once; what was declared comes back as declared; a null stays. */
Test(retag, of_a_declared_unit)
{
	static const char *const a[] = {"a"}, *const c[] = {"c", "c"};
	hn_resolver *resolver = resolver_of(FLEET);
	hn_definition given = definition(HN_LAYER_FORCE, "tpm", NULL);
	hn_unit_input input = HN_UNIT_INPUT_INIT;

	input.definitions = &given;
	input.definition_count = 1;
	cr_assert_eq(hn_resolver_set_unit(resolver, "u", &input, NULL), 0);
	cr_assert_eq(hn_resolver_retag(resolver, "u", c, 2, NULL, 0, NULL), 0);
	cr_assert_eq(hn_resolver_retag(resolver, "u", c, 1, a, 1, NULL), 0);
	cr_assert_eq(hn_resolver_retag(resolver, "u", NULL, 0, a, 1, NULL), 0);
	has_tags(resolver, "u", "c runtime\n");
	cr_assert_eq(hn_resolver_retag(resolver, "u", a, 1, c, 1, NULL), 0);
	has_tags(resolver, "u", "a declared\nb implied by tag:a\n");
	hn_view *view = view_of(resolver, "u");
	has_marks(view, "tpm", "iwl");
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

/* What was asked for before takes no more room when it is asked for again. */
Test(retag, again_and_again)
{
	static const char *const add[] = {"b", "c"}, *const drop[] = {"a"};
	hn_resolver *resolver = resolver_of(FLEET);

	for (int i = 0; i < 70; i++)
		cr_assert_eq(hn_resolver_retag(resolver, "u", add, 2, drop, 1, NULL), 0);
	has_tags(resolver, "u", "b runtime\nc runtime\n");
	hn_resolver_free(resolver);
}

Test(retag, of_a_unit_of_its_own)
{
	static const char *const a[] = {"a"}, *const b[] = {"b"};
	hn_resolver *resolver = resolver_of(FLEET);
	hn_unit_input input = HN_UNIT_INPUT_INIT;

	cr_assert_eq(hn_resolver_set_unit(resolver, "extra", &input, NULL), 0);
	cr_assert_eq(hn_resolver_retag(resolver, "extra", a, 1, NULL, 0, NULL), 0);
	cr_assert_eq(hn_resolver_retag(resolver, "extra", b, 1, a, 1, NULL), 0);
	has_tags(resolver, "extra", "b runtime\n");
	hn_resolver_free(resolver);
}

/* --- select --- */

Test(select, sees_kinds_and_not_what_policies_imply)
{
	static const char *const policies[] = {"p"};
	static const struct {
		const char *text;
		int wanted;
	} rows[] = {{"kind:k", 1}, {"tag:c", 0}, {"tag:b and name:u", 1}, {"name:w*", 0}};
	hn_resolver *resolver = resolver_of(FLEET);
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	hn_selector *selector = NULL;

	input.policies = policies;
	input.policy_count = 1;
	cr_assert_eq(hn_resolver_set_unit(resolver, "u", &input, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		cr_assert_eq(hn_selector_compile(rows[i].text, &selector, NULL), 0);
		cr_expect_eq(hn_resolver_select(resolver, selector, "u", NULL), rows[i].wanted,
			"%s", rows[i].text);
		hn_selector_free(selector);
	}
	cr_assert_eq(hn_selector_compile("all", &selector, NULL), 0);
	cr_expect_eq(hn_resolver_select(NULL, selector, "u", NULL), HN_EINVAL);
	cr_expect_eq(hn_resolver_select(resolver, NULL, "u", NULL), HN_EINVAL);
	cr_expect_eq(hn_resolver_select(resolver, selector, NULL, NULL), HN_EINVAL);
	hn_selector_free(selector);
	cr_expect_eq(hn_selector_compile(NULL, &selector, NULL), HN_EINVAL);
	cr_expect_eq(hn_selector_compile("all", NULL, NULL), HN_EINVAL);
	hn_resolver_free(resolver);
}

/* A unit whose tags do not go together has no tags that a selector could see. */
Test(select, of_a_unit_that_does_not_hold)
{
	hn_resolver *resolver = resolver_of(
		"{\"hypernix\":1,\"kinds\":{\"k\":{\"exclusive\":true}},\"tags\":{\"a\":{\"kind\":\"k\"},"
		"\"b\":{\"kind\":\"k\"}},\"units\":{\"u\":{\"tags\":[\"a\",\"b\"]}}}");
	hn_selector *selector = NULL;
	hn_error *err = NULL;
	int rc;

	cr_assert_eq(hn_selector_compile("all", &selector, NULL), 0);
	rc = hn_resolver_select(resolver, selector, "u", &err);
	expect_error(err, rc, HN_EEXCLUSIVE, "two tags of the exclusive kind 'k'", "keep tag:a or");
	hn_selector_free(selector);
	hn_resolver_free(resolver);
}
