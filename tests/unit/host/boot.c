/* SPDX-License-Identifier: MIT
 *
 * Boots: which phase missed the goal, how they are kept, and that only the last sixteen are.
 */
#include "host/boot-record.h"
#include "runtime-help.h"

#include <criterion/criterion.h>

#define MS INT64_C(1000000)

typedef struct part {
	const char *name;
	int64_t wall, cpu;
} part;

static machine_boot boot_of(const part *parts, size_t count, bool ready)
{
	machine_boot boot = {.count = count, .ready = ready};

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(boot.phase[i].name, sizeof(boot.phase[i].name), "%s", parts[i].name);
		boot.phase[i].wall = parts[i].wall * MS;
		boot.phase[i].cpu = parts[i].cpu * MS;
	}
	return boot;
}
#define BOOT(ready, ...)                                                                           \
	boot_of((const part[]){__VA_ARGS__}, sizeof((const part[]){__VA_ARGS__}) / sizeof(part),   \
		ready)

static machine_boot usual_boot(void)
{
	return BOOT(true, {"define", 10, 1}, {"start", 200, 100}, {"firmware+kernel", 3000, 2500},
		{"userspace", 500, 300}, {"ready", 100, 50});
}

/* --- the phase that missed --- */

Test(missed, goal_reached_names_none)
{
	machine_boot boot = usual_boot();

	cr_assert_eq(host_boot_find_missed(&boot, 3810 * MS, false, NULL, 0), -1);
	cr_assert_eq(host_boot_find_missed(&boot, 2951 * MS, true, NULL, 0), -1);
}

Test(missed, one_nanosecond_over_is_missed)
{
	machine_boot boot = usual_boot();

	cr_assert_eq(host_boot_find_missed(&boot, 3810 * MS - 1, false, NULL, 0), 2);
	cr_assert_eq(host_boot_find_missed(&boot, 2951 * MS - 1, true, NULL, 0), 2);
}

Test(missed, without_history_the_longest_phase)
{
	machine_boot boot = BOOT(true, {"a", 10, 500}, {"b", 300, 20}, {"c", 20, 10});

	cr_assert_eq(host_boot_find_missed(&boot, 1, false, NULL, 0), 1);
	cr_assert_eq(host_boot_find_missed(&boot, 1, true, NULL, 0), 0);
}

Test(missed, with_history_the_largest_excess)
{
	hn_boot past[3] = {
		{.phases = usual_boot()}, {.phases = usual_boot()}, {.phases = usual_boot()}};
	machine_boot boot = BOOT(true, {"define", 10, 1}, {"start", 200, 100},
		{"firmware+kernel", 3100, 2500}, {"userspace", 900, 300}, {"ready", 100, 50});

	cr_assert_eq(host_boot_find_missed(&boot, 4000 * MS, false, past, 3), 3);
}

Test(missed, median_not_mean)
{
	/* one boot with a slow userspace must not hide the next one */
	hn_boot past[3] = {
		{.phases = usual_boot()}, {.phases = usual_boot()}, {.phases = usual_boot()}};
	machine_boot boot = BOOT(true, {"define", 10, 1}, {"start", 900, 100},
		{"firmware+kernel", 3000, 2500}, {"userspace", 1500, 300}, {"ready", 100, 50});

	past[1].phases.phase[3].wall = 100000 * MS;
	cr_assert_eq(host_boot_find_missed(&boot, 4000 * MS, false, past, 3), 3);
}

Test(missed, boots_compared_another_way_do_not_count)
{
	hn_boot past[1] = {{.phases = BOOT(true, {"a", 100, 100}, {"b", 1, 1}), .by_cpu = true}};
	machine_boot boot = BOOT(true, {"a", 90, 90}, {"b", 50, 50});

	cr_assert_eq(host_boot_find_missed(&boot, MS, true, past, 1), 1);
	cr_assert_eq(host_boot_find_missed(&boot, MS, false, past, 1), 0);
}

Test(missed, boots_that_never_were_ready_do_not_count)
{
	hn_boot past[1] = {{.phases = BOOT(false, {"a", 100, 100}, {"b", 1, 1})}};
	machine_boot boot = BOOT(true, {"a", 90, 90}, {"b", 50, 50});

	cr_assert_eq(host_boot_find_missed(&boot, MS, false, past, 1), 0);
	past[0].phases.ready = true;
	cr_assert_eq(host_boot_find_missed(&boot, MS, false, past, 1), 1);
}

/* How long it will take is not known while it goes on. */
Test(missed, a_boot_that_is_not_ready_names_none)
{
	machine_boot boot = BOOT(false, {"start", 900, 1}, {"firmware+kernel", 200, 1});

	cr_assert_eq(host_boot_find_missed(&boot, 1000 * MS, false, NULL, 0), -1);
	boot.ready = true;
	cr_assert_eq(host_boot_find_missed(&boot, 1000 * MS, false, NULL, 0), 0);
}

Test(missed, no_phases_or_no_goal)
{
	machine_boot none = {0}, boot = usual_boot();

	cr_assert_eq(host_boot_find_missed(&none, 1, false, NULL, 0), -1);
	cr_assert_eq(host_boot_find_missed(&boot, 0, false, NULL, 0), -1);
}

/* --- encoding --- */

Test(encoding, round_trip)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	machine_boot boot = usual_boot(), again;

	cr_assert_eq(host_boot_encode(&boot, &bytes, NULL), 0);
	cr_assert_eq(host_boot_decode(bytes.data, bytes.size, &again, NULL), 0);
	cr_assert_eq(again.count, boot.count);
	for (size_t i = 0; i < boot.count; i++) {
		cr_assert_str_eq(again.phase[i].name, boot.phase[i].name);
		cr_assert_eq(again.phase[i].wall, boot.phase[i].wall);
		cr_assert_eq(again.phase[i].cpu, boot.phase[i].cpu);
	}
}

static void add_check(machine_boot *boot, const char *contract, bool ok, const char *detail)
{
	machine_checked *check = &boot->checks[boot->check_count++];

	(void)snprintf(check->contract, sizeof(check->contract), "%s", contract);
	(void)snprintf(check->version, sizeof(check->version), "1.2.0");
	(void)snprintf(check->detail, sizeof(check->detail), "%s", detail);
	check->took = 7 * MS;
	check->ok = ok;
}

Test(encoding, checks_round_trip)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	machine_boot boot = usual_boot(), again;

	add_check(&boot, "service/http", true, "");
	add_check(&boot, "service/db", false, "5432: refused \xc3\xa4");
	(void)strcpy(boot.checks[1].component, "postgres, other");
	(void)strcpy(boot.checks[1].blueprint, "shop");
	cr_assert_eq(host_boot_encode(&boot, &bytes, NULL), 0);
	cr_assert_eq(host_boot_decode(bytes.data, bytes.size, &again, NULL), 0);
	cr_assert_eq(again.count, boot.count);
	cr_assert_eq(again.check_count, 2);
	for (size_t i = 0; i < 2; i++) {
		cr_expect_str_eq(again.checks[i].contract, boot.checks[i].contract);
		cr_expect_str_eq(again.checks[i].version, "1.2.0");
		cr_expect_str_eq(again.checks[i].detail, boot.checks[i].detail);
		cr_expect_str_eq(again.checks[i].component, boot.checks[i].component);
		cr_expect_str_eq(again.checks[i].blueprint, boot.checks[i].blueprint);
		cr_expect_eq(again.checks[i].ok, boot.checks[i].ok);
		cr_expect_eq(again.checks[i].took, 7 * MS);
		cr_expect(again.checks[i].told, "what is recorded was told");
	}
	for (size_t size = 0; size < bytes.size; size++)
		cr_assert_eq(
			host_boot_decode(bytes.data, size, &again, NULL), HN_ECORRUPT, "%zu", size);
}

Test(encoding, as_many_as_there_can_be)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	machine_boot boot = {.count = MACHINE_PHASES}, again;

	for (int i = 0; i < MACHINE_CHECKS; i++)
		add_check(&boot, "a/b", i % 2 == 0, "x");
	cr_assert_eq(host_boot_encode(&boot, &bytes, NULL), 0);
	cr_assert_eq(host_boot_decode(bytes.data, bytes.size, &again, NULL), 0);
	cr_expect_eq(again.count, MACHINE_PHASES);
	cr_expect_eq(again.check_count, MACHINE_CHECKS);
}

Test(encoding, every_cut_is_corrupt)
{
	BASE_AUTO_BUF base_buf bytes = {0};
	machine_boot boot = usual_boot(), again = {.count = 99};

	cr_assert_eq(host_boot_encode(&boot, &bytes, NULL), 0);
	for (size_t size = 0; size < bytes.size; size++)
		cr_assert_eq(
			host_boot_decode(bytes.data, size, &again, NULL), HN_ECORRUPT, "%zu", size);
	cr_assert_eq(again.count, 99);
}

Test(encoding, foreign_shapes_are_corrupt)
{
	static const struct {
		const char *bytes;
		size_t size;
	} shapes[] = {
		{"\xa0", 1},                  /* a map */
		{"\x81\x82\x61x\x01", 5},     /* two fields */
		{"\x81\x83\x61x\x20\x01", 6}, /* negative wall */
		{"\x81\x83\x61x\x01\x20", 6}, /* negative CPU */
		{"\x81\x83\x01\x01\x01", 5},  /* name is a number */
		{"\x80\x00", 2},              /* bytes after the end */
		{"\x8d\x83\x61x\x01\x01\x83\x61x\x01\x01\x83\x61x\x01\x01\x83\x61x\x01\x01"
		 "\x83\x61x\x01\x01\x83\x61x\x01\x01\x83\x61x\x01\x01\x83\x61x\x01\x01"
		 "\x83\x61x\x01\x01\x83\x61x\x01\x01\x83\x61x\x01\x01\x83\x61x\x01\x01"
		 "\x83\x61x\x01\x01",
			66},                                              /* thirteen phases */
		{"\x98\x2d", 2},                                          /* 45 of both */
		{"\x81\x85\x61x\x61y\x02\x01\x61z", 10},                  /* neither kept nor not */
		{"\x81\x85\x61x\x61y\x01\x20\x61z", 10},                  /* negative time */
		{"\x81\x85\x61x\x61y\x01\x01\x01", 9},                    /* detail is a number */
		{"\x81\x87\x61x\x61y\x01\x01\x61z\x61p\x01", 13},         /* so is blueprint */
		{"\x82\x85\x61x\x61y\x01\x01\x61z\x83\x61x\x01\x01", 15}, /* a phase after it */
		{"\x81\x83\x78\x28"
		 "abcdefghijklmnopqrstuvwxyzabcdefghijklmn\x01\x01",
			46}, /* name of 40 bytes */
	};
	machine_boot boot;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		cr_assert_eq(host_boot_decode(shapes[i].bytes, shapes[i].size, &boot, NULL),
			HN_ECORRUPT, "shape %zu", i);
}

/* --- the store --- */

Test(boots, kept_newest_first_and_sixteen)
{
	AUTO_WORLD world w = new_world(NULL);
	hn_boot boots[HOST_BOOTS_KEPT + 4];
	BASE_AUTO_OF(hn_unit) hn_unit *unit = make_unit(&w, "web", NULL, NULL);

	for (int i = 0; i < 20; i++) {
		machine_boot boot = BOOT(true, {"start", 100 + i, 50});

		cr_assert_eq(
			host_boot_store(w.host, unit, &boot, 1000 * MS, &w.err), 0, "%s", why(&w));
	}
	cr_assert_eq(host_boots_read(w.host, unit->id, boots, 20, &w.err), HOST_BOOTS_KEPT, "%s",
		why(&w));
	for (int i = 0; i < HOST_BOOTS_KEPT; i++)
		cr_assert_eq(boots[i].phases.phase[0].wall, (119 - i) * MS);
}

Test(boots, each_unit_has_its_own)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *web = make_unit(&w, "web", NULL, NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *db = make_unit(&w, "db", NULL, NULL);
	machine_boot boot = usual_boot();
	hn_boot boots[HOST_BOOTS_KEPT];

	cr_assert_eq(host_boot_store(w.host, web, &boot, 1000 * MS, &w.err), 0);
	for (int i = 0; i < 17; i++)
		cr_assert_eq(host_boot_store(w.host, db, &boot, 1000 * MS, &w.err), 0);
	cr_assert_eq(host_boots_read(w.host, web->id, boots, HOST_BOOTS_KEPT, NULL), 1);
	cr_assert_eq(host_boots_read(w.host, db->id, boots, HOST_BOOTS_KEPT, NULL), 16);
}

Test(boots, missed_goal_sends_one_event)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *unit = make_unit(&w, "web", NULL, NULL);
	machine_boot boot = usual_boot();

	cr_assert_eq(host_boot_store(w.host, unit, &boot, 10000 * MS, &w.err), 0, "%s", why(&w));
	cr_assert_eq(count_events(&w, "org.hypernix.unit.boot.missed.v1"), 0);
	cr_assert_eq(host_boot_store(w.host, unit, &boot, 1000 * MS, &w.err), 0, "%s", why(&w));
	cr_assert_eq(count_events(&w, "org.hypernix.unit.boot.missed.v1"), 1);
	cr_assert_not_null(strstr(w.last_data, "\"clock\":\"cpu\""), "%s", w.last_data);
	cr_assert_not_null(strstr(w.last_data, "\"taken\":2951000000"), "%s", w.last_data);
}

Test(boots, public_view_of_the_last)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *unit = make_unit(&w, "web", NULL, NULL);
	machine_boot boot = usual_boot();
	hn_boot_phase phase;
	hn_boot *last = NULL;

	cr_assert_eq(hn_unit_boot(w.session, "web", &last, NULL), HN_ENOENT);
	cr_assert_null(last);
	cr_assert_eq(host_boot_store(w.host, unit, &boot, 1000 * MS, &w.err), 0);
	cr_assert_eq(hn_unit_boot(w.session, "web", &last, &w.err), 0, "%s", why(&w));
	cr_assert_eq(hn_boot_goal(last), 1000 * MS);
	cr_assert_eq(hn_boot_total(last), 3810 * MS);
	cr_assert_eq(hn_boot_cpu(last), 2951 * MS);
	cr_assert_eq(hn_boot_phase_at(last, 2, &phase), 0);
	cr_assert_str_eq(phase.name, "firmware+kernel");
	cr_assert_eq(phase.wall, 3000 * MS);
	cr_assert_eq(phase.cpu, 2500 * MS);
	cr_assert(phase.missed);
	cr_assert_eq(hn_boot_phase_at(last, 1, &phase), 0);
	cr_assert_not(phase.missed);
	cr_assert_eq(hn_boot_phase_at(last, 5, &phase), HN_ENOENT);
	cr_assert_null(hn_boot_free(last));
	cr_assert_null(hn_boot_free(NULL));
}

Test(boots, never_ready_has_no_total)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *unit = make_unit(&w, "web", NULL, NULL);
	machine_boot boot = BOOT(false, {"start", 10, 10});
	hn_boot *last = NULL;

	cr_assert_eq(host_boot_store(w.host, unit, &boot, 1000 * MS, &w.err), 0);
	cr_assert_eq(hn_unit_boot(w.session, "web", &last, &w.err), 0);
	cr_assert_eq(hn_boot_total(last), -1);
	(void)hn_boot_free(last);
}

Test(boots, ready_later_completes_the_last)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *unit = make_unit(&w, "web", NULL, NULL);
	machine_boot partial = BOOT(false, {"start", 10, 10}), whole = usual_boot();
	hn_boot boots[HOST_BOOTS_KEPT];

	cr_assert_eq(host_boot_store(w.host, unit, &partial, 1000 * MS, &w.err), 0);
	cr_assert_eq(host_boot_complete(w.host, unit, &whole, &w.err), 0, "%s", why(&w));
	cr_assert_eq(host_boots_read(w.host, unit->id, boots, HOST_BOOTS_KEPT, NULL), 1);
	cr_assert(boots[0].phases.ready);
	cr_assert_eq(boots[0].phases.count, 5);
	cr_assert_eq(boots[0].missed, 2);
	cr_assert_eq(count_events(&w, "org.hypernix.unit.boot.missed.v1"), 1);
	/* a second time, or for a boot that is whole, nothing changes */
	cr_assert_eq(host_boot_complete(w.host, unit, &whole, &w.err), 0);
	cr_assert_eq(count_events(&w, "org.hypernix.unit.boot.missed.v1"), 1);
}

Test(boots, go_with_their_unit)
{
	AUTO_WORLD world w = new_world(NULL);
	BASE_AUTO_OF(hn_unit) hn_unit *unit = make_unit(&w, "web", NULL, NULL);
	machine_boot boot = usual_boot();
	hn_boot boots[HOST_BOOTS_KEPT];

	cr_assert_eq(host_boot_store(w.host, unit, &boot, 1000 * MS, &w.err), 0);
	cr_assert_eq(host_unit_delete(w.host, unit, &w.err), 0, "%s", why(&w));
	cr_assert_eq(host_boots_read(w.host, unit->id, boots, HOST_BOOTS_KEPT, NULL), 0);
}
