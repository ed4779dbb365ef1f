/* SPDX-License-Identifier: MIT
 *
 * Open files of the simulated system: reads, writes, syncs, and locks that belong to the open file.
 */
#include "os/sim-private.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* Unsynced bytes of one file that are remembered; older ones are written back, as a kernel may do
 * at any time. */
#define UNSYNCED_MOST ((size_t)64 << 20)

sim_handle *sim_handle_of(sim *system, int fd)
{
	if (fd < SIM_FIRST_FD || (size_t)(fd - SIM_FIRST_FD) >= system->handle_capacity)
		return NULL;
	return system->handles[fd - SIM_FIRST_FD];
}

int sim_handle_add(sim *system, sim_node *node, sim_pipe *pipe, int flags)
{
	sim_handle *handle = calloc(1, sizeof(*handle));
	size_t place = 0;

	if (handle == NULL)
		return -ENOMEM;
	while (place < system->handle_capacity && system->handles[place] != NULL)
		place++;
	if (place == system->handle_capacity) {
		size_t wanted = place > 0 ? place * 2 : 16;
		sim_handle **grown = realloc(system->handles, wanted * sizeof(sim_handle *));

		if (grown == NULL) {
			free(handle);
			return -ENOMEM;
		}
		for (size_t i = place; i < wanted; i++)
			grown[i] = NULL;
		system->handles = grown;
		system->handle_capacity = wanted;
	}
	*handle = (sim_handle){.node = node, .pipe = pipe, .flags = flags};
	if (node != NULL)
		sim_node_show(node);
	system->handles[place] = handle;
	return SIM_FIRST_FD + (int)place;
}

static void drop_locks(sim_node *node, const sim_handle *owner)
{
	sim_lock **link = &node->locks;

	while (*link != NULL) {
		sim_lock *one = *link;

		if (one->owner != owner) {
			link = &one->next;
			continue;
		}
		*link = one->next;
		free(one);
	}
}

static void handle_close(sim *system, sim_handle **place)
{
	sim_handle *handle = *place;

	*place = NULL;
	if (handle->node != NULL) {
		drop_locks(handle->node, handle);
		sim_node_hide(system, handle->node);
	} else {
		sim_pipe_close(handle->pipe, handle->flags);
	}
	free(handle);
}

void sim_handles_close(sim *system)
{
	for (size_t i = 0; i < system->handle_capacity; i++) {
		if (system->handles[i] != NULL)
			handle_close(system, &system->handles[i]);
	}
}

/* Not counted as an I/O call: a descriptor is gone whatever close says, so there is no fault to
 * handle. */
int sim_close(hn_os *os, int fd)
{
	sim *system = sim_of(os);

	if (sim_handle_of(system, fd) == NULL)
		return -EBADF;
	handle_close(system, &system->handles[fd - SIM_FIRST_FD]);
	return 0;
}

/* Takes a write or truncation into the journal of the file; the live bytes are changed by the
 * caller. */
static int remember(sim_node *node, bool truncate, size_t offset, const void *bytes, size_t size)
{
	sim_write *made = malloc(sizeof(*made) + size);

	if (made == NULL)
		return -ENOMEM;
	made->next = NULL;
	made->truncate = truncate;
	made->offset = offset;
	made->size = size;
	if (size > 0)
		memcpy(made->bytes, bytes, size);
	*node->last_write = made;
	node->last_write = &made->next;
	node->unsynced += size;
	if (node->unsynced > UNSYNCED_MOST)
		sim_writes_apply(node, UNSYNCED_MOST / 2);
	return 0;
}

static int node_truncate(sim *system, sim_node *node, size_t size)
{
	size_t before = node->live.size;
	int code;

	if (size > before && system->capacity > 0 &&
		size - before > system->capacity - system->used)
		return -ENOSPC;
	code = remember(node, true, size, NULL, 0);
	if (code == 0)
		code = sim_content_resize(&node->live, size);
	if (code < 0)
		return code;
	system->used = system->used - before + size;
	node->changed = system->wall;
	return 0;
}

ssize_t sim_node_write(sim *system, sim_node *node, const void *bytes, size_t size, off_t offset)
{
	size_t end = (size_t)offset + size;
	size_t before = node->live.size;
	int code;

	if (size == 0)
		return 0;
	if (end > before) {
		uint64_t room = system->capacity > 0 ? system->capacity - system->used : UINT64_MAX;

		/* A full disk takes what fits, as a real one does. */
		if (end - before > room) {
			size_t fits = before + (size_t)room > (size_t)offset
					      ? before + (size_t)room - (size_t)offset
					      : 0;

			if (fits > 0 && fits < size)
				sim_node_write(system, node, bytes, fits, offset);
			return -ENOSPC;
		}
	}
	code = remember(node, false, (size_t)offset, bytes, size);
	if (code == 0)
		code = sim_content_write(&node->live, (size_t)offset, bytes, size);
	if (code < 0)
		return code;
	system->used += node->live.size - before;
	node->changed = system->wall;
	return (ssize_t)size;
}

static int open_checked(sim *system, sim_node *node, int flags)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	int code;

	if (S_ISDIR(node->mode) && (writes || (flags & O_CREAT) != 0))
		return -EISDIR;
	if (!S_ISDIR(node->mode) && (flags & O_DIRECTORY) != 0)
		return -ENOTDIR;
	if (writes && (flags & O_TRUNC) != 0 && node->live.size > 0) {
		code = node_truncate(system, node, 0);
		if (code < 0)
			return code;
	}
	return sim_handle_add(system, node, NULL, flags);
}

int sim_open(hn_os *os, const char *path, int flags, mode_t mode)
{
	char name[SIM_NAME_MAX + 1];
	sim *system = sim_of(os);
	sim_node *parent, *node;
	int code = sim_enter(system);

	if (code < 0)
		return code;
	code = sim_find(system, path, &node);
	if (code == 0)
		return (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0
			       ? -EEXIST
			       : open_checked(system, node, flags);
	if (code != -ENOENT || (flags & O_CREAT) == 0)
		return code;
	code = sim_find_parent(system, path, &parent, name);
	if (code == 0)
		code = sim_create(system, parent, name, S_IFREG | (mode & 07777), &node);
	return code < 0 ? code : open_checked(system, node, flags);
}

/* There are no symlinks here, and no component is "..". */
int sim_open_beneath(hn_os *os, const char *directory, const char *path, int flags, mode_t mode)
{
	char joined[PATH_MAX];
	int size = snprintf(joined, sizeof(joined), "%s/%s", directory, path);

	return size < PATH_MAX ? sim_open(os, joined, flags, mode) : -ENAMETOOLONG;
}

static sim_handle *file_handle(sim *system, int fd, bool writes, int *code)
{
	sim_handle *handle = sim_handle_of(system, fd);
	int access = handle != NULL ? handle->flags & O_ACCMODE : 0;

	*code = 0;
	if (handle == NULL || access == (writes ? O_RDONLY : O_WRONLY))
		*code = -EBADF;
	else if (handle->node == NULL)
		*code = -ESPIPE;
	else if (S_ISDIR(handle->node->mode))
		*code = -EISDIR;
	return handle;
}

ssize_t sim_pread(hn_os *os, int fd, void *bytes, size_t size, off_t offset)
{
	const sim_handle *handle;
	size_t left;
	int code = sim_enter(sim_of(os));

	if (code < 0)
		return code;
	handle = file_handle(sim_of(os), fd, false, &code);
	if (code < 0)
		return code;
	if (offset < 0)
		return -EINVAL;
	if ((size_t)offset >= handle->node->live.size)
		return 0;
	left = handle->node->live.size - (size_t)offset;
	if (size > left)
		size = left;
	memcpy(bytes, handle->node->live.bytes + offset, size);
	return (ssize_t)size;
}

ssize_t sim_pwrite(hn_os *os, int fd, const void *bytes, size_t size, off_t offset)
{
	sim *system = sim_of(os);
	const sim_handle *handle;
	int fault = sim_enter(system);
	int code;

	handle = file_handle(system, fd, true, &code);
	if (code < 0)
		return fault < 0 ? fault : code;
	if (offset < 0)
		return -EINVAL;
	if ((handle->flags & O_APPEND) != 0)
		offset = (off_t)handle->node->live.size;
	if (fault == 0)
		return sim_node_write(system, handle->node, bytes, size, offset);
	/* A write that fails may have written a part. */
	sim_node_write(system, handle->node, bytes,
		size > 0 ? sim_chance(&system->chance) % size : 0, offset);
	return fault;
}

static int enter_handle(hn_os *os, int fd, const sim_handle **handle)
{
	int code = sim_enter(sim_of(os));

	if (code < 0)
		return code;
	*handle = sim_handle_of(sim_of(os), fd);
	return *handle == NULL ? -EBADF : 0;
}

int sim_fsync(hn_os *os, int fd)
{
	const sim_handle *handle;
	int code = enter_handle(os, fd, &handle);

	if (code < 0)
		return code;
	if (handle->node == NULL)
		return -EINVAL;
	sim_writes_apply(handle->node, 0);
	return 0;
}

int sim_truncate(hn_os *os, int fd, off_t size)
{
	const sim_handle *handle;
	int code = sim_enter(sim_of(os));

	if (code < 0)
		return code;
	handle = file_handle(sim_of(os), fd, true, &code);
	if (code < 0)
		return code == -ESPIPE ? -EINVAL : code;
	if (size < 0)
		return -EINVAL;
	return node_truncate(sim_of(os), handle->node, (size_t)size);
}

int sim_fstat(hn_os *os, int fd, struct stat *status)
{
	const sim_handle *handle;
	int code = enter_handle(os, fd, &handle);

	if (code < 0)
		return code;
	if (handle->node != NULL) {
		sim_fill_status(handle->node, status);
		return 0;
	}
	*status = (struct stat){0};
	status->st_mode = S_IFIFO | 0600;
	return 0;
}

static sim_lock *lock_new(const sim_handle *owner, short type, off_t start, off_t end)
{
	sim_lock *lock = malloc(sizeof(*lock));

	if (lock != NULL)
		*lock = (sim_lock){.owner = owner, .type = type, .start = start, .end = end};
	return lock;
}

/* Takes [start, end) out of what `owner` has. `spare` becomes the right half when a lock is cut in
 * two. */
static void cut_locks(
	sim_node *node, const sim_handle *owner, off_t start, off_t end, sim_lock **spare)
{
	sim_lock **link = &node->locks;

	while (*link != NULL) {
		sim_lock *one = *link;

		if (one->owner != owner || one->end <= start || one->start >= end) {
			link = &one->next;
		} else if (one->start < start && one->end > end) {
			**spare = *one;
			(*spare)->start = end;
			one->end = start;
			one->next = *spare;
			*spare = NULL;
			return;
		} else if (one->start < start) {
			one->end = start;
			link = &one->next;
		} else if (one->end > end) {
			one->start = end;
			link = &one->next;
		} else {
			*link = one->next;
			free(one);
		}
	}
}

static int change_locks(sim_handle *handle, short type, off_t start, off_t end)
{
	sim_node *node = handle->node;
	sim_lock *spare = lock_new(handle, type, start, end);
	sim_lock *added = lock_new(handle, type, start, end);

	if (spare == NULL || added == NULL) {
		free(spare);
		free(added);
		return -ENOMEM;
	}
	cut_locks(node, handle, start, end, &spare);
	free(spare);
	if (type == F_UNLCK) {
		free(added);
		return 0;
	}
	added->next = node->locks;
	node->locks = added;
	return 0;
}

int sim_set_lock(hn_os *os, int fd, short type, off_t start, off_t size)
{
	sim_handle *handle = sim_handle_of(sim_of(os), fd);
	int code = sim_enter(sim_of(os));
	off_t end;

	if (code < 0)
		return code;
	if (handle == NULL || handle->node == NULL ||
		(type == F_WRLCK && (handle->flags & O_ACCMODE) == O_RDONLY) ||
		(type == F_RDLCK && (handle->flags & O_ACCMODE) == O_WRONLY))
		return -EBADF;
	if (start < 0 || size < 0 || (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK))
		return -EINVAL;
	end = size == 0 || start > INT64_MAX - size ? INT64_MAX : start + size;
	for (const sim_lock *one = handle->node->locks; one != NULL && type != F_UNLCK;
		one = one->next) {
		if (one->owner != handle && one->start < end && one->end > start &&
			(one->type == F_WRLCK || type == F_WRLCK))
			return -EAGAIN;
	}
	return change_locks(handle, type, start, end);
}
