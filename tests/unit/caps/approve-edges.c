/* SPDX-License-Identifier: MIT
 *
 * Approvals and requests whose signature or form holds in every way but one: each is refused.
 */
#include "caps/breakglass.h"
#include "caps/token-private.h"

#include <criterion/criterion.h>

#define T0 INT64_C(1767225600)

static const uint8_t seed[32] = {7};

static void setup(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}
TestSuite(approval_edge, .init = setup);
TestSuite(ask_edge, .init = setup);

static caps_view view_of(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

/* A good approval, changed and signed again by the same key. */
typedef struct forged {
	caps_approval good; /* the views of the message point into it */
	codec_cose_sign1 message;
	uint8_t signature[CRYPTO_SIGNATURE];
	base_buf bytes;
} forged;

static void forge(forged *f, const uint8_t hash[32])
{
	BASE_AUTO_BUF base_buf bytes = {0};

	*f = (forged){0};
	cr_assert_eq(caps_approval_sign(hash, seed, T0, &bytes, NULL), 0);
	cr_assert_eq(caps_approval_read(bytes.data, bytes.size, &f->good, NULL), 0);
	f->message = f->good.message;
}

static int read_forged(forged *f, caps_approval *read)
{
	BASE_AUTO_BUF base_buf tbs = {0};
	codec_cbor_out out = {0};
	int rc;

	caps_tbs(&tbs, f->message.protected_header, f->message.payload);
	crypto_ed25519_sign_once(seed, tbs.data, tbs.size, f->signature);
	f->message.signature = (caps_view){f->signature, sizeof(f->signature)};
	codec_cose_sign1_put(&out, &f->message);
	rc = caps_approval_read(out.buf.data, out.buf.size, read, NULL);
	base_buf_free(&out.buf);
	return rc;
}

Test(approval_edge, of_more_or_less_than_a_hash)
{
	static const uint8_t hash[40] = {9};
	caps_approval read;
	forged f;

	forge(&f, hash);
	cr_assert_eq(read_forged(&f, &read), 0, "what is not changed is good");
	for (size_t size = 0; size <= sizeof(hash); size++) {
		f.message.payload = (caps_view){hash, size};
		cr_expect_eq(read_forged(&f, &read), size == 32 ? 0 : HN_ECBOR, "%zu", size);
	}
	f.message.payload = (caps_view){NULL, 0};
	cr_expect_eq(read_forged(&f, &read), HN_ECBOR, "no payload");
}

/* What is not signed says nothing. */
Test(approval_edge, with_something_beside_what_is_signed)
{
	static const uint8_t hash[32] = {9}, key_id[] = {0xa1, 0x04, 0x41, 0x01};
	caps_approval read;
	forged f;

	forge(&f, hash);
	f.message.unprotected = (caps_view){key_id, sizeof(key_id)};
	cr_expect_eq(read_forged(&f, &read), HN_ECBOR);
}

Test(approval_edge, without_its_tag)
{
	static const uint8_t hash[32] = {9};
	caps_approval read;
	forged f;

	forge(&f, hash);
	f.message.tagged = false;
	cr_expect_eq(read_forged(&f, &read), HN_ECBOR);
}

/* A request for approval could be made whose hash begins as an assertion does, were less compared.
 */
Test(approval_edge, is_an_assertion_by_all_of_its_start)
{
	uint8_t hash[32], nonce[CAPS_NONCE] = {1, 2, 3};
	caps_approval read;
	forged f;

	caps_assertion_hash(nonce, hash);
	forge(&f, hash);
	cr_assert_eq(read_forged(&f, &read), 0);
	cr_assert_not_null(caps_assertion_nonce(&read));
	cr_expect_arr_eq(caps_assertion_nonce(&read), nonce, sizeof(nonce));
	for (size_t at = 0; at < 16; at++) {
		uint8_t other[32];

		memcpy(other, hash, sizeof(other));
		other[at] ^= 1;
		forge(&f, other);
		cr_assert_eq(read_forged(&f, &read), 0);
		cr_expect_null(caps_assertion_nonce(&read), "byte %zu", at);
	}
}

/* Break-glass is of a preset, not of a token. */
Test(ask_edge, break_glass_of_a_token)
{
	static const caps_ask_kind kinds[] = {CAPS_ASK_BREAKGLASS, CAPS_ASK_DRILL};
	static const uint8_t cti[CAPS_CTI] = {1};
	caps_call call = {0};
	caps_ask ask = {.subject = view_of("outage"),
		.patterns = {view_of("unit/**")},
		.pattern_count = 1,
		.ttl = 600,
		.made = T0,
		.until = T0 + 900,
		.reason = view_of("all is down"),
		.cluster = view_of("lab")};

	caps_mask_add(&ask.mask, HN_VERB_UNIT_START);
	caps_call_text(&call, "name", "outage");
	cr_assert_eq(caps_call_finish(&call, HN_VERB_BREAKGLASS_ACTIVATE, "node/lab", NULL), 0);
	ask.call = caps_call_view(&call);
	for (size_t i = 0; i < BASE_COUNT(kinds); i++) {
		BASE_AUTO_BUF base_buf bytes = {0};

		ask.kind = kinds[i];
		ask.cti = (caps_view){0};
		cr_expect_eq(caps_ask_write(&ask, &bytes, NULL), 0);
		ask.cti = (caps_view){cti, sizeof(cti)};
		cr_expect_eq(caps_ask_write(&ask, &bytes, NULL), HN_EINVAL);
	}
	caps_call_free(&call);
}
