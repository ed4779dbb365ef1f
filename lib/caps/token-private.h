/* SPDX-License-Identifier: MIT
 *
 * The bytes that every hvc1 token has, between the files that read, write and verify them. A
 * protected header has one encoding, so it is compared and not parsed.
 */
#ifndef CAPS_TOKEN_PRIVATE_H
#define CAPS_TOKEN_PRIVATE_H

#include "caps/caveat.h"
#include "caps/token.h"

enum {
	CAPS_CLAIM_SUBJECT = 2,
	CAPS_CLAIM_AUDIENCE = 3,
	CAPS_CLAIM_EXPIRES = 4,
	CAPS_CLAIM_NOT_BEFORE = 5,
	CAPS_CLAIM_ISSUED = 6,
	CAPS_CLAIM_CTI = 7,
	CAPS_CLAIM_CNF = 8,
	CAPS_CLAIM_NONCE = 10,
	CAPS_CLAIM_GRANTS = -65537,
	CAPS_CLAIM_CAVEATS = -65538,
	CAPS_CLAIM_SUBJECT_EPOCH = -65539,
	CAPS_CLAIM_TEMPLATE = -65540,
	CAPS_CLAIM_VERB = -65545,
	CAPS_CLAIM_OBJECT = -65546,
	CAPS_CLAIM_REQUEST = -65547,
	CAPS_CLAIM_CHANNEL = -65548,
	CAPS_CLAIM_CHAIN = -65549
};

#define CAPS_TEXT_PREFIX "hvc1."
#define CAPS_COSEKEY_BYTES 40
#define CAPS_CNF_BYTES 42
#define CAPS_HEADER_BYTES 64 /* enough for each of these */

/* The COSE key of an Ed25519 public key, and what a `cnf` claim holds. */
void caps_cosekey_put(const uint8_t key[32], uint8_t out[CAPS_COSEKEY_BYTES]);
bool caps_cosekey_take(codec_cbor *in, uint8_t key[32]);
void caps_cnf_put(const uint8_t key[32], uint8_t out[CAPS_CNF_BYTES]);
/* SHA-256(cosekey)[0..7] and the epoch. */
void caps_kid(const uint8_t key[32], uint32_t epoch, uint8_t kid[CAPS_KID]);
/* Protected headers; the size is returned. */
size_t caps_header_first(const uint8_t kid[CAPS_KID], uint8_t out[CAPS_HEADER_BYTES]);
size_t caps_header_later(const uint8_t parent[32], uint8_t out[CAPS_HEADER_BYTES]);
size_t caps_header_proof(caps_proof_kind kind, uint8_t out[CAPS_HEADER_BYTES]);
/* The to-be-signed bytes of a message; shows out of memory in tbs->failed. */
void caps_tbs(base_buf *tbs, caps_view header, caps_view payload);
/* [mask, pattern] or the beginning of [mask, pattern, caveats]. */
void caps_grant_put(
	codec_cbor_out *out, const caps_mask *mask, caps_view pattern, size_t caveat_count);
/* caps_claims_read, also for what a later link says; then caveats carry link 1. */
int caps_claims_form(const uint8_t *bytes, size_t size, bool first, caps_token *claims,
	const char **reason, hn_error **err);

#endif
