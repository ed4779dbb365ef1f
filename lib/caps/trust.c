/* SPDX-License-Identifier: MIT
 *
 * Asking a trust bundle, and what its issuers may sign.
 */
#include "caps/trust-private.h"

void caps_root_header(const uint8_t key[32], uint8_t header[CAPS_ROOT_HEADER_BYTES])
{
	/* { 1 => -8, 4 => 8 bytes } */
	static const uint8_t start[] = {0xa2, 0x01, 0x27, 0x04, 0x48};
	uint8_t kid[CAPS_KID];

	caps_kid(key, 0, kid);
	memcpy(header, start, sizeof(start));
	memcpy(header + sizeof(start), kid, CAPS_ROOT_ID);
}

void caps_root_tbs(base_buf *tbs, caps_view header, caps_view payload)
{
	static const uint8_t nothing[1];

	codec_cose_tbs(tbs, caps_bundle_header(), &header, (caps_view){nothing, 0}, payload);
}

const caps_issuer *caps_bundle_issuer(
	const caps_bundle *bundle, const uint8_t kid[CAPS_KID], bool *ambiguous)
{
	const caps_issuer *found = NULL;

	*ambiguous = false;
	for (size_t i = 0; i < bundle->issuer_count; i++) {
		if (memcmp(bundle->issuers[i].kid, kid, CAPS_KID) != 0)
			continue;
		if (found != NULL)
			*ambiguous = true;
		found = &bundle->issuers[i];
	}
	return *ambiguous ? NULL : found;
}

const caps_issuer *caps_bundle_newest(const caps_bundle *bundle, const uint8_t key[32])
{
	const caps_issuer *newest = NULL;

	for (size_t i = 0; i < bundle->issuer_count; i++) {
		const caps_issuer *row = &bundle->issuers[i];

		if (memcmp(row->key, key, sizeof(row->key)) == 0 &&
			(newest == NULL || row->epoch > newest->epoch))
			newest = row;
	}
	return newest;
}

const caps_keyset *caps_bundle_keyset(const caps_bundle *bundle, const uint8_t hash[32])
{
	for (size_t i = 0; i < bundle->keyset_count; i++)
		if (memcmp(bundle->keysets[i].hash, hash, 32) == 0)
			return &bundle->keysets[i];
	return NULL;
}

const caps_preset *caps_bundle_preset(const caps_bundle *bundle, const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < bundle->preset_count; i++)
		if (bundle->presets[i].name.size == size &&
			memcmp(bundle->presets[i].name.bytes, name, size) == 0)
			return &bundle->presets[i];
	return NULL;
}

static bool within(caps_view narrow, caps_view wide)
{
	return caps_pattern_within(
		(const char *)narrow.bytes, narrow.size, (const char *)wide.bytes, wide.size);
}

/* Each verb of a grant has a row of the ceiling whose pattern holds that of the grant. */
static bool below_ceiling(const caps_issuer *issuer, const caps_grant *grant)
{
	caps_mask open = {{0}};

	for (size_t i = 0; i < issuer->ceiling_count; i++) {
		if (!within(grant->pattern, issuer->ceiling[i].pattern))
			continue;
		for (size_t j = 0; j < CAPS_MASK_BYTES; j++)
			open.bytes[j] |= issuer->ceiling[i].mask.bytes[j];
	}
	return caps_mask_within(&grant->mask, &open);
}

const char *caps_issuer_refuses(const caps_issuer *issuer, const caps_token *claims)
{
	const caps_link *link = &claims->links[0];

	if (link->issued < issuer->not_before)
		return "issued before its issuer key was in use";
	if (link->issued > issuer->sign_until)
		return "issued after its issuer key was out of use";
	if (link->expires - link->issued > issuer->max_ttl)
		return "it lives longer than its issuer may give";
	for (size_t i = 0; i < claims->grant_count; i++)
		if (!below_ceiling(issuer, &claims->grants[i]))
			return "a grant is above the ceiling of its issuer";
	return NULL;
}
