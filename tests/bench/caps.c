/* SPDX-License-Identifier: MIT
 *
 * What a token costs: read and verified cold, with a known parent, and from the cache; with the
 * plain Ed25519 of libsodium in the same run.
 *
 *   bench-caps [profile]
 */
#include "measure.h"

#include "caps/token-private.h"
#include "caps/verify.h"

enum { LINKS_MOST = 5 };

static const uint8_t ISSUER[32] = {1};
static caps_issuer issuer;
static caps_bundle bundle;
static caps_presented how;
static int64_t start;

/* --- tokens --- */

static void seed_of(size_t link, uint8_t seed[32])
{
	memset(seed, (int)link + 2, 32);
}

static void trust(void)
{
	crypto_ed25519_public(ISSUER, issuer.key);
	issuer.epoch = 1;
	issuer.not_before = start - 3600;
	issuer.sign_until = start + 86400;
	issuer.max_ttl = 86400;
	issuer.ceiling[0].mask.bytes[0] = 0xff;
	issuer.ceiling[0].pattern = (caps_view){(const uint8_t *)"unit/**", 7};
	issuer.ceiling_count = 1;
	caps_kid(issuer.key, issuer.epoch, issuer.kid);
	bundle.issuers = &issuer;
	bundle.issuer_count = 1;
	how = (caps_presented){.audience = "lab", .earliest = start, .latest = start};
}

static caps_terms terms_of(size_t link, const caps_grant_terms *grant)
{
	caps_terms terms = {.issued = start, .expires = start + 900};
	uint8_t seed[32];

	if (link == 0) {
		terms.subject = "alice";
		terms.audience = "lab";
		terms.grants = grant;
		terms.grant_count = 1;
	}
	memset(terms.cti, (int)link, sizeof(terms.cti));
	seed_of(link, seed);
	crypto_ed25519_public(seed, terms.cnf);
	return terms;
}

/* A bearer token. */
static caps_token *chain(size_t links)
{
	caps_grant_terms grant = {.mask = {{0x31}}, .pattern = "unit/*"};
	uint8_t signature[64], seed[32], before[32];
	caps_token *token = NULL, *longer = NULL;

	for (size_t i = 0; i < links; i++) {
		caps_terms terms = terms_of(i, &grant);
		BASE_AUTO_BUF base_buf claims = {0}, tbs = {0};

		seed_of(i, seed);
		seed_of(i - 1, before);
		bench_check(caps_claims_write(&terms, i == 0, &claims, NULL) == 0, "claims");
		if (i == 0) {
			bench_check(
				caps_link_tbs(NULL, issuer.kid, &claims, &tbs, NULL) == 0, "tbs");
			crypto_ed25519_sign_once(ISSUER, tbs.data, tbs.size, signature);
			bench_check(caps_token_begin(issuer.kid, &claims, signature, seed, &longer,
					    NULL) == 0,
				"begin");
		} else {
			bench_check(
				caps_token_append(token, before, &claims, seed, &longer, NULL) == 0,
				"append");
		}
		caps_token_free(token);
		token = longer;
	}
	return token;
}

/* --- what is measured --- */

typedef struct job {
	const caps_token *token, *parent;
	caps_cache *cache;
	size_t links;
} job;

static void read_and_verify(const caps_token *bytes, caps_cache *cache)
{
	caps_token *token = NULL;

	bench_check(caps_token_read(bytes->bytes, bytes->size, &token, NULL, NULL) == 0, "read");
	bench_check(caps_verify(token, &bundle, cache, &how, NULL, NULL) == 0, "verify");
	caps_token_free(token);
}

static void read_only(void *arg)
{
	const job *this = arg;
	caps_token *token = NULL;

	bench_check(caps_token_read(this->token->bytes, this->token->size, &token, NULL, NULL) == 0,
		"read");
	caps_token_free(token);
}

static void cold(void *arg)
{
	const job *this = arg;

	read_and_verify(this->token, NULL);
}

static void cached(void *arg)
{
	const job *this = arg;

	read_and_verify(this->token, this->cache);
}

static uint8_t plain_key[32], plain_signature[64], plain_text[280];

static void plain_verify(void *arg)
{
	(void)arg;
	bench_check(crypto_ed25519_verify_known(
			    plain_key, plain_text, sizeof(plain_text), plain_signature),
		"plain verification");
}

static void plain_keygen(void *arg)
{
	uint8_t key[32];

	(void)arg;
	crypto_ed25519_public(ISSUER, key);
}

static void plain_point(void *arg)
{
	(void)arg;
	bench_check(crypto_ed25519_point_valid(plain_key), "point");
}

/* The bare signatures of a bearer token: each link's, and the key of its seed. */
static void plain_chain(void *arg)
{
	const job *this = arg;

	for (size_t i = 0; i < this->links; i++)
		plain_verify(NULL);
	plain_keygen(NULL);
}

/* The parent is known, the token itself is not: it is dropped before each time. */
static void parent_seen(job *this, const char *name, bench_call peer, const char *peer_name)
{
	double ours[BENCH_RUNS * 8], theirs[BENCH_RUNS * 8];
	size_t runs = bench_profiled ? 1 : BASE_COUNT(ours);

	for (size_t run = 0; run < 2 * runs; run++) {
		caps_cache_drop(this->cache);
		read_and_verify(this->parent, this->cache);
		if (run % 2 == 0)
			ours[run / 2] = bench_run(cached, this, 1);
		else
			theirs[run / 2] = bench_run(peer, this, 1);
	}
	bench_put(name, bench_median(ours, runs), "us", "<=1.1x", peer_name,
		bench_median(theirs, runs));
}

static void all_cold(caps_token *tokens[LINKS_MOST + 1])
{
	double first = 0, peer_first = 0;

	for (size_t links = 1; links <= LINKS_MOST; links++) {
		job this = {.token = tokens[links], .links = links};
		double ours, peer;
		char name[64];

		bench_pair(cold, &this, plain_chain, &this, 40, &ours, &peer);
		snprintf(name, sizeof(name), "read and verify %zu link%s, cold", links,
			links > 1 ? "s" : "");
		bench_put(name, ours, "us", "<=1.15x", "libsodium: verify each, and keygen", peer);
		if (links == 1) {
			first = ours;
			peer_first = peer;
		}
		if (links == LINKS_MOST)
			bench_put("one link more, cold", (ours - first) / (LINKS_MOST - 1), "us",
				"-", "libsodium: verify", (peer - peer_first) / (LINKS_MOST - 1));
	}
}

static void all_seen(caps_token *tokens[LINKS_MOST + 1])
{
	job this = {.token = tokens[3], .parent = tokens[2], .links = 1};

	bench_check(caps_cache_new(hn_os_real(), &this.cache, NULL) == 0, "cache");
	parent_seen(&this, "bearer token of 3 links, parent seen", plain_chain,
		"libsodium: verify, and keygen");
	bench_put("read 3 links", bench_time(read_only, &this, 5000), "us", "-", "", 0);
	bench_put("read and verify 3 links, cached", bench_time(cached, &this, 5000), "us", "-", "",
		0);
	this.token = tokens[1];
	bench_put("read and verify 1 link, cached", bench_time(cached, &this, 5000), "us", "<=2",
		"", 0);
	caps_cache_free(this.cache);
}

int main(int argc, char **argv)
{
	caps_token *tokens[LINKS_MOST + 1] = {NULL};
	double point, verify;

	bench_begin(argc, argv);
	start = (int64_t)time(NULL);
	bench_check(crypto_open(NULL) == 0, "libsodium");
	trust();
	crypto_ed25519_public(ISSUER, plain_key);
	crypto_ed25519_sign_once(ISSUER, plain_text, sizeof(plain_text), plain_signature);
	bench_pair(plain_point, NULL, plain_verify, NULL, 200, &point, &verify);
	bench_put("check of one public key", point, "us", "-", "libsodium: verify", verify);
	for (size_t links = 1; links <= LINKS_MOST; links++)
		tokens[links] = chain(links);
	all_cold(tokens);
	all_seen(tokens);
	for (size_t links = 1; links <= LINKS_MOST; links++)
		caps_token_free(tokens[links]);
	return 0;
}
