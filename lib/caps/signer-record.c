/* SPDX-License-Identifier: MIT
 *
 * Secrets in rows of the database: 01, generation of the key, nonce, XChaCha20-Poly1305. The place
 * of the row is associated data, so that no row can take the place of another.
 */
#include "caps/signer-private.h"

enum { AT_GENERATION = 1, AT_NONCE = 5, AT_BOX = AT_NONCE + CRYPTO_NONCE, VERSION = 1 };

static void put_number(base_buf *out, uint64_t number, size_t size)
{
	for (size_t i = size; i-- > 0;) {
		uint8_t byte = (uint8_t)(number >> (8 * i));

		base_buf_add(out, &byte, 1);
	}
}

/* "hn.rec.1" 00 table 00 column 00 row version */
static void put_place(base_buf *out, const crypto_place *place)
{
	static const char context[] = "hn.rec.1";

	base_buf_add(out, context, sizeof(context));
	base_buf_add(out, place->table, strlen(place->table) + 1);
	base_buf_add(out, place->column, strlen(place->column) + 1);
	put_number(out, place->row, 8);
	put_number(out, place->version, 8);
}

int signer_record_seal(const signer_local *signer, const crypto_place *place, crypto_bytes plain,
	base_buf *record, hn_error **err)
{
	BASE_AUTO_BUF base_buf where = {0};
	BASE_AUTO_BUF base_buf made = {0};
	BASE_AUTO_FREE uint8_t *box = NULL;
	const crypto_key *key = signer->keys.current[CRYPTO_ROLE_RECORD];
	uint8_t nonce[CRYPTO_NONCE];
	int rc;

	if (plain.size > CRYPTO_SIGNER_RECORD)
		return base_error(err, HN_ELIMIT, SIGNER_ROOM, NULL,
			"a secret of %zu bytes, at most %d are kept", plain.size,
			CRYPTO_SIGNER_RECORD);
	box = base_alloc(plain.size + CRYPTO_TAG);
	put_place(&where, place);
	rc = os_random(signer->options.os, nonce, sizeof(nonce), err);
	if (rc < 0)
		return rc;
	if (box == NULL || where.failed)
		return base_nomem(err);
	crypto_xchacha_seal(crypto_secret_view(key->secret), nonce,
		(crypto_bytes){where.data, where.size}, plain, box);
	put_number(&made, VERSION, 1);
	put_number(&made, signer->keys.generation, 4);
	base_buf_add(&made, nonce, sizeof(nonce));
	base_buf_add(&made, box, plain.size + CRYPTO_TAG);
	if (!made.failed)
		base_buf_add(record, made.data, made.size);
	return made.failed || record->failed ? base_nomem(err) : 0;
}

static const crypto_key *generation_of(const signer_keys *keys, const uint8_t *record)
{
	uint32_t generation = 0;

	for (size_t i = 0; i < 4; i++)
		generation = generation << 8 | record[AT_GENERATION + i];
	return generation >= 1 && generation <= keys->generation ? keys->record[generation - 1]
								 : NULL;
}

int signer_record_open(const signer_local *signer, const crypto_place *place, crypto_bytes record,
	crypto_secret **plain, hn_error **err)
{
	BASE_AUTO_OF(crypto_secret) crypto_secret *made = NULL;
	BASE_AUTO_BUF base_buf where = {0};
	const uint8_t *bytes = record.bytes;
	const crypto_key *key;
	int rc;

	if (record.size < CRYPTO_RECORD_OVERHEAD ||
		record.size > CRYPTO_RECORD_OVERHEAD + CRYPTO_SIGNER_RECORD || bytes[0] != VERSION)
		return base_error(err, HN_ECRYPT, SIGNER_ROOM, NULL,
			"this is no record of version %d", VERSION);
	key = generation_of(&signer->keys, bytes);
	if (key == NULL)
		return base_error(err, HN_ECRYPT, SIGNER_ROOM, NULL,
			"the record needs a key of another generation than 1 to %u",
			signer->keys.generation);
	put_place(&where, place);
	if (where.failed)
		return base_nomem(err);
	rc = crypto_secret_new(record.size - CRYPTO_RECORD_OVERHEAD, &made, err);
	if (rc < 0)
		return rc;
	if (!crypto_xchacha_open(crypto_secret_view(key->secret), bytes + AT_NONCE,
		    (crypto_bytes){where.data, where.size},
		    (crypto_bytes){bytes + AT_BOX, record.size - AT_BOX},
		    crypto_secret_bytes(made)))
		return base_error(err, HN_ECRYPT, SIGNER_ROOM, NULL,
			"the record belongs to another row, or was changed");
	*plain = BASE_STEAL(made);
	return 0;
}
