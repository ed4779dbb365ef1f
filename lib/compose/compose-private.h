/* SPDX-License-Identifier: MIT
 *
 * Components, contracts, blueprints; one set of them chosen and locked; images made from a lock.
 * Nothing here uses the network or runs a foreign program. Names start with compose_.
 */
#ifndef COMPOSE_PRIVATE_H
#define COMPOSE_PRIVATE_H

#include "base/base-private.h"
#include "codec/codec-private.h"
#include "crypto/crypto-private.h"
#include "os/os-private.h"

#define COMPOSE_ROOM "compose"

/* BLAKE2b-256; as text "b2:" and 64 hexadecimal digits. */
typedef struct compose_digest {
	uint8_t bytes[CRYPTO_DIGEST];
} compose_digest;
#define COMPOSE_DIGEST_TEXT 68 /* with its NUL */
void compose_digest_print(const compose_digest *digest, char out[COMPOSE_DIGEST_TEXT]);
bool compose_digest_parse(const char *text, size_t size, compose_digest *digest);
static inline bool compose_digest_equal(const compose_digest *a, const compose_digest *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
/* SHA-256 of a payload: 64 hexadecimal digits, as apt and OCI publish it. */
typedef struct compose_sha256 {
	uint8_t bytes[CRYPTO_DIGEST];
} compose_sha256;

/* Where something stands in a file; `file` lives as long as what it is the place of. */
typedef codec_json_place compose_place;
/* "file:line:column: message" with facts, as codec_json_fail; formatted. Returns the code. */
int compose_fail(hn_error **err, hn_code code, const compose_place *place, const char *hint,
	const char *format, ...) BASE_PRINTF(5, 6);

int compose_refuse_null(hn_error **err); /* HN_EINVAL */

#endif
