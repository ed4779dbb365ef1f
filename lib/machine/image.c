/* SPDX-License-Identifier: MIT
 *
 * What an image says of other files. A guest that had it as a raw disk may have written all of it,
 * so no name in it is followed.
 * Source: QEMU's docs/interop/qcow2.txt
 */
#include "machine/driver.h"

#include <errno.h>

#define QCOW2_MAGIC 0x514649fbu /* "QFI" and 0xfb */
#define QCOW2_BACKING 8         /* where the offset of the backing file's name is, 64 bits */
#define QCOW2_FEATURES 72       /* from version 3 on: what must be understood, 64 bits */
#define QCOW2_DATA_FILE 4u      /* of these: the data lies in another file */
#define QCOW2_HEADER 80

static uint64_t number_at(const uint8_t *bytes, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | bytes[i];
	return number;
}

/* Of what is cut short QEMU says itself that it is no image. */
static const char *other_file(const uint8_t header[QCOW2_HEADER])
{
	if (number_at(header, 4) != QCOW2_MAGIC)
		return NULL;
	if (number_at(header + QCOW2_BACKING, 8) != 0)
		return "backing";
	if (number_at(header + 4, 4) > 2 &&
		(number_at(header + QCOW2_FEATURES, 8) & QCOW2_DATA_FILE) != 0)
		return "data";
	return NULL;
}

int machine_image_check(machine *m, const machine_disk *disk, hn_error **err)
{
	uint8_t header[QCOW2_HEADER] = {0};
	const char *other;
	ssize_t got;
	int fd;

	if (strcmp(disk->format, "qcow2") != 0)
		return 0;
	fd = m->os->ops->open(m->os, disk->path, O_RDONLY | O_NONBLOCK, 0);
	/* QEMU, which has no more rights than we, tells why it cannot have it; a remote one has a
	 * file of its own. */
	if (fd == -ENOENT || fd == -EACCES)
		return 0;
	if (fd < 0)
		return base_error_errno(
			err, MACHINE_ROOM, -fd, "cannot look at disk '%s'", disk->name);
	got = m->os->ops->pread(m->os, fd, header, sizeof(header), 0);
	m->os->ops->close(m->os, fd);
	if (got < 0)
		return base_error_errno(
			err, MACHINE_ROOM, (int)-got, "cannot look at disk '%s'", disk->name);
	other = other_file(header);
	if (other == NULL)
		return 0;
	return base_error(err, HN_ENOSUP, MACHINE_ROOM,
		"give it an image that stands alone: qemu-img convert -O qcow2 IMAGE NEW",
		"disk '%s': %s has a %s file, and a guest that can write an image could name any "
		"file there",
		disk->name, disk->path, other);
}

int machine_images_check(machine *m, const machine_spec *spec, hn_error **err)
{
	int result = 0;

	for (size_t i = 0; i < spec->disk_count && result == 0; i++)
		result = machine_image_check(m, &spec->disks[i], err);
	return result;
}
