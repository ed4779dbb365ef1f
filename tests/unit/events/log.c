/* SPDX-License-Identifier: MIT
 *
 * Appending to the log, reading it, cursors, pruning, waiting.
 */
#include "helper.h"
#include <errno.h>

TestSuite(append, .init = setup, .fini = teardown);
TestSuite(read, .init = setup, .fini = teardown);
TestSuite(cursor, .init = setup, .fini = teardown);
TestSuite(prune, .init = setup, .fini = teardown);
TestSuite(wait, .init = setup, .fini = teardown);
TestSuite(span, .init = setup, .fini = teardown);

static uint64_t last(void)
{
	uint64_t sequence = 77;

	OK(events_last(events, &sequence, err));
	return sequence;
}

/* --- append --- */

Test(append, sequence_rises_by_one)
{
	cr_assert_eq(last(), 0u);
	for (uint64_t i = 1; i <= 20; i++)
		cr_assert_eq(append("t", "s"), i);
	cr_assert_eq(last(), 20u);
}

static int check_fields(void *arg, const hn_event *event)
{
	(void)arg;
	cr_assert_eq(event->size, sizeof(hn_event));
	cr_assert_eq(event->sequence, 1u);
	cr_assert_eq(event->time, 123456789);
	cr_assert_str_eq(event->type, "org.hypernix.unit.ready.v1");
	cr_assert_str_eq(event->subject, "unit/1");
	cr_assert_str_eq(event->name, "webserver");
	cr_assert_str_eq(event->who, "local/uid/0");
	cr_assert_str_eq(event->data, "{\"boot\": 4}");
	return 0;
}

Test(append, every_field_comes_back)
{
	hn_event event = {.size = sizeof(event),
		.sequence = 999,
		.time = 123456789,
		.type = "org.hypernix.unit.ready.v1",
		.subject = "unit/1",
		.name = "webserver",
		.who = "local/uid/0",
		.data = "{\"boot\": 4}"};

	OK(events_append(events, &event, NULL, err));
	cr_assert_eq(events_read(events, NULL, check_fields, NULL, NULL), 1);
}

static int check_defaults(void *arg, const hn_event *event)
{
	(void)arg;
	cr_assert_eq(event->time, WALL);
	cr_assert_str_eq(event->subject, "");
	cr_assert_str_eq(event->name, "");
	cr_assert_str_eq(event->who, "");
	cr_assert_str_eq(event->data, "{}");
	return 0;
}

Test(append, what_is_left_out_gets_a_default)
{
	hn_event event = {.size = sizeof(event), .type = "t"};

	OK(events_append(events, &event, NULL, err));
	cr_assert_eq(events_read(events, NULL, check_defaults, NULL, NULL), 1);
}

Test(append, needs_a_type)
{
	hn_event event = {.size = sizeof(event)};
	uint64_t sequence = 77;

	FAILS(HN_EINVAL, events_append(events, &event, &sequence, err));
	event.type = "";
	FAILS(HN_EINVAL, events_append(events, &event, &sequence, err));
	cr_assert_eq(sequence, 77u);
	cr_assert_eq(last(), 0u);
}

Test(append, data_must_be_an_object)
{
	static const char *const wrong[] = {"[]", "\"x\"", "7", "null"};

	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		hn_event event = {.size = sizeof(event), .type = "t", .data = wrong[i]};
		FAILS(HN_EINVAL, events_append(events, &event, NULL, err));
	}
}

Test(append, data_must_be_json)
{
	static const char *const wrong[] = {"", "{", "{}{}", "{a:1}", "{\"a\":\"\xff\"}"};

	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		hn_event event = {.size = sizeof(event), .type = "t", .data = wrong[i]};
		FAILS(HN_ESYNTAX, events_append(events, &event, NULL, err));
	}
}

Test(append, data_that_is_too_large)
{
	static char data[65600];
	hn_event event = {.size = sizeof(event), .type = "t", .data = data};

	memset(data, 'x', sizeof(data) - 1);
	memcpy(data, "{\"a\":\"", 6);
	memcpy(data + 65534, "\"}", 3);
	cr_assert_eq(strlen(data), 65536u);
	OK(events_append(events, &event, NULL, err));
	memset(data + 65534, 'x', 3);
	memcpy(data + 65535, "\"}", 3);
	FAILS(HN_ELIMIT, events_append(events, &event, NULL, err));
}

Test(append, long_and_broken_fields)
{
	char text[300] = {0};
	hn_event event = {.size = sizeof(event), .type = "t", .subject = text};

	memset(text, 'x', 257);
	FAILS(HN_ELIMIT, events_append(events, &event, NULL, err));
	event.subject = NULL;
	event.who = "\xff";
	FAILS(HN_EINVAL, events_append(events, &event, NULL, err));
	event.who = NULL;
	event.name = "a\xc0";
	FAILS(HN_EINVAL, events_append(events, &event, NULL, err));
}

Test(append, event_and_effect_are_one)
{
	OK(state_exec(store, "CREATE TABLE effect (v INTEGER) STRICT", err));
	OK(state_begin(store, err));
	OK(state_exec(store, "INSERT INTO effect VALUES (1)", err));
	append("t", "s");
	state_rollback(store);
	cr_assert_eq(last(), 0u);
	/* A number that was never seen by anyone may be given. */
	cr_assert_eq(append("t", "s"), 1u);
}

Test(append, survives_reopening)
{
	append_many(3);
	events_close(events);
	state_close(store);
	OK(state_open(os, PATH, false, false, &store, err));
	OK(events_open(store, &events, err));
	cr_assert_eq(append("t", "s"), 4u);
}

Test(append, failed_disk_loses_nothing_that_was_acknowledged)
{
	uint64_t acknowledged = append("t", "s");
	hn_event event = {.size = sizeof(event), .type = "t"};
	uint64_t sequence = 0;

	hn_os_sim_fail(os, 1, true, ENOSPC);
	FAILS(HN_ENOSPC, events_append(events, &event, &sequence, err));
	hn_os_sim_fail(os, 0, false, 0);
	cr_assert_eq(sequence, 0u);
	cr_assert_eq(append("t", "s"), acknowledged + 1);
}

/* --- read --- */

Test(read, in_order_and_complete)
{
	seen s = {0};

	append_many(500);
	cr_assert_eq(events_read(events, NULL, see, &s, NULL), 500);
	cr_assert_eq(s.first, 1u);
	cr_assert_eq(s.last, 500u);
	cr_assert_not(s.gap);
}

Test(read, empty_log)
{
	seen s = {0};

	cr_assert_eq(events_read(events, NULL, see, &s, NULL), 0);
	cr_assert_eq(s.count, 0);
}

Test(read, after)
{
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	seen s = {0};

	append_many(10);
	options.after = 7;
	cr_assert_eq(events_read(events, &options, see, &s, NULL), 3);
	cr_assert_eq(s.first, 8u);
	options.after = 10;
	cr_assert_eq(events_read(events, &options, see, &s, NULL), 0);
	options.after = UINT64_MAX;
	cr_assert_eq(events_read(events, &options, see, &s, NULL), 0);
}

Test(read, limit)
{
	static const uint32_t limits[] = {1, 2, 63, 64, 65, 128, 129, 200};
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;

	append_many(200);
	for (size_t i = 0; i < BASE_COUNT(limits); i++) {
		seen s = {0};

		options.limit = limits[i];
		cr_assert_eq(events_read(events, &options, see, &s, NULL), (int)limits[i]);
		cr_assert_eq(s.last, limits[i]);
		cr_assert_not(s.gap);
	}
}

Test(read, limit_beyond_the_batch)
{
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	seen s = {0};

	options.limit = 4097;
	FAILS(HN_ELIMIT, events_read(events, &options, see, &s, err));
}

Test(read, no_limit_is_one_batch)
{
	seen s = {0};

	append_many(4100);
	cr_assert_eq(events_read(events, NULL, see, &s, NULL), 4096);
}

Test(read, patterns)
{
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	static const struct {
		const char *type, *subject;
		int count;
	} rows[] = {{"org.hypernix.unit.*", NULL, 3}, {"*.v1", NULL, 3}, {"*", "*", 4},
		{NULL, "unit/a", 2}, {"org.hypernix.unit.ready.v1", "unit/*", 2}, {"", NULL, 0},
		{"*.v2", "unit/a", 1}, {"org", NULL, 0}, {NULL, "", 1}};

	append("org.hypernix.unit.ready.v1", "unit/a");
	append("org.hypernix.unit.ready.v1", "unit/b");
	append("org.hypernix.unit.ready.v2", "unit/a");
	append("org.hypernix.node.started.v1", "");
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		seen s = {0};

		options.type = rows[i].type;
		options.subject = rows[i].subject;
		cr_assert_eq(
			events_read(events, &options, see, &s, NULL), rows[i].count, "row %zu", i);
	}
}

Test(read, pattern_signs_of_others_mean_nothing)
{
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	seen s = {0};

	append("type", "unit/a");
	options.type = "t?pe";
	cr_assert_eq(events_read(events, &options, see, &s, NULL), 0);
	options.type = "%";
	cr_assert_eq(events_read(events, &options, see, &s, NULL), 0);
	options.type = "[t]ype";
	cr_assert_eq(events_read(events, &options, see, &s, NULL), 0);
}

Test(read, callback_may_end_it)
{
	seen s = {.stop_at = 70};

	append_many(200);
	cr_assert_eq(events_read(events, NULL, see, &s, NULL), 69);
	cr_assert_eq(s.count, 70);
}

static int append_more(void *arg, const hn_event *event)
{
	int *calls = arg;

	(void)event;
	++*calls;
	append("more", "s");
	return 0;
}

Test(read, callback_may_append_without_end_or_harm)
{
	int calls = 0;

	append_many(100);
	cr_assert_eq(events_read(events, NULL, append_more, &calls, NULL), 100);
	cr_assert_eq(last(), 200u);
}

static int read_again(void *arg, const hn_event *event)
{
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	seen s = {0};
	int *total = arg;

	options.after = event->sequence;
	*total += events_read(events, &options, see, &s, NULL);
	return 0;
}

Test(read, callback_may_read)
{
	int total = 0;

	append_many(10);
	cr_assert_eq(events_read(events, NULL, read_again, &total, NULL), 10);
	cr_assert_eq(total, 45);
}

/* --- cursors --- */

Test(cursor, moves_with_what_was_delivered)
{
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	seen s = {0};

	append_many(10);
	cr_assert_eq(cursor_at("watch"), 0u);
	options.cursor = "watch";
	options.limit = 4;
	cr_assert_eq(events_read(events, &options, see, &s, NULL), 4);
	cr_assert_eq(cursor_at("watch"), 4u);
	cr_assert_eq(events_read(events, &options, see, &s, NULL), 4);
	cr_assert_eq(events_read(events, &options, see, &s, NULL), 2);
	cr_assert_eq(events_read(events, &options, see, &s, NULL), 0);
	cr_assert_eq(s.count, 10);
	cr_assert_not(s.gap);
	cr_assert_eq(cursor_at("watch"), 10u);
}

Test(cursor, stays_before_a_refused_event)
{
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	seen s = {.stop_at = 3}, again = {0};

	append_many(10);
	options.cursor = "watch";
	cr_assert_eq(events_read(events, &options, see, &s, NULL), 2);
	cr_assert_eq(cursor_at("watch"), 2u);
	events_read(events, &options, see, &again, NULL);
	cr_assert_eq(again.first, 3u);
}

Test(cursor, passes_what_the_pattern_left_out)
{
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	seen s = {0};

	append_many(10); /* the last is odd */
	options.cursor = "watch";
	options.subject = "unit/even";
	cr_assert_eq(events_read(events, &options, see, &s, NULL), 5);
	cr_assert_eq(cursor_at("watch"), 10u);
}

Test(cursor, after_and_cursor_take_the_later)
{
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	seen s = {0};

	append_many(10);
	OK(events_cursor_set(events, "watch", 4, err));
	options.cursor = "watch";
	options.after = 8;
	cr_assert_eq(events_read(events, &options, see, &s, NULL), 2);
	cr_assert_eq(s.first, 9u);
}

Test(cursor, only_forward)
{
	append_many(10);
	OK(events_cursor_set(events, "watch", 5, err));
	OK(events_cursor_set(events, "watch", 5, err));
	FAILS(HN_ERANGE, events_cursor_set(events, "watch", 4, err));
	FAILS(HN_ERANGE, events_cursor_set(events, "watch", 11, err));
	cr_assert_eq(cursor_at("watch"), 5u);
	OK(events_cursor_set(events, "watch", 10, err));
}

static int move_on(void *arg, const hn_event *event)
{
	(void)arg;
	if (event->sequence == 1) /* another reader of the same cursor is faster */
		OK(events_cursor_set(events, "watch", 8, err));
	return event->sequence == 5;
}

Test(cursor, slower_reader_does_not_move_it_back)
{
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;

	append_many(10);
	options.cursor = "watch";
	cr_assert_eq(events_read(events, &options, move_on, NULL, NULL), 4);
	cr_assert_eq(cursor_at("watch"), 8u);
}

Test(cursor, remove)
{
	append_many(3);
	OK(events_cursor_set(events, "watch", 2, err));
	OK(events_cursor_remove(events, "watch", err));
	cr_assert_eq(cursor_at("watch"), 0u);
	FAILS(HN_ENOENT, events_cursor_remove(events, "watch", err));
}

Test(cursor, names)
{
	static const char *const wrong[] = {"", "Watch", "1a", "a/b", "a b", "-a"};
	uint64_t sequence = 77;

	for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
		FAILS(HN_EINVAL, events_cursor_get(events, wrong[i], &sequence, err));
		FAILS(HN_EINVAL, events_cursor_set(events, wrong[i], 0, err));
		FAILS(HN_EINVAL, events_cursor_remove(events, wrong[i], err));
	}
	FAILS(HN_EINVAL, events_cursor_get(events, NULL, &sequence, err));
	cr_assert_eq(sequence, 77u);
}

Test(cursor, as_many_as_allowed)
{
	char name[32];

	OK(state_begin(store, err));
	for (int i = 0; i < 1024; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		OK(events_cursor_set(events, name, 0, err));
	}
	OK(state_commit(store, err));
	FAILS(HN_ELIMIT, events_cursor_set(events, "one-more", 0, err));
	OK(events_cursor_remove(events, "c7", err));
	OK(events_cursor_set(events, "one-more", 0, err));
}

/* --- prune --- */

Test(prune, removes_what_is_older)
{
	seen s = {0};

	append_many(10);
	cr_assert_eq(events_prune(events, 6, NULL), 5);
	cr_assert_eq(events_read(events, NULL, see, &s, NULL), 5);
	cr_assert_eq(s.first, 6u);
	cr_assert_eq(events_prune(events, 6, NULL), 0);
}

Test(prune, never_past_a_cursor)
{
	seen s = {0};

	append_many(10);
	OK(events_cursor_set(events, "fast", 8, err));
	OK(events_cursor_set(events, "slow", 3, err));
	cr_assert_eq(events_prune(events, 100, NULL), 3);
	events_read(events, NULL, see, &s, NULL);
	cr_assert_eq(s.first, 4u);
	OK(events_cursor_remove(events, "slow", err));
	cr_assert_eq(events_prune(events, 100, NULL), 5);
}

Test(prune, numbers_are_not_given_again)
{
	append_many(10);
	cr_assert_eq(events_prune(events, UINT64_MAX, NULL), 10);
	cr_assert_eq(last(), 10u);
	cr_assert_eq(append("t", "s"), 11u);
	events_close(events);
	state_close(store);
	OK(state_open(os, PATH, false, false, &store, err));
	OK(events_open(store, &events, err));
	cr_assert_eq(events_prune(events, UINT64_MAX, NULL), 1);
	cr_assert_eq(append("t", "s"), 12u);
}

Test(prune, more_than_one_piece)
{
	append_many(12000);
	cr_assert_eq(events_prune(events, 11001, NULL), 11000);
}

/* --- wait --- */

Test(wait, there_is_one_already)
{
	append_many(3);
	int64_t before = os_monotonic(os);
	cr_assert_eq(events_wait(events, 2, -1, NULL, NULL), 1);
	cr_assert_eq(os_monotonic(os), before, "it did not sleep");
}

Test(wait, time_runs_out)
{
	append_many(3);
	int64_t before = os_monotonic(os);
	cr_assert_eq(events_wait(events, 3, 1500000000, NULL, NULL), 0);
	cr_assert_eq(os_monotonic(os) - before, 1500000000);
}

Test(wait, only_look)
{
	cr_assert_eq(events_wait(events, 0, 0, NULL, NULL), 0);
	append("t", "s");
	cr_assert_eq(events_wait(events, 0, 0, NULL, NULL), 1);
}

Test(wait, cancelled)
{
	hn_cancel *cancel = NULL;

	OK(hn_cancel_new(&cancel, err));
	hn_cancel_trigger(cancel);
	FAILS(HN_ECANCELLED, events_wait(events, 0, -1, cancel, err));
	hn_cancel_unref(cancel);
}

Test(wait, inside_a_transaction)
{
	OK(state_begin(store, err));
	FAILS(HN_EINVAL, events_wait(events, 0, -1, NULL, err));
	state_rollback(store);
}

/* An os that appends an event through another store when it is asked to sleep for the third time.
 */
typedef struct late_os {
	hn_os os;
	hn_os_ops ops;
	int sleeps;
} late_os;

static late_os late;
static const hn_os_ops *plain_ops;

static void late_sleep(hn_os *any, int64_t nanoseconds)
{
	plain_ops->sleep(any, nanoseconds);
	if (++late.sleeps != 3)
		return;
	state_store *other = NULL;
	events_log *other_log = NULL;
	hn_event event = {.size = sizeof(event), .type = "late"};
	OK(state_open(any, PATH, false, false, &other, err));
	OK(events_open(other, &other_log, err));
	OK(events_append(other_log, &event, NULL, err));
	events_close(other_log);
	state_close(other);
}

Test(wait, event_of_another_store_ends_it)
{
	append_many(2);
	plain_ops = os->ops;
	late.ops = *os->ops;
	late.ops.sleep = late_sleep;
	os->ops = &late.ops;
	int64_t before = os_monotonic(os);
	cr_assert_eq(events_wait(events, 2, -1, NULL, NULL), 1);
	cr_assert_eq(late.sleeps, 3);
	cr_assert_eq(os_monotonic(os) - before, 140000000, "20 + 40 + 80 ms of back-off");
	os->ops = plain_ops;
}

/* --- spans --- */

static int span_data(void *arg, const hn_event *event)
{
	snprintf(arg, 256, "%s %s %s", event->type, event->subject, event->data);
	return 0;
}

Test(span, short_and_successful_is_not_worth_a_record)
{
	events_span span;

	events_span_begin(events, &span, "resolve", "unit/1");
	hn_os_sim_advance(os, 9999999);
	events_span_end(events, &span, HN_OK);
	cr_assert_eq(last(), 0u);
}

Test(span, long_one_is_recorded)
{
	events_span span;
	char data[256] = "";

	events_span_begin(events, &span, "resolve", "unit/1");
	hn_os_sim_advance(os, 10000000);
	events_span_end(events, &span, HN_OK);
	cr_assert_eq(events_read(events, NULL, span_data, data, NULL), 1);
	cr_assert_not_null(strstr(data, "org.hypernix.span.v1 unit/1"), "%s", data);
	cr_assert_not_null(strstr(data, "\"name\":\"resolve\",\"wall_ns\":10000000"), "%s", data);
	cr_assert_not_null(strstr(data, "\"code\":\"HN_OK\""), "%s", data);
}

Test(span, failed_one_is_recorded)
{
	events_span span;
	char data[256] = "";

	events_span_begin(events, &span, "start", "unit/1");
	events_span_end(events, &span, HN_EGUEST);
	cr_assert_eq(events_read(events, NULL, span_data, data, NULL), 1);
	cr_assert_not_null(strstr(data, "HN_EGUEST"), "%s", data);
}
