/* SPDX-License-Identifier: MIT
 *
 * What a guest says of its contracts: the line, what is kept of it, and the wait that it ends.
 */
#include "fixture.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- the line --- */

static void taken(const char *text, const char *contract, const char *version, bool ok, int64_t ms,
	const char *detail)
{
	machine_checked check = {.told = true};

	cr_assert(machine_check_parse(text, &check), "refused: %s", text);
	cr_expect_str_eq(check.contract, contract);
	cr_expect_str_eq(check.version, version);
	cr_expect_eq(check.ok, ok);
	cr_expect_eq(check.took, ms * MACHINE_MS);
	cr_expect_str_eq(check.detail, detail);
	cr_expect_not(check.told);
}

static void refused(const char *text)
{
	machine_checked check = {.took = 42};

	cr_expect_not(machine_check_parse(text, &check), "taken: %.80s", text);
	cr_expect_eq(check.took, 42, "a refused line leaves nothing behind");
}

Test(check, as_the_init_writes_it)
{
	taken("service/http 1.2.0 ok 120 HTTP/1.0 200 OK", "service/http", "1.2.0", true, 120,
		"HTTP/1.0 200 OK");
	taken("service/http 1.2.0 fail 10010 nc: can't connect", "service/http", "1.2.0", false,
		10010, "nc: can't connect");
	taken("base/glibc 2.36.0-rc.1+r2 ok 0 ok", "base/glibc", "2.36.0-rc.1+r2", true, 0, "ok");
	taken("a/b 1.0.0 ok 5", "a/b", "1.0.0", true, 5, "");
	taken("a/b 1.0.0 ok 5 ", "a/b", "1.0.0", true, 5, "");
	taken("a/b 1.0.0 ok 5  two blanks ", "a/b", "1.0.0", true, 5, " two blanks ");
}

Test(check, words_that_are_missing_or_twice)
{
	refused("");
	refused(" ");
	refused("service/http");
	refused("service/http 1.2.0");
	refused("service/http 1.2.0 ok");
	refused("service/http 1.2.0 ok ");
	refused(" service/http 1.2.0 ok 1 x");
	refused("service/http  1.2.0 ok 1 x");
	refused("service/http 1.2.0  ok 1 x");
	refused("service/http 1.2.0 ok  1 x");
}

Test(check, names_that_are_none)
{
	refused("http 1.2.0 ok 1 x");
	refused("/http 1.2.0 ok 1 x");
	refused("service/ 1.2.0 ok 1 x");
	refused("service/http/x 1.2.0 ok 1 x");
	refused("Service/http 1.2.0 ok 1 x");
	refused("service/ht_tp 1.2.0 ok 1 x");
	refused("../etc 1.2.0 ok 1 x");
	refused("service/\"http 1.2.0 ok 1 x");
}

Test(check, versions_that_are_none)
{
	refused("service/http v1.2.0 ok 1 x");
	refused("service/http 1.2 ok 1 x");
	refused("service/http 01.2.0 ok 1 x");
	refused("service/http 1.2.0+meta ok 1 x");
	refused("service/http 9223372036854775808.0.0 ok 1 x");
	refused("service/http * ok 1 x");
}

Test(check, results_and_times_that_are_none)
{
	refused("service/http 1.2.0 OK 1 x");
	refused("service/http 1.2.0 okay 1 x");
	refused("service/http 1.2.0 failed 1 x");
	refused("service/http 1.2.0 ok -1 x");
	refused("service/http 1.2.0 ok 1s x");
	refused("service/http 1.2.0 ok 0x1 x");
	refused("service/http 1.2.0 ok 9223372036855 x");
	refused("service/http 1.2.0 ok 1234567890123456789 x");
	taken("a/b 1.0.0 ok 9223372036854 x", "a/b", "1.0.0", true, INT64_C(9223372036854), "x");
}

/* A word of `size` letters between the two. */
static const char *with_word(const char *before, size_t size, const char *after)
{
	static char text[1024];

	cr_assert_lt(strlen(before) + size + strlen(after), sizeof(text));
	(void)snprintf(text, sizeof(text), "%s", before);
	memset(text + strlen(before), 'a', size);
	(void)snprintf(text + strlen(before) + size, 128, "%s", after);
	return text;
}

Test(check, lengths)
{
	machine_checked check;

	cr_expect(machine_check_parse(with_word("s/", 63, " 1.0.0 ok 1 x"), &check));
	refused(with_word("s/", 64, " 1.0.0 ok 1 x"));
	cr_expect(machine_check_parse(with_word("s/x 1.0.0-", 122, " ok 1 x"), &check));
	cr_expect_eq(strlen(check.version), 128);
	refused(with_word("s/x 1.0.0-", 123, " ok 1 x"));
	cr_expect(machine_check_parse(with_word("s/x 1.0.0 ok 1 ", 255, ""), &check));
	refused(with_word("s/x 1.0.0 ok 1 ", 256, ""));
}

/* --- what is kept --- */

static machine_checked check_of(int number, bool ok)
{
	machine_checked check = {.ok = ok};

	(void)snprintf(check.contract, sizeof(check.contract), "service/c%d", number);
	return check;
}

Test(check, full_a_failure_takes_the_place_of_one_that_passed)
{
	machine_checked checks[MACHINE_CHECKS], more;
	size_t count = 0;

	cr_assert_eq(base_limit(BASE_LIMIT_PORT_CHECKS), MACHINE_CHECKS);
	for (int i = 0; i < MACHINE_CHECKS; i++) {
		more = check_of(i, i < 2);
		cr_assert(machine_check_keep(checks, &count, &more));
	}
	more = check_of(100, true);
	cr_expect_not(machine_check_keep(checks, &count, &more));
	more = check_of(101, false);
	cr_expect(machine_check_keep(checks, &count, &more));
	cr_expect_eq(count, MACHINE_CHECKS);
	cr_expect_str_eq(checks[0].contract, "service/c0");
	cr_expect_str_eq(checks[1].contract, "service/c2");
	cr_expect_str_eq(checks[MACHINE_CHECKS - 1].contract, "service/c101");
	cr_expect(machine_check_keep(checks, &count, &more));
	cr_expect_not(machine_check_keep(checks, &count, &more), "all of them failed");
	cr_expect_eq(count, MACHINE_CHECKS);
}

/* --- a guest on the unit port --- */

static char root[40];
static machine m;
static machine_live *live;
static int guest = -1;

static void begin(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char dir[256];

	strcpy(root, "/tmp/hn-check-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	m = (machine){
		.os = hn_os_real(), .root = root, .ops = machine_driver_find(NULL), .timer = -1};
	m.live = base_map_new(NULL);
	cr_assert_eq(machine_queue_init(&m.queue, NULL), 0);
	cr_assert_eq(machine_pump_init(&m, NULL), 0);
	machine_unit_dir(root, UUID, dir);
	cr_assert_eq(os_mkdirs(m.os, dir, 0700, NULL), 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/unit.sock", dir);
	cr_assert_eq(bind(door, (const struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(door, 1), 0);
	cr_assert_eq(machine_live_open(&m, UUID, 0, &live, NULL), 0);
	cr_assert_geq(live->port, 0);
	guest = accept(door, NULL, NULL);
	cr_assert_geq(guest, 0);
	(void)close(door);
}

static void end(void)
{
	(void)close(guest);
	machine_pump_destroy(&m);
	machine_queue_destroy(&m.queue);
	base_map_free(m.live);
	os_remove_tree(hn_os_real(), root, NULL);
}

TestSuite(port_check, .init = begin, .fini = end, .timeout = 60);

static void say(const char *text)
{
	cr_assert_eq(write(guest, text, strlen(text)), (ssize_t)strlen(text));
}

/* Longer than the test may take: who waits to the end fails. */
static int await(hn_error **err)
{
	hn_start_options options = HN_START_OPTIONS_INIT;

	options.timeout = 600 * MACHINE_SECOND;
	return machine_await_ready(&m, live, NULL, &options, err);
}

static const char *fact_of(const hn_error *err, const char *name)
{
	hn_fact fact;

	for (size_t i = 0; hn_error_fact(err, i, &fact) == 0; i++)
		if (strcmp(fact.name, name) == 0)
			return fact.text ? fact.text : fact.number == 10010 ? "10010" : "";
	return "(none)";
}

Test(port_check, one_that_failed_ends_the_wait_at_once_and_is_named)
{
	hn_error *err = NULL;

	say("CHECK=base/net 1.0.0 ok 3 ok\nCHECK=service/http 1.2.0 fail 10010 80: refused\n");
	cr_assert_eq(await(&err), HN_ECONTRACT);
	cr_expect_not_null(
		strstr(hn_error_message(err), "service/http 1.2.0"), "%s", hn_error_message(err));
	cr_expect_str_eq(fact_of(err, "contract"), "service/http");
	cr_expect_str_eq(fact_of(err, "version"), "1.2.0");
	cr_expect_str_eq(fact_of(err, "ms"), "10010");
	cr_expect_str_eq(fact_of(err, "detail"), "80: refused");
	hn_error_unref(err);
}

Test(port_check, all_passed_is_ready)
{
	machine_boot boot;

	say("CHECK=service/http 1.2.0 ok 120 HTTP/1.0 200 OK\nREADY=1\n");
	cr_assert_eq(await(NULL), 0);
	machine_phases(live, &boot);
	cr_assert_eq(boot.check_count, 1);
	cr_expect_str_eq(boot.checks[0].contract, "service/http");
	cr_expect(boot.ready);
}

/* Another init than ours may try again: what it says last of itself counts. */
Test(port_check, a_guest_that_is_ready_all_the_same_is_ready)
{
	say("CHECK=a/b 1.0.0 fail 9 no\nCHECK=a/b 1.0.0 ok 20 yes\nREADY=1\n");
	cr_assert_eq(await(NULL), 0);
	cr_expect_eq(live->check_count, 2);
}

Test(port_check, hostile_lines_are_ignored_and_counted)
{
	say("CHECK=service/http fail\nCHECK=a/b 1.0.0 fail 9\x01 no\nREADY=1\n");
	cr_assert_eq(await(NULL), 0);
	cr_expect_eq(live->check_count, 0);
	cr_expect_eq(live->reader.ignored, 2);
}

static void collect(void *arg, const machine_event *event)
{
	int *checked = arg;

	*checked += strcmp(event->detail, MACHINE_CHECKED) == 0 && strcmp(event->uuid, UUID) == 0;
}

Test(port_check, who_steps_the_machine_hears_of_it_until_it_is_told)
{
	machine_boot boot = {0};
	int checked = 0;

	say("CHECK=a/b 1.0.0 fail 9 no\n");
	while (checked == 0)
		cr_assert_geq(machine_step(&m, MACHINE_SECOND, collect, &checked, NULL), 0);
	cr_expect_eq(checked, 1);
	cr_assert_eq(machine_checks_of(&m, UUID, &boot), 1);
	cr_assert_eq(boot.check_count, 1);
	cr_expect_not(boot.checks[0].ok);
	machine_checks_told(&m, UUID);
	cr_expect_eq(machine_checks_of(&m, UUID, NULL), 0);
	cr_expect_eq(machine_checks_of(&m, "nobody", NULL), 0);
	machine_checks_told(&m, "nobody");
}

Test(port_check, a_guest_that_says_it_without_end_is_bounded)
{
	for (int i = 0; i < MACHINE_CHECKS + 8; i++)
		say("CHECK=a/b 1.0.0 ok 1 yes\n");
	say("READY=1\n");
	cr_assert_eq(await(NULL), 0);
	cr_expect_eq(live->check_count, MACHINE_CHECKS);
	cr_expect_eq(live->reader.ignored, 8);
}

static int state_runs(machine *self, const char *uuid, machine_brief *brief, hn_error **err)
{
	(void)self;
	(void)err;
	*brief = (machine_brief){.status = HN_UNIT_RUNNING};
	(void)snprintf(brief->uuid, sizeof(brief->uuid), "%s", uuid);
	return 0;
}

static int pid_none(machine *self, const machine_brief *brief, pid_t *pid, hn_error **err)
{
	(void)self;
	(void)brief;
	(void)err;
	*pid = 0;
	return 0;
}

/* Who waits for a guest that runs already is told as soon. */
Test(port_check, it_ends_a_later_wait_too_but_not_that_for_running)
{
	const hn_machine_ops *real = m.ops;
	hn_machine_ops ops = *real;
	int64_t timeout = 600 * MACHINE_SECOND;

	ops.state = state_runs;
	ops.pid = pid_none;
	m.ops = &ops;
	say("CHECK=a/b 1.0.0 fail 9 no\n");
	cr_expect_eq(machine_wait(&m, UUID, HN_WAIT_READY, timeout, NULL, NULL), HN_ECONTRACT);
	cr_expect_eq(machine_wait(&m, UUID, HN_WAIT_RUNNING, timeout, NULL, NULL), 0);
	say("READY=1\n");
	while (!live->ready)
		cr_assert_geq(machine_pump(&m, MACHINE_SECOND, NULL), 0);
	cr_expect_eq(machine_wait(&m, UUID, HN_WAIT_READY, timeout, NULL, NULL), 0);
	m.ops = real;
}
