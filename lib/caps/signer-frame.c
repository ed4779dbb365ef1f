/* SPDX-License-Identifier: MIT
 *
 * From a request frame to the answer frame. A frame is read to its end before anything is done.
 */
#include "caps/signer-wire.h"

typedef struct request {
	codec_cbor in;
	uint64_t id, operation, arguments; /* how many */
	crypto_signer *signer;
	codec_cbor_out result;
	crypto_secret *secret;
} request;

void signer_frame_begin(codec_cbor_out *out)
{
	static const uint8_t length[SIGNER_HEAD];

	base_buf_add(&out->buf, length, sizeof(length));
}

void signer_frame_end(codec_cbor_out *out, size_t more)
{
	size_t size = out->buf.size - SIGNER_HEAD + more;

	if (out->buf.failed)
		return;
	for (size_t i = 0; i < SIGNER_HEAD; i++)
		out->buf.data[i] = (char)(uint8_t)(size >> (24 - 8 * i));
}

/* --- arguments --- */

static int hostile(hn_error **err)
{
	return base_error(err, HN_ECBOR, SIGNER_ROOM, NULL,
		"this frame is none of the signer's: the connection is closed");
}

/* All arguments were read, and nothing follows. */
static int all_read(request *asked, bool held, hn_error **err)
{
	return held && codec_cbor_end(&asked->in, NULL) == 0 ? 0 : hostile(err);
}

static bool get_view(codec_cbor *in, crypto_bytes *view)
{
	const uint8_t *bytes = NULL;

	if (!codec_cbor_bytes(in, &bytes, &view->size))
		return false;
	view->bytes = bytes;
	return true;
}

static bool get_text(codec_cbor *in, char text[SIGNER_TEXT + 1])
{
	const char *found = NULL;
	size_t size = 0;

	if (!codec_cbor_text(in, &found, &size) || size > SIGNER_TEXT)
		return false;
	memcpy(text, found, size);
	text[size] = '\0';
	return true;
}

static bool get_hashes(codec_cbor *in, size_t most, uint8_t (*hashes)[CRYPTO_DIGEST], size_t *count)
{
	uint64_t given = 0;

	if (!codec_cbor_array(in, &given) || given > most)
		return false;
	for (*count = 0; *count < given; ++*count) {
		if (!signer_get_fixed(in, hashes[*count], CRYPTO_DIGEST))
			return false;
	}
	return true;
}

/* --- operations --- */

static int do_status(request *asked, hn_error **err)
{
	crypto_signer_status status;
	codec_cbor_out *out = &asked->result;
	int rc = all_read(asked, asked->arguments == 0, err);

	if (rc >= 0)
		rc = asked->signer->ops->status(asked->signer, &status, err);
	if (rc < 0)
		return rc;
	codec_cbor_put_array(out, 11);
	codec_cbor_put_bool(out, status.kek_beside);
	codec_cbor_put_bool(out, status.first_mac_here);
	codec_cbor_put_uint(out, status.keys);
	codec_cbor_put_uint(out, status.generation);
	codec_cbor_put_uint(out, status.size);
	codec_cbor_put_bytes(out, status.root, CRYPTO_DIGEST);
	codec_cbor_put_uint(out, status.checkpoints);
	codec_cbor_put_bytes(out, status.chain, CRYPTO_DIGEST);
	codec_cbor_put_bytes(out, status.before, CRYPTO_DIGEST);
	codec_cbor_put_text(out, status.origin, strlen(status.origin));
	codec_cbor_put_array(out, CRYPTO_ROLES);
	for (int role = 0; role < CRYPTO_ROLES; role++) {
		codec_cbor_put_array(out, 3);
		codec_cbor_put_bytes(out, status.key[role].public_key, CRYPTO_PUBLIC);
		codec_cbor_put_int(out, status.key[role].made);
		codec_cbor_put_int(out, status.key[role].not_after);
	}
	return 0;
}

static int do_issue(request *asked, hn_error **err)
{
	crypto_bytes claims = {NULL, 0};
	crypto_issued issued;
	int rc = all_read(asked, asked->arguments == 1 && get_view(&asked->in, &claims), err);

	if (rc >= 0)
		rc = asked->signer->ops->issue(
			asked->signer, claims.bytes, claims.size, &issued, err);
	if (rc < 0)
		return rc;
	codec_cbor_put_array(&asked->result, 2);
	codec_cbor_put_bytes(&asked->result, issued.kid, sizeof(issued.kid));
	codec_cbor_put_bytes(&asked->result, issued.signature, sizeof(issued.signature));
	return 0;
}

static int do_seal(request *asked, hn_error **err)
{
	uint8_t leaves[CRYPTO_SIGNER_LEAVES][CRYPTO_DIGEST];
	crypto_sealed sealed;
	uint64_t from = 0;
	size_t count = 0;
	int rc = all_read(asked,
		asked->arguments == 2 && codec_cbor_uint(&asked->in, &from) &&
			get_hashes(&asked->in, CRYPTO_SIGNER_LEAVES, leaves, &count),
		err);

	if (rc >= 0)
		rc = asked->signer->ops->seal(asked->signer, from,
			(const uint8_t(*)[CRYPTO_DIGEST])leaves, count, &sealed, err);
	if (rc < 0)
		return rc;
	codec_cbor_put_array(&asked->result, 4);
	codec_cbor_put_uint(&asked->result, sealed.size);
	codec_cbor_put_bytes(&asked->result, sealed.root, CRYPTO_DIGEST);
	codec_cbor_put_bytes(&asked->result, sealed.mac, CRYPTO_DIGEST);
	codec_cbor_put_bytes(&asked->result, sealed.note, sealed.note_size);
	return 0;
}

static int do_cosign(request *asked, hn_error **err)
{
	crypto_merkle_proof proof = {0};
	char line[CRYPTO_SIGNER_NOTE];
	crypto_bytes note = {NULL, 0};
	uint64_t old_size = 0;
	int rc = all_read(asked,
		asked->arguments == 3 && codec_cbor_uint(&asked->in, &old_size) &&
			get_hashes(&asked->in, BASE_COUNT(proof.node), proof.node, &proof.count) &&
			get_view(&asked->in, &note),
		err);

	if (rc >= 0)
		rc = asked->signer->ops->cosign(
			asked->signer, old_size, &proof, note.bytes, note.size, line, err);
	if (rc < 0)
		return rc;
	codec_cbor_put_array(&asked->result, 1);
	codec_cbor_put_bytes(&asked->result, line, strlen(line));
	return 0;
}

static int do_node(request *asked, hn_error **err)
{
	uint8_t hash[CRYPTO_DIGEST], signature[CRYPTO_SIGNATURE];
	char context[SIGNER_TEXT + 1];
	int rc = all_read(asked,
		asked->arguments == 2 && get_text(&asked->in, context) &&
			signer_get_fixed(&asked->in, hash, sizeof(hash)),
		err);

	if (rc >= 0)
		rc = asked->signer->ops->node(asked->signer, context, hash, signature, err);
	if (rc < 0)
		return rc;
	codec_cbor_put_array(&asked->result, 1);
	codec_cbor_put_bytes(&asked->result, signature, sizeof(signature));
	return 0;
}

static int do_record(request *asked, bool open, hn_error **err)
{
	char table[SIGNER_TEXT + 1], column[SIGNER_TEXT + 1];
	crypto_place place = {.table = table, .column = column};
	crypto_bytes body = {NULL, 0};
	BASE_AUTO_BUF base_buf record = {0};
	int rc = all_read(asked,
		asked->arguments == 6 && get_text(&asked->in, table) &&
			get_text(&asked->in, column) && codec_cbor_uint(&asked->in, &place.row) &&
			codec_cbor_uint(&asked->in, &place.version) && get_view(&asked->in, &body),
		err);

	if (rc >= 0 && open)
		rc = asked->signer->ops->record_open(
			asked->signer, &place, body, &asked->secret, err);
	else if (rc >= 0)
		rc = asked->signer->ops->record_seal(asked->signer, &place, body, &record, err);
	if (rc < 0)
		return rc;
	codec_cbor_put_array(&asked->result, open ? 0 : 1);
	if (!open)
		codec_cbor_put_bytes(&asked->result, record.data, record.size);
	return 0;
}

static int do_secret(request *asked, hn_error **err)
{
	crypto_bytes box = {NULL, 0};
	uint64_t kind = UINT64_MAX;
	int rc;

	if (asked->arguments == 0 || !codec_cbor_uint(&asked->in, &kind))
		return hostile(err);
	if (kind == SIGNER_RECORD_SEAL || kind == SIGNER_RECORD_OPEN)
		return do_record(asked, kind == SIGNER_RECORD_OPEN, err);
	rc = all_read(asked,
		kind == SIGNER_BOX_OPEN && asked->arguments == 2 && get_view(&asked->in, &box),
		err);
	if (rc >= 0)
		rc = asked->signer->ops->box_open(asked->signer, box, &asked->secret, err);
	if (rc >= 0)
		codec_cbor_put_array(&asked->result, 0);
	return rc;
}

static int do_rotate(request *asked, hn_error **err)
{
	uint8_t public_key[CRYPTO_PUBLIC];
	uint64_t role = 0, overlap = 0;
	int rc = all_read(asked,
		asked->arguments == 2 && codec_cbor_uint(&asked->in, &role) &&
			role < CRYPTO_ROLES && codec_cbor_uint(&asked->in, &overlap) &&
			overlap <= INT32_MAX,
		err);

	if (rc >= 0)
		rc = asked->signer->ops->rotate(
			asked->signer, (crypto_role)role, (int64_t)overlap, public_key, err);
	if (rc < 0)
		return rc;
	codec_cbor_put_array(&asked->result, 1);
	codec_cbor_put_bytes(&asked->result, public_key, sizeof(public_key));
	return 0;
}

static int do_first_mac(request *asked, hn_error **err)
{
	int rc = all_read(asked, asked->arguments == 0, err);

	if (rc >= 0)
		rc = asked->signer->ops->first_mac(asked->signer, &asked->secret, err);
	if (rc >= 0)
		codec_cbor_put_array(&asked->result, 0);
	return rc;
}

/* --- frames --- */

static bool read_head(request *asked, const uint8_t *frame, size_t size)
{
	uint64_t parts = 0, version = 0;

	codec_cbor_open(&asked->in, frame, size);
	return codec_cbor_array(&asked->in, &parts) && parts == 4 &&
	       codec_cbor_uint(&asked->in, &version) && version == SIGNER_VERSION &&
	       codec_cbor_uint(&asked->in, &asked->id) &&
	       codec_cbor_uint(&asked->in, &asked->operation) &&
	       codec_cbor_array(&asked->in, &asked->arguments);
}

static int perform(request *asked, hn_error **err)
{
	static int (*const operations[])(request * asked, hn_error * *err) = {
		[SIGNER_STATUS] = do_status,
		[SIGNER_ISSUE] = do_issue,
		[SIGNER_SEAL] = do_seal,
		[SIGNER_COSIGN] = do_cosign,
		[SIGNER_NODE] = do_node,
		[SIGNER_SECRET] = do_secret,
		[SIGNER_ROTATE] = do_rotate,
		[SIGNER_FIRST_MAC] = do_first_mac,
	};

	if (asked->operation == 0 || asked->operation >= BASE_COUNT(operations))
		return hostile(err);
	return operations[asked->operation](asked, err);
}

static void put_optional_text(codec_cbor_out *out, const char *text)
{
	if (text != NULL)
		codec_cbor_put_text(out, text, strlen(text));
	else
		codec_cbor_put_null(out);
}

/* The size of a log that a refusal names, so that the asker can go on from there. */
static bool size_fact(const hn_error *error, int64_t *number)
{
	for (size_t i = 0; i < hn_error_fact_count(error); i++) {
		hn_fact fact;

		if (hn_error_fact(error, i, &fact) == 0 && fact.text == NULL &&
			strcmp(fact.name, "size") == 0) {
			*number = fact.number;
			return true;
		}
	}
	return false;
}

static void put_refusal(codec_cbor_out *out, int code, const hn_error *error)
{
	const char *message = hn_error_message(error);
	int64_t number = 0;

	codec_cbor_put_int(out, code);
	codec_cbor_put_array(out, 3);
	codec_cbor_put_text(out, message, strlen(message));
	put_optional_text(out, hn_error_hint(error));
	if (size_fact(error, &number))
		codec_cbor_put_int(out, number);
	else
		codec_cbor_put_null(out);
}

static void put_answer(const request *asked, int rc, const hn_error *error, codec_cbor_out *out)
{
	signer_frame_begin(out);
	codec_cbor_put_array(out, 4);
	codec_cbor_put_uint(out, SIGNER_VERSION);
	codec_cbor_put_uint(out, asked->id);
	if (rc < 0) {
		put_refusal(out, rc, error);
	} else {
		codec_cbor_put_uint(out, 0);
		base_buf_add(&out->buf, asked->result.buf.data, asked->result.buf.size);
	}
	signer_frame_end(out, 0);
}

int signer_answer(crypto_signer *signer, const uint8_t *frame, size_t size, base_buf *answer,
	crypto_secret **secret, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *error = NULL;
	request asked = {.signer = signer};
	codec_cbor_out out = {0};
	int rc = read_head(&asked, frame, size) ? perform(&asked, &error) : hostile(&error);

	if (rc == HN_ECBOR || asked.result.buf.failed) {
		rc = rc == HN_ECBOR ? hostile(err) : base_nomem(err);
	} else {
		put_answer(&asked, rc, error, &out);
		rc = out.buf.failed ? base_nomem(err) : 0;
	}
	if (rc >= 0) {
		*answer = out.buf;
		*secret = asked.secret;
	} else {
		base_buf_free(&out.buf);
		crypto_secret_free(asked.secret);
	}
	base_buf_free(&asked.result.buf);
	return rc;
}
