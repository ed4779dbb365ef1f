/* SPDX-License-Identifier: MIT
 *
 * What a token costs: read and verified cold, with a known parent, and from the cache; with the
 * plain Ed25519 of libsodium in the same run.
 *
 *   bench-caps
 *
 * Prints "name TAB value TAB unit TAB target TAB peer TAB peer's value" a line, CPU time, medians
 * of many runs; a wrong answer is "FAIL TAB what" and exit status 1.
 */
#include "caps/token-private.h"
#include "caps/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 15, LINKS_MOST = 5 };

static const uint8_t ISSUER[32] = {1};
static caps_issuer issuer;
static caps_bundle bundle;
static caps_presented how;
static int64_t start;

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void check(bool held, const char *what)
{
	if (held)
		return;
	printf("FAIL\t%s\n", what);
	exit(1);
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* The median of RUNS runs of `count` calls, in microseconds a call. */
static double measure(void (*call)(void *arg), void *arg, int count)
{
	double took[RUNS];

	for (int run = 0; run < RUNS; run++) {
		double began = cpu_us();

		for (int i = 0; i < count; i++)
			call(arg);
		took[run] = (cpu_us() - began) / count;
	}
	qsort(took, RUNS, sizeof(took[0]), by_value);
	return took[RUNS / 2];
}

static void put(const char *name, double ours, const char *target, const char *peer, double theirs)
{
	printf("%s\t%.3f\tus\t%s\t%s\t%.3f\n", name, ours, target, peer, theirs);
}

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
		check(caps_claims_write(&terms, i == 0, &claims, NULL) == 0, "claims");
		if (i == 0) {
			check(caps_link_tbs(NULL, issuer.kid, &claims, &tbs, NULL) == 0, "tbs");
			crypto_ed25519_sign_once(ISSUER, tbs.data, tbs.size, signature);
			check(caps_token_begin(
				      issuer.kid, &claims, signature, seed, &longer, NULL) == 0,
				"begin");
		} else {
			check(caps_token_append(token, before, &claims, seed, &longer, NULL) == 0,
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
} job;

static void read_and_verify(const caps_token *bytes, caps_cache *cache)
{
	caps_token *token = NULL;

	check(caps_token_read(bytes->bytes, bytes->size, &token, NULL, NULL) == 0, "read");
	check(caps_verify(token, &bundle, cache, &how, NULL, NULL) == 0, "verify");
	caps_token_free(token);
}

static void read_only(void *arg)
{
	const job *this = arg;
	caps_token *token = NULL;

	check(caps_token_read(this->token->bytes, this->token->size, &token, NULL, NULL) == 0,
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

/* The parent is known, the token itself is not: it is dropped before each time. */
static double parent_seen(job *this)
{
	double took[RUNS * 8];

	for (size_t run = 0; run < BASE_COUNT(took); run++) {
		caps_cache_drop(this->cache);
		read_and_verify(this->parent, this->cache);
		double began = cpu_us();

		read_and_verify(this->token, this->cache);
		took[run] = cpu_us() - began;
	}
	qsort(took, BASE_COUNT(took), sizeof(took[0]), by_value);
	return took[BASE_COUNT(took) / 2];
}

static uint8_t plain_key[32], plain_signature[64], plain_text[280];

static void plain_verify(void *arg)
{
	(void)arg;
	check(crypto_ed25519_verify_known(
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
	check(crypto_ed25519_point_valid(plain_key), "point");
}

int main(void)
{
	start = (int64_t)time(NULL);
	check(crypto_open(NULL) == 0, "libsodium");
	trust();
	crypto_ed25519_public(ISSUER, plain_key);
	crypto_ed25519_sign_once(ISSUER, plain_text, sizeof(plain_text), plain_signature);
	double verify = measure(plain_verify, NULL, 200), keygen = measure(plain_keygen, NULL, 200);
	caps_token *tokens[LINKS_MOST + 1] = {NULL};
	job this = {0};

	check(caps_cache_new(hn_os_real(), &this.cache, NULL) == 0, "cache");
	double point = measure(plain_point, NULL, 200);

	put("check of one public key", point, "-", "Ed25519 verify", verify);
	for (size_t links = 1; links <= LINKS_MOST; links++) {
		char name[64];

		tokens[links] = chain(links);
		this.token = tokens[links];
		snprintf(name, sizeof(name), "read and verify %zu links, cold", links);
		double ours = measure(cold, &this, 50);
		double peer = (double)links * verify + keygen;

		put(name, ours, "<=1.15x", "libsodium: verify each + keygen", peer);
		snprintf(name, sizeof(name), "the same %zu links", links);
		put(name, ours, "<=1.15x", "and the check of each key in the middle",
			peer + (double)(links - 1) * point);
	}
	this.token = tokens[3];
	this.parent = tokens[2];
	put("read and verify 3 links, parent seen", parent_seen(&this), "-",
		"libsodium: verify + keygen", verify + keygen);
	put("read 3 links", measure(read_only, &this, 5000), "-", "Ed25519 verify", verify);
	put("read and verify 3 links, cached", measure(cached, &this, 5000), "-", "Ed25519 verify",
		verify);
	this.token = tokens[1];
	put("read and verify 1 link, cached", measure(cached, &this, 5000), "<=2", "Ed25519 verify",
		verify);
	for (size_t links = 1; links <= LINKS_MOST; links++)
		caps_token_free(tokens[links]);
	caps_cache_free(this.cache);
	return 0;
}
