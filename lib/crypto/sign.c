/* SPDX-License-Identifier: MIT
 *
 * Ed25519 (RFC 8032) and sealed boxes by libsodium.
 */
#include "crypto/sign.h"

#include <assert.h>
#include <sodium.h>

static_assert(CRYPTO_SEED == crypto_sign_ed25519_SEEDBYTES, "a seed");
static_assert(CRYPTO_PUBLIC == crypto_sign_ed25519_PUBLICKEYBYTES, "a public key");
static_assert(CRYPTO_SIGNATURE == crypto_sign_ed25519_BYTES, "a signature");
static_assert(CRYPTO_PUBLIC == crypto_box_PUBLICKEYBYTES, "a public key of X25519");
static_assert(CRYPTO_SEED == crypto_box_SECRETKEYBYTES, "a secret key of X25519");
static_assert(CRYPTO_BOX_OVERHEAD == crypto_box_SEALBYTES, "what a sealed box adds");

enum { EXPANDED = crypto_sign_ed25519_SECRETKEYBYTES };

void crypto_ed25519_public(const uint8_t seed[CRYPTO_SEED], uint8_t public_key[CRYPTO_PUBLIC])
{
	uint8_t expanded[EXPANDED];

	crypto_sign_ed25519_seed_keypair(public_key, expanded, seed);
	sodium_memzero(expanded, sizeof(expanded));
}

int crypto_ed25519_key(const uint8_t seed[CRYPTO_SEED], uint8_t public_key[CRYPTO_PUBLIC],
	crypto_secret **key, hn_error **err)
{
	uint8_t made_public[CRYPTO_PUBLIC];
	crypto_secret *made = NULL;
	int rc = crypto_secret_new(EXPANDED, &made, err);

	if (rc < 0)
		return rc;
	crypto_sign_ed25519_seed_keypair(made_public, crypto_secret_bytes(made), seed);
	if (public_key != NULL)
		memcpy(public_key, made_public, CRYPTO_PUBLIC);
	*key = made;
	return 0;
}

void crypto_ed25519_sign(const crypto_secret *key, const void *bytes, size_t size,
	uint8_t signature[CRYPTO_SIGNATURE])
{
	assert(crypto_secret_size(key) == EXPANDED);
	crypto_sign_ed25519_detached(signature, NULL, bytes, size, crypto_secret_view(key));
}

void crypto_ed25519_sign_once(const uint8_t seed[CRYPTO_SEED], const void *bytes, size_t size,
	uint8_t signature[CRYPTO_SIGNATURE])
{
	uint8_t public_key[CRYPTO_PUBLIC], expanded[EXPANDED];

	crypto_sign_ed25519_seed_keypair(public_key, expanded, seed);
	crypto_sign_ed25519_detached(signature, NULL, bytes, size, expanded);
	sodium_memzero(expanded, sizeof(expanded));
}

bool crypto_ed25519_point_valid(const uint8_t public_key[CRYPTO_PUBLIC])
{
	return crypto_core_ed25519_is_valid_point(public_key) == 1;
}

bool crypto_ed25519_verify_known(const uint8_t public_key[CRYPTO_PUBLIC], const void *bytes,
	size_t size, const uint8_t signature[CRYPTO_SIGNATURE])
{
	/* libsodium refuses S >= L and small-order R, and compares R as encoded. */
	return crypto_sign_ed25519_verify_detached(signature, bytes, size, public_key) == 0;
}

bool crypto_ed25519_verify(const uint8_t public_key[CRYPTO_PUBLIC], const void *bytes, size_t size,
	const uint8_t signature[CRYPTO_SIGNATURE])
{
	return crypto_ed25519_point_valid(public_key) &&
	       crypto_ed25519_verify_known(public_key, bytes, size, signature);
}

void crypto_x25519_public(const uint8_t secret[CRYPTO_SEED], uint8_t public_key[CRYPTO_PUBLIC])
{
	crypto_scalarmult_curve25519_base(public_key, secret);
}

int crypto_x25519_seal(const uint8_t public_key[CRYPTO_PUBLIC], const void *bytes, size_t size,
	uint8_t *sealed, hn_error **err)
{
	if (crypto_box_seal(sealed, bytes, size, public_key) != 0)
		return base_error(err, HN_EKEY, "crypto", NULL,
			"the key of the recipient is a point of small order");
	return 0;
}

int crypto_x25519_open(const uint8_t secret[CRYPTO_SEED], const void *sealed, size_t size,
	crypto_secret **plain, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *made = NULL;
	uint8_t public_key[CRYPTO_PUBLIC];
	int rc;

	if (size < CRYPTO_BOX_OVERHEAD)
		return base_error(err, HN_ECRYPT, "crypto", NULL,
			"a sealed box has at least %d bytes, this one %zu", CRYPTO_BOX_OVERHEAD,
			size);
	rc = crypto_secret_new(size - CRYPTO_BOX_OVERHEAD, &made, err);
	if (rc < 0)
		return rc;
	crypto_scalarmult_curve25519_base(public_key, secret);
	if (crypto_box_seal_open(crypto_secret_bytes(made), sealed, size, public_key, secret) != 0)
		return base_error(err, HN_ECRYPT, "crypto", NULL,
			"the sealed box is for another key, or was changed");
	*plain = BASE_STEAL(made);
	return 0;
}
