/* SPDX-License-Identifier: MIT
 *
 * Gates of sessions themselves: listed, cut, and whether operators need a token.
 */
#include "host/call.h"
#include "host/rights.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#define CUT "org.hypernix.session.cut.v1"

/* --- the list of open sessions --- */

/* Rows of processes that ended without a word. */
typedef struct graves {
	uint64_t boot;
	uint8_t ids[64][8];
	size_t count;
} graves;

static bool alive(uint64_t boot, const caps_session_row *row)
{
	return row->boot == boot && (kill((pid_t)row->pid, 0) == 0 || errno == EPERM);
}

static int find_dead(void *arg, const caps_session_row *row)
{
	graves *dead = arg;

	if (!alive(dead->boot, row))
		memcpy(dead->ids[dead->count++], row->id, sizeof(row->id));
	return dead->count == BASE_COUNT(dead->ids);
}

static int bury(hn_host *host, hn_error **err)
{
	graves dead = {.boot = host_boot_number(host)};
	int rc = caps_store_session_each(host->rights->store, find_dead, &dead, err);

	for (size_t i = 0; rc >= 0 && i < dead.count; i++)
		rc = caps_store_session_remove(host->rights->store, dead.ids[i], err);
	return rc < 0 ? rc : 0;
}

static int put_row(void *arg, hn_error **err)
{
	hn_session *session = arg;
	hn_host *host = session->host;
	caps_session_row row = {
		.subject = session->subject,
		.program = session->program,
		.opened = os_now(host->os) / OS_SECOND,
		.pid = getpid(),
		.boot = host_boot_number(host),
	};
	int rc;

	memcpy(row.id, session->id, sizeof(row.id));
	rc = bury(host, err);
	if (rc >= 0)
		rc = caps_store_session_put(host->rights->store, &row, err);
	return rc < 0 ? rc : host_session_opened(session, err);
}

/* In this process; a gauge of many would need a look at each of them. */
static void count_sessions(hn_host *host, int64_t more)
{
	host->rights->sessions += more;
	(void)events_gauge_set(host->events, "hypernix_cap_sessions", "", host->rights->sessions);
}

int host_session_register(hn_session *session, hn_error **err)
{
	host_rights *rights = NULL;
	int rc = host_rights_get(session->host, &rights, err);

	if (rc >= 0)
		rc = host_transaction(session->host, put_row, session, err);
	session->registered = rc >= 0;
	if (rc >= 0)
		count_sessions(session->host, 1);
	return rc;
}

int host_session_enlist(hn_session *session, hn_error **err)
{
	if (session->registered || (!session->holder && !session->glass) ||
		session->host->read_only || state_in_transaction(session->host->store))
		return 0;
	return host_session_register(session, err);
}

int host_session_announce(hn_session *session, hn_error **err)
{
	return base_error_forgive(err, host_session_enlist(session, err), HN_ENOSPC);
}

typedef struct ending {
	hn_session *session;
	const char *why;
} ending;

static int remove_row(void *arg, hn_error **err)
{
	const ending *end = arg;
	hn_host *host = end->session->host;
	host_audit_entry ended = {.kind = CAPS_AUDIT_SESSION_ENDED,
		.verb = -1,
		.session = end->session,
		.note = end->why};
	int rc = end->session->registered
			 ? caps_store_session_remove(host->rights->store, end->session->id, err)
			 : 0;

	return rc < 0 ? rc : host_audit_append(host, &ended, NULL, err);
}

void host_session_ended(hn_session *session, const char *why)
{
	ending end = {.session = session, .why = why};

	if (session->host->read_only || session->opened == 0)
		return;
	if (session->registered)
		count_sessions(session->host, -1);
	if (host_transaction(session->host, remove_row, &end, NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "the end of a session (%s) is not on record",
			why);
}

typedef struct listing {
	hn_json *json;
	uint64_t boot;
	uint32_t redact;
} listing;

static int list_row(void *arg, const caps_session_row *row)
{
	const listing *list = arg;
	char id[17];

	if (!alive(list->boot, row))
		return 0;
	codec_hex(row->id, sizeof(row->id), id);
	hn_json_object(list->json, NULL);
	hn_json_text(list->json, "id", id);
	hn_json_text(
		list->json, "subject", host_told(list->redact, HN_REDACT_PERSONS, row->subject));
	hn_json_text(list->json, "program", row->program);
	hn_json_int(list->json, "pid", row->pid);
	hn_json_int(list->json, "opened", row->opened);
	hn_json_bool(list->json, "cut", row->cut);
	hn_json_end(list->json);
	return 0;
}

int hn_session_list(hn_session *session, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	host_rights *rights = NULL;
	host_permit permit;
	hn_host *host = NULL;
	listing list;
	int rc = json ? host_enter_node(session, HN_VERB_SESSION_READ, &host, &permit, err)
		      : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the list");

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = host_rights_get(host, &rights, err);
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	list = (listing){.json = made, .boot = host_boot_number(host), .redact = permit.redact};
	hn_json_array(made, NULL);
	rc = caps_store_session_each(rights->store, list_row, &list, err);
	hn_json_end(made);
	return rc < 0 ? host_conceal(session, rc, err) : codec_json_take(made, json, err);
}

static int parse_id(const char *text, uint8_t id[8], hn_error **err)
{
	if (text && strlen(text) == 16 && codec_hex_decode(text, 16, id))
		return 0;
	return base_error(err, HN_EINVAL, HOST_ROOM, "16 hexadecimal digits, as in the list",
		"\"%.40s\" is not the number of a session", text ? text : "");
}

typedef struct cutting {
	hn_session *session;
	const char *id;
	uint8_t number[8];
} cutting;

static int cut(void *arg, hn_error **err)
{
	const cutting *one = arg;
	hn_host *host = one->session->host;
	const char *const pairs[] = {"session", one->id, NULL};
	int rc = caps_store_session_cut(host->rights->store, one->number, err);

	return rc < 0 ? rc : host_event_pairs(host, one->session, CUT, pairs, err);
}

int hn_session_cut(hn_session *session, const char *id, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	cutting one = {.session = session, .id = id};
	host_rights *rights = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = parse_id(id, one.number, err);

	caps_call_text(&call.what, "session", id);
	if (rc >= 0)
		rc = host_call_node(session, HN_VERB_SESSION_CUT, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	rc = host_rights_get(host, &rights, err);
	if (rc >= 0)
		rc = host_transaction(host, cut, &one, err);
	return host_settle(&permit, rc, err);
}

int hn_session_local_allow(hn_session *session, bool allowed, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	host_rights *rights = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0)
		rc = host_rights_now(host, &rights, err);
	if (rc >= 0 && !session->reason)
		rc = base_error(err, HN_EREASON, HOST_ROOM, "say why, for the audit log",
			"turning local operators %s needs a reason", allowed ? "on" : "off");
	if (rc >= 0 && !allowed && !caps_store_bundle(rights->store))
		rc = base_error(err, HN_EBUNDLE, HOST_ROOM, "load a trust bundle first",
			"this host has no trust bundle: without one nobody could act on it any more");
	caps_call_bool(&call.what, "local", allowed);
	if (rc >= 0)
		rc = host_call_node(session, HN_VERB_NODE_ROLE, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	return host_settle(&permit, caps_store_local_set(rights->store, allowed, err), err);
}

int hn_session_local_allowed(hn_session *session, bool *allowed, hn_error **err)
{
	host_permit permit;
	hn_host *host = NULL;
	int rc = allowed ? host_enter_node(session, HN_VERB_NODE_READ, &host, &permit, err)
			 : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the answer");

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = caps_store_local_look(host->store, allowed, err);
	return host_conceal(session, rc, err);
}
