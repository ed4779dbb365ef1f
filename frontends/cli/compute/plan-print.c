/* SPDX-License-Identifier: MIT
 *
 * A plan as a table and as JSON.
 */
#include "compute.h"
#include <stdlib.h>

static cli_style kind_style(const hn_step *step)
{
	switch (step->action) {
	case HN_ACTION_STOP:
	case HN_ACTION_REMOVE:
	case HN_ACTION_ORPHAN:
	case HN_ACTION_FORGET:
	case HN_ACTION_RESTORE:
		return CLI_RED;
	case HN_ACTION_CHANGE:
		return step->class_ == HN_CLASS_RESTART || step->class_ == HN_CLASS_MOVE
			       ? CLI_YELLOW
			       : CLI_GREEN;
	default:
		return CLI_GREEN;
	}
}

static void add_step(cli_table *table, const hn_step *step)
{
	cli_table_cell(table, step->unit);
	cli_table_cell(table, cli_step_kind(step));
	cli_table_style(table, kind_style(step));
	cli_table_cell(table, step->key);
	if (step->old_text == NULL && step->new_text == NULL)
		cli_table_cell(table, NULL);
	else
		cli_table_cellf(table, "%s -> %s",
			step->old_text == NULL ? "(none)" : step->old_text,
			step->new_text == NULL ? "(none)" : step->new_text);
	cli_table_cell(table, step->where);
	cli_table_cell(table, step->note);
}

/* Texts that are already printed grow; a summary has at most ten short parts. */
static void add_part(char **text, uint32_t count, const char *name, const char *remark)
{
	char *longer;

	if (count == 0)
		return;
	longer = cli_format("%s%s%u %s%s", *text == NULL ? "" : *text, *text == NULL ? "" : ", ",
		count, name, remark);
	free(*text);
	*text = longer;
}

static char *summary_text(const hn_plan_summary *summary)
{
	CLI_AUTO_FREE char *some = cli_format(" (%u pending)", summary->pending);
	const char *pending = summary->pending == 0                  ? ""
			      : summary->pending >= summary->restart ? " (pending)"
								     : some;
	char *text = NULL;

	add_part(&text, summary->create, "create", "");
	add_part(&text, summary->hot, "hot", "");
	add_part(&text, summary->next, "next", "");
	add_part(&text, summary->restart, "restart", pending);
	add_part(&text, summary->move, "move", "");
	add_part(&text, summary->start, "start", "");
	add_part(&text, summary->stop, "stop", "");
	add_part(&text, summary->remove, "remove", "");
	add_part(&text, summary->drift, "drift", "");
	return text == NULL ? cli_format("no change of a unit; what is declared changes") : text;
}

void compute_plan_print(const cli_run *cli, const hn_plan *plan)
{
	static const cli_column columns[] = {
		{.title = NULL}, {.gap = 2}, {.gap = 2}, {.gap = 2}, {.gap = 3}, {.gap = 3}};
	cli_table *table = cli_table_new(columns, CLI_COUNT(columns), 0);
	hn_plan_summary summary = HN_PLAN_SUMMARY_INIT;
	hn_step step = {.size = sizeof(step)};
	size_t drifted = 0;

	for (size_t i = 0; hn_plan_step_at(plan, i, &step) == 0; i++) {
		add_step(table, &step);
		drifted += step.action == HN_ACTION_RESTORE;
		step.size = sizeof(step);
	}
	cli_table_print(cli, table);
	hn_plan_get_summary(plan, &summary);
	CLI_AUTO_FREE char *text = summary_text(&summary);

	if (!hn_plan_empty(plan))
		printf("%s", text);
	else
		printf("no changes%s%s", drifted > 0 ? "; what drifted is left as it is" : "",
			summary.pending > 0 ? "; what is pending stays so" : "");
	if (summary.capacity > 0)
		printf("; capacity after: %llu of %llu CU", (unsigned long long)summary.reserved,
			(unsigned long long)summary.capacity);
	putchar('\n');
	fflush(stdout); /* before the progress on standard error */
}
