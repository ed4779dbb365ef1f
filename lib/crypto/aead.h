/* SPDX-License-Identifier: MIT
 *
 * XChaCha20-Poly1305 with associated data, and keys from passphrases.
 */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "crypto/secret.h"

#define CRYPTO_KEY 32
#define CRYPTO_NONCE 24
#define CRYPTO_TAG 16
#define CRYPTO_SALT 16

typedef struct crypto_bytes { /* of somebody else */
	const void *bytes;
	size_t size;
} crypto_bytes;

/* `sealed` has plain.size + CRYPTO_TAG bytes. A nonce is random and never used again. */
void crypto_xchacha_seal(const uint8_t key[CRYPTO_KEY], const uint8_t nonce[CRYPTO_NONCE],
	crypto_bytes associated, crypto_bytes plain, uint8_t *sealed);
/* `plain` has sealed.size - CRYPTO_TAG bytes, zeroed on failure. false: wrong key or
 * nonce, or one of the three was changed. */
bool crypto_xchacha_open(const uint8_t key[CRYPTO_KEY], const uint8_t nonce[CRYPTO_NONCE],
	crypto_bytes associated, crypto_bytes sealed, uint8_t *plain);

/* Cost of a passphrase, in passes and bytes (RFC 9106 section 4). */
typedef struct crypto_cost {
	uint32_t operations;
	uint64_t memory;
} crypto_cost;
#define CRYPTO_COST_DEFAULT                                                                        \
	(crypto_cost)                                                                              \
	{                                                                                          \
		.operations = 3, .memory = UINT64_C(268435456)                                     \
	}
/* Bounds of what a file may ask for, so that a hostile one cannot eat the machine. */
enum { CRYPTO_COST_OPERATIONS = 16 };
#define CRYPTO_COST_MEMORY_LEAST UINT64_C(65536)
#define CRYPTO_COST_MEMORY_MOST UINT64_C(1073741824)
/* HN_ERANGE for a cost outside these bounds, HN_ENOMEM. */
int crypto_argon2id(crypto_bytes passphrase, const uint8_t salt[CRYPTO_SALT], crypto_cost cost,
	uint8_t key[CRYPTO_KEY], hn_error **err);

#endif
