/* SPDX-License-Identifier: MIT
 *
 * The inside of the audit log, between the files audit*.c of this room.
 */
#ifndef CAPS_AUDIT_LOG_H
#define CAPS_AUDIT_LOG_H

#include "caps/audit.h"

#define AUDIT_REF 16
#define AUDIT_SALT 16
#define AUDIT_TEXTS 8         /* texts that are remembered, so that a session's are kept once */
#define AUDIT_TEXT_SPAN 4096u /* no record refers to a text so many records older than itself */
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

struct caps_audit {
	state_store *store;
	char node[129];
	uint64_t epoch;     /* of the store when `tree` was what it says; 0: not read yet */
	uint64_t min_index; /* records below were pruned */
	crypto_merkle_frontier tree;
	/* The leaves of the tile that is being filled, from `held_from` on; the others are in the
	 * store. */
	uint64_t held_from;
	uint8_t held[CRYPTO_TILE_WIDTH][CRYPTO_DIGEST];
	base_buf record; /* the one that is being written */
	audit_text texts[AUDIT_TEXTS];
	size_t next_text;
};

/* audit.c: reads size and frontier anew unless they still stand */
int audit_load(caps_audit *audit, hn_error **err);
void audit_forget(caps_audit *audit);

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

/* audit-tile.c */
/* A leaf was added: stores each tile that it filled. */
int audit_tiles_store(caps_audit *audit, hn_error **err);
/* 1 there it is, 0 there is none. */
int audit_tile_read(caps_audit *audit, unsigned level, uint64_t tile,
	uint8_t (*hashes)[CRYPTO_DIGEST], uint8_t root[CRYPTO_DIGEST], hn_error **err);
crypto_merkle_source audit_source(caps_audit *audit);

#endif
