/* SPDX-License-Identifier: MIT
 *
 * Quotas, rates, and what is held of an object, as rows of the store: what is counted, what is
 * refused and then changes nothing, and numbers at the ends of their range.
 */
#include "caps/audit.h"
#include "caps/store.h"
#include "decide-helper.h"
#include "store-helper.h"

#define NOW (T0 * OS_SECOND)

typedef struct lab {
	hn_os *os;
	state_store *state;
	caps_store *store;
	caps_token *token;
	caps_decision decision;
} lab;

static lab lab_new(const char *caveats)
{
	lab l = {.os = sim_new(0)};

	OK(crypto_open(err));
	OK(state_open(l.os, PATH, true, false, &l.state, err));
	OK(state_schema_apply(l.state, "audit", caps_audit_schema, caps_audit_schema_count, err));
	OK(state_schema_apply(l.state, "caps", caps_store_schema, caps_store_schema_count, err));
	OK(caps_store_open(l.state, &l.store, err));
	l.token = with(caveats);
	return l;
}

static void lab_free(lab *l)
{
	caps_token_free(l->token);
	caps_store_close(l->store);
	state_close(l->state);
	l->os = hn_os_sim_free(l->os);
}
#define LAB __attribute__((cleanup(lab_free))) lab

/* Every caveat of the token, as a decision that allows has them. */
static caps_decision *all_of(lab *l)
{
	caps_decision_begin(&l->decision);
	l->decision.counted_count = 0;
	for (size_t i = 0; i < l->token->caveat_count; i++)
		l->decision.counted[l->decision.counted_count++] = &l->token->caveats[i];
	return &l->decision;
}

static int count(lab *l, uint64_t bytes, int64_t now)
{
	return caps_store_count(l->store, l->token, all_of(l), bytes, now, NULL);
}

static int hold(lab *l, const caps_holding *asked)
{
	return caps_store_hold(l->store, l->token, all_of(l), asked, NULL);
}

static int64_t number_of(lab *l, const char *sql)
{
	state_query *query = NULL;
	int64_t number;

	OK(state_find(l->state, sql, &query, err));
	cr_assert_eq(state_row(query, NULL), 1, "%s", sql);
	number = state_int(query, 0);
	state_done(query);
	return number;
}

static int64_t rows(lab *l)
{
	return number_of(l, "SELECT count(*) FROM cap_counter");
}

/* The first caveat says this from now on: a row that no reader of tokens would have taken. */
static void damage(lab *l, const uint8_t *bytes, size_t size)
{
	l->token->caveats[0].raw = (caps_view){bytes, size};
}

/* --- quotas --- */

Test(quota, nothing_counted_is_no_row)
{
	LAB l = lab_new("\"reason\":4");

	caps_decision_begin(&l.decision);
	l.decision.counted_count = 0;
	OK(caps_store_count(l.store, l.token, &l.decision, 1, NOW, err));
	cr_expect_eq(rows(&l), 0);
}

Test(quota, uses_end_and_say_so)
{
	LAB l = lab_new("\"quota\":{\"uses\":3}");

	for (int i = 0; i < 3; i++)
		cr_assert_eq(count(&l, 0, NOW), 0);
	FAILS(HN_EQUOTA, caps_store_count(l.store, l.token, all_of(&l), 0, NOW, err));
	cr_expect_eq(l.decision.code, HN_EQUOTA);
	cr_expect_eq(l.decision.caveat, CAPS_QUOTA);
	cr_expect_eq(l.decision.link, 0);
	cr_expect_str_eq(l.decision.why, "the quota is used up");
	cr_expect_eq(l.decision.allow_again, 0, "waiting brings nothing back");
	cr_expect_eq(number_of(&l, "SELECT used FROM cap_counter"), 3);
}

Test(quota, bytes_are_counted_and_none_is_not_asked_for)
{
	LAB l = lab_new("\"quota\":{\"bytes\":100}");

	cr_assert_eq(count(&l, 60, NOW), 0);
	cr_expect_eq(count(&l, 41, NOW), HN_EQUOTA);
	cr_expect_eq(count(&l, 0, NOW), HN_EQUOTA);
	cr_expect_str_eq(l.decision.why, "it does not count bytes");
	cr_assert_eq(count(&l, 40, NOW), 0);
	cr_expect_eq(number_of(&l, "SELECT used FROM cap_counter"), 100);
}

Test(quota, more_than_a_row_can_say)
{
	LAB l = lab_new("\"quota\":{\"bytes\":100}");
	static const uint8_t most[] = {
		0x83, 0x0a, 1, 0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	damage(&l, most, sizeof(most));
	cr_expect_eq(count(&l, (uint64_t)INT64_MAX + 1, NOW), HN_EQUOTA);
	cr_expect_eq(rows(&l), 0);
	cr_assert_eq(count(&l, INT64_MAX, NOW), 0);
	cr_expect_eq(number_of(&l, "SELECT used FROM cap_counter"), INT64_MAX);
	OK(state_exec(l.state, "UPDATE cap_counter SET used = -1000", err));
	cr_expect_eq(count(&l, 1, NOW), HN_EQUOTA, "a row that was damaged");
}

/* Of who can write the file: nothing is given for it. */
Test(quota, a_row_that_was_damaged)
{
	LAB l = lab_new("\"quota\":{\"uses\":3}");

	cr_assert_eq(count(&l, 0, NOW), 0);
	OK(state_exec(l.state, "UPDATE cap_counter SET used = -1000", err));
	cr_expect_eq(count(&l, 0, NOW), HN_EQUOTA);
	OK(state_exec(l.state, "UPDATE cap_counter SET used = 4", err));
	cr_expect_eq(count(&l, 0, NOW), HN_EQUOTA, "more is used than there is");
	OK(state_exec(l.state, "UPDATE cap_counter SET used = 2", err));
	cr_expect_eq(count(&l, 0, NOW), 0);
}

Test(quota, of_a_kind_that_is_not_known)
{
	LAB l = lab_new("\"quota\":{\"uses\":3}");
	static const uint8_t fifth[] = {0x83, 0x0a, 4, 9}, cut[] = {0x83, 0x0a, 0};

	damage(&l, fifth, sizeof(fifth));
	cr_expect_eq(count(&l, 1, NOW), HN_EDENIED);
	cr_expect_str_eq(l.decision.why, "a quota of a kind that is not known");
	damage(&l, cut, sizeof(cut));
	cr_expect_eq(count(&l, 1, NOW), HN_EDENIED);
	cr_expect_not(caps_token_holds(l.token));
	cr_expect_eq(rows(&l), 0);
}

/* One of two is over: of the other nothing is taken. */
Test(quota, all_or_none)
{
	LAB l = lab_new("\"quota\":{\"uses\":2},\"rate\":{\"count\":1,\"per\":\"1h\"}");

	cr_assert_eq(count(&l, 0, NOW), 0);
	cr_expect_eq(count(&l, 0, NOW + 1), HN_ERATE);
	cr_expect_eq(number_of(&l, "SELECT max(used) FROM cap_counter"), 1);
	cr_expect_eq(count(&l, 0, NOW + 3600 * OS_SECOND), 0);
	cr_expect_eq(number_of(&l, "SELECT max(used) FROM cap_counter"), 2);
}

/* The row is needed until the link ends that has the caveat: with the links before it. */
Test(quota, ends_with_the_first_link_that_ends)
{
	LAB l = lab_new("\"quota\":{\"uses\":3}");

	l.token = link_of(l.token, "{\"quota\":{\"uses\":5},\"expires\":\"2026-01-02T00:00:00Z\"}");
	l.token = link_of(l.token, "{\"quota\":{\"uses\":7},\"expires\":\"2026-01-03T00:00:00Z\"}");
	cr_assert_eq(count(&l, 0, NOW), 0);
	cr_expect_eq(rows(&l), 3);
	cr_expect_eq(number_of(&l, "SELECT count(*) FROM cap_counter WHERE exp = 1767312000"), 2,
		"the second, and the third, which it takes with it");
	cr_expect_eq(number_of(&l, "SELECT max(exp) FROM cap_counter"), l.token->links[0].expires);
}

/* --- rates --- */

Test(rate, so_many_at_once_and_then_one_by_one)
{
	LAB l = lab_new("\"rate\":{\"count\":60,\"per\":\"1min\",\"burst\":2}");

	for (int i = 0; i < 3; i++)
		cr_assert_eq(count(&l, 0, NOW), 0, "%d", i);
	cr_expect_eq(count(&l, 0, NOW), HN_ERATE);
	cr_expect_str_eq(l.decision.why, "too often");
	cr_expect_eq(l.decision.allow_again, T0 + 2, "a second whose end is not cut off");
	cr_expect_eq(count(&l, 0, NOW + OS_SECOND), 0);
	cr_expect_eq(count(&l, 0, NOW + OS_SECOND), HN_ERATE);
}

/* The time that is kept lies in the future of a clock that was set back. */
Test(rate, a_clock_that_was_set_back)
{
	LAB l = lab_new("\"rate\":{\"count\":1,\"per\":\"10s\",\"burst\":1}");
	int64_t back = NOW - 86400 * OS_SECOND;

	for (int i = 0; i < 2; i++)
		cr_assert_eq(count(&l, 0, NOW), 0);
	cr_expect_eq(count(&l, 0, back), HN_ERATE);
	cr_expect_eq(l.decision.allow_again, T0 - 86400 + 11, "not a day later");
}

Test(rate, that_cannot_be_read)
{
	LAB l = lab_new("\"rate\":{\"count\":1,\"per\":\"10s\"}");
	static const uint8_t none[] = {0x84, 0x0b, 0, 10, 0}, cut[] = {0x83, 0x0b, 1, 10};

	damage(&l, none, sizeof(none));
	cr_expect_eq(count(&l, 0, NOW), HN_EDENIED, "none in ten seconds");
	damage(&l, cut, sizeof(cut));
	cr_expect_eq(count(&l, 0, NOW), HN_EDENIED);
	cr_expect_str_eq(l.decision.why, "a rate that cannot be read");
	cr_expect_eq(rows(&l), 0);
}

/* A token's reader takes none of these; the sums hold all the same. */
Test(rate, numbers_at_the_ends_of_their_range)
{
#define MOST 0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	static const uint8_t longest[] = {0x84, 0x0b, 1, MOST, MOST};
	static const uint8_t years[] = {0x84, 0x0b, 1, 0x1a, 0xff, 0xff, 0xff, 0xff, 0};
	static const uint8_t often[] = {0x84, 0x0b, MOST, 1, 0};
	static const uint8_t burst[] = {
		0x84, 0x0b, 1, 0x1a, 0, 1, 0x51, 0x80, 0x1a, 0, 1, 0xa0, 0xff};
	LAB l = lab_new("\"rate\":{\"count\":1,\"per\":\"10s\"}");

	damage(&l, longest, sizeof(longest));
	cr_expect_eq(count(&l, 0, NOW), 0);
	cr_expect_eq(count(&l, 0, NOW), 0, "the burst is as long as the time between two");
	cr_expect_eq(count(&l, 0, NOW), HN_ERATE);
	cr_expect_gt(number_of(&l, "SELECT tat FROM cap_counter"), NOW, "no sum has wrapped round");
	OK(state_exec(l.state, "DELETE FROM cap_counter", err));
	damage(&l, years, sizeof(years));
	cr_expect_eq(count(&l, 0, NOW), 0);
	cr_expect_eq(count(&l, 0, NOW), HN_ERATE);
	cr_expect_gt(l.decision.allow_again, T0 + INT64_C(70) * 365 * 86400);
	cr_expect_lt(l.decision.allow_again, T0 + INT64_C(75) * 365 * 86400, "the longest");
	OK(state_exec(l.state, "DELETE FROM cap_counter", err));
	damage(&l, burst, sizeof(burst));
	for (int i = 0; i < 100; i++)
		cr_assert_eq(count(&l, 0, NOW), 0);
	cr_expect_gt(number_of(&l, "SELECT tat FROM cap_counter"), NOW);
	OK(state_exec(l.state, "DELETE FROM cap_counter", err));
	damage(&l, often, sizeof(often));
	for (int i = 0; i < 100; i++)
		cr_assert_eq(count(&l, 0, NOW), 0, "more than one a nanosecond: all of them");
}

/* --- what is held --- */

Test(held, a_token_without_such_a_quota_holds_nothing)
{
	LAB l = lab_new("\"quota\":{\"uses\":3},\"reason\":4");
	const caps_holding asked = {.object = UNIT, .to = {4, 4096}};

	cr_expect_not(caps_token_holds(l.token));
	cr_expect_eq(hold(&l, &asked), 0);
	cr_expect_eq(caps_hold_any(l.state, UNIT, NULL), 0);
	cr_expect_eq(rows(&l), 0);
}

Test(held, is_what_is_above_what_is_there)
{
	LAB l = lab_new("\"quota\":{\"vcpus\":4}");
	caps_holding asked = {.object = UNIT, .from = {2}, .to = {4}};

	cr_expect(caps_token_holds(l.token));
	cr_assert_eq(hold(&l, &asked), 0);
	cr_expect_eq(number_of(&l, "SELECT used FROM cap_counter"), 2);
	cr_expect_eq(hold(&l, &asked), 0, "it is there already");
	cr_expect_eq(number_of(&l, "SELECT used FROM cap_counter"), 2);
	asked.to[0] = 7;
	cr_expect_eq(hold(&l, &asked), HN_EQUOTA);
	cr_expect_eq(number_of(&l, "SELECT sum(amount) FROM cap_hold"), 2);
	asked.to[0] = 6;
	cr_expect_eq(hold(&l, &asked), 0);
	cr_expect_eq(number_of(&l, "SELECT used FROM cap_counter"), 4);
}

/* Two caveats of a kind are charged with the same, not one after the other with what is left. */
Test(held, by_each_caveat_of_the_chain)
{
	LAB l = lab_new("\"quota\":{\"memory\":1000}");
	const caps_holding asked = {.object = UNIT, .to = {0, 300}, .whole = true};
	const caps_holding more = {.object = OTHER, .to = {0, 201}, .whole = true};

	l.token = link_of(l.token, "{\"quota\":{\"memory\":500}}");
	cr_assert_eq(hold(&l, &asked), 0);
	cr_expect_eq(number_of(&l, "SELECT count(*) FROM cap_counter WHERE used = 300"), 2);
	cr_expect_eq(hold(&l, &more), HN_EQUOTA);
	cr_expect_eq(l.decision.link, 1);
	cr_expect_eq(number_of(&l, "SELECT count(*) FROM cap_counter WHERE used = 300"), 2);
	cr_assert_eq(hold(&l, &asked), 0, "asked for anew it takes the place of what was held");
	cr_expect_eq(number_of(&l, "SELECT count(*) FROM cap_counter WHERE used = 300"), 2);
	cr_expect_eq(number_of(&l, "SELECT count(*) FROM cap_hold"), 2);
}

Test(held, goes_back_from_the_top)
{
	LAB l = lab_new("\"quota\":{\"vcpus\":8}");
	const caps_holding asked = {.object = UNIT, .to = {8}, .whole = true};
	static const uint64_t three[CAPS_HELD] = {3, 0}, endless[CAPS_HELD] = {UINT64_MAX, 0};

	cr_assert_eq(hold(&l, &asked), 0);
	OK(caps_hold_trim(l.state, UNIT, endless, err));
	cr_expect_eq(number_of(&l, "SELECT used FROM cap_counter"), 8, "nothing is above that");
	OK(caps_hold_trim(l.state, UNIT, three, err));
	cr_expect_eq(number_of(&l, "SELECT used FROM cap_counter"), 3);
	cr_expect_eq(caps_hold_any(l.state, UNIT, NULL), 1);
	cr_expect_eq(caps_hold_any(l.state, OTHER, NULL), 0);
	OK(caps_hold_release(l.state, UNIT, err));
	cr_expect_eq(number_of(&l, "SELECT used FROM cap_counter"), 0);
	cr_expect_eq(caps_hold_any(l.state, UNIT, NULL), 0);
}

Test(held, beside_quotas_that_are_not)
{
	LAB l = lab_new("\"quota\":{\"vcpus\":4}");
	const caps_holding asked = {.object = UNIT, .to = {4}, .whole = true};

	l.token = link_of(l.token, "{\"quota\":{\"uses\":1}}");
	cr_expect(caps_token_holds(l.token));
	cr_assert_eq(count(&l, 0, NOW), 0, "of those that are held nothing is used up by a call");
	cr_expect_eq(rows(&l), 1);
	cr_assert_eq(hold(&l, &asked), 0);
	cr_expect_eq(hold(&l, &asked), 0, "and the use is not counted by it");
	cr_expect_eq(count(&l, 0, NOW), HN_EQUOTA);
}

Test(held, without_its_tables)
{
	LAB l = lab_new("\"quota\":{\"vcpus\":4}");
	const caps_holding asked = {.object = UNIT, .to = {4}},
			   whole = {.object = UNIT, .to = {4}, .whole = true};

	OK(state_exec(l.state, "DROP TABLE cap_hold", err));
	cr_expect_lt(hold(&l, &asked), 0);
	cr_expect_lt(hold(&l, &whole), 0);
	cr_expect_lt(caps_hold_any(l.state, UNIT, NULL), 0);
	cr_expect_lt(caps_hold_release(l.state, UNIT, NULL), 0);
	cr_expect_eq(rows(&l), 0);
	cr_expect_not(state_in_transaction(l.state), "none is left open");
	OK(state_exec(l.state, "DROP TABLE cap_counter", err));
	cr_expect_lt(count(&l, 0, NOW), 0);
	cr_expect_not(state_in_transaction(l.state));
}
