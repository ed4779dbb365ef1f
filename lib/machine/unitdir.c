/* SPDX-License-Identifier: MIT
 *
 * What lies in a unit's directory: files that each start makes anew, and disks, which hold what
 * cannot be made again and go only when somebody says so.
 */
#include "machine/driver.h"

#include <errno.h>
#include <stdio.h>

typedef struct contents {
	base_buf ours; /* names that we make anew, each with its NUL */
	size_t others; /* disks, and whatever else somebody keeps there */
} contents;

static int add_entry(void *arg, const char *name)
{
	contents *found = arg;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (machine_unit_dir_makes(name))
		base_buf_add(&found->ours, name, strlen(name) + 1);
	else
		found->others++;
	return 0;
}

static int look(machine *m, const char *dir, contents *found, hn_error **err)
{
	int result = m->os->ops->list(m->os, dir, add_entry, found);

	if (result < 0 && result != -ENOENT)
		return base_error_errno(err, MACHINE_ROOM, -result, "cannot list %s", dir);
	if (found->ours.failed)
		return base_nomem(err);
	return result == -ENOENT ? HN_ENOENT : 0;
}

static int remove_file(machine *m, const char *dir, const char *name, hn_error **err)
{
	char path[256 + 256];
	int result;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	result = m->os->ops->unlink(m->os, path);
	return result == 0 || result == -ENOENT
		       ? 0
		       : base_error_errno(err, MACHINE_ROOM, -result, "cannot remove %s", path);
}

/* 1: the directory is gone; 0: there was none, or disks lie in it. */
static int clear(machine *m, const char *dir, const contents *found, hn_error **err)
{
	int result = 0;

	for (size_t at = 0; at < found->ours.size && result == 0;
		at += strlen(found->ours.data + at) + 1)
		result = remove_file(m, dir, found->ours.data + at, err);
	if (result < 0 || found->others > 0)
		return result;
	result = m->os->ops->rmdir(m->os, dir);
	/* Somebody put a file there since we looked: it stays. */
	if (result == -ENOTEMPTY || result == -EEXIST || result == -ENOENT)
		return 0;
	return result < 0 ? base_error_errno(err, MACHINE_ROOM, -result, "cannot remove %s", dir)
			  : 1;
}

int machine_unit_dir_clear(machine *m, const char *uuid, hn_error **err)
{
	contents found = {0};
	char dir[256];
	int result;

	machine_unit_dir(m->root, uuid, dir);
	result = look(m, dir, &found, err);
	if (result == 0)
		result = clear(m, dir, &found, err);
	base_buf_free(&found.ours);
	return result == HN_ENOENT ? 0 : result;
}

int machine_unit_dir_holds_disks(machine *m, const char *uuid, hn_error **err)
{
	contents found = {0};
	char dir[256];
	int result;

	machine_unit_dir(m->root, uuid, dir);
	result = look(m, dir, &found, err);
	base_buf_free(&found.ours);
	return result == HN_ENOENT ? 0 : result < 0 ? result : found.others > 0;
}

static int format_disk(machine *m, const machine_disk *disk, const char *path, hn_error **err)
{
	char size[32];
	const char *argv[] = {"qemu-img", "create", "-q", "-f", disk->format, path, size, NULL};
	BASE_AUTO_FREE char *output = NULL;
	int status = 0, result;

	snprintf(size, sizeof(size), "%llu", (unsigned long long)disk->size);
	result = os_run(m->os, argv, 60 * MACHINE_SECOND, &status, &output, err);
	if (result < 0 || status == 0)
		return result;
	return base_error(err,
		output != NULL && strstr(output, "No space left") != NULL ? HN_ENOSPC : HN_EIO,
		MACHINE_ROOM, NULL, "qemu-img cannot make disk '%s': %.300s", disk->name,
		output == NULL ? "" : output);
}

/* A disk is there whole or not at all, and is never anybody else's to read: qemu-img keeps the mode
 * of a file that it finds. */
static int make_disk(machine *m, const machine_disk *disk, hn_error **err)
{
	BASE_AUTO_BUF base_buf path = {0};
	int fd, result;

	if (!disk->owned || os_exists(m->os, disk->path))
		return 0;
	base_buf_format(&path, "%s" MACHINE_UNFINISHED, disk->path);
	if (path.failed)
		return base_nomem(err);
	m->os->ops->unlink(m->os, path.data); /* of an attempt that was cut short */
	fd = m->os->ops->open(m->os, path.data, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return base_error_errno(
			err, MACHINE_ROOM, -fd, "cannot make disk '%s'", disk->name);
	result = format_disk(m, disk, path.data, err);
	if (result == 0) {
		result = m->os->ops->fsync(m->os, fd);
		if (result == 0)
			result = m->os->ops->rename(m->os, path.data, disk->path);
		if (result < 0)
			result = base_error_errno(
				err, MACHINE_ROOM, -result, "cannot make disk '%s'", disk->name);
	}
	m->os->ops->close(m->os, fd);
	if (result < 0)
		m->os->ops->unlink(m->os, path.data);
	return result;
}

int machine_make_disks(machine *m, const machine_spec *spec, hn_error **err)
{
	int result = os_mkdirs(m->os, spec->unit_dir, 0700, err);

	for (size_t i = 0; i < spec->disk_count && result == 0; i++)
		result = make_disk(m, &spec->disks[i], err);
	return result;
}

int machine_disks_remove(const base_permit *permit, machine *m, const char *uuid, hn_error **err)
{
	BASE_AUTO_OF(hn_error) hn_error *absent = NULL;
	machine_brief brief;
	char dir[256];
	int result = machine_permit(permit, uuid, err, 2, HN_VERB_UNIT_DELETE, HN_VERB_UNIT_CREATE);

	if (result == 0)
		result = machine_uuid_check(uuid, err);
	if (result < 0)
		return result;
	result = m->ops->state(m, uuid, &brief, &absent);
	if (result == 0)
		return base_error(err, HN_EBUSY, MACHINE_ROOM, "undefine it first",
			"unit '%s' is defined and needs its disks", brief.name);
	if (result != HN_ENOENT)
		return base_error(err, result, MACHINE_ROOM, NULL, "%s", hn_error_message(absent));
	machine_unit_dir(m->root, uuid, dir);
	return os_remove_tree(m->os, dir, err);
}
