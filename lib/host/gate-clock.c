/* SPDX-License-Identifier: MIT
 *
 * Gates of the host's clock: what it looks like, and saying that it is right.
 */
#include "host/call.h"
#include "host/rights.h"

static void tell_mark(hn_json *json, const caps_clock_mark *mark)
{
	hn_json_object(json, "mark");
	hn_json_int(json, "wall", mark->wall / OS_SECOND);
	hn_json_int(json, "boottime", mark->boottime / OS_SECOND);
	hn_json_text(json, "boot", mark->boot_id);
	hn_json_end(json);
}

/* Could several persons together say that it is right, where nobody else may? */
static bool glass_accepts(hn_host *host, const host_rights *rights)
{
	const caps_bundle *bundle = caps_store_bundle(rights->store);
	char node[BASE_OBJECT_SIZE];

	(void)host_object_node(node, host);
	for (size_t i = 0; bundle && i < bundle->preset_count; i++)
		if (caps_preset_gives(&bundle->presets[i], HN_VERB_CLOCK_ACCEPT, node))
			return true;
	return false;
}

static void tell_clock(hn_json *json, hn_host *host, const caps_clock_mark *mark, bool unforgotten)
{
	const host_rights *rights = host->rights;
	os_clock_mark judged = {.wall = mark->wall, .boottime = mark->boottime};
	int64_t by = 0;
	os_clock_verdict verdict;

	(void)snprintf(judged.boot_id, sizeof(judged.boot_id), "%.36s", mark->boot_id);
	verdict = os_clock_judge(&judged, &rights->clock, &by);
	hn_json_object(json, NULL);
	hn_json_int(json, "wall", rights->clock.wall / OS_SECOND);
	hn_json_int(json, "earliest", rights->clock.earliest / OS_SECOND);
	hn_json_int(json, "latest", rights->clock.latest / OS_SECOND);
	hn_json_bool(json, "synchronised", rights->clock.synchronised);
	hn_json_bool(json, "suspect", rights->suspect);
	if (rights->suspect) {
		hn_json_text(json, "why",
			verdict == OS_CLOCK_OK ? "it has stepped, and nobody has accepted it yet"
					       : os_clock_reason(verdict));
		hn_json_int(json, "by", by / OS_SECOND);
	}
	tell_mark(json, mark);
	hn_json_text(json, "unsynchronised", rights->unsynchronised ? "allow" : "deny");
	hn_json_bool(json, "tokens", !host_clock_denies(rights));
	hn_json_bool(json, "breakGlass", glass_accepts(host, rights));
	hn_json_bool(json, "unforgotten", unforgotten);
	hn_json_end(json);
}

int hn_clock_status(hn_session *session, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	host_rights *rights = NULL;
	caps_clock_mark mark;
	host_permit permit;
	hn_host *host = NULL;
	bool unforgotten = false;
	int rc = json ? host_enter_node(session, HN_VERB_NODE_READ, &host, &permit, err)
		      : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the answer");

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = host_rights_now(host, &rights, err);
	if (rc >= 0)
		rc = caps_store_clock(rights->store, &mark, err);
	if (rc >= 0)
		rc = host_rights_unforgotten(host, rights, err);
	unforgotten = rc > 0;
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	tell_clock(made, host, &mark, unforgotten);
	return codec_json_take(made, json, err);
}

static int accept_clock(void *arg, hn_error **err)
{
	hn_session *session = arg;
	hn_host *host = session->host;
	host_rights *rights = host->rights;
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_CLOCK, .verb = -1, .session = session, .note = "accepted"};
	caps_clock_mark mark = {0};
	int rc;

	os_clock_interval(host->os, &rights->clock);
	mark.wall = rights->clock.wall;
	mark.boottime = rights->clock.boottime;
	(void)snprintf(mark.boot_id, sizeof(mark.boot_id), "%s", rights->clock.boot_id);
	rc = caps_store_clock_put(rights->store, &mark, err);
	return rc < 0 ? rc : host_audit_append(host, &entry, NULL, err);
}

/* Of this boot, and of a clock that says that it was then: to the minute, since it may be slewed.
 */
static void tell_boot(hn_host *host, host_call *call)
{
	os_interval now;

	os_clock_interval(host->os, &now);
	caps_call_text(&call->what, "boot", now.boot_id);
	caps_call_int(&call->what, "booted", (now.wall - now.boottime) / OS_SECOND / 60 * 60);
}

int hn_clock_accept(hn_session *session, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	host_rights *rights = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0)
		rc = host_rights_get(host, &rights, err);
	if (rc < 0)
		return rc;
	tell_boot(host, &call);
	rc = host_call_node(session, HN_VERB_CLOCK_ACCEPT, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	rc = host_transaction(host, accept_clock, session, err);
	if (rc >= 0) {
		rights->suspect = false;
		(void)events_gauge_set(host->events, "hypernix_clock_suspect", "", 0);
	}
	return host_settle(&permit, rc, err);
}

int hn_clock_unsynchronised(hn_session *session, bool allowed, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	host_rights *rights = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0)
		rc = host_rights_get(host, &rights, err);
	caps_call_bool(&call.what, "unsynchronised", allowed);
	if (rc >= 0)
		rc = host_call_node(session, HN_VERB_NODE_ROLE, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	rc = caps_store_unsynchronised_set(rights->store, allowed, err);
	if (rc >= 0) {
		rights->unsynchronised = allowed;
		rights->next_look = 0; /* open sessions are asked anew */
	}
	return host_settle(&permit, rc, err);
}
