/* SPDX-License-Identifier: MIT
 *
 * Torture of plan and apply, on the machine in memory: whichever allocation or disk call fails, and
 * whenever the power goes, the state is whole, and the next apply gets to where an undisturbed one
 * would have been.
 */
#include "../sim/fake-checks.c"
#include "../sim/fake-machine.c"
#include "host/host-private.h"
#include "torture.h"

static const char before[] =
	"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true}},"
	"\"b\":{\"overrides\":{\"autostart\":true,\"update.restart\":\"now\"}}}}";
static const char after[] =
	"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true,\"compute.units\":7}},"
	"\"b\":{\"overrides\":{\"autostart\":true,\"update.restart\":\"now\",\"cpu.model\":\"qemu64\"}},"
	"\"c\":{\"overrides\":{\"labels.x\":\"y\"}}}}";

typedef struct handles {
	hn_host *host;
	hn_session *session;
} handles;

static void close_handles(handles *h)
{
	hn_session_unref(h->session);
	hn_host_unref(h->host);
}
#define AUTO_HANDLES __attribute__((cleanup(close_handles))) handles

static int open_handles(torture *t, handles *h, hn_error **err)
{
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	hn_session_options session = HN_SESSION_OPTIONS_INIT;
	int rc;

	options.os = t->os;
	options.state = "/state";
	options.calibration = "reference:8";
	session.reason = "torture";
	rc = hn_host_open(&options, &h->host, err);
	return rc < 0 ? rc : hn_session_open_local(h->host, &session, &h->session, err);
}

static int apply(handles *h, const char *json, bool *empty, hn_error **err)
{
	BASE_AUTO_OF(hn_decl) hn_decl *decl = NULL;
	BASE_AUTO_OF(hn_plan) hn_plan *plan = NULL;
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;
	int rc = hn_decl_parse("torture.json", json, strlen(json), &decl, err);

	if (rc < 0)
		return rc;
	options.decls = &decl;
	options.decl_count = 1;
	options.start = true;
	options.restore = true;
	rc = hn_plan_make(h->session, &options, &plan, err);
	if (rc < 0)
		return rc;
	if (empty)
		*empty = hn_plan_empty(plan);
	return hn_plan_apply(h->session, plan, NULL, err);
}

static int prepare_applied(torture *t)
{
	AUTO_HANDLES h = {0};

	fake_reset();
	TORTURE_CHECK(open_handles(t, &h, NULL) == 0);
	TORTURE_CHECK(apply(&h, before, NULL, NULL) == 0);
	return 0;
}

static int run_apply(torture *t, hn_error **err)
{
	AUTO_HANDLES h = {0};
	int rc = open_handles(t, &h, err);

	return rc < 0 ? rc : apply(&h, after, NULL, err);
}

static bool shows(const char *name, const char *key, const char *value)
{
	const char *live = fake_live(name, key);

	return live && strcmp(live, value) == 0;
}

/* Units that an undo could not bring back wait for a repair; then all is as it was to be. */
static int repair_all(handles *h)
{
	static const char *const names[] = {"a", "b"};

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

		TORTURE_CHECK(hn_unit_find(h->session, names[i], false, &unit, NULL) == 0);
		if (hn_unit_inconsistent(unit))
			TORTURE_CHECK(hn_unit_repair(h->session, names[i], NULL) == 0);
	}
	return 0;
}

static int check_apply(torture *t)
{
	AUTO_HANDLES h = {0};
	hn_error *err = NULL;
	bool empty = false;
	int rc;

	TORTURE_CHECK(open_handles(t, &h, NULL) == 0);
	TORTURE_CHECK(hn_state_verify(h.session, NULL) == 0);
	TORTURE_CHECK(repair_all(&h) == 0);
	rc = apply(&h, after, NULL, &err);
	if (rc < 0) {
		torture_fail("the next apply: %s", hn_error_message(err));
		hn_error_unref(err);
		return -1;
	}
	TORTURE_CHECK(shows("a", "compute.units", "7"));
	TORTURE_CHECK(shows("b", "cpu.model", "qemu64"));
	TORTURE_CHECK(fake_find("a")->status == HN_UNIT_RUNNING);
	TORTURE_CHECK(fake_find("b")->status == HN_UNIT_RUNNING);
	TORTURE_CHECK(fake_find("c") && fake_count() == 3);
	TORTURE_CHECK(apply(&h, after, &empty, NULL) == 0);
	TORTURE_CHECK(empty);
	return 0;
}

/* --- a change of one unit: all of it, or nothing --- */

static int run_edit(torture *t, hn_error **err)
{
	static const char *const key = "memory.size", *const value = "1Gi";
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;
	AUTO_HANDLES h = {0};
	int rc = open_handles(t, &h, err);

	definition.keys = &key;
	definition.values = &value;
	definition.value_count = 1;
	return rc < 0 ? rc : hn_unit_define(h.session, "fresh", &definition, err);
}

static int check_edit(torture *t)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	AUTO_HANDLES h = {0};
	const char *text = NULL;
	int rc;

	TORTURE_CHECK(open_handles(t, &h, NULL) == 0);
	TORTURE_CHECK(hn_state_verify(h.session, NULL) == 0);
	rc = hn_unit_find(h.session, "fresh", false, &unit, NULL);
	TORTURE_CHECK(rc == 0 || rc == HN_ENOENT);
	TORTURE_CHECK(rc == 0 || t->code < 0);
	if (rc == 0) {
		TORTURE_CHECK(hn_unit_desired(unit) != NULL);
		TORTURE_CHECK(
			hn_view_get_text(hn_unit_desired(unit), "memory.size", &text, NULL) == 0);
		TORTURE_CHECK(strcmp(text, "1Gi") == 0);
	}
	return 0;
}

/* --- an activation: by its service, undone as a whole when it fails, dropping a tag of run time
 * --- */

static const char tagged[] =
	"{\"hypernix\":1,\"tags\":{\"night\":{\"set\":{\"compute.units\":40}}},\"units\":"
	"{\"a\":{\"overrides\":{\"autostart\":true}},\"b\":{\"overrides\":{\"autostart\":true}}}}";

static int prepare_tagged(torture *t)
{
	const char *tag = "night";
	AUTO_HANDLES h = {0};

	fake_reset();
	TORTURE_CHECK(open_handles(t, &h, NULL) == 0);
	TORTURE_CHECK(apply(&h, tagged, NULL, NULL) == 0);
	TORTURE_CHECK(hn_unit_tag(h.session, "a", &tag, 1, NULL, 0, NULL) == 0);
	TORTURE_CHECK(apply(&h, tagged, NULL, NULL) == 0);
	TORTURE_CHECK(shows("a", "compute.units", "40"));
	return 0;
}

static void told(void *arg, const hn_step *step)
{
	(void)step;
	++*(int *)arg;
}

static int activate(torture *t, hn_plan_options *to, bool *empty, hn_error **err)
{
	BASE_AUTO_OF(hn_plan) hn_plan *plan = NULL;
	hn_session_options who = HN_SESSION_OPTIONS_INIT;
	hn_apply_options how = HN_APPLY_OPTIONS_INIT;
	hn_host_options where = HN_HOST_OPTIONS_INIT;
	AUTO_HANDLES h = {0};
	int steps = 0, rc;

	where.os = t->os;
	where.state = "/state";
	where.calibration = "reference:8";
	who.reason = "torture";
	how.on_error = HN_ON_ERROR_UNDO;
	how.step = told;
	how.step_arg = &steps;
	rc = hn_host_open(&where, &h.host, err);
	if (rc >= 0)
		rc = hn_session_open_service(h.host, "activation", &who, &h.session, err);
	if (rc >= 0)
		rc = hn_plan_make(h.session, to, &plan, err);
	if (rc < 0)
		return rc;
	if (empty)
		*empty = hn_plan_empty(plan);
	rc = hn_plan_check(h.session, plan, err);
	return rc < 0 ? rc : hn_plan_apply(h.session, plan, &how, err);
}

static int drop(torture *t, bool *empty, hn_error **err)
{
	BASE_AUTO_OF(hn_decl) hn_decl *decl = NULL;
	hn_plan_options to = HN_PLAN_OPTIONS_INIT;
	int rc = hn_decl_parse("torture.json", tagged, strlen(tagged), &decl, err);

	to.decls = &decl;
	to.decl_count = 1;
	to.start = to.restore = to.drop_tags = true;
	return rc < 0 ? rc : activate(t, &to, empty, err);
}

static int run_drop(torture *t, hn_error **err)
{
	return drop(t, NULL, err);
}

static int check_whole(torture *t)
{
	AUTO_HANDLES h = {0};

	TORTURE_CHECK(open_handles(t, &h, NULL) == 0);
	TORTURE_CHECK(hn_state_verify(h.session, NULL) == 0);
	TORTURE_CHECK(repair_all(&h) == 0);
	return 0;
}

/* What is stored of a unit says the tags that it has. */
static int check_tags(torture *t)
{
	BASE_AUTO_OF(hn_resolver) hn_resolver *resolver = NULL;
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;
	BASE_AUTO_OF(hn_view) hn_view *view = NULL;
	AUTO_HANDLES h = {0};
	size_t count;

	TORTURE_CHECK(open_handles(t, &h, NULL) == 0);
	TORTURE_CHECK(hn_unit_find(h.session, "a", false, &unit, NULL) == 0);
	TORTURE_CHECK(hn_host_fork_resolver(h.session, &resolver, NULL) == 0);
	TORTURE_CHECK(hn_resolve(resolver, "a", &view, NULL) == 0);
	count = hn_view_tag_count(view);
	TORTURE_CHECK(hn_view_tag_count(hn_unit_desired(unit)) == count);
	TORTURE_CHECK(hn_view_tag_count(hn_unit_applied(unit)) == count);
	return 0;
}

static int check_drop(torture *t)
{
	bool empty = false;

	TORTURE_CHECK(check_whole(t) == 0);
	TORTURE_CHECK(drop(t, NULL, NULL) == 0);
	TORTURE_CHECK(shows("a", "compute.units", "100"));
	TORTURE_CHECK(check_tags(t) == 0);
	TORTURE_CHECK(drop(t, &empty, NULL) == 0);
	TORTURE_CHECK(empty);
	return 0;
}

/* --- a boot: what is to run runs after the next one --- */

static int prepare_off(torture *t)
{
	TORTURE_CHECK(prepare_applied(t) == 0);
	fake_find("a")->status = fake_find("b")->status = HN_UNIT_STOPPED;
	return 0;
}

static int run_boot(torture *t, hn_error **err)
{
	hn_plan_options to = HN_PLAN_OPTIONS_INIT;

	to.boot = true;
	return activate(t, &to, NULL, err);
}

static int check_boot(torture *t)
{
	TORTURE_CHECK(check_whole(t) == 0);
	TORTURE_CHECK(run_boot(t, NULL) == 0);
	TORTURE_CHECK(fake_find("a")->status == HN_UNIT_RUNNING);
	TORTURE_CHECK(fake_find("b")->status == HN_UNIT_RUNNING);
	return 0;
}

/* --- a shutdown: nothing runs after the next one, and the boot brings all back --- */

static int run_shutdown(torture *t, hn_error **err)
{
	hn_plan_options to = HN_PLAN_OPTIONS_INIT;

	to.shutdown = true;
	return activate(t, &to, NULL, err);
}

static int check_shutdown(torture *t)
{
	TORTURE_CHECK(check_whole(t) == 0);
	TORTURE_CHECK(run_shutdown(t, NULL) == 0);
	TORTURE_CHECK(fake_find("a")->status == HN_UNIT_STOPPED);
	TORTURE_CHECK(fake_find("b")->status == HN_UNIT_STOPPED);
	return check_boot(t);
}

/* --- a tag that changes no value --- */

static int prepare_plain(torture *t)
{
	static const char plain[] = "{\"hypernix\":1,\"tags\":{\"plain\":{}},\"units\":{\"a\":{}}}";
	AUTO_HANDLES h = {0};

	fake_reset();
	TORTURE_CHECK(open_handles(t, &h, NULL) == 0);
	TORTURE_CHECK(apply(&h, plain, NULL, NULL) == 0);
	return 0;
}

static int run_retag(torture *t, hn_error **err)
{
	const char *tag = "plain";
	AUTO_HANDLES h = {0};
	int rc = open_handles(t, &h, err);

	return rc < 0 ? rc : hn_unit_tag(h.session, "a", &tag, 1, NULL, 0, err);
}

static int check_retag(torture *t)
{
	TORTURE_CHECK(check_tags(t) == 0);
	TORTURE_CHECK(run_retag(t, NULL) == 0);
	return check_tags(t);
}

static const hn_code also[] = {HN_EAUDIT, HN_EINCONSISTENT, HN_EUNDO, HN_OK};

static const torture_scenario scenarios[] = {
	{.name = "define",
		.prepare = prepare_applied,
		.run = run_edit,
		.check = check_edit,
		.io = true,
		.crash = true,
		.also = also,
		.stride = 41},
	{.name = "apply",
		.prepare = prepare_applied,
		.run = run_apply,
		.check = check_apply,
		.io = true,
		.crash = true,
		.also = also,
		.stride = 97},
	{.name = "activate",
		.prepare = prepare_tagged,
		.run = run_drop,
		.check = check_drop,
		.io = true,
		.also = also,
		.stride = 89},
	{.name = "retag",
		.prepare = prepare_plain,
		.run = run_retag,
		.check = check_retag,
		.io = true,
		.also = also,
		.first = 40,
		.stride = 41},
	{.name = "boot",
		.prepare = prepare_off,
		.run = run_boot,
		.check = check_boot,
		.io = true,
		.also = also,
		.stride = 61},
	{.name = "shutdown",
		.prepare = prepare_applied,
		.run = run_shutdown,
		.check = check_shutdown,
		.io = true,
		.also = also,
		.stride = 61},
};

int main(int argc, char **argv)
{
	return torture_main("host", scenarios, BASE_COUNT(scenarios), argc, argv);
}
