/* SPDX-License-Identifier: MIT
 *
 * Secrets of units at rest. What is sealed begins with the unit and the name, so that neither the
 * body nor the other columns of a row can be moved.
 *
 *	sealed = owner (16) name 00 secret
 *	digest = SHA-256(signature by the node's key, context "secret", over SHA-256(call))
 *	call   = [ owner, name, version, asker, SHA-256(secret) ]      ; CBOR
 */
#include "caps/secret.h"
#include "caps/store-private.h"

#define TABLE "secret"
#define COLUMN "body"

int caps_secret_check_name(const char *name, hn_error **err)
{
	if (name != NULL && base_name_valid(name, strnlen(name, CAPS_SECRET_NAME + 1)))
		return 0;
	return base_error(err, HN_EINVAL, CAPS_ROOM,
		"small letters, digits and hyphens, such as db-password",
		"\"%.80s\" is not the name of a secret", name != NULL ? name : "");
}

static int check(const char *name, crypto_bytes plain, hn_error **err)
{
	int rc = caps_secret_check_name(name, err);

	return rc < 0 ? rc : base_limit_check(BASE_LIMIT_SECRET_BYTES, plain.size, err);
}

static int find(caps_store *store, const char *sql, const uint8_t owner[CAPS_SECRET_OWNER],
	const char *name, state_query **query, hn_error **err)
{
	int rc = state_find(store->state, sql, query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(*query, 1, owner, CAPS_SECRET_OWNER);
	state_bind_text(*query, 2, name);
	return 0;
}

/* The row with its next version, made when there is none. */
static int take_row(caps_store *store, const uint8_t owner[CAPS_SECRET_OWNER], const char *name,
	int64_t now, crypto_place *place, hn_error **err)
{
	state_query *query = NULL;
	int rc = find(store,
		"INSERT INTO secret(owner, name, version, body, made) VALUES (?1, ?2, 1, x'', ?3)"
		" ON CONFLICT(owner, name) DO UPDATE SET version = version + 1, made = ?3",
		owner, name, &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 3, now);
	rc = state_run(query, err);
	if (rc >= 0)
		rc = find(store, "SELECT id, version FROM secret WHERE owner = ?1 AND name = ?2",
			owner, name, &query, err);
	if (rc < 0)
		return rc;
	rc = state_row(query, err);
	*place = (crypto_place){.table = TABLE,
		.column = COLUMN,
		.row = (uint64_t)state_int(query, 0),
		.version = (uint64_t)state_int(query, 1)};
	state_done(query);
	return rc < 0 ? rc : 0;
}

static int seal(crypto_signer *signer, const crypto_place *place,
	const uint8_t owner[CAPS_SECRET_OWNER], const char *name, crypto_bytes plain,
	base_buf *record, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *whole = NULL;
	size_t names = strlen(name) + 1, head = CAPS_SECRET_OWNER + names;

	int rc = crypto_secret_new(head + plain.size, &whole, err);
	if (rc < 0)
		return rc;
	uint8_t *bytes = crypto_secret_bytes(whole);
	memcpy(bytes, owner, CAPS_SECRET_OWNER);
	memcpy(bytes + CAPS_SECRET_OWNER, name, names);
	memcpy(bytes + head, plain.bytes, plain.size);
	return signer->ops->record_seal(
		signer, place, (crypto_bytes){bytes, head + plain.size}, record, err);
}

/* Ed25519 signs the same by the same bytes (RFC 8032, section 5.1.6). The signature itself could be
 * checked against guesses with the public key: only its hash leaves here. */
int caps_secret_digest(crypto_signer *signer, const caps_secret_call *call, crypto_bytes plain,
	uint8_t digest[CRYPTO_DIGEST], hn_error **err)
{
	uint8_t hash[CRYPTO_DIGEST], signature[CRYPTO_SIGNATURE];
	codec_cbor_out out = {0};
	int rc = check(call->name, plain, err);

	if (rc < 0)
		return rc;
	crypto_sha256(plain.bytes, plain.size, hash);
	codec_cbor_put_array(&out, 5);
	codec_cbor_put_bytes(&out, call->owner, CAPS_SECRET_OWNER);
	codec_cbor_put_text(&out, call->name, strlen(call->name));
	codec_cbor_put_int(&out, call->version);
	codec_cbor_put_bytes(&out, call->asker.bytes, call->asker.size);
	codec_cbor_put_bytes(&out, hash, sizeof(hash));
	if (out.buf.failed)
		rc = base_nomem(err);
	else
		crypto_sha256(out.buf.data, out.buf.size, hash);
	if (rc >= 0)
		rc = signer->ops->node(signer, "secret", hash, signature, err);
	if (rc >= 0)
		crypto_sha256(signature, sizeof(signature), digest);
	crypto_wipe(hash, sizeof(hash));
	crypto_wipe(signature, sizeof(signature));
	if (out.buf.data)
		crypto_wipe(out.buf.data, out.buf.size);
	base_buf_free(&out.buf);
	return rc;
}

static int check_room(caps_store *store, const uint8_t owner[CAPS_SECRET_OWNER], hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		store->state, "SELECT count(*) FROM secret WHERE owner = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, owner, CAPS_SECRET_OWNER);
	rc = state_row(query, err);
	if (rc > 0)
		rc = base_limit_check(BASE_LIMIT_UNIT_SECRETS, (uint64_t)state_int(query, 0), err);
	state_done(query);
	return rc;
}

static int store_body(
	caps_store *store, const crypto_place *place, const base_buf *record, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state, "UPDATE secret SET body = ?2 WHERE id = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)place->row);
	state_bind_blob(query, 2, record->data, record->size);
	return state_run(query, err);
}

int caps_secret_put(caps_store *store, crypto_signer *signer,
	const uint8_t owner[CAPS_SECRET_OWNER], const char *name, crypto_bytes plain, int64_t now,
	hn_error **err)
{
	BASE_AUTO_BUF base_buf record = {0};
	crypto_place place = {0};
	int rc = check(name, plain, err);

	if (rc >= 0)
		rc = state_begin(store->state, err);
	if (rc < 0)
		return rc;
	rc = take_row(store, owner, name, now, &place, err);
	if (rc >= 0)
		rc = check_room(store, owner, err);
	if (rc >= 0)
		rc = seal(signer, &place, owner, name, plain, &record, err);
	if (rc >= 0)
		rc = store_body(store, &place, &record, err);
	if (rc >= 0)
		return state_commit(store->state, err);
	state_rollback(store->state);
	return rc;
}

static int missing(const char *name, hn_error **err)
{
	return base_error(
		err, HN_ENOENT, CAPS_ROOM, NULL, "the unit has no secret \"%.80s\"", name);
}

static int unpack(const crypto_secret *whole, const uint8_t owner[CAPS_SECRET_OWNER],
	const char *name, crypto_secret **plain, hn_error **err)
{
	size_t names = strlen(name) + 1, head = CAPS_SECRET_OWNER + names;
	size_t size = crypto_secret_size(whole);
	const uint8_t *bytes = crypto_secret_view(whole);

	if (size < head || memcmp(bytes, owner, CAPS_SECRET_OWNER) != 0 ||
		memcmp(bytes + CAPS_SECRET_OWNER, name, names) != 0)
		return base_error(err, HN_ECRYPT, CAPS_ROOM,
			"put it there anew; somebody has changed the database",
			"the secret \"%s\" is that of another unit or name", name);
	return crypto_secret_copy(bytes + head, size - head, plain, err);
}

int caps_secret_get(caps_store *store, crypto_signer *signer,
	const uint8_t owner[CAPS_SECRET_OWNER], const char *name, crypto_secret **plain,
	caps_secret_mark *mark, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *whole = NULL;
	caps_secret_mark found = {0};
	state_query *query = NULL;
	size_t size = 0;
	int rc = caps_secret_check_name(name, err);

	if (rc >= 0)
		rc = find(store,
			"SELECT id, version, body, made FROM secret WHERE owner = ?1 AND name = ?2",
			owner, name, &query, err);
	if (rc < 0)
		return rc;
	rc = state_row(query, err);
	if (rc == 0)
		rc = missing(name, err);
	if (rc > 0) {
		crypto_place place = {.table = TABLE,
			.column = COLUMN,
			.row = (uint64_t)state_int(query, 0),
			.version = (uint64_t)state_int(query, 1)};
		const void *body = state_blob(query, 2, &size);

		found = (caps_secret_mark){state_int(query, 1), state_int(query, 3)};
		rc = signer->ops->record_open(
			signer, &place, (crypto_bytes){body, size}, &whole, err);
	}
	state_done(query);
	if (rc >= 0)
		rc = unpack(whole, owner, name, plain, err);
	if (rc >= 0 && mark)
		*mark = found;
	return rc;
}

int caps_secret_there(state_store *state, const uint8_t owner[CAPS_SECRET_OWNER], const char *name,
	hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		state, "SELECT 1 FROM secret WHERE owner = ?1 AND name = ?2", &query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, owner, CAPS_SECRET_OWNER);
	state_bind_text(query, 2, name);
	rc = state_row(query, err);
	state_done(query);
	return rc;
}

int caps_secret_remove(
	caps_store *store, const uint8_t owner[CAPS_SECRET_OWNER], const char *name, hn_error **err)
{
	state_query *query = NULL;
	int rc = caps_secret_check_name(name, err);

	if (rc >= 0)
		rc = find(store, "DELETE FROM secret WHERE owner = ?1 AND name = ?2", owner, name,
			&query, err);
	if (rc >= 0)
		rc = state_run(query, err);
	if (rc >= 0 && state_changes(store->state) == 0)
		rc = missing(name, err);
	return rc;
}

int caps_secret_forget(state_store *state, const uint8_t owner[CAPS_SECRET_OWNER], hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(state, "DELETE FROM secret WHERE owner = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, owner, CAPS_SECRET_OWNER);
	return state_run(query, err);
}

int caps_secret_each(caps_store *store, const uint8_t owner[CAPS_SECRET_OWNER],
	int (*each)(void *arg, const char *name, int64_t version, int64_t made), void *arg,
	hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"SELECT name, version, made FROM secret WHERE owner = ?1 ORDER BY name", &query,
		err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, owner, CAPS_SECRET_OWNER);
	while ((rc = state_row(query, err)) > 0) {
		rc = each(arg, state_text(query, 0), state_int(query, 1), state_int(query, 2));
		if (rc != 0)
			break;
	}
	state_done(query);
	return rc;
}
