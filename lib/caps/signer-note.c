/* SPDX-License-Identifier: MIT
 *
 * Checkpoints: ours are made, those of other logs cosigned (C2SP tlog-checkpoint,
 * tlog-cosignature).
 */
#include "caps/signer-private.h"

#include "codec/note.h"
#include <stdio.h>

enum { TYPE_ED25519 = 1, TYPE_COSIGNATURE = 4, COSIGNATURE = 8 + CRYPTO_SIGNATURE };

/* SHA-256(name, newline, type, key)[0..3]. */
static int key_id(const char *name, size_t size, uint8_t type, const uint8_t key[CRYPTO_PUBLIC],
	uint8_t id[CODEC_NOTE_KEY_ID], hn_error **err)
{
	BASE_AUTO_BUF base_buf text = {0};
	uint8_t digest[CRYPTO_DIGEST];

	base_buf_add(&text, name, size);
	base_buf_add(&text, "\n", 1);
	base_buf_add(&text, &type, 1);
	base_buf_add(&text, key, CRYPTO_PUBLIC);
	if (text.failed)
		return base_nomem(err);
	crypto_sha256(text.data, text.size, digest);
	memcpy(id, digest, CODEC_NOTE_KEY_ID);
	return 0;
}

/* --- ours --- */

static int sign_note(const char *origin, const crypto_key *key, const base_buf *text,
	base_buf *note, hn_error **err)
{
	uint8_t id[CODEC_NOTE_KEY_ID], signature[CRYPTO_SIGNATURE];
	size_t size = strlen(origin);
	int rc = key_id(origin, size, TYPE_ED25519, key->facts.public_key, id, err);

	if (rc < 0)
		return rc;
	crypto_ed25519_sign(key->secret, text->data, text->size, signature);
	return codec_note_put_line(note, origin, size, id, signature, sizeof(signature), err);
}

static int take_note(const base_buf *note, crypto_sealed *sealed, hn_error **err)
{
	if (note->failed)
		return base_nomem(err);
	if (note->size >= sizeof(sealed->note))
		return base_error(err, HN_ELIMIT, SIGNER_ROOM, NULL,
			"a checkpoint of %zu bytes, at most %zu are made", note->size,
			sizeof(sealed->note) - 1);
	memcpy(sealed->note, note->data, note->size + 1);
	sealed->note_size = note->size;
	return 0;
}

int signer_note_make(const signer_local *signer, const uint8_t root[CRYPTO_DIGEST],
	crypto_sealed *sealed, hn_error **err)
{
	const char *origin = signer->state->origin;
	const crypto_key *previous = signer->keys.previous[CRYPTO_ROLE_AUDIT];
	codec_checkpoint checkpoint = {
		.origin = origin, .origin_size = strlen(origin), .size = sealed->size};
	BASE_AUTO_BUF base_buf text = {0};
	BASE_AUTO_BUF base_buf note = {0};
	int rc;

	memcpy(checkpoint.root, root, sizeof(checkpoint.root));
	rc = codec_checkpoint_put(&text, &checkpoint, err);
	if (rc >= 0 && text.failed)
		rc = base_nomem(err);
	if (rc >= 0)
		rc = codec_note_put_text(&note, text.data, text.size, err);
	if (rc >= 0)
		rc = sign_note(origin, signer->keys.current[CRYPTO_ROLE_AUDIT], &text, &note, err);
	if (rc >= 0 && previous != NULL &&
		previous->facts.not_after > os_now(signer->options.os) / OS_SECOND)
		rc = sign_note(origin, previous, &text, &note, err);
	return rc < 0 ? rc : take_note(&note, sealed, err);
}

/* --- others' --- */

/* The note is signed by the log that it says it is of. */
static int check_log(const signer_local *signer, const codec_note *note,
	const codec_checkpoint *checkpoint, hn_error **err)
{
	uint8_t key[CRYPTO_PUBLIC], id[CODEC_NOTE_KEY_ID];
	uint8_t signature[CODEC_NOTE_KEY_ID + CRYPTO_SIGNATURE];
	size_t written;
	int rc = HN_ENOENT;

	if (signer->options.log_key != NULL)
		rc = signer->options.log_key(signer->options.arg, checkpoint->origin,
			checkpoint->origin_size, key, NULL);
	if (rc < 0)
		return base_error(err, HN_EDENIED, SIGNER_ROOM,
			"name it among the logs of the trust bundle",
			"the log %.*s is not one that is cosigned here",
			(int)checkpoint->origin_size, checkpoint->origin);
	rc = key_id(checkpoint->origin, checkpoint->origin_size, TYPE_ED25519, key, id, err);
	for (size_t i = 0; rc >= 0 && i < note->count; i++) {
		const codec_note_signature *by = &note->signatures[i];

		if (by->name_size != checkpoint->origin_size ||
			memcmp(by->name, checkpoint->origin, by->name_size) != 0 ||
			memcmp(by->key_id, id, sizeof(id)) != 0 ||
			!codec_note_signature_bytes(by, signature, sizeof(signature), &written) ||
			written != sizeof(signature))
			continue;
		if (crypto_ed25519_verify(
			    key, note->text, note->text_size, signature + CODEC_NOTE_KEY_ID))
			return 0;
	}
	return rc < 0 ? rc
		      : base_error(err, HN_EDENIED, SIGNER_ROOM, NULL,
				"the checkpoint is not signed by the key of the log %.*s",
				(int)checkpoint->origin_size, checkpoint->origin);
}

/* Where the log is, or would be. */
static size_t find_log(const signer_state *state, const codec_checkpoint *checkpoint, bool *found)
{
	size_t i = 0;

	*found = false;
	for (; i < state->log_count; i++) {
		size_t size = strlen(state->log[i].origin);
		size_t common = size < checkpoint->origin_size ? size : checkpoint->origin_size;
		int order = memcmp(state->log[i].origin, checkpoint->origin, common);

		if (order == 0)
			order = (size > common) - (checkpoint->origin_size > common);
		if (order >= 0) {
			*found = order == 0;
			break;
		}
	}
	return i;
}

static int check_growth(const signer_log *seen, uint64_t old_size,
	const codec_checkpoint *checkpoint, const crypto_merkle_proof *proof, hn_error **err)
{
	if (old_size != seen->size) {
		base_error(err, HN_ECONFLICT, SIGNER_ROOM, "prove from there",
			"of this log %llu records were seen here, not %llu",
			(unsigned long long)seen->size, (unsigned long long)old_size);
		base_error_fact_number(err, "size", (int64_t)seen->size);
		return HN_ECONFLICT;
	}
	if (crypto_merkle_verify_consistency(
		    old_size, seen->root, checkpoint->size, checkpoint->root, proof))
		return 0;
	return base_error(err, HN_EAUDITFORK, SIGNER_ROOM, NULL,
		"the checkpoint of %llu records does not go on from the %llu that were seen here",
		(unsigned long long)checkpoint->size, (unsigned long long)old_size);
}

/* What this log is from now on: in the state, not yet durable. */
static int remember(signer_state *state, uint64_t old_size, const codec_checkpoint *checkpoint,
	const crypto_merkle_proof *proof, hn_error **err)
{
	bool found;
	size_t place = find_log(state, checkpoint, &found);
	signer_log entry = {{0}, 0, {0}};
	int rc = found ? 0 : base_limit_check(BASE_LIMIT_SIGNER_LOGS, state->log_count + 1, err);

	if (found)
		entry = state->log[place];
	else
		crypto_merkle_root_of(NULL, 0, entry.root);
	if (rc >= 0)
		rc = check_growth(&entry, old_size, checkpoint, proof, err);
	if (rc < 0)
		return rc;
	if (!found) {
		memmove(&state->log[place + 1], &state->log[place],
			(state->log_count - place) * sizeof(entry));
		state->log_count++;
		memcpy(entry.origin, checkpoint->origin, checkpoint->origin_size);
	}
	entry.size = checkpoint->size;
	memcpy(entry.root, checkpoint->root, CRYPTO_DIGEST);
	state->log[place] = entry;
	return 0;
}

/* As a witness this node has the name of its log, with witness for audit. */
static void witness_name(const char *origin, char name[CRYPTO_SIGNER_ORIGIN + 16])
{
	static const char audit[] = "hypernix.org/audit/";
	size_t size = sizeof(audit) - 1;

	if (strncmp(origin, audit, size) == 0)
		snprintf(name, CRYPTO_SIGNER_ORIGIN + 16, "hypernix.org/witness/%s", origin + size);
	else
		snprintf(name, CRYPTO_SIGNER_ORIGIN + 16, "%s/witness", origin);
}

/* "cosignature/v1", the time, the note's text; in the line the time stands before the signature. */
static int write_line(
	const signer_local *signer, const codec_note *note, char *line, hn_error **err)
{
	const crypto_key *key = signer->keys.current[CRYPTO_ROLE_WITNESS];
	uint64_t now = (uint64_t)(os_now(signer->options.os) / OS_SECOND);
	char name[CRYPTO_SIGNER_ORIGIN + 16];
	uint8_t id[CODEC_NOTE_KEY_ID], signature[COSIGNATURE];
	BASE_AUTO_BUF base_buf text = {0};
	BASE_AUTO_BUF base_buf made = {0};
	int rc;

	witness_name(signer->state->origin, name);
	rc = key_id(name, strlen(name), TYPE_COSIGNATURE, key->facts.public_key, id, err);
	if (rc < 0)
		return rc;
	base_buf_format(&text, "cosignature/v1\ntime %llu\n", (unsigned long long)now);
	base_buf_add(&text, note->text, note->text_size);
	if (text.failed)
		return base_nomem(err);
	for (int i = 0; i < 8; i++)
		signature[i] = (uint8_t)(now >> (56 - 8 * i));
	crypto_ed25519_sign(key->secret, text.data, text.size, signature + 8);
	rc = codec_note_put_line(&made, name, strlen(name), id, signature, sizeof(signature), err);
	if (rc < 0)
		return rc;
	if (made.failed || made.size >= CRYPTO_SIGNER_NOTE)
		return base_nomem(err);
	memcpy(line, made.data, made.size + 1);
	return 0;
}

int signer_cosign(signer_local *signer, uint64_t old_size, const crypto_merkle_proof *proof,
	const char *bytes, size_t size, char *line, hn_error **err)
{
	codec_checkpoint checkpoint;
	codec_note note;
	int rc;

	if (size > CRYPTO_SIGNER_NOTE)
		return base_error(err, HN_ELIMIT, SIGNER_ROOM, NULL,
			"a checkpoint of %zu bytes, at most %d are cosigned", size,
			CRYPTO_SIGNER_NOTE);
	rc = codec_note_parse(bytes, size, &note, err);
	if (rc >= 0)
		rc = codec_checkpoint_parse(note.text, note.text_size, &checkpoint, err);
	if (rc < 0)
		return rc;
	if (checkpoint.origin_size >= CRYPTO_SIGNER_ORIGIN)
		return base_error(err, HN_ELIMIT, SIGNER_ROOM, NULL,
			"the origin has %zu bytes, at most %d are taken", checkpoint.origin_size,
			CRYPTO_SIGNER_ORIGIN - 1);
	rc = check_log(signer, &note, &checkpoint, err);
	if (rc >= 0)
		rc = remember(signer->state, old_size, &checkpoint, proof, err);
	return rc < 0 ? rc : write_line(signer, &note, line, err);
}
