/* SPDX-License-Identifier: MIT */
#include "compose/canonical.h"

#include <criterion/criterion.h>

static void digest_of(const char *text, compose_digest *digest)
{
	codec_json *doc = NULL;

	cr_assert_eq(codec_json_parse("c.json", text, strlen(text), &doc, NULL), 0);
	cr_assert_eq(compose_canonical_digest("c.json", codec_json_root(doc), digest, NULL), 0);
	codec_json_free(doc);
}

static void hex_of(const char *text, char *out)
{
	codec_cbor_out cbor = {0};
	codec_json *doc = NULL;

	cr_assert_eq(codec_json_parse("c.json", text, strlen(text), &doc, NULL), 0);
	cr_assert_eq(compose_canonical_cbor("c.json", codec_json_root(doc), &cbor, NULL), 0);
	codec_hex(cbor.buf.data, cbor.buf.size, out);
	base_buf_free(&cbor.buf);
	codec_json_free(doc);
}

/* RFC 8949 section 4.2.1: a shorter key is before a longer one. */
Test(canonical, is_deterministic_cbor)
{
	char hex[256];

	hex_of("{\"bb\": [1, -1, true, false, null], \"b\": \"\\u00e9\", \"a\": {}, \"aaa\": 256}",
		hex);
	cr_assert_str_eq(hex, "a46161a0616262c3a96262628501"
			      "20f5f4f66361616119"
			      "0100");
}

Test(canonical, does_not_see_spelling)
{
	compose_digest a, b, c;

	digest_of("{\"a\": 1, \"b\": [ \"x\", {\"c\": 2, \"d\": 3} ]}", &a);
	digest_of("{\n\"b\":[\"\\u0078\",{\"d\":3,\"c\":2}],\t\"\\u0061\":1}", &b);
	digest_of("{\"a\": 1, \"b\": [ \"x\", {\"c\": 2, \"d\": 4} ]}", &c);
	cr_assert(compose_digest_equal(&a, &b));
	cr_assert_not(compose_digest_equal(&a, &c));
}

Test(canonical, refuses_fractions)
{
	static const char text[] = "{\"a\":\n [0.5]}";
	compose_digest digest;
	codec_json *doc = NULL;
	hn_error *err = NULL;

	cr_assert_eq(codec_json_parse("c.json", text, strlen(text), &doc, NULL), 0);
	cr_assert_eq(compose_canonical_digest("c.json", codec_json_root(doc), &digest, &err),
		HN_ESCHEMA);
	cr_assert_str_eq(hn_error_message(err),
		"c.json:2:3: a number of a component or blueprint has no fraction and no exponent");
	hn_error_unref(err);
	codec_json_free(doc);
}

Test(canonical, writes_json_for_git)
{
	static const char text[] =
		"{\"b\":[1,\"x\\ny\",[]],\"a\":{\"d\":true,\"c\":null},\"e\":false,"
		"\"f\":0.50}";
	static const char wanted[] = "{\n\t\"a\": {\n\t\t\"c\": null,\n\t\t\"d\": true\n\t},\n"
				     "\t\"b\": [\n\t\t1,\n\t\t\"x\\ny\",\n\t\t[]\n\t],\n"
				     "\t\"e\": false,\n\t\"f\": 0.50\n}\n";
	codec_json *doc = NULL, *again = NULL;
	char *written = NULL, *second = NULL;

	cr_assert_eq(codec_json_parse("c.json", text, strlen(text), &doc, NULL), 0);
	cr_assert_eq(compose_canonical_json(codec_json_root(doc), &written, NULL), 0);
	cr_assert_str_eq(written, wanted);
	cr_assert_eq(codec_json_parse("c.json", written, strlen(written), &again, NULL), 0);
	cr_assert_eq(compose_canonical_json(codec_json_root(again), &second, NULL), 0);
	cr_assert_str_eq(second, written);
	base_free(written);
	base_free(second);
	codec_json_free(doc);
	codec_json_free(again);
}
