/* SPDX-License-Identifier: MIT
 *
 * What passes by itself ends no session: somebody else who writes, memory that is short for a
 * moment.
 */
#include "caps/store-private.h"
#include "heap.h"
#include "trust-lab.h"

#define READ                                                                                       \
	"{\"for\":\"carol\",\"ttl\":\"8h\",\"grants\":[{\"verbs\":[\"unit.read\"],"                \
	"\"on\":\"unit/*\"}]}"

static lab new_lab(void)
{
	lab l;

	heap_take();
	l = lab_new();
	trusted_fleet(&l);
	return l;
}

static state_store *other_writer(lab *l)
{
	state_store *store = NULL;

	cr_assert_eq(state_open(l->os, l->host->store->path, false, false, &store, lab_err(l)), 0,
		"%s", lab_why(l));
	cr_assert_eq(state_begin(store, lab_err(l)), 0, "%s", lab_why(l));
	return store;
}

/* The mark of the clock is due once a minute, and cannot be written now. */
Test(transient, a_busy_database_ends_no_session)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ);
	BASE_AUTO_OF(state_store) state_store *other = NULL;
	int64_t marked = (int64_t)lab_number(&l, "SELECT wall FROM clock_mark");

	hn_os_sim_advance(l.os, 61 * OS_SECOND);
	other = other_writer(&l);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_null(l.err);
	cr_expect_eq((int64_t)lab_number(&l, "SELECT wall FROM clock_mark"), marked);
	state_rollback(other);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
	hn_os_sim_advance(l.os, 6 * OS_SECOND);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_expect_gt((int64_t)lab_number(&l, "SELECT wall FROM clock_mark"), marked);
}

Test(transient, a_busy_database_neither_hides_that_the_clock_has_stepped)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ);
	BASE_AUTO_OF(state_store) state_store *other = NULL;

	hn_os_sim_step(l.os, -3600 * OS_SECOND);
	hn_os_sim_advance(l.os, OS_SECOND);
	other = other_writer(&l);
	cr_expect_eq(hn_session_live(session, lab_err(&l)), HN_ESESSION);
	cr_expect_not_null(strstr(lab_why(&l), "clock"), "%s", lab_why(&l));
	state_rollback(other);
}

/* Whichever piece of memory is missing: it says so, and the session is there when there is some. */
Test(transient, memory_that_is_short_ends_no_session)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ);
	int refused = 0;

	for (unsigned long nth = 1;; nth++) {
		int rc;

		/* a look that reads anew what others have changed, and keeps the mark */
		hn_os_sim_advance(l.os, 61 * OS_SECOND);
		l.host->rights->store->stale = true;
		heap.hit = false;
		heap.fail_at = heap.calls + nth;
		rc = hn_session_live(session, lab_err(&l));
		heap.fail_at = 0;
		refused += rc < 0;
		cr_expect(rc == 0 || rc == HN_ENOMEM, "allocation %lu: %s", nth, lab_why(&l));
		cr_assert_eq(hn_session_live(session, lab_err(&l)), 0, "allocation %lu: %s", nth,
			lab_why(&l));
		if (!heap.hit)
			break;
	}
	cr_expect_gt(refused, 0, "no allocation was missed");
}

Test(transient, who_waits_for_the_end_goes_on_waiting)
{
	LAB l = new_lab();
	BASE_AUTO_OF(hn_session) hn_session *session = opened(&l, READ);

	for (unsigned long nth = 1; nth < 40; nth++) {
		hn_os_sim_advance(l.os, 61 * OS_SECOND);
		cr_assert_eq(hn_session_live(session, lab_err(&l)), 0, "%s", lab_why(&l));
		l.host->rights->store->stale = true;
		heap.fail_at = heap.calls + nth;
		cr_expect_eq(hn_session_wait(session, OS_SECOND, NULL, lab_err(&l)), 0,
			"allocation %lu: %s", nth, lab_why(&l));
		heap.fail_at = 0;
		cr_expect_null(l.err);
	}
}
