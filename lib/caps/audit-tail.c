/* SPDX-License-Identifier: MIT
 *
 * Showing the audit log: its records as JSON, with the texts that were not erased.
 */
#include "caps/audit-log.h"

typedef struct finding {
	caps_audit *audit;
	hn_error **err;
	int rc; /* of the first that could not be looked for */
} finding;

/* Not to be had is another thing than not there. */
static char *find_text(void *arg, const uint8_t ref[AUDIT_REF])
{
	finding *all = arg;
	state_query *query = NULL;
	char *copy = NULL;
	int rc = all->rc < 0
			 ? all->rc
			 : state_find(all->audit->store,
				   "SELECT body FROM audit_text WHERE ref = ?1", &query, all->err);

	if (rc >= 0) {
		state_bind_blob(query, 1, ref, AUDIT_REF);
		rc = state_row(query, all->err);
	}
	if (rc > 0 && !state_is_null(query, 0)) {
		copy = base_strdup(state_text(query, 0));
		if (!copy)
			rc = base_nomem(all->err);
	}
	state_done(query);
	all->rc = rc < 0 ? rc : 0;
	return copy;
}

static int put_row(
	caps_audit *audit, state_query *query, uint32_t redact, hn_json *json, hn_error **err)
{
	finding all = {.audit = audit, .err = err};
	const audit_text_source texts = {.find = find_text, .arg = &all, .redact = redact};
	audit_record record;
	size_t size = 0;
	const void *bytes = state_blob(query, 0, &size);

	if (!audit_record_read(bytes, size, &record))
		return HN_CORRUPT(err, CAPS_ROOM, "audit record %lld is not one",
			(long long)state_int(query, 1));
	hn_json_object(json, NULL);
	audit_record_json(&record, &texts, json);
	hn_json_end(json);
	return all.rc;
}

int caps_audit_tail(caps_audit *audit, uint64_t from, uint32_t limit, uint32_t redact,
	hn_json *json, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(audit->store,
		"SELECT rec, seq FROM audit WHERE seq >= ?1 ORDER BY seq LIMIT ?2", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, from > INT64_MAX ? INT64_MAX : (int64_t)from);
	state_bind_int(query, 2, limit);
	hn_json_array(json, NULL);
	while ((rc = state_row(query, err)) > 0) {
		rc = put_row(audit, query, redact, json, err);
		if (rc < 0)
			break;
	}
	state_done(query);
	hn_json_end(json);
	return rc;
}

int caps_audit_when(
	caps_audit *audit, uint64_t number, int64_t *seconds, char **reason, hn_error **err)
{
	finding all = {.audit = audit, .err = err};
	state_query *query = NULL;
	char *found = NULL;
	audit_record record;
	int rc = state_find(audit->store, "SELECT rec FROM audit WHERE seq = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, number > INT64_MAX ? INT64_MAX : (int64_t)number);
	rc = state_row(query, err);
	if (rc > 0) {
		size_t size = 0;
		const void *bytes = state_blob(query, 0, &size);

		if (!audit_record_read(bytes, size, &record))
			rc = HN_CORRUPT(err, CAPS_ROOM, "audit record %llu is not one",
				(unsigned long long)number);
		else if (record.reason.size > 0)
			found = find_text(&all, record.reason.bytes);
	}
	state_done(query);
	rc = all.rc < 0 ? all.rc : rc;
	if (rc > 0) {
		*seconds = record.wall / 1000;
		*reason = found;
	}
	return rc;
}
