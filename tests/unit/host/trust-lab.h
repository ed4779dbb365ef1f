/* SPDX-License-Identifier: MIT
 *
 * A lab whose trust bundle has persons: this host's issuer, a keyset of alice, bo and eve (bo has
 * two keys), and presets of break-glass.
 */
#ifndef TRUST_LAB_H
#define TRUST_LAB_H

#include "host/rights.h"
#include "sim/lab.h"

#define T0 INT64_C(1767225600)
#define FLEET                                                                                      \
	"{\"hypernix\":1,\"tags\":{\"web\":{},\"db\":{}},\"units\":{"                              \
	"\"web-1\":{\"tags\":[\"web\"]},\"web-2\":{\"tags\":[\"web\"]},"                           \
	"\"db-1\":{\"tags\":[\"db\"]}}}"

enum { ALICE = 1, BO = 2, BO_TOO = 3, EVE = 4, STRANGER = 9, ROOT = 40, HOLDER = 41, WITNESS = 42 };

static inline const uint8_t *seed_of(int who)
{
	static _Thread_local uint8_t seeds[64][32];

	seeds[who][0] = (uint8_t)who;
	seeds[who][31] = 77;
	return seeds[who];
}

static inline caps_view view_of(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

static inline void fill_keyset(caps_keyset *keyset)
{
	static const struct {
		const char *person;
		int who;
	} entries[] = {{"alice", ALICE}, {"bo", BO}, {"bo", BO_TOO}, {"eve", EVE}};

	*keyset = (caps_keyset){.count = BASE_COUNT(entries)};
	for (size_t i = 0; i < BASE_COUNT(entries); i++) {
		keyset->entries[i].person = view_of(entries[i].person);
		crypto_ed25519_public(seed_of(entries[i].who), keyset->entries[i].key);
	}
	cr_assert_eq(caps_keyset_finish(keyset, NULL), 0);
}

static inline void fill_presets(caps_preset presets[3], const uint8_t keyset[32])
{
	/* outage: all of units, two persons; wide: everything there is, as a careless root made it
	 */
	presets[0] = (caps_preset){.name = view_of("outage"),
		.threshold = 2,
		.patterns = {view_of("unit/**"), view_of("node/*")},
		.pattern_count = 2,
		.max_ttl = 3600};
	cr_assert_eq(caps_mask_add_text(&presets[0].mask, "unit.*", NULL), 0);
	cr_assert_eq(caps_mask_add_text(&presets[0].mask, "node.read", NULL), 0);
	cr_assert_eq(caps_mask_add_text(&presets[0].mask, "event.read", NULL), 0);
	cr_assert_eq(caps_mask_add_text(&presets[0].mask, "clock.accept", NULL), 0);
	presets[1] = (caps_preset){.name = view_of("wide"),
		.threshold = 2,
		.patterns = {view_of("**")},
		.pattern_count = 1,
		.max_ttl = 600};
	cr_assert_eq(caps_mask_add_text(&presets[1].mask, "*", NULL), 0);
	presets[2] = presets[0];
	presets[2].name = view_of("alone"); /* one person, after a quarter of an hour */
	presets[2].threshold = 1;
	presets[2].delay = 900;
	for (int i = 0; i < 3; i++)
		memcpy(presets[i].keyset, keyset, 32);
}

static inline void fill_issuer(lab *l, caps_issuer *issuer)
{
	crypto_signer *signer = NULL;
	crypto_signer_status status;

	cr_assert_eq(host_signer(l->host, &signer, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(signer->ops->status(signer, &status, lab_err(l)), 0, "%s", lab_why(l));
	memcpy(issuer->key, status.key[CRYPTO_ROLE_ISSUER].public_key, sizeof(issuer->key));
	issuer->ceiling[0].pattern = view_of("**");
	cr_assert_eq(caps_mask_add_text(&issuer->ceiling[0].mask, "*", NULL), 0);
	issuer->ceiling_count = 1;
}

#define WITNESS_NAME "hypernix.org/witness/lab/n2"
/* SHA-256(name, newline, 04, key)[0..3] */
static inline void witness_id(uint8_t typed[33], uint8_t id[4])
{
	uint8_t input[sizeof(WITNESS_NAME) + 33], digest[32];

	typed[0] = 4;
	crypto_ed25519_public(seed_of(WITNESS), typed + 1);
	memcpy(input, WITNESS_NAME "\n", sizeof(WITNESS_NAME));
	memcpy(input + sizeof(WITNESS_NAME), typed, 33);
	crypto_sha256(input, sizeof(input), digest);
	memcpy(id, digest, 4);
}

static inline void witness_key(char text[160])
{
	uint8_t typed[33], id[4];
	char hex[9], base64[64];

	witness_id(typed, id);
	codec_hex(id, 4, hex);
	codec_base64(typed, sizeof(typed), base64);
	(void)snprintf(text, 160, "%s+%s+%s", WITNESS_NAME, hex, base64);
}

/* A bundle of this version in which the key of this host has this epoch; `witnesses`: 0 or 1. */
static inline void make_bundle(
	lab *l, uint64_t version, uint32_t epoch, unsigned witnesses, base_buf *bytes)
{
	BASE_AUTO_BUF base_buf payload = {0};
	caps_issuer issuer = {.epoch = epoch,
		.not_before = T0 - 60,
		.sign_until = T0 + 20 * 86400,
		.max_ttl = 30 * 86400};
	caps_keyset keyset;
	caps_preset presets[3];
	caps_bundle bundle = {.version = version,
		.cluster = view_of("lab"),
		.made = T0,
		.threshold = 1,
		.root_count = 1,
		.issuers = &issuer,
		.issuer_count = 1,
		.keysets = &keyset,
		.keyset_count = 1,
		.presets = presets,
		.preset_count = 3,
		.witness_count = witnesses,
		.witnesses_needed = witnesses};
	char witness[160];

	witness_key(witness);
	bundle.witnesses[0] = view_of(witness);
	fill_issuer(l, &issuer);
	fill_keyset(&keyset);
	fill_presets(presets, keyset.hash);
	crypto_ed25519_public(seed_of(ROOT), bundle.roots[0]);
	cr_assert_eq(caps_bundle_write(&bundle, &payload, lab_err(l)), 0, "%s", lab_why(l));
	cr_assert_eq(caps_bundle_sign((const uint8_t *)payload.data, payload.size, seed_of(ROOT),
			     bytes, lab_err(l)),
		0, "%s", lab_why(l));
}

static inline int trust_update(lab *l, uint64_t version, uint32_t epoch, unsigned witnesses)
{
	BASE_AUTO_BUF base_buf bytes = {0};

	make_bundle(l, version, epoch, witnesses, &bytes);
	return hn_trust_update(l->session, bytes.data, bytes.size, lab_err(l));
}

static inline void trust_version(lab *l, uint64_t version, uint32_t epoch)
{
	cr_assert_eq(trust_update(l, version, epoch, 1), 0, "%s", lab_why(l));
}

static inline void trust(lab *l)
{
	trust_version(l, 1, 1);
}

static inline void trusted_fleet(lab *l)
{
	cr_assert_eq(lab_apply(l, FLEET), 0, "%s", lab_why(l));
	trust(l);
}

/* --- approvals --- */

static inline char *approve_at(const char *request, int who, int64_t seconds)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = NULL;
	BASE_AUTO_BUF base_buf bytes = {0};
	char *text = NULL;

	cr_assert_eq(caps_ask_read_text(request, &ask, NULL), 0);
	cr_assert_eq(caps_approval_sign(ask->hash, seed_of(who), seconds, &bytes, NULL), 0);
	cr_assert_eq(caps_approval_text(&bytes, &text, NULL), 0);
	return text;
}

static inline char *approve(lab *l, const char *request, int who)
{
	return approve_at(request, who, os_now(l->os) / OS_SECOND);
}

/* --- tokens --- */

static inline int open_as(lab *l, const char *token, const char *reason, hn_session **session)
{
	BASE_AUTO_OF(caps_token) caps_token *read = NULL, *proven = NULL;
	BASE_AUTO_FREE char *nonce = NULL, *text = NULL;
	hn_session_options options = HN_SESSION_OPTIONS_INIT;
	caps_use use = {.verb = 65535, .object = "-"};

	options.reason = reason;
	cr_assert_eq(caps_token_read_text(token, strlen(token), &read, NULL, lab_err(l)), 0);
	cr_assert_eq(hn_session_challenge(l->host, &nonce, lab_err(l)), 0);
	cr_assert(codec_hex_decode(nonce, 32, use.nonce));
	use.issued = os_now(l->os) / OS_SECOND;
	cr_assert_eq(caps_token_prove(read, seed_of(HOLDER), &use, &proven, lab_err(l)), 0);
	cr_assert_eq(caps_token_text(proven, &text, lab_err(l)), 0);
	return hn_session_open(l->host, text, &options, session, lab_err(l));
}

static inline char *issue(lab *l, const char *terms)
{
	uint8_t key[32];
	char hex[65], *token = NULL;

	crypto_ed25519_public(seed_of(HOLDER), key);
	codec_hex(key, sizeof(key), hex);
	cr_assert_eq(hn_cap_issue(l->session, terms, hex, &token, lab_err(l)), 0, "%s: %s", terms,
		lab_why(l));
	return token;
}

static inline hn_session *opened(lab *l, const char *terms)
{
	BASE_AUTO_FREE char *token = issue(l, terms);
	hn_session *session = NULL;

	cr_assert_eq(open_as(l, token, "INC-7", &session), 0, "%s", lab_why(l));
	return session;
}

static inline void object_of(lab *l, const char *unit, char object[BASE_OBJECT_SIZE])
{
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;

	cr_assert_eq(hn_unit_find(l->session, unit, false, &found, lab_err(l)), 0);
	(void)host_object_unit(object, hn_unit_uuid(found));
}

static inline int check(lab *l, hn_session *session, const char *verb, const char *unit)
{
	char object[BASE_OBJECT_SIZE];

	object_of(l, unit, object);
	return hn_session_check(session, verb, object, lab_err(l));
}

#endif
