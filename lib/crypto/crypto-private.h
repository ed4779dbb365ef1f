/* SPDX-License-Identifier: MIT
 *
 * Hashes, and by its other headers signatures, encryption, secret memory, Merkle trees and key
 * files. The only room that calls libsodium.
 */
#ifndef CRYPTO_PRIVATE_H
#define CRYPTO_PRIVATE_H

#include "crypto/aead.h"
#include "crypto/keyfile.h"
#include "crypto/merkle.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "crypto/signer.h"

int crypto_open(hn_error **err);  /* once a process, idempotent, thread-safe */
const char *crypto_version(void); /* of libsodium, as it runs */
void crypto_blake2b(const void *bytes, size_t size, uint8_t digest[CRYPTO_DIGEST]);
void crypto_blake2b_keyed(const void *key, size_t key_size, const void *bytes, size_t size,
	uint8_t *digest, size_t digest_size);
void crypto_sha256(const void *bytes, size_t size, uint8_t digest[CRYPTO_DIGEST]);

/* Hash over pieces. */
typedef struct crypto_hasher {
	_Alignas(64) uint8_t opaque[384];
} crypto_hasher;                             /* not crypto_hash: libsodium has that name */
void crypto_hash_begin(crypto_hasher *hash); /* BLAKE2b-256 */
void crypto_hash_add(crypto_hasher *hash, const void *bytes, size_t size);
void crypto_hash_end(crypto_hasher *hash, uint8_t digest[CRYPTO_DIGEST]);
void crypto_sha256_begin(crypto_hasher *hash);
void crypto_sha256_add(crypto_hasher *hash, const void *bytes, size_t size);
void crypto_sha256_end(crypto_hasher *hash, uint8_t digest[CRYPTO_DIGEST]);

#endif
