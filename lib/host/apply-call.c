/* SPDX-License-Identifier: MIT
 *
 * What the apply of a plan is, for those who approve it: its steps to be read, and the hash of all
 * that it is made from. A plan that is made again says the same while nothing has changed.
 */
#include "host/call.h"
#include "host/plan.h"

#define STEPS_SHOWN 128

static void put_text(base_buf *all, const char *text)
{
	base_buf_add(all, text ? text : "", (text ? strlen(text) : 0) + 1);
}

/* What is declared: the hashes of the documents, in their order. */
static int put_documents(const hn_plan *plan, base_buf *all, hn_error **err)
{
	state_query *query = NULL;
	int rc;

	if (plan->generation == 0)
		return 0;
	rc = state_find(plan->host->store,
		"SELECT owner, digest FROM declaration JOIN document ON document.id = document"
		" WHERE generation = ?1 ORDER BY position",
		&query, err);
	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)plan->generation);
	while ((rc = state_row(query, err)) > 0) {
		size_t size = 0;
		const void *digest = state_blob(query, 1, &size);

		base_buf_format(all, "%lld", (long long)state_int(query, 0));
		base_buf_add(all, digest, size);
	}
	state_done(query);
	return rc;
}

/* A unit that is new has its uuid from this plan, and would have another from the next. */
static void put_unit(const hn_plan *plan, const plan_step *step, base_buf *all)
{
	const plan_unit *unit;

	if (step->unit == PLAN_NO_UNIT) {
		put_text(all, step->uuid);
		return;
	}
	unit = &plan->units[step->unit];
	put_text(all, unit->record ? unit->uuid : NULL);
	base_buf_format(all, "%u", (unsigned)unit->vcpus);
	base_buf_add(all, unit->digest, sizeof(unit->digest));
}

static void put_step(const hn_plan *plan, const plan_step *step, base_buf *all)
{
	base_buf_format(all, "%d %d ", (int)step->action, (int)step->phase);
	put_text(all, step->name);
	put_text(all, step->key);
	put_text(all, step->old_text);
	put_text(all, step->new_text);
	put_unit(plan, step, all);
}

static int tell_all(const hn_plan *plan, caps_call *what, hn_error **err)
{
	BASE_AUTO_BUF base_buf all = {0};
	int rc = put_documents(plan, &all, err);

	for (size_t i = 0; i < plan->step_count; i++)
		put_step(plan, &plan->steps[i], &all);
	if (rc >= 0 && all.failed)
		rc = base_nomem(err);
	if (rc >= 0)
		caps_call_digest(what, "plan", all.data ? all.data : "", all.size);
	return rc;
}

static char *describe(const plan_step *step)
{
	base_buf text = {0};

	base_buf_format(&text, "%s %s", hn_action_name(step->action), step->name);
	if (step->key)
		base_buf_format(&text, " %s", step->key);
	if (step->old_text || step->new_text)
		base_buf_format(&text, ": %s -> %s", step->old_text ? step->old_text : "none",
			step->new_text ? step->new_text : "none");
	return base_buf_take(&text);
}

static int tell_steps(const hn_plan *plan, caps_call *what, hn_error **err)
{
	BASE_AUTO_NAMES base_names lines = {0};
	size_t shown = plan->step_count < STEPS_SHOWN ? plan->step_count : STEPS_SHOWN;

	for (size_t i = 0; i < shown; i++) {
		BASE_AUTO_FREE char *line = describe(&plan->steps[i]);

		if (!line || base_names_add(&lines, line) < 0)
			return base_nomem(err);
	}
	caps_call_texts(what, "steps", (const char *const *)lines.items, lines.count);
	if (shown < plan->step_count)
		caps_call_int(what, "more_steps", (int64_t)(plan->step_count - shown));
	return 0;
}

int apply_call(hn_session *session, const hn_plan *plan, const hn_apply_options *options,
	host_call *call, hn_error **err)
{
	static const char *const on_error[] = {NULL, "continue", "undo"};
	int rc = tell_all(plan, &call->what, err);

	/* what is left out of answers is not told by a request either */
	if (rc >= 0 && session->redacts == 0)
		rc = tell_steps(plan, &call->what, err);
	if ((size_t)options->on_error < BASE_COUNT(on_error))
		caps_call_text(&call->what, "on_error", on_error[options->on_error]);
	return rc < 0 ? rc : host_call_begin(call, session, HN_VERB_UNIT_UPDATE, "unit/**", err);
}
