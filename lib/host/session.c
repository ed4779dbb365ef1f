/* SPDX-License-Identifier: MIT
 *
 * Sessions and permits. Until capabilities arrive there are two kinds of session: the local
 * operator, effective uid 0 in this process, who may do everything but what needs a quorum; and
 * services (service.c). Every change of either is on record.
 */
#include "host/host-private.h"

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
	/* A full disk must not keep anybody from looking. */
	if (host_expire(made, NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "what has expired could not be removed yet");
	*session = BASE_STEAL(made);
	return 0;
}

int hn_session_open_local(
	hn_host *host, const hn_session_options *options, hn_session **session, hn_error **err)
{
	char subject[64];

	if (geteuid() != 0)
		return base_error(err, HN_EDENIED, HOST_ROOM, "run it as root",
			"uid %ld is not a local operator", (long)geteuid());
	(void)snprintf(subject, sizeof(subject), "local/uid/%ld", (long)geteuid());
	return host_session_new(host, options, subject, NULL, session, err);
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
	hn_host_unref(session->host);
	base_free(session->reason);
	base_free(session->program);
	base_free(session);
	return NULL;
}

int host_session_use(hn_session *session, hn_host **host, hn_error **err)
{
	if (!session)
		return base_error(err, HN_ESESSION, HOST_ROOM,
			"open one with hn_session_open_local", "there is no session");
	*host = session->host;
	return 0;
}

const char *host_object_unit(char object[BASE_OBJECT_SIZE], const char *uuid)
{
	(void)snprintf(object, BASE_OBJECT_SIZE, "unit/%s", uuid);
	return object;
}

const char *host_object_tag(char object[BASE_OBJECT_SIZE], const char *tag)
{
	(void)snprintf(
		object, BASE_OBJECT_SIZE, strchr(tag, '/') ? "tag/%s" : "tag/default/%s", tag);
	return object;
}

/* caps.md section 5: segments of [a-z0-9._-], none empty, no "." or "..". "*" is one segment, "**"
 * many, last only. */
static bool object_valid(const char *object)
{
	size_t length;

	if (strlen(object) >= BASE_OBJECT_SIZE)
		return false;
	for (;; object += length + 1) {
		length = strcspn(object, "/");
		if (length == 0 || (length == 1 && object[0] == '.') ||
			(length == 2 && memcmp(object, "..", 2) == 0))
			return false;
		if (strspn(object, "abcdefghijklmnopqrstuvwxyz0123456789._-*") < length)
			return false;
		if (!object[length])
			return true;
	}
}

/* What people call an object: a unit by its name where the store knows it. The name of the object
 * itself goes into the facts. */
static const char *called(
	const hn_session *session, const char *object, char name[BASE_OBJECT_SIZE])
{
	state_query *query = NULL;

	(void)snprintf(name, BASE_OBJECT_SIZE, "%s", object);
	if (strncmp(object, "unit/", 5) != 0 ||
		state_find(session->host->store, "SELECT name FROM unit WHERE uuid = ?1", &query,
			NULL) < 0)
		return name;
	state_bind_text(query, 1, object + 5);
	if (state_row(query, NULL) > 0)
		(void)snprintf(name, BASE_OBJECT_SIZE, "unit %s", state_text(query, 0));
	state_done(query);
	return name;
}

static int refuse(const hn_session *session, hn_code code, const char *hint, hn_verb verb,
	const char *object, const char *why, hn_error **err)
{
	char name[BASE_OBJECT_SIZE];
	int rc = base_error(err, code, HOST_ROOM, hint, "%s on %s%s", base_verb_text(verb),
		called(session, object, name), why);

	base_error_fact(err, "object", object);
	return rc;
}

int host_would(const hn_session *session, hn_verb verb, const char *object, hn_error **err)
{
	unsigned flags = base_verb_flags(verb);

	if (!object_valid(object))
		return base_error(err, HN_EINVAL, HOST_ROOM, "an object is like unit/<uuid>",
			"\"%.80s\" is not the name of an object", object);
	if (session->service && !host_service_may(session->service, verb))
		return refuse(session, HN_EDENIED, "an operator may do it", verb, object,
			": this service does not do that", err);
	if ((flags & BASE_VERB_Q) != 0)
		return base_error(err, HN_EDENIED, HOST_ROOM, "gather the approvals it needs",
			"%s needs a quorum, which a local operator alone is not",
			base_verb_text(verb));
	if ((flags & BASE_VERB_R) != 0 && !session->reason)
		return refuse(session, HN_EREASON, "say why, for the audit log", verb, object,
			" needs a reason", err);
	return 0;
}

static int decide(const hn_session *session, hn_verb verb, const char *object, hn_error **err)
{
	int rc = host_would(session, verb, object, err);

	if (rc < 0 || (base_verb_flags(verb) & BASE_VERB_M) == 0 || !session->host->read_only)
		return rc;
	return refuse(session, HN_EDENIED, "open it without read_only", verb, object,
		": the host was opened read-only", err);
}

int hn_session_check(hn_session *session, const char *verb, const char *object, hn_error **err)
{
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc < 0)
		return rc;
	if (!verb || !object)
		return base_error(
			err, HN_EINVAL, HOST_ROOM, NULL, "a verb and an object are needed");
	for (int i = 0; i < HN_VERB_COUNT; i++)
		if (strcmp(base_verb_text((hn_verb)i), verb) == 0)
			return decide(session, (hn_verb)i, object, err);
	return base_error(err, HN_EINVAL, HOST_ROOM, "verbs are like unit.start",
		"\"%.80s\" is no verb", verb);
}

/* A denial is on record too; that it cannot be written must not turn it into anything but a denial.
 */
static void record_denial(const hn_session *session, hn_verb verb, const char *object, int code)
{
	hn_host *host = session->host;
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_DENY,
		.verb = (int)verb,
		.object = object,
		.code = code,
		.has_code = true,
		.session = session,
	};

	if (host->read_only || (base_verb_flags(verb) & BASE_VERB_M) == 0)
		return;
	if (host->store->depth > 0) {
		host->denied.session = session;
		host->denied.verb = verb;
		host->denied.code = code;
		(void)snprintf(host->denied.object, BASE_OBJECT_SIZE, "%s", object);
		return;
	}
	if (host_audit_append(host, &entry, NULL, NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "the denial of %s on %s could not be recorded",
			base_verb_text(verb), object);
}

void host_denial_settle(hn_host *host)
{
	const hn_session *session = host->denied.session;

	if (!session || host->store->depth > 0)
		return;
	host->denied.session = NULL;
	record_denial(session, host->denied.verb, host->denied.object, host->denied.code);
}

int host_may(hn_session *session, hn_verb verb, const char *object, hn_error **err)
{
	int rc = decide(session, verb, object, err);

	if (rc < 0)
		record_denial(session, verb, object, rc);
	return rc;
}

/* The record of the session itself goes before its first change. A rolled-back transaction takes it
 * away again, so it is looked for each time. */
static int record_opening(hn_session *session, hn_error **err)
{
	host_audit_entry opened = {
		.kind = CAPS_AUDIT_SESSION_OPENED, .verb = -1, .session = session};
	state_query *query = NULL;
	bool there;
	int rc = state_find(session->host->store, "SELECT instr(rec, ?2) FROM audit WHERE seq = ?1",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)session->opened);
	state_bind_blob(query, 2, session->id, sizeof(session->id));
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	there = rc > 0 && session->opened != 0 && state_int(query, 0) > 0;
	state_done(query);
	return there ? 0 : host_audit_append(session->host, &opened, &session->opened, err);
}

static int record_allow(
	hn_session *session, hn_verb verb, const char *object, host_permit *permit, hn_error **err)
{
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_ALLOW,
		.verb = (int)verb,
		.object = object,
		.session = session,
	};
	char name[BASE_OBJECT_SIZE];
	int rc = record_opening(session, err);

	if (rc >= 0)
		rc = host_audit_append(session->host, &entry, &permit->base.audit, err);
	if (rc < 0)
		return base_error_wrap(err,
			rc == HN_ENOSPC || rc == HN_ENOMEM ? (hn_code)rc : HN_EAUDIT, HOST_ROOM,
			"%s on %s is not on record, so it is not done", base_verb_text(verb),
			called(session, object, name));
	permit->recorded = true;
	return 0;
}

int host_admit(hn_session *session, hn_verb verb, const char *object, const char *second,
	host_permit *permit, hn_error **err)
{
	int rc = decide(session, verb, object, err);

	if (rc >= 0 && second)
		rc = decide(session, verb, second, err);
	if (rc < 0) {
		record_denial(session, verb, object, rc);
		return rc;
	}
	*permit = (host_permit){
		.base = {.verb = verb, .deadline = INT64_MAX, .subject = session->subject},
		.session = session,
	};
	(void)snprintf(permit->base.objects[0], BASE_OBJECT_SIZE, "%s", object);
	if (second)
		(void)snprintf(permit->base.objects[1], BASE_OBJECT_SIZE, "%s", second);
	if ((base_verb_flags(verb) & BASE_VERB_M) == 0)
		return 0;
	return record_allow(session, verb, object, permit, err);
}

int host_settle_outcome(host_permit *permit, int code, hn_error **err)
{
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_OUTCOME,
		.verb = (int)permit->base.verb,
		.object = permit->base.objects[0],
		.refers = permit->base.audit,
		.code = code < 0 ? code : 0,
		.has_code = true,
		.session = permit->session,
	};

	if (!permit->recorded)
		return 0;
	permit->recorded = false;
	return host_audit_append(permit->session->host, &entry, NULL, err);
}

int host_settle(host_permit *permit, int rc, hn_error **err)
{
	char name[BASE_OBJECT_SIZE];
	int written = host_settle_outcome(permit, rc, rc < 0 ? NULL : err);

	if (rc < 0 || written >= 0)
		return rc;
	return base_error_wrap(err, written == HN_ENOSPC ? HN_ENOSPC : HN_EAUDIT, HOST_ROOM,
		"%s on %s was done, but its outcome could not be recorded",
		base_verb_text(permit->base.verb),
		called(permit->session, permit->base.objects[0], name));
}
