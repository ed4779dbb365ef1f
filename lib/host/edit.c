/* SPDX-License-Identifier: MIT
 *
 * One change of what is desired of a unit, in one transaction: permit, rows, resolved view,
 * history, event. A change that does not resolve is refused and leaves nothing behind.
 */
#include "host/images.h"
#include "host/rights.h"

/* Until its end an edit is not held to the bounds of a token: its values are not known yet. */
static void values_later(const hn_session *session, bool later)
{
	if (session->holder)
		session->holder->values_later = later;
}

/* `all`: also a unit that the session may know nothing of. */
static int begin(hn_session *session, const char *name, bool missing_ok, bool all, host_edit *edit,
	hn_error **err)
{
	hn_resolver *resolver = NULL;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc < 0)
		return rc;
	if (!name || !base_name_valid(name, strlen(name)))
		return base_error(err, HN_EINVAL, HOST_ROOM,
			"lower-case letters, digits and '-', a letter first, at most 63",
			"\"%.80s\" is not the name of a unit", name ? name : "");
	if (host->read_only)
		return base_error(err, HN_EDENIED, HOST_ROOM, "open it without read_only",
			"the host was opened read-only");
	*edit = (host_edit){.session = session, .host = host};
	rc = host_session_enlist(session, err);
	if (rc >= 0)
		rc = state_begin(host->store, err);
	if (rc < 0)
		return rc;
	/* The cached resolver must be that of before the change: the change then touches one unit.
	 */
	rc = host_resolver(host, &resolver, err);
	if (rc >= 0)
		rc = all ? host_unit_load(host, name, &edit->unit, err)
			 : host_find_unit(session, name, &edit->unit, err);
	if (missing_ok)
		rc = base_error_forgive(err, rc, HN_ENOENT);
	else if (rc >= 0 && edit->unit->undeclared)
		rc = base_error(err, HN_EDENIED, HOST_ROOM, "declare it again, or remove it",
			"%s is no longer declared", name);
	if (rc < 0) {
		edit->unit = hn_unit_unref(edit->unit);
		state_rollback(host->store);
		host_resolver_forget(host);
	} else {
		values_later(session, true);
	}
	return rc;
}

int host_edit_begin(
	hn_session *session, const char *name, bool missing_ok, host_edit *edit, hn_error **err)
{
	int rc = begin(session, name, missing_ok, missing_ok, edit, err);

	return host_conceal(session, rc, err);
}

/* {"generation":3,"digest":"..."} */
static char *desired_json(uint64_t generation, const uint8_t digest[CRYPTO_DIGEST])
{
	base_buf text = {0};
	char hex[2 * CRYPTO_DIGEST + 1];

	codec_hex(digest, CRYPTO_DIGEST, hex);
	base_buf_format(&text, "{\"generation\":%llu,\"digest\":\"%s\"}",
		(unsigned long long)generation, hex);
	return base_buf_take(&text);
}

static int send_event(const host_edit *edit, const hn_view *view, const char *event, hn_error **err)
{
	BASE_AUTO_FREE char *data = NULL;
	uint8_t digest[CRYPTO_DIGEST];
	uint64_t generation = 0;
	int rc = host_view_digest(view, digest, err);

	if (rc >= 0)
		rc = host_generation_current(edit->host, &generation, err);
	if (rc < 0)
		return rc;
	data = desired_json(generation, digest);
	if (!data)
		return base_nomem(err);
	return host_event(
		edit->host, edit->session, event, edit->unit->uuid, edit->unit->name, data, err);
}

/* A token may bound values: what counts is what this edit has made of them. What it has used up
 * goes on holding for it. A unit in use may come to take more of its quotas. */
static int check_bounds(const host_edit *edit, const hn_view *view, hn_error **err)
{
	hn_verb verb = edit->verb != HN_VERB_UNIT_READ ? edit->verb : HN_VERB_UNIT_UPDATE;
	struct host_holder *holder = edit->session->holder;
	char object[BASE_OBJECT_SIZE];
	int rc;

	if (!holder || verb == HN_VERB_COUNT)
		return 0;
	holder->under_way = true;
	rc = host_may(edit->session, verb, host_object_unit(object, edit->unit->uuid), err);
	holder->under_way = false;
	return rc < 0 ? rc : host_hold_values(edit->session, verb, edit->unit, view, NULL, err);
}

/* Time that is over, and a force that ends, are not refused for what is left. */
static int check_image(const host_edit *edit, const hn_view *view, hn_error **err)
{
	if (edit->verb == HN_VERB_COUNT || edit->verb == HN_VERB_FORCE_SET)
		return 0;
	return host_image_check_edit(edit->unit, edit->unit->desired, view, err);
}

static int check_image_tags(const host_edit *edit, const hn_view *view, hn_error **err)
{
	return edit->verb == HN_VERB_COUNT
		       ? 0
		       : host_image_may_change(edit->host, edit->session, edit->unit, view, err);
}

static int settle_edit(const host_edit *edit, const char *event, hn_error **err)
{
	BASE_AUTO_OF(hn_view) hn_view *view = NULL;
	int rc = host_resolver_refresh(edit->host, edit->unit, err);

	if (rc >= 0)
		rc = hn_resolve(edit->host->resolver, edit->unit->name, &view, err);
	if (rc >= 0)
		rc = host_paths_check(edit->host, edit->unit, edit->unit->desired, view, err);
	if (rc >= 0)
		rc = check_image(edit, view, err);
	if (rc >= 0)
		rc = check_image_tags(edit, view, err);
	if (rc >= 0)
		rc = host_desire(edit->host, edit->session, edit->unit, view, err);
	if (rc >= 0)
		rc = check_bounds(edit, view, err);
	return rc < 0 ? rc : send_event(edit, view, event, err);
}

int host_edit_end(host_edit *edit, int rc, const char *event, hn_error **err)
{
	values_later(edit->session, false);
	if (rc >= 0 && edit->unit)
		rc = settle_edit(edit, event, err);
	if (rc >= 0)
		rc = state_commit(edit->host->store, err);
	else
		state_rollback(edit->host->store);
	host_denial_settle(edit->host);
	host_audit_tick(edit->host);
	if (rc < 0)
		host_resolver_forget(edit->host);
	edit->unit = hn_unit_unref(edit->unit);
	return rc < 0 ? host_conceal(edit->session, rc, err) : 0;
}

/* --- what expires --- */

static int find_expired(hn_host *host, int64_t now, base_names *list, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT name FROM unit WHERE id IN (SELECT unit FROM definition WHERE expires <= ?1"
		" UNION SELECT unit FROM unit_tag WHERE expires <= ?1) ORDER BY name",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, now);
	while ((rc = state_row(query, err)) > 0) {
		if (base_names_add(list, state_text(query, 0)) < 0) {
			rc = base_nomem(err);
			break;
		}
	}
	state_done(query);
	return rc;
}

static int remove_expired(
	hn_host *host, const hn_unit *unit, const char *sql, int64_t now, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	state_bind_int(query, 2, now);
	return state_run(query, err);
}

static int remove_all_expired(hn_host *host, const hn_unit *unit, int64_t now, hn_error **err)
{
	int rc = remove_expired(
		host, unit, "DELETE FROM definition WHERE unit = ?1 AND expires <= ?2", now, err);

	return rc < 0 ? rc
		      : remove_expired(host, unit,
				"DELETE FROM unit_tag WHERE unit = ?1 AND expires <= ?2", now, err);
}

static int expire_and_resolve(hn_session *session, const char *name, int64_t now, hn_error **err)
{
	host_edit edit = {0};
	int rc = begin(session, name, false, true, &edit, err);

	if (rc < 0)
		return rc;
	edit.verb = HN_VERB_COUNT; /* time does this, not who asks */
	rc = remove_all_expired(edit.host, edit.unit, now, err);
	return host_edit_end(&edit, rc, "org.hypernix.unit.reconfigured.v1", err);
}

typedef struct expiry {
	hn_host *host;
	hn_unit *unit;
	int64_t now;
} expiry;

static int expire_rows(void *arg, hn_error **err)
{
	const expiry *call = arg;
	int rc = remove_all_expired(call->host, call->unit, call->now, err);

	return rc < 0 ? rc : host_touch(call->host, err);
}

/* The time of a value ends, whether what is left resolves or not: a conflict that it hid is for the
 * next plan to tell, and a unit that is no longer declared has nothing to resolve. */
static int expire_unit(hn_session *session, const char *name, int64_t now, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	expiry call = {.host = session->host, .now = now};
	int rc = host_unit_load(session->host, name, &unit, err);

	if (rc < 0)
		return rc;
	call.unit = unit;
	rc = unit->undeclared ? HN_ECONFLICT : expire_and_resolve(session, name, now, err);
	if (rc >= 0 || rc == HN_ENOMEM || rc == HN_EIO || rc == HN_ENOSPC || rc == HN_ECORRUPT)
		return rc;
	base_error_move(err, NULL);
	rc = host_transaction(session->host, expire_rows, &call, err);
	host_resolver_forget(session->host);
	return rc;
}

int host_expire(hn_session *session, hn_error **err)
{
	BASE_AUTO_NAMES base_names list = {0};
	hn_host *host = session->host;
	int64_t now = os_now(host->os);
	int rc = host->read_only ? 0 : find_expired(host, now, &list, err);

	for (size_t i = 0; rc >= 0 && i < list.count; i++)
		rc = expire_unit(session, list.items[i], now, err);
	if (rc >= 0 && !host->read_only)
		host_rights_forget(host);
	return rc;
}
