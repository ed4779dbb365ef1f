/* SPDX-License-Identifier: MIT
 *
 * The walk over the audit log that verifies it (audit-verify.c, audit-verify-checkpoints.c,
 * audit-verify-texts.c, audit-verify-revoked.c).
 */
#ifndef CAPS_AUDIT_VERIFY_H
#define CAPS_AUDIT_VERIFY_H

#include "caps/audit-log.h"

#define AUDIT_LEVELS 6 /* of tiles: 256^6 records */
#define AUDIT_SEEN 256

typedef uint8_t audit_digest[CRYPTO_DIGEST];

/* Of checkpoints. */
typedef struct audit_walk_key {
	uint8_t key[CRYPTO_PUBLIC];
	uint64_t record; /* that names it */
} audit_walk_key;

/* Of a subject or an issuer, as its last record has it. */
typedef struct audit_epoch {
	uint64_t record, epoch;
} audit_epoch;

typedef struct audit_walk {
	caps_audit *audit;
	caps_audit_check_options options;
	crypto_merkle_frontier tree;                        /* as it is computed here */
	audit_digest tile[AUDIT_LEVELS][CRYPTO_TILE_WIDTH]; /* those that are being filled */
	state_query *checkpoints; /* at the next one; NULL: none is left */
	uint64_t next, last;      /* sizes; last: of the one before */
	uint8_t mac_key[CRYPTO_DIGEST];
	audit_walk_key *keys; /* owned */
	size_t key_count, key_room;
	crypto_signer_status signer; /* as it was before anything was read */
	uint64_t sealed;             /* under the last checkpoint that is here */
	uint64_t count, chained;     /* of checkpoints that `signer` knows; the last */
	audit_digest chain;          /* over them */
	uint64_t pruned;             /* first record kept, as the last prune has it */
	uint64_t erased;             /* texts of which a record says so */
	base_map *epochs;            /* owned, audit_epoch; NULL: none was raised */
	uint64_t lost;               /* record of the revocation that is not kept and ends last */
	int64_t lost_until;          /* in seconds; 0: all are kept */
	int64_t newest;              /* time of a record, in seconds */
	uint8_t seen[AUDIT_SEEN][AUDIT_REF]; /* references whose texts were found, by a byte */
} audit_walk;

int audit_wrong_record(uint64_t number, const char *what, hn_error **err);
int audit_checkpoints_begin(audit_walk *walk, hn_error **err);
/* After each leaf: the checkpoint over the tree as it is now, if there is one. */
int audit_checkpoints_check(audit_walk *walk, hn_error **err);
int audit_checkpoints_end(audit_walk *walk, hn_error **err);
/* Are they those that the signer made, as it says? */
int audit_checkpoints_compare(audit_walk *walk, hn_error **err);

/* audit-verify-texts.c: of each record those that it refers to; then all that there are */
int audit_texts_check(audit_walk *walk, const audit_record *record, hn_error **err);
int audit_texts_end(audit_walk *walk, hn_error **err);

/* audit-verify-revoked.c: of each record what it revoked; then whether all of it is kept */
int audit_revoked_check(audit_walk *walk, const audit_record *record, hn_error **err);
int audit_revoked_end(audit_walk *walk, hn_error **err);

#endif
