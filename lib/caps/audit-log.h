/* SPDX-License-Identifier: MIT
 *
 * The inside of the audit log, between the files audit*.c of this room.
 */
#ifndef CAPS_AUDIT_LOG_H
#define CAPS_AUDIT_LOG_H

#include "caps/audit.h"
#include "codec/note.h"

#define AUDIT_REF 16
#define AUDIT_SALT 16
#define AUDIT_TEXTS 8         /* texts that are remembered, so that a session's are kept once */
#define AUDIT_TEXT_SPAN 4096u /* no record refers to a text so many records older than itself */
#define AUDIT_SOURCES 64      /* of denials that are counted apart */
#define AUDIT_NS_A_MS 1000000

typedef enum audit_text_kind {
	AUDIT_TEXT_SUBJECT = 10,
	AUDIT_TEXT_REASON = 21,
	AUDIT_TEXT_PROCESS = 24
} audit_text_kind;

/* A text that lies in the store under `ref`, as long as the tree is what we left. */
typedef struct audit_text {
	audit_text_kind kind;
	char *body; /* NULL: free */
	uint8_t ref[AUDIT_REF];
	uint64_t since; /* the record that brought it */
} audit_text;

/* A record that waits until the log can be written again; owns its texts. */
typedef struct caps_audit_held {
	caps_audit_entry entry;
	char *object, *subject, *reason;
	uint8_t session[8];
	bool has_session;
} caps_audit_held;

/* Denials of one verb to one subject. */
typedef struct caps_audit_source {
	char *subject; /* NULL: none */
	int verb;
	int64_t since;            /* boot ns: begin of the window */
	uint64_t written, summed; /* written 0: free */
} caps_audit_source;

struct caps_audit {
	state_store *store;
	char node[129];
	uint64_t epoch;     /* of the store when `tree` was what it says; 0: not read yet */
	uint64_t min_index; /* records below were pruned */
	uint64_t claimed;   /* records under the last checkpoint, as the head has it */
	bool whole;         /* the last record that the head counts is there */
	crypto_merkle_frontier tree;
	/* The leaves of the tile that is being filled, from `held_from` on; the others are in the
	 * store. */
	uint64_t held_from;
	uint8_t held[CRYPTO_TILE_WIDTH][CRYPTO_DIGEST];
	uint64_t bound;    /* ms by which the clock may be off, as of the last look */
	int64_t next_look; /* monotonic ns */
	/* sealing */
	uint64_t sealed; /* records under the last checkpoint that we know of */
	bool sealed_known;
	int64_t unsealed_since; /* monotonic ns of our first append after it; 0: none */
	/* what is wrong with it */
	bool watched;     /* the file below is looked at with each commit */
	uint64_t guarded; /* epoch of the store in whose transaction it was */
	dev_t device;
	ino_t inode;
	bool gone, forked;     /* for ever */
	int64_t failing_since; /* boot ns of the first append that failed; 0: they work */
	caps_audit_held *held_records;
	size_t held_count, held_capacity;
	caps_audit_source sources[AUDIT_SOURCES]; /* of denials */
	base_buf record;                          /* the one that is being written */
	audit_text texts[AUDIT_TEXTS];
	size_t next_text;
};

/* audit.c: reads size and frontier anew unless they still stand */
int audit_load(caps_audit *audit, hn_error **err);
/* HN_EAUDITFORK where the last record is not the one that the loaded head has. */
int audit_check_end(caps_audit *audit, hn_error **err);
void audit_forget(caps_audit *audit);
/* caps_audit_append; without an entry only what is held is written. */
int audit_append(
	caps_audit *audit, const caps_audit_entry *entry, uint64_t *number, hn_error **err);

/* audit-text.c */
int audit_text_put(caps_audit *audit, audit_text_kind kind, const char *body,
	uint8_t ref[AUDIT_REF], hn_error **err);
void audit_texts_forget(caps_audit *audit);

int audit_text_ref(audit_text_kind kind, const char *body, const uint8_t salt[AUDIT_SALT],
	uint8_t ref[AUDIT_REF], hn_error **err);

/* audit-record.c: the record as it will stand at the end of the tree; texts go into the store. At
 * most CAPS_AUDIT_RECORD bytes, else HN_ELIMIT. */
int audit_record_write(
	caps_audit *audit, const caps_audit_entry *entry, base_buf *out, hn_error **err);

/* {key => number, key + 1 => the 32 bytes}: what a record says of a new key, or of an erasure. */
void audit_extra_pair(codec_cbor_out *out, uint64_t key, uint64_t number, const uint8_t bytes[32]);

/* audit-guard.c: is the file still the one we opened; may this be done now */
int audit_guard(caps_audit *audit, hn_error **err);
/* Has any process seen a note of ours that does not fit? HN_EAUDITFORK then, and from then on; when
 * it cannot be asked, why. */
int audit_check_fork(caps_audit *audit, hn_error **err);
int audit_forked(caps_audit *audit, hn_error **err, const char *format, ...) BASE_PRINTF(3, 4);
/* In our own transaction: what was held goes first. */
int audit_held_append(caps_audit *audit, hn_error **err);
void audit_held_clear(caps_audit *audit);
void audit_sources_free(caps_audit *audit);
int audit_append_one(
	caps_audit *audit, const caps_audit_entry *entry, uint64_t *number, hn_error **err);

/* audit-seal.c: does the log go on from what the signer sealed last? HN_EAUDITFORK. */
int audit_compare(caps_audit *audit, const crypto_signer_status *status, hn_error **err);
int audit_wrong_checkpoints(uint64_t here, uint64_t made, hn_error **err);

/* audit-prune.c: what the record with this number has erased; their number, and BLAKE2b-256 of
 * their references in order. */
int audit_erased(caps_audit *audit, int64_t number, uint64_t *count, uint8_t digest[CRYPTO_DIGEST],
	hn_error **err);

/* audit-note.c: the key of a checkpoint's signature lines */
void audit_key_id(const char *name, size_t size, uint8_t type, const uint8_t key[CRYPTO_PUBLIC],
	uint8_t id[CODEC_NOTE_KEY_ID]);
/* Is there a line of this key, and does it verify? */
bool audit_note_signed(
	const codec_note *note, const char *origin, size_t size, const uint8_t key[CRYPTO_PUBLIC]);

/* audit-tile.c */
/* A leaf was added: stores each tile that it filled. */
int audit_tiles_store(caps_audit *audit, hn_error **err);
/* 1 there it is, 0 there is none. */
int audit_tile_read(caps_audit *audit, unsigned level, uint64_t tile,
	uint8_t (*hashes)[CRYPTO_DIGEST], uint8_t root[CRYPTO_DIGEST], hn_error **err);
crypto_merkle_source audit_source(caps_audit *audit);

/* audit-read.c: a record as it was read; views into its bytes, empty where a field is missing. */
typedef struct audit_record {
	uint32_t fields; /* bit n: field n is there */
	uint64_t version, number, bound, boot, kind, verb, refers, count;
	int64_t wall, valid_until, code;
	codec_view node, object, subject, chain, kid, tzdata, request, reason, trace, session;
	codec_view cti[8];
	size_t cti_count;
	bool has_rule;
	uint64_t rule[3];
	codec_view extra; /* the encoded map of field 24 */
} audit_record;
bool audit_record_read(const void *bytes, size_t size, audit_record *record);
/* Where the texts beside records are; find gives an owned text, or NULL. */
typedef struct audit_text_source {
	char *(*find)(void *arg, const uint8_t ref[AUDIT_REF]);
	void *arg;
	uint32_t redact; /* classes (hn_redact) of what is null instead */
} audit_text_source;
/* Members of the open object. texts NULL: references are written as they are. */
void audit_record_json(const audit_record *record, const audit_text_source *texts, hn_json *json);
/* Where the process of a session's opener lies. */
bool audit_record_process(const audit_record *record, codec_view *ref);
/* What a record of kind 16 says: the first record that is kept since, or how many texts went and
 * the digest of their references. */
bool audit_record_pruned(const audit_record *record, uint64_t *first);
bool audit_record_erased(
	const audit_record *record, uint64_t *count, uint8_t digest[CRYPTO_DIGEST]);
/* What a record of kind 1 to 3 of the verb unit.secret names; version 0: none. */
typedef struct audit_secret {
	uint64_t act, version;
	codec_view name;
} audit_secret;
bool audit_record_secret(const audit_record *record, audit_secret *secret);
/* What else a record says in words, and no more than that. */
bool audit_record_note(const audit_record *record, codec_view *note);
/* The public key that a record of kind 13 names. */
bool audit_record_key(const audit_record *record, uint8_t key[CRYPTO_PUBLIC]);

/* --- what has no outcome yet (audit-pending.c) --- */
int audit_pending_put(
	caps_audit *audit, uint64_t number, const caps_audit_entry *entry, hn_error **err);
int audit_pending_end(caps_audit *audit, uint64_t number, hn_error **err);

#endif
