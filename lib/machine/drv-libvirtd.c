/* SPDX-License-Identifier: MIT
 *
 * A libvirtd by URI: the same calls over its socket. Its qemu.conf is not ours, so weights go
 * through its own cgroup interface.
 */
#include "machine/drv-libvirt.h"

static int daemon_open(machine *m, const char *uri, hn_error **err)
{
	int result = virt_open(m, uri, err);

	if (result < 0)
		return result;
	/* A peer that is silent for fifteen seconds is gone. */
	if (virConnectSetKeepAlive(((virt *)m->driver)->connection, 5, 3) < 0)
		virResetLastError();
	return 0;
}

const hn_machine_ops machine_driver_libvirtd = {
	.size = sizeof(hn_machine_ops),
	.name = "libvirtd",
	.flags = MACHINE_REAL | MACHINE_QMP | MACHINE_LIVE_SOURCE | MACHINE_LIVE_TARGET |
		 MACHINE_PAUSED_START | MACHINE_SCHEMA,
	.open = daemon_open,
	.close = virt_close,
	.facts = virt_facts,
	.list = virt_list,
	.define = virt_define,
	.undefine = virt_undefine,
	.start = virt_start,
	.shutdown = virt_shutdown,
	.kill = virt_kill,
	.pause = virt_pause,
	.resume = virt_resume,
	.reset = virt_reset,
	.state = virt_state,
	.barrier = virt_barrier,
	.xml = virt_xml,
	.change = virt_change,
	.find = virt_find,
};
