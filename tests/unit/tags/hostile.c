/* SPDX-License-Identifier: MIT
 *
 * Declarations and stored views made to cost time or memory, or to be read in two ways. A limit of
 * time is one that only a square of the input passes.
 */
#include "tags/help.h"

static int parse_text(base_buf *text, hn_decl **decl, hn_error **err)
{
	int rc;

	cr_assert_not(text->failed);
	rc = hn_decl_parse("web.json", text->data, text->size, decl, err);
	base_buf_free(text);
	return rc;
}

static void count_problem(void *arg, const hn_error *problem)
{
	int *offers = arg;

	*offers += hn_error_hint(problem) != NULL &&
		   strncmp(hn_error_hint(problem), "did you mean", 12) == 0;
}

/* --- time --- */

/* A million definitions of one key, 255 of each tag. */
Test(hostile, one_key_of_many_owners, .timeout = 60)
{
	hn_catalog *catalog = NULL;
	hn_decl *decl = NULL;
	base_buf text = {0};

	base_buf_text(&text, "{\"hypernix\":1,\"tags\":{");
	for (int i = 0; i < 4096; i++) {
		base_buf_format(&text, "%s\"t%d\":{\"set\":{\"boot.cmdline\":{\"$merge\":[[]",
			i > 0 ? "," : "", i);
		for (int j = 1; j < 255; j++)
			base_buf_text(&text, ",[]");
		base_buf_text(&text, "]}}}");
	}
	base_buf_text(&text, "}}");
	cr_assert_eq(parse_text(&text, &decl, NULL), 0);
	cr_assert_eq(hn_catalog_new(&decl, 1, &catalog, NULL), 0);
	hn_catalog_unref(catalog);
	hn_decl_unref(decl);
}

Test(hostile, tags_are_held_to_one_value)
{
	refuse_catalog("{\"hypernix\":1,\"documents\":["
		       "{\"tags\":{\"a\":{},\"t\":{\"set\":{\"memory.size\":\"1Gi\"}}}},"
		       "{\"tags\":{\"a\":{},\"t\":{\"set\":{\"memory.size\":\"2Gi\"}}}}]}",
		HN_ECONFLICT, "tag:t gives memory.size", "keep one of the two");
}

Test(hostile, units_are_held_to_one_value)
{
	refuse_catalog("{\"hypernix\":1,\"units\":{\"a\":{},\"u\":{\"overrides\":{\"memory.size\":"
		       "{\"$merge\":[\"1Gi\",\"2Gi\"]}}}}}",
		HN_ECONFLICT, "unit:u gives memory.size", "keep one of the two");
}

Test(hostile, policies_are_held_to_one_value)
{
	refuse_catalog("{\"hypernix\":1,\"policies\":{\"p\":{\"set\":{\"memory.size\":"
		       "{\"$merge\":[\"1Gi\",\"2Gi\"]}}}}}",
		HN_ECONFLICT, "policy:p gives memory.size", "keep one of the two");
}

Test(hostile, defaults_are_held_to_one_value)
{
	refuse_catalog(
		"{\"hypernix\":1,\"defaults\":{\"memory.size\":{\"$merge\":[\"1Gi\",\"2Gi\"]}}}",
		HN_ECONFLICT, "defaults gives memory.size", "keep one of the two");
}

Test(hostile, two_owners_may_differ)
{
	gives("{\"hypernix\":1,\"tags\":{\"a\":{\"set\":{\"memory.size\":\"1Gi\"}},"
	      "\"b\":{\"set\":{\"memory.size\":\"2Gi\"}}},\"units\":{\"u\":{\"tags\":[\"b\"]}}}",
		"memory.size", "2Gi");
}

/* Twenty thousand entries that name one file with a long path. */
Test(hostile, origins_share_a_path, .timeout = 60)
{
	hn_decl *decl = NULL;
	base_buf text = {0};

	base_buf_text(&text, "{\"hypernix\":1,\"files\":[\"/");
	for (int i = 0; i < 1 << 16; i++)
		base_buf_text(&text, "0123456789abcdef");
	base_buf_text(&text, "\"],\"origins\":{\"/units\":[0,1,1]");
	for (int i = 0; i < 20000; i++)
		base_buf_format(&text, ",\"/units/u%d\":[0,%d,1]", i, i);
	base_buf_text(&text, "},\"units\":{\"u0\":{}");
	for (int i = 1; i < 20000; i++)
		base_buf_format(&text, ",\"u%d\":{}", i);
	base_buf_text(&text, "}}");
	cr_assert_eq(parse_text(&text, &decl, NULL), 0);
	cr_assert_lt(base_arena_used(decl->arena), 64u << 20);
	cr_assert_eq(decl->fragments[7].place.line, 7u);
	hn_decl_unref(decl);
}

Test(hostile, origins_beside_a_long_name, .timeout = 60)
{
	hn_decl *decl = NULL;
	hn_error *err = NULL;
	base_buf text = {0};
	int rc;

	base_buf_text(&text, "{\"hypernix\":1,\"origins\":{},\"");
	for (int i = 0; i < 1 << 16; i++)
		base_buf_text(&text, "0123456789abcdef");
	base_buf_text(&text, "\":[1");
	for (int i = 0; i < 100000; i++)
		base_buf_text(&text, ",1");
	base_buf_text(&text, "]}");
	rc = parse_text(&text, &decl, &err);
	expect_error(err, rc, HN_ESCHEMA, "a document has no field '0123", NULL);
}

Test(hostile, origins_of_a_long_array, .timeout = 60)
{
	hn_decl *decl = NULL;
	hn_error *err = NULL;
	base_buf text = {0};
	int rc;

	base_buf_text(&text, "{\"hypernix\":1,\"files\":[\"x\"],\"x\":[1");
	for (int i = 1; i < 300000; i++)
		base_buf_text(&text, ",1");
	base_buf_text(&text, "],\"origins\":{\"/x/0\":[0,1,1]");
	for (int i = 1; i < 300000; i++)
		base_buf_format(&text, ",\"/x/%d\":[0,1,1]", i);
	base_buf_text(&text, ",\"/nope\":[0,1,1]}}");
	rc = parse_text(&text, &decl, &err);
	expect_error(err, rc, HN_ENOENT, "origins names '/nope'", NULL);
}

Test(hostile, nearest_names_of_the_first_problems_only)
{
	hn_error *err = NULL;
	hn_decl *decl = NULL;
	base_buf text = {0};
	int offers = 0;

	base_buf_text(&text, "{\"hypernix\":1,\"tags\":{\"monitored\":{}},\"units\":{\"u\":{}");
	for (int i = 0; i < 300; i++)
		base_buf_format(&text, ",\"u%d\":{\"tags\":[\"monitord\"]}", i);
	base_buf_text(&text, "}}");
	cr_assert_eq(parse_text(&text, &decl, NULL), 0);
	cr_assert_eq(hn_decl_check(&decl, 1, count_problem, &offers, &err), 300);
	cr_assert_eq(offers, 100);
	hn_decl_unref(decl);
}

/* --- many catalogues --- */

static hn_catalog *fleet(int changed)
{
	hn_catalog *catalog = NULL;
	hn_decl *decl = NULL;
	base_buf text = {0};

	base_buf_text(&text, "{\"hypernix\":1,\"units\":{\"zero\":{}");
	for (int i = 0; i < 40; i++)
		base_buf_format(&text, ",\"u%02d\":{\"overrides\":{\"compute.units\":%d}}", i,
			i == changed ? 200 : 100);
	base_buf_text(&text, "}}");
	cr_assert_eq(parse_text(&text, &decl, NULL), 0);
	cr_assert_eq(hn_catalog_new(&decl, 1, &catalog, NULL), 0);
	hn_decl_unref(decl);
	return catalog;
}

static void take_catalog(hn_resolver *resolver, int changed)
{
	hn_catalog *catalog = fleet(changed);
	hn_error *err = NULL;

	cr_assert_eq(hn_resolver_set_catalog(resolver, catalog, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "-");
	hn_catalog_unref(catalog);
}

static void unit_has(hn_resolver *resolver, int unit, const char *wanted)
{
	char name[8];
	hn_view *view;

	snprintf(name, sizeof(name), "u%02d", unit);
	view = view_of(resolver, name);
	has_value(view, "compute.units", wanted);
	hn_view_unref(view);
}

/* Each unit is looked at under a catalogue of its own, and then all of them under the last. */
Test(hostile, views_of_many_catalogues)
{
	hn_catalog *catalog = fleet(-1);
	hn_resolver *resolver = NULL;

	cr_assert_eq(hn_resolver_new(catalog, &resolver, NULL), 0);
	hn_catalog_unref(catalog);
	for (int i = 0; i < 40; i++) {
		take_catalog(resolver, -1);
		unit_has(resolver, i, "100");
	}
	take_catalog(resolver, 7);
	for (int i = 0; i < 40; i++)
		unit_has(resolver, i, i == 7 ? "200" : "100");
	hn_resolver_free(resolver);
}

/* --- order --- */

static void chains_of(hn_resolver *resolver, const char *const *tags, uint8_t **bytes, size_t *size)
{
	hn_unit_input input = HN_UNIT_INPUT_INIT;

	input.tags = tags;
	input.tag_count = 2;
	cr_assert_eq(hn_resolver_set_unit(resolver, "u", &input, NULL), 0);
	hn_view *view = view_of(resolver, "u");
	cr_assert_eq(hn_view_encode_chains(view, bytes, size, NULL), 0);
	hn_view_unref(view);
}

Test(hostile, order_of_runtime_tags_does_not_show)
{
	hn_resolver *resolver = resolver_of("{\"hypernix\":1,\"tags\":{\"a\":{\"implies\":[\"c\"]},"
					    "\"b\":{\"implies\":[\"c\"]},"
					    "\"c\":{\"set\":{\"memory.size\":\"1Gi\"}}},"
					    "\"units\":{\"u\":{}}}");
	static const char *const one[] = {"a", "b"}, *const other[] = {"b", "a"};
	uint8_t *first = NULL, *second = NULL;
	size_t first_size = 0, second_size = 0;

	chains_of(resolver, one, &first, &first_size);
	chains_of(resolver, other, &second, &second_size);
	cr_assert_eq(first_size, second_size);
	cr_assert_arr_eq(first, second, first_size);
	hn_bytes_free(first);
	hn_bytes_free(second);
	hn_resolver_free(resolver);
}

/* --- stored views --- */

static uint32_t key_id(const char *name)
{
	return hn_key_find(name)->id;
}

static void decodes(codec_cbor_out *out, int code)
{
	hn_view *view = NULL;
	hn_error *err = NULL;
	int rc = hn_view_decode("u", out->buf.data, out->buf.size, NULL, 0, &view, &err);

	cr_assert_eq(rc, code, "gave %d: %s", rc, err != NULL ? hn_error_message(err) : "-");
	cr_assert_eq(view != NULL, code == 0);
	hn_view_unref(view);
	hn_error_unref(err);
	base_buf_free(&out->buf);
}

static codec_cbor_out one_value(const char *key)
{
	codec_cbor_out out = {0};

	codec_cbor_put_map(&out, 1);
	codec_cbor_put_uint(&out, key_id(key));
	return out;
}

static void put(codec_cbor_out *out, const char *text)
{
	codec_cbor_put_text(out, text, strlen(text));
}

Test(stored, number_as_text)
{
	codec_cbor_out out = one_value("memory.size");

	put(&out, "64Mi");
	decodes(&out, HN_ECORRUPT);
	out = one_value("memory.size");
	codec_cbor_put_uint(&out, 64u << 20);
	decodes(&out, 0);
}

Test(stored, word_as_text)
{
	codec_cbor_out out = one_value("compute.limit");

	put(&out, "none");
	decodes(&out, 0);
}

Test(stored, truth_as_text)
{
	codec_cbor_out out = one_value("autostart");

	put(&out, "true");
	decodes(&out, HN_ECORRUPT);
}

Test(stored, two_items_in_one)
{
	codec_cbor_out out = one_value("boot.cmdline");

	codec_cbor_put_array(&out, 1);
	put(&out, "quiet splash");
	decodes(&out, HN_ECORRUPT);
	out = one_value("boot.cmdline");
	codec_cbor_put_array(&out, 2);
	put(&out, "quiet");
	put(&out, "splash");
	decodes(&out, 0);
}

Test(stored, empty_item)
{
	codec_cbor_out out = one_value("boot.cmdline");

	codec_cbor_put_array(&out, 1);
	put(&out, "");
	decodes(&out, HN_ECORRUPT);
}

Test(stored, list_as_text)
{
	codec_cbor_out out = one_value("boot.cmdline");

	put(&out, "quiet");
	decodes(&out, HN_ECORRUPT);
}

/* --- what a message shows --- */

Test(hostile, names_reach_no_terminal_as_they_are)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"\\u001b[2Jx\":{}}}", HN_ESCHEMA,
		"'?[2Jx' is not a name", NULL);
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.\\r\":1}}}}",
		HN_ESCHEMA, "there is no key 'memory.?'", NULL);
}

/* One policy after another, each with 32 tests; `format` makes each test another one. */
static void expect_tests(const char *format, uint32_t count, int code, const char *words)
{
	BASE_AUTO_BUF base_buf text = {0};
	hn_catalog *catalog = NULL;
	hn_error *err = NULL;
	const char *document;
	int rc;

	base_buf_text(&text, "{\"hypernix\":1,\"policies\":{");
	for (uint32_t i = 0; i < count; i++) {
		if (i % 32 == 0)
			base_buf_format(
				&text, "%s\"p%u\":{\"select\":\"none", i > 0 ? "\"}," : "", i / 32);
		base_buf_text(&text, " or ");
		base_buf_format(&text, "%s%u%s", format, i, strchr(format, '*') != NULL ? "*" : "");
	}
	base_buf_text(&text, "\"}}}");
	document = text.data;
	rc = catalogued(&document, 1, &catalog, &err);
	if (code == 0)
		cr_assert_eq(rc, 0, "%s", err != NULL ? hn_error_message(err) : "-");
	else
		expect_error(err, rc, code, words, NULL);
	hn_catalog_unref(catalog);
}

Test(hostile, tests_of_all_selectors_have_a_limit)
{
	expect_tests("tag:t", 16384, 0, NULL);
	expect_tests("tag:t", 16385, HN_ELIMIT, "have too many tests");
}

Test(hostile, patterns_of_all_selectors_have_a_limit)
{
	expect_tests("name:*n", 1024, 0, NULL);
	expect_tests("name:*n", 1025, HN_ELIMIT, "have too many tests");
}

/* The same test counts once, however many policies have it. */
Test(hostile, equal_tests_are_one)
{
	BASE_AUTO_BUF base_buf text = {0};
	hn_catalog *catalog = NULL;
	const char *document;

	base_buf_text(&text, "{\"hypernix\":1,\"policies\":{\"p\":{}");
	for (int i = 0; i < 1000; i++)
		base_buf_format(
			&text, ",\"p%d\":{\"select\":\"tag:a and name:b-* or not kind:c*\"}", i);
	base_buf_text(&text, "}}");
	document = text.data;
	cr_assert_eq(catalogued(&document, 1, &catalog, NULL), 0);
	cr_expect_eq(catalog->probe_count, 3);
	hn_catalog_unref(catalog);
}
