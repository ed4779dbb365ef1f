/* SPDX-License-Identifier: MIT
 *
 * A clock that steps: tokens are not taken, operators and break-glass are, until somebody says that
 * it is right; and a clock that nothing keeps in step.
 */
#include "trust-lab.h"

#include <errno.h>

#define SUSPECT "org.hypernix.clock.suspect.v1"
#define READ                                                                                       \
	"{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"unit.read\",\"unit.start\"]," \
	"\"on\":\"unit/*\"}]}"

static lab new_lab(void)
{
	lab l = lab_new();

	trusted_fleet(&l);
	return l;
}

static bool status_has(lab *l, const char *text)
{
	BASE_AUTO_FREE char *json = NULL;

	cr_assert_eq(hn_clock_status(l->session, &json, lab_err(l)), 0, "%s", lab_why(l));
	return strstr(json, text) != NULL;
}

Test(negative, g67_a_clock_a_day_back)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ);
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_session *second = NULL;

	cr_assert_eq(open_as(&l, token, NULL, &session), 0, "%s", lab_why(&l));
	cr_expect(status_has(&l, "\"suspect\":false"));
	hn_os_sim_step(l.os, -86400 * OS_SECOND);
	hn_os_sim_advance(l.os, OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
	cr_expect_eq(open_as(&l, token, NULL, &second), HN_ECLOCK, "%s", lab_why(&l));
	cr_expect(status_has(&l, "\"suspect\":true"));
	cr_expect(status_has(&l, "\"tokens\":false"));
	cr_expect_eq(lab_events(&l, SUSPECT), 1);
	cr_expect_geq(hn_unit_start(l.session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(negative, g67_a_clock_forward_and_then_repaired)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ);
	hn_session *session = NULL;

	cr_assert_eq(open_as(&l, token, NULL, &session), 0);
	session = hn_session_unref(session);
	hn_os_sim_step(l.os, 40 * 86400 * OS_SECOND);
	cr_expect_eq(open_as(&l, token, NULL, &session), HN_ECLOCK);
	/* repaired, but nobody knows that yet */
	hn_os_sim_step(l.os, -40 * 86400 * OS_SECOND);
	cr_expect_eq(open_as(&l, token, NULL, &session), HN_ECLOCK);
	cr_assert_eq(hn_clock_accept(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(open_as(&l, token, NULL, &session), 0, "%s", lab_why(&l));
	cr_expect(status_has(&l, "\"suspect\":false"));
	session = hn_session_unref(session);
	/* kind 14 of a record */
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM audit WHERE instr(rec, x'070e') > 0"), 1);
}

/* The mark in the database is above the clock: the database is of another time. */
Test(negative, g67_a_database_of_the_future)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ);
	hn_session *session = NULL;

	cr_assert_eq(open_as(&l, token, NULL, &session), 0);
	session = hn_session_unref(session);
	cr_assert_eq(state_exec(l.host->store,
			     "UPDATE clock_mark SET wall = wall + 86400000000000, boot_id = 'x'",
			     lab_err(&l)),
		0);
	lab_reopen(&l);
	cr_expect_eq(open_as(&l, token, NULL, &session), HN_ECLOCK);
}

Test(negative, g67_nothing_revoked_is_forgotten_while_the_clock_is_suspect)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ);
	BASE_AUTO_OF(caps_token) caps_token *read = NULL;
	hn_session *session = NULL;
	char cti[33];

	cr_assert_eq(caps_token_read_text(token, strlen(token), &read, NULL, NULL), 0);
	codec_hex(read->links[0].cti.bytes, 16, cti);
	cr_assert_eq(hn_cap_revoke(l.session, "cti", cti, lab_err(&l)), 0);
	hn_os_sim_step(l.os, 60 * 86400 * OS_SECOND);
	lab_reopen(&l);
	hn_os_sim_step(l.os, -60 * 86400 * OS_SECOND);
	lab_reopen(&l);
	cr_assert_eq(hn_clock_accept(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(open_as(&l, token, NULL, &session), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_session_live(session, NULL), HN_ESESSION, "it is revoked still");
	session = hn_session_unref(session);
}

/* Nothing in this boot can show that it began with a wrong clock; only that nothing keeps it in
 * step. */
Test(negative, g67_nothing_revoked_is_forgotten_after_a_boot_far_ahead)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ);
	BASE_AUTO_OF(caps_token) caps_token *read = NULL;
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	char cti[33];

	cr_assert_eq(caps_token_read_text(token, strlen(token), &read, NULL, NULL), 0);
	codec_hex(read->links[0].cti.bytes, 16, cti);
	cr_assert_eq(hn_cap_revoke(l.session, "cti", cti, lab_err(&l)), 0);
	lab_close(&l);
	cr_assert_eq(hn_os_sim_crash_now(l.os, HN_OS_SIM_CRASH_DROP, 0, NULL), 0);
	hn_os_sim_clock(l.os, 16 * OS_SECOND, false);
	hn_os_sim_step(l.os, 60 * 86400 * OS_SECOND);
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	cr_assert(status_has(&l, "\"suspect\":false"));
	lab_reopen(&l);
	/* the time servers are reached, and somebody looks */
	hn_os_sim_step(l.os, -60 * 86400 * OS_SECOND);
	hn_os_sim_clock(l.os, 0, true);
	cr_assert_eq(hn_clock_accept(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_revoked"), 1);
	cr_assert_eq(open_as(&l, token, NULL, &session), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_session_live(session, NULL), HN_ESESSION, "it is revoked still");
}

Test(clock, what_ended_long_ago_is_forgotten_when_it_is_kept_in_step)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ);
	BASE_AUTO_OF(caps_token) caps_token *read = NULL;
	char cti[33];

	cr_assert_eq(caps_token_read_text(token, strlen(token), &read, NULL, NULL), 0);
	codec_hex(read->links[0].cti.bytes, 16, cti);
	cr_assert_eq(hn_cap_revoke(l.session, "cti", cti, lab_err(&l)), 0);
	hn_os_sim_advance(l.os, 60 * 86400 * OS_SECOND);
	lab_reopen(&l);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_revoked"), 0);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_issued"), 0);
	cr_expect_eq(hn_audit_verify(l.session, NULL, NULL, lab_err(&l)), 0, "%s", lab_why(&l));
}

/* Whether there is something is not even looked at, over and over, where it would be kept anyway.
 */
Test(clock, what_is_not_forgotten_since_nothing_keeps_it_in_step_is_told)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ);
	uint64_t looks;

	cr_assert_not_null(token);
	cr_expect(status_has(&l, "\"unforgotten\":false"));
	hn_os_sim_clock(l.os, 0, false);
	hn_os_sim_advance(l.os, 60 * 86400 * OS_SECOND);
	looks = l.host->rights->looks;
	cr_assert_eq(host_expire(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(l.host->rights->looks, looks);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_issued"), 1);
	cr_expect(status_has(&l, "\"unforgotten\":true"));
	hn_os_sim_clock(l.os, 0, true);
	cr_expect(status_has(&l, "\"unforgotten\":false"));
	cr_assert_eq(host_expire(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_issued"), 0);
}

/* --- the way on where local operators are off: neither they nor tokens may say that it is right
 * --- */

static hn_session *glass_of(lab *l, const char *preset)
{
	hn_breakglass_options options = HN_BREAKGLASS_OPTIONS_INIT;
	BASE_AUTO_FREE char *request = NULL, *one = NULL, *other = NULL;
	BASE_AUTO_BUF base_buf both = {0};
	hn_session *session = NULL;

	options.reason = "the clock has stepped";
	cr_assert_eq(hn_breakglass_request(l->host, preset, &options, &request, lab_err(l)), 0,
		"%s", lab_why(l));
	one = approve(l, request, ALICE);
	other = approve(l, request, BO);
	base_buf_format(&both, "%s\n%s\n", one, other);
	cr_assert_eq(
		hn_breakglass_activate(l->host, request, both.data, NULL, &session, lab_err(l)), 0,
		"%s", lab_why(l));
	return session;
}

Test(clock, break_glass_accepts_it_where_local_operators_are_off)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ);
	BASE_AUTO_OF(hn_session) hn_session *glass = NULL, *session = NULL;

	cr_expect(status_has(&l, "\"breakGlass\":true"));
	cr_assert_eq(hn_session_local_allow(l.session, false, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_step(l.os, 3600 * OS_SECOND);
	hn_os_sim_advance(l.os, OS_SECOND);
	cr_expect_eq(hn_clock_accept(l.session, lab_err(&l)), HN_ESESSION, "they are off");
	cr_expect_eq(open_as(&l, token, NULL, &session), HN_ECLOCK, "%s", lab_why(&l));
	glass = glass_of(&l, "outage");
	cr_assert_eq(hn_clock_accept(glass, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(open_as(&l, token, NULL, &session), 0, "%s", lab_why(&l));
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
}

/* A machine that comes back with a full disk and a clock that has lost the time. */
Test(clock, break_glass_opens_on_a_full_disk_though_it_is_suspect)
{
	int unkept = 0;

	for (uint64_t nth = 1; nth < 30; nth++) {
		LAB l = new_lab();
		hn_breakglass_options options = HN_BREAKGLASS_OPTIONS_INIT;
		BASE_AUTO_FREE char *request = NULL;
		int rc;

		options.reason = "all is down";
		hn_os_sim_step(l.os, 3600 * OS_SECOND);
		hn_os_sim_fail(l.os, nth, false, ENOSPC);
		rc = hn_breakglass_request(l.host, "outage", &options, &request, lab_err(&l));
		hn_os_sim_fail(l.os, 0, false, 0);
		if (lab_events(&l, SUSPECT) > 0)
			continue; /* something else was met */
		unkept++;
		cr_expect_eq(rc, 0, "call %llu: %s", (unsigned long long)nth, lab_why(&l));
		cr_expect(l.host->rights->suspect, "call %llu", (unsigned long long)nth);
		hn_os_sim_advance(l.os, 6 * OS_SECOND);
		cr_expect(status_has(&l, "\"suspect\":true"));
		cr_expect_eq(lab_events(&l, SUSPECT), 1, "it is told later");
	}
	cr_expect_gt(unkept, 0, "no fault met the mark");
}

/* By a process that ends before it would try again, and by a mark that the next one sees. */
Test(clock, a_step_is_told_at_once_though_a_mark_could_not_be_kept_just_before)
{
	int unkept = 0;

	for (uint64_t nth = 1; nth < 30; nth++) {
		LAB l = new_lab();

		hn_os_sim_advance(l.os, 61 * OS_SECOND); /* one is due */
		hn_os_sim_fail(l.os, nth, false, ENOSPC);
		cr_expect(status_has(&l, "\"suspect\":false"));
		hn_os_sim_fail(l.os, 0, false, 0);
		if (l.host->rights->next_mark <= os_monotonic(l.os))
			continue; /* something else was met, or nothing */
		unkept++;
		hn_os_sim_step(l.os, -3600 * OS_SECOND);
		cr_expect(status_has(&l, "\"suspect\":true"));
		cr_expect_eq(lab_events(&l, SUSPECT), 1, "call %llu", (unsigned long long)nth);
		cr_expect_eq(lab_number(&l, "SELECT suspect FROM clock_mark"), 1);
	}
	cr_expect_gt(unkept, 0, "no fault met the mark");
}

Test(clock, small_steps_are_fine)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ);
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	cr_assert_eq(open_as(&l, token, NULL, &session), 0);
	hn_os_sim_step(l.os, -4 * OS_SECOND);
	hn_os_sim_advance(l.os, OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_events(&l, SUSPECT), 0);
}

Test(clock, it_is_told_when_no_break_glass_could_accept_it)
{
	LAB l = lab_new();
	caps_preset preset = {.patterns = {view_of("unit/**")}, .pattern_count = 1};

	cr_expect(status_has(&l, "\"breakGlass\":false"), "there is no trust bundle");
	cr_assert_eq(caps_mask_add_text(&preset.mask, "clock.accept", NULL), 0);
	cr_expect_not(caps_preset_gives(&preset, HN_VERB_CLOCK_ACCEPT, "node/n1"), "of no node");
	preset.patterns[0] = view_of("node/n2");
	cr_expect_not(caps_preset_gives(&preset, HN_VERB_CLOCK_ACCEPT, "node/n1"), "of another");
	cr_expect(caps_preset_gives(&preset, HN_VERB_CLOCK_ACCEPT, "node/n2"));
	preset.patterns[0] = view_of("node/*");
	cr_expect_not(caps_preset_gives(&preset, HN_VERB_NODE_READ, "node/n1"), "not the verb");
	cr_assert_eq(caps_mask_add_text(&preset.mask, "*", NULL), 0);
	cr_expect_not(caps_preset_gives(&preset, HN_VERB_NODE_ROLE, "node/n1"), "never is");
}

Test(clock, is_told_once_and_stays_suspect_over_a_restart)
{
	LAB l = new_lab();

	hn_os_sim_step(l.os, -3600 * OS_SECOND);
	cr_expect(status_has(&l, "\"suspect\":true"));
	lab_reopen(&l);
	cr_expect(status_has(&l, "\"suspect\":true"));
	cr_expect(status_has(&l, "\"why\":"));
	cr_expect_eq(lab_events(&l, SUSPECT), 1);
}

Test(clock, accepting_it_needs_a_reason)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *silent = NULL;

	cr_assert_eq(hn_session_open_local(l.host, NULL, &silent, lab_err(&l)), 0);
	cr_expect_eq(hn_clock_accept(silent, lab_err(&l)), HN_EREASON);
}

Test(negative, g68_an_unsynchronised_clock)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *token = issue(&l, READ);
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;
	hn_session *second = NULL;

	/* as on a machine without NTP: 16 seconds either way; allowed at first */
	hn_os_sim_clock(l.os, 16 * OS_SECOND, false);
	cr_assert_eq(open_as(&l, token, NULL, &session), 0, "%s", lab_why(&l));
	cr_expect(status_has(&l, "\"synchronised\":false"));
	cr_expect(status_has(&l, "\"unsynchronised\":\"allow\""));
	cr_assert_eq(hn_clock_unsynchronised(l.session, false, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
	cr_expect_eq(open_as(&l, token, NULL, &second), HN_ECLOCK);
	cr_expect_not_null(strstr(lab_why(&l), "synchronised"), "%s", lab_why(&l));
	hn_os_sim_clock(l.os, 0, true);
	hn_os_sim_advance(l.os, OS_SECOND);
	cr_expect_eq(open_as(&l, token, NULL, &second), 0, "%s", lab_why(&l));
	second = hn_session_unref(second);
}

Test(negative, g68_the_end_is_judged_by_the_latest_time)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	hn_os_sim_clock(l.os, 16 * OS_SECOND, false);
	session = opened(&l, READ);
	hn_os_sim_advance(l.os, (8 * 3600 - 18) * OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 3 * OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION, "it may be over");
}

/* Its holder would be told "expired" whenever he comes. */
Test(negative, g68_what_would_be_over_at_once_is_not_issued)
{
	LAB l = new_lab();
	char *token = NULL;

	hn_os_sim_clock(l.os, 16 * OS_SECOND, false);
	for (int ttl = 4; ttl <= 16; ttl += 6) {
		char terms[160];

		(void)snprintf(terms, sizeof(terms),
			"{\"for\":\"bo\",\"ttl\":\"%ds\",\"grants\":[{\"verbs\":[\"unit.read\"],"
			"\"on\":\"unit/*\"}]}",
			ttl);
		cr_assert_eq(hn_cap_issue(l.session, terms, NULL, &token, lab_err(&l)), HN_ERANGE);
		cr_expect_null(token);
		cr_expect_not_null(strstr(lab_why(&l), "may be off by 16 s"), "%s", lab_why(&l));
		cr_expect_not_null(strstr(hn_error_hint(l.err), "for 17s at least"), "%s",
			hn_error_hint(l.err));
	}
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_issued"), 0);
}

Test(clock, what_lives_longer_than_it_may_be_off_is_issued_and_taken)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	hn_os_sim_clock(l.os, 16 * OS_SECOND, false);
	session =
		opened(&l, "{\"for\":\"bo\",\"ttl\":\"17s\",\"grants\":[{\"verbs\":[\"unit.read\"],"
			   "\"on\":\"unit/*\"}]}");
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
}
