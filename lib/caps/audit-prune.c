/* SPDX-License-Identifier: MIT
 *
 * What may go: old records, of which the tree keeps the hashes, and texts about persons. Both leave
 * a record, and every proof still holds.
 */
#include "caps/audit-log.h"

#define FLOOR_MS (INT64_C(90) * 24 * 3600 * 1000)
#define WIDTH CRYPTO_TILE_WIDTH
#define UNNUMBERED (-1)

/* The first record that is not older, rounded down to a whole tile. */
static int find_end(caps_audit *audit, int64_t before, uint64_t *end, hn_error **err)
{
	state_query *query = NULL;
	uint64_t found = audit->min_index;
	int rc = state_find(
		audit->store, "SELECT rec FROM audit WHERE seq >= ?1 ORDER BY seq", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)found);
	while ((rc = state_row(query, err)) > 0) {
		audit_record record;
		size_t size = 0;
		const void *bytes = state_blob(query, 0, &size);

		if (!audit_record_read(bytes, size, &record) || record.wall >= before)
			break;
		found++;
	}
	state_done(query);
	*end = found / WIDTH * WIDTH;
	return rc < 0 ? rc : 0;
}

static int run_to(caps_audit *audit, const char *sql, uint64_t end, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(audit->store, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)end);
	return state_run(query, err);
}

static int record_it(caps_audit *audit, const caps_audit_entry *by, codec_cbor_out *extra,
	uint64_t *number, hn_error **err)
{
	caps_audit_entry entry = *by;
	int rc;

	entry.kind = CAPS_AUDIT_PRUNE;
	entry.extra = &extra->buf;
	rc = extra->buf.failed ? base_nomem(err) : caps_audit_append(audit, &entry, number, err);
	base_buf_free(&extra->buf);
	return rc;
}

/* {1 => first kept before, 2 => first kept now} */
static int record_prune(
	caps_audit *audit, const caps_audit_entry *by, const uint64_t kept[2], hn_error **err)
{
	codec_cbor_out extra = {0};

	codec_cbor_put_map(&extra, 2);
	codec_cbor_put_uint(&extra, 1);
	codec_cbor_put_uint(&extra, kept[0]);
	codec_cbor_put_uint(&extra, 2);
	codec_cbor_put_uint(&extra, kept[1]);
	return record_it(audit, by, &extra, NULL, err);
}

static int prune(caps_audit *audit, const caps_audit_entry *by, int64_t before, hn_error **err)
{
	uint64_t kept[2] = {0, 0};
	int rc = audit_load(audit, err);

	if (rc >= 0)
		rc = find_end(audit, before, &kept[1], err);
	if (rc < 0 || kept[1] <= audit->min_index)
		return rc;
	kept[0] = audit->min_index;
	rc = record_prune(audit, by, kept, err);
	if (rc >= 0)
		rc = run_to(audit, "UPDATE audit_head SET min_index = ?1", kept[1], err);
	if (rc >= 0)
		rc = run_to(audit, "DELETE FROM audit WHERE seq < ?1", kept[1], err);
	/* No record that is kept refers to a text that much older. */
	if (rc >= 0 && kept[1] > AUDIT_TEXT_SPAN)
		rc = run_to(audit, "DELETE FROM audit_text WHERE erased IS NULL AND since < ?1",
			kept[1] - AUDIT_TEXT_SPAN, err);
	/* Nor to one that was erased before it: what says that it was goes with that record. */
	if (rc >= 0)
		rc = run_to(audit, "DELETE FROM audit_text WHERE erased < ?1", kept[1], err);
	audit_forget(audit);
	return rc;
}

int caps_audit_prune(caps_audit *audit, const caps_audit_entry *by, int64_t before,
	uint64_t *first_kept, hn_error **err)
{
	int64_t now = os_now(state_os(audit->store)) / AUDIT_NS_A_MS;
	int rc;

	if (before / 1000 > (now - FLOOR_MS) / 1000)
		return base_error(err, HN_ERANGE, CAPS_ROOM, "give an earlier day",
			"audit records are kept for 90 days at least");
	rc = state_begin(audit->store, err);
	if (rc < 0)
		return rc;
	rc = prune(audit, by, before, err);
	if (rc < 0) {
		state_rollback(audit->store);
		return rc;
	}
	rc = state_commit(audit->store, err);
	if (rc >= 0)
		rc = audit_load(audit, err);
	if (rc >= 0)
		*first_kept = audit->min_index;
	return rc < 0 ? rc : 0;
}

/* --- erasing --- */

typedef struct erase_call {
	caps_audit *audit;
	base_map *subjects; /* references of this subject */
	base_map *texts;    /* of records that have one of them: these go */
} erase_call;

static int mark(base_map *set, codec_view ref, hn_error **err)
{
	return ref.size > 0 && base_map_put(set, ref.bytes, ref.size, set) < 0 ? base_nomem(err)
									       : 0;
}

static int find_subjects(erase_call *call, const char *subject, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(call->audit->store,
		"SELECT ref FROM audit_text WHERE kind = 10 AND body = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, subject);
	while ((rc = state_row(query, err)) > 0) {
		codec_view ref;

		ref.bytes = state_blob(query, 0, &ref.size);
		rc = mark(call->subjects, ref, err);
		if (rc >= 0)
			rc = mark(call->texts, ref, err);
		if (rc < 0)
			break;
	}
	state_done(query);
	return rc;
}

static int mark_record(erase_call *call, const void *bytes, size_t size, hn_error **err)
{
	audit_record record;
	codec_view process = {0};
	int rc;

	if (!audit_record_read(bytes, size, &record) || record.subject.size == 0 ||
		!base_map_has(call->subjects, record.subject.bytes, AUDIT_REF))
		return 0;
	rc = mark(call->texts, record.reason, err);
	if (rc >= 0 && audit_record_process(&record, &process))
		rc = mark(call->texts, process, err);
	return rc;
}

static int find_texts(erase_call *call, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(call->audit->store, "SELECT rec FROM audit", &query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		size_t size = 0;
		const void *bytes = state_blob(query, 0, &size);

		rc = mark_record(call, bytes, size, err);
	}
	state_done(query);
	return rc;
}

/* What stays of a text is its reference: records that have it can be told from such whose text was
 * taken away by somebody else. UNNUMBERED until the record of the erasure has a number. */
static int erase_texts(erase_call *call, hn_error **err)
{
	const char *ref = NULL;
	size_t size = 0;
	void *value = NULL;
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < base_map_slots(call->texts); i++) {
		state_query *query = NULL;

		if (!base_map_at(call->texts, i, &ref, &size, &value))
			continue;
		rc = state_find(call->audit->store,
			"UPDATE audit_text SET salt = NULL, body = NULL, erased = ?2"
			" WHERE ref = ?1 AND erased IS NULL",
			&query, err);
		if (rc < 0)
			return rc;
		state_bind_blob(query, 1, ref, size);
		state_bind_int(query, 2, UNNUMBERED);
		rc = state_run(query, err);
	}
	return rc;
}

int audit_erased(caps_audit *audit, int64_t number, uint64_t *count, uint8_t digest[CRYPTO_DIGEST],
	hn_error **err)
{
	BASE_AUTO_BUF base_buf refs = {0};
	state_query *query = NULL;
	int rc = state_find(audit->store,
		"SELECT ref FROM audit_text WHERE erased = ?1 ORDER BY ref", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, number);
	*count = 0;
	while ((rc = state_row(query, err)) > 0) {
		size_t size = 0;
		const void *ref = state_blob(query, 0, &size);

		base_buf_add(&refs, ref, size);
		++*count;
	}
	if (rc < 0)
		return rc;
	if (refs.failed)
		return base_nomem(err);
	crypto_blake2b(refs.data ? refs.data : "", refs.size, digest);
	return 0;
}

/* {3 => texts, 4 => digest of their references} */
static int record_erasure(caps_audit *audit, const caps_audit_entry *by, uint64_t count,
	const uint8_t digest[CRYPTO_DIGEST], hn_error **err)
{
	codec_cbor_out extra = {0};
	state_query *query = NULL;
	uint64_t number = 0;
	int rc;

	audit_extra_pair(&extra, 3, count, digest);
	rc = record_it(audit, by, &extra, &number, err);
	if (rc >= 0)
		rc = state_find(audit->store, "UPDATE audit_text SET erased = ?1 WHERE erased = ?2",
			&query, err);
	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	state_bind_int(query, 2, UNNUMBERED);
	return state_run(query, err);
}

static int erase(erase_call *call, const caps_audit_entry *by, const char *subject, uint64_t *count,
	hn_error **err)
{
	uint8_t digest[CRYPTO_DIGEST];
	int rc = find_subjects(call, subject, err);

	if (rc >= 0)
		rc = find_texts(call, err);
	if (rc >= 0)
		rc = erase_texts(call, err);
	if (rc >= 0)
		rc = audit_erased(call->audit, UNNUMBERED, count, digest, err);
	audit_forget(call->audit);
	return rc < 0 || *count == 0 ? rc : record_erasure(call->audit, by, *count, digest, err);
}

int caps_audit_erase(caps_audit *audit, const caps_audit_entry *by, const char *subject,
	uint64_t *count, hn_error **err)
{
	BASE_AUTO_OF(base_map) base_map *subjects = base_map_new(NULL);
	BASE_AUTO_OF(base_map) base_map *texts = base_map_new(NULL);
	erase_call call = {.audit = audit, .subjects = subjects, .texts = texts};
	uint64_t gone = 0;
	int rc;

	if (!subjects || !texts)
		return base_nomem(err);
	rc = state_begin(audit->store, err);
	if (rc < 0)
		return rc;
	rc = erase(&call, by, subject, &gone, err);
	if (rc < 0) {
		state_rollback(audit->store);
		return rc;
	}
	rc = state_commit(audit->store, err);
	if (rc >= 0)
		*count = gone;
	return rc;
}
