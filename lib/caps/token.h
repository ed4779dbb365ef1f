/* SPDX-License-Identifier: MIT
 *
 * The token format hvc1 (caps.md section 5): a chain of COSE_Sign1 links, read strictly, made, and
 * narrowed. Nothing here trusts a byte: a token that was read is well-formed, not yet verified
 * (caps/verify.h).
 */
#ifndef CAPS_TOKEN_H
#define CAPS_TOKEN_H

#include "caps/caps-private.h"

#define CAPS_TOKEN_BYTES 4096 /* of the CBOR */
#define CAPS_LINKS 8
#define CAPS_GRANTS 32
#define CAPS_CAVEATS 64
#define CAPS_CTI 16
#define CAPS_KID 12
#define CAPS_KID_EPOCH 4 /* bytes of it at its end */
#define CAPS_TIME_MAX INT64_C(253402300799)
#define CAPS_LINK_NONE 255

typedef enum caps_caveat_id {
#define CAPS_CAVEAT(NAME, id, name, code) CAPS_##NAME = (id),
#include "caps/caveat.def"
#undef CAPS_CAVEAT
} caps_caveat_id;

/* One caveat: checked against its form when read; `raw` is the whole item, for the evaluator. */
typedef struct caps_caveat {
	uint16_t id;
	uint8_t link; /* the link that holds it */
	uint8_t slot; /* its number in that link, in reading order: grants' caveats first */
	caps_view raw;
} caps_caveat;

typedef struct caps_grant {
	caps_mask mask;
	caps_view pattern;
	uint8_t first_caveat, caveat_count; /* in the token's caveats */
} caps_grant;

typedef struct caps_link {
	caps_view whole; /* the tagged COSE_Sign1 */
	caps_view protected_header, payload, signature;
	caps_view cti;      /* CAPS_CTI bytes: what a revocation names */
	uint8_t cnf[32];    /* public key that may sign the next link, or the proof */
	uint8_t parent[32]; /* hash of the previous link, as this one says; links 1.. */
	int64_t expires, not_before, issued; /* seconds since 1970; not_before 0: none */
	uint8_t first_caveat, caveat_count;  /* those of the link itself */
} caps_link;

typedef enum caps_proof_kind {
	CAPS_PROOF_BEARER,     /* the seed of the last cnf is inside */
	CAPS_PROOF_POSSESSION, /* a signature over this very use */
	CAPS_PROOF_STORED,     /* none yet: as kept in a file */
	CAPS_PROOF_SEALED      /* no link may follow */
} caps_proof_kind;

typedef struct caps_token {
	uint8_t *bytes; /* owned; all views point into it */
	size_t size;
	caps_view chain; /* the array of links, as encoded */
	caps_link links[CAPS_LINKS];
	size_t link_count;
	caps_grant grants[CAPS_GRANTS];
	size_t grant_count;
	caps_caveat caveats[CAPS_CAVEATS];
	size_t caveat_count;
	caps_view subject, audience, template_name; /* texts without NUL */
	uint8_t kid[CAPS_KID];
	uint32_t issuer_epoch; /* last four bytes of kid */
	uint64_t subject_epoch;
	caps_proof_kind proof;
	caps_view proof_bytes; /* seed, or the COSE item of possession or seal */
} caps_token;

/* From text ("hvc1." and base64url) or from its CBOR. HN_ETOKEN with the one text; why goes into
 * `reason` (static text; may be NULL), for the audit log and for `inspect`. */
int caps_token_read_text(
	const char *text, size_t size, caps_token **token, const char **reason, hn_error **err);
int caps_token_read(
	const uint8_t *bytes, size_t size, caps_token **token, const char **reason, hn_error **err);
void caps_token_free(caps_token *token);
BASE_AUTO(caps_token, caps_token_free)
/* The one refusal of every token that is not good. */
int caps_token_refuse(hn_error **err);

/* SHA-256 of the array of links: what proofs, seals and audit records name. */
void caps_token_chain_hash(const caps_token *token, uint8_t hash[32]);
/* When the first of its links ends: seconds since 1970. */
int64_t caps_token_expires(const caps_token *token);

/* Claims of link 0 as a signer takes them: strict; within the ceiling is the signer's part. Fills
 * what link 0 says and leaves the rest zero; views are borrowed from `bytes`. HN_ETOKEN. */
int caps_claims_read(
	const uint8_t *bytes, size_t size, caps_token *claims, const char **reason, hn_error **err);

/* What a link shall say; the writer puts keys and caveats into canonical order. Texts borrowed. */
typedef struct caps_grant_terms {
	caps_mask mask;
	const char *pattern;
	const base_buf *caveats; /* CBOR items one after the other */
	size_t caveat_count;
} caps_grant_terms;
typedef struct caps_terms {
	const char *subject, *audience, *template_name; /* link 0 only; template may be NULL */
	uint64_t subject_epoch;                         /* link 0 only; 0: left out */
	int64_t expires, not_before, issued;
	uint8_t cti[CAPS_CTI], cnf[32];
	const caps_grant_terms *grants; /* link 0 only */
	size_t grant_count;
	const base_buf *caveats; /* CBOR items one after the other; NULL: none */
	size_t caveat_count;
} caps_terms;
int caps_claims_write(const caps_terms *terms, bool first, base_buf *out, hn_error **err);
/* A new token of one link around claims that an issuer key signed (to be signed bytes by
 * caps_link_tbs); possession form without proof, or bearer when `seed` is given. */
int caps_link_tbs(const uint8_t *parent_hash, const uint8_t kid[CAPS_KID], const base_buf *claims,
	base_buf *tbs, hn_error **err); /* parent_hash NULL: link 0 */
int caps_token_begin(const uint8_t kid[CAPS_KID], const base_buf *claims,
	const uint8_t signature[64], const uint8_t *seed, caps_token **token, hn_error **err);
/* One link more, signed with the seed of the last cnf (bearer: taken from the token when `seed` is
 * NULL). `next_seed` goes into the token when the result is a bearer token, NULL for possession.
 * HN_EINVAL when the token is sealed, has no seed, or `seed` is not that of its last cnf; HN_ELIMIT
 * when the result is over a limit. */
int caps_token_append(const caps_token *token, const uint8_t *seed, const base_buf *claims,
	const uint8_t *next_seed, caps_token **longer, hn_error **err);
int caps_token_seal(
	const caps_token *token, const uint8_t *seed, caps_token **sealed, hn_error **err);
/* The same chain without its proof: as it is kept in a file, or handed to whom its last cnf is. */
int caps_token_strip(const caps_token *token, caps_token **stored, hn_error **err);
/* "hvc1." and base64url, NUL-terminated; the caller owns it. */
int caps_token_text(const caps_token *token, char **text, hn_error **err);

/* Proof of possession over one use (popc of the note). */
typedef struct caps_use {
	int64_t issued; /* seconds since 1970 */
	uint8_t nonce[16];
	unsigned verb;      /* 65535: to open a session */
	const char *object; /* "-": none */
	uint8_t request_hash[32];
	unsigned channel_kind;
	uint8_t binding[64];
	size_t binding_size;
} caps_use;
int caps_token_prove(const caps_token *token, const uint8_t seed[32], const caps_use *use,
	caps_token **proven, hn_error **err);

/* A proof or a seal, as it was read; borrowed from the token. */
typedef struct caps_proof {
	codec_cose_sign1 message;
	int64_t issued;
	caps_view nonce, object, request_hash, binding, chain_hash; /* a seal: chain_hash only */
	uint64_t verb, channel_kind;
} caps_proof;
/* Form only, of CAPS_PROOF_POSSESSION and CAPS_PROOF_SEALED. */
bool caps_proof_read(caps_proof_kind kind, caps_view bytes, caps_proof *proof);

#endif
