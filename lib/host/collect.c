/* SPDX-License-Identifier: MIT
 *
 * Collecting what nobody needs any more, after a successful apply and in its last transaction: old
 * generations, old lines of a unit's history, and bodies of views and documents that nothing refers
 * to. Views are looked at a part at a time, from where the apply before stopped, so that the cost
 * stays in proportion to what this apply has done.
 */
#include "host/plan.h"

/* An apply makes at most a view and its chains a unit, and again a step; more than it makes are
 * looked at. */
#define VIEWS_AT_LEAST 1024
#define VIEWS_EACH 4

static int run_with(hn_host *host, const char *sql, int64_t first, int64_t second, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store, sql, &query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, first);
	state_bind_int(query, 2, second);
	return state_run(query, err);
}

int host_documents_collect(hn_host *host, hn_error **err)
{
	if (state_changes(host->store) == 0)
		return 0;
	return state_exec(host->store,
		"DELETE FROM document WHERE NOT EXISTS"
		" (SELECT 1 FROM declaration WHERE declaration.document = document.id)",
		err);
}

/* Those applied last stay, and the current one, and what a stored plan goes to. */
static int drop_generations(hn_host *host, hn_error **err)
{
	int rc = run_with(host,
		"DELETE FROM generation WHERE applied > ?2 AND number IN (SELECT number FROM"
		" generation WHERE applied > ?2 ORDER BY applied DESC, number DESC LIMIT -1 OFFSET ?1)"
		" AND number <> (SELECT generation FROM host)"
		" AND number NOT IN (SELECT generation FROM plan)",
		(int64_t)base_limit(BASE_LIMIT_GENERATIONS), 0, err);

	return rc < 0 ? rc : host_documents_collect(host, err);
}

/* Where the next part ends: its last view, and where the part after it begins. Past the last view
 * of all it goes on with the first. */
static int part_end(
	hn_host *host, int64_t start, int64_t size, int64_t *end, int64_t *next, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(host->store,
		"SELECT max(id), count(*) FROM (SELECT id FROM view WHERE id > ?1 ORDER BY id LIMIT ?2)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_int(query, 1, start);
	state_bind_int(query, 2, size);
	rc = state_row(query, err);
	if (rc > 0)
		*end = state_int(query, 0); /* 0 when there is none */
	if (rc > 0)
		*next = state_int(query, 1) < size ? 0 : *end;
	state_done(query);
	return rc < 0 ? rc : 0;
}

static int drop_views(hn_host *host, int64_t size, hn_error **err)
{
	uint64_t start = 0;
	int64_t end = 0, next = 0;
	int rc = host_number(host, "SELECT upto FROM collected", &start, err);

	if (rc >= 0)
		rc = part_end(host, (int64_t)start, size, &end, &next, err);
	if (rc >= 0 && end != 0)
		rc = run_with(host,
			"DELETE FROM view WHERE id > ?1 AND id <= ?2"
			" AND NOT EXISTS (SELECT 1 FROM unit_view WHERE unit_view.body = view.id)"
			" AND NOT EXISTS (SELECT 1 FROM unit_view WHERE unit_view.chains = view.id)"
			" AND NOT EXISTS (SELECT 1 FROM history WHERE history.body = view.id)",
			(int64_t)start, end, err);
	return rc < 0 ? rc
		      : run_with(host, "UPDATE collected SET upto = ?1 WHERE one = ?2", next, 1,
				err);
}

int host_collect(hn_host *host, const hn_plan *plan, hn_error **err)
{
	size_t done = plan->unit_count + plan->step_count;
	int rc = drop_generations(host, err);

	return rc < 0 ? rc : drop_views(host, VIEWS_AT_LEAST + VIEWS_EACH * (int64_t)done, err);
}

int host_history_trim(hn_host *host, int64_t unit, hn_error **err)
{
	return run_with(host,
		"DELETE FROM history WHERE unit = ?1 AND id <= (SELECT id FROM history"
		" WHERE unit = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
		unit, (int64_t)base_limit(BASE_LIMIT_UNIT_HISTORY), err);
}
