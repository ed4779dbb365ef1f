/* SPDX-License-Identifier: MIT
 *
 * Capabilities from their terms, and a world in which they are asked. Linked into each test by
 * inclusion.
 */
#ifndef TEST_DECIDE_HELPER_H
#define TEST_DECIDE_HELPER_H

#include "caps/decide.h"
#include "caps/terms-private.h"
#include "caps/terms.h"
#include "codec/tzif.h"
#include "token-helper.h"
#include <stdio.h>

#define UNIT "unit/5b1c22aa"
#define OTHER "unit/77777777"

/* Zone data of the system, read once. */
static inline codec_zone *zone_of(void *arg, const char *name, size_t size)
{
	static struct {
		char name[CODEC_ZONE_NAME_BYTES + 1];
		codec_zone *zone;
	} known[16];
	static uint8_t bytes[65536];
	char path[128];
	size_t at = 0;

	(void)arg;
	if (!codec_zone_name_valid(name, size))
		return NULL;
	for (; at < BASE_COUNT(known) && known[at].zone != NULL; at++)
		if (strlen(known[at].name) == size && memcmp(known[at].name, name, size) == 0)
			return codec_zone_ref(known[at].zone);
	cr_assert_lt(at, BASE_COUNT(known));
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%.*s", (int)size, name);
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return NULL;
	size_t length = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (codec_tzif_parse(bytes, length, &known[at].zone, NULL) < 0)
		return NULL;
	memcpy(known[at].name, name, size);
	return codec_zone_ref(known[at].zone);
}

/* What the world says; the functions below read it. */
typedef struct world {
	caps_facts facts;
	const char *tags[8]; /* of UNIT */
	bool tags_unknown;
	uint8_t revoked[CAPS_CTI];
	bool any_revoked, issuer_gone;
	uint64_t epoch;
	const char *key; /* the one parameter that the request sets */
	int key_kind;
	int64_t number;
	const char *text;
	int persons; /* that approved */
	bool second_factor;
	int64_t until;
} world;

static inline bool world_issuer(void *arg, const uint8_t kid[CAPS_KID])
{
	(void)kid;
	return !((world *)arg)->issuer_gone;
}

static inline bool world_revoked(void *arg, const uint8_t cti[CAPS_CTI])
{
	const world *w = arg;

	return w->any_revoked && memcmp(w->revoked, cti, CAPS_CTI) == 0;
}

static inline uint64_t world_epoch(void *arg, const char *subject, size_t size)
{
	cr_assert(size == 5 && memcmp(subject, "alice", 5) == 0);
	return ((world *)arg)->epoch;
}

static inline int world_tag(void *arg, const char *object, const char *tag, size_t size)
{
	const world *w = arg;

	if (w->tags_unknown || strncmp(object, UNIT, strlen(UNIT)) != 0)
		return -1;
	for (size_t i = 0; i < BASE_COUNT(w->tags) && w->tags[i] != NULL; i++)
		if (strlen(w->tags[i]) == size && memcmp(w->tags[i], tag, size) == 0)
			return 1;
	return 0;
}

static inline int world_parameter(void *arg, const caps_request *request, const char *key,
	size_t size, int64_t *number, const char **text)
{
	const world *w = arg;

	(void)request;
	if (w->key == NULL || strlen(w->key) != size || memcmp(w->key, key, size) != 0)
		return 0;
	*number = w->number;
	*text = w->text;
	return w->key_kind;
}

static inline int world_approvals(void *arg, const uint8_t keyset[32],
	const uint8_t request_hash[32], int64_t max_age, int64_t *until)
{
	const world *w = arg;

	(void)keyset, (void)request_hash, (void)max_age;
	*until = w->until;
	return w->persons;
}

static inline bool world_mfa(void *arg, const uint8_t keyset[32], int64_t max_age, int64_t *until)
{
	const world *w = arg;

	(void)keyset, (void)max_age;
	*until = w->until;
	return w->second_factor;
}

/* All is known, the clock is right, nothing is revoked; `w` stays where it is. */
static inline caps_facts *world_begin(world *w, int64_t now)
{
	*w = (world){.facts = {.arg = w,
			     .earliest = now,
			     .latest = now,
			     .issuer = world_issuer,
			     .revoked = world_revoked,
			     .subject_epoch = world_epoch,
			     .tag = world_tag,
			     .parameter = world_parameter,
			     .zone = zone_of,
			     .approvals = world_approvals,
			     .mfa = world_mfa},
		.until = INT64_MAX};
	return &w->facts;
}

/* A link more, from terms that do not say when it ends: in ten years. Seeds as in narrow(). */
static inline caps_token *link_of(caps_token *before, const char *text)
{
	size_t n = before != NULL ? before->link_count : 0;
	caps_written *written = NULL;
	caps_token *made = NULL;
	base_buf claims = {0};
	hn_error *err = NULL;

	cr_assert_eq(caps_written_read("terms", text, strlen(text), n == 0, T0, &written, &err), 0,
		"%s", hn_error_message(err));
	caps_terms *terms = caps_written_terms(written);
	if (terms->expires == 0)
		terms->expires = T0 + INT64_C(10) * 365 * 86400;
	if (terms->audience == NULL && n == 0)
		terms->audience = "lab";
	for (size_t i = 0; i < CAPS_CTI; i++)
		terms->cti[i] = (uint8_t)(16 * n + i);
	crypto_ed25519_public(seed_at(n + 1), terms->cnf);
	if (n == 0) {
		made = issue(terms, NULL);
	} else {
		cr_assert_eq(caps_claims_write(terms, false, &claims, &err), 0, "%s",
			hn_error_message(err));
		cr_assert_eq(caps_token_append(before, seed_at(n), &claims, NULL, &made, &err), 0,
			"%s", hn_error_message(err));
	}
	base_buf_free(&claims);
	caps_written_free(written);
	caps_token_free(before);
	return made;
}

/* A token of one link: grants of unit.read and unit.start on all units, with these caveats. */
static inline caps_token *with(const char *caveats)
{
	char text[4096];

	snprintf(text, sizeof(text),
		"{\"for\":\"alice\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.start\"],"
		"\"on\":\"unit/**\"}]%s%s}",
		caveats[0] != '\0' ? "," : "", caveats);
	return link_of(NULL, text);
}

static inline caps_request ask_for(hn_verb verb, const char *object)
{
	return (caps_request){.verb = verb, .object = object};
}

/* The code of the decision; *decision may be NULL. */
static inline hn_code decided(const caps_token *token, const caps_request *request,
	const caps_facts *facts, caps_decision *decision)
{
	caps_decision mine;

	caps_decide(token, request, facts, decision != NULL ? decision : &mine, NULL, NULL);
	return decision != NULL ? decision->code : mine.code;
}

/* One caveat, unit.start on UNIT: its code. */
static inline hn_code code_of(const char *caveats, const caps_facts *facts)
{
	caps_token *token = with(caveats);
	caps_request request = ask_for(HN_VERB_UNIT_START, UNIT);
	hn_code code = decided(token, &request, facts, NULL);

	caps_token_free(token);
	return code;
}

#endif
