/* SPDX-License-Identifier: MIT
 *
 * Edges of the audit log: rows that were damaged and what then says so, denials that are counted
 * instead of written, and what has no outcome yet.
 */
#include "caps/audit-log.h"

#include "audit.h"

static void seal(log_lab *l)
{
	OK(caps_audit_seal(l->audit, l->signer, err));
}

static log_lab log_sealed(void)
{
	log_lab l = log_new();

	log_fill(&l, 20);
	seal(&l);
	log_fill(&l, 20);
	seal(&l);
	return l;
}

static int verify(log_lab *l)
{
	const caps_audit_check_options options = {.signer = l->signer};

	return caps_audit_verify(l->audit, &options, NULL);
}

/* --- verifying --- */

Test(damaged_log, every_row_is_looked_at)
{
	static const struct {
		const char *sql, *says;
	} edits[] = {
		{"UPDATE audit_key SET seq = 0", "record 0 names another key of checkpoints"},
		{"UPDATE audit_key SET seq = 99999", "record 99999 is missing"},
		{"UPDATE audit_key SET key = zeroblob(32)",
			"22 audit records is not signed by a key of this log"},
		{"UPDATE audit_key SET key = x'00'", "a key of checkpoints is not one"},
		{"UPDATE audit_checkpoint SET note = 'none'", "is no signed note"},
		{"UPDATE audit_checkpoint SET note = replace(note, 'hypernix', 'hyperniy')",
			"is not signed by a key of this log"},
		{"UPDATE audit_checkpoint SET note = substr(note, 1, 20)", "is no signed note"},
		{"UPDATE audit_checkpoint SET note = (SELECT max(note) FROM audit_checkpoint)",
			"else than its note"},
		{"UPDATE audit_checkpoint SET root = x'00'", "has no root or no MAC"},
		{"UPDATE audit_checkpoint SET root = zeroblob(32)",
			"says something else than its note"},
		{"UPDATE audit_checkpoint SET mac = x'00'", "has no root or no MAC"},
		{"UPDATE audit_checkpoint SET size = size - 1",
			"over 21 audit records says something else"},
		{"UPDATE audit_text SET salt = x'00'", "record 1 had another text beside it"},
		{"UPDATE audit_text SET salt = zeroblob(16)",
			"record 1 had another text beside it"},
		{"UPDATE audit_text SET body = 'another' WHERE kind = 21",
			"record 1 had another text beside it"},
		{"UPDATE audit_text SET kind = 24 WHERE kind = 21",
			"record 1 had another text beside it"},
		{"UPDATE audit_text SET ref = x'00' WHERE kind = 21",
			"record 1 refers to a text that is missing"},
		{"UPDATE audit_text SET body = NULL WHERE kind = 21",
			"record 1 had another text beside it"},
		{"UPDATE audit SET rec = x'a0' WHERE seq = 7", "record 7 was changed"},
		{"UPDATE audit SET leaf = zeroblob(32) WHERE seq = 7", "record 7 was changed"},
		{"UPDATE audit_head SET frontier = x''",
			"frontier of 0 bytes does not fit 42 leaves"},
	};

	for (size_t i = 0; i < BASE_COUNT(edits); i++) {
		LOG l = log_sealed();
		BASE_AUTO_OF(hn_error) hn_error *why = NULL;

		cr_assert_eq(verify(&l), 0, "before %s", edits[i].sql);
		log_edit(&l, edits[i].sql);
		cr_assert_eq(caps_audit_verify(l.audit,
				     &(caps_audit_check_options){.signer = l.signer}, &why),
			HN_ECORRUPT, "%s", edits[i].sql);
		cr_expect_not_null(strstr(hn_error_message(why), edits[i].says), "%s: %s",
			edits[i].sql, hn_error_message(why));
	}
}

Test(damaged_log, every_table_is_needed)
{
	static const char *const tables[] = {
		"audit_key", "audit_checkpoint", "audit_text", "audit", "audit_head", "audit_tile"};

	for (size_t i = 0; i < BASE_COUNT(tables); i++) {
		LOG l = log_new();
		char drop[64];

		log_fill(&l, 300);
		seal(&l);
		(void)snprintf(drop, sizeof(drop), "DROP TABLE %s", tables[i]);
		log_edit(&l, drop);
		cr_expect_lt(verify(&l), 0, "%s", tables[i]);
	}
}

/* --- reading --- */

Test(damaged_log, a_record_that_is_none_is_not_shown)
{
	LOG l = log_sealed();
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	BASE_AUTO_FREE char *reason = NULL;
	int64_t seconds = -5;

	log_edit(&l, "UPDATE audit SET rec = x'a0' WHERE seq = 7");
	OK(hn_json_new(false, &json, err));
	FAILS(HN_ECORRUPT, caps_audit_tail(l.audit, 6, 5, 0, json, err));
	FAILS(HN_ECORRUPT, caps_audit_when(l.audit, 7, &seconds, &reason, err));
	cr_expect_eq(seconds, -5);
	cr_expect_null(reason);
}

Test(damaged_log, numbers_that_no_record_has)
{
	LOG l = log_sealed();
	BASE_AUTO_OF(hn_json) hn_json *json = NULL;
	BASE_AUTO_FREE char *reason = NULL;
	caps_audit_entry entry = {.kind = CAPS_AUDIT_CLOCK, .verb = -1};
	const char *text = NULL;
	int64_t seconds = -5;
	uint64_t number = 0;

	OK(hn_json_new(false, &json, err));
	OK(caps_audit_tail(l.audit, UINT64_MAX, 5, 0, json, err));
	OK(hn_json_finish(json, &text, NULL, err));
	cr_expect_str_eq(text, "[]");
	cr_expect_eq(caps_audit_when(l.audit, UINT64_MAX, &seconds, &reason, NULL), 0);
	cr_expect_eq(seconds, -5);
	cr_expect_eq(caps_audit_when(l.audit, 5, &seconds, &reason, NULL), 1);
	cr_expect_eq(seconds, WALL / OS_SECOND);
	cr_expect_str_eq(reason, "test");
	OK(caps_audit_append(l.audit, &entry, &number, err));
	base_free(reason);
	reason = NULL;
	cr_expect_eq(caps_audit_when(l.audit, number, &seconds, &reason, NULL), 1);
	cr_expect_null(reason, "it has none");
}

Test(damaged_log, how_long_the_oldest_has_waited)
{
	LOG l = log_sealed();
	int64_t lag = -1;

	OK(caps_audit_lag(l.audit, &lag, err));
	cr_expect_eq(lag, 0, "all is sealed");
	log_fill(&l, 1);
	hn_os_sim_advance(l.os, 5 * OS_SECOND);
	OK(caps_audit_lag(l.audit, &lag, err));
	cr_expect_eq(lag, 5 * OS_SECOND);
	OK(caps_audit_witness_lag(l.audit, 0, &lag, err));
	cr_expect_eq(lag, 5 * OS_SECOND, "no witness at all: since the first");
	log_edit(&l, "UPDATE audit SET rec = x'a0'");
	OK(caps_audit_lag(l.audit, &lag, err));
	cr_expect_eq(lag, 0, "that is told by verifying");
	log_edit(&l, "DROP TABLE audit");
	lag = 7;
	cr_expect_lt(caps_audit_lag(l.audit, &lag, NULL), 0);
	cr_expect_lt(caps_audit_witness_lag(l.audit, 2, &lag, NULL), 0);
	cr_expect_eq(lag, 7);
}

/* --- denials --- */

static void deny(log_lab *l, const char *subject, int verb)
{
	const caps_audit_entry entry = {.kind = CAPS_AUDIT_DENY, .verb = verb, .subject = subject};

	OK(caps_audit_deny(l->audit, &entry, err));
}

static int64_t records(log_lab *l)
{
	return log_number(l, "SELECT size FROM audit_head");
}

Test(denials, are_counted_apart_by_subject_and_verb)
{
	LOG l = log_new();
	int64_t before;

	log_fill(&l, 1);
	before = records(&l);
	for (int i = 0; i < 20; i++)
		deny(&l, "alice", HN_VERB_UNIT_STOP);
	cr_expect_eq(records(&l), before + 8, "the others are counted");
	deny(&l, "bo", HN_VERB_UNIT_STOP);
	deny(&l, "alice", HN_VERB_UNIT_START);
	deny(&l, NULL, HN_VERB_UNIT_STOP);
	cr_expect_eq(records(&l), before + 11);
	OK(caps_audit_deny_flush(l.audit, false, err));
	cr_expect_eq(records(&l), before + 11, "the window is open");
	OK(caps_audit_deny_flush(l.audit, true, err));
	cr_expect_eq(records(&l), before + 12, "one that says how many");
}

Test(denials, a_window_that_is_over_is_written_first)
{
	LOG l = log_new();
	int64_t before;

	log_fill(&l, 1);
	before = records(&l);
	for (int i = 0; i < 10; i++)
		deny(&l, NULL, HN_VERB_UNIT_STOP);
	cr_expect_eq(records(&l), before + 8);
	hn_os_sim_advance(l.os, 10 * OS_SECOND);
	deny(&l, NULL, HN_VERB_UNIT_STOP);
	cr_expect_eq(records(&l), before + 10, "the two of before, and this one");
	hn_os_sim_advance(l.os, 10 * OS_SECOND);
	OK(caps_audit_deny_flush(l.audit, false, err));
	cr_expect_eq(records(&l), before + 10, "nothing was left out");
}

Test(denials, of_more_subjects_than_there_are_places)
{
	LOG l = log_new();
	int64_t before;
	char name[16];

	log_fill(&l, 1);
	before = records(&l);
	deny(&l, "zero", HN_VERB_UNIT_STOP);
	hn_os_sim_advance(l.os, 1000);
	for (int i = 0; i < 10; i++)
		deny(&l, "first", HN_VERB_UNIT_STOP);
	hn_os_sim_advance(l.os, 10 * OS_SECOND);
	deny(&l, "zero", HN_VERB_UNIT_STOP);
	for (int i = 2; i < AUDIT_SOURCES; i++) {
		hn_os_sim_advance(l.os, 1000);
		(void)snprintf(name, sizeof(name), "s%d", i);
		deny(&l, name, HN_VERB_UNIT_STOP);
	}
	cr_expect_eq(records(&l), before + 10 + AUDIT_SOURCES - 2);
	deny(&l, "one more", HN_VERB_UNIT_STOP);
	cr_expect_eq(records(&l), before + 10 + AUDIT_SOURCES, "the oldest makes room");
	OK(caps_audit_deny_flush(l.audit, true, err));
	cr_expect_eq(records(&l), before + 10 + AUDIT_SOURCES);
}

/* --- what has no outcome yet --- */

static const caps_audit_process process = {.pid = 7, .started = 8, .boot = 9};

static uint64_t allow(log_lab *l, caps_audit_kind kind, int verb, const char *object, bool pending)
{
	const caps_audit_entry entry = {
		.kind = kind, .verb = verb, .object = object, .by = pending ? &process : NULL};
	uint64_t number = 0;

	OK(caps_audit_append(l->audit, &entry, &number, err));
	return number;
}

static int stop_at(void *arg, const caps_audit_pending *row)
{
	uint64_t *seen = arg;

	cr_expect(row->by.pid == 7 && row->by.started == 8 && row->by.boot == 9);
	cr_expect_str_eq(row->object, seen[0] == 0 ? "" : "unit/a");
	return ++seen[0] == seen[1] ? 7 : 0;
}

Test(pending, oldest_first_until_told_to_stop)
{
	LOG l = log_new();
	uint64_t seen[2] = {0, 1};
	uint64_t first = allow(&l, CAPS_AUDIT_ALLOW, HN_VERB_UNIT_START, NULL, true);

	(void)allow(&l, CAPS_AUDIT_ALLOW, HN_VERB_UNIT_START, "unit/a", true);
	cr_expect_eq(caps_audit_pending_each(l.store, stop_at, seen, NULL), 7);
	cr_expect_eq(seen[0], 1);
	seen[0] = seen[1] = 0;
	cr_expect_eq(caps_audit_pending_each(l.store, stop_at, seen, NULL), 0);
	cr_expect_eq(seen[0], 2);
	cr_expect_eq(caps_audit_pending_has(l.store, first, NULL), 1);
	cr_expect_eq(caps_audit_pending_has(l.store, 99, NULL), 0);
}

Test(pending, followed_by_what_starts_or_stops_the_same)
{
	static const int verbs[] = {HN_VERB_UNIT_START, HN_VERB_UNIT_STOP, HN_VERB_UNIT_DELETE};

	for (size_t i = 0; i < BASE_COUNT(verbs); i++) {
		LOG l = log_new();
		uint64_t first = allow(&l, CAPS_AUDIT_ALLOW, HN_VERB_UNIT_START, "unit/a", true);

		cr_expect_eq(caps_audit_followed(l.store, first, "unit/a", NULL), 0, "by itself");
		(void)allow(&l, CAPS_AUDIT_ALLOW, verbs[i], "unit/b", false);
		(void)allow(&l, CAPS_AUDIT_ALLOW, verbs[i], "unit/ab", false);
		(void)allow(&l, CAPS_AUDIT_ALLOW, verbs[i], "unit/", false);
		(void)allow(&l, CAPS_AUDIT_DENY, verbs[i], "unit/a", false);
		(void)allow(&l, CAPS_AUDIT_ALLOW, HN_VERB_UNIT_READ, "unit/a", false);
		cr_expect_eq(caps_audit_followed(l.store, first, "unit/a", NULL), 0);
		(void)allow(&l, CAPS_AUDIT_ALLOW, verbs[i], "unit/a", false);
		cr_expect_eq(caps_audit_followed(l.store, first, "unit/a", NULL), 1);
		log_edit(&l, "UPDATE audit SET rec = x'a0'");
		cr_expect_eq(caps_audit_followed(l.store, first, "unit/a", NULL), 0);
	}
}

Test(pending, without_its_tables)
{
	LOG l = log_new();
	const caps_audit_entry entry = {.kind = CAPS_AUDIT_ALLOW, .verb = 1, .by = &process};
	uint64_t number = 77;

	log_edit(&l, "DROP TABLE audit_pending");
	cr_expect_lt(caps_audit_append(l.audit, &entry, &number, NULL), 0);
	cr_expect_eq(records(&l), 0, "nor is there a record of it");
	cr_expect_lt(caps_audit_pending_each(l.store, stop_at, NULL, NULL), 0);
	cr_expect_lt(caps_audit_pending_has(l.store, 1, NULL), 0);
	log_edit(&l, "DROP TABLE audit");
	cr_expect_lt(caps_audit_followed(l.store, 1, "unit/a", NULL), 0);
	cr_expect_eq(number, 77);
}
