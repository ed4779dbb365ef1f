/* SPDX-License-Identifier: MIT
 *
 * Fuzzes signed notes and checkpoints: what is taken is written again with the same bytes.
 */
#include "codec/codec-private.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool held)
{
	if (!held)
		abort();
}

static void put_signature(base_buf *buf, const codec_note_signature *signature)
{
	size_t room = signature->size + CODEC_NOTE_KEY_ID, written = 0;
	uint8_t *bytes = base_alloc(room);

	require(!codec_note_signature_bytes(signature, bytes, room - 1, &written));
	require(codec_note_signature_bytes(signature, bytes, room, &written) && written == room);
	require(memcmp(bytes, signature->key_id, CODEC_NOTE_KEY_ID) == 0);
	require(codec_note_put_line(buf, signature->name, signature->name_size, signature->key_id,
			bytes + CODEC_NOTE_KEY_ID, signature->size, NULL) == 0);
	base_free(bytes);
}

static void note(const char *text, size_t size)
{
	codec_note read = {.count = 77};
	base_buf buf = {0};
	hn_error *err = NULL;

	if (codec_note_parse(text, size, &read, &err) < 0) {
		require(hn_error_code(err) == HN_ESYNTAX || hn_error_code(err) == HN_ELIMIT);
		require(read.count == 77);
		hn_error_unref(err);
		return;
	}
	require(read.count >= 1 && read.count <= CODEC_NOTE_SIGNATURES);
	require(codec_note_put_text(&buf, read.text, read.text_size, NULL) == 0);
	for (size_t i = 0; i < read.count; i++)
		put_signature(&buf, &read.signatures[i]);
	require(buf.size == size && memcmp(buf.data, text, size) == 0);
	base_buf_free(&buf);
}

static void line(const char *text, size_t size)
{
	codec_note_signature read;
	base_buf buf = {0};

	if (codec_note_line_parse(text, size, &read, NULL) < 0)
		return;
	put_signature(&buf, &read);
	require(buf.size == size && memcmp(buf.data, text, size) == 0);
	base_buf_free(&buf);
}

static void checkpoint(const char *text, size_t size)
{
	codec_checkpoint read;
	base_buf buf = {0};

	if (codec_checkpoint_parse(text, size, &read, NULL) < 0)
		return;
	require(codec_checkpoint_put(&buf, &read, NULL) == 0);
	require(buf.size == size && memcmp(buf.data, text, size) == 0);
	base_buf_free(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	note((const char *)data, size);
	line((const char *)data, size);
	checkpoint((const char *)data, size);
	return 0;
}
