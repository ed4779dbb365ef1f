/* SPDX-License-Identifier: MIT
 *
 * Selectors, run-time input, explanations, stored views and differences.
 */
#include "tags/help.h"

#define FLEET                                                                                                        \
	"{\"hypernix\":1,\"kinds\":{\"env\":{}},\n"                                                                  \
	"\"tags\":{\"production\":{\"kind\":\"env\",\"set\":{\"backup.schedule\":\"daily 02:00\"}},\n"               \
	"\"database\":{\"set\":{\"memory.size\":\"16Gi\",\"backup.schedule\":\"hourly\"}},\n"                        \
	"\"web\":{},\"batch\":{}},\n"                                                                                \
	"\"policies\":{\"web-tier\":{\"select\":\"tag:web and not tag:batch\",\"set\":{\"memory.size\":\"8Gi\"}},\n" \
	"\"batch\":{\"select\":\"tag:batch\",\"set\":{\"memory.size\":\"4Gi\"}}},\n"                                 \
	"\"units\":{\"u\":{\"tags\":[\"database\",\"web\"],\"overrides\":{\n"                                        \
	"\"memory.size\":\"32Gi\",\"secrets\":[\"a\"],\"disks.root.size\":\"1Gi\"}},\n"                              \
	"\"webserver\":{\"tags\":[\"production\",\"database\"]}}}"

static int matches(const char *text)
{
	static const char *const tags[] = {"web", "blue/canary", "production"};
	static const char *const kinds[] = {NULL, "ring", "env"};
	hn_selector *selector = NULL;
	int rc;

	cr_assert_eq(hn_selector_compile(text, &selector, NULL), 0, "%s", text);
	rc = hn_selector_match(selector, "web-1", tags, kinds, 3);
	hn_selector_free(selector);
	return rc;
}

#define MATCHES(name, text, wanted)                                                                \
	Test(selector, name)                                                                       \
	{                                                                                          \
		cr_assert_eq(matches(text), wanted);                                               \
	}
MATCHES(all, "all", 1)
MATCHES(none, "none", 0)
MATCHES(tag, "tag:web", 1)
MATCHES(tag_absent, "tag:batch", 0)
MATCHES(tag_with_namespace, "tag:blue/canary", 1)
MATCHES(star_crosses_a_slash, "tag:bl*ary", 1)
MATCHES(kind, "kind:env", 1)
MATCHES(kind_absent, "kind:role", 0)
MATCHES(name, "name:web-*", 1)
MATCHES(name_whole, "name:web", 0)
MATCHES(not_true, "not tag:web", 0)
MATCHES(not_false, "not tag:batch", 1)
MATCHES(and_binds_more_than_or, "tag:web or tag:batch and none", 1)
MATCHES(brackets, "(tag:web or tag:batch) and none", 0)
MATCHES(and_both, "tag:web and kind:env", 1)
MATCHES(and_one, "tag:web and tag:batch", 0)
MATCHES(or_none_of_them, "tag:batch or tag:x", 0)
MATCHES(not_brackets, "not (tag:batch or tag:x)", 1)
MATCHES(many_stars, "tag:*p*r*o*d*u*c*t*", 1)

static void refuse_selector(const char *text, int code, const char *words)
{
	hn_selector *selector = NULL;
	hn_error *err = NULL;
	int rc = hn_selector_compile(text, &selector, &err);

	cr_assert_null(selector);
	expect_error(err, rc, code, words, NULL);
}

Test(selector, refused)
{
	refuse_selector("", HN_ESYNTAX, "column 1");
	refuse_selector("tag:", HN_ESYNTAX, "column 5");
	refuse_selector("tag:a tag:b", HN_ESYNTAX, "column 7");
	refuse_selector("not not tag:a", HN_ESYNTAX, "column 5");
	refuse_selector("(tag:a", HN_ESYNTAX, "')' is missing");
	refuse_selector("tag:A", HN_ESYNTAX, "column 5");
	refuse_selector("and", HN_ESYNTAX, "column 1");
}

/* What explain prints for a key, a line each. */
static char *explained(const hn_view *view, const char *key)
{
	hn_origin origin = {.size = sizeof(origin)};
	base_buf out = {0};

	base_buf_text(&out, "");
	for (size_t i = 0; hn_view_explain(view, key, i, &origin) == 0; i++) {
		base_buf_format(&out, "%s %d %s", hn_mark_name(origin.mark), origin.priority,
			origin.source);
		if (origin.file != NULL)
			base_buf_format(&out, " %s:%u:%u", origin.file, origin.line, origin.column);
		base_buf_format(&out, " %s%s%s\n", origin.value, origin.note != NULL ? " " : "",
			origin.note != NULL ? origin.note : "");
	}
	return base_buf_take(&out);
}

static const char wanted_lines[] =
	"won 100 unit:u a.json:8:15 32Gi\n"
	"lost 400 tag:database a.json:3:34 16Gi\n"
	"lost 600 policy:web-tier a.json:5:83 8Gi selected: tag:web and not tag:batch\n"
	"lost 1500 schema 512Mi\n"
	"ignored 600 policy:batch a.json:6:52 4Gi selector false at: tag:batch\n";

Test(explain, every_line)
{
	hn_view *view = resolved(FLEET);
	char *text = explained(view, "memory.size");

	cr_assert_str_eq(text, wanted_lines, "%s", text);
	hn_text_free(text);
	hn_view_unref(view);
}

Test(explain, conflict_text)
{
	hn_resolver *resolver = resolver_of(FLEET);
	hn_error *err = NULL;
	hn_view *view = NULL;

	cr_assert_eq(hn_resolve(resolver, "webserver", &view, &err), HN_ECONFLICT);
	cr_assert_str_eq(hn_error_message(err),
		"conflict in unit 'webserver': backup.schedule has two values at priority 400\n"
		"  daily 02:00   tag:production   a.json:2:61\n"
		"  hourly        tag:database     a.json:3:59");
	cr_assert_str_eq(hn_error_hint(err),
		"ways out: give one tag a smaller number (tags.database.priority = 390) | set it on the unit "
		"(wins at 100) | make the tags exclusive (same kind)");
	hn_error_unref(err);
	hn_resolver_free(resolver);
}

Test(explain, why_not)
{
	hn_view *view = resolved(FLEET);
	char *answer = NULL;

	cr_assert_eq(hn_view_why_not(view, "memory.size", "8Gi", &answer, NULL), 0);
	cr_assert_not_null(
		strstr(answer, "policy:web-tier (a.json:5:83) gives 8Gi at priority 600"), "%s",
		answer);
	cr_assert_not_null(strstr(answer, "unit:u wins at priority 100 with 32Gi"), "%s", answer);
	hn_text_free(answer);
	cr_assert_eq(hn_view_why_not(view, "memory.size", "8GB", &answer, NULL), HN_ESYNTAX);
	hn_view_unref(view);
}

Test(view, numbers_and_items)
{
	hn_view *view = resolved(FLEET);
	const char *text = NULL;
	int64_t number = 0;

	cr_assert_eq(hn_view_get_int(view, "memory.size", &number, NULL), 0);
	cr_assert_eq(number, INT64_C(32) << 30);
	cr_assert_eq(hn_view_get_int(view, "compute.limit", &number, NULL), HN_ERANGE);
	cr_assert_eq(hn_view_get_int(view, "secrets", &number, NULL), HN_EINVAL);
	cr_assert_eq(hn_view_get_int(view, "nothing", &number, NULL), HN_ESCHEMA);
	cr_assert_eq(hn_view_get_item(view, "secrets", 0, &text), 0);
	cr_assert_str_eq(text, "a");
	cr_assert_eq(hn_view_get_item(view, "secrets", 1, &text), HN_ENOENT);
	cr_assert_eq(hn_view_name_at(view, "disks.", 0, &text), 0);
	cr_assert_str_eq(text, "root");
	cr_assert_eq(hn_view_name_at(view, "disks.", 1, &text), HN_ENOENT);
	hn_view_unref(view);
}

Test(view, stored_and_read_back)
{
	hn_view *view = resolved(FLEET), *back = NULL, *bare = NULL;
	uint8_t *values = NULL, *chains = NULL, *again = NULL;
	size_t values_size, chains_size, again_size;
	char *text;

	cr_assert_eq(hn_view_encode(view, &values, &values_size, NULL), 0);
	cr_assert_eq(hn_view_encode_chains(view, &chains, &chains_size, NULL), 0);
	cr_assert_eq(hn_view_decode("u", values, values_size, chains, chains_size, &back, NULL), 0);
	text = explained(back, "memory.size");
	cr_assert_str_eq(text, wanted_lines, "%s", text);
	hn_text_free(text);
	cr_assert_eq(hn_view_diff(view, back, NULL, NULL, NULL), 0);
	cr_assert_eq(hn_view_tag_count(back), 2u);
	cr_assert_eq(hn_view_encode(back, &again, &again_size, NULL), 0);
	cr_assert_eq(again_size, values_size);
	cr_assert_eq(memcmp(again, values, values_size), 0);
	cr_assert_eq(hn_view_decode("u", values, values_size, NULL, 0, &bare, NULL), 0);
	has_marks(bare, "memory.size", "");
	has_value(bare, "memory.size", "32Gi");
	cr_assert_eq(hn_view_decode("u", values, values_size - 1, NULL, 0, &bare, NULL), HN_ECBOR);
	hn_bytes_free(values);
	hn_bytes_free(chains);
	hn_bytes_free(again);
	hn_view_unref(view);
	hn_view_unref(back);
	hn_view_unref(bare);
}

static void give(
	hn_resolver *resolver, hn_layer layer, const char *key, const char *value, int code)
{
	hn_definition definition = {
		.size = sizeof(definition), .layer = layer, .key = key, .value = value};
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	hn_error *err = NULL;

	input.definitions = &definition;
	input.definition_count = 1;
	cr_assert_eq(hn_resolver_set_unit(resolver, "u", &input, &err), code, "%s",
		err != NULL ? hn_error_message(err) : "-");
	hn_error_unref(err);
}

#define GIVEN(name, layer, key, value, wanted)                                                     \
	Test(runtime, name)                                                                        \
	{                                                                                          \
		hn_resolver *resolver = resolver_of(FLEET);                                        \
		hn_view *view;                                                                     \
                                                                                                   \
		give(resolver, layer, key, value, 0);                                              \
		view = view_of(resolver, "u");                                                     \
		has_value(view, key, wanted);                                                      \
		hn_view_unref(view);                                                               \
		hn_resolver_free(resolver);                                                        \
	}
GIVEN(force_wins, HN_LAYER_FORCE, "memory.size", "2Gi", "2Gi")
GIVEN(emergency_wins, HN_LAYER_EMERGENCY, "memory.size", "2Gi", "2Gi")
GIVEN(frozen_loses_to_all_but_the_schema, HN_LAYER_FROZEN, "memory.size", "2Gi", "32Gi")
GIVEN(frozen_before_the_schema, HN_LAYER_FROZEN, "compute.vcpus", "3", "3")
GIVEN(force_unsets, HN_LAYER_FORCE, "memory.size", NULL, "512Mi")
GIVEN(force_joins_a_set, HN_LAYER_FORCE, "secrets", "b", "a b")

Test(runtime, refused)
{
	hn_resolver *resolver = resolver_of(FLEET);

	give(resolver, HN_LAYER_FORCE, "memory.sizes", "1Gi", HN_ESCHEMA);
	give(resolver, HN_LAYER_FORCE, "memory.size", "1GB", HN_ESYNTAX);
	give(resolver, HN_LAYER_TAG, "memory.size", "1Gi", HN_EINVAL);
	hn_resolver_free(resolver);
}

Test(runtime, retag_keeps_the_rest)
{
	static const char *const add[] = {"batch"}, *const drop[] = {"web"};
	hn_resolver *resolver = resolver_of(FLEET);
	hn_selector *selector = NULL;
	hn_view *view;

	give(resolver, HN_LAYER_FORCE, "compute.units", "800", 0);
	cr_assert_eq(hn_resolver_retag(resolver, "u", add, 1, drop, 1, NULL), 0);
	view = view_of(resolver, "u");
	has_value(view, "compute.units", "800");
	has_marks(view, "memory.size", "wllli");
	cr_assert_eq(hn_selector_compile("tag:batch and not tag:web", &selector, NULL), 0);
	cr_assert_eq(hn_resolver_select(resolver, selector, "u", NULL), 1);
	cr_assert_eq(hn_resolver_select(resolver, selector, "v", NULL), HN_ENOENT);
	cr_assert_eq(hn_resolver_retag(resolver, "u", drop + 0, 1, NULL, 0, NULL), 0);
	cr_assert_eq(hn_resolver_select(resolver, selector, "u", NULL), 0);
	hn_selector_free(selector);
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

Test(decl, print_reads_back)
{
	hn_decl *decl = parsed("a.json", FLEET), *again;
	char *text = NULL, *second = NULL;

	cr_assert_eq(hn_decl_print(decl, &text, NULL), 0);
	again = parsed("other.json", text);
	cr_assert_eq(hn_decl_print(again, &second, NULL), 0);
	cr_assert_str_eq(text, second);
	hn_text_free(text);
	hn_text_free(second);
	hn_decl_unref(decl);
	hn_decl_unref(again);
}

static void count_problem(void *arg, const hn_error *problem)
{
	int *count = arg;

	cr_assert_neq((int)hn_error_code(problem), 0);
	(*count)++;
}

Test(decl, check_tells_every_problem)
{
	hn_decl *decl = parsed("a.json",
		"{\"hypernix\":1,\"tags\":{\"a\":{\"implies\":[\"a\",\"x\"]}},\"units\":{\"u\":{\"tags\":[\"y\"]}}}");
	hn_decl *fleet = parsed("a.json", FLEET);
	int count = 0;

	cr_assert_eq(hn_decl_check(&decl, 1, count_problem, &count, NULL), 3);
	cr_assert_eq(count, 3);
	cr_assert_eq(hn_decl_check(&fleet, 1, count_problem, &count, NULL), 1);
	hn_decl_unref(decl);
	hn_decl_unref(fleet);
}

Test(catalog, describe)
{
	const char *text = FLEET;
	hn_catalog *catalog = NULL;
	char *json = NULL;

	cr_assert_eq(catalogued(&text, 1, &catalog, NULL), 0);
	cr_assert_eq(hn_catalog_describe(catalog, "tag", "database", &json, NULL), 0);
	cr_assert_not_null(strstr(json, "\"memory.size\""), "%s", json);
	hn_text_free(json);
	json = NULL;
	cr_assert_eq(hn_catalog_describe(catalog, "tag", "nobody", &json, NULL), HN_ENOENT);
	cr_assert_eq(hn_catalog_describe(catalog, "thing", "x", &json, NULL), HN_EINVAL);
	cr_assert_null(json);
	hn_catalog_unref(catalog);
}
