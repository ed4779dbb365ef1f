/* SPDX-License-Identifier: MIT
 *
 * Devices that come and go while plans and drift look at them.
 */
#include "runtime-help.h"

static void apply(world *w, const hn_plan_options *options)
{
	hn_apply_options how = HN_APPLY_OPTIONS_INIT;
	hn_plan *plan = NULL;

	cr_assert_eq(hn_plan_make(w->session, options, &plan, &w->err), 0, "%s", why(w));
	cr_assert_eq(hn_plan_apply(w->session, plan, &how, &w->err), 0, "%s", why(w));
	(void)hn_plan_unref(plan);
}

/* As a process leaves it that died after the detach: only the record says that there is a disk. */
static void lose_disk(world *w)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	cr_assert_eq(
		hn_unit_set(w->session, "web", "disks.d.size", "64Mi", &w->err), 0, "%s", why(w));
	cr_assert_eq(host_unit_load(w->host, "web", &unit, &w->err), 0, "%s", why(w));
	cr_assert_eq(host_view_store(w->host, unit, HOST_APPLIED, unit->desired, NULL, &w->err), 0);
	cr_assert_eq(
		hn_unit_set(w->session, "web", "disks.d.size", NULL, &w->err), 0, "%s", why(w));
}

Test(detached, a_disk_that_goes_is_not_put_back)
{
	AUTO_WORLD world w = new_world(NULL);
	hn_plan_options options = HN_PLAN_OPTIONS_INIT;
	hn_plan *plan = NULL;
	hn_step step;

	(void)hn_unit_unref(make_unit(&w, "web", TEXTS("autostart"), TEXTS("true")));
	options.start = true;
	apply(&w, &options);
	lose_disk(&w);
	options.restore = true;
	cr_assert_eq(hn_plan_make(w.session, &options, &plan, &w.err), 0, "%s", why(&w));
	for (size_t i = 0; hn_plan_step_at(plan, i, &step) >= 0; i++)
		cr_expect_neq(step.action, HN_ACTION_RESTORE, "%s", step.key ? step.key : "");
	(void)hn_plan_unref(plan);
	apply(&w, &options);
}
