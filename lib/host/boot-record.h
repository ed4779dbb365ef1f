/* SPDX-License-Identifier: MIT
 *
 * Boots of a unit: what is kept of each, and which phase missed the goal.
 */
#ifndef HOST_BOOT_RECORD_H
#define HOST_BOOT_RECORD_H

#include "host/host-private.h"

#define HOST_BOOTS_KEPT 16

struct hn_boot {
	machine_boot phases; /* and the checks */
	int64_t at;          /* wall ns */
	int64_t goal;        /* ns */
	bool by_cpu;         /* software CPU: only CPU time is comparable */
	int missed;          /* place of the phase, -1 = the goal was reached */
	bool redacted;       /* CPU time is left out */
	bool silent;         /* so is what the guest said of a check */
};

/* Wall or CPU time of a boot so far, ns. */
int64_t host_boot_sum(const machine_boot *boot, bool by_cpu);
/* The phase with the largest excess over its median in `past` (boots of the same unit, compared the
 * same way), when the goal was missed; -1 when it was not, or when the guest is not ready yet. */
int host_boot_find_missed(const machine_boot *boot, int64_t goal, bool by_cpu, const hn_boot *past,
	size_t past_count);
int host_boot_encode(const machine_boot *boot, base_buf *out, hn_error **err);
int host_boot_decode(const void *bytes, size_t size, machine_boot *boot, hn_error **err);
/* The guest of the last stored boot became ready later, while nobody waited: its phases are whole
 * now. */
int host_boot_complete(
	hn_host *host, const hn_unit *unit, const machine_boot *boot, hn_error **err);
/* What the guest has said of its contracts since this was asked last goes into the unit's last
 * boot, and each that it does not keep is an event of the unit. */
int host_boot_take_checks(hn_host *host, const hn_unit *unit, hn_error **err);
/* Of a boot that is not recorded: only the events. */
int host_boot_tell_checks(
	hn_host *host, const hn_unit *unit, const machine_boot *boot, hn_error **err);
/* As a part of the transaction that records the boot. */
int host_boot_send_checks(
	hn_host *host, const hn_unit *unit, const machine_boot *boot, hn_error **err);
/* The last boots of a unit, newest first; number read. */
int host_boots_read(hn_host *host, int64_t unit, hn_boot *boots, size_t most, hn_error **err);

#endif
