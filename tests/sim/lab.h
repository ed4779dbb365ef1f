/* SPDX-License-Identifier: MIT
 *
 * A host on the simulated operating system and the machine in memory: what most tests of the host
 * room stand on.
 */
#ifndef LAB_H
#define LAB_H

#include "host/host-private.h"
#include "sim/fake-machine.h"

#include <criterion/criterion.h>
#include <stdio.h>

typedef struct lab {
	hn_os *os;
	hn_host *host;
	hn_session *session;
	hn_error *err;
	hn_plan *plan;
	bool read_only;
	const char *reason;
	int64_t lock_wait;
} lab;

static inline const char *lab_why(const lab *l)
{
	return l->err ? hn_error_message(l->err) : "no error";
}

/* Clears the last error, so that the next call can set it. */
static inline hn_error **lab_err(lab *l)
{
	l->err = hn_error_unref(l->err);
	return &l->err;
}

static inline int lab_open(lab *l)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	hn_session_options session = HN_SESSION_OPTIONS_INIT;
	int rc;

	options.state = "/state";
	options.os = l->os;
	options.calibration = "reference:64";
	options.program = "lab";
	options.read_only = l->read_only;
	options.lock_wait = l->lock_wait;
	session.reason = l->reason;
	rc = hn_host_open(&options, &l->host, lab_err(l));
	return rc < 0 ? rc : hn_session_open_local(l->host, &session, &l->session, lab_err(l));
}

static inline void lab_close(lab *l)
{
	l->plan = hn_plan_unref(l->plan);
	l->session = hn_session_unref(l->session);
	l->host = hn_host_unref(l->host);
}

static inline lab lab_new(void)
{
	lab l = {.reason = "test"};
	hn_os_sim_options options = HN_OS_SIM_OPTIONS_INIT;

	options.seed = 1;
	options.wall = INT64_C(1767225600000000000);
	fake_reset();
	cr_assert_eq(hn_os_sim_new(&options, &l.os, NULL), 0);
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	return l;
}

static inline void lab_free(lab *l)
{
	lab_close(l);
	l->err = hn_error_unref(l->err);
	l->os = hn_os_sim_free(l->os);
}
#define LAB __attribute__((cleanup(lab_free))) lab

/* The lab's session becomes that of the service. */
static inline void lab_as_service(lab *l, const char *reason)
{
	hn_session_options options = HN_SESSION_OPTIONS_INIT;

	options.reason = reason;
	options.program = "hook";
	l->session = hn_session_unref(l->session);
	cr_assert_eq(
		hn_session_open_service(l->host, "activation", &options, &l->session, lab_err(l)),
		0, "%s", lab_why(l));
}

/* Ends the process and starts it again. */
static inline void lab_reopen(lab *l)
{
	lab_close(l);
	cr_assert_eq(lab_open(l), 0, "%s", lab_why(l));
}

/* Makes l->plan towards a declaration; json NULL keeps the present one. */
static inline int lab_plan_with(lab *l, const char *json, hn_plan_options options)
{
	hn_decl *decl = NULL;
	int rc = 0;

	l->plan = hn_plan_unref(l->plan);
	if (json)
		rc = hn_decl_parse("test.json", json, strlen(json), &decl, lab_err(l));
	if (rc < 0)
		return rc;
	if (json) {
		options.decls = &decl;
		options.decl_count = 1;
	}
	rc = hn_plan_make(l->session, &options, &l->plan, lab_err(l));
	hn_decl_unref(decl);
	return rc;
}

/* Defines a unit by hand with one value. */
static inline int lab_define(lab *l, const char *unit, const char *key, const char *value)
{
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	definition.keys = &key;
	definition.values = &value;
	definition.value_count = 1;
	return hn_unit_define(l->session, unit, &definition, lab_err(l));
}

static inline hn_plan_options lab_options(void)
{
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;

	options.restore = true;
	options.start = true;
	return options;
}

static inline int lab_plan(lab *l, const char *json)
{
	return lab_plan_with(l, json, lab_options());
}

static inline int lab_apply_plan(lab *l, hn_on_error on_error)
{
	hn_apply_options options = HN_APPLY_OPTIONS_INIT;

	options.on_error = on_error;
	return hn_plan_apply(l->session, l->plan, &options, lab_err(l));
}

static inline int lab_apply(lab *l, const char *json)
{
	int rc = lab_plan(l, json);

	return rc < 0 ? rc : lab_apply_plan(l, HN_ON_ERROR_STOP);
}

static inline void lab_must_apply(lab *l, const char *json)
{
	cr_assert_eq(lab_apply(l, json), 0, "%s", lab_why(l));
}

/* The step of a unit and key (NULL: with that action) in l->plan; false when there is none. */
static inline bool lab_step(
	const lab *l, const char *unit, hn_action action, const char *key, hn_step *step)
{
	for (size_t i = 0; hn_plan_step_at(l->plan, i, step) >= 0; i++)
		if (strcmp(step->unit, unit) == 0 && step->action == action &&
			(key ? step->key && strcmp(step->key, key) == 0 : !step->key))
			return true;
	return false;
}

static inline size_t lab_steps(const lab *l)
{
	hn_step step;
	size_t count = 0;

	while (hn_plan_step_at(l->plan, count, &step) >= 0)
		count++;
	return count;
}

/* A value of the desired or applied view, copied into a static buffer; "" when there is none. */
static inline const char *lab_value(lab *l, const char *unit, const char *key, bool applied)
{
	static char value[4096];
	BASE_AUTO_OF(hn_unit) hn_unit *found = NULL;
	const char *text = NULL;
	hn_view *view;

	value[0] = '\0';
	if (hn_unit_find(l->session, unit, false, &found, lab_err(l)) < 0)
		return value;
	view = applied ? hn_unit_applied(found) : hn_unit_desired(found);
	if (view && hn_view_get_text(view, key, &text, NULL) >= 0)
		(void)snprintf(value, sizeof(value), "%s", text);
	return value;
}

static inline const char *lab_desired(lab *l, const char *unit, const char *key)
{
	return lab_value(l, unit, key, false);
}

static inline const char *lab_applied(lab *l, const char *unit, const char *key)
{
	return lab_value(l, unit, key, true);
}

static inline int lab_count_event(void *arg, const hn_event *event)
{
	(void)event;
	++*(int *)arg;
	return 0;
}

/* How many events of this type there are. */
static inline int lab_events(lab *l, const char *type)
{
	hn_events_options options = HN_EVENTS_OPTIONS_INIT;
	int count = 0;

	options.type = type;
	cr_assert_geq(hn_events_read(l->session, &options, lab_count_event, &count, lab_err(l)), 0,
		"%s", lab_why(l));
	return count;
}

static inline uint64_t lab_number(lab *l, const char *sql)
{
	uint64_t number = 0;

	cr_assert_eq(host_number(l->host, sql, &number, lab_err(l)), 0, "%s", lab_why(l));
	return number;
}

#endif
