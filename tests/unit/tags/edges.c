/* SPDX-License-Identifier: MIT
 *
 * Corners: the bounds of what may be written, whom a small edit reaches, what a stored view may
 * not hold.
 */
#include "tags/help.h"

static hn_catalog *catalog_of(const char *text)
{
	hn_catalog *catalog = NULL;
	hn_error *err = NULL;

	cr_assert_eq(catalogued(&text, 1, &catalog, &err), 0, "%s",
		err != NULL ? hn_error_message(err) : "-");
	return catalog;
}

/* The resolver has looked at all units of the first document and then gets the second. */
static hn_resolver *edited(const char *before, const char *after)
{
	hn_resolver *resolver = resolver_of(before);
	hn_catalog *catalog = catalog_of(after);

	cr_assert_geq(hn_resolve_all(resolver, NULL, NULL, NULL), 0);
	cr_assert_eq(hn_resolver_set_catalog(resolver, catalog, NULL), 0);
	hn_catalog_unref(catalog);
	return resolver;
}

/* --- selectors --- */

static void ignored_because(const char *selector, const char *note)
{
	hn_origin origin = {.size = sizeof(origin)};
	BASE_AUTO_BUF base_buf text = {0};
	hn_view *view;

	base_buf_format(&text,
		"{\"hypernix\":1,\"tags\":{\"a\":{},\"b\":{},\"c\":{}},\"policies\":{\"p\":"
		"{\"select\":\"%s\",\"set\":{\"memory.size\":\"2Gi\"}}},"
		"\"units\":{\"u\":{\"tags\":[\"a\"]}}}",
		selector);
	view = resolved(text.data);
	cr_assert_eq(hn_view_explain(view, "memory.size", 1, &origin), 0);
	cr_assert_eq(origin.mark, HN_MARK_IGNORED);
	cr_assert_str_eq(origin.note, note);
	hn_view_unref(view);
}

Test(edges, selector_is_blamed_where_it_is_false)
{
	ignored_because("tag:a and tag:b", "selector false at: tag:b");
	ignored_because("tag:b and tag:a", "selector false at: tag:b");
	ignored_because("tag:a and tag:a and not tag:a", "selector false at: not tag:a");
	ignored_because("tag:a and (tag:b or tag:c) and all", "selector false at: tag:b or tag:c");
	ignored_because("none", "selector false at: none");
}

/* --- bounds --- */

Test(edges, order_has_an_end)
{
	refuse_decl("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"boot.cmdline\":"
		    "{\"$value\":[\"a\"],\"$order\":10001}}}}}",
		HN_ERANGE, "$order", "1000");
	gives("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"boot.cmdline\":{\"$merge\":["
	      "{\"$value\":[\"z\"],\"$order\":10000},[\"m\"],{\"$value\":[\"a\"],\"$order\":0}]}}}}}",
		"boot.cmdline", "a m z");
}

static void way_out(int priority, const char *words)
{
	BASE_AUTO_BUF base_buf text = {0};

	base_buf_format(&text,
		"{\"hypernix\":1,\"tags\":{\"a\":{\"priority\":%d,\"set\":{\"memory.size\":\"1Gi\"}},"
		"\"b\":{\"priority\":%d,\"set\":{\"memory.size\":\"2Gi\"}}},"
		"\"units\":{\"u\":{\"tags\":[\"a\",\"b\"]}}}",
		priority, priority);
	refuse_unit(text.data, HN_ECONFLICT, "memory.size has two values", words);
}

Test(edges, a_way_out_is_one_that_is_allowed)
{
	way_out(110, "smaller number (tags.b.priority = 100)");
	way_out(109, "larger number (tags.b.priority = 119)");
	way_out(100, "larger number (tags.b.priority = 110)");
}

/* --- small edits --- */

#define TWO_OF_A_KIND                                                                              \
	"\"tags\":{\"a\":{\"kind\":\"k\"},\"b\":{\"kind\":\"k\"}},"                                \
	"\"units\":{\"u\":{\"tags\":[\"a\",\"b\"]}}}"

Test(edges, a_kind_becomes_exclusive_and_is_freed)
{
	hn_resolver *resolver = edited("{\"hypernix\":1,\"kinds\":{\"k\":{}}," TWO_OF_A_KIND,
		"{\"hypernix\":1,\"kinds\":{\"k\":{\"exclusive\":true}}," TWO_OF_A_KIND);
	hn_catalog *catalog = catalog_of("{\"hypernix\":1,\"kinds\":{\"k\":{}}," TWO_OF_A_KIND);
	hn_view *view = NULL;

	cr_assert_eq(hn_resolve(resolver, "u", &view, NULL), HN_EEXCLUSIVE);
	cr_assert_null(view);
	cr_assert_eq(hn_resolver_set_catalog(resolver, catalog, NULL), 0);
	hn_catalog_unref(catalog);
	view = view_of(resolver, "u");
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

#define ORDERED(order)                                                                               \
	"{\"hypernix\":1,\"tags\":{\"t\":{\"set\":{\"boot.cmdline\":{\"$value\":[\"x\"],\"$order\":" \
	"" #order "}}}},\"units\":{\"u\":{\"tags\":[\"t\"],"                                         \
	"\"overrides\":{\"boot.cmdline\":{\"$value\":[\"m\"],\"$order\":1200}}}}}"

Test(edges, an_order_alone_is_an_edit)
{
	hn_resolver *resolver = edited(ORDERED(1100), ORDERED(1300));
	hn_view *view = view_of(resolver, "u");

	has_value(view, "boot.cmdline", "m x");
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

Test(edges, what_a_policy_implies_is_an_edit)
{
	hn_resolver *resolver = edited(
		"{\"hypernix\":1,\"tags\":{\"t\":{\"set\":{\"memory.size\":\"2Gi\"}}},"
		"\"policies\":{\"p\":{\"select\":\"name:u\"}},\"units\":{\"u\":{}}}",
		"{\"hypernix\":1,\"tags\":{\"t\":{\"set\":{\"memory.size\":\"2Gi\"}}},"
		"\"policies\":{\"p\":{\"select\":\"name:u\",\"implies\":[\"t\"]}},\"units\":{\"u\":{}}}");
	hn_view *view = view_of(resolver, "u");

	has_value(view, "memory.size", "2Gi");
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

Test(edges, a_negated_selector_takes_a_unit_in_and_lets_it_go)
{
	static const char *const texts[] = {"not tag:a", "not tag:b", "not (tag:b or all)"};
	static const char *const wanted[] = {"512Mi", "2Gi", "512Mi"};
	hn_resolver *resolver = resolver_of("{\"hypernix\":1,\"units\":{\"u\":{}}}");

	for (size_t i = 0; i < BASE_COUNT(texts); i++) {
		BASE_AUTO_BUF base_buf text = {0};
		hn_catalog *catalog;
		hn_view *view;

		base_buf_format(&text,
			"{\"hypernix\":1,\"tags\":{\"a\":{},\"b\":{}},\"policies\":{\"p\":{\"select\":"
			"\"%s\",\"set\":{\"memory.size\":\"2Gi\"}}},\"units\":{\"u\":{\"tags\":[\"a\"]}}}",
			texts[i]);
		catalog = catalog_of(text.data);
		cr_assert_eq(hn_resolver_set_catalog(resolver, catalog, NULL), 0);
		hn_catalog_unref(catalog);
		view = view_of(resolver, "u");
		has_value(view, "memory.size", wanted[i]);
		hn_view_unref(view);
	}
	hn_resolver_free(resolver);
}

Test(edges, a_tag_given_at_run_time_is_taken_back)
{
	hn_resolver *resolver =
		resolver_of("{\"hypernix\":1,\"tags\":{\"a\":{\"implies\":[\"b\"]},"
			    "\"b\":{\"set\":{\"memory.size\":\"2Gi\"}}},\"units\":{\"u\":{}}}");
	static const char *const tags[] = {"a"}, *const implied[] = {"b"};
	hn_view *view;

	cr_assert_eq(hn_resolver_retag(resolver, "u", tags, 1, NULL, 0, NULL), 0);
	/* What a tag implies stays as long as the tag. */
	cr_assert_eq(hn_resolver_retag(resolver, "u", NULL, 0, implied, 1, NULL), 0);
	view = view_of(resolver, "u");
	has_value(view, "memory.size", "2Gi");
	hn_view_unref(view);
	cr_assert_eq(hn_resolver_retag(resolver, "u", NULL, 0, tags, 1, NULL), 0);
	view = view_of(resolver, "u");
	has_value(view, "memory.size", "512Mi");
	cr_assert_eq(hn_view_tag_count(view), 0);
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

/* --- force --- */

static void forced(hn_layer layer, const char *value, int code, const char *wanted)
{
	hn_resolver *resolver =
		resolver_of("{\"hypernix\":1,\"units\":{\"u\":{\"overrides\":{\"memory.size\":"
			    "{\"$value\":\"1Gi\",\"$priority\":50},\"memory.floor\":\"256Mi\"}}}}");
	hn_definition definitions[] = {{.size = sizeof(hn_definition),
					       .layer = layer,
					       .key = "memory.size",
					       .value = value},
		{.size = sizeof(hn_definition),
			.layer = layer,
			.key = "memory.floor",
			.value = "64Mi"}};
	hn_unit_input input = HN_UNIT_INPUT_INIT;
	hn_view *view = NULL;

	input.definitions = definitions;
	input.definition_count = 2;
	cr_assert_eq(hn_resolver_set_unit(resolver, "u", &input, NULL), 0);
	cr_assert_eq(hn_resolve(resolver, "u", &view, NULL), code);
	if (code == 0) {
		has_value(view, "memory.size", wanted);
		has_value(view, "memory.floor", "256Mi"); /* a floor is not loosened */
	}
	hn_view_unref(view);
	hn_resolver_free(resolver);
}

Test(edges, a_force_conflicts_with_a_declared_one_and_break_glass_passes)
{
	forced(HN_LAYER_FORCE, "2Gi", HN_ECONFLICT, NULL);
	forced(HN_LAYER_FORCE, "1Gi", 0, "1Gi");
	forced(HN_LAYER_EMERGENCY, "2Gi", 0, "2Gi");
}

/* --- stored views --- */

Test(edges, stored_set_out_of_order)
{
	hn_view *view = NULL;
	codec_cbor_out out = {0};

	codec_cbor_put_map(&out, 1);
	codec_cbor_put_uint(&out, hn_key_find("secrets")->id);
	codec_cbor_put_array(&out, 2);
	codec_cbor_put_text(&out, "b", 1);
	codec_cbor_put_text(&out, "a", 1);
	cr_assert_eq(
		hn_view_decode("u", out.buf.data, out.buf.size, NULL, 0, &view, NULL), HN_ECORRUPT);
	cr_assert_null(view);
	base_buf_free(&out.buf);
}

static int decode_mark(uint64_t layer, uint64_t mark, int64_t priority)
{
	codec_cbor_out values = {0}, chains = {0};
	uint32_t id = hn_key_find("memory.size")->id;
	hn_view *view = NULL;
	int rc;

	codec_cbor_put_map(&values, 1);
	codec_cbor_put_uint(&values, id);
	codec_cbor_put_uint(&values, UINT64_C(1) << 30);
	codec_cbor_put_array(&chains, 4);
	codec_cbor_put_uint(&chains, 1);
	codec_cbor_put_array(&chains, 0);
	codec_cbor_put_array(&chains, 0);
	codec_cbor_put_map(&chains, 1);
	codec_cbor_put_uint(&chains, id);
	codec_cbor_put_array(&chains, 1);
	codec_cbor_put_array(&chains, 12);
	codec_cbor_put_uint(&chains, layer);
	codec_cbor_put_uint(&chains, mark);
	codec_cbor_put_int(&chains, priority);
	codec_cbor_put_int(&chains, 1000);
	codec_cbor_put_text(&chains, "unit:u", 6);
	codec_cbor_put_text(&chains, "a.json", 6);
	codec_cbor_put_uint(&chains, 1);
	codec_cbor_put_uint(&chains, 1);
	codec_cbor_put_text(&chains, "1Gi", 3);
	codec_cbor_put_null(&chains);
	codec_cbor_put_null(&chains);
	codec_cbor_put_int(&chains, 0);
	rc = hn_view_decode("u", values.buf.data, values.buf.size, chains.buf.data, chains.buf.size,
		&view, NULL);
	cr_assert_eq(view != NULL, rc == 0);
	hn_view_unref(view);
	base_buf_free(&values.buf);
	base_buf_free(&chains.buf);
	return rc;
}

Test(edges, stored_line_out_of_range)
{
	cr_assert_eq(decode_mark(HN_LAYER_UNIT, HN_MARK_WON, 100), 0);
	cr_assert_eq(decode_mark(HN_LAYER_UNIT, HN_MARK_IGNORED, 100), 0);
	cr_assert_eq(decode_mark(HN_LAYER_UNIT, HN_MARK_IGNORED + 1, 100), HN_ECORRUPT);
	cr_assert_eq(decode_mark(HN_LAYER_SCHEMA + 1, HN_MARK_WON, 100), HN_ECORRUPT);
	cr_assert_eq(decode_mark(HN_LAYER_UNIT, HN_MARK_WON, 65636), HN_ECORRUPT);
	cr_assert_eq(decode_mark(HN_LAYER_UNIT, HN_MARK_WON, -1), HN_ECORRUPT);
}
