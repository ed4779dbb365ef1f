/* SPDX-License-Identifier: MIT
 *
 * COSE_Sign1 and COSE_Sign (RFC 9052 sections 4.1 to 4.4): reading, writing, to-be-signed bytes.
 */
#include "codec/codec-private.h"

static int wrong(hn_error **err, const char *what, const char *text)
{
	return base_error(err, HN_ECBOR, "codec", NULL, "not a %s: %s", what, text);
}

/* The error of the cursor, or of what stands around it. */
static int ended(codec_cbor *in, const char *what, const char *otherwise, hn_error **err)
{
	return in->code != HN_OK ? codec_cbor_end(in, err) : wrong(err, what, otherwise);
}

static bool take_bytes(codec_cbor *in, codec_view *view)
{
	return codec_cbor_bytes(in, &view->bytes, &view->size);
}

/* The item is a map, taken whole. */
static bool take_map(codec_cbor *in, codec_view *view)
{
	return codec_cbor_peek(in) == CODEC_CBOR_MAP &&
	       codec_cbor_raw(in, &view->bytes, &view->size);
}

/* Nothing, or exactly one strict map. */
static bool is_header(codec_view view)
{
	codec_view map;
	codec_cbor in;

	if (view.size == 0)
		return true;
	codec_cbor_open(&in, view.bytes, view.size);
	return take_map(&in, &map) && codec_cbor_end(&in, NULL) == 0;
}

static bool take_headers(codec_cbor *in, codec_view *protected_header, codec_view *unprotected)
{
	return take_bytes(in, protected_header) && is_header(*protected_header) &&
	       take_map(in, unprotected);
}

static bool take_payload(codec_cbor *in, codec_view *payload)
{
	if (codec_cbor_peek(in) != CODEC_CBOR_NULL)
		return take_bytes(in, payload);
	*payload = (codec_view){NULL, 0};
	return codec_cbor_null(in);
}

/* The tag and the array of four around a message. */
static int take_start(codec_cbor *in, uint64_t tag, bool tag_optional, bool *tagged,
	const char *what, hn_error **err)
{
	uint64_t number = 0;

	*tagged = codec_cbor_peek(in) == CODEC_CBOR_TAG;
	if (!*tagged && !tag_optional)
		return ended(in, what, "it has no tag", err);
	if (*tagged && (!codec_cbor_tag(in, &number) || number != tag))
		return ended(in, what, "it has another tag", err);
	if (!codec_cbor_array(in, &number) || number != 4)
		return ended(in, what, "it is no array of four", err);
	return 0;
}

int codec_cose_sign1_parse(const void *bytes, size_t size, bool tag_optional,
	codec_cose_sign1 *message, hn_error **err)
{
	static const char what[] = "COSE_Sign1";
	codec_cose_sign1 made = {0};
	codec_cbor in;

	codec_cbor_open(&in, bytes, size);
	int rc = take_start(&in, CODEC_COSE_TAG_SIGN1, tag_optional, &made.tagged, what, err);
	if (rc < 0)
		return rc;
	if (!take_headers(&in, &made.protected_header, &made.unprotected))
		return ended(&in, what, "a header is no map", err);
	if (!take_payload(&in, &made.payload) || !take_bytes(&in, &made.signature))
		return ended(&in, what, "payload or signature is no byte string", err);
	rc = codec_cbor_end(&in, err);
	if (rc < 0)
		return rc;
	*message = made;
	return 0;
}

static bool take_signer(codec_cbor *in, codec_cose_signer *signer)
{
	uint64_t count = 0;

	return codec_cbor_array(in, &count) && count == 3 &&
	       take_headers(in, &signer->protected_header, &signer->unprotected) &&
	       take_bytes(in, &signer->signature);
}

int codec_cose_sign_parse(
	const void *bytes, size_t size, bool tag_optional, codec_cose_sign *message, hn_error **err)
{
	static const char what[] = "COSE_Sign";
	codec_cose_sign made = {0};
	uint64_t count = 0;
	codec_cbor in;

	codec_cbor_open(&in, bytes, size);
	int rc = take_start(&in, CODEC_COSE_TAG_SIGN, tag_optional, &made.tagged, what, err);
	if (rc < 0)
		return rc;
	if (!take_headers(&in, &made.protected_header, &made.unprotected))
		return ended(&in, what, "a header is no map", err);
	if (!take_payload(&in, &made.payload))
		return ended(&in, what, "the payload is no byte string", err);
	if (!codec_cbor_array(&in, &count) || count == 0 || count > CODEC_COSE_SIGNATURES)
		return ended(&in, what, "it has not 1 to 16 signatures", err);
	for (; made.count < count; made.count++) {
		if (!take_signer(&in, &made.signers[made.count]))
			return ended(&in, what, "a signature is malformed", err);
	}
	rc = codec_cbor_end(&in, err);
	if (rc < 0)
		return rc;
	*message = made;
	return 0;
}

static void put_view(codec_cbor_out *out, codec_view view)
{
	codec_cbor_put_bytes(out, view.bytes, view.size);
}

static void put_headers(codec_cbor_out *out, codec_view protected_header, codec_view unprotected)
{
	put_view(out, protected_header);
	if (unprotected.bytes == NULL)
		codec_cbor_put_map(out, 0);
	else
		base_buf_add(&out->buf, unprotected.bytes, unprotected.size);
}

static void put_payload(codec_cbor_out *out, codec_view payload)
{
	if (payload.bytes == NULL)
		codec_cbor_put_null(out);
	else
		put_view(out, payload);
}

void codec_cose_sign1_put(codec_cbor_out *out, const codec_cose_sign1 *message)
{
	if (message->tagged)
		codec_cbor_put_tag(out, CODEC_COSE_TAG_SIGN1);
	codec_cbor_put_array(out, 4);
	put_headers(out, message->protected_header, message->unprotected);
	put_payload(out, message->payload);
	put_view(out, message->signature);
}

void codec_cose_sign_put(codec_cbor_out *out, const codec_cose_sign *message)
{
	if (message->tagged)
		codec_cbor_put_tag(out, CODEC_COSE_TAG_SIGN);
	codec_cbor_put_array(out, 4);
	put_headers(out, message->protected_header, message->unprotected);
	put_payload(out, message->payload);
	codec_cbor_put_array(out, message->count);
	for (size_t i = 0; i < message->count; i++) {
		const codec_cose_signer *signer = &message->signers[i];

		codec_cbor_put_array(out, 3);
		put_headers(out, signer->protected_header, signer->unprotected);
		put_view(out, signer->signature);
	}
}

static void put_signed_header(codec_cbor_out *out, codec_view header)
{
	bool empty_map = header.size == 1 && header.bytes[0] == 0xa0;

	codec_cbor_put_bytes(out, header.bytes, empty_map ? 0 : header.size);
}

void codec_cose_tbs(base_buf *buf, codec_view body_protected, const codec_view *signer_protected,
	codec_view external, codec_view payload)
{
	static const char one[] = "Signature1", several[] = "Signature";
	codec_cbor_out out = {*buf};

	codec_cbor_put_array(&out, signer_protected != NULL ? 5 : 4);
	if (signer_protected != NULL)
		codec_cbor_put_text(&out, several, sizeof(several) - 1);
	else
		codec_cbor_put_text(&out, one, sizeof(one) - 1);
	put_signed_header(&out, body_protected);
	if (signer_protected != NULL)
		put_signed_header(&out, *signer_protected);
	put_view(&out, external);
	put_view(&out, payload);
	*buf = out.buf;
}
