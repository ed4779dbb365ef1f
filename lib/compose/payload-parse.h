/* SPDX-License-Identifier: MIT
 *
 * What the payload-parse*.c files share: the child's side, where foreign bytes are taken apart.
 */
#ifndef COMPOSE_PAYLOAD_PARSE_H
#define COMPOSE_PAYLOAD_PARSE_H

#include "compose/payload.h"

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
	uint64_t taken; /* of the payload */
	int failed;     /* the first code, where a library is between it and who returns it */
} parse;

/* Says once what is wrong; gives `code`. */
int parse_refuse(parse *run, hn_code code, const char *format, ...) BASE_PRINTF(3, 4);
int parse_fail(parse *run, int code); /* of a call that has set *run->err */

/* Bytes of the payload, at most `most` of them; *size is 0 at its end. */
int parse_take(parse *run, size_t most, const uint8_t **bytes, size_t *size);

int parse_send(parse *run, const compose_record *record);
int parse_flush(parse *run);

/* One tar, plain or compressed once, of the next `left` bytes; UINT64_MAX: of all that is left.
 * `name` is for messages. With `control` it is that of a deb. */
int parse_tar(parse *run, const char *name, uint64_t left, bool control);
int parse_deb(parse *run);

#endif
