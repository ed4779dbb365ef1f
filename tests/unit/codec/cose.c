/* SPDX-License-Identifier: MIT
 *
 * COSE messages and headers: what is refused, and where parameters come from.
 */
#include "codec/codec-private.h"
#include <criterion/criterion.h>

typedef struct raw {
	uint8_t bytes[1024];
	size_t size;
} raw;

static raw raw_of(const char *hex)
{
	raw made = {.size = strlen(hex) / 2};

	cr_assert(codec_hex_decode(hex, strlen(hex), made.bytes), "%s", hex);
	return made;
}

static void expect_refused(int rc, hn_error *err, const char *hex, const char *words)
{
	cr_assert_eq(rc, HN_ECBOR, "%s was taken", hex);
	cr_assert_not_null(
		strstr(hn_error_message(err), words), "%s: %s", hex, hn_error_message(err));
	hn_error_unref(err);
}

static void sign1_refused(const char *hex, const char *words)
{
	codec_cose_sign1 message = {.tagged = true, .payload = {(const uint8_t *)"x", 1}};
	raw m = raw_of(hex);
	hn_error *err = NULL;
	int rc = codec_cose_sign1_parse(m.bytes, m.size, false, &message, &err);

	expect_refused(rc, err, hex, words);
	cr_assert_eq(message.payload.size, 1u, "the output was touched");
}

static void sign_refused(const char *hex, const char *words)
{
	codec_cose_sign message;
	raw m = raw_of(hex);
	hn_error *err = NULL;
	int rc = codec_cose_sign_parse(m.bytes, m.size, false, &message, &err);

	expect_refused(rc, err, hex, words);
}

static int read_headers(const char *protected_hex, const char *unprotected_hex,
	codec_cose_headers *headers, hn_error **err)
{
	static raw a, b; /* the views go on pointing here */

	a = raw_of(protected_hex);
	b = raw_of(unprotected_hex);
	return codec_cose_headers_read(
		(codec_view){a.bytes, a.size}, (codec_view){b.bytes, b.size}, headers, err);
}

static void headers_refused(
	const char *protected_hex, const char *unprotected_hex, const char *words)
{
	codec_cose_headers headers;
	hn_error *err = NULL;
	int rc = read_headers(protected_hex, unprotected_hex, &headers, &err);

	expect_refused(rc, err, protected_hex, words);
}

Test(cose_sign1, parts_are_views)
{
	/* 18([h'a10127', {4: h'3131'}, h'00', h'aabb']) */
	raw m = raw_of("d28443a10127a104423131410042aabb");
	codec_cose_sign1 message;

	cr_assert_eq(codec_cose_sign1_parse(m.bytes, m.size, false, &message, NULL), 0);
	cr_assert(message.tagged);
	cr_assert_eq(message.protected_header.bytes, m.bytes + 3);
	cr_assert_eq(message.protected_header.size, 3u);
	cr_assert_eq(message.unprotected.bytes, m.bytes + 6);
	cr_assert_eq(message.unprotected.size, 5u);
	cr_assert_eq(message.payload.size, 1u);
	cr_assert_eq(message.signature.bytes, m.bytes + 14);
	cr_assert_eq(message.signature.size, 2u);
}

Test(cose_sign1, g43_nil_and_empty_payloads_differ)
{
	raw nil = raw_of("d28440a0f641aa"), empty = raw_of("d28440a04041aa");
	codec_cose_sign1 message;

	cr_assert_eq(codec_cose_sign1_parse(nil.bytes, nil.size, false, &message, NULL), 0);
	cr_assert_null(message.payload.bytes);
	cr_assert_eq(codec_cose_sign1_parse(empty.bytes, empty.size, false, &message, NULL), 0);
	cr_assert_not_null(message.payload.bytes);
	cr_assert_eq(message.payload.size, 0u);
}

Test(cose_sign1, g39_tags)
{
	sign1_refused("8440a04041aa", "no tag");
	sign1_refused("d18440a04041aa", "another tag"); /* COSE_Mac0 */
	sign1_refused("d8628440a04041aa", "another tag");
	sign1_refused("d2d28440a04041aa", "tag where none belongs");
	sign1_refused("d240", "not an array");
	sign1_refused("d2", "cut off");
	sign1_refused("", "cut off");
}

Test(cose_sign1, structure)
{
	sign1_refused("d28340a040", "no array of four");
	sign1_refused("d28540a04041aa00", "no array of four");
	sign1_refused("d284a0a04041aa", "not a byte string");
	sign1_refused("d28440404041aa", "a header is no map");
	sign1_refused("d2844101a04041aa", "a header is no map");
	sign1_refused("d28442a000a04041aa", "a header is no map");
	sign1_refused("d28440a0a041aa", "not a byte string");
	sign1_refused("d28440a04061aa", "not a byte string");
	sign1_refused("d28440a040f6", "not a byte string");
	sign1_refused("d28440a04041aa00", "bytes follow");
}

Test(cose_sign1, strict_inside_the_protected_header)
{
	sign1_refused("d28443a20100a04041aa", "a header is no map");     /* cut off */
	sign1_refused("d28445a201270100a04041aa", "a header is no map"); /* twice */
	sign1_refused("d28445a202000100a04041aa", "a header is no map"); /* falling */
	sign1_refused("d28444a1011827ffa04041aa", "not");                /* trailing */
	sign1_refused("d28444a1011807a04041aa", "a header is no map");   /* not shortest */
	sign1_refused("d28445bf0127ff00a04041aa", "a header is no map"); /* indefinite */
}

Test(cose_sign1, strict_in_the_unprotected_header)
{
	sign1_refused("d28440a2010001004041aa", "twice");
	sign1_refused("d28440a2020001004041aa", "do not rise");
	sign1_refused("d28440bf01004041aaff", "indefinite");
	sign1_refused("d28440a101fb00000000000000004041aa", "floating");
}

Test(cose_sign1, every_truncation_is_refused)
{
	raw m = raw_of("d28443a10127a104423131410042aabb");

	for (size_t size = 0; size < m.size; size++) {
		codec_cose_sign1 message;

		cr_assert_eq(codec_cose_sign1_parse(m.bytes, size, true, &message, NULL), HN_ECBOR,
			"%zu bytes", size);
	}
}

Test(cose_sign1, written_without_a_map_has_an_empty_one)
{
	codec_cose_sign1 message = {.tagged = true, .signature = {(const uint8_t *)"\xaa", 1}};
	codec_cbor_out out = {0};
	char hex[64];

	codec_cose_sign1_put(&out, &message);
	codec_hex(out.buf.data, out.buf.size, hex);
	cr_assert_str_eq(hex, "d28440a0f641aa");
	base_buf_free(&out.buf);
}

Test(cose_sign, signers_come_out_in_order)
{
	/* 98([h'', {}, h'00', [[h'a10127', {}, h'aa'], [h'', {4: h'31'}, h'bbcc']]]) */
	raw m = raw_of("d8628440a04100828343a10127a041aa8340a104413142bbcc");
	codec_cose_sign message;

	cr_assert_eq(codec_cose_sign_parse(m.bytes, m.size, false, &message, NULL), 0);
	cr_assert_eq(message.count, 2u);
	cr_assert_eq(message.signers[0].protected_header.size, 3u);
	cr_assert_eq(message.signers[0].signature.bytes[0], 0xaa);
	cr_assert_eq(message.signers[1].unprotected.size, 4u);
	cr_assert_eq(message.signers[1].signature.size, 2u);
}

Test(cose_sign, structure)
{
	sign_refused("8440a040818340a041aa", "no tag");
	sign_refused("d28440a040818340a041aa", "another tag");
	sign_refused("d8628340a040", "no array of four");
	sign_refused("d8628440a04080", "1 to 16");
	sign_refused("d8628440a040818240a0", "malformed");
	sign_refused("d8628440a040818440a041aa00", "malformed");
	sign_refused("d8628440a0408183a0a041aa", "not a byte string");
	sign_refused("d8628440a0a0818340a041aa", "not a byte string");
	sign_refused("d8628440a040818340a041aa00", "bytes follow");
	sign_refused("d86284a0a040818340a041aa", "not a byte string");
}

static int parse_with_signers(size_t count)
{
	codec_cbor_out out = {0};
	codec_cose_sign message;

	codec_cbor_put_tag(&out, CODEC_COSE_TAG_SIGN);
	codec_cbor_put_array(&out, 4);
	codec_cbor_put_bytes(&out, "", 0);
	codec_cbor_put_map(&out, 0);
	codec_cbor_put_bytes(&out, "", 0);
	codec_cbor_put_array(&out, count);
	for (size_t i = 0; i < count; i++)
		base_buf_add(&out.buf, "\x83\x40\xa0\x41\xaa", 5);
	int rc = codec_cose_sign_parse(out.buf.data, out.buf.size, false, &message, NULL);
	base_buf_free(&out.buf);
	return rc;
}

Test(cose_sign, at_most_sixteen_signatures)
{
	cr_assert_eq(parse_with_signers(16), 0);
	cr_assert_eq(parse_with_signers(17), HN_ECBOR);
	cr_assert_eq(parse_with_signers(1000), HN_ECBOR);
}

Test(cose_tbs, empty_maps_count_as_no_header)
{
	const uint8_t empty_map[] = {0xa0};
	codec_view none = {NULL, 0}, map = {empty_map, 1}, payload = {(const uint8_t *)"p", 1};
	base_buf a = {0}, b = {0};

	codec_cose_tbs(&a, none, &none, none, payload);
	codec_cose_tbs(&b, map, &map, none, payload);
	cr_assert_eq(a.size, b.size);
	cr_assert_arr_eq(a.data, b.data, a.size);
	base_buf_free(&a);
	base_buf_free(&b);
}

Test(cose_tbs, is_added_behind_what_is_there)
{
	codec_view none = {NULL, 0};
	base_buf buf = {0};
	char hex[64];

	base_buf_text(&buf, "x");
	codec_cose_tbs(&buf, none, NULL, none, none);
	codec_hex(buf.data, buf.size, hex);
	cr_assert_str_eq(hex, "78846a5369676e617475726531404040");
	base_buf_free(&buf);
}

Test(cose_headers, parameters_and_their_places)
{
	codec_cose_headers h;

	/* {1: -8, 3: "t", -65537: 0, ...} and {4: h'3132', "x": [1]} */
	cr_assert_eq(read_headers("a30127036174190100f6", "a20442313261788101", &h, NULL), 0);
	cr_assert_eq(h.alg_place, CODEC_COSE_PROTECTED);
	cr_assert_eq(h.alg, -8);
	cr_assert_null(h.alg_text.bytes);
	cr_assert_eq(h.content_place, CODEC_COSE_PROTECTED);
	cr_assert_eq(h.content.size, 2u);
	cr_assert_eq(h.kid_place, CODEC_COSE_UNPROTECTED);
	cr_assert_eq(h.kid.size, 2u);
	cr_assert_eq(h.kid.bytes[1], '2');
	cr_assert_eq(h.count, 5u);
	cr_assert_eq(h.critical_count, 0u);
}

Test(cose_headers, g23_nothing_at_all)
{
	codec_cose_headers h;

	cr_assert_eq(read_headers("", "a0", &h, NULL), 0);
	cr_assert_eq(h.alg_place, CODEC_COSE_ABSENT);
	cr_assert_eq(h.kid_place, CODEC_COSE_ABSENT);
	cr_assert_eq(h.count, 0u);
}

Test(cose_headers, g24_alg_only_unprotected_is_told)
{
	codec_cose_headers h;

	cr_assert_eq(read_headers("a0", "a10127", &h, NULL), 0);
	cr_assert_eq(h.alg_place, CODEC_COSE_UNPROTECTED);
}

Test(cose_headers, g26_alg_as_text_is_told)
{
	codec_cose_headers h;

	cr_assert_eq(read_headers("a101654564445341", "a0", &h, NULL), 0);
	cr_assert_eq(h.alg_text.size, 5u);
	cr_assert_eq(memcmp(h.alg_text.bytes, "EdDSA", 5), 0);
}

Test(cose_headers, a_label_in_both_maps)
{
	headers_refused("a10127", "a10127", "stands in both");
	headers_refused("a20127044131", "a1044132", "stands in both");
	headers_refused("a20127617800", "a2044131617800", "stands in both");
	headers_refused("a301270300190100f6", "a2044131190100f6", "stands in both");
}

Test(cose_headers, wrong_types)
{
	headers_refused("a10140", "a0", "alg");
	headers_refused("a101f6", "a0", "alg");
	headers_refused("a1013b8000000000000000", "a0", "protected header");
	headers_refused("a10320", "a0", "content type");
	headers_refused("a10340", "a0", "content type");
	headers_refused("a10400", "a0", "kid");
	headers_refused("", "a1046131", "kid");
}

Test(cose_headers, g32_labels_that_are_none)
{
	headers_refused("a1f500", "a0", "neither integer nor text");
	headers_refused("a14000", "a0", "neither integer nor text");
	headers_refused("", "a18000", "neither integer nor text");
	headers_refused("a20127f500", "a0", "neither integer nor text");
}

Test(cose_headers, g30_duplicates_and_order)
{
	headers_refused("a201270127", "a0", "protected header");
	headers_refused("a203000127", "a0", "protected header");
	headers_refused("", "a2044131044131", "unprotected header");
}

Test(cose_headers, critical_labels)
{
	const int64_t known[] = {-65537, 4};
	codec_cose_headers h;

	/* {1: -8, 2: [-65537], -65537: 0} */
	cr_assert_eq(read_headers("a3012702813a000100003a0001000000", "a0", &h, NULL), 0);
	cr_assert_eq(h.critical_count, 1u);
	cr_assert_eq(codec_cose_critical_known(&h, known, 2, NULL), 0);
	cr_assert_eq(codec_cose_critical_known(&h, known + 1, 1, NULL), HN_ENOSUP);
	cr_assert_eq(codec_cose_critical_known(&h, NULL, 0, NULL), HN_ENOSUP);
}

Test(cose_headers, g28_critical_text_is_never_known)
{
	const int64_t known[] = {1};
	codec_cose_headers h;

	cr_assert_eq(read_headers("a202816178617800", "a0", &h, NULL), 0);
	cr_assert_eq(codec_cose_critical_known(&h, known, 1, NULL), HN_ENOSUP);
}

Test(cose_headers, g29_malformed_crit)
{
	headers_refused("", "a20127028101", "crit is not protected");
	headers_refused("a10280", "a0", "crit is no array");
	headers_refused("a10201", "a0", "crit is no array");
	headers_refused("a1028140", "a0", "no label");
	headers_refused("a10281f5", "a0", "no label");
	headers_refused("a1028107", "a10700", "not in the protected");
	headers_refused("a102910000000000000000000000000000000000", "a0", "crit is no array");
}

Test(cose_headers, find)
{
	raw map = raw_of("a3012704413126f5"); /* {1: -8, 4: h'31', -7: true} */
	codec_view view = {map.bytes, map.size}, value = {NULL, 0};

	cr_assert(codec_cose_find(view, 4, &value));
	cr_assert_eq(value.bytes, map.bytes + 4);
	cr_assert_eq(value.size, 2u);
	cr_assert(codec_cose_find(view, -7, &value));
	cr_assert_eq(value.bytes[0], 0xf5);
	cr_assert_not(codec_cose_find(view, 7, &value));
	cr_assert_not(codec_cose_find((codec_view){NULL, 0}, 1, &value));
}

Test(cose_headers, find_does_not_take_a_text_for_a_number)
{
	raw map = raw_of("a1613100");
	codec_view value;

	cr_assert_not(codec_cose_find((codec_view){map.bytes, map.size}, 1, &value));
}
