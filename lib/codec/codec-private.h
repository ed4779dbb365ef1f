/* SPDX-License-Identifier: MIT
 *
 * JSON with positions, strict deterministic CBOR, CRC32C, hexadecimal; base64, COSE signatures,
 * signed notes, time zones and schedules have headers of their own. Pure: bytes in, values out.
 */
#ifndef CODEC_PRIVATE_H
#define CODEC_PRIVATE_H

#include "base/base-private.h"
#include "codec/base64.h"
#include "codec/cose.h"
#include "codec/note.h"
#include "codec/schedule.h"
#include "codec/tzif.h"
#include <hypernix/codec.h>
#include <jansson.h>

/* --- JSON with positions --- */
typedef enum codec_kind {
	CODEC_OBJECT,
	CODEC_ARRAY,
	CODEC_TEXT,
	CODEC_INTEGER,
	CODEC_REAL,
	CODEC_TRUE,
	CODEC_FALSE,
	CODEC_NULL
} codec_kind;

/* A value with its place in the file. The tree lives in the document's arena. */
typedef struct codec_node {
	struct codec_node *parent;
	struct codec_node *child; /* first element or member */
	struct codec_node *next;  /* next sibling, in file order */
	const char *key;          /* decoded member name; NULL in arrays and at the root */
	const char *text;         /* decoded, for CODEC_TEXT; NUL-terminated */
	const char *raw;          /* the bytes in the file, not terminated */
	uint32_t key_size, text_size, raw_size;
	uint32_t count;        /* elements or members */
	uint32_t line, column; /* of the value, from 1; columns count bytes */
	uint32_t key_line, key_column;
	int64_t integer; /* CODEC_INTEGER */
	codec_kind kind;
} codec_node;

typedef struct codec_json codec_json;
/* Strict RFC 8259. Checks size (DOCUMENT_BYTES) and depth (JSON_DEPTH) before jansson sees the
 * bytes; refuses duplicate members, invalid UTF-8, NUL, lone surrogates, trailing bytes. Errors
 * carry file:line:column in the message. `bytes` is copied. jansson accepts the bytes first; the
 * positions come from our scan of the same bytes. */
int codec_json_parse(
	const char *file, const char *bytes, size_t size, codec_json **doc, hn_error **err);
void codec_json_free(codec_json *doc);
const codec_node *codec_json_root(const codec_json *doc);
const codec_node *codec_member(const codec_node *object, const char *key); /* NULL when absent */
const char *codec_kind_name(codec_kind kind); /* "a string", "an object" ... */
BASE_AUTO(codec_json, codec_json_free)
BASE_AUTO(hn_json, hn_json_free)
/* For who could not make a value to write: hn_json_finish reports HN_ENOMEM. */
void codec_json_nomem(hn_json *json);
/* hn_json_finish where the text is to outlive the writer: *text is owned, by base_free. */
int codec_json_take(hn_json *json, char **text, hn_error **err);

/* Between the files of this room. */
typedef struct codec_json_place {
	const char *file;
	uint32_t line, column;
} codec_json_place;
/* "file:line:column: message" with the facts file, line, column; returns the code. */
int codec_json_fail(hn_error **err, hn_code code, const codec_json_place *place, const char *hint,
	const char *message);
/* Makes the tree of bytes that were checked for size, UTF-8, NUL and depth and have a NUL behind
 * them. Decoded texts go to `pool`, size + 1 bytes. */
int codec_json_scan(const char *file, const char *bytes, size_t size, char *pool, base_arena *arena,
	codec_node **root, hn_error **err);

/* --- CBOR: deterministic writer (RFC 8949 section 4.2.1) --- */
typedef struct codec_cbor_out {
	base_buf buf;
} codec_cbor_out;
void codec_cbor_put_uint(codec_cbor_out *out, uint64_t value);
void codec_cbor_put_int(codec_cbor_out *out, int64_t value);
void codec_cbor_put_bytes(codec_cbor_out *out, const void *bytes, size_t size);
void codec_cbor_put_text(codec_cbor_out *out, const char *text, size_t size);
void codec_cbor_put_array(codec_cbor_out *out, uint64_t count);
void codec_cbor_put_map(
	codec_cbor_out *out, uint64_t count); /* the caller gives keys in encoded order */
void codec_cbor_put_tag(codec_cbor_out *out, uint64_t tag);
void codec_cbor_put_bool(codec_cbor_out *out, bool value);
void codec_cbor_put_null(codec_cbor_out *out);

/* --- CBOR: strict cursor over one item (RFC 8949, a subset of section 4.2.1). No allocation,
 * borrowed views, the first error sticks with its offset (HN_ECBOR). Out parameters are untouched
 * on failure. Takes: integers of 64 bits with or without sign, definite byte strings, texts, arrays
 * and maps, true, false, null, and a tag where codec_cbor_tag asks for it. Refuses: heads that are
 * not the shortest, indefinite lengths, floating point, other simple values, integers below -2^63,
 * keys that do not rise strictly in their encoded bytes (so duplicates too), maps and tags
 * as keys (an array may be one: it is compared when it ends), invalid UTF-8 and NUL in texts, more
 * than CBOR_DEPTH levels, a count of more items than bytes are left, trailing bytes. A container is
 * left by itself once its last item was read: count down what codec_cbor_array or _map gave. A byte
 * string that holds CBOR gets a cursor of its own.
 * --- */
typedef struct codec_cbor {
	const uint8_t *bytes;
	size_t size, offset;
	int depth;
	struct {
		uint64_t left;
		bool map;
		bool want_value;
		bool is_key;  /* this array is a key of the map around it, and is compared when it
				 ends */
		size_t start; /* of its head */
		size_t key_offset, key_size;
	} frame[9];
	hn_code code;
	size_t error_offset;
	const char *error_text;
} codec_cbor;
typedef enum codec_cbor_type {
	CODEC_CBOR_UINT,
	CODEC_CBOR_NEGATIVE,
	CODEC_CBOR_BYTES,
	CODEC_CBOR_TEXT,
	CODEC_CBOR_ARRAY,
	CODEC_CBOR_MAP,
	CODEC_CBOR_TAG,
	CODEC_CBOR_BOOL,
	CODEC_CBOR_NULL,
	CODEC_CBOR_END,
	CODEC_CBOR_ERROR
} codec_cbor_type;
void codec_cbor_open(codec_cbor *in, const void *bytes, size_t size);
codec_cbor_type codec_cbor_peek(codec_cbor *in);
bool codec_cbor_uint(codec_cbor *in, uint64_t *value);
bool codec_cbor_int(codec_cbor *in, int64_t *value);
bool codec_cbor_bytes(codec_cbor *in, const uint8_t **bytes, size_t *size);
bool codec_cbor_text(codec_cbor *in, const char **text, size_t *size);
bool codec_cbor_array(codec_cbor *in, uint64_t *count);
bool codec_cbor_map(codec_cbor *in, uint64_t *count);
bool codec_cbor_tag(codec_cbor *in, uint64_t *tag);
bool codec_cbor_bool(codec_cbor *in, bool *value);
bool codec_cbor_null(codec_cbor *in);
bool codec_cbor_skip(codec_cbor *in); /* one whole item, checked */
/* As codec_cbor_skip, and gives the encoded bytes of the item. */
bool codec_cbor_raw(codec_cbor *in, const uint8_t **bytes, size_t *size);
int codec_cbor_end(
	codec_cbor *in, hn_error **err); /* 0 when all was well and all bytes were used */

/* --- small codes --- */
uint32_t codec_crc32c(uint32_t crc, const void *bytes, size_t size); /* start with 0 */
uint32_t codec_crc32c_portable(
	uint32_t crc, const void *bytes, size_t size);     /* the same without the instruction */
void codec_hex(const void *bytes, size_t size, char *out); /* 2 * size + 1 */
bool codec_hex_decode(
	const char *text, size_t size, uint8_t *bytes); /* exactly size digits, size even */

#endif
