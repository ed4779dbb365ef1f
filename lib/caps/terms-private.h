/* SPDX-License-Identifier: MIT
 *
 * Between the files that read and print terms.
 */
#ifndef CAPS_TERMS_PRIVATE_H
#define CAPS_TERMS_PRIVATE_H

#include "caps/terms.h"
#include "codec/schedule.h"

/* One document that is read. */
typedef struct caps_reader {
	const char *file;
	hn_error **err;
} caps_reader;

/* "file:line:column: ..." with the facts file, line, column; returns the code. */
int caps_reader_fail(const caps_reader *in, hn_code code, const codec_node *node, const char *hint,
	const char *format, ...) BASE_PRINTF(5, 6);
/* The same for what a parser said about a text; *why is released. */
int caps_reader_fail_text(const caps_reader *in, const codec_node *node, hn_error **why);
/* A member that is not among `words`, with the nearest one. */
int caps_reader_fail_word(const caps_reader *in, const codec_node *member, const char *const *words,
	size_t count, const char *where);
int caps_reader_kind(
	const caps_reader *in, const codec_node *node, codec_kind kind, const char *hint);
/* An array of `least` to `most` items. */
int caps_reader_array(const caps_reader *in, const codec_node *node, uint32_t least, uint32_t most);
int caps_reader_integer(
	const caps_reader *in, const codec_node *node, int64_t least, int64_t most, int64_t *value);
/* 1 to 128 visible ASCII characters. */
int caps_reader_name(const caps_reader *in, const codec_node *node);
/* Whole seconds, as a duration. */
int caps_reader_seconds(const caps_reader *in, const codec_node *node, int64_t least, int64_t most,
	int64_t *seconds);
/* RFC 3339, with an offset. */
int caps_reader_time(const caps_reader *in, const codec_node *node, int64_t *seconds);
/* Words of verbs, or numbers of bits that have none; `classes`: of what is redacted. */
int caps_reader_mask(const caps_reader *in, const codec_node *node, bool classes, caps_mask *mask);

/* The CBOR item of a caveat. */
typedef int (*caps_reader_caveat)(
	const caps_reader *in, const codec_node *value, codec_cbor_out *out);
/* By its word; NULL: there is none. */
caps_reader_caveat caps_reader_of(const char *word, uint16_t *id);
int caps_read_bounds(const caps_reader *in, const codec_node *node, codec_cbor_out *out);
/* Each of the two may be NULL: no bound. */
int caps_reader_window(const caps_reader *in, const codec_node *place, const codec_node *from,
	const codec_node *until, codec_cbor_out *out);
int caps_reader_pattern(const caps_reader *in, const codec_node *node);

const char *caps_word_of(uint16_t id);        /* "resources"; NULL: unknown */
const char *caps_redact_text(unsigned index); /* "addresses"; NULL: unknown */
extern const char *const caps_quota_words[4];
extern const char *const caps_bound_words[4];

/* One member, or one item of an array. */
void caps_print_text(hn_json *json, const char *key, const uint8_t *bytes, size_t size);
/* Releases the text; the writer fails when the text did. */
void caps_print_buf(hn_json *json, const char *key, base_buf *text);
void caps_print_hex(hn_json *json, const char *key, const uint8_t *bytes, size_t size);
void caps_print_time(hn_json *json, const char *key, int64_t seconds);
void caps_print_seconds(hn_json *json, const char *key, uint64_t seconds);
void caps_print_mask(
	hn_json *json, const char *key, const uint8_t *mask, size_t size, bool classes);

bool caps_time_parse(const char *text, size_t size, int64_t *seconds);

#endif
