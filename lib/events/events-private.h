/* SPDX-License-Identifier: MIT
 *
 * The durable event log, named cursors, metrics and spans on `state`.
 */
#ifndef EVENTS_PRIVATE_H
#define EVENTS_PRIVATE_H

#include "codec/codec-private.h"
#include "state/state-private.h"
#include <hypernix/events.h>

typedef struct events_log events_log;
int events_open(state_store *store, events_log **log,
	hn_error **err); /* borrows the store; applies its schema */
void events_close(events_log *log);
BASE_AUTO(events_log, events_close)

/* Inside the caller's transaction when there is one (event and effect commit as one), else in its
 * own. event->sequence and ->time are set by the log (time only when 0). data NULL = "{}". */
int events_append(events_log *log, const hn_event *event, uint64_t *sequence, hn_error **err);
int events_read(events_log *log, const hn_events_options *options, hn_event_fn each, void *arg,
	hn_error **err);
int events_last(events_log *log, uint64_t *sequence, hn_error **err);
/* Waits until a newer event than `after` is committed by any process: 1, or 0 after `timeout` ns
 * (negative: for ever). Polls the file at 20-250 ms; heeds cancel. HN_EINVAL inside a transaction,
 * which sees no news. */
int events_wait(
	events_log *log, uint64_t after, int64_t timeout, hn_cancel *cancel, hn_error **err);
int events_prune(
	events_log *log, uint64_t before, hn_error **err); /* never past a cursor; number removed */
int events_cursor_get(events_log *log, const char *name, uint64_t *sequence,
	hn_error **err); /* 0 for an unknown cursor */
int events_cursor_set(events_log *log, const char *name, uint64_t sequence,
	hn_error **err); /* only forward, else HN_ERANGE */
int events_cursor_remove(events_log *log, const char *name, hn_error **err);

/* Counters and gauges in memory, flushed with the next append that makes its own transaction, by
 * events_metrics_flush, and at close. (An append inside the caller's transaction flushes nothing:
 * its rollback would lose the counts.) Names [a-z_][a-z0-9_]*; labels: `state="running"` or "". A
 * counter's name may end in _total or not. Where a name ends in _seconds (before _total) the value
 * is in ns. */
int events_counter_add(events_log *log, const char *name, const char *labels, uint64_t value);
/* A counter of what is counted elsewhere: it never falls. */
int events_counter_raise(events_log *log, const char *name, const char *labels, uint64_t value);
int events_gauge_set(events_log *log, const char *name, const char *labels, int64_t value);
int events_metrics_flush(events_log *log, hn_error **err);
int events_metrics_text(events_log *log, char **text, hn_error **err); /* OpenMetrics 1.0 */

/* A span: monotonic begin and end, CPU ns, written as an event org.hypernix.span.v1 when it ends
 * and it took >= 10 ms or failed. */
typedef struct events_span {
	const char *name;
	const char *subject;
	int64_t begin, cpu;
} events_span;
void events_span_begin(events_log *log, events_span *span, const char *name, const char *subject);
void events_span_end(events_log *log, events_span *span, hn_code code);

/* --- between the files of this room --- */
struct events_log {
	state_store *store;
	base_map *metrics; /* "name{labels}" to metric */
};
int events_cursor_move(events_log *log, const char *name, uint64_t sequence,
	hn_error **err); /* as set, but never an error for a step back */
bool events_metrics_pending(const events_log *log);

#endif
