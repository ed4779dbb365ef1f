/* SPDX-License-Identifier: MIT
 *
 * Verification of a token that was read: V3 and V5 to V9 of caps.md section 6. V1, V2 and V4 are
 * the reader's. What depends on the time, the audience or the chain as a whole is looked at each
 * time; the cache holds only which bytes were signed by whom they name.
 */
#include "caps/cache.h"
#include "caps/decide.h"
#include "caps/token-private.h"

typedef struct verifier {
	const caps_token *token;
	const caps_bundle *bundle;
	caps_cache *cache;
	const caps_presented *how;
	const caps_issuer *issuer;
	const char *reason;
	bool no_memory;
	/* what the cache was asked for: the whole token, its beginnings by their last link, its
	 * last key */
	uint8_t whole[CAPS_DIGEST], begun[CAPS_LINKS][CAPS_DIGEST], key[CAPS_DIGEST];
} verifier;

static const char not_a_key[] = "a holder's key is not a valid point";

static bool no(verifier *v, const char *reason)
{
	if (v->reason == NULL)
		v->reason = reason;
	return false;
}

/* --- V3: what was verified before --- */

/* The links 0 to count - 1 with their heads, or the whole token with its proof. */
static caps_view prefix(const caps_token *token, size_t links)
{
	const uint8_t *start = token->chain.bytes;
	const caps_link *last = &token->links[links - 1];

	return (caps_view){start + 1, (size_t)(last->whole.bytes + last->whole.size - start - 1)};
}

static bool known(verifier *v, caps_view bytes, uint8_t digest[CAPS_DIGEST])
{
	if (v->cache == NULL)
		return false;
	caps_cache_digest(v->cache, v->bundle, bytes.bytes, bytes.size, digest);
	return caps_cache_has(v->cache, digest);
}

/* What was asked for before. */
static void remember(verifier *v, const uint8_t digest[CAPS_DIGEST])
{
	if (v->cache != NULL)
		caps_cache_add(v->cache, digest);
}

static bool proof_is_static(const caps_token *token)
{
	return token->proof == CAPS_PROOF_BEARER || token->proof == CAPS_PROOF_SEALED;
}

static caps_view whole(const caps_token *token)
{
	return (caps_view){token->bytes, token->size};
}

/* --- V5: the issuer --- */

static bool check_issuer(verifier *v)
{
	const caps_token *token = v->token;
	const caps_presented *how = v->how;
	bool ambiguous = false;
	size_t size = strlen(how->audience);

	v->issuer = caps_bundle_issuer(v->bundle, token->kid, &ambiguous);
	if (v->issuer == NULL)
		return no(v, ambiguous ? "two issuers have this key id"
				       : "its issuer is not trusted, or its epoch is over");
	if (how->earliest + CAPS_CLOCK_LEEWAY < v->issuer->not_before)
		return no(v, "its issuer key is not yet in use");
	if (how->latest > v->issuer->sign_until + v->issuer->max_ttl)
		return no(v, "all that its issuer key has signed is over");
	if (token->audience.size != size || memcmp(token->audience.bytes, how->audience, size) != 0)
		return no(v, "it is for another cluster");
	const char *why = caps_issuer_refuses(v->issuer, token);
	return why == NULL || no(v, why);
}

/* --- V6: parents, depth, keys --- */

/* Caveat 9 of a link: so many may follow. Those inside grants are a matter of the decision. */
static bool check_depth(verifier *v)
{
	const caps_token *token = v->token;

	for (size_t i = 0; i < token->link_count; i++) {
		const caps_link *link = &token->links[i];

		for (size_t j = 0; j < link->caveat_count; j++) {
			const caps_caveat *caveat = &token->caveats[link->first_caveat + j];
			uint64_t items = 0, id = 0, depth = 0;
			codec_cbor in;

			if (caveat->id != CAPS_DEPTH)
				continue;
			codec_cbor_open(&in, caveat->raw.bytes, caveat->raw.size);
			if (!codec_cbor_array(&in, &items) || !codec_cbor_uint(&in, &id) ||
				!codec_cbor_uint(&in, &depth) || token->link_count - 1 - i > depth)
				return no(v, "more links follow than one allows");
		}
	}
	return true;
}

static bool check_parent(verifier *v, size_t index)
{
	const caps_link *link = &v->token->links[index];
	const caps_link *before = link - 1;
	uint8_t hash[32];

	crypto_sha256(before->whole.bytes, before->whole.size, hash);
	return crypto_equal(hash, link->parent, sizeof(hash)) ||
	       no(v, "a link does not follow the one before it");
}

/* --- V7: signatures --- */

static bool signed_by(verifier *v, const uint8_t key[32], caps_view header, caps_view payload,
	caps_view signature)
{
	BASE_AUTO_BUF base_buf tbs = {0};

	caps_tbs(&tbs, header, payload);
	if (tbs.failed) {
		v->no_memory = true;
		return no(v, "out of memory");
	}
	return crypto_ed25519_verify_known(key, tbs.data, tbs.size, signature.bytes);
}

static const caps_link *last_link(const caps_token *token)
{
	return &token->links[token->link_count - 1];
}

static caps_view last_key(const caps_token *token)
{
	return (caps_view){last_link(token)->cnf, sizeof(last_link(token)->cnf)};
}

/* The key of a seed is valid by its making; check_proof compares the two. */
static bool is_of_seed(const caps_token *token)
{
	return token->proof == CAPS_PROOF_BEARER;
}

/* V6 of the last key, whose holder is the one who speaks; whether its own link was known or not.
 * That it is a point of the subgroup takes nearly as long as a signature, and is a fact of the key
 * alone.
 *
 * A key in the middle has no such check of its own: it has signed the next link, and the
 * verification of that signature takes no key that is not canonical, of small order or not on the
 * curve. What is left is a key outside of the subgroup. Only who made it can sign with it, and a
 * signature of it is good for one message (Brendel, Cremers, Jackson, Zhao, "The Provable Security
 * of Ed25519", 2021), so it gives its holder nothing that a sound key would not. */
static bool check_last_key(verifier *v)
{
	const caps_token *token = v->token;

	return is_of_seed(token) || known(v, last_key(token), v->key) ||
	       crypto_ed25519_point_valid(last_key(token).bytes) || no(v, not_a_key);
}

static bool check_signature(verifier *v, size_t index)
{
	const caps_link *link = &v->token->links[index];
	const uint8_t *key = index == 0 ? v->issuer->key : link[-1].cnf;

	if (signed_by(v, key, link->protected_header, link->payload, link->signature))
		return true;
	/* for the record: was it the key? That of an issuer was looked at with its bundle */
	return no(v,
		index > 0 && !crypto_ed25519_point_valid(key) ? not_a_key : "a signature is wrong");
}

static bool check_links(verifier *v, size_t from)
{
	const caps_token *token = v->token;

	for (size_t i = from; i < token->link_count; i++)
		if (i > 0 && !check_parent(v, i))
			return false;
	if (!check_last_key(v))
		return false;
	for (size_t i = from; i < token->link_count; i++)
		if (!check_signature(v, i))
			return false;
	return true;
}

/* --- V8: the proof --- */

/* What anybody who sees it could use again lives for minutes only. */
static bool check_static_life(verifier *v)
{
	return caps_token_expires(v->token) - last_link(v->token)->issued <= CAPS_BEARER_SECONDS ||
	       no(v, "a token without proof of possession lives at most 15 minutes");
}

static bool check_seed(verifier *v)
{
	uint8_t key[32];

	crypto_ed25519_public(v->token->proof_bytes.bytes, key);
	return crypto_equal(key, last_link(v->token)->cnf, sizeof(key)) ||
	       no(v, "the seed is not that of its last key");
}

/* A message of the last holder over this chain. */
static bool check_message(verifier *v, caps_proof *proof)
{
	const caps_token *token = v->token;
	uint8_t chain[32];

	if (!caps_proof_read(token->proof, token->proof_bytes, proof))
		return no(v, "the proof has not its form");
	caps_token_chain_hash(token, chain);
	if (!crypto_equal(proof->chain_hash.bytes, chain, sizeof(chain)))
		return no(v, "the proof is over another chain");
	return signed_by(v, last_link(token)->cnf, proof->message.protected_header,
		       proof->message.payload, proof->message.signature) ||
	       no(v, "the proof's signature is wrong");
}

static bool same(caps_view view, const void *bytes, size_t size)
{
	return view.size == size && crypto_equal(view.bytes, bytes, size);
}

static bool check_use(verifier *v, const caps_proof *proof)
{
	const caps_use *use = v->how->expected;

	if (!same(proof->nonce, use->nonce, sizeof(use->nonce)))
		return no(v, "the proof is over another nonce");
	if (proof->issued > v->how->earliest + CAPS_CLOCK_LEEWAY ||
		v->how->latest - proof->issued > CAPS_PROOF_SECONDS)
		return no(v, "the proof is not fresh");
	if (proof->verb != use->verb)
		return no(v, "the proof is over another verb");
	if (!same(proof->object, use->object, strlen(use->object)))
		return no(v, "the proof is over another object");
	if (!same(proof->request_hash, use->request_hash, sizeof(use->request_hash)))
		return no(v, "the proof is over another request");
	if (proof->channel_kind != use->channel_kind ||
		!same(proof->binding, use->binding, use->binding_size))
		return no(v, "the proof is for another channel");
	return true;
}

static bool check_proof(verifier *v)
{
	caps_proof proof;

	switch (v->token->proof) {
	case CAPS_PROOF_BEARER:
		return check_static_life(v) && check_seed(v);
	case CAPS_PROOF_SEALED:
		return check_static_life(v) && check_message(v, &proof);
	case CAPS_PROOF_STORED:
		return v->how->stored || no(v, "it comes without a proof");
	case CAPS_PROOF_POSSESSION:
		if (!check_message(v, &proof))
			return false;
		if (v->how->expected == NULL)
			return v->how->stored || no(v, "no proof was asked for");
		return check_use(v, &proof);
	}
	return no(v, "the proof is of no known kind");
}

/* The longest beginning that is known, in links. */
static size_t known_links(verifier *v)
{
	size_t links = v->token->link_count;

	while (links > 0 && !known(v, prefix(v->token, links), v->begun[links - 1]))
		links--;
	return links;
}

static bool verify(verifier *v)
{
	const caps_token *token = v->token;

	if (!check_issuer(v) || !check_depth(v))
		return false;
	if (proof_is_static(token) && known(v, whole(token), v->whole))
		return true; /* its life is in its bytes too */
	size_t from = known_links(v);
	if (!check_links(v, from) || !check_proof(v))
		return false;
	for (size_t i = from; i < token->link_count; i++)
		remember(v, v->begun[i]);
	if (!is_of_seed(token))
		remember(v, v->key);
	if (proof_is_static(token))
		remember(v, v->whole);
	return true;
}

int caps_verify(const caps_token *token, const caps_bundle *bundle, caps_cache *cache,
	const caps_presented *how, const char **reason, hn_error **err)
{
	verifier v = {.token = token, .bundle = bundle, .cache = cache, .how = how};

	if (verify(&v))
		return 0;
	if (v.no_memory)
		return base_nomem(err);
	if (reason != NULL)
		*reason = v.reason;
	return caps_token_refuse(err);
}
