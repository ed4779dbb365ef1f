/* SPDX-License-Identifier: MIT
 *
 * The report of an activation.
 */
#include "activate.h"
#include <stdarg.h>

typedef enum priority { ERROR = 3, WARNING = 4, INFORMATION = 6 } priority;

void activate_note(const activation *run, int level, const char *format, ...)
{
	CLI_AUTO_FREE char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (text != NULL && !run->cli->json && (!run->cli->quiet || level < INFORMATION))
		cli_lines(stdout, run->cli->journal_out, level, text);
}

/* --- one line a step --- */

static bool is_deferred(const hn_step *step)
{
	return step->status == HN_STEP_PENDING &&
	       (step->class_ == HN_CLASS_RESTART || step->class_ == HN_CLASS_MOVE) &&
	       (step->action == HN_ACTION_CHANGE || step->action == HN_ACTION_RESTORE);
}

static const char *result_text(const activation *run, const hn_step *step)
{
	if (run->mode != ACTIVATE)
		return step->status == HN_STEP_PENDING ? "would wait" : "would be done";
	return step->status == HN_STEP_PLANNED ? "not done" : hn_step_status_name(step->status);
}

static int level_of(const activation *run, const hn_step *step)
{
	switch (step->status) {
	case HN_STEP_FAILED:
		return ERROR;
	case HN_STEP_PENDING:
	case HN_STEP_UNDONE:
		return WARNING;
	case HN_STEP_PLANNED:
		return run->mode == ACTIVATE ? WARNING : INFORMATION;
	default:
		return INFORMATION;
	}
}

static char *change_text(const hn_step *step)
{
	if (step->old_text == NULL && step->new_text == NULL)
		return cli_format(
			"%s%s", step->key == NULL ? "" : " ", step->key == NULL ? "" : step->key);
	return cli_format("%s%s %s -> %s", step->key == NULL ? "" : " ",
		step->key == NULL ? "" : step->key,
		step->old_text == NULL ? "(none)" : step->old_text,
		step->new_text == NULL ? "(none)" : step->new_text);
}

/* Where it comes from and why it is so, in brackets. */
static char *remark_text(const hn_step *step)
{
	const char *parts[3] = {0};
	size_t count = 0;

	if (step->where != NULL && step->where[0] != '\0')
		parts[count++] = step->where;
	if (step->note != NULL && step->note[0] != '\0')
		parts[count++] = step->note;
	if (step->problem != NULL)
		parts[count++] = step->problem;
	if (count == 0)
		return cli_format("%s", "");
	return cli_format("  (%s%s%s%s%s)", parts[0], count > 1 ? "; " : "",
		count > 1 ? parts[1] : "", count > 2 ? "; " : "", count > 2 ? parts[2] : "");
}

void activate_step(void *arg, const hn_step *step)
{
	const activation *run = arg;
	CLI_AUTO_FREE char *change = change_text(step);
	CLI_AUTO_FREE char *remark = remark_text(step);
	CLI_AUTO_FREE char *line = cli_format("%s: %s%s: %s%s", step->unit, cli_step_kind(step),
		change, result_text(run, step), remark);
	CLI_AUTO_FREE char *clean = cli_text_clean(line);

	activate_note(run, level_of(run, step), "%s", clean);
}

/* --- the summary --- */

size_t activate_pending(const hn_plan *plan)
{
	hn_step step = {.size = sizeof(step)};
	size_t count = 0;

	for (size_t i = 0; hn_plan_step_at(plan, i, &step) == 0; i++)
		count += is_deferred(&step);
	return count;
}

static size_t count_status(const hn_plan *plan, hn_step_status status)
{
	hn_step step = {.size = sizeof(step)};
	size_t count = 0;

	for (size_t i = 0; plan != NULL && hn_plan_step_at(plan, i, &step) == 0; i++)
		count += step.status == status;
	return count;
}

/* Units of failed steps, each once. */
static char *failed_units(const hn_plan *plan)
{
	hn_step step = {.size = sizeof(step)};
	char *text = cli_format("%s", ""), last[64] = "";

	for (size_t i = 0; hn_plan_step_at(plan, i, &step) == 0; i++) {
		char *longer;

		if (step.status != HN_STEP_FAILED || strcmp(step.unit, last) == 0)
			continue;
		snprintf(last, sizeof(last), "%s", step.unit);
		longer = cli_format("%s%s%s", text, text[0] == '\0' ? "" : ", ", step.unit);
		free(text);
		text = longer;
	}
	return text;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void tell_failed(const activation *run)
{
	CLI_AUTO_FREE char *units = failed_units(run->plan);

	activate_note(run, ERROR,
		"failed: of the steps %zu are done, %zu failed%s%s%s, %zu not done",
		count_status(run->plan, HN_STEP_DONE), count_status(run->plan, HN_STEP_FAILED),
		units[0] == '\0' ? "" : " (", units, units[0] == '\0' ? "" : ")",
		count_status(run->plan, HN_STEP_PLANNED));
}

static void tell_applied(const activation *run)
{
	size_t done = count_status(run->plan, HN_STEP_DONE), wait = activate_pending(run->plan);

	if (run->stop)
		activate_note(run, INFORMATION, "stopped: %zu guest%s", done, plural(done));
	else if (done == 0 && wait == 0)
		activate_note(run, INFORMATION, "applied: nothing was to be done");
	else if (wait == 0)
		activate_note(run, INFORMATION, "applied: %zu step%s", done, plural(done));
	else
		activate_note(run, WARNING,
			"applied: %zu step%s; %zu for a restart or a move to come (hv-compute "
			"pending lists them)",
			done, plural(done), wait);
}

static void tell_planned(const activation *run)
{
	size_t steps = count_status(run->plan, HN_STEP_PLANNED);

	if (run->mode == ACTIVATE_DRY)
		activate_note(run, INFORMATION, "would do %zu step%s; %zu would wait", steps,
			plural(steps), activate_pending(run->plan));
	else if (run->machine)
		activate_note(
			run, INFORMATION, "checked: %zu step%s can be done", steps, plural(steps));
	else
		activate_note(run, WARNING,
			"checked: %zu step%s; the hypervisor could not be asked", steps,
			plural(steps));
}

static void tell(const activation *run)
{
	if (run->status == ACTIVATE_REFUSED && run->boot != NULL && hn_plan_begun(run->boot))
		activate_note(run, ERROR,
			"refused: nothing was changed after the guests' start as declared last");
	else if (run->status == ACTIVATE_REFUSED)
		activate_note(run, ERROR, "refused: nothing was changed");
	else if (run->mode != ACTIVATE)
		tell_planned(run);
	else if (run->status == ACTIVATE_INCONSISTENT)
		activate_note(run, ERROR,
			"inconsistent: a step could not be taken back; hv-compute repair UNIT");
	else if (strcmp(run->outcome, "undone") == 0)
		activate_note(run, ERROR, "failed and undone: all is as it was before");
	else if (run->status == ACTIVATE_FAILED)
		tell_failed(run);
	else
		tell_applied(run);
}

/* --- JSON --- */

static void write_plan(hn_json *json, const char *name, const hn_plan *plan)
{
	if (plan == NULL) {
		hn_json_null(json, name);
		return;
	}
	hn_json_object(json, name);
	cli_json_plan(json, plan);
	hn_json_end(json);
}

static void write_error(hn_json *json, const char *name, const hn_error *error)
{
	if (error == NULL)
		hn_json_null(json, name);
	else
		hn_json_error(json, name, error);
}

static int print_json(const activation *run)
{
	hn_json *json = cli_json_new();

	hn_json_object(json, NULL);
	hn_json_text(json, "outcome", run->outcome);
	hn_json_uint(json, "status", (uint64_t)run->status);
	write_plan(json, "boot", run->boot);
	write_plan(json, "activation", run->plan);
	write_error(json, "boot_error", run->boot_error);
	write_error(json, "error", run->error);
	hn_json_end(json);
	return cli_json_print(run->cli, json);
}

int activate_report(activation *run)
{
	if (run->cli->json) {
		(void)print_json(run);
	} else {
		if (run->error != NULL)
			(void)cli_fail(run->cli, hn_error_ref(run->error));
		tell(run);
	}
	return (int)run->status;
}
