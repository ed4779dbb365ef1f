/* SPDX-License-Identifier: MIT
 *
 * What the guests of the machine in memory say of their contracts.
 */
#include "fake-machine.h"

#include <stdio.h>

bool fake_says_check(const char *name)
{
	const char *memory = fake_live(name, "memory.size");

	return fake.mute ||
	       (fake.check &&
		       (!fake.check_memory || (memory && strcmp(memory, fake.check_memory) == 0)));
}

/* But what it may have said before. */
static int say_nothing(machine_boot *boot, hn_error **err)
{
	if (fake.check)
		boot->checks[boot->check_count++] = *fake.check;
	base_error(err, HN_ETIMEOUT, "fake", NULL, "the guest was not ready in time");
	base_error_fact(err, "phase", "userspace");
	return HN_ETIMEOUT;
}

int fake_say_check(machine_boot *boot, hn_error **err)
{
	boot->ready = !fake.mute && fake.check->ok;
	boot->count = 1;
	(void)snprintf(boot->phase[0].name, sizeof(boot->phase[0].name), "start");
	if (fake.mute)
		return say_nothing(boot, err);
	boot->checks[boot->check_count++] = *fake.check;
	if (fake.check->ok)
		return 0;
	base_error(
		err, HN_ECONTRACT, "fake", NULL, "contract %s is not kept", fake.check->contract);
	base_error_fact(err, "contract", fake.check->contract);
	return HN_ECONTRACT;
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
