/* SPDX-License-Identifier: MIT
 *
 * Quotas and rates: one row a caveat of a token, changed in the transaction of what uses them up,
 * so that neither a crash nor another thread can come between the effect and its count. Rates by
 * GCRA (ITU-T I.371): one time is kept, no window of past requests.
 */
#include "caps/store-private.h"

#define SECOND INT64_C(1000000000)
#define SLACK_MOST (INT64_MAX / 4) /* 73 years: sums of two and a time stay in range */

typedef struct counted {
	caps_store *store;
	const caps_token *token;
	const caps_amounts *amounts;
	caps_decision *decision;
	const caps_caveat *caveat;
	int64_t now;
	int64_t used, tat; /* of its row */
} counted;

static const uint8_t *cti_of(const counted *one)
{
	return one->token->links[one->caveat->link].cti.bytes;
}

static int load(counted *one, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(one->store->state,
		"SELECT used, tat FROM cap_counter WHERE cti = ?1 AND slot = ?2", &query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, cti_of(one), CAPS_CTI);
	state_bind_int(query, 2, one->caveat->slot);
	rc = state_row(query, err);
	one->used = rc > 0 ? state_int(query, 0) : 0;
	one->tat = rc > 0 ? state_int(query, 1) : 0;
	state_done(query);
	return rc < 0 ? rc : 0;
}

static int save(counted *one, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(one->store->state,
		"INSERT INTO cap_counter(cti, slot, used, leased, tat) VALUES (?1, ?2, ?3, 0, ?4)"
		" ON CONFLICT(cti, slot) DO UPDATE SET used = ?3, tat = ?4",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, cti_of(one), CAPS_CTI);
	state_bind_int(query, 2, one->caveat->slot);
	state_bind_int(query, 3, one->used);
	state_bind_int(query, 4, one->tat);
	return state_run(query, err);
}

static int deny(counted *one, hn_code code, const char *why, int64_t again, hn_error **err)
{
	caps_decision *decision = one->decision;

	decision->code = code;
	decision->link = one->caveat->link;
	decision->slot = one->caveat->slot;
	decision->caveat = one->caveat->id;
	decision->why = why;
	decision->allow_again = again;
	return base_error(err, code, CAPS_ROOM, NULL, "caveat %u of link %u: %s", one->caveat->id,
		one->caveat->link, why);
}

/* What an object holds already is not taken again. */
static int is_held(const counted *one, bool *held, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(one->store->state,
		"SELECT 1 FROM cap_hold WHERE object = ?1 AND cti = ?2 AND slot = ?3", &query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, one->amounts->object);
	state_bind_blob(query, 2, cti_of(one), CAPS_CTI);
	state_bind_int(query, 3, one->caveat->slot);
	rc = state_row(query, err);
	*held = rc > 0;
	state_done(query);
	return rc < 0 ? rc : 0;
}

static int hold(counted *one, uint64_t amount, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(one->store->state,
		"INSERT INTO cap_hold(object, cti, slot, amount) VALUES (?1, ?2, ?3, ?4)", &query,
		err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, one->amounts->object);
	state_bind_blob(query, 2, cti_of(one), CAPS_CTI);
	state_bind_int(query, 3, one->caveat->slot);
	state_bind_int(query, 4, (int64_t)amount);
	return state_run(query, err);
}

static int take_quota(counted *one, hn_error **err)
{
	caps_quota quota;
	uint64_t amount;
	bool holds, held = false;
	int rc = 0;

	if (!caps_quota_read(one->caveat, &quota) || quota.unit > 3)
		return deny(one, HN_EDENIED, "a quota of a kind that is not known", 0, err);
	holds = quota.unit >= 2 && one->amounts->object;
	amount = quota.unit == 0   ? 1
		 : quota.unit == 1 ? one->amounts->bytes
		 : quota.unit == 2 ? one->amounts->vcpus
				   : one->amounts->memory;
	/* nobody says how many bytes this moves: then it is none of them */
	if (quota.unit == 1 && amount == 0)
		return deny(one, HN_EQUOTA, "it does not count bytes", 0, err);
	if (amount > 0 && holds)
		rc = is_held(one, &held, err);
	if (rc < 0 || amount == 0 || held)
		return rc;
	if (amount > INT64_MAX || one->used < 0 || quota.amount < (uint64_t)one->used ||
		quota.amount - (uint64_t)one->used < amount)
		return deny(one, HN_EQUOTA, "the quota is used up", 0, err);
	one->used += (int64_t)amount;
	rc = save(one, err);
	return rc < 0 || !holds ? rc : hold(one, amount, err);
}

static int take_rate(counted *one, hn_error **err)
{
	caps_rate rate;
	int64_t step, slack, base;

	if (!caps_rate_read(one->caveat, &rate) || rate.count == 0)
		return deny(one, HN_EDENIED, "a rate that cannot be read", 0, err);
	if (__builtin_mul_overflow(rate.seconds, SECOND, &step) || step > SLACK_MOST)
		step = SLACK_MOST;
	step = rate.count > (uint64_t)step ? 0 : step / (int64_t)rate.count;
	if (__builtin_mul_overflow(rate.burst, step, &slack) || slack > SLACK_MOST)
		slack = SLACK_MOST;
	base = one->tat > one->now ? one->tat : one->now;
	/* A clock that was set back must not close the gate for longer than the burst lasts. */
	if (base - one->now > slack + step)
		base = one->now + slack + step;
	if (base - one->now > slack)
		return deny(one, HN_ERATE, "too often", (base - slack) / SECOND + 1, err);
	one->tat = base + step;
	return save(one, err);
}

int caps_store_count(caps_store *store, const caps_token *token, caps_decision *decision,
	const caps_amounts *amounts, int64_t now, hn_error **err)
{
	int rc = decision->counted_count > 0 ? state_begin(store->state, err) : 0;

	for (size_t i = 0; rc >= 0 && i < decision->counted_count; i++) {
		counted one = {.store = store,
			.token = token,
			.amounts = amounts,
			.decision = decision,
			.caveat = decision->counted[i],
			.now = now};

		rc = load(&one, err);
		if (rc >= 0)
			rc = one.caveat->id == CAPS_QUOTA ? take_quota(&one, err)
							  : take_rate(&one, err);
		if (rc < 0)
			state_rollback(store->state);
	}
	if (rc < 0 || decision->counted_count == 0)
		return rc;
	return state_commit(store->state, err);
}

int caps_hold_release(state_store *state, const char *object, hn_error **err)
{
	static const char *const steps[] = {
		"UPDATE cap_counter SET used = max(0, used - (SELECT amount FROM cap_hold h WHERE"
		" h.object = ?1 AND h.cti = cap_counter.cti AND h.slot = cap_counter.slot))"
		" WHERE (cti, slot) IN (SELECT cti, slot FROM cap_hold WHERE object = ?1)",
		"DELETE FROM cap_hold WHERE object = ?1",
	};
	int rc = state_begin(state, err);

	for (size_t i = 0; rc >= 0 && i < BASE_COUNT(steps); i++) {
		state_query *query = NULL;

		rc = state_find(state, steps[i], &query, err);
		if (rc >= 0) {
			state_bind_text(query, 1, object);
			rc = state_run(query, err);
		}
		if (rc < 0)
			state_rollback(state);
	}
	return rc < 0 ? rc : state_commit(state, err);
}
