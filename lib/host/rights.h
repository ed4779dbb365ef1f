/* SPDX-License-Identifier: MIT
 *
 * What a host knows to decide about tokens, and the sessions that were opened with one.
 */
#ifndef HOST_RIGHTS_H
#define HOST_RIGHTS_H

#include "caps/breakglass.h"
#include "caps/caveat.h"
#include "caps/decide.h"
#include "caps/holder.h"
#include "caps/signer.h"
#include "caps/store.h"
#include "caps/verify.h"
#include "caps/zones.h"
#include "host/host-private.h"

#define HOST_NONCE 16
#define HOST_NONCES 256 /* challenges that are open at a time */
#define HOST_FACTORS 4  /* second factors of one session */

/* --- of the host (rights.c) --- */
typedef struct host_rights {
	caps_store *store;
	caps_cache *cache;
	uint8_t nonce_key[32];
	uint32_t nonce_count;
	uint8_t used[HOST_NONCES][HOST_NONCE]; /* nonces that were shown, until they end anyway */
	size_t used_count, used_next;
	caps_zones *zones;
	int64_t next_look;   /* monotonic ns: when the store is looked at again */
	int64_t now;         /* the same clock, as of the last question when that is */
	int64_t fresh;       /* the same, at which our view of revocations was whole */
	uint64_t looks;      /* what a decision knows of this host stays as it is between two */
	os_interval clock;   /* as of the last look */
	bool suspect;        /* of the clock */
	int64_t sessions;    /* open in this process, of tokens and break-glass */
	bool unsynchronised; /* it may be that, and tokens are taken all the same */
	int64_t next_mark;   /* monotonic ns: no mark of the clock is tried before */
} host_rights;
/* Made on first use: most programs never see a token. */
int host_rights_get(hn_host *host, host_rights **rights, hn_error **err);
void host_rights_free(host_rights *rights);
/* Drops what was kept about tokens that ended long ago, by a clock that is kept in step and not in
 * doubt. */
void host_rights_forget(hn_host *host);
/* Is there any of that, which is kept since the clock is not such? 1 or 0. */
int host_rights_unforgotten(hn_host *host, const host_rights *rights, hn_error **err);
/* At most every 250 ms, or at once with `now`: what others committed, and the clock. */
int host_rights_look(hn_host *host, host_rights *rights, bool now, hn_error **err);
int host_rights_now(hn_host *host, host_rights **rights, hn_error **err); /* both */
/* Is the clock such that tokens are not taken? */
bool host_clock_denies(const host_rights *rights);
int host_nonce_make(hn_host *host, uint8_t nonce[HOST_NONCE], hn_error **err);
/* Ours, not older than 30 seconds, and not used up before. */
bool host_nonce_is_open(hn_host *host, const uint8_t nonce[HOST_NONCE]);
/* Uses up one that is open. There is room for so many: only of proofs that hold. */
bool host_nonce_use(hn_host *host, const uint8_t nonce[HOST_NONCE]);

/* --- of a session (session-token.c) --- */
typedef struct host_holder { /* of a token */
	caps_token *token;
	caps_program *program; /* its caveats, decoded */
	caps_channel_kind channel;
	uint8_t binding[64];
	size_t binding_size;
	char *listener, *peer;
	uint8_t address[16];
	size_t address_size;
	hn_verb fresh_verb; /* HN_VERB_COUNT: no fresh proof */
	char fresh_object[BASE_OBJECT_SIZE];
	uint8_t fresh_request[32];
	int64_t fresh_until; /* boot ns */
	bool wants_fresh;    /* all that the last decision missed was a fresh proof */
	hn_session *asker;   /* on whose behalf it is only explained; NULL: the holder's own */
	caps_ending ending;  /* why it is over for good, and by which link */
	uint8_t ended_link;
	bool attainable; /* with persons, a second factor and a reason it would be a yes */
	/* the unit whose tags and values a decision asks for, as it resolves now; kept for the
	 * length of one decision */
	char unit[37];
	hn_view *view;
	bool asks_approval; /* some caveat does: only then a request is hashed */
	bool blind;         /* units are as if they were missing: no tags, no values */
	bool values_later;  /* an edit goes on: bounds are asked when its values are known */
	bool timeless;      /* of a service: the time decides nothing */
	bool has_already;   /* what is admitted takes no more than the unit has: resumed, or
			       restarted by its policy */
	bool under_way;     /* a permit is asked about again: what it has used up counts for it */
	/* what let the members of a list pass that goes on; NULL: none does */
	caps_decision *listing;
	/* assertions of a second factor: signed over a challenge of ours */
	struct {
		uint8_t key[32];
		int64_t at; /* boot ns */
	} factors[HOST_FACTORS];
	size_t factor_count;
} host_holder;
void host_holder_free(host_holder *holder);
/* A session of a token that nobody proves to hold, for `asker` to have it explained: it is in no
 * list, and nothing is done with it. `reason` is set when the token is not accepted. HN_ETOKEN when
 * it is none; HN_EBUNDLE. */
int host_session_asked(hn_session *asker, const char *token, hn_session **session,
	const char **reason, hn_error **err);
/* What it may be asked: the request of a session, and the facts of this host (session-facts.c). */
void host_request_fill(
	const hn_session *session, hn_verb verb, const char *object, caps_request *request);
int host_facts_fill(hn_session *session, caps_facts *facts, hn_error **err);
/* As if everybody had approved, with a second factor and a reason. */
void host_facts_suppose(caps_facts *facts, caps_request *request);
/* Can what a code waits for be had? Of the decision that was made last. */
bool host_attainable(const hn_session *session, int code);
void host_facts_done(hn_session *session);
/* One decision about a token's request; never fails, since what cannot be decided is denied. With
 * `note` every check is told (explain). */
int host_token_decide(hn_session *session, hn_verb verb, const char *object,
	caps_decision *decision, caps_note note, void *arg, hn_error **err);
/* The error of a decision that is no. */
int host_decision_error(const hn_session *session, hn_verb verb, const char *object,
	const caps_decision *decision, hn_error **err);

/* What any term of its token leaves out. */
void host_redacts_fill(hn_session *session);
/* The classes of a decision; HN_EDENIED when this version does not know one of them. */
int host_decision_redact(const caps_decision *decision, uint32_t *classes);

/* --- the parts of an admission (admit.c) --- */
int host_decide(hn_session *session, hn_verb verb, const char *object, caps_decision *decision,
	hn_error **err);
/* What was refused: kept when it can be asked for, and on record, inside a transaction when that is
 * over. */
void host_note_denial(hn_session *session, hn_verb verb, const char *object, int code,
	const caps_decision *decision);

/* A list is one use of whatever let its members pass, however many they are: what counts is
 * gathered in `all` from begin on, and counted by end, which says whether there was so much left.
 * Who is no holder of a token is not counted. */
void host_list_begin(hn_session *session, caps_decision *all);
int host_list_end(hn_session *session, int rc, hn_error **err);

/* --- quotas that are held (hold.c), each in the transaction that is open --- */
/* At the admission of a start: all that the unit takes is held by who asks. */
int host_hold_start(hn_session *session, const char *object, caps_decision *decision,
	host_permit *permit, hn_error **err);
/* A start that failed: the unit is no more to run than it was. */
int host_hold_failed(host_permit *permit, hn_error **err);

/* --- approvals (approve.c) --- */
/* Requests are of a link of the token: that of the session, whatever else its holder has; without a
 * token of the subject. Borrowed from the session. */
caps_view host_asker(const hn_session *session);
/* Persons of the keyset who approved this use, and until when that holds: a fact of a decision. */
int host_approval_count(hn_session *session, const uint8_t keyset[32],
	const uint8_t request_hash[32], int64_t max_age, int64_t *until);
/* A second factor within max_age: a fact too. */
bool host_factor_fresh(
	hn_session *session, const uint8_t keyset[32], int64_t max_age, int64_t *until);
/* Takes an assertion over one of our challenges, by a key of any keyset. HN_ETOKEN. */
bool host_factor_is(const char *text);
int host_factor_take(hn_session *session, const char *text, const char **reason, hn_error **err);
/* Does what allowed this rest on an approval? */
bool host_approval_needed(const hn_session *session, const caps_decision *decision);
/* Uses it up, in the transaction of the allow record. HN_EAPPROVAL. */
int host_approval_use(hn_session *session, hn_verb verb, const char *object, hn_error **err);

/* --- break-glass (breakglass.c) --- */
/* The time of this host, and what holds the boot id. */
caps_instant host_instant(hn_host *host, os_interval *interval);
const char *host_glass_over(hn_session *session); /* why; NULL while it is open */
/* Ends what is over by time, and sends the alarm of what was not reviewed: whenever somebody comes.
 */
void host_glass_look(hn_host *host);

/* --- over (session-watch.c) --- */
/* Is it an operator's, and they are turned off since, or a service's that is not what it was? A
 * look each 250 ms. */
const char *host_setting_over(hn_session *session);
/* May what goes on go on, though a look has failed with this code? Where that passes by itself, for
 * a few seconds after the last look that could tell. */
bool host_session_goes_on(const hn_session *session, int code);
/* Is it over because its token is, for good? */
bool host_token_ended(const hn_session *session);
/* Tells whoever wants to know, and closes what was opened with it. Idempotent. */
void host_session_lose(hn_session *session, const char *why);
void host_session_close(hn_session *session); /* its holder wants no more; nobody is told */
/* In the list of open sessions, and out of it again; both are on record. */
int host_session_register(hn_session *session, hn_error **err);
/* The same of one that acts by a token or by break-glass, unless it is there: before it changes
 * anything. announce: where it is opened; on a full disk it may look all the same. */
int host_session_enlist(hn_session *session, hn_error **err);
int host_session_announce(hn_session *session, hn_error **err);
void host_session_ended(hn_session *session, const char *why);
/* Its "opened" record, unless that is there. */
int host_session_opened(hn_session *session, hn_error **err);

/* --- consoles (gate-console.c) --- */
struct hn_console {
	hn_session *session; /* whose end ends it too; NULL: it is shut */
	int fd;
	os_lock *held; /* while it is the one that is served */
	hn_error *why; /* it was shut before its holder gave it back */
	char object[BASE_OBJECT_SIZE];
};
/* Ends the connection for whoever has the descriptor, which stays its holder's to close. Takes the
 * reference to `why`, which may be NULL. */
void host_console_shut(hn_console *console, hn_error *why);

/* --- keys (keys.c) --- */
/* The one signer of this host: its keys in <state>/keys, or hv-signer behind its socket. Opened on
 * first use. */
int host_signer(hn_host *host, crypto_signer **signer, hn_error **err);
/* Are there keys, or a socket? Keys are made where they are asked for; looking is not to do it. */
int host_has_signer(hn_host *host, bool *has, hn_error **err);
/* The same for what needs no trust bundle. */
int host_signer_plain(hn_host *host, crypto_signer **signer, hn_error **err);
#endif
