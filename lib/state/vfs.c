/* SPDX-License-Identifier: MIT
 *
 * A SQLite VFS on the method table of an hn_os. It claims nothing about the device (no atomic
 * sectors, no safe append), so that SQLite holds against everything that a crash image can show.
 */
#include "state/state-private.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>

enum { PATH_BYTES = 4096, SECTOR = 4096 };
/* Where SQLite's file format has its locks. */
enum {
	PENDING_BYTE = 0x40000000,
	RESERVED_BYTE = PENDING_BYTE + 1,
	SHARED_FIRST = PENDING_BYTE + 2,
	SHARED_SIZE = 510
};

typedef struct vfs_state {
	sqlite3_vfs vfs; /* first: SQLite hands it back */
	hn_os *os;
	int last_error;
	char name[32];
} vfs_state;

typedef struct vfs_file {
	sqlite3_file base; /* first: SQLite hands it back */
	vfs_state *owner;
	const char *path; /* SQLite keeps it until the file is closed */
	state_shm *shm;
	int fd;
	int lock;            /* SQLITE_LOCK_* */
	bool sync_directory; /* made by us, and its name is not yet durable */
} vfs_file;

static vfs_file *file_of(sqlite3_file *base)
{
	return (vfs_file *)(void *)base;
}

static vfs_state *state_of(sqlite3_vfs *vfs)
{
	return (vfs_state *)(void *)vfs;
}

/* Notes -errno for sqlite3_system_errno() and gives the SQLite code. */
static int failed(vfs_state *state, int64_t rc, int sqlite_code)
{
	state->last_error = (int)-rc;
	if (rc == -ENOSPC || rc == -EDQUOT)
		return SQLITE_FULL;
	if (rc == -ENOMEM)
		return SQLITE_IOERR_NOMEM;
	return sqlite_code;
}

static int sync_parent(vfs_state *state, const char *path)
{
	char directory[PATH_BYTES];
	const char *slash = strrchr(path, '/');
	size_t size = slash == NULL || slash == path ? 1 : (size_t)(slash - path);

	if (size >= sizeof(directory))
		return SQLITE_IOERR_DIR_FSYNC;
	memcpy(directory, path, size);
	directory[size] = '\0';
	int rc = state->os->ops->sync_directory(state->os, directory);
	return rc < 0 ? failed(state, rc, SQLITE_IOERR_DIR_FSYNC) : SQLITE_OK;
}

/* --- one file --- */

static int file_close(sqlite3_file *base)
{
	vfs_file *file = file_of(base);
	hn_os *os = file->owner->os;

	state_shm_unmap(file->shm);
	file->shm = NULL;
	/* A failed close has still given the descriptor up. */
	int rc = os->ops->close(os, file->fd);
	return rc < 0 ? failed(file->owner, rc, SQLITE_IOERR_CLOSE) : SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *bytes, int size, sqlite3_int64 offset)
{
	vfs_file *file = file_of(base);
	hn_os *os = file->owner->os;
	int done = 0;

	while (done < size) {
		ssize_t rc = os->ops->pread(
			os, file->fd, (char *)bytes + done, (size_t)(size - done), offset + done);
		if (rc < 0)
			return failed(file->owner, rc, SQLITE_IOERR_READ);
		if (rc == 0)
			break;
		done += (int)rc;
	}
	if (done == size)
		return SQLITE_OK;
	memset((char *)bytes + done, 0, (size_t)(size - done));
	return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 offset)
{
	vfs_file *file = file_of(base);
	hn_os *os = file->owner->os;
	int done = 0;

	while (done < size) {
		ssize_t rc = os->ops->pwrite(os, file->fd, (const char *)bytes + done,
			(size_t)(size - done), offset + done);
		if (rc < 0)
			return failed(file->owner, rc, SQLITE_IOERR_WRITE);
		if (rc == 0)
			return SQLITE_FULL;
		done += (int)rc;
	}
	return SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	vfs_file *file = file_of(base);
	hn_os *os = file->owner->os;
	int rc = os->ops->truncate(os, file->fd, size);

	return rc < 0 ? failed(file->owner, rc, SQLITE_IOERR_TRUNCATE) : SQLITE_OK;
}

static int file_sync(sqlite3_file *base, int flags)
{
	vfs_file *file = file_of(base);
	hn_os *os = file->owner->os;

	(void)flags;
	int rc = os->ops->fsync(os, file->fd);
	if (rc < 0)
		return failed(file->owner, rc, SQLITE_IOERR_FSYNC);
	if (file->sync_directory) {
		rc = sync_parent(file->owner, file->path);
		if (rc != SQLITE_OK)
			return rc;
		file->sync_directory = false;
	}
	return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
	vfs_file *file = file_of(base);
	hn_os *os = file->owner->os;
	struct stat status;
	int rc = os->ops->fstat(os, file->fd, &status);

	if (rc < 0)
		return failed(file->owner, rc, SQLITE_IOERR_FSTAT);
	*size = status.st_size;
	return SQLITE_OK;
}

static int record_lock(vfs_file *file, short type, off_t start, off_t size)
{
	hn_os *os = file->owner->os;
	int rc = os->ops->lock(os, file->fd, type, start, size);

	if (rc == -EAGAIN || rc == -EACCES)
		return SQLITE_BUSY;
	if (rc < 0)
		return failed(
			file->owner, rc, type == F_UNLCK ? SQLITE_IOERR_UNLOCK : SQLITE_IOERR_LOCK);
	return SQLITE_OK;
}

/* A reader passes through the pending byte, so that a writer that waits for the last reader keeps
 * new ones out. */
static int lock_shared(vfs_file *file)
{
	int rc = record_lock(file, F_RDLCK, PENDING_BYTE, 1);

	if (rc != SQLITE_OK)
		return rc;
	rc = record_lock(file, F_RDLCK, SHARED_FIRST, SHARED_SIZE);
	int unlocked = record_lock(file, F_UNLCK, PENDING_BYTE, 1);
	return rc != SQLITE_OK ? rc : unlocked;
}

static int file_lock(sqlite3_file *base, int level)
{
	vfs_file *file = file_of(base);
	int rc = SQLITE_OK;

	if (level <= file->lock)
		return SQLITE_OK;
	if (level == SQLITE_LOCK_SHARED)
		rc = lock_shared(file);
	else if (level == SQLITE_LOCK_RESERVED)
		rc = record_lock(file, F_WRLCK, RESERVED_BYTE, 1);
	else if (file->lock < SQLITE_LOCK_PENDING)
		rc = record_lock(file, F_WRLCK, PENDING_BYTE, 1);
	if (rc == SQLITE_OK && level == SQLITE_LOCK_EXCLUSIVE) {
		file->lock = SQLITE_LOCK_PENDING;
		rc = record_lock(file, F_WRLCK, SHARED_FIRST, SHARED_SIZE);
	}
	if (rc == SQLITE_OK)
		file->lock = level;
	return rc;
}

static int file_unlock(sqlite3_file *base, int level)
{
	vfs_file *file = file_of(base);
	int rc = SQLITE_OK;

	if (level >= file->lock)
		return SQLITE_OK;
	if (level == SQLITE_LOCK_SHARED)
		rc = record_lock(file, F_RDLCK, SHARED_FIRST, SHARED_SIZE);
	else
		rc = record_lock(file, F_UNLCK, SHARED_FIRST, SHARED_SIZE);
	int others = record_lock(file, F_UNLCK, PENDING_BYTE, 2);
	file->lock = level;
	return rc != SQLITE_OK ? rc : others;
}

static int file_check_reserved(sqlite3_file *base, int *held)
{
	vfs_file *file = file_of(base);

	*held = file->lock >= SQLITE_LOCK_RESERVED;
	if (*held)
		return SQLITE_OK;
	int rc = record_lock(file, F_WRLCK, RESERVED_BYTE, 1);
	if (rc == SQLITE_BUSY) {
		*held = 1;
		return SQLITE_OK;
	}
	return rc != SQLITE_OK ? SQLITE_IOERR_CHECKRESERVEDLOCK
			       : record_lock(file, F_UNLCK, RESERVED_BYTE, 1);
}

static int file_control(sqlite3_file *base, int operation, void *arg)
{
	(void)base, (void)operation, (void)arg;
	return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base)
{
	(void)base;
	return SECTOR;
}

static int file_device(sqlite3_file *base)
{
	(void)base;
	return 0;
}

static int file_shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **out)
{
	vfs_file *file = file_of(base);

	return state_shm_map(
		&file->shm, file->owner->os, file->path, region, size, extend != 0, out);
}

static int file_shm_lock(sqlite3_file *base, int offset, int count, int flags)
{
	return state_shm_lock(file_of(base)->shm, offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *base)
{
	(void)base;
	atomic_thread_fence(memory_order_seq_cst);
}

static int file_shm_unmap(sqlite3_file *base, int delete)
{
	vfs_file *file = file_of(base);

	(void)delete;
	state_shm_unmap(file->shm);
	file->shm = NULL;
	return SQLITE_OK;
}

static const sqlite3_io_methods file_methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_device,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
};

/* --- the file system --- */

static int vfs_open(
	sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out_flags)
{
	vfs_state *state = state_of(vfs);
	vfs_file *file = file_of(base);
	int open_flags = flags & SQLITE_OPEN_READWRITE ? O_RDWR : O_RDONLY;
	struct stat status;

	base->pMethods = NULL;
	/* Temporary files have no name; temp_store = MEMORY keeps SQLite from wanting one. */
	if (path == NULL)
		return SQLITE_CANTOPEN;
	bool exists = state->os->ops->stat(state->os, path, &status) == 0;
	if (flags & SQLITE_OPEN_CREATE)
		open_flags |= O_CREAT;
	int fd = state->os->ops->open(state->os, path, open_flags | O_NOFOLLOW, 0600);
	if (fd < 0)
		return failed(state, fd, SQLITE_CANTOPEN);
	*file = (vfs_file){.base = {.pMethods = &file_methods},
		.owner = state,
		.path = path,
		.fd = fd,
		.sync_directory = !exists};
	if (out_flags != NULL)
		*out_flags = flags;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
	vfs_state *state = state_of(vfs);
	int rc = state->os->ops->unlink(state->os, path);

	if (rc == -ENOENT)
		return SQLITE_IOERR_DELETE_NOENT;
	if (rc < 0)
		return failed(state, rc, SQLITE_IOERR_DELETE);
	return sync ? sync_parent(state, path) : SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *result)
{
	vfs_state *state = state_of(vfs);
	struct stat status;
	int rc = state->os->ops->stat(state->os, path, &status);

	if (rc < 0 && rc != -ENOENT)
		return failed(state, rc, SQLITE_IOERR_ACCESS);
	/* An empty log or journal is as good as none. */
	*result = rc == 0 && (flags != SQLITE_ACCESS_EXISTS || status.st_size > 0);
	return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int size, char *out)
{
	(void)vfs;
	return snprintf(out, (size_t)size, "%s", path) < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_random(sqlite3_vfs *vfs, int size, char *out)
{
	vfs_state *state = state_of(vfs);

	memset(out, 0, (size_t)size);
	return state->os->ops->random(state->os, out, (size_t)size) < 0 ? 0 : size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
	vfs_state *state = state_of(vfs);

	state->os->ops->sleep(state->os, (int64_t)microseconds * 1000);
	return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *milliseconds)
{
	static const sqlite3_int64 unix_epoch =
		210866760000000; /* in ms of the Julian day number */
	vfs_state *state = state_of(vfs);

	*milliseconds = unix_epoch + state->os->ops->clock(state->os, HN_OS_CLOCK_WALL) / 1000000;
	return SQLITE_OK;
}

static int vfs_time_double(sqlite3_vfs *vfs, double *days)
{
	sqlite3_int64 milliseconds;
	int rc = vfs_time(vfs, &milliseconds);

	*days = (double)milliseconds / 86400000.0;
	return rc;
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *text)
{
	(void)size, (void)text;
	return state_of(vfs)->last_error;
}

sqlite3_vfs *state_vfs_new(hn_os *os)
{
	vfs_state *state = base_calloc(1, sizeof(*state));

	if (state == NULL)
		return NULL;
	state->os = os;
	snprintf(state->name, sizeof(state->name), "hypernix-%p", (void *)state);
	state->vfs = (sqlite3_vfs){.iVersion = 2,
		.szOsFile = sizeof(vfs_file),
		.mxPathname = PATH_BYTES,
		.zName = state->name,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_path,
		.xRandomness = vfs_random,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_time_double,
		.xCurrentTimeInt64 = vfs_time,
		.xGetLastError = vfs_last_error};
	if (sqlite3_vfs_register(&state->vfs, 0) != SQLITE_OK) {
		base_free(state);
		return NULL;
	}
	return &state->vfs;
}

void state_vfs_free(sqlite3_vfs *vfs)
{
	if (vfs != NULL) {
		sqlite3_vfs_unregister(vfs);
		base_free(state_of(vfs));
	}
}
