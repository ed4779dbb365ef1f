/* SPDX-License-Identifier: MIT
 *
 * What people are asked to approve, and their approvals (caps.md section 8).
 *
 *	request  = { 1 => kind, 2 => bstr .size 16, 3 => cti / name, 4 => mask, 5 => [ 1*16 pattern
 *], 6 => ttl, 7 => made, 8 => until, 9 => reason, 10 => cluster, 11 => hash, 12 => bstr .cbor call
 *} approval = #6.18([ bstr .cbor { 1 => -8, 4 => key id, 15 => { 6 => time }, 16 =>
 *"application/vnd.hvc1-approval" }, {}, hash, sig ]) kind     = 0 one use of a verb, 1 break-glass,
 *2 a drill of it reason   = tstr .size (1..512)
 *
 * 11 is the SHA-256 of 12, the canonical request (caps/call.h): what is asked for stands there to
 * be read, and a request whose two do not agree is none. One use has the verb and the object of its
 * call in 4 and 5. An approval is over the SHA-256 of the request; 15: the claims of RFC 9597; key
 * id = SHA-256(cosekey)[0..7].
 *
 * As text: "hvr1." and "hva1.", and base64url.
 */
#ifndef CAPS_APPROVE_H
#define CAPS_APPROVE_H

#include "caps/call.h"
#include "caps/store.h"
#include "caps/trust.h"

#define CAPS_ASK_BYTES 16384
#define CAPS_ASK_PATTERNS 16
#define CAPS_ASK_REASON 512
#define CAPS_ASK_SECONDS 86400 /* a request waits so long at most */
#define CAPS_APPROVAL_BYTES 512
#define CAPS_APPROVALS 32         /* texts that are shown at a time */
#define CAPS_APPROVAL_SECONDS 900 /* so old is one for break-glass at most */
#define CAPS_DRILL_SECONDS 60

typedef enum caps_ask_kind {
	CAPS_ASK_USE,        /* of a verb on an object, once */
	CAPS_ASK_BREAKGLASS, /* of a preset of the trust bundle */
	CAPS_ASK_DRILL
} caps_ask_kind;

typedef struct caps_ask {
	uint8_t *bytes; /* owned; NULL in one that is made to be written */
	size_t size;
	uint8_t hash[32]; /* SHA-256 of the bytes: what approvals are over */
	caps_ask_kind kind;
	uint8_t id[16];
	caps_view cti;     /* of the token that is to be used; NULL: none */
	caps_view subject; /* who is to use it, without a token; the name of the preset */
	caps_mask mask;
	caps_view patterns[CAPS_ASK_PATTERNS];
	size_t pattern_count;
	int64_t ttl;         /* of break-glass: seconds that it lasts; of a use: until - made */
	int64_t made, until; /* seconds: when it can be used */
	caps_view reason, cluster;
	caps_view call;     /* the canonical request: what a use is of */
	caps_called called; /* the same, once it was read */
	uint8_t params[32]; /* SHA-256 of it, as caveat 12 asks about it */
} caps_ask;
int caps_ask_write(const caps_ask *ask, base_buf *out, hn_error **err);
/* Strict; HN_ECBOR. */
int caps_ask_read(const void *bytes, size_t size, caps_ask **ask, hn_error **err);
int caps_ask_read_text(const char *text, caps_ask **ask, hn_error **err);
int caps_ask_text(const caps_ask *ask, char **text, hn_error **err);
/* Members of the object that is open; what is of the classes `redact` (hn_redact) is null. */
void caps_ask_json(const caps_ask *ask, uint32_t redact, hn_json *json);
void caps_ask_free(caps_ask *ask);
BASE_AUTO(caps_ask, caps_ask_free)

typedef struct caps_approval {
	uint8_t bytes[CAPS_APPROVAL_BYTES];
	size_t size;
	codec_cose_sign1 message;
	uint8_t key_id[8];
	uint8_t hash[32];                      /* of the request */
	int64_t made;                          /* seconds, by the clock of who approves */
	uint8_t tbs[CAPS_APPROVAL_BYTES + 32]; /* what is signed */
	size_t tbs_size;
} caps_approval;
int caps_approval_sign(const uint8_t hash[32], const uint8_t seed[32], int64_t made, base_buf *out,
	hn_error **err);
int caps_approval_read(const void *bytes, size_t size, caps_approval *approval, hn_error **err);
int caps_approval_read_text(const char *text, size_t size, caps_approval *approval, hn_error **err);
int caps_approval_text(const base_buf *bytes, char **text, hn_error **err);
/* The entry of the keyset whose key has signed it; SIZE_MAX: none has. */
size_t caps_approval_by(const caps_approval *approval, const caps_keyset *keyset);

/* A second factor: what is signed is 16 fixed bytes, which no hash begins with, and a nonce. */
#define CAPS_NONCE 16
void caps_assertion_hash(const uint8_t nonce[CAPS_NONCE], uint8_t hash[32]);
/* The nonce, or NULL: it is an approval of a request. */
const uint8_t *caps_assertion_nonce(const caps_approval *approval);

/* Persons, not keys. */
typedef struct caps_votes {
	caps_view persons[CAPS_KEYSET_PERSONS];
	size_t count;
	int64_t oldest; /* seconds: of the approvals that count */
} caps_votes;
void caps_votes_add(caps_votes *votes, caps_view person, int64_t made);

/* --- kept in the store (approve-store.c) --- */
typedef struct caps_instant { /* of this host */
	int64_t wall;         /* seconds */
	int64_t boot;         /* ns */
	const char *boot_id;
} caps_instant;
typedef enum caps_ask_state {
	CAPS_ASK_OPEN,
	CAPS_ASK_USED,
	CAPS_ASK_REPLACED,
	CAPS_ASK_CANCELLED
} caps_ask_state;
typedef struct caps_asked { /* one that was made here */
	caps_ask *ask;
	caps_ask_state state;
	int64_t boot; /* ns: when it was made, by the time since the boot */
	bool this_boot;
	uint8_t session[8]; /* that has used it */
} caps_asked;
void caps_asked_free(caps_asked *asked);
BASE_AUTO(caps_asked, caps_asked_free)
/* Takes the place of one that is open for the same use. HN_ELIMIT when too many are waiting. */
/* `root`: whose room it takes, the cti of the token's first link; nothing: its own. */
int caps_ask_put(caps_store *store, const caps_ask *ask, caps_view root, const caps_instant *now,
	hn_error **err);
int caps_ask_find(caps_store *store, const uint8_t hash[32], const caps_instant *now,
	caps_asked **asked, hn_error **err); /* HN_ENOENT */
/* The one for this use that can be used; with `session` also one that this session has used. 1 when
 * there is one, 0 when not. */
int caps_ask_for(caps_store *store, caps_view ref, const uint8_t params[32], int64_t now,
	const uint8_t *session, uint8_t hash[32], hn_error **err);
/* Used up by a session. HN_EAPPROVAL when it is not open. */
int caps_ask_use(
	caps_store *store, const uint8_t hash[32], const uint8_t session[8], hn_error **err);
/* One for break-glass that waits is open no more. HN_ENOENT. */
int caps_ask_cancel(caps_store *store, const uint8_t hash[32], hn_error **err);
/* Everything that waits, newest first. */
int caps_ask_each(caps_store *store, int64_t now,
	int (*each)(void *arg, const caps_ask *ask, uint64_t approvals), void *arg, hn_error **err);
/* Of a key, in place of an older one of it. */
int caps_approval_put(caps_store *store, const caps_approval *approval, const uint8_t key[32],
	caps_view person, hn_error **err);
/* Counts the persons of a keyset whose approvals were made in [from, to]. */
int caps_approval_votes(caps_store *store, const uint8_t hash[32], const caps_keyset *keyset,
	int64_t from, int64_t to, caps_votes *votes, hn_error **err);

#endif
