/* SPDX-License-Identifier: MIT
 *
 * What is known of a running unit, kept beside it so that the next owner of the root finds it:
 * unit/UUID/run holds "pid start-time console-offset ready composed".
 */
#include "machine/driver.h"

#include <stdio.h>
#include <stdlib.h>

static void run_path(const char *root, const char *uuid, char path[272])
{
	char dir[256];

	machine_unit_dir(root, uuid, dir);
	snprintf(path, 272, "%s/run", dir);
}

int machine_run_save(machine *m, const char *uuid, const machine_run *run, hn_error **err)
{
	char path[272], text[96];
	int size;

	run_path(m->root, uuid, path);
	size = snprintf(text, sizeof(text), "%lld %llu %llu %d %d\n", (long long)run->pid,
		(unsigned long long)run->started, (unsigned long long)run->console,
		run->ready ? 1 : 0, run->composed ? 1 : 0);
	return os_write_file(m->os, path, text, (size_t)size, 0600, err);
}

int machine_run_load(hn_os *os, const char *root, const char *uuid, machine_run *run)
{
	BASE_AUTO_FREE char *text = NULL;
	char path[272];
	size_t size;
	long long pid;
	unsigned long long started, console;
	int ready, composed;

	run_path(root, uuid, path);
	if (os_read_file(os, path, 256, &text, &size, NULL) < 0)
		return HN_ENOENT;
	if (sscanf(text, "%lld %llu %llu %d %d", &pid, &started, &console, &ready, &composed) !=
			5 ||
		pid <= 1)
		return HN_ECORRUPT;
	*run = (machine_run){(pid_t)pid, started, console, ready == 1, composed == 1};
	return 0;
}

void machine_run_forget(machine *m, const char *uuid)
{
	char path[272];

	run_path(m->root, uuid, path);
	m->os->ops->unlink(m->os, path);
}

/* Field 22 of /proc/PID/stat, counted after the command's closing bracket: see proc(5). */
static uint64_t start_time(const char *stat)
{
	const char *p = strrchr(stat, ')');

	for (int field = 2; p != NULL && field < 22; field++) {
		p = strchr(p, ' ');
		if (p != NULL)
			p++;
	}
	return p == NULL ? 0 : strtoull(p, NULL, 10);
}

uint64_t machine_process_check(hn_os *os, pid_t pid, const char *uuid)
{
	BASE_AUTO_FREE char *line = NULL;
	BASE_AUTO_FREE char *stat = NULL;
	char path[64];
	size_t size, at = 0;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%lld/cmdline", (long long)pid);
	if (os_read_file(os, path, 1 << 20, &line, &size, NULL) < 0)
		return 0;
	/* Arguments end with a NUL each; the file's reader put one more after them. */
	while (at < size && !found) {
		size_t length = strlen(line + at);

		found = strcmp(line + at, "-uuid") == 0 && at + length + 1 < size &&
			strcmp(line + at + length + 1, uuid) == 0;
		at += length + 1;
	}
	snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	if (!found || os_read_file(os, path, 4096, &stat, &size, NULL) < 0)
		return 0;
	return start_time(stat);
}
