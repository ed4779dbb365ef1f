/* SPDX-License-Identifier: MIT
 *
 * Allow records whose effect lies outside of their transaction and that have no outcome yet, so
 * that what a killed process has left is found without reading the log.
 */
#include "caps/audit-log.h"

int audit_pending_put(
	caps_audit *audit, uint64_t number, const caps_audit_entry *entry, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(audit->store,
		"INSERT INTO audit_pending(seq, verb, object, pid, started, boot)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	state_bind_int(query, 2, entry->verb);
	state_bind_text(query, 3, entry->object ? entry->object : "");
	state_bind_int(query, 4, entry->by->pid);
	state_bind_int(query, 5, (int64_t)entry->by->started);
	state_bind_int(query, 6, (int64_t)entry->by->boot);
	return state_run(query, err);
}

int audit_pending_end(caps_audit *audit, uint64_t number, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(audit->store, "DELETE FROM audit_pending WHERE seq = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	return state_run(query, err);
}

int caps_audit_pending_each(state_store *store,
	int (*each)(void *arg, const caps_audit_pending *row), void *arg, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store,
		"SELECT seq, verb, object, pid, started, boot FROM audit_pending ORDER BY seq",
		&query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		const caps_audit_pending row = {
			.number = (uint64_t)state_int(query, 0),
			.verb = (int)state_int(query, 1),
			.object = state_text(query, 2),
			.by = {.pid = state_int(query, 3),
				.started = (uint64_t)state_int(query, 4),
				.boot = (uint64_t)state_int(query, 5)},
		};

		rc = each(arg, &row);
		if (rc != 0)
			break;
	}
	state_done(query);
	return rc;
}

int caps_audit_pending_has(state_store *store, uint64_t number, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store, "SELECT 1 FROM audit_pending WHERE seq = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	rc = state_row(query, err);
	state_done(query);
	return rc;
}

static bool runs_or_stops(const audit_record *record, const char *object)
{
	return record->kind == CAPS_AUDIT_ALLOW &&
	       (record->verb == HN_VERB_UNIT_START || record->verb == HN_VERB_UNIT_STOP ||
		       record->verb == HN_VERB_UNIT_DELETE) &&
	       record->object.size == strlen(object) &&
	       memcmp(record->object.bytes, object, record->object.size) == 0;
}

int caps_audit_followed(state_store *store, uint64_t number, const char *object, hn_error **err)
{
	state_query *query = NULL;
	bool found = false;
	int rc = state_find(
		store, "SELECT rec FROM audit WHERE seq > ?1 ORDER BY seq DESC", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	while (!found && (rc = state_row(query, err)) > 0) {
		audit_record record;
		size_t size = 0;
		const void *bytes = state_blob(query, 0, &size);

		found = audit_record_read(bytes, size, &record) && runs_or_stops(&record, object);
	}
	state_done(query);
	return rc < 0 ? rc : found;
}
