/* SPDX-License-Identifier: MIT
 *
 * When the audit log cannot be written: nothing is changed any more, reads go on for a while, and
 * what belongs to no change waits in memory.
 */
#include "caps/audit-log.h"

#include <errno.h>
#include <stdio.h>

#define RESERVE_BYTES 1048576

/* --- the file --- */

int caps_audit_watch(caps_audit *audit, hn_error **err)
{
	hn_os *os = state_os(audit->store);
	struct stat status;
	int rc = os->ops->stat(os, state_file(audit->store), &status);

	if (rc < 0)
		return base_error_errno(err, CAPS_ROOM, -rc, "%s", state_file(audit->store));
	audit->device = status.st_dev;
	audit->inode = status.st_ino;
	audit->watched = true;
	(void)audit_check_fork(audit, NULL); /* asked again with each change */
	return 0;
}

static int say_gone(hn_error **err)
{
	return base_error(err, HN_EAUDIT, CAPS_ROOM, "put the file back, verify it, and start anew",
		"the file with the audit log was removed or replaced while it was open");
}

static int say_forked(hn_error **err)
{
	return base_error(err, HN_EAUDITFORK, CAPS_ROOM,
		"put the newest copy of the database back; verifying it shows where it ends",
		"the audit log is not the one that was sealed");
}

int audit_check_fork(caps_audit *audit, hn_error **err)
{
	state_query *query = NULL;
	int rc = 0;

	if (!audit->forked)
		rc = state_find(audit->store, "SELECT 1 FROM audit_fork LIMIT 1", &query, err);
	if (rc >= 0 && query) {
		rc = state_row(query, err);
		state_done(query);
		audit->forked = rc > 0;
	}
	if (rc < 0)
		return rc;
	return audit->forked ? say_forked(err) : 0;
}

int audit_forked(caps_audit *audit, hn_error **err, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	audit->forked = true;
	return base_error(err, HN_EAUDITFORK, CAPS_ROOM,
		"put the newest copy of the database back; until then nothing is changed", "%s",
		text);
}

int audit_guard(caps_audit *audit, hn_error **err)
{
	hn_os *os = state_os(audit->store);
	struct stat status;
	int rc = 0;

	if (audit->forked)
		return say_forked(err);
	if (audit->watched && !audit->gone)
		rc = os->ops->stat(os, state_file(audit->store), &status);
	if (rc < 0 && rc != -ENOENT)
		return base_error_errno(err, CAPS_ROOM, -rc, "%s", state_file(audit->store));
	if (audit->watched && !audit->gone)
		audit->gone =
			rc < 0 || status.st_dev != audit->device || status.st_ino != audit->inode;
	if (!audit->gone)
		return 0;
	if (audit->failing_since == 0)
		audit->failing_since = os->ops->clock(os, HN_OS_CLOCK_BOOT);
	return say_gone(err);
}

/* --- who may go on --- */

static bool grace_over(const caps_audit *audit)
{
	hn_os *os = state_os(audit->store);

	return audit->failing_since != 0 &&
	       os->ops->clock(os, HN_OS_CLOCK_BOOT) - audit->failing_since >= CAPS_AUDIT_GRACE_NS;
}

/* What is held is tried again: an empty transaction tells whether the log can be written. */
static bool writable_again(caps_audit *audit)
{
	return !state_in_transaction(audit->store) && audit_append(audit, NULL, NULL, NULL) >= 0;
}

int caps_audit_usable(caps_audit *audit, bool change, hn_error **err)
{
	if (audit->gone && change && !audit->forked)
		return say_gone(err);
	/* A transaction whose record was admitted keeps the others out: nothing is new in it. */
	if (change && state_in_transaction(audit->store) && !audit->forked &&
		audit->guarded == state_epoch(audit->store))
		return 0;
	if (change)
		return audit_check_fork(audit, err);
	if (audit->forked || !grace_over(audit) || (!audit->gone && writable_again(audit)))
		return 0;
	return base_error(err, HN_EAUDIT, CAPS_ROOM, "see why it cannot be written",
		"the audit log could not be written for 15 minutes");
}

/* --- what waits --- */

static void held_free(caps_audit_held *held)
{
	base_free(held->object);
	base_free(held->subject);
	base_free(held->reason);
}

void audit_held_clear(caps_audit *audit)
{
	for (size_t i = 0; i < audit->held_count; i++)
		held_free(&audit->held_records[i]);
	audit->held_count = 0;
}

static bool keep(char **copy, const char *text)
{
	*copy = text ? base_strdup(text) : NULL;
	return !text || *copy;
}

/* Who, what, when: chain, rule and the rest of a token's facts are not kept. */
static int hold(caps_audit *audit, const caps_audit_entry *entry, hn_error **err)
{
	hn_os *os = state_os(audit->store);
	caps_audit_held *held;

	if (grace_over(audit) ||
		base_limit_check(BASE_LIMIT_AUDIT_HELD, audit->held_count + 1, NULL) < 0)
		return base_error(err, HN_EAUDIT, CAPS_ROOM, "see why it cannot be written",
			"the audit log cannot be written, and no more is held in memory");
	if (base_grow(&audit->held_records, &audit->held_capacity, audit->held_count + 1,
		    sizeof(*held)) < 0)
		return base_nomem(err);
	held = &audit->held_records[audit->held_count];
	*held = (caps_audit_held){.entry = {.kind = entry->kind,
					  .verb = entry->verb,
					  .refers = entry->refers,
					  .code = entry->code,
					  .has_code = entry->has_code,
					  .count = entry->count}};
	held->entry.wall = os_now(os) / AUDIT_NS_A_MS;
	held->entry.boot = os->ops->clock(os, HN_OS_CLOCK_BOOT) / AUDIT_NS_A_MS;
	if (entry->session)
		memcpy(held->session, entry->session, sizeof(held->session));
	held->has_session = entry->session != NULL;
	if (!keep(&held->object, entry->object) || !keep(&held->subject, entry->subject) ||
		!keep(&held->reason, entry->reason)) {
		held_free(held);
		return base_nomem(err);
	}
	audit->held_count++;
	return 0;
}

int audit_held_append(caps_audit *audit, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < audit->held_count; i++) {
		caps_audit_held *held = &audit->held_records[i];
		caps_audit_entry entry = held->entry;

		entry.object = held->object;
		entry.subject = held->subject;
		entry.reason = held->reason;
		entry.session = held->has_session ? held->session : NULL;
		rc = audit_append_one(audit, &entry, NULL, err);
	}
	return rc;
}

int caps_audit_tell(caps_audit *audit, const caps_audit_entry *entry, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	int rc = caps_audit_append(audit, entry, NULL, &why);

	if (rc >= 0 || audit->forked)
		return 0;
	rc = hold(audit, entry, err);
	if (rc >= 0)
		base_log(HN_LOG_WARNING, CAPS_ROOM,
			"an audit record waits in memory, %zu in all: %s", audit->held_count,
			hn_error_message(why));
	return rc;
}

/* --- the reserve --- */

int caps_audit_reserve_make(hn_os *os, const char *path, hn_error **err)
{
	BASE_AUTO_FREE uint8_t *bytes = NULL;
	int rc;

	if (os_exists(os, path))
		return 0;
	bytes = base_alloc(RESERVE_BYTES);
	if (!bytes)
		return base_nomem(err);
	/* Chance, so that no file system packs it into less. */
	rc = os_random(os, bytes, RESERVE_BYTES, err);
	return rc < 0 ? rc : os_write_file(os, path, bytes, RESERVE_BYTES, 0600, err);
}

bool caps_audit_reserve_release(hn_os *os, const char *path)
{
	return os->ops->unlink(os, path) == 0;
}
