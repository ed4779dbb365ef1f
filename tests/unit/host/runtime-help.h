/* SPDX-License-Identifier: MIT
 *
 * A host of its own in a temporary directory, on libvirt's test driver, for tests of running units.
 */
#ifndef RUNTIME_HELP_H
#define RUNTIME_HELP_H

#include "host/host-private.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct world {
	char directory[64];
	char uri[128];
	hn_host *host;
	hn_session *session;
	hn_error *err;
	char last_data[512]; /* of the last event that count_events() saw */
} world;

static inline const char *why(const world *w)
{
	return w->err ? hn_error_message(w->err) : "no error";
}

static inline void open_world(world *w, const char *calibration)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	hn_session_options session = HN_SESSION_OPTIONS_INIT;

	options.state = w->directory;
	options.uri = w->uri;
	options.accelerator = "tcg";
	options.calibration = calibration;
	options.program = "test";
	session.reason = "test";
	cr_assert_eq(hn_host_open(&options, &w->host, &w->err), 0, "%s", why(w));
	cr_assert_eq(
		hn_session_open_local(w->host, &session, &w->session, &w->err), 0, "%s", why(w));
}

static inline void close_world(world *w)
{
	w->session = hn_session_unref(w->session);
	w->host = hn_host_unref(w->host);
}

/* calibration NULL: a reference host of 64 threads; "" = none is given. */
static inline world new_world(const char *calibration)
{
	world w = {.directory = "/tmp/hn-test-XXXXXX"};
	char path[96];
	FILE *file;

	cr_assert_not_null(mkdtemp(w.directory));
	(void)snprintf(path, sizeof(path), "%s/node.xml", w.directory);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	cr_assert_geq(fputs("<node/>\n", file), 0);
	cr_assert_eq(fclose(file), 0);
	(void)snprintf(w.uri, sizeof(w.uri), "test://%s", path);
	open_world(&w, !calibration ? "reference:64" : *calibration ? calibration : NULL);
	return w;
}

static inline void end_world(world *w)
{
	close_world(w);
	w->err = hn_error_unref(w->err);
	cr_expect_eq(os_remove_tree(hn_os_real(), w->directory, NULL), 0);
}
#define AUTO_WORLD __attribute__((cleanup(end_world)))

/* An api unit with values from two lists that end with NULL. */
static inline hn_unit *make_unit(
	world *w, const char *name, const char *const *keys, const char *const *values)
{
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	hn_unit *unit = NULL;

	definition.keys = keys;
	definition.values = values;
	while (keys && keys[definition.value_count])
		definition.value_count++;
	cr_assert_eq(hn_unit_define(w->session, name, &definition, &w->err), 0, "%s", why(w));
	cr_assert_eq(host_unit_load(w->host, name, &unit, &w->err), 0, "%s", why(w));
	return unit;
}
#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Ends a domain as somebody else would: past the gates. */
static inline void destroy_behind(world *w, const char *name)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	base_permit permit = {.verb = HN_VERB_UNIT_STOP, .deadline = INT64_MAX};
	machine *m = NULL;

	cr_assert_eq(host_unit_load(w->host, name, &unit, &w->err), 0, "%s", why(w));
	(void)host_object_unit(permit.objects[0], unit->uuid);
	cr_assert_eq(host_machine(w->host, &m, &w->err), 0, "%s", why(w));
	cr_assert_eq(machine_stop(&permit, m, unit->uuid, 0, true, NULL, &w->err), 0, "%s", why(w));
}

typedef struct event_count {
	world *w;
	const char *type;
	int count;
} event_count;

static inline int count_event(void *arg, const hn_event *event)
{
	event_count *seen = arg;

	if (strcmp(event->type, seen->type) != 0)
		return 0;
	seen->count++;
	(void)snprintf(seen->w->last_data, sizeof(seen->w->last_data), "%s", event->data);
	return 0;
}

static inline int count_events(world *w, const char *type)
{
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	event_count seen = {w, type, 0};

	cr_assert_geq(events_read(w->host->events, &options, count_event, &seen, &w->err), 0, "%s",
		why(w));
	return seen.count;
}

#endif
