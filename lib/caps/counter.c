/* SPDX-License-Identifier: MIT
 *
 * Quotas and rates: one row a caveat of a token, changed in the transaction of what uses them up,
 * so that neither a crash nor another thread can come between the effect and its count. Rates by
 * GCRA (ITU-T I.371): one time is kept, no window of past requests.
 *
 * Of quotas that are held, each object has the parts that it was made of: from a floor upwards, so
 * much, for this caveat. A part is charged to whoever asked for it, and goes from the top.
 */
#include "caps/store-private.h"

#define SECOND INT64_C(1000000000)
#define SLACK_MOST (INT64_MAX / 4) /* 73 years: sums of two and a time stay in range */

/* caps.md section 5, caveat 10 */
enum { QUOTA_USES, QUOTA_BYTES, QUOTA_VCPUS, QUOTA_MEMORY };
#define KIND(held) (QUOTA_VCPUS + (int)(held))

typedef struct counted {
	caps_store *store;
	const caps_token *token;
	caps_decision *decision;
	const caps_caveat *caveat;
	uint64_t bytes;
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

/* Nothing can be counted here once its link has ended. */
static int64_t end_of(const counted *one)
{
	int64_t end = CAPS_TIME_MAX;

	for (size_t i = 0; i <= one->caveat->link; i++)
		if (one->token->links[i].expires < end)
			end = one->token->links[i].expires;
	return end;
}

static int save(counted *one, hn_error **err)
{
	state_query *query = NULL;
	/* the later end: a holder chooses the number of a link that he makes, also one that is
	 * taken */
	int rc = state_find(one->store->state,
		"INSERT INTO cap_counter(cti, slot, used, leased, tat, exp)"
		" VALUES (?1, ?2, ?3, 0, ?4, ?5) ON CONFLICT(cti, slot) DO UPDATE"
		" SET used = ?3, tat = ?4, exp = max(exp, ?5)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_blob(query, 1, cti_of(one), CAPS_CTI);
	state_bind_int(query, 2, one->caveat->slot);
	state_bind_int(query, 3, one->used);
	state_bind_int(query, 4, one->tat);
	state_bind_int(query, 5, end_of(one));
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

/* Counts it, if there is so much left. */
static int use(counted *one, uint64_t most, uint64_t amount, hn_error **err)
{
	if (amount > INT64_MAX || one->used < 0 || most < (uint64_t)one->used ||
		most - (uint64_t)one->used < amount)
		return deny(one, HN_EQUOTA, "the quota is used up", 0, err);
	one->used += (int64_t)amount;
	return save(one, err);
}

static int take_quota(counted *one, hn_error **err)
{
	caps_quota quota;

	if (!caps_quota_read(one->caveat, &quota) || quota.unit > QUOTA_MEMORY)
		return deny(one, HN_EDENIED, "a quota of a kind that is not known", 0, err);
	if (quota.unit == QUOTA_USES)
		return use(one, quota.amount, 1, err);
	if (quota.unit != QUOTA_BYTES)
		return 0; /* held: caps_store_hold */
	/* nobody says how many bytes this moves: then it is none of them */
	if (one->bytes == 0)
		return deny(one, HN_EQUOTA, "it does not count bytes", 0, err);
	return use(one, quota.amount, one->bytes, err);
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

/* One caveat after the other, all or none. */
typedef int (*taking)(counted *one, void *arg, hn_error **err);

static int take_all(const counted *all, taking take, void *arg, hn_error **err)
{
	caps_decision *decision = all->decision;
	int rc = state_begin(all->store->state, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc >= 0 && i < decision->counted_count; i++) {
		counted one = *all;

		one.caveat = decision->counted[i];
		rc = load(&one, err);
		if (rc >= 0)
			rc = take(&one, arg, err);
	}
	if (rc >= 0)
		return state_commit(all->store->state, err);
	state_rollback(all->store->state);
	return rc;
}

static int take_one(counted *one, void *arg, hn_error **err)
{
	(void)arg;
	return one->caveat->id == CAPS_QUOTA ? take_quota(one, err) : take_rate(one, err);
}

int caps_store_count(caps_store *store, const caps_token *token, caps_decision *decision,
	uint64_t bytes, int64_t now, hn_error **err)
{
	counted all = {
		.store = store, .token = token, .decision = decision, .bytes = bytes, .now = now};

	return decision->counted_count > 0 ? take_all(&all, take_one, NULL, err) : 0;
}

/* --- what is held --- */

/* Which of the two, or -1. */
static int held_by(const caps_caveat *caveat)
{
	caps_quota quota;

	if (!caps_quota_read(caveat, &quota) || quota.unit < QUOTA_VCPUS ||
		quota.unit > QUOTA_MEMORY)
		return -1;
	return (int)quota.unit - QUOTA_VCPUS;
}

bool caps_token_holds(const caps_token *token)
{
	for (size_t i = 0; i < token->caveat_count; i++)
		if (held_by(&token->caveats[i]) >= 0)
			return true;
	return false;
}

/* A statement about an object and a kind: ?1 and ?2, ?3 what is left. */
static int about(state_store *state, const char *sql, const char *object, int kind, uint64_t most,
	state_query **query, hn_error **err)
{
	int rc = state_find(state, sql, query, err);

	if (rc < 0)
		return rc;
	state_bind_text(*query, 1, object);
	state_bind_int(*query, 2, kind);
	state_bind_int(*query, 3, most > INT64_MAX ? INT64_MAX : (int64_t)most);
	return 0;
}

#define OF_KIND "object = ?1 AND kind = ?2 AND floor + amount > ?3"

static int trim(state_store *state, const char *object, int kind, uint64_t most, hn_error **err)
{
	static const char *const steps[] = {
		("UPDATE cap_counter SET used = max(0, used -"
		 " (SELECT sum(amount - max(0, ?3 - floor)) FROM cap_hold h WHERE " OF_KIND
		 " AND h.cti = cap_counter.cti AND h.slot = cap_counter.slot))"
		 " WHERE (cti, slot) IN (SELECT cti, slot FROM cap_hold WHERE " OF_KIND ")"),
		("DELETE FROM cap_hold WHERE " OF_KIND " AND floor >= ?3"),
		("UPDATE cap_hold SET amount = ?3 - floor WHERE " OF_KIND),
	};
	int rc = state_begin(state, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc >= 0 && i < BASE_COUNT(steps); i++) {
		state_query *query = NULL;

		rc = about(state, steps[i], object, kind, most, &query, err);
		if (rc >= 0)
			rc = state_run(query, err);
	}
	if (rc >= 0)
		return state_commit(state, err);
	state_rollback(state);
	return rc;
}

/* How far what is held of an object reaches. */
static int reach(state_store *state, const char *object, int kind, uint64_t *top, hn_error **err)
{
	state_query *query = NULL;
	int rc = about(state, "SELECT max(floor + amount) FROM cap_hold WHERE " OF_KIND, object,
		kind, 0, &query, err);

	if (rc < 0)
		return rc;
	rc = state_row(query, err);
	*top = rc > 0 && !state_is_null(query, 0) ? (uint64_t)state_int(query, 0) : 0;
	state_done(query);
	return rc < 0 ? rc : 0;
}

typedef struct holding {
	caps_holding asked; /* from: above what anybody holds */
	bool looked[CAPS_HELD];
} holding;

/* Before the first caveat of this kind: later ones of the same token are charged with the same. */
static int look(counted *one, holding *all, int held, hn_error **err)
{
	state_store *state = one->store->state;
	uint64_t top = 0;
	int rc;

	if (all->looked[held])
		return 0;
	all->looked[held] = true;
	if (all->asked.whole) {
		all->asked.from[held] = 0;
		rc = trim(state, all->asked.object, KIND(held), 0, err);
	} else {
		rc = reach(state, all->asked.object, KIND(held), &top, err);
		if (top > all->asked.from[held])
			all->asked.from[held] = top;
	}
	/* what was given back may have been its own */
	return rc < 0 ? rc : load(one, err);
}

static int add_part(const counted *one, const caps_holding *asked, int held, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(one->store->state,
		"INSERT INTO cap_hold(object, kind, floor, cti, slot, amount)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		&query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, asked->object);
	state_bind_int(query, 2, KIND(held));
	state_bind_int(query, 3, (int64_t)asked->from[held]);
	state_bind_blob(query, 4, cti_of(one), CAPS_CTI);
	state_bind_int(query, 5, one->caveat->slot);
	state_bind_int(query, 6, (int64_t)(asked->to[held] - asked->from[held]));
	return state_run(query, err);
}

static int take_held(counted *one, void *arg, hn_error **err)
{
	holding *all = arg;
	caps_holding *asked = &all->asked;
	int held = held_by(one->caveat), rc;
	caps_quota quota;

	if (held < 0)
		return 0;
	rc = look(one, all, held, err);
	if (rc < 0 || asked->to[held] <= asked->from[held] || !caps_quota_read(one->caveat, &quota))
		return rc;
	rc = use(one, quota.amount, asked->to[held] - asked->from[held], err);
	return rc < 0 ? rc : add_part(one, asked, held, err);
}

int caps_store_hold(caps_store *store, const caps_token *token, caps_decision *decision,
	const caps_holding *asked, hn_error **err)
{
	counted all = {.store = store, .token = token, .decision = decision};
	holding arg = {.asked = *asked};

	return take_all(&all, take_held, &arg, err);
}

int caps_hold_any(state_store *state, const char *object, hn_error **err)
{
	state_query *query = NULL;
	int rc = state_find(state, "SELECT 1 FROM cap_hold WHERE object = ?1 LIMIT 1", &query, err);

	if (rc < 0)
		return rc;
	state_bind_text(query, 1, object);
	rc = state_row(query, err);
	state_done(query);
	return rc;
}

int caps_hold_trim(
	state_store *state, const char *object, const uint64_t most[CAPS_HELD], hn_error **err)
{
	int rc = 0;

	for (int i = 0; rc >= 0 && i < CAPS_HELD; i++)
		rc = trim(state, object, KIND(i), most[i], err);
	return rc;
}

int caps_hold_release(state_store *state, const char *object, hn_error **err)
{
	static const uint64_t none[CAPS_HELD];

	return caps_hold_trim(state, object, none, err);
}
