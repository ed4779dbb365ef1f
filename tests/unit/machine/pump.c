/* SPDX-License-Identifier: MIT
 *
 * What wakes the owner: logs that grew, and the timer that bounds all of them.
 */
#include "fixture.h"

#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define OTHER "22222222-2222-4333-8444-555555555555"

static char root[40];
static machine m;
static int opened_first, opened_other;
static hn_os_ops counting;
static hn_os os = {&counting};

static int count_open(hn_os *self, const char *path, int flags, mode_t mode)
{
	opened_first += strstr(path, UUID) != NULL && strstr(path, "console.log") != NULL;
	opened_other += strstr(path, OTHER) != NULL && strstr(path, "console.log") != NULL;
	return hn_os_real()->ops->open(self, path, flags, mode);
}

static void log_path(const char *uuid, char path[160])
{
	snprintf(path, 160, "%s/unit/%s/console.log", root, uuid);
}

static void add_to_log(const char *uuid, const char *text)
{
	char path[160];
	FILE *file;

	log_path(uuid, path);
	file = fopen(path, "a");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static void add_unit(const char *uuid)
{
	machine_live *live;
	char dir[256];

	machine_unit_dir(root, uuid, dir);
	cr_assert_eq(os_mkdirs(&os, dir, 0700, NULL), 0);
	add_to_log(uuid, "");
	cr_assert_eq(machine_live_open(&m, uuid, 0, &live, NULL), 0);
	cr_assert_geq(live->watch, 0);
}

static void begin(void)
{
	counting = *hn_os_real()->ops;
	counting.open = count_open;
	strcpy(root, "/tmp/hn-pump-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	m = (machine){.os = &os, .root = root, .ops = machine_driver_find(NULL), .timer = -1};
	m.live = base_map_new(NULL);
	cr_assert_eq(machine_queue_init(&m.queue, NULL), 0);
	cr_assert_eq(machine_pump_init(&m, NULL), 0);
	add_unit(UUID);
	add_unit(OTHER);
	opened_first = opened_other = 0;
}

static void end(void)
{
	machine_pump_destroy(&m);
	machine_queue_destroy(&m.queue);
	base_map_free(m.live);
	os_remove_tree(hn_os_real(), root, NULL);
}

TestSuite(pump, .init = begin, .fini = end, .timeout = 60);

Test(pump, only_the_log_that_grew_is_read)
{
	add_to_log(UUID, "Linux version 6\n");
	cr_expect_gt(machine_pump(&m, MACHINE_SECOND, NULL), 0);
	cr_expect_gt(opened_first, 0);
	cr_expect_eq(opened_other, 0, "nothing was written there");
	cr_expect_str_eq(machine_live_find(&m, UUID)->last, "Linux version 6");
	add_to_log(OTHER, "other\n");
	cr_expect_gt(machine_pump(&m, MACHINE_SECOND, NULL), 0);
	cr_expect_gt(opened_other, 0);
	cr_expect_str_eq(machine_live_find(&m, OTHER)->last, "other");
}

Test(pump, timer_bounds_logs_that_nobody_watches)
{
	const struct itimerspec now = {.it_value = {.tv_nsec = 1}};
	uint64_t piece = base_limit(BASE_LIMIT_CONSOLE_LOG_BYTES) / 4;
	struct stat status;
	char path[160];

	machine_live_close(&m, UUID);
	log_path(UUID, path);
	cr_assert_eq(truncate(path, (off_t)piece * 2), 0);
	machine_pump(&m, 0, NULL);
	cr_assert_geq(m.timer, 0);
	cr_assert_eq(timerfd_settime(m.timer, 0, &now, NULL), 0);
	cr_expect_geq(machine_pump(&m, MACHINE_SECOND, NULL), 0);
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_size, 0);
	strcat(path, ".1");
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq((uint64_t)status.st_size, piece);
}

static unsigned mended;

static int64_t mend_soon(machine *self)
{
	(void)self;
	return ++mended < 3 ? MACHINE_SECOND / 100 : -1;
}

static void collect(void *arg, const machine_event *event)
{
	unsigned *lost = arg;

	cr_expect_eq(event->status, HN_UNIT_UNREACHABLE);
	cr_expect(strcmp(event->uuid, UUID) == 0 || strcmp(event->uuid, OTHER) == 0);
	++*lost;
}

Test(pump, a_lost_connection_is_told_of_every_unit)
{
	machine_event event = {.status = HN_UNIT_UNREACHABLE, .detail = "connection-lost"};
	unsigned lost = 0;

	machine_queue_put(&m.queue, &event);
	cr_assert_geq(machine_step(&m, 0, collect, &lost, NULL), 0);
	cr_expect_eq(lost, 2);
}

Test(pump, a_broken_connection_is_tried_again_while_nobody_calls)
{
	hn_machine_ops ops = *m.ops;

	ops.mend = mend_soon;
	m.ops = &ops;
	mended = 0;
	cr_expect_eq(machine_step(&m, 30 * MACHINE_SECOND, NULL, NULL, NULL), 0);
	cr_expect_eq(machine_step(&m, 30 * MACHINE_SECOND, NULL, NULL, NULL), 0);
	cr_expect_eq(mended, 2);
}

static int list_down(machine *self, int (*each)(void *arg, const machine_brief *brief), void *arg,
	hn_error **err)
{
	machine_brief brief = {.uuid = UUID, .status = HN_UNIT_CRASHED, .detail = "crashed"};

	(void)self;
	(void)err;
	return each(arg, &brief);
}

Test(pump, a_guest_that_ended_unheard_has_ended)
{
	hn_machine_ops ops = *m.ops;

	ops.list = list_down;
	m.ops = &ops;
	machine_queue_lose(&m.queue);
	cr_assert_geq(machine_pump(&m, 0, NULL), 0);
	cr_expect(machine_live_find(&m, UUID)->ended);
	cr_expect_eq(machine_live_find(&m, UUID)->end_status, HN_UNIT_CRASHED);
	cr_expect_not(machine_live_find(&m, OTHER)->ended);
}

static int list_fails(machine *self, int (*each)(void *arg, const machine_brief *brief), void *arg,
	hn_error **err)
{
	(void)self;
	(void)each;
	(void)arg;
	return base_error(err, HN_EDRIVER, MACHINE_ROOM, NULL, "away");
}

/* What could not be listed is still not known: the next event brings it. */
Test(pump, a_list_that_failed_is_made_again)
{
	const hn_machine_ops *real = m.ops;
	hn_machine_ops ops = *real;
	machine_event event = {.uuid = OTHER, .status = HN_UNIT_RUNNING, .detail = "resumed"};

	ops.list = list_fails;
	m.ops = &ops;
	machine_queue_lose(&m.queue);
	cr_expect_eq(machine_pump(&m, 0, NULL), HN_EDRIVER);
	ops.list = list_down;
	machine_queue_put(&m.queue, &event);
	cr_assert_geq(machine_pump(&m, 0, NULL), 0);
	cr_expect(machine_live_find(&m, UUID)->ended);
	m.ops = real;
}

Test(pump, a_lost_connection_is_not_told_of_a_unit_that_has_ended)
{
	machine_event event = {.status = HN_UNIT_UNREACHABLE, .detail = "connection-lost"};
	unsigned lost = 0;

	machine_live_find(&m, OTHER)->ended = true;
	machine_queue_put(&m.queue, &event);
	cr_assert_geq(machine_step(&m, 0, collect, &lost, NULL), 0);
	cr_expect_eq(lost, 1);
}

static int64_t mended_already(machine *self)
{
	(void)self;
	return -1;
}

/* Who watches over units must outlive a daemon that goes again while it is asked. */
Test(pump, a_connection_that_breaks_while_it_is_listed_is_no_failure)
{
	const hn_machine_ops *real = m.ops;
	hn_machine_ops ops = *real;
	hn_error *err = NULL;

	ops.list = list_fails;
	ops.mend = mended_already;
	m.ops = &ops;
	machine_queue_lose(&m.queue);
	cr_expect_eq(machine_pump(&m, 0, &err), 0);
	cr_expect_null(err);
	ops.list = list_down;
	machine_queue_lose(&m.queue);
	cr_assert_geq(machine_pump(&m, 0, NULL), 0);
	cr_expect(machine_live_find(&m, UUID)->ended);
	m.ops = real;
}
