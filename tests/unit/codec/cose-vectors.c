/* SPDX-License-Identifier: MIT
 *
 * The COSE layer against the vectors of the working group. Signatures are checked by OpenSSL, which
 * only this program links.
 */
#include "codec/codec-private.h"
#include <criterion/criterion.h>

#include "codec/cose-vectors.h"
#ifdef HAVE_LIBCRYPTO
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#endif

typedef struct raw {
	uint8_t bytes[512];
	size_t size;
} raw;

/* One signer of either form. */
typedef struct parts {
	codec_view body_protected, signer_protected, unprotected, payload, signature;
	bool several;
} parts;

static raw raw_of(const char *hex)
{
	raw made = {.size = strlen(hex) / 2};

	cr_assert_leq(made.size, sizeof(made.bytes));
	cr_assert(codec_hex_decode(hex, strlen(hex), made.bytes));
	return made;
}

static bool take_apart(const cose_vector *v, const raw *message, parts *out)
{
	codec_cose_sign1 one;
	codec_cose_sign several;

	if (!v->several) {
		if (codec_cose_sign1_parse(message->bytes, message->size, true, &one, NULL) < 0)
			return false;
		*out = (parts){.body_protected = one.protected_header,
			.signer_protected = one.protected_header,
			.unprotected = one.unprotected,
			.payload = one.payload,
			.signature = one.signature};
		return true;
	}
	if (codec_cose_sign_parse(message->bytes, message->size, true, &several, NULL) < 0)
		return false;
	cr_assert_eq(several.count, 1u);
	*out = (parts){several.protected_header, several.signers[0].protected_header,
		several.signers[0].unprotected, several.payload, several.signers[0].signature,
		true};
	return true;
}

static void to_be_signed(const cose_vector *v, const parts *p, base_buf *buf)
{
	raw external = raw_of(v->external);

	codec_cose_tbs(buf, p->body_protected, p->several ? &p->signer_protected : NULL,
		(codec_view){external.bytes, external.size}, p->payload);
}

Test(cose_vectors, messages_parse_except_those_with_another_tag)
{
	for (size_t i = 0; i < BASE_COUNT(cose_vectors); i++) {
		const cose_vector *v = &cose_vectors[i];
		raw message = raw_of(v->message);
		parts p;

		cr_expect_eq(take_apart(v, &message, &p), strstr(v->name, "fail-01") == NULL, "%s",
			v->name);
	}
}

Test(cose_vectors, only_pass_03_has_no_tag)
{
	for (size_t i = 0; i < BASE_COUNT(cose_vectors); i++) {
		const cose_vector *v = &cose_vectors[i];
		raw message = raw_of(v->message);
		codec_cose_sign1 one;
		codec_cose_sign several;
		int rc = v->several ? codec_cose_sign_parse(
					      message.bytes, message.size, false, &several, NULL)
				    : codec_cose_sign1_parse(
					      message.bytes, message.size, false, &one, NULL);

		bool refused =
			strstr(v->name, "pass-03") != NULL || strstr(v->name, "fail-01") != NULL;
		cr_expect_eq(rc, refused ? HN_ECBOR : 0, "%s", v->name);
	}
}

/* The bytes that the example's signer saw; a message that was changed afterwards gives others,
 * where the change is in what is signed. */
Test(cose_vectors, to_be_signed_bytes_are_those_of_the_example)
{
	for (size_t i = 0; i < BASE_COUNT(cose_vectors); i++) {
		const cose_vector *v = &cose_vectors[i];
		raw message = raw_of(v->message), expected = raw_of(v->to_be_signed);
		base_buf buf = {0};
		parts p;

		if (!v->passes || !take_apart(v, &message, &p))
			continue;
		to_be_signed(v, &p, &buf);
		cr_expect_eq(buf.size, expected.size, "%s", v->name);
		cr_expect_arr_eq(buf.data, expected.bytes, expected.size, "%s", v->name);
		base_buf_free(&buf);
	}
}

Test(cose_vectors, writing_gives_the_same_bytes)
{
	for (size_t i = 0; i < BASE_COUNT(cose_vectors); i++) {
		const cose_vector *v = &cose_vectors[i];
		raw message = raw_of(v->message);
		codec_cbor_out out = {0};
		codec_cose_sign1 one;
		codec_cose_sign several;

		if (strstr(v->name, "fail-01") != NULL)
			continue;
		if (v->several) {
			cr_assert_eq(codec_cose_sign_parse(
					     message.bytes, message.size, true, &several, NULL),
				0);
			codec_cose_sign_put(&out, &several);
		} else {
			cr_assert_eq(codec_cose_sign1_parse(
					     message.bytes, message.size, true, &one, NULL),
				0);
			codec_cose_sign1_put(&out, &one);
		}
		cr_expect_eq(out.buf.size, message.size, "%s", v->name);
		cr_expect_arr_eq(out.buf.data, message.bytes, message.size, "%s", v->name);
		base_buf_free(&out.buf);
	}
}

#ifdef HAVE_LIBCRYPTO
static EVP_PKEY *key_of(vector_key which)
{
	raw point = raw_of(vector_keys[which]);
	uint8_t encoded[65] = {4};
	EVP_PKEY *key = NULL;

	if (which == KEY_ED25519)
		return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point.bytes, point.size);
	memcpy(encoded + 1, point.bytes, 64);
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
	OSSL_PARAM_BLD_push_octet_string(
		builder, OSSL_PKEY_PARAM_PUB_KEY, encoded, sizeof(encoded));
	OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	cr_assert_eq(EVP_PKEY_fromdata_init(context), 1);
	cr_assert_eq(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters), 1);
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(builder);
	return key;
}

/* COSE has r and s side by side, OpenSSL wants them in DER. */
static int der_of(codec_view signature, uint8_t **der)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	int half = (int)(signature.size / 2);

	*der = NULL;
	ECDSA_SIG_set0(sig, BN_bin2bn(signature.bytes, half, NULL),
		BN_bin2bn(signature.bytes + half, half, NULL));
	int size = i2d_ECDSA_SIG(sig, der);
	ECDSA_SIG_free(sig);
	return size;
}

static bool verify(const cose_vector *v, const base_buf *signed_bytes, codec_view signature)
{
	EVP_PKEY *key = key_of(v->key);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ed25519 = v->key == KEY_ED25519;
	uint8_t *der = NULL;
	int size = ed25519 ? 0 : der_of(signature, &der);

	cr_assert_eq(
		EVP_DigestVerifyInit(context, NULL, ed25519 ? NULL : EVP_sha256(), NULL, key), 1);
	int rc = EVP_DigestVerify(context, ed25519 ? signature.bytes : der,
		ed25519 ? signature.size : (size_t)size, (const uint8_t *)signed_bytes->data,
		signed_bytes->size);
	OPENSSL_free(der);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return rc == 1;
}

/* What a verifier with these keys says: structure, algorithm, signature. */
static bool passes(const cose_vector *v)
{
	raw message = raw_of(v->message);
	codec_cose_headers headers;
	base_buf buf = {0};
	parts p;

	if (!take_apart(v, &message, &p) ||
		codec_cose_headers_read(p.signer_protected, p.unprotected, &headers, NULL) < 0)
		return false;
	if (headers.alg_place == CODEC_COSE_ABSENT || headers.alg_text.bytes != NULL ||
		headers.alg != (v->key == KEY_ED25519 ? -8 : -7))
		return false;
	to_be_signed(v, &p, &buf);
	bool verified = verify(v, &buf, p.signature);
	base_buf_free(&buf);
	return verified;
}

Test(cose_vectors, verdicts_are_those_of_the_working_group)
{
	for (size_t i = 0; i < BASE_COUNT(cose_vectors); i++)
		cr_expect_eq(passes(&cose_vectors[i]), cose_vectors[i].passes, "%s",
			cose_vectors[i].name);
}
#else
Test(cose_vectors, verdicts_are_those_of_the_working_group)
{
	cr_skip_test("libcrypto (libssl-dev) is not installed");
}
#endif
