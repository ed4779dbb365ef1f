/* SPDX-License-Identifier: MIT
 *
 * watch: the durable event log, as it grows; supervise: restart policies while this process lives.
 */
#include "compute.h"
#include <stdlib.h>
#include <string.h>

typedef struct watch_run {
	const hn_session *session;
	cli_run *cli;
	uint64_t seen;      /* sequence of the last event, or of the log when none matched */
	uint64_t remaining; /* events still to show; UINT64_MAX: no end */
} watch_run;

typedef struct words {
	const hn_event *event;
	bool any;
} words;

/* Nanoseconds, as the events of this type give them. */
static bool is_duration(const hn_event *event, const char *place)
{
	return strcmp(event->type, "org.hypernix.unit.boot.missed.v1") == 0 &&
	       (strcmp(place, "/goal") == 0 || strcmp(place, "/taken") == 0);
}

/* A digest of 64 digits says no more to people than its beginning. */
static const char *short_text(const char *place, const char *value, char text[HN_QUANTITY_TEXT])
{
	if (strcmp(place, "/digest") != 0 || strlen(value) <= 12)
		return value;
	snprintf(text, HN_QUANTITY_TEXT, "%.12s", value);
	return text;
}

static int print_word(void *arg, const char *place, const char *value)
{
	words *line = arg;
	char text[HN_QUANTITY_TEXT];

	if (value == NULL || place[0] == '\0')
		return 0;
	fputs(line->any ? ", " : "  ", stdout);
	line->any = true;
	cli_text_print(stdout, place + 1, false);
	putchar(' ');
	if (is_duration(line->event, place)) {
		hn_duration_print(strtoll(value, NULL, 10), text);
		value = text;
	}
	cli_text_print(stdout, short_text(place, value, text), false);
	return 0;
}

static void print_event(const cli_run *cli, const hn_event *event)
{
	char when[CLI_TIME_TEXT];

	cli_time_print(event->time, when);
	printf("%s%8llu  %s%s  ", cli_style_on(cli->color_out, CLI_DIM),
		(unsigned long long)event->sequence, when, cli_style_off(cli->color_out, CLI_DIM));
	cli_text_print(stdout, event->type, false);
	fputs("  ", stdout);
	cli_text_print(stdout, event->name[0] == '\0' ? event->subject : event->name, false);
	words line = {.event = event};

	if (hn_json_walk(event->data, print_word, &line, NULL) < 0)
		fputs("  (its data cannot be read)", stdout);
	putchar('\n');
}

static int print_event_json(const hn_event *event, uint32_t redacted)
{
	hn_json *json;
	const char *text;
	size_t size;

	if (hn_json_new(false, &json, NULL) < 0)
		return 1;
	hn_json_object(json, NULL);
	hn_json_uint(json, "sequence", event->sequence);
	cli_json_time(json, "time", event->time);
	hn_json_text(json, "type", event->type);
	hn_json_text(json, "subject", event->subject);
	hn_json_text(json, "name", event->name);
	hn_json_text(json, "who", event->who);
	hn_json_raw(json, "data", event->data);
	cli_json_redacted(json, redacted);
	hn_json_end(json);
	if (hn_json_finish(json, &text, &size, NULL) == 0) {
		fwrite(text, 1, size, stdout);
		putchar('\n');
	}
	hn_json_free(json);
	return 0;
}

static int on_event(void *arg, const hn_event *event)
{
	watch_run *watcher = arg;

	if (ferror(stdout) || hn_cancel_triggered(watcher->cli->cancel))
		return 1;
	watcher->seen = event->sequence;
	if (watcher->remaining != UINT64_MAX)
		watcher->remaining--;
	if (watcher->cli->json)
		return print_event_json(event, hn_session_redacted(watcher->session));
	print_event(watcher->cli, event);
	return 0;
}

/* One read. The end of the log is asked for before it, so that events of other types are not waited
 * for again and again. */
static int read_on(
	watch_run *watcher, hn_session *session, hn_events_options *options, hn_error **error)
{
	uint64_t last;
	int delivered;

	if (hn_events_last(session, &last, error) < 0)
		return -1;
	options->after = watcher->seen;
	options->limit = watcher->remaining > UINT32_MAX ? 0 : (uint32_t)watcher->remaining;
	delivered = hn_events_read(session, options, on_event, watcher, error);
	if (delivered == 0 && last > watcher->seen)
		watcher->seen = last;
	fflush(stdout);
	return delivered;
}

static int follow(watch_run *watcher, hn_session *session, hn_events_options *options)
{
	cli_run *cli = watcher->cli;
	hn_error *error = NULL;

	while (watcher->remaining > 0 && !hn_cancel_triggered(cli->cancel) && !ferror(stdout) &&
		!cli_reader_left()) {
		int delivered = read_on(watcher, session, options, &error);

		if (delivered < 0)
			return cli_fail(cli, error);
		if (delivered > 0)
			continue;
		if (cli_flag(cli, "once"))
			break;
		if (hn_events_wait(session, watcher->seen, COMPUTE_NS, cli->cancel, &error) < 0) {
			if (hn_error_code(error) != HN_ECANCELLED)
				return cli_fail(cli, error);
			hn_error_unref(error);
			break;
		}
	}
	return 0;
}

int compute_watch(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	bool from_now = cli_text(cli, "since") == NULL && cli_text(cli, "cursor") == NULL &&
			!cli_flag(cli, "once");
	watch_run watcher = {.cli = cli, .remaining = cli_number(cli, "count", UINT64_MAX)};
	cli_access access = cli_text(cli, "cursor") == NULL ? CLI_READ : CLI_WRITE;
	hn_error *error = NULL;
	int status = compute_open(cli, access, &session);

	if (status != 0)
		return status;
	watcher.session = session;
	watcher.seen = cli_number(cli, "since", 0);
	if (from_now && hn_events_last(session, &watcher.seen, &error) < 0)
		return cli_fail(cli, error);
	options.cursor = cli_text(cli, "cursor");
	options.type = cli_text(cli, "type");
	options.subject = cli_text(cli, "subject");
	return follow(&watcher, session, &options);
}

int compute_supervise(cli_run *cli)
{
	CLI_AUTO_OF(hn_session) hn_session *session = NULL;
	uint64_t rounds = cli_number(cli, "count", UINT64_MAX);
	hn_error *error = NULL;
	int status = compute_open_as(cli, "supervision", &session);

	if (status != 0)
		return status;
	if (hn_machine_open(session, &error) < 0)
		return cli_fail(cli, error);
	if (!cli->quiet && !cli->json)
		fputs("supervising: restart policies act until this ends\n", stderr);
	for (; rounds > 0 && !hn_cancel_triggered(cli->cancel); rounds--) {
		int handled = hn_machine_step(session, COMPUTE_NS, &error);

		if (handled < 0 && hn_error_code(error) == HN_ECANCELLED) {
			hn_error_unref(error);
			break;
		}
		if (handled < 0)
			return cli_fail(cli, error);
	}
	return 0;
}
