/* SPDX-License-Identifier: MIT
 *
 * The decision about one request: caps.md section 6, D2 to D6. Pure: what the token may not know
 * comes through `caps_facts`. D1 (the session, the audit log) is the host's, D7 and D8 (counters
 * and the durable record) are the store's.
 */
#ifndef CAPS_DECIDE_H
#define CAPS_DECIDE_H

#include "caps/token.h"

typedef enum caps_channel_kind {
	CAPS_CHANNEL_PROCESS,
	CAPS_CHANNEL_TLS,
	CAPS_CHANNEL_UNIX,
	CAPS_CHANNEL_VSOCK,
	CAPS_CHANNEL_MESH
} caps_channel_kind;
#define CAPS_CHANNELS 5
const char *caps_channel_text(unsigned kind); /* "process", "tls" ...; NULL: no such kind */

/* Seconds that a link may seem to begin later than now: clocks of issuer and host differ. */
#define CAPS_CLOCK_LEEWAY 30

typedef struct caps_request {
	hn_verb verb;
	const char *object; /* canonical, resolved: unit/<uuid>... */
	bool whole;         /* the object may have stars: all that it matches is asked for */
	const char *reason; /* NULL: none */
	bool any_reason;    /* supposed: one that is long enough */
	caps_channel_kind channel;
	const char *listener;   /* NULL: none */
	const uint8_t *address; /* 4 or 16 bytes of the source; NULL: none */
	size_t address_size;
	const char *peer;        /* spiffe id; NULL: none */
	const uint8_t *peer_key; /* 32 bytes hash; NULL: none */
	uint8_t hash[32];        /* SHA-256 of the canonical request: what approvals are over */
} caps_request;

/* Why no request of a token will ever pass again. */
typedef enum caps_ending {
	CAPS_ENDS_NOT,
	CAPS_ENDS_ISSUER,  /* all of its issuer key, or of that epoch of it */
	CAPS_ENDS_SUBJECT, /* all that its subject was given until then */
	CAPS_ENDS_LINK,    /* one link, with all that was made from it */
	CAPS_ENDS_TIME     /* a link has expired */
} caps_ending;
typedef struct caps_ended { /* what is on record of it */
	const char *by;     /* static: another word for it; NULL: that of the ending */
	int64_t since;      /* seconds; 0: not known */
	uint64_t record;    /* of the audit log; 0: none */
	bool tells_reason;  /* it may be told, with NULL when there is none */
	char *reason;       /* owned by who asked */
} caps_ended;

/* What the caller knows of its world; every function may be NULL: then what would need it denies.
 * An `until` is the first second at which what was said may no longer hold. */
typedef struct caps_facts {
	void *arg;
	int64_t earliest, latest; /* seconds since 1970 */
	bool clock_suspect;
	int64_t revocation_age; /* seconds since the revocation view was last known to be whole;
				   negative: unknown */
	/* Is the issuer key of this kid, with its epoch, still one of the trust bundle? */
	bool (*issuer)(void *arg, const uint8_t kid[CAPS_KID]);
	bool (*revoked)(void *arg, const uint8_t cti[CAPS_CTI]);
	uint64_t (*subject_epoch)(void *arg, const char *subject, size_t size);
	/* Does the unit of the object have the tag "ns:name"? 1, 0, or negative: not to be known */
	int (*tag)(void *arg, const char *object, const char *tag, size_t size);
	/* Resolved value of a parameter that the request sets. 1 number, 2 text, 0 the verb sets no
	 * such key, -1 it sets it but brings no value */
	int (*parameter)(void *arg, const caps_request *request, const char *key, size_t size,
		int64_t *number, const char **text);
	/* Zone data by name, a reference that the caller drops; NULL: this host lacks it. Asked
	 * when a program is made. */
	struct codec_zone *(*zone)(void *arg, const char *name, size_t size);
	/* Valid approvals for the request's hash under a keyset within max_age: persons; and until
	 * when */
	int (*approvals)(void *arg, const uint8_t keyset[32], const uint8_t request_hash[32],
		int64_t max_age, int64_t *until);
	bool (*mfa)(void *arg, const uint8_t keyset[32], int64_t max_age, int64_t *until);
	/* Since when it is over and what is on record of that, for explanations only; NULL: not
	 * known. `link` only where it is one that ended. */
	void (*ended)(void *arg, const caps_token *token, caps_ending ending, uint8_t link,
		caps_ended *ended);
} caps_facts;

/* Each check of an explanation: in the order of evaluation. */
typedef struct caps_check {
	uint8_t link, slot; /* CAPS_LINK_NONE: not of a link, not a caveat */
	uint16_t id;        /* of the caveat; 0: none */
	int8_t grant;       /* of this grant; -1: of the chain */
	bool holds;
	const caps_caveat *caveat; /* NULL: none */
	const char *what;          /* static: the name of the caveat, or what else is asked */
	const char *why;           /* static; NULL when it holds */
} caps_check;

typedef struct caps_decision {
	hn_code code; /* HN_OK: allowed so far */
	uint8_t link, slot;
	uint16_t caveat;     /* id; 0: no caveat decided */
	const char *why;     /* static; NULL when allowed */
	int64_t valid_until; /* the first second at which to ask again; 0 when denied */
	/* When nothing but time stands against it: the first second, within 366 days, at which
	 * the clock would let it pass; 0: not by waiting, as far as was looked */
	int64_t allow_again;
	bool lost;          /* denied, and no request of this token will ever pass */
	caps_ending ending; /* then by what; `link` says which */
	size_t grant;       /* that allowed, or would have by verb and object; SIZE_MAX: none */
	uint8_t redact[CAPS_MASK_BYTES];
	/* caveats 10 and 11 in the path that allowed, for D7 */
	const caps_caveat *counted[CAPS_CAVEATS];
	size_t counted_count;
	bool uses_tags, uses_approval; /* wake the session when those change */
} caps_decision;
/* As before anything was decided: no rule, no grant. The list of counted caveats is not touched. */
void caps_decision_begin(caps_decision *decision);
typedef void (*caps_note)(void *arg, const caps_check *check);

/* A token made ready for many decisions: its caveats decoded once, its zones found. Borrows the
 * token. */
typedef struct caps_program caps_program;
int caps_program_new(
	const caps_token *token, const caps_facts *facts, caps_program **program, hn_error **err);
void caps_program_free(caps_program *program);
BASE_AUTO(caps_program, caps_program_free)
/* What cannot be decided is denied. `note` (may be NULL) is told every check, and then nothing is
 * cut short. */
void caps_decide_program(const caps_program *program, const caps_request *request,
	const caps_facts *facts, caps_decision *decision, caps_note note, void *arg);
/* The same for one decision. Out of memory denies, with HN_ENOMEM. */
void caps_decide(const caps_token *token, const caps_request *request, const caps_facts *facts,
	caps_decision *decision, caps_note note, void *arg);

/* Writes members of the object that is open: verb, object, allowed; code, why, rule {link, slot,
 * caveat, text} when denied; validUntil, allowAgain, lost, ended {by, link, cti, since, record,
 * reason}, redact, counted; and in "checks" every grant and caveat with its own answer. */
void caps_explain(const caps_program *program, const caps_request *request, const caps_facts *facts,
	hn_json *json);

/* "ended" alone, of an issuer that the caller found not to be trusted any more, or of what a
 * decision says. */
void caps_explain_ended(hn_json *json, const caps_token *token, caps_ending ending, uint8_t link,
	const caps_facts *facts);

/* The parsed forms of the two counted caveats. */
typedef struct caps_quota {
	uint64_t unit, amount;
} caps_quota;
typedef struct caps_rate {
	uint64_t count, seconds, burst;
} caps_rate;
bool caps_quota_read(const caps_caveat *caveat, caps_quota *quota);
bool caps_rate_read(const caps_caveat *caveat, caps_rate *rate);

#endif
