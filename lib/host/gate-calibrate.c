/* SPDX-License-Identifier: MIT
 *
 * Gates of calibration.
 */
#include "host/calibrate.h"
#include "host/call.h"
#include "host/capacity.h"
#include "host/host-private.h"

/* An older caller has a shorter struct. */
static int give(const hn_calibration *found, uint32_t redact, hn_calibration *result)
{
	uint32_t size = result->size < sizeof(*found) ? result->size : (uint32_t)sizeof(*found);
	uint32_t theirs = result->size;
	hn_calibration told = *found;

	told.cpu = host_told(redact, HN_REDACT_HARDWARE, told.cpu);
	memcpy(result, &told, size);
	result->size = theirs;
	return 0;
}

int hn_host_calibrate(hn_session *session, bool quick, hn_progress_fn progress, void *arg,
	hn_cancel *cancel, hn_calibration *result, hn_error **err)
{
	host_measure_options options = {
		.quick = quick, .progress = progress, .progress_arg = arg, .cancel = cancel};
	HOST_AUTO_CALL host_call call = {0};
	host_permit permit;
	hn_calibration found;
	hn_host *host;
	int rc = host_session_use(session, &host, err);

	if (rc == 0)
		rc = host_options_check(result, sizeof(*result), "hn_calibration", err);
	if (rc == 0)
		rc = host_usable_threads(host->os, &options.threads, err);
	if (rc < 0)
		return rc;
	options.os = host->os;
	caps_call_text(&call.what, "calibrate", quick ? "quick" : "whole");
	rc = host_call_node(session, HN_VERB_NODE_ROLE, &call, &host, &permit, err);
	if (rc < 0)
		return rc;
	rc = host_settle(&permit, host_calibrate(session, &options, err), err);
	if (rc == 0 && result) {
		session->redacted = permit.redact;
		rc = host_calibration(host, &found, err);
		return rc < 0 ? host_conceal(session, rc, err)
			      : give(&found, permit.redact, result);
	}
	return rc;
}

int hn_host_get_calibration(hn_session *session, hn_calibration *result, hn_error **err)
{
	host_permit permit;
	hn_calibration found;
	hn_host *host;
	int rc = host_session_use(session, &host, err);

	if (rc == 0 && !result)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the calibration");
	if (rc == 0)
		rc = host_options_check(result, sizeof(*result), "hn_calibration", err);
	if (rc < 0)
		return rc;
	rc = host_enter_node(session, HN_VERB_NODE_READ, &host, &permit, err);
	if (rc < 0)
		return rc;
	rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = host_calibration(host, &found, err);
	rc = host_settle(&permit, rc, err);
	return rc < 0 ? rc : give(&found, permit.redact, result);
}
