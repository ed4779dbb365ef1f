/* SPDX-License-Identifier: MIT
 *
 * One act of an apply: a live change, a definition, a start, a stop, a restart, a removal. Each is
 * begun in the journal, done, and ended in the journal.
 */
#include "host/plan.h"

typedef struct act {
	apply_run *run;
	size_t first, last;
	const plan_step *step; /* the one that acts */
	plan_unit *unit;       /* NULL for an orphan */
	host_permit permits[2];
} act;

static int machine_unit_of(
	act *a, const hn_view *view, char hex[65], machine_unit *what, hn_error **err)
{
	return host_machine_unit(a->run->host, a->unit->record, view, hex, what, err);
}

static int begin(act *a, hn_verb verb, hn_error **err)
{
	return apply_begin(a->run, a->first, a->last, &verb, 1, NULL, a->permits, err);
}

/* The effect has failed (rc < 0) or not; either way the journal gets its end. An error of the
 * effect is kept. */
static int end(act *a, size_t permits, int rc, apply_end_of how, hn_error **err)
{
	int ended;

	if (rc < 0) {
		how = (apply_end_of){.status = HN_STEP_FAILED, .code = rc};
		(void)apply_end(a->run, a->first, a->last, a->permits, permits, &how, NULL);
		return base_error_wrap(err, (hn_code)rc, HOST_ROOM, "%s%s%s", a->step->name,
			a->step->key ? ": " : "", a->step->key ? a->step->key : "");
	}
	ended = apply_end(a->run, a->first, a->last, a->permits, permits, &how, err);
	return ended < 0
		       ? base_error_wrap(err, (hn_code)ended, HOST_ROOM,
				 "%s: done, but it could not be written down; the next apply finds out",
				 a->step->name)
		       : 0;
}

/* --- live changes --- */

static int act_change(act *a, hn_error **err)
{
	static const hn_verb verb = HN_VERB_UNIT_UPDATE;
	bool wished = a->step->action == HN_ACTION_CHANGE;
	apply_end_of how = {.status = HN_STEP_DONE};
	machine_unit what;
	char hex[65];
	int rc = apply_begin(a->run, a->first, a->last, &verb, 1, wished ? a->unit->desired : NULL,
		a->permits, err);

	if (rc < 0)
		return rc;
	/* another value is changed of a guest that has its files already */
	if (a->step->phase == PHASE_ATTACH)
		rc = host_files_check(a->run->host, a->unit->record, a->unit->desired, err);
	if (rc >= 0)
		rc = machine_unit_of(a, a->unit->desired, hex, &what, err);
	if (rc >= 0)
		rc = machine_change(&a->permits[0].base, a->run->machine, &what, a->step->key,
			a->step->old_text, a->step->new_text, err);
	if (wished)
		how.view = a->unit->desired;
	else
		how.event = "org.hypernix.unit.drift.v1";
	return end(a, 1, rc, how, err);
}

/* --- definitions --- */

static bool restores(const act *a)
{
	for (size_t i = a->first; i < a->last; i++)
		if (a->run->plan->steps[i].action == HN_ACTION_RESTORE)
			return true;
	return false;
}

static bool must_define(const act *a)
{
	if (!a->unit->real && a->unit->observed)
		return true;
	return restores(a) ||
	       memcmp(a->unit->record->defined_digest, a->unit->digest, CRYPTO_DIGEST) != 0;
}

static int define(act *a, apply_end_of how, hn_error **err)
{
	int rc = begin(a, HN_VERB_UNIT_UPDATE, err);

	if (rc < 0)
		return rc;
	if (must_define(a))
		rc = host_act_define(
			a->run->host, &a->permits[0], a->unit->record, a->unit->desired, err);
	return end(a, 1, rc, how, err);
}

static int act_define(act *a, hn_error **err)
{
	apply_end_of how = {
		.status = HN_STEP_DONE,
		.view = a->unit->desired,
		.event = restores(a) ? "org.hypernix.unit.drift.v1" : NULL,
	};

	return define(a, how, err);
}

static int act_pending(act *a, hn_error **err)
{
	apply_end_of how = {.status = HN_STEP_PENDING, .event = "org.hypernix.unit.pending.v1"};

	return define(a, how, err);
}

static int act_create(act *a, hn_error **err)
{
	apply_end_of how = {.status = HN_STEP_DONE, .view = a->unit->desired, .whole = true};
	int rc = begin(a, HN_VERB_UNIT_CREATE, err);

	if (rc < 0)
		return rc;
	rc = host_act_define(a->run->host, &a->permits[0], a->unit->record, a->unit->desired, err);
	if (rc >= 0 && !(a->unit->real && host_status_runs(a->unit->real->status)))
		rc = host_unit_set_status(a->run->host, a->unit->record, HN_UNIT_DEFINED, -1, err);
	return end(a, 1, rc, how, err);
}

/* --- start, stop, restart --- */

static hn_start_options start_options(const apply_run *run)
{
	return (hn_start_options){
		.size = sizeof(hn_start_options),
		.wait = run->options.wait,
		.timeout = apply_timeout(run),
		.cancel = run->options.cancel,
	};
}

static int act_start(act *a, hn_error **err)
{
	apply_end_of how = {.status = HN_STEP_DONE};
	hn_start_options options = start_options(a->run);
	int rc = begin(a, HN_VERB_UNIT_START, err);

	if (rc < 0)
		return rc;
	if (a->step->action == HN_ACTION_RESTORE)
		how.event = "org.hypernix.unit.drift.v1";
	rc = a->run->plan->boot
		     ? apply_boot_start(
			       a->run->host, &a->permits[0], a->unit->record, &options, err)
		     : host_act_start(a->run->host, &a->permits[0], a->unit->record, &options, err);
	return end(a, 1, rc, how, err);
}

static int act_stop(act *a, hn_error **err)
{
	apply_end_of how = {.status = HN_STEP_DONE};
	hn_stop_options options = {.size = sizeof(options), .cancel = a->run->options.cancel};
	int rc = begin(a, HN_VERB_UNIT_STOP, err);

	if (rc < 0)
		return rc;
	/* Nobody wished it down: when it is declared again, or the host is up again, it starts. */
	rc = host_act_stop_to(a->run->host, &a->permits[0], a->unit->record, &options,
		a->run->plan->shutdown ? a->unit->record->wanted : HOST_WANTED_UNSET, err);
	return end(a, 1, rc, how, err);
}

int apply_restart(apply_run *run, plan_unit *unit, const hn_view *view, host_permit permits[2],
	hn_error **err)
{
	hn_stop_options stop = {.size = sizeof(stop), .cancel = run->options.cancel};
	hn_start_options start = start_options(run);
	/* Whoever finds this unit stopped must know that it was only on its way through. */
	int rc = host_act_stop_to(
		run->host, &permits[0], unit->record, &stop, HOST_WANTED_RUNNING, err);

	if (rc >= 0)
		rc = apply_reload(run, unit, err);
	return rc < 0 ? rc
		      : host_act_start_with(
				run->host, &permits[1], unit->record, view, &start, err);
}

static int act_restart(act *a, hn_error **err)
{
	static const hn_verb verbs[] = {HN_VERB_UNIT_STOP, HN_VERB_UNIT_START};
	apply_end_of how = {.status = HN_STEP_DONE, .view = a->unit->desired};
	int rc = apply_begin(a->run, a->first, a->last, verbs, 2, NULL, a->permits, err);

	if (rc < 0)
		return rc;
	rc = apply_restart(a->run, a->unit, a->unit->desired, a->permits, err);
	return end(a, 2, rc, how, err);
}

/* --- removal --- */

static int take_down(
	act *a, const char *uuid, const hn_verb verbs[2], apply_end_of how, hn_error **err)
{
	int rc = apply_begin(a->run, a->first, a->last, verbs, 2, NULL, a->permits, err);

	if (rc < 0)
		return rc;
	rc = host_act_undefine(a->run->host, &a->permits[0], &a->permits[1], uuid, err);
	return end(a, 2, rc, how, err);
}

static int act_remove(act *a, hn_error **err)
{
	static const hn_verb verbs[] = {HN_VERB_UNIT_STOP, HN_VERB_UNIT_DELETE};
	apply_end_of how = {
		.status = HN_STEP_DONE, .forget = true, .event = "org.hypernix.unit.removed.v1"};

	return take_down(a, a->unit->uuid, verbs, how, err);
}

/* No unit is deleted here: the domain is what a killed process left of one. */
static int act_orphan(act *a, hn_error **err)
{
	static const hn_verb verbs[] = {HN_VERB_UNIT_STOP, HN_VERB_UNIT_UPDATE};
	apply_end_of how = {.status = HN_STEP_DONE};

	return take_down(a, a->step->uuid, verbs, how, err);
}

static int act_forget(act *a, hn_error **err)
{
	apply_end_of how = {.status = HN_STEP_DONE, .forget = true};
	int rc = begin(a, HN_VERB_UNIT_UPDATE, err);

	return rc < 0 ? rc : end(a, 1, 0, how, err);
}

static int act_on_removed(act *a, hn_error **err)
{
	switch (a->step->action) {
	case HN_ACTION_ORPHAN:
		return act_orphan(a, err);
	case HN_ACTION_FORGET:
		return act_forget(a, err);
	default:
		return act_stop(a, err);
	}
}

static int (*const acts[])(act *a, hn_error **err) = {
	[PHASE_STOP] = act_on_removed,
	[PHASE_DECREASE] = act_change,
	[PHASE_INCREASE] = act_change,
	[PHASE_ATTACH] = act_change,
	[PHASE_VALUE] = act_change,
	[PHASE_DETACH] = act_change,
	[PHASE_DEFINE] = act_define,
	[PHASE_CREATE] = act_create,
	[PHASE_PENDING] = act_pending,
	[PHASE_START] = act_start,
	[PHASE_RESTART] = act_restart,
	[PHASE_REMOVE] = act_remove,
};

int apply_act(apply_run *run, size_t first, size_t last, hn_error **err)
{
	const plan_step *step = &run->plan->steps[last - 1];
	act a = {
		.run = run,
		.first = first,
		.last = last,
		.step = step,
		.unit = step->unit == PLAN_NO_UNIT ? NULL : &run->plan->units[step->unit],
	};

	return acts[step->phase](&a, err);
}
