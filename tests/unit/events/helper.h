/* SPDX-License-Identifier: MIT
 *
 * What the tests of events share: a log on a simulated os, and events to put into it.
 */
#ifndef EVENTS_TEST_HELPER_H
#define EVENTS_TEST_HELPER_H

#include "events/events-private.h"
#include "store-helper.h"

static hn_os *os;
static state_store *store;
static events_log *events;

static inline void setup(void)
{
	os = sim_new(0);
	OK(state_open(os, PATH, true, false, &store, err));
	OK(events_open(store, &events, err));
}

static inline void teardown(void)
{
	events_close(events);
	state_close(store);
	hn_os_sim_free(os);
}

static inline uint64_t append(const char *type, const char *subject)
{
	hn_event event = {
		.size = sizeof(event), .type = type, .subject = subject, .who = "local/uid/0"};
	uint64_t sequence = 0;

	OK(events_append(events, &event, &sequence, err));
	return sequence;
}

static inline void append_many(int count)
{
	OK(state_begin(store, err));
	for (int i = 0; i < count; i++)
		append("org.hypernix.test.v1", i % 2 == 0 ? "unit/even" : "unit/odd");
	OK(state_commit(store, err));
}

/* What a walk has seen. */
typedef struct seen {
	int count;
	uint64_t first, last;
	int stop_at; /* the call that returns non-zero, from 1; 0 = none */
	bool gap;
} seen;

static inline int see(void *arg, const hn_event *event)
{
	seen *s = arg;

	s->count++;
	if (s->first == 0)
		s->first = event->sequence;
	else if (event->sequence != s->last + 1)
		s->gap = true;
	s->last = event->sequence;
	return s->stop_at == s->count;
}

static inline uint64_t cursor_at(const char *name)
{
	uint64_t sequence = 77;

	OK(events_cursor_get(events, name, &sequence, err));
	return sequence;
}

#endif
