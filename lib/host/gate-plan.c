/* SPDX-License-Identifier: MIT
 *
 * The gate to plans and generations.
 */
#include "host/call.h"
#include "host/plan.h"

static int read_plan_options(const hn_plan_options *options, hn_plan_options *known, hn_error **err)
{
	int rc = host_options_check(options, sizeof(*known), "hn_plan_options", err);

	if (rc >= 0)
		host_options_copy(known, options, sizeof(*known));
	return rc;
}

/* Room for plans is short: one is kept for who may do some of it. */
static bool may_do_some(hn_session *session, const hn_plan *plan)
{
	static const hn_verb verbs[] = {HN_VERB_UNIT_UPDATE, HN_VERB_UNIT_CREATE,
		HN_VERB_UNIT_START, HN_VERB_UNIT_STOP, HN_VERB_UNIT_DELETE};
	char object[BASE_OBJECT_SIZE];

	if (!host_session_limited(session))
		return true;
	for (size_t i = 0; i < BASE_COUNT(verbs); i++) {
		if (host_sees(session, verbs[i], "unit/**"))
			return true;
		for (size_t k = 0; k < plan->step_count; k++)
			if (plan->steps[k].uuid &&
				host_sees(session, verbs[i],
					host_object_unit(object, plan->steps[k].uuid)))
				return true;
	}
	return false;
}

static int make(hn_session *session, const hn_plan_options *options, uint32_t redact,
	hn_plan **plan, hn_error **err)
{
	BASE_AUTO_OF(hn_plan) hn_plan *made = NULL;
	int rc = plan_new(session->host, options, &made, err);

	/* One that was only planned was never true of this host: there is nothing to go back to. */
	if (rc >= 0 && made->rollback != 0)
		rc = host_generation_find(session->host, made->rollback, true, err);
	if (rc >= 0)
		rc = plan_fill(session, made, err);
	if (rc >= 0 && may_do_some(session, made))
		rc = plan_store(session, made, err);
	if (rc < 0)
		return rc;
	made->redact = redact;
	*plan = BASE_STEAL(made);
	return 0;
}

int hn_plan_make(
	hn_session *session, const hn_plan_options *options, hn_plan **plan, hn_error **err)
{
	hn_plan_options known;
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0)
		rc = read_plan_options(options, &known, err);
	if (rc >= 0)
		rc = host_admit(session, HN_VERB_UNIT_READ, "unit/**", NULL, &permit, err);
	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc < 0)
		return rc;
	if (!plan)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL, "no place to put the plan");
	return host_conceal(session, make(session, &known, permit.redact, plan, err), err);
}

int hn_plan_find(hn_session *session, uint64_t number, hn_plan **plan, hn_error **err)
{
	host_permit permit;
	hn_host *host = NULL;
	int rc = host_enter(session, HN_VERB_UNIT_READ, "unit/**", &host, &permit, err);

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = plan_load(host, number, plan, err);
	if (rc >= 0)
		(*plan)->redact = permit.redact;
	return host_conceal(session, rc, err);
}

int hn_plan_apply(
	hn_session *session, hn_plan *plan, const hn_apply_options *options, hn_error **err)
{
	HOST_AUTO_CALL host_call call = {0};
	hn_apply_options known;
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc >= 0)
		rc = host_options_check(options, sizeof(known), "hn_apply_options", err);
	if (rc < 0)
		return rc;
	if (!plan || plan->host != host)
		return base_error(err, HN_EINVAL, HOST_ROOM, NULL,
			"the plan was made on another host, or there is none");
	host_options_copy(&known, options, sizeof(known));
	plan->redact |= session->redacts;
	session->redacted = plan->redact;
	return host_conceal(session, apply_plan(session, plan, &known, &call, err), err);
}

int hn_plan_check(hn_session *session, hn_plan *plan, hn_error **err)
{
	static const hn_apply_options plain = HN_APPLY_OPTIONS_INIT;
	HOST_AUTO_CALL host_call call = {0};
	hn_host *host = NULL;
	int rc = host_session_use(session, &host, err);

	if (rc < 0)
		return rc;
	if (!plan || plan->host != host || plan->loaded)
		return base_error(err, HN_EINVAL, HOST_ROOM, "make it again",
			"the plan was not made on this host just now, or there is none");
	rc = apply_call(session, plan, &plain, &call, err);
	if (rc >= 0)
		rc = apply_check(session, plan, err);
	return host_conceal(session, rc, err);
}

int hn_generations_list(hn_session *session, hn_generation_fn each, void *arg, hn_error **err)
{
	host_permit permit;
	hn_host *host = NULL;
	state_query *query = NULL;
	int rc = host_enter(session, HN_VERB_UNIT_READ, "unit/**", &host, &permit, err);

	if (rc >= 0)
		rc = host_answers(&permit, 0, err);
	if (rc >= 0)
		rc = state_find(host->store,
			"SELECT number, applied, who, why, units, number = (SELECT generation FROM"
			" host) FROM generation WHERE applied <> 0 ORDER BY number",
			&query, err);
	while (rc >= 0 && (rc = state_row(query, err)) > 0) {
		hn_generation generation = {
			.size = sizeof(generation),
			.number = (uint64_t)state_int(query, 0),
			.when = state_int(query, 1),
			.who = host_told(permit.redact, HN_REDACT_PERSONS, state_text(query, 2)),
			.why = host_told(permit.redact, BASE_REDACT_TEXTS, state_text(query, 3)),
			.units = (uint32_t)state_int(query, 4),
			.current = state_int(query, 5) != 0,
		};

		rc = each(arg, &generation);
		if (rc != 0)
			break;
	}
	state_done(query);
	return host_conceal(session, rc, err);
}
