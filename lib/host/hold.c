/* SPDX-License-Identifier: MIT
 *
 * What units take of the quotas that are held: vCPUs and memory. A unit in use, which runs or is to
 * run, takes the larger of what it has and what is desired of it, since a restart that nobody asks
 * for gives it what is desired. All of this is counted in the transaction that makes it so, and
 * given back in that which makes it less.
 */
#include "host/rights.h"

static bool in_use(const hn_unit *unit)
{
	return host_status_runs(unit->status) || unit->status == HN_UNIT_UNREACHABLE ||
	       unit->wanted == HOST_WANTED_RUNNING;
}

static int64_t number_of(const hn_view *view, const char *key, int64_t otherwise)
{
	int64_t number;

	return hn_view_get_int(view, key, &number, NULL) >= 0 ? number : otherwise;
}

/* As many as the machine room gives it. */
static int vcpus_of(
	hn_host *host, const hn_unit *unit, const hn_view *view, int64_t *vcpus, hn_error **err)
{
	hn_calibration calibration = HN_CALIBRATION_INIT;
	int rc;

	*vcpus = number_of(view, "compute.vcpus", unit->vcpus);
	if (*vcpus > 0)
		return 0;
	rc = host_calibration(host, &calibration, err);
	if (rc >= 0)
		*vcpus = (number_of(view, "compute.units", 100) * 10000 + calibration.sn - 1) /
			 calibration.sn;
	return rc;
}

/* What these values take, where it is more; NULL is nothing. */
static int raise_to(hn_host *host, const hn_unit *unit, const hn_view *view,
	uint64_t most[CAPS_HELD], hn_error **err)
{
	int64_t amounts[CAPS_HELD] = {0};
	int rc;

	if (!view)
		return 0;
	amounts[CAPS_HELD_MEMORY] = number_of(view, "memory.size", 0);
	rc = vcpus_of(host, unit, view, &amounts[CAPS_HELD_VCPUS], err);
	for (int i = 0; rc >= 0 && i < CAPS_HELD; i++)
		if (amounts[i] > 0 && (uint64_t)amounts[i] > most[i])
			most[i] = (uint64_t)amounts[i];
	return rc < 0 ? rc : 0;
}

/* --- taken --- */

int host_hold_start(hn_session *session, const char *object, caps_decision *decision,
	host_permit *permit, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	caps_holding asked = {.object = object, .whole = true};
	hn_host *host = session->host;
	int rc;

	if (session->holder->has_already || !caps_token_holds(session->holder->token) ||
		strncmp(object, "unit/", 5) != 0)
		return 0;
	rc = host_unit_load_uuid(host, object + 5, &unit, err);
	if (rc < 0)
		return base_error_forgive(err, rc, HN_ENOENT);
	rc = raise_to(host, unit, unit->desired ? unit->desired : unit->applied, asked.to, err);
	/* a restart that comes to nothing leaves it with what it has */
	if (rc >= 0 && host_status_runs(unit->status))
		rc = raise_to(host, unit, unit->applied, asked.to, err);
	if (rc >= 0)
		rc = caps_store_hold(
			host->rights->store, session->holder->token, decision, &asked, err);
	/* from here on it is in use: what others change of it is counted */
	if (rc >= 0 && unit->wanted != HOST_WANTED_RUNNING) {
		permit->wished = true;
		permit->wanted_before = unit->wanted;
		rc = host_unit_set_wanted(host, unit, HOST_WANTED_RUNNING, err);
	}
	return rc;
}

void host_has_already(const hn_session *session, bool has)
{
	if (session && session->holder)
		session->holder->has_already = has;
}

/* Only the one of which this key is; NULL: both. */
static void leave_only(const char *key, uint64_t to[CAPS_HELD])
{
	if (key && strcmp(key, "compute.vcpus") != 0)
		to[CAPS_HELD_VCPUS] = 0;
	if (key && strcmp(key, "memory.size") != 0)
		to[CAPS_HELD_MEMORY] = 0;
}

static int take_more(hn_session *session, hn_verb verb, const caps_holding *asked, hn_error **err)
{
	host_holder *holder = session->holder;
	caps_decision decision;
	int rc;

	/* what it has used up goes on holding for it */
	holder->under_way = true;
	rc = host_decide(session, verb, asked->object, &decision, err);
	holder->under_way = false;
	if (rc >= 0)
		rc = caps_store_hold(
			session->host->rights->store, holder->token, &decision, asked, err);
	if (rc < 0)
		host_note_denial(session, verb, asked->object, rc, &decision);
	return rc;
}

int host_hold_values(hn_session *session, hn_verb verb, const hn_unit *given, const hn_view *view,
	const char *key, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	char object[BASE_OBJECT_SIZE];
	caps_holding asked = {.object = host_object_unit(object, given->uuid)};
	int rc;

	if (!session->holder || !caps_token_holds(session->holder->token))
		return 0;
	rc = host_unit_load_id(session->host, given->id, &unit, err);
	if (rc < 0 || !in_use(unit))
		return rc;
	rc = raise_to(session->host, unit, view, asked.to, err);
	leave_only(key, asked.to);
	/* a start has nothing yet but what it was admitted with */
	if (rc >= 0 && verb != HN_VERB_UNIT_START)
		rc = raise_to(session->host, unit, unit->applied, asked.from, err);
	if (rc < 0)
		return rc;
	for (int i = 0; i < CAPS_HELD; i++)
		if (asked.to[i] > asked.from[i])
			return take_more(session, verb, &asked, err);
	return 0;
}

/* --- given back --- */

/* Does a plan change it just now? Then what it has is not on record yet. */
static int is_changing(hn_host *host, const hn_unit *unit, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT 1 FROM step WHERE status = ?1 AND unit = ?2 LIMIT 1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, HN_STEP_DOING);
	state_bind_text(query, 2, unit->name);
	rc = state_row(query, err);
	state_done(query);
	return rc;
}

static int give_back(hn_host *host, const hn_unit *unit, const char *object, hn_error **err)
{
	uint64_t most[CAPS_HELD] = {0};
	int rc;

	if (!in_use(unit))
		return caps_hold_release(host->store, object, err);
	if (!host_status_runs(unit->status)) /* what it will have is not on record yet */
		return 0;
	rc = is_changing(host, unit, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = raise_to(host, unit, unit->desired, most, err);
	if (rc >= 0)
		rc = raise_to(host, unit, unit->applied, most, err);
	return rc < 0 ? rc : caps_hold_trim(host->store, object, most, err);
}

int host_hold_settle(hn_host *host, const hn_unit *given, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	char object[BASE_OBJECT_SIZE];
	int rc = caps_hold_any(host->store, host_object_unit(object, given->uuid), err);

	if (rc <= 0)
		return rc;
	rc = base_error_forgive(err, host_unit_load_id(host, given->id, &unit, err), HN_ENOENT);
	if (rc < 0)
		return rc;
	return unit ? give_back(host, unit, object, err)
		    : caps_hold_release(host->store, object, err);
}

int host_hold_failed(host_permit *permit, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	hn_host *host;
	int rc;

	if (!permit->wished) /* one that was never given has no session */
		return 0;
	permit->wished = false;
	host = permit->session->host;
	rc = host_unit_load_uuid(host, permit->base.objects[0] + 5, &unit, err);
	if (rc < 0)
		return base_error_forgive(err, rc, HN_ENOENT);
	/* not ready in time, but it runs */
	return host_status_runs(unit->status)
		       ? 0
		       : host_unit_set_wanted(host, unit, permit->wanted_before, err);
}
