/* SPDX-License-Identifier: MIT
 *
 * The durable log of what happened on a host, the cursors of its readers, and metrics.
 */
#ifndef HYPERNIX_EVENTS_H
#define HYPERNIX_EVENTS_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One record of the durable event log (CloudEvents 1.0 without a source host), borrowed inside the
 * callback. */
typedef struct hn_event {
	uint32_t size;
	uint64_t sequence;   /* rises by one, never reused, survives pruning */
	int64_t time;        /* wall ns */
	const char *type;    /* "org.hypernix.unit.ready.v1" */
	const char *subject; /* "unit/<uuid>"; "node" where the name of the host is left out */
	const char *name;    /* human name of the subject, or "" */
	const char *who;     /* "local/uid/0"; NULL when persons are left out */
	const char *data;    /* JSON object */
} hn_event;

/** Which events to read, and from where. */
typedef struct hn_events_options {
	uint32_t size;
	uint64_t after;     /* only events with a larger sequence */
	const char *cursor; /* start after this named cursor and move it when a batch was delivered;
			       NULL = none */
	const char *type;   /* pattern with '*', NULL = all */
	const char *subject; /* pattern with '*', NULL = all */
	uint32_t limit;      /* events at most; 0 = the limit EVENT_BATCH */
} hn_events_options;
#define HN_EVENTS_OPTIONS_INIT                                                                     \
	{                                                                                          \
		.size = sizeof(hn_events_options)                                                  \
	}

/** Takes one event; non-zero ends the walk, and a named cursor then stays before that event. */
typedef int (*hn_event_fn)(void *arg, const hn_event *event);

/**
 * Reads events, oldest first, and gives each to a callback. A named cursor moves, which is a note
 * of its reader and no change of the host: it needs no more than the right to read.
 *
 * @param session  needs event.read on node
 * @param options  HN_EVENTS_OPTIONS_INIT and what to read; NULL = from the beginning, all
 * @param each  called for each event, which is borrowed until it returns; may call the library
 * @param arg  handed to each
 * @param err  set on failure; may be NULL
 * @return the number of events that the callback took, or a negative hn_code
 * Errors: HN_EINVAL for a cursor that is no name; HN_ELIMIT for a limit above EVENT_BATCH or one
 * cursor too many; HN_ENEWER; HN_ESESSION, HN_EDENIED; HN_EBUSY, HN_EIO, HN_ENOSPC, HN_ECORRUPT;
 * HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk and in the callback
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_events_read(hn_session *session, const hn_events_options *options, hn_event_fn each,
	void *arg, hn_error **err);

/**
 * Waits until any process has committed an event that is newer than one already seen.
 *
 * @param session  needs event.read on node
 * @param after  sequence of the newest event already seen; 0 = none
 * @param timeout  ns; 0 = only look, negative = for ever
 * @param cancel  ends the wait early; NULL = nothing does
 * @param err  set on failure; may be NULL
 * @return 1 when there is a newer event, 0 when the time is over, or a negative hn_code
 * Errors: HN_ECANCELLED; HN_ESESSION, HN_EDENIED; HN_EBUSY, HN_EIO, HN_ECORRUPT; HN_ENOMEM
 * Threads: the one that has the session; cancel from any
 * Blocks: yes, up to timeout
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_events_wait(
	hn_session *session, uint64_t after, int64_t timeout, hn_cancel *cancel, hn_error **err);

/**
 * Gives the number of the newest event ever written, also when it was pruned since.
 *
 * @param session  needs event.read on node
 * @param sequence  set; 0 when there never was an event
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ESESSION, HN_EDENIED; HN_EBUSY, HN_EIO, HN_ECORRUPT; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_events_last(hn_session *session, uint64_t *sequence, hn_error **err);

/**
 * Removes old events that every named cursor has passed.
 *
 * @param session  needs node.role on node
 * @param before  events with a smaller sequence go, as far as all cursors have read them
 * @param err  set on failure; may be NULL
 * @return the number of events that were removed, or a negative hn_code
 * Errors: HN_ESESSION, HN_EDENIED; HN_EBUSY, HN_EIO, HN_ENOSPC, HN_ECORRUPT; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 */
HN_API int hn_events_prune(hn_session *session, uint64_t before, hn_error **err);

/**
 * Gives all counters and gauges of the host as OpenMetrics text.
 *
 * @param session  needs node.read on node
 * @param text  set to the text; release with hn_text_free
 * @param err  set on failure; may be NULL
 * @return 0 or a negative hn_code
 * Errors: HN_ESESSION, HN_EDENIED; HN_EBUSY, HN_EIO, HN_ENOSPC, HN_ECORRUPT; HN_ENOMEM
 * Threads: the one that has the session
 * Blocks: yes, on the disk
 * Allocates: yes
 * Since: 0.1
 * Source: OpenMetrics 1.0, https://openmetrics.io
 */
HN_API int hn_metrics_text(hn_session *session, char **text, hn_error **err);

#ifdef __cplusplus
}
#endif
#endif
