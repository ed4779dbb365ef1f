/* SPDX-License-Identifier: MIT
 *
 * Hashes by libsodium: BLAKE2b (RFC 7693) and SHA-256 (FIPS 180-4).
 */
#include "crypto/crypto-private.h"

#include <assert.h>
#include <sodium.h>

static_assert(sizeof(crypto_generichash_state) <= sizeof(((crypto_hasher *)0)->opaque),
	"crypto_hasher holds libsodium's state");
static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(((crypto_hasher *)0)->opaque),
	"crypto_hasher holds libsodium's state");
static_assert(_Alignof(crypto_hasher) >= 64, "crypto_hasher is aligned as libsodium asks");
static_assert(CRYPTO_DIGEST == crypto_hash_sha256_BYTES, "SHA-256 fills a digest");

int crypto_open(hn_error **err)
{
	/* 0 the first time, 1 later; libsodium locks inside. Failure means no entropy source. */
	if (sodium_init() < 0)
		return base_error(err, HN_EINTERNAL, "crypto", "is /dev/urandom readable?",
			"libsodium cannot be initialised");
	return 0;
}

const char *crypto_version(void)
{
	return sodium_version_string();
}

void crypto_blake2b(const void *bytes, size_t size, uint8_t digest[CRYPTO_DIGEST])
{
	crypto_blake2b_keyed(NULL, 0, bytes, size, digest, CRYPTO_DIGEST);
}

void crypto_blake2b_keyed(const void *key, size_t key_size, const void *bytes, size_t size,
	uint8_t *digest, size_t digest_size)
{
	int rc = crypto_generichash(digest, digest_size, bytes, size, key, key_size);

	/* Only sizes outside RFC 7693 fail, and those are written in our source. */
	assert(rc == 0);
	(void)rc;
}

void crypto_sha256(const void *bytes, size_t size, uint8_t digest[CRYPTO_DIGEST])
{
	crypto_hash_sha256(digest, bytes, size);
}

static crypto_generichash_state *state_of(crypto_hasher *hash)
{
	return (crypto_generichash_state *)(void *)hash->opaque;
}

void crypto_hash_begin(crypto_hasher *hash)
{
	crypto_generichash_init(state_of(hash), NULL, 0, CRYPTO_DIGEST);
}

void crypto_hash_add(crypto_hasher *hash, const void *bytes, size_t size)
{
	crypto_generichash_update(state_of(hash), bytes, size);
}

void crypto_hash_end(crypto_hasher *hash, uint8_t digest[CRYPTO_DIGEST])
{
	crypto_generichash_final(state_of(hash), digest, CRYPTO_DIGEST);
	sodium_memzero(hash, sizeof(*hash));
}

static crypto_hash_sha256_state *sha256_of(crypto_hasher *hash)
{
	return (crypto_hash_sha256_state *)(void *)hash->opaque;
}

void crypto_sha256_begin(crypto_hasher *hash)
{
	crypto_hash_sha256_init(sha256_of(hash));
}

void crypto_sha256_add(crypto_hasher *hash, const void *bytes, size_t size)
{
	crypto_hash_sha256_update(sha256_of(hash), bytes, size);
}

void crypto_sha256_end(crypto_hasher *hash, uint8_t digest[CRYPTO_DIGEST])
{
	crypto_hash_sha256_final(sha256_of(hash), digest);
	sodium_memzero(hash, sizeof(*hash));
}
