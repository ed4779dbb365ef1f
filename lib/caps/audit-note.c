/* SPDX-License-Identifier: MIT
 *
 * The key of a checkpoint: its id and name in a signed note, and whether it has signed one (C2SP
 * signed-note).
 */
#include "caps/audit-log.h"

enum { TYPE_ED25519 = 1 };

/* SHA-256(name, newline, type, key)[0..3]. */
void audit_key_id(const char *name, size_t size, uint8_t type, const uint8_t key[CRYPTO_PUBLIC],
	uint8_t id[CODEC_NOTE_KEY_ID])
{
	uint8_t input[CODEC_NOTE_NAME_BYTES + 2 + CRYPTO_PUBLIC], digest[CRYPTO_DIGEST];

	size = size > CODEC_NOTE_NAME_BYTES ? CODEC_NOTE_NAME_BYTES : size;
	memcpy(input, name, size);
	input[size] = '\n';
	input[size + 1] = type;
	memcpy(input + size + 2, key, CRYPTO_PUBLIC);
	crypto_sha256(input, size + 2 + CRYPTO_PUBLIC, digest);
	memcpy(id, digest, CODEC_NOTE_KEY_ID);
}

bool audit_note_signed(
	const codec_note *note, const char *origin, size_t size, const uint8_t key[CRYPTO_PUBLIC])
{
	uint8_t id[CODEC_NOTE_KEY_ID], line[CODEC_NOTE_KEY_ID + CRYPTO_SIGNATURE];

	audit_key_id(origin, size, TYPE_ED25519, key, id);
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

/* --- verifier keys: <name>+<key id in hexadecimal>+<base64 of 01 and the key> --- */

void caps_audit_key_text(const char *origin, const uint8_t key[CRYPTO_PUBLIC], base_buf *out)
{
	uint8_t id[CODEC_NOTE_KEY_ID], typed[1 + CRYPTO_PUBLIC] = {TYPE_ED25519};
	char hex[2 * CODEC_NOTE_KEY_ID + 1], base64[64];

	audit_key_id(origin, strlen(origin), TYPE_ED25519, key, id);
	codec_hex(id, sizeof(id), hex);
	memcpy(typed + 1, key, CRYPTO_PUBLIC);
	codec_base64(typed, sizeof(typed), base64);
	base_buf_format(out, "%s+%s+%s", origin, hex, base64);
}

int caps_audit_key_parse(const char *text, caps_audit_key *key, hn_error **err)
{
	uint8_t id[CODEC_NOTE_KEY_ID], said[CODEC_NOTE_KEY_ID], typed[1 + CRYPTO_PUBLIC];
	const char *hex = strchr(text, '+'), *base64 = hex ? strchr(hex + 1, '+') : NULL;
	size_t written = 0;

	if (!base64 || hex == text || hex - text > CODEC_NOTE_NAME_BYTES ||
		base64 - hex != 2 * CODEC_NOTE_KEY_ID + 1 ||
		!codec_hex_decode(hex + 1, 2 * CODEC_NOTE_KEY_ID, said) ||
		!codec_base64_decode(
			base64 + 1, strlen(base64 + 1), typed, sizeof(typed), &written) ||
		written != sizeof(typed) || typed[0] != TYPE_ED25519 ||
		!crypto_ed25519_point_valid(typed + 1))
		return base_error(err, HN_EKEY, CAPS_ROOM,
			"it is <log>+<8 hexadecimal digits>+<base64>, as hv-cap audit key prints it",
			"this is not the key of a log");
	key->origin = text;
	key->origin_size = (size_t)(hex - text);
	memcpy(key->key, typed + 1, CRYPTO_PUBLIC);
	audit_key_id(text, key->origin_size, TYPE_ED25519, key->key, id);
	return memcmp(id, said, sizeof(id)) == 0
		       ? 0
		       : base_error(err, HN_EKEY, CAPS_ROOM, NULL,
				 "the key of the log does not fit its number");
}
