/* SPDX-License-Identifier: MIT
 *
 * Calls that go on, and the one that was refused last: what approvals and fresh proofs are asked
 * for.
 */
#include "host/call.h"
#include "host/rights.h"

int host_call_begin(
	host_call *call, hn_session *session, hn_verb verb, const char *object, hn_error **err)
{
	int rc = caps_call_finish(&call->what, verb, object, err);

	if (rc >= 0 && (base_verb_flags(verb) & BASE_VERB_M) != 0)
		rc = host_session_enlist(session, err);
	if (rc < 0)
		return rc;
	call->verb = verb;
	call->session = session;
	call->outer = session->call;
	session->call = call;
	return 0;
}

void host_call_end(host_call *call)
{
	if (call->session)
		call->session->call = call->outer;
	caps_call_free(&call->what);
	base_buf_free(&call->detail);
	*call = (host_call){0};
}

int host_call_enter(hn_session *session, hn_verb verb, const char *object, host_call *call,
	hn_host **host, host_permit *permit, hn_error **err)
{
	int rc = host_session_use(session, host, err);

	if (rc >= 0)
		rc = host_call_begin(call, session, verb, object, err);
	return rc < 0 ? rc : host_admit(session, verb, object, NULL, permit, err);
}

int host_call_node(hn_session *session, hn_verb verb, host_call *call, hn_host **host,
	host_permit *permit, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];
	int rc = host_session_use(session, host, err);

	return rc < 0 ? rc
		      : host_call_enter(session, verb, host_object_node(object, *host), call, host,
				permit, err);
}

int host_call_admit(hn_session *session, hn_verb verb, const char *uuid, host_call *call,
	host_permit *permit, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];
	int rc = host_call_begin(call, session, verb, host_object_unit(object, uuid), err);

	return rc < 0 ? rc : host_admit(session, verb, object, NULL, permit, err);
}

void host_call_hash(const hn_session *session, hn_verb verb, const char *object, uint8_t hash[32])
{
	if (session->call)
		memcpy(hash, session->call->what.hash, 32);
	else
		caps_call_plain(verb, object, hash);
}

const base_buf *host_call_detail(const hn_session *session, hn_verb verb)
{
	const host_call *call = session->call;

	return call && call->verb == verb && call->detail.size > 0 ? &call->detail : NULL;
}

/* --- the one that was refused last --- */

static bool is_kept(const hn_session *session, const base_buf *request)
{
	return session->refused && session->refused_size == request->size &&
	       memcmp(session->refused, request->data, request->size) == 0;
}

static void keep(hn_session *session, const base_buf *request)
{
	uint8_t *copy;

	if (is_kept(session, request))
		return;
	copy = base_memdup(request->data, request->size);
	base_free(session->refused);
	session->refused = copy;
	session->refused_size = copy ? request->size : 0;
}

void host_call_refused(hn_session *session, hn_verb verb, const char *object)
{
	caps_call plain = {0};

	if (session->call) {
		keep(session, &session->call->what.request);
		return;
	}
	/* Without memory there is nothing to ask for, which whoever asks is told. */
	if (caps_call_finish(&plain, verb, object, NULL) >= 0)
		keep(session, &plain.request);
	caps_call_free(&plain);
}

int host_call_last(hn_session *session, caps_view *request, caps_called *called, hn_error **err)
{
	*request = (caps_view){session->refused, session->refused_size};
	if (session->refused && caps_called_read(*request, called))
		return 0;
	return base_error(err, HN_ENOENT, HOST_ROOM, "try it, and ask when it was refused",
		"nothing that this session asked for waits for an approval or a proof");
}

static void tell_refused(
	const hn_session *session, hn_json *json, caps_view request, const caps_called *called)
{
	BASE_AUTO_FREE char *object =
		base_strndup((const char *)called->object.bytes, called->object.size);
	uint8_t hash[CRYPTO_DIGEST];
	char hex[2 * CRYPTO_DIGEST + 1];

	crypto_sha256(request.bytes, request.size, hash);
	codec_hex(hash, sizeof(hash), hex);
	hn_json_object(json, NULL);
	hn_json_text(json, "verb", base_verb_text(called->verb));
	if ((caps_object_classes(called->object.bytes, called->object.size) & session->redacts) !=
		0)
		hn_json_null(json, "object");
	else if (object)
		hn_json_text(json, "object", object);
	else
		codec_json_nomem(json);
	hn_json_text(json, "request", hex);
	if (session->redacts != 0)
		hn_json_null(json, "arguments");
	else
		caps_called_json(called, json);
	hn_json_end(json);
}

int hn_session_refused(hn_session *session, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	caps_called called;
	caps_view request;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0 && !json)
		rc = base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the answer");
	if (rc >= 0)
		rc = host_call_last(session, &request, &called, err);
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc < 0)
		return rc;
	tell_refused(session, made, request, &called);
	return codec_json_take(made, json, err);
}

/* --- a fresh proof that is asked back --- */

int hn_session_on_fresh(hn_session *session, hn_session_fresh_fn fn, void *arg, hn_error **err)
{
	if (!session)
		return base_error(err, HN_ESESSION, HOST_ROOM, "open one", "there is no session");
	session->on_fresh = fn;
	session->on_fresh_arg = arg;
	return 0;
}

bool host_call_prove(hn_session *session, hn_verb verb, const char *object)
{
	hn_session_fresh_fn ask = session->on_fresh;
	uint8_t hash[CRYPTO_DIGEST];
	char hex[2 * CRYPTO_DIGEST + 1];
	bool proved;

	/* Who asks back must not be asked in a transaction, and not for what he does himself. */
	if (!ask || session->host->store->depth > 0)
		return false;
	host_call_hash(session, verb, object, hash);
	codec_hex(hash, sizeof(hash), hex);
	session->on_fresh = NULL;
	proved = ask(session->on_fresh_arg, base_verb_text(verb), object, hex) >= 0;
	session->on_fresh = ask;
	return proved;
}
