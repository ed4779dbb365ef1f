/* SPDX-License-Identifier: MIT
 *
 * What the JSON reader refuses: each with its code, its place and its own words.
 */
#include "codec/codec-private.h"
#include <criterion/criterion.h>
#include <stdlib.h>

static char untouched; /* what an out parameter points at before a call that fails */

static void refuse_bytes(
	const char *bytes, size_t size, int code, const char *place, const char *words)
{
	codec_json *doc = (codec_json *)(void *)&untouched;
	hn_error *err = NULL;
	int rc = codec_json_parse("web.json", bytes, size, &doc, &err);

	cr_assert_eq(rc, code, "gave %d: %s", rc, err == NULL ? "-" : hn_error_message(err));
	cr_assert_eq(hn_error_code(err), (hn_code)code);
	cr_assert_eq((void *)doc, (void *)&untouched, "out parameter was touched");
	const char *message = hn_error_message(err);
	cr_assert_eq(strncmp(message, place, strlen(place)), 0, "%s", message);
	cr_assert_not_null(strstr(message, words), "%s", message);
	hn_error_unref(err);
}

static void refuse(const char *text, int code, const char *place, const char *words)
{
	refuse_bytes(text, strlen(text), code, place, words);
}

Test(json_refuse, nothing)
{
	refuse("", HN_ESYNTAX, "web.json:1:1: ", "end of the file");
}

Test(json_refuse, white_space_alone)
{
	refuse(" \n ", HN_ESYNTAX, "web.json:2:2: ", "end of the file");
}

Test(json_refuse, trailing_bytes)
{
	refuse("{}\nx", HN_ESYNTAX, "web.json:2:1: ", "nothing may follow");
}

Test(json_refuse, second_value)
{
	refuse("{} {}", HN_ESYNTAX, "web.json:1:4: ", "nothing may follow");
}

Test(json_refuse, trailing_comma_in_object)
{
	refuse("{\"a\": 1,\n}", HN_ESYNTAX, "web.json:2:1: ", "another member after ','");
}

Test(json_refuse, trailing_comma_in_array)
{
	refuse("[1, ]", HN_ESYNTAX, "web.json:1:5: ", "another element after ','");
}

Test(json_refuse, missing_comma)
{
	refuse("{\"a\": 1\n \"b\": 2}", HN_ESYNTAX, "web.json:2:2: ", "expected ',' or '}'");
}

Test(json_refuse, missing_colon)
{
	refuse("{\"a\" 1}", HN_ESYNTAX, "web.json:1:6: ", "expected ':' after the name \"a\"");
}

Test(json_refuse, bare_name)
{
	refuse("{a: 1}", HN_ESYNTAX, "web.json:1:2: ", "member name in double quotes");
}

Test(json_refuse, single_quotes)
{
	refuse("{'a': 1}", HN_ESYNTAX, "web.json:1:2: ", "member name in double quotes");
}

Test(json_refuse, comment)
{
	refuse("[1, // one\n2]", HN_ESYNTAX, "web.json:1:5: ", "expected a value");
}

Test(json_refuse, unclosed_object_says_where_it_began)
{
	refuse("[\n{\"a\": 1\n", HN_ESYNTAX, "web.json:3:1: ", "begins at line 2");
}

Test(json_refuse, unclosed_string)
{
	refuse("[\"abc\n]", HN_ESYNTAX, "web.json:1:2: ", "has no end");
}

Test(json_refuse, string_to_the_end_of_the_file)
{
	refuse("\"abc", HN_ESYNTAX, "web.json:1:1: ", "has no end");
}

Test(json_refuse, control_character)
{
	refuse("\"a\tb\"", HN_ESYNTAX, "web.json:1:3: ", "control character 0x09");
}

Test(json_refuse, unknown_escape)
{
	refuse("\"a\\qb\"", HN_ESYNTAX, "web.json:1:3: ", "unknown escape");
}

Test(json_refuse, short_unicode_escape)
{
	refuse("\"\\u12g4\"", HN_ESYNTAX, "web.json:1:2: ", "four hexadecimal digits");
}

Test(json_refuse, escaped_nul)
{
	refuse("{\"name\": \"a\\u0000b\"}", HN_ESYNTAX, "web.json:1:12: ", "NUL");
}

Test(json_refuse, nul_in_a_name)
{
	refuse("{\"a\\u0000\": 1}", HN_ESYNTAX, "web.json:1:4: ", "NUL");
}

Test(json_refuse, nul_byte)
{
	refuse_bytes("{\"a\n\0\": 1}", 10, HN_ESYNTAX, "web.json:2:1: ", "NUL byte");
}

Test(json_refuse, lone_high_surrogate)
{
	refuse("\"\\ud800x\"", HN_ESYNTAX, "web.json:1:2: ", "lone surrogate");
}

Test(json_refuse, lone_low_surrogate)
{
	refuse("\"\\udc00\"", HN_ESYNTAX, "web.json:1:2: ", "lone surrogate");
}

Test(json_refuse, two_high_surrogates)
{
	refuse("\"\\ud800\\ud800\"", HN_ESYNTAX, "web.json:1:2: ", "lone surrogate");
}

Test(json_refuse, byte_order_mark)
{
	refuse("\xef\xbb\xbf{}", HN_ESYNTAX, "web.json:1:1: ", "byte order mark");
}

Test(json_refuse, invalid_utf8)
{
	refuse("{\n \"a\": \"\xff\"}", HN_ESYNTAX, "web.json:2:8: ", "0xff is not valid UTF-8");
}

Test(json_refuse, overlong_utf8)
{
	refuse("\"\xc0\xaf\"", HN_ESYNTAX, "web.json:1:2: ", "0xc0 is not valid UTF-8");
}

Test(json_refuse, surrogate_in_utf8)
{
	refuse("\"\xed\xa0\x80\"", HN_ESYNTAX, "web.json:1:2: ", "0xed is not valid UTF-8");
}

Test(json_refuse, utf8_cut_off_at_the_end)
{
	refuse("\"\xe2\x82", HN_ESYNTAX, "web.json:1:2: ", "0xe2 is not valid UTF-8");
}

Test(json_refuse, utf16)
{
	refuse_bytes("\xff\xfe{\0}\0", 6, HN_ESYNTAX, "web.json:1:1: ", "not valid UTF-8");
}

Test(json_refuse, leading_zero)
{
	refuse("[01]", HN_ESYNTAX, "web.json:1:2: ", "may not begin with 0");
}

Test(json_refuse, plus_sign)
{
	refuse("[+1]", HN_ESYNTAX, "web.json:1:2: ", "found '+'");
}

Test(json_refuse, number_without_digits)
{
	refuse("[-]", HN_ESYNTAX, "web.json:1:3: ", "expected a digit");
}

Test(json_refuse, nothing_behind_the_point)
{
	refuse("[1.]", HN_ESYNTAX, "web.json:1:4: ", "expected a digit after '.'");
}

Test(json_refuse, empty_exponent)
{
	refuse("[1e+]", HN_ESYNTAX, "web.json:1:5: ", "expected a digit in the exponent");
}

Test(json_refuse, says_what_it_found)
{
	refuse("[-\n1]", HN_ESYNTAX, "web.json:1:3: ", "found the end of the line");
	refuse("[1.\x01]", HN_ESYNTAX, "web.json:1:4: ", "found control character 0x01");
	refuse("[1e\x7f]", HN_ESYNTAX, "web.json:1:4: ", "found control character 0x7f");
	refuse("[\xe2\x82\xac]", HN_ESYNTAX, "web.json:1:2: ", "found '\xe2\x82\xac'");
	refuse("['a']", HN_ESYNTAX, "web.json:1:2: ", "found '''");
	refuse("[1 # one\n]", HN_ESYNTAX, "web.json:1:4: ", "found '#'");
}

Test(json_refuse, not_a_number)
{
	refuse("[NaN]", HN_ESYNTAX, "web.json:1:2: ", "found 'NaN'");
}

Test(json_refuse, size_without_quotes)
{
	refuse("{\"memory.size\": 32Gi}", HN_ESYNTAX, "web.json:1:19: ", "expected ',' or '}'");
}

Test(json_refuse, integer_overflow)
{
	refuse("[9223372036854775808]", HN_ERANGE, "web.json:1:2: ", "does not fit");
}

Test(json_refuse, negative_integer_overflow)
{
	refuse("[-9223372036854775809]", HN_ERANGE, "web.json:1:2: ", "does not fit");
}

Test(json_refuse, real_overflow)
{
	refuse("[1e400]", HN_ERANGE, "web.json:1:2: ", "too large");
}

Test(json_refuse, duplicate_member_names_both_lines)
{
	refuse("{\"web\": 1,\n\"db\": 2,\n\"web\": 3}", HN_EDUPLICATE,
		"web.json:3:1: ", "at line 1 and here at line 3");
}

Test(json_refuse, duplicate_member_by_escape)
{
	refuse("{\"a\": 1, \"\\u0061\": 2}", HN_EDUPLICATE, "web.json:1:10: ", "member \"a\"");
}

Test(json_refuse, duplicate_member_of_a_large_object)
{
	BASE_AUTO_BUF base_buf buf = {0};

	base_buf_text(&buf, "{");
	for (int i = 0; i < 300; i++)
		base_buf_format(&buf, "\"m%d\": 1,\n", i);
	base_buf_text(&buf, "\"m123\": 1}");
	refuse(buf.data, HN_EDUPLICATE, "web.json:301:1: ", "at line 124 and here at line 301");
}

Test(json_refuse, nesting_beyond_the_limit)
{
	char text[2 * 33 + 1];

	memset(text, '[', 33);
	memset(text + 33, ']', 33);
	text[66] = '\0';
	refuse(text, HN_ELIMIT, "web.json:1:33: ", "32 levels");
}

Test(json_refuse, ten_thousand_levels)
{
	char text[60001] = {0};

	for (int i = 0; i < 10000; i++)
		memcpy(text + i * 6, "{\"a\":\n", 6);
	refuse(text, HN_ELIMIT, "web.json:33:1: ", "32 levels");
}

Test(json_refuse, two_hundred_mebibytes)
{
	size_t size = 200u << 20;
	char *bytes =
		calloc(1, size); /* untouched pages: nothing reads them before the size is judged */

	cr_assert_not_null(bytes);
	refuse_bytes(bytes, size, HN_ELIMIT, "web.json: 209715200 bytes", "at most 16777216");
	free(bytes);
}

Test(json_refuse, one_byte_more_than_the_limit)
{
	size_t size = 16777217;
	char *bytes = malloc(size);

	cr_assert_not_null(bytes);
	memset(bytes, ' ', size);
	refuse_bytes(bytes, size, HN_ELIMIT, "web.json: 16777217 bytes", "at most 16777216");
	free(bytes);
}

Test(json_refuse, place_is_in_the_facts)
{
	codec_json *doc = NULL;
	hn_error *err = NULL;
	int64_t line = 0, column = 0;
	hn_fact fact;

	cr_assert_eq(codec_json_parse("web.json", "[1,\n  x]", 8, &doc, &err), HN_ESYNTAX);
	for (size_t i = 0; i < hn_error_fact_count(err); i++) {
		cr_assert_eq(hn_error_fact(err, i, &fact), 0);
		if (strcmp(fact.name, "line") == 0)
			line = fact.number;
		if (strcmp(fact.name, "column") == 0)
			column = fact.number;
		if (strcmp(fact.name, "file") == 0)
			cr_assert_str_eq(fact.text, "web.json");
	}
	cr_assert_eq(line, 2);
	cr_assert_eq(column, 3);
	cr_assert_not_null(hn_error_hint(err));
	hn_error_unref(err);
}

Test(json_refuse, each_word_of_another_language_has_a_hint)
{
	static const char *const words[] = {"True", "None", "yes", "NULL", "undefined", "Infinity"};

	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		codec_json *doc = NULL;
		hn_error *err = NULL;

		cr_assert_eq(
			codec_json_parse("f", words[i], strlen(words[i]), &doc, &err), HN_ESYNTAX);
		cr_assert_not_null(strstr(hn_error_message(err), words[i]));
		cr_assert_not_null(hn_error_hint(err));
		cr_assert_str_neq(hn_error_hint(err), "a text value stands in double quotes");
		hn_error_unref(err);
	}
}

Test(json_refuse, characters_beside_the_hexadecimal_digits)
{
	static const char beside[] = "/:@G`g";
	char text[] = "\"\\u00x0\"";

	for (size_t i = 0; beside[i] != '\0'; i++) {
		text[5] = beside[i];
		refuse(text, HN_ESYNTAX, "web.json:1:2: ", "four hexadecimal digits");
	}
}

Test(json_refuse, what_is_no_low_surrogate)
{
	static const char *const texts[] = {"\"\\ud800\\n\"", "\"\\ud800\\u0041\"",
		"\"\\ud800\\ue000\"", "\"\\ud800\\uzzzz\"", "\"\\ud800"};

	for (size_t i = 0; i < BASE_COUNT(texts); i++)
		refuse(texts[i], HN_ESYNTAX,
			"web.json:1:2: ", i < 4 ? "lone surrogate" : "surrogate");
}

Test(json_refuse, lines_that_end_with_a_carriage_return)
{
	refuse("\"a\rb\"", HN_ESYNTAX, "web.json:1:1: ", "has no end");
	refuse("[-\r]", HN_ESYNTAX, "web.json:1:3: ", "found the end of the line");
}

Test(json_refuse, a_character_of_four_bytes_is_named_whole)
{
	refuse("[-\xf0\x9f\x98\x80]", HN_ESYNTAX, "web.json:1:3: ", "found '\xf0\x9f\x98\x80'");
}

Test(json_refuse, exponents_without_digits)
{
	static const char *const texts[] = {"[1e]", "[1E]", "[1e+]", "[1E-x]", "[1.5e]"};

	for (size_t i = 0; i < BASE_COUNT(texts); i++)
		refuse(texts[i], HN_ESYNTAX, "web.json:1:", "a digit in the exponent");
}

Test(json_refuse, integers_at_both_ends)
{
	refuse("[9223372036854775808]", HN_ERANGE, "web.json:1:2: ", "does not fit");
	refuse("[-9223372036854775809]", HN_ERANGE, "web.json:1:2: ", "does not fit");
	refuse("[92233720368547758070]", HN_ERANGE, "web.json:1:2: ", "does not fit");
}

/* A message quotes a part of what is too long. */
Test(json_refuse, very_long_words_and_numbers)
{
	char text[1100] = "[";

	memset(text + 1, '9', 1000);
	strcpy(text + 1001, "]");
	refuse(text, HN_ERANGE, "web.json:1:2: 9999", "9999 does not fit");
	strcpy(text + 1001, ".0]");
	refuse(text, HN_ERANGE, "web.json:1:2: 9999", "9999 is too large");
	memset(text + 1, 'x', 1000);
	refuse(text, HN_ESYNTAX, "web.json:1:2: ", "xxxx'");
}

Test(json_refuse, names_without_quotes)
{
	static const char *const texts[] = {"{name: 1}", "{'name': 1}", "{Name: 1}", "{_n: 1}",
		"{1: 1}", "{,}", "{\"a\":1,}", "{@: 1}", "{[: 1}"};

	for (size_t i = 0; i < BASE_COUNT(texts); i++)
		refuse(texts[i], HN_ESYNTAX, "web.json:1:", "");
}
