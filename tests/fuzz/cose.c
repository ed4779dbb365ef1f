/* SPDX-License-Identifier: MIT
 *
 * Fuzzes COSE messages: what is taken is written again with the same bytes, every view lies in the
 * input, and the headers are read or refused.
 */
#include "codec/codec-private.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

static void inside(codec_view view, const uint8_t *data, size_t size)
{
	if (view.bytes != NULL)
		require(view.bytes >= data && view.bytes + view.size <= data + size);
}

static void headers(codec_view protected_header, codec_view unprotected)
{
	const int64_t known[] = {-65537, 4};
	codec_cose_headers read = {.count = 77};
	codec_view value = {NULL, 0};
	hn_error *err = NULL;

	if (codec_cose_headers_read(protected_header, unprotected, &read, &err) < 0) {
		require(hn_error_code(err) == HN_ECBOR && read.count == 77);
		hn_error_unref(err);
		return;
	}
	require((read.alg_place == CODEC_COSE_PROTECTED) ==
		codec_cose_find(protected_header, CODEC_COSE_ALG, &value));
	require((read.kid_place == CODEC_COSE_UNPROTECTED) ==
		codec_cose_find(unprotected, CODEC_COSE_KID, &value));
	require(read.critical_count <= CODEC_COSE_CRITICAL);
	codec_cose_critical_known(&read, known, 2, NULL);
}

static void tbs(codec_view body, const codec_view *signer, codec_view payload)
{
	codec_view external = {NULL, 0};
	codec_cbor in;
	base_buf buf = {0};

	codec_cose_tbs(&buf, body, signer, external, payload);
	codec_cbor_open(&in, buf.data, buf.size);
	require(codec_cbor_skip(&in) && codec_cbor_end(&in, NULL) == 0);
	base_buf_free(&buf);
}

static void same(codec_cbor_out *out, const uint8_t *data, size_t size)
{
	require(out->buf.size == size && memcmp(out->buf.data, data, size) == 0);
	base_buf_free(&out->buf);
}

static void sign1(const uint8_t *data, size_t size)
{
	codec_cose_sign1 message;
	codec_cbor_out out = {0};
	hn_error *err = NULL;

	if (codec_cose_sign1_parse(data, size, true, &message, &err) < 0) {
		require(hn_error_code(err) == HN_ECBOR);
		hn_error_unref(err);
		return;
	}
	inside(message.protected_header, data, size);
	inside(message.unprotected, data, size);
	inside(message.payload, data, size);
	inside(message.signature, data, size);
	headers(message.protected_header, message.unprotected);
	tbs(message.protected_header, NULL, message.payload);
	codec_cose_sign1_put(&out, &message);
	same(&out, data, size);
}

static void sign(const uint8_t *data, size_t size)
{
	codec_cose_sign message;
	codec_cbor_out out = {0};
	hn_error *err = NULL;

	if (codec_cose_sign_parse(data, size, true, &message, &err) < 0) {
		require(hn_error_code(err) == HN_ECBOR);
		hn_error_unref(err);
		return;
	}
	require(message.count >= 1 && message.count <= CODEC_COSE_SIGNATURES);
	headers(message.protected_header, message.unprotected);
	for (size_t i = 0; i < message.count; i++) {
		const codec_cose_signer *signer = &message.signers[i];

		inside(signer->signature, data, size);
		headers(signer->protected_header, signer->unprotected);
		tbs(message.protected_header, &signer->protected_header, message.payload);
	}
	codec_cose_sign_put(&out, &message);
	same(&out, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sign1(data, size);
	sign(data, size);
	return 0;
}
