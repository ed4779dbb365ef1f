/* SPDX-License-Identifier: MIT
 *
 * The texts beside the audit log: those that records refer to are there, or a record says that they
 * were erased.
 */
#include "caps/audit-verify.h"

/* A text that a later record has erased left its reference. */
static int find_text(audit_walk *walk, uint64_t number, const uint8_t *ref, hn_error **err)
{
	state_query *query = NULL;
	bool there, later;
	int rc = state_find(
		walk->audit->store, "SELECT erased FROM audit_text WHERE ref = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, ref, AUDIT_REF);
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	there = rc > 0 && state_is_null(query, 0);
	later = rc > 0 && !there && state_int(query, 0) > (int64_t)number;
	if (rc > 0)
		state_done(query);
	return there || later
		       ? 0
		       : audit_wrong_record(number,
				 "refers to a text that is missing, and was not erased", err);
}

/* Most records have the texts of the one before. */
static int check_ref(audit_walk *walk, uint64_t number, codec_view ref, hn_error **err)
{
	uint8_t *seen;
	int rc;

	if (ref.size != AUDIT_REF)
		return 0;
	seen = walk->seen[ref.bytes[0] % AUDIT_SEEN];
	if (memcmp(seen, ref.bytes, AUDIT_REF) == 0)
		return 0;
	rc = find_text(walk, number, ref.bytes, err);
	if (rc >= 0)
		memcpy(seen, ref.bytes, AUDIT_REF);
	return rc;
}

static int check_erasure(audit_walk *walk, const audit_record *record, hn_error **err)
{
	uint8_t said[CRYPTO_DIGEST], digest[CRYPTO_DIGEST];
	uint64_t count = 0, found = 0;
	int rc;

	if (!audit_record_erased(record, &count, said))
		return 0;
	rc = audit_erased(walk->audit, (int64_t)record->number, &found, digest, err);
	if (rc < 0)
		return rc;
	walk->erased += count;
	return found == count && memcmp(said, digest, CRYPTO_DIGEST) == 0
		       ? 0
		       : audit_wrong_record(
				 record->number, "has erased other texts than are gone", err);
}

int audit_texts_check(audit_walk *walk, const audit_record *record, hn_error **err)
{
	codec_view process = {0};
	int rc = check_ref(walk, record->number, record->subject, err);

	if (rc >= 0)
		rc = check_ref(walk, record->number, record->reason, err);
	if (rc >= 0 && audit_record_process(record, &process))
		rc = check_ref(walk, record->number, process, err);
	(void)audit_record_pruned(record, &walk->pruned);
	return rc < 0 ? rc : check_erasure(walk, record, err);
}

/* --- those that there are --- */

static int check_kept(state_query *query, hn_error **err)
{
	uint8_t ref[AUDIT_REF];
	size_t ref_size = 0, salt_size = 0;
	const void *kept = state_blob(query, 0, &ref_size);
	const void *salt = state_blob(query, 1, &salt_size);
	const char *body = state_text(query, 3);
	bool fits = ref_size == AUDIT_REF && salt_size == AUDIT_SALT && body;
	int rc = 0;

	if (fits)
		rc = audit_text_ref((audit_text_kind)state_int(query, 2), body, salt, ref, err);
	if (rc >= 0 && (!fits || memcmp(ref, kept, AUDIT_REF) != 0))
		rc = audit_wrong_record(
			(uint64_t)state_int(query, 4), "had another text beside it", err);
	return rc;
}

int audit_texts_end(audit_walk *walk, hn_error **err)
{
	state_query *query = NULL;
	uint64_t erased = 0;
	int rc = state_find(walk->audit->store,
		"SELECT ref, salt, kind, body, since, erased FROM audit_text", &query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		if (state_is_null(query, 5))
			rc = check_kept(query, err);
		else
			erased++;
	}
	state_done(query);
	if (rc < 0 || erased == walk->erased)
		return rc;
	return HN_CORRUPT(err, CAPS_ROOM,
		"%llu texts beside the audit log were erased, but %llu on record",
		(unsigned long long)erased, (unsigned long long)walk->erased);
}
