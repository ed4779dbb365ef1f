/* SPDX-License-Identifier: MIT
 *
 * Applying a plan: does it still fit, can it work, then declare and act step by step; what to do
 * when a step fails.
 */
#include "host/plan.h"
#include "host/restart.h"
#include "host/unit-secrets.h"

#define TIMEOUT_DEFAULT (120 * OS_SECOND) /* of one start, when the caller gives none */

/* --- does it still fit --- */

static void exchange(hn_plan *plan, hn_plan *fresh)
{
	hn_plan taken = *fresh;

	taken.references = plan->references;
	taken.number = plan->number;
	taken.generation = plan->generation;
	taken.redact = plan->redact;
	*fresh = *plan;
	*plan = taken;
	fresh->references = 1;
	plan->loaded = false;
}

/* Another process changed the state after this plan was made, or it comes from the store: the same
 * question is asked again. The same answer is as good as the old one; no answer means that somebody
 * did it already. */
static int make_again(hn_session *session, hn_plan *plan, hn_error **err)
{
	BASE_AUTO_OF(hn_plan) hn_plan *fresh = NULL;
	uint64_t current = 0;
	int rc = plan_copy_options(plan, &fresh, err);

	if (rc >= 0)
		rc = plan_fill(session, fresh, err);
	/* Another owner may have declared something since: a new generation carries it over. */
	if (rc >= 0 && plan->has_decls) {
		rc = plan_generation(session, fresh, err);
		plan->generation = rc < 0 ? plan->generation : fresh->generation;
	}
	if (rc >= 0)
		rc = host_generation_current(plan->host, &current, err);
	if (rc >= 0 && plan->generation != 0)
		rc = host_generation_same(plan->host, plan->generation, current, err);
	if (rc < 0)
		return rc;
	if (plan->generation != 0 && rc > 0)
		plan->generation = 0;
	if (!plan_same_steps(plan, fresh) && !hn_plan_empty(fresh))
		return base_error(err, HN_EBUSY, HOST_ROOM, "make it again",
			"the plan no longer fits: the state has changed since it was made");
	exchange(plan, fresh);
	return 0;
}

static int check_fit(hn_session *session, hn_plan *plan, hn_error **err)
{
	uint64_t revision = 0;
	int rc = host_revision(plan->host, &revision, err);

	if (rc < 0 || (!plan->loaded && revision == plan->revision && plan->machine))
		return rc;
	return make_again(session, plan, err);
}

/* --- can it work: without any effect --- */

/* Without a unit that fails. */
static bool goes_on(const apply_run *run)
{
	return run->failed && run->options.on_error == HN_ON_ERROR_CONTINUE;
}

static int check_definition(
	const apply_run *run, const plan_unit *unit, const hn_unit *record, hn_error **err)
{
	int rc = host_act_check(run->host, run->machine, record, unit->desired, err);

	/* A guest that runs is not taken down for one that cannot come up. */
	if (rc >= 0 && plan_unit_runs(unit))
		rc = host_secrets_check(run->host, unit->name, unit->uuid, unit->desired, err);
	return rc;
}

static int check_unit(
	const apply_run *run, const plan_unit *unit, const plan_step *step, hn_error **err)
{
	hn_unit fresh = {.vcpus = unit->vcpus};
	const hn_unit *record = unit->record ? unit->record : &fresh;
	int rc;

	memcpy(fresh.uuid, unit->uuid, sizeof(fresh.uuid));
	(void)snprintf(fresh.name, sizeof(fresh.name), "%s", unit->name);
	rc = plan_check_files(run->plan, unit, err);
	if (rc >= 0 && plan_makes_definition(step))
		rc = check_definition(run, unit, record, err);
	return rc < 0 ? base_error_wrap(err, (hn_code)rc, HOST_ROOM, "%s cannot be made%s",
				unit->name, goes_on(run) ? "" : "; nothing was changed")
		      : 0;
}

static void verbs_of(const plan_step *step, hn_verb verbs[2])
{
	verbs[0] = verbs[1] = HN_VERB_UNIT_UPDATE;
	switch (step->phase) {
	case PHASE_STOP:
		verbs[0] =
			step->action == HN_ACTION_FORGET ? HN_VERB_UNIT_UPDATE : HN_VERB_UNIT_STOP;
		break;
	case PHASE_CREATE:
		verbs[0] = HN_VERB_UNIT_CREATE;
		break;
	case PHASE_START:
		verbs[0] = HN_VERB_UNIT_START;
		break;
	case PHASE_RESTART:
		verbs[0] = HN_VERB_UNIT_STOP;
		verbs[1] = HN_VERB_UNIT_START;
		break;
	case PHASE_REMOVE:
		verbs[0] = HN_VERB_UNIT_STOP;
		verbs[1] = HN_VERB_UNIT_DELETE;
		break;
	default:
		break;
	}
}

static int may(const apply_run *run, hn_verb verb, const char *object, hn_error **err)
{
	return run->check ? host_would(run->session, verb, object, err)
			  : host_may(run->session, verb, object, err);
}

static bool hands_over(const apply_run *run, const plan_step *step)
{
	return (step->phase == PHASE_START || step->phase == PHASE_RESTART) &&
	       host_secrets_named(run->plan->units[step->unit].desired);
}

/* What may not be done in the end is not begun. */
static int check_rights(const apply_run *run, const plan_step *step, hn_error **err)
{
	char object[BASE_OBJECT_SIZE];
	hn_verb verbs[2];
	int rc;

	if (step->phase == PHASE_NOTHING)
		return 0;
	verbs_of(step, verbs);
	rc = may(run, verbs[0], host_object_unit(object, step->uuid), err);
	if (rc >= 0)
		rc = may(run, verbs[1], object, err);
	return rc >= 0 && hands_over(run, step)
		       ? host_may_hand_over(run->session, object, run->check, err)
		       : rc;
}

/* With all its causes: who reads it sees one line. */
static void write_problem(base_buf *text, const hn_error *why)
{
	for (const hn_error *error = why; error; error = hn_error_cause(error))
		base_buf_format(text, "%s%s", error == why ? "" : ": ", hn_error_message(error));
}

/* Without memory for its text the code must do. */
static void keep_problem(plan_step *step, const base_buf *text, const hn_error *why)
{
	if (!text->failed && text->size > 0)
		(void)plan_text(&step->problem, "%s", text->data);
	step->code = hn_error_code(why);
}

/* What is the matter with one unit's values or files, and says nothing about other units. */
static bool concerns_one_unit(int code)
{
	static const hn_code codes[] = {HN_ENOENT, HN_EINVAL, HN_EXML, HN_ENOSUP, HN_ELIMIT,
		HN_ERANGE, HN_EPATHLEN, HN_EDENIED, HN_EEXIST};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (code == (int)codes[i])
			return true;
	return false;
}

/* Its steps are told as failed, and the others go on without it. */
static void set_aside(apply_run *run, size_t unit, hn_error *why)
{
	BASE_AUTO_BUF base_buf text = {0};
	hn_plan *plan = run->plan;

	write_problem(&text, why);
	run->failed[unit] = true;
	for (size_t i = 0; i < plan->step_count; i++) {
		plan_step *step = &plan->steps[i];

		if (step->unit != unit || step->phase == PHASE_NOTHING)
			continue;
		keep_problem(step, &text, why);
		step->status = HN_STEP_FAILED;
	}
	if (run->aside)
		hn_error_unref(why);
	else
		run->aside = why;
}

static bool any_left(const apply_run *run)
{
	for (size_t i = 0; i < run->plan->step_count; i++) {
		const plan_step *step = &run->plan->steps[i];

		if (step->phase != PHASE_NOTHING &&
			(step->unit == PLAN_NO_UNIT || !run->failed[step->unit]))
			return true;
	}
	return false;
}

/* Nobody waits for a unit that cannot be made, when the caller lets the others go on. */
static int check_made(apply_run *run, const plan_step *step, hn_error **err)
{
	hn_error *why = NULL;
	int rc = check_unit(run, &run->plan->units[step->unit], step, &why);

	if (rc < 0 && goes_on(run) && concerns_one_unit(rc)) {
		set_aside(run, step->unit, why);
		return 0;
	}
	base_error_move(err, why);
	return rc;
}

/* Is its definition, or a disk that it is given while it runs, still to be looked at? Its steps of
 * one phase stand together. */
static bool is_unchecked(const apply_run *run, const plan_step *step, const plan_step *checked)
{
	if (!run->machine || (!plan_makes_definition(step) && step->phase != PHASE_ATTACH) ||
		(run->failed && run->failed[step->unit]))
		return false;
	return !checked || step->unit != checked->unit ||
	       plan_makes_definition(step) != plan_makes_definition(checked);
}

static int check_feasible(apply_run *run, hn_error **err)
{
	const plan_step *checked = NULL;

	for (size_t i = 0; i < run->plan->step_count; i++) {
		const plan_step *step = &run->plan->steps[i];
		int rc = check_rights(run, step, err);

		if (rc < 0)
			return rc;
		if (!is_unchecked(run, step, checked))
			continue;
		checked = step;
		rc = check_made(run, step, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What ended the steps is told before who was left out of them. */
static int end_with(apply_run *run, int rc, hn_error **err)
{
	if (!run->aside || rc < 0)
		return rc;
	rc = hn_error_code(run->aside);
	base_error_move(err, BASE_STEAL(run->aside));
	return rc;
}

int apply_check(hn_session *session, hn_plan *plan, hn_error **err)
{
	apply_run run = {.session = session,
		.host = session->host,
		.plan = plan,
		.machine = plan->machine,
		.check = true};
	int rc = check_feasible(&run, err);

	return rc < 0 ? rc : plan->machine != NULL;
}

/* --- the steps --- */

size_t apply_group(const hn_plan *plan, size_t first)
{
	const plan_step *step = &plan->steps[first];
	size_t last = first + 1;

	if (step->unit == PLAN_NO_UNIT || step->phase == PHASE_NOTHING)
		return last;
	if (step->phase >= PHASE_DEFINE) {
		while (last < plan->step_count && plan->steps[last].phase == step->phase &&
			plan->steps[last].unit == step->unit)
			last++;
		return last;
	}
	while (last < plan->step_count && plan->steps[last - 1].companion &&
		plan->steps[last].phase == step->phase && plan->steps[last].unit == step->unit &&
		plan->steps[last].key && plan_same_entry(step, &plan->steps[last]))
		last++;
	return last;
}

static void report(const apply_run *run, const plan_step *step)
{
	char phase[256];

	if (!run->options.progress)
		return;
	(void)snprintf(phase, sizeof(phase), "%s%s%s", step->name, step->key ? " " : "",
		step->key ? step->key : "");
	run->options.progress(
		run->options.progress_arg, run->done, run->plan->step_count, "steps", phase);
}

static bool skips(const apply_run *run, const plan_step *step)
{
	if (step->phase == PHASE_NOTHING)
		return true;
	return step->unit != PLAN_NO_UNIT && run->failed[step->unit];
}

void apply_tell(apply_run *run, size_t first, size_t last)
{
	hn_step step;

	for (size_t i = first; i < last; i++) {
		run->plan->steps[i].told = true;
		if (run->options.step && hn_plan_step_at(run->plan, i, &step) >= 0)
			run->options.step(run->options.step_arg, &step);
	}
}

/* Steps that nobody did: those that wait, and those of a unit that had failed. */
static void tell_rest(apply_run *run)
{
	for (size_t i = 0; i < run->plan->step_count; i++)
		if (!run->plan->steps[i].told)
			apply_tell(run, i, i + 1);
}

static bool time_is_over(const apply_run *run)
{
	return run->deadline != 0 && os_monotonic(run->host->os) >= run->deadline;
}

int64_t apply_timeout(const apply_run *run)
{
	int64_t each = run->options.timeout, left;

	if (run->deadline == 0)
		return each;
	left = run->deadline - os_monotonic(run->host->os);
	if (left < OS_SECOND)
		left = OS_SECOND;
	if (each == 0)
		each = TIMEOUT_DEFAULT;
	return each < left ? each : left;
}

/* What was removed stays removed. A plan that has come so far is not taken back: that would promise
 * a state which cannot be had again. */
static void keep_removed(apply_run *run)
{
	const hn_plan *plan = run->plan;

	for (size_t i = plan->step_count; i > 0; i--)
		if (plan->steps[i - 1].phase == PHASE_REMOVE &&
			plan->steps[i - 1].status == HN_STEP_DONE &&
			run->options.on_error == HN_ON_ERROR_UNDO)
			run->options.on_error = HN_ON_ERROR_STOP;
}

/* Per unit all or nothing, then as the caller wants it. True: no further step. */
static bool fail_unit(apply_run *run, size_t first, size_t last)
{
	const plan_step *step = &run->plan->steps[first];
	hn_cancel *cancel = run->options.cancel;

	if (run->journal_failed)
		return true;
	if (time_is_over(run))
		run->options.on_error = HN_ON_ERROR_UNDO;
	keep_removed(run);
	run->options.cancel = NULL; /* going back is not to be cancelled */
	if (step->unit != PLAN_NO_UNIT) {
		run->failed[step->unit] = true;
		if (step->phase == PHASE_RESTART)
			apply_undo_restart(run, first, last);
		if (run->options.on_error != HN_ON_ERROR_UNDO)
			apply_undo_unit(run, step->unit);
	}
	if (run->options.on_error == HN_ON_ERROR_UNDO)
		apply_undo_all(run);
	run->options.cancel = cancel;
	return run->options.on_error != HN_ON_ERROR_CONTINUE;
}

static int check_cancelled(apply_run *run, hn_error **err)
{
	if (time_is_over(run)) {
		run->options.on_error = HN_ON_ERROR_UNDO;
		return base_error(err, HN_ETIMEOUT, HOST_ROOM, "give it more time",
			"the time for all steps was over after %zu of %zu", run->done,
			run->plan->step_count);
	}
	if (!hn_cancel_triggered(run->options.cancel))
		return 0;
	return base_error(err, HN_ECANCELLED, HOST_ROOM, "apply again to go on",
		"cancelled after %zu of %zu steps", run->done, run->plan->step_count);
}

/* Cancelled before a step: a unit in the middle of its steps gives the live ones back, or the whole
 * plan does. */
static void give_up(apply_run *run, const plan_step *next)
{
	run->options.cancel = NULL;
	keep_removed(run);
	if (run->options.on_error == HN_ON_ERROR_UNDO)
		apply_undo_all(run);
	else if (next->unit != PLAN_NO_UNIT)
		apply_undo_unit(run, next->unit);
}

static int do_group(apply_run *run, size_t first, size_t last, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	BASE_AUTO_BUF base_buf text = {0};
	int rc = apply_act(run, first, last, &why);

	run->done += last - first;
	write_problem(&text, why);
	for (size_t i = first; rc < 0 && i < last; i++)
		keep_problem(&run->plan->steps[i], &text, why);
	if (run->plan->steps[first].status != HN_STEP_PLANNED)
		apply_tell(run, first, last);
	if (rc < 0)
		base_error_move(err, BASE_STEAL(why));
	return rc;
}

/* The first failure is the one that is reported. */
static int do_steps(apply_run *run, hn_error **err)
{
	hn_plan *plan = run->plan;
	int first_rc = 0;

	for (size_t i = 0, last; i < plan->step_count; i = last) {
		int rc;

		last = apply_group(plan, i);
		if (skips(run, &plan->steps[i]))
			continue;
		report(run, &plan->steps[last - 1]);
		rc = check_cancelled(run, first_rc < 0 ? NULL : err);
		if (rc < 0) {
			give_up(run, &plan->steps[i]);
			return first_rc < 0 ? first_rc : rc;
		}
		rc = do_group(run, i, last, first_rc < 0 ? NULL : err);
		if (rc >= 0)
			continue;
		if (first_rc == 0)
			first_rc = rc;
		if (fail_unit(run, i, last))
			break;
	}
	return first_rc;
}

static int end_applied(void *arg, hn_error **err)
{
	apply_run *run = arg;
	int rc = plan_state_store(run->host, run->plan->number, PLAN_APPLIED, err);

	return rc < 0 ? rc : host_collect(run->host, run->plan, err);
}

/* What cannot be collected now is looked at again; that must not fail an apply. */
static int store_applied(apply_run *run, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;

	if (host_transaction(run->host, end_applied, run, &why) >= 0)
		return 0;
	base_log(HN_LOG_WARNING, HOST_ROOM, "what is no longer needed stays in the store: %s",
		hn_error_message(why));
	return plan_state_store(run->host, run->plan->number, PLAN_APPLIED, err);
}

static int conclude(apply_run *run, int rc, hn_error **err)
{
	if (!run->journal_failed && rc < 0)
		(void)plan_state_store(run->host, run->plan->number, PLAN_FAILED, NULL);
	else if (!run->journal_failed)
		rc = store_applied(run, err);
	if (rc >= 0)
		return 0;
	if (run->inconsistent)
		return base_error_wrap(err, HN_EINCONSISTENT, HOST_ROOM,
			"a step failed and could not be taken back: hv-compute repair");
	if (run->options.on_error == HN_ON_ERROR_UNDO && !run->journal_failed)
		return base_error_wrap(err, HN_EUNDO, HOST_ROOM,
			"the plan failed and all that it had done was taken back");
	return rc;
}

/* A plan may be applied again: what became of it the last time is forgotten. */
static void begin_anew(hn_plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		plan_step *step = &plan->steps[i];

		base_free(BASE_STEAL(step->problem));
		step->code = 0;
		step->told = false;
		if (step->status == HN_STEP_FAILED)
			step->status = HN_STEP_PLANNED;
	}
}

/* Guests that became ready, the rest of their boot phases. */
static void take_what_followed(const apply_run *run)
{
	if (host_supervise_drain(run->session, 0, NULL) < 0)
		base_log(HN_LOG_WARNING, HOST_ROOM, "events of the hypervisor could not be taken");
}

static int carry_out(apply_run *run, hn_error **err)
{
	int rc;

	if (run->options.limit > 0)
		run->deadline = os_monotonic(run->host->os) + run->options.limit;
	rc = apply_declare(run, err);
	if (rc < 0)
		return rc;
	rc = end_with(run, do_steps(run, err), err);
	rc = conclude(run, rc, err);
	tell_rest(run);
	if (!run->journal_failed)
		take_what_followed(run);
	return rc;
}

static int check_and_carry_out(apply_run *run, hn_error **err)
{
	int rc = check_feasible(run, err);

	if (rc < 0)
		return rc;
	if (run->plan->number == 0) /* nothing could be put into its journal */
		return base_error(err, HN_EBUSY, HOST_ROOM, "make it again",
			"the plan was made for who may only look at it");
	if (!run->aside || any_left(run))
		return carry_out(run, err);
	tell_rest(run);
	return end_with(run, rc, err);
}

int apply_plan(hn_session *session, hn_plan *plan, const hn_apply_options *options,
	struct host_call *call, hn_error **err)
{
	apply_run run = {
		.session = session, .host = session->host, .plan = plan, .options = *options};
	int rc = host_machine(run.host, &run.machine, err);

	if (rc >= 0)
		rc = host_recover(session, err);
	if (rc >= 0)
		rc = check_fit(session, plan, err);
	if (rc < 0)
		return rc;
	begin_anew(plan);
	if (hn_plan_empty(plan)) {
		tell_rest(&run);
		return 0;
	}
	rc = call ? apply_call(session, plan, options, call, err) : 0;
	if (rc < 0)
		return rc;
	run.failed = base_calloc(plan->unit_count + 1, sizeof(*run.failed));
	rc = run.failed ? check_and_carry_out(&run, err) : base_nomem(err);
	base_free(run.failed);
	hn_error_unref(run.aside);
	return rc;
}
