/* SPDX-License-Identifier: MIT
 *
 * The index of a registry: what it has by digest, in deterministic CBOR, and its signature, a
 * detached COSE_Sign1 (RFC 9052) by Ed25519. Whose key that is, is for the caller to know.
 */
#ifndef COMPOSE_INDEX_H
#define COMPOSE_INDEX_H

#include "compose/registry.h"

enum { COMPOSE_INDEX_SCHEMA = 1, COMPOSE_INDEX_KID = 8 };
#define COMPOSE_INDEX_FILE "index.cbor"
#define COMPOSE_INDEX_SIGNATURE_FILE "index.cose"
#define COMPOSE_INDEX_NEXT_FILE "index.cose.next" /* of an index.cbor that is being replaced */

typedef struct compose_indexed { /* a release */
	const char *component;
	compose_version version;
	compose_digest manifest;
	const compose_sha256 *payloads; /* in the manifest's order */
	size_t payload_count;
} compose_indexed;
typedef struct compose_indexed_contract {
	const char *contract;
	compose_version version;
	compose_digest digest;
} compose_indexed_contract;
typedef struct compose_index {
	base_arena *arena;
	const char *name;
	uint64_t serial;                 /* from 1 */
	int64_t not_after;               /* seconds since 1970; 0 = no end */
	const compose_indexed *releases; /* by name, then from the oldest version to the newest */
	size_t count;
	const compose_indexed_contract *contracts; /* the same */
	size_t contract_count;
	compose_digest digest; /* of its bytes */
} compose_index;
void compose_index_free(compose_index *index);
BASE_AUTO(compose_index, compose_index_free)

/* `file` is for messages. HN_ECBOR, HN_ESCHEMA, HN_ENEWER, HN_EDUPLICATE, HN_ELIMIT. */
int compose_index_read(
	const char *file, const void *bytes, size_t size, compose_index **index, hn_error **err);
/* Of a sealed registry: all that came from `source`, and all contracts. The index borrows its texts
 * from the registry. */
int compose_index_make(const compose_registry *registry, uint32_t source, const char *name,
	uint64_t serial, int64_t not_after, compose_index **index, hn_error **err);
int compose_index_write(const compose_index *index, base_buf *out, hn_error **err);
const compose_indexed *compose_index_find(
	const compose_index *index, const char *component, const compose_version *version);
const compose_indexed_contract *compose_index_contract(
	const compose_index *index, const char *contract, const compose_version *version);

/* The name of a key in a signature: the first bytes of SHA-256 of its COSE key (RFC 9679). */
void compose_index_kid(const uint8_t key[CRYPTO_PUBLIC], uint8_t kid[COMPOSE_INDEX_KID]);
/* What is to be signed by that key, for a signer that has it: `bytes` is index.cbor. */
int compose_index_tbs(const uint8_t key[CRYPTO_PUBLIC], const void *bytes, size_t size,
	base_buf *tbs, hn_error **err);
/* index.cose of a signature that was made of it. */
int compose_index_cose(const uint8_t key[CRYPTO_PUBLIC], const uint8_t signature[CRYPTO_SIGNATURE],
	base_buf *cose, hn_error **err);

typedef struct compose_trust {                /* by which an index is believed */
	const uint8_t (*keys)[CRYPTO_PUBLIC]; /* issuers that may sign this registry */
	size_t key_count;
	uint64_t serial; /* the highest that was seen; 0 = none */
	int64_t now;     /* seconds since 1970 */
	bool allow_expired;
} compose_trust;
typedef struct compose_trusted {
	size_t key;          /* which of the keys has signed */
	uint64_t serial;     /* to be kept as the highest */
	int64_t expired_for; /* seconds, when an expired one was allowed; else 0 */
} compose_trusted;
/* HN_ESIGNATURE: by none of these keys, or not over these bytes. */
int compose_index_verify(const void *bytes, size_t size, const void *cose, size_t cose_size,
	const compose_trust *trust, size_t *key, hn_error **err);
/* HN_EROLLBACK below the highest serial, HN_ESIGNATURE past its end (fact expired_for). */
int compose_index_fresh(const compose_index *index, const compose_trust *trust,
	int64_t *expired_for, hn_error **err);
/* Both files of a directory, read, verified and fresh. Whenever the signer was cut off, one of the
 * two signatures is that of the index that is there. */
int compose_index_load(hn_os *os, const char *directory, const compose_trust *trust,
	compose_index **index, compose_trusted *found, hn_error **err);
/* HN_EDIGEST when the index names another digest, or does not name it. */
int compose_index_check_manifest(
	const compose_index *index, const compose_manifest *manifest, hn_error **err);
int compose_index_check_contract(
	const compose_index *index, const compose_contract *contract, hn_error **err);

#endif
