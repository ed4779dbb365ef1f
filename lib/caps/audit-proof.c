/* SPDX-License-Identifier: MIT
 *
 * Proofs that a record is in the log (C2SP tlog-proof). The record itself goes along as extra data:
 * its hash is what is proved.
 */
#include "caps/audit-log.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1\n"
#define PROOF_BYTES 65536

/* --- making one --- */

int caps_audit_last(caps_audit *audit, uint64_t *size, char **note, hn_error **err)
{
	char *copy;
	state_query *query = NULL;
	int rc = state_find(audit->store,
		"SELECT size, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1", &query, err);

	if (rc < 0)
		return rc;
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return base_error(err, HN_ENOENT, CAPS_ROOM,
			"hv-cap audit checkpoint seals what is on record, once there is something",
			"the audit log was never sealed");
	copy = base_strdup(state_text(query, 1) ? state_text(query, 1) : "");
	if (copy) {
		*size = (uint64_t)state_int(query, 0);
		*note = copy;
	}
	state_done(query);
	return copy ? 0 : base_nomem(err);
}

static void put_base64(base_buf *out, const void *bytes, size_t size)
{
	BASE_AUTO_FREE char *text = base_alloc(codec_base64_size(size) + 1);

	if (!text) {
		out->failed = true;
		return;
	}
	codec_base64(bytes, size, text);
	base_buf_text(out, text);
	base_buf_text(out, "\n");
}

static int put_record(caps_audit *audit, uint64_t number, base_buf *out, hn_error **err)
{
	state_query *query = NULL;
	size_t size = 0;
	const void *bytes;
	int rc = state_find(audit->store, "SELECT rec FROM audit WHERE seq = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return base_error(err, HN_ENOENT, CAPS_ROOM, "records are numbered from 0",
			"there is no audit record %llu, or no more", (unsigned long long)number);
	bytes = state_blob(query, 0, &size);
	base_buf_text(out, FIRST_LINE "extra ");
	put_base64(out, bytes, size);
	state_done(query);
	return 0;
}

int caps_audit_prove(caps_audit *audit, uint64_t number, base_buf *out, hn_error **err)
{
	BASE_AUTO_FREE char *note = NULL;
	crypto_merkle_source source = audit_source(audit);
	crypto_merkle_proof proof;
	uint64_t size = 0;
	int rc = number > INT64_MAX ? base_error(err, HN_ERANGE, CAPS_ROOM, NULL,
					      "there is no such audit record")
				    : audit_load(audit, err);

	if (rc >= 0)
		rc = put_record(audit, number, out, err);
	if (rc >= 0)
		rc = caps_audit_last(audit, &size, &note, err);
	if (rc >= 0 && number >= size)
		rc = base_error(err, HN_ENOENT, CAPS_ROOM, "seal the log first",
			"no checkpoint is over audit record %llu", (unsigned long long)number);
	if (rc >= 0)
		rc = crypto_merkle_inclusion(&source, size, number, &proof, err);
	if (rc < 0)
		return rc;
	base_buf_format(out, "index %llu\n", (unsigned long long)number);
	for (size_t i = 0; i < proof.count; i++)
		put_base64(out, proof.node[i], CRYPTO_DIGEST);
	base_buf_format(out, "\n%s", note);
	return out->failed ? base_nomem(err) : 0;
}

/* --- checking one: bytes from anywhere --- */

typedef struct proof_reader {
	const char *at, *end;
	size_t line; /* of the one that was taken last, from 1 */
} proof_reader;

static int bad(const proof_reader *in, const char *what, hn_error **err)
{
	return base_error(
		err, HN_ESYNTAX, CAPS_ROOM, NULL, "line %zu of the proof: %s", in->line, what);
}

/* The next line without its end; false when there is none that ends. */
static bool take_line(proof_reader *in, const char **line, size_t *size)
{
	const char *end = memchr(in->at, '\n', (size_t)(in->end - in->at));

	in->line++;
	if (!end)
		return false;
	*line = in->at;
	*size = (size_t)(end - in->at);
	in->at = end + 1;
	return true;
}

static bool skip_word(const char **line, size_t *size, const char *word)
{
	size_t length = strlen(word);

	if (*size < length || memcmp(*line, word, length) != 0)
		return false;
	*line += length;
	*size -= length;
	return true;
}

static bool take_number(const char *text, size_t size, uint64_t *number)
{
	uint64_t value = 0;

	if (size == 0 || size > 18 || (size > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	*number = value;
	return true;
}

static int read_head(proof_reader *in, caps_audit_proof *proof, hn_error **err)
{
	const char *line = NULL;
	size_t size = 0;

	if (!take_line(in, &line, &size) || size + 1 != sizeof(FIRST_LINE) - 1 ||
		memcmp(line, FIRST_LINE, size) != 0)
		return bad(in, "it does not begin like one", err);
	if (!take_line(in, &line, &size) || !skip_word(&line, &size, "extra ") ||
		!codec_base64_decode(
			line, size, proof->record, sizeof(proof->record), &proof->record_size))
		return bad(in, "the record is missing", err);
	if (!take_line(in, &line, &size) || !skip_word(&line, &size, "index ") ||
		!take_number(line, size, &proof->number))
		return bad(in, "the number of the record is missing", err);
	return 0;
}

static int read_path(proof_reader *in, caps_audit_proof *proof, hn_error **err)
{
	const char *line = NULL;
	size_t size = 0, written = 0;

	for (proof->path.count = 0;; proof->path.count++) {
		if (!take_line(in, &line, &size))
			return bad(in, "it ends before the checkpoint", err);
		if (size == 0)
			return 0;
		if (proof->path.count == BASE_COUNT(proof->path.node) ||
			!codec_base64_decode(line, size, proof->path.node[proof->path.count],
				CRYPTO_DIGEST, &written) ||
			written != CRYPTO_DIGEST)
			return bad(in, "not a hash", err);
	}
}

static int wrong(hn_error **err, const char *what)
{
	return base_error(err, HN_ECORRUPT, CAPS_ROOM, NULL, "the proof does not hold: %s", what);
}

static int check(const caps_audit_proof *proof, const codec_note *note,
	const codec_checkpoint *checkpoint, const caps_audit_key *key, hn_error **err)
{
	uint8_t leaf[CRYPTO_DIGEST];
	audit_record record;

	if (checkpoint->origin_size != key->origin_size ||
		memcmp(checkpoint->origin, key->origin, key->origin_size) != 0)
		return wrong(err, "its checkpoint is of another log");
	if (!audit_note_signed(note, key->origin, key->origin_size, key->key))
		return wrong(err, "its checkpoint is not signed by this key");
	crypto_leaf(proof->record, proof->record_size, leaf);
	if (!crypto_merkle_verify_inclusion(
		    checkpoint->size, checkpoint->root, proof->number, leaf, &proof->path))
		return wrong(err, "the record is not in the tree of its checkpoint");
	if (!audit_record_read(proof->record, proof->record_size, &record) ||
		record.number != proof->number)
		return wrong(err, "what it proves is not this record");
	return 0;
}

int caps_audit_check_proof(const char *text, size_t size, const caps_audit_key *key,
	caps_audit_proof *proof, hn_error **err)
{
	proof_reader in = {.at = text, .end = text + size};
	codec_checkpoint checkpoint;
	codec_note note;
	int rc = size > PROOF_BYTES ? base_error(err, HN_ELIMIT, CAPS_ROOM, NULL,
					      "a proof of more than %d bytes", PROOF_BYTES)
				    : read_head(&in, proof, err);

	if (rc >= 0)
		rc = read_path(&in, proof, err);
	if (rc >= 0)
		rc = codec_note_parse(in.at, (size_t)(in.end - in.at), &note, err);
	if (rc >= 0)
		rc = codec_checkpoint_parse(note.text, note.text_size, &checkpoint, err);
	if (rc >= 0)
		rc = check(proof, &note, &checkpoint, key, err);
	if (rc >= 0)
		proof->size = checkpoint.size;
	return rc;
}

void caps_audit_proof_json(const caps_audit_proof *proof, hn_json *json)
{
	audit_record record;

	if (audit_record_read(proof->record, proof->record_size, &record))
		audit_record_json(&record, NULL, json);
}
