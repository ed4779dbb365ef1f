/* SPDX-License-Identifier: MIT
 *
 * The event log: appending, reading in pages, spans.
 */
#include "events/events-private.h"

enum { PAGE = 64 }; /* rows of one page: no read transaction stays open while a callback runs */

static const state_schema steps[] = {
	{1, 1,
		/* AUTOINCREMENT: a number is never given twice, also when the last events were
		   pruned. */
		"CREATE TABLE event (sequence INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, "
		"type TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL, who TEXT NOT NULL, "
		"data TEXT NOT NULL) STRICT;"
		"CREATE TABLE event_cursor (name TEXT NOT NULL PRIMARY KEY, sequence INTEGER NOT NULL, "
		"moved INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
		"CREATE TABLE metric (name TEXT NOT NULL, labels TEXT NOT NULL, kind TEXT NOT NULL "
		"CHECK (kind IN ('counter', 'gauge')), value INTEGER NOT NULL, "
		"PRIMARY KEY (name, labels)) STRICT, WITHOUT ROWID;"},
};

int events_open(state_store *store, events_log **log, hn_error **err)
{
	int rc = state_schema_apply(store, "events", steps, BASE_COUNT(steps), err);

	if (rc < 0)
		return rc;
	BASE_AUTO_OF(events_log) events_log *made = base_calloc(1, sizeof(*made));
	if (made == NULL)
		return base_nomem(err);
	made->store = store;
	made->metrics = base_map_new(base_free);
	if (made->metrics == NULL)
		return base_nomem(err);
	*log = BASE_STEAL(made);
	return 0;
}

void events_close(events_log *log)
{
	if (log == NULL)
		return;
	if (log->metrics != NULL && events_metrics_pending(log) &&
		!state_in_transaction(log->store))
		events_metrics_flush(
			log, NULL); /* counts, not records: a full disk may cost them */
	base_map_free(log->metrics);
	base_free(log);
}

/* --- appending --- */

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static int check_field(const char *field, const char *text, hn_error **err)
{
	size_t size = strlen(text);
	int rc = base_limit_check(BASE_LIMIT_LABEL_BYTES, size, err);

	if (rc < 0)
		return base_error_wrap(err, (hn_code)rc, "events", "%s of an event", field);
	if (!base_utf8_valid(text, size))
		return base_error(
			err, HN_EINVAL, "events", NULL, "%s of an event is not valid UTF-8", field);
	return 0;
}

/* Whoever reads the log must be able to trust that each event's data is an object. */
static int check_data(const char *data, hn_error **err)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;
	size_t size = strlen(data);
	int rc = base_limit_check(BASE_LIMIT_EVENT_BYTES, size, err);

	if (rc == 0)
		rc = codec_json_parse("event data", data, size, &doc, err);
	if (rc < 0)
		return rc;
	codec_kind kind = codec_json_root(doc)->kind;
	return kind == CODEC_OBJECT ? 0
				    : base_error(err, HN_EINVAL, "events", NULL,
					      "data of an event must be an object, not %s",
					      codec_kind_name(kind));
}

static int check_event(const hn_event *event, hn_error **err)
{
	if (event->type == NULL || event->type[0] == '\0')
		return base_error(err, HN_EINVAL, "events", NULL, "an event has no type");
	int rc = check_field("type", event->type, err);
	if (rc == 0)
		rc = check_field("subject", or_empty(event->subject), err);
	if (rc == 0)
		rc = check_field("name", or_empty(event->name), err);
	if (rc == 0)
		rc = check_field("who", or_empty(event->who), err);
	if (rc == 0 && event->data != NULL)
		rc = check_data(event->data, err);
	return rc;
}

static int insert(events_log *log, const hn_event *event, uint64_t *sequence, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(log->store,
		"INSERT INTO event (time, type, subject, name, who, data) VALUES (?, ?, ?, ?, ?, ?)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, event->time != 0 ? event->time : os_now(state_os(log->store)));
	state_bind_text(query, 2, event->type);
	state_bind_text(query, 3, or_empty(event->subject));
	state_bind_text(query, 4, or_empty(event->name));
	state_bind_text(query, 5, or_empty(event->who));
	state_bind_text(query, 6, event->data == NULL ? "{}" : event->data);
	rc = state_run(query, err);
	if (rc == 0)
		*sequence = (uint64_t)state_last_id(log->store);
	return rc;
}

int events_append(events_log *log, const hn_event *event, uint64_t *sequence, hn_error **err)
{
	uint64_t number = 0;
	bool inside = state_in_transaction(log->store);
	int rc = check_event(event, err);

	if (rc == 0)
		rc = insert(log, event, &number, err);
	if (rc < 0)
		return rc;
	/* The event is durable; counts that cannot be written stay in memory for the next time. */
	if (!inside && events_metrics_pending(log))
		events_metrics_flush(log, NULL);
	if (sequence != NULL)
		*sequence = number;
	return 0;
}

int events_last(events_log *log, uint64_t *sequence, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(
		log->store, "SELECT seq FROM sqlite_sequence WHERE name = 'event'", &query, err);

	if (rc == 0)
		rc = state_row(query, err);
	if (rc < 0)
		return rc;
	*sequence = rc == 0 ? 0 : (uint64_t)state_int(query, 0);
	return 0;
}

/* --- reading --- */

typedef struct reader {
	events_log *log;
	const hn_events_options *options;
	uint64_t after; /* all up to here was looked at */
	uint64_t until; /* the newest event when the walk began: a callback that appends makes no
			   endless walk */
	uint64_t left;  /* events that may still be delivered */
	base_arena *arena;
	hn_event page[PAGE];
	size_t count;
} reader;

static int keep_text(reader *r, state_query *query, int column, const char **out)
{
	const char *text = state_text(query, column);

	*out = text == NULL ? NULL : base_arena_strndup(r->arena, text, strlen(text));
	return *out == NULL ? HN_ENOMEM : 0;
}

static bool wanted(const reader *r, state_query *query)
{
	const char *type = state_text(query, 2), *subject = state_text(query, 3);

	/* No memory for a text: let keep_text say so. */
	if (type == NULL || subject == NULL)
		return true;
	return (r->options->type == NULL || base_glob(r->options->type, type)) &&
	       (r->options->subject == NULL || base_glob(r->options->subject, subject));
}

static int keep_event(reader *r, state_query *query, hn_error **err)
{
	hn_event *event = &r->page[r->count];

	*event = (hn_event){.size = sizeof(*event),
		.sequence = (uint64_t)state_int(query, 0),
		.time = state_int(query, 1)};
	if (keep_text(r, query, 2, &event->type) < 0 ||
		keep_text(r, query, 3, &event->subject) < 0 ||
		keep_text(r, query, 4, &event->name) < 0 ||
		keep_text(r, query, 5, &event->who) < 0 || keep_text(r, query, 6, &event->data) < 0)
		return base_nomem(err);
	r->count++;
	return 0;
}

/* Fills the page with wanted events behind r->after and moves r->scanned over what was looked at.
 */
static int read_page(reader *r, uint64_t *scanned, hn_error **err)
{
	BASE_AUTO_OF(state_query) state_query *query = NULL;
	int rc = state_find(r->log->store,
		"SELECT sequence, time, type, subject, name, who, data FROM event "
		"WHERE sequence > ? AND sequence <= ? ORDER BY sequence",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)r->after);
	state_bind_int(query, 2, (int64_t)r->until);
	r->count = 0;
	while (r->count < PAGE && r->count < r->left && (rc = state_row(query, err)) > 0) {
		*scanned = (uint64_t)state_int(query, 0);
		if (!wanted(r, query))
			continue;
		rc = keep_event(r, query, err);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : 0;
}

/* One page to the callback. 1: go on, 0: the callback or the limit has ended the walk. */
static int deliver_page(reader *r, uint64_t scanned, hn_event_fn each, void *arg, int *delivered)
{
	for (size_t i = 0; i < r->count; i++) {
		if (each(arg, &r->page[i]) != 0) {
			r->after = r->page[i].sequence - 1;
			return 0;
		}
		(*delivered)++;
		r->left--;
		r->after = r->page[i].sequence;
	}
	r->after = scanned;
	return r->left > 0;
}

static int walk(reader *r, hn_event_fn each, void *arg, int *delivered, hn_error **err)
{
	int go_on = 1;

	while (go_on) {
		uint64_t scanned = r->after;

		r->arena = base_arena_new();
		int rc = r->arena == NULL ? base_nomem(err) : read_page(r, &scanned, err);
		bool last = rc == 0 && r->count < PAGE && r->count < r->left;
		if (rc == 0)
			go_on = deliver_page(r, scanned, each, arg, delivered) && !last;
		base_arena_free(r->arena);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int reader_begin(reader *r, const hn_events_options *options, hn_error **err)
{
	uint64_t position = 0;
	int rc = base_limit_check(BASE_LIMIT_EVENT_BATCH, options->limit, err);

	if (rc == 0 && options->cursor != NULL)
		rc = events_cursor_get(r->log, options->cursor, &position, err);
	if (rc == 0)
		rc = events_last(r->log, &r->until, err);
	if (rc < 0)
		return rc;
	r->options = options;
	r->after = position > options->after ? position : options->after;
	if (r->after > INT64_MAX) /* SQLite's numbers have a sign */
		r->after = INT64_MAX;
	r->left = options->limit > 0 ? options->limit : base_limit(BASE_LIMIT_EVENT_BATCH);
	return 0;
}

int events_read(events_log *log, const hn_events_options *options, hn_event_fn each, void *arg,
	hn_error **err)
{
	static const hn_events_options all = HN_EVENTS_OPTIONS_INIT;
	BASE_AUTO_FREE reader *r = base_calloc(1, sizeof(*r));
	int delivered = 0;

	if (r == NULL)
		return base_nomem(err);
	r->log = log;
	int rc = reader_begin(r, options == NULL ? &all : options, err);
	if (rc < 0)
		return rc;
	uint64_t begin = r->after;
	rc = walk(r, each, arg, &delivered, err);
	if (r->options->cursor != NULL && r->after > begin) {
		/* Also after a failure: what was delivered was delivered. Its error is the one to
		 * report. */
		int moved =
			events_cursor_move(log, r->options->cursor, r->after, rc < 0 ? NULL : err);
		if (rc == 0)
			rc = moved;
	}
	return rc < 0 ? rc : delivered;
}

/* --- spans --- */

void events_span_begin(events_log *log, events_span *span, const char *name, const char *subject)
{
	hn_os *os = state_os(log->store);

	*span = (events_span){.name = name,
		.subject = subject,
		.begin = os->ops->clock(os, HN_OS_CLOCK_MONOTONIC),
		.cpu = os->ops->clock(os, HN_OS_CLOCK_CPU)};
}

void events_span_end(events_log *log, events_span *span, hn_code code)
{
	static const int64_t worth_noting = 10000000; /* ns */
	hn_os *os = state_os(log->store);
	int64_t wall = os->ops->clock(os, HN_OS_CLOCK_MONOTONIC) - span->begin;
	int64_t cpu = os->ops->clock(os, HN_OS_CLOCK_CPU) - span->cpu;
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char *data;

	if ((wall < worth_noting && code >= 0) || hn_json_new(false, &json, NULL) < 0)
		return;
	hn_json_object(json, NULL);
	hn_json_text(json, "name", span->name);
	hn_json_int(json, "wall_ns", wall);
	hn_json_int(json, "cpu_ns", cpu);
	hn_json_text(json, "code", hn_code_name(code));
	hn_json_end(json);
	if (hn_json_finish(json, &data, NULL, NULL) < 0)
		return;
	hn_event event = {.size = sizeof(event),
		.type = "org.hypernix.span.v1",
		.subject = span->subject,
		.who = "hypernix",
		.data = data};
	events_append(log, &event, NULL, NULL); /* a measurement that is lost harms nobody */
}
