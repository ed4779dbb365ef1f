/* SPDX-License-Identifier: MIT
 *
 * Boot phases: which borders the console and the unit port showed, with wall time and QEMU's CPU
 * time.
 */
#include "machine/driver.h"

#include <stdio.h>
#include <time.h>

#define INIT_MARK "HN-INIT"
#define READY_MARK "HN-READY"

int64_t machine_process_cpu(pid_t pid)
{
	struct timespec spent;
	clockid_t clock;

	if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &spent) != 0)
		return -1;
	return (int64_t)spent.tv_sec * MACHINE_SECOND + spent.tv_nsec;
}

static void end_line(machine_live *live, int64_t now, int64_t cpu)
{
	live->line[live->line_size] = '\0';
	if (!live->init && strncmp(live->line, INIT_MARK, strlen(INIT_MARK)) == 0) {
		live->init = true;
		live->init_first = live->last[0] == '\0';
		live->at_init = now;
		live->cpu_init = cpu;
	}
	/* What any service prints may come to the console; only the init has the unit port. */
	if (!live->ready && !live->composed &&
		strncmp(live->line, READY_MARK, strlen(READY_MARK)) == 0) {
		live->ready = true;
		live->at_ready = now;
		live->cpu_ready = cpu;
	}
	if (live->line_size > 0)
		memcpy(live->last, live->line, live->line_size + 1);
	live->line_size = 0;
}

void machine_console_scan(
	machine_live *live, const char *bytes, size_t size, int64_t now, int64_t cpu)
{
	if (size > 0 && !live->first) {
		live->first = true;
		live->at_first = now;
		live->cpu_first = cpu;
	}
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == '\n')
			end_line(live, now, cpu);
		else if (bytes[i] != '\r' && live->line_size < sizeof(live->line) - 1)
			live->line[live->line_size++] = bytes[i] == '\0' ? '?' : bytes[i];
	}
}

static void add(machine_boot *boot, const char *name, int64_t wall, int64_t cpu)
{
	if (boot->count == MACHINE_PHASES)
		return;
	snprintf(boot->phase[boot->count].name, sizeof(boot->phase[0].name), "%s", name);
	boot->phase[boot->count].wall = wall < 0 ? 0 : wall;
	boot->phase[boot->count].cpu = cpu < 0 ? 0 : cpu;
	boot->count++;
}

/* A border that was not seen joins its two phases: "firmware+kernel". */
void machine_phases(const machine_live *live, machine_boot *boot)
{
	const struct {
		const char *name;
		bool seen;
		int64_t at, cpu;
	} borders[] = {
		{"firmware",
			live->first && !live->init_first &&
				(!live->ready || live->at_first < live->at_ready),
			live->at_first, live->cpu_first},
		{"kernel", live->init && (!live->ready || live->at_init <= live->at_ready),
			live->at_init, live->cpu_init},
		{"userspace", live->ready, live->at_ready, live->cpu_ready},
	};
	int64_t at = live->started, cpu = live->cpu_started;
	char name[32] = "";

	boot->count = 0;
	boot->ready = live->ready;
	machine_checks_copy(live, boot);
	add(boot, "define", live->defined - live->begun, 0);
	add(boot, "start", live->started - live->defined, live->cpu_started);
	for (size_t i = 0; i < BASE_COUNT(borders); i++) {
		size_t used = strlen(name);

		snprintf(name + used, sizeof(name) - used, "%s%s", used == 0 ? "" : "+",
			borders[i].name);
		if (!borders[i].seen)
			continue;
		add(boot, name, borders[i].at - at, borders[i].cpu - cpu);
		at = borders[i].at;
		cpu = borders[i].cpu;
		name[0] = '\0';
	}
}
