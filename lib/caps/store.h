/* SPDX-License-Identifier: MIT
 *
 * What a host remembers of capabilities: what was issued and revoked, epochs, counters, the trust
 * bundle, open sessions, and whether a local operator may act (caps.md sections 6, 8 and 10).
 */
#ifndef CAPS_STORE_H
#define CAPS_STORE_H

#include "caps/decide.h"
#include "caps/trust.h"

typedef struct caps_store caps_store;
extern const state_schema caps_store_schema[]; /* steps of the room "caps" */
extern const size_t caps_store_schema_count;
int caps_store_open(state_store *store, caps_store **out, hn_error **err);
void caps_store_close(caps_store *store);
BASE_AUTO(caps_store, caps_store_close)
/* Follows what other processes have committed: 1 when something changed, 0 when nothing did. Cheap:
 * one number is read. */
int caps_store_refresh(caps_store *store, hn_error **err);

/* --- revocation: a set in memory, and rows --- */
bool caps_store_revoked(const caps_store *store, const uint8_t cti[CAPS_CTI]);
/* Idempotent. `expires` in seconds: when the token ends by itself; the row goes 30 days after.
 * `audit`: its record, written in the same transaction, so that later ones have higher numbers. */
int caps_store_revoke(caps_store *store, const uint8_t cti[CAPS_CTI], int64_t expires,
	uint64_t audit, hn_error **err);
typedef enum caps_epoch_kind { CAPS_EPOCH_SUBJECT, CAPS_EPOCH_ISSUER } caps_epoch_kind;
/* Tokens of an epoch below this one are void. 0 when none was ever raised. */
uint64_t caps_store_epoch(
	const caps_store *store, caps_epoch_kind kind, const char *name, size_t size);
/* The same of the issuer whose key a kid names. */
uint64_t caps_store_issuer_epoch(const caps_store *store, const uint8_t kid[CAPS_KID]);
/* To one more, and above the epochs that the trust bundle has of an issuer: those are in use. */
int caps_store_epoch_raise(
	caps_store *store, caps_epoch_kind kind, const char *name, uint64_t *epoch, hn_error **err);
/* The record of it, which tells of the epoch; in the same transaction. */
int caps_store_epoch_recorded(caps_store *store, caps_epoch_kind kind, const char *name,
	uint64_t epoch, uint64_t audit, hn_error **err);
/* By which record of the audit log a token has ended that a decision found to be over, and by what,
 * where there is a better word than that of the ending; 0: none. */
int caps_store_ended(caps_store *store, const caps_token *token, caps_ending ending, uint8_t link,
	const char **by, uint64_t *audit, hn_error **err);
/* Rows of tokens that ended 30 days before `now` (seconds); the number. Not while the clock is
 * suspect: a jump would revive what was revoked. */
/* Is there any such row? 1 or 0. */
int caps_store_is_old(state_store *state, int64_t now, hn_error **err);
int caps_store_forget(caps_store *store, int64_t now, hn_error **err);

/* --- what was issued: hashes, never tokens --- */
/* `administers`: with it tokens can be issued here, or local operators be turned on. */
int caps_store_issued(caps_store *store, const caps_token *token, bool administers, hn_error **err);
typedef struct caps_issued {
	uint8_t cti[CAPS_CTI], kid[CAPS_KID];
	const char *subject, *template_name; /* borrowed for the call; template may be NULL */
	int64_t issued, expires;
	const char *revoked_by; /* "token", "subject", "issuer"; NULL: it is not revoked */
	bool administers;
} caps_issued;
/* Newest first; non-zero ends the walk. */
int caps_store_issued_each(caps_store *store, int (*each)(void *arg, const caps_issued *one),
	void *arg, hn_error **err);

/* --- D7: counters, in the transaction of the effect --- */
/* Takes from every counted caveat of the decision but those that are held, or from none. `bytes`:
 * that this request would move. HN_EQUOTA, HN_ERATE with allow_again in `decision`. `now` in ns. */
int caps_store_count(caps_store *store, const caps_token *token, caps_decision *decision,
	uint64_t bytes, int64_t now, hn_error **err);

/* --- what is held (caveat 10, kinds 2 and 3): vCPUs and memory of an object in use --- */
enum { CAPS_HELD_VCPUS, CAPS_HELD_MEMORY, CAPS_HELD };
typedef struct caps_holding {
	const char *object;
	uint64_t to[CAPS_HELD];   /* what it is to have */
	uint64_t from[CAPS_HELD]; /* what it has without being asked for: the rest is counted */
	bool whole; /* all is asked for anew: what anybody holds of the same kind is given back */
} caps_holding;
/* Has the token any such quota? */
bool caps_token_holds(const caps_token *token);
/* What is neither there nor held by anybody yet is held by every such caveat of the decision, or
 * nothing is changed. HN_EQUOTA. */
int caps_store_hold(caps_store *store, const caps_token *token, caps_decision *decision,
	const caps_holding *asked, hn_error **err);
/* Is anything of this object held? 1 or 0. */
int caps_hold_any(state_store *state, const char *object, hn_error **err);
/* Gives back what is held above `most`, or all. */
int caps_hold_trim(
	state_store *state, const char *object, const uint64_t most[CAPS_HELD], hn_error **err);
int caps_hold_release(state_store *state, const char *object, hn_error **err);

/* --- the trust bundle --- */
const caps_bundle *caps_store_bundle(const caps_store *store); /* NULL: none yet */
/* Already read and checked against the current one. */
int caps_store_bundle_put(
	caps_store *store, const uint8_t *bytes, size_t size, uint64_t audit, hn_error **err);

/* --- sessions of all processes --- */
typedef struct caps_session_row {
	uint8_t id[8];
	const char *subject, *program; /* borrowed for the call */
	int64_t opened;                /* wall, seconds */
	int64_t pid;
	uint64_t boot; /* hash of the boot id: a row of another boot is of nobody */
	bool cut;
} caps_session_row;
int caps_store_session_put(caps_store *store, const caps_session_row *row, hn_error **err);
int caps_store_session_remove(caps_store *store, const uint8_t id[8], hn_error **err);
int caps_store_session_each(caps_store *store, int (*each)(void *arg, const caps_session_row *row),
	void *arg, hn_error **err);
int caps_store_session_cut(caps_store *store, const uint8_t id[8], hn_error **err); /* HN_ENOENT */
bool caps_store_session_is_cut(const caps_store *store, const uint8_t id[8]);

/* --- may uid 0 act without a capability? On until it is turned off. --- */
int caps_store_local_look(state_store *store, bool *allowed, hn_error **err);
int caps_store_local_set(caps_store *store, bool on, hn_error **err);

/* Do calls that are sealed first wait for witnesses? They do not, until it is turned on. */
int caps_store_witness_look(state_store *state, bool *required, hn_error **err);
int caps_store_witness_set(state_store *state, bool required, hn_error **err);

/* Are tokens taken while nothing keeps the clock in step? They are, until it is turned off. */
int caps_store_unsynchronised_look(caps_store *store, bool *allowed, hn_error **err);
int caps_store_unsynchronised_set(caps_store *store, bool allowed, hn_error **err);

/* --- the clock's high-water mark --- */
typedef struct caps_clock_mark {
	int64_t wall, boottime; /* ns */
	char boot_id[64];       /* "" : none yet */
	bool suspect;           /* until accepted */
} caps_clock_mark;
int caps_store_clock(caps_store *store, caps_clock_mark *mark, hn_error **err);
int caps_store_clock_put(caps_store *store, const caps_clock_mark *mark, hn_error **err);

#endif
