/* SPDX-License-Identifier: MIT
 *
 * Denials of one subject and verb: the first of ten seconds are written, the others counted, so
 * that who is refused again and again cannot fill the log.
 */
#include "caps/audit-log.h"

#define WRITTEN 8
#define WINDOW (10 * OS_SECOND)

static int64_t boot_time(const caps_audit *audit)
{
	hn_os *os = state_os(audit->store);

	return os->ops->clock(os, HN_OS_CLOCK_BOOT);
}

static bool is_of(const caps_audit_source *source, const caps_audit_entry *entry)
{
	return source->written > 0 && source->verb == entry->verb &&
	       (entry->subject ? source->subject && strcmp(source->subject, entry->subject) == 0
			       : !source->subject);
}

/* Writes what was counted, and frees the place. */
static int close_source(caps_audit *audit, caps_audit_source *source, hn_error **err)
{
	caps_audit_entry entry = {
		.kind = CAPS_AUDIT_DENIALS,
		.verb = source->verb,
		.subject = source->subject,
		.count = source->summed,
	};
	int rc = source->summed > 0 ? caps_audit_tell(audit, &entry, err) : 0;

	if (rc < 0)
		return rc;
	base_free(source->subject);
	*source = (caps_audit_source){0};
	return 0;
}

/* The place of this subject and verb, else a free one, else that of the oldest. */
static int find_source(
	caps_audit *audit, const caps_audit_entry *entry, caps_audit_source **found, hn_error **err)
{
	caps_audit_source *best = &audit->sources[0];
	int rc;

	for (size_t i = 0; i < AUDIT_SOURCES; i++) {
		caps_audit_source *source = &audit->sources[i];

		if (is_of(source, entry) && boot_time(audit) - source->since < WINDOW) {
			*found = source;
			return 0;
		}
		if (is_of(source, entry)) {
			best = source;
			break;
		}
		if (source->written == 0 ? best->written > 0
					 : best->written > 0 && source->since < best->since)
			best = source;
	}
	rc = close_source(audit, best, err);
	if (rc < 0)
		return rc;
	if (entry->subject) {
		best->subject = base_strdup(entry->subject);
		if (!best->subject)
			return base_nomem(err);
	}
	best->verb = entry->verb;
	best->since = boot_time(audit);
	*found = best;
	return 0;
}

int caps_audit_deny(caps_audit *audit, const caps_audit_entry *entry, hn_error **err)
{
	caps_audit_source *source = NULL;
	int rc = find_source(audit, entry, &source, err);

	if (rc < 0)
		return rc;
	if (source->written >= WRITTEN) {
		source->summed++;
		return 0;
	}
	source->written++;
	return caps_audit_tell(audit, entry, err);
}

int caps_audit_deny_flush(caps_audit *audit, bool all, hn_error **err)
{
	int rc = 0;

	for (size_t i = 0; rc >= 0 && i < AUDIT_SOURCES; i++) {
		caps_audit_source *source = &audit->sources[i];

		if (source->written > 0 && (all || boot_time(audit) - source->since >= WINDOW))
			rc = close_source(audit, source, err);
	}
	return rc;
}

void audit_sources_free(caps_audit *audit)
{
	for (size_t i = 0; i < AUDIT_SOURCES; i++)
		base_free(audit->sources[i].subject);
}
