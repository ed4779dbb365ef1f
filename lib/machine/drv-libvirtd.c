/* SPDX-License-Identifier: MIT
 *
 * A libvirtd by URI: the same calls over its socket. Its qemu.conf is not ours, so weights go
 * through its own cgroup interface.
 */
#include "machine/drv-libvirt.h"

#include <stdlib.h>

/* The daemon's guests are processes of this host. */
static bool is_local(const machine *m)
{
	return strncmp(m->uri, "qemu:///", 8) == 0 || strncmp(m->uri, "qemu+unix:", 10) == 0;
}

static int daemon_open(machine *m, const char *uri, hn_error **err)
{
	m->weights = machine_cgroup_version(m->os, "");
	return virt_open(m, uri, err);
}

typedef struct search {
	machine *m;
	const char *uuid;
	pid_t found;
} search;

static int is_it(void *arg, const char *name)
{
	search *s = arg;
	long number = strtol(name, NULL, 10);

	if (number <= 1 || machine_process_check(s->m->os, (pid_t)number, s->uuid) == 0)
		return 0;
	s->found = (pid_t)number;
	return 1;
}

/* libvirt does not tell which process it is, and its pid file may lie in a mount namespace of its
 * own: the one that was found before, else a look at all. 0: not on this host, or out of sight. */
static int daemon_pid(machine *m, const machine_brief *brief, pid_t *pid, hn_error **err)
{
	search s = {.m = m, .uuid = brief->uuid};
	machine_run run;

	(void)err;
	*pid = 0;
	if (!is_local(m))
		return 0;
	if (machine_run_load(m->os, m->root, brief->uuid, &run) == 0 &&
		machine_process_check(m->os, run.pid, brief->uuid) == run.started)
		s.found = run.pid;
	else
		m->os->ops->list(m->os, "/proc", is_it, &s);
	*pid = s.found;
	return 0;
}

const hn_machine_ops machine_driver_libvirtd = {
	VIRT_METHODS,
	.name = "libvirtd",
	.flags = MACHINE_REAL | MACHINE_QMP | MACHINE_LIVE_SOURCE | MACHINE_LIVE_TARGET |
		 MACHINE_PAUSED_START | MACHINE_SCHEMA | MACHINE_WEIGHTS,
	.open = daemon_open,
	.barrier = virt_barrier,
	.never_ran = virt_never_ran,
	.monitor = virt_monitor,
	.change = virt_change,
	.pid = daemon_pid,
	.weight = virt_weight,
	.mend = virt_mend,
	.give = virt_give,
};
