/* SPDX-License-Identifier: MIT
 *
 * Gates of secrets: put there, listed by name, handed over, removed.
 */
#include "host/call.h"
#include "host/rights.h"
#include "host/unit-secrets.h"

#include <unistd.h>

typedef struct secret_call {
	hn_host *host;
	host_rights *rights;
	hn_unit *unit;
	host_permit permit;
	host_call asked;
	uint8_t owner[CAPS_SECRET_OWNER];
	/* of one secret; of a list `act` is 0 */
	caps_audit_secret_act act;
	const char *name;
	/* of a change */
	crypto_signer *signer;
	crypto_bytes bytes;
} secret_call;

static void end_call(secret_call *call)
{
	host_call_end(&call->asked);
	(void)hn_unit_unref(call->unit);
}
#define AUTO_SECRET __attribute__((cleanup(end_call)))

typedef struct seek_version {
	const char *name;
	int64_t version;
} seek_version;

static int look_at(void *arg, const char *name, int64_t version, int64_t made)
{
	seek_version *seek = arg;

	(void)made;
	if (strcmp(name, seek->name) == 0)
		seek->version = version;
	return 0;
}

/* Which bytes: by a key of this host, so that no guess can be checked against what was asked for.
 * Whoever may not do it, and may not ask for it, gets a number that fits nothing, so neither that
 * nor a trip to the signer. */
static int tell_bytes(
	hn_session *session, secret_call *call, const char *uuid, int64_t version, hn_error **err)
{
	caps_secret_call what = {.owner = call->owner,
		.name = call->name,
		.version = version,
		.asker = host_asker(session)};
	char object[BASE_OBJECT_SIZE];
	uint8_t digest[CRYPTO_DIGEST];
	crypto_signer *signer = NULL;
	int rc;

	if (call->host->read_only ||
		!host_reaches(session, HN_VERB_UNIT_SECRET, host_object_unit(object, uuid))) {
		rc = os_random(call->host->os, digest, sizeof(digest), err);
	} else {
		rc = host_signer(call->host, &signer, err);
		if (rc >= 0)
			rc = caps_secret_digest(signer, &what, call->bytes, digest, err);
	}
	if (rc >= 0)
		caps_call_keyed(&call->asked.what, "bytes", digest);
	return rc;
}

/* For the records that follow: in which version it is there now. */
static int record_version(secret_call *call, int64_t version, hn_error **err)
{
	const caps_audit_secret secret = {
		.act = call->act, .name = call->name, .version = (uint64_t)version};

	caps_audit_secret_write(&secret, &call->asked.detail);
	return call->asked.detail.failed ? base_nomem(err) : 0;
}

static int find_version(secret_call *call, int64_t *version, hn_error **err)
{
	seek_version seek = {.name = call->name};
	int rc = caps_secret_each(call->rights->store, call->owner, look_at, &seek, err);

	if (rc >= 0)
		rc = record_version(call, seek.version, err);
	if (rc >= 0 && version)
		*version = seek.version;
	return rc;
}

/* The name, the version that is there, and what is to take its place. */
static int tell(hn_session *session, secret_call *call, const char *uuid, hn_error **err)
{
	int64_t version = 0;
	int rc = find_version(call, &version, err);

	caps_call_text(&call->asked.what, caps_audit_secret_text(call->act), call->name);
	caps_call_int(&call->asked.what, "version", version);
	if (rc >= 0 && call->bytes.bytes)
		rc = tell_bytes(session, call, uuid, version, err);
	return host_conceal(session, rc, err);
}

/* A name that is none goes into no record. */
static int check_named(const char *unit, const secret_call *call, hn_error **err)
{
	if (!unit || (call->act && !call->name))
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"a unit and the name of a secret are needed");
	return call->act ? caps_secret_check_name(call->name, err) : 0;
}

static int begin(
	hn_session *session, const char *unit, hn_verb verb, secret_call *call, hn_error **err)
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	int rc = check_named(unit, call, err);

	if (rc >= 0)
		rc = host_session_use(session, &call->host, err);
	if (rc >= 0)
		rc = host_find_unit(session, unit, &found, err);
	if (rc >= 0)
		rc = host_rights_get(call->host, &call->rights, err);
	if (rc >= 0)
		rc = host_secret_owner(found->uuid, call->owner, err);
	if (rc >= 0 && call->act)
		rc = tell(session, call, found->uuid, err);
	return rc < 0 ? rc
		      : host_call_unit(session, unit, verb, &call->asked, &call->host, &call->unit,
				&call->permit, err);
}

/* A guest that has the old one is marked in the same transaction. */
static int put(void *arg, hn_error **err)
{
	secret_call *call = arg;
	int rc = caps_secret_put(call->rights->store, call->signer, call->owner, call->name,
		call->bytes, os_now(call->host->os) / OS_SECOND, err);

	if (rc >= 0)
		rc = find_version(call, NULL, err);
	return rc < 0 ? rc : host_secret_changed(call->host, call->unit, call->name, err);
}

int hn_secret_put(hn_session *session, const char *unit, const char *name, const void *bytes,
	size_t size, hn_error **err)
{
	AUTO_SECRET secret_call call = {
		.act = CAPS_AUDIT_SECRET_PUT, .name = name, .bytes = {bytes, size}};
	int rc = name && bytes ? 0
			       : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
					 "a secret needs a name and its bytes");

	if (rc >= 0)
		rc = begin(session, unit, HN_VERB_UNIT_SECRET, &call, err);
	if (rc < 0)
		return rc;
	rc = host_signer(call.host, &call.signer, err);
	if (rc >= 0)
		rc = host_transaction(call.host, put, &call, err);
	return host_settle(&call.permit, rc, err);
}

static int take_away(void *arg, hn_error **err)
{
	secret_call *call = arg;
	int rc = find_version(call, NULL, err);

	if (rc >= 0)
		rc = caps_secret_remove(call->rights->store, call->owner, call->name, err);
	return rc < 0 ? rc : host_secret_changed(call->host, call->unit, call->name, err);
}

int hn_secret_remove(hn_session *session, const char *unit, const char *name, hn_error **err)
{
	AUTO_SECRET secret_call call = {.act = CAPS_AUDIT_SECRET_REMOVE, .name = name};
	int rc = begin(session, unit, HN_VERB_UNIT_SECRET, &call, err);

	if (rc < 0)
		return rc;
	rc = host_transaction(call.host, take_away, &call, err);
	return host_settle(&call.permit, rc, err);
}

typedef struct listing {
	const secret_call *call;
	hn_json *json;
	hn_error **err;
} listing;

/* The version that the guest has, of a unit that runs; 0: none. */
static int given_version(const listing *list, const char *name, int64_t *version)
{
	const hn_unit *unit = list->call->unit;
	state_query *query = NULL;
	int rc;

	if (!host_status_runs(unit->status))
		return 0;
	rc = state_find(list->call->host->store,
		"SELECT version FROM unit_secret WHERE unit = ?1 AND name = ?2", &query, list->err);
	if (rc < 0)
		return rc;
	state_bind_int(query, 1, unit->id);
	state_bind_text(query, 2, name);
	rc = state_row(query, list->err);
	*version = rc > 0 ? state_int(query, 0) : 0;
	state_done(query);
	return rc < 0 ? rc : 0;
}

static int list_one(void *arg, const char *name, int64_t version, int64_t made)
{
	const listing *list = arg;
	int64_t given = 0;
	int rc = given_version(list, name, &given);

	if (rc < 0)
		return rc;
	hn_json_object(list->json, NULL);
	hn_json_text(list->json, "name", name);
	hn_json_int(list->json, "version", version);
	hn_json_int(list->json, "made", made);
	if (given > 0)
		hn_json_int(list->json, "given", given);
	hn_json_end(list->json);
	return 0;
}

int hn_secret_list(hn_session *session, const char *unit, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	AUTO_SECRET secret_call call = {0};
	listing list = {.call = &call, .err = err};
	int rc = json ? begin(session, unit, HN_VERB_UNIT_READ, &call, err)
		      : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the list");

	if (rc >= 0)
		rc = host_answers(&call.permit, 0, err);
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	list.json = made;
	hn_json_array(made, NULL);
	rc = caps_secret_each(call.rights->store, call.owner, list_one, &list, err);
	hn_json_end(made);
	return rc < 0 ? host_conceal(session, rc, err) : codec_json_take(made, json, err);
}

/* --- handing over --- */

static int hand_over(const crypto_secret *secret, int *fd, hn_error **err)
{
	HOST_MEMORY_AUTO memory = {.fd = -1};
	int rc = host_memory_new(&memory, err);

	if (rc >= 0)
		rc = host_memory_add(
			&memory, crypto_secret_view(secret), crypto_secret_size(secret), err);
	return rc < 0 ? rc : host_memory_seal(&memory, fd, err);
}

int hn_secret_attach(
	hn_session *session, const char *unit, const char *name, int *fd, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *plain = NULL;
	crypto_signer *signer = NULL;
	AUTO_SECRET secret_call call = {.act = CAPS_AUDIT_SECRET_ATTACH, .name = name};
	caps_secret_mark mark = {0};
	int memory = -1;
	int rc = fd ? begin(session, unit, HN_VERB_UNIT_SECRET, &call, err)
		    : base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			      "there is no place for the descriptor");

	if (rc < 0)
		return rc;
	rc = host_signer(call.host, &signer, err);
	if (rc >= 0)
		rc = caps_secret_get(
			call.rights->store, signer, call.owner, name, &plain, &mark, err);
	if (rc >= 0)
		rc = record_version(&call, mark.version, err);
	if (rc >= 0)
		rc = hand_over(plain, &memory, err);
	rc = host_settle(&call.permit, rc, err);
	if (rc < 0) {
		if (memory >= 0)
			(void)close(memory);
		return rc;
	}
	*fd = memory;
	return 0;
}
