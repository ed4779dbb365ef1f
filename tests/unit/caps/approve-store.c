/* SPDX-License-Identifier: MIT
 *
 * Requests for approval and approvals as they are kept: how many, whose, of which boot, and rows
 * that somebody has changed.
 */
#include "caps/approve.h"
#include "caps/audit.h"
#include "store-helper.h"

#define T0 INT64_C(1767225600)

static hn_os *os;
static state_store *state;
static caps_store *store;
static const caps_instant now = {T0, 100, "boot-1"};
static const uint8_t seeds[3][32] = {{1}, {2}, {3}};

static void init(void)
{
	OK(crypto_open(err));
	os = sim_new(0);
	OK(state_open(os, PATH, true, false, &state, err));
	OK(state_schema_apply(state, "caps", caps_store_schema, caps_store_schema_count, err));
	OK(state_schema_apply(state, "audit", caps_audit_schema, caps_audit_schema_count, err));
	OK(caps_store_open(state, &store, err));
}

static void fini(void)
{
	caps_store_close(store);
	state_close(state);
	hn_os_sim_free(os);
}

TestSuite(approve_store, .init = init, .fini = fini, .timeout = 120);

static caps_view view_of(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

/* Asked by this subject; `number` is a name in the call, so that each is another use. */
static caps_ask *asked(caps_ask_kind kind, const char *subject, int number)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	caps_ask from = {.kind = kind,
		.id = {(uint8_t)number, (uint8_t)(number >> 8)},
		.subject = view_of(subject),
		.patterns = {view_of("unit/a")},
		.pattern_count = 1,
		.ttl = 900,
		.made = T0,
		.until = T0 + 900,
		.reason = view_of("all is down"),
		.cluster = view_of("lab")};
	caps_call call = {0};
	caps_ask *ask = NULL;
	char name[16];

	(void)snprintf(name, sizeof(name), "n%d", number);
	caps_mask_add(&from.mask, HN_VERB_UNIT_START);
	caps_call_text(&call, "name", name);
	if (kind == CAPS_ASK_USE)
		OK(caps_call_finish(&call, HN_VERB_UNIT_START, "unit/a", err));
	else
		OK(caps_call_finish(&call, HN_VERB_BREAKGLASS_ACTIVATE, "node/lab", err));
	from.call = caps_call_view(&call);
	OK(caps_ask_write(&from, &bytes, err));
	OK(caps_ask_read(bytes.data, bytes.size, &ask, err));
	caps_call_free(&call);
	return ask;
}

/* Put, and its hash kept. */
static int put(caps_ask_kind kind, const char *subject, int number, uint8_t hash[32])
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = asked(kind, subject, number);

	if (hash != NULL)
		memcpy(hash, ask->hash, 32);
	return caps_ask_put(store, ask, (caps_view){0}, &now, NULL);
}

static int64_t rows(void)
{
	state_query *query = NULL;
	int64_t count;

	OK(state_find(state, "SELECT count(*) FROM cap_request", &query, err));
	OK(state_row(query, err));
	count = state_int(query, 0);
	state_done(query);
	return count;
}

Test(approve_store, so_many_of_one_and_so_many_of_all)
{
	const int most = (int)base_limit(BASE_LIMIT_REQUESTS);
	char subject[16];
	int kept = 0;

	for (; kept < 64; kept++)
		cr_assert_eq(put(CAPS_ASK_USE, "alice", kept, NULL), 0, "%d", kept);
	cr_expect_eq(put(CAPS_ASK_USE, "alice", kept, NULL), HN_ELIMIT);
	cr_expect_eq(rows(), 64, "nothing is left of it");
	for (; kept < most; kept++) {
		(void)snprintf(subject, sizeof(subject), "s%d", kept / 64);
		cr_assert_eq(put(CAPS_ASK_USE, subject, kept, NULL), 0, "%d", kept);
	}
	cr_expect_eq(put(CAPS_ASK_USE, "bo", kept, NULL), HN_ELIMIT);
	cr_expect_eq(put(CAPS_ASK_BREAKGLASS, "outage", kept, NULL), 0, "uses leave room for it");
	for (int i = 1; i < 66; i++)
		cr_assert_eq(put(CAPS_ASK_BREAKGLASS, "outage", kept + i, NULL), 0,
			"64 are the bound of uses alone");
}

static caps_asked *found(const uint8_t hash[32], const caps_instant *at, int code)
{
	caps_asked *one = NULL;

	cr_expect_eq(caps_ask_find(store, hash, at, &one, NULL), code);
	cr_expect_eq(code < 0, one == NULL);
	return one;
}

Test(approve_store, of_which_boot_it_is)
{
	static const struct {
		const char *boot_id;
		bool same;
	} boots[] = {{"boot-1", true}, {"boot-2", false}, {"boot-", false}, {"", false}};
	uint8_t hash[32], none[32] = {1};

	cr_assert_eq(put(CAPS_ASK_USE, "alice", 1, hash), 0);
	for (size_t i = 0; i < BASE_COUNT(boots); i++) {
		const caps_instant then = {T0 + 1, 200, boots[i].boot_id};
		BASE_AUTO_OF(caps_asked) caps_asked *one = found(hash, &then, 0);

		cr_assert_not_null(one);
		cr_expect_eq(one->this_boot, boots[i].same, "%zu", i);
		cr_expect(one->state == CAPS_ASK_OPEN && one->boot == 100);
	}
	found(none, &now, HN_ENOENT);
	OK(state_exec(state, "UPDATE cap_request SET boot_id = ''", err));
	BASE_AUTO_OF(caps_asked) caps_asked *unknown = found(hash, &now, 0);
	cr_assert_not_null(unknown);
	cr_expect_not(unknown->this_boot, "nobody knows");
}

Test(approve_store, is_used_once)
{
	static const uint8_t session[8] = {7}, another[8] = {8};
	BASE_AUTO_OF(caps_ask) caps_ask *ask = asked(CAPS_ASK_USE, "alice", 1);
	uint8_t hash[32] = {0};

	OK(caps_ask_put(store, ask, (caps_view){0}, &now, err));
	cr_expect_eq(caps_ask_for(store, ask->subject, ask->params, T0, NULL, hash, NULL), 1);
	cr_expect_arr_eq(hash, ask->hash, 32);
	cr_expect_eq(caps_ask_for(store, ask->subject, ask->params, T0 + 900, NULL, hash, NULL), 0);
	OK(caps_ask_use(store, ask->hash, session, err));
	FAILS(HN_EAPPROVAL, caps_ask_use(store, ask->hash, another, err));
	cr_expect_eq(caps_ask_for(store, ask->subject, ask->params, T0, NULL, hash, NULL), 0);
	cr_expect_eq(caps_ask_for(store, ask->subject, ask->params, T0, another, hash, NULL), 0);
	cr_expect_eq(caps_ask_for(store, ask->subject, ask->params, T0, session, hash, NULL), 1);
	BASE_AUTO_OF(caps_asked) caps_asked *one = found(ask->hash, &now, 0);
	cr_assert_not_null(one);
	cr_expect_eq(one->state, CAPS_ASK_USED);
	cr_expect_arr_eq(one->session, session, 8);
}

Test(approve_store, only_break_glass_that_waits_is_cancelled)
{
	uint8_t use[32], glass[32];

	cr_assert_eq(put(CAPS_ASK_USE, "alice", 1, use), 0);
	cr_assert_eq(put(CAPS_ASK_BREAKGLASS, "outage", 2, glass), 0);
	FAILS(HN_ENOENT, caps_ask_cancel(store, use, err));
	OK(caps_ask_cancel(store, glass, err));
	FAILS(HN_ENOENT, caps_ask_cancel(store, glass, err));
	BASE_AUTO_OF(caps_asked) caps_asked *one = found(glass, &now, 0);
	cr_assert_not_null(one);
	cr_expect_eq(one->state, CAPS_ASK_CANCELLED);
}

/* --- rows that another hand has changed --- */

static int count_one(void *arg, const caps_ask *ask, uint64_t approvals)
{
	(void)ask, (void)approvals;
	++*(int *)arg;
	return 0;
}

Test(approve_store, a_row_that_is_no_request_is_corrupt)
{
	BASE_AUTO_OF(caps_ask) caps_ask *ask = asked(CAPS_ASK_USE, "alice", 1);
	uint8_t hash[32] = {42};
	int told = 0;

	OK(caps_ask_put(store, ask, (caps_view){0}, &now, err));
	cr_expect_eq(caps_ask_each(store, T0, count_one, &told, NULL), 0);
	cr_expect_eq(told, 1);
	OK(state_exec(state, "UPDATE cap_request SET body = x'a0'", err));
	found(ask->hash, &now, HN_ECORRUPT);
	cr_expect_lt(caps_ask_each(store, T0, count_one, &told, NULL), 0);
	cr_expect_eq(told, 1);
	OK(state_exec(state, "UPDATE cap_request SET hash = x'00'", err));
	FAILS(HN_ECORRUPT, caps_ask_for(store, ask->subject, ask->params, T0, NULL, hash, err));
	cr_expect_eq(hash[0], 42, "untouched");
}

/* --- votes --- */

static void approve(const uint8_t hash[32], int who, int64_t when)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	caps_approval approval;
	uint8_t key[32];

	crypto_ed25519_public(seeds[who], key);
	OK(caps_approval_sign(hash, seeds[who], when, &bytes, err));
	OK(caps_approval_read(bytes.data, bytes.size, &approval, err));
	OK(caps_approval_put(store, &approval, key, view_of("somebody"), err));
}

static size_t votes_in(const uint8_t hash[32], const caps_keyset *keyset, int64_t from, int64_t to)
{
	caps_votes votes = {0};

	OK(caps_approval_votes(store, hash, keyset, from, to, &votes, err));
	return votes.count;
}

Test(approve_store, only_what_holds_is_a_vote)
{
	caps_keyset keyset = {.count = 2};
	uint8_t hash[32], other[32] = {1};

	keyset.entries[0].person = view_of("alice");
	keyset.entries[1].person = view_of("bo");
	for (int i = 0; i < 2; i++)
		crypto_ed25519_public(seeds[i], keyset.entries[i].key);
	OK(caps_keyset_finish(&keyset, err));
	cr_assert_eq(put(CAPS_ASK_USE, "alice", 1, hash), 0);
	approve(hash, 0, T0 + 10);
	approve(hash, 1, T0 + 20);
	approve(hash, 2, T0 + 15); /* of nobody in the keyset */
	cr_expect_eq(votes_in(hash, &keyset, T0, T0 + 100), 2);
	cr_expect_eq(votes_in(hash, &keyset, T0 + 10, T0 + 20), 2);
	cr_expect_eq(votes_in(hash, &keyset, T0 + 11, T0 + 20), 1);
	cr_expect_eq(votes_in(hash, &keyset, T0 + 10, T0 + 19), 1);
	approve(hash, 0, T0 + 50); /* in place of the older one */
	cr_expect_eq(votes_in(hash, &keyset, T0, T0 + 49), 1);
	/* rows of another request, and of no approval at all */
	approve(other, 0, T0 + 50);
	cr_expect_eq(votes_in(other, &keyset, T0, T0 + 100), 1);
	OK(state_exec(state, "DELETE FROM cap_approval WHERE hash = (SELECT hash FROM cap_request)",
		err));
	OK(state_exec(state, "UPDATE cap_approval SET hash = (SELECT hash FROM cap_request)", err));
	cr_expect_eq(votes_in(hash, &keyset, T0, T0 + 100), 0, "it is signed for another");
	OK(state_exec(state, "UPDATE cap_approval SET cose = x'00'", err));
	cr_expect_eq(votes_in(hash, &keyset, T0, T0 + 100), 0);
}
