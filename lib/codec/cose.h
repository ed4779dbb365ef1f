/* SPDX-License-Identifier: MIT
 *
 * COSE signatures (RFC 9052): structure and to-be-signed bytes, no cryptography. Views are borrowed
 * from the bytes that were parsed. Which algorithms, labels and tags a format takes is for its
 * reader to say; here stands only what holds for every COSE message.
 */
#ifndef CODEC_COSE_H
#define CODEC_COSE_H

#include "base/base-private.h"

typedef struct codec_cbor_out codec_cbor_out;

enum {
	CODEC_COSE_TAG_SIGN1 = 18,
	CODEC_COSE_TAG_SIGN = 98,
	CODEC_COSE_SIGNATURES = 16, /* of one COSE_Sign */
	CODEC_COSE_CRITICAL = 16    /* labels in one "crit" */
};
enum { CODEC_COSE_ALG = 1, CODEC_COSE_CRIT = 2, CODEC_COSE_CONTENT = 3, CODEC_COSE_KID = 4 };

/* Bytes of somebody else. NULL is "absent", which an empty string is not. */
typedef struct codec_view {
	const uint8_t *bytes;
	size_t size;
} codec_view;

typedef struct codec_cose_sign1 {
	codec_view protected_header; /* inside the byte string: an encoded map, or nothing */
	codec_view unprotected;      /* the encoded map; writing NULL writes an empty one */
	codec_view payload;          /* NULL for nil: the payload is elsewhere */
	codec_view signature;
	bool tagged;
} codec_cose_sign1;

typedef struct codec_cose_signer {
	codec_view protected_header, unprotected, signature;
} codec_cose_signer;

typedef struct codec_cose_sign {
	codec_view protected_header, unprotected, payload;
	size_t count; /* 1 .. CODEC_COSE_SIGNATURES */
	codec_cose_signer signers[CODEC_COSE_SIGNATURES];
	bool tagged;
} codec_cose_sign;

/* The whole of `bytes` is one message in strict CBOR, HN_ECBOR otherwise. Both headers are checked
 * to be maps, or an empty string for the protected one. `tag_optional` takes a message without its
 * tag too, as RFC 9052 section 2 allows where the context says what it is. */
int codec_cose_sign1_parse(const void *bytes, size_t size, bool tag_optional,
	codec_cose_sign1 *message, hn_error **err);
int codec_cose_sign_parse(const void *bytes, size_t size, bool tag_optional,
	codec_cose_sign *message, hn_error **err);
/* Write with the tag when message->tagged. `unprotected` is copied as it is. */
void codec_cose_sign1_put(codec_cbor_out *out, const codec_cose_sign1 *message);
void codec_cose_sign_put(codec_cbor_out *out, const codec_cose_sign *message);

/* Adds the Sig_structure of RFC 9052 section 4.4: what is signed. With `signer_protected` NULL that
 * is "Signature1", else "Signature" of one signer of a COSE_Sign. A protected header that is an
 * empty map counts as none. Out of memory shows in buf->failed. */
void codec_cose_tbs(base_buf *buf, codec_view body_protected, const codec_view *signer_protected,
	codec_view external, codec_view payload);

typedef enum codec_cose_place {
	CODEC_COSE_ABSENT,
	CODEC_COSE_PROTECTED,
	CODEC_COSE_UNPROTECTED
} codec_cose_place;
/* The parameters that every COSE message may have. */
typedef struct codec_cose_headers {
	codec_cose_place alg_place, content_place, kid_place;
	int64_t alg;         /* when alg_text is NULL */
	codec_view alg_text; /* not a registered number but a name */
	codec_view content;  /* the encoded value: an unsigned integer or a text */
	codec_view kid;      /* the bytes */
	size_t critical_count;
	codec_view critical[CODEC_COSE_CRITICAL]; /* encoded labels; "crit" is protected or refused
						   */
	size_t count;                             /* parameters in both maps together */
} codec_cose_headers;
/* Refuses (HN_ECBOR): a label that is neither integer nor text, one that stands in both maps, a
 * parameter above of the wrong type, "crit" that is empty, unprotected or names a label that is not
 * in the protected header. */
int codec_cose_headers_read(codec_view protected_header, codec_view unprotected,
	codec_cose_headers *headers, hn_error **err);
/* HN_ENOSUP when a critical label is not among `known`. */
int codec_cose_critical_known(
	const codec_cose_headers *headers, const int64_t *known, size_t count, hn_error **err);
/* The encoded value of an integer label in an encoded map that was checked; false when absent. */
bool codec_cose_find(codec_view map, int64_t label, codec_view *value);

#endif
