/* SPDX-License-Identifier: MIT
 *
 * The canonical request: one form for one call, bounded, read strictly.
 */
#include "caps/call.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void setup(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}
TestSuite(call, .init = setup);
TestSuite(called, .init = setup);

#define OBJECT "unit/0a1b2c3d-0000-4000-8000-000000000001"

static void finish(caps_call *call)
{
	cr_assert_eq(caps_call_finish(call, HN_VERB_UNIT_UPDATE, OBJECT, NULL), 0);
	cr_assert_leq(call->request.size, base_limit(BASE_LIMIT_REQUEST_BYTES));
}

static char *json_of(const caps_call *call)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	caps_called called;
	char *text = NULL;

	cr_assert(caps_called_read(caps_call_view(call), &called));
	cr_expect_eq(called.verb, HN_VERB_UNIT_UPDATE);
	cr_expect_eq(called.object.size, strlen(OBJECT));
	cr_assert_eq(hn_json_new(false, &json, NULL), 0);
	hn_json_object(json, NULL);
	caps_called_json(&called, json);
	hn_json_end(json);
	cr_assert_eq(codec_json_take(json, &text, NULL), 0);
	return text;
}

Test(call, has_one_form)
{
	static const char *const keys[] = {"memory.size"}, *const values[] = {"2Gi"};
	/* ["unit.update", "unit/web", {"set": {"memory.size": "2Gi"}, "force": true}] */
	static const char expected[] = "836b756e69742e75706461746568756e69742f776562a2"
				       "63736574a16b6d656d6f72792e73697a6563324769"
				       "65666f726365f5";
	CAPS_AUTO_CALL caps_call call = {0};
	char hex[2 * sizeof(expected)];
	uint8_t hash[32];

	caps_call_bool(&call, "force", true);
	caps_call_pairs(&call, "set", keys, values, 1);
	cr_assert_eq(caps_call_finish(&call, HN_VERB_UNIT_UPDATE, "unit/web", NULL), 0);
	codec_hex((const uint8_t *)call.request.data, call.request.size, hex);
	cr_expect_str_eq(hex, expected);
	crypto_sha256(call.request.data, call.request.size, hash);
	cr_expect_arr_eq(call.hash, hash, 32);
}

Test(call, without_arguments_is_plain)
{
	char object[BASE_OBJECT_SIZE];

	for (size_t size = 1; size < sizeof(object); size++) {
		CAPS_AUTO_CALL caps_call call = {0};
		uint8_t hash[32];

		memset(object, 'a', size);
		object[size] = '\0';
		cr_assert_eq(caps_call_finish(&call, HN_VERB_BREAKGLASS_ACTIVATE, object, NULL), 0);
		caps_call_plain(HN_VERB_BREAKGLASS_ACTIVATE, object, hash);
		cr_expect_arr_eq(call.hash, hash, 32, "%zu", size);
	}
}

Test(call, takes_arguments_and_pairs_in_any_order)
{
	static const char *const keys[] = {"b", "aa", "a"}, *const values[] = {"1", "2", "3"};
	static const char *const other_keys[] = {"a", "b", "aa"}, *const other_values[] = {
									  "3", "1", "2"};
	CAPS_AUTO_CALL caps_call one = {0}, two = {0};

	caps_call_pairs(&one, "values", keys, values, 3);
	caps_call_int(&one, "ns", -5);
	caps_call_text(&one, "name", "x");
	finish(&one);
	caps_call_text(&two, "name", "x");
	caps_call_pairs(&two, "values", other_keys, other_values, 3);
	caps_call_int(&two, "ns", -5);
	finish(&two);
	cr_expect_arr_eq(one.hash, two.hash, 32);
}

Test(call, keeps_the_last_value_of_a_name)
{
	static const char *const keys[] = {"a", "b", "a"}, *const values[] = {"1", "2", "3"};
	CAPS_AUTO_CALL caps_call call = {0};
	BASE_AUTO_FREE char *json = NULL;

	caps_call_pairs(&call, "set", keys, values, 3);
	finish(&call);
	json = json_of(&call);
	cr_expect_str_eq(json, "{\"arguments\":{\"set\":{\"a\":\"3\",\"b\":\"2\"}}}");
}

Test(call, differs_by_each_thing_in_it)
{
	static const char *const ab[] = {"a", "b"}, *const joined[] = {"ab"};
	static const char *const a[] = {"a"}, *const b[] = {"b"};
	caps_call calls[10] = {0};

	caps_call_text(&calls[0], "name", "a");
	caps_call_text(&calls[1], "name", "b");
	caps_call_text(&calls[2], "node", "a");
	caps_call_texts(&calls[3], "name", a, 1);
	caps_call_texts(&calls[4], "name", ab, 2);
	caps_call_texts(&calls[5], "name", joined, 1);
	caps_call_pairs(&calls[6], "name", a, b, 1);
	caps_call_bool(&calls[7], "name", true);
	caps_call_int(&calls[8], "name", 1);
	for (size_t i = 0; i < BASE_COUNT(calls); i++) {
		finish(&calls[i]);
		for (size_t k = 0; k < i; k++)
			cr_expect_neq(memcmp(calls[i].hash, calls[k].hash, 32), 0, "%zu %zu", i, k);
	}
	for (size_t i = 0; i < BASE_COUNT(calls); i++)
		caps_call_free(&calls[i]);
}

Test(call, differs_by_verb_and_object)
{
	uint8_t one[32], two[32], three[32];

	caps_call_plain(HN_VERB_UNIT_START, "unit/a", one);
	caps_call_plain(HN_VERB_UNIT_STOP, "unit/a", two);
	caps_call_plain(HN_VERB_UNIT_START, "unit/b", three);
	cr_expect_neq(memcmp(one, two, 32), 0);
	cr_expect_neq(memcmp(one, three, 32), 0);
}

Test(call, leaves_out_what_is_not_there)
{
	CAPS_AUTO_CALL caps_call one = {0}, two = {0};

	caps_call_text(&one, "name", NULL);
	caps_call_texts(&one, "tags", NULL, 0);
	caps_call_pairs(&one, "values", NULL, NULL, 0);
	finish(&one);
	finish(&two);
	cr_expect_arr_eq(one.hash, two.hash, 32);
}

/* The longest is there by its hash, what is short stays to be read. */
Test(call, is_bounded)
{
	BASE_AUTO_FREE char *text = base_calloc(1, 100001), *json = NULL;
	CAPS_AUTO_CALL caps_call one = {0}, two = {0};

	memset(text, 'x', 100000);
	caps_call_text(&one, "terms", text);
	caps_call_text(&one, "name", "shown");
	finish(&one);
	json = json_of(&one);
	cr_expect_not_null(strstr(json, "\"name\":\"shown\""), "%s", json);
	cr_expect_not_null(strstr(json, "\"bytes\":100005"), "%s", json);
	text[99999] = 'y';
	caps_call_text(&two, "terms", text);
	caps_call_text(&two, "name", "shown");
	finish(&two);
	cr_expect_eq(one.request.size, two.request.size);
	cr_expect_neq(memcmp(one.hash, two.hash, 32), 0);
}

Test(call, has_what_is_no_text_by_its_hash)
{
	static const char *const items[] = {"good", "\xff"};
	CAPS_AUTO_CALL caps_call call = {0};
	BASE_AUTO_FREE char *json = NULL;

	caps_call_text(&call, "name", "\xff\xfe");
	caps_call_texts(&call, "list", items, 2);
	caps_call_pairs(&call, "set", items, items, 2);
	finish(&call);
	json = json_of(&call);
	cr_expect_not_null(strstr(json, "\"name\":{\"sha256\":"), "%s", json);
	cr_expect_not_null(strstr(json, "\"list\":{\"sha256\":"), "%s", json);
	cr_expect_not_null(strstr(json, "\"set\":{\"sha256\":"), "%s", json);
}

Test(call, has_only_so_many_arguments)
{
	CAPS_AUTO_CALL caps_call call = {0};

	for (int i = 0; i < CAPS_CALL_ARGUMENTS + 1; i++)
		caps_call_int(&call, "n", i);
	cr_expect_eq(caps_call_finish(&call, HN_VERB_UNIT_UPDATE, OBJECT, NULL), HN_ENOMEM);
}

Test(called, shows_each_kind)
{
	static const char *const list[] = {"web", "db"};
	static const uint8_t keyed[CRYPTO_DIGEST] = "A";
	CAPS_AUTO_CALL caps_call call = {0};
	BASE_AUTO_FREE char *json = NULL;

	caps_call_int(&call, "ns", -7);
	caps_call_bool(&call, "quick", false);
	caps_call_text(&call, "name", "a\"b\n");
	caps_call_texts(&call, "add", list, 2);
	caps_call_keyed(&call, "x", keyed);
	finish(&call);
	json = json_of(&call);
	cr_expect_str_eq(json,
		"{\"arguments\":{\"x\":{\"keyed\":"
		"\"4100000000000000000000000000000000000000000000000000000000000000\"},"
		"\"ns\":-7,\"add\":[\"web\",\"db\"],\"name\":\"a\\\"b\\n\",\"quick\":false}}");
}

/* --- what is none --- */

static bool reads(const char *hex)
{
	uint8_t bytes[256];
	caps_called called;

	cr_assert(codec_hex_decode(hex, strlen(hex), bytes));
	return caps_called_read((caps_view){bytes, strlen(hex) / 2}, &called);
}

#define BYTES_31 "00000000000000000000000000000000000000000000000000000000000000"
#define HEAD "836a756e69742e737461727466756e69742f61" /* ["unit.start", "unit/a", */

Test(called, takes_one_form_only)
{
	cr_expect(reads(HEAD "a0"));
	cr_expect(reads(HEAD "a1616101"));
	cr_expect_not(reads(HEAD "a000"), "trailing");
	cr_expect_not(reads(HEAD "a16161f6"), "null");
	cr_expect(reads(HEAD "a161615820" BYTES_31 "ff"));
	cr_expect_not(reads(HEAD "a16161581f" BYTES_31), "a keyed digest that is too short");
	cr_expect_not(reads(HEAD "a161615821" BYTES_31 "ffff"), "and one that is too long");
	cr_expect_not(reads(HEAD "a16161f93c00"), "a float");
	cr_expect_not(reads(HEAD "a1614101"), "an upper-case name");
	cr_expect_not(reads(HEAD "a16001"), "an empty name");
	cr_expect_not(reads(HEAD "a1616180"), "an empty list");
	cr_expect_not(reads(HEAD "a16161a0"), "no pairs");
	cr_expect_not(reads(HEAD "a161618101"), "a list of numbers");
	cr_expect_not(reads(HEAD "a161618161618101"), "a list in a list");
	cr_expect_not(reads(HEAD "a16161a1616101"), "a pair with a number");
	cr_expect_not(reads(HEAD "a1616182410005"), "a hash that is too short");
	cr_expect_not(reads(HEAD "a2616101616101"), "a name twice");
	cr_expect_not(reads(HEAD "a2616201616101"), "names out of order");
	cr_expect_not(reads("836a756e69742e6a7567676c6566756e69742f61a0"), "no such verb");
	cr_expect_not(reads("836a756e69742e7374617274672e2e2f756e6974a0"), "no object");
	cr_expect_not(reads("826a756e69742e737461727466756e69742f61"), "no arguments");
}

Test(called, refuses_each_truncation)
{
	static const char *const list[] = {"web", "db"};
	CAPS_AUTO_CALL caps_call call = {0};
	caps_called called;

	caps_call_texts(&call, "add", list, 2);
	caps_call_text(&call, "name", "x");
	finish(&call);
	for (size_t size = 0; size < call.request.size; size++)
		cr_expect_not(
			caps_called_read(
				(caps_view){(const uint8_t *)call.request.data, size}, &called),
			"%zu", size);
}

Test(called, refuses_one_that_is_too_long)
{
	codec_cbor_out out = {0};
	size_t most = (size_t)base_limit(BASE_LIMIT_REQUEST_BYTES);
	BASE_AUTO_FREE char *text = base_calloc(1, most + 1);
	caps_called called;

	for (int over = 0; over < 2; over++) {
		size_t size = most - 25 + (size_t)over;

		memset(text, 'x', size);
		codec_cbor_put_array(&out, 3);
		codec_cbor_put_text(&out, "unit.start", 10);
		codec_cbor_put_text(&out, "unit/a", 6);
		codec_cbor_put_map(&out, 1);
		codec_cbor_put_text(&out, "a", 1);
		codec_cbor_put_text(&out, text, size);
		cr_assert_eq(out.buf.size, most + (size_t)over);
		cr_expect_eq(
			caps_called_read(
				(caps_view){(const uint8_t *)out.buf.data, out.buf.size}, &called),
			over == 0);
		base_buf_free(&out.buf);
	}
}

Test(called, refuses_more_arguments_than_there_may_be)
{
	codec_cbor_out out = {0};
	char name[2] = "a";
	caps_called called;

	codec_cbor_put_array(&out, 3);
	codec_cbor_put_text(&out, "unit.start", 10);
	codec_cbor_put_text(&out, "unit/a", 6);
	codec_cbor_put_map(&out, CAPS_CALL_ARGUMENTS + 1);
	for (int i = 0; i < CAPS_CALL_ARGUMENTS + 1; i++) {
		name[0] = (char)('a' + i);
		codec_cbor_put_text(&out, name, 1);
		codec_cbor_put_int(&out, i);
	}
	cr_expect_not(caps_called_read(
		(caps_view){(const uint8_t *)out.buf.data, out.buf.size}, &called));
	base_buf_free(&out.buf);
}
