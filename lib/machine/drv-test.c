/* SPDX-License-Identifier: MIT
 *
 * libvirt's test driver: definitions, states and events without processes. One state a connection
 * when the URI names a file.
 */
#include "machine/drv-libvirt.h"

static int test_change(
	machine *m, const char *uuid, const machine_tuning *tuning, bool live, hn_error **err)
{
	if (tuning->kind == MACHINE_TUNE_ATTACH || tuning->kind == MACHINE_TUNE_DETACH ||
		tuning->kind == MACHINE_TUNE_RESIZE || tuning->kind == MACHINE_TUNE_WEIGHT)
		return machine_missing(m, "change of devices", err);
	/* Some of its calls take only one of live and persistent at a time. */
	if (live && tuning->kind == MACHINE_TUNE_MEMORY) {
		int result = virt_change_flags(m, uuid, tuning, VIR_DOMAIN_AFFECT_LIVE, err);

		if (result < 0)
			return result;
		live = false;
	}
	return virt_change(m, uuid, tuning, live, err);
}

const hn_machine_ops machine_driver_test = {
	.size = sizeof(hn_machine_ops),
	.name = "test",
	.flags = MACHINE_SCHEMA,
	.open = virt_open,
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
	.xml = virt_xml,
	.change = test_change,
	.find = virt_find,
};
