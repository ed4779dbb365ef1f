/* SPDX-License-Identifier: MIT
 *
 * A hypervisor that is away: what is recorded meanwhile, and what is not.
 */
#include "host/restart.h"
#include "machine/libvirt-calls.h"
#include "runtime-help.h"

#define EVENT(name) "org.hypernix.unit." name ".v1"

static libvirt_calls there;

static virDomainPtr no_answer(virConnectPtr connection, const char *uuid)
{
	(void)connection;
	(void)uuid;
	there.virResetLastError();
	return NULL; /* no error of libvirt's: HN_EDRIVER, as when the connection broke */
}

static void hypervisor_goes(void)
{
	there = lv;
	lv.virDomainLookupByUUIDString = no_answer;
}

static void hypervisor_returns(void)
{
	lv = there;
}

static hn_unit *reload(world *w)
{
	hn_unit *unit = NULL;

	cr_assert_eq(host_unit_load(w->host, "web", &unit, &w->err), 0, "%s", why(w));
	return unit;
}

static hn_unit_status status_now(world *w)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = reload(w);

	return unit->status;
}

static void tell(world *w, hn_unit_status status, const char *detail)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = reload(w);
	machine_event event = {.status = status, .detail = detail};

	memcpy(event.uuid, unit->uuid, sizeof(event.uuid));
	cr_assert_eq(host_supervise_event(w->session, &event, &w->err), 0, "%s", why(w));
}

static void make(world *w, bool start)
{
	(void)hn_unit_unref(
		make_unit(w, "web", TEXTS("restart.policy", "restart.backoff", "restart.limit"),
			TEXTS("always", "0s", "2")));
	cr_assert_eq(hn_machine_open(w->session, &w->err), 0, "%s", why(w)); /* loads libvirt */
	if (start)
		cr_assert_eq(hn_unit_start(w->session, "web", NULL, &w->err), 0, "%s", why(w));
}

/* Ends the domain past the gates. */
static void destroy(world *w)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = reload(w);
	base_permit permit = {.verb = HN_VERB_UNIT_STOP, .deadline = INT64_MAX};
	machine *m = NULL;

	(void)host_object_unit(permit.objects[0], unit->uuid);
	cr_assert_eq(host_machine(w->host, &m, &w->err), 0, "%s", why(w));
	cr_assert_eq(machine_stop(&permit, m, unit->uuid, 0, true, NULL, &w->err), 0, "%s", why(w));
}

static host_restart restarts(world *w)
{
	BASE_AUTO_OF(hn_unit) hn_unit *unit = reload(w);
	host_restart state;

	cr_assert_eq(host_restart_load(w->host, unit->id, &state, &w->err), 0, "%s", why(w));
	return state;
}

TestSuite(outage, .timeout = 60);

Test(outage, is_recorded_and_ends_when_the_unit_is_seen_again)
{
	AUTO_WORLD world w = new_world(NULL);

	make(&w, true);
	hypervisor_goes();
	tell(&w, HN_UNIT_UNREACHABLE, "connection-lost");
	cr_expect_eq(status_now(&w), HN_UNIT_UNREACHABLE);
	hypervisor_returns();
	tell(&w, HN_UNIT_RUNNING, "listed");
	cr_expect_eq(status_now(&w), HN_UNIT_RUNNING);
	cr_expect_eq(count_events(&w, EVENT("state.changed")), 3);
}

Test(outage, that_is_over_when_it_is_told_is_none)
{
	AUTO_WORLD world w = new_world(NULL);

	make(&w, true);
	tell(&w, HN_UNIT_UNREACHABLE, "connection-lost");
	cr_expect_eq(status_now(&w), HN_UNIT_RUNNING);
}

Test(outage, proves_no_domain_gone_or_ended)
{
	AUTO_WORLD world w = new_world(NULL);

	make(&w, true);
	hypervisor_goes();
	tell(&w, HN_UNIT_ABSENT, "noticed");
	tell(&w, HN_UNIT_STOPPED, "destroyed");
	cr_expect_eq(status_now(&w), HN_UNIT_RUNNING);
	hypervisor_returns();
}

Test(outage, in_which_a_unit_ended_is_followed_by_its_restart)
{
	AUTO_WORLD world w = new_world(NULL);

	make(&w, true);
	hypervisor_goes();
	tell(&w, HN_UNIT_UNREACHABLE, "connection-lost");
	hypervisor_returns();
	destroy(&w);
	tell(&w, HN_UNIT_STOPPED, "listed");
	cr_expect_eq(status_now(&w), HN_UNIT_STOPPED);
	cr_expect_neq(restarts(&w).due, 0);
}

Test(outage, keeps_that_a_unit_was_ready)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	make(&w, true);
	unit = reload(&w);
	cr_assert_eq(host_unit_set_status(w.host, unit, HN_UNIT_RUNNING, 1, &w.err), 0);
	hypervisor_goes();
	tell(&w, HN_UNIT_UNREACHABLE, "connection-lost");
	hypervisor_returns();
	tell(&w, HN_UNIT_RUNNING, "listed");
	(void)hn_unit_unref(unit);
	unit = reload(&w);
	cr_expect_eq(unit->status, HN_UNIT_RUNNING);
	cr_expect_eq(unit->ready, 1);
}

Test(outage, uses_up_no_restart)
{
	AUTO_WORLD world w = new_world(NULL);
	int64_t now;

	make(&w, true);
	destroy(&w);
	tell(&w, HN_UNIT_STOPPED, "destroyed");
	now = restarts(&w).due;
	cr_assert_neq(now, 0);
	hypervisor_goes();
	for (int i = 0; i < 5; i++, now = restarts(&w).due)
		cr_assert_eq(host_supervise_due(w.session, now, &w.err), 0, "%s", why(&w));
	cr_expect_eq(restarts(&w).count, 0);
	cr_expect_not(restarts(&w).given_up);
	hypervisor_returns();
	cr_expect_eq(host_supervise_due(w.session, now, &w.err), 1, "%s", why(&w));
	cr_expect_eq(status_now(&w), HN_UNIT_RUNNING);
}

Test(outage, makes_a_start_fail_and_nothing_else)
{
	AUTO_WORLD world w = new_world(NULL);

	make(&w, true);
	hypervisor_goes();
	cr_expect_eq(hn_unit_start(w.session, "web", NULL, &w.err), HN_EDRIVER);
	cr_expect_eq(status_now(&w), HN_UNIT_UNREACHABLE);
	hypervisor_returns();
	w.err = hn_error_unref(w.err);
	cr_expect_eq(hn_unit_start(w.session, "web", NULL, &w.err), 1, "%s", why(&w));
}

Test(outage, leaves_a_unit_that_is_off_what_it_is)
{
	AUTO_WORLD world w = new_world(NULL);
	hn_unit_status before;

	make(&w, false);
	before = status_now(&w);
	hypervisor_goes();
	cr_expect_eq(hn_unit_start(w.session, "web", NULL, &w.err), HN_EDRIVER);
	cr_expect_eq(status_now(&w), before);
	hypervisor_returns();
}

Test(outage, makes_a_stop_fail_and_the_unit_goes_on_to_be_wanted)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *unit = NULL;

	make(&w, true);
	hypervisor_goes();
	cr_expect_eq(hn_unit_stop(w.session, "web", NULL, NULL, &w.err), HN_EDRIVER);
	hypervisor_returns();
	unit = reload(&w);
	cr_expect_eq(unit->wanted, HOST_WANTED_RUNNING);
}
