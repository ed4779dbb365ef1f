/* SPDX-License-Identifier: MIT
 *
 * Boot phases from what the console and the unit port showed.
 */
#include "fixture.h"

#include <unistd.h>

static void say(machine_live *live, const char *text, int64_t now)
{
	machine_console_scan(live, text, strlen(text), now, now / 2);
}

/* A boot that began at 0, defined at 10, started at 30 with 5 of CPU. */
static machine_live live_new(void)
{
	machine_live live = {.begun = 0, .defined = 10, .started = 30, .cpu_started = 5};

	return live;
}

static void expect_phase(
	const machine_boot *boot, size_t index, const char *name, int64_t wall, int64_t cpu)
{
	cr_assert_lt(index, boot->count);
	cr_expect_str_eq(boot->phase[index].name, name);
	cr_expect_eq(boot->phase[index].wall, wall);
	cr_expect_eq(boot->phase[index].cpu, cpu);
}

Test(boot, all_borders)
{
	machine_live live = live_new();
	machine_boot boot;

	say(&live, "Linux version 6\r\n", 100);
	say(&live, "HN-INIT up=3.2\n", 200);
	say(&live, "HN-READY up=4\n", 260);
	machine_phases(&live, &boot);
	cr_expect_eq(boot.count, 5);
	expect_phase(&boot, 0, "define", 10, 0);
	expect_phase(&boot, 1, "start", 20, 5);
	expect_phase(&boot, 2, "firmware", 70, 45);
	expect_phase(&boot, 3, "kernel", 100, 50);
	expect_phase(&boot, 4, "userspace", 60, 30);
	cr_expect(boot.ready);
}

Test(boot, quiet_kernel_merges_firmware_and_kernel)
{
	machine_live live = live_new();
	machine_boot boot;

	say(&live, "HN-", 199);
	say(&live, "INIT up=3.2\n", 200);
	say(&live, "HN-READY\n", 260);
	machine_phases(&live, &boot);
	cr_expect_eq(boot.count, 4);
	expect_phase(&boot, 2, "firmware+kernel", 170, 95);
	expect_phase(&boot, 3, "userspace", 60, 30);
}

Test(boot, no_init_line_merges_kernel_and_userspace)
{
	machine_live live = live_new();
	machine_boot boot;

	say(&live, "Linux\n", 100);
	say(&live, "HN-READY\n", 260);
	machine_phases(&live, &boot);
	expect_phase(&boot, 2, "firmware", 70, 45);
	expect_phase(&boot, 3, "kernel+userspace", 160, 80);
}

Test(boot, ready_on_the_port_alone)
{
	machine_live live = live_new();
	machine_boot boot;

	live.ready = true;
	live.at_ready = 130;
	live.cpu_ready = 65;
	machine_phases(&live, &boot);
	cr_expect_eq(boot.count, 3);
	expect_phase(&boot, 2, "firmware+kernel+userspace", 100, 60);
}

Test(boot, never_ready)
{
	machine_live live = live_new();
	machine_boot boot;

	say(&live, "Linux\nHN-INIT\n", 100);
	machine_phases(&live, &boot);
	cr_expect_not(boot.ready);
	cr_expect_eq(boot.count, 4);
}

Test(boot, marks_count_at_the_start_of_a_line_only)
{
	machine_live live = live_new();

	say(&live, "echo HN-READY\n HN-READY\n", 100);
	cr_expect_not(live.ready);
	say(&live, "HN-READY", 110);
	cr_expect_not(live.ready, "the line is not whole yet");
	say(&live, "\n", 120);
	cr_expect(live.ready);
	cr_expect_eq(live.at_ready, 120);
}

/* Any service may print it; that its checks passed is for its init to say, on the port. */
Test(boot, ready_of_a_composed_unit_is_not_taken_from_the_console)
{
	machine_live live = live_new();

	live.composed = true;
	say(&live, "HN-INIT\nHN-READY up=4\n", 100);
	cr_expect(live.init);
	cr_expect_not(live.ready);
}

Test(boot, first_mark_counts)
{
	machine_live live = live_new();

	say(&live, "HN-INIT\n", 100);
	say(&live, "HN-INIT\n", 200);
	cr_expect_eq(live.at_init, 100);
}

Test(boot, long_lines_and_nul_bytes)
{
	machine_live live = live_new();
	char noise[4096];

	memset(noise, 'x', sizeof(noise));
	noise[5] = '\0';
	machine_console_scan(&live, noise, sizeof(noise), 100, 50);
	say(&live, "\nHN-READY\n", 110);
	cr_expect(live.ready);
	cr_expect_lt(strlen(live.last), sizeof(live.last));
}

Test(boot, last_words_are_kept)
{
	machine_live live = live_new();

	say(&live, "Kernel panic - not syncing\r\n\r\n", 100);
	cr_expect_str_eq(live.last, "Kernel panic - not syncing");
}

Test(boot, cpu_of_a_process)
{
	cr_expect_gt(machine_process_cpu(getpid()), 0);
	cr_expect_eq(machine_process_cpu(0), -1);
}
