/* SPDX-License-Identifier: MIT
 *
 * What a decision about a token may ask of this host: revocations, epochs, tags and values of the
 * unit, zones, approvals.
 */
#include "host/rights.h"
#include "tags/tags-ask.h"

#include <limits.h>

static host_rights *rights_of(void *arg)
{
	const hn_session *session = arg;

	return session->host->rights;
}

static bool issuer_known(void *arg, const uint8_t kid[CAPS_KID])
{
	const caps_bundle *bundle = caps_store_bundle(rights_of(arg)->store);
	bool ambiguous = false;
	/* a service's terms are of this host's configuration, whatever the trust bundle says */
	bool ours = ((const hn_session *)arg)->of_service;
	const caps_issuer *issuer = bundle ? caps_bundle_issuer(bundle, kid, &ambiguous) : NULL;

	if (ours || !issuer || ambiguous)
		return ours;
	return caps_store_issuer_epoch(rights_of(arg)->store, kid) <= issuer->epoch;
}

static bool is_revoked(void *arg, const uint8_t cti[CAPS_CTI])
{
	return caps_store_revoked(rights_of(arg)->store, cti);
}

static uint64_t epoch_of(void *arg, const char *subject, size_t size)
{
	return caps_store_epoch(rights_of(arg)->store, CAPS_EPOCH_SUBJECT, subject, size);
}

/* What the unit that "unit/<uuid>..." names resolves to now; what is not declared any more has the
 * view that was stored last. Found once a decision. */
static const hn_view *view_of(hn_session *session, const char *object)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	host_holder *holder = session->holder;
	hn_resolver *resolver = NULL;
	char uuid[37];

	if (holder->blind || strncmp(object, "unit/", 5) != 0)
		return NULL;
	if (holder->view && strncmp(holder->unit, object + 5, sizeof(uuid) - 1) == 0)
		return holder->view;
	if (strnlen(object + 5, sizeof(uuid) - 1) < sizeof(uuid) - 1)
		return NULL;
	host_facts_done(session);
	(void)snprintf(uuid, sizeof(uuid), "%.36s", object + 5);
	if (host_unit_load_uuid(session->host, uuid, &unit, NULL) < 0 ||
		host_resolver(session->host, &resolver, NULL) < 0)
		return NULL;
	if (unit->undeclared || hn_resolve(resolver, unit->name, &holder->view, NULL) < 0)
		holder->view = unit->desired ? hn_view_ref(unit->desired) : NULL;
	memcpy(holder->unit, uuid, sizeof(uuid));
	return holder->view;
}

static int has_tag(void *arg, const char *object, const char *tag, size_t size)
{
	const hn_view *view = view_of(arg, object);

	return view ? tags_view_has(view, tag, size) : -1;
}

/* Verbs that give a unit its values; the value is the one that would hold after it. */
static bool sets_values(hn_verb verb)
{
	return verb == HN_VERB_UNIT_CREATE || verb == HN_VERB_UNIT_UPDATE ||
	       verb == HN_VERB_UNIT_START || verb == HN_VERB_TAG_APPLY ||
	       verb == HN_VERB_FORCE_SET || verb == HN_VERB_POLICY_DEFINE ||
	       verb == HN_VERB_TAG_DEFINE;
}

static int parameter(void *arg, const caps_request *request, const char *key, size_t size,
	int64_t *number, const char **text)
{
	const hn_view *view;
	char name[128];

	if (!sets_values(request->verb) || ((hn_session *)arg)->holder->values_later)
		return 0;
	view = view_of(arg, request->object);
	if (!view || size >= sizeof(name))
		return -1;
	(void)snprintf(name, sizeof(name), "%.*s", (int)size, key);
	if (hn_view_get_int(view, name, number, NULL) >= 0)
		return 1;
	return hn_view_get_text(view, name, text, NULL) >= 0 ? 2 : -1;
}

static codec_zone *zone_of(void *arg, const char *name, size_t size)
{
	return caps_zones_get(rights_of(arg)->zones, name, size);
}

static int approvals(void *arg, const uint8_t keyset[32], const uint8_t request_hash[32],
	int64_t max_age, int64_t *until)
{
	return host_approval_count(arg, keyset, request_hash, max_age, until);
}

static bool mfa(void *arg, const uint8_t keyset[32], int64_t max_age, int64_t *until)
{
	return host_factor_fresh(arg, keyset, max_age, until);
}

/* The holder is told since when; what is on record of it beyond that is for readers of the log. */
static void ended(
	void *arg, const caps_token *token, caps_ending ending, uint8_t link, caps_ended *ended)
{
	hn_session *session = arg;
	hn_session *asker = session->holder->asker;
	char node[BASE_OBJECT_SIZE];
	BASE_AUTO_FREE char *reason = NULL;
	uint64_t record = 0;
	uint32_t redact = 0;

	if (caps_store_ended(
		    rights_of(arg)->store, token, ending, link, &ended->by, &record, NULL) < 0 ||
		record == 0 ||
		caps_audit_when(session->host->audit, record, &ended->since, &reason, NULL) < 0)
		return;
	if (!asker || host_would_tell(asker, HN_VERB_AUDIT_READ,
			      host_object_node(node, session->host), &redact, NULL) < 0)
		return;
	ended->record = record;
	ended->tells_reason = (redact & BASE_REDACT_TEXTS) == 0;
	if (ended->tells_reason)
		ended->reason = BASE_STEAL(reason);
}

int host_facts_fill(hn_session *session, caps_facts *facts, hn_error **err)
{
	host_rights *rights = NULL;
	int rc = host_rights_get(session->host, &rights, err);

	if (rc >= 0)
		rc = host_rights_look(session->host, rights, false, err);
	if (rc < 0)
		return rc;
	*facts = (caps_facts){
		.arg = session,
		.earliest = rights->clock.earliest / OS_SECOND,
		.latest = rights->clock.latest / OS_SECOND,
		.clock_suspect = !session->holder->timeless && host_clock_denies(rights),
		.revocation_age = (rights->now - rights->fresh) / OS_SECOND,
		.issuer = issuer_known,
		.revoked = is_revoked,
		.subject_epoch = epoch_of,
		.tag = has_tag,
		.parameter = parameter,
		.zone = zone_of,
		.approvals = approvals,
		.mfa = mfa,
		.ended = ended,
	};
	return 0;
}

static int all_approve(void *arg, const uint8_t keyset[32], const uint8_t request_hash[32],
	int64_t max_age, int64_t *until)
{
	(void)arg, (void)keyset, (void)request_hash, (void)max_age;
	*until = INT64_MAX;
	return INT_MAX;
}

static bool is_there(void *arg, const uint8_t keyset[32], int64_t max_age, int64_t *until)
{
	(void)arg, (void)keyset, (void)max_age;
	*until = INT64_MAX;
	return true;
}

void host_facts_suppose(caps_facts *facts, caps_request *request)
{
	facts->approvals = all_approve;
	facts->mfa = is_there;
	request->any_reason = true;
}

void host_facts_done(hn_session *session)
{
	session->holder->view = hn_view_unref(session->holder->view);
}
