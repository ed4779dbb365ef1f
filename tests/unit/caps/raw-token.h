/* SPDX-License-Identifier: MIT
 *
 * Tokens that are put together byte by byte, with signatures that are right for what they say: so a
 * refusal is due to the one thing that a test made wrong, and not to a broken signature.
 */
#ifndef TEST_RAW_TOKEN_H
#define TEST_RAW_TOKEN_H

#include "token-helper.h"
#include <sodium.h>

#define RAW_LINKS 10
#define REFUSAL "the capability token is not accepted"

/* A key that no seed makes: `scalar` times the base point, and a point of small order with it. */
typedef struct raw_odd_key {
	uint8_t key[32], scalar[32]; /* zero: of small order itself */
} raw_odd_key;

typedef struct raw_part {
	base_buf tag;         /* before the array of four */
	base_buf header;      /* 32 bytes of ee stand for the hash of the link before */
	base_buf unprotected; /* encoded */
	base_buf claims;
	base_buf payload;   /* encoded; empty: the claims as a byte string */
	base_buf signature; /* empty: made with seed number `signer` */
	size_t signer;
	const raw_odd_key *odd; /* who signs it, if it is not a seed; NULL: a seed */
} raw_part;

typedef struct raw_token {
	raw_part part[RAW_LINKS];
	size_t count;
	base_buf proof; /* encoded */
	base_buf tail;  /* behind the token */
	base_buf made;
} raw_token;

static inline void raw_add(base_buf *buf, const char *hex)
{
	uint8_t bytes[1024];
	size_t size = strlen(hex) / 2;

	cr_assert_leq(size, sizeof(bytes));
	cr_assert(codec_hex_decode(hex, 2 * size, bytes), "%s", hex);
	base_buf_add(buf, bytes, size);
}

static inline void raw_set(base_buf *buf, const char *hex)
{
	base_buf_free(buf);
	*buf = (base_buf){0};
	raw_add(buf, hex);
}

/* The first occurrence of `old` becomes `new`; both in hexadecimal. */
static inline void raw_edit(base_buf *buf, const char *old, const char *new)
{
	uint8_t sought[512];
	size_t size = strlen(old) / 2;
	base_buf made = {0};

	cr_assert(codec_hex_decode(old, 2 * size, sought), "%s", old);
	uint8_t *at = memmem(buf->data, buf->size, sought, size);
	cr_assert_not_null(at, "%s is not there", old);
	size_t before = (size_t)((char *)at - buf->data);
	base_buf_add(&made, buf->data, before);
	raw_add(&made, new);
	base_buf_add(&made, buf->data + before + size, buf->size - before - size);
	base_buf_free(buf);
	*buf = made;
}

static inline void raw_put_cnf(base_buf *buf, const uint8_t key[32])
{
	uint8_t cnf[CAPS_CNF_BYTES];

	caps_cnf_put(key, cnf);
	base_buf_add(buf, cnf, sizeof(cnf));
}

static inline void raw_cnf(base_buf *claims, const uint8_t key[32])
{
	static const uint8_t start[] = {0x08, 0xa1, 0x01, 0xa3};
	uint8_t *at = memmem(claims->data, claims->size, start, sizeof(start));

	cr_assert_not_null(at);
	memcpy(at + 11, key, 32);
}

/* Claims of link 0 are { 2 alice, 3 lab, 4, 6, 7, 8, -65537 [[31, unit/x]], -65538 [schedule] },
 * of the others { 4, 6, 7, 8, -65538 [[2, 01]] }. Link n is signed with seed n, its cnf is of seed
 * n + 1. */
static inline void raw_add_part(raw_token *raw)
{
	raw_part *part = &raw->part[raw->count];
	size_t n = raw->count++;
	uint8_t kid[CAPS_KID], header[CAPS_HEADER_BYTES], key[32];
	uint8_t hole[32];
	char cti[33];

	*part = (raw_part){.signer = n};
	raw_set(&part->tag, "d2");
	raw_set(&part->unprotected, "a0");
	memset(hole, 0xee, sizeof(hole));
	issuer_kid(kid);
	base_buf_add(&part->header, header,
		n == 0 ? caps_header_first(kid, header) : caps_header_later(hole, header));
	if (n == 0)
		raw_add(&part->claims, "a80265616c69636503636c6162041a6955c710061a6955b9000750");
	else
		raw_add(&part->claims, "a5041a6955bc84061a6955b9000750");
	for (size_t i = 0; i < 16; i++)
		snprintf(cti + 2 * i, 3, "%02x", (unsigned)(16 * n + i) & 0xff);
	raw_add(&part->claims, cti);
	raw_add(&part->claims, "08");
	crypto_ed25519_public(seed_at(n + 1), key);
	raw_put_cnf(&part->claims, key);
	if (n == 0) /* grants, and the schedule */
		raw_add(&part->claims, "3a0001000081824131"
				       "66756e69742f2a"
				       "3a0001000181"
				       "83046d4575726f70652f4265726c696e818318"
				       "1f19021c19041a");
	else
		raw_add(&part->claims, "3a0001000181820241"
				       "01");
}

static inline void raw_bearer(raw_token *raw, const uint8_t seed[32])
{
	raw_set(&raw->proof, "82005820");
	base_buf_add(&raw->proof, seed, 32);
}

/* A bearer token of so many links (2 and more: those live 15 minutes). */
static inline raw_token raw_of(size_t links)
{
	raw_token raw = {0};

	for (size_t i = 0; i < links; i++)
		raw_add_part(&raw);
	raw_bearer(&raw, seed_at(links));
	return raw;
}

/* S = r + h a with an r for which h takes the point of small order out of S B = R + h A: all that
 * RFC 8032 asks of a signature holds, and only the key is wrong. */
static inline void raw_odd_sign(
	const raw_odd_key *odd, const void *bytes, size_t size, uint8_t signature[64])
{
	uint8_t r[32] = {0}, h[32], wide[64], product[32];
	crypto_hash_sha512_state state;

	do {
		sodium_increment(r, sizeof(r));
		cr_assert_eq(crypto_scalarmult_ed25519_base_noclamp(signature, r), 0);
		crypto_hash_sha512_init(&state);
		crypto_hash_sha512_update(&state, signature, 32);
		crypto_hash_sha512_update(&state, odd->key, 32);
		crypto_hash_sha512_update(&state, bytes, size);
		crypto_hash_sha512_final(&state, wide);
		crypto_core_ed25519_scalar_reduce(h, wide);
	} while ((h[0] & 7) != 0);
	crypto_core_ed25519_scalar_mul(product, h, odd->scalar);
	crypto_core_ed25519_scalar_add(signature + 32, product, r);
}

static inline void raw_part_make(
	const raw_part *part, const uint8_t parent[32], codec_cbor_out *out)
{
	uint8_t hole[32], signature[64];
	base_buf header = {0}, tbs = {0};

	memset(hole, 0xee, sizeof(hole));
	base_buf_add(&header, part->header.data, part->header.size);
	uint8_t *at = memmem(header.data, header.size, hole, sizeof(hole));
	if (at != NULL)
		memcpy(at, parent, 32);
	caps_view protected_header = {(uint8_t *)header.data, header.size};
	caps_tbs(&tbs, protected_header,
		(caps_view){(uint8_t *)part->claims.data, part->claims.size});
	if (part->odd != NULL)
		raw_odd_sign(part->odd, tbs.data, tbs.size, signature);
	else
		crypto_ed25519_sign_once(seed_at(part->signer), tbs.data, tbs.size, signature);
	base_buf_add(&out->buf, part->tag.data, part->tag.size);
	codec_cbor_put_array(out, 4);
	codec_cbor_put_bytes(out, header.data, header.size);
	base_buf_add(&out->buf, part->unprotected.data, part->unprotected.size);
	if (part->payload.size > 0)
		base_buf_add(&out->buf, part->payload.data, part->payload.size);
	else
		codec_cbor_put_bytes(out, part->claims.data, part->claims.size);
	if (part->signature.size > 0)
		codec_cbor_put_bytes(out, part->signature.data, part->signature.size);
	else
		codec_cbor_put_bytes(out, signature, sizeof(signature));
	base_buf_free(&header);
	base_buf_free(&tbs);
}

static inline void raw_make(raw_token *raw)
{
	uint8_t parent[32] = {0};
	codec_cbor_out out = {0};

	codec_cbor_put_array(&out, 2);
	codec_cbor_put_array(&out, raw->count);
	for (size_t i = 0; i < raw->count; i++) {
		codec_cbor_out link = {0};

		raw_part_make(&raw->part[i], parent, &link);
		codec_cbor_put_bytes(&out, link.buf.data, link.buf.size);
		crypto_sha256(link.buf.data, link.buf.size, parent);
		base_buf_free(&link.buf);
	}
	base_buf_add(&out.buf, raw->proof.data, raw->proof.size);
	if (raw->tail.size > 0)
		base_buf_add(&out.buf, raw->tail.data, raw->tail.size);
	base_buf_free(&raw->made);
	raw->made = out.buf;
}

static inline void raw_free(raw_token *raw)
{
	for (size_t i = 0; i < raw->count; i++) {
		raw_part *part = &raw->part[i];

		base_buf_free(&part->tag);
		base_buf_free(&part->header);
		base_buf_free(&part->unprotected);
		base_buf_free(&part->claims);
		base_buf_free(&part->payload);
		base_buf_free(&part->signature);
	}
	base_buf_free(&raw->proof);
	base_buf_free(&raw->tail);
	base_buf_free(&raw->made);
	*raw = (raw_token){0};
}

/* --- verdicts --- */

/* One issuer (seed 0, epoch 1) that may give everything on units, of cluster lab, for a day. */
typedef struct trusting {
	caps_bundle bundle;
	caps_issuer issuers[2];
} trusting;

static inline void trust_init(trusting *trust)
{
	caps_issuer *issuer = &trust->issuers[0];

	*trust = (trusting){0};
	crypto_ed25519_public(seeds[0], issuer->key);
	issuer->epoch = 1;
	issuer->not_before = T0 - 86400;
	issuer->sign_until = T0 + 10 * 86400;
	issuer->max_ttl = 86400;
	memset(issuer->ceiling[0].mask.bytes, 0xff, 8);
	issuer->ceiling[0].pattern = (caps_view){(const uint8_t *)"unit/**", 7};
	issuer->ceiling_count = 1;
	issuer_kid(issuer->kid);
	trust->bundle.issuers = trust->issuers;
	trust->bundle.issuer_count = 1;
}

static inline caps_presented presented(void)
{
	return (caps_presented){.audience = "lab", .earliest = T0 + 60, .latest = T0 + 60};
}

/* The verdict of reading and verifying; the reason when it is refused. */
static inline int verdict(const void *bytes, size_t size, const caps_bundle *bundle,
	caps_cache *cache, const caps_presented *how, const char **reason)
{
	caps_token *token = NULL;
	hn_error *err = NULL;
	int rc = caps_token_read(bytes, size, &token, reason, &err);

	if (rc == 0)
		rc = caps_verify(token, bundle, cache, how, reason, &err);
	caps_token_free(token);
	if (rc < 0) {
		cr_assert_eq(rc, HN_ETOKEN, "%s", hn_error_message(err));
		cr_assert_str_eq(hn_error_message(err), REFUSAL);
		cr_assert_null(hn_error_hint(err));
		cr_assert_null(hn_error_cause(err));
		cr_assert_not_null(*reason);
	}
	hn_error_unref(err);
	return rc;
}

static inline int raw_verdict(raw_token *raw, const char **reason)
{
	caps_presented how = presented();
	trusting trust;

	trust_init(&trust);
	raw_make(raw);
	return verdict(raw->made.data, raw->made.size, &trust.bundle, NULL, &how, reason);
}

/* Refused, for a reason with these words. Frees the token. */
static inline void raw_refused(raw_token *raw, const char *words)
{
	const char *reason = NULL;

	cr_assert_eq(raw_verdict(raw, &reason), HN_ETOKEN, "it was accepted; \"%s\"", words);
	cr_assert_not_null(strstr(reason, words), "refused because: %s, not: %s", reason, words);
	raw_free(raw);
}

static inline void raw_accepted(raw_token *raw)
{
	const char *reason = NULL;

	cr_assert_eq(raw_verdict(raw, &reason), 0, "%s", reason);
	raw_free(raw);
}

/* As the sound token with one edit of the claims of one link. */
static inline void claims_refused(size_t link, const char *old, const char *new, const char *words)
{
	raw_token raw = raw_of(2);

	raw_edit(&raw.part[link].claims, old, new);
	raw_refused(&raw, words);
}

static inline void claims_accepted(size_t link, const char *old, const char *new)
{
	raw_token raw = raw_of(2);

	raw_edit(&raw.part[link].claims, old, new);
	raw_accepted(&raw);
}

#endif
