/* SPDX-License-Identifier: MIT
 *
 * The sessions that are open, of all processes of this host, so that they can be seen and cut.
 */
#include "caps/store-private.h"

int caps_store_session_put(caps_store *store, const caps_session_row *row, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"INSERT INTO cap_session(id, subject, program, opened, pid, boot, cut)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, row->id, sizeof(row->id));
	state_bind_text(query, 2, row->subject);
	state_bind_text(query, 3, row->program);
	state_bind_int(query, 4, row->opened);
	state_bind_int(query, 5, row->pid);
	state_bind_int(query, 6, (int64_t)row->boot);
	return state_run(query, err);
}

/* Nothing of it is kept in memory but that it was cut, which may stay. */
int caps_store_session_remove(caps_store *store, const uint8_t id[8], hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state, "DELETE FROM cap_session WHERE id = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, id, 8);
	return state_run(query, err);
}

int caps_store_session_cut(caps_store *store, const uint8_t id[8], hn_error **err)
{
	state_query *query = NULL;
	char hex[17];
	int rc = state_find(
		store->state, "UPDATE cap_session SET cut = 1 WHERE id = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, id, 8);
	rc = caps_run(store, query, err);
	if (rc < 0 || state_changes(store->state) > 0)
		return rc;
	codec_hex(id, 8, hex);
	return base_error(err, HN_ENOENT, CAPS_ROOM, "see the list of sessions",
		"there is no open session %s", hex);
}

bool caps_store_session_is_cut(const caps_store *store, const uint8_t id[8])
{
	return base_map_count(store->cut) > 0 && base_map_has(store->cut, id, 8);
}

int caps_store_session_each(caps_store *store, int (*each)(void *arg, const caps_session_row *row),
	void *arg, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(store->state,
		"SELECT id, subject, program, opened, pid, boot, cut FROM cap_session ORDER BY opened, id",
		&query, err);

	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		caps_session_row row = {
			.subject = state_text(query, 1),
			.program = state_text(query, 2),
			.opened = state_int(query, 3),
			.pid = state_int(query, 4),
			.boot = (uint64_t)state_int(query, 5),
			.cut = state_int(query, 6) != 0,
		};
		size_t size = 0;
		const void *id = state_blob(query, 0, &size);

		if (size != sizeof(row.id)) {
			rc = HN_CORRUPT(err, CAPS_ROOM, "a session has no number");
			break;
		}
		memcpy(row.id, id, sizeof(row.id));
		rc = each(arg, &row);
		if (rc != 0)
			break;
	}
	state_done(query);
	return rc;
}
