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
