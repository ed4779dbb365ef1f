/* SPDX-License-Identifier: MIT
 *
 * Making hvc1 tokens: claims, links, seals and proofs. Whatever is made here is read back by the
 * strict reader before anybody gets it.
 */
#include "caps/token-private.h"

static void put_view(codec_cbor_out *out, caps_view view)
{
	codec_cbor_put_bytes(out, view.bytes, view.size);
}

static void put_label_text(codec_cbor_out *out, int64_t label, const char *text)
{
	codec_cbor_put_int(out, label);
	codec_cbor_put_text(out, text, strlen(text));
}

static void put_label_time(codec_cbor_out *out, int64_t label, int64_t seconds)
{
	codec_cbor_put_int(out, label);
	codec_cbor_put_int(out, seconds);
}

static void put_label_bytes(codec_cbor_out *out, int64_t label, const void *bytes, size_t size)
{
	codec_cbor_put_int(out, label);
	codec_cbor_put_bytes(out, bytes, size);
}

static void put_caveats(codec_cbor_out *out, const base_buf *caveats, size_t count)
{
	codec_cbor_put_array(out, count);
	base_buf_add(&out->buf, caveats->data, caveats->size);
}

void caps_grant_put(
	codec_cbor_out *out, const caps_mask *mask, caps_view pattern, size_t caveat_count)
{
	codec_cbor_put_array(out, caveat_count > 0 ? 3 : 2);
	codec_cbor_put_bytes(out, mask->bytes, caps_mask_size(mask));
	codec_cbor_put_text(out, (const char *)pattern.bytes, pattern.size);
}

static void put_grants(codec_cbor_out *out, const caps_terms *terms)
{
	codec_cbor_put_int(out, CAPS_CLAIM_GRANTS);
	codec_cbor_put_array(out, terms->grant_count);
	for (size_t i = 0; i < terms->grant_count; i++) {
		const caps_grant_terms *grant = &terms->grants[i];
		caps_view pattern = {(const uint8_t *)grant->pattern, strlen(grant->pattern)};

		caps_grant_put(out, &grant->mask, pattern, grant->caveat_count);
		if (grant->caveat_count > 0)
			put_caveats(out, grant->caveats, grant->caveat_count);
	}
}

static uint64_t count_claims(const caps_terms *terms, bool first)
{
	uint64_t count = 4; /* exp, iat, cti, cnf */

	count += terms->not_before > 0;
	count += terms->caveat_count > 0;
	if (first) {
		count += 3; /* sub, aud, grants */
		count += terms->subject_epoch > 0;
		count += terms->template_name != NULL;
	}
	return count;
}

static void put_claims(codec_cbor_out *out, const caps_terms *terms, bool first)
{
	uint8_t cnf[CAPS_CNF_BYTES];

	codec_cbor_put_map(out, count_claims(terms, first));
	if (first) {
		put_label_text(out, CAPS_CLAIM_SUBJECT, terms->subject);
		put_label_text(out, CAPS_CLAIM_AUDIENCE, terms->audience);
	}
	put_label_time(out, CAPS_CLAIM_EXPIRES, terms->expires);
	if (terms->not_before > 0)
		put_label_time(out, CAPS_CLAIM_NOT_BEFORE, terms->not_before);
	put_label_time(out, CAPS_CLAIM_ISSUED, terms->issued);
	put_label_bytes(out, CAPS_CLAIM_CTI, terms->cti, CAPS_CTI);
	codec_cbor_put_int(out, CAPS_CLAIM_CNF);
	caps_cnf_put(terms->cnf, cnf);
	base_buf_add(&out->buf, cnf, sizeof(cnf));
	if (first)
		put_grants(out, terms);
	if (terms->caveat_count > 0) {
		codec_cbor_put_int(out, CAPS_CLAIM_CAVEATS);
		put_caveats(out, terms->caveats, terms->caveat_count);
	}
	if (first && terms->subject_epoch > 0) {
		codec_cbor_put_int(out, CAPS_CLAIM_SUBJECT_EPOCH);
		codec_cbor_put_uint(out, terms->subject_epoch);
	}
	if (first && terms->template_name != NULL)
		put_label_text(out, CAPS_CLAIM_TEMPLATE, terms->template_name);
}

/* Of claims that were not read from outside: what is wrong with them is the caller's. */
static int check_claims(const base_buf *claims, bool first, hn_error **err)
{
	const char *reason = NULL;
	caps_token scratch;
	hn_error *refused = NULL;

	int rc = caps_claims_form(
		(const uint8_t *)claims->data, claims->size, first, &scratch, &reason, &refused);
	hn_error_unref(refused);
	if (rc == 0)
		return 0;
	return base_error(err, claims->size > CAPS_TOKEN_BYTES ? HN_ELIMIT : HN_EINVAL, CAPS_ROOM,
		NULL, "these terms make no capability: %s", reason);
}

int caps_claims_write(const caps_terms *terms, bool first, base_buf *out, hn_error **err)
{
	codec_cbor_out made = {0};

	if (first && (terms->subject == NULL || terms->audience == NULL))
		return base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"a first link needs a subject and an audience");
	put_claims(&made, terms, first);
	int rc = made.buf.failed ? base_nomem(err) : check_claims(&made.buf, first, err);
	if (rc == 0) {
		base_buf_add(out, made.buf.data, made.buf.size);
		rc = out->failed ? base_nomem(err) : 0;
	}
	base_buf_free(&made.buf);
	return rc;
}

static caps_view view_of(const base_buf *buf)
{
	return (caps_view){(const uint8_t *)buf->data, buf->size};
}

int caps_link_tbs(const uint8_t *parent_hash, const uint8_t kid[CAPS_KID], const base_buf *claims,
	base_buf *tbs, hn_error **err)
{
	uint8_t header[CAPS_HEADER_BYTES];
	size_t size = parent_hash != NULL ? caps_header_later(parent_hash, header)
					  : caps_header_first(kid, header);

	caps_tbs(tbs, (caps_view){header, size}, view_of(claims));
	return tbs->failed ? base_nomem(err) : 0;
}

static void put_message(codec_cbor_out *out, caps_view header, caps_view payload,
	const uint8_t signature[CRYPTO_SIGNATURE])
{
	codec_cose_sign1 message = {
		.protected_header = header,
		.payload = payload,
		.signature = {signature, CRYPTO_SIGNATURE},
		.tagged = true,
	};

	codec_cose_sign1_put(out, &message);
}

/* The token of these links and this proof, read back. */
static int assemble(const caps_view *links, size_t count, caps_proof_kind kind, caps_view proof,
	caps_token **token, hn_error **err)
{
	static const uint64_t kinds[] = {[CAPS_PROOF_BEARER] = 0,
		[CAPS_PROOF_POSSESSION] = 1,
		[CAPS_PROOF_STORED] = 1,
		[CAPS_PROOF_SEALED] = 2};
	const char *reason = NULL;
	codec_cbor_out out = {0};
	int rc;

	codec_cbor_put_array(&out, 2);
	codec_cbor_put_array(&out, count);
	for (size_t i = 0; i < count; i++)
		put_view(&out, links[i]);
	codec_cbor_put_array(&out, 2);
	codec_cbor_put_uint(&out, kinds[kind]);
	put_view(&out, proof);
	if (out.buf.failed)
		rc = base_nomem(err);
	else if (out.buf.size > CAPS_TOKEN_BYTES || count > CAPS_LINKS)
		rc = base_error(err, HN_ELIMIT, CAPS_ROOM, NULL,
			"a capability has at most %d links and %d bytes, this one %zu and %zu",
			CAPS_LINKS, CAPS_TOKEN_BYTES, count, out.buf.size);
	else
		rc = caps_token_read(
			(const uint8_t *)out.buf.data, out.buf.size, token, &reason, err);
	if (rc == HN_ETOKEN)
		rc = base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"these terms make no capability: %s", reason);
	if (out.buf.data != NULL)
		crypto_wipe(out.buf.data, out.buf.size); /* perhaps with a seed */
	base_buf_free(&out.buf);
	return rc;
}

static size_t links_of(const caps_token *token, caps_view links[CAPS_LINKS + 1])
{
	for (size_t i = 0; i < token->link_count; i++)
		links[i] = token->links[i].whole;
	return token->link_count;
}

static caps_view seed_view(const uint8_t *seed)
{
	return (caps_view){seed, seed != NULL ? CRYPTO_SEED : 0};
}

int caps_token_begin(const uint8_t kid[CAPS_KID], const base_buf *claims,
	const uint8_t signature[64], const uint8_t *seed, caps_token **token, hn_error **err)
{
	uint8_t header[CAPS_HEADER_BYTES];
	codec_cbor_out link = {0};

	put_message(&link, (caps_view){header, caps_header_first(kid, header)}, view_of(claims),
		signature);
	caps_view whole = view_of(&link.buf);
	int rc = link.buf.failed ? base_nomem(err)
				 : assemble(&whole, 1, seed ? CAPS_PROOF_BEARER : CAPS_PROOF_STORED,
					   seed_view(seed), token, err);
	base_buf_free(&link.buf);
	return rc;
}

/* The seed with which the next thing is signed: the given one, or that of a bearer token. */
static int signing_seed(
	const caps_token *token, const uint8_t *given, const uint8_t **seed, hn_error **err)
{
	uint8_t public_key[CRYPTO_PUBLIC];

	if (token->proof == CAPS_PROOF_SEALED)
		return base_error(err, HN_EINVAL, CAPS_ROOM,
			"ask its issuer for one that is not sealed",
			"the capability is sealed: nothing can be added to it");
	if (given == NULL && token->proof == CAPS_PROOF_BEARER)
		given = token->proof_bytes.bytes;
	if (given == NULL)
		return base_error(err, HN_EINVAL, CAPS_ROOM, "give the key that it was issued to",
			"the capability is no bearer token: its holder's key must sign");
	crypto_ed25519_public(given, public_key);
	if (memcmp(public_key, token->links[token->link_count - 1].cnf, sizeof(public_key)) != 0)
		return base_error(err, HN_EINVAL, CAPS_ROOM, "give the key that it was issued to",
			"the key is not that of the capability's last holder");
	*seed = given;
	return 0;
}

/* Signs a message of this header and payload, and adds it. */
static int put_signed(codec_cbor_out *out, caps_view header, caps_view payload, const uint8_t *seed,
	hn_error **err)
{
	uint8_t signature[CRYPTO_SIGNATURE];
	BASE_AUTO_BUF base_buf tbs = {0};

	caps_tbs(&tbs, header, payload);
	if (tbs.failed)
		return base_nomem(err);
	crypto_ed25519_sign_once(seed, tbs.data, tbs.size, signature);
	put_message(out, header, payload, signature);
	return out->buf.failed ? base_nomem(err) : 0;
}

int caps_token_append(const caps_token *token, const uint8_t *seed, const base_buf *claims,
	const uint8_t *next_seed, caps_token **longer, hn_error **err)
{
	uint8_t header[CAPS_HEADER_BYTES], parent[32];
	caps_view links[CAPS_LINKS + 1];
	codec_cbor_out link = {0};
	size_t count = links_of(token, links);

	int rc = signing_seed(token, seed, &seed, err);
	if (rc < 0)
		return rc;
	crypto_sha256(links[count - 1].bytes, links[count - 1].size, parent);
	rc = put_signed(&link, (caps_view){header, caps_header_later(parent, header)},
		view_of(claims), seed, err);
	links[count] = view_of(&link.buf);
	if (rc == 0)
		rc = assemble(links, count + 1, next_seed ? CAPS_PROOF_BEARER : CAPS_PROOF_STORED,
			seed_view(next_seed), longer, err);
	base_buf_free(&link.buf);
	return rc;
}

/* The same links with a signed proof of this payload. */
static int with_proof(const caps_token *token, caps_proof_kind kind, caps_view payload,
	const uint8_t *seed, caps_token **made, hn_error **err)
{
	uint8_t header[CAPS_HEADER_BYTES];
	caps_view links[CAPS_LINKS + 1];
	codec_cbor_out proof = {0};
	size_t count = links_of(token, links);

	int rc = put_signed(
		&proof, (caps_view){header, caps_header_proof(kind, header)}, payload, seed, err);
	if (rc == 0)
		rc = assemble(links, count, kind, view_of(&proof.buf), made, err);
	base_buf_free(&proof.buf);
	return rc;
}

int caps_token_seal(
	const caps_token *token, const uint8_t *seed, caps_token **sealed, hn_error **err)
{
	uint8_t hash[32];

	int rc = signing_seed(token, seed, &seed, err);
	if (rc < 0)
		return rc;
	caps_token_chain_hash(token, hash);
	return with_proof(
		token, CAPS_PROOF_SEALED, (caps_view){hash, sizeof(hash)}, seed, sealed, err);
}

int caps_token_strip(const caps_token *token, caps_token **stored, hn_error **err)
{
	caps_view links[CAPS_LINKS + 1];
	size_t count = links_of(token, links);

	if (token->proof == CAPS_PROOF_SEALED)
		return base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"the capability is sealed: its seal cannot be taken off");
	return assemble(links, count, CAPS_PROOF_STORED, seed_view(NULL), stored, err);
}

int caps_token_prove(const caps_token *token, const uint8_t seed[32], const caps_use *use,
	caps_token **proven, hn_error **err)
{
	codec_cbor_out out = {0};
	uint8_t chain[32];

	int rc = signing_seed(token, seed, &seed, err);
	if (rc < 0)
		return rc;
	if (use->binding_size > sizeof(use->binding))
		return base_error(err, HN_EINVAL, CAPS_ROOM, NULL,
			"a channel binding has at most %zu bytes", sizeof(use->binding));
	caps_token_chain_hash(token, chain);
	codec_cbor_put_map(&out, 7);
	put_label_time(&out, CAPS_CLAIM_ISSUED, use->issued);
	put_label_bytes(&out, CAPS_CLAIM_NONCE, use->nonce, sizeof(use->nonce));
	codec_cbor_put_int(&out, CAPS_CLAIM_VERB);
	codec_cbor_put_uint(&out, use->verb);
	put_label_text(&out, CAPS_CLAIM_OBJECT, use->object);
	put_label_bytes(&out, CAPS_CLAIM_REQUEST, use->request_hash, sizeof(use->request_hash));
	codec_cbor_put_int(&out, CAPS_CLAIM_CHANNEL);
	codec_cbor_put_array(&out, 2);
	codec_cbor_put_uint(&out, use->channel_kind);
	codec_cbor_put_bytes(&out, use->binding, use->binding_size);
	put_label_bytes(&out, CAPS_CLAIM_CHAIN, chain, sizeof(chain));
	rc = out.buf.failed ? base_nomem(err)
			    : with_proof(token, CAPS_PROOF_POSSESSION, view_of(&out.buf), seed,
				      proven, err);
	base_buf_free(&out.buf);
	return rc;
}

int caps_token_text(const caps_token *token, char **text, hn_error **err)
{
	const size_t prefix = sizeof(CAPS_TEXT_PREFIX) - 1;
	char *made = base_alloc(prefix + codec_base64url_size(token->size) + 1);

	if (made == NULL)
		return base_nomem(err);
	memcpy(made, CAPS_TEXT_PREFIX, prefix);
	codec_base64url(token->bytes, token->size, made + prefix);
	*text = made;
	return 0;
}
