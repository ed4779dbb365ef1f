/* SPDX-License-Identifier: MIT
 *
 * How a gate begins: the session is looked at, what it names is found, the verb is admitted.
 */
#include "host/call.h"
#include "host/rights.h"

int host_admit_unit(
	hn_session *session, hn_verb verb, const char *uuid, host_permit *permit, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];

	return host_admit(session, verb, host_object_unit(object, uuid), NULL, permit, err);
}

int host_enter(hn_session *session, hn_verb verb, const char *object, hn_host **host,
	host_permit *permit, hn_error **err)
{
	int rc = host_session_use(session, host, err);

	return rc < 0 ? rc : host_admit(session, verb, object, NULL, permit, err);
}

const char *host_object_node(char object[BASE_OBJECT_SIZE], const hn_host *host)
{
	(void)snprintf(object, BASE_OBJECT_SIZE, "node/%s", host->node);
	return object;
}

int host_enter_node(
	hn_session *session, hn_verb verb, hn_host **host, host_permit *permit, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];
	int rc = host_session_use(session, host, err);

	return rc < 0 ? rc
		      : host_admit(
				session, verb, host_object_node(object, *host), NULL, permit, err);
}

int host_enter_list(
	hn_session *session, hn_verb verb, const char *object, hn_host **host, hn_error **err)
{
	host_permit permit;
	int rc = host_session_use(session, host, err);

	if (rc < 0 || host_session_limited(session))
		return rc;
	return host_admit(session, verb, object, NULL, &permit, err);
}

static bool tells_unit(
	hn_session *session, hn_verb verb, hn_unit *unit, bool fresh, uint32_t *redact)
{
	char object[BASE_OBJECT_SIZE];

	*redact = 0;
	if (!host_session_limited(session))
		return true;
	if (session->holder) {
		host_facts_done(session);
		if (fresh && unit->desired) { /* so that it is not resolved again */
			session->holder->view = hn_view_ref(unit->desired);
			memcpy(session->holder->unit, unit->uuid, sizeof(unit->uuid));
		}
	}
	return host_would_tell(session, verb, host_object_unit(object, unit->uuid), redact, NULL) >=
	       0;
}

bool host_sees_unit(hn_session *session, hn_verb verb, hn_unit *unit, bool fresh)
{
	uint32_t redact;

	return tells_unit(session, verb, unit, fresh, &redact);
}

bool host_reads_unit(hn_session *session, hn_unit *unit, bool fresh, uint32_t *redact)
{
	return tells_unit(session, HN_VERB_UNIT_READ, unit, fresh, redact);
}

/* The names of others are no hint. */
static int missing(const char *name, hn_error **err)
{
	int rc = base_error(err, HN_ENOENT, HOST_ROOM, NULL, "there is no unit \"%.80s\"", name);

	base_error_plain(err);
	return rc;
}

/* A right that waits for persons, for a reason or for a proof is one, when nothing else is missing.
 */
static bool reaches(const hn_session *session, int rc)
{
	return rc >= 0 || host_attainable(session, rc) ||
	       (session->holder && session->holder->wants_fresh);
}

bool host_reaches(hn_session *session, hn_verb verb, const char *object)
{
	if (session->holder)
		host_facts_done(session);
	return reaches(session, host_would(session, verb, object, NULL));
}

bool host_knows_unit(hn_session *session, const hn_unit *unit)
{
	static const hn_verb any[] = {HN_VERB_UNIT_READ, HN_VERB_UNIT_UPDATE, HN_VERB_UNIT_START,
		HN_VERB_UNIT_STOP, HN_VERB_UNIT_RESET, HN_VERB_UNIT_CONSOLE, HN_VERB_UNIT_AGENT,
		HN_VERB_UNIT_DELETE, HN_VERB_UNIT_CREATE, HN_VERB_UNIT_SECRET, HN_VERB_FORCE_SET};

	char object[BASE_OBJECT_SIZE];

	if (!host_session_limited(session))
		return true;
	host_object_unit(object, unit->uuid);
	for (size_t i = 0; i < BASE_COUNT(any); i++)
		if (host_reaches(session, any[i], object))
			return true;
	return false;
}

int host_find_unit(hn_session *session, const char *name, hn_unit **unit, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	int rc = host_unit_load(session->host, name, &found, err);

	if (host_session_limited(session) &&
		(rc == HN_ENOENT || (rc >= 0 && !host_knows_unit(session, found))))
		return missing(name, err);
	if (rc >= 0)
		*unit = BASE_STEAL(found);
	return host_conceal(session, rc, err);
}

int host_may_make(hn_session *session, const hn_unit *unit, const char *name, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	char object[BASE_OBJECT_SIZE];
	int rc;

	if (!host_session_limited(session))
		return 0;
	rc = host_may(session, HN_VERB_UNIT_CREATE, host_object_unit(object, unit->uuid), &why);
	if (rc >= 0 || rc != HN_EDENIED) {
		base_error_move(err, BASE_STEAL(why));
		return rc;
	}
	/* the uuid is always the same for a unit that is there, and another each time for one that
	 * is not */
	base_error(err, HN_EDENIED, HOST_ROOM, "ask for unit.create on that unit",
		"unit.create on a unit \"%.80s\" is not among the rights of this session", name);
	base_error_plain(err);
	return HN_EDENIED;
}

/* What may not be read looks missing. */
static int hide(hn_session *session, const char *name, hn_unit *unit, int rc, hn_error **err)
{
	if (!host_session_limited(session) || rc == HN_ENOMEM || reaches(session, rc) ||
		host_sees_unit(session, HN_VERB_UNIT_READ, unit, false))
		return rc;
	return missing(name, err);
}

int host_call_unit(hn_session *session, const char *name, hn_verb verb, host_call *call,
	hn_host **host, hn_unit **unit, host_permit *permit, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	char object[BASE_OBJECT_SIZE];
	int rc = host_session_use(session, host, err);

	if (rc >= 0)
		rc = host_find_unit(session, name, &found, err);
	if (rc >= 0 && call)
		rc = host_call_begin(
			call, session, verb, host_object_unit(object, found->uuid), err);
	if (rc < 0)
		return rc;
	rc = host_admit_unit(session, verb, found->uuid, permit, err);
	if (rc < 0)
		return hide(session, name, found, rc, err);
	*unit = BASE_STEAL(found);
	return 0;
}

int host_enter_unit(hn_session *session, const char *name, hn_verb verb, hn_host **host,
	hn_unit **unit, host_permit *permit, hn_error **err)
{
	return host_call_unit(session, name, verb, NULL, host, unit, permit, err);
}

int host_key_find(const char *key, const hn_key **row, hn_error **err)
{
	const char *nearest;

	*row = key ? hn_key_find(key) : NULL;
	if (*row)
		return 0;
	base_error(err, HN_ESCHEMA, HOST_ROOM, NULL, "there is no key \"%.80s\"", key ? key : "");
	nearest = key ? hn_key_nearest(key) : NULL;
	if (nearest)
		base_error_hint(err, "did you mean \"%s\"?", nearest);
	return HN_ESCHEMA;
}
