/* SPDX-License-Identifier: MIT
 *
 * The gate to the event log and the metrics.
 */
#include "host/call.h"
#include "host/rights.h"

#define LOOK_EVERY (OS_SECOND / 4)

/* A token's holder gets the events of units that he may read, and none of others. */
typedef struct filter {
	hn_session *session;
	uint32_t redact; /* of the log; a unit may have more */
	hn_event_fn each;
	void *arg;
} filter;

static int pass(void *arg, const hn_event *event)
{
	const filter *to = arg;
	uint32_t redact = 0;

	if (strncmp(event->subject, "unit/", 5) == 0 &&
		host_would_tell(to->session, HN_VERB_UNIT_READ, event->subject, &redact, NULL) < 0)
		return 0;
	host_leaves_out(to->session, redact);
	return host_event_redact(event, to->redact | redact, to->each, to->arg);
}

int hn_events_read(hn_session *session, const hn_events_options *options, hn_event_fn each,
	void *arg, hn_error **err)
{
	filter to = {.session = session, .each = each, .arg = arg};
	hn_events_options known;
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter_node(session, HN_VERB_EVENT_READ, &host, &permit, err);

	if (rc >= 0)
		rc = host_options_check(options, sizeof(known), "hn_events_options", err);
	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc < 0)
		return rc;
	host_options_copy(&known, options, sizeof(known));
	known.size = sizeof(known);
	to.redact = permit.redact;
	rc = host_session_limited(session) ? events_read(host->events, &known, pass, &to, err)
					   : events_read(host->events, &known, each, arg, err);
	return host_conceal(session, rc, err);
}

int hn_events_wait(
	hn_session *session, uint64_t after, int64_t timeout, hn_cancel *cancel, hn_error **err)
{
	host_permit permit;
	hn_host *host = NULL;
	int64_t begin;
	int rc = host_enter_node(session, HN_VERB_EVENT_READ, &host, &permit, err);

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc < 0)
		return rc;
	begin = os_monotonic(host->os);
	/* a token that is revoked meanwhile waits no longer */
	for (;;) {
		int64_t rest = timeout < 0 ? INT64_MAX : timeout - (os_monotonic(host->os) - begin);

		rest = rest > 0 ? rest : 0;

		rc = events_wait(
			host->events, after, rest < LOOK_EVERY ? rest : LOOK_EVERY, cancel, err);
		if (rc == 0 && rest > LOOK_EVERY)
			rc = base_permit_live(&permit.base, err);
		if (rc != 0 || rest <= LOOK_EVERY)
			return host_conceal(session, rc, err);
	}
}

int hn_events_last(hn_session *session, uint64_t *sequence, hn_error **err)
{
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter_node(session, HN_VERB_EVENT_READ, &host, &permit, err);

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = events_last(host->events, sequence, err);
	return host_conceal(session, rc, err);
}

int hn_events_prune(hn_session *session, uint64_t before, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit;
	hn_host *host = NULL;
	int rc;

	caps_call_int(&call.what, "before", (int64_t)before);
	rc = host_call_node(session, HN_VERB_NODE_ROLE, &call, &host, &permit, err);
	return rc < 0 ? rc : host_settle(&permit, events_prune(host->events, before, err), err);
}

static int measure_witnesses(hn_host *host, hn_error **err)
{
	const caps_bundle *bundle;
	host_rights *rights = NULL;
	int64_t lag = 0;
	int rc = host_rights_get(host, &rights, err);

	if (rc < 0)
		return rc;
	bundle = caps_store_bundle(rights->store);
	if (!bundle || bundle->witness_count == 0)
		return 0;
	rc = caps_audit_witness_lag(host->audit, bundle->witnesses_needed, &lag, err);
	if (rc < 0)
		return rc;
	rc = events_gauge_set(host->events, "hypernix_audit_witness_lag_seconds", "", lag);
	return rc == HN_ENOMEM ? base_nomem(err) : 0;
}

/* Of the log itself: all processes write it, and none of them counts for the others. */
static int measure_audit(hn_host *host, hn_error **err)
{
	uint64_t records = 0;
	int64_t lag = 0;
	int rc = caps_audit_size(host->audit, &records, err);

	if (rc >= 0)
		rc = caps_audit_lag(host->audit, &lag, err);
	if (rc < 0)
		return rc;
	rc = events_counter_raise(host->events, "hypernix_audit_records_total", "", records);
	if (rc >= 0)
		rc = events_gauge_set(host->events, "hypernix_audit_seal_lag_seconds", "", lag);
	if (rc < 0)
		return rc == HN_ENOMEM ? base_nomem(err) : 0;
	return measure_witnesses(host, err);
}

int hn_metrics_text(hn_session *session, char **text, hn_error **err)
{
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter_node(session, HN_VERB_NODE_READ, &host, &permit, err);

	/* counts of calls and steps, which are of no class */
	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0 && !host->read_only)
		rc = measure_audit(host, err);
	if (rc >= 0)
		rc = events_metrics_text(host->events, text, err);
	return host_conceal(session, rc, err);
}
