/* SPDX-License-Identifier: MIT
 *
 * The public JSON writer.
 */
#include "codec/codec-private.h"
#include <criterion/criterion.h>

static hn_json *writer(bool indented)
{
	hn_json *json = NULL;

	cr_assert_eq(hn_json_new(indented, &json, NULL), 0);
	return json;
}

static void expect(hn_json *json, const char *expected)
{
	const char *text = NULL;
	hn_error *err = NULL;
	size_t size = 0;

	cr_assert_eq(hn_json_finish(json, &text, &size, &err), 0, "%s",
		err == NULL ? "" : hn_error_message(err));
	cr_assert_str_eq(text, expected);
	cr_assert_eq(size, strlen(expected));
}

static void expect_failure(hn_json *json, int code, const char *words)
{
	const char *text = "untouched";
	hn_error *err = NULL;

	cr_assert_eq(hn_json_finish(json, &text, NULL, &err), code);
	cr_assert_str_eq(text, "untouched");
	cr_assert_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
	hn_error_unref(err);
}

static void everything(hn_json *json)
{
	hn_json_object(json, NULL);
	hn_json_text(json, "t", "x");
	hn_json_array(json, "a");
	hn_json_int(json, NULL, INT64_MIN);
	hn_json_uint(json, NULL, UINT64_MAX);
	hn_json_bool(json, NULL, true);
	hn_json_bool(json, NULL, false);
	hn_json_null(json, NULL);
	hn_json_end(json);
	hn_json_object(json, "o");
	hn_json_end(json);
	hn_json_array(json, "e");
	hn_json_end(json);
	hn_json_text(json, "n", NULL);
	hn_json_end(json);
}

Test(json_write, compact)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	everything(json);
	expect(json,
		"{\"t\":\"x\",\"a\":[-9223372036854775808,18446744073709551615,true,false,null],"
		"\"o\":{},\"e\":[],\"n\":null}");
}

Test(json_write, indented)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(true);

	everything(json);
	expect(json,
		"{\n\t\"t\": \"x\",\n\t\"a\": [\n\t\t-9223372036854775808,\n\t\t18446744073709551615,\n"
		"\t\ttrue,\n\t\tfalse,\n\t\tnull\n\t],\n\t\"o\": {},\n\t\"e\": [],\n\t\"n\": null\n}");
}

Test(json_write, escapes)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	hn_json_text(json, NULL, "\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9");
	expect(json, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\"");
}

Test(json_write, what_is_written_reads_back)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(true);
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;
	char every[256];
	const char *text;
	size_t size;

	for (int i = 1; i < 128; i++)
		every[i - 1] = (char)i;
	every[127] = '\0';
	hn_json_object(json, NULL);
	hn_json_text(json, every, every);
	hn_json_end(json);
	cr_assert_eq(hn_json_finish(json, &text, &size, NULL), 0);
	cr_assert_eq(codec_json_parse("f", text, size, &doc, NULL), 0);
	cr_assert_str_eq(codec_member(codec_json_root(doc), every)->text, every);
}

Test(json_write, stream_of_documents)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	for (int i = 0; i < 3; i++) {
		char expected[16];

		hn_json_array(json, NULL);
		hn_json_int(json, NULL, i);
		hn_json_end(json);
		snprintf(expected, sizeof(expected), "[%d]", i);
		expect(json, expected);
	}
}

Test(json_write, raw_takes_the_layout_of_the_writer)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(true);

	hn_json_object(json, NULL);
	hn_json_raw(json, "data", " {\"b\":[1.50,{}],\"a\":\"\\u0041\"} ");
	hn_json_raw(json, "none", NULL);
	hn_json_end(json);
	expect(json,
		"{\n\t\"data\": {\n\t\t\"b\": [\n\t\t\t1.50,\n\t\t\t{}\n\t\t],\n\t\t\"a\": \"A\"\n\t},"
		"\n\t\"none\": null\n}");
}

Test(json_write, raw_that_is_no_json)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	hn_json_raw(json, NULL, "{\"a\":1}, {}");
	expect_failure(json, HN_EINVAL, "raw value");
}

Test(json_write, error_with_cause_and_facts)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);
	hn_error *err = NULL;

	base_error(&err, HN_ENOENT, "tags", "declare it", "unknown tag %s", "web");
	base_error_fact(&err, "tag", "web");
	base_error_fact_number(&err, "line", 12);
	base_error_wrap(&err, HN_ESCHEMA, "host", "cannot load");
	hn_json_error(json, NULL, err);
	expect(json,
		"{\"code\":\"HN_ESCHEMA\",\"room\":\"host\",\"message\":\"cannot load\","
		"\"cause\":{\"code\":\"HN_ENOENT\",\"room\":\"tags\",\"message\":\"unknown tag web\","
		"\"hint\":\"declare it\",\"facts\":{\"tag\":\"web\",\"line\":12}}}");
	hn_error_unref(err);
}

Test(json_write, facts_of_one_name_are_told_apart)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);
	hn_error *err = NULL;

	base_error(&err, HN_ECONFLICT, "tags", NULL, "two");
	base_error_fact(&err, "file", "a.json");
	base_error_fact_number(&err, "line", 1);
	base_error_fact(&err, "file", "b.json");
	base_error_fact_number(&err, "line", 2);
	base_error_fact_number(&err, "line", 3);
	hn_json_error(json, NULL, err);
	expect(json,
		"{\"code\":\"HN_ECONFLICT\",\"room\":\"tags\",\"message\":\"two\",\"facts\":{"
		"\"file\":\"a.json\",\"line\":1,\"file_2\":\"b.json\",\"line_2\":2,\"line_3\":3}}");
	hn_error_unref(err);
}

Test(json_write, no_error_is_null)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	hn_json_error(json, NULL, NULL);
	expect(json, "null");
}

Test(json_write, member_without_key)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	hn_json_object(json, NULL);
	hn_json_int(json, NULL, 1);
	hn_json_end(json);
	expect_failure(json, HN_EINVAL, "no key");
}

Test(json_write, key_in_an_array)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	hn_json_array(json, NULL);
	hn_json_int(json, "k", 1);
	hn_json_end(json);
	expect_failure(json, HN_EINVAL, "outside an object");
}

Test(json_write, key_at_the_top)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	hn_json_object(json, "k");
	expect_failure(json, HN_EINVAL, "outside an object");
}

Test(json_write, second_value_at_the_top)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	hn_json_int(json, NULL, 1);
	hn_json_int(json, NULL, 2);
	expect_failure(json, HN_EINVAL, "second value");
}

Test(json_write, end_without_begin)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	hn_json_end(json);
	expect_failure(json, HN_EINVAL, "end without");
}

Test(json_write, nothing_written)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	expect_failure(json, HN_EINVAL, "no value");
}

Test(json_write, still_open)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	hn_json_object(json, NULL);
	expect_failure(json, HN_EINVAL, "still open");
}

Test(json_write, text_that_is_not_utf8)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	hn_json_text(json, NULL, "a\xff");
	expect_failure(json, HN_EINVAL, "UTF-8");
}

Test(json_write, the_first_failure_sticks)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	hn_json_end(json);
	hn_json_int(json, NULL, 1);
	expect_failure(json, HN_EINVAL, "end without");
	expect_failure(json, HN_EINVAL, "end without");
}

Test(json_write, deepest_nesting)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);
	char expected[129] = {0};

	memset(expected, '[', 64);
	memset(expected + 64, ']', 64);
	for (int i = 0; i < 64; i++)
		hn_json_array(json, NULL);
	for (int i = 0; i < 64; i++)
		hn_json_end(json);
	expect(json, expected);
}

Test(json_write, too_deep)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

	for (int i = 0; i < 65; i++)
		hn_json_array(json, NULL);
	expect_failure(json, HN_ELIMIT, "64 levels");
}

Test(json_write, new_needs_a_place)
{
	hn_error *err = NULL;

	cr_assert_eq(hn_json_new(false, NULL, &err), HN_EINVAL);
	hn_error_unref(err);
	cr_assert_null(hn_json_free(NULL));
}

Test(json_write, every_kind_of_second_value_at_the_top)
{
	for (int kind = 0; kind < 8; kind++) {
		BASE_AUTO_OF(hn_json) hn_json *json = writer(false);

		hn_json_null(json, NULL);
		switch (kind) {
		case 0:
			hn_json_text(json, NULL, "x");
			break;
		case 1:
			hn_json_int(json, NULL, -1);
			break;
		case 2:
			hn_json_uint(json, NULL, 1);
			break;
		case 3:
			hn_json_bool(json, NULL, true);
			break;
		case 4:
			hn_json_null(json, NULL);
			break;
		case 5:
			hn_json_raw(json, NULL, "17");
			break;
		case 6:
			hn_json_raw(json, NULL, "[17]");
			break;
		default:
			hn_json_object(json, NULL);
		}
		expect_failure(json, HN_EINVAL, "JSON writer");
	}
}

Test(json_write, the_size_may_be_left_out)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);
	const char *text = NULL;

	hn_json_bool(json, NULL, true);
	cr_assert_eq(hn_json_finish(json, &text, NULL, NULL), 0);
	cr_assert_str_eq(text, "true");
}

/* A chain of causes has no end of its own: the text of it does. */
Test(json_write, a_long_chain_of_causes_is_cut)
{
	BASE_AUTO_OF(hn_json) hn_json *json = writer(false);
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;
	const char *text = NULL;
	size_t causes = 0;

	base_error(&err, HN_EIO, "test", NULL, "first");
	for (int i = 0; i < 40; i++)
		base_error_wrap(&err, HN_EIO, "test", "wrapped %d", i);
	hn_json_error(json, NULL, err);
	cr_assert_eq(hn_json_finish(json, &text, NULL, NULL), 0);
	for (const char *at = text; (at = strstr(at, "\"cause\"")) != NULL; at++)
		causes++;
	cr_assert_gt(causes, 2u);
	cr_assert_lt(causes, 40u);
	cr_assert_not_null(strstr(text, "wrapped 39"));
}
