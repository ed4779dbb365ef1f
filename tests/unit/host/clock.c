/* SPDX-License-Identifier: MIT
 *
 * A clock that steps: tokens are not taken, operators and break-glass are, until somebody says that
 * it is right; and a clock that nothing keeps in step.
 */
#include "trust-lab.h"

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
