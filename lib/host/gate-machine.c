/* SPDX-License-Identifier: MIT
 *
 * Gates of the machine as a whole: own it, its facts, and the step that keeps units going.
 */
#include "host/restart.h"

int hn_machine_open(hn_session *session, hn_error **err)
{
	host_permit permit;
	machine *m = NULL;
	hn_host *host;
	int rc = host_enter_node(session, HN_VERB_NODE_READ, &host, &permit, err);

	if (rc < 0)
		return rc;
	rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = host_machine(host, &m, err);
	/* what was missed is written down for those who may step it */
	if (rc >= 0 && host_would(session, HN_VERB_UNIT_UPDATE, "unit/*", NULL) >= 0)
		rc = host_supervise_all(session, err);
	return host_settle(&permit, rc < 0 ? rc : 0, err);
}

/* Facts that name no file and no part of the host; one that is not here is told to nobody from whom
 * anything is kept. */
static uint32_t classes_of_fact(const char *name)
{
	static const char *const plain[] = {"driver", "accelerator", "seccomp", "confinement",
		"libvirt", "hypervisor", "unborn"};
	static const char *const parts[] = {"cpu.*", "module.*", "arm.*", "kvm.*"};

	for (size_t i = 0; i < BASE_COUNT(plain); i++)
		if (strcmp(plain[i], name) == 0)
			return 0;
	for (size_t i = 0; i < BASE_COUNT(parts); i++)
		if (base_glob(parts[i], name))
			return HN_REDACT_HARDWARE;
	return BASE_REDACT_TEXTS;
}

int hn_machine_fact_at(hn_session *session, size_t index, hn_fact *fact, hn_error **err)
{
	host_permit permit;
	machine *m = NULL;
	hn_host *host;
	int rc = host_session_use(session, &host, err);

	if (rc == 0 && !fact)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the fact");
	if (rc == 0)
		rc = host_enter_node(session, HN_VERB_NODE_READ, &host, &permit, err);
	if (rc < 0)
		return rc;
	rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = host_machine(host, &m, err);
	if (rc >= 0)
		rc = machine_fact_at(m, index, fact);
	if (rc >= 0 && (permit.redact & classes_of_fact(fact->name)) != 0)
		fact->text = "";
	if (rc == HN_ENOENT)
		rc = base_error(err, HN_ENOENT, HOST_ROOM, NULL, "there is no fact %zu", index);
	return host_settle(&permit, rc, err);
}

/* Not past the next restart that is due. */
static int bound_wait(hn_host *host, int64_t *timeout, hn_error **err)
{
	int64_t unit = 0, due = 0, left;
	int rc = host_restart_next(host, &unit, &due, err);

	if (rc <= 0)
		return rc;
	left = due - host->os->ops->clock(host->os, HN_OS_CLOCK_BOOT);
	left = left < 0 ? 0 : left;
	if (*timeout < 0 || *timeout > left)
		*timeout = left;
	return 0;
}

static int step(hn_session *session, int64_t timeout, hn_error **err)
{
	hn_host *host = session->host;
	int handled, restarts;
	int rc = bound_wait(host, &timeout, err);

	if (rc < 0)
		return rc;
	handled = host_supervise_drain(session, timeout, err);
	if (handled < 0)
		return handled;
	restarts =
		host_supervise_due(session, host->os->ops->clock(host->os, HN_OS_CLOCK_BOOT), err);
	return restarts < 0 ? restarts : handled + restarts;
}

/* The step itself only watches; what it does for a unit is admitted and recorded one by one. */
int hn_machine_step(hn_session *session, int64_t timeout, hn_error **err)
{
	machine *m = NULL;
	hn_host *host;
	int rc = host_session_use(session, &host, err);
	bool first;

	if (rc < 0)
		return rc;
	rc = hn_session_check(session, base_verb_text(HN_VERB_UNIT_UPDATE), "unit/*", err);
	if (rc < 0)
		return rc;
	first = !host->machine;
	rc = host_machine(host, &m, err);
	if (rc >= 0 && first)
		rc = host_supervise_all(session, err);
	if (rc >= 0)
		rc = step(session, timeout, err);
	return host_conceal(session, rc, err);
}
