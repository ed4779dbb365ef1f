/* SPDX-License-Identifier: MIT
 *
 * Break-glass at its edges: clocks that are wrong the other way, who may end it, and what is left
 * when it could not be had.
 */
#include "trust-lab.h"

#include <errno.h>

static lab new_lab(void)
{
	lab l = lab_new();

	trusted_fleet(&l);
	return l;
}

static char *asked(lab *l)
{
	hn_breakglass_options options = HN_BREAKGLASS_OPTIONS_INIT;
	char *request = NULL;

	options.reason = "all is down";
	cr_assert_eq(hn_breakglass_request(l->host, "outage", &options, &request, lab_err(l)), 0,
		"%s", lab_why(l));
	return request;
}

static int activate_at(lab *l, const char *request, int64_t seconds, hn_session **session)
{
	BASE_AUTO_FREE char *alice = approve_at(request, ALICE, seconds);
	BASE_AUTO_FREE char *bo = approve_at(request, BO, seconds);
	BASE_AUTO_BUF base_buf both = {0};

	base_buf_format(&both, "%s\n%s\n", alice, bo);
	return hn_breakglass_activate(l->host, request, both.data, NULL, session, lab_err(l));
}

static hn_session *active(lab *l)
{
	BASE_AUTO_FREE char *request = asked(l);
	hn_session *session = NULL;

	cr_assert_eq(
		activate_at(l, request, os_now(l->os) / OS_SECOND, &session), 0, "%s", lab_why(l));
	return session;
}

/* Those who approve have good clocks: a day behind this one. */
Test(breakglass_edge, works_while_a_suspect_clock_is_ahead)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *request = NULL;
	BASE_AUTO_OF(hn_session) hn_session *session = NULL;

	hn_os_sim_step(l.os, 86400 * OS_SECOND);
	request = asked(&l);
	cr_assert_eq(activate_at(&l, request, T0, &session), 0, "%s", lab_why(&l));
	cr_expect_geq(hn_unit_start(session, "web-1", NULL, lab_err(&l)), 0, "%s", lab_why(&l));
}

Test(negative, who_may_not_review_break_glass_does_not_end_it)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *glass = active(&l);
	BASE_AUTO_OF(hn_session)
	hn_session *bo = opened(&l, "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[{\"verbs\":["
				    "\"unit.*\",\"cap.read\"],\"on\":\"**\"}]}");

	cr_expect_eq(hn_breakglass_end(bo, lab_err(&l)), HN_EDENIED, "%s", lab_why(&l));
	cr_expect_eq(hn_session_live(glass, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_breakglass WHERE ended IS NULL"), 1);
}

/* Each request is good by itself: one that a later one has replaced says so. */
Test(negative, g70_a_request_that_was_replaced)
{
	LAB l = new_lab();
	BASE_AUTO_FREE char *first = asked(&l), *second = asked(&l);
	hn_session *session = NULL;

	cr_expect_eq(activate_at(&l, first, os_now(l.os) / OS_SECOND, &session), HN_EEXIST, "%s",
		lab_why(&l));
	cr_expect_null(session);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM cap_breakglass"), 0);
	cr_assert_eq(
		activate_at(&l, second, os_now(l.os) / OS_SECOND, &session), 0, "%s", lab_why(&l));
	hn_session_unref(session);
}

/* What could not be had is no open session, whichever write failed. */
Test(breakglass_edge, leaves_no_session_behind_when_it_cannot_be_had)
{
	int refused = 0;

	for (uint64_t nth = 1; nth < 60; nth++) {
		LAB l = new_lab();
		BASE_AUTO_FREE char *request = asked(&l);
		hn_session *session = NULL;
		int rc;

		hn_os_sim_fail(l.os, nth, true, ENOSPC);
		rc = activate_at(&l, request, os_now(l.os) / OS_SECOND, &session);
		hn_os_sim_fail(l.os, 0, false, 0);
		refused += rc < 0;
		cr_expect_eq(l.host->rights->sessions, rc >= 0, "call %llu: %lld sessions",
			(unsigned long long)nth, (long long)l.host->rights->sessions);
		hn_session_unref(session);
		cr_expect_eq(l.host->rights->sessions, 0, "call %llu, at its end: %lld sessions",
			(unsigned long long)nth, (long long)l.host->rights->sessions);
	}
	cr_expect_gt(refused, 10);
}
