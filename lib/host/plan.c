/* SPDX-License-Identifier: MIT
 *
 * A plan as an object: what it was asked for, its steps, their counts.
 */
#include "host/plan.h"

#include <stdarg.h>

static int keep_decls(
	hn_plan *plan, hn_decl *const *decls, size_t count, hn_owner owner, hn_error **err)
{
	plan->owner = owner;
	plan->has_decls = decls != NULL;
	if (!decls)
		return 0;
	plan->decls = base_calloc(count + 1, sizeof(hn_decl *));
	if (!plan->decls)
		return base_nomem(err);
	for (size_t i = 0; i < count; i++)
		plan->decls[i] = hn_decl_ref(decls[i]);
	plan->decl_count = count;
	return 0;
}

static int read_on_remove(hn_plan *plan, const char *text, hn_error **err)
{
	if (!text || strcmp(text, "stop") == 0)
		plan->on_remove = 's';
	else if (strcmp(text, "keep") == 0)
		plan->on_remove = 'k';
	else if (strcmp(text, "destroy") == 0)
		plan->on_remove = 'd';
	else
		return base_error(err, HN_EINVAL, HOST_ROOM, "stop, keep or destroy",
			"\"%.40s\" says nothing about units that are no longer declared", text);
	return 0;
}

static int fill_options(hn_plan *plan, const hn_plan_options *options, hn_error **err)
{
	int rc;

	if (options->owner == HN_OWNER_API && options->decls)
		return base_error(err, HN_EINVAL, HOST_ROOM, "FILE or NIX",
			"a declaration cannot have the owner \"api\"");
	if (options->decls && options->generation != 0)
		return base_error(err, HN_EINVAL, HOST_ROOM, "give one of them",
			"a plan goes to a declaration or back to a generation, not both");
	if ((options->boot || options->shutdown) &&
		(options->decls || options->generation != 0 || options->drop_tags))
		return base_error(err, HN_EINVAL, HOST_ROOM, "make two plans",
			"a plan for the %s, and changes nothing",
			options->boot ? "boot starts what is declared already"
				      : "shutdown stops what runs");
	if (options->boot && options->shutdown)
		return base_error(err, HN_EINVAL, HOST_ROOM, "make two plans",
			"a plan starts the guests of a boot or stops them all, not both");
	rc = read_on_remove(plan, options->on_remove, err);
	if (rc >= 0)
		rc = keep_decls(plan, options->decls, options->decl_count, options->owner, err);
	if (rc < 0)
		return rc;
	plan->rollback = options->generation;
	plan->restore = options->restore;
	plan->start = options->start;
	plan->boot = options->boot;
	plan->drop_tags = options->drop_tags;
	plan->shutdown = options->shutdown;
	if (options->unit) {
		plan->only = base_strdup(options->unit);
		if (!plan->only)
			return base_nomem(err);
	}
	return 0;
}

int plan_new(hn_host *host, const hn_plan_options *options, hn_plan **plan, hn_error **err)
{
	BASE_AUTO_OF(hn_plan) hn_plan *made = base_calloc(1, sizeof(*made));
	int rc;

	if (!made)
		return base_nomem(err);
	atomic_init(&made->references, 1);
	made->host = hn_host_ref(host);
	made->summary.size = sizeof(made->summary);
	rc = fill_options(made, options, err);
	if (rc < 0)
		return rc;
	*plan = BASE_STEAL(made);
	return 0;
}

int plan_copy_options(const hn_plan *from, hn_plan **plan, hn_error **err)
{
	const char *on_remove = from->on_remove == 'k'   ? "keep"
				: from->on_remove == 'd' ? "destroy"
							 : "stop";
	hn_plan_options options = {
		.size = sizeof(options),
		.decls = from->has_decls ? from->decls : NULL,
		.decl_count = from->decl_count,
		.owner = from->owner,
		.generation = from->rollback,
		.restore = from->restore,
		.start = from->start,
		.on_remove = on_remove,
		.unit = from->only,
		.boot = from->boot,
		.drop_tags = from->drop_tags,
		.shutdown = from->shutdown,
	};

	return plan_new(from->host, &options, plan, err);
}

static void free_unit(plan_unit *unit)
{
	base_free(unit->name);
	base_free(unit->vcpus_note);
	hn_unit_unref(unit->record);
	hn_unit_unref(unit->before);
	hn_view_unref(unit->desired);
	machine_real_free(unit->real);
}

static void free_step(plan_step *step)
{
	base_free(step->name);
	base_free(step->uuid);
	base_free(step->key);
	base_free(step->old_text);
	base_free(step->new_text);
	base_free(step->where);
	base_free(step->note);
	base_free(step->problem);
}

static void free_plan(hn_plan *plan)
{
	for (size_t i = 0; i < plan->unit_count; i++)
		free_unit(&plan->units[i]);
	for (size_t i = 0; i < plan->step_count; i++)
		free_step(&plan->steps[i]);
	for (size_t i = 0; i < plan->decl_count; i++)
		hn_decl_unref(plan->decls[i]);
	base_free(plan->units);
	base_free(plan->steps);
	base_free(plan->decls);
	base_free(plan->only);
	hn_resolver_free(plan->resolver);
	hn_catalog_unref(plan->catalog);
	hn_host_unref(plan->host);
	base_free(plan);
}

hn_plan *hn_plan_unref(hn_plan *plan)
{
	if (plan && atomic_fetch_sub_explicit(&plan->references, 1, memory_order_acq_rel) == 1)
		free_plan(plan);
	return NULL;
}

/* --- steps --- */

bool plan_text(char **text, const char *format, ...)
{
	base_buf made = {0};
	va_list arguments;

	va_start(arguments, format);
	base_buf_vformat(&made, format, arguments);
	va_end(arguments);
	base_free(*text);
	*text = base_buf_take(&made);
	return *text != NULL;
}

plan_step *plan_add(hn_plan *plan, hn_action action, plan_phase phase, size_t unit)
{
	const plan_unit *owner = unit == PLAN_NO_UNIT ? NULL : &plan->units[unit];
	plan_step *step;

	plan->full = plan->step_count >= base_limit(BASE_LIMIT_PLAN_STEPS);
	if (plan->full || base_grow(&plan->steps, &plan->step_capacity, plan->step_count + 1,
				  sizeof(*plan->steps)) < 0)
		return NULL;
	step = &plan->steps[plan->step_count];
	*step = (plan_step){
		.action = action,
		.phase = phase,
		.unit = unit,
		.order = owner ? owner->order : 0,
		.name = base_strdup(owner ? owner->name : ""),
		.uuid = base_strdup(owner ? owner->uuid : ""),
		.where = base_strdup(""),
		.note = base_strdup(""),
	};
	plan->step_count++;
	if (!step->name || !step->uuid || !step->where || !step->note)
		return NULL;
	return step;
}

int plan_refuse(const hn_plan *plan, hn_error **err)
{
	return plan->full ? base_limit_check(BASE_LIMIT_PLAN_STEPS, plan->step_count + 1, err)
			  : base_nomem(err);
}

bool plan_makes_definition(const plan_step *step)
{
	return step->phase == PHASE_CREATE || step->phase == PHASE_DEFINE ||
	       step->phase == PHASE_PENDING || step->phase == PHASE_RESTART;
}

int plan_check_files(const hn_plan *plan, const plan_unit *unit, hn_error **err)
{
	hn_unit named = {0};

	memcpy(named.uuid, unit->uuid, sizeof(named.uuid));
	(void)snprintf(named.name, sizeof(named.name), "%s", unit->name);
	return host_files_check(plan->host, &named, unit->desired, err);
}

bool plan_actionable(const plan_step *step)
{
	return step->phase != PHASE_NOTHING || plan_leaves(step);
}

bool plan_leaves(const plan_step *step)
{
	return step->phase == PHASE_NOTHING &&
	       (step->action == HN_ACTION_FORGET || step->action == HN_ACTION_UNTAG);
}

static void count_step(hn_plan_summary *sum, const plan_step *step)
{
	if (step->status == HN_STEP_PENDING)
		sum->pending++;
	switch (step->action) {
	case HN_ACTION_CREATE:
		sum->create++;
		break;
	case HN_ACTION_START:
		sum->start += step->status != HN_STEP_PENDING; /* else it waits for secrets */
		break;
	case HN_ACTION_STOP:
		sum->stop++;
		break;
	case HN_ACTION_REMOVE:
	case HN_ACTION_ORPHAN:
	case HN_ACTION_FORGET:
		sum->remove += !plan_leaves(step);
		break;
	case HN_ACTION_RESTORE:
		sum->drift++;
		break;
	case HN_ACTION_UNTAG:
		break;
	case HN_ACTION_CHANGE:
		sum->hot += step->class_ == HN_CLASS_HOT || step->class_ == HN_CLASS_HOT_IF;
		sum->restart += step->class_ == HN_CLASS_RESTART;
		sum->next += step->class_ == HN_CLASS_NEXT;
		sum->move += step->class_ == HN_CLASS_MOVE;
		break;
	}
}

void plan_count(hn_plan *plan)
{
	hn_plan_summary sum = {
		.size = sizeof(sum),
		.reserved = plan->summary.reserved,
		.capacity = plan->summary.capacity,
	};

	for (size_t i = 0; i < plan->step_count; i++)
		count_step(&sum, &plan->steps[i]);
	plan->summary = sum;
}

static bool same_text(const char *left, const char *right)
{
	return left && right ? strcmp(left, right) == 0 : left == right;
}

static bool same_step(const plan_step *left, const plan_step *right)
{
	return left->action == right->action && left->class_ == right->class_ &&
	       left->phase == right->phase && same_text(left->name, right->name) &&
	       same_text(left->key, right->key) && same_text(left->old_text, right->old_text) &&
	       same_text(left->new_text, right->new_text);
}

bool plan_same_steps(const hn_plan *left, const hn_plan *right)
{
	if (left->step_count != right->step_count)
		return false;
	for (size_t i = 0; i < left->step_count; i++)
		if (!same_step(&left->steps[i], &right->steps[i]))
			return false;
	return true;
}

/* --- what callers may ask --- */

uint64_t hn_plan_number(const hn_plan *plan)
{
	return plan->number;
}

/* What the values of a step are of: its key, or tags put at run time. Texts that are always there
 * are empty instead. */
static void tell_step(const plan_step *from, uint32_t redact, hn_step *told)
{
	const hn_key *row = from->key ? hn_key_find(from->key) : NULL;
	uint32_t values = row ? row->redact : from->action == HN_ACTION_UNTAG ? HN_REDACT_TAGS : 0;

	*told = (hn_step){
		.size = sizeof(*told),
		.action = from->action,
		.class_ = from->class_,
		.status = from->status,
		.unit = from->name,
		.key = from->key,
		.old_text = host_told(redact, values, from->old_text),
		.new_text = host_told(redact, values, from->new_text),
		.where = (redact & (HN_REDACT_PATHS | HN_REDACT_TAGS)) != 0 ? "" : from->where,
		.note = (redact & BASE_REDACT_TEXTS) != 0 ? "" : from->note,
		.problem = from->problem,
		.code = from->code,
	};
	if (told->problem && (redact & BASE_REDACT_TEXTS) != 0)
		told->problem = hn_code_text((hn_code)from->code);
}

int hn_plan_step_at(const hn_plan *plan, size_t index, hn_step *step)
{
	if (index >= plan->step_count)
		return HN_ENOENT;
	tell_step(&plan->steps[index], plan->redact, step);
	return 0;
}

void hn_plan_get_summary(const hn_plan *plan, hn_plan_summary *summary)
{
	*summary = plan->summary;
}

bool hn_plan_begun(const hn_plan *plan)
{
	return plan->begun;
}

bool hn_plan_empty(const hn_plan *plan)
{
	if (plan->generation != 0)
		return false;
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan_actionable(&plan->steps[i]))
			return false;
	return true;
}
