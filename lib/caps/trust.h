/* SPDX-License-Identifier: MIT
 *
 * The trust bundle: who may issue, up to what, signed by a threshold of offline roots (caps.md
 * section 8).
 */
#ifndef CAPS_TRUST_H
#define CAPS_TRUST_H

#include "caps/token.h"

#define CAPS_ROOTS 16
#define CAPS_ISSUERS 32
#define CAPS_KEYSETS 32
#define CAPS_KEYSET_PERSONS 16

typedef enum caps_role { CAPS_ROLE_CONTROLLER, CAPS_ROLE_WORKER } caps_role;
typedef struct caps_issuer {
	uint8_t key[32];
	uint8_t kid[CAPS_KID];
	uint32_t epoch;
	uint32_t role;
	int64_t not_before, sign_until;        /* seconds; at most 30 days apart */
	int64_t max_ttl;                       /* seconds */
	caps_grant_terms ceiling[CAPS_GRANTS]; /* patterns owned by the bundle */
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
	caps_view patterns[16];
	size_t pattern_count;
	int64_t max_ttl; /* seconds, at most 3600 */
} caps_preset;
typedef struct caps_bundle {
	uint8_t *bytes; /* owned */
	size_t size;
	uint64_t version;
	caps_view cluster;
	int64_t made;
	uint32_t threshold;
	uint8_t roots[CAPS_ROOTS][32];
	size_t root_count;
	caps_issuer *issuers;
	size_t issuer_count;
	caps_keyset *keysets;
	size_t keyset_count;
	caps_preset *presets;
	size_t preset_count;
	caps_view logs, witnesses; /* raw arrays */
} caps_bundle;
/* Strict; checks signatures: of its own roots when `before` is NULL (the first one, pinned by its
 * owner), else of a threshold of the roots of `before`, whose version must be lower. HN_EBUNDLE. */
int caps_bundle_read(const uint8_t *bytes, size_t size, const caps_bundle *before,
	caps_bundle **bundle, hn_error **err);
void caps_bundle_free(caps_bundle *bundle);
BASE_AUTO(caps_bundle, caps_bundle_free)
const caps_issuer *caps_bundle_issuer(
	const caps_bundle *bundle, const uint8_t kid[CAPS_KID], bool *ambiguous);
const caps_keyset *caps_bundle_keyset(const caps_bundle *bundle, const uint8_t hash[32]);
const caps_preset *caps_bundle_preset(const caps_bundle *bundle, const char *name);

#endif
