/* SPDX-License-Identifier: MIT
 *
 * Making a unit's own disks: private, whole or not at all.
 */
#include "fixture.h"

#include <stdlib.h>
#include <sys/stat.h>

#define DISK "\"disks.data.size\": \"4Mi\", \"disks.data.format\": \"raw\""

static int make(hn_os *os, const char *dir, hn_error **err)
{
	machine m = {.os = os};
	hn_view *view = view_of(DISK);
	machine_unit unit = unit_of(view);
	machine_spec *spec = NULL;
	int result;

	cr_assert_eq(machine_spec_new(&unit, "embed", HN_ACCELERATOR_TCG, dir, &spec, NULL), 0);
	result = machine_make_disks(&m, spec, err);
	machine_spec_free(spec);
	hn_view_unref(view);
	return result;
}

static hn_os *sim(int status, const char *output)
{
	hn_os *os = NULL;

	cr_assert_eq(hn_os_sim_new(NULL, &os, NULL), 0);
	cr_assert_eq(hn_os_sim_program(os, "qemu-img", status, output, NULL), 0);
	return os;
}

static void refuse(int status, const char *output, int wanted)
{
	hn_os *os = sim(status, output);
	hn_error *err = NULL;

	cr_expect_eq(make(os, UNIT_DIR, &err), wanted);
	cr_expect_not_null(strstr(hn_error_message(err), "disk 'data'"));
	cr_expect_not_null(strstr(hn_error_message(err), output));
	cr_expect_not(os_exists(os, UNIT_DIR "/data.raw"), "no half of a disk");
	cr_expect_not(os_exists(os, UNIT_DIR "/data.raw.new"));
	hn_error_unref(err);
	hn_os_sim_free(os);
}

Test(disks, full_disk_leaves_none)
{
	refuse(1, "qemu-img: data.raw: No space left on device", HN_ENOSPC);
}

Test(disks, failure_leaves_none)
{
	refuse(1, "qemu-img: data.raw: Input/output error", HN_EIO);
}

Test(disks, half_made_one_is_made_again)
{
	hn_os *os = sim(0, NULL);

	cr_assert_eq(os_mkdirs(os, UNIT_DIR, 0700, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, UNIT_DIR "/data.raw.new", "half", 4, NULL), 0);
	cr_expect_eq(make(os, UNIT_DIR, NULL), 0);
	cr_expect(os_exists(os, UNIT_DIR "/data.raw"));
	cr_expect_not(os_exists(os, UNIT_DIR "/data.raw.new"));
	hn_os_sim_free(os);
}

Test(disks, present_one_is_not_touched)
{
	hn_os *os = sim(1, "called");

	cr_assert_eq(os_mkdirs(os, UNIT_DIR, 0700, NULL), 0);
	cr_assert_eq(hn_os_sim_put(os, UNIT_DIR "/data.raw", "data", 4, NULL), 0);
	cr_expect_eq(make(os, UNIT_DIR, NULL), 0);
	hn_os_sim_free(os);
}

Test(disks, nobody_else_may_read_it)
{
	hn_os *os = hn_os_real();
	char dir[] = "/tmp/hn-disks-XXXXXX", path[64];
	struct stat status;
	hn_error *err = NULL;
	int result;

	if (system("command -v qemu-img >/dev/null") != 0)
		cr_skip_test("qemu-img is not installed");
	cr_assert_not_null(mkdtemp(dir));
	umask(0022);
	result = make(os, dir, &err);
	cr_expect_eq(result, 0, "%s", err == NULL ? "" : hn_error_message(err));
	snprintf(path, sizeof(path), "%s/data.raw", dir);
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600);
	cr_expect_eq(status.st_size, 4 << 20);
	hn_error_unref(err);
	os_remove_tree(os, dir, NULL);
}
