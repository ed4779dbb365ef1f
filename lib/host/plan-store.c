/* SPDX-License-Identifier: MIT
 *
 * Plans in the store: by number, with their steps and the generation they go to, so that another
 * process can apply one and a killed apply can be looked into.
 */
#include "host/plan.h"

#define PLANS_KEPT 64

static int options_text(const hn_plan *plan, char **text, hn_error **err)
{
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	const char on_remove[2] = {plan->on_remove, '\0'};
	int rc = hn_json_new(false, &json, err);

	if (rc < 0)
		return rc;
	hn_json_object(json, NULL);
	hn_json_bool(json, "restore", plan->restore);
	hn_json_bool(json, "start", plan->start);
	hn_json_text(json, "on_remove", on_remove);
	hn_json_text(json, "unit", plan->only);
	hn_json_bool(json, "boot", plan->boot);
	hn_json_bool(json, "drop_tags", plan->drop_tags);
	hn_json_bool(json, "shutdown", plan->shutdown);
	hn_json_end(json);
	return codec_json_take(json, text, err);
}

static int insert_plan(hn_plan *plan, hn_error **err)
{
	BASE_AUTO_FREE char *options = NULL;
	state_query *query = NULL;
	int rc = options_text(plan, &options, err);

	if (rc >= 0)
		rc = state_find(plan->host->store,
			"INSERT INTO plan(number, made, revision, generation, options, reserved,"
			" capacity, state)"
			" SELECT coalesce(max(number), 0) + 1, ?1, ?2, ?3, ?4, ?5, ?6, 0 FROM plan",
			&query, err);
	if (rc < 0)
		return rc;
	state_bind_int(query, 1, os_now(plan->host->os));
	state_bind_int(query, 2, (int64_t)plan->revision);
	state_bind_int(query, 3, (int64_t)plan->generation);
	state_bind_text(query, 4, options);
	state_bind_int(query, 5, (int64_t)plan->summary.reserved);
	state_bind_int(query, 6, (int64_t)plan->summary.capacity);
	rc = state_run(query, err);
	if (rc >= 0)
		plan->number = (uint64_t)state_last_id(plan->host->store);
	return rc;
}

static int insert_step(const hn_plan *plan, size_t index, hn_error **err)
{
	const plan_step *step = &plan->steps[index];
	state_query *query = NULL;
	int rc = state_find(plan->host->store,
		"INSERT INTO step(plan, position, action, class, status, unit, uuid, key, old, new,"
		" place, note, phase) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
		" ?13)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)plan->number);
	state_bind_int(query, 2, (int64_t)index);
	state_bind_int(query, 3, step->action);
	state_bind_int(query, 4, step->class_);
	state_bind_int(query, 5, step->status);
	state_bind_text(query, 6, step->name);
	state_bind_text(query, 7, step->uuid);
	state_bind_text(query, 8, step->key);
	state_bind_text(query, 9, step->old_text);
	state_bind_text(query, 10, step->new_text);
	state_bind_text(query, 11, step->where);
	state_bind_text(query, 12, step->note);
	state_bind_int(query, 13, step->phase);
	return state_run(query, err);
}

/* Plans that were only looked at must not fill the store. */
static int drop_old(hn_host *host, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"DELETE FROM plan WHERE number <= (SELECT max(number) FROM plan) - ?1 AND NOT EXISTS"
		" (SELECT 1 FROM step WHERE step.plan = plan.number AND step.status = 1)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, PLANS_KEPT);
	return state_run(query, err);
}

/* The generation to go to. A declaration that says what is said already is none. */
static int put_generation(hn_session *session, hn_plan *plan, hn_error **err)
{
	uint64_t current = 0, made = 0;
	int rc = host_generation_current(plan->host, &current, err);

	if (rc < 0 || (!plan->has_decls && plan->rollback == 0))
		return rc;
	if (!plan->has_decls) {
		rc = host_generation_same(plan->host, plan->rollback, current, err);
		if (rc >= 0)
			plan->generation = rc > 0 ? 0 : plan->rollback;
		return rc < 0 ? rc : 0;
	}
	rc = state_begin(plan->host->store, err);
	if (rc < 0)
		return rc;
	rc = host_generation_put(
		plan->host, session, plan->decls, plan->decl_count, plan->owner, &made, err);
	if (rc >= 0)
		rc = host_generation_same(plan->host, made, current, err);
	if (rc != 0 || (current == 0 && plan->decl_count == 0)) {
		state_rollback(plan->host->store);
		return rc < 0 ? rc : 0;
	}
	plan->generation = made;
	return state_commit(plan->host->store, err);
}

typedef struct store_call {
	hn_session *session;
	hn_plan *plan;
} store_call;

static int store_all(void *arg, hn_error **err)
{
	store_call *call = arg;
	hn_plan *plan = call->plan;
	int rc = put_generation(call->session, plan, err);

	if (rc < 0 || hn_plan_empty(plan))
		return rc;
	rc = insert_plan(plan, err);
	for (size_t i = 0; rc >= 0 && i < plan->step_count; i++)
		rc = insert_step(plan, i, err);
	return rc < 0 ? rc : drop_old(plan->host, err);
}

int plan_store(hn_session *session, hn_plan *plan, hn_error **err)
{
	store_call call = {.session = session, .plan = plan};
	int rc;

	if (plan->host->read_only)
		return 0;
	rc = host_transaction(plan->host, store_all, &call, err);
	if (rc < 0)
		plan->number = plan->generation = 0;
	return rc < 0 ? rc : 0;
}

static int generation_only(void *arg, hn_error **err)
{
	store_call *call = arg;

	return put_generation(call->session, call->plan, err);
}

int plan_generation(hn_session *session, hn_plan *plan, hn_error **err)
{
	store_call call = {.session = session, .plan = plan};
	int rc = host_transaction(plan->host, generation_only, &call, err);

	if (rc < 0)
		plan->generation = 0;
	return rc < 0 ? rc : 0;
}

int plan_step_store(hn_host *host, const hn_plan *plan, size_t index, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"UPDATE step SET status = ?3 WHERE plan = ?1 AND position = ?2", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)plan->number);
	state_bind_int(query, 2, (int64_t)index);
	state_bind_int(query, 3, plan->steps[index].status);
	return state_run(query, err);
}

int plan_state_store(hn_host *host, uint64_t number, plan_state state, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(
		host->store, "UPDATE plan SET state = ?2 WHERE number = ?1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	state_bind_int(query, 2, state);
	return state_run(query, err);
}

/* --- reading one back --- */

static int read_options(hn_plan *plan, const char *text, hn_error **err)
{
	BASE_AUTO_OF(codec_json) codec_json *doc = NULL;
	const codec_node *root, *node;
	int rc = codec_json_parse("stored plan", text, strlen(text), &doc, err);

	if (rc < 0)
		return rc;
	root = codec_json_root(doc);
	node = codec_member(root, "restore");
	plan->restore = node && node->kind == CODEC_TRUE;
	node = codec_member(root, "start");
	plan->start = node && node->kind == CODEC_TRUE;
	node = codec_member(root, "on_remove");
	if (node && node->kind == CODEC_TEXT && node->text_size == 1)
		plan->on_remove = node->text[0];
	node = codec_member(root, "boot");
	plan->boot = node && node->kind == CODEC_TRUE;
	node = codec_member(root, "drop_tags");
	plan->drop_tags = node && node->kind == CODEC_TRUE;
	node = codec_member(root, "shutdown");
	plan->shutdown = node && node->kind == CODEC_TRUE;
	node = codec_member(root, "unit");
	if (node && node->kind == CODEC_TEXT) {
		plan->only = base_strdup(node->text);
		if (!plan->only)
			return base_nomem(err);
	}
	return 0;
}

static int load_head(hn_host *host, uint64_t number, hn_plan *plan, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT revision, generation, options, reserved, capacity FROM plan WHERE number = ?1",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	rc = state_row(query, err);
	if (rc > 0) {
		plan->revision = (uint64_t)state_int(query, 0);
		plan->generation = plan->rollback = (uint64_t)state_int(query, 1);
		rc = read_options(plan, state_text(query, 2), err);
		plan->summary.reserved = (uint64_t)state_int(query, 3);
		plan->summary.capacity = (uint64_t)state_int(query, 4);
		state_done(query);
		return rc;
	}
	return rc < 0 ? rc
		      : base_error(err, HN_ENOENT, HOST_ROOM, "make it again",
				"there is no plan %llu", (unsigned long long)number);
}

static bool copy_column(state_query *query, int column, char **to)
{
	const char *text = state_text(query, column);

	base_free(*to);
	*to = text ? base_strdup(text) : NULL;
	return !text || *to;
}

static int load_step(state_query *query, hn_plan *plan, hn_error **err)
{
	plan_step *step = plan_add(plan, (hn_action)state_int(query, 0),
		(plan_phase)state_int(query, 10), PLAN_NO_UNIT);

	if (!step || !copy_column(query, 3, &step->name) || !copy_column(query, 4, &step->uuid) ||
		!copy_column(query, 5, &step->key) || !copy_column(query, 6, &step->old_text) ||
		!copy_column(query, 7, &step->new_text) || !copy_column(query, 8, &step->where) ||
		!copy_column(query, 9, &step->note))
		return plan_refuse(plan, err);
	step->class_ = (hn_class)state_int(query, 1);
	step->status = (hn_step_status)state_int(query, 2);
	return 0;
}

static int load_steps(hn_host *host, uint64_t number, hn_plan *plan, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT action, class, status, unit, uuid, key, old, new, place, note, phase FROM step"
		" WHERE plan = ?1 ORDER BY position",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, (int64_t)number);
	while ((rc = state_row(query, err)) > 0) {
		rc = load_step(query, plan, err);
		if (rc < 0)
			break;
	}
	state_done(query);
	return rc;
}

int plan_load(hn_host *host, uint64_t number, hn_plan **plan, hn_error **err)
{
	static const hn_plan_options none = HN_PLAN_OPTIONS_INIT;
	BASE_AUTO_OF(hn_plan) hn_plan *made = NULL;
	int rc = plan_new(host, &none, &made, err);

	if (rc >= 0)
		rc = load_head(host, number, made, err);
	if (rc >= 0)
		rc = load_steps(host, number, made, err);
	if (rc < 0)
		return rc;
	made->number = number;
	made->loaded = true;
	plan_count(made);
	*plan = BASE_STEAL(made);
	return 0;
}
