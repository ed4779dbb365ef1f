/* SPDX-License-Identifier: MIT
 *
 * The process dies at each write to the hypervisor, before and after its effect: from then on no
 * call of it reaches disk or hypervisor. The next process applies again and must end where an
 * undisturbed one does.
 */
#include "sim/lab.h"

#include <errno.h>

#define NOTHING "{\"hypernix\":1}"

static void stop_io(void *arg)
{
	hn_os_sim_fail(arg, 1, true, EIO);
}

typedef struct story {
	const char *const *declarations; /* one after the other; the last is the one under fire */
	size_t count;
	const char *on_remove;
} story;

static int apply_last(lab *l, const story *s)
{
	hn_plan_options options = lab_options();
	int rc;

	options.on_remove = s->on_remove;
	rc = lab_plan_with(l, s->declarations[s->count - 1], options);
	return rc < 0 ? rc : lab_apply_plan(l, HN_ON_ERROR_STOP);
}

static lab begin(const story *s)
{
	lab l = lab_new();

	for (size_t i = 0; i + 1 < s->count; i++)
		lab_must_apply(&l, s->declarations[i]);
	return l;
}

/* Names, states and values of all domains; uuids and digests differ from run to run. */
static char *describe(lab *l)
{
	base_buf text = {0};

	for (size_t i = 0; i < FAKE_DOMAINS; i++) {
		const fake_domain *domain = &fake.domains[i];

		if (!domain->there)
			continue;
		base_buf_format(&text, "%s %s:", domain->name, hn_unit_status_name(domain->status));
		for (size_t j = 0; j < domain->count; j++)
			if (domain->values[j].has_persistent || domain->values[j].has_live)
				base_buf_format(&text, " %s=%s/%s", domain->values[j].key,
					domain->values[j].has_live ? domain->values[j].live : "-",
					domain->values[j].has_persistent
						? domain->values[j].persistent
						: "-");
		base_buf_format(
			&text, " applied %s\n", lab_applied(l, domain->name, "compute.units"));
	}
	base_buf_format(&text, "units %llu\n",
		(unsigned long long)lab_number(
			l, "SELECT count(*) FROM unit WHERE undeclared = 0"));
	return base_buf_take(&text);
}

static unsigned undisturbed(const story *s, char **end)
{
	LAB l = begin(s);
	unsigned before = fake.writes;

	cr_assert_eq(apply_last(&l, s), 0, "%s", lab_why(&l));
	*end = describe(&l);
	return fake.writes - before;
}

static void die_at(
	const story *s, unsigned nth, bool after, hn_os_sim_crash how, const char *expected)
{
	LAB l = begin(s);
	char *end;

	fake.died = stop_io;
	fake.arg = l.os;
	fake.fault.die_at = fake.writes + nth;
	fake.fault.die_after = after;
	cr_assert_lt(apply_last(&l, s), 0, "it did not notice its death at write %u", nth);
	lab_close(&l);
	hn_os_sim_fail(l.os, 0, false, 0);
	cr_assert_eq(hn_os_sim_crash_now(l.os, how, nth, NULL), 0);
	fake.dead = false;
	fake.fault = (fake_fault){0};
	cr_assert_eq(lab_open(&l), 0, "%s", lab_why(&l));
	cr_assert_eq(hn_state_verify(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(
		apply_last(&l, s), 0, "write %u%s: %s", nth, after ? " after" : "", lab_why(&l));
	end = describe(&l);
	cr_expect_str_eq(end, expected, "write %u%s", nth, after ? ", after its effect" : "");
	base_free(end);
	cr_expect_eq(lab_number(&l, "SELECT count(*) FROM step WHERE status = 1"), 0);
	cr_assert_eq(apply_last(&l, s), 0);
	cr_expect(hn_plan_empty(l.plan), "write %u: a second apply has %zu steps", nth,
		lab_steps(&l));
}

static void die_everywhere(const story *s)
{
	char *expected = NULL;
	unsigned writes = undisturbed(s, &expected);

	cr_assert_gt(writes, 0);
	for (unsigned nth = 1; nth <= writes; nth++) {
		die_at(s, nth, false, HN_OS_SIM_CRASH_KEEP, expected);
		die_at(s, nth, true, HN_OS_SIM_CRASH_KEEP, expected);
		die_at(s, nth, false, HN_OS_SIM_CRASH_DROP, expected);
		die_at(s, nth, true, HN_OS_SIM_CRASH_DROP, expected);
	}
	base_free(expected);
}

#define FLEET                                                                                         \
	"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true,\"compute.units\":50}}," \
	"\"b\":{\"overrides\":{\"autostart\":true,\"update.restart\":\"now\"}},\"c\":{}}}"

Test(kill, while_a_fleet_is_made)
{
	static const char *const declarations[] = {FLEET};

	die_everywhere(&(story){declarations, 1, NULL});
}

Test(kill, during_live_changes)
{
	static const char *const declarations[] = {FLEET,
		"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true,\"compute.units\":80,"
		"\"compute.limit\":90,\"disks.d.source\":\"/d\",\"disks.d.size\":\"1Gi\"}},"
		"\"b\":{\"overrides\":{\"autostart\":true,\"update.restart\":\"now\",\"compute.units\":10}},"
		"\"c\":{}}}"};

	die_everywhere(&(story){declarations, 2, NULL});
}

Test(kill, during_a_restart)
{
	static const char *const declarations[] = {FLEET,
		"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true,\"compute.units\":50}},"
		"\"b\":{\"overrides\":{\"autostart\":true,\"update.restart\":\"now\","
		"\"cpu.model\":\"qemu64\"}},\"c\":{}}}"};

	die_everywhere(&(story){declarations, 2, NULL});
}

Test(kill, while_a_change_is_made_pending)
{
	static const char *const declarations[] = {FLEET,
		"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true,\"compute.units\":60,"
		"\"cpu.model\":\"qemu64\"}},"
		"\"b\":{\"overrides\":{\"autostart\":true,\"update.restart\":\"now\"}},\"c\":{}}}"};

	die_everywhere(&(story){declarations, 2, NULL});
}

Test(kill, while_units_are_removed)
{
	static const char *const declarations[] = {FLEET, "{\"hypernix\":1,\"units\":{\"c\":{}}}"};

	die_everywhere(&(story){declarations, 2, "destroy"});
}

Test(kill, while_units_are_stopped)
{
	static const char *const declarations[] = {FLEET, NOTHING};

	die_everywhere(&(story){declarations, 2, "stop"});
}

Test(kill, while_a_stopped_unit_is_redefined)
{
	static const char *const declarations[] = {FLEET,
		"{\"hypernix\":1,\"units\":{\"a\":{\"overrides\":{\"autostart\":true,\"compute.units\":50}},"
		"\"b\":{\"overrides\":{\"autostart\":true,\"update.restart\":\"now\"}},"
		"\"c\":{\"overrides\":{\"memory.size\":\"1Gi\"}}}}"};

	die_everywhere(&(story){declarations, 2, NULL});
}

/* --- the disk is full --- */

static void fill_disk(unsigned nth)
{
	static const char *const declarations[] = {FLEET};
	story s = {declarations, 1, NULL};
	LAB l = lab_new();
	char *expected = NULL, *end;
	int rc;

	lab_free(&l);
	(void)undisturbed(&s, &expected);
	l = begin(&s);
	hn_os_sim_fail(l.os, nth, true, ENOSPC);
	rc = apply_last(&l, &s);
	hn_os_sim_fail(l.os, 0, false, 0);
	if (rc < 0)
		cr_expect(rc == HN_ENOSPC, "call %u: %s: %s", nth, hn_code_name(rc), lab_why(&l));
	lab_reopen(&l);
	cr_assert_eq(hn_state_verify(l.session, lab_err(&l)), 0, "%s", lab_why(&l));
	cr_assert_eq(apply_last(&l, &s), 0, "call %u: %s", nth, lab_why(&l));
	end = describe(&l);
	cr_expect_str_eq(end, expected, "call %u", nth);
	base_free(end);
	base_free(expected);
}

Test(disk_full, at_many_points_of_an_apply)
{
	for (unsigned nth = 1; nth < 400; nth += 7)
		fill_disk(nth);
}
