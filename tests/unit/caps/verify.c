/* SPDX-License-Identifier: MIT
 *
 * Verification with and without the cache: the verdict is the same, whatever is in it.
 */
#include "caps/cache.h"
#include "raw-token.h"

#include <pthread.h>
#include <stdlib.h>

static void open_crypto(void)
{
	cr_assert_eq(crypto_open(NULL), 0);
}

TestSuite(verify, .init = open_crypto);

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static caps_cache *new_cache(void)
{
	caps_cache *cache = NULL;

	cr_assert_eq(caps_cache_new(hn_os_real(), &cache, NULL), 0);
	return cache;
}

/* --- a pool of tokens, good and spoiled in one place each --- */

enum { POOL = 96 };

typedef struct pool {
	base_buf token[POOL];
	trusting trust[3]; /* sound; another epoch; a narrower ceiling */
} pool;

static void spoil(raw_token *raw, uint64_t *state)
{
	raw_part *last = &raw->part[raw->count - 1];

	switch (next(state) % 6) {
	case 0:
		last->signer = 30;
		return;
	case 1:
		raw->part[0].signer = 31;
		return;
	case 2:
		raw_bearer(raw, seed_at(33));
		return;
	case 3:
		memset(last->claims.data + last->claims.size - 4, 0, 1);
		return;
	case 4:
		raw_set(&raw->proof, "820140");
		return;
	default:
		return; /* sound */
	}
}

static void pool_init(pool *made, uint64_t seed)
{
	uint64_t state = seed;

	for (size_t i = 0; i < 3; i++) {
		trust_init(&made->trust[i]);
		made->trust[i].bundle.digest[0] = (uint8_t)i;
	}
	made->trust[1].issuers[0].kid[11]++;
	made->trust[2].issuers[0].ceiling[0].mask = (caps_mask){{0x01}};
	for (size_t i = 0; i < POOL; i++) {
		raw_token raw = raw_of(2 + next(&state) % 5);
		raw_part *first = &raw.part[0];

		/* Chains share beginnings: the first link is one of eight. */
		first->claims.data[27 + 15] = (char)(next(&state) % 8);
		if (next(&state) % 2 != 0)
			spoil(&raw, &state);
		raw_make(&raw);
		made->token[i] = (base_buf){0};
		base_buf_add(&made->token[i], raw.made.data, raw.made.size);
		if (next(&state) % 8 == 0)
			made->token[i].data[next(&state) % raw.made.size] ^= 4;
		raw_free(&raw);
	}
}

static void pool_free(pool *made)
{
	for (size_t i = 0; i < POOL; i++)
		base_buf_free(&made->token[i]);
}

static size_t rounds(void)
{
	const char *longer = getenv("HYPERNIX_LONG");

	return longer != NULL && *longer != 0 ? 1000000 : 100000;
}

/* Each token under each bundle, at times around its ends, is verified once without a cache; then
 * random ones among them with a cache that is dropped now and then. */
Test(verify, cached_is_uncached, .timeout = 600)
{
	static const int64_t times[] = {T0 - 100000, T0 + 60, T0 + 12 * 86400};
	static pool made;
	static signed char expected[POOL][3][3];
	uint64_t state = 0x9e3779b97f4a7c15;
	size_t good = 0, bad = 0, total = rounds();
	caps_cache *cache = new_cache();
	const char *reason = NULL;

	pool_init(&made, 88172645463325252);
	for (size_t i = 0; i < POOL * 9; i++) {
		size_t t = i / 9, b = i / 3 % 3, w = i % 3;
		caps_presented how = {.audience = "lab", .earliest = times[w], .latest = times[w]};
		int rc = verdict(made.token[t].data, made.token[t].size, &made.trust[b].bundle,
			NULL, &how, &reason);

		expected[t][b][w] = rc == 0;
	}
	for (size_t i = 0; i < total; i++) {
		uint64_t random = next(&state);
		size_t t = random % POOL, b = random / POOL % 3, w = random / POOL / 3 % 3;
		caps_presented how = {.audience = "lab", .earliest = times[w], .latest = times[w]};
		int rc = verdict(made.token[t].data, made.token[t].size, &made.trust[b].bundle,
			cache, &how, &reason);

		cr_assert_eq(
			rc == 0, expected[t][b][w], "token %zu, bundle %zu, time %zu", t, b, w);
		good += rc == 0;
		bad += rc != 0;
		if ((random >> 32 & 0xfff) == 0)
			caps_cache_drop(cache);
	}
	cr_assert_gt(good, total / 50);
	cr_assert_gt(bad, total / 50);
	caps_cache_free(cache);
	pool_free(&made);
}

/* A good token makes no other one good: its seed, its proof and each link still count. */
Test(verify, a_cached_beginning_covers_only_itself)
{
	caps_presented how = presented();
	caps_cache *cache = new_cache();
	const char *reason = NULL;
	trusting trust;
	raw_token raw = raw_of(3);

	trust_init(&trust);
	raw_make(&raw);
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, cache, &how, &reason), 0);
	raw_bearer(&raw, seed_at(2));
	raw_make(&raw);
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, cache, &how, &reason),
		HN_ETOKEN);
	raw_free(&raw);
	raw = raw_of(4);
	raw.part[3].signer = 9;
	raw_make(&raw);
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, cache, &how, &reason),
		HN_ETOKEN);
	raw_free(&raw);
	raw = raw_of(4); /* sound: only its fourth link is new */
	raw_make(&raw);
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, cache, &how, &reason), 0);
	raw_free(&raw);
	caps_cache_free(cache);
}

Test(verify, what_time_and_audience_say_is_never_cached)
{
	caps_presented how = presented();
	caps_cache *cache = new_cache();
	const char *reason = NULL;
	trusting trust;
	raw_token raw = raw_of(2);

	trust_init(&trust);
	raw_make(&raw);
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, cache, &how, &reason), 0);
	how.audience = "other";
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, cache, &how, &reason),
		HN_ETOKEN);
	how = presented();
	trust.issuers[0].ceiling[0].mask =
		(caps_mask){{0x01}}; /* the same bundle, says its digest */
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, cache, &how, &reason),
		HN_ETOKEN);
	trust_init(&trust);
	trust.issuers[0].kid[0] ^= 1;
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, cache, &how, &reason),
		HN_ETOKEN);
	raw_free(&raw);
	caps_cache_free(cache);
}

/* The issuer's key changed under its kid: only possible with another bundle, which is part of the
 * key of every entry. */
Test(verify, another_bundle_finds_nothing)
{
	caps_presented how = presented();
	caps_cache *cache = new_cache();
	const char *reason = NULL;
	trusting trust;
	raw_token raw = raw_of(2);

	trust_init(&trust);
	raw_make(&raw);
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, cache, &how, &reason), 0);
	crypto_ed25519_public(seed_at(8), trust.issuers[0].key);
	trust.bundle.digest[0] ^= 1;
	cr_assert_eq(verdict(raw.made.data, raw.made.size, &trust.bundle, cache, &how, &reason),
		HN_ETOKEN);
	raw_free(&raw);
	caps_cache_free(cache);
}

/* More than 16,384 links: entries make room, verdicts stay. */
Test(verify, more_than_the_cache_holds, .timeout = 300)
{
	caps_cache *cache = new_cache();
	trusting trust;
	uint8_t digest[32] = {0};

	trust_init(&trust);
	for (uint32_t i = 0; i < 200000; i++) {
		memcpy(digest, &i, sizeof(i));
		uint8_t key[32];

		crypto_blake2b(digest, sizeof(digest), key);
		caps_cache_add(cache, key);
		cr_assert(caps_cache_has(cache, key));
	}
	size_t kept = 0;
	for (uint32_t i = 0; i < 200000; i++) {
		uint8_t key[32];

		memcpy(digest, &i, sizeof(i));
		crypto_blake2b(digest, sizeof(digest), key);
		kept += caps_cache_has(cache, key);
	}
	cr_assert_leq(kept, 16384u);
	cr_assert_gt(kept, 16000u);
	caps_cache_drop(cache);
	cr_assert_not(caps_cache_has(cache, digest));
	caps_cache_free(cache);
}

/* --- threads: run under TSan --- */

typedef struct crowd {
	pool *made;
	caps_cache *cache;
	uint64_t seed;
	size_t wrong;
	const signed char *expected;
} crowd;

static void *verify_many(void *arg)
{
	crowd *mine = arg;
	uint64_t state = mine->seed;

	for (size_t i = 0; i < 2000; i++) {
		size_t t = next(&state) % POOL;
		caps_presented how = presented();
		const char *reason = NULL;
		caps_token *token = NULL;
		int rc = caps_token_read((uint8_t *)mine->made->token[t].data,
			mine->made->token[t].size, &token, &reason, NULL);

		if (rc == 0)
			rc = caps_verify(token, &mine->made->trust[0].bundle, mine->cache, &how,
				&reason, NULL);
		caps_token_free(token);
		mine->wrong += (rc == 0) != mine->expected[t];
		if (i % 100 == 0)
			caps_cache_drop(mine->cache);
	}
	return NULL;
}

Test(verify, many_threads_one_cache, .timeout = 300)
{
	static pool made;
	signed char expected[POOL];
	caps_cache *cache = new_cache();
	pthread_t threads[8];
	crowd crowds[8];
	const char *reason = NULL;

	pool_init(&made, 7);
	for (size_t i = 0; i < POOL; i++) {
		caps_presented how = presented();

		expected[i] = verdict(made.token[i].data, made.token[i].size, &made.trust[0].bundle,
				      NULL, &how, &reason) == 0;
	}
	for (size_t i = 0; i < 8; i++) {
		crowds[i] = (crowd){&made, cache, 1000 + i, 0, expected};
		cr_assert_eq(pthread_create(&threads[i], NULL, verify_many, &crowds[i]), 0);
	}
	for (size_t i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		cr_assert_eq(crowds[i].wrong, 0u);
	}
	caps_cache_free(cache);
	pool_free(&made);
}

/* --- what else may be shown --- */

static int shown_stored(raw_token *raw, const char **reason)
{
	caps_presented how = presented();
	trusting trust;

	trust_init(&trust);
	how.stored = true;
	raw_make(raw);
	int rc = verdict(raw->made.data, raw->made.size, &trust.bundle, NULL, &how, reason);
	raw_free(raw);
	return rc;
}

Test(verify, a_token_from_its_holders_file)
{
	const char *reason = NULL;
	raw_token raw = raw_of(2);

	raw_set(&raw.proof, "820140");
	cr_assert_eq(shown_stored(&raw, &reason), 0, "%s", reason);
	raw = raw_of(2);
	raw_set(&raw.proof, "820140");
	raw.part[1].signer = 9;
	cr_assert_eq(shown_stored(&raw, &reason), HN_ETOKEN);
	raw = raw_of(2);
	raw_bearer(&raw, seed_at(7));
	cr_assert_eq(shown_stored(&raw, &reason), HN_ETOKEN);
}
