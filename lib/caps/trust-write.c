/* SPDX-License-Identifier: MIT
 *
 * Making trust bundles, and adding the signatures of roots.
 */
#include "caps/trust-private.h"

static void put_view_text(codec_cbor_out *out, caps_view text)
{
	codec_cbor_put_text(out, (const char *)text.bytes, text.size);
}

static void put_key(codec_cbor_out *out, const uint8_t key[32])
{
	uint8_t cosekey[CAPS_COSEKEY_BYTES];

	caps_cosekey_put(key, cosekey);
	base_buf_add(&out->buf, cosekey, sizeof(cosekey));
}

static void put_pair(codec_cbor_out *out, caps_view person, const uint8_t key[32])
{
	codec_cbor_put_array(out, 2);
	put_view_text(out, person);
	put_key(out, key);
}

void caps_keyset_put(codec_cbor_out *out, const caps_keyset *keyset)
{
	codec_cbor_put_array(out, keyset->count);
	for (size_t i = 0; i < keyset->count; i++)
		put_pair(out, keyset->entries[i].person, keyset->entries[i].key);
}

/* The order of the encoded pairs: a shorter name has the lesser head. */
static int compare_pairs(const caps_keyset *keyset, size_t a, size_t b)
{
	caps_view one = keyset->entries[a].person, other = keyset->entries[b].person;

	if (one.size != other.size)
		return one.size < other.size ? -1 : 1;
	int order = memcmp(one.bytes, other.bytes, one.size);
	return order != 0 ? order : memcmp(keyset->entries[a].key, keyset->entries[b].key, 32);
}

int caps_keyset_finish(caps_keyset *keyset, hn_error **err)
{
	codec_cbor_out out = {0};

	for (size_t i = 1; i < keyset->count; i++)
		for (size_t j = i; j > 0 && compare_pairs(keyset, j, j - 1) < 0; j--) {
			__typeof__(keyset->entries[0]) kept = keyset->entries[j];

			keyset->entries[j] = keyset->entries[j - 1];
			keyset->entries[j - 1] = kept;
		}
	caps_keyset_put(&out, keyset);
	int rc = out.buf.failed ? base_nomem(err) : 0;
	if (rc == 0)
		crypto_sha256(out.buf.data, out.buf.size, keyset->hash);
	base_buf_free(&out.buf);
	return rc;
}

static void put_issuer(codec_cbor_out *out, const caps_issuer *issuer)
{
	codec_cbor_put_map(out, 7);
	codec_cbor_put_uint(out, 1);
	put_key(out, issuer->key);
	codec_cbor_put_uint(out, 2);
	codec_cbor_put_uint(out, issuer->epoch);
	codec_cbor_put_uint(out, 3);
	codec_cbor_put_uint(out, issuer->role);
	codec_cbor_put_uint(out, 4);
	codec_cbor_put_int(out, issuer->not_before);
	codec_cbor_put_uint(out, 5);
	codec_cbor_put_int(out, issuer->sign_until);
	codec_cbor_put_uint(out, 6);
	codec_cbor_put_int(out, issuer->max_ttl);
	codec_cbor_put_uint(out, 7);
	codec_cbor_put_array(out, issuer->ceiling_count);
	for (size_t i = 0; i < issuer->ceiling_count; i++)
		caps_grant_put(out, &issuer->ceiling[i].mask, issuer->ceiling[i].pattern, 0);
}

static void put_preset(codec_cbor_out *out, const caps_preset *preset)
{
	codec_cbor_put_map(out, preset->delay > 0 ? 7 : 6);
	codec_cbor_put_uint(out, 1);
	put_view_text(out, preset->name);
	codec_cbor_put_uint(out, 2);
	codec_cbor_put_bytes(out, preset->keyset, 32);
	codec_cbor_put_uint(out, 3);
	codec_cbor_put_uint(out, preset->threshold);
	codec_cbor_put_uint(out, 4);
	codec_cbor_put_bytes(out, preset->mask.bytes, caps_mask_size(&preset->mask));
	codec_cbor_put_uint(out, 5);
	codec_cbor_put_array(out, preset->pattern_count);
	for (size_t i = 0; i < preset->pattern_count; i++)
		put_view_text(out, preset->patterns[i]);
	codec_cbor_put_uint(out, 6);
	codec_cbor_put_int(out, preset->max_ttl);
	if (preset->delay <= 0)
		return;
	codec_cbor_put_uint(out, 7);
	codec_cbor_put_int(out, preset->delay);
}

static void put_texts(codec_cbor_out *out, const caps_view *texts, size_t count)
{
	codec_cbor_put_array(out, count);
	for (size_t i = 0; i < count; i++)
		put_view_text(out, texts[i]);
}

static void put_head(codec_cbor_out *out, const caps_bundle *bundle)
{
	codec_cbor_put_map(out, bundle->preset_count > 0 ? 10 : 9);
	codec_cbor_put_uint(out, 1);
	codec_cbor_put_uint(out, bundle->version);
	codec_cbor_put_uint(out, 2);
	put_view_text(out, bundle->cluster);
	codec_cbor_put_uint(out, 3);
	codec_cbor_put_int(out, bundle->made);
	codec_cbor_put_uint(out, 4);
	codec_cbor_put_uint(out, bundle->threshold);
	codec_cbor_put_uint(out, 5);
	codec_cbor_put_array(out, bundle->root_count);
	for (size_t i = 0; i < bundle->root_count; i++)
		put_key(out, bundle->roots[i]);
}

static void put_payload(codec_cbor_out *out, const caps_bundle *bundle)
{
	put_head(out, bundle);
	codec_cbor_put_uint(out, 6);
	codec_cbor_put_array(out, bundle->issuer_count);
	for (size_t i = 0; i < bundle->issuer_count; i++)
		put_issuer(out, &bundle->issuers[i]);
	codec_cbor_put_uint(out, 7);
	codec_cbor_put_array(out, bundle->keyset_count);
	for (size_t i = 0; i < bundle->keyset_count; i++)
		caps_keyset_put(out, &bundle->keysets[i]);
	codec_cbor_put_uint(out, 8);
	put_texts(out, bundle->logs, bundle->log_count);
	codec_cbor_put_uint(out, 9);
	codec_cbor_put_array(out, 2);
	put_texts(out, bundle->witnesses, bundle->witness_count);
	codec_cbor_put_uint(out, bundle->witnesses_needed);
	if (bundle->preset_count == 0)
		return;
	codec_cbor_put_uint(out, 10);
	codec_cbor_put_array(out, bundle->preset_count);
	for (size_t i = 0; i < bundle->preset_count; i++)
		put_preset(out, &bundle->presets[i]);
}

int caps_bundle_write(const caps_bundle *bundle, base_buf *payload, hn_error **err)
{
	BASE_AUTO_OF(caps_bundle) caps_bundle *again = NULL;
	codec_cbor_out out = {0};

	put_payload(&out, bundle);
	int rc = out.buf.failed ? base_nomem(err)
				: caps_bundle_look((const uint8_t *)out.buf.data, out.buf.size,
					  &again, NULL, err);
	if (rc == HN_EBUNDLE)
		rc = base_error_wrap(
			err, HN_EINVAL, CAPS_ROOM, "this trust bundle would not be accepted");
	if (rc == 0) {
		base_buf_add(payload, out.buf.data, out.buf.size);
		rc = payload->failed ? base_nomem(err) : 0;
	}
	base_buf_free(&out.buf);
	return rc;
}

/* Puts a signer at its place by its header; one with the same header is replaced. */
static bool insert(codec_cose_sign *message, const codec_cose_signer *signer)
{
	size_t at = 0;
	int order = 1;

	for (; at < message->count; at++) {
		order = memcmp(message->signers[at].protected_header.bytes,
			signer->protected_header.bytes, CAPS_ROOT_HEADER_BYTES);
		if (order >= 0)
			break;
	}
	if (at < message->count && order == 0) {
		message->signers[at] = *signer;
		return true;
	}
	if (message->count == CODEC_COSE_SIGNATURES)
		return false;
	memmove(&message->signers[at + 1], &message->signers[at],
		(message->count - at) * sizeof(message->signers[0]));
	message->signers[at] = *signer;
	message->count++;
	return true;
}

int caps_bundle_sign(
	const uint8_t *bytes, size_t size, const uint8_t seed[32], base_buf *out, hn_error **err)
{
	uint8_t key[32], header[CAPS_ROOT_HEADER_BYTES], signature[CRYPTO_SIGNATURE];
	codec_cose_signer signer = {.protected_header = {header, sizeof(header)},
		.signature = {signature, sizeof(signature)}};
	BASE_AUTO_OF(caps_bundle) caps_bundle *bundle = NULL;
	BASE_AUTO_BUF base_buf tbs = {0};
	codec_cose_sign message;

	int rc = caps_bundle_look(bytes, size, &bundle, NULL, err);
	if (rc == 0)
		rc = caps_bundle_open(bytes, size, &message, err);
	if (rc < 0)
		return rc;
	crypto_ed25519_public(seed, key);
	caps_root_header(key, header);
	caps_root_tbs(&tbs, signer.protected_header, message.payload);
	if (tbs.failed)
		return base_nomem(err);
	crypto_ed25519_sign_once(seed, tbs.data, tbs.size, signature);
	message.protected_header = caps_bundle_header();
	message.tagged = true;
	if (!insert(&message, &signer))
		return base_error(err, HN_ELIMIT, CAPS_ROOM, NULL,
			"a trust bundle has at most %d signatures", CODEC_COSE_SIGNATURES);
	codec_cbor_out made = {*out};
	codec_cose_sign_put(&made, &message);
	*out = made.buf;
	return out->failed ? base_nomem(err) : 0;
}
