/* SPDX-License-Identifier: MIT
 *
 * Negative tests, groups 23 to 46: COSE headers, CBOR and base64. Every one is refused with one and
 * the same text; signatures are right for what is signed.
 */
#include "raw-token.h"

static void open_crypto(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(negative_cbor, .init = open_crypto);

#define KID "866eefbd6718c88400000001"
#define TYP                                                                                        \
	"107818"                                                                                   \
	"6170706c69636174696f6e2f766e642e687663312b637774"
#define HOLE "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define FIRST "a30127044c" KID TYP
#define LATER                                                                                      \
	"a301270281"                                                                               \
	"3a00010000"                                                                               \
	"3a00010000"                                                                               \
	"5820" HOLE

static void header_refused(size_t link, const char *header, const char *words)
{
	raw_token raw = raw_of(2);

	raw_set(&raw.part[link].header, header);
	raw_refused(&raw, words);
}

static void unprotected_refused(size_t link, const char *unprotected)
{
	raw_token raw = raw_of(2);

	raw_set(&raw.part[link].unprotected, unprotected);
	raw_refused(&raw, "COSE_Sign1");
}

Test(negative_cbor, g00_the_headers_of_these_tests_are_the_sound_ones)
{
	raw_token raw = raw_of(2);

	raw_set(&raw.part[0].header, FIRST);
	raw_set(&raw.part[1].header, LATER);
	raw_accepted(&raw);
}

Test(negative_cbor, g23_alg_absent)
{
	header_refused(0, "a2044c" KID TYP, "first link");
	header_refused(1,
		"a20281"
		"3a00010000"
		"3a00010000"
		"5820" HOLE,
		"later link");
	header_refused(0, "a0", "first link");
	header_refused(1, "", "later link");
}

Test(negative_cbor, g24_alg_only_unprotected)
{
	raw_token raw = raw_of(2);

	raw_set(&raw.part[0].header, "a2044c" KID TYP);
	raw_set(&raw.part[0].unprotected, "a10127");
	raw_refused(&raw, "COSE_Sign1");
}

Test(negative_cbor, g25_alg_other_than_eddsa)
{
	static const char *const algs[] = {"26", "32", "05", "00", "20", "3823", "2e"};

	for (size_t i = 0; i < BASE_COUNT(algs); i++) {
		raw_token raw = raw_of(2);

		raw_set(&raw.part[0].header, "a301");
		raw_add(&raw.part[0].header, algs[i]);
		raw_add(&raw.part[0].header, "044c" KID TYP);
		raw_refused(&raw, "first link");
	}
}

/* With the public key as the secret of an HMAC, as where the algorithm is taken from the token. */
Test(negative_cbor, g25_hmac_by_the_public_key)
{
	uint8_t key[32], mac[32];
	raw_token raw = raw_of(2);
	BASE_AUTO_BUF base_buf tbs = {0};

	raw_edit(&raw.part[0].header, "a30127", "a30105");
	crypto_ed25519_public(seeds[0], key);
	caps_tbs(&tbs, (caps_view){(uint8_t *)raw.part[0].header.data, raw.part[0].header.size},
		(caps_view){(uint8_t *)raw.part[0].claims.data, raw.part[0].claims.size});
	crypto_blake2b_keyed(key, 32, tbs.data, tbs.size, mac, 32);
	base_buf_add(&raw.part[0].signature, mac, sizeof(mac));
	raw_refused(&raw, "COSE_Sign1"); /* 32 bytes are no signature */
	raw = raw_of(2);
	raw_edit(&raw.part[0].header, "a30127", "a30105");
	base_buf_add(&raw.part[0].signature, mac, sizeof(mac));
	base_buf_add(&raw.part[0].signature, mac, sizeof(mac));
	raw_refused(&raw, "first link");
}

Test(negative_cbor, g26_alg_as_text)
{
	header_refused(0, "a301654564445341044c" KID TYP, "first link"); /* "EdDSA" */
}

Test(negative_cbor, g27_unprotected_not_empty)
{
	for (size_t link = 0; link < 2; link++) {
		unprotected_refused(link, "a1044c" KID);
		unprotected_refused(link, "a118636161");
		unprotected_refused(link, "a10540");
		unprotected_refused(link, "80");
		unprotected_refused(link, "40");
		unprotected_refused(link, "f6");
	}
}

Test(negative_cbor, g28_unknown_crit)
{
	header_refused(1,
		"a301270281"
		"3a00010001"
		"3a00010001"
		"5820" HOLE,
		"later link");
	header_refused(1,
		"a401270282"
		"3a000100003a00010001"
		"3a00010000"
		"5820" HOLE "3a0001000100",
		"later link");
	header_refused(0,
		"a401270281"
		"10"
		"044c" KID TYP,
		"first link");
}

Test(negative_cbor, g29_crit_missing)
{
	header_refused(1,
		"a20127"
		"3a00010000"
		"5820" HOLE,
		"later link");
	header_refused(1,
		"a301270280"
		"3a00010000"
		"5820" HOLE,
		"later link");
}

Test(negative_cbor, g30_duplicate_key_in_header)
{
	header_refused(0, "a401270127044c" KID TYP, "first link");
	header_refused(0, "a40127044c" KID "044c" KID TYP, "first link");
}

Test(negative_cbor, g31_duplicate_key_in_claims)
{
	claims_refused(0, "a80265616c696365", "a90265616c6963650263626f62", "claims");
	claims_refused(1, "a5041a6955bc84", "a6041a6955bc84041a6955bc83", "claims");
	claims_refused(0, "061a6955b900", "041a6955b900", "claims");
}

Test(negative_cbor, g32_key_true_beside_1)
{
	/* Where true is one, { true: ... } stands twice. */
	header_refused(0, "a40127044c" KID TYP "f527", "first link");
	claims_refused(0, "a80265616c696365", "a9f5010265616c696365", "claims");
	claims_refused(0, "08a101a3", "08a2010120f501a3", "cnf");
	claims_refused(0, "08a101a3", "08a1f5a3", "cnf");
}

Test(negative_cbor, g33_unsorted_keys)
{
	/* aud before sub; nothing else is changed. */
	claims_refused(0, "0265616c69636503636c6162", "03636c61620265616c696365", "claims");
	header_refused(0, "a3044c" KID "0127" TYP, "first link");
	/* Inside the key of cnf: -2 before -1. */
	claims_refused(0, "a30101200621",
		"a301012106"
		"20",
		"cnf");
}

Test(negative_cbor, g34_length_first_order)
{
	/* RFC 7049's order puts -1 (one byte) behind 2 but before 24 and -65537: here a text of one
	 * letter would come before the label of five bytes. */
	claims_refused(0, "3a0001000181",
		"616100"
		"3a0001000181",
		"claims");
	header_refused(0, "a40127044c" KID TYP "20f6", "first link");
}

Test(negative_cbor, g35_non_minimal_int)
{
	claims_refused(0, "0265616c", "180265616c", "claims");
	claims_refused(1, "041a6955bc84", "041b000000006955bc84", "exp");
	header_refused(0, "a3180127044c" KID TYP, "first link");
	claims_refused(1, "8202", "821802", "caveat");
	claims_refused(1, "8202", "82190002", "caveat");
}

Test(negative_cbor, g36_non_minimal_length)
{
	claims_refused(0, "0265616c696365", "027805616c696365", "subject");
	claims_refused(1, "0750", "075810", "cti");
	claims_refused(0, "a80265", "b8080265", "claims");
	claims_refused(1, "3a0001000181", "3a000100019801", "caveats");
	raw_token raw = raw_of(2);
	raw_set(&raw.proof, "8200590020");
	base_buf_add(&raw.proof, seed_at(2), 32);
	raw_refused(&raw, "proof");
}

Test(negative_cbor, g37_indefinite_map_array_bytes)
{
	raw_token raw = raw_of(2);

	raw_edit(&raw.part[1].claims, "a504", "bf04");
	raw_add(&raw.part[1].claims, "ff");
	raw_refused(&raw, "claims");
	raw = raw_of(2);
	raw_edit(&raw.part[1].claims, "3a0001000181", "3a000100019f");
	raw_add(&raw.part[1].claims, "ff");
	raw_refused(&raw, "caveats");
	claims_refused(1,
		"820241"
		"01",
		"82025f4101ff", "caveat");
	claims_refused(0, "0265616c696365", "027f65616c696365ff", "subject");
	raw = raw_of(2);
	raw_set(&raw.proof, "9f005820");
	base_buf_add(&raw.proof, seed_at(2), 32);
	raw_add(&raw.proof, "ff");
	raw_refused(&raw, "proof");
}

Test(negative_cbor, g38_times_that_are_no_whole_seconds)
{
	static const char *const times[] = {
		"04fb41da556f2100"
		"0000", /* a float */
		"04fa4ed2ab79",
		"04f97e00", /* NaN */
		"04fb7ff8000000000000",
		"04f97c00",             /* infinity */
		"0420",                 /* -1 */
		"0400",                 /* 0 */
		"041b8000000000000000", /* 2^63 */
		"041bffffffffffffffff",
		"041b0000003afff44180", /* the second after year 9999 */
		"04c24a00000000000069"
		"55bc8400",       /* a bignum */
		"04c11a6955bc84", /* tag 1 */
		"046a31373637323236353030",
		"04f6",
		"04f5",
		"0480",
	};

	for (size_t i = 0; i < BASE_COUNT(times); i++)
		claims_refused(1, "041a6955bc84", times[i], "exp");
	for (size_t i = 0; i < BASE_COUNT(times); i++)
		claims_refused(0, "041a6955c710", times[i], "exp");
}

Test(negative_cbor, g38_the_last_second_of_year_9999_is_a_time)
{
	raw_token raw = raw_of(2);

	/* Only the parent ends so late: what ends first counts. But its issuer gives a day. */
	raw_edit(&raw.part[0].claims, "041a6955c710", "041b0000003afff4417f");
	raw_refused(&raw, "longer than its issuer");
}

Test(negative_cbor, g38_it_ends_before_it_begins)
{
	claims_refused(1, "041a6955bc84", "041a6955b900", "ends before");
	claims_refused(1, "041a6955bc84", "041a6955b8ff", "ends before");
	claims_refused(1, "a5041a6955bc84", "a6041a6955bc84051a6955bc84", "ends before");
	claims_accepted(1, "a5041a6955bc84", "a6041a6955bc84051a6955bc83");
}

static void tag_refused(size_t link, const char *tag)
{
	raw_token raw = raw_of(2);

	raw_set(&raw.part[link].tag, tag);
	raw_refused(&raw, "COSE_Sign1");
}

Test(negative_cbor, g39_wrong_missing_double_tag_18)
{
	for (size_t link = 0; link < 2; link++) {
		tag_refused(link, "");
		tag_refused(link, "d2d2");
		tag_refused(link, "d1");     /* COSE_Mac0 */
		tag_refused(link, "d0");     /* COSE_Encrypt0 */
		tag_refused(link, "d862");   /* COSE_Sign */
		tag_refused(link, "d83dd2"); /* CWT around it */
		tag_refused(link, "d812");   /* 18, but not the shortest */
	}
}

static void nested(base_buf *buf, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		base_buf_add(buf, "\x81", 1);
	base_buf_add(buf, "\x00", 1);
}

/* An unknown caveat, 18, may hold anything that is strict: levels are counted from the claims. */
static raw_token with_nesting(size_t depth)
{
	raw_token raw = raw_of(2);
	base_buf claims = {0};

	raw_edit(&raw.part[1].claims,
		"820241"
		"01",
		"");
	base_buf_add(&claims, raw.part[1].claims.data, raw.part[1].claims.size);
	raw_add(&claims, "8212");
	nested(&claims, depth);
	base_buf_free(&raw.part[1].claims);
	raw.part[1].claims = claims;
	return raw;
}

Test(negative_cbor, g40_nesting_9_and_100000)
{
	raw_token raw = with_nesting(5); /* map, caveats, the caveat, five arrays: eight levels */

	raw_accepted(&raw);
	raw = with_nesting(6);
	raw_refused(&raw, "caveat");
	raw = with_nesting(3000);
	raw_refused(&raw, "caveat");
	raw = with_nesting(100000);
	raw_refused(&raw, "4,096");
}

Test(negative_cbor, g40_nesting_where_the_token_begins)
{
	BASE_AUTO_BUF base_buf deep = {0};
	caps_token *token = NULL;

	nested(&deep, 100000);
	for (size_t size = 1; size < 4096; size += 13)
		cr_assert_eq(
			caps_token_read((uint8_t *)deep.data, size, &token, NULL, NULL), HN_ETOKEN);
	cr_assert_eq(
		caps_token_read((uint8_t *)deep.data, deep.size, &token, NULL, NULL), HN_ETOKEN);
}

static size_t allocations;

static void *counted(void *arg, size_t bytes)
{
	(void)arg;
	allocations++;
	return malloc(bytes);
}

static void *recounted(void *arg, void *memory, size_t bytes)
{
	(void)arg;
	allocations++;
	return realloc(memory, bytes);
}

static void released(void *arg, void *memory)
{
	(void)arg;
	free(memory);
}

/* What is declared is not allocated: no hook is called at all. So memory stays flat, and there is
 * nothing that could take a millisecond; a time is not asserted, which a loaded machine would miss.
 */
Test(negative_cbor, g41_an_array_of_2_to_28_items_in_5_bytes)
{
	static const uint8_t huge[][5] = {{0x9a, 0x10, 0, 0, 0}, {0xba, 0x10, 0, 0, 0},
		{0x5a, 0x10, 0, 0, 0}, {0x7a, 0x10, 0, 0, 0}, {0x82, 0x9a, 0x10, 0, 0},
		{0xd2, 0x9a, 0x10, 0, 0}, {0x9b, 0x7f, 0xff, 0xff, 0xff}};
	hn_allocator hooks = HN_ALLOCATOR_INIT;
	caps_token *token = NULL;

	hooks.allocate = counted;
	hooks.reallocate = recounted;
	hooks.release = released;
	cr_assert_eq(hn_set_allocator(&hooks, NULL), 0);
	for (size_t i = 0; i < BASE_COUNT(huge); i++)
		cr_assert_eq(caps_token_read(huge[i], 5, &token, NULL, NULL), HN_ETOKEN);
	cr_assert_eq(allocations, 0u, "%zu allocations", allocations);
	cr_assert_eq(hn_set_allocator(NULL, NULL), 0);
}

/* Deeper inside, where the token itself is allocated: as much as for any token. */
Test(negative_cbor, g41_a_huge_array_inside)
{
	static const char *const caveats[] = {"82129a10000000", "82125a10000000", "9a10000000",
		"82129bffffffffffffffff", "82127bffffffffffffffff", "8212ba10000000"};

	for (size_t i = 0; i < BASE_COUNT(caveats); i++)
		claims_refused(1,
			"820241"
			"01",
			caveats[i], "caveat");
}

Test(negative_cbor, g42_bad_utf8)
{
	static const char *const subjects[] = {"0265616c6963ff",
		"0265616c69c3"
		"28",
		"0265c080616161", "0265eda0806161",
		"0265f4908080"
		"61",
		"0265616c69e2"
		"82"};

	for (size_t i = 0; i < BASE_COUNT(subjects); i++)
		claims_refused(0, "0265616c696365", subjects[i], "subject");
}

Test(negative_cbor, g43_empty_or_nil_payload)
{
	static const char *const payloads[] = {"40", "f6", "a0", "60", "41a0"};

	for (size_t link = 0; link < 2; link++) {
		for (size_t i = 0; i < BASE_COUNT(payloads); i++) {
			const char *reason = NULL;
			raw_token raw = raw_of(2);

			raw_set(&raw.part[link].payload, payloads[i]);
			cr_assert_eq(raw_verdict(&raw, &reason), HN_ETOKEN, "%s", payloads[i]);
			raw_free(&raw);
		}
	}
}

/* An unknown caveat of so many bytes in link 1 makes the token as long as wanted. */
static raw_token of_size(size_t size)
{
	raw_token raw = raw_of(2);
	base_buf claims = {0};
	uint8_t head[5] = {0x82, 0x12, 0x59};

	raw_make(&raw);
	/* The caveat goes from 4 bytes to 5 and its content; the heads of payload and link stay two
	 * bytes longer than the short ones: +1 for the payload's (58 to 59). */
	size_t content = size - raw.made.size - 2;
	head[3] = (uint8_t)(content >> 8);
	head[4] = (uint8_t)content;
	base_buf_add(&claims, raw.part[1].claims.data, raw.part[1].claims.size - 4);
	base_buf_add(&claims, head, sizeof(head));
	for (size_t i = 0; i < content; i++)
		base_buf_add(&claims, "\0", 1);
	base_buf_free(&raw.part[1].claims);
	raw.part[1].claims = claims;
	raw_make(&raw);
	while (raw.made.size > size) { /* one byte or two of heads */
		raw.part[1].claims.size--;
		content--;
		raw.part[1].claims.data[raw.part[1].claims.size - content - 2] =
			(char)(content >> 8);
		raw.part[1].claims.data[raw.part[1].claims.size - content - 1] = (char)content;
		raw_make(&raw);
	}
	cr_assert_eq(raw.made.size, size, "%zu", raw.made.size);
	return raw;
}

Test(negative_cbor, g44_4097_bytes)
{
	raw_token raw = of_size(4096);

	raw_accepted(&raw);
	raw = of_size(4097);
	raw_refused(&raw, "4,096");
}

Test(negative_cbor, g44_4097_bytes_as_text)
{
	BASE_AUTO_BUF base_buf text = {0};
	uint8_t zeros[4097] = {0};
	char encoded[6000];
	caps_token *token = NULL;
	const char *reason = NULL;

	base_buf_text(&text, "hvc1.");
	codec_base64url(zeros, sizeof(zeros), encoded);
	base_buf_text(&text, encoded);
	cr_assert_eq(caps_token_read_text(text.data, text.size, &token, &reason, NULL), HN_ETOKEN);
	cr_assert_not_null(strstr(reason, "4,096"), "%s", reason);
}

Test(negative_cbor, g45_nine_links)
{
	raw_token raw = raw_of(9);

	raw_refused(&raw, "chain");
	raw = raw_of(8);
	raw_accepted(&raw);
	caps_token *none = NULL;
	cr_assert_eq(caps_token_read((const uint8_t *)"\x82\x80\x82\x01\x40", 5, &none, NULL, NULL),
		HN_ETOKEN);
}

/* `count` caveats in link 1, and the one of link 0. */
static raw_token with_caveats(unsigned count)
{
	raw_token raw = raw_of(2);
	char head[32];
	base_buf claims = {0};

	snprintf(head, sizeof(head), count < 24 ? "3a00010001%02x" : "3a0001000198%02x",
		count < 24 ? 0x80 + count : count);
	raw_edit(&raw.part[1].claims,
		"3a0001000181820241"
		"01",
		head);
	base_buf_add(&claims, raw.part[1].claims.data, raw.part[1].claims.size);
	for (unsigned i = 0; i < count; i++)
		raw_add(&claims, "82024101");
	base_buf_free(&raw.part[1].claims);
	raw.part[1].claims = claims;
	return raw;
}

Test(negative_cbor, g45_65_caveats)
{
	raw_token raw = with_caveats(63);

	raw_accepted(&raw);
	raw = with_caveats(64); /* 65 in all */
	raw_refused(&raw, "64 caveats");
	raw = with_caveats(65);
	raw_refused(&raw, "1 to 64");
	raw = with_caveats(0);
	raw_refused(&raw, "1 to 64");
}

Test(negative_cbor, g45_33_grants)
{
	raw_token raw = raw_of(2);
	base_buf grants = {0};

	raw_edit(&raw.part[0].claims,
		"3a0001000081824131"
		"66756e69742f2a",
		"3a00010000"
		"9821");
	for (size_t i = 0; i < 33; i++)
		raw_add(&grants, "82413166756e69742f2a");
	char hex[2 * 33 * 10 + 16] = "3a000100009821";
	codec_hex(grants.data, grants.size, hex + 14);
	raw_edit(&raw.part[0].claims, "3a000100009821", hex);
	base_buf_free(&grants);
	raw_refused(&raw, "1 to 32");
	claims_refused(0,
		"3a0001000081824131"
		"66756e69742f2a",
		"3a0001000080", "1 to 32");
}

static int read_text(const char *text)
{
	caps_token *token = NULL;
	int rc = caps_token_read_text(text, strlen(text), &token, NULL, NULL);

	caps_token_free(token);
	return rc;
}

static void text_refused(const char *format, const char *text)
{
	BASE_AUTO_BUF base_buf made = {0};

	for (; *format != 0; format++) {
		if (*format == '%')
			base_buf_text(&made, text);
		else
			base_buf_add(&made, format, 1);
	}
	cr_assert_eq(read_text(made.data), HN_ETOKEN, "%s", made.data);
}

Test(negative_cbor, g46_base64_with_padding_other_letters_white_space_spare_bits)
{
	/* 499 bytes: one character more than whole groups of four stands for a spare end. */
	caps_token *token = golden_token();
	char *text = NULL;

	cr_assert_eq(caps_token_text(token, &text, NULL), 0);
	cr_assert_eq(read_text(text), 0);
	text_refused("%=", text);
	text_refused("%==", text);
	text_refused("%\n", text);
	text_refused("%A", text);
	text_refused(" %", text);
	text_refused("\n%", text);
	text_refused("hvc1.%", text);
	text_refused("%", text + 5);
	text_refused("HVC1.%", text + 5);
	text_refused("hvc2.%", text + 5);
	text_refused("hvc1%", text + 5);
	text_refused("hvc1. %", text + 5);
	text_refused("hvc1.%", "");
	size_t size = strlen(text);
	cr_assert_eq((size - 5) % 4, 2u, "499 bytes end in a group of two characters");
	char last = text[size - 1];
	for (const char *other = "BCDEFGHIJKLMNOP"; *other != 0; other++) {
		text[size - 1] = (char)(last + (*other - 'A')); /* the lower four bits are spare */
		cr_assert_eq(read_text(text), HN_ETOKEN, "%c", text[size - 1]);
	}
	text[size - 1] = last;
	for (size_t i = 5; i < size; i++) {
		char kept = text[i];

		text[i] = kept == '-' ? '+' : kept == '_' ? '/' : '+';
		cr_assert_eq(read_text(text), HN_ETOKEN);
		text[i] = kept;
	}
	base_free(text);
	caps_token_free(token);
}
