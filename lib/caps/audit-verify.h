/* SPDX-License-Identifier: MIT
 *
 * The walk over the audit log that verifies it (audit-verify.c, audit-verify-checkpoints.c).
 */
#ifndef CAPS_AUDIT_VERIFY_H
#define CAPS_AUDIT_VERIFY_H

#include "caps/audit-log.h"

#define AUDIT_LEVELS 6 /* of tiles: 256^6 records */
#define AUDIT_KEYS 64  /* of checkpoints, that one log names */

typedef uint8_t audit_digest[CRYPTO_DIGEST];

typedef struct audit_walk {
	caps_audit *audit;
	caps_audit_check_options options;
	crypto_merkle_frontier tree;                        /* as it is computed here */
	audit_digest tile[AUDIT_LEVELS][CRYPTO_TILE_WIDTH]; /* those that are being filled */
	state_query *checkpoints; /* at the next one; NULL: none is left */
	uint64_t next, last;      /* sizes; last: of the one before */
	uint8_t mac_key[CRYPTO_DIGEST];
	uint8_t key[AUDIT_KEYS][CRYPTO_PUBLIC];
	uint64_t key_record[AUDIT_KEYS]; /* the record that names it */
	size_t key_count;
} audit_walk;

int audit_wrong_record(uint64_t number, const char *what, hn_error **err);
int audit_checkpoints_begin(audit_walk *walk, hn_error **err);
/* After each leaf: the checkpoint over the tree as it is now, if there is one. */
int audit_checkpoints_check(audit_walk *walk, hn_error **err);
int audit_checkpoints_end(audit_walk *walk, hn_error **err);

#endif
