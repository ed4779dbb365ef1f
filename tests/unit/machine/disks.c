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

/* --- what an image names --- */

/* A header of 104 bytes of this version. */
static void put_image(hn_os *os, uint8_t version, uint8_t backing, uint8_t features, size_t size)
{
	uint8_t header[104] = {'Q', 'F', 'I', 0xfb};

	header[7] = version;
	header[15] = backing;
	header[79] = features;
	cr_assert_eq(hn_os_sim_put(os, "/image", header, size, NULL), 0);
}

static int look_at(hn_os *os, const char *format, hn_error **err)
{
	machine m = {.os = os};
	machine_disk disk = {.name = "data", .path = "/image", .format = format};
	machine_spec spec = {.disks = &disk, .disk_count = 1};

	return machine_images_check(&m, &spec, err);
}

static void named(uint8_t version, uint8_t backing, uint8_t features, const char *what)
{
	hn_os *os = sim(0, NULL);
	hn_error *err = NULL;

	put_image(os, version, backing, features, 104);
	cr_expect_eq(look_at(os, "qcow2", &err), HN_ENOSUP);
	cr_expect_not_null(strstr(hn_error_message(err), what), "%s", hn_error_message(err));
	cr_expect_not_null(strstr(hn_error_message(err), "/image"), "%s", hn_error_message(err));
	err = hn_error_unref(err);
	cr_expect_eq(look_at(os, "raw", NULL), 0, "its bytes mean nothing there");
	hn_os_sim_free(os);
}

Test(images, with_a_backing_file_are_refused)
{
	named(3, 104, 0, "backing file");
	named(2, 72, 0, "backing file");
}

Test(images, with_a_data_file_are_refused)
{
	named(3, 0, 4, "data file");
	named(3, 0, 5, "data file");
}

Test(images, that_stand_alone_are_fine)
{
	hn_os *os = sim(0, NULL);

	cr_expect_eq(look_at(os, "qcow2", NULL), 0, "one that is not there is told by QEMU");
	put_image(os, 3, 0, 3, 104);
	cr_expect_eq(look_at(os, "qcow2", NULL), 0);
	put_image(os, 2, 0, 4, 104);
	cr_expect_eq(look_at(os, "qcow2", NULL), 0, "version 2 has no features there");
	for (size_t size = 0; size < 16; size++) {
		put_image(os, 3, 0, 0, size);
		cr_expect_eq(look_at(os, "qcow2", NULL), 0, "%zu", size);
	}
	cr_assert_eq(hn_os_sim_put(os, "/image", "anything that is long enough", 28, NULL), 0);
	cr_expect_eq(look_at(os, "qcow2", NULL), 0, "none");
	hn_os_sim_free(os);
}

Test(images, of_qemu_img_are_told_apart)
{
	static const char script[] =
		"cd \"$1\" && qemu-img create -q -f raw base 1M && "
		"qemu-img create -q -f qcow2 alone 1M && "
		"qemu-img create -q -f qcow2 -b base -F raw backed && "
		"qemu-img create -q -f qcow2 -o data_file=data,data_file_raw=on outside 1M";
	static const struct {
		const char *name;
		int wanted;
	} files[] = {{"alone", 0}, {"backed", HN_ENOSUP}, {"outside", HN_ENOSUP}};
	char dir[] = "/tmp/hn-images-XXXXXX", path[64];
	const char *argv[] = {"sh", "-c", script, "sh", dir, NULL};
	machine_disk disk = {.name = "data", .path = path, .format = "qcow2"};
	machine m = {.os = hn_os_real()};
	int status = 1;

	if (system("command -v qemu-img >/dev/null") != 0)
		cr_skip_test("qemu-img is not installed");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(os_run(m.os, argv, -1, &status, NULL, NULL), 0);
	cr_assert_eq(status, 0);
	for (size_t i = 0; i < BASE_COUNT(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i].name);
		cr_expect_eq(machine_image_check(&m, &disk, NULL), files[i].wanted, "%s", path);
	}
	os_remove_tree(m.os, dir, NULL);
}
