/* SPDX-License-Identifier: MIT
 *
 * Whether there is a QEMU that can run units, and if not, why.
 */
#include "machine/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

/* Major * 1,000,000 + minor * 1,000, as libvirt counts. */
#define QEMU_OLDEST 6002000UL
#define HINT "install QEMU 6.2 or later (qemu-system-x86 on Debian)"

/* The first file of that name in PATH: 1, and whether it may be run; 0 when there is none. */
static int in_path(hn_os *os, const char *program, char found[512], bool *executable)
{
	const char *path = getenv("PATH");
	struct stat status;

	while (path != NULL && *path != '\0') {
		size_t size = strcspn(path, ":");

		snprintf(found, 512, "%.*s/%s", size > 400 ? 400 : (int)size, path, program);
		if (os->ops->stat(os, found, &status) == 0) {
			*executable = S_ISREG(status.st_mode) || S_ISLNK(status.st_mode)
					      ? (status.st_mode & 0111) != 0
					      : false;
			return 1;
		}
		path += size + (path[size] == ':' ? 1 : 0);
	}
	return 0;
}

static int no_emulator(machine *m, hn_error **err)
{
	struct utsname host;
	char program[96], found[512];
	bool executable = false;

	snprintf(program, sizeof(program), "qemu-system-%.70s",
		uname(&host) == 0 ? host.machine : "x86_64");
	if (in_path(m->os, program, found, &executable) == 0)
		return base_error(err, HN_EDRIVER, MACHINE_ROOM, HINT,
			"there is no %s in PATH, so no unit can run", program);
	if (!executable)
		return base_error(err, HN_EDRIVER, MACHINE_ROOM, "chmod +x it, or " HINT,
			"%s is not executable, so no unit can run", found);
	return base_error(err, HN_EDRIVER, MACHINE_ROOM, HINT,
		"libvirt cannot use %s, so no unit can run: see %s/log/libvirt.log", found,
		m->root);
}

int machine_emulator_check(machine *m, hn_error **err)
{
	unsigned long version = m->hypervisor;

	if ((m->ops->flags & MACHINE_REAL) == 0 || version >= QEMU_OLDEST)
		return 0;
	if (version != 0)
		return base_error(err, HN_EDRIVER, MACHINE_ROOM, HINT,
			"QEMU %lu.%lu.%lu is too old: units need 6.2 or later", version / 1000000,
			version / 1000 % 1000, version % 1000);
	/* The QEMU of a daemon is not looked for here. */
	return m->ops == &machine_driver_embed ? no_emulator(m, err) : 0;
}
