/* SPDX-License-Identifier: MIT
 *
 * Named cursors, waiting for news, and pruning what every cursor has passed.
 */
#include "events/events-private.h"

#include <inttypes.h>
#include <limits.h>

static int check_name(const char *name, hn_error **err)
{
	if (name != NULL && base_name_valid(name, strlen(name)))
		return 0;
	return base_error(err, HN_EINVAL, "events", "a name is [a-z][a-z0-9-]{0,62}",
		"\"%s\" is not a name for a cursor", name == NULL ? "" : name);
}

/* Whether the cursor is there, and where it stands. */
static int find_cursor(
	events_log *log, const char *name, bool *there, uint64_t *sequence, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = check_name(name, err);

	if (rc == 0)
		rc = state_find(log->store, "SELECT sequence FROM event_cursor WHERE name = ?",
			&query, err);
	if (rc < 0)
		return rc;
	state_bind_text(query, 1, name);
	rc = state_row(query, err);
	if (rc < 0)
		return rc;
	*there = rc > 0;
	*sequence = rc > 0 ? (uint64_t)state_int(query, 0) : 0;
	return 0;
}

int events_cursor_get(events_log *log, const char *name, uint64_t *sequence, hn_error **err)
{
	bool there;

	return find_cursor(log, name, &there, sequence, err);
}

static int check_room(events_log *log, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(log->store, "SELECT count(*) FROM event_cursor", &query, err);

	if (rc == 0)
		rc = state_row(query, err);
	if (rc <= 0)
		return rc;
	return base_limit_check(BASE_LIMIT_CURSORS, (uint64_t)state_int(query, 0) + 1, err);
}

static int write_cursor(events_log *log, const char *name, uint64_t sequence, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(log->store,
		"INSERT INTO event_cursor (name, sequence, moved) VALUES (?, ?, ?) "
		"ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence, moved = excluded.moved",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, name);
	state_bind_int(query, 2, (int64_t)sequence);
	state_bind_int(query, 3, os_now(state_os(log->store)));
	return state_run(query, err);
}

/* In a transaction, so that two readers that share a cursor never move it back. */
static int set_cursor(
	events_log *log, const char *name, uint64_t sequence, bool strict, hn_error **err)
{
	uint64_t now = 0, last = 0;
	bool there = false;
	int rc = find_cursor(log, name, &there, &now, err);

	if (rc == 0)
		rc = events_last(log, &last, err);
	if (rc < 0)
		return rc;
	if (strict && (sequence < now || sequence > last))
		return base_error(err, HN_ERANGE, "events",
			"a cursor only moves forward, over events that exist",
			"cursor %s cannot go to %" PRIu64 ": it stands at %" PRIu64
			" and the last event is %" PRIu64,
			name, sequence, now, last);
	if (there && sequence <= now)
		return 0;
	if (!there)
		rc = check_room(log, err);
	return rc < 0 ? rc : write_cursor(log, name, sequence, err);
}

static int set_in_transaction(
	events_log *log, const char *name, uint64_t sequence, bool strict, hn_error **err)
{
	int rc = state_begin(log->store, err);

	if (rc < 0)
		return rc;
	rc = set_cursor(log, name, sequence, strict, err);
	if (rc == 0)
		return state_commit(log->store, err);
	state_rollback(log->store);
	return rc;
}

int events_cursor_set(events_log *log, const char *name, uint64_t sequence, hn_error **err)
{
	return set_in_transaction(log, name, sequence, true, err);
}

int events_cursor_move(events_log *log, const char *name, uint64_t sequence, hn_error **err)
{
	return set_in_transaction(log, name, sequence, false, err);
}

int events_cursor_remove(events_log *log, const char *name, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = check_name(name, err);

	if (rc == 0)
		rc = state_find(log->store, "DELETE FROM event_cursor WHERE name = ?", &query, err);
	if (rc < 0)
		return rc;
	state_bind_text(query, 1, name);
	rc = state_run(query, err);
	if (rc == 0 && state_changes(log->store) == 0)
		return base_error(err, HN_ENOENT, "events", NULL, "no cursor %s", name);
	return rc;
}

/* --- pruning --- */

static int prune_some(events_log *log, uint64_t before, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(log->store,
		"DELETE FROM event WHERE sequence IN (SELECT sequence FROM event WHERE sequence < ?1 AND "
		"sequence <= (SELECT ifnull(min(sequence), ?1) FROM event_cursor) ORDER BY sequence "
		"LIMIT 10000)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, before > INT64_MAX ? INT64_MAX : (int64_t)before);
	rc = state_run(query, err);
	return rc < 0 ? rc : (int)state_changes(log->store);
}

int events_prune(events_log *log, uint64_t before, hn_error **err)
{
	int removed = 0, some;

	/* In pieces: each commits, so that writers get their turn and the log file stays small. */
	do {
		some = prune_some(log, before, err);
		if (some < 0)
			return some;
		removed += some;
	} while (some > 0 && removed < INT_MAX - 10000);
	return removed;
}

/* --- waiting --- */

static int data_version(events_log *log, int64_t *version, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(log->store, "PRAGMA data_version", &query, err);

	if (rc == 0)
		rc = state_row(query, err);
	if (rc > 0)
		*version = state_int(query, 0);
	return rc < 0 ? rc : 0;
}

/* 1 when there is a newer event. Looks at the log only when the file has changed since *version. */
static int news(events_log *log, uint64_t after, int64_t *version, hn_error **err)
{
	int64_t seen = *version;
	uint64_t last = 0;
	int rc = data_version(log, version, err);

	if (rc < 0 || *version == seen)
		return rc;
	rc = events_last(log, &last, err);
	return rc < 0 ? rc : last > after;
}

int events_wait(events_log *log, uint64_t after, int64_t timeout, hn_cancel *cancel, hn_error **err)
{
	static const int64_t first = 20000000, longest = 250000000; /* ns */
	hn_os *os = state_os(log->store);
	int64_t begin = os_monotonic(os), pause = first, version = INT64_MIN;

	if (state_in_transaction(log->store))
		return base_error(err, HN_EINVAL, "events", NULL,
			"waiting inside a transaction, which never sees a newer event");
	for (;;) {
		int rc = news(log, after, &version, err);
		if (rc != 0)
			return rc;
		if (hn_cancel_triggered(cancel))
			return base_error(err, HN_ECANCELLED, "events", NULL,
				"waiting for an event was cancelled");
		int64_t rest = timeout < 0 ? INT64_MAX : timeout - (os_monotonic(os) - begin);
		if (rest <= 0)
			return 0;
		os->ops->sleep(os, pause < rest ? pause : rest);
		pause = pause * 2 < longest ? pause * 2 : longest;
	}
}
