/* SPDX-License-Identifier: MIT
 *
 * What witnesses say of our log: cosignatures of its checkpoints are verified and kept, and a note
 * of ours that does not fit what is here freezes the log (C2SP tlog-cosignature, tlog-witness).
 */
#include "caps/audit-log.h"

enum { TYPE_COSIGNATURE = 4, COSIGNATURE = 8 + CRYPTO_SIGNATURE };

typedef struct witness {
	char name[CODEC_NOTE_NAME_BYTES + 1];
	size_t size;
	uint8_t key[CRYPTO_PUBLIC], id[CODEC_NOTE_KEY_ID];
} witness;

/* <name>+<key id in hexadecimal>+<base64 of 04 and the key> */
static bool read_witness(caps_view text, witness *out)
{
	const char *at = (const char *)text.bytes, *end = at + text.size;
	const char *hex = memchr(at, '+', text.size);
	const char *base64 = hex ? memchr(hex + 1, '+', (size_t)(end - hex - 1)) : NULL;
	uint8_t typed[1 + CRYPTO_PUBLIC], said[CODEC_NOTE_KEY_ID];
	size_t written = 0;

	if (!base64 || hex == at || hex - at > CODEC_NOTE_NAME_BYTES ||
		base64 - hex != 2 * CODEC_NOTE_KEY_ID + 1 ||
		!codec_hex_decode(hex + 1, 2 * CODEC_NOTE_KEY_ID, said) ||
		!codec_base64_decode(
			base64 + 1, (size_t)(end - base64 - 1), typed, sizeof(typed), &written) ||
		written != sizeof(typed) || typed[0] != TYPE_COSIGNATURE ||
		!crypto_ed25519_point_valid(typed + 1))
		return false;
	out->size = (size_t)(hex - at);
	memcpy(out->name, at, out->size);
	out->name[out->size] = '\0';
	memcpy(out->key, typed + 1, CRYPTO_PUBLIC);
	audit_key_id(out->name, out->size, TYPE_COSIGNATURE, out->key, out->id);
	return memcmp(out->id, said, sizeof(said)) == 0;
}

static bool is_by(const codec_note_signature *line, const witness *who)
{
	return line->name_size == who->size && memcmp(line->name, who->name, who->size) == 0 &&
	       memcmp(line->key_id, who->id, sizeof(who->id)) == 0;
}

static bool find_witness(
	const codec_note_signature *line, const caps_view *witnesses, size_t count, witness *found)
{
	for (size_t i = 0; i < count; i++)
		if (read_witness(witnesses[i], found) && is_by(line, found))
			return true;
	return false;
}

/* "cosignature/v1", the time, and the note's text; the time stands before the signature. 1 or 0. */
static int is_over(const codec_note_signature *line, const witness *who, const codec_note *note,
	hn_error **err)
{
	uint8_t bytes[CODEC_NOTE_KEY_ID + COSIGNATURE];
	BASE_AUTO_BUF base_buf text = {0};
	uint64_t time = 0;
	size_t written = 0;

	if (!codec_note_signature_bytes(line, bytes, sizeof(bytes), &written) ||
		written != sizeof(bytes))
		return 0;
	for (int i = 0; i < 8; i++)
		time = time << 8 | bytes[CODEC_NOTE_KEY_ID + i];
	base_buf_format(&text, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
	base_buf_add(&text, note->text, note->text_size);
	return text.failed ? base_nomem(err)
			   : crypto_ed25519_verify(
				     who->key, text.data, text.size, bytes + CODEC_NOTE_KEY_ID + 8);
}

/* --- taking one --- */

static int load_note(caps_audit *audit, uint64_t size, char **note, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		audit->store, "SELECT note FROM audit_checkpoint WHERE size = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)size);
	rc = state_row(query, err);
	if (rc > 0) {
		*note = base_strdup(state_text(query, 0));
		if (!*note)
			rc = base_nomem(err);
	}
	state_done(query);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return base_error(err, HN_ENOENT, CAPS_ROOM, "hv-cap audit checkpoint prints the last",
		"there is no checkpoint over %llu records", (unsigned long long)size);
}

static int keep(caps_audit *audit, uint64_t size, const char *name, const char *line,
	size_t line_size, hn_error **err)
{
	BASE_AUTO_FREE char *text = base_strndup(line, line_size);
	state_query *query = NULL;
	int rc = text ? state_find(audit->store,
				"INSERT INTO audit_cosign(size, witness, line) VALUES (?1, ?2, ?3)"
				" ON CONFLICT(size, witness) DO UPDATE SET line = ?3",
				&query, err)
		      : base_nomem(err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)size);
	state_bind_text(query, 2, name);
	state_bind_text(query, 3, text);
	return state_run(query, err);
}

int caps_audit_cosign(caps_audit *audit, uint64_t size, const char *line, size_t line_size,
	const caps_view *witnesses, size_t count, hn_error **err)
{
	BASE_AUTO_FREE char *text = NULL;
	codec_note_signature signature;
	codec_note note;
	witness who;
	int rc = codec_note_line_parse(line, line_size, &signature, err);

	if (rc >= 0)
		rc = load_note(audit, size, &text, err);
	if (rc >= 0)
		rc = codec_note_parse(text, strlen(text), &note, err);
	if (rc < 0)
		return rc;
	if (!find_witness(&signature, witnesses, count, &who))
		return base_error(err, HN_EDENIED, CAPS_ROOM,
			"name it among the witnesses of the trust bundle",
			"%.*s is no witness of this log", (int)signature.name_size, signature.name);
	rc = is_over(&signature, &who, &note, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return base_error(err, HN_ECORRUPT, CAPS_ROOM, NULL,
			"what %s has signed is not our checkpoint over %llu records", who.name,
			(unsigned long long)size);
	return keep(audit, size, who.name, line, line_size, err);
}

/* --- counting --- */

typedef struct counting {
	const caps_view *witnesses;
	size_t count;
	char seen[CAPS_WITNESSES][CODEC_NOTE_NAME_BYTES + 1];
	size_t seen_count;
} counting;

/* A row is only a row: what it says is verified each time. */
static int count_row(counting *all, const char *text, const char *line, hn_error **err)
{
	codec_note_signature signature;
	codec_note note;
	witness who;

	if (!text || !line || codec_note_parse(text, strlen(text), &note, NULL) < 0 ||
		codec_note_line_parse(line, strlen(line), &signature, NULL) < 0 ||
		!find_witness(&signature, all->witnesses, all->count, &who))
		return 0;
	int rc = is_over(&signature, &who, &note, err);
	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < all->seen_count; i++)
		if (strcmp(all->seen[i], who.name) == 0)
			return 0;
	if (all->seen_count < CAPS_WITNESSES)
		memcpy(all->seen[all->seen_count++], who.name, who.size + 1);
	return 0;
}

int caps_audit_witnessed(caps_audit *audit, uint64_t size, const caps_view *witnesses, size_t count,
	size_t *number, hn_error **err)
{
	counting *all = base_calloc(1, sizeof(*all));
	state_query *query = NULL;
	int rc = all ? state_find(audit->store,
			       "SELECT c.note, w.line FROM audit_cosign w JOIN audit_checkpoint c"
			       " ON c.size = w.size WHERE w.size >= ?1",
			       &query, err)
		     : base_nomem(err);

	if (rc >= 0) {
		state_bind_int(query, 1, (int64_t)size);
		all->witnesses = witnesses;
		all->count = count;
	}
	while (rc >= 0 && (rc = state_row(query, err)) > 0)
		rc = count_row(all, state_text(query, 0), state_text(query, 1), err);
	state_done(query);
	if (rc >= 0)
		*number = all->seen_count;
	base_free(all);
	return rc < 0 ? rc : 0;
}

/* --- a note of ours that somebody else has --- */

/* 1, or 0. */
static int is_ours(caps_audit *audit, const codec_note *note, const codec_checkpoint *checkpoint,
	hn_error **err)
{
	state_query *query = NULL;
	bool ours = false;
	int rc = state_find(audit->store, "SELECT key FROM audit_key", &query, err);

	while (rc >= 0 && !ours && (rc = state_row(query, err)) > 0) {
		size_t size = 0;
		const void *key = state_blob(query, 0, &size);

		ours = size == CRYPTO_PUBLIC &&
		       audit_note_signed(note, checkpoint->origin, checkpoint->origin_size, key);
	}
	state_done(query);
	return rc < 0 ? rc : ours;
}

static int keep_fork(
	caps_audit *audit, const codec_checkpoint *checkpoint, const char *note, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(audit->store,
		"INSERT OR IGNORE INTO audit_fork(size, note) VALUES (?1, ?2)", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)checkpoint->size);
	state_bind_text(query, 2, note);
	return state_run(query, err);
}

/* The record comes first: behind the row nothing is appended, by nobody. A log that is frozen
 * already only gets the row. */
static int keep_both(
	caps_audit *audit, const codec_checkpoint *checkpoint, const char *note, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	const caps_audit_entry record = {
		.kind = CAPS_AUDIT_FORK, .verb = -1, .count = checkpoint->size};
	int rc = caps_audit_append(audit, &record, NULL, &why);

	if (rc >= 0 || rc == HN_EAUDITFORK)
		return keep_fork(audit, checkpoint, note, err);
	base_error_move(err, BASE_STEAL(why));
	return rc;
}

/* Frozen for every process, and for good: what is there is for people to look at. */
static int freeze(caps_audit *audit, const codec_checkpoint *checkpoint, const char *note,
	size_t size, hn_error **err)
{
	BASE_AUTO_FREE char *text = base_strndup(note, size);
	int rc = text ? state_begin(audit->store, err) : base_nomem(err);

	if (rc < 0)
		return rc;
	rc = keep_both(audit, checkpoint, text, err);
	if (rc >= 0)
		return state_commit(audit->store, err);
	state_rollback(audit->store);
	audit_forget(audit);
	return rc;
}

int caps_audit_compare(caps_audit *audit, const char *bytes, size_t size, hn_error **err)
{
	crypto_merkle_source source = audit_source(audit);
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	crypto_merkle_frontier then = {0};
	uint8_t root[CRYPTO_DIGEST];
	codec_checkpoint checkpoint;
	codec_note note;
	int rc = codec_note_parse(bytes, size, &note, err);

	if (rc >= 0)
		rc = codec_checkpoint_parse(note.text, note.text_size, &checkpoint, err);
	if (rc >= 0)
		rc = audit_load(audit, err);
	if (rc >= 0)
		rc = is_ours(audit, &note, &checkpoint, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return base_error(err, HN_EDENIED, CAPS_ROOM, NULL,
			"the note is not signed by a key of this log");
	if (checkpoint.size <= audit->tree.size) {
		rc = crypto_merkle_frontier_at(&source, checkpoint.size, &then, err);
		if (rc < 0)
			return rc;
		crypto_merkle_root(&then, root);
		if (memcmp(root, checkpoint.root, sizeof(root)) == 0)
			return 0;
	}
	/* Where it cannot be kept, this process at least changes nothing more, and it is told. */
	rc = freeze(audit, &checkpoint, bytes, size, &why);
	return audit_forked(audit, err,
		"this log has signed %llu records that are not the ones here%s%s",
		(unsigned long long)checkpoint.size,
		rc < 0 ? "; other processes do not know of it: " : "",
		rc < 0 ? hn_error_message(why) : "");
}
