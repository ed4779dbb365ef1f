/* SPDX-License-Identifier: MIT
 *
 * The signer of a host: its keys in <state>/keys, or hv-signer behind its socket.
 */
#include "caps/terms.h"
#include "host/rights.h"

static int check_time(const caps_issuer *issuer, int64_t now, hn_error **err)
{
	char time[CAPS_TIME_TEXT];

	if (now > issuer->sign_until) {
		caps_time_text(issuer->sign_until, time);
		return base_error(err, HN_EBUNDLE, HOST_ROOM,
			"hv-cap trust renew, with the key of a root",
			"the trust bundle lets this host issue until %s, and no longer", time);
	}
	if (now >= issuer->not_before)
		return 0;
	caps_time_text(issuer->not_before, time);
	return base_error(err, HN_EBUNDLE, HOST_ROOM,
		"is the clock wrong? see: hv-cap clock status",
		"the trust bundle lets this host issue from %s on", time);
}

/* Claims within what the trust bundle lets this key issue. */
static int check_claims(void *arg, const uint8_t issuer[CRYPTO_PUBLIC], const void *bytes,
	size_t size, int64_t now, uint32_t *epoch, hn_error **err)
{
	hn_host *host = arg;
	BASE_AUTO_FREE caps_token *claims = base_calloc(1, sizeof(*claims));
	const caps_bundle *bundle = host->rights ? caps_store_bundle(host->rights->store) : NULL;
	const char *reason = "there is no trust bundle";
	const caps_issuer *found = NULL;
	int rc;

	if (!claims)
		return base_nomem(err);
	if (bundle)
		found = caps_bundle_newest(bundle, issuer);
	if (!found)
		return base_error(err, HN_ENOENT, HOST_ROOM,
			"hv-cap trust renew puts it there, with the key of a root",
			"the key of this host is no issuer of the trust bundle");
	if (caps_claims_read(bytes, size, claims, &reason, NULL) < 0)
		return base_error(
			err, HN_EINVAL, HOST_ROOM, NULL, "the claims are not good: %s", reason);
	rc = check_time(found, now, err);
	if (rc < 0)
		return rc;
	reason = caps_issuer_refuses(found, claims);
	if (reason)
		return base_error(err, HN_EWIDEN, HOST_ROOM, "see: hv-cap trust show",
			"above the ceiling of this issuer: %s", reason);
	*epoch = found->epoch;
	return 0;
}

/* Of our audit log. */
static void origin(const hn_host *host, base_buf *name)
{
	const caps_bundle *bundle = host->rights ? caps_store_bundle(host->rights->store) : NULL;

	if (bundle)
		base_buf_format(name, "hypernix.org/audit/%.*s/%s", (int)bundle->cluster.size,
			(const char *)bundle->cluster.bytes, host->node);
	else
		base_buf_format(name, "hypernix.org/audit/local/%s", host->node);
}

/* A log that has begun keeps its name: a trust bundle that comes later, with that of the cluster,
 * makes no other log of it. */
static int open_here(hn_host *host, hn_error **err)
{
	BASE_AUTO_BUF base_buf directory = {0};
	BASE_AUTO_BUF base_buf name = {0};
	caps_signer_options options = {.os = host->os, .check = check_claims, .arg = host};
	int rc;

	base_buf_format(&directory, "%s/keys", host->state_dir);
	origin(host, &name);
	if (directory.failed || name.failed)
		return base_nomem(err);
	options.directory = directory.data;
	options.origin = name.data;
	rc = caps_signer_open(&options, &host->signer, err);
	if (rc != HN_EAUDITFORK || base_error_forgive(err, rc, HN_EAUDITFORK) != 0)
		return rc;
	options.origin = NULL;
	return caps_signer_open(&options, &host->signer, err);
}

int host_signer_plain(hn_host *host, crypto_signer **signer, hn_error **err)
{
	int rc = 0;

	if (!host->signer)
		rc = host->signer_path
			     ? caps_signer_connect(host->os, host->signer_path, &host->signer, err)
			     : open_here(host, err);
	if (rc < 0)
		return rc;
	*signer = host->signer;
	return 0;
}

int host_signer(hn_host *host, crypto_signer **signer, hn_error **err)
{
	host_rights *rights = NULL;
	int rc = host_rights_get(host, &rights, err);

	return rc < 0 ? rc : host_signer_plain(host, signer, err);
}
