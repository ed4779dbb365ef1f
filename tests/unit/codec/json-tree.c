/* SPDX-License-Identifier: MIT
 *
 * The tree that the JSON reader makes: values, places, raw texts and members.
 */
#include "codec/codec-private.h"
#include <criterion/criterion.h>

static codec_json *parse(const char *text)
{
	codec_json *doc = NULL;
	hn_error *err = NULL;

	cr_assert_eq(codec_json_parse("web.json", text, strlen(text), &doc, &err), 0, "%s",
		err == NULL ? "" : hn_error_message(err));
	return doc;
}

Test(json_tree, every_kind)
{
	BASE_AUTO_OF(codec_json)
	codec_json *doc = parse("[{}, [], \"t\", 7, 1.5, true, false, null]");
	static const codec_kind kinds[] = {CODEC_OBJECT, CODEC_ARRAY, CODEC_TEXT, CODEC_INTEGER,
		CODEC_REAL, CODEC_TRUE, CODEC_FALSE, CODEC_NULL};
	const codec_node *node = codec_json_root(doc)->child;

	cr_assert_eq(codec_json_root(doc)->count, 8u);
	for (size_t i = 0; i < BASE_COUNT(kinds); i++, node = node->next) {
		cr_assert_eq(node->kind, kinds[i]);
		cr_assert_eq(node->parent, codec_json_root(doc));
	}
	cr_assert_null(node);
}

Test(json_tree, a_scalar_may_stand_alone)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = parse(" \"x\" ");

	cr_assert_str_eq(codec_json_root(doc)->text, "x");
	cr_assert_null(codec_json_root(doc)->parent);
}

Test(json_tree, lines_and_columns)
{
	BASE_AUTO_OF(codec_json)
	codec_json *doc = parse("{\n\t\"units\": {\r\n    \"web\": [ 1,\n2 ] } }");
	const codec_node *web = codec_member(codec_member(codec_json_root(doc), "units"), "web");
	const codec_node *two = web->child->next;

	cr_assert_eq(codec_json_root(doc)->line, 1u);
	cr_assert_eq(codec_json_root(doc)->column, 1u);
	cr_assert_eq(web->key_line, 3u);
	cr_assert_eq(web->key_column, 5u);
	cr_assert_eq(web->line, 3u);
	cr_assert_eq(web->column, 12u);
	cr_assert_eq(two->line, 4u);
	cr_assert_eq(two->column, 1u);
}

Test(json_tree, columns_count_bytes)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = parse("[\"\xc3\xa9\", 1]");

	cr_assert_eq(codec_json_root(doc)->child->next->column, 8u);
}

Test(json_tree, raw_text_of_numbers)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = parse("[0.123456789012, 1e3, -0]");
	const codec_node *node = codec_json_root(doc)->child;

	cr_assert_eq(node->raw_size, 14u);
	cr_assert_eq(memcmp(node->raw, "0.123456789012", 14), 0);
	cr_assert_eq(node->next->kind, CODEC_REAL);
	cr_assert_eq(memcmp(node->next->raw, "1e3", 3), 0);
	cr_assert_eq(node->next->next->kind, CODEC_INTEGER);
	cr_assert_eq(node->next->next->integer, 0);
	cr_assert_eq(node->next->next->raw_size, 2u);
}

Test(json_tree, raw_text_of_containers_and_strings)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = parse("{\"a\": [1, \"\\n\"] }");
	const codec_node *array = codec_member(codec_json_root(doc), "a");

	cr_assert_eq(array->raw_size, 9u);
	cr_assert_eq(memcmp(array->raw, "[1, \"\\n\"]", 9), 0);
	cr_assert_eq(array->child->next->raw_size, 4u);
	cr_assert_eq(codec_json_root(doc)->raw_size, 17u);
}

Test(json_tree, integers_at_the_ends)
{
	BASE_AUTO_OF(codec_json)
	codec_json *doc = parse("[9223372036854775807, -9223372036854775808]");

	cr_assert_eq(codec_json_root(doc)->child->integer, INT64_MAX);
	cr_assert_eq(codec_json_root(doc)->child->next->integer, INT64_MIN);
}

Test(json_tree, escapes)
{
	BASE_AUTO_OF(codec_json)
	codec_json *doc = parse("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00\"");
	const char expected[] = "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";

	cr_assert_str_eq(codec_json_root(doc)->text, expected);
	cr_assert_eq(codec_json_root(doc)->text_size, sizeof(expected) - 1);
}

Test(json_tree, empty_text_and_name)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = parse("{\"\": \"\"}");
	const codec_node *member = codec_member(codec_json_root(doc), "");

	cr_assert_not_null(member);
	cr_assert_str_eq(member->key, "");
	cr_assert_eq(member->text_size, 0u);
	cr_assert_str_eq(member->text, "");
}

Test(json_tree, deepest_allowed_nesting)
{
	char text[65] = {0};

	memset(text, '[', 32);
	memset(text + 32, ']', 32);
	BASE_AUTO_OF(codec_json) codec_json *doc = parse(text);
	int depth = 0;
	for (const codec_node *node = codec_json_root(doc); node != NULL; node = node->child)
		depth++;
	cr_assert_eq(depth, 32);
}

Test(json_tree, brackets_in_strings_are_no_nesting)
{
	char text[128] = "\"\\\"";

	memset(text + 3, '[', 100); /* behind an escaped quote, which does not end the string */
	text[103] = '"';
	BASE_AUTO_OF(codec_json) codec_json *doc = parse(text);
	cr_assert_eq(codec_json_root(doc)->text_size, 101u);
}

Test(json_tree, the_bytes_are_copied)
{
	char text[] = "[\"abc\", 42]";
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;

	cr_assert_eq(codec_json_parse("f", text, strlen(text), &doc, NULL), 0);
	memset(text, 'x', sizeof(text));
	cr_assert_str_eq(codec_json_root(doc)->child->text, "abc");
	cr_assert_eq(memcmp(codec_json_root(doc)->child->raw, "\"abc\"", 5), 0);
}

Test(json_tree, bytes_behind_the_size_are_not_read)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;

	cr_assert_eq(codec_json_parse("f", "12345", 2, &doc, NULL), 0);
	cr_assert_eq(codec_json_root(doc)->integer, 12);
}

Test(json_tree, member_of_small_and_large_objects)
{
	static const int counts[] = {0, 1, 16, 17, 18, 1000};

	for (size_t c = 0; c < BASE_COUNT(counts); c++) {
		BASE_AUTO_BUF base_buf buf = {0};
		char key[32];

		base_buf_text(&buf, "{");
		for (int i = 0; i < counts[c]; i++)
			base_buf_format(&buf, "%s\"m%d\": %d", i > 0 ? "," : "", i, i);
		base_buf_text(&buf, "}");
		BASE_AUTO_OF(codec_json) codec_json *doc = parse(buf.data);
		for (int i = 0; i < counts[c]; i++) {
			snprintf(key, sizeof(key), "m%d", i);
			const codec_node *member = codec_member(codec_json_root(doc), key);
			cr_assert_not_null(member, "%s of %d", key, counts[c]);
			cr_assert_eq(member->integer, i);
		}
		cr_assert_null(codec_member(codec_json_root(doc), "m"));
		cr_assert_null(codec_member(codec_json_root(doc), "m1000"));
		cr_assert_null(codec_member(codec_json_root(doc), ""));
	}
}

Test(json_tree, members_keep_the_order_of_the_file)
{
	BASE_AUTO_BUF base_buf buf = {0};

	base_buf_text(&buf, "{");
	for (int i = 0; i < 100; i++)
		base_buf_format(&buf, "%s\"%d\": %d", i > 0 ? "," : "", (i * 37) % 100, i);
	base_buf_text(&buf, "}");
	BASE_AUTO_OF(codec_json) codec_json *doc = parse(buf.data);
	int64_t at = 0;
	for (const codec_node *node = codec_json_root(doc)->child; node != NULL; node = node->next)
		cr_assert_eq(node->integer, at++);
	cr_assert_eq(at, 100);
}

Test(json_tree, member_of_what_is_no_object)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = parse("[1]");

	cr_assert_null(codec_member(codec_json_root(doc), "0"));
	cr_assert_null(codec_member(codec_json_root(doc)->child, "0"));
	cr_assert_null(codec_member(NULL, "0"));
}

Test(json_tree, kinds_have_names)
{
	cr_assert_str_eq(codec_kind_name(CODEC_TEXT), "a string");
	cr_assert_str_eq(codec_kind_name(CODEC_OBJECT), "an object");
	cr_assert_str_eq(codec_kind_name((codec_kind)99), "a value");
}

/* Time is not asserted; a quadratic reader or search would run into the timeout of the suite. */
Test(json_tree, a_hundred_thousand_members)
{
	BASE_AUTO_BUF base_buf buf = {0};
	char key[32];

	base_buf_text(&buf, "{");
	for (int i = 0; i < 100000; i++)
		base_buf_format(
			&buf, "%s\"unit-%d\":{\"memory.size\":\"1Gi\"}", i > 0 ? ",\n" : "", i);
	base_buf_text(&buf, "}");
	BASE_AUTO_OF(codec_json) codec_json *doc = parse(buf.data);
	for (int i = 0; i < 100000; i++) {
		snprintf(key, sizeof(key), "unit-%d", i);
		cr_assert_eq(codec_member(codec_json_root(doc), key)->line, (uint32_t)i + 1);
	}
}
