/* SPDX-License-Identifier: MIT */
#ifndef HYPERNIX_EVENTS_H
#define HYPERNIX_EVENTS_H

#include <hypernix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One record of the durable event log (a CloudEvents 1.0 event without a source host). Borrowed inside the callback. */
typedef struct hn_event {
	uint32_t size;
	uint64_t sequence;   /* rises by one, never reused, survives pruning */
	int64_t time;        /* wall ns */
	const char *type;    /* "org.hypernix.unit.ready.v1" */
	const char *subject; /* "unit/<uuid>" */
	const char *name;    /* human name of the subject, or "" */
	const char *who;     /* "local/uid/0" */
	const char *data;    /* JSON object */
} hn_event;

typedef struct hn_events_options {
	uint32_t size;
	uint64_t after;       /* only events with a larger sequence */
	const char *cursor;   /* start after this named cursor and move it when a batch was delivered; NULL = none */
	const char *type;     /* pattern with '*', NULL = all */
	const char *subject;  /* pattern with '*', NULL = all */
	uint32_t limit;       /* events at most; 0 = EVENT_BATCH */
} hn_events_options;
#define HN_EVENTS_OPTIONS_INIT { .size = sizeof(hn_events_options) }

/* A callback that returns non-zero ends the walk; a named cursor then stays before that event. */
typedef int (*hn_event_fn)(void *arg, const hn_event *event);
HN_API int hn_events_read(hn_session *session, const hn_events_options *options, hn_event_fn each, void *arg, hn_error **err); /* needs event.read; number delivered */
HN_API int hn_events_wait(hn_session *session, uint64_t after, int64_t timeout, hn_cancel *cancel, hn_error **err); /* 1 there is a newer one, 0 timed out */
HN_API int hn_events_last(hn_session *session, uint64_t *sequence, hn_error **err);
HN_API int hn_events_prune(hn_session *session, uint64_t before, hn_error **err);          /* needs node.role; keeps what a cursor has not read */
HN_API int hn_metrics_text(hn_session *session, char **text, hn_error **err);              /* OpenMetrics text; release with hn_text_free */

#ifdef __cplusplus
}
#endif
#endif
