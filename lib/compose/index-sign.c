/* SPDX-License-Identifier: MIT
 *
 * The signature of an index: COSE_Sign1 (RFC 9052 section 4.2), detached, Ed25519. The protected
 * header has one form only, so that no signature that a key made for something else can be taken
 * for one of an index: {1: -8, 3: CONTENT, 4: kid}.
 */
#include "compose/index.h"

#include <inttypes.h>

#define CONTENT "application/vnd.hypernix.index+cbor"
#define FRESH_HINT "fetch the registry again; --allow-expired takes it as it is"
enum { ALGORITHM_EDDSA = -8, HEADER_BYTES = 128, COSE_BYTES = 4096, DAY = 86400 };

void compose_index_kid(const uint8_t key[CRYPTO_PUBLIC], uint8_t kid[COMPOSE_INDEX_KID])
{
	uint8_t cose[] = {
		0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20, [8 + CRYPTO_PUBLIC - 1] = 0};
	uint8_t digest[CRYPTO_DIGEST];

	memcpy(cose + 8, key, CRYPTO_PUBLIC);
	crypto_sha256(cose, sizeof(cose), digest);
	memcpy(kid, digest, COMPOSE_INDEX_KID);
}

static int make_header(const uint8_t key[CRYPTO_PUBLIC], uint8_t header[HEADER_BYTES], size_t *size,
	hn_error **err)
{
	uint8_t kid[COMPOSE_INDEX_KID];
	codec_cbor_out out = {0};

	compose_index_kid(key, kid);
	codec_cbor_put_map(&out, 3);
	codec_cbor_put_uint(&out, CODEC_COSE_ALG);
	codec_cbor_put_int(&out, ALGORITHM_EDDSA);
	codec_cbor_put_uint(&out, CODEC_COSE_CONTENT);
	codec_cbor_put_text(&out, CONTENT, strlen(CONTENT));
	codec_cbor_put_uint(&out, CODEC_COSE_KID);
	codec_cbor_put_bytes(&out, kid, sizeof(kid));
	if (out.buf.failed) {
		base_buf_free(&out.buf);
		return base_nomem(err);
	}
	*size = out.buf.size;
	memcpy(header, out.buf.data, out.buf.size);
	base_buf_free(&out.buf);
	return 0;
}

int compose_index_tbs(const uint8_t key[CRYPTO_PUBLIC], const void *bytes, size_t size,
	base_buf *tbs, hn_error **err)
{
	static const uint8_t nothing[1];
	uint8_t header[HEADER_BYTES];
	codec_view body = {header, 0};
	int rc = make_header(key, header, &body.size, err);

	if (rc < 0)
		return rc;
	codec_cose_tbs(tbs, body, NULL, (codec_view){nothing, 0}, (codec_view){bytes, size});
	return tbs->failed ? base_nomem(err) : 0;
}

int compose_index_cose(const uint8_t key[CRYPTO_PUBLIC], const uint8_t signature[CRYPTO_SIGNATURE],
	base_buf *cose, hn_error **err)
{
	uint8_t header[HEADER_BYTES];
	codec_cose_sign1 message = {.protected_header = {header, 0},
		.signature = {signature, CRYPTO_SIGNATURE},
		.tagged = true};
	codec_cbor_out out = {*cose};
	int rc = make_header(key, header, &message.protected_header.size, err);

	if (rc < 0)
		return rc;
	codec_cose_sign1_put(&out, &message);
	*cose = out.buf;
	return cose->failed ? base_nomem(err) : 0;
}

/* --- verifying --- */

static int refuse(hn_error **err, const char *why)
{
	return base_error(
		err, HN_ESIGNATURE, COMPOSE_ROOM, NULL, COMPOSE_INDEX_SIGNATURE_FILE ": %s", why);
}

static int read_message(const void *cose, size_t size, codec_cose_sign1 *message, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *cause = NULL;

	if (size > COSE_BYTES)
		return refuse(err, "too long for a signature");
	int rc = codec_cose_sign1_parse(cose, size, false, message, &cause);
	if (rc == HN_ENOMEM)
		return base_nomem(err);
	if (rc < 0)
		return refuse(err, hn_error_message(cause));
	if (message->payload.bytes != NULL)
		return refuse(err, "a detached signature has no payload of its own");
	if (message->unprotected.size != 1)
		return refuse(err, "it has an unprotected header");
	if (message->signature.size != CRYPTO_SIGNATURE)
		return refuse(err, "its signature is not one of Ed25519");
	return 0;
}

/* Signed by none of the keys: whose it says it is, as far as it can be read. */
static int unknown_key(const codec_cose_sign1 *message, size_t keys, hn_error **err)
{
	char kid[2 * COMPOSE_INDEX_KID + 1];
	codec_cose_headers headers;
	int rc = codec_cose_headers_read(
		message->protected_header, message->unprotected, &headers, NULL);

	if (rc == HN_ENOMEM)
		return base_nomem(err);
	if (rc < 0 || headers.kid_place != CODEC_COSE_PROTECTED ||
		headers.kid.size != COMPOSE_INDEX_KID || headers.alg_text.bytes != NULL ||
		headers.alg != ALGORITHM_EDDSA)
		return refuse(err, "its header is not one of an index");
	codec_hex(headers.kid.bytes, headers.kid.size, kid);
	base_error(err, HN_ESIGNATURE, COMPOSE_ROOM,
		"if you believe its owner, add the issuer to the trust bundle (component.trust)",
		"%s: signed by key %s, or not for an index; none of the %zu trusted issuers has it",
		COMPOSE_INDEX_SIGNATURE_FILE, kid, keys);
	base_error_fact(err, "kid", kid);
	return HN_ESIGNATURE;
}

/* 1 when this key has signed, 0 when the header names another. */
static int verify_by(const uint8_t key[CRYPTO_PUBLIC], const void *bytes, size_t size,
	const codec_cose_sign1 *message, hn_error **err)
{
	BASE_AUTO_BUF base_buf tbs = {0};
	uint8_t header[HEADER_BYTES];
	size_t header_size = 0;
	int rc = make_header(key, header, &header_size, err);

	if (rc < 0)
		return rc;
	if (message->protected_header.size != header_size ||
		memcmp(message->protected_header.bytes, header, header_size) != 0)
		return 0;
	rc = compose_index_tbs(key, bytes, size, &tbs, err);
	if (rc < 0)
		return rc;
	if (!crypto_ed25519_verify(key, tbs.data, tbs.size, message->signature.bytes))
		return refuse(err, "the signature is not over this " COMPOSE_INDEX_FILE);
	return 1;
}

int compose_index_verify(const void *bytes, size_t size, const void *cose, size_t cose_size,
	const compose_trust *trust, size_t *key, hn_error **err)
{
	codec_cose_sign1 message;
	int rc = crypto_open(err);

	if (rc >= 0)
		rc = read_message(cose, cose_size, &message, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < trust->key_count; i++) {
		rc = verify_by(trust->keys[i], bytes, size, &message, err);
		if (rc > 0)
			*key = i;
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	return unknown_key(&message, trust->key_count, err);
}

/* --- freshness --- */

static int expired(const compose_index *index, int64_t by, hn_error **err)
{
	base_error(err, HN_ESIGNATURE, COMPOSE_ROOM, FRESH_HINT,
		"the index of registry %s (serial %" PRIu64 ") ended %" PRId64 " days and %" PRId64
		" s ago",
		index->name, index->serial, by / DAY, by % DAY);
	base_error_fact_number(err, "expired_for", by);
	return HN_ESIGNATURE;
}

int compose_index_fresh(const compose_index *index, const compose_trust *trust,
	int64_t *expired_for, hn_error **err)
{
	int64_t by = 0;

	if (index->serial < trust->serial)
		return base_error(err, HN_EROLLBACK, COMPOSE_ROOM,
			"somebody gives out an old registry; fetch it from another place",
			"the index of registry %s has serial %" PRIu64 ", %" PRIu64
			" was seen before",
			index->name, index->serial, trust->serial);
	if (index->not_after != 0 && trust->now > index->not_after)
		by = trust->now - index->not_after;
	if (by > 0 && !trust->allow_expired)
		return expired(index, by, err);
	*expired_for = by;
	return 0;
}

/* --- both files --- */

static int verify_by_file(hn_os *os, const char *directory, const char *name, const base_buf *bytes,
	const compose_trust *trust, size_t *key, hn_error **err)
{
	BASE_AUTO_BUF base_buf cose = {0};
	int rc = compose_registry_read(os, directory, name, COSE_BYTES, &cose, err);

	return rc < 0 ? rc
		      : compose_index_verify(
				bytes->data, bytes->size, cose.data, cose.size, trust, key, err);
}

/* What is wrong with the signature is told when the next one is not that of this index either. */
static int verify_files(hn_os *os, const char *directory, const base_buf *bytes,
	const compose_trust *trust, size_t *key, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *first = NULL, *second = NULL;
	int rc = verify_by_file(
		    os, directory, COMPOSE_INDEX_SIGNATURE_FILE, bytes, trust, key, &first),
	    next;

	if (rc == 0)
		return 0;
	next = rc == HN_ESIGNATURE || rc == HN_ENOENT
		       ? verify_by_file(
				 os, directory, COMPOSE_INDEX_NEXT_FILE, bytes, trust, key, &second)
		       : rc;
	if (next == 0)
		return 0;
	if (next == rc || next == HN_ESIGNATURE || next == HN_ENOENT) {
		base_error_move(err, BASE_STEAL(first));
		return rc;
	}
	base_error_move(err, BASE_STEAL(second));
	return next;
}

int compose_index_load(hn_os *os, const char *directory, const compose_trust *trust,
	compose_index **index, compose_trusted *found, hn_error **err)
{
	BASE_AUTO_OF(compose_index) compose_index *made = NULL;
	BASE_AUTO_BUF base_buf bytes = {0};
	compose_trusted result = {0};
	int rc = compose_registry_read(
		os, directory, COMPOSE_INDEX_FILE, base_limit(BASE_LIMIT_INDEX_BYTES), &bytes, err);

	if (rc == 0)
		rc = verify_files(os, directory, &bytes, trust, &result.key, err);
	if (rc == 0)
		rc = compose_index_read(COMPOSE_INDEX_FILE, bytes.data, bytes.size, &made, err);
	if (rc == 0)
		rc = compose_index_fresh(made, trust, &result.expired_for, err);
	if (rc < 0)
		return base_error_wrap(
			err, (hn_code)rc, COMPOSE_ROOM, "registry %s is refused", directory);
	result.serial = made->serial;
	*found = result;
	*index = BASE_STEAL(made);
	return 0;
}
