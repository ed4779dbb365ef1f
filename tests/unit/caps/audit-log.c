/* SPDX-License-Identifier: MIT
 *
 * Appending to the audit log: numbers, fields, texts, tiles, and what happens inside a transaction.
 */
#include "caps/audit-log.h"

#include "audit.h"
#include <errno.h>

static audit_record read_record(log_lab *l, int64_t number, uint8_t *copy)
{
	state_query *query = NULL;
	audit_record record;
	size_t size = 0;
	const void *bytes;

	OK(state_find(l->store, "SELECT rec FROM audit WHERE seq = ?1", &query, err));
	state_bind_int(query, 1, number);
	cr_assert_eq(state_row(query, NULL), 1, "no record %ld", (long)number);
	bytes = state_blob(query, 0, &size);
	memcpy(copy, bytes, size);
	state_done(query);
	cr_assert(audit_record_read(copy, size, &record), "record %ld is not read", (long)number);
	return record;
}

Test(append, the_first_record_is_a_start)
{
	LOG l = log_new();
	uint8_t copy[CAPS_AUDIT_RECORD];
	caps_audit_entry entry = {.kind = CAPS_AUDIT_CLOCK, .verb = -1};
	uint64_t number = 0;

	OK(caps_audit_append(l.audit, &entry, &number, err));
	cr_expect_eq(number, 1);
	cr_expect_eq(read_record(&l, 0, copy).kind, CAPS_AUDIT_START);
	cr_expect_eq(read_record(&l, 1, copy).kind, CAPS_AUDIT_CLOCK);
}

Test(append, every_field_comes_back)
{
	LOG l = log_new();
	static const uint8_t cti[2][16] = {{1}, {2}};
	static const uint8_t chain[32] = {3}, kid[12] = {4}, request[32] = {5}, trace[16] = {6},
			     session[8] = {7};
	static const char extra[] = {(char)0xa1, 0, 1};
	base_buf more = {.data = (char *)(uintptr_t)extra, .size = sizeof(extra)};
	uint8_t copy[CAPS_AUDIT_RECORD];
	audit_record r;
	caps_audit_entry entry = {
		.kind = CAPS_AUDIT_DENY,
		.verb = HN_VERB_UNIT_STOP,
		.object = "unit/a",
		.subject = "alice",
		.reason = "because",
		.cti = cti,
		.cti_count = 2,
		.chain_hash = chain,
		.kid = kid,
		.has_rule = true,
		.rule = {1, 2, 4},
		.valid_until = 1767225700,
		.tzdata = "2026a",
		.request_hash = request,
		.refers = 9,
		.code = HN_EDENIED,
		.has_code = true,
		.count = 3,
		.trace = trace,
		.session = session,
		.extra = &more,
	};
	uint64_t number = 0;

	OK(caps_audit_append(l.audit, &entry, &number, err));
	r = read_record(&l, (int64_t)number, copy);
	cr_expect_eq(r.fields, 0x1fffffeu);
	cr_expect_eq(r.number, number);
	cr_expect_eq(r.verb, HN_VERB_UNIT_STOP);
	cr_expect_eq(r.wall, WALL / 1000000);
	cr_expect(r.object.size == 6 && memcmp(r.object.bytes, "unit/a", 6) == 0);
	cr_expect(r.cti_count == 2 && memcmp(r.cti[1].bytes, cti[1], 16) == 0);
	cr_expect_eq(memcmp(r.chain.bytes, chain, 32), 0);
	cr_expect_eq(memcmp(r.kid.bytes, kid, 12), 0);
	cr_expect(r.rule[0] == 1 && r.rule[1] == 2 && r.rule[2] == 4);
	cr_expect_eq(r.valid_until, 1767225700);
	cr_expect_eq(memcmp(r.tzdata.bytes, "2026a", 5), 0);
	cr_expect_eq(memcmp(r.request.bytes, request, 32), 0);
	cr_expect_eq(r.refers, 9);
	cr_expect_eq(r.code, HN_EDENIED);
	cr_expect_eq(r.count, 3);
	cr_expect_eq(memcmp(r.trace.bytes, trace, 16), 0);
	cr_expect_eq(memcmp(r.session.bytes, session, 8), 0);
	cr_expect(r.extra.size == 3 && memcmp(r.extra.bytes, extra, 3) == 0);
}

Test(append, too_large_a_record_is_refused_and_nothing_is_left)
{
	LOG l = log_new();
	static char big[CAPS_AUDIT_RECORD + 1];
	base_buf more = {.data = big, .size = sizeof(big)};
	caps_audit_entry entry = {.kind = CAPS_AUDIT_ISSUE, .verb = -1, .extra = &more};

	FAILS(HN_ELIMIT, caps_audit_append(l.audit, &entry, NULL, err));
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit"), 0);
	log_fill(&l, 1);
	OK(caps_audit_verify(l.audit, NULL, err));
}

Test(append, what_is_rolled_back_is_not_there)
{
	LOG l = log_new();
	caps_audit_entry entry = {.kind = CAPS_AUDIT_CLOCK, .verb = -1, .subject = "alice"};

	log_fill(&l, 3);
	OK(state_begin(l.store, err));
	OK(caps_audit_append(l.audit, &entry, NULL, err));
	OK(caps_audit_append(l.audit, &entry, NULL, err));
	state_rollback(l.store);
	log_fill(&l, 1);
	cr_expect_eq(log_number(&l, "SELECT size FROM audit_head"), 5);
	OK(caps_audit_verify(l.audit, NULL, err));
}

Test(append, a_text_that_was_rolled_back_is_kept_anew)
{
	LOG l = log_new();
	caps_audit_entry entry = {.kind = CAPS_AUDIT_CLOCK, .verb = -1, .subject = "alice"};

	OK(state_begin(l.store, err));
	OK(caps_audit_append(l.audit, &entry, NULL, err));
	state_rollback(l.store);
	OK(caps_audit_append(l.audit, &entry, NULL, err));
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_text WHERE body = 'alice'"), 1);
}

Test(append, a_savepoint_that_is_rolled_back_takes_its_records_along)
{
	LOG l = log_new();
	caps_audit_entry entry = {.kind = CAPS_AUDIT_CLOCK, .verb = -1};

	OK(state_begin(l.store, err));
	OK(caps_audit_append(l.audit, &entry, NULL, err));
	OK(state_begin(l.store, err));
	OK(caps_audit_append(l.audit, &entry, NULL, err));
	state_rollback(l.store);
	OK(caps_audit_append(l.audit, &entry, NULL, err));
	OK(state_commit(l.store, err));
	cr_expect_eq(log_number(&l, "SELECT size FROM audit_head"), 3);
	OK(caps_audit_verify(l.audit, NULL, err));
}

Test(append, the_subject_of_many_records_is_kept_once)
{
	LOG l = log_new();

	log_fill(&l, 50);
	cr_expect_eq(
		log_number(&l, "SELECT count(*) FROM audit_text WHERE body = 'local/uid/0'"), 1);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_text"), 2);
}

Test(append, two_handles_take_turns)
{
	LOG l = log_new();
	BASE_AUTO_OF(state_store) state_store *store = NULL;
	BASE_AUTO_OF(caps_audit) caps_audit *other = NULL;
	caps_audit_entry entry = {.kind = CAPS_AUDIT_CLOCK, .verb = -1, .subject = "alice"};

	OK(state_open(l.os, PATH, false, false, &store, err));
	OK(caps_audit_open(store, "node-1", &other, err));
	for (int i = 0; i < 300; i++) {
		OK(caps_audit_append(i % 3 == 0 ? other : l.audit, &entry, NULL, err));
		if (i % 97 == 0)
			OK(caps_audit_verify(l.audit, NULL, err));
	}
	OK(caps_audit_verify(other, NULL, err));
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_tile"), 1);
}

Test(tiles, are_stored_when_they_are_full)
{
	LOG l = log_new();

	log_fill(&l, 254);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_tile"), 0);
	log_fill(&l, 1);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_tile"), 1);
	cr_expect_eq(log_number(&l, "SELECT length(data) FROM audit_tile WHERE id = 0"), 8192);
	OK(caps_audit_verify(l.audit, NULL, err));
}

Test(tiles, are_whole_when_a_new_process_goes_on)
{
	LOG l = log_new();

	log_fill(&l, 200);
	log_close(&l);
	log_open(&l);
	log_fill(&l, 400);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_tile"), 2);
	OK(caps_audit_verify(l.audit, NULL, err));
}

/* 65,536 records: one tile of level 1. In one transaction, or it takes too long. */
Test(tiles, of_the_second_level_are_stored, .timeout = 120)
{
	static const caps_audit_entry entry = {.kind = CAPS_AUDIT_CLOCK, .verb = -1};
	LOG l = log_new();

	OK(state_begin(l.store, err));
	for (int i = 0; i < 65536; i++)
		OK(caps_audit_append(l.audit, &entry, NULL, err));
	OK(state_commit(l.store, err));
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_tile WHERE id < 1 << 48"), 256);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit_tile WHERE id >= 1 << 48"), 1);
	OK(caps_audit_verify(l.audit, NULL, err));
	log_edit(&l, "UPDATE audit_tile SET data = zeroblob(8192) WHERE id >= 1 << 48");
	FAILS(HN_ECORRUPT, caps_audit_verify(l.audit, NULL, err));
}

static int denials(log_lab *l, int n, const char *subject)
{
	caps_audit_entry entry = {.kind = CAPS_AUDIT_DENY,
		.verb = HN_VERB_UNIT_STOP,
		.subject = subject,
		.code = HN_EDENIED,
		.has_code = true};

	for (int i = 0; i < n; i++)
		OK(caps_audit_deny(l->audit, &entry, err));
	return (int)log_number(l, "SELECT count(*) FROM audit");
}

Test(denials, are_written_up_to_eight_and_then_counted)
{
	LOG l = log_new();
	uint8_t copy[CAPS_AUDIT_RECORD];
	audit_record r;

	cr_expect_eq(denials(&l, 8, "eve"), 9);
	cr_expect_eq(denials(&l, 100, "eve"), 9);
	OK(caps_audit_deny_flush(l.audit, false, err));
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit"), 9, "not before its time");
	hn_os_sim_advance(l.os, INT64_C(10000000000));
	OK(caps_audit_deny_flush(l.audit, false, err));
	r = read_record(&l, 9, copy);
	cr_expect_eq(r.kind, CAPS_AUDIT_DENIALS);
	cr_expect_eq(r.count, 100);
	cr_expect_eq(r.verb, HN_VERB_UNIT_STOP);
	cr_expect_eq(denials(&l, 1, "eve"), 11, "a new window");
}

Test(denials, of_each_subject_are_counted_apart)
{
	LOG l = log_new();

	cr_expect_eq(denials(&l, 20, "eve"), 9);
	cr_expect_eq(denials(&l, 20, "mallory"), 17);
}

Test(denials, of_very_many_subjects_are_all_told)
{
	LOG l = log_new();
	char name[16];

	for (int i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "s%d", i);
		(void)denials(&l, 10, name);
	}
	OK(caps_audit_deny_flush(l.audit, true, err));
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit"), 1 + 200 * 9);
}

/* --- when it cannot be written --- */

Test(failure, what_belongs_to_no_change_waits)
{
	LOG l = log_new();
	caps_audit_entry entry = {
		.kind = CAPS_AUDIT_SESSION_OPENED, .verb = -1, .subject = "alice"};
	uint8_t copy[CAPS_AUDIT_RECORD];

	log_fill(&l, 1);
	hn_os_sim_fail(l.os, 1, true, EIO);
	OK(caps_audit_tell(l.audit, &entry, err));
	hn_os_sim_advance(l.os, INT64_C(5000000000));
	OK(caps_audit_tell(l.audit, &entry, err));
	hn_os_sim_fail(l.os, 0, false, 0);
	log_fill(&l, 1);
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit"), 5);
	cr_expect_eq(read_record(&l, 2, copy).wall, WALL / 1000000, "its own time");
	cr_expect_eq(read_record(&l, 3, copy).wall, WALL / 1000000 + 5000);
	OK(caps_audit_verify(l.audit, NULL, err));
}

Test(failure, no_more_than_4096_records_wait)
{
	LOG l = log_new();
	caps_audit_entry entry = {.kind = CAPS_AUDIT_SESSION_OPENED, .verb = -1};

	log_fill(&l, 1);
	hn_os_sim_fail(l.os, 1, true, EIO);
	for (int i = 0; i < 4096; i++)
		OK(caps_audit_tell(l.audit, &entry, err));
	FAILS(HN_EAUDIT, caps_audit_tell(l.audit, &entry, err));
	hn_os_sim_fail(l.os, 0, false, 0);
	OK(caps_audit_tell(l.audit, &entry, err));
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit"), 2 + 4096 + 1);
}

Test(failure, reads_go_on_for_a_quarter_of_an_hour)
{
	LOG l = log_new();
	caps_audit_entry entry = {.kind = CAPS_AUDIT_SESSION_OPENED, .verb = -1};

	log_fill(&l, 1);
	hn_os_sim_fail(l.os, 1, true, EIO);
	OK(caps_audit_tell(l.audit, &entry, err));
	hn_os_sim_advance(l.os, INT64_C(899000000000));
	OK(caps_audit_usable(l.audit, false, err));
	hn_os_sim_advance(l.os, INT64_C(1000000000));
	FAILS(HN_EAUDIT, caps_audit_usable(l.audit, false, err));
	hn_os_sim_fail(l.os, 0, false, 0);
	OK(caps_audit_usable(l.audit, false, err));
	cr_expect_eq(log_number(&l, "SELECT count(*) FROM audit"), 3, "what waited is there");
}

Test(failure, g71_file_deleted_under_a_running_process)
{
	LOG l = log_new();
	caps_audit_entry entry = {.kind = CAPS_AUDIT_ALLOW, .verb = HN_VERB_UNIT_STOP};

	log_fill(&l, 2);
	cr_assert_eq(l.os->ops->unlink(l.os, PATH), 0);
	FAILS(HN_EAUDIT, caps_audit_append(l.audit, &entry, NULL, err));
	FAILS(HN_EAUDIT, caps_audit_usable(l.audit, true, err));
	OK(caps_audit_usable(l.audit, false, err));
	OK(os_write_file(l.os, PATH, "", 0, 0600, err));
	FAILS(HN_EAUDIT, caps_audit_append(l.audit, &entry, NULL, err));
	hn_os_sim_advance(l.os, INT64_C(900000000000));
	FAILS(HN_EAUDIT, caps_audit_usable(l.audit, false, err));
}

Test(failure, the_reserve_is_there_once_and_given_up_once)
{
	LOG l = log_new();
	struct stat status;

	OK(caps_audit_reserve_make(l.os, "/state/reserve", err));
	OK(caps_audit_reserve_make(l.os, "/state/reserve", err));
	cr_assert_eq(l.os->ops->stat(l.os, "/state/reserve", &status), 0);
	cr_expect_eq(status.st_size, 1048576);
	cr_expect(caps_audit_reserve_release(l.os, "/state/reserve"));
	cr_expect_not(caps_audit_reserve_release(l.os, "/state/reserve"));
}
