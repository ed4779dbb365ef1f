/* SPDX-License-Identifier: MIT
 *
 * Ed25519 signatures and X25519 sealed boxes.
 */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include "crypto/secret.h"

#define CRYPTO_SEED 32
#define CRYPTO_PUBLIC 32
#define CRYPTO_SIGNATURE 64

/* The public key of a seed (RFC 8032 section 5.1.5). */
void crypto_ed25519_public(const uint8_t seed[CRYPTO_SEED], uint8_t public_key[CRYPTO_PUBLIC]);
/* A key ready to sign; public_key may be NULL. */
int crypto_ed25519_key(const uint8_t seed[CRYPTO_SEED], uint8_t public_key[CRYPTO_PUBLIC],
	crypto_secret **key, hn_error **err);
void crypto_ed25519_sign(const crypto_secret *key, const void *bytes, size_t size,
	uint8_t signature[CRYPTO_SIGNATURE]);
/* The same from a seed, for one signature. */
void crypto_ed25519_sign_once(const uint8_t seed[CRYPTO_SEED], const void *bytes, size_t size,
	uint8_t signature[CRYPTO_SIGNATURE]);
/* Is this the canonical encoding of a point of the prime-order subgroup, and not the identity? Ask
 * once for each key that comes from outside, when it is read. Takes nearly as long as a
 * verification. */
bool crypto_ed25519_point_valid(const uint8_t public_key[CRYPTO_PUBLIC]);
/* Strict: refuses a key that is not valid as above, S not below the group's order, small-order and
 * non-canonical R. */
bool crypto_ed25519_verify(const uint8_t public_key[CRYPTO_PUBLIC], const void *bytes, size_t size,
	const uint8_t signature[CRYPTO_SIGNATURE]);
/* The same for a key that passed crypto_ed25519_point_valid before. Of others it still refuses all
 * that are not canonical, not on the curve, or of small order, and so takes nobody's signature for
 * another's; it takes a key outside of the subgroup, whose maker can sign with it. */
bool crypto_ed25519_verify_known(const uint8_t public_key[CRYPTO_PUBLIC], const void *bytes,
	size_t size, const uint8_t signature[CRYPTO_SIGNATURE]);

/* Sealed boxes: to whom it goes can open it, who made it cannot; nobody is authenticated. */
#define CRYPTO_BOX_OVERHEAD 48
void crypto_x25519_public(const uint8_t secret[CRYPTO_SEED], uint8_t public_key[CRYPTO_PUBLIC]);
/* `sealed` has size + CRYPTO_BOX_OVERHEAD bytes. HN_EKEY when the key is of small order. */
int crypto_x25519_seal(const uint8_t public_key[CRYPTO_PUBLIC], const void *bytes, size_t size,
	uint8_t *sealed, hn_error **err);
/* HN_ECRYPT when it is not for this key, or was changed. `plain` is owned. */
int crypto_x25519_open(const uint8_t secret[CRYPTO_SEED], const void *sealed, size_t size,
	crypto_secret **plain, hn_error **err);

#endif
