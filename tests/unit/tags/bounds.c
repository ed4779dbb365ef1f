/* SPDX-License-Identifier: MIT
 *
 * Where things end: limits of documents and units, arguments that are missing, documents that say
 * the same thing at the same place, and edits that change one name for another.
 */
#include "tags/help.h"

#define UNIT(settings) "{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{" settings "}}}}"

/* --- declarations --- */

Test(bounds, more_that_a_declaration_is_refused_for)
{
	static const struct {
		const char *text;
		int code;
		const char *words, *hint;
	} rows[] = {{"{\"hypernix\":0}", HN_ESCHEMA, "web.json:1:13: the schema must be", NULL},
		{"{\"hypernix\":1,\"units\":[]}", HN_ESCHEMA, "web.json:1:23: units must be", NULL},
		{"{\"hypernix\":1,\"units\":{\"u\":{\"tags\":[\"A\"]}}}", HN_ESCHEMA,
			"web.json:1:37: 'A' is not a name", "begins with a-z"},
		{"{\"hypernix\":1,\"tags\":{\"t\":{\"priority\":\"1\"}}}", HN_ESCHEMA,
			"priority must be a whole number, not a string", NULL},
		{"{\"hypernix\":1,\"policies\":{\"p\":{\"select\":1}}}", HN_ESCHEMA,
			"select must be a string", NULL},
		{"{\"hypernix\":1,\"files\":{}}", HN_ESCHEMA, "files must be an array", NULL},
		{"{\"hypernix\":1,\"origins\":[]}", HN_ESCHEMA, "origins must be an object", NULL},
		{"{\"hypernix\":1,\"files\":[\"f\"],\"units\":{},\"origins\":{\"/units\":7}}",
			HN_ESCHEMA, "an origin is an array", "write [0, 12, 7]"},
		{"{\"hypernix\":1,\"files\":[\"f\"],\"units\":{},\"origins\":{\"/units\":[0,\"1\",1]}}",
			HN_ESCHEMA, "whole numbers", "write [0, 12, 7]"},
		{"{\"hypernix\":1,\"files\":[\"f\"],\"units\":{},\"origins\":{\"/units\":[0,2147483648,1]}}",
			HN_ESCHEMA, "whole numbers", "write [0, 12, 7]"},
		{UNIT("\"compute.overcommit\":true"), HN_ESCHEMA, "cannot be true", NULL},
		{UNIT("\"compute.overcommit\":[]"), HN_ESCHEMA, "cannot be an array", NULL},
		{UNIT("\"storage.bandwidth\":5"), HN_ESCHEMA, "storage.bandwidth cannot be",
			"string with its unit"},
		{UNIT("\"tpm\":1.5"), HN_ESCHEMA, "tpm cannot be", "write it as a string"},
		{UNIT("\"boot.cmdline\":{\"$value\":[],\"$order\":\"1\"}"), HN_ERANGE,
			"$order must be", "1000 is usual"},
		{UNIT("\"memory.size\":{\"$merge\":[\"1Gi\",\"1GB\"]}"), HN_ESYNTAX, "1GB", NULL},
		{UNIT("\"disks.a.size\":\"1Gi\",\"disks\":{\"a\":null}"), HN_EDUPLICATE,
			"disks.a.size is given twice", "keep one"},
		{UNIT("\"disks\":{\"a\":null},\"boot.cmdline\":[\"\"]"), HN_ESCHEMA, "boot.cmdline",
			NULL},
		{"{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":null}}}", HN_ESCHEMA,
			"'the top' is a group of keys and must be an object, not null", NULL}};

	for (size_t i = 0; i < BASE_COUNT(rows); i++)
		refuse_decl(rows[i].text, rows[i].code, rows[i].words, rows[i].hint);
}

Test(bounds, a_whole_number_is_a_ratio)
{
	gives(UNIT("\"compute.overcommit\":2"), "compute.overcommit", "2");
}

Test(bounds, a_name_of_a_key_has_an_end)
{
	BASE_AUTO_BUF base_buf text = {0};

	base_buf_text(&text, "{\"hypernix\":1,\"defaults\":{\"");
	for (int i = 0; i < 300; i++)
		base_buf_add(&text, "a", 1);
	base_buf_text(&text, "\":1}}");
	refuse_decl(text.data, HN_ESCHEMA, "a key's name is too long", NULL);
}

/* `count` tags t0, t1, ... in one document. */
static void many_tags(base_buf *text, int from, int count)
{
	base_buf_text(text, "{\"hypernix\":1,\"tags\":{");
	for (int i = from; i < from + count; i++)
		base_buf_format(text, "%s\"t%d\":{}", i > from ? "," : "", i);
	base_buf_text(text, "}}");
}

static void count_problem(void *arg, const hn_error *problem)
{
	(void)problem;
	(*(int *)arg)++;
}

Test(bounds, tags_of_one_document_and_of_all)
{
	BASE_AUTO_BUF base_buf all = {0}, first = {0}, second = {0};
	hn_catalog *catalog = NULL;
	hn_error *err = NULL;
	hn_decl *decls[2];
	int rc, count = 0;

	many_tags(&all, 0, 4097);
	refuse_decl(all.data, HN_ELIMIT, "tags has 4097 entries; at most 4096", NULL);
	many_tags(&first, 0, 2100);
	many_tags(&second, 2100, 2100);
	decls[0] = parsed("a.json", first.data);
	decls[1] = parsed("b.json", second.data);
	rc = hn_catalog_new(decls, 2, &catalog, &err);
	expect_error(err, rc, HN_ELIMIT, "tags of one catalogue", NULL);
	cr_expect_null(catalog);
	cr_expect_eq(hn_decl_check(decls, 2, count_problem, &count, NULL), HN_ELIMIT);
	cr_expect_eq(count, 0);
	hn_decl_unref(decls[0]);
	hn_decl_unref(decls[1]);
}

/* Each document keeps the limit, and together they do not. */
Test(bounds, tags_of_one_unit)
{
	BASE_AUTO_BUF base_buf tags = {0}, text = {0};
	hn_decl *decls[3];
	hn_catalog *catalog = NULL;
	hn_error *err = NULL;
	int rc;

	many_tags(&tags, 0, 80);
	decls[0] = parsed("t.json", tags.data);
	for (int doc = 0; doc < 2; doc++) {
		base_buf_text(&text, "{\"hypernix\":1,\"units\":{\"u\":{\"tags\":[\"t0\"");
		for (int i = 1; i < 40; i++)
			base_buf_format(&text, ",\"t%d\"", doc * 40 + i);
		base_buf_text(&text, "]}}}");
		decls[1 + doc] = parsed(doc == 0 ? "a.json" : "b.json", text.data);
		base_buf_free(&text);
	}
	rc = hn_catalog_new(decls, 3, &catalog, &err);
	expect_error(err, rc, HN_ELIMIT, "a.json:1:28: unit 'u' has 79 tags", NULL);
	for (int i = 0; i < 3; i++)
		hn_decl_unref(decls[i]);
}

Test(bounds, arguments)
{
	hn_decl *decl = NULL;
	hn_error *err = NULL;
	int rc = hn_decl_parse(NULL, "{}", 2, &decl, &err);

	expect_error(err, rc, HN_EINVAL, "a declaration needs a file name and bytes", NULL);
	cr_expect_eq(hn_decl_parse("a", NULL, 2, &decl, NULL), HN_EINVAL);
	cr_expect_eq(hn_decl_parse("a", NULL, 0, &decl, NULL), HN_ESYNTAX);
	cr_expect_eq(hn_decl_parse("a", "{}", 2, NULL, NULL), HN_EINVAL);
	cr_expect_null(decl);
	cr_expect_null(hn_decl_ref(NULL));
	cr_expect_null(hn_catalog_ref(NULL));
	cr_expect_null(hn_view_ref(NULL));
}

/* --- the same again --- */

/* A document that is given twice says no more than once. */
Test(bounds, one_document_twice)
{
	hn_decl *decl = parsed("a.json",
		"{\"hypernix\":1,\"tags\":{\"t\":{\"set\":{\"secrets\":[\"a\"],\"tpm\":null}}},"
		"\"units\":{\"u\":{\"tags\":[\"t\"],\"overrides\":{\"memory.size\":\"1Gi\"}}}}");
	hn_decl *twice[] = {decl, decl};
	hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;
	hn_view *view;

	cr_assert_eq(hn_catalog_new(twice, 2, &catalog, NULL), 0);
	cr_assert_eq(hn_resolver_new(catalog, &resolver, NULL), 0);
	view = view_of(resolver, "u");
	has_value(view, "memory.size", "1Gi");
	has_value(view, "secrets", "a");
	has_marks(view, "memory.size", "wsl");
	hn_view_unref(view);
	hn_resolver_free(resolver);
	hn_catalog_unref(catalog);
	hn_decl_unref(decl);
}

/* Definitions that origins put at one place stand by their texts. */
Test(bounds, one_place_for_all)
{
	gives("{\"hypernix\":1,\"files\":[\"f.nix\"],\"origins\":{\"/units/u\":[0,3,4]},"
	      "\"units\":{\"u\":{\"overrides\":{\"boot.cmdline\":{\"$merge\":[[\"b\"],null,[\"a\"],"
	      "[\"b\"],null]}}}}}",
		"boot.cmdline", "a b b");
}

/* Places are compared by file first: what b.json says stands behind a.json's later line. */
Test(bounds, files_come_before_lines)
{
	static const char *const texts[] = {
		"{\"hypernix\":1,\n\n\"tags\":{\"t\":{\"set\":{\"boot.cmdline\":[\"x\"]}}}}",
		"{\"hypernix\":1,\"tags\":{\"t\":{\"set\":{\"boot.cmdline\":[\"b\"]}}},"
		"\"units\":{\"u\":{\"tags\":[\"t\"]}}}"};
	hn_catalog *catalog = NULL;
	hn_resolver *resolver = NULL;
	hn_view *view;

	cr_assert_eq(catalogued(texts, 2, &catalog, NULL), 0);
	cr_assert_eq(hn_resolver_new(catalog, &resolver, NULL), 0);
	view = view_of(resolver, "u");
	has_value(view, "boot.cmdline", "x b");
	hn_view_unref(view);
	hn_resolver_free(resolver);
	hn_catalog_unref(catalog);
}

Test(bounds, words_and_files_are_printed)
{
	hn_decl *decl = parsed("a.json",
		"{\"hypernix\":1,\"files\":[\"f.nix\",\"g.nix\"],"
		"\"origins\":{\"/units/u/tags/1\":[1,1,1],\"/units/u\":[0,1,1]},"
		"\"tags\":{\"a\":{},\"b/c\":{\"set\":{\"compute.vcpus\":\"auto\",\"start.order\":-3}}},"
		"\"units\":{\"u\":{\"tags\":[\"a\",\"b/c\"]}}}");
	char *text = NULL;

	cr_assert_eq(hn_decl_print(decl, &text, NULL), 0);
	cr_expect_not_null(strstr(text, "\"compute.vcpus\": \"auto\""), "%s", text);
	cr_expect_not_null(strstr(text, "\"start.order\": -3"), "%s", text);
	cr_expect_not_null(strstr(text, "\"/units/u/tags/1\""), "%s", text);
	cr_expect_not_null(strstr(text, "\"/tags/b~1c/"), "%s", text);
	hn_text_free(text);
	hn_decl_unref(decl);
}

/* --- selectors --- */

Test(bounds, operators_of_a_selector)
{
	BASE_AUTO_BUF base_buf text = {0};
	hn_selector *selector = NULL;
	hn_error *err = NULL;
	int rc;

	base_buf_text(&text, "all");
	for (int i = 1; i < 128; i++)
		base_buf_text(&text, "\tor\nall");
	cr_assert_eq(hn_selector_compile(text.data, &selector, NULL), 0);
	cr_expect_eq(hn_selector_match(selector, "u", NULL, NULL, 0), 1);
	selector = hn_selector_free(selector);
	base_buf_text(&text, " or all");
	rc = hn_selector_compile(text.data, &selector, &err);
	expect_error(err, rc, HN_ELIMIT, "too many operators", NULL);
	err = NULL;
	rc = hn_selector_compile("all:x", &selector, &err);
	expect_error(err, rc, HN_ESYNTAX, "column", NULL);
	cr_expect_null(selector);
}

/* Names by themselves, with a star, and tags that nothing declares. */
Test(bounds, policies_that_select_by_name)
{
	hn_view *view = resolved("{\"hypernix\":1,\"policies\":{"
				 "\"a\":{\"select\":\"name:u\",\"set\":{\"tpm\":\"2.0\"}},"
				 "\"b\":{\"select\":\"name:v\",\"set\":{\"rng\":\"off\"}},"
				 "\"c\":{\"select\":\"name:u*\",\"set\":{\"console\":\"none\"}},"
				 "\"d\":{\"select\":\"name:u*x\",\"set\":{\"firmware\":\"ovmf\"}},"
				 "\"e\":{\"select\":\"tag:x\",\"set\":{\"watchdog\":\"reset\"}}},"
				 "\"units\":{\"u\":{}}}");

	has_value(view, "tpm", "2.0");
	has_value(view, "rng", "urandom");
	has_value(view, "console", "none");
	has_value(view, "firmware", "auto");
	has_value(view, "watchdog", "off");
	hn_view_unref(view);
}

/* --- definitions of one key --- */

/* "$merge" of `count` sets of one name each. */
static void put_merge(base_buf *text, const char *prefix, int count)
{
	base_buf_text(text, "{\"set\":{\"secrets\":{\"$merge\":[");
	for (int i = 0; i < count; i++)
		base_buf_format(text, "%s[\"%s%d\"]", i > 0 ? "," : "", prefix, i % 100);
	base_buf_text(text, "]}}}");
}

Test(bounds, definitions_of_a_key_from_tags)
{
	BASE_AUTO_BUF base_buf text = {0};

	base_buf_text(&text, "{\"hypernix\":1,\"tags\":{\"a\":");
	put_merge(&text, "a", 200);
	base_buf_text(&text, ",\"b\":");
	put_merge(&text, "b", 57);
	base_buf_text(&text, "},\"units\":{\"u\":{\"tags\":[\"a\",\"b\"]}}}");
	refuse_unit(text.data, HN_ELIMIT, "secrets", NULL);
}

/* The unit's tag has `declared` definitions of a key, and at run time it is given more of them. */
static void give_secrets(int declared, size_t given, size_t items, int code)
{
	hn_definition *definitions = calloc(given, sizeof(*definitions));
	BASE_AUTO_BUF base_buf text = {0}, names = {0};
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	hn_resolver *resolver;
	hn_view *view = NULL;

	base_buf_text(&text, "{\"hypernix\":1,\"tags\":{\"a\":");
	put_merge(&text, "a", declared);
	base_buf_text(&text, "},\"units\":{\"u\":{\"tags\":[\"a\"]}}}");
	for (size_t i = 0; i < items; i++)
		base_buf_format(&names, "n%zu ", i);
	for (size_t i = 0; i < given; i++)
		definitions[i] = (hn_definition){.size = sizeof(hn_definition),
			.layer = HN_LAYER_UNIT,
			.key = "secrets",
			.value = names.data};
	input.definitions = definitions;
	input.definition_count = given;
	resolver = resolver_of(text.data);
	cr_assert_eq(hn_resolver_set_unit(resolver, "u", &input, NULL), 0);
	cr_assert_eq(hn_resolve(resolver, "u", &view, NULL), code);
	cr_assert_eq(view != NULL, code == 0);
	hn_view_unref(view);
	hn_resolver_free(resolver);
	free(definitions);
}

Test(bounds, definitions_of_a_key_at_run_time)
{
	give_secrets(1, 255, 1, 0);
	give_secrets(1, 256, 1, HN_ELIMIT);
	give_secrets(200, 57, 1, HN_ELIMIT);
	give_secrets(1, 2, 255, 0);
	give_secrets(1, 2, 256, HN_ELIMIT);
}

/* --- conflicts --- */

static void emergency(const char *first, const char *second, int code, const char *hint)
{
	hn_resolver *resolver = resolver_of("{\"hypernix\":1,\"units\":{\"u\":{}}}");
	hn_definition given[] = {{.size = sizeof(hn_definition),
					 .layer = HN_LAYER_EMERGENCY,
					 .key = "memory.size",
					 .value = first},
		{.size = sizeof(hn_definition),
			.layer = HN_LAYER_EMERGENCY,
			.key = "memory.size",
			.value = second}};
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	hn_view *view = NULL;
	hn_error *err = NULL;
	int rc;

	input.definitions = given;
	input.definition_count = 2;
	cr_assert_eq(hn_resolver_set_unit(resolver, "u", &input, NULL), 0);
	rc = hn_resolve(resolver, "u", &view, &err);
	if (code != 0) {
		cr_assert_str_eq(hn_error_hint(err), hint, "%s", hn_error_hint(err));
		expect_error(err, rc, code, "memory.size has two values at priority 10", NULL);
	}
	cr_assert_eq(rc, code);
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

Test(bounds, nothing_goes_above_break_glass)
{
	emergency("1Gi", "2Gi", HN_ECONFLICT, "ways out: take one of the two away");
	emergency("1Gi", "1Gi", 0, NULL);
}

Test(bounds, many_values_are_counted)
{
	BASE_AUTO_BUF base_buf text = {0};

	base_buf_text(&text, "{\"hypernix\":1,\"tags\":{");
	for (int i = 1; i <= 8; i++)
		base_buf_format(&text, "%s\"t%d\":{\"set\":{\"memory.size\":\"%dGi\"}}",
			i > 1 ? "," : "", i, i);
	base_buf_text(&text, "},\"units\":{\"u\":{\"tags\":[\"t1\"");
	for (int i = 2; i <= 8; i++)
		base_buf_format(&text, ",\"t%d\"", i);
	base_buf_text(&text, "]}}}");
	refuse_unit(text.data, HN_ECONFLICT, "memory.size has 8 values at priority 400", NULL);
}

/* --- edits --- */

static void becomes(const char *before, const char *after, const char *wanted)
{
	hn_resolver *resolver = resolver_of(before);
	hn_catalog *catalog = NULL;
	hn_view *view;

	cr_assert_eq(hn_resolve_all(resolver, NULL, NULL, NULL), 0);
	cr_assert_eq(catalogued(&after, 1, &catalog, NULL), 0);
	cr_assert_eq(hn_resolver_set_catalog(resolver, catalog, NULL), 0);
	hn_catalog_unref(catalog);
	view = view_of(resolver, "u");
	has_value(view, "memory.size", wanted);
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

#define EDIT(c, fields)                                                                            \
	"{\"hypernix\":1,\"tags\":{\"a\":{\"set\":{\"memory.size\":\"1Gi\"}},"                     \
	"\"b\":{\"set\":{\"memory.size\":\"2Gi\"}},\"c\":{" c "}},"                                \
	"\"policies\":{\"p\":{\"set\":{\"memory.size\":\"3Gi\"}},"                                 \
	"\"q\":{\"set\":{\"memory.size\":\"4Gi\"}}},\"units\":{\"u\":{" fields "}}}"

Test(bounds, one_name_for_another_is_an_edit)
{
	becomes(EDIT("", "\"tags\":[\"a\"]"), EDIT("", "\"tags\":[\"b\"]"), "2Gi");
	becomes(EDIT("", "\"policies\":[\"p\"]"), EDIT("", "\"policies\":[\"q\"]"), "4Gi");
	becomes(EDIT("", "\"tags\":[\"a\"]"), EDIT("", "\"tags\":[\"a\"],\"policies\":[\"q\"]"),
		"1Gi");
	becomes(EDIT("\"implies\":[\"a\"]", "\"tags\":[\"c\"]"),
		EDIT("\"implies\":[\"b\"]", "\"tags\":[\"c\"]"), "2Gi");
}

/* Bases that no unit uses any more are let go; what a unit gets stays right. */
Test(bounds, a_unit_with_ever_other_tags)
{
	BASE_AUTO_BUF base_buf text = {0};
	hn_resolver *resolver;

	base_buf_text(&text, "{\"hypernix\":1,\"tags\":{");
	for (int i = 0; i < 100; i++)
		base_buf_format(&text, "%s\"t%d\":{\"set\":{\"compute.units\":%d}}",
			i > 0 ? "," : "", i, i + 1);
	base_buf_text(&text, "},\"units\":{\"u\":{}}}");
	resolver = resolver_of(text.data);
	for (int i = 0; i < 200; i++) {
		char name[8], wanted[8];
		const char *tag = name;
		hn_unit_input input = HN_UNIT_INPUT_INIT;
		hn_view *view;

		snprintf(name, sizeof(name), "t%d", i % 100);
		snprintf(wanted, sizeof(wanted), "%d", i % 100 + 1);
		input.tags = &tag;
		input.tag_count = 1;
		cr_assert_eq(hn_resolver_set_unit(resolver, "u", &input, NULL), 0);
		view = view_of(resolver, "u");
		has_value(view, "compute.units", wanted);
		hn_view_unref(view);
	}
	hn_resolver_free(resolver);
}

/* A unit that was given something and not looked at again while many catalogues came. */
Test(bounds, an_old_view_is_let_go)
{
	const char *text = "{\"hypernix\":1,\"units\":{\"u\":{}}}";
	hn_resolver *resolver = resolver_of(text);
	hn_definition given = {.size = sizeof(given),
		.layer = HN_LAYER_FORCE,
		.key = "memory.size",
		.value = "2Gi"};
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	hn_view *view = view_of(resolver, "u");

	input.definitions = &given;
	input.definition_count = 1;
	cr_assert_eq(hn_resolver_set_unit(resolver, "u", &input, NULL), 0);
	for (int i = 0; i < 40; i++) {
		hn_catalog *catalog = NULL;

		cr_assert_eq(catalogued(&text, 1, &catalog, NULL), 0);
		cr_assert_eq(hn_resolver_set_catalog(resolver, catalog, NULL), 0);
		hn_catalog_unref(catalog);
	}
	has_value(view, "memory.size", "512Mi");
	hn_view_unref(view);
	view = view_of(resolver, "u");
	has_value(view, "memory.size", "2Gi");
	hn_view_unref(view);
	hn_resolver_free(resolver);
}
