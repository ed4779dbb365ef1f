/* SPDX-License-Identifier: MIT
 *
 * Strict reading of hvc1: what is taken has one encoding only, and every limit is checked before
 * anything is stored.
 */
#include "caps/token-private.h"

typedef struct reader {
	caps_token *token;
	const char *reason; /* why not */
} reader;

/* What must hold, or else the reading ends with this reason. */
static bool holds(reader *r, bool held, const char *reason)
{
	if (!held)
		r->reason = reason;
	return held;
}

static bool no(reader *r, const char *reason)
{
	return holds(r, false, reason);
}

int caps_token_refuse(hn_error **err)
{
	return base_error(err, HN_ETOKEN, CAPS_ROOM, NULL, "the capability token is not accepted");
}

static int refuse(const char *why, const char **reason, hn_error **err)
{
	if (reason != NULL)
		*reason = why;
	return caps_token_refuse(err);
}

/* --- claims --- */

static bool read_caveats(reader *r, codec_cbor *in, uint8_t *first, uint8_t *count)
{
	caps_token *token = r->token;
	uint8_t link = (uint8_t)(token->link_count), slot = 0;
	uint64_t items = 0;

	if (!caps_take_array(in, 1, CAPS_CAVEATS, &items))
		return no(r, "caveats: not an array of 1 to 64");
	if (items > CAPS_CAVEATS - token->caveat_count)
		return no(r, "more than 64 caveats");
	for (size_t i = token->caveat_count; i > 0 && token->caveats[i - 1].link == link; i--)
		slot++;
	*first = (uint8_t)token->caveat_count;
	*count = (uint8_t)items;
	for (uint64_t i = 0; i < items; i++) {
		caps_caveat *caveat = &token->caveats[token->caveat_count++];
		const char *wrong = caps_caveat_take(in, caveat);

		if (wrong != NULL)
			return no(r, wrong);
		caveat->link = link;
		caveat->slot = slot++;
	}
	return true;
}

static bool read_grant(reader *r, codec_cbor *in)
{
	caps_grant *grant = &r->token->grants[r->token->grant_count++];
	uint64_t items = 0;

	if (!caps_take_array(in, 2, 3, &items))
		return no(r, "grant: not an array of two or three");
	if (!caps_take_mask(in, &grant->mask))
		return no(r, "grant: not a mask of verbs");
	if (!caps_take_pattern(in, &grant->pattern))
		return no(r, "grant: not a pattern of objects");
	return items == 2 || read_caveats(r, in, &grant->first_caveat, &grant->caveat_count);
}

static bool read_subject(reader *r, codec_cbor *in, caps_link *link)
{
	(void)link;
	return holds(
		r, caps_take_name(in, CAPS_NAME_BYTES, &r->token->subject), "subject: not a name");
}

static bool read_audience(reader *r, codec_cbor *in, caps_link *link)
{
	(void)link;
	return holds(r, caps_take_name(in, CAPS_NAME_BYTES, &r->token->audience),
		"audience: not a name");
}

static bool read_template(reader *r, codec_cbor *in, caps_link *link)
{
	(void)link;
	return holds(r, caps_take_name(in, CAPS_NAME_BYTES, &r->token->template_name),
		"template: not a name");
}

static bool read_expires(reader *r, codec_cbor *in, caps_link *link)
{
	return holds(r, caps_take_time(in, &link->expires), "exp: not a time");
}

static bool read_not_before(reader *r, codec_cbor *in, caps_link *link)
{
	return holds(r, caps_take_time(in, &link->not_before), "nbf: not a time");
}

static bool read_issued(reader *r, codec_cbor *in, caps_link *link)
{
	return holds(r, caps_take_time(in, &link->issued), "iat: not a time");
}

static bool read_cti(reader *r, codec_cbor *in, caps_link *link)
{
	return holds(r, caps_take_bytes(in, CAPS_CTI, &link->cti), "cti: not 16 bytes");
}

static bool read_cnf(reader *r, codec_cbor *in, caps_link *link)
{
	uint64_t items = 0, label = 0;

	if (!codec_cbor_map(in, &items) || items != 1 || !codec_cbor_uint(in, &label) ||
		label != 1 || !caps_cosekey_take(in, link->cnf))
		return no(r, "cnf: not one Ed25519 key");
	return true;
}

static bool read_grants(reader *r, codec_cbor *in, caps_link *link)
{
	uint64_t items = 0;

	(void)link;
	if (!caps_take_array(in, 1, CAPS_GRANTS, &items))
		return no(r, "grants: not an array of 1 to 32");
	for (uint64_t i = 0; i < items; i++)
		if (!read_grant(r, in))
			return false;
	return true;
}

static bool read_link_caveats(reader *r, codec_cbor *in, caps_link *link)
{
	return read_caveats(r, in, &link->first_caveat, &link->caveat_count);
}

static bool read_subject_epoch(reader *r, codec_cbor *in, caps_link *link)
{
	(void)link;
	return holds(
		r, codec_cbor_uint(in, &r->token->subject_epoch), "subject epoch: not a number");
}

enum { MUST_FIRST = 1, MUST_LATER = 2, MAY_FIRST = 4, MAY_LATER = 8 };
#define MUST (MUST_FIRST | MUST_LATER)
#define MAY (MAY_FIRST | MAY_LATER)

static const struct claim {
	int64_t label;
	unsigned where;
	bool (*read)(reader *r, codec_cbor *in, caps_link *link);
} claims_known[] = {
	{CAPS_CLAIM_SUBJECT, MUST_FIRST, read_subject},
	{CAPS_CLAIM_AUDIENCE, MUST_FIRST, read_audience},
	{CAPS_CLAIM_EXPIRES, MUST, read_expires},
	{CAPS_CLAIM_NOT_BEFORE, MAY, read_not_before},
	{CAPS_CLAIM_ISSUED, MUST, read_issued},
	{CAPS_CLAIM_CTI, MUST, read_cti},
	{CAPS_CLAIM_CNF, MUST, read_cnf},
	{CAPS_CLAIM_GRANTS, MUST_FIRST, read_grants},
	{CAPS_CLAIM_CAVEATS, MAY, read_link_caveats},
	{CAPS_CLAIM_SUBJECT_EPOCH, MAY_FIRST, read_subject_epoch},
	{CAPS_CLAIM_TEMPLATE, MAY_FIRST, read_template},
};

/* The table is in the order of the encoded labels, which the cursor makes the map keep: one walk
 * over both. */
static bool read_claims(reader *r, caps_view payload, caps_link *link)
{
	bool first = r->token->link_count == 0;
	unsigned must = first ? MUST_FIRST : MUST_LATER, may = first ? MAY_FIRST : MAY_LATER;
	uint64_t left = 0;
	int64_t label = 0;
	codec_cbor in;

	codec_cbor_open(&in, payload.bytes, payload.size);
	if (!codec_cbor_map(&in, &left) || (left > 0 && !codec_cbor_int(&in, &label)))
		return no(r, "claims: not a map");
	for (size_t i = 0; i < BASE_COUNT(claims_known); i++) {
		const struct claim *claim = &claims_known[i];

		if (left == 0 || label != claim->label) {
			if ((claim->where & must) != 0)
				return no(r, "claims: one is missing");
			continue;
		}
		if ((claim->where & (must | may)) == 0)
			return no(r, "claims: one does not belong into this link");
		if (!claim->read(r, &in, link))
			return false;
		if (--left > 0 && !codec_cbor_int(&in, &label))
			return no(r, "claims: a label is no integer, stands twice or out of order");
	}
	if (left > 0 || codec_cbor_end(&in, NULL) < 0)
		return no(r, "claims: one is not known, or bytes follow");
	if (link->expires <= link->issued || link->expires <= link->not_before)
		return no(r, "claims: it ends before it begins");
	return true;
}

/* --- links --- */

static bool same(caps_view view, const uint8_t *bytes, size_t size)
{
	return view.size == size && memcmp(view.bytes, bytes, size) == 0;
}

/* The header of a first link holds a kid at a fixed place, that of a later one the hash. */
static bool read_header(reader *r, caps_link *link)
{
	uint8_t expected[CAPS_HEADER_BYTES];
	caps_view header = link->protected_header;
	size_t size;

	if (r->token->link_count == 0) {
		if (header.size < 5 + CAPS_KID)
			return no(r, "the protected header is not that of a first link");
		memcpy(r->token->kid, header.bytes + 5, CAPS_KID);
		size = caps_header_first(r->token->kid, expected);
		for (size_t i = 8; i < CAPS_KID; i++)
			r->token->issuer_epoch = r->token->issuer_epoch << 8 | r->token->kid[i];
		return holds(r, same(header, expected, size),
			"the protected header is not that of a first link");
	}
	if (header.size < 32)
		return no(r, "the protected header is not that of a later link");
	memcpy(link->parent, header.bytes + header.size - 32, 32);
	size = caps_header_later(link->parent, expected);
	return holds(r, same(header, expected, size),
		"the protected header is not that of a later link");
}

/* A tagged COSE_Sign1 with nothing unprotected, a payload, and a signature of 64 bytes. The
 * protected header is not looked into: it is compared with the one that it must be. */
static bool read_message(caps_view bytes, codec_cose_sign1 *message)
{
	caps_view *header = &message->protected_header, *payload = &message->payload;
	uint64_t tag = 0, items = 0;
	codec_cbor in;

	codec_cbor_open(&in, bytes.bytes, bytes.size);
	return codec_cbor_tag(&in, &tag) && tag == CODEC_COSE_TAG_SIGN1 &&
	       caps_take_array(&in, 4, 4, &items) &&
	       codec_cbor_bytes(&in, &header->bytes, &header->size) &&
	       codec_cbor_map(&in, &items) && items == 0 &&
	       codec_cbor_bytes(&in, &payload->bytes, &payload->size) && payload->size > 0 &&
	       caps_take_bytes(&in, CRYPTO_SIGNATURE, &message->signature) &&
	       codec_cbor_end(&in, NULL) == 0;
}

static bool read_link(reader *r, caps_view bytes)
{
	caps_link *link = &r->token->links[r->token->link_count];
	codec_cose_sign1 message;

	if (!read_message(bytes, &message))
		return no(r, "a link is not a strict, tagged COSE_Sign1 with all in its payload");
	link->whole = bytes;
	link->protected_header = message.protected_header;
	link->payload = message.payload;
	link->signature = message.signature;
	if (!read_header(r, link) || !read_claims(r, link->payload, link))
		return false;
	r->token->link_count++;
	return true;
}

/* --- the proof --- */

static bool label_is(codec_cbor *in, int64_t label)
{
	int64_t here = 0;

	return codec_cbor_int(in, &here) && here == label;
}

static bool read_possession(caps_view payload, caps_proof *proof)
{
	uint64_t items = 0, parts = 0;
	codec_cbor in;

	codec_cbor_open(&in, payload.bytes, payload.size);
	return codec_cbor_map(&in, &items) && items == 7 && label_is(&in, CAPS_CLAIM_ISSUED) &&
	       caps_take_time(&in, &proof->issued) && label_is(&in, CAPS_CLAIM_NONCE) &&
	       caps_take_bytes(&in, 16, &proof->nonce) && label_is(&in, CAPS_CLAIM_VERB) &&
	       codec_cbor_uint(&in, &proof->verb) && label_is(&in, CAPS_CLAIM_OBJECT) &&
	       caps_take_pattern(&in, &proof->object) && label_is(&in, CAPS_CLAIM_REQUEST) &&
	       caps_take_bytes(&in, 32, &proof->request_hash) &&
	       label_is(&in, CAPS_CLAIM_CHANNEL) && caps_take_array(&in, 2, 2, &parts) &&
	       codec_cbor_uint(&in, &proof->channel_kind) &&
	       codec_cbor_bytes(&in, &proof->binding.bytes, &proof->binding.size) &&
	       label_is(&in, CAPS_CLAIM_CHAIN) && caps_take_bytes(&in, 32, &proof->chain_hash) &&
	       codec_cbor_end(&in, NULL) == 0;
}

bool caps_proof_read(caps_proof_kind kind, caps_view bytes, caps_proof *proof)
{
	uint8_t expected[CAPS_HEADER_BYTES];

	*proof = (caps_proof){0};
	if (!read_message(bytes, &proof->message) ||
		!same(proof->message.protected_header, expected, caps_header_proof(kind, expected)))
		return false;
	if (kind == CAPS_PROOF_POSSESSION)
		return read_possession(proof->message.payload, proof);
	proof->chain_hash = proof->message.payload;
	return proof->chain_hash.size == 32;
}

static bool read_proof(reader *r, codec_cbor *in)
{
	enum { SEED, POSSESSION, SEAL };
	caps_token *token = r->token;
	uint64_t items = 0, kind = 0;
	caps_proof proof;

	if (!caps_take_array(in, 2, 2, &items) || !caps_take_uint(in, SEED, SEAL, &kind) ||
		!codec_cbor_bytes(in, &token->proof_bytes.bytes, &token->proof_bytes.size))
		return no(r, "the proof is not one of the three kinds");
	if (kind == SEED) {
		token->proof = CAPS_PROOF_BEARER;
		return holds(r, token->proof_bytes.size == CRYPTO_SEED, "the seed is not 32 bytes");
	}
	if (kind == POSSESSION && token->proof_bytes.size == 0) {
		token->proof = CAPS_PROOF_STORED;
		return true;
	}
	token->proof = kind == SEAL ? CAPS_PROOF_SEALED : CAPS_PROOF_POSSESSION;
	return holds(r, caps_proof_read(token->proof, token->proof_bytes, &proof),
		"the proof has not its form");
}

/* --- all of it --- */

static const char not_a_chain[] = "not an array of a chain and a proof";

/* The outer array and the heads of its links, for which nothing is allocated. */
static bool outline(const uint8_t *bytes, size_t size)
{
	uint64_t items = 0;
	codec_cbor in;

	codec_cbor_open(&in, bytes, size);
	return codec_cbor_array(&in, &items) && items == 2 &&
	       caps_take_array(&in, 1, CAPS_LINKS, &items);
}

static bool read_token(reader *r, const uint8_t *bytes, size_t size)
{
	uint64_t items = 0;
	codec_cbor in;

	codec_cbor_open(&in, bytes, size);
	if (!codec_cbor_array(&in, &items))
		return no(r, not_a_chain);
	size_t start = in.offset;
	if (!codec_cbor_array(&in, &items))
		return no(r, not_a_chain);
	for (uint64_t i = 0; i < items; i++) {
		caps_view link;

		if (!codec_cbor_bytes(&in, &link.bytes, &link.size))
			return no(r, "a link is not a byte string");
		if (!read_link(r, link))
			return false;
	}
	r->token->chain = (caps_view){bytes + start, in.offset - start};
	if (!read_proof(r, &in))
		return false;
	return holds(r, codec_cbor_end(&in, NULL) == 0, "bytes follow the token");
}

int caps_token_read(
	const uint8_t *bytes, size_t size, caps_token **token, const char **reason, hn_error **err)
{
	if (size > CAPS_TOKEN_BYTES)
		return refuse("more than 4,096 bytes", reason, err);
	if (!outline(bytes, size))
		return refuse(not_a_chain, reason, err);
	BASE_AUTO_OF(caps_token) caps_token *made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	made->bytes = base_memdup(bytes, size);
	if (made->bytes == NULL)
		return base_nomem(err);
	made->size = size;
	reader r = {.token = made};
	if (!read_token(&r, made->bytes, size))
		return refuse(r.reason, reason, err);
	*token = BASE_STEAL(made);
	return 0;
}

int caps_token_read_text(
	const char *text, size_t size, caps_token **token, const char **reason, hn_error **err)
{
	const size_t prefix = sizeof(CAPS_TEXT_PREFIX) - 1;
	uint8_t bytes[CAPS_TOKEN_BYTES];
	size_t count = 0;

	if (size <= prefix || memcmp(text, CAPS_TEXT_PREFIX, prefix) != 0)
		return refuse("it does not begin with hvc1.", reason, err);
	if (!codec_base64url_decode(text + prefix, size - prefix, bytes, sizeof(bytes), &count)) {
		crypto_wipe(bytes, sizeof(bytes));
		return refuse("not base64url of at most 4,096 bytes", reason, err);
	}
	int rc = caps_token_read(bytes, count, token, reason, err);
	crypto_wipe(bytes, count);
	return rc;
}

void caps_token_free(caps_token *token)
{
	if (token == NULL)
		return;
	if (token->bytes != NULL)
		crypto_wipe(token->bytes, token->size);
	base_free(token->bytes);
	base_free(token);
}

int caps_claims_form(const uint8_t *bytes, size_t size, bool first, caps_token *claims,
	const char **reason, hn_error **err)
{
	reader r = {.token = claims};

	*claims = (caps_token){0};
	claims->link_count = first ? 0 : 1;
	if (size > CAPS_TOKEN_BYTES)
		return refuse("more than 4,096 bytes", reason, err);
	if (!read_claims(&r, (caps_view){bytes, size}, &claims->links[0]))
		return refuse(r.reason, reason, err);
	claims->links[0].payload = (caps_view){bytes, size};
	claims->link_count = 1;
	return 0;
}

int caps_claims_read(
	const uint8_t *bytes, size_t size, caps_token *claims, const char **reason, hn_error **err)
{
	return caps_claims_form(bytes, size, true, claims, reason, err);
}

void caps_token_chain_hash(const caps_token *token, uint8_t hash[32])
{
	crypto_sha256(token->chain.bytes, token->chain.size, hash);
}

int64_t caps_token_expires(const caps_token *token)
{
	int64_t first = CAPS_TIME_MAX;

	for (size_t i = 0; i < token->link_count; i++)
		if (token->links[i].expires < first)
			first = token->links[i].expires;
	return first;
}
