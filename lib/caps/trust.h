/* SPDX-License-Identifier: MIT
 *
 * The trust bundle: who may issue, up to what, signed by a threshold of offline roots (caps.md
 * section 8).
 *
 *	bundle  = #6.98([ bstr .cbor { 16 => "application/vnd.hvc1-trust" }, {}, bstr .cbor payload,
 *	            [ 1*16 [ bstr .cbor { 1 => -8, 4 => root id }, {}, sig ] ] ])  ; ids rise
 *	payload = { 1 => version, 2 => cluster, 3 => made, 4 => threshold, 5 => [ 1*16 cosekey ],
 *	            6 => [ *32 issuer ], 7 => [ *32 keyset ], 8 => [ *16 log ],
 *	            9 => [ [ *16 witness ], k ], ? 10 => [ 1*32 preset ] }
 *	issuer  = { 1 => cosekey, 2 => epoch, 3 => role, 4 => nbf, 5 => sign until, 6 => max ttl,
 *	            7 => [ 1*32 [ mask, pattern ] ] }
 *	keyset  = [ 1*16 [ person, cosekey ] ]                       ; pairs rise
 *	preset  = { 1 => name, 2 => keyset hash, 3 => threshold, 4 => mask, 5 => [ 1*16 pattern ],
 *	            6 => max ttl, ? 7 => delay }                     ; of break-glass
 *	root id = SHA-256(cosekey)[0..7]
 */
#ifndef CAPS_TRUST_H
#define CAPS_TRUST_H

#include "caps/token.h"

#define CAPS_ROOTS 16
#define CAPS_ISSUERS 32
#define CAPS_KEYSETS 32
#define CAPS_KEYSET_PERSONS 16
#define CAPS_PRESETS 32
#define CAPS_PRESET_PATTERNS 16
#define CAPS_LOGS 16
#define CAPS_SIGN_SECONDS (30 * 86400) /* an issuer key signs so long at most */
#define CAPS_TTL_SECONDS (366 * 86400)
#define CAPS_BREAKGLASS_SECONDS 3600
#define CAPS_DELAY_SECONDS 43200

typedef enum caps_role { CAPS_ROLE_CONTROLLER, CAPS_ROLE_WORKER } caps_role;
typedef struct caps_issuer {
	uint8_t key[32];
	uint8_t kid[CAPS_KID];
	uint32_t epoch;
	uint32_t role;
	int64_t not_before, sign_until;  /* seconds; at most 30 days apart */
	int64_t max_ttl;                 /* seconds */
	caps_grant ceiling[CAPS_GRANTS]; /* without caveats */
	size_t ceiling_count;
} caps_issuer;
typedef struct caps_keyset { /* sorted pairs of person and key; the hash names it in caveats */
	uint8_t hash[32];
	size_t count;
	struct {
		caps_view person;
		uint8_t key[32];
	} entries[CAPS_KEYSET_PERSONS];
} caps_keyset;
typedef struct caps_preset { /* of break-glass: caps.md section 8 */
	caps_view name;
	uint8_t keyset[32];
	uint32_t threshold;
	caps_mask mask;
	caps_view patterns[CAPS_PRESET_PATTERNS];
	size_t pattern_count;
	int64_t max_ttl; /* seconds, at most 3600 */
	int64_t delay;   /* seconds from the request to when it can be opened; 0: none */
} caps_preset;
typedef struct caps_bundle {
	uint8_t *bytes; /* owned; NULL in one that is made to be written */
	size_t size;
	uint8_t digest[32]; /* SHA-256 of the payload */
	uint64_t version;
	caps_view cluster;
	int64_t made;
	uint32_t threshold;
	uint8_t roots[CAPS_ROOTS][32];
	size_t root_count;
	caps_issuer *issuers; /* owned, as are the two arrays below */
	size_t issuer_count;
	caps_keyset *keysets;
	size_t keyset_count;
	caps_preset *presets;
	size_t preset_count;
	caps_view logs[CAPS_LOGS], witnesses[CAPS_LOGS]; /* keys of notes, as text */
	size_t log_count, witness_count;
	uint32_t witnesses_needed;
} caps_bundle;
/* Strict; a threshold of its own roots has signed it, and when `before` is given a threshold of the
 * roots of that one too, whose version is lower and whose cluster is the same. HN_EBUNDLE. */
int caps_bundle_read(const uint8_t *bytes, size_t size, const caps_bundle *before,
	caps_bundle **bundle, hn_error **err);
/* Takes also a payload that nobody or too few have signed: to be looked at and to be signed.
 * `signatures`, when it is not NULL, is set to how many of its own roots did, with good signatures.
 */
int caps_bundle_look(const uint8_t *bytes, size_t size, caps_bundle **bundle, size_t *signatures,
	hn_error **err);
void caps_bundle_free(caps_bundle *bundle);
BASE_AUTO(caps_bundle, caps_bundle_free)
const caps_issuer *caps_bundle_issuer(
	const caps_bundle *bundle, const uint8_t kid[CAPS_KID], bool *ambiguous);
/* The row of this key with the highest epoch: by it the key signs. NULL when there is none. */
const caps_issuer *caps_bundle_newest(const caps_bundle *bundle, const uint8_t key[32]);
const caps_keyset *caps_bundle_keyset(const caps_bundle *bundle, const uint8_t hash[32]);
const caps_preset *caps_bundle_preset(const caps_bundle *bundle, const char *name);
/* Whether link 0 of a token, or claims alone, is what this issuer may sign: in its time, no longer
 * than its longest life, within its ceiling. NULL, or why not (static). */
const char *caps_issuer_refuses(const caps_issuer *issuer, const caps_token *claims);

/* The payload of a bundle, unsigned. Hashes of keysets and kids are computed, not taken. HN_EINVAL
 * when it would not be read back. */
int caps_bundle_write(const caps_bundle *bundle, base_buf *payload, hn_error **err);
/* Adds the signature of one key to a payload or to a signed bundle; one that is there is replaced.
 * The key need not be a root of this bundle: it may be one of the bundle before. */
int caps_bundle_sign(
	const uint8_t *bytes, size_t size, const uint8_t seed[32], base_buf *out, hn_error **err);
/* SHA-256 over the CBOR of sorted pairs; sorts the entries. */
int caps_keyset_finish(caps_keyset *keyset, hn_error **err);

#endif
