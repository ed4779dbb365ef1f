/* SPDX-License-Identifier: MIT
 *
 * The fixed bytes of hvc1: keys and protected headers.
 */
#include "caps/token-private.h"

/* { 1 => 1 (OKP), -1 => 6 (Ed25519), -2 => 32 bytes } */
static const uint8_t cosekey_start[] = {0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20};

void caps_cosekey_put(const uint8_t key[32], uint8_t out[CAPS_COSEKEY_BYTES])
{
	memcpy(out, cosekey_start, sizeof(cosekey_start));
	memcpy(out + sizeof(cosekey_start), key, 32);
}

bool caps_cosekey_take(codec_cbor *in, uint8_t key[32])
{
	caps_view raw = {NULL, 0};

	if (!codec_cbor_raw(in, &raw.bytes, &raw.size) || raw.size != CAPS_COSEKEY_BYTES ||
		memcmp(raw.bytes, cosekey_start, sizeof(cosekey_start)) != 0)
		return false;
	memcpy(key, raw.bytes + sizeof(cosekey_start), 32);
	return true;
}

void caps_cnf_put(const uint8_t key[32], uint8_t out[CAPS_CNF_BYTES])
{
	out[0] = 0xa1; /* { 1 => cosekey } */
	out[1] = 0x01;
	caps_cosekey_put(key, out + 2);
}

void caps_kid(const uint8_t key[32], uint32_t epoch, uint8_t kid[CAPS_KID])
{
	uint8_t cosekey[CAPS_COSEKEY_BYTES], digest[CRYPTO_DIGEST];

	caps_cosekey_put(key, cosekey);
	crypto_sha256(cosekey, sizeof(cosekey), digest);
	memcpy(kid, digest, 8);
	for (size_t i = 0; i < 4; i++)
		kid[8 + i] = (uint8_t)(epoch >> (24 - 8 * i));
}

static size_t add(uint8_t *out, size_t at, const void *bytes, size_t size)
{
	memcpy(out + at, bytes, size);
	return at + size;
}

size_t caps_header_first(const uint8_t kid[CAPS_KID], uint8_t out[CAPS_HEADER_BYTES])
{
	/* { 1 => -8, 4 => kid, 16 => text of 24 } */
	static const uint8_t start[] = {0xa3, 0x01, 0x27, 0x04, 0x4c};
	static const char end[] = "\x10\x78\x18"
				  "application/vnd.hvc1+cwt";
	size_t at = add(out, 0, start, sizeof(start));

	at = add(out, at, kid, CAPS_KID);
	return add(out, at, end, sizeof(end) - 1);
}

size_t caps_header_later(const uint8_t parent[32], uint8_t out[CAPS_HEADER_BYTES])
{
	/* { 1 => -8, 2 => [ -65537 ], -65537 => hash } */
	static const uint8_t start[] = {0xa3, 0x01, 0x27, 0x02, 0x81, 0x3a, 0x00, 0x01, 0x00, 0x00,
		0x3a, 0x00, 0x01, 0x00, 0x00, 0x58, 0x20};
	size_t at = add(out, 0, start, sizeof(start));

	return add(out, at, parent, 32);
}

size_t caps_header_proof(caps_proof_kind kind, uint8_t out[CAPS_HEADER_BYTES])
{
	/* { 1 => -8, 16 => text } */
	static const char possession[] = "\xa2\x01\x27\x10\x78\x1c"
					 "application/vnd.hvc1-pop+cwt";
	static const char seal[] = "\xa2\x01\x27\x10\x78\x19"
				   "application/vnd.hvc1-seal";

	return kind == CAPS_PROOF_SEALED ? add(out, 0, seal, sizeof(seal) - 1)
					 : add(out, 0, possession, sizeof(possession) - 1);
}

void caps_tbs(base_buf *tbs, caps_view header, caps_view payload)
{
	static const uint8_t nothing[1];

	codec_cose_tbs(tbs, header, NULL, (caps_view){nothing, 0}, payload);
}
