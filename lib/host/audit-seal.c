/* SPDX-License-Identifier: MIT
 *
 * The host and the seals of its audit log: compared with the signer before the first change, made
 * while it runs and at its end. A signer that does not answer stops no change: the log goes on, and
 * is sealed later.
 */
#include "host/rights.h"

#define RESERVE "reserve"

static char *beside(const hn_host *host, const char *name)
{
	base_buf path = {0};

	base_buf_format(&path, "%s/%s", host->state_dir, name);
	return base_buf_take(&path);
}

int host_has_signer(hn_host *host, bool *has, hn_error **err)
{
	BASE_AUTO_FREE char *path = beside(host, "keys/signer.state");

	if (!path)
		return base_nomem(err);
	*has = host->signer_path || os_exists(host->os, path);
	return 0;
}

static int compare(hn_host *host, hn_error **err)
{
	crypto_signer *signer = NULL;
	bool has = false;
	int rc = host_has_signer(host, &has, err);

	if (rc >= 0 && has)
		rc = host_signer_plain(host, &signer, err);
	if (rc < 0 || !has)
		return rc;
	return caps_audit_check(host->audit, signer, err);
}

/* Without a state of the signer there is none to ask: fine as long as nothing was sealed. */
static int signer_of_log(hn_host *host, crypto_signer **signer, hn_error **err)
{
	caps_audit_facts facts;
	bool has = false;
	int rc = host_has_signer(host, &has, err);

	if (rc >= 0)
		rc = has ? host_signer_plain(host, signer, err)
			 : caps_audit_facts_read(host->audit, &facts, err);
	if (rc < 0 || has || (facts.sealed == 0 && facts.claimed == 0))
		return rc;
	return base_error(err, HN_EAUDITFORK, HOST_ROOM,
		"bring the newest copy of the directory of keys back",
		"%llu records of the audit log were sealed, and what the signer knows of it is gone",
		(unsigned long long)(facts.sealed > facts.claimed ? facts.sealed : facts.claimed));
}

int host_audit_look(hn_host *host, hn_error **err)
{
	crypto_signer *signer = NULL;
	int rc = signer_of_log(host, &signer, err);

	return rc < 0 || !signer ? rc : caps_audit_look(host->audit, signer, err);
}

int host_audit_verify_sealed(hn_host *host, caps_audit_check_options *options, hn_error **err)
{
	int rc = signer_of_log(host, &options->signer, err);

	options->now = os_now(host->os) / OS_SECOND;
	return rc < 0 ? rc : caps_audit_verify(host->audit, options, err);
}

int host_audit_ready(hn_host *host, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	int rc;

	if (host->audit_compared)
		return 0;
	rc = compare(host, &why);
	host->audit_compared = rc >= 0; /* else it is tried again before the next change */
	if (rc == HN_EAUDITFORK || rc == HN_ENOMEM) {
		base_error_move(err, BASE_STEAL(why));
		return rc;
	}
	if (rc < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM,
			"the audit log could not be compared with its signer: %s",
			hn_error_message(why));
	return 0;
}

int host_audit_seal(hn_host *host, hn_error **err)
{
	crypto_signer *signer = NULL;
	uint64_t size = 0;
	int rc;

	if (host->read_only || state_in_transaction(host->store))
		return 0;
	rc = caps_audit_size(host->audit, &size, err);
	if (rc < 0 || size == 0)
		return rc;
	rc = host_signer_plain(host, &signer, err);
	return rc < 0 ? rc : caps_audit_seal(host->audit, signer, err);
}

static void seal_or_say(hn_host *host)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	int rc = host_audit_seal(host, &why);

	if (rc < 0)
		base_log(rc == HN_EAUDITFORK ? HN_LOG_ERROR : HN_LOG_WARNING, HOST_ROOM,
			"the audit log is not sealed: %s", hn_error_message(why));
}

void host_audit_tick(hn_host *host)
{
	if (host->read_only || state_in_transaction(host->store) || !caps_audit_due(host->audit))
		return;
	(void)caps_audit_deny_flush(host->audit, false, NULL);
	seal_or_say(host);
}

void host_audit_end(hn_host *host)
{
	if (!host->audit || host->read_only || !caps_audit_unsealed(host->audit))
		return;
	(void)caps_audit_deny_flush(host->audit, true, NULL);
	seal_or_say(host);
}

/* --- break-glass on a full disk --- */

void host_audit_reserve(hn_host *host)
{
	BASE_AUTO_FREE char *path = beside(host, RESERVE);

	if (!path || caps_audit_reserve_make(host->os, path, NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM,
			"no room could be held for break-glass on a full disk");
}

bool host_audit_release(hn_host *host)
{
	BASE_AUTO_FREE char *path = beside(host, RESERVE);

	return path && caps_audit_reserve_release(host->os, path);
}
