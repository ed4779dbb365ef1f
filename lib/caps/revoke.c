/* SPDX-License-Identifier: MIT
 *
 * What was issued, and what of it is void: by its number, by its subject, by its issuer.
 */
#include "caps/store-private.h"

#define DAY INT64_C(86400)
#define KEEP_DAYS 30

bool caps_store_revoked(const caps_store *store, const uint8_t cti[CAPS_CTI])
{
	return base_map_count(store->revoked) > 0 && base_map_has(store->revoked, cti, CAPS_CTI);
}

int caps_store_revoke(caps_store *store, const uint8_t cti[CAPS_CTI], int64_t expires,
	uint64_t audit, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"INSERT INTO cap_revoked(cti, exp, audit) VALUES (?1, ?2, ?3)"
		/* a number that is none of before is of no record: who looks for what is new would
		 * not find the row */
		" ON CONFLICT(cti) DO UPDATE SET exp = max(exp, ?2),"
		" audit = CASE WHEN audit BETWEEN 0 AND ?3 THEN audit ELSE ?3 END",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, cti, CAPS_CTI);
	state_bind_int(query, 2, expires);
	state_bind_int(query, 3, (int64_t)audit);
	return caps_run(store, query, err);
}

static bool epoch_key(base_buf *key, caps_epoch_kind kind, const char *name, size_t size)
{
	base_buf_format(key, "%c", '0' + (char)kind);
	base_buf_add(key, name, size);
	return !key->failed;
}

uint64_t caps_store_epoch(
	const caps_store *store, caps_epoch_kind kind, const char *name, size_t size)
{
	BASE_AUTO_BUF base_buf key = {0};
	const uint64_t *epoch;

	if (base_map_count(store->epochs) == 0)
		return 0;
	/* Without memory nothing is known, so everything is void. */
	if (!epoch_key(&key, kind, name, size))
		return UINT64_MAX;
	epoch = base_map_get(store->epochs, key.data, key.size);
	return epoch ? *epoch : 0;
}

static void issuer_name(const uint8_t kid[CAPS_KID], char name[2 * CAPS_KID + 1])
{
	codec_hex(kid, CAPS_KID - CAPS_KID_EPOCH, name);
}

uint64_t caps_store_issuer_epoch(const caps_store *store, const uint8_t kid[CAPS_KID])
{
	char name[2 * CAPS_KID + 1];

	if (base_map_count(store->epochs) == 0)
		return 0;
	issuer_name(kid, name);
	return caps_store_epoch(store, CAPS_EPOCH_ISSUER, name, strlen(name));
}

static uint32_t kid_epoch(const uint8_t kid[CAPS_KID])
{
	const uint8_t *epoch = kid + CAPS_KID - CAPS_KID_EPOCH;

	return (uint32_t)epoch[0] << 24 | (uint32_t)epoch[1] << 16 | (uint32_t)epoch[2] << 8 |
	       epoch[3];
}

/* The highest epoch in which this key may issue by the trust bundle. */
static uint64_t epoch_in_use(const caps_store *store, const char *name)
{
	const caps_bundle *bundle = store->bundle;
	uint64_t highest = 0;
	char other[2 * CAPS_KID + 1];

	for (size_t i = 0; bundle && i < bundle->issuer_count; i++) {
		issuer_name(bundle->issuers[i].kid, other);
		if (strcmp(name, other) == 0 && bundle->issuers[i].epoch > highest)
			highest = bundle->issuers[i].epoch;
	}
	return highest;
}

/* A statement about one name of one kind, and a number: ?1 to ?3. */
static int find_epoch(caps_store *store, const char *sql, caps_epoch_kind kind, const char *name,
	uint64_t number, state_query **query, hn_error **err)
{
	int rc = state_find(store->state, sql, query, err);

	if (rc < 0)
		return rc;
	state_bind_int(*query, 1, kind);
	state_bind_text(*query, 2, name);
	state_bind_int(*query, 3, (int64_t)number);
	return 0;
}

int caps_store_epoch_raise(
	caps_store *store, caps_epoch_kind kind, const char *name, uint64_t *epoch, hn_error **err)
{
	uint64_t used = kind == CAPS_EPOCH_ISSUER ? epoch_in_use(store, name) : 0;
	state_query *query = NULL;
	int rc = find_epoch(store,
		"INSERT INTO cap_epoch(kind, name, epoch, audit)"
		" SELECT ?1, ?2, max(coalesce(max(epoch), 0), ?3) + 1, 0 FROM cap_epoch"
		" WHERE kind = ?1 AND name = ?2 RETURNING epoch",
		kind, name, used, &query, err);

	if (rc < 0)
		return rc;
	rc = state_row(query, err);
	if (rc > 0) {
		used = (uint64_t)state_int(query, 0);
		rc = state_row(query, err); /* only at its end is it committed */
	}
	state_done(query);
	store->stale = true;
	if (rc >= 0)
		*epoch = used;
	return rc;
}

int caps_store_epoch_recorded(caps_store *store, caps_epoch_kind kind, const char *name,
	uint64_t epoch, uint64_t audit, hn_error **err)
{
	state_query *query = NULL;
	int rc = find_epoch(store,
		"UPDATE cap_epoch SET audit = ?4 WHERE kind = ?1 AND name = ?2 AND epoch = ?3",
		kind, name, epoch, &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 4, (int64_t)audit);
	return caps_run(store, query, err);
}

/* --- by what a token has ended --- */

static int take_record(state_query *query, uint64_t *audit, hn_error **err)
{
	int rc = state_row(query, err);

	if (rc > 0)
		*audit = (uint64_t)state_int(query, 0);
	state_done(query);
	return rc < 0 ? rc : 0;
}

static int link_record(
	caps_store *store, const uint8_t cti[CAPS_CTI], uint64_t *audit, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		store->state, "SELECT audit FROM cap_revoked WHERE cti = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, cti, CAPS_CTI);
	return take_record(query, audit, err);
}

/* The first that was above that of the token: what came later found it void. */
static int epoch_record(caps_store *store, caps_epoch_kind kind, const char *name, uint64_t epoch,
	uint64_t *audit, hn_error **err)
{
	state_query *query = NULL;
	int rc = find_epoch(store,
		"SELECT audit FROM cap_epoch WHERE kind = ?1 AND name = ?2 AND epoch > ?3"
		" ORDER BY epoch LIMIT 1",
		kind, name, epoch, &query, err);

	return rc < 0 ? rc : take_record(query, audit, err);
}

static int subject_record(
	caps_store *store, const caps_token *token, uint64_t *audit, hn_error **err)
{
	BASE_AUTO_FREE char *subject =
		base_strndup((const char *)token->subject.bytes, token->subject.size);

	return subject ? epoch_record(store, CAPS_EPOCH_SUBJECT, subject, token->subject_epoch,
				 audit, err)
		       : base_nomem(err);
}

/* 1 when it has this issuer. What cannot be read any more says nothing. */
static int bundle_has(state_query *query, const uint8_t kid[CAPS_KID], hn_error **err)
{
	BASE_AUTO_OF(caps_bundle) caps_bundle *bundle = NULL;
	size_t size = 0;
	const void *body = state_blob(query, 0, &size);
	bool ambiguous = false;
	int rc = caps_bundle_read(body, size, NULL, &bundle, err);

	return rc < 0 ? rc : caps_bundle_issuer(bundle, kid, &ambiguous) != NULL;
}

/* The oldest of the bundles without the issuer that came after the last with it; none when it was
 * never in any. */
static int bundle_record(
	caps_store *store, const uint8_t kid[CAPS_KID], uint64_t *audit, hn_error **err)
{
	state_query *query = NULL;
	uint64_t first = 0;
	int has = 0;
	int rc = state_find(store->state,
		"SELECT body, audit FROM trust_bundle ORDER BY version DESC", &query, err);

	while (rc >= 0 && has == 0 && (rc = state_row(query, err)) > 0) {
		has = bundle_has(query, kid, err);
		rc = has < 0 ? has : rc;
		if (has == 0)
			first = (uint64_t)state_int(query, 1);
	}
	state_done(query);
	if (rc >= 0 && has > 0)
		*audit = first;
	return rc < 0 ? rc : 0;
}

int caps_store_ended(caps_store *store, const caps_token *token, caps_ending ending, uint8_t link,
	const char **by, uint64_t *audit, hn_error **err)
{
	char name[2 * CAPS_KID + 1];
	bool ambiguous = false;

	*audit = 0;
	switch (ending) {
	case CAPS_ENDS_LINK:
		return link_record(store, token->links[link].cti.bytes, audit, err);
	case CAPS_ENDS_SUBJECT:
		return subject_record(store, token, audit, err);
	case CAPS_ENDS_ISSUER:
		if (!store->bundle || !caps_bundle_issuer(store->bundle, token->kid, &ambiguous)) {
			*by = "trust";
			return bundle_record(store, token->kid, audit, err);
		}
		issuer_name(token->kid, name);
		return epoch_record(
			store, CAPS_EPOCH_ISSUER, name, kid_epoch(token->kid), audit, err);
	case CAPS_ENDS_TIME:
	case CAPS_ENDS_NOT:
		break;
	}
	return 0;
}

int caps_store_is_old(state_store *state, int64_t now, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(state,
		"SELECT EXISTS(SELECT 1 FROM cap_issued WHERE iat < ?1 AND exp < ?1)"
		" OR EXISTS(SELECT 1 FROM cap_revoked WHERE exp < ?1)"
		" OR EXISTS(SELECT 1 FROM cap_counter WHERE exp < ?1)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, now - KEEP_DAYS * DAY);
	rc = state_row(query, err);
	if (rc > 0)
		rc = state_int(query, 0) != 0;
	state_done(query);
	return rc;
}

int caps_store_forget(caps_store *store, int64_t now, hn_error **err)
{
	static const char *const stale[] = {
		"DELETE FROM cap_revoked WHERE exp < ?1",
		"DELETE FROM cap_counter WHERE exp < ?1",
		"DELETE FROM cap_issued WHERE exp < ?1",
	};
	int64_t gone = 0;

	for (size_t i = 0; i < BASE_COUNT(stale); i++) {
		state_query *query = NULL;
		int rc = state_find(store->state, stale[i], &query, err);

		if (rc < 0)
			return rc;
		state_bind_int(query, 1, now - KEEP_DAYS * DAY);
		rc = caps_run(store, query, err);
		if (rc < 0)
			return rc;
		gone += state_changes(store->state);
	}
	return gone > INT32_MAX ? INT32_MAX : (int)gone;
}

int caps_store_issued(caps_store *store, const caps_token *token, bool administers, hn_error **err)
{
	BASE_AUTO_FREE char *subject =
		base_strndup((const char *)token->subject.bytes, token->subject.size);
	BASE_AUTO_FREE char *name = token->template_name.size > 0
					    ? base_strndup((const char *)token->template_name.bytes,
						      token->template_name.size)
					    : NULL;
	uint8_t chain[32];
	state_query *query = NULL;
	int rc;

	if (!subject || (token->template_name.size > 0 && !name))
		return base_nomem(err);
	rc = state_find(store->state,
		"INSERT INTO cap_issued(cti, kid, sub, template, iat, exp, chain, epoch, administers)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
		&query, err);
	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, token->links[0].cti.bytes, CAPS_CTI);
	state_bind_blob(query, 2, token->kid, CAPS_KID);
	state_bind_text(query, 3, subject);
	state_bind_text(query, 4, name);
	state_bind_int(query, 5, token->links[0].issued);
	state_bind_int(query, 6, token->links[0].expires);
	caps_token_chain_hash(token, chain);
	state_bind_blob(query, 7, chain, sizeof(chain));
	state_bind_int(query, 8, (int64_t)token->subject_epoch);
	state_bind_int(query, 9, administers);
	return state_run(query, err);
}

static const char *revoked_by(
	const caps_store *store, const caps_issued *one, uint64_t subject_epoch)
{
	if (caps_store_revoked(store, one->cti))
		return "token";
	if (caps_store_epoch(store, CAPS_EPOCH_SUBJECT, one->subject, strlen(one->subject)) >
		subject_epoch)
		return "subject";
	return caps_store_issuer_epoch(store, one->kid) > kid_epoch(one->kid) ? "issuer" : NULL;
}

static int take_issued(
	const caps_store *store, state_query *query, caps_issued *one, hn_error **err)
{
	size_t size = 0, kid_size = 0;
	const void *cti = state_blob(query, 0, &size);
	const void *kid = state_blob(query, 5, &kid_size);

	*one = (caps_issued){
		.subject = state_text(query, 1),
		.template_name = state_text(query, 2),
		.issued = state_int(query, 3),
		.expires = state_int(query, 4),
		.administers = state_int(query, 7) != 0,
	};
	if (size != CAPS_CTI || kid_size != CAPS_KID)
		return HN_CORRUPT(err, CAPS_ROOM, "an issued token has no number");
	memcpy(one->cti, cti, CAPS_CTI);
	memcpy(one->kid, kid, CAPS_KID);
	one->revoked_by = revoked_by(store, one, (uint64_t)state_int(query, 6));
	return 0;
}

int caps_store_issued_each(caps_store *store, int (*each)(void *arg, const caps_issued *one),
	void *arg, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"SELECT cti, sub, template, iat, exp, kid, epoch, administers FROM cap_issued"
		" ORDER BY number DESC",
		&query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		caps_issued one;

		rc = take_issued(store, query, &one, err);
		if (rc >= 0)
			rc = each(arg, &one);
		if (rc != 0)
			break;
	}
	state_done(query);
	return rc;
}
