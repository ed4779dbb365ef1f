/* SPDX-License-Identifier: MIT
 *
 * What the payload-parse*.c files share: the child's side, where foreign bytes are taken apart.
 */
#ifndef COMPOSE_PAYLOAD_PARSE_H
#define COMPOSE_PAYLOAD_PARSE_H

#include "compose/payload.h"

/* What becomes of the entries of a tar. */
typedef enum parse_use {
	PARSE_ENTRIES, /* they are the payload's */
	PARSE_CONTROL, /* they are the control part of a deb */
	PARSE_LAYOUT,  /* they are the files of an image layout: only their places are noted */
	PARSE_LAYER    /* they are a layer of an image: whiteouts are among them */
} parse_use;

typedef struct parse_layout {
	base_arena *arena;
	base_map *files; /* path in the layout to its place */
} parse_layout;

typedef struct parse_blob { /* as a descriptor names it */
	uint8_t sha256[CRYPTO_DIGEST];
	uint64_t size;
} parse_blob;

typedef struct parse {
	hn_os *os;
	int in, out;
	hn_error **err;
	compose_tally entries; /* logical sizes */
	compose_tally plain;   /* bytes that came out of a decompressor */
	uint64_t count;
	codec_cbor_out records; /* that were not written yet */
	uint8_t *bytes;         /* COMPOSE_PIECE: what was read and not used yet */
	size_t at, have;
	bool placed; /* read at `place`, not where the descriptor stands */
	uint64_t place;
	parse_layout *layout;      /* that PARSE_LAYOUT adds to */
	crypto_hasher *plain_hash; /* of what comes out of a decompressor; may be NULL */
	int failed; /* the first code, where a library is between it and who returns it */
} parse;

/* Says once what is wrong; gives `code`. */
int parse_refuse(parse *run, hn_code code, const char *format, ...) BASE_PRINTF(3, 4);
int parse_fail(parse *run, int code); /* of a call that has set *run->err */

/* Bytes of the payload, at most `most` of them; *size is 0 at its end. */
int parse_take(parse *run, size_t most, const uint8_t **bytes, size_t *size);

int parse_send(parse *run, const compose_record *record);
int parse_flush(parse *run);

/* One tar, plain or compressed once, of the next `left` bytes; UINT64_MAX: of all that is left.
 * `name` is for messages. */
int parse_tar(parse *run, const char *name, uint64_t left, parse_use use);
int parse_deb(parse *run);
/* The image for `platform`, as in "x86_64-linux"; NULL: the only one. */
int parse_oci(parse *run, const char *platform);
/* Sends an entry of a layer as a whiteout when it *is one. */
int parse_whiteout(parse *run, const compose_raw *raw, bool *is);

/* --- an image layout --- */
int parse_layout_open(parse *run, parse_layout *layout);
void parse_layout_close(parse_layout *layout);
/* An entry whose body begins at byte `offset` of the payload. */
int parse_layout_add(parse *run, const compose_raw *raw, const char *path, uint64_t offset);
int parse_layout_json(parse *run, const char *name, codec_json **json);
/* A blob, when size and SHA-256 are right. HN_EDIGEST. After _seek it is what comes next. */
int parse_blob_json(parse *run, const char *name, const parse_blob *blob, codec_json **json);
int parse_blob_seek(parse *run, const parse_blob *blob);

#endif
