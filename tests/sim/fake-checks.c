/* SPDX-License-Identifier: MIT
 *
 * What the guests of the machine in memory say of their contracts.
 */
#include "fake-machine.h"

#include <stdio.h>

int fake_say_check(machine_boot *boot, hn_error **err)
{
	boot->ready = fake.check->ok;
	boot->count = 1;
	(void)snprintf(boot->phase[0].name, sizeof(boot->phase[0].name), "start");
	boot->checks[boot->check_count++] = *fake.check;
	return fake.check->ok ? 0
			      : base_error(err, HN_ECONTRACT, "fake", NULL,
					"contract %s is not kept", fake.check->contract);
}

size_t machine_checks_of(machine *m, const char *uuid, machine_boot *boot)
{
	(void)m;
	if (!fake.check || !fake.heard || strcmp(fake.heard, uuid) != 0)
		return 0;
	if (boot)
		boot->checks[boot->check_count++] = *fake.check;
	return 1;
}

void machine_checks_told(machine *m, const char *uuid)
{
	(void)m;
	if (fake.heard && strcmp(fake.heard, uuid) == 0)
		fake.heard = NULL;
}

/* As the machine room does it, as long as there is room. */
bool machine_check_keep(machine_checked *checks, size_t *count, const machine_checked *check)
{
	if (*count == MACHINE_CHECKS)
		return false;
	checks[(*count)++] = *check;
	return true;
}
