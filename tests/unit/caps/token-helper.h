/* SPDX-License-Identifier: MIT
 *
 * Tokens, keys and trust bundles for the tests of this room: the keys of RFC 8032 section 7.1, one
 * issuer, and a chain of as many links as asked for. Linked into each test by inclusion.
 */
#ifndef TEST_TOKEN_HELPER_H
#define TEST_TOKEN_HELPER_H

#include "caps/decide.h"
#include "caps/token-private.h"
#include "caps/verify.h"
#include <criterion/criterion.h>

#define T0 INT64_C(1767225600) /* 2026-01-01T00:00:00Z */

/* RFC 8032 section 7.1, tests 1 to 3. */
static const uint8_t seeds[3][32] = {
	{0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c,
		0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c,
		0xae, 0x7f, 0x60},
	{0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e,
		0x0f, 0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f,
		0xb8, 0xa6, 0xfb},
	{0xc5, 0xaa, 0x8d, 0xf4, 0x3f, 0x9f, 0x83, 0x7b, 0xed, 0xb7, 0x44, 0x2f, 0x31, 0xdc, 0xb7,
		0xb1, 0x66, 0xd3, 0x85, 0x35, 0x07, 0x6f, 0x09, 0x4b, 0x85, 0xce, 0x3a, 0x2e, 0x0b,
		0x44, 0x58, 0xf7},
};

/* Seed number n: those three, then made-up ones. */
static inline const uint8_t *seed_at(size_t n)
{
	static uint8_t made[64][32];

	if (n < 3)
		return seeds[n];
	memset(made[n % 64], (int)(0x40 + n), 32);
	return made[n % 64];
}

static inline void issuer_kid(uint8_t kid[CAPS_KID])
{
	uint8_t key[32];

	crypto_ed25519_public(seeds[0], key);
	caps_kid(key, 1, kid);
}

/* The terms of the golden vector's link 0; `cnf` is of seed number 1. */
static inline caps_terms golden_first(caps_grant_terms *grant, base_buf *caveats)
{
	static const uint8_t schedule[] = {0x83, 0x04, 0x6d, 'E', 'u', 'r', 'o', 'p', 'e', '/', 'B',
		'e', 'r', 'l', 'i', 'n', 0x81, 0x83, 0x18, 0x1f, 0x19, 0x02, 0x1c, 0x19, 0x04,
		0x1a};
	caps_terms terms = {.subject = "alice",
		.audience = "lab",
		.expires = T0 + 3600,
		.issued = T0,
		.grants = grant,
		.grant_count = 1,
		.caveats = caveats,
		.caveat_count = 1};

	*grant = (caps_grant_terms){.mask = {{0x31}}, .pattern = "unit/*"};
	base_buf_add(caveats, schedule, sizeof(schedule));
	for (size_t i = 0; i < CAPS_CTI; i++)
		terms.cti[i] = (uint8_t)i;
	crypto_ed25519_public(seeds[1], terms.cnf);
	return terms;
}

/* A first link of these terms, signed by the issuer; bearer when `seed` is given. */
static inline caps_token *issue(const caps_terms *terms, const uint8_t *seed)
{
	uint8_t kid[CAPS_KID], signature[64];
	base_buf claims = {0}, tbs = {0};
	caps_token *token = NULL;
	hn_error *err = NULL;

	issuer_kid(kid);
	cr_assert_eq(caps_claims_write(terms, true, &claims, &err), 0, "%s", hn_error_message(err));
	cr_assert_eq(caps_link_tbs(NULL, kid, &claims, &tbs, &err), 0);
	crypto_ed25519_sign_once(seeds[0], tbs.data, tbs.size, signature);
	cr_assert_eq(caps_token_begin(kid, &claims, signature, seed, &token, &err), 0, "%s",
		hn_error_message(err));
	base_buf_free(&claims);
	base_buf_free(&tbs);
	return token;
}

static inline caps_token *golden_one(void)
{
	caps_grant_terms grant;
	base_buf caveats = {0};
	caps_terms terms = golden_first(&grant, &caveats);
	caps_token *token = issue(&terms, NULL);

	base_buf_free(&caveats);
	return token;
}

/* One link more: number `n` of the chain, signed with seed n, for seed n + 1. */
static inline caps_token *narrow(caps_token *token, bool bearer, const base_buf *caveats)
{
	size_t n = token->link_count;
	caps_terms terms = {.expires = T0 + 900,
		.issued = T0,
		.caveats = caveats,
		.caveat_count = caveats != NULL ? 1 : 0};
	caps_token *longer = NULL;
	base_buf claims = {0};
	hn_error *err = NULL;

	for (size_t i = 0; i < CAPS_CTI; i++)
		terms.cti[i] = (uint8_t)(16 * n + i);
	crypto_ed25519_public(seed_at(n + 1), terms.cnf);
	cr_assert_eq(
		caps_claims_write(&terms, false, &claims, &err), 0, "%s", hn_error_message(err));
	cr_assert_eq(caps_token_append(token, seed_at(n), &claims, bearer ? seed_at(n + 1) : NULL,
			     &longer, &err),
		0, "%s", hn_error_message(err));
	base_buf_free(&claims);
	caps_token_free(token);
	return longer;
}

/* The golden chain, made longer to `links`; the last link is a bearer's when asked for. */
static inline caps_token *chain_of(size_t links, bool bearer)
{
	static const char verbs[] = {(char)0x82, 0x02, 0x41, 0x01};
	base_buf caveats = {0};
	caps_token *token = golden_one();

	base_buf_add(&caveats, verbs, sizeof(verbs));
	for (size_t i = 1; i < links; i++)
		token = narrow(token, bearer && i + 1 == links, &caveats);
	base_buf_free(&caveats);
	return token;
}

static inline caps_token *golden_token(void)
{
	return chain_of(2, true);
}

#endif
