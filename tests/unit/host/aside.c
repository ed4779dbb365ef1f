/* SPDX-License-Identifier: MIT
 *
 * A plan with units that cannot be made: the others go on without them, or nothing is changed.
 */
#include "sim/lab.h"

#define ONE "{\"hypernix\":1,\"units\":{\"b\":{\"overrides\":{\"autostart\":true}}}}"
#define TWO(values)                                                                                \
	"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true" values "}},"         \
	"\"b\":{\"overrides\":{\"autostart\":true}}}}"

Test(aside, the_others_go_on_without_it)
{
	LAB l = lab_new();
	hn_step step;

	lab_must_apply(
		&l, "{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true}}}}");
	cr_assert_eq(lab_plan(&l, TWO(",\"compute.units\":7")), 0);
	fake.no_check_of = "b";
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), HN_EXML);
	cr_expect_not_null(strstr(lab_why(&l), "b cannot be made"), "%s", lab_why(&l));
	cr_expect_str_eq(fake_live("a", "compute.units"), "7");
	cr_expect_null(fake_find("b"));
	cr_expect(hn_plan_begun(l.plan));
	cr_assert(lab_step(&l, "b", HN_ACTION_CREATE, NULL, &step));
	cr_expect_eq(step.status, HN_STEP_FAILED);
	cr_expect_not_null(strstr(step.problem, "the schema refuses b"), "%s", step.problem);
	fake.no_check_of = NULL;
	lab_must_apply(&l, NULL);
	cr_expect_eq(fake_find("b")->status, HN_UNIT_RUNNING);
}

Test(aside, not_when_the_first_failure_ends_all)
{
	LAB l = lab_new();
	unsigned writes;

	lab_must_apply(
		&l, "{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true}}}}");
	cr_assert_eq(lab_plan(&l, TWO(",\"compute.units\":7")), 0);
	writes = fake.writes;
	fake.no_check_of = "b";
	cr_expect_eq(lab_apply_plan(&l, HN_ON_ERROR_UNDO), HN_EXML);
	cr_expect_not_null(strstr(lab_why(&l), "nothing was changed"), "%s", lab_why(&l));
	cr_expect_eq(fake.writes, writes);
	cr_expect_not(hn_plan_begun(l.plan));
}

static void count_told(void *arg, const hn_step *step)
{
	int *told = arg;

	*told += step->status == HN_STEP_FAILED && step->problem != NULL;
}

/* Nobody is left: nothing is declared, but each step is told with the reason. */
Test(aside, all_are_told_why)
{
	LAB l = lab_new();
	hn_apply_options options = HN_APPLY_OPTIONS_INIT;
	int told = 0;

	cr_assert_eq(lab_plan(&l, ONE), 0);
	fake.no_check_of = "b";
	options.on_error = HN_ON_ERROR_CONTINUE;
	options.step = count_told;
	options.step_arg = &told;
	cr_expect_eq(hn_plan_apply(l.session, l.plan, &options, lab_err(&l)), HN_EXML);
	cr_expect_not(hn_plan_begun(l.plan));
	cr_expect_eq(told, 2);
}

Test(aside, the_same_plan_again_forgets_what_was_wrong)
{
	LAB l = lab_new();
	hn_step step;

	cr_assert_eq(
		lab_plan(&l,
			"{\"hypernix\":1,\"units\":{\"b\":{\"overrides\":{\"autostart\":true}}}}"),
		0);
	fake.no_check_of = "b";
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), HN_EXML);
	fake.no_check_of = NULL;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_CONTINUE), 0, "%s", lab_why(&l));
	cr_assert(lab_step(&l, "b", HN_ACTION_CREATE, NULL, &step));
	cr_expect_eq(step.status, HN_STEP_DONE);
	cr_expect_null(step.problem);
	cr_expect_eq(step.code, 0);
}

/* Taking events may start guests again: that is no part of changing nothing. */
Test(refused, takes_no_events)
{
	LAB l = lab_new();
	unsigned steps;

	cr_assert_eq(lab_plan(&l, ONE), 0);
	fake.no_check = true;
	steps = fake.steps;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), HN_EXML);
	cr_expect_eq(fake.steps, steps);
	fake.no_check = false;
	cr_assert_eq(lab_apply_plan(&l, HN_ON_ERROR_STOP), 0, "%s", lab_why(&l));
	cr_expect_eq(fake.steps, steps + 1);
}
