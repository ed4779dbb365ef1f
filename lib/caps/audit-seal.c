/* SPDX-License-Identifier: MIT
 *
 * Sealing: the signer follows the log, keeps its own view of the tree, and signs a checkpoint. What
 * it has sealed can neither be changed nor taken away without the signer refusing what follows.
 */
#include "caps/audit-log.h"

/* --- what is sealed --- */

static int load_sealed(caps_audit *audit, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		audit->store, "SELECT ifnull(max(size), 0) FROM audit_checkpoint", &query, err);

	if (rc < 0)
		return rc;
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	audit->sealed = rc > 0 ? (uint64_t)state_int(query, 0) : 0;
	audit->sealed_known = true;
	state_done(query);
	return 0;
}

bool caps_audit_unsealed(const caps_audit *audit)
{
	return audit->unsealed_since != 0;
}

bool caps_audit_due(caps_audit *audit)
{
	if (audit->unsealed_since == 0 || audit->forked || audit->gone)
		return false;
	if (!audit->sealed_known && load_sealed(audit, NULL) < 0)
		return false;
	return audit->tree.size >= audit->sealed + CAPS_AUDIT_SEAL_RECORDS ||
	       os_monotonic(state_os(audit->store)) >= audit->unsealed_since + CAPS_AUDIT_SEAL_NS;
}

/* How old the record is that the query finds. */
static int age_of(caps_audit *audit, state_query *query, int64_t *age, hn_error **err)
{
	int64_t now = os_now(state_os(audit->store)), found = 0;
	int rc = state_row(query, err);

	if (rc > 0) {
		audit_record record;
		size_t size = 0;
		const void *bytes = state_blob(query, 0, &size);

		if (audit_record_read(bytes, size, &record) && record.wall < now / AUDIT_NS_A_MS)
			found = now - record.wall * AUDIT_NS_A_MS;
	}
	state_done(query);
	if (rc < 0)
		return rc;
	*age = found;
	return 0;
}

int caps_audit_lag(caps_audit *audit, int64_t *lag, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(audit->store,
		"SELECT rec FROM audit WHERE seq >= (SELECT ifnull(max(size), 0) FROM audit_checkpoint)"
		" ORDER BY seq LIMIT 1",
		&query, err);

	return rc < 0 ? rc : age_of(audit, query, lag, err);
}

int caps_audit_witness_lag(caps_audit *audit, uint32_t needed, int64_t *lag, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(audit->store,
		"SELECT rec FROM audit WHERE seq >= ifnull((SELECT max(size) AS most FROM audit_cosign"
		" GROUP BY witness ORDER BY most DESC LIMIT 1 OFFSET ?1), 0) ORDER BY seq LIMIT 1",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, needed > 0 ? needed - 1 : 0);
	return age_of(audit, query, lag, err);
}

/* --- does the log go on from what the signer knows? --- */

static int root_at(caps_audit *audit, uint64_t size, uint8_t root[CRYPTO_DIGEST], hn_error **err)
{
	crypto_merkle_source source = audit_source(audit);
	crypto_merkle_frontier frontier;
	int rc = 0;

	if (size == audit->tree.size) {
		crypto_merkle_root(&audit->tree, root);
		return 0;
	}
	rc = crypto_merkle_frontier_at(&source, size, &frontier, err);
	if (rc >= 0)
		crypto_merkle_root(&frontier, root);
	return rc;
}

int audit_compare(caps_audit *audit, const crypto_signer_status *status, hn_error **err)
{
	uint8_t root[CRYPTO_DIGEST];
	int rc;

	if (audit->tree.size < status->size)
		return audit_forked(audit, err,
			"the audit log has %llu records, but %llu were sealed: the database was"
			" rolled back or replaced",
			(unsigned long long)audit->tree.size, (unsigned long long)status->size);
	rc = audit_check_end(audit, err);
	if (rc < 0)
		return rc;
	rc = root_at(audit, status->size, root, err);
	if (rc == HN_ECORRUPT || (rc >= 0 && memcmp(root, status->root, sizeof(root)) != 0))
		return audit_forked(audit, err,
			"the first %llu records of the audit log are not those that were sealed",
			(unsigned long long)status->size);
	return rc;
}

/* How many records the checkpoints here are over. To be asked before the signer is: what others
 * seal meanwhile makes it no older. */
static int known_sealed(caps_audit *audit, uint64_t *known, hn_error **err)
{
	int rc = audit_load(audit, err);

	if (rc >= 0)
		rc = load_sealed(audit, err);
	if (rc >= 0)
		*known = audit->sealed > audit->claimed ? audit->sealed : audit->claimed;
	return rc;
}

/* An older copy of a signer, or a new one, would make other checkpoints over what is sealed: two
 * chains, of which every verification from then on finds one wrong. */
static int refuse_older(const crypto_signer_status *status, uint64_t known, hn_error **err)
{
	if (status->size >= known)
		return 0;
	return base_error(err, HN_EAUDITFORK, CAPS_ROOM,
		"bring the newest copy of the signer's directory of keys back; until then nothing is"
		" sealed",
		"%llu records of the audit log were sealed, but the signer knows of %llu: its keys and"
		" its state are an older copy, or those of another signer",
		(unsigned long long)known, (unsigned long long)status->size);
}

int caps_audit_check(caps_audit *audit, crypto_signer *signer, hn_error **err)
{
	crypto_signer_status status;
	int rc = signer->ops->status(signer, &status, err);

	if (rc >= 0)
		rc = audit_load(audit, err);
	return rc < 0 ? rc : audit_compare(audit, &status, err);
}

/* Of a checkpoint that the signer made and a crash kept from us the head knows nothing. */
static int count_checkpoints(caps_audit *audit, const crypto_signer_status *status, hn_error **err)
{
	state_query *query = NULL;
	uint64_t count, last;
	int rc = state_find(audit->store,
		"SELECT count(*), ifnull(max(size), 0) FROM audit_checkpoint WHERE size <= ?1",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)status->size);
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	count = (uint64_t)state_int(query, 0);
	last = (uint64_t)state_int(query, 1);
	state_done(query);
	if (count == status->checkpoints ||
		(count + 1 == status->checkpoints && last < status->size && audit->claimed <= last))
		return 0;
	return audit_wrong_checkpoints(count, status->checkpoints, err);
}

int audit_wrong_checkpoints(uint64_t here, uint64_t made, hn_error **err)
{
	if (here < made)
		return HN_CORRUPT(err, CAPS_ROOM,
			"checkpoints of the audit log are missing: %llu of the %llu that the"
			" signer made",
			(unsigned long long)(made - here), (unsigned long long)made);
	return HN_CORRUPT(err, CAPS_ROOM,
		"the audit log has %llu checkpoints, but its signer made %llu: they are of another"
		" signer",
		(unsigned long long)here, (unsigned long long)made);
}

int caps_audit_look(caps_audit *audit, crypto_signer *signer, hn_error **err)
{
	crypto_signer_status status;
	uint64_t known = 0;
	int rc = known_sealed(audit, &known, err);

	if (rc >= 0)
		rc = signer->ops->status(signer, &status, err);
	if (rc >= 0)
		rc = refuse_older(&status, known, err);
	if (rc >= 0)
		rc = state_begin_read(audit->store, err);
	if (rc < 0)
		return rc;
	rc = audit_load(audit, err);
	if (rc >= 0)
		rc = audit_compare(audit, &status, err);
	if (rc >= 0)
		rc = audit_check_fork(audit, err);
	if (rc >= 0)
		rc = count_checkpoints(audit, &status, err);
	state_rollback(audit->store);
	return rc;
}

/* --- the key --- */

static int key_known(caps_audit *audit, const uint8_t key[CRYPTO_PUBLIC], hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(audit->store, "SELECT 1 FROM audit_key WHERE key = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, key, CRYPTO_PUBLIC);
	rc = state_row(query, err);
	if (rc > 0)
		state_done(query);
	return rc;
}

static int insert_key(
	caps_audit *audit, const uint8_t key[CRYPTO_PUBLIC], uint64_t number, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		audit->store, "INSERT INTO audit_key(key, seq) VALUES (?1, ?2)", &query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, key, CRYPTO_PUBLIC);
	state_bind_int(query, 2, (int64_t)number);
	return state_run(query, err);
}

/* {1 => role, 2 => public key} */
static int record_key(caps_audit *audit, const uint8_t key[CRYPTO_PUBLIC], hn_error **err)
{
	codec_cbor_out extra = {0};
	caps_audit_entry entry = {.kind = CAPS_AUDIT_KEY, .verb = -1, .extra = &extra.buf};
	uint64_t number = 0;
	int rc;

	audit_extra_pair(&extra, 1, CRYPTO_ROLE_AUDIT, key);
	rc = extra.buf.failed ? base_nomem(err) : caps_audit_append(audit, &entry, &number, err);
	base_buf_free(&extra.buf);
	return rc < 0 ? rc : insert_key(audit, key, number, err);
}

/* That a key signs from now on is itself under its first checkpoint. */
static int settle_key(caps_audit *audit, const uint8_t key[CRYPTO_PUBLIC], hn_error **err)
{
	int rc = key_known(audit, key, err);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = state_begin(audit->store, err);
	if (rc < 0)
		return rc;
	rc = record_key(audit, key, err);
	if (rc >= 0)
		return state_commit(audit->store, err);
	state_rollback(audit->store);
	return rc;
}

/* --- checkpoints --- */

static int claim(caps_audit *audit, uint64_t size, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		audit->store, "UPDATE audit_head SET sealed = ?1 WHERE sealed < ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)size);
	return state_run(query, err);
}

static int insert_checkpoint(caps_audit *audit, const crypto_sealed *sealed, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(audit->store,
		"INSERT OR IGNORE INTO audit_checkpoint(size, root, note, mac, made)"
		" VALUES (?1, ?2, ?3, ?4, ?5)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)sealed->size);
	state_bind_blob(query, 2, sealed->root, CRYPTO_DIGEST);
	state_bind_text(query, 3, sealed->note);
	state_bind_blob(query, 4, sealed->mac, CRYPTO_DIGEST);
	state_bind_int(query, 5, os_now(state_os(audit->store)) / OS_SECOND);
	rc = state_run(query, err);
	if (rc >= 0)
		rc = claim(audit, sealed->size, err);
	if (rc >= 0 && sealed->size > audit->sealed)
		audit->sealed = sealed->size;
	return rc;
}

static int read_leaves(caps_audit *audit, uint64_t from, size_t count,
	uint8_t (*leaves)[CRYPTO_DIGEST], hn_error **err)
{
	crypto_merkle_source source = audit_source(audit);
	int rc = 0;

	for (size_t have = 0; rc >= 0 && have < count;) {
		size_t room = CRYPTO_TILE_WIDTH - (from + have) % CRYPTO_TILE_WIDTH;
		size_t part = count - have < room ? count - have : room;

		rc = source.read(source.arg, 0, from + have, part, leaves + have, err);
		have += part;
	}
	return rc;
}

static int seal_from(
	caps_audit *audit, crypto_signer *signer, uint64_t from, size_t count, hn_error **err)
{
	uint8_t(*leaves)[CRYPTO_DIGEST] = base_calloc(count + 1, sizeof(*leaves));
	crypto_sealed sealed;
	int rc;

	if (!leaves)
		return base_nomem(err);
	rc = read_leaves(audit, from, count, leaves, err);
	if (rc >= 0)
		rc = signer->ops->seal(
			signer, from, (const uint8_t(*)[CRYPTO_DIGEST])leaves, count, &sealed, err);
	base_free(leaves);
	if (rc == HN_EAUDITFORK)
		audit->forked = true;
	return rc < 0 ? rc : insert_checkpoint(audit, &sealed, err);
}

/* One step: the last checkpoint is fetched when it got lost, else one is made. It is written before
 * the next one is asked for, since the signer gives only the last. The store is locked: whoever
 * seals at the same time waits, so none is missed. */
static int seal_locked(caps_audit *audit, crypto_signer *signer, bool *made, hn_error **err)
{
	crypto_signer_status status;
	uint64_t left = 0, known = 0;
	int rc = signer->ops->status(signer, &status, err);

	if (rc >= 0)
		rc = audit_check_fork(audit, err);
	if (rc >= 0)
		rc = audit_load(audit, err);
	if (rc >= 0)
		rc = audit_compare(audit, &status, err);
	if (rc >= 0)
		rc = known_sealed(audit, &known, err);
	if (rc >= 0) /* it was another one that was asked before the store was locked */
		rc = refuse_older(&status, known, err);
	if (rc < 0)
		return rc;
	if (status.size <= audit->sealed)
		left = audit->tree.size - status.size;
	if (left > CRYPTO_SIGNER_LEAVES)
		left = CRYPTO_SIGNER_LEAVES;
	if (left == 0 && status.size <= audit->sealed)
		return 0;
	rc = seal_from(audit, signer, status.size, (size_t)left, err);
	*made = *made || rc >= 0;
	return rc < 0 ? rc : audit->tree.size > status.size + left;
}

/* 1 when something is left. */
static int seal_step(caps_audit *audit, crypto_signer *signer, bool *made, hn_error **err)
{
	int more, rc = state_begin(audit->store, err);

	if (rc < 0)
		return rc;
	more = seal_locked(audit, signer, made, err);
	if (more < 0) {
		state_rollback(audit->store);
		audit->sealed_known = false;
		return more;
	}
	rc = state_commit(audit->store, err);
	if (rc < 0)
		audit->sealed_known = false;
	return rc < 0 ? rc : more;
}

int caps_audit_seal(caps_audit *audit, crypto_signer *signer, hn_error **err)
{
	crypto_signer_status status;
	uint64_t known = 0;
	bool made = false;
	int rc;

	if (state_in_transaction(audit->store))
		return base_error(err, HN_EINTERNAL, CAPS_ROOM, NULL,
			"the audit log is sealed outside of transactions");
	/* One that fails is tried again a second later. */
	audit->unsealed_since = os_monotonic(state_os(audit->store));
	rc = known_sealed(audit, &known, err);
	if (rc < 0 || audit->tree.size == 0)
		return rc;
	rc = signer->ops->status(signer, &status, err);
	if (rc >= 0)
		rc = refuse_older(&status, known, err);
	if (rc >= 0) /* after the signer was asked: what others seal meanwhile is no fork */
		rc = audit_load(audit, err);
	if (rc >= 0)
		rc = audit_compare(audit, &status, err);
	if (rc >= 0)
		rc = settle_key(audit, status.key[CRYPTO_ROLE_AUDIT].public_key, err);
	for (int more = 1; rc >= 0 && more > 0; rc = more)
		more = seal_step(audit, signer, &made, err);
	if (rc < 0)
		return rc;
	audit->unsealed_since = 0;
	return made;
}
