/* SPDX-License-Identifier: MIT
 *
 * Whole files and trees over the method table.
 */
#include "os/os-private.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { READ_STEP = 65536, TREE_DEPTH = 128 };

/* The directory a path is in; owned. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return base_strdup(".");
	return slash == path ? base_strdup("/") : base_strndup(path, (size_t)(slash - path));
}

static int check_readable(
	const char *path, const struct stat *status, uint64_t limit, hn_error **err)
{
	if (S_ISDIR(status->st_mode))
		return base_error(
			err, HN_EINVAL, "os", NULL, "%s is a directory, a file is needed", path);
	if (!S_ISREG(status->st_mode))
		return base_error(err, HN_EINVAL, "os", NULL, "%s is no regular file", path);
	if (status->st_size > 0 && (uint64_t)status->st_size > limit)
		return base_error(err, HN_ELIMIT, "os", NULL,
			"%s has %lld bytes, at most %llu are read", path,
			(long long)status->st_size, (unsigned long long)limit);
	return 0;
}

/* To the end of the file and not to st_size, which is 0 for files of /proc and may change while we
 * read. */
static int read_all(
	hn_os *os, int fd, const char *path, uint64_t limit, base_buf *content, hn_error **err)
{
	char *step BASE_AUTO_FREE = base_alloc(READ_STEP);

	if (step == NULL)
		return base_nomem(err);
	for (;;) {
		ssize_t got = os->ops->pread(os, fd, step, READ_STEP, (off_t)content->size);

		if (got < 0)
			return base_error_errno(err, "os", (int)got, "cannot read %s", path);
		if (got == 0)
			return content->failed ? base_nomem(err) : 0;
		if (content->size + (size_t)got > limit)
			return base_error(err, HN_ELIMIT, "os", NULL, "%s has more than %llu bytes",
				path, (unsigned long long)limit);
		base_buf_add(content, step, (size_t)got);
		if (content->failed)
			return base_nomem(err);
	}
}

int os_read_file(
	hn_os *os, const char *path, uint64_t limit, char **bytes, size_t *size, hn_error **err)
{
	BASE_AUTO_BUF base_buf content = {0};
	struct stat status;
	size_t content_size;
	char *taken;
	/* Non-blocking, so that a FIFO under this name cannot hold us. */
	int fd = os->ops->open(os, path, O_RDONLY | O_NONBLOCK, 0);
	int code;

	if (fd < 0)
		return base_error_errno(err, "os", fd, "cannot open %s", path);
	code = os->ops->fstat(os, fd, &status);
	if (code < 0)
		code = base_error_errno(err, "os", code, "cannot look at %s", path);
	if (code == 0)
		code = check_readable(path, &status, limit, err);
	if (code == 0)
		code = read_all(os, fd, path, limit, &content, err);
	os->ops->close(os, fd);
	if (code < 0)
		return code;
	content_size = content.size;
	taken = base_buf_take(&content);
	if (taken == NULL)
		return base_nomem(err);
	*bytes = taken;
	if (size != NULL)
		*size = content_size;
	return 0;
}

static int write_new(
	hn_os *os, const char *path, const void *bytes, size_t size, mode_t mode, hn_error **err)
{
	int fd = os->ops->open(os, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
	int code, closed;
	ssize_t put;

	if (fd < 0)
		return base_error_errno(err, "os", fd, "cannot create %s", path);
	put = size > 0 ? os->ops->pwrite(os, fd, bytes, size, 0) : 0;
	code = put < 0 ? (int)put : 0;
	if (code == 0)
		code = os->ops->fsync(os, fd);
	closed = os->ops->close(os, fd);
	if (code == 0)
		code = closed;
	if (code == 0)
		return 0;
	os->ops->unlink(os, path);
	return base_error_errno(err, "os", code, "cannot write %s", path);
}

int os_write_file(
	hn_os *os, const char *path, const void *bytes, size_t size, mode_t mode, hn_error **err)
{
	char *temporary BASE_AUTO_FREE = NULL;
	char *parent BASE_AUTO_FREE = parent_of(path);
	BASE_AUTO_BUF base_buf name = {0};
	uint64_t chance;
	int code;

	code = os_random(os, &chance, sizeof(chance), err);
	if (code < 0)
		return code;
	base_buf_format(&name, "%s.new-%016llx", path, (unsigned long long)chance);
	temporary = base_buf_take(&name);
	if (temporary == NULL || parent == NULL)
		return base_nomem(err);
	code = write_new(os, temporary, bytes, size, mode, err);
	if (code < 0)
		return code;
	code = os->ops->rename(os, temporary, path);
	if (code < 0) {
		os->ops->unlink(os, temporary);
		return base_error_errno(err, "os", code, "cannot replace %s", path);
	}
	code = os->ops->sync_directory(os, parent);
	if (code < 0)
		return base_error_errno(err, "os", code, "cannot make the new %s durable", path);
	return 0;
}

static int refuse_entry(const char *path, int code, hn_error **err)
{
	if (code == -EACCES || code == -EPERM)
		return base_error_errno(
			err, "os", code, "user %ld may not enter %s", (long)geteuid(), path);
	return base_error_errno(err, "os", code, "%s is there and is no directory", path);
}

/* One level; a parent that is a symlink to a directory is fine. */
static int make_directory(hn_os *os, const char *path, mode_t mode, hn_error **err)
{
	char *parent BASE_AUTO_FREE = NULL;
	int code = os->ops->mkdir(os, path, mode);
	int fd;

	if (code == -EEXIST) {
		fd = os->ops->open(os, path, O_RDONLY | O_DIRECTORY, 0);
		if (fd < 0)
			return refuse_entry(path, fd, err);
		os->ops->close(os, fd);
		return 0;
	}
	if (code < 0)
		return base_error_errno(err, "os", code, "cannot make the directory %s", path);
	parent = parent_of(path);
	if (parent == NULL)
		return base_nomem(err);
	code = os->ops->sync_directory(os, parent);
	if (code < 0)
		return base_error_errno(
			err, "os", code, "cannot make the directory %s durable", path);
	return 0;
}

int os_mkdirs(hn_os *os, const char *path, mode_t mode, hn_error **err)
{
	char *prefix BASE_AUTO_FREE = base_strdup(path);
	int code = 0;

	if (prefix == NULL)
		return base_nomem(err);
	for (char *at = prefix; code == 0 && *at != '\0';) {
		char kept;

		at += strspn(at, "/");
		if (*at == '\0')
			break;
		at += strcspn(at, "/");
		kept = *at;
		*at = '\0';
		code = make_directory(os, prefix, mode, err);
		*at = kept;
	}
	return code;
}

static int collect_name(void *arg, const char *name)
{
	return base_names_add(arg, name) < 0 ? -ENOMEM : 0;
}

static int remove_path(hn_os *os, const char *path, int depth, hn_error **err);

/* The names are collected before any is removed: a directory that changes may be listed twice or in
 * part. */
static int remove_content(hn_os *os, const char *path, int depth, hn_error **err)
{
	BASE_AUTO_NAMES base_names list = {0};
	int code = os->ops->list(os, path, collect_name, &list);

	if (code < 0)
		code = base_error_errno(err, "os", code, "cannot list %s", path);
	for (size_t i = 0; code == 0 && i < list.count; i++) {
		BASE_AUTO_BUF base_buf child = {0};

		base_buf_format(&child, "%s/%s", path, list.items[i]);
		code = child.failed ? base_nomem(err) : remove_path(os, child.data, depth + 1, err);
	}
	return code;
}

static int remove_path(hn_os *os, const char *path, int depth, hn_error **err)
{
	struct stat status;
	int code = os->ops->stat(os, path, &status);

	if (code == -ENOENT)
		return 0;
	if (code < 0)
		return base_error_errno(err, "os", code, "cannot look at %s", path);
	if (!S_ISDIR(status.st_mode)) {
		code = os->ops->unlink(os, path);
	} else {
		if (depth >= TREE_DEPTH)
			return base_error(err, HN_ELIMIT, "os", NULL,
				"%s is nested deeper than %d levels", path, TREE_DEPTH);
		code = remove_content(os, path, depth, err);
		if (code < 0)
			return code;
		code = os->ops->rmdir(os, path);
	}
	if (code < 0 && code != -ENOENT)
		return base_error_errno(err, "os", code, "cannot remove %s", path);
	return 0;
}

int os_remove_tree(hn_os *os, const char *path, hn_error **err)
{
	return remove_path(os, path, 0, err);
}

int os_look(hn_os *os, const char *path, hn_error **err)
{
	struct stat status;
	int code = os->ops->stat(os, path, &status);

	if (code == -ENOENT || code == -ENOTDIR)
		return 0;
	return code < 0 ? base_error_errno(err, "os", code, "cannot look at %s", path) : 1;
}

bool os_exists(hn_os *os, const char *path)
{
	struct stat status;

	return os->ops->stat(os, path, &status) == 0;
}
