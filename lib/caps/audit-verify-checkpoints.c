/* SPDX-License-Identifier: MIT
 *
 * The checkpoints of the audit log, verified while its records are walked: root, signature, that
 * they are those that the signer made, and with the first MAC key the chain of MACs.
 */
#include "caps/audit-verify.h"

#include "caps/signer.h"

static int wrong(const audit_walk *walk, const char *what, hn_error **err)
{
	return HN_CORRUPT(err, CAPS_ROOM, "the checkpoint over %llu audit records %s",
		(unsigned long long)walk->next, what);
}

/* --- the keys that the log names --- */

/* The record that a row of audit_key points at must say the same; of a pruned one only the tree is
 * left. */
static int check_key_record(
	audit_walk *walk, const uint8_t key[CRYPTO_PUBLIC], uint64_t number, hn_error **err)
{
	state_query *query = NULL;
	audit_record record;
	uint8_t said[CRYPTO_PUBLIC];
	size_t size = 0;
	const void *bytes;
	bool same;
	int rc;

	if (number < walk->audit->min_index)
		return 0;
	rc = state_find(walk->audit->store, "SELECT rec FROM audit WHERE seq = ?1", &query, err);
	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return audit_wrong_record(number, "is missing", err);
	bytes = state_blob(query, 0, &size);
	same = audit_record_read(bytes, size, &record) && audit_record_key(&record, said) &&
	       memcmp(said, key, CRYPTO_PUBLIC) == 0;
	state_done(query);
	return same ? 0 : audit_wrong_record(number, "names another key of checkpoints", err);
}

/* A log may go on for ever, and its signer's keys are replaced as often as somebody wishes. */
static int add_key(audit_walk *walk, const void *key, uint64_t record, hn_error **err)
{
	audit_walk_key *added;

	if (base_grow(&walk->keys, &walk->key_room, walk->key_count + 1, sizeof(*walk->keys)) < 0)
		return base_nomem(err);
	added = &walk->keys[walk->key_count++];
	memcpy(added->key, key, CRYPTO_PUBLIC);
	added->record = record;
	return 0;
}

static int load_keys(audit_walk *walk, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		walk->audit->store, "SELECT key, seq FROM audit_key ORDER BY seq", &query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		size_t size = 0;
		const void *bytes = state_blob(query, 0, &size);

		rc = size == CRYPTO_PUBLIC
			     ? add_key(walk, bytes, (uint64_t)state_int(query, 1), err)
			     : HN_CORRUPT(err, CAPS_ROOM, "a key of checkpoints is not one");
	}
	state_done(query);
	return rc;
}

/* --- one after the other --- */

static int advance(audit_walk *walk, hn_error **err)
{
	int rc = state_row(walk->checkpoints, err);

	if (rc <= 0) {
		walk->checkpoints = NULL;
		walk->next = UINT64_MAX;
		return rc;
	}
	walk->last = walk->next == UINT64_MAX ? 0 : walk->next;
	walk->next = (uint64_t)state_int(walk->checkpoints, 0);
	return 0;
}

int audit_checkpoints_begin(audit_walk *walk, hn_error **err)
{
	int rc =
		walk->options.key ? add_key(walk, walk->options.key, 0, err) : load_keys(walk, err);

	if (walk->options.first_mac)
		memcpy(walk->mac_key, walk->options.first_mac, CRYPTO_DIGEST);
	walk->next = UINT64_MAX;
	if (rc >= 0)
		rc = state_find(walk->audit->store,
			"SELECT size, root, note, mac FROM audit_checkpoint ORDER BY size",
			&walk->checkpoints, err);
	return rc < 0 ? rc : advance(walk, err);
}

static bool signed_by_known(
	const audit_walk *walk, const codec_note *note, const codec_checkpoint *checkpoint)
{
	for (size_t i = 0; i < walk->key_count; i++)
		if (audit_note_signed(
			    note, checkpoint->origin, checkpoint->origin_size, walk->keys[i].key))
			return true;
	return false;
}

static int check_note(
	audit_walk *walk, const char *text, const uint8_t root[CRYPTO_DIGEST], hn_error **err)
{
	codec_note note;
	codec_checkpoint checkpoint;

	if (!text || codec_note_parse(text, strlen(text), &note, NULL) < 0 ||
		codec_checkpoint_parse(note.text, note.text_size, &checkpoint, NULL) < 0)
		return wrong(walk, "is no signed note", err);
	if (checkpoint.size != walk->next || memcmp(checkpoint.root, root, CRYPTO_DIGEST) != 0)
		return wrong(walk, "says something else than its note", err);
	return signed_by_known(walk, &note, &checkpoint)
		       ? 0
		       : wrong(walk, "is not signed by a key of this log", err);
}

/* MAC of size and root; each key is the hash of the one before. */
static int check_mac(
	audit_walk *walk, const void *mac, const uint8_t root[CRYPTO_DIGEST], hn_error **err)
{
	uint8_t input[8 + CRYPTO_DIGEST], expected[CRYPTO_DIGEST];

	if (!walk->options.first_mac)
		return 0;
	for (int i = 0; i < 8; i++)
		input[i] = (uint8_t)(walk->next >> (56 - 8 * i));
	memcpy(input + 8, root, CRYPTO_DIGEST);
	crypto_blake2b_keyed(
		walk->mac_key, CRYPTO_DIGEST, input, sizeof(input), expected, sizeof(expected));
	crypto_blake2b(walk->mac_key, CRYPTO_DIGEST, walk->mac_key);
	return crypto_equal(mac, expected, CRYPTO_DIGEST)
		       ? 0
		       : wrong(walk, "has a wrong MAC, or one before it is missing", err);
}

/* Without the tile that would name it, the record lies between two checkpoints. */
static int wrong_range(const audit_walk *walk, hn_error **err)
{
	int rc = HN_CORRUPT(err, CAPS_ROOM,
		"one of the audit records %llu to %llu was changed: the checkpoint over %llu records"
		" has another root",
		(unsigned long long)walk->last, (unsigned long long)(walk->next - 1),
		(unsigned long long)walk->next);

	base_error_fact_number(err, "record", (int64_t)walk->last);
	return rc;
}

static int check_one(audit_walk *walk, hn_error **err)
{
	uint8_t root[CRYPTO_DIGEST];
	size_t root_size = 0, mac_size = 0;
	const void *kept = state_blob(walk->checkpoints, 1, &root_size);
	const void *mac = state_blob(walk->checkpoints, 3, &mac_size);
	int rc;

	crypto_merkle_root(&walk->tree, root);
	if (root_size != CRYPTO_DIGEST || mac_size != CRYPTO_DIGEST)
		return wrong(walk, "has no root or no MAC", err);
	rc = check_note(walk, state_text(walk->checkpoints, 2), kept, err);
	if (rc >= 0)
		rc = check_mac(walk, mac, kept, err);
	if (rc < 0)
		return rc;
	if (memcmp(kept, root, CRYPTO_DIGEST) != 0)
		return wrong_range(walk, err);
	walk->sealed = walk->next;
	if (walk->next <= walk->signer.size) {
		caps_signer_chain(walk->chain, walk->next, kept, mac);
		walk->chained = walk->next;
		walk->count++;
	}
	return 0;
}

int audit_checkpoints_check(audit_walk *walk, hn_error **err)
{
	int rc;

	if (walk->tree.size != walk->next)
		return 0;
	rc = check_one(walk, err);
	return rc < 0 ? rc : advance(walk, err);
}

static int wrong_tail(const audit_walk *walk, hn_error **err)
{
	int rc = HN_CORRUPT(err, CAPS_ROOM,
		"the audit log ends at %llu records, but a checkpoint is over %llu: its tail was cut",
		(unsigned long long)walk->tree.size, (unsigned long long)walk->next);

	base_error_fact_number(err, "record", (int64_t)walk->tree.size);
	return rc;
}

static int last_missing(uint64_t size, hn_error **err)
{
	return HN_CORRUPT(err, CAPS_ROOM,
		"the checkpoint over %llu audit records, the last one that was made, is missing",
		(unsigned long long)size);
}

int audit_checkpoints_end(audit_walk *walk, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && !walk->options.key && i < walk->key_count; i++)
		rc = check_key_record(walk, walk->keys[i].key, walk->keys[i].record, err);
	if (rc < 0)
		return rc;
	if (walk->next != UINT64_MAX)
		return wrong_tail(walk, err);
	return walk->audit->claimed > walk->sealed ? last_missing(walk->audit->claimed, err) : 0;
}

/* --- those that the signer made --- */

/* What was sealed since the signer was asked first is not in its chain. */
static int check_later(const audit_walk *walk, hn_error **err)
{
	crypto_signer *signer = walk->options.signer;
	crypto_signer_status now;
	int rc;

	if (walk->sealed <= walk->signer.size)
		return 0;
	rc = signer->ops->status(signer, &now, err);
	if (rc < 0 || walk->sealed <= now.size)
		return rc;
	return HN_CORRUPT(err, CAPS_ROOM,
		"a checkpoint is over %llu audit records, but the signer sealed only %llu",
		(unsigned long long)walk->sealed, (unsigned long long)now.size);
}

/* After a crash the last one may not have come here yet: it comes with the next seal, and until
 * then the head knows nothing of it. */
static bool waits_for_last(const audit_walk *walk)
{
	return walk->count + 1 == walk->signer.checkpoints && walk->chained < walk->signer.size &&
	       memcmp(walk->chain, walk->signer.before, CRYPTO_DIGEST) == 0;
}

int audit_checkpoints_compare(audit_walk *walk, hn_error **err)
{
	const crypto_signer_status *signer = &walk->signer;
	int rc;

	if (!walk->options.signer)
		return 0;
	rc = audit_compare(walk->audit, signer, err);
	if (rc < 0)
		return rc;
	if (waits_for_last(walk))
		base_log(HN_LOG_WARNING, CAPS_ROOM,
			"the signer sealed %llu audit records; its last checkpoint is not here yet,"
			" and comes with the next seal",
			(unsigned long long)signer->size);
	else if (walk->count != signer->checkpoints)
		return audit_wrong_checkpoints(walk->count, signer->checkpoints, err);
	else if (memcmp(walk->chain, signer->chain, CRYPTO_DIGEST) != 0)
		return HN_CORRUPT(err, CAPS_ROOM,
			"the checkpoints of the audit log are not the %llu that the signer made",
			(unsigned long long)signer->checkpoints);
	return check_later(walk, err);
}

/* --- facts --- */

static int read_origin(caps_audit *audit, caps_audit_facts *facts, hn_error **err)
{
	state_query *query = NULL;
	const char *note;
	int rc = state_find(audit->store,
		"SELECT note, (SELECT count(*) FROM audit_checkpoint), size FROM audit_checkpoint"
		" ORDER BY size DESC LIMIT 1",
		&query, err);

	if (rc < 0)
		return rc;
	rc = state_row(query, err);
	if (rc <= 0)
		return rc;
	note = state_text(query, 0);
	facts->checkpoints = (uint64_t)state_int(query, 1);
	facts->sealed = (uint64_t)state_int(query, 2);
	if (note) {
		size_t size = strcspn(note, "\n");

		size = size < sizeof(facts->origin) ? size : sizeof(facts->origin) - 1;
		memcpy(facts->origin, note, size);
		facts->origin[size] = '\0';
	}
	state_done(query);
	return 0;
}

int caps_audit_facts_read(caps_audit *audit, caps_audit_facts *facts, hn_error **err)
{
	caps_audit_facts made = {0};
	int rc = audit_load(audit, err);

	if (rc >= 0)
		rc = read_origin(audit, &made, err);
	if (rc < 0)
		return rc;
	made.records = audit->tree.size;
	made.min_index = audit->min_index;
	made.claimed = audit->claimed;
	*facts = made;
	return 0;
}
