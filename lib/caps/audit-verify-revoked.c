/* SPDX-License-Identifier: MIT
 *
 * What the audit log says was revoked, against what is kept of it: a row that was taken out of the
 * database gives a token its life back.
 */
#include "caps/audit-verify.h"
#include "caps/store.h"

/* With the number of a record that is there; by another the row, or what is revoked after it, is
 * not found by those who look for what is new. */
static int is_kept(audit_walk *walk, const audit_record *record, bool *kept, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(walk->audit->store,
		"SELECT 1 FROM cap_revoked WHERE cti = ?1 AND audit >= 0 AND audit < ?2 AND exp >= ?3",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, record->cti[0].bytes, record->cti[0].size);
	state_bind_int(query, 2, (int64_t)walk->audit->tree.size);
	state_bind_int(query, 3, record->valid_until); /* earlier it would be forgotten too early */
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	*kept = rc > 0;
	state_done(query);
	return 0;
}

static bool epoch_key(base_buf *key, const void *kind, size_t size, const uint8_t *hash)
{
	base_buf_add(key, kind, size);
	base_buf_add(key, hash, CRYPTO_DIGEST);
	return !key->failed;
}

/* A subject or an issuer, as the record's note says, by the hash of its name: void are the tokens
 * of before its highest epoch. */
static int note_epoch(audit_walk *walk, const audit_record *record, hn_error **err)
{
	BASE_AUTO_BUF base_buf key = {0};
	codec_view kind = {0};
	audit_epoch *epoch;

	if (!audit_record_note(record, &kind))
		return 0;
	if (!walk->epochs)
		walk->epochs = base_map_new(base_free);
	if (!walk->epochs || !epoch_key(&key, kind.bytes, kind.size, record->request.bytes))
		return base_nomem(err);
	epoch = base_map_get(walk->epochs, key.data, key.size);
	if (!epoch) {
		epoch = base_calloc(1, sizeof(*epoch));
		if (!epoch || base_map_put(walk->epochs, key.data, key.size, epoch) < 0) {
			base_free(epoch);
			return base_nomem(err);
		}
	}
	epoch->record = record->number;
	epoch->epoch = record->count;
	return 0;
}

/* What has ended is forgotten some time later, so of those that are missing the one that ends last
 * counts. */
static int note_token(audit_walk *walk, const audit_record *record, hn_error **err)
{
	bool kept = true;
	int rc;

	if (record->cti_count != 1 || record->valid_until <= walk->lost_until)
		return 0;
	rc = is_kept(walk, record, &kept, err);
	if (rc < 0 || kept)
		return rc;
	walk->lost = record->number;
	walk->lost_until = record->valid_until;
	return 0;
}

int audit_revoked_check(audit_walk *walk, const audit_record *record, hn_error **err)
{
	if (walk->options.now == 0)
		return 0;
	if (record->wall / 1000 > walk->newest)
		walk->newest = record->wall / 1000;
	if (record->kind == CAPS_AUDIT_REVOKE)
		return note_token(walk, record, err);
	if (record->kind == CAPS_AUDIT_EPOCH && record->request.size == CRYPTO_DIGEST)
		return note_epoch(walk, record, err);
	return 0;
}

static int take(audit_walk *walk, int64_t kind, const char *name, uint64_t kept, hn_error **err)
{
	static const char *const kinds[] = {
		[CAPS_EPOCH_SUBJECT] = "subject", [CAPS_EPOCH_ISSUER] = "issuer"};
	BASE_AUTO_BUF base_buf key = {0};
	uint8_t hash[CRYPTO_DIGEST];
	const audit_epoch *epoch;

	if (kind < 0 || kind >= (int64_t)BASE_COUNT(kinds))
		return 0;
	crypto_sha256(name, strlen(name), hash);
	if (!epoch_key(&key, kinds[kind], strlen(kinds[kind]), hash))
		return base_nomem(err);
	epoch = base_map_get(walk->epochs, key.data, key.size);
	if (epoch && epoch->epoch <= kept)
		(void)base_map_remove(walk->epochs, key.data, key.size);
	return 0;
}

/* Those that are kept are taken out of what the records said. */
static int take_kept(audit_walk *walk, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(walk->audit->store,
		"SELECT kind, name, max(epoch) FROM cap_epoch GROUP BY kind, name", &query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0)
		rc = take(walk, state_int(query, 0), state_text(query, 1),
			(uint64_t)state_int(query, 2), err);
	state_done(query);
	return rc;
}

static int check_epochs(audit_walk *walk, hn_error **err)
{
	int rc;

	if (!walk->epochs)
		return 0;
	rc = take_kept(walk, err);
	for (size_t i = 0; rc >= 0 && i < base_map_slots(walk->epochs); i++) {
		const char *hash;
		void *epoch;
		size_t size;

		if (!base_map_at(walk->epochs, i, &hash, &size, &epoch))
			continue;
		rc = audit_wrong_record(((const audit_epoch *)epoch)->record,
			"revoked a subject or an issuer, and that is not kept so", err);
		base_error_hint(err, "revoke it again, until this is not told any more");
	}
	return rc;
}

/* Neither this clock nor that of the records may be behind when what has ended was forgotten. */
int audit_revoked_end(audit_walk *walk, hn_error **err)
{
	int64_t now = walk->newest > walk->options.now ? walk->newest : walk->options.now;
	int rc;

	if (walk->lost_until <= now)
		return check_epochs(walk, err);
	rc = audit_wrong_record(walk->lost,
		"revoked a token that has not ended, and it is not kept as revoked", err);
	base_error_hint(err, "revoke it again: hv-cap revoke --cti, with the id in that record");
	return rc;
}
