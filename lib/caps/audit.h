/* SPDX-License-Identifier: MIT
 *
 * The audit log: deterministic CBOR records under an RFC 6962 tree, sealed by signed checkpoints
 * (caps.md section 10).
 */
#ifndef CAPS_AUDIT_H
#define CAPS_AUDIT_H

#include "caps/caps-private.h"
#include "crypto/signer.h"

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

/* What is done to a secret of a unit: goes into field 24 of its records. */
typedef enum caps_audit_secret_act {
	CAPS_AUDIT_SECRET_PUT = 1,
	CAPS_AUDIT_SECRET_REMOVE = 2,
	CAPS_AUDIT_SECRET_ATTACH = 3
} caps_audit_secret_act;
typedef struct caps_audit_secret {
	caps_audit_secret_act act;
	const char *name;
	uint64_t version; /* 0: none */
} caps_audit_secret;
const char *caps_audit_secret_text(uint64_t act); /* "put"; NULL: there is none of that number */
/* The map, in place of what is there; failed when out of memory. */
void caps_audit_secret_write(const caps_audit_secret *secret, base_buf *out);

typedef struct caps_audit_process { /* whose call it is that goes on */
	int64_t pid;
	uint64_t started, boot; /* its start, and a number of the boot */
} caps_audit_process;

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
	int64_t wall, boot;     /* ms; 0: now */
	/* of an allow: its effect is outside of this transaction, and an outcome is to come */
	const caps_audit_process *by;
	bool ends; /* of what it refers to: the outcome has come */
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
/* --- what has no outcome yet (audit-pending.c) --- */
typedef struct caps_audit_pending {
	uint64_t number;
	int verb;
	const char *object; /* borrowed for the call */
	caps_audit_process by;
} caps_audit_pending;
/* Oldest first; non-zero ends the walk. */
int caps_audit_pending_each(state_store *store,
	int (*each)(void *arg, const caps_audit_pending *row), void *arg, hn_error **err);
/* 1 it has no outcome yet, 0 it has. */
int caps_audit_pending_has(state_store *store, uint64_t number, hn_error **err);
/* 1 when a later record allows to start, stop or delete the same object, else 0. */
int caps_audit_followed(state_store *store, uint64_t number, const char *object, hn_error **err);

/* How many records there are, as the store says now. */
int caps_audit_size(caps_audit *audit, uint64_t *size, hn_error **err);

/* --- sealing (audit-seal.c) --- */
#define CAPS_AUDIT_SEAL_RECORDS 64
#define CAPS_AUDIT_SEAL_NS OS_SECOND
/* 64 records or a second since the last checkpoint, as far as this handle knows. */
bool caps_audit_due(caps_audit *audit);
/* How long the oldest record without a checkpoint has waited for one; ns, 0: there is none. */
int caps_audit_lag(caps_audit *audit, int64_t *lag, hn_error **err);
/* The same for so many witnesses; who has cosigned is taken from the rows as they are. */
int caps_audit_witness_lag(caps_audit *audit, uint32_t needed, int64_t *lag, hn_error **err);
/* Was something appended since the last seal? */
bool caps_audit_unsealed(const caps_audit *audit);
/* At the start: the log goes on from what the signer sealed last, else HN_EAUDITFORK, from then on
 * for every change. */
int caps_audit_check(caps_audit *audit, crypto_signer *signer, hn_error **err);
/* The same, and whether all checkpoints are here that the signer made, as far as counting shows it:
 * the log is not walked. HN_ECORRUPT when not, HN_EAUDITFORK also when a note did not fit, or when
 * the signer knows of less than was sealed. */
int caps_audit_look(caps_audit *audit, crypto_signer *signer, hn_error **err);
/* Outside of a transaction: signs all that is there; a checkpoint that the signer made and a crash
 * kept from us is fetched first. 1 when there is a new one, 0 when there was nothing to seal.
 * HN_EAUDITFORK, for once, by a signer that knows of less than was sealed. */
int caps_audit_seal(caps_audit *audit, crypto_signer *signer, hn_error **err);

/* --- witnesses (audit-witness.c): C2SP tlog-cosignature; their keys as the trust bundle has them
 * --- */
#define CAPS_WITNESSES 16
/* Verifies one line that a witness answered over our checkpoint of this size, and keeps it.
 * HN_ESYNTAX, HN_ENOENT, HN_EDENIED when it is by none of them, HN_ECORRUPT when over another. */
int caps_audit_cosign(caps_audit *audit, uint64_t size, const char *line, size_t line_size,
	const caps_view *witnesses, size_t count, hn_error **err);
/* How many of them have cosigned at least so many records; each line is verified. */
int caps_audit_witnessed(caps_audit *audit, uint64_t size, const caps_view *witnesses, size_t count,
	size_t *number, hn_error **err);
/* A note of our log as somebody else has it. HN_EDENIED: it is not ours. HN_EAUDITFORK, for every
 * process and from then on, when it says another thing than what is here. */
int caps_audit_compare(caps_audit *audit, const char *note, size_t size, hn_error **err);

/* --- when the log cannot be written (audit-guard.c) --- */
#define CAPS_AUDIT_GRACE_NS (900 * OS_SECOND) /* reads go on so long */
/* The file is looked at with each append: HN_EAUDIT for ever once it was unlinked or replaced. */
int caps_audit_watch(caps_audit *audit, hn_error **err);
/* May a session read or change something as far as the log is concerned? HN_EAUDIT, HN_EAUDITFORK.
 */
int caps_audit_usable(caps_audit *audit, bool change, hn_error **err);
/* As caps_audit_append where the record belongs to nothing that is undone with it: when it cannot
 * be written it is held in memory, and comes with the next that can. HN_EAUDIT when too many are
 * held. */
int caps_audit_tell(caps_audit *audit, const caps_audit_entry *entry, hn_error **err);
/* A denial: 8 of one subject and verb in 10 seconds are written, the others counted. */
int caps_audit_deny(caps_audit *audit, const caps_audit_entry *entry, hn_error **err);
/* Writes the counts of windows that are over, or of all. */
int caps_audit_deny_flush(caps_audit *audit, bool all, hn_error **err);
/* 1 MiB beside the database that is given up on a full disk, so that break-glass can be put on
 * record. */
int caps_audit_reserve_make(hn_os *os, const char *path, hn_error **err);
bool caps_audit_reserve_release(hn_os *os, const char *path); /* there was one */

/* --- reading (audit-verify.c) --- */
typedef struct caps_audit_check_options {
	const uint8_t *key;       /* of all checkpoints; NULL: the keys that the log itself names */
	const uint8_t *first_mac; /* the first MAC key; NULL: MACs are not checked */
	crypto_signer *signer;    /* that sealed it; NULL: not compared with what it sealed */
	int64_t now; /* seconds: what is revoked on record and has not ended must be kept as
		      * revoked (caps/store.h); 0: not looked at */
} caps_audit_check_options;
typedef struct caps_audit_facts {
	uint64_t records, min_index, checkpoints, sealed;
	uint64_t claimed;                  /* what the head has for `sealed` */
	char origin[CRYPTO_SIGNER_ORIGIN]; /* of the last checkpoint */
} caps_audit_facts;
int caps_audit_facts_read(caps_audit *audit, caps_audit_facts *facts, hn_error **err);
/* Recomputes every leaf, tile, the tree, its head and every checkpoint, and looks for every text
 * and every revocation; HN_ECORRUPT naming the first record that does not fit (fact "record"), or
 * the checkpoints that are missing; HN_EAUDITFORK when the signer sealed another log. options may
 * be NULL. */
int caps_audit_verify(caps_audit *audit, const caps_audit_check_options *options, hn_error **err);

/* When a record was written, in seconds, and its reason, owned by the caller: NULL when it has
 * none, or not any more. 1; 0 when it was pruned. */
int caps_audit_when(
	caps_audit *audit, uint64_t number, int64_t *seconds, char **reason, hn_error **err);
/* Opens an array of at most `limit` records from number `from` on; what is of the classes `redact`
 * is null. */
int caps_audit_tail(caps_audit *audit, uint64_t from, uint32_t limit, uint32_t redact,
	hn_json *json, hn_error **err);
/* The last checkpoint: how many records it is over, and its note (owned). HN_ENOENT. */
int caps_audit_last(caps_audit *audit, uint64_t *size, char **note, hn_error **err);

/* --- proofs (audit-proof.c, audit-note.c): C2SP tlog-proof --- */
int caps_audit_prove(caps_audit *audit, uint64_t number, base_buf *out, hn_error **err);
typedef struct caps_audit_key { /* of a log, as those who check it have it */
	const char *origin;     /* borrowed from the text */
	size_t origin_size;
	uint8_t key[CRYPTO_PUBLIC];
} caps_audit_key;
void caps_audit_key_text(const char *origin, const uint8_t key[CRYPTO_PUBLIC], base_buf *out);
int caps_audit_key_parse(const char *text, caps_audit_key *key, hn_error **err); /* HN_EKEY */
typedef struct caps_audit_proof {
	uint64_t number, size; /* of the record; records under its checkpoint */
	uint8_t record[CAPS_AUDIT_RECORD];
	size_t record_size;
	crypto_merkle_proof path;
} caps_audit_proof;
/* HN_ESYNTAX, HN_ELIMIT; HN_ECORRUPT when it does not hold. */
int caps_audit_check_proof(const char *text, size_t size, const caps_audit_key *key,
	caps_audit_proof *proof, hn_error **err);
void caps_audit_proof_json(const caps_audit_proof *proof, hn_json *json); /* members */

/* --- as files (audit-export.c): C2SP tlog-tiles, up to the last checkpoint --- */
/* Stops at the next file when the permit ends; without one it goes on. The checkpoint is written
 * last. */
int caps_audit_export(caps_audit *audit, const base_permit *permit, const char *directory,
	hn_progress_fn progress, void *arg, hn_error **err);

/* --- what may go (audit-prune.c); `by` says who and why --- */
/* Records older than `before` (wall ms), whole tiles. HN_ERANGE within 90 days. */
int caps_audit_prune(caps_audit *audit, const caps_audit_entry *by, int64_t before,
	uint64_t *first_kept, hn_error **err);
/* The texts of all records about this subject. */
int caps_audit_erase(caps_audit *audit, const caps_audit_entry *by, const char *subject,
	uint64_t *count, hn_error **err);

#endif
