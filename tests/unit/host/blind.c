/* SPDX-License-Identifier: MIT
 *
 * What goes on with a session while it cannot be told whether that is over: on for a few seconds,
 * and no longer; and what is over is ended with the first look that can tell.
 */
#include "caps/store-private.h"
#include "heap.h"
#include "trust-lab.h"

#define MAY "{\"verbs\":[\"unit.read\",\"unit.console\"],\"on\":\"unit/*\"}"
#define BO "{\"for\":\"bo\",\"ttl\":\"1h\",\"grants\":[" MAY "]}"

static lab new_lab(void)
{
	lab l;

	heap_take();
	l = lab_new();
	trusted_fleet(&l);
	fake.console = true;
	return l;
}

/* The next look begins to read anew what others have changed, and has no memory for it. */
static void blind(lab *l, int64_t later)
{
	hn_os_sim_advance(l->os, later);
	l->host->rights->store->stale = true;
	heap.hit = false;
	heap.fail_at = heap.calls + 1;
}

static int wait_now(lab *l, hn_session *session)
{
	int rc = hn_session_wait(session, 0, NULL, lab_err(l));

	cr_expect(heap.hit, "the look could tell");
	heap.fail_at = 0;
	return rc;
}

Test(blind, who_holds_a_console_goes_on_for_some_looks)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, BO);
	hn_console *console = NULL;

	cr_assert_eq(hn_unit_console_open(session, "web-1", &console, lab_err(&l)), 0, "%s",
		lab_why(&l));
	for (int i = 0; i < 5; i++) {
		blind(&l, OS_SECOND / 2);
		cr_expect_eq(wait_now(&l, session), 0, "%s", lab_why(&l));
		cr_expect_null(l.err);
	}
	cr_expect_eq(hn_console_ended(console, lab_err(&l)), 0, "%s", lab_why(&l));
	(void)hn_console_free(console);
}

Test(blind, and_no_longer)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, BO);

	blind(&l, 3 * OS_SECOND);
	cr_expect_eq(wait_now(&l, session), HN_ENOMEM);
	cr_expect_eq(hn_session_wait(session, 0, NULL, lab_err(&l)), 0, "it is not lost: %s",
		lab_why(&l));
	blind(&l, OS_SECOND);
	cr_expect_eq(wait_now(&l, session), 0, "seconds begin anew: %s", lab_why(&l));
}

Test(blind, what_is_revoked_ends_with_the_first_look_that_can_tell)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, BO);

	blind(&l, OS_SECOND / 2);
	cr_expect_eq(wait_now(&l, session), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_cap_revoke(l.session, "subject", "bo", lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, OS_SECOND / 4);
	cr_expect_eq(hn_session_wait(session, 0, NULL, lab_err(&l)), HN_ESESSION);
}

static int ask(lab *l, const host_permit *permit)
{
	int rc = base_permit_live(&permit->base, lab_err(l));

	cr_expect(heap.hit, "the look could tell");
	heap.fail_at = 0;
	return rc;
}

/* An export, a start, a wait for a console. */
Test(blind, work_that_was_let_in_goes_on_as_long)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, BO);
	host_permit permit = {0};

	cr_assert_eq(host_admit(session, HN_VERB_UNIT_READ, "unit/*", NULL, &permit, lab_err(&l)),
		0, "%s", lab_why(&l));
	for (int i = 0; i < 5; i++) {
		blind(&l, OS_SECOND / 2);
		cr_expect_eq(ask(&l, &permit), 0, "%s", lab_why(&l));
		cr_expect_null(l.err);
	}
	blind(&l, OS_SECOND / 2);
	cr_expect_eq(ask(&l, &permit), HN_ENOMEM);
	cr_expect_eq(base_permit_live(&permit.base, lab_err(&l)), 0, "%s", lab_why(&l));
}
