/* SPDX-License-Identifier: MIT
 *
 * Events about the host itself, and what is counted of capabilities.
 */
#include "host/host-private.h"

int host_event_node(hn_host *host, const hn_session *session, const char *type, const char *data,
	hn_error **err)
{
	char subject[BASE_OBJECT_SIZE];
	hn_event event = {
		.size = sizeof(event),
		.type = type,
		.subject = host_object_node(subject, host),
		.name = host->node,
		.who = session ? session->subject : "host",
		.data = data,
	};

	return events_append(host->events, &event, NULL, err);
}

int host_event_pairs(hn_host *host, const hn_session *session, const char *type,
	const char *const *pairs, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char *text = NULL;
	int rc = hn_json_new(false, &json, err);

	if (rc < 0)
		return rc;
	hn_json_object(json, NULL);
	for (; pairs[0]; pairs += 2)
		hn_json_text(json, pairs[0], pairs[1]);
	hn_json_end(json);
	rc = hn_json_finish(json, &text, NULL, err);
	return rc < 0 ? rc : host_event_node(host, session, type, text, err);
}

void host_count_check(const hn_session *session, int code, int64_t took)
{
	events_log *events = session->host->events;

	/* A count that is lost for want of memory is no reason to refuse. */
	(void)events_counter_add(events, "hypernix_cap_checks_total",
		code < 0 ? "allowed=\"false\"" : "allowed=\"true\"", 1);
	(void)events_counter_add(
		events, "hypernix_cap_check_seconds", "", took > 0 ? (uint64_t)took : 0);
}
