/* SPDX-License-Identifier: MIT
 *
 * Making and reading hvc1 tokens: the golden vector of the format, and what each writer promises.
 */
#include "token-helper.h"

static void open_crypto(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(token, .init = open_crypto);

static void hex_of(const void *bytes, size_t size, char *out)
{
	codec_hex(bytes, size, out);
}

Test(token, golden_kid)
{
	uint8_t kid[CAPS_KID];
	char text[2 * CAPS_KID + 1];

	issuer_kid(kid);
	hex_of(kid, sizeof(kid), text);
	cr_assert_str_eq(text, "866eefbd6718c88400000001");
}

Test(token, golden_vector_comes_out_bit_for_bit)
{
	caps_token *token = golden_token();
	uint8_t digest[32];
	char text[65];

	cr_expect_eq(token->links[0].whole.size, 251u, "%zu", token->links[0].whole.size);
	cr_expect_eq(token->links[1].whole.size, 206u, "%zu", token->links[1].whole.size);
	cr_expect_eq(token->size, 499u, "%zu", token->size);
	crypto_sha256(token->bytes, token->size, digest);
	hex_of(digest, 32, text);
	cr_assert_str_eq(text, "2bedeaadf5cc7004545adc3365e084bd2969ea5708b8636583bec994023f434f");
	caps_token_free(token);
}

Test(token, what_is_written_is_read)
{
	caps_token *token = golden_token();

	cr_assert_eq(token->link_count, 2u);
	cr_assert_eq(token->grant_count, 1u);
	cr_assert_eq(token->caveat_count, 2u);
	cr_assert_eq(token->proof, CAPS_PROOF_BEARER);
	cr_assert_eq(token->subject.size, 5u);
	cr_assert_eq(memcmp(token->subject.bytes, "alice", 5), 0);
	cr_assert_eq(memcmp(token->audience.bytes, "lab", 3), 0);
	cr_assert_null(token->template_name.bytes);
	cr_assert_eq(token->issuer_epoch, 1u);
	cr_assert_eq(token->links[0].expires, T0 + 3600);
	cr_assert_eq(token->links[1].expires, T0 + 900);
	cr_assert_eq(caps_token_expires(token), T0 + 900);
	cr_assert_eq(token->caveats[0].id, CAPS_SCHEDULE);
	cr_assert_eq(token->caveats[1].id, CAPS_VERBS);
	cr_assert_eq(token->caveats[1].link, 1);
	cr_assert(caps_mask_has(&token->grants[0].mask, HN_VERB_UNIT_START));
	caps_token_free(token);
}

static void add_caveats(base_buf *buf, size_t count)
{
	for (size_t i = 0; i < count; i++)
		base_buf_add(buf, "\x82\x02\x41\x01", 4);
}

/* Slots number a link's caveats in reading order: those of its grants first. */
Test(token, slots_and_links_of_caveats)
{
	BASE_AUTO_BUF base_buf two = {0}, three = {0};
	add_caveats(&two, 2);
	add_caveats(&three, 3);
	caps_grant_terms grants[] = {
		{.mask = {{1}}, .pattern = "unit/a", .caveats = &two, .caveat_count = 2},
		{.mask = {{2}}, .pattern = "unit/b"},
		{.mask = {{4}}, .pattern = "unit/c", .caveats = &two, .caveat_count = 2},
	};
	caps_terms terms = {.subject = "bo",
		.audience = "lab",
		.template_name = "operator",
		.subject_epoch = 7,
		.issued = T0,
		.expires = T0 + 60,
		.not_before = T0 + 1,
		.grants = grants,
		.grant_count = 3,
		.caveats = &three,
		.caveat_count = 3};
	crypto_ed25519_public(seeds[1], terms.cnf);
	caps_token *token = narrow(issue(&terms, NULL), false, NULL);

	cr_assert_eq(token->caveat_count, 7u);
	for (uint8_t i = 0; i < 7; i++) {
		cr_assert_eq(token->caveats[i].slot, i);
		cr_assert_eq(token->caveats[i].link, 0);
	}
	cr_assert_eq(token->grants[2].first_caveat, 2);
	cr_assert_eq(token->grants[1].caveat_count, 0);
	cr_assert_eq(token->links[0].first_caveat, 4);
	cr_assert_eq(token->links[0].caveat_count, 3);
	cr_assert_eq(token->links[1].caveat_count, 0);
	cr_assert_eq(token->subject_epoch, 7u);
	cr_assert_eq(token->links[0].not_before, T0 + 1);
	cr_assert_eq(token->template_name.size, 8u);
	caps_token_free(token);
}

Test(token, text_and_back)
{
	for (size_t links = 1; links <= CAPS_LINKS; links++) {
		caps_token *token = chain_of(links, true), *again = NULL;
		char *text = NULL;

		cr_assert_eq(caps_token_text(token, &text, NULL), 0);
		cr_assert_eq(caps_token_read_text(text, strlen(text), &again, NULL, NULL), 0);
		cr_assert_eq(again->size, token->size);
		cr_assert_eq(memcmp(again->bytes, token->bytes, token->size), 0);
		base_free(text);
		caps_token_free(again);
		caps_token_free(token);
	}
}

static int add_link(const caps_token *token, const uint8_t *seed, const char *words)
{
	caps_terms terms = {.issued = T0, .expires = T0 + 60};
	BASE_AUTO_BUF base_buf claims = {0};
	caps_token *longer = NULL;
	hn_error *err = NULL;

	crypto_ed25519_public(seeds[2], terms.cnf);
	cr_assert_eq(caps_claims_write(&terms, false, &claims, NULL), 0);
	int rc = caps_token_append(token, seed, &claims, NULL, &longer, &err);
	if (rc < 0)
		cr_assert_not_null(
			strstr(hn_error_message(err), words), "%s", hn_error_message(err));
	hn_error_unref(err);
	caps_token_free(longer);
	return rc;
}

Test(token, a_link_needs_the_key_of_the_last_holder)
{
	caps_token *token = golden_one();

	cr_assert_eq(add_link(token, seeds[1], ""), 0);
	cr_assert_eq(add_link(token, seeds[0], "not that of"), HN_EINVAL);
	cr_assert_eq(add_link(token, NULL, "no bearer token"), HN_EINVAL);
	caps_token_free(token);
}

Test(token, at_most_eight_links)
{
	caps_token *token = chain_of(8, true);

	cr_assert_eq(add_link(token, NULL, "at most 8 links"), HN_ELIMIT);
	caps_token_free(token);
}

Test(token, at_most_4096_bytes)
{
	caps_token *token = golden_token(), *longer = NULL;
	caps_terms terms = {.issued = T0, .expires = T0 + 60, .caveat_count = 1};
	BASE_AUTO_BUF base_buf big = {0}, claims = {0};
	static const char zeros[3900];

	base_buf_add(&big, "\x82\x12\x59\x0f\x3c", 5);
	base_buf_add(&big, zeros, 0xf3c);
	terms.caveats = &big;
	cr_assert_eq(caps_claims_write(&terms, false, &claims, NULL), 0);
	cr_assert_eq(caps_token_append(token, NULL, &claims, NULL, &longer, NULL), HN_ELIMIT);
	caps_token_free(token);
}

static void terms_refused(const caps_terms *terms, bool first, const char *words)
{
	BASE_AUTO_BUF base_buf claims = {0};
	hn_error *err = NULL;

	cr_assert_eq(caps_claims_write(terms, first, &claims, &err), HN_EINVAL);
	cr_assert_not_null(strstr(hn_error_message(err), words), "%s", hn_error_message(err));
	cr_assert_eq(claims.size, 0u);
	hn_error_unref(err);
}

Test(token, terms_that_make_no_link)
{
	caps_grant_terms grant = {.mask = {{1}}, .pattern = "unit/a"};
	const caps_terms sound = {.subject = "bo",
		.audience = "lab",
		.issued = T0,
		.expires = T0 + 60,
		.grants = &grant,
		.grant_count = 1};
	caps_terms terms = sound;

	terms.subject = NULL;
	terms_refused(&terms, true, "subject");
	terms = sound;
	terms.subject = "b o";
	terms_refused(&terms, true, "subject");
	terms = sound;
	terms.audience = "";
	terms_refused(&terms, true, "audience");
	terms = sound;
	terms.expires = T0;
	terms_refused(&terms, true, "ends before");
	terms = sound;
	terms.grant_count = 0;
	terms_refused(&terms, true, "grants");
	terms = sound;
	grant.pattern = "unit//a";
	terms_refused(&terms, true, "pattern");
	grant.pattern = "unit/a";
	grant.mask = (caps_mask){{0}};
	terms_refused(&terms, true, "mask");
}

Test(token, claims_alone_as_a_signer_reads_them)
{
	caps_token *token = golden_one();
	caps_view payload = token->links[0].payload;
	caps_token claims;
	const char *reason = NULL;

	cr_assert_eq(caps_claims_read(payload.bytes, payload.size, &claims, &reason, NULL), 0);
	cr_assert_eq(claims.grant_count, 1u);
	cr_assert_eq(claims.links[0].expires, T0 + 3600);
	cr_assert_null(claims.bytes);
	cr_assert_eq(caps_claims_read(payload.bytes, payload.size - 1, &claims, &reason, NULL),
		HN_ETOKEN);
	caps_token *longer = narrow(token, false, NULL);
	payload = longer->links[1].payload;
	cr_assert_eq(caps_claims_read(payload.bytes, payload.size, &claims, &reason, NULL),
		HN_ETOKEN, "a later link's claims are not a first one's");
	caps_token_free(longer);
}

Test(token, stripped_of_its_proof)
{
	caps_token *token = golden_token(), *stored = NULL, *sealed = NULL;
	uint8_t before[32], after[32];

	cr_assert_eq(caps_token_strip(token, &stored, NULL), 0);
	cr_assert_eq(stored->proof, CAPS_PROOF_STORED);
	caps_token_chain_hash(token, before);
	caps_token_chain_hash(stored, after);
	cr_assert_eq(memcmp(before, after, 32), 0);
	cr_assert_null(memmem(stored->bytes, stored->size, seeds[2], 32));
	cr_assert_eq(caps_token_seal(token, NULL, &sealed, NULL), 0);
	caps_token_free(stored);
	stored = NULL;
	cr_assert_eq(caps_token_strip(sealed, &stored, NULL), HN_EINVAL);
	caps_token_free(sealed);
	caps_token_free(token);
}

Test(token, names_of_caveats)
{
	cr_assert_str_eq(caps_caveat_name(CAPS_RESOURCE), "resource");
	cr_assert_str_eq(caps_caveat_name(CAPS_BOUNDS), "bounds");
	cr_assert_null(caps_caveat_name(0));
	cr_assert_null(caps_caveat_name(18));
}
