/* SPDX-License-Identifier: MIT
 *
 * Break-glass as it is kept: which one is active, by both clocks and this boot, what ends it, who
 * is told, and rows that were damaged.
 */
#include "caps/audit.h"
#include "caps/breakglass.h"
#include "store-helper.h"

#define T0 (WALL / OS_SECOND)

typedef struct lab {
	hn_os *os;
	state_store *state;
	caps_store *store;
	caps_instant now;
	caps_ask *asks[2];
} lab;

static caps_view view_of(const char *text)
{
	return (caps_view){(const uint8_t *)text, strlen(text)};
}

static caps_ask *ask_of(uint8_t id)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	caps_ask *made = NULL;
	caps_call call = {0};
	caps_ask ask = {.kind = CAPS_ASK_BREAKGLASS,
		.id = {id},
		.subject = view_of("outage"),
		.patterns = {view_of("unit/**"), view_of("node/lab")},
		.pattern_count = 2,
		.ttl = 600,
		.made = T0,
		.until = T0 + 900,
		.reason = view_of("all is down"),
		.cluster = view_of("lab")};

	caps_mask_add(&ask.mask, HN_VERB_UNIT_START);
	caps_mask_add(&ask.mask, HN_VERB_UNIT_READ);
	caps_call_text(&call, "name", "outage");
	OK(caps_call_finish(&call, HN_VERB_BREAKGLASS_ACTIVATE, "node/lab", err));
	ask.call = caps_call_view(&call);
	OK(caps_ask_write(&ask, &bytes, err));
	OK(caps_ask_read(bytes.data, bytes.size, &made, err));
	caps_call_free(&call);
	return made;
}

static lab lab_new(void)
{
	lab l = {.os = sim_new(0), .now = {.wall = T0, .boot = OS_SECOND, .boot_id = "this"}};

	OK(crypto_open(err));
	OK(state_open(l.os, PATH, true, false, &l.state, err));
	OK(state_schema_apply(l.state, "audit", caps_audit_schema, caps_audit_schema_count, err));
	OK(state_schema_apply(l.state, "caps", caps_store_schema, caps_store_schema_count, err));
	OK(caps_store_open(l.state, &l.store, err));
	for (uint8_t i = 0; i < 2; i++)
		l.asks[i] = ask_of(i);
	return l;
}

static void lab_free(lab *l)
{
	for (size_t i = 0; i < 2; i++)
		caps_ask_free(l->asks[i]);
	caps_store_close(l->store);
	state_close(l->state);
	l->os = hn_os_sim_free(l->os);
}
#define LAB __attribute__((cleanup(lab_free))) lab

static uint64_t activate(lab *l, size_t which)
{
	uint64_t number = 0;

	OK(caps_glass_put(l->store, l->asks[which], 600, "alice bo", &l->now, &number, err));
	return number;
}

static int current(lab *l)
{
	BASE_AUTO_OF(caps_glass) caps_glass *glass = NULL;
	int rc = caps_glass_current(l->store, &l->now, &glass, NULL);

	cr_expect_eq(glass != NULL, rc == 1);
	return rc;
}

static int64_t rows(lab *l)
{
	state_query *query = NULL;
	int64_t number;

	OK(state_find(l->state, "SELECT count(*) FROM cap_breakglass", &query, err));
	cr_assert_eq(state_row(query, NULL), 1);
	number = state_int(query, 0);
	state_done(query);
	return number;
}

/* --- active --- */

Test(glass, is_active_in_its_time_by_both_clocks)
{
	LAB l = lab_new();

	cr_expect_eq(current(&l), 0);
	(void)activate(&l, 0);
	cr_expect_eq(current(&l), 1);
	l.now.wall = T0 + 599;
	l.now.boot = 600 * OS_SECOND;
	cr_expect_eq(current(&l), 1, "to its last second");
	l.now.boot = 601 * OS_SECOND;
	cr_expect_eq(current(&l), 0, "a clock that was set back does not make it longer");
	l.now.boot = OS_SECOND;
	l.now.wall = T0 + 600;
	cr_expect_eq(current(&l), 0);
}

Test(glass, ends_with_the_boot)
{
	LAB l = lab_new();

	(void)activate(&l, 0);
	l.now.boot_id = "that";
	cr_expect_eq(current(&l), 0);
	l.now.boot_id = "";
	cr_expect_eq(current(&l), 0, "nor where it is not known which boot it is");
}

Test(glass, of_a_boot_that_is_not_known_is_never_active)
{
	LAB l = lab_new();

	l.now.boot_id = "";
	(void)activate(&l, 0);
	cr_expect_eq(current(&l), 0);
}

Test(glass, only_one_at_a_time_and_each_request_once)
{
	LAB l = lab_new();
	BASE_AUTO_OF(hn_error) hn_error *why = NULL;
	uint64_t number = 77, first = activate(&l, 0);

	cr_assert_eq(caps_glass_put(l.store, l.asks[1], 600, "", &l.now, &number, &why), HN_EBUSY);
	cr_expect_not_null(strstr(hn_error_hint(why), "hv-cap break-glass end"));
	cr_expect_eq(number, 77);
	OK(caps_glass_end(l.store, first, T0 + 5, "by hand", err));
	FAILS(HN_EEXIST, caps_glass_put(l.store, l.asks[0], 600, "", &l.now, &number, err));
	cr_expect_eq(number, 77);
	cr_expect_eq(rows(&l), 1);
	cr_expect_gt(activate(&l, 1), first);
}

/* --- what is on record of it --- */

Test(glass, comes_back_as_it_was)
{
	LAB l = lab_new();
	BASE_AUTO_OF(caps_glass) caps_glass *glass = NULL, *after = NULL;
	uint64_t number = activate(&l, 0);

	OK(caps_glass_find(l.store, number, &l.now, &glass, err));
	cr_expect_eq(glass->number, number);
	cr_expect_arr_eq(glass->ask->hash, l.asks[0]->hash, 32);
	cr_expect(glass->made == T0 && glass->until == T0 + 600 && glass->this_boot);
	cr_expect_eq(glass->until_boot, 601 * OS_SECOND);
	cr_expect_str_eq(glass->persons, "alice bo");
	cr_expect(glass->ended == 0 && glass->reviewed == 0 && !glass->why && !glass->reviewer);
	OK(caps_glass_end(l.store, number, T0 + 5, "by hand", err));
	OK(caps_glass_end(l.store, number, T0 + 6, "again", err));
	OK(caps_glass_review(l.store, number, T0 + 7, "carol", err));
	OK(caps_glass_find(l.store, number, &l.now, &after, err));
	cr_expect_eq(after->ended, T0 + 5, "the first end is its end");
	cr_expect_str_eq(after->why, "by hand");
	cr_expect_eq(after->reviewed, T0 + 7);
	cr_expect_str_eq(after->reviewer, "carol");
	cr_expect_not(caps_glass_active(after, &l.now));
}

Test(glass, is_reviewed_once)
{
	LAB l = lab_new();
	uint64_t number = activate(&l, 0);

	OK(caps_glass_review(l.store, number, T0, "carol", err));
	FAILS(HN_ECONFLICT, caps_glass_review(l.store, number, T0 + 1, "dan", err));
	FAILS(HN_ECONFLICT, caps_glass_review(l.store, number + 1, T0, "dan", err));
}

Test(glass, that_was_never_there)
{
	LAB l = lab_new();
	caps_glass *glass = NULL;

	FAILS(HN_ENOENT, caps_glass_find(l.store, 1, &l.now, &glass, err));
	cr_expect_null(glass);
}

static int see(void *arg, const caps_glass *glass)
{
	uint64_t *seen = arg;

	seen[1 + seen[0]++] = glass->number;
	return seen[0] == seen[3] ? 7 : 0;
}

Test(glass, each_newest_first_until_told_to_stop)
{
	LAB l = lab_new();
	uint64_t first = activate(&l, 0), second, seen[4] = {0};

	OK(caps_glass_end(l.store, first, T0, "by hand", err));
	second = activate(&l, 1);
	cr_expect_eq(caps_glass_each(l.store, &l.now, see, seen, NULL), 0);
	cr_expect(seen[0] == 2 && seen[1] == second && seen[2] == first);
	memset(seen, 0, sizeof(seen));
	seen[3] = 1;
	cr_expect_eq(caps_glass_each(l.store, &l.now, see, seen, NULL), 7);
	cr_expect_eq(seen[0], 1);
}

/* --- when it is over --- */

Test(glass, expires_and_is_told_of_each_hour_until_it_is_reviewed)
{
	LAB l = lab_new();
	BASE_AUTO_OF(caps_glass) caps_glass *glass = NULL;
	uint64_t number = activate(&l, 0);

	cr_expect_eq(caps_glass_due(l.state, &l.now, NULL), 0);
	cr_expect_eq(caps_glass_expire(l.state, &l.now, NULL), 0);
	l.now.wall = T0 + 700;
	cr_expect_eq(caps_glass_due(l.state, &l.now, NULL), 1);
	cr_expect_eq(caps_glass_expire(l.state, &l.now, NULL), 1);
	cr_expect_eq(caps_glass_expire(l.state, &l.now, NULL), 0);
	OK(caps_glass_find(l.store, number, &l.now, &glass, err));
	cr_expect_str_eq(glass->why, "expired");
	cr_expect_eq(glass->ended, T0 + 600);
	cr_expect_eq(caps_glass_alarm(l.state, &l.now, NULL), 1);
	cr_expect_eq(caps_glass_alarm(l.state, &l.now, NULL), 0);
	cr_expect_eq(caps_glass_due(l.state, &l.now, NULL), 0);
	l.now.wall += 3599;
	cr_expect_eq(caps_glass_due(l.state, &l.now, NULL), 0);
	l.now.wall += 1;
	cr_expect_eq(caps_glass_due(l.state, &l.now, NULL), 1);
	OK(caps_glass_review(l.store, number, l.now.wall, "carol", err));
	cr_expect_eq(caps_glass_due(l.state, &l.now, NULL), 0);
	cr_expect_eq(caps_glass_alarm(l.state, &l.now, NULL), 0);
}

Test(glass, of_another_boot_has_ended_when_that_did)
{
	LAB l = lab_new();
	BASE_AUTO_OF(caps_glass) caps_glass *glass = NULL;
	uint64_t number = activate(&l, 0);

	l.now.boot_id = "that";
	l.now.wall = T0 + 60;
	cr_expect_eq(caps_glass_expire(l.state, &l.now, NULL), 1);
	OK(caps_glass_find(l.store, number, &l.now, &glass, err));
	cr_expect_eq(glass->ended, T0 + 60, "now, not when it would have");
	cr_expect_not(glass->this_boot);
}

/* --- rows that were damaged --- */

Test(glass, whose_request_was_damaged)
{
	LAB l = lab_new();
	uint64_t number = activate(&l, 0), seen[4] = {0};
	caps_glass *glass = NULL;

	OK(state_exec(l.state, "UPDATE cap_breakglass SET body = x'00'", err));
	FAILS(HN_ECORRUPT, caps_glass_find(l.store, number, &l.now, &glass, err));
	FAILS(HN_ECORRUPT, caps_glass_current(l.store, &l.now, &glass, err));
	FAILS(HN_ECORRUPT, caps_glass_each(l.store, &l.now, see, seen, err));
	FAILS(HN_ECORRUPT,
		caps_glass_put(l.store, l.asks[1], 600, "", &l.now, &(uint64_t){0}, err));
	cr_expect_null(glass);
	cr_expect_eq(seen[0], 0);
	cr_expect_eq(rows(&l), 1, "while nobody knows what is active, nothing is activated");
}

Test(glass, without_its_table)
{
	LAB l = lab_new();
	uint64_t number = 77;
	caps_glass *glass = NULL;

	OK(state_exec(l.state, "DROP TABLE cap_breakglass", err));
	cr_expect_lt(caps_glass_put(l.store, l.asks[0], 600, "", &l.now, &number, NULL), 0);
	cr_expect_lt(caps_glass_find(l.store, 1, &l.now, &glass, NULL), 0);
	cr_expect_lt(caps_glass_each(l.store, &l.now, see, NULL, NULL), 0);
	cr_expect_lt(caps_glass_end(l.store, 1, T0, "", NULL), 0);
	cr_expect_lt(caps_glass_review(l.store, 1, T0, "", NULL), 0);
	cr_expect_lt(caps_glass_due(l.state, &l.now, NULL), 0);
	cr_expect_lt(caps_glass_expire(l.state, &l.now, NULL), 0);
	cr_expect_lt(caps_glass_alarm(l.state, &l.now, NULL), 0);
	cr_expect_eq(number, 77);
	cr_expect_null(glass);
}

/* --- what it reaches --- */

static caps_preset preset_of(const char *pattern)
{
	caps_preset preset = {.name = view_of("outage"),
		.patterns = {view_of("pool/*"), view_of(pattern)},
		.pattern_count = 2,
		.threshold = 2,
		.max_ttl = 600};

	caps_mask_add(&preset.mask, HN_VERB_UNIT_START);
	caps_mask_add(&preset.mask, HN_VERB_UNIT_READ);
	return preset;
}

Test(reach, a_preset_gives_by_verb_and_object)
{
	caps_preset preset = preset_of("unit/web/*");

	cr_expect(caps_preset_gives(&preset, HN_VERB_UNIT_START, "unit/web/a"));
	cr_expect(caps_preset_gives(&preset, HN_VERB_UNIT_READ, "pool/a"));
	cr_expect_not(caps_preset_gives(&preset, HN_VERB_UNIT_START, "unit/db/a"));
	cr_expect_not(caps_preset_gives(&preset, HN_VERB_UNIT_STOP, "unit/web/a"));
	caps_mask_add(&preset.mask, HN_VERB_TRUST_UPDATE);
	cr_expect_not(caps_preset_gives(&preset, HN_VERB_TRUST_UPDATE, "unit/web/a"),
		"a preset cannot give what break-glass never reaches");
	preset.pattern_count = 0;
	cr_expect_not(caps_preset_gives(&preset, HN_VERB_UNIT_START, "unit/web/a"));
}

Test(reach, of_an_open_one)
{
	LAB l = lab_new();
	caps_ask ask = *l.asks[0];

	cr_expect(caps_breakglass_allows(&ask, HN_VERB_UNIT_START, "unit/a"));
	cr_expect_not(caps_breakglass_allows(&ask, HN_VERB_UNIT_START, "pool/a"));
	cr_expect_not(caps_breakglass_allows(&ask, HN_VERB_UNIT_STOP, "unit/a"));
	caps_mask_add(&ask.mask, HN_VERB_KEY_ROTATE);
	cr_expect_not(caps_breakglass_allows(&ask, HN_VERB_KEY_ROTATE, "unit/a"));
	ask.kind = CAPS_ASK_DRILL;
	cr_expect(caps_breakglass_allows(&ask, HN_VERB_UNIT_READ, "unit/a"));
	cr_expect_not(caps_breakglass_allows(&ask, HN_VERB_UNIT_START, "unit/a"));
}

static void refused(const caps_ask *ask, const caps_preset *preset, const char *why)
{
	const char *said = caps_breakglass_refuses(ask, preset);

	cr_assert_not_null(said, "%s", why);
	cr_expect_str_eq(said, why);
}

Test(reach, no_request_goes_beyond_its_preset)
{
	LAB l = lab_new();
	caps_preset preset = preset_of("unit/**");
	caps_ask ask = *l.asks[0];

	ask.pattern_count = 1;
	cr_expect_null(caps_breakglass_refuses(&ask, &preset));
	ask.kind = CAPS_ASK_DRILL;
	cr_expect_null(caps_breakglass_refuses(&ask, &preset));
	ask.kind = CAPS_ASK_USE;
	refused(&ask, &preset, "it is not a request for break-glass");
	ask.kind = CAPS_ASK_BREAKGLASS;
	ask.pattern_count = 2;
	refused(&ask, &preset, "it asks for an object that the preset does not give");
	ask.pattern_count = 1;
	ask.ttl = 601;
	refused(&ask, &preset, "it asks for longer than the preset gives");
	ask.ttl = 600;
	caps_mask_add(&ask.mask, HN_VERB_UNIT_STOP);
	refused(&ask, &preset, "it asks for a verb that the preset does not give");
	caps_mask_add(&ask.mask, HN_VERB_AUDIT_PRUNE);
	caps_mask_add(&preset.mask, HN_VERB_AUDIT_PRUNE);
	refused(&ask, &preset, "it asks for a verb that break-glass never reaches");
}

Test(reach, one_person_alone_waits)
{
	caps_preset preset = preset_of("unit/**");

	preset.delay = 30;
	cr_expect_eq(caps_breakglass_delay(&preset), 30);
	preset.threshold = 1;
	cr_expect_eq(caps_breakglass_delay(&preset), CAPS_ALONE_SECONDS);
	preset.delay = CAPS_ALONE_SECONDS + 1;
	cr_expect_eq(caps_breakglass_delay(&preset), CAPS_ALONE_SECONDS + 1);
}

/* --- whose approvals count --- */

static void fill(caps_keyset *keyset)
{
	static const uint8_t seeds[2][32] = {{1}, {2}};

	*keyset = (caps_keyset){.count = 2};
	for (size_t i = 0; i < 2; i++) {
		keyset->entries[i].person = view_of(i == 0 ? "alice" : "bo");
		crypto_ed25519_public(seeds[i], keyset->entries[i].key);
	}
	OK(caps_keyset_finish(keyset, err));
}

static void sign(base_buf *out, const uint8_t hash[32], uint8_t who, int64_t made)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	BASE_AUTO_FREE char *text = NULL;
	uint8_t seed[32] = {who};

	OK(caps_approval_sign(hash, seed, made, &bytes, err));
	OK(caps_approval_text(&bytes, &text, err));
	base_buf_format(out, " \n%s\t", text);
}

static void counts(lab *l, const uint8_t hash[32], uint8_t who, int64_t made, const char *why)
{
	BASE_AUTO_BUF base_buf texts = {0};
	caps_keyset keyset;
	caps_quorum quorum;

	fill(&keyset);
	sign(&texts, l->asks[0]->hash, 1, T0);
	sign(&texts, hash, who, made);
	OK(caps_quorum_count(l->asks[0], &keyset, texts.data, T0 - 60, T0 + 60, &quorum, err));
	cr_expect_eq(quorum.shown, 2);
	cr_expect_eq(quorum.votes.count, why ? 1 : 2);
	if (why)
		cr_expect_str_eq(quorum.why ? quorum.why : "", why);
	else
		cr_expect_null(quorum.why);
}

Test(reach, whose_approvals_count)
{
	LAB l = lab_new();
	const uint8_t *hash = l.asks[0]->hash;

	counts(&l, hash, 2, T0, NULL);
	counts(&l, hash, 2, T0 - 60, NULL);
	counts(&l, hash, 2, T0 + 60, NULL);
	counts(&l, hash, 2, T0 - 61, "an approval is too old");
	counts(&l, hash, 2, T0 + 61, "an approval is of the future");
	counts(&l, hash, 3, T0, "an approval is not signed by a key of the keyset");
	counts(&l, hash, 1, T0 + 1, "a person approved twice, which counts once");
	counts(&l, l.asks[1]->hash, 2, T0, "an approval is of another request");
}

Test(reach, no_approvals_and_too_many)
{
	LAB l = lab_new();
	BASE_AUTO_BUF base_buf texts = {0};
	caps_keyset keyset;
	caps_quorum quorum;

	fill(&keyset);
	OK(caps_quorum_count(l.asks[0], &keyset, " \n", T0, T0, &quorum, err));
	cr_expect(quorum.shown == 0 && quorum.votes.count == 0);
	FAILS(HN_ECBOR, caps_quorum_count(l.asks[0], &keyset, "hva1.AAAA", T0, T0, &quorum, err));
	for (int i = 0; i < CAPS_APPROVALS; i++)
		sign(&texts, l.asks[0]->hash, 1, T0);
	OK(caps_quorum_count(l.asks[0], &keyset, texts.data, T0, T0, &quorum, err));
	cr_expect_eq(quorum.votes.count, 1);
	sign(&texts, l.asks[0]->hash, 2, T0);
	FAILS(HN_ELIMIT, caps_quorum_count(l.asks[0], &keyset, texts.data, T0, T0, &quorum, err));
}
