/* SPDX-License-Identifier: MIT
 *
 * A plan as JSON.
 */
#include "cli.h"

const char *cli_step_kind(const hn_step *step)
{
	if (step->action == HN_ACTION_CHANGE)
		return hn_class_name(step->class_);
	return step->action == HN_ACTION_RESTORE ? "drift" : hn_action_name(step->action);
}

static void write_summary(hn_json *json, const hn_plan *plan)
{
	hn_plan_summary summary = HN_PLAN_SUMMARY_INIT;

	hn_plan_get_summary(plan, &summary);
	hn_json_object(json, "summary");
	hn_json_uint(json, "create", summary.create);
	hn_json_uint(json, "hot", summary.hot);
	hn_json_uint(json, "next", summary.next);
	hn_json_uint(json, "restart", summary.restart);
	hn_json_uint(json, "move", summary.move);
	hn_json_uint(json, "start", summary.start);
	hn_json_uint(json, "stop", summary.stop);
	hn_json_uint(json, "remove", summary.remove);
	hn_json_uint(json, "drift", summary.drift);
	hn_json_uint(json, "pending", summary.pending);
	hn_json_uint(json, "reserved", summary.reserved);
	hn_json_uint(json, "capacity", summary.capacity);
	hn_json_end(json);
}

void cli_json_plan(hn_json *json, const hn_plan *plan)
{
	hn_step step = {.size = sizeof(step)};

	if (hn_plan_number(plan) == 0)
		hn_json_null(json, "plan");
	else
		hn_json_uint(json, "plan", hn_plan_number(plan));
	hn_json_bool(json, "empty", hn_plan_empty(plan));
	hn_json_array(json, "steps");
	for (size_t i = 0; hn_plan_step_at(plan, i, &step) == 0; i++) {
		bool keyed = step.action == HN_ACTION_CHANGE || step.action == HN_ACTION_RESTORE;

		hn_json_object(json, NULL);
		hn_json_text(json, "unit", step.unit);
		hn_json_text(json, "action", hn_action_name(step.action));
		hn_json_text(json, "class", keyed ? hn_class_name(step.class_) : NULL);
		hn_json_text(json, "status", hn_step_status_name(step.status));
		hn_json_text(json, "key", step.key);
		hn_json_text(json, "old", step.old_text);
		hn_json_text(json, "new", step.new_text);
		hn_json_text(json, "where",
			step.where == NULL || step.where[0] == '\0' ? NULL : step.where);
		hn_json_text(
			json, "note", step.note == NULL || step.note[0] == '\0' ? NULL : step.note);
		if (step.problem != NULL) {
			hn_json_text(json, "code", hn_code_name((hn_code)step.code));
			hn_json_text(json, "problem", step.problem);
		}
		hn_json_end(json);
		step.size = sizeof(step);
	}
	hn_json_end(json);
	write_summary(json, plan);
}
