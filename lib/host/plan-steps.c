/* SPDX-License-Identifier: MIT
 *
 * From values to steps: each key whose desired and applied values differ is one step, with its
 * class and what became of its condition.
 */
#include "host/plan.h"
#include "host/unit-secrets.h"

bool plan_unit_runs(const plan_unit *unit)
{
	if (unit->real)
		return host_status_runs(unit->real->status);
	return !unit->observed && unit->record && host_status_runs(unit->record->status);
}

/* --- texts of a step --- */

/* file:line:column of the definition that won, else its layer's name. */
static bool set_where(plan_step *step, const hn_view *view, const char *key)
{
	hn_origin origin = {.size = sizeof(origin)};

	for (size_t i = 0; view && hn_view_explain(view, key, i, &origin) >= 0; i++) {
		if (origin.mark != HN_MARK_WON && origin.mark != HN_MARK_MERGED)
			continue;
		if (origin.file)
			return plan_text(&step->where, "%s:%u:%u", origin.file,
				(unsigned)origin.line, (unsigned)origin.column);
		return plan_text(&step->where, "%s", origin.source ? origin.source : "");
	}
	return true;
}

static bool set_texts(plan_step *step, const char *key, const char *old_text, const char *new_text)
{
	step->key = key ? base_strdup(key) : NULL;
	step->old_text = old_text ? base_strdup(old_text) : NULL;
	step->new_text = new_text ? base_strdup(new_text) : NULL;
	return (!key || step->key) && (!old_text || step->old_text) &&
	       (!new_text || step->new_text);
}

/* --- classes --- */

/* The length of "disks.root." in "disks.root.size"; 0 for other keys. */
static size_t entry_size(const char *key)
{
	const char *dot;

	if (!key || (strncmp(key, "disks.", 6) != 0 && strncmp(key, "nics.", 5) != 0))
		return 0;
	dot = strchr(strchr(key, '.') + 1, '.');
	return dot ? (size_t)(dot - key) + 1 : 0;
}

/* A disk or nic that comes or goes, whatever the class of its keys: a slot decides. */
static bool is_device_step(const plan_step *step)
{
	return entry_size(step->key) != 0 && (!step->old_text || !step->new_text);
}

static int refuse_fixed(const plan_unit *unit, const plan_step *step, hn_error **err)
{
	return base_error(err, HN_EFIXED, HOST_ROOM,
		"hv-compute replace makes the unit anew, or set the old value",
		"%s: %s was fixed as %s when the unit was made, and is now %s%s%s", unit->name,
		step->key, step->old_text, step->new_text, *step->where ? " at " : "", step->where);
}

static int check_shrink(const plan_unit *unit, const plan_step *step, hn_error **err)
{
	int64_t before = 0, after = 0;

	if (strncmp(step->key, "disks.", 6) != 0 || !unit->record || !unit->record->applied ||
		hn_view_get_int(unit->record->applied, step->key, &before, NULL) < 0 ||
		hn_view_get_int(unit->desired, step->key, &after, NULL) < 0 || after >= before)
		return 0;
	return base_error(err, HN_ESHRINK, HOST_ROOM, "keep the old size, or replace the disk",
		"%s: %s would shrink from %s to %s%s%s", unit->name, step->key, step->old_text,
		step->new_text, *step->where ? " at " : "", step->where);
}

static plan_phase hot_phase(const plan_unit *unit, const plan_step *step)
{
	int64_t before = 0, after = 0;

	if (!step->old_text)
		return PHASE_ATTACH;
	if (!step->new_text)
		return PHASE_DETACH;
	if (!unit->record || !unit->record->applied ||
		hn_view_get_int(unit->record->applied, step->key, &before, NULL) < 0 ||
		hn_view_get_int(unit->desired, step->key, &after, NULL) < 0 || before == after)
		return PHASE_VALUE;
	return after < before ? PHASE_DECREASE : PHASE_INCREASE;
}

/* Until somebody allows the restart the persistent definition is all that changes; once it has,
 * nothing is left. */
static int set_pending(const plan_unit *unit, plan_step *step, const char *why, hn_error **err)
{
	bool defined = unit->record &&
		       memcmp(unit->record->defined_digest, unit->digest, CRYPTO_DIGEST) == 0;

	step->phase = defined && step->action == HN_ACTION_CHANGE ? PHASE_NOTHING : PHASE_PENDING;
	step->status = HN_STEP_PENDING;
	return plan_text(&step->note, "%s%sstays pending (update.restart %s)", step->note,
		       *step->note ? "; " : "", why)
		       ? 0
		       : base_nomem(err);
}

static int set_restart(const hn_host *host, const plan_unit *unit, plan_step *step, hn_error **err)
{
	const char *how = "manual", *window = "none";

	step->class_ = HN_CLASS_RESTART;
	(void)hn_view_get_text(unit->desired, "update.restart", &how, NULL);
	if (strcmp(how, "window") == 0) {
		(void)hn_view_get_text(unit->desired, "update.window", &window, NULL);
		if (host_window_open(window, os_now(host->os)))
			how = "now";
		else if (host_window_has_zone(window))
			how = "window; this version opens windows in UTC only";
	}
	if (strcmp(how, "now") != 0)
		return set_pending(unit, step, how, err);
	step->phase = PHASE_RESTART;
	return 0;
}

static int set_hot_if(
	hn_plan *plan, const plan_unit *unit, plan_step *step, const hn_key *row, hn_error **err)
{
	BASE_AUTO_FREE char *why = NULL;
	machine_unit what;
	char hex[65];
	int rc;

	/* Hot or not is what the plan is to find out; it stays open only where nobody can be asked.
	 */
	step->class_ = plan->machine ? HN_CLASS_HOT : HN_CLASS_HOT_IF;
	step->phase = hot_phase(unit, step);
	if (!plan->machine)
		return plan_text(&step->note, "if %s", row->condition) ? 0 : base_nomem(err);
	rc = host_machine_unit(plan->host, unit->record, unit->desired, hex, &what, err);
	if (rc >= 0)
		rc = machine_hot_possible(
			plan->machine, &what, step->key, step->old_text, step->new_text, &why, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (why && !plan_text(&step->note, "%s", why))
		return base_nomem(err);
	return set_restart(plan->host, unit, step, err);
}

int plan_classify(
	hn_plan *plan, const plan_unit *unit, plan_step *step, const hn_key *row, hn_error **err)
{
	int rc = check_shrink(unit, step, err);

	if (rc < 0)
		return rc;
	step->class_ = row->class_;
	if (row->class_ == HN_CLASS_MOVE) {
		step->phase = PHASE_NOTHING;
		step->status = HN_STEP_PENDING;
		return plan_text(&step->note, "needs another host; stays pending")
			       ? 0
			       : base_nomem(err);
	}
	if (row->class_ == HN_CLASS_FIXED && step->old_text && step->new_text)
		return refuse_fixed(unit, step, err);
	if (!plan_unit_runs(unit) || row->class_ == HN_CLASS_NEXT) {
		/* There is no guest that a condition could hold for. */
		if (row->class_ == HN_CLASS_HOT_IF)
			step->class_ = HN_CLASS_HOT;
		step->phase = PHASE_DEFINE;
		return 0;
	}
	if (row->class_ == HN_CLASS_HOT && !is_device_step(step)) {
		step->phase = hot_phase(unit, step);
		return 0;
	}
	if (row->class_ == HN_CLASS_HOT_IF || is_device_step(step))
		return set_hot_if(plan, unit, step, row, err);
	return set_restart(plan->host, unit, step, err);
}

/* --- disks and nics: their keys come and go together, one of them carries the act --- */

static bool has_entry(const hn_view *view, const char *key, size_t size)
{
	const char *name;
	char prefix[8];
	size_t head = (size_t)(strchr(key, '.') - key) + 1;

	(void)snprintf(prefix, sizeof(prefix), "%.*s", (int)head, key);
	for (size_t i = 0; hn_view_name_at(view, prefix, i, &name) >= 0; i++)
		if (strlen(name) == size - head - 1 &&
			memcmp(name, key + head, size - head - 1) == 0)
			return true;
	return false;
}

/* Is the whole device new, or gone? Then only its source (a disk) or kind (a nic) acts. */
static bool is_companion(const hn_view *before, const hn_view *after, const char *key)
{
	size_t size = entry_size(key);
	const char *leaf = key + size;

	if (size == 0 || strcmp(leaf, *key == 'd' ? "source" : "kind") == 0)
		return false;
	return has_entry(before, key, size) != has_entry(after, key, size);
}

bool plan_same_entry(const plan_step *left, const plan_step *right)
{
	size_t size = entry_size(left->key);

	return size != 0 && right->key && size == entry_size(right->key) &&
	       memcmp(left->key, right->key, size) == 0;
}

/* A device without a source of its own (a disk of the unit's own directory) is carried by its first
 * key. */
static int settle_companions(hn_plan *plan, const plan_unit *unit, size_t first, hn_error **err)
{
	for (size_t i = first; i < plan->step_count; i++) {
		plan_step *step = &plan->steps[i], *carrier = NULL;

		if (!step->companion)
			continue;
		for (size_t j = first; j < plan->step_count && !carrier; j++)
			if (!plan->steps[j].companion && plan->steps[j].key &&
				plan_same_entry(step, &plan->steps[j]))
				carrier = &plan->steps[j];
		if (!carrier) {
			int rc;

			step->companion = false;
			rc = plan_classify(plan, unit, step, hn_key_find(step->key), err);
			if (rc < 0)
				return rc;
			continue;
		}
		step->class_ = carrier->class_;
		step->phase = carrier->phase;
		step->status = carrier->status;
	}
	return 0;
}

/* --- changes of values --- */

typedef struct change_walk {
	hn_plan *plan;
	size_t unit;
	hn_error **err;
} change_walk;

static int add_change(
	void *arg, const char *key, const hn_key *row, const char *old_text, const char *new_text)
{
	change_walk *walk = arg;
	plan_unit *unit = &walk->plan->units[walk->unit];
	plan_step *step = plan_add(walk->plan, HN_ACTION_CHANGE, PHASE_VALUE, walk->unit);

	if (!step || !set_texts(step, key, old_text, new_text) ||
		!set_where(step, unit->desired, key))
		return plan_refuse(walk->plan, walk->err);
	if (is_companion(unit->record->applied, unit->desired, key)) {
		step->companion = true;
		return 0;
	}
	return plan_classify(walk->plan, unit, step, row, walk->err);
}

/* A value that waited for a restart and is no longer wanted: the guest never had it, the definition
 * must lose it. */
static int add_dropped(
	void *arg, const char *key, const hn_key *row, const char *old_text, const char *new_text)
{
	change_walk *walk = arg;
	plan_unit *unit = &walk->plan->units[walk->unit];
	const char *applied = NULL;
	plan_step *step;

	(void)hn_view_get_text(unit->record->applied, key, &applied, NULL);
	if (applied && new_text ? strcmp(applied, new_text) != 0 : applied != new_text)
		return 0;
	if (row->class_ == HN_CLASS_MOVE)
		return 0;
	step = plan_add(walk->plan, HN_ACTION_CHANGE, PHASE_DEFINE, walk->unit);
	if (!step || !set_texts(step, key, old_text, new_text) ||
		!set_where(step, unit->desired, key) ||
		!plan_text(&step->note, "no longer pending"))
		return plan_refuse(walk->plan, walk->err);
	step->class_ = HN_CLASS_NEXT;
	return 0;
}

static int dropped_steps(hn_plan *plan, size_t index, hn_error **err)
{
	change_walk walk = {.plan = plan, .unit = index, .err = err};
	const hn_unit *record = plan->units[index].record;

	if (!record->desired || !plan_unit_runs(&plan->units[index]) ||
		memcmp(record->desired_digest, record->applied_digest, CRYPTO_DIGEST) == 0 ||
		memcmp(record->desired_digest, record->defined_digest, CRYPTO_DIGEST) != 0)
		return 0;
	return hn_view_diff(record->desired, plan->units[index].desired, add_dropped, &walk, err);
}

static int change_steps(hn_plan *plan, size_t index, hn_error **err)
{
	change_walk walk = {.plan = plan, .unit = index, .err = err};
	plan_unit *unit = &plan->units[index];
	int rc = dropped_steps(plan, index, err);
	size_t first = plan->step_count;

	if (rc < 0)
		return rc;
	if (memcmp(unit->digest, unit->record->applied_digest, CRYPTO_DIGEST) == 0)
		return 0;
	rc = hn_view_diff(unit->record->applied, unit->desired, add_change, &walk, err);
	return rc < 0 ? rc : settle_companions(plan, unit, first, err);
}

/* --- creation, start, removal --- */

static bool starts_by_itself(const hn_plan *plan, const plan_unit *unit)
{
	int64_t autostart = 0;

	if (!plan->start || (unit->record && unit->record->wanted == HOST_WANTED_STOPPED))
		return false;
	return hn_view_get_int(unit->desired, "autostart", &autostart, NULL) >= 0 && autostart != 0;
}

static int add_plain(hn_plan *plan, hn_action action, plan_phase phase, size_t unit,
	const char *note, hn_error **err)
{
	plan_step *step = plan_add(plan, action, phase, unit);

	if (!step || !plan_text(&step->note, "%s", note))
		return plan_refuse(plan, err);
	return 0;
}

/* A unit that is new has no secrets yet: it is made, and waits for them. */
static int add_start(hn_plan *plan, size_t index, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	const plan_unit *unit = &plan->units[index];
	int rc = host_secrets_check(plan->host, unit->name, unit->uuid, unit->desired, &why);

	if (rc != HN_ENOENT) {
		base_error_move(err, BASE_STEAL(why));
		return rc < 0 ? rc : add_plain(plan, HN_ACTION_START, PHASE_START, index, "", err);
	}
	rc = add_plain(plan, HN_ACTION_START, PHASE_NOTHING, index, hn_error_message(why), err);
	if (rc >= 0)
		plan->steps[plan->step_count - 1].status = HN_STEP_PENDING;
	return rc;
}

static int create_steps(hn_plan *plan, size_t index, hn_error **err)
{
	plan_unit *unit = &plan->units[index];
	int rc = add_plain(plan, HN_ACTION_CREATE, PHASE_CREATE, index, "", err);
	bool start = starts_by_itself(plan, unit) ||
		     (unit->record && unit->record->wanted == HOST_WANTED_RUNNING);

	if (rc < 0 || !start || plan_unit_runs(unit))
		return rc;
	return add_start(plan, index, err);
}

/* It keeps its domain, and nothing is done to that: without this step the plan would not show that
 * it leaves. */
static int leave_step(hn_plan *plan, size_t index, hn_error **err)
{
	const plan_unit *unit = &plan->units[index];

	if (unit->record->undeclared)
		return 0;
	return add_plain(plan, HN_ACTION_FORGET, PHASE_NOTHING, index,
		plan_unit_runs(unit)     ? "no longer declared (on-remove keep); keeps running"
		: plan->on_remove == 'k' ? "no longer declared (on-remove keep); stays stopped"
					 : "no longer declared (on-remove stop); stays stopped",
		err);
}

static int undeclared_steps(hn_plan *plan, size_t index, hn_error **err)
{
	plan_unit *unit = &plan->units[index];
	bool stop = plan->on_remove != 'k' && plan_unit_runs(unit);
	int rc = 0;

	if (!unit->record->applied && unit->observed && !unit->real)
		return add_plain(plan, HN_ACTION_FORGET, PHASE_STOP, index,
			"no longer declared, and never made", err);
	if (!stop && plan->on_remove != 'd')
		return leave_step(plan, index, err);
	if (stop)
		rc = add_plain(plan, HN_ACTION_STOP, PHASE_STOP, index,
			plan->on_remove == 's' ? "no longer declared (on-remove stop)"
					       : "no longer declared (on-remove destroy)",
			err);
	if (rc >= 0 && plan->on_remove == 'd')
		rc = add_plain(plan, HN_ACTION_REMOVE, PHASE_REMOVE, index,
			"no longer declared (on-remove destroy); disks stay", err);
	return rc;
}

static int inconsistent_step(hn_plan *plan, size_t index, hn_error **err)
{
	plan_step *step = plan_add(plan, HN_ACTION_CHANGE, PHASE_NOTHING, index);

	if (!step || !plan_text(&step->note,
			     "inconsistent since an undo failed: hv-compute repair %s", step->name))
		return plan_refuse(plan, err);
	step->status = HN_STEP_PENDING;
	return 0;
}

static int start_steps(hn_plan *plan, size_t index, hn_error **err)
{
	plan_unit *unit = &plan->units[index];

	/* One that ran and does not is drift, and comes with the rest of it. */
	if (plan_unit_runs(unit) || unit->record->wanted == HOST_WANTED_RUNNING ||
		!starts_by_itself(plan, unit))
		return 0;
	return add_start(plan, index, err);
}

static int declared_steps(hn_plan *plan, size_t index, hn_error **err)
{
	plan_unit *unit = &plan->units[index];
	int rc;

	if (unit->record && unit->record->inconsistent)
		return inconsistent_step(plan, index, err);
	if (!unit->record || !unit->record->applied)
		return create_steps(plan, index, err);
	rc = change_steps(plan, index, err);
	if (rc >= 0 && unit->observed)
		rc = plan_drift_steps(plan, index, err);
	return rc < 0 ? rc : start_steps(plan, index, err);
}

/* A plan shows what an apply will refuse; it is made all the same, for the other units. */
static int note_files(const hn_plan *plan, const plan_unit *unit, plan_step *step, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	int rc = plan_check_files(plan, unit, &why);

	if (rc != HN_EDENIED) {
		base_error_move(err, BASE_STEAL(why));
		return rc;
	}
	return plan_text(&step->note, "%s%sis refused: %s", step->note, *step->note ? "; " : "",
		       hn_error_message(why))
		       ? 0
		       : base_nomem(err);
}

int plan_unit_steps(hn_plan *plan, size_t index, hn_error **err)
{
	const plan_unit *unit = &plan->units[index];
	size_t first = plan->step_count;
	int rc;

	if (!unit->declared)
		return undeclared_steps(plan, index, err);
	rc = declared_steps(plan, index, err);
	if (rc < 0)
		return rc;
	for (size_t i = first; i < plan->step_count; i++) {
		plan_step *step = &plan->steps[i];

		if (plan_makes_definition(step) || step->phase == PHASE_ATTACH)
			return note_files(plan, unit, step, err);
	}
	return 0;
}

/* --- order --- */

static int compare_steps(const void *left, const void *right)
{
	const plan_step *a = left, *b = right;

	if (a->phase != b->phase)
		return a->phase < b->phase ? -1 : 1;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	if (a->unit != b->unit)
		return a->unit < b->unit ? -1 : 1;
	/* Of one device the one that acts comes last: its end is theirs. */
	if (a->key && b->key && a->companion != b->companion && plan_same_entry(a, b))
		return a->companion ? -1 : 1;
	if (a->key && b->key)
		return strcmp(a->key, b->key);
	return a->key ? 1 : b->key ? -1 : strcmp(a->uuid, b->uuid);
}

void plan_sort(hn_plan *plan)
{
	if (plan->step_count > 0)
		qsort(plan->steps, plan->step_count, sizeof(*plan->steps), compare_steps);
}
