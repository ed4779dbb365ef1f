/* SPDX-License-Identifier: MIT
 *
 * The edges of what a capability says: proofs of possession item by item, which caveats make a
 * quorum, which verbs a grant names itself, and terms that are wrong in one place.
 */
#include "decide-helper.h"

static void setup(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}
TestSuite(possession, .init = setup);
TestSuite(quorum_of, .init = setup);
TestSuite(terms_edge, .init = setup);

/* --- proofs --- */

typedef enum item_kind { END, MAP, INTEGER, BYTES, TEXT, LIST } item_kind;
typedef struct item {
	item_kind kind;
	int64_t value; /* members, number, or size */
	bool any;      /* one more of it is as good */
} item;

static const item good[] = {{MAP, 7, false}, {INTEGER, CAPS_CLAIM_ISSUED, false},
	{INTEGER, T0, true}, {INTEGER, CAPS_CLAIM_NONCE, false}, {BYTES, 16, false},
	{INTEGER, CAPS_CLAIM_VERB, false}, {INTEGER, 5, true}, {INTEGER, CAPS_CLAIM_OBJECT, false},
	{TEXT, 8, true}, {INTEGER, CAPS_CLAIM_REQUEST, false}, {BYTES, 32, false},
	{INTEGER, CAPS_CLAIM_CHANNEL, false}, {LIST, 2, false}, {INTEGER, 1, true},
	{BYTES, 8, true}, {INTEGER, CAPS_CLAIM_CHAIN, false}, {BYTES, 32, false}, {END, 0, false}};
enum { ITEMS = BASE_COUNT(good) };

static void put_item(codec_cbor_out *out, const item *one)
{
	static const char bytes[] = "unit/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

	if (one->kind == MAP)
		codec_cbor_put_map(out, (uint64_t)one->value);
	else if (one->kind == INTEGER)
		codec_cbor_put_int(out, one->value);
	else if (one->kind == BYTES)
		codec_cbor_put_bytes(out, bytes, (size_t)one->value);
	else if (one->kind == TEXT)
		codec_cbor_put_text(out, bytes, (size_t)one->value);
	else
		codec_cbor_put_array(out, (uint64_t)one->value);
}

/* The signature is looked at elsewhere: here it is only there. */
static bool reads_as(caps_proof_kind kind, caps_proof_kind header_of, const base_buf *payload)
{
	static const uint8_t signature[64];
	uint8_t header[CAPS_HEADER_BYTES];
	codec_cbor_out out = {0};
	caps_proof proof;
	bool read;

	base_buf_add(&out.buf, "\xd2", 1);
	codec_cbor_put_array(&out, 4);
	codec_cbor_put_bytes(&out, header, caps_header_proof(header_of, header));
	codec_cbor_put_map(&out, 0);
	codec_cbor_put_bytes(&out, payload->data ? payload->data : "", payload->size);
	codec_cbor_put_bytes(&out, signature, sizeof(signature));
	cr_assert_not(out.buf.failed);
	read = caps_proof_read(
		kind, (caps_view){(const uint8_t *)out.buf.data, out.buf.size}, &proof);
	base_buf_free(&out.buf);
	return read;
}

static bool reads(const item *items)
{
	codec_cbor_out out = {0};
	bool read;

	for (; items->kind != END; items++)
		put_item(&out, items);
	read = reads_as(CAPS_PROOF_POSSESSION, CAPS_PROOF_POSSESSION, &out.buf);
	base_buf_free(&out.buf);
	return read;
}

Test(possession, each_item_of_a_proof_counts)
{
	cr_assert(reads(good));
	for (size_t i = 0; i + 1 < ITEMS; i++) {
		item items[ITEMS];

		memcpy(items, good, sizeof(items));
		items[i].kind = END;
		cr_expect_not(reads(items), "cut at %zu", i);
		items[i].kind = good[i].kind == LIST ? MAP : LIST;
		cr_expect_not(reads(items), "of another type at %zu", i);
		items[i] = good[i];
		items[i].value++;
		cr_expect_eq(reads(items), good[i].any, "one more at %zu", i);
		items[i].value -= 2;
		cr_expect_eq(reads(items), good[i].any, "one less at %zu", i);
	}
}

Test(possession, nothing_follows_it)
{
	codec_cbor_out out = {0};

	for (const item *one = good; one->kind != END; one++)
		put_item(&out, one);
	cr_assert(reads_as(CAPS_PROOF_POSSESSION, CAPS_PROOF_POSSESSION, &out.buf));
	codec_cbor_put_uint(&out, 0);
	cr_expect_not(reads_as(CAPS_PROOF_POSSESSION, CAPS_PROOF_POSSESSION, &out.buf));
	base_buf_free(&out.buf);
}

Test(possession, a_seal_is_over_a_hash_and_no_other_proof)
{
	char hash[33] = {1};
	base_buf payload = {.data = hash, .size = 32};

	cr_expect(reads_as(CAPS_PROOF_SEALED, CAPS_PROOF_SEALED, &payload));
	cr_expect_not(reads_as(CAPS_PROOF_SEALED, CAPS_PROOF_POSSESSION, &payload));
	cr_expect_not(reads_as(CAPS_PROOF_POSSESSION, CAPS_PROOF_SEALED, &payload));
	payload.size = 33;
	cr_expect_not(reads_as(CAPS_PROOF_SEALED, CAPS_PROOF_SEALED, &payload));
	payload.size = 31;
	cr_expect_not(reads_as(CAPS_PROOF_SEALED, CAPS_PROOF_SEALED, &payload));
}

/* --- quorum --- */

#define KEYSET "866eefbd6718c884866eefbd6718c884866eefbd6718c884866eefbd6718c884"
#define APPROVAL(count)                                                                            \
	"\"approval\":{\"of\":\"" KEYSET "\",\"count\":" #count ",\"within\":\"15min\"}"

Test(quorum_of, two_persons_or_more_in_the_issuers_link)
{
	caps_token *token = with(APPROVAL(2));

	cr_expect(caps_token_quorum(token, 0));
	cr_expect(caps_token_quorum(token, 7), "whichever grant it is");
	caps_token_free(token);
	token = with(APPROVAL(1) ",\"reason\":4");
	cr_expect_not(caps_token_quorum(token, 0), "one person is no quorum");
	caps_token_free(token);
	token = with("");
	cr_expect_not(caps_token_quorum(token, 0));
	caps_token_free(token);
}

/* He could have chosen a keyset of his own. */
Test(quorum_of, not_by_what_a_holder_adds)
{
	caps_token *token = link_of(with(""), "{" APPROVAL(2) "}");

	cr_expect_not(caps_token_quorum(token, 0));
	caps_token_free(token);
}

Test(quorum_of, of_one_grant_of_several)
{
	caps_token *token = link_of(NULL,
		"{\"for\":\"alice\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"unit/*\"},"
		"{\"verbs\":[\"unit.start\"],\"on\":\"unit/*\"," APPROVAL(3) "}]}");

	cr_expect_not(caps_token_quorum(token, 0));
	cr_expect(caps_token_quorum(token, 1));
	cr_expect_not(caps_token_quorum(token, 2), "there is no such grant");
	caps_token_free(token);
}

Test(quorum_of, a_caveat_that_was_damaged_is_none)
{
	caps_token *token = with(APPROVAL(2));
	size_t size = token->caveats[0].raw.size;

	for (size_t cut = 0; cut < 3; cut++) {
		token->caveats[0].raw.size = cut;
		cr_expect_not(caps_token_quorum(token, 0), "%zu bytes", cut);
	}
	token->caveats[0].raw.size = size;
	cr_expect(caps_token_quorum(token, 0));
	caps_token_free(token);
}

Test(terms_edge, a_caveat_has_an_end)
{
	static const uint8_t depth[] = {0x82, 0x09, 0x01, 0x00};
	caps_caveat caveat;

	cr_expect_null(caps_caveat_check(depth, 3, &caveat));
	cr_expect_str_eq(caps_caveat_check(depth, 4, &caveat), "caveat: bytes follow");
	cr_expect_not_null(caps_caveat_check(depth, 2, &caveat));
}

/* --- verbs that a grant says itself --- */

static bool names(const char *verbs, size_t grant, hn_verb verb)
{
	caps_written *written = NULL;
	char text[256];
	bool said;

	(void)snprintf(text, sizeof(text),
		"{\"for\":\"alice\",\"grants\":[{\"verbs\":[\"unit.read\"],\"on\":\"**\"},"
		"{\"verbs\":[%s],\"on\":\"**\"}]}",
		verbs);
	cr_assert_eq(caps_written_read("terms", text, strlen(text), true, T0, &written, NULL), 0,
		"%s", text);
	said = caps_written_names(written, grant, verb);
	caps_written_free(written);
	return said;
}

Test(terms_edge, a_grant_names_a_verb_by_itself)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", HN_VERB_AUDIT_PRUNE);
	cr_expect(names("\"audit.prune\"", 1, HN_VERB_AUDIT_PRUNE));
	cr_expect(names("\"unit.read\",\"audit.prune\"", 1, HN_VERB_AUDIT_PRUNE));
	cr_expect(names(number, 1, HN_VERB_AUDIT_PRUNE));
	cr_expect_not(names(number, 1, HN_VERB_AUDIT_READ));
	cr_expect_not(names("\"audit.*\"", 1, HN_VERB_AUDIT_PRUNE), "not by a star");
	cr_expect_not(names("\"audit.prune\"", 0, HN_VERB_AUDIT_PRUNE), "nor in another grant");
	cr_expect_not(names("\"audit.prune\"", 2, HN_VERB_AUDIT_PRUNE), "nor in none");
}

Test(terms_edge, what_has_no_grants_names_none)
{
	caps_written *written = NULL;

	cr_assert_eq(caps_written_read("terms", "{}", 2, false, T0, &written, NULL), 0);
	cr_expect_not(caps_written_names(written, 0, HN_VERB_UNIT_READ));
	cr_expect_not(caps_written_bearer(written));
	caps_written_free(written);
}

/* --- terms that are wrong in one place --- */

static int read_link(const char *text, hn_error **err)
{
	caps_written *written = NULL;
	int rc = caps_written_read("terms", text, strlen(text), false, T0, &written, err);

	caps_written_free(written);
	return rc;
}

static void refused(const char *text, hn_code code, const char *why)
{
	hn_error *err = NULL;

	cr_assert_eq(read_link(text, &err), (int)code, "%s: %s", text,
		err ? hn_error_message(err) : "accepted");
	cr_expect_not_null(strstr(hn_error_message(err), "terms:1:"), "%s: where", text);
	cr_expect_not_null(strstr(hn_error_message(err), why), "%s", hn_error_message(err));
	hn_error_unref(err);
}

Test(terms_edge, bounds)
{
	char text[2048] = "{\"bounds\":{\"k\":{\"in\":[";

	refused("{\"bounds\":1}", HN_ESCHEMA, "");
	refused("{\"bounds\":{}}", HN_ERANGE, "1 to 16 limits");
	refused("{\"bounds\":{\"k\":1}}", HN_ESCHEMA, "");
	refused("{\"bounds\":{\"k\":{\"max\":true}}}", HN_ESCHEMA, "");
	refused("{\"bounds\":{\"k\":{\"max\":\"many\"}}}", HN_ESYNTAX, "\"many\" is no quantity");
	refused("{\"bounds\":{\"k\":{\"max\":\"8Ei\"}}}", HN_ESYNTAX, "is no quantity");
	refused("{\"bounds\":{\"k\":{\"is\":true}}}", HN_ESCHEMA, "");
	refused("{\"bounds\":{\"k\":{\"in\":1}}}", HN_ESCHEMA, "");
	refused("{\"bounds\":{\"k\":{\"in\":[1,null]}}}", HN_ESCHEMA, "");
	refused("{\"bounds\":[1]}", HN_ESCHEMA, "");
	refused("{\"bounds\":[{\"max\":1}]}", HN_ESCHEMA, "\"key\" is missing");
	refused("{\"bounds\":[{\"key\":1,\"max\":1}]}", HN_ESCHEMA, "");
	cr_expect_eq(read_link("{\"bounds\":[{\"key\":\"k\",\"max\":\"0.5\"}]}", NULL), 0);
	cr_expect_eq(read_link("{\"bounds\":{\"k\":{\"is\":\"x\",\"max\":\"10s\"}}}", NULL), 0);
	for (int i = 0; i < 16; i++)
		strcat(text, "1,");
	strcat(text, "1]}}}");
	refused(text, HN_ERANGE, "");
	(void)snprintf(text, sizeof(text), "{\"bounds\":{\"k0\":{\"max\":1}");
	for (int i = 1; i < 17; i++)
		(void)snprintf(text + strlen(text), 24, ",\"k%d\":{\"max\":1}", i);
	strcat(text, "}}");
	refused(text, HN_ERANGE, "1 to 16 limits");
}

Test(terms_edge, lists_of_caveats)
{
	refused("{\"caveats\":{}}", HN_ESCHEMA, "");
	refused("{\"caveats\":[1]}", HN_ESCHEMA, "");
	refused("{\"caveats\":[{}]}", HN_ESCHEMA, "is one caveat, with one member");
	refused("{\"caveats\":[{\"depth\":1,\"reason\":1}]}", HN_ESCHEMA, "with one member");
	refused("{\"caveats\":[{\"deptj\":1}]}", HN_ESCHEMA, "");
	cr_expect_eq(read_link("{\"caveats\":[{\"depth\":1},{\"reason\":1}]}", NULL), 0);
	cr_expect_eq(read_link("{\"caveats\":[]}", NULL), 0);
}

Test(terms_edge, windows_and_who_may_use_it)
{
	refused("{\"from\":1}", HN_ESCHEMA, "");
	refused("{\"until\":\"soon\"}", HN_ESYNTAX, "");
	refused("{\"bearer\":1}", HN_ESCHEMA, "");
	cr_expect_eq(read_link("{\"bearer\":false}", NULL), 0);
	cr_expect_eq(read_link("{\"bearer\":true}", NULL), 0);
	cr_expect_eq(read_link("{\"from\":\"2026-01-01T00:00:00Z\"}", NULL), 0);
	cr_expect_eq(read_link("{\"until\":\"2026-01-01T00:00:00Z\","
			       "\"from\":\"2025-01-01T00:00:00Z\"}",
			     NULL),
		0);
}

static void refused_first(const char *grants, hn_code code, const char *why)
{
	caps_written *written = NULL;
	hn_error *err = NULL;
	char text[512];

	(void)snprintf(text, sizeof(text), "{\"for\":\"alice\",\"grants\":%s}", grants);
	cr_assert_eq(caps_written_read("terms", text, strlen(text), true, T0, &written, &err),
		(int)code, "%s: %s", text, err ? hn_error_message(err) : "accepted");
	cr_expect_not_null(strstr(hn_error_message(err), why), "%s", hn_error_message(err));
	hn_error_unref(err);
}

Test(terms_edge, grants)
{
	refused_first("1", HN_ESCHEMA, "");
	refused_first("[1]", HN_ESCHEMA, "");
	refused_first("[{\"verbs\":[\"unit.read\"]}]", HN_ESCHEMA, "");
	refused_first("[{\"on\":\"unit/*\"}]", HN_ESCHEMA, "");
	refused_first("[{\"verbs\":[\"unit.reed\"],\"on\":\"unit/*\"}]", HN_EINVAL, "is no verb");
	refused_first(
		"[{\"verbs\":[\"unit.read\"],\"on\":\"unit/***\"}]", HN_ESYNTAX, "is no pattern");
}
