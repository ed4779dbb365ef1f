/* SPDX-License-Identifier: MIT
 *
 * Service sessions: parts of the platform that act without an operator. Each has a name that is on
 * record, and a short list of what it may do; everything else is denied, and the denial is on
 * record too.
 */
#include "host/host-private.h"

#include <unistd.h>

struct host_service { /* a name, and what it may do */
	const char *name;
	const hn_verb *verbs;
	size_t count;
};

static const hn_verb activation_verbs[] = {
	HN_VERB_UNIT_READ,
	HN_VERB_UNIT_CREATE,
	HN_VERB_UNIT_UPDATE,
	HN_VERB_UNIT_DELETE,
	HN_VERB_UNIT_START,
	HN_VERB_UNIT_STOP,
	HN_VERB_TAG_READ,
	HN_VERB_TAG_APPLY,
};

static const host_service services[] = {
	{"activation", activation_verbs, BASE_COUNT(activation_verbs)},
};

bool host_service_may(const host_service *service, hn_verb verb)
{
	for (size_t i = 0; i < service->count; i++)
		if (service->verbs[i] == verb)
			return true;
	return false;
}

int hn_session_open_service(hn_host *host, const char *name, const hn_session_options *options,
	hn_session **session, hn_error **err)
{
	char subject[64];

	for (size_t i = 0; name && i < BASE_COUNT(services); i++) {
		if (strcmp(services[i].name, name) != 0)
			continue;
		if (geteuid() != 0)
			return base_error(err, HN_EDENIED, HOST_ROOM, "run it as root",
				"uid %ld cannot act as the service %s", (long)geteuid(), name);
		(void)snprintf(subject, sizeof(subject), "service/%s", name);
		return host_session_new(host, options, subject, &services[i], session, err);
	}
	return base_error(err, HN_ENOENT, HOST_ROOM, "there is \"activation\"",
		"there is no service \"%.40s\"", name ? name : "");
}
