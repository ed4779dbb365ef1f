/* SPDX-License-Identifier: MIT
 *
 * The key of a checkpoint: its id and name in a signed note, and whether it has signed one (C2SP
 * signed-note).
 */
#include "caps/audit-log.h"

enum { TYPE_ED25519 = 1 };

/* SHA-256(name, newline, type, key)[0..3]. */
void audit_key_id(const char *name, size_t size, const uint8_t key[CRYPTO_PUBLIC],
	uint8_t id[CODEC_NOTE_KEY_ID])
{
	uint8_t input[CODEC_NOTE_NAME_BYTES + 2 + CRYPTO_PUBLIC], digest[CRYPTO_DIGEST];

	size = size > CODEC_NOTE_NAME_BYTES ? CODEC_NOTE_NAME_BYTES : size;
	memcpy(input, name, size);
	input[size] = '\n';
	input[size + 1] = TYPE_ED25519;
	memcpy(input + size + 2, key, CRYPTO_PUBLIC);
	crypto_sha256(input, size + 2 + CRYPTO_PUBLIC, digest);
	memcpy(id, digest, CODEC_NOTE_KEY_ID);
}

bool audit_note_signed(
	const codec_note *note, const char *origin, size_t size, const uint8_t key[CRYPTO_PUBLIC])
{
	uint8_t id[CODEC_NOTE_KEY_ID], line[CODEC_NOTE_KEY_ID + CRYPTO_SIGNATURE];

	audit_key_id(origin, size, key, id);
	for (size_t i = 0; i < note->count; i++) {
		const codec_note_signature *one = &note->signatures[i];
		size_t written = 0;

		if (one->name_size == size && memcmp(one->name, origin, size) == 0 &&
			memcmp(one->key_id, id, sizeof(id)) == 0 &&
			codec_note_signature_bytes(one, line, sizeof(line), &written) &&
			written == sizeof(line))
			return crypto_ed25519_verify(
				key, note->text, note->text_size, line + CODEC_NOTE_KEY_ID);
	}
	return false;
}
