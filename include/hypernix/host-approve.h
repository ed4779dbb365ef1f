/* SPDX-License-Identifier: MIT
 *
 * What needs more than one person: approvals of one use, and break-glass. Also the host's clock,
 * which all rules about time stand on. Signing an approval is in caps-approve.h.
 */
#ifndef HYPERNIX_HOST_APPROVE_H
#define HYPERNIX_HOST_APPROVE_H

#include <hypernix/caps-approve.h>
#include <hypernix/host-session.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Asks for approval of one call by this session: of this verb on this object with these
 * arguments, and of nothing else. It takes the place of an open request for the same call.
 *
 * @param session  needs unit.delete on unit/<uuid>, say: what is asked for, but for its approvals
 * @param verb  such as "unit.delete": a call of it that has no arguments; NULL: the call that was
 * refused last, as hn_session_refused tells
 * @param object  such as "unit/<uuid>"; NULL without verb
 * @param reason  what those who approve are told, at most 512 bytes; NULL: that of the session
 * @param ttl  seconds in which it can be used, at most a day; 0: an hour
 * @param request  receives "hvr1." and base64url, to be sent to those who approve; release it with
 * hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EREASON when there is no reason; HN_ERANGE for another ttl; HN_EBUNDLE when the host
 * has no trust bundle; HN_ELIMIT when too many requests wait; HN_ENOENT when no call was refused;
 * HN_EINVAL also when nothing is missing that could be approved; HN_ESESSION; HN_EDENIED;
 * HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 * Source: hypernix-capability(5)
 */
HN_API int hn_approval_request(hn_session *session, const char *verb, const char *object,
	const char *reason, int64_t ttl, char **request, hn_error **err);

/**
 * Takes an approval in: from then on its person counts for the request. Who brings it does not
 * matter, since it is signed.
 *
 * @param session  needs unit.delete on unit/<uuid>, say: what the request is for, but for its
 * approvals
 * @param approval  "hva1." and base64url; borrowed
 * @param err  set on failure; may be NULL
 * @return 0 also when it is there already, or a negative hn_code
 * Errors: HN_ECBOR when it is none; HN_ENOENT when this host did not make that request;
 * HN_EAPPROVAL when no keyset has its key, or the request is used or over; HN_EBUNDLE;
 * HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_approval_collect(hn_session *session, const char *approval, hn_error **err);

/**
 * Lists the requests that wait, newest first.
 *
 * @param session  needs cap.read on node/<name>
 * @param json  receives a JSON array of objects as hn_approval_inspect gives, and approvals: how
 * many keys have signed; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_approval_list(hn_session *session, char **json, hn_error **err);

/** What is asked of a preset of break-glass. */
typedef struct hn_breakglass_options {
	uint32_t size;
	const char *reason; /* needed: what those who approve are told */
	const char *verbs;  /* such as "unit.start unit.stop"; NULL = all that the preset gives */
	const char *on;     /* patterns, such as "unit/<uuid>"; NULL = all of the preset */
	int64_t ttl;        /* seconds; 0 = as long as the preset gives */
	bool drill;         /* a drill: a minute, and nothing is changed */
} hn_breakglass_options;
#define HN_BREAKGLASS_OPTIONS_INIT                                                                 \
	{                                                                                          \
		.size = sizeof(hn_breakglass_options)                                              \
	}

/**
 * Asks for break-glass on this host: what a quorum of persons approves within 15 minutes. Works
 * without network, without local operators, and while the clock is not to be trusted. A preset with
 * a delay, and each that one person alone opens, which takes at least 15 minutes, raises the alarm
 * org.hypernix.breakglass.requested.v1 now, and can be opened when the delay is over by the time
 * since the boot and by the wall clock.
 *
 * @param host  the host that it is for
 * @param preset  its name in the trust bundle
 * @param options  reason, and what of the preset is asked for
 * @param request  receives "hvr1." and base64url, to be sent to those who approve; release it with
 * hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EBUNDLE when the host has no trust bundle; HN_ENOENT when it has no such preset;
 * HN_EWIDEN when more is asked for than the preset gives, or what break-glass never reaches: the
 * audit log, trust, keys; HN_EREASON; HN_EDENIED unless root; HN_ELIMIT; HN_EINVAL; HN_ENEWER;
 * HN_EIO; HN_ENOMEM
 * Threads: the one that has the host
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_breakglass_request(hn_host *host, const char *preset,
	const hn_breakglass_options *options, char **request, hn_error **err);

/**
 * Cancels a request for break-glass that was not opened yet: whoever may read one that opens after
 * a delay may do that.
 *
 * @param session  needs cap.read on node/<name>; breakglass.review for a request without a delay;
 * not one that only asks
 * @param request  its number: 64 hexadecimal digits, as the alarm and hn_approval_list have it
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when no such request waits; HN_EINVAL; HN_ESESSION; HN_EDENIED; HN_EAUDIT;
 * HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_breakglass_cancel(hn_session *session, const char *request, hn_error **err);

/**
 * Activates break-glass and opens a session on it, once it is on record. The session ends by the
 * time since the boot or by the clock, whichever is first, and at the next boot; it cannot renew
 * itself.
 *
 * @param host  the host that made the request; the session holds a reference
 * @param request  "hvr1." and base64url; borrowed
 * @param approvals  texts of approvals with white space between; borrowed
 * @param options  program; NULL for none; the reason is that of the request
 * @param session  receives the session; release it with hn_session_unref
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_EAPPROVAL when too few persons of the preset's keyset have approved this request, or
 * too long ago; HN_EWIDEN when more is asked for than the preset gives now; HN_EBUSY when one is
 * active; HN_EEXIST when the request was used before; HN_ENOENT when this host did not make it, or
 * there is no such preset any more; HN_ECBOR; HN_EBUNDLE; HN_EDENIED unless root; HN_EAUDIT,
 * HN_ENOSPC when it cannot be put on record; HN_EINVAL; HN_ENEWER; HN_EIO; HN_ENOMEM
 * Threads: the one that has the host
 * Blocks: yes, on the disk and the signer
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_breakglass_activate(hn_host *host, const char *request, const char *approvals,
	const hn_session_options *options, hn_session **session, hn_error **err);

/**
 * Opens one more session on the break-glass that is active, such as from another process.
 *
 * @param host  the host to act on; the session holds a reference
 * @param options  program; NULL for none; the reason is that of the request
 * @param session  receives the session; release it with hn_session_unref
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when none is active; HN_EDENIED unless root; HN_EAUDIT; HN_EINVAL; HN_ENEWER;
 * HN_EIO; HN_ENOMEM
 * Threads: the one that has the host
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_session_open_breakglass(
	hn_host *host, const hn_session_options *options, hn_session **session, hn_error **err);

/**
 * Ends the break-glass that is active; its sessions are over within a second.
 *
 * @param session  a session on it, or one that needs breakglass.review on node/<name>
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when none is active; HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_breakglass_end(hn_session *session, hn_error **err);

/**
 * Lists every break-glass there was, newest first.
 *
 * @param session  needs cap.read on node/<name>
 * @param json  receives a JSON array of objects: number, active, from, end, persons, ended, why,
 * reviewed, reviewer, request; release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_breakglass_list(hn_session *session, char **json, hn_error **err);

/**
 * Says that a break-glass that is over was looked into. Until then an event is sent each hour in
 * which anybody acts on the host.
 *
 * @param session  needs breakglass.review on node/<name>; its reason is kept on record
 * @param number  as listed
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ENOENT when there was none of that number; HN_EBUSY when it is active; HN_ECONFLICT
 * when it was reviewed before; HN_EREASON; HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_breakglass_review(hn_session *session, uint64_t number, hn_error **err);

/**
 * Tells what the host thinks of its clock.
 *
 * @param session  needs node.read on node/<name>
 * @param json  receives a JSON object: wall, earliest, latest, synchronised, suspect, why, mark,
 * unsynchronised ("allow" or "deny"), tokens, breakGlass (does a preset of the trust bundle give
 * clock.accept on this node?), unforgotten (is there what ended more than 30 days ago, and is kept
 * since the clock is suspect or no time server sets it?); release it with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION; HN_EDENIED; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_clock_status(hn_session *session, char **json, hn_error **err);

/**
 * Says that the clock is right as it stands now: tokens are taken again.
 *
 * @param session  needs clock.accept on node/<name>, and a reason
 * @param err  set on failure; may be NULL
 * @return 0 also when it was not suspect, or a negative hn_code
 * Errors: HN_EREASON; HN_ESESSION; HN_EDENIED; HN_ESIGNER; HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_clock_accept(hn_session *session, hn_error **err);

/**
 * Sets whether tokens are taken while nothing keeps the clock in step with others. They are at
 * first.
 *
 * @param session  needs node.role on node/<name>
 * @param allowed  false: tokens are taken only while the clock is synchronised
 * @param err  set on failure; may be NULL
 * @return 0, or a negative hn_code
 * Errors: HN_ESESSION; HN_EDENIED; HN_EAUDIT; HN_EIO; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_clock_unsynchronised(hn_session *session, bool allowed, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
