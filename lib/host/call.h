/* SPDX-License-Identifier: MIT
 *
 * A call of a gate that changes something: until it ends, every right that its session is asked for
 * is asked for this call, so approvals, fresh proofs and records are over what it does.
 *
 *	HOST_AUTO_CALL host_call call = {0};
 *
 *	caps_call_text(&call.what, "key", key);       // what is as always is left out
 *	rc = host_call_begin(&call, session, HN_VERB_UNIT_UPDATE, object, err);
 *	rc = host_admit(session, ...);                // one or more; the first verb is the call's
 *own
 */
#ifndef HOST_CALL_H
#define HOST_CALL_H

#include "caps/call.h"
#include "host/host-private.h"

typedef struct host_call {
	caps_call what;
	hn_session *session;     /* NULL: not begun */
	struct host_call *outer; /* that began this one */
	hn_verb verb;
	base_buf detail; /* field 24 of its records, as CBOR; empty: none */
	bool approved;   /* an approval was used up for it, and holds until its end */
} host_call;
/* Takes the arguments that were added. Calls of one session are nested, and end in turn. */
int host_call_begin(
	host_call *call, hn_session *session, hn_verb verb, const char *object, hn_error **err);
void host_call_end(host_call *call); /* also of one that has not begun */
#define HOST_AUTO_CALL __attribute__((cleanup(host_call_end)))
/* As host_enter, host_enter_node, host_enter_unit and host_admit_unit, for a call. */
int host_call_enter(hn_session *session, hn_verb verb, const char *object, host_call *call,
	hn_host **host, host_permit *permit, hn_error **err);
int host_call_node(hn_session *session, hn_verb verb, host_call *call, hn_host **host,
	host_permit *permit, hn_error **err);
int host_call_unit(hn_session *session, const char *name, hn_verb verb, host_call *call,
	hn_host **host, hn_unit **unit, host_permit *permit, hn_error **err);
int host_call_admit(hn_session *session, hn_verb verb, const char *uuid, host_call *call,
	host_permit *permit, hn_error **err);
/* SHA-256 of the canonical request: of the call that goes on, else of this without arguments. */
void host_call_hash(const hn_session *session, hn_verb verb, const char *object, uint8_t hash[32]);
/* What the records of this verb say more, of the call that goes on; NULL: nothing. */
const base_buf *host_call_detail(const hn_session *session, hn_verb verb);
/* --- the one that was refused last, for want of an approval or a proof --- */
void host_call_refused(hn_session *session, hn_verb verb, const char *object);
/* Borrowed until the next one is refused. HN_ENOENT. */
int host_call_last(hn_session *session, caps_view *request, caps_called *called, hn_error **err);
/* Asks whoever opened the session for a fresh proof; true: decide again. */
bool host_call_prove(hn_session *session, hn_verb verb, const char *object);

#endif
