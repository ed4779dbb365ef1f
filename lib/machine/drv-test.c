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
		return machine_missing(m->ops, "change of devices", err);
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
	VIRT_METHODS,
	.name = "test",
	.flags = MACHINE_SCHEMA,
	.open = virt_open,
	.change = test_change,
};
