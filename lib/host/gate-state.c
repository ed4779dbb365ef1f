/* SPDX-License-Identifier: MIT
 *
 * The gate to the state: where it lies, and whether it is whole.
 */
#include "host/host-private.h"

int hn_state_get_facts(hn_session *session, hn_state_facts *facts, hn_error **err)
{
	host_permit permit;
	hn_host *host = NULL;
	struct stat status;
	int rc = host_enter_node(session, HN_VERB_NODE_READ, &host, &permit, err);

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = host_options_check(facts, sizeof(*facts), "hn_state_facts", err);
	if (rc < 0)
		return rc;
	if (!facts)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the facts");
	rc = host->os->ops->stat(host->os, host->path, &status);
	if (rc < 0)
		return host_conceal(
			session, base_error_errno(err, HOST_ROOM, rc, "%s", host->path), err);
	*facts = (hn_state_facts){
		.size = sizeof(*facts),
		.path = host_told(permit.redact, HN_REDACT_PATHS, host->path),
		.bytes = (permit.redact & HN_REDACT_USAGE) == 0 ? (uint64_t)status.st_size : 0,
		.writes = state_writes(host->store),
	};
	return 0;
}

int hn_state_verify(hn_session *session, hn_error **err)
{
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter_node(session, HN_VERB_NODE_READ, &host, &permit, err);

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = state_check(host->store, err);
	if (rc >= 0)
		rc = host_audit_verify(host, err);
	return host_conceal(session, rc, err);
}
