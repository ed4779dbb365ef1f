/* SPDX-License-Identifier: MIT
 *
 * Key files: 160 bytes that hold one key, wrapped by a key-encryption key or by a passphrase.
 *
 *	magic      8  "HNKEY" 00 01 00	made       8  seconds since 1970
 *	kind       1			not after  8  seconds since 1970, 0 = no end
 *	wrap       1			ciphertext 48  the secret, by XChaCha20-Poly1305
 *	flags      2  0
 *	operations 4  0 unless wrapped by a passphrase
 *	memory     8  the same
 *	salt       16
 *	nonce      24
 *	public key 32  zero for a symmetric key
 *
 * Numbers are big-endian; what is not ciphertext is its associated data.
 */
#ifndef CRYPTO_KEYFILE_H
#define CRYPTO_KEYFILE_H

#include "crypto/aead.h"
#include "crypto/sign.h"

#define CRYPTO_KEY_FILE 160

typedef enum crypto_key_kind {
	CRYPTO_KEY_ED25519 = 1,
	CRYPTO_KEY_X25519 = 2,
	CRYPTO_KEY_SYMMETRIC = 3
} crypto_key_kind;
typedef enum crypto_key_wrap { CRYPTO_WRAP_KEK = 1, CRYPTO_WRAP_PASSPHRASE = 2 } crypto_key_wrap;

/* What a key file is wrapped with. */
typedef struct crypto_wrapping {
	crypto_key_wrap wrap;
	crypto_bytes secret; /* CRYPTO_KEY bytes, or the passphrase; borrowed */
	crypto_cost cost;    /* of a passphrase, when writing; zeroed: CRYPTO_COST_DEFAULT */
} crypto_wrapping;

/* What anybody may know of a key. */
typedef struct crypto_key_facts {
	crypto_key_kind kind;
	crypto_key_wrap wrap;
	crypto_cost cost;
	uint8_t public_key[CRYPTO_PUBLIC];
	int64_t made, not_after; /* seconds since 1970; 0 = no end */
} crypto_key_facts;

typedef struct crypto_key {
	crypto_key_facts facts;
	crypto_secret *secret; /* as crypto_ed25519_sign takes it, else CRYPTO_KEY bytes */
} crypto_key;
int crypto_key_generate(
	hn_os *os, crypto_key_kind kind, int64_t not_after, crypto_key **key, hn_error **err);
/* From 32 secret bytes, such as a seed. */
int crypto_key_from(
	crypto_key_kind kind, const uint8_t secret[CRYPTO_KEY], crypto_key **key, hn_error **err);
void crypto_key_free(crypto_key *key); /* NULL is fine */
BASE_AUTO(crypto_key, crypto_key_free)

/* In memory. Unwrapping: HN_EKEY when this is no key file or its parts contradict each other,
 * HN_ENEWER for flags of a later version, HN_ECRYPT when it is wrapped with something else or was
 * changed. */
int crypto_key_wrap_bytes(hn_os *os, const crypto_key *key, const crypto_wrapping *wrapping,
	uint8_t file[CRYPTO_KEY_FILE], hn_error **err);
int crypto_key_unwrap_bytes(const uint8_t *file, size_t size, const crypto_wrapping *wrapping,
	crypto_key **key, hn_error **err);
int crypto_key_facts_read(
	const uint8_t *file, size_t size, crypto_key_facts *facts, hn_error **err);

/* On disk. Reading refuses a symlink, another owner than us or root, and a file that others may
 * read or write (HN_EKEY). Writing is atomic and durable, mode 0600. */
int crypto_key_create(hn_os *os, const char *path, const crypto_key *key,
	const crypto_wrapping *wrapping, hn_error **err); /* HN_EEXIST when something is there */
int crypto_key_open(hn_os *os, const char *path, const crypto_wrapping *wrapping, crypto_key **key,
	hn_error **err);
/* A key that signs, of a person: wrapped by the passphrase, or with NULL by the file kek beside it.
 * HN_EKEY when it is another kind of key. */
int crypto_key_open_signing(
	hn_os *os, const char *path, const char *passphrase, crypto_key **key, hn_error **err);
/* The path of the file kek beside a key, added to `path`. */
int crypto_key_beside(const char *key, base_buf *path, hn_error **err);
int crypto_key_look(hn_os *os, const char *path, crypto_key_facts *facts, hn_error **err);
/* Puts `next` in the place of `key`, which goes to `kept_path`, good until `until`. Whenever the
 * power goes, a good key is at `path`, and `key` is at one of the two. */
int crypto_key_rotate(hn_os *os, const char *path, const char *kept_path, const crypto_key *key,
	int64_t until, const crypto_key *next, const crypto_wrapping *wrapping, hn_error **err);
/* A small secret file under the same rules, exactly `size` bytes. */
int crypto_secret_read(
	hn_os *os, const char *path, size_t size, crypto_secret **secret, hn_error **err);

#endif
