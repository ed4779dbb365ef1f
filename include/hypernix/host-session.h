/* SPDX-License-Identifier: MIT
 *
 * Sessions: who asks, with what right, and until when. Every call that reads or changes a host
 * takes one.
 */
#ifndef HYPERNIX_HOST_SESSION_H
#define HYPERNIX_HOST_SESSION_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Why a session is opened, and by which program. */
typedef struct hn_session_options {
	uint32_t size;
	const char *reason;  /* why, for the audit log; needed by verbs with flag R */
	const char *program; /* name of the frontend */
	/* The rest is for hn_session_open alone. */
	const char *key; /* file of the holder's key: proves possession; NULL = the token has its
			    proof, or is a bearer token */
	const char *passphrase; /* of that file; NULL = it is wrapped by a key beside it */
	const char *channel;    /* "process" (NULL), "tls", "unix", "vsock", "mesh" */
	const char *binding;    /* hexadecimal, at most 64 bytes: what the channel is bound to */
	const char *listener;   /* the name of the socket it came in by; NULL = none */
	const char *address;    /* of its source, IPv4 or IPv6; NULL = none */
	const char *peer;       /* "spiffe://<cluster>/node/<id>"; NULL = none */
	bool request_only; /* nothing is done: what would change something ends with HN_EAPPROVAL,
			      and hn_approval_request asks for it */
} hn_session_options;
#define HN_SESSION_OPTIONS_INIT                                                                    \
	{                                                                                          \
		.size = sizeof(hn_session_options)                                                 \
	}
/**
 * Opens the session of a local operator: effective uid 0 in this process. Everything it changes
 * is on record, with reason, process and terminal.
 *
 * @param host  the host to act on; the session holds a reference
 * @param options  reason and program; NULL for none
 * @param session  receives the session; release it with hn_session_unref
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EDENIED unless root; HN_ELIMIT when the reason is longer than TEXT_BYTES;
 * HN_EINVAL; HN_ENEWER; HN_EIO; HN_ENOMEM
 * Threads: the one that has the host
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_session_open_local(
	hn_host *host, const hn_session_options *options, hn_session **session, hn_error **err);

/**
 * Opens the session of a service: what acts without an operator, under its own name
 * "service/<name>". It may do what hn_services_load gave to that name. Of two parts of hypernix
 * that holds only when it says something of them: "activation" reads, makes, changes, starts, stops
 * and removes units, and takes tags away; "supervision" restarts units by their restart policies.
 *
 * Who opened it, by uid, login, process and program, is on record before its first change; while
 * local operators are turned off, and for every service that was configured, at once.
 *
 * @param host  the host to act on; the session holds a reference
 * @param name  of the service
 * @param options  reason and program; NULL for none
 * @param session  receives the session; release it with hn_session_unref
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there is no such service; HN_EDENIED when it is turned off, and unless
 * root; HN_ELIMIT when the reason is longer than TEXT_BYTES; HN_EINVAL; HN_ENEWER; HN_EAUDIT;
 * HN_EIO; HN_ENOMEM
 * Threads: the one that has the host
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_session_open_service(hn_host *host, const char *name,
	const hn_session_options *options, hn_session **session, hn_error **err);

/**
 * Takes one more reference of a session.
 *
 * @param session  may be NULL
 * @return session
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_session *hn_session_ref(hn_session *session);

/**
 * Gives a reference of a session back.
 *
 * @param session  may be NULL
 * @return NULL
 * Errors: none
 * Threads: any, but not while another uses it
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API hn_session *hn_session_unref(hn_session *session);

/**
 * Would the session be allowed to do this? Nothing is done and nothing is recorded.
 *
 * @param session  who asks
 * @param verb  such as "unit.start" (lib/base/verbs.def)
 * @param object  such as "unit/<uuid>"
 * @param err  set on failure; may be NULL
 * @return 0 when it is allowed, or a negative hn_code
 * Errors: HN_ESESSION when session is NULL; HN_EINVAL when there is no such verb, or object is
 * not the name of one; HN_EDENIED; HN_EREASON when the verb needs a reason that the session does
 * not have
 * Threads: the one that has the session
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_session_check(
	hn_session *session, const char *verb, const char *object, hn_error **err);

/**
 * Tells which classes the last answer to a session had not, since the terms of its token redact
 * them (hypernix-capability(5), ANSWERS): texts of them are NULL, numbers are -1 or 0, keys are not
 * there.
 *
 * @param session  the session; may be NULL
 * @return bits of hn_redact; 0 when nothing was left out
 * Errors: none
 * Threads: the one that has the session
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API uint32_t hn_session_redacted(const hn_session *session);

/**
 * Opens the session of a token's holder: it may do what the token allows, while it does.
 *
 * The token is checked whole, then its possession: by the key file of the options, by the proof
 * inside over a challenge of this host, or, for a bearer token, by the token itself.
 *
 * @param host  the host to act on; the session holds a reference
 * @param token  "hvc1." and base64url; borrowed
 * @param options  reason, program, key and channel; NULL for none
 * @param session  receives the session; release it with hn_session_unref
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ETOKEN with one and the same text whatever was wrong with the token, why is in the
 * audit log; HN_EBUNDLE when the host has no trust bundle; HN_ECLOCK when its clock is not to be
 * trusted; HN_EKEY, HN_ECRYPT when the key file is not usable; HN_ELIMIT; HN_EINVAL; HN_ENEWER;
 * HN_EIO; HN_ENOMEM
 * Threads: the one that has the host
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 9052, RFC 8392, RFC 8747; hypernix-capability(5)
 */
HN_API int hn_session_open(hn_host *host, const char *token, const hn_session_options *options,
	hn_session **session, hn_error **err);

/**
 * Gives a nonce that a proof of possession must be over: good for 30 seconds, and once.
 *
 * @param host  the host that will be asked
 * @param nonce  receives 32 hexadecimal digits; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL; HN_EIO; HN_ENOMEM
 * Threads: the one that has the host
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_session_challenge(hn_host *host, char **nonce, hn_error **err);

/**
 * Shows a fresh proof of possession to an open session, for verbs that need one (flag F), such as
 * cap.issue: it is good for one such call within 30 seconds. Or a second factor, for tokens whose
 * terms ask for one.
 *
 * @param session  of a token; a local operator needs no proof
 * @param token  the same token with a proof over a new challenge, the verb and its object; or an
 * assertion of hn_approval_assert over a new challenge, which stays good for as long as the token's
 * terms say; borrowed
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ETOKEN when it is another token or the proof is not good; HN_ESESSION when the session
 * is over; HN_EINVAL for a session without a token; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_session_prove(hn_session *session, const char *token, hn_error **err);

/**
 * Explains what a session may do: the verdict, the rule that decides, until when it holds and when
 * it would be allowed again, and every grant and caveat with its own answer. A unit that the
 * session may not read, or not all of (redact), is explained as a missing one; where a missing one
 * would have another verdict, the true verdict is all that is said. What it will be able to read
 * in its hours, when those come within a year and before its token ends, is explained as it is. A
 * session that was lost because its token is revoked or has expired is explained too: what ended
 * it, which link, and since when.
 *
 * @param session  who asks
 * @param verb  such as "unit.start"
 * @param object  such as "unit/<uuid>"
 * @param json  receives a JSON object: allowed, code, why, validUntil, allowAgain, rule, ended,
 * checks; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 also when the verdict is no, or a negative hn_code
 * Errors: HN_ESESSION when session is NULL, or was lost otherwise; HN_EINVAL when there is no such
 * verb, or object is not the name of one; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_session_explain(
	hn_session *session, const char *verb, const char *object, char **json, hn_error **err);

/**
 * Explains what somebody else's token would allow on this host, as hn_session_explain does it for
 * its holder: no key is needed, and nothing is done with the token. One that nobody would accept is
 * denied with the reason that its holder is not told. Who may read the audit log is told which
 * record ended it, and the reason there. Tags and values show of units that the session may read
 * whole; what any term of its own token redacts is left out, and told by hn_session_redacted.
 *
 * @param session  needs cap.read on node/<id>
 * @param token  text of the token, borrowed; with or without a proof
 * @param verb  such as "unit.start"
 * @param object  such as "unit/<uuid>"
 * @param json  receives a JSON object as hn_session_explain gives it; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 also when the verdict is no, or a negative hn_code
 * Errors: HN_ESESSION when session is NULL or lost; HN_EDENIED; HN_ETOKEN when it is no token;
 * HN_EBUNDLE when the host has no trust bundle; HN_EINVAL when there is no such verb; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_session_explain_token(hn_session *session, const char *token, const char *verb,
	const char *object, char **json, hn_error **err);

/** Told once that a session is over: why is "expired", "revoked", "window", "clock", "cut",
 * "audit", "local" when local operators were turned off, or "service" when what a service may do
 * was changed; borrowed for the call. */
typedef void (*hn_session_loss_fn)(void *arg, const char *why);

/**
 * Sets who is told when the session is lost: once, from within hn_session_live, hn_session_wait or
 * any other call with this session that notices it.
 *
 * @param session  the session
 * @param fn  told; NULL: nobody
 * @param arg  given to fn
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION when session is NULL
 * Threads: the one that has the session
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_session_on_loss(
	hn_session *session, hn_session_loss_fn fn, void *arg, hn_error **err);

/** Asked for a fresh proof of possession: gives hn_session_prove one over this verb, object and
 * hash of the request (64 hexadecimal digits), and 0; or a negative number. */
typedef int (*hn_session_fresh_fn)(
	void *arg, const char *verb, const char *object, const char *request);

/**
 * Sets who is asked for the fresh proof that a verb such as cap.issue needs: from within the call
 * that needs it, which then goes on. Without anybody it is refused, and hn_session_refused says
 * over what the proof must be.
 *
 * @param session  the session
 * @param fn  asked, once a call; NULL: nobody
 * @param arg  given to fn
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION when session is NULL
 * Threads: the one that has the session
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_session_on_fresh(
	hn_session *session, hn_session_fresh_fn fn, void *arg, hn_error **err);

/**
 * Tells which call of this session was refused last for want of an approval or a fresh proof:
 * what those are over.
 *
 * @param session  the session
 * @param json  receives a JSON object: verb, object, arguments, and request, the SHA-256 of the
 * canonical form of these as 64 hexadecimal digits; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when none was; HN_ESESSION; HN_EINVAL; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: no
 * Allocates: yes
 * Since: 0.1
 * Source: RFC 8949 section 4.2.1; hypernix-capability(5)
 */
HN_API int hn_session_refused(hn_session *session, char **json, hn_error **err);

/**
 * Is the session still open? Looks at what ended it: the end of a token or of its window, a
 * revocation, a cut, a clock that is not to be trusted, local operators that were turned off, a
 * service that is not what it was. A lost session closes the consoles that it
 * opened. Loops that hold a console call it, or hn_session_wait with a timeout of 0, at least four
 * times a second.
 *
 * @param session  the session
 * @param err  set on failure; may be NULL
 * @return 0 while it is open, or a negative hn_code
 * Errors: HN_ESESSION with why; HN_EBUSY or HN_ENOMEM when it cannot be told now: the session is
 * not lost by that, and a later call tells it
 * Threads: the one that has the session
 * Blocks: no; at most every 250 ms it reads one number from the database
 * Allocates: only for an error
 * Since: 0.1
 */
HN_API int hn_session_live(hn_session *session, hn_error **err);

/**
 * Waits until the session is lost. Where that cannot be told it goes on for three seconds after it
 * last could.
 *
 * @param session  the session
 * @param timeout  ns; negative: for ever
 * @param cancel  ends the wait early; may be NULL
 * @param err  set on failure; may be NULL
 * @return 0 when it is open still after timeout, or a negative hn_code
 * Errors: HN_ESESSION with why; HN_ECANCELLED; HN_EBUSY or HN_ENOMEM when it cannot be told any
 * more: the session is not lost by that, but what goes on with it is to be ended
 * Threads: the one that has the session
 * Blocks: yes, up to timeout
 * Allocates: only for an error
 * Since: 0.1
 */
HN_API int hn_session_wait(hn_session *session, int64_t timeout, hn_cancel *cancel, hn_error **err);

/**
 * Lists the open sessions of all processes that can be cut: of tokens, of break-glass, of services
 * that were configured or act while local operators are turned off, and of operators who opened a
 * console.
 *
 * @param session  needs session.read on node/<name>
 * @param json  receives a JSON array of objects: id, subject, program, pid, opened, cut; release it
 * with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_session_list(hn_session *session, char **json, hn_error **err);

/**
 * Cuts a session: within a second its holder can do nothing with it any more.
 *
 * @param session  needs session.cut on node/<name>
 * @param id  16 hexadecimal digits, as listed; borrowed
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when no such session is open; HN_EINVAL; HN_ESESSION; HN_EDENIED; HN_EAUDIT;
 * HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_session_cut(hn_session *session, const char *id, hn_error **err);

/**
 * Turns local operators on or off: whether uid 0 may act without a token. They are on at first.
 *
 * @param session  needs node.role on node/<name>, and a reason
 * @param allowed  false: from now on only tokens and services act
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EREASON; HN_EBUNDLE when it would lock everybody out, since the host has no trust
 * bundle; HN_ESESSION; HN_EDENIED; HN_ESIGNER; HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_session_local_allow(hn_session *session, bool allowed, hn_error **err);

/**
 * Tells whether uid 0 may act without a token.
 *
 * @param session  needs node.read on node/<name>
 * @param allowed  receives it
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EINVAL without a place for it; HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_session_local_allowed(hn_session *session, bool *allowed, hn_error **err);

/**
 * Says which services there are, and what each may do: these, and no others. Sessions of those that
 * change are lost within a second. Loading what is there already is no change.
 *
 * @param session  needs node.role on node/<name>; a change needs a reason
 * @param services  a JSON object: by its name each service's grants and conditions, in the words of
 * terms, or false: it is turned off, which "activation" and "supervision" else never are; borrowed
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESYNTAX, HN_ESCHEMA, HN_ERANGE, HN_EEXCLUSIVE with the place; HN_ELIMIT; HN_EINVAL;
 * HN_EREASON; HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 * Source: hypernix-capability(5)
 */
HN_API int hn_services_load(hn_session *session, const char *services, hn_error **err);

/**
 * Lists what services were configured.
 *
 * @param session  needs cap.read on node/<name>
 * @param json  receives a JSON object of terms by name, false where one is turned off; release it
 * with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION; HN_EDENIED; HN_EINVAL; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_services_list(hn_session *session, char **json, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
