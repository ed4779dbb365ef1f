/* SPDX-License-Identifier: MIT
 *
 * Torture of events: no record that was acknowledged is lost, no number is given twice, no cursor
 * goes back, and nothing is pruned that a cursor has yet to read.
 */
#include "events/events-private.h"
#include "torture.h"

#define PATH "/state/hypernix.db"

/* What the scenario was promised so far; the scenarios run one after another, never at once. */
static struct {
	uint64_t sequence; /* newest acknowledged event */
	uint64_t cursor;   /* acknowledged position of "watch" */
	uint64_t asked;    /* the last position that was asked for */
	uint64_t pruned;   /* events before this may be gone */
	int64_t counter;   /* flushed for certain */
	int64_t counted;   /* added in all */
} promised;

typedef struct opened {
	state_store *store;
	events_log *log;
} opened;

static void opened_close(opened *o)
{
	events_close(o->log);
	state_close(o->store);
}
#define AUTO_OPENED __attribute__((cleanup(opened_close))) opened

static int open_log(torture *t, opened *o, hn_error **err)
{
	int rc = state_open(t->os, PATH, true, false, &o->store, err);

	return rc < 0 ? rc : events_open(o->store, &o->log, err);
}

static int append(opened *o, hn_error **err)
{
	hn_event event = {.size = sizeof(event),
		.type = "org.hypernix.test.v1",
		.subject = "unit/1",
		.data = "{\"n\": 1}"};
	uint64_t sequence = 0;
	int rc = events_append(o->log, &event, &sequence, err);

	if (rc < 0)
		return rc;
	/* An append that failed may yet have become durable, so that a number may be passed over.
	 */
	if (sequence <= promised.sequence)
		return base_error(err, HN_EINTERNAL, "torture", NULL, "a number was given twice");
	promised.sequence = sequence;
	return 0;
}

static int append_some(opened *o, int count, hn_error **err)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < count; i++)
		rc = append(o, err);
	return rc;
}

static int take_two(void *arg, const hn_event *event)
{
	int *taken = arg;

	if (*taken == 2)
		return 1;
	++*taken;
	promised.asked = event->sequence;
	return 0;
}

static int read_some(opened *o, hn_error **err)
{
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	int taken = 0;

	options.cursor = "watch";
	int rc = events_read(o->log, &options, take_two, &taken, err);
	if (rc < 0)
		return rc;
	promised.cursor = promised.asked;
	return 0;
}

static int prepare(torture *t)
{
	AUTO_OPENED o = {0};

	memset(&promised, 0, sizeof(promised));
	TORTURE_CHECK(os_mkdirs(t->os, "/state", 0700, NULL) == 0);
	TORTURE_CHECK(open_log(t, &o, NULL) == 0);
	TORTURE_CHECK(append_some(&o, 3, NULL) == 0);
	TORTURE_CHECK(events_cursor_set(o.log, "watch", 1, NULL) == 0);
	promised.cursor = promised.asked = 1;
	return 0;
}

static int append_run(torture *t, hn_error **err)
{
	AUTO_OPENED o = {0};
	int rc = open_log(t, &o, err);

	return rc < 0 ? rc : append_some(&o, 3, err);
}

static int effect_run(torture *t, hn_error **err)
{
	AUTO_OPENED o = {0};
	int rc = open_log(t, &o, err);

	if (rc == 0)
		rc = state_begin(o.store, err);
	if (rc < 0)
		return rc;
	uint64_t before = promised.sequence;
	rc = append_some(&o, 2, err);
	if (rc < 0)
		state_rollback(o.store);
	else
		rc = state_commit(o.store, err);
	if (rc < 0)
		promised.sequence = before;
	return rc;
}

static int cursor_run(torture *t, hn_error **err)
{
	AUTO_OPENED o = {0};
	int rc = open_log(t, &o, err);

	if (rc == 0)
		rc = read_some(&o, err);
	if (rc == 0)
		rc = append_some(&o, 2, err);
	if (rc == 0)
		rc = read_some(&o, err);
	return rc;
}

static int prune_run(torture *t, hn_error **err)
{
	AUTO_OPENED o = {0};
	int rc = open_log(t, &o, err);

	if (rc == 0)
		rc = read_some(&o, err);
	if (rc < 0)
		return rc;
	promised.pruned = promised.cursor + 1;
	rc = events_prune(o.log, UINT64_MAX, err);
	if (rc < 0)
		return rc;
	return append_some(&o, 2, err);
}

static int count_one(opened *o, hn_error **err)
{
	int rc = events_counter_add(o->log, "things", "kind=\"a\"", 1);

	if (rc < 0)
		return base_nomem(err);
	promised.counted++;
	rc = events_metrics_flush(o->log, err);
	if (rc == 0)
		promised.counter = promised.counted;
	return rc;
}

static int metrics_run(torture *t, hn_error **err)
{
	AUTO_OPENED o = {0};
	BASE_AUTO_FREE char *text = NULL;
	int rc = open_log(t, &o, err);

	if (rc == 0)
		rc = count_one(&o, err);
	if (rc == 0)
		rc = count_one(&o, err);
	if (rc == 0)
		rc = events_metrics_text(o.log, &text, err);
	return rc;
}

typedef struct walked {
	uint64_t first, last, count;
	bool whole;
} walked;

static int walk(void *arg, const hn_event *event)
{
	walked *w = arg;

	if (w->count == 0)
		w->first = event->sequence;
	else if (event->sequence != w->last + 1)
		w->whole = false;
	w->last = event->sequence;
	w->count++;
	if (strcmp(event->data, "{\"n\": 1}") != 0)
		w->whole = false;
	return 0;
}

static int check_events(opened *o)
{
	walked w = {.whole = true};
	uint64_t last = 0, cursor = 0;

	TORTURE_CHECK(events_read(o->log, NULL, walk, &w, NULL) >= 0);
	TORTURE_CHECK(events_last(o->log, &last, NULL) == 0);
	TORTURE_CHECK(events_cursor_get(o->log, "watch", &cursor, NULL) == 0);
	TORTURE_CHECK(w.whole);
	TORTURE_CHECK(last >= promised.sequence);
	TORTURE_CHECK(w.count == 0 || w.last == last);
	TORTURE_CHECK(w.count > 0 ? w.first <= (promised.pruned > 1 ? promised.pruned : 1)
				  : cursor == last);
	TORTURE_CHECK(cursor >= promised.cursor && cursor <= promised.asked);
	TORTURE_CHECK(w.count == 0 || w.first <= cursor + 1);
	promised.sequence = last;
	TORTURE_CHECK(append(o, NULL) == 0);
	return 0;
}

static int check_counter(opened *o)
{
	state_query *query = NULL;
	int64_t value = 0;

	TORTURE_CHECK(state_find(o->store, "SELECT value FROM metric WHERE name = 'things'", &query,
			      NULL) == 0);
	if (state_row(query, NULL) > 0)
		value = state_int(query, 0);
	state_done(query);
	TORTURE_CHECK(value >= promised.counter && value <= promised.counted);
	return 0;
}

static int check(torture *t)
{
	AUTO_OPENED o = {0};
	BASE_AUTO_OF(hn_error) hn_error *err = NULL;

	if (open_log(t, &o, &err) < 0 || state_check(o.store, &err) < 0)
		return torture_fail("not whole: %s", hn_error_message(err));
	return check_events(&o) < 0 ? -1 : check_counter(&o);
}

#define SCENARIO(which)                                                                            \
	{                                                                                          \
		.name = #which, .prepare = prepare, .run = which##_run, .check = check,            \
		.io = true, .crash = true                                                          \
	}
static const torture_scenario scenarios[] = {
	SCENARIO(append),
	SCENARIO(effect),
	SCENARIO(cursor),
	SCENARIO(prune),
	SCENARIO(metrics),
};

int main(int argc, char **argv)
{
	return torture_main("events", scenarios, BASE_COUNT(scenarios), argc, argv);
}
