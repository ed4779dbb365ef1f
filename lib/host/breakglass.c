/* SPDX-License-Identifier: MIT
 *
 * Break-glass as sessions see it: when it is over, and what is told of it.
 */
#include "host/rights.h"

#define LOOK_EVERY (OS_SECOND / 4)
#define ENDED "org.hypernix.breakglass.ended.v1"
#define UNREVIEWED "org.hypernix.breakglass.unreviewed.v1"

caps_instant host_instant(hn_host *host, os_interval *interval)
{
	os_clock_interval(host->os, interval);
	return (caps_instant){.wall = interval->wall / OS_SECOND,
		.boot = interval->boottime,
		.boot_id = interval->boot_id};
}

/* Others may have ended it. */
static bool ended_elsewhere(hn_session *session, const caps_instant *now)
{
	BASE_AUTO_OF(caps_glass) caps_glass *glass = NULL;
	hn_host *host = session->host;

	/* What cannot be looked at is not allowed. */
	return caps_glass_find(host->rights->store, session->glass->number, now, &glass, NULL) <
		       0 ||
	       !caps_glass_active(glass, now);
}

const char *host_glass_over(hn_session *session)
{
	int64_t time = os_monotonic(session->host->os);
	os_interval interval;
	caps_instant now = host_instant(session->host, &interval);

	if (!caps_glass_active(session->glass, &now))
		return "expired";
	if (time < session->next_glass)
		return NULL;
	session->next_glass = time + LOOK_EVERY;
	(void)caps_store_refresh(session->host->rights->store, NULL);
	if (caps_store_session_is_cut(session->host->rights->store, session->id))
		return "cut";
	return ended_elsewhere(session, &now) ? "ended" : NULL;
}

typedef struct telling {
	hn_host *host;
	caps_instant now;
} telling;

static int tell(void *arg, hn_error **err)
{
	const telling *what = arg;
	state_store *state = what->host->store;
	int rc = caps_glass_expire(state, &what->now, err);

	if (rc > 0)
		rc = host_event_node(what->host, NULL, ENDED, "{\"why\":\"expired\"}", err);
	if (rc >= 0)
		rc = caps_glass_alarm(state, &what->now, err);
	if (rc > 0) {
		char data[48];

		(void)snprintf(data, sizeof(data), "{\"unreviewed\":%d}", rc);
		rc = host_event_node(what->host, NULL, UNREVIEWED, data, err);
	}
	return rc < 0 ? rc : 0;
}

void host_glass_look(hn_host *host)
{
	os_interval interval;
	telling what = {.host = host, .now = host_instant(host, &interval)};
	int rc;

	if (host->read_only || host->store->depth > 0)
		return;
	rc = caps_glass_due(host->store, &what.now, NULL);
	if (rc > 0)
		rc = host_transaction(host, tell, &what, NULL);
	if (rc < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM,
			"that a break-glass is over could not be told yet");
}
