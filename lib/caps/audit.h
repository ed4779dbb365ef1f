/* SPDX-License-Identifier: MIT
 *
 * The audit log: deterministic CBOR records under an RFC 6962 tree, sealed by signed checkpoints
 * (caps.md section 10).
 */
#ifndef CAPS_AUDIT_H
#define CAPS_AUDIT_H

#include "caps/caps-private.h"

#define CAPS_AUDIT_RECORD 2048 /* bytes of one record */

typedef enum caps_audit_kind {
	CAPS_AUDIT_START = 0,
	CAPS_AUDIT_ALLOW = 1,
	CAPS_AUDIT_DENY = 2,
	CAPS_AUDIT_OUTCOME = 3,
	CAPS_AUDIT_DENIALS = 4,
	CAPS_AUDIT_SESSION_OPENED = 5,
	CAPS_AUDIT_SESSION_ENDED = 6,
	CAPS_AUDIT_ISSUE = 7,
	CAPS_AUDIT_REVOKE = 8,
	CAPS_AUDIT_EPOCH = 9,
	CAPS_AUDIT_APPROVAL = 10,
	CAPS_AUDIT_BREAKGLASS = 11,
	CAPS_AUDIT_TRUST = 12,
	CAPS_AUDIT_KEY = 13,
	CAPS_AUDIT_CLOCK = 14,
	CAPS_AUDIT_RECOVERY = 15,
	CAPS_AUDIT_PRUNE = 16,
	CAPS_AUDIT_EXPORT = 17,
	CAPS_AUDIT_FORK = 18
} caps_audit_kind;
const char *caps_audit_kind_text(uint64_t kind); /* "allow"; NULL: there is none of that number */

/* Who opened a session: goes into field 24 of its record. */
typedef struct caps_audit_opener {
	uint64_t uid, login, pid;
	const char *process; /* text; goes beside the record, erasable */
} caps_audit_opener;

/* One record to be; 0, NULL and -1 as said: left out. All borrowed. Never tokens, never secrets. */
typedef struct caps_audit_entry {
	caps_audit_kind kind;
	int verb;                        /* -1: none */
	const char *object;              /* NULL: none */
	const char *subject;             /* NULL: none; goes beside the record, erasable */
	const char *reason;              /* the same */
	const caps_audit_opener *opener; /* NULL: none; else `extra` is NULL */
	const uint8_t (*cti)[16];
	size_t cti_count;
	const uint8_t *chain_hash; /* 32 */
	const uint8_t *kid;        /* 12 */
	bool has_rule;
	unsigned rule[3];    /* link, slot, caveat */
	int64_t valid_until; /* seconds; 0: none */
	const char *tzdata;
	const uint8_t *request_hash; /* 32 */
	uint64_t refers;
	int code;
	bool has_code;
	uint64_t count;
	const uint8_t *trace;   /* 16 */
	const uint8_t *session; /* 8 */
	const base_buf *extra;  /* the map of field 24, as CBOR; NULL: none */
} caps_audit_entry;

typedef struct caps_audit caps_audit;          /* the log of one store */
extern const state_schema caps_audit_schema[]; /* steps of the room "audit" */
extern const size_t caps_audit_schema_count;
int caps_audit_open(state_store *store, const char *node, caps_audit **audit, hn_error **err);
void caps_audit_close(caps_audit *audit);
BASE_AUTO(caps_audit, caps_audit_close)
/* In a transaction of its own, or as part of the one that is open: then a failure must roll that
 * one back. */
int caps_audit_append(
	caps_audit *audit, const caps_audit_entry *entry, uint64_t *number, hn_error **err);
/* The same for several: all are there or none. numbers may be NULL. */
int caps_audit_append_all(caps_audit *audit, const caps_audit_entry *entries, size_t count,
	uint64_t *numbers, hn_error **err);
/* How many records there are, as the store says now. */
int caps_audit_size(caps_audit *audit, uint64_t *size, hn_error **err);
/* Recomputes every leaf, tile and the tree; HN_ECORRUPT naming the first record that does not
 * fit. */
int caps_audit_verify(caps_audit *audit, hn_error **err);

#endif
