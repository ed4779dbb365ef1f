/* SPDX-License-Identifier: MIT
 *
 * Signed notes and transparency-log checkpoints (C2SP signed-note, tlog-checkpoint): structure
 * only. A note says nothing until a signature of a known key over note.text was verified. Views are
 * borrowed from the bytes that were parsed.
 */
#ifndef CODEC_NOTE_H
#define CODEC_NOTE_H

#include "base/base-private.h"

enum {
	CODEC_NOTE_SIGNATURES = 16,
	CODEC_NOTE_NAME_BYTES = 256,
	CODEC_NOTE_KEY_ID = 4,
	CODEC_CHECKPOINT_ROOT = 32
};

typedef struct codec_note_signature {
	const char *name; /* name_size bytes, not terminated */
	size_t name_size;
	uint8_t key_id[CODEC_NOTE_KEY_ID];
	size_t size; /* of the signature, without the key id */
	const char *base64;
	size_t base64_size;
} codec_note_signature;

typedef struct codec_note {
	const char *text; /* with its last newline: what is signed */
	size_t text_size;
	size_t count; /* 1 .. CODEC_NOTE_SIGNATURES */
	codec_note_signature signatures[CODEC_NOTE_SIGNATURES];
} codec_note;

/* HN_ESYNTAX with the line, HN_ELIMIT above NOTE_BYTES. Stricter than the specification in one
 * point: two lines of one name and key id are refused. */
int codec_note_parse(const char *bytes, size_t size, codec_note *note, hn_error **err);
/* One signature line with its newline and nothing else, as a witness answers. */
int codec_note_line_parse(
	const char *bytes, size_t size, codec_note_signature *signature, hn_error **err);
/* The key id and the signature behind it, 4 + signature->size bytes; false when `capacity` is less.
 */
bool codec_note_signature_bytes(
	const codec_note_signature *signature, void *out, size_t capacity, size_t *written);
/* Writing a note: its text and the blank line, then a line for each signature. HN_EINVAL, with
 * `buf` untouched, when text or name could not be read back. Out of memory shows in buf->failed. */
int codec_note_put_text(base_buf *buf, const char *text, size_t size, hn_error **err);
int codec_note_put_line(base_buf *buf, const char *name, size_t name_size,
	const uint8_t key_id[CODEC_NOTE_KEY_ID], const void *signature, size_t size,
	hn_error **err);

typedef struct codec_checkpoint {
	const char *origin;
	size_t origin_size;
	uint64_t size; /* leaves, at most INT64_MAX */
	uint8_t root[CODEC_CHECKPOINT_ROOT];
	const char *extensions; /* whole lines, NULL or "" for none */
	size_t extensions_size;
} codec_checkpoint;
/* The text of a note. HN_ESYNTAX with the line. */
int codec_checkpoint_parse(
	const char *text, size_t size, codec_checkpoint *checkpoint, hn_error **err);
/* HN_EINVAL, with `buf` untouched, when it could not be read back. */
int codec_checkpoint_put(base_buf *buf, const codec_checkpoint *checkpoint, hn_error **err);

#endif
