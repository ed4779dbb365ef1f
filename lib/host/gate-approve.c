/* SPDX-License-Identifier: MIT
 *
 * Gates of approvals: asked for, collected, listed; and the second factor of a session.
 */
#include "host/call.h"
#include "host/rights.h"

#define HOUR 3600

static int need_bundle(
	hn_host *host, host_rights **rights, const caps_bundle **bundle, hn_error **err)
{
	int rc = host_rights_now(host, rights, err);

	if (rc < 0)
		return rc;
	*bundle = caps_store_bundle((*rights)->store);
	if (*bundle)
		return 0;
	return base_error(err, HN_EBUNDLE, HOST_ROOM, "hv-cap trust makes and loads one",
		"this host has no trust bundle: it knows nobody who could approve");
}

/* Whoever may do it but for its approvals may ask for them and bring them. What is missing beside
 * can be brought later too. */
static int may_but_for_approval(
	hn_session *session, hn_verb verb, const char *object, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	int rc = host_would(session, verb, object, &why);

	if (rc >= 0 || host_attainable(session, rc))
		return 0;
	if (rc == HN_EAPPROVAL || rc == HN_EMFA || rc == HN_EREASON)
		return base_error(err, HN_EDENIED, HOST_ROOM, "see: hv-cap explain",
			"no approval would allow %s there", base_verb_text(verb));
	base_error_move(err, BASE_STEAL(why));
	return rc;
}

/* Requests take room that others need too: none without a use for it. */
static int must_be_approved(hn_session *session, hn_verb verb, const char *object, hn_error **err)
{
	if (host_would(session, verb, object, NULL) < 0)
		return may_but_for_approval(session, verb, object, err);
	return base_error(err, HN_EINVAL, HOST_ROOM, "do it",
		"%s needs no approval that is missing", base_verb_text(verb));
}

/* --- asking --- */

typedef struct asking {
	hn_session *session;
	host_rights *rights;
	caps_ask *ask;
} asking;

/* Who holds a token makes children of it at will: they share the room of the first link. */
static caps_view root_of(const hn_session *session)
{
	return session->holder && session->holder->token ? session->holder->token->links[0].cti
							 : (caps_view){0};
}

static int remember(void *arg, hn_error **err)
{
	const asking *one = arg;
	hn_host *host = one->session->host;
	host_audit_entry entry = {.kind = CAPS_AUDIT_APPROVAL,
		.verb = -1,
		.session = one->session,
		.request = one->ask->hash,
		.note = "asked"};
	os_interval interval;
	caps_instant now = host_instant(host, &interval);
	int rc = caps_ask_put(one->rights->store, one->ask, root_of(one->session), &now, err);

	return rc < 0 ? rc : host_audit_append(host, &entry, NULL, err);
}

static void set_text(caps_view *view, const char *text)
{
	*view = (caps_view){(const uint8_t *)text, strlen(text)};
}

static int write_ask(hn_session *session, caps_ask *ask, caps_ask **written, hn_error **err)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	const caps_token *token = session->holder ? session->holder->token : NULL;
	int rc = os_random(session->host->os, ask->id, sizeof(ask->id), err);

	if (rc < 0)
		return rc;
	if (token)
		ask->cti = token->links[token->link_count - 1].cti;
	else
		set_text(&ask->subject, session->subject);
	ask->made = os_now(session->host->os) / OS_SECOND;
	ask->until = ask->made + ask->ttl;
	rc = caps_ask_write(ask, &bytes, err);
	return rc < 0 ? rc : caps_ask_read(bytes.data, bytes.size, written, err);
}

static int check_asked(const hn_session *session, const char **reason, int64_t *ttl, hn_error **err)
{
	*ttl = *ttl == 0 ? HOUR : *ttl;
	*reason = *reason && **reason ? *reason : session->reason;
	if (*ttl < 1 || *ttl > CAPS_ASK_SECONDS)
		return base_error(err, HN_ERANGE, HOST_ROOM, "a day at most",
			"a request cannot wait %lld seconds", (long long)*ttl);
	if (!*reason)
		return base_error(err, HN_EREASON, HOST_ROOM, "say why, for those who approve",
			"a request for approval needs a reason");
	return 0;
}

static int ask(hn_session *session, caps_view call, const caps_called *called, const char *reason,
	int64_t ttl, char **request, hn_error **err)
{
	BASE_AUTO_OF(caps_ask) caps_ask *written = NULL;
	asking one = {.session = session};
	const caps_bundle *bundle = NULL;
	caps_ask made = {.kind = CAPS_ASK_USE, .pattern_count = 1, .ttl = ttl, .call = call};
	int rc = need_bundle(session->host, &one.rights, &bundle, err);

	if (rc < 0)
		return rc;
	caps_mask_add(&made.mask, called->verb);
	made.patterns[0] = called->object;
	set_text(&made.reason, reason);
	made.cluster = bundle->cluster;
	rc = write_ask(session, &made, &written, err);
	one.ask = written;
	if (rc >= 0)
		rc = host_transaction(session->host, remember, &one, err);
	return rc < 0 ? rc : caps_ask_text(written, request, err);
}

/* For the call that was refused last, with all its arguments. */
static int ask_for_last(
	hn_session *session, const char *reason, int64_t ttl, char **request, hn_error **err)
{
	caps_called called;
	caps_view call;
	int rc = host_call_last(session, &call, &called, err);

	if (rc >= 0 && (!session->holder || !session->holder->asks_approval))
		rc = base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"nothing that this session does needs an approval");
	return rc < 0 ? rc : ask(session, call, &called, reason, ttl, request, err);
}

/* For one without arguments. */
static int ask_for(hn_session *session, const char *verb, const char *object, const char *reason,
	int64_t ttl, char **request, hn_error **err)
{
	CAPS_AUTO_CALL caps_call call = {0};
	caps_called called;
	hn_verb found = HN_VERB_COUNT;
	int rc = host_verb_find(verb, &found, err);

	if (rc >= 0 && (!object || !caps_object_valid(object, strnlen(object, BASE_OBJECT_SIZE))))
		rc = base_error(err, HN_EINVAL, HOST_ROOM, "an object is like unit/<uuid>",
			"\"%.80s\" is not the name of an object", object ? object : "");
	if (rc >= 0)
		rc = must_be_approved(session, found, object, err);
	if (rc >= 0)
		rc = caps_call_finish(&call, found, object, err);
	if (rc < 0 || !caps_called_read(caps_call_view(&call), &called))
		return rc < 0 ? rc : HN_CORRUPT(err, HOST_ROOM, "a call is none");
	return ask(session, caps_call_view(&call), &called, reason, ttl, request, err);
}

int hn_approval_request(hn_session *session, const char *verb, const char *object,
	const char *reason, int64_t ttl, char **request, hn_error **err)
{
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0 && (!request || (!verb && object)))
		rc = base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"a request needs a place, and an object a verb");
	if (rc >= 0)
		rc = check_asked(session, &reason, &ttl, err);
	if (rc >= 0)
		rc = verb ? ask_for(session, verb, object, reason, ttl, request, err)
			  : ask_for_last(session, reason, ttl, request, err);
	return host_conceal(session, rc, err);
}

/* --- collecting --- */

typedef struct collecting {
	hn_session *session;
	caps_store *store;
	const caps_approval *approval;
	const uint8_t *key;
	caps_view person;
} collecting;

static int keep(void *arg, hn_error **err)
{
	const collecting *one = arg;
	host_audit_entry entry = {.kind = CAPS_AUDIT_APPROVAL,
		.verb = -1,
		.session = one->session,
		.request = one->approval->hash,
		.note = "collected"};
	int rc = caps_approval_put(one->store, one->approval, one->key, one->person, err);

	return rc < 0 ? rc : host_audit_append(one->session->host, &entry, NULL, err);
}

static int find_person(const caps_bundle *bundle, collecting *one, hn_error **err)
{
	for (size_t i = 0; i < bundle->keyset_count; i++) {
		const caps_keyset *keyset = &bundle->keysets[i];
		size_t by = caps_approval_by(one->approval, keyset);

		if (by == SIZE_MAX)
			continue;
		one->key = keyset->entries[by].key;
		one->person = keyset->entries[by].person;
		return 0;
	}
	return base_error(err, HN_EAPPROVAL, HOST_ROOM, "see: hv-cap trust show",
		"no keyset of the trust bundle has the key that signed this approval");
}

static int check_open(const caps_asked *asked, int64_t now, hn_error **err)
{
	if (asked->state == CAPS_ASK_OPEN && asked->ask->kind == CAPS_ASK_USE &&
		now < asked->ask->until)
		return 0;
	return base_error(err, HN_EAPPROVAL, HOST_ROOM, "ask for approval anew",
		asked->ask->kind != CAPS_ASK_USE
			? "approvals of break-glass are shown when it is activated"
		: asked->state == CAPS_ASK_OPEN ? "the time of this request is over"
						: "this request is used, or a later one has "
						  "taken its place");
}

static int may_bring(hn_session *session, const caps_ask *asked, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];

	(void)snprintf(object, sizeof(object), "%.*s", (int)asked->patterns[0].size,
		(const char *)asked->patterns[0].bytes);
	for (int verb = 0; verb < HN_VERB_COUNT; verb++)
		if (caps_mask_has(&asked->mask, (hn_verb)verb))
			return may_but_for_approval(session, (hn_verb)verb, object, err);
	return base_error(err, HN_EDENIED, HOST_ROOM, NULL, "the request asks for nothing");
}

static int collect(hn_session *session, const caps_approval *approval, hn_error **err)
{
	BASE_AUTO_OF(caps_asked) caps_asked *asked = NULL;
	collecting one = {.session = session, .approval = approval};
	const caps_bundle *bundle = NULL;
	host_rights *rights = NULL;
	os_interval interval;
	caps_instant now = host_instant(session->host, &interval);
	int rc = need_bundle(session->host, &rights, &bundle, err);

	if (rc >= 0)
		rc = caps_ask_find(rights->store, approval->hash, &now, &asked, err);
	if (rc >= 0)
		rc = check_open(asked, now.wall, err);
	if (rc >= 0)
		rc = may_bring(session, asked->ask, err);
	if (rc >= 0)
		rc = find_person(bundle, &one, err);
	if (rc < 0)
		return rc;
	one.store = rights->store;
	return host_transaction(session->host, keep, &one, err);
}

int hn_approval_collect(hn_session *session, const char *approval, hn_error **err)
{
	caps_approval read;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0 && !approval)
		rc = base_error(err, HN_EINVAL, HOST_ROOM, NULL, "there is no approval");
	if (rc >= 0)
		rc = caps_approval_read_text(
			approval, strnlen(approval, 2 * CAPS_APPROVAL_BYTES), &read, err);
	if (rc >= 0)
		rc = collect(session, &read, err);
	return host_conceal(session, rc, err);
}

/* --- listing --- */

typedef struct listing {
	hn_json *json;
	uint32_t redact;
} listing;

static int list_one(void *arg, const caps_ask *one, uint64_t approvals)
{
	const listing *list = arg;
	hn_json *json = list->json;

	hn_json_object(json, NULL);
	caps_ask_json(one, list->redact, json);
	hn_json_uint(json, "approvals", approvals);
	hn_json_end(json);
	return 0;
}

int hn_approval_list(hn_session *session, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	host_rights *rights = NULL;
	host_permit permit;
	hn_host *host = NULL;
	listing list;
	int rc = json ? host_enter_node(session, HN_VERB_CAP_READ, &host, &permit, err)
		      : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the list");

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = host_rights_get(host, &rights, err);
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	list = (listing){made, permit.redact};
	hn_json_array(made, NULL);
	rc = caps_ask_each(rights->store, os_now(host->os) / OS_SECOND, list_one, &list, err);
	hn_json_end(made);
	return rc < 0 ? host_conceal(session, rc, err) : codec_json_take(made, json, err);
}
