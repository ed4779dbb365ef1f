/* SPDX-License-Identifier: MIT
 *
 * Gates of services: which there are on this host, and what each may do.
 */
#include "caps/service.h"
#include "host/call.h"
#include "host/rights.h"

typedef struct loading {
	hn_session *session;
	const caps_services *services;
} loading;

/* What they are now is on record by its hash, so that a change of the rows alone can be seen. */
static int record_services(const loading *one, hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};
	uint8_t hash[CRYPTO_DIGEST];
	host_audit_entry entry = {.kind = CAPS_AUDIT_TRUST,
		.verb = HN_VERB_NODE_ROLE,
		.session = one->session,
		.note = "services",
		.request = hash,
		.count = one->services->count};

	for (size_t i = 0; i < one->services->count; i++)
		base_buf_format(&text, "%s %s\n", one->services->items[i].name,
			one->services->items[i].terms);
	if (text.failed)
		return base_nomem(err);
	crypto_sha256(text.data ? text.data : "", text.size, hash);
	return host_audit_append(one->session->host, &entry, NULL, err);
}

static int load(void *arg, hn_error **err)
{
	const loading *one = arg;
	int rc = caps_services_put(one->session->host->store, one->services, err);

	return rc < 0 ? rc : record_services(one, err);
}

int hn_services_load(hn_session *session, const char *services, hn_error **err)
{
	BASE_AUTO_OF(caps_services) caps_services *read = NULL;
	HOST_AUTO_CALL host_call call = {0};
	char object[BASE_OBJECT_SIZE];
	loading one = {.session = session};
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0 && !services)
		rc = base_error(err, HN_EINVAL, HOST_ROOM, NULL, "there are no services");
	if (rc >= 0)
		rc = caps_services_read(services, &read, err);
	caps_call_text(&call.what, "services", services);
	if (rc >= 0)
		rc = host_call_begin(
			&call, session, HN_VERB_NODE_ROLE, host_object_node(object, host), err);
	if (rc >= 0)
		rc = host_may(session, HN_VERB_NODE_ROLE, object, err);
	if (rc >= 0)
		rc = caps_services_same(host->store, read, err);
	if (rc != 0)
		return rc < 0 ? rc : 0; /* loading them again is no change */
	if (!session->reason)
		return base_error(err, HN_EREASON, HOST_ROOM, "say why, for the audit log",
			"a change of what services may do needs a reason");
	rc = host_admit(session, HN_VERB_NODE_ROLE, object, NULL, &permit, err);
	if (rc < 0)
		return rc;
	one.services = read;
	return host_settle(&permit, host_transaction(host, load, &one, err), err);
}

static int list_one(void *arg, const char *name, const char *terms)
{
	hn_json *json = arg;

	if (*terms)
		hn_json_raw(json, name, terms);
	else
		hn_json_bool(json, name, false);
	return 0;
}

int hn_services_list(hn_session *session, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = json ? host_enter_node(session, HN_VERB_CAP_READ, &host, &permit, err)
		      : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the list");

	/* terms have networks, hosts, tags and bounds of values in them */
	if (rc >= 0)
		rc = host_answers(&permit, BASE_REDACT_TEXTS, err);
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	hn_json_object(made, NULL);
	rc = caps_service_each(host->store, list_one, made, err);
	hn_json_end(made);
	return rc < 0 ? host_conceal(session, rc, err) : codec_json_take(made, json, err);
}
