/* SPDX-License-Identifier: MIT
 *
 * Witnesses of the audit log as the host sees them: which there are says the trust bundle, and
 * whether calls that are sealed first wait for them says a setting.
 */
#include "host/call.h"
#include "host/rights.h"

#define WAIT (5 * OS_SECOND)
#define LOOK_EVERY (OS_SECOND / 10)
#define FORK "org.hypernix.audit.fork.v1"

static int load_bundle(hn_host *host, const caps_bundle **bundle, hn_error **err)
{
	host_rights *rights = NULL;
	int rc = host_rights_now(host, &rights, err);

	if (rc >= 0)
		*bundle = caps_store_bundle(rights->store);
	return rc;
}

static size_t needed(const caps_bundle *bundle)
{
	return bundle->witnesses_needed > 0 ? bundle->witnesses_needed : 1;
}

static int refuse(const caps_bundle *bundle, size_t number, hn_error **err)
{
	return base_error(err, HN_EAUDIT, HOST_ROOM,
		"let a witness of the trust bundle answer; or: hv-cap audit require-witness off",
		"%zu of the %zu witnesses needed have cosigned the audit log", number,
		needed(bundle));
}

/* Whoever asks the witnesses, here or in another process, puts their answers into the store. */
static int await(hn_host *host, const caps_bundle *bundle, uint64_t size, hn_error **err)
{
	int64_t end = os_monotonic(host->os) + WAIT;
	size_t number = 0;
	int rc;

	for (;;) {
		rc = caps_audit_witnessed(
			host->audit, size, bundle->witnesses, bundle->witness_count, &number, err);
		if (rc < 0 || number >= needed(bundle))
			return rc;
		if (os_monotonic(host->os) >= end)
			return refuse(bundle, number, err);
		host->os->ops->sleep(host->os, LOOK_EVERY);
	}
}

int host_audit_witnessed(hn_host *host, hn_error **err)
{
	const caps_bundle *bundle = NULL;
	bool asked = false;
	uint64_t size = 0;
	int rc = caps_store_witness_look(host->store, &asked, err);

	if (rc < 0 || !asked || state_in_transaction(host->store))
		return rc;
	rc = load_bundle(host, &bundle, err);
	if (rc >= 0)
		rc = caps_audit_size(host->audit, &size, err);
	if (rc < 0)
		return rc;
	if (!bundle || bundle->witness_count == 0)
		return base_error(err, HN_EAUDIT, HOST_ROOM,
			"name some in the trust bundle; or: hv-cap audit require-witness off",
			"this call waits for a witness of the audit log, and there is none");
	return await(host, bundle, size, err);
}

typedef struct requiring {
	hn_host *host;
	bool required;
} requiring;

/* Without any it would refuse every sealed call from now on: in the transaction that turns it on,
 * so that no other bundle comes between. */
static int refuse_without_any(host_rights *rights, hn_error **err)
{
	const caps_bundle *bundle;
	int rc = caps_store_refresh(rights->store, err);

	if (rc < 0)
		return rc;
	caps_cache_drop(rights->cache); /* of another bundle than this, maybe */
	bundle = caps_store_bundle(rights->store);
	if (bundle && bundle->witness_count > 0)
		return 0;
	return base_error(err, HN_EINVAL, HOST_ROOM,
		"name witnesses in a new bundle first: hv-cap trust update",
		"the trust bundle names no witness that could be waited for");
}

static int require(void *arg, hn_error **err)
{
	const requiring *one = arg;
	host_rights *rights = NULL;
	int rc = one->required ? host_rights_get(one->host, &rights, err) : 0;

	if (rc >= 0 && one->required)
		rc = refuse_without_any(rights, err);
	return rc < 0 ? rc : caps_store_witness_set(one->host->store, one->required, err);
}

int hn_audit_require_witness(hn_session *session, bool required, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit;
	requiring one;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0 && !session->reason)
		rc = base_error(err, HN_EREASON, HOST_ROOM, "say why, for the audit log",
			"whether witnesses are waited for is changed with a reason");
	if (rc < 0)
		return rc;
	/* where no witness answers any more it must be possible to go on without */
	session->unwitnessed = true;
	caps_call_bool(&call.what, "require_witness", required);
	rc = host_call_node(session, HN_VERB_NODE_ROLE, &call, &host, &permit, err);
	session->unwitnessed = false;
	if (rc < 0)
		return rc;
	one = (requiring){.host = host, .required = required};
	return host_settle(&permit, host_transaction(host, require, &one, err), err);
}

int hn_audit_cosign(hn_session *session, uint64_t size, const char *line, hn_error **err)
{
	const caps_bundle *bundle = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = line ? host_enter_node(session, HN_VERB_AUDIT_READ, &host, &permit, err)
		      : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "there is no cosignature");

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = load_bundle(host, &bundle, err);
	if (rc >= 0 && host->read_only)
		rc = base_error(err, HN_EDENIED, HOST_ROOM, "open it without read_only",
			"the host was opened read-only");
	if (rc >= 0)
		rc = caps_audit_cosign(host->audit, size, line, strlen(line),
			bundle ? bundle->witnesses : NULL, bundle ? bundle->witness_count : 0, err);
	return host_conceal(session, rc, err);
}

int hn_audit_compare(hn_session *session, const char *note, hn_error **err)
{
	const char *const pairs[] = {"seen", "by another", NULL};
	host_permit permit;
	hn_host *host = NULL;
	int rc = note ? host_enter_node(session, HN_VERB_AUDIT_READ, &host, &permit, err)
		      : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "there is no note");

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0 && host->read_only)
		rc = base_error(err, HN_EDENIED, HOST_ROOM, "open it without read_only",
			"the host was opened read-only");
	if (rc >= 0)
		rc = caps_audit_compare(host->audit, note, strlen(note), err);
	if (rc == HN_EAUDITFORK && host_event_pairs(host, session, FORK, pairs, NULL) < 0)
		base_log(HN_LOG_ERROR, HOST_ROOM, "the audit log has forked");
	return host_conceal(session, rc, err);
}

int host_audit_count(hn_host *host, uint64_t size, size_t *number, hn_error **err)
{
	const caps_bundle *bundle = NULL;
	int rc = size > 0 ? load_bundle(host, &bundle, err) : 0;

	*number = 0;
	if (rc < 0 || !bundle || bundle->witness_count == 0)
		return rc;
	return caps_audit_witnessed(
		host->audit, size, bundle->witnesses, bundle->witness_count, number, err);
}
