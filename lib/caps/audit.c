/* SPDX-License-Identifier: MIT
 *
 * The audit log: its head, and appending to it. The head keeps the roots of the tree's full
 * subtrees (its frontier), so appending costs a logarithm and needs no old record.
 */
#include "caps/audit-log.h"

#include <stdio.h>

/* --- the handle --- */

int caps_audit_open(state_store *store, const char *node, caps_audit **audit, hn_error **err)
{
	caps_audit *made = base_calloc(1, sizeof(*made));

	if (!made)
		return base_nomem(err);
	made->store = store;
	(void)snprintf(made->node, sizeof(made->node), "%s", node);
	*audit = made;
	return 0;
}

void caps_audit_close(caps_audit *audit)
{
	if (!audit)
		return;
	audit_texts_forget(audit);
	audit_held_clear(audit);
	base_free(audit->held_records);
	audit_sources_free(audit);
	base_buf_free(&audit->record);
	base_free(audit);
}

/* --- the head --- */

void audit_forget(caps_audit *audit)
{
	audit->epoch = 0;
	audit_texts_forget(audit);
	audit->held_from = UINT64_MAX;
}

/* What was remembered of the texts and the last tile holds for one tree only. */
static int take_head(caps_audit *audit, state_query *query, hn_error **err)
{
	size_t size = 0, count = audit->tree.count;
	const void *bytes = state_blob(query, 1, &size);
	uint64_t leaves = (uint64_t)state_int(query, 0);
	bool same = leaves == audit->tree.size && size == count * CRYPTO_DIGEST &&
		    (size == 0 || memcmp(bytes, audit->tree.node, size) == 0);

	audit->min_index = (uint64_t)state_int(query, 2);
	audit->claimed = (uint64_t)state_int(query, 3);
	audit->whole = leaves == 0 || (uint64_t)state_int(query, 4) == leaves - 1;
	if (same && audit->held_from <= leaves)
		return 0;
	audit_texts_forget(audit);
	audit->held_from = leaves;
	return crypto_merkle_load(&audit->tree, leaves, bytes, size, err);
}

int audit_load(caps_audit *audit, hn_error **err)
{
	state_query *query = NULL;
	uint64_t epoch = state_epoch(audit->store);
	int rc;

	if (audit->epoch == epoch && state_in_transaction(audit->store))
		return 0;
	audit->epoch = 0;
	rc = state_find(audit->store,
		"SELECT size, frontier, min_index, sealed, (SELECT max(seq) FROM audit) FROM audit_head",
		&query, err);
	if (rc < 0)
		return rc;
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return HN_CORRUPT(err, CAPS_ROOM, "the audit log has no head");
	rc = take_head(audit, query, err);
	state_done(query);
	if (rc >= 0 && state_in_transaction(audit->store))
		audit->epoch = epoch;
	return rc;
}

int audit_check_end(caps_audit *audit, hn_error **err)
{
	return audit->whole
		       ? 0
		       : audit_forked(audit, err,
				 "record %llu, the last of the audit log, is missing or not the"
				 " last: somebody changed the database",
				 (unsigned long long)audit->tree.size - 1);
}

int caps_audit_size(caps_audit *audit, uint64_t *size, hn_error **err)
{
	int rc = audit_load(audit, err);

	if (rc < 0)
		return rc;
	*size = audit->tree.size;
	return 0;
}

static int store_head(caps_audit *audit, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		audit->store, "UPDATE audit_head SET size = ?1, frontier = ?2", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)audit->tree.size);
	state_bind_blob(query, 2, audit->tree.node, audit->tree.count * CRYPTO_DIGEST);
	return state_run(query, err);
}

/* --- appending --- */

static int insert_record(caps_audit *audit, const uint8_t leaf[CRYPTO_DIGEST], hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		audit->store, "INSERT INTO audit(seq, rec, leaf) VALUES (?1, ?2, ?3)", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)audit->tree.size);
	state_bind_blob(query, 2, audit->record.data, audit->record.size);
	state_bind_blob(query, 3, leaf, CRYPTO_DIGEST);
	return state_run(query, err);
}

int audit_append_one(
	caps_audit *audit, const caps_audit_entry *entry, uint64_t *number, hn_error **err)
{
	uint8_t leaf[CRYPTO_DIGEST];
	int rc;

	audit->record.size = 0;
	rc = audit_record_write(audit, entry, &audit->record, err);
	if (rc < 0) {
		base_buf_free(&audit->record); /* a failed one would stay so */
		return rc;
	}
	crypto_leaf(audit->record.data, audit->record.size, leaf);
	rc = insert_record(audit, leaf, err);
	if (rc < 0)
		return rc;
	if (number)
		*number = audit->tree.size;
	memcpy(audit->held[audit->tree.size % CRYPTO_TILE_WIDTH], leaf, CRYPTO_DIGEST);
	crypto_merkle_push(&audit->tree, leaf);
	rc = audit_tiles_store(audit, err);
	if (rc >= 0 && entry->by)
		rc = audit_pending_put(audit, audit->tree.size - 1, entry, err);
	if (rc >= 0 && entry->ends)
		rc = audit_pending_end(audit, entry->refers, err);
	return rc;
}

/* Record 0 is always a start, so that "refers to 0" can mean "to nothing". */
static int append_start(caps_audit *audit, hn_error **err)
{
	static const caps_audit_entry start = {.kind = CAPS_AUDIT_START, .verb = -1};

	return audit->tree.size > 0 ? 0 : audit_append_one(audit, &start, NULL, err);
}

/* What is held goes first; NULL: nothing but that. */
static int append_now(
	caps_audit *audit, const caps_audit_entry *entry, uint64_t *number, hn_error **err)
{
	uint64_t epoch = state_epoch(audit->store);
	/* once a transaction: it is acknowledged as a whole, and no other process writes in it */
	bool guarded = audit->guarded == epoch && !audit->forked;
	int rc = guarded ? 0 : audit_guard(audit, err);

	if (rc >= 0 && !guarded)
		rc = audit_check_fork(audit, err);
	if (rc >= 0) {
		audit->guarded = epoch;
		rc = audit_load(audit, err); /* another process may have appended */
	}
	if (rc >= 0)
		rc = audit_check_end(audit, err);
	if (rc >= 0 && (entry || audit->held_count > 0))
		rc = append_start(audit, err);
	if (rc >= 0 && audit->store->depth == 1)
		rc = audit_held_append(audit, err);
	if (rc >= 0 && entry)
		rc = audit_append_one(audit, entry, number, err);
	return rc < 0 ? rc : store_head(audit, err);
}

/* A commit of our own: what was acknowledged must lie in the file that has the name. */
static int commit_own(caps_audit *audit, hn_error **err)
{
	int rc = state_commit(audit->store, err);

	if (rc >= 0)
		rc = audit_guard(audit, err);
	if (rc < 0)
		return rc;
	audit_held_clear(audit);
	audit->failing_since = 0;
	return 0;
}

int audit_append(caps_audit *audit, const caps_audit_entry *entry, uint64_t *number, hn_error **err)
{
	hn_os *os = state_os(audit->store);
	bool own = !state_in_transaction(audit->store);
	int rc = state_begin(audit->store, err);

	if (rc >= 0) {
		rc = append_now(audit, entry, number, err);
		if (rc < 0)
			state_rollback(audit->store);
		else
			rc = own ? commit_own(audit, err) : state_commit(audit->store, err);
	}
	if (rc >= 0) {
		if (audit->unsealed_since == 0)
			audit->unsealed_since = os_monotonic(os);
		return rc;
	}
	audit_forget(audit);
	if (audit->failing_since == 0)
		audit->failing_since = os->ops->clock(os, HN_OS_CLOCK_BOOT);
	return rc;
}

int caps_audit_append(
	caps_audit *audit, const caps_audit_entry *entry, uint64_t *number, hn_error **err)
{
	uint64_t given = 0;
	int rc = audit_append(audit, entry, &given, err);

	if (rc < 0)
		return rc;
	if (number)
		*number = given;
	return 0;
}
