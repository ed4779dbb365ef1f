/* SPDX-License-Identifier: MIT
 *
 * Generations and rollback, progress and cancelling, locks between processes, metrics.
 */
#include "sim/lab.h"

#define UNIT(values) "{\"hypernix\":1,\"units\":{\"web\":{\"overrides\":{" values "}}}}"
#define RUNNING(values) UNIT("\"autostart\":true" values)
#define STOPPED(values) UNIT("\"autostart\":false" values)
#define NOTHING "{\"hypernix\":1}"
#define TWO(a, b)                                                                                  \
	"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true" a "}},"              \
	"\"b\":{\"overrides\":{\"autostart\":true" b "}}}}"
#define THREE(a, b, c)                                                                             \
	"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true" a "}},"              \
	"\"b\":{\"overrides\":{\"autostart\":true" b                                               \
	"}},\"c\":{\"overrides\":{\"autostart\":true" c "}}}}"

/* The second apply of the same has an empty plan and no write. */
static void expect_settled(lab *l, const char *json)
{
	unsigned writes = fake.writes;

	cr_assert_eq(lab_plan(l, json), 0, "%s", lab_why(l));
	cr_expect(
		hn_plan_empty(l->plan), "%zu steps are left of %s", lab_steps(l), json ? json : "");
	cr_assert_eq(lab_apply_plan(l, HN_ON_ERROR_STOP), 0, "%s", lab_why(l));
	cr_expect_eq(fake.writes, writes, "%s", json ? json : "");
}

/* --- generations --- */

static int count_generations(void *arg, const hn_generation *generation)
{
	uint64_t *seen = arg;

	seen[0]++;
	if (generation->current)
		seen[1] = generation->number;
	return 0;
}

Test(generations, count_what_was_applied)
{
	LAB l = lab_new();
	uint64_t seen[2] = {0, 0};

	lab_must_apply(&l, RUNNING(""));
	lab_must_apply(&l, RUNNING(",\"compute.units\":7"));
	lab_must_apply(&l, RUNNING(",\"compute.units\":7"));
	cr_assert_eq(lab_plan(&l, RUNNING(",\"compute.units\":9")), 0);
	cr_assert_eq(hn_generations_list(l.session, count_generations, seen, lab_err(&l)), 0);
	cr_expect_eq(seen[0], 2, "the same declaration is no new generation, a plan is none");
	cr_expect_eq(seen[1], 2);
}

Test(generations, rollback_is_an_ordinary_apply)
{
	LAB l = lab_new();
	hn_plan_options options = lab_options();
	uint64_t seen[2] = {0, 0};

	lab_must_apply(&l, RUNNING(""));
	lab_must_apply(&l, RUNNING(",\"compute.units\":7"));
	options.generation = 1;
	cr_assert_eq(lab_plan_with(&l, NULL, options), 0, "%s", lab_why(&l));
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_str_eq(fake_live("web", "compute.units"), "100");
	cr_assert_eq(hn_generations_list(l.session, count_generations, seen, NULL), 0);
	cr_expect_eq(seen[1], 1);
	expect_settled(&l, NULL);
}

Test(generations, runtime_tags_survive_a_rollback)
{
	static const char json[] =
		"{\"hypernix\":1,\"tags\":{\"quiet\":{\"set\":{\"compute.units\":20}}},"
		"\"units\":{\"web\":{\"overrides\":{\"autostart\":true%s}}}}";
	LAB l = lab_new();
	hn_plan_options options = lab_options();
	const char *add = "quiet";
	char text[512];

	(void)snprintf(text, sizeof(text), json, "");
	lab_must_apply(&l, text);
	(void)snprintf(text, sizeof(text), json, ",\"labels.x\":\"y\"");
	lab_must_apply(&l, text);
	cr_assert_eq(hn_unit_tag(l.session, "web", &add, 1, NULL, 0, lab_err(&l)), 0);
	options.generation = 1;
	cr_assert_eq(lab_plan_with(&l, NULL, options), 0);
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_str_eq(fake_live("web", "compute.units"), "20");
	cr_expect_str_eq(lab_desired(&l, "web", "labels.x"), "");
}

/* --- cancel, progress, locks --- */

typedef struct progress {
	unsigned calls;
	hn_cancel *cancel;
} progress;

static void note_progress(
	void *arg, uint64_t done, uint64_t total, const char *unit, const char *phase)
{
	progress *p = arg;

	cr_expect_lt(done, total);
	cr_expect_str_eq(unit, "steps");
	cr_expect_not_null(phase);
	p->calls++;
	if (p->cancel && p->calls == 2)
		hn_cancel_trigger(p->cancel);
}

Test(progress, is_told_for_each_act)
{
	LAB l = lab_new();
	hn_apply_options options = HN_APPLY_OPTIONS_INIT;
	progress p = {0, NULL};

	options.progress = note_progress;
	options.progress_arg = &p;
	cr_assert_eq(lab_plan(&l, TWO("", "")), 0);
	cr_assert_eq(hn_plan_apply(l.session, l.plan, &options, lab_err(&l)), 0);
	cr_expect_eq(p.calls, 4);
}

Test(progress, a_cancelled_apply_can_be_finished)
{
	LAB l = lab_new();
	hn_apply_options options = HN_APPLY_OPTIONS_INIT;
	progress p = {0, NULL};

	cr_assert_eq(hn_cancel_new(&p.cancel, NULL), 0);
	options.progress = note_progress;
	options.progress_arg = &p;
	options.cancel = p.cancel;
	cr_assert_eq(lab_plan(&l, TWO("", "")), 0);
	cr_expect_eq(hn_plan_apply(l.session, l.plan, &options, lab_err(&l)), HN_ECANCELLED);
	hn_cancel_unref(p.cancel);
	lab_must_apply(&l, NULL);
	cr_expect_eq(fake_find("b")->status, HN_UNIT_RUNNING);
	expect_settled(&l, TWO("", ""));
}

Test(locks, a_second_process_is_told_who_holds_the_host)
{
	LAB l = lab_new();
	lab other = {.os = l.os, .reason = "test"};
	bool named = false;
	hn_fact fact;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(lab_open(&other), 0, "%s", lab_why(&other));
	cr_assert_eq(lab_plan(&other, RUNNING("")), HN_EBUSY);
	for (size_t i = 0; hn_error_fact(other.err, i, &fact) >= 0; i++)
		named |= strcmp(fact.name, "program") == 0 && strcmp(fact.text, "lab") == 0;
	cr_expect(named);
	lab_close(&l);
	cr_expect_eq(lab_plan(&other, RUNNING("")), 0, "%s", lab_why(&other));
	lab_close(&other);
	other.err = hn_error_unref(other.err);
}

Test(locks, reading_needs_none)
{
	LAB l = lab_new();
	lab other = {.os = l.os, .reason = "test"};
	hn_units *units = NULL;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(lab_open(&other), 0);
	cr_expect_eq(hn_units_list(other.session, NULL, true, &units, lab_err(&other)), 0, "%s",
		lab_why(&other));
	hn_units_free(units);
	lab_close(&other);
	other.err = hn_error_unref(other.err);
}

Test(locks, what_another_process_changed_is_seen)
{
	LAB l = lab_new();
	lab other = {.os = l.os, .reason = "test"};
	hn_unit_definition definition = HN_UNIT_DEFINITION_INIT;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(lab_open(&other), 0);
	cr_assert_eq(hn_unit_define(other.session, "extra", &definition, lab_err(&other)), 0, "%s",
		lab_why(&other));
	lab_close(&other);
	lab_must_apply(&l, NULL);
	cr_expect_not_null(fake_find("extra"));
	cr_expect_eq(hn_state_verify(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(metrics, count_steps)
{
	LAB l = lab_new();
	char *text = NULL;

	lab_must_apply(&l, RUNNING(""));
	cr_assert_eq(hn_metrics_text(l.session, &text, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_not_null(strstr(text, "hypernix_plan_steps_total"), "%s", text);
	hn_text_free(text);
}
