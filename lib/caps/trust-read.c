/* SPDX-License-Identifier: MIT
 *
 * Strict reading of trust bundles, and their signatures.
 */
#include "caps/trust-private.h"

int caps_bundle_wrong(hn_error **err, const char *what)
{
	return base_error(err, HN_EBUNDLE, CAPS_ROOM, NULL, "trust bundle: %s", what);
}

/* --- the payload --- */

static bool label_is(codec_cbor *in, uint64_t label)
{
	uint64_t here = 0;

	return codec_cbor_uint(in, &here) && here == label;
}

static bool take_key(codec_cbor *in, uint8_t key[32])
{
	return caps_cosekey_take(in, key) && crypto_ed25519_point_valid(key);
}

static bool take_hash(codec_cbor *in, uint8_t hash[32])
{
	caps_view view;

	if (!caps_take_bytes(in, 32, &view))
		return false;
	memcpy(hash, view.bytes, 32);
	return true;
}

static const char *read_roots(codec_cbor *in, caps_bundle *bundle)
{
	uint64_t count = 0, threshold = 0;

	if (!label_is(in, 4) || !caps_take_uint(in, 1, CAPS_ROOTS, &threshold) ||
		!label_is(in, 5) || !caps_take_array(in, 1, CAPS_ROOTS, &count))
		return "threshold and roots have not their form";
	for (size_t i = 0; i < count; i++) {
		if (!take_key(in, bundle->roots[i]))
			return "a root is not a valid Ed25519 key";
		for (size_t j = 0; j < i; j++)
			if (memcmp(bundle->roots[i], bundle->roots[j], 32) == 0)
				return "a root stands twice";
	}
	bundle->root_count = (size_t)count;
	bundle->threshold = (uint32_t)threshold;
	return threshold <= count ? NULL : "the threshold is more than there are roots";
}

static bool take_ceiling(codec_cbor *in, caps_issuer *issuer)
{
	uint64_t count = 0, items = 0;

	if (!caps_take_array(in, 1, CAPS_GRANTS, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		caps_grant *grant = &issuer->ceiling[i];

		if (!caps_take_array(in, 2, 2, &items) || !caps_take_mask(in, &grant->mask) ||
			!caps_take_pattern(in, &grant->pattern))
			return false;
	}
	issuer->ceiling_count = (size_t)count;
	return true;
}

static bool take_issuer(codec_cbor *in, caps_issuer *issuer)
{
	uint64_t items = 0, epoch = 0, role = 0, ttl = 0;

	if (!codec_cbor_map(in, &items) || items != 7 || !label_is(in, 1) ||
		!take_key(in, issuer->key) || !label_is(in, 2) ||
		!caps_take_uint(in, 0, UINT32_MAX, &epoch) || !label_is(in, 3) ||
		!caps_take_uint(in, CAPS_ROLE_CONTROLLER, CAPS_ROLE_WORKER, &role) ||
		!label_is(in, 4) || !caps_take_time(in, &issuer->not_before) || !label_is(in, 5) ||
		!caps_take_time(in, &issuer->sign_until) || !label_is(in, 6) ||
		!caps_take_uint(in, 1, CAPS_TTL_SECONDS, &ttl) || !label_is(in, 7) ||
		!take_ceiling(in, issuer))
		return false;
	issuer->epoch = (uint32_t)epoch;
	issuer->role = (uint32_t)role;
	issuer->max_ttl = (int64_t)ttl;
	caps_kid(issuer->key, issuer->epoch, issuer->kid);
	return issuer->not_before <= issuer->sign_until &&
	       issuer->sign_until - issuer->not_before <= CAPS_SIGN_SECONDS;
}

static bool has_key(const caps_keyset *keyset, size_t count, const uint8_t key[32])
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(keyset->entries[i].key, key, 32) == 0)
			return true;
	return false;
}

/* Each pair must come behind the one before it, byte by byte, and no key stand for two persons. */
static bool take_keyset(codec_cbor *in, caps_keyset *keyset)
{
	caps_view before = {NULL, 0};
	uint64_t count = 0, items = 0;
	size_t start = in->offset;

	if (!caps_take_array(in, 1, CAPS_KEYSET_PERSONS, &count))
		return false;
	for (size_t i = 0; i < count; i++) {
		caps_view pair = {in->bytes + in->offset, 0};

		if (!caps_take_array(in, 2, 2, &items) ||
			!caps_take_name(in, CAPS_NAME_BYTES, &keyset->entries[i].person) ||
			!take_key(in, keyset->entries[i].key) ||
			has_key(keyset, i, keyset->entries[i].key))
			return false;
		pair.size = (size_t)(in->bytes + in->offset - pair.bytes);
		if (before.size > 0 &&
			memcmp(before.bytes, pair.bytes,
				before.size < pair.size ? before.size : pair.size) >= 0)
			return false;
		before = pair;
	}
	keyset->count = (size_t)count;
	crypto_sha256(in->bytes + start, in->offset - start, keyset->hash);
	return true;
}

static bool take_preset(codec_cbor *in, caps_preset *preset)
{
	uint64_t items = 0, threshold = 0, ttl = 0, count = 0, delay = 0;

	if (!codec_cbor_map(in, &items) || items < 6 || items > 7 || !label_is(in, 1) ||
		!caps_take_name(in, CAPS_NAME_BYTES, &preset->name) || !label_is(in, 2) ||
		!take_hash(in, preset->keyset) || !label_is(in, 3) ||
		!caps_take_uint(in, 1, CAPS_KEYSET_PERSONS, &threshold) || !label_is(in, 4) ||
		!caps_take_mask(in, &preset->mask) || !label_is(in, 5) ||
		!caps_take_array(in, 1, CAPS_PRESET_PATTERNS, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!caps_take_pattern(in, &preset->patterns[i]))
			return false;
	if (!label_is(in, 6) || !caps_take_uint(in, 1, CAPS_BREAKGLASS_SECONDS, &ttl))
		return false;
	if (items == 7 && (!label_is(in, 7) || !caps_take_uint(in, 1, CAPS_DELAY_SECONDS, &delay)))
		return false;
	preset->delay = (int64_t)delay;
	preset->pattern_count = (size_t)count;
	preset->threshold = (uint32_t)threshold;
	preset->max_ttl = (int64_t)ttl;
	return true;
}

static const char no_memory[] = "out of memory";

/* An array of at most `most` items, for which there is room of `size` bytes each. */
static const char *make_room(
	codec_cbor *in, uint64_t label, uint64_t most, size_t size, void **items, size_t *count)
{
	uint64_t given = 0;

	if (!label_is(in, label) || !caps_take_array(in, 0, most, &given))
		return "a list is missing, or has too many items";
	*items = base_calloc((size_t)given, size);
	if (*items == NULL)
		return no_memory;
	*count = (size_t)given;
	return NULL;
}

static const char *read_issuers(codec_cbor *in, caps_bundle *bundle)
{
	void *room = NULL;
	const char *why =
		make_room(in, 6, CAPS_ISSUERS, sizeof(caps_issuer), &room, &bundle->issuer_count);

	bundle->issuers = room;
	for (size_t i = 0; why == NULL && i < bundle->issuer_count; i++)
		if (!take_issuer(in, &bundle->issuers[i]))
			why = "an issuer has not its form";
	return why;
}

static const char *read_keysets(codec_cbor *in, caps_bundle *bundle)
{
	void *room = NULL;
	const char *why =
		make_room(in, 7, CAPS_KEYSETS, sizeof(caps_keyset), &room, &bundle->keyset_count);

	bundle->keysets = room;
	for (size_t i = 0; why == NULL && i < bundle->keyset_count; i++)
		if (!take_keyset(in, &bundle->keysets[i]))
			why = "a keyset has not its form, or its pairs do not rise, or a key stands twice";
	return why;
}

static bool take_names(codec_cbor *in, caps_view names[CAPS_LOGS], size_t *names_count)
{
	uint64_t count = 0;

	if (!caps_take_array(in, 0, CAPS_LOGS, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!caps_take_name(in, 2 * CAPS_NAME_BYTES, &names[i]))
			return false;
	*names_count = (size_t)count;
	return true;
}

static const char *read_logs(codec_cbor *in, caps_bundle *bundle)
{
	uint64_t items = 0, needed = 0;

	if (!label_is(in, 8) || !take_names(in, bundle->logs, &bundle->log_count))
		return "logs have not their form";
	if (!label_is(in, 9) || !caps_take_array(in, 2, 2, &items) ||
		!take_names(in, bundle->witnesses, &bundle->witness_count) ||
		!caps_take_uint(in, 0, bundle->witness_count, &needed))
		return "witnesses have not their form";
	bundle->witnesses_needed = (uint32_t)needed;
	return NULL;
}

static size_t persons(const caps_keyset *keyset)
{
	size_t count = 0;

	/* Pairs are sorted, so one person's keys stand together. */
	for (size_t i = 0; i < keyset->count; i++) {
		caps_view here = keyset->entries[i].person;
		caps_view last = i > 0 ? keyset->entries[i - 1].person : (caps_view){NULL, 0};

		count += here.size != last.size || memcmp(here.bytes, last.bytes, here.size) != 0;
	}
	return count;
}

static const char *read_presets(codec_cbor *in, caps_bundle *bundle)
{
	void *room = NULL;
	const char *why =
		make_room(in, 10, CAPS_PRESETS, sizeof(caps_preset), &room, &bundle->preset_count);

	bundle->presets = room;
	if (why == NULL && bundle->preset_count == 0)
		why = "an empty list of presets is left out";
	for (size_t i = 0; why == NULL && i < bundle->preset_count; i++) {
		caps_preset *preset = &bundle->presets[i];

		if (!take_preset(in, preset))
			return "a preset has not its form";
		const caps_keyset *keyset = caps_bundle_keyset(bundle, preset->keyset);
		if (keyset == NULL || persons(keyset) < preset->threshold)
			return "a preset asks for more persons than its keyset has";
	}
	return why;
}

static const char *read_payload(caps_view payload, caps_bundle *bundle)
{
	uint64_t items = 0;
	codec_cbor in;

	codec_cbor_open(&in, payload.bytes, payload.size);
	if (!codec_cbor_map(&in, &items) || items < 9 || items > 10 || !label_is(&in, 1) ||
		!caps_take_uint(&in, 1, INT64_MAX, &bundle->version) || !label_is(&in, 2) ||
		!caps_take_name(&in, CAPS_NAME_BYTES, &bundle->cluster) || !label_is(&in, 3) ||
		!caps_take_time(&in, &bundle->made))
		return "version, cluster or time have not their form";
	const char *why = read_roots(&in, bundle);
	if (why == NULL)
		why = read_issuers(&in, bundle);
	if (why == NULL)
		why = read_keysets(&in, bundle);
	if (why == NULL)
		why = read_logs(&in, bundle);
	if (why == NULL && items == 10)
		why = read_presets(&in, bundle);
	if (why == NULL && codec_cbor_end(&in, NULL) < 0)
		why = "not strict CBOR";
	return why;
}

/* --- the message around it --- */

static bool header_is(caps_view view, const void *bytes, size_t size)
{
	return view.size == size && memcmp(view.bytes, bytes, size) == 0;
}

static const char *check_signers(const codec_cose_sign *message)
{
	uint8_t expected[CAPS_ROOT_HEADER_BYTES];
	static const uint8_t nobody[32];

	caps_root_header(nobody, expected);
	for (size_t i = 0; i < message->count; i++) {
		const codec_cose_signer *signer = &message->signers[i];

		if (signer->protected_header.size != CAPS_ROOT_HEADER_BYTES ||
			memcmp(signer->protected_header.bytes, expected,
				CAPS_ROOT_HEADER_BYTES - CAPS_ROOT_ID) != 0 ||
			signer->unprotected.size != 1 || signer->signature.size != CRYPTO_SIGNATURE)
			return "a signature has not its form";
		if (i > 0 && memcmp(message->signers[i - 1].protected_header.bytes,
				     signer->protected_header.bytes, CAPS_ROOT_HEADER_BYTES) >= 0)
			return "signatures stand twice or out of order";
	}
	return NULL;
}

int caps_bundle_open(const uint8_t *bytes, size_t size, codec_cose_sign *message, hn_error **err)
{
	int rc = base_limit_check(BASE_LIMIT_TRUST_BYTES, size, err);

	if (rc < 0)
		return base_error_wrap(err, HN_EBUNDLE, CAPS_ROOM, "trust bundle: too long");
	*message = (codec_cose_sign){0};
	if (size > 0 && bytes[0] >> 5 == 5) { /* a map: a payload that nobody has signed */
		message->payload = (caps_view){bytes, size};
		return 0;
	}
	rc = codec_cose_sign_parse(bytes, size, false, message, err);
	if (rc < 0)
		return base_error_wrap(err, HN_EBUNDLE, CAPS_ROOM, "trust bundle: no COSE_Sign");
	if (!header_is(message->protected_header, CAPS_BUNDLE_HEADER, CAPS_BUNDLE_HEADER_BYTES) ||
		message->unprotected.size != 1 || message->payload.size == 0)
		return caps_bundle_wrong(err, "the headers are not those of a trust bundle");
	const char *why = check_signers(message);
	return why != NULL ? caps_bundle_wrong(err, why) : 0;
}

/* How many of its roots have signed the message well; SIZE_MAX when out of memory. */
static size_t signatures_of(const codec_cose_sign *message, const caps_bundle *by)
{
	size_t good = 0;

	for (size_t i = 0; i < by->root_count; i++) {
		uint8_t header[CAPS_ROOT_HEADER_BYTES];

		caps_root_header(by->roots[i], header);
		for (size_t j = 0; j < message->count; j++) {
			const codec_cose_signer *signer = &message->signers[j];
			BASE_AUTO_BUF base_buf tbs = {0};

			if (memcmp(signer->protected_header.bytes, header, sizeof(header)) != 0)
				continue;
			caps_root_tbs(&tbs, signer->protected_header, message->payload);
			if (tbs.failed)
				return SIZE_MAX;
			good += crypto_ed25519_verify_known(
				by->roots[i], tbs.data, tbs.size, signer->signature.bytes);
		}
	}
	return good;
}

static int enough(
	const codec_cose_sign *message, const caps_bundle *by, const char *which, hn_error **err)
{
	size_t good = signatures_of(message, by);

	if (good == SIZE_MAX)
		return base_nomem(err);
	if (good >= by->threshold)
		return 0;
	return base_error(err, HN_EBUNDLE, CAPS_ROOM, "have more roots sign it",
		"trust bundle: %zu good signatures of %s roots, %u are needed", good, which,
		(unsigned)by->threshold);
}

static int open_copy(const uint8_t *bytes, size_t size, codec_cose_sign *message,
	caps_bundle **bundle, hn_error **err)
{
	BASE_AUTO_OF(caps_bundle) caps_bundle *made = base_calloc(1, sizeof(*made));

	if (made == NULL)
		return base_nomem(err);
	made->bytes = base_memdup(bytes, size);
	if (made->bytes == NULL)
		return base_nomem(err);
	made->size = size;
	int rc = caps_bundle_open(made->bytes, size, message, err);
	if (rc < 0)
		return rc;
	const char *why = read_payload(message->payload, made);
	if (why != NULL)
		return why == no_memory ? base_nomem(err) : caps_bundle_wrong(err, why);
	crypto_sha256(message->payload.bytes, message->payload.size, made->digest);
	*bundle = BASE_STEAL(made);
	return 0;
}

int caps_bundle_read(const uint8_t *bytes, size_t size, const caps_bundle *before,
	caps_bundle **bundle, hn_error **err)
{
	BASE_AUTO_OF(caps_bundle) caps_bundle *made = NULL;
	codec_cose_sign message;

	int rc = open_copy(bytes, size, &message, &made, err);
	if (rc < 0)
		return rc;
	rc = enough(&message, made, "its own", err);
	if (rc == 0 && before != NULL)
		rc = enough(&message, before, "the present", err);
	if (rc < 0)
		return rc;
	if (before != NULL && made->version <= before->version)
		return base_error(err, HN_EBUNDLE, CAPS_ROOM, "versions only rise",
			"trust bundle: version %llu does not follow version %llu",
			(unsigned long long)made->version, (unsigned long long)before->version);
	if (before != NULL &&
		!header_is(made->cluster, before->cluster.bytes, before->cluster.size))
		return caps_bundle_wrong(err, "it is of another cluster");
	*bundle = BASE_STEAL(made);
	return 0;
}

int caps_bundle_look(
	const uint8_t *bytes, size_t size, caps_bundle **bundle, size_t *signatures, hn_error **err)
{
	BASE_AUTO_OF(caps_bundle) caps_bundle *made = NULL;
	codec_cose_sign message;

	int rc = open_copy(bytes, size, &message, &made, err);
	if (rc < 0)
		return rc;
	if (signatures != NULL) {
		size_t good = signatures_of(&message, made);
		if (good == SIZE_MAX)
			return base_nomem(err);
		*signatures = good;
	}
	*bundle = BASE_STEAL(made);
	return 0;
}

void caps_bundle_free(caps_bundle *bundle)
{
	if (bundle == NULL)
		return;
	base_free(bundle->issuers);
	base_free(bundle->keysets);
	base_free(bundle->presets);
	base_free(bundle->bytes);
	base_free(bundle);
}
