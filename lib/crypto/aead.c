/* SPDX-License-Identifier: MIT
 *
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) and Argon2id (RFC 9106) by libsodium.
 */
#include "crypto/aead.h"

#include <assert.h>
#include <sodium.h>

static_assert(CRYPTO_KEY == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "a key");
static_assert(CRYPTO_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "a nonce");
static_assert(CRYPTO_TAG == crypto_aead_xchacha20poly1305_ietf_ABYTES, "a tag");
static_assert(CRYPTO_SALT == crypto_pwhash_argon2id_SALTBYTES, "a salt");

void crypto_xchacha_seal(const uint8_t key[CRYPTO_KEY], const uint8_t nonce[CRYPTO_NONCE],
	crypto_bytes associated, crypto_bytes plain, uint8_t *sealed)
{
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, plain.bytes, plain.size,
		associated.bytes, associated.size, NULL, nonce, key);
}

bool crypto_xchacha_open(const uint8_t key[CRYPTO_KEY], const uint8_t nonce[CRYPTO_NONCE],
	crypto_bytes associated, crypto_bytes sealed, uint8_t *plain)
{
	/* The tag is checked before anything is written. */
	return crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed.bytes,
		       sealed.size, associated.bytes, associated.size, nonce, key) == 0;
}

int crypto_argon2id(crypto_bytes passphrase, const uint8_t salt[CRYPTO_SALT], crypto_cost cost,
	uint8_t key[CRYPTO_KEY], hn_error **err)
{
	if (cost.operations < 1 || cost.operations > CRYPTO_COST_OPERATIONS ||
		cost.memory < CRYPTO_COST_MEMORY_LEAST || cost.memory > CRYPTO_COST_MEMORY_MOST)
		return base_error(err, HN_ERANGE, "crypto", NULL,
			"a passphrase costs 1 to %d passes over 64 KiB to 1 GiB, not %u over %llu bytes",
			CRYPTO_COST_OPERATIONS, cost.operations, (unsigned long long)cost.memory);
	if (crypto_pwhash_argon2id(key, CRYPTO_KEY, passphrase.bytes, passphrase.size, salt,
		    cost.operations, (size_t)cost.memory,
		    crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
		return base_nomem(err);
	return 0;
}
