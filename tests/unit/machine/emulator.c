/* SPDX-License-Identifier: MIT
 *
 * A QEMU that is missing, cannot be run or is too old is named as such.
 */
#include "fixture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static void refused(unsigned long version, const char *uri, const char *word)
{
	machine m = {.os = hn_os_real(),
		.root = (char[]){"/r"},
		.ops = machine_driver_find(uri),
		.hypervisor = version};
	hn_error *err = NULL;

	cr_assert_eq(machine_emulator_check(&m, &err), HN_EDRIVER);
	cr_expect_not_null(strstr(hn_error_message(err), word), "'%s' is not in: %s", word,
		hn_error_message(err));
	hn_error_unref(err);
}

static int accepted(unsigned long version, const char *uri)
{
	machine m = {.os = hn_os_real(), .ops = machine_driver_find(uri), .hypervisor = version};

	return machine_emulator_check(&m, NULL);
}

Test(emulator, older_than_6_2_is_refused)
{
	refused(6001001, NULL, "QEMU 6.1.1 is too old");
	refused(6001001, "qemu:///system", "QEMU 6.1.1 is too old");
	cr_expect_eq(accepted(6002000, NULL), 0);
	cr_expect_eq(accepted(7002011, NULL), 0);
}

Test(emulator, test_driver_needs_none)
{
	cr_expect_eq(accepted(0, "test:///x"), 0);
	cr_expect_eq(accepted(2, "test:///x"), 0);
}

Test(emulator, missing)
{
	setenv("PATH", "/nowhere:/proc/self/fd", 1);
	refused(0, NULL, "there is no qemu-system-");
	unsetenv("PATH");
	refused(0, NULL, "there is no qemu-system-");
}

Test(emulator, not_executable)
{
	char dir[] = "/tmp/hn-emulator-XXXXXX", path[160], list[64];
	struct utsname host;

	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(uname(&host), 0);
	snprintf(path, sizeof(path), "%s/qemu-system-%.70s", dir, host.machine);
	cr_assert_eq(os_write_file(hn_os_real(), path, "x", 1, 0600, NULL), 0);
	snprintf(list, sizeof(list), "/nowhere:%s", dir);
	setenv("PATH", list, 1);
	refused(0, NULL, "is not executable");
	cr_assert_eq(chmod(path, 0700), 0);
	refused(0, NULL, "libvirt cannot use");
	os_remove_tree(hn_os_real(), dir, NULL);
}
