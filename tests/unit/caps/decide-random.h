/* SPDX-License-Identifier: MIT
 *
 * Random capabilities, requests and worlds, out of few values, so that they meet often. Linked into
 * a test by inclusion.
 */
#ifndef TEST_DECIDE_RANDOM_H
#define TEST_DECIDE_RANDOM_H

#include "decide-helper.h"

typedef struct dice {
	uint64_t state;
} dice;

static inline unsigned roll(dice *d, unsigned below)
{
	d->state = d->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(d->state >> 33) % below;
}

static inline bool often(dice *d)
{
	return roll(d, 8) != 0;
}

static inline bool seldom(dice *d)
{
	return roll(d, 16) == 0;
}

static const char *const some_objects[] = {
	"unit/a", "unit/b", "unit/a/disk/vda", "volume/x", "tag/web"};
static const char *const no_objects[] = {"unit//a", "unit/*", "**", "unit/A", "unit/.."};
static const char *const some_patterns[] = {
	"unit/*", "unit/**", "**", "unit/a", "*/a", "volume/*", "unit/*/disk/*", "*/**", "*"};
static const char *const some_zones[] = {"Europe/Berlin", "America/New_York", "Asia/Kathmandu",
	"Australia/Lord_Howe", "UTC", "Pacific/Apia", "Europe/Nowhere", "../../x"};
static const char *const some_tags[] = {"a", "b", "c", "env:production"};
static const char *const some_keys[] = {"memory.size", "cpu.model", "disks.a.size"};
static const char *const some_texts[] = {"auto", "none", "x86"};
static const char *const some_names[] = {"edge-1", "edge-2", "spiffe://lab/node/a"};

static inline const char *any_of(dice *d, const char *const *list, size_t count)
{
	return list[roll(d, (unsigned)count)];
}
#define ANY(d, list) any_of(d, list, BASE_COUNT(list))

static inline void put_word(codec_cbor_out *out, const char *word)
{
	codec_cbor_put_text(out, word, strlen(word));
}

/* Seconds around the times at which worlds stand. */
static inline int64_t some_time(dice *d)
{
	return T0 + (int64_t)roll(d, 20 * 366) * 86400 + (int64_t)roll(d, 24 * 60) * 60;
}

static inline void put_words(dice *d, codec_cbor_out *out, unsigned least, unsigned most,
	const char *const *list, size_t count)
{
	unsigned items = least + roll(d, most - least + 1);

	codec_cbor_put_array(out, items);
	while (items-- > 0)
		put_word(out, any_of(d, list, count));
}

static inline void put_schedule(dice *d, codec_cbor_out *out)
{
	unsigned windows = 1 + roll(d, 3), excluded = seldom(d) ? 1 + roll(d, 3) : 0;
	unsigned known = BASE_COUNT(some_zones) - (seldom(d) ? 0 : 2);
	unsigned day = 20454 + roll(d, 7300);

	codec_cbor_put_array(out, excluded > 0 ? 4 : 3);
	codec_cbor_put_uint(out, CAPS_SCHEDULE);
	put_word(out, some_zones[roll(d, known)]);
	codec_cbor_put_array(out, windows);
	while (windows-- > 0) {
		unsigned start = roll(d, 48) * 30, end = 1 + roll(d, 1440);

		codec_cbor_put_array(out, 3);
		codec_cbor_put_uint(out, often(d) ? 1 + roll(d, 127) : 127);
		codec_cbor_put_uint(out, start);
		codec_cbor_put_uint(out, end == start ? end + 1 : end);
	}
	if (excluded > 0)
		codec_cbor_put_array(out, excluded);
	for (; excluded > 0; excluded--, day += 1 + roll(d, 3))
		codec_cbor_put_uint(out, day);
}

static inline void put_net(dice *d, codec_cbor_out *out)
{
	static const uint8_t four[] = {10, 0, 0, 0};
	static const uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8};
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 10};
	unsigned nets = 1 + roll(d, 2);

	codec_cbor_put_array(out, 2);
	codec_cbor_put_uint(out, CAPS_NET);
	codec_cbor_put_array(out, nets);
	while (nets-- > 0) {
		unsigned kind = roll(d, 4);

		codec_cbor_put_array(out, 2);
		if (kind < 2)
			codec_cbor_put_bytes(out, four, 4);
		else
			codec_cbor_put_bytes(out, kind == 2 ? six : mapped, 16);
		codec_cbor_put_uint(out, kind < 2    ? 7 + roll(d, 26)
					 : kind == 2 ? 29 + roll(d, 90)
						     : 104 + roll(d, 25));
	}
}

static inline void put_numbers(codec_cbor_out *out, uint64_t id, uint64_t a, uint64_t b)
{
	codec_cbor_put_array(out, 3);
	codec_cbor_put_uint(out, id);
	codec_cbor_put_uint(out, a);
	codec_cbor_put_uint(out, b);
}

static inline void put_keyset(dice *d, codec_cbor_out *out, uint64_t id)
{
	uint8_t hash[32];

	memset(hash, 1 + (int)roll(d, 2), sizeof(hash));
	codec_cbor_put_array(out, id == CAPS_APPROVAL ? 4 : 3);
	codec_cbor_put_uint(out, id);
	if (id == CAPS_APPROVAL)
		codec_cbor_put_uint(out, 1 + roll(d, 2));
	codec_cbor_put_bytes(out, hash, sizeof(hash));
	codec_cbor_put_uint(out, 1 + roll(d, 900));
}

static inline void put_value(dice *d, codec_cbor_out *out)
{
	if (roll(d, 2))
		codec_cbor_put_int(out, (int64_t)roll(d, 9) - 2);
	else
		put_word(out, ANY(d, some_texts));
}

static inline void put_bounds(dice *d, codec_cbor_out *out)
{
	unsigned bounds = 1 + roll(d, 2);

	codec_cbor_put_array(out, 2);
	codec_cbor_put_uint(out, CAPS_BOUNDS);
	codec_cbor_put_array(out, bounds);
	while (bounds-- > 0) {
		unsigned how = roll(d, 4), values = 1 + roll(d, 4);

		codec_cbor_put_array(out, 3);
		put_word(out, ANY(d, some_keys));
		codec_cbor_put_uint(out, how);
		if (how < 2)
			codec_cbor_put_int(out, (int64_t)roll(d, 9) - 2);
		else if (how == 2)
			put_value(d, out);
		else
			codec_cbor_put_array(out, values);
		for (; how == 3 && values > 0; values--)
			put_value(d, out);
	}
}

static inline void put_via(dice *d, codec_cbor_out *out)
{
	unsigned channels = 2 + roll(d, 4);

	codec_cbor_put_array(out, 2);
	codec_cbor_put_uint(out, CAPS_VIA);
	codec_cbor_put_array(out, channels);
	while (channels-- > 0) {
		bool listener = seldom(d);

		codec_cbor_put_array(out, listener ? 2 : 1);
		codec_cbor_put_uint(out, roll(d, CAPS_CHANNELS));
		if (listener)
			put_word(out, ANY(d, some_names));
	}
}

static inline void put_peer(dice *d, codec_cbor_out *out)
{
	uint8_t key[32] = {(uint8_t)roll(d, 2)};

	codec_cbor_put_array(out, 2);
	codec_cbor_put_uint(out, CAPS_PEER);
	codec_cbor_put_array(out, 2);
	put_word(out, ANY(d, some_names));
	if (roll(d, 2))
		put_word(out, ANY(d, some_names));
	else
		codec_cbor_put_bytes(out, key, sizeof(key));
}

static inline void put_mask(dice *d, codec_cbor_out *out, uint64_t id)
{
	uint8_t mask[2] = {(uint8_t)(roll(d, 256) | roll(d, 256) | 1), (uint8_t)(1 + roll(d, 255))};

	codec_cbor_put_array(out, 2);
	codec_cbor_put_uint(out, id);
	codec_cbor_put_bytes(out, mask, 1 + roll(d, 2));
}

static inline void put_tags(dice *d, codec_cbor_out *out)
{
	codec_cbor_put_array(out, 4);
	codec_cbor_put_uint(out, CAPS_TAGS);
	put_words(d, out, 0, 1, some_tags, BASE_COUNT(some_tags));
	put_words(d, out, 0, 3, some_tags, BASE_COUNT(some_tags));
	put_words(d, out, 0, 1, some_tags, BASE_COUNT(some_tags));
}

static inline void put_single(codec_cbor_out *out, uint64_t id, uint64_t value)
{
	codec_cbor_put_array(out, 2);
	codec_cbor_put_uint(out, id);
	codec_cbor_put_uint(out, value);
}

static inline void put_window(dice *d, codec_cbor_out *out)
{
	int64_t from = some_time(d), until = some_time(d);

	if (from > until || often(d))
		from = often(d) ? 1 : T0;
	put_numbers(out, CAPS_WINDOW, (uint64_t)from, (uint64_t)(until > from ? until : from + 9));
}

static inline void put_random_caveat(dice *d, codec_cbor_out *out)
{
	unsigned id = seldom(d) ? CAPS_BOUNDS + 1 : 1 + roll(d, CAPS_BOUNDS);

	switch (id) {
	case CAPS_RESOURCE:
		codec_cbor_put_array(out, 2);
		codec_cbor_put_uint(out, id);
		put_words(d, out, 1, 4, some_patterns, BASE_COUNT(some_patterns));
		break;
	case CAPS_VERBS:
	case CAPS_REDACT:
		put_mask(d, out, id);
		break;
	case CAPS_WINDOW:
		put_window(d, out);
		break;
	case CAPS_SCHEDULE:
		put_schedule(d, out);
		break;
	case CAPS_NET:
		put_net(d, out);
		break;
	case CAPS_VIA:
		put_via(d, out);
		break;
	case CAPS_PEER:
		put_peer(d, out);
		break;
	case CAPS_TAGS:
		put_tags(d, out);
		break;
	case CAPS_DEPTH:
		put_single(out, id, often(d) ? 1 + roll(d, 6) : 0);
		break;
	case CAPS_QUOTA:
		put_numbers(out, id, roll(d, 4), roll(d, 1000));
		break;
	case CAPS_RATE:
		codec_cbor_put_array(out, 4);
		codec_cbor_put_uint(out, id);
		for (int i = 0; i < 3; i++)
			codec_cbor_put_uint(out, 1 + roll(d, 100));
		break;
	case CAPS_APPROVAL:
	case CAPS_MFA:
		put_keyset(d, out, id);
		break;
	case CAPS_STALENESS:
		put_single(out, id, 30 + roll(d, 60));
		break;
	case CAPS_REASON:
		put_single(out, id, 1 + roll(d, 6));
		break;
	case CAPS_BOUNDS:
		put_bounds(d, out);
		break;
	default:
		put_single(out, often(d) ? 18 : 65535, 1);
	}
}

static inline void put_random_caveats(dice *d, codec_cbor_out *out, size_t *count, unsigned most)
{
	for (unsigned i = roll(d, 2) ? roll(d, most + 1) : 0; i > 0; i--, (*count)++)
		put_random_caveat(d, out);
}

static inline void random_times(dice *d, caps_terms *terms)
{
	terms->issued = T0 + roll(d, 20);
	terms->expires = often(d) ? T0 + INT64_C(25) * 366 * 86400 : some_time(d) + 86400;
	terms->not_before = seldom(d) ? some_time(d) : 0;
	if (terms->not_before >= terms->expires)
		terms->not_before = 0;
}

/* A first link with grants. */
static inline caps_token *random_first(dice *d)
{
	caps_grant_terms grants[3] = {0};
	codec_cbor_out caveats[4] = {0};
	caps_terms terms = {.subject = "alice",
		.audience = "lab",
		.grants = grants,
		.subject_epoch = roll(d, 3)};

	random_times(d, &terms);
	terms.grant_count = 1 + roll(d, 3);
	for (size_t i = 0; i < terms.grant_count; i++) {
		grants[i].mask.bytes[0] = (uint8_t)(1 | roll(d, 256) | roll(d, 256));
		grants[i].mask.bytes[1] = (uint8_t)roll(d, 256);
		grants[i].pattern = ANY(d, some_patterns);
		put_random_caveats(d, &caveats[i], &grants[i].caveat_count, 2);
		grants[i].caveats = &caveats[i].buf;
	}
	put_random_caveats(d, &caveats[3], &terms.caveat_count, 2);
	terms.caveats = &caveats[3].buf;
	for (size_t i = 0; i < CAPS_CTI; i++)
		terms.cti[i] = (uint8_t)roll(d, 256);
	crypto_ed25519_public(seed_at(1), terms.cnf);
	caps_token *token = issue(&terms, NULL);
	for (size_t i = 0; i < BASE_COUNT(caveats); i++)
		base_buf_free(&caveats[i].buf);
	return token;
}

/* One link more; `before` stays. */
static inline caps_token *random_link(dice *d, const caps_token *before)
{
	size_t n = before->link_count;
	codec_cbor_out caveats = {0};
	base_buf claims = {0};
	caps_terms terms = {0};
	caps_token *made = NULL;

	random_times(d, &terms);
	put_random_caveats(d, &caveats, &terms.caveat_count, 2);
	terms.caveats = &caveats.buf;
	for (size_t i = 0; i < CAPS_CTI; i++)
		terms.cti[i] = (uint8_t)roll(d, 256);
	crypto_ed25519_public(seed_at(n + 1), terms.cnf);
	cr_assert_eq(caps_claims_write(&terms, false, &claims, NULL), 0);
	cr_assert_eq(caps_token_append(before, seed_at(n), &claims, NULL, &made, NULL), 0);
	base_buf_free(&claims);
	base_buf_free(&caveats.buf);
	return made;
}

static inline caps_token *random_chain(dice *d, unsigned most)
{
	caps_token *token = random_first(d);

	for (unsigned more = roll(d, most); more > 0; more--) {
		caps_token *longer = random_link(d, token);

		caps_token_free(token);
		token = longer;
	}
	return token;
}

/* What differs from one request to the next. */
typedef struct asked {
	caps_request request;
	caps_facts facts;
	uint8_t address[16], peer_key[32];
	unsigned tags; /* bit i: some_tags[i] */
	bool tags_unknown, issuer_gone, revoked;
	uint8_t revoked_first; /* a cti that begins so is revoked */
	uint64_t epoch;
	int kinds[3]; /* of some_keys */
	int64_t numbers[3];
	const char *texts[3];
	int persons[2]; /* of the keysets of 01.. and 02.. */
	bool second_factor[2];
	int64_t until[2];
} asked;

static inline bool asked_issuer(void *arg, const uint8_t kid[CAPS_KID])
{
	(void)kid;
	return !((asked *)arg)->issuer_gone;
}

static inline bool asked_revoked(void *arg, const uint8_t cti[CAPS_CTI])
{
	const asked *a = arg;

	return a->revoked && cti[0] == a->revoked_first;
}

static inline uint64_t asked_epoch(void *arg, const char *subject, size_t size)
{
	(void)subject, (void)size;
	return ((asked *)arg)->epoch;
}

static inline int asked_tag(void *arg, const char *object, const char *tag, size_t size)
{
	const asked *a = arg;

	(void)object;
	for (size_t i = 0; i < BASE_COUNT(some_tags); i++)
		if (strlen(some_tags[i]) == size && memcmp(some_tags[i], tag, size) == 0)
			return a->tags_unknown ? -1 : (int)(a->tags >> i & 1);
	return a->tags_unknown ? -1 : 0;
}

static inline int asked_parameter(void *arg, const caps_request *request, const char *key,
	size_t size, int64_t *number, const char **text)
{
	const asked *a = arg;

	(void)request;
	for (size_t i = 0; i < BASE_COUNT(some_keys); i++) {
		if (strlen(some_keys[i]) != size || memcmp(some_keys[i], key, size) != 0)
			continue;
		*number = a->numbers[i];
		*text = a->texts[i];
		return a->kinds[i];
	}
	return 0;
}

static inline int asked_approvals(void *arg, const uint8_t keyset[32],
	const uint8_t request_hash[32], int64_t max_age, int64_t *until)
{
	const asked *a = arg;

	(void)request_hash, (void)max_age;
	*until = a->until[keyset[0] - 1];
	return a->persons[keyset[0] - 1];
}

static inline bool asked_mfa(void *arg, const uint8_t keyset[32], int64_t max_age, int64_t *until)
{
	const asked *a = arg;

	(void)max_age;
	*until = a->until[keyset[0] - 1];
	return a->second_factor[keyset[0] - 1];
}

static inline void random_source(dice *d, asked *a)
{
	static const uint8_t four[] = {10, 0, 0, 1};
	static const uint8_t six[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1};
	unsigned kind = roll(d, 4);

	a->request.channel = (caps_channel_kind)roll(d, CAPS_CHANNELS);
	a->request.listener = roll(d, 2) ? ANY(d, some_names) : NULL;
	a->request.peer = roll(d, 2) ? ANY(d, some_names) : NULL;
	a->request.peer_key = roll(d, 2) ? a->peer_key : NULL;
	a->peer_key[0] = (uint8_t)roll(d, 2);
	a->request.address = kind > 0 ? a->address : NULL;
	a->request.address_size = kind == 1 ? 4 : 16;
	memcpy(a->address, kind == 1 ? four : kind == 2 ? six : mapped, kind == 1 ? 4 : 16);
	if (seldom(d))
		a->address[roll(d, 16)] ^= (uint8_t)(1 << roll(d, 8));
}

static inline void random_asked(dice *d, asked *a)
{
	static const char *const reasons[] = {NULL, "", "abc", "maintenance", "\xc3\xa4\xc3\xb6"};
	int64_t now = some_time(d) + roll(d, 60);

	memset(a, 0, sizeof(*a));
	a->request.verb = (hn_verb)roll(d, seldom(d) ? HN_VERB_COUNT + 2 : 9);
	a->request.object = seldom(d)    ? ANY(d, no_objects)
			    : roll(d, 2) ? "unit/a"
					 : ANY(d, some_objects);
	a->request.reason = ANY(d, reasons);
	random_source(d, a);
	a->facts = (caps_facts){.arg = a,
		.earliest = now,
		.latest = now,
		.clock_suspect = roll(d, 50) == 0,
		.revocation_age = (int64_t)roll(d, 60) - 1,
		.issuer = asked_issuer,
		.revoked = asked_revoked,
		.subject_epoch = asked_epoch,
		.tag = asked_tag,
		.parameter = asked_parameter,
		.zone = zone_of,
		.approvals = asked_approvals,
		.mfa = asked_mfa};
	if (roll(d, 4) == 0) {
		a->facts.earliest -= roll(d, 100);
		a->facts.latest += roll(d, 100);
	}
	a->tags = roll(d, 16);
	a->tags_unknown = seldom(d);
	a->issuer_gone = roll(d, 100) == 0;
	a->revoked = seldom(d);
	a->revoked_first = (uint8_t)roll(d, 256);
	a->epoch = seldom(d) ? roll(d, 3) : 0;
	for (size_t i = 0; i < 3; i++) {
		a->kinds[i] = (int)roll(d, 4) - 1;
		a->numbers[i] = (int64_t)roll(d, 9) - 2;
		a->texts[i] = ANY(d, some_texts);
	}
	for (size_t i = 0; i < 2; i++) {
		a->persons[i] = (int)roll(d, 4);
		a->second_factor[i] = often(d);
		a->until[i] = now + roll(d, 900);
	}
}

#endif
