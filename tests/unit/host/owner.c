/* SPDX-License-Identifier: MIT
 *
 * The owner of a machine: waiting until another lets go of it, and taking all that it tells.
 */
#include "host/restart.h"
#include "runtime-help.h"

#define SECOND INT64_C(1000000000)

Test(owner, a_wait_for_another_owner_can_be_cancelled)
{
	AUTO_WORLD world w = new_world(NULL);
	hn_host_options options = HN_HOST_OPTIONS_INIT;
	hn_cancel *cancel = NULL;
	world second = {0};

	cr_assert_eq(hn_machine_open(w.session, &w.err), 0, "%s", why(&w));
	cr_assert_eq(hn_cancel_new(&cancel, NULL), 0);
	options.state = w.directory;
	options.uri = w.uri;
	options.lock_wait = 5 * SECOND;
	options.cancel = cancel;
	cr_assert_eq(hn_host_open(&options, &second.host, &second.err), 0, "%s", why(&second));
	hn_cancel_trigger(cancel);
	hn_cancel_unref(cancel); /* the host holds its own */
	cr_assert_eq(hn_session_open_local(second.host, NULL, &second.session, &second.err), 0);
	cr_assert_eq(hn_machine_open(second.session, &second.err), HN_ECANCELLED);
	close_world(&second);
	(void)hn_error_unref(second.err);
}

/* What is stored of one unit is damaged: the end of another is on record all the same. */
Test(owner, one_that_fails_keeps_no_other_from_being_taken)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *good = NULL;
	int64_t deadline = os_monotonic(hn_os_real()) + 60 * SECOND;
	int rc = 0;

	(void)hn_unit_unref(make_unit(&w, "bad", TEXTS("compute.units"), TEXTS("10")));
	(void)hn_unit_unref(make_unit(&w, "good", TEXTS("compute.units"), TEXTS("20")));
	cr_assert_eq(hn_unit_start(w.session, "bad", NULL, &w.err), 0, "%s", why(&w));
	cr_assert_eq(hn_unit_start(w.session, "good", NULL, &w.err), 0, "%s", why(&w));
	destroy_behind(&w, "bad");
	destroy_behind(&w, "good");
	cr_assert_eq(state_exec(w.host->store,
			     "UPDATE view SET body = x'00' WHERE id IN (SELECT body FROM unit_view"
			     " WHERE unit = (SELECT id FROM unit WHERE name = 'bad'))",
			     &w.err),
		0, "%s", why(&w));
	while (rc >= 0 && os_monotonic(hn_os_real()) < deadline)
		rc = host_supervise_drain(w.session, SECOND / 10, &w.err);
	cr_assert_lt(rc, 0);
	cr_assert_not_null(strstr(hn_error_message(w.err), "cannot be read"));
	cr_assert_eq(host_unit_load(w.host, "good", &good, NULL), 0);
	cr_assert_eq(good->status, HN_UNIT_STOPPED);
}
