/* SPDX-License-Identifier: MIT
 *
 * Gates of capabilities: issue, list, revoke, and the trust bundle.
 */
#include "caps/caveat.h"
#include "caps/terms.h"
#include "caps/zones.h"
#include "host/call.h"
#include "host/rights.h"

#define SECONDS(host) (os_now((host)->os) / OS_SECOND)
#define ISSUED "org.hypernix.cap.issued.v1"
#define REVOKED "org.hypernix.cap.revoked.v1"
#define KID_HASH (CAPS_KID - CAPS_KID_EPOCH)

/* `call` may be NULL: nothing is changed. */
static int begin(hn_session *session, hn_verb verb, host_call *call, hn_host **host,
	host_rights **rights, host_permit *permit, hn_error **err)
{
	int rc = host_session_use(session, host, err);

	if (rc >= 0)
		rc = host_rights_now(*host, rights, err);
	if (rc < 0)
		return host_conceal(session, rc, err);
	return call ? host_call_node(session, verb, call, host, permit, err)
		    : host_enter_node(session, verb, host, permit, err);
}

/* --- issue --- */

typedef struct issuing {
	hn_session *session;
	host_rights *rights;
	caps_written *written;
	caps_token *token;
	uint8_t seed[CRYPTO_SEED]; /* of a bearer token */
	bool bearer;
} issuing;

static int read_holder(issuing *one, const char *holder, hn_error **err)
{
	caps_terms *terms = caps_written_terms(one->written);
	int rc;

	one->bearer = !holder;
	if (!holder && terms->expires - terms->issued > CAPS_BEARER_SECONDS)
		return base_error(err, HN_ERANGE, HOST_ROOM,
			"ask for 15min or less, or name the key of who gets it",
			"a bearer token lives at most 15 minutes");
	if (!holder) {
		rc = os_random(one->session->host->os, one->seed, sizeof(one->seed), err);
		if (rc >= 0)
			crypto_ed25519_public(one->seed, terms->cnf);
		return rc;
	}
	if (strlen(holder) == 2 * sizeof(terms->cnf) &&
		codec_hex_decode(holder, 2 * sizeof(terms->cnf), terms->cnf) &&
		crypto_ed25519_point_valid(terms->cnf))
		return 0;
	return base_error(err, HN_EKEY, HOST_ROOM, "64 hexadecimal digits, as hv-cap keys prints",
		"the holder's public key is none");
}

/* Hosts take the latest that it may be: what ends before that is over at its first use. */
static int check_life(const issuing *one, hn_error **err)
{
	const caps_terms *terms = caps_written_terms(one->written);
	int64_t latest = one->rights->clock.latest / OS_SECOND;
	char hint[96];

	if (terms->expires > latest)
		return 0;
	(void)snprintf(hint, sizeof(hint),
		"let it live for %llds at least; hv-cap clock status shows the clock",
		(long long)(latest - terms->issued + 1));
	return base_error(err, HN_ERANGE, HOST_ROOM, hint,
		"this token would be over at its first use: it ends in %lld s, and the clock of this"
		" host may be off by %lld s",
		(long long)(terms->expires - terms->issued), (long long)(latest - terms->issued));
}

static int sign(issuing *one, hn_error **err)
{
	BASE_AUTO_BUF base_buf claims = {0};
	crypto_signer *signer = NULL;
	crypto_issued issued;
	int rc = host_signer(one->session->host, &signer, err);

	if (rc >= 0)
		rc = caps_claims_write(caps_written_terms(one->written), true, &claims, err);
	if (rc >= 0)
		rc = signer->ops->issue(signer, claims.data, claims.size, &issued, err);
	if (rc < 0)
		return rc;
	return caps_token_begin(issued.kid, &claims, issued.signature,
		one->bearer ? one->seed : NULL, &one->token, err);
}

/* What it takes to let others act here, so that the way in is not lost with the token. */
static bool administers(hn_host *host, const caps_token *token)
{
	char object[BASE_OBJECT_SIZE];

	(void)host_object_node(object, host);
	for (size_t i = 0; i < token->grant_count; i++) {
		const caps_grant *grant = &token->grants[i];

		if ((caps_mask_has(&grant->mask, HN_VERB_NODE_ROLE) ||
			    caps_mask_has(&grant->mask, HN_VERB_CAP_ISSUE)) &&
			caps_pattern_match((const char *)grant->pattern.bytes, grant->pattern.size,
				object, strlen(object)))
			return true;
	}
	return false;
}

static int remember(void *arg, hn_error **err)
{
	issuing *one = arg;
	host_audit_entry entry = {.kind = CAPS_AUDIT_ISSUE,
		.verb = HN_VERB_CAP_ISSUE,
		.session = one->session,
		.cti = one->token->links[0].cti.bytes,
		.valid_until = one->token->links[0].expires};
	char cti[2 * CAPS_CTI + 1];
	const char *const pairs[] = {
		"cti", cti, "for", caps_written_terms(one->written)->subject, NULL};
	int rc = caps_store_issued(
		one->rights->store, one->token, administers(one->session->host, one->token), err);

	if (rc >= 0)
		rc = host_audit_append(one->session->host, &entry, NULL, err);
	codec_hex(one->token->links[0].cti.bytes, CAPS_CTI, cti);
	return rc < 0 ? rc : host_event_pairs(one->session->host, one->session, ISSUED, pairs, err);
}

static int fill_terms(issuing *one, const char *cluster, hn_error **err)
{
	caps_terms *terms = caps_written_terms(one->written);

	terms->audience = cluster;
	terms->issued = SECONDS(one->session->host);
	terms->subject_epoch = caps_store_epoch(
		one->rights->store, CAPS_EPOCH_SUBJECT, terms->subject, strlen(terms->subject));
	return os_random(one->session->host->os, terms->cti, sizeof(terms->cti), err);
}

/* A schedule in a zone that this host lacks would deny for ever. */
static int check_zones(const issuing *one, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < one->token->caveat_count; i++) {
		const caps_caveat *caveat = &one->token->caveats[i];
		BASE_AUTO_OF(codec_zone) codec_zone *found = NULL;
		const char *zone = NULL;
		size_t size = 0;
		uint64_t number = 0;
		codec_cbor in;

		codec_cbor_open(&in, caveat->raw.bytes, caveat->raw.size);
		if (caveat->id != CAPS_SCHEDULE || !codec_cbor_array(&in, &number) ||
			!codec_cbor_uint(&in, &number) || !codec_cbor_text(&in, &zone, &size))
			continue;
		found = caps_zones_get(one->rights->zones, zone, size);
		if (!found)
			rc = base_error(err, HN_EZONE, HOST_ROOM,
				"zones are called as in /usr/share/zoneinfo, like Europe/Berlin",
				"this host has no time zone \"%.*s\"", (int)size, zone);
	}
	return rc;
}

/* Who says the verb himself means to use it; with "*" it comes along, and waits for its quorum.
 * That of a trust bundle are the signatures of the roots. */
static int check_quorum(const issuing *one, hn_error **err)
{
	for (size_t i = 0; i < one->token->grant_count; i++)
		for (int v = 0; v < HN_VERB_COUNT; v++) {
			hn_verb verb = (hn_verb)v;

			if ((base_verb_flags(verb) & BASE_VERB_Q) == 0 ||
				verb == HN_VERB_TRUST_UPDATE ||
				!caps_written_names(one->written, i, verb) ||
				caps_token_quorum(one->token, i))
				continue;
			return base_error(err, HN_EINVAL, HOST_ROOM,
				"ask for the approval of two persons or more, like --approval 2/15min",
				"%s needs a quorum, which this token could never have",
				base_verb_text(verb));
		}
	return 0;
}

/* A signer that does not know our trust bundle signs with its newest key, whoever trusts that. */
static int check_issuer(const issuing *one, const caps_bundle *bundle, hn_error **err)
{
	bool ambiguous = false;
	const caps_issuer *issuer = caps_bundle_issuer(bundle, one->token->kid, &ambiguous);
	const char *why = NULL;

	if (issuer && caps_store_issuer_epoch(one->rights->store, issuer->kid) > issuer->epoch)
		return base_error(err, HN_EBUNDLE, HOST_ROOM,
			"hv-cap keys rotate issuer, then hv-cap trust renew",
			"nobody would accept this token: the issuer key of this host is revoked");
	if (!issuer)
		why = "does not trust the key that signed it";
	else if (one->token->links[0].issued > issuer->sign_until)
		why = "lets that key sign no more";
	else if (caps_issuer_refuses(issuer, one->token))
		why = "does not let that key sign so much";
	return why ? base_error(err, HN_EBUNDLE, HOST_ROOM,
			     "give the bundle to hv-signer by --trust, or a new one to this host",
			     "nobody would accept this token: the trust bundle %s", why)
		   : 0;
}

static int issue(issuing *one, const char *terms, const char *holder, char **token, hn_error **err)
{
	hn_host *host = one->session->host;
	const caps_bundle *bundle = caps_store_bundle(one->rights->store);
	BASE_AUTO_FREE char *cluster =
		bundle ? base_strndup((const char *)bundle->cluster.bytes, bundle->cluster.size)
		       : NULL;
	int rc = 0;

	if (!bundle)
		return base_error(err, HN_EBUNDLE, HOST_ROOM,
			"hv-cap init makes the first; hv-cap trust update loads one",
			"this host has no trust bundle: it knows no issuer");
	if (!cluster)
		return base_nomem(err);
	rc = caps_written_read(
		"terms", terms, strlen(terms), true, SECONDS(host), &one->written, err);
	if (rc >= 0)
		rc = fill_terms(one, cluster, err);
	if (rc >= 0)
		rc = check_life(one, err);
	if (rc >= 0)
		rc = read_holder(one, holder, err);
	if (rc >= 0)
		rc = sign(one, err);
	if (rc >= 0)
		rc = check_issuer(one, bundle, err);
	if (rc >= 0)
		rc = check_zones(one, err);
	if (rc >= 0)
		rc = check_quorum(one, err);
	if (rc >= 0)
		rc = host_transaction(host, remember, one, err);
	return rc < 0 ? rc : caps_token_text(one->token, token, err);
}

int hn_cap_issue(
	hn_session *session, const char *terms, const char *holder, char **token, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	issuing one = {.session = session};
	char *text = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = terms && token ? 0
				: base_error(err, HN_EINVAL, HOST_ROOM, NULL,
					  "terms and a place for the token are needed");

	caps_call_text(&call.what, "terms", terms);
	caps_call_text(&call.what, "holder", holder);
	if (rc >= 0)
		rc = begin(session, HN_VERB_CAP_ISSUE, &call, &host, &one.rights, &permit, err);
	if (rc < 0)
		return rc;
	rc = issue(&one, terms, holder, &text, err);
	crypto_wipe(one.seed, sizeof(one.seed));
	caps_written_free(one.written);
	caps_token_free(one.token);
	rc = host_settle(&permit, rc, err);
	if (rc < 0) {
		base_free(text);
		return rc;
	}
	*token = text;
	return 0;
}

/* --- list --- */

typedef struct listing {
	hn_json *json;
	uint32_t redact;
} listing;

static int list_one(void *arg, const caps_issued *one)
{
	const listing *list = arg;
	hn_json *json = list->json;
	char cti[2 * CAPS_CTI + 1], issuer[2 * KID_HASH + 1];

	codec_hex(one->cti, CAPS_CTI, cti);
	codec_hex(one->kid, KID_HASH, issuer);
	hn_json_object(json, NULL);
	hn_json_text(json, "cti", cti);
	hn_json_text(json, "subject", host_told(list->redact, HN_REDACT_PERSONS, one->subject));
	if (one->template_name)
		hn_json_text(json, "template", one->template_name);
	hn_json_text(json, "issuer", issuer);
	hn_json_int(json, "issued", one->issued);
	hn_json_int(json, "expires", one->expires);
	hn_json_bool(json, "revoked", one->revoked_by != NULL);
	hn_json_text(json, "revokedBy", one->revoked_by);
	hn_json_bool(json, "administers", one->administers);
	hn_json_end(json);
	return 0;
}

int hn_cap_list(hn_session *session, char **json, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *made = NULL;
	host_rights *rights = NULL;
	host_permit permit;
	hn_host *host = NULL;
	listing list;
	int rc = json ? begin(session, HN_VERB_CAP_READ, NULL, &host, &rights, &permit, err)
		      : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the list");

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = hn_json_new(false, &made, err);
	if (rc < 0)
		return rc;
	list = (listing){made, permit.redact};
	hn_json_array(made, NULL);
	rc = caps_store_issued_each(rights->store, list_one, &list, err);
	hn_json_end(made);
	return rc < 0 ? host_conceal(session, rc, err) : codec_json_take(made, json, err);
}

/* --- revoke --- */

typedef struct revoking {
	hn_session *session;
	caps_store *store;
	const char *what, *value;
	uint8_t cti[CAPS_CTI];
} revoking;

/* When it ends is known only of what was issued here; of the rest the row stays for good. */
static int find_end(hn_host *host, const uint8_t cti[CAPS_CTI], int64_t *end, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, "SELECT exp FROM cap_issued WHERE cti = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, cti, CAPS_CTI);
	rc = state_row(query, err);
	*end = rc > 0 ? state_int(query, 0) : CAPS_TIME_MAX;
	state_done(query);
	return rc < 0 ? rc : 0;
}

static int revoke_link(const revoking *one, hn_error **err)
{
	hn_host *host = one->session->host;
	host_audit_entry entry = {.kind = CAPS_AUDIT_REVOKE,
		.verb = HN_VERB_CAP_REVOKE,
		.session = one->session,
		.cti = one->cti};
	uint64_t number = 0;
	int64_t end = 0;
	int rc = find_end(host, one->cti, &end, err);

	entry.valid_until = end; /* so long must the row be there */
	if (rc >= 0)
		rc = host_audit_append(host, &entry, &number, err);
	return rc < 0 ? rc : caps_store_revoke(one->store, one->cti, end, number, err);
}

static int raise_epoch(const revoking *one, hn_error **err)
{
	bool subject = strcmp(one->what, "subject") == 0;
	host_audit_entry entry = {.kind = CAPS_AUDIT_EPOCH,
		.verb = HN_VERB_CAP_REVOKE,
		.session = one->session,
		.note = subject ? "subject" : "issuer"};
	caps_epoch_kind kind = subject ? CAPS_EPOCH_SUBJECT : CAPS_EPOCH_ISSUER;
	uint8_t hash[CRYPTO_DIGEST];
	uint64_t number = 0;
	int rc = caps_store_epoch_raise(one->store, kind, one->value, &entry.count, err);

	crypto_sha256(one->value, strlen(one->value), hash);
	entry.request = hash;
	if (rc >= 0)
		rc = host_audit_append(one->session->host, &entry, &number, err);
	return rc < 0 ? rc
		      : caps_store_epoch_recorded(
				one->store, kind, one->value, entry.count, number, err);
}

static int revoke(void *arg, hn_error **err)
{
	const revoking *one = arg;
	const char *const pairs[] = {one->what, one->value, NULL};
	int rc = strcmp(one->what, "cti") == 0 ? revoke_link(one, err) : raise_epoch(one, err);

	return rc < 0 ? rc
		      : host_event_pairs(one->session->host, one->session, REVOKED, pairs, err);
}

static int read_revocation(revoking *one, hn_error **err)
{
	size_t size = one->value ? strlen(one->value) : 0;
	uint8_t kid[KID_HASH];

	if (!one->what || size == 0)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "what is to be revoked?");
	if (strcmp(one->what, "cti") == 0 && size == 2 * CAPS_CTI &&
		codec_hex_decode(one->value, size, one->cti))
		return 0;
	if (strcmp(one->what, "subject") == 0 && size <= CAPS_NAME_BYTES)
		return 0;
	if (strcmp(one->what, "issuer") == 0 && size == 2 * sizeof(kid) &&
		codec_hex_decode(one->value, size, kid))
		return 0;
	return base_error(err, HN_EINVAL, HOST_ROOM,
		"cti and 32 hexadecimal digits, subject and a name, or issuer and 16 digits",
		"\"%.20s\" \"%.60s\" cannot be revoked", one->what, one->value);
}

int hn_cap_revoke(hn_session *session, const char *what, const char *value, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	revoking one = {.session = session, .what = what, .value = value};
	host_rights *rights = NULL;
	host_permit permit;
	hn_host *host = NULL;
	int rc = read_revocation(&one, err);

	if (rc < 0)
		return rc;
	caps_call_text(&call.what, what, value);
	rc = begin(session, HN_VERB_CAP_REVOKE, &call, &host, &rights, &permit, err);
	if (rc < 0)
		return rc;
	one.store = rights->store;
	return host_settle(&permit, host_transaction(host, revoke, &one, err), err);
}

/* --- the trust bundle --- */

typedef struct trusting {
	hn_session *session;
	host_rights *rights;
	const void *bytes;
	size_t size;
	uint64_t version;
	bool presets, witnesses; /* it has some */
} trusting;

/* What is waited for must be named; without any, every sealed call would be refused. */
static int keep_witnesses(const trusting *one, hn_error **err)
{
	bool asked = false;
	int rc = caps_store_witness_look(one->session->host->store, &asked, err);

	if (rc < 0 || !asked || one->witnesses)
		return rc;
	return base_error(err, HN_EINVAL, HOST_ROOM,
		"name some in it; or do without first: hv-cap audit require-witness off",
		"sealed calls of this host wait for a witness, and the trust bundle names none");
}

static int put_bundle(void *arg, hn_error **err)
{
	const trusting *one = arg;
	host_audit_entry entry = {
		.kind = CAPS_AUDIT_TRUST, .verb = HN_VERB_TRUST_UPDATE, .session = one->session};
	uint8_t hash[CRYPTO_DIGEST];
	uint64_t number = 0;
	int rc;

	crypto_sha256(one->bytes, one->size, hash);
	entry.request = hash;
	entry.count = one->version;
	rc = keep_witnesses(one, err);
	if (rc >= 0)
		rc = host_audit_append(one->session->host, &entry, &number, err);
	return rc < 0 ? rc
		      : caps_store_bundle_put(
				one->rights->store, one->bytes, one->size, number, err);
}

/* The signatures of the roots are the quorum that the verb asks for: they are looked at before
 * anything is admitted. */
static int check_bundle(trusting *one, hn_error **err)
{
	BASE_AUTO_OF(caps_bundle) caps_bundle *bundle = NULL;
	int rc = caps_bundle_read(
		one->bytes, one->size, caps_store_bundle(one->rights->store), &bundle, err);

	if (rc < 0)
		return rc;
	one->version = bundle->version;
	one->presets = bundle->preset_count > 0;
	one->witnesses = bundle->witness_count > 0;
	return 0;
}

int hn_trust_update(hn_session *session, const void *bundle, size_t size, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	trusting one = {.session = session, .bytes = bundle, .size = size};
	char object[BASE_OBJECT_SIZE];
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0 && !bundle)
		rc = base_error(err, HN_EINVAL, HOST_ROOM, NULL, "there is no bundle");
	if (rc >= 0)
		rc = host_rights_now(host, &one.rights, err);
	if (rc >= 0)
		rc = check_bundle(&one, err);
	if (rc < 0)
		return rc;
	caps_call_int(&call.what, "version", (int64_t)one.version);
	caps_call_digest(&call.what, "bundle", bundle, size);
	rc = host_call_begin(
		&call, session, HN_VERB_TRUST_UPDATE, host_object_node(object, host), err);
	if (rc >= 0)
		rc = host_admit_by_quorum(session, HN_VERB_TRUST_UPDATE, object, &permit, err);
	if (rc < 0)
		return rc;
	rc = host_transaction(host, put_bundle, &one, err);
	if (rc >= 0)
		caps_cache_drop(one.rights->cache);
	if (rc >= 0 && one.presets)
		host_audit_reserve(host);
	return host_settle(&permit, rc, err);
}

int hn_trust_current(hn_session *session, uint8_t **bundle, size_t *size, hn_error **err)
{
	const caps_bundle *current;
	host_rights *rights = NULL;
	host_permit permit;
	hn_host *host = NULL;
	uint8_t *copy;
	int rc = bundle && size
			 ? begin(session, HN_VERB_CAP_READ, NULL, &host, &rights, &permit, err)
			 : base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place for the bundle");

	if (rc >= 0) /* signed as a whole, with persons and the names of witnesses */
		rc = host_answers(&permit, HN_REDACT_ADDRESSES | HN_REDACT_PERSONS, err);
	if (rc < 0)
		return rc;
	current = caps_store_bundle(rights->store);
	if (!current)
		return base_error(err, HN_ENOENT, HOST_ROOM,
			"hv-cap init makes the first; hv-cap trust update loads one",
			"this host has no trust bundle");
	copy = base_memdup(current->bytes, current->size);
	if (!copy)
		return base_nomem(err);
	*bundle = copy;
	*size = current->size;
	return 0;
}
