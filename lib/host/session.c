/* SPDX-License-Identifier: MIT
 *
 * Sessions: of the local operator, effective uid 0 in this process, who may do everything but what
 * needs a quorum; of services (service.c); and of token holders (session-token.c). What they may do
 * is decided in admit.c.
 */
#include "host/rights.h"

#include <unistd.h>

int host_session_new(hn_host *host, const hn_session_options *options, const char *subject,
	const host_service *service, hn_session **session, hn_error **err)
{
	BASE_AUTO_OF(hn_session) hn_session *made = NULL;
	hn_session_options known;
	int rc = host_options_check(options, sizeof(known), "hn_session_options", err);

	if (rc < 0)
		return rc;
	if (!host || !session)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"a session needs a host and a place to be put");
	host_options_copy(&known, options, sizeof(known));
	rc = known.reason ? base_limit_check(BASE_LIMIT_TEXT_BYTES, strlen(known.reason), err) : 0;
	if (rc < 0)
		return rc;
	made = base_calloc(1, sizeof(*made));
	if (!made)
		return base_nomem(err);
	atomic_init(&made->references, 1);
	made->host = hn_host_ref(host);
	made->service = service;
	made->reason = known.reason && *known.reason ? base_strdup(known.reason) : NULL;
	made->program = base_strdup(known.program ? known.program : host->program);
	if (!made->program || (known.reason && *known.reason && !made->reason))
		return base_nomem(err);
	(void)snprintf(made->subject, sizeof(made->subject), "%s", subject);
	rc = os_random(host->os, made->id, sizeof(made->id), err);
	if (rc < 0)
		return rc;
	*session = BASE_STEAL(made);
	return 0;
}

void host_session_begin(hn_session *session)
{
	/* A full disk must not keep anybody from looking. */
	if (host_expire(session, NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "what has expired could not be removed yet");
	host_glass_look(session->host);
}

int hn_session_open_local(
	hn_host *host, const hn_session_options *options, hn_session **session, hn_error **err)
{
	char subject[64];
	bool allowed = true;
	int rc;

	if (geteuid() != 0)
		return base_error(err, HN_EDENIED, HOST_ROOM, "run it as root",
			"uid %ld is not a local operator", (long)geteuid());
	rc = host ? caps_store_local_look(host->store, &allowed, err) : 0;
	if (rc < 0)
		return rc;
	if (!allowed)
		return base_error(err, HN_EDENIED, HOST_ROOM,
			"open the session with a token, or by break-glass",
			"local operators are turned off on this host");
	(void)snprintf(subject, sizeof(subject), "local/uid/%ld", (long)geteuid());
	rc = host_session_new(host, options, subject, NULL, session, err);
	if (rc >= 0)
		host_session_begin(*session);
	return rc;
}

hn_session *hn_session_ref(hn_session *session)
{
	if (session)
		atomic_fetch_add_explicit(&session->references, 1, memory_order_relaxed);
	return session;
}

hn_session *hn_session_unref(hn_session *session)
{
	if (!session ||
		atomic_fetch_sub_explicit(&session->references, 1, memory_order_acq_rel) != 1)
		return NULL;
	host_session_close(session);
	host_holder_free(session->holder);
	caps_glass_free(session->glass);
	base_free(session->refused);
	hn_host_unref(session->host);
	base_free(session->reason);
	base_free(session->program);
	base_free(session);
	return NULL;
}

int host_session_use(hn_session *session, hn_host **host, hn_error **err)
{
	int rc;

	if (!session)
		return base_error(err, HN_ESESSION, HOST_ROOM,
			"open one with hn_session_open_local", "there is no session");
	rc = hn_session_live(session, err);
	if (rc < 0)
		return rc;
	*host = session->host;
	return 0;
}

const char *host_object_unit(char object[BASE_OBJECT_SIZE], const char *uuid)
{
	/* lists ask of each unit, so this is written without a format */
	memcpy(object, "unit/", 5);
	memccpy(object + 5, uuid, '\0', BASE_OBJECT_SIZE - 6);
	object[BASE_OBJECT_SIZE - 1] = '\0';
	return object;
}

const char *host_object_tag(char object[BASE_OBJECT_SIZE], const char *tag)
{
	(void)snprintf(
		object, BASE_OBJECT_SIZE, strchr(tag, '/') ? "tag/%s" : "tag/default/%s", tag);
	return object;
}
